"""Check and tidy input frames: every repair is counted, every row left out is kept aside, none is silent.

:func:`clean_tables` is what :meth:`EntityGraph.from_tables` calls. It returns typed frames, the quality report and
the rejected rows. A message names the table, the row (the frame's index label; for files the line), the column, the
value that came, and what would be valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._cells import OPEN, as_numbers, days_to_dates, show
from riskgraph._columns import RelationStore
from riskgraph._sheet import Columns, Quality, Sheet
from riskgraph._sparse import SHARE_UNITS, exact_shares
from riskgraph._texts import Directory, is_coded, is_packed, objects, unpacked
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

__all__ = ["Tables", "clean_tables", "invalid", "merge_reports"]


@dataclass(frozen=True)
class Tables:
    """The five tables, clean and typed, the quality report, and the rows left out."""

    #: texts may be packed or coded, see :mod:`riskgraph._texts`; in the other frames they are objects
    entities: pd.DataFrame
    relations: RelationStore
    cases: pd.DataFrame
    licences: pd.DataFrame
    facts: pd.DataFrame
    quality: pd.DataFrame
    rejected: dict[str, pd.DataFrame]


def clean_tables(
    entities: pd.DataFrame | Columns,
    relations: pd.DataFrame | Columns,
    cases: pd.DataFrame | Columns | None = None,
    licences: pd.DataFrame | Columns | None = None,
    facts: pd.DataFrame | Columns | None = None,
    *,
    on_error: str = "raise",
    owned: bool = False,
) -> Tables:
    """Check the five tables against the vocabulary and return them typed.

    Columns that pandas holds as Arrow strings, as ``pandas.read_parquet`` gives them, are checked as they are: an
    object is made only of what the graph keeps as such, so that this is the fast way for large tables.

    Parameters
    ----------
    on_error
        ``"raise"`` raises when any row must be left out; ``"quarantine"`` keeps the good rows and puts the bad ones
        into ``rejected``.
    owned
        Whether the frames are given up: columns that are clean as they came are then taken, not copied. Then a table
        may also be :class:`~riskgraph._sheet.Columns` of a file.

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
        name: Sheet(name, frame, quality, owned=owned)
        for name, frame in zip(TABLES, (entities, relations, cases, licences, facts), strict=True)
    }
    people = sheets["entities"]
    asked = {f"{name}.{column}": sheets[name].data[column] for name in sheets for column in TABLES[name].references}
    ids = Directory(people.data["id"], asked)
    del asked
    _check_entities(people, ids)
    # ids may have come as numbers, which are texts by now
    ids = ids.only(people.good) if ids.unique else Directory(people.data["id"][people.good])
    _check_relations(sheets["relations"], ids)
    _check_cases(sheets["cases"], ids)
    _check_licences(sheets["licences"], ids)
    _check_facts(sheets["facts"], ids)
    rejected = {name: sheet.left_out() for name, sheet in sheets.items() if not sheet.good.all()}
    report = quality.frame()
    if on_error == "raise" and rejected:
        raise invalid(report)
    store = _store(sheets.pop("relations"))
    return Tables(
        relations=store,
        entities=sheets.pop("entities").clean(),
        **{name: unpacked(sheet.clean()) for name, sheet in sheets.items()},
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


def _check_entities(sheet: Sheet, ids: Directory) -> None:
    sheet.texts("id", needed=True)
    sheet.choices("kind", ENTITY_KINDS)
    sheet.dates()
    sheet.numbers("capital", low=0, high=np.inf, rule="give CNY, 6000000 for 600万元")
    for column in ("name", "sector", "status", "registered_in", "operates_in", "uscc", "lei", "source_ref"):
        sheet.texts(column, needed=False)
    if not ids.unique:
        sheet.unique("id")
    if "sector" in sheet.data:
        sectors = sheet.data["sector"]
        sectors = sectors if is_packed(sectors) else pd.Series(sectors, dtype=None if is_coded(sectors) else object)
        odd = ~sectors.isin(SECTORS).to_numpy() & sectors.notna().to_numpy() & sheet.good
        sheet.note(
            odd, "sector", lambda value: f"{show(value)} is not a sector code; known are {', '.join(SECTORS)}", "kept"
        )


def _check_relations(sheet: Sheet, ids: Directory) -> None:
    sheet.texts("source", needed=True)
    sheet.texts("target", needed=True)
    sheet.texts("id", needed=True)
    sheet.texts("role", needed=False)
    sheet.texts("source_ref", needed=False)
    sheet.choices("kind", RELATION_KINDS)
    sheet.known("source", ids)
    sheet.known("target", ids)
    loops = (sheet.codes["source"] == sheet.codes["target"]) & (sheet.codes["kind"] != _OWNS)
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
    _report_sums(sheet, ids)


def _store(sheet: Sheet) -> RelationStore:
    """The good relations, packed."""

    def good(values: np.ndarray) -> np.ndarray:
        return values if sheet.whole else values[sheet.good]

    source, target, kind = (good(sheet.codes.pop(column)) for column in ("source", "target", "kind"))
    for column in ("source", "target", "kind"):
        del sheet.data[column]
    plain = {column: sheet.take(column) for column in RelationStore.PLAIN if column in sheet.data}
    return RelationStore.packed(source, target, kind, plain, unpacked(sheet.clean()).reset_index(drop=True))


_OWNS = RELATION_KINDS.index("owns")


def _merge_share(sheet: Sheet) -> None:
    """Fold ``share`` into ``share_min`` and ``share_max``; both given must agree."""
    if "share" not in sheet.data:
        return
    share = sheet.data["share"]
    for column in ("share_min", "share_max"):
        bound = sheet.data[column] if column in sheet.data else np.full(len(share), np.nan)
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


def _report_sums(sheet: Sheet, ids: Directory) -> None:
    """Report companies whose declared shares sum above 1 on some day; they are kept as declared."""
    if "share_min" not in sheet.data:
        return
    low, target = sheet.data["share_min"], sheet.codes["target"]
    rows = np.flatnonzero(sheet.good & (sheet.codes["kind"] == _OWNS) & (low > 0))
    if not rows.size:
        return
    # only where the shares of all days together are above 1, but for rounding, can those of one day be
    sums, count = np.bincount(target[rows], low[rows]), np.bincount(target[rows])
    rows = rows[(sums > 1 + 1e-12 - 2.3e-16 * count)[target[rows]]]
    if not rows.size:
        return
    companies, company = np.unique(target[rows], return_inverse=True)
    units = exact_shares(low[rows])
    start = sheet.data["start"][rows] if "start" in sheet.data else np.full(rows.size, OPEN)
    end = sheet.data["end"][rows] if "end" in sheet.data else np.full(rows.size, OPEN)
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
    over = np.flatnonzero(np.maximum.reduceat(total, first) > 1 + 1e-12)
    if not over.size:
        return
    row_of = np.full(companies.size, -1, dtype=np.int64)
    row_of[company[::-1]] = rows[::-1]
    over = over[np.argsort(row_of[who[first[over]]], kind="stable")]
    limits = np.r_[first, who.size]
    names = ids.texts(companies[who[first[over]]])
    problems = []
    for place, name in zip(over, names, strict=True):
        spot = limits[place] + int(np.argmax(total[limits[place] : limits[place + 1]]))
        on = "" if day[spot] == OPEN else f" on {days_to_dates(np.array([day[spot]], dtype=np.int32))[0]}"
        problems.append(f"the shares of {name!r} sum to {float(total[spot]):.6g}{on}, above 1; kept as declared")
    sheet.quality.add("relations", sheet.labels[row_of[who[limits[over]]]], "share", problems, "kept")


def _check_cases(sheet: Sheet, ids: Directory) -> None:
    _check_owned(sheet, ids)
    sheet.choices("type", CASE_TYPES)
    sheet.numbers("severity", low=0, high=1, rule="give a weight, 1 for the gravest")
    sheet.dates()


def _check_licences(sheet: Sheet, ids: Directory) -> None:
    _check_owned(sheet, ids)
    sheet.choices("sector", SECTORS)
    sheet.dates()


def _check_owned(sheet: Sheet, ids: Directory) -> None:
    sheet.texts("entity", needed=True)
    sheet.texts("id", needed=True)
    for column in ("issuer", "number", "authority", "topic", "source_ref"):
        sheet.texts(column, needed=False)
    sheet.known("entity", ids)
    sheet.unique("id")


def _check_facts(sheet: Sheet, ids: Directory) -> None:
    _check_owned(sheet, ids)
    sheet.texts("fact", needed=True)
    sheet.dates()
    facts = pd.Series(objects(sheet.data["fact"]), dtype=object)
    kinds = facts.map(FACT_TYPES)
    values = objects(sheet.data["value"])
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
