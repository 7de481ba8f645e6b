"""Write and read a graph in every store, next to the plain driver doing the same by hand.

Neo4j takes part where ``RISKGRAPH_NEO4J_URI`` names a server whose content may be overwritten.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from timing import arguments, interleaved, keep, table

import riskgraph as rg
from riskgraph.schema import RELATION_KINDS, TABLES
from riskgraph.stores import DuckDBStore, MemoryStore, Neo4jStore, Store, write_neo4j_import

BATCH = 5000
DEPTH, AROUND = 2, 10
#: column of a table that names the entity a row belongs to
KEYS = {name: {"entities": "id", "relations": "source"}.get(name, "entity") for name in TABLES}
NEAR = """
WITH RECURSIVE reached(id, depth) AS (
  SELECT ?, 0 UNION
  SELECT CASE WHEN r.source = q.id THEN r.target ELSE r.source END, q.depth + 1
  FROM reached q JOIN relations r ON r.source = q.id OR r.target = q.id
  WHERE q.depth < ? AND (r."start" IS NULL OR r."start" <= ?) AND (r."end" IS NULL OR r."end" > ?)
) SELECT DISTINCT id FROM reached"""
Ways = dict[str, Callable[[], Any]]


class DuckDBByHand:
    """Frames into tables and back, as one would without a store: no identity of dtypes, no lock, no pinned form."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def write(self, graph: rg.EntityGraph) -> None:
        with duckdb.connect(self.path) as connection:
            connection.execute("BEGIN")
            for name, frame in graph.tables().items():
                connection.register("incoming", frame)
                connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming")
            connection.execute("COMMIT")

    def read(self) -> rg.EntityGraph:
        with duckdb.connect(self.path, read_only=True) as connection:
            frames = {name: connection.execute(f"SELECT * FROM {name}").df() for name in TABLES}
        return _graph(frames)

    def around(self, entity: str, day: pd.Timestamp) -> rg.EntityGraph:
        with duckdb.connect(self.path, read_only=True) as connection:
            connection.execute(f"CREATE TEMP TABLE near AS {NEAR}", [entity, DEPTH, day, day])
            frames = {
                name: connection.execute(f"SELECT t.* FROM {name} t JOIN near ON near.id = t.{key}").df()
                for name, key in KEYS.items()
            }
        return _graph(frames).at(day)


class Neo4jByHand:
    """UNWIND and CREATE in batches: not repeatable, and a cut leaves half a graph."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def _ask(self, text: str, **parameters: Any) -> list[Any]:
        return list(self.driver.execute_query(text, parameters).records)

    def clear(self) -> None:
        while self._ask("MATCH (n:Hand) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS gone")[0]["gone"]:
            pass

    def write(self, graph: rg.EntityGraph) -> None:
        self.clear()
        self._ask("CREATE CONSTRAINT hand IF NOT EXISTS FOR (n:Hand) REQUIRE n.key IS UNIQUE")
        frames = {name: _texts(frame) for name, frame in graph.tables().items()}
        for name, frame in frames.items():
            if name == "relations":
                continue
            text = "UNWIND $rows AS row CREATE (n:Hand {key: $name + row.id, table: $name}) SET n += row"
            self._send(text, frame, name=name)
        for kind in RELATION_KINDS:
            text = (
                "UNWIND $rows AS row MATCH (a:Hand {key: 'entities' + row.source}) "
                f"MATCH (b:Hand {{key: 'entities' + row.target}}) CREATE (a)-[r:{kind.upper()}]->(b) SET r += row"
            )
            self._send(text, frames["relations"][frames["relations"]["kind"] == kind])

    def _send(self, text: str, frame: pd.DataFrame, **parameters: Any) -> None:
        for start in range(0, len(frame), BATCH):
            rows = frame.iloc[start : start + BATCH].to_dict("records")
            self._ask(text, rows=rows, **parameters)

    def read(self) -> rg.EntityGraph:
        relations = self._ask("MATCH (:Hand)-[r]->(:Hand) RETURN properties(r) AS row")
        nodes = self._ask("MATCH (n:Hand) RETURN properties(n) AS row")
        return _graph(_split([record["row"] for record in nodes], [record["row"] for record in relations]))

    def around(self, entity: str, day: pd.Timestamp) -> rg.EntityGraph:
        text = (
            f"MATCH (:Hand {{key: 'entities' + $id}})-[rs*0..{DEPTH}]-(n:Hand) WHERE all(r IN rs WHERE "
            "(r.start IS NULL OR r.start <= $day) AND (r.end IS NULL OR r.end > $day)) "
            "WITH collect(DISTINCT n) AS near UNWIND near AS n OPTIONAL MATCH (n)-[r]->(m:Hand) WHERE m IN near "
            "RETURN properties(n) AS node, collect(properties(r)) AS relations"
        )
        found = self._ask(text, id=entity, day=f"{day:%Y-%m-%d}")
        nodes = [record["node"] for record in found]
        owned = self._ask(
            "MATCH (n:Hand) WHERE n.entity IN $ids RETURN properties(n) AS row", ids=[n["id"] for n in nodes]
        )
        relations = [row for record in found for row in record["relations"]]
        return _graph(_split(nodes + [record["row"] for record in owned], relations)).at(day)


def _split(nodes: list[dict[str, Any]], relations: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Rows by table, in the order they were written in."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES} | {"relations": relations}
    for node in nodes:
        rows[node["table"]].append(node)
    return {
        name: pd.DataFrame(sorted(found, key=lambda row: row["nr"])).drop(
            columns=["nr", "key", "table"], errors="ignore"
        )
        for name, found in rows.items()
    }


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Days as texts, empty cells as None, rows numbered."""
    frame = frame.copy()
    for name in frame:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            frame[name] = frame[name].dt.strftime("%Y-%m-%d")
    return frame.astype(object).where(frame.notna(), None).assign(nr=range(len(frame)))


def _graph(frames: dict[str, pd.DataFrame]) -> rg.EntityGraph:
    """Relations whose other end was not fetched are left out, as a store does."""
    ids = set(frames["entities"]["id"])
    relations = frames["relations"]
    if len(relations):
        relations = relations[relations["target"].isin(ids)]
    else:
        relations = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)
    tables = {name: frame.astype(object).where(frame.notna(), None) for name, frame in frames.items() if len(frame)}
    return rg.EntityGraph.from_tables(**tables | {"relations": relations})


def alike(first: rg.EntityGraph, second: rg.EntityGraph) -> bool:
    """Same ids, names, relations, shares and days; dtypes of empty columns may differ, which by hand they do."""
    names = ["id", "source", "target", "kind", "share_min", "share_max", "start", "end"]
    a, b = (
        graph.tables()["relations"].reindex(columns=names).sort_values("id", ignore_index=True)
        for graph in (first, second)
    )
    same_rows = all((a[name].eq(b[name]) | (a[name].isna() & b[name].isna())).all() for name in names)
    return set(first.ids) == set(second.ids) and len(a) == len(b) and same_rows


def compared(graph: rg.EntityGraph, stores: dict[str, Any], folder: Path, rounds: int) -> Iterator[dict[str, Any]]:
    """Written once each into an empty store; what comes back is found equal before any figure is shown."""
    rows, day = len(graph.tables()["relations"]), graph.latest
    size = f"{len(graph):,} entities, {rows:,} relations"
    writes: Ways = {name: lambda store=store: store.write(graph) for name, store in stores.items()}
    writes["files for neo4j-admin"] = lambda: write_neo4j_import(graph, folder / "import", show_progress=False)
    written = interleaved(writes, 1)
    for name, store in stores.items():
        if not alike(store.read(), graph):
            raise SystemExit(f"{name} gives back another graph than it was given")
    asked = [str(id) for id in graph.ids[np.random.default_rng(0).integers(0, len(graph), AROUND)]]
    for entity in asked:
        part = graph.neighborhood(entity, DEPTH)
        for name, store in stores.items():
            if not alike(_around(store, entity, day), part):
                raise SystemExit(f"{name} finds other surroundings of {entity} than the graph")

    reads: Ways = {name: store.read for name, store in stores.items()}
    parts: Ways = {
        name: lambda store=store: [_around(store, entity, day) for entity in asked] for name, store in stores.items()
    }
    yield table(f"Write {size}", written, "DuckDBStore", **_rates(written, rows))
    read = interleaved(reads, rounds)
    yield table(f"Read {size}", read, "DuckDBStore", **_rates(read, rows))
    yield table(f"Read {DEPTH} steps around {AROUND} entities of {size}", interleaved(parts, rounds), "DuckDBStore")


def _around(store: Any, entity: str, day: pd.Timestamp) -> rg.EntityGraph:
    return store.read(scope=entity, depth=DEPTH) if isinstance(store, Store) else store.around(entity, day)


def _rates(seconds: dict[str, float], rows: int) -> dict[str, float]:
    return {f"{name}, relations a second": rows / value for name, value in seconds.items() if name != "MemoryStore"}


def main() -> None:
    given = arguments(__doc__)
    graph = rg.datasets.make_registry(int(given.size), random_state=1)
    uri = os.environ.get("RISKGRAPH_NEO4J_URI")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stores: dict[str, Any] = {
            "MemoryStore": MemoryStore(),
            "DuckDBStore": DuckDBStore(folder / "graph.duckdb"),
            "duckdb by hand": DuckDBByHand(folder / "hand.duckdb"),
        }
        if uri:
            from neo4j import GraphDatabase

            auth = (os.environ.get("RISKGRAPH_NEO4J_USER", "neo4j"), os.environ.get("RISKGRAPH_NEO4J_PASSWORD", ""))
            driver = GraphDatabase.driver(uri, auth=auth, notifications_min_severity="OFF")
            stores |= {
                "Neo4jStore": Neo4jStore(driver, show_progress=False),
                "neo4j driver by hand": Neo4jByHand(driver),
            }
        else:
            print("Neo4j is skipped: RISKGRAPH_NEO4J_URI names no server")
        figures = list(compared(graph, stores, folder, given.rounds))
        if uri:
            driver.close()
    keep(given.json, figures)


if __name__ == "__main__":
    main()
