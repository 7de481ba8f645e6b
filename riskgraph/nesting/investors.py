"""Ultimate investors: how many distinct ones stand behind a product, and when they passed a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph._columns import RelationColumns
from riskgraph._sparse import expand, row_pointers
from riskgraph.errors import InvalidParameter
from riskgraph.nesting._flows import PRODUCT, true_facts

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["investor_count", "investor_count_by_date", "investor_crossing", "ultimate_investors"]

#: relations that make an investor; a lender is none
INVESTING = ("invests", "owns", "packaged_from")
#: a place for funding without a beginning
NEVER, ALWAYS = np.datetime64("9999-12-31", "D"), np.datetime64("0001-01-01", "D")


def ultimate_investors(graph: EntityGraph, product: str) -> list[str]:
    """Ids of the distinct investors behind a product, feeders unwrapped, each once, in the order of the entities.

    An investor invests in the product or owns a part of it, directly or through other products. A product on the way
    is unwrapped, whatever its number of routes; one with the fact ``registered_product`` true is an investor itself,
    and so is one without any investor on record: at least one stands behind it.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``product``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.nesting.ultimate_investors(rg.datasets.toy_feeders(), "Master")
    ['Ann', 'Bob', 'Carl', 'Dan']
    """
    found = _behind(graph, graph.columns, graph.code(product), _unwrapped(graph))
    return [str(name) for name in graph.ids.to_numpy()[found]]


def investor_count(graph: EntityGraph, product: str) -> int:
    """Number of distinct ultimate investors of a product on the graph's day, see :func:`ultimate_investors`.

    Three feeders of 90 investors, 20 of them in two feeders each, are 250 investors: more than 200.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``product``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.nesting.investor_count(rg.datasets.toy_feeders(), "Master")
    4
    """
    return int(_behind(graph, graph.columns, graph.code(product), _unwrapped(graph)).size)


def investor_count_by_date(graph: EntityGraph, product: str, *, cumulative: bool = False) -> pd.Series:
    """Number of distinct ultimate investors of a product on every day it changes.

    Relations hold from ``start`` up to, not including, ``end``; all that are known on the graph's knowledge date
    count, those after the graph's day too.

    Parameters
    ----------
    cumulative
        Count everyone who ever invested by the day, gone or not.

    Returns
    -------
    Series
        ``investors`` by day, from the first day with an investor on; funding without a ``start`` counts from the
        first day anything begins, or is put on the day of the graph when nothing is dated.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> entities = pd.DataFrame({"id": ["ann", "bob", "fund"], "kind": ["person", "person", "product"]})
    >>> relations = pd.DataFrame(
    ...     {
    ...         "source": ["ann", "bob"], "target": ["fund", "fund"], "kind": ["invests"] * 2,
    ...         "start": ["2015-01-01", "2015-03-01"], "end": ["2015-06-01", None],
    ...     }
    ... )
    >>> graph = rg.EntityGraph.from_tables(entities, relations)
    >>> rg.nesting.investor_count_by_date(graph, "fund").to_dict()
    {Timestamp('2015-01-01 00:00:00'): 1, Timestamp('2015-03-01 00:00:00'): 2, Timestamp('2015-06-01 00:00:00'): 1}
    """
    code = graph.code(product)
    store = graph._store
    columns = RelationColumns(store, np.flatnonzero(store.known(graph._known)))
    at = columns.of(*INVESTING)
    source, target = columns.source[at].astype(np.int64), columns.target[at].astype(np.int64)
    start, end = columns.start[at], columns.end[at]
    start, end = np.where(np.isnat(start), ALWAYS, start), np.where(np.isnat(end), NEVER, end)
    if cumulative:
        end = np.full(end.size, NEVER)
    # only what can ever lie above the product matters
    product_node = graph.kinds == PRODUCT
    near = _upstream(len(graph), source, target, code, product_node)
    keep = near[target] & (product_node[target] | (target == code))
    source, target, start, end = source[keep], target[keep], start[keep], end[keep]
    registered = graph.known("facts")
    registered = registered[(registered["fact"] == "registered_product") & registered["value"].map(_is_true)]
    fact = graph.codes(registered["entity"])
    fact_start = registered["start"].to_numpy().astype("datetime64[D]")
    fact_end = registered["end"].to_numpy().astype("datetime64[D]")
    fact_start = np.where(np.isnat(fact_start), ALWAYS, fact_start)
    fact_end = np.where(np.isnat(fact_end), NEVER, fact_end)
    relevant = near[fact]
    days = np.unique(np.r_[start, end, fact_start[relevant], fact_end[relevant]])
    days = days[(days != ALWAYS) & (days != NEVER)]
    if not days.size and source.size:
        days = np.array([graph.valid_on or pd.Timestamp("today").normalize()], dtype="datetime64[D]")
    counts = []
    for day in days:
        live = (start <= day) & (end > day)
        wrapped = np.zeros(len(graph), dtype=bool)
        wrapped[fact[(fact_start <= day) & (fact_end > day)]] = True
        counts.append(_count(len(graph), source[live], target[live], code, product_node & ~wrapped).size)
    series = pd.Series(
        counts, index=pd.DatetimeIndex(days.astype("datetime64[s]"), name="day"), name="investors", dtype=np.int64
    )
    changed = np.r_[True, np.diff(series.to_numpy()) != 0] if len(series) else np.empty(0, dtype=bool)
    series = series[changed]
    return series.iloc[1:] if len(series) and series.iloc[0] == 0 else series


def investor_crossing(
    graph: EntityGraph, product: str, *, limit: int = 200, cumulative: bool = False
) -> pd.Timestamp | None:
    """First day on which more than ``limit`` distinct ultimate investors stood behind a product; None if never.

    Exactly ``limit`` is within it.

    Raises
    ------
    InvalidParameter
        ``limit`` is negative.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.nesting.investor_crossing(rg.datasets.toy_feeders(), "Master") is None
    True
    """
    if limit < 0:
        raise InvalidParameter(f"'limit' must be 0 or more; got {limit!r}")
    counts = investor_count_by_date(graph, product, cumulative=cumulative)
    over = counts.index[counts.to_numpy() > limit]
    return over[0] if len(over) else None


def _is_true(value: object) -> bool:
    return value is True or value == 1


def _unwrapped(graph: EntityGraph) -> np.ndarray:
    """Mask of the products that are unwrapped."""
    return (graph.kinds == PRODUCT) & ~true_facts(graph, "registered_product")


def _behind(graph: EntityGraph, columns: RelationColumns, code: int, unwrap: np.ndarray) -> np.ndarray:
    at = columns.of(*INVESTING)
    return _count(len(graph), columns.source[at].astype(np.int64), columns.target[at].astype(np.int64), code, unwrap)


def _upstream(n: int, source: np.ndarray, target: np.ndarray, code: int, unwrap: np.ndarray) -> np.ndarray:
    """Mask of what lies above a node, the node included; only nodes of ``unwrap`` are passed."""
    order = np.argsort(target, kind="stable")
    indptr, above = row_pointers(n, target), source[order]
    met = np.zeros(n, dtype=bool)
    met[code] = True
    front = np.array([code])
    while front.size:
        spots, _ = expand(indptr, front)
        found = np.unique(above[spots])
        found = found[~met[found]]
        met[found] = True
        front = found[unwrap[found]]
    return met


def _count(n: int, source: np.ndarray, target: np.ndarray, code: int, unwrap: np.ndarray) -> np.ndarray:
    """Codes of the distinct investors above a node."""
    met = _upstream(n, source, target, code, unwrap)
    funded = np.zeros(n, dtype=bool)
    funded[target] = True
    met &= ~(unwrap & funded)
    met[code] = False
    return np.flatnonzero(met)
