"""Voting power: published tables, and every coalition and every order of few holders."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.ownership import _power, voting_power

from ._control_worlds import CASES, graph_of


def firm(weights: dict) -> rg.EntityGraph:
    total = sum(weights.values())
    return graph_of([(name, "FIRM", weight / total) for name, weight in weights.items()], people=list(weights))


@pytest.mark.parametrize("case", [case for case in CASES if "power" in case], ids=lambda case: case["id"])
def test_known_answers(case):
    weights = case["weights"]
    total = sum(weights.values())
    graph = firm(weights)
    for index, expected in case["power"].items():
        # losing coalitions have at most one vote less than what wins
        for quota in ((case["wins_with"] - 1) / total, (case["wins_with"] - 0.5) / total):
            power = voting_power(graph, "FIRM", index=index, quota=quota)
            assert power.to_dict() == pytest.approx({name: float(Fraction(value)) for name, value in expected.items()})
            assert (power.name, power.index.name) == ("power", "holder")


def by_definition(weights: list[int], quota: Fraction, index: str) -> list[Fraction]:
    n, bar = len(weights), quota * sum(weights)
    counts = [0] * n
    if index == "shapley":
        for order in itertools.permutations(range(n)):
            total = 0
            for i in order:
                total += weights[i]
                if total > bar:
                    counts[i] += 1
                    break
    else:
        for chosen in itertools.product([0, 1], repeat=n):
            total = sum(w for w, c in zip(weights, chosen, strict=True) if c)
            for i in range(n):
                counts[i] += chosen[i] and total > bar >= total - weights[i]
    return [Fraction(count, sum(counts)) for count in counts]


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=6).filter(any),
    st.sampled_from(["0", "0.5", "0.6", "2/3", "0.9"]),
    st.sampled_from(["banzhaf", "shapley"]),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_equals_the_definition(weights, quota, index, listed):
    quota = Fraction(quota)
    small, bar = _power.whole_weights([Fraction(weight, 100) for weight in weights], quota)
    turned = _power._turned_by_listing if listed else None
    want = by_definition(weights, quota, index)
    if turned is not None:
        players = [weight for weight in small if weight]
        counts = turned(players, bar, index == "shapley")
        value = (lambda c: _power.shapley_value(c, len(players))) if index == "shapley" else (lambda c: Fraction(c[0]))
        values = [value(count) for count in counts]
        assert [value / sum(values) for value in values] == [
            w for w, weight in zip(want, weights, strict=True) if weight
        ]
    names = [f"h{i}" for i in range(len(weights))]
    graph = graph_of([(name, "F", weight / 100) for name, weight in zip(names, weights, strict=True)])
    power = voting_power(graph, "F", index=index, quota=float(quota))
    assert power.reindex(names).tolist() == pytest.approx([float(value) for value in want])


def test_many_holders_are_counted_by_weight():
    weights = {f"h{i:03d}": 1 + i % 7 for i in range(90)}
    power = voting_power(firm(weights), "FIRM")
    assert power.sum() == pytest.approx(1)
    assert power["h006"] > power["h005"] > power["h000"]
    equal = voting_power(firm({f"h{i}": 1 for i in range(70)}), "FIRM", index="shapley")
    assert equal.to_numpy() == pytest.approx(1 / 70)


def test_two_ways_of_counting_agree(monkeypatch):
    graph = firm({f"h{i}": 3 * i + 1 for i in range(12)})
    for index in ("banzhaf", "shapley"):
        by_weight = voting_power(graph, "FIRM", index=index)
        with monkeypatch.context() as patch:
            patch.setattr(_power, "STEPS", 0)
            pd.testing.assert_series_equal(voting_power(graph, "FIRM", index=index), by_weight)


def test_votes_count_and_treasury_does_not():
    graph = graph_of([("A", "F", 0.3), ("B", "F", 0.2), ("F", "F", 0.4), ("C", "F", 0.1)])
    power = voting_power(graph, "F")
    assert power.index.tolist() == ["A", "B", "C"]
    # 30 of 60 is not more than half: A needs one of the others
    assert power.to_dict() == pytest.approx({"A": 0.6, "B": 0.2, "C": 0.2})
    missing = graph_of([("A", "F", 0.6), ("B", "F", 0.4), ("C", "F", None)])
    assert voting_power(missing, "F").to_dict() == {"A": 1.0, "B": 0.0, "C": 0.0}


def test_refusals():
    graph = graph_of([("A", "F", 0.3, 0.5), ("B", "F", 0.2), ("B", "E", 0.0)], ids=["G"])
    with pytest.raises(rg.InvalidParameter, match=r"'A' has between 0.3 and 0.5 of 'F'"):
        voting_power(graph, "F")
    for empty in ("E", "G"):
        with pytest.raises(rg.InvalidParameter, match=rf"must have a holder with votes; '{empty}' has none"):
            voting_power(graph, empty)
    with pytest.raises(rg.InvalidParameter, match=r"'quota' must be in \[0, 1\); got 1"):
        voting_power(graph, "F", quota=1)
    with pytest.raises(rg.InvalidParameter, match="'index' must be 'banzhaf' or 'shapley'; got 'deegan'"):
        voting_power(graph, "F", index="deegan")
    with pytest.raises(rg.UnknownEntity, match="no entity 'H'"):
        voting_power(graph, "H")
    many = graph_of([(f"h{i}", "F", round(0.04 + i * 1.234567e-5, 12)) for i in range(24)])
    with pytest.raises(rg.InvalidParameter, match=r"at most 20 holders when their votes have this many digits"):
        voting_power(many, "F")


@pytest.mark.parametrize("players", [40, 61, 62, 63, 64])
@pytest.mark.parametrize("part", [0.5, 0.7, 0.9])
def test_coalitions_of_many_equal_players_are_counted_exactly(players, part):
    """Who turns a coalition finds exactly the quota before it: n - 1 over quota, where 64 bits are nearly full, too."""
    quota = int(part * players)
    for by_size in (False, True):
        turned = _power.swings([1] * players, quota, by_size=by_size)
        assert {sum(counts) for counts in turned} == {comb(players - 1, quota)}
