"""Which owners a penetration chart shows: the largest shares of each layer, the rest counted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskgraph.graph import EntityGraph
from riskgraph.schema import RELATION_KINDS

__all__ = ["Climb", "climb"]

#: entities counted above or below the last layer drawn; then the count is given as "at least"
_BUDGET = 100_000


class Climb(NamedTuple):
    """What is drawn, and what is not."""

    #: entities drawn, the root first, by distance
    nodes: list[int]
    #: (nearer entity, farther entity) -> positions in ``columns`` of the relations drawn as one line
    links: dict[tuple[int, int], list[int]]
    #: entity -> how many of its owners are left out, and the least share they hold together (NaN where not declared)
    beside: dict[int, tuple[int, float]]
    #: entities in the last layer drawn that have more beyond it
    cut: list[int]
    #: levels and entities beyond the last layer, and whether the count stopped early
    beyond: tuple[int, int, bool]


def climb(graph: EntityGraph, root: int, *, up: bool, max_depth: int, max_width: int) -> Climb:
    """Walk from an entity to its owners (``up``) or its holdings, layer by layer."""
    columns = graph.columns
    rows = columns.of("owns", "controls")
    near, far = columns.target[rows], columns.source[rows]
    if not up:
        near, far = far, near
    share = columns.share_min[rows]
    # agreements come first, shares by size, undeclared ones last
    worth = np.where(columns.kind[rows] == RELATION_KINDS.index("controls"), 2.0, np.nan_to_num(share, nan=-1.0))
    order = np.argsort(near, kind="stable")
    starts = np.searchsorted(near[order], np.arange(len(graph) + 1))

    def onward(nodes: np.ndarray) -> np.ndarray:
        """Places in ``rows`` of the relations from nodes to the next layer."""
        parts = [order[starts[node] : starts[node + 1]] for node in nodes.tolist()]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

    drawn = np.zeros(len(graph), dtype=bool)
    drawn[root] = True
    layer = np.array([root])
    nodes = [root]
    beside: dict[int, tuple[int, float]] = {}
    walked = []
    for _ in range(max_depth):
        spots = onward(layer)
        new = spots[~drawn[far[spots]]]
        best = new[np.lexsort((new, -worth[new]))]
        _, first = np.unique(far[best], return_index=True)
        chosen = far[best[np.sort(first)[:max_width]]]
        drawn[chosen] = True
        walked.append(spots)
        lost = new[~drawn[far[new]]]
        for node in np.unique(near[lost]).tolist():
            mine = lost[near[lost] == node]
            sums = share[mine]
            beside[node] = (np.unique(far[mine]).size, float(np.nansum(sums)) if np.isfinite(sums).any() else np.nan)
        nodes += chosen.tolist()
        layer = chosen
        if not chosen.size:
            break
    spots = onward(layer)
    outside = spots[~drawn[far[spots]]]
    walked.append(spots[drawn[far[spots]]])
    cut = np.unique(near[outside]).tolist()
    links: dict[tuple[int, int], list[int]] = {}
    every = np.concatenate(walked)
    for spot in np.sort(every[drawn[far[every]]]).tolist():
        links.setdefault((int(near[spot]), int(far[spot])), []).append(int(rows[spot]))
    return Climb(nodes, links, beside, cut, _beyond(np.unique(far[outside]), drawn.copy(), far, onward))


def _beyond(layer: np.ndarray, seen: np.ndarray, far: np.ndarray, onward) -> tuple[int, int, bool]:  # type: ignore[no-untyped-def]
    levels = count = 0
    while layer.size:
        levels, count = levels + 1, count + layer.size
        if count > _BUDGET:
            return levels, count, True
        seen[layer] = True
        spots = onward(layer)
        layer = np.unique(far[spots][~seen[far[spots]]])
    return levels, count, False
