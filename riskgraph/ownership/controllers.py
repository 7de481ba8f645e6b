"""Ultimate controllers: those who control a company and are controlled by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._sparse import SHARE_UNITS, ring_labels, row_pointers
from riskgraph.ownership._verdicts import NO, UNDETERMINED, YES, Base, Pairs, Terms, base_of, control_pairs, needed
from riskgraph.ownership.control import by_member
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["ultimate_controllers"]

OUTCOMES = np.array(["sole", "joint", "none", "ownerless_loop", "undetermined"], dtype=object)
SOLE, JOINT, NONE, LOOP, OPEN = range(5)


def ultimate_controllers(
    graph: EntityGraph, *, threshold: float = 0.5, inclusive: bool = False, joint: bool = True
) -> pd.DataFrame:
    """Ultimate controllers of companies: those who control them and are themselves controlled by nobody on record.

    Parameters
    ----------
    threshold, inclusive, joint
        What counts as control; see :func:`control`.

    Returns
    -------
    DataFrame
        A row for each company and each of its ultimate controllers, or one row without a controller; in the order of
        the entities. Entities of another kind are listed when somebody holds or controls them.

        ``company, controller``
            Ids; the controller is ``None`` unless the outcome is sole or joint.
        ``outcome``
            ``sole``: one. ``joint``: several, be it members of a concert group, be it two who both reach an inclusive
            threshold, or majority and agreement side by side. ``ownerless_loop``: only companies control it that
            control each other, with nobody above, or it is part of a closed group that owns all of itself. ``none``:
            nobody, and what nobody on record holds is too little to control it. ``undetermined``: it depends on
            shares that are not known, on who holds the rest, or there is no holder on record.
        ``votes``
            Least part of the votes the controller commands, NaN without one.
        ``depth``
            Steps from the controller to the company, 0 without one.

    Notes
    -----
    The controller named is the highest on record. Where it is a company, its own row tells whether somebody unknown
    may stand above it.

    Raises
    ------
    InvalidParameter
        As :func:`control`.

    References
    ----------
    La Porta, Lopez-de-Silanes and Shleifer (1999).

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.ownership.ultimate_controllers(rg.datasets.toy_diamond())
      company controller outcome  votes  depth
    0    Left        Ann    sole   1.00      1
    1   Right        Ann    sole   0.60      1
    2    Mine        Ann    sole   0.55      2
    >>> rg.ownership.ultimate_controllers(rg.datasets.toy_ring())["outcome"].unique().tolist()
    ['ownerless_loop']
    """
    found = ultimate(graph, Terms(threshold, inclusive, joint).check())
    listed = found.listed
    listed = listed[~np.isin(found.outcome[listed], (SOLE, JOINT))]
    company = np.concatenate([found.company, listed])
    order = np.argsort(company, kind="stable")
    company, nobody = company[order], order >= found.company.size
    above = np.concatenate([found.controller, listed])[order]
    companies, controllers = np.split(graph.ids_of(np.concatenate([company, above])), 2)
    controllers[nobody] = None
    texts = {"company": companies, "controller": controllers, "outcome": OUTCOMES[found.outcome[company]]}
    return pd.DataFrame(
        {
            **{name: pd.Series(column, dtype=object, copy=False) for name, column in texts.items()},
            "votes": np.concatenate([found.votes, np.full(listed.size, np.nan)])[order],
            "depth": np.concatenate([found.depth, np.zeros(listed.size, dtype=np.int64)])[order],
        },
        copy=False,
    )


class Ultimate(NamedTuple):
    """Outcome of every entity, and the ultimate controllers of those that have some, sorted by company.

    Codes are int32.
    """

    outcome: np.ndarray
    company: np.ndarray
    controller: np.ndarray
    votes: np.ndarray
    depth: np.ndarray
    #: entities asked about: companies, and what is held or controlled
    listed: np.ndarray


def ultimate(graph: EntityGraph, terms: Terms) -> Ultimate:
    """Ultimate controllers as arrays, kept on the graph."""
    return graph.cached(("ownership", "ultimate", terms), lambda: _ultimate(graph, terms))


def _ultimate(graph: EntityGraph, terms: Terms) -> Ultimate:
    base = base_of(graph)
    n, unit = base.stakes.n, base.stakes.unit
    closed, unknown, listed = closed_groups(base), _unknown(base, terms), _listed(graph, base)
    pairs = control_pairs(graph, terms)
    controller, pairs = by_member(graph, pairs.take(np.flatnonzero(pairs.verdict > NO)))
    yes = np.flatnonzero(pairs.verdict == YES)
    above, below = controller[yes], pairs.company[yes]
    controlled = np.zeros(n, dtype=bool)
    controlled[below] = True
    under = np.zeros(n, dtype=bool)
    under[below[unit[above] != unit[below]]] = True
    top = ~under[above]
    above, below, rows = above[top], below[top], yes[top]
    outcome = np.full(n, NONE, dtype=np.int8)
    outcome[unknown] = OPEN
    outcome[closed] = LOOP
    outcome[controlled] = LOOP
    outcome[below] = SOLE
    outcome[below[np.bincount(below, minlength=n)[below] > 1]] = JOINT
    outcome[_doubtful(controller, pairs, controlled, labels(n, above, below))] = OPEN
    certain = np.flatnonzero(outcome[below] != OPEN)
    order = certain[np.argsort(below[certain], kind="stable")]
    return Ultimate(
        outcome=outcome,
        company=below[order],
        controller=above[order],
        votes=pairs.votes_min[rows[order]],
        depth=pairs.depth[rows[order]],
        listed=listed,
    )


def _listed(graph: EntityGraph, base: Base) -> np.ndarray:
    """Companies, and what is held or controlled."""
    some = graph.kinds == ENTITY_KINDS.index("company")
    some[base.held.company] = True
    some[base.stakes.company] = True
    return np.flatnonzero(some).astype(np.int32)


def labels(n: int, above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Number of the set of controllers of each entity, equal for equal sets: a sum of 64 random bits a controller."""
    bits = np.random.default_rng(0).integers(1, 2**63, size=n, dtype=np.uint64)
    label = np.zeros(n, dtype=np.uint64)
    np.add.at(label, below, bits[above])
    return label


def _doubtful(
    controller: np.ndarray,
    pairs: Pairs,
    controlled: np.ndarray,
    label: np.ndarray,
) -> np.ndarray:
    """Companies that may be controlled by somebody whom their ultimate controllers do not control anyway."""
    open_ = np.flatnonzero(pairs.verdict == UNDETERMINED)
    who, company = controller[open_], pairs.company[open_]
    covered = controlled[who] & controlled[company] & (label[who] == label[company])
    return np.unique(company[~covered])


def _unknown(base: Base, terms: Terms) -> np.ndarray:
    """Entities that somebody who is not on record may control: what nobody on record holds is enough for it."""
    need = needed(SHARE_UNITS - base.own_high, terms)
    nobody = np.diff(base.held.company_ptr) == 0
    return nobody | (np.maximum(SHARE_UNITS - base.held.exact_declared, 0) >= need)


def closed_groups(base: Base) -> np.ndarray:
    """Mask of the entities in groups that own all of each other: nobody outside holds a part, nothing is left over."""
    held = base.held
    some = held.exact_high > 0
    owner, company = held.owner[some], held.company[some]
    count, ring = ring_labels(held.n, owner, company)
    # what lies on no ring has the last place
    cyclic = np.zeros(count + 1, dtype=bool)
    inside = ring[owner] == ring[company]
    cyclic[ring[company[inside]]] = True
    cyclic[ring[company[~inside]]] = False
    cyclic[ring[held.exact_declared < SHARE_UNITS]] = False
    cyclic[-1] = False
    return cyclic[ring]


def members(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray]:
    """Concert groups: members of unit u are ``codes[pointers[u]:pointers[u + 1]]``."""
    unit = base_of(graph).stakes.unit
    return row_pointers(unit.size, unit), np.argsort(unit, kind="stable")
