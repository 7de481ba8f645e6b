"""Seed system 3: screening. One test a row, named after its id."""

from __future__ import annotations

import numpy as np
import pytest

from riskgraph.supervision import keyword_hits, screen

AT = "2016-06-30"


def test_keyword_name_list_a_to_f(make, catalogue, found):
    graph = make(
        {
            "fund": {"name": "某某股权投资基金管理"},
            "gold": {"name": "某某贵金属"},
            "wide": {"name": "某某Ｐ２Ｐ公司"},
            "old": {"name": "某某網絡借貸"},
            "barred": {"name": "某某商贸", "scope": "百货销售(不得从事金融、理财业务);运输"},
            "licensed": {"name": "某某基金管理"},
        },
        licences=[("licensed", "fund")],
    )
    hits = keyword_hits(graph, catalogue)
    a = hits[(hits["entity"] == "fund") & (hits["list"] == "A")]
    assert dict(zip(a["word"], zip(a["start"], a["stop"], strict=True), strict=True)) == {
        "股权投资基金": (2, 8), "基金": (6, 8), "基金管理": (6, 10),
    }  # fmt: skip
    assert set(hits.loc[(hits["entity"] == "fund"), "list"]) == {"A", "B"}
    assert set(hits.loc[hits["word"] == "贵金属", "list"]) == {"C"}
    assert hits.loc[hits["entity"] == "wide", ["list", "word", "start", "stop"]].to_numpy().tolist() == [
        ["A", "P2P", 2, 5]
    ]
    assert hits.loc[hits["entity"] == "old", "word"].tolist() == ["网络借贷"]
    assert hits.loc[hits["entity"] == "barred", "negated"].all()
    out = screen(graph, catalogue)
    assert found(out, "KEYWORD-NAME-LIST-A") == {"fund", "wide", "old"}
    assert found(out, "KEYWORD-NAME-LIST-C-EXCHANGE") == {"gold"}
    evidence = out.set_index(["entity", "rule"]).loc[("fund", "KEYWORD-NAME-LIST-A"), "evidence"]
    assert "fund.name[6:10]=基金管理" in evidence


def test_keyword_name_list_f_unapproved(make, catalogue, found):
    graph = make(
        {
            "bare": {"name": "某某典当行"},
            "late": {"name": "另一典当行"},
            "held": {"name": "第三典当行"},
            "surety": {"name": "某非融资性担保公司"},
        },
        licences=[
            ("late", "pawn", {"start": "2016-07-01"}),
            ("held", "pawn", {"start": "2010-01-01"}),
            ("surety", "pawn", {"start": "2010-01-01"}),
        ],
    )
    rule = "KEYWORD-NAME-LIST-F-UNAPPROVED"
    assert found(screen(graph, catalogue, at=AT), rule) == {"bare", "late", "surety"}
    assert found(screen(graph, catalogue, at="2016-07-01"), rule) == {"bare", "surety"}


def test_keyword_ad_nine_keyword_guise_list_g_ads(make, catalogue, found):
    graph = make(
        {"promise": "advertisement", "guise": "advertisement", "clean": "advertisement", "firm": {}, "bank": {}},
        [("promise", "promotes", "firm"), ("guise", "promotes", "firm"), ("clean", "promotes", "bank")],
        facts=[
            ("promise", "ad_text", "新品保本"),
            ("guise", "ad_text", "投资咨询,信用贷款当天放款"),
            ("clean", "ad_text", "投资咨询,信用贷款当天放款"),
        ],
        licences=[("bank", "bank")],
    )
    out = screen(graph, catalogue, lang="en")
    nine = out[out["rule"] == "KEYWORD-AD-NINE"].set_index("entity")["text"]
    assert "item 2" in nine["promise"]
    assert nine["promise"].count("item") == 1
    assert "item 6" in nine["guise"]
    assert found(out, "KEYWORD-GUISE-LIST-G-ADS") == {"guise", "firm"}
    assert "clean" not in set(out["entity"])


def test_licence_substance_match(make, catalogue):
    graph = make(
        {
            "firm": {},
            "ann": "person",
            "own": {"kind": "product", "sector": "fund"},
            "other": {"kind": "product", "sector": "trust"},
        },
        [
            ("firm", "manages", "own"),
            ("firm", "manages", "other"),
            ("ann", "invests", "own", {"amount": 70.0}),
            ("ann", "invests", "other", {"amount": 30.0}),
        ],
        licences=[("firm", "fund")],
    )
    rule = "LICENCE-SUBSTANCE-MATCH"
    (row,) = screen(graph, catalogue, rules=[rule], lang="en").itertuples()
    assert row.severity == pytest.approx(0.3)
    assert "30 of 100" in row.text
    assert set(row.evidence) == {"l0", "r1", "r3"}
    both = make(
        {"firm": {}, "own": {"kind": "product", "sector": "fund"}},
        [("firm", "manages", "own")],
        licences=[("firm", "fund")],
    )
    assert not len(screen(both, catalogue, rules=[rule]))


def test_licence_exchange_unapproved_change(make, catalogue):
    def snapshot(fact, old, new, day):
        return [("V", fact, old, {"start": "2012-01-01"}), ("V", fact, new, {"start": day})]

    graph = make(
        {"V": {"sector": "exchange"}},
        facts=[
            *snapshot("name", "甲", "乙", "2015-03-01"),
            *snapshot("capital", 50, 80, "2015-04-01"),
            *snapshot("address", "东路", "西路", "2015-05-01"),
            *snapshot("legal_representative", "张", "李", "2015-06-01"),
            ("V", "approval:capital", True, {"start": "2015-03-20"}),
            ("V", "approval:address", True, {"start": "2015-06-15"}),
        ],
    )
    rule = "LICENCE-EXCHANGE-UNAPPROVED-CHANGE"
    out = screen(graph, catalogue, at=AT, rules=[rule])
    assert out["since"].dt.strftime("%Y-%m-%d").tolist() == ["2015-03-01", "2015-05-01", "2015-06-01"]
    assert out["evidence"].tolist()[0] == ("f0", "f1")
    assert len(screen(graph, catalogue, at="2015-04-30", rules=[rule])) == 1


def holders(number, extra=()):
    names = [f"h{place}" for place in range(number)]
    rows = [
        (name, "owns", "C", {"start": f"2014-01-{1 + place % 28:02d}", "share": 0.001})
        for place, name in enumerate(names)
    ]
    return dict.fromkeys(names, "person"), [*rows, *extra]


def test_rule_200_public_rule_200_transfer(make, catalogue, found):
    people, rows = holders(200)
    graph = make({"C": {}, **people}, rows)
    out = screen(graph, catalogue, at=AT)
    assert not found(out, "RULE-200-PUBLIC")
    last = ("late", "owns", "C", {"start": "2015-05-05", "share": 0.001, "id": "crossing"})
    rows = [(*row[:3], {**row[3], "id": f"o{place}"}) for place, row in enumerate(rows)]
    graph = make({"C": {}, "late": "person", **people}, [*rows, last])
    (row,) = screen(graph, catalogue, at=AT, rules=["RULE-200-PUBLIC"], lang="en").itertuples()
    assert row.evidence == ("crossing",)
    assert "201" in row.text
    assert str(row.since.date()) == "2015-05-05"
    assert not len(screen(graph, catalogue, at="2015-05-04", rules=["RULE-200-PUBLIC"]))
    # one leaves on the day another enters: 200 at once, 201 in all, and it is a transfer
    rows[0] = (*rows[0][:3], {**rows[0][3], "end": "2015-05-05"})
    graph = make({"C": {}, "late": "person", **people}, [*rows, last])
    assert found(screen(graph, catalogue, at=AT), "RULE-200-PUBLIC") == {"C"}
    (transfer,) = screen(graph, catalogue, at=AT, rules=["RULE-200-TRANSFER"]).itertuples()
    assert set(transfer.evidence) == {"crossing", "o0"}
    at_once = catalogue.with_parameters(**{"RULE-200-PUBLIC": {"cumulative": False}})
    assert not found(screen(graph, at_once, at=AT), "RULE-200-PUBLIC")
    approved = make(
        {"C": {}, "late": "person", **people},
        [*rows, last],
        facts=[("C", "approval:public_offering", True, {"start": "2015-01-01"})],
    )
    assert not found(screen(approved, catalogue, at=AT), "RULE-200-PUBLIC")


def test_rule_200_nonpublic(make, catalogue, found):
    people, rows = holders(50)
    public = make({"C": {}, **people}, rows, facts=[("C", "solicitation_channel", "微信群")])
    private = make({"C": {}, **people}, rows, facts=[("C", "solicitation_channel", "面谈")])
    assert found(screen(public, catalogue, at=AT), "RULE-200-NONPUBLIC") == {"C"}
    assert not found(screen(private, catalogue, at=AT), "RULE-200-NONPUBLIC")


def test_fund_third_party_custody(make, catalogue):
    rule = "FUND-THIRD-PARTY-CUSTODY"

    def platform(*spans, custodian="bank", licence_end=None):
        return make(
            {"P": {"sector": "p2p"}, "bank": {}, "shop": {"sector": "other"}},
            [(custodian, "custodies", "P", {"start": start, "end": end}) for start, end in spans],
            licences=[("bank", "bank", {"start": "2000-01-01", "end": licence_end})],
        )

    gap = platform(("2015-01-01", "2016-03-01"), ("2016-03-02", None))
    (row,) = screen(gap, catalogue, at=AT, rules=[rule], lang="en").itertuples()
    assert "1 day" in row.text
    assert (row.evidence, str(row.since.date())) == (("r0", "r1"), "2016-03-01")
    assert not len(screen(platform(("2015-01-01", "2016-03-01"), ("2016-03-01", None)), catalogue, at=AT, rules=[rule]))
    assert len(screen(platform(("2015-01-01", None), custodian="shop"), catalogue, at=AT, rules=[rule])) == 1
    assert len(screen(platform(("2015-01-01", None), licence_end="2016-06-01"), catalogue, at=AT, rules=[rule])) == 1
    assert len(screen(platform(("2015-01-01", "2016-06-30")), catalogue, at=AT, rules=[rule])) == 1


def test_fund_yield_anomaly(make, catalogue, found):
    rule = "FUND-YIELD-ANOMALY"

    def offers(*yields, project=None):
        entities = {f"P{n}": {"sector": "p2p"} for n in range(len(yields))}
        facts = [(f"P{n}", "promised_yield", value) for n, value in enumerate(yields)]
        if project is not None:
            facts.append(("P0", "project_return", project))
        return make(entities, facts=facts)

    assert found(screen(offers(0.08, 0.09, 0.1, 0.08, 0.36), catalogue), rule) == {"P4"}
    with np.errstate(all="raise"):
        assert not found(screen(offers(0.08, 0.08, 0.08, 0.08, 0.08), catalogue), rule)
        assert found(screen(offers(*[0.08] * 12, 0.4), catalogue), rule) == {"P12"}
    assert found(screen(offers(0.2, 0.19, project=0.05), catalogue), rule) == {"P0"}
    assert not found(screen(offers(0.2, 0.19, project=0.10), catalogue), rule)


def test_coop_licensed_unlicensed(make, catalogue):
    rule = "COOP-LICENSED-UNLICENSED"
    graph = make(
        {"bank": {}, "firm": {"sector": "payment"}},
        [("bank", "cooperates", "firm", {"start": "2015-01-10", "end": "2016-12-31"})],
        licences=[
            ("bank", "bank"),
            ("firm", "payment", {"start": "2014-01-01", "end": "2015-06-01"}),
            ("firm", "payment", {"start": "2016-09-01"}),
        ],
    )
    out = screen(graph, catalogue, at=AT, rules=[rule], lang="en")
    assert set(out["entity"]) == {"bank", "firm"}
    assert out["text"].str.contains(r"[2015-06-01, 2016-09-01)", regex=False).all()
    assert (out["since"].dt.strftime("%Y-%m-%d") == "2015-06-01").all()
    assert not len(screen(graph, catalogue, at="2016-09-01", rules=[rule]))
    assert not len(screen(graph, catalogue, at="2015-05-31", rules=[rule]))


def test_coop_distribution(make, catalogue, found):
    graph = make(
        {"trust": {}, "seller": {}, "plan": {"kind": "product", "sector": "trust"}, "able": {}},
        [("trust", "manages", "plan"), ("seller", "distributes", "plan"), ("able", "distributes", "plan")],
        licences=[("trust", "trust"), ("seller", "fund"), ("able", "trust")],
    )
    out = screen(graph, catalogue)
    assert found(out, "COOP-DISTRIBUTION") == {"trust", "seller"}


def test_rule_officer_criminal_record(make, catalogue):
    graph = make(
        {"C": {}, **dict.fromkeys(["a", "b", "c", "d", "gone"], "person")},
        [
            *[(who, "officer", "C", {"role": "director", "start": "2010-01-01"}) for who in "abcd"],
            ("gone", "officer", "C", {"role": "director", "start": "2010-01-01", "end": "2015-01-01"}),
        ],
        cases=[("a", "criminal_record", "2014-01-01"), ("gone", "criminal_record", "2014-01-01")],
    )
    (row,) = screen(graph, catalogue, at=AT, rules=["RULE-OFFICER-CRIMINAL-RECORD"]).itertuples()
    assert (row.entity, row.severity) == ("C", 0.25)
    assert "0.25" in row.text
    assert set(row.evidence) == {"c0", "r0"}


def test_licence_realestate_platform(make, catalogue):
    def chain(share):
        return make(
            {"builder": {"sector": "real_estate"}, "shell": {}, "loans": {"name": "某网贷"}},
            [("builder", "owns", "shell", {"share": share}), ("shell", "owns", "loans", {"share": 0.9})],
        )

    rule = "LICENCE-REALESTATE-PLATFORM"
    (row,) = screen(chain(0.6), catalogue, rules=[rule], lang="en").itertuples()
    assert row.entity == "builder"
    assert "hop 2" in row.text
    assert row.evidence == ("r0", "r1")
    assert not len(screen(chain(0.4), catalogue, rules=[rule]))


def test_triage_p2p_key_check(make, catalogue):
    graph = make(
        {"campus": {"sector": "p2p"}, "both": {"sector": "p2p"}, "calm": {"sector": "p2p"}},
        facts=[
            ("campus", "product_type", "校园网贷"),
            ("both", "product_type", "校园网贷"),
            ("both", "ads_per_month", 60),
            ("calm", "ads_per_month", 2),
        ],
    )
    out = screen(graph, catalogue, rules=["TRIAGE-P2P-KEY-CHECK"], lang="en").set_index("entity")
    assert set(out.index) == {"campus", "both"}
    assert out.loc["campus", "text"].startswith("1 signal")
    assert out.loc["both", "text"].startswith("2 signal")
    assert out.loc["both", "severity"] > out.loc["campus", "severity"]
