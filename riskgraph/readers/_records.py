"""Records of JSON files, one a line or in an array, each with its place; and rows on their way to the tables."""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._files import data_files, text_bytes
from riskgraph.readers._intake import Intake

__all__ = ["JSON_SUFFIXES", "Record", "Rows", "as_list", "as_text_or_none", "load_records"]

#: longer marks first: that of UTF-16 begins that of UTF-32
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
#: the escape of one half of a character pair
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
JSON_SUFFIXES = (".json", ".jsonl", ".ndjson", ".ijson", ".json.gz", ".jsonl.gz")


class Record(NamedTuple):
    """One JSON object and where it stands: ``file:line`` or ``file[position]``."""

    label: str
    data: dict[str, Any]


def load_records(
    path: str | os.PathLike[str], intake: Intake, table: str, *, suffixes: tuple[str, ...] = JSON_SUFFIXES
) -> list[Record]:
    """Objects of a JSON file or of every JSON file of a folder; lines that are none are set aside.

    Raises
    ------
    InvalidTable
        There is no JSON file, or one that holds no object at all.
    """
    files, left = data_files(Path(path), suffixes)
    for name, reason in left:
        frame = pd.DataFrame({"file": [name]}, index=pd.Index([name], dtype=object))
        intake.reject("files", frame, "", f"{name} {reason}")
    if not files:
        raise InvalidTable(f"{str(path)!r} holds no JSON file ({', '.join(suffixes)})")
    records: list[Record] = []
    for file in files:
        records += _file_records(file, intake, table)
    return records


def _file_records(file: Path, intake: Intake, table: str) -> list[Record]:
    data = _as_utf8(text_bytes(file), file.name)
    records = _parsed(data, file, intake, table)
    return _unbroken(records, intake, table) if _HALF.search(data) else records


def _parsed(data: bytes, file: Path, intake: Intake, table: str) -> list[Record]:
    try:
        whole = json.loads(data)
    except RecursionError as error:
        raise InvalidTable(f"{file.name} is nested too deeply to be data") from error
    except ValueError as error:
        if data.lstrip()[:1] == b"[" and b"\n{" not in data:
            raise InvalidTable(f"{file.name} is no valid JSON: {error}") from error
        return _line_records(file, data, intake, table)
    if isinstance(whole, list):
        return list(_objects(whole, file.name, intake, table))
    if isinstance(whole, dict):
        return [Record(f"{file.name}:1", whole)]
    raise InvalidTable(f"{file.name} holds no JSON object")


def _unbroken(records: list[Record], intake: Intake, table: str) -> list[Record]:
    """Records in which halves of a character pair, which no file can hold as text, are the mark of a lost character."""
    found = []
    for record in records:
        text = json.dumps(record.data, ensure_ascii=False)
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if whole != text:
            intake.note(table, record.label, "", "half of a character pair; written as \ufffd", "repaired")
        found.append(record if whole == text else Record(record.label, json.loads(whole)))
    return found


def _as_utf8(data: bytes, name: str) -> bytes:
    """Bytes of a file that a mark at its beginning may call UTF-16 or UTF-32."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            try:
                return data.removeprefix(mark).decode(encoding).encode()
            except UnicodeError as error:
                raise InvalidTable(f"{name} begins as {encoding} and is none: {error}") from error
    return data.removeprefix(codecs.BOM_UTF8)


def _objects(items: list[Any], name: str, intake: Intake, table: str) -> Iterator[Record]:
    for place, item in enumerate(items, start=1):
        if isinstance(item, dict):
            yield Record(f"{name}[{place}]", item)
        else:
            _set_aside(intake, table, f"{name}[{place}]", "no JSON object", repr(item))


def _line_records(file: Path, data: bytes, intake: Intake, table: str) -> list[Record]:
    records, bad = [], []
    for number, line in enumerate(data.split(b"\n"), start=1):
        text = line.strip().rstrip(b",")
        if text in (b"", b"[", b"]"):
            continue
        label = f"{file.name}:{number}"
        try:
            item = json.loads(text)
        except (ValueError, RecursionError) as error:
            bad.append((label, f"no valid JSON: {str(error)[:80]}", line))
            continue
        if isinstance(item, dict):
            records.append(Record(label, item))
        else:
            bad.append((label, "no JSON object", line))
    if not records:
        raise InvalidTable(
            f"{file.name} holds no JSON object that can be read; its first line: {bad[0][1] if bad else ''}"
        )
    for label, problem, line in bad:
        _set_aside(intake, table, label, problem, line.decode("utf-8", errors="replace"))
    return records


def _set_aside(intake: Intake, table: str, label: str, problem: str, text: str) -> None:
    frame = pd.DataFrame({"line_text": [text[:131_072]]}, index=pd.Index([label], dtype=object))
    intake.reject(table, frame, "line", [f"{problem}: {text[:60]!r}"])


def as_list(value: Any) -> list[Any]:
    """A value as a list: none is empty, one is one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_text_or_none(value: Any) -> str | None:
    """Text of a scalar, None for anything empty or nested."""
    if value is None or isinstance(value, (dict, list)):
        return None
    text = str(value).strip()
    return text or None


class Rows:
    """Rows of the five tables while a reader collects them, each with its label."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._labels: dict[str, list[Any]] = {}

    def add(self, table: str, label: Any, **cells: Any) -> None:
        """One row."""
        self._rows.setdefault(table, []).append(cells)
        self._labels.setdefault(table, []).append(label)

    def leave_out(
        self,
        table: str,
        label: Any,
        column: str,
        problem: str,
        cells: Mapping[str, Any] | None = None,
        *,
        repeat: bool = False,
    ) -> None:
        """A row that cannot stand in the graph, or only says again what others say (``repeat``)."""
        frame = pd.DataFrame([dict(cells or {})], index=pd.Index([label], dtype=object), dtype=object)
        if repeat:
            self.intake.fold_in(table, frame, column, [problem])
        else:
            self.intake.reject(table, frame, column, [problem])

    def ids(self) -> set[str]:
        """Ids of the entities so far."""
        return {row["id"] for row in self._rows.get("entities", [])}

    def graph(self, on_error: str) -> EntityGraph:
        """Graph of the rows; dates are read as people write them."""
        frames = {}
        for table in ("entities", "relations", "cases", "licences", "facts"):
            rows = self._rows.get(table, [])
            if not rows:
                continue
            columns = list(dict.fromkeys(column for row in rows for column in row))
            frame = pd.DataFrame(
                {column: pd.Series([row.get(column) for row in rows], dtype=object) for column in columns}
            )
            frame.index = pd.Index(self._labels[table], dtype=object)
            for column in ("share_min", "share_max", "votes_min", "votes_max", "amount", "confidence"):
                if column in frame:
                    frame[column] = pd.to_numeric(frame[column]).astype(float)
            frames[table] = self.intake.dates(table, frame, ["start", "end", "known_from"], leave=table == "entities")
        for table, needed in (("entities", ["id", "kind"]), ("relations", ["source", "target", "kind"])):
            if table not in frames:
                frames[table] = pd.DataFrame(columns=needed, dtype=object)
        for table in ("entities", "relations", "cases", "licences", "facts"):
            if table in frames:
                frames[table] = self._in_order(table, frames[table])
        return self.intake.graph(frames, on_error)

    def _in_order(self, table: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows whose end is not after their start are left out here, with the dates that came."""
        if table == "entities" and {"start", "end"} <= set(frame):
            crossed = (frame["end"] <= frame["start"]).to_numpy()
            if crossed.any():
                self.intake.note(
                    table, frame.index[crossed], "end", "the end is not after the start; left open", "repaired"
                )
                frame = frame.assign(end=np.where(crossed, np.datetime64("NaT", "s"), frame["end"].to_numpy()))
        return frame
