"""Seed systems 4 and 5: extended supervision, nesting, related parties. One test a row, named after its id."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from riskgraph.nesting import NestingScorer, layers, look_through
from riskgraph.supervision import (
    consolidate,
    contagion_gain,
    control_clusters,
    extended_supervision,
    restricted,
    screen,
)

AT = "2016-12-31"


def test_rule_officer_ban_3y(make, catalogue, found):
    def posts(start, **person):
        return make(
            {"X": {}, "Y": {}, "p": "person", "q": "person"},
            [
                (
                    "p",
                    "officer",
                    "X",
                    {"role": "legal_representative", "start": "2010-01-01", "end": "2016-09-10", **person},
                ),
                ("q", "officer", "X", {"role": "director", "start": "2010-01-01"}),
                ("p", "officer", "Y", {"role": "supervisor", "start": start}),
                ("q", "officer", "Y", {"role": "supervisor", "start": start}),
            ],
            cases=[("X", "revoked", "2016-08-01")],
        )

    rule = "RULE-OFFICER-BAN-3Y"
    out = screen(posts("2019-07-31"), catalogue, at="2019-08-15", rules=[rule], lang="en")
    assert set(out["entity"]) == {"Y", "p"}
    assert out["evidence"].iloc[0] == ("c0", "r0", "r2")
    assert "new post" in out["text"].iloc[0]
    assert not len(screen(posts("2019-08-01"), catalogue, at="2019-08-15", rules=[rule]))
    continuing = screen(posts("2015-01-01"), catalogue, at="2016-08-01", rules=[rule], lang="en")
    assert "continuing post" in continuing["text"].iloc[0]
    # who left before the revocation is not barred
    assert not len(screen(posts("2017-01-01", end="2016-08-01"), catalogue, at="2017-02-01", rules=[rule]))
    shorter = catalogue.with_parameters(**{rule: {"years": 2}})
    assert not len(screen(posts("2019-07-31"), shorter, at="2019-08-15", rules=[rule]))


def test_rule_officer_extended_legal_rep(make, catalogue, found):
    graph = make(
        {"X": {}, "Y": {}, "Z": {}, "p": "person", "q": "person"},
        [
            ("p", "officer", "X", {"role": "legal_representative", "start": "2010-01-01", "end": "2016-05-01"}),
            ("q", "officer", "X", {"role": "director", "start": "2010-01-01"}),
            ("p", "officer", "Y", {"role": "supervisor", "start": "2012-01-01"}),
            ("q", "officer", "Z", {"role": "supervisor", "start": "2012-01-01"}),
        ],
        cases=[("X", "banned", "2016-04-01")],
    )
    out = screen(graph, catalogue, at=AT, lang="en")
    assert found(out, "RULE-OFFICER-EXTENDED-LEGAL-REP") == {"Y", "p"}
    row = out[(out["entity"] == "Y")].iloc[0]
    assert "X → p → Y" in row["text"]
    assert row["evidence"] == ("c0", "r0", "r2")
    assert not found(screen(graph, catalogue, at="2016-03-31"), "RULE-OFFICER-EXTENDED-LEGAL-REP")


def test_rule_shareholder_extended(make, catalogue, found):
    graph = make(
        {"X": {}, "big": "person", "small": "person", "S": "state", "A": {}, "B": {}, "C": {}},
        [
            ("big", "owns", "X", {"share": 0.6}),
            ("small", "owns", "X", {"share": 0.01}),
            ("S", "owns", "X", {"share": 0.2}),
            ("big", "owns", "A", {"share": 0.1}),
            ("small", "officer", "B", {"role": "director"}),
            ("S", "owns", "C", {"share": 1.0}),
        ],
        cases=[("X", "unlicensed_finance", "2016-04-01")],
    )
    out = screen(graph, catalogue, at=AT)
    assert found(out, "RULE-SHAREHOLDER-EXTENDED") == {"A", "B", "big", "small"}
    severity = out[out["rule"] == "RULE-SHAREHOLDER-EXTENDED"].set_index("entity")["severity"]
    assert severity["A"] > severity["B"] > 0
    assert severity["A"] / severity["B"] == pytest.approx(60)
    open_state = catalogue.with_parameters(**{"RULE-SHAREHOLDER-EXTENDED": {"stop_kinds": []}})
    assert "C" in found(screen(graph, open_state, at=AT), "RULE-SHAREHOLDER-EXTENDED")


def test_rule_multi_case_shareholder(make, catalogue, found):
    graph = make(
        {"X": {}, "Y": {}, "early": {}, "later": {}, "other": {}, "h": "person", "once": "person"},
        [
            ("h", "owns", "X", {"share": 0.2, "start": "2010-01-01", "end": "2015-01-01"}),
            ("h", "owns", "Y", {"share": 0.2, "start": "2011-01-01"}),
            ("once", "owns", "Y", {"share": 0.2, "start": "2011-01-01"}),
            ("h", "owns", "early", {"share": 0.3, "start": "2015-02-28"}),
            ("h", "owns", "later", {"share": 0.3, "start": "2015-03-02"}),
            ("once", "owns", "other", {"share": 0.3, "start": "2016-01-01"}),
        ],
        cases=[("X", "illegal_fundraising", "2014-06-01"), ("Y", "illegal_fundraising", "2015-03-01")],
    )
    rule = "RULE-MULTI-CASE-SHAREHOLDER"
    out = screen(graph, catalogue, at=AT)
    assert found(out, rule) == {"h", "later"}
    assert set(out[(out["rule"] == rule) & (out["entity"] == "later")]["evidence"].iloc[0]) == {
        "c0",
        "c1",
        "r0",
        "r1",
        "r4",
    }
    three = catalogue.with_parameters(**{rule: {"n": 3}})
    assert not found(screen(graph, three, at=AT), rule)


def test_prop_extended_supervision(make, catalogue, found):
    entities = {"X": {}, "A": {}, "B": {}, "far": {}, "p": "person", "q": "person"}
    relations = [
        ("p", "owns", "X", {"share": 0.4}),
        ("q", "owns", "X", {"share": 0.3}),
        ("p", "owns", "A", {"share": 0.5}),
        ("p", "officer", "B", {"role": "director"}),
        ("A", "owns", "B", {"share": 0.6}),
        ("B", "owns", "A", {"share": 0.2}),
        ("q", "owns", "far", {"share": 0.9}),
    ]
    cases = [("X", "banned", "2016-01-01")]
    graph = make(entities, relations, cases=cases)
    plain = extended_supervision(graph, catalogue, at=AT)
    rules = screen(graph, catalogue, at=AT)
    companies = {"A", "B", "far"}
    assert set(plain["entity"]) == (found(rules, "RULE-SHAREHOLDER-EXTENDED") & companies) == companies
    assert (plain["score"] == 1).all()
    weighted = extended_supervision(graph, catalogue, at=AT, score="noisy_or").set_index("entity")
    assert weighted.loc["A", "score"] == pytest.approx(0.4)
    assert weighted.loc["A", "path"] == ("X", "p", "A")
    assert weighted.loc["A", "relations"] == ("r0", "r2")
    more = make(entities, [*relations, ("q", "officer", "A", {"role": "director"})], cases=cases)
    grown = extended_supervision(more, catalogue, at=AT, score="noisy_or").set_index("entity")["score"]
    assert (grown >= weighted["score"] - 1e-12).all()
    assert grown["A"] == pytest.approx(1 - 0.6 * 0.7)
    deep = extended_supervision(graph, catalogue, at=AT, score="noisy_or", depth=5).set_index("entity")["score"]
    assert (deep >= weighted["score"].reindex(deep.index).fillna(0) - 1e-12).all()
    half = catalogue.with_parameters(**{"PROP-EXTENDED-SUPERVISION": {"decay": 0.5}})
    assert (
        extended_supervision(graph, half, at="2018-01-01", score="noisy_or").set_index("entity").loc["A", "score"]
        < 0.11
    )


def test_prop_exchange_member_units(make, catalogue):
    def member(end=None, **venue):
        return make(
            {"V": {"sector": "exchange", "registered_in": "440100"}, "U": {}},
            [("U", "member_of", "V", {"start": "2015-01-01", "end": end})],
            facts=[("V", name, value) for name, value in venue.items()],
        )

    rule = "PROP-EXCHANGE-MEMBER-UNITS"

    def reason(graph, rules=catalogue):
        out = screen(graph, rules, at=AT, rules=[rule], lang="en")
        return [text.split("reason ")[1].split(":")[0] for text in out["text"]]

    assert reason(member(province_passed=False)) == ["1"]
    assert reason(member(provincial_approval=False)) == ["2"]
    assert reason(member(counterparty_mode=True)) == ["3"]
    assert reason(member(province_passed=False, provincial_approval=False, counterparty_mode=True)) == ["1,2,3"]
    assert reason(member(province_passed=True, provincial_approval="unknown")) == []
    assert reason(member(end="2016-02-01", counterparty_mode=True)) == []
    listed = catalogue.with_parameters(**{rule: {"provinces_not_passed": ["44"]}})
    assert reason(member(), listed) == ["1"]


def test_prop_cooperation_risk(make, catalogue, found):
    def pair(value):
        return make(
            {"insurer": {}, "loans": {"sector": "p2p"}},
            [("insurer", "cooperates", "loans")],
            licences=[("insurer", "insurance")],
            facts=[("loans", "capital_pool", value)],
        )

    assert found(screen(pair(True), catalogue), "PROP-COOPERATION-RISK") == {"insurer"}
    assert not found(screen(pair(False), catalogue), "PROP-COOPERATION-RISK")
    assert not found(screen(pair("unknown"), catalogue), "PROP-COOPERATION-RISK")


def test_prop_cross_contagion(make, catalogue):
    graph = make(
        {"head": {}, "a": {}, "b": {}},
        [
            ("head", "owns", "a", {"share": 0.9}),
            ("head", "owns", "b", {"share": 0.9}),
            ("a", "lends", "b", {"amount": 5.0}),
        ],
        licences=[("a", "payment"), ("b", "insurance")],
        facts=[("a", "firewall", True)],
    )
    (row,) = contagion_gain(graph, catalogue).itertuples()
    assert row.gain == pytest.approx(0.5 * 0.8)
    none = catalogue.with_parameters(**{"PROP-CROSS-CONTAGION": {"attenuation": 0.0}})
    assert contagion_gain(graph, none)["gain"].tolist() == [0.0]


def test_fund_channel_unlicensed_payment(make, catalogue):
    graph = make(
        {
            "two": {},
            "one": {},
            "a": {"sector": "payment"},
            "b": {"sector": "payment"},
            "c": {"sector": "payment"},
            "ok": {},
        },
        [
            ("two", "channels", "a", {"amount": 50.0}),
            ("two", "channels", "b", {"amount": 50.0}),
            ("one", "channels", "c", {"amount": 100.0}),
            ("one", "channels", "ok", {"amount": 100.0}),
        ],
        licences=[("two", "bank"), ("one", "bank"), ("ok", "payment")],
    )
    out = screen(graph, catalogue, rules=["FUND-CHANNEL-UNLICENSED-PAYMENT"]).set_index("entity")
    assert set(out.index) == {"two", "one"}
    assert out.loc["two", "severity"] > out.loc["one", "severity"]
    assert out.loc["one", "evidence"] == ("r2",)


def test_prop_one_place_everywhere(make, catalogue, found):
    graph = make(
        {
            "bad": {"sector": "payment", "registered_in": "320102"},
            "good": {"sector": "payment", "registered_in": "320581"},
        },
        cases=[("bad", "unlicensed_finance", "2016-05-01")],
    )
    for region, sector in (("320581", "payment"), ("320102", "p2p"), (None, None)):
        out = restricted(graph, catalogue, at=AT, region=region, sector=sector)
        assert out["entity"].tolist() == ["bad"]
    assert not restricted(graph, catalogue, at=AT, region="320581")["local"].iloc[0]
    assert restricted(graph, catalogue, at=AT, region="320100")["local"].iloc[0]
    assert not len(restricted(graph, catalogue, at="2016-04-30"))
    assert found(screen(graph, catalogue, at=AT), "PROP-ONE-PLACE-EVERYWHERE") == {"bad"}


def test_nest_multi_layer(make, catalogue, found):
    graph = make(
        {"A": "product", "B": "product", "asset": {}, "alone": "product", "m": {}},
        [("A", "invests", "B", {"amount": 5.0}), ("B", "invests", "asset", {"amount": 5.0}), ("m", "manages", "A")],
    )
    out = screen(graph, catalogue, lang="en")
    assert layers(graph, "A") == 2
    assert found(out, "NEST-MULTI-LAYER") == {"A", "B", "m"}
    assert out[(out["entity"] == "A") & (out["rule"] == "NEST-MULTI-LAYER")]["text"].iloc[0] == "2 product layers"
    circle = make({"A": "product", "B": "product"}, [("A", "invests", "B"), ("B", "invests", "A")])
    assert math.isinf(layers(circle, "A"))
    assert "circle" in screen(circle, catalogue, rules=["NEST-MULTI-LAYER"], lang="en")["text"].iloc[0]
    three = catalogue.with_parameters(**{"NEST-MULTI-LAYER": {"layers": 3}})
    assert not found(screen(graph, three), "NEST-MULTI-LAYER")


def test_nest_private_to_public(make, catalogue, found):
    def package(public):
        return make(
            {"q": "product", "p": "product", "ann": "person", "bob": "person"},
            [
                ("q", "packaged_from", "p"),
                ("ann", "invests", "q", {"amount": 1.0}),
                ("bob", "invests", "q", {"amount": 1.0}),
            ],
            facts=[("p", "private_placement", True), ("q", "public_offering", public)],
        )

    rule = "NEST-PRIVATE-TO-PUBLIC"
    (row,) = screen(package(True), catalogue, rules=[rule], lang="en").itertuples()
    assert row.entity == "q"
    assert set(row.evidence) == {"f0", "f1", "r0"}
    assert "2 investors" in row.text
    assert not len(screen(package(False), catalogue, rules=[rule]))


def test_nest_private_fund_split(make, catalogue, found):
    def feeders(shared):
        rows, people = [], {}
        first = 0
        for number in range(3):
            for place in range(first, first + 90):
                people[f"i{place}"] = "person"
                rows.append((f"i{place}", "invests", f"F{number}", {"amount": 1.0}))
            rows.append((f"F{number}", "invests", "M", {"amount": 90.0}))
            first += 90 - (shared[number] if number < 2 else 0)
        return make({"M": "product", "F0": "product", "F1": "product", "F2": "product", **people}, rows)

    rule = "NEST-PRIVATE-FUND-SPLIT"
    (row,) = screen(feeders((10, 10)), catalogue, rules=[rule], lang="en").itertuples()
    assert row.entity == "M"
    assert "3 direct investors, 250 after look-through" in row.text
    assert not len(screen(feeders((35, 35)), catalogue, rules=[rule]))


def test_nest_penetration_full_chain(make, catalogue):
    graph = make(
        {"ann": "person", "A": "product", "B": "product", "builder": {}},
        [
            ("ann", "invests", "A", {"amount": 100.0}),
            ("A", "invests", "B", {"amount": 60.0}),
            ("B", "invests", "builder", {"amount": 45.0}),
        ],
    )
    out = look_through(graph, holders=["ann"]).set_index("asset")["amount"]
    assert out.sum() == pytest.approx(100)
    assert out["builder"] == pytest.approx(45)
    assert out["<untraced>"] == pytest.approx(55)
    from riskgraph.supervision import assign

    shell = make(
        {"shell": {"sector": "asset_management"}, "ann": "person", "a": {}, "plan": "product"},
        [
            ("ann", "invests", "shell", {"amount": 100.0}),
            ("shell", "lends", "a", {"amount": 70.0}),
            ("shell", "invests", "plan", {"amount": 30.0}),
        ],
    )
    reason = assign(shell, catalogue, lang="en").set_index("entity").loc["shell", "reason"]
    assert "lending 0.70" in reason
    assert "untraced 0.30" in reason


def test_nest_multi_licence_firewall(make, catalogue):
    def group(account):
        return make(
            {"head": {}, "a": {}, "b": {}, "p": "person", "acct": "account"},
            [
                ("head", "owns", "a", {"share": 0.9}),
                ("head", "owns", "b", {"share": 0.9}),
                ("p", "officer", "a", {"role": "director"}),
                ("p", "officer", "b", {"role": "director"}),
                ("a", "operates", "acct"),
                *([("b", "operates", "acct")] if account else []),
            ],
            licences=[("a", "payment"), ("b", "insurance")],
        )

    rule = "NEST-MULTI-LICENCE-FIREWALL"
    two = screen(group(True), catalogue, rules=[rule], lang="en")
    one = screen(group(False), catalogue, rules=[rule], lang="en")
    assert set(two["entity"]) == {"head", "a", "b"}
    two, one = (frame[frame["entity"] == "a"] for frame in (two, one))
    assert two["text"].iloc[0].startswith("2 breach")
    assert one["text"].iloc[0].startswith("1 breach")
    assert two["severity"].iloc[0] > one["severity"].iloc[0]


def test_nest_payment_subcontract(make, catalogue):
    graph = make(
        {"a": {"sector": "payment"}, "b": {}, "c": {}},
        [("a", "subcontracts", "b"), ("b", "subcontracts", "c")],
        licences=[("a", "payment")],
    )
    rule = "NEST-PAYMENT-SUBCONTRACT"
    out = screen(graph, catalogue, rules=[rule], lang="en")
    assert set(out["entity"]) == {"a", "b", "c"}
    assert "2 layers, 2 unlicensed, licensed head a" in out["text"].iloc[0]
    short = make({"a": {}, "b": {}}, [("a", "subcontracts", "b")])
    assert not len(screen(short, catalogue, rules=[rule]))


def test_nest_cross_sector_score(make, catalogue):
    entities = {"head": {}, "a": {"sector": "p2p"}, "b": {"sector": "p2p"}}
    relations = [
        ("head", "owns", "a", {"share": 1.0}),
        ("head", "owns", "b", {"share": 1.0}),
        ("ann", "owns", "head", {"share": 1.0}),
    ]
    one = make({**entities, "ann": "person"}, relations)
    two = make(
        {**entities, "ann": "person", "c": {"sector": "payment"}}, [*relations, ("head", "owns", "c", {"share": 1.0})]
    )
    first = NestingScorer().fit(one, catalogue=catalogue)
    second = NestingScorer().fit(two, catalogue=catalogue)
    scores = [_score(fitted) for fitted in (first, second)]
    assert scores[0] == 0
    assert 0 < scores[1] <= 1


def _score(fitted) -> float:
    frame = fitted.report_
    return float(pd.to_numeric(frame["score"]).max()) if len(frame) else 0.0


def test_rp_self_finance(make, catalogue):
    def platform(hop):
        holder = [("holding", "owns", "loans", {"share": 0.8}), ("holding", "owns", "builder", {"share": 0.8})]
        return make(
            {"loans": {"sector": "p2p"}, "holding": {}, "builder": {}, "stranger": {}},
            [
                *(holder if hop else []),
                ("builder", "raises_on", "loans", {"amount": 40.0}),
                ("stranger", "raises_on", "loans", {"amount": 60.0}),
            ],
        )

    rule = "RP-SELF-FINANCE"
    (row,) = screen(platform(True), catalogue, rules=[rule], lang="en").itertuples()
    assert (row.entity, row.severity) == ("loans", pytest.approx(0.4))
    assert "builder(2)" in row.text
    assert set(row.evidence) == {"r0", "r1", "r2"}
    assert not len(screen(platform(False), catalogue, rules=[rule]))
    near = catalogue.with_parameters(**{rule: {"hops": 1}})
    assert not len(screen(platform(True), near, rules=[rule]))


def test_rp_actual_controller_online_offline(make, catalogue):
    graph = make(
        {
            "boss": "person",
            "web": {"name": "某网贷"},
            "shop": {},
            "other": {},
            "s1": "website",
            "s2": "website",
            "s3": "website",
        },
        [
            ("boss", "owns", "web", {"share": 0.6}),
            ("boss", "controls", "shop"),
            ("web", "operates", "s1"),
            ("web", "operates", "s2"),
            ("other", "operates", "s3"),
        ],
    )
    out = control_clusters(graph, catalogue).set_index("entity")
    assert out.loc[["web", "shop", "s1", "s2"], "cluster"].nunique() == 1
    assert out.loc["web", "controller"] == "boss"
    assert out.loc["other", "cluster"] != out.loc["web", "cluster"]
    assert out.loc["s1", "sectors"] == "p2p"


def test_rp_re_affiliates(make):
    def developer(loan):
        return make(
            {"P": {"sector": "real_estate"}, "S": {}},
            [("P", "owns", "S", {"share": 0.8}), *([("P", "lends", "S", {"amount": 30.0})] if loan else [])],
            facts=[("P", "assets", 100), ("P", "liabilities", 50), ("S", "assets", 80), ("S", "liabilities", 70)],
        )

    (row,) = consolidate(developer(True), "S").itertuples(index=False)
    assert tuple(row) == ("P", 180.0, 120.0, 30.0, pytest.approx(150 / 90))
    assert consolidate(developer(False), "P")["coverage"].iloc[0] == pytest.approx(1.5)
    gap = make(
        {"P": {}, "S": {}}, [("P", "owns", "S", {"share": 0.8})], facts=[("P", "assets", 100), ("P", "liabilities", 50)]
    )
    frame = consolidate(gap, "P")
    assert math.isnan(frame["coverage"].iloc[0])
    assert frame.attrs["missing"] == ("S",)
