"""Small company graphs for the tests of ownership, and what brute force makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg


@pytest.fixture(scope="session")
def company_graph() -> Callable[..., rg.EntityGraph]:
    """Graph of ``(holder, company, least, greatest)`` rows; a missing greatest is the least."""

    def build(rows: Iterable[tuple[Any, ...]], ids: Iterable[str] = ()) -> rg.EntityGraph:
        rows = [(*row, row[2])[:4] for row in rows]
        names = list(dict.fromkeys([*ids, *(name for row in rows for name in row[:2])]))
        relations = pd.DataFrame(rows, columns=["source", "target", "share_min", "share_max"])
        relations[["share_min", "share_max"]] = relations[["share_min", "share_max"]].astype(float)
        relations.insert(2, "kind", "owns")
        return rg.EntityGraph.from_tables(pd.DataFrame({"id": names, "kind": "company"}), relations)

    return build


@pytest.fixture(scope="session")
def random_shares() -> Callable[..., tuple[np.ndarray, np.ndarray, list[tuple[str, str, float, float]]]]:
    """Low and high shares of random companies ``e0, e1, …``, and their rows; NaN stands for a missing bound."""

    def draw(
        rng: np.random.Generator, n: int, *, density: float, exact: float
    ) -> tuple[np.ndarray, np.ndarray, list[tuple[str, str, float, float]]]:
        low, high = np.zeros((n, n)), np.zeros((n, n))
        rows = []
        for j in range(n):
            holders = np.flatnonzero(rng.random(n) < density)
            if not holders.size:
                continue
            parts = rng.dirichlet(np.ones(holders.size + 1))[:-1] * rng.choice([0.3, 0.8, 1.0])
            for i, least in zip(holders, np.floor(parts * 1000) / 1000, strict=True):
                kind = rng.random()
                if kind < exact:
                    a, b = least, least
                elif kind < exact + (1 - exact) / 3:
                    a, b = least, min(1.0, round(least + rng.random() * 0.6, 3))
                elif kind < exact + (1 - exact) / 2:
                    a, b = 0.0, least
                else:
                    a, b = np.nan, np.nan
                low[i, j], high[i, j] = np.nan_to_num(a, nan=0.0), np.nan_to_num(b, nan=1.0)
                rows.append((f"e{i}", f"e{j}", a, b))
        return low, high, rows

    return draw
