"""Money through a product, from its sources over the layers to the assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import axes, check_lang, empty, label, layered, money, title
from riskgraph.plot._fonts import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["look_through_flow"]


def look_through_flow(
    graph: EntityGraph, product: str, *, max_width: int = 8, ax: Axes | None = None, lang: str = "zh"
) -> Axes:
    """Bands from funders to what is funded, upstream and downstream of one product.

    The width of a band is its amount, thin and dotted where none is on record. A layer wider than ``max_width`` keeps
    the greatest amounts; the title says how many entities were left out.

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
    root = graph.code(product)
    rows = graph.columns.of("invests", "packaged_from")
    source, target = graph.columns.source[rows].astype(np.int64), graph.columns.target[rows].astype(np.int64)
    amount = graph.columns.amount[rows]
    up, lost_up = _layers(root, target, source, amount, max_width)
    down, lost_down = _layers(root, source, target, amount, max_width)
    seen = {root}
    ups = [[node for node in layer if not (node in seen or seen.add(node))] for layer in up[1:]]  # type: ignore[func-returns-value]
    downs = [[node for node in layer if not (node in seen or seen.add(node))] for layer in down[1:]]  # type: ignore[func-returns-value]
    layers = [*[layer for layer in reversed(ups) if layer], [root], *[layer for layer in downs if layer]]
    ax = axes(ax, (2.6 * max(len(layers), 2), 0.8 * max(3, *(len(layer) for layer in layers)) + 1))
    name = graph.names[root]
    if len(layers) == 1:
        return empty(ax, f"{name}没有资金往来记录" if lang == "zh" else f"no funding of {name} is on record")
    inside = np.isin(source, list(seen)) & np.isin(target, list(seen))
    links = list(zip(source[inside].tolist(), target[inside].tolist(), strict=True))
    place = {node: (y, -x) for node, (x, y) in layered(layers, links).items()}
    most = float(np.nanmax(amount[inside])) if np.isfinite(amount[inside]).any() else 1.0
    for (a, b), sum_ in zip(links, amount[inside], strict=True):
        _band(ax, place[a], place[b], float(sum_), most, lang)
    for node, (x, y) in place.items():
        style = {
            "boxstyle": "round,pad=0.3",
            "facecolor": "#fff8e1" if node == root else "#eceff1",
            "edgecolor": "#b71c1c" if node == root else "#546e7a",
        }
        write(ax, x, y, label(graph.names[node], 8, 2), size=8, ha="center", va="center", bbox=style, zorder=4)
    tall = max(len(layer) for layer in layers)
    ax.set_xlim(-0.5, len(layers) - 0.5)
    ax.set_ylim(-(tall - 1) / 2 - 0.7, (tall - 1) / 2 + 0.7)
    ax.set_axis_off()
    lost = lost_up + lost_down
    text = f"资金穿透: {name}" if lang == "zh" else f"money through {name}"
    title(ax, text + ((f"(省略{lost}个)" if lang == "zh" else f" ({lost} left out)") if lost else ""))
    return ax


def _layers(
    root: int, near: np.ndarray, far: np.ndarray, amount: np.ndarray, width: int
) -> tuple[list[list[int]], int]:
    """Layers by least distance from the root, each cut to the ``width`` greatest amounts; and how many were cut."""
    seen = {root}
    layers, lost = [[root]], 0
    while layers[-1]:
        spots = np.flatnonzero(np.isin(near, layers[-1]))
        sums: dict[int, float] = {}
        for spot in spots:
            node = int(far[spot])
            if node not in seen:
                sums[node] = sums.get(node, 0.0) + (0.0 if np.isnan(amount[spot]) else float(amount[spot]))
        found = sorted(sums, key=lambda node: (-sums[node], node))
        seen.update(found)
        lost += max(0, len(found) - width)
        layers.append(found[:width])
    return layers[:-1], lost


def _band(ax: Axes, a: tuple[float, float], b: tuple[float, float], amount: float, most: float, lang: str) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    middle = (a[0] + b[0]) / 2
    path = Path([a, (middle, a[1]), (middle, b[1]), b], [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    known = np.isfinite(amount)
    width = 1.0 + 11.0 * amount / most if known and most > 0 else 1.0
    dash = "-" if known else ":"
    ax.add_patch(
        PathPatch(path, fill=False, edgecolor="#1f77b4", alpha=0.45, linewidth=width, linestyle=dash, zorder=1)
    )
    write(
        ax,
        middle,
        (a[1] + b[1]) / 2,
        money(amount, lang),
        size=7.5,
        ha="center",
        va="center",
        color="#0d3c61",
        zorder=3,
    )
