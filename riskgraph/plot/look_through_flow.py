"""Money through a product, from its sources over the layers to the assets."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import Sheet, axes, check_lang, empty, fill, label, money, sheet
from riskgraph.plot._fonts import extent
from riskgraph.plot._layers import bend, place
from riskgraph.plot._room import Room
from riskgraph.plot._stream import Link, Stream, stream
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["look_through_flow"]

_NAME, _SUM = 9.0, 8.0
#: inches that the greatest throughput of one entity takes, and the thinnest band
_WIDEST, _THIN = 1.1, 0.02

Point = tuple[float, float]


def look_through_flow(
    graph: EntityGraph, product: str, *, max_width: int = 8, ax: Axes | None = None, lang: str = "zh"
) -> Axes:
    """Bands from funders to what is funded, upstream and downstream of one product, money running to the right.

    The width of a band is its amount, written on it; a thin dotted line is one without an amount on record. Relations
    of one pair are one band. A step wider than ``max_width`` keeps the greatest amounts, and a dashed box stands for
    the others with their sum. Money that runs back is a dashed line round the chart.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``product``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_nested_product()
    >>> product = graph.ids[graph.entities["kind"] == "product"][0]
    >>> ax = rg.plot.look_through_flow(graph, product, lang="en")
    >>> len(ax.texts) > 2
    True
    """
    check_lang(lang)
    if not isinstance(max_width, (int, np.integer)) or max_width < 1:
        raise InvalidParameter(f"'max_width' must be a whole number, 1 or more; got {max_width!r}")
    root = graph.code(product)
    zh, name = lang == "zh", str(graph.names[root])
    flows = stream(graph, root, int(max_width))
    if not flows.links:
        return empty(axes(ax, (5.0, 1.6)), f"{name}没有资金往来记录" if zh else f"no funding of {name} is on record")
    bands = _bands(flows, lang)
    boxes = _boxes(graph, flows, bands, lang)
    for gap in (1.0, 1.3, 1.7, 2.2):  # more air until every amount has its place
        drawing = _lay_out(flows, bands, boxes, gap)
        if all(spot is not None for spot in drawing.labels):
            break
    heading = f"资金穿透：{name}" if zh else f"money through {name}"
    if flows.hidden:
        heading += f"（省略{flows.hidden:,}个）" if zh else f" ({flows.hidden:,} left out)"
    page = sheet(ax, drawing.bounds, heading, _notes(flows, drawing, zh))
    _draw(page, bands, boxes, drawing, root)
    return page.ax


class _Band(NamedTuple):
    source: int
    target: int
    text: str
    width: float
    known: bool
    back: bool


class _Box(NamedTuple):
    text: str
    kind: str  # an entity kind, or "" for others
    width: float
    height: float


class _Drawing(NamedTuple):
    spots: dict[int, Point]
    lines: list[list[Point]]
    labels: list[Point | None]
    bounds: tuple[float, float, float, float]


def _bands(flows: Stream, lang: str) -> list[_Band]:
    """Bands whose widths are to one scale: the greatest throughput of an entity is 1.1 inches."""
    through: dict[tuple[int, int], float] = {}
    for link in flows.links:
        for end in ((link.source, 0), (link.target, 1)):
            through[end] = through.get(end, 0.0) + float(np.nan_to_num(link.amount))
    scale = _WIDEST / max(*through.values(), 1e-300)
    return [
        _Band(
            link.source, link.target, _sum(link, lang), max(_THIN, float(np.nan_to_num(link.amount)) * scale),
            bool(np.isfinite(link.amount)), (link.source, link.target) in flows.back,
        )
        for link in flows.links
    ]  # fmt: skip


def _sum(link: Link, lang: str) -> str:
    return money(link.amount, lang) + ("+?" if link.partly and np.isfinite(link.amount) else "")


def _boxes(graph: EntityGraph, flows: Stream, bands: list[_Band], lang: str) -> dict[int, _Box]:
    """Boxes as high as their name, and as the bands on one side together."""
    boxes = {}
    for node in flows.column:
        if node in flows.others:
            count = flows.others[node]
            text, kind = (f"其余{count:,}个" if lang == "zh" else f"{count:,} other{'' if count == 1 else 's'}"), ""
        else:
            text, kind = label(graph.names[node], 9, 2), ENTITY_KINDS[int(graph.kinds[node])]
        wide, high = extent(text, _NAME)
        sides = (sum(band.width for band in bands if band[side] == node) for side in (0, 1))
        boxes[node] = _Box(text, kind, wide + 0.2, max(high + 0.15, 0.06 + max(sides)))
    return boxes


def _lay_out(flows: Stream, bands: list[_Band], boxes: dict[int, _Box], gap: float) -> _Drawing:
    least = min(flows.column.values())
    layer = {node: column - least for node, column in flows.column.items()}
    layers, short, ways = bend(layer, [(band.source, band.target) for band in bands if not band.back])
    high = {node: box.height for node, box in boxes.items()}
    for band in bands:
        high.update(dict.fromkeys(ways.get((band.source, band.target), [])[1:-1], band.width + 0.1))
    y = place(layers, short, high, 0.14)
    wide = [max((boxes[node].width for node in level if node >= 0), default=0.0) for level in layers]
    columns: list[float] = []
    at = 0.0
    for before, here in zip([0.0, *wide], wide, strict=False):
        at += (before + here) / 2 + (gap if columns else 0.0)
        columns.append(at)
    spots = {node: (columns[level], -y[node]) for level, nodes in enumerate(layers) for node in nodes}
    room = Room()
    for node, box in boxes.items():
        room.take(*spots[node], box.width, box.height)
    ports = _ports(bands, ways, spots)
    low, lines, loops = room.reach()[1], [], 0
    for band, (out, into) in zip(bands, ports, strict=True):
        (x0, y0), (x1, y1) = spots[band.source], spots[band.target]
        start = (x0 + boxes[band.source].width / 2, y0 + out)
        stop = (x1 - boxes[band.target].width / 2, y1 + into)
        if band.back:
            loops += 1
            foot, aside = low - 0.28 * loops, 0.12 + 0.05 * loops
            lines.append([start, (start[0] + aside, start[1]), (start[0] + aside, foot), (stop[0] - aside, foot),
                          (stop[0] - aside, stop[1]), stop])  # fmt: skip
        else:
            lines.append([start, *(spots[node] for node in ways[band.source, band.target][1:-1]), stop])
    labels: list[Point | None] = [None] * len(bands)
    for number in sorted(range(len(bands)), key=lambda number: -bands[number].width):
        labels[number] = _label_spot(bands[number], lines[number], room)
    left, bottom, right, top = room.reach()
    corners = np.array([corner for line in lines for corner in line])
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return _Drawing(spots, lines, labels, (min(left, x0), min(bottom, y0), max(right, x1), max(top, y1)))


def _ports(
    bands: list[_Band], ways: dict[tuple[int, int], list[int]], spots: dict[int, Point]
) -> list[tuple[float, float]]:
    """How far above the middle of its two boxes each band ends: bands of one side are stacked, none upon another."""
    sides: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for number, band in enumerate(bands):
        way = ways.get((band.source, band.target))
        ahead, behind = (spots[way[1]][1], spots[way[-2]][1]) if way else (-np.inf, -np.inf)
        sides.setdefault((band.source, 0), []).append((ahead, number))
        sides.setdefault((band.target, 1), []).append((behind, number))
    ports = [[0.0, 0.0] for _ in bands]
    for (_, side), ends in sides.items():
        at = -sum(bands[number].width for _, number in ends) / 2
        for _, number in sorted(ends):
            ports[number][side] = at + bands[number].width / 2
            at += bands[number].width
    return [(out, into) for out, into in ports]


def _label_spot(band: _Band, line: list[Point], room: Room) -> Point | None:
    """A free place on the band, near its source first: there bands of one target have not met yet."""
    wide, high = extent(band.text, _SUM)
    if band.back:
        spots = [((line[2][0] + line[3][0]) / 2, line[2][1])]
    else:
        points = _curve(line)
        along = np.linspace(0, 1, len(points))
        parts = np.array([0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
        x, y = (np.interp(parts, along, points[:, axis]) for axis in (0, 1))
        first, last = line[0][0] + wide / 2 + 0.05, line[-1][0] - wide / 2 - 0.05
        spots = list(zip(np.clip(x, first, max(first, last)).tolist(), y.tolist(), strict=True))
    number = room.place((wide + 0.04, high + 0.01), spots)
    return None if number is None else spots[number]


def _curve(line: list[Point]) -> np.ndarray:
    """Points of a smooth line through the corners, level at each of them."""
    t = np.linspace(0, 1, 25)
    ease = 3 * t**2 - 2 * t**3
    parts = [np.column_stack([a + (c - a) * t, b + (d - b) * ease]) for (a, b), (c, d) in pairwise(line)]
    return np.concatenate(parts)


def _notes(flows: Stream, drawing: _Drawing, zh: bool) -> list[str]:
    """What a reader must know of the signs that are on this chart, no others."""
    notes = []
    if any(np.isnan(link.amount) or link.partly for link in flows.links):
        notes.append("?：金额未登记" if zh else "?: no amount on record")
    if flows.back:
        notes.append("虚线：资金回流" if zh else "dashed: money that runs back")
    if flows.aside:
        notes.append("下游主体的其他资金来源未画" if zh else "what else funds the entities on the right is not drawn")
    bare = sum(spot is None for spot in drawing.labels)
    if bare:
        notes.append(f"{bare}笔金额因拥挤未标" if zh else f"{bare} amounts not written, for want of room")
    return notes


def _draw(page: Sheet, bands: list[_Band], boxes: dict[int, _Box], drawing: _Drawing, root: int) -> None:
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon
    from matplotlib.path import Path

    ax = page.ax
    for band, line, spot in zip(bands, drawing.lines, drawing.labels, strict=True):
        if band.back:
            ax.add_patch(
                FancyArrowPatch(
                    path=Path(line), arrowstyle="-|>", mutation_scale=9 * page.scale, color="#a40e26",
                    linestyle=(0, (4, 2.5)), linewidth=page.line(1.1), shrinkA=0, shrinkB=0, zorder=2,
                )
            )  # fmt: skip
        elif band.known:
            points, half = _curve(line), np.array([0.0, band.width / 2])
            outline = np.concatenate([points + half, (points - half)[::-1]])
            ax.add_patch(Polygon(outline, closed=True, facecolor="#7fa8cf", edgecolor="none", alpha=0.75, zorder=1))
        else:
            ax.plot(*_curve(line).T, color="#1f4e79", linestyle=":", linewidth=page.line(1.1), zorder=1)
        if spot is not None:
            color = "#a40e26" if band.back else "#12334f"
            page.write_over(*spot, band.text, size=_SUM, ha="center", va="center", color=color, zorder=5)
    for node, box in boxes.items():
        x, y = drawing.spots[node]
        ax.add_patch(
            FancyBboxPatch(
                (x - box.width / 2, y - box.height / 2), box.width, box.height, boxstyle="square,pad=0",
                facecolor=fill(box.kind) if box.kind else "white", edgecolor="#a40e26" if node == root else "#57606a",
                linestyle="-" if box.kind else (0, (3, 2)), linewidth=page.line(2.0 if node == root else 0.8), zorder=3,
            )
        )  # fmt: skip
        color = "#1b1f24" if box.kind else "#57606a"
        page.write(x, y, box.text, size=_NAME, ha="center", va="center", color=color, zorder=4)
