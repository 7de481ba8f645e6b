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
from riskgraph.readers._values import ShareUnit, is_blank, is_blank_cell, parse_dates, parse_money, parse_shares
from riskgraph.tables import invalid

__all__ = ["DATE_RULE", "MONEY_RULE", "SHARE_RULE", "Intake", "blank_to_none"]

SHARE_RULE = "write a share as 65%, 0.65, 25-50% or 25%以上"
MONEY_RULE = "write money as 6000000, 600万元 or 1.2亿元"
DATE_RULE = "write a date as 2016-06-30, 2016年6月30日 or 20160630, an open one as 长期"
_EDGES = " \t\r\n\u3000\xa0\ufeff\u200b"


class Intake:
    """The quality report and the rejected rows of one reading."""

    def __init__(self) -> None:
        self._quality = Quality()
        self._rejected: dict[str, list[pd.DataFrame]] = {}

    def note(self, table: str, rows: Any, column: str, problems: str | Sequence[str], action: Action = "kept") -> None:
        """Report rows (labels) that were kept or repaired."""
        labels = list(rows) if isinstance(rows, (list, tuple, pd.Index, np.ndarray)) else [rows]
        texts = [problems] * len(labels) if isinstance(problems, str) else list(problems)
        self._quality.add(table, labels, column, texts, action)

    def reject(self, table: str, frame: pd.DataFrame, column: str, problems: str | Sequence[str]) -> None:
        """Leave out rows, each with its problem."""
        if len(frame):
            self.note(table, frame.index, column, problems, "rejected")
            self._rejected.setdefault(table, []).append(frame)

    def fold_in(self, table: str, frame: pd.DataFrame, column: str, problems: Sequence[str]) -> None:
        """Leave out rows that say again what another row says; no error even where errors are raised."""
        if len(frame):
            self.note(table, frame.index, column, problems, "repaired")
            self._rejected.setdefault(table, []).append(frame)

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
                frame = frame.copy()
                days = read.days
            else:
                days = read.days[~read.bad]
                frame = self.sift(table, frame, read.bad, column, DATE_RULE).copy()
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
            stripped = [value.strip(_EDGES) if isinstance(value, str) else value for value in distinct]
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

    def graph(self, frames: Mapping[str, pd.DataFrame], on_error: str) -> EntityGraph:
        """Graph of the frames with everything noticed so far in its report.

        Raises
        ------
        InvalidTable
            ``on_error="raise"`` and a row was left out here or by the checks of the tables.
        """
        rejected = {name: pd.concat(parts) if len(parts) > 1 else parts[0] for name, parts in self._rejected.items()}
        # the checks always set aside here, so that one error lists what the reader and the tables found
        lenient = "quarantine" if on_error == "raise" else on_error
        graph = EntityGraph.from_tables(**frames, on_error=lenient, quality=self._quality.frame(), rejected=rejected)
        if on_error == "raise" and (graph.quality["action"] == "rejected").any():
            raise invalid(graph.quality)
        return graph


def blank_to_none(values: pd.Series) -> pd.Series:
    r"""Texts with the spellings of "no value" (``\N``, ``-``, ``无``, ``null``, empty) as None."""
    values = values.astype(object)
    return values.where(~is_blank(values), None)
