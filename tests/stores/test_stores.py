"""One test body over all stores: what is written is read, as of a day, around an entity, twice, and after faults."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.stores import DuckDBStore, MemoryStore, Neo4jStore, write_neo4j_import

HOSTILE = [
    'O\'Brien "& Söhne"',
    "x'}) DETACH DELETE n //",
    "\\u0027 RETURN 1; DROP TABLE entities; --",
    "\u202egnp.exe\u200b",
    "甲" * 3500,
    "a\nb\tc\r",
    "${x} `tick` $day",
]


def small():
    entities = pd.DataFrame(
        {
            "id": ["P", "Q", "A", "B", *HOSTILE],
            "kind": ["person", "person", *["company"] * (2 + len(HOSTILE))],
            "name": ["彭某", None, "甲公司", "乙公司", *HOSTILE],
            "capital": [np.nan, np.nan, 1e6, 2.5e6, *[np.nan] * len(HOSTILE)],
            "start": [None, None, "2010-01-01", "2011-01-01", *[None] * len(HOSTILE)],
            "rank": range(4 + len(HOSTILE)),
            "listed": [False, False, True, False, *[True] * len(HOSTILE)],
        }
    )
    relations = pd.DataFrame(
        {
            "source": ["P", "Q", "A", "P", *HOSTILE],
            "target": ["A", "A", "B", "B", *["A"] * len(HOSTILE)],
            "kind": ["owns", "owns", "owns", "officer", *["cooperates"] * len(HOSTILE)],
            "share_min": [0.25, 0.1, np.nan, np.nan, *[np.nan] * len(HOSTILE)],
            "share_max": [0.5, 0.1, np.nan, np.nan, *[np.nan] * len(HOSTILE)],
            "role": [None, None, None, "director", *[None] * len(HOSTILE)],
            "start": ["2015-01-01", None, "2016-02-29", "2014-01-01", *[None] * len(HOSTILE)],
            "end": ["2016-06-01", None, None, "2016-01-01", *[None] * len(HOSTILE)],
            "known_from": [None, "2016-03-01", None, None, *[None] * len(HOSTILE)],
            "note": ["x", None, "", "y", *HOSTILE],
        }
    )
    cases = pd.DataFrame(
        {"entity": ["A"], "type": ["banned"], "start": ["2016-04-01"], "severity": [0.5], "docket": ["甲1"]}
    )
    facts = pd.DataFrame(
        {
            "entity": ["A"] * 4,
            "fact": ["capital_pool", "loan_balance", "ad_text", "makes_loans"],
            "value": [True, 1.5, HOSTILE[1], None],
        }
    )
    return rg.EntityGraph.from_tables(entities, relations, cases, None, facts)


def empty():
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": [], "kind": []}, dtype=object),
        pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object),
    )


@pytest.fixture(params=["memory", "duckdb", "neo4j"])
def store(request, tmp_path):
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "duckdb":
        made = DuckDBStore(tmp_path / "graph.duckdb")
    else:
        made = Neo4jStore(request.getfixturevalue("neo4j_uri"), show_progress=False)
        made.write(empty())
    with made:
        yield made


def assert_same(a, b):
    for table, frame in a.tables().items():
        pd.testing.assert_frame_equal(frame, b.tables()[table], check_dtype=True)
    assert a.valid_on == b.valid_on
    assert a.known_by == b.known_by


@pytest.mark.parametrize("make", [small, empty, rg.datasets.toy_dated, lambda: rg.datasets.load_county().graph])
def test_write_then_read_is_identity(store, make):
    graph = make()
    store.write(graph)
    assert_same(store.read(), graph)
    store.write(graph)  # again: nothing changes
    assert_same(store.read(), graph)


def test_write_replaces(store):
    store.write(small())
    store.write(rg.datasets.toy_chain())
    assert_same(store.read(), rg.datasets.toy_chain())


@pytest.mark.parametrize(("at", "known"), [(None, None), ("2015-06-01", None), ("2016-07-01", "2016-02-01")])
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_scoped_and_dated_reads(store, at, known, depth):
    graph = small()
    store.write(graph)
    dated = graph if at is None else graph.at(at, known=known)
    assert_same(store.read(at, known=known), dated)
    part = store.read(at, known=known, scope="B", depth=depth)
    assert_same(part, dated.neighborhood("B", depth))


def test_append_adds_once(store):
    first = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["A", "B"], "kind": "company", "name": ["old", "b"]}),
        pd.DataFrame({"source": ["A"], "target": ["B"], "kind": ["owns"], "share": [0.5]}),
    )
    second = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["A", "C", "B"], "kind": "company", "name": ["new", "c", "b"]}),
        pd.DataFrame({"source": ["A", "C"], "target": ["B", "B"], "kind": ["owns"] * 2, "share": [0.5, 0.25]}),
    )
    store.write(first)
    for _ in range(2):
        store.write(second, append=True)
        graph = store.read()
        assert sorted(graph.ids) == ["A", "B", "C"]
        assert dict(zip(graph.ids, graph.names, strict=True))["A"] == "new"
        assert graph.relations[["source", "share_min"]].to_numpy().tolist() == [["A", 0.5], ["C", 0.25]]
        assert graph.relations["id"].is_unique


def test_results_under_a_run(store):
    store.write(small())
    scores = pd.Series([0.5, 0.25], index=["A", HOSTILE[1]], name="risk")
    store.write_results(scores, run="2016-12")
    store.write_results(scores * 2, run="2016-12")
    findings = pd.DataFrame(
        {"entity": ["B", "B", "Z"], "rule": ["R1", "R2", "R3"], "hits": [1, 2, 3], "ok": [True, False, True]}
    )
    store.write_results(findings, run="f")
    back = store.results("2016-12")
    assert dict(zip(back["entity"], back["risk"], strict=True)) == {"A": 1.0, HOSTILE[1]: 0.5}
    pd.testing.assert_frame_equal(
        store.results("f").sort_values("rule", ignore_index=True), findings, check_dtype=False
    )
    assert store.results("none").empty
    assert_same(store.read(), small())  # results are no part of the graph
    with pytest.raises(rg.InvalidParameter, match=r"'run' must be letters, digits, _ and -, at most 64; got 'a b'"):
        store.write_results(scores, run="a b")


def test_reads_are_checked(store):
    store.write(small())
    with pytest.raises(rg.UnknownEntity, match="no entity 'Z'"):
        store.read(scope="Z")
    with pytest.raises(rg.InvalidParameter, match="'depth' needs a 'scope'"):
        store.read(depth=2)
    with pytest.raises(rg.InvalidParameter, match="'known' needs 'at'"):
        store.read(known="2016-01-01")
    with pytest.raises(rg.InvalidParameter, match="'depth' must be a whole number, 0 or more; got -1"):
        store.read(scope="A", depth=-1)


def test_an_empty_store_reads_as_an_empty_graph(tmp_path):
    assert len(MemoryStore().read()) == 0
    assert len(DuckDBStore(tmp_path / "none.duckdb").read()) == 0
    assert DuckDBStore(tmp_path / "none.duckdb").results("r").empty


# -- DuckDB ----------------------------------------------------------------------------------------------------------


HOLDER = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"


def test_duckdb_says_who_holds_the_file(tmp_path):
    path = tmp_path / "g.duckdb"
    DuckDBStore(path).write(small())
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(rg.StoreUnavailable, match=rf"in use by another process.*PID {holder.pid}"):
            DuckDBStore(path).read()
    finally:
        holder.kill()
        holder.communicate()
    assert_same(DuckDBStore(path).read(), small())


def test_duckdb_refuses_other_files(tmp_path):
    path = tmp_path / "g.duckdb"
    path.write_text("not a database" * 500)
    with pytest.raises(rg.StoreUnavailable, match="cannot be used as a store"):
        DuckDBStore(path).read()


WRITER = """
import sys, pandas as pd, riskgraph as rg
from riskgraph.stores import DuckDBStore

def graph(name):
    ids = [f"E{i}" for i in range(4000)]
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company", "name": name}),
        pd.DataFrame({"source": ids[:-1], "target": ids[1:], "kind": "owns"}),
    )

both = [graph("0"), graph("1")]
print("ready", flush=True)
n = 0
while True:
    DuckDBStore(sys.argv[1]).write(both[n % 2])
    n += 1
"""


def test_duckdb_is_never_torn_by_kill_9(tmp_path):
    """Twenty kills at different moments; the file holds one of the two graphs whole, every time."""
    path = tmp_path / "g.duckdb"
    script = tmp_path / "writer.py"
    script.write_text(textwrap.dedent(WRITER))
    rng = np.random.default_rng(0)
    for attempt in range(20):
        writer = subprocess.Popen([sys.executable, str(script), str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.05 + 0.25 * rng.random())
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        graph = DuckDBStore(path).read()
        assert (len(graph), len(graph.relations)) in {(4000, 3999), (0, 0)}, attempt
        if len(graph):
            assert graph.entities["name"].nunique() == 1
    assert len(graph)


# -- Neo4j -----------------------------------------------------------------------------------------------------------


def test_neo4j_uses_a_given_driver_and_leaves_it_open(neo4j_uri):
    from neo4j import GraphDatabase

    with GraphDatabase.driver(neo4j_uri) as driver:
        with Neo4jStore(driver) as store:
            store.write(small())
        driver.verify_connectivity()
        types = {
            record["type"]
            for record in driver.execute_query("MATCH ()-[r]->() RETURN DISTINCT type(r) AS type").records
        }
        assert {"OWNS", "OFFICER", "COOPERATES"} <= types


def test_neo4j_goes_on_after_a_cut(neo4j_uri, monkeypatch):
    """A write cut at every job leaves the old graph whole; repeated, it ends with the new one, nothing doubled."""
    monkeypatch.setattr("riskgraph.stores.neo4j.BATCH", 5)
    old, new = rg.datasets.toy_chain(), small()
    with Neo4jStore(neo4j_uri, show_progress=False) as store:
        store.write(old)
        asked = Neo4jStore._ask
        for cut in (3, 6, 9):
            count = 0

            def failing(self, session, text, *, limit=cut, **parameters):
                nonlocal count
                count += 1
                if count > limit:
                    raise OSError("connection lost")
                return asked(self, session, text, **parameters)

            monkeypatch.setattr(Neo4jStore, "_ask", failing)
            with pytest.raises(
                rg.StoreUnavailable, match=r"no Neo4j server answers at bolt://127\.0\.0\.1:\d+ \(OSError\)"
            ):
                store.write(new)
            monkeypatch.setattr(Neo4jStore, "_ask", asked)
            assert_same(store.read(), old)
        store.write(new)
        assert_same(store.read(), new)


def test_neo4j_killed_in_the_middle(neo4j_server, monkeypatch):
    monkeypatch.setattr("riskgraph.stores.neo4j.BATCH", 50)
    graph = rg.datasets.load_county().graph
    server = neo4j_server()
    store = Neo4jStore(server.uri, show_progress=False)
    store.write(small())
    asked, count = Neo4jStore._ask, 0

    def killing(self, session, text, **parameters):
        nonlocal count
        count += 1
        if count == 12:
            server.kill()
        return asked(self, session, text, **parameters)

    monkeypatch.setattr(Neo4jStore, "_ask", killing)
    with pytest.raises(rg.StoreUnavailable, match="no Neo4j server answers"):
        store.write(graph)
    monkeypatch.setattr(Neo4jStore, "_ask", asked)
    store.close()
    server.start()
    with Neo4jStore(server.uri, show_progress=False) as again:
        assert_same(again.read(), small())
        again.write(graph)
        assert_same(again.read(), graph)


def test_neo4j_says_what_is_wrong_and_hides_the_password(neo4j_server, caplog):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"bolt://127.0.0.1:{closed.getsockname()[1]}"
    with (
        Neo4jStore(uri, auth=("neo4j", "geheim123")) as store,
        pytest.raises(rg.StoreUnavailable, match="no Neo4j server answers at bolt://127"),
    ):
        store.read()
    server = neo4j_server(auth=True)
    caplog.set_level(logging.DEBUG)
    with Neo4jStore(server.uri, auth=("neo4j", "geheim123")) as store:
        assert "geheim123" not in repr(store)
        with pytest.raises(rg.StoreUnavailable, match="refuses the user or the password") as error:
            store.read()
    assert "geheim123" not in str(error.value)
    assert "geheim123" not in caplog.text


def test_neo4j_addresses_are_checked_and_not_repeated():
    with pytest.raises(rg.InvalidParameter, match="is no address of a Neo4j server") as error:
        Neo4jStore("http://user:geheim@host:1")
    assert "geheim" not in str(error.value)


def test_neo4j_needs_an_address(monkeypatch):
    monkeypatch.delenv("RISKGRAPH_NEO4J_URI", raising=False)
    with pytest.raises(rg.InvalidParameter, match="'uri_or_driver' must be given, or RISKGRAPH_NEO4J_URI set"):
        Neo4jStore()


def test_import_files(tmp_path):
    files = write_neo4j_import(small(), tmp_path, show_progress=False)
    assert [file.name for file in files] == [
        "entities.csv",
        "relations_owns.csv",
        "relations_officer.csv",
        "relations_cooperates.csv",
    ]
    entities = pd.read_csv(files[0], keep_default_na=False)
    assert entities["id:ID"].tolist() == list(small().ids)
    owns = pd.read_csv(files[1])
    assert owns[":START_ID"].tolist() == ["P", "Q", "A"]
    assert owns["share_min:double"].tolist()[:2] == [0.25, 0.1]
    assert owns["start:date"][2] == "2016-02-29"
