"""Files of a folder as raw tables: delimited text, Excel workbooks, Parquet; nothing outside the folder is opened."""

from __future__ import annotations

import glob
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._optional import import_optional
from riskgraph._sheet import Columns
from riskgraph.errors import InvalidTable
from riskgraph.readers._delimited import decode, split_rows
from riskgraph.readers._stream import opened

__all__ = [
    "MAX_TEXT_BYTES",
    "TABLE_SUFFIXES",
    "RawTable",
    "data_files",
    "load_tables",
    "peek_headers",
    "parquet_parts",
    "read_parquet",
    "text_bytes",
]

#: text files and unpacked workbooks above this are refused: they are read whole
MAX_TEXT_BYTES = 2 << 30
_TEXT = (".csv", ".tsv", ".txt", ".csv.gz")
_EXCEL = (".xlsx", ".xlsm")
_BLIND = "the workbook has formulas without stored values, which read as empty; open it in a spreadsheet and save it"
_BLIND_FORMULA = re.compile(rb"<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>|</c>)")
TABLE_SUFFIXES = (*_TEXT, *_EXCEL, ".parquet")


@dataclass
class RawTable:
    """Cells as they stand in a file, before anyone asks what they mean."""

    #: file name, with the sheet in a workbook of several
    name: str
    #: what the table is called: the sheet's or the file's name without its ending
    stem: str
    #: cells, index = line of the file, row of the sheet, or row of the Parquet file counted from 1
    frame: pd.DataFrame
    #: line, problem, text of what cannot be a row
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    #: line and remark on what was kept
    notes: list[tuple[int, str]] = field(default_factory=list)
    encoding: str = ""
    #: numbers may be day serials
    excel: bool = False
    #: the columns of a Parquet file that need no reading of their cells; the frame has no rows then
    columns: Columns | None = None

    @property
    def headers(self) -> list[str]:
        """Names of the columns."""
        return list(self.frame.columns)

    @property
    def count(self) -> int:
        """Rows and lines that cannot be rows."""
        return len(self.frame if self.columns is None else self.columns) + len(self.bad)


def data_files(path: Path, suffixes: tuple[str, ...] = TABLE_SUFFIXES) -> tuple[list[Path], list[tuple[str, str]]]:
    """Data files at a path in name order, and what was left alone with the reason.

    A folder is not searched deeper, but for parts of a table in a folder called ``….parquet``; links that lead out of
    it are not followed; hidden and temporary files are none.

    Raises
    ------
    InvalidTable
        There is no such file or folder.
    """
    if not path.exists():
        raise InvalidTable(f"there is no file or folder {str(path)!r}")
    if path.is_file():
        return [path], []
    home = path.resolve()
    found, left = [], []
    for entry in sorted(path.iterdir()):
        if entry.name.startswith((".", "~$")) or not entry.name.lower().endswith(suffixes):
            continue
        files = parquet_parts(entry) if entry.name.lower().endswith(".parquet") else [entry] * entry.is_file()
        if not all(file.resolve().is_relative_to(home) for file in [entry, *files]):
            left.append((entry.name, "leads out of the folder; not followed"))
        elif files:
            found.append(entry)
    return found, left


def parquet_parts(path: Path) -> list[Path]:
    """The files of a Parquet table: itself, or the parts in a folder in name order, as Spark writes them."""
    if not path.is_dir():
        return [path] if path.is_file() else []
    return sorted(
        file
        for file in path.iterdir()
        if file.name.lower().endswith(".parquet") and not file.name.startswith((".", "_")) and file.is_file()
    )


def load_tables(path: Path) -> list[RawTable]:
    """Raw tables of one file; an Excel workbook may hold several.

    Raises
    ------
    InvalidTable
        The file is too large, of no known kind, or cannot be parsed.
    MissingDependency
        An Excel file, and openpyxl is not installed.
    """
    lower = path.name.lower()
    if lower.endswith(_EXCEL):
        return list(_sheets(path))
    if lower.endswith(".parquet"):
        return [RawTable(path.name, _stem(path), _named(read_parquet(path), None, path.name))]
    if lower.endswith(_TEXT):
        return [_text_table(path)]
    raise InvalidTable(f"{path.name} is no table that can be read; give {', '.join(TABLE_SUFFIXES)}")


def _stem(path: Path) -> str:
    name = path.name
    for suffix in sorted(TABLE_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


def _text_table(path: Path) -> RawTable:
    lines, broken, encoding = decode(text_bytes(path), path.name)
    rows = split_rows(lines, broken, path.name)
    frame = _named(rows.frame, rows.header, path.name)
    return RawTable(path.name, _stem(path), frame, rows.bad, rows.notes, encoding)


def text_bytes(path: Path) -> bytes:
    """The bytes of a text file, unpacked if it is gzip or zip.

    Raises
    ------
    InvalidTable
        More than :data:`MAX_TEXT_BYTES`, or damaged.
    """
    size = path.stat().st_size
    data = b""
    if size <= MAX_TEXT_BYTES:
        with opened(path) as stream:
            data = stream.read(MAX_TEXT_BYTES + 1)
    if max(size, len(data)) > MAX_TEXT_BYTES:
        raise InvalidTable(
            f"{path.name} has more than {MAX_TEXT_BYTES:,} bytes; text is read whole: cut it up, or give Parquet"
        )
    return data


def _named(frame: pd.DataFrame, header: list[str] | None, name: str) -> pd.DataFrame:
    """Give the columns their names, trimmed; nameless empty columns go, a name used twice is an error."""
    names = [str(text).strip().strip("\ufeff\u200b") for text in (frame.columns if header is None else header)]
    keep = []
    for spot, text in enumerate(names):
        if not text:
            cells = frame.iloc[:, spot]
            if (cells.notna() & (cells != "")).any():
                names[spot] = f"column {spot + 1}"
            else:
                continue
        keep.append(spot)
    frame = frame.iloc[:, keep]
    names = [names[spot] for spot in keep]
    double = pd.Index(names)[pd.Index(names).duplicated()]
    if len(double):
        raise InvalidTable(f"{name} names the column {double[0]!r} twice; every column needs a name of its own")
    frame.columns = pd.Index(names, dtype=object)
    return frame


def _sheets(path: Path) -> Iterator[RawTable]:
    openpyxl = import_optional("openpyxl", extra="excel")
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
            blind = unpacked <= MAX_TEXT_BYTES and _has_blind_formulas(archive)
        if unpacked > MAX_TEXT_BYTES:
            raise InvalidTable(f"{path.name} unpacks to {unpacked:,} bytes, more than {MAX_TEXT_BYTES:,}; give Parquet")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except InvalidTable:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged archive makes it raise
        raise InvalidTable(f"{path.name} is no workbook that can be read: {error}") from error
    try:
        sheets = book.worksheets
        for sheet in sheets:
            rows = [(number, [_cell(cell) for cell in row]) for number, row in enumerate(sheet.iter_rows(), start=1)]
            rows = [(number, cells) for number, cells in rows if any(cell is not None for cell in cells)]
            if not rows:
                continue
            notes = [(rows[0][0], _BLIND)] if blind else []
            while len(rows) > 1 and _filled(rows[0][1]) < 2 <= _filled(rows[1][1]):
                notes.append((rows[0][0], "stands above the names of the columns; left out as a title"))
                rows.pop(0)
            header = ["" if cell is None else str(cell) for cell in rows[0][1]]
            width = max(len(cells) for _, cells in rows)
            table = np.full((len(rows) - 1, width), None, dtype=object)
            for spot, (_, cells) in enumerate(rows[1:]):
                table[spot, : len(cells)] = cells
            frame = pd.DataFrame(table, index=pd.Index([number for number, _ in rows[1:]], dtype=np.int64))
            frame = frame.astype(object)
            name = path.name if len(sheets) == 1 else f"{path.name}[{sheet.title}]"
            stem = sheet.title if len(sheets) > 1 else _stem(path)
            yield RawTable(name, stem, _named(frame, header + [""] * (width - len(header)), name), [], notes, "", True)
    finally:
        book.close()


def _has_blind_formulas(archive: zipfile.ZipFile) -> bool:
    """Whether a sheet has formulas whose value was never stored: a program wrote them, no spreadsheet opened them."""
    sheets = [part for part in archive.namelist() if part.startswith("xl/worksheets/") and part.endswith(".xml")]
    return any(_BLIND_FORMULA.search(archive.read(part)) for part in sheets)


def _filled(cells: list[Any]) -> int:
    return sum(cell is not None and str(cell).strip() != "" for cell in cells)


def _cell(cell: Any) -> Any:
    """A cell's value; a number shown as a percentage keeps its sign."""
    value = cell.value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if "%" in (getattr(cell, "number_format", None) or ""):
            return f"{round(value * 100, 10):.12g}%"
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            return int(value)
    return None if value == "" else value


def read_parquet(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Frame of a Parquet file, or of parts in a folder, with the index 1, 2, …; text columns as objects.

    Raises
    ------
    InvalidTable
        The file is damaged or no Parquet.
    """
    import duckdb

    connection = duckdb.connect()
    try:
        frame = connection.execute("SELECT * FROM read_parquet(?)", [_escaped(Path(path))]).df()
    except duckdb.Error as error:
        raise InvalidTable(f"{Path(path).name} is no Parquet file that can be read: {error}") from error
    finally:
        connection.close()
    for column in frame:
        if not pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_datetime64_any_dtype(frame[column]):
            texts = frame[column].astype(object)
            frame[column] = texts.where(texts.notna(), None)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _escaped(path: Path) -> list[str]:
    return [glob.escape(str(part)) for part in parquet_parts(path)]


def peek_headers(path: Path) -> list[tuple[str, list[str]]]:
    """Stem and headers of the tables of a file, from its beginning; nothing for a file that holds no table."""
    lower = path.name.lower()
    try:
        if lower.endswith(".parquet"):
            return [(_stem(path), _parquet_headers(path))]
        if lower.endswith(_EXCEL):
            return [(raw.stem, raw.headers) for raw in _sheets(path)]
        with opened(path) as stream:
            head = stream.read(1 << 16)
        if len(head) == 1 << 16:
            head = head[: head.rfind(b"\n") + 1] or head
        lines, broken, _ = decode(head, path.name)
        rows = split_rows(lines, broken, path.name)
        return [(_stem(path), _named(rows.frame, rows.header, path.name).columns.tolist())]
    except (InvalidTable, OSError):
        return []


def _parquet_headers(path: Path) -> list[str]:
    import duckdb

    connection = duckdb.connect()
    try:
        found = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [_escaped(path)]).fetchall()
    except duckdb.Error as error:
        raise InvalidTable(f"{path.name} is no Parquet file that can be read: {error}") from error
    finally:
        connection.close()
    return [str(row[0]) for row in found]
