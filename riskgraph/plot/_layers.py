"""Layered drawing: which layer a node lies in, in which order, and where (Sugiyama and others 1981).

Nodes are whole numbers; negative ones stand for the bends of a link that passes a layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import isotonic_regression

__all__ = ["bend", "layer_of", "place"]

Link = tuple[int, int]


def layer_of(roots: Sequence[int], links: Sequence[Link]) -> tuple[dict[int, int], set[Link]]:
    """Longest distance from the roots of every node reached, and the links that close a loop and are left out of it.

    >>> layer_of([0], [(0, 1), (1, 2), (0, 2), (2, 0)])
    ({0: 0, 1: 1, 2: 2}, {(2, 0)})
    """
    onward: dict[int, list[int]] = {}
    for a, b in links:
        onward.setdefault(a, []).append(b)
    back: set[Link] = set()
    state: dict[int, int] = {}  # 1 on the way, 2 done
    done: list[int] = []
    for root in roots:
        stack = [(root, iter(onward.get(root, ())))] if root not in state else []
        state.setdefault(root, 1)
        while stack:
            node, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                state[node] = 2
                done.append(node)
                stack.pop()
            elif state.get(step) == 1:
                back.add((node, step))
            elif step not in state:
                state[step] = 1
                stack.append((step, iter(onward.get(step, ()))))
    layer = dict.fromkeys(reversed(done), 0)
    for node in layer:
        for step in onward.get(node, ()):
            if (node, step) not in back:
                layer[step] = max(layer[step], layer[node] + 1)
    return layer, back


def bend(layer: Mapping[int, int], links: Sequence[Link]) -> tuple[list[list[int]], list[Link], dict[Link, list[int]]]:
    """Layers as lists, with a bend for every layer that a link passes.

    Also the links between neighbouring layers, and through which nodes each link goes.
    """
    layers: list[list[int]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node, level in layer.items():
        layers[level].append(node)
    short: list[Link] = []
    ways: dict[Link, list[int]] = {}
    bends = 0
    for a, b in links:
        way = [a]
        for level in range(layer[a] + 1, layer[b]):
            bends += 1
            layers[level].append(-bends)
            way.append(-bends)
        ways[a, b] = [*way, b]
        short += zip(ways[a, b], ways[a, b][1:], strict=False)
    return layers, short, ways


def place(
    layers: Sequence[Sequence[int]], links: Sequence[Link], size: Mapping[int, float], gap: float
) -> dict[int, float]:
    """Places along the layers, with few crossings, no two closer than their sizes and the gap, trunks straight.

    Layers are ordered by the mean place of their neighbours; within an order the places are those nearest to the
    neighbours in the sense of weighted least squares, a node weighing as much as what hangs on it.
    """
    order = [list(layer) for layer in layers]
    before: dict[int, list[int]] = {node: [] for layer in order for node in layer}
    after: dict[int, list[int]] = {node: [] for layer in order for node in layer}
    for a, b in links:
        after[a].append(b)
        before[b].append(a)
    weight: dict[int, float] = {}
    for layer in reversed(order):
        for node in layer:
            weight[node] = 1.0 + sum(weight[step] / len(before[step]) for step in after[node])
    weight = {node: value**2 for node, value in weight.items()}
    spot = {node: float(x) - (len(layer) - 1) / 2 for layer in order for x, node in enumerate(layer)}
    for sweep in range(8):
        near = before if sweep % 2 == 0 else after
        for layer in order if sweep % 2 == 0 else order[::-1]:
            layer.sort(key=lambda node, near=near: _middle(spot, near[node], node))  # type: ignore[misc]
            for x, node in enumerate(layer):
                spot[node] = x - (len(layer) - 1) / 2
    for layer in order:
        _settle(layer, dict.fromkeys(layer, 0.0), weight, size, gap, spot)
    for sweep in range(17):
        near = before if sweep % 2 == 0 else after
        for layer in order if sweep % 2 == 0 else order[::-1]:
            want = {}
            for node in layer:
                others = near[node]
                want[node] = (
                    float(np.average([spot[other] for other in others], weights=[weight[other] for other in others]))
                    if others
                    else spot[node]
                )
            _settle(layer, want, weight, size, gap, spot)
    return spot


def _middle(spot: Mapping[int, float], others: Sequence[int], node: int) -> float:
    """Mean place of the neighbours; without any the node's own."""
    return sum(spot[other] for other in others) / len(others) if others else spot[node]


def _settle(
    layer: Sequence[int],
    want: Mapping[int, float],
    weight: Mapping[int, float],
    size: Mapping[int, float],
    gap: float,
    spot: dict[int, float],
) -> None:
    """Put the nodes of a layer, in their order, as near as can be to where they want to be."""
    if not layer:
        return
    half = np.array([size[node] / 2 for node in layer])
    apart = np.concatenate([[0.0], np.cumsum(half[:-1] + half[1:] + gap)])
    wish = np.array([want[node] for node in layer])
    fitted = isotonic_regression(wish - apart, weights=np.array([weight[node] for node in layer])).x + apart
    spot.update(zip(layer, fitted.tolist(), strict=True))
