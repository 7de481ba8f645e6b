"""Tables for people: no formulas, written whole or not at all."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph._files import write_file
from riskgraph.report import neutralise, write_table

HOSTILE = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1+1", "－1", "＋1", "＠x", "甲公司", "a=b"]


def test_formulas_become_texts():
    frame = neutralise(pd.DataFrame({"name": HOSTILE, "share": -0.5, "=x": "y", "path": [("=a", "b")] * 13}))
    assert [text[0] == "'" for text in frame["name"]] == [True] * 11 + [False] * 2
    assert frame["share"].tolist() == [-0.5] * 13
    assert list(frame.columns) == ["name", "share", "'=x", "path"]
    assert frame["path"][0] == "'=a;b"


@pytest.mark.parametrize("kind", [".csv", ".xlsx", ".parquet", ".html"])
def test_tables_come_back(tmp_path, kind):
    frame = pd.DataFrame({"name": ["甲公司", "=1+1", "<b>"], "risk": [0.25, 0.5, 1.0]})
    path = write_table(frame, tmp_path / "new" / f"t{kind}")
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    if kind == ".csv":
        again = pd.read_csv(path, encoding="utf-8-sig")
    elif kind == ".xlsx":
        again = pd.read_excel(path)
    elif kind == ".parquet":
        assert pd.read_parquet(path)["name"].tolist() == frame["name"].tolist()
        return
    else:
        text = path.read_text("utf-8")
        assert "&lt;b&gt;" in text
        assert "<b>" not in text
        return
    assert again["name"].tolist() == ["甲公司", "'=1+1", "<b>"]
    assert again["risk"].tolist() == [0.25, 0.5, 1.0]


@pytest.mark.parametrize("kind", [".csv", ".xlsx", ".html", ".parquet"])
def test_what_no_file_can_hold_is_marked(tmp_path, kind):
    texts = ["half \ud800", "bell \x07", "line\nbreak"]
    path = write_table(pd.DataFrame({"name": pd.Series(texts, dtype=object)}), tmp_path / f"t{kind}")
    if kind == ".xlsx":
        assert pd.read_excel(path)["name"].tolist() == ["half \ufffd", "bell \ufffd", "line\nbreak"]
    elif kind == ".parquet":
        assert pd.read_parquet(path)["name"].tolist() == ["half \ufffd", "bell \x07", "line\nbreak"]
    else:
        assert "half \ufffd" in path.read_text("utf-8")


def test_what_a_sheet_would_cut_off_is_refused(tmp_path, monkeypatch):
    write_table(pd.DataFrame({"name": ["x" * 32_767]}), tmp_path / "t.xlsx")
    with pytest.raises(rg.InvalidTable, match=r"t\.xlsx cannot hold row 1, column name: more than 32,767 characters"):
        write_table(pd.DataFrame({"name": ["x", "x" * 32_768]}), tmp_path / "t.xlsx")
    monkeypatch.setattr("riskgraph.report.tables._MOST_ROWS", 2)
    write_table(pd.DataFrame({"n": [1, 2]}), tmp_path / "t.xlsx")
    with pytest.raises(rg.InvalidTable, match="cannot hold 3 rows, a sheet has 2; write CSV or Parquet"):
        write_table(pd.DataFrame({"n": [1, 2, 3]}), tmp_path / "t.xlsx")


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(
        rg.InvalidParameter, match=r"'path' must end in \.csv, \.xlsx, \.parquet or \.html; got 't\.doc'"
    ):
        write_table(pd.DataFrame(), tmp_path / "t.doc")


def test_a_fault_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("old")

    def fail(name):
        with open(name, "w") as file:
            file.write("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_file(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
