"""Features: what they say, that nothing later moves them, and that scikit-learn takes them as its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import estimator_checks

import riskgraph as rg
from riskgraph.learning import FAMILIES, GraphFeatures, GroupTimeSplit, baseline, entity_groups
from riskgraph.learning._families._chinese import CHINESE
from riskgraph.learning._known import known_graph

DAY = "2016-06-30"
SKLEARN = tuple(int(part) for part in sklearn.__version__.split(".")[:2])


def test_values_by_hand(small):
    X = GraphFeatures(small, at=DAY).fit_transform(["A", "B", "C", "p"])
    assert X.index.tolist() == ["A", "B", "C", "p"]
    assert X["ownership_holders"].tolist() == [1, 0, 1, 0]
    assert X["ownership_holdings"].tolist() == [1, 0, 0, 1]
    assert X.loc["C", "ownership_undeclared"] == pytest.approx(0.6)
    assert X.loc["C", "ownership_traced_persons"] == pytest.approx(0.6 * 0.4)
    assert X["ownership_levels_up"].tolist() == [1, 0, 2, 0]
    assert X.loc["p", "ownership_levels_down"] == 2
    assert np.isnan(X.loc["B", "ownership_undeclared"])
    assert X.loc["A", "control_controllers"] == 1
    assert X.loc["p", "control_controlled"] == 1
    assert X.loc["A", "group_size"] == 2
    assert X["officer_officers"].tolist() == [0, 1, 1, 0]
    assert X.loc["p", "officer_posts"] == 2
    assert X.loc["C", "officer_case_posts"] == 1  # B's case was known on 20 June
    assert X["risk_seeds_hop1"].tolist() == [0, 0, 1, 2]
    assert X["risk_nearness"].tolist() == [1, 1, 0.5, 0.5]
    assert X.loc["C", "risk_near_holders"] == 1
    assert X.loc["C", "registry_fact_loan_balance"] == 5
    assert X.loc["B", "registry_fact_capital_pool"] == 1
    assert X.loc["C", "registry_fact_own_number"] == 3
    assert X.loc["B", "registry_capital"] == pytest.approx(7)
    assert np.isnan(X.loc["C", "registry_capital"])
    assert X.loc["A", "registry_age"] == pytest.approx(2372 / 365.25)
    assert X.loc["p", "change_near_cases"] == 1
    assert not np.isinf(X.to_numpy()).any()


def test_case_counts_from_the_day_it_was_known(small):
    features = GraphFeatures(small, families=["risk"])
    rows = pd.DataFrame({"entity": ["p", "p"], "time": ["2016-06-19", "2016-06-20"]}, index=[7, 9])
    X = features.fit_transform(rows)
    assert X.index.tolist() == [7, 9]
    assert X["risk_seeds_hop1"].tolist() == [1, 2]


def _later(graph: rg.EntityGraph) -> rg.EntityGraph:
    """The same graph with more of everything that became known after the day."""
    tables = graph.tables()
    ids = graph.ids[graph.entities["kind"] == "company"][:40].to_numpy()
    n = ids.size - 1
    late = {"start": "2010-01-01", "known_from": "2016-07-01"}
    base = {"source": ids[:-1], "target": ids[1:], "share_min": 0.9, "share_max": 0.9}
    more = [
        pd.DataFrame({**base, "kind": "owns", "start": "2016-07-01", "id": [f"x{i}" for i in range(n)]}),
        pd.DataFrame(
            {**base, **late, "kind": "owns", "id": [f"y{i}" for i in range(n)]},
        ),
        pd.DataFrame(
            {"source": ids[:-1], "target": ids[1:], "kind": "guarantees", "start": "2015-01-01", "end": "2016-02-01",
             "known_from": "2017-01-01", "id": [f"z{i}" for i in range(n)]}
        ),
    ]  # fmt: skip
    kept = tables["relations"].copy()
    if "id" not in kept or kept["id"].isna().any():
        kept["id"] = [f"r{i}" for i in range(len(kept))]
    late_rows = {
        "cases": {"type": "banned", "start": "2016-01-01", "known_from": "2016-07-01"},
        "licences": {"sector": "bank", "start": "2016-08-01"},
        "facts": {"fact": "loan_balance", "value": 1e9, "start": "2016-07-02"},
    }
    changed = {
        name: pd.concat([tables[name], pd.DataFrame({"entity": ids, "id": [f"n{i}" for i in range(ids.size)], **row})])
        for name, row in late_rows.items()
    }
    plain = [column for column in kept if kept[column].notna().any()]
    relations = pd.concat([kept[plain], *more], ignore_index=True)
    # relations in force on the day have ended since, firms too
    relations["end"] = relations["end"].fillna("2016-12-01") if "end" in relations else "2016-12-01"
    relations.loc[pd.to_datetime(relations["start"]) >= pd.Timestamp("2016-12-01"), "end"] = None
    entities = tables["entities"].copy()
    ended = pd.to_datetime(entities["end"]) if "end" in entities else pd.Series(pd.NaT, index=entities.index)
    born = pd.to_datetime(entities["start"])
    entities["end"] = ended.where(ended.notna() | (born >= "2017-06-01"), pd.Timestamp("2017-06-01"))
    entities["status"] = "struck off"
    return rg.EntityGraph.from_tables(entities, relations, **changed, on_error="quarantine")


def test_nothing_later_has_any_effect(county, companies):
    later = _later(county)
    assert len(later.known("relations")) > len(county.known("relations")) + 100
    then = GraphFeatures(county, at=DAY, catalogue="jiangsu-2016").fit_transform(companies)
    now = GraphFeatures(later, at=DAY, catalogue="jiangsu-2016").fit_transform(companies)
    assert then.shape[1] > 200
    pd.testing.assert_frame_equal(then, now, check_exact=True)
    # the guard is not blind: the next summer the additions show
    after = GraphFeatures(later, at="2016-11-30", families=["ownership"]).fit_transform(companies)
    before = GraphFeatures(county, at="2016-11-30", families=["ownership"]).fit_transform(companies)
    assert not after.equals(before)


def test_future_relation_has_no_effect(small):
    tables = small.tables()
    new = pd.DataFrame({"source": ["B"], "target": ["C"], "kind": ["owns"], "share": [0.5], "start": ["2016-07-01"]})
    more = rg.EntityGraph.from_tables(
        **{**tables, "relations": pd.concat([tables["relations"].drop(columns="id"), new])}
    )
    first, second = (GraphFeatures(graph, at=DAY).fit_transform(["A", "B", "C"]) for graph in (small, more))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_knowledge_of_the_graph_is_kept(small):
    known = small.at("2016-06-30", known="2016-01-01")
    X = GraphFeatures(known, at=DAY, families=["risk"]).fit_transform(["p"])
    assert X.loc["p", "risk_seeds_hop1"] == 1


def test_known_graph_hides_ends_and_status(small):
    seen = known_graph(small, np.datetime64("2016-06-30"))
    assert seen.entities["status"].isna().all()
    assert seen.entities["end"].isna().all()
    assert seen.known("relations")["end"].isna().all()
    assert len(seen.known("relations")) == 4
    assert seen.known("facts")["value"].tolist() == [5.0, True, 3.0]


def test_leakage_is_refused(small):
    rows = pd.DataFrame({"entity": ["A"], "time": ["2016-01-01"]})
    with pytest.raises(rg.LeakageError, match=r"row 0 \('A'\) is dated 2016-01-01, before the day of its features"):
        GraphFeatures(small, at=DAY).fit(rows)
    with pytest.raises(rg.LeakageError, match="the graph shows 2016-01-01 as known on 2016-09-01"):
        GraphFeatures(small.at("2016-01-01", known="2016-09-01")).fit(["A"])
    features = GraphFeatures(small, families=["registry"]).fit(pd.DataFrame({"entity": ["A"], "time": ["2016-06-01"]}))
    with pytest.raises(rg.LeakageError, match="dated 2016-01-01, before all rows of fit"):
        features.transform(rows)


@pytest.mark.parametrize(
    ("X", "text"),
    [
        ([], "at least one row"),
        ([1.5], "ids, which are text; got 1.5"),
        ([["A", "2016-01-01", "x"]], "entity and time; got 1 × 3"),
        (pd.DataFrame({"entity": ["A"], "time": ["someday"]}), "dates only; got 'someday'"),
        ("A", "ids, one a row"),
    ],
)
def test_bad_rows(small, X, text):
    with pytest.raises(rg.InvalidParameter, match=text):
        GraphFeatures(small).fit(X)


def test_unknown_entity_and_bad_parameters(small):
    with pytest.raises(rg.UnknownEntity, match="no entity 'Z'"):
        GraphFeatures(small).fit(["Z"])
    with pytest.raises(rg.InvalidParameter, match="'families' must name some of ownership"):
        GraphFeatures(small, families=["colour"]).fit(["A"])
    with pytest.raises(rg.InvalidParameter, match="only with a 'catalogue'"):
        GraphFeatures(small, families=["screening"]).fit(["A"])
    with pytest.raises(rg.InvalidParameter, match="'at' must be a date"):
        GraphFeatures(small, at="soon").fit(["A"])
    with pytest.raises(rg.InvalidParameter, match="'graph' must be an EntityGraph"):
        GraphFeatures(None).fit(["A"])


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "screening"])
def test_undated_and_empty_graphs(family):
    bare = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["A"], "kind": ["company"]}), pd.DataFrame({"source": [], "target": [], "kind": []})
    )
    X = GraphFeatures(bare, families=family).fit_transform(["A"])
    assert len(X) == 1
    assert not np.isinf(X.to_numpy()).any()


def test_described(small):
    features = GraphFeatures(small, at=DAY, catalogue="jiangsu-2016").fit(["A"])
    about = features.describe()
    assert about["feature"].tolist() == features.get_feature_names_out().tolist()
    assert about["feature"].is_unique
    assert set(about["family"]) == set(FAMILIES)
    assert (about["definition"].str.len() > 5).all()
    assert (about["as_of"] == pd.Timestamp(DAY)).all()
    chinese = features.describe(lang="zh")["definition"]
    assert chinese.is_unique
    assert chinese.str.contains(r"[\u4e00-\u9fff]").all()
    assert not set(CHINESE) - set(about["feature"])


# -- scikit-learn ----------------------------------------------------------------------------------------------------


def test_clone_shares_the_graph(small):
    features = GraphFeatures(small, at=DAY, families=["risk"]).set_output(transform="pandas").fit(["A"])
    twin = clone(Pipeline([("features", features)]))[0]
    assert twin.graph is small
    assert twin is not features
    assert twin.get_params() == features.get_params()
    assert not hasattr(twin, "facts_")
    assert twin._sklearn_output_config == {"transform": "pandas"}


def test_forms_of_ids_agree(small):
    features = GraphFeatures(small, at=DAY)
    wanted = features.fit_transform(["C", "A"]).to_numpy()
    series = pd.Series(["C", "A"], index=[5, 6])
    for X in (np.array(["C", "A"]), series, series.to_frame("entity"), np.array([["C"], ["A"]], dtype=object)):
        np.testing.assert_array_equal(features.fit_transform(X).to_numpy(), wanted)
    assert features.fit_transform(series).index.tolist() == [5, 6]
    union = FeatureUnion([("a", GraphFeatures(small, at=DAY, families=["risk"])), ("b", features)])
    assert union.set_output(transform="pandas").fit_transform(series).shape == (2, wanted.shape[1] + 34 - 11)


def test_grid_search_over_families(county):
    labels = rg.datasets.load_county().labels
    y = (labels["typology"] != "plain").astype(int).to_numpy()
    ids = labels["entity"]
    times = county.entities.set_index("id")["start"].reindex(ids).fillna(pd.Timestamp("2012-01-01"))
    pipeline = Pipeline([("features", GraphFeatures(county, at=DAY)), ("model", baseline("logistic"))])
    groups = entity_groups(county).reindex(ids).to_numpy()
    search = GridSearchCV(
        pipeline,
        {"features__families": [["ownership"], ["officer", "registry"]]},
        cv=GroupTimeSplit(times.to_numpy(), n_splits=2),
        scoring="roc_auc",
        error_score="raise",
    ).fit(ids.to_numpy(), y, groups=groups)
    assert search.best_estimator_[0].graph is county
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# Left out of scikit-learn's checks, with the reason:
# - check_estimators_overwrite_params compares a hash of the parameters before and after: the immutable graph keeps what
#   was computed on it, so its bytes change while its content does not (test_fit_leaves_the_graph_as_it_was)
# - check_estimators_dtypes, check_estimators_nan_inf, check_complex_data, check_dtype_object, check_fit1d,
#   check_estimators_empty_data_messages, check_estimator_sparse_*, check_transformer_data_not_an_array,
#   check_transformer_preserve_dtypes and check_f_contiguous_array_estimator are about numbers in X; ids of entities are
#   text (test_bad_rows)
CHECKS = [
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_valid_tag_types,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_mixin_order,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
    estimator_checks.check_transformers_unfitted,
    estimator_checks.check_fit_score_takes_y,
]


class IdsOfNumbers(GraphFeatures):
    """Reads the rows of any table of numbers as entities, so that checks that feed random numbers run too."""

    def __init__(self, graph, *, at=None, catalogue=None, families=None):
        super().__init__(graph, at=at, catalogue=catalogue, families=families)

    def _rows(self, X):
        values = X
        if hasattr(X, "toarray"):
            return super()._rows(X)
        values = np.asarray(X.__array__() if hasattr(X, "__array__") else X)
        if values.ndim != 2 or values.dtype.kind not in "fiu":
            return super()._rows(X)
        number = np.abs((values.astype(float) * 1e3).sum(axis=1)).astype(int) % len(self.graph)
        rows = super()._rows([str(self.graph.ids[code]) for code in number])
        return rows._replace(width=values.shape[1])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_estimator_checks_that_need_no_numbers(small, check):
    check("GraphFeatures", IdsOfNumbers(small, at=DAY, families=["registry"]))


@pytest.mark.parametrize(
    "name",
    [
        "check_estimators_fit_returns_self",
        "check_dont_overwrite_parameters",
        "check_dict_unchanged",
        "check_fit_idempotent",
        "check_fit_check_is_fitted",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_methods_subset_invariance",
        "check_methods_sample_order_invariance",
        "check_estimators_unfitted",
        "check_transformer_general",
        "check_fit2d_1sample",
        "check_fit2d_1feature",
        "check_readonly_memmap_input",
        "check_estimators_pickle",
        "check_pipeline_consistency",
        "check_positive_only_tag_during_fit",
    ],
)
def test_estimator_checks_with_numbers_read_as_ids(small, name):
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.fail(f"this scikit-learn has no {name}")
    if name == "check_positive_only_tag_during_fit" and SKLEARN < (1, 8):
        pytest.skip("before scikit-learn 1.8 this check itself subtracts a mean from whole numbers, and fails")
    check("GraphFeatures", IdsOfNumbers(small, at=DAY, families=["registry"]))


def test_pipeline_learns(small):
    rows = pd.DataFrame({"entity": ["A", "B", "C", "p"], "time": DAY})
    model = Pipeline([("features", GraphFeatures(small, families=["officer"])), ("model", baseline("boosting"))])
    assert model.fit(rows, [1, 0, 0, 0]).predict_proba(rows).shape == (4, 2)
    assert isinstance(LogisticRegression(), type(baseline("logistic").estimator[-1]))


def test_fit_leaves_the_graph_as_it_was(small):
    before = rg.EntityGraph.from_tables(**small.tables())
    GraphFeatures(small, at=DAY).fit_transform(["A", "B"])
    assert small.equals(before)


def test_large_graphs_are_not_kept_but_give_the_same(county, companies, monkeypatch):
    kept = GraphFeatures(county, at=DAY).fit_transform(companies[:50])
    monkeypatch.setattr("riskgraph.learning.features.KEPT", 0)
    again = rg.EntityGraph.from_tables(**county.tables())
    pd.testing.assert_frame_equal(kept, GraphFeatures(again, at=DAY).fit_transform(companies[:50]), check_exact=True)
    assert not [key for key in again._cache if key[:2] == ("learning", "view")]


def test_order_of_the_tables_does_not_matter(county, companies):
    tables = county.tables()
    rng = np.random.default_rng(0)
    mixed = {name: frame.iloc[rng.permutation(len(frame))].reset_index(drop=True) for name, frame in tables.items()}
    # of two facts of one day the last row counts: keep their order
    mixed["facts"] = tables["facts"]
    first, second = (
        GraphFeatures(graph, at=DAY).fit_transform(companies) for graph in (county, rg.EntityGraph.from_tables(**mixed))
    )
    # where a message of the cascade is no longer followed depends on the order, below its tolerance
    pd.testing.assert_frame_equal(first, second, check_exact=False, rtol=2e-3, atol=1e-6)
