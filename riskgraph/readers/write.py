"""A graph as tables in a folder, CSV or Parquet, that :func:`read_tables` reads back unchanged."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from riskgraph._files import replacing_together
from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._delimited import MAX_FIELD
from riskgraph.readers._manifest import MANIFEST, Manifest, encode_column, fact_types, read_manifest, sha256_of, type_of
from riskgraph.schema import FACT_TYPES, TABLES

__all__ = ["tables_aside", "write_tables"]

_SQL = {
    "text": "VARCHAR",
    "json": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "TIMESTAMP",
}


def write_tables(
    graph: EntityGraph, folder: str | os.PathLike[str], *, format: Literal["csv", "parquet"] = "csv"
) -> Path:
    """Write the five tables of a graph into a folder, and ``tables.json`` that says what each column holds.

    Everything known to the graph is written, in force or not, with its values unchanged; :func:`read_tables` gives an
    equal graph back, standing at the same day. Cells that begin with ``=`` stay as they are: this is a format for
    exchange, not for opening in a spreadsheet.

    All files are written aside and flushed to the disk before the first of them is renamed, so that a failure, a full
    disk or a kill leaves the earlier tables as they were. One window is left: a kill or a loss of power between the
    six renames leaves new files beside old ones. ``tables.json`` is renamed first and holds the hash of every other
    file, so that ``quality`` of what is read from such a folder names the files that are not of this writing; writing
    again makes it whole.

    Parameters
    ----------
    folder
        Made if it is missing. Tables of an earlier writing are replaced.
    format
        ``"csv"`` (UTF-8, comma) or ``"parquet"``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InvalidParameter
        An unknown format.
    InvalidTable
        What CSV cannot hold: a zero byte, more than 131,072 characters, or a lone surrogate inside a list or the like.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["ann", "mine"], "kind": ["person", "company"]}),
    ...     pd.DataFrame({"source": ["ann"], "target": ["mine"], "kind": ["owns"], "share": [1 / 3]}),
    ... )
    >>> folder = rg.readers.write_tables(graph, tempfile.mkdtemp())
    >>> rg.readers.read_tables(folder).relations["share_min"].tolist() == [1 / 3]
    True
    """
    if format not in ("csv", "parquet"):
        raise InvalidParameter(f"'format' must be 'csv' or 'parquet'; got {format!r}")
    place = Path(folder)
    before = read_manifest(place)
    with replacing_together(place) as aside:
        written = tables_aside(graph, aside, format)
    for old in {table["file"] for table in before.tables.values()} - written if before else ():
        if Path(old).name == old:
            (place / old).unlink(missing_ok=True)
    return place


def tables_aside(
    graph: EntityGraph, aside: Callable[[str], Path], format: str, beside: Mapping[str, str] | None = None
) -> set[str]:
    """Write tables, manifest, and texts beside them, where ``aside`` says; gives back their names.

    The manifest, which tells the hashes of all others, is asked for first.
    """
    place = aside(MANIFEST)
    about: dict[str, dict[str, Any]] = {}
    for table in TABLES:
        frame = _frame(graph, table)
        types = {str(column): type_of(frame[column]) for column in frame}
        name = f"{table}.{format}"
        about[table] = {"file": name, "rows": len(frame), "columns": types}
        if table == "facts":
            about[table]["facts"] = fact_types(frame)
            frame["value"] = _fact_values(frame, about[table]["facts"])
            types["value"] = "text"
        path = aside(name)
        if format == "csv":
            _write_csv(frame, types, path, name)
        else:
            _write_parquet(frame, types, path)
        about[table]["sha256"] = sha256_of(path)
    dated = graph.known_by is not None or graph.valid_on != graph.latest
    hashes = {}
    for name, text in (beside or {}).items():
        aside(name).write_text(text, encoding="utf-8", newline="\n")
        hashes[name] = hashlib.sha256(text.encode()).hexdigest()
    valid_on, known_by = (_day(day) if dated else None for day in (graph.valid_on, graph.known_by))
    manifest = Manifest(about, valid_on, known_by, hashes)
    place.write_text(manifest.text(), encoding="utf-8", newline="\n")
    return {MANIFEST, *hashes, *(table["file"] for table in about.values())}


def _day(day: pd.Timestamp | None) -> str | None:
    return None if day is None else day.date().isoformat()


def _frame(graph: EntityGraph, table: str) -> pd.DataFrame:
    """All that is known, without the columns of the contract that are empty."""
    frame = graph.known(table)
    if table == "entities":
        frame = frame.drop(columns="ended")
    optional = [column for column in TABLES[table].optional if column in frame and column != "id"]
    empty = [column for column in optional if frame[column].isna().all()]
    return frame.drop(columns=empty).reset_index(drop=True)


def _fact_values(facts: pd.DataFrame, types: dict[str, str]) -> pd.Series:
    values = facts["value"].astype(object)
    plain = facts["fact"].map(FACT_TYPES)
    texts = pd.Series(None, index=facts.index, dtype=object)
    for name, rows in facts.groupby("fact", sort=False).groups.items():
        cells = values[rows]
        if name in types:
            texts[rows] = encode_column(cells, types[name])
        else:
            texts[rows] = [_plain(value) for value in cells]
    return texts.where(plain.notna() | texts.notna(), None)


def _plain(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return repr(float(value)) if isinstance(value, (int, float, np.number)) else str(value)


def _write_csv(frame: pd.DataFrame, types: dict[str, str], path: Path, name: str) -> None:
    texts = pd.DataFrame({column: encode_column(frame[column], types[column]) for column in frame}, index=frame.index)
    for column in texts:
        cells = texts[column].dropna()
        wrong = cells[cells.str.contains("\x00", regex=False) | (cells.str.len() > MAX_FIELD)] if len(cells) else cells
        if len(wrong):
            raise InvalidTable(
                f"{name} cannot hold row {wrong.index[0]}, column {column}: a zero byte, or more than {MAX_FIELD:,} "
                "characters; write Parquet"
            )
    try:
        texts.to_csv(path, index=False, encoding="utf-8", lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    except UnicodeEncodeError as error:
        raise InvalidTable(
            f"{name} cannot hold {error.object[error.start : error.end]!r}: it is no Unicode text"
        ) from error


def _write_parquet(frame: pd.DataFrame, types: dict[str, str], path: Path) -> None:
    import duckdb

    typed = pd.DataFrame(index=frame.index)
    for column in frame:
        values = frame[column]
        typed[column] = encode_column(values, types[column]) if types[column] in ("text", "json") else values
    select = ", ".join(
        f'CAST("{_double(column)}" AS {_SQL[types[column]]}) AS "{_double(column)}"' for column in map(str, typed)
    )
    target = str(path).replace("'", "''")
    connection = duckdb.connect()
    try:
        # every text column is looked at in full: an early run of empty cells must not decide its type
        connection.execute("SET pandas_analyze_sample = 0")
        connection.register("given", typed)
        connection.execute(f"COPY (SELECT {select} FROM given) TO '{target}' (FORMAT parquet)")
    finally:
        connection.close()


def _double(name: str) -> str:
    return name.replace('"', '""')
