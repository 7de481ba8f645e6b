"""Relations as columns: integer codes and flat arrays, no Python object a relation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._cells import OPEN, days_to_dates
from riskgraph.schema import RELATION_KINDS

__all__ = ["RelationColumns", "RelationStore", "Scattered"]

_NUMBERS = ("share_min", "share_max", "votes_min", "votes_max", "amount", "confidence")
_DAYS = ("start", "end", "known_from")


class Scattered:
    """A column of numbers that few relations have: the places of these and the numbers, 12 bytes each, else NaN.

    What pandas offers for this looks through all places for a single cell.

    Examples
    --------
    >>> column = Scattered(np.array([np.nan, 0.5, np.nan]))
    >>> column[np.array([1, 2])], np.asarray(column), column.nbytes
    (array([0.5, nan]), array([nan, 0.5, nan]), 12)
    """

    def __init__(self, values: np.ndarray) -> None:
        self.size = values.size
        self._place = np.flatnonzero(~np.isnan(values)).astype(np.int32)
        self._value = values[self._place]

    @property
    def nbytes(self) -> int:
        """Bytes of places and numbers."""
        return self._place.nbytes + self._value.nbytes

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of rows, which are given by their places."""
        rows = np.asarray(rows, dtype=np.int32)  # as wide as the places, which would be copied else
        at = np.searchsorted(self._place, rows)
        known = np.flatnonzero(self._place[np.minimum(at, self._place.size - 1)] == rows)
        found = np.full(rows.size, np.nan)
        found[known] = self._value[at[known]]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The whole column."""
        whole = np.full(self.size, np.nan)
        whole[self._place] = self._value
        return whole


def _compact(values: np.ndarray | Scattered) -> np.ndarray | Scattered:
    """Numbers as they are, or scattered where at most a quarter is given."""
    if isinstance(values, Scattered):
        return values
    given = np.count_nonzero(~np.isnan(values))
    return Scattered(values) if 0 < 4 * given <= values.size else values


class RelationStore:
    """Every relation a graph knows of, whatever its dates. Immutable; shared by all dated views of a graph.

    Columns that the input lacks take no memory, and numbers that few relations have only that of the numbers: about
    40 bytes a relation with dates, share and amount.
    """

    def __init__(
        self,
        *,
        source: np.ndarray,
        target: np.ndarray,
        kind: np.ndarray,
        numbers: Mapping[str, np.ndarray | Scattered],
        days: dict[str, np.ndarray],
        role: np.ndarray | None,
        roles: tuple[str, ...],
        extras: pd.DataFrame,
        serial: np.ndarray | None = None,
    ) -> None:
        self.source, self.target, self.kind = source, target, kind
        self.numbers = {name: _compact(values) for name, values in numbers.items()}
        self.days = days
        self.role, self.roles = role, roles
        self.extras = extras
        self.serial = serial
        for array in (source, target, kind, role, serial, *self.numbers.values(), *days.values()):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    #: columns that become arrays; every other column is an extra
    PLAIN = (*_NUMBERS, *_DAYS, "role")

    @classmethod
    def packed(
        cls,
        source: np.ndarray,
        target: np.ndarray,
        kind: np.ndarray,
        plain: dict[str, Any],
        extras: pd.DataFrame,
    ) -> RelationStore:
        """Store of checked columns, which are taken as they are; columns without any value take no room.

        ``source``, ``target`` and ``kind`` are codes; ``plain`` holds :attr:`PLAIN` columns: floats, days and texts.
        """
        numbers = {name: plain[name] for name in _NUMBERS if name in plain and not np.isnan(plain[name]).all()}
        if "share_min" in numbers and "share_max" in numbers:
            low, high = numbers["share_min"], numbers["share_max"]
            if np.array_equal(low, high, equal_nan=True):
                numbers["share_max"] = low  # one array for both where every share is exact
        days = {name: plain[name] for name in _DAYS if name in plain and (plain[name] != OPEN).any()}
        role: np.ndarray | None = None
        roles: tuple[str, ...] = ()
        if "role" in plain:
            found, names = pd.factorize(plain["role"])
            if len(names):
                role, roles = found.astype(np.int16), tuple(str(name) for name in names)
        return cls(
            source=source.astype(np.int32, copy=False),
            target=target.astype(np.int32, copy=False),
            kind=kind.astype(np.int8, copy=False),
            numbers=numbers,
            days=days,
            role=role,
            roles=roles,
            extras=extras,
        )

    def __len__(self) -> int:
        return int(self.source.size)

    @property
    def nbytes(self) -> int:
        """Bytes of the columns, extra columns included."""
        arrays = {
            id(array): array.nbytes
            for array in (
                self.source, self.target, self.kind, self.role, self.serial, *self.numbers.values(), *self.days.values()
            )
            if array is not None
        }  # fmt: skip
        return sum(arrays.values()) + int(self.extras.memory_usage(index=False, deep=True).sum())

    def in_force(self, day: int | None, known: int | None) -> np.ndarray:
        """Mask of the relations in force on a day and known by a day; ``None`` asks for no limit."""
        mask = self.known(known)
        if day is not None:
            if "start" in self.days:
                mask &= self.days["start"] <= day  # OPEN is below every day
            if "end" in self.days:
                end = self.days["end"]
                mask &= (end == OPEN) | (end > day)
        return mask

    def ended(self, day: int | None, known: int | None) -> np.ndarray:
        """Mask of the known relations that had ended by a day."""
        if day is None or "end" not in self.days:
            return np.zeros(len(self), dtype=bool)
        end = self.days["end"]
        return self.known(known) & (end != OPEN) & (end <= day)

    def known(self, known: int | None) -> np.ndarray:
        """Mask of the relations known by a day."""
        if known is None or "known_from" not in self.days:
            return np.ones(len(self), dtype=bool)
        return np.asarray(self.days["known_from"] <= known)

    def ids(self, rows: np.ndarray) -> list[str]:
        """Ids of rows: as given, else ``r`` and the row number."""
        if "id" in self.extras:
            return [str(value) for value in self.extras["id"].to_numpy()[rows]]
        numbers = rows if self.serial is None else self.serial[rows]
        return [f"r{number}" for number in numbers]

    def take(self, rows: np.ndarray, code: np.ndarray | None = None) -> RelationStore:
        """The rows alone; ``code`` maps old entity codes to new ones."""
        source, target = self.source[rows], self.target[rows]
        if code is not None:
            source, target = code[source].astype(np.int32), code[target].astype(np.int32)
        numbers = {name: array[rows] for name, array in self.numbers.items()}
        if self.numbers.get("share_max") is self.numbers.get("share_min") and "share_min" in numbers:
            numbers["share_max"] = numbers["share_min"]
        return RelationStore(
            source=source,
            target=target,
            kind=self.kind[rows],
            numbers=numbers,
            days={name: array[rows] for name, array in self.days.items()},
            role=None if self.role is None else self.role[rows],
            roles=self.roles,
            extras=self.extras.iloc[rows].reset_index(drop=True),
            serial=(np.asarray(rows, dtype=np.int32) if self.serial is None else self.serial[rows]),
        )

    def frame(self, rows: np.ndarray, ids: pd.Index) -> pd.DataFrame:
        """Rows as the relations table a person reads."""
        data: dict[str, Any] = {"id": self.ids(rows)}
        data["source"] = ids.to_numpy()[self.source[rows]]
        data["target"] = ids.to_numpy()[self.target[rows]]
        data["kind"] = np.array(RELATION_KINDS, dtype=object)[self.kind[rows]]
        for name in _NUMBERS:
            if name in self.numbers:
                data[name] = self.numbers[name][rows]
            else:
                data[name] = np.full(len(rows), np.nan)
        if self.role is None:
            data["role"] = np.full(len(rows), None, dtype=object)
        else:
            data["role"] = np.array([*self.roles, None], dtype=object)[self.role[rows]]
        for name in _DAYS:
            days = self.days[name][rows] if name in self.days else np.full(len(rows), OPEN, dtype=np.int32)
            data[name] = days_to_dates(days).astype("datetime64[s]")
        data["source_ref"] = np.full(len(rows), None, dtype=object)
        for name in self.extras.columns:
            if name != "id":
                data[name] = self.extras[name].to_numpy()[rows]
        return pd.DataFrame(data)


class RelationColumns:
    """The relations of one dated view as read-only arrays of one length; codes index the graph's entities."""

    def __init__(self, store: RelationStore, rows: np.ndarray) -> None:
        self._store = store
        self._whole = rows.size == len(store)
        self.row: np.ndarray = rows.astype(np.int32)
        self.row.flags.writeable = False

    def __len__(self) -> int:
        return int(self.row.size)

    def _pick(self, array: np.ndarray) -> np.ndarray:
        if self._whole:
            return array
        array = array[self.row]
        array.flags.writeable = False
        return array

    def _number(self, name: str, default: Callable[[], np.ndarray] | None = None) -> np.ndarray:
        if name in self._store.numbers:
            return self._pick(np.asarray(self._store.numbers[name]))
        return default() if default else np.full(len(self), np.nan)

    def _dates(self, name: str) -> np.ndarray:
        if name not in self._store.days:
            return np.full(len(self), np.datetime64("NaT", "D"))
        return days_to_dates(self._pick(self._store.days[name]))

    @cached_property
    def source(self) -> np.ndarray:
        """Codes of the sources, int32."""
        return self._pick(self._store.source)

    @cached_property
    def target(self) -> np.ndarray:
        """Codes of the targets, int32."""
        return self._pick(self._store.target)

    @cached_property
    def kind(self) -> np.ndarray:
        """Index into :data:`riskgraph.schema.RELATION_KINDS`, int8."""
        return self._pick(self._store.kind)

    @cached_property
    def share_min(self) -> np.ndarray:
        """Least share, NaN where none is given."""
        return self._number("share_min")

    @cached_property
    def share_max(self) -> np.ndarray:
        """Greatest share, NaN where none is given."""
        return self._number("share_max")

    def _votes(self, name: str, share: np.ndarray) -> np.ndarray:
        if name not in self._store.numbers:
            return share
        votes = self._pick(np.asarray(self._store.numbers[name]))
        return np.where(np.isnan(votes), share, votes)

    @cached_property
    def votes_min(self) -> np.ndarray:
        """Least part of the votes; the share where no votes are given."""
        return self._votes("votes_min", self.share_min)

    @cached_property
    def votes_max(self) -> np.ndarray:
        """Greatest part of the votes; the share where no votes are given."""
        return self._votes("votes_max", self.share_max)

    @cached_property
    def amount(self) -> np.ndarray:
        """CNY, NaN where none is given."""
        return self._number("amount")

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability that the relation holds, NaN where none is given."""
        return self._number("confidence")

    @cached_property
    def role(self) -> np.ndarray:
        """Index into :attr:`roles`, int16, -1 where none is given."""
        if self._store.role is None:
            return np.full(len(self), -1, dtype=np.int16)
        return self._pick(self._store.role)

    @property
    def roles(self) -> tuple[str, ...]:
        """The distinct roles."""
        return self._store.roles

    @cached_property
    def start(self) -> np.ndarray:
        """First day, NaT where open."""
        return self._dates("start")

    @cached_property
    def end(self) -> np.ndarray:
        """First day it no longer holds, NaT where open."""
        return self._dates("end")

    @cached_property
    def known_from(self) -> np.ndarray:
        """Day it became known, NaT where always known."""
        return self._dates("known_from")

    def only(self, positions: np.ndarray) -> RelationColumns:
        """The relations at ascending positions alone; none of their columns is made for the others."""
        return RelationColumns(self._store, self.row[positions])

    def of(self, *kinds: str) -> np.ndarray:
        """Positions of the relations of these kinds, int64."""
        codes = [RELATION_KINDS.index(kind) for kind in kinds]
        if len(codes) == 1:
            return np.flatnonzero(self.kind == codes[0])
        return np.flatnonzero(np.isin(self.kind, codes))
