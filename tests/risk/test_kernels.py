"""Compiled loops give what the plain forms give, on graphs with loops, leaves, lone entities and parallel relations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph import _optional
from riskgraph.ownership._verdicts import Terms, base_of, reach
from riskgraph.risk import PersonalizedPageRank, RiskCascade
from riskgraph.risk._arcs import merge_arcs
from riskgraph.risk._messages import arrivals, log_missed, messages

pytest.importorskip("numba", reason="the extra 'fast' is not installed")


@pytest.fixture
def both_ways(monkeypatch):
    """What a question answers with plain numpy, and with compiled loops; the loops must have been asked for."""

    def ask(question):
        monkeypatch.setenv("RISKGRAPH_KERNELS", "0")
        plain = question()
        monkeypatch.setenv("RISKGRAPH_KERNELS", "1")
        asked = []
        found = _optional._has_numba
        with monkeypatch.context() as patch:
            patch.setattr(_optional, "_has_numba", lambda: asked.append(1) or found())
            compiled = question()
        assert asked, "no compiled loop was asked for"
        return plain, compiled

    return ask


def random_arcs(rng, *, sure):
    """Up to 60 nodes: loops and parallel relations among them, a chain, leaves on it, and nodes without relations."""
    n = int(rng.integers(6, 60))
    used = max(3, int(0.8 * n))  # the others stay alone
    count = int(rng.integers(1, 3 * used))
    source, target = rng.integers(0, used, (2, count))
    chain = np.arange(used - 1)
    source, target = np.r_[source, chain, source[:5]], np.r_[target, chain + 1, target[:5]]
    there = rng.choice([0.0, 0.05, 0.3, 0.9, 1 - 1e-12], source.size)
    back = rng.choice([0.0, 0.0, 0.1, 0.6, 1e-9], source.size)
    if sure:
        there[rng.random(there.size) < 0.2] = 1.0
        back[there == 1] = 0.0
        source, target = np.minimum(source, target), np.maximum(source, target)  # sure ones never close a circle
        back *= rng.random(back.size) < 0.5
    arcs = merge_arcs(n, source, target, there, back, np.arange(source.size))
    weight = np.zeros(n)
    weight[rng.choice(used, int(rng.integers(1, 4)), replace=False)] = rng.choice([1.0, 0.4, 1e-6])
    return arcs, weight


@pytest.mark.parametrize("sure", [False, True])
def test_messages(both_ways, sure):
    rng = np.random.default_rng(11)
    worst = 0.0
    for _ in range(25):
        arcs, weight = random_arcs(rng, sure=sure)
        base = log_missed(weight)
        damping = rng.choice([None, 1.0, 0.5, 0.01], 1)[0]
        if damping is not None:
            damping = np.where(rng.random(arcs.n) < 0.3, damping, 1.0)
        plain, compiled = both_ways(lambda arcs=arcs, base=base, d=damping: messages(arcs, base, damping=d))
        np.testing.assert_allclose(np.expm1(compiled), np.expm1(plain), rtol=0, atol=1e-10)
        np.testing.assert_array_equal(compiled < 0, plain < 0)  # nothing reached in one form alone
        reached = -np.expm1(arrivals(arcs, compiled, base))
        worst = max(worst, float(np.abs(reached + np.expm1(arrivals(arcs, plain, base))).max()))
    assert worst <= 1e-10


def test_messages_stay_bounds_of_brute_force(both_ways, monkeypatch):
    """Worlds counted one by one: the compiled bound lies above the truth, and is the truth without circles."""
    rng = np.random.default_rng(3)
    monkeypatch.setenv("RISKGRAPH_KERNELS", "1")
    for trial in range(24):
        n = int(rng.integers(3, 6))
        source = np.arange(1, n) if trial % 2 else rng.integers(0, n, 6)
        target = np.array([int(rng.integers(0, node)) for node in source]) if trial % 2 else rng.integers(0, n, 6)
        p = rng.choice([0.2, 0.5, 0.9], source.size)
        arcs = merge_arcs(n, source, target, p, np.zeros(p.size), np.arange(p.size))
        weight = np.zeros(n)
        weight[n - 1 if trial % 2 else 0] = 1.0
        live = np.flatnonzero(arcs.p > 0)
        truth = np.zeros(n)
        for world in range(2**live.size):
            on = live[[bool(world >> bit & 1) for bit in range(live.size)]]
            chance = np.prod([arcs.p[a] if a in on else 1 - arcs.p[a] for a in live])
            seen = weight > 0
            for _ in range(n):
                seen[arcs.target[on[seen[arcs.source[on]]]]] = True
            truth += chance * seen
        base = log_missed(weight)
        upper = -np.expm1(arrivals(arcs, messages(arcs, base), base))
        assert (upper >= truth - 1e-12).all()
        if trial % 2:
            np.testing.assert_allclose(upper, truth, atol=1e-12)


def registry(rng, n=60):
    """An invented register with rings, own shares, intervals, concerts, agreements, officers and lone companies."""
    ids = [f"C{i}" for i in range(n)] + [f"P{i}" for i in range(n)]
    entities = pd.DataFrame({"id": ids, "kind": ["company"] * n + ["person"] * n})
    used = int(0.8 * n)
    rows = []
    for company in range(used):
        left = 1.0
        for _ in range(int(rng.integers(0, 4))):
            low = round(float(rng.uniform(0, left)), 3)
            left = round(left - low, 3)
            owner = f"C{rng.integers(0, used)}" if rng.random() < 0.4 else f"P{rng.integers(0, used)}"
            high = low if rng.random() < 0.7 else round(low + float(rng.uniform(0, left)), 3)
            rows.append((owner, f"C{company}", "owns", low, high))
    for _ in range(used):
        rows.append((f"P{rng.integers(0, used)}", f"C{rng.integers(0, used)}", "officer", np.nan, np.nan))
    for kind, first in (("concert", "P"), ("controls", "C")):
        for _ in range(4):
            rows.append((f"{first}{rng.integers(0, used)}", f"{first}{rng.integers(0, used)}", kind, np.nan, np.nan))
    rows += rows[:3]
    relations = pd.DataFrame(rows, columns=["source", "target", "kind", "share_min", "share_max"])
    relations = relations[(relations["source"] != relations["target"]) | (relations["kind"] == "owns")]
    return rg.EntityGraph.from_tables(entities, relations, on_error="quarantine")


def changed(graph, rng):
    """The same after some relations were taken away and one was added."""
    ids = graph.relation_ids(rng.choice(len(graph.columns), 5, replace=False))
    more = pd.DataFrame({"source": ["P0", "C1"], "target": ["C1", "C2"], "kind": "owns", "share": [0.01, 0.02]})
    return graph.with_changes(add=more, remove=ids)


def reached(graph, terms):
    """Pairs at the highs alone."""
    base = base_of(graph)
    starts = np.flatnonzero(np.diff(base.stakes.pointers))
    return pd.DataFrame(reach(base, terms, starts, at_highs=True)._asdict())


QUESTIONS = {
    "cascade": lambda graph: RiskCascade().fit(graph, {"P0": 1.0, "C1": 0.5}).bounds_,
    "control": rg.ownership.control,
    "control of two thirds, at least": lambda graph: rg.ownership.control(graph, threshold=2 / 3, inclusive=True),
    "control by single holders": lambda graph: rg.ownership.control(graph, joint=False),
    "control within two steps": lambda graph: rg.ownership.control(graph, max_depth=2),
    "ultimate controllers": rg.ownership.ultimate_controllers,
    "shares": rg.ownership.integrated_ownership,
    "what may be controlled": lambda graph: reached(graph, Terms()),
    "what single holders may control": lambda graph: reached(graph, Terms(joint=False)),
    "cascade with pairs of ties": lambda graph: RiskCascade(hubs="damp").fit(graph, ["C1", "P3"]).bounds_,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_whole_questions(both_ways, name):
    rng = np.random.default_rng(5)
    for _ in range(8):
        graph = registry(rng)
        after = changed(graph, rng)
        for asked in (graph, after):
            # a graph keeps what it derived: a copy that has derived nothing answers each time
            plain, compiled = both_ways(lambda asked=asked: QUESTIONS[name](asked.at("2020-01-01")))
            pd.testing.assert_frame_equal(compiled, plain, rtol=0, atol=1e-10)


def test_messages_written_in_batches(both_ways, monkeypatch):
    """As where messages are too many for a cache; the answer is a bound as coarse as was asked for."""
    monkeypatch.setattr("riskgraph.risk._messages.SMALL", 0)
    graph = rg.datasets.make_registry(2_000, random_state=1)
    for tol, most in ((1e-12, 1e-10), (1e-5, 1e-3)):
        plain, compiled = both_ways(lambda tol=tol: RiskCascade(tol=tol).fit(graph.at("2020-01-01")).bounds_)
        pd.testing.assert_frame_equal(compiled, plain, rtol=most, atol=1e-10)
        if tol == 1e-12:
            fine = plain["upper"]
        assert (compiled["upper"] >= fine * (1 - 1e-10)).all()


@pytest.mark.parametrize("name", ["riskgraph._kernels.neighbors.PORTION", "riskgraph.ownership._fixpoint.PORTION"])
def test_a_portion_at_a_time(both_ways, monkeypatch, name):
    monkeypatch.setattr(name, 3)
    graph = registry(np.random.default_rng(2))
    for question in (QUESTIONS["control"], lambda graph: graph.nearby(graph.ids[:20])):
        plain, compiled = both_ways(lambda question=question: question(graph.at("2020-01-01")))
        pd.testing.assert_frame_equal(compiled, plain, rtol=0, atol=1e-10)


@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_nearby(both_ways, depth):
    rng = np.random.default_rng(9)
    for _ in range(5):
        graph = registry(rng)
        for asked in (graph, changed(graph, rng)):
            plain, compiled = both_ways(lambda asked=asked: asked.nearby(asked.ids[:40], depth))
            pd.testing.assert_frame_equal(compiled, plain)
            ends = asked.relations[["source", "target"]].to_numpy()
            for start in asked.ids[:3]:  # relation by relation
                near = {start: 0}
                for step in range(1, depth + 1):
                    for a, b in [*ends, *ends[:, ::-1]]:
                        if near.get(a, step) < step:
                            near.setdefault(b, step)
                mine = plain[plain["start"] == start]
                assert dict(zip(mine["entity"], mine["steps"], strict=True)) == near


def test_without_numba_the_plain_form_answers(monkeypatch):
    graph = registry(np.random.default_rng(1))
    expected = RiskCascade().fit(graph, ["C1"]).bounds_
    monkeypatch.setattr(_optional, "_has_numba", lambda: False)
    monkeypatch.setenv("RISKGRAPH_KERNELS", "1")
    assert _optional.kernels(10**9) is None
    pd.testing.assert_frame_equal(RiskCascade().fit(graph.at("2020-01-01"), ["C1"]).bounds_, expected)
    assert PersonalizedPageRank(direction="both").fit(graph, ["C1"]).error_bound_ <= 1e-8
