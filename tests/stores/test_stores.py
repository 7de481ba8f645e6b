"""One test body over all stores: what is written is read, as of a day, around an entity, twice, with its results."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.stores import DuckDBStore, MemoryStore, Neo4jStore
from riskgraph.stores._rows import unpack

# one worker runs them all: they share a server
pytestmark = pytest.mark.xdist_group("neo4j")


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
        server = request.getfixturevalue("neo4j")
        made = Neo4jStore(server.uri, auth=server.auth, show_progress=False)
        made.write(empty())
    with made:
        yield made


@pytest.mark.parametrize("name", ["small", "empty", "dated", "county"])
def test_write_then_read_is_identity(store, name, request, same):
    made = {"empty": empty, "dated": rg.datasets.toy_dated}
    graph = made[name]() if name in made else request.getfixturevalue(name)
    store.write(graph)
    same(store.read(), graph)
    store.write(graph)  # again: nothing changes
    same(store.read(), graph)


def test_write_replaces(store, small, same):
    store.write(small)
    store.write(rg.datasets.toy_chain())
    same(store.read(), rg.datasets.toy_chain())


def test_a_word_is_not_an_empty_cell(store, same):
    """Graphs that differ in as little as None and "None" are two graphs."""
    for name in (None, "None", "NaN", "", "null"):
        graph = rg.EntityGraph.from_tables(
            pd.DataFrame({"id": ["A", "B"], "kind": "company", "name": ["b", name], "note": ["b", name]}),
            pd.DataFrame({"source": ["A"], "target": ["B"], "kind": ["owns"]}),
        )
        store.write(graph)
        same(store.read(), graph)


def test_extra_columns_of_every_kind(store, hostile, same):
    """Times, whole numbers beyond 64 bit, mixed cells, and names of columns that a database could trip over."""
    names = ["_row", "_key", "key", "generation", "table", "Note", "note", "NOTE~2", "run:a:b", *hostile]
    entities = pd.DataFrame({"id": ["A", "B"], "kind": "company", **{name: [name, None] for name in names}})
    entities[""] = ["x", "y"]
    entities[7] = [1, 2]
    entities["seen"] = pd.to_datetime(["2016-02-29 23:59:59.000001", None], format="ISO8601")
    entities["zone"] = pd.to_datetime(["2016-02-29 23:59", "2016-03-01"], format="ISO8601").tz_localize("Asia/Shanghai")
    entities["big"] = np.array([2**63 + 1, 0], dtype=np.uint64)
    entities["small"] = np.array([1, -1], dtype=np.int8)
    entities["half"] = np.array([0.1, np.nan], dtype=np.float32)
    entities["ends"] = [np.inf, -np.inf]
    entities["mixed"] = [{"date": "x"}, pd.Timestamp("2016-01-01 12:00")]
    graph = rg.EntityGraph.from_tables(
        entities, pd.DataFrame({"source": ["A"], "target": ["B"], "kind": ["owns"], "_row": [9], "_key": ["k"]})
    )
    store.write(graph)
    same(store.read(), graph)
    same(store.read(scope="B", depth=1), graph.neighborhood("B", 1))


def test_what_no_database_holds_is_refused(tmp_path):
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["A"], "kind": "company", "odd": [pd.Timedelta("1s")]}),
        pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object),
    )
    with pytest.raises(rg.InvalidTable, match=r"entities, column odd: Timedelta\('0 days 00:00:01'\) cannot be stored"):
        DuckDBStore(tmp_path / "g.duckdb").write(graph)


@pytest.mark.parametrize(("at", "known"), [(None, None), ("2015-06-01", None), ("2016-07-01", "2016-02-01")])
def test_scoped_and_dated_reads(store, small, at, known, same):
    store.write(small)
    dated = small if at is None else small.at(at, known=known)
    same(store.read(at, known=known), dated)
    for depth in range(4):
        part = store.read(at, known=known, scope="B", depth=depth)
        same(part, dated.neighborhood("B", depth))


def test_hostile_names_are_asked_for(store, small, hostile, same):
    store.write(small)
    for name in hostile:
        same(store.read(scope=name, depth=1), small.neighborhood(name, 1))
    assert len(store.read()) == len(small)  # none of them was a command


def test_county_around_an_entity(store, county, same, monkeypatch):
    """The part equals the one in memory, and no row beyond it leaves the database."""
    store.write(county)
    fetched = []

    def counted(frame, columns):
        fetched.append(len(frame))
        return unpack(frame, columns)

    monkeypatch.setattr("riskgraph.stores.duckdb.unpack", counted)
    monkeypatch.setattr("riskgraph.stores.neo4j.unpack", counted)
    for day in ("2014-06-30", "2016-12-31", None):
        dated = county if day is None else county.at(day)
        for scope in (*dated.seeds().index[:2], dated.ids[-1]):
            fetched.clear()
            part = store.read(day, scope=scope, depth=2)
            same(part, dated.neighborhood(scope, 2))
            if not isinstance(store, MemoryStore):
                assert sum(fetched) == sum(len(frame) for frame in part.tables().values())
    monkeypatch.undo()
    same(store.read("2014-06-30"), county.at("2014-06-30"))


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


def test_results_under_a_run(store, small, hostile, same):
    store.write(small)
    scores = pd.Series([0.5, 0.25, np.nan], index=["A", hostile[1], "B"], name="risk")
    store.write_results(scores, run="2016-12")
    store.write_results(scores * 2, run="2016-12")
    findings = pd.DataFrame(
        {
            "entity": ["B", "B", "Z"],
            "rule": ["R1", hostile[0], None],
            "hits": [1, 2, 3],
            "ok": [True, False, True],
            "day": pd.to_datetime(["2016-01-01", None, "2016-01-02"], format="ISO8601"),
            "why": [["a", 1], None, "b"],
        }
    )
    store.write_results(findings, run="f")
    risk = pd.DataFrame({"entity": ["A", hostile[1], "B"], "risk": [1.0, 0.5, np.nan]})
    for _ in range(2):
        pd.testing.assert_frame_equal(store.results("2016-12"), risk, check_dtype=False)
        pd.testing.assert_frame_equal(store.results("f"), findings)
        same(store.read(), small)  # results are no part of the graph
        store.write(rg.datasets.toy_chain())  # and stay when another one is written
        store.write(small)
    assert store.results("none").empty
    with pytest.raises(rg.InvalidParameter, match=r"'run' must be letters, digits, _ and -, at most 64; got 'a b'"):
        store.write_results(scores, run="a b")


def test_runs_with_names_alike_are_two(store, small):
    store.write(small)
    store.write_results(pd.Series([1.0], index=["A"], name="x"), run="a")
    store.write_results(pd.Series([2.0], index=["B"], name="y"), run="a_x")
    store.write_results(pd.Series([3.0], index=["P"], name="z"), run="A")
    for run, name, entity, value in (("a", "x", "A", 1.0), ("a_x", "y", "B", 2.0), ("A", "z", "P", 3.0)):
        assert store.results(run).to_dict("list") == {"entity": [entity], name: [value]}


def test_reads_are_checked(store, small):
    store.write(small)
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
