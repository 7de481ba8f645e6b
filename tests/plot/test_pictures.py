"""Every picture of toys, of an empty, a one-node and a 5,000-node graph: drawn, no boxes, nothing global touched."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.plot._canvas import label, money, percent
from riskgraph.plot._fonts import check_glyphs
from riskgraph.plot._layers import bend, layer_of, place
from riskgraph.schema import SECTOR_TEXTS

NONE = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)


def empty():
    return rg.EntityGraph.from_tables(pd.DataFrame({"id": [], "kind": []}, dtype=object), NONE)


def lone():
    return rg.EntityGraph.from_tables(pd.DataFrame({"id": ["甲"], "kind": ["company"]}), NONE)


def crowd():
    """A star of 5,000 firms around one holder, with money and dates."""
    n = 5000
    ids = ["holder", *(f"C{i}" for i in range(n - 1))]
    return rg.EntityGraph.from_tables(
        pd.DataFrame(
            {"id": ids, "kind": ["person"] + ["company"] * (n - 1), "name": ["持股人"] + ["某公司"] * (n - 1)}
        ),
        pd.DataFrame(
            {
                "source": "holder",
                "target": ids[1:],
                "kind": ["owns", "invests"] * ((n - 1) // 2) + ["owns"],
                "share": 0.5,
                "amount": np.arange(n - 1.0) * 1e4,
                "start": "2015-01-01",
            }
        ),
    )


PICTURES = {
    "tree": lambda graph, entity, lang: rg.plot.ownership_tree(graph, entity, lang=lang),
    "holdings": lambda graph, entity, lang: rg.plot.ownership_tree(graph, entity, direction="down", lang=lang),
    "neighborhood": lambda graph, entity, lang: rg.plot.neighborhood(graph, entity, lang=lang),
    "flow": lambda graph, entity, lang: rg.plot.look_through_flow(graph, entity, lang=lang),
    "timeline": lambda graph, entity, lang: rg.plot.timeline(graph, entity, lang=lang),
    "heatmap": lambda graph, entity, lang: rg.plot.nesting_heatmap(graph, lang=lang),
}


def pixels(ax):
    """The picture as drawn; warnings are errors, so a missing glyph fails here."""
    ax.figure.set_dpi(50)
    ax.figure.canvas.draw()
    image = np.asarray(ax.figure.canvas.buffer_rgba())[..., :3]
    plt.close(ax.figure)
    return image


def words(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("make", [lone, crowd, rg.datasets.toy_banned_platform, rg.datasets.toy_nested_cycle])
@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_drawn(name, make, lang):
    graph = make()
    before = dict(mpl.rcParams)
    ax = PICTURES[name](graph, graph.ids[0], lang)
    image = pixels(ax)
    assert (image < 200).mean() > 0.0005  # something dark is on it
    assert dict(mpl.rcParams) == before


def test_empty_graphs():
    image = pixels(rg.plot.nesting_heatmap(empty()))
    assert (image < 200).any()
    with pytest.raises(rg.UnknownEntity):
        rg.plot.ownership_tree(empty(), "nobody")


def test_big_pictures_say_what_they_left_out():
    graph = crowd()
    tree = rg.plot.ownership_tree(graph, "holder", direction="down")
    assert "省略2,490个" in tree.get_title(loc="left")
    assert "其余2,490个" in words(tree)
    around = rg.plot.neighborhood(graph, "holder", lang="en")
    assert "(4,960 left out)" in around.get_title(loc="left")
    assert "left out: 4,960 at distance 1" in words(around)
    flow = rg.plot.look_through_flow(graph, "holder", lang="en")
    assert "(2,491 left out)" in flow.get_title(loc="left")
    assert "2,491 others" in words(flow)
    known = graph.relations.query("kind == 'invests'")["amount"].sort_values()
    assert f"{known.iloc[:-8].sum() / 1e9:,.4g}bn" in words(flow)  # what the others hold together
    life = rg.plot.timeline(graph, "holder", lang="en")
    assert "4,975 others" in words(life)
    plt.close("all")


def test_shares_intervals_and_loops_are_on_the_tree():
    ring = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["A", "B", "C"], "kind": "company"}),
        pd.DataFrame(
            {
                "source": ["A", "B", "C", "C"],
                "target": ["B", "A", "A", "B"],
                "kind": ["owns", "owns", "owns", "controls"],
                "share_min": [0.125, 0.25, np.nan, np.nan],
                "share_max": [0.125, 0.5, np.nan, np.nan],
            }
        ),
    )
    texts = {text.get_text() for text in rg.plot.ownership_tree(ring, "A").texts}
    assert {"12.5%", "25–50%", "?", "协议控制"} <= texts
    assert any("循环持股" in text for text in texts)
    plt.close("all")


def test_heatmap_of_a_nesting_report():
    report = rg.nesting.NestingScorer().fit(rg.datasets.toy_nested_product()).report_
    ax = rg.plot.nesting_heatmap(report, lang="en")
    met = set(report["sector_codes"].sum())
    assert {text.get_text().replace("\n", " ") for text in ax.get_xticklabels()} == {
        SECTOR_TEXTS[code][0] for code in met
    }
    assert len(met) > 2
    pixels(ax)


def test_given_axes_are_used():
    _, ax = plt.subplots()
    assert rg.plot.timeline(rg.datasets.toy_dated(), rg.datasets.toy_dated().ids[0], ax=ax) is ax
    plt.close("all")


def test_parameters_are_checked():
    graph = lone()
    with pytest.raises(rg.InvalidParameter, match="'lang' must be 'zh' or 'en'; got 'fr'"):
        rg.plot.timeline(graph, "甲", lang="fr")
    with pytest.raises(rg.InvalidParameter, match="'direction' must be 'up' or 'down'; got 'left'"):
        rg.plot.ownership_tree(graph, "甲", direction="left")
    with pytest.raises(rg.InvalidParameter, match="'graph' must be an EntityGraph or a nesting report"):
        rg.plot.nesting_heatmap([1])


def test_a_missing_glyph_is_named():
    with pytest.warns(rg.plot.MissingGlyphWarning, match=r"no font here has \U0001f680 \(U\+1F680\)"):
        check_glyphs("火箭\U0001f680")


def test_dollar_signs_are_no_mathematics():
    graph = rg.EntityGraph.from_tables(pd.DataFrame({"id": ["$x^2$ {"], "kind": ["company"]}), NONE)
    pixels(rg.plot.ownership_tree(graph, "$x^2$ {"))


def test_labels_break_and_end_with_an_ellipsis():
    assert label("甲乙丙丁戊己庚辛壬癸", 4) == "甲乙丙丁\n戊己庚…"
    assert label("Acme Ltd", 12) == "Acme Ltd"
    assert label("互联网资产管理", 5, 3) == "互联网资\n产管理"  # equal rows, no lonely last character
    assert label("甲乙丙丁P2P信息服务有限公司", 10) == "甲乙丙丁P2P信息服务\n有限公司"
    for name in ("x" * 100, "甲" * 100, "a b " * 50, "", " "):
        rows = label(name, 6, 2).split("\n")
        assert len(rows) <= 2
        assert all(sum(2 if ord(letter) > 0x2E7F else 1 for letter in row) <= 13 for row in rows)


def test_layers_keep_neighbours_together():
    spots = place([[0, 1], [2, 3]], [(0, 3), (1, 2)], dict.fromkeys(range(4), 1.0), 0.2)
    assert (spots[0] < spots[1]) == (spots[3] < spots[2])
    assert abs(spots[0] - spots[1]) >= 1.2


def test_layers_are_longest_distances_and_loops_are_named():
    links = [(0, 1), (1, 2), (0, 2), (2, 3), (3, 1)]
    layer, back = layer_of([0], links)
    assert layer == {0: 0, 1: 1, 2: 2, 3: 3}
    assert back == {(3, 1)}
    layers, short, ways = bend(layer, [link for link in links if link not in back])
    assert ways[0, 2] == [0, -1, 2]  # round the box of 1
    assert set(layers[1]) == {1, -1}
    assert len(short) == 5


def test_trunks_are_straight():
    """A chain of shells with one minority holder each keeps its place from layer to layer."""
    layers = [[0], *([10 * level, 10 * level + 1] for level in range(1, 8))]
    links = [(0, 10), (0, 11)] + [(10 * level, 10 * level + 10 + side) for level in range(1, 7) for side in (0, 1)]
    spots = place(layers, links, dict.fromkeys([node for layer in layers for node in layer], 1.0), 0.2)
    assert max(abs(spots[10 * level] - spots[0]) for level in range(1, 7)) < 0.4


def test_money_and_percent():
    assert [money(value, "en") for value in (0.0, 999.0, 1.5e9)] == ["0", "999", "1.5bn"]
    assert percent(0.0, 1.0) == "0–100%"
    assert percent(1 / 3, 1 / 3) == "33.33%"
