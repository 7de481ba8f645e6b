"""Records of JSON files, one a line or in an array, each with its place; read as a stream, however large the file."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from riskgraph.errors import InvalidTable
from riskgraph.readers._files import data_files
from riskgraph.readers._intake import Intake
from riskgraph.readers._places import Place
from riskgraph.readers._stream import as_utf8, decoded, lines_of, opened

__all__ = ["JSON_SUFFIXES", "Record", "as_list", "as_text_or_none", "load_records"]

#: a file in one piece up to this size is parsed whole, and a damaged one line by line; a larger one as a stream
_WHOLE = 64 << 20
#: a first line, or one item of an array, may have this many characters
_LONGEST = 16 << 20
#: bytes of a damaged line that are kept
_SHOWN = 131_072 * 4
#: one half of a character pair, as an escape and as bytes
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_RAW_HALF = re.compile(rb"\xed[\xa0-\xbf]")
_SPACE = re.compile(r"[\s,]*")
_PLAIN = (".json", ".jsonl", ".ndjson", ".ijson", ".txt")
JSON_SUFFIXES = (*_PLAIN, *(f"{ending}.gz" for ending in _PLAIN), ".zip")


class Record(NamedTuple):
    """One JSON object and where it stands: ``file:line`` or ``file[position]``."""

    label: Place
    data: dict[str, Any]


def load_records(
    path: str | os.PathLike[str],
    intake: Intake,
    table: str,
    *,
    suffixes: tuple[str, ...] = JSON_SUFFIXES,
    wraps: tuple[str, ...] = (),
) -> Iterator[Record]:
    """Objects of a JSON file or of every JSON file of a folder, one after the other; lines that are none are set aside.

    ``wraps`` are keys under which one object may hold the array of all others.

    Raises
    ------
    InvalidTable
        There is no JSON file, or one that holds no object at all.
    """
    files, left = data_files(Path(path), suffixes)
    if Path(path).is_dir():
        files = [file for file in files if not file.name.lower().endswith((".txt", ".txt.gz")) or _is_json(file)]
    for name, reason in left:
        frame = pd.DataFrame({"file": [name]}, index=pd.Index([name], dtype=object))
        intake.reject("files", frame, "", f"{name} {reason}")
    if not files:
        raise InvalidTable(f"{str(path)!r} holds no JSON file ({', '.join(suffixes)})")
    for file in files:
        if _is_lines(file):
            yield from _line_records(lines_of(file), file, intake, table)
        else:
            yield from _in_one_piece(file, intake, table, wraps)


def _is_json(file: Path) -> bool:
    """Whether a text file begins as JSON does."""
    with opened(file) as stream:
        return stream.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _is_lines(file: Path) -> bool:
    """Whether the first line is an object by itself and more follows, so that the file may be read line by line."""
    try:
        with opened(file) as stream:
            first = stream.readline(_LONGEST)
            return first.endswith(b"\n") and isinstance(json.loads(first), dict)
    except (InvalidTable, ValueError, RecursionError):
        return False


def _in_one_piece(file: Path, intake: Intake, table: str, wraps: tuple[str, ...]) -> Iterator[Record]:
    """Objects of a file that is one JSON text."""
    with opened(file) as stream:
        data = stream.read(_WHOLE + 1)
    if len(data) > _WHOLE:
        return _streamed(file, intake, table, wraps)
    return _parsed(as_utf8(data, file.name), file, intake, table)


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
        records: Iterator[Record] = iter([Record(Place(f"{file.name}:", 1), whole)])
    elif isinstance(whole, list):
        records = _objects(whole, file.name, intake, table)
    else:
        raise InvalidTable(f"{file.name} holds no JSON object")
    return (_unbroken(record, intake, table) for record in records) if _may_hold_halves(data) else records


def _streamed(file: Path, intake: Intake, table: str, wraps: tuple[str, ...]) -> Iterator[Record]:
    """Objects of a large array, one after the other; damage anywhere in it is an error that names the place."""
    with opened(file, watch=True) as stream:
        items = _items(decoded(stream, file.name), file.name, wraps)
        for record in _objects(items, file.name, intake, table):
            yield _unbroken(record, intake, table)


def _items(blocks: Iterator[str], name: str, wraps: tuple[str, ...]) -> Iterator[Any]:
    """Items of the array that a text is, or that stands under one of the keys of the object that it is."""
    text = _Text(blocks, name)
    if text.mark() == "{":
        text.skip()
        while text.mark() != "}":
            key = text.value()
            text.mark(":")
            text.skip()
            if key in wraps and text.mark() == "[":
                break
            text.value()
        else:
            raise InvalidTable(f"{name} is one JSON object of more than {_WHOLE:,} bytes, too large to be a record")
    elif text.mark() != "[":
        raise InvalidTable(f"{name} is no JSON array or object")
    text.skip()
    while text.mark() != "]":
        yield text.value()


class _Text:
    """JSON text that comes in blocks, of which one value at a time is looked at."""

    def __init__(self, blocks: Iterator[str], name: str) -> None:
        self._blocks, self._name = blocks, name
        self._text, self._at, self._done = "", 0, 0
        self._decoder = json.JSONDecoder()

    def _more(self) -> bool:
        block = next(self._blocks, None)
        if block is None:
            return False
        self._done += self._at
        self._text, self._at = self._text[self._at :] + block, 0
        return True

    def mark(self, wanted: str = "") -> str:
        """The character that comes next, spaces and commas aside."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                found = self._text[self._at]
                if wanted and found != wanted:
                    raise InvalidTable(f"{self._name} is no valid JSON: no {wanted!r} {self._where()}")
                return found
            if not self._more():
                raise InvalidTable(f"{self._name} is no valid JSON: it ends {self._where()}, before its array does")

    def skip(self) -> None:
        """Pass over one character."""
        self._at += 1

    def value(self) -> Any:
        """The value that comes next."""
        self.mark()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise InvalidTable(f"{self._name} is nested too deeply to be data {self._where()}") from error
            except ValueError as error:
                if len(self._text) - self._at > _LONGEST or not self._more():
                    raise InvalidTable(f"{self._name} is no valid JSON {self._where()}: {error}") from error
                continue
            if end < len(self._text) or not self._more():  # a number at the end of a block may go on in the next
                self._at = end
                return found

    def _where(self) -> str:
        return f"at character {self._done + self._at + 1:,}"


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


def _objects(items: Iterable[Any], name: str, intake: Intake, table: str) -> Iterator[Record]:
    bad = []
    for number, item in enumerate(items, start=1):
        place = Place(f"{name}[", number, "]")
        if isinstance(item, dict):
            yield Record(place, item)
        else:
            bad.append((str(place), "no JSON object", repr(item)))
    _set_aside(bad, intake, table)


def _line_records(lines: Iterable[bytes], file: Path, intake: Intake, table: str) -> Iterator[Record]:
    bad, found, before = [], False, f"{file.name}:"
    for number, line in enumerate(lines, start=1):
        text = line.strip().rstrip(b",")
        if text in (b"", b"[", b"]"):
            continue
        place = Place(before, number)
        try:
            item, problem = json.loads(text), "no JSON object"
        except (ValueError, RecursionError) as error:
            item, problem = None, f"no valid JSON: {str(error)[:80]}"
        if isinstance(item, dict):
            found = True
            record = Record(place, item)
            yield _unbroken(record, intake, table) if _may_hold_halves(text) else record
        else:
            bad.append((str(place), problem, line[:_SHOWN].decode("utf-8", errors="replace").removesuffix("\n")))
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
