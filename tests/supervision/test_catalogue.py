"""The catalogue: what is shipped, what another folder may hold, and what is refused."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import yaml

import riskgraph.supervision as supervision
from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.supervision import Catalogue, assign, classify_sectors, screen, triage
from riskgraph.supervision.findings import CHECKS

SMALL = {
    "catalogue": {"name": "harbour", "home_province": "99", "plans": {"Act": {"zh": "法", "en": "Act"}}},
    "sectors": {
        "pawn": {"rule": "S-PAWN", "zh": "典当", "en": "pawn", "words": ["pledge"], "licences": ["pawn"]},
        "exchange": {"rule": "S-PAWN", "zh": "交易所", "en": "venue", "words": ["bourse"], "licences": ["exchange"]},
    },
    "agencies": {
        "harbour_master": {"en": "harbour master", "county": "港务", "province": "港务"},
        "treasury": {"en": "treasury", "county": "国库", "province": "国库"},
    },
    "leads": {
        "county": {"pawn": {"lead": ["harbour_master"], "assist": ["treasury"]}},
        "province": {"exchange": {"lead": ["treasury"]}},
    },
    "keywords": {
        "Z": {"rule": "MY-WORDS", "words": ["pledge", "bourse"], "fields": ["name"], "zh": "字样", "en": "words"}
    },
    "rules": {
        "sector": {"S-PAWN": {"clause": "Act 1", "zh": "典当", "en": "pawn", "use": "classify_sectors"}},
        "other": {
            "MY-WORDS": {
                "clause": "Act 2",
                "zh": "字样",
                "en": "words",
                "use": "screen",
                "severity": 0.1,
                "check": "KEYWORD-NAME-LIST-A",
            },
            "MY-HOLDERS": {
                "clause": "Act 3",
                "zh": "人数",
                "en": "holders",
                "use": "screen",
                "severity": 0.9,
                "check": "RULE-200-PUBLIC",
                "parameters": {
                    "limit": {"value": 2, "reason": "Act 3", "printed": True},
                    "cumulative": {"value": False, "reason": "ours"},
                },
            },
            "KEEP": {"clause": "Act 4", "zh": "存", "en": "kept", "use": "record"},
        },
    },
}


def write(folder: Path, content: dict) -> Path:
    (folder / "all.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder


def rule(name="R", **entry):
    """One more rule, right but for what is given."""
    given = {"clause": "Act 1", "zh": "x", "en": "x", "use": "record", **entry}
    return changed(rules={"more": {name: {key: value for key, value in given.items() if value is not None}}})


def changed(**sections):
    content = yaml.safe_load(yaml.safe_dump(SMALL))
    for name, value in sections.items():
        if value is None:
            del content[name]
        else:
            content[name] = {**content.get(name, {}), **value} if isinstance(value, dict) else value
    return content


def test_shipped_catalogue_is_whole(catalogue):
    assert repr(catalogue) == "Catalogue jiangsu-2016: 10 sectors, 31 agencies, 208 rules, 9 keyword lists"
    kinds = {}
    for rule in catalogue:
        kinds[rule.kind] = kinds.get(rule.kind, 0) + 1
        assert rule.text("zh") != rule.text("en")
    assert kinds == {
        "sector": 10, "lead-assignment": 17, "agency": 18, "jurisdiction-rule": 10, "keyword-list": 14,
        "licence-rule": 18, "officer-rule": 7, "shareholder-rule": 6, "nesting-rule": 10, "related-party-rule": 8,
        "fund-flow-rule": 14, "investor-count-rule": 6, "triage-rule": 13, "disposition-rule": 11,
        "propagation-rule": 8, "cooperation-rule": 8, "dossier-field": 9, "report": 6, "data-source": 8,
        "timeline": 5, "other": 2,
    }  # fmt: skip


def test_every_rule_says_what_applies_it(catalogue):
    for rule in catalogue:
        if rule.use == "screen":
            assert rule.check in CHECKS, rule.id
        elif rule.use == "NestingScorer":
            import riskgraph.nesting as nesting

            assert hasattr(nesting, rule.use)
        else:
            assert rule.use == "record" or rule.use in supervision.__all__, rule.id
    assert {rule.check for rule in catalogue if rule.use == "screen"} == set(CHECKS)


def test_keyword_lists_as_printed(catalogue):
    counts = {name: len(entry["words"]) for name, entry in catalogue.keywords.items()}
    assert counts == {"A": 16, "B": 10, "C": 4, "D": 5, "E": 8, "F": 5, "G": 5, "H": 4, "I": 3}
    assert set(catalogue.keywords["B"]["words"]) < set(catalogue.keywords["A"]["words"])
    assert len(catalogue.section("public_channels")) == 15
    assert len(catalogue.red_lines) == 13
    assert len(catalogue.criteria) == 5
    assert len(catalogue.section("ad_items")) == 9


def test_every_open_number_has_a_reason(catalogue):
    table = catalogue.parameters
    assert (table["reason"].str.len() > 5).all()
    printed = table[table["printed"]].set_index(["rule", "parameter"])["value"]
    assert printed["RULE-200-PUBLIC", "limit"] == 200
    assert printed["RULE-OFFICER-BAN-3Y", "years"] == 3
    assert printed["TIMELINE-TEN-WORKDAYS", "working_days"] == 10
    assert set(printed.index.get_level_values(0)) == {
        "RULE-200-PUBLIC", "RULE-200-PRIVATE-FUND", "NEST-PRIVATE-FUND-SPLIT", "RULE-OFFICER-BAN-3Y",
        "TIMELINE-TEN-WORKDAYS", "LEAD-JOINT-COUNTY-GROUP", "REPORT-CASE-BASELINE",
    }  # fmt: skip


def test_with_parameters_by_name_and_symbol(catalogue):
    other = catalogue.with_parameters(**{"FUND-YIELD-ANOMALY": {"z₀": 5, "g0": 0.2}}, home_province="33")
    assert other["FUND-YIELD-ANOMALY"]["z0"] == 5
    assert other["FUND-YIELD-ANOMALY"].parameter("z0").reason == catalogue["FUND-YIELD-ANOMALY"].parameter("z0").reason
    assert (other.home_province, catalogue.home_province) == ("33", "32")
    assert catalogue["FUND-YIELD-ANOMALY"]["z0"] == 3.5
    dated = catalogue.with_parameters(**{"LICENCE-EXCHANGE-APPROVAL": {"since": "2012-01-01"}})
    assert str(dated["LICENCE-EXCHANGE-APPROVAL"]["since"]) == "2012-01-01"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"NO-RULE": {"z0": 1}}, "has no rule 'NO-RULE'"),
        ({"FUND-YIELD-ANOMALY": {"zz": 1}}, "has no parameter 'zz'; it has z0, g0, peers"),
        ({"FUND-YIELD-ANOMALY": 3}, "must be a mapping of parameter to value; got 3"),
        ({"FUND-YIELD-ANOMALY": {"z0": "high"}}, "'FUND-YIELD-ANOMALY.z0' must be a number; got 'high'"),
        ({"FUND-YIELD-ANOMALY": {"z0": True}}, "must be no truth value; got True"),
        ({"RULE-200-PUBLIC": {"cumulative": 1}}, "must be true or false; got 1"),
        ({"RULE-OFFICER-BAN-3Y": {"roles": "director"}}, "must be a list; got 'director'"),
        ({"LICENCE-EXCHANGE-APPROVAL": {"since": "soon"}}, "must be a date; got 'soon'"),
        ({"home_province": "Jiangsu"}, "'home_province' must be two digits; got 'Jiangsu'"),
    ],
)
def test_wrong_parameters(catalogue, given, message):
    with pytest.raises(InvalidParameter, match=message.replace("(", r"\(")):
        catalogue.with_parameters(**given)


def test_another_catalogue_rules_alone(tmp_path, make, found):
    """A small invented catalogue: nothing of the shipped one is wired in."""
    other = Catalogue.load(write(tmp_path, SMALL))
    graph = make(
        {
            "a": {"name": "old pledge house"},
            "b": {"name": "the bourse"},
            "c": {"name": "某某网贷公司"},
            "d": {},
            **dict.fromkeys("xyz", "person"),
        },
        [(who, "owns", "d", {"share": 0.3}) for who in "xyz"],
        facts=[("c", "capital_pool", True)],
    )
    assert classify_sectors(graph, other)[["entity", "sector"]].to_numpy().tolist() == [
        ["a", "pawn"],
        ["b", "exchange"],
    ]
    out = screen(graph, other)
    assert found(out, "MY-WORDS") == {"a", "b"}
    assert found(out, "MY-HOLDERS") == {"d"}
    assert set(out["rule"]) == {"MY-WORDS", "MY-HOLDERS"}
    county = assign(graph, other, level="county").set_index("entity")
    assert county.loc["a", ["lead", "assist"]].tolist() == ["harbour_master", "treasury"]
    assert county.loc["b", "queue"] == "leading_group"
    assert assign(graph, other, level="province").set_index("entity").loc["b", "lead"] == "treasury"
    assert set(triage(graph, other)["sector"]) == {"pawn", "exchange"}
    relaxed = other.with_parameters(**{"MY-HOLDERS": {"limit": 3}})
    assert found(screen(graph, relaxed), "MY-HOLDERS") == set()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (changed(agencies=None), "section 'agencies' is missing"),
        (changed(surprise={"x": 1}), "unknown section 'surprise'"),
        (changed(catalogue={"home_province": 32}), "'home_province' must be two digits in quotes"),
        (
            changed(leads={"town": {"pawn": {"lead": ["treasury"]}}}),
            "level must be one of county, city, province; got 'town'",
        ),
        (changed(leads={"county": {"pawn": {"lead": ["nobody"]}}}), "'nobody' is not an agency of the catalogue"),
        (changed(leads={"county": {"bank": {"lead": ["treasury"]}}}), "'bank' is not a sector of the catalogue"),
        (changed(leads={"county": {"pawn": {"lead": []}}}), "'lead' names no agency"),
        (
            changed(keywords={"Y": {"rule": "NONE", "words": ["a"], "zh": "x", "en": "x"}}),
            "rule 'NONE' is not in the rules",
        ),
        (changed(keywords={"Y": {"rule": "KEEP", "words": ["a", "a"], "zh": "x", "en": "x"}}), "a word is given twice"),
        (
            changed(keywords={"Y": {"rule": "KEEP", "words": [], "zh": "x", "en": "x"}}),
            "'words' must be a list of texts",
        ),
        (rule(clause="Law 1"), "cites no plan of the catalogue"),
        (rule(en=None), "'en' must be a text; got None"),
        (rule(use="screen", severity=2), "'severity' must be in"),
        (rule(colour=1), "unknown key 'colour'"),
        (rule(parameters={"p": {"value": 1}}), "needs a 'reason'"),
        (rule("KEEP"), "rule 'KEEP' is given under two kinds"),
        (changed(deadlines={"county": {"pawn": [{"due": "2016-09-31"}]}}), "'due' must be a date; got '2016-09-31'"),
    ],
)
def test_wrong_catalogues_are_refused(tmp_path, content, message):
    with pytest.raises(InvalidTable) as error:
        Catalogue.load(write(tmp_path, content))
    assert message in str(error.value)


def test_unreadable_folders(tmp_path):
    with pytest.raises(
        InvalidTable, match=r"'name' must be a shipped catalogue \(jiangsu-2016\) or a folder; got 'mars'"
    ):
        Catalogue.load("mars")
    with pytest.raises(InvalidTable, match="holds no catalogue"):
        Catalogue.load(tmp_path)
    (tmp_path / "a.yaml").write_text("rules: [", encoding="utf-8")
    with pytest.raises(InvalidTable, match=r"a\.yaml cannot be read as YAML"):
        Catalogue.load(tmp_path)
    (tmp_path / "a.yaml").write_text("x: 1\nx: 2\n", encoding="utf-8")
    with pytest.raises(InvalidTable, match="key 'x' is given twice"):
        Catalogue.load(tmp_path)
    (tmp_path / "a.yaml").write_text("- 1\n", encoding="utf-8")
    with pytest.raises(InvalidTable, match="a mapping of sections is needed"):
        Catalogue.load(tmp_path)


def test_unknown_names(catalogue):
    with pytest.raises(InvalidParameter, match="has no rule 'X'"):
        catalogue["X"]
    with pytest.raises(InvalidParameter, match="'name' must be a section"):
        catalogue.section("X")
    with pytest.raises(InvalidParameter, match="'level' must be one of"):
        catalogue.lead("p2p", level="X")
    assert catalogue.agency_name("pboc", level="county") == "县人行"
    assert catalogue.agency_name("pboc", lang="en") == "People's Bank of China"


def test_copies_and_pickles(catalogue):
    assert copy.deepcopy(catalogue) is catalogue
    other = catalogue.with_parameters(**{"FUND-YIELD-ANOMALY": {"z0": 5}}, home_province="33")
    back = pickle.loads(pickle.dumps(other))
    assert back["FUND-YIELD-ANOMALY"]["z0"] == 5
    assert (back.home_province, repr(back)) == ("33", repr(other))
    assert back["RULE-200-PUBLIC"].parameter("limit") == other["RULE-200-PUBLIC"].parameter("limit")
