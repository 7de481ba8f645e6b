"""Diffusion: heat that spreads from the seeds, and labels that spread from the known to the unknown."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array, diags_array

from riskgraph._sparse import coalesce
from riskgraph.errors import InvalidParameter, NotConverged
from riskgraph.graph import EntityGraph
from riskgraph.risk._walks import heaviest_paths
from riskgraph.risk.base import Found, Propagation, check_positive
from riskgraph.risk.pagerank import relation_weights, step_rows

__all__ = ["HarmonicLabels", "HeatKernel"]

#: systems up to this size are factorised, larger ones iterated
_DIRECT = 3_000


class HarmonicLabels(Propagation):
    """Probability that a walk along the relations meets a bad entity before a good one (Gaussian fields of Zhu).

    Seeds are labels: an entity known to be bad has 1, one known to be sound has 0, and every other entity is the
    weighted mean of its neighbours. Relations are walked either way. Where only one label is known everyone gets it,
    so give both. An entity that no label is connected to is unknown: its score is NaN, not 0.

    Parameters
    ----------
    weight
        None counts every relation 1; else a numeric column of the relations. One without a value is not walked.

    Attributes
    ----------
    scores_
        Series ``risk``: the seeds' own labels, what lies between them for others, NaN for who is not connected.

    Raises
    ------
    InvalidParameter
        In :meth:`fit`: a weight is negative, or a label is outside [0, 1].
    NotConverged
        In :meth:`fit`: the solution of a large system cannot be brought to rounding level.

    References
    ----------
    Zhu, Ghahramani and Lafferty (2003); Doyle and Snell (1984).

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_banned_platform()
    >>> model = HarmonicLabels().fit(graph, {"Platform": 1.0, "Bakery": 0.0})
    >>> model.scores_[["Rita", "Hank", "Dairy"]].round(12).to_dict()
    {'Rita': 0.5, 'Hank': 1.0, 'Dairy': 1.0}
    """

    _measure: ClassVar[str] = "weight"

    def __init__(self, *, weight: str | None = None) -> None:
        self.weight = weight

    def _check(self) -> None:
        _check_weight(self.weight)

    def _spread(self, graph: EntityGraph, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        from scipy.sparse.csgraph import connected_components

        n = len(graph)
        W = adjacency(graph, self.weight)
        degree = np.asarray(W.sum(axis=1)).ravel()
        known = graph.codes(self.seeds_.index)
        labels = np.zeros(n)
        labels[known] = self.seeds_.to_numpy()
        scores = np.full(n, np.nan)
        scores[known] = labels[known]
        _, part = connected_components(W, directed=False)
        met = np.zeros(n, dtype=bool)
        met[known] = True
        open_ = np.flatnonzero(np.isin(part, part[known]) & ~met)
        if open_.size:
            rows = W[open_]
            right = rows @ labels
            L = csr_array(diags_array(degree[open_]) - rows[:, open_])
            scores[open_] = np.clip(_solve(L, right), labels[known].min(), labels[known].max())
        per = np.divide(1.0, degree, out=np.zeros(n), where=degree > 0)
        per[known] = 0.0
        self._walk, self._labels = csr_array(diags_array(per) @ W), labels
        return scores

    def _find(self, code: int, k: int) -> list[Found]:
        scores = self.scores_.to_numpy()
        if np.isnan(scores[code]):
            return []
        paths = heaviest_paths(self._walk, 1.0, self._labels, np.nan_to_num(scores), code, k)
        return [
            Found(path.weight, path.codes, step_rows(self.graph_, self.weight, "both", path.codes)) for path in paths
        ]


class HeatKernel(Propagation):
    """Heat that the seeds give off and the relations conduct, after some time: ``exp(-time · L)`` of the seeds.

    ``L = D - W`` is the combinatorial Laplacian of the relations taken either way: along each relation flows its
    weight times the difference of the two ends. Heat is conserved: the scores sum to 1. At time 0 all of it is at the
    seeds; after long it is even over all that is connected. The work grows with time and with the greatest degree.

    Parameters
    ----------
    time
        How long heat flows, above 0.
    weight
        None counts every relation 1; else a numeric column of the relations. One without a value does not conduct.

    Attributes
    ----------
    scores_
        Series ``risk``: heat in [0, 1]; exactly 0 where no relation leads.

    Notes
    -----
    ``explain`` gives paths with the heat that comes by walks along the steps of the path alone, going back and forth
    included. Paths are looked for by the heat of ``(I + time · L)^-1``, which has the same relations in it but splits
    over paths; the k best are then measured and put in order.

    Raises
    ------
    InvalidParameter
        In :meth:`fit`: ``time`` breaks its rule, or a weight is negative.

    References
    ----------
    Kondor and Lafferty (2002); Al-Mohy and Higham (2011) on the action of the matrix exponential.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_banned_platform()
    >>> model = HeatKernel(time=0.5).fit(graph)
    >>> model.scores_[["Platform", "Rita", "Bakery"]].round(4).to_dict()
    {'Platform': 0.1615, 'Rita': 0.1082, 'Bakery': 0.0363}
    """

    _measure: ClassVar[str] = "weight"
    _most: ClassVar[float | None] = None

    def __init__(self, *, time: float = 1.0, weight: str | None = None) -> None:
        self.time = time
        self.weight = weight

    def _check(self) -> None:
        check_positive("time", self.time)
        _check_weight(self.weight)

    def _spread(self, graph: EntityGraph, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        from scipy.sparse.csgraph import connected_components
        from scipy.sparse.linalg import expm_multiply

        heat = np.zeros(len(graph))
        self._begin, self._laplacian = heat, None
        if len(self.seeds_) and not codes.size:
            raise InvalidParameter("'seeds' must have a weight above 0; got 0 for all of them")
        if not codes.size:
            return heat
        share = weights / weights.max()
        heat[codes] = share / share.sum()
        W = adjacency(graph, self.weight)
        self._laplacian = csr_array(diags_array(np.asarray(W.sum(axis=1)).ravel()) - W)
        # heat stays in the components of the seeds: leave the others out, they have exactly none
        _, part = connected_components(W, directed=False)
        near = np.flatnonzero(np.isin(part, part[codes]))
        scores = np.zeros(len(graph))
        inner = self._laplacian[near][:, near]
        scores[near] = np.maximum(expm_multiply(inner * -float(self.time), heat[near]), 0.0)
        return scores

    def _find(self, code: int, k: int) -> list[Found]:
        from scipy.linalg import expm

        if self.scores_.iloc[code] <= 0 or self._laplacian is None:
            return []
        time = float(self.time)
        degree = self._laplacian.diagonal()
        upper = _solve(csr_array(diags_array(np.ones(degree.size)) + time * self._laplacian), self._begin)
        keep = 1 / (1 + time * degree)
        W = diags_array(degree) - self._laplacian
        inward = csr_array(diags_array(time * keep) @ W)
        paths = heaviest_paths(inward, 1.0, self._begin * keep, np.maximum(upper, 0.0), code, k)
        found = []
        for path in paths:
            codes = np.array(path.codes)
            # the steps of the path alone, with the full degrees: heat that leaves it is gone
            inner = np.triu(np.tril(self._laplacian[codes][:, codes].toarray(), 1), -1)
            flow = expm(-time * inner)
            rows = step_rows(self.graph_, self.weight, "both", path.codes)
            found.append(Found(float(flow[-1, 0] * self._begin[codes[0]]), path.codes, rows))
        return sorted(found, key=lambda path: -path.value)


def adjacency(graph: EntityGraph, weight: str | None) -> csr_array:
    """Symmetric n × n matrix of the relations taken either way, parallel ones summed, without relations to oneself."""

    def build() -> csr_array:
        columns = graph.columns
        values = relation_weights(graph, weight)
        values = np.ones(len(columns)) if values is None else np.nan_to_num(values, nan=0.0)
        apart = columns.source != columns.target
        source, target, values = columns.source[apart], columns.target[apart], values[apart]
        both = np.concatenate([source, target]), np.concatenate([target, source]), np.concatenate([values, values])
        return coalesce(len(graph), *both)

    return graph.cached(("risk", "adjacency", weight), build)


def _solve(A: csr_array, b: np.ndarray) -> np.ndarray:
    """Solution of a symmetric positive definite system."""
    if A.shape[0] <= _DIRECT:
        from scipy.sparse.linalg import splu

        return np.asarray(splu(A.tocsc()).solve(b))
    from scipy.sparse.linalg import cg

    x, failed = cg(A, b, rtol=1e-13, maxiter=20_000, M=diags_array(1 / A.diagonal()))
    # rounding may stop it just short of the tolerance
    if failed and np.abs(A @ x - b).max() > 1e-10 * np.abs(b).max():
        raise NotConverged(f"the system of {b.size} entities is not solved after 20,000 steps")
    return np.asarray(x)


def _check_weight(weight: Any) -> None:
    if weight is not None and not isinstance(weight, str):
        raise InvalidParameter(f"'weight' must be None or a column of the relations; got {weight!r}")
