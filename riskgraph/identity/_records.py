"""One or two graphs as one set of records: names, attributes, and who stands beside whom."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from riskgraph.graph import EntityGraph
from riskgraph.identity._chance import name_key
from riskgraph.identity.names import compare_key, core_name
from riskgraph.schema import RELATION_KINDS

__all__ = ["HUB", "Records", "around", "records"]

#: a neighbour with more relations (a mass address, a nominee, an exchange) joins nobody
HUB = 100
#: a name borne by more entities beside one is no sign of a common circle
COMMON = 20
#: year and, if told, month at the beginning of a date of birth
_BIRTH = r"^\s*(\d{4})(?:-?(\d{2}))?"
#: pairs looked at together: bounds the memory of two steps around them
_CHUNK = 100_000


class Records(NamedTuple):
    """Entities of the kind compared (``codes``), and the whole graphs around them."""

    codes: np.ndarray
    side: np.ndarray | None
    ids: np.ndarray
    names: np.ndarray
    keys: np.ndarray
    cores: np.ndarray
    attributes: pd.DataFrame
    ends: np.ndarray
    others: np.ndarray

    @property
    def possible(self) -> float:
        """Number of pairs that could be formed."""
        n = float(self.codes.size)
        if self.side is None:
            return n * (n - 1) / 2
        first = float((self.side[self.codes] == 0).sum())
        return first * (n - first)


def records(graph: EntityGraph, other: EntityGraph | None, kind: str, kind_code: int) -> Records:
    """Named entities of one kind in one graph or in two."""
    graphs = [graph] if other is None else [graph, other]
    starts = np.cumsum([0, *(len(one) for one in graphs)])
    names = np.concatenate([one.names for one in graphs])
    ids = np.concatenate([one.ids.to_numpy(dtype=object) for one in graphs])
    kinds = np.concatenate([one.kinds for one in graphs])
    side = None if other is None else np.repeat(np.array([0, 1], dtype=np.int8), np.diff(starts))
    plain = pd.Series(names, dtype=object)
    keys = compare_key(plain)
    keys = name_key(plain, keys)
    # an id stands in for a missing name elsewhere; it is none here
    given = [
        one.entities["name"].notna() if "name" in one.entities else pd.Series(False, one.entities.index)
        for one in graphs
    ]
    wanted = (kinds == kind_code) & (keys.notna() & (keys != "")).to_numpy() & np.concatenate(given).astype(bool)
    cores = pd.Series(None, index=plain.index, dtype=object)
    if kind != "person":
        cores[wanted] = compare_key(core_name(plain[wanted]))
    ends, others = [], []
    for start, one in zip(starts[:-1], graphs, strict=True):
        for columns in (one.columns, one.past):
            # an earlier guess that two are one is no evidence for the next
            kept = columns.kind != RELATION_KINDS.index("same_as")
            source, target = columns.source[kept] + start, columns.target[kept] + start
            ends += [source, target]
            others += [target, source]
    left, right = np.concatenate(ends), np.concatenate(others)
    apart = left != right
    attributes = _born(pd.concat([one.entities for one in graphs], ignore_index=True))
    return Records(
        np.flatnonzero(wanted),
        side,
        ids,
        names,
        keys.to_numpy(),
        cores.to_numpy(),
        attributes,
        left[apart],
        right[apart],
    )


def _born(entities: pd.DataFrame) -> pd.DataFrame:
    """Entities with the year and month that ``birth_date`` tells, where columns of these names do not."""
    if "birth_date" not in entities:
        return entities
    found = entities["birth_date"].astype(object).where(entities["birth_date"].notna(), "").astype(str)
    parts = found.str.extract(_BIRTH)
    entities = entities.copy(deep=False)
    for column, part in (("birth_year", parts[0]), ("birth_month", parts[1])):
        told = pd.to_numeric(part, errors="coerce")
        told = told.where(told.between(1, 12)) if column == "birth_month" else told
        entities[column] = pd.to_numeric(entities[column], errors="coerce").fillna(told) if column in entities else told
    return entities


def around(data: Records, a: np.ndarray, b: np.ndarray, *, wide: bool) -> dict[str, np.ndarray]:
    """Levels of ``near`` and ``beside``, positions in their lists of levels; -1 where a side has no relation.

    ``wide`` looks two steps for names (people meet through firms), else one (the firm's own people).
    """
    n = data.names.size
    degree = np.bincount(data.ends, minlength=n)
    # a hub is nobody's neighbour, and nothing leads on from it
    calm = degree[data.others] <= HUB
    one = flags(data.ends[calm], data.others[calm], n, n)
    names = pd.factorize(data.keys)[0]
    names = np.where(names < 0, names.max(initial=-1) + 1, names)
    width = int(names.max(initial=0)) + 1
    telling = np.flatnonzero(np.bincount(names, minlength=width)[names] <= COMMON)
    named = flags(telling, names[telling], n, width)
    near, beside = np.full(a.size, -1, dtype=np.int8), np.full(a.size, -1, dtype=np.int8)
    both = np.flatnonzero((degree[a] > 0) & (degree[b] > 0))
    for start in range(0, both.size, _CHUNK):
        part = both[start : start + _CHUNK]
        near[part], shared = _meetings(one, named, names, a[part], b[part], wide=wide)
        # whoever meets or is linked has names in common for that reason: counted once
        beside[part] = np.where((near[part] == 2) | (data.side is not None), np.where(shared, 0, 1), -1)
    return {"near": near, "beside": beside}


def _meetings(
    one: csr_array, named: csr_array, names: np.ndarray, a: np.ndarray, b: np.ndarray, *, wide: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Level of ``near``, and whether another name stands beside both."""
    rows, spots = np.unique(np.concatenate([a, b]), return_inverse=True)
    left, right = spots[: a.size], spots[a.size :]
    first = one[rows]
    second = csr_array(first @ one)
    direct = meet(first[left], first[right])
    linked = meet(first[left], second[right]) | meet(second[left], first[right])
    beside = csr_array((csr_array(first + second) if wide else first) @ named)
    return np.where(direct, 0, np.where(linked, 1, 2)), another(beside[left], beside[right], names[a], names[b])


def flags(rows: np.ndarray, columns: np.ndarray, height: int, width: int) -> csr_array:
    """Sparse table with 1 where a row and a column meet."""
    table = csr_array((np.ones(rows.size, dtype=np.int32), (rows, columns)), shape=(height, width))
    table.sum_duplicates()
    table.data[:] = 1
    return table


def meet(one: csr_array, two: csr_array) -> np.ndarray:
    """Whether two rows have an entry in common, row by row."""
    return np.asarray(one.multiply(two).sum(axis=1)).ravel() > 0


def another(one: csr_array, two: csr_array, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether two rows share a name that is neither one's own."""
    both = csr_array(one.multiply(two))
    rows = np.repeat(np.arange(own.size), np.diff(both.indptr))
    foreign = (both.indices != own[rows]) & (both.indices != other[rows])
    return np.bincount(rows[foreign & (both.data > 0)], minlength=own.size) > 0
