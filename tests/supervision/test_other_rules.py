"""Rules beyond the rows of the seed systems: one graph that meets each, one that just does not."""

from __future__ import annotations

import pytest

from riskgraph.supervision import screen

AT = "2016-06-30"
CASES = {}


def case(rule):
    def register(function):
        CASES[rule] = function
        return function

    return register


@case("KEYWORD-DYNAMIC-LIST-I")
def debt_takers(make, met):
    return make(
        {"C": {"name": "某财富公司"}, "ann": "person"},
        [("ann", "lends", "C", {"amount": 5.0})],
        facts=[("C", "illegal_fundraising_suspected", met)],
    ), {"C"}  # fmt: skip


@case("KEYWORD-TYPE-LIST-H-PRIVATE-FINANCING")
def private_financing(make, met):
    return make({"C": {"name": "某财富管理公司"}, "shop": {}}, [("C", "lends", "shop")] if met else []), {"C"}


@case("KEYWORD-AD-KEY-SITES")
def key_sites(make, met):
    return make(
        {"W": "website", "G": "advertisement", "C": {}},
        [("W", "publishes", "G"), ("G", "promotes", "C")],
        facts=[("W", "site_type", "搜索引擎类网站" if met else "个人网站")],
    ), {"C"}  # fmt: skip


@case("KEYWORD-PUBLIC-CHANNELS")
def public_channels(make, met):
    return make(
        {"F": "product"}, facts=[("F", "private_placement", met), ("F", "solicitation_channel", "推介会")]
    ), {"F"}  # fmt: skip


@case("LICENCE-PAYMENT-NON-RENEWAL")
def dormant(make, met):
    start = "2012-01-01" if met else "2015-12-01"
    return make({"P": {}}, licences=[("P", "payment", {"start": start})], facts=[("P", "volume", 0)]), {"P"}


@case("LICENCE-EXCHANGE-OVERSCOPE")
def over_scope(make, met):
    return make(
        {"V": {"sector": "exchange"}, "oil": {"kind": "product", "name": "原油合约"}},
        [("V", "manages", "oil")],
        facts=[("V", "approved_products", "大豆合约" if met else "大豆合约;原油合约")],
    ), {"V"}  # fmt: skip


@case("LICENCE-EXCHANGE-APPROVAL")
def unapproved_venue(make, met):
    start = "2011-11-11" if met else "2011-11-10"
    return make({"V": {"sector": "exchange", "registered_in": "320581", "start": start}}), {"V"}


@case("LICENCE-EXCHANGE-BRANCH")
def unapproved_branch(make, met):
    return make(
        {"V": {"sector": "exchange"}, "B": {"registered_in": "320581" if met else "440301"}},
        [("B", "branch_of", "V", {"start": "2014-01-01"})],
    ), {"B"}  # fmt: skip


@case("LICENCE-COOP-MUTUAL-FUND")
def mutual_fund(make, met):
    approval = [] if met else [("F", "approval:mutual_fund", True)]
    return make({"F": {"sector": "cooperative"}}, facts=[("F", "declared_business", "内部资金互助"), *approval]), {"F"}


@case("LICENCE-INSURANCE-UNLICENSED")
def borrowed_name(make, met):
    tie = [] if met else [("firm", "cooperates", "insurer")]
    return make(
        {"insurer": {}, "G": "advertisement", "firm": {}},
        [("insurer", "endorses", "G"), ("G", "promotes", "firm"), *tie],
        licences=[("insurer", "insurance")],
    ), {"firm"}  # fmt: skip


@case("LICENCE-SECURITIES-ONLY-APPROVED")
def advice(make, met):
    return make({"ann": "person"}, facts=[("ann", "declared_business", "荐股" if met else "记账")]), {"ann"}


@case("COOP-SURETY-INSURANCE")
def surety(make, met):
    return make(
        {"I": {}, "P": {"sector": "p2p"}},
        [("I", "guarantees", "P", {"amount": 26.0 if met else 25.0})],
        licences=[("I", "insurance")],
        facts=[("I", "equity", 100)],
    ), {"I"}  # fmt: skip


@case("COOP-UNLICENSED-PAYMENT-MERCHANTS")
def merchants(make, met):
    cases = [("P", "unlicensed_finance", "2016-01-01")] if met else []
    return make({"P": {"sector": "payment"}, "shop": {}}, [("P", "channels", "shop")], cases=cases), {"shop"}


@case("RULE-SUITABILITY")
def suitability(make, met):
    return make(
        {"F": "product", "ann": "person"},
        [("ann", "invests", "F")],
        facts=[("F", "risk_level", "high"), ("ann", "risk_capacity", "low" if met else "high")],
    ), {"F"}  # fmt: skip


@case("RULE-AM-LEGAL-LIMIT")
def legal_limit(make, met):
    return make(
        {"F": "product", "M": {}},
        [("M", "manages", "F")],
        facts=[("F", "private_placement", True), ("F", "public_offering", met)],
    ), {"F", "M"}  # fmt: skip


@case("FUND-SEGREGATION")
def mixed_accounts(make, met):
    return make(
        {"P": {"sector": "p2p"}, "A": "account", "ann": "person", "landlord": {}},
        [("P", "operates", "A"), ("ann", "pays", "A"), ("A", "pays", "landlord", {"role": "rent" if met else "loan"})],
    ), {"P"}  # fmt: skip


@case("FUND-MISAPPROPRIATION")
def misuse(make, met):
    return make(
        {"P": {"sector": "p2p"}, "A": "account", "ann": "person", "boss": "person", "stranger": "person"},
        [
            ("boss", "owns", "P", {"share": 0.9}),
            ("P", "operates", "A"),
            ("ann", "pays", "A", {"amount": 9.0}),
            ("A", "pays", "boss" if met else "stranger", {"amount": 9.0}),
        ],
    ), {"P"}  # fmt: skip


@case("RULE-OFFICER-STAFF-MISAPPROPRIATION")
def staff(make, met):
    return make(
        {"P": {"sector": "p2p"}, "A": "account", "ann": "person", "clerk": "person"},
        [
            ("clerk", "officer", "P", {"role": "manager"}),
            ("P", "operates", "A"),
            ("ann", "pays", "A", {"amount": 9.0}),
            ("A", "pays", "clerk", {"amount": 9.0, "role": None if met else "salary"}),
        ],
    ), {"clerk"}  # fmt: skip


@case("FUND-POOL")
def pool(make, met):
    people = {f"p{number}": "person" for number in range(10 if met else 9)}
    flows = [(name, "pays", "A", {"amount": 2.0}) for name in people] + [
        ("A", "pays", name, {"amount": 1.0}) for name in people
    ]
    return make({"P": {"sector": "p2p"}, "A": "account", **people}, [("P", "operates", "A"), *flows]), {"P"}


@case("FUND-RESERVE-ACCOUNTS")
def reserves(make, met):
    keeper = {"sector": "other" if met else "bank"}
    return make({"P": {}, "K": keeper}, [("K", "custodies", "P")], licences=[("P", "payment")]), {"P"}


@case("FUND-CROSS-BANK-CLEARING")
def clearing(make, met):
    banks = {f"b{number}": {"sector": "bank"} for number in range(2 if met else 1)}
    return make({"P": {"sector": "payment"}, **banks}, [(bank, "channels", "P") for bank in banks]), {"P"}


@case("FUND-MATURITY")
def split_terms(make, met):
    return make(
        {"M": {}, "loan": "product", "a": "product", "b": "product"},
        [("M", "manages", "loan"), ("a", "packaged_from", "loan"), ("b", "packaged_from", "loan")],
        facts=[("loan", "maturity_days", 360), ("a", "maturity_days", 30), ("b", "maturity_days", 30 if met else 360)],
    ), {"M"}  # fmt: skip


@case("FUND-FICTITIOUS-BORROWERS")
def one_address(make, met):
    borrowers = [f"b{number}" for number in range(3 if met else 2)]
    rows = [(name, "raises_on", "P") for name in borrowers] + [(name, "located_at", "here") for name in borrowers]
    return make({"P": {"sector": "p2p"}, "here": "address", **{name: {} for name in borrowers}}, rows), {"P"}


@case("FUND-DIRECT-LENDING-MATCH")
def own_loans(make, met):
    return make({"P": {"sector": "p2p"}, "c": {}}, [("P" if met else "c", "lends", "c" if met else "P")]), {"P"}


@case("FUND-RE-SOURCE-USE")
def raised_from_people(make, met):
    owner = [("ann", "owns", "D", {"share": 1.0})] if not met else []
    return make(
        {"D": {"sector": "real_estate"}, "ann": "person"}, [("ann", "lends", "D", {"amount": 7.0}), *owner]
    ), {"D"}  # fmt: skip


@case("RULE-OFFICER-FLIGHT-RISK")
def flight(make, met):
    return make(
        {"C": {}, "ann": "person"},
        [("ann", "officer", "C", {"role": "director"})],
        facts=[("ann", "flight_signs", True), ("C", "illegal_fundraising_suspected", met)],
    ), {"ann"}  # fmt: skip


@case("RULE-SHAREHOLDER-EQUITY-AS-DEBT")
def buy_back(make, met):
    return make({"C": {}, "ann": "person"}, [("ann", "owns", "C", {"share": 0.2, "buyback": met})]), {"C"}


@case("RULE-SHAREHOLDER-RE-CONTRIBUTOR")
def indebted(make, met):
    return make(
        {"D": {"sector": "real_estate"}, "H": {}},
        [("H", "owns", "D", {"share": 0.9})],
        facts=[("H", "assets", 100), ("H", "liabilities", 81 if met else 80)],
    ), {"D"}  # fmt: skip


@case("RULE-SHAREHOLDER-MONITOR")
def unclear(make, met):
    return make({"P": {"sector": "p2p"}, "ann": "person"}, [("ann", "owns", "P", {"share": 0.94 if met else 0.95})]), {
        "P"
    }


@case("NEST-AM-QUALIFIED")
def qualified(make, met):
    other = {"kind": "product", "sector": "trust" if met else "fund"}
    return make(
        {"M": {}, "a": {"kind": "product", "sector": "fund"}, "b": other},
        [("M", "manages", "a"), ("a", "invests", "b")],
        licences=[("M", "fund")],
    ), {"M"}  # fmt: skip


@case("NEST-SUBSTANCE-OVER-FORM")
def disguise(make, met):
    return make(
        {"C": {}, "p": {"kind": "product", "sector": "trust" if met else "fund"}},
        [("C", "manages", "p", {"amount": 5.0})],
        facts=[("C", "declared_business", "基金")],
    ), {"C"}  # fmt: skip


@case("NEST-INSURANCE-SUBSIDIARY-FIREWALL")
def subsidiary(make, met):
    return make(
        {"I": {}, "S": {}},
        [("I", "owns", "S", {"share": 0.9 if met else 0.4})],
        licences=[("I", "insurance")],
        facts=[("S", "firewall", False)],
    ), {"I"}  # fmt: skip


@case("RP-BENEFIT-TRANSFER")
def shared_account(make, met):
    return make(
        {"a": {}, "b": {}, "A": "account"},
        [("a", "operates", "A"), ("b", "operates", "A")],
        licences=[("a", "fund"), ("b", "payment" if met else "fund")],
    ), {"a", "b"}  # fmt: skip


@case("RP-GROUP-RPT-RULES")
def exposure(make, met):
    return make(
        {"a": {"capital": 100.0}, "b": {}},
        [("a", "owns", "b", {"share": 0.9}), ("a", "lends", "b", {"amount": 51.0 if met else 50.0})],
        licences=[("a", "fund")],
    ), {"a"}  # fmt: skip


@case("RP-CUSTODIAN-COLLUSION")
def custodian(make, met):
    return make(
        {"P": {"sector": "payment"}, "bank": {"sector": "bank"}},
        [("bank", "custodies", "P")],
        facts=[("P", "reserve_misused", met)],
    ), {"bank"}  # fmt: skip


@case("RP-CROSS-SUBSIDY")
def subsidy(make, met):
    return make(
        {"p": "product", "M": {}},
        [("M", "manages", "p")],
        facts=[("p", "actual_yield", 0.1), ("p", "project_return", 0.09 if met else 0.1)],
    ), {"p", "M"}  # fmt: skip


@case("RP-CROWDFUND-SELF-RAISE")
def self_raise(make, met):
    stake = [("P", "owns", "issuer", {"share": 0.9})] if met else []
    return make(
        {"P": {"sector": "equity_crowdfunding"}, "issuer": {}}, [("issuer", "raises_on", "P", {"amount": 5.0}), *stake]
    ), {"P"}  # fmt: skip


@case("PROP-LINK-AND-AD-SERVICE")
def unfiled(make, met):
    return make(
        {"paper": {}, "G": "advertisement", "C": {}, "W": "website"},
        [("paper", "publishes", "G"), ("G", "promotes", "C"), ("C", "operates", "W")],
        facts=[("W", "unfiled", met)],
    ), {"paper"}  # fmt: skip


@case("PROP-MEMBER-CONDUCT")
def member_conduct(make, met):
    cases = [("U", "complaint", "2016-01-01")] if met else []
    return make({"V": {"sector": "exchange"}, "U": {}}, [("U", "member_of", "V")], cases=cases), {"V"}


@case("TRIAGE-PAYMENT-SPOT-CHECK")
def losses(make, met):
    return make(
        {"P": {}},
        licences=[("P", "payment")],
        facts=[("P", "violation", True), ("P", "net_profit", -10 if met else -9), ("P", "assets", 100)],
    ), {"P"}  # fmt: skip


@case("DISPOSITION-AD-STOP")
def stop_ad(make, met):
    return make(
        {"G": "advertisement", "C": {}}, [("G", "promotes", "C")], facts=[("C", "illegal_fundraising_suspected", met)]
    ), {"G"}  # fmt: skip


@case("LICENCE-AD-PERMITTED-CONTENT")
def permitted(make, met):
    return make(
        {"G": "advertisement", "C": {}},
        [("G", "promotes", "C")],
        licences=[] if met else [("C", "fund")],
        facts=[("G", "ad_text", "理财产品")],
    ), {"C"}  # fmt: skip


@case("LICENCE-REALESTATE-DOWNPAYMENT")
def down_payment(make, met):
    return make({"C": {}}, facts=[("C", "product_type", "首付贷" if met else "装修贷")]), {"C"}


@case("LICENCE-P2P-NO-OTHER-FINANCE")
def p2p_other(make, met):
    return make({"P": {"sector": "p2p"}}, facts=[("P", "stock_margin_lending", met)]), {"P"}


@case("LICENCE-CROWDFUND-NO-OTHER-FINANCE")
def crowd_other(make, met):
    product = {"kind": "product", "sector": "fund" if met else "equity_crowdfunding"}
    return make({"P": {"sector": "equity_crowdfunding"}, "f": product}, [("P", "manages", "f")]), {"P"}


@case("LICENCE-ENTRY")
def entry(make, met):
    return make(
        {"C": {}, "f": {"kind": "product", "sector": "trust"}},
        [("C", "manages", "f")],
        licences=[] if met else [("C", "trust", {"start": AT})],
    ), {"C"}  # fmt: skip


@case("LICENCE-AM-UNLICENSED")
def asset_manager(make, met):
    return make(
        {"C": {}, "f": {"kind": "product", "sector": "fund"}},
        [("C", "manages", "f")],
        licences=[] if met else [("C", "fund")],
    ), {"C"}  # fmt: skip


@case("LICENCE-PAYMENT-UNLICENSED")
def payment(make, met):
    return make(
        {"P": {"sector": "payment"}, "shop": {}},
        [("P", "channels", "shop")],
        licences=[("P", "payment", {"start": "2016-07-01" if met else "2016-06-30"})],
    ), {"P"}  # fmt: skip


@case("COOP-INSURER-PLATFORM")
def insurer_platform(make, met):
    return make(
        {"I": {}, "T": {}, "policy": {"kind": "product", "sector": "insurance"}},
        [("I", "cooperates", "T"), *([("T", "distributes", "policy")] if met else [])],
        licences=[("I", "insurance")],
    ), {"I"}  # fmt: skip


@case("COOP-SECURITIES")
def broker(make, met):
    return make(
        {"S": {}, "P": {"sector": "p2p"}}, [("S", "cooperates", "P")], licences=[("S", "securities" if met else "bank")]
    ), {"S", "P"}  # fmt: skip


@case("COOP-BANK-P2P")
def bank_p2p(make, met):
    return make({"B": {"sector": "bank" if met else "other"}, "P": {"sector": "p2p"}}, [("B", "custodies", "P")]), {"B"}


@case("COOP-PSP-P2P")
def psp_p2p(make, met):
    return make({"S": {"sector": "payment" if met else "bank"}, "P": {"sector": "p2p"}}, [("S", "channels", "P")]), {
        "S"
    }


@case("JURISDICTION-EXCHANGE-OUT-OF-PROVINCE")
def evasive(make, met):
    return make(
        {"V": {"sector": "exchange", "registered_in": "440301" if met else "320102", "operates_in": "320581"}}
    ), {"V"}  # fmt: skip


@case("JURISDICTION-ADDRESS-FACTS")
def moved(make, met):
    return make(
        {"P": {"sector": "p2p", "registered_in": "320102" if met else "320582", "operates_in": "320581"}}
    ), {"P"}  # fmt: skip


@case("JURISDICTION-OUT-OF-PROVINCE-INSTITUTION")
def outside(make, met):
    return make({"P": {"sector": "p2p", "registered_in": "440301" if met else "320102"}}), {"P"}


@case("KEYWORD-P2P-REDLINES")
def red_line(make, met):
    return make({"P": {"sector": "p2p"}}, facts=[("P", "makes_loans", met)]), {"P"}


@case("KEYWORD-NAME-LIST-B-ASSETMGMT")
def list_b(make, met):
    return make({"C": {"name": "某财富管理" if met else "某商贸", "scope": "财富管理"}}), {"C"}


@case("KEYWORD-NAME-LIST-D-WEALTH")
def list_d(make, met):
    return make({"C": {"name": "某资本管理"}}, licences=[] if met else [("C", "fund")]), {"C"}


@case("KEYWORD-SCOPE-LIST-E-WEALTH")
def list_e(make, met):
    return make({"C": {"name": "投资顾问", "scope": "投资顾问" if met else "餐饮;不从事投资顾问"}}), {"C"}


@pytest.mark.parametrize("rule", CASES)
def test_met_and_just_not(make, catalogue, rule):
    graph, expected = CASES[rule](make, True)
    found = screen(graph, catalogue, at=AT, rules=[rule])
    assert set(found["entity"]) == expected
    assert (found["evidence"].map(len) > 0).all()
    graph, _ = CASES[rule](make, False)
    assert not len(screen(graph, catalogue, at=AT, rules=[rule]))


def test_unknown_is_no_finding(make, catalogue):
    """Where a case turns on one fact, unknown is neither met nor counted as good."""
    for rule in ("KEYWORD-PUBLIC-CHANNELS", "RULE-AM-LEGAL-LIMIT", "RP-CUSTODIAN-COLLUSION", "DISPOSITION-AD-STOP"):
        graph, _ = CASES[rule](make, "unknown")
        assert not len(screen(graph, catalogue, at=AT, rules=[rule])), rule
