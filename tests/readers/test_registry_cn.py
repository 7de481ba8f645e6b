"""Chinese registry exports, all names invented."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.readers import read_registry_cn
from riskgraph.readers._cn_platforms import read_equity, read_guarantors

FIRMS = (
    "企业名称,统一社会信用代码,法定代表人,注册资本,成立日期,经营状态,经营范围\n"
    "甲（澄湖）投资有限公司,91320500AAAAAAAAAA,刘某某,6000万元人民币,2013年5月1日,存续,投资管理\n"
    "乙网络科技有限公司,91320500BBBBBBBBBB,王某某,500万美元,2014-01-01,存续,互联网信息服务\n"
    "丙担保有限公司,91320500CCCCCCCCCC,刘某某,1.2亿元,,注销,担保\n"
)
HOLDERS = (
    "企业名称,股东名称,股东类型,持股比例,认缴出资额（万元）,认缴出资日期\n"
    "甲(澄湖)投资有限公司,刘某某,自然人股东,65%,3900,2045-12-31\n"
    "甲(澄湖)投资有限公司,丁合伙企业(有限合伙),企业法人,35%,2100,\n"
    "乙网络科技有限公司,甲（澄湖） 投资有限公司,企业法人,100%,,\n"
    "丙担保有限公司,某某基金-某某银行-某某1号资产管理计划,企业法人,25%以上,,\n"
)


def ends(graph, kind="owns"):
    relations = graph.known("relations")
    return relations[relations["kind"] == kind][["source", "target"]].to_numpy().tolist()


A, B, C = (f"91320500{letter * 10}" for letter in "ABC")


def test_plain_sheets(folder):
    place = folder(
        {
            "one.csv": FIRMS,
            "two.csv": HOLDERS,
            "three.csv": "企业名称,姓名,职务\n"
            "乙网络科技有限公司,刘某某,执行董事/总经理\n乙网络科技有限公司,陈某某,监事\n",
            "four.csv": "统一社会信用代码,被投资企业名称,投资比例\n"
            f"{A},乙网络科技有限公司,100%\n{A},戊小额贷款有限公司,30%\n",
            "five.csv": "企业名称,分支机构名称\n甲(澄湖)投资有限公司,甲(澄湖)投资有限公司北京分公司\n",
            "six.csv": "当事人,处罚决定书文号,处罚机关,处罚日期,违法行为类型,处罚内容\n"
            "丙担保有限公司,澄市监罚〔2016〕1号,市场监管局,2016年6月6日,逾期未年报,吊销营业执照\n"
            "乙网络科技有限公司,澄金罚〔2016〕2号,地方金融局,2016-07-01,虚假宣传,罚款5万元\n",
            "seven.csv": "企业名称,列入日期,列入原因,移出日期\n"
            "甲(澄湖)投资有限公司,2015-01-01,通过登记的住所无法联系,2015-06-01\n",
        },
        "gb18030",
    )
    graph = read_registry_cn(place)
    # files are read in the order of their names
    assert ends(graph) == [
        [A, "company:戊小额贷款有限公司"],
        [f"person:刘某某@{A}", A],
        ["company:丁合伙企业(有限合伙)", A],
        [A, B],
        ["product:某某基金-某某银行-某某1号资产管理计划", C],
    ]
    owns = graph.relations[graph.relations["kind"] == "owns"]
    assert owns["share_min"].tolist() == [0.3, 0.65, 0.35, 1.0, 0.25]
    assert owns["share_max"].tolist() == [0.3, 0.65, 0.35, 1.0, 1.0]
    # the day by which capital is due is no start of the holding
    assert owns["start"].isna().all()
    assert owns["amount"].tolist()[1:3] == [3.9e7, 2.1e7]
    # 刘某某 of one firm is not 刘某某 of another, until somebody matches them
    officers = graph.relations[graph.relations["kind"] == "officer"][["source", "target", "role"]].to_numpy().tolist()
    assert officers == [
        [f"person:刘某某@{A}", A, "legal_representative"],
        [f"person:王某某@{B}", B, "legal_representative"],
        [f"person:刘某某@{C}", C, "legal_representative"],
        [f"person:刘某某@{B}", B, "director"],
        [f"person:刘某某@{B}", B, "manager"],
        [f"person:陈某某@{B}", B, "supervisor"],
    ]
    assert ends(graph, "branch_of") == [["company:甲(澄湖)投资有限公司北京分公司", A]]
    cases = graph.known("cases")
    assert cases[["entity", "type"]].to_numpy().tolist() == [[A, "abnormal"], [C, "revoked"], [B, "sanctioned"]]
    assert graph.entities.set_index("id").loc[[A, C], "capital"].tolist() == [6e7, 1.2e8]
    assert graph.entities.set_index("id").loc[B, "capital_given"] == "500万美元"
    # the investment that the shareholders of 乙 tell too is one holding, and stays visible
    told = graph.quality[graph.quality["problem"].str.contains("name this holding too")]
    assert told[["row", "action"]].to_numpy().tolist() == [["four.csv:2", "repaired"]]
    assert graph.rejected["relations"].index.tolist() == ["four.csv:2"]
    read_registry_cn(place, on_error="raise")


def test_a_code_beside_the_name_goes_before_the_name(folder):
    place = folder(
        {
            "a.csv": FIRMS,
            "b.csv": "统一社会信用代码,企业名称,股东,比例\n"
            f"{C},丙融资担保有限公司（曾用名）,张某某,5%\n,丙担保有限公司,李某某,6%\n",
            "c.csv": f"企业名称,统一社会信用代码,姓名,职务\n丙担保,{C},张某某,董事\n丙担保有限公司,没有,赵某某,监事\n",
            "d.csv": f"企业,统一社会信用代码,文号,处罚类型,日期\n丙担保,{C},一号,警告,2016-01-01\n",
        }
    )
    graph = read_registry_cn(place)
    assert set(graph.known("relations")["target"]) == {A, B, C}
    assert ends(graph) == [[f"person:张某某@{C}", C], [f"person:李某某@{C}", C]]
    assert graph.known("cases")["entity"].tolist() == [C]
    assert graph.rejected == {}


def test_rows_are_named_by_file_and_line_and_all_are_accounted_for(folder):
    rows = HOLDERS + "丙担保有限公司,陈某某,自然人股东,much,,\n丙担保有限公司,,自然人股东,5%,,\n丙担保有限公司,张某某\n"
    graph = read_registry_cn(folder({"a.csv": FIRMS, "b.csv": rows}))
    bad = graph.quality.query("action == 'rejected'")
    assert bad["row"].tolist() == ["b.csv:8", "b.csv:6", "b.csv:7"]
    assert (graph.known("relations")["kind"] == "owns").sum() + len(graph.rejected["relations"]) == 7
    with pytest.raises(rg.InvalidTable, match=r"relations row b.csv:6, column share: 'much' cannot be read"):
        read_registry_cn(folder({"b.csv": rows}), on_error="raise")


@pytest.mark.parametrize("seed", range(3))
def test_damage_to_a_shareholder_list(folder, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    count = 1000
    firms = "企业名称,法定代表人\n" + "".join(f"第{row}号示例有限公司,代表{row}\n" for row in range(100))
    lines = [f"第{row % 100}号示例有限公司,持有人{row},{rng.integers(1, 900) / 100:.2f}%" for row in range(count)]
    hit = rng.choice(count, size=10, replace=False)
    for spot in hit:
        lines[spot] = lines[spot].replace("%", "%%") if spot % 2 else lines[spot].replace(",", "", 1)
    graph = read_registry_cn(
        folder({"企业.csv": firms, "股东.csv": "\n".join(["企业名称,股东,持股比例", *lines])}, "gbk")
    )
    assert (graph.known("relations")["kind"] == "owns").sum() == count - 10
    assert sorted(graph.rejected["relations"].index) == sorted(f"股东.csv:{spot + 2}" for spot in hit)


def test_no_table_of_companies(folder):
    place = folder({"a.csv": "企业名称,股东名称,持股比例\n甲,乙,1%\n", "b.csv": "colour,size\nred,1\n"})
    with pytest.raises(rg.InvalidTable) as caught:
        read_registry_cn(place)
    text = str(caught.value)
    assert "a.csv is a sheet of shareholders; b.csv has the headers colour, size" in text
    assert "companies: 企业名称/公司名称" in text


def test_columns_maps_other_spellings(folder):
    place = folder({"a.csv": FIRMS, "b.csv": "企业名称,股东全名,受让比例\n丙担保有限公司,陈某某,5%\n"})
    assert ends(read_registry_cn(place)) == []
    graph = read_registry_cn(
        [place / "a.csv", place / "b.csv"], columns={"股东全名": "股东名称", "受让比例": "持股比例"}
    )
    assert ends(graph) == [[f"person:陈某某@{C}", C]]


# -- listed companies ------------------------------------------------------------------------------------------------

LISTED = (
    "id\tgpdm\tgpjc\tgsmc\tclrq\tzczb\tfddbr\tjyfw\txydm\n"
    '0\t900001.SH\t示例股份\t示例甲股份有限公司\t1999-10-12\t305398662.0\t陶某\t经营"好"货\t91320500DDDDDDDDDD\n'
    "0\t900002.SH\t样本科技\t样本乙股份有限公司\t2001-01-01\t100000000.0\t陈某\t软件\t91320500EEEEEEEEEE\n"
)
TOP = (
    "id\tgpdm\torder\tname\tgdcg\tgdcgbl\n"
    "0\t900001.SH\t0\t样本乙股份有限公司\t30\t0.91\n"
    "0\t900001.SH\t1\t李某某\t12\t0.55\n"
    "0\t900001.SH\t2\t香港中央结算有限公司(陆股通)\t5\t0.11\n"
    "0\t900002.SH\t0\t香港中央结算有限公司(陆股通)\t5\t0.25\n"
    "0\t900002.SH\t1\t某某证券股份有限公司-自有资金\t5\t0.20\n"
    "0\t900002.SH\t2\t全国社保基金一零三组合\t5\t0.19\n"
)
POSTS = "id\tgpdm\tzwdm\tname\n0\t900001.SH\tdsz\t陶某\n0\t900001.SH\tgsds\t李某某\n0\t900001.SH\tdldslr\t赵某\n"


def test_listed_company_exports(folder):
    place = folder(
        {"c.csv": LISTED, "h.csv": TOP, "d.csv": POSTS, "s.csv": "gpdm\tgysmc\n900001.SH\t供应商一\n"}, "gbk"
    )
    graph = read_registry_cn(place)
    owns = graph.relations[graph.relations["kind"] == "owns"]
    # gdcgbl is a percentage by definition, even where every value is below 1
    assert owns["share_min"].tolist() == [0.0091, 0.0055, 0.0011, 0.0025, 0.002, 0.0019]
    assert owns["source"].tolist() == [
        "900002.SH",
        "person:李某某@900001.SH",
        "company:香港中央结算有限公司(陆股通)",
        "company:香港中央结算有限公司(陆股通)",
        "account:某某证券股份有限公司-自有资金",
        "product:全国社保基金一零三组合",
    ]
    assert graph.entities.set_index("id").loc["900001.SH", "scope"] == '经营"好"货'
    officers = graph.relations[graph.relations["kind"] == "officer"]["source"].tolist()
    assert officers == [
        "person:陶某@900001.SH",
        "person:陈某@900002.SH",
        "person:陶某@900001.SH",
        "person:李某某@900001.SH",
    ]
    # a past post has no end of its own: left out, or ended on the day of the export
    assert graph.rejected["relations"].index.tolist() == ["d.csv:4"]
    dated = read_registry_cn(place, as_of="2020-09-30", on_error="raise")
    assert str(dated.valid_on)[:10] == "2020-09-30"
    assert dated.history[["source", "role"]].to_numpy().tolist() == [["person:赵某@900001.SH", "independent_director"]]
    with pytest.raises(rg.InvalidParameter, match="'as_of' must be a date"):
        read_registry_cn(place, as_of="lately")


PERIODS = (
    ",ts_code,ann_date,end_date,holder_name,hold_amount,hold_ratio\n"
    "0,900001.SH,20170428,20170331,甲有限公司,1,40.0\n"
    "1,900001.SH,20170428,20170331,乙有限公司,1,20.0\n"
    "2,900001.SH,20170428,20170331,丙某某,1,5.0\n"
    "0,900001.SH,20170601,20170531,乙有限公司,1,22.0\n"
    "0,900001.SH,20170830,20170630,甲有限公司,1,45.0\n"
    "1,900001.SH,20170830,20170630,丁有限公司,1,15.0\n"
    "0,900002.SH,20170830,20170630,甲有限公司,1,0.5\n"
)


def test_a_list_of_holders_holds_until_the_next_list_and_is_never_summed(folder):
    place = folder({"p.csv": PERIODS, "l.csv": "ts_code,symbol,name,list_date\n900001.SH,900001,示例股份,20010101\n"})
    graph = read_registry_cn(place)

    def held(day):
        rows = graph.at(day).relations
        rows = rows[rows["target"] == "900001.SH"]
        return dict(zip(rows["source"].str.split(":").str[1].str[:1], rows["share_min"], strict=True))

    assert held("2017-03-30") == {}
    assert held("2017-04-15") == {"甲": 0.4, "乙": 0.2, "丙": 0.05}
    # one row of three is a partial disclosure: it moves 乙 and leaves the others
    assert held("2017-06-01") == {"甲": 0.4, "乙": 0.22, "丙": 0.05}
    # the next full list replaces all
    assert held("2018-01-01") == {"甲": 0.45, "丁": 0.15}
    assert not graph.quality["problem"].str.contains("sum to").any()
    # what was published later was not known earlier, and what had been published no longer holds: nothing is claimed
    assert len(graph.at("2017-07-15", known="2017-07-15").relations) == 0
    assert len(graph.at("2017-07-15", known="2017-08-30").relations) == 3
    assert graph.quality["problem"].str.contains("is partial").sum() == 1


# -- trees -----------------------------------------------------------------------------------------------------------

TREE = (
    '"eid","name","type","amount","percent","sh_type","level","count","children","parent_id"\n'
    '"q1","示例丙集团有限公司","","","","","0","4","[{\'eid\': \'\'}]",""\n'
    '"","刘某","P","800.000000万元","80.00%","工商股东","1","0","[]","q1"\n'
    '"q2","示例丁投资有限公司（发起人）","E","200.000000万元","20.00%","工商股东","1","1","[]","q1"\n'
    '"q3","示例戊有限公司","E","","53.00%","十大股东","1","0","[]","q1"\n'
    '"","境外某基金计划","EX","","1.00%","十大股东","1","0","[]","q1"\n'
    '"q3","示例戊有限公司","E","","90.00%","原工商股东","2","0","[]","q2"\n'
    '"","刘某","P","\\N","\\N","工商股东","2","0","[]","q2"\n'
)


def test_trees(folder):
    place = folder({"tree.csv": TREE}, "gb18030")
    graph = read_registry_cn(place)
    assert ends(graph) == [
        ["person:刘某@q1", "q1"],
        ["q2", "q1"],
        ["q3", "q1"],
        ["unknown:境外某基金计划", "q1"],
        ["person:刘某@q2", "q2"],
    ]
    shares = graph.relations["share_min"]
    assert shares.tolist()[:4] == [0.8, 0.2, 0.53, 0.01]
    assert shares.isna().tolist()[4]
    assert graph.relations["amount"].tolist()[:2] == [8e6, 2e6]
    assert graph.entities.set_index("id").loc["q2", "name"] == "示例丁投资有限公司"
    problems = "\n".join(graph.quality["problem"])
    assert "the shares of 'q1' sum to 1.54, above 1; kept as declared" in problems
    assert "'原工商股东' is a former holding without an end date" in problems
    dated = read_registry_cn(place, as_of="2023-06-30")
    assert dated.at("2023-07-01").history[["source", "target"]].to_numpy().tolist() == [["q3", "q2"]]


# -- platforms -------------------------------------------------------------------------------------------------------

DETAIL = (
    '"platId","platName","companyName","juridicalPerson","registeredCapital","gruarantee","equityVoList",'
    '"platBackgroundDetail","onlineDate","problem","problemTime"\n'
    '"1","示例贷","示例网络借贷信息中介有限公司","王某","5000.00","甲担保有限公司(承保1000万元)<br/>乙实业集团(承保2000万元)'
    "<br/>甲担保有限公司(承保1000万元)\",\"[{u'equityCode': u'900001', u'equityMarket': u'u4e0au4ea4u6240'}]\","
    '"上市公司参股","2014-05-01","0",""\n'
    '"2","样本宝","样本投资有限公司","","0.00","","","民营系","2013-01-01","1","2015-06-30"\n'
)
TROUBLED = (
    '"id","platId","platName","onlineTime","problemTime","regCapital","type"\n'
    '"1","2","样本宝","2013-01-01 00:00:00","2015-06-30 00:00:00","0","跑路"\n'
    '"2","3","第三贷","2012-01-01 00:00:00","2013-12-31 00:00:00","100","停业"\n'
    '"3","4","第四贷","2012-01-01 00:00:00","2014-12-31 00:00:00","100","经侦介入"\n'
)


def test_platform_lists(folder):
    place = folder({"detail.csv": DETAIL, "trouble.csv": TROUBLED})
    graph = read_registry_cn(place)
    company = "company:示例网络借贷信息中介有限公司"
    assert ends(graph, "operates") == [[company, "platform:1"], ["company:样本投资有限公司", "platform:2"]]
    assert ends(graph, "officer") == [[f"person:王某@{company}", company]]
    assert ends(graph) == [["stock:900001", company]]
    guarantees = graph.relations[graph.relations["kind"] == "guarantees"]
    assert guarantees[["source", "target", "amount"]].to_numpy().tolist() == [
        ["company:甲担保有限公司", "platform:1", 1e7],
        ["company:乙实业集团", "platform:1", 2e7],
    ]
    entities = graph.entities.set_index("id")
    assert entities.loc["platform:1", ["kind", "name", "sector"]].tolist() == ["website", "示例贷", "p2p"]
    assert entities.loc[company, "capital"] == 5e7
    # a registered capital of 0 is one that is not stated
    assert pd.isna(entities.loc["company:样本投资有限公司", "capital"])
    cases = graph.known("cases")
    assert cases[["entity", "type", "topic"]].to_numpy().tolist() == [
        ["platform:2", "abnormal", "跑路"],
        ["platform:3", "abnormal", "停业"],
        ["platform:4", "abnormal", "经侦介入"],
    ]
    assert [str(day)[:10] for day in cases["start"]] == ["2015-06-30", "2013-12-31", "2014-12-31"]
    # a portal's list is no finding: nobody is a seed unless the user says so
    assert graph.seeds().empty


@pytest.mark.parametrize(
    ("choice", "seeds"),
    [
        ("illegal_fundraising", ["platform:2", "platform:4"]),
        ({"经侦介入": "illegal_fundraising"}, ["platform:4"]),
        ("abnormal", []),
    ],
)
def test_what_a_troubled_platform_counts_as_is_the_users_choice(folder, choice, seeds):
    graph = read_registry_cn(folder({"detail.csv": DETAIL, "trouble.csv": TROUBLED}), problem_case=choice)
    assert graph.seeds().index.tolist() == seeds


def test_an_unknown_case_type_is_refused(folder):
    with pytest.raises(rg.InvalidParameter, match="'problem_case' must name case types"):
        read_registry_cn(folder({"detail.csv": DETAIL}), problem_case="guilty")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "[open('x')]",
        "[{u'equityCode': u'1'",
        "(" * 5000,
        "[{u'equityCode': u''}]",
        "9" * 30_000,
        "{1: 2}",
    ],
)
def test_equity_text_is_read_as_a_literal_or_not_at_all(text):
    assert read_equity(text) == []


def test_guarantors():
    assert read_guarantors(
        "甲担保有限公司 (承保1000万元)<BR>乙公司（全资国有）(承保118980万元)<br/><br/>丙(承保若干)"
    ) == [
        ("甲担保有限公司", "1000万元"),
        ("乙公司（全资国有）", "118980万元"),
        ("丙", "若干"),
    ]
