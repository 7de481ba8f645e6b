"""Shortest ways over sparse tables, from many nodes outward at once, within a limit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskgraph._sparse import expand, row_pointers, runs

__all__ = ["Network", "Spread", "matches", "network"]


class Spread(NamedTuple):
    """What is met from many starts: one row a start and node, fewer steps first.

    ``start`` counts the starts, ``before`` is the row one step nearer to it (-1 at the start itself), ``position`` the
    relation of the step. ``keys, rows`` find the first row of a start and node.
    """

    start: np.ndarray
    node: np.ndarray
    before: np.ndarray
    position: np.ndarray
    keys: np.ndarray
    rows: np.ndarray
    fold: int

    def find(self, start: np.ndarray, node: np.ndarray) -> np.ndarray:
        """Row of each start and node, -1 where the node is not met."""
        wanted = start * self.fold + node
        spots = np.minimum(np.searchsorted(self.keys, wanted), max(self.keys.size - 1, 0))
        return (
            np.where(self.keys[spots] == wanted, self.rows[spots], -1) if self.keys.size else np.full(wanted.size, -1)
        )

    def way(self, row: int) -> tuple[list[int], list[int]]:
        """Nodes from the start to the one of a row, and the positions of the steps between them."""
        nodes: list[int] = []
        positions: list[int] = []
        while row >= 0:
            nodes.append(int(self.node[row]) % self.fold)
            positions.append(int(self.position[row]))
            row = int(self.before[row])
        return nodes[::-1], positions[-2::-1]


class Network(NamedTuple):
    """Steps between nodes with the position of the relation each rests on, sorted by source.

    Nodes from ``fold`` on are second copies of the first ones.
    """

    indptr: np.ndarray
    target: np.ndarray
    position: np.ndarray
    #: False for nodes a way may end at but not pass
    passes: np.ndarray
    fold: int

    def spread(self, starts: np.ndarray, most: int) -> Spread:
        """Everything within ``most`` steps of each start, each node once and by a shortest way."""
        size = self.passes.size
        start, node = np.arange(starts.size), np.asarray(starts, dtype=np.int64)
        none = np.full(starts.size, -1)
        parts = [(start, node, none, none)]
        seen, first = start * size + node, 0
        for step in range(most):
            go = np.flatnonzero(self.passes[node]) if step else start
            spots, place = expand(self.indptr, node[go])
            key = start[go[place]] * size + self.target[spots]
            new, once = np.unique(key, return_index=True)
            once = np.sort(once[~np.isin(new, seen, assume_unique=True)])
            if not once.size:
                break
            parts.append((key[once] // size, key[once] % size, first + go[place[once]], self.position[spots[once]]))
            first += node.size
            start, node = parts[-1][:2]
            seen = np.concatenate([seen, key[once]])
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        keys, rows = np.unique(columns[0] * self.fold + columns[1] % self.fold, return_index=True)
        return Spread(columns[0], columns[1], columns[2], columns[3], keys, rows, self.fold)


def network(
    fold: int, source: np.ndarray, target: np.ndarray, position: np.ndarray, passes: np.ndarray | None = None
) -> Network:
    """Network of steps; ``passes`` gives the nodes that ways may pass, as many as there are nodes."""
    passes = np.ones(fold, dtype=bool) if passes is None else passes
    order = np.argsort(source, kind="stable")
    return Network(row_pointers(passes.size, source), target[order], position[order], passes, fold)


def matches(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of all pairs of equal values, in the order of ``left``, then of ``right``."""
    order = np.argsort(right, kind="stable")
    begin, end = np.searchsorted(right[order], left), np.searchsorted(right[order], left, side="right")
    spots, place = runs(begin, end - begin)
    return place, order[spots]
