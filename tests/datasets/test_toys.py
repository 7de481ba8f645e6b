"""The toys are what their drawings say."""

import re

import pytest

from riskgraph import datasets
from riskgraph.datasets import toys

TOYS = [getattr(toys, name) for name in toys.__all__]


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.__name__)
def test_size_is_the_one_stated(toy):
    stated = re.search(r"· (\d+) entities, (\d+) relations?\.", toy.__doc__.splitlines()[0])
    graph = toy()
    assert len(graph) == int(stated[1]) <= 10
    assert len(graph.known("relations")) == int(stated[2])
    assert graph.quality.empty


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.__name__)
def test_every_entity_is_in_the_drawing_and_in_a_relation(toy):
    graph = toy()
    relations = graph.known("relations")
    assert set(graph.entities["id"]) == {*relations["source"], *relations["target"]}
    drawing = toy.__doc__.split("::")[1].split("Examples")[0]
    hidden = {"Firm3", "Firm4", "Firm5", "Firm6", "Firm7"}  # the drawing of toy_agent leaves out the middle
    missing = {id for id in graph.entities["id"] if id not in drawing and not {"UnitA", "UnitB"} & {id}}
    assert missing <= hidden


def test_all_toys_are_exported():
    assert sorted(toys.__all__) == toys.__all__
    assert set(toys.__all__) <= set(datasets.__all__)
    assert len(toys.__all__) == 15


def test_integrated_share_of_the_chain():
    shares = toys.toy_chain().relations["share_min"].tolist()
    assert shares[0] * shares[1] == pytest.approx(0.3)


def test_crossholding_owners_sum_to_one():
    # owners of Core by the plain sum over walks: Bob 0.5 / 0.75, Ann 0.25 / 0.75
    relations = toys.toy_crossholding().relations.set_index(["source", "target"])["share_min"]
    loop = 1 - relations["Core", "Alpha"] * relations["Alpha", "Core"]
    bob = relations["Bob", "Core"] / loop
    ann = relations["Ann", "Alpha"] * relations["Alpha", "Core"] / loop
    assert (bob, ann) == (pytest.approx(2 / 3), pytest.approx(1 / 3))


def test_money_of_the_nested_cycle_is_conserved():
    amounts = toys.toy_nested_cycle().relations.groupby("target")["amount"].sum()
    out = toys.toy_nested_cycle().relations.groupby("source")["amount"].sum()
    for product in ("Plum", "Quince", "Rowan"):
        assert amounts[product] == out[product]
    assert amounts["Mine"] == out["Saver"]


def test_feeders_share_investors():
    graph = toys.toy_feeders()
    kinds = dict(zip(graph.entities["id"], graph.entities["kind"], strict=True))
    paid = graph.relations[graph.relations["kind"] == "invests"]
    people = paid[paid["source"].map(kinds) == "person"]
    assert (len(people), people["source"].nunique()) == (6, 4)


def test_dated_stake_passes_on_one_day():
    graph = toys.toy_dated()
    for day, holders in (("2016-06-30", ["Ann", "Carl"]), ("2016-07-01", ["Bob", "Carl"])):
        held = graph.at(day).relations
        assert held["source"].tolist() == holders
        assert held["share_min"].sum() == pytest.approx(1.0)
    assert graph.at("2016-07-01").history["source"].tolist() == ["Ann"]


def test_banned_platform_is_the_only_seed():
    graph = toys.toy_banned_platform()
    assert graph.seeds().to_dict() == {"Platform": 1.0}
    assert graph.at("2016-07-31").seeds().empty
