"""What has run out is listed with its reason, and gone from the graph without it."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.privacy import expired, retain


@pytest.fixture
def aged():
    entities = pd.DataFrame(
        {
            "id": ["ann", "bob", "cy", "old", "new", "lone"],
            "kind": ["person", "person", "person", "company", "company", "person"],
            "end": [None, None, None, "2012-01-01", None, None],
        }
    )
    relations = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "source": ["ann", "bob", "cy", "bob"],
            "target": ["new", "new", "old", "old"],
            "kind": ["owns"] * 4,
            "start": ["2010-01-01"] * 4,
            "end": ["2013-01-01", None, None, "2011-01-01"],
        }
    )
    cases = pd.DataFrame(
        {
            "entity": ["new", "old"],
            "type": ["tipoff", "banned"],
            "start": ["2012-01-01"] * 2,
            "end": ["2012-06-01", None],
        }
    )
    facts = pd.DataFrame({"entity": ["new"], "fact": ["capital"], "value": [5.0], "start": ["2015-01-01"]})
    return rg.EntityGraph.from_tables(entities, relations, cases, facts=facts)


def test_what_ran_out_and_why(aged):
    found = expired(aged, "2013-01-01")
    assert list(zip(found["table"], found["id"], found["reason"], strict=True)) == [
        ("entities", "ann", "unneeded"),
        ("entities", "cy", "unneeded"),
        ("entities", "old", "ended"),
        ("relations", "a", "ended"),
        ("relations", "c", "tied"),
        ("relations", "d", "ended"),
        ("cases", "c0", "ended"),
        ("cases", "c1", "tied"),
    ]
    assert found["entity"].tolist() == ["ann", "cy", "old", "ann", "cy", "bob", "new", "old"]
    assert expired(aged, "2012-12-31")["id"].tolist() == ["cy", "old", "c", "d", "c0", "c1"]
    assert expired(aged, "2000-01-01").empty


def test_the_graph_without_them(aged):
    kept = retain(aged, "2013-01-01")
    assert kept.ids.tolist() == ["bob", "new", "lone"]
    assert kept.known("relations")["id"].tolist() == ["b"]
    assert kept.known("cases").empty
    assert kept.valid_on == aged.valid_on
    assert expired(kept, "2013-01-01").empty
    assert retain(aged, "2000-01-01").equals(aged)


def test_the_day_stays_where_the_newest_row_goes(aged):
    rows = pd.DataFrame(
        {"source": ["ann"], "target": ["new"], "kind": ["owns"], "start": ["2011-01-01"], "end": ["2012-01-01"]}
    )
    graph = rg.EntityGraph.from_tables(pd.DataFrame({"id": ["ann", "new"], "kind": ["person", "company"]}), rows)
    assert retain(graph, "2014-01-01").valid_on == graph.valid_on == pd.Timestamp("2011-01-01")
    assert retain(aged.at("2012-02-01", known="2012-03-01"), "2011-06-01").known_by == pd.Timestamp("2012-03-01")


def test_what_reading_left_out_goes_too():
    relations = pd.DataFrame({"source": ["ann", "Secret Person"], "target": ["firm", "firm"], "kind": ["owns"] * 2})
    entities = pd.DataFrame({"id": ["ann", "firm"], "kind": ["person", "company"]})
    graph = rg.EntityGraph.from_tables(entities, relations, on_error="quarantine")
    kept = retain(graph, "2016-01-01")
    assert kept.rejected == {}
    assert "Secret" not in kept.quality.to_string()
    assert len(kept.quality) == len(graph.quality) == 1


def test_a_bad_date(aged):
    with pytest.raises(rg.InvalidParameter, match="'before' must be a date such as 2016-06-30; got 'then'"):
        expired(aged, "then")


def test_county(county):
    found = expired(county, "2015-01-01")
    kept = retain(county, "2015-01-01")
    assert len(found) > 10
    before = sum(map(len, county.tables().values()))
    assert before - len(found) == sum(map(len, kept.tables().values()))
