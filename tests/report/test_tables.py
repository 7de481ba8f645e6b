"""Tables for people: no formulas, written whole or not at all."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph._files import write_file
from riskgraph.report import neutralise, write_table

HOSTILE = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "甲公司", "a=b"]


def test_formulas_become_texts():
    frame = neutralise(pd.DataFrame({"name": HOSTILE, "share": -0.5, "=x": "y", "path": [("=a", "b")] * 8}))
    assert [text[0] == "'" for text in frame["name"]] == [True] * 6 + [False] * 2
    assert frame["share"].tolist() == [-0.5] * 8
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
