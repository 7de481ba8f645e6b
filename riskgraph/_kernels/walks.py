"""Walks that can go back every step they went."""

from __future__ import annotations

import numpy as np

from riskgraph._kernels._compile import compiled

__all__ = ["apart", "conjugate", "halve"]


@compiled
def apart(pointers: np.ndarray, indices: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entities of which no two are tied, chosen greedily in ``order``, then the others in the order turned round.

    Returns them, and for each of the first the place among the others of the last that it is tied to.
    """
    n = np.uint64(order.size)
    one = np.uint64(1)
    tied = np.zeros(n, dtype=np.bool_)
    others = np.uint64(0)
    for i in range(n):
        u = np.uint64(order[i])
        if tied[u]:
            others += one
            continue
        for k in range(np.uint64(pointers[u]), np.uint64(pointers[u + one])):
            v = np.uint64(indices[k])
            if v != u:
                tied[v] = True
    place = np.zeros(n, dtype=np.uint32)
    turn, last = np.empty(n, dtype=np.uint32), np.zeros(n - others, dtype=np.uint32)
    j = others
    for i in range(n):
        u = np.uint64(order[i])
        if tied[u]:
            j -= one
            turn[n - others + j], place[u] = u, j
    j = np.uint64(0)
    for i in range(n):
        u = np.uint64(order[i])
        if not tied[u]:
            for k in range(np.uint64(pointers[u]), np.uint64(pointers[u + one])):
                last[j] = max(last[j], place[indices[k]])
            turn[j] = u
            j += one
    return turn, last


@compiled
def halve(
    pointers: np.ndarray, indices: np.ndarray, values: np.ndarray, leaving: np.ndarray, turn: np.ndarray, free: int
) -> tuple[np.ndarray, ...]:
    """Each tie of the symmetric table ``values * leaving[indices]`` once, in the row of the end that comes first.

    Rows stand in ``turn``; the ``free`` first are not tied to each other. Returns where the ties of each row begin, of
    each tie the other end, counted from the first that is not free, and the weight, and what each has with itself.
    """
    n, first = np.uint64(turn.size), np.uint64(free)
    one = np.uint64(1)
    number = np.empty(n, dtype=np.uint32)
    for i in range(n):
        number[turn[i]] = i
    ties = np.uint64(0)
    for i in range(n):
        u = np.uint64(turn[i])
        for k in range(np.uint64(pointers[u]), np.uint64(pointers[u + one])):
            if number[indices[k]] > i:
                ties += one
    begin = np.zeros(n + one, dtype=np.uint32)
    other, weight = np.empty(ties, dtype=np.uint32), np.empty(ties, dtype=np.float32)
    own = np.zeros(n, dtype=np.float32)
    ties = np.uint64(0)
    for i in range(n):
        u = np.uint64(turn[i])
        for k in range(np.uint64(pointers[u]), np.uint64(pointers[u + one])):
            v = np.uint64(indices[k])
            j = np.uint64(number[v])
            if j > i:
                other[ties], weight[ties] = j - first, values[k] * leaving[v]
                ties += one
            elif j == i:
                own[i] = values[k] * leaving[v]
        begin[i + one] = ties
    return begin, other, weight, own


@compiled
def conjugate(
    begin: np.ndarray,
    other: np.ndarray,
    weight: np.ndarray,
    free: int,
    held: np.ndarray,
    damping: float,
    enough: float,
    most: int,
    r: np.ndarray,
    h: np.ndarray,
    work: np.ndarray,
) -> int:
    """``h`` such that ``held h - damping A h = r``, where A holds the ties laid out by :func:`halve`.

    Conjugate gradients behind incomplete factors (Meijerink and van der Vorst 1977) that change the pivots alone, and
    are exact for the first ``free`` entities: so these take no part until the end. The factors are applied as
    Eisenstat (1981) does: a round is one sweep back and one ahead over the ties of the others, with one over those of
    the first between. It ends once the square of r in the norm of the factors is at most ``enough``, or after
    ``most`` rounds, and returns their number. ``r`` is overwritten; ``work`` holds five rows of zeros for the others.
    """
    n, first = np.uint64(held.size), np.uint64(free)
    one = np.uint64(1)
    many = n - first
    p, t, w, pivot, rest = work[0], work[1], work[2], work[3], work[4]
    x, y = h[first:], r[first:]
    at = begin[first:]
    # what the lower factor makes of r, and the pivots on the way; w gathers what is sent ahead
    for i in range(first):
        sent, part = r[i] / held[i], damping * damping / held[i]
        for k in range(np.uint64(begin[i]), np.uint64(begin[i + one])):
            w[other[k]] += weight[k] * sent
            pivot[other[k]] -= weight[k] * weight[k] * part
    left = 0.0
    for i in range(many):
        a = held[first + i] + pivot[i]
        sent = (y[i] + damping * w[i]) / a
        pivot[i], rest[i] = a, 2.0 - held[first + i] / a
        y[i], w[i] = sent, 0.0
        left += a * sent * sent
        part = damping * damping / a
        for k in range(np.uint64(at[i]), np.uint64(at[i + one])):
            w[other[k]] += weight[k] * sent
            pivot[other[k]] -= weight[k] * weight[k] * part
    again = 0.0
    rounds = 0
    while rounds < most and left > enough:
        rounds += 1
        # t is what the upper factor makes of the direction p
        j = many
        while j > 0:
            j -= one
            heard = 0.0
            for k in range(np.uint64(at[j]), np.uint64(at[j + one])):
                heard += weight[k] * t[other[k]]
            way = y[j] + again * p[j]
            p[j], t[j] = way, way + damping * heard / pivot[j]
        for i in range(first):
            heard = 0.0
            for k in range(np.uint64(begin[i]), np.uint64(begin[i + one])):
                heard += weight[k] * t[other[k]]
            sent = -damping * heard / held[i]
            for k in range(np.uint64(begin[i]), np.uint64(begin[i + one])):
                w[other[k]] += weight[k] * sent
        # w is what the lower one makes of the rest, so that t + w is the table of both sides applied to p
        along = 0.0
        for i in range(many):
            a, way, there = pivot[i], p[i], t[i]
            sent = way - rest[i] * there + damping * w[i] / a
            w[i] = sent
            along += a * way * (there + sent)
            for k in range(np.uint64(at[i]), np.uint64(at[i + one])):
                w[other[k]] += weight[k] * sent
        far, before, left = left / along, left, 0.0
        for i in range(many):
            there = t[i]
            now = y[i] - far * (there + w[i])
            x[i] += far * there
            y[i], w[i] = now, 0.0
            left += pivot[i] * now * now
        again = left / before
    for i in range(first):
        heard = 0.0
        for k in range(np.uint64(begin[i]), np.uint64(begin[i + one])):
            heard += weight[k] * x[other[k]]
        h[i] = (r[i] + damping * heard) / held[i]
    return rounds
