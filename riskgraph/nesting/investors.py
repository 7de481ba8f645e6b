"""Ultimate investors: how many distinct ones stand behind a product, and when they passed a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._columns import RelationColumns
from riskgraph._sparse import expand, row_pointers, runs
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
    given = graph.cached(("nesting", "dated funding"), lambda: _dated(graph))
    rows, nodes = given.above(code, graph.kinds == PRODUCT)
    # what can ever lie above the product has numbers of its own, so that a day costs what it holds
    source, target = np.searchsorted(nodes, given.source[rows]), np.searchsorted(nodes, given.target[rows])
    start, end = given.start[rows], given.end[rows]
    if cumulative:
        end = np.full(end.size, NEVER)
    first, last = np.searchsorted(given.fact, nodes), np.searchsorted(given.fact, nodes, side="right")
    facts, fact = runs(first, last - first)
    fact_start, fact_end = given.fact_start[facts], given.fact_end[facts]
    product_node, place = graph.kinds[nodes] == PRODUCT, int(np.searchsorted(nodes, code))
    days = np.unique(np.r_[start, end, fact_start, fact_end])
    days = days[(days != ALWAYS) & (days != NEVER)]
    if not days.size and source.size:
        days = np.array([graph.valid_on or pd.Timestamp("today").normalize()], dtype="datetime64[D]")
    counts = []
    for day in days:
        live = (start <= day) & (end > day)
        wrapped = np.zeros(nodes.size, dtype=bool)
        wrapped[fact[(fact_start <= day) & (fact_end > day)]] = True
        counts.append(_count(nodes.size, source[live], target[live], place, product_node & ~wrapped).size)
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


class Dated(NamedTuple):
    """Funding of all days sorted by target, where each target's begins, and when which product was registered."""

    source: np.ndarray
    target: np.ndarray
    start: np.ndarray
    end: np.ndarray
    indptr: np.ndarray
    fact: np.ndarray
    fact_start: np.ndarray
    fact_end: np.ndarray

    def above(self, code: int, product: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows that can ever lie above a node, and all their nodes with it, sorted; only products are passed."""
        met = front = np.array([code])
        rows = [np.empty(0, dtype=np.int64)]
        while front.size:
            rows.append(expand(self.indptr, front)[0])
            found = np.setdiff1d(self.source[rows[-1]], met)
            met = np.union1d(met, found)
            front = found[product[found]]
        return np.concatenate(rows), met


def _dated(graph: EntityGraph) -> Dated:
    store = graph._store
    columns = RelationColumns(store, np.flatnonzero(store.known(graph._known)))
    at = columns.of(*INVESTING)
    target = columns.target[at].astype(np.int64)
    order = np.argsort(target, kind="stable")
    at, target = at[order], target[order]
    registered = graph.known("facts")
    registered = registered[(registered["fact"] == "registered_product") & registered["value"].map(_is_true)]
    fact = graph.codes(registered["entity"])
    by = np.argsort(fact, kind="stable")
    days = (columns.start[at], columns.end[at], registered["start"].to_numpy(), registered["end"].to_numpy())
    start, end, fact_start, fact_end = (values.astype("datetime64[D]") for values in days)
    return Dated(
        columns.source[at].astype(np.int64), target,
        np.where(np.isnat(start), ALWAYS, start), np.where(np.isnat(end), NEVER, end), row_pointers(len(graph), target),
        fact[by],
        np.where(np.isnat(fact_start), ALWAYS, fact_start)[by], np.where(np.isnat(fact_end), NEVER, fact_end)[by],
    )  # fmt: skip


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
