"""Least fixpoint of control: all controllers gather votes at once, round by round, on sorted arrays of pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import NamedTuple

import numpy as np

from riskgraph._optional import kernels
from riskgraph._sparse import SHARE_UNITS, expand, row_pointers
from riskgraph.errors import NotConverged

__all__ = ["NEVER", "Enough", "Reached", "Stakes", "add_up", "compiled", "gather", "loops", "put_together", "tally"]

#: pairs of controller and company that are told one by one, however few the holdings; and a holding
MOST_PAIRS, MOST_PAIRS_PER_STAKE = 20_000_000, 20
#: sums of units stop here, so that adding two of them cannot overflow
MOST = 4_000 * SHARE_UNITS
#: pairs after which compiled loops begin a new portion
PORTION = 1_000_000
#: more units than any votes: nobody gets there
NEVER = np.iinfo(np.int64).max
TOO_MANY = (
    "more pairs of controller and company than can be told one by one: in a large closed ring each company controls "
    "all the others; ask for some companies, or take the ring apart"
)
#: a run of more summands than this might overflow on the way
LONG = 4_000


class Stakes(NamedTuple):
    """What units hold of companies; a unit is an entity alone or a concert group, named by its first member.

    Pairs are distinct and sorted by unit and company. ``low`` and ``high`` are votes in whole units of 1e-15,
    ``agreed`` marks control by agreement. What a company holds of itself is not among them.
    """

    n: int
    #: unit of every entity, and the number of members of every unit; all codes are int32
    unit: np.ndarray
    size: np.ndarray
    holder: np.ndarray
    company: np.ndarray
    low: np.ndarray
    high: np.ndarray
    agreed: np.ndarray
    #: pairs of unit u: ``pointers[u]:pointers[u + 1]``
    pointers: np.ndarray


class Reached(NamedTuple):
    """Pairs of a starting unit and a company in which it, or what it controls, holds votes; sorted by both.

    ``round`` tells when the unit came to control the company, 0 for never.
    """

    start: np.ndarray
    company: np.ndarray
    low: np.ndarray
    high: np.ndarray
    agreed: np.ndarray
    round: np.ndarray


class _Layer(NamedTuple):
    """A sorted part of the pairs met so far."""

    key: np.ndarray
    low: np.ndarray
    high: np.ndarray
    agreed: np.ndarray
    round: np.ndarray


class Enough(NamedTuple):
    """Which votes give control of each company: lows of ``low`` units, or, where highs count, ``high`` units of those.

    ``declared`` are the lows of all holders of a company together. Both arrays are empty where only lows count.
    """

    low: np.ndarray
    high: np.ndarray = np.empty(0, dtype=np.int64)
    declared: np.ndarray = np.empty(0, dtype=np.int64)

    def __call__(self, company: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Mask of the pairs that give control."""
        surely = low >= self.low[company]
        return surely if not self.high.size else surely | (self.most(company, low, high) >= self.high[company])

    def most(self, company: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The most that a coalition has together: its highs, cut by what the lows of the others leave."""
        return np.maximum(low, np.minimum(high, SHARE_UNITS - self.declared[company] + low))


def loops(stakes: Stakes) -> ModuleType | None:
    """The compiled loops where they pay; most holdings are met twice, at the lows and at the highs."""
    return kernels(2 * stakes.holder.size)


def gather(stakes: Stakes, enough: Enough, *, starts: np.ndarray | None = None, rounds: int | None = None) -> Reached:
    """Let every starting unit gather the votes of what it controls until nothing new comes under control.

    The result is the least set closed under the rule: a company counts for a unit only after the unit has been found to
    control it, so rings never justify themselves. A pair is touched once a holding, whatever the number of rounds: the
    pairs lie in layers of growing size, so that a long chain, of a few new pairs a round, costs little a round.

    Parameters
    ----------
    starts
        Units to start from, sorted; all that hold anything by default.
    rounds
        Stop after so many rounds: chains of at most so many steps.

    Raises
    ------
    NotConverged
        The pairs would be more than :data:`MOST_PAIRS` and many times the holdings.
    """
    n = stakes.n
    if starts is None:
        starts = np.flatnonzero(np.diff(stakes.pointers))
    if fast := loops(stakes):
        portions = compiled(fast, stakes, enough, starts, rounds, both=False)
        start, company, low, high, agreed, _, since, _ = put_together(portions, stakes.holder.size)
        return Reached(start, company, low, high, agreed, since)
    spots, place = expand(stakes.pointers, starts)
    limit = _limit(stakes, starts)
    first = _Layer(
        starts[place].astype(np.int64) * n + stakes.company[spots],
        stakes.low[spots],
        stakes.high[spots],
        stakes.agreed[spots],
        np.zeros(spots.size, dtype=np.int32),
    )
    layers = [first]
    seen = np.empty(0, dtype=np.int64)
    number = 1
    front = _settle(first, np.arange(spots.size), enough, n, number)
    while front.size and (rounds is None or number < rounds):
        number += 1
        start, unit = front // n, stakes.unit[front % n]
        keep = start != unit
        start, unit = start[keep], unit[keep]
        grouped = np.flatnonzero(stakes.size[unit] > 1)
        if grouped.size:
            # several members of one concert group may come under control: the group acts once
            acting, place = np.unique(start[grouped] * n + unit[grouped], return_index=True)
            fresh = ~np.isin(acting, seen)
            seen = np.union1d(seen, acting[fresh])
            keep = stakes.size[unit] == 1
            keep[grouped[place[fresh]]] = True
            start, unit = start[keep], unit[keep]
        spots, place = expand(stakes.pointers, unit)
        key = start[place] * n + stakes.company[spots]
        order = np.argsort(key, kind="stable")
        key, spots = key[order], spots[order]
        begin = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if key.size else np.empty(0, dtype=np.int64)
        more = _Layer(
            key[begin],
            add_up(stakes.low[spots], begin),
            add_up(stakes.high[spots], begin),
            np.logical_or.reduceat(stakes.agreed[spots], begin) if begin.size else np.empty(0, dtype=bool),
            np.zeros(begin.size, dtype=np.int32),
        )
        front = _add(layers, more, enough, n, number)
        if sum(layer.key.size for layer in layers) > limit:
            raise NotConverged(TOO_MANY)
    whole = layers[0]
    for layer in layers[1:]:
        whole = _merge(whole, layer)
    return Reached(whole.key // n, whole.key % n, whole.low, whole.high, whole.agreed, whole.round)


def compiled(
    fast: ModuleType, stakes: Stakes, enough: Enough, starts: np.ndarray, rounds: int | None, *, both: bool
) -> Iterator[list[np.ndarray]]:
    """The same by compiled loops, one start after another; with ``both`` at the lows alone, and then at the highs.

    Portions of start, company, the votes at the lows, the most at the highs, whether control is agreed in either case,
    and the round in either case; at least one.
    """
    limit, wide = _limit(stakes, starts), enough.high.size > 0
    # side by side in memory, as they are needed together
    bar = np.column_stack([enough.low, *((enough.high, enough.declared) if wide else (enough.low,) * 2)])
    del enough
    pairs, begun = 0, False
    while starts.size or not begun:
        *columns, done = fast.gather(
            stakes, bar, wide and not both, both, starts, rounds or stakes.n, SHARE_UNITS, MOST, PORTION
        )
        begun, starts, pairs = True, starts[done:], pairs + columns[0].size
        if pairs > limit:
            raise NotConverged(TOO_MANY)
        yield columns


def put_together(portions: Iterable[Sequence[np.ndarray]], room: int) -> list[np.ndarray]:
    """Columns of portions one after the other, written as they come; ``room`` is how many rows there may well be.

    So no portion waits for the others. Room that is not used takes no memory.
    """
    columns: list[np.ndarray] = []
    begin = 0
    for portion in portions:
        end = begin + portion[0].size
        if not columns:
            columns = [np.empty(max(room, end), dtype=part.dtype) for part in portion]
        for number, part in enumerate(portion):
            if end > columns[number].size:
                wider = np.empty(2 * end, dtype=part.dtype)
                wider[:begin] = columns[number][:begin]
                columns[number] = wider
            columns[number][begin:end] = part
        begin = end
    return [column[:begin] for column in columns]


def _limit(stakes: Stakes, starts: np.ndarray) -> int:
    """How many pairs there may be."""
    return max(MOST_PAIRS, MOST_PAIRS_PER_STAKE * int(np.diff(stakes.pointers)[starts].sum()))


def tally(
    stakes: Stakes, reached: Reached, starts: np.ndarray, *, most: bool, rounds: int | None = None
) -> tuple[np.ndarray, ...]:
    """Votes of the starting units and of what they control, pair by pair: sums, or (``most``) the greatest holding.

    With ``rounds`` only what was controlled before that round counts, as in :func:`gather`. Returns start, company,
    low, high and agreed.
    """
    n = stakes.n
    got = reached.round > 0 if rounds is None else (reached.round > 0) & (reached.round < rounds)
    acting = np.unique(
        np.concatenate(
            [starts.astype(np.int64) * n + starts, reached.start[got] * n + stakes.unit[reached.company[got]]]
        )
    )
    spots, place = expand(stakes.pointers, acting % n)
    key = (acting // n)[place] * n + stakes.company[spots]
    order = np.argsort(key, kind="stable")
    key, spots = key[order], spots[order]
    if not key.size:
        none = np.empty(0, dtype=np.int64)
        return none, none, none, none, np.empty(0, dtype=bool)
    begin = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    if most:
        low, high = (np.maximum.reduceat(units[spots], begin) for units in (stakes.low, stakes.high))
    else:
        low, high = (add_up(units[spots], begin) for units in (stakes.low, stakes.high))
    return key[begin] // n, key[begin] % n, low, high, np.logical_or.reduceat(stakes.agreed[spots], begin)


def add_up(units: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Sums of runs that begin at ``begin``, at most :data:`MOST`."""
    if not begin.size:
        return np.empty(0, dtype=np.int64)
    total = np.add.reduceat(units, begin)
    if int(np.diff(begin, append=units.size).max()) > LONG:
        total = np.where(np.add.reduceat(units.astype(np.float64), begin) > MOST, MOST, total)
    return np.minimum(total, MOST)


def _settle(layer: _Layer, at: np.ndarray, enough: Enough, n: int, number: int) -> np.ndarray:
    """Keys of the pairs at ``at`` that have just come to give control; their round is noted."""
    at = at[layer.round[at] == 0]
    new = at[layer.agreed[at] | enough(layer.key[at] % n, layer.low[at], layer.high[at])]
    layer.round[new] = number
    return layer.key[new]


def _add(layers: list[_Layer], more: _Layer, enough: Enough, n: int, number: int) -> np.ndarray:
    """Add votes to the pairs met before, keep the new ones, and return the keys that have come under control."""
    found = []
    for layer in layers:
        at = np.searchsorted(layer.key, more.key)
        hit = at < layer.key.size
        hit[hit] = layer.key[at[hit]] == more.key[hit]
        at = at[hit]
        if at.size:
            layer.low[at] = np.minimum(layer.low[at] + more.low[hit], MOST)
            layer.high[at] = np.minimum(layer.high[at] + more.high[hit], MOST)
            layer.agreed[at] |= more.agreed[hit]
            found.append(_settle(layer, at, enough, n, number))
            more = _Layer(*(column[~hit] for column in more))
        if not more.key.size:
            break
    if more.key.size:
        found.append(_settle(more, np.arange(more.key.size), enough, n, number))
        layers.append(more)
        while len(layers) > 2 and layers[-2].key.size < 2 * layers[-1].key.size:
            last = layers.pop()
            layers[-1] = _merge(layers[-1], last)
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _merge(one: _Layer, other: _Layer) -> _Layer:
    """Two layers without a common key as one."""
    key = np.concatenate([one.key, other.key])
    order = np.argsort(key, kind="stable")
    return _Layer(key[order], *(np.concatenate(pair)[order] for pair in zip(one[1:], other[1:], strict=True)))


def stakes_of(
    n: int,
    unit: np.ndarray,
    owner: np.ndarray,
    company: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    agreements: tuple[np.ndarray, np.ndarray],
) -> Stakes:
    """Sum holdings of entities, and agreements that give control, by unit and company."""
    keep = (owner != company) & (high > 0)
    master, servant = agreements
    other = master != servant
    master, servant = master[other], servant[other]
    none = np.zeros(master.size, dtype=np.int64)
    key = np.concatenate(
        [unit[owner[keep]].astype(np.int64) * n + company[keep], unit[master].astype(np.int64) * n + servant]
    )
    order = np.argsort(key, kind="stable")
    key = key[order]
    begin = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if key.size else np.empty(0, dtype=np.int64)
    agreed = np.concatenate([np.zeros(int(keep.sum()), dtype=bool), np.ones(master.size, dtype=bool)])[order]
    holder, company = (key[begin] // n).astype(np.int32), (key[begin] % n).astype(np.int32)
    del key
    return Stakes(
        n=n,
        unit=unit.astype(np.int32, copy=False),
        size=np.bincount(unit, minlength=n).astype(np.int32),
        holder=holder,
        company=company,
        low=add_up(np.concatenate([low[keep], none])[order], begin),
        high=add_up(np.concatenate([high[keep], none])[order], begin),
        agreed=np.logical_or.reduceat(agreed, begin) if begin.size else agreed,
        pointers=row_pointers(n, holder).astype(np.int32),
    )
