"""One table under check: its columns turned into types, its bad rows named and set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from riskgraph._cells import (
    OPEN,
    as_numbers,
    as_text,
    broken_texts,
    days_to_dates,
    mended,
    none_for_missing,
    show,
    span,
    to_days,
)
from riskgraph._texts import Directory, is_coded, is_packed, joined, objects, unpacked
from riskgraph.errors import InvalidTable
from riskgraph.schema import TABLES

__all__ = ["DATES", "Action", "Columns", "Quality", "Sheet"]

Action = Literal["rejected", "repaired", "kept"]

#: columns that hold dates
DATES = ("start", "end", "known_from", "due")


@dataclass
class Quality:
    """The quality report while it is being written."""

    rows: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self, table: str, labels: Sequence[Any] | pd.Index, column: str, problems: Sequence[str], action: Action
    ) -> None:
        """Add one row a problem; ``labels`` are the index labels of the rows concerned."""
        if len(labels):
            self.rows.append(
                pd.DataFrame(
                    {
                        "table": table,
                        "row": np.asarray(labels, dtype=object),
                        "column": column,
                        "problem": list(problems),
                        "action": action,
                    }
                )
            )

    def frame(self) -> pd.DataFrame:
        """Columns ``table, row, column, problem, action``; empty when all is clean."""
        if not self.rows:
            return pd.DataFrame({name: pd.Series(dtype=object) for name in _QUALITY_COLUMNS})
        return pd.concat(self.rows, ignore_index=True)


_QUALITY_COLUMNS = ("table", "row", "column", "problem", "action")


class Columns(Protocol):
    """Columns of a file, typed and without broken texts, each read when it is asked for."""

    @property
    def columns(self) -> pd.Index:
        """Their names."""

    @property
    def index(self) -> pd.Index:
        """Label of every row."""

    def __getitem__(self, column: str) -> pd.Series:
        """One of them, read anew each time."""

    def __len__(self) -> int:
        """Count the rows."""


class _Cells(dict[str, Any]):
    """Columns as far as they are typed; the others as they came, each taken once."""

    def __init__(self, given: pd.DataFrame | Columns) -> None:
        super().__init__(dict.fromkeys(given.columns))
        self._given = given

    def __getitem__(self, column: str) -> Any:
        if super().__getitem__(column) is None:
            self[column] = self._given[column]
        return super().__getitem__(column)


class Sheet:
    """One table under check: its columns, and which of its rows are still good."""

    def __init__(
        self, name: str, frame: pd.DataFrame | Columns | None, quality: Quality, *, owned: bool = False
    ) -> None:
        table = TABLES[name]
        if frame is None:
            frame = pd.DataFrame({column: pd.Series(dtype=object) for column in table.required})
        if not isinstance(frame, pd.DataFrame) and not owned:
            raise InvalidTable(f"'{name}' must be a pandas DataFrame; got {type(frame).__name__}")
        missing = [column for column in table.required if column not in frame.columns]
        if missing:
            raise InvalidTable(
                f"{name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}; "
                f"it needs {', '.join(table.required)}, and came with {', '.join(map(str, frame.columns)) or 'none'}"
            )
        double = frame.columns[frame.columns.duplicated()]
        if len(double):
            raise InvalidTable(f"{name} has the column {double[0]!r} twice; every column needs a name of its own")
        self.name = name
        self.quality = quality
        self.given = self._mended(frame) if isinstance(frame, pd.DataFrame) else frame
        self.labels = frame.index
        self.data = _Cells(self.given)
        self.good = np.ones(len(frame), dtype=bool)
        #: whether nobody else holds the frame, so that its columns may be taken as they are
        self.owned = owned
        #: columns whose empty cells are None already, or missing where they are packed
        self.tidy: set[str] = set()
        #: places of the cells among the entities, or among the options of their column
        self.codes: dict[str, np.ndarray] = {}

    def _mended(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame without halves of character pairs, each such text reported; only object columns can hold them."""
        for position, column in enumerate(frame.columns):
            values = frame.iloc[:, position]
            broken = broken_texts(values.to_numpy()) if values.dtype == object else np.zeros(0, dtype=bool)
            if broken.any():
                values = values.copy()
                values[broken] = [mended(text) for text in values[broken]]
                frame = frame.copy(deep=False)
                frame.isetitem(position, values)
                labels = frame.index[broken]
                problem = "half of a character pair; written as \ufffd"
                self.quality.add(self.name, labels, column, [problem] * len(labels), "repaired")
        return frame

    def reject(self, bad: np.ndarray, column: str, text: Callable[[Any], str]) -> None:
        """Leave out the rows of the mask; ``text`` turns the value that came into the problem."""
        bad = bad & self.good
        if bad.any():
            self.note(bad, column, text, "rejected")
            self.good &= ~bad

    def note(self, rows: np.ndarray, column: str, text: Callable[[Any], str], action: Action) -> None:
        values = objects(self.given[column][rows]) if column in self.given.columns else [None] * int(rows.sum())
        self.quality.add(self.name, self.labels[rows], column, [text(value) for value in values], action)

    # -- columns -------------------------------------------------------------------------------------------------

    def texts(self, column: str, *, needed: bool) -> None:
        """Turn a column into text, packed or coded where it came so; numbers become digits, which is reported once."""
        if column not in self.data:
            return
        values = self.data[column]
        if is_coded(values):
            values = pd.Categorical(values)
            if "" in values.categories:
                values = values.remove_categories("")
            missing = values.codes < 0
        elif is_packed(values):
            missing = values.isna().to_numpy()
            empty = (values == "").to_numpy(dtype=bool, na_value=False)
            if empty.any():
                values, missing = values.mask(empty), missing | empty
        else:
            values, missing, repaired = as_text(values)
            if repaired.any():
                first = int(np.flatnonzero(repaired)[0])
                self.quality.add(
                    self.name,
                    self.labels[first : first + 1],
                    column,
                    [f"{int(repaired.sum())} numbers were read as text, the first as {values[first]!r}"],
                    "repaired",
                )
        self.data[column] = values
        self.tidy.add(column)
        if needed:
            self.reject(missing, column, lambda value: f"{show(value)} is no id; give a text")

    def dates(self) -> None:
        for column in DATES:
            if column in self.data:
                days, bad = to_days(self.data[column])
                self.reject(bad, column, lambda value: f"{show(value)} is not a date; write it as 2016-06-30")
                self.data[column] = days
        if "start" in self.data and "end" in self.data:
            start, end = self.data["start"], self.data["end"]
            reversed_ = (start != OPEN) & (end != OPEN) & (start >= end)
            spots = iter(np.flatnonzero(reversed_ & self.good))
            self.reject(
                reversed_,
                "start",
                lambda value: (
                    f"start {show(value)} is not before end {days_to_dates(end[[next(spots)]])[0]}; "
                    "a relation holds from start up to, not including, end"
                ),
            )

    def numbers(self, column: str, *, low: float, high: float, rule: str) -> None:
        """Turn a column into floats inside [low, high]; ``rule`` says what would be valid."""
        if column not in self.data:
            return
        values, bad = as_numbers(self.data[column])
        self.reject(bad, column, lambda value: f"{show(value)} is not a number; {rule}")
        outside = (values < low) | (values > high)
        self.reject(outside, column, lambda value: f"{show(value)} is outside {span(low, high)}; {rule}")
        self.data[column] = values

    def choices(self, column: str, valid: Sequence[str]) -> None:
        """Turn a column of few options into their places; whoever takes it next may ask for either."""
        values = self.data[column]
        self.codes[column] = codes = Directory.of(valid, like=values).codes(values).astype(np.int8)
        self.reject(
            codes < 0, column, lambda value: f"{show(value)} is not a valid {column}; use one of {', '.join(valid)}"
        )
        self.data[column] = pd.Categorical.from_codes(codes, categories=list(valid))

    def unique(self, column: str) -> None:
        if column not in self.data:
            return
        values = pd.Series(objects(self.data[column]), dtype=object).where(self.good, None)
        twice = values.duplicated().to_numpy() & values.notna().to_numpy()
        if not (twice & self.good).any():
            return
        first = values[~values.duplicated()]
        label_of = pd.Series(self.labels[first.index], index=first.to_numpy())
        self.reject(
            twice,
            column,
            lambda value: f"{show(value)} is used twice, first in row {label_of[str(value)]}; ids are unique",
        )

    def known(self, column: str, ids: Directory) -> None:
        """Reject rows whose column names no entity; from then on only the places of the entities are held."""
        self.codes[column] = ids.codes(self.data[column], f"{self.name}.{column}")
        self.data[column] = None
        self.reject(
            self.codes[column] < 0,
            column,
            lambda value: f"{show(value)} is not an id of entities; add the entity or correct the id",
        )

    # -- results -------------------------------------------------------------------------------------------------

    @property
    def whole(self) -> bool:
        """Whether no row was left out."""
        return bool(self.good.all())

    def take(self, column: str) -> Any:
        """The good rows of a column, which is given up; nobody else holds what comes. Texts may be packed or coded."""
        values = self.data[column]
        del self.data[column]
        if is_packed(values):
            return joined(values if self.whole else values[self.good])
        if isinstance(values, pd.Categorical):
            return values if self.whole else values[self.good]
        values = values if isinstance(values, np.ndarray) else values.to_numpy()
        values = values if self.whole and self.owned else values[self.good]
        if values.dtype == object and column != "value" and column not in self.tidy:
            values = none_for_missing(values, pd.isna(values))
        return values

    def clean(self) -> pd.DataFrame:
        """The good rows with typed columns and their old index labels; the columns are given up one by one."""
        table = TABLES[self.name]
        columns: dict[str, Any] = {}
        labels = self.labels if self.whole and self.owned else self.labels[self.good]
        for column in (*table.required, *table.optional, *list(self.data)):
            if column in columns or column not in self.data:
                continue
            values = self.take(column)
            if column in DATES:
                values = days_to_dates(values).astype("datetime64[s]")
            values = values.array if isinstance(values, pd.Series) else values
            columns[column] = pd.Series(values, index=labels, dtype=values.dtype, copy=False)
        return pd.DataFrame(columns, index=labels, copy=False)

    def left_out(self) -> pd.DataFrame:
        bad = ~self.good
        if isinstance(self.given, pd.DataFrame):
            return self.given[bad].copy()
        rows = {column: self.given[column][bad] for column in self.given.columns}
        return unpacked(pd.DataFrame(rows, index=self.labels[bad]))
