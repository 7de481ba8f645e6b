"""What every propagation promises: parameters, seeds, scores, explanations, reports."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import riskgraph as rg
from riskgraph.risk import METHODS, Propagation, RiskCascade
from riskgraph.risk.base import resolve_seeds


@pytest.fixture(scope="module")
def graph():
    return rg.datasets.toy_banned_platform()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method(graph, method):
    model = rg.propagate(graph, method=method)
    assert isinstance(model, METHODS[method])
    assert model.scores_.name == "risk"
    assert model.scores_.index.tolist() == graph.ids.tolist()
    assert ((model.scores_ >= 0) & (model.scores_ <= 1 + 1e-12)).all()
    paths = model.explain("Platform")
    assert paths.columns[0] == "rank"
    assert paths.columns[1] in ("probability", "weight")
    assert paths.columns[2:5].tolist() == ["path", "relations", "text"]
    report = model.report_
    assert report.columns[:5].tolist() == ["entity", "name", "kind", "rank", "risk"]
    assert report["risk"].is_monotonic_decreasing
    assert set(report["entity"]) == set(model.scores_.index[model.scores_ > 0])


@pytest.mark.parametrize("kind", sorted(METHODS.values(), key=lambda kind: kind.__name__))
def test_parameters_stay_as_given(kind):
    for name in kind._get_param_names():
        odd = object()
        model = kind(**{name: odd})
        assert getattr(model, name) is odd
        assert clone(kind()).get_params() == kind().get_params()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_no_seed_is_no_risk(graph, method):
    model = rg.propagate(graph, [], method=method)
    # where nothing is labelled, a harmonic function is any constant: unknown, not zero
    assert model.scores_.isna().all() if method == "harmonic" else (model.scores_ == 0).all()
    assert len(model.report_) == 0


def test_clone_of_a_fitted_cascade_is_not_fitted(graph):
    model = RiskCascade(max_hops=1).fit(graph)
    other = clone(model)
    assert other.get_params() == model.get_params()
    with pytest.raises(rg.RiskGraphError, match=r"this RiskCascade is not fitted yet; call fit\(graph\) first"):
        other.explain("Rita")


def test_fit_again_replaces_everything(graph):
    model = RiskCascade().fit(graph)
    assert len(model.report_) == 9
    model.fit(graph, ["Bakery"])
    assert model.seeds_.to_dict() == {"Bakery": 1.0}
    assert model.report_["seed"].unique().tolist() == ["Bakery"]


def test_forms_of_seeds(graph):
    fit = lambda seeds: RiskCascade().fit(graph, seeds).scores_  # noqa: E731
    one = fit({"Rita": 1.0})
    for same in ("Rita", ["Rita"], ("Rita", "Rita"), pd.Series({"Rita": 1.0}), pd.Index(["Rita"])):
        pd.testing.assert_series_equal(fit(same), one)
    pd.testing.assert_series_equal(fit(None), fit(["Platform"]))


@pytest.mark.parametrize("weight", [1.5, -0.1, float("nan"), "much", None])
def test_bad_weights(graph, weight):
    with pytest.raises(rg.InvalidParameter, match=r"'seeds' must have weights in \[0, 1\]; got .* for 'Rita'"):
        RiskCascade().fit(graph, {"Rita": weight})


def test_unknown_seed_and_entity(graph):
    with pytest.raises(rg.UnknownEntity, match="no entity 'Ritta'; near ids: Rita"):
        RiskCascade().fit(graph, ["Ritta"])
    with pytest.raises(rg.UnknownEntity):
        RiskCascade().fit(graph).explain("nobody")
    with pytest.raises(rg.InvalidParameter, match="'seeds' must be None, ids or a mapping of id to weight; got 7"):
        RiskCascade().fit(graph, 7)


def test_weights_above_one_where_a_method_allows_them(graph):
    codes, weights = resolve_seeds(graph, {"Rita": 3.0, "Hank": 1.0}, most=None)
    assert graph.ids[codes].tolist() == ["Rita", "Hank"]
    assert weights.tolist() == [3.0, 1.0]


def test_not_a_graph():
    with pytest.raises(rg.InvalidParameter, match="'graph' must be an EntityGraph; got DataFrame"):
        RiskCascade().fit(pd.DataFrame())


@pytest.mark.parametrize(
    ("parameter", "value", "rule"),
    [
        ("estimate", "guess", "'estimate' must be 'upper', 'exact' or 'monte_carlo'; got 'guess'"),
        ("hubs", "remove", "'hubs' must be None, 'damp' or 'ignore'; got 'remove'"),
        ("ties", "ever", "'ties' must be 'current' or 'at_case'; got 'ever'"),
        ("max_hops", 0, "'max_hops' must be a whole number, 1 or more; got 0"),
        ("max_hops", 2.5, "'max_hops' must be a whole number, 1 or more; got 2.5"),
        ("n_samples", True, "'n_samples' must be a whole number, 1 or more; got True"),
        ("random_state", -1, "'random_state' must be a whole number, 0 or more; got -1"),
        ("tol", 0, "'tol' must be a number above 0; got 0"),
        ("case_half_life", -2, "'case_half_life' must be a number above 0; got -2"),
        ("relation_half_life", float("inf"), "'relation_half_life' must be a number above 0; got inf"),
    ],
)
def test_bad_parameters_are_found_in_fit(graph, parameter, value, rule):
    model = RiskCascade(**{parameter: value})
    with pytest.raises(rg.InvalidParameter) as caught:
        model.fit(graph)
    assert str(caught.value) == rule


def test_bad_method_and_parameter_of_propagate(graph):
    with pytest.raises(rg.InvalidParameter, match=r"'method' must be one of cascade, threshold, .*; got 'magic'"):
        rg.propagate(graph, method="magic")
    with pytest.raises(rg.InvalidParameter, match="RiskCascade has no parameter 'damping'; it has case_half_life"):
        rg.propagate(graph, damping=0.85)


def test_report_in_two_languages(graph):
    model = RiskCascade().fit(graph)
    chinese, english = model.report(n=9), model.report(lang="en", n=9)
    assert english.columns.tolist() == [
        "entity", "name", "kind", "rank", "risk", "lower", "upper", "seed", "hops", "path", "reasons",
    ]  # fmt: skip
    row = english.set_index("entity").loc["Dairy"]
    assert (row["seed"], row["hops"], row["reasons"]) == ("Platform", 2, "owns:backward>owns:forward")
    assert row["path"] == "Platform ←owns— Hank —owns→ Dairy"
    assert chinese.set_index("entity").loc["Dairy", "path"] == "Platform ←持股— Hank —持股→ Dairy"
    assert english.iloc[0][["entity", "hops", "reasons"]].tolist() == ["Platform", 0, "seed"]
    with pytest.raises(rg.InvalidParameter, match="'lang' must be 'zh' or 'en'; got 'fr'"):
        model.report(lang="fr")


@pytest.mark.parametrize("model", [RiskCascade(), rg.risk.HarmonicLabels()], ids=lambda model: type(model).__name__)
def test_a_short_report_is_the_top_of_the_long_one(graph, model):
    """Whoever ties with the last one named, whoever has no risk, and whoever is unknown."""
    seeds = {"Platform": 1.0, "Rita": 1.0, "Bakery": 0.0}
    whole = model.fit(graph, seeds).report()
    assert whole["risk"].duplicated().any()
    for n in range(1, len(whole) + 3):
        pd.testing.assert_frame_equal(model.report(n=n), whole.head(n))


def test_report_frame_is_a_copy(graph):
    model = RiskCascade().fit(graph)
    first = model.report_
    first["risk"] = 0.0
    assert model.report_["risk"].iloc[0] == 1.0


def test_a_subclass_needs_only_to_spread(graph):
    class Everyone(Propagation):
        def _spread(self, graph, codes, weights):
            return np.full(len(graph), 0.5)

        def _find(self, code, k):
            return []

    model = Everyone().fit(graph)
    assert (model.scores_ == 0.5).all()
    assert model.explain("Rita").columns.tolist() == ["rank", "probability", "path", "relations", "text"]


def test_empty_graph():
    entities = pd.DataFrame({"id": ["a"], "kind": ["company"]})
    relations = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)
    graph = rg.EntityGraph.from_tables(entities, relations)
    for estimate in ("upper", "exact", "monte_carlo"):
        model = RiskCascade(estimate=estimate).fit(graph, {"a": 0.3})
        assert model.scores_.to_dict() == pytest.approx({"a": 0.3}, abs=0.05 if estimate == "monte_carlo" else 1e-15)
        assert model.bounds_.loc["a"].tolist() == pytest.approx([0.3, 0.3])
