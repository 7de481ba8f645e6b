"""Tests that mutants of ``tables.py`` asked for: each fails on a change that the other tests let pass."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg

ENTITIES = pd.DataFrame({"id": ["a", "b"], "kind": "company"})
NONE = pd.DataFrame({"source": [], "target": [], "kind": []})


@pytest.mark.parametrize("bound", ["share_min", "share_max"])
def test_a_bound_that_equals_the_share_agrees_with_it(bound):
    relations = pd.DataFrame({"source": ["a"], "target": ["b"], "kind": ["owns"], "share": [0.5], bound: [0.5]})
    assert rg.EntityGraph.from_tables(ENTITIES, relations).relations["share_min"].tolist() == [0.5]


def test_a_fact_without_a_name_is_refused():
    facts = pd.DataFrame({"entity": ["a"], "fact": [None], "value": [1.0]})
    with pytest.raises(rg.InvalidTable, match="column fact"):
        rg.EntityGraph.from_tables(ENTITIES, NONE, facts=facts)


@pytest.mark.parametrize(("text", "truth"), [("0", False), ("1", True), (0, False), (1, True), ("false", False)])
def test_a_fact_of_yes_or_no_in_digits(text, truth):
    facts = pd.DataFrame({"entity": ["a"], "fact": ["capital_pool"], "value": [text]})
    assert rg.EntityGraph.from_tables(ENTITIES, NONE, facts=facts).facts["value"].tolist() == [truth]
