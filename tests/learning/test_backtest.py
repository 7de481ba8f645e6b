"""Backtests: labels by hand, no look ahead, chance on shuffled labels, the same call the same frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

import riskgraph as rg
from riskgraph.learning import (
    Backtest,
    GraphFeatures,
    backtest,
    baseline,
    entity_groups,
    figures,
    future_cases,
    model_card,
)
from riskgraph.learning.backtest import _deal

CUTOFFS = ["2016-03-31", "2016-06-30"]


def test_labels_by_hand(small):
    found = future_cases(small, "2016-05-01")
    assert found.to_dict("list")["entity"] == ["B", "C"]  # A is under a case, D does not yet exist
    assert found["label"].tolist() == [1, 0]
    assert found["entered"].tolist() == [pd.Timestamp("2016-05-10"), pd.NaT]
    assert future_cases(small, "2016-05-01", horizon="8D")["label"].sum() == 0
    assert future_cases(small, "2016-05-01", horizon="9D")["label"].sum() == 1
    assert future_cases(small, "2016-05-01", known="2016-06-19")["label"].sum() == 0
    assert future_cases(small, "2016-05-10")["entity"].tolist() == ["C"]
    assert future_cases(small, "2017-02-01")["entity"].tolist() == ["D"]
    assert future_cases(small, "2016-05-01", kinds=["person"])["entity"].tolist() == ["p"]
    with pytest.raises(rg.InvalidParameter, match="'kinds' must name entity kinds"):
        future_cases(small, "2016-05-01", kinds="firm")
    with pytest.raises(rg.InvalidParameter, match="'horizon' must be at least one day"):
        future_cases(small, "2016-05-01", horizon="1h")


class Watcher(ClassifierMixin, BaseEstimator):
    """Remembers what it was trained and asked on."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        Watcher.seen.append(("fit", X, y))
        return self

    def decision_function(self, X):
        Watcher.seen.append(("ask", X, None))
        return X["registry_age"].fillna(0).to_numpy()


def test_training_ends_before_the_test(county):
    Watcher.seen.clear()
    result = backtest(county, Watcher(), "2016-06-30", families=["registry"], n_training=2, folds=1, n_bootstrap=5)
    fit = [item for item in Watcher.seen if item[0] == "fit"]
    asked = [item for item in Watcher.seen if item[0] == "ask"]
    assert len(fit) == 1
    days = ["2015-07-06", "2016-01-02"]
    expected = [future_cases(county, day, known="2016-06-30") for day in days]
    assert fit[0][2].tolist() == np.concatenate([frame["label"] for frame in expected]).tolist()
    ages = [GraphFeatures(county, at=day, families=["registry"]).fit_transform(frame["entity"])["registry_age"]
            for day, frame in zip(days, expected, strict=True)]  # fmt: skip
    np.testing.assert_array_equal(fit[0][1]["registry_age"], np.concatenate(ages))
    assert len(asked[0][1]) == result.loc[0, "n_entities"]
    assert result.run.training.loc[0, "days"] == 2


def test_nobody_is_scored_by_a_model_that_saw_its_group(county):
    result = backtest(county, DummyClassifier(), CUTOFFS[:1], families=["registry"], folds=3, n_bootstrap=5)
    scores = result.run.scores
    groups = entity_groups(county.at("2016-03-31", known="2016-03-31"))
    assert (groups.reindex(scores["entity"]).to_numpy() == scores["group"].to_numpy()).all()
    fold = _deal(np.array(list("aaabbcdefgh"), dtype=object), 3, 0)
    for letter in "ab":
        assert len(set(fold[np.array(list("aaabbcdefgh")) == letter])) == 1
    assert np.bincount(fold).max() <= 5


@pytest.mark.parametrize("name", ["logistic", "propagation"])
def test_finite_and_the_same_twice(county, name):
    first, second = (
        backtest(county, name, CUTOFFS[1:], families=["risk", "officer", "registry"], n_training=2, n_bootstrap=20)
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    pd.testing.assert_frame_equal(first.run.scores, second.run.scores, check_exact=True)
    for figure in ("roc_auc", "average_precision", "precision_at_k", "lift", "precision_at_capacity"):
        low, value, high = (first.loc[0, f"{figure}{end}"] for end in ("_low", "", "_high"))
        assert np.isfinite([low, value, high]).all()
        assert low <= high
    assert first.loc[0, "n_labels"] == first.run.scores["label"].sum()
    assert first.loc[0, "lift"] == pytest.approx(first.loc[0, "precision_at_k"] / first.loc[0, "base_rate"])
    assert first.loc[0, "capacity"] == int(np.ceil(first.loc[0, "n_entities"] * 0.05))
    assert 0 <= first.loc[0, "brier"] <= 1


def test_shuffled_labels_give_chance():
    """Cases dealt at random over the firms of a registry: every model's AUC is 1/2 within its interval."""
    tables = rg.datasets.make_registry(1_500, random_state=5, as_tables=True)
    firms = tables["entities"]
    firms = firms[(firms["kind"] == "company") & (firms["start"] < pd.Timestamp("2013-01-01")) & firms["end"].isna()]
    rng = np.random.default_rng(11)
    inside, values = 0, []
    chosen = rng.choice(firms["id"].to_numpy(), 400, replace=False)
    days = pd.Timestamp("2014-01-01") + pd.to_timedelta(rng.integers(0, 1_200, 400), unit="D")
    tables["cases"] = pd.DataFrame({"entity": chosen, "type": "banned", "start": days})
    graph = rg.EntityGraph.from_tables(**tables)
    for name in ("logistic", rg.risk.RiskCascade(max_hops=2)):
        more = {} if not isinstance(name, str) else {"families": ["ownership", "officer", "group"]}
        found = backtest(graph, name, ["2015-12-31", "2016-06-30"], n_training=2, n_bootstrap=100, level=0.99, **more)
        assert (found["n_labels"] > 30).all()
        values += found["roc_auc"].tolist()
        inside += int(((found["roc_auc_low"] <= 0.5) & (found["roc_auc_high"] >= 0.5)).sum())
    assert inside == 4
    assert abs(np.mean(values) - 0.5) < 0.06


def test_planted_signal_is_found():
    """Cases among the firms of persons who already have one: the learnt model ranks them first."""
    n = 240
    ids = [f"C{i:03d}" for i in range(n)]
    owners = [f"p{i // 2:03d}" for i in range(n)]
    entities = pd.DataFrame(
        {"id": [*ids, *sorted(set(owners))], "kind": ["company"] * n + ["person"] * (n // 2), "start": "2010-01-01"}
    )
    relations = pd.DataFrame({"source": owners, "target": ids, "kind": "owns", "share": 1.0, "start": "2010-01-01"})
    bad = np.arange(0, n, 8)
    first = pd.Timestamp("2013-06-01") + pd.to_timedelta(np.arange(bad.size) * 35, unit="D")
    cases = pd.DataFrame(
        {"entity": [ids[i] for i in bad] + [ids[i + 1] for i in bad], "type": "banned",
         "start": [*first, *(first + pd.Timedelta("100D"))]}
    )  # fmt: skip
    graph = rg.EntityGraph.from_tables(entities, relations, cases)
    found = backtest(
        graph, "logistic", ["2015-06-30"], "120D", families=["risk", "group"], n_training=4, n_bootstrap=20
    )
    assert found.loc[0, "roc_auc"] > 0.7
    assert found.loc[0, "lift"] > 3


def test_features_of_a_later_day_are_refused(county):
    late = Pipeline([("features", GraphFeatures(county, at="2016-12-31")), ("model", baseline("logistic"))])
    with pytest.raises(rg.LeakageError, match="the features are as of 2016-12-31, after the cutoff 2016-03-31"):
        backtest(county, late, CUTOFFS)


def test_no_case_in_sight_is_said(county):
    found = backtest(county, "logistic", "2010-06-30", families=["registry"], n_bootstrap=5)
    assert np.isnan(found.loc[0, "roc_auc"])
    assert found.loc[0, "reason"].startswith("nothing to learn from: no entity enters a case")
    spread = backtest(county, rg.risk.RiskCascade(), "2010-06-30", n_bootstrap=5)
    assert spread.loc[0, "reason"] == "no entity enters a case"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"estimator": "forest"}, "'estimator' must be a classifier, a propagation or one of logistic"),
        ({"estimator": object()}, "got object"),
        ({"cutoffs": []}, "'cutoffs' must hold at least one day"),
        ({"cutoffs": "2030-01-01"}, "must not lie after 2017-01-11"),
        ({"horizon": "soon"}, "'horizon' must be a length of time"),
        ({"k": 0}, "'k' must be a whole number"),
        ({"capacity": 0}, "'capacity' must be above 0"),
        ({"groups": "name"}, "'by' must be 'control'"),
    ],
)
def test_rules(county, arguments, text):
    with pytest.raises(rg.InvalidParameter, match=text):
        backtest(county, **{"estimator": "logistic", "cutoffs": "2016-06-30", **arguments})


def test_card_is_written_from_the_run(county):
    result = backtest(county, "propagation", CUTOFFS, families=["risk"], n_bootstrap=20)
    assert isinstance(result, Backtest)
    card = model_card(result)
    assert card == model_card(result)
    assert f"{int(result['n_entities'].sum()):,} scored, {int(result['n_labels'].sum())} of them" in card
    assert figures(result).loc[0, "ROC AUC"] in card
    assert "## Probabilities against outcomes" in card
    assert f"only {int(result['n_labels'].min())} cases" in card
    with pytest.raises(rg.InvalidParameter, match="'result' must be what backtest returned"):
        model_card(result[["cutoff", "roc_auc"]])


def test_unfinished_horizon_is_marked(county):
    result = backtest(county, rg.risk.RiskCascade(), "2016-12-31", n_bootstrap=5)
    assert not result.loc[0, "complete"]
    assert "horizon not yet over" in figures(result).loc[0, "note"]
