"""Faults: an output that is being replaced is the old one or the new one, whole, whatever stops the writer."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph import readers
from riskgraph.datasets import _county_files as county
from riskgraph.privacy import share_case
from riskgraph.report import write_table
from riskgraph.stores import write_neo4j_import

from ._faults import KEY, graph, whole

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
    assert found[kind]["unnoticed"] == 0
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


# -- files that change together ---------------------------------------------------------------------------------------

COUNTY = Path(__file__).parents[2] / "datasets" / "county"
FOLDERS = {
    "tables": lambda version, place: readers.write_tables(graph(20 + version), place),
    "parquet": lambda version, place: readers.write_tables(graph(20 + version), place, format="parquet"),
    "case": lambda version, place: share_case(graph(20), f"c{5 + 5 * version}", 2, key=KEY, path=place),
}


class Stopped(BaseException):
    """A stop that nobody foresees."""


@pytest.fixture
def stopped(monkeypatch):
    """Let a call of ``os`` go well a number of times and then fail."""

    def after(name, count, error=Stopped):
        calls, real = iter(range(count)), getattr(os, name)

        def call(*given):
            if next(calls, None) is None:
                raise error("stopped")
            return real(*given)

        monkeypatch.setattr(os, name, call)
        return monkeypatch

    return after


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("flushed", [0, 5])
def test_a_full_disk_leaves_the_earlier_files(tmp_path, stopped, kind, flushed):
    """The disk is full when the last bytes are flushed: no file has been renamed yet."""
    FOLDERS[kind](0, tmp_path)
    before = whole(tmp_path)
    stopped("fsync", flushed, OSError)
    with pytest.raises(OSError, match="stopped"):
        FOLDERS[kind](1, tmp_path)
    assert whole(tmp_path) == before
    assert sorted(before) == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["tables", "case"])
@pytest.mark.parametrize("renamed", [0, 1, 3, 6])
def test_files_of_two_writings_are_noticed(tmp_path, stopped, kind, renamed):
    """A stop between two renames: what is read says which files are not of this writing, until it is written again."""
    before, after = tmp_path / "before", tmp_path / "after"
    FOLDERS[kind](0, before)
    FOLDERS[kind](1, after)
    patch = stopped("replace", renamed)
    with contextlib.suppress(Stopped):
        FOLDERS[kind](1, before)
    patch.undo()
    quality = rg.read(before).quality
    wrong = [name for name, digest in whole(after).items() if whole(before)[name] != digest]
    assert all(path.suffix != ".part" for path in before.iterdir())
    if "tables.json" in wrong:  # the manifest comes first among the tables
        assert quality.empty
        assert {path.name for path in before.iterdir()} == set(whole(after))
    else:
        assert set(quality["row"]) >= {name for name in wrong if name != "tables.json"}
        assert quality.empty == (not wrong)
    FOLDERS[kind](1, before)
    assert whole(before) == whole(after)
    assert rg.read(before).quality.empty


@pytest.mark.parametrize("renamed", [1, 3, 6])
def test_a_first_writing_that_was_cut_short_is_noticed(tmp_path, stopped, renamed):
    patch = stopped("replace", renamed)
    with contextlib.suppress(Stopped):
        readers.write_tables(graph(5), tmp_path)
    patch.undo()
    assert (tmp_path / "tables.json").exists()
    if renamed == 1:
        with pytest.raises(rg.InvalidTable, match="holds neither entities nor relations"):
            readers.read_tables(tmp_path)
    else:
        assert rg.read(tmp_path).quality.empty == (renamed == 6)


@pytest.mark.parametrize("renamed", [1, 5])
def test_another_format_that_was_cut_short_is_noticed(tmp_path, stopped, renamed):
    """Where both files of a table are there, the one that the manifest names counts, and the other is reported."""
    readers.write_tables(graph(5), tmp_path)
    patch = stopped("replace", renamed)
    with pytest.raises(Stopped):
        readers.write_tables(graph(6), tmp_path, format="parquet")
    patch.undo()
    read = readers.read_tables(tmp_path)
    assert len(read.known("entities")) == (5 if renamed == 1 else 6)
    rows = set(read.quality["row"])
    assert {"entities.csv", "relations.csv", "cases.csv", "licences.csv", "facts.csv"} == rows
    assert readers.read_tables(readers.write_tables(graph(6), tmp_path, format="parquet")).equals(graph(6))


def test_a_county_that_was_cut_short_keeps_its_files_or_is_refused(tmp_path, stopped):
    tables = county.read_county(COUNTY)
    county.write_county(tables, tmp_path)
    before = whole(tmp_path)
    fewer = {**tables, "entities": tables["entities"].iloc[:-1]}
    patch = stopped("fsync", 4, OSError)
    with pytest.raises(OSError, match="stopped"):
        county.write_county(fewer, tmp_path)
    patch.undo()
    assert whole(tmp_path) == before
    patch = stopped("replace", 3)
    with pytest.raises(Stopped):
        county.write_county(fewer, tmp_path)
    patch.undo()
    with pytest.raises(rg.InvalidTable, match="of its manifest"):
        county.read_county(tmp_path)
    county.write_county(fewer, tmp_path)
    assert len(county.read_county(tmp_path)["entities"]) == len(fewer["entities"])


def test_files_for_an_import_that_were_cut_short_cannot_be_imported(tmp_path, stopped):
    write_neo4j_import(graph(5), tmp_path, show_progress=False)
    before = whole(tmp_path)
    patch = stopped("replace", 1)
    with pytest.raises(Stopped):
        write_neo4j_import(graph(6), tmp_path, show_progress=False)
    patch.undo()
    assert set(before) - set(whole(tmp_path)) == {"import.args"}
    write_neo4j_import(graph(5), tmp_path, show_progress=False)
    assert whole(tmp_path) == before


@pytest.mark.parametrize("ending", ["html", "json", "xlsx"])
def test_a_dossier_that_cannot_be_written_leaves_the_earlier_one(tmp_path, stopped, ending):
    file = rg.supervision.dossier(graph(3), "c0", rg.supervision.Catalogue.load())
    write = {"html": file.to_html, "json": file.to_json, "xlsx": file.to_excel}[ending]
    path = tmp_path / f"d.{ending}"
    path.write_text("the earlier one", "utf-8")
    stopped("fsync", 0, OSError)
    with pytest.raises(OSError, match="stopped"):
        write(path)
    assert path.read_text("utf-8") == "the earlier one"
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
