"""Integrated ownership: one solution over the whole register, and the rows of a thousand owners, against scipy."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import spsolve
from timing import arguments, interleaved, keep, table

import riskgraph as rg
from riskgraph._solver import WalkSolver
from riskgraph._sparse import coalesce
from riskgraph.ownership._holdings import holdings
from riskgraph.ownership.integrated import integrated_pairs
from riskgraph.schema import ENTITY_KINDS


def power_series(W: csr_array, b: np.ndarray, tol: float = 1e-12) -> np.ndarray:
    """Sum of ``Wᵏ b`` until a term is at rounding level."""
    x, term = b.copy(), b
    while np.abs(term).max() > tol:
        term = W @ term
        x += term
    return x


def sparse_rows(W: csr_array, owners: np.ndarray, tol: float = 1e-12) -> csr_array:
    """Rows of all walks of some owners, by sparse products until a term is at rounding level."""
    n = W.shape[0]
    term = csr_array((np.ones(owners.size), (np.arange(owners.size), owners)), shape=(owners.size, n))
    total = term.copy()
    while term.nnz and term.data.max() > tol:
        term = term @ W
        total = total + term
    return csr_array(total)


def main() -> None:
    given = arguments(__doc__)
    graph = rg.datasets.make_registry(int(given.size), random_state=1)
    held = holdings(graph)
    n = len(graph)
    W = coalesce(n, held.owner, held.company, held.low)
    # closed groups have no solution: riskgraph leaves them out by itself, the others need them taken out
    closed = np.concatenate([np.empty(0, dtype=np.int64), *WalkSolver(W).closed])
    W = coalesce(n, held.owner, held.company, np.where(np.isin(held.company, closed), 0.0, held.low))
    b = np.random.default_rng(0).random(n)
    solver = WalkSolver(W)
    M = csc_array(eye_array(n, format="csc") - W)
    ways = {
        "riskgraph, components found anew": lambda: WalkSolver(W).solve(b),
        "riskgraph, components kept": lambda: solver.solve(b),
        "scipy power series": lambda: power_series(W, b),
        "scipy spsolve": lambda: spsolve(M, b),
    }
    expected = ways["scipy spsolve"]()
    for way in ways.values():
        np.testing.assert_allclose(way(), expected, rtol=1e-8, atol=1e-8)
    ours = "riskgraph, components found anew"
    figures = [table(f"One solution, {n:,} entities", interleaved(ways, given.rounds), ours)]

    persons = np.flatnonzero((graph.kinds == ENTITY_KINDS.index("person")) & (np.bincount(held.owner, minlength=n) > 0))
    owners = np.sort(np.random.default_rng(0).choice(persons, min(1000, persons.size), replace=False))
    rows = sparse_rows(W, owners)
    pairs = integrated_pairs(graph, owners)
    found = np.asarray(rows[np.searchsorted(owners, pairs.owner), pairs.asset]).ravel()
    np.testing.assert_allclose(pairs.low, found, rtol=1e-8, atol=1e-8)

    def anew() -> object:
        graph._cache.pop(("ownership", "descent"), None)
        return integrated_pairs(graph, owners)

    ways = {
        "riskgraph, least and greatest": lambda: integrated_pairs(graph, owners),
        "riskgraph, order found anew": anew,
        "scipy sparse power series, least": lambda: sparse_rows(W, owners),
    }
    figures.append(
        table(
            f"Rows of {owners.size:,} persons, {n:,} entities",
            interleaved(ways, given.rounds),
            "riskgraph, least and greatest",
            pairs=pairs.owner.size,
            shares_in_intervals=int((pairs.high > pairs.low).sum()),
        )
    )
    keep(given.json, figures)


if __name__ == "__main__":
    main()
