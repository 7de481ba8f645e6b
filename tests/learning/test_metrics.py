"""Metrics: against brute force and scikit-learn, with ties shared and intervals that respect groups."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import riskgraph as rg
from riskgraph.learning import metrics


def test_auc_is_the_chance_of_a_pair():
    rng = np.random.default_rng(3)
    y, s = rng.integers(0, 2, 40), rng.integers(0, 6, 40)
    pairs = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(s[y == 1], s[y == 0])]
    assert metrics.roc_auc(y, s) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_precision_is_the_mean_over_random_orders_of_ties(k):
    y, s = np.array([1, 0, 1, 0, 0]), np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    found = []
    for order in itertools.permutations(range(5)):
        ranked = sorted(order, key=lambda i: -s[i])
        found.append(y[ranked[:k]].mean())
    assert metrics.precision_at(y, s, k) == pytest.approx(np.mean(found))


def test_constant_score_earns_the_base_rate():
    y = np.array([1, 0, 0, 0])
    assert metrics.roc_auc(y, np.ones(4)) == 0.5
    assert metrics.average_precision(y, np.ones(4)) == 0.25
    assert metrics.lift(y, np.ones(4), 2) == 1


def test_one_class_is_not_a_number_with_a_reason():
    assert np.isnan(metrics.roc_auc([0, 0], [0.1, 0.2]))
    assert metrics.why_undefined([0, 0]) == "no entity enters a case"
    assert metrics.why_undefined([1, 1]) == "every entity enters a case"
    assert metrics.why_undefined([]) == "nobody is scored"
    assert metrics.why_undefined([0, 1]) == ""
    assert np.isnan(metrics.lift([0, 0], [0.1, 0.2], 1))
    assert np.isnan(metrics.bootstrap_interval(metrics.roc_auc, [0, 0], [0.1, 0.2])).all()


def test_interval_covers_and_widens_with_groups():
    rng = np.random.default_rng(0)
    covered, n = 0, 60
    for seed in range(40):
        y = rng.integers(0, 2, n)
        s = rng.normal(size=n)
        low, high = metrics.bootstrap_interval(metrics.roc_auc, y, s, n_samples=100, random_state=seed)
        covered += low <= 0.5 <= high
    assert 33 <= covered <= 40
    y = np.repeat(rng.integers(0, 2, 15), 8)
    s = np.repeat(rng.normal(size=15), 8) + y
    alone = metrics.bootstrap_interval(metrics.roc_auc, y, s)
    together = metrics.bootstrap_interval(metrics.roc_auc, y, s, np.arange(120) // 8)
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])


def test_calibration_and_brier():
    p = np.repeat([0.1, 0.7], 10)
    y = np.r_[[1] + [0] * 9, [1] * 7 + [0] * 3]
    table = metrics.calibration(y, p, bins=2)
    np.testing.assert_allclose(table["probability"], table["share"])
    assert table["count"].tolist() == [10, 10]
    assert metrics.brier(y, p) == pytest.approx((10 * 0.09 + 10 * 0.21) / 20)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: metrics.roc_auc([0, 1], [0.1]), "must be of one length"),
        (lambda: metrics.roc_auc([0, 2], [0.1, 0.2]), "0 and 1 only"),
        (lambda: metrics.roc_auc([0, 1], [0.1, np.nan]), "1 of 2 are missing"),
        (lambda: metrics.precision_at([0, 1], [0.1, 0.2], 0), "'k' must be a whole number, 1 or more; got 0"),
        (lambda: metrics.calibration([0, 1], [0.1, 0.2], bins=0), "'bins' must be"),
        (lambda: metrics.bootstrap_interval(metrics.roc_auc, [0, 1], [0.1, 0.2], level=2), "'level' must be in"),
        (lambda: metrics.bootstrap_interval(metrics.roc_auc, [0, 1], [0.1, 0.2], n_samples=0), "'n_samples' must be"),
        (
            lambda: metrics.bootstrap_interval(metrics.roc_auc, [0, 1], [0.1, 0.2], ["a"]),
            "one group an entity, 2; got 1",
        ),
    ],
)
def test_rules(call, text):
    with pytest.raises(rg.InvalidParameter, match=text):
        call()
