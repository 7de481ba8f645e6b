"""What every store does: write a graph whole, read it back as of a day and around an entity, keep results."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.stores._rows import union

__all__ = ["Store"]

_RUN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Store(ABC):
    """A place that holds one graph and the results computed on it. Use as a context manager.

    A write replaces what the store held, is whole or not at all, and may be repeated. What is read back is what was
    written: dates, intervals, empty cells and extra columns included.
    """

    def write(self, graph: EntityGraph, *, append: bool = False) -> None:
        """Store a graph.

        Parameters
        ----------
        append
            Add to what is there: rows with an id already there replace it, identical rows are not doubled.

        Raises
        ------
        StoreUnavailable
            The database cannot be reached, is locked or is full; what it held before is still whole.
        """
        if append:
            old = self.read()
            graph = EntityGraph.from_tables(**union(old, graph)) if len(old) else graph
        self._write(graph)

    def read(
        self, at: Any = None, *, known: Any = None, scope: str | None = None, depth: int | None = None
    ) -> EntityGraph:
        """The stored graph, or the part of it around one entity, as of a day.

        Equals ``graph.at(at, known).neighborhood(scope, depth)`` of the graph that was written; only that part is
        fetched.

        Parameters
        ----------
        at, known
            As in :meth:`EntityGraph.at`.
        scope, depth
            An entity, and how many relations around it (2 if left out).

        Raises
        ------
        UnknownEntity
            The store holds no ``scope``.
        """
        if depth is not None and scope is None:
            raise InvalidParameter("'depth' needs a 'scope'")
        if known is not None and at is None:
            raise InvalidParameter("'known' needs 'at'")
        depth = 2 if depth is None else depth
        if not isinstance(depth, int) or depth < 0:
            raise InvalidParameter(f"'depth' must be a whole number, 0 or more; got {depth!r}")
        return self._read(at, known, scope, depth)

    def write_results(self, results: pd.Series | pd.DataFrame, *, run: str) -> None:
        """Keep scores, groups or findings by entity under a run id; writing a run again replaces it.

        Parameters
        ----------
        results
            A Series on entity ids, or a frame with the column ``entity``.
        run
            Letters, digits, ``_`` and ``-``, at most 64.
        """
        self._write_results(_by_entity(results), check_run(run))

    def results(self, run: str) -> pd.DataFrame:
        """The results of a run: ``entity`` and a column for each value; empty when there are none."""
        return self._results(check_run(run))

    @abstractmethod
    def _write(self, graph: EntityGraph) -> None: ...

    @abstractmethod
    def _read(self, at: Any, known: Any, scope: str | None, depth: int) -> EntityGraph: ...

    @abstractmethod
    def _write_results(self, results: pd.DataFrame, run: str) -> None: ...

    @abstractmethod
    def _results(self, run: str) -> pd.DataFrame: ...

    def close(self) -> None:  # noqa: B027  (a store that opens nothing has nothing to give back)
        """Give back what the store opened; what the caller opened stays open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_run(run: str) -> str:
    """A run id that is safe as part of a property name."""
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        raise InvalidParameter(f"'run' must be letters, digits, _ and -, at most 64; got {run!r}")
    return run


def _by_entity(results: pd.Series | pd.DataFrame) -> pd.DataFrame:
    if isinstance(results, pd.Series):
        name = str(results.name or "value")
        return pd.DataFrame({"entity": [str(value) for value in results.index], name: results.to_numpy()})
    if not isinstance(results, pd.DataFrame) or "entity" not in results:
        raise InvalidParameter("'results' must be a Series on entity ids or a frame with the column 'entity'")
    return results.reset_index(drop=True)
