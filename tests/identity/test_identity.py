"""Identifiers, names, matches with probabilities, merges by decision and undone, list screening."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph import identity

NONE = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("91110000600037341L", "uscc"),
        (" 91110000-600037341l", "uscc"),
        ("91110000600037341M", "unknown"),  # wrong check digit
        ("110101199003074514", "cn_id_card"),  # eighteen digits, but of a person
        ("213800KUD8LAJWSQ9D15", "lei"),
        ("213800KUD8LAJWSQ9D16", "unknown"),
        ("09361466", "uk"),
        ("SC123456", "uk"),
        ("", "unknown"),
    ],
)
def test_identifiers(text, kind):
    assert identity.kind_of_identifier(text) == kind


def test_codes_of_the_county_are_well_formed():
    codes = rg.datasets.load_county().graph.entities["uscc"].dropna()
    assert len(codes) > 500
    assert codes.map(identity.check_uscc).all()


@given(st.text(max_size=25))
@settings(max_examples=200, deadline=None)
def test_identifiers_take_any_text(text):
    assert identity.kind_of_identifier(text) in {"uscc", "lei", "uk", "cn_id_card", "unknown"}
    assert isinstance(identity.pad_uk_number(text), str)


def test_uk_numbers_get_their_zeros_back():
    assert [identity.pad_uk_number(text) for text in ("153", "NI12", "00000153", "R0000012", "twelve")] == [
        "00000153", "NI000012", "00000153", "R0000012", "twelve",
    ]  # fmt: skip


def test_names_compare_over_spellings():
    names = pd.Series(["臺灣（甲）有限公司", "台湾(甲)有限公司", "Ａcme Ltd", "ACME LTD.", None])
    keys = identity.compare_key(names, simplify=True)
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert keys[4] is None
    assert identity.core_name(pd.Series(["甲(集团)股份有限公司", "公司", "Acme Holdings Co., Ltd."])).tolist() == [
        "甲", "公司", "Acme Holdings",
    ]  # fmt: skip


def town(seed=0, people=400, twice=60):
    """People with posts in firms; ``twice`` of them appear twice under two ids, namesakes come by chance."""
    rng = np.random.default_rng(seed)
    family = rng.choice(list("王李张刘陈杨赵黄"), people, p=np.array([8, 7, 6, 5, 3, 2, 1, 1]) / 33)
    given_ = [
        "".join(rng.choice(list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"), rng.integers(1, 3))) for _ in range(people)
    ]
    true = np.r_[np.arange(people), rng.choice(people, twice, replace=False)]
    ids = [f"p{row}" for row in range(true.size)]
    names = [family[who] + given_[who] for who in true]
    firms = [f"f{row}" for row in range(true.size)]
    posts = pd.DataFrame({"source": ids, "target": firms, "kind": "officer"})
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame(
            {"id": [*ids, *firms], "kind": ["person"] * len(ids) + ["company"] * len(ids), "name": [*names, *firms]}
        ),
        posts,
    )
    return graph, pd.Series(true, index=ids)


def test_probabilities_mean_what_they_say():
    """Over many invented towns the mean probability equals the share of pairs that are truly one person."""
    said, done = [], []
    for seed in range(12):
        graph, true = town(seed)
        found = identity.match(graph, least=0.0)
        said.append(found["confidence"].to_numpy())
        done.append((true[found["source"]].to_numpy() == true[found["target"]].to_numpy()).astype(float))
    said, done = np.concatenate(said), np.concatenate(done)
    assert abs(said.mean() - done.mean()) < 0.08
    low, high = said < 0.3, said > 0.7
    assert done[low].mean() < 0.3
    assert done[high].mean() > 0.6
    assert np.corrcoef(said, done)[0, 1] > 0.5


def test_rare_names_say_more_and_evidence_raises():
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame(
            {
                "id": [*(f"p{i}" for i in range(8)), "A", "B", "C", "D"],
                "kind": ["person"] * 8 + ["company"] * 4,
                "name": ["刘伟", "刘伟", "刘伟", "刘伟", "欧阳翡", "欧阳翡", "李静", "李静", "A", "B", "C", "D"],
                "birth_year": [1970, 1970, 1985, np.nan, *[np.nan] * 8],
            }
        ),
        pd.DataFrame(
            {
                "source": ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "A"],
                "target": ["A", "B", "C", "D", "A", "C", "A", "D", "B"],
                "kind": ["officer"] * 8 + ["owns"],
            }
        ),
    )
    found = identity.match(graph, least=0.0).set_index(["source", "target"])
    assert "linked_firms" in found.loc[("p0", "p1"), "evidence"]
    assert "same_birth_year" in found.loc[("p0", "p1"), "evidence"]
    assert "other_birth_year" in found.loc[("p0", "p2"), "evidence"]
    assert (
        found.loc[("p0", "p1"), "confidence"]
        > found.loc[("p2", "p3"), "confidence"]
        > found.loc[("p0", "p2"), "confidence"]
    )
    assert found.loc[("p4", "p5"), "confidence"] > found.loc[("p1", "p3"), "confidence"]
    added = graph.with_changes(add=found.reset_index())
    assert len(added) == len(graph)  # candidates only: nothing is merged
    assert (added.relations["kind"] == "same_as").sum() == len(found)


def test_common_names_are_named_as_left_out():
    graph, _ = town()
    found = identity.match(graph, most_bearers=2)
    assert found.attrs["left_out"]
    assert all(count > 2 for count in found.attrs["left_out"].values())


def test_match_parameters():
    graph, _ = town()
    with pytest.raises(rg.InvalidParameter, match="'kind' must be one of company, person"):
        identity.match(graph, kind="firm")
    with pytest.raises(rg.InvalidParameter, match=r"'least' must be in \[0, 1\]; got 2"):
        identity.match(graph, least=2)
    assert identity.match(rg.EntityGraph.from_tables(pd.DataFrame({"id": ["a"], "kind": ["person"]}), NONE)).empty


def twins():
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["a", "b", "c", "X"], "kind": ["person"] * 3 + ["company"], "uscc": ["1", None, "1", "1"]}),
        pd.DataFrame(
            {
                "source": ["a", "b", "a", "c"],
                "target": ["X", "X", "b", "X"],
                "kind": ["owns", "owns", "same_as", "officer"],
                "share": [0.25, 0.5, None, None],
                "confidence": [None, None, 0.6, None],
            }
        ),
        pd.DataFrame({"entity": ["b"], "type": ["banned"]}),
    )


def test_merge_by_decision_and_undo():
    graph = twins()
    merged = identity.merge(graph, pd.DataFrame({"a": ["a"], "b": ["b"], "reason": ["passport seen"]}))
    assert merged.log.to_dict("records") == [{"kept": "a", "merged": "b", "reason": "passport seen"}]
    assert list(merged.graph.ids) == ["a", "c", "X"]
    assert merged.graph.relations[["source", "kind"]].to_numpy().tolist() == [
        ["a", "owns"],
        ["a", "owns"],
        ["c", "officer"],
    ]
    assert merged.graph.seeds().to_dict() == {"a": 1.0}
    assert merged.undo("b").graph.equals(graph)
    assert merged.undo().log.empty
    with pytest.raises(rg.InvalidParameter, match="no decision names 'z'"):
        merged.undo("z")


def test_merge_by_identifier_joins_one_kind_only():
    merged = identity.merge(twins(), pd.DataFrame({"a": [], "b": []}), by="uscc")
    assert merged.log.to_dict("records") == [{"kept": "a", "merged": "c", "reason": "same uscc"}]
    with pytest.raises(rg.InvalidParameter, match="'by' must be a column of entities; got 'tax'"):
        identity.merge(twins(), pd.DataFrame({"a": [], "b": []}), by="tax")


def test_contradicting_decisions_are_refused():
    decisions = pd.DataFrame({"a": ["a", "b", "a"], "b": ["b", "c", "c"], "same": [True, True, False]})
    with pytest.raises(rg.InvalidParameter, match="'decisions' say that 'a' and 'c' are not one, and join them"):
        identity.merge(twins(), decisions)
    with pytest.raises(rg.UnknownEntity):
        identity.merge(twins(), pd.DataFrame({"a": ["a"], "b": ["nobody"]}))


def test_lists_give_candidates_with_reasons():
    names = ["甲乙投资（澄湖）有限公司", "张伟民", "North Sea Trading Co., Ltd."]
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["1", "2", "3"], "kind": ["company", "person", "company"], "name": names}), NONE
    )
    found = identity.screen_list(
        graph, ["甲乙投资(澄湖)有限公司", "甲乙投资(澄湖)股份有限公司", "张*民", "North See Trading Ltd", "无此人"]
    )
    assert found[["listed", "entity", "reason"]].to_numpy().tolist() == [
        ["甲乙投资(澄湖)有限公司", "1", "exact"],
        ["甲乙投资(澄湖)股份有限公司", "1", "legal_form"],
        ["North See Trading Ltd", "3", "similar"],
        ["张*民", "2", "masked"],
    ]
    assert found["score"].tolist()[:2] == [1.0, 0.95]
    assert (found["score"][found["reason"] == "masked"] == 0.5).all()
    with pytest.raises(rg.InvalidParameter, match=r"'least' must be in \[0, 1\]"):
        identity.screen_list(graph, ["x"], least=5)
