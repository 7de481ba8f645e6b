"""Proofs of ownership: the relations named are enough to derive the share again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.ownership import explain_ownership, integrated_ownership


def derived_again(rows: pd.DataFrame, owner: str, asset: str) -> tuple[float, float]:
    used = list(dict.fromkeys([*rows["source"], *rows["target"]]))
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": used, "kind": "company"}),
        rows[["id", "source", "target", "kind", "share_min", "share_max"]],
    )
    row = integrated_ownership(graph, [owner], [asset]).iloc[0]
    return row["share_min"], row["share_max"]


def test_the_share_follows_from_the_relations_named(company_graph, random_shares):
    rng = np.random.default_rng(20)
    proofs = 0
    while proofs < 60:
        n = int(rng.integers(3, 9))
        _, _, rows = random_shares(rng, n, density=0.35, exact=0.6)
        rows += [(a, b, 0.0, 0.001) for a, b, *_ in rows[:1]]  # one pair with two relations
        graph = company_graph(rows)
        frame = integrated_ownership(graph)
        for row in frame.sample(min(len(frame), 6), random_state=int(rng.integers(1000))).itertuples():
            proof = explain_ownership(graph, row.owner, row.asset)
            expected = pytest.approx((row.share_min, row.share_max), abs=1e-12)
            assert (proof.attrs["share_min"], proof.attrs["share_max"]) == expected
            assert derived_again(proof, row.owner, row.asset) == expected
            proofs += 1


def test_every_carrying_relation_is_needed(company_graph, random_shares):
    rng = np.random.default_rng(21)
    for _ in range(4):
        _, _, rows = random_shares(rng, 6, density=0.4, exact=1.0)
        graph = company_graph([row for row in rows if row[2] > 0])
        for row in integrated_ownership(graph).head(5).itertuples():
            for relation in explain_ownership(graph, row.owner, row.asset)["id"]:
                without = integrated_ownership(graph.with_changes(remove=[relation]), [row.owner], [row.asset])
                assert without.empty or without["share_min"].iloc[0] < row.share_min - 1e-15


def test_rows_are_in_deriving_order_and_add_up():
    rows = explain_ownership(rg.datasets.toy_diamond(), "Ann", "Mine")
    assert rows["part"].tolist() == ["carries"] * 4
    known = {"Ann"}
    for row in rows.itertuples():
        assert row.source in known
        known.add(row.target)
    assert rows.loc[rows["target"] == "Mine", "carried_min"].sum() == pytest.approx(0.45)


def test_other_holders_bound_a_missing_share():
    graph = rg.datasets.toy_missing_share()
    rows = explain_ownership(graph, "Bob", "Mine")
    assert rows["part"].tolist() == ["carries", "bounds", "bounds"]
    assert rows["carried_max"].tolist() == pytest.approx([0.3, 0.0, 0.0])
    assert (rows.attrs["share_min"], rows.attrs["share_max"]) == pytest.approx((0.0, 0.3))


def test_relations_into_the_owner_and_dead_ends_are_left_out(company_graph):
    graph = company_graph([("P", "A", 0.5), ("A", "B", 0.5), ("B", "P", 0.5), ("A", "D", 0.9), ("Q", "A", 0.3)])
    rows = explain_ownership(graph, "P", "B")
    assert rows[["source", "target"]].to_numpy().tolist() == [["P", "A"], ["A", "B"]]


def test_no_share_no_rows(company_graph):
    graph = company_graph([("P", "A", 0.5), ("Q", "B", 0.5)])
    rows = explain_ownership(graph, "P", "B")
    assert rows.empty
    assert rows.attrs == {"share_min": 0.0, "share_max": 0.0}
    assert {"id", "source", "target", "part", "carried_min", "carried_max"} <= set(rows)


def test_arguments_are_checked(company_graph):
    graph = company_graph([("P", "A", 0.5)])
    with pytest.raises(rg.InvalidParameter, match="'owner' and 'asset' must differ; got 'P' twice"):
        explain_ownership(graph, "P", "P")
    with pytest.raises(rg.UnknownEntity, match="no entity 'Z'"):
        explain_ownership(graph, "Z", "A")
