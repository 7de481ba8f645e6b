"""Beneficial owners: published examples, doctrines side by side, three-valued verdicts, packs as checked data."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.ownership import beneficial_owners, control, rule_pack
from riskgraph.ownership._packs import pack_names
from riskgraph.risk import ThresholdCascade

from ._control_worlds import CASES, exact, fixpoint, graph_of, ownership

DOCS = Path(__file__).parents[2] / "docs" / "control.md"
RULES = ["cn_bo", "eu_amlr", "us_fincen", "uk_psc", "ofac50", "majority_path"]


def owners(frame: pd.DataFrame, verdict: str = "yes") -> list[str]:
    return frame.loc[frame["verdict"] == verdict, "owner"].tolist()


@pytest.mark.parametrize("case", [case for case in CASES if "owners" in case], ids=lambda case: case["id"])
def test_known_answers(case):
    graph = graph_of(case["holdings"], people=case["people"])
    for question in case["owners"]:
        frame = beneficial_owners(graph, [question["company"]], rule=question["rule"])
        assert sorted(owners(frame)) == sorted(question["named"])
        shares = frame.set_index("owner")["share_min"]
        for owner, share in question.get("shares", {}).items():
            assert shares[owner] == pytest.approx(share, abs=1e-12)


def doctrines() -> rg.EntityGraph:
    """Ann has three majorities above Mine, Bob a quarter of it, Carl all but a quarter of a quarter."""
    return graph_of(
        [
            ("Ann", "Top", 0.51), ("Dan", "Top", 0.49), ("Top", "Mid", 0.51), ("Carl", "Mid", 0.49),
            ("Mid", "Mine", 0.51), ("Bob", "Mine", 0.25), ("Eve", "Mine", 0.24),
        ],
        people=["Ann", "Bob", "Carl", "Dan", "Eve"],
        cases=pd.DataFrame({"entity": ["Ann"], "type": ["banned"]}),
    )  # fmt: skip


def doctrine_table(graph: rg.EntityGraph, company: str) -> str:
    """The table of the documentation."""
    lines = ["| rule | owners | why |", "|---|---|---|"]
    for rule in RULES:
        frame = beneficial_owners(graph, [company], rule=rule)
        frame = frame[frame["verdict"] == "yes"]
        who = ", ".join(f"{row.owner} ({row.share_min:.1%})" for row in frame.itertuples())
        why = "; ".join(f"{row.owner}: {', '.join(row.reasons)}" for row in frame.itertuples())
        lines.append(f"| `{rule}` | {who} | {why} |")
    return "\n".join(lines)


def test_one_structure_different_doctrines_different_answers():
    graph = doctrines()
    answers = {rule: set(owners(beneficial_owners(graph, ["Mine"], rule=rule))) for rule in RULES}
    assert answers == {
        "cn_bo": {"Ann", "Bob"}, "eu_amlr": {"Bob"}, "us_fincen": {"Bob"},
        "uk_psc": {"Ann"}, "ofac50": {"Ann"}, "majority_path": {"Ann"},
    }  # fmt: skip
    assert doctrine_table(graph, "Mine") in DOCS.read_text(encoding="utf-8")


def test_all_companies_and_one_agree():
    graph = doctrines()
    for rule in RULES:
        every = beneficial_owners(graph, rule=rule)
        for company in ("Top", "Mid", "Mine"):
            one = beneficial_owners(graph, company, rule=rule)
            assert set(every["verdict"]) <= {"yes", "undetermined"}
            every_one = every[every["company"] == company].reset_index(drop=True)
            pd.testing.assert_frame_equal(one[one["verdict"] != "no"].reset_index(drop=True), every_one)


def test_thresholds_are_exact_and_inclusive_as_each_rule_says():
    graph = graph_of([("A", "T", 0.25), ("B", "T", 0.250000000001), ("C", "T", 0.249999999999)], people=list("ABC"))
    assert owners(beneficial_owners(graph, rule="us_fincen")) == ["A", "B"]
    assert owners(beneficial_owners(graph, rule="uk_psc")) == ["B"]
    tenths = graph_of(
        [("P", "X", 0.1), ("P", "Y", 0.2), ("P", "Z", 0.7), *((firm, "T", 0.25) for firm in "XYZ")], people=["P"]
    )
    # 0.1 + 0.2 + 0.7 times a quarter are a quarter, in whatever order
    assert owners(beneficial_owners(tenths, ["T"], rule="us_fincen")) == ["P"]


def test_unknown_shares_leave_it_open():
    graph = graph_of([("P", "A", None), ("R", "A", 0.3), ("A", "B", 0.6)], people=["P", "R"])
    row = beneficial_owners(graph, ["B"], rule="us_fincen").set_index("owner").loc["P"]
    assert row["verdict"] == "undetermined"
    assert (row["share_min"], row["share_max"]) == (0.0, pytest.approx(0.42))
    assert row["reasons"] == ("share",)
    chain = beneficial_owners(graph, ["B"], rule="uk_psc").set_index("owner").loc["P"]
    assert chain["verdict"] == "undetermined"
    assert (chain["share_min"], chain["share_max"]) == (0.0, pytest.approx(0.6))


def test_an_owner_of_unknown_kind_is_never_certain():
    entities = pd.DataFrame({"id": ["U", "T"], "kind": ["unknown", "company"]})
    relations = pd.DataFrame({"source": ["U"], "target": ["T"], "kind": ["owns"], "share": [0.9]})
    row = beneficial_owners(rg.EntityGraph.from_tables(entities, relations)).loc[0]
    assert row["verdict"] == "undetermined"
    assert row["reasons"] == ("share", "control", "unknown_kind")


def test_the_manager_counts_where_nobody_else_does():
    officers = [("Mei", "T", "manager"), ("Lin", "T", "legal_representative"), ("Mei", "S", "supervisor")]
    many = [(f"h{i}", "T", 0.2) for i in range(5)]
    people = ["Mei", "Lin", *(f"h{i}" for i in range(5))]
    frame = beneficial_owners(graph_of(many, people=people, officers=officers), ["T"])
    assert owners(frame) == ["Mei"]
    assert frame.set_index("owner").loc["Mei", "reasons"] == ("manager",)
    # nobody by the other rules
    assert owners(beneficial_owners(graph_of(many, people=people, officers=officers), ["T"], rule="eu_amlr")) == []
    # 40 % are held by nobody on record: somebody else may own them
    unknown = beneficial_owners(graph_of(many[:3], people=people, officers=officers), ["T"])
    assert owners(unknown, "undetermined") == ["Mei"]
    owned = beneficial_owners(graph_of([("h0", "T", 0.5)], people=people, officers=officers), ["T"])
    assert owners(owned) == ["h0"]
    assert owners(owned, "undetermined") == []
    # only of the companies asked for
    elsewhere = graph_of([*many, ("h0", "S", 0.2)], people=people, officers=[*officers, ("Lin", "S", "manager")])
    assert beneficial_owners(elsewhere, ["T"])["company"].unique().tolist() == ["T"]
    assert owners(beneficial_owners(elsewhere, ["S"]), "undetermined") == ["Lin"]
    # a holder who is the manager has both
    both = [*many[:4], ("Mei", "T", 0.2)]
    frame = beneficial_owners(graph_of(both, people=people, officers=officers), ["T"]).set_index("owner")
    assert frame.loc["Mei", ["verdict", "share_min", "reasons"]].tolist() == ["yes", 0.2, ("manager",)]


def test_chains_of_intervals_keep_the_bounds_of_their_own_owner():
    rows = [("P", "A", 0.51), ("A", "T", 0.3, 0.4), ("P", "T", 0.06), ("Q", "T", 0.26, 0.28), ("R", "A", 0.1, 0.2)]
    found = beneficial_owners(graph_of(rows, people=["P", "Q", "R"]), rule="uk_psc").set_index(["company", "owner"])
    bounds = found[["share_min", "share_max"]].round(12).apply(tuple, axis=1)
    assert (bounds["T", "P"], bounds["T", "Q"], bounds["A", "P"]) == ((0.36, 0.46), (0.26, 0.28), (0.51, 0.51))
    assert found["verdict"]["T"].to_dict() == {"P": "yes", "Q": "yes"}


def test_majority_chains_count_at_full_weight_and_not_through_minorities():
    graph = graph_of(
        [("P", "A", 0.51), ("A", "T", 0.2), ("P", "T", 0.06), ("P", "B", 0.5), ("B", "T", 0.5)], people=["P"]
    )
    row = beneficial_owners(graph, ["T"], rule="uk_psc").iloc[0]
    assert row["share_min"] == 0.26
    assert row["verdict"] == "yes"


def test_blocked_persons_count_in_aggregate():
    cases = pd.DataFrame({"entity": ["X", "Y"], "type": ["banned", "sanctioned"]})
    rows = [("X", "A", 0.25), ("Y", "A", 0.25), ("A", "B", 0.5), ("X", "C", 0.49), ("B", "D", 0.3), ("Z", "D", 0.7)]
    frame = beneficial_owners(graph_of(rows, people=list("XYZ"), cases=cases), list("ABCD"), rule="ofac50")
    found = {(row.company, row.owner): row.verdict for row in frame.itertuples()}
    assert found == {
        ("A", "X"): "yes", ("A", "Y"): "yes", ("B", "X"): "yes", ("B", "Y"): "yes",
        ("C", "X"): "no", ("D", "X"): "no", ("D", "Y"): "no",
    }  # fmt: skip
    assert frame.set_index(["company", "owner"]).loc[("A", "X"), "share_min"] == 0.5
    assert beneficial_owners(rg.datasets.toy_diamond(), rule="ofac50").empty


@given(ownership(intervals=True), st.data())
@settings(max_examples=40, deadline=None)
def test_blocking_is_that_of_the_legal_cascade(drawn, data):
    names, rows, _, _ = drawn
    seeds = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    graph = graph_of(rows, ids=names, cases=pd.DataFrame({"entity": seeds, "type": "banned"}))
    labels = ThresholdCascade().fit(graph).labels_
    frame = beneficial_owners(graph, rule="ofac50")
    found = frame[~frame["company"].isin(seeds)].groupby("company")["verdict"].first()
    for name in names:
        if name not in seeds:
            assert found.get(name, "no") == labels[name]


@given(ownership(treasury=False))
@settings(max_examples=40, deadline=None)
def test_chains_and_control_by_the_definition(drawn):
    names, rows, controls, _concert = drawn
    votes = {(a, b): exact(low) for a, b, low, _ in rows}
    people = [name for name in names if name not in {company for _, company, *_ in rows}]
    graph = graph_of(rows, people=people, controls=controls, ids=names)
    paths = fixpoint(votes, names, joint=False, controls=controls)
    frame = beneficial_owners(graph, rule="majority_path")
    assert {(x, y) for x, y in paths if x in people and y not in people} == {
        (row.owner, row.company) for row in frame.itertuples() if row.verdict == "yes"
    }
    joint = control(graph)
    want = {(x, y) for x, y in zip(joint["controller"], joint["company"], strict=True) if x in people}
    shown = beneficial_owners(graph, names, rule="cn_bo")
    assert {(x, y) for x, y in want if y not in people} <= set(zip(shown["owner"], shown["company"], strict=True))
    for row in beneficial_owners(graph, names, rule="uk_psc").itertuples():
        team = {row.owner, *(y for x, y in paths if x == row.owner)} - {row.company}
        held = sum((votes.get((z, row.company), Fraction(0)) for z in team), Fraction(0))
        assert row.share_min == pytest.approx(float(held))
        assert (row.verdict == "yes") == (held > Fraction(1, 4) or (row.owner, row.company) in paths)


def test_shipped_packs_are_sound():
    assert set(pack_names()) >= set(RULES)
    for name in pack_names():
        pack = rule_pack(name)
        assert pack.id == name
        assert pack.source
        assert all(test.why for test in pack.tests)


def test_a_pack_of_ones_own():
    own = {
        "id": "bank", "title": "Main shareholder", "source": "an invented circular", "owners": ["person", "company"],
        "share": "multiplied",
        "tests": [
            {"code": "share", "measure": "multiplied", "threshold": 0.05, "inclusive": True, "why": "a twentieth"}
        ],
    }  # fmt: skip
    frame = beneficial_owners(rg.datasets.toy_chain(), ["Mine"], rule=own)
    assert owners(frame) == ["Ann", "Holding"]
    assert beneficial_owners(rg.datasets.toy_chain(), rule=rule_pack(own)).equals(
        beneficial_owners(rg.datasets.toy_chain(), rule=own)
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tests": []}, "tests: must be a list of at least one test"),
        ({"owners": ["firm"]}, "owners: 'firm' is no entity kind"),
        ({"owners": []}, "owners: must be a list of entity kinds"),
        ({"owners": ["seed"]}, r"owners: must be \[seed\] for a test that measures aggregate, and only for one"),
        ({"share": "chain"}, "share: no test measures 'chain'"),
        ({"share": "most"}, "share: must be one of multiplied, chain, aggregate; got 'most'"),
        ({"colour": "red"}, "pack: 'colour' is not understood"),
        ({"title": 3}, "title: must be text; got 3"),
        ({"fallback": {"code": "manager", "roles": "manager", "why": ""}}, "fallback.roles: must be a list of roles"),
        ({"fallback": {"code": "manager"}}, "fallback: 'roles' is missing"),
        ({"fallback": "manager"}, "fallback: must be a mapping"),
        ({"threshold": 25}, r"tests\[0\].threshold: must be a number in \(0, 1\]; got 25"),
        ({"inclusive": "yes"}, r"tests\[0\].inclusive: must be true or false; got 'yes'"),
        ({"measure": "guess"}, r"tests\[0\].measure: must be one of multiplied, control, chain, aggregate"),
        ({"joint": True}, r"tests\[0\]: 'joint' is not understood"),
        ({"why": 1}, r"tests\[0\].why: must be text; got 1"),
    ],
)
def test_a_broken_pack_says_what_is_wrong(change, problem):
    raw = yaml.safe_load(
        """
        id: mine
        title: Mine
        source: invented
        owners: [person]
        share: multiplied
        tests:
          - {code: share, measure: multiplied, threshold: 0.25, inclusive: true, why: a quarter}
        """
    )
    for name, value in change.items():
        if name in ("threshold", "inclusive", "measure", "joint", "why"):
            raw["tests"][0][name] = value
        else:
            raw[name] = value
    with pytest.raises(rg.InvalidTable, match="rule pack 'mine' breaks the schema") as error:
        rule_pack(raw)
    assert error.match(problem)


def test_refusals():
    with pytest.raises(rg.InvalidParameter, match=r"'rule' must be one of cn_bo, .*; got 'fatf'"):
        beneficial_owners(rg.datasets.toy_chain(), rule="fatf")
    with pytest.raises(rg.UnknownEntity, match="no entity 'Nowhere'"):
        beneficial_owners(rg.datasets.toy_chain(), ["Nowhere"])
    missing = {"id": "x"}
    with pytest.raises(rg.InvalidTable, match="pack: 'tests' is missing"):
        rule_pack(missing)
