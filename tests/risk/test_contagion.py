"""DebtRank and Clearing: known answers, plain loops, a linear programme, losses that add up, calls of guarantees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import riskgraph as rg
from riskgraph.risk.clearing import Clearing, clear
from riskgraph.risk.contagion import DebtRank

ORACLES = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "propagation.yaml").read_text(encoding="utf-8"))


def graph_of(debts, guarantees=(), ids=(), facts=None) -> rg.EntityGraph:
    """Graph of debts ``debtor, creditor, amount`` and guarantees ``guarantor, debtor, amount``."""
    rows = [(creditor, debtor, "lends", amount) for debtor, creditor, amount in debts]
    rows += [(guarantor, debtor, "guarantees", amount) for guarantor, debtor, amount in guarantees]
    relations = pd.DataFrame(rows, columns=["source", "target", "kind", "amount"])
    names = list(dict.fromkeys([*ids, *relations["source"], *relations["target"]]))
    return rg.EntityGraph.from_tables(pd.DataFrame({"id": sorted(names), "kind": "company"}), relations, facts=facts)


def random_debts(seed: int, n: int = 8, links: int = 18):
    rng = np.random.default_rng(seed)
    debts = [(f"b{a}", f"b{b}", float(rng.integers(1, 10))) for a, b in rng.integers(0, n, (links, 2)) if a != b]
    ids = [f"b{i}" for i in range(n)]
    return graph_of(debts, ids=ids), debts, ids, rng


# -- DebtRank --------------------------------------------------------------------------------------------------------


def test_debtrank_known_collapse():
    known = ORACLES["debtrank_collapse"]
    shock = {id: known["loss_of_assets"][id] / known["equity"][id] for id in known["equity"]}
    model = DebtRank(equity=known["equity"]).fit(graph_of(known["debts"]), shock)
    assert model.scores_.to_dict() == pytest.approx(known["stress"], abs=1e-9)
    assert model.losses_["equity_after"].to_dict() == pytest.approx(known["equity_after"], abs=1e-9)


def debtrank_by_loops(debts, equity, shock, version):
    """Both rules as written in the papers, entity by entity."""
    weight = {}
    for debtor, creditor, amount in debts:
        weight[creditor, debtor] = weight.get((creditor, debtor), 0.0) + amount
    weight = {pair: amount / equity[pair[0]] for pair, amount in weight.items()}
    stress = {id: min(1.0, shock.get(id, 0.0)) for id in equity}
    if version == "2012":
        state = {id: "distressed" if stress[id] > 0 else "undistressed" for id in equity}
        while "distressed" in state.values():
            new = {
                i: min(
                    1.0,
                    stress[i]
                    + sum(min(1.0, weight.get((i, j), 0.0)) * stress[j] for j in equity if state[j] == "distressed"),
                )
                for i in equity
            }
            state = {
                i: "inactive"
                if state[i] in ("distressed", "inactive")
                else ("distressed" if new[i] > 0 else "undistressed")
                for i in equity
            }
            stress = new
        return stress
    before = dict.fromkeys(equity, 0.0)
    for _ in range(100_000):
        new = {
            i: min(1.0, stress[i] + sum(weight.get((i, j), 0.0) * (stress[j] - before[j]) for j in equity))
            for i in equity
        }
        before, stress = stress, new
        if max(abs(stress[i] - before[i]) for i in equity) < 1e-15:
            break
    return stress


@pytest.mark.parametrize("version", ["2012", "2015"])
def test_debtrank_equals_the_rule_by_loops(version):
    for seed in range(40):
        graph, debts, ids, rng = random_debts(seed)
        equity = {id: float(rng.integers(4, 60)) for id in ids}
        shock = {id: float(rng.random()) for id in rng.choice(ids, 2, replace=False)}
        model = DebtRank(version=version, equity=equity).fit(graph, shock)
        assert model.scores_.to_dict() == pytest.approx(debtrank_by_loops(debts, equity, shock, version), abs=1e-10)


def test_debtrank_2012_fires_once_and_2015_goes_round():
    ring = [("a", "b", 5), ("b", "c", 5), ("c", "a", 5)]
    equity = dict.fromkeys("abc", 10.0)
    once = DebtRank(version="2012", equity=equity).fit(graph_of(ring), {"a": 0.4}).scores_
    assert once.to_dict() == pytest.approx({"a": 0.45, "b": 0.2, "c": 0.1})
    round_ = DebtRank(version="2015", equity=equity).fit(graph_of(ring), {"a": 0.4}).scores_
    # 0.4 / (1 - 1/8) once everything has gone round
    assert round_.to_dict() == pytest.approx({"a": 0.4 / 0.875, "b": 0.2 / 0.875, "c": 0.1 / 0.875}, abs=1e-12)


def test_debtrank_collapses_where_stress_grows_and_settles_where_it_nearly_does():
    ring = [("a", "b", 101), ("b", "a", 101)]
    model = DebtRank(equity={"a": 100, "b": 100}).fit(graph_of(ring), {"a": 0.001})
    assert model.scores_.tolist() == [1, 1]
    ring = [("a", "b", 99.9999), ("b", "a", 99.9999)]
    model = DebtRank(equity={"a": 100, "b": 100}).fit(graph_of(ring), {"a": 1e-7})
    w = 0.999999
    assert model.scores_.to_dict() == pytest.approx({"a": 1e-7 / (1 - w * w), "b": 1e-7 * w / (1 - w * w)}, rel=1e-8)
    assert model.n_rounds_ < 1_000


def test_debtrank_reaches_the_end_of_a_long_chain():
    n = 200
    chain = [(f"n{i:03}", f"n{i + 1:03}", 9.9) for i in range(n)]
    model = DebtRank(equity={f"n{i:03}": 10.0 for i in range(n + 1)}).fit(graph_of(chain), ["n000"])
    assert model.scores_.to_numpy() == pytest.approx(0.99 ** np.arange(n + 1), abs=1e-12)


def test_a_guarantor_suffers_when_its_debtor_fails():
    graph = graph_of([("firm", "bank", 10)], guarantees=[("mother", "firm", 8)])
    model = DebtRank(equity={"bank": 40, "mother": 10}).fit(graph, ["firm"])
    assert model.scores_.to_dict() == {"bank": 0.25, "firm": 1, "mother": 0.8}
    assert model.explain("mother")["relations"].tolist() == [("r1",)]
    assert model.debtrank_ == pytest.approx((0.25 * 10 + 0.8 * 8) / 18)


def test_losses_add_up_and_may_end_below_nothing():
    graph, _, ids, rng = random_debts(3)
    equity = {id: float(rng.integers(5, 20)) for id in ids}
    model = DebtRank(equity=equity).fit(graph, {"b1": 1.7})
    losses = model.losses_
    assert losses.loc["b1", "shock"] == pytest.approx(1.7 * equity["b1"])
    expected = losses["equity"] - losses["shock"] - losses["contagion"]
    assert losses["equity_after"].to_numpy() == pytest.approx(expected.to_numpy())
    assert losses.loc["b1", "equity_after"] < 0
    assert (model.scores_ == 1)[losses["equity_after"] <= 0].all()


def test_equity_from_facts_and_nothing_left_to_absorb():
    facts = pd.DataFrame(
        {
            "entity": ["c", "c", "d"],
            "fact": "equity",
            "value": [50.0, 20.0, -3.0],
            "start": ["2015-01-01", "2016-01-01", "2016-01-01"],
        }
    )
    graph = graph_of([("x", "c", 10), ("c", "d", 0.5)], facts=facts)
    model = DebtRank().fit(graph, {"x": 0.1})
    # the later fact counts; d has nothing left, so its first loss breaks it
    assert model.scores_.to_dict() == pytest.approx({"c": 0.05, "d": 1, "x": 0.1})
    earlier = DebtRank(missing="exclude").fit(graph.at("2015-06-01"), {"x": 0.1})
    assert earlier.scores_["c"] == pytest.approx(0.02)
    assert earlier.excluded_["entity"].tolist() == ["d"]


def test_missing_equity_is_an_error_or_an_unknown_score_never_zero():
    graph = graph_of([("x", "c", 10), ("c", "d", 5), ("d", "e", 5)])
    with pytest.raises(rg.InvalidParameter, match=r"'equity' must be known of everyone .* Not known of 2: d, e"):
        DebtRank(equity={"c": 20}).fit(graph, ["x"])
    model = DebtRank(equity={"c": 20, "e": 10}, missing="exclude").fit(graph, ["x"])
    assert model.scores_.drop("d").to_dict() == {"c": 0.5, "e": 0, "x": 1}
    assert np.isnan(model.scores_["d"])
    assert model.excluded_.to_dict("list") == {"entity": ["d"], "claims": [5.0]}


def test_debtrank_explains_by_chains_of_debt():
    graph = graph_of([("a", "b", 5), ("b", "c", 5), ("a", "c", 1)])
    model = DebtRank(equity=dict.fromkeys("bc", 10.0)).fit(graph, ["a"])
    frame = model.explain("c")
    assert frame["path"].tolist() == [("a", "b", "c"), ("a", "c")]
    assert frame["weight"].tolist() == pytest.approx([0.25, 0.1])
    assert frame["weight"].sum() == pytest.approx(model.scores_["c"])
    # more than all of a creditor cannot be lost on the way
    steep = DebtRank(equity={"b": 1.0, "c": 10.0}).fit(graph, ["a"])
    assert steep.explain("c", k=1)["weight"].tolist() == pytest.approx([0.5])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["2012", "2015"]))
def test_debtrank_grows_with_the_shock(seed, version):
    graph, _, ids, rng = random_debts(seed)
    equity = {id: float(rng.integers(4, 60)) for id in ids}
    small = {id: float(rng.random() / 2) for id in rng.choice(ids, 2, replace=False)}
    large = {id: 2 * weight for id, weight in small.items()}
    model = DebtRank(version=version, equity=equity)
    low, high = model.fit(graph, small).scores_, model.fit(graph, large).scores_
    assert (low <= high + 1e-12).all()
    assert high.between(0, 1).all()


# -- Clearing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("netted", [True, False])
def test_clearing_known_ring(netted):
    known = ORACLES["clearing_ring"]
    assets, outside = known["external_assets"], known["external_liabilities"]
    if netted:
        model = Clearing(external_assets={id: assets[id] - outside[id] for id in assets})
    else:
        model = Clearing(external_assets=assets, external_liabilities=outside, seniority="external_first")
    model.fit(graph_of(known["debts"]))
    assert model.payments_.to_dict() == pytest.approx(known["payments"], abs=1e-9)
    assert model.equity_.to_dict() == pytest.approx(known["equity"], abs=1e-9)
    assert model.defaults_.tolist() == known["defaults"]
    assert model.scores_.to_dict() == pytest.approx({"b1": 0.25, "b2": 0, "b3": 0}, abs=1e-9)


def test_seniority_of_outsiders_matters():
    graph = graph_of([("a", "b", 10)])
    given = {"external_assets": {"a": 12}, "external_liabilities": {"a": 10}}
    equal = Clearing(**given).fit(graph)
    first = Clearing(**given, seniority="external_first").fit(graph)
    assert equal.payments_["a"] == pytest.approx(6)
    assert equal.scores_["a"] == pytest.approx(0.4)
    assert first.payments_["a"] == pytest.approx(2)
    assert first.scores_["a"] == pytest.approx(0.8)


def random_network(seed):
    """Dense network of debts; some debtors owe outsiders, some have nothing, a few less than nothing."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    owed = rng.integers(0, 10, (n, n)) * (rng.random((n, n)) < 0.5).astype(float)
    np.fill_diagonal(owed, 0)
    outside = rng.integers(0, 8, n) * (rng.random(n) < 0.7)
    total = owed.sum(axis=1) + rng.integers(0, 5, n) * (rng.random(n) < 0.3)
    parts = np.divide(owed, total[:, None], out=np.zeros((n, n)), where=total[:, None] > 0)
    return n, owed, outside.astype(float), total, parts


def test_clearing_equals_a_linear_programme_and_rounds_from_above():
    from scipy.sparse import csr_array

    for seed in range(200):
        n, _, outside, total, parts = random_network(seed)
        ours = clear(csr_array(parts), total, outside)
        # the greatest vector within the means maximises any increasing sum
        found = linprog(
            -np.ones(n), A_ub=np.eye(n) - parts.T, b_ub=outside, bounds=list(zip(np.zeros(n), total, strict=True))
        )
        assert found.status == 0
        assert ours == pytest.approx(found.x, abs=1e-7)
        p = total.copy()
        for _ in range(2_000):
            p = np.minimum(total, outside + parts.T @ p)
        assert ours == pytest.approx(p, abs=1e-6)


def test_clearing_with_less_than_nothing_equals_rounds_from_above():
    from scipy.sparse import csr_array

    for seed in range(100):
        _, _, outside, total, parts = random_network(seed)
        outside = outside - 2
        p = total.copy()
        for _ in range(2_000):
            p = np.clip(outside + parts.T @ p, 0, total)
        assert clear(csr_array(parts), total, outside) == pytest.approx(p, abs=1e-6)


def test_clearing_is_exact_where_rounds_would_take_for_ever():
    from scipy.sparse import csr_array

    # nearly all that a and b pay comes back to them; c pays nothing, having less than nothing
    leak = 1e-8
    parts = np.array([[0, 1 - leak, 0], [1 - leak, 0, 0], [1, 0, 0]])
    paid = clear(csr_array(parts), np.array([100.0, 100.0, 10.0]), np.array([0.0, 5e-7, -5.0]))
    b = 5e-7 / (1 - (1 - leak) ** 2)
    assert paid == pytest.approx([(1 - leak) * b, b, 0], rel=1e-6)


def test_a_ring_without_anything_outside_clears_itself():
    ring = [("a", "b", 2), ("b", "c", 1), ("c", "a", 2)]
    model = Clearing(external_assets=dict.fromkeys("abc", 0.0)).fit(graph_of(ring))
    # the greatest of the many payments that obey the rule: one goes round
    assert model.payments_.to_dict() == pytest.approx({"a": 1, "b": 1, "c": 1})
    assert model.defaults_.tolist() == ["a", "c"]


def test_clearing_conserves_money():
    for seed in range(30):
        graph, _, ids, rng = random_debts(seed)
        assets = {id: float(rng.integers(0, 12)) for id in ids}
        model = Clearing(external_assets=assets).fit(graph)
        # what is not lost to creditors is still there: equity of all is what came in from outside less what is missing
        owed = graph.relations.groupby("target")["amount"].sum()
        missing = (owed - model.payments_[owed.index]).sum()
        assert model.equity_.sum() == pytest.approx(sum(assets.values()) - missing)
        assert model.scores_.between(0, 1).all()
        assert set(model.defaults_) == set(model.scores_.index[model.scores_ > 0])


def test_seeds_lose_their_external_assets():
    graph = graph_of([("a", "b", 10), ("b", "c", 10)])
    model = Clearing(external_assets={"a": 20, "b": 4})
    assert model.fit(graph).defaults_.empty
    assert model.fit(graph, {"a": 0.75}).payments_.to_dict() == {"a": 5, "b": 9, "c": 0}
    failed = model.fit(graph, ["a"])
    assert failed.payments_.to_dict() == {"a": 0, "b": 4, "c": 0}
    frame = failed.explain("b")
    assert frame["path"].tolist() == [("a", "b")]
    assert frame["weight"].tolist() == pytest.approx([0.6])
    assert failed.explain("c").empty


def test_guarantees_are_called_by_what_is_missing():
    graph = graph_of([("firm", "bank", 10)], guarantees=[("mother", "firm", 8), ("aunt", "firm", 24)])
    model = Clearing(external_assets={"firm": 2, "mother": 1, "aunt": 50}).fit(graph)
    # 8 are missing: a quarter is called from the mother, who has half of it
    assert model.calls_.to_dict("list") == {
        "guarantor": ["mother", "aunt"],
        "debtor": ["firm", "firm"],
        "called": [2.0, 6.0],
        "paid": [1.0, 6.0],
    }
    assert model.equity_.to_dict() == pytest.approx({"aunt": 44, "bank": 9, "firm": -8, "mother": -1})
    assert model.scores_.to_dict() == pytest.approx({"aunt": 0, "bank": 0, "firm": 0.8, "mother": 0.5})
    assert model.defaults_.tolist() == ["firm", "mother"]
    assert model.explain("mother")["path"].tolist() == [("firm", "mother")]


def test_a_guarantor_pays_the_creditors_on_record_not_outsiders():
    graph = graph_of([("firm", "bank", 10)], guarantees=[("mother", "firm", 8)])
    model = Clearing(external_assets={"firm": 10, "mother": 50}, external_liabilities={"firm": 10}).fit(graph)
    # half of 10 is left for the bank, the mother adds the other half
    assert model.payments_["firm"] == pytest.approx(5)
    assert model.calls_["paid"].tolist() == pytest.approx([5])
    assert model.equity_.to_dict() == pytest.approx({"bank": 10, "firm": -10, "mother": 45})


def test_guarantees_that_are_not_called_change_nothing():
    debts = [("a", "b", 4), ("b", "c", 3)]
    assets = {"a": 4, "b": 0, "c": 9}
    plain = Clearing(external_assets=assets).fit(graph_of(debts))
    covered = Clearing(external_assets=assets).fit(graph_of(debts, guarantees=[("c", "a", 100)]))
    assert covered.payments_.equals(plain.payments_)
    assert covered.calls_.empty


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_guarantees_obey_their_rule_and_help_creditors(seed):
    rng = np.random.default_rng(seed)
    n = 6
    ids = [f"b{i}" for i in range(n)]
    debts = [(f"b{a}", f"b{b}", float(rng.integers(1, 10))) for a, b in rng.integers(0, n, (9, 2)) if a != b]
    promises = [(f"b{a}", f"b{b}", float(rng.integers(1, 6))) for a, b in rng.integers(0, n, (4, 2)) if a != b]
    assets = {id: float(rng.integers(0, 8)) for id in ids}
    graph = graph_of(debts, promises, ids=ids)
    model = Clearing(external_assets=assets).fit(graph)
    owed = pd.Series(0.0, index=graph.ids)
    for debtor, _, amount in debts:
        owed[debtor] += amount
    had, must = pd.Series(assets)[graph.ids], owed.copy()
    calls = model.calls_
    for debtor, creditor, amount in debts:
        stood_in = calls.loc[calls["debtor"] == debtor, "paid"].sum()
        had[creditor] += (model.payments_[debtor] + stood_in) * amount / owed[debtor]
    for guarantor, called in zip(calls["guarantor"], calls["called"], strict=True):
        must[guarantor] += called
    for debtor in graph.ids:
        promised = sum(amount for _, d, amount in promises if d == debtor)
        missing = owed[debtor] - model.payments_[debtor]
        called = calls.loc[calls["debtor"] == debtor, "called"].sum()
        assert called == pytest.approx(min(promised, missing), abs=1e-9)
    fraction = (had / must).where(must > 0, 1.0).clip(0, 1)
    assert model.scores_.to_dict() == pytest.approx((1 - fraction).to_dict(), abs=1e-9)


def test_facts_give_external_assets():
    facts = pd.DataFrame({"entity": ["a", "b"], "fact": "external_assets", "value": [6.0, 1.0]})
    model = Clearing().fit(graph_of([("a", "b", 10), ("b", "c", 8)], facts=facts))
    assert model.payments_.to_dict() == {"a": 6, "b": 7, "c": 0}
    assert model.report(lang="en")["entity"].tolist() == ["a", "b"]


def test_the_unit_of_money_does_not_matter():
    """In hundredths all is as before: losses, where they begin, their paths and the relations along them."""
    debts, guarantees = [("a", "b", 10), ("b", "c", 8), ("a", "c", 4), ("c", "e", 30)], [("d", "b", 5)]
    assets = {"a": 6, "b": 1, "c": 9, "d": 2}
    found = []
    for unit in (1, 0.01):
        scaled = ([(*ends, unit * amount) for *ends, amount in rows] for rows in (debts, guarantees))
        model = Clearing(external_assets={id: unit * amount for id, amount in assets.items()}).fit(graph_of(*scaled))
        found.append((model.scores_, model.explain("c").drop(columns="text")))
    pd.testing.assert_series_equal(found[0][0], found[1][0])
    pd.testing.assert_frame_equal(found[0][1], found[1][1])
    assert len(found[0][1]) > 1


@pytest.mark.parametrize(
    ("debts", "guarantees", "liabilities"),
    [([("b", "c", 0.5)], [], {}), ([], [("b", "a", 0.5)], {}), ([], [], {"b": 0.5})],
)
def test_who_owes_or_guarantees_however_little_must_have_known_assets(debts, guarantees, liabilities):
    graph = graph_of(debts, guarantees, ids=["a", "b", "c"])
    with pytest.raises(rg.InvalidParameter, match=r"'external_assets' must be known of everyone .* of 1: b"):
        Clearing(external_assets={"a": 1.0, "c": 1.0}, external_liabilities=liabilities).fit(graph)


def test_missing_external_assets_and_amounts_are_errors():
    graph = graph_of([("a", "b", 10), ("b", "c", 8)])
    with pytest.raises(rg.InvalidParameter, match=r"'external_assets' must be known of everyone .* of 1: b"):
        Clearing(external_assets={"a": 3}).fit(graph)
    unknown = graph_of([("a", "b", None), ("b", "c", 8)])
    text = r"'graph' must have an amount on every relation of kind lends.*1 have none: r0"
    with pytest.raises(rg.InvalidParameter, match=text):
        Clearing(external_assets={"a": 3, "b": 3}).fit(unknown)
    with pytest.raises(rg.InvalidParameter, match=text):
        DebtRank(equity={"b": 3, "c": 3}).fit(unknown, ["a"])


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (DebtRank(version="2020"), r"'version' must be '2012' or '2015'; got '2020'"),
        (DebtRank(version=2015), r"'version' must be '2012' or '2015'; got 2015"),
        (DebtRank(missing="zero"), r"'missing' must be 'raise' or 'exclude'; got 'zero'"),
        (DebtRank(equity=5), r"'equity' must be None or a mapping of id to number; got int"),
        (DebtRank(equity={"b": "many"}), r"'equity' must hold finite numbers; got 'many' for 'b'"),
        (Clearing(seniority="first"), r"'seniority' must be 'proportional' or 'external_first'; got 'first'"),
        (Clearing(external_liabilities={"a": -1}), r"'external_liabilities' must hold .* of 0 or more; got -1 for 'a'"),
        (Clearing(external_assets={"a": np.nan}), r"'external_assets' must hold finite numbers; got nan for 'a'"),
    ],
)
def test_says_which_parameter_is_wrong(model, text):
    with pytest.raises(rg.InvalidParameter, match=text):
        model.fit(graph_of([("a", "b", 10)]), ["a"])


def test_a_graph_without_debts_has_neither_stress_nor_defaults():
    graph = rg.datasets.toy_banned_platform()
    assert DebtRank().fit(graph).scores_.to_dict() == {id: float(id == "Platform") for id in graph.ids}
    clearing = Clearing().fit(graph)
    assert (clearing.scores_ == 0).all()
    assert clearing.defaults_.empty
