"""Merges happen by decision only, keep every relation, case, licence and fact, and are undone without loss."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph import identity


def twins():
    return rg.EntityGraph.from_tables(
        pd.DataFrame(
            {
                "id": ["a", "b", "c", "X"],
                "kind": ["person"] * 3 + ["company"],
                "name": ["刘伟"] * 3 + ["X"],
                "uscc": ["1", None, "1", "1"],
                "lei": [None, "L", None, None],
            }
        ),
        pd.DataFrame(
            {
                "source": ["a", "b", "a", "c", "a"],
                "target": ["X", "X", "b", "X", "b"],
                "kind": ["owns", "owns", "same_as", "officer", "lends"],
                "share": [0.25, 0.5, None, None, None],
                "confidence": [None, None, 0.6, None, None],
            }
        ),
        cases=pd.DataFrame({"entity": ["b"], "type": ["banned"]}),
        licences=pd.DataFrame({"entity": ["b"], "sector": ["fund"]}),
        facts=pd.DataFrame({"entity": ["b"], "fact": ["evasion"], "value": [True]}),
    )


def decide(*pairs, **columns):
    return pd.DataFrame({"a": [one for one, _ in pairs], "b": [two for _, two in pairs], **columns})


def test_everything_follows_the_decision():
    graph = twins()
    merged = identity.merge(graph, decide(("a", "b"), reason=["passport seen"]))
    assert merged.log.to_dict("records") == [
        {"kept": "a", "merged": "b", "reason": "passport seen", "filled": "lei", "differs": ""}
    ]
    after = merged.graph
    assert list(after.ids) == ["a", "c", "X"]
    # parallel shares stay two rows and add up
    held = after.relations[after.relations["kind"] == "owns"]
    assert held["source"].tolist() == ["a", "a"]
    whole = rg.ownership.integrated_ownership(after)
    assert whole.set_index(["owner", "asset"]).loc[("a", "X"), ["share_min", "share_max"]].tolist() == pytest.approx(
        [0.75, 0.75]
    )
    assert after.seeds().to_dict() == {"a": 1.0}
    assert after.licences["entity"].tolist() == ["a"]
    assert after.facts["entity"].tolist() == ["a"]
    # what would join one with oneself is told, not lost
    assert merged.dropped[["kind", "became"]].to_numpy().tolist() == [["same_as", "a"], ["lends", "a"]]
    assert len(after.relations) + len(merged.dropped) == len(graph.relations)
    assert merged.undo("b").graph.equals(graph)
    assert merged.undo().log.empty
    with pytest.raises(rg.InvalidParameter, match="no decision names 'z'"):
        merged.undo("z")


def test_shares_a_merged_firm_holds_in_itself_are_kept():
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["A", "B"], "kind": "company"}),
        pd.DataFrame({"source": ["A"], "target": ["B"], "kind": ["owns"], "share": [0.1]}),
    )
    merged = identity.merge(graph, decide(("A", "B")))
    assert merged.graph.relations[["source", "target"]].to_numpy().tolist() == [["A", "A"]]
    assert merged.dropped.empty


def test_name_twins_stay_apart():
    graph = twins()
    assert identity.merge(graph).graph is graph
    guessed = graph.with_changes(add=identity.match(graph, least=0.0))
    assert len(identity.merge(guessed).graph) == len(graph)
    apart = identity.merge(graph, decide(("a", "b"), ("a", "c"), same=[True, False]))
    assert list(apart.graph.ids) == ["a", "c", "X"]


def test_merge_by_identifier_joins_one_kind_only():
    merged = identity.merge(twins(), decide(("a", "b")), by="uscc")
    assert merged.log[["kept", "merged", "reason"]].to_numpy().tolist() == [
        ["a", "b", "decision"],
        ["a", "c", "same uscc"],
    ]
    # taking back a decision leaves what the identifier joined
    assert merged.undo("b").log["merged"].tolist() == ["c"]
    assert merged.undo().log.empty
    with pytest.raises(rg.InvalidParameter, match="'by' must be a column of entities; got 'tax'"):
        identity.merge(twins(), by="tax")


def test_decisions_are_checked():
    decisions = decide(("a", "b"), ("b", "c"), ("a", "c"), same=[True, True, False])
    with pytest.raises(rg.InvalidParameter, match="'decisions' say that 'a' and 'c' are not one, and join them"):
        identity.merge(twins(), decisions)
    with pytest.raises(rg.UnknownEntity):
        identity.merge(twins(), decide(("a", "nobody")))
    with pytest.raises(
        rg.InvalidParameter, match="'decisions' must join entities of one kind; 'a' is a person, 'X' a company"
    ):
        identity.merge(twins(), decide(("a", "X")))
    with pytest.raises(
        rg.InvalidParameter, match="'decisions' must have True or False in the column same; got 'False'"
    ):
        identity.merge(twins(), decide(("a", "b"), same=["False"]))
    with pytest.raises(rg.InvalidParameter, match="'decisions' must be a frame with the columns a and b"):
        identity.merge(twins(), [("a", "b")])


def test_values_of_persons_are_in_no_text():
    card = "510101199003074518"
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["a", "b", "c"], "kind": "person", "name": "刘伟", "paper": [card, "other", card]}),
        pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object),
    )
    merged = identity.merge(graph, decide(("a", "b"), reason=[f"card {card} seen"]), by="paper")
    assert card not in repr(merged)
    assert merged.log["differs"].tolist() == ["paper", ""]
    assert card not in merged.log[["filled", "differs"]].to_string()
    assert merged.log["reason"].tolist()[1] == "same paper"
    assert card not in identity.match(graph, least=0.0).to_string()
    assert card not in identity.kind_of_identifier(card)


def test_the_county_comes_back_whole():
    graph = rg.datasets.load_county().graph
    people = graph.ids[graph.entities["kind"] == "person"]
    rng = np.random.default_rng(0)
    decisions = pd.DataFrame({"a": rng.choice(people, 60), "b": rng.choice(people, 60)})
    merged = identity.merge(graph, decisions)
    assert len(merged.graph) == len(graph) - len(merged.log)
    assert merged.undo().graph.equals(graph)
    assert len(merged.graph.tables()["relations"]) + len(merged.dropped) == len(graph.tables()["relations"])
    for table in ("cases", "licences", "facts"):
        assert len(merged.graph.tables()[table]) == len(graph.tables()[table])
    day = graph.at("2016-06-30")
    assert identity.merge(day, decisions).undo().graph.equals(day)
    assert identity.merge(day, decisions).graph.valid_on == day.valid_on


@st.composite
def worlds(draw):
    size = draw(st.integers(2, 8))
    ids = [f"e{row}" for row in range(size)]
    frame = pd.DataFrame(
        {"id": ids, "kind": "company", "name": draw(st.lists(st.sampled_from("xyz"), min_size=size, max_size=size))}
    )
    end = st.sampled_from(ids)
    rows = draw(st.lists(st.tuples(end, end, st.sampled_from(["owns", "lends", "same_as", "guarantees"])), max_size=12))
    rows = [row for row in rows if row[0] != row[1]]
    relations = pd.DataFrame(rows, columns=["source", "target", "kind"]).assign(share=np.nan, amount=1.0)
    relations.loc[relations["kind"] == "owns", "share"] = 0.01
    pairs = draw(st.lists(st.tuples(end, end), max_size=6))
    decisions = pd.DataFrame(pairs, columns=["a", "b"], dtype=object)
    return rg.EntityGraph.from_tables(frame, relations), decisions


@given(worlds())
@settings(max_examples=40, deadline=None)
def test_undo_is_identity_and_nothing_is_lost(world):
    graph, decisions = world
    merged = identity.merge(graph, decisions)
    assert merged.undo().graph.equals(graph)
    assert len(merged.graph.relations) + len(merged.dropped) == len(graph.relations)
    kept = merged.log.set_index("merged")["kept"]
    assert (decisions["a"].replace(kept.to_dict()) == decisions["b"].replace(kept.to_dict())).all()
    # each relation left is an old one under new names
    new = graph.relations.set_index("id")[["source", "target"]].replace(kept.to_dict())
    left = merged.graph.relations.set_index("id")[["source", "target"]]
    assert left.to_dict("index") == new.loc[left.index].to_dict("index")
    # one at a time: taking all decisions back in turn ends at the start
    for name in decisions["a"].unique():
        if merged.decisions[["a", "b"]].isin([name]).any(axis=None):
            merged = merged.undo(name)
    assert merged.graph.equals(graph)
