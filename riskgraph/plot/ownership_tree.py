"""The layered equity-penetration chart (股权穿透图): who owns a company, through whom, with which share."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import EDGE_STYLES, axes, check_lang, label, layered, title
from riskgraph.plot._fonts import write
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ownership_tree"]


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

    Shares are percent; an interval is shown as such, an unknown share as ``?``. An edge that closes a loop is drawn
    bent and dashed. A layer wider than ``max_width`` keeps the largest shares and says how many it left out.

    Parameters
    ----------
    direction
        ``"up"`` draws owners, ``"down"`` holdings.
    max_depth, max_width
        Layers drawn, and entities drawn in one layer.

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
    root = graph.code(entity)
    columns = graph.columns
    rows = columns.of("owns", "controls")
    near = columns.target[rows] if direction == "up" else columns.source[rows]
    far = columns.source[rows] if direction == "up" else columns.target[rows]
    weight = np.nan_to_num(columns.share_min[rows], nan=-1.0)
    weight = np.where(columns.kind[rows] == RELATION_KINDS.index("controls"), 2.0, weight)
    order = np.lexsort((-weight, near))
    starts = np.searchsorted(near[order], np.arange(len(graph) + 1))
    depth = {root: 0}
    layers: list[list[int]] = [[root]]
    left_out: dict[int, int] = {}
    queue = deque([root])
    edges: list[tuple[int, int, int]] = []
    while queue:
        node = queue.popleft()
        for spot in order[starts[node] : starts[node + 1]]:
            other, level = int(far[spot]), depth[node] + 1
            if other not in depth:
                if level > max_depth or (level < len(layers) and len(layers[level]) >= max_width):
                    left_out[node] = left_out.get(node, 0) + 1
                    continue
                depth[other] = level
                if level == len(layers):
                    layers.append([])
                layers[level].append(other)
                queue.append(other)
            edges.append((node, other, int(rows[spot])))
    place = layered(layers, [(a, b) for a, b, _ in edges])
    wide = max(len(layer) for layer in layers)
    ax = axes(ax, (max(5.0, 1.9 * wide), max(2.6, 1.5 * len(layers))))
    sign = 1.0 if direction == "up" else -1.0
    spots = {node: (x, sign * y) for node, (x, y) in place.items()}
    for near_, far_, row in edges:
        _edge(ax, spots[near_], spots[far_], depth[far_] <= depth[near_], graph, row, up=direction == "up")
    for node, (x, y) in spots.items():
        _box(ax, x, y, graph, node, root, left_out.get(node, 0), lang)
    ax.set_xlim(-(wide - 1) / 2 - 0.7, (wide - 1) / 2 + 0.7)
    high = sign * (len(layers) - 1)
    ax.set_ylim(min(0, high) - 0.45, max(0, high) + 0.45)
    ax.set_axis_off()
    hidden = sum(left_out.values())
    text = ("股权穿透图" if lang == "zh" else "ownership") + f": {graph.names[root]}"
    if hidden:
        text += f"(省略{hidden}个)" if lang == "zh" else f" ({hidden} left out)"
    title(ax, text)
    return ax


def _percent(low: float, high: float) -> str:
    def show(value: float) -> str:
        return f"{100 * value:.4g}"

    if np.isnan(low) and np.isnan(high):
        return "?"
    if low == high:
        return show(low) + "%"
    return f"{'0' if np.isnan(low) else show(low)}-{'?' if np.isnan(high) else show(high)}%"


def _edge(ax: Axes, a: Any, b: Any, loop: bool, graph: EntityGraph, row: int, *, up: bool) -> None:
    columns = graph.columns
    kind = RELATION_KINDS[int(columns.kind[row])]
    color, dash = EDGE_STYLES[kind]
    text = "控制" if kind == "controls" else _percent(float(columns.share_min[row]), float(columns.share_max[row]))
    start, stop = (b, a) if up else (a, b)
    ax.annotate(
        "",
        xy=stop,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": color,
            "linestyle": "--" if loop else dash,
            "connectionstyle": f"arc3,rad={0.35 if loop else 0.0}",
            "shrinkA": 16,
            "shrinkB": 16,
            "linewidth": 1.0,
        },
        zorder=1,
    )
    # nearer to the far end, where edges of one layer have spread
    x, y = (0.38 * a[0] + 0.62 * b[0], 0.38 * a[1] + 0.62 * b[1])
    if loop:  # on the middle of the bow; one unit of x is drawn 1.9 wide, one of y 1.5 high
        dx, dy = 1.9 * (stop[0] - start[0]), 1.5 * (stop[1] - start[1])
        x = (a[0] + b[0]) / 2 + 0.175 * dy / 1.9
        y = (a[1] + b[1]) / 2 - 0.175 * dx / 1.5
    style = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    write(ax, x, y, text, size=7.5, ha="center", va="center", color=color, bbox=style, zorder=2)


def _box(ax: Axes, x: float, y: float, graph: EntityGraph, node: int, root: int, hidden: int, lang: str) -> None:
    kind = ENTITY_KINDS[int(graph.kinds[node])]
    face = {"person": "#fff3e0", "company": "#e3f2fd", "product": "#f3e5f5", "state": "#e8f5e9"}.get(kind, "#f5f5f5")
    text = label(graph.names[node], 9, 2)
    if hidden:
        text += f"\n(+{hidden})"
    style = {
        "boxstyle": "round,pad=0.3" if kind == "person" else "square,pad=0.3",
        "facecolor": face,
        "edgecolor": "#b71c1c" if node == root else "#546e7a",
        "linewidth": 1.6 if node == root else 0.8,
    }
    write(ax, x, y, text, size=8, ha="center", va="center", bbox=style, zorder=3)
