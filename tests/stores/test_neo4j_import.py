"""The files for ``neo4j-admin database import``, read by that program itself and then by the store."""

from __future__ import annotations

import csv

import pytest

from riskgraph.stores import write_neo4j_import
from riskgraph.stores._rows import digest, pack_graph

# one worker runs them all: they share a server
pytestmark = pytest.mark.xdist_group("neo4j")


def test_columns_types_and_keys(tmp_path, small):
    files = write_neo4j_import(small, tmp_path, show_progress=False)
    owns = [f"relations_{kind}.csv" for kind in ("owns", "officer", "cooperates")]
    records = ["cases.csv", "cases_of.csv", "facts.csv", "facts_of.csv"]
    assert [file.name for file in files] == ["entities.csv", *owns, *records, "store.csv", "import.args"]
    read = {}
    for file in files[:-1]:
        with file.open(encoding="utf-8", newline="") as lines:
            read[file.name] = list(csv.DictReader(lines))
    entities = read["entities.csv"]
    assert {"id:string", "capital:double", "listed:boolean", "rank:long", "_key:ID"} <= set(entities[0])
    assert [row["id:string"] for row in entities] == list(small.ids)
    keys = {row["_key:ID"]: row["id:string"] for row in entities}
    assert len(keys) == len(small)
    for name in owns:
        for row in read[name]:
            assert keys[row[":START_ID"]] == row["source:string"]
            assert keys[row[":END_ID"]] == row["target:string"]
    assert read["relations_owns.csv"][2]["start:string"] == "2016-02-29"
    assert [row["share_min:double"] for row in read["relations_owns.csv"]] == ["0.25", "0.1", ""]


def test_neo4j_admin_imports_and_the_store_reads(own_neo4j, same):
    """The county with hostile names in it, as a store read it from a server that had only been imported into."""
    said, tables = own_neo4j.said, own_neo4j.graph.tables()
    assert said.returncode == 0, said.stdout[-1500:] + said.stderr[-1500:]
    records = sum(len(tables[table]) for table in ("cases", "licences", "facts"))
    assert f"{len(tables['entities']) + records + 1} nodes" in said.stdout
    assert f"{len(tables['relations']) + records} relationships" in said.stdout
    same(own_neo4j.read, own_neo4j.graph)


def test_an_imported_graph_has_the_name_that_a_write_would_give_it(tmp_path, small):
    """So that a write of the same graph finds it there and sends nothing."""
    *_, state, _ = write_neo4j_import(small, tmp_path, show_progress=False)
    with state.open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)
    frames, columns, latest = pack_graph(small)
    assert row == {"name:ID": "graph", "generation": digest(frames, columns), "columns": columns, "latest": latest}
