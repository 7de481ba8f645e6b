"""What a reader of a notebook or a terminal sees: cards harmless for any name, bars that can be turned off."""

from __future__ import annotations

import io
import re
import sys

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph._optional import progress
from riskgraph.supervision import Catalogue, dossier

EVIL = "</script><img src=x onerror=alert(1)>"


class Screen(io.StringIO):
    """Standard error of a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def hostile():
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["C"], "kind": ["company"], "name": [EVIL], "sector": ["p2p"]}),
        pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object),
    )


def test_a_graph_shows_a_card():
    graph = rg.datasets.toy_banned_platform()
    card = graph._repr_html_()
    assert "9 entities, 8 relations" in card
    assert ">company<" in card
    assert "<script" not in card


def test_cards_are_harmless(hostile):
    for card in (hostile._repr_html_(), dossier(hostile, "C", Catalogue.load())._repr_html_()):
        assert "<img" not in card
        assert "<script" not in card


def test_a_dossier_stays_in_its_frame(hostile):
    frame = dossier(hostile, "C", Catalogue.load())._repr_html_()
    assert re.match(r'<iframe sandbox="" ', frame)
    assert "<style" not in frame  # the style is inside the frame, not in the notebook
    assert len(frame) < 100_000


@pytest.mark.parametrize(
    ("screen", "off", "show", "seen"),
    [
        (Screen, False, None, True),
        (Screen, True, None, False),
        (Screen, False, False, False),
        (io.StringIO, False, None, False),
        (io.StringIO, False, True, True),
    ],
)
def test_bars_are_shown_where_somebody_looks(monkeypatch, screen, off, show, seen):
    stream = screen()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("RISKGRAPH_PROGRESS", "0" if off else "1")
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert list(progress(range(3), text="walks", show=show)) == [0, 1, 2]
    assert ("walks" in stream.getvalue()) is seen
