from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau
from sklearn.base import clone

import riskgraph as rg
from riskgraph._texts import is_packed
from riskgraph.nesting import NestingScorer, look_through
from riskgraph.nesting._components import COMPONENTS
from riskgraph.nesting._scale import default_weights, scale
from riskgraph.nesting._sectors import sector_codes
from riskgraph.schema import SECTORS


def report(graph: rg.EntityGraph, **parameters: object) -> pd.DataFrame:
    return NestingScorer(**parameters).fit(graph).report_.set_index("entity")


def bank_to_bank(money) -> rg.EntityGraph:
    """A bank's money passes trust, securities and insurance plans and ends in the bank's own bond."""
    nodes = ["BankA", "WMP", "Trust", "Broker", "InsPlan", "BankA_bond"]
    sectors = dict(zip(nodes, ["bank", "bank", "trust", "securities", "insurance", "bank"], strict=True))
    rows = [(a, b, "invests", 1.0) for a, b in pairwise(nodes)]
    return money(rows, nodes[1:5], sectors=sectors)


# -- the components --------------------------------------------------------------------------------------------------


def test_a_chain_over_four_sectors_that_comes_home(money):
    found = report(bank_to_bank(money))
    for product in ("WMP", "Trust", "Broker", "InsPlan"):
        row = found.loc[product]
        assert (row["layers"], row["sectors"], row["crossings"], row["returns"]) == (4, 4, 4, 1)
    assert set(found.loc["WMP", "sector_codes"]) == {"bank", "trust", "securities", "insurance"}
    assert look_through(bank_to_bank(money))["layers_max"].tolist() == [4]


def test_a_plain_firm_scores_zero(money):
    graph = money(
        [("ann", "firm", "owns", None, 1.0), ("firm", "shop", "owns", None, 0.6), ("bank", "firm", "lends", 5.0)],
        sectors={"firm": "p2p", "bank": "bank", "shop": "other"},
        persons=["ann"],
    )
    found = report(graph)
    assert found["score"].eq(0).all()
    assert found["reasons"].eq("").all()
    assert found.loc["firm", list(COMPONENTS)].drop(["sectors", "leads"]).eq(0).all()


def test_one_product_with_everything_on_record_scores_zero(money):
    graph = money(
        [("ann", "P", "invests", 5.0), ("P", "mine", "invests", 5.0), ("house", "P", "manages", None)],
        ["P"],
        sectors={"P": "fund", "house": "fund"},
        persons=["ann"],
        licences=pd.DataFrame({"entity": ["house"], "sector": ["fund"]}),
    )
    assert report(graph)["score"].eq(0).all()


def test_an_affiliate_of_a_second_sector_raises_the_score(money):
    rows = [("ann", "firm", "owns", None, 1.0)]
    before = report(money(rows, sectors={"firm": "p2p"}, extra=["agent"]))
    sectors = {"firm": "p2p", "agent": "insurance"}
    after = report(money([*rows, ("firm", "agent", "owns", None, 0.6)], sectors=sectors))
    assert before.loc["firm", "score"] == 0
    assert after.loc["firm", "score"] > 0
    assert (after.loc["firm", "sectors"], after.loc["firm", "crossings"]) == (2, 1)
    assert after.loc["agent", "score"] == 0  # the parent meets two sectors, its daughter one
    minor = report(money([*rows, ("firm", "agent", "owns", None, 0.03)], sectors=sectors))
    assert minor.loc["firm", "score"] == 0  # a few shares are no affiliate


def test_majorities_carry_sectors_up_a_chain_of_holdings(money):
    rows = [("top", "mid", "owns", None, 0.6), ("mid", "low", "owns", None, 0.6), ("top", "x", "controls", None)]
    found = report(money(rows, sectors={"low": "payment", "x": "fund"}))
    assert found.loc["top", "sectors"] == 2
    group = found.loc["group:top"]
    assert (group["kind"], group["sectors"]) == ("group", 2)


def test_money_that_comes_home_to_the_manager_returns(money):
    rows = [("ann", "P", "invests", 9.0), ("house", "P", "manages", None)]
    away = report(money([*rows, ("P", "mine", "invests", 9.0)], ["P"]))["returns"]
    own = report(money([*rows, ("P", "house", "invests", 9.0)], ["P"]))["returns"]
    ties = [("top", "house", "owns", None, 0.6), ("top", "mine", "owns", None, 0.6)]
    group = report(money([*rows, *ties, ("P", "mine", "invests", 9.0)], ["P"]))["returns"]
    assert (away["P"], own["P"], own["house"], group["P"], group["house"]) == (0, 1, 1, 1, 1)


def test_circles_are_endless_and_circular(money):
    found = report(rg.datasets.toy_nested_cycle())
    assert math.isinf(found.loc["Plum", "layers"])
    assert found.loc["Plum", "circularity"] == pytest.approx(0.4)  # 40 of 100 came round
    assert found.loc["Quince", "circularity"] == 1
    assert found.loc["Mine", "circularity"] == 0
    assert "endless layers" in found.loc["Plum", "reasons"]


def test_opacity_follows_the_money_down_and_up(money):
    graph = money(
        [
            ("ann", "A", "invests", 100.0), ("A", "B", "invests", 50.0), ("A", "mine", "invests", 50.0),
            ("B", "mine", "invests", 10.0), ("C", "mine", "invests", 10.0), ("ann", "D", "invests", None),
        ],
        "ABCD",
    )  # fmt: skip
    found = report(graph)["opacity"]
    assert found["B"] == pytest.approx(0.8)  # 40 of its 50 are not seen again
    assert found["A"] == pytest.approx(0.4)
    assert found["C"] == 1  # nobody is on record behind it
    assert found["D"] == 1  # no amount at all: unknown is not traced


def test_unlicensed_acts_count_when_licences_are_known(money):
    rows = [("house", "P", "manages", None), ("shop", "P", "distributes", None), ("ann", "P", "invests", 1.0)]
    licences = pd.DataFrame({"entity": ["house"], "sector": ["fund"], "end": ["2016-06-01"]})
    graph = money(rows, ["P"], licences=licences)
    found = report(graph.at("2016-05-31"))["unlicensed_share"]
    assert (found["P"], found["shop"], found["house"]) == (0.5, 1, 0)
    assert report(money(rows, ["P"]))["unlicensed_share"].eq(0).all()  # nothing is known of licences


def test_licences_of_a_group_without_a_firewall(money):
    rows = [
        ("top", "pay", "owns", None, 0.8), ("top", "sure", "owns", None, 0.8), ("top", "fund", "owns", None, 0.8),
        ("joe", "pay", "officer", None), ("joe", "sure", "officer", None), ("eve", "fund", "officer", None),
    ]  # fmt: skip
    licences = pd.DataFrame({"entity": ["pay", "sure", "fund"], "sector": ["payment", "insurance", "fund"]})
    found = report(money(rows, persons=["joe", "eve"], licences=licences))["licences"]
    assert found["group:top"] == found["top"] == 2  # the fund shares nothing
    assert found[["pay", "sure", "fund"]].eq(0).all()  # the firewall is the duty of those who lead
    rows[4] = ("eva", "sure", "officer", None)
    apart = report(money(rows, persons=["joe", "eve", "eva"], licences=licences))["licences"]
    assert apart.eq(0).all()


def test_lead_agencies_come_from_the_catalogue(money):
    class Catalogue:
        def lead(self, sector: str) -> tuple[str, ...]:
            return {"bank": ("banking_regulator",), "trust": ("banking_regulator",)}.get(sector, ("finance_office",))

    graph = rg.datasets.toy_nested_product()
    with_it = NestingScorer().fit(graph, Catalogue()).report_.set_index("entity")["leads"]
    assert with_it["BankPlan"] == 2
    assert report(graph).loc["BankPlan", "leads"] == 4  # one of its own for every sector
    shipped = NestingScorer().fit(graph, rg.supervision.Catalogue.load("jiangsu-2016")).report_
    assert 1 <= shipped["leads"].max() <= 4


def test_chains_that_share_an_end_are_not_nested_in_each_other(money):
    rows = [(f"saver{n}", plan, "invests", 9.0) for n, plan in enumerate(["wmp", "plan", "scheme"])]
    rows += [(plan, "mill", "invests", 9.0) for plan in ("wmp", "plan", "scheme")]
    sectors = {"wmp": "bank", "plan": "trust", "scheme": "securities"}
    found = report(money(rows, sectors, sectors=sectors, persons=[f"saver{n}" for n in range(3)]))
    assert found["score"].eq(0).all()  # a mill that borrows from three houses
    joined = report(money([*rows, ("wmp", "plan", "invests", 1.0)], sectors, sectors=sectors))
    assert joined.loc["mill", ["sectors", "layers", "crossings"]].tolist() == [2, 2, 1]
    assert set(joined.loc["mill", "sector_codes"]) == {"bank", "trust"}


def test_funders_and_assets_stand_on_their_own_chains_only(money):
    rows = [
        ("holder", "P", "invests", 10.0), ("P", "near", "invests", 5.0), ("P", "Q", "invests", 5.0),
        ("late", "Q", "invests", 1.0), ("Q", "far", "invests", 6.0), ("house", "P", "manages", None),
    ]  # fmt: skip
    sectors = {"P": "bank", "Q": "trust", "far": "real_estate", "house": "bank"}
    scorer = NestingScorer().fit(money(rows, "PQ", sectors=sectors))
    found = scorer.report_.set_index("entity")[["layers", "sectors", "crossings"]].T.to_dict("list")
    assert found == {
        "P": [2, 3, 2], "Q": [2, 3, 2], "house": [2, 3, 2], "holder": [2, 3, 2], "far": [2, 3, 2],
        "near": [1, 1, 0], "late": [1, 2, 1],
    }  # fmt: skip
    assert scorer.explain("far").iloc[0]["chain"] == ("holder", "P", "Q", "far")
    assert scorer.explain("late")["chain"].iloc[0] == ("late", "Q", "far")
    assert scorer.explain("near").empty


def test_partners_in_business_count_one_at_a_time(money):
    rows = [("site", "insurer", "cooperates", None), ("site", "broker", "cooperates", None)]
    sectors = {"site": "p2p", "insurer": "insurance", "broker": "securities"}
    assert report(money(rows, sectors=sectors)).loc["site", ["sectors", "crossings"]].tolist() == [2, 1]


def test_guarantees_are_circular_among_guarantees_only(money):
    rows = [
        ("a", "b", "guarantees", 5.0), ("b", "a", "guarantees", 5.0), ("c", "a", "guarantees", 15.0),
        ("bank", "a", "lends", 100.0), ("bank", "b", "lends", 100.0),
        ("d", "e", "owns", 30.0), ("e", "d", "lends", 30.0), ("bank", "d", "lends", 10.0),
        ("c", "d", "guarantees", 900.0),
    ]  # fmt: skip
    found = report(money(rows))["circularity"]
    assert (found["a"], found["b"], found["d"], found["e"]) == pytest.approx((0.25, 1.0, 0.75, 1.0))


def test_who_passes_payment_work_to_a_firm_without_licence_answers_for_it(money):
    rows = [
        ("head", "mid", "subcontracts", None),
        ("mid", "end", "subcontracts", None),
        ("x", "y", "subcontracts", None),
    ]
    licences = pd.DataFrame({"entity": ["head", "x", "y"], "sector": ["payment"] * 3})
    found = report(money(rows, licences=licences))["unlicensed_share"]
    assert found[["head", "mid", "end", "x", "y"]].tolist() == [1, 1, 1, 0, 0]


def test_more_than_200_investors_count(money):
    people = [f"i{n}" for n in range(201)]
    rows = [(name, "P", "invests", 1.0) for name in people]
    assert report(money(rows, ["P"], persons=people)).loc["P", "investors"] == 201
    assert scale("investors", np.array([200, 201])) == pytest.approx([0, 1 - 100 / 201])


# -- putting together ------------------------------------------------------------------------------------------------


def test_parts_sum_to_the_score_and_rank_it(money):
    scorer = NestingScorer().fit(rg.datasets.load_county().graph)
    assert list(scorer.parts_.columns) == list(scorer.weights_) == list(COMPONENTS)
    np.testing.assert_allclose(scorer.parts_.sum(axis=1), scorer.scores_, atol=1e-12)
    assert scorer.scores_.is_monotonic_decreasing
    assert scorer.scores_.between(0, 1).all()
    assert scorer.scores_.index.tolist() == scorer.report_["entity"].tolist()
    assert ((scorer.report_["reasons"] == "") == (scorer.report_["score"] == 0)).all()
    for name in COMPONENTS:
        np.testing.assert_allclose(
            scorer.parts_[name], scorer.weights_[name] * scale(name, scorer.report_[name].to_numpy()), atol=1e-12
        )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(COMPONENTS),
    st.floats(0, 1e6, allow_nan=False) | st.just(math.inf),
    st.floats(0, 1e6, allow_nan=False) | st.just(math.inf),
)
def test_every_component_is_monotone_in_the_unit_interval(name, a, b):
    low, high = scale(name, np.array([min(a, b), max(a, b)]))
    assert 0 <= low <= high <= 1
    assert scale(name, np.array([0.0])) == 0


PRODUCTS = [f"p{n}" for n in range(5)]
RELATION = st.tuples(st.sampled_from(["ann", *PRODUCTS]), st.sampled_from(["mine", *PRODUCTS])).filter(
    lambda pair: pair[0] != pair[1]
)
SECTOR = st.lists(st.sampled_from(["bank", "trust", "fund", None]), min_size=5, max_size=5)


def funding(pairs: list[tuple[str, str]], sectors: list[str | None]) -> rg.EntityGraph:
    ids = ["ann", "mine", *PRODUCTS]
    entities = pd.DataFrame({"id": ids, "kind": ["person", "company", *["product"] * 5]})
    entities["sector"] = [None, "real_estate", *sectors]
    relations = pd.DataFrame(pairs, columns=["source", "target"], dtype=object)
    relations["kind"], relations["amount"] = "invests", 1.0
    return rg.EntityGraph.from_tables(entities, relations)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RELATION, min_size=1, max_size=12, unique=True), RELATION, SECTOR)
def test_one_more_relation_never_lowers_layers_or_sectors(pairs, more, sectors):
    before, after = report(funding(pairs, sectors)), report(funding([*pairs, more], sectors))
    for name in ("layers", "sectors", "leads"):
        assert (after[name] >= before.reindex(after.index)[name]).all(), name


WEIGHTS = st.lists(st.integers(0, 9), min_size=len(COMPONENTS), max_size=len(COMPONENTS)).filter(any)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RELATION, min_size=1, max_size=12, unique=True), SECTOR, WEIGHTS)
def test_whatever_the_weights_parts_add_up_and_more_of_everything_is_no_less(pairs, sectors, weights):
    given_ = {name: weight / sum(weights) for name, weight in zip(COMPONENTS, weights, strict=True)}
    scorer = NestingScorer(given_).fit(funding(pairs, sectors))
    np.testing.assert_allclose(scorer.parts_.sum(axis=1), scorer.scores_, atol=1e-12)
    raw = scorer.report_[list(COMPONENTS)].to_numpy()
    score = scorer.scores_.to_numpy()
    dominates = (raw[:, None, :] >= raw[None, :, :]).all(axis=2)
    assert (score[:, None] >= score[None, :])[dominates].all()
    plain = (np.column_stack([scale(name, scorer.report_[name].to_numpy()) for name in COMPONENTS]) == 0).all(axis=1)
    assert (score[plain] == 0).all()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RELATION, min_size=1, max_size=12, unique=True), SECTOR, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(pairs, sectors, random):
    mixed = pairs.copy()
    random.shuffle(mixed)
    one, other = report(funding(pairs, sectors)), report(funding(mixed, sectors))
    pd.testing.assert_frame_equal(one[list(COMPONENTS)].sort_index(), other[list(COMPONENTS)].sort_index())


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(RELATION, min_size=1, max_size=10, unique=True), st.lists(RELATION, min_size=1, max_size=10, unique=True)
)
def test_graphs_side_by_side_score_as_alone(one, other):
    none = [None] * 5
    alone = report(funding(one, none))
    ids = {name: f"{name}'" for name in ["ann", "mine", *PRODUCTS]}
    moved = [(ids[a], ids[b]) for a, b in other]
    entities = pd.concat([funding(one, none).entities, funding(one, none).entities.assign(id=[*ids.values()])])
    relations = pd.DataFrame([*one, *moved], columns=["source", "target"])
    relations["kind"], relations["amount"] = "invests", 1.0
    both = report(rg.EntityGraph.from_tables(entities.drop(columns="ended"), relations))
    np.testing.assert_allclose(both.loc[alone.index, "score"], alone["score"], atol=1e-12)


# -- weights, reasons, explanations ----------------------------------------------------------------------------------


def test_weights_are_data_with_reasons():
    text = (Path(rg.nesting.__file__).parent / "weights.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    assert set(table) == set(COMPONENTS)
    assert sum(entry["weight"] for entry in table.values()) == pytest.approx(1, abs=1e-12)
    assert dict(default_weights()) == {name: table[name]["weight"] for name in COMPONENTS}


def test_hints_together_weigh_less_than_one_component_of_nesting_itself():
    itself = {"layers", "returns", "circularity", "investors", "licences"}
    weights = default_weights()
    assert len({weights[name] for name in itself}) == 1
    hints = [weights[name] for name in COMPONENTS if name not in itself]
    assert len(set(hints)) == 1
    assert sum(hints) < weights["layers"]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"layers": 0.5}, "'weights' must sum to 1; got 0.5"),
        ({"depth": 1.0}, "'weights' must name only .*; got 'depth'"),
        ({"layers": 1.5, "sectors": -0.5}, "'weights' must be 0 or more; got -0.5 for 'sectors'"),
        ([1.0], "'weights' must be a mapping"),
    ],
)
def test_weights_are_checked(weights, message):
    with pytest.raises(rg.InvalidParameter, match=message):
        NestingScorer(weights=weights).fit(rg.datasets.toy_nested_product())


def test_own_weights_and_languages():
    scorer = NestingScorer({"layers": 1.0}, lang="zh").fit(rg.datasets.toy_nested_product())
    assert scorer.scores_["BankPlan"] == 0.75
    assert scorer.report_["reasons"].iloc[0] == "3层嵌套"
    assert clone(scorer).get_params() == {"weights": {"layers": 1.0}, "lang": "zh"}
    with pytest.raises(rg.InvalidParameter, match="'lang' must be 'en' or 'zh'; got 'fr'"):
        NestingScorer(lang="fr").fit(rg.datasets.toy_nested_product())


def test_explanations_rest_on_relations_of_the_graph(money):
    graph = rg.datasets.load_county().graph
    scorer = NestingScorer().fit(graph)
    relations = graph.relations.set_index("id")
    for entity in [*scorer.scores_.index[:40], *scorer.scores_[scorer.report_["circularity"].to_numpy() > 0].index[:5]]:
        why = scorer.explain(entity)
        assert why["part"].sum() == pytest.approx(scorer.scores_[entity])
        for row in why.itertuples():
            assert row.chain, (entity, row.component)
            assert row.relations, (entity, row.component)
            ends = set(relations.loc[list(row.relations), "source"]) | set(relations.loc[list(row.relations), "target"])
            assert ends <= set(row.chain) | {entity}, (entity, row.component)


def test_the_chain_of_a_product_is_the_whole_chain(money):
    why = NestingScorer().fit(bank_to_bank(money)).explain("Trust").set_index("component")
    assert why.loc["layers", "chain"] == ("BankA", "WMP", "Trust", "Broker", "InsPlan", "BankA_bond")
    assert why.loc["layers", "relations"] == ("r0", "r1", "r2", "r3", "r4")
    assert why.loc["sectors", "text"] == "4 sectors: insurance, bank, trust, securities"


def test_sectors_are_explained_by_the_chain_that_meets_most(money):
    rows = [
        ("ann", "deep", "invests", 9.0), ("deep", "deeper", "invests", 9.0), ("deeper", "mine", "invests", 9.0),
        ("bank", "wide", "invests", 9.0), ("wide", "tower", "invests", 9.0),
        ("house", "deep", "manages", None), ("house", "wide", "manages", None),
    ]  # fmt: skip
    sectors = {
        "house": "fund",
        "deep": "fund",
        "deeper": "fund",
        "bank": "bank",
        "wide": "trust",
        "tower": "real_estate",
    }
    graph = money(rows, ["deep", "deeper", "wide"], sectors=sectors, persons=["ann"])
    why = NestingScorer().fit(graph).explain("house").set_index("component")
    assert why.loc["layers", "chain"] == ("ann", "deep", "deeper", "mine")
    assert why.loc["sectors", "chain"] == why.loc["crossings", "chain"] == ("bank", "wide", "tower")
    assert why.loc["sectors", "value"] == 4


def test_who_cannot_be_explained():
    scorer = NestingScorer()
    with pytest.raises(rg.RiskGraphError, match="not fitted"):
        scorer.explain("Plum")
    scorer.fit(rg.datasets.toy_nested_product())
    with pytest.raises(rg.InvalidParameter, match="'Saver' is of kind 'person'"):
        scorer.explain("Saver")
    with pytest.raises(rg.UnknownEntity, match="nobody"):
        scorer.explain("nobody")


def test_sensitivity_equals_scoring_again_with_the_changed_weights():
    graph = rg.datasets.load_county().graph
    scorer = NestingScorer().fit(graph)
    found = scorer.sensitivity(change=0.9).set_index("component")
    before = scorer.scores_[scorer.scores_ > 0].round(9)
    for name in ("layers", "circularity"):
        more = 1.9 * scorer.weights_[name]
        room = (1 - more) / (1 - scorer.weights_[name])
        weights = {other: room * weight for other, weight in scorer.weights_.items()}
        after = NestingScorer({**weights, name: more}).fit(graph).scores_[before.index].round(9)
        assert found.loc[name, "tau_more"] == pytest.approx(kendalltau(before, after).statistic, abs=1e-3)
        moves = (after.rank(ascending=False) - before.rank(ascending=False)).abs()
        first = before.rank(ascending=False).nsmallest(20, keep="all").index
        assert found.loc[name, "largest_move"] >= moves[first].max() - 1
        assert 0 < found.loc[name, "tau_more"] < 1


def test_sensitivity_says_how_far_the_ranking_moves():
    scorer = NestingScorer().fit(rg.datasets.load_county().graph)
    found = scorer.sensitivity()
    assert found["component"].tolist() == list(COMPONENTS)
    assert found[["tau_less", "tau_more"]].to_numpy().min() > 0.7
    none = scorer.sensitivity(change=1e-9)
    assert none["largest_move"].eq(0).all()
    assert none[["tau_less", "tau_more"]].to_numpy().min() > 0.99
    with pytest.raises(rg.InvalidParameter, match=r"'change' must be in \(0, 1\]; got 2"):
        scorer.sensitivity(change=2)


@pytest.mark.parametrize("turn", range(6))
def test_layers_are_explained_by_the_deepest_chain_whatever_the_order_of_rows(money, turn):
    rows = [
        ("s", "A", "invests", 1.0), ("A", "B", "invests", 1.0), ("B", "P", "invests", 1.0),
        ("t", "C", "invests", 50.0), ("C", "P", "invests", 50.0), ("P", "mine", "invests", 51.0),
    ]  # fmt: skip
    graph = money([*rows[turn:], *rows[:turn]], ["A", "B", "C", "P"], persons=["s", "t"])
    why = NestingScorer().fit(graph).explain("P").set_index("component")
    assert why.loc["layers", "chain"] == ("s", "A", "B", "P", "mine")


@pytest.mark.parametrize("down", [False, True])
def test_layers_are_explained_through_one_more_product_rather_than_more_money(money, down):
    rows = [("Q", "P", "invests", 1.0), ("t", "P", "invests", 50.0), ("P", "mine", "invests", 51.0)]
    if down:
        rows = [(target, source, *rest) for source, target, *rest in rows]
    why = NestingScorer().fit(money(rows, ["P", "Q"], persons=["t"])).explain("P").set_index("component")
    assert why.loc["layers", "chain"] == (("mine", "P", "Q") if down else ("Q", "P", "mine"))


def test_layers_without_money_are_explained_by_the_chain_of_subcontracts(money):
    graph = money([("head", "mid", "subcontracts", None), ("mid", "end", "subcontracts", None)])
    why = NestingScorer().fit(graph).explain("mid").set_index("component")
    assert why.loc["layers", "chain"] == ("head", "mid", "end")
    assert why.loc["layers", "relations"] == tuple(graph.relations["id"])


@pytest.mark.parametrize("sector", range(len(SECTORS) - 1))
def test_a_sector_is_declared_or_that_of_the_only_licence(sector):
    """Each sector by its number, the first as well: declared against a licence, one licence, two licences, neither."""
    one, other = SECTORS[sector], SECTORS[(sector + 1) % (len(SECTORS) - 1)]
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": list("abcd"), "kind": "company", "sector": [one, None, None, None]}),
        pd.DataFrame({"source": [], "target": [], "kind": []}),
        licences=pd.DataFrame({"entity": list("abcc"), "sector": [other, one, one, other]}),
    )
    assert sector_codes(graph).tolist() == [sector, sector, -1, -1]


@pytest.mark.parametrize(("share", "sectors"), [(0.2, 2), (0.1999, 1)])
def test_a_firm_held_to_a_fifth_counts_among_the_sectors(money, share, sectors):
    graph = money([("house", "pawnshop", "owns", None, share)], sectors={"house": "p2p", "pawnshop": "pawn"})
    assert report(graph).loc["house", "sectors"] == sectors


def test_investors_are_explained_by_the_product_with_the_most(money):
    """Of the products that a house runs, not of those that it funds or that comes first."""
    graph = money(
        [
            ("house", "P", "manages", None), ("house", "Q", "manages", None), ("house", "R", "invests", 5.0),
            *((f"p{spot}", "P", "invests", 1.0) for spot in range(3)), ("P", "mine", "invests", 3.0),
            *((f"q{spot}", "Q", "invests", 1.0) for spot in range(300)), ("Q", "mine", "invests", 3.0),
        ],
        ["P", "Q", "R"],
        persons=[*(f"p{spot}" for spot in range(3)), *(f"q{spot}" for spot in range(300))],
    )  # fmt: skip
    why = NestingScorer().fit(graph).explain("house").set_index("component")
    assert "Q" in why.loc["investors", "chain"]
    assert "P" not in why.loc["investors", "chain"]


def test_a_weight_of_none_or_all_cannot_be_moved():
    graph = rg.datasets.load_county().graph
    weights = dict.fromkeys(COMPONENTS, 0.0) | {COMPONENTS[0]: 1.0}
    found = NestingScorer(weights).fit(graph).sensitivity()
    assert found["weight"].tolist() == list(weights.values())
    assert (found[["tau_less", "tau_more"]] == 1).all(axis=None)
    assert (found["largest_move"] == 0).all()
    assert found["moved"].isna().all()


def test_the_date_decides(money):
    graph = money(
        [("ann", "P", "invests", 1.0), ("P", "Q", "invests", 1.0), ("Q", "mine", "invests", 1.0)],
        ["P", "Q"],
        start=["2015-01-01", "2015-06-01", "2015-01-01"],
    )
    assert report(graph.at("2015-05-31")).loc["P", "layers"] == 1
    assert report(graph.at("2015-06-01")).loc["P", "layers"] == 2


# -- large graphs ----------------------------------------------------------------------------------------------------


def test_packed_texts_give_the_same_report(money, tmp_path):
    pytest.importorskip("pyarrow", reason="packed texts need pyarrow")
    rows = [("top", "low", "owns", None, 0.6), ("ann", "P", "invests", 9.0), ("P", "low", "invests", 9.0)]
    plain = money(rows, ["P"], sectors={"low": "bank", "top": "trust"}, persons=["ann"])
    entities = plain.entities.drop(columns="ended")
    entities["name"] = entities["id"].map({"top": "Top", "ann": "Ann", "P": "Plan"})
    plain = rg.EntityGraph.from_tables(entities, plain.relations)
    rg.readers.write_tables(plain, tmp_path, format="parquet")
    packed = rg.readers.read_tables(tmp_path)
    assert is_packed(packed.entity_column("id"))
    assert is_packed(packed.entity_column("name"))
    one, other = NestingScorer().fit(plain), NestingScorer().fit(packed)
    pd.testing.assert_frame_equal(one.report_, other.report_, check_exact=True)
    pd.testing.assert_frame_equal(one.parts_, other.parts_, check_exact=True)
    named = dict(zip(other.report_["entity"], other.report_["name"], strict=True))
    assert named == {"top": "Top", "low": "low", "P": "Plan", "group:top": "Top"}


def test_scores_and_parts_are_those_of_the_last_fit(money):
    scorer = NestingScorer()
    assert not hasattr(scorer, "scores_")
    assert not hasattr(scorer, "parts_")
    scorer.fit(money([("ann", "firm", "owns", None, 1.0)], sectors={"firm": "p2p"}))
    assert scorer.scores_.index.tolist() == ["ann", "firm", "group:ann"]
    scorer.fit(rg.datasets.toy_nested_cycle())
    assert scorer.scores_.index.tolist() == scorer.parts_.index.tolist() == scorer.report_["entity"].tolist()
    assert scorer.scores_.index.dtype == object
    np.testing.assert_allclose(scorer.parts_.sum(axis=1), scorer.scores_, atol=1e-12)
