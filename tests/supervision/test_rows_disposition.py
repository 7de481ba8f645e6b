"""Seed system 6: triage and disposition. One test a row, named after its id."""

from __future__ import annotations

import pandas as pd

from riskgraph.supervision import dispose, monitor, screen, triage

AT = "2016-06-30"
CRITERIA = [
    "information_intermediary",
    "direct_lending",
    "client_fund_custody",
    "disclosure_complete",
    "network_security",
]


def good(catalogue, firm="P", **changed):
    values = {**dict.fromkeys(CRITERIA, True), **dict.fromkeys(catalogue.red_lines, False), **changed}
    return [(firm, name, value) for name, value in values.items() if value is not None]


def test_triage_three_class(make, catalogue):
    firms: dict[str, tuple[str, list]] = {}

    def platform(name, expected, extra=(), **changed):
        firms[name] = (expected, [*good(catalogue, name, **changed), *extra])

    platform("all good", "compliant")
    platform("suspected", "ban", illegal_fundraising_suspected=True)
    for name in catalogue.red_lines:
        platform(f"touched {name}", "rectify", **{name: True})
    for name in CRITERIA:
        platform(f"failed {name}", "rectify", **{name: False})
    for name in (*CRITERIA, *catalogue.red_lines):
        platform(f"unknown {name}", "undetermined", **{name: "unknown"})
        platform(f"missing {name}", "undetermined", **{name: None})
    # two sources that disagree: the worse one counts
    platform("disputed", "rectify", [("disputed", "capital_pool", True, {"source_ref": "site_visit"})])
    graph = make(
        {name: {"sector": "p2p"} for name in firms}, facts=[fact for _, facts in firms.values() for fact in facts]
    )
    out = triage(graph, catalogue, at=AT, lang="en").set_index("entity")
    assert out["verdict"].to_dict() == {name: expected for name, (expected, _) in firms.items()}
    for name in catalogue.red_lines:
        assert catalogue.red_lines[name]["en"] in out.loc[f"touched {name}", "reasons"][0]
    for name in (*CRITERIA, *catalogue.red_lines):
        assert out.loc[f"missing {name}", "missing"] == out.loc[f"unknown {name}", "missing"] == (name,)


def test_triage_flow(make, catalogue):
    """Each leaf of the visit is reached once, and the term skips the National Day week and counts make-up days."""
    facts = {
        "high": {"promised_yield": 0.4, "project_return": 0.05, "illegal_fundraising_suspected": True},
        "weak": {"promised_yield": 0.08, "project_return": 0.05, "illegal_fundraising_suspected": False},
        "risky": {"promised_yield": 0.05, "project_return": 0.06, "assets": 10, "liabilities": 20},
        "calm": {"promised_yield": 0.05, "project_return": 0.06, "assets": 20, "liabilities": 10},
        "dark": {"promised_yield": 0.05},
        "away": {"risk_level": "high"},
        "near": {"risk_level": "low"},
    }
    places = {"away": "440301", "near": "440301"}
    graph = make(
        {name: {"sector": "wealth_management", "registered_in": places.get(name, "320581")} for name in facts},
        facts=[(name, fact, value) for name, given in facts.items() for fact, value in given.items()],
    )
    out = dispose(graph, catalogue, at="2016-09-26", lang="en").set_index("entity")
    stop, plan = "stop business", "repayment plan"
    assert stop in out.loc["high", "measure"]
    assert stop in out.loc["weak", "measure"]
    assert plan in out.loc["weak", "measure"]
    assert "key monitoring" in out.loc["risky", "measure"]
    assert stop not in out.loc["risky", "measure"]
    assert out.loc["calm", "measure"] == "routine monitoring"
    assert "human review (sustainable, repayment_risk)" in out.loc["dark", "measure"]
    assert "leave the province" in out.loc["away", "measure"]
    assert "inquiry" not in out.loc["high", "measure"]
    assert "leave" not in out.loc["near", "measure"]
    assert str(out.loc["high", "due"].date()) == "2016-10-13"
    assert str(out.loc["weak", "due"].date()) == "2016-10-13"
    assert pd.isna(out.loc["calm", "due"])
    late = dispose(graph, catalogue, at="2035-01-01", lang="en").set_index("entity")
    assert str(late.loc["high", "due"].date()) == "2035-01-15"
    assert "official calendar does not cover" in late.loc["high", "measure"]
    ordered = make(
        {"high": {"sector": "wealth_management"}},
        facts=[("high", name, value) for name, value in facts["high"].items()],
        cases=[("high", "order", "2016-09-01")],
    )
    assert str(dispose(ordered, catalogue, at="2016-09-26").iloc[0]["due"].date()) == "2016-09-18"


def test_triage_payment_unlicensed(make, catalogue):
    cases = {
        "small": (5e5, "low", True, "low"),
        "large": (9e8, "high", False, "high"),
        "mixed": (9e8, "low", True, "low"),
        "rude": (5e5, "low", False, "low"),
    }
    facts = []
    for name, (volume, harm, attitude, risk) in cases.items():
        facts += [
            (name, "volume", volume),
            (name, "harm", harm),
            (name, "cooperative_attitude", attitude),
            (name, "risk_level", risk),
        ]
    graph = make({name: {"sector": "payment"} for name in (*cases, "dark")}, facts=facts)
    out = triage(graph, catalogue, at=AT, lang="en").set_index("entity")
    assert out["verdict"].to_dict() == {
        "small": "rectify",
        "large": "ban",
        "mixed": "undetermined",
        "rude": "undetermined",
        "dark": "undetermined",
    }
    assert "human review" in out.loc["mixed", "reasons"][-1]
    assert out.loc["dark", "missing"] == ("volume", "harm", "cooperative_attitude")


def test_disposition_matrix_six(make, catalogue):
    given = {
        "one": {"risk_level": "high", "violation": False},
        "two": {"violation": True, "risk_level": "high"},
        "three": {"substance_mismatch": True, "risk_level": "low"},
        "four": {"risk_level": "low"},
        "five": {"evasion": True, "risk_level": "high"},
        "six": {"fraud_suspected": True, "evasion": True},
        "clean": {"risk_level": "low", "violation": False},
        "gap": {"risk_level": "high", "evasion": False, "fraud_suspected": False},
    }
    graph = make(
        {name: {} for name in given},
        facts=[(name, fact, value) for name, facts in given.items() for fact, value in facts.items()],
        licences=[(name, "fund") for name in ("one", "two", "three", "clean")],
    )
    out = dispose(graph, catalogue, at=AT, lang="en").set_index("entity")
    codes = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
    assert {name: out.loc[name, "code"] for name in codes} == codes
    assert "clean" not in out.index
    assert pd.isna(out.loc["gap", "code"])
    assert "gap" in out.loc["gap", "measure"]


def test_disposition_p2p_exchange_assetmgmt(make, catalogue, found):
    def firm(sector, **rectified):
        facts = [("F", "violation", True), *good(catalogue, "F", capital_pool=True)]
        if rectified:
            facts.append(("F", "rectified", True, rectified))
        return make(
            {
                "F": {"sector": sector},
                "new": {"kind": "product", "sector": "fund"},
                "old": {"kind": "product", "sector": "fund"},
            },
            [("F", "manages", "old", {"start": "2015-01-01"}), ("F", "manages", "new", {"start": "2016-05-20"})],
            facts=facts,
            cases=[("F", "order", "2016-05-10", {"due": "2016-06-10"})],
        )

    for sector in ("p2p", "exchange", "asset_management"):
        running = dispose(firm(sector), catalogue, at="2016-06-10", lang="en").iloc[0]
        overdue = dispose(firm(sector), catalogue, at="2016-06-11", lang="en").iloc[0]
        done = dispose(firm(sector, start="2016-06-05"), catalogue, at="2016-06-11", lang="en").iloc[0]
        assert "close or ban" not in running["measure"]
        assert str(running["due"].date()) == "2016-06-10"
        assert "close or ban (c0)" in overdue["measure"]
        assert "(c0)" not in done["measure"]
    breach = screen(firm("asset_management"), catalogue, at=AT, rules=["DISPOSITION-ASSETMGMT"])
    assert breach["evidence"].tolist() == [("c0", "r1")]
    before = screen(firm("asset_management", start="2016-05-15"), catalogue, at=AT, rules=["DISPOSITION-ASSETMGMT"])
    assert not len(before)
    statuses = monitor(firm("exchange"), catalogue, at="2016-06-11")
    assert statuses[statuses["kind"] == "order"]["status"].tolist() == ["overdue"]


def test_disposition_revoke_on_determination(make, catalogue, found):
    def papers(determined, revoked):
        return make(
            {"X": {}, "Y": {}, "p": "person"},
            [
                ("p", "officer", "X", {"role": "legal_representative"}),
                ("p", "officer", "Y", {"role": "director", "start": "2016-06-10"}),
            ],
            cases=[("X", "determination", determined, {"topic": "unlicensed"}), ("X", "revoked", revoked)],
        )

    right = screen(papers("2016-04-01", "2016-06-01"), catalogue, at=AT)
    wrong = screen(papers("2016-06-01", "2016-04-01"), catalogue, at=AT, lang="en")
    rule = "DISPOSITION-REVOKE-ON-DETERMINATION"
    assert not found(right, rule)
    assert found(right, "RULE-OFFICER-BAN-3Y") == {"Y", "p"}
    assert found(wrong, rule) == {"X"}
    assert "data error" in wrong[wrong["rule"] == rule]["text"].iloc[0]


def test_disposition_key_monitor_repayment(make, catalogue):
    def plan(*rows):
        facts = []
        for day, due, ready in rows:
            facts.append(("P", "repayment_due", due, {"start": day, "known_from": "2016-06-01"}))
            facts.append(("P", "repayment_available", ready, {"start": day, "known_from": "2016-06-01"}))
        return make({"P": {"sector": "p2p"}}, facts=facts)

    def status(graph, at=AT):
        rows = monitor(graph.at(at, known=at), catalogue)
        rows = rows[rows["kind"] == "repayment_plan"]
        return rows[["status", "due"]].astype(str).to_numpy().tolist()

    assert status(plan(("2016-09-30", 3, 3), ("2017-04-28", 8, 8))) == [["feasible", "2017-04-28"]]
    # enough in the end, short on one date
    assert status(plan(("2016-09-30", 3, 1), ("2017-04-28", 8, 12))) == [["infeasible", "2016-09-30"]]
    assert status(plan(("2016-09-30", 3, 5), ("2017-04-28", 8, 6))) == [["feasible", "2017-04-28"]]
    assert status(plan(("2016-09-30", 3, "unknown")))[0][0] == "incomplete"
    assert status(plan(("2016-09-30", 3, 1)), at="2016-05-31") == []
