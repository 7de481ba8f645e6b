"""Arcs against dictionaries, and the same answers whatever is worked on at once."""

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.risk import RiskCascade, _arcs
from riskgraph.risk._arcs import merge_arcs
from riskgraph.risk._messages import arrivals, log_missed, messages, missed
from riskgraph.risk._paths import path_forest, strongest_paths


def relations(rng, n=12, count=60):
    """Random relations with parallel ones, loops, and some that transmit one way or not at all."""
    source, target = rng.integers(0, n, (2, count))
    there, back = rng.choice([0.0, 0.2, 0.5, 0.5, 0.9, 1.0], (2, count))
    return n, source, target, there, back, rng.permutation(3 * count)[:count]


def by_hand(source, target, there, back, row):
    """Of each ordered pair the relations that pass there, as (probability, row, backward), the likeliest first."""
    pairs = {}
    for s, t, p, q, r in zip(source.tolist(), target.tolist(), there, back, row.tolist(), strict=True):
        if s != t and (p > 0 or q > 0):
            pairs.setdefault((s, t), []).append((p, r, False))
            pairs.setdefault((t, s), []).append((q, r, True))
    return {pair: sorted(parts, key=lambda part: (-part[0], part[2])) for pair, parts in sorted(pairs.items())}


@pytest.mark.parametrize("stretch", [1, 7, 1 << 24])
def test_arcs_are_those_counted_by_hand(monkeypatch, stretch):
    monkeypatch.setattr(_arcs, "STRETCH", stretch)
    rng = np.random.default_rng(1)
    for _ in range(30):
        n, *columns = relations(rng)
        arcs, pairs = merge_arcs(n, *columns), by_hand(*columns)
        ends = list(zip(arcs.source.tolist(), arcs.target.tolist(), strict=True))
        assert ends == list(pairs)
        assert [ends[back] for back in arcs.reverse] == [(t, s) for s, t in pairs]
        assert arcs.tails(np.arange(len(arcs))).tolist() == arcs.source.tolist()
        chances = [1 - np.prod([1 - p for p, _, _ in parts]) for parts in pairs.values()]
        np.testing.assert_allclose(arcs.p, chances, rtol=1e-14)
        expected = np.zeros((2, 180))
        row, backward = arcs.main_rows(np.arange(len(arcs)))
        for arc, parts in enumerate(pairs.values()):
            assert sorted(arcs.rows_of(arc)) == sorted(r for p, r, _ in parts if p > 0)
            assert (row[arc], bool(backward[arc])) in {(r, b) for p, r, b in parts if p == parts[0][0]}
            for p, r, b in parts:
                expected[int(b), r] = p
        np.testing.assert_array_equal(arcs.chances(180), expected)
        parts = list(arcs.stretches())
        assert np.concatenate([tail for _, tail in parts]).tolist() == arcs.source.tolist()
        assert [spots.start for spots, _ in parts[1:]] == [spots.stop for spots, _ in parts[:-1]]


def test_no_arcs():
    for n in (0, 3):
        nothing = np.empty(0, dtype=np.int32)
        arcs = merge_arcs(n, nothing, nothing, np.empty(0), np.empty(0), nothing)
        assert (len(arcs), arcs.source.size, arcs.chances(2).sum()) == (0, 0, 0)
        assert arrivals(arcs, np.empty(0), np.zeros(n)).tolist() == [0.0] * n


def test_arcs_of_a_mask(monkeypatch):
    """Messages along some arcs alone, in both forms, are those of a graph that has no others."""
    rng = np.random.default_rng(2)
    for trial in range(20):
        monkeypatch.setenv("RISKGRAPH_KERNELS", str(trial % 2))
        n, source, target, there, back, row = relations(rng)
        arcs = merge_arcs(n, source, target, there * 0.9, back * 0.9, row)
        keep = rng.random(len(arcs)) < 0.5
        keep |= keep[arcs.reverse]
        weight = np.where(rng.random(n) < 0.3, 0.7, 0.0)
        some = arcs.only(keep)
        assert some.source.tolist() == arcs.source[keep].tolist()
        assert some.source[some.reverse].tolist() == some.target.tolist()
        base = log_missed(weight)
        expected = arrivals(some, messages(some, base), base)
        np.testing.assert_allclose(missed(arcs, base, keep=keep), expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("kernels", ["0", "1"])
def test_stretches_change_no_answer(monkeypatch, cascades, kernels):
    monkeypatch.setenv("RISKGRAPH_KERNELS", kernels)
    rng = np.random.default_rng(3)
    for _ in range(6):
        n, source, target, there, back, _ = relations(rng, 40, 90)
        apart = source != target
        ends = {name: [f"n{i}" for i in codes[apart]] for name, codes in (("source", source), ("target", target))}
        graph = rg.EntityGraph.from_tables(
            pd.DataFrame({"id": [f"n{i}" for i in range(n)], "kind": "company"}),
            pd.DataFrame({**ends, "kind": "cooperates", "there": there[apart] * 0.8, "back": back[apart] * 0.5}),
        )
        seeds = {"n0": 1.0, "n7": 0.4}
        found = []
        for stretch in (1 << 24, 1, 11):
            monkeypatch.setattr(_arcs, "STRETCH", stretch)
            for most in (None, 3):
                model = RiskCascade(transmission=cascades.along, max_hops=most).fit(graph, seeds)
                found.append((most, model.bounds_, model.report()[["entity", "risk", "hops"]], model))
        for most, bounds, report, model in found[2:]:
            plain = found[0 if most is None else 1]
            pd.testing.assert_frame_equal(bounds, plain[1], rtol=1e-14, atol=0)
            pd.testing.assert_series_equal(report["entity"], plain[2]["entity"])
            np.testing.assert_array_equal(model._best.arriving, plain[3]._best.arriving)


def test_forest_joined_by_stretches(monkeypatch):
    """Whatever is looked at at once, the forest has no circle and as many arcs as joining all trees takes."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    rng = np.random.default_rng(4)
    for stretch in (1, 13, 1 << 24):
        monkeypatch.setattr(_arcs, "STRETCH", stretch)
        for _ in range(10):
            n, source, target, there, back, row = relations(rng, 30, 50)
            arcs = merge_arcs(n, source, target, there * 0.9, back * 0.9, row)
            weight = np.where(rng.random(n) < 0.2, 0.7, 0.0)
            best = strongest_paths(arcs, weight)
            keep = path_forest(arcs, best)
            live = arcs.p * best.passing(arcs.source) > 0
            live |= live[arcs.reverse]

            def parts(mask, arcs=arcs):
                ends = arcs.source[mask], arcs.target[mask]
                return connected_components(csr_array((np.ones(ends[0].size), ends), shape=(arcs.n, arcs.n)))[0]

            assert parts(keep) == parts(live)
            assert keep.sum() == 2 * (arcs.n - parts(live))
