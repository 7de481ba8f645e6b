"""What the families share: the graph as known on a day, its neighbours, its cases, and what a feature is."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS, SEED_CASES

__all__ = ["COMPANY", "PERSON", "STATE", "Feature", "Spec", "View", "count", "distinct", "greatest"]

COMPANY, PERSON, STATE = (ENTITY_KINDS.index(kind) for kind in ("company", "person", "state"))


class Feature(NamedTuple):
    """One feature: its name without the family, its unit, what it means."""

    name: str
    unit: str
    definition: str


class Spec(NamedTuple):
    """What the features depend on besides the graph."""

    #: catalogue of rules, or None
    catalogue: Any = None
    #: names of the facts that hold numbers or yes and no
    facts: tuple[str, ...] = ()


def count(n: int, codes: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """How often each code occurs, or the sum of its weights, float64.

    Examples
    --------
    >>> count(3, np.array([0, 2, 2]))
    array([1., 0., 2.])
    """
    return np.bincount(codes, weights=weights, minlength=n).astype(np.float64)


def distinct(keys: np.ndarray) -> np.ndarray:
    """Distinct keys, ascending. By sorting: on millions of keys the hashing of newer numpy takes ten times as long.

    Examples
    --------
    >>> distinct(np.array([5, 3, 5]))
    array([3, 5])
    """
    ordered = np.sort(keys)
    first = np.ones(ordered.size, dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return np.asarray(ordered[first])


def greatest(n: int, codes: np.ndarray, values: np.ndarray, *, empty: float = np.nan) -> np.ndarray:
    """Greatest value of each code, ``empty`` where it has none.

    Examples
    --------
    >>> greatest(3, np.array([0, 2, 2]), np.array([5.0, 1.0, 4.0]))
    array([ 5., nan,  4.])
    """
    found = np.full(n, -np.inf)
    np.maximum.at(found, codes, values)
    return np.where(np.isneginf(found), empty, found)


class View:
    """A graph as known on a day, seen by the families; every array is by entity code."""

    def __init__(self, graph: EntityGraph) -> None:
        self.graph = graph
        self.n = len(graph)
        self.kinds = graph.kinds
        valid = graph.valid_on
        self.day: np.datetime64 | None = None if valid is None else np.datetime64(valid.date(), "D")

    def starts(self, frame: pd.DataFrame) -> np.ndarray:
        """First days of the rows of a table."""
        return frame["start"].to_numpy().astype("datetime64[D]")

    def codes(self, ids: Any) -> np.ndarray:
        """Codes of ids of the graph's own tables."""
        return self.graph.ids.get_indexer(pd.Index(ids, dtype=object)).astype(np.int64)

    def begun(self, table: str) -> pd.DataFrame:
        """Rows of a table that were known and had begun by the day, ended or not."""
        frame = self.graph.known(table)
        if self.day is None:
            return frame
        start = frame["start"].to_numpy()
        return frame[np.isnat(start) | (start <= self.day)]

    @cached_property
    def born(self) -> np.ndarray:
        """First day of every entity, NaT where not given."""
        frame = self.graph.entities
        if "start" not in frame:
            return np.full(self.n, np.datetime64("NaT", "D"))
        return frame["start"].to_numpy().astype("datetime64[D]")

    @cached_property
    def alive(self) -> np.ndarray:
        """Mask of the entities that had begun and not ended."""
        gone = self.graph.entities["ended"].to_numpy()
        if self.day is None:
            return np.asarray(~gone)
        return np.asarray(~gone & (np.isnat(self.born) | (self.born <= self.day)))

    @cached_property
    def seeds(self) -> np.ndarray:
        """Severity of the seed case an entity is under, 0 for none."""
        found = np.zeros(self.n)
        seeds = self.graph.seeds()
        found[self.codes(seeds.index)] = seeds.to_numpy()
        return found

    @cached_property
    def ever(self) -> np.ndarray:
        """Mask of the entities that ever were under a seed case, as far as known."""
        cases = self.begun("cases")
        mask = np.zeros(self.n, dtype=bool)
        mask[self.codes(cases.loc[cases["type"].isin(SEED_CASES), "entity"])] = True
        return mask

    def pairs(self, *kinds: str, past: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Distinct pairs of source and target of relations of these kinds, none with itself; ``past`` adds ended."""
        wanted = [RELATION_KINDS.index(kind) for kind in kinds]
        parts = [self.graph.columns, self.graph.past] if past else [self.graph.columns]
        keys = []
        for columns in parts:
            rows = np.isin(columns.kind, wanted)
            source, target = columns.source[rows].astype(np.int64), columns.target[rows]
            keys.append((source * self.n + target)[source != target])
        key = distinct(np.concatenate(keys))
        return key // max(self.n, 1), key % max(self.n, 1)

    def neighbours(self, *kinds: str, past: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Distinct pairs of entity and neighbour over relations of these kinds, each from both ends."""
        source, target = self.pairs(*kinds, past=past)
        key = distinct(np.concatenate([source * self.n + target, target * self.n + source]))
        return key // max(self.n, 1), key % max(self.n, 1)
