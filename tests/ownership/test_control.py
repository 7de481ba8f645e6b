"""Control: known answers, the definition in fractions, worlds of intervals, changes, size."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.ownership import _verdicts, control, ultimate_controllers
from riskgraph.ownership._fixpoint import add_up, put_together
from riskgraph.ownership._verdicts import Terms, control_pairs

from ._control_worlds import CASES, exact, fixpoint, graph_of, ownership, verdicts, vertex_worlds, yes

WITH_CONTROL = [case for case in CASES if "control" in case]


@pytest.mark.parametrize("case", WITH_CONTROL, ids=lambda case: case["id"])
def test_known_answers(case):
    graph = graph_of(case["holdings"], people=case.get("people", ()))
    for question in case["control"]:
        frame = control(graph, **question["terms"])
        found = {f"{a} {b}" for a, b in yes(frame) if question.get("of", a) == a}
        assert found == set(question["pairs"])
        assert not (frame["verdict"] == "undetermined").any()
    frame = control(graph).set_index(["controller", "company"])
    for pair, votes in case.get("votes", {}).items():
        assert frame.loc[tuple(pair.split()), "votes_min"] == pytest.approx(votes, abs=1e-12)
        assert frame.loc[tuple(pair.split()), "votes_max"] == pytest.approx(votes, abs=1e-12)
    for question in case.get("ultimate", ()):
        outcomes = ultimate_controllers(graph, **question["terms"]).set_index("company")["outcome"]
        assert outcomes.groupby(level=0).first().to_dict() == question["outcomes"]


@given(
    ownership(),
    st.sampled_from(["0.5", "0.25", "0.3", "0.75"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 1, 2]),
)
@settings(max_examples=100, deadline=None)
def test_equals_the_definition(drawn, threshold, inclusive, joint, max_depth):
    names, rows, controls, concert = drawn
    votes = {}
    for holder, company, low, _ in rows:
        votes[holder, company] = exact(low)
    want = fixpoint(
        votes, names, threshold=threshold, inclusive=inclusive, joint=joint,
        controls=controls, concert=concert, max_depth=max_depth,
    )  # fmt: skip
    graph = graph_of(rows, controls=controls, concert=concert, ids=names)
    terms = {"threshold": float(threshold), "inclusive": inclusive, "joint": joint, "max_depth": max_depth}
    frame = control(graph, **terms)
    assert yes(frame) == want
    # declared shares leave nothing open
    assert not (frame["verdict"] == "undetermined").any()
    assert (frame["votes_min"] <= frame["votes_max"]).all()


@given(ownership(intervals=True, most=4, treasury=False), st.booleans())
@settings(max_examples=60, deadline=None)
def test_interval_verdicts_are_those_of_all_worlds(drawn, inclusive):
    names, rows, controls, concert = drawn
    low = {(holder, company): exact(a) for holder, company, a, _ in rows}
    high = {(holder, company): exact(b) for holder, company, _, b in rows}
    frame = verdicts(control(graph_of(rows, controls=controls, concert=concert, ids=names), inclusive=inclusive))
    worlds = [
        fixpoint(world, names, inclusive=inclusive, controls=controls, concert=concert)
        for world, _ in zip(vertex_worlds(low, high, None), range(1500), strict=False)
    ]
    always, ever = set.intersection(*worlds), set.union(*worlds)
    got_yes = {pair for pair, verdict in frame.items() if verdict == "yes"}
    got_maybe = {pair for pair, verdict in frame.items() if verdict == "undetermined"}
    assert got_yes <= always
    assert ever <= got_yes | got_maybe
    if len(worlds) < 1500:
        assert got_yes == always
        assert got_maybe == ever - always


def test_a_missing_share_is_neither_nothing_nor_everything():
    graph = graph_of([("P", "A", None), ("R", "A", 0.3), ("A", "B", 0.6)], people=["P", "R"])
    found = verdicts(control(graph))
    assert found["P", "A"] == "undetermined"
    assert found["P", "B"] == "undetermined"
    assert found["R", "A"] == "no"
    held = control(graph).set_index(["controller", "company"]).loc[("P", "A")]
    assert (held["votes_min"], held["votes_max"]) == (0.0, 0.7)


def test_three_times_a_tenth_is_not_more_than_three_tenths():
    rows = [("P", "A", 0.9), ("P", "B", 0.9), ("P", "T", 0.1), ("A", "T", 0.1), ("B", "T", 0.1)]
    graph = graph_of(rows)
    assert 0.1 + 0.1 + 0.1 > 0.3
    assert ("P", "T") not in yes(control(graph, threshold=0.3))
    assert ("P", "T") in yes(control(graph, threshold=0.3, inclusive=True))
    concert = graph_of([(x, "T", 0.1) for x in "XYZ"], concert=[("X", "Y"), ("Y", "Z")])
    assert yes(control(concert, threshold=0.3)) == set()
    assert yes(control(concert, threshold=0.3, inclusive=True)) == {(x, "T") for x in "XYZ"}


def test_forty_levels_of_51_percent():
    names = ["P", *(f"C{i:02d}" for i in range(1, 41))]
    frame = control(graph_of([(a, b, 0.51) for a, b in itertools.pairwise(names)]))
    mine = frame[frame["controller"] == "P"]
    assert (mine["verdict"] == "yes").all()
    assert mine["depth"].tolist() == list(range(1, 41))
    assert len(frame) == 40 * 41 // 2


def test_a_thousand_levels():
    n = 1000
    names = [f"c{i}" for i in range(n + 1)]
    frame = control(graph_of([(a, b, 0.51) for a, b in itertools.pairwise(names)]), max_depth=None)
    assert len(frame) == n * (n + 1) // 2
    assert frame["depth"].max() == n


def test_rings_do_not_justify_themselves():
    graph = graph_of([("A", "B", 0.6), ("B", "A", 0.6), ("P", "A", 0.4), ("P", "B", 0.4)], people=["P"])
    assert yes(control(graph)) == {("A", "B"), ("B", "A")}


def test_votes_differ_from_shares():
    entities = pd.DataFrame({"id": ["P", "Q", "C"], "kind": ["person", "person", "company"]})
    relations = pd.DataFrame(
        {
            "source": ["P", "Q"], "target": "C", "kind": "owns", "share": [0.85, 0.15],
            "votes_min": [0.4, 0.6], "votes_max": [0.4, 0.6],
        }
    )  # fmt: skip
    graph = rg.EntityGraph.from_tables(entities, relations)
    assert yes(control(graph)) == {("Q", "C")}


def test_parallel_share_classes_add_up_by_votes():
    # 1,000 votes of 1,000 and 400 · 2 of 2,000 are 60 % of the votes; dividends go with the first and third class
    entities = pd.DataFrame({"id": ["P", "C"], "kind": "company"})
    relations = pd.DataFrame(
        {"source": "P", "target": "C", "kind": "owns", "share": [0.5, 0.35], "votes_min": [1 / 3, 0.8 / 3]}
    )
    relations["votes_max"] = relations["votes_min"]
    frame = control(rg.EntityGraph.from_tables(entities, relations))
    assert frame.loc[0, "votes_min"] == pytest.approx(0.6)
    assert frame.loc[0, "verdict"] == "yes"


def test_agreements_are_full_control():
    graph = graph_of([("V", "T", 0.2), ("X", "V", 1.0), ("W", "T", 0.4)], controls=[("W", "V")], people=["W", "X"])
    frame = control(graph).set_index(["controller", "company"])
    assert yes(control(graph)) == {("W", "V"), ("X", "V"), ("W", "T")}
    assert frame.loc[("W", "V"), ["votes_min", "votes_max"]].tolist() == [1.0, 1.0]
    assert frame.loc[("W", "T"), "votes_min"] == 0.6


def test_a_concert_group_acts_as_one_and_every_member_is_listed():
    graph = graph_of(
        [("A", "T", 0.3), ("B", "T", 0.25), ("C", "T", 0.45), ("T", "U", 0.6), ("P", "A", 0.9)],
        concert=[("B", "A")],
        people=["P", "B", "C"],
    )
    frame = control(graph)
    # who controls a member has the votes of the group with it, but does not control the other members
    assert yes(frame) == {
        ("A", "T"),
        ("B", "T"),
        ("A", "U"),
        ("B", "U"),
        ("P", "A"),
        ("P", "T"),
        ("P", "U"),
        ("T", "U"),
    }
    acting = frame.set_index(["controller", "company"])["acting"]
    assert acting["A", "T"] == acting["B", "U"] == ("A", "B")
    assert acting["P", "T"] == ()
    assert frame.set_index(["controller", "company"]).loc[("B", "T"), "votes_min"] == 0.55


def test_treasury_votes_leave_the_base():
    interval = graph_of([("A", "A", 0.1, 0.3), ("P", "A", 0.4), ("Q", "A", 0.3)], people=["P", "Q"])
    row = control(interval).set_index("controller").loc["P"]
    assert row["votes_min"] == pytest.approx(0.4 / 0.9)
    assert row["votes_max"] == pytest.approx(0.4 / 0.7)
    assert row["verdict"] == "undetermined"
    closed = graph_of([("A", "A", 1.0), ("P", "A", 0.0)], people=["P"])
    assert yes(control(closed)) == set()


def test_votes_of_a_coalition_end_where_those_of_the_others_begin():
    graph = graph_of([("P", "S", 1.0), ("P", "T", 0.1, 0.6), ("S", "T", 0.1, 0.6), ("Q", "T", 0.3)], people=["P", "Q"])
    row = control(graph).set_index(["controller", "company"]).loc[("P", "T")]
    assert row["votes_min"] == 0.2
    assert row["votes_max"] == 0.7


@given(ownership(), st.randoms())
@settings(max_examples=40, deadline=None)
def test_names_and_order_do_not_matter(drawn, random):
    names, rows, controls, concert = drawn
    new = dict(zip(names, random.sample([f"x{i}" for i in range(20)], len(names)), strict=True))
    mapped = [(new[a], new[b], low, high) for a, b, low, high in rows]
    random.shuffle(mapped)
    order = list(new.values())
    random.shuffle(order)
    one = control(graph_of(rows, controls=controls, concert=concert, ids=names))
    other = control(
        graph_of(
            mapped,
            controls=[(new[a], new[b]) for a, b in controls],
            concert=[(new[b], new[a]) for a, b in concert],
            ids=order,
        )
    )

    def as_set(frame, name):
        columns = frame[["controller", "company", "votes_min", "votes_max", "verdict", "depth"]]
        return {(name(a), name(b), *rest) for a, b, *rest in columns.itertuples(index=False)}

    assert as_set(one, new.get) == as_set(other, lambda x: x)


@given(ownership(treasury=False), st.data())
@settings(max_examples=40, deadline=None)
def test_more_votes_never_lose_control(drawn, data):
    names, rows, controls, concert = drawn
    x, y = (data.draw(st.sampled_from(names)) for _ in range(2))
    left = 20 - round(20 * sum(low for _, company, low, _ in rows if company == y))
    more = data.draw(st.integers(0, left)) / 20
    graph = graph_of(rows, controls=controls, concert=concert, ids=names)
    richer = graph_of([*rows, (x, y, more, more)], controls=controls, concert=concert, ids=names)
    if x != y:
        assert {pair for pair in yes(control(graph)) if pair[0] == x} <= yes(control(richer))
    zero = graph_of([*rows, (x, y, 0.0, 0.0)], controls=controls, concert=concert, ids=names)
    pd.testing.assert_frame_equal(control(zero), control(graph))


@given(ownership(intervals=True), st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_graph_is_judged_as_if_built_anew(drawn, data):
    names, rows, controls, concert = drawn
    graph = graph_of(rows, controls=controls, concert=concert, ids=names)
    terms = Terms(joint=data.draw(st.booleans()))
    control_pairs(graph, terms)
    held = graph.relations["id"].tolist()
    gone = data.draw(st.lists(st.sampled_from(held), unique=True, max_size=2)) if held else []
    pair = st.tuples(st.sampled_from(names), st.sampled_from([*names, "new"])).filter(lambda p: p[0] != p[1])
    added = data.draw(st.lists(st.tuples(pair, st.sampled_from(["owns", "owns", "concert", "controls"])), max_size=2))
    add = pd.DataFrame(
        [(a, b, kind, 0.05 if kind == "owns" else None) for (a, b), kind in added],
        columns=["source", "target", "kind", "share"],
    ).astype({"share": float})
    new = pd.DataFrame({"id": ["new"], "kind": ["company"]})
    changed = graph.with_changes(add=add, remove=gone, entities=new)
    anew = rg.EntityGraph.from_tables(changed.entities, changed.relations)
    assert changed.changed_from is graph
    pd.testing.assert_frame_equal(control(changed, joint=terms.joint), control(anew, joint=terms.joint))


@pytest.mark.parametrize("joint", [False, True])
def test_a_holding_comes_up_when_another_one_goes(joint):
    """Of nothing to 5 % there is nothing while the others hold all; its holder and who controls that one are judged."""
    rows = [("a", "c", 0.05, 0.05), ("b", "c", 0.95, 0.95), ("d", "c", 0.0, 0.05), ("top", "d", 0.9, 0.9)]
    graph = graph_of(rows)
    assert "d" not in set(control(graph, joint=joint)["controller"])
    changed = graph.with_changes(remove=[graph.relations["id"].iloc[0]])
    anew = rg.EntityGraph.from_tables(changed.entities, changed.relations)
    found = control(changed, joint=joint)
    assert {("d", "c"), ("top", "c")} <= set(zip(found["controller"], found["company"], strict=True))
    pd.testing.assert_frame_equal(found, control(anew, joint=joint))


def test_a_change_is_judged_only_where_it_matters(monkeypatch):
    rows = [(f"p{i}", f"c{i}", 0.6) for i in range(50)]
    graph = graph_of(rows)
    before = control(graph)
    asked = []
    judge = _verdicts.judge

    def watched(base, terms, starts=None):
        asked.append(None if starts is None else len(starts))
        return judge(base, terms, starts)

    monkeypatch.setattr(_verdicts, "judge", watched)
    add = pd.DataFrame({"source": ["c1"], "target": ["c2"], "kind": ["owns"], "share": [0.2]})
    after = control(graph.with_changes(add=add))
    # p1 through c1, c1 itself, and p2, which shares c2 with it
    assert asked == [3]
    assert len(after) == len(before) + 2


def test_a_concert_group_that_splits_is_judged_anew():
    rows = [(x, "T", 0.2) for x in "ABC"] + [("P", "A", 0.9), ("T", "U", 0.9), ("Q", "V", 0.9)]
    graph = graph_of(rows, concert=[("A", "B"), ("B", "C")])
    assert {("A", "T"), ("C", "U"), ("P", "T")} <= yes(control(graph))
    link = graph.relations.query("kind == 'concert' and source == 'B'")["id"].tolist()
    split = graph.with_changes(remove=link)
    anew = rg.EntityGraph.from_tables(split.entities, split.relations)
    pd.testing.assert_frame_equal(control(split), control(anew))
    assert yes(control(split)) == {("P", "A"), ("T", "U"), ("Q", "V")}


def test_sums_do_not_overflow():
    units = np.full(10_000, 10**15)
    assert add_up(units, np.array([0])).tolist() == [4_000 * 10**15]
    assert add_up(units, np.array([0, 9_999])).tolist() == [4_000 * 10**15, 10**15]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"threshold": 1.4}, r"'threshold' must be in \[0, 1\]; got 1.4"),
        ({"threshold": float("nan")}, r"'threshold' must be in \[0, 1\]; got nan"),
        ({"threshold": 0, "inclusive": True}, "'threshold' must be above 0 when 'inclusive' is true; got 0"),
        ({"inclusive": "yes"}, "'inclusive' must be True or False; got 'yes'"),
        ({"joint": 1}, "'joint' must be True or False; got 1"),
        ({"max_depth": 0}, "'max_depth' must be a whole number, 1 or more, or None; got 0"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(rg.InvalidParameter, match=message):
        control(rg.datasets.toy_chain(), **parameters)


def test_nothing_to_control():
    frame = control(graph_of([], ids=["A"]))
    assert frame.empty
    assert frame.columns.tolist() == ["controller", "company", "votes_min", "votes_max", "verdict", "depth", "acting"]


def test_thirds_of_a_company():
    third = Fraction(1, 3)
    graph = graph_of([(x, "T", float(third)) for x in "XYZ"], concert=[("X", "Y")])
    assert yes(control(graph)) == {("X", "T"), ("Y", "T")}
    assert yes(control(graph, threshold=0.7)) == set()


def test_portions_are_put_together_whatever_room_there_is():
    portions = [[np.arange(size), np.full(size, size / 2)] for size in (3, 0, 5, 40)]
    whole = [np.concatenate(column) for column in zip(*portions, strict=True)]
    for room in (0, 3, 10, 1_000):
        for found, expected in zip(put_together(iter(portions), room), whole, strict=True):
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype


def test_ids_of_a_few_are_those_of_all(monkeypatch, tmp_path):
    pytest.importorskip("pyarrow", reason="packed texts need pyarrow")
    graph = rg.datasets.load_county().graph
    rg.readers.write_tables(graph, tmp_path, format="parquet")
    expected = ultimate_controllers(graph)
    monkeypatch.setattr("riskgraph._dated.SMALL", 0)
    packed = rg.readers.read_tables(tmp_path)
    pd.testing.assert_frame_equal(ultimate_controllers(packed), expected)
    some = np.random.default_rng(1).integers(0, len(graph), len(graph))
    for codes in (some, some[:9], some[:0]):
        assert packed.ids_of(codes).tolist() == graph.ids[codes].tolist()
    assert "ids" not in packed.__dict__


def test_a_ring_too_large_to_tell_pair_by_pair_is_refused(monkeypatch):
    ring = graph_of([(f"c{place}", f"c{(place + 1) % 60}", 1.0) for place in range(60)])
    assert len(control(ring)) == 60 * 59
    monkeypatch.setattr("riskgraph.ownership._fixpoint.MOST_PAIRS", 1_000)
    again = graph_of([(f"c{place}", f"c{(place + 1) % 60}", 1.0) for place in range(60)])
    with pytest.raises(rg.NotConverged, match="large closed ring"):
        control(again)
