"""Names that tables and columns go by, Chinese and English, and the units that headers state."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from riskgraph.schema import TABLES

__all__ = ["COLUMN_NAMES", "TABLE_NAMES", "Header", "fold", "read_header", "table_of"]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: table -> names its file or sheet may have
TABLE_NAMES = MappingProxyType(
    {
        "entities": _names("entities entity nodes node vertices 企业主体 主体 主体表 实体 节点 机构 企业 公司"),
        "relations": _names("relations relation relationships edges edge links 关系 关系表 关联关系 边 关联"),
        "cases": _names("cases case seeds 案件 案件表 处置 案例 风险案件"),
        "licences": _names("licences licenses licence license 牌照 许可 许可证 业务许可 牌照表"),
        "facts": _names("facts fact attributes 事实 事实表 指标 属性"),
    }
)

_DATES = {
    "start": _names(
        "start start_date startdate from valid_from 开始 开始日期 起始日期 起始日 生效日期 生效日 起始时间 开始时间 起"
    ),
    "end": _names(
        "end end_date enddate to valid_to until 结束 结束日期 终止日期 截止日期 失效日期 终止日 截止时间 结束时间 止"
    ),
    "known_from": _names("known_from known knownfrom published 获知日期 获知日 公布日期 披露日期 公示日期"),
    "source_ref": _names("source_ref sourceref source_url reference 来源 数据来源 出处 来源编号"),
}

#: table -> column -> other names of the column
COLUMN_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "entities": {
            "id": _names("entity_id node_id 编号 主体编号 主体id 标识 代码 主体代码 实体编号"),
            "kind": _names("type entity_kind entity_type 类型 主体类型 类别 实体类型 主体类别"),
            "name": _names("entity_name 名称 主体名称 企业名称 公司名称 单位名称 姓名 全称"),
            "sector": _names("industry 行业 业态 行业代码 业务类型 所属业态"),
            "status": _names("状态 经营状态 企业状态 登记状态"),
            "registered_in": _names("registered_region 注册地 注册地代码 注册地区 登记地区 住所地"),
            "operates_in": _names("operating_region 经营地 经营地代码 经营地区 营业地区"),
            "scope": _names("business_scope 经营范围 业务范围"),
            "capital": _names("registered_capital 注册资本 注册资金"),
            "uscc": _names("credit_code 统一社会信用代码 社会信用代码 信用代码"),
            "lei": _names("lei_code 法人机构识别编码"),
            **_DATES,
            "start": (*_DATES["start"], *_names("founded incorporated 成立日期 成立时间 注册日期 设立日期")),
            "end": (*_DATES["end"], *_names("dissolved 注销日期 吊销日期 注销时间")),
        },
        "relations": {
            "id": _names("relation_id edge_id 编号 关系编号"),
            "source": _names("from_id src source_id start_id 起点 源 主体 甲方 源主体 起始主体 源编号"),
            "target": _names("to_id dst target_id end_id 终点 目标 客体 乙方 目标主体 对象 目标编号"),
            "kind": _names("type relation relation_type relation_kind 关系 关系类型 类型 关系类别"),
            "share": _names("percent percentage pct ratio stake 持股比例 股权比例 出资比例 比例 股比 占比"),
            "share_min": _names("percent_min 持股下限 比例下限 最低持股比例 持股比例下限"),
            "share_max": _names("percent_max 持股上限 比例上限 最高持股比例 持股比例上限"),
            "votes_min": _names("voting_min 表决权下限 表决权比例下限"),
            "votes_max": _names("voting_max 表决权上限 表决权比例上限"),
            "amount": _names("value money 金额 出资额 认缴出资额 认缴额 投资金额 担保金额 借款金额"),
            "role": _names("position title 职务 职位 角色"),
            "confidence": _names("probability score 置信度 可信度 概率"),
            **_DATES,
        },
        "cases": {
            "id": _names("case_id 编号 案件编号 案号"),
            "entity": _names("entity_id 主体 主体编号 涉案主体 企业 企业编号"),
            "type": _names("case_type kind 类型 案件类型 类别 案件类别"),
            "severity": _names("weight 严重程度 严重性"),
            "authority": _names("agency 机关 处置机关 处罚机关 主管部门 立案机关"),
            "due": _names("deadline 期限 整改期限 到期日"),
            "topic": _names("subject 主题 事由"),
            **_DATES,
        },
        "licences": {
            "id": _names("licence_id license_id 编号"),
            "entity": _names("entity_id 主体 主体编号 持牌主体 企业 企业编号"),
            "sector": _names("licence license 行业 业态 牌照类型 许可类型 许可业务"),
            "issuer": _names("issued_by 发证机关 颁发机构 批准机关 许可机关"),
            "number": _names("licence_number license_number 牌照编号 许可证号 证号 许可文件编号"),
            **_DATES,
        },
        "facts": {
            "id": _names("fact_id 编号"),
            "entity": _names("entity_id 主体 主体编号 企业 企业编号"),
            "fact": _names("attribute key 事实 指标 属性 项目"),
            "value": _names("content 值 取值 数值 内容"),
            **_DATES,
        },
    }
)

_UNIT = re.compile(r"[(（\[]\s*(?:单位[:：]?)?\s*([^()（）\[\]]{1,8}?)\s*[)）\]]$")
_MONEY_UNITS = {
    "元": 1.0,
    "人民币元": 1.0,
    "万": 1e4,
    "万元": 1e4,
    "万元人民币": 1e4,
    "亿": 1e8,
    "亿元": 1e8,
    "千元": 1e3,
    "百万元": 1e6,
}
_PERCENT_UNITS = frozenset({"%", "百分比", "percent", "pct"})


class Header(NamedTuple):
    """One column header: its folded name, and the unit it states."""

    name: str
    #: what a bare number of money counts
    money: float | None
    percent: bool


def fold(text: object) -> str:
    """A name without case, spaces and full-width forms.

    Examples
    --------
    >>> fold(" Share Max "), fold("持股比例（％）")
    ('sharemax', '持股比例(%)')
    """
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", str(text))).lower()


def read_header(text: object) -> Header:
    """Name and unit of a header.

    Examples
    --------
    >>> read_header("认缴出资额（万元）")
    Header(name='认缴出资额', money=10000.0, percent=False)
    >>> read_header("持股比例(%)").percent
    True
    """
    name = fold(text)
    match = _UNIT.search(name)
    unit = match[1] if match else ""
    if unit in _MONEY_UNITS:
        return Header(name[: match.start()], _MONEY_UNITS[unit], False)  # type: ignore[union-attr]
    if unit in _PERCENT_UNITS:
        return Header(name[: match.start()], None, True)  # type: ignore[union-attr]
    if name.endswith("%"):
        return Header(name[:-1], None, True)
    return Header(name, None, False)


_TABLE_OF = {fold(name): table for table, names in TABLE_NAMES.items() for name in names}


def table_of(stem: str, headers: Iterable[object]) -> str | None:
    """Which of the five tables a file is, by its name, else by its columns.

    Examples
    --------
    >>> table_of("02_关系-2016", []), table_of("export", ["Source", "Target", "Kind"]), table_of("readme", ["a"])
    ('relations', 'relations', None)
    """
    plain = fold(stem)
    for name in (plain, re.sub(r"^[\d.\-]+|[\d.\-()]+$", "", plain)):
        if name in _TABLE_OF:
            return _TABLE_OF[name]
    columns = {
        table: set(canonical(table, headers).values())
        for table in ("facts", "relations", "entities", "cases", "licences")
    }
    for table, found in columns.items():
        if set(TABLES[table].required) <= found:
            return table
    return None


def canonical(table: str, headers: Iterable[object]) -> dict[object, str]:
    """Header → column of the contract, for every header that is one; a column's own name goes before its synonyms."""
    known = COLUMN_NAMES[table]
    own = {fold(column): column for column in (*TABLES[table].required, *TABLES[table].optional)}
    others = {fold(name): column for column, names in known.items() for name in names}
    headers = list(headers)
    found: dict[object, str] = {}
    for book in (own, others):
        for header in headers:
            column = book.get(read_header(header).name)
            if column is not None and header not in found and column not in found.values():
                found[header] = column
    return found
