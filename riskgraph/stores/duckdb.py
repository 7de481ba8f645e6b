"""The embedded store: one DuckDB file, no server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskgraph.errors import StoreUnavailable, UnknownEntity
from riskgraph.graph import EntityGraph
from riskgraph.schema import TABLES
from riskgraph.stores._rows import Column, iso, nothing, pack, pack_graph, stored_names, unpack
from riskgraph.stores.base import Store

__all__ = ["DuckDBStore"]

#: files are written in this form, so that older DuckDB versions can read them too
STORAGE_VERSION = "v1.2.0"

ATTACH_TO_WRITE = "ATTACH ? AS store (STORAGE_VERSION '" + STORAGE_VERSION + "')"
ATTACH_TO_READ = "ATTACH ? AS store (READ_ONLY)"
HAS_TABLE = "SELECT count(*) FROM information_schema.tables WHERE table_catalog = 'store' AND table_name = ?"
READ_TABLE = "SELECT * FROM store.{table} ORDER BY _row"
READ_ENTITIES = "SELECT e.* FROM store.entities e JOIN reached USING (id) ORDER BY e._row"
READ_RELATIONS = """
SELECT r.* FROM store.relations r JOIN reached a ON a.id = r.source JOIN reached b ON b.id = r.target ORDER BY r._row
"""
READ_OWNED = "SELECT t.* FROM store.{table} t JOIN reached ON reached.id = t.entity ORDER BY t._row"
#: one step of the walk, over relations in force on a day and known by a day; both ways
STEP = """
INSERT INTO reached SELECT DISTINCT id FROM (
  SELECT r.target AS id FROM store.relations r JOIN reached q ON q.id = r.source WHERE {in_force}
  UNION ALL
  SELECT r.source AS id FROM store.relations r JOIN reached q ON q.id = r.target WHERE {in_force}
) WHERE id NOT IN (SELECT id FROM reached)
"""
IN_FORCE = """
($day IS NULL OR ((r."start" IS NULL OR r."start" <= $day) AND (r."end" IS NULL OR r."end" > $day)))
AND ($known IS NULL OR r.known_from IS NULL OR r.known_from <= $known)
"""


_HOLDER = re.compile(r"lock is held in (?P<program>.*?) ?\(PID (?P<pid>\d+)\)(?: by user (?P<user>[^.\s]+))?")

#: DuckDB lets a process open a file once: threads take turns
_TURN = threading.Lock()


class DuckDBStore(Store):
    """A graph in one DuckDB file. The file is held only while a call runs, so notebooks and scripts can share it.

    Several processes may read at once; a write needs the file for itself.

    Parameters
    ----------
    path
        File to use; made by the first write.

    Raises
    ------
    StoreUnavailable
        Another process is using the file, the disk is full, or the file is no DuckDB file.

    Examples
    --------
    >>> import riskgraph as rg, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with rg.stores.DuckDBStore(pathlib.Path(folder) / "county.duckdb") as store:
    ...         store.write(rg.datasets.toy_chain())
    ...         store.read().equals(rg.datasets.toy_chain())
    True
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"DuckDBStore({str(self.path)!r})"

    @contextmanager
    def _open(self, attach: str) -> Iterator[Any]:
        import duckdb

        settings = {
            # no extension is looked for, loaded or downloaded
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": f"{self.path}.tmp",
        }
        with _TURN:
            connection = duckdb.connect(":memory:", config=settings)
            try:
                if attach == ATTACH_TO_WRITE:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                connection.execute(attach, [str(self.path)])
                yield connection
            except (duckdb.Error, OSError) as error:
                raise StoreUnavailable(self._sentence(str(error))) from error
            finally:
                connection.close()

    def _sentence(self, text: str) -> str:
        """What is wrong and what to do, from the first line of DuckDB's own message."""
        first = text.splitlines()[0]
        holder = _HOLDER.search(first)
        if holder is not None:
            who = f"{Path(holder['program']).name or 'another program'} (process {holder['pid']}"
            who += f", user {holder['user']})" if holder["user"] else ")"
            return f"{self.path} is in use by {who}; close it there and try again"
        if "already attached" in first:
            return f"{self.path} is in use by another connection of this process; close it and try again"
        if any(word in first.lower() for word in ("no space", "could not write", "file too large")):
            return f"{self.path} could not be written: the disk is full; what it held before is still whole ({first})"
        return f"{self.path} cannot be used as a store: {first}"

    def _write(self, graph: EntityGraph) -> None:
        frames, columns, latest = pack_graph(graph)
        with self._open(ATTACH_TO_WRITE) as connection:
            connection.execute("BEGIN")
            for table, kinds in json.loads(columns).items():
                _store(connection, table, frames[table], kinds)
            _store(connection, "about", *pack(pd.DataFrame({"columns": [columns], "latest": [latest]}), "about"))
            connection.execute("COMMIT")

    def _read(self, at: Any, known: Any, scope: str | None, depth: int) -> EntityGraph:
        if not self.path.exists():
            return nothing()
        with self._open(ATTACH_TO_READ) as connection:
            if not _has(connection, "about"):
                return nothing()
            about, latest = connection.execute("SELECT columns, latest FROM store.about").fetchone()
            kinds = json.loads(about)
            queries = {table: READ_TABLE.format(table=table) for table in TABLES}
            if scope is not None:
                self._reach(connection, scope, depth, iso(at) or latest or None, iso(known))
                queries = {table: READ_OWNED.format(table=table) for table in TABLES}
                queries |= {"entities": READ_ENTITIES, "relations": READ_RELATIONS}
            frames = {table: connection.execute(query).df() for table, query in queries.items()}
        tables = {table: unpack(frame, kinds[table]) for table, frame in frames.items()}
        graph = EntityGraph.from_tables(**tables)
        day = at if at is not None else latest if scope is not None and latest else None
        return graph if day is None else graph.at(day, known=known)

    def _reach(self, connection: Any, scope: str, depth: int, day: str | None, known: str | None) -> None:
        """Fill the temporary table ``reached`` with the entities within ``depth`` relations of ``scope``."""
        connection.execute("CREATE TEMP TABLE reached AS SELECT id FROM store.entities WHERE id = ?", [scope])
        if not connection.execute("SELECT count(*) FROM reached").fetchone()[0]:
            raise UnknownEntity(f"the store holds no entity {scope!r}")
        for _ in range(depth):
            connection.execute(STEP.format(in_force=IN_FORCE), {"day": day, "known": known})

    def _write_results(self, results: pd.DataFrame, run: str) -> None:
        with self._open(ATTACH_TO_WRITE) as connection:
            connection.execute("BEGIN")
            connection.execute("CREATE TABLE IF NOT EXISTS store.results (run VARCHAR, columns VARCHAR, rows VARCHAR)")
            connection.execute("DELETE FROM store.results WHERE run = ?", [run])
            packed, kinds = pack(results, "results")
            rows = json.dumps(packed.to_numpy().tolist(), ensure_ascii=False)
            connection.execute("INSERT INTO store.results VALUES (?, ?, ?)", [run, json.dumps(kinds), rows])
            connection.execute("COMMIT")

    def _results(self, run: str) -> pd.DataFrame:
        empty = pd.DataFrame({"entity": []}, dtype=object)
        if not self.path.exists():
            return empty
        with self._open(ATTACH_TO_READ) as connection:
            query = "SELECT columns, rows FROM store.results WHERE run = ?"
            row = connection.execute(query, [run]).fetchone() if _has(connection, "results") else None
        if not row:
            return empty
        kinds = json.loads(row[0])
        frame = pd.DataFrame(json.loads(row[1]), columns=stored_names(kinds), dtype=object)
        return unpack(frame, kinds)


def _store(connection: Any, table: str, frame: pd.DataFrame, kinds: list[Column]) -> None:
    """Replace one table. Names of columns are quoted; every value goes in as a value."""
    types = {"number": "DOUBLE", "integer": "BIGINT", "truth": "BOOLEAN"}
    data: dict[str, Any] = {"_row": np.arange(len(frame))}
    columns, picks = ["_row BIGINT"], ["_row"]
    for name, (_, kind, _) in zip(frame, kinds, strict=True):
        data[name] = frame[name].astype(float if kind == "number" else object if kind in types else "string")
        columns.append(f"{_quoted(name)} {types.get(kind, 'VARCHAR')}")
        # DuckDB takes a NaN of a frame for a number: here it means that nothing is known
        picks.append(f"nullif({_quoted(name)}, 'NaN'::DOUBLE)" if kind == "number" else _quoted(name))
    connection.execute(f"CREATE OR REPLACE TABLE store.{table} ({', '.join(columns)})")
    if len(frame):
        connection.register("incoming", pd.DataFrame(data))
        connection.execute(f"INSERT INTO store.{table} SELECT {', '.join(picks)} FROM incoming ORDER BY _row")
        connection.unregister("incoming")


def _has(connection: Any, table: str) -> bool:
    row = connection.execute(HAS_TABLE, [table]).fetchone()
    return bool(row and row[0])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
