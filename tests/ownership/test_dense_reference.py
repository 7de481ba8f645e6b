"""Components solved as blocks equal one dense inverse: loops, own shares, leaves, lone entities, parallel relations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg


def register(rng, n=40):
    """Invented companies with exact shares that leave at least 5 % to nobody, some held twice by the same holder."""
    rows = []
    for company in range(int(0.8 * n)):  # the others stay alone
        left = 0.95
        for _ in range(int(rng.integers(0, 4))):
            share = round(float(rng.uniform(0, left)), 3)
            left = round(left - share, 3)
            holder = f"C{rng.integers(0, n // 2)}" if rng.random() < 0.6 else f"P{rng.integers(0, n)}"
            rows += [(holder, f"C{company}", round(share / 4, 6)), (holder, f"C{company}", round(3 * share / 4, 6))]
    ids = [f"{kind}{number}" for kind in "CP" for number in range(n)]
    entities = pd.DataFrame({"id": ids, "kind": ["company"] * n + ["person"] * n})
    relations = pd.DataFrame(rows, columns=["source", "target", "share"]).assign(kind="owns")
    return rg.EntityGraph.from_tables(entities, relations)


def dense(graph):
    """``N_ij / N_ii`` with ``N = (I - W)^-1``, and nothing clever."""
    W = np.zeros((len(graph), len(graph)))
    for source, target, share in graph.relations[["source", "target", "share_min"]].itertuples(index=False):
        W[graph.code(source), graph.code(target)] += share
    N = np.linalg.inv(np.eye(len(graph)) - W)
    return N / np.diag(N)[:, None]


@pytest.mark.parametrize("seed", range(6))
def test_integrated_ownership_before_and_after_changes(seed):
    rng = np.random.default_rng(seed)
    graph = register(rng)
    rg.ownership.integrated_ownership(graph)  # what is kept on the graph must not leak into the changed one
    gone = graph.relation_ids(rng.choice(len(graph.columns), 6, replace=False))
    more = pd.DataFrame({"source": ["P1"], "target": ["C3"], "kind": ["owns"], "share": [0.02]})
    for asked in (graph, graph.with_changes(add=more, remove=gone)):
        expected = dense(asked)
        np.fill_diagonal(expected, 0.0)
        found = np.zeros_like(expected)
        pairs = rg.ownership.integrated_ownership(asked)
        found[asked.codes(pairs["owner"]), asked.codes(pairs["asset"])] = pairs["share_min"]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
        np.testing.assert_allclose(pairs["share_max"], pairs["share_min"], rtol=0, atol=1e-10)
        some = rg.ownership.integrated_ownership(asked, assets=["C1", "C3"])
        columns = asked.codes(["C1", "C3"])
        np.testing.assert_allclose(
            found[asked.codes(some["owner"]), asked.codes(some["asset"])], some["share_min"], rtol=0, atol=1e-10
        )
        assert len(some) == np.count_nonzero(expected[:, columns] > 1e-15)
