"""One automaton for all lists, against plain searching."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskgraph.errors import InvalidParameter
from riskgraph.supervision import keyword_hits
from riskgraph.supervision._automaton import Automaton

LETTERS = "基金管理贷P２pⅡ㈱ß網 A"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(LETTERS, min_size=1, max_size=4), min_size=1, max_size=6, unique=True),
    st.lists(st.text(LETTERS, max_size=15), max_size=5),
)
def test_every_occurrence_and_no_other(words, texts):
    hits = Automaton(words, {"網": "网"}).find(texts)
    got = set(zip(hits.row.tolist(), hits.start.tolist(), hits.stop.tolist(), hits.word.tolist(), strict=True))

    def folded(text):
        forms = [unicodedata.normalize("NFKC", letter).casefold().replace("網", "网") for letter in text]
        origin = [place for place, form in enumerate(forms) for _ in form]
        return "".join(forms), origin

    expected = set()
    for row, text in enumerate(texts):
        plain, origin = folded(text)
        for index, word in enumerate(words):
            needle, _ = folded(word)
            place = plain.find(needle)
            while place >= 0:
                expected.add((row, origin[place], origin[place + len(needle) - 1] + 1, index))
                place = plain.find(needle, place + 1)
    assert got == expected


def test_words_do_not_reach_over_texts():
    assert len(Automaton(["基金"]).find(["某基", "金某"])) == 0
    assert len(Automaton(["基金"]).find([])) == 0
    assert len(Automaton(["基金"]).find([None, ""])) == 0


@pytest.mark.parametrize(
    ("scope", "negated"),
    [
        ("销售;基金管理", False),
        ("销售(不得从事基金管理)", True),
        ("不得从事吸收存款、理财、基金管理等业务;投资管理", True),
        ("企业管理(不含基金管理)", True),
        ("企业管理(基金管理除外)", True),
        ("不得拖欠;基金管理", False),
    ],
)
def test_negated_scopes(make, catalogue, scope, negated):
    hits = keyword_hits(make({"C": {"scope": scope}}), catalogue, lists=["A"])
    assert hits.loc[hits["word"] == "基金管理", "negated"].tolist() == [negated]


def test_ended_firms_and_persons_are_not_searched(make, catalogue):
    graph = make(
        {"C": {"name": "某网贷", "start": "2010-01-01", "end": "2016-01-01"}, "p": {"kind": "person", "name": "金融"}}
    )
    assert len(keyword_hits(graph, catalogue, at="2016-06-30")) == 0
    assert len(keyword_hits(graph, catalogue, at="2015-06-30")) == 1
    with pytest.raises(InvalidParameter, match="'lists' must name keyword lists"):
        keyword_hits(graph, catalogue, lists=["Q"])
