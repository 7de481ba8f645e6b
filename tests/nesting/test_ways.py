"""Ways from many starts at once, against one search a start."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskgraph.nesting._ways import matches, network

NODES = 9
STEPS = st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)), max_size=25)


def distances(steps: list[tuple[int, int]], passes: list[bool], start: int, most: int) -> dict[int, int]:
    found = {start: 0}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if found[node] == most or (node != start and not passes[node]):
            continue
        for a, b in steps:
            if a == node and b not in found:
                found[b] = found[node] + 1
                queue.append(b)
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.lists(st.booleans(), min_size=NODES, max_size=NODES), st.integers(0, 4))
def test_a_spread_meets_what_a_search_meets_by_shortest_ways(steps, passes, most):
    source, target = np.array(steps, dtype=np.int64).reshape(-1, 2).T
    starts = np.array([6, 0, 3])
    met = network(NODES, source, target, np.arange(len(steps)), np.array(passes)).spread(starts, most)
    for place, start in enumerate(starts.tolist()):
        expected = distances(steps, passes, start, most)
        rows = met.find(np.full(NODES, place), np.arange(NODES))
        assert {node for node in range(NODES) if rows[node] >= 0} == set(expected)
        for node, count in expected.items():
            nodes, positions = met.way(int(rows[node]))
            assert (nodes[0], nodes[-1], len(positions)) == (start, node, count)
            assert [steps[at] for at in positions] == list(pairwise(nodes))
            assert all(passes[inner] for inner in nodes[1:-1])


@given(st.lists(st.integers(0, 4), max_size=8), st.lists(st.integers(0, 4), max_size=8))
def test_matches_are_all_pairs_of_equal_values(left, right):
    a, b = matches(np.array(left, dtype=np.int64), np.array(right, dtype=np.int64))
    pairs = [(i, j) for i, x in enumerate(left) for j, y in enumerate(right) if x == y]
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == pairs
