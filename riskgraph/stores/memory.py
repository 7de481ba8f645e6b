"""The reference store: holds the graph in this process."""

from __future__ import annotations

from typing import Any

import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.stores._rows import nothing
from riskgraph.stores.base import Store

__all__ = ["MemoryStore"]


class MemoryStore(Store):
    """Holds a graph in memory; what the other stores are compared with, and a double for them in tests.

    Examples
    --------
    >>> import riskgraph as rg
    >>> with rg.stores.MemoryStore() as store:
    ...     store.write(rg.datasets.toy_chain())
    ...     store.read(scope="Ann", depth=1)
    EntityGraph: 2 entities, 1 relation, undated
    """

    def __init__(self) -> None:
        self._graph: EntityGraph | None = None
        self._kept: dict[str, pd.DataFrame] = {}

    def _write(self, graph: EntityGraph) -> None:
        self._graph = EntityGraph.from_tables(**graph.tables())

    def _read(self, at: Any, known: Any, scope: str | None, depth: int) -> EntityGraph:
        graph = nothing() if self._graph is None else self._graph
        if at is not None:
            graph = graph.at(at, known=known)
        return graph if scope is None else graph.neighborhood(scope, depth)

    def _write_results(self, results: pd.DataFrame, run: str) -> None:
        self._kept[run] = results.copy()

    def _results(self, run: str) -> pd.DataFrame:
        return self._kept.get(run, pd.DataFrame({"entity": []}, dtype=object)).copy()
