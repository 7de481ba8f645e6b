"""Control: who, together with what he controls, commands a majority of the votes of a company."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph._sparse import expand, row_pointers
from riskgraph.ownership._verdicts import VERDICTS, Pairs, Terms, base_of, control_pairs

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["control"]


def control(
    graph: EntityGraph,
    *,
    threshold: float = 0.5,
    inclusive: bool = False,
    joint: bool = True,
    max_depth: int | None = None,
) -> pd.DataFrame:
    """Control of companies: the least fixpoint of "x and what x controls hold more than the threshold of the votes".

    Votes pass at full weight through whatever is controlled and not at all through the rest; they are never
    multiplied. Control therefore differs from ownership both ways: 40 levels of 51 % are full control of next to
    nothing, and 49 % owned through a majority of nothing is none. Because the fixpoint is the least one, companies
    that hold each other never justify themselves.

    Parameters
    ----------
    threshold
        Part of the votes, in [0, 1], compared as an exact decimal.
    inclusive
        Whether exactly the threshold is enough.
    joint
        Add up the votes of the controller and all it controls. If false, one of them must reach the threshold alone:
        chains of single majorities.
    max_depth
        Most steps from controller to company; ``None`` for any number.

    Returns
    -------
    DataFrame
        One row for each pair where the controller, or what it controls or may control, holds votes: those with the
        verdict ``no`` too. In the order of the entities, by controller and company; nobody is paired with itself.

        ``controller, company``
            Ids.
        ``votes_min, votes_max``
            Part of the votes of the company that the controller and what it controls command (with ``joint=False``
            the greatest of their single holdings), at the lows and at the highs; 1 where control is agreed. With
            ``max_depth``, of what is controlled in fewer steps.
        ``verdict``
            ``yes``: under every choice of shares inside their intervals. ``no``: under none. Else ``undetermined``.
        ``depth``
            Steps to control, 1 for direct; for undetermined pairs at the highs; 0 for no.
        ``acting``
            Members of the concert group that acts, the controller included; an empty tuple for one that acts alone.

    Notes
    -----
    Concert groups (everybody linked by ``concert`` relations) act as one: each member is listed with the votes of
    the group, and who controls a member has the votes of the group with it. A ``controls`` relation is control, at
    any threshold. Treasury votes of a company leave the base; where they are an interval, each bound takes the end
    that makes it widest. Votes that nobody on record holds belong to unknown others. The greatest votes of a
    coalition are its highs, cut by what the lows of the others leave. Shares that sum above 1 are taken as they are,
    and may make two majorities.

    The verdicts are kept on the graph; for :meth:`~riskgraph.EntityGraph.with_changes` only those the change can
    touch are found anew.

    Raises
    ------
    InvalidParameter
        A threshold outside [0, 1], an inclusive threshold of 0, or a ``max_depth`` below 1.

    References
    ----------
    Chapelle and Szafarz (2005) on control along chains; Tarski (1955) on least fixpoints.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.ownership.control(rg.datasets.toy_diamond()).drop(columns="acting")
      controller company  votes_min  votes_max verdict  depth
    0        Ann    Left       1.00       1.00     yes      1
    1        Ann   Right       0.60       0.60     yes      1
    2        Ann    Mine       0.55       0.55     yes      2
    3        Bob   Right       0.40       0.40      no      0
    4        Bob    Mine       0.45       0.45      no      0
    5       Left    Mine       0.30       0.30      no      0
    6      Right    Mine       0.25       0.25      no      0
    >>> rg.ownership.control(rg.datasets.toy_concert())[["controller", "company", "votes_min", "verdict", "acting"]]
      controller company  votes_min verdict      acting
    0        Ann    Mine       0.55     yes  (Ann, Bob)
    1        Bob    Mine       0.55     yes  (Ann, Bob)
    2       Carl    Mine       0.45      no          ()
    """
    terms = Terms(threshold, inclusive, joint, max_depth).check()
    pairs = control_pairs(graph, terms)
    controller, pairs = by_member(graph, pairs)
    ids = graph.ids.to_numpy()
    return pd.DataFrame(
        {
            "controller": pd.Series(ids[controller], dtype=object),
            "company": pd.Series(ids[pairs.company], dtype=object),
            "votes_min": pairs.votes_min,
            "votes_max": pairs.votes_max,
            "verdict": pd.Series(VERDICTS[pairs.verdict], dtype=object),
            "depth": pairs.depth.astype(np.int64),
            "acting": pd.Series(_acting(graph, controller), dtype=object),
        }
    )


def by_member(graph: EntityGraph, pairs: Pairs) -> tuple[np.ndarray, Pairs]:
    """Controllers and pairs with a row for each member of a unit, nobody paired with itself, sorted."""
    stakes = base_of(graph).stakes
    if stakes.size.max(initial=0) <= 1:
        rows = np.flatnonzero(pairs.start != pairs.company)
        if rows.size == pairs.start.size:
            return pairs.start, pairs
        pairs = pairs.take(rows)
        return pairs.start, pairs
    members = np.argsort(stakes.unit, kind="stable")
    spots, rows = expand(row_pointers(stakes.n, stakes.unit), pairs.start)
    controller = members[spots]
    other = controller != pairs.company[rows]
    controller, rows = controller[other], rows[other]
    order = np.argsort(controller * stakes.n + pairs.company[rows], kind="stable")
    return controller[order], pairs.take(rows[order])


def _acting(graph: EntityGraph, controller: np.ndarray) -> np.ndarray:
    """Members of the group of each controller, as tuples of ids."""
    acting = np.empty(controller.size, dtype=object)
    acting.fill(())
    stakes = base_of(graph).stakes
    grouped = np.flatnonzero(stakes.size[stakes.unit[controller]] > 1)
    if grouped.size:
        members = np.argsort(stakes.unit, kind="stable")
        pointers = row_pointers(stakes.n, stakes.unit)
        ids = graph.ids.to_numpy()
        units, place = np.unique(stakes.unit[controller[grouped]], return_inverse=True)
        groups = np.empty(units.size, dtype=object)
        for number, unit in enumerate(units.tolist()):
            groups[number] = tuple(ids[members[pointers[unit] : pointers[unit + 1]]])
        acting[grouped] = groups[place]
    return acting
