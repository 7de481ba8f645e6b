"""The surroundings of one entity: rings by distance, risk as colour, relation kinds as colour and dash."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._looks import LINES, OTHER_LINE
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import Sheet, check_lang, label, marker, risk_color, sheet
from riskgraph.plot._fonts import extent
from riskgraph.plot._key import draw_key, key_rows, kinds_key
from riskgraph.plot._room import Room
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS, SYMMETRIC_KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["neighborhood"]

_NAME = 8.0
#: rings are wider than high, as names are
_STRETCH = 1.5


def neighborhood(
    graph: EntityGraph,
    entity: str,
    scores: pd.Series | None = None,
    depth: int = 2,
    *,
    max_nodes: int = 40,
    ax: Axes | None = None,
    lang: str = "zh",
) -> Axes:
    """Picture of what lies within ``depth`` relations of an entity.

    Rings are distances. With ``scores`` the fill of a node is its risk, also written beside its name. Above
    ``max_nodes`` the nearer ones are kept, of one ring the riskiest; a note says how many of each ring were left out.
    Relations of one pair and kind are one line.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``entity``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_banned_platform()
    >>> ax = rg.plot.neighborhood(graph, graph.seeds().index[0], depth=1, lang="en")
    >>> ax.get_title(loc="left").startswith("around")
    True
    """
    check_lang(lang)
    if max_nodes < 2:
        raise InvalidParameter(f"'max_nodes' must be 2 or more; got {max_nodes!r}")
    near = graph.neighborhood(entity, depth)
    root = near.code(entity)
    ring, parent = _rings(near, root, depth)
    risk = np.full(len(near), np.nan) if scores is None else scores.reindex(near.ids).to_numpy(dtype=float)
    worth = np.nan_to_num(risk, nan=-1.0)
    kept = np.sort(np.lexsort((np.arange(len(near)), -worth, ring))[:max_nodes])
    links = _links(near, kept)
    texts = {int(node): _text(near, int(node), float(risk[node])) for node in kept}
    for grow in (1.0, 1.15, 1.35, 1.6, 1.9):  # more air until every name has its place
        place = _places(kept, ring, parent, grow)
        spots, room = _label(texts, place, links, root, ring)
        if len(spots) == len(texts):
            break
    zh = lang == "zh"
    notes = _notes(ring, kept, len(texts) - len(spots), zh)
    name = str(near.names[root])
    heading = f"{name}周边{depth}层" if zh else f"around {name}, {depth} step{'' if depth == 1 else 's'}"
    hidden = len(near) - len(kept)
    if hidden:
        heading += f"（省略{hidden:,}个）" if zh else f" ({hidden:,} left out)"
    left, bottom, right, top = room.reach()
    entities = [kind for code, kind in enumerate(ENTITY_KINDS) if (near.kinds[kept] == code).any()]
    rows = key_rows(
        kinds_key(list(dict.fromkeys(link.kind for link in links)), entities, lang, risk=scores is not None),
        max(right - left, 3.0),
    )
    page = sheet(ax, (left, bottom - 0.25 - 0.2 * len(rows), max(right, left + 3.0), top), heading, notes)
    draw_key(page, rows, left, bottom - 0.2)
    _draw(page, near, kept, place, links, risk, root)
    for node, (x, y) in spots.items():
        page.write_over(x, y, texts[node], size=_NAME, ha="center", va="center", color="#1b1f24", zorder=4)
    return page.ax


class _Link(NamedTuple):
    source: int
    target: int
    kind: str
    bow: float


def _text(graph: EntityGraph, node: int, risk: float) -> str:
    return label(graph.names[node], 10, 2) + (f" {risk:.2f}" if risk > 0 else "")


def _links(graph: EntityGraph, kept: np.ndarray) -> list[_Link]:
    """One line for each ordered pair and kind; several lines of a pair are bowed apart."""
    columns = graph.columns
    inside = np.flatnonzero(np.isin(columns.source, kept) & np.isin(columns.target, kept))
    triples = np.unique(np.column_stack([columns.source[inside], columns.target[inside], columns.kind[inside]]), axis=0)
    seen: dict[tuple[int, int], int] = {}
    links = []
    for a, b, code in triples.tolist():
        pair = (min(a, b), max(a, b))
        turn = seen[pair] = seen.get(pair, -1) + 1
        bow = 0.13 * ((turn + 1) // 2) * (-1 if turn % 2 else 1) * (1 if a < b else -1)
        links.append(_Link(a, b, RELATION_KINDS[code], bow))
    return links


def _rings(graph: EntityGraph, root: int, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance of every node from the root, and the node it was first reached from."""
    ring = np.full(len(graph), depth + 1)
    parent = np.full(len(graph), -1)
    ring[root] = 0
    a = np.concatenate([graph.columns.source, graph.columns.target])
    b = np.concatenate([graph.columns.target, graph.columns.source])
    for level in range(depth):
        new = (ring[a] == level) & (ring[b] > level + 1)
        parent[b[new]] = a[new]
        ring[b[new]] = level + 1
    return ring, parent


def _places(kept: np.ndarray, ring: np.ndarray, parent: np.ndarray, grow: float) -> dict[int, tuple[float, float]]:
    """Radial tree in inches: a node's sector is as wide as the leaves under it, rings are as wide as they are full."""
    children: dict[int, list[int]] = {}
    for node in kept:
        children.setdefault(int(parent[node]) if parent[node] in kept else -1, []).append(int(node))
    leaves: dict[int, int] = {}
    for node in kept[np.argsort(-ring[kept], kind="stable")]:
        leaves[int(node)] = sum(leaves[child] for child in children.get(int(node), [])) or 1
    radius = [0.0]
    for level in range(1, int(ring[kept].max(initial=0)) + 1):
        crowd = int((ring[kept] == level).sum())
        radius.append(max(radius[-1] + 0.95, 0.36 * crowd / (2 * np.pi)))
    place: dict[int, tuple[float, float]] = {}
    todo = [(-1, np.pi / 2, 2 * np.pi)]
    while todo:
        node, start, width = todo.pop()
        under = children.get(node, [])
        size = sum(leaves[child] for child in under)
        for child in under:
            part = width * leaves[child] / size
            angle = start + part / 2
            far = grow * radius[int(ring[child])]
            place[child] = (_STRETCH * far * float(np.cos(angle)), far * float(np.sin(angle)))
            todo.append((child, start, part))
            start += part
    return place


def _label(
    texts: dict[int, str], place: dict[int, tuple[float, float]], links: list[_Link], root: int, ring: np.ndarray
) -> tuple[dict[int, tuple[float, float]], Room]:
    """Middles of the names that find a place clear of nodes and other names, on as few lines as can be."""
    room = Room()
    for node, (x, y) in place.items():
        room.take(x, y, *(0.3, 0.3) if node == root else (0.22, 0.22))
    ends = np.array([[*place[link.source], *place[link.target]] for link in links if link.source != link.target])
    spots = {}
    for node in sorted(texts, key=lambda node: (ring[node], -place[node][1])):
        x, y = place[node]
        wide, high = extent(texts[node], _NAME)
        size = (wide + 0.06, high + 0.04)
        side = 0.13 + size[0] / 2 + (0.04 if node == root else 0.0)
        rise = 0.13 + size[1] / 2 + (0.04 if node == root else 0.0)
        choices = [(x, y - rise), (x, y + rise), (x + side, y), (x - side, y)]
        for part, whole in ((side, 0.6 * rise), (0.6 * side, rise)):
            choices += [(x + a * part, y + b * whole) for b in (-1, 1) for a in (1, -1)]
        free = [choice for choice in choices if room.free(*choice, *size)]
        if not free:
            continue
        outward = np.hypot(x, y) > 0
        best = min(
            free,
            key=lambda spot, x=x, y=y, size=size, outward=outward: (  # type: ignore[misc]
                _crossed(ends, spot, size),
                -(spot[0] * x + spot[1] * y) if outward and abs(spot[0] - x) > 0.01 and abs(x) > 2 * abs(y) else 0.0,
            ),
        )
        room.take(*best, *size)
        spots[node] = best
    return spots, room


def _crossed(ends: np.ndarray, spot: tuple[float, float], size: tuple[float, float]) -> int:
    """How many of the straight lines run through a rectangle (Liang and Barsky 1984)."""
    if not ends.size:
        return 0
    start, step = ends[:, :2], ends[:, 2:] - ends[:, :2]
    half = np.array(size) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = ((np.array(spot) + sign * half - start) / step for sign in (-1.0, 1.0))
    inside = np.abs(start - np.array(spot)) <= half
    enter = np.where(step == 0, np.where(inside, -np.inf, np.inf), np.minimum(one, two)).max(axis=1)
    leave = np.where(step == 0, np.inf, np.maximum(one, two)).min(axis=1)
    return int(((enter < leave) & (leave > 0) & (enter < 1)).sum())


def _notes(ring: np.ndarray, kept: np.ndarray, bare: int, zh: bool) -> list[str]:
    parts = []
    for level in range(1, int(ring.max(initial=0)) + 1):
        lost = int((ring == level).sum() - (ring[kept] == level).sum())
        if lost:
            parts.append(f"第{level}层{lost:,}个" if zh else f"{lost:,} at distance {level}")
    notes = [("省略：" if zh else "left out: ") + ("、" if zh else ", ").join(parts)] if parts else []
    if bare:
        notes.append(f"{bare}个主体因拥挤未标名称" if zh else f"{bare} without their name, for want of room")
    return notes


def _draw(
    page: Sheet,
    graph: EntityGraph,
    kept: np.ndarray,
    place: dict[int, tuple[float, float]],
    links: list[_Link],
    risk: np.ndarray,
    root: int,
) -> None:
    from matplotlib.patches import FancyArrowPatch

    for link in links:
        line = LINES.get(link.kind, OTHER_LINE)
        if link.source == link.target:
            x, y = place[link.source]
            start, stop, bow = (x - 0.06, y + 0.05), (x + 0.06, y + 0.05), -2.2
        else:
            start, stop, bow = place[link.source], place[link.target], link.bow
        page.ax.add_patch(
            FancyArrowPatch(
                start, stop,
                arrowstyle="-" if link.kind in SYMMETRIC_KINDS else "-|>",
                mutation_scale=8 * page.scale,
                color=line.color, linestyle=line.style, linewidth=page.line(line.width * 0.85),
                shrinkA=0, shrinkB=(9 if link.target == root else 7) * page.scale,
                connectionstyle=f"arc3,rad={bow}",
                zorder=1,
            )
        )  # fmt: skip
    for code in kept.tolist():
        x, y = place[code]
        page.ax.scatter(
            x, y,
            s=(130 if code == root else 70) * page.scale**2,
            marker=marker(ENTITY_KINDS[int(graph.kinds[code])]),
            color=["#ffffff" if np.isnan(risk[code]) else risk_color(float(risk[code]))],
            edgecolor="#1b1f24",
            linewidth=page.line(2.4 if code == root else 0.8),
            zorder=3,
        )  # fmt: skip
