"""Which sectors reach into which: the sector × sector table as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import axes, check_lang, empty, label, title
from riskgraph.plot._fonts import font, write
from riskgraph.schema import SECTOR_TEXTS, SECTORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

__all__ = ["nesting_heatmap"]

_CELL = (0.74, 0.44)


def nesting_heatmap(graph: EntityGraph | pd.DataFrame, *, ax: Axes | None = None, lang: str = "zh") -> Axes:
    """Counts by pair of sectors, darker where greater; the frames on the diagonal mark what stays within one sector.

    Of a graph: relations from an entity of the row's sector to one of the column's (declared sectors). Of a nesting
    report: entities whose chains touch both sectors. Sectors without any are left out.

    Raises
    ------
    InvalidParameter
        Neither a graph nor a report with a column ``sector_codes``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> ax = rg.plot.nesting_heatmap(rg.datasets.load_county().graph, lang="en")
    >>> len(ax.images)
    1
    """
    check_lang(lang)
    zh = lang == "zh"
    if isinstance(graph, EntityGraph):
        counts, text = _between(graph), "跨行业关系数（行指向列）" if zh else "relations between sectors, row to column"
    elif isinstance(graph, pd.DataFrame) and "sector_codes" in graph:
        counts, text = _together(graph), "同时涉及两个行业的主体数" if zh else "entities that meet both sectors"
    else:
        raise InvalidParameter("'graph' must be an EntityGraph or a nesting report with a column 'sector_codes'")
    used = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    ax = axes(ax, (1.5 + _CELL[0] * max(used.size, 4), 1.2 + _CELL[1] * max(used.size, 3)))
    if not used.size:
        return empty(ax, "没有行业信息" if zh else "no sector is known")
    table = counts[np.ix_(used, used)]
    heat = np.log1p(table)
    ax.imshow(heat, cmap="Blues", aspect="auto", vmin=0, vmax=1.15 * heat.max())
    for row, column in zip(*np.nonzero(table), strict=True):
        color = "white" if heat[row, column] > 0.65 * heat.max() else "#1b1f24"
        write(ax, column, row, f"{table[row, column]:,}", size=8, ha="center", va="center", color=color)
    for place in np.flatnonzero(np.diag(table)).tolist():
        ax.add_patch(_frame(place))
    names = [SECTOR_TEXTS[SECTORS[code]][zh] for code in used]
    ax.set_xticks(
        range(used.size), [label(name, 5 if zh else 6, 3) for name in names], fontproperties=font(8), linespacing=1.4
    )
    ax.set_yticks(range(used.size), [label(name, 8, 2) for name in names], fontproperties=font(8), linespacing=1.4)
    ax.set_xticks(np.arange(used.size - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(used.size - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    title(ax, text)
    return ax


def _frame(place: int) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle((place - 0.47, place - 0.46), 0.94, 0.92, fill=False, edgecolor="#57606a", linewidth=0.9)


def _between(graph: EntityGraph) -> np.ndarray:
    size = len(SECTORS)
    sector = graph.entities["sector"] if "sector" in graph.entities else pd.Series(None, index=range(len(graph)))
    codes = pd.Index(SECTORS).get_indexer(pd.Index(sector, dtype=object))
    a, b = codes[graph.columns.source], codes[graph.columns.target]
    known = (a >= 0) & (b >= 0)
    return np.bincount(a[known] * size + b[known], minlength=size * size).reshape(size, size)


def _together(report: pd.DataFrame) -> np.ndarray:
    """Entities that meet both sectors."""
    table = np.zeros((len(report), len(SECTORS)), dtype=np.int64)
    for row, codes in enumerate(report["sector_codes"]):
        table[row, [SECTORS.index(code) for code in codes]] = 1
    return table.T @ table
