"""What-ifs: a graph with relations added and removed, sharing the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph._columns import RelationStore
from riskgraph.errors import InvalidParameter
from riskgraph.schema import RELATION_KINDS
from riskgraph.tables import clean_tables

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["changed"]

_CONTROLLING = [RELATION_KINDS.index(kind) for kind in ("owns", "controls", "concert")]


def changed(
    graph: EntityGraph, add: pd.DataFrame | None, remove: Iterable[str] | None, entities: pd.DataFrame | None
) -> EntityGraph:
    """See :meth:`EntityGraph.with_changes`."""
    store = graph._store
    gone = _rows(store, remove)
    keep = np.ones(len(store), dtype=bool)
    keep[gone] = False
    touched = [np.r_[store.target[gone], store.source[gone]][np.tile(np.isin(store.kind[gone], _CONTROLLING), 2)]]
    people = graph._all
    if entities is not None:
        empty = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)
        both = pd.concat([people, entities], ignore_index=True)
        people = clean_tables(both, empty).entities.reset_index(drop=True)
    kept = store.take(np.flatnonzero(keep)) if gone.size else store
    if add is not None and len(add):
        new = clean_tables(people, add).relations
        touched.append(np.r_[new.target, new.source][np.tile(np.isin(new.kind, _CONTROLLING), 2)])
        kept = _append(kept, new)
    result = graph._like(
        entities=people, relations=kept, day=graph._day, known=graph._known, dated=graph._day is not None
    )
    result.changed_from = graph
    result.changed_companies = np.unique(np.concatenate(touched)).astype(np.int64)
    return result


def _rows(store: RelationStore, remove: Iterable[str] | None) -> np.ndarray:
    wanted = [remove] if isinstance(remove, str) else list(remove or ())
    if not wanted:
        return np.empty(0, dtype=np.int64)
    if "id" in store.extras or store.serial is not None:
        have = pd.Index(store.ids(np.arange(len(store))), dtype=object)
        rows = have.get_indexer(pd.Index(wanted, dtype=object))
    else:
        # r0, r1, … are the row numbers themselves: no need to spell all of them out
        rows = np.array([_number(id, len(store)) for id in wanted], dtype=np.int64)
    if (rows < 0).any():
        raise InvalidParameter(f"'remove' names no relation of the graph: {wanted[int(np.argmax(rows < 0))]!r}")
    return np.unique(rows)


def _number(id: Any, size: int) -> int:
    digits = id[1:] if isinstance(id, str) and id.startswith("r") else ""
    return int(digits) if digits.isdecimal() and str(int(digits)) == digits and int(digits) < size else -1


def _append(first: RelationStore, second: RelationStore) -> RelationStore:
    """Rows of two stores; new relations without ids go on counting."""
    a, b = len(first), len(second)

    def join(one: Any, two: Any, blank: Any, dtype: Any) -> np.ndarray:
        left = np.full(a, blank, dtype=dtype) if one is None else np.asarray(one)
        right = np.full(b, blank, dtype=dtype) if two is None else np.asarray(two)
        return np.concatenate([left, right]).astype(dtype)

    numbers = {
        name: join(first.numbers.get(name), second.numbers.get(name), np.nan, np.float64)
        for name in first.numbers | second.numbers
    }
    days = {
        name: join(first.days.get(name), second.days.get(name), np.iinfo(np.int32).min, np.int32)
        for name in first.days | second.days
    }
    roles = tuple(dict.fromkeys((*first.roles, *second.roles)))
    role = None
    if roles:
        shift = np.array([roles.index(name) for name in second.roles] + [-1], dtype=np.int16)
        role = join(first.role, None if second.role is None else shift[second.role], -1, np.int16)
    extras, serial = _identify(first, second)
    return RelationStore(
        source=np.concatenate([first.source, second.source]),
        target=np.concatenate([first.target, second.target]),
        kind=np.concatenate([first.kind, second.kind]),
        numbers=numbers,
        days=days,
        role=role,
        roles=roles,
        extras=extras,
        serial=serial,
    )


def _identify(first: RelationStore, second: RelationStore) -> tuple[pd.DataFrame, np.ndarray | None]:
    a, b = len(first), len(second)
    left, right = first.extras, second.extras
    if "id" not in left and "id" not in right:
        numbers = np.arange(a, dtype=np.int32) if first.serial is None else first.serial
        after = int(numbers.max(initial=-1)) + 1
        serial = np.concatenate([numbers, np.arange(after, after + b, dtype=np.int32)])
        return pd.concat([left, right], ignore_index=True).reindex(range(a + b)), serial
    taken = first.ids(np.arange(a))
    fresh = second.ids(np.arange(b)) if "id" in right else _fresh(set(taken), b)
    twice = set(taken) & set(fresh)
    if twice:
        raise InvalidParameter(f"'add' uses an id the graph already has: {sorted(twice)[0]!r}")
    both = pd.concat([left.drop(columns="id", errors="ignore"), right.drop(columns="id", errors="ignore")])
    both = both.reset_index(drop=True).reindex(range(a + b))
    both.insert(0, "id", pd.Series([*taken, *fresh], dtype=object))
    return both, None


def _fresh(taken: set[str], count: int) -> list[str]:
    """Ids ``added0, added1, …`` that are not taken."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        if f"added{number}" not in taken:
            found.append(f"added{number}")
        number += 1
    return found
