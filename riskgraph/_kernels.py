"""Compiled loops for large graphs: the same results as the numpy forms beside them, in less time and memory.

This module needs numba and is imported late, by :func:`riskgraph._optional.kernels` alone. Index arrays are unsigned:
a signed index is checked for counting from the end, which costs half the time of a loop like these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np

__all__ = ["certify", "climb", "lay_out", "near", "settle", "to_logs"]

#: entries after which a loop ends, to be begun again behind what it has served
PORTION = 1_000_000

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function compiled on its first call, and kept on disk where there is room for it."""
    try:
        found: F = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # neither beside this file nor in the user's cache can anything be written
        found = numba.njit(error_model="numpy")(function)
    return found


# -- messages of the cascade -----------------------------------------------------------------------------------------
#
# A message m in [0, 1] is kept as m up to a half, and as m - 1 above: so neither m nor 1 - m loses digits, and unions
# of chances need products alone, no logarithms. ``inbox`` at the place of arc u -> v holds what v sends to u.


@compiled
def _chance(kept: float) -> float:
    return kept if kept >= 0.0 else 1.0 + kept


@compiled
def _miss(kept: float) -> float:
    return 1.0 - kept if kept >= 0.0 else -kept


@compiled
def _keep(chance: float, miss: float) -> float:
    return chance if chance <= 0.5 else -max(miss, 5e-324)


@compiled
def _send(
    u: int,
    begin: np.ndarray,
    end: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
    outbox: np.ndarray,
    after: np.ndarray,
    after_miss: np.ndarray,
) -> None:
    """What ``u`` would send along each of its arcs, into the first places of ``outbox``."""
    first, last = begin[u], end[u]
    w, d = weight[u], damping[u]
    chance, miss = 0.0, 1.0
    place = last - first
    k = last
    one = np.uint64(1)
    while k > first:
        k -= one
        place -= one
        after[place], after_miss[place] = chance, miss
        m, mm = _chance(inbox[k]), _miss(inbox[k])
        chance, miss = chance + m * miss, miss * mm
    chance, miss = 0.0, 1.0
    for k in range(first, last):
        place = k - first
        heard = chance + after[place] * miss
        unheard = miss * after_miss[place]
        heard, unheard = d * heard, (1.0 - d) + d * unheard
        heard, unheard = heard + w * unheard, unheard * (1.0 - w)
        outbox[place] = _keep(p[k] * heard, (1.0 - p[k]) + p[k] * unheard)
        m, mm = _chance(inbox[k]), _miss(inbox[k])
        chance, miss = chance + m * miss, miss * mm


@compiled
def lay_out(
    begin: np.ndarray,
    end: np.ndarray,
    target: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """The part that seeds reach, breadth first, so that entities tied to each other lie near each other in memory.

    Returns the entities in their new order, where the arcs of each begin and end, and the old place, the target, the
    reverse and the probability of each arc.
    """
    n = begin.size
    nowhere = np.uint32(0xFFFFFFFF)
    number = np.full(n, nowhere, dtype=np.uint32)
    order = np.empty(n, dtype=np.uint32)
    count, head, total = 0, 0, 0
    for u in range(n):
        if weight[u] > 0.0:
            number[u] = count
            order[count] = u
            count += 1
    while head < count:
        u_ = order[head]
        head += 1
        for k in range(begin[u_], end[u_]):
            v = target[k]
            if p[k] > 0.0 and number[v] == nowhere:
                number[v] = count
                order[count] = v
                count += 1
    order = order[:count].copy()
    place = np.empty(p.size, dtype=np.uint32)
    first, last = np.empty(count, dtype=np.uint64), np.empty(count, dtype=np.uint64)
    old = np.empty(p.size, dtype=np.uint32)
    for i in range(count):
        u_ = order[i]
        first[i] = total
        for k in range(begin[u_], end[u_]):
            if number[target[k]] != nowhere:
                place[k] = total
                old[total] = k
                total += 1
        last[i] = total
    old = old[:total].copy()
    new_target, new_reverse = np.empty(total, dtype=np.uint32), np.empty(total, dtype=np.uint32)
    new_p = np.empty(total)
    for i in range(total):
        k_ = old[i]
        new_target[i] = number[target[k_]]
        new_reverse[i] = place[reverse[k_]]
        new_p[i] = p[k_]
    return order, first, last, old, new_target, new_reverse, new_p


@compiled
def settle(
    begin: np.ndarray,
    end: np.ndarray,
    target: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
) -> np.ndarray:
    """Compute the messages that depend on no circle, in their order; mask of the arcs whose message is known."""
    n = begin.size
    widest = np.uint64(0)
    done = np.zeros(p.size, dtype=np.bool_)
    waits = np.zeros(n, dtype=np.int64)
    queue = np.empty(n, dtype=np.uint32)
    queued = np.zeros(n, dtype=np.bool_)
    head, tail, waiting = np.uint64(0), np.uint64(0), 0
    one = np.uint64(1)
    for u in range(n):
        widest = max(widest, end[u] - begin[u])
        for k in range(begin[u], end[u]):
            done[k] = p[k] == 0.0
            if p[reverse[k]] > 0.0:
                waits[u] += 1
        if waits[u] <= 1 and end[u] > begin[u]:
            queue[tail] = u
            queued[u] = True
            tail += one
            waiting += 1
    outbox = np.empty(widest)
    after, after_miss = np.empty(widest), np.empty(widest)
    size = np.uint64(n)
    while waiting > 0:
        u = queue[head]
        head += one
        if head == size:
            head = np.uint64(0)
        waiting -= 1
        queued[u] = False
        some = False
        for k in range(begin[u], end[u]):
            # where one message is missing, only the arc it will come along backwards needs none but those that came
            if not done[k] and (waits[u] == 0 or not done[reverse[k]]):
                some = True
        if not some:
            continue
        _send(u, begin, end, p, weight, damping, inbox, outbox, after, after_miss)
        for k in range(begin[u], end[u]):
            if done[k] or not (waits[u] == 0 or not done[reverse[k]]):
                continue
            done[k] = True
            inbox[reverse[k]] = outbox[k - begin[u]]
            v = target[k]
            waits[v] -= 1
            if waits[v] <= 1 and not queued[v]:
                if tail == size:
                    tail = np.uint64(0)
                queue[tail] = v
                tail += one
                queued[v] = True
                waiting += 1
    return done


@compiled
def _sweep(
    begin: np.ndarray,
    end: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
    done: np.ndarray,
    step: np.ndarray,
    down: bool,
    after: np.ndarray,
    after_miss: np.ndarray,
) -> tuple[float, float, float]:
    """Let every entity send its open messages anew, one after another; on the way ``down`` none rises.

    ``step`` takes what each message moved by. Returns the greatest relative move, and the products of relative moves
    with those before, and of those before with themselves.
    """
    most, across, along = 0.0, 0.0, 0.0
    one = np.uint64(1)
    for u in range(begin.size):
        first, last = begin[u], end[u]
        w, d = weight[u], damping[u]
        chance, miss = 0.0, 1.0
        place = last - first
        k = last
        while k > first:
            k -= one
            place -= one
            after[place], after_miss[place] = chance, miss
            kept = inbox[k]
            if kept >= 0.0:
                chance, miss = chance + kept * miss, miss * (1.0 - kept)
            else:
                chance, miss = chance + (1.0 + kept) * miss, miss * -kept
        if chance == 0.0 and w == 0.0:
            continue
        chance, miss = 0.0, 1.0
        place = np.uint64(0)
        for k in range(first, last):
            heard = d * (chance + after[place] * miss)
            unheard = (1.0 - d) + d * (miss * after_miss[place])
            place += one
            kept = inbox[k]
            if kept >= 0.0:
                chance, miss = chance + kept * miss, miss * (1.0 - kept)
            else:
                chance, miss = chance + (1.0 + kept) * miss, miss * -kept
            if done[k]:
                continue
            m = p[k] * (heard + w * unheard)
            mm = (1.0 - p[k]) + p[k] * (unheard * (1.0 - w))
            spot = reverse[k]
            old = inbox[spot]
            moved = (m if m <= 0.5 else 1.0 - mm) - old if old >= 0.0 else -old - mm
            if down and moved >= 0.0:
                continue
            inbox[spot] = m if m <= 0.5 else -max(mm, 5e-324)
            before = step[k]
            step[k] = moved
            if m > 0.0:
                part = 1.0 / (m * m)
                across += part * moved * before
                along += part * before * before
                if abs(moved) > most * m * mm and mm > 0.0:
                    most = abs(moved) / (m * mm)
    return most, across, along


@compiled
def climb(
    begin: np.ndarray,
    end: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
    done: np.ndarray,
    tol: float,
    rounds: int,
) -> int:
    """Messages in circles, sent until none moves by more than ``tol`` of itself; how many rounds that took.

    After some rounds all messages move in proportion, as one mode of the circles outlasts the others: then they are
    moved on by what is left of that geometric series (Aitken 1926). Nothing rests on it: see :func:`certify`.
    """
    widest = np.uint64(0)
    for u in range(begin.size):
        widest = max(widest, end[u] - begin[u])
    after, after_miss = np.empty(widest), np.empty(widest)
    step = np.zeros(p.size)
    rate_before, since = 0.0, 0
    for number in range(rounds):
        most, across, along = _sweep(
            begin, end, reverse, p, weight, damping, inbox, done, step, False, after, after_miss
        )
        if most <= tol:
            return number + 1
        rate = across / along if along > 0.0 else 0.0
        since += 1
        if since >= 3 and 0.1 < rate < 0.98 and most < 0.3 and abs(rate - rate_before) < 0.01:
            since = 0
            factor = rate / (1.0 - rate)
            for k in range(p.size):
                more = factor * step[np.uint64(k)]
                if more == 0.0:
                    continue
                j = reverse[np.uint64(k)]
                kept = inbox[j]
                m, mm = (kept, 1.0 - kept) if kept >= 0.0 else (1.0 + kept, -kept)
                more = max(min(more, 0.5 * mm), -0.5 * m)
                m, mm = m + more, mm - more
                inbox[j] = m if m <= 0.5 else -mm
        rate_before = rate
    return rounds


@compiled
def certify(
    begin: np.ndarray,
    end: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
    done: np.ndarray,
    tol: float,
    rounds: int,
) -> int:
    """Raise the open messages a little and send them until none lies above where it began: then they are bounds.

    Sending is monotone, so a vector that some rounds lower everywhere lies above the least fixed point, and so does
    what those rounds make of it. Up to ``rounds`` more bring it nearer. Returns how many rounds it took.
    """
    widest = np.uint64(0)
    for u in range(begin.size):
        widest = max(widest, end[u] - begin[u])
    after, after_miss = np.empty(widest), np.empty(widest)
    step = np.zeros(p.size)
    found = inbox.copy()
    start = inbox.copy()
    taken = 0
    rise = 30.0 * tol
    holds = False
    while rise < 1.0 and not holds:
        for k in range(p.size):
            j = np.uint64(k)
            if not done[reverse[j]]:
                kept = found[j]
                m, mm = (kept, 1.0 - kept) if kept >= 0.0 else (1.0 + kept, -kept)
                more = m + rise * m * mm
                start[j] = more if more <= 0.5 else -(mm * (1.0 - rise * m))
                inbox[j] = start[j]
        for _ in range(40):
            _sweep(begin, end, reverse, p, weight, damping, inbox, done, step, False, after, after_miss)
            taken += 1
            holds = True
            for k in range(p.size):
                j = np.uint64(k)
                now, top = inbox[j], start[j]
                # 4e-15 is the rounding of one round
                if top >= 0.0:
                    holds = (now if now >= 0.0 else 1.0 + now) <= top * (1.0 + 4e-15)
                else:
                    holds = (1.0 - now if now >= 0.0 else -now) >= -top * (1.0 - 4e-15)
                if not holds:
                    break
            if holds:
                break
        rise *= 30.0
    if not holds:
        # every round down from certainty is a bound, too
        rounds = 2_000
        for k in range(p.size):
            j = np.uint64(k)
            if not done[j]:
                inbox[reverse[j]] = p[j] if p[j] <= 0.5 else -(1.0 - p[j])
    for _ in range(rounds):
        most, _, _ = _sweep(begin, end, reverse, p, weight, damping, inbox, done, step, True, after, after_miss)
        taken += 1
        if most <= 0.01 * tol:
            break
    return taken


@compiled
def to_logs(inbox: np.ndarray, reverse: np.ndarray, old: np.ndarray, logs: np.ndarray, sure: float) -> None:
    """``log(1 - m)`` of the message along each arc, written to its old place."""
    for k in range(inbox.size):
        j = np.uint64(k)
        kept = inbox[reverse[j]]
        if kept >= 0.0:
            logs[old[j]] = np.log1p(-kept)
        elif kept > -1e-300:
            logs[old[j]] = sure
        else:
            logs[old[j]] = np.log(-kept)


# -- neighbourhoods --------------------------------------------------------------------------------------------------
#
# This loop and those below write into arrays of fixed room and end once they have written so much: an array replaced
# within a loop is looked up anew in every turn, which costs more than the turn. One more start always fits in.


def near(begin: np.ndarray, neighbors: np.ndarray, starts: np.ndarray, depth: int) -> tuple[np.ndarray, ...]:
    """Entities within ``depth`` steps of each start, as :func:`riskgraph._sparse.near` finds them."""
    *columns, done = _near(begin, neighbors, starts, 0, depth, PORTION)
    found = [columns]
    while done < starts.size:
        *columns, done = _near(begin, neighbors, starts, done, depth, PORTION)
        found.append(columns)
    return tuple(columns if len(found) == 1 else [np.concatenate(parts) for parts in zip(*found, strict=True)])


@compiled
def _near(
    begin: np.ndarray, neighbors: np.ndarray, starts: np.ndarray, done: int, depth: int, most: int
) -> tuple[Any, ...]:
    """The same from the start in place ``done`` on, until ``most`` entities are found; and which start is next."""
    n = begin.size - 1
    met = np.zeros(n, dtype=np.uint32)
    who, what, steps = np.empty(most + n, np.int64), np.empty(most + n, np.int64), np.empty(most + n, np.int32)
    total, following = 0, starts.size
    for place in range(done, starts.size):
        stamp = np.uint32(place + 1)
        met[starts[place]] = stamp
        who[total], what[total], steps[total] = place, starts[place], 0
        first, total = total, total + 1
        for step in range(1, depth + 1):
            last = total
            for head in range(first, last):
                u = np.uint64(what[head])
                for k in range(begin[u], begin[u + np.uint64(1)]):
                    v = neighbors[k]
                    if met[v] != stamp:
                        met[v] = stamp
                        who[total], what[total], steps[total] = place, v, step
                        total += 1
            if total == last:
                break
            first = last
        if total > most:
            following = place + 1
            break
    return who[:total], what[:total], steps[:total], following


# -- shares of owners ------------------------------------------------------------------------------------------------


@compiled
def descend(way: Any, starts: np.ndarray, allowed: np.ndarray, sweeps: int, most: int) -> tuple[np.ndarray, ...]:
    """Shares of each owner in what it reaches along a :class:`riskgraph.ownership._descent.Descent`.

    Returns the place of the owner in ``starts``, the company and the two shares of each pair, and for each owner met
    whether it was left out because a ring was not settled in ``sweeps``. None is begun after ``most`` pairs.
    """
    one = np.uint64(1)
    met = np.zeros(way.code.size, dtype=np.uint32)
    value = np.empty((met.size, 2))
    idle = np.empty(met.size, dtype=np.uint32)
    carried = np.empty((way.widest, 2))
    worth, room = np.empty(way.most_rooms), np.empty(way.most_rooms)
    slow = np.zeros(starts.size, dtype=np.bool_)
    room_ = most + met.size
    who, what = np.empty(room_, np.int64), np.empty(room_, np.uint32)
    shares_low, shares_high = np.empty(room_), np.empty(room_)
    total = 0
    chosen = allowed.size > 0
    for number in range(starts.size):
        stamp = np.uint32(number + 1)
        start = np.uint64(starts[number])
        first, head = total, total
        met[start] = stamp
        value[start] = 1.0
        idles = 0
        what[total] = start
        total += 1
        while head < total:
            u = np.uint64(what[head])
            head += 1
            for k in range(np.uint64(way.begin[u]), np.uint64(way.begin[u + one])):
                v = way.company[k]
                if met[v] == stamp or (chosen and not allowed[v]):
                    continue
                met[v] = stamp
                value[v] = 0.0
                if v < way.busy:
                    what[total] = v
                    total += 1
                else:
                    idle[idles] = v
                    idles += 1
        what[first:total].sort()
        at: Any = first
        while at < total:
            u = np.uint64(what[at])
            stop = np.uint64(way.last[u])
            carried[: stop - u] = value[u:stop]
            ring = way.inner[u] != way.inner[stop]
            moves = ring or way.open[u] != way.open[stop]
            left = sweeps
            while moves and left > 0:
                left -= 1
                moves = _sweep_ring(way, u, stop, start, value, carried, met, worth, room) and ring
            if moves:
                slow[number] = True
                break
            for v in range(u, stop):
                for k in range(np.uint64(way.begin[v]), np.uint64(way.begin[v + one])):
                    w = way.company[k]
                    if w >= stop:
                        value[w, 0] += way.share[k, 0] * value[v, 0]
                        value[w, 1] += way.share[k, 1] * value[v, 1]
            at += np.int64(stop - u)
        if slow[number]:
            total = first
            continue
        what[total : total + idles] = idle[:idles]
        total += idles
        for place in range(first, total):
            v = what[place]
            who[place], shares_low[place], shares_high[place] = number, value[v, 0], value[v, 1]
        if total > most:
            slow = slow[: number + 1].copy()
            break
    return who[:total], what[:total], shares_low[:total], shares_high[:total], slow


@compiled
def _sweep_ring(
    way: Any,
    u: Any,
    stop: Any,
    start: Any,
    value: np.ndarray,
    carried: np.ndarray,
    met: np.ndarray,
    worth: np.ndarray,
    room: np.ndarray,
) -> bool:
    """Raise the shares in the companies from ``u`` to ``stop`` by what their holders are worth now; whether any rose.

    A contested company shares out its slack to its most valuable holders first.
    """
    moved = False
    one = np.uint64(1)
    best: Any = np.uint64(0)
    for v in range(u, stop):
        if v == start:
            continue
        a, b = carried[v - u, 0], carried[v - u, 1]
        for k in range(np.uint64(way.inner[v]), np.uint64(way.inner[v + one])):
            h = way.holder[k]
            a += way.inner_share[k, 0] * value[h, 0]
            b += way.inner_share[k, 1] * value[h, 1]
        if way.open[v] != way.open[v + one]:
            count = np.uint64(0)
            for k in range(np.uint64(way.open[v]), np.uint64(way.open[v + one])):
                h = way.rival[k]
                if met[h] == met[v]:
                    worth[count], room[count] = value[h, 1], way.room[k]
                    count += one
            slack = way.slack[v]
            while slack > 0.0:
                top = 0.0
                for i in range(count):
                    if worth[i] > top:
                        top, best = worth[i], i
                if top == 0.0:
                    break
                part = min(room[best], slack)
                b += part * top
                slack -= part
                worth[best] = 0.0
        if a > value[v, 0] or b > value[v, 1]:
            moved = True
            value[v, 0], value[v, 1] = max(a, value[v, 0]), max(b, value[v, 1])
    return moved


# -- control ---------------------------------------------------------------------------------------------------------


class _Desk(NamedTuple):
    """What a start has met so far: companies, votes and since which round it controls each, 0 for never.

    ``spot`` tells where a company stands in ``met``, and is believed only if the company does stand there.
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
def _desk(n: int, holdings: int) -> _Desk:
    return _Desk(
        np.zeros(n, np.uint32),
        np.empty(n, np.uint32),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.bool_),
        np.empty(n, np.int32),
        np.empty(n, np.uint32),
        np.empty(holdings, np.uint32),
        np.zeros(n, np.uint32),
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
            u = np.uint64(bar[c, 3])
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
            u = np.uint64(bar[met[acting[h]], 3])
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
                u = np.uint64(bar[c, 3])
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

    Of each company ``bar`` holds what is enough at the lows and at the highs, what all its holders have at least, and
    its unit. With ``wide`` the highs count; with ``both`` they do in a second round, for starts whose votes are open.
    Returns start, company, least votes, greatest votes, whether control is agreed in either round, since when in
    either round; and how many starts were served before there were ``most`` pairs.
    """
    n = stakes.n
    lows = _desk(n, stakes.company.size)
    highs = _desk(n if both else 0, stakes.company.size)
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
