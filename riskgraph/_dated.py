"""The five tables seen from one day and one state of knowledge."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

from riskgraph._cells import OPEN, to_day
from riskgraph._columns import RelationColumns, RelationStore
from riskgraph._sparse import compact
from riskgraph._texts import is_packed, objects, unpacked
from riskgraph.errors import InvalidParameter
from riskgraph.schema import TABLES

__all__ = ["SMALL", "DatedTables"]

#: entities up to which all names and a table of all ids are made without a second thought
SMALL = 100_000

T = TypeVar("T")


class DatedTables:
    """Clean tables with a day they stand at; all dated views share one set of columns. Immutable."""

    def __init__(
        self,
        *,
        entities: pd.DataFrame,
        relations: RelationStore,
        tables: Mapping[str, pd.DataFrame],
        quality: pd.DataFrame,
        rejected: Mapping[str, pd.DataFrame],
        day: int | None = None,
        known: int | None = None,
        dated: bool = False,
    ) -> None:
        """Put clean parts together; people use :meth:`from_tables`."""
        self._all = entities
        self._store = relations
        self._tables = dict(tables)
        self._quality = quality
        self._rejected = dict(rejected)
        self._dated = dated
        self._day = day if dated else self._newest()
        self._known = known
        self._cache: dict[Hashable, Any] = {}

    # -- the tables --------------------------------------------------------------------------------------------------

    @cached_property
    def entities(self) -> pd.DataFrame:
        """Entities, one row each, in input order; ``ended`` marks those gone by the graph's day."""
        frame = unpacked(self._all)
        frame["ended"] = self._gone
        return frame

    @cached_property
    def relations(self) -> pd.DataFrame:
        """Relations in force on the graph's day and known by then."""
        return self._store.frame(self.columns.row, self.ids)

    @cached_property
    def history(self) -> pd.DataFrame:
        """Known relations that had ended by the graph's day."""
        return self._store.frame(self.past.row, self.ids)

    @property
    def cases(self) -> pd.DataFrame:
        """Cases in force; a revocation or ban without ``end`` stays in force."""
        return self._in_force("cases")

    @property
    def licences(self) -> pd.DataFrame:
        """Licences in force."""
        return self._in_force("licences")

    @property
    def facts(self) -> pd.DataFrame:
        """Facts that hold; true, false and ``"unknown"`` are three different values."""
        return self._in_force("facts")

    def known(self, table: str) -> pd.DataFrame:
        """All rows of a table known on the graph's knowledge date, in force or not.

        Examples
        --------
        >>> import riskgraph as rg
        >>> graph = rg.datasets.toy_dated().at("2016-06-30")
        >>> len(graph.relations), len(graph.known("relations"))
        (2, 3)
        """
        if table == "relations":
            return self._store.frame(np.flatnonzero(self._store.known(self._known)), self.ids)
        if table == "entities":
            return self.entities
        if table not in self._tables:
            raise InvalidParameter(f"'table' must be one of {', '.join(TABLES)}; got {table!r}")
        frame = self._tables[table]
        if self._known is None:
            return frame.copy(deep=False)
        known = frame["known_from"].to_numpy()
        return frame[np.isnat(known) | (known <= _date(self._known))].reset_index(drop=True)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every row of the five tables whatever the dates: ``from_tables(**graph.tables())`` is the same graph.

        Examples
        --------
        >>> import riskgraph as rg
        >>> graph = rg.datasets.toy_dated()
        >>> rg.EntityGraph.from_tables(**graph.tables()).equals(graph)
        True
        """
        return {
            "entities": unpacked(self._all),
            "relations": self._store.frame(np.arange(len(self._store)), self.ids),
            **{name: frame.copy(deep=False) for name, frame in self._tables.items()},
        }

    def _in_force(self, table: str) -> pd.DataFrame:
        def build() -> pd.DataFrame:
            frame = self.known(table)
            if self._day is None:
                return frame
            day = _date(self._day)
            start, end = frame["start"].to_numpy(), frame["end"].to_numpy()
            return frame[(np.isnat(start) | (start <= day)) & (np.isnat(end) | (end > day))].reset_index(drop=True)

        return self.cached(("graph", table), build).copy(deep=False)

    @property
    def quality(self) -> pd.DataFrame:
        """What was found wrong: ``table, row, column, problem, action``; empty when clean."""
        return self._quality.copy(deep=False)

    @property
    def rejected(self) -> dict[str, pd.DataFrame]:
        """The rows left out, table by table, as they came."""
        return dict(self._rejected)

    @cached_property
    def ids(self) -> pd.Index:
        """Ids of the entities; the position of an id is its code."""
        return pd.Index(objects(self._all["id"]), dtype=object, name="entity")

    def ids_of(self, codes: np.ndarray) -> np.ndarray:
        """Ids of some entities, without making those of all where these are many; who comes up again shares one."""
        if "ids" in self.__dict__ or not is_packed(self._all["id"]) or len(self._all) <= SMALL:
            return np.asarray(self.ids.to_numpy()[codes])
        many = 20 * codes.size > len(self._all)
        named, place = compact(len(self._all), codes) if many else np.unique(codes, return_inverse=True)
        return objects(self._all["id"].iloc[named])[place]

    def entity_column(self, name: str) -> pd.Series | None:
        """One column of the entities, texts packed or coded where they are many; None where there is none.

        For large graphs, whose :attr:`entities` as a whole make an object of every text.
        """
        return self._all.get(name)

    @cached_property
    def columns(self) -> RelationColumns:
        """Relations in force and known on the graph's day, as arrays."""
        return RelationColumns(self._store, np.flatnonzero(self._store.in_force(self._day, self._known)))

    @cached_property
    def past(self) -> RelationColumns:
        """Known relations that had ended by the graph's day, as arrays."""
        return RelationColumns(self._store, np.flatnonzero(self._store.ended(self._day, self._known)))

    def cached(self, key: Hashable, build: Callable[[], T]) -> T:
        """Value of ``build()``, computed once and kept on this graph; keys begin with the name of their package."""
        if key not in self._cache:
            self._cache[key] = build()
        value: T = self._cache[key]
        return value

    def forget(self) -> None:
        """Let go of what was derived from the tables and is kept here; it is found again when it is asked for.

        The answers stay the same. For large graphs, between questions that have little in common.

        Examples
        --------
        >>> import riskgraph as rg
        >>> graph = rg.datasets.toy_chain()
        >>> before = rg.ownership.ultimate_controllers(graph)
        >>> graph.forget()
        >>> before.equals(rg.ownership.ultimate_controllers(graph))
        True
        """
        self._cache.clear()
        for name in [name for name in self.__dict__ if isinstance(getattr(type(self), name, None), cached_property)]:
            del self.__dict__[name]

    # -- dates -------------------------------------------------------------------------------------------------------

    def at(self, valid: Any, known: Any = None) -> Self:
        """The graph valid on one day, as known by another.

        Parameters
        ----------
        valid
            The day asked about: a date or an ISO text.
        known
            Leave out what became known after this day; ``None`` takes what is known now.

        Raises
        ------
        InvalidParameter
            Not a date.

        Examples
        --------
        >>> import riskgraph as rg
        >>> graph = rg.datasets.toy_dated()
        >>> graph.at("2016-06-30").relations["source"].tolist(), graph.at("2016-07-01").relations["source"].tolist()
        (['Ann', 'Carl'], ['Bob', 'Carl'])
        """
        graph = self._like(day=_day("valid", valid), known=None if known is None else _day("known", known), dated=True)
        if graph._day == self._day and graph._known == self._known:
            graph._cache = self._cache
        return graph

    @cached_property
    def latest(self) -> pd.Timestamp | None:
        """Newest ``start`` or ``known_from`` in the tables; None when nothing is dated."""
        day = self._newest()
        return None if day is None else pd.Timestamp(_date(day))

    @property
    def valid_on(self) -> pd.Timestamp | None:
        """The day the graph stands at; None when nothing is dated."""
        return None if self._day is None else pd.Timestamp(_date(self._day))

    @property
    def known_by(self) -> pd.Timestamp | None:
        """The day whose knowledge the graph shows; None for what is known now."""
        return None if self._known is None else pd.Timestamp(_date(self._known))

    def _newest(self) -> int | None:
        days = [
            int(self._store.days[name].max(initial=OPEN))
            for name in ("start", "known_from")
            if name in self._store.days
        ]
        for name, frame in (("entities", self._all), *self._tables.items()):
            starts = frame["start"].to_numpy() if "start" in frame else np.empty(0, dtype="datetime64[s]")
            knowns = (
                frame["known_from"].to_numpy() if "known_from" in frame else np.full(len(starts), np.datetime64("NaT"))
            )
            if name == "facts" and len(starts):
                # what was known ahead of its start is a plan: it does not move the graph into the future
                starts = starts[np.isnat(knowns) | (knowns >= starts)]
            for dates in (starts, knowns):
                dates = dates[~np.isnat(dates)]
                if dates.size:
                    days.append(int(dates.max().astype("datetime64[D]").astype(np.int64)))
        newest = max(days, default=OPEN)
        return None if newest == OPEN else newest

    @cached_property
    def _gone(self) -> np.ndarray:
        if self._day is None or "end" not in self._all:
            return np.zeros(len(self._all), dtype=bool)
        end = self._all["end"].to_numpy()
        return ~np.isnat(end) & (end <= _date(self._day))

    def _like(self, **parts: Any) -> Self:
        given: dict[str, Any] = {
            "entities": self._all,
            "relations": self._store,
            "tables": self._tables,
            "quality": self._quality,
            "rejected": self._rejected,
            **parts,
        }
        return type(self)(**given)

    def equals(self, other: object) -> bool:
        """Whether two graphs hold the same rows in the same order and stand at the same dates."""
        if not isinstance(other, DatedTables) or (self._day, self._known) != (other._day, other._known):
            return False
        try:
            for table in TABLES:
                pd.testing.assert_frame_equal(_everything(self, table), _everything(other, table), check_dtype=False)
        except AssertionError:
            return False
        return True

    def _stands(self) -> str:
        if self._day is None:
            return "undated"
        text = f"at {_date(self._day)}" if self._dated else f"at {_date(self._day)}, the newest date in its tables"
        return text if self._known is None else f"{text}, known by {_date(self._known)}"


def _everything(graph: DatedTables, table: str) -> pd.DataFrame:
    if table == "relations":
        return graph._store.frame(np.arange(len(graph._store)), graph.ids)
    frame = unpacked(graph._all) if table == "entities" else graph._tables[table]
    return frame.reindex(sorted(frame.columns), axis=1)


def _date(day: int) -> np.datetime64:
    return np.datetime64(int(day), "D")


def _day(name: str, value: Any) -> int:
    day = to_day(value)
    if np.isnat(day):
        raise InvalidParameter(f"'{name}' must be a date such as 2016-06-30; got {value!r}")
    return int(day.astype(np.int64))
