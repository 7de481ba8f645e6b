"""from_registry: ids for holders and persons without a row, exact company names, namesakes apart."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph._registry import kind_of_name, normal_name

COMPANIES = pd.DataFrame({"id": ["C1", "C2", "C3"], "name": ["甲（澄湖）有限公司", "乙有限公司", "丙 有限公司"]})


def test_names_resolve_to_companies_and_people_stay_within_their_firm():
    graph = rg.EntityGraph.from_registry(
        COMPANIES,
        pd.DataFrame(
            {
                "holder": ["刘伟", "刘伟", "甲(澄湖)有限公司", "丁合伙企业", "C2"],
                "company": ["C1", "C2", "乙有限公司", "C3", "C3"],
                "share": [1.0, 0.4, 0.6, 0.5, 0.5],
            }
        ),
        pd.DataFrame({"person": ["刘伟"], "company": ["C1"], "role": ["legal_representative"]}),
        pd.DataFrame({"source": ["C1"], "target": ["戊小额贷款有限公司"], "kind": ["guarantees"], "amount": [1e6]}),
        pd.DataFrame({"entity": ["C3", "乙有限公司"], "type": [None, "revoked"], "start": ["2016-01-01", None]}),
    )
    assert graph.relations[["source", "target", "kind"]].to_numpy().tolist() == [
        ["person:刘伟@C1", "C1", "owns"],
        ["person:刘伟@C2", "C2", "owns"],
        ["C1", "C2", "owns"],
        ["company:丁合伙企业", "C3", "owns"],
        ["C2", "C3", "owns"],
        ["person:刘伟@C1", "C1", "officer"],
        ["C1", "company:戊小额贷款有限公司", "guarantees"],
    ]
    assert graph.cases[["entity", "type"]].to_numpy().tolist() == [["C3", "banned"], ["C2", "revoked"]]
    kinds = dict(zip(graph.ids, graph.entities["kind"], strict=True))
    assert kinds["person:刘伟@C1"] == "person"
    assert kinds["company:丁合伙企业"] == "company"


def test_a_name_on_two_companies_names_neither():
    twins = pd.DataFrame({"id": ["C1", "C2", "C3"], "name": ["甲有限公司", "甲有限公司", "丙有限公司"]})
    graph = rg.EntityGraph.from_registry(
        twins, pd.DataFrame({"holder": ["甲有限公司"], "company": ["C3"], "share": [0.2]})
    )
    assert graph.relations["source"].tolist() == ["company:甲有限公司"]


def test_other_spellings_and_bands():
    graph = rg.EntityGraph.from_registry(
        COMPANIES.rename(columns={"id": "注册号", "name": "企业名称"}),
        pd.DataFrame({"股东": ["Ann Lee"], "公司": ["C1"], "下限": [0.25], "上限": [0.5]}),
        columns={
            "注册号": "id",
            "企业名称": "name",
            "股东": "holder",
            "公司": "company",
            "下限": "share_min",
            "上限": "share_max",
        },
    )
    row = graph.relations.iloc[0]
    assert (row["source"], row["share_min"], row["share_max"]) == ("person:Ann Lee@C1", 0.25, 0.5)


def test_missing_columns_are_named():
    with pytest.raises(rg.InvalidTable, match="shareholders lacks the column 'holder'; it came with who, company"):
        rg.EntityGraph.from_registry(COMPANIES, pd.DataFrame({"who": ["a"], "company": ["C1"]}))


def test_bad_rows_are_quarantined():
    graph = rg.EntityGraph.from_registry(
        COMPANIES,
        pd.DataFrame({"holder": ["刘伟", None], "company": ["C1", "C2"], "share": [1.5, 0.5]}),
        on_error="quarantine",
    )
    assert graph.relations.empty
    assert len(graph.rejected["relations"]) == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("刘伟", "person"),
        ("欧阳某某", "person"),
        ("阿卜杜拉·某某", "person"),
        ("John A. Smith", "person"),
        ("甲投资管理中心(有限合伙)", "company"),
        ("Acme Holdings Ltd.", "company"),
        ("乙农民专业合作社", "company"),
        ("某市人民政府国有资产监督管理委员会", "state"),
        ("甲信托-稳健3号集合资金信托计划", "product"),
        ("全国社保基金一零一组合", "product"),
        ("丙股份有限公司-第一期员工持股计划", "product"),
        ("甲基金-乙银行-丙信托-星海9号事务管理类单一资金信托", "product"),
        ("甲资管-乙银行-丙精选3号资产管理产品", "product"),
        ("甲基金-乙证金融-陈某某", "product"),
        ("Green River Fund III, L.P.", "product"),
        ("ACME INTERNATIONAL", "company"),
        ("North Sea Direct, L.L.C.", "company"),
        ("HILLSIDELIMITED", "company"),
        ("甲株式会社", "company"),
        ("某县供销合作联社", "company"),
        ("某国政府投资局", "state"),
        ("TRANSIT AUTHORITY OF NOWHERE", "state"),
        ("潘(ying)某", "person"),
        ("X-17", "unknown"),
        (None, "unknown"),
    ],
)
def test_kind_of_name(name, kind):
    assert kind_of_name(pd.Series([name], dtype=object)).tolist() == [kind]


def test_normal_name_keeps_what_matters():
    given = pd.Series(["Ａcme　Ltd", "甲 （上海）公司", None, "O'Neil  & Co"], dtype=object)
    assert normal_name(given).tolist() == ["Acme Ltd", "甲(上海)公司", None, "O'Neil & Co"]
