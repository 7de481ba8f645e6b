"""A generated registry has the stated shape, conserves shares and money, and is the same for the same seed."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from riskgraph.datasets import make_registry
from riskgraph.errors import InvalidParameter
from riskgraph.schema import SEED_CASES

N = 2000


@pytest.fixture(scope="module")
def tables():
    return make_registry(N, random_state=3, products=300, as_tables=True)


@pytest.fixture(scope="module")
def owns(tables):
    relations = tables["relations"]
    return relations[(relations["kind"] == "owns") & relations["end"].isna()]


def _in_cycles(edges):
    graph = nx.DiGraph(list(edges))
    return [part for part in nx.strongly_connected_components(graph) if len(part) > 1]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 39, 40, 150, 2000])
def test_graph_is_clean_at_every_size(n):
    graph = make_registry(n, random_state=n)
    assert graph.quality.empty
    assert (graph.entities["kind"] == "company").sum() == n
    assert len(graph.seeds()) >= 1


def test_same_seed_same_tables():
    first, second = (make_registry(500, random_state=11, as_tables=True) for _ in range(2))
    other = make_registry(500, random_state=12, as_tables=True)
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name])
    assert not first["relations"].equals(other["relations"])


def test_shape_is_that_of_a_registry(tables):
    counts = tables["entities"]["kind"].value_counts() / N
    kinds = tables["relations"]["kind"].value_counts() / N
    assert 1.2 < counts["person"] < 1.6
    assert 2.2 < kinds["owns"] < 2.7
    assert 2.3 < kinds["officer"] < 2.8
    others = kinds.drop(["owns", "officer", "invests", "manages", "custodies", "distributes"]).sum()
    assert 0.7 < others < 0.9


def test_every_person_is_in_some_relation(tables):
    entities, relations = tables["entities"], tables["relations"]
    people = set(entities.loc[entities["kind"] == "person", "id"])
    assert people <= {*relations["source"], *relations["target"]}


def test_degree_tail(owns):
    degrees = owns.loc[owns["source"].str.startswith("P"), "source"].value_counts()
    shares = degrees.value_counts(normalize=True)
    assert shares[1] == shares.max() > 0.55
    assert degrees.max() > 20 * degrees.mean()
    sizes = owns["target"].value_counts()
    assert sizes.max() > 20 * sizes.mean()


def test_shares_sum_to_one(owns, tables):
    filed = owns[owns["share_min"].notna() & (owns["share_min"] == owns["share_max"])]
    sums = filed.groupby("target")["share_min"].sum()
    count = owns["target"].value_counts()
    complete = sums[filed["target"].value_counts().reindex(sums.index) == count.reindex(sums.index)]
    assert len(complete) > 0.9 * N
    np.testing.assert_allclose(complete, 1.0, atol=1e-9)
    assert owns.groupby("target")["share_min"].sum().max() <= 1 + 1e-9
    missing = owns.loc[owns["share_min"].isna(), "target"].nunique()
    bands = owns.loc[owns["share_min"] < owns["share_max"], "target"].nunique()
    assert 0.03 < missing / N < 0.07
    assert 0.015 < bands / N < 0.045


def test_former_holders_kept_the_stake_until_the_next_came(tables):
    relations = tables["relations"]
    owns = relations[relations["kind"] == "owns"]
    former = owns[owns["end"].notna()]
    assert len(former) > 50
    pairs = former.merge(owns, left_on=["target", "end"], right_on=["target", "start"], suffixes=("_old", "_new"))
    same = (pairs["share_min_old"] == pairs["share_min_new"]) | pairs["share_min_old"].isna()
    kept = set(zip(pairs.loc[same, "source_old"], pairs.loc[same, "target"], strict=True))
    assert kept == set(zip(former["source"], former["target"], strict=True))


def test_one_company_in_a_hundred_lies_in_a_cycle(owns):
    parts = _in_cycles(zip(owns["source"], owns["target"], strict=True))
    sizes = sorted(map(len, parts))
    assert 0.007 * N <= sum(sizes) <= 0.013 * N
    assert set(sizes) <= {2, 3, 4, 5, 6}
    assert len(sizes) >= 4


def test_dense_core_at_scale():
    relations = make_registry(20_000, random_state=0, names=False, as_tables=True)["relations"]
    owns = relations[(relations["kind"] == "owns") & relations["end"].isna()]
    firms = owns[owns["source"].str.startswith("C")]
    parts = _in_cycles(zip(firms["source"], firms["target"], strict=True))
    largest = max(parts, key=len)
    inside = firms[firms["source"].isin(largest) & firms["target"].isin(largest)]
    assert 30 <= len(largest) <= 40
    assert len(inside) > 2 * len(largest)
    # a ring that owns all of itself
    alone = [
        part
        for part in parts
        if owns.loc[owns["target"].isin(part), "source"].isin(part).all() and len(part) < len(largest)
    ]
    assert len(alone) == 1


def test_chain_of_forty_levels(owns):
    major = owns[owns["share_min"] == 0.51]
    below = dict(zip(major["source"], major["target"], strict=True))
    longest = 0
    for start in set(below) - set(below.values()):
        length, at = 0, start
        while at in below:
            length, at = length + 1, below[at]
        longest = max(longest, length)
    assert longest == 40


def test_nominees_sit_everywhere(tables):
    relations = tables["relations"]
    nominees = relations.loc[relations["role"] == "nominee", "source"].value_counts()
    assert len(nominees) == 2
    assert nominees.sum() > 0.02 * N


def test_products_pass_on_what_they_receive(tables):
    paid = tables["relations"].query("kind == 'invests'")
    received = paid.groupby("target")["amount"].sum()
    passed = paid.groupby("source")["amount"].sum()
    products = tables["entities"].query("kind == 'product'").set_index("id")
    assert len(products) == 300
    assert set(products.index) <= set(passed.index)
    np.testing.assert_array_equal(received[products.index], passed[products.index])
    nested = nx.DiGraph(list(zip(paid["source"], paid["target"], strict=True))).subgraph(products.index)
    longest = nx.dag_longest_path_length(nested)
    assert 2 <= longest <= 4


def test_circles_of_products():
    tables = make_registry(400, random_state=5, products=3000, as_tables=True)
    paid = tables["relations"].query("kind == 'invests'")
    parts = _in_cycles(zip(paid["source"], paid["target"], strict=True))
    assert {len(part) for part in parts} == {3}
    assert make_registry(100, products=0).relations["kind"].isin(["invests", "manages"]).sum() == 0


def test_struck_off_firms_have_no_officers_left(tables):
    entities, relations, cases = (tables[name] for name in ("entities", "relations", "cases"))
    posts = relations[relations["kind"] == "officer"].merge(
        entities[["id", "end"]], left_on="target", right_on="id", suffixes=("", "_firm")
    )
    gone = posts[posts["end_firm"].notna()]
    assert len(gone) > 20
    assert (gone["end"] <= gone["end_firm"]).all()
    revoked = cases[cases["type"] == "revoked"].merge(entities, left_on="entity", right_on="id")
    assert (revoked["end"] == revoked["start_x"]).all()
    seeds = cases["type"].isin(SEED_CASES).sum()
    assert (seeds, len(cases)) == (N // 1000, 4 * (N // 1000))


def test_nothing_begins_before_its_company(tables):
    born = tables["entities"].set_index("id")["start"]
    for name, side in (("owns", "target"), ("owns", "source"), ("officer", "target"), ("lends", "source")):
        rows = tables["relations"][(tables["relations"]["kind"] == name) & tables["relations"]["start"].notna()]
        dates = born.reindex(rows[side]).to_numpy()
        held = ~np.isnat(dates)
        assert (rows["start"].to_numpy()[held] >= dates[held]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), r"'n_companies' must be a whole number of at least 1; got 0"),
        ((2.5,), r"'n_companies' must be a whole number of at least 1; got 2.5"),
        ((True,), r"'n_companies' must be a whole number of at least 1; got True"),
    ],
)
def test_sizes_are_checked(arguments, message):
    with pytest.raises(InvalidParameter, match=message):
        make_registry(*arguments)


def test_products_are_checked():
    with pytest.raises(InvalidParameter, match=r"'products' must be a fraction in \[0, 1\) or a whole number; got 1.5"):
        make_registry(100, products=1.5)
    with pytest.raises(InvalidParameter, match=r"'products' must be a fraction .* got -1"):
        make_registry(100, products=-1)
    with pytest.raises(InvalidParameter, match=r"'products' must be 0 for fewer than 40 companies; got 10"):
        make_registry(39, products=10)


def test_names_are_optional():
    assert "name" in make_registry(50, as_tables=True)["entities"]
    assert "name" not in make_registry(50, names=False, as_tables=True)["entities"]
