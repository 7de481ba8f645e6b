"""Funding chains over products: circles condensed once, then one sweep down and one up, whatever is asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskgraph._sparse import component_levels, strong_components
from riskgraph.nesting._flows import PRODUCT, funding_pairs, true_facts

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["Chains", "chains", "layer_counts", "layer_depths"]

#: what steps between entities add, from their codes
Step = Callable[[np.ndarray, np.ndarray], np.ndarray]


class _Sweep(NamedTuple):
    """Steps between components in an order in which what follows a component is finished before it.

    ``near, far`` are components, ``here, there`` the entities; steps ``edges[i]`` to ``edges[i + 1]`` are one turn.
    """

    near: np.ndarray
    far: np.ndarray
    here: np.ndarray
    there: np.ndarray
    edges: np.ndarray


class Chains:
    """Condensation of the funding relations among what is looked through.

    Attributes
    ----------
    codes
        What is looked through, sorted.
    label
        Component of each entity, int32, -1 where it is not looked through.
    cyclic
        Whether a component is a circle.
    inside
        Source and target of the relations that begin and end in one component.
    """

    def __init__(self, n: int, source: np.ndarray, target: np.ndarray, conduit: np.ndarray) -> None:
        self.n = n
        self.codes = np.flatnonzero(conduit)
        self.label = np.full(n, -1, dtype=np.int32)
        self.label[self.codes] = np.arange(self.codes.size, dtype=np.int32)
        inner = np.flatnonzero(conduit[source] & conduit[target])
        source, target = source[inner], target[inner]
        self.count, labels = strong_components(self.codes.size, self.label[source], self.label[target])
        self.label[self.codes] = labels
        self.cyclic = np.bincount(labels, minlength=self.count) > 1
        between = self.label[source] != self.label[target]
        self.inside = (source[~between], target[~between])
        self._between = (source[between], target[between])

    @cached_property
    def _down(self) -> _Sweep:
        return self._sweep(*self._between)

    @cached_property
    def _up(self) -> _Sweep:
        return self._sweep(*self._between[::-1])

    def _sweep(self, here: np.ndarray, there: np.ndarray) -> _Sweep:
        near, far = self.label[here], self.label[there]
        level = component_levels(self.count, near, far)[near]
        order = np.argsort(-level, kind="stable")
        level = level[order]
        edges = np.r_[0, np.flatnonzero(np.diff(level)) + 1, level.size] if level.size else np.zeros(1, dtype=np.int64)
        return _Sweep(near[order], far[order], here[order], there[order], edges)

    def per_component(self, values: np.ndarray, ufunc: np.ufunc, empty: float) -> np.ndarray:
        """Values of :attr:`codes` put together by component."""
        result = np.full(self.count, empty, dtype=values.dtype)
        ufunc.at(result, self.label[self.codes], values)
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


def chains(graph: EntityGraph) -> Chains:
    """Funding chains of a graph on its day; cached."""

    def build() -> Chains:
        pairs = funding_pairs(graph)
        return Chains(len(graph), pairs.source, pairs.target, pairs.conduit)

    return graph.cached(("nesting", "chains"), build)


class Depths(NamedTuple):
    """A measure of the chains of each component: those through it, those that lead to it, those that go on from it.

    ``label`` is the component of each entity, as in :class:`Chains`.
    """

    label: np.ndarray
    through: np.ndarray
    above: np.ndarray
    below: np.ndarray


def layer_depths(graph: EntityGraph) -> Depths:
    """Layers through, above and below each component of :func:`chains`, itself included; cached."""

    def build() -> Depths:
        given = chains(graph)
        counted = (graph.kinds == PRODUCT)[given.codes] & ~true_facts(graph, "public_fund")[given.codes]
        weight = given.per_component(counted.astype(np.float64), np.add, 0.0)
        weight[given.cyclic] = np.inf
        up, down = given.longest(weight, down=False), given.longest(weight, down=True)
        return Depths(given.label, up + weight + down, up + weight, weight + down)

    return graph.cached(("nesting", "layers"), build)


def layer_counts(graph: EntityGraph) -> np.ndarray:
    """Number of products on the longest funding chain through each entity; 0 for what is no product."""
    codes, result = chains(graph).codes, np.zeros(len(graph))
    depths = layer_depths(graph)
    result[codes] = depths.through[depths.label[codes]]
    return result
