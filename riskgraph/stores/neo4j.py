"""The graph in a Neo4j server that others look at too.

A write builds a new *generation* beside the current one, batch by batch, and then switches in one transaction: readers
see the old graph or the new one, never half of each. The generation is named after the content, so a write that was cut
off goes on where it stopped when it is repeated, and a second write of the same graph changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from riskgraph._optional import progress
from riskgraph.errors import InvalidParameter, StoreUnavailable, UnknownEntity
from riskgraph.graph import EntityGraph
from riskgraph.schema import RELATION_KINDS, TABLES
from riskgraph.stores._rows import pack, unpack
from riskgraph.stores.base import Store

__all__ = ["Neo4jStore"]

BATCH = 5000

CONSTRAINTS = (
    "CREATE CONSTRAINT riskgraph_entity IF NOT EXISTS FOR (n:RiskgraphEntity) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT riskgraph_record IF NOT EXISTS FOR (n:RiskgraphRecord) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT riskgraph_store IF NOT EXISTS FOR (n:RiskgraphStore) REQUIRE n.name IS UNIQUE",
)
READ_STATE = (
    "MATCH (s:RiskgraphStore {name: 'graph'}) RETURN s.generation AS generation, s.about AS about, s.latest AS latest"
)
WRITE_ENTITIES = """
UNWIND $rows AS row
MERGE (n:RiskgraphEntity {key: row.key}) SET n += row.values, n.generation = $generation
"""
WRITE_RECORDS = """
UNWIND $rows AS row
MERGE (n:RiskgraphRecord {key: row.key})
SET n = row.values, n.key = row.key, n.generation = $generation, n.table = $table
WITH n, row
MATCH (e:RiskgraphEntity {key: row.entity})
MERGE (e)-[:HAS_RECORD]->(n)
"""
#: one text a relation kind: a type cannot be a parameter, and the vocabulary is closed
WRITE_RELATIONS = {
    kind: (
        "UNWIND $rows AS row MATCH (a:RiskgraphEntity {key: row.source}) MATCH (b:RiskgraphEntity {key: row.target}) "
        f"MERGE (a)-[r:{kind.upper()} {{key: row.key}}]->(b) SET r += row.values, r.generation = $generation"
    )
    for kind in RELATION_KINDS
}
SWITCH = """
MERGE (s:RiskgraphStore {name: 'graph'})
SET s.generation = $generation, s.about = $about, s.latest = $latest
"""
CLEAN_RELATIONS = (
    "MATCH ()-[r]->() WHERE r.generation <> $generation WITH r LIMIT $batch DELETE r RETURN count(*) AS gone"
)
CLEAN_RECORDS = """
MATCH (n:RiskgraphRecord) WHERE n.generation <> $generation WITH n LIMIT $batch DETACH DELETE n RETURN count(*) AS gone
"""
CLEAN_ENTITIES = """
MATCH (n:RiskgraphEntity) WHERE n.generation <> $generation WITH n LIMIT $batch DETACH DELETE n RETURN count(*) AS gone
"""
READ_ENTITIES = "MATCH (n:RiskgraphEntity) WHERE n.generation = $generation RETURN properties(n) AS row"
READ_RELATIONS = (
    "MATCH (:RiskgraphEntity)-[r]->(:RiskgraphEntity) WHERE r.generation = $generation RETURN properties(r) AS row"
)
READ_RECORDS = (
    "MATCH (n:RiskgraphRecord) WHERE n.generation = $generation AND n.table = $table RETURN properties(n) AS row"
)
STEP = """
UNWIND $keys AS key
MATCH (:RiskgraphEntity {key: key})-[r]-(other:RiskgraphEntity)
WHERE ($day IS NULL OR ((r.start IS NULL OR r.start <= $day) AND (r.end IS NULL OR r.end > $day)))
  AND ($known IS NULL OR r.known_from IS NULL OR r.known_from <= $known)
RETURN DISTINCT other.key AS key
"""
READ_SOME_ENTITIES = "UNWIND $keys AS key MATCH (n:RiskgraphEntity {key: key}) RETURN properties(n) AS row"
READ_SOME_RELATIONS = """
UNWIND $keys AS key MATCH (:RiskgraphEntity {key: key})-[r]->(b:RiskgraphEntity) WHERE b.key IN $all
RETURN properties(r) AS row
"""
READ_SOME_RECORDS = """
UNWIND $keys AS key MATCH (:RiskgraphEntity {key: key})-[:HAS_RECORD]->(n:RiskgraphRecord) WHERE n.table = $table
RETURN properties(n) AS row
"""
WRITE_RESULTS = (
    "UNWIND $rows AS row MATCH (n:RiskgraphEntity {key: row.key}) SET n += row.values RETURN count(*) AS done"
)
FORGET_RESULTS = "MATCH (n:RiskgraphEntity) WHERE n.generation = $generation AND n[$name] IS NOT NULL SET n += $blank"
WRITE_RUN = "MERGE (r:RiskgraphRun {name: $run}) SET r.kinds = $kinds, r.other = $other"
READ_RUN = "MATCH (r:RiskgraphRun {name: $run}) RETURN r.kinds AS kinds, r.other AS other"
READ_RESULTS = (
    "MATCH (n:RiskgraphEntity) WHERE n.generation = $generation AND n[$name] IS NOT NULL "
    "RETURN n[$name] AS row ORDER BY n._row"
)


class Neo4jStore(Store):
    """A graph in a Neo4j database.

    Entities are nodes ``:RiskgraphEntity``, relations have a type for each kind (``OWNS``, ``OFFICER``, …), cases,
    licences and facts hang on their entity as ``:RiskgraphRecord``. Values go in as parameters only.

    Parameters
    ----------
    uri_or_driver
        ``bolt://…`` or ``neo4j://…``, or a driver of the caller, which stays open. ``None`` reads
        ``RISKGRAPH_NEO4J_URI``.
    auth
        ``(user, password)``; ``None`` reads ``RISKGRAPH_NEO4J_USER`` and ``RISKGRAPH_NEO4J_PASSWORD`` if they are set.
        Never shown, logged or put into a message.
    database
        Name of the database; the server's default if left out.
    show_progress
        Whether writes show a progress bar; ``None`` shows one on a terminal or in a notebook.

    Raises
    ------
    StoreUnavailable
        No server answers, or it refuses the credentials.
    """

    def __init__(
        self,
        uri_or_driver: Any = None,
        *,
        auth: tuple[str, str] | None = None,
        database: str | None = None,
        show_progress: bool | None = None,
    ) -> None:
        uri = os.environ.get("RISKGRAPH_NEO4J_URI") if uri_or_driver is None else uri_or_driver
        if uri is None:
            raise InvalidParameter("'uri_or_driver' must be given, or RISKGRAPH_NEO4J_URI set")
        self.database = database
        self._show = show_progress
        self._owned = isinstance(uri, str)
        if isinstance(uri, str):
            self._place = _place(uri)
            user = os.environ.get("RISKGRAPH_NEO4J_USER")
            if auth is None and user is not None:
                auth = (user, os.environ.get("RISKGRAPH_NEO4J_PASSWORD", ""))
            from neo4j import GraphDatabase

            try:
                self._driver = GraphDatabase.driver(
                    uri,
                    auth=auth,
                    notifications_min_severity="OFF",
                    connection_timeout=10,
                    max_transaction_retry_time=8,
                )
            except Exception as error:  # the driver's own text may repeat the address with what stands in it
                raise InvalidParameter(f"'uri_or_driver' is no address of a Neo4j server: {self._place}") from error
        else:
            self._driver = uri
            self._place = "the driver given"

    def __repr__(self) -> str:
        """Where the server is; never who logs in."""
        return f"Neo4jStore({self._place!r}, database={self.database!r})"

    def close(self) -> None:
        """Close the driver if this store opened it."""
        if self._owned:
            self._driver.close()

    @contextmanager
    def _session(self) -> Iterator[Any]:
        from neo4j.exceptions import AuthError, ClientError, DriverError, Neo4jError

        try:
            with self._driver.session(database=self.database) as session:
                yield session
        except AuthError:
            raise StoreUnavailable(f"{self._place} refuses the user or the password") from None
        except ClientError as error:
            if (error.code or "").endswith("DatabaseNotFound"):
                raise StoreUnavailable(f"{self._place} has no database {self.database!r}") from None
            raise StoreUnavailable(f"{self._place} refused the request ({error.code})") from error
        except (DriverError, Neo4jError, OSError) as error:
            raise StoreUnavailable(f"no Neo4j server answers at {self._place} ({type(error).__name__})") from error

    def _ask(self, session: Any, text: str, **parameters: Any) -> list[Any]:
        """Rows of one transaction; repeated by the driver when the server asks for it."""

        def work(transaction: Any) -> list[Any]:
            return list(transaction.run(text, parameters))

        return list(session.execute_write(work))

    # -- writing -----------------------------------------------------------------------------------------------------

    def _write(self, graph: EntityGraph) -> None:
        frames, about = {}, {}
        for table, frame in graph.tables().items():
            frames[table], about[table] = pack(frame, table)
            frames[table].insert(0, "_row", range(len(frame)))
        texts = json.dumps(about, ensure_ascii=False, sort_keys=True)
        latest = "" if graph.latest is None else f"{graph.latest:%Y-%m-%d}"
        generation = _digest(frames, texts)
        with self._session() as session:
            for text in CONSTRAINTS:
                session.run(text).consume()
            state = self._ask(session, READ_STATE)
            if not state or state[0]["generation"] != generation:
                jobs = list(_jobs(frames, generation))
                for text, parameters in progress(jobs, total=len(jobs), text="writing to Neo4j", show=self._show):
                    self._ask(session, text, generation=generation, **parameters)
                self._ask(session, SWITCH, generation=generation, about=texts, latest=latest)
            for text in (CLEAN_RELATIONS, CLEAN_RECORDS, CLEAN_ENTITIES):
                while self._ask(session, text, generation=generation, batch=BATCH)[0]["gone"]:
                    pass

    # -- reading -----------------------------------------------------------------------------------------------------

    def _read(self, at: Any, known: Any, scope: str | None, depth: int) -> EntityGraph:
        with self._session() as session:
            state = self._ask(session, READ_STATE)
            if not state:
                if scope is not None:
                    raise UnknownEntity(f"the store holds no entity {scope!r}")
                return _nothing()
            generation, latest = state[0]["generation"], state[0]["latest"]
            kinds = json.loads(state[0]["about"])
            if scope is None:
                rows = {table: self._ask(session, READ_RECORDS, generation=generation, table=table) for table in TABLES}
                rows["entities"] = self._ask(session, READ_ENTITIES, generation=generation)
                rows["relations"] = self._ask(session, READ_RELATIONS, generation=generation)
            else:
                day = _iso(at) or latest or None
                keys = self._reach(session, _key(generation, scope), scope, depth, day, _iso(known))
                rows = {table: self._ask(session, READ_SOME_RECORDS, keys=keys, table=table) for table in TABLES}
                rows["entities"] = self._ask(session, READ_SOME_ENTITIES, keys=keys)
                rows["relations"] = self._ask(session, READ_SOME_RELATIONS, keys=keys, all=keys)
        tables = {table: _frame(found, [tuple(kind) for kind in kinds[table]]) for table, found in rows.items()}
        graph = EntityGraph.from_tables(**tables)
        stand = at if at is not None else latest if scope is not None and latest else None
        return graph if stand is None else graph.at(stand, known=known)

    def _reach(self, session: Any, key: str, scope: str, depth: int, day: str | None, known: str | None) -> list[str]:
        if not self._ask(session, READ_SOME_ENTITIES, keys=[key]):
            raise UnknownEntity(f"the store holds no entity {scope!r}")
        reached = {key}
        front = [key]
        for _ in range(depth):
            found = self._ask(session, STEP, keys=front, day=day, known=known)
            front = sorted({record["key"] for record in found} - reached)
            reached.update(front)
            if not front:
                break
        return sorted(reached)

    # -- results -----------------------------------------------------------------------------------------------------

    def _write_results(self, results: pd.DataFrame, run: str) -> None:
        packed, kinds = pack(results, "results")
        rows = [json.dumps(row, ensure_ascii=False) for row in packed.to_numpy().tolist()]
        by_entity: dict[str, list[str]] = {}
        for entity, row in zip(packed["entity"], rows, strict=True):
            by_entity.setdefault(entity, []).append(row)
        plain = {
            name: name for name, kind in kinds if name != "entity" and kind in ("number", "integer", "truth", "text")
        }
        first = packed.drop_duplicates("entity").set_index("entity")
        name = f"run_{run}"
        with self._session() as session:
            state = self._ask(session, READ_STATE)
            generation = state[0]["generation"] if state else ""
            self._ask(session, FORGET_RESULTS, generation=generation, name=name, blank={name: None})
            jobs = [
                {
                    "key": _key(generation, entity),
                    # the values themselves for people who query the database, all rows as text for reading back
                    "values": {name: texts, **{f"{name}_{column}": first.at[entity, column] for column in plain}},
                }
                for entity, texts in by_entity.items()
            ]
            for start in range(0, len(jobs), BATCH):
                self._ask(session, WRITE_RESULTS, rows=jobs[start : start + BATCH])
            known = {record["row"]["id"] for record in self._ask(session, READ_ENTITIES, generation=generation)}
            other = [row for entity, row in zip(packed["entity"], rows, strict=True) if entity not in known]
            self._ask(session, WRITE_RUN, run=run, kinds=json.dumps(kinds), other=other)

    def _results(self, run: str) -> pd.DataFrame:
        with self._session() as session:
            about = self._ask(session, READ_RUN, run=run)
            if not about:
                return pd.DataFrame({"entity": []}, dtype=object)
            state = self._ask(session, READ_STATE)
            generation = state[0]["generation"] if state else ""
            found = self._ask(session, READ_RESULTS, generation=generation, name=f"run_{run}")
        kinds = [tuple(kind) for kind in json.loads(about[0]["kinds"])]
        texts = [text for record in found for text in record["row"]] + list(about[0]["other"])
        frame = pd.DataFrame([json.loads(text) for text in texts], columns=[name for name, _ in kinds], dtype=object)
        return unpack(frame, kinds)


def _jobs(frames: dict[str, pd.DataFrame], generation: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """One query and its parameters a batch: entities first, then what hangs on them."""
    for rows in _batches(frames["entities"]):
        yield WRITE_ENTITIES, {"rows": [{"key": _key(generation, row["id"]), "values": row} for row in rows]}
    for kind, part in frames["relations"].groupby("kind", sort=False):
        for rows in _batches(part):
            yield (
                WRITE_RELATIONS[str(kind)],
                {
                    "rows": [
                        {
                            "key": _key(generation, row["id"]),
                            "source": _key(generation, row["source"]),
                            "target": _key(generation, row["target"]),
                            "values": row,
                        }
                        for row in rows
                    ]
                },
            )
    for table in ("cases", "licences", "facts"):
        for rows in _batches(frames[table]):
            yield (
                WRITE_RECORDS,
                {
                    "table": table,
                    "rows": [
                        {
                            "key": _key(generation, table, row["id"]),
                            "entity": _key(generation, row["entity"]),
                            "values": row,
                        }
                        for row in rows
                    ],
                },
            )


def _batches(frame: pd.DataFrame) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(frame), BATCH):
        part = frame.iloc[start : start + BATCH]
        yield [
            {str(name): value for name, value in row.items() if value is not None} for row in part.to_dict("records")
        ]


def _frame(records: list[Any], kinds: list[tuple[str, str]]) -> pd.DataFrame:
    rows = sorted((record["row"] for record in records), key=lambda row: row["_row"])
    columns = [name for name, _ in kinds]
    data = {name: pd.Series([row.get(name) for row in rows], dtype=object) for name in columns}
    return unpack(pd.DataFrame(data, columns=columns), kinds)


def _digest(frames: dict[str, pd.DataFrame], about: str) -> str:
    """Name of the content: equal tables have equal names."""
    digest = hashlib.sha256(about.encode())
    for table in TABLES:
        digest.update(pd.util.hash_pandas_object(frames[table].astype(str), index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _key(*parts: str) -> str:
    """Key of a row in one generation: short whatever the id, since an index takes no more than 8 kB."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _place(uri: str) -> str:
    """Scheme, host and port of an address, without what else may stand in it."""
    try:
        parts = urlsplit(uri)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def _iso(day: Any) -> str | None:
    return None if day is None else f"{pd.Timestamp(day):%Y-%m-%d}"


def _nothing() -> EntityGraph:
    relations = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)
    return EntityGraph.from_tables(pd.DataFrame({"id": [], "kind": []}, dtype=object), relations)
