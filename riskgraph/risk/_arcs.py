"""Directed arcs along which risk passes: parallel relations of an ordered pair merged, each arc beside its echo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from riskgraph._sparse import row_pointers, runs, strong_components

__all__ = ["Arcs", "merge_arcs", "sure_circles"]

#: arcs that are worked on at once, so that what a step needs beside its result stays small
STRETCH = 1 << 24


class Parallel(NamedTuple):
    """The relations of the arcs that are made of several, the likeliest first."""

    #: the arcs, ascending, and where the relations of each begin
    arc: np.ndarray
    begin: np.ndarray
    #: base row of each relation, ``~row`` where it is passed backward, and its own probability
    relation: np.ndarray
    p: np.ndarray


_ALONE = Parallel(*(np.empty(0, dtype=np.int32),) * 3, np.empty(0))


@dataclass(frozen=True)
class Arcs:
    """Arcs of ``n`` nodes, sorted by source, then target; each ordered pair once, and each with its reverse.

    Where risk passes one way only, the reverse has ``p = 0``: the arcs out of a node are then also a list of the arcs
    into it, in the same order. 20 bytes an arc; the source of an arc is known by its place.
    """

    n: int
    target: np.ndarray
    #: probability that the arc transmits
    p: np.ndarray
    #: position of the arc the other way round
    reverse: np.ndarray
    #: where the arcs out of each node begin
    out: np.ndarray
    #: base row of the likeliest relation merged into each arc, ``~row`` where it is passed backward
    relation: np.ndarray
    #: all relations of the arcs that have several
    parallel: Parallel = field(default=_ALONE, repr=False)

    def __len__(self) -> int:
        return int(self.target.size)

    @property
    def source(self) -> np.ndarray:
        """Sources of all arcs, made anew each time; :meth:`tails` gives those of a few."""
        return _tails(self.out, 0, self.n)

    def tails(self, arcs: np.ndarray) -> np.ndarray:
        """Sources of a few arcs."""
        return np.searchsorted(self.out, arcs, side="right") - 1

    def stretches(self) -> Iterator[tuple[slice, np.ndarray]]:
        """All arcs, a stretch at a time, with their sources."""
        for first, last in _cuts(self.out):
            yield slice(int(self.out[first]), int(self.out[last])), _tails(self.out, first, last)

    def shares(self, nodes: np.ndarray) -> list[np.ndarray]:
        """Nodes cut where the arcs out of them would be more than a stretch."""
        count = np.cumsum(self.out[nodes + 1] - self.out[nodes])
        return np.split(nodes, np.searchsorted(count, np.arange(STRETCH, int(count[-1]), STRETCH)))

    def entering(self, node: int) -> np.ndarray:
        """Positions of the arcs into a node, by source."""
        return self.reverse[self.out[node] : self.out[node + 1]]

    def rows_of(self, arc: int) -> tuple[int, ...]:
        """Base rows of the relations that transmit along an arc, the likeliest first."""
        many = self.parallel
        place = int(np.searchsorted(many.arc, many.arc.dtype.type(arc)))
        if place < many.arc.size and many.arc[place] == arc:
            parts = slice(int(many.begin[place]), int(many.begin[place + 1]))
            return tuple(_rows(many.relation[parts][many.p[parts] > 0])[0].tolist())
        return tuple(_rows(self.relation[arc : arc + 1])[0].tolist()) if self.p[arc] > 0 else ()

    def main_rows(self, arcs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Base row of the likeliest relation of each arc, and whether it is passed backward."""
        return _rows(self.relation[arcs])

    def chances(self, count: int) -> np.ndarray:
        """Probability that each of ``count`` base rows transmits: forward in the first row, backward in the second."""
        p = np.zeros((2, count))
        for relation, chance in ((self.relation, self.p), (self.parallel.relation, self.parallel.p)):
            row, backward = _rows(relation)
            p[backward.astype(np.int8), row] = chance
        return p

    def only(self, keep: np.ndarray) -> Arcs:
        """The arcs of a mask alone, without their relations; the mask holds the reverse of every arc in it."""
        before = np.zeros(len(self) + 1, dtype=self.reverse.dtype)
        np.cumsum(keep, out=before[1:])
        return Arcs(
            n=self.n,
            target=self.target[keep],
            p=self.p[keep],
            reverse=before[self.reverse[keep]],
            out=before[self.out].astype(np.int64),
            relation=np.empty(0, dtype=np.int32),
        )


def _rows(relation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Base rows, and whether each is passed backward."""
    backward = relation < 0
    return np.where(backward, ~relation, relation), backward


def _tails(out: np.ndarray, first: int, last: int) -> np.ndarray:
    kind = np.int32 if out.size < 2**31 else np.int64
    return np.repeat(np.arange(first, last, dtype=kind), np.diff(out[first : last + 1]))


def _cuts(out: np.ndarray) -> list[tuple[int, int]]:
    """Nodes from which to which a stretch of arcs goes."""
    ends = np.arange(STRETCH, int(out[-1]), STRETCH)
    cuts = np.unique(np.concatenate([[0], np.searchsorted(out, ends), [out.size - 1]]))
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


def merge_arcs(
    n: int, source: np.ndarray, target: np.ndarray, there: np.ndarray, back: np.ndarray, row: np.ndarray
) -> Arcs:
    """Arcs of relations with a probability each way, parallel ones merged to ``1 - prod(1 - p)``.

    Loops and relations that transmit nothing are left out.

    Examples
    --------
    >>> arcs = merge_arcs(2, np.array([0, 0]), np.array([1, 1]), np.array([0.04, 0.16]), np.zeros(2), np.array([7, 8]))
    >>> arcs.p.round(12)
    array([0.1936, 0.    ])
    """
    useful = ((there > 0) | (back > 0)) & (source != target)
    if not useful.all():
        source, target, there, back, row = (array[useful] for array in (source, target, there, back, row))
    del useful
    halves = np.bincount(source, minlength=n)
    halves += np.bincount(target, minlength=n)
    begin = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(halves, out=begin[1:])
    del halves
    most = int(begin[-1])
    # what is not used of these takes no memory
    heads, p, relation = np.empty(most, np.int32), np.empty(most), np.empty(most, np.int32)
    out = np.zeros(n + 1, dtype=np.int64)
    several: list[tuple[np.ndarray, ...]] = []
    made = 0
    for first, last in _cuts(begin):
        ahead, behind = (np.flatnonzero((end >= first) & (end < last)) for end in (source, target))
        tail = np.concatenate([source[ahead], target[behind]])
        tail -= first
        head = np.concatenate([target[ahead], source[behind]])
        chance = np.concatenate([there[ahead], back[behind]])
        rows = np.concatenate([row[ahead], ~row[behind]])
        tail, head, chance, rows, many = _merged(n, tail, head, chance, rows)
        here = slice(made, made + head.size)
        heads[here], p[here], relation[here] = head, chance, rows
        out[first + 1 : last + 1] = made + row_pointers(last - first, tail)[1:]
        several.append((many[0] + made, *many[1:]))
        made += head.size
    heads, p, relation = heads[:made], p[:made], relation[:made]
    parallel = _ALONE
    if several:
        arc, count, relations, chances = (np.concatenate(parts) for parts in zip(*several, strict=True))
        parallel = Parallel(arc.astype(np.int32), np.append(0, np.cumsum(count)), relations, chances)
    kind = np.int32 if made < 2**31 else np.int64
    table = csr_array((np.arange(made, dtype=kind), heads.astype(kind, copy=False), out.astype(kind)), shape=(n, n))
    # sorted by target, the arcs are the reversed ones sorted by source
    return Arcs(n, heads, p, np.asarray(table.tocsc().data), out, relation, parallel)


def _merged(
    n: int, tail: np.ndarray, head: np.ndarray, p: np.ndarray, relation: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Tail, head, probability and likeliest relation of each arc; of those of several: arc, count, relations, p."""
    order = _by_value(head, n)
    order = order[_by_value(tail[order], n)]
    tail, head, p, relation = tail[order], head[order], p[order], relation[order]
    first = np.ones(tail.size, dtype=bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    begin = np.flatnonzero(first)
    count = np.diff(begin, append=tail.size)
    several = np.flatnonzero(count > 1)
    merged, main = p[begin], relation[begin]
    spots, place = runs(begin[several], count[several])
    with np.errstate(divide="ignore"):
        missed = np.bincount(place, np.log1p(-p[spots]), minlength=several.size)
    merged[several] = 0.0 - np.expm1(missed)
    spots = spots[np.lexsort((-p[spots], place))]
    count = count[several]
    main[several] = relation[spots[np.cumsum(count) - count]]
    return tail[begin], head[begin], merged, main, (several, count, relation[spots], p[spots])


def sure_circles(arcs: Arcs, damping: np.ndarray | None) -> tuple[Arcs, np.ndarray] | None:
    """Arcs between groups that reach each other surely, and the group of each node; None when there is no group.

    Whoever is in such a group is reached when any of it is. Hubs, which may keep what they receive, stay alone.
    """
    sure = np.flatnonzero(arcs.p == 1)
    tail, head = arcs.tails(sure), arcs.target[sure]
    if damping is not None:
        free = (damping[tail] == 1) & (damping[head] == 1)
        tail, head = tail[free], head[free]
    if not tail.size:
        return None
    count, group = strong_components(arcs.n, tail, head)
    if count == arcs.n:
        return None
    once = np.flatnonzero(arcs.reverse > np.arange(len(arcs)))
    tail, head = group[arcs.tails(once)], group[arcs.target[once]]
    return merge_arcs(count, tail, head, arcs.p[once], arcs.p[arcs.reverse[once]], once), group


def _by_value(values: np.ndarray, n: int) -> np.ndarray:
    """Stable order of integers below ``n``: a counting sort, as a sparse matrix is turned over."""
    count = values.size
    kind = np.int32 if count < 2**31 and n < 2**31 else np.int64
    table = csr_array(
        (np.arange(count, dtype=kind), values.astype(kind, copy=False), np.arange(count + 1, dtype=kind)),
        shape=(count, n),
    )
    return np.asarray(table.tocsc().data)
