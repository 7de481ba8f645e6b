"""The small file ``tables.json`` beside written tables: what each column holds, so that reading gives the same back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph._cells import as_numbers
from riskgraph._sheet import DATES
from riskgraph.errors import InvalidTable
from riskgraph.schema import FACT_TYPES, TABLES

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.readers._files import RawTable
    from riskgraph.readers._intake import Intake

__all__ = ["MANIFEST", "Manifest", "decode_column", "encode_column", "read_manifest", "sha256_of", "type_of"]

MANIFEST = "tables.json"
_FORMAT = "riskgraph tables"
_OTHER = "{} is not the file of this writing: it was changed since, or the writing was cut short"
#: fact types whose values are read by the type of the fact
_PLAIN_FACTS = ("boolean", "number", "level")
#: columns of the contract that the readers type themselves
_TYPED = frozenset(
    {*DATES, "share_min", "share_max", "votes_min", "votes_max", "amount", "capital", "confidence", "severity", "value"}
)


@dataclass(frozen=True)
class Manifest:
    """Types of the columns of every table, types of the values of every fact, and the day the graph stood at."""

    tables: Mapping[str, Mapping[str, Any]]
    valid_on: str | None = None
    known_by: str | None = None
    #: name → hash of other files of the same writing
    beside: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The manifest as JSON."""
        about = {
            "format": _FORMAT,
            "version": 1,
            "valid_on": self.valid_on,
            "known_by": self.known_by,
            "tables": self.tables,
        }
        if self.beside:
            about["beside"] = self.beside
        return json.dumps(about, ensure_ascii=False, indent=1) + "\n"

    def names(self, table: str, raw: RawTable) -> bool:
        """Whether a table comes from the file that it was written to."""
        return table in self.tables and self.tables[table]["file"] == raw.name

    def compare(self, folder: Path, raws: Mapping[str, RawTable], intake: Intake) -> None:
        """Report tables that are gone, that come from another file, and files that are not as they were written."""
        for table, about in self.tables.items():
            raw, file = raws.get(table), about["file"]
            if raw is None:
                intake.note("files", [file], "", f"{table} was written as {file} and is not here")
                continue
            rows = raw.count
            if raw.name != file:
                text = f"{table} was written as {file} and was read from {raw.name}"
            elif rows != about["rows"]:
                text = f"{table} was written with {about['rows']} rows and now has {rows}"
            elif about["sha256"] is not None and not _holds(folder, file, about["sha256"]):
                text = _OTHER.format(file)
            else:
                continue
            intake.note("files", [raw.name], "", text)
        for file, sha256 in self.beside.items():
            if not _holds(folder, file, sha256):
                intake.note("files", [file], "", _OTHER.format(file))

    def restore(self, table: str, frame: pd.DataFrame) -> pd.DataFrame:
        """The columns as they were written; those the readers type by themselves stay as they came."""
        types = self.tables[table]["columns"]
        frame = frame.copy()
        for column in frame:
            if column in _TYPED:
                values = frame[column].astype(object)
                frame[column] = values.where(values.notna() & (values != ""), None)
            else:
                frame[column] = decode_column(frame[column], types.get(column, "text"))
        return frame

    def restore_facts(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Fact values of the type they were written with."""
        types = self.tables["facts"].get("facts", {})
        frame = frame.copy()
        values = frame["value"].astype(object)
        for name, rows in frame.groupby("fact", sort=False).groups.items():
            if name in types:
                values[rows] = decode_column(values[rows], types[name]).astype(object)
        frame["value"] = values
        return frame

    def dated(self, graph: EntityGraph) -> EntityGraph:
        """The graph on the day it stood at when it was written."""
        return graph if self.valid_on is None else graph.at(self.valid_on, known=self.known_by)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder of tables, None where there is none.

    Raises
    ------
    InvalidTable
        The file is there and is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file() or path.is_symlink():
        return None
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(about, dict) or about.get("format") != _FORMAT:
            return None
        tables = {
            name: {"file": str(table["file"]), "rows": int(table["rows"]), "columns": dict(table["columns"]),
                   "facts": dict(table.get("facts", {})), "sha256": table.get("sha256")}
            for name, table in about["tables"].items() if name in TABLES
        }  # fmt: skip
        return Manifest(tables, about.get("valid_on"), about.get("known_by"), dict(about.get("beside", {})))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidTable(f"{MANIFEST} is damaged ({error}); delete it to read the tables without it") from error


def sha256_of(path: Path) -> str:
    """Hash of the bytes of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _holds(folder: Path, name: str, sha256: str) -> bool:
    path = folder / name
    inside = Path(name).name == name and path.resolve().parent == folder.resolve()
    return inside and path.is_file() and sha256_of(path) == sha256


# -- one column there and back ---------------------------------------------------------------------------------------


def type_of(values: pd.Series) -> str:
    """What a column holds: text, number, integer, boolean, date or, mixed, json."""
    if pd.api.types.is_bool_dtype(values):
        return "boolean"
    if pd.api.types.is_integer_dtype(values):
        return "integer"
    if pd.api.types.is_float_dtype(values):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "json" if isinstance(values.dtype, pd.DatetimeTZDtype) else "date"
    filled = values[values.notna()]
    if all(isinstance(value, str) for value in filled):
        return "json" if (filled == "").any() else "text"
    if all(isinstance(value, (bool, np.bool_)) for value in filled):
        return "boolean"
    if all(isinstance(value, (int, float, np.number)) and not isinstance(value, bool) for value in filled):
        return "number"
    if all(isinstance(value, (pd.Timestamp, np.datetime64)) and pd.Timestamp(value).tz is None for value in filled):
        return "date"
    return "json"


def encode_column(values: pd.Series, kind: str) -> pd.Series:
    """Cells as text, None where missing."""
    writers: dict[str, Callable[[Any], str]] = {
        "number": _number,
        "integer": lambda value: str(int(value)),
        "date": _moment,
        "json": _json,
        "boolean": lambda value: "true" if value else "false",
    }
    if kind == "text":
        return values.astype(object).where(values.notna(), None)
    one = writers[kind]
    missing = values.isna().to_numpy()
    cells = values.astype(object).to_numpy()
    return pd.Series(
        [None if gone else one(value) for value, gone in zip(cells, missing, strict=True)],
        index=values.index,
        dtype=object,
    )


def decode_column(values: pd.Series, kind: str) -> pd.Series:
    """The inverse of :func:`encode_column`; a column that is no longer what was written stays text."""
    values = values.astype(object)
    values = values.where(values.notna() & (values != ""), None)
    missing = values.isna()
    try:
        if kind == "number":
            numbers, bad = as_numbers(values)
            if not bad.any():
                return pd.Series(numbers, index=values.index)
        if kind == "integer":
            return pd.to_numeric(values).astype("Int64" if missing.any() else "int64")
        if kind == "boolean":
            truth = values.map({"true": True, "false": False, True: True, False: False})
            if (truth.isna() == missing).all():
                return truth if missing.any() else truth.astype(bool)
        if kind == "date":
            return pd.to_datetime(values, format="ISO8601")
        if kind == "json":
            return pd.Series(
                [None if gone else _from_json(value) for value, gone in zip(values, missing, strict=True)],
                index=values.index,
                dtype=object,
            )
    except (ValueError, TypeError):
        pass
    return values


def _number(value: Any) -> str:
    return repr(float(value))


def _moment(value: Any) -> str:
    moment = pd.Timestamp(value)
    return moment.date().isoformat() if moment == moment.normalize() else moment.isoformat()


def _json(value: Any) -> str:
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return json.dumps({"moment": pd.Timestamp(value).isoformat()})
    if isinstance(value, np.generic):
        value = value.item()
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return json.dumps(str(value), ensure_ascii=False)


def _from_json(text: str) -> Any:
    value = json.loads(text)
    return pd.Timestamp(value["moment"]) if isinstance(value, dict) and set(value) == {"moment"} else value


def fact_types(facts: pd.DataFrame) -> dict[str, str]:
    """Type of the values of every fact that is not read by the type of the fact itself."""
    others = facts[~facts["fact"].map(FACT_TYPES).isin(_PLAIN_FACTS)]
    return {str(name): type_of(values) for name, values in others.groupby("fact", sort=False)["value"]}
