"""The shipped county of invented firms: what was planted is found, what is plain is left alone."""

from __future__ import annotations

import sys

import pytest

import riskgraph as rg
from riskgraph.schema import ENTITY_KINDS
from riskgraph.supervision import assign, classify_sectors, dispose, dossier, monitor, screen, statistics, triage

#: typology → rule that must find it, and the kinds of entity it is planted on
RULES = {
    "officer_ban_breach": ("RULE-OFFICER-BAN-3Y", {"person"}),
    "multi_case_shareholder": ("RULE-MULTI-CASE-SHAREHOLDER", {"person"}),
    "self_financing": ("RP-SELF-FINANCE", {"company"}),
    "feeder_split": ("NEST-PRIVATE-FUND-SPLIT", {"product"}),
    "multi_layer_nesting": ("NEST-MULTI-LAYER", {"product"}),
    "subcontract_chain": ("NEST-PAYMENT-SUBCONTRACT", {"company"}),
    "licence_stacking": ("NEST-MULTI-LICENCE-FIREWALL", {"company"}),
    "registered_elsewhere": ("JURISDICTION-OUT-OF-PROVINCE-INSTITUTION", {"company"}),
}


@pytest.fixture(scope="module")
def county():
    return rg.datasets.load_county()


@pytest.fixture(scope="module")
def findings(county, catalogue):
    return screen(county.graph, catalogue)


def test_plain_firms_have_no_finding(county, findings):
    plain = set(county.labels.loc[county.labels["typology"] == "plain", "entity"])
    assert len(plain) >= 50
    assert not set(findings["entity"]) & plain


@pytest.mark.parametrize("typology", RULES)
def test_planted_schemes_are_found(county, findings, typology):
    rule, kinds = RULES[typology]
    labels = county.labels
    planted = set(labels.loc[labels["typology"] == typology, "entity"])
    graph = county.graph
    of_kind = {name for name, kind in zip(graph.ids, graph.kinds, strict=True) if ENTITY_KINDS[kind] in kinds}
    hit = set(findings.loc[findings["rule"] == rule, "entity"]) & of_kind
    recall, precision = len(hit & planted) / len(planted), len(hit & planted) / len(hit)
    measured = f"recall {recall:.2f} precision {precision:.2f} ({len(planted)} planted, {len(hit)} found)"
    sys.stdout.write(f"{typology}: {rule} {measured}\n")
    assert recall == 1
    if typology in (
        "officer_ban_breach",
        "multi_case_shareholder",
        "self_financing",
        "feeder_split",
        "subcontract_chain",
    ):
        assert precision == 1


def test_registered_elsewhere(county, catalogue):
    labels = county.labels
    planted = set(labels.loc[labels["typology"] == "registered_elsewhere", "entity"])
    out = assign(county.graph, catalogue, lang="en")
    asked = set(out.loc[out["duties"].str.contains("inquiry"), "entity"])
    assert asked == planted


def test_everything_runs_and_covers(county, catalogue, findings):
    graph = county.graph
    assert (findings["evidence"].map(len) > 0).all()
    assert findings["severity"].between(0, 1).all()
    labels = classify_sectors(graph, catalogue)
    assert len(set(labels["sector"])) == 10
    for level in ("county", "province"):
        out = assign(graph, catalogue, level=level)
        assert ((out["lead"] != "") ^ (out["queue"] != "")).all()
    verdicts = triage(graph, catalogue)
    assert set(verdicts["verdict"]) == {"compliant", "rectify", "ban", "undetermined"}
    assert set(dispose(graph, catalogue)["code"].dropna()) >= {2, 5, 6}
    out = statistics(graph, catalogue)
    totals = out.groupby("level")["count"].sum()
    assert totals.nunique() == 1
    assert set(monitor(graph, catalogue)["kind"]) == {"deadline", "repayment_plan", "order", "declared", "alert"}
    firm = verdicts["entity"].iloc[0]
    assert len(dossier(graph, firm, catalogue).fields)


def test_both_languages_find_the_same(county, catalogue, findings):
    english = screen(county.graph, catalogue, lang="en")
    columns = ["entity", "rule", "severity", "since", "evidence"]
    assert english[columns].equals(findings[columns])
    assert not english["text"].str.contains(r"[一-鿿]{4,}.*[，。；]", regex=True).any()
