"""Legal taint: known answers, exact ties, three values against sampled shares, derivations that prove."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.risk.threshold import ThresholdCascade

ORACLES = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "propagation.yaml").read_text(encoding="utf-8"))
KNOWN = [
    pytest.param(name, case, id=f"{name}-{case}")
    for name, oracle in ORACLES.items()
    if name.startswith("taint_")
    for case in range(len(oracle["cases"]))
]


def graph_of(shares, controls=(), columns=("share",)) -> rg.EntityGraph:
    """Graph of rows ``source, target, share`` (or two bounds)."""
    rows = pd.DataFrame(shares, columns=["source", "target", *columns]).assign(kind="owns")
    agreed = pd.DataFrame(list(controls), columns=["source", "target"]).assign(kind="controls")
    rows = pd.concat([rows, agreed], ignore_index=True) if len(agreed) else rows
    ids = sorted({*rows["source"], *rows["target"]})
    return rg.EntityGraph.from_tables(pd.DataFrame({"id": ids, "kind": "company"}), rows)


def least_fixpoint(shares, seeds, threshold, inclusive=True):
    """The rule by plain loops over exact fractions, shares given as texts or numbers."""
    exact = [(a, b, Fraction(str(w))) for a, b, w in shares]
    limit, tainted = Fraction(str(threshold)), set(seeds)
    while True:
        sums: dict[str, Fraction] = {}
        own: dict[str, Fraction] = {}
        for a, b, w in exact:
            if a == b:
                own[b] = own.get(b, Fraction(0)) + w
            elif a in tainted:
                sums[b] = sums.get(b, Fraction(0)) + w
        new = {
            b
            for b, total in sums.items()
            if own.get(b, 0) < 1
            and (total >= limit * (1 - own.get(b, 0)) if inclusive else total > limit * (1 - own.get(b, 0)))
        } - tainted
        if not new:
            return tainted
        tainted |= new


@pytest.mark.parametrize(("name", "case"), KNOWN)
def test_known_answers(name, case):
    oracle, asked = ORACLES[name], ORACLES[name]["cases"][case]
    model = ThresholdCascade(threshold=oracle["threshold"], inclusive=asked["inclusive"])
    model.fit(graph_of(oracle["shares"]), [asked["seed"]])
    assert set(model.labels_.index[model.labels_ == "yes"]) == {asked["seed"], *asked["tainted"]}
    assert not (model.labels_ == "undetermined").any()


def test_aggregates_over_holders_and_cascades_at_full_weight():
    # 25 + 25 is half of A; A's half of B is B; products along the chain play no part
    graph = graph_of([("X", "A", 0.25), ("Y", "A", 0.25), ("A", "B", 0.5), ("B", "C", 0.5), ("X", "D", 0.49)])
    model = ThresholdCascade().fit(graph, ["X", "Y"])
    assert model.scores_.to_dict() == {"A": 1, "B": 1, "C": 1, "D": 0, "X": 1, "Y": 1}
    assert ThresholdCascade().fit(graph, ["X"]).scores_.to_dict() == {"A": 0, "B": 0, "C": 0, "D": 0, "X": 1, "Y": 0}


def test_forty_levels_of_a_bare_majority():
    graph = graph_of([(f"n{i:02}", f"n{i + 1:02}", 0.51) for i in range(40)])
    model = ThresholdCascade(inclusive=False).fit(graph, ["n00"])
    assert (model.labels_ == "yes").all()
    assert len(model.derivation("n40")) == 40


def test_ties_are_exact():
    graph = graph_of([(h, "A", 0.1) for h in "xyz"] + [("x", "B", 0.3)])
    strict = ThresholdCascade(threshold=0.3, inclusive=False).fit(graph, list("xyz"))
    assert strict.labels_[["A", "B"]].tolist() == ["no", "no"]
    loose = ThresholdCascade(threshold=0.3).fit(graph, list("xyz"))
    assert loose.labels_[["A", "B"]].tolist() == ["yes", "yes"]


def test_a_ring_does_not_taint_itself():
    graph = graph_of([("A", "B", 0.9), ("B", "C", 0.9), ("C", "A", 0.9), ("X", "A", 0.1)])
    assert ThresholdCascade().fit(graph, ["X"]).labels_[["A", "B", "C"]].tolist() == ["no"] * 3


def test_treasury_shares_leave_the_base():
    # 30 of the 60 that others hold
    shares = [("X", "A", 0.3), ("A", "A", 0.4), ("Z", "A", 0.3)]
    graph = graph_of(shares)
    assert ThresholdCascade().fit(graph, ["X"]).labels_["A"] == "yes"
    assert ThresholdCascade(inclusive=False).fit(graph, ["X"]).labels_["A"] == "no"
    proof = ThresholdCascade().fit(graph, ["X"]).derivation("A")["relations"].iloc[0]
    assert set(proof) == {"r0", "r1"}
    # of what a company holds all of itself nothing is left, whatever is declared beside
    graph = graph_of([("X", "A", 0.1), ("A", "A", 1.0)])
    assert ThresholdCascade().fit(graph, ["X"]).labels_["A"] == "no"


def test_agreements_taint_only_when_asked():
    graph = graph_of([("X", "A", 0.5)], controls=[("A", "B")])
    assert ThresholdCascade().fit(graph, ["X"]).labels_["B"] == "no"
    model = ThresholdCascade(controls=True).fit(graph, ["X"])
    assert model.labels_["B"] == "yes"
    assert model.derivation("B")["holders"].tolist() == [("X",), ("A",)]
    assert model.explain("B")["path"].tolist() == [("X", "A", "B")]


def test_votes_may_differ_from_shares():
    rows = pd.DataFrame(
        {"source": ["X", "Z"], "target": ["A", "A"], "kind": "owns", "share": [0.2, 0.8], "votes_min": [0.6, 0.4]}
    ).assign(votes_max=lambda rows: rows["votes_min"])
    graph = rg.EntityGraph.from_tables(pd.DataFrame({"id": list("XZA"), "kind": "company"}), rows)
    assert ThresholdCascade().fit(graph, ["X"]).labels_["A"] == "no"
    assert ThresholdCascade(votes=True).fit(graph, ["X"]).labels_["A"] == "yes"


def test_seed_weights_make_no_difference_and_zero_is_no_seed():
    graph = graph_of([("X", "A", 0.5), ("Y", "B", 0.5)])
    labels = ThresholdCascade().fit(graph, {"X": 0.01, "Y": 0}).labels_
    assert labels.to_dict() == {"A": "yes", "B": "no", "X": "yes", "Y": "no"}


def test_a_seed_case_is_enough():
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["X", "A"], "kind": ["person", "company"]}),
        pd.DataFrame({"source": ["X"], "target": ["A"], "kind": ["owns"], "share": [0.7]}),
        pd.DataFrame({"entity": ["X"], "type": ["sanctioned"]}),
    )
    assert ThresholdCascade().fit(graph).labels_.tolist() == ["yes", "yes"]


# -- unknown shares --------------------------------------------------------------------------------------------------


def test_a_missing_share_is_neither_nothing_nor_all():
    # Z holds 0.3 for sure; X anything up to the 0.7 that are left
    graph = graph_of([("X", "A", None), ("Z", "A", 0.3), ("A", "B", 0.6)])
    model = ThresholdCascade().fit(graph, ["X"])
    assert model.labels_[["A", "B"]].tolist() == ["undetermined", "undetermined"]
    assert model.scores_["A"] == 0.5
    assert model.bounds_.loc["A"].tolist() == [0, 1]
    assert ThresholdCascade(threshold=0.71).fit(graph, ["X"]).labels_["A"] == "no"


def test_what_the_other_holders_leave_bounds_tainted_holders_together():
    graph = graph_of([("X", "A", None), ("Y", "A", None), ("Z", "A", 0.55)])
    assert ThresholdCascade().fit(graph, ["X", "Y"]).labels_["A"] == "no"
    assert ThresholdCascade(threshold=0.45).fit(graph, ["X", "Y"]).labels_["A"] == "undetermined"


def test_the_undeclared_rest_is_not_held_by_the_tainted():
    assert ThresholdCascade().fit(graph_of([("X", "A", 0.4)]), ["X"]).labels_["A"] == "no"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_three_values_against_worlds_inside_the_bounds(data):
    n = data.draw(st.integers(3, 6))
    pairs = data.draw(
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=2, max_size=8, unique=True)
    )
    pairs = [(f"n{a}", f"n{b}") for a, b in pairs if a != b] or [("n0", "n1")]
    lows, highs, left = [], [], dict.fromkeys((f"n{i}" for i in range(n)), 20)
    for _, b in pairs:
        low = data.draw(st.integers(0, min(12, left[b])))
        left[b] -= low
        lows.append(low)
        highs.append(data.draw(st.integers(low, 20)))
    rows = [(a, b, low / 20, high / 20) for (a, b), low, high in zip(pairs, lows, highs, strict=True)]
    inclusive = data.draw(st.booleans())
    graph = graph_of(rows, columns=("share_min", "share_max"))
    seeds = [graph.ids[0]]
    model = ThresholdCascade(inclusive=inclusive).fit(graph, seeds)

    yes, maybe = set(graph.ids), set()
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    worlds = [list(lows)]
    for _ in range(60):
        # raise shares in random order as far as they and their company go, all the way or half
        world, spare = list(lows), dict(left)
        for place in rng.permutation(len(pairs)):
            b = pairs[place][1]
            step = min(highs[place] - lows[place], spare[b])
            step = step if rng.random() < 0.7 else step // 2
            world[place] += step
            spare[b] -= step
        worlds.append(world)
    for world in worlds:
        shares = [(a, b, Fraction(w, 20)) for (a, b), w in zip(pairs, world, strict=True)]
        tainted = least_fixpoint(shares, seeds, Fraction(1, 2), inclusive)
        yes &= tainted
        maybe |= tainted
    labels = model.labels_
    assert set(labels.index[labels == "yes"]) == yes
    # worlds are sampled: what they show must be allowed, and what is ruled out must never show
    assert maybe <= set(labels.index[labels != "no"])


def test_the_upper_bound_is_reached_by_one_choice_of_shares():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows, top = [], []
        for company in range(4, 9):
            holders = rng.choice(company, 3, replace=False)
            low = rng.integers(0, 6, 3)
            high = low + rng.integers(0, 12, 3)
            rows += [(f"n{h}", f"n{company}", a / 20, b / 20) for h, a, b in zip(holders, low, high, strict=True)]
            top.append((company, holders, low, high))
        graph = graph_of([*rows, ("n0", "n1", 0, 0)], columns=("share_min", "share_max"))
        model = ThresholdCascade().fit(graph, ["n0", "n1"])
        possible = set(model.labels_.index[model.labels_ != "no"])
        shares = []
        for company, holders, low, high in top:
            spare = 20 - low.sum()
            share = low.copy()
            for place in np.argsort([f"n{h}" not in possible for h in holders], kind="stable"):
                step = min(high[place] - low[place], spare)
                share[place] += step
                spare -= step
            shares += [(f"n{h}", f"n{company}", Fraction(int(w), 20)) for h, w in zip(holders, share, strict=True)]
        assert least_fixpoint(shares, ["n0", "n1"], Fraction(1, 2)) == possible


# -- exact against loops, properties ---------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["0.3", "0.5", "0.75", "1"]), st.booleans())
def test_equals_the_rule_by_loops(seed, threshold, inclusive):
    rng = np.random.default_rng(seed)
    shares = {}
    for company in range(12):
        cuts = np.sort(rng.integers(0, 101, rng.integers(1, 4)))
        for size in np.diff(np.r_[0, cuts]):
            if size:
                shares[(f"n{rng.integers(0, 12)}", f"n{company}")] = int(size) / 100
    rows = [(a, b, w) for (a, b), w in shares.items()] or [("n0", "n1", 0.5)]
    graph = graph_of(rows)
    seeds = [graph.ids[0], graph.ids[-1]]
    model = ThresholdCascade(threshold=float(threshold), inclusive=inclusive).fit(graph, seeds)
    expected = least_fixpoint(rows, seeds, threshold, inclusive)
    assert set(model.labels_.index[model.labels_ == "yes"]) == expected
    assert set(model.scores_.unique()) <= {0.0, 1.0}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_a_derivation_proves_the_label(seed):
    rng = np.random.default_rng(seed)
    rows = []
    for company in range(2, 10):
        for holder in rng.choice(10, 3, replace=False):
            low = rng.integers(0, 33) / 100
            rows.append((f"n{holder}", f"n{company}", low, min(1.0, low + rng.choice([0, 0, 0.2, 0.4]))))
    graph = graph_of(rows, columns=("share_min", "share_max"))
    seeds = [id for id in ("n0", "n1") if id in graph]
    model = ThresholdCascade(threshold=0.3).fit(graph, seeds)
    for entity in graph.ids:
        proof = model.derivation(entity)
        assert list(proof) == ["step", "entity", "holders", "share_min", "share_max", "relations"]
        if entity in seeds or model.labels_[entity] == "no":
            assert proof.empty
            continue
        used = {relation for relations in proof["relations"] for relation in relations}
        alone = graph.with_changes(remove=[id for id in graph.relations["id"] if id not in used])
        assert ThresholdCascade(threshold=0.3).fit(alone, seeds).labels_[entity] == model.labels_[entity]
        known = set(seeds)
        for holders, step in zip(proof["holders"], proof["entity"], strict=True):
            assert set(holders) <= known
            known.add(step)
        assert proof["step"].tolist() == list(range(1, len(proof) + 1))
        paths = model.explain(entity)["path"]
        assert all(path[0] in seeds and path[-1] == entity for path in paths)


def test_explains_by_the_holders_that_count_most():
    graph = graph_of([("X", "A", 0.2), ("Y", "A", 0.4), ("A", "B", 0.9)])
    model = ThresholdCascade().fit(graph, ["X", "Y"])
    frame = model.explain("A")
    assert frame["path"].tolist() == [("Y", "A"), ("X", "A")]
    assert frame["weight"].tolist() == [0.4, 0.2]
    assert model.explain("B")["relations"].tolist() == [("r1", "r2")]
    assert model.explain("X")["path"].tolist() == [("X",)]
    report = model.report(lang="en").set_index("entity")
    assert report.loc["A", ["label", "held_min", "held_max"]].tolist() == ["yes", 0.6, 0.6]


def test_a_long_chain_needs_no_recursion():
    n = 5_000
    graph = graph_of([(f"n{i:05}", f"n{i + 1:05}", 0.6) for i in range(n)])
    model = ThresholdCascade().fit(graph, ["n00000"])
    assert (model.scores_ == 1).all()


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"threshold": 0}, r"'threshold' must be in \(0, 1\]; got 0"),
        ({"threshold": 1.4}, r"'threshold' must be in \(0, 1\]; got 1.4"),
        ({"inclusive": "yes"}, r"'inclusive' must be True or False; got 'yes'"),
        ({"controls": 1}, r"'controls' must be True or False; got 1"),
        ({"votes": None}, r"'votes' must be True or False; got None"),
    ],
)
def test_says_which_parameter_is_wrong(parameters, text):
    with pytest.raises(rg.InvalidParameter, match=text):
        ThresholdCascade(**parameters).fit(graph_of([("X", "A", 0.5)]), ["X"])
