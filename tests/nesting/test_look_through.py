from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import riskgraph as rg
from riskgraph.nesting import UNTRACED, look_through, product_balances

EXAMPLES = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "nesting.yaml").read_text(encoding="utf-8"))[
    "examples"
]


def table(frame: pd.DataFrame, column: str = "amount") -> dict[tuple[str, str], float]:
    return {(row.holder, row.asset): getattr(row, column) for row in frame.itertuples()}


# -- published and closed-form examples ------------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["id"] for example in EXAMPLES])
def test_exposure_is_geared_as_published(money, example):
    graph = money([tuple(row) for row in example["relations"]], example["leverage"])
    found = look_through(graph, exposure=True)
    balances = product_balances(graph).set_index("product")["leverage"]
    assert {name: balances[name] for name in example["leverage"]} == pytest.approx(example["leverage"])
    weighted = (found["exposure"] * found["asset"].map(example["weights"])).groupby(found["holder"]).sum()
    put_in = found.groupby("holder")["amount"].sum()
    for holder, effective in example["effective"].items():
        assert weighted[holder] / put_in[holder] == pytest.approx(effective, abs=1e-12)
        assert put_in[holder] == pytest.approx(sum(r[3] for r in example["relations"] if r[0] == holder))
    for holder, value in example.get("weighted", {}).items():
        assert weighted[holder] == pytest.approx(value, abs=1e-12)


def test_chain_over_three_sectors():
    found = look_through(rg.datasets.toy_nested_product())
    assert list(found.columns) == [
        "holder", "asset", "share", "amount", "layers_min", "layers_max", "sectors", "through",
    ]  # fmt: skip
    row = found.iloc[0]
    assert len(found) == 1
    assert (row.holder, row.asset, row.share, row.amount) == ("Saver", "Developer", 1.0, 100.0)
    assert (row.layers_min, row.layers_max) == (3, 3)
    assert set(row.sectors) == {"bank", "trust", "asset_management", "real_estate"}
    assert row.through == ("BankPlan", "TrustPlan", "AssetPlan")


def test_products_that_hold_each_other_follow_the_closed_form(money):
    # A has half of B, B a twentieth of A: T_A = (100 + 50/2) / (1 - 1/40), every stake of A is 40/39 of the plain one
    graph = money(
        [
            ("ann", "A", "invests", None, 0.95),
            ("B", "A", "invests", None, 0.05),
            ("A", "B", "invests", None, 0.5),
            ("bob", "B", "owns", None, 0.5),
            ("A", "mill", "invests", 100.0),
            ("B", "mine", "invests", 50.0),
        ],
        ["A", "B"],
    )
    amount, share = table(look_through(graph)), table(look_through(graph), "share")
    assert amount["ann", "mill"] == pytest.approx(0.95 * 100 * 40 / 39, rel=1e-12)
    assert amount["ann", "mine"] == pytest.approx(0.95 * 0.5 * 50 * 40 / 39, rel=1e-12)
    assert amount["bob", "mine"] == pytest.approx(0.5 * 50 * 40 / 39, rel=1e-12)
    assert amount["bob", "mill"] == pytest.approx(0.5 * 0.05 * 100 * 40 / 39, rel=1e-12)
    assert share["ann", "mill"] + share["bob", "mill"] == pytest.approx(1, abs=1e-12)
    assert amount["ann", "mine"] + amount["bob", "mine"] == pytest.approx(50, abs=1e-12)


def test_money_that_goes_round_is_counted_once():
    found = look_through(rg.datasets.toy_nested_cycle())
    assert table(found) == {("Saver", "Mine"): pytest.approx(60, abs=1e-12)}
    assert found["layers_max"].tolist() == [np.inf]
    assert found["through"][0] == ("Plum", "Quince", "Rowan")
    through_plum = look_through(rg.datasets.toy_nested_cycle(), assets=["Plum"])
    # 60 of its own and 40 that come back
    assert through_plum["amount"].tolist() == pytest.approx([100])


def test_a_ring_that_only_funds_itself_is_reported_not_iterated(money):
    graph = money([("A", "B", "invests", 100.0), ("B", "C", "invests", 100.0), ("C", "A", "invests", 100.0)], "ABC")
    found = look_through(graph)
    assert found.empty
    assert found.attrs["closed"] == [("A", "B", "C")]


# -- what is not on record -------------------------------------------------------------------------------------------


def test_untraced_money_is_its_own_row(money):
    graph = money([("ann", "P", "invests", 70.0), ("bob", "P", "invests", 30.0), ("P", "mine", "invests", 60.0)], ["P"])
    assert table(look_through(graph)) == pytest.approx(
        {("ann", "mine"): 42, ("ann", UNTRACED): 28, ("bob", "mine"): 18, ("bob", UNTRACED): 12}
    )


def test_money_without_a_source_has_an_untraced_holder(money):
    graph = money([("ann", "P", "invests", 60.0), ("P", "mine", "invests", 100.0)], ["P"])
    found = look_through(graph)
    assert table(found) == pytest.approx({("ann", "mine"): 60, (UNTRACED, "mine"): 40})
    assert table(found, "share") == pytest.approx({("ann", "mine"): 0.6, (UNTRACED, "mine"): 0.4})
    assert look_through(graph, holders=[UNTRACED])["amount"].tolist() == pytest.approx([40])


def test_missing_amounts_are_unknown_not_equal_and_not_zero(money):
    graph = money(
        [("ann", "P", "invests", None), ("bob", "P", "invests", None), ("P", "mine", "invests", 100.0)], ["P"]
    )
    found = look_through(graph).set_index("holder")
    assert found.loc[["ann", "bob"], "share"].isna().all()
    assert found.loc[["ann", "bob"], "amount"].isna().all()
    # somebody did put the 100 in
    assert found.loc[UNTRACED, "amount"] == 100


def test_one_missing_amount_makes_all_shares_unknown_but_not_the_amounts(money):
    graph = money([("ann", "P", "invests", 50.0), ("bob", "P", "invests", None), ("P", "mine", "invests", 50.0)], ["P"])
    found = look_through(graph).set_index("holder")
    assert found["share"].isna().all()
    assert found.loc["ann", "amount"] == 50
    assert np.isnan(found.loc["bob", "amount"])


def test_declared_shares_stand_in_for_amounts(money):
    graph = money(
        [("ann", "P", "invests", 30.0, 0.3), ("bob", "P", "owns", None, 0.7), ("P", "mine", "owns", None, 0.1)], ["P"]
    )
    found = look_through(graph).set_index(["holder", "asset"])
    # 30 for three tenths: the product holds 100; what its tenth of the mine cost is not on record
    assert found.loc[("bob", UNTRACED), "amount"] == pytest.approx(70)
    assert found.loc[("bob", "mine"), "share"] == pytest.approx(0.07)
    assert np.isnan(found.loc[("bob", "mine"), "amount"])


def test_a_platform_is_looked_through_to_its_borrowers(money):
    graph = money(
        [
            ("ann", "site", "lends", 60.0),
            ("bob", "site", "invests", 40.0),
            ("mine", "site", "raises_on", 75.0),
            ("mill", "site", "raises_on", 25.0),
        ]
    )
    found = look_through(graph)
    assert table(found)["ann", "mine"] == pytest.approx(45)
    assert found["through"].map(len).eq(1).all()
    assert found["layers_max"].eq(0).all()  # a platform is no product


def test_loans_among_firms_are_no_funding_chain(money):
    assert look_through(money([("a", "b", "lends", 10.0), ("b", "c", "lends", 10.0)])).empty


# -- asking ----------------------------------------------------------------------------------------------------------


def test_holders_and_assets_choose_rows_of_the_whole(money):
    graph = random_graph(np.random.default_rng(3), 40)
    whole = look_through(graph)
    some = look_through(graph, holders=["h1", "h3"], assets=["k0", "k2", UNTRACED])
    expected = whole[whole["holder"].isin(["h1", "h3"]) & whole["asset"].isin(["k0", "k2", UNTRACED])]
    pd.testing.assert_frame_equal(some, expected.reset_index(drop=True))


def test_a_product_can_be_the_holder(money):
    graph = money(
        [("ann", "P", "invests", 100.0), ("P", "Q", "invests", 80.0), ("Q", "mine", "invests", 80.0)], ["P", "Q"]
    )
    found = look_through(graph, holders=["P"]).set_index("asset")
    assert found.loc["mine", "amount"] == pytest.approx(80)
    assert found.loc[UNTRACED, "amount"] == pytest.approx(20)
    assert (found.loc["mine", "layers_max"], found.loc["mine", "through"]) == (2, ("Q",))


def test_layers_of_two_ways_and_of_public_funds(money):
    rows = [
        ("ann", "P", "invests", 100.0), ("P", "mine", "invests", 50.0), ("P", "Q", "invests", 50.0),
        ("Q", "mine", "invests", 50.0),
    ]  # fmt: skip
    facts = pd.DataFrame({"entity": ["Q"], "fact": ["public_fund"], "value": [True]})
    row = look_through(money(rows, ["P", "Q"])).iloc[0]
    assert (row.layers_min, row.layers_max) == (1, 2)
    row = look_through(money(rows, ["P", "Q"], facts=facts)).iloc[0]
    assert (row.layers_min, row.layers_max) == (1, 1)


def test_the_date_of_the_graph_decides(money):
    graph = money(
        [("ann", "P", "invests", 10.0), ("bob", "P", "invests", 30.0), ("P", "mine", "invests", 40.0)],
        ["P"],
        start=["2015-01-01", "2016-01-01", "2015-01-01"],
        end=[None, "2016-07-01", None],
    )
    assert table(look_through(graph.at("2016-06-30")))["bob", "mine"] == pytest.approx(30)
    after = table(look_through(graph.at("2016-07-01")))
    assert ("bob", "mine") not in after
    assert after[UNTRACED, "mine"] == pytest.approx(30)


def test_unknown_ids_are_named():
    with pytest.raises(rg.UnknownEntity, match="the graph holds no entity 'nobody'"):
        look_through(rg.datasets.toy_feeders(), holders=["nobody"])


def test_cents_sum_to_the_cent(money):
    rows = [("ann", "P", "invests", 100.0), *(("P", f"k{i}", "invests", 100 / 3) for i in range(3))]
    found = look_through(money(rows, ["P"]), cents=True)
    assert found["amount"].tolist() == [33.34, 33.33, 33.33]
    assert round(found["amount"].sum() * 100) == 10000


def test_a_lost_cent_goes_to_the_row_that_lost_most(money):
    """One yuan as 64.3, 20.3 and 15.4 cents: the largest remainder is that of the smallest amount."""
    rows = [("ann", "P", "invests", 1.0), ("P", "a", "invests", 0.643), ("P", "b", "invests", 0.203)]
    found = look_through(money([*rows, ("P", "c", "invests", 0.154)], ["P"]), cents=True)
    assert found.set_index("asset")["amount"].to_dict() == {"a": 0.64, "b": 0.20, "c": 0.16}


# -- conservation ----------------------------------------------------------------------------------------------------


def random_tables(
    rng: np.random.Generator, tag: str
) -> tuple[list[tuple[str, str]], list[tuple[str, str, str, float]]]:
    """A random small world whose products may fund each other in loops; some outflow is untraced, some borrowed."""
    products = [f"p{i}{tag}" for i in range(rng.integers(2, 7))]
    holders = [f"h{i}{tag}" for i in range(4)]
    assets = [f"k{i}{tag}" for i in range(3)]
    rows = []
    for product in products:
        for holder in rng.choice(holders, rng.integers(1, 3), replace=False):
            rows.append((holder, product, "invests", float(rng.integers(1, 10_000_000)) / 100))
        for asset in rng.choice(assets, rng.integers(0, 3), replace=False):
            rows.append((product, asset, "invests", float(rng.integers(1, 10_000_000)) / 100))
        for other in rng.choice(products, 2):
            if other != product and rng.random() < 0.7:
                rows.append((product, other, "invests", float(rng.integers(1, 10_000_000)) / 100))
    nodes = [(name, "product") for name in products] + [(name, "company") for name in (*holders, *assets)]
    return nodes, rows


def random_graph(rng: np.random.Generator, count: int) -> rg.EntityGraph:
    nodes, rows = [], []
    for number in range(count):
        more_nodes, more_rows = random_tables(rng, f"_{number}" if number else "")
        nodes += more_nodes
        rows += more_rows
    return rg.EntityGraph.from_tables(
        pd.DataFrame(nodes, columns=["id", "kind"]),
        pd.DataFrame(rows, columns=["source", "target", "kind", "amount"]),
    )


@pytest.fixture(scope="module")
def worlds() -> rg.EntityGraph:
    """1,000 random graphs with loops side by side."""
    return random_graph(np.random.default_rng(2016), 1000)


def test_amounts_are_conserved_on_a_thousand_graphs_with_loops(worlds):
    began = time.process_time()
    found = look_through(worlds, cents=True)
    relations = worlds.relations
    is_product = dict(zip(worlds.entities["id"], worlds.entities["kind"] == "product", strict=True))
    outlay = relations[~relations["source"].map(is_product)].groupby("source")["amount"].sum()
    ends = found[found["holder"] != UNTRACED].groupby("holder")["amount"].sum()
    assert len(outlay) > 3000
    assert (outlay.mul(100).round() - ends.reindex(outlay.index).mul(100).round()).abs().max() == 0
    found = look_through(worlds)
    received = relations[~relations["target"].map(is_product)].groupby("target")["amount"].sum()
    begins = found[found["asset"] != UNTRACED].groupby("asset")["amount"].sum()
    np.testing.assert_allclose(begins.reindex(received.index), received, rtol=1e-12)
    shares = found[found["asset"] != UNTRACED].groupby("asset")["share"].sum()
    np.testing.assert_allclose(shares, 1, rtol=1e-12)
    assert np.isinf(found["layers_max"]).sum() > 1000  # there were loops
    assert time.process_time() - began < 10


def test_amounts_equal_the_dense_solution(worlds):
    found = look_through(worlds)
    kinds = worlds.entities.set_index("id")["kind"]
    tags = worlds.entities["id"].str.extract(r"_(\d+)$")[0].fillna("0")
    world = pd.Series(tags.to_numpy(), index=worlds.entities["id"])
    relations = worlds.relations
    for tag in map(str, range(0, 1000, 50)):
        rows = relations[relations["source"].map(world) == tag]
        products = [name for name in kinds.index[kinds == "product"] if world[name] == tag]
        place = {name: spot for spot, name in enumerate(products)}
        flow = rows.groupby(["source", "target"])["amount"].sum()
        total = np.array(
            [max(flow.xs(p, level="target").sum() if p in flow.index.get_level_values("target") else 0,
                 flow.xs(p, level="source").sum() if p in flow.index.get_level_values("source") else 0)
             for p in products]
        )  # fmt: skip
        D = np.zeros((len(products), len(products)))
        for (a, b), amount in flow.items():
            if a in place and b in place:
                D[place[a], place[b]] = amount / total[place[a]]
        N = np.linalg.inv(np.eye(len(products)) - D)
        for row in found[found["holder"].map(world) == tag].itertuples():
            if row.asset == UNTRACED:
                continue
            first = np.array([flow.get((row.holder, p), 0.0) for p in products])
            last = np.array([flow.get((p, row.asset), 0.0) for p in products]) / total
            assert row.amount == pytest.approx(first @ N @ last, rel=1e-9)


def test_layers_equal_the_longest_path_of_all_paths():
    import networkx as nx

    worlds = random_graph(np.random.default_rng(5), 60)
    found = look_through(worlds).set_index(["holder", "asset"])
    G = nx.DiGraph()
    G.add_edges_from(zip(worlds.relations["source"], worlds.relations["target"], strict=True))
    U = G.to_undirected()
    kinds = worlds.entities.set_index("id")["kind"]
    for (holder, asset), row in found.iterrows():
        if UNTRACED in (holder, asset):
            continue
        near = nx.node_connected_component(U, holder)
        part = G.subgraph(n for n in near if kinds[n] == "product" or n in (holder, asset))
        between = nx.descendants(part, holder) & nx.ancestors(part, asset)
        lengths = [len(path) - 2 for path in nx.all_simple_paths(part, holder, asset)]
        assert row["layers_min"] == min(lengths)
        if nx.is_directed_acyclic_graph(part.subgraph(between)):
            assert row["layers_max"] == max(lengths)
        else:
            assert row["layers_max"] == np.inf


def test_a_chain_of_two_thousand_products(money):
    names = [f"p{i}" for i in range(2000)]
    rows = [("ann", "p0", "invests", 8.0), *((a, b, "invests", 8.0) for a, b in pairwise(names))]
    row = look_through(money([*rows, ("p1999", "mine", "invests", 8.0)], names)).iloc[0]
    assert (row.layers_max, row.amount, len(row.through)) == (2000, 8.0, 2000)


def test_relabelling_permutes_and_empty_relations_add_nothing(money):
    rows = [
        ("ann", "P", "invests", 5.0),
        ("P", "Q", "invests", 5.0),
        ("Q", "P", "invests", 2.0),
        ("Q", "k", "invests", 3.0),
    ]
    one = table(look_through(money(rows, ["P", "Q"])))
    other = table(look_through(money(rows[::-1], ["Q", "P"])))
    none = table(look_through(money([*rows, ("bob", "P", "invests", 0.0)], ["P", "Q"])))
    assert one == pytest.approx(other)
    assert none["ann", "k"] == pytest.approx(one["ann", "k"])
