"""Sums over all walks of sparse weights.

Weights are matrices ``W[owner, asset]``. The sum over all walks is ``N = (I - W)^-1``. It is never formed, and the
whole of ``I - W`` is never factorised: walks between components are swept once in topological order, and only the
components themselves, where walks return, are solved as blocks.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from riskgraph._blocks import BLOCKS, Block
from riskgraph._sparse import CLOSED, component_levels, row_pointers, strong_components
from riskgraph.errors import NotConverged

__all__ = ["SMALL", "WalkSolver", "spectral_radius_below_one"]

#: components up to this size share one sparse factorisation with their neighbours in the order
SMALL = 200
#: components up to this size are factorised densely, larger ones are iterated
DENSE = 500
#: thin stages are joined up to this many rows, so that a chain of thousands of levels stays a few solves
CHUNK = 4096


def spectral_radius_below_one(W: csr_array, *, most: int = 20_000) -> bool:
    """Whether the walks of an irreducible non-negative matrix die out, by Collatz's bracket of its spectral radius.

    Raises
    ------
    NotConverged
        The bracket still holds 1 after ``most`` products.

    Examples
    --------
    >>> from riskgraph._sparse import coalesce
    >>> spectral_radius_below_one(coalesce(2, [0, 1], [1, 0], [0.5, 1.5]))
    True
    """
    x = np.ones(W.shape[0])
    for _ in range(most):
        y = W @ x
        ratio = y / x
        if ratio.max() < 1 - CLOSED:
            return True
        if ratio.min() >= 1 - CLOSED:
            return False
        x = 0.5 * (x + y)  # the shift by the identity keeps an odd or even ring from swinging
        x /= x.max()
    raise NotConverged(f"the walks of a component of {W.shape[0]} nodes neither die out nor grow after {most} products")


class _Stage(NamedTuple):
    """A range of the order that is solved at once, and how."""

    begin: int
    end: int
    kind: str  # "plain": no walk inside but own loops; "sparse", "dense", "iterate": a block


class WalkSolver:
    """Sum over all walks of a sparse non-negative ``W``: solutions of ``x = b + W x`` and ``x = b + Wᵀ x``.

    The strongly connected components are found once and put in topological order. Walks between components are
    followed once, level by level; only the components, where walks return, are factorised: small ones together with
    their neighbours in the order, those up to 500 nodes densely, larger ones by a preconditioned iteration that
    runs until its residual is at rounding level.

    Parameters
    ----------
    W
        n × n, ``W[owner, asset]``; the walks of each component must die out, as they do where columns sum to at most
        1 and somebody outside holds a part.

    Attributes
    ----------
    closed
        Groups of codes that hold all of themselves: every column sums to 1 inside and nobody outside holds a part.
        ``I - W`` is singular there. Their inner walks are left out of every solution, to be reported by the caller.
    divergent
        Groups whose walks grow though they are not closed; only shares that sum above 1 make them. Left out likewise.
    residual
        Greatest ``|b - (I - W) x|`` over the blocks of the last solution.

    Examples
    --------
    >>> from riskgraph._sparse import coalesce
    >>> W = coalesce(3, [0, 1, 2], [1, 2, 1], [0.5, 1.0, 0.4])
    >>> solver = WalkSolver(W)
    >>> solver.solve_transposed(np.array([1.0, 0.0, 0.0])).round(6)
    array([1.      , 0.833333, 0.833333])
    >>> WalkSolver(coalesce(2, [0, 1], [1, 0], [1.0, 1.0])).closed
    [array([0, 1])]
    """

    def __init__(self, W: csr_array) -> None:
        W = csr_array(W, dtype=np.float64)
        n = W.shape[0]
        self.n = n
        self.residual = 0.0
        rows = np.repeat(np.arange(n, dtype=np.int32), np.diff(W.indptr))
        columns = W.indices
        keep = W.data != 0
        rows, columns, weight = rows[keep], columns[keep], W.data[keep]
        count, labels = strong_components(n, rows, columns)
        self.closed, self.divergent, inner = _endless(count, labels, rows, columns, weight)
        if inner.any():
            rows, columns, weight = rows[~inner], columns[~inner], weight[~inner]
            count, labels = strong_components(n, rows, columns)
        level = component_levels(count, labels[rows], labels[columns])
        size = np.bincount(labels, minlength=count)
        self._order, self._stages = _plan(labels, level[labels], size)
        self._place = np.empty(n, dtype=np.int64)
        self._place[self._order] = np.arange(n)
        self._W = csr_array((weight, (self._place[rows], self._place[columns])), shape=(n, n))
        self._blocks = [self._block(stage) for stage in self._stages]

    def solve(self, b: np.ndarray) -> np.ndarray:
        """Solution of ``x = b + W x``; for ``b`` a unit vector of an asset, what every owner holds of it by all walks.

        ``b`` is a vector or n × k.
        """
        return self._sweep(b, self._onward, reversed(range(len(self._stages))), transposed=False)

    def solve_transposed(self, b: np.ndarray) -> np.ndarray:
        """Solution of ``x = b + Wᵀ x``; for ``b`` a unit vector of an owner, its part of every asset by all walks.

        ``b`` is a vector or n × k.
        """
        return self._sweep(b, self._inward, range(len(self._stages)), transposed=True)

    def _sweep(self, b: np.ndarray, links: list[csr_array | None], order: Any, *, transposed: bool) -> np.ndarray:
        x = np.asarray(b, dtype=np.float64)[self._order]
        self.residual = 0.0
        for number in order:
            begin, end, _ = self._stages[number]
            link = links[number]
            right = x[begin:end] if link is None else x[begin:end] + link @ x
            x[begin:end] = self._blocks[number].solve(right, transposed)
            self.residual = max(self.residual, self._blocks[number].residual)
        return x[self._place]

    @cached_property
    def _onward(self) -> list[csr_array | None]:
        return [_outside(self._W, stage) for stage in self._stages]

    @cached_property
    def _inward(self) -> list[csr_array | None]:
        backward = csr_array(self._W.T)
        return [_outside(backward, stage) for stage in self._stages]

    def _block(self, stage: _Stage) -> Block:
        begin, end, kind = stage
        first, last = self._W.indptr[begin], self._W.indptr[end]
        columns = self._W.indices[first:last]
        rows = np.repeat(np.arange(end - begin), np.diff(self._W.indptr[begin : end + 1]))
        inside = (columns >= begin) & (columns < end)
        size = end - begin
        part = csr_array(
            (self._W.data[first:last][inside], (rows[inside], columns[inside] - begin)), shape=(size, size)
        )
        return BLOCKS[kind](part)


def _outside(W: csr_array, stage: _Stage) -> csr_array | None:
    """Rows of a stage without the entries inside it; None when nothing is left."""
    begin, end, _ = stage
    first, last = W.indptr[begin], W.indptr[end]
    columns = W.indices[first:last]
    away = (columns < begin) | (columns >= end)
    if not away.any():
        return None
    if away.all():
        return csr_array(
            (W.data[first:last], columns, W.indptr[begin : end + 1] - first), shape=(end - begin, W.shape[1])
        )
    rows = np.repeat(np.arange(end - begin), np.diff(W.indptr[begin : end + 1]))[away]
    pointers = row_pointers(end - begin, rows)
    return csr_array((W.data[first:last][away], columns[away], pointers), shape=(end - begin, W.shape[1]))


def _endless(
    count: int, labels: np.ndarray, rows: np.ndarray, columns: np.ndarray, weight: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Closed groups, other groups whose walks do not die out, and the mask of the entries inside both."""
    inside = labels[rows] == labels[columns]
    sums = np.bincount(columns[inside], weights=weight[inside], minlength=labels.size)
    cyclic = np.zeros(count, dtype=bool)
    cyclic[labels[rows[inside]]] = True
    slack, excess = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    slack[labels[sums < 1 - CLOSED]] = True
    excess[labels[sums > 1 + CLOSED]] = True
    held = np.zeros(count, dtype=bool)
    held[labels[columns[~inside]]] = True
    doubtful = np.flatnonzero(cyclic & (~slack | excess))
    closed: list[np.ndarray] = []
    divergent: list[np.ndarray] = []
    gone = np.zeros(count, dtype=bool)
    if doubtful.size:
        member = np.argsort(labels, kind="stable")
        begin = row_pointers(count, labels)
        for group in doubtful:
            nodes = member[begin[group] : begin[group + 1]]
            if slack[group]:
                mine = np.flatnonzero(inside & (labels[rows] == group))
                spot = np.searchsorted(nodes, rows[mine]), np.searchsorted(nodes, columns[mine])
                if spectral_radius_below_one(csr_array((weight[mine], spot), shape=(nodes.size, nodes.size))):
                    continue
            (divergent if slack[group] or excess[group] or held[group] else closed).append(nodes)
            gone[group] = True
    return closed, divergent, inside & gone[labels[rows]]


def _plan(labels: np.ndarray, level: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, list[_Stage]]:
    """Order of the nodes and its stages: by level, and in a level single nodes, small components, large ones."""
    mine = size[labels]
    sort = np.where(mine == 1, 0, np.where(mine <= SMALL, 1, 2)).astype(np.int8)
    order = np.lexsort((labels, sort, level))
    level, sort, labels = level[order], sort[order], labels[order]
    large = sort == 2
    cut = (np.diff(level) != 0) | (np.diff(sort) != 0) | (large[1:] & (np.diff(labels) != 0))
    edges = np.r_[0, np.flatnonzero(cut) + 1, labels.size]
    stages: list[_Stage] = []
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        kind = "plain" if sort[begin] == 0 else "sparse"
        if sort[begin] == 2:
            kind = "dense" if end - begin <= DENSE else "iterate"
        last = stages[-1] if stages else None
        thin = kind in ("plain", "sparse") and last is not None and last.kind in ("plain", "sparse")
        if last is not None and thin and end - last.begin <= CHUNK:
            stages[-1] = _Stage(last.begin, end, "sparse")
        elif end > begin:
            stages.append(_Stage(begin, end, kind))
    return order, stages
