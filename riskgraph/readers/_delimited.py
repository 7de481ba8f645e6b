"""Lines of a delimited text file as rows, damaged lines set aside one by one.

A stray quote in an ordinary CSV parser swallows every line up to the next quote. Here each physical line is tried on
its own first, lines are joined only where a quoted cell really runs over a line break, and a line that fits neither
way is reported with its number while its neighbours stay good.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidTable
from riskgraph.readers._stream import BLOCK, opened

__all__ = ["MAX_FIELD", "WINDOW", "Rows", "decode", "is_plain_utf8", "split_rows", "stream_rows", "whole_rows"]

#: characters a cell may hold (the limit of Python's csv module)
MAX_FIELD = 131_072
_DELIMITERS = (",", "\t", ";", "|")
_HAN_BYTES = re.compile(rb"[\xa1-\xfe]{2}")
_MAX_SPAN = 2_000
_SHOWN = 80
#: lines that a stream takes at a time
WINDOW = 2_000


class Rows(NamedTuple):
    """A header, the rows that fit it, and the lines that do not."""

    header: list[str]
    #: cells as text, index = line numbers
    frame: pd.DataFrame
    #: line number, problem, text
    bad: list[tuple[int, str, str]]
    #: remarks on lines that were kept
    notes: list[tuple[int, str]]


def decode(data: bytes, name: str) -> tuple[list[str], dict[int, str], str]:
    """Lines of text, the damaged ones (index → what is wrong), and the encoding found.

    UTF-8 with or without a byte-order mark, UTF-16, else GB18030 (which holds GBK and GB2312). A line whose bytes do
    not fit is damaged; the file is no text of these encodings when most lines with Chinese in them are.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _decode_utf16(data, "utf-16", name)
    data = data.removeprefix(b"\xef\xbb\xbf")
    head = np.frombuffer(data[:100_000], dtype=np.uint8)
    if head.size > 3:
        zeros = [float((head[start::2] == 0).mean()) for start in (0, 1)]
        if max(zeros) > 0.3 > 10 * min(zeros):
            return _decode_utf16(data, "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be", name)
        if (head == 0).mean() > 0.05:
            raise InvalidTable(f"{name} is not text: it is full of zero bytes; give CSV, Excel or Parquet")
    try:
        return _lines(data.decode("utf-8")), {}, "utf-8"
    except UnicodeDecodeError:
        pass
    pieces = data.replace(b"\r\n", b"\n").split(b"\n")
    wide = [piece for piece in pieces if not piece.isascii()]
    tried = wide[:5000]
    utf8 = sum(_fits(piece, "utf-8") for piece in tried)
    han = sum(_fits(piece, "gb18030") for piece in tried)
    encoding = "gb18030" if utf8 * 2 < len(tried) <= han * 2 else "utf-8"
    if max(utf8, han) * 2 < len(tried) and len(wide) * 2 > sum(map(bool, pieces)):
        raise InvalidTable(
            f"{name} is neither UTF-8, UTF-16 nor GB18030/GBK text: of {len(tried)} lines that are not plain ASCII "
            f"only {max(utf8, han)} can be read; save it as UTF-8"
        )
    bad: dict[int, str] = {}
    lines = []
    for place, piece in enumerate(pieces):
        try:
            lines.append(piece.decode(encoding))
        except UnicodeDecodeError as error:
            bad[place] = f"byte {error.start + 1} of the line is not {encoding.upper()}"
            lines.append(piece.decode(encoding, errors="replace"))
    return lines, bad, encoding


def _fits(piece: bytes, encoding: str) -> bool:
    """Whether a line can be read; GB18030 takes most stray bytes before a letter, so it needs a pair of high ones."""
    try:
        piece.decode(encoding)
    except UnicodeDecodeError:
        return False
    return encoding == "utf-8" or _HAN_BYTES.search(piece) is not None


def _decode_utf16(data: bytes, encoding: str, name: str) -> tuple[list[str], dict[int, str], str]:
    text = data[: len(data) // 2 * 2].decode(encoding, errors="replace").removeprefix("\ufeff")
    lines = _lines(text)
    bad = {place: "the line holds bytes that are not UTF-16" for place, line in enumerate(lines) if "\ufffd" in line}
    if len(bad) * 2 > len(lines):
        raise InvalidTable(f"{name} looks like UTF-16 but most of its lines cannot be read; save it as UTF-8")
    return lines, bad, encoding


def _lines(text: str) -> list[str]:
    lines = text.split("\n") if "\n" in text else text.split("\r")
    if lines[0].endswith("\r"):
        lines = [line.removesuffix("\r") for line in lines]
    return lines


class _Head(NamedTuple):
    """What the first lines of a file say."""

    header: list[str]
    delimiter: str
    #: position of the first line after the header
    start: int
    notes: list[tuple[int, str]]


class _Body(NamedTuple):
    """The rows of some lines."""

    numbers: list[int]
    rows: list[list[str]]
    bad: list[tuple[int, str, str]]
    notes: list[tuple[int, str]]
    #: position of the first line that was not looked at
    end: int


def split_rows(lines: list[str], broken: dict[int, str], name: str) -> Rows:
    """Rows of the lines of a delimited file; the delimiter is the one that cuts the header into most cells.

    Raises
    ------
    InvalidTable
        The file is empty or its header cannot be read.
    """
    head = _head(lines, broken, name)
    width = len(head.header)
    frame = None if broken else _fast(lines, head.start - 1, head.delimiter, width)
    if frame is not None:
        return Rows(head.header, frame, [], head.notes)
    body = _body(lines, broken, head.start, len(lines), 0, head)
    index = pd.Index(body.numbers, dtype=np.int64)
    columns = list(zip(*body.rows, strict=True)) if body.rows else [()] * width
    table = pd.DataFrame(
        {spot: np.array(column, dtype=object) for spot, column in enumerate(columns)}, index, dtype=object
    )
    return Rows(head.header, table, body.bad, head.notes + body.notes)


def whole_rows(data: bytes, name: str) -> Iterator[tuple[list[str], _Body]]:
    """Header and rows of a delimited file of any encoding, in one part."""
    lines, broken, _ = decode(data, name)
    head = _head(lines, broken, name)
    body = _body(lines, broken, head.start, len(lines), 0, head)
    yield head.header, body._replace(notes=head.notes + body.notes)


def stream_rows(path: Path) -> Iterator[tuple[list[str], _Body]]:
    """Header and rows of a delimited UTF-8 file of any size, some at a time; what :func:`split_rows` gives, in parts.

    Raises
    ------
    InvalidTable
        The file is empty or its header cannot be read.
    """
    with opened(path, watch=True) as stream:
        lines: list[str] = []
        head, offset, start, ended = None, 0, 0, False
        cut = False
        while not ended:
            fresh = list(itertools.islice(stream, WINDOW))
            ended = len(fresh) < WINDOW
            if not offset and not lines and fresh:
                fresh[0] = fresh[0].removeprefix(codecs.BOM_UTF8)
                cut = fresh[0].endswith(b"\r\n")
            lines += (line.removesuffix(b"\n").removesuffix(b"\r" if cut else b"").decode() for line in fresh)
            if not ended and len(lines) <= _MAX_SPAN:
                continue
            if head is None:
                if not ended and not any(line.strip() for line in lines[:-1]):
                    continue
                head = _head(lines, {}, path.name)
                start = head.start
            # a quoted cell may run on: the last lines wait for those that follow
            body = _body(lines, {}, start, len(lines) if ended else len(lines) - _MAX_SPAN, offset, head)
            if offset == 0:
                body = body._replace(notes=head.notes + body.notes)
            yield head.header, body
            lines, start, offset = lines[body.end :], 0, offset + body.end


def is_plain_utf8(path: Path) -> bool:
    """Whether a file is sound UTF-8 with line feeds, so that :func:`stream_rows` may read it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    feeds = False
    with opened(path) as stream:
        block = stream.read(BLOCK)
        if block[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in block[:100_000]:
            return False
        try:
            while block:
                decoder.decode(block)
                feeds = feeds or b"\n" in block
                block = stream.read(BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return feeds


def _head(lines: list[str], broken: dict[int, str], name: str) -> _Head:
    start = next((place for place, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise InvalidTable(f"{name} is empty; its first line must name the columns")
    notes: list[tuple[int, str]] = []
    while start + 1 < len(lines) and _filled(lines[start]) < 2 <= _filled(lines[start + 1]):
        notes.append((start + 1, f"{_short(lines[start])} stands above the names of the columns; left out as a title"))
        start += 1
    if start in broken:
        raise InvalidTable(f"{name} line {start + 1}, the names of the columns: {broken[start]}")
    delimiter = max(_DELIMITERS, key=lambda mark: len(_cells(lines[start], mark) or ()))
    header = _cells(lines[start], delimiter)
    if header is None:
        raise InvalidTable(f"{name} line {start + 1}: the names of the columns have a quote that never closes")
    while len(header) > 1 and not header[-1].strip():
        header.pop()
    return _Head(header, delimiter, start + 1, notes)


def _body(lines: list[str], broken: dict[int, str], start: int, stop: int, offset: int, head: _Head) -> _Body:
    """Rows that begin at the lines from ``start`` up to ``stop``; ``offset`` lines of the file went before."""
    rows: list[list[str]] = []
    numbers: list[int] = []
    bad: list[tuple[int, str, str]] = []
    notes: list[tuple[int, str]] = []
    delimiter, width, place = head.delimiter, len(head.header), start
    while place < stop:
        line = lines[place]
        number, span = offset + place + 1, 1
        cells: list[str] | None
        if not line.strip(" \t\r\x00\x1a" + delimiter):  # spreadsheets leave lines of empty cells behind
            place += 1
            continue
        if place in broken:
            cells, problem = None, broken[place]
        elif "\x00" in line:
            cells, problem = None, "the line holds a zero byte"
        elif '"' in line:
            cells, span, problem = _quoted(lines, place, delimiter, width)
        else:
            # in a file of plain line feeds a carriage return belongs to the cell only inside quotes
            cells, problem = line.removesuffix("\r").split(delimiter), ""
        if cells is not None:
            if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
                notes.append((number, f"{len(cells) - width} empty cells beyond the last column; left out"))
                cells = cells[:width]
            if len(cells) != width:
                problem = f"{len(cells)} cells where the header names {width} columns"
                cells = None
            elif len(line) > MAX_FIELD and any(len(cell) > MAX_FIELD for cell in cells):
                cells, problem = None, f"a cell of more than {MAX_FIELD:,} characters"
        if cells is None:
            bad.append((number, f"{problem}: {_short(line)}", line[:MAX_FIELD]))
        else:
            rows.append(cells)
            numbers.append(number)
        place += span
    return _Body(numbers, rows, bad, notes, max(place, start))


def _fast(lines: list[str], start: int, delimiter: str, width: int) -> pd.DataFrame | None:
    """The rows of a file without quotes in which every line has the right number of cells; None for any other."""
    body = lines[start + 1 :]
    while body and not body[-1]:
        body.pop()
    if not body or width < 2:
        return None
    text = "\n".join(body)
    if '"' in text or "\r" in text or "\x00" in text or "\x1a" in text or text.isspace():
        return None
    data = np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
    ends = np.append(np.flatnonzero(data == 10), data.size)
    marks = np.searchsorted(np.flatnonzero(data == ord(delimiter)), ends)
    lengths = np.diff(ends, prepend=-1)
    if (np.diff(marks, prepend=0) != width - 1).any() or lengths.max() > MAX_FIELD or (lengths == width).any():
        return None  # a line of nothing but delimiters, or an odd one, wants a closer look
    frame = pd.read_csv(
        io.StringIO(text),
        sep=delimiter,
        header=None,
        names=list(range(width)),
        dtype=object,
        na_filter=False,
        quoting=csv.QUOTE_NONE,
        skip_blank_lines=False,
        index_col=False,
    )
    frame.index = pd.RangeIndex(start + 2, start + 2 + len(frame))
    return frame if len(frame) == len(body) else None


def _quoted(lines: list[str], place: int, delimiter: str, width: int) -> tuple[list[str] | None, int, str]:
    """Cells of the record that begins at a line with quotes, and how many lines it takes."""
    line = lines[place]
    cells, problem = _strict([line], delimiter)
    if cells is not None and len(cells) == width:
        return cells, 1, ""
    if delimiter == "\t" and line.count("\t") == width - 1:
        return line.split("\t"), 1, ""  # exports with tabs often do not quote: the marks are part of the text
    if cells is not None or problem != "open":
        return cells, 1, problem
    for end in range(place + 1, min(place + _MAX_SPAN, len(lines))):
        if '"' not in lines[end]:
            continue
        block = lines[place : end + 1]
        cells, problem = _strict(block, delimiter)
        if problem == "open":
            continue
        if cells is None or len(cells) != width or _looks_like_rows(block, delimiter, width):
            break
        return cells, len(block), ""
    return None, 1, "a quote opens a cell and never closes it"


def _looks_like_rows(block: list[str], delimiter: str, width: int) -> bool:
    """Whether lines joined by two quotes are rather rows of their own, the quotes being damage."""
    alone = [line.count(delimiter) == width - 1 for line in block]
    inner = alone[1:-1]
    return all(alone) or (len(inner) >= (1 if width > 3 else 3) and sum(inner) >= 0.9 * len(inner))


def _strict(block: list[str], delimiter: str) -> tuple[list[str] | None, str]:
    try:
        return next(csv.reader([f"{line}\n" for line in block[:-1]] + block[-1:], delimiter=delimiter, strict=True)), ""
    except csv.Error as error:
        text = str(error)
    if "unexpected end of data" in text:
        return None, "open"
    if "field larger" in text:
        return None, f"a cell of more than {MAX_FIELD:,} characters"
    return None, "a quote in the wrong place"


def _cells(line: str, delimiter: str) -> list[str] | None:
    return _strict([line], delimiter)[0] if '"' in line else line.split(delimiter)


def _filled(line: str) -> int:
    return max(sum(bool(cell.strip(' "')) for cell in line.split(mark)) for mark in _DELIMITERS)


def _short(line: str) -> str:
    return repr(line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…")
