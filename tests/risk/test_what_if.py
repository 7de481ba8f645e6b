"""What a change does to everyone's score."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.risk import RiskCascade, what_if


@pytest.fixture(scope="module")
def model():
    return RiskCascade().fit(rg.datasets.toy_banned_platform())


def test_removing_a_relation(model):
    frame = model.what_if(remove=["r2"])
    assert frame.columns.tolist() == ["entity", "before", "after", "change"]
    assert frame["entity"].tolist() == ["Rita", "Bakery"]
    assert frame["before"].tolist() == pytest.approx([0.8, 0.048])
    assert frame["after"].tolist() == [0, 0]
    assert frame["change"].tolist() == pytest.approx([-0.8, -0.048])


def test_adding_relations_and_entities(model):
    frame = model.what_if(
        add=pd.DataFrame({"source": ["Hank"], "target": ["Mill"], "kind": ["owns"], "share": [0.6]}),
        entities=pd.DataFrame({"id": ["Mill"], "kind": ["company"]}),
    )
    assert frame["entity"].tolist() == ["Mill"]
    assert frame.loc[0, ["before", "after"]].tolist() == pytest.approx([0.0, 0.06])


def test_other_seeds(model):
    frame = model.what_if(seeds=["Bakery"]).set_index("entity")
    assert frame.loc["Bakery", "after"] == 1.0
    assert frame.loc["Platform", "change"] < 0
    again = RiskCascade().fit(model.graph_, ["Bakery"]).scores_
    assert frame["after"].to_dict() == pytest.approx(again[frame.index].to_dict())


def test_same_as_a_fit_from_scratch(model):
    add = pd.DataFrame({"source": ["UnitA"], "target": ["Bakery"], "kind": ["controls"]})
    after = model.scores_.copy()
    frame = model.what_if(add=add, remove=["r7"]).set_index("entity")
    after[frame.index] = frame["after"]
    fresh = RiskCascade().fit(model.graph_.with_changes(add=add, remove=["r7"])).scores_
    pd.testing.assert_series_equal(after, fresh, check_names=False)


def test_nothing_changes(model):
    assert len(model.what_if()) == 0
    assert len(what_if(model, remove=[])) == 0


def test_the_model_itself_is_left_alone(model):
    before = model.scores_.copy()
    model.what_if(remove=["r0", "r1"])
    pd.testing.assert_series_equal(model.scores_, before)


def test_unknown_relation(model):
    with pytest.raises(rg.InvalidParameter, match="'remove' names no relation of the graph: 'r99'"):
        model.what_if(remove=["r99"])


def test_seeds_given_at_fit_are_kept():
    model = RiskCascade().fit(rg.datasets.toy_banned_platform(), {"Hank": 0.5})
    frame = model.what_if(remove=["r1"]).set_index("entity")
    assert "Hank" not in frame.index
    assert frame.loc["Platform", "after"] == 0
