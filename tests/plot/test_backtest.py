"""The pictures of a backtest draw its numbers, cutoff by cutoff."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.learning import ranking_curve, reliability
from riskgraph.plot.backtest import PANELS, backtest

CUTOFFS = ["2016-03-31", "2016-06-30", "2016-09-30"]


@pytest.fixture(scope="module")
def result():
    graph = rg.datasets.load_county().graph
    return rg.learning.backtest(graph, rg.risk.RiskCascade(), CUTOFFS, n_bootstrap=30)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_has_a_title_named_axes_and_a_legend(result, panel, lang):
    _, ax = plt.subplots()
    assert backtest(result, panel, ax=ax, lang=lang) is ax
    assert ax.get_title(loc="left")
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.get_legend().get_texts()


@pytest.mark.parametrize(
    ("panel", "across", "up", "figure"),
    [
        ("gain", "inspected", "found", "precision_at_capacity"),
        ("roc", "false_alarms", "found", "roc_auc"),
        ("precision", "found", "precision", "average_precision"),
    ],
)
def test_lines_are_the_curves_of_the_cutoffs(result, panel, across, up, figure):
    ax = backtest(result, panel, lang="en")
    for row, day in enumerate(CUTOFFS):
        scores = result.run.scores[result.run.scores["cutoff"] == pd.Timestamp(day)]
        curve = ranking_curve(scores["label"], scores["score"])
        (line,) = [item for item in ax.lines if str(item.get_label()).startswith(day)]
        np.testing.assert_array_equal(line.get_xdata(), curve[across])
        np.testing.assert_array_equal(line.get_ydata(), curve[up])
        assert f"{result.loc[row, figure]:.3f}" in line.get_label()


def test_calibration_and_time_show_intervals(result):
    table = reliability(result)
    ax = backtest(result, "calibration", lang="en")
    np.testing.assert_allclose(ax.containers[0].lines[0].get_ydata(), table["share"])
    bars = ax.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose([bar[0][1] for bar in bars], np.minimum(table["low"], table["share"]), atol=1e-12)
    np.testing.assert_allclose([bar[1][1] for bar in bars], np.maximum(table["high"], table["share"]), atol=1e-12)
    ax = backtest(result, "time", lang="en")
    assert [text.get_text() for text in ax.get_xticklabels()] == CUTOFFS
    faces = ax.collections[-1].get_facecolors()
    assert (faces[:, :3] == 1).all(axis=1).tolist() == (~result["complete"]).tolist() == [False, False, True]


def test_nothing_to_draw_is_said_and_rules():
    graph = rg.datasets.load_county().graph
    nobody = rg.learning.backtest(graph, rg.risk.RiskCascade(), "2010-06-30", n_bootstrap=5)
    for panel in ("gain", "roc", "precision", "time"):
        assert backtest(nobody, panel, lang="en").texts[0].get_text() == "nothing to draw"
    with pytest.raises(rg.InvalidParameter, match="'panel' must be one of gain, roc"):
        backtest(nobody, "pie")
    with pytest.raises(rg.InvalidParameter, match="'lang' must be 'zh' or 'en'; got 'de'"):
        backtest(nobody, lang="de")
    with pytest.raises(rg.InvalidParameter, match="'result' must be what backtest returned"):
        backtest(nobody[["cutoff"]])
