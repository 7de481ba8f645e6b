from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.nesting import investor_count, investor_count_by_date, investor_crossing, ultimate_investors
from riskgraph.nesting._components import investor_counts


def three_feeders() -> tuple[list[tuple[object, ...]], list[str]]:
    """Three feeders of 90 investors, 20 of them in two feeders: 250 people behind the master."""
    people = [f"i{n}" for n in range(250)]
    groups = [people[:90], people[80:170], people[160:250]]
    rows = [(name, f"F{k}", "invests", 1.0) for k, names in enumerate(groups) for name in names]
    rows += [(f"F{k}", "M", "invests", 90.0) for k in range(3)]
    return rows, people


def test_three_feeders_of_90_with_20_shared_are_250(money):
    rows, people = three_feeders()
    graph = money(rows, ["F0", "F1", "F2", "M"], persons=people)
    assert [investor_count(graph, f"F{k}") for k in range(3)] == [90, 90, 90]
    assert investor_count(graph, "M") == 250
    assert investor_crossing(graph, "M") is not None
    assert investor_crossing(graph, "M", limit=250) is None


def test_exactly_200_is_within_the_limit(money):
    rows = [(f"i{n}", "P", "invests", 1.0) for n in range(201)]
    start = pd.date_range("2015-01-01", periods=201).astype(str).tolist()
    graph = money(rows, ["P"], start=start)
    counts = investor_count_by_date(graph, "P")
    assert counts.iloc[199] == 200
    assert investor_crossing(graph, "P") == counts.index[200] == pd.Timestamp("2015-07-20")
    assert investor_crossing(graph.at("2015-07-19"), "P") == pd.Timestamp("2015-07-20")  # what is known counts


def test_a_leaver_counts_only_cumulatively(money):
    rows = [("ann", "P", "invests", 1.0), ("bob", "P", "invests", 1.0), ("cem", "P", "invests", 1.0)]
    graph = money(rows, ["P"], start=["2015-01-01", "2015-02-01", "2015-03-01"], end=["2015-02-15", None, "2015-06-01"])
    now = investor_count_by_date(graph, "P")
    assert now.tolist() == [1, 2, 1, 2, 1]
    assert now.index[-1] == pd.Timestamp("2015-06-01")  # half-open: gone on the day it ends
    assert investor_count_by_date(graph, "P", cumulative=True).tolist() == [1, 2, 3]
    for day, count in now.items():
        assert investor_count(graph.at(day), "P") == count


def test_double_routes_joint_investors_and_loops_count_once(money):
    graph = money(
        [
            ("ann", "A", "invests", 1.0), ("ann", "B", "invests", 1.0), ("ann", "M", "owns", None, 0.1),
            ("A", "M", "invests", 1.0), ("B", "M", "invests", 1.0), ("M", "A", "invests", 1.0),
            ("bank", "M", "lends", 5.0),
        ],
        ["A", "B", "M"],
    )  # fmt: skip
    assert ultimate_investors(graph, "M") == ["ann"]  # and a lender is no investor


def test_a_registered_product_counts_as_one_from_the_day_it_is(money):
    rows = [*((f"i{n}", "F", "invests", 1.0) for n in range(5)), ("F", "M", "invests", 5.0)]
    facts = pd.DataFrame(
        {
            "entity": ["F"],
            "fact": ["registered_product"],
            "value": [True],
            "start": ["2015-06-01"],
            "end": ["2016-01-01"],
        }
    )
    graph = money(rows, ["F", "M"], facts=facts, start="2015-01-01")
    assert investor_count(graph.at("2015-05-31"), "M") == 5
    assert ultimate_investors(graph.at("2015-06-01"), "M") == ["F"]
    assert investor_count(graph.at("2015-06-01"), "F") == 5
    assert investor_count_by_date(graph, "M").tolist() == [5, 1, 5]


def test_a_feeder_without_investors_on_record_is_one(money):
    assert investor_count(money([("F", "M", "invests", 5.0)], ["F", "M"]), "M") == 1


def test_all_counts_at_once_equal_one_by_one():
    rng = np.random.default_rng(4)
    products = [f"p{n}" for n in range(40)]
    rows = [(f"i{rng.integers(60)}", rng.choice(products), "invests") for _ in range(150)]
    rows += [(a, b, "invests") for a, b in rng.choice(products, (60, 2)) if a != b]
    entities = pd.DataFrame(
        {"id": [*products, *(f"i{n}" for n in range(60))], "kind": ["product"] * 40 + ["person"] * 60}
    )
    facts = pd.DataFrame({"entity": ["p3", "p7", "p11"], "fact": "registered_product", "value": True})
    graph = rg.EntityGraph.from_tables(
        entities, pd.DataFrame(rows, columns=["source", "target", "kind"]).drop_duplicates(), facts=facts
    )
    counts = investor_counts(graph)
    for name in products:
        funded = (graph.relations["target"] == name).any()
        assert counts[graph.code(name)] == (investor_count(graph, name) if funded else 0), name


def test_limits_are_checked():
    with pytest.raises(rg.InvalidParameter, match="'limit' must be 0 or more; got -1"):
        investor_crossing(rg.datasets.toy_feeders(), "Master", limit=-1)


def test_counts_hold_beyond_what_32_bits_can_number():
    pairs = 25_000  # of 50,000 components, whose pairs are numbered beyond 2**31
    feeder = np.array([f"f{n}" for n in range(pairs)], dtype=object)
    master = np.array([f"m{n}" for n in range(pairs)], dtype=object)
    entities = pd.DataFrame({"id": ["ann", "bob", *feeder, *master], "kind": ["person"] * 2 + ["product"] * 2 * pairs})
    relations = pd.DataFrame(
        {
            "source": np.concatenate([np.repeat(["ann"], pairs).astype(object), feeder, ["bob"]]),
            "target": np.concatenate([feeder, master, master[-1:]]),
            "kind": "invests",
        }
    )
    graph = rg.EntityGraph.from_tables(entities, relations)
    counts = investor_counts(graph)
    assert counts[graph.code("m0")] == counts[graph.code(f"f{pairs - 1}")] == 1
    assert counts[graph.code(f"m{pairs - 1}")] == 2
    assert counts[graph.kinds == 2].sum() == 2 * pairs + 1
