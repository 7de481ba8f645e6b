"""Matching firms: legal forms, brackets, brand and full name, codes; series of funds kept apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

import riskgraph as rg
from riskgraph import identity
from riskgraph.identity._candidates import equal_keys, grams, similar_names

NONE = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)
TRADES = ["投资管理", "信息技术", "商务咨询", "网络科技", "融资担保", "供应链管理"]


def firms(names, prefix="f", **columns):
    frame = pd.DataFrame(
        {"id": [f"{prefix}{row}" for row in range(len(names))], "kind": "company", "name": names, **columns}
    )
    return rg.EntityGraph.from_tables(frame, NONE)


def two_registers(seed=0, size=300):
    """A register of full names, and one of short or reordered names, half of them of other firms."""
    rng = np.random.default_rng(seed)
    letters = list("甲乙丙丁戊己庚辛子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒")
    brand = ["".join(rng.choice(letters, 3)) for _ in range(2 * size)]
    trade, place = rng.choice(TRADES, 2 * size), rng.choice(["澄湖", "远山", "北港"], 2 * size)
    full = [f"{p}{b}{t}有限公司" for p, b, t in zip(place, brand, trade, strict=True)]
    shapes = [
        lambda r: full[r],
        lambda r: f"{brand[r]}{trade[r]}（{place[r]}）有限公司",
        lambda r: full[r].replace("有限公司", "股份有限公司"),
        lambda r: brand[r] + trade[r],
    ]
    other = [shapes[rng.integers(4)](row) for row in range(size // 2, size // 2 + size)]
    capital = rng.choice([100.0, 500.0, 1000.0, 2000.0, 5000.0], 2 * size)
    rows = np.arange(size // 2, size // 2 + size)
    one = firms(full[:size], "a", registered_in=place[:size], capital=capital[:size])
    two = firms(other, "b", registered_in=place[rows], capital=capital[rows])
    truth = {(f"a{row}", f"b{row - size // 2}") for row in range(size // 2, size)}
    return one, two, truth


def test_registers_are_matched_beyond_exact_names():
    one, two, truth = two_registers()
    weights = identity.estimate_weights(one, two, kind="company")
    found = identity.match(one, two, kind="company", weights=weights, least=0.0)
    pair = list(zip(found["source"], found["target"], strict=True))
    right = np.array([one_pair in truth for one_pair in pair])
    sure = found["confidence"].to_numpy() >= 0.5
    exact = found["evidence"].str.startswith("same_name").to_numpy()
    assert right[sure].mean() > 0.95
    assert right[sure].sum() > 0.95 * len(truth)
    assert right[exact].sum() < 0.5 * len(truth)
    assert np.mean((found["confidence"] - right) ** 2) < 0.05


def test_spellings_brackets_and_series():
    graph = firms(
        [
            "澄湖甲乙丙投资有限公司",
            "澄湖甲乙丙投资股份有限公司",
            "甲乙丙投资（澄湖）有限公司",
            "子丑寅一号基金",
            "子丑寅二号基金",
            "臺灣天地網絡有限公司",
            "台湾天地网络有限公司",
        ]
    )
    found = identity.match(graph, kind="company", least=0.0).set_index(["source", "target"])
    assert found.loc[("f0", "f1"), "evidence"].startswith("same_core_name")
    assert ("f0", "f2") in found.index or ("f1", "f2") in found.index
    assert "other_numbers" in found.loc[("f3", "f4"), "evidence"]
    assert found.loc[("f5", "f6"), "evidence"].startswith("same_name")
    assert found.loc[("f3", "f4"), "confidence"] < 0.1 < found.loc[("f5", "f6"), "confidence"]


def test_a_code_joins_other_names_and_parts_equal_ones():
    graph = firms(
        ["甲乙信息技术有限公司", "旧名网络有限公司", "丙丁咨询有限公司", "丙丁咨询有限公司"],
        uscc=["C1", "C1", "C2", "C3"],
    )
    found = identity.match(graph, kind="company", least=0.0).set_index(["source", "target"])
    assert found.loc[("f0", "f1"), "evidence"].startswith("other_name")
    assert "same_uscc" in found.loc[("f0", "f1"), "evidence"]
    assert "other_uscc ×0.02" in found.loc[("f2", "f3"), "evidence"]


def test_sites_and_places_compare():
    graph = firms(
        ["甲乙", "甲乙", "甲乙"],
        website=["https://www.jiayi.com/", "jiayi.com", None],
        registered_in=["110105", "110101", "310000"],
        start=["2014-01-05", "2014-01-05", "2014-06-01"],
    )  # fmt: skip
    found = identity.match(graph, kind="company", least=0.0).set_index(["source", "target"])["evidence"]
    for word in ("same_website", "same_province", "same_start"):
        assert word in found[("f0", "f1")]
    assert "website" not in found[("f0", "f2")]  # unknown says nothing
    assert "other_registered_in" in found[("f0", "f2")]
    assert "same_start_year" in found[("f0", "f2")]


def test_search_by_pieces_finds_what_all_pairs_find():
    rng = np.random.default_rng(4)
    names = ["".join(rng.choice(list("甲乙丙丁戊己庚辛"), 5)) + "投资" for _ in range(200)]
    table = grams(names)
    rows = np.arange(200)
    a, b, left_out = similar_names(table, rows, None, budget=10**9, overlap=np.inf)
    cosine = (table.unit @ table.unit.T).toarray()
    wanted = {(i, j) for i, j in zip(*np.nonzero(np.triu(cosine >= 0.5, 1)), strict=True)}
    assert left_out == 0
    assert set(zip(a, b, strict=True)) <= wanted
    # at most ten partners a row
    assert len(wanted - set(zip(a, b, strict=True))) == sum(
        max(0, sum(i == row for i, _ in wanted) - 10) for row in rows
    )
    _, _, dropped = similar_names(table, rows, None, budget=2000)
    assert dropped > 0


def test_equal_keys_are_all_pairs_of_each_key():
    rng = np.random.default_rng(5)
    keys = rng.choice(list("abcdefg"), 60).astype(object)
    found = equal_keys(keys, None, 10**6)
    assert {(min(i, j), max(i, j)) for i, j in zip(found.a, found.b, strict=True)} == {
        (i, j) for i in range(60) for j in range(i + 1, 60) if keys[i] == keys[j]
    }
    side = (np.arange(60) >= 40).astype(np.int8)
    across = equal_keys(keys, side, 10**6)
    assert sorted(zip(across.a, across.b, strict=True)) == [
        (i, j) for i in range(40) for j in range(40, 60) if keys[i] == keys[j]
    ]
