"""Splits: no group on both sides, never the future in training, whatever the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

import riskgraph as rg
from riskgraph.learning import GroupTimeSplit, entity_groups

rows = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), min_size=4, max_size=60)


@settings(max_examples=150, deadline=None)
@given(rows, st.integers(1, 5), st.integers(0, 20))
def test_groups_and_time_stay_apart(rows, folds, gap):
    days = np.array([day for day, _ in rows])
    groups = np.array([f"g{group}" for _, group in rows])
    times = pd.Timestamp("2015-01-01") + pd.to_timedelta(days, unit="D")
    splitter = GroupTimeSplit(times, folds, gap=f"{gap}D")
    try:
        found = list(splitter.split(rows, groups=groups))
    except rg.InvalidParameter as error:
        assert "n_splits" in str(error)  # noqa: PT017
        return
    assert len(found) == folds
    tested = np.concatenate([test for _, test in found])
    assert np.unique(tested).size == tested.size
    for train, test in found:
        assert train.size
        assert test.size
        assert not set(groups[train]) & set(groups[test])
        assert days[train].max() < days[test].min()
        assert days[train].max() <= days[test].min() - gap
        # nothing is left out of training without one of the two reasons
        early = np.flatnonzero((days < days[test].min()) & (days <= days[test].min() - gap))
        assert set(early) - set(train) == {row for row in early if groups[row] in set(groups[test])}


def test_serves_parts_of_a_frame_by_index():
    times = pd.Series(pd.date_range("2015-01-01", periods=12, freq="MS"), index=[f"E{i}" for i in range(12)])
    X = pd.DataFrame({"x": np.arange(12.0)}, index=times.index)
    part = X.iloc[[11, 0, 5, 7]]
    (train, test), *_ = GroupTimeSplit(times, n_splits=1).split(part, groups=list("abcd"))
    assert part.index[train].tolist() == ["E0", "E5"]
    assert part.index[test].tolist() == ["E11", "E7"]


def test_in_cross_validation():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    y = (X[:, 0] > 0).astype(int)
    times = pd.date_range("2015-01-01", periods=120)
    scores = cross_val_score(
        DecisionTreeClassifier(random_state=0), X, y, cv=GroupTimeSplit(times, 4), groups=np.arange(120) // 3
    )
    assert scores.shape == (4,)
    with config_context(enable_metadata_routing=True):
        routed = cross_val_score(
            DecisionTreeClassifier(random_state=0),
            X,
            y,
            cv=GroupTimeSplit(times, 4),
            params={"groups": np.arange(120) // 3},
        )
    np.testing.assert_array_equal(scores, routed)
    assert scores.mean() > 0.8


@pytest.mark.parametrize(
    ("arguments", "groups", "text"),
    [
        ((["2015-01-01", "2016-01-01"], 1), None, "'groups' must be given"),
        ((["2015-01-01", "2016-01-01"], 1), ["a"], "one group a row of X, 2; got 1"),
        ((["2015-01-01"], 1), ["a", "b"], "one date a row of X, 2; got 1"),
        ((["2015-01-01", "later"], 1), ["a", "b"], "dates only; got 'later' in row 1"),
        ((["2015-01-01", "2016-01-01"], 0), ["a", "b"], "'n_splits' must be a whole number"),
        ((["2015-01-01", "2016-01-01"], 2), ["a", "b"], "below the number of distinct times, 2; got 2"),
        ((["2015-01-01", "2016-01-01"], 1), ["a", "a"], "fold 1 of 1 has nothing to train on"),
    ],
)
def test_rules(arguments, groups, text):
    with pytest.raises(rg.InvalidParameter, match=text):
        list(GroupTimeSplit(*arguments).split([0, 1], groups=groups))


def test_few_large_groups_are_shared_out():
    groups = np.array(list("abcdabcd"))
    ((train, test),) = GroupTimeSplit(np.arange(8), 1).split(groups, groups=groups)
    assert groups[train].tolist() == ["a", "c", "a"]  # the second a comes before b and d are tested
    assert groups[test].tolist() == ["b", "d"]


def test_times_may_be_numbers():
    ((train, test),) = GroupTimeSplit([1, 2, 3, 4.5], 1, gap=2).split("abcd", groups=list("abcd"))
    assert (train.tolist(), test.tolist()) == ([0], [2, 3])
    with pytest.raises(rg.InvalidParameter, match="'gap' must be a number, 0 or more"):
        list(GroupTimeSplit([1, 2, 3, 4.5], 1, gap="2D").split("abcd", groups=list("abcd")))


def test_bad_gap():
    with pytest.raises(rg.InvalidParameter, match="'gap' must be a length of time"):
        list(GroupTimeSplit(["2015-01-01", "2016-01-01"], 1, gap="-1D").split([0, 1], groups=[0, 1]))


def test_groups_by_control(county):
    found = entity_groups(county)
    frame = rg.ownership.business_groups(county).set_index("entity")["group"]
    together = frame.groupby(frame).transform("size") > 1
    for _, members in frame[together].groupby(frame[together]):
        assert found[members.index].nunique() == 1
    assert found.groupby(found).size().max() < len(county) / 10


def test_giant_component_falls_apart(county):
    whole = entity_groups(county, by="component", largest=1.0)
    cut = entity_groups(county, by="component")
    sizes = whole.groupby(whole).size()
    assert sizes.max() > len(county) / 3
    assert cut.groupby(cut).size().max() <= len(county) / 10
    with pytest.raises(rg.InvalidParameter, match="'largest' must be in"):
        entity_groups(county, largest=0)
    with pytest.raises(rg.InvalidParameter, match="'by' must be 'control' or 'component'"):
        entity_groups(county, by="name")
