"""What a reader noticed and left out while it turned cells into typed columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._cells import as_numbers, show
from riskgraph._sheet import Action, Quality
from riskgraph.graph import EntityGraph
from riskgraph.readers._files import RawTable
from riskgraph.readers._places import Place, Places
from riskgraph.readers._values import EDGES, ShareUnit, is_blank, is_blank_cell, parse_dates, parse_money, parse_shares
from riskgraph.tables import clean_tables, invalid, merge_reports

__all__ = ["DATE_RULE", "MONEY_RULE", "SHARE_RULE", "Intake", "blank_to_none"]

SHARE_RULE = "write a share as 65%, 0.65, 25-50% or 25%以上"
MONEY_RULE = "write money as 6000000, 600万元 or 1.2亿元"
DATE_RULE = "write a date as 2016-06-30, 2016年6月30日 or 20160630, an open one as 长期"


class Intake:
    """The quality report and the rejected rows of one reading."""

    def __init__(self) -> None:
        self._quality = Quality()
        self._rejected: dict[str, list[pd.DataFrame | list[tuple[str, Mapping[str, Any]]]]] = {}
        #: notes on single rows since the last note on several: table, row, column, problem, action
        self._single: list[tuple[str, Any, str, str, Action]] = []

    def note(self, table: str, rows: Any, column: str, problems: str | Sequence[str], action: Action = "kept") -> None:
        """Report rows (labels) that were kept or repaired."""
        if isinstance(problems, str) and not isinstance(rows, (list, tuple, pd.Index, np.ndarray)):
            self._single.append((table, str(rows) if isinstance(rows, Place) else rows, column, problems, action))
            return
        labels = list(rows)
        texts = [problems] * len(labels) if isinstance(problems, str) else list(problems)
        self._gather()
        self._quality.add(table, labels, column, texts, action)

    def _gather(self) -> None:
        """Make the single notes so far one frame."""
        if self._single:
            names = ("table", "row", "column", "problem", "action")
            columns = dict(zip(names, zip(*self._single, strict=True), strict=True))
            rows = np.empty(len(self._single), dtype=object)
            rows[:] = columns["row"]
            self._quality.rows.append(pd.DataFrame({**columns, "row": rows}))
            self._single = []

    def mark(self, table: str) -> tuple[int, int]:
        """Where in the report :meth:`reject` shall put what is only known later."""
        self._gather()
        parts = self._rejected.setdefault(table, [])
        if parts and not isinstance(parts[-1], pd.DataFrame):
            parts[-1] = _frame(parts[-1])
        return len(self._quality.rows), len(parts)

    def reject(
        self,
        table: str,
        frame: pd.DataFrame,
        column: str,
        problems: str | Sequence[str],
        *,
        at: tuple[int, int] | None = None,
    ) -> None:
        """Leave out rows, each with its problem; ``at`` puts them where :meth:`mark` was asked."""
        if len(frame):
            self.note(table, frame.index, column, problems, "rejected")
            parts, notes = self._rejected.setdefault(table, []), self._quality.rows
            notes.insert(len(notes) if at is None else at[0], notes.pop())
            parts.insert(len(parts) if at is None else at[1], _told(frame))

    def leave_out(
        self, table: str, label: Any, column: str, problem: str, cells: Mapping[str, Any], *, repeat: bool = False
    ) -> None:
        """Leave out one row; what only says again what another row says is no error even where errors are raised."""
        self.note(table, label, column, problem, "repaired" if repeat else "rejected")
        parts = self._rejected.setdefault(table, [])
        if not parts or isinstance(parts[-1], pd.DataFrame):
            parts.append([])
        parts[-1].append((str(label), dict(cells)))

    def fold_in(self, table: str, frame: pd.DataFrame, column: str, problems: Sequence[str]) -> None:
        """Leave out rows that say again what another row says; no error even where errors are raised."""
        if len(frame):
            self.note(table, frame.index, column, problems, "repaired")
            self._rejected.setdefault(table, []).append(_told(frame))

    def damaged(self, table: str, raw: RawTable, *, label: Callable[[int], Any] = int) -> None:
        """Report the lines of a file that are no rows, and the remarks on the others."""
        if raw.bad:
            labels = [label(line) for line, _, _ in raw.bad]
            lines = pd.DataFrame({"line_text": [text for _, _, text in raw.bad]}, index=pd.Index(labels, dtype=object))
            self.reject(table, lines, "line", [problem for _, problem, _ in raw.bad])
        for line, remark in raw.notes:
            self.note(table, [label(line)], "line", remark, "repaired")

    # -- typed columns: the good rows come back --------------------------------------------------------------------

    def sift(self, table: str, frame: pd.DataFrame, bad: np.ndarray, column: str, rule: str) -> pd.DataFrame:
        """``frame`` without the rows of the mask, each reported with the value that came and the rule."""
        if not bad.any():
            return frame
        out = frame[bad]
        values = out[column].to_numpy(dtype=object)
        self.reject(table, out, column, [f"{show(value)} cannot be read; {rule}" for value in values])
        return frame[~bad]

    def shares(
        self, table: str, frame: pd.DataFrame, columns: Sequence[str], *, unit: ShareUnit = "auto", exact: bool = False
    ) -> pd.DataFrame:
        """Read share columns as fractions; an interval in ``share`` goes to ``share_min`` and ``share_max``."""
        for column in columns:
            if column not in frame:
                continue
            read = parse_shares(frame[column], unit=unit)
            if not exact:
                self._unit(table, frame, column, read.unit, read.mixed, unit)
            good = ~read.bad
            frame = self.sift(table, frame, read.bad, column, SHARE_RULE)
            low, high = read.low[good], read.high[good]
            frame = frame.copy()
            if column == "share":
                exact_cells = (low == high) | np.isnan(low)
                frame["share"] = np.where(exact_cells, low, np.nan)
                if not exact_cells.all():
                    for bound, values in (("share_min", low), ("share_max", high)):
                        given = frame[bound].to_numpy(dtype=float) if bound in frame else np.full(len(frame), np.nan)
                        frame[bound] = np.where(~exact_cells & np.isnan(given), values, given)
            else:
                frame[column] = high if column.endswith("max") else low
        return frame

    def _unit(
        self, table: str, frame: pd.DataFrame, column: str, found: str | None, mixed: bool, asked: ShareUnit
    ) -> None:
        """Say how bare numbers of a column were read, where a person could have meant it otherwise."""
        if found is None or not len(frame):
            return
        if mixed or (found == "percent" and asked == "auto"):
            beside = " (the cells with a percent sign speak for themselves)" if mixed else ""
            what = "percentages, 65 being 0.65" if found == "percent" else "fractions, 0.65 being 65 %"
            self.note(table, frame.index[:1], column, f"bare numbers were read as {what}{beside}", "repaired")

    def money(
        self, table: str, frame: pd.DataFrame, column: str, *, unit: float = 1.0, leave: bool = False
    ) -> pd.DataFrame:
        """Read a column as CNY; other currencies are kept as text in ``<column>_given``.

        ``leave`` also keeps what cannot be read as text there, instead of leaving out the row.
        """
        if column not in frame:
            return frame
        read = parse_money(frame[column], unit=unit)
        aside = read.foreign | (read.bad if leave else False)
        if read.foreign.any():
            texts = [
                f"{show(value)} is not CNY; not converted, kept in {column}_given"
                for value in frame[column][read.foreign]
            ]
            self.note(table, frame.index[read.foreign], column, texts)
        if leave and read.bad.any():
            texts = [
                f"{show(value)} cannot be read; {MONEY_RULE}; kept in {column}_given"
                for value in frame[column][read.bad]
            ]
            self.note(table, frame.index[read.bad], column, texts)
        frame = frame.copy()
        if aside.any():
            frame[f"{column}_given"] = frame[column].astype(object).where(aside, None)
        amount = read.amount
        if not leave:
            amount = amount[~read.bad]
            frame = self.sift(table, frame, read.bad, column, MONEY_RULE).copy()
        frame[column] = amount
        return frame

    def dates(
        self, table: str, frame: pd.DataFrame, columns: Sequence[str], *, excel: bool = False, leave: bool = False
    ) -> pd.DataFrame:
        """Read columns as days; a month or a year alone is its first day and reported."""
        for column in columns:
            if column not in frame:
                continue
            read = parse_dates(frame[column], excel=excel)
            if read.rough.any():
                texts = [f"{show(value)} names no day; read as its first" for value in frame[column][read.rough]]
                self.note(table, frame.index[read.rough], column, texts, "repaired")
            if leave and read.bad.any():
                texts = [f"{show(value)} cannot be read; {DATE_RULE}; left open" for value in frame[column][read.bad]]
                self.note(table, frame.index[read.bad], column, texts, "repaired")
                days = read.days
            else:
                days = read.days[~read.bad]
                frame = self.sift(table, frame, read.bad, column, DATE_RULE)
            frame = frame.copy(deep=False)
            frame[column] = days.astype("datetime64[s]")
        return frame

    def numbers(self, table: str, frame: pd.DataFrame, columns: Sequence[str], rule: str) -> pd.DataFrame:
        """Read columns as plain numbers; the ranges are checked with the tables."""
        for column in columns:
            if column not in frame:
                continue
            values = frame[column].astype(object).where(~is_blank(frame[column]), None)
            numbers, bad = as_numbers(values)
            frame = self.sift(table, frame, bad, column, rule).copy()
            frame[column] = numbers[~bad]
        return frame

    def trim(self, table: str, frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
        """Take spaces and invisible marks off the ends of texts, and read "no value" as missing."""
        frame = frame.copy()
        for column in columns:
            if column not in frame:
                continue
            values = frame[column]
            if values.dtype != object and not pd.api.types.is_string_dtype(values):
                continue
            codes, distinct = pd.factorize(values.astype(object))
            stripped = [value.strip(EDGES) if isinstance(value, str) else value for value in distinct]
            # strip gives the very same text back where there is nothing to take off
            changed = np.array([new is not old for new, old in zip(stripped, distinct, strict=True)], dtype=bool)
            if changed.any():
                cells = np.append(changed, False)[codes]
                self.note(
                    table,
                    frame.index[cells][:1],
                    column,
                    f"{int(cells.sum())} cells had spaces around their text; taken off",
                    "repaired",
                )
            clean = [None if is_blank_cell(value) else value for value in stripped]
            frame[column] = pd.Series(np.array([*clean, None], dtype=object)[codes], index=frame.index, dtype=object)
        return frame

    # -- the graph ---------------------------------------------------------------------------------------------------

    def graph(self, frames: Mapping[str, Any], on_error: str) -> EntityGraph:
        """Graph of the frames, which are given up, with everything noticed so far in its report.

        Raises
        ------
        InvalidTable
            ``on_error="raise"`` and a row was left out here or by the checks of the tables.
        """
        self._gather()
        rejected = {}
        for name, parts in self._rejected.items():
            if not parts:
                continue
            found = [part if isinstance(part, pd.DataFrame) else _frame(part) for part in parts]
            rejected[name] = pd.concat(found) if len(found) > 1 else found[0]
        # the checks always set aside here, so that one error lists what the reader and the tables found
        lenient = "quarantine" if on_error == "raise" else on_error
        tables = clean_tables(**frames, on_error=lenient, owned=True)
        for name, frame in tables.rejected.items():
            tables.rejected[name] = _told(frame)
        quality, left = merge_reports(self._quality.frame(), rejected, tables)
        if on_error == "raise" and (quality["action"] == "rejected").any():
            raise invalid(quality)
        return EntityGraph._from_clean(tables, quality, left)


def _frame(rows: list[tuple[str, Mapping[str, Any]]]) -> pd.DataFrame:
    """Rows left out one by one as a frame."""
    labels = pd.Index([label for label, _ in rows], dtype=object)
    return pd.DataFrame([cells for _, cells in rows], index=labels, dtype=object)


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame whose places are written out."""
    return frame.set_axis(frame.index.astype(object), axis=0) if isinstance(frame.index.array, Places) else frame


def blank_to_none(values: pd.Series) -> pd.Series:
    r"""Texts with the spellings of "no value" (``\N``, ``-``, ``无``, ``null``, empty) as None."""
    values = values.astype(object)
    return values.where(~is_blank(values), None)
