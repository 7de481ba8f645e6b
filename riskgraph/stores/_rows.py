"""Frames as rows a database can hold, and back, losing nothing."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.schema import TABLES

__all__ = [
    "Column",
    "RECORDS",
    "digest",
    "iso",
    "nothing",
    "pack",
    "pack_graph",
    "row_key",
    "stored_names",
    "union",
    "unpack",
]

#: name of a column, how its values are stored, and its dtype in the frame
Column = tuple[str | int, str, str]

#: the tables whose rows hang on an entity
RECORDS = tuple(table for table in TABLES if table not in ("entities", "relations"))

_BLOCK = 5000
_DATE = "riskgraph:date"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _kind(values: pd.Series) -> str:
    """How a column is stored: text, number, integer, truth, date, time or json."""
    if pd.api.types.is_bool_dtype(values):
        return "truth"
    if pd.api.types.is_integer_dtype(values):
        return "integer" if values.dtype != np.uint64 else "json"
    if pd.api.types.is_float_dtype(values):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(values):
        filled = values.dropna()
        return "date" if values.dt.tz is None and (filled == filled.dt.normalize()).all() else "time"
    return "text" if pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty") else "json"


def pack(frame: pd.DataFrame, table: str) -> tuple[pd.DataFrame, list[Column]]:
    """Frame of texts, numbers and truths with empty cells as None, and what its columns were.

    The columns of the packed frame have names that any database takes, see :func:`stored_names`.
    """
    kinds = [
        (name if isinstance(name, int) else str(name), _kind(frame[name]), str(frame[name].dtype)) for name in frame
    ]
    packed = {}
    for (_, kind, _), name, stored in zip(kinds, frame, stored_names(kinds), strict=True):
        values = frame[name]
        empty = values.isna().to_numpy()
        if kind == "date":
            column = values.dt.strftime("%Y-%m-%d").astype(object).to_numpy()
        elif kind in ("time", "json"):
            write = _json if kind == "json" else lambda value, *_: value.isoformat()
            column = np.array(
                [None if blank else write(value, table, name) for value, blank in zip(values, empty, strict=True)],
                dtype=object,
            )
        else:
            column = values.astype(object).to_numpy()
        packed[stored] = np.where(empty, None, column)
    return pd.DataFrame(packed, index=frame.index, dtype=object), kinds


def pack_graph(graph: EntityGraph) -> tuple[dict[str, pd.DataFrame], str, str]:
    """The five tables packed, what their columns were as a text, and the newest day in them (empty if undated)."""
    frames, columns = {}, {}
    for table, frame in graph.tables().items():
        frames[table], columns[table] = pack(frame, table)
    return frames, json.dumps(columns, ensure_ascii=False, sort_keys=True), iso(graph.latest) or ""


def stored_names(columns: list[Column]) -> list[str]:
    """Names of columns in a database: none empty, no two alike whatever their case, none that begins as ours do.

    Examples
    --------
    >>> stored_names([("id", "text", "object"), ("Note", "text", "object"), ("note", "text", "object")])
    ['id', 'Note~2', 'note']
    >>> stored_names([("_row", "integer", "int64"), ("", "text", "object")])
    ['__row', '_']
    """
    names = [_CONTROL.sub("_", str(name)) for name, _, _ in columns]
    found, taken = [""] * len(names), set()
    for place in sorted(range(len(names)), key=lambda place: names[place] != names[place].lower()):
        name = names[place]
        plain = name = f"_{name}" if not name or name.startswith(("_", "run:")) else name
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}~{number}"
        taken.add(name.lower())
        found[place] = name
    return found


def _json(value: Any, table: str, column: str) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, pd.Timedelta) and hasattr(value, "isoformat"):
        return json.dumps({_DATE: value.isoformat()})
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        raise InvalidTable(
            f"{table}, column {column}: {value!r} cannot be stored; use text, numbers or truths"
        ) from None


def unpack(frame: pd.DataFrame, columns: list[Column]) -> pd.DataFrame:
    """The frame that :func:`pack` was given."""
    found: dict[str | int, pd.Series] = {}
    for (name, kind, dtype), stored in zip(columns, stored_names(columns), strict=True):
        values = frame[stored].astype(object)
        values = values.where(values.notna(), None)
        if kind == "date":
            values = pd.to_datetime(values, format="%Y-%m-%d")
        elif kind == "time":
            values = pd.to_datetime(values, format="ISO8601", utc="," in dtype)
        elif kind == "json":
            values = pd.Series([_value(value) for value in values], dtype=object)
        found[name] = values.astype(dtype)
    return pd.DataFrame(found)


def _value(text: Any) -> Any:
    if text is None:
        return None
    value = json.loads(text)
    return pd.Timestamp(value[_DATE]) if isinstance(value, dict) and set(value) == {_DATE} else value


def digest(frames: dict[str, pd.DataFrame], about: str) -> str:
    """Name of packed tables: equal ones have equal names, others have not."""
    found = hashlib.sha256(about.encode())
    for table, frame in frames.items():
        found.update(f"{table} {len(frame)}".encode())
        for start in range(0, len(frame), _BLOCK):
            found.update(json.dumps(frame.iloc[start : start + _BLOCK].to_numpy().tolist()).encode())
    return found.hexdigest()[:32]


def row_key(*parts: str) -> str:
    """Key of a row in one generation: short whatever the id, since an index takes no more than 8 kB."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def iso(day: Any) -> str | None:
    """A day as it is stored."""
    return None if day is None else f"{pd.Timestamp(day):%Y-%m-%d}"


def nothing() -> EntityGraph:
    """What a store holds before the first write."""
    relations = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)
    return EntityGraph.from_tables(pd.DataFrame({"id": [], "kind": []}, dtype=object), relations)


def union(old: EntityGraph, new: EntityGraph) -> dict[str, pd.DataFrame]:
    """Tables of both graphs: a newer entity replaces the older; identical rows of the other tables count once.

    Relations, cases, licences and facts keep ids of their own; where two different rows claim one id, the newer row
    gets a fresh one.
    """
    left, right = old.tables(), new.tables()
    merged = {}
    for table in TABLES:
        a, b = left[table], right[table]
        if table == "entities":
            merged[table] = pd.concat([a[~a["id"].isin(b["id"])], b], ignore_index=True)
            continue
        content = [name for name in dict.fromkeys((*a.columns, *b.columns)) if name != "id"]
        keys_a, keys_b = (_content(frame.reindex(columns=content)) for frame in (a, b))
        fresh = b[~keys_b.isin(set(keys_a)).to_numpy()].copy()
        fresh["id"] = _apart(fresh["id"].tolist(), set(a["id"]))
        merged[table] = pd.concat([a, fresh], ignore_index=True) if len(fresh) else a
    return merged


def _content(frame: pd.DataFrame) -> pd.Series:
    """One text a row that is equal exactly when the rows are."""
    return (
        frame.astype(object).where(frame.notna(), None).map(repr).agg("\x1f".join, axis=1)
        if len(frame)
        else pd.Series(dtype=object)
    )


def _apart(ids: list[str], taken: set[str]) -> list[str]:
    found = []
    for id in ids:
        number, name = 1, id
        while name in taken:
            number += 1
            name = f"{id}~{number}"
        taken.add(name)
        found.append(name)
    return found
