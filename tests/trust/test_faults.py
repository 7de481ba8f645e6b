"""Faults: an output that is being replaced is the old one or the new one, whole, whatever stops the writer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from riskgraph import readers
from riskgraph.report import write_table

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Each kind of output killed, interrupted and out of space, two times each."""
    run = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            Path(__file__).with_name("_faults.py"),
            tmp_path_factory.mktemp("faults"),
            "6",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return {line["kind"]: line for line in map(json.loads, run.stdout.splitlines())}


@pytest.mark.parametrize("kind", ["table.csv", "page.html", "answer.json", "tables", "case"])
def test_no_file_is_torn(found, kind):
    """Nothing half written under its name; on a full disk nothing is left beside it; it can be written again."""
    assert found[kind]["rounds"] == 6
    assert found[kind]["torn"] == []
    assert found[kind]["repeated"]


def test_what_a_kill_leaves_beside_the_tables_is_not_read(tmp_path):
    (tmp_path / "entities.csv").write_text("id,kind\nA,company\n", "utf-8")
    (tmp_path / "relations.csv").write_text("source,target,kind\n", "utf-8")
    for name in (".entities.csv.4711.part", ".entities.csv.x1.csv"):
        (tmp_path / name).write_text("id,kind\nB,com", "utf-8")
    graph = readers.read(tmp_path)
    assert graph.ids.tolist() == ["A"]
    assert graph.quality.empty


def test_a_missing_right_to_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.csv")
    before = path.read_bytes()

    def refuse(*_):
        raise PermissionError("no right to rename")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError, match="no right"):
        write_table(pd.DataFrame({"a": [2]}), path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["t.csv"]
