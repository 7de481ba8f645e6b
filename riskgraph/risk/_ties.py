"""The relations that carry risk on a graph's dates, as arcs: those in force, and those in force as a case began."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._columns import RelationColumns
from riskgraph.graph import EntityGraph
from riskgraph.risk._arcs import Arcs, merge_arcs
from riskgraph.risk.transmission import probabilities
from riskgraph.schema import SEED_CASES

__all__ = ["cascade_arcs", "case_ages", "ended_ties"]

YEAR = 365.25


def cascade_arcs(
    graph: EntityGraph, transmission: Any, seeds: np.ndarray, *, ties: str = "current", half_life: float | None = None
) -> Arcs:
    """Arcs of the relations in force, and with ``ties="at_case"`` of what :func:`ended_ties` finds."""
    if transmission is None and ties == "current":
        return graph.cached(("risk", "arcs"), lambda: _merge(graph, [_both_ways(graph, None, _once(graph))]))
    parts = [_both_ways(graph, transmission, _once(graph))]
    if ties == "at_case":
        at = ended_ties(graph, seeds)
        source, target, there, back, row = (part[at] for part in _both_ways(graph, transmission, graph.past))
        if half_life is not None and graph.valid_on is not None:
            faded = 0.5 ** (_years(graph, graph.past.end[at]) / half_life)
            there, back = there * faded, back * faded
        parts.append((source, target, there, back, row))
    return _merge(graph, parts)


def _once(graph: EntityGraph) -> RelationColumns:
    """The relations in force as columns that are let go after use."""
    return RelationColumns(graph._store, np.flatnonzero(graph._store.in_force(graph._day, graph._known)))


def _merge(graph: EntityGraph, parts: list[tuple[np.ndarray, ...]]) -> Arcs:
    if len(parts) == 1:
        return merge_arcs(len(graph), *parts[0])
    return merge_arcs(len(graph), *(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _both_ways(graph: EntityGraph, transmission: Any, columns: RelationColumns) -> tuple[np.ndarray, ...]:
    """Source, target, probability there and back, and base row of relations."""
    there, back = probabilities(graph, transmission, columns, _frames(graph, columns))
    return columns.source, columns.target, there, back, columns.row


def _frames(graph: EntityGraph, columns: RelationColumns) -> Callable[[np.ndarray], pd.DataFrame]:
    return lambda at: graph._store.frame(columns.row[at], graph.ids)


def _years(graph: EntityGraph, since: np.ndarray) -> np.ndarray:
    assert graph.valid_on is not None
    day = np.array(graph.valid_on.date(), dtype="datetime64[D]")
    return np.asarray((day - since.astype("datetime64[D]")).astype(np.float64) / YEAR)


def _case_starts(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Code, first day and severity of every seed case in force that has a date."""
    cases = graph.cases
    cases = cases[cases["type"].isin(SEED_CASES) & cases["start"].notna()]
    codes = graph.lookup(cases["entity"])
    severity = cases["severity"].astype(float).fillna(1.0).to_numpy()
    return codes, cases["start"].to_numpy().astype("datetime64[D]").astype(np.int64), severity


def ended_ties(graph: EntityGraph, seeds: np.ndarray) -> np.ndarray:
    """Positions in ``graph.past`` of the relations of a seed that were in force as one of its cases began."""
    codes, days, _ = _case_starts(graph)
    ours = np.isin(codes, seeds)
    codes, days = codes[ours], days[ours]
    past = graph.past
    if not codes.size or not len(past):
        return np.empty(0, dtype=np.int64)
    # one number for "this entity on this day", in order of entity, then day
    origin = int(days.min())
    width = int(days.max()) - origin + 3
    moments = np.sort(codes * width + (days - origin) + 1)
    start = np.where(np.isnat(past.start), origin - 1, past.start.astype(np.int64))
    since = np.clip(start - origin + 1, 0, width - 1)
    until = np.clip(past.end.astype(np.int64) - origin + 1, 0, width - 1)
    held = np.zeros(len(past), dtype=bool)
    for end in (past.source, past.target):
        at = end.astype(np.int64) * width
        held |= np.searchsorted(moments, at + until) > np.searchsorted(moments, at + since)
    return np.flatnonzero(held)


def case_ages(graph: EntityGraph, codes: np.ndarray, weights: np.ndarray, half_life: float) -> np.ndarray:
    """Weights of the seeds with every dated case halved each ``half_life`` years; undated cases keep theirs."""
    if graph.valid_on is None:
        return weights
    found, days, severity = _case_starts(graph)
    age = _years(graph, days.astype("datetime64[D]"))
    faded = np.zeros(len(graph))
    np.maximum.at(faded, found, severity * 0.5 ** (np.maximum(age, 0) / half_life))
    cases = graph.cases
    undated = cases[cases["type"].isin(SEED_CASES) & cases["start"].isna()]
    at = graph.lookup(undated["entity"])
    np.maximum.at(faded, at, undated["severity"].astype(float).fillna(1.0).to_numpy())
    return np.minimum(faded[codes], weights)
