"""Every check of the tables, with the exact message; and nothing lost under quarantine."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph._cells import as_numbers, broken_texts
from riskgraph.tables import clean_tables

ENTITIES = pd.DataFrame({"id": ["ann", "A", "B"], "kind": ["person", "company", "company"]})


def relations(**columns):
    """Relations ann owns A, with the columns given."""
    rows = max((len(value) for value in columns.values()), default=1)
    return pd.DataFrame({"source": ["ann"] * rows, "target": ["A"] * rows, "kind": ["owns"] * rows, **columns})


def owned(**columns):
    rows = max(len(value) for value in columns.values())
    return pd.DataFrame({"entity": ["A"] * rows, **columns})


BAD = {
    "unknown entity kind": (
        {"entities": pd.DataFrame({"id": ["x"], "kind": ["firm"]})},
        "entities row 0, column kind: 'firm' is not a valid kind; use one of company, person, product, account, "
        "website, advertisement, trust, state, address, unknown",
    ),
    "missing entity id": (
        {"entities": pd.DataFrame({"id": ["x", np.nan], "kind": ["company"] * 2})},
        "entities row 1, column id: a missing value is no id; give a text",
    ),
    "duplicate entity id": (
        {"entities": pd.DataFrame({"id": ["x", "x"], "kind": ["company"] * 2}, index=[7, 9])},
        "entities row 9, column id: 'x' is used twice, first in row 7; ids are unique",
    ),
    "negative capital": (
        {"entities": pd.DataFrame({"id": ["x"], "kind": ["company"], "capital": [-1.0]})},
        "entities row 0, column capital: -1.0 is outside [0, ∞); give CNY, 6000000 for 600万元",
    ),
    "unknown relation kind": (
        {"relations": pd.DataFrame({"source": ["ann"], "target": ["A"], "kind": ["holds"]})},
        "relations row 0, column kind: 'holds' is not a valid kind; use one of owns, officer, controls",
    ),
    "dangling source": (
        {"relations": pd.DataFrame({"source": ["bob"], "target": ["A"], "kind": ["owns"]})},
        "relations row 0, column source: 'bob' is not an id of entities; add the entity or correct the id",
    ),
    "dangling target": (
        {"relations": pd.DataFrame({"source": ["ann"], "target": ["Z"], "kind": ["owns"]})},
        "relations row 0, column target: 'Z' is not an id of entities; add the entity or correct the id",
    ),
    "missing target": (
        {"relations": pd.DataFrame({"source": ["ann"], "target": [None], "kind": ["owns"]})},
        "relations row 0, column target: a missing value is no id; give a text",
    ),
    "duplicate relation id": (
        {"relations": relations(id=["one", "one"])},
        "relations row 1, column id: 'one' is used twice, first in row 0; ids are unique",
    ),
    "self-loop": (
        {"relations": pd.DataFrame({"source": ["A"], "target": ["A"], "kind": ["lends"]})},
        "relations row 0, column target: 'A' is also the source; only owns may point to itself",
    ),
    "share above 1": (
        {"relations": relations(share=[35.0])},
        "relations row 0, column share: 35.0 is outside [0, 1]; give a fraction, 0.35 for 35 %",
    ),
    "share below 0": (
        {"relations": relations(share_min=[-0.1])},
        "relations row 0, column share_min: -0.1 is outside [0, 1]; give a fraction, 0.35 for 35 %",
    ),
    "share as text": (
        {"relations": relations(share=["35%"])},
        "relations row 0, column share: '35%' is not a number; give a fraction, 0.35 for 35 %",
    ),
    "share interval crossed": (
        {"relations": relations(share_min=[0.5], share_max=[0.25])},
        "relations row 0, column share_min: 0.5 is above share_max 0.25; an interval runs from low to high",
    ),
    "votes interval crossed": (
        {"relations": relations(votes_min=[0.5], votes_max=[0.25])},
        "relations row 0, column votes_min: 0.5 is above votes_max 0.25; an interval runs from low to high",
    ),
    "share contradicts its interval": (
        {"relations": relations(share=[0.5], share_min=[0.6])},
        "relations row 0, column share: 0.5 contradicts share_min 0.6; give share alone or an interval alone",
    ),
    "confidence above 1": (
        {"relations": relations(confidence=[2])},
        "relations row 0, column confidence: 2 is outside [0, 1]; give a probability",
    ),
    "negative amount": (
        {"relations": relations(amount=[-5.0])},
        "relations row 0, column amount: -5.0 is outside [0, ∞); give CNY, 6000000 for 600万元",
    ),
    "bad date": (
        {"relations": relations(start=["2016-13-01"])},
        "relations row 0, column start: '2016-13-01' is not a date; write it as 2016-06-30",
    ),
    "start after end": (
        {"relations": relations(start=["2016-07-01"], end=["2016-06-30"])},
        "relations row 0, column start: start '2016-07-01' is not before end 2016-06-30; "
        "a relation holds from start up to, not including, end",
    ),
    "start equals end": (
        {"relations": relations(start=["2016-07-01"], end=["2016-07-01"])},
        "relations row 0, column start: start '2016-07-01' is not before end 2016-07-01; "
        "a relation holds from start up to, not including, end",
    ),
    "unknown case type": (
        {"cases": owned(type=["fined"])},
        "cases row 0, column type: 'fined' is not a valid type; use one of banned, revoked, illegal_fundraising",
    ),
    "case of nobody": (
        {"cases": pd.DataFrame({"entity": ["Z"], "type": ["banned"]})},
        "cases row 0, column entity: 'Z' is not an id of entities; add the entity or correct the id",
    ),
    "severity above 1": (
        {"cases": owned(type=["banned"], severity=[3])},
        "cases row 0, column severity: 3 is outside [0, 1]; give a weight, 1 for the gravest",
    ),
    "unknown licence sector": (
        {"licences": owned(sector=["casino"])},
        "licences row 0, column sector: 'casino' is not a valid sector; use one of p2p, asset_management",
    ),
    "fact of the wrong type": (
        {"facts": owned(fact=["capital_pool"], value=["perhaps"])},
        "facts row 0, column value: 'perhaps' is not true, false or unknown",
    ),
    "number fact without a number": (
        {"facts": owned(fact=["overdue_rate"], value=["high"])},
        "facts row 0, column value: 'high' is not a number; give one, or unknown",
    ),
    "level fact off the scale": (
        {"facts": owned(fact=["risk_level"], value=["severe"])},
        "facts row 0, column value: 'severe' is not a level; use low, medium, high or unknown",
    ),
}


def tables(changes):
    return {"entities": ENTITIES, "relations": relations(), **changes}


@pytest.mark.parametrize("case", BAD)
def test_bad_row_is_named(case):
    changes, message = BAD[case]
    given = tables(changes)
    if "entities" in changes:
        given["relations"] = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)
    with pytest.raises(rg.InvalidTable) as error:
        rg.EntityGraph.from_tables(**given)
    assert message in str(error.value)
    assert isinstance(error.value, ValueError)

    graph = rg.EntityGraph.from_tables(**given, on_error="quarantine")
    (table,) = changes
    assert len(graph.rejected[table]) == 1
    row = graph.quality[graph.quality["action"] == "rejected"].iloc[0]
    assert f"{row['table']} row {row['row']}, column {row['column']}: {row['problem']}".startswith(message[:60])
    kept = len(graph.entities) if table == "entities" else len(graph.known(table))
    assert kept + 1 == len(changes[table])


def test_every_bad_row_is_listed_and_twenty_are_spelled_out():
    given = relations(share=np.linspace(2, 3, 25))
    with pytest.raises(rg.InvalidTable, match="25 rows break the rules of their tables") as error:
        rg.EntityGraph.from_tables(ENTITIES, given)
    assert len(error.value.problems) == 25
    assert str(error.value).count("\n") == 21
    assert "… and 5 more" in str(error.value)


def test_missing_column():
    with pytest.raises(
        rg.InvalidTable,
        match=r"relations lacks the column 'target'; it needs source, target, kind, and came with source, kind",
    ):
        rg.EntityGraph.from_tables(ENTITIES, relations().drop(columns="target"))
    with pytest.raises(rg.InvalidTable, match="'entities' must be a pandas DataFrame; got list"):
        rg.EntityGraph.from_tables([1], relations())
    with pytest.raises(rg.InvalidTable, match="relations has the column 'share' twice"):
        rg.EntityGraph.from_tables(ENTITIES, pd.concat([relations(share=[0.1])] * 2, axis=1).iloc[:, [0, 1, 2, 3, 7]])


def test_on_error_is_checked():
    with pytest.raises(rg.InvalidParameter, match="'on_error' must be 'raise' or 'quarantine'; got 'ignore'"):
        rg.EntityGraph.from_tables(ENTITIES, relations(), on_error="ignore")


def test_sums_above_one_are_kept_and_reported_on_the_day():
    given = pd.DataFrame(
        {
            "source": ["ann", "B", "B", "ann"],
            "target": ["A", "A", "A", "B"],
            "kind": "owns",
            "share": [0.6, 0.4, 0.53, 1.0],
            "start": ["2015-01-01", "2015-01-01", "2016-03-01", None],
            "end": [None, "2016-03-01", None, None],
        }
    )
    graph = rg.EntityGraph.from_tables(ENTITIES, given)  # kept also under on_error="raise"
    assert graph.relations["share_min"].tolist() == [0.6, 0.53, 1.0]
    (row,) = graph.quality.itertuples(index=False)
    assert (row.table, row.row, row.column, row.action) == ("relations", 0, "share", "kept")
    assert row.problem == "the shares of 'A' sum to 1.13 on 2016-03-01, above 1; kept as declared"


def test_a_transfer_day_is_not_counted_twice():
    given = relations(share=[1.0, 1.0], start=["2015-01-01", "2016-03-01"], end=["2016-03-01", None])
    assert rg.EntityGraph.from_tables(ENTITIES, given).quality.empty


def test_thirds_do_not_sum_above_one():
    given = pd.DataFrame({"source": ["ann", "B", "A"], "target": "A", "kind": "owns", "share": [0.1, 0.2, 0.7]})
    assert rg.EntityGraph.from_tables(ENTITIES, given).quality.empty


def test_numbers_become_text_ids_and_that_is_reported():
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": [1.0, 2.0], "kind": "company"}),
        pd.DataFrame({"source": [1], "target": [2], "kind": "owns"}),
    )
    assert list(graph.ids) == ["1", "2"]
    assert set(graph.quality["action"]) == {"repaired"}
    assert graph.quality["problem"][0] == "2 numbers were read as text, the first as '1'"


def test_facts_are_three_valued():
    facts = owned(
        fact=["capital_pool", "self_financing", "makes_loans", "loan_balance", "volume", "approval:name", "colour"],
        value=["TRUE", False, None, "1200.5", "unknown", "renamed", "blue"],
    )
    graph = rg.EntityGraph.from_tables(ENTITIES, relations(), facts=facts)
    assert graph.facts["value"].tolist() == [True, False, "unknown", 1200.5, "unknown", "renamed", "blue"]
    assert graph.quality["problem"].tolist() == [
        "no value came; read as unknown",
        "'colour' is not a known fact; kept in 1 row",
    ]


def test_unknown_share_stays_unknown():
    graph = rg.EntityGraph.from_tables(ENTITIES, relations(share=[None]))
    assert np.isnan(graph.relations["share_min"]).all()
    assert np.isnan(graph.columns.share_max).all()


@pytest.mark.parametrize("seed", range(5))
def test_quarantine_accounts_for_every_row(seed):
    rng = np.random.default_rng(seed)
    n = 400
    entities = pd.DataFrame(
        {"id": [f"E{i}" for i in range(n)], "kind": "company", "capital": rng.integers(1, 9, n) * 1e6}
    )
    relations_ = pd.DataFrame(
        {
            "source": rng.choice(entities["id"], 3 * n),
            "target": rng.choice(entities["id"], 3 * n),
            "kind": "owns",
            "share": rng.random(3 * n) / 8,
            "start": "2015-01-01",
        }
    ).astype(object)
    good = relations_.copy()
    hurt = rng.random(len(relations_)) < 0.01
    damage = [
        ("source", None),
        ("kind", "??"),
        ("share", 7),
        ("share", "x"),
        ("start", "2015-02-30"),
        ("target", "E-1"),
    ]
    for row in np.flatnonzero(hurt):
        column, value = damage[rng.integers(len(damage))]
        relations_.loc[row, column] = value
    graph = rg.EntityGraph.from_tables(entities, relations_, on_error="quarantine")
    assert len(graph.relations) + len(graph.rejected.get("relations", [])) == len(relations_)
    assert sorted(graph.rejected["relations"].index) == list(np.flatnonzero(hurt))
    assert graph.relations["source"].tolist() == good.loc[~hurt, "source"].tolist()
    bad = graph.quality[graph.quality["action"] == "rejected"]
    assert sorted(bad["row"]) == list(np.flatnonzero(hurt))


def test_extra_columns_are_kept():
    graph = rg.EntityGraph.from_tables(ENTITIES.assign(colour=["r", "g", "b"]), relations(note=["seen"], share=[0.5]))
    assert graph.entities["colour"].tolist() == ["r", "g", "b"]
    assert graph.relations["note"].tolist() == ["seen"]


def test_input_frames_are_left_alone():
    given = relations(share=[0.5], start=["2016-01-01"])
    before = given.copy(deep=True)
    clean_tables(ENTITIES, given)
    pd.testing.assert_frame_equal(given, before)


def test_half_of_a_character_pair_is_marked_and_said():
    """No file, database or page can hold it, so that it would fail far from here."""
    entities = pd.DataFrame({"id": ["A", "B"], "kind": "company"})
    entities["name"] = pd.Series(["甲", "x\ud800"], dtype=object)
    entities["note"] = pd.Series([1, "\udc00y"], dtype=object)
    relations = pd.DataFrame({"source": ["A"], "target": pd.Series(["\ud800"], dtype=object), "kind": ["owns"]})
    graph = rg.EntityGraph.from_tables(entities, relations, on_error="quarantine")
    assert graph.entities[["name", "note"]].to_numpy().tolist() == [["甲", 1], ["x\ufffd", "\ufffdy"]]
    told = graph.quality[["table", "row", "column", "action"]].to_numpy().tolist()
    assert told[:3] == [
        ["entities", 1, "name", "repaired"], ["entities", 1, "note", "repaired"], ["relations", 0, "target", "repaired"]
    ]  # fmt: skip
    assert graph.rejected["relations"]["target"].tolist() == ["\ufffd"]
    many = pd.Series(["😀"] * 70_000 + ["\ud83d"], dtype=object)
    assert np.flatnonzero(broken_texts(many.to_numpy())).tolist() == [70_000]


@pytest.mark.parametrize(
    "text", ["0.06", "0.12", "5e-324", "1e23", "0.1000000000000000055", " 7.5 ", "+3", ".5", "1E5"]
)
def test_numbers_in_texts_are_the_nearest_ones(text):
    numbers, bad = as_numbers(pd.Series([text, "much", None], dtype=object))
    assert numbers[0] == float(text)
    assert bad.tolist() == [False, True, False]
