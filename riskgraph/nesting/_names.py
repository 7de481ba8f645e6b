"""Columns of texts of a long report, without a Python object a cell where the graph itself has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph._texts import is_packed

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["GROUP", "coded", "entity_ids", "entity_names"]

#: entity ids of control groups begin with this, the id of the head follows
GROUP = "group:"


def entity_ids(graph: EntityGraph, codes: np.ndarray, group: np.ndarray) -> pd.Series:
    """Ids of entities; those of the groups that they head where ``group`` says so."""
    ids = _as_usual(_cells(graph, "id", codes))
    heads = np.flatnonzero(group)
    if not heads.size:
        return ids
    rank = np.arange(codes.size)
    rank[heads] = codes.size + np.arange(heads.size)
    both = pd.concat([ids, GROUP + ids.iloc[heads]], ignore_index=True)
    return both.iloc[rank].reset_index(drop=True)


def entity_names(graph: EntityGraph, codes: np.ndarray) -> pd.Series:
    """Names to show of entities, the id where one has none."""
    if not (is_packed(graph.entity_column("id")) and is_packed(graph.entity_column("name"))):
        return _as_usual(pd.Series(graph.names_of(codes), dtype=object))
    names = _cells(graph, "name", codes)
    return _as_usual(names.where(names.notna(), _cells(graph, "id", codes)))


def coded(codes: np.ndarray, texts: list[str]) -> pd.Series:
    """Texts by their numbers."""
    return _as_usual(pd.Series(pd.Categorical.from_codes(codes, texts)))


def _cells(graph: EntityGraph, column: str, codes: np.ndarray) -> pd.Series:
    cells = graph.entity_column(column)
    assert cells is not None
    return cells.iloc[codes].reset_index(drop=True)


def _as_usual(texts: pd.Series) -> pd.Series:
    """Texts as pandas keeps those of a frame made of lists: as objects, or packed in newer versions."""
    return texts.astype(pd.Series(["text"]).dtype if len(texts) else object)
