"""Planted schemes at any size: as many as asked, labelled, the same from the same seed, and findable."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.datasets.sim import OwnershipSim
from riskgraph.learning import GraphFeatures, metrics


def test_size_seed_and_labels():
    sim = OwnershipSim(2_000, planted=0.62, random_state=3)
    graph, labels = sim.graph(), sim.labels()
    assert abs((graph.entities["kind"] == "company").sum() - 2_000) < 60
    assert sim.n_counties == 2
    assert graph.quality.empty
    assert labels["entity"].isin(graph.ids).all()
    assert labels["typology"].nunique() == 14
    assert labels.groupby("county")["typology"].nunique().tolist() == [14, 14]
    again, other = OwnershipSim(2_000, planted=0.62, random_state=3), OwnershipSim(2_000, planted=0.62, random_state=4)
    for name, frame in sim.tables().items():
        pd.testing.assert_frame_equal(frame, again.tables()[name])
    assert not sim.tables()["relations"].equals(other.tables()["relations"])
    across = graph.relations["source"].str.startswith("K") & ~graph.relations["target"].str.startswith("K")
    assert across.sum() > 50


def test_planted_nesting_is_found():
    sim = OwnershipSim(618, planted=1.0, random_state=2)
    labels = sim.labels()
    rows = labels[labels["typology"].isin(["plain", "multi_layer_nesting"])]
    X = GraphFeatures(sim.graph(), families=["nesting"]).fit_transform(rows["entity"])
    assert metrics.roc_auc(rows["typology"] != "plain", X["nesting_score"].fillna(0)) > 0.9


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"n_companies": 10}, "'n_companies' must be a whole number, 618 or more; got 10"),
        ({"planted": 0}, "'planted' must be in"),
        ({"ties": 2}, "'ties' must be in"),
    ],
)
def test_rules(arguments, text):
    with pytest.raises(rg.InvalidParameter, match=text):
        OwnershipSim(**arguments)
