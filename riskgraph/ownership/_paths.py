"""Sums over simple paths: walks that visit no entity twice, found one by one within a budget."""

from __future__ import annotations

import numpy as np

from riskgraph._sparse import row_pointers
from riskgraph.errors import NotConverged
from riskgraph.ownership._spread import Stakes

__all__ = ["STEPS", "simple_path_sums"]

#: steps of the search over all owners of one block
STEPS = 2_000_000


def simple_path_sums(
    given: Stakes, owners: np.ndarray, key: np.ndarray, share: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Path sums of pairs, ``key = place in owners · n + company`` ascending; ``weight`` per holding.

    Owners that meet no ring keep their ``share``: without rings every walk is a simple path.

    Raises
    ------
    NotConverged
        The search took more than ``STEPS`` steps.
    """
    result = share.copy()
    n = given.n
    first = row_pointers(owners.size, key // n)
    ringed = given.cyclic[key % n]
    order = np.argsort(given.owner, kind="stable")
    pointers = row_pointers(n, given.owner).tolist()
    company, factor = given.company[order].tolist(), weight[order].tolist()
    steps = 0
    for place in range(owners.size):
        begin, end = int(first[place]), int(first[place + 1])
        if not ringed[begin:end].any():
            continue
        sums = np.zeros(n)
        start = int(owners[place])
        on_path = {start}
        # one entry an entity on the path: itself, the product so far, the next holding to try
        stack = [[start, 1.0, pointers[start]]]
        while stack:
            node, product, spot = stack[-1]
            if spot == pointers[node + 1]:
                stack.pop()
                on_path.discard(node)
                continue
            stack[-1][2] = spot + 1
            steps += 1
            if steps > STEPS:
                raise NotConverged(
                    f"'method' simple_paths needs more than {STEPS:,} steps; ask for fewer owners and assets, "
                    "or for the corrected share"
                )
            near = company[spot]
            if near not in on_path:
                further = product * factor[spot]
                sums[near] += further
                on_path.add(near)
                stack.append([near, further, pointers[near]])
        sums[start] = 1.0
        result[begin:end] = sums[key[begin:end] % n]
    return result
