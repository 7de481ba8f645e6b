"""The relations a share rests on: enough to derive it again, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph._sparse import expand, reachable, row_pointers
from riskgraph.errors import InvalidParameter
from riskgraph.ownership._holdings import Holdings, holdings
from riskgraph.ownership._spread import settle_decimals, stakes
from riskgraph.ownership._values import spread

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["explain_ownership"]


def explain_ownership(graph: EntityGraph, owner: str, asset: str) -> pd.DataFrame:
    """Relations that an owner's share of a company rests on, from the owner to the company.

    Returns
    -------
    DataFrame
        The columns of ``graph.relations`` and

        ``part``
            ``"carries"``: the owner holds something of the source, and so, through this relation, of the target;
            ``"bounds"``: a share of somebody else that limits what is left for those that carry.
        ``carried_min``, ``carried_max``
            What the owner holds of the target through this relation alone: its share of the source times the share
            of the relation. Those of one target sum to the owner's share of it (divided by what is not treasury
            shares), and bracket it where shares are intervals. 0 for bounding relations.

        Rows are in deriving order: each target after its sources, but for companies that hold each other.
        ``attrs`` gives ``share_min`` and ``share_max``. No row when the owner holds nothing.

    The relations are a proof: a graph of them alone gives the same ``share_min`` and ``share_max``. Relations into
    the owner are left out, since walks that return to it do not count.

    Raises
    ------
    UnknownEntity
        An id that the graph does not hold.
    InvalidParameter
        ``owner`` and ``asset`` are the same.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rows = explain_ownership(rg.datasets.toy_diamond(), "Ann", "Mine")
    >>> rows[["source", "target", "share_min", "carried_min"]]
      source target  share_min  carried_min
    0    Ann   Left       1.00         1.00
    1    Ann  Right       0.60         0.60
    2   Left   Mine       0.30         0.30
    3  Right   Mine       0.25         0.15
    >>> round(rows.attrs["share_min"], 12)
    0.45
    """
    start, end = (int(code) for code in graph.codes([owner, asset]))
    if start == end:
        raise InvalidParameter(f"'owner' and 'asset' must differ; got {owner!r} twice")
    held = holdings(graph)
    pointers, _ = held.by_owner()
    near = reachable(pointers, held.companies_by_owner, np.array([start]))
    near &= reachable(held.company_ptr, held.owner, np.array([end]))
    if not (near[start] and near[end]):
        return _frame(graph, held, np.empty(0, dtype=np.int64), np.zeros((2, 0)), np.empty(0, dtype=bool), (0.0, 0.0))
    given = stakes(held, np.flatnonzero(near))
    first, last = np.searchsorted(given.codes, [start, end])
    share = np.zeros((2, given.n))
    ledger = spread(given, np.array([first]), most=np.iinfo(np.int64).max)
    share[:, ledger.node] = ledger.shares[0], ledger.shares[-1]
    share[:, first] = 1.0
    # walks that return to the owner do not count, nor does what only such walks pass
    onward = np.flatnonzero(given.company != first)
    leads = reachable(row_pointers(given.n, given.company[onward]), given.owner[onward], np.array([last]))
    onward = onward[leads[given.company[onward]] & (share[1][given.owner[onward]] > 0)]
    pair, carried = given.pair[onward], share[:, given.owner[onward]]
    # others who hold a part of a company whose shares are not all settled
    unsettled = np.unique(held.company[pair[held.high[pair] > held.low[pair]]])
    others = np.setdiff1d(expand(held.company_ptr, unsettled)[0], pair)
    others = others[held.low[others] > 0]
    turn = np.zeros(held.n, dtype=np.int64)
    turn[given.codes] = given.label
    pairs = np.concatenate([pair, others])
    carried = np.concatenate([carried, np.zeros((2, others.size))], axis=1)
    bounding = np.arange(pairs.size) >= pair.size
    company = held.company[pairs]
    order = np.lexsort((held.owner[pairs], bounding, company, turn[company]))
    goal = settle_decimals(share[:, last])
    return _frame(graph, held, pairs[order], carried[:, order], ~bounding[order], (float(goal[0]), float(goal[1])))


def _frame(
    graph: EntityGraph,
    held: Holdings,
    pairs: np.ndarray,
    worth: np.ndarray,
    carries: np.ndarray,
    goal: tuple[float, float],
) -> pd.DataFrame:
    """Relation rows of pairs with what they carry; ``worth`` is the owner's share of each holder."""
    spots, place = expand(held.indptr, pairs)
    positions = held.indices[spots]
    frame = graph._store.frame(graph.columns.row[positions], graph.ids)
    low = np.nan_to_num(graph.columns.share_min[positions], nan=0.0)
    high = np.nan_to_num(graph.columns.share_max[positions], nan=1.0)
    high = np.minimum(high, held.high[pairs][place])
    frame["part"] = np.where(carries[place], "carries", "bounds").astype(object)
    frame["carried_min"] = settle_decimals(worth[0][place] * low)
    frame["carried_max"] = settle_decimals(worth[1][place] * high)
    frame.attrs.update(share_min=goal[0], share_max=goal[1])
    return frame
