"""Noisy-or on non-backtracking messages: an upper bound of the probability of being reached.

The message of an arc u → v bounds the chance that risk arrives at v through u along a path that has not seen v. All
quantities are kept as ``log(1 - probability)``, so that 1 - 1e-18 and 1 - 1e-12 stay different.

Why it is an upper bound. An entity v is reached when it is a seed or when, for some u, the arc u → v is live and u is
reached in the graph without v. These events grow with every live arc, so by Harris (1960) the chance that none of them
happens is at least the product of their separate chances. Applying this again and again, each time in the graph
without one more entity, gives at most any vector of messages x with F(x) <= x, F being one round of messages.

Three steps find a small such vector. Messages that depend on no circle are computed once, in order, and are exact.
The others are iterated from below until they hardly move. As a limit from below is never quite reached, they are
then raised a little and F is applied a few times: when F^K(x) <= x is seen, x bounds every iterate from below, and so
do F(x), F(F(x)), …
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from riskgraph._optional import kernels
from riskgraph._sparse import runs
from riskgraph.risk._arcs import Arcs

__all__ = ["SURE", "arrivals", "heard", "log_missed", "messages", "missed"]

#: places of arcs; the slice of all of them
Spots = np.ndarray | slice

#: stands for log(0): sums of it stay finite, so that taking one term out again is exact
SURE = -1e200
#: a message this close to certain is not followed on: around a circle of sure arcs it would grow for ever
ENOUGH = -40.0
#: how finely so many messages in circles are iterated
FINE = ((20_000, 1e-13), (2_000_000, 1e-7), (np.inf, 1e-5))

#: messages that a cache holds are written one entity after another, more of them in batches of so many
SMALL, BATCH = 1 << 17, 512


def log_missed(probability: np.ndarray) -> np.ndarray:
    """``log(1 - probability)``, with the finite :data:`SURE` for a probability of 1."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log1p(-probability), SURE)


class _Post:
    """The messages on their way.

    ``outbox`` at the place of arc u → v is the message from u to v; ``inbox`` there is the one from v to u, so that
    what arrives at a node lies side by side.
    """

    def __init__(self, arcs: Arcs, base: np.ndarray, damping: np.ndarray | None) -> None:
        self.arcs, self.base, self.damping = arcs, base, damping
        self.outbox = np.zeros(len(arcs))
        self.inbox = np.zeros(len(arcs))
        self.sure = bool((arcs.p == 1).any())
        self.source, self.begin, self.degree = arcs.source, arcs.out[:-1], np.diff(arcs.out)

    def put(self, spots: Spots, sent: np.ndarray) -> None:
        """Replace the messages of the arcs at ``spots``."""
        if isinstance(spots, slice):
            self.outbox = sent
            np.take(sent, self.arcs.reverse, out=self.inbox, mode="clip")
        else:
            self.outbox[spots] = sent
            self.inbox[self.arcs.reverse[spots]] = sent

    def arrived(self, nodes: np.ndarray) -> tuple[Spots, np.ndarray]:
        """Places of the arcs of ``nodes``; what arrived at their source but for what came back along the arc.

        All arcs, as a slice, when ``nodes`` are most of them.
        """
        if 2 * nodes.size > self.arcs.n:
            return slice(None), _but_echo(self.inbox, self.source, self.arcs.n, self.begin, self.degree > 0)
        spots, _, heard = self.arrived_at(nodes)
        return spots, heard

    def arrived_at(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places of the arcs of ``nodes``, for each the place in ``nodes``, and what arrived but the echo."""
        degree = self.degree[nodes]
        spots, place = runs(self.begin[nodes], degree)
        heard = _but_echo(self.inbox[spots], place, nodes.size, np.cumsum(degree) - degree, degree > 0)
        return spots, place, heard

    def sent(self, spots: Spots, heard: np.ndarray) -> np.ndarray:
        """Messages of the arcs at ``spots`` when their sources heard this; ``heard`` is used up."""
        tail, p = self.source[spots], self.arcs.p[spots]
        if self.damping is not None:
            factor = self.damping[tail]
            hub = np.flatnonzero(factor < 1)
            heard[hub] = np.log1p(factor[hub] * np.expm1(heard[hub]))
        heard += self.base[tail]
        if not self.sure:
            np.expm1(heard, out=heard)
            heard *= p
            return np.asarray(np.log1p(heard, out=heard))
        with np.errstate(divide="ignore"):
            sent = np.maximum(np.log1p(p * np.expm1(heard)), SURE)
        return np.where(p == 1, heard, sent)


def _but_echo(echo: np.ndarray, place: np.ndarray, count: int, begin: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Sum over each run of ``echo``, less the entry itself."""
    if not echo.size:
        return np.zeros(0)
    total = np.zeros(count)
    total[kept] = np.add.reduceat(echo, begin[kept])
    left = total[place]
    # where the echo is most of the total, subtracting it would leave rounding noise
    most = np.flatnonzero(2 * echo < left)
    left -= echo
    if most.size:
        others = echo.copy()
        others[most] = 0.0
        rest = np.zeros(count)
        rest[kept] = np.add.reduceat(others, begin[kept])
        left[most] = rest[place[most]]
    return left


def messages(
    arcs: Arcs,
    base: np.ndarray,
    *,
    damping: np.ndarray | None = None,
    rounds: int | None = None,
    tol: float | None = None,
) -> np.ndarray:
    """Messages of all arcs, as ``log(1 - probability)``: an upper bound, exact where relations form a forest.

    Parameters
    ----------
    base
        ``log(1 - weight)`` of every node, 0 where it is no seed.
    damping
        Chance that a node passes on what it received, where not 1: what a seed starts is passed on always.
    rounds
        Count only paths of at most so many arcs: so many rounds from below are a bound as they are.
    tol
        Relative change of a message below which it is not followed further; None for 1e-13, and 1e-7 or 1e-5 where
        more than 20,000 or two million messages run in circles.
    """
    if rounds is None and len(arcs) < 2**32 and (fast := kernels(len(arcs))):
        done = _compiled(fast, arcs, base, damping, tol)
        logs = np.zeros(len(arcs))
        fast.to_logs(done.inbox, done.reverse, done.old, logs, SURE)
        return logs
    post = _Post(arcs, base, damping)
    if rounds is not None:
        _climb(post, np.flatnonzero(base < 0), rounds, 0.0)
        return post.outbox
    open_ = ~_settle(post)
    if open_.any():
        count = int(np.count_nonzero(open_))
        fine = tol if tol is not None else _fineness(count)
        _climb(post, _distinct(post.source[open_], arcs.n), None, fine)
        _certify(post, open_, fine)
    return post.outbox


def missed(
    arcs: Arcs,
    base: np.ndarray,
    *,
    keep: np.ndarray | None = None,
    damping: np.ndarray | None = None,
    rounds: int | None = None,
    tol: float | None = None,
) -> np.ndarray:
    """``log(1 - probability)`` that each node is reached or is a seed, by the arcs of the mask ``keep`` alone.

    The mask holds the reverse of every arc in it; None for all arcs. For the others see :func:`messages`, whose sums
    these are.
    """
    if rounds is None and len(arcs) < 2**32 and (fast := kernels(len(arcs))):
        done = _compiled(fast, arcs, base, damping, tol, keep)
        logs = base.copy()
        fast.arrived(done.out, done.inbox, done.order, logs, SURE)
        return logs
    arcs = arcs if keep is None else arcs.only(keep)
    return arrivals(arcs, messages(arcs, base, damping=damping, rounds=rounds, tol=tol), base)


def _fineness(count: int) -> float:
    """How finely so many messages in circles are iterated."""
    return next(fine for most, fine in FINE if count <= most)


class _Laid(NamedTuple):
    """Messages of the part that seeds reach, laid out anew: see :mod:`riskgraph._kernels.messages`."""

    order: np.ndarray
    out: np.ndarray
    old: np.ndarray
    reverse: np.ndarray
    inbox: np.ndarray


def _compiled(
    fast: Any,
    arcs: Arcs,
    base: np.ndarray,
    damping: np.ndarray | None,
    tol: float | None,
    keep: np.ndarray | None = None,
) -> _Laid:
    """The same by compiled loops, which take the entities one after another instead of all at once.

    That is a monotone operator with the same least fixed point, so what holds for rounds holds for it.
    """
    target, reverse = (_unsigned(array) for array in (arcs.target, arcs.reverse))
    weight = 0.0 - np.expm1(base)
    kept = np.empty(0, dtype=bool) if keep is None else keep
    order, out, old, target, reverse, p = fast.lay_out(arcs.out.view(np.uint64), target, reverse, arcs.p, weight, kept)
    weight = weight[order]
    factor = np.ones(order.size) if damping is None else damping[order]
    inbox = np.zeros(p.size)
    done = fast.settle(out, target, reverse, p, weight, factor, inbox)
    del target
    count = p.size - np.count_nonzero(done)
    if count:
        fine = tol if tol is not None else _fineness(count)
        batch = BATCH if p.size > SMALL else 0
        fast.climb(out, reverse, p, weight, factor, inbox, done, fine, 2_000, batch)
        down = 2_000 if count <= FINE[0][0] else 0
        fast.certify(out, reverse, p, weight, factor, inbox, done, fine, down, batch)
    return _Laid(order, out, old, reverse, inbox)


def _unsigned(places: np.ndarray) -> np.ndarray:
    """Places as the compiled loops want them; a view where they are as wide."""
    return places.view(np.uint32) if places.dtype == np.int32 else places.astype(np.uint32)


def arrivals(arcs: Arcs, message: np.ndarray, base: np.ndarray) -> np.ndarray:
    """``log(1 - probability)`` that each node is reached or is a seed."""
    total = np.zeros(arcs.n)
    for spots, _ in arcs.stretches():
        total += np.bincount(arcs.target[spots], message[spots], minlength=arcs.n)
    total += base
    return total


def heard(arcs: Arcs, message: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Arcs out of ``nodes``; ``log(1 - probability)`` that something arrives at their source but back along them."""
    degree = np.diff(arcs.out)[nodes]
    spots, place = runs(arcs.out[nodes], degree)
    echo = message[arcs.reverse[spots]]
    return spots, _but_echo(echo, place, nodes.size, np.cumsum(degree) - degree, degree > 0)


def _settle(post: _Post) -> np.ndarray:
    """Compute the messages that depend on no circle, in their order; mask of these, by arc."""
    arcs = post.arcs
    comes = arcs.p[arcs.reverse] > 0
    done = arcs.p == 0
    # per node: how many messages are still to arrive, and the sum of the places they will arrive at
    waits = np.bincount(post.source[comes], minlength=arcs.n)
    places = np.bincount(post.source[comes], np.flatnonzero(comes), minlength=arcs.n).astype(np.int64)
    ready = np.flatnonzero((waits <= 1) & (post.degree > 0))
    while ready.size:
        spots, place, heard = post.arrived_at(ready)
        # where one message is missing, only the arc it will come along backwards needs none but those that came
        fresh = ~done[spots] & ((waits[ready] == 0)[place] | (spots == places[ready][place]))
        spots = spots[fresh]
        post.put(spots, post.sent(spots, heard[fresh]))
        done[spots] = True
        target = arcs.target[spots]
        np.subtract.at(waits, target, 1)
        np.subtract.at(places, target, arcs.reverse[spots])
        ready = _distinct(target, arcs.n)
        ready = ready[waits[ready] <= 1]
    return done


def _climb(post: _Post, active: np.ndarray, rounds: int | None, tol: float) -> None:
    """Rounds from below, until no message moves by more than ``tol`` of itself."""
    done = 0
    while active.size and (rounds is None or done < rounds):
        done += 1
        spots, heard = post.arrived(active)
        sent = post.sent(spots, heard)
        old = post.outbox[spots]
        follow = np.flatnonzero((old - sent > -tol * sent) & (old > ENOUGH))
        post.put(spots, np.minimum(sent, old))
        moved = follow if isinstance(spots, slice) else spots[follow]
        active = _distinct(post.arcs.target[moved], post.arcs.n)


def _distinct(nodes: np.ndarray, n: int) -> np.ndarray:
    if nodes.size * 20 < n:
        return np.unique(nodes).astype(np.int64)
    mask = np.zeros(n, dtype=bool)
    mask[nodes] = True
    return np.flatnonzero(mask)


def _certify(post: _Post, open_: np.ndarray, tol: float) -> None:
    """Raise the open messages, which rounds from below do not finish, to a vector that bounds them."""
    nodes = _distinct(post.source[open_], post.arcs.n)
    spots, _ = post.arrived(nodes)
    below = post.outbox[spots].copy()
    # settled messages are exact, and a message that is nothing after all these rounds stays nothing
    fixed = np.flatnonzero(~open_[spots] | (below == 0))

    def after(now: np.ndarray) -> np.ndarray:
        post.put(spots, now)
        new = np.minimum(post.sent(spots, post.arrived(nodes)[1]), below)
        new[fixed] = below[fixed]
        return new

    slack = 1 + 4e-15  # rounding of one round
    rise = 30 * tol
    while rise < 1:
        start = below * (1 + rise)
        start[fixed] = below[fixed]
        now = start
        for _ in range(40):
            now = after(now)
            if (now >= start * slack).all():
                post.put(spots, _descend(after, now, 60 if below.size <= FINE[0][0] else 0, tol))
                return
        rise *= 30
    # every round down from certainty is a bound, too
    start = log_missed(post.arcs.p[spots])
    start[fixed] = below[fixed]
    post.put(spots, _descend(after, start, 2_000, tol))


def _descend(after: Callable[[np.ndarray], np.ndarray], now: np.ndarray, rounds: int, tol: float) -> np.ndarray:
    """Rounds down from a bound, until it stands still or ``rounds`` are used up."""
    for _ in range(rounds):
        new = np.maximum(after(now), now)
        still = bool((new - now <= -0.01 * tol * now).all())
        now = new
        if still:
            break
    return now
