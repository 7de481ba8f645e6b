"""The page of a backtest: whole, harmless, the same every time, with the numbers of the run."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import unescape

import pytest

import riskgraph as rg
from riskgraph.learning import figures, reliability
from riskgraph.learning._card import sections
from riskgraph.report.backtest import backtest

CUTOFFS = ["2016-03-31", "2016-06-30", "2016-09-30"]


@pytest.fixture(scope="module")
def result():
    graph = rg.datasets.load_county().graph
    return rg.learning.backtest(graph, rg.risk.RiskCascade(), CUTOFFS, n_bootstrap=30)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_page_holds_the_card_and_five_pictures(result, lang, tmp_path):
    text = backtest(result, tmp_path / "a.html", lang=lang).read_text("utf-8")
    assert text == backtest(result, tmp_path / "b.html", lang=lang).read_text("utf-8")
    plain = unescape(text)
    for section in sections(result, lang):
        assert f"<h2>{section.title}</h2>" in plain
        for part in section.parts:
            for line in [part] if isinstance(part, str) else part if isinstance(part, list) else []:
                assert line in plain
    assert figures(result).loc[0, "ROC AUC"] in plain
    assert text.count("<figure>") == 5
    # every picture is well-formed by itself
    for picture in re.findall(r"<figure>.*?</figure>", text, re.DOTALL):
        assert ET.fromstring(picture).find("svg").get("role") == "img"


def test_curves_and_bars_of_every_cutoff(result, tmp_path):
    text = backtest(result, tmp_path / "a.html", lang="en").read_text("utf-8")
    pictures = re.findall(r"<figure>.*?</figure>", text, re.DOTALL)
    for picture in pictures[:3]:
        assert [day for day in CUTOFFS if day in picture] == CUTOFFS
    assert pictures[3].count("<circle") == len(reliability(result))
    assert pictures[4].count("<circle") == len(CUTOFFS)
    assert pictures[4].count('class="hollow"') == 1  # the last horizon is not over


def test_nothing_from_outside_no_program_no_entity(result, tmp_path):
    text = backtest(result, tmp_path / "a.html", title="<script>alert(1)</script>").read_text("utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not re.search(r"(src|href)=\"?(https?:)?//", text)
    assert "default-src 'none'" in unescape(text)
    assert "style=" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)  # the policy would drop it
    assert "@media print" in text
    body = text.split("<body>")[1]
    assert not [entity for entity in result.run.scores["entity"].unique() if re.search(rf"\b{entity}\b", body)]


def test_no_figures_no_pictures_and_rules(result, tmp_path):
    graph = rg.datasets.load_county().graph
    nobody = rg.learning.backtest(graph, rg.risk.RiskCascade(), "2010-06-30", n_bootstrap=5)
    text = backtest(nobody, tmp_path / "a.html").read_text("utf-8")
    assert "<figure>" not in text
    assert "无主体立案" in text
    with pytest.raises(rg.InvalidParameter, match=r"'path' must end in \.html; got"):
        backtest(result, tmp_path / "a.pdf")
    with pytest.raises(rg.InvalidParameter, match="'lang' must be 'zh' or 'en'; got 'de'"):
        backtest(result, tmp_path / "a.html", lang="de")
    with pytest.raises(rg.InvalidParameter, match="'result' must be what backtest returned"):
        backtest(result.head(1), tmp_path / "a.html")
