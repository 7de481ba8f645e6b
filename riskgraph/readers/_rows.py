"""Rows on their way to the tables: taken one by one, turned into columns batch by batch, and only columns kept.

A batch is let go as soon as it is packed. Numbers become arrays of numbers; ids become codes, each id kept once; texts
that come back share one object; the place a row came from takes eight bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.readers._intake import Intake
from riskgraph.readers._places import Places, encode
from riskgraph.schema import TABLES

__all__ = ["BATCH", "Rows"]

#: rows of a table that are packed together
BATCH = 50_000
_NUMBERS = frozenset({"share_min", "share_max", "votes_min", "votes_max", "amount", "confidence"})
_DATES = ("start", "end", "known_from")
#: columns that name entities, besides the id of the entities themselves
_ENDS = frozenset({"source", "target", "entity"})
#: texts of a column from which it is asked whether they come back
_FEW = 1000


class Rows:
    """Rows of the five tables while a reader collects them, each with its place."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        #: id → code, in the order in which they came
        self._codes: dict[str, int] = {}
        self._forms: dict[tuple[str, str], int] = {}
        self._tables: dict[str, _Table] = {}

    def code(self, id: str) -> int:
        """Number of an entity, counted from 0 in the order in which their ids are first told."""
        return self._codes.setdefault(id, len(self._codes))

    def add(self, table: str, label: Any, **cells: Any) -> None:
        """One row."""
        if table not in self._tables:
            self._tables[table] = _Table(table, self)
        self._tables[table].add(label, cells)

    def count(self, table: str) -> int:
        """Rows of a table so far."""
        return self._tables[table].count if table in self._tables else 0

    def cell(self, table: str, row: int, column: str) -> Any:
        """A text cell of a row that was added, None where it has none."""
        return self._tables[table].columns[column].cell(row) if column in self._tables[table].columns else None

    def put(self, table: str, row: int, label: Any = None, **cells: Any) -> None:
        """Write text cells of a row that was added anew; with a label the row comes from that place."""
        for column, cell in cells.items():
            self._tables[table].put(row, column, cell)
        if label is not None:
            self._tables[table].move(row, label)

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
        self.intake.leave_out(table, label, column, problem, cells or {}, repeat=repeat)

    def graph(self, on_error: str) -> EntityGraph:
        """Graph of the rows; dates are read as people write them."""
        for table in self._tables.values():
            table.close()
        ids = np.array([*self._codes, None], dtype=object)
        self._codes.clear()
        frames = {}
        for name in TABLES:
            if name in self._tables:
                frame = self._tables.pop(name).frame(ids)
                frames[name] = self.intake.dates(name, frame, _DATES, leave=name == "entities")
            elif name in ("entities", "relations"):
                frames[name] = pd.DataFrame(columns=list(TABLES[name].required), dtype=object)
        frames["entities"] = self._in_order(frames["entities"])
        return self.intake.graph(frames, on_error)

    def _in_order(self, entities: pd.DataFrame) -> pd.DataFrame:
        """An entity whose end is not after its start stays, its end left open."""
        if {"start", "end"} <= set(entities):
            crossed = (entities["end"] <= entities["start"]).to_numpy()
            if crossed.any():
                text = "the end is not after the start; left open"
                self.intake.note("entities", entities.index[crossed], "end", text, "repaired")
                end = np.where(crossed, np.datetime64("NaT", "s"), entities["end"].to_numpy())
                entities = entities.assign(end=end)
        return entities


class _Table:
    """One table: its columns, and the places of its rows."""

    def __init__(self, name: str, rows: Rows) -> None:
        self._name, self._rows = name, rows
        self.columns: dict[str, _Column] = {}
        self._places: list[np.ndarray] = []
        self._open: list[Any] = []

    @property
    def count(self) -> int:
        return len(self._places) * BATCH + len(self._open)

    def column(self, name: str) -> _Column:
        found = self.columns.get(name)
        if found is None:
            known = name in _ENDS or (name == "id" and self._name == "entities")
            found = _Codes(self._rows) if known else _Numbers() if name in _NUMBERS else _Column()
            self.columns[name] = found
        return found

    def add(self, label: Any, cells: Mapping[str, Any]) -> None:
        place = len(self._open)
        for name, cell in cells.items():
            column = self.columns.get(name) or self.column(name)
            column.append(cell, place)
        self._open.append(label)
        if place + 1 == BATCH:
            self._pack()

    def put(self, row: int, name: str, cell: Any) -> None:
        self.column(name).put(row, cell, len(self._places))

    def move(self, row: int, label: Any) -> None:
        batch, place = divmod(row, BATCH)
        if batch < len(self._places):
            self._places[batch][place] = encode([label], self._rows._forms)[0]
        else:
            self._open[place] = label

    def _pack(self) -> None:
        for column in self.columns.values():
            column.pack(len(self._places), len(self._open))
        self._places.append(encode(self._open, self._rows._forms))
        self._open = []

    def close(self) -> None:
        """Pack the last rows."""
        if self._open:
            self._pack()

    def frame(self, ids: np.ndarray) -> pd.DataFrame:
        """The rows as a frame, a column given up as it is put in."""
        sizes = [part.size for part in self._places]
        index = pd.Index(Places(np.concatenate(self._places), self._rows._forms))
        done = {}
        for name in list(self.columns):
            array = self.columns.pop(name).array(sizes, ids)
            done[name] = pd.Series(array, index=index, dtype=array.dtype, copy=False)
        return pd.DataFrame(done, index=index, copy=False)


class _Column:
    """Cells of one column, most of them texts; a batch without any takes no room."""

    blank: Any = None
    dtype: Any = object

    def __init__(self) -> None:
        self._parts: list[np.ndarray | None] = []
        self._open: list[Any] = []
        #: texts that came before, None where too few come back
        self._pool: dict[str, str] | None = {}
        self._seen = 0

    def append(self, cell: Any, place: int) -> None:
        cells = self._open
        if len(cells) < place:
            cells += [None] * (place - len(cells))
        cells.append(cell)

    def pack(self, batches: int, count: int) -> None:
        """Turn the open cells into an array; ``batches`` went before."""
        self._parts += [None] * (batches - len(self._parts))
        if self._open:
            self._open += [None] * (count - len(self._open))
            self._parts.append(self._packed(self._open))
            self._open = []

    def _packed(self, cells: list[Any]) -> np.ndarray:
        pool = self._pool
        if pool is not None:
            cells = [pool.setdefault(cell, cell) if cell.__class__ is str else cell for cell in cells]
            self._seen += len(cells)
            if len(pool) > max(_FEW, self._seen // 2):
                self._pool = None
        part = np.empty(len(cells), dtype=object)
        part[:] = cells
        return part

    def cell(self, row: int) -> Any:
        batch, place = divmod(row, BATCH)
        if batch < len(self._parts):
            part = self._parts[batch]
            return None if part is None else part[place]
        return self._open[place] if place < len(self._open) else None

    def put(self, row: int, cell: Any, batches: int) -> None:
        batch, place = divmod(row, BATCH)
        if batch < batches:
            self._parts += [None] * (batches - len(self._parts))
            part = self._parts[batch]
            if part is None:
                part = self._parts[batch] = np.full(BATCH, self.blank, dtype=self.dtype)
            part[place] = self._packed([cell])[0]
        elif place < len(self._open):
            self._open[place] = cell
        else:
            self.append(cell, place)

    def array(self, sizes: list[int], ids: np.ndarray) -> np.ndarray:
        """All cells; the parts are given up."""
        self._parts += [None] * (len(sizes) - len(self._parts))
        parts = [
            np.full(size, self.blank, dtype=self.dtype) if part is None else part
            for part, size in zip(self._parts, sizes, strict=True)
        ]
        self._parts = []
        return np.concatenate(parts)


class _Numbers(_Column):
    """Cells of a column of numbers."""

    blank = np.nan
    dtype = np.float64

    def _packed(self, cells: list[Any]) -> np.ndarray:
        return pd.to_numeric(pd.Series(cells, dtype=object)).to_numpy(dtype=np.float64)


class _Codes(_Column):
    """Cells of a column of ids, as codes; -1 where there is none."""

    blank = -1
    dtype = np.int32

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self._rows = rows

    def _packed(self, cells: list[Any]) -> np.ndarray:
        code = self._rows.code
        return np.array([-1 if cell is None else code(cell) for cell in cells], dtype=np.int32)

    def array(self, sizes: list[int], ids: np.ndarray) -> np.ndarray:
        return ids[super().array(sizes, ids)]
