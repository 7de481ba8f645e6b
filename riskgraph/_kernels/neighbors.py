"""Neighbourhoods of many entities."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskgraph._kernels._compile import compiled

__all__ = ["near"]

#: entries after which a loop ends, to be begun again behind what it has served
PORTION = 1_000_000


def near(begin: np.ndarray, neighbors: np.ndarray, starts: np.ndarray, depth: int) -> tuple[np.ndarray, ...]:
    """Entities within ``depth`` steps of each start, as :func:`riskgraph._sparse.near` finds them."""
    *columns, done = _near(begin, neighbors, starts, 0, depth, PORTION)
    found = [columns]
    while done < starts.size:
        *columns, done = _near(begin, neighbors, starts, done, depth, PORTION)
        found.append(columns)
    return tuple(columns if len(found) == 1 else [np.concatenate(parts) for parts in zip(*found, strict=True)])


@compiled
def _near(
    begin: np.ndarray, neighbors: np.ndarray, starts: np.ndarray, done: int, depth: int, most: int
) -> tuple[Any, ...]:
    """The same from the start in place ``done`` on, until ``most`` entities are found; and which start is next."""
    n = begin.size - 1
    met = np.zeros(n, dtype=np.uint32)
    who, what, steps = np.empty(most + n, np.int64), np.empty(most + n, np.int64), np.empty(most + n, np.int32)
    total, following = 0, starts.size
    for place in range(done, starts.size):
        stamp = np.uint32(place + 1)
        met[starts[place]] = stamp
        who[total], what[total], steps[total] = place, starts[place], 0
        first, total = total, total + 1
        for step in range(1, depth + 1):
            last = total
            for head in range(first, last):
                u = np.uint64(what[head])
                for k in range(begin[u], begin[u + np.uint64(1)]):
                    v = neighbors[k]
                    if met[v] != stamp:
                        met[v] = stamp
                        who[total], what[total], steps[total] = place, v, step
                        total += 1
            if total == last:
                break
            first = last
        if total > most:
            following = place + 1
            break
    return who[:total], what[:total], steps[:total], following
