"""What owners have of companies, measured four ways: multiplied, by control, by chains of majorities, in aggregate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskgraph._solver import WalkSolver
from riskgraph._sparse import coalesce, exact_shares, exact_threshold
from riskgraph.ownership._fixpoint import NEVER, Enough, gather, tally
from riskgraph.ownership._holdings import holdings
from riskgraph.ownership._packs import Test
from riskgraph.ownership._verdicts import (
    NO,
    UNDETERMINED,
    YES,
    Base,
    Pairs,
    Terms,
    base_of,
    base_with,
    control_pairs,
    judge,
    reach,
)
from riskgraph.ownership.control import by_member
from riskgraph.ownership.integrated import integrated_pairs
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["Measured", "accounted", "measure", "multiplied"]


@dataclass(frozen=True)
class Measured:
    """Pairs of owner and company, least and greatest part, and verdicts where it is not the part that decides."""

    owner: np.ndarray
    company: np.ndarray
    low: np.ndarray
    high: np.ndarray
    decided: np.ndarray | None = None

    def among(self, owners: np.ndarray, companies: np.ndarray) -> Measured:
        """The pairs of two masks."""
        keep = owners[self.owner] & companies[self.company] & (self.owner != self.company)
        return Measured(
            self.owner[keep].astype(np.int64),
            self.company[keep].astype(np.int64),
            self.low[keep],
            self.high[keep],
            None if self.decided is None else self.decided[keep],
        )

    def verdict(self, test: Test) -> np.ndarray:
        """Verdict of every pair under a test."""
        if self.decided is not None:
            return self.decided
        limit = exact_threshold(test.threshold)
        low, high = exact_shares(self.low), exact_shares(self.high)
        sure, maybe = (low >= limit, high >= limit) if test.inclusive else (low > limit, high > limit)
        return np.where(sure, YES, np.where(maybe, UNDETERMINED, NO)).astype(np.int8)

    def lookup(self, key: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest part of pairs ``company · n + owner``, 0 where there is none."""
        have = self.company * n + self.owner
        order = np.argsort(have, kind="stable")
        have = have[order]
        at = np.searchsorted(have, key)
        hit = at < have.size
        hit[hit] = have[at[hit]] == key[hit]
        low, high = np.zeros(key.size), np.zeros(key.size)
        low[hit], high[hit] = self.low[order[at[hit]]], self.high[order[at[hit]]]
        return low, high


def measure(graph: EntityGraph, test: Test, owners: np.ndarray, assets: np.ndarray | None) -> Measured:
    """What a test measures, for a mask of owners and the codes of companies.

    ``None`` is all companies; multiplied shares that cannot pass the test are then left out.
    """
    if test.measure == "multiplied":
        return multiplied(graph, owners, assets, min_share=test.threshold if assets is None else 0.0)
    if test.measure == "control":
        return _control(graph, Terms(test.threshold, test.inclusive, test.joint))
    if test.measure == "chain":
        return _chain(graph, test)
    return _aggregate(graph, test, np.flatnonzero(owners))


def multiplied(
    graph: EntityGraph, owners: np.ndarray, assets: np.ndarray | None, *, min_share: float = 0.0
) -> Measured:
    """Shares multiplied along chains and added up."""
    pairs = integrated_pairs(graph, np.flatnonzero(owners), assets, min_share=min_share)
    return Measured(pairs.owner, pairs.asset, pairs.low, pairs.high)


def accounted(graph: EntityGraph) -> np.ndarray:
    """Least part of every entity that persons and states on record own together, at the end of all chains."""

    def build() -> np.ndarray:
        held = holdings(graph)
        ends = np.isin(graph.kinds, [ENTITY_KINDS.index("person"), ENTITY_KINDS.index("state")])
        inner = ~ends[held.company]
        W = coalesce(held.n, held.owner[inner], held.company[inner], held.low[inner])
        return WalkSolver(W).solve_transposed(ends.astype(np.float64))

    return graph.cached(("ownership", "accounted"), build)


def _control(graph: EntityGraph, terms: Terms) -> Measured:
    controller, pairs = by_member(graph, control_pairs(graph, terms))
    # keys of pairs go beyond 32 bits
    controller, company = controller.astype(np.int64), pairs.company.astype(np.int64)
    return Measured(controller, company, pairs.votes_min, pairs.votes_max, pairs.verdict)


def _chain(graph: EntityGraph, test: Test) -> Measured:
    """What an owner and all at the end of its chains of majorities hold, at full weight."""
    base = base_of(graph)
    weighed = base
    if test.of == "shares":
        none = np.empty(0, dtype=np.int64)
        weighed = base_with(holdings(graph), base.stakes.unit, (none, none))
    terms = Terms(test.majority, False, False)
    starts = np.flatnonzero(np.diff(base.stakes.pointers) + np.diff(weighed.stakes.pointers))
    sure = reach(base, terms, starts, at_highs=False)
    start, company, low, high, _ = tally(weighed.stakes, sure, starts, most=False)
    high = weighed.most(company, low, high)
    if not (base.exact and weighed.exact):
        wide = reach(base, terms, starts, at_highs=True)
        sure_key, sure_low = start * base.stakes.n + company, low
        start, company, more, high, _ = tally(weighed.stakes, wide, starts, most=False)
        high = weighed.most(company, more, high)
        n = base.stakes.n
        low = np.zeros(start.size, dtype=np.int64)
        low[np.searchsorted(start * n + company, sure_key)] = sure_low
    votes_min, votes_max = weighed.parts(company, low, high)
    blank = np.zeros(start.size, dtype=np.int8)
    owner, pairs = by_member(graph, Pairs(start, company, votes_min, votes_max, blank, blank))
    return Measured(owner, pairs.company, pairs.votes_min, pairs.votes_max)


def _aggregate(graph: EntityGraph, test: Test, blocked: np.ndarray) -> Measured:
    """What all of a set of persons hold together, directly and through firms that pass the test themselves."""
    none = np.empty(0, dtype=np.int64)
    if not blocked.size:
        return Measured(none, none, np.empty(0), np.empty(0), np.empty(0, dtype=np.int8))
    n = len(graph)
    alone = base_with(holdings(graph), np.arange(n), (none, none))
    unit = np.arange(n)
    unit[blocked] = blocked[0]
    together: Base = base_with(holdings(graph), unit, (none, none))
    pairs = judge(together, Terms(test.threshold, test.inclusive), blocked[:1])
    # each of them has part in what it reaches through firms that are, or may be, blocked
    through = np.full(n, NEVER)
    through[pairs.company[pairs.verdict > NO]] = 0
    starts = blocked[np.diff(alone.stakes.pointers)[blocked] > 0]
    reached = gather(alone.stakes, Enough(through), starts=starts)
    at = np.searchsorted(pairs.company, reached.company)
    hit = at < pairs.company.size
    hit[hit] = pairs.company[at[hit]] == reached.company[hit]
    at = at[hit]
    return Measured(
        reached.start[hit], reached.company[hit], pairs.votes_min[at], pairs.votes_max[at], pairs.verdict[at]
    )
