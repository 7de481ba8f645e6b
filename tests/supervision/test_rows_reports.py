"""Seed systems 7 and 8: files, reports, data. One test a row, named after its id."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.supervision import (
    changes,
    control_clusters,
    dossier,
    match_names,
    merge_lists,
    monitor,
    screen,
    snapshot_hash,
    statistics,
    tipoffs,
    verify_declared,
)
from riskgraph.supervision.changes import changes_by_lead

AT = "2016-06-30"


def platform(make, **columns):
    return make(
        {
            "P": {"sector": "p2p", "name": "某网贷", "capital": 5e6, "registered_in": "320581", **columns},
            "ann": "person",
            "shop": {},
        },
        [
            ("ann", "owns", "P", {"share": 0.9, "source_ref": "registry"}),
            ("ann", "officer", "P", {"role": "legal_representative", "source_ref": "registry"}),
            ("shop", "raises_on", "P", {"amount": 10.0}),
        ],
        facts=[
            ("P", "loan_balance", 100.0, {"source_ref": "declared", "method": "现场勘查"}),
            ("P", "capital_pool", True, {"source_ref": "site_visit"}),
        ],
    )


def test_dossier_one_household_one_file(make, catalogue):
    lists = merge_lists(
        {
            "网贷之家": pd.DataFrame({"name": ["某网贷"], "uscc": ["91A"]}),
            "中国银监会": pd.DataFrame({"name": ["某 网贷"], "uscc": ["91A"]}),
        }
    )
    assert len(lists) == 1
    graph = platform(make, source_ref=lists.loc[0, "source_ref"])
    file = dossier(graph, "P", catalogue, at=AT)
    rows = file.fields.set_index("field")
    assert rows.loc["法定代表人", ["value", "source"]].tolist() == ["ann", "registry"]
    assert rows.loc["借贷余额", ["value", "source", "method"]].tolist() == [100.0, "declared", "现场勘查"]
    assert rows.loc["实际控制人", "value"] == "ann"
    assert "出借人总数" in file.missing
    assert 0 < file.completeness < 1
    assert file.completeness == pytest.approx(1 - rows["value"].isna().sum() / len(rows))
    table = catalogue.section("dossier")
    assert set(table["DOSSIER-P2P-BASIC"]) | set(table["DOSSIER-P2P-PRODUCTS"]) | set(
        table["DOSSIER-JOINT-VISIT"]
    ) <= set(rows.index)
    payment = dossier(make({"S": {"sector": "payment"}}), "S", catalogue, at=AT)
    assert set(table["DOSSIER-PAYMENT-UNLICENSED"]) <= set(payment.fields["field"])
    assert len(table["DOSSIER-PAYMENT-UNLICENSED"]) == 12
    assert file.triage == {"p2p": "rectify"}
    assert file.assignment["lead"] == "finance_office"


def test_dossier_workpapers(make, catalogue):
    graph, twin = platform(make), platform(make)
    out = screen(graph, catalogue, at=AT)
    assert len(out)
    assert (out["evidence"].map(len) > 0).all()
    assert out.attrs["snapshot"] == screen(twin, catalogue, at=AT).attrs["snapshot"]
    assert snapshot_hash(graph) == snapshot_hash(twin)
    other = make({"P": {"sector": "p2p", "name": "某网贷"}})
    assert snapshot_hash(graph) != snapshot_hash(other)
    known = {*graph.relations["id"], *graph.facts["id"]}
    refs = [ref for refs in out["evidence"] for ref in refs]
    assert all(ref in known or ref.startswith("P.") for ref in refs)
    first, second = (dossier(item, "P", catalogue, at=AT) for item in (graph, twin))
    assert first.to_json() == second.to_json()
    assert first.to_html() == second.to_html()
    assert first.to_excel() == second.to_excel()
    assert json.loads(first.to_json())["snapshot"] == first.snapshot


def test_fund_account_flow_verify(make, catalogue):
    values = {
        "loan_balance": (100, 100),
        "lender_count": (50, 50),
        "employees": (8, 8),
        "volume": (10, 30),
        "overdue_rate": (0.1, None),
    }
    facts = [("P", name, own, {"source_ref": "declared"}) for name, (own, _) in values.items()]
    facts += [("P", name, seen, {"source_ref": "bank_flow"}) for name, (_, seen) in values.items() if seen is not None]
    graph = make({"P": {"sector": "p2p"}}, facts=facts)
    table = verify_declared(graph, catalogue, at=AT)
    assert table["verdict"].value_counts().to_dict() == {"match": 3, "mismatch": 1, "unverified": 1}
    assert table.attrs["honesty"] == {"P": 0.75}
    rows = monitor(graph, catalogue, at=AT, lang="en")
    rows = rows[rows["kind"] == "declared"]
    assert rows["status"].tolist() == ["unverified", "mismatch"]
    assert "declared 10" in rows["text"].iloc[1]
    assert "0.75" in rows["text"].iloc[1]
    loose = catalogue.with_parameters(**{"FUND-ACCOUNT-FLOW-VERIFY": {"tolerance": 0.9}})
    assert verify_declared(graph, loose, at=AT).attrs["honesty"] == {"P": 1.0}


def test_report_p2p_statistics(make, catalogue):
    places = {"a": "320581", "b": "320581", "c": "320582", "d": "320102", "e": "320581"}
    graph = make(
        {name: {"sector": "p2p", "registered_in": "320102", "operates_in": place} for name, place in places.items()},
        facts=[("a", "capital_pool", True), ("c", "capital_pool", True), ("d", "illegal_fundraising_suspected", True)],
    )
    out = statistics(graph, catalogue, at=AT)
    counties = out[out["level"] == "county"]
    assert counties.groupby("region")["count"].sum().to_dict() == {"320102": 1, "320581": 3, "320582": 1}
    cities = out[out["level"] == "city"].groupby("region")["count"].sum().to_dict()
    assert cities == {"320100": 1, "320500": 4}
    assert out[out["level"] == "province"].groupby("region")["count"].sum().to_dict() == {"320000": 5}
    row = counties[(counties["region"] == "320581") & (counties["verdict"] == "rectify")].iloc[0]
    assert row["share_of_region"] == pytest.approx(1 / 3)
    assert row["share_of_verdict"] == pytest.approx(1 / 2)
    for level in ("county", "city", "province"):
        rows = statistics(graph, catalogue, at=AT, by=level)
        assert set(rows["level"]) == {level}
        assert rows.groupby("region")["share_of_region"].sum().to_numpy() == pytest.approx(1)
        assert rows.groupby("verdict")["share_of_verdict"].sum().to_numpy() == pytest.approx(1)


def test_report_cadence(make, catalogue):
    graph = make(
        {"P": {"sector": "p2p"}, "Q": {"sector": "payment"}},
        facts=[("P", "capital_pool", True, {"start": "2016-06-10"})],
        cases=[("Q", "unlicensed_finance", "2016-01-01", {"end": "2016-06-20"})],
    )
    out = changes(graph.at("2016-05-31"), graph.at(AT), catalogue)
    opened = out[out["change"] == "opened"]
    closed = out[out["change"] == "closed"]
    assert set(zip(opened["entity"], opened["rule"], strict=True)) == {
        ("P", "KEYWORD-P2P-REDLINES"),
        ("P", "FUND-POOL"),
    }
    assert set(closed["entity"]) == {"Q"}
    assert "PROP-ONE-PLACE-EVERYWHERE" in set(closed["rule"])
    assert len(changes(graph.at(AT), graph.at(AT), catalogue)) == 0
    by_lead = changes_by_lead(graph.at("2016-05-31"), graph.at(AT), catalogue)
    assert set(by_lead["lead"]) == {"finance_office", "pboc"}


def test_timeline(make, catalogue):
    table = catalogue.deadlines
    survey = table[(table["task"] == "survey") & (table["sector"] == "p2p")].set_index("level")["due"]
    assert (str(survey["county"].date()), str(survey["province"].date())) == ("2016-06-30", "2016-07-15")
    odd = table[table["printed"] == "9月31日"].iloc[0]
    assert (odd["sector"], odd["level"], str(odd["due"].date())) == ("insurance", "county", "2016-09-30")
    assert "31" in odd["note_en"]
    graph = make({"P": {"sector": "p2p"}, "I": {"sector": "insurance"}})
    rows = monitor(graph, catalogue, at="2016-07-10", lang="en", done=["county:insurance:1"])
    rows = rows[rows["kind"] == "deadline"].set_index(
        rows["evidence"].map(lambda ids: ids[0]).loc[rows["kind"] == "deadline"]
    )
    assert rows.loc["county:p2p:1", "status"] == "overdue"
    assert rows.loc["province:p2p:1", "status"] == "due"
    assert rows.loc["county:insurance:1", "status"] == "done"
    assert "31 September" in rows.loc["county:insurance:2", "text"]
    assert set(rows["entity"]) == {
        "county:p2p",
        "county:insurance",
        "county:overall",
        "city:overall",
        "province:p2p",
        "province:insurance",
        "province:overall",
    }
    first = catalogue.stages.groupby("rule")["start"].min().dt.strftime("%Y-%m-%d").to_dict()
    assert first == {"TIMELINE-JOINT-PLAN": "2016-05-16", "TIMELINE-PROVINCE-FIVE-STAGES": "2016-05-05"}


def test_other_contact_list_excluded(catalogue):
    contacts = catalogue.section("contacts")
    assert contacts["payment"] == ["pboc"]
    assert len(contacts) == 12
    assert all(agency in catalogue.agencies for agencies in contacts.values() for agency in agencies)
    import riskgraph.supervision.catalogue as module

    folder = Path(module.__file__).parent / "catalogues"
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml"))
    assert len(text) > 10_000
    assert not re.search(r"1[3-9]\d{9}|0\d{2,3}-\d{7,8}|[\w.]+@[\w.]+\.\w+", text), "a telephone number or mail address"
    assert not re.search(r"处长|科长|主任|联系人|手机号", text), "a post or a contact"


def test_data_initial_lists():
    merged = merge_lists(
        {
            "网贷之家": pd.DataFrame({"name": ["甲", "乙"], "address": ["东路", ""]}),
            "中国银监会": pd.DataFrame({"name": ["甲 ", "丙"], "address": ["东路", ""]}),
            "工商": pd.DataFrame({"name": ["甲"], "address": ["西路"]}),
        }
    )
    assert merged["sources"].tolist() == ["网贷之家;中国银监会", "网贷之家", "中国银监会", "工商"]
    assert merged["in:中国银监会"].tolist() == [True, False, True, False]
    two = merge_lists(
        {"a": pd.DataFrame({"name": ["甲"], "uscc": ["1"]}), "b": pd.DataFrame({"name": ["甲"], "uscc": ["2"]})}
    )
    assert len(two) == 2
    from riskgraph.errors import InvalidTable

    with pytest.raises(InvalidTable, match="must have a column 'name'"):
        merge_lists({"a": pd.DataFrame({"企业": ["甲"]})})


def test_data_registry(make, tmp_path):
    graph = make(
        {"C": {}, "ann": "person"},
        [
            ("ann", "owns", "C", {"share": 0.5, "start": "2014-01-05", "end": "2016-02-01"}),
            ("ann", "officer", "C", {"role": "director", "start": "2014-01-05", "end": None}),
        ],
        cases=[("C", "revoked", "2016-08-01")],
    )
    rg.readers.write_tables(graph, tmp_path)
    back = rg.readers.read_tables(tmp_path)
    columns = ["source", "target", "kind", "share_min", "role", "start", "end"]
    pd.testing.assert_frame_equal(
        back.known("relations")[columns], graph.known("relations")[columns], check_dtype=False
    )
    assert back.known("cases")["start"].tolist() == graph.known("cases")["start"].tolist()


def test_data_first_batch_payment(make, catalogue, found):
    lists = catalogue.section("name_lists")["first_batch_payment"]
    names = [name for group in lists["groups"].values() for name in group]
    assert len(names) == 9
    assert lists["status"] == "suspected"
    graph = make(
        {
            "exact": {"name": names[0]},
            "masked": {"name": "某某海通市民一卡通有限公司"},
            "other": {"name": "海通市民一卡通有限公司分店"},
        }
    )
    table = match_names(graph, catalogue)
    assert set(table[table["entity"] == "exact"]["match"]) == {"exact"}
    assert set(table[table["entity"] == "masked"]["match"]) == {"candidate"}
    assert "**海通市民一卡通有限公司" in set(table[table["entity"] == "masked"]["printed"])
    assert "other" not in set(table["entity"])
    assert found(screen(graph, catalogue), "DATA-FIRST-BATCH-PAYMENT") == {"exact"}


def test_data_tipoffs_other_complaint_salience(make, catalogue, found):
    graph = make(
        {"one": {}, "five": {}, "ann": "person", "old": {}},
        cases=[
            *[("one", "tipoff", "2016-05-01", {"authority": "same"})] * 5,
            *[("five", "tipoff", "2016-05-01", {"authority": f"r{n}"}) for n in range(5)],
            *[("ann", "complaint", "2016-05-01", {"authority": f"r{n}"}) for n in range(3)],
            *[("old", "tipoff", "2014-05-01", {"authority": f"r{n}"}) for n in range(5)],
        ],
    )
    table = tipoffs(graph, catalogue, at=AT).set_index("entity")
    assert table["reports"].to_dict() == {"five": 5, "old": 5, "ann": 3, "one": 5}
    assert table.loc["one", "weight"] < table.loc["five", "weight"]
    assert table.loc["one", "reporters"] == 1
    assert found(screen(graph, catalogue, at=AT), "OTHER-COMPLAINT-SALIENCE") == {"five", "ann"}
    strict = catalogue.with_parameters(**{"OTHER-COMPLAINT-SALIENCE": {"m": 4}})
    assert found(screen(graph, strict, at=AT), "OTHER-COMPLAINT-SALIENCE") == {"five"}


def test_data_telecom_sites(make, catalogue):
    graph = make(
        {
            "A": {},
            "B": {},
            "C": {},
            "a": {"kind": "website", "icp": "苏ICP备1号"},
            "b": {"kind": "website", "icp": "苏ICP备1号"},
            "c": {"kind": "website", "icp": "苏ICP备2号"},
        },
        [("A", "operates", "a"), ("B", "operates", "b"), ("C", "operates", "c")],
    )
    out = control_clusters(graph, catalogue).set_index("entity")["cluster"]
    assert out["A"] == out["B"] == out["a"] == out["b"]
    assert out["C"] != out["A"]


def test_data_unionpay_bank(make, catalogue):
    def channel(end):
        return make(
            {"bank": {"sector": "bank"}, "psp": {"sector": "payment"}},
            [("bank", "channels", "psp", {"start": "2015-01-01", "end": end, "amount": 5.0})],
            cases=[("psp", "order", "2016-05-10", {"due": "2016-05-31"})],
        )

    def status(end, at=AT):
        rows = monitor(channel(end), catalogue, at=at)
        return rows[(rows["kind"] == "order") & (rows["entity"] == "bank")]["status"].tolist()

    assert status("2016-05-31") == ["carried_out"]
    assert status("2016-06-15") == ["not_carried_out"]
    assert status(None) == ["not_carried_out"]
    assert status(None, at="2016-05-20") == ["due"]


def test_data_tech_support_system(make, catalogue):
    def site(unfiled, text):
        return make(
            {"W": "website", "C": {}},
            [("C", "operates", "W")],
            facts=[
                ("W", "unfiled", unfiled),
                ("W", "website_text", text),
                ("C", "volume", 10, {"start": "2016-04-01"}),
                ("C", "volume", 11, {"start": "2016-05-01"}),
            ],
        )

    def alerts(graph):
        rows = monitor(graph, catalogue, at=AT)
        return rows[rows["kind"] == "alert"]["entity"].tolist()

    assert alerts(site(True, "网贷 出借")) == ["W", "C"]
    assert alerts(site(False, "网贷 出借")) == []
    assert alerts(site("unknown", "网贷 出借")) == []
    assert alerts(site(True, "家具")) == []
    jump = make(
        {"C": {}}, facts=[("C", "volume", 10, {"start": "2016-04-01"}), ("C", "volume", 90, {"start": "2016-05-01"})]
    )
    assert alerts(jump) == ["C"]


def test_data_big_data_analysis(catalogue):
    """A registry with 60,000 relations, screened twice: the same output. The million stands in the benchmark."""
    rng = np.random.default_rng(5)
    n, people, edges = 20_000, 20_000, 60_000
    words = np.array(["商贸", "投资管理", "网贷", "建材", "基金管理", "典当", "物流", "支付科技"])
    kinds = rng.choice(words, n, p=[0.3, 0.02, 0.01, 0.3, 0.01, 0.01, 0.34, 0.01])
    entities = pd.DataFrame(
        {
            "id": [f"C{i}" for i in range(n)] + [f"P{i}" for i in range(people)],
            "kind": ["company"] * n + ["person"] * people,
            "name": [f"某{i}{kind}公司" for i, kind in enumerate(kinds)] + [f"人{i}" for i in range(people)],
        }
    )
    relations = pd.DataFrame(
        {
            "source": [f"P{i}" for i in rng.integers(0, people, edges)],
            "target": [f"C{i}" for i in rng.integers(0, n, edges)],
            "kind": rng.choice(["owns", "officer"], edges),
        }
    )
    relations["role"] = np.where(relations["kind"] == "officer", "legal_representative", None)
    cases = pd.DataFrame({"entity": [f"C{i}" for i in range(0, 3000, 10)], "type": "banned", "start": "2016-01-01"})
    graph = rg.EntityGraph.from_tables(entities, relations, cases=cases)
    twin = rg.EntityGraph.from_tables(entities, relations, cases=cases)
    first = screen(graph, catalogue, at=AT)
    assert len(first) > 1000
    assert "RULE-OFFICER-EXTENDED-LEGAL-REP" in set(first["rule"])
    pd.testing.assert_frame_equal(first, screen(twin, catalogue, at=AT))
