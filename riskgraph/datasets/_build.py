"""Write a small graph as sentences: ``("Ann", "owns", "Holding", 0.6)``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from riskgraph.graph import EntityGraph

__all__ = ["from_sentences"]

#: source, kind, target; then a number (the share of ``owns``, the amount of the rest) or the other columns of the row
Sentence = tuple[str, str, str] | tuple[str, str, str, float | Mapping[str, Any]]


def from_sentences(
    entities: Mapping[str, str | Iterable[str]],
    sentences: Sequence[Sentence],
    *,
    columns: Mapping[str, Mapping[str, Any]] | None = None,
    cases: Sequence[Mapping[str, Any]] | None = None,
    licences: Sequence[Mapping[str, Any]] | None = None,
    facts: Sequence[Mapping[str, Any]] | None = None,
) -> EntityGraph:
    """Build a graph from sentences *source verb target*.

    Parameters
    ----------
    entities
        Entity kind → ids, as a list or as one text with blanks between them.
    sentences
        One relation each; at the end a number, the share of ``owns`` and the amount of every other kind, or a
        mapping of further columns.
    columns
        Entity id → further columns of its row.
    cases, licences, facts
        Rows of the tables of these names.
    """
    columns = columns or {}
    rows = [
        {"id": name, "kind": kind, "name": name, **columns.get(name, {})}
        for kind, names in entities.items()
        for name in (names.split() if isinstance(names, str) else names)
    ]
    relations = [_row(*sentence) for sentence in sentences]
    extra = {
        name: pd.DataFrame(list(table))
        for name, table in (("cases", cases), ("licences", licences), ("facts", facts))
        if table
    }
    return EntityGraph.from_tables(pd.DataFrame(rows), pd.DataFrame(relations), **extra)


def _row(source: str, kind: str, target: str, rest: float | Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One row of the table relations."""
    if rest is None:
        rest = {}
    elif not isinstance(rest, Mapping):
        rest = {"share" if kind == "owns" else "amount": float(rest)}
    return {"source": source, "target": target, "kind": kind, **rest}
