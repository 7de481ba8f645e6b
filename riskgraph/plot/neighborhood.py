"""The surroundings of one entity: rings by distance, risk as colour, relation kinds as colour and dash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import EDGE_STYLES, OTHER_STYLE, axes, check_lang, label, risk_color, title
from riskgraph.plot._fonts import font, write
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS, RELATION_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["neighborhood"]

_MARKERS = {"company": "s", "person": "o", "product": "D", "website": "^", "advertisement": "v", "address": "h"}


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

    Rings are distances. With ``scores`` the fill of a node is its risk, white for 0; when there are more than
    ``max_nodes`` the riskiest are kept, nearer ones first, and the title says how many were left out.

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
    ring, parent = _rings(near, near.code(entity), depth)
    risk = np.zeros(len(near)) if scores is None else scores.reindex(near.ids).fillna(0.0).to_numpy(dtype=float)
    kept = np.sort(np.lexsort((np.arange(len(near)), -risk, ring))[:max_nodes])
    place = _places(kept, ring, parent)
    ax = axes(ax, (9.5, 8.5))
    columns = near.columns
    inside = np.isin(columns.source, kept) & np.isin(columns.target, kept)
    pairs: dict[tuple[int, int], int] = {}
    used: dict[str, tuple[str, str]] = {}
    for spot in np.flatnonzero(inside):
        a, b = int(columns.source[spot]), int(columns.target[spot])
        kind = RELATION_KINDS[int(columns.kind[spot])]
        used[kind] = EDGE_STYLES.get(kind, OTHER_STYLE)
        times = pairs[min(a, b), max(a, b)] = pairs.get((min(a, b), max(a, b)), 0) + 1
        bend = (0.0, 0.18, -0.18, 0.36, -0.36)[min(times - 1, 4)]
        ax.annotate(
            "",
            xy=place[b],
            xytext=place[a],
            arrowprops={
                "arrowstyle": "-|>",
                "color": used[kind][0],
                "linestyle": used[kind][1],
                "linewidth": 0.9,
                "shrinkA": 7,
                "shrinkB": 7,
                "connectionstyle": f"arc3,rad={bend}",
            },
            zorder=1,
        )
    for node in kept:
        _node(ax, near, int(node), place[int(node)], float(risk[node]), bool(ring[node] == 0))
    _legend(ax, used, lang)
    reach = max((float(np.hypot(*spot)) for spot in place.values()), default=1.0) + 0.75
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-reach, reach)
    ax.set_axis_off()
    hidden = len(near) - len(kept)
    text = (
        f"{near.names[near.code(entity)]}周边{depth}层" if lang == "zh" else f"around {near.names[near.code(entity)]}"
    )
    if hidden:
        text += f"(省略{hidden}个)" if lang == "zh" else f" ({hidden} left out)"
    title(ax, text)
    return ax


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


def _places(kept: np.ndarray, ring: np.ndarray, parent: np.ndarray) -> dict[int, tuple[float, float]]:
    """Radial tree: every node gets a sector as wide as the leaves under it."""
    children: dict[int, list[int]] = {}
    for node in kept:
        children.setdefault(int(parent[node]) if parent[node] in kept else -1, []).append(int(node))
    leaves: dict[int, int] = {}
    for node in kept[np.argsort(-ring[kept], kind="stable")]:
        leaves[int(node)] = sum(leaves[child] for child in children.get(int(node), [])) or 1
    place: dict[int, tuple[float, float]] = {}
    todo = [(-1, 0.0, 2 * np.pi)]
    total = sum(leaves[node] for node in children.get(-1, []))
    while todo:
        node, start, width = todo.pop()
        under = children.get(node, [])
        size = total if node == -1 else sum(leaves[child] for child in under)
        for child in under:
            part = width * leaves[child] / size
            # neighbours on one ring alternate their distance a little, so that their labels do not meet
            radius = float(ring[child]) * 1.5 + (0.28 if len(place) % 2 and ring[child] else 0.0)
            angle = start + part / 2
            place[child] = (radius * float(np.cos(angle)), radius * float(np.sin(angle)))
            todo.append((child, start, part))
            start += part
    return place


def _node(ax: Axes, graph: EntityGraph, node: int, spot: tuple[float, float], risk: float, root: bool) -> None:
    kind = ENTITY_KINDS[int(graph.kinds[node])]
    ax.scatter(
        *spot,
        s=170 if root else 90,
        marker=_MARKERS.get(kind, "p"),
        color=[risk_color(risk)],
        edgecolor="#b71c1c" if root else "#333333",
        linewidth=1.8 if root else 0.8,
        zorder=3,
    )
    text = label(graph.names[node], 8, 2) + (f"\n{risk:.2f}" if risk > 0 else "")
    style = {"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}
    write(ax, spot[0], spot[1] - 0.13, text, size=7, ha="center", va="top", bbox=style, zorder=4)


def _legend(ax: Axes, used: dict[str, tuple[str, str]], lang: str) -> None:
    from matplotlib.lines import Line2D

    if not used:
        return
    lines = [Line2D([], [], color=color, linestyle=dash, linewidth=1.4) for color, dash in used.values()]
    names = [RELATION_NAMES[kind][lang == "zh"] for kind in used]
    ax.legend(lines, names, prop=font(8), loc="lower left", frameon=False, ncols=2)
