"""Which sheet of a Chinese registry export a table is, told by its headers, and what its columns mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from riskgraph.readers._headers import fold, read_header

__all__ = ["COMPANY_SHEETS", "SHEETS", "Sheet", "sheet_of"]


class Sheet(NamedTuple):
    """A kind of sheet: the columns it cannot do without, and the headers that each column goes by."""

    name: str
    needed: tuple[str, ...]
    columns: dict[str, str]
    #: at least one of these must be there too
    any_of: tuple[str, ...] = ()

    def expected(self) -> str:
        """The needed columns with their first headers, for a message."""
        return " + ".join("/".join(self.columns[column].split()[:2]) for column in self.needed)


_COMPANY = (
    "企业名称 公司名称 公司全称 单位名称 所属企业 企业 公司 gpdm ts_code symbol 股票代码 证券代码 企业编号 公司编号 "
    "统一社会信用代码 社会信用代码 统一信用代码 注册号 company company_name company_id code"
)
_CODE = "统一社会信用代码 社会信用代码 统一信用代码 信用代码 xydm 注册号"
_PUBLIC = {"known_from": "公示日期 公告日期 公布日期 披露日期 ann_date", "source_ref": "来源 数据来源 出处"}

#: in the order in which they are tried: the more telling first
SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "tree",
        ("name", "share", "parent"),
        {
            "id": "eid",
            "name": "name",
            "kind": "type",
            "short_name": "short_name",
            "amount": "amount",
            "share": "percent",
            "holding": "sh_type",
            "level": "level",
            "count": "count",
            "children": "children",
            "parent": "parent_id",
            "controller": "actl_cntr_name",
            "controller_share": "actl_cntr_pct",
        },
        ("level", "holding"),
    ),
    Sheet(
        "platforms",
        ("platform", "platform_name"),
        {
            "platform": "platid 平台编号",
            "platform_name": "platname 平台名称",
            "company": "companyname 公司全称 运营公司",
            "person": "juridicalperson 法定代表人",
            "guarantors": "gruarantee guarantee guaratee 担保机构",
            "equity": "equityvolist",
            "capital": "registeredcapital regcapital 注册资本",
            "paid_in": "actualcapital 实缴资本",
            "online": "onlinedate onlinetime 上线时间",
            "troubled": "problemtime 发生问题时间",
            "trouble": "type 问题类型",
            "problem": "problem",
            "url": "platurl 网址",
            "background": "platbackgrounddetail 平台背景",
            "address": "officeaddress 办公地址",
            "area": "locationareaname area 省份",
            "city": "locationcityname 城市",
            "record": "recordid 备案号",
        },
    ),
    Sheet(
        "penalties",
        ("entity",),
        {
            "entity": f"被处罚单位 被处罚企业 当事人 当事人名称 行政相对人名称 行政相对人 处罚对象 {_COMPANY}",
            "entity_code": _CODE,
            "number": "处罚决定书文号 行政处罚决定书文号 行政处罚决定文书号 决定书文号 处罚文号 文书号 文号 案号",
            "authority": "处罚机关 处罚单位 处罚决定机关 决定机关 作出处罚机关 处罚部门",
            "start": "处罚日期 处罚决定日期 决定日期 作出处罚决定日期 处罚时间 日期",
            "due": "整改期限 履行期限",
            "type": "案件类型 处置类型",
            "topic": "处罚事由 违法行为类型 违法事实 违法行为 案由 处罚原因",
            "content": "处罚内容 处罚结果 处罚种类 处罚类型 处罚类别 处罚决定",
            **_PUBLIC,
        },
        ("number", "authority", "topic", "content"),
    ),
    Sheet(
        "abnormal",
        ("entity", "start"),
        {
            "entity": _COMPANY,
            "entity_code": _CODE,
            "start": "列入日期 列入时间 列入经营异常名录日期",
            "topic": "列入原因 列入经营异常名录原因",
            "end": "移出日期 移出时间 移出经营异常名录日期",
            "authority": "作出决定机关 列入机关 作出决定机关(列入)",
            **_PUBLIC,
        },
    ),
    Sheet(
        "branches",
        ("company", "branch"),
        {
            "branch": "分支机构名称 分公司名称 分支机构",
            "company": _COMPANY,
            "start": "成立日期 设立日期",
            "end": "注销日期",
        },
    ),
    Sheet(
        "officers",
        ("person", "company", "role"),
        {
            "person": "姓名 人员姓名 人员名称 主要人员 高管姓名 高管 任职人员 人员 name person officer_name",
            "company": f"任职企业 任职公司 {_COMPANY}",
            "company_code": _CODE,
            "role": "职务 职位 职务名称 职务类型 任职 岗位 zwdm jobs role position title",
            "start": "任职日期 任职起始日期 任职开始日期 就任日期",
            "end": "离任日期 任职终止日期 任职结束日期 离职日期",
            **_PUBLIC,
        },
    ),
    Sheet(
        "investments",
        ("investor", "company"),
        {
            "company": "被投资企业名称 被投资企业 被投资公司 被投资公司名称 对外投资企业名称 对外投资企业 "
            "被投企业名称 被投企业",
            "investor": f"投资企业名称 投资企业 投资方 投资人 投资方名称 投资主体 {_COMPANY}",
            "investor_code": _CODE,
            "share": "投资比例 持股比例 出资比例 股权比例 投资占比",
            "amount": "投资金额 投资数额 认缴出资额 出资额 认缴金额",
            "start": "投资日期 投资时间 入股日期 参股日期",
            "end": "退出日期",
            **_PUBLIC,
        },
    ),
    Sheet(
        "shareholders",
        ("holder", "company"),
        {
            "holder": "股东名称 股东姓名 股东 股东名 股东及出资信息 股东(发起人) 投资人名称 投资人 投资者名称 "
            "出资人 出资人名称 发起人 "
            "holder_name shareholder_name shareholder holder",
            "company": f"被投资企业 被投资企业名称 {_COMPANY}",
            "company_code": _CODE,
            "share": "持股比例 出资比例 股权比例 认缴比例 认缴出资比例 持股占比 占股比例 比例 占比 股比 "
            "gdcgbl hold_ratio "
            "percent_share share percent",
            "amount": "认缴出资额 认缴额 认缴金额 认缴出资 认缴出资金额 认缴 出资额 amount",
            "paid_in": "实缴出资额 实缴额 实缴金额 实缴出资",
            "holder_kind": "股东类型 投资人类型 投资者类型 出资人类型 股东性质 holder_kind",
            "holding": "股东状态 sh_type",
            "start": "入股日期 参股日期 首次持股日期 成为股东日期 start",
            "end": "退出日期 转让日期 end",
            "period": "报告期 截止报告期 end_date",
            "shares_held": "持股数 持股数量 gdcg hold_amount shares",
            "rank": "order rank 名次 序号",
            "subscription_due": "认缴出资日期 认缴日期 认缴出资时间",
            "contributed_on": "实缴出资日期 实缴日期 出资日期 出资时间",
            **_PUBLIC,
        },
    ),
    Sheet(
        "companies",
        ("name",),
        {
            "id": "企业编号 公司编号 主体编号 企业id gpdm ts_code symbol 股票代码 证券代码 id code 编号",
            "name": "企业名称 公司名称 公司全称 企业全称 单位名称 机构名称 商事主体名称 主体名称 gsmc "
            "company_name name 名称 企业 公司",
            "uscc": "统一社会信用代码 社会信用代码 统一信用代码 信用代码 xydm uscc",
            "registration_number": "注册号 工商注册号",
            "legal_representative": "法定代表人 法定代表人姓名 法人代表 法人 负责人 经营者 fddbr legal_representative",
            "capital": "注册资本 注册资金 zczb",
            "paid_in": "实缴资本 实收资本",
            "start": "成立日期 注册日期 成立时间 设立日期 clrq",
            "end": "注销日期 吊销日期 注销时间",
            "status": "登记状态 经营状态 企业状态 状态 cxzt list_status",
            "scope": "经营范围 业务范围 jyfw",
            "address": "注册地址 住所 地址 企业地址 zcdz",
            "office": "办公地址 经营地址 bgdz",
            "registered_in": "行政区划代码 注册地代码 登记地区代码 区划代码",
            "operates_in": "经营地代码 经营地区代码",
            "province": "省份 所属省份 sf",
            "city": "城市 所属城市 cs",
            "industry": "所属行业 行业 行业名称 hymc c_name industry",
            "sector": "业态 所属业态 金融业态",
            "company_type": "企业类型 公司类型 类型 gssx",
            "short_name": "企业简称 公司简称 简称 gpjc",
            "term_start": "营业期限自 经营期限自",
            "term_end": "营业期限至 经营期限至",
            "listed_on": "list_date 上市日期",
            **_PUBLIC,
        },
        (
            "uscc",
            "registration_number",
            "legal_representative",
            "capital",
            "start",
            "status",
            "scope",
            "listed_on",
            "id",
        ),
    ),
)

#: sheets that say which companies there are
COMPANY_SHEETS = ("companies", "tree", "platforms")


def sheet_of(headers: Iterable[object]) -> tuple[Sheet, dict[object, str]] | None:
    """The sheet that headers make, and header → column; None if they make none.

    Of several headers that mean one column the one listed first among its spellings is taken.

    Examples
    --------
    >>> sheet_of(["企业名称", "股东", "出资比例"])[0].name, sheet_of(["gpdm", "zwdm", "name"])[0].name
    ('shareholders', 'officers')
    >>> sheet_of(["colour", "size"]) is None
    True
    """
    given = [(header, read_header(header).name, fold(header)) for header in headers]
    for sheet in SHEETS:
        found: dict[object, str] = {}
        for column, spellings in sheet.columns.items():
            for spelling in map(fold, spellings.split()):
                match = next((h for h, name, full in given if spelling in (name, full) and h not in found), None)
                if match is not None:
                    found[match] = column
                    break
        columns = set(found.values())
        if sheet.name == "shareholders" and "holder" not in columns:
            # listed-company exports call the holder plainly "name", beside the number of shares
            plain = next((h for h, name, _ in given if name == "name" and h not in found), None)
            if plain is not None and {"share", "shares_held"} <= columns:
                found[plain] = "holder"
                columns.add("holder")
        if set(sheet.needed) <= columns and (not sheet.any_of or set(sheet.any_of) & columns):
            return sheet, found
    return None
