"""Inspection plans: greedy against every plan there is."""

from __future__ import annotations

import itertools
import random

import pytest

from riskgraph.errors import InvalidParameter, UnknownEntity
from riskgraph.supervision import plan_inspections


def best(scores, regions, slots, visits):
    """Greatest risk over every choice of a region a slot."""
    places = sorted(set(regions.values()))
    values = {
        place: sorted((scores[name] for name in scores if regions[name] == place), reverse=True) for place in places
    }
    options = [
        [place for place in places if allowed is None or place.startswith(allowed)] or [None] for allowed in slots
    ]
    top = 0.0
    for chosen in itertools.product(*options):
        top = max(top, sum(sum(values[place][: visits * chosen.count(place)]) for place in places))
    return top


@pytest.mark.parametrize("seed", range(12))
def test_greedy_against_the_optimum(make, seed):
    rng = random.Random(seed)
    places = ["320581", "320582", "320102"]
    names = [f"C{number}" for number in range(rng.randint(4, 9))]
    regions = {name: rng.choice(places) for name in names}
    scores = {name: round(rng.random(), 3) for name in names}
    graph = make({name: {"registered_in": regions[name]} for name in names})
    visits, days = rng.randint(1, 3), rng.randint(1, 2)
    free = plan_inspections(graph, scores, teams=2, days=days, visits=visits)
    optimum = best(scores, regions, [None] * (2 * days), visits)
    assert free.attrs["covered"] == pytest.approx(optimum)
    bound = plan_inspections(graph, scores, teams={"a": ["320581"], "b": ["32"]}, days=days, visits=visits)
    optimum = best(scores, regions, ["320581", "32"] * days, visits)
    assert optimum / 2 <= bound.attrs["covered"] + 1e-9 <= optimum + 1e-8
    assert set(bound.loc[bound["team"] == "a", "region"]) <= {"320581"}
    for plan in (free, bound):
        assert plan["entity"].is_unique
        assert plan.groupby(["day", "team"])["region"].nunique().le(1).all()
        assert plan.groupby(["day", "team"]).size().le(visits).all()


def test_who_is_visited(make):
    graph = make(
        {"A": {"sector": "p2p"}, "B": {"sector": "payment"}, "gone": {"end": "2015-01-01"}, "p": "person"},
        [("p", "owns", "A", {"share": 1.0, "start": "2016-01-01"})],
    )
    scores = {"A": 0.5, "B": 0.6, "gone": 0.9, "p": 0.9}
    plan = plan_inspections(graph, scores, teams=["north"], days=["2016-07-04", "2016-07-05", "2016-07-06"])
    assert plan[["day", "team", "entity"]].to_numpy().tolist() == [
        ["2016-07-04", "north", "B"],
        ["2016-07-05", "north", "A"],
    ]
    urgent = plan_inspections(graph, scores, teams=1, days=1, priority={"p2p": 2.0})
    assert urgent["entity"].tolist() == ["A"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"teams": 0, "days": 1}, "'teams' must be 1 or more; got 0"),
        ({"teams": 1, "days": 0}, "'days' must be 1 or more; got 0"),
        ({"teams": [], "days": 1}, "'teams' must be different names"),
        ({"teams": "a", "days": 1}, "'teams' must be a number, a list of names or a mapping; got 'a'"),
        ({"teams": {}, "days": 1}, "'teams' must name at least one team"),
        ({"teams": 1, "days": "monday"}, "'days' must be a number or a list of days"),
        ({"teams": 1, "days": []}, "'days' must hold at least one day"),
        ({"teams": 1, "days": 1, "visits": 0}, "'visits' must be a whole number, 1 or more; got 0"),
    ],
)
def test_wrong_capacities(make, options, message):
    with pytest.raises(InvalidParameter, match=message):
        plan_inspections(make({"A": {}}), {"A": 1.0}, **options)


def test_wrong_scores(make):
    with pytest.raises(InvalidParameter, match=r"'scores' must not be negative; got -1\.0 for 'A'"):
        plan_inspections(make({"A": {}}), {"A": -1.0}, teams=1, days=1)
    with pytest.raises(UnknownEntity, match="'Z'"):
        plan_inspections(make({"A": {}}), {"Z": 1.0}, teams=1, days=1)
