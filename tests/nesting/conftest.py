from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pandas as pd
import pytest

import riskgraph as rg

Money = Callable[..., rg.EntityGraph]


@pytest.fixture
def money() -> Money:
    """Graph of rows ``(source, target, kind, amount[, share])``; names in ``products`` are products."""

    def build(
        rows: Iterable[tuple[object, ...]],
        products: Iterable[str] = (),
        *,
        sectors: Mapping[str, str] | None = None,
        persons: Iterable[str] = (),
        facts: pd.DataFrame | None = None,
        licences: pd.DataFrame | None = None,
        extra: Iterable[str] = (),
        **columns: object,
    ) -> rg.EntityGraph:
        table = [(*row, *(None,) * (5 - len(row))) for row in rows]
        relations = pd.DataFrame(table, columns=["source", "target", "kind", "amount", "share"])
        relations[["amount", "share"]] = relations[["amount", "share"]].astype(float)
        for name, values in columns.items():
            relations[name] = values
        ids = list(dict.fromkeys([*relations["source"], *relations["target"], *products, *extra]))
        kinds = {**dict.fromkeys(products, "product"), **dict.fromkeys(persons, "person")}
        entities = pd.DataFrame({"id": ids, "kind": [kinds.get(name, "company") for name in ids]})
        entities["sector"] = [(sectors or {}).get(name) for name in ids]
        return rg.EntityGraph.from_tables(entities, relations, facts=facts, licences=licences)

    return build
