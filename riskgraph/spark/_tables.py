"""The five tables as Spark DataFrames: read, given the columns of the contract, and cut to a day and a knowledge."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._optional import import_optional
from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS, TABLES
from riskgraph.spark._engine import Engine, Frame, expr

__all__ = ["Tables", "dated", "load", "newest"]

_NUMBERS = {"share_min", "share_max", "votes_min", "votes_max", "share", "amount", "confidence", "severity", "capital"}
_DATES = {"start", "end", "known_from", "due"}


class Tables(NamedTuple):
    """Frames of the five tables; entities carry their ``code``, relations the codes ``a`` and ``b`` of their ends."""

    entities: Frame
    relations: Frame
    cases: Frame
    licences: Frame
    facts: Frame


def load(engine: Engine, given: Any) -> Tables:
    """Tables of a folder of Parquet, of pandas or Spark frames, or of a graph in memory."""
    frames = _frames(engine, given)
    for name in ("entities", "relations"):
        if name not in frames:
            raise InvalidTable(f"{name} is missing; got {', '.join(frames) or 'no table'}")
    frames = {name: _typed(name, frame) for name, frame in frames.items()}
    for name in ("cases", "licences", "facts"):
        if name not in frames:
            frames[name] = _typed(name, engine.rows([], ", ".join(f"`{c}` string" for c in TABLES[name].required)))
    entities = engine.cut(frames["entities"].withColumn("code", expr("monotonically_increasing_id()")))
    codes = entities.selectExpr("id as _id", "code")
    relations = frames["relations"]
    for column, code in (("source", "a"), ("target", "b")):
        ends = codes.selectExpr("_id", f"code as {code}")
        relations = relations.join(ends, expr(f"{column} = _id"), "left").drop("_id")
    relations = relations.withColumn("row", expr("monotonically_increasing_id()"))
    tables = {"entities": entities, "relations": engine.cut(relations)}
    for name in ("cases", "licences", "facts"):
        tables[name] = engine.cut(frames[name].join(codes, expr("entity = _id"), "left").drop("_id"))
    _check(engine, tables)
    return Tables(**tables)


def _frames(engine: Engine, given: Any) -> dict[str, Frame]:
    if isinstance(given, (str, PurePath, os.PathLike)):
        place = str(given).rstrip("/")
        found = {}
        for name in TABLES:
            for path in (f"{place}/{name}.parquet", f"{place}/{name}"):
                try:
                    found[name] = engine.spark.read.parquet(path)
                    _ = found[name].columns
                    break
                except Exception as error:  # the class differs between classic sessions and Connect
                    found.pop(name, None)
                    if "PATH_NOT_FOUND" not in str(error):
                        raise
        return found
    if isinstance(given, EntityGraph):
        given = given.tables()
    if not isinstance(given, Mapping):
        raise InvalidParameter(
            f"'tables' must be a folder of Parquet files, a mapping of table names to frames, or an EntityGraph; "
            f"got {type(given).__name__}"
        )
    strange = [name for name in given if name not in TABLES]
    if strange:
        raise InvalidParameter(f"'tables' must have names among {', '.join(TABLES)}; got {strange[0]!r}")
    given = {name: frame for name, frame in given.items() if frame is not None}
    local = {name: frame for name, frame in given.items() if isinstance(frame, pd.DataFrame)}
    if local and len(local) == len(given) and {"entities", "relations"} <= set(local):
        local = EntityGraph.from_tables(**local).tables()  # the rules and repairs of the tables in memory
    return {**given, **{name: _to_spark(engine, frame) for name, frame in local.items()}}


def _to_spark(engine: Engine, frame: pd.DataFrame) -> Frame:
    """A pandas frame by way of Arrow, which no version of pandas disturbs."""
    if not len(frame):
        return engine.rows([], ", ".join(f"`{name}` string" for name in frame.columns))
    arrow = import_optional("pyarrow", extra="spark")
    columns, names = [], []
    for name in frame.columns:
        values = frame[name]
        if isinstance(values.dtype, np.dtype) and values.dtype.kind == "M":
            column = arrow.array(values.to_numpy().astype("datetime64[D]"), type=arrow.date32())
        elif isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiub":
            column = arrow.array(values.to_numpy(), from_pandas=True)
        else:
            texts = [None if _empty(value) else _text(value) for value in values.astype(object)]
            column = arrow.array(texts, type=arrow.string())
        columns.append(column)
        names.append(str(name))
    return engine.spark.createDataFrame(arrow.table(columns, names=names))


def _empty(value: Any) -> bool:
    return value is None or (np.ndim(value) == 0 and bool(pd.isna(value)))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value)


def _typed(name: str, frame: Frame) -> Frame:
    """The columns of the contract, with their types; extra columns as they are."""
    table = TABLES[name]
    have = set(frame.columns)
    missing = [column for column in table.required if column not in have]
    if missing:
        raise InvalidTable(f"{name} must have the column {missing[0]!r}; got {', '.join(frame.columns)}")
    columns = []
    for column in dict.fromkeys((*table.required, *table.optional)):
        source = f"`{column}`"
        if column not in have:
            given = "null"
            if column in ("share_min", "share_max") and "share" in have:
                given = "`share`"
            source = given
        if column in _NUMBERS:
            number = f"cast({source} as double)"
            columns.append(f"case when isnan({number}) then null else {number} end as `{column}`")
        elif column in _DATES:
            columns.append(f"cast({source} as date) as `{column}`")
        else:
            columns.append(f"cast({source} as string) as `{column}`")
    extras = [f"`{c}`" for c in frame.columns if c not in {*table.required, *table.optional}]
    return frame.selectExpr(*columns, *extras)


def _check(engine: Engine, tables: Mapping[str, Frame]) -> None:
    """Raise where a row breaks a rule without which the results would be wrong."""

    def words(values: tuple[str, ...]) -> str:
        return ", ".join(f"'{value}'" for value in values)

    shares = " or ".join(f"not ({c} between 0 and 1)" for c in ("share_min", "share_max", "votes_min", "votes_max"))
    rules = {
        "entities": {
            "an id is missing": "id is null",
            "a kind is unknown": f"kind is null or kind not in ({words(ENTITY_KINDS)})",
        },
        "relations": {
            "an end is no entity": "a is null or b is null",
            "a kind is unknown": f"kind is null or kind not in ({words(RELATION_KINDS)})",
            "a share lies outside [0, 1]": shares,
            "a minimum is above its maximum": "share_min > share_max or votes_min > votes_max",
            "only a holding may lead to itself": "a = b and kind <> 'owns'",
        },
        **{name: {"an entity is unknown": "code is null"} for name in ("cases", "licences", "facts")},
    }
    problems = []
    for name, tests in rules.items():
        counts = [expr(f"count_if({test})").alias(f"c{place}") for place, test in enumerate(tests.values())]
        found = tables[name].agg(*counts).collect()[0]
        problems += [f"{name}: {text} in {n:,} rows" for text, n in zip(tests, found, strict=True) if n]
    entities = tables["entities"]
    distinct, count = entities.agg(expr("count(distinct id)"), expr("count(id)")).collect()[0]
    if distinct < count:
        problems.append(f"entities: an id stands twice, {count - distinct:,} rows too many")
    if problems:
        raise InvalidTable("the tables break the rules; read_tables(folder) says which rows:", problems)


def newest(engine: Engine, tables: Tables) -> date | None:
    """Newest start or day of knowledge in the tables: the day they stand at."""
    days = []
    for name, frame in tables._asdict().items():
        start = "start"
        if name == "facts":
            # what was known ahead of its start is a plan
            start = "case when known_from is null or known_from >= start then start end"
        known = "null" if name == "entities" else "max(known_from)"
        days.append(engine.number(frame, f"cast(greatest(max({start}), {known}) as string)"))
    found = [day for day in days if day is not None]
    return date.fromisoformat(max(found)) if found else None


def dated(tables: Tables, valid: date | None, known: date | None) -> Tables:
    """What is in force on a day and known by a day; None asks for no limit."""
    test = []
    if valid is not None:
        day = f"date'{valid.isoformat()}'"
        test.append(f"(start is null or start <= {day}) and (end is null or end > {day})")
    if known is not None:
        test.append(f"(known_from is null or known_from <= date'{known.isoformat()}')")
    text = " and ".join(test) or "true"
    gone = "false" if valid is None else f"coalesce(end <= date'{valid.isoformat()}', false)"
    return Tables(
        tables.entities.withColumn("ended", expr(gone)),
        *(frame.where(text) for frame in (tables.relations, tables.cases, tables.licences, tables.facts)),
    )
