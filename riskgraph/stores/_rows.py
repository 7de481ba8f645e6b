"""Frames as rows a database can hold, and back, losing nothing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.schema import TABLES

__all__ = ["kind_of", "pack", "union", "unpack"]


def kind_of(values: pd.Series) -> str:
    """How a column is stored: text, number, integer, truth, date or json."""
    if pd.api.types.is_bool_dtype(values):
        return "truth"
    if pd.api.types.is_integer_dtype(values):
        return "integer"
    if pd.api.types.is_float_dtype(values):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    filled = values.dropna()
    return "text" if all(isinstance(value, str) for value in filled) else "json"


def pack(frame: pd.DataFrame, table: str) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Frame of texts, numbers and truths with empty cells as None, and how each column was stored."""
    kinds = [(str(name), kind_of(frame[name])) for name in frame]
    packed = {}
    for name, kind in kinds:
        values = frame[name]
        empty = values.isna().to_numpy()
        if kind == "date":
            column = values.dt.strftime("%Y-%m-%d").astype(object).to_numpy()
        elif kind == "json":
            column = np.array(
                [None if blank else _json(value, table, name) for value, blank in zip(values, empty, strict=True)],
                dtype=object,
            )
        else:
            column = values.astype(object).to_numpy()
        packed[name] = np.where(empty, None, column)
    return pd.DataFrame(packed, dtype=object), kinds


def _json(value: Any, table: str, column: str) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        if hasattr(value, "isoformat"):
            return json.dumps({"date": value.isoformat()})
        raise InvalidTable(
            f"{table}, column {column}: {value!r} cannot be stored; use text, numbers or truths"
        ) from None


def unpack(frame: pd.DataFrame, kinds: list[tuple[str, str]]) -> pd.DataFrame:
    """The frame that :func:`pack` was given."""
    columns: dict[str, pd.Series] = {}
    for name, kind in kinds:
        values = frame[name].astype(object) if name in frame else pd.Series([None] * len(frame), dtype=object)
        values = values.where(values.notna(), None)
        if kind == "date":
            columns[name] = pd.to_datetime(values, format="%Y-%m-%d").astype("datetime64[s]")
        elif kind == "number":
            columns[name] = values.astype(float)
        elif kind == "integer":
            columns[name] = values.astype(np.int64)
        elif kind == "truth":
            columns[name] = values.astype(bool)
        elif kind == "json":
            columns[name] = pd.Series([_value(value) for value in values], dtype=object)
        else:
            columns[name] = values
    return pd.DataFrame(columns)


def _value(text: Any) -> Any:
    if text is None:
        return None
    value = json.loads(text)
    return pd.Timestamp(value["date"]) if isinstance(value, dict) and set(value) == {"date"} else value


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
