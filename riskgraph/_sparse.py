"""The numeric core: exact shares, rows of sparse tables, and strongly connected components."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

__all__ = [
    "SHARE_UNITS",
    "coalesce",
    "compact",
    "component_levels",
    "exact_shares",
    "exact_threshold",
    "expand",
    "near",
    "reachable",
    "ring_labels",
    "row_pointers",
    "runs",
    "strong_components",
]

#: units of an exact share: 1 is 10**15 of them
SHARE_UNITS = 10**15

#: a column whose shares sum to 1 within this is fully held
CLOSED = 1e-12


# -- exact shares ----------------------------------------------------------------------------------------------------


def exact_shares(x: Any) -> np.ndarray:
    """Shares in whole units of 1e-15, int64: decimals of up to twelve places exactly, others rounded down.

    Sums and comparisons of these are exact, so three times 0.1 is not more than 0.3. NaN is not allowed.

    Examples
    --------
    >>> exact_shares([0.1, 0.5, 1 / 3])
    array([100000000000000, 500000000000000, 333333333333333])
    >>> int(3 * exact_shares(0.1)) > int(exact_shares(0.3))
    False
    """
    x = np.asarray(x, dtype=np.float64)
    k = np.rint(x * 1e12)
    units = np.array(k, dtype=np.int64)
    units *= 1000
    # the others go through long double: x · 1e15 needs more than 53 bits
    others = k / 1e12 != x
    units[others] = np.floor(x[others].astype(np.longdouble) * SHARE_UNITS).astype(np.int64)
    return units


def exact_threshold(t: float) -> int:
    """Threshold in whole units of 1e-15, to compare with :func:`exact_shares`.

    Examples
    --------
    >>> exact_threshold(0.25)
    250000000000000
    """
    return int(exact_shares(float(t)))


# -- rows of a sparse table ------------------------------------------------------------------------------------------


def row_pointers(n: int, rows: np.ndarray) -> np.ndarray:
    """Where each of ``n`` rows begins in a table sorted by row, int64, one longer than the rows.

    Examples
    --------
    >>> row_pointers(3, np.array([0, 0, 2]))
    array([0, 2, 2, 3])
    """
    pointers = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=n), out=pointers[1:])
    return pointers


def expand(indptr: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of all entries of ``rows``, and for each the place in ``rows`` it came from.

    Examples
    --------
    >>> expand(np.array([0, 2, 2, 5]), np.array([2, 0]))
    (array([2, 3, 4, 0, 1]), array([0, 0, 0, 1, 1]))
    """
    begin = indptr[rows]
    return runs(begin, indptr[rows + 1] - begin)


def runs(begin: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of runs of ``counts`` that begin at ``begin``, and for each the run it belongs to.

    Examples
    --------
    >>> runs(np.array([5, 0]), np.array([2, 1]))
    (array([5, 6, 0]), array([0, 0, 1]))
    """
    place = np.repeat(np.arange(len(counts)), counts)
    shift = begin - np.cumsum(counts) + counts
    return np.arange(place.size) + shift[place], place


def compact(n: int, *columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """The rows that occur in any column, ascending, and each column with their places among them instead, int32.

    Examples
    --------
    >>> compact(9, np.array([7, 2]), np.array([4, 2]))
    (array([2, 4, 7]), array([2, 0], dtype=int32), array([1, 0], dtype=int32))
    """
    met = np.zeros(n, dtype=bool)
    for column in columns:
        met[column] = True
    rows = np.flatnonzero(met)
    place = np.empty(n, dtype=np.int32)
    place[rows] = np.arange(rows.size, dtype=np.int32)
    return (rows, *(place[column] for column in columns))


def reachable(indptr: np.ndarray, indices: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Mask of the rows reached from ``start``, itself included, by following the entries of a sparse table.

    Examples
    --------
    >>> reachable(np.array([0, 1, 2, 2, 2]), np.array([1, 2]), np.array([0]))
    array([ True,  True,  True, False])
    """
    reached = np.zeros(len(indptr) - 1, dtype=bool)
    front = np.unique(np.asarray(start, dtype=np.int64))
    reached[front] = True
    while front.size:
        spots, _ = expand(indptr, front)
        near = indices[spots]
        front = np.unique(near[~reached[near]]).astype(np.int64)
        reached[front] = True
    return reached


def near(indptr: np.ndarray, indices: np.ndarray, starts: np.ndarray, depth: int) -> tuple[np.ndarray, ...]:
    """Rows within ``depth`` entries of each start: places in ``starts``, rows, steps; of each start as they are met.

    Examples
    --------
    >>> near(np.array([0, 1, 2, 2]), np.array([1, 2]), np.array([0, 1]), 1)
    (array([0, 0, 1, 1]), array([0, 1, 1, 2]), array([0, 1, 0, 1], dtype=int32))
    """
    n = len(indptr) - 1
    front = np.arange(starts.size) * n + starts
    rings, met = [front], front
    for _ in range(depth):
        spots, place = expand(indptr, front % n)
        reached = (front // n)[place] * n + indices[spots]
        key, first = np.unique(reached, return_index=True)
        front = reached[np.sort(first[~np.isin(key, met, assume_unique=True)])]
        if not front.size:
            break
        rings.append(front)
        met = np.concatenate([met, front])
    steps = np.repeat(np.arange(len(rings), dtype=np.int32), [ring.size for ring in rings])
    order = np.argsort(met // n, kind="stable")
    return met[order] // n, met[order] % n, steps[order]


def coalesce(n: int, source: np.ndarray, target: np.ndarray, weight: np.ndarray) -> csr_array:
    """Sparse n × n matrix with parallel entries summed and zeros left out.

    Examples
    --------
    >>> coalesce(2, [0, 0], [1, 1], [0.25, 0.5]).toarray()
    array([[0.  , 0.75],
           [0.  , 0.  ]])
    """
    W = csr_array((np.asarray(weight, dtype=np.float64), (source, target)), shape=(n, n))
    W.sum_duplicates()
    W.eliminate_zeros()
    return W


# -- components ------------------------------------------------------------------------------------------------------


def strong_components(n: int, source: np.ndarray, target: np.ndarray) -> tuple[int, np.ndarray]:
    """Number of strongly connected components, and the component of each node, numbered in topological order.

    An edge never leads to a component with a smaller number.

    Examples
    --------
    >>> strong_components(3, np.array([2, 0, 1]), np.array([0, 1, 0]))
    (2, array([1, 1, 0], dtype=int32))
    """
    source, target = np.asarray(source), np.asarray(target)
    links = csr_array((np.ones(source.size, dtype=np.int8), (source, target)), shape=(n, n))
    count, labels = connected_components(links, directed=True, connection="strong")
    if (labels[source] > labels[target]).any():
        # the depth-first search closes components from the last to the first
        labels = (count - 1 - labels).astype(np.int32)
    return int(count), labels


def ring_labels(n: int, source: np.ndarray, target: np.ndarray) -> tuple[int, np.ndarray]:
    """Strongly connected components of the rows that may lie on a ring: how many, and that of each row, int32.

    -1 for rows from which nothing leads, or to which nothing does: most of a large table.

    Examples
    --------
    >>> ring_labels(4, np.array([3, 0, 1, 1]), np.array([0, 1, 0, 2]))
    (1, array([ 0,  0, -1, -1], dtype=int32))
    """
    leaves, enters = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    leaves[source], enters[target] = True, True
    some = np.flatnonzero(enters[source] & leaves[target])
    rows, source, target = compact(n, source[some], target[some])
    count, labels = strong_components(rows.size, source, target)
    label = np.full(n, -1, dtype=np.int32)
    label[rows] = labels
    return count, label


def component_levels(count: int, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Longest distance of each component from a first one, int32; ``source`` and ``target`` are components.

    Examples
    --------
    >>> component_levels(3, np.array([0, 0, 1]), np.array([1, 2, 2]))
    array([0, 1, 2], dtype=int32)
    """
    between = source != target
    source, target = source[between], target[between]
    order = np.argsort(source, kind="stable")
    indptr, followers = row_pointers(count, source), target[order]
    waiting = np.bincount(target, minlength=count)
    level = np.zeros(count, dtype=np.int32)
    front = np.flatnonzero(waiting == 0)
    depth = 0
    while front.size:
        level[front] = depth
        spots, _ = expand(indptr, front)
        near, times = np.unique(followers[spots], return_counts=True)
        waiting[near] -= times
        front = near[waiting[near] == 0]
        depth += 1
    return level
