"""The files for ``neo4j-admin database import``, read by that program itself and then by the store."""

from __future__ import annotations

import csv

import riskgraph as rg
from riskgraph.stores import Neo4jStore, write_neo4j_import
from riskgraph.stores import _cypher as cypher
from riskgraph.stores._rows import union


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


def test_neo4j_admin_imports_and_the_store_reads(own_neo4j, county, small, tmp_path, same, monkeypatch):
    """The county with hostile names in it."""
    graph = rg.EntityGraph.from_tables(**union(county, small))
    files = write_neo4j_import(graph, tmp_path, show_progress=False)
    own_neo4j.kill()
    words = ["database", "import", "full", f"@{files[-1].name}", "--overwrite-destination=true"]
    done = own_neo4j.run("org.neo4j.cli.AdminTool", *words, folder=tmp_path)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    tables = graph.tables()
    records = sum(len(tables[table]) for table in ("cases", "licences", "facts"))
    assert f"{len(tables['entities']) + records + 1} nodes" in done.stdout
    assert f"{len(tables['relations']) + records} relationships" in done.stdout
    own_neo4j.start()
    with Neo4jStore(own_neo4j.uri, auth=own_neo4j.auth, show_progress=False) as store:
        same(store.read(), graph)
        told, sent = Neo4jStore._tell, []
        monkeypatch.setattr(Neo4jStore, "_tell", lambda *a, **b: (sent.append(a[2]), told(*a, **b))[1])
        store.write(graph)  # brings the constraints and nothing else
        assert set(sent) == set(cypher.CLEAN)
        entity = graph.ids[3]
        same(store.read(scope=entity, depth=2), graph.neighborhood(entity, 2))
        store.write(rg.datasets.toy_chain())
        same(store.read(), rg.datasets.toy_chain())
