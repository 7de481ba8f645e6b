"""Written tables read back as the same graph."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.readers import read_tables, write_tables
from riskgraph.schema import TABLES

ENTITIES = pd.DataFrame(
    {
        "id": ["A", "B", "C", "=D"],
        "kind": ["company", "person", "product", "company"],
        "name": ["甲（澄湖）有限公司", 'say "hi", ok\nline two\r\nline three ', None, " kept spaces "],
        "score": [0.1, np.nan, 1 / 3, 2.0],
        "rank": [1, 2, 3, 4],
        "flag": [True, False, True, True],
        "seen": pd.to_datetime(["2016-01-01", None, "2017-05-06 10:11:12", "2016-01-02"], format="ISO8601"),
        "code": pd.Series(["001", "002", None, "-"], dtype=object),
        "mixed": pd.Series([1, "1", None, True], dtype=object),
        "start": ["2010-01-01", None, None, "2011-02-03"],
    }
)
RELATIONS = pd.DataFrame(
    {
        "source": ["A", "B", "A"],
        "target": ["B", "A", "=D"],
        "kind": ["lends", "owns", "owns"],
        "share_min": [np.nan, 0.25, 1 / 3],
        "share_max": [np.nan, 0.5, 1 / 3],
        "amount": [1e7 / 3, np.nan, np.nan],
        "role": [None, None, "x"],
        "start": [None, "2016-01-01", "2014-01-01"],
        "end": [None, None, "2015-01-01"],
        "known_from": [None, "2016-02-01", None],
        "note": ["无", "null", "a,b"],
    }
)
CASES = pd.DataFrame({"entity": ["A"], "type": ["abnormal"], "severity": [0.3], "start": ["2016-01-02"]})
FACTS = pd.DataFrame(
    {
        "entity": ["A"] * 9,
        "fact": ["fraud_suspected", "volume", "ad_text", "odd", "odd", "odd number", "odd text", "name", "rectified"],
        "value": pd.Series(
            [True, 3.5, "高收益\n稳赚, 12%", True, "x", 2.0, "2016", "unknown", "unknown"], dtype=object
        ),
    }
)


@pytest.fixture(scope="module")
def graph():
    return rg.EntityGraph.from_tables(ENTITIES, RELATIONS, CASES, None, FACTS)


def same(before, after):
    assert (before.valid_on, before.known_by) == (after.valid_on, after.known_by)
    for table in TABLES:
        pd.testing.assert_frame_equal(before.known(table).reset_index(drop=True), after.known(table))


@pytest.mark.parametrize("format", ["csv", "parquet"])
@pytest.mark.parametrize("day", [None, ("2016-06-30", None), ("2016-06-30", "2016-01-20"), ("2015-06-30", None)])
def test_round_trip(graph, tmp_path, format, day):
    before = graph if day is None else graph.at(day[0], known=day[1])
    same(before, read_tables(write_tables(before, tmp_path / "out", format=format), on_error="raise"))


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_round_trip_of_empty_tables(tmp_path, format):
    before = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": [], "kind": []}), pd.DataFrame({"source": [], "target": [], "kind": []})
    )
    same(before, read_tables(write_tables(before, tmp_path, format=format)))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(TEXT, min_size=3, max_size=3),
    share=st.floats(0, 1),
    format=st.sampled_from(["csv", "csv", "parquet"]),
)
def test_round_trip_of_any_text_and_share(tmp_path, texts, share, format):
    before = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["a", "b", "c"], "kind": "company", "name": texts, "note": texts}),
        pd.DataFrame({"source": ["a"], "target": ["b"], "kind": ["owns"], "share": [share], "role": texts[:1]}),
    )
    same(before, read_tables(write_tables(before, tmp_path / "out", format=format), on_error="raise"))


def test_a_long_run_of_empty_cells_before_a_text(tmp_path):
    count = 3000
    before = rg.EntityGraph.from_tables(
        pd.DataFrame(
            {"id": [f"e{row}" for row in range(count)], "kind": "company", "name": [None] * (count - 1) + ["late"]}
        ),
        pd.DataFrame({"source": [], "target": [], "kind": []}),
    )
    same(before, read_tables(write_tables(before, tmp_path, format="parquet")))


def test_values_are_written_as_they_are(graph, tmp_path):
    write_tables(graph, tmp_path)
    text = (tmp_path / "relations.csv").read_text(encoding="utf-8")
    assert f",{1 / 3!r},{1 / 3!r}," in text
    assert "\n=D,company" in (tmp_path / "entities.csv").read_text(encoding="utf-8")


def test_another_format_replaces_the_earlier_one(graph, tmp_path):
    write_tables(graph, tmp_path)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    write_tables(graph, tmp_path, format="parquet")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted([*(f"{table}.parquet" for table in TABLES), "notes.txt", "tables.json"])
    same(graph, read_tables(tmp_path))


def test_a_failed_write_leaves_the_earlier_tables(graph, tmp_path):
    write_tables(graph, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    bad = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["Z"], "kind": ["company"]}),
        pd.DataFrame({"source": ["Z"], "target": ["Z"], "kind": ["owns"], "note": ["\x00"]}),
    )
    with pytest.raises(rg.InvalidTable, match=r"relations.csv cannot hold"):
        write_tables(bad, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("text", ["a\x00b", "x" * 131_073])
def test_what_csv_cannot_hold_is_said_and_parquet_can(tmp_path, text):
    wide = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["Z"], "kind": ["company"], "name": [text]}),
        pd.DataFrame({"source": [], "target": [], "kind": []}),
    )
    with pytest.raises(rg.InvalidTable, match=r"entities.csv cannot hold row 0, column name"):
        write_tables(wide, tmp_path / "c")
    if "\x00" not in text:
        same(wide, read_tables(write_tables(wide, tmp_path / "p", format="parquet")))


def test_half_of_a_character_pair_inside_a_cell_of_several_is_said(tmp_path):
    odd = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["Z"], "kind": ["company"], "also": pd.Series([["\ud800"]], dtype=object)}),
        pd.DataFrame({"source": [], "target": [], "kind": []}),
    )
    with pytest.raises(rg.InvalidTable, match=r"entities.csv cannot hold .*: it is no Unicode text"):
        write_tables(odd, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_row_taken_out_by_hand_is_noticed(graph, tmp_path):
    write_tables(graph, tmp_path)
    path = tmp_path / "cases.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    quality = read_tables(tmp_path).quality
    assert "cases was written with 1 rows and now has 0" in quality["problem"].tolist()


def test_a_cell_changed_by_hand_is_noticed_and_read(graph, tmp_path):
    write_tables(graph, tmp_path)
    path = tmp_path / "cases.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.3", "0.4"), encoding="utf-8")
    read = read_tables(tmp_path)
    assert read.cases["severity"].tolist() == [0.4]
    (noticed,) = read.quality[read.quality["table"] == "files"].itertuples(index=False)
    assert (noticed.row, noticed.action) == ("cases.csv", "kept")
    assert noticed.problem.startswith("cases.csv is not the file of this writing")


def test_a_manifest_without_hashes_is_read(graph, tmp_path):
    write_tables(graph, tmp_path)
    about = json.loads((tmp_path / "tables.json").read_text(encoding="utf-8"))
    for table in about["tables"].values():
        del table["sha256"]
    (tmp_path / "tables.json").write_text(json.dumps(about), encoding="utf-8")
    same(graph, read_tables(tmp_path, on_error="raise"))


def test_a_damaged_manifest_is_an_error(graph, tmp_path):
    write_tables(graph, tmp_path)
    about = json.loads((tmp_path / "tables.json").read_text(encoding="utf-8"))
    (tmp_path / "tables.json").write_text(json.dumps({**about, "tables": 3}), encoding="utf-8")
    with pytest.raises(rg.InvalidTable, match=r"tables.json is damaged"):
        read_tables(tmp_path)


def test_unknown_format(graph, tmp_path):
    with pytest.raises(rg.InvalidParameter, match="'format' must be 'csv' or 'parquet'; got 'xml'"):
        write_tables(graph, tmp_path, format="xml")
