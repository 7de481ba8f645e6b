"""Chains of products: how many layers, who stands behind them, where the money ends."""

from __future__ import annotations

import numpy as np

from riskgraph.nesting import layers, ultimate_investors
from riskgraph.schema import RELATION_KINDS
from riskgraph.supervision._view import View

__all__ = ["destinations", "investors", "product_layers", "through"]

#: products followed below one entity before the rest counts as untraced
_BUDGET = 10_000


def product_layers(seen: View) -> dict[int, float]:
    """Products on the longest funding chain through each product; infinite on and behind a cycle."""
    if "layers" not in seen._kept:
        counts = layers(seen.graph)
        seen._kept["layers"] = dict(zip(seen.graph.codes(counts.index).tolist(), counts.astype(float), strict=True))
    result: dict[int, float] = seen._kept["layers"]
    return result


def through(seen: View, product: int) -> tuple[int, ...]:
    """Positions of the funding relations on chains through a product, else of what funds it or what it funds."""
    kinds = seen.is_kind("product")
    found: dict[int, None] = {}
    for down in (True, False):
        front, reached = [product], {product}
        while front and len(found) < _BUDGET:
            code = front.pop()
            for position in _steps(seen, code, down):
                other = int(seen.cols.target[position] if down else seen.cols.source[position])
                if kinds[other]:
                    found[position] = None
                    if other not in reached:
                        reached.add(other)
                        front.append(other)
    return tuple(found) or (*_steps(seen, product, True), *_steps(seen, product, False))


def _steps(seen: View, code: int, down: bool) -> list[int]:
    kinds = ("invests", "packaged_from", "owns", "lends")
    return [step for kind in kinds for step in (seen.out(kind, code) if down else seen.into(kind, code))]


def investors(seen: View, product: int) -> tuple[set[int], set[int]]:
    """Direct investors and ultimate ones, each once; a registered product stands for one investor."""
    kinds = seen.is_kind("product")
    direct = {
        int(seen.cols.source[step])
        for kind in ("invests", "owns", "packaged_from")
        for step in seen.into(kind, product)
    }
    if not any(kinds[code] for code in direct):
        return direct, direct
    return direct, set(seen.graph.codes(ultimate_investors(seen.graph, str(seen.ids[product]))).tolist())


def destinations(seen: View, code: int) -> tuple[list[tuple[str, int, float, tuple[int, ...]]], float]:
    """Where money given to an entity ends: (relation kind, end, part, path of positions), and the untraced part.

    Parts follow the amounts of each step and sum, with the untraced part, to 1. A step without amounts splits evenly;
    money that runs in a circle is untraced.
    """
    ends: dict[tuple[str, int], tuple[float, tuple[int, ...]]] = {}
    untraced = 0.0
    front: list[tuple[int, float, tuple[int, ...], frozenset[int]]] = [(code, 1.0, (), frozenset([code]))]
    steps = 0
    passes = seen.is_kind("product", "account", "trust")
    while front:
        entity, part, path, behind = front.pop()
        out = [*seen.out("invests", entity), *seen.out("lends", entity)]
        if entity == code:
            for position in seen.out("manages", entity):
                product = int(seen.cols.target[position])
                out += [*seen.out("invests", product), *seen.out("lends", product)] or [position]
        steps += 1
        if not out or steps > _BUDGET:
            untraced += part
            continue
        amounts = seen.cols.amount[out].astype(float)
        weights = (
            np.full(len(out), 1 / len(out))
            if np.isnan(amounts).any() or amounts.sum() <= 0
            else amounts / amounts.sum()
        )
        for position, weight in zip(out, weights, strict=True):
            target = int(seen.cols.target[position])
            kind = _kind(seen, position)
            if target in behind:
                untraced += part * weight
            elif kind == "invests" and passes[target] and (seen.out("invests", target) or seen.out("lends", target)):
                front.append((target, part * weight, (*path, position), behind | {target}))
            else:
                old = ends.get((kind, target), (0.0, ()))
                ends[kind, target] = (old[0] + part * weight, tuple(dict.fromkeys((*old[1], *path, position))))
    found = [(kind, target, part, positions) for (kind, target), (part, positions) in ends.items()]
    return sorted(found, key=lambda end: (-end[2], end[1])), untraced


def _kind(seen: View, position: int) -> str:
    return RELATION_KINDS[seen.cols.kind[position]]
