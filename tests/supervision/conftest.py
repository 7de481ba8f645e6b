"""Small graphs written in one line a row, and the shipped catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.supervision import Catalogue


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load("jiangsu-2016")


@pytest.fixture(scope="session")
def make() -> Callable[..., rg.EntityGraph]:
    """Graph of rows.

    ``entities``: id → kind, or a mapping with kind (company when left out). ``relations``: (source, kind, target) with
    optional extras; ``cases``: (entity, type, start); ``licences``: (entity, sector); ``facts``: (entity, fact, value).
    """

    def build(
        entities: dict[str, Any], relations: Any = (), *, cases: Any = (), licences: Any = (), facts: Any = ()
    ) -> rg.EntityGraph:
        rows = []
        for name, given in entities.items():
            row = {"kind": given} if isinstance(given, str) else {"kind": "company", **given}
            rows.append({"id": name, **row})
        return rg.EntityGraph.from_tables(
            pd.DataFrame(rows),
            _frame(relations, ("source", "kind", "target")),
            cases=_frame(cases, ("entity", "type", "start")),
            licences=_frame(licences, ("entity", "sector")),
            facts=_frame(facts, ("entity", "fact", "value")),
        )

    return build


def _frame(rows: Any, columns: tuple[str, ...]) -> pd.DataFrame:
    listed = []
    for row in rows:
        row = list(row)
        extra = row.pop() if isinstance(row[-1], dict) else {}
        listed.append({**dict(zip(columns, row, strict=True)), **extra})
    frame = pd.DataFrame(listed, columns=columns if not listed else None)
    if "value" in frame:
        frame["value"] = frame["value"].astype(object)
    return frame


@pytest.fixture(scope="session")
def found() -> Callable[..., set[str]]:
    """Entities that a rule finds."""

    def of(frame: pd.DataFrame, rule: str) -> set[str]:
        rows = frame[frame["rule"] == rule]
        assert all(rows["evidence"].map(len) > 0), f"finding of {rule} without evidence"
        return set(rows["entity"])

    return of
