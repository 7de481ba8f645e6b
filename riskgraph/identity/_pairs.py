"""Candidate pairs of a kind with their levels and what the name says: what match and estimate_weights share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.identity._candidates import equal_keys, grams, similar_names
from riskgraph.identity._chance import name_chance
from riskgraph.identity._compare import compare, name_levels, plain
from riskgraph.identity._estimate import odds_factor, share_of_matches
from riskgraph.identity._records import HUB, Records, records
from riskgraph.schema import ENTITY_KINDS

__all__ = ["Pairs", "pairs_of"]

#: columns whose equal values make two firms worth comparing, whatever they are called
CODES = ("uscc", "lei", "website", "licence")


class Pairs(NamedTuple):
    """Candidates ``a, b`` (positions), levels by comparison, level of the name and the factor it gives."""

    records: Records
    a: np.ndarray
    b: np.ndarray
    levels: pd.DataFrame
    name_level: np.ndarray
    name_factor: np.ndarray
    by_rarity: bool
    missed: float
    left_out: dict[str, int]
    pieces_left_out: int

    def factor(self, table: pd.DataFrame) -> np.ndarray:
        """What all evidence multiplies the odds by."""
        return self.name_factor * self._of(table, list(self.levels.columns))

    def _of(self, table: pd.DataFrame, names: list[str]) -> np.ndarray:
        """What some comparisons multiply the odds by."""
        parts = [table[table["comparison"] == name] for name in names]
        m, u = [part["m"].to_numpy() for part in parts], [part["u"].to_numpy() for part in parts]
        return odds_factor(self.levels[names].to_numpy(dtype=np.int64), m, u)

    def share(self, table: pd.DataFrame) -> float:
        """Share of all possible pairs that are one entity.

        Of persons from their names and births, which are a fair sample of chance; what stands beside them depends on
        what the register happens to hold. Of firms from all evidence.
        """
        if self.by_rarity:
            births = [name for name in ("birth_year", "birth_month") if name in self.levels]
            factor = self.name_factor * self._of(table, births)
        else:
            factor = self.factor(table)
        return share_of_matches(factor, self.records.possible, missed=self.missed)

    def share_among(self, table: pd.DataFrame) -> float:
        """Share of the candidate pairs that are one entity."""
        odds = self.share(table)
        odds /= 1 - odds
        factor = self.factor(table)
        return float(np.clip(np.mean(odds * factor / (1 + odds * factor)), 1e-6, 1 - 1e-6))


def pairs_of(graph: EntityGraph, other: EntityGraph | None, *, kind: str, table: pd.DataFrame, budget: int) -> Pairs:
    """Candidates of one kind: equal names, for firms also names that share rare pieces."""
    data = records(graph, other, kind, ENTITY_KINDS.index(kind))
    side = None if data.side is None else data.side[data.codes]
    same = equal_keys(data.keys[data.codes], side, budget)
    a, b = data.codes[same.a], data.codes[same.b]
    if same.left_out:
        again = _in_one_place(data, set(same.left_out), budget)
        a, b = np.concatenate([a, again[0]]), np.concatenate([b, again[1]])
    person, pieces, place, letters = kind == "person", 0, np.empty(0, dtype=np.int64), None
    if not person and data.codes.size:
        place = np.zeros(data.names.size, dtype=np.int64)
        place[data.codes] = np.arange(data.codes.size)
        letters = grams(
            [str(core or key) for core, key in zip(data.cores[data.codes], data.keys[data.codes], strict=True)]
        )
        rows = np.arange(data.codes.size)
        left, right = (rows, None) if side is None else (rows[side == 0], rows[side == 1])
        if rows.size and (right is None or (left.size and right.size)):
            x, y, pieces = similar_names(letters, left, right, budget=100 * budget)
            unequal = data.keys[data.codes[x]] != data.keys[data.codes[y]]
            a, b = np.concatenate([a, data.codes[x[unequal]]]), np.concatenate([b, data.codes[y[unequal]]])
    for column in () if person else CODES:
        if column in data.attributes:
            value = data.attributes[column].iloc[data.codes]
            value = value.astype(object).where(value.notna() & (value != ""), None)
            equal = equal_keys(value.map(plain, na_action="ignore").to_numpy(), side, budget)
            a, b = np.concatenate([a, data.codes[equal.a]]), np.concatenate([b, data.codes[equal.b]])
    pair = np.unique(a.astype(np.int64) * data.names.size + b)
    a, b = pair // data.names.size, pair % data.names.size
    wanted = {str(name): list(part["level"]) for name, part in table.groupby("comparison", sort=False)}
    names = table[table["comparison"] == "name"]
    level = name_levels(data, letters, place, a, b)
    if person:
        by_name = np.ones(data.names.size)
        by_name[data.codes] = name_chance(pd.Series(data.keys[data.codes], dtype=object))
        factor = names["m"].to_numpy()[level] / by_name[a]
    else:
        factor = (names["m"] / names["u"]).to_numpy()[level]
    return Pairs(
        data, a, b, compare(data, a, b, wanted, person=person), level, factor, person,
        0.0 if person else float(names["m"].iloc[-1]), same.left_out, pieces,
    )  # fmt: skip


def _in_one_place(data: Records, keys: set[str], budget: int) -> tuple[np.ndarray, np.ndarray]:
    """Bearers of names too common to compare who meet in one firm, address or account."""
    n = data.names.size
    bears = np.zeros(n, dtype=bool)
    bears[data.codes] = pd.Series(data.keys[data.codes], dtype=object).isin(keys).to_numpy()
    degree = np.bincount(data.ends, minlength=n)
    use = bears[data.ends] & (degree[data.others] <= HUB)
    ends, others = data.ends[use], data.others[use]
    name = pd.factorize(data.keys[ends])[0].astype(np.int64)
    side = None if data.side is None else data.side[ends]
    met = equal_keys(name * n + others, side, budget)
    a, b = np.minimum(ends[met.a], ends[met.b]), np.maximum(ends[met.a], ends[met.b])
    return a[a != b], b[a != b]
