"""Models: trained, saved without pickle, loaded with care, scored and explained."""

from __future__ import annotations

import dataclasses
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import check_estimator

import riskgraph as rg
from riskgraph.learning import (
    GraphFeatures,
    baseline,
    explain_score,
    fit_transmission,
    load_model,
    save_model,
    score,
    score_frame,
    train,
)
from riskgraph.learning.baselines import Calibrated, ColumnScore, Softsign
from riskgraph.learning.explain import contributions
from riskgraph.learning.transmission import _KEYS, Paths, _maximise, _paths

AT = "2016-12-31"


@pytest.fixture(scope="module")
def models(county):
    return {
        name: train(county, name, cutoffs=["2016-03-31"], families=["risk", "officer", "registry"])
        for name in ("logistic", "boosting", "propagation")
    }


@pytest.mark.parametrize("name", ["logistic", "boosting", "propagation"])
def test_saved_and_loaded_scores_are_equal(county, models, name, tmp_path):
    path = save_model(tmp_path / "model.skops", models[name])
    assert [file.name for file in tmp_path.iterdir()] == ["model.skops"]
    loaded = load_model(path)
    for field in dataclasses.fields(loaded):
        if field.name not in ("estimator", "reference"):
            assert getattr(loaded, field.name) == getattr(models[name], field.name)
    first, second = score(models[name], county, AT), score_frame(path, county, AT)
    pd.testing.assert_frame_equal(first, second[["entity", "score", "rank"]], check_exact=True)
    assert first["rank"].tolist() == list(range(1, len(first) + 1))
    assert first["score"].is_monotonic_decreasing
    assert not set(first["entity"]) & set(county.at(AT).seeds().index)
    assert first["score"].between(0, 1).all()


def test_all_can_be_scored(county, models):
    everyone = score(models["logistic"], county, AT, under_case=True)
    assert set(county.at(AT).seeds().index) & set(everyone["entity"])
    people = score(models["logistic"], county, AT, kinds="person")
    assert set(people["entity"]) <= set(county.entities.loc[county.entities["kind"] == "person", "id"])


def test_file_holds_no_pickle_and_no_graph(county, models, tmp_path):
    path = save_model(tmp_path / "m.skops", models["boosting"])
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".pkl", ".pickle"))]
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert str(county.ids[0]).encode() + b'"' not in content


def test_foreign_types_are_refused_by_name(county, tmp_path):
    import skops.io as sio

    class Odd(MLPClassifier):
        pass

    Odd.__module__, Odd.__qualname__ = "somewhere.else", "Odd"
    import sys
    import types

    module = types.ModuleType("somewhere.else")
    module.Odd = Odd
    sys.modules["somewhere.else"] = module
    try:
        (tmp_path / "odd.skops").write_bytes(sio.dumps({"about": "{}", "estimator": Odd()}))
        with pytest.raises(rg.InvalidTable, match=r"types that are not trusted.*somewhere\.else\.Odd"):
            load_model(tmp_path / "odd.skops")
    finally:
        del sys.modules["somewhere.else"]


def test_what_is_no_model(tmp_path):
    import skops.io as sio

    (tmp_path / "text.skops").write_text("hello")
    (tmp_path / "other.skops").write_bytes(sio.dumps({"a": 1}))
    (tmp_path / "new.skops").write_bytes(sio.dumps({"about": '{"format": "riskgraph-model/9"}', "estimator": None}))
    for name, text in (
        ("text.skops", "is no model written by riskgraph"),
        ("other.skops", "is no model written by riskgraph"),
        ("new.skops", "has the format 'riskgraph-model/9'"),
        ("none.skops", "there is no model file"),
    ):
        with pytest.raises(rg.InvalidTable, match=text):
            load_model(tmp_path / name)


def test_model_and_graph_must_agree(county, models, small):
    with pytest.raises(rg.LeakageError, match="trained on what happened until 2016-09-27: scoring 2016-06-30"):
        score(models["logistic"], county, "2016-06-30")
    with pytest.raises(rg.InvalidParameter, match="the model reads facts of which the graph knows nothing"):
        score(models["logistic"], small, AT)
    other = dataclasses.replace(models["logistic"], feature_names=("risk_old", *models["logistic"].feature_names[1:]))
    with pytest.raises(
        rg.InvalidParameter, match=r"other features than this riskgraph computes.*risk_cascade, risk_old|other features"
    ):
        score(other, county, AT)
    with pytest.raises(rg.InvalidParameter, match="'model' must be a RiskModel or a pipeline"):
        score(RandomForestClassifier(), county, AT)


def test_training_needs_the_horizon_to_be_over(county):
    with pytest.raises(rg.InvalidParameter, match="must be followed by a whole 'horizon'"):
        train(county, cutoffs="2016-12-31")
    with pytest.raises(rg.InvalidParameter, match="nothing to learn from: no entity enters a case"):
        train(county, cutoffs="2009-12-31", families=["registry"])
    with pytest.raises(rg.InvalidParameter, match="a propagation needs no training"):
        train(county, rg.risk.RiskCascade(), cutoffs="2016-03-31")


def test_a_fitted_pipeline_is_a_model(county, tmp_path):
    pipeline = Pipeline([("features", GraphFeatures(county, families=["officer"])), ("model", baseline("logistic"))])
    labels = rg.datasets.load_county().labels
    rows = pd.DataFrame({"entity": labels["entity"], "time": "2016-12-31"})
    pipeline.fit(rows, (labels["typology"] != "plain").astype(int))
    path = save_model(tmp_path / "m.skops", pipeline)
    found = score(load_model(path), county, AT).set_index("entity")["score"]
    some = rows["entity"][rows["entity"].isin(found.index)]
    wanted = pipeline.predict_proba(pd.DataFrame({"entity": some, "time": AT}))[:, 1]
    np.testing.assert_allclose(found.reindex(some).to_numpy(), wanted)


# -- explaining ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["logistic", "propagation"])
def test_linear_contributions_add_up(county, models, name):
    for entity in score(models[name], county, AT)["entity"][[0, 50, 300]]:
        why = explain_score(models[name], county, entity, at=AT, lang="en")
        assert why.base + why.features["contribution"].sum() == pytest.approx(why.log_odds, abs=1e-9)
        # a column is not followed beyond the highest value of training
        ceiling = 1 / (1 + np.exp(-why.log_odds))
        assert why.score <= ceiling * (1 + 1e-9) if name == "propagation" else why.score == pytest.approx(ceiling)


def test_occlusion_is_what_the_score_loses(county, models):
    model = models["boosting"]
    features = GraphFeatures(county, at=AT, families=list(model.families)).fit(["C1486"])
    features.facts_ = model.facts
    row = features.transform(["C1486"])
    parts, base = contributions(model, row)
    assert np.isnan(base)
    place = int(np.argmax(np.abs(parts)))
    changed = row.copy()
    changed.iloc[0, place] = model.reference[place]
    lost = model.estimator.decision_function(row) - model.estimator.decision_function(changed)
    assert parts[place] == pytest.approx(lost[0])
    assert abs(parts[place]) > 0


def test_explanations_name_paths(county, models):
    ranked = rg.propagate(county.at(AT, known=AT)).scores_
    seeds = county.at(AT).seeds().index
    entity = ranked[[i for i in ranked.index if i not in seeds and str(i).startswith("C")]].idxmax()
    why = explain_score(models["logistic"], county, entity, at=AT, lang="en")
    assert len(why.paths) >= 1
    assert why.paths.loc[0, "path"][-1] == entity
    assert why.paths.loc[0, "text"] in why.text
    assert "Path:" in why.text
    assert explain_score(models["logistic"], county, entity, at=AT).text != why.text


def test_explanations_prove_who_controls(county, models):
    seen = county.at(AT, known=AT)
    owners = rg.ownership.ultimate_controllers(seen)
    owners = owners[owners["controller"].notna() & (owners["depth"] == 2) & owners["company"].str.startswith("C")]
    company, controller = owners.iloc[0][["company", "controller"]]
    why = explain_score(models["boosting"], county, company, at=AT, lang="en")
    assert why.control.loc[0, ["controller", "verdict"]].tolist() == [controller, "yes"]
    proof = rg.ownership.explain_control(seen, controller, company)
    assert why.control.loc[0, "relations"] == tuple(proof["id"])
    assert len(proof) >= 2
    # the relations named prove it by themselves
    alone = seen.with_changes(remove=sorted(set(seen.relations["id"]) - set(proof["id"])))
    assert rg.ownership.explain_control(alone, controller, company).attrs["verdict"] == "yes"
    for end in {*proof["source"], *proof["target"]}:
        assert str(seen.names[seen.code(end)]) in why.control.loc[0, "text"]
    assert why.control.loc[0, "text"] in why.text
    assert "实际控制人" in explain_score(models["boosting"], county, company, at=AT).text
    outcome = rg.ownership.ultimate_controllers(seen).set_index("company")
    nobody = outcome[outcome["controller"].isna() & outcome.index.str.startswith("C")].index[0]
    assert explain_score(models["boosting"], county, nobody, at=AT).control.empty


def test_no_path_is_said_with_where_it_stops(county, models):
    ranked = rg.propagate(county.at(AT, known=AT)).scores_
    out = [i for i in ranked.index[ranked == 0] if str(i).startswith("C")]
    why = explain_score(models["logistic"], county, out[0], at=AT, lang="en")
    assert why.paths.empty
    assert "No path carries risk" in why.text or "No chain of relations" in why.text


# -- the parts -------------------------------------------------------------------------------------------------------


def test_calibrated_keeps_the_order_and_tells_the_truth():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    chance = 1 / (1 + np.exp(-(X[:, 0] - 2)))
    y = (rng.random(600) < chance).astype(int)
    X = np.column_stack([X, np.full(600, np.nan), np.ones(600)])
    model = baseline("boosting").fit(X, y, groups=np.arange(600) // 2)
    assert model.columns_.tolist() == [True, True, True, False, False]
    raw, odds = model.estimator_.decision_function(X[:, :3]), model.decision_function(X)
    np.testing.assert_array_equal(np.argsort(raw, kind="stable"), np.argsort(odds, kind="stable"))
    fresh = rng.normal(size=(4_000, 3))
    told = model.predict_proba(np.column_stack([fresh, np.ones((4_000, 2))]))[:, 1]
    truth = 1 / (1 + np.exp(-(fresh[:, 0] - 2)))
    assert abs(told.mean() - truth.mean()) < 0.03
    assert model.slope_ < 1  # trees are too sure of themselves


def test_order_never_turns_round():
    X = pd.DataFrame({"risk_cascade": [0.9, 0.8, 0.2, 0.1, np.nan]})
    model = ColumnScore().fit(X, [0, 0, 1, 1, 1])
    odds = model.decision_function(X)
    assert (np.diff(odds[:4]) < 0).all()
    assert odds[4] == odds[3]
    with pytest.raises(rg.InvalidParameter, match="must be a frame with the column 'risk_cascade'"):
        model.predict(X.to_numpy())
    with pytest.raises(rg.InvalidParameter, match="'y' must hold 0 and 1 only"):
        model.fit(X, [0, 1, 2, 0, 1])
    with pytest.raises(rg.InvalidParameter, match="'name' must be one of logistic, boosting, propagation"):
        baseline("forest")


@pytest.mark.parametrize(
    "estimator",
    [Softsign(), Calibrated(LogisticRegression()), baseline("logistic"), baseline("boosting")],
    ids=["Softsign", "Calibrated", "logistic", "boosting"],
)
def test_estimator_checks_of_the_parts(estimator):
    """All of them; ColumnScore reads a named column of a frame, while the checks feed arrays without names."""
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    assert len(results) > 40
    assert [(item["check_name"], str(item["exception"])) for item in results if item["status"] == "failed"] == []


def test_calibrated_takes_any_two_classes():
    X = np.arange(40.0).reshape(-1, 1)
    model = Calibrated(LogisticRegression()).fit(X, np.where(X[:, 0] > 20, "late", "early"))
    assert model.predict([[3.0], [33.0]]).tolist() == ["early", "late"]
    with pytest.raises(rg.InvalidParameter, match=r"'y' must hold two classes.* Got 3 classes"):
        model.fit(X, np.arange(40) % 3)
    with pytest.raises(rg.InvalidParameter, match="'y' must hold two classes, such as 0 and 1; got one class only"):
        model.fit(X, np.zeros(40))


def test_softsign_is_bounded():
    bend = Softsign().fit(np.array([[0.0], [0.0], [1.0]]))
    assert np.abs(bend.transform(np.array([[1e300], [-1e300], [0.0]]))).max() <= 1
    assert isinstance(Calibrated(bend).estimator, Softsign)


# -- transmission ----------------------------------------------------------------------------------------------------


def _worlds(truth: dict[int, float], n: int, seed: int) -> tuple[Paths, np.ndarray]:
    """Entities with a direct exposure by kind 0, a way through kinds 0 and 3, or none; a case drawn by the factors."""
    rng = np.random.default_rng(seed)
    sort = rng.integers(0, 3, n)
    direct, far = np.flatnonzero(sort == 0), np.flatnonzero(sort == 1)
    paths = Paths(
        end=np.concatenate([direct, far]),
        first=np.zeros(direct.size + far.size, dtype=np.int64),
        second=np.concatenate([np.full(direct.size, -1), np.full(far.size, 3)]),
        near=np.full(direct.size + far.size, 0.3),
        beyond=np.concatenate([np.ones(direct.size), np.full(far.size, 0.4)]),
    )
    chance = np.full(n, 0.01)
    near, beyond = 1 - 0.7 ** truth[0], 1 - 0.6 ** truth[3]
    chance[direct], chance[far] = 1 - 0.99 * (1 - near), 1 - 0.99 * (1 - near * beyond)
    return paths, (rng.random(n) < chance).astype(float)


def test_transmission_is_recovered():
    truth = {0: 2.0, 3: 0.4}
    paths, label = _worlds(truth, 60_000, 1)
    factor, background = _maximise(paths, label, 10.0)
    assert factor[0] == pytest.approx(2.0, rel=0.05)
    assert factor[3] == pytest.approx(0.4, rel=0.1)
    assert background == pytest.approx(0.01, abs=0.002)
    assert factor[5] == 1  # never on a path: the default stays


def test_transmission_stays_near_the_table_where_little_is_seen():
    paths, label = _worlds({0: 2.0, 3: 0.4}, 12, 2)
    factor, _ = _maximise(paths, label, 1e4)
    assert factor[0] == pytest.approx(1, abs=0.01)
    free, _ = _maximise(paths, np.zeros(12), 0.1)
    assert free[0] < 0.3


def test_paths_by_hand():
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["S", "p", "A", "B"], "kind": ["company", "person", "company", "company"]}),
        pd.DataFrame({"source": ["p", "p", "S"], "target": ["S", "A", "B"], "kind": ["owns", "owns", "guarantees"],
                      "share": [1.0, 1.0, None]}),
        pd.DataFrame({"entity": ["S"], "type": ["banned"]}),
    )  # fmt: skip
    paths = _paths(graph, pd.Series(["A", "B"]))
    kinds = [(_KEYS[a], None if b < 0 else _KEYS[b]) for a, b in zip(paths.first, paths.second, strict=True)]
    wanted = {0: (("owns", "backward"), ("owns", "forward")), 1: (("guarantees", "forward"), None)}
    assert {end: kind for end, kind in zip(paths.end.tolist(), kinds, strict=True) if end in wanted} == wanted


def test_transmission_serves_the_cascade(county):
    found = fit_transmission(county, ["2015-12-31", "2016-03-31"])
    assert found.table["learnt"].between(0, 1).all()
    assert (found.table["exposed"] > 0).all()
    assert 0 < found.background < 0.1
    scores = rg.risk.RiskCascade(transmission=found.mapping).fit(county).scores_
    assert scores.between(0, 1).all()
    with pytest.raises(rg.InvalidParameter, match="'strength' must be above 0"):
        fit_transmission(county, "2016-03-31", strength=0)
    with pytest.raises(rg.InvalidParameter, match="must be followed by a whole 'horizon'"):
        fit_transmission(county, "2016-12-31")
