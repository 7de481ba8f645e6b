from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.nesting import layers


def chain(names: Sequence[str], *more: tuple[str, str]) -> list[tuple[object, ...]]:
    rows = [("saver", names[0]), *pairwise(names), (names[-1], "mine"), *more]
    return [(a, b, "invests", 1.0) for a, b in rows]


def test_each_product_of_a_chain_counts_the_whole_chain():
    graph = rg.datasets.toy_nested_product()
    assert [layers(graph, name) for name in ("BankPlan", "TrustPlan", "AssetPlan")] == [3, 3, 3]
    assert isinstance(layers(graph, "BankPlan"), int)


def test_products_side_by_side_are_one_layer(money):
    graph = money(chain(["A", "B", "D"], ("A", "C"), ("C", "D")), "ABCD")
    assert [layers(graph, name) for name in "ABCD"] == [3, 3, 3, 3]


def test_the_longest_of_several_chains_counts(money):
    graph = money(chain("ABC", ("A", "C"), ("A", "E")), "ABCE")
    assert layers(graph).to_dict() == {"A": 3, "B": 3, "C": 3, "E": 2}


def test_circles_and_what_leads_in_or_out_of_one_are_endless(money):
    graph = money(chain("ABCD", ("C", "B")), "ABCDE")
    assert [layers(graph, name) for name in "ABCDE"] == [math.inf] * 4 + [1]


def test_public_funds_are_not_counted(money):
    facts = pd.DataFrame({"entity": ["B", "C"], "fact": ["public_fund"] * 2, "value": [True, "unknown"]})
    graph = money(chain("ABC"), "ABC", facts=facts)
    # an unknown fact makes no public fund
    assert layers(graph).to_dict() == {"A": 2, "B": 2, "C": 2}


def test_a_firm_between_ends_the_chain(money):
    graph = money([("A", "firm", "invests", 1.0), ("firm", "B", "invests", 1.0)], "AB")
    assert layers(graph).to_dict() == {"A": 1, "B": 1}


def test_packaging_and_loans_between_products_are_layers(money):
    graph = money([("A", "B", "packaged_from", None), ("B", "C", "lends", 5.0)], "ABC")
    assert layers(graph, "C") == 3


def test_a_firm_is_no_product():
    with pytest.raises(rg.InvalidParameter, match="must be the id of a product; 'Saver' is of kind 'person'"):
        layers(rg.datasets.toy_nested_product(), "Saver")
