"""Parquet read column by column: what is typed and clean already goes to the checks without a copy in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._sheet import DATES
from riskgraph.errors import InvalidTable
from riskgraph.readers._files import RawTable, parquet_parts
from riskgraph.readers._headers import canonical, table_of
from riskgraph.readers._manifest import Manifest
from riskgraph.readers._values import BLANKS, EDGES, ShareUnit, is_blank_cell
from riskgraph.readers._vocabulary import BOOKS, translate
from riskgraph.schema import TABLES

__all__ = ["NotPlain", "ParquetColumns", "plain_table"]

_SHARES = ("share", "share_min", "share_max", "votes_min", "votes_max")
_NUMBERS = (*_SHARES, "amount", "capital", "confidence")
_TEXTS = ("string", "large_string")
_FLOATS = ("double",)
_DATES = ("timestamp[s]", "timestamp[ms]", "timestamp[us]", "timestamp[ns]", "date32[day]")


class NotPlain(Exception):
    """Cells of a column must be read as people write them."""


class ParquetColumns:
    """The columns of a Parquet file, or of the parts of one, each read when it is asked for; rows count from 1."""

    def __init__(self, paths: Sequence[Path], files: Sequence[Any]) -> None:
        self._paths, self._files = list(paths), files
        #: what must hold for the cells of a column as they stand; see :func:`plain_table`
        self.rules: dict[str, Callable[[Any], bool]] = {}
        self.schema = files[0].schema_arrow
        self.columns = pd.Index(self.schema.names, dtype=object)
        self.index = pd.RangeIndex(1, sum(file.metadata.num_rows for file in files) + 1)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.index)

    def __getitem__(self, column: str) -> pd.Series:
        """One column: texts as Arrow strings without empty ones, numbers as floats, dates as datetime64.

        Raises
        ------
        NotPlain
            Its cells must be read first.
        """
        cells = self._arrow(column)
        if column in self.rules and not self.rules[column](cells):
            raise NotPlain(column)
        if not _is_text(cells.type):
            values = cells.to_numpy()
            values = values.astype("datetime64[s]", copy=False) if values.dtype.kind == "M" else values
            return pd.Series(values, index=self.index, copy=False)
        from pyarrow import compute

        empty = compute.equal(cells, "")
        if compute.any(empty).as_py():
            cells = compute.if_else(empty, None, cells)
        return pd.Series(pd.StringDtype("pyarrow").__from_arrow__(cells), index=self.index, copy=False)

    def _arrow(self, column: str) -> Any:
        """The cells as they stand in the file."""
        import pyarrow as pa

        chunks = []
        for path, file in zip(self._paths, self._files, strict=True):
            try:
                part = file.read(columns=[column]).column(0)
                if _is_text(part.type):
                    part.validate(full=True)
            except (OSError, pa.ArrowException) as error:
                raise InvalidTable(f"{path.name} is no Parquet file that can be read: {error}") from error
            chunks += part.chunks
        return pa.chunked_array(chunks, self.schema.field(column).type)


def plain_table(path: Path, manifest: Manifest | None, share_unit: ShareUnit) -> RawTable | None:
    """Entities or relations of a Parquet file whose cells may need no reading; None for every other file.

    Columns are named as in the contract and typed. Whether reading the cells as people write them would change or
    report something is seen column by column, when the checks ask for it: unless a manifest promises that texts are
    meant as they stand, no text may have spaces around it, say "no value" or be a word to translate. Ends of relations
    are not looked at here, for those that are ids of entities need no reading.
    """
    stem = path.name[: -len(".parquet")] if path.name.lower().endswith(".parquet") else None
    found = None if stem is None else _opened(parquet_parts(path))
    if stem is None or found is None:
        return None
    table = table_of(stem, found.columns)
    if table not in ("entities", "relations") or not _is_typed(table, found.columns.tolist(), found.schema):
        return None
    written = manifest.tables.get(table) if manifest is not None else None
    if written is not None and "json" in (written["columns"].get(name) for name in found.columns):
        return None
    for column in {*TABLES[table].required, *TABLES[table].optional} & set(found.columns):
        if column in _NUMBERS:
            found.rules[column] = partial(_is_plain_number, column, share_unit if written is None else "fraction")
        elif column not in (*DATES, *TABLES[table].references) and written is None:
            found.rules[column] = partial(_is_plain_text, BOOKS[table].get(column))
    return RawTable(path.name, stem, pd.DataFrame(columns=found.columns), columns=found)


def _opened(paths: Sequence[Path]) -> ParquetColumns | None:
    """The columns of a file, or of parts of one schema; None where Arrow is missing or cannot open them."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        return None
    try:
        files = [parquet.ParquetFile(path) for path in paths]
    except (OSError, pa.ArrowException):
        return None
    same = all(file.schema_arrow.equals(files[0].schema_arrow) for file in files)
    return ParquetColumns(paths, files) if same else None


def _is_typed(table: str, headers: list[str], schema: Any) -> bool:
    """Whether columns have the contract's names, floats and dates in their places, and texts everywhere else."""
    own = (*TABLES[table].required, *TABLES[table].optional)
    if len(set(headers)) < len(headers) or not all(header and header == header.strip(EDGES) for header in headers):
        return False
    if any(header != column for header, column in canonical(table, headers).items()):
        return False
    if not set(TABLES[table].required) <= set(headers):
        return False
    wanted = [
        _FLOATS if column in own and column in _NUMBERS else _DATES if column in own and column in DATES else _TEXTS
        for column in headers
    ]
    return all(str(schema.field(column).type) in types for column, types in zip(headers, wanted, strict=True))


def _is_text(kind: Any) -> bool:
    return str(kind) in _TEXTS


def _is_plain_number(column: str, share_unit: ShareUnit, cells: Any) -> bool:
    from pyarrow import compute

    edges = compute.min_max(cells)
    low, high = edges["min"].as_py(), edges["max"].as_py()
    if low is None or not np.isfinite([low, high]).all():
        return low is None
    return column not in _SHARES or (share_unit != "percent" and low >= 0 and high <= 1)


def _is_plain_text(book: str | None, cells: Any) -> bool:
    """Whether no cell would be trimmed, read as missing or translated; only short texts can say "no value"."""
    from pyarrow import compute

    for trimmed in (compute.utf8_trim(cells, characters=EDGES), compute.utf8_trim_whitespace(cells)):
        if compute.any(compute.not_equal(trimmed, cells)).as_py():
            return False
    short = cells.filter(compute.less_equal(compute.utf8_length(cells), _LONGEST))
    if any(text and is_blank_cell(text) for text in compute.unique(short).to_pylist()):
        return False
    if book is None:
        return True
    words = pd.Series(compute.unique(cells).to_pylist(), dtype=object)
    return bool(translate(words, book).equals(words))


#: no text that says "no value" has more characters, however it is folded
_LONGEST = max(map(len, BLANKS))
