"""The reliability diagram draws what the table of bins says."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import riskgraph as rg
from riskgraph.learning.metrics import calibration as bins_of
from riskgraph.plot.calibration import calibration, wilson


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_points_are_the_bins(lang):
    rng = np.random.default_rng(0)
    chance = rng.random(500)
    label = rng.random(500) < chance
    ax = calibration(label, chance, bins=5, lang=lang)
    table = bins_of(label, chance, bins=5)
    points = ax.lines[1]
    assert np.allclose(points.get_xdata(), table["probability"])
    assert np.allclose(points.get_ydata(), table["share"])
    assert [text.get_text() for text in ax.texts] == [str(count) for count in table["count"]]


def test_intervals_are_wilsons():
    # Wilson's interval of 0 of 10 and of 5 of 10, from the formula solved by hand
    low, high = wilson(np.array([0.0, 0.5]), np.array([10, 10]))
    assert low == pytest.approx([0.0, 0.2366], abs=1e-4)
    assert high == pytest.approx([0.2775, 0.7634], abs=1e-4)


def test_drawn_into_given_axes_and_nothing_to_draw():
    _, ax = plt.subplots()
    assert calibration([1, 0], [0.9, 0.1], ax=ax) is ax
    assert calibration([], [], lang="en").texts[0].get_text() == "nothing to compare"
    with pytest.raises(rg.InvalidParameter, match="'lang' must be 'zh' or 'en'; got 'de'"):
        calibration([1], [0.5], lang="de")
