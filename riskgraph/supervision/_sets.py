"""Connected sets of a few pairs among many entities."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["components"]


def components(n: int, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Number of the connected set of each of ``n`` entities, direction left aside.

    Examples
    --------
    >>> components(4, np.array([0]), np.array([2])).tolist()
    [0, 1, 0, 2]
    """
    pairs = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(n, n))
    labels: np.ndarray = connected_components(pairs, directed=False)[1]
    return labels
