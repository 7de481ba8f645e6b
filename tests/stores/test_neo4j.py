"""What is particular to the server: drivers, cuts, a kill, other people's data, credentials, and what is sent."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections import Counter

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.stores import Neo4jStore
from riskgraph.stores import _cypher as cypher

# one worker runs them all: they share a server
pytestmark = pytest.mark.xdist_group("neo4j")

#: nodes and relations of the store's own, by kind
COUNTS = """
MATCH (n) WHERE n:RiskgraphEntity OR n:RiskgraphRecord WITH labels(n)[0] AS label, count(n) AS n RETURN label, n
UNION ALL
MATCH (:RiskgraphEntity)-[r]->(:RiskgraphEntity) RETURN 'relations' AS label, count(r) AS n
"""


def connect(server):
    return Neo4jStore(server.uri, auth=server.auth, show_progress=False)


@pytest.fixture
def driver(neo4j):
    from neo4j import GraphDatabase

    with GraphDatabase.driver(neo4j.uri, auth=neo4j.auth) as made:
        yield made


def assert_nothing_doubled_or_left(driver, graph):
    tables = graph.tables()
    counts = Counter({row["label"]: row["n"] for row in driver.execute_query(COUNTS).records})
    assert counts == Counter(
        RiskgraphEntity=len(tables["entities"]),
        RiskgraphRecord=sum(len(tables[name]) for name in ("cases", "licences", "facts")),
        relations=len(tables["relations"]),
    )


@pytest.fixture
def cut(monkeypatch):
    """``cut(n)``: the connection is lost after n writing transactions; returns the batches sent until then."""
    told = Neo4jStore._tell

    def after(limit, action=None):
        sent = []

        def telling(self, session, text, **parameters):
            if len(sent) == limit:
                if action is None:
                    raise OSError("connection lost")
                action()
            sent.append((text, len(parameters.get("rows", ()))))
            return told(self, session, text, **parameters)

        monkeypatch.setattr(Neo4jStore, "_tell", telling)
        return sent

    yield after
    monkeypatch.undo()


def test_a_given_driver_stays_open(neo4j, driver, small):
    with Neo4jStore(driver) as store:
        store.write(small)
    driver.verify_connectivity()
    answer = driver.execute_query("MATCH ()-[r]->() RETURN DISTINCT type(r) AS type")
    assert {record["type"] for record in answer.records} >= {"OWNS", "OFFICER", "COOPERATES"}
    own = connect(neo4j)
    own.close()
    with pytest.raises(rg.StoreUnavailable, match="is closed; open a new one"):
        own.read()


def test_other_peoples_data_is_left_alone(neo4j, driver, small):
    driver.execute_query(
        "MERGE (a:Mine {key: 'k', generation: 'g', _generation: 'x'}) MERGE (b:Mine {key: 'l'}) "
        "MERGE (a)-[:OWNS {generation: 'g', _generation: 'x'}]->(b)"
    )
    with connect(neo4j) as store:
        for graph in (small, rg.datasets.toy_chain()):
            store.write(graph)
        mine = driver.execute_query(
            "MATCH (a:Mine)-[r:OWNS]->(b:Mine) RETURN a.key AS a, b.key AS b, r.generation AS r"
        )
        assert [record.data() for record in mine.records] == [{"a": "k", "b": "l", "r": "g"}]
        assert_nothing_doubled_or_left(driver, rg.datasets.toy_chain())
    driver.execute_query("MATCH (n:Mine) DETACH DELETE n")


def test_a_cut_write_goes_on(neo4j, driver, small, same, cut, monkeypatch):
    """Cut after any number of batches the old graph is whole; the repeated write sends only what did not arrive."""
    monkeypatch.setattr("riskgraph.stores.neo4j.BATCH", 5)
    old = rg.datasets.toy_chain()
    total = sum(len(frame) for frame in small.tables().values())
    with connect(neo4j) as store:
        for limit in (1, 3, 5):
            store.write(old)
            before = cut(limit)
            words = r"no Neo4j server answers at bolt://\S+:\d+ \(OSError\)"
            with pytest.raises(rg.StoreUnavailable, match=words):
                store.write(small)
            after = cut(-1)
            same(store.read(), old)
            store.write(small)
            same(store.read(), small)
            assert_nothing_doubled_or_left(driver, small)
            batches = [(text, rows) for text, rows in before + after if text != cypher.MARK]
            assert sum(rows for _, rows in batches) == total


def test_batches_lost_to_another_writer_are_sent_again(neo4j, driver, small, same, cut, monkeypatch):
    """Another writer cleans up in the middle of a write: the graph is not switched to before it is whole."""
    monkeypatch.setattr("riskgraph.stores.neo4j.BATCH", 5)
    other = rg.datasets.toy_dated()
    with connect(neo4j) as store, connect(neo4j) as second:
        store.write(rg.datasets.toy_chain())

        def between():
            cut(-1)
            second.write(other)

        cut(4, between)
        store.write(small)
        same(store.read(), small)
        assert_nothing_doubled_or_left(driver, small)


def test_a_read_that_a_write_disturbs_begins_again(neo4j, small, same, monkeypatch):
    asked, writes = Neo4jStore._ask, []
    with connect(neo4j) as store, connect(neo4j) as second:
        store.write(small)

        def disturbed(self, session, text, **parameters):
            if self is store and text == cypher.READ_RELATIONS and len(writes) < limit:
                writes.append(1)
                second.write(rg.datasets.toy_chain() if len(writes) % 2 else small)
            return asked(self, session, text, **parameters)

        monkeypatch.setattr(Neo4jStore, "_ask", disturbed)
        limit = 1
        same(store.read(), rg.datasets.toy_chain())
        limit = 4
        with pytest.raises(rg.StoreUnavailable, match="is written to again and again; read when that is over"):
            store.read()


def test_second_write_sends_nothing(neo4j, small, cut):
    with connect(neo4j) as store:
        store.write(small)
        sent = cut(-1)
        store.write(small)
        assert {text for text, _ in sent} == set(cypher.CLEAN)


def test_results_are_properties(neo4j, driver, small, hostile):
    """Values stand on the nodes for those who query the database, lists where an entity has several rows."""
    query = "MATCH (n:RiskgraphEntity {id: $id}) RETURN n[$name] AS value"

    def value(id, name):
        return driver.execute_query(query, id=id, name=name).records[0]["value"]

    with connect(neo4j) as store:
        store.write(small)
        frame = pd.DataFrame({"entity": ["A", "B", "B"], "risk": [0.5, 0.25, 1.0], hostile[1]: ["x", None, None]})
        store.write_results(frame, run="r-1")
        assert value("A", "run:r-1:risk") == 0.5
        assert value("B", "run:r-1:risk") == [0.25, 1.0]
        assert value("A", f"run:r-1:{hostile[1]}") == "x"
        store.write(rg.datasets.toy_chain())
        store.write(small)
        assert value("A", "run:r-1:risk") == 0.5
        store.write_results(pd.Series([3], index=["B"], name="group"), run="r-1")
        assert [value("A", "run:r-1:risk"), value("B", "run:r-1:risk"), value("B", "run:r-1:group")] == [None, None, 3]


def test_killed_in_the_middle_of_a_write(own_neo4j, small, same, cut, monkeypatch):
    """The server dies while a batch is under way; started again, it has the old graph, and the write goes on."""
    from neo4j import GraphDatabase

    monkeypatch.setattr("riskgraph.stores.neo4j.BATCH", 100)
    graph = rg.datasets.make_registry(300, random_state=1)
    with connect(own_neo4j) as store:
        store.write(small)
        sent = cut(8, threading.Timer(0.002, own_neo4j.kill).start)
        with pytest.raises(rg.StoreUnavailable, match="no Neo4j server answers"):
            store.write(graph)
        arrived = sum(rows for _, rows in sent[:8])
        assert arrived > 600
    own_neo4j.kill()
    own_neo4j.start()
    with connect(own_neo4j) as store, GraphDatabase.driver(own_neo4j.uri, auth=own_neo4j.auth) as driver:
        same(store.read(), small)
        again = cut(-1)
        store.write(graph)
        repeated = sum(rows for text, rows in again if text != cypher.MARK)
        assert 0 < repeated <= sum(map(len, graph.tables().values())) - arrived
        same(store.read(), graph)
        assert_nothing_doubled_or_left(driver, graph)


# -- credentials -----------------------------------------------------------------------------------------------------

SECRET = "not-the-password"


def everything_said(error):
    return "".join(traceback.format_exception(error))


def test_wrong_password_and_closed_port(neo4j, caplog):
    caplog.set_level(logging.DEBUG)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"bolt://127.0.0.1:{closed.getsockname()[1]}"
        with Neo4jStore(uri, auth=("neo4j", SECRET)) as store:
            assert SECRET not in repr(store)
            words = rf"no Neo4j server answers at {uri} \(ServiceUnavailable\); start it, or check host and port"
            with pytest.raises(rg.StoreUnavailable, match=words) as error:
                store.read()
    said = everything_said(error.value)
    with Neo4jStore(neo4j.uri, auth=("neo4j", SECRET)) as store:
        assert SECRET not in repr(store)
        with pytest.raises(rg.StoreUnavailable, match=r"bolt://\S+ refuses the user or the password") as error:
            store.read()
    assert SECRET not in said + everything_said(error.value) + caplog.text


def test_no_such_database(neo4j):
    with (
        Neo4jStore(neo4j.uri, auth=neo4j.auth, database="none") as store,
        pytest.raises(rg.StoreUnavailable, match="has no database 'none'"),
    ):
        store.read()


def test_credentials_from_the_environment(neo4j, small, monkeypatch):
    monkeypatch.setenv("RISKGRAPH_NEO4J_URI", neo4j.uri)
    monkeypatch.setenv("RISKGRAPH_NEO4J_USER", neo4j.auth[0])
    monkeypatch.setenv("RISKGRAPH_NEO4J_PASSWORD", neo4j.auth[1])
    with Neo4jStore(show_progress=False) as store:
        store.write(small)
        assert len(store.read()) == len(small)
        assert repr(store) == f"Neo4jStore({neo4j.uri!r}, database=None)"


@pytest.mark.parametrize(
    "uri", [f"http://user:{SECRET}@host:1", f"bolt://user:{SECRET}@host:x", f"bolt://u:{SECRET}@h?a=b"]
)
def test_an_address_is_not_repeated(uri):
    with pytest.raises(rg.InvalidParameter, match="is no address of a Neo4j server") as error:
        Neo4jStore(uri)
    said = everything_said(error.value).replace(uri, "")
    assert SECRET not in said


def test_an_address_is_needed(monkeypatch):
    monkeypatch.delenv("RISKGRAPH_NEO4J_URI", raising=False)
    with pytest.raises(rg.InvalidParameter, match="'uri_or_driver' must be given, or RISKGRAPH_NEO4J_URI set"):
        Neo4jStore()
