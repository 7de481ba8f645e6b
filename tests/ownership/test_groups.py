"""Ultimate controllers and business groups: outcomes, three-valued, against the definition."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings

import riskgraph as rg
from riskgraph.ownership import business_groups, ultimate_controllers

from ._control_worlds import concert_groups, exact, fixpoint, graph_of, ownership


def outcome(graph, **terms) -> dict:
    frame = ultimate_controllers(graph, **terms)
    return {firm: rows["outcome"].iloc[0] for firm, rows in frame.groupby("company", sort=False)}


def named(graph, **terms) -> set:
    frame = ultimate_controllers(graph, **terms).dropna(subset=["controller"])
    return set(zip(frame["company"], frame["controller"], strict=True))


def test_the_head_of_a_chain_is_the_sole_controller():
    graph = graph_of([("P", "A", 0.6), ("A", "B", 0.51), ("B", "C", 0.9)], people=["P"])
    frame = ultimate_controllers(graph)
    assert frame["company"].tolist() == ["A", "B", "C"]
    assert (frame["controller"] == "P").all()
    assert (frame["outcome"] == "sole").all()
    assert frame["depth"].tolist() == [1, 2, 3]
    assert frame["votes"].tolist() == [0.6, 0.51, 0.9]


def test_none_or_undetermined_is_a_matter_of_the_remainder():
    graph = graph_of(
        [("P", "A", 0.3), ("Q", "A", 0.2), ("P", "B", 0.3), ("Q", "B", 0.1), ("P", "C", None), ("Q", "C", 0.2)],
        people=["P", "Q"],
        ids=["A", "B", "C", "D"],
    )
    # exactly half is left of A, which is no majority; more of B; the share of P in C may be one; D has no holder
    assert outcome(graph) == {"A": "none", "B": "undetermined", "C": "undetermined", "D": "undetermined"}
    assert outcome(graph, inclusive=True)["A"] == "undetermined"
    assert ultimate_controllers(graph)["controller"].isna().all()


def test_loops():
    ring = rg.datasets.toy_ring()
    assert set(outcome(ring).values()) == {"ownerless_loop"}
    # a closed group without majorities, a firm that owns all of itself, and a ring with a controller
    rows = [(a, b, 0.5) for a in "ABC" for b in "ABC" if a != b]
    rows += [("S", "S", 1.0), ("X", "Y", 0.4), ("Y", "X", 0.4), ("P", "X", 0.6), ("P", "Y", 0.6)]
    graph = graph_of(rows, people=["P"])
    found = outcome(graph)
    assert {found[x] for x in "ABCS"} == {"ownerless_loop"}
    assert (found["X"], found["Y"]) == ("sole", "sole")
    mutual = graph_of([("A", "B", 0.6), ("B", "A", 0.6), ("P", "A", 0.4), ("P", "B", 0.4)], people=["P"])
    assert set(outcome(mutual).values()) == {"ownerless_loop"}


def test_joint_control():
    assert named(rg.datasets.toy_concert()) == {("Mine", "Ann"), ("Mine", "Bob")}
    assert set(outcome(rg.datasets.toy_concert()).values()) == {"joint"}
    tie = graph_of([("P", "A", 0.5), ("Q", "A", 0.5)], people=["P", "Q"])
    assert outcome(tie) == {"A": "none"}
    assert outcome(tie, inclusive=True) == {"A": "joint"}
    agreement = graph_of([("P", "A", 0.9)], controls=[("Q", "A")], people=["P", "Q"])
    assert named(agreement) == {("A", "P"), ("A", "Q")}


def test_a_possible_controller_above_makes_it_undetermined():
    rows = [("P", "A", 0.4, 0.6), ("A", "B", 0.9)]
    assert outcome(graph_of(rows, people=["P"])) == {"A": "undetermined", "B": "undetermined"}
    # a possible controller that the ultimate one controls anyway changes nothing
    covered = [("P", "A", 1.0), ("P", "B", 0.6), ("A", "B", 0.2, 0.4), ("A", "C", 0.3, 0.6), ("P", "C", 0.4)]
    assert set(outcome(graph_of([*covered, ("P", "C", 0.2)], people=["P"])).values()) == {"sole"}


@given(ownership())
@settings(max_examples=60, deadline=None)
def test_equals_the_definition(drawn):
    names, rows, controls, concert = drawn
    votes = {(a, b): exact(low) for a, b, low, _ in rows}
    pairs = fixpoint(votes, names, controls=controls, concert=concert)
    group = concert_groups(names, concert)
    under = {y for x, y in pairs if group[x] != group[y]}
    want = {(y, x) for x, y in pairs if x not in under}
    graph = graph_of(rows, controls=controls, concert=concert, ids=names)
    assert named(graph) == want
    found = outcome(graph)
    assert list(found) == names
    for y in names:
        tops = [x for company, x in want if company == y]
        if tops:
            assert found[y] == ("sole" if len(tops) == 1 else "joint")
        elif any(company == y for _, company in pairs):
            assert found[y] == "ownerless_loop"
        else:
            holders = [low for _, company, low, _ in rows if company == y]
            treasury = votes.get((y, y), 0)
            left = 1 - sum(map(exact, holders))
            if not [1 for a, company, *_ in rows if company == y]:
                assert found[y] == "undetermined"
            elif found[y] != "ownerless_loop":
                assert found[y] == ("undetermined" if left > exact(0.5) * (1 - treasury) else "none")
            else:
                assert left == 0


def test_groups_hold_every_company_once():
    rows = [("P", "A", 0.6), ("A", "B", 0.9), ("Q", "C", 0.6), ("P", "J", 0.5), ("Q", "J", 0.5)]
    graph = graph_of(rows, people=["P", "Q"], ids=["A", "B", "C", "J", "Z"])
    frame = business_groups(graph, inclusive=True)
    assert frame["entity"].is_unique
    assert dict(zip(frame["entity"], frame["group"], strict=True)) == {
        "A": "P", "B": "P", "C": "Q", "J": "P;Q", "Z": "Z", "P": "P", "Q": "Q",
    }  # fmt: skip
    assert (frame["head"] == frame["group"]).all()
    strict = business_groups(graph).set_index("entity")["group"]
    assert strict["J"] == "J"


def test_groups_of_rings_and_concerts():
    ring = business_groups(rg.datasets.toy_ring())
    assert ring["group"].unique().tolist() == ["North"]
    assert ring["head"].isna().all()
    assert ring["entity"].tolist() == ["North", "East", "South", "Mine"]
    closed = business_groups(graph_of([(a, b, 0.5) for a in "ABC" for b in "ABC" if a != b]))
    assert closed["group"].unique().tolist() == ["A"]
    two = graph_of(
        [("A", "T", 0.3), ("B", "T", 0.3), ("C", "U", 0.6), ("D", "V", 0.7)],
        concert=[("A", "B"), ("C", "D")],
        people=list("ABCD"),
    )
    groups = business_groups(two).set_index("entity")["group"].to_dict()
    assert groups == {"A": "A;B", "B": "A;B", "T": "A;B", "C": "C;D", "D": "C;D", "U": "C;D", "V": "C;D"}


@given(ownership(intervals=True))
@settings(max_examples=30, deadline=None)
def test_groups_partition_the_companies(drawn):
    names, rows, controls, concert = drawn
    graph = graph_of(rows, controls=controls, concert=concert, ids=names)
    frame = business_groups(graph)
    assert frame["entity"].tolist() == names
    assert frame["group"].notna().all()
    found = ultimate_controllers(graph)
    sole = found[found["outcome"] == "sole"]
    group = frame.set_index("entity")
    for company, controller in zip(sole["company"], sole["controller"], strict=True):
        assert group.loc[company, "head"] == controller


def test_other_entities_are_listed_when_held():
    entities = pd.DataFrame({"id": ["P", "F", "idle"], "kind": ["person", "product", "product"]})
    relations = pd.DataFrame({"source": ["P"], "target": ["F"], "kind": ["owns"], "share": [0.7]})
    frame = ultimate_controllers(rg.EntityGraph.from_tables(entities, relations))
    assert frame["company"].tolist() == ["F"]


def test_bad_parameters():
    for function in (ultimate_controllers, business_groups):
        with pytest.raises(rg.InvalidParameter, match="'threshold' must be in"):
            function(rg.datasets.toy_chain(), threshold=-1)
