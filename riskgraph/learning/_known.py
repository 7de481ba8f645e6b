"""What was known of a graph on a day, and nothing else: the graph every feature is computed on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskgraph._cells import OPEN, to_day
from riskgraph._columns import RelationStore
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph

__all__ = ["as_day", "known_graph"]


def as_day(name: str, value: Any) -> np.datetime64:
    """A date as a day.

    Raises
    ------
    InvalidParameter
        Not a date.

    Examples
    --------
    >>> as_day("at", "2016-06-30")
    np.datetime64('2016-06-30')
    """
    day = to_day(value)
    if np.isnat(day):
        raise InvalidParameter(f"'{name}' must be a date such as 2016-06-30; got {value!r}")
    return day.astype("datetime64[D]")


def known_graph(graph: EntityGraph, day: np.datetime64) -> EntityGraph:
    """The graph on a day without a trace of anything later.

    Stricter than ``graph.at(day, known=day)``: a row without ``known_from`` counts as known from its ``start``; an
    ``end`` after the day is blanked, for nobody knew it then; so is ``status``, which registries only keep as of the
    day they were copied.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_dated()
    >>> known_graph(graph, np.datetime64("2016-06-30")).relations[["source", "end"]]
      source end
    0    Ann NaT
    1   Carl NaT
    """
    number = int(day.astype(np.int64))
    limit = number if graph._known is None else min(number, graph._known)
    return graph._like(
        entities=_entities(graph._all, day),
        relations=_relations(graph._store, number, limit),
        tables={name: _rows(frame, day, np.datetime64(limit, "D")) for name, frame in graph._tables.items()},
        day=number,
        known=limit,
        dated=True,
    )


def _entities(frame: pd.DataFrame, day: np.datetime64) -> pd.DataFrame:
    changes: dict[str, Any] = {}
    if "end" in frame:
        changes["end"] = frame["end"].where(frame["end"].to_numpy() <= day)
    if "status" in frame:
        changes["status"] = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    return frame.assign(**changes) if changes else frame


def _relations(store: RelationStore, day: int, limit: int) -> RelationStore:
    keep = store.known(limit)
    if "start" in store.days:
        known = store.days.get("known_from", np.int32(OPEN))
        keep &= (store.days["start"] <= day) | (known != OPEN)
    if not keep.all():
        store = store.take(np.flatnonzero(keep))
    end = store.days.get("end")
    if end is None or not (end > day).any():
        return store
    return RelationStore(
        source=store.source,
        target=store.target,
        kind=store.kind,
        numbers=store.numbers,
        days={**store.days, "end": np.where(end > day, OPEN, end).astype(np.int32)},
        role=store.role,
        roles=store.roles,
        extras=store.extras,
        serial=store.serial,
    )


def _rows(frame: pd.DataFrame, day: np.datetime64, limit: np.datetime64) -> pd.DataFrame:
    known, start, end = (frame[name].to_numpy() for name in ("known_from", "start", "end"))
    keep = np.where(np.isnat(known), np.isnat(start) | (start <= day), known <= limit)
    frame = frame[keep].reset_index(drop=True)
    return frame.assign(end=frame["end"].where(end[keep] <= day))
