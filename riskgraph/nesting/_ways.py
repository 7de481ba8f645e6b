"""Shortest ways over sparse tables, from one node outward, within a limit."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from riskgraph._sparse import row_pointers

__all__ = ["Network", "network"]


class Network(NamedTuple):
    """Steps between nodes with the position of the relation each rests on, sorted by source."""

    indptr: np.ndarray
    target: np.ndarray
    position: np.ndarray
    #: False for nodes a way may end at but not pass
    passes: np.ndarray

    def ways(self, start: int, most: int) -> dict[int, tuple[int, int]]:
        """Nodes within ``most`` steps → the node before and the position of the last step."""
        before = {start: (-1, -1)}
        queue = deque([(start, 0)])
        while queue:
            node, steps = queue.popleft()
            if steps == most or (node != start and not self.passes[node]):
                continue
            for spot in range(int(self.indptr[node]), int(self.indptr[node + 1])):
                near = int(self.target[spot])
                if near not in before:
                    before[near] = (node, int(self.position[spot]))
                    queue.append((near, steps + 1))
        return before


def network(
    n: int, source: np.ndarray, target: np.ndarray, position: np.ndarray, passes: np.ndarray, *, both: bool = False
) -> Network:
    """Network of steps; ``both`` lets them be taken backward too."""
    if both:
        source, target = np.r_[source, target], np.r_[target, source]
        position = np.r_[position, position]
    order = np.argsort(source, kind="stable")
    return Network(row_pointers(n, source), target[order], position[order], passes)


def way_to(before: dict[int, tuple[int, int]], node: int) -> tuple[list[int], list[int]]:
    """Nodes from the start to ``node``, and the positions of the steps between them."""
    nodes, positions = [node], []
    while before[nodes[-1]][0] >= 0:
        near, position = before[nodes[-1]]
        nodes.append(near)
        positions.append(position)
    return nodes[::-1], positions[::-1]
