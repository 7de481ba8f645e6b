"""The messages of the cascade."""

from __future__ import annotations

import numpy as np

from riskgraph._kernels._compile import compiled

__all__ = ["arrived", "certify", "climb", "lay_out", "settle", "to_logs"]

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
    out: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
    outbox: np.ndarray,
    after: np.ndarray,
    after_miss: np.ndarray,
) -> None:
    """What ``u`` would send along each of its arcs, into the first places of ``outbox``."""
    first, last = out[u], out[u + 1]
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
    out: np.ndarray,
    target: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    keep: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """The part that seeds reach, breadth first, so that entities tied to each other lie near each other in memory.

    Only the arcs of the mask ``keep`` are there, all when it is empty.
    Returns the entities in their new order, where the arcs of each begin, and the old place, the target, the reverse
    and the probability of each arc.
    """
    n = out.size - 1
    whole = keep.size == 0
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
        for k in range(out[u_], out[u_ + 1]):
            v = target[k]
            if p[k] > 0.0 and number[v] == nowhere and (whole or keep[k]):
                number[v] = count
                order[count] = v
                count += 1
    place = np.empty(p.size, dtype=np.uint32)
    old = np.empty(p.size, dtype=np.uint32)
    new_out = np.empty(count + 1, dtype=np.uint64)
    for i in range(count):
        u_ = order[i]
        new_out[i] = total
        for k in range(out[u_], out[u_ + 1]):
            if number[target[k]] != nowhere and (whole or keep[k]):
                place[k] = total
                old[total] = k
                total += 1
    new_out[count] = total
    order, old = order[:count], old[:total]
    new_target, new_reverse = np.empty(total, dtype=np.uint32), np.empty(total, dtype=np.uint32)
    new_p = np.empty(total)
    for i in range(total):
        k_ = old[i]
        new_target[i] = number[target[k_]]
        new_reverse[i] = place[reverse[k_]]
        new_p[i] = p[k_]
    return order, new_out, old, new_target, new_reverse, new_p


@compiled
def settle(
    out: np.ndarray,
    target: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
) -> np.ndarray:
    """Compute the messages that depend on no circle, in their order; mask of the arcs whose message is known."""
    n = out.size - 1
    widest = np.uint64(0)
    done = np.zeros(p.size, dtype=np.bool_)
    waits = np.zeros(n, dtype=np.int64)
    queue = np.empty(n, dtype=np.uint32)
    queued = np.zeros(n, dtype=np.bool_)
    head, tail, waiting = np.uint64(0), np.uint64(0), 0
    one = np.uint64(1)
    for u in range(n):
        widest = max(widest, out[u + 1] - out[u])
        for k in range(out[u], out[u + 1]):
            done[k] = p[k] == 0.0
            if p[reverse[k]] > 0.0:
                waits[u] += 1
        if waits[u] <= 1 and out[u + 1] > out[u]:
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
        for k in range(out[u], out[u + 1]):
            # where one message is missing, only the arc it will come along backwards needs none but those that came
            if not done[k] and (waits[u] == 0 or not done[reverse[k]]):
                some = True
        if not some:
            continue
        _send(u, out, p, weight, damping, inbox, outbox, after, after_miss)
        for k in range(out[u], out[u + 1]):
            if done[k] or not (waits[u] == 0 or not done[reverse[k]]):
                continue
            done[k] = True
            inbox[reverse[k]] = outbox[k - out[u]]
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
def _desk(out: np.ndarray, batch: int) -> tuple[np.ndarray, ...]:
    """Room for the arcs of one entity, twice, and for those of a batch, twice."""
    widest = np.uint64(0)
    for u in range(out.size - 1):
        widest = max(widest, out[u + 1] - out[u])
    room = max(widest, np.uint64(batch))
    return np.empty(widest), np.empty(widest), np.empty(room), np.empty(room)


@compiled
def _sweep(
    out: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
    done: np.ndarray,
    step: np.ndarray,
    down: bool,
    desk: tuple[np.ndarray, ...],
    batch: int,
) -> tuple[float, float, float]:
    """Let every entity send its open messages anew, a batch after the other; on the way ``down`` none rises.

    A batch are entities with ``batch`` arcs in all, or a single one. Its messages are written together, so that the
    processor waits for many places in memory at once; the larger it is, the more rounds it takes. ``step`` takes
    what each message moved by, unless it is empty. Returns the greatest relative move, and the products of relative
    moves with those before, and of those before with themselves.
    """
    after, after_miss, sent, unsent = desk
    most, across, along = 0.0, 0.0, 0.0
    kept_steps = step.size > 0
    one, most_arcs = np.uint64(1), np.uint64(batch)
    n = out.size - 1
    begin = 0
    while begin < n:
        end = begin + 1
        while end < n and out[end + 1] - out[begin] <= most_arcs:
            end += 1
        here = out[begin]
        for u in range(begin, end):
            first, last = out[u], out[u + 1]
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
                sent[k - here] = p[k] * (heard + w * unheard)
                unsent[k - here] = (1.0 - p[k]) + p[k] * (unheard * (1.0 - w))
        for k in range(here, out[end]):
            if done[k]:
                continue
            m, mm = sent[k - here], unsent[k - here]
            spot = reverse[k]
            old = inbox[spot]
            moved = (m if m <= 0.5 else 1.0 - mm) - old if old >= 0.0 else -old - mm
            if down and moved >= 0.0:
                continue
            inbox[spot] = m if m <= 0.5 else -max(mm, 5e-324)
            if m > 0.0:
                if kept_steps:
                    part, before = 1.0 / (m * m), step[k]
                    across += part * moved * before
                    along += part * before * before
                    step[k] = moved
                if abs(moved) > most * m * mm and mm > 0.0:
                    most = abs(moved) / (m * mm)
        begin = end
    return most, across, along


@compiled
def climb(
    out: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
    done: np.ndarray,
    tol: float,
    rounds: int,
    batch: int,
) -> int:
    """Messages in circles, sent until none moves by more than ``tol`` of itself; how many rounds that took.

    After some rounds all messages move in proportion, as one mode of the circles outlasts the others: then they are
    moved on by what is left of that geometric series (Aitken 1926). Nothing rests on it: see :func:`certify`.
    """
    desk = _desk(out, batch)
    step = np.zeros(p.size, dtype=np.float32)
    rate_before, since = 0.0, 0
    for number in range(rounds):
        most, across, along = _sweep(out, reverse, p, weight, damping, inbox, done, step, False, desk, batch)
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
def _raised(kept: float, rise: float) -> float:
    m, mm = (kept, 1.0 - kept) if kept >= 0.0 else (1.0 + kept, -kept)
    more = m + rise * m * mm
    return more if more <= 0.5 else -(mm * (1.0 - rise * m))


@compiled
def certify(
    out: np.ndarray,
    reverse: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
    inbox: np.ndarray,
    done: np.ndarray,
    tol: float,
    rounds: int,
    batch: int,
) -> int:
    """Raise the open messages a little and send them until none lies above where it began: then they are bounds.

    Sending is monotone, so a vector that some rounds lower everywhere lies above the least fixed point, and so does
    what those rounds make of it. Up to ``rounds`` more bring it nearer. Returns how many rounds it took.
    """
    desk = _desk(out, batch)
    step = np.empty(0, dtype=np.float32)
    found = inbox.copy()
    taken = 0
    rise = 30.0 * tol
    holds = False
    while rise < 1.0 and not holds:
        for k in range(p.size):
            j = np.uint64(k)
            if not done[reverse[j]]:
                inbox[j] = _raised(found[j], rise)
        for _ in range(40):
            _sweep(out, reverse, p, weight, damping, inbox, done, step, False, desk, batch)
            taken += 1
            holds = True
            for k in range(p.size):
                j = np.uint64(k)
                now, top = inbox[j], found[j] if done[reverse[j]] else _raised(found[j], rise)
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
        most, _, _ = _sweep(out, reverse, p, weight, damping, inbox, done, step, True, desk, batch)
        taken += 1
        if most <= 0.01 * tol:
            break
    return taken


@compiled
def _log(kept: float, sure: float) -> float:
    if kept >= 0.0:
        return np.log1p(-kept)
    return np.log(-kept) if kept <= -1e-300 else sure


@compiled
def to_logs(inbox: np.ndarray, reverse: np.ndarray, old: np.ndarray, logs: np.ndarray, sure: float) -> None:
    """``log(1 - m)`` of the message along each arc, written to its old place."""
    for k in range(inbox.size):
        j = np.uint64(k)
        logs[old[j]] = _log(inbox[reverse[j]], sure)


@compiled
def arrived(out: np.ndarray, inbox: np.ndarray, order: np.ndarray, logs: np.ndarray, sure: float) -> None:
    """Add ``log(1 - m)`` of all messages to each entity to what stands in ``logs`` at its old place."""
    for u in range(out.size - 1):
        total = 0.0
        for k in range(out[u], out[u + 1]):
            total += _log(inbox[k], sure)
        logs[order[u]] += total
