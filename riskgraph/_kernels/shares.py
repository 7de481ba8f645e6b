"""Shares of many owners."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskgraph._kernels._compile import compiled

__all__ = ["descend"]


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
