"""Seed systems 1 and 2: sectors, agencies, assignment. One test a row, named after its id."""

from __future__ import annotations

import random

import pytest

from riskgraph.supervision import action_lists, assign, classify_sectors, dispose, plan_inspections

AT = "2016-06-30"


def labels(frame, sector):
    rows = frame[frame["sector"] == sector]
    return {(row.entity, row.subtype): row.why for row in rows.itertuples()}


def test_sector_p2p(make, catalogue):
    graph = make(
        {
            "listed": {"name": "甲信息公司", "source_ref": "网贷之家"},
            "worded": {"name": "乙网络借贷公司"},
            "tipped": {"name": "丙信息公司"},
            "mixed": {"name": "丁公司", "sector": "p2p"},
            "plain": {"name": "戊面馆"},
        },
        cases=[("tipped", "tipoff", "2016-05-01", {"topic": "P2P", "authority": "r1"})],
        facts=[("mixed", "capital_pool", True)],
    )
    out = labels(classify_sectors(graph, catalogue, at=AT), "p2p")
    assert out == {
        ("listed", "registered"): "list:网贷之家",
        ("worded", "off_list"): "keyword:name:网络借贷",
        ("tipped", "off_list"): "case:c0",
        ("mixed", "credit_intermediary"): "declared",
    }


def test_sector_assetmgmt(make, catalogue):
    graph = make(
        {"qualified": {}, "crossing": {}, "head": {}, "one": {}, "two": {}, "fund": "product", "note": "product"},
        [
            ("crossing", "manages", "note"),
            ("qualified", "manages", "fund"),
            ("head", "owns", "one", {"share": 0.8}),
            ("head", "owns", "two", {"share": 0.6}),
        ],
        licences=[("qualified", "asset_management"), ("one", "payment"), ("two", "insurance")],
        facts=[("qualified", "violation", True), ("note", "product_type", "理财")],
    )
    out = labels(classify_sectors(graph, catalogue), "asset_management")
    assert set(out) == {("qualified", "a"), ("crossing", "b"), ("head", "c"), ("one", "c"), ("two", "c")}
    one_licence = catalogue.with_parameters(**{"SECTOR-ASSETMGMT": {"licence_families": 3}})
    assert not {key for key in labels(classify_sectors(graph, one_licence), "asset_management") if key[1] == "c"}


def test_sector_exchange(make, catalogue):
    graph = make(
        {
            "venue": {"name": "某商品交易中心"},
            "unit": {"name": "某商贸"},
            "branch": {"name": "某分公司"},
            "bank": {"sector": "bank"},
            "sub": {},
        },
        [("unit", "member_of", "venue"), ("branch", "branch_of", "venue"), ("sub", "branch_of", "bank")],
    )
    out = labels(classify_sectors(graph, catalogue), "exchange")
    assert set(out) == {("venue", "venue"), ("unit", "member_unit"), ("branch", "branch")}


def test_sector_crowdfund(make, catalogue):
    graph = make(
        {"platform": {"name": "某股权众筹公司"}, "issuer": {}, "broker": {}, "other": {}},
        [
            ("issuer", "raises_on", "platform"),
            ("broker", "cooperates", "platform"),
            ("other", "cooperates", "platform"),
        ],
        licences=[("broker", "securities")],
    )
    out = labels(classify_sectors(graph, catalogue), "equity_crowdfunding")
    assert set(out) == {("platform", "platform"), ("issuer", "issuer"), ("broker", "partner")}


def test_sector_insurance(make, catalogue):
    graph = make(
        {
            "insurer": {"name": "某财险"},
            "agent": {"name": "某保险代理"},
            "seller": {"name": "某科技"},
            "policy": {"kind": "product", "sector": "insurance"},
        },
        [("insurer", "manages", "policy"), ("seller", "distributes", "policy"), ("agent", "distributes", "policy")],
        licences=[("insurer", "insurance"), ("agent", "insurance")],
    )
    out = labels(classify_sectors(graph, catalogue), "insurance")
    assert set(out) == {("insurer", "insurer"), ("agent", "intermediary"), ("seller", "unlicensed_seller")}
    assert "keyword" not in out["seller", "unlicensed_seller"]


def test_sector_wealth(make, catalogue):
    graph = make(
        {
            "named": {"name": "某投资咨询公司"},
            "scoped": {"name": "某公司", "scope": "销售日用品;项目投资"},
            "bare": {"name": "某典当行"},
            "approved": {"name": "另一典当行"},
            "reported": {"name": "某实业"},
            "ann": "person",
        },
        cases=[(who, "tipoff", "2016-05-01", {"authority": f"r{n}"}) for who in ("reported", "ann") for n in range(4)],
        licences=[("approved", "pawn")],
    )
    out = labels(classify_sectors(graph, catalogue, at=AT), "wealth_management")
    assert set(out) == {("named", "1"), ("scoped", "2"), ("bare", "3"), ("reported", "4"), ("ann", "4")}


def test_sector_ad(make, catalogue):
    graph = make(
        {"paper": {}, "ad": "advertisement", "product": "product", "firm": {}, "shop": {}, "poster": "advertisement"},
        [
            ("paper", "publishes", "ad"),
            ("ad", "promotes", "product"),
            ("firm", "manages", "product"),
            ("poster", "promotes", "shop"),
        ],
        facts=[("ad", "ad_text", "保本理财"), ("poster", "ad_text", "家具特卖")],
    )
    out = labels(classify_sectors(graph, catalogue), "advertising")
    assert set(out) == {("paper", "media"), ("ad", "advertisement"), ("firm", "advertiser")}
    from riskgraph.supervision import screen

    bad = screen(graph, catalogue, rules=["KEYWORD-AD-NINE"])
    assert set(bad["entity"]) == {"ad", "firm"}
    assert set(bad.set_index("entity").loc["firm", "evidence"]) == {"f0", "r1", "r2"}


def test_sector_payment(make, catalogue):
    graph = make(
        {"payer": {"name": "某支付公司"}},
        licences=[("payer", "payment", {"id": "L", "start": "2012-01-01", "end": "2016-06-30"})],
    )
    today = labels(classify_sectors(graph, catalogue, at="2016-07-01"), "payment")
    before = labels(classify_sectors(graph, catalogue, at="2016-06-23"), "payment")
    assert set(today) == {("payer", "unlicensed")}
    assert set(before) == {("payer", "licensed")}
    assert set(labels(classify_sectors(graph, catalogue, at="2016-06-30"), "payment")) == {("payer", "unlicensed")}


def test_sector_realestate_sector_coop(make, catalogue):
    graph = make({"builder": {"sector": "real_estate"}, "farm": {"name": "某某蔬菜专业合作社"}})
    county = assign(graph, catalogue, level="county").set_index("entity")
    province = assign(graph, catalogue, level="province").set_index("entity")
    assert county["lead"].to_dict() == {"builder": "housing_bureau", "farm": "rural_work_office"}
    assert province["lead"].to_dict() == {"builder": "", "farm": ""}
    assert (province["queue"] != "").all()


COUNTY = {
    "p2p": "finance_office", "asset_management": "finance_office", "exchange": "finance_office",
    "equity_crowdfunding": "finance_office", "insurance": "finance_office", "wealth_management": "stability_office",
    "advertising": "market_supervision", "payment": "pboc", "real_estate": "housing_bureau",
    "cooperative": "rural_work_office",
}  # fmt: skip
PROVINCE = {
    "p2p": "finance_office;banking_regulator", "payment": "pboc",
    "equity_crowdfunding": "securities_regulator;finance_office", "insurance": "insurance_regulator;finance_office",
    "asset_management": "finance_office", "exchange": "finance_office", "advertising": "industry_and_commerce",
    "wealth_management": "stability_office;public_security",
}  # fmt: skip


def test_lead(make, catalogue):
    table = catalogue.leads
    for level, expected in (("county", COUNTY), ("province", PROVINCE)):
        rows = table[table["level"] == level]
        assert dict(zip(rows["sector"], rows["lead"], strict=True)) == expected
        graph = make({sector: {"sector": sector} for sector in expected})
        out = assign(graph, catalogue, level=level).set_index("entity")
        assert out["lead"].to_dict() == expected
        assert (out["queue"] == "").all()


def test_assign_licensed_by_licensor(make, catalogue):
    graph = make(
        {"firm": {}, "other": {}},
        licences=[
            ("firm", "payment", {"issuer": "pboc"}),
            ("firm", "fund", {"issuer": "securities_regulator"}),
            ("other", "pawn", {"issuer": "某市商务局"}),
        ],
        facts=[("firm", "violation", True), ("other", "violation", True)],
        cases=[("firm", "order", "2016-05-01", {"topic": "fund"})],
    )
    out = assign(graph, catalogue).set_index("entity")
    assert out.loc["firm", "lead"] == "securities_regulator"
    assert out.loc["other", "lead"] == "commerce"
    assert out.loc["firm", "reason"].startswith("ASSIGN-LICENSED-BY-LICENSOR")
    unclear = make(
        {"firm": {}},
        licences=[("firm", "payment", {"issuer": "pboc"}), ("firm", "fund", {"issuer": "securities_regulator"})],
        facts=[("firm", "violation", True)],
    )
    assert assign(unclear, catalogue)["lead"].tolist() == ["pboc;securities_regulator"]


def test_assign_unlicensed_featured(make, catalogue):
    graph = make(
        {"firm": {"scope": "商户资金结算"}, "bank": {"sector": "bank"}, "shop": {}},
        [("firm", "channels", "shop"), ("bank", "channels", "firm")],
        facts=[("firm", "merchants", 300)],
    )
    out = assign(graph, catalogue).set_index("entity")
    assert out.loc["firm", "lead"] == "pboc"
    weak = make(
        {"firm": {"sector": "asset_management", "scope": "网贷信息"}, "ann": "person", "builder": {}},
        [("ann", "invests", "firm", {"amount": 5.0}), ("firm", "lends", "builder", {"amount": 5.0})],
    )
    strict = catalogue.with_parameters(
        **{"ASSIGN-UNLICENSED-FEATURED": {"tau": 0.99}, "ASSIGN-CROSS-NESTED": {"hops": 0}}
    )
    only = make(
        {"firm": {"sector": "asset_management"}, "site": "website", "ann": "person", "b": {}},
        [
            ("firm", "operates", "site"),
            ("ann", "invests", "firm", {"amount": 5.0}),
            ("firm", "lends", "b", {"amount": 5.0}),
        ],
        facts=[("site", "website_text", "网贷 出借")],
    )
    low = catalogue.with_parameters(**{"ASSIGN-UNLICENSED-FEATURED": {"tau": 0.4}})
    assert assign(only, low).set_index("entity").loc["firm", "reason"].startswith("ASSIGN-UNLICENSED-FEATURED")
    next_row = assign(only, strict).set_index("entity").loc["firm"]
    assert next_row["reason"].startswith("ASSIGN-UNLICENSED-PENETRATION")
    assert next_row["lead"] == "banking_regulator"
    assert assign(weak, strict).set_index("entity").loc["firm", "queue"] == "leading_group"


def test_assign_unlicensed_penetration(make, catalogue):
    def shell(kind, target):
        return make(
            {"shell": {}, "saver": "person", "borrower": {}, "stock": {"kind": "product", "sector": "securities"}},
            [("saver", "invests", "shell", {"amount": 100.0}), ("shell", kind, target, {"amount": 100.0})],
        )

    loans = assign(shell("lends", "borrower"), catalogue, lang="en").set_index("entity").loc["shell"]
    stocks = assign(shell("invests", "stock"), catalogue, lang="en").set_index("entity").loc["shell"]
    assert (loans["lead"], stocks["lead"]) == ("banking_regulator", "securities_regulator")
    assert "sources [person]" in loans["reason"]
    assert "[r1]" in loans["reason"]
    assert loans["reason"].startswith("ASSIGN-UNLICENSED-PENETRATION")


def test_assign_cross_nested(make, catalogue):
    graph = make({"both": {"sector": "p2p;insurance"}, "none": {}, "one": {"sector": "p2p"}})
    out = assign(graph, catalogue, lang="en").set_index("entity")
    assert out.loc["both", "queue"] == "leading_group"
    assert "p2p, insurance" in out.loc["both", "reason"]
    assert out.loc["none", "queue"] == "leading_group"
    assert out.loc["one", "queue"] == ""
    rng = random.Random(7)
    kinds = ["owns", "lends", "invests", "cooperates", "manages", "guarantees", "channels"]
    sectors = [None, "p2p", "payment", "insurance", "exchange", "bank", "other", "cooperative", "trust"]
    for _ in range(15):
        names = [f"n{number}" for number in range(rng.randint(3, 10))]
        entities = {
            name: {"sector": rng.choice(sectors), "kind": rng.choice(["company", "company", "product"])}
            for name in names
        }
        relations = []
        for _ in range(12):
            source, target = rng.sample(names, 2)
            relations.append((source, rng.choice(kinds), target, {"amount": float(rng.randint(1, 9))}))
        random_graph = make(entities, relations)
        for level in ("county", "province"):
            rows = assign(random_graph, catalogue, level=level)
            assert set(rows["entity"]) == set(names)
            assert ((rows["lead"] != "") ^ (rows["queue"] != "")).all()


def test_agency_am(make, catalogue):
    graph = make(
        {
            "pawn": {"sector": "pawn"}, "surety": {"sector": "guarantee"}, "trust": {"sector": "trust"},
            "fund": {"sector": "fund"}, "insurance_am": {"sector": "asset_management"},
            "financial": {"sector": "leasing", "name": "某金融租赁公司"},
            "finance": {"sector": "leasing", "name": "某融资租赁公司"},
        },
        facts=[("insurance_am", "product_type", "保险资产管理")],
    )  # fmt: skip
    out = assign(graph, catalogue, level="province").set_index("entity")["lead"]
    assert out.to_dict() == {
        "pawn": "commerce",
        "surety": "economy_informatization",
        "trust": "banking_regulator",
        "fund": "securities_regulator",
        "insurance_am": "insurance_regulator",
        "financial": "banking_regulator",
        "finance": "commerce",
    }


def test_agency_am_pboc_nested(make, catalogue):
    def nested(depth):
        products = [f"p{number}" for number in range(depth)]
        chain = [(a, "invests", b, {"amount": 9.0}) for a, b in zip(products, [*products[1:], "asset"], strict=True)]
        return make(
            {"firm": {"sector": "asset_management"}, "asset": {}, **dict.fromkeys(products, "product")},
            [("firm", "manages", "p0"), *chain],
        )

    for depth in (2, 3, 4):
        deep = catalogue.with_parameters(**{"AGENCY-AM-PBOC-NESTED": {"D": depth}})
        at_depth = assign(nested(depth), deep).set_index("entity").loc["firm"]
        below = assign(nested(depth - 1), deep).set_index("entity").loc["firm"]
        assert at_depth["lead"] == "pboc"
        assert at_depth["reason"].startswith("AGENCY-AM-PBOC-NESTED")
        assert below["lead"] != "pboc"


def test_agency_exchange_duties(make, catalogue):
    graph = make(
        {
            "venue": {"sector": "exchange"},
            "bank": {"sector": "bank"},
            "psp": {"sector": "payment"},
            "site": "website",
            "agent": {},
        },
        [
            ("bank", "custodies", "venue"),
            ("psp", "channels", "venue"),
            ("venue", "operates", "site"),
            ("agent", "cooperates", "venue"),
        ],
    )
    lists = action_lists(graph, catalogue, lang="en")
    mine = lists[lists["entity"] == "venue"]
    assert dict(zip(mine["agency"], mine["evidence"], strict=True)) == {
        "banking_regulator": "r0",
        "pboc": "r1",
        "telecom_administration": "r2",
        "cyberspace_administration": "r3",
    }
    row = assign(graph, catalogue).set_index("entity").loc["venue"]
    joined = {"banking_regulator", "pboc", "telecom_administration", "cyberspace_administration"}
    assert joined <= set(row["assist"].split(";"))
    assert row["duties"].count("[r") == 4


def test_jurisdiction_reg_vs_oper(make, catalogue):
    graph = make(
        {
            "moved": {"sector": "p2p", "registered_in": "320102", "operates_in": "320581"},
            "home": {"sector": "p2p", "registered_in": "320581", "operates_in": "320581"},
            "crowd": {"sector": "equity_crowdfunding", "registered_in": "320102", "operates_in": "320581"},
        }
    )
    out = assign(graph, catalogue).set_index("entity")
    assert out.loc["moved", ["region", "assist_region"]].tolist() == ["320581", "320102"]
    assert out.loc["home", ["region", "assist_region"]].tolist() == ["320581", ""]
    assert out.loc["crowd", ["region", "assist_region"]].tolist() == ["320102", "320581"]


def test_jurisdiction_out_of_province_institution(make, catalogue):
    graph = make(
        {name: {"sector": "wealth_management", "registered_in": place, "operates_in": "320581"} for name, place in
         (("far", "440301"), ("calm", "440301"), ("near", "320102"))},
        facts=[("far", "risk_level", "high"), ("calm", "risk_level", "low"), ("near", "risk_level", "high")],
    )  # fmt: skip
    out = dispose(graph, catalogue, at=AT).set_index("entity")["measure"]
    assert "本地兑付" in out["far"]
    assert "限期迁离" in out["far"]
    assert "重点监控" in out["calm"]
    assert "迁离" not in out["calm"]
    assert "迁离" not in out["near"]
    duties = assign(graph, catalogue, lang="en").set_index("entity")["duties"]
    assert "inquiry to the authority of 440301" in duties["far"]
    elsewhere = catalogue.with_parameters(home_province="44")
    assert "迁离" not in dispose(graph, elsewhere, at=AT).set_index("entity")["measure"]["far"]


def test_jurisdiction_payment_cross_region(make, catalogue):
    graph = make(
        {
            "two": {"sector": "payment", "registered_in": "320581", "operates_in": "320581;320102"},
            "one": {"sector": "payment", "registered_in": "320581", "operates_in": "320581"},
            "licensed": {"sector": "payment", "registered_in": "320581", "operates_in": "320581;320102"},
        },
        licences=[("licensed", "payment")],
    )
    county = assign(graph, catalogue, level="county").set_index("entity")
    assert county["queue"].to_dict() == {"two": "province", "one": "", "licensed": ""}
    assert county.loc["two", "reason"].startswith("JURISDICTION-PAYMENT-CROSS-REGION")
    assert assign(graph, catalogue, level="province").set_index("entity").loc["two", "lead"] == "pboc"


def test_lead_four_in_one(make, catalogue):
    graph = make({"many": {"sector": "p2p;exchange;wealth_management"}, "one": {"sector": "p2p"}})
    assert classify_sectors(graph, catalogue)["entity"].tolist().count("many") == 3
    plan = plan_inspections(graph, {"many": 0.9, "one": 0.4}, teams=2, days=3)
    assert plan["entity"].tolist() == ["many", "one"]
    assert assign(graph, catalogue)["entity"].is_unique


@pytest.mark.parametrize("level", ["city", "town", None])
def test_level_is_checked(make, catalogue, level):
    from riskgraph.errors import InvalidParameter

    with pytest.raises(InvalidParameter, match="'level' must be 'county' or 'province'"):
        assign(make({"A": {}}), catalogue, level=level)
