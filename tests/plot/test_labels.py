"""Measured on the drawn picture: no text meets another, none is cut off, none has a box for a character."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.ft2font import FT2Font

import riskgraph as rg
from riskgraph.plot._fonts import font_file

DOCS = Path(__file__).parents[2] / "docs" / "make_pictures.py"


def make_pictures():
    spec = importlib.util.spec_from_file_location("make_pictures", DOCS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def county():
    data = rg.datasets.load_county()
    graph = data.graph.at("2016-12-31")
    return graph, rg.propagate(graph), data.labels


def texts_of(figure):
    """Every text that is drawn, with its rectangle in pixels."""
    renderer = figure.canvas.get_renderer()
    texts = []
    for axes in figure.axes:
        texts += [*axes.texts, axes._left_title, axes.title]
        texts += axes.get_legend().get_texts() if axes.get_legend() else []
        if axes.axison:
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text().strip()]


def check(ax):
    """No two rectangles of text intersect by more than a pixel, and all lie on the picture."""
    figure = ax.figure
    figure.canvas.draw()
    found = texts_of(figure)
    assert found
    wide, high = figure.canvas.get_width_height()
    for text, box in found:
        assert box.x0 >= -1, f"{text!r} is cut off at the left"
        assert box.x1 <= wide + 1, f"{text!r} is cut off at the right"
        assert box.y0 >= -1, f"{text!r} is cut off below"
        assert box.y1 <= high + 1, f"{text!r} is cut off above"
    boxes = np.array([[box.x0, box.y0, box.x1, box.y1] for _, box in found])
    for (i, a), (j, b) in itertools.combinations(enumerate(boxes), 2):
        across = min(a[2], b[2]) - max(a[0], b[0])
        along = min(a[3], b[3]) - max(a[1], b[1])
        assert min(across, along) <= 1.0, f"{found[i][0]!r} meets {found[j][0]!r}"
    plt.close(figure)
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", list(make_pictures().PICTURES))
def test_labels_of_the_pictures_in_the_docs(name, lang):
    module = make_pictures()
    check(module.PICTURES[name](module.material(), lang))


def entities(graph, labels):
    """One entity of every planted story, the best connected firm, person and product, and a banned firm."""
    chosen = list(labels.groupby("typology", sort=True)["entity"].first())
    degree = pd.concat([graph.relations["source"], graph.relations["target"]]).value_counts()
    for kind in ("company", "person", "product"):
        chosen.append(degree.index[degree.index.isin(graph.ids[graph.entities["kind"] == kind])][0])
    return [entity for entity in [*chosen, graph.seeds().index[0]] if entity in graph]


def test_labels_of_many_county_entities(county):
    graph, risk, labels = county
    chosen = entities(graph, labels)
    assert len(chosen) > 12
    for number, entity in enumerate(chosen):
        lang, other = ("zh", "en") if number % 2 else ("en", "zh")
        check(rg.plot.ownership_tree(graph, entity, lang=lang))
        check(rg.plot.ownership_tree(graph, entity, direction="down", lang=other))
        check(rg.plot.timeline(graph, entity, lang=lang))
        check(rg.plot.look_through_flow(graph, entity, lang=other))
        check(rg.plot.neighborhood(graph, entity, risk.scores_, lang=lang))


def test_labels_in_axes_of_any_size(county):
    graph, risk, labels = county
    shell = labels.query("typology == 'onion_shell'")["entity"].iloc[0]
    for size in ((12, 4), (5, 5), (3, 8)):
        _, ax = plt.subplots(figsize=size)
        check(rg.plot.ownership_tree(graph, shell, max_depth=9, ax=ax))
        _, ax = plt.subplots(figsize=size)
        check(rg.plot.neighborhood(graph, shell, risk.scores_, ax=ax, lang="en"))
    _, (left, right) = plt.subplots(1, 2, figsize=(12, 5))
    rg.plot.ownership_tree(graph, shell, ax=left)
    check(rg.plot.neighborhood(graph, shell, ax=right))


def test_no_character_is_a_box(county):
    """The glyph of every character drawn differs, pixel for pixel, from the one that stands for none."""
    graph, _, labels = county
    shell = labels.query("typology == 'onion_shell'")["entity"].iloc[0]
    letters = set()
    for ax in (rg.plot.ownership_tree(graph, shell, max_depth=9), rg.plot.timeline(graph, shell)):
        letters |= {letter for text, _ in check(ax) for letter in text if not letter.isspace()}
    letters |= set("".join(graph.names)) - {" "}
    with pytest.warns(UserWarning, match="missing from font"):
        box = pixels_of("\U0010fffe")
    for letter in sorted(letters):
        drawn = pixels_of(letter)
        assert drawn.any(), f"{letter} is blank"
        assert drawn.shape != box.shape or (drawn != box).any(), f"{letter} is a box"


def pixels_of(letter):
    """The character as the font draws it."""
    font = FT2Font(font_file())
    font.set_size(32, 72)
    font.set_text(letter)
    font.draw_glyphs_to_bitmap()
    return np.asarray(font.get_image())
