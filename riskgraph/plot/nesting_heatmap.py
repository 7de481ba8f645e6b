"""Which sectors reach into which: the sector × sector table as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import axes, check_lang, empty, title
from riskgraph.plot._fonts import font, write
from riskgraph.schema import SECTOR_TEXTS, SECTORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["nesting_heatmap"]


def nesting_heatmap(graph: EntityGraph | pd.DataFrame, *, ax: Axes | None = None, lang: str = "zh") -> Axes:
    """Counts by pair of sectors.

    Of a graph: relations from an entity of the row's sector to one of the column's (declared sectors, the diagonal
    included). Of a nesting report: entities whose chains touch both sectors.

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
    if isinstance(graph, EntityGraph):
        counts, text = _between(graph), "跨行业关系数" if lang == "zh" else "relations between sectors"
    elif isinstance(graph, pd.DataFrame) and "sector_codes" in graph:
        counts, text = _together(graph), "同时涉及的主体数" if lang == "zh" else "entities that meet both sectors"
    else:
        raise InvalidParameter("'graph' must be an EntityGraph or a nesting report with a column 'sector_codes'")
    used = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    ax = axes(ax, (1.8 + 0.62 * max(used.size, 4), 1.4 + 0.55 * max(used.size, 4)))
    if not used.size:
        return empty(ax, "没有行业信息" if lang == "zh" else "no sector is known")
    table = counts[np.ix_(used, used)]
    ax.imshow(np.log1p(table), cmap="Blues", aspect="auto")
    dark = np.log1p(table) > 0.55 * np.log1p(table.max())
    for row, column in zip(*np.nonzero(table), strict=True):
        color = "white" if dark[row, column] else "#222222"
        write(ax, column, row, f"{table[row, column]:,}", size=8, ha="center", va="center", color=color)
    names = [SECTOR_TEXTS[SECTORS[code]][1 if lang == "zh" else 0] for code in used]
    ax.set_xticks(range(used.size), names, rotation=40, ha="right", fontproperties=font(8))
    ax.set_yticks(range(used.size), names, fontproperties=font(8))
    ax.tick_params(length=0)
    title(ax, text)
    return ax


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
