"""Readable in grey print: what colour tells, dash, width, shape, hatch or lightness tell too."""

from __future__ import annotations

import itertools

import matplotlib.pyplot as plt
import numpy as np

import riskgraph as rg
from riskgraph._looks import ENTITY_NAMES, FILLS, LINES, SHAPES, risk_rgb
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS


def test_every_kind_has_its_looks():
    assert set(LINES) == set(RELATION_KINDS)
    assert set(SHAPES) == set(ENTITY_NAMES) == set(ENTITY_KINDS)
    assert set(FILLS) <= set(ENTITY_KINDS)
    assert len(set(SHAPES.values())) == len(SHAPES)


def drawn_in_black(line):
    """Thickness of a line, lengths of its dashes and gaps in pixels, and its dark part, measured on the picture."""
    figure = plt.figure(figsize=(6, 0.2), dpi=200)
    figure.add_artist(plt.Line2D([0.02, 0.98], [0.5, 0.5], color="black", linestyle=line.style, linewidth=line.width))
    figure.canvas.draw()
    image = 255 - np.asarray(figure.canvas.buffer_rgba())[..., 0].astype(int)
    plt.close(figure)
    on = image.max(axis=0) > 110
    runs = [(key, len(list(group))) for key, group in itertools.groupby(on)][2:-2]
    dashes = frozenset(length for key, length in runs if key)
    gaps = frozenset(length for key, length in runs if not key)
    return round(image.sum(axis=0).max() / 255), dashes, gaps, round(on.mean(), 2)


def test_lines_of_all_kinds_differ_without_colour():
    seen = {}
    for kind, line in LINES.items():
        look = drawn_in_black(line)
        assert look not in seen, f"{kind} looks like {seen[look]} in black"
        seen[look] = kind


def luminance(rgb):
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def test_risk_darkens_all_the_way():
    steps = [luminance(risk_rgb(risk)) for risk in np.linspace(0, 1, 21)]
    assert all(a - b > 3 for a, b in itertools.pairwise(steps))


def test_parts_of_a_bar_differ_without_colour():
    """Lower and upper bound by lightness, components by lightness or hatch."""
    ax = rg.plot.risk_ranking(rg.propagate(rg.datasets.toy_banned_platform()), lang="en")
    low, high = (patch.patches[0].get_facecolor()[:3] for patch in ax.containers[:2])
    assert luminance(high) - luminance(low) > 0.4
    plt.close(ax.figure)
    ax = rg.plot.risk_ranking(rg.nesting.NestingScorer().fit(rg.datasets.load_county().graph), n=5, lang="en")
    looks = [(round(luminance(bars[0].get_facecolor()[:3]), 1), bars[0].get_hatch()) for bars in ax.containers]
    assert len(looks) > 3
    assert len(set(looks)) == len(looks)
    plt.close(ax.figure)
