"""The layered equity-penetration chart (股权穿透图): who owns a company, through whom, with which share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskgraph._looks import LINES, Line
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import Sheet, check_lang, fill, label, percent, sheet
from riskgraph.plot._climb import Climb, climb
from riskgraph.plot._fonts import extent
from riskgraph.plot._layers import bend, layer_of, place
from riskgraph.plot._room import Room
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ownership_tree"]

_NAME, _SHARE = 9.0, 8.5
_CONTROLS = RELATION_KINDS.index("controls")
Point = tuple[float, float]


def ownership_tree(
    graph: EntityGraph,
    entity: str,
    *,
    direction: str = "up",
    max_depth: int = 6,
    max_width: int = 10,
    ax: Axes | None = None,
    lang: str = "zh",
) -> Axes:
    """Chart of the owners above a company, or of its holdings below, a share on every edge.

    Shares are percent; an interval is shown as such, an undeclared share as ``?``. Relations of one pair are one edge,
    their shares added. An edge that closes a loop is bent and dashed. A layer wider than ``max_width`` keeps the
    largest shares; a dashed box says how many it stands for, and what they hold together. Beyond ``max_depth`` a box
    says how many levels and entities follow.

    Parameters
    ----------
    direction
        ``"up"`` draws owners, ``"down"`` holdings.
    max_depth, max_width
        Steps walked from the entity, and entities kept at each.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``entity``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> ax = rg.plot.ownership_tree(rg.datasets.toy_chain(), "Mine", lang="en")
    >>> len(ax.texts) >= 3
    True
    """
    check_lang(lang)
    if direction not in ("up", "down"):
        raise InvalidParameter(f"'direction' must be 'up' or 'down'; got {direction!r}")
    for name, value in (("max_depth", max_depth), ("max_width", max_width)):
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise InvalidParameter(f"{name!r} must be a whole number, 1 or more; got {value!r}")
    up = direction == "up"
    root = graph.code(entity)
    found = climb(graph, root, up=up, max_depth=int(max_depth), max_width=int(max_width))
    boxes, edges, layer = _parts(graph, found, root, up, lang)
    for gap in (0.55, 0.8, 1.1, 1.5, 2.0, 2.6):  # more air until every share has its place
        drawing = _lay_out(boxes, edges, layer, gap, up)
        if all(drawing.labels):
            break
    heading = ("股权穿透图：" if up else "对外投资图：") if lang == "zh" else ("owners of " if up else "holdings of ")
    hidden = sum(count for count, _ in found.beside.values()) + found.beyond[1]
    heading += str(graph.names[root])
    if hidden:
        heading += f"（省略{hidden:,}个）" if lang == "zh" else f" ({hidden:,} left out)"
    page = sheet(ax, _bounds(drawing), heading, _notes(edges, drawing, up, lang))
    _draw(page, boxes, edges, drawing, root, up)
    return page.ax


class _Box(NamedTuple):
    text: str
    width: float
    height: float
    kind: str  # an entity kind, or "" for what is left out


class _Edge(NamedTuple):
    near: int
    far: int
    text: str
    line: Line
    loop: bool


class _Drawing(NamedTuple):
    spots: dict[int, Point]
    lines: list[list[Point]]
    labels: list[Point | None]
    room: Room


def _parts(
    graph: EntityGraph, found: Climb, root: int, up: bool, lang: str
) -> tuple[dict[int, _Box], list[_Edge], dict[int, int]]:
    """Boxes and edges by number, and the layer of each box: codes of entities, higher numbers for what is left out."""
    zh = lang == "zh"
    layer, back = layer_of([root], list(found.links))
    boxes = {}
    for node in found.nodes:
        kind = ENTITY_KINDS[int(graph.kinds[node])]
        boxes[node] = _box(label(graph.names[node], 9, 2), kind)
    edges = [_Edge(a, b, *_look(graph, rows, zh), (a, b) in back) for (a, b), rows in found.links.items()]
    number = len(graph)
    for node, (count, share) in found.beside.items():
        word = f"其余{count:,}个" if zh else f"{count:,} others"
        boxes[number] = _box(word, "")
        # of an owner's holdings the shares do not add up: they are shares of different firms
        text = "" if np.isnan(share) or not up else f"{'合计' if zh else 'in all '}≥{100 * share:.4g}%"
        edges.append(_Edge(node, number, text, LINES["owns"], False))
        layer[number] = layer[node] + 1
        number += 1
    levels, count, stopped = found.beyond
    if count:
        more = "≥" if stopped else ""
        where = ("上" if up else "下") if zh else ("above" if up else "below")
        one = levels == 1
        word = f"再往{where}{more}{levels}层，{more}{count:,}个" if zh else (
            f"{more}{levels} more level{'' if one else 's'} {where}: {more}{count:,}"
        )  # fmt: skip
        boxes[number] = _box(word, "")
        edges += [_Edge(node, number, "", LINES["owns"], False) for node in found.cut]
        layer[number] = max(layer.values()) + 1
    return boxes, edges, layer


def _box(text: str, kind: str) -> _Box:
    width, height = extent(text, _NAME)
    return _Box(text, max(width + 0.2, 0.6), height + 0.17, kind)


def _look(graph: EntityGraph, rows: list[int], zh: bool) -> tuple[str, Line]:
    """Text and line of the relations of one pair."""
    columns = graph.columns
    owned = [row for row in rows if columns.kind[row] != _CONTROLS]
    texts = []
    if owned:
        low, high = columns.share_min[owned], columns.share_max[owned]
        with_low = np.nan if np.isnan(low).all() else float(np.nansum(low))
        texts.append(percent(with_low, np.nan if np.isnan(high).any() else float(high.sum())))
    if len(owned) < len(rows):
        texts.append("协议控制" if zh else "controls")
    return "\n".join(texts), LINES["controls" if len(owned) < len(rows) else "owns"]


def _lay_out(boxes: dict[int, _Box], edges: list[_Edge], layer: dict[int, int], gap: float, up: bool) -> _Drawing:
    """Places of boxes, corners of lines, middles of labels; a label without a free place is None."""
    forward = [(edge.near, edge.far) for edge in edges if not edge.loop]
    layers, short, ways = bend(layer, forward)
    wide = {node: boxes[node].width if node >= 0 else 0.12 for level in layers for node in level}
    x = place(layers, short, wide, 0.22 + 0.25 * (gap - 0.55))
    gap = max(gap, 0.1 * max(sum(wide[node] + 0.22 for node in level) for level in layers))  # no line lies too flat
    high = [max((boxes[node].height for node in level if node >= 0), default=0.0) for level in layers]
    rows: list[float] = []
    at = 0.0
    for below, above in zip([0.0, *high], high, strict=False):
        at += (below + above) / 2 + (gap if rows else 0.0)
        rows.append(at)
    sign = 1.0 if up else -1.0
    spots = {node: (x[node], sign * rows[level]) for level, nodes in enumerate(layers) for node in nodes}
    room = Room()
    for node, box in boxes.items():
        room.take(*spots[node], box.width + 0.04, box.height + 0.04)
    ports = _ports(boxes, edges, ways, spots)
    lines, labels = [], []
    left, right = (
        min(a - wide[node] / 2 for node, (a, _) in spots.items()),
        max(a + wide[node] / 2 for node, (a, _) in spots.items()),
    )
    loops = 0
    for place_, edge in enumerate(edges):
        if edge.loop:
            loops += 1
            line = _bow(boxes, edge, spots, left, right, loops)
        else:
            start, stop = ports[place_]
            inner = [spots[node] for node in ways[edge.near, edge.far][1:-1]]
            line = [(start, spots[edge.near][1] + sign * boxes[edge.near].height / 2), *inner,
                    (stop, spots[edge.far][1] - sign * boxes[edge.far].height / 2)]  # fmt: skip
        lines.append(line)
    for edge, line in sorted(zip(edges, lines, strict=True), key=lambda pair: -len(pair[0].text)):
        labels.append((id(edge), _label_spot(edge, line, room)))
    by_edge = dict(labels)
    return _Drawing(spots, lines, [by_edge[id(edge)] for edge in edges], room)


def _ports(
    boxes: dict[int, _Box], edges: list[_Edge], ways: dict[tuple[int, int], list[int]], spots: dict[int, Point]
) -> dict[int, tuple[float, float]]:
    """Where on its two boxes each line ends, so that lines into one box do not run into one point."""
    ends: dict[tuple[int, bool], list[tuple[float, int]]] = {}
    for number, edge in enumerate(edges):
        if not edge.loop:
            way = ways[edge.near, edge.far]
            ends.setdefault((edge.near, True), []).append((spots[way[1]][0], number))
            ends.setdefault((edge.far, False), []).append((spots[way[-2]][0], number))
    found: dict[int, list[float]] = {number: [0.0, 0.0] for number in range(len(edges))}
    for (node, near), here in ends.items():
        step = min(0.3, 0.8 * boxes[node].width / len(here))
        for rank, (_, number) in enumerate(sorted(here)):
            found[number][0 if near else 1] = spots[node][0] + step * (rank - (len(here) - 1) / 2)
    return {number: (a, b) for number, (a, b) in found.items()}


def _bow(
    boxes: dict[int, _Box], edge: _Edge, spots: dict[int, Point], left: float, right: float, count: int
) -> list[Point]:
    """A loop goes round the chart, on the nearer side, each farther out than the one before."""
    (ax_, ay), (bx, by) = spots[edge.near], spots[edge.far]
    side = 1.0 if (ax_ + bx) / 2 >= (left + right) / 2 else -1.0
    out = (right if side > 0 else left) + side * (0.35 + 0.62 * ((count - 1) // 2 + 0.5 * ((count - 1) % 2)))
    a = (ax_ + side * boxes[edge.near].width / 2, ay + 0.08)
    b = (bx + side * boxes[edge.far].width / 2, by - 0.08)
    return [a, (out, a[1]), (out, b[1]), b]


def _label_spot(edge: _Edge, line: list[Point], room: Room) -> Point | None:
    if not edge.text:
        return line[0]
    wide, high = extent(edge.text, _SHARE)
    corners = np.array(line)
    steps = np.hypot(*np.diff(corners, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    parts = (0.5, 0.4, 0.6, 0.3, 0.7) if edge.loop else (0.62, 0.72, 0.52, 0.8, 0.42, 0.32, 0.22)
    x, y = (np.interp(along[-1] * np.array(parts), along, corners[:, axis]) for axis in (0, 1))
    spots = list(zip(x.tolist(), y.tolist(), strict=True))
    number = room.place((wide + 0.05, high + 0.03), spots)
    return None if number is None else spots[number]


def _bounds(drawing: _Drawing) -> tuple[float, float, float, float]:
    left, bottom, right, top = drawing.room.reach()
    corners = np.array([spot for line in drawing.lines for spot in line] or [(0.0, 0.0)])
    return (
        min(left, float(corners[:, 0].min())),
        min(bottom, float(corners[:, 1].min())),
        max(right, float(corners[:, 0].max())),
        max(top, float(corners[:, 1].max())),
    )


def _notes(edges: list[_Edge], drawing: _Drawing, up: bool, lang: str) -> list[str]:
    """What a reader must know of the signs that are on this chart, no others."""
    zh = lang == "zh"
    notes = []
    if not edges:
        what = ("股东" if up else "对外投资", "owner" if up else "holding")
        notes.append(f"没有{what[0]}记录" if zh else f"no {what[1]} is on record")
    if any(edge.loop for edge in edges):
        notes.append("虚线：循环持股" if zh else "dashed: closes a loop")
    if any("–" in edge.text or "≤" in edge.text for edge in edges):
        notes.append("区间：申报的下限与上限" if zh else "interval: least and most declared")
    if any("?" in edge.text for edge in edges):
        notes.append("?：未申报" if zh else "?: not declared")
    bare = sum(spot is None for spot in drawing.labels)
    if bare:
        notes.append(f"{bare}条线因拥挤未标比例" if zh else f"{bare} lines without their share, for want of room")
    return notes


def _draw(page: Sheet, boxes: dict[int, _Box], edges: list[_Edge], drawing: _Drawing, root: int, up: bool) -> None:
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
    from matplotlib.path import Path

    for edge, line, spot in zip(edges, drawing.lines, drawing.labels, strict=True):
        corners = line[::-1] if up else line  # the arrow runs from the owner to what is owned
        style = (0, (4, 2.5)) if edge.loop or boxes[edge.far].kind == "" else edge.line.style
        page.ax.add_patch(
            FancyArrowPatch(
                path=Path(corners),
                arrowstyle="-|>",
                mutation_scale=9 * page.scale,
                color=edge.line.color,
                linestyle=style,
                linewidth=page.line(edge.line.width * 0.9),
                shrinkA=0,
                shrinkB=0,
                joinstyle="round",
                zorder=1,
            )
        )
        if edge.text and spot is not None:
            around = {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none"}
            page.write(
                *spot, edge.text, size=_SHARE, ha="center", va="center", color=edge.line.color, bbox=around, zorder=2
            )
    for node, box in boxes.items():
        x, y = drawing.spots[node]
        rest, person = box.kind == "", box.kind == "person"
        corner = 0.09 if person else 0.0
        page.ax.add_patch(
            FancyBboxPatch(
                (x - box.width / 2 + corner, y - box.height / 2 + corner),
                box.width - 2 * corner,
                box.height - 2 * corner,
                boxstyle=f"round,pad={corner}" if person else "square,pad=0",
                facecolor="white" if rest else fill(box.kind),
                edgecolor="#a40e26" if node == root else "#57606a",
                linestyle=(0, (3, 2)) if rest else "-",
                linewidth=page.line(2.0 if node == root else 0.8),
                zorder=3,
            )
        )
        color = "#57606a" if rest else "#1b1f24"
        page.write(x, y, box.text, size=_NAME - (0.5 if rest else 0), ha="center", va="center", color=color, zorder=4)
