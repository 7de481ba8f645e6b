"""Votes gathered start by start."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from riskgraph._kernels._compile import compiled

__all__ = ["gather"]


class _Desk(NamedTuple):
    """What a start has met so far: companies, votes and since which round it controls each, 0 for never.

    ``spot`` tells where a company stands in ``met``, and is believed only if the company does stand there: it need not
    be cleared, not even at first. Where no group has two members ``acted`` is empty.
    """

    spot: np.ndarray
    met: np.ndarray
    low: np.ndarray
    high: np.ndarray
    agreed: np.ndarray
    since: np.ndarray
    #: companies that act, in turn; those whose votes have just changed; the start for which each group has acted
    acting: np.ndarray
    touched: np.ndarray
    acted: np.ndarray


@compiled
def _desk(n: int, holdings: int, grouped: int) -> _Desk:
    return _Desk(
        np.empty(n, np.uint32),
        np.empty(n, np.uint32),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.bool_),
        np.empty(n, np.int32),
        np.empty(n, np.uint32),
        np.empty(holdings, np.uint32),
        np.zeros(grouped, np.uint32),
    )


@compiled
def _most(bar: Any, units: Any, company: Any, low: Any, high: Any) -> Any:
    return max(low, min(high, units - bar[company, 2] + low))


@compiled
def _serve(
    desk: Any, stakes: Any, bar: Any, wide: bool, start: Any, place: int, rounds: int, units: Any, cap: Any
) -> Any:
    """Gather the votes of one start; how many companies it met, and how many of them it holds itself."""
    spot, met, low, high, agreed, since, acting, touched, acted = desk
    one = np.uint64(1)
    count, head, tail = np.uint64(0), np.uint64(0), np.uint64(0)
    i: Any
    for k in range(np.uint64(stakes.pointers[start]), np.uint64(stakes.pointers[start + one])):
        c = np.uint64(stakes.company[k])
        met[count], low[count], high[count] = c, stakes.low[k], stakes.high[k]
        agreed[count] = stakes.agreed[k]
        since[count] = agreed[count] or low[count] >= bar[c, 0]
        if wide and not since[count]:
            since[count] = _most(bar, units, c, low[count], high[count]) >= bar[c, 1]
        if since[count]:
            u = np.uint64(stakes.unit[c])
            if u != start and stakes.pointers[u] < stakes.pointers[u + one]:
                acting[tail] = count
                tail += one
        count += one
    direct = count
    if tail > 0 and rounds > 1:
        for i in range(direct):
            spot[met[i]] = i
    number = 1
    while head < tail and number < rounds:
        number += 1
        last, hits = tail, np.uint64(0)
        for h in range(head, last):
            u = np.uint64(stakes.unit[met[acting[h]]])
            if stakes.size[u] > 1:  # of a group whose members come under control the group acts once
                if acted[u] == place + 1:
                    continue
                acted[u] = place + 1
            for k in range(np.uint64(stakes.pointers[u]), np.uint64(stakes.pointers[u + one])):
                c = np.uint64(stakes.company[k])
                i = np.uint64(spot[c])
                if i < count and met[i] == c:
                    low[i], high[i] = min(low[i] + stakes.low[k], cap), min(high[i] + stakes.high[k], cap)
                    agreed[i] |= stakes.agreed[k]
                else:
                    i = count
                    count += one
                    spot[c] = i
                    met[i], low[i], high[i] = c, stakes.low[k], stakes.high[k]
                    agreed[i], since[i] = stakes.agreed[k], 0
                if since[i] == 0:
                    touched[hits] = i
                    hits += one
        head = last
        for h in range(hits):
            i = np.uint64(touched[h])
            c = np.uint64(met[i])
            if since[i] > 0:
                continue
            if agreed[i] or low[i] >= bar[c, 0] or (wide and _most(bar, units, c, low[i], high[i]) >= bar[c, 1]):
                since[i] = number
                u = np.uint64(stakes.unit[c])
                if u != start and stakes.pointers[u] < stakes.pointers[u + one]:
                    acting[tail] = i
                    tail += one
    return count, direct


@compiled
def gather(
    stakes: Any,
    bar: np.ndarray,
    wide: bool,
    both: bool,
    starts: np.ndarray,
    rounds: int,
    units: int,
    cap: int,
    most: int,
) -> tuple[Any, ...]:
    """Votes of each start and of what it controls, as :func:`riskgraph.ownership._fixpoint.gather` finds them.

    Of each company ``bar`` holds what is enough at the lows and at the highs, and what all its holders have at least.
    With ``wide`` the highs count; with ``both`` they do in a second round, for starts whose votes are open.
    Returns start, company, least votes, greatest votes, whether control is agreed in either round, since when in
    either round; and how many starts were served before there were ``most`` pairs.
    """
    n = stakes.n
    grouped = 0
    for unit in range(n):
        if stakes.size[unit] > 1:
            grouped = n
            break
    lows = _desk(n, stakes.company.size, grouped)
    highs = _desk(n if both else 0, stakes.company.size, grouped if both else 0)
    turn = np.empty(n, np.uint64)
    room = most + n
    who, what = np.empty(room, np.int64), np.empty(room, np.int64)
    least, greatest = np.empty(room, np.int64), np.empty(room, np.int64)
    agreed, agreed_wide = np.empty(room, np.bool_), np.empty(room, np.bool_)
    since, since_wide = np.empty(room, np.int32), np.empty(room, np.int32)
    total, done = 0, starts.size
    for place in range(starts.size):
        start = np.uint64(starts[place])
        count, direct = _serve(lows, stakes, bar, wide, start, place, rounds, units, cap)
        met, all_met, open_ = count, count, False
        if both:
            for i in range(count):
                c = lows.met[i]
                open_ |= _most(bar, units, c, lows.low[i], lows.high[i]) != lows.low[i] or bar[c, 0] != bar[c, 1]
        if open_:
            all_met, _ = _serve(highs, stakes, bar, True, start, place, rounds, units, cap)
        for i in range(all_met):
            turn[i] = np.uint64(highs.met[i] if open_ else lows.met[i]) << np.uint64(32) | i
        if all_met > direct:
            turn[:all_met].sort()
        for h in range(all_met):
            i = turn[h] & np.uint64(0xFFFFFFFF)
            c = turn[h] >> np.uint64(32)
            j = i
            if open_ and i >= direct:
                j = np.uint64(lows.spot[c])
                if j >= met or lows.met[j] != c:
                    j = met
            who[total], what[total] = start, c
            if j < met:
                least[total], agreed[total], since[total] = lows.low[j], lows.agreed[j], lows.since[j]
            else:
                least[total], agreed[total], since[total] = 0, False, 0
            if open_:
                greatest[total] = _most(bar, units, c, highs.low[i], highs.high[i])
                agreed_wide[total], since_wide[total] = highs.agreed[i], highs.since[i]
            else:
                greatest[total] = _most(bar, units, c, lows.low[i], lows.high[i]) if both else lows.high[i]
                agreed_wide[total], since_wide[total] = agreed[total], since[total]
            total += 1
        if total > most:
            done = place + 1
            break
    votes = who[:total], what[:total], least[:total], greatest[:total]
    return (*votes, agreed[:total], agreed_wide[:total], since[:total], since_wide[:total], done)
