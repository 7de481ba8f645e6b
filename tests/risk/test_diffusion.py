"""Heat and harmonic labels: known answers, dense solutions, unknown where nothing is connected, paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import riskgraph as rg
from riskgraph.risk import diffusion
from riskgraph.risk.diffusion import HarmonicLabels, HeatKernel

ORACLES = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "propagation.yaml").read_text(encoding="utf-8"))


def graph_of(ids, links, **columns) -> rg.EntityGraph:
    rows = pd.DataFrame([(str(a), str(b)) for a, b in links], columns=["source", "target"])
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": [str(i) for i in ids], "kind": "company"}), rows.assign(kind="owns", **columns)
    )


def random_graph(seed: int, n: int = 14, links: int = 18):
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, n, (links, 2))
    weight = rng.integers(1, 9, links) / 2
    W = np.zeros((n, n))
    for (a, b), w in zip(ends, weight, strict=True):
        if a != b:
            W[a, b] += w
            W[b, a] += w
    return graph_of(range(n), ends, power=weight), W, rng


def test_heat_known_path():
    known = ORACLES["heat_path"]
    model = HeatKernel(time=known["time"]).fit(graph_of("123", known["links"]), known["seeds"])
    assert model.scores_.to_dict() == pytest.approx(known["scores"], abs=1e-12)


def test_labels_known_ruin():
    known = ORACLES["harmonic_ruin"]
    model = HarmonicLabels().fit(graph_of("012345", known["links"]), known["labels"])
    assert model.scores_.to_dict() == pytest.approx(known["scores"], abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 4))
def test_heat_equals_a_dense_exponential_and_is_conserved(seed, time):
    graph, W, rng = random_graph(seed)
    start = np.zeros(len(graph))
    start[rng.choice(len(graph), 2, replace=False)] = [1, 3]
    seeds = {graph.ids[i]: w for i, w in enumerate(start) if w}
    model = HeatKernel(time=time, weight="power").fit(graph, seeds)
    true = expm(-time * (np.diag(W.sum(axis=1)) - W)) @ (start / 4)
    assert model.scores_.to_numpy() == pytest.approx(true, abs=1e-10)
    assert model.scores_.sum() == pytest.approx(1, abs=1e-10)
    apart = np.abs(np.linalg.matrix_power(np.eye(len(graph)) + (W > 0), len(graph)) @ start) == 0
    assert (model.scores_.to_numpy()[apart] == 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_labels_equal_a_dense_solution_and_are_unknown_elsewhere(seed):
    graph, W, rng = random_graph(seed)
    n = len(graph)
    known = rng.choice(n, 3, replace=False)
    labels = {graph.ids[i]: float(w) for i, w in zip(known, [1, 0, 0.25], strict=True)}
    scores = HarmonicLabels(weight="power").fit(graph, labels).scores_.to_numpy()
    met = np.zeros(n)
    met[known] = 1
    connected = np.linalg.matrix_power(np.eye(n) + (W > 0), n) @ met > 0
    assert (np.isnan(scores) == ~connected).all()
    assert scores[known].tolist() == list(labels.values())
    for i in np.flatnonzero(connected & (met == 0)):
        assert scores[i] == pytest.approx(W[i] @ np.nan_to_num(scores) / W[i].sum(), abs=1e-10)


def test_large_systems_are_iterated_to_the_same_labels(monkeypatch):
    graph, _, _ = random_graph(1, n=200, links=600)
    labels = {"0": 1.0, "1": 0.0}
    direct = HarmonicLabels().fit(graph, labels).scores_
    monkeypatch.setattr(diffusion, "_DIRECT", 0)
    assert HarmonicLabels().fit(graph, labels).scores_.to_numpy() == pytest.approx(
        direct.to_numpy(), abs=1e-10, nan_ok=True
    )


def test_labels_explain_by_the_walks_that_meet_them():
    graph = graph_of("abcd", [("a", "b"), ("b", "c"), ("c", "d")])
    model = HarmonicLabels().fit(graph, {"a": 1, "d": 0})
    frame = model.explain("c")
    # from c: half of the walks go to b, half of those on to a; the rest comes back and may go again
    assert frame["path"].tolist() == [("a", "b", "c")]
    assert frame["weight"].tolist() == pytest.approx([0.25])
    assert model.scores_["c"] == pytest.approx(1 / 3)
    assert frame["relations"].tolist() == [("r0", "r1")]
    assert model.explain("d").empty


def test_heat_explains_by_paths_that_carry_part_of_it():
    graph = graph_of("abcd", [("a", "b"), ("b", "d"), ("a", "c"), ("c", "d"), ("a", "d")])
    model = HeatKernel(time=0.3).fit(graph, ["a"])
    frame = model.explain("d")
    assert frame["path"].tolist()[0] == ("a", "d")
    assert set(frame["path"]) == {("a", "d"), ("a", "b", "d"), ("a", "c", "d")}
    assert frame["weight"].is_monotonic_decreasing
    assert (frame["weight"] < model.scores_["d"]).all()
    # a path is all there is: all heat comes along it
    line = HeatKernel(time=0.3).fit(graph_of("abc", [("a", "b"), ("b", "c")]), ["a"])
    assert line.explain("c")["weight"].tolist() == pytest.approx([line.scores_["c"]])


def test_without_seeds_there_is_no_heat_and_no_label():
    graph = graph_of("ab", [("a", "b")])
    heat = HeatKernel().fit(graph)
    assert (heat.scores_ == 0).all()
    assert heat.explain("a").empty
    labels = HarmonicLabels().fit(graph)
    assert labels.scores_.isna().all()
    assert labels.explain("a").empty
    assert labels.report_.empty


@pytest.mark.parametrize(
    ("model", "seeds", "text"),
    [
        (HeatKernel(time=0), ["a"], r"'time' must be a number above 0; got 0"),
        (HeatKernel(weight=1), ["a"], r"'weight' must be None or a column of the relations; got 1"),
        (HeatKernel(), {"a": 0}, r"'seeds' must have a weight above 0; got 0 for all of them"),
        (HarmonicLabels(weight="power"), ["a"], r"'weight' must hold finite numbers of 0 or more; 'power' is -1"),
        (HarmonicLabels(), {"a": 2}, r"'seeds' must have weights in \[0, 1\]; got 2 for 'a'"),
    ],
)
def test_says_what_is_wrong(model, seeds, text):
    with pytest.raises(rg.InvalidParameter, match=text):
        model.fit(graph_of("ab", [("a", "b")], power=[-1.0]), seeds)
