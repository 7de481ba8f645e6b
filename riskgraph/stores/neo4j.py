"""The graph in a Neo4j server that others look at too.

A write builds a new *generation* beside the current one, batch by batch, and then switches in one transaction: readers
see the old graph or the new one, never half of each. The generation is named after the content: a write that was cut
off goes on behind the last batch that arrived when it is repeated, and a second write of the same graph changes
nothing.
"""

from __future__ import annotations

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
from riskgraph.stores import _cypher as cypher
from riskgraph.stores._rows import (
    RECORDS,
    Column,
    digest,
    iso,
    nothing,
    pack,
    pack_graph,
    row_key,
    stored_names,
    unpack,
)
from riskgraph.stores.base import Store

__all__ = ["Neo4jStore"]

BATCH = 5000
#: how often a read is begun again when a write comes between
READS = 3


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
        self._owned, self._closed = isinstance(uri, str), False
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
            except Exception:  # the driver's own text may repeat the address with what stands in it
                raise InvalidParameter(f"'uri_or_driver' is no address of a Neo4j server: {self._place}") from None
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
            self._closed = True

    @contextmanager
    def _session(self) -> Iterator[Any]:
        from neo4j.exceptions import AuthError, ClientError, DriverError, Neo4jError

        if self._closed:  # drivers before 6 would connect again and leave that connection open
            raise StoreUnavailable(f"the store at {self._place} is closed; open a new one")
        try:
            with self._driver.session(database=self.database) as session:
                yield session
        except StoreUnavailable:  # said already; it is an OSError too
            raise
        except AuthError:
            raise StoreUnavailable(f"{self._place} refuses the user or the password") from None
        except ClientError as error:
            if (error.code or "").endswith("DatabaseNotFound"):
                raise StoreUnavailable(f"{self._place} has no database {self.database!r}") from None
            raise StoreUnavailable(f"{self._place} refused the request ({error.code})") from error
        except Neo4jError as error:
            raise StoreUnavailable(
                f"{self._place} could not do it ({error.code}); what it held before is still whole"
            ) from error
        except (DriverError, OSError) as error:
            raise StoreUnavailable(
                f"no Neo4j server answers at {self._place} ({type(error).__name__}); start it, or check host and port"
            ) from error

    def _ask(self, session: Any, text: str, **parameters: Any) -> list[Any]:
        """Rows of one reading transaction; repeated by the driver when the server asks for it."""
        return list(session.execute_read(lambda transaction: list(transaction.run(text, parameters))))

    def _tell(self, session: Any, text: str, **parameters: Any) -> list[Any]:
        """Rows of one writing transaction."""
        return list(session.execute_write(lambda transaction: list(transaction.run(text, parameters))))

    def _prepare(self, session: Any) -> None:
        for text in cypher.CONSTRAINTS:
            session.run(text).consume()

    # -- writing -----------------------------------------------------------------------------------------------------

    def _write(self, graph: EntityGraph) -> None:
        frames, columns, latest = pack_graph(graph)
        generation = digest(frames, columns)
        with self._session() as session:
            self._prepare(session)
            state = self._ask(session, cypher.READ_STATE)
            if not state or state[0]["generation"] != generation:
                present = {
                    found["name"]: found["rows"]
                    for found in self._ask(session, cypher.READ_PRESENT, generation=generation)
                }
                # go on after what a write that was cut off left; should some of that be missing, send all of it
                if not any(self._build(session, frames, generation, columns, latest, skip) for skip in (present, {})):
                    raise StoreUnavailable(f"another process wrote to {self._place} at the same time; write again")
            for text in cypher.CLEAN:
                while self._tell(session, text, generation=generation, batch=BATCH)[0]["gone"]:
                    pass

    def _build(
        self,
        session: Any,
        frames: dict[str, pd.DataFrame],
        generation: str,
        columns: str,
        latest: str,
        present: dict[str, int],
    ) -> bool:
        """Write a generation and make it the current one; False if it is not whole."""
        parts = _parts(frames, present)
        for text, table, part in progress(parts, total=len(parts), text="writing to Neo4j", show=self._show):
            self._tell(session, text, generation=generation, table=table, rows=_rows(part, table, generation))
        for run in self._ask(session, cypher.READ_RUNS):
            self._mark(session, generation, run["run"], *self._kept(session, run["run"]))
        sizes = {table: len(frames[table]) for table in ("entities", "relations")}
        sizes["records"] = sum(len(frames[table]) for table in RECORDS)
        answer = self._tell(session, cypher.SWITCH, generation=generation, columns=columns, latest=latest, **sizes)
        return bool(answer[0]["done"])

    # -- reading -----------------------------------------------------------------------------------------------------

    def _read(self, at: Any, known: Any, scope: str | None, depth: int) -> EntityGraph:
        with self._session() as session:
            for _ in range(READS):
                state = self._ask(session, cypher.READ_STATE)
                if not state:
                    if scope is not None:
                        raise UnknownEntity(f"the store holds no entity {scope!r}")
                    return nothing()
                generation, latest = state[0]["generation"], state[0]["latest"]
                if scope is None:
                    rows = self._all(session, generation)
                else:
                    rows = self._around(session, generation, scope, depth, iso(at) or latest or None, iso(known))
                after = self._ask(session, cypher.READ_STATE)
                if after and after[0]["generation"] == generation:
                    break
            else:
                raise self._restless()
        if not rows:
            raise UnknownEntity(f"the store holds no entity {scope!r}")
        kinds = json.loads(state[0]["columns"])
        graph = EntityGraph.from_tables(**{table: _frame(found, kinds[table]) for table, found in rows.items()})
        stand = at if at is not None else latest if scope is not None and latest else None
        return graph if stand is None else graph.at(stand, known=known)

    def _restless(self) -> StoreUnavailable:
        return StoreUnavailable(f"{self._place} is written to again and again; read when that is over")

    def _all(self, session: Any, generation: str) -> dict[str, list[Any]]:
        rows = {table: self._ask(session, cypher.READ_RECORDS, generation=generation, table=table) for table in RECORDS}
        rows["entities"] = self._ask(session, cypher.READ_ENTITIES, generation=generation)
        rows["relations"] = self._ask(session, cypher.READ_RELATIONS, generation=generation)
        return rows

    def _around(
        self, session: Any, generation: str, scope: str, depth: int, day: str | None, known: str | None
    ) -> dict[str, list[Any]]:
        """Rows within ``depth`` relations of an entity by table; nothing if there is no such entity."""
        start = row_key(generation, scope)
        if not self._ask(session, cypher.READ_SOME_ENTITIES, keys=[start]):
            return {}
        reached, front = {start}, [start]
        for _ in range(depth):
            found = self._ask(session, cypher.STEP, keys=front, generation=generation, day=day, known=known)
            front = sorted({record["key"] for record in found} - reached)
            reached.update(front)
            if not front:
                break
        keys = sorted(reached)
        rows = {table: self._ask(session, cypher.READ_SOME_RECORDS, keys=keys, table=table) for table in RECORDS}
        rows["entities"] = self._ask(session, cypher.READ_SOME_ENTITIES, keys=keys)
        rows["relations"] = self._ask(session, cypher.READ_SOME_RELATIONS, keys=keys, generation=generation)
        return rows

    # -- results -----------------------------------------------------------------------------------------------------

    def _write_results(self, results: pd.DataFrame, run: str) -> None:
        packed, columns = pack(results, "results")
        texts = [json.dumps(row, ensure_ascii=False) for row in packed.to_numpy().tolist()]
        about = json.dumps(columns, ensure_ascii=False)
        token = digest({"results": packed}, about)
        with self._session() as session:
            self._prepare(session)
            state = self._ask(session, cypher.READ_STATE)
            old = self._ask(session, cypher.READ_RUN, run=run)
            for place in range(0, len(texts), BATCH):
                self._tell(
                    session, cypher.WRITE_ROWS, key=row_key(run, token, str(place)), run=run, token=token, place=place,
                    rows=texts[place : place + BATCH],
                )  # fmt: skip
            if state:
                before = json.loads(old[0]["columns"]) if old else columns
                names = [_property(run, name) for name in {*stored_names(before), *packed} - {"entity"}]
                self._unmark(session, state[0]["generation"], names)
                self._mark(session, state[0]["generation"], run, packed, columns)
            # last, so that a write cut off before is not taken for whole
            self._tell(session, cypher.WRITE_RUN, run=run, token=token, columns=about, size=len(texts))
            self._tell(session, cypher.CLEAN_ROWS, run=run, token=token)

    def _unmark(self, session: Any, generation: str, names: list[str]) -> None:
        blank = dict.fromkeys(names)
        while self._tell(
            session, cypher.UNMARK, generation=generation, names=names, blank=blank, batch=BATCH
        )[0]["gone"]:  # fmt: skip
            pass

    def _mark(self, session: Any, generation: str, run: str, packed: pd.DataFrame, columns: list[Column]) -> None:
        """Results as properties of the entities: a value, or a list where an entity has several rows."""
        properties = [(name, _property(run, name)) for name in packed if name != "entity"]
        found: dict[str, dict[str, list[Any]]] = {}
        for row in packed.to_dict("records"):
            values = found.setdefault(row["entity"], {})
            for name, stored in properties:
                if row[name] is not None:
                    values.setdefault(stored, []).append(row[name])
        jobs = [
            {
                "key": row_key(generation, entity),
                "values": {name: many if len(many) > 1 else many[0] for name, many in values.items()},
            }
            for entity, values in found.items()
        ]
        for start in range(0, len(jobs), BATCH):
            self._tell(session, cypher.MARK, rows=jobs[start : start + BATCH])

    def _kept(self, session: Any, run: str) -> tuple[pd.DataFrame, list[Column]]:
        """The rows of a run, packed, and its columns."""
        for _ in range(READS):
            about = self._ask(session, cypher.READ_RUN, run=run)
            if not about:
                return pd.DataFrame({"entity": []}, dtype=object), [("entity", "text", "object")]
            columns = json.loads(about[0]["columns"])
            found = self._ask(session, cypher.READ_ROWS, run=run, token=about[0]["token"])
            rows = [json.loads(text) for record in found for text in record["rows"]]
            if len(rows) == about[0]["size"]:
                return pd.DataFrame(rows, columns=stored_names(columns), dtype=object), columns
        raise self._restless()

    def _results(self, run: str) -> pd.DataFrame:
        with self._session() as session:
            return unpack(*self._kept(session, run))


def _parts(frames: dict[str, pd.DataFrame], present: dict[str, int]) -> list[tuple[str, str, pd.DataFrame]]:
    """Query, table and rows of every batch after those present: entities first, then what hangs on them."""
    numbered = {table: frame.assign(_row=range(len(frame))) for table, frame in frames.items()}
    groups = [("entities", cypher.WRITE_ENTITIES, "entities", numbered["entities"])]
    groups += [
        (str(kind).upper(), cypher.WRITE_RELATIONS[str(kind)], "relations", part)
        for kind, part in numbered["relations"].groupby("kind", sort=False)
    ]
    groups += [(table, cypher.WRITE_RECORDS, table, numbered[table]) for table in RECORDS]
    return [
        (text, table, frame.iloc[start : start + BATCH])
        for name, text, table, frame in groups
        for start in range(present.get(name, 0), len(frame), BATCH)
    ]


def _rows(part: pd.DataFrame, table: str, generation: str) -> list[dict[str, Any]]:
    """Properties of every row, empty ones left out, with the keys of what it is and hangs on."""
    ends = {"relations": ("source", "target")}.get(table, () if table == "entities" else ("entity",))
    found = []
    for values in part.to_dict("records"):
        row = {str(name): value for name, value in values.items() if value is not None}
        name = (row["id"],) if table in ("entities", "relations") else (table, row["id"])
        found.append(
            {"key": row_key(generation, *name), "values": row, **{end: row_key(generation, row[end]) for end in ends}}
        )
    return found


def _frame(records: list[Any], columns: list[Column]) -> pd.DataFrame:
    rows = sorted((record["row"] for record in records), key=lambda row: row["_row"])
    names = stored_names(columns)
    data = {name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names}
    return unpack(pd.DataFrame(data, columns=names), columns)


def _property(run: str, name: str) -> str:
    """Name of the property that holds a column of a run; no run id holds a colon."""
    return f"run:{run}:{name}"


def _place(uri: str) -> str:
    """Scheme, host and port of an address, without what else may stand in it."""
    try:
        parts = urlsplit(uri)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"
