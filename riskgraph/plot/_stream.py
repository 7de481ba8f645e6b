"""Which funding a flow chart shows: the greatest amounts of each step, the others summed, loops named."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskgraph.graph import EntityGraph
from riskgraph.plot._layers import layer_of

__all__ = ["Link", "Stream", "stream"]


class Link(NamedTuple):
    """All funding of one pair."""

    source: int
    target: int
    amount: float  # NaN where no amount is on record
    partly: bool  # whether some of the relations have none


class Stream(NamedTuple):
    """What is drawn, and how many entities are not."""

    column: dict[int, int]
    links: list[Link]
    back: set[tuple[int, int]]
    others: dict[int, int]  # number of a box of others -> how many it stands for
    hidden: int
    #: whether something downstream is funded by others who are not drawn
    aside: bool


def stream(graph: EntityGraph, root: int, width: int) -> Stream:
    """Funding up and down from one product: entities by column, the product in column 0, and the bands between them."""
    columns = graph.columns
    rows = columns.of("invests", "packaged_from")
    source, target = columns.source[rows].astype(np.int64), columns.target[rows].astype(np.int64)
    amount = columns.amount[rows]
    up, lost_up = _walk(root, target, source, amount, width)
    down, lost_down = _walk(root, source, target, amount, width)
    drawn = list(dict.fromkeys([root, *up, *down]))
    links = _merge(source, target, amount, np.isin(source, drawn) & np.isin(target, drawn))
    above, below = {root, *up}, {root, *down}
    upward, _ = layer_of([root], [(b, a) for a, b, *_ in links if {a, b} <= above])
    downward, _ = layer_of([root], [(a, b) for a, b, *_ in links if {a, b} <= below])
    column = {node: -upward[node] if node in upward else downward[node] for node in drawn}
    aside = bool((np.isin(target, down) & ~np.isin(source, drawn) & ~np.isin(target, up)).any())
    back = {(link.source, link.target) for link in links if column[link.source] >= column[link.target]}
    others: dict[int, int] = {}
    number = len(graph)
    hidden = np.zeros(len(graph), dtype=bool)
    for lost, far, step in ((lost_up, source, -1), (lost_down, target, 1)):
        for node, spots in lost.items():
            spots = spots[~np.isin(far[spots], drawn)]
            if not spots.size:
                continue
            others[number] = int(np.unique(far[spots]).size)
            hidden[far[spots]] = True
            known = amount[spots][np.isfinite(amount[spots])]
            ends = (number, node) if step < 0 else (node, number)
            links.append(Link(*ends, float(known.sum()) if known.size else np.nan, bool(known.size < spots.size)))
            column[number] = column[node] + step
            number += 1
    return Stream(column, links, back, others, int(hidden.sum()), aside)


def _walk(
    root: int, near: np.ndarray, far: np.ndarray, amount: np.ndarray, width: int
) -> tuple[list[int], dict[int, np.ndarray]]:
    """Entities reached from the root, at most ``width`` of a step by amount; and by entity the relations cut off."""
    found: list[int] = []
    seen = {root}
    layer = [root]
    lost: dict[int, np.ndarray] = {}
    while layer:
        spots = np.flatnonzero(np.isin(near, layer))
        spots = spots[~np.isin(far[spots], list(seen))]
        nodes, place_ = np.unique(far[spots], return_inverse=True)
        sums = np.bincount(place_, weights=np.nan_to_num(amount[spots]), minlength=nodes.size)
        best = np.lexsort((nodes, -sums))[:width]
        cut = spots[~np.isin(place_, best)]
        for node in np.unique(near[cut]).tolist():
            lost[node] = cut[near[cut] == node]
        layer = nodes[best].tolist()
        seen.update(layer)
        found += layer
    return found, lost


def _merge(source: np.ndarray, target: np.ndarray, amount: np.ndarray, inside: np.ndarray) -> list[Link]:
    pairs, place_ = np.unique(np.column_stack([source[inside], target[inside]]), axis=0, return_inverse=True)
    place_ = place_.ravel()
    known = np.isfinite(amount[inside])
    sums = np.bincount(place_, weights=np.nan_to_num(amount[inside]), minlength=len(pairs))
    given = np.bincount(place_, weights=known, minlength=len(pairs))
    count = np.bincount(place_, minlength=len(pairs))
    return [
        Link(a, b, float(sum_) if some else np.nan, bool(some < every))
        for (a, b), sum_, some, every in zip(pairs.tolist(), sums, given, count, strict=True)
    ]
