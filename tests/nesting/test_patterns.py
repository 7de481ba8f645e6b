from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.nesting import PATTERNS, patterns
from riskgraph.nesting._patterns_money import YIELD_GAP


def facts(*rows: tuple[str, str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["entity", "fact", "value"])


def platform_rows(*more: tuple[object, ...]) -> list[tuple[object, ...]]:
    return [
        ("holding", "site", "owns", None, 0.7), ("holding", "builder", "owns", None, 0.8),
        ("builder", "site", "raises_on", 8.0), ("stranger", "site", "raises_on", 12.0), *more,
    ]  # fmt: skip


def test_a_borrower_of_the_platforms_owner_is_self_financing(money):
    found = patterns(money(platform_rows(), start="2015-03-01"), only="self_financing")
    assert len(found) == 1
    row = found.iloc[0]
    assert row.entity == "site"
    assert row.chain == ("site", "holding", "builder", "site")
    assert row.relations == ("r0", "r1", "r2")
    assert row.since == pd.Timestamp("2015-03-01")
    assert "40% of what was raised" in row.text


def test_kin_count_and_co_holders_of_a_third_firm_do_not(money):
    rows = [
        ("owner", "site", "owns", None, 0.6), ("owner", "cousin", "kin", None), ("cousin", "trader", "owns", None, 1.0),
        ("trader", "site", "raises_on", 5.0),
        ("owner", "cafe", "owns", None, 0.5), ("friend", "cafe", "owns", None, 0.5),
        ("friend", "mill", "owns", None, 1.0), ("mill", "site", "raises_on", 5.0),
    ]  # fmt: skip
    found = patterns(money(rows, persons=["owner", "cousin", "friend"]), only="self_financing")
    assert found["chain"].tolist() == [("site", "owner", "cousin", "trader", "site")]


def test_a_product_that_funds_its_managers_own_firm(money):
    rows = [
        ("house", "P", "manages", None), ("ann", "P", "invests", 9.0), ("P", "Q", "invests", 9.0),
        ("Q", "mine", "invests", 9.0), ("house", "mine", "owns", None, 0.4),
    ]  # fmt: skip
    found = patterns(money(rows, ["P", "Q"]), only="self_financing")
    assert found["entity"].tolist() == ["house"]
    assert found["chain"].iloc[0] == ("house", "P", "Q", "mine", "house")


def test_a_guarantor_of_the_platforms_own(money):
    rows = platform_rows(("holding", "surety", "owns", None, 1.0), ("surety", "stranger", "guarantees", 12.0))
    found = patterns(money(rows), only="self_guarantee")
    assert found["chain"].tolist() == [("site", "holding", "surety", "stranger", "site")]


def test_public_over_private(money):
    rows = [
        ("offer", "base", "packaged_from", None),
        ("base", "deep", "invests", 1.0),
        ("ann", "offer", "invests", 1.0),
    ]
    products = ["offer", "base", "deep"]
    private = ("deep", "private_placement", True)
    found = patterns(
        money(rows, products, facts=facts(private, ("offer", "public_offering", True))), only="private_to_public"
    )
    assert found["chain"].tolist() == [("offer", "base", "deep")]
    for value in (False, "unknown"):
        graph = money(rows, products, facts=facts(private, ("offer", "public_offering", value)))
        assert patterns(graph, only="private_to_public").empty


def test_payment_work_passed_on_twice(money):
    rows = [("a", "b", "subcontracts", None), ("b", "c", "subcontracts", None), ("x", "y", "subcontracts", None)]
    graph = money(rows, licences=pd.DataFrame({"entity": ["a"], "sector": ["payment"]}))
    found = patterns(graph, only="subcontract_chain")
    assert found["entity"].tolist() == ["a", "b", "c"]
    assert found["chain"].iloc[0] == ("a", "b", "c")
    assert "2 steps, 2 of 3 firms without licence" in found["text"].iloc[0]


def test_a_developer_behind_a_platform(money):
    rows = [
        ("builder", "shell", "owns", None, 0.9),
        ("shell", "site", "owns", None, 0.9),
        ("builder", "other", "raises_on", 1.0),
    ]
    graph = money(rows, sectors={"builder": "real_estate", "site": "p2p", "other": "p2p"})
    found = patterns(graph, only="real_estate_platform")
    assert set(found["chain"]) == {("builder", "shell", "site"), ("builder", "other")}


def test_licensed_products_sold_without_licence(money):
    rows = [("house", "P", "manages", None), ("shop", "P", "distributes", None), ("house", "P", "distributes", None)]
    graph = money(rows, ["P"], licences=pd.DataFrame({"entity": ["house"], "sector": ["fund"]}))
    found = patterns(graph, only="licensed_through_unlicensed")
    assert found[["entity", "chain"]].to_numpy().tolist() == [["shop", ("house", "P", "shop")]]


def test_maturities_and_yields_along_the_chain(money):
    rows = [("ann", "P", "invests", 1.0), ("P", "Q", "invests", 1.0), ("Q", "mine", "invests", 1.0)]
    known = facts(
        ("P", "maturity_days", 90), ("Q", "maturity_days", 720), ("P", "promised_yield", 0.12),
        ("mine", "project_return", 0.05), ("Q", "promised_yield", 0.06),
    )  # fmt: skip
    graph = money(rows, ["P", "Q"], facts=known)
    mismatch, gap = patterns(graph, only="maturity_mismatch"), patterns(graph, only="yield_gap")
    assert mismatch[["entity", "chain"]].to_numpy().tolist() == [["P", ("P", "Q")]]
    assert "90 days against 720" in mismatch["text"].iloc[0]
    assert gap[["entity", "chain"]].to_numpy().tolist() == [["P", ("P", "Q", "mine")]]  # 0.06 is within 0.02 of 0.05


def test_investors_split_over_feeders(money):
    """200 and 101 people in two feeders are 301 in the product; one who holds both is one, and firms are no feeders."""
    rows = [
        *((f"a{n}", "F", "invests", 1.0) for n in range(200)), *((f"a{n}", "G", "invests", 1.0) for n in range(101)),
        *((f"b{n}", "G", "invests", 1.0) for n in range(50)),
        ("F", "P", "invests", 200.0), ("G", "P", "invests", 151.0),
        ("firm", "P", "invests", 1.0), ("P", "mine", "invests", 352.0),
    ]  # fmt: skip
    people = [*(f"a{n}" for n in range(200)), *(f"b{n}" for n in range(50))]
    (found,) = patterns(money(rows, ["F", "G", "P"], persons=people), only="feeder_split").itertuples()
    assert found.entity == "P"
    assert set(found.chain) == {"F", "G", "P"}


@pytest.mark.parametrize(("promised", "found"), [(YIELD_GAP, 0), (np.nextafter(YIELD_GAP, 1), 1)])
def test_a_gap_of_yields_is_more_than_the_limit(money, promised, found):
    known = facts(("P", "promised_yield", promised), ("mine", "project_return", 0.0))
    graph = money([("ann", "P", "invests", 1.0), ("P", "mine", "invests", 1.0)], ["P"], facts=known)
    assert len(patterns(graph, only="yield_gap")) == found


def test_rings_of_guarantees_and_of_money(money):
    rows = [
        ("a", "b", "guarantees", 1.0),
        ("b", "a", "guarantees", 1.0),
        ("c", "d", "owns", 9.0),
        ("d", "c", "lends", 9.0),
    ]
    found = patterns(money(rows))
    assert found[["entity", "pattern"]].to_numpy().tolist() == [
        ["a", "guarantee_ring"], ["b", "guarantee_ring"], ["c", "circular_capital"], ["d", "circular_capital"],
    ]  # fmt: skip


def test_names_languages_and_empty_graphs(money):
    graph = rg.datasets.toy_nested_product()
    assert patterns(graph, only="multi_layer_nesting", lang="zh")["text"].iloc[0].startswith("多层嵌套(3层): Saver → ")
    assert patterns(money([], extra=["a"])).columns.tolist() == [
        "entity",
        "pattern",
        "since",
        "chain",
        "relations",
        "text",
    ]
    with pytest.raises(rg.InvalidParameter, match=r"'only' must be one of self_financing.*; got 'ponzi'"):
        patterns(graph, only="ponzi")
    with pytest.raises(rg.InvalidParameter, match="'lang' must be 'en' or 'zh'; got 'de'"):
        patterns(graph, lang="de")
    assert len(PATTERNS) == len(set(PATTERNS)) == 12
