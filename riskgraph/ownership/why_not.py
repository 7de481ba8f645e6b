"""Counterfactuals of control: the least shares that would have to move for a verdict to flip."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._sparse import SHARE_UNITS, exact_threshold, reachable
from riskgraph.errors import InvalidParameter, NotConverged
from riskgraph.ownership._verdicts import Base, Terms, base_of

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["STATES", "UNDECLARED", "why_not"]

#: states of the search before it gives up
STATES = 20_000
#: who holds what no holder on record holds
UNDECLARED = "<undeclared>"
#: shares are compared in units of 1e-30 here: thresholds times voting bases in units of 1e-15 each
FINE = SHARE_UNITS * SHARE_UNITS


def why_not(
    graph: EntityGraph, controller: str, company: str, *, threshold: float = 0.5, inclusive: bool = False
) -> pd.DataFrame:
    """Least total share that would have to move for a controller to control a company, or no longer to.

    A move takes votes in one company from one holder to another; nobody's treasury shares, agreements or concert
    groups change. Where the controller does not control the company for certain, it buys: in the company itself, or
    in others whose votes then count for it. Where it does, the votes it commands are sold to others, in the company
    or on the way to it.

    Parameters
    ----------
    threshold, inclusive
        What counts as control; see :func:`control`.

    Returns
    -------
    DataFrame
        ``company, from, to, share``, one row a move. ``share`` is the infimum where the flip needs more than that:
        to gain a strict majority, or to lose an inclusive one; such a row may be 0. ``"<undeclared>"`` stands for
        whoever holds what no holder on record is sure to hold. ``attrs`` gives ``total``, the sum, ``gains``, whether
        the moves give control, and ``strict``, whether more than the total must move. No row, and an infinite total,
        when no move of shares can flip the verdict, as for control by agreement.

    Notes
    -----
    Shares given as intervals count at their lows: the question is what would make the verdict ``yes``, or no longer
    ``yes``. The least set of purchases or sales is found by best-first search over sets of controlled companies; the
    problem is one of choosing sets, so the search has a budget.

    Raises
    ------
    UnknownEntity
        An id that the graph does not hold.
    InvalidParameter
        ``controller`` and ``company`` are the same, or as :func:`control`.
    NotConverged
        The budget ended before the least total was certain.

    References
    ----------
    Wachter, Mittelstadt and Russell (2018) on counterfactual explanations; Hart, Nilsson and Raphael (1968) on the
    search.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.ownership.why_not(rg.datasets.toy_diamond(), "Bob", "Mine")
      company  from   to  share
    0    Mine  Left  Bob   0.05
    >>> rg.ownership.why_not(rg.datasets.toy_diamond(), "Ann", "Mine")
      company  from   to  share
    0    Mine  Left  Bob   0.05
    """
    start, end = (int(code) for code in graph.codes([controller, company]))
    if start == end:
        raise InvalidParameter(f"'controller' and 'company' must differ; got {controller!r} twice")
    terms = Terms(threshold, inclusive).check()
    game = _Game(base_of(graph), terms, start, end)
    gains = not game.controls(end, game.settled)
    moves = game.buy() if gains else game.sell()
    ids = graph.ids.to_numpy()
    rows = [
        (ids[firm], *(UNDECLARED if side < 0 else ids[side] for side in (giver, taker)), units / FINE)
        for firm, giver, taker, units in moves or ()
    ]
    frame = pd.DataFrame(rows, columns=["company", "from", "to", "share"])
    frame["share"] = frame["share"].astype(np.float64)
    total = float("inf") if moves is None else sum(units for *_, units in moves) / FINE
    frame.attrs.update(total=total, gains=gains, strict=gains != terms.inclusive)
    return frame


class _Stake(NamedTuple):
    """A holding in a company at its low, in units."""

    holder: int
    unit: int
    units: int


#: company, giver, taker, fine units; -1 for the undeclared
Move = tuple[int, int, int, int]


class _Game:
    """The companies that can matter for one question, with all votes at their lows."""

    def __init__(self, base: Base, terms: Terms, start: int, end: int) -> None:
        self.base, self.terms, self.start, self.end = base, terms, start, end
        self.units = base.stakes.unit
        held, stakes = base.held, base.stakes
        self.threshold = exact_threshold(terms.threshold)
        # who holds the controller does not matter
        rows = np.flatnonzero((self.units[stakes.company] != self.units[start]) | (stakes.company == end))
        order = rows[np.argsort(stakes.company[rows], kind="stable")]
        pointers = np.searchsorted(stakes.company[order], np.arange(stakes.n + 1))
        # upstream of the company: companies, and other members of their concert groups
        upstream = reachable(pointers, stakes.holder[order], np.array([end]))
        while True:
            wider = np.zeros(stakes.n, dtype=bool)
            wider[self.units[upstream]] = True
            wider = wider[self.units]
            if (wider == upstream).all():
                break
            upstream = reachable(pointers, stakes.holder[order], np.flatnonzero(wider))
        self.relevant = np.flatnonzero(upstream & ((np.diff(pointers) > 0) | (np.arange(stakes.n) == end))).tolist()
        self.stakes: dict[int, list[_Stake]] = {}
        self.masters: dict[int, set[int]] = {}
        #: unit -> companies it holds votes of, or controls by agreement
        self.held: dict[int, list[int]] = {}
        for firm in self.relevant:
            pairs = np.arange(held.company_ptr[firm], held.company_ptr[firm + 1])
            pairs = pairs[(held.owner[pairs] != firm) & (held.exact_low[pairs] > 0)]
            owners = held.owner[pairs]
            each = zip(owners.tolist(), self.units[owners].tolist(), held.exact_low[pairs].tolist(), strict=True)
            self.stakes[firm] = [_Stake(*stake) for stake in each]
            spots = order[pointers[firm] : pointers[firm + 1]]
            self.masters[firm] = set(stakes.holder[spots[stakes.agreed[spots]]].tolist())
            for holder in stakes.holder[spots].tolist():
                self.held.setdefault(holder, []).append(firm)
        self.settled = self.closure(frozenset(), self.unit(start))

    def unit(self, code: int) -> int:
        return int(self.units[code])

    def lacks(self, firm: int, acting: AbstractSet[int]) -> int:
        """Fine units that acting units lack of the threshold in a company; negative where they have more."""
        votes = sum(stake.units for stake in self.stakes[firm] if stake.unit in acting and stake.holder != firm)
        base = SHARE_UNITS - int(self.base.own_low[firm])
        return self.threshold * base - votes * SHARE_UNITS

    def agreed(self, firm: int, acting: AbstractSet[int]) -> bool:
        return not self.masters[firm].isdisjoint(acting)

    def controls(self, firm: int, acting: AbstractSet[int]) -> bool:
        """Whether acting units control a company."""
        if self.agreed(firm, acting):
            return True
        if int(self.base.own_low[firm]) >= SHARE_UNITS:
            return False
        lacks = self.lacks(firm, acting)
        return lacks <= 0 if self.terms.inclusive else lacks < 0

    def closure(self, acting: frozenset[int], new: int) -> frozenset[int]:
        """Units that act once a further one does, among those that can matter."""
        found = set(acting) | {new}
        waiting = [new]
        while waiting:
            for firm in self.held.get(waiting.pop(), ()):
                unit = self.unit(firm)
                if unit not in found and self.controls(firm, found):
                    found.add(unit)
                    waiting.append(unit)
        return frozenset(found)

    # -- gaining control ---------------------------------------------------------------------------------------------

    def buy(self) -> list[Move] | None:
        """Cheapest purchases that give control, best first over sets of acting units."""
        first = self.settled
        best: dict[frozenset[int], int] = {first: 0}
        queue: list[tuple[int, int, frozenset[int], tuple[tuple[int, frozenset[int]], ...]]] = [(0, 0, first, ())]
        ticket = 0
        least = self._price(self.end, first)
        ceiling = least
        while queue:
            spent, _, acting, bought = heapq.heappop(queue)
            if spent > best[acting]:
                continue
            if (bought and bought[-1][0] == self.end) or self.controls(self.end, acting):
                return [move for firm, before in bought for move in self._purchase(firm, before)]
            for firm in self.relevant:
                if firm != self.end and self.unit(firm) in acting:
                    continue
                price = self._price(firm, acting)
                if price is None or (ceiling is not None and spent + price > ceiling):
                    continue
                then = self.closure(acting, self.unit(firm)) if firm != self.end else acting | {-1}
                if spent + price < best.get(then, spent + price + 1):
                    best[then] = spent + price
                    if firm == self.end or self.controls(self.end, then):
                        ceiling = spent + price if ceiling is None else min(ceiling, spent + price)
                    ticket += 1
                    heapq.heappush(queue, (spent + price, ticket, then, (*bought, (firm, acting))))
                    self._count(ticket)
        return None

    def _price(self, firm: int, acting: frozenset[int]) -> int | None:
        """Fine units to buy for control of a company; ``None`` where the others do not have enough."""
        base = SHARE_UNITS - int(self.base.own_low[firm])
        if base <= 0 or (self.threshold >= SHARE_UNITS and not self.terms.inclusive):
            return None
        return max(0, self.lacks(firm, acting))

    def _purchase(self, firm: int, acting: frozenset[int]) -> Iterator[Move]:
        price = self._price(firm, acting) or 0
        others = [(stake.units * SHARE_UNITS, stake.holder) for stake in self.stakes[firm] if stake.unit not in acting]
        rest = SHARE_UNITS - int(self.base.own_low[firm]) - sum(stake.units for stake in self.stakes[firm])
        if rest > 0:
            others.append((rest * SHARE_UNITS, -1))
        yield from self._split(price, others, lambda other: (firm, other, self.start))

    # -- losing control ----------------------------------------------------------------------------------------------

    def sell(self) -> list[Move] | None:
        """Cheapest sales that end control, best first over what still acts and what is let go.

        A state has companies that act and companies that are let go; every further one within reach of the acting is
        either let go, at the price of the votes above the threshold, or acts. Prices only rise as more acts, so what
        has been spent is a lower bound.
        """
        first = frozenset([self.unit(self.start)])
        nothing: frozenset[int] = frozenset()
        queue: list[tuple[int, int, frozenset[int], frozenset[int]]] = [(0, 0, first, nothing)]
        ticket = 0
        seen = {(first, nothing)}
        while queue:
            _, _, acting, gone = heapq.heappop(queue)
            firm = next((firm for firm in self._order() if firm not in gone and self._within(firm, acting)), None)
            if firm is None:
                return [move for firm in sorted(gone) for move in self._sale(firm, acting)]
            choices = [(acting, gone | {firm})]
            if firm != self.end:
                choices.append((acting | {self.unit(firm)}, gone))
            for then, let in choices:
                cost = 0
                for other in let:
                    if self.agreed(other, then) or (self.unit(other) in then and other != self.end):
                        break
                    cost += max(0, -self.lacks(other, then))
                else:
                    if (then, let) not in seen:
                        seen.add((then, let))
                        ticket += 1
                        heapq.heappush(queue, (cost, ticket, then, let))
                        self._count(ticket)
        return None

    def _order(self) -> Iterator[int]:
        """The company asked about first, as there is no choice about it."""
        yield self.end
        yield from (firm for firm in self.relevant if firm != self.end)

    def _within(self, firm: int, acting: frozenset[int]) -> bool:
        return (firm == self.end or self.unit(firm) not in acting) and self.controls(firm, acting)

    def _sale(self, firm: int, acting: frozenset[int]) -> Iterator[Move]:
        price = max(0, -self.lacks(firm, acting))
        given = [(stake.units * SHARE_UNITS, stake.holder) for stake in self.stakes[firm] if stake.unit in acting]
        others = [(stake.units, stake.holder) for stake in self.stakes[firm] if stake.unit not in self.settled]
        taker = max(others, key=lambda other: other[0])[1] if others else -1
        yield from self._split(price, given, lambda giver: (firm, giver, taker))

    # -- both --------------------------------------------------------------------------------------------------------

    def _split(
        self, price: int, givers: list[tuple[int, int]], move: Callable[[int], tuple[int, int, int]]
    ) -> Iterator[Move]:
        """Moves from the greatest holders until the price is reached; one of 0 where more than nothing must move."""
        givers.sort(key=lambda giver: -giver[0])
        for units, giver in givers:
            part = min(units, price)
            firm, one, other = move(giver)
            yield firm, one, other, part
            price -= part
            if price <= 0:
                return

    def _count(self, ticket: int) -> None:
        if ticket > STATES:
            raise NotConverged(
                f"'controller' and 'company' leave more than {STATES:,} sets of companies to compare; "
                "ask about a company closer to the controller"
            )
