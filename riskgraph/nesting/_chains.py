"""Funding chains over products: circles condensed once, then one sweep down and one up, whatever is asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskgraph._sparse import component_levels, strong_components
from riskgraph.nesting._flows import PRODUCT, funding_pairs, true_facts

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["Chains", "chains", "layer_counts", "layer_depths"]

#: what steps between entities add, from their codes
Step = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Chains:
    """Condensation of the funding relations among what is looked through.

    Attributes
    ----------
    label
        Component of each entity, -1 where it is not looked through.
    cyclic
        Whether a component is a circle.
    source, target
        Funding relations between different components, sorted so that a sweep meets each component's followers
        before itself.
    """

    def __init__(self, n: int, source: np.ndarray, target: np.ndarray, conduit: np.ndarray) -> None:
        self.n = n
        codes = np.flatnonzero(conduit)
        local = np.full(n, -1, dtype=np.int64)
        local[codes] = np.arange(codes.size)
        inner = np.flatnonzero(conduit[source] & conduit[target])
        a, b = local[source[inner]], local[target[inner]]
        self.count, labels = strong_components(codes.size, a, b)
        labels = labels.astype(np.int64)  # pairs of components are numbered beyond 32 bits
        self.label = np.full(n, -1, dtype=np.int64)
        self.label[codes] = labels
        self.cyclic = np.bincount(labels, minlength=self.count) > 1
        between = labels[a] != labels[b]
        self.inside = (source[inner[~between]], target[inner[~between]])
        self._down = _order(self.count, labels[a[between]], labels[b[between]], source[inner], target[inner], between)
        self._up = _order(self.count, labels[b[between]], labels[a[between]], target[inner], source[inner], between)

    def per_component(self, values: np.ndarray, ufunc: np.ufunc, empty: float) -> np.ndarray:
        """Values of entities put together by component."""
        result = np.full(self.count, empty, dtype=values.dtype)
        codes = np.flatnonzero(self.label >= 0)
        ufunc.at(result, self.label[codes], values[codes])
        return result

    def longest(
        self,
        weight: np.ndarray,
        *,
        down: bool,
        step: Step | None = None,
        first: np.ndarray | None = None,
    ) -> np.ndarray:
        """Greatest sum of component weights on a chain below (or above) each component, itself left out.

        ``step`` gives what the steps between entities add, ``first`` what a component has before any step.
        """
        best = np.zeros(self.count) if first is None else first.copy()
        near, far, here, there, edges = self._down if down else self._up
        add = np.zeros(near.size) if step is None else step(here, there)
        for begin, end in itertools.pairwise(edges):
            at = slice(begin, end)
            np.maximum.at(best, near[at], best[far[at]] + weight[far[at]] + add[at])
        return best

    def union(self, masks: np.ndarray, *, down: bool) -> np.ndarray:
        """Bits of a component and of all below (or above) it."""
        result = masks.copy()
        near, far, _, _, edges = self._down if down else self._up
        for begin, end in itertools.pairwise(edges):
            at = slice(begin, end)
            np.bitwise_or.at(result, near[at], result[far[at]])
        return result


def _order(
    count: int, near: np.ndarray, far: np.ndarray, here: np.ndarray, there: np.ndarray, between: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    level = component_levels(count, near, far)[near]
    order = np.argsort(-level, kind="stable")
    level = level[order]
    edges = np.r_[0, np.flatnonzero(np.diff(level)) + 1, level.size] if level.size else np.zeros(1, dtype=np.int64)
    return near[order], far[order], here[between][order], there[between][order], edges


def chains(graph: EntityGraph) -> Chains:
    """Funding chains of a graph on its day; cached."""

    def build() -> Chains:
        pairs = funding_pairs(graph)
        return Chains(len(graph), pairs.source, pairs.target, pairs.conduit)

    return graph.cached(("nesting", "chains"), build)


class Depths(NamedTuple):
    """A measure of the chains of each entity: those through it, those that lead to it, those that go on from it."""

    through: np.ndarray
    above: np.ndarray
    below: np.ndarray


def layer_depths(graph: EntityGraph) -> Depths:
    """Layers through, above and below each entity, itself included; 0 for what is not looked through; cached."""

    def build() -> Depths:
        given = chains(graph)
        counts = ((graph.kinds == PRODUCT) & ~true_facts(graph, "public_fund")).astype(np.float64)
        weight = given.per_component(counts, np.add, 0.0)
        weight[given.cyclic] = np.inf
        up, down = given.longest(weight, down=False), given.longest(weight, down=True)
        inside = given.label >= 0
        result = np.zeros((3, len(graph)))
        for row, values in enumerate((up + weight + down, up + weight, weight + down)):
            result[row, inside] = values[given.label[inside]]
        return Depths(*result)

    return graph.cached(("nesting", "layers"), build)


def layer_counts(graph: EntityGraph) -> np.ndarray:
    """Number of products on the longest funding chain through each entity; 0 for what is no product."""
    return layer_depths(graph).through
