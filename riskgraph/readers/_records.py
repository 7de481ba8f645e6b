"""Records of JSON files, one a line or in an array, each with its place; and rows on their way to the tables."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._optional import progress
from riskgraph.errors import InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._files import data_files, text_bytes
from riskgraph.readers._intake import Intake

__all__ = ["JSON_SUFFIXES", "MANY_LINES", "Record", "Rows", "as_list", "as_text_or_none", "load_records"]

#: longer marks first: that of UTF-16 begins that of UTF-32
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
#: rows of a table, and bytes of lines, from which reading shows how far it has come
MANY_LINES = 50_000
_MANY_BYTES = 20 << 20
_LONGEST_LINE = 16 << 20
#: one half of a character pair, as an escape and as bytes
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_RAW_HALF = re.compile(rb"\xed[\xa0-\xbf]")
JSON_SUFFIXES = (".json", ".jsonl", ".ndjson", ".ijson", ".json.gz", ".jsonl.gz")


class Record(NamedTuple):
    """One JSON object and where it stands: ``file:line`` or ``file[position]``."""

    label: str
    data: dict[str, Any]


def load_records(
    path: str | os.PathLike[str], intake: Intake, table: str, *, suffixes: tuple[str, ...] = JSON_SUFFIXES
) -> Iterator[Record]:
    """Objects of a JSON file or of every JSON file of a folder, one after the other; lines that are none are set aside.

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
    for file in files:
        if _is_lines(file):
            yield from _line_records(_lines(file), file, intake, table)
        else:
            yield from _parsed(_as_utf8(text_bytes(file), file.name), file, intake, table)


def _parsed(data: bytes, file: Path, intake: Intake, table: str) -> Iterator[Record]:
    try:
        whole = json.loads(data)
    except RecursionError as error:
        raise InvalidTable(f"{file.name} is nested too deeply to be data") from error
    except ValueError as error:
        if data.lstrip()[:1] == b"[" and b"\n{" not in data:
            raise InvalidTable(f"{file.name} is no valid JSON: {error}") from error
        return _line_records(io.BytesIO(data), file, intake, table)
    if isinstance(whole, dict):
        records = iter([Record(f"{file.name}:1", whole)])
    elif isinstance(whole, list):
        records = _objects(whole, file.name, intake, table)
    else:
        raise InvalidTable(f"{file.name} holds no JSON object")
    return (_unbroken(record, intake, table) for record in records) if _may_hold_halves(data) else records


def _is_lines(file: Path) -> bool:
    """Whether the first line is an object by itself and more follows, so that the file may be read line by line."""
    try:
        with _opened(file) as stream:
            first = stream.readline(_LONGEST_LINE)
            return first.endswith(b"\n") and isinstance(json.loads(first), dict)
    except (OSError, EOFError, ValueError, RecursionError):
        return False


def _opened(file: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(file, "rb") if file.name.lower().endswith(".gz") else open(file, "rb")


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with _opened(file) as stream:
            yield from stream
    except (OSError, EOFError) as error:
        raise InvalidTable(f"{file.name} cannot be read: {error}") from error


def _may_hold_halves(data: bytes) -> bool:
    """Whether JSON may hold half of a character pair; in UTF-16 and UTF-32 that is not seen and always may be."""
    return bool(_HALF.search(data) or (b"\xed" in data and _RAW_HALF.search(data)) or b"\0" in data[:4])


def _unbroken(record: Record, intake: Intake, table: str) -> Record:
    """A record in which half of a character pair, which no file can hold as text, is the mark of a lost character."""
    text = json.dumps(record.data, ensure_ascii=False)
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if whole == text:
        return record
    intake.note(table, record.label, "", "half of a character pair; written as \ufffd", "repaired")
    return Record(record.label, json.loads(whole))


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
    bad = []
    for place, item in enumerate(items, start=1):
        if isinstance(item, dict):
            yield Record(f"{name}[{place}]", item)
        else:
            bad.append((f"{name}[{place}]", "no JSON object", repr(item)))
    _set_aside(bad, intake, table)


def _line_records(lines: Iterable[bytes], file: Path, intake: Intake, table: str) -> Iterator[Record]:
    bad, found = [], False
    watched = progress(lines, text=file.name, show=None if file.stat().st_size >= _MANY_BYTES else False)
    for number, line in enumerate(watched, start=1):
        text = line.strip().rstrip(b",")
        if text in (b"", b"[", b"]"):
            continue
        label = f"{file.name}:{number}"
        try:
            item, problem = json.loads(text), "no JSON object"
        except (ValueError, RecursionError) as error:
            item, problem = None, f"no valid JSON: {str(error)[:80]}"
        if isinstance(item, dict):
            found = True
            record = Record(label, item)
            yield _unbroken(record, intake, table) if _may_hold_halves(text) else record
        else:
            bad.append((label, problem, line.decode("utf-8", errors="replace").removesuffix("\n")))
    if not found:
        raise InvalidTable(
            f"{file.name} holds no JSON object that can be read; its first line: {bad[0][1] if bad else ''}"
        )
    _set_aside(bad, intake, table)


def _set_aside(bad: list[tuple[str, str, str]], intake: Intake, table: str) -> None:
    """Leave out lines that are no objects: label, problem and text of each."""
    if bad:
        labels, problems, texts = zip(*bad, strict=True)
        frame = pd.DataFrame(
            {"line_text": pd.Series([text[:131_072] for text in texts], dtype=object)},
        ).set_axis(pd.Index(labels, dtype=object))
        told = [f"{problem}: {text[:60]!r}" for problem, text in zip(problems, texts, strict=True)]
        intake.reject(table, frame, "line", told)


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
        #: table → column → cells; a column that the last rows lack is filled up when it is next needed
        self._columns: dict[str, dict[str, list[Any]]] = {}
        self._labels: dict[str, list[Any]] = {}

    def add(self, table: str, label: Any, **cells: Any) -> None:
        """One row."""
        columns = self._columns.setdefault(table, {})
        labels = self._labels.setdefault(table, [])
        for column, cell in cells.items():
            _fill(columns.setdefault(column, []), len(labels)).append(cell)
        labels.append(label)

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
        return set(self._columns.get("entities", {}).get("id", ()))

    def graph(self, on_error: str) -> EntityGraph:
        """Graph of the rows; dates are read as people write them."""
        frames = {}
        for table in ("entities", "relations", "cases", "licences", "facts"):
            labels, columns = self._labels.pop(table, []), self._columns.pop(table, {})
            if not labels:
                continue
            frame = pd.DataFrame(
                {column: pd.Series(_fill(cells, len(labels)), dtype=object) for column, cells in columns.items()}
            )
            frame.index = pd.Index(labels, dtype=object)
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


def _fill(cells: list[Any], count: int) -> list[Any]:
    """A column made as long as the rows before."""
    cells += [None] * (count - len(cells))
    return cells
