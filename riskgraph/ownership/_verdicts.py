"""Verdicts of control for pairs of units and companies: yes at the lows, no even at the highs, else undetermined."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from riskgraph._sparse import SHARE_UNITS, exact_threshold
from riskgraph.errors import InvalidParameter
from riskgraph.ownership._fixpoint import (
    NEVER,
    Enough,
    Reached,
    Stakes,
    compiled,
    gather,
    loops,
    put_together,
    stakes_of,
    tally,
)
from riskgraph.ownership._holdings import Holdings, holdings

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["NO", "UNDETERMINED", "VERDICTS", "YES", "Base", "Pairs", "Terms", "control_pairs", "units_of"]

NO, UNDETERMINED, YES = 0, 1, 2
VERDICTS = np.array(["no", "undetermined", "yes"], dtype=object)


class Terms(NamedTuple):
    """What counts as control."""

    threshold: float = 0.5
    inclusive: bool = False
    joint: bool = True
    max_depth: int | None = None

    def check(self) -> Terms:
        """The terms themselves, or the error that says what is wrong with them."""
        threshold = self.threshold
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float, np.number)) or not 0 <= threshold <= 1:
            raise InvalidParameter(f"'threshold' must be in [0, 1]; got {threshold!r}")
        for name in ("inclusive", "joint"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise InvalidParameter(f"{name!r} must be True or False; got {getattr(self, name)!r}")
        if self.inclusive and exact_threshold(float(threshold)) == 0:
            raise InvalidParameter("'threshold' must be above 0 when 'inclusive' is true; got 0")
        depth = self.max_depth
        if depth is not None and (isinstance(depth, bool) or not isinstance(depth, (int, np.integer)) or depth < 1):
            raise InvalidParameter(f"'max_depth' must be a whole number, 1 or more, or None; got {depth!r}")
        return Terms(float(threshold), bool(self.inclusive), bool(self.joint), None if depth is None else int(depth))


def needed(base: np.ndarray, terms: Terms) -> np.ndarray:
    """Fewest units that give control of companies whose voting base has ``base`` units."""
    t = exact_threshold(terms.threshold)
    need = np.full(base.size, t if terms.inclusive else t + 1, dtype=np.int64)
    # threshold times base does not fit into int64: whole numbers of Python, for the few with treasury shares
    for place in np.flatnonzero(base != SHARE_UNITS).tolist():
        product = t * int(base[place])
        need[place] = -(-product // SHARE_UNITS) if terms.inclusive else product // SHARE_UNITS + 1
        if base[place] <= 0:
            need[place] = NEVER
    return need


@dataclass(frozen=True)
class Base:
    """Votes of a graph as the fixpoint needs them: stakes by unit, and what each company's voting base is."""

    held: Holdings
    stakes: Stakes
    #: treasury votes of every company, least and most, in units
    own_low: np.ndarray
    own_high: np.ndarray

    @cached_property
    def exact(self) -> bool:
        """Whether every share is known exactly."""
        return bool((self.held.exact_low == self.held.exact_high).all())

    def most(self, company: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The most that a coalition has together: its highs, cut by what the lows of the others leave."""
        left = SHARE_UNITS - self.held.exact_declared[company] + low
        return np.maximum(low, np.minimum(high, left))

    def parts(self, company: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest part of the voting base; each takes the end of the treasury votes that makes it widest."""
        votes_min, votes_max = low / SHARE_UNITS, high / SHARE_UNITS
        own = np.flatnonzero(self.own_high[company] > 0)
        for votes, units, treasury in ((votes_min, low, self.own_low), (votes_max, high, self.own_high)):
            base = SHARE_UNITS - treasury[company[own]]
            votes[own] = np.divide(units[own], base, out=np.zeros(own.size), where=base > 0)
        return votes_min, np.maximum(votes_min, np.minimum(votes_max, 1.0))


def units_of(graph: EntityGraph) -> np.ndarray:
    """Unit of every entity, int32: itself, or the first member of its concert group."""
    concert = graph.columns.only(graph.columns.of("concert"))
    unit = np.arange(len(graph))
    if len(concert):
        links = csr_array((np.ones(len(concert), dtype=np.int8), (concert.source, concert.target)), (unit.size,) * 2)
        _, label = connected_components(links, directed=False)
        _, first = np.unique(label, return_index=True)
        unit = first[label]
    return unit.astype(np.int32)


def base_of(graph: EntityGraph, *, votes: bool = True) -> Base:
    """Stakes of a graph, kept on it: votes, concert groups and agreements; or shares alone."""
    return graph.cached(("ownership", "control base", votes), lambda: _base(graph, votes))


def _base(graph: EntityGraph, votes: bool) -> Base:
    agreed = graph.columns.only(graph.columns.of("controls") if votes else np.empty(0, dtype=np.int64))
    unit = units_of(graph) if votes else np.arange(len(graph), dtype=np.int32)
    return base_with(holdings(graph, votes=votes), unit, (agreed.source, agreed.target))


def base_with(held: Holdings, unit: np.ndarray, agreements: tuple[np.ndarray, np.ndarray]) -> Base:
    """Stakes for given units."""
    own_low, own_high = np.zeros(held.n, dtype=np.int64), np.zeros(held.n, dtype=np.int64)
    own = np.flatnonzero(held.owner == held.company)
    own_low[held.company[own]], own_high[held.company[own]] = held.exact_low[own], held.exact_high[own]
    stakes = stakes_of(held.n, unit, held.owner, held.company, held.exact_low, held.exact_high, agreements)
    return Base(held, stakes, own_low, own_high)


class Pairs(NamedTuple):
    """Verdicts of units over the companies in which they hold votes, directly or through others; sorted by both.

    Units and companies are int32.
    """

    start: np.ndarray
    company: np.ndarray
    votes_min: np.ndarray
    votes_max: np.ndarray
    verdict: np.ndarray
    depth: np.ndarray

    def take(self, rows: np.ndarray) -> Pairs:
        """The rows alone."""
        return Pairs(*(column[rows] for column in self))

    def keys(self, n: int) -> np.ndarray:
        """One number for each unit and company, ascending."""
        return self.start * np.int64(n) + self.company


def control_pairs(graph: EntityGraph, terms: Terms) -> Pairs:
    """Verdicts of a graph, kept on it; of a changed graph, only those that the change can touch are found anew."""
    key: Any = ("ownership", "control", terms)

    def build() -> Pairs:
        parent = graph.changed_from
        if parent is not None and key in parent._cache:
            return _revise(graph, parent._cache[key], terms)
        return judge(base_of(graph), terms)

    return graph.cached(key, build)


def judge(base: Base, terms: Terms, starts: np.ndarray | None = None) -> Pairs:
    """Verdicts of the starting units, all that hold anything by default."""
    if starts is None:
        starts = np.flatnonzero(np.diff(base.stakes.pointers))
    if terms.joint and (fast := loops(base.stakes)):
        both = not base.exact
        portions = compiled(fast, base.stakes, _enough(base, terms, at_highs=both), starts, terms.max_depth, both=both)
        judged = (_judged(base, *portion) for portion in portions)
        return Pairs(*put_together(judged, 2 * base.stakes.holder.size))
    sure = reach(base, terms, starts, at_highs=False)
    if base.exact:
        return _pairs(base, sure, sure)
    # a unit none of whose votes are open reaches at the highs what it reaches at the lows
    open_ = np.unique(sure.start[(sure.high != sure.low) | (base.own_high != base.own_low)[sure.company]])
    if not open_.size:
        return _pairs(base, sure, sure)
    wide = reach(base, terms, open_, at_highs=True)
    return _pairs(base, sure, _replace(sure, wide, open_, base.stakes.n))


def reach(base: Base, terms: Terms, starts: np.ndarray, *, at_highs: bool) -> Reached:
    """What the starting units control at the lows of all votes, or at the highs; ``high`` is what they have at most."""
    enough = _enough(base, terms, at_highs=at_highs)
    find = _together if terms.joint else _singly
    found = find(base, base.stakes, enough, starts, terms.max_depth)
    return found._replace(high=base.most(found.company, found.low, found.high))


def _enough(base: Base, terms: Terms, *, at_highs: bool) -> Enough:
    low = needed(SHARE_UNITS - base.own_low, terms)
    if not at_highs:
        return Enough(low)
    return Enough(low, needed(SHARE_UNITS - base.own_high, terms), base.held.exact_declared)


def _together(base: Base, stakes: Stakes, enough: Enough, starts: np.ndarray, rounds: int | None) -> Reached:
    return gather(stakes, enough, starts=starts, rounds=rounds)


def _singly(base: Base, stakes: Stakes, enough: Enough, starts: np.ndarray, rounds: int | None) -> Reached:
    """Chains of single holders: a stake gives control by itself or not at all; votes are the greatest stake."""
    alone = (stakes.agreed | enough(stakes.company, stakes.low, stakes.high)).astype(np.int64)
    found = gather(
        stakes._replace(low=alone, high=alone), Enough(np.ones(stakes.n, dtype=np.int64)), starts=starts, rounds=rounds
    )
    capped = stakes._replace(high=base.most(stakes.company, stakes.low, stakes.high))
    start, company, low, high, agreed = tally(capped, found, starts, most=True, rounds=rounds)
    return Reached(start, company, low, high, agreed, found.round)


def _replace(sure: Reached, wide: Reached, units: np.ndarray, n: int) -> Reached:
    """``wide`` for the units it was asked for, ``sure`` for the others."""
    rest = np.flatnonzero(~np.isin(sure.start, units))
    joined = Reached(*(np.concatenate([a[rest], b]) for a, b in zip(sure, wide, strict=True)))
    order = np.argsort(joined.start * n + joined.company, kind="stable")
    return Reached(*(column[order] for column in joined))


def _pairs(base: Base, sure: Reached, wide: Reached) -> Pairs:
    """Verdicts from both fixpoints; the pairs of the lower one are among those of the higher."""
    if sure is wide:
        low, agreed, round_ = sure.low, sure.agreed, sure.round
    else:
        n = base.stakes.n
        at = np.searchsorted(wide.start * n + wide.company, sure.start * n + sure.company)
        low, round_ = np.zeros(wide.low.size, dtype=np.int64), np.zeros(wide.low.size, dtype=np.int32)
        agreed = np.zeros(wide.low.size, dtype=bool)
        low[at], round_[at], agreed[at] = sure.low, sure.round, sure.agreed
    return _judged(base, wide.start, wide.company, low, wide.high, agreed, wide.agreed, round_, wide.round)


def _judged(
    base: Base,
    start: np.ndarray,
    company: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    agreed: np.ndarray,
    agreed_wide: np.ndarray,
    since: np.ndarray,
    since_wide: np.ndarray,
) -> Pairs:
    """Verdicts from votes, agreements and rounds of control at the lows and at the highs."""
    votes_min, votes_max = base.parts(company, low, high)
    return Pairs(
        start=start.astype(np.int32),
        company=company.astype(np.int32),
        votes_min=np.where(agreed, 1.0, votes_min),
        votes_max=np.where(agreed_wide, 1.0, votes_max),
        verdict=np.where(since > 0, YES, np.where(since_wide > 0, UNDETERMINED, NO)).astype(np.int8),
        depth=np.where(since > 0, since, since_wide).astype(np.int32),
    )


def _revise(graph: EntityGraph, before: Pairs, terms: Terms) -> Pairs:
    """Verdicts of a changed graph: those units are judged anew that held votes, or acted, where something changed.

    A unit that never met a changed company, a holder of one or a changed group gathers the same votes round by round as
    before.
    """
    base = base_of(graph)
    unit, n = base.stakes.unit, base.stakes.n
    touched = np.zeros(n, dtype=bool)
    touched[graph.changed_companies] = True
    # whatever group a change of concert relations leaves has one of their ends in it
    hit = np.zeros(n, dtype=bool)
    hit[unit[touched]] = True
    touched = hit[unit]
    # a holding of nothing to a little is none while the others hold all; it comes up when one of them goes
    stakes = base.stakes
    at = np.flatnonzero(touched[stakes.company])
    up = ~np.isin(stakes.holder[at] * np.int64(n) + stakes.company[at], before.keys(n))
    risen = np.zeros(n, dtype=bool)
    risen[stakes.holder[at[up]]] = True
    again = risen.copy()
    again[before.start[(touched | risen[unit])[before.company]]] = True
    gone = again[before.start] | touched[before.start]
    again[unit[touched]] = True
    starts = np.flatnonzero(again & (np.diff(base.stakes.pointers) > 0))
    kept, new = before.take(np.flatnonzero(~gone)), judge(base, terms, starts)
    at = np.searchsorted(kept.keys(n), new.keys(n))
    return Pairs(*(np.insert(old, at, column) for old, column in zip(kept, new, strict=True)))
