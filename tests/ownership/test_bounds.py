"""Bounds of integrated ownership: no permitted world leaves them, and some world attains them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

import riskgraph as rg
from riskgraph.ownership import integrated_ownership


def worlds(rng: np.random.Generator, low: np.ndarray, high: np.ndarray, count: int) -> np.ndarray:
    """Shares inside the intervals, those of each company summing to at most 1: corners and inner points."""
    n = low.shape[0]
    found = np.repeat(low[None], count, axis=0)
    slack = np.maximum(1 - low.sum(axis=0), 0) * np.ones((count, 1))
    turn = np.argsort(rng.random((count, n)), axis=1)
    whole = rng.random((count, n)) < 0.8
    every = np.arange(count)
    for step in range(n):
        i = turn[:, step]
        part = np.where(whole, 1.0, rng.random((count, n)))
        add = np.minimum((high - low)[i], slack) * part
        found[every, i] += add
        slack -= add
    return found


def corrected(found: np.ndarray) -> np.ndarray:
    """``N_ij / N_ii`` of each world, by the definition; rows of owners. NaN in worlds with a closed group."""
    n = found.shape[1]
    result = np.empty_like(found)
    for i in range(n):
        cut = found.copy()
        cut[:, :, i] = 0
        M = np.eye(n) - cut.transpose(0, 2, 1)
        bad = np.abs(np.linalg.det(M)) < 1e-9
        M[bad] = np.eye(n)
        result[:, i] = np.linalg.solve(M, np.broadcast_to(np.eye(n)[i][:, None], (len(found), n, 1)))[..., 0]
        result[bad, i] = np.nan
    return result


def bounds(graph: rg.EntityGraph, n: int) -> tuple[np.ndarray, np.ndarray]:
    frame = integrated_ownership(graph)
    low, high = np.zeros((n, n)), np.zeros((n, n))
    place = [int(id[1:]) for id in frame["owner"]], [int(id[1:]) for id in frame["asset"]]
    low[place], high[place] = frame["share_min"], frame["share_max"]
    return low, high


def test_ten_thousand_worlds_never_leave_the_bounds(company_graph, random_shares):
    rng = np.random.default_rng(10)
    judged = attained = 0
    for _ in range(25):
        n = int(rng.integers(3, 8))
        low, high, rows = random_shares(rng, n, density=0.45, exact=0.4)
        least, greatest = bounds(company_graph(rows), n)
        assert (greatest <= 1).all()
        assert (least <= greatest).all()
        off = ~np.eye(n, dtype=bool)
        seen = corrected(worlds(rng, low, high, 440))[:, off]
        judged += len(seen)
        assert not (seen > greatest[off] + 1e-9).any()
        assert not (seen < least[off] - 1e-9).any()
        top = np.nanmax(np.vstack([np.zeros(off.sum()), seen]), axis=0)
        attained += (top > greatest[off] - 1e-9).mean() / 25
    assert judged >= 10_000
    assert attained > 0.8  # by chance alone; the corners below prove the rest


def corners(low: np.ndarray, high: np.ndarray) -> Iterator[np.ndarray]:
    """All ways to share out what each company has left, holder after holder."""
    n = low.shape[0]
    columns = []
    for j in range(n):
        found = set()
        for turn in itertools.permutations(np.flatnonzero(high[:, j] > low[:, j])):
            column = low[:, j].copy()
            slack = max(1 - column.sum(), 0)
            for i in turn:
                add = min(high[i, j] - low[i, j], slack)
                column[i] += add
                slack -= add
            found.add(tuple(column))
        columns.append(sorted(found))
    if np.prod([len(column) for column in columns], dtype=float) > 2_000:
        return
    for choice in itertools.product(*columns):
        yield np.array(choice).T


def reached_value(world: np.ndarray, owner: int) -> np.ndarray:
    """Corrected shares of one owner, closed groups that it does not reach left out."""
    cut = world.copy()
    cut[:, owner] = 0
    reach = np.linalg.matrix_power(np.eye(len(world)) + (cut > 0), len(world))[owner] > 0
    nodes = np.flatnonzero(reach)
    M = np.eye(nodes.size) - cut[np.ix_(nodes, nodes)].T
    value = np.zeros(len(world))
    value[nodes] = np.linalg.solve(M, (nodes == owner).astype(float))
    return value


def test_greatest_share_is_that_of_the_best_corner(company_graph, random_shares):
    """The greatest value of a linear program lies in a corner: try all of them on graphs of up to four companies."""
    rng = np.random.default_rng(11)
    judged = 0
    while judged < 60:
        n = int(rng.integers(2, 5))
        low, high, rows = random_shares(rng, n, density=0.7, exact=0.3)
        best = np.zeros((n, n))
        some = False
        for world in corners(low, high):
            some = True
            best = np.maximum(best, [reached_value(world, i) for i in range(n)])
        if not some or not rows:
            continue
        judged += 1
        _, greatest = bounds(company_graph(rows), n)
        off = ~np.eye(n, dtype=bool)
        assert greatest[off] == pytest.approx(best[off], abs=1e-10)


def test_all_walks_of_the_best_corner(company_graph, random_shares):
    rng = np.random.default_rng(12)
    judged = 0
    while judged < 40:
        n = int(rng.integers(2, 5))
        low, high, rows = random_shares(rng, n, density=0.6, exact=0.5)
        low, high = low * 0.9, high * 0.9  # far from closed, so that every corner has its inverse
        rows = [(f"e{i}", f"e{j}", low[i, j], high[i, j]) for i in range(n) for j in range(n) if high[i, j] > 0]
        rows += [("out", f"e{j}", 0.1) for j in range(n)]
        every = [np.linalg.inv(np.eye(n) - world) for world in corners_below(low, high, 0.9)]
        if not every:
            continue
        judged += 1
        frame = integrated_ownership(company_graph(rows, [f"e{i}" for i in range(n)]), method="all_walks")
        for row in frame.itertuples():
            if row.owner != "out":
                i, j = int(row.owner[1:]), int(row.asset[1:])
                assert row.share_max == pytest.approx(max(N[i, j] for N in every), abs=1e-9)
                assert row.share_min == pytest.approx(np.linalg.inv(np.eye(n) - low)[i, j], abs=1e-9)


def corners_below(low: np.ndarray, high: np.ndarray, total: float) -> list[np.ndarray]:
    """Corners with ``total`` instead of 1 to share out."""
    return [world * total for world in corners(low / total, high / total)]


def test_the_bounds_of_one_owner_occur_together(company_graph):
    """Ann's shares of both companies of a ring are greatest under the same shares."""
    rows = [("e0", "e1", 0.1), ("e2", "e1", 0.0, 0.9), ("e1", "e2", 0.2, 1.0), ("e3", "e2", 0.0, 0.5)]
    low, high = np.zeros((4, 4)), np.zeros((4, 4))
    for holder, company, *share in rows:
        low[int(holder[1]), int(company[1])], high[int(holder[1]), int(company[1])] = share[0], share[-1]
    _, greatest = bounds(company_graph(rows), 4)
    together = [reached_value(world, 0) for world in corners(low, high)]
    assert any(value[1:3] == pytest.approx(greatest[0, 1:3], abs=1e-12) for value in together)


def test_a_choice_never_closes_a_group(company_graph):
    """A and B could own all of each other; that would leave P nothing, and is not what is best for P."""
    graph = company_graph([("e0", "e1", 0.0, 0.3), ("e2", "e1", np.nan, np.nan), ("e1", "e2", np.nan, np.nan)])
    _, greatest = bounds(graph, 3)
    assert greatest[0].tolist() == pytest.approx([0, 1, 1])


def test_a_settled_graph_has_one_value(company_graph, random_shares):
    rng = np.random.default_rng(13)
    for _ in range(10):
        _, _, rows = random_shares(rng, 8, density=0.4, exact=1.0)
        frame = integrated_ownership(company_graph(rows))
        assert np.array_equal(frame["share_min"], frame["share_max"])


def test_a_large_ring_agrees_with_a_small_one(company_graph, random_shares, monkeypatch):
    """The ways to solve a ring (batched, factorised, iterated) give the same."""
    rng = np.random.default_rng(14)
    _, _, rows = random_shares(rng, 14, density=0.5, exact=0.7)
    graph = company_graph(rows, [f"e{i}" for i in range(14)])
    expected = np.stack(bounds(graph, 14))
    monkeypatch.setattr("riskgraph.ownership._rings.SMALL", 2)
    assert np.stack(bounds(graph, 14)) == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr("riskgraph.ownership._rings.FACTORED", 2)
    assert np.stack(bounds(graph, 14)) == pytest.approx(expected, abs=1e-12)
