"""Conservation on the invented county: what is fully declared belongs to somebody, to the last part."""

from __future__ import annotations

import networkx as nx
import numpy as np

import riskgraph as rg


def test_owners_of_fully_declared_companies_sum_to_one():
    """Over every company whose holders, and theirs, are all on record with exact shares."""
    graph = rg.datasets.load_county().graph.at("2016-12-31")
    owns = graph.relations.query("kind == 'owns'")
    exact = owns["share_min"] == owns["share_max"]
    declared = owns["share_min"].where(exact, np.nan).groupby(owns["target"]).sum(min_count=1)
    count = exact.groupby(owns["target"]).all()
    full = set(declared.index[count & (abs(declared - 1) < 1e-12)])
    G = nx.DiGraph(zip(owns["source"], owns["target"], strict=True))
    held = set(owns["target"])
    roots = [node for node in G if node not in held]
    clear = [
        company
        for company in sorted(full)
        if all(above in full or above not in held for above in nx.ancestors(G, company))
        and any(above not in held for above in nx.ancestors(G, company))
    ]
    assert len(clear) > 400
    shares = rg.ownership.integrated_ownership(graph, owners=roots)
    total = shares.groupby("asset")["share_min"].sum().reindex(clear)
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    np.testing.assert_allclose(shares.groupby("asset")["share_max"].sum().reindex(clear), 1.0, atol=1e-12)
