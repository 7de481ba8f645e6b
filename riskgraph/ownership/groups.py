"""Business groups: everything under the same ultimate controllers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph._sparse import strong_components
from riskgraph.ownership._verdicts import YES, Terms, base_of, control_pairs
from riskgraph.ownership.control import by_member
from riskgraph.ownership.controllers import LOOP, labels, ultimate
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["business_groups"]


def business_groups(
    graph: EntityGraph, *, threshold: float = 0.5, inclusive: bool = False, joint: bool = True
) -> pd.DataFrame:
    """Business groups: entities under the same ultimate controllers, the controllers included.

    Parameters
    ----------
    threshold, inclusive, joint
        What counts as control; see :func:`control`.

    Returns
    -------
    DataFrame
        ``entity, group, head``, one row for every company and for everybody who controls one, in the order of the
        entities; every entity is in one group.

        ``head`` is the ultimate controller; several who control jointly are joined by ``;``. A company that nobody
        controls, or of which that is not known, heads its own group. A company under joint control belongs to a group
        of its joint heads, not to the groups that each of them heads alone; members of a concert group are in the
        group they head together. ``group`` is the id of the head; for companies that control each other with nobody
        above, the first of them, and ``head`` is ``None``.

    Raises
    ------
    InvalidParameter
        As :func:`control`.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.ownership.business_groups(rg.datasets.toy_concert())
      entity    group     head
    0    Ann  Ann;Bob  Ann;Bob
    1    Bob  Ann;Bob  Ann;Bob
    2   Mine  Ann;Bob  Ann;Bob
    """
    terms = Terms(threshold, inclusive, joint).check()
    found = ultimate(graph, terms)
    base = base_of(graph)
    n, unit = base.stakes.n, base.stakes.unit
    controller, pairs = by_member(graph, control_pairs(graph, terms))
    yes = pairs.verdict == YES
    above, below = controller[yes], pairs.company[yes]

    # who has no ultimate controller heads its own group, with the other members of its concert group
    free = np.ones(n, dtype=bool)
    free[found.company] = False
    free[found.outcome == LOOP] = False
    heads = np.flatnonzero(free)
    of_unit = labels(n, heads, unit[heads])
    label = np.zeros(n, dtype=np.uint64)
    sets_of = labels(n, found.controller, found.company)
    label[found.company] = sets_of[found.company]
    label[heads] = of_unit[unit[heads]]

    ids = graph.ids.to_numpy()
    name = np.full(n, None, dtype=object)
    head = np.full(n, None, dtype=object)
    name[heads] = head[heads] = ids[heads]
    name[found.company] = head[found.company] = ids[found.controller]
    grouped = np.unique(unit[heads][base.stakes.size[unit[heads]] > 1])
    several = {int(of_unit[u]): ";".join(ids[heads[unit[heads] == u]]) for u in grouped.tolist()}
    many = np.flatnonzero(np.bincount(found.company, minlength=n)[found.company] > 1)
    sets, first = np.unique(sets_of[found.company[many]], return_index=True)
    for number, place in zip(sets.tolist(), many[first].tolist(), strict=True):
        same = slice(*np.searchsorted(found.company, [found.company[place], found.company[place] + 1]))
        several[number] = ";".join(ids[np.sort(found.controller[same])])
    # sorted, not tabulated: hashes of 64 bits overflow the table of numpy 2.0
    for place in np.flatnonzero(np.isin(label, np.array(list(several), dtype=label.dtype), kind="sort")).tolist():
        name[place] = head[place] = several[int(label[place])]

    _name_loops(name, ids, np.flatnonzero(found.outcome == LOOP), above, below, base.held.owner, base.held.company)
    shown = graph.kinds == ENTITY_KINDS.index("company")
    shown[above] = shown[below] = True
    rows = np.flatnonzero(shown)
    return pd.DataFrame(
        {
            "entity": pd.Series(ids[rows], dtype=object),
            "group": pd.Series(name[rows], dtype=object),
            "head": pd.Series(head[rows], dtype=object),
        }
    )


def _name_loops(
    name: np.ndarray,
    ids: np.ndarray,
    loop: np.ndarray,
    above: np.ndarray,
    below: np.ndarray,
    owner: np.ndarray,
    company: np.ndarray,
) -> None:
    """Name what nobody outside controls after the first member of the ring at its top."""
    if not loop.size:
        return
    n = ids.size
    inside = np.zeros(n, dtype=bool)
    inside[loop] = True
    uncontrolled = np.ones(n, dtype=bool)
    uncontrolled[below] = False
    # members of a closed group without majorities hang together by what they hold of each other
    held = inside[owner] & inside[company] & uncontrolled[company]
    source = np.concatenate([above[inside[above]], owner[held]])
    target = np.concatenate([below[inside[above]], company[held]])
    count, component = strong_components(n, source, target)
    first = np.full(count, n, dtype=np.int64)
    np.minimum.at(first, component, np.arange(n))
    highest = component.astype(np.int64).copy()
    np.minimum.at(highest, target, component[source].astype(np.int64))
    name[loop] = ids[first[highest[loop]]]
