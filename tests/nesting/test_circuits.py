from __future__ import annotations

import time

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.nesting import circuits


def ring(kinds: tuple[str, ...] = ("owns", "owns", "owns")) -> list[tuple[object, ...]]:
    return [(a, b, kind, 100.0) for (a, b), kind in zip(("AB", "BC", "CA"), kinds, strict=True)]


@pytest.mark.parametrize("kinds", [("owns",) * 3, ("owns", "invests", "lends"), ("invests", "guarantees", "owns")])
def test_a_hundred_round_three_firms_is_booked_three_times(money, kinds):
    row = circuits(money(ring(kinds))).iloc[0]
    assert row.entities == ("A", "B", "C")
    assert row.relations == ("r0", "r1", "r2")
    assert (row.amount, row.external, row.inflation_factor) == (100, 0, 3)


def test_money_from_outside_is_the_base(money):
    row = circuits(money([*ring(), ("ann", "A", "invests", 60.0), ("X", "B", "guarantees", 500.0)])).iloc[0]
    assert (row.external, row.inflation_factor) == (60, 5)  # a guarantee brings nothing in


def test_a_share_without_amount_counts_its_part_of_the_capital(money):
    rows = [("A", "B", "owns", None, 0.5), ("B", "A", "owns", 30.0)]
    entities = pd.DataFrame({"id": ["A", "B"], "kind": "company", "capital": [100.0, 80.0]})
    relations = pd.DataFrame(
        [(*r, *(None,) * (5 - len(r))) for r in rows], columns=["source", "target", "kind", "amount", "share"]
    ).astype({"amount": float, "share": float})
    row = circuits(rg.EntityGraph.from_tables(entities, relations)).iloc[0]
    assert (row.amount, row.inflation_factor) == (30, pytest.approx(70 / 30))
    row = circuits(money(rows)).iloc[0]
    assert np.isnan(row.amount)
    assert np.isnan(row.inflation_factor)


def test_own_shares_and_open_chains_are_no_loops(money):
    assert circuits(money([("A", "A", "owns", 5.0), ("A", "B", "owns", 5.0), ("B", "C", "lends", 5.0)])).empty


def test_all_short_loops_are_found_like_networkx_does():
    rng = np.random.default_rng(1)
    pairs = {tuple(pair) for pair in rng.integers(0, 12, (30, 2)).tolist() if pair[0] != pair[1]}
    relations = pd.DataFrame(sorted(pairs), columns=["source", "target"]).astype(str)
    relations["kind"] = "owns"
    entities = pd.DataFrame({"id": [str(n) for n in range(12)], "kind": "company"})
    found = circuits(rg.EntityGraph.from_tables(entities, relations), max_length=6)
    G = nx.DiGraph(sorted(pairs))
    expected = {frozenset(zip(c, [*c[1:], c[0]], strict=True)) for c in nx.simple_cycles(G, length_bound=6)}
    got = {frozenset(zip(map(int, c), map(int, (*c[1:], c[0])), strict=True)) for c in found["entities"]}
    assert got == expected
    assert len(found) == len(expected) > 10
    assert found.attrs["left_out"].empty


def dense_core(n: int) -> rg.EntityGraph:
    rng = np.random.default_rng(0)
    pairs = {tuple(pair) for pair in rng.integers(0, n, (4 * n, 2)).tolist() if pair[0] != pair[1]}
    pairs |= {(a, (a + 1) % n) for a in range(n)} | {(n, n + 1), (n + 1, n)}
    relations = pd.DataFrame(sorted(pairs), columns=["source", "target"]).astype(str)
    relations["kind"], relations["amount"] = "owns", 1.0
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": [str(k) for k in range(n + 2)], "kind": "company"}), relations
    )


def test_a_large_core_keeps_to_the_budget_and_says_so():
    graph = dense_core(400)
    began = time.perf_counter()
    found = circuits(graph, budget=30_000)
    assert time.perf_counter() - began < 5
    assert ("400", "401") in set(found["entities"])  # the small loop is not starved by the core
    left = found.attrs["left_out"]
    assert left["entities"].tolist() == [400]
    assert not left["complete"].any()
    assert left["without_loop"].iloc[0] < left["relations"].iloc[0]
    again = circuits(dense_core(400), budget=30_000)
    pd.testing.assert_frame_equal(found, again)


def test_every_relation_of_a_core_gets_a_loop_when_the_budget_lasts():
    graph = dense_core(100)
    found = circuits(graph, budget=400_000)
    edges = {(a, b) for c in found["entities"] for a, b in zip(c, (*c[1:], c[0]), strict=True)}
    assert edges == set(zip(graph.relations["source"], graph.relations["target"], strict=True))
    assert found.attrs["left_out"]["without_loop"].tolist() == [0]


def test_parameters_are_checked():
    graph = rg.datasets.toy_nested_cycle()
    with pytest.raises(rg.InvalidParameter, match="'max_length' must be 2 or more; got 1"):
        circuits(graph, max_length=1)
    with pytest.raises(rg.InvalidParameter, match="'budget' must be 0 or more; got -1"):
        circuits(graph, budget=-1)
