"""Ids of the entities that an answer names, without making those of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskgraph._sparse import compact
from riskgraph._texts import is_packed, objects

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["ids_of"]

#: entities up to which the ids of all are made and kept without a second thought
SMALL = 100_000


def ids_of(graph: EntityGraph, *columns: np.ndarray) -> list[np.ndarray]:
    """Ids of columns of codes as objects; an entity that comes up again has the same object."""
    cells = graph.entity_column("id")
    if "ids" in graph.__dict__ or len(graph) <= SMALL or not is_packed(cells):
        ids = graph.ids.to_numpy()
        return [ids[column] for column in columns]
    assert cells is not None
    named, *places = compact(len(graph), *columns)
    ids = objects(cells.iloc[named])
    return [ids[place] for place in places]
