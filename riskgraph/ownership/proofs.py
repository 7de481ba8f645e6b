"""Proofs of control: the relations a verdict rests on, enough to derive it again, and none to spare."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._sparse import SHARE_UNITS, exact_shares, exact_threshold
from riskgraph.errors import InvalidParameter
from riskgraph.ownership._verdicts import NO, VERDICTS, YES, Base, Terms, base_of, judge, reach

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["explain_control"]


def explain_control(
    graph: EntityGraph,
    controller: str,
    company: str,
    *,
    threshold: float = 0.5,
    inclusive: bool = False,
    joint: bool = True,
    max_depth: int | None = None,
) -> pd.DataFrame:
    """Relations that prove that a controller controls a company, or that it may.

    Parameters
    ----------
    threshold, inclusive, joint, max_depth
        What counts as control; see :func:`control`.

    Returns
    -------
    DataFrame
        The columns of ``graph.relations`` and ``step``, the round in which the relation is used, in deriving order:
        what brings an entity under control stands before what that entity's own votes bring. A graph of these
        relations alone gives the same verdict, and no longer does when any one of them is taken away. ``attrs`` gives
        the ``verdict``. No row for the verdict ``no``, which needs no relation.

    Raises
    ------
    UnknownEntity
        An id that the graph does not hold.
    InvalidParameter
        ``controller`` and ``company`` are the same, or as :func:`control`.

    Examples
    --------
    >>> import riskgraph as rg
    >>> proof = rg.ownership.explain_control(rg.datasets.toy_diamond(), "Ann", "Mine")
    >>> proof[["step", "source", "target", "share_min"]]
       step source target  share_min
    0     1    Ann   Left       1.00
    1     1    Ann  Right       0.60
    2     2   Left   Mine       0.30
    3     2  Right   Mine       0.25
    >>> proof.attrs["verdict"]
    'yes'
    """
    start, end = (int(code) for code in graph.codes([controller, company]))
    if start == end:
        raise InvalidParameter(f"'controller' and 'company' must differ; got {controller!r} twice")
    terms = Terms(threshold, inclusive, joint, max_depth).check()
    base = base_of(graph)
    pairs = judge(base, terms, np.array([base.stakes.unit[start]]))
    spot = np.searchsorted(pairs.company, end)
    verdict = int(pairs.verdict[spot]) if spot < pairs.company.size and pairs.company[spot] == end else NO
    rows: list[tuple[int, int, int]] = []
    if verdict != NO:
        found = reach(base, terms, base.stakes.unit[[start]], at_highs=verdict != YES)
        got = found.round > 0
        rounds = dict(zip(found.company[got].tolist(), found.round[got].tolist(), strict=True))
        rows = _Proof(graph, base, terms, verdict == YES, start, rounds).derive(end)
    positions = np.array([position for *_, position in rows], dtype=np.int64)
    frame = graph._store.frame(graph.columns.row[positions], graph.ids)
    frame.insert(0, "step", np.array([step for step, *_ in rows], dtype=np.int64))
    frame.attrs["verdict"] = VERDICTS[verdict]
    return frame


class _Item(NamedTuple):
    """A relation that may be part of a proof, with its votes in units; treasury shares are held by the company."""

    position: int
    holder: int
    low: int
    high: int


class _Proof:
    """Walk back from a company to the controller, choosing for every company on the way relations that just suffice.

    Every company needed has one set of relations from which none can be spared, all of holders that act before it
    comes under control; so without any of them neither it nor what rests on it can be derived.
    """

    def __init__(
        self, graph: EntityGraph, base: Base, terms: Terms, certain: bool, start: int, rounds: dict[int, int]
    ) -> None:
        self.columns, self.base, self.terms = graph.columns, base, terms
        self.held, self.unit = base.held, base.stakes.unit
        self.certain, self.start, self.rounds = certain, start, rounds
        #: unit -> the member that brought it under control first, and when
        self.entry: dict[int, tuple[int, int]] = {int(self.unit[start]): (0, start)}
        for company, number in sorted(rounds.items()):
            unit = int(self.unit[company])
            self.entry[unit] = min(self.entry.get(unit, (number, company)), (number, company))
        agreed = self.columns.of("controls")
        self.agreed = agreed[np.argsort(self.columns.target[agreed], kind="stable")]
        self.servants = self.columns.target[self.agreed]
        self.rows: set[tuple[int, int, int]] = set()

    def derive(self, company: int) -> list[tuple[int, int, int]]:
        """Rows (step, place within the step, relation position) of the proof, in order."""
        waiting, done = [company], {company}
        while waiting:
            here = waiting.pop()
            number = self.rounds[here]
            for item in self._support(here, number):
                self.rows.add((number, 0, item.position))
                if item.holder == here:
                    continue
                needed = self._reason(item.holder, number)
                if needed is not None and needed not in done:
                    done.add(needed)
                    waiting.append(needed)
        return sorted(self.rows)

    def _acts(self, holder: int, number: int) -> bool:
        entry = self.entry.get(int(self.unit[holder]))
        return entry is not None and entry[0] < number

    def _reason(self, holder: int, number: int) -> int | None:
        """Company whose control makes a holder act, None for the controller; concert relations between are noted."""
        if holder == self.start:
            return None
        if self.rounds.get(holder, number) < number:
            return holder
        step, member = self.entry[int(self.unit[holder])]
        for depth, position in enumerate(self._concert(member, holder), start=1):
            self.rows.add((step, depth, position))
        return None if member == self.start else member

    def _concert(self, member: int, other: int) -> list[int]:
        """Positions of the shortest chain of concert relations between two members of a group."""
        rows = self.columns.of("concert")
        rows = rows[self.unit[self.columns.source[rows]] == self.unit[member]]
        links: dict[int, list[tuple[int, int]]] = {}
        ends = (self.columns.source[rows].tolist(), self.columns.target[rows].tolist())
        for position, a, b in zip(rows.tolist(), *ends, strict=True):
            links.setdefault(a, []).append((b, position))
            links.setdefault(b, []).append((a, position))
        before = {member: (member, -1)}
        queue = deque([member])
        while other not in before:
            here = queue.popleft()
            for near, position in links[here]:
                if near not in before:
                    before[near] = (here, position)
                    queue.append(near)
        chain = []
        while other != member:
            other, position = before[other]
            chain.append(position)
        return chain[::-1]

    def _support(self, company: int, number: int) -> list[_Item]:
        """Relations by which holders that act before a round control a company, none to spare."""
        first, last = np.searchsorted(self.servants, [company, company + 1])
        for position in self.agreed[first:last].tolist():
            master = int(self.columns.source[position])
            if master != company and self._acts(master, number):
                return [_Item(position, master, 0, 0)]
        items, treasury = self._items(company, number)
        teams = [items]
        if not self.terms.joint:
            alone: dict[int, list[_Item]] = {}
            for item in items:
                alone.setdefault(int(self.unit[item.holder]), []).append(item)
            teams = list(alone.values())
        team = next(team for team in teams if self._enough(team + treasury))
        return self._spare(team, treasury)

    def _items(self, company: int, number: int) -> tuple[list[_Item], list[_Item]]:
        """Relations of the holders that act before a round, and those of treasury shares."""
        items: list[_Item] = []
        treasury: list[_Item] = []
        for pair in range(int(self.held.company_ptr[company]), int(self.held.company_ptr[company + 1])):
            holder = int(self.held.owner[pair])
            if holder != company and not self._acts(holder, number):
                continue
            positions = self.held.indices[self.held.indptr[pair] : self.held.indptr[pair + 1]]
            low = exact_shares(np.nan_to_num(self.columns.votes_min[positions], nan=0.0))
            high = exact_shares(np.nan_to_num(self.columns.votes_max[positions], nan=1.0))
            found = [
                _Item(*row)
                for row in zip(positions.tolist(), [holder] * low.size, low.tolist(), high.tolist(), strict=True)
            ]
            (treasury if holder == company else items).extend(found)
        return items, treasury

    def _spare(self, items: list[_Item], treasury: list[_Item]) -> list[_Item]:
        """A part of the relations that is enough and of which every one is needed; great holdings are kept first."""
        size = (lambda item: item.low) if self.certain else (lambda item: item.high)
        order = sorted(items, key=size, reverse=True)
        # shortest sufficient head of the list, with treasury shares only where it cannot do without
        for extra in ([], treasury) if treasury else ([],):
            if not self._enough(order + extra):
                continue
            few, most = 0, len(order)
            while few < most:
                middle = (few + most) // 2
                few, most = (few, middle) if self._enough(order[:middle] + extra) else (middle + 1, most)
            kept = order[:few] + extra
            break
        for item in kept[::-1]:
            rest = [other for other in kept if other is not item]
            if self._enough(rest):
                kept = rest
        return kept

    def _enough(self, items: list[_Item]) -> bool:
        """Whether relations alone, on a graph without any others, give control of a company."""
        own = [item for item in items if self._is_treasury(item)]
        low = sum(item.low for item in items) - sum(item.low for item in own)
        units = low
        treasury = sum(item.low for item in own)
        if not self.certain:
            high = sum(item.high for item in items) - sum(item.high for item in own)
            units = max(low, min(high, SHARE_UNITS - treasury))
            treasury = max(treasury, min(sum(item.high for item in own), SHARE_UNITS - low))
        base = SHARE_UNITS - treasury
        over = units * SHARE_UNITS - exact_threshold(self.terms.threshold) * base
        return base > 0 and (over >= 0 if self.terms.inclusive else over > 0)

    def _is_treasury(self, item: _Item) -> bool:
        return item.holder == int(self.columns.target[item.position])
