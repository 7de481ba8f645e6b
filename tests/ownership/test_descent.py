"""Shares owner by owner in compiled loops equal those of the plain form, whatever the graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskgraph.ownership import integrated_ownership

pytest.importorskip("numba", reason="the extra 'fast' is not installed")


def both(monkeypatch, graph, *given, **more):
    """Frames of the plain and of the compiled form."""
    frames = []
    for wanted in "01":
        monkeypatch.setenv("RISKGRAPH_KERNELS", wanted)
        frames.append(integrated_ownership(graph.at("2020-01-01"), *given, **more))
    return frames


def assert_same(plain, compiled):
    pd.testing.assert_frame_equal(compiled, plain, rtol=0, atol=1e-10)
    assert compiled.attrs == plain.attrs


@pytest.fixture(params=range(24))
def graph(request, company_graph, random_shares):
    """Random companies: rings, own shares, intervals, holdings given twice, leaves, and some without any relation."""
    rng = np.random.default_rng(request.param)
    n = int(rng.integers(2, 14))
    rows = random_shares(rng, n, density=rng.uniform(0.05, 0.4), exact=rng.choice([0.2, 0.7, 1.0]))[2]
    return company_graph(rows + rows[: len(rows) // 4], [*(f"e{i}" for i in range(n)), "alone"])


def changed(graph, rng):
    gone = graph.relation_ids(rng.choice(len(graph.columns), min(2, len(graph.columns)), replace=False))
    more = pd.DataFrame({"source": ["e0", "alone"], "target": ["e1", "e1"], "kind": "owns", "share": [0.01, np.nan]})
    return graph.with_changes(add=more, remove=gone)


def test_random_graphs_before_and_after_changes(monkeypatch, graph):
    rng = np.random.default_rng(len(graph.columns))
    for asked in (graph, changed(graph, rng)):
        assert_same(*both(monkeypatch, asked))
        some = rng.choice(asked.ids, 2, replace=False)
        assert_same(*both(monkeypatch, asked, some))
        assert_same(*both(monkeypatch, asked, some, rng.choice(asked.ids, 2, replace=False)))


@pytest.mark.parametrize("name", ["riskgraph.ownership._descent.SWEEPS", "riskgraph.ownership.integrated.BLOCK_PAIRS"])
def test_owners_left_to_the_plain_form_and_owners_in_turns(monkeypatch, graph, name):
    monkeypatch.setattr(name, 1)
    assert_same(*both(monkeypatch, graph))


@pytest.mark.parametrize(
    "rows",
    [
        [("A", "B", 1.0), ("B", "A", 1.0), ("B", "C", 0.5), ("P", "C", 0.1)],
        [("A", "B", 1.0), ("B", "A", 1.0), ("P", "A", np.nan, np.nan)],
        [("A", "B", 0.7), ("B", "A", 0.7), ("P", "A", 0.6)],
        [("A", "B", 0.999), ("B", "A", 0.998), ("P", "A", 0.001)],
        [("A", "A", 0.4), ("P", "A", 0.3, 0.6), ("A", "B", np.nan, np.nan), ("P", "B", np.nan, np.nan)],
        [],
    ],
    ids=["closed", "closed with a missing share", "above one", "long returns", "own shares", "nothing"],
)
def test_rings_that_circulate(monkeypatch, company_graph, rows):
    assert_same(*both(monkeypatch, company_graph(rows, ["A", "B", "C", "P"])))
    assert_same(*both(monkeypatch, company_graph(rows, ["A", "B", "C", "P"]), ["P"]))


def test_many_owners_of_many_companies_need_more_room_than_the_first(monkeypatch, company_graph):
    rows = [(f"P{i}", f"C{i % 7}", 0.01) for i in range(70)] + [(f"C{i % 7}", f"D{i}", 0.9) for i in range(300)]
    assert_same(*both(monkeypatch, company_graph(rows)))
