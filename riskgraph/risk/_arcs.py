"""Directed arcs along which risk passes: parallel relations of an ordered pair merged, each arc beside its echo."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from riskgraph._sparse import expand, row_pointers, strong_components

__all__ = ["Arcs", "merge_arcs", "sure_circles"]


@dataclass(frozen=True)
class Arcs:
    """Arcs of ``n`` nodes, sorted by source, then target; each ordered pair once, and each with its reverse.

    Where risk passes one way only, the reverse has ``p = 0``: the arcs out of a node are then also a list of the arcs
    into it, in the same order.
    """

    n: int
    source: np.ndarray
    target: np.ndarray
    #: probability that the arc transmits
    p: np.ndarray
    #: position of the arc the other way round
    reverse: np.ndarray
    #: where the arcs out of each node begin
    out: np.ndarray
    #: the relations merged into each arc: where they begin, their base row, their own probability, whether backward
    part: np.ndarray
    row: np.ndarray
    part_p: np.ndarray
    backward: np.ndarray

    def __len__(self) -> int:
        return int(self.source.size)

    def leaving(self, nodes: np.ndarray) -> np.ndarray:
        """Positions of the arcs out of ``nodes``."""
        return expand(self.out, nodes)[0]

    def entering(self, node: int) -> np.ndarray:
        """Positions of the arcs into a node, by source."""
        return self.reverse[self.out[node] : self.out[node + 1]]

    def rows_of(self, arc: int) -> tuple[int, ...]:
        """Base rows of the relations that transmit along an arc, the likeliest first."""
        parts = slice(int(self.part[arc]), int(self.part[arc + 1]))
        chance = self.part_p[parts]
        order = np.argsort(-chance, kind="stable")
        return tuple(int(row) for row in self.row[parts][order[chance[order] > 0]])

    def main_part(self, arcs: np.ndarray) -> np.ndarray:
        """Position in ``row`` of the likeliest relation of each arc."""
        parts, place = expand(self.part, arcs)
        best = np.full(arcs.size, -1, dtype=np.int64)
        order = np.lexsort((-np.arange(parts.size), self.part_p[parts]))
        best[place[order]] = parts[order]
        return best

    def only(self, keep: np.ndarray) -> Arcs:
        """The arcs of a mask alone, without their relations; the mask holds the reverse of every arc in it."""
        source = self.source[keep]
        nothing = np.empty(0, dtype=np.int64)
        return replace(
            self,
            source=source,
            target=self.target[keep],
            p=self.p[keep],
            reverse=(np.cumsum(keep) - 1)[self.reverse[keep]],
            out=row_pointers(self.n, source),
            part=nothing,
            row=nothing,
            part_p=nothing,
            backward=nothing,
        )


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
    source, target, there, back, row = (array[useful] for array in (source, target, there, back, row))
    tail = np.concatenate([source, target])
    head = np.concatenate([target, source])
    order = _by_value(head, n)
    order = order[_by_value(tail[order], n)]
    tail, head = tail[order], head[order]
    p = np.concatenate([there, back])[order]
    first = np.ones(tail.size, dtype=bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    begin = np.flatnonzero(first)
    part = np.append(begin, tail.size).astype(np.int32 if tail.size < 2**31 else np.int64)
    merged = p[begin]
    several = np.flatnonzero(np.diff(part) > 1)
    if several.size:
        spots, place = expand(part, several)
        with np.errstate(divide="ignore"):
            missed = np.bincount(place, np.log1p(-p[spots]), minlength=several.size)
        merged[several] = 0.0 - np.expm1(missed)
    tail, head = tail[begin], head[begin]
    return Arcs(
        n=n,
        source=tail,
        target=head,
        p=merged,
        # sorted by target, the arcs are the reversed ones sorted by source
        reverse=_by_value(head, n),
        out=row_pointers(n, tail),
        part=part,
        row=np.concatenate([row, row])[order],
        part_p=p,
        backward=order >= source.size,
    )


def sure_circles(arcs: Arcs, damping: np.ndarray | None) -> tuple[Arcs, np.ndarray] | None:
    """Arcs between groups that reach each other surely, and the group of each node; None when there is no group.

    Whoever is in such a group is reached when any of it is. Hubs, which may keep what they receive, stay alone.
    """
    sure = arcs.p == 1
    if damping is not None:
        sure &= (damping[arcs.source] == 1) & (damping[arcs.target] == 1)
    sure = np.flatnonzero(sure)
    if not sure.size:
        return None
    count, group = strong_components(arcs.n, arcs.source[sure], arcs.target[sure])
    if count == arcs.n:
        return None
    once = np.flatnonzero(arcs.source < arcs.target)
    there, back = arcs.p[once], arcs.p[arcs.reverse[once]]
    return merge_arcs(count, group[arcs.source[once]], group[arcs.target[once]], there, back, once), group


def _by_value(values: np.ndarray, n: int) -> np.ndarray:
    """Stable order of integers below ``n``: a counting sort, as a sparse matrix is turned over."""
    count = values.size
    kind = np.int32 if count < 2**31 and n < 2**31 else np.int64
    table = csr_array(
        (np.arange(count, dtype=kind), values.astype(kind, copy=False), np.arange(count + 1, dtype=kind)),
        shape=(count, n),
    )
    return np.asarray(table.tocsc().data)
