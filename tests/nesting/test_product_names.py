from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from riskgraph.nesting import PRODUCT_TYPES, ProductName, expand_product_names, look_through, parse_product_name
from riskgraph.nesting.product_names import _without_house

FORMS = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "nesting.yaml").read_text(encoding="utf-8"))
CASES = [(case["text"], ProductName(*case["parts"])) for case in FORMS["product_names"]]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_forms_of_product_names(text, expected):
    assert parse_product_name(text) == expected
    assert expected.type in PRODUCT_TYPES


@pytest.mark.parametrize("dash", ["－", "—", "——", "–", " - ", "─", "﹣"])
def test_dashes_of_every_width(dash):
    text = "云帆基金-青禾银行-云帆基金-远航9号资产管理计划"
    assert parse_product_name(text.replace("-", dash)) == parse_product_name(text)


def test_full_width_brackets_and_digits():
    assert parse_product_name("宁波汀兰投资合伙企业(有限合伙)").type == "partnership"
    assert parse_product_name("松涛投资管理有限公司-松涛6号私募基金").product == "松涛6号私募基金"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("青禾集团公司企业年金计划-云帆银行股份有限公司",
         (None, "云帆银行股份有限公司", "青禾集团公司企业年金计划", "pension_portfolio")),
        ("云帆基金-青禾银行-松涛资产管理有限公司",
         ("云帆基金", "青禾银行", "松涛资产管理有限公司", "asset_management_plan")),
        ("青禾人寿保险股份有限公司-青禾人寿股票型产品(寿自营)委托投资(松涛养老)",
         ("青禾人寿保险股份有限公司", None, "青禾人寿股票型产品(寿自营)委托投资(松涛养老)", "insurance_account")),
        ("南山信托有限责任公司-私募613", ("南山信托有限责任公司", None, "私募613", "trust_plan")),
    ],
)  # fmt: skip
def test_rarer_orders_of_the_parts(text, expected):
    assert parse_product_name(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "青禾集团-青禾银行-松涛机械有限公司",
        "青禾控股集团有限公司", "云帆基金管理有限公司", "南山国际信托有限公司", "青禾银行股份有限公司", "刘伟",
        "澄湖县财政局", "ALPHA-BETA HOLDINGS LIMITED", "甲乙股权投资基金有限公司", "青禾集团-澄湖机械有限公司",
        "", "-", None,
    ],
)  # fmt: skip
def test_firms_and_persons_are_no_products(text):
    assert parse_product_name(text) == ProductName(None, None, None, None)


# -- into the graph --------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(money):
    return money(
        [
            ("云帆基金-青禾银行-南山信托-菁英6期单一资金信托计划", "mill", "owns", None, 0.04),
            ("云帆基金-青禾银行-远航9号资产管理计划", "mill", "owns", None, 0.03),
            ("青禾银行股份有限公司-云帆成长混合型证券投资基金", "mill", "owns", None, 0.02),
            ("宁波汀兰投资合伙企业(有限合伙)", "mill", "owns", None, 0.05),
            ("澄湖机械股份有限公司", "mill", "owns", None, 0.3),
        ],
        extra=["青禾银行股份有限公司"],
    )


def test_holders_become_products_with_managers_and_custodians(listed):
    made = expand_product_names(listed)
    kinds = made.entities.set_index("id")["kind"]
    outer = "云帆基金-青禾银行-南山信托-菁英6期单一资金信托计划"
    assert (kinds[[name for name in listed.ids if "计划" in name or "基金" in name]] == "product").all()
    assert kinds["澄湖机械股份有限公司"] == kinds["宁波汀兰投资合伙企业(有限合伙)"] == "company"
    told = made.relations[made.relations["inferred"] == True]  # noqa: E712
    assert set(told["kind"]) == {"manages", "custodies", "invests"}
    assert told["confidence"].lt(1).all()
    assert told["source_ref"].eq("product_name").all()
    managers = told[told["kind"] == "manages"].set_index("target")["source"]
    assert managers[outer] == "name:云帆基金"
    # the short name belongs to the only bank that has it in its own
    assert set(told[told["kind"] == "custodies"]["source"]) == {"青禾银行股份有限公司"}
    # the second layer, hidden in the first one's name
    inner = told[told["kind"] == "invests"].iloc[0]
    assert (inner["source"], inner["target"]) == ("name:南山信托-菁英6期单一资金信托计划", outer)
    assert managers[inner["source"]] == "name:南山信托"
    sectors = made.entities.set_index("id")["sector"]
    assert (sectors[outer], sectors[inner["source"]]) == ("fund", "trust")
    assert len(listed.relations) == 5  # the given graph is as it was
    public = made.facts[made.facts["fact"] == "public_fund"]
    assert public["entity"].tolist() == ["青禾银行股份有限公司-云帆成长混合型证券投资基金"]


def test_partnerships_turn_on_request_and_twice_is_once(listed):
    made = expand_product_names(listed, partnerships=True)
    assert made.entities.set_index("id")["kind"]["宁波汀兰投资合伙企业(有限合伙)"] == "product"
    again = expand_product_names(made, partnerships=True)
    assert len(again.relations) == len(made.relations)
    assert len(again) == len(made)
    assert again.quality.empty


def test_hidden_layers_are_looked_through(listed):
    found = look_through(expand_product_names(listed), assets=["mill"])
    assert found["layers_max"].max() == 2


def test_dates_and_tables_stay(money):
    graph = money(
        [("云帆基金-青禾银行-远航9号资产管理计划", "mill", "owns", None, 0.03)], start="2015-01-01", end="2016-01-01"
    ).at("2015-06-01", known="2015-07-01")
    made = expand_product_names(graph)
    assert (made.valid_on, made.known_by) == (graph.valid_on, graph.known_by)
    assert len(made.relations) == 3
    assert len(made.at("2016-01-01").relations) == 2


@pytest.mark.parametrize(
    ("manager", "rest", "product"),
    [
        ("甲乙投资管理有限公司", ["甲乙", "稳健1号"], "稳健1号"),  # the beginning of the manager's name
        ("甲乙投资管理有限公司", ["甲乙证券", "稳健1号"], "稳健1号"),  # a house of the same first two letters
        ("甲乙投资管理有限公司", ["甲乙成长", "稳健1号"], "甲乙成长-稳健1号"),  # the same letters, and no house
        ("甲乙投资管理有限公司", ["丙丁证券", "稳健1号"], "丙丁证券-稳健1号"),  # another house
        ("甲乙投资管理有限公司", ["稳健1号", "甲乙"], "稳健1号-甲乙"),
        ("甲乙投资管理有限公司", ["甲乙"], "甲乙"),
        ("甲乙投资管理有限公司", ["丙丁", "丙丁", "稳健"], "丙丁-稳健"),
    ],
)
def test_the_house_before_its_product_is_left_out(manager, rest, product):
    assert _without_house(manager, rest) == product


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("甲人寿保险股份有限公司-稳健资产管理产品", "insurance_account"),
        ("甲人寿保险-乙理财产品", "insurance_account"),
        ("甲人寿保险-丙1号资产管理计划", "asset_management_plan"),
    ],
)
def test_an_insurer_s_product_is_an_account_unless_it_is_called_a_plan(name, kind):
    assert parse_product_name(name).type == kind
