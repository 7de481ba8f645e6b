"""Tests that mutants of ``tables.py`` asked for: each fails on a change that the other tests let pass."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg

ENTITIES = pd.DataFrame({"id": ["a", "b"], "kind": "company"})
NONE = pd.DataFrame({"source": [], "target": [], "kind": []})


@pytest.mark.parametrize("bound", ["share_min", "share_max"])
def test_a_bound_that_equals_the_share_agrees_with_it(bound):
    relations = pd.DataFrame({"source": ["a"], "target": ["b"], "kind": ["owns"], "share": [0.5], bound: [0.5]})
    assert rg.EntityGraph.from_tables(ENTITIES, relations).relations["share_min"].tolist() == [0.5]


def test_a_fact_without_a_name_is_refused():
    facts = pd.DataFrame({"entity": ["a"], "fact": [None], "value": [1.0]})
    with pytest.raises(rg.InvalidTable, match="column fact"):
        rg.EntityGraph.from_tables(ENTITIES, NONE, facts=facts)


@pytest.mark.parametrize(("text", "truth"), [("0", False), ("1", True), (0, False), (1, True), ("false", False)])
def test_a_fact_of_yes_or_no_in_digits(text, truth):
    facts = pd.DataFrame({"entity": ["a"], "fact": ["capital_pool"], "value": [text]})
    assert rg.EntityGraph.from_tables(ENTITIES, NONE, facts=facts).facts["value"].tolist() == [truth]


def graph_of(relations, entities=ENTITIES, **tables):
    return rg.EntityGraph.from_tables(entities, relations, on_error="quarantine", **tables)


def problems(graph):
    return graph.quality[["table", "row", "column", "action"]].to_numpy().tolist()


@pytest.mark.parametrize("column", ["name", "status", "registered_in", "operates_in", "uscc", "lei", "source_ref"])
def test_an_empty_text_of_an_entity_is_no_error(column):
    graph = graph_of(NONE, ENTITIES.assign(**{column: ["x", None]}))
    assert problems(graph) == []
    assert graph.entities[column].tolist() == ["x", None]


@pytest.mark.parametrize("column", ["role", "source_ref"])
def test_an_empty_text_of_a_relation_is_no_error(column):
    relations = pd.DataFrame({"source": ["a", "a"], "target": ["b", "b"], "kind": "officer", column: ["x", None]})
    assert problems(graph_of(relations)) == []


@pytest.mark.parametrize("column", ["authority", "topic", "source_ref"])
def test_an_empty_text_of_a_case_is_no_error(column):
    cases = pd.DataFrame({"entity": ["a", "b"], "type": "banned", "severity": 1.0, column: ["x", None]})
    assert problems(graph_of(NONE, cases=cases)) == []


def test_only_an_odd_sector_of_a_good_row_is_noted():
    entities = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e"],
            "kind": ["company"] * 4 + ["castle"],
            "sector": ["p2p", "odd", None, "", "odd"],
        }
    )
    graph = graph_of(NONE, entities)
    assert problems(graph) == [["entities", 4, "kind", "rejected"], ["entities", 1, "sector", "kept"]]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("relations", "source"), ("relations", "target"), ("relations", "id"), ("cases", "entity"), ("cases", "id"),
        ("facts", "entity"),
    ],
)  # fmt: skip
def test_a_missing_id_is_called_missing(table, column):
    rows = {
        "relations": {"source": ["a"], "target": ["b"], "kind": ["owns"]},
        "cases": {"entity": ["a"], "type": ["banned"], "severity": [1.0]},
        "facts": {"entity": ["a"], "fact": ["volume"], "value": [1.0]},
    }
    frames = {"relations": NONE, table: pd.DataFrame(rows[table]).assign(**{column: pd.Series([None], dtype=object)})}
    graph = graph_of(frames.pop("relations"), **frames)
    assert graph.quality["problem"].tolist() == ["a missing value is no id; give a text"]


@pytest.mark.parametrize(
    ("column", "words"),
    [("share_min", "contradicts share_min 0.7"), ("votes_min", "is above votes_max 0.2")],
)
def test_a_contradiction_quotes_the_number_of_its_own_row(column, words):
    """Rows before it are sound, or have a number of their own that is wrong for another reason."""
    relations = pd.DataFrame({"source": ["a", "z", "a"], "target": "b", "kind": "owns", "share": 0.5})
    relations[column] = [0.1, 0.9, 0.7]
    if column == "votes_min":
        relations["votes_max"] = [0.4, 0.3, 0.2]
    else:
        relations.loc[0, "share"] = 0.2
    found = graph_of(relations).quality.set_index("row")["problem"]
    assert words in found[2]
    assert 0 not in found.index or words not in found[0]


def test_shares_that_sum_above_one_are_those_of_owners_in_good_rows():
    relations = pd.DataFrame(
        {
            "source": ["a", "a", "b", "z", "b"],
            "target": ["c", "c", "c", "c", "d"],
            "kind": ["invests", "owns", "owns", "owns", "owns"],
            "share": [0.9, 0.4, 0.5, 0.9, 0.9],
        }
    )
    entities = pd.DataFrame({"id": ["a", "b", "c", "d"], "kind": "company"})
    assert problems(graph_of(relations, entities)) == [["relations", 3, "source", "rejected"]]


def test_shares_that_sum_above_one_are_reported_once_at_the_first_of_them():
    relations = pd.DataFrame(
        {
            "source": ["b", "a", "b", "a", "b"],
            "target": ["a", "b", "b", "c", "c"],
            "kind": "owns",
            "share": [None, 0.7, 0.6, 0.5, 0.5],
        }
    )
    relations = pd.concat([pd.DataFrame({"source": ["c"], "target": ["b"], "kind": ["owns"]}), relations])
    relations.index = list("uvwxyz")
    graph = graph_of(relations, pd.DataFrame({"id": ["a", "b", "c"], "kind": "company"}))
    (found,) = graph.quality.itertuples(index=False)
    assert (found.row, found.column) == ("w", "share")
    assert found.problem == "the shares of 'b' sum to 1.3, above 1; kept as declared"


def test_rows_left_out_by_a_reader_and_by_the_checks_are_both_kept(tmp_path):
    (tmp_path / "entities.csv").write_text("id,kind,start\nA,company,never\nB,castle,\nC,company,\n", "utf-8")
    (tmp_path / "relations.csv").write_text("source,target,kind\nZ,C,owns\n", "utf-8")
    rejected = rg.read(tmp_path).rejected
    assert rejected["entities"]["id"].tolist() == ["A", "B"]
    assert rejected["relations"]["source"].tolist() == ["Z"]
