"""Pairs worth comparing: equal keys, and names that share rare pieces, within a budget of pairs."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, diags_array

__all__ = ["Candidates", "Grams", "equal_keys", "grams", "similar_names"]

_RUNS = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")
_CHUNK = 1000


class Candidates(NamedTuple):
    """Positions of the two of each pair, and how many bearers each key left out has."""

    a: np.ndarray
    b: np.ndarray
    left_out: dict[str, int]


class Grams(NamedTuple):
    """Names as weighted pieces: rows of unit length, and the weight of all pieces of a name."""

    unit: csr_array
    length: np.ndarray


def equal_keys(keys: np.ndarray, side: np.ndarray | None, budget: int) -> Candidates:
    """Pairs with one key, the smallest groups first until ``budget`` pairs are reached.

    With ``side`` (0 or 1 a row) only pairs across the two sides.
    """
    code, names = pd.factorize(pd.Series(keys, dtype=object))
    order = np.argsort(code, kind="stable") if side is None else np.lexsort((side, code))
    order = order[code[order] >= 0]
    size = np.bincount(code[code >= 0], minlength=len(names)).astype(np.int64)
    left = size if side is None else np.bincount(code[(code >= 0) & (side == 0)], minlength=len(names)).astype(np.int64)
    pairs = size * (size - 1) // 2 if side is None else left * (size - left)
    by_size = np.argsort(pairs, kind="stable")
    fits = np.zeros(len(names), dtype=bool)
    fits[by_size[np.cumsum(pairs[by_size]) <= budget]] = True
    left_out = {str(names[row]): int(size[row]) for row in np.flatnonzero(~fits)}
    start = np.cumsum(size) - size
    a, b = [], []
    # groups of one size are laid out together: as many numpy calls as there are sizes
    for count, first in pd.unique(
        pd.Series(list(zip(size[fits & (pairs > 0)], left[fits & (pairs > 0)], strict=True)))
    ):
        rows = np.flatnonzero(fits & (size == count) & (left == first))
        if side is None:
            i, j = np.triu_indices(count, 1)
        else:
            i, j = (grid.ravel() for grid in np.meshgrid(np.arange(first), np.arange(first, count), indexing="ij"))
        a.append(order[(start[rows][:, None] + i).ravel()])
        b.append(order[(start[rows][:, None] + j).ravel()])
    nothing = np.empty(0, dtype=np.int64)
    return Candidates(np.concatenate([nothing, *a]), np.concatenate([nothing, *b]), left_out)


def pieces(name: str) -> list[str]:
    """Two-character pieces of Chinese runs; words and their three-letter pieces elsewhere.

    >>> pieces("甲乙丙 north")
    ['甲乙', '乙丙', 'north', 'nor', 'ort', 'rth']
    """
    found: list[str] = []
    for run in _RUNS.findall(name.casefold()):
        width = 2 if "\u3400" <= run[0] <= "\u9fff" else 3
        if width == 3:
            found.append(run)
        if len(run) > width or width == 2:
            found += [run[at : at + width] for at in range(max(len(run) - width + 1, 1))]
    return found


def grams(names: list[str]) -> Grams:
    """Names as rows of pieces, each weighted by how rare it is among the names (scikit-learn's TF-IDF)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = names if any(pieces(name) for name in names) else [*names, "nothing"]
    weighted = csr_array(TfidfVectorizer(analyzer=pieces, norm=None, binary=True).fit_transform(texts))[: len(names)]
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    scale = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    return Grams(csr_array(diags_array(scale) @ weighted), length)


def similar_names(
    table: Grams, left: np.ndarray, right: np.ndarray | None, *, budget: int, cosine: float = 0.5, overlap: float = 0.9
) -> tuple[np.ndarray, np.ndarray, int]:
    """Pairs of rows whose pieces agree to ``cosine``, or of which one holds the other to ``overlap``.

    The most common pieces are left out of the search (not of the comparison) where they would cost more than
    ``budget`` products; their number is returned. At most ten partners a row, the closest.
    """
    one = table.unit[left]
    two = one if right is None else table.unit[right]
    cost = np.bincount(one.indices, minlength=one.shape[1]) * np.bincount(two.indices, minlength=one.shape[1])
    by_cost = np.argsort(cost, kind="stable")
    used = np.zeros(cost.size, dtype=bool)
    used[by_cost[np.cumsum(cost[by_cost]) <= budget]] = True
    mask = diags_array(used.astype(float))
    search, against = csr_array(one @ mask), csr_array((two @ mask).T)
    rows, columns, values = [], [], []
    length = table.length
    others = left if right is None else right
    for start in range(0, left.size, _CHUNK):
        part = (search[start : start + _CHUNK] @ against).tocoo()
        row, column, value = part.row + start, part.col, part.data
        smaller = np.minimum(length[left[row]], length[others[column]])
        larger = np.maximum(length[left[row]], length[others[column]])
        # half of what counts is enough to look closer: common pieces are not in the product
        close = (value >= 0.5 * cosine) | (value * larger >= 0.5 * overlap * np.maximum(smaller, 1e-12))
        close &= (column > row) if right is None else True
        rows.append(row[close])
        columns.append(column[close])
        values.append(value[close])
    row, column, value = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    order = np.lexsort((-value, row))
    row, column = row[order], column[order]
    first = np.searchsorted(row, row)
    keep = np.arange(row.size) - first < 10
    a, b = left[row[keep]], others[column[keep]]
    near, inside = closeness(table, a, b)
    good = (near >= cosine) | (inside >= overlap)
    return a[good], b[good], int((~used & (cost > 0)).sum())


def closeness(table: Grams, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine of two names, and the part of the shorter one's pieces that the other one holds."""
    near = np.asarray(table.unit[a].multiply(table.unit[b]).sum(axis=1)).ravel()
    smaller, larger = np.minimum(table.length[a], table.length[b]), np.maximum(table.length[a], table.length[b])
    return near, near * np.divide(larger, smaller, out=np.zeros_like(larger), where=smaller > 0)
