"""Components, levels and sums over walks against networkx, dense algebra and exact decimals."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from riskgraph import _solver
from riskgraph._blocks import BLOCKS
from riskgraph._solver import WalkSolver, spectral_radius_below_one
from riskgraph._sparse import (
    SHARE_UNITS,
    coalesce,
    component_levels,
    exact_shares,
    exact_threshold,
    expand,
    reachable,
    ring_labels,
    row_pointers,
    strong_components,
)
from riskgraph.errors import NotConverged

# -- exact shares ----------------------------------------------------------------------------------------------------


def test_sums_of_decimals_are_exact():
    assert 3 * int(exact_shares(0.1)) == exact_threshold(0.3)
    assert 0.1 + 0.1 + 0.1 > 0.3  # the floats are not
    assert exact_shares(np.array([0.0, 1.0, 0.25])).tolist() == [0, SHARE_UNITS, SHARE_UNITS // 4]


@given(st.integers(0, 10**12))
def test_every_decimal_of_twelve_places_is_kept(units):
    assert int(exact_shares(units / 1e12)) == units * 1000


def test_other_shares_are_rounded_down():
    assert int(exact_shares(1 / 3)) == 333_333_333_333_333
    assert int(exact_shares(2 / 3)) == 666_666_666_666_666


# -- components ------------------------------------------------------------------------------------------------------


def random_links(rng, n, m):
    return rng.integers(0, n, m), rng.integers(0, n, m)


@pytest.mark.parametrize("seed", range(20))
def test_components_are_those_of_networkx_in_topological_order(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    source, target = random_links(rng, n, int(rng.integers(0, 3 * n)))
    count, labels = strong_components(n, source, target)
    G = nx.DiGraph()
    G.add_nodes_from(range(n))
    G.add_edges_from(zip(source.tolist(), target.tolist(), strict=True))
    assert {frozenset(np.flatnonzero(labels == k).tolist()) for k in range(count)} == {
        frozenset(group) for group in nx.strongly_connected_components(G)
    }
    assert (labels[source] <= labels[target]).all()
    level = component_levels(count, labels[source], labels[target])
    condensed = nx.condensation(G)
    expected = {node: depth for depth, layer in enumerate(nx.topological_generations(condensed)) for node in layer}
    for node, data in condensed.nodes(data=True):
        assert {int(level[labels[member]]) for member in data["members"]} == {expected[node]}


@pytest.mark.parametrize("seed", range(20))
def test_rings_are_the_components_in_which_something_turns(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    source, target = random_links(rng, n, int(rng.integers(0, 2 * n)))
    count, labels = strong_components(n, source, target)
    few, rings = ring_labels(n, source, target)
    assert few == rings.max(initial=-1) + 1
    met = np.flatnonzero(rings >= 0)
    assert set(met) <= set(source) & set(target)
    size = np.bincount(labels, minlength=count)
    assert set(met) >= set(np.flatnonzero(size[labels] > 1)) | set(source[source == target])
    assert ((labels[met][:, None] == labels[met]) == (rings[met][:, None] == rings[met])).all()


@pytest.mark.parametrize("seed", range(5))
def test_reach_is_that_of_networkx(seed):
    rng = np.random.default_rng(seed)
    n = 30
    source, target = random_links(rng, n, 35)
    order = np.argsort(source, kind="stable")
    mask = reachable(row_pointers(n, source), target[order], np.array([3]))
    G = nx.DiGraph(zip(source.tolist(), target.tolist(), strict=True))
    G.add_node(3)
    assert set(np.flatnonzero(mask).tolist()) == {3} | nx.descendants(G, 3)


def test_rows_expand_in_the_order_asked():
    spots, place = expand(row_pointers(4, np.array([0, 0, 2, 3])), np.array([3, 1, 0]))
    assert spots.tolist() == [3, 0, 1]
    assert place.tolist() == [0, 2, 2]


def test_parallel_entries_are_summed_and_zeros_dropped():
    W = coalesce(3, np.array([0, 0, 1]), np.array([1, 1, 2]), np.array([0.25, 0.5, 0.0]))
    assert W.nnz == 1
    assert W[0, 1] == 0.75


# -- walks -----------------------------------------------------------------------------------------------------------


def leaky(rng, n, m, kept):
    """Random weights whose columns sum to ``kept``."""
    W = coalesce(n, *random_links(rng, n, m), rng.random(m))
    sums = np.asarray(W.sum(axis=0)).ravel()
    return csr_array(W.multiply(np.where(sums > 0, kept / np.where(sums > 0, sums, 1), 0)[None, :]))


@pytest.mark.parametrize(("small", "dense"), [(200, 500), (2, 500), (2, 3)], ids=["sparse", "dense", "iterated"])
def test_every_kind_of_block_solves_the_system(small, dense, monkeypatch):
    monkeypatch.setattr(_solver, "SMALL", small)
    monkeypatch.setattr(_solver, "DENSE", dense)
    rng = np.random.default_rng(small + dense)
    kinds = set()
    for _ in range(25):
        n = int(rng.integers(2, 50))
        W = leaky(rng, n, int(rng.integers(1, 4 * n)), 0.97)
        solver = WalkSolver(W)
        kinds |= {stage.kind for stage in solver._stages}
        M = np.eye(n) - W.toarray()
        for b in (rng.random(n), rng.random((n, 3))):
            assert solver.solve(b) == pytest.approx(np.linalg.solve(M, b), rel=1e-10, abs=1e-12)
            assert solver.solve_transposed(b) == pytest.approx(np.linalg.solve(M.T, b), rel=1e-10, abs=1e-12)
            assert solver.residual < 1e-11
    assert kinds & {"sparse" if small == 200 else "dense" if dense == 500 else "iterate"}


def test_a_chain_of_twenty_thousand_is_a_few_stages():
    n = 20_000
    W = coalesce(n, np.arange(n - 1), np.arange(1, n), np.full(n - 1, 0.999))
    solver = WalkSolver(W)
    assert len(solver._stages) <= 8
    first, last = np.zeros(n), np.zeros(n)
    first[0] = last[-1] = 1.0
    assert solver.solve_transposed(first) == pytest.approx(0.999 ** np.arange(n), rel=1e-9)
    assert solver.solve(last) == pytest.approx(0.999 ** np.arange(n - 1, -1, -1), rel=1e-9)


def test_a_large_ring_is_iterated_to_rounding():
    rng = np.random.default_rng(0)
    n = 3_000
    ring = np.arange(n)
    W = coalesce(n, np.r_[ring, rng.integers(0, n, n)], np.r_[(ring + 1) % n, rng.integers(0, n, n)], rng.random(2 * n))
    W = csr_array(W.multiply((0.999 / np.asarray(W.sum(axis=0)).ravel())[None, :]))
    solver = WalkSolver(W)
    assert [stage.kind for stage in solver._stages] == ["iterate"]
    x = solver.solve(np.ones(n))
    assert np.abs(1 + W @ x - x).max() < 1e-12 * x.max()
    assert solver.solve(np.zeros(n)).tolist() == [0.0] * n
    # columns sum to 0.999: a unit put into each comes back a thousandfold
    assert solver.solve_transposed(np.ones(n)) == pytest.approx(np.full(n, 1000.0), rel=1e-9)


def test_the_iteration_falls_back_to_a_factorisation(monkeypatch):
    W = coalesce(3, np.array([0, 1, 2]), np.array([1, 2, 0]), np.array([0.9, 0.9, 0.9]))
    block = BLOCKS["iterate"](W)
    monkeypatch.setattr("riskgraph._blocks.bicgstab", lambda *args, **kwargs: (np.full(3, np.nan), 1))
    expected = np.linalg.solve(np.eye(3) - W.toarray(), [1.0, 0.0, 0.0])
    assert block.solve(np.array([1.0, 0.0, 0.0]), False) == pytest.approx(expected)


# -- groups whose walks never end ------------------------------------------------------------------------------------


def test_a_closed_group_is_reported_and_left_out():
    W = coalesce(4, np.array([0, 1, 1, 3]), np.array([1, 0, 2, 2]), np.array([1.0, 1.0, 0.6, 0.4]))
    solver = WalkSolver(W)
    assert [group.tolist() for group in solver.closed] == [[0, 1]]
    assert solver.divergent == []
    # the walk out of the group counts, the walks inside do not
    assert solver.solve(np.array([0.0, 0.0, 1.0, 0.0])).tolist() == [0.0, 0.6, 1.0, 0.4]


def test_a_node_that_holds_all_of_itself_is_closed():
    assert [group.tolist() for group in WalkSolver(coalesce(2, [0, 0], [0, 1], [1.0, 0.5])).closed] == [[0]]


def test_a_group_held_from_outside_is_not_closed():
    solver = WalkSolver(coalesce(3, [0, 1, 2], [1, 0, 0], [1.0, 0.99, 0.01]))
    assert not solver.closed
    assert not solver.divergent
    assert solver.solve_transposed(np.array([0.0, 0.0, 1.0])) == pytest.approx([1.0, 1.0, 1.0], abs=1e-12)


def test_sums_above_one_diverge_only_where_they_circulate():
    growing = WalkSolver(coalesce(3, [0, 1, 2], [1, 0, 0], [1.0, 1.0, 0.5]))
    assert [group.tolist() for group in growing.divergent] == [[0, 1]]
    assert growing.closed == []
    dying = WalkSolver(coalesce(3, [0, 1, 2], [1, 0, 1], [0.5, 0.6, 0.9]))
    assert dying.divergent == []
    assert dying.solve_transposed(np.array([0.0, 0.0, 1.0]))[1] == pytest.approx(0.9 / 0.7)


def test_radius_is_bracketed():
    assert spectral_radius_below_one(coalesce(2, [0, 1], [1, 0], [0.5, 1.9]))
    assert not spectral_radius_below_one(coalesce(2, [0, 1], [1, 0], [0.5, 2.1]))
    with pytest.raises(NotConverged, match="a component of 2 nodes neither die out nor grow after 1 products"):
        spectral_radius_below_one(coalesce(2, [0, 1], [1, 0], [0.01, 99.0]), most=1)
