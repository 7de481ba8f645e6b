"""Dates, working days, languages, empty and undated graphs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskgraph.errors import InvalidParameter
from riskgraph.supervision import (
    action_lists,
    advertising_access,
    assign,
    changes,
    classify_sectors,
    closing_impact,
    contagion_gain,
    control_clusters,
    dispose,
    extended_supervision,
    feature_scores,
    is_working_day,
    keyword_hits,
    match_names,
    monitor,
    restricted,
    screen,
    statistics,
    tipoffs,
    triage,
    verify_declared,
    working_days_after,
)
from riskgraph.supervision.checks.people import bar_end

COLUMNS = {
    screen: ["entity", "rule", "severity", "since", "evidence", "text"],
    classify_sectors: ["entity", "sector", "subtype", "why"],
    triage: ["entity", "sector", "verdict", "reasons", "missing"],
    dispose: ["entity", "code", "measure", "due"],
    assign: ["entity", "lead", "assist", "duties", "region", "assist_region", "queue", "reason"],
    statistics: ["region", "level", "sector", "verdict", "count", "share_of_region", "share_of_verdict"],
    monitor: ["entity", "kind", "due", "status", "evidence", "text"],
}


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        ("2016-06-30", 10, "2016-07-14"),
        ("2016-09-26", 10, "2016-10-13"),  # National Day, two working weekend days
        ("2017-01-20", 3, "2017-01-24"),  # Sunday 22 January worked before the Spring Festival
        ("2016-06-30", 0, "2016-06-30"),
    ],
)
def test_terms_of_working_days(day, count, due):
    assert working_days_after(day, count) == (np.datetime64(due), True)


def test_outside_the_calendar_weekdays_count_and_say_so():
    assert working_days_after("2035-10-01", 5) == (np.datetime64("2035-10-08"), False)
    assert is_working_day("2016-10-03") == (False, True)
    with pytest.raises(InvalidParameter, match="'count' must be 0 or more; got -1"):
        working_days_after("2016-06-30", -1)
    with pytest.raises(InvalidParameter, match="'day' must be a date such as 2016-06-30; got 'soon'"):
        working_days_after("soon", 1)


@pytest.mark.parametrize(
    ("day", "end"), [("2016-08-01", "2019-08-01"), ("2016-02-29", "2019-03-01"), ("2013-02-28", "2016-02-28")]
)
def test_three_calendar_years(day, end):
    assert bar_end(np.datetime64(day), 3) == np.datetime64(end)


@pytest.mark.parametrize("function", COLUMNS)
def test_columns_also_when_nothing_is_found(make, catalogue, function):
    lone = make({"A": "person"})
    busy = make({"A": {"sector": "p2p"}}, facts=[("A", "capital_pool", True), ("A", "risk_level", "high")])
    for graph in (lone, busy):
        assert list(function(graph, catalogue, at="2016-06-30").columns) == COLUMNS[function]
        assert list(function(graph, catalogue).columns) == COLUMNS[function]
    assert list(changes(lone, busy, catalogue).columns) == ["entity", "rule", "change", "since"]


def test_nothing_fails_on_a_bare_graph(make, catalogue):
    graph = make({"A": "person"})
    for function in (tipoffs, restricted, extended_supervision, contagion_gain, feature_scores, action_lists,
                     advertising_access, keyword_hits, match_names, verify_declared, control_clusters):  # fmt: skip
        assert len(function(graph, catalogue, at="2016-06-30")) == 0
    assert len(closing_impact(graph, "A")) == 0


def test_wrong_arguments(make, catalogue):
    graph = make({"A": {}})
    with pytest.raises(InvalidParameter, match="'at' must be a date such as 2016-06-30; got 'soon'"):
        screen(graph, catalogue, at="soon")
    with pytest.raises(InvalidParameter, match="'rules' must name rules of the catalogue that screen; got 'LEAD-P2P'"):
        screen(graph, catalogue, rules=["LEAD-P2P"])
    with pytest.raises(InvalidParameter, match="'lang' must be 'zh' or 'en'; got 'fr'"):
        screen(graph, catalogue, lang="fr")
    with pytest.raises(
        InvalidParameter, match="'by' must be county, city, province, region, sector or verdict; got 'town'"
    ):
        statistics(graph, catalogue, by="town")
    with pytest.raises(InvalidParameter, match="'score' must be 'set' or 'noisy_or'; got 'max'"):
        extended_supervision(graph, catalogue, score="max")
    with pytest.raises(InvalidParameter, match="'depth' must be 1 or more; got 0"):
        extended_supervision(graph, catalogue, depth=0)


def test_what_is_not_yet_known_is_not_used(make, catalogue):
    graph = make(
        {"X": {}, "Y": {}, "p": "person"},
        [
            ("p", "officer", "X", {"role": "legal_representative", "start": "2010-01-01"}),
            ("p", "officer", "Y", {"role": "director", "start": "2016-09-01", "known_from": "2017-01-01"}),
        ],
        cases=[("X", "revoked", "2016-08-01", {"known_from": "2016-08-10"})],
    )
    rule = ["RULE-OFFICER-BAN-3Y"]
    assert len(screen(graph, catalogue, at="2017-02-01", rules=rule)) == 2
    assert len(screen(graph.at("2017-02-01", known="2016-12-31"), catalogue, rules=rule)) == 0
    known = graph.at("2016-12-31", known="2016-12-31")
    assert len(screen(known, catalogue, at="2017-02-01", rules=rule)) == 0


def test_findings_do_not_depend_on_the_order_of_rows(make, catalogue):
    entities = {"X": {}, "Y": {}, "Z": {"sector": "p2p"}, "p": "person", "q": "person"}
    relations = [
        ("p", "officer", "X", {"role": "legal_representative", "start": "2010-01-01", "id": "a"}),
        ("p", "owns", "Y", {"share": 0.4, "start": "2012-01-01", "id": "b"}),
        ("q", "owns", "X", {"share": 0.4, "start": "2012-01-01", "id": "c"}),
        ("q", "owns", "Z", {"share": 0.4, "start": "2012-01-01", "id": "d"}),
    ]
    cases = [("X", "banned", "2016-01-01")]
    first = screen(make(entities, relations, cases=cases), catalogue, at="2016-06-30")
    turned = screen(make(dict(reversed(entities.items())), relations[::-1], cases=cases), catalogue, at="2016-06-30")

    def rows(frame: pd.DataFrame):
        return sorted((row.entity, row.rule, row.severity, tuple(sorted(row.evidence))) for row in frame.itertuples())

    assert rows(first) == rows(turned)


def test_closing_impact(make):
    graph = make(
        {"C": {}, "plan": "product", "ann": "person", "bank": {}},
        [
            ("C", "manages", "plan"),
            ("ann", "invests", "plan", {"amount": 9.0}),
            ("bank", "lends", "C", {"amount": 50.0}),
        ],
    )
    out = closing_impact(graph, "C")
    assert out[["entity", "tie", "amount"]].to_numpy().tolist() == [["bank", "lends", 50.0], ["ann", "invests", 9.0]]


def test_feature_scores_and_access_list(make, catalogue):
    graph = make({"A": {"name": "某网贷", "scope": "网贷"}, "B": {}}, licences=[("B", "fund")])
    out = feature_scores(graph, catalogue).set_index("entity")
    assert out.loc["A", "score"] == pytest.approx(1 - 0.5 * 0.6)
    assert advertising_access(graph, catalogue).to_numpy().tolist() == [["B", "fund", "l0"]]


def test_only_a_few_days_are_kept(make, catalogue):
    graph = make({"A": {"sector": "p2p"}}, facts=[("A", "capital_pool", True, {"start": "2016-03-01"})])
    found = [len(screen(graph, catalogue, at=day)) for day in pd.date_range("2016-01-01", periods=12, freq="MS")]
    assert found == [0, 0] + [2] * 10
    assert len(graph.cached(("supervision", "days"), dict)) <= 8
