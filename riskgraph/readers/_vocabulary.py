"""Chinese words of the vocabulary's columns: entity and relation kinds, case types, sectors, roles, truth values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from riskgraph.readers._headers import fold
from riskgraph.schema import (
    CASE_TEXTS,
    CASE_TYPES,
    ENTITY_KINDS,
    RELATION_KINDS,
    RELATION_NAMES,
    ROLES,
    SECTOR_TEXTS,
    SECTORS,
)

__all__ = ["BOOKS", "WORDS", "translate"]


def _words(text: str, word: str) -> dict[str, str]:
    return dict.fromkeys(text.split(), word)


_ENTITY_KINDS = {
    **_words(
        "公司 企业 法人 企业法人 机构 合伙企业 个体工商户 合作社 非自然人 法人股东 enterprise firm corp corporation e",
        "company",
    ),
    **_words("自然人 个人 人员 人 自然人股东 individual natural_person p", "person"),
    **_words("产品 金融产品 理财产品 基金 基金产品 资管计划 fund", "product"),
    **_words("账户 帐户 银行账户", "account"),
    **_words("网站 平台 应用 app platform site", "website"),
    **_words("广告 ad", "advertisement"),
    **_words("信托", "trust"),
    **_words("国家 政府 国资 政府机构 government", "state"),
    **_words("地址 住所", "address"),
    **_words("未知 其他 不详 other", "unknown"),
}
_RELATION_KINDS = {
    **_words("持股 股东 股权 出资 参股 控股 持有 owner shareholder ownership holds", "owns"),
    **_words("任职 高管 主要人员 人员 director directorship", "officer"),
    **_words("协议控制 控制 实际控制 control", "controls"),
    **_words("一致行动 一致行动人", "concert"),
    **_words("亲属 亲属关系 family", "kin"),
    **_words("疑似同一 疑为同一主体 同一主体", "same_as"),
    **_words("分支机构 分公司 branch", "branch_of"),
    **_words("投资 认购", "invests"),
    **_words("管理 受托管理", "manages"),
    **_words("代销 销售", "distributes"),
    **_words("托管 存管", "custodies"),
    **_words("担保 保证 guarantor guarantee", "guarantees"),
    **_words("出借 借款 贷款 借贷", "lends"),
    **_words("付款 支付 转账 交易", "pays"),
    **_words("融资 平台融资", "raises_on"),
    **_words("打包", "packaged_from"),
    **_words("转包 分包 外包", "subcontracts"),
    **_words("支付通道 通道 结算", "channels"),
    **_words("合作", "cooperates"),
    **_words("运营", "operates"),
    **_words("发布", "publishes"),
    **_words("推广", "promotes"),
    **_words("代言", "endorses"),
    **_words("会员 会员单位", "member_of"),
    **_words("地址 位于 住所", "located_at"),
}
_CASE_TYPES = {
    **_words("取缔 禁业 取缔或禁业 市场禁入", "banned"),
    **_words("吊销 吊销执照 吊销许可证", "revoked"),
    **_words("非法集资 非法吸收公众存款 集资诈骗", "illegal_fundraising"),
    **_words("无证经营 无证从事金融业务 非法金融活动", "unlicensed_finance"),
    **_words("处罚 行政处罚 制裁", "sanctioned"),
    **_words("经营异常 异常", "abnormal"),
    **_words("犯罪记录 前科", "criminal_record"),
    **_words("定性 认定", "determination"),
    **_words("责令 责令整改 整改", "order"),
    **_words("举报 线索", "tipoff"),
    **_words("投诉", "complaint"),
}
_ROLES = {
    **_words(
        "法人 法定代表人 法人代表 负责人 执行事务合伙人委派代表 legalrepresentative fddbr", "legal_representative"
    ),
    **_words("董事长 chairman dsz", "chairman"),
    **_words("董事 副董事长 执行董事 非执行董事 执行董事兼总经理 gsds", "director"),
    **_words("独立董事 dldsxr", "independent_director"),
    **_words("监事 监事会主席 职工监事 监事长 gsjs", "supervisor"),
    **_words("经理 总经理 总裁 首席执行官 ceo zjl", "manager"),
    **_words("高级管理人员 副总经理 副总裁 财务总监 财务负责人 总会计师 gsgg", "senior_manager"),
    **_words("董事会秘书 董秘 dshms", "secretary"),
    **_words("执行事务合伙人 普通合伙人", "partner"),
    **_words("代持人 代持", "nominee"),
}


def _book(own: tuple[str, ...], zh: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    own_words = {fold(word): word for word in own}
    return {**{fold(text): word for text, word in {**zh, **more}.items()}, **own_words}


#: column -> folded word -> word of the vocabulary
WORDS = MappingProxyType(
    {
        "entity kind": _book(ENTITY_KINDS, {}, _ENTITY_KINDS),
        "relation kind": _book(RELATION_KINDS, {zh: word for word, (_, zh) in RELATION_NAMES.items()}, _RELATION_KINDS),
        "case type": _book(CASE_TYPES, {zh: word for word, (_, zh) in CASE_TEXTS.items()}, _CASE_TYPES),
        "sector": _book(
            SECTORS, {zh: word for word, (_, zh) in SECTOR_TEXTS.items()}, {"网贷": "p2p", "小贷": "microloan"}
        ),
        "role": _book(tuple(ROLES), {zh: word for word, zh in ROLES.items()}, _ROLES),
        "truth": _book(
            (),
            {},
            {
                **_words("是 有 真 yes y", "true"),
                **_words("否 没有 假 no n", "false"),
                **_words("未知 不详", "unknown"),
            },
        ),
        "level": _book((), {}, {"低": "low", "中": "medium", "高": "high"}),
    }
)


#: table -> column whose words are translated -> the book they are looked up in
BOOKS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "entities": {"kind": "entity kind", "sector": "sector"},
        "relations": {"kind": "relation kind", "role": "role"},
        "cases": {"type": "case type"},
        "licences": {"sector": "sector"},
        "facts": {},
    }
)


def translate(values: pd.Series, book: str) -> pd.Series:
    """Words of the vocabulary where a cell is one, Chinese or English; other cells as they are.

    Examples
    --------
    >>> import pandas as pd
    >>> translate(pd.Series(["法定代表人", "监事", "owner's cousin", None]), "role").tolist()
    ['legal_representative', 'supervisor', "owner's cousin", None]
    """
    words = WORDS[book]
    codes, distinct = pd.factorize(values.astype(object))
    found = np.array([*(words.get(fold(value), value) for value in distinct), None], dtype=object)
    return pd.Series(found[codes], index=values.index, dtype=object)
