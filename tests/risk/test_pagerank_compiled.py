"""Compiled solutions of walks that can go back: equal to the plain ones and to dense ones, and never trusted unseen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

import riskgraph as rg
from riskgraph.risk import _walks
from riskgraph.risk.pagerank import PersonalizedPageRank, step_matrix

fast = pytest.importorskip("riskgraph._kernels", reason="the extra 'fast' is not installed")


@pytest.fixture(autouse=True)
def _compile_small_work(monkeypatch):
    monkeypatch.setenv("RISKGRAPH_KERNELS", "1")


@pytest.fixture
def asked(monkeypatch):
    """Rounds of each compiled solution, in the order they were asked for."""
    rounds = []
    solve = _walks.Ties.solve

    def count(*given, **more):
        found = solve(*given, **more)
        rounds.append(found[1])
        return found

    monkeypatch.setattr(_walks.Ties, "solve", count)
    return rounds


def tangle(rng, n=50):
    """Loops, parallel and opposite relations, leaves on a chain, a part of its own, lone entities, all weights."""
    used = int(0.8 * n)
    count = int(rng.integers(n // 2, 2 * n))
    source, target = rng.integers(0, used - 6, (2, count))
    chain = np.arange(used - 12, used - 7)
    apart = np.array([used - 3, used - 2])
    source = np.r_[source, source[:6], target[:4], chain, apart, 1, used - 1]
    target = np.r_[target, target[:6], source[:4], chain + 1, apart + 1, 1, used - 1]
    rows = pd.DataFrame({"source": source, "target": target}).astype(str)
    rows = rows.assign(kind="owns", power=np.exp(rng.normal(0, 3, source.size)))
    graph = rg.EntityGraph.from_tables(pd.DataFrame({"id": np.arange(n).astype(str), "kind": "company"}), rows)
    seeds = {str(i): float(rng.integers(1, 5)) for i in rng.choice(n, 4, replace=False)}
    return graph, seeds


def changed(graph, rng):
    more = pd.DataFrame({"source": ["0", "49", "3"], "target": ["49", "2", "3"], "kind": "owns", "power": [9, 0.1, 4]})
    return graph.with_changes(add=more, remove=graph.relation_ids(rng.choice(len(graph.columns), 6, replace=False)))


def dense(graph, weight, damping=0.85, direction="both"):
    """Where a unit that begins at i ends, in row i: nothing in common with what is tested."""
    n = len(graph)
    A = np.zeros((n, n))
    for row in graph.relations.to_dict("records"):
        a, b, w = int(row["source"]), int(row["target"]), 1.0 if weight is None else row[weight]
        A[a, b] += w
        if direction == "both" and a != b:
            A[b, a] += w
    out = A.sum(axis=1, keepdims=True)
    return np.linalg.inv(np.eye(n) - damping * np.divide(A, out, out=np.zeros_like(A), where=out > 0))


@pytest.mark.parametrize("weight", [None, "power"])
@pytest.mark.parametrize("dangling", ["sink", "seeds", "uniform"])
def test_compiled_is_plain_and_within_its_bound_of_the_truth(monkeypatch, asked, dangling, weight):
    rng = np.random.default_rng(7)
    for trial in range(12):
        graph, seeds = tangle(rng)
        for graph_ in (graph, changed(graph, rng)):
            begin = np.zeros(len(graph_))
            for id, w in seeds.items():
                begin[int(id)] = w / sum(seeds.values())
            true = 0.15 * begin @ dense(graph_, weight)
            true = true / true.sum() if dangling == "seeds" else true
            for tol in (1e-3, 1e-8, 1e-12):
                model = PersonalizedPageRank(weight=weight, direction="both", dangling=dangling, tol=tol)
                monkeypatch.setenv("RISKGRAPH_KERNELS", "0")
                plain = model.fit(graph_, seeds).scores_
                asked.clear()
                monkeypatch.setenv("RISKGRAPH_KERNELS", "1")
                compiled = model.fit(graph_, seeds).scores_
                assert np.abs(compiled - plain).sum() <= 2 * tol
                if dangling == "uniform":
                    assert not asked  # lone entities send their walks anywhere
                    continue
                np.testing.assert_array_equal(compiled[true == 0], 0)
                assert np.abs(compiled - true).sum() <= model.error_bound_ + 1e-15 <= tol
                # nothing but guesses and a look at each: the plain steps were not needed
                assert asked
                assert model.n_products_ == sum(asked) + len(asked), trial


@pytest.mark.parametrize("weight", [None, "power"])
def test_backward_walks(asked, weight):
    rng = np.random.default_rng(8)
    for _ in range(6):
        graph, seeds = tangle(rng)
        true = dense(graph, weight)
        model = PersonalizedPageRank(weight=weight, direction="both", tol=1e-10).fit(graph, seeds)
        for code in (0, 1, 30, 45):
            asked.clear()
            assert np.abs(model._to(code) - true[:, code]).max() <= 1e-10
            assert asked


def test_one_way_walks_are_solved_as_before(monkeypatch, asked):
    n = 120
    ring = pd.DataFrame({"source": np.arange(n), "target": (np.arange(n) + 1) % n}).astype(str).assign(kind="owns")
    graph = rg.EntityGraph.from_tables(pd.DataFrame({"id": np.arange(n).astype(str), "kind": "company"}), ring)
    for direction in ("forward", "reverse"):
        model = PersonalizedPageRank(damping=0.97, direction=direction).fit(graph, ["0"])
        true = 0.03 * 0.97 ** np.arange(n) / (1 - 0.97**n)
        found = model.scores_.to_numpy()
        found = found if direction == "forward" else np.r_[found[0], found[:0:-1]]
        assert np.abs(found - true).sum() <= 1e-8
        assert not asked
        monkeypatch.setenv("RISKGRAPH_KERNELS", "0")
        pd.testing.assert_series_equal(model.scores_, model.fit(graph, ["0"]).scores_, check_exact=True)
        monkeypatch.setenv("RISKGRAPH_KERNELS", "1")


@pytest.mark.parametrize("damping", [0.0, 0.3, 0.99, 0.9999])
def test_any_damping(asked, damping):
    rng = np.random.default_rng(9)
    graph, seeds = tangle(rng)
    begin = np.zeros(len(graph))
    for id, w in seeds.items():
        begin[int(id)] = w / sum(seeds.values())
    true = (1 - damping) * begin @ dense(graph, "power", damping)
    model = PersonalizedPageRank(damping=damping, weight="power", direction="both").fit(graph, seeds)
    assert np.abs(model.scores_ - true).sum() <= model.error_bound_ + 1e-14 <= 1e-8
    assert model.n_products_ == sum(asked) + len(asked)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros_like, lambda r: np.full_like(r, np.nan), lambda r: -1e200 * r, lambda r: 1.7 * r],
    ids=["nothing", "no numbers", "far off", "a little off"],
)
def test_a_wrong_guess_costs_time_alone(monkeypatch, wrong):
    graph, seeds = tangle(np.random.default_rng(3))
    model = PersonalizedPageRank(direction="both", tol=1e-10)
    monkeypatch.setenv("RISKGRAPH_KERNELS", "0")
    plain = model.fit(graph, seeds).scores_
    products = model.n_products_
    monkeypatch.setenv("RISKGRAPH_KERNELS", "1")
    guesses = []
    monkeypatch.setattr(_walks.Ties, "solve", lambda self, r, *_, **__: (wrong(guesses.append(1) or r), 5))
    pd.testing.assert_series_equal(model.fit(graph, seeds).scores_, plain, check_exact=True)
    assert model.n_products_ == products + 6 * len(guesses)
    assert 1 <= len(guesses) <= 3


@pytest.mark.parametrize("most", [1e30, 1e150, 1e300])
def test_weights_too_far_apart_for_32_bits(most):
    rows = pd.DataFrame({"source": list("abcde"), "target": list("bcdef"), "kind": "owns"})
    rows["power"] = [most, most, 1 / most, 2 / most, 1 / most]
    graph = rg.EntityGraph.from_tables(pd.DataFrame({"id": list("abcdef"), "kind": "company"}), rows)
    model = PersonalizedPageRank(weight="power", direction="both").fit(graph, ["f", "a"])
    P = np.zeros((6, 6))
    for i, w in enumerate(rows["power"]):
        P[i, i + 1] = P[i + 1, i] = w
    P /= P.sum(axis=1, keepdims=True)
    true = np.linalg.inv(np.eye(6) - 0.85 * P)
    assert np.abs(model.scores_ - 0.075 * true[[0, 5]].sum(axis=0)).sum() <= model.error_bound_ <= 1e-8
    assert np.abs(model._to(4) - true[:, 4]).max() <= 1e-8


def test_a_tolerance_below_rounding_is_refused():
    graph, seeds = tangle(np.random.default_rng(0))
    with pytest.raises(rg.NotConverged, match="ask for more than 1e-14"):
        PersonalizedPageRank(tol=1e-30, direction="both").fit(graph, seeds)


def test_a_registry_takes_less_than_half_of_the_products(monkeypatch, asked):
    graph = rg.datasets.make_registry(3000, random_state=1)
    model = PersonalizedPageRank(direction="both", dangling="seeds").fit(graph)
    assert (len(asked), model.n_products_ <= 18) == (1, True)
    parts = model.contributions(graph.ids[int(np.argmax(model.scores_))])
    assert len(asked) == 2
    kept = step_matrix(graph, None, "both")._ties
    model.fit(graph)
    assert step_matrix(graph, None, "both")._ties is kept is not None
    assert kept.nbytes <= 4 * model._steps.inward.nnz + 12 * len(graph) + 4
    monkeypatch.setenv("RISKGRAPH_KERNELS", "0")
    plain = PersonalizedPageRank(direction="both", dangling="seeds").fit(graph)
    assert plain.n_products_ >= 2 * model.n_products_
    assert np.abs(plain.scores_ - model.scores_).sum() <= 2e-8
    entity = graph.ids[int(np.argmax(model.scores_))]
    pd.testing.assert_series_equal(parts.sort_index(), plain.contributions(entity).sort_index(), rtol=0, atol=1e-8)


def test_a_small_part_is_laid_out_by_itself(asked):
    rng = np.random.default_rng(4)
    links = np.r_[rng.integers(150, 162, (20, 2)), rng.integers(0, 150, (900, 2))]
    rows = pd.DataFrame(links, columns=["source", "target"]).astype(str).assign(kind="owns")
    graph = rg.EntityGraph.from_tables(pd.DataFrame({"id": np.arange(200).astype(str), "kind": "company"}), rows)
    model = PersonalizedPageRank(direction="both", tol=1e-11).fit(graph, [str(links[0, 0])])
    assert np.abs(model.scores_ - 0.15 * dense(graph, None)[links[0, 0]]).sum() <= model.error_bound_ + 1e-15 <= 1e-11
    assert model.n_products_ == sum(asked) + len(asked) > 0
    assert model._steps._ties is None


# -- the parts -------------------------------------------------------------------------------------------------------


def laid_out(rng, n=40):
    """A symmetric table with loops and empty rows, its steps, and its layout."""
    A = np.where(rng.random((n, n)) < 0.06, rng.integers(1, 9, (n, n)), 0).astype(float)
    A = A + A.T
    A[-4:] = A[:, -4:] = 0
    leaving = A.sum(axis=0)
    inward = csr_array(np.divide(A, leaving, out=np.zeros_like(A), where=leaving > 0))
    return A, leaving, _walks.Ties(fast, inward, leaving)


def test_the_first_are_not_tied_and_every_tie_is_there_once():
    rng = np.random.default_rng(6)
    for _ in range(10):
        A, leaving, ties = laid_out(rng)
        turn, free, (begin, other, weight, own) = ties._turn, ties._free, ties._rows
        assert sorted(turn) == list(range(len(A)))
        assert begin[-1] == other.size == weight.size == np.count_nonzero(np.triu(A, 1))
        B = A[np.ix_(turn, turn)] * 2.0 ** -np.frexp(leaving.max())[1]
        assert np.count_nonzero(B[:free, :free] - np.diag(np.diag(B[:free, :free]))) == 0
        assert all(B[place, :free].any() for place in range(free, len(A)))  # no more of them fit in
        found = np.diag(own.astype(float))
        row = np.repeat(np.arange(len(A)), np.diff(begin.astype(int)))
        found[row, other + free] = found[other + free, row] = weight
        np.testing.assert_array_equal(found, B)


def test_solutions_meet_what_was_aimed_at():
    rng = np.random.default_rng(12)
    for _ in range(10):
        A, leaving, ties = laid_out(rng)
        P = np.divide(A, leaving, out=np.zeros_like(A), where=leaving > 0)
        b = rng.random(len(A)) * (rng.random(len(A)) < 0.2)
        for aim in (1e-2, 1e-6, 1e-12):
            x, rounds = ties.solve(b, 0.85, aim, 200)
            z, rounds_back = ties.solve(b, 0.85, aim, 200, backward=True)
            assert np.abs(b + 0.85 * P @ x - x).sum() <= 3 * aim
            assert np.abs(b + 0.85 * P.T @ z - z).max() <= 3 * aim
            assert max(rounds, rounds_back) <= 25
        assert ties.solve(b, 0.85, 1e-12, 3)[1] == 3


def test_stars_are_solved_at_once():
    A = np.zeros((30, 30))
    for centre, leaves in ((0, range(3, 9)), (1, range(9, 12)), (2, range(12, 30))):
        A[centre, leaves] = A[leaves, centre] = np.arange(1, len(leaves) + 1)
    A[leaves, leaves] = 3  # of the last centre: so the stars differ
    ties = _walks.Ties(fast, csr_array(A / A.sum(axis=0)), A.sum(axis=0))
    assert ties.solve(np.arange(30.0), 0.85, 1e-10, 50)[1] == 1


def test_what_many_lead_to_is_counted_once():
    # from one to thirty to one to thirty, and so on: counted once for each way there, steps would be most of the graph
    hubs = np.repeat(np.arange(0, 310, 31), 30)
    between = hubs + np.tile(np.arange(1, 31), 10)
    far = np.random.default_rng(1).integers(400, 900, (2, 6000))
    source, target = np.r_[hubs, between, far[0]], np.r_[between, hubs + 31, far[1]]
    walk = _walks.steps(900, source, target, None, reversible=False)
    np.testing.assert_array_equal(walk.reached(np.array([0])), np.arange(311))


def test_what_walks_reach_is_found_once_each():
    rng = np.random.default_rng(2)
    for _ in range(30):
        n = 200
        source, target = rng.integers(0, 20, (2, 40))
        more = rng.integers(20, n, (2, 500))
        walk = _walks.steps(n, np.r_[source, more[0]], np.r_[target, more[1]], None, reversible=False)
        for backward, table in ((False, walk.outward), (True, walk.inward)):
            found = walk.reached(np.array([int(source[0]), int(source[1])]), backward=backward)
            reached = [breadth_first_order(table, start, return_predecessors=False) for start in source[:2]]
            np.testing.assert_array_equal(found, np.unique(np.concatenate(reached)))
