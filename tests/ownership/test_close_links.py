"""Close links against the rule read word by word on small graphs."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.ownership import close_links


def rows_of(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(frame[["a", "b", "reason"]].itertuples(index=False, name=None))


def test_a_fifth_held_directly_is_enough(company_graph):
    graph = company_graph([("Bank", "Issuer", 0.2), ("Other", "Issuer", 0.199)])
    assert rows_of(close_links(graph)) == [("Bank", "Issuer", "owns")]


def test_majority_owned_undertakings_count_in_full(company_graph):
    """5 % of its own and 15 % through an undertaking held by 51 %: a fifth, though multiplied it is 12.65 %."""
    graph = company_graph([("Bank", "Sub", 0.51), ("Sub", "Issuer", 0.15), ("Bank", "Issuer", 0.05)])
    frame = close_links(graph).set_index(["a", "b"])
    assert frame.loc[("Bank", "Issuer"), "share_min"] == 0.2
    assert ("Sub", "Issuer") not in frame.index


def test_half_is_no_majority(company_graph):
    graph = company_graph([("Bank", "Sub", 0.5), ("Sub", "Issuer", 0.9)])
    assert rows_of(close_links(graph)) == [("Bank", "Sub", "owns"), ("Sub", "Issuer", "owns")]


def test_a_majority_may_be_joint_and_cascade(company_graph):
    rows = [("P", "A", 0.6), ("P", "B", 0.3), ("A", "B", 0.3), ("B", "C", 0.3), ("A", "C", 0.25), ("C", "D", 0.2)]
    found = rows_of(close_links(company_graph(rows)))
    assert ("P", "D", "owns") in found  # P holds C by A and B together, and so its 20 % of D
    assert ("A", "D", "owns") not in found


def test_a_third_party_with_the_majority_of_both(company_graph):
    graph = company_graph([("P", "A", 0.6), ("P", "B", 0.9), ("Q", "C", 0.4), ("Q", "D", 0.4)])
    frame = close_links(graph)
    common = frame[frame["reason"] == "common_owner"]
    assert rows_of(common) == [("A", "B", "common_owner")]
    assert common["share_min"].tolist() == [0.6]


def test_members_of_a_ring_have_each_other_in_common(company_graph):
    graph = company_graph([("A", "B", 0.9), ("B", "C", 0.9), ("C", "A", 0.9)])
    common = [row[:2] for row in rows_of(close_links(graph)) if row[2] == "common_owner"]
    assert common == [("A", "B"), ("A", "C"), ("B", "C")]


def test_thresholds_are_exact(company_graph):
    graph = company_graph([("A", "B", 0.6), ("B", "T", 0.1), ("A", "T", 0.1), ("A", "U", 0.1 + 0.2 - 0.1)])
    assert ("A", "T", "owns") in rows_of(close_links(graph))
    tenth = company_graph([("A", "T", 0.1), ("A", "T", 0.1), ("A", "T", 0.1)])
    assert len(close_links(tenth, threshold=0.3)) == 1
    assert close_links(tenth, threshold=0.300000000001).empty


def test_what_may_be_a_link_is_shown_with_its_bounds(company_graph):
    graph = company_graph([("P", "A", np.nan, np.nan), ("R", "A", 0.7), ("S", "B", 0.1, 0.15)])
    frame = close_links(graph).set_index(["a", "b"])
    assert frame.loc[("P", "A"), ["share_min", "share_max"]].tolist() == [0.0, 0.3]
    assert ("S", "B") not in frame.index


def test_a_majority_that_is_only_possible(company_graph):
    graph = company_graph([("P", "A", 0.4, 0.6), ("A", "B", 0.3)])
    frame = close_links(graph).set_index(["a", "b"])
    assert frame.loc[("P", "B"), ["share_min", "share_max"]].tolist() == [0.0, 0.3]


def word_by_word(weight: dict[tuple[str, str], float], ids: list[str], threshold: float) -> set[tuple[str, str, str]]:
    majority: dict[str, set[str]] = {}
    for a in ids:
        group = {a}
        while True:
            more = {b for b in ids if b not in group and sum(weight.get((z, b), 0) for z in group) > 0.5 + 1e-12}
            if not more:
                break
            group |= more
        majority[a] = group - {a}
    found = set()
    for a in ids:
        for b in ids:
            if a != b and sum(weight.get((z, b), 0) for z in {a} | majority[a] if z != b) >= threshold - 1e-12:
                found.add((a, b, "owns"))
    for c in ids:
        for a in majority[c]:
            found |= {(*sorted((a, b)), "common_owner") for b in majority[c] if a != b}
    return found


@pytest.mark.parametrize("seed", range(12))
def test_equals_the_rule_word_by_word(company_graph, seed):
    rng = np.random.default_rng(seed)
    ids = [f"e{i}" for i in range(9)]
    weight = {}
    for b in ids:
        holders = rng.choice(ids, size=int(rng.integers(0, 4)), replace=False)
        parts = np.round(rng.dirichlet(np.ones(len(holders) + 1))[:-1], 2)
        weight |= {(str(a), b): float(part) for a, part in zip(holders, parts, strict=True) if part}
    graph = company_graph([(a, b, part) for (a, b), part in weight.items()], ids)
    assert set(rows_of(close_links(graph))) == word_by_word(weight, ids, 0.2)
    asked = set(rows_of(close_links(graph, entities=["e3", "e4"])))
    assert asked == {row for row in word_by_word(weight, ids, 0.2) if {"e3", "e4"} & set(row[:2])}


def test_capital_rule_multiplies_along_simple_paths(company_graph):
    rows = [("P", "A", 0.5), ("A", "B", 0.5), ("P", "C", 0.3), ("Core", "A", 0.5), ("A", "Core", 0.5)]
    frame = close_links(company_graph(rows), rule="capital").set_index(["a", "b", "reason"])
    assert frame.loc[("P", "B", "owns"), "share_min"] == 0.25
    assert frame.loc[("P", "Core", "owns"), "share_min"] == 0.25  # the walk back into A is no simple path
    assert frame.loc[("B", "C", "common_owner"), "share_min"] == 0.25
    assert ("P", "B", "owns") not in close_links(company_graph(rows)).set_index(["a", "b", "reason"]).index


def test_a_chain_of_six_hundred_majorities(company_graph):
    names = [f"C{level}" for level in range(601)]
    graph = company_graph([(a, b, 0.6) for a, b in itertools.pairwise(names)])
    frame = close_links(graph, entities=["C600"])
    assert (frame["reason"] == "owns").sum() == 600


def test_arguments_are_checked(company_graph, monkeypatch):
    graph = company_graph([("P", "A", 0.6), ("P", "B", 0.6), ("P", "C", 0.6)])
    with pytest.raises(rg.InvalidParameter, match=r"'threshold' must be in \(0, 1\]; got 0"):
        close_links(graph, threshold=0)
    with pytest.raises(rg.InvalidParameter, match="'rule' must be one of majority, capital; got 'x'"):
        close_links(graph, rule="x")
    monkeypatch.setattr("riskgraph.ownership.links.MOST_ROWS", 2)
    with pytest.raises(rg.InvalidParameter, match="common owners link 3 pairs, more than 2; name 'entities'"):
        close_links(graph)
    assert len(close_links(graph, entities=["A"])) == 3
    with pytest.raises(rg.UnknownEntity, match="no entity 'Z'"):
        close_links(graph, entities=["Z"])


def test_nothing_held_nothing_linked(company_graph):
    frame = close_links(company_graph([], ids=["A"]))
    assert frame.empty
    assert frame.columns.tolist() == ["a", "b", "reason", "share_min", "share_max"]
