"""The transmission table: complete, reasoned, checked, and what it does to relations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.risk import RiskCascade, default_transmission, read_transmission, transmission_table
from riskgraph.schema import RELATION_KINDS, SYMMETRIC_KINDS


def pair(kind, **columns):
    """Two entities and one relation from a to b."""
    entities = pd.DataFrame({"id": ["a", "b"], "kind": "company"})
    return rg.EntityGraph.from_tables(
        entities, pd.DataFrame({"source": ["a"], "target": ["b"], "kind": [kind]}).assign(**columns)
    )


def there(graph, **parameters):
    return RiskCascade(**parameters).fit(graph, ["a"]).scores_["b"]


def back(graph, **parameters):
    return RiskCascade(**parameters).fit(graph, ["b"]).scores_["a"]


def test_every_kind_both_ways_with_reasons():
    table = transmission_table()
    assert set(zip(table["kind"], table["direction"], strict=True)) == {
        (kind, way) for kind in RELATION_KINDS for way in ("forward", "backward")
    }
    assert table["probability"].between(0, 1).all()
    assert (table["reason_en"].str.len() > 20).all()
    assert (table["reason_zh"].str.len() > 8).all()
    mapping = default_transmission()
    assert len(mapping) == 2 * len(RELATION_KINDS)


def test_symmetric_kinds_are_symmetric():
    table = transmission_table()
    for kind in SYMMETRIC_KINDS:
        forward, backward = (
            table[(table["kind"] == kind) & (table["direction"] == way)][["when", "probability"]].values.tolist()
            for way in ("forward", "backward")
        )
        assert forward == backward


def test_what_the_campaign_names_carries_most():
    value = transmission_table().set_index(["kind", "direction", "when"])["probability"].sort_index()
    # legal representatives and holders of a firm at fault, member units of a venue, partners, channels, guarantors
    assert value["officer", "backward", "role legal_representative"] == value["officer", "backward"].max()
    assert value["owns", "backward", "share >= 0.5"] > value["owns", "backward", "share > 0"]
    assert value["member_of", "backward", ""] > value["member_of", "forward", ""]
    assert value["channels", "backward", ""] > value["channels", "forward", ""]
    assert value["guarantees", "backward", ""] > value["guarantees", "forward", ""]
    clauses = set(";".join(transmission_table()["clause"]).split(";"))
    assert {
        "RULE-OFFICER-EXTENDED-LEGAL-REP", "RULE-SHAREHOLDER-EXTENDED", "PROP-EXCHANGE-MEMBER-UNITS",
        "PROP-COOPERATION-RISK", "FUND-CHANNEL-UNLICENSED-PAYMENT",
    } <= clauses  # fmt: skip


@pytest.mark.parametrize(
    ("share", "forward", "backward"),
    [(1.0, 0.3, 0.5), (0.5, 0.3, 0.5), (0.499, 0.1, 0.2), (0.25, 0.1, 0.2), (0.05, 0.03, 0.05), (0.01, 0.01, 0.01)],
)
def test_shares_in_bands(share, forward, backward):
    graph = pair("owns", share=share)
    assert (there(graph), back(graph)) == (forward, backward)


def test_a_share_of_nothing_carries_nothing_and_an_unknown_one_something():
    assert there(pair("owns", share=0.0)) == back(pair("owns", share=0.0)) == 0
    assert there(pair("owns")) == 0.03
    assert back(pair("owns")) == 0.05
    assert there(pair("owns", share_min=0.0, share_max=0.5)) == 0.3  # it may be half


def test_larger_holders_come_first():
    entities = pd.DataFrame({"id": ["firm", "large", "small"], "kind": ["company", "person", "person"]})
    relations = pd.DataFrame({"source": ["large", "small"], "target": "firm", "kind": "owns", "share": [0.6, 0.01]})
    graph = rg.EntityGraph.from_tables(entities, relations)
    scores = RiskCascade().fit(graph, ["firm"]).scores_
    assert scores["large"] > scores["small"] > 0


@pytest.mark.parametrize(("role", "expected"), [("supervisor", 0.06), ("chief driver", 0.15), (None, 0.15)])
def test_roles(role, expected):
    assert back(pair("officer", role=role)) == expected


def test_confidence_of_a_candidate_identity():
    assert there(pair("same_as", confidence=0.3)) == back(pair("same_as", confidence=0.3)) == 0.3
    assert there(pair("same_as")) == 0.5
    assert there(pair("owns", share=1.0, confidence=0.5)) == 0.3  # the table speaks of identity only


def test_default_table_as_a_mapping_is_the_default():
    graph = rg.datasets.toy_banned_platform()
    one = RiskCascade().fit(graph).scores_
    two = RiskCascade(transmission=default_transmission(), hubs="damp").fit(graph).scores_
    pd.testing.assert_series_equal(one, two)


def test_mapping_with_numbers_and_functions():
    graph = pair("owns", share=0.36)
    assert there(graph, transmission={("owns", "forward"): 0.7}) == 0.7
    assert back(graph, transmission={("owns", "forward"): 0.7}) == 0  # left out: transmits nothing
    assert there(graph, transmission={("owns", "forward"): lambda frame: frame["share_min"] ** 0.5}) == 0.6
    seen = []
    RiskCascade(transmission={("owns", "backward"): lambda frame: seen.append(frame) or 0.1}).fit(graph, ["b"])
    assert seen[0][["id", "source", "target", "kind"]].values.tolist() == [["r0", "a", "b", "owns"]]


def test_column_of_probabilities_runs_forward_only():
    graph = pair("pays", chance=0.4)
    assert there(graph, transmission="chance") == 0.4
    assert back(graph, transmission="chance") == 0
    assert there(pair("owns", share=0.3), transmission="share_min") == 0.3
    assert there(pair("pays", chance=np.nan), transmission="chance") == 0


@pytest.mark.parametrize(
    ("transmission", "message"),
    [
        (3, "'transmission' must be None, a mapping of .* or the name of a relations column; got 3"),
        ("no_such", "'transmission' must name a column of the relations; got 'no_such'"),
        ("source_ref", "'transmission' must name a column of numbers; 'source_ref' is none"),
        ("amount", r"'transmission' column 'amount' must hold probabilities in \[0, 1\]; got 5.0 for 'r0'"),
        ({("owes", "forward"): 0.5}, r"'transmission' must have keys .* got \('owes', 'forward'\)"),
        ({("owns", "up"): 0.5}, r"'transmission' must have keys .* got \('owns', 'up'\)"),
        ({"owns": 0.5}, "'transmission' must have keys .* got 'owns'"),
        ({("owns", "forward"): 1.5}, r"'transmission' for owns forward must be in \[0, 1\]; got 1.5"),
        ({("owns", "forward"): lambda frame: [2.0]}, r"for owns forward must give probabilities .* got 2.0 for 'r0'"),
        ({("owns", "forward"): lambda frame: [0.1, 0.2]}, "for owns forward must give one probability a relation"),
    ],
)
def test_bad_transmission(transmission, message):
    graph = pair("owns", share=0.5, amount=5.0, source_ref="register")
    with pytest.raises(rg.InvalidParameter, match=message):
        RiskCascade(transmission=transmission).fit(graph, ["a"])


GOOD = """
transmission:
  - {kind: owns, direction: forward, by: share, bands: {0.5: 0.9, 0: 0.1}, unknown: 0.3,
     reason: {en: more is more, zh: 多则多}, clause: []}
  - {kind: kin, direction: forward, probability: 0.25, reason: {en: family, zh: 亲属}, clause: [X-1]}
"""


def test_own_table(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(GOOD, "utf-8")
    own = read_transmission(file)
    assert there(pair("owns", share=0.6), transmission=own) == 0.9
    assert there(pair("kin"), transmission=own) == 0.25
    assert back(pair("kin"), transmission=own) == 0
    assert transmission_table(file)["clause"].tolist() == ["", "", "", "X-1"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: kin", "kind: cousin", r"entry 2 \(cousin forward\): 'kind' must be a relation kind; got 'cousin'"),
        ("kind: kin, direction: forward", "kind: kin, direction: up", "must be forward or backward; got 'up'"),
        ("probability: 0.25", "probability: 25", r"'probability' must be in \[0, 1\]; got 25"),
        ("probability: 0.25", "chance: 0.25", "'probability' is missing"),
        ("zh: 亲属", "zh: ''", "'reason' must be given in en and zh"),
        ("clause: [X-1]", "clause: X-1", "'clause' must be a list of rule ids"),
        ("by: share", "by: weight", "'by' must be share, role or confidence; got 'weight'"),
        ("0.5: 0.9, 0: 0.1", "0.5: 0.1, 0: 0.9", "'bands' must not transmit less where more is held"),
        ("0.5: 0.9, 0: 0.1", "50: 0.9, 0: 0.1", r"'bands' must begin at shares in \[0, 1\]"),
        ("0.5: 0.9, 0: 0.1", "0.5: often", r"'bands' must hold probabilities in \[0, 1\]; got 'often' for 0.5"),
        ("kind: kin, direction: forward, probability", "kind: owns, direction: forward, probability", "given twice"),
        ("transmission:", "table:", "must hold a list 'transmission' of entries"),
        ("transmission:", "transmission: [", "is not YAML"),
    ],
)
def test_bad_tables_say_what_is_wrong(tmp_path, old, new, message):
    file = tmp_path / "own.yaml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new), "utf-8")
    with pytest.raises(rg.InvalidTable, match=message):
        read_transmission(file)
