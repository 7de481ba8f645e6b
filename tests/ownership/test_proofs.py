"""Proofs and counterfactuals of control: sound, without a spare part, and the least move there is."""

from __future__ import annotations

import itertools
import sys
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.ownership import control, explain_control, why_not

from ._control_worlds import exact, fixpoint, graph_of, ownership, verdicts


def verdict_of(graph, x, y, **terms) -> str:
    return verdicts(control(graph, **terms)).get((x, y), "no")


@given(
    ownership(intervals=True, most=6),
    st.sampled_from([{}, {"inclusive": True}, {"joint": False}, {"max_depth": 2}]),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_proofs_hold_and_spare_nothing(drawn, terms, data):
    names, rows, controls, concert = drawn
    graph = graph_of(rows, controls=controls, concert=concert, ids=names)
    found = verdicts(control(graph, **terms))
    derived = [pair for pair, verdict in found.items() if verdict != "no"]
    for x, y in set(found) - set(derived):
        assert explain_control(graph, x, y, **terms).empty
        break
    assume(derived)
    x, y = data.draw(st.sampled_from(derived))
    proof = explain_control(graph, x, y, **terms)
    assert proof.attrs["verdict"] == found[x, y]
    assert proof["step"].is_monotonic_increasing
    alone = rg.EntityGraph.from_tables(graph.entities.drop(columns="ended"), proof.drop(columns="step"))
    assert verdict_of(alone, x, y, **terms) == found[x, y]
    for relation in proof["id"]:
        assert verdict_of(alone.with_changes(remove=[relation]), x, y, **terms) != found[x, y]


def test_a_proof_reads_from_the_controller_down():
    proof = explain_control(rg.datasets.toy_concert(), "Bob", "Mine")
    assert proof["kind"].tolist() == ["concert", "owns", "owns"]
    assert proof["step"].tolist() == [0, 1, 1]
    names = ["P", *(f"C{i:02d}" for i in range(1, 41))]
    graph = graph_of([(a, b, 0.51) for a, b in itertools.pairwise(names)])
    chain = explain_control(graph, "P", "C40")
    assert chain["target"].tolist() == names[1:]
    assert chain.columns.tolist() == ["step", *graph.relations.columns]


def test_a_proof_keeps_the_great_holdings():
    graph = graph_of([("P", "A", 0.15), ("P", "A", 0.2), ("P", "A", 0.3), ("P", "A", 0.35)], people=["P"])
    assert explain_control(graph, "P", "A")["share_min"].tolist() == [0.3, 0.35]


def test_treasury_shares_are_part_of_a_proof_where_it_needs_them():
    graph = graph_of([("P", "A", 0.45), ("A", "A", 0.2), ("Q", "A", 0.35)], people=["P", "Q"])
    proof = explain_control(graph, "P", "A")
    assert list(zip(proof["source"], proof["target"], strict=True)) == [("P", "A"), ("A", "A")]
    # of two parcels of treasury shares the greater is enough
    parcels = graph_of([("P", "A", 0.47), ("A", "A", 0.05), ("A", "A", 0.15)], people=["P"])
    assert explain_control(parcels, "P", "A")["share_min"].tolist() == [0.47, 0.15]
    enough = graph_of([("P", "A", 0.55), ("A", "A", 0.2)], people=["P"])
    assert explain_control(enough, "P", "A")["source"].tolist() == ["P"]


def test_an_undetermined_verdict_is_proved_too():
    graph = graph_of([("P", "A", None), ("R", "A", 0.3), ("A", "B", 0.6)], people=["P", "R"])
    proof = explain_control(graph, "P", "B")
    assert proof.attrs["verdict"] == "undetermined"
    assert proof["source"].tolist() == ["P", "A"]


def test_refusals():
    graph = rg.datasets.toy_chain()
    for function in (explain_control, why_not):
        with pytest.raises(rg.InvalidParameter, match="'controller' and 'company' must differ; got 'Ann' twice"):
            function(graph, "Ann", "Ann")
        with pytest.raises(rg.UnknownEntity, match="no entity 'Zoe'"):
            function(graph, "Zoe", "Mine")
        with pytest.raises(rg.InvalidParameter, match="'threshold' must be in"):
            function(graph, "Ann", "Mine", threshold=2)


# -- why not -----------------------------------------------------------------------------------------------------------


def moved(votes: dict, moves, extra=Fraction(0)) -> dict:
    """Votes after moves, each of a little more where more than the infimum must move."""
    after = dict(votes)
    for firm, giver, taker, share in moves:
        part = exact(round(share, 12)) + extra
        if giver != "<undeclared>":
            after[giver, firm] = after.get((giver, firm), Fraction(0)) - part
        if taker != "<undeclared>":
            after[taker, firm] = after.get((taker, firm), Fraction(0)) + part
    return after


@given(ownership(most=6), st.booleans(), st.data())
@settings(max_examples=80, deadline=None)
def test_the_moves_flip_the_verdict(drawn, inclusive, data):
    names, rows, controls, concert = drawn
    x, y = data.draw(st.sampled_from([(a, b) for a in names for b in names if a != b]))
    votes = {(a, b): exact(low) for a, b, low, _ in rows}
    terms = {"inclusive": inclusive, "controls": controls, "concert": concert}
    controlled = (x, y) in fixpoint(votes, names, **terms)
    found = why_not(graph_of(rows, controls=controls, concert=concert, ids=names), x, y, inclusive=inclusive)
    assert found.attrs["gains"] == (not controlled)
    assert found.attrs["strict"] == (controlled == inclusive)
    if found.attrs["total"] == float("inf"):
        assert found.empty
        return
    assert found["share"].sum() == pytest.approx(found.attrs["total"])
    moves = list(found.itertuples(index=False))
    # a firm may be given or take more than once only by different holders; a little more must be there to move
    extra = Fraction(1, 10**6) if found.attrs["strict"] else Fraction(0)
    after = moved(votes, moves, extra)
    assume(all(share >= 0 for share in after.values()))
    assert ((x, y) in fixpoint(after, names, **terms)) == (not controlled)


def least_by_search(votes, names, firms, x, y, most, **terms):
    """Fewest moves of a tenth, from anybody to anybody, that flip the verdict; None for more than ``most``."""
    tenth = Fraction(1, 10)
    before = (x, y) in fixpoint(votes, names, **terms)
    front, seen = [votes], {frozenset((pair, share) for pair, share in votes.items() if share)}
    for count in range(1, most + 1):
        new = []
        for world in front:
            for firm in firms:
                held = {name: world.get((name, firm), Fraction(0)) for name in names}
                free = 1 - sum(held.values())
                for giver in [*names, None]:
                    if (free if giver is None else held[giver]) < tenth or giver == firm:
                        continue
                    for taker in [*names, None]:
                        if taker in (giver, firm):
                            continue
                        after = dict(world)
                        if giver is not None:
                            after[giver, firm] = held[giver] - tenth
                        if taker is not None:
                            after[taker, firm] = held[taker] + tenth
                        key = frozenset((pair, share) for pair, share in after.items() if share)
                        if key in seen:
                            continue
                        seen.add(key)
                        if ((x, y) in fixpoint(after, names, **terms)) != before:
                            return count
                        new.append(after)
        front = new
    return None


@st.composite
def tenths(draw):
    """Three firms held in tenths by three persons and by each other, and the threshold at which infima are reached."""
    people, firms = ["p", "q"], ["A", "B", "C"][: draw(st.integers(2, 3))]
    rows = []
    for firm in firms:
        left = 10
        for holder in draw(st.permutations([*people, *(other for other in firms if other != firm)]))[:3]:
            units = draw(st.integers(0, min(left, 5)))
            left -= units
            if units:
                rows.append((holder, firm, units / 10))
    return [*people, *firms], firms, rows


@given(tenths())
@settings(max_examples=30, deadline=None)
def test_no_smaller_moves_would_do(drawn):
    names, firms, rows = drawn
    votes = {(a, b): exact(share) for a, b, share in rows}
    x, y = "p", firms[-1]
    controlled = (x, y) in fixpoint(votes, names, inclusive=True)
    # gains end at an inclusive threshold, losses at a strict one
    inclusive = not controlled
    assume(((x, y) in fixpoint(votes, names, inclusive=inclusive)) == controlled)
    found = why_not(graph_of(rows, ids=names), x, y, inclusive=inclusive)
    assert not found.attrs["strict"]
    least = least_by_search(votes, names, firms, x, y, 2, inclusive=inclusive)
    if least is None:
        assert found.attrs["total"] > 0.2 + 1e-12
    else:
        assert found.attrs["total"] == pytest.approx(least / 10)


def test_the_cheaper_way_leads_through_another_company():
    rows = [("P", "A", 0.45), ("Q", "A", 0.55), ("A", "T", 0.4), ("P", "T", 0.15), ("Q", "T", 0.45)]
    found = why_not(graph_of(rows, people=["P", "Q"]), "P", "T")
    assert found.to_dict("records") == [{"company": "A", "from": "Q", "to": "P", "share": pytest.approx(0.05)}]
    assert found.attrs == {"total": pytest.approx(0.05), "gains": True, "strict": True}


def test_two_companies_may_be_cheaper_than_one():
    rows = [
        ("P", "A", 0.48), ("Q", "A", 0.52), ("P", "B", 0.48), ("Q", "B", 0.52),
        ("A", "T", 0.3), ("B", "T", 0.3), ("Q", "T", 0.4),
    ]  # fmt: skip
    found = why_not(graph_of(rows, people=["P", "Q"]), "P", "T")
    assert found["company"].tolist() == ["A", "B"]
    assert found.attrs["total"] == pytest.approx(0.04)


def test_a_tie_needs_next_to_nothing():
    found = why_not(rg.datasets.toy_chain(), "Ann", "Mine")
    assert found.to_dict("records") == [{"company": "Mine", "from": "<undeclared>", "to": "Ann", "share": 0.0}]
    assert found.attrs == {"total": 0.0, "gains": True, "strict": True}


def test_no_shares_undo_an_agreement():
    graph = graph_of([("Q", "A", 1.0)], controls=[("P", "A")], people=["P", "Q"])
    found = why_not(graph, "P", "A")
    assert found.empty
    assert found.attrs["total"] == float("inf")


def test_losing_at_the_weakest_place_of_a_long_chain():
    names = ["P", *(f"C{i:02d}" for i in range(1, 41))]
    rows = [(a, b, 0.9 if b != "C17" else 0.52) for a, b in itertools.pairwise(names)]
    found = why_not(graph_of(rows), "P", "C40")
    assert found["company"].tolist() == ["C17"]
    assert found.attrs["total"] == pytest.approx(0.02)


def test_the_budget_is_kept(monkeypatch):
    monkeypatch.setattr(sys.modules["riskgraph.ownership.why_not"], "STATES", 2)
    rows = [("P", f"A{i}", 0.48) for i in range(8)] + [(f"A{i}", "T", 0.1) for i in range(8)]
    with pytest.raises(rg.NotConverged, match="more than 2 sets of companies to compare"):
        why_not(graph_of(rows), "P", "T")
