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
_NUMBERS = (*_SHARES, "amount", "capital", "confidence", "severity")
#: columns that hold few words many times
_CODED = ("kind", "role", "sector", "status", "registered_in", "operates_in")
_TEXTS = ("string", "large_string")
_FLOATS = ("double",)
_DATES = ("timestamp[s]", "timestamp[ms]", "timestamp[us]", "timestamp[ns]", "date32[day]")


class NotPlain(Exception):
    """Cells of a column must be read as people write them."""


class ParquetColumns:
    """The columns of a Parquet file, or of the parts of one, each read when it is asked for; rows count from 1."""

    def __init__(self, paths: Sequence[Path], files: Sequence[Any]) -> None:
        self._paths, self._files = list(paths), files
        #: what must hold for the distinct cells of a column as they stand; see :func:`plain_table`
        self.rules: dict[str, Callable[[Any], bool]] = {}
        schema = files[0].schema_arrow
        self.types = {name: _type_of(kind, name) for name, kind in zip(schema.names, schema.types, strict=True)}
        self.columns = pd.Index(schema.names, dtype=object)
        self.index = pd.RangeIndex(1, sum(file.metadata.num_rows for file in files) + 1)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.index)

    def __getitem__(self, column: str) -> pd.Series:
        """One column: texts packed or coded, empty ones missing; numbers as floats, dates as datetime64.

        Raises
        ------
        NotPlain
            Its cells must be read first.
        """
        chunks = self._chunks(column)
        values: Any
        if self.types[column] in _TEXTS:
            values = self._coded(column, chunks) if column in _CODED else self._packed(column, chunks)
        else:
            self._judge(column, chunks)
            values = chunks.to_numpy()
            values = values.astype("datetime64[s]", copy=False) if values.dtype.kind == "M" else values
        return pd.Series(values, index=self.index, copy=False)

    def _coded(self, column: str, chunks: Any) -> pd.Categorical:
        chunks = chunks.unify_dictionaries()
        words = chunks.chunk(0).dictionary if chunks.num_chunks else []
        self._judge(column, words)
        codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in chunks.chunks]
        texts = [text.as_py() for text in words]
        coded = pd.Categorical.from_codes(np.concatenate([np.empty(0, np.int8), *codes]), categories=texts)
        return coded.remove_categories("") if "" in texts else coded

    def _packed(self, column: str, chunks: Any) -> Any:
        from pyarrow import compute

        self._judge(column, chunks)
        empty = compute.equal(chunks, "")
        if compute.any(empty).as_py():
            chunks = compute.if_else(empty, None, chunks)
        return pd.StringDtype("pyarrow").__from_arrow__(chunks)

    def _judge(self, column: str, cells: Any) -> None:
        if column in self.rules and len(cells) and not self.rules[column](cells):
            raise NotPlain(column)

    def _chunks(self, column: str) -> Any:
        """The cells as they stand in the file."""
        import pyarrow as pa

        chunks = []
        for path, file in zip(self._paths, self._files, strict=True):
            try:
                part = file.read(columns=[column]).column(0)
                if self.types[column] in _TEXTS:
                    part.validate(full=True)
            except (OSError, pa.ArrowException) as error:
                raise InvalidTable(f"{path.name} is no Parquet file that can be read: {error}") from error
            if len(part) != file.metadata.num_rows:
                raise InvalidTable(
                    f"{path.name} is no Parquet file that can be read: {column} has {len(part)} cells for "
                    f"{file.metadata.num_rows} rows"
                )
            chunks += part.chunks
        return pa.chunked_array(chunks, self._files[0].schema_arrow.field(column).type)


def _is_text(schema: Any, name: str) -> bool:
    return schema.names.count(name) == 1 and str(schema.field(name).type) in _TEXTS


def _type_of(kind: Any, column: str) -> str:
    """Name of a type; that of its words where a column is read as numbers of words."""
    coded = column in _CODED and str(kind).startswith("dictionary")
    return str(kind.value_type if coded else kind)


def plain_table(path: Path, manifest: Manifest | None, share_unit: ShareUnit) -> RawTable | None:
    """A table of a Parquet file whose cells may need no reading; None for every other file, and for facts.

    Columns are named as in the contract and typed. Whether reading the cells as people write them would change or
    report something is seen column by column, when the checks ask for it: unless a manifest promises that texts are
    meant as they stand, no text may have spaces around it, say "no value" or be a word to translate. Columns that
    name entities are not looked at here, for ids of entities need no reading.
    """
    stem = path.name[: -len(".parquet")] if path.name.lower().endswith(".parquet") else None
    found = None if stem is None else _opened(parquet_parts(path))
    if stem is None or found is None:
        return None
    table = table_of(stem, found.columns)
    if table is None or table == "facts" or not _is_typed(table, found.columns.tolist(), found.types):
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
    files = []
    try:
        for path in paths:
            file = parquet.ParquetFile(path)
            coded = [name for name in file.schema_arrow.names if name in _CODED and _is_text(file.schema_arrow, name)]
            files.append(parquet.ParquetFile(path, metadata=file.metadata, read_dictionary=coded))
    except (OSError, pa.ArrowException):
        return None
    same = all(file.schema_arrow.equals(files[0].schema_arrow) for file in files)
    return ParquetColumns(paths, files) if files and same else None


def _is_typed(table: str, headers: list[str], types: dict[str, str]) -> bool:
    """Whether columns have the contract's names, floats and dates in their places, and texts everywhere else."""
    own = (*TABLES[table].required, *TABLES[table].optional)
    if len(set(headers)) < len(headers) or not all(header and header == header.strip(EDGES) for header in headers):
        return False
    if any(header != column for header, column in canonical(table, headers).items()):
        return False
    if not set(TABLES[table].required) <= set(headers):
        return False
    return all(
        types[column] in (_FLOATS if column in _NUMBERS else _DATES if column in DATES else _TEXTS)
        if column in own
        else types[column] in _TEXTS
        for column in headers
    )


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
