"""Expectation and maximisation against a closed form and against simulated truth."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph import identity
from riskgraph.identity._estimate import expectation_maximisation, odds_factor, share_of_matches


def cells(m, u, share):
    """All combinations of three yes-no comparisons with their exact probabilities: the population itself."""
    levels = np.array(list(itertools.product([0, 1], repeat=3)))
    yes = np.prod(np.where(levels == 0, m, 1 - np.asarray(m)), axis=1)
    no = np.prod(np.where(levels == 0, u, 1 - np.asarray(u)), axis=1)
    return levels, share * yes + (1 - share) * no


@given(
    st.lists(st.floats(0.75, 0.97), min_size=3, max_size=3),
    st.lists(st.floats(0.02, 0.3), min_size=3, max_size=3),
    st.floats(0.15, 0.6),
)
@settings(max_examples=25, deadline=None)
def test_the_population_gives_back_its_parameters(m, u, share):
    """Three yes-no comparisons and two classes have as many numbers as cells: the fit is exact (Goodman 1974)."""
    levels, weight = cells(m, u, share)
    fit = expectation_maximisation(
        levels, [np.array([0.8, 0.2])] * 3, [np.array([0.2, 0.8])] * 3, share=0.4, counts=1e6 * weight,
        rounds=20_000, tolerance=1e-15,
    )  # fmt: skip
    assert fit.share == pytest.approx(share, abs=0.01)
    assert [one[0] for one in fit.m] == pytest.approx(m, abs=0.01)
    assert [one[0] for one in fit.u] == pytest.approx(u, abs=0.01)


def test_likelihood_never_falls_and_rows_may_be_counted():
    rng = np.random.default_rng(1)
    levels = rng.integers(-1, 3, (2000, 3))
    start = [np.array([0.7, 0.2, 0.1])] * 3, [np.array([0.2, 0.3, 0.5])] * 3
    fit = expectation_maximisation(levels, *start, share=0.3, pseudo=5.0)
    assert (np.diff(fit.log_likelihood) >= -1e-6).all()
    rows, counts = np.unique(levels, axis=0, return_counts=True)
    same = expectation_maximisation(rows, *start, share=0.3, counts=counts, pseudo=5.0)
    assert same.share == pytest.approx(fit.share, rel=1e-6)


def test_simulated_truth_with_missing_values_and_known_rarity():
    rng = np.random.default_rng(2)
    truth = rng.random(60_000) < 0.2
    m, u = [np.array([0.9, 0.1]), np.array([0.6, 0.3, 0.1])], [np.array([0.05, 0.95]), np.array([0.1, 0.3, 0.6])]
    levels = np.stack(
        [
            np.where(truth, rng.choice(len(a), truth.size, p=a), rng.choice(len(b), truth.size, p=b))
            for a, b in zip(m, u, strict=True)
        ],
        axis=1,
    )
    levels[rng.random(levels.shape) < 0.3] = -1
    # a factor as rare names give: known, not estimated; of mean 1 among non-matches
    factor = np.where(
        truth, rng.choice([0.5, 3.0], truth.size, p=[0.4, 0.6]), rng.choice([0.5, 3.0], truth.size, p=[0.8, 0.2])
    )
    fit = expectation_maximisation(
        levels, [x[::-1] * 0 + 1 / x.size for x in m], u, share=0.5, free_u=False, fixed=factor
    )
    assert fit.share == pytest.approx(0.2, abs=0.01)
    for found, true in zip(fit.m, m, strict=True):
        assert found == pytest.approx(true, abs=0.02)


def test_share_solves_its_equation():
    """One factor F for P of N pairs: the likelihood peaks at (P F - N) / (N (F - 1))."""
    p, n, f = 3000, 1e7, 1e5
    assert share_of_matches(np.full(p, f), n) == pytest.approx((p * f - n) / (n * (f - 1)), rel=1e-3)
    assert share_of_matches(np.full(p, 1.0), n) * n < 2
    odds = odds_factor(np.array([[0, -1], [1, 1]]), [np.array([0.9, 0.1])] * 2, [np.array([0.3, 0.7])] * 2)
    assert odds == pytest.approx([3, 1 / 49])


def village(seed=0, people=3000, twice=500):
    """Records with name, year of birth, gender and place; a second record errs in the year three times in ten."""
    rng = np.random.default_rng(seed)
    who = np.r_[np.arange(people), rng.choice(people, twice, replace=False)]
    names = np.char.add(
        rng.choice(list("王李张刘陈杨"), people), rng.choice(list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明"), people)
    )
    names = np.char.add(names, rng.choice(list("超霞平刚建华文玉国志"), people))
    years = rng.integers(1950, 1990, people)
    seen = years[who] + np.where((np.arange(who.size) >= people) & (rng.random(who.size) < 0.3), 7, 0)
    home = rng.choice(list("甲乙丙丁戊己庚辛"), people)
    moved = (np.arange(who.size) >= people) & (rng.random(who.size) < 0.2)
    frame = pd.DataFrame(
        {
            "id": [f"p{row}" for row in range(who.size)],
            "kind": "person",
            "name": names[who],
            "birth_year": seen,
            "gender": np.where(who % 3 == 0, "f", "m"),
            "registered_in": np.where(moved, rng.choice(list("甲乙丙丁戊己庚辛"), who.size), home[who]),
        }
    )
    graph = rg.EntityGraph.from_tables(frame, pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object))
    return graph, pd.Series(who, index=frame["id"])


def test_weights_are_learnt_without_labels():
    tables = [identity.estimate_weights(village(seed)[0]).set_index(["comparison", "level"]) for seed in range(4)]
    learnt = tables[0].assign(m=sum(one["m"] for one in tables) / 4)
    assert learnt.loc[("birth_year", "same"), "m"] == pytest.approx(0.7, abs=0.06)  # the default says 0.958
    assert learnt.loc[("birth_year", "other"), "m"] == pytest.approx(0.3, abs=0.06)  # the default says 0.002
    assert learnt.loc[("birth_year", "same"), "u"] == pytest.approx(1 / 40, abs=0.005)
    assert learnt.loc[("gender", "same"), "u"] == pytest.approx(5 / 9, abs=0.02)
    assert "random pairs" in learnt.loc[("gender", "same"), "reason"]
    graph, true = village()
    found = identity.match(graph, weights=tables[0].reset_index(), least=0.0)
    truth = (true[found["source"]].to_numpy() == true[found["target"]].to_numpy()).astype(float)
    said = found["confidence"].to_numpy()
    assert abs(said.mean() - truth.mean()) < 0.05
    default = identity.match(graph, least=0.0)
    right = (true[default["source"]].to_numpy() == true[default["target"]].to_numpy()).astype(float)
    assert np.mean((said - truth) ** 2) < np.mean((default["confidence"] - right) ** 2)


def test_few_pairs_leave_the_weights_as_they_are():
    graph, _ = village(people=40, twice=0)
    default, table = identity.default_weights(), identity.estimate_weights(graph)
    assert table["m"].to_numpy() == pytest.approx(default["m"].to_numpy(), abs=0.05)
    empty = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["a"], "kind": ["person"]}), pd.DataFrame({"source": [], "target": [], "kind": []})
    )
    assert identity.estimate_weights(empty)["m"].equals(default["m"])


@pytest.mark.parametrize("kind", ["person", "company"])
def test_default_weights_are_chances_with_reasons(kind):
    table = identity.default_weights(kind)
    assert (table["reason"].str.len() > 10).all()
    for name, part in table.groupby("comparison"):
        assert part["m"].sum() == pytest.approx(1, abs=1e-6), name
        if not part["u"].isna().any():
            assert part["u"].sum() == pytest.approx(1, abs=3e-3), name
        # agreement speaks for one entity, the last level against
        if len(part) > 1:
            ratio = (part["m"] / part["u"]).to_numpy()
            assert ratio[0] > 1 > ratio[-1], name


def test_weights_are_checked():
    graph, _ = village(people=40, twice=2)
    table = identity.default_weights()
    assert len(identity.match(graph, weights=table[table["comparison"] != "gender"], least=0.0))
    with pytest.raises(rg.InvalidParameter, match="'kind' must be one of person, company; got 'firm'"):
        identity.default_weights("firm")
    with pytest.raises(rg.InvalidParameter, match="'weights' must be a frame with the columns comparison, level, m, u"):
        identity.match(graph, weights=3)
    with pytest.raises(rg.InvalidParameter, match=r"'weights' must have m in \(0, 1\]; got 2.0"):
        identity.match(graph, weights=table.assign(m=2.0))
    with pytest.raises(
        rg.InvalidParameter, match="'weights' must hold comparisons and levels of person; got 'uscc', 'same'"
    ):
        identity.match(
            graph, weights=identity.default_weights("company").query("comparison in ['name', 'uscc']").iloc[6:]
        )
    with pytest.raises(rg.InvalidParameter, match="'weights' of 'name' must hold the levels same in this order"):
        identity.match(graph, weights=table.iloc[1:])
