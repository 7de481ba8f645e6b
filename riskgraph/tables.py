"""Check and tidy input frames: every repair is counted, every row left out is kept aside, none is silent.

:func:`clean_tables` is what :meth:`EntityGraph.from_tables` calls. It returns typed frames, the quality report and
the rejected rows. A message names the table, the row (the frame's index label; for files the line), the column, the
value that came, and what would be valid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from riskgraph._cells import OPEN, as_numbers, as_text, days_to_dates, show, span, to_days
from riskgraph._sparse import SHARE_UNITS, exact_shares
from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.schema import (
    APPROVAL_PREFIX,
    CASE_TYPES,
    ENTITY_KINDS,
    FACT_TYPES,
    LEVELS,
    RELATION_KINDS,
    SECTORS,
    TABLES,
)

__all__ = ["DATES", "Quality", "Tables", "clean_tables", "invalid", "merge_reports"]

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


@dataclass(frozen=True)
class Tables:
    """The five clean frames, the quality report, and the rows left out."""

    entities: pd.DataFrame
    relations: pd.DataFrame
    cases: pd.DataFrame
    licences: pd.DataFrame
    facts: pd.DataFrame
    #: positions in ``entities`` of the ends of the relations
    source: np.ndarray
    target: np.ndarray
    quality: pd.DataFrame
    rejected: dict[str, pd.DataFrame]


class _Sheet:
    """One table under check: its frame, and which of its rows are still good."""

    def __init__(self, name: str, frame: pd.DataFrame | None, quality: Quality) -> None:
        table = TABLES[name]
        if frame is None:
            frame = pd.DataFrame({column: pd.Series(dtype=object) for column in table.required})
        if not isinstance(frame, pd.DataFrame):
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
        self.given = frame
        self.labels = frame.index
        self.data: dict[str, Any] = {column: frame[column] for column in frame.columns}
        self.good = np.ones(len(frame), dtype=bool)
        self.quality = quality
        #: columns whose empty cells are None already
        self.tidy: set[str] = set()
        #: entity codes of the columns that name entities
        self.codes: dict[str, np.ndarray] = {}

    def reject(self, bad: np.ndarray, column: str, text: Callable[[Any], str]) -> None:
        """Leave out the rows of the mask; ``text`` turns the value that came into the problem."""
        bad = bad & self.good
        if bad.any():
            self.note(bad, column, text, "rejected")
            self.good &= ~bad

    def note(self, rows: np.ndarray, column: str, text: Callable[[Any], str], action: Action) -> None:
        values = self.given[column].to_numpy(dtype=object)[rows] if column in self.given else [None] * int(rows.sum())
        self.quality.add(self.name, self.labels[rows], column, [text(value) for value in values], action)

    # -- columns -------------------------------------------------------------------------------------------------

    def texts(self, column: str, *, needed: bool) -> None:
        """Turn a column into text; numbers become their digits, which is reported once."""
        if column not in self.data:
            return
        values, missing, repaired = as_text(self.data[column])
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
            ends = days_to_dates(end)
            spots = iter(np.flatnonzero(reversed_ & self.good))
            self.reject(
                reversed_,
                "start",
                lambda value: (
                    f"start {show(value)} is not before end {ends[next(spots)]}; "
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
        values = self.data[column]
        bad = ~pd.Series(values, dtype=object).isin(list(valid)).to_numpy()
        self.reject(bad, column, lambda value: f"{show(value)} is not a valid {column}; use one of {', '.join(valid)}")

    def unique(self, column: str) -> None:
        if column not in self.data:
            return
        values = pd.Series(np.where(self.good, self.data[column], None), dtype=object)
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

    def known(self, column: str, ids: pd.Index) -> None:
        """Reject rows whose column names no entity."""
        self.codes[column] = ids.get_indexer(pd.Index(self.data[column], dtype=object))
        self.reject(
            self.codes[column] < 0,
            column,
            lambda value: f"{show(value)} is not an id of entities; add the entity or correct the id",
        )

    # -- results -------------------------------------------------------------------------------------------------

    def clean(self) -> pd.DataFrame:
        """The good rows with typed columns and their old index labels."""
        table = TABLES[self.name]
        columns: dict[str, Any] = {}
        for column in (*table.required, *table.optional, *self.data):
            if column in columns or column not in self.data:
                continue
            values = self.data[column]
            if column in DATES:
                values = days_to_dates(values).astype("datetime64[s]")
            values = values[self.good] if isinstance(values, np.ndarray) else values.to_numpy()[self.good]
            if values.dtype == object:
                values = pd.Series(values, index=self.labels[self.good], dtype=object)
                if column != "value" and column not in self.tidy:
                    values = values.where(values.notna(), None)
            columns[column] = values
        return pd.DataFrame(columns, index=self.labels[self.good])

    def left_out(self) -> pd.DataFrame:
        return self.given[~self.good].copy()


def clean_tables(
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    cases: pd.DataFrame | None = None,
    licences: pd.DataFrame | None = None,
    facts: pd.DataFrame | None = None,
    *,
    on_error: str = "raise",
) -> Tables:
    """Check the five tables against the vocabulary and return them typed.

    Parameters
    ----------
    on_error
        ``"raise"`` raises when any row must be left out; ``"quarantine"`` keeps the good rows and puts the bad ones
        into ``rejected``.

    Raises
    ------
    InvalidTable
        A required column is missing, or ``on_error="raise"`` and a row breaks a rule; every bad row is listed.

    Examples
    --------
    >>> import pandas as pd
    >>> entities = pd.DataFrame({"id": ["A", "B"], "kind": ["company", "company"]})
    >>> relations = pd.DataFrame({"source": ["A"], "target": ["B"], "kind": ["owns"], "share": [1.2]})
    >>> clean_tables(entities, relations)
    Traceback (most recent call last):
    riskgraph.errors.InvalidTable: 1 row breaks the rules of its table
      relations row 0, column share: 1.2 is outside [0, 1]; give a fraction, 0.35 for 35 %
    """
    if on_error not in ("raise", "quarantine"):
        raise InvalidParameter(f"'on_error' must be 'raise' or 'quarantine'; got {on_error!r}")
    quality = Quality()
    sheets = {
        name: _Sheet(name, frame, quality)
        for name, frame in zip(TABLES, (entities, relations, cases, licences, facts), strict=True)
    }
    _check_entities(sheets["entities"])
    ids = pd.Index(sheets["entities"].data["id"][sheets["entities"].good], dtype=object)
    _check_relations(sheets["relations"], ids)
    _check_cases(sheets["cases"], ids)
    _check_licences(sheets["licences"], ids)
    _check_facts(sheets["facts"], ids)
    rejected = {name: sheet.left_out() for name, sheet in sheets.items() if not sheet.good.all()}
    report = quality.frame()
    if on_error == "raise" and rejected:
        raise invalid(report)
    ends = sheets["relations"]
    return Tables(
        **{name: sheet.clean() for name, sheet in sheets.items()},
        source=ends.codes["source"][ends.good],
        target=ends.codes["target"][ends.good],
        quality=report,
        rejected=rejected,
    )


def invalid(quality: pd.DataFrame) -> InvalidTable:
    """The error that lists every rejected row of a quality report."""
    bad = quality[quality["action"] == "rejected"]
    rows = bad[["table", "row"]].astype(str).drop_duplicates()
    text = (
        "1 row breaks the rules of its table" if len(rows) == 1 else f"{len(rows)} rows break the rules of their tables"
    )
    return InvalidTable(
        text,
        [
            f"{table} row {row}, column {column}: {problem}"
            for table, row, column, problem in bad[["table", "row", "column", "problem"]].itertuples(index=False)
        ],
    )


# -- one check a table -----------------------------------------------------------------------------------------------


def _check_entities(sheet: _Sheet) -> None:
    sheet.texts("id", needed=True)
    sheet.choices("kind", ENTITY_KINDS)
    sheet.dates()
    sheet.numbers("capital", low=0, high=np.inf, rule="give CNY, 6000000 for 600万元")
    for column in ("name", "sector", "status", "registered_in", "operates_in", "uscc", "lei", "source_ref"):
        sheet.texts(column, needed=False)
    sheet.unique("id")
    if "sector" in sheet.data:
        odd = ~pd.Series(sheet.data["sector"], dtype=object).isin([*SECTORS, None, ""]).to_numpy() & sheet.good
        sheet.note(
            odd, "sector", lambda value: f"{show(value)} is not a sector code; known are {', '.join(SECTORS)}", "kept"
        )


def _check_relations(sheet: _Sheet, ids: pd.Index) -> None:
    sheet.texts("source", needed=True)
    sheet.texts("target", needed=True)
    sheet.texts("id", needed=True)
    sheet.texts("role", needed=False)
    sheet.texts("source_ref", needed=False)
    sheet.choices("kind", RELATION_KINDS)
    sheet.known("source", ids)
    sheet.known("target", ids)
    loops = (sheet.data["source"] == sheet.data["target"]) & (np.asarray(sheet.data["kind"], dtype=object) != "owns")
    sheet.reject(loops, "target", lambda value: f"{show(value)} is also the source; only owns may point to itself")
    sheet.dates()
    for column in ("share", "share_min", "share_max", "votes_min", "votes_max"):
        sheet.numbers(column, low=0, high=1, rule="give a fraction, 0.35 for 35 %")
    sheet.numbers("confidence", low=0, high=1, rule="give a probability")
    sheet.numbers("amount", low=0, high=np.inf, rule="give CNY, 6000000 for 600万元")
    _merge_share(sheet)
    for low, high in (("share_min", "share_max"), ("votes_min", "votes_max")):
        if low in sheet.data and high in sheet.data:
            tops = sheet.data[high]
            crossed = sheet.data[low] > tops
            spots = iter(np.flatnonzero(crossed & sheet.good))
            sheet.reject(
                crossed,
                low,
                lambda value, high=high, tops=tops, spots=spots: (  # type: ignore[misc]
                    f"{show(value)} is above {high} {tops[next(spots)]:g}; an interval runs from low to high"
                ),
            )
    sheet.unique("id")
    _report_sums(sheet)


def _merge_share(sheet: _Sheet) -> None:
    """Fold ``share`` into ``share_min`` and ``share_max``; both given must agree."""
    if "share" not in sheet.data:
        return
    share = sheet.data["share"]
    for column in ("share_min", "share_max"):
        bound = sheet.data.get(column, np.full(len(share), np.nan))
        against = (bound > share) if column == "share_min" else (bound < share)
        spots = iter(np.flatnonzero(against & sheet.good))
        sheet.reject(
            against,
            "share",
            lambda value, column=column, bound=bound, spots=spots: (  # type: ignore[misc]
                f"{show(value)} contradicts {column} {bound[next(spots)]:g}; give share alone or an interval alone"
            ),
        )
        sheet.data[column] = np.where(np.isnan(share), bound, share)
    del sheet.data["share"]


def _report_sums(sheet: _Sheet) -> None:
    """Report companies whose declared shares sum above 1 on some day; they are kept as declared."""
    if "share_min" not in sheet.data:
        return
    low = np.nan_to_num(sheet.data["share_min"], nan=0.0)
    rows = np.flatnonzero(sheet.good & (np.asarray(sheet.data["kind"], dtype=object) == "owns") & (low > 0))
    if not rows.size:
        return
    company, names = pd.factorize(pd.Series(sheet.data["target"][rows], dtype=object))
    units = exact_shares(low[rows])
    floor = np.iinfo(np.int32).min
    start = sheet.data["start"][rows] if "start" in sheet.data else np.full(rows.size, floor)
    end = sheet.data["end"][rows] if "end" in sheet.data else np.full(rows.size, floor)
    closed = end != OPEN
    # an ending on a day is counted before a beginning on it: intervals are half-open
    who = np.concatenate([company, company[closed]])
    day = np.concatenate([start, end[closed]]).astype(np.int64)
    change = np.concatenate([units, -units[closed]])
    order = np.lexsort((change > 0, day, who))
    who, day, change = who[order], day[order], change[order]
    total = np.cumsum(change.astype(np.longdouble) / SHARE_UNITS)
    first = np.flatnonzero(np.r_[True, who[1:] != who[:-1]])
    before = np.repeat(np.r_[0, total[first[1:] - 1]], np.diff(np.r_[first, who.size]))
    total = total - before
    peak = np.maximum.reduceat(total, first)
    over = np.flatnonzero(peak > 1 + 1e-12)
    if not over.size:
        return
    row_of = np.full(len(names), -1, dtype=np.int64)
    row_of[company[::-1]] = rows[::-1]
    limits = np.r_[first, who.size]
    problems = []
    for place in over:
        spot = limits[place] + int(np.argmax(total[limits[place] : limits[place + 1]]))
        on = "" if day[spot] == OPEN else f" on {days_to_dates(np.array([day[spot]], dtype=np.int32))[0]}"
        problems.append(
            f"the shares of {str(names[who[spot]])!r} sum to {float(total[spot]):.6g}{on}, above 1; kept as declared"
        )
    sheet.quality.add("relations", sheet.labels[row_of[who[limits[over]]]], "share", problems, "kept")


def _check_cases(sheet: _Sheet, ids: pd.Index) -> None:
    _check_owned(sheet, ids)
    sheet.choices("type", CASE_TYPES)
    sheet.numbers("severity", low=0, high=1, rule="give a weight, 1 for the gravest")
    sheet.dates()


def _check_licences(sheet: _Sheet, ids: pd.Index) -> None:
    _check_owned(sheet, ids)
    sheet.choices("sector", SECTORS)
    sheet.dates()


def _check_owned(sheet: _Sheet, ids: pd.Index) -> None:
    sheet.texts("entity", needed=True)
    sheet.texts("id", needed=True)
    for column in ("issuer", "number", "authority", "topic", "source_ref"):
        sheet.texts(column, needed=False)
    sheet.known("entity", ids)
    sheet.unique("id")


def _check_facts(sheet: _Sheet, ids: pd.Index) -> None:
    _check_owned(sheet, ids)
    sheet.texts("fact", needed=True)
    sheet.dates()
    facts = pd.Series(sheet.data["fact"], dtype=object)
    kinds = facts.map(FACT_TYPES)
    values = pd.Series(sheet.data["value"]).astype(object).to_numpy()
    missing = pd.isna(values)
    clean = values.copy()
    clean[missing] = "unknown"
    sheet.note(
        missing & sheet.good & kinds.isin(["boolean", "number", "level"]).to_numpy(),
        "value",
        lambda value: "no value came; read as unknown",
        "repaired",
    )
    low = np.array([value.strip().lower() if isinstance(value, str) else value for value in clean], dtype=object)
    truth = pd.Series(low, dtype=object).map(_truth)
    boolean = (kinds == "boolean").to_numpy()
    sheet.reject(
        boolean & truth.isna().to_numpy(), "value", lambda value: f"{show(value)} is not true, false or unknown"
    )
    clean[boolean] = truth.to_numpy()[boolean]
    number = (kinds == "number").to_numpy() & (low != "unknown")
    if number.any():
        parsed, bad = as_numbers(pd.Series(clean[number], dtype=object))
        wrong = np.zeros(len(clean), dtype=bool)
        wrong[np.flatnonzero(number)[bad]] = True
        sheet.reject(wrong, "value", lambda value: f"{show(value)} is not a number; give one, or unknown")
        clean[number] = parsed
    level = (kinds == "level").to_numpy()
    odd = level & ~pd.Series(low, dtype=object).isin([*LEVELS, "unknown"]).to_numpy()
    sheet.reject(odd, "value", lambda value: f"{show(value)} is not a level; use low, medium, high or unknown")
    clean[level] = low[level]
    sheet.data["value"] = clean
    strange = kinds.isna() & ~facts.fillna("").str.startswith(APPROVAL_PREFIX) & sheet.good
    for name, rows in facts[strange].groupby(facts[strange], sort=False):
        count = f"{len(rows)} row{'s' if len(rows) > 1 else ''}"
        sheet.quality.add(
            "facts", sheet.labels[rows.index[:1]], "fact", [f"{name!r} is not a known fact; kept in {count}"], "kept"
        )


def _truth(value: Any) -> bool | str | None:
    if isinstance(value, (bool, np.bool_)) or value in (0, 1):
        return bool(value)
    known: dict[Any, bool | str] = {"true": True, "false": False, "unknown": "unknown", "1": True, "0": False}
    return known.get(value)


def merge_reports(
    quality: pd.DataFrame, rejected: Mapping[str, pd.DataFrame], tables: Tables
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """A reader's own report put before that of the tables it made."""
    frames = [frame for frame in (quality, tables.quality) if len(frame)]
    merged = pd.concat(frames, ignore_index=True) if frames else tables.quality
    left = {**rejected}
    for name, frame in tables.rejected.items():
        left[name] = pd.concat([left[name], frame]) if name in left and len(left[name]) else frame
    return merged, left
