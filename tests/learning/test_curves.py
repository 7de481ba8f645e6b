"""Curves and reliability: agreed with scikit-learn, with the figures of the backtest, and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

import riskgraph as rg
from riskgraph.learning import metrics, model_card, ranking_curve, reliability


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40))
def test_curve_is_scikit_learns(rows):
    label, score = np.array([row[0] for row in rows], dtype=int), np.array([row[1] for row in rows], dtype=float)
    curve = ranking_curve(label, score)
    if np.unique(label).size < 2:
        assert curve.empty
        return
    false, true, _ = roc_curve(label, score, drop_intermediate=False)
    np.testing.assert_allclose(curve["false_alarms"], false)
    np.testing.assert_allclose(curve["found"], true)
    precision, recall, _ = precision_recall_curve(label, score)
    np.testing.assert_allclose(curve["precision"][1:], precision[:-1][::-1])
    np.testing.assert_allclose(curve["found"][1:], recall[:-1][::-1])
    area = np.trapezoid(curve["found"], curve["false_alarms"])
    assert area == pytest.approx(roc_auc_score(label, score))
    for k in range(1, len(rows) + 1):
        # between two rows a tie is shared: the straight line between them
        found = np.interp(k / len(rows), curve["inspected"], curve["found"]) * label.sum() / k
        assert found == pytest.approx(metrics.precision_at(label, score, k))


def test_long_curves_are_thinned_but_keep_their_ends():
    rng = np.random.default_rng(0)
    score = rng.random(5_000)
    label = (rng.random(5_000) < score).astype(int)
    curve = ranking_curve(label, score)
    assert len(curve) <= 300
    assert curve["inspected"].iloc[[0, -1]].tolist() == [0.0, 1.0]
    assert np.trapezoid(curve["found"], curve["false_alarms"]) == pytest.approx(roc_auc_score(label, score), abs=2e-3)


def test_reliability_holds_the_truth_of_honest_probabilities():
    graph = rg.datasets.load_county().graph
    result = rg.learning.backtest(graph, rg.risk.RiskCascade(), ["2016-03-31", "2016-06-30"], n_bootstrap=200)
    rng = np.random.default_rng(3)
    chance = rng.choice([0.1, 0.3, 0.5, 0.7], 2_000)
    result.run.scores = pd.DataFrame(
        {
            "cutoff": pd.Timestamp("2016-03-31"),
            "entity": "x",
            "group": np.arange(2_000) // 2,
            "label": (rng.random(2_000) < chance).astype(int),
            "score": chance,
            "probability": chance,
        }
    )
    result.run.level, result.run.n_bootstrap = 0.99, 1_000
    table = reliability(result, bins=4)
    assert table["count"].sum() == 2_000
    np.testing.assert_allclose(table["probability"], [0.1, 0.3, 0.5, 0.7])
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()
    assert ((table["low"] <= table["probability"]) & (table["probability"] <= table["high"])).all()
    # about the width of a binomial interval
    width = 2 * 2.576 * np.sqrt(table["share"] * (1 - table["share"]) / table["count"])
    np.testing.assert_allclose(table["high"] - table["low"], width, rtol=0.35)
    # groups of one outcome count as one: doubling every row does not narrow the interval
    twice = pd.concat([result.run.scores] * 2, ignore_index=True)
    result.run.scores = twice
    doubled = reliability(result, bins=4)
    np.testing.assert_allclose(doubled["high"] - doubled["low"], table["high"] - table["low"], rtol=1e-9)
    result.run.scores = twice.assign(probability=2.0)
    assert reliability(result).empty
    with pytest.raises(rg.InvalidParameter, match="'result' must be what backtest returned"):
        reliability(pd.DataFrame())


def test_card_in_chinese_has_the_same_numbers():
    graph = rg.datasets.load_county().graph
    result = rg.learning.backtest(graph, "propagation", ["2016-03-31", "2016-06-30"], families=["risk"], n_bootstrap=20)
    english, chinese = model_card(result), model_card(result, lang="zh")
    assert "## 局限" in chinese
    for row in result.itertuples():
        assert f"{row.roc_auc:.3f}" in english
        assert f"{row.roc_auc:.3f}" in chinese
    with pytest.raises(rg.InvalidParameter, match="'lang' must be 'zh' or 'en'; got 'de'"):
        model_card(result, lang="de")
