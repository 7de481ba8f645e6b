"""The invented county: every planted scheme of nesting is found, and plain firms are left alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.nesting import NestingScorer, circuits, investor_count, layers, look_through, patterns

#: typology → the pattern that finds it, and the component that speaks of it
FOUND = {
    "circular_capital": ("circular_capital", "circularity"),
    "feeder_split": ("feeder_split", "investors"),
    "guarantee_ring": ("guarantee_ring", "circularity"),
    "multi_layer_nesting": ("multi_layer_nesting", "layers"),
    "self_financing": ("self_financing", "returns"),
    "subcontract_chain": ("subcontract_chain", "layers"),
    "licence_stacking": (None, "licences"),
}


@pytest.fixture(scope="module")
def county():
    return rg.datasets.load_county()


@pytest.fixture(scope="module")
def report(county) -> pd.DataFrame:
    return NestingScorer().fit(county.graph).report_.set_index("entity")


@pytest.fixture(scope="module")
def found(county) -> pd.DataFrame:
    return patterns(county.graph)


def planted(county, typology: str) -> list[str]:
    return county.labels.loc[county.labels["typology"] == typology, "entity"].tolist()


@pytest.mark.parametrize("typology", [name for name, (pattern, _) in FOUND.items() if pattern])
def test_every_planted_scheme_is_found_by_its_pattern(county, found, typology):
    mine = set(found.loc[found["pattern"] == FOUND[typology][0], "entity"])
    assert set(planted(county, typology)) <= mine


@pytest.mark.parametrize("typology", list(FOUND))
def test_planted_schemes_lie_in_the_first_twentieth_of_their_component(county, report, typology):
    component = FOUND[typology][1]
    mine = report.loc[planted(county, typology)]
    alike = report[report["kind"].isin(mine["kind"])]
    values = alike[component].sort_values(ascending=False).to_numpy()
    # with more planted entities than a twentieth holds, they must fill it before anybody else
    room = max(int(np.ceil(len(alike) / 20)), len(mine))
    assert (mine[component] >= values[min(room, len(values)) - 1]).mean() == 1
    assert (mine[component] > 0).all()


@pytest.mark.parametrize("typology", ["multi_layer_nesting", "licence_stacking", "feeder_split"])
def test_nesting_across_sectors_lies_in_the_first_twentieth_of_the_score(county, report, typology):
    ones = report[report["kind"] != "group"]
    mine = ones.loc[planted(county, typology), "score"]
    ranks = [(ones["score"] > score).mean() for score in mine]
    assert max(ranks) < 0.05


def test_plain_firms_score_zero_and_show_no_pattern(county, report, found):
    plain = planted(county, "plain")
    assert len(plain) == 90
    assert report.loc[plain, "score"].eq(0).all()
    assert not set(plain) & set(found["entity"])


def test_split_offerings_pass_the_limit_together_only(county):
    graph = county.graph
    feeders = county.schemes[county.schemes["part"].str.startswith("feeder of")]
    for master in planted(county, "feeder_split"):
        assert investor_count(graph, master) > 200
    assert len(feeders) >= 9
    assert max(investor_count(graph, feeder) for feeder in feeders["entity"]) <= 200


def test_nested_products_count_four_layers(county):
    counts = layers(county.graph)[planted(county, "multi_layer_nesting")]
    assert counts.eq(4).all()


def test_the_countys_money_is_conserved(county):
    graph = county.graph
    found = look_through(graph)
    kinds = graph.entities.set_index("id")["kind"]
    invests = graph.relations[graph.relations["kind"] == "invests"]
    into = invests[invests["target"].map(kinds) == "product"]
    outlay = into[into["source"].map(kinds) != "product"].groupby("source")["amount"].sum()
    got = found[found["through"].map(len) > 0].groupby("holder")["amount"].sum()
    np.testing.assert_allclose(got.reindex(outlay.index), outlay, rtol=1e-12)


def test_planted_circles_bring_their_money_back(county):
    loops = circuits(county.graph)
    on_loops = {entity for loop in loops["entities"] for entity in loop}
    assert set(planted(county, "circular_capital")) | set(planted(county, "guarantee_ring")) <= on_loops
    assert loops.attrs["left_out"].empty
