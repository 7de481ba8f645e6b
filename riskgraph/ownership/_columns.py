"""Shares of all owners in a few companies: one linear system a company, for owners whose shares need no choice."""

from __future__ import annotations

import numpy as np

from riskgraph._solver import WalkSolver
from riskgraph._sparse import coalesce, reachable, row_pointers
from riskgraph.ownership._spread import Stakes

__all__ = ["Columns", "undecided"]

#: components up to this size have all their returns found from one dense inverse
INVERTED = 3000
#: numbers of one batch of right sides
BATCH = 8_000_000


def undecided(given: Stakes) -> np.ndarray:
    """Mask of the entities that reach a holding whose greatest share depends on who competes for it."""
    return reachable(given.pointers, given.owner, given.owner[given.room > 0])


class Columns:
    """Shares of every owner in single companies under settled weights.

    ``returns`` caches ``N_ii`` by code, NaN where not yet known; it is filled in as needed.
    """

    def __init__(self, given: Stakes, weight: np.ndarray, returns: np.ndarray) -> None:
        self.given = given
        self.W = coalesce(given.n, given.owner, given.company, weight)
        self.solver = WalkSolver(self.W)
        self.returns = returns

    @property
    def endless(self) -> bool:
        """Whether some shares circulate for ever, so that the system has no solution."""
        return bool(self.solver.closed or self.solver.divergent)

    def solve(self, assets: np.ndarray, owners: np.ndarray, *, corrected: bool) -> np.ndarray:
        """Shares of ``owners`` in ``assets``, both local numbers, owners by assets."""
        result = np.zeros((owners.size, assets.size))
        step = max(1, BATCH // max(self.given.n, 1))
        for begin in range(0, assets.size, step):
            now = assets[begin : begin + step]
            right = np.zeros((self.given.n, now.size))
            right[now, np.arange(now.size)] = 1.0
            result[:, begin : begin + step] = self.solver.solve(right)[owners]
        if corrected:
            rings = np.flatnonzero(self.given.cyclic[owners])
            result[rings] /= self._returns(owners[rings])[:, None]
        return result

    def _returns(self, owners: np.ndarray) -> np.ndarray:
        """``N_ii`` of owners in rings."""
        codes = self.given.codes
        missing = np.unique(self.given.label[owners[np.isnan(self.returns[codes[owners]])]])
        if missing.size:
            label = self.given.label
            member = np.argsort(label, kind="stable")
            begin = row_pointers(int(label.max()) + 1, label)
            for ring in missing:
                nodes = member[begin[ring] : begin[ring + 1]]
                self.returns[codes[nodes]] = self._diagonal(nodes)
        return self.returns[codes[owners]]

    def _diagonal(self, nodes: np.ndarray) -> np.ndarray:
        W = self.W[nodes][:, nodes]
        if nodes.size <= INVERTED:
            return np.diag(np.linalg.inv(np.eye(nodes.size) - W.toarray()))
        solver = WalkSolver(W)
        found = np.empty(nodes.size)
        for begin in range(0, nodes.size, 256):
            part = np.arange(begin, min(begin + 256, nodes.size))
            right = np.zeros((nodes.size, part.size))
            right[part, part - begin] = 1.0
            found[part] = solver.solve(right)[part, part - begin]
        return found
