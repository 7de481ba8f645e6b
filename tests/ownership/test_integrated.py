"""Integrated ownership against published figures, exact rational arithmetic and its own laws."""

from __future__ import annotations

import itertools
import logging
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.ownership import integrated_ownership
from riskgraph.ownership._holdings import holdings
from riskgraph.ownership._spread import TooManyPairs, stakes
from riskgraph.ownership._values import spread

FACTS = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "ownership.yaml").read_text(encoding="utf-8"))


def shares(frame: pd.DataFrame) -> dict[tuple[str, str], tuple[float, float]]:
    return {(row.owner, row.asset): (row.share_min, row.share_max) for row in frame.itertuples()}


@pytest.mark.parametrize("fact", FACTS, ids=[fact["id"] for fact in FACTS])
def test_published_figure(fact, company_graph):
    graph = company_graph(fact.get("holdings") or fact["bands"])
    found = shares(integrated_ownership(graph, method=fact.get("method", "corrected")))
    for owner, asset, *bounds in fact["expected"]:
        least, greatest = float(Fraction(str(bounds[0]))), float(Fraction(str(bounds[-1])))
        assert found[owner, asset] == pytest.approx((least, greatest), abs=1e-12), (owner, asset)
        if fact.get("exactly"):
            assert found[owner, asset] == (least, greatest)
    assert not {tuple(pair) for pair in fact.get("absent", ())} & set(found)
    assert sorted(fact.get("over", ())) == sorted(
        row.problem.split("'")[1] for row in graph.quality.itertuples() if "sum to" in row.problem
    )


def test_chain_of_forty_levels(company_graph):
    names = ["P", *(f"C{level:02}" for level in range(1, 41))]
    graph = company_graph([(a, b, 0.51) for a, b in itertools.pairwise(names)])
    found = shares(integrated_ownership(graph, ["P"], ["C40"]))
    assert found["P", "C40"][0] == pytest.approx(0.51**40, abs=1e-18)


def test_chain_of_five_thousand_levels_in_seconds(company_graph):
    names = [f"C{level}" for level in range(5001)]
    graph = company_graph([(a, b, 0.999) for a, b in itertools.pairwise(names)])
    from_top = integrated_ownership(graph, ["C0"])
    assert len(from_top) == 5000
    assert from_top["share_min"].iloc[-1] == pytest.approx(0.999**5000, rel=1e-12)
    of_last = integrated_ownership(graph, assets=["C5000"])
    assert of_last["share_min"].iloc[0] == pytest.approx(0.999**5000, rel=1e-12)


# -- exact arithmetic ------------------------------------------------------------------------------------------------


def inverse(M: list[list[Fraction]]) -> list[list[Fraction]] | None:
    """Inverse by Gauss and Jordan, None where there is none."""
    n = len(M)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(n))] for i, row in enumerate(M)]
    for k in range(n):
        pivot = next((r for r in range(k, n) if rows[r][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for r in range(n):
            if r != k and rows[r][k] != 0:
                factor = rows[r][k]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[k], strict=True)]
    return [row[n:] for row in rows]


@st.composite
def settled_shares(draw):
    """Up to eight companies, shares in whole percent, cross- and self-holdings, never a closed group."""
    n = draw(st.integers(2, 8))
    rows = {}
    for j in range(n):
        left = 99  # one percent stays outside, so that no group owns all of itself
        for i in draw(st.lists(st.integers(0, n - 1), max_size=4, unique=True)):
            part = draw(st.integers(0, left))
            rows[i, j] = part
            left -= part
    return n, rows


@settings(max_examples=60, deadline=None)
@given(settled_shares(), st.integers(0, 7))
def test_equals_the_rational_inverse(company_graph, drawn, asked):
    n, rows = drawn
    asked %= n
    ids = [f"e{i}" for i in range(n)]
    graph = company_graph([(ids[i], ids[j], part / 100) for (i, j), part in rows.items()], ids)
    N = inverse([[Fraction(int(i == j)) - Fraction(rows.get((i, j), 0), 100) for j in range(n)] for i in range(n)])
    assert N is not None
    corrected = {(i, j): N[i][j] / N[i][i] for i in range(n) for j in range(n) if i != j and N[i][j]}
    all_walks = {(i, j): N[i][j] for i, j in corrected}
    for method, expected in (("corrected", corrected), ("all_walks", all_walks)):
        for frame, which in (
            (integrated_ownership(graph, method=method), lambda i, j: True),
            (integrated_ownership(graph, [ids[asked]], method=method), lambda i, j: i == asked),
            (integrated_ownership(graph, None, [ids[asked]], method=method), lambda i, j: j == asked),
        ):
            found = shares(frame)
            assert set(found) == {(ids[i], ids[j]) for i, j in expected if which(i, j)}
            for (i, j), value in expected.items():
                if which(i, j):
                    assert found[ids[i], ids[j]] == pytest.approx((float(value),) * 2, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(settled_shares())
def test_simple_paths_equal_the_paths_spelled_out(company_graph, drawn):
    n, rows = drawn
    ids = [f"e{i}" for i in range(n)]
    weight = {pair: part / 100 for pair, part in rows.items() if part}
    graph = company_graph([(ids[i], ids[j], part / 100) for (i, j), part in rows.items()], ids)

    def paths(node: int, seen: tuple[int, ...], product: float) -> dict[int, float]:
        found: dict[int, float] = {}
        for (i, j), part in weight.items():
            if i == node and j not in seen:
                found[j] = found.get(j, 0.0) + product * part
                for end, value in paths(j, (*seen, j), product * part).items():
                    found[end] = found.get(end, 0.0) + value
        return found

    # treasury shares are a walk that visits the company twice: they count for no simple path
    found = shares(integrated_ownership(graph, method="simple_paths"))
    for i in range(n):
        expected = paths(i, (i,), 1.0)
        for j, value in expected.items():
            assert found[ids[i], ids[j]][0] == pytest.approx(value, abs=1e-12)


# -- laws ------------------------------------------------------------------------------------------------------------


def test_owners_of_fully_declared_companies_sum_to_one(company_graph):
    """A thousand random groups of companies side by side in one graph, each with cross-holdings and two persons."""
    rng = np.random.default_rng(20161125)
    rows = []
    for group in range(1000):
        n = int(rng.integers(2, 7))
        names = [f"{group}c{k}" for k in range(n)]
        for j, company in enumerate(names):
            others = [name for k, name in enumerate(names) if k != j and rng.random() < 0.6]
            # whole hundredths of a percent; each company has at least 1 % with the persons
            cuts = np.sort(rng.integers(0, 9_901, len(others)))
            parts = np.diff(np.r_[0, cuts])
            rest = 10_000 - int(parts.sum())
            ann = int(rng.integers(0, rest + 1))
            rows += [(a, company, part / 10_000) for a, part in zip(others, parts, strict=True)]
            rows += [(f"{group}ann", company, ann / 10_000), (f"{group}bob", company, (rest - ann) / 10_000)]
    graph = company_graph(rows)
    persons = [id for id in graph.ids if id.endswith(("ann", "bob"))]
    frame = integrated_ownership(graph, persons)
    assert np.array_equal(frame["share_min"], frame["share_max"])
    sums = frame.groupby("asset")["share_min"].sum()
    assert len(sums) == len({row[1] for row in rows})
    assert (sums - 1).abs().max() < 1e-12


def test_a_holding_of_nothing_changes_nothing(company_graph):
    rows = [("P", "A", 0.5), ("A", "B", 0.4), ("B", "A", 0.3), ("Q", "B", np.nan, np.nan)]
    before = integrated_ownership(company_graph(rows))
    after = integrated_ownership(company_graph([*rows, ("Q", "A", 0.0), ("A", "Q", 0.0)]))
    pd.testing.assert_frame_equal(before, after)


def test_relabelling_permutes(company_graph, random_shares):
    rng = np.random.default_rng(3)
    for _ in range(10):
        _, _, rows = random_shares(rng, 7, density=0.4, exact=0.6)
        new = dict(zip((f"e{i}" for i in range(7)), rng.permutation([f"e{i}" for i in range(7)]), strict=True))
        plain = shares(integrated_ownership(company_graph(rows)))
        other = shares(integrated_ownership(company_graph([(new[a], new[b], x, y) for a, b, x, y in rows])))
        assert {(new[a], new[b]) for a, b in plain} == set(other)
        for (a, b), bounds in plain.items():
            assert other[new[a], new[b]] == pytest.approx(bounds, abs=1e-12)


def test_what_is_asked_is_what_all_pairs_hold(company_graph, random_shares):
    rng = np.random.default_rng(4)
    for _ in range(8):
        _, _, rows = random_shares(rng, 8, density=0.35, exact=0.7)
        graph = company_graph(rows, ids=[f"e{i}" for i in range(8)])
        for method in ("corrected", "all_walks"):
            whole = integrated_ownership(graph, method=method)
            for least in (0.1, 0.25, 0.5):
                some = integrated_ownership(graph, method=method, min_share=least)
                expected = whole[whole["share_max"] >= least].reset_index(drop=True)
                pd.testing.assert_frame_equal(some, expected, atol=1e-12)
            asked = integrated_ownership(graph, ["e0", "e1"], ["e1", "e2"], method=method)
            expected = whole[whole["owner"].isin(["e0", "e1"]) & whole["asset"].isin(["e1", "e2"])]
            pd.testing.assert_frame_equal(asked, expected.reset_index(drop=True), atol=1e-12)


def test_order_is_that_of_the_entities(company_graph):
    graph = company_graph([("B", "C", 0.5), ("A", "C", 0.5), ("C", "D", 1.0)], ids=["D", "C", "B", "A"])
    frame = integrated_ownership(graph)
    assert frame["owner"].tolist() == ["C", "B", "B", "A", "A"]
    assert frame["asset"].tolist() == ["D", "D", "C", "D", "C"]
    assert frame.columns.tolist() == ["owner", "asset", "direct_min", "direct_max", "share_min", "share_max"]


def test_direct_shares_are_cut_by_what_others_leave(company_graph):
    graph = company_graph([("P", "A", np.nan, np.nan), ("R", "A", 0.3), ("S", "A", 0.2, 0.9)])
    frame = integrated_ownership(graph).set_index("owner")
    assert frame.loc["P", ["direct_min", "direct_max"]].tolist() == pytest.approx([0.0, 0.5])
    assert frame.loc["S", ["direct_min", "direct_max"]].tolist() == pytest.approx([0.2, 0.7])
    held = holdings(graph)
    assert held.remainder[graph.code("A")] == pytest.approx(0.5)
    assert held.pair(graph.code("A"), graph.code("P")) == -1


def test_shares_that_are_no_short_decimals_are_kept_as_they_are(company_graph):
    graph = company_graph([("P", "A", 1 / 3), ("R", "A", 0.25), ("S", "A", 0.1, 0.7 / 3), ("R", "B", 2 / 3)])
    held = holdings(graph)
    assert holdings(graph, votes=True) is held
    least = dict(zip(zip(graph.ids[held.owner], graph.ids[held.company], strict=True), held.low, strict=True))
    assert least == {("P", "A"): 1 / 3, ("R", "A"): 0.25, ("S", "A"): 0.1, ("R", "B"): 2 / 3}
    assert held.high[held.pair(graph.code("S"), graph.code("A"))] == 0.7 / 3
    assert held.exact_low[held.pair(graph.code("P"), graph.code("A"))] == 333_333_333_333_333


# -- rings without owners --------------------------------------------------------------------------------------------


def test_a_closed_ring_is_reported(caplog):
    graph = rg.datasets.toy_ring()
    with caplog.at_level(logging.WARNING, logger="riskgraph"):
        frame = integrated_ownership(graph)
    (loop,) = frame.attrs["ownerless_loops"]
    assert set(loop) == {"North", "East", "South"}
    assert "closed groups that own all of themselves: 1" in caplog.text
    found = shares(frame)
    assert found["Ann", "Mine"] == pytest.approx((0.2, 0.2))
    # each member owns all of the others, and what they own outside
    assert found["North", "South"] == (1.0, 1.0)
    assert found["North", "Mine"] == found["East", "Mine"] == pytest.approx((0.8, 0.8))
    assert shares(integrated_ownership(graph, assets=["Mine"]))["North", "Mine"] == pytest.approx((0.8, 0.8))
    # every walk of a closed ring comes back for ever
    assert shares(integrated_ownership(graph, method="all_walks"))["North", "Mine"][0] == math.inf


def test_a_company_that_owns_all_of_itself(company_graph):
    frame = integrated_ownership(company_graph([("A", "A", 1.0), ("A", "B", 0.5)]))
    assert frame.attrs["ownerless_loops"] == [("A",)]
    assert shares(frame) == {("A", "B"): (0.5, 0.5)}


def test_nobody_outside_has_a_part_of_a_closed_ring(company_graph):
    graph = company_graph([("A", "B", 1.0), ("B", "A", 1.0), ("P", "A", np.nan, np.nan)])
    assert not (integrated_ownership(graph)["owner"] == "P").any()


def test_shares_above_one_that_circulate_for_ever_are_infinite(company_graph):
    graph = company_graph([("A", "B", 1.0), ("B", "A", 1.0), ("P", "A", 0.5), ("P", "B", 0.2)])
    assert len(graph.quality) == 2
    found = shares(integrated_ownership(graph))
    assert found["P", "A"][0] == math.inf
    assert found["A", "B"] == (1.0, 1.0)


def test_almost_closed_rings_keep_their_digits(company_graph):
    graph = company_graph([("A", "B", 1.0), ("B", "A", 0.999999), ("P", "A", 0.000001), ("B", "T", 0.7)])
    found = shares(integrated_ownership(graph))
    assert found["A", "T"] == pytest.approx((0.7, 0.7), abs=1e-12)
    assert found["P", "T"] == pytest.approx((0.7, 0.7), abs=1e-9)


# -- arguments -------------------------------------------------------------------------------------------------------


def test_arguments_are_checked(company_graph):
    graph = company_graph([("A", "B", 0.5)])
    with pytest.raises(
        rg.InvalidParameter, match="'method' must be one of corrected, all_walks, simple_paths; got 'x'"
    ):
        integrated_ownership(graph, method="x")
    with pytest.raises(rg.InvalidParameter, match=r"'min_share' must be in \[0, 1\]; got 2"):
        integrated_ownership(graph, min_share=2)
    with pytest.raises(rg.UnknownEntity, match="no entity 'Z'"):
        integrated_ownership(graph, ["Z"])


def test_too_many_paths_are_refused(company_graph, monkeypatch):
    monkeypatch.setattr("riskgraph.ownership._paths.STEPS", 100)
    names = [f"e{i}" for i in range(9)]
    graph = company_graph([(a, b, 0.1) for a in names for b in names if a != b])
    with pytest.raises(rg.NotConverged, match="simple_paths needs more than 100 steps"):
        integrated_ownership(graph, method="simple_paths")


def test_too_many_rows_are_refused(company_graph, monkeypatch):
    monkeypatch.setattr("riskgraph.ownership.integrated.MOST_ROWS", 3)
    graph = company_graph([("A", "B", 0.5), ("B", "C", 0.5), ("C", "D", 0.5)])
    with pytest.raises(rg.InvalidParameter, match="more than 3 pairs"):
        integrated_ownership(graph)
    assert len(integrated_ownership(graph, min_share=0.5)) == 3


def test_small_blocks_give_the_same(company_graph, random_shares, monkeypatch):
    rng = np.random.default_rng(5)
    _, _, rows = random_shares(rng, 12, density=0.3, exact=0.7)
    graph = company_graph(rows)
    whole = integrated_ownership(graph)
    monkeypatch.setattr("riskgraph.ownership.integrated.BLOCK", 5)
    monkeypatch.setattr("riskgraph.ownership.integrated.BLOCK_PAIRS", 20)
    monkeypatch.setattr("riskgraph.ownership._rings.BATCH", 30)
    pd.testing.assert_frame_equal(integrated_ownership(graph), whole, atol=1e-12)


def test_owners_who_cannot_reach_the_threshold_any_more_are_not_followed(company_graph):
    # P's 30 % of L lead nowhere, its 1 % of A lead to 1 % of B, C and D
    rows = [("P", "L", 0.3), ("P", "A", 0.01), ("A", "B", 1.0), ("B", "C", 1.0), ("C", "D", 1.0)]
    graph = company_graph(rows, ids=["P", "L", "A", "B", "C", "D"])
    given = stakes(holdings(graph), np.arange(6))
    followed = [spread(given, np.array([0]), at_least=least, most=9).node.tolist() for least in (0.0, 0.25)]
    assert [sorted(nodes) for nodes in followed] == [[0, 1, 2, 3, 4, 5], [0, 1, 2]]


def test_a_small_share_counts_where_it_adds_to_a_great_one(company_graph):
    # P's 3 % of B add to what it has of X through C; its A leads no further than B
    rows = [("P", "A", 0.3), ("A", "B", 0.1), ("B", "X", 1 / 4), ("P", "C", 0.3), ("C", "X", 3 / 4)]
    found = shares(integrated_ownership(company_graph(rows), ["P"], min_share=0.23))
    assert found == {("P", "A"): (0.3, 0.3), ("P", "C"): (0.3, 0.3), ("P", "X"): (0.2325, 0.2325)}


def test_a_small_share_counts_where_a_ring_makes_it_great(company_graph):
    # A belongs to B to 70 % and B to A: what P holds of A is 20 of the 30 % that others hold
    rows = [("P", "A", 0.2), ("B", "A", 0.7), ("A", "B", 1.0)]
    found = integrated_ownership(company_graph(rows), ["P"], min_share=0.5)
    assert found["asset"].tolist() == ["A", "B"]
    assert found["share_min"].tolist() == pytest.approx([2 / 3, 2 / 3], rel=1e-12)


@pytest.mark.parametrize(
    ("rows", "pairs"),
    [([("A", "B", 0.5), ("B", "A", 0.5)], 4), ([("A", "B", 0.5), ("B", "C", 0.5)], 6)],
    ids=["ring", "chain"],
)
def test_no_more_pairs_than_allowed_are_met(company_graph, rows, pairs):
    given = stakes(holdings(company_graph(rows)), np.arange(pairs // 2))
    owners = np.arange(pairs // 2)
    assert spread(given, owners, most=pairs).size == pairs
    with pytest.raises(TooManyPairs):
        spread(given, owners, most=pairs - 1)


def test_a_ring_too_large_to_invert_is_solved_in_parts(company_graph, monkeypatch):
    monkeypatch.setattr("riskgraph.ownership._columns.INVERTED", 2)
    n = 300
    graph = company_graph([(f"e{i}", f"e{(i + 1) % n}", 0.99) for i in range(n)])
    frame = integrated_ownership(graph, assets=["e0"])
    assert frame["owner"].tolist() == [f"e{i}" for i in range(1, n)]
    assert frame["share_min"].to_numpy() == pytest.approx(0.99 ** np.arange(n - 1, 0, -1), rel=1e-12)


def test_a_graph_without_holdings(company_graph):
    frame = integrated_ownership(company_graph([], ids=["A", "B"]))
    assert frame.empty
    assert frame.columns.tolist() == ["owner", "asset", "direct_min", "direct_max", "share_min", "share_max"]
    assert integrated_ownership(company_graph([], ids=["A", "B"]), ["A"], ["B"]).empty
    assert integrated_ownership(company_graph([], ids=["A", "B"]), None, ["B"]).empty


def test_shares_are_not_votes():
    """Ownership, its explanation and close links go by shares, whatever the votes."""
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["p", "a", "b"], "kind": ["person", "company", "company"]}),
        pd.DataFrame(
            {"source": ["p", "a"], "target": ["a", "b"], "kind": "owns", "share": [0.6, 0.1],
             "votes_min": [0.9, 0.8], "votes_max": [0.9, 0.8]}
        ),
    )  # fmt: skip
    found = rg.ownership.integrated_ownership(graph).set_index(["owner", "asset"])
    assert found["share_min"].round(12).to_dict() == {("p", "a"): 0.6, ("p", "b"): 0.06, ("a", "b"): 0.1}
    assert rg.ownership.explain_ownership(graph, "p", "b")["share_max"].round(12).tolist() == [0.6, 0.1]
    assert not (rg.ownership.close_links(graph)[["a", "b"]] == ["a", "b"]).all(axis=1).any()
