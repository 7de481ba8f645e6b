"""The vocabulary: entity kinds, relation kinds, case types, sectors, and the columns of the five tables.

A relation reads as a sentence, *source verb target*: a holder **owns** a company, a guarantor **guarantees** a
debtor, a fund-raiser **raises_on** a platform. Direction is stated here once and nowhere else.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

__all__ = [
    "APPROVAL_PREFIX",
    "CASE_TEXTS",
    "CASE_TYPES",
    "ENTITY_KINDS",
    "FACT_TYPES",
    "LEVELS",
    "RELATION_KINDS",
    "RELATION_NAMES",
    "RELATION_TEXTS",
    "ROLES",
    "SECTORS",
    "SECTOR_TEXTS",
    "SEED_CASES",
    "SYMMETRIC_KINDS",
    "TABLES",
    "Table",
]

#: what an entity can be
ENTITY_KINDS: tuple[str, ...] = (
    "company",
    "person",
    "product",
    "account",
    "website",
    "advertisement",
    "trust",
    "state",
    "address",
    "unknown",
)

#: relation kind -> the sentence it stands for, English and Chinese
RELATION_TEXTS = MappingProxyType(
    {
        "owns": ("{source} owns {target}", "{source}持有{target}股权"),
        "officer": ("{source} is {role} of {target}", "{source}任{target}{role}"),
        "controls": ("{source} controls {target} by agreement", "{source}协议控制{target}"),
        "concert": ("{source} acts in concert with {target}", "{source}与{target}一致行动"),
        "kin": ("{source} is kin of {target}", "{source}与{target}为亲属"),
        "same_as": ("{source} may be {target}", "{source}与{target}疑为同一主体"),
        "branch_of": ("{source} is a branch of {target}", "{source}为{target}的分支机构"),
        "invests": ("{source} invests in {target}", "{source}投资于{target}"),
        "manages": ("{source} manages {target}", "{source}管理{target}"),
        "distributes": ("{source} sells {target}", "{source}代销{target}"),
        "custodies": ("{source} is custodian of {target}", "{source}托管{target}"),
        "guarantees": ("{source} guarantees {target}", "{source}为{target}担保"),
        "lends": ("{source} lends to {target}", "{source}出借给{target}"),
        "pays": ("{source} pays {target}", "{source}付款给{target}"),
        "raises_on": ("{source} raises funds on {target}", "{source}在{target}融资"),
        "packaged_from": ("{source} is packaged from {target}", "{source}由{target}打包而成"),
        "subcontracts": ("{source} subcontracts to {target}", "{source}转包给{target}"),
        "channels": ("{source} settles for {target}", "{source}为{target}提供支付结算"),
        "cooperates": ("{source} cooperates with {target}", "{source}与{target}合作"),
        "operates": ("{source} operates {target}", "{source}运营{target}"),
        "publishes": ("{source} publishes {target}", "{source}发布{target}"),
        "promotes": ("{source} promotes {target}", "{source}推广{target}"),
        "endorses": ("{source} endorses {target}", "{source}为{target}代言"),
        "member_of": ("{source} is a member unit of {target}", "{source}为{target}会员单位"),
        "located_at": ("{source} is located at {target}", "{source}位于{target}"),
    }
)

#: relation kind -> a short name, English and Chinese, for legends and reports
RELATION_NAMES = MappingProxyType(
    {
        "owns": ("owns", "持股"),
        "officer": ("officer", "任职"),
        "controls": ("controls", "协议控制"),
        "concert": ("in concert", "一致行动"),
        "kin": ("kin", "亲属"),
        "same_as": ("same as?", "疑为同一主体"),
        "branch_of": ("branch of", "分支机构"),
        "invests": ("invests", "投资"),
        "manages": ("manages", "管理"),
        "distributes": ("sells", "代销"),
        "custodies": ("custodian", "托管"),
        "guarantees": ("guarantees", "担保"),
        "lends": ("lends", "出借"),
        "pays": ("pays", "付款"),
        "raises_on": ("raises on", "平台融资"),
        "packaged_from": ("packaged from", "打包"),
        "subcontracts": ("subcontracts", "转包"),
        "channels": ("settles for", "支付通道"),
        "cooperates": ("cooperates", "合作"),
        "operates": ("operates", "运营"),
        "publishes": ("publishes", "发布"),
        "promotes": ("promotes", "推广"),
        "endorses": ("endorses", "代言"),
        "member_of": ("member of", "会员单位"),
        "located_at": ("located at", "地址"),
    }
)

#: relation kinds, each a sentence *source verb target*
RELATION_KINDS: tuple[str, ...] = tuple(RELATION_TEXTS)

#: relation kinds that mean the same read from either end
SYMMETRIC_KINDS = frozenset({"concert", "kin", "same_as", "cooperates"})

#: officer roles with their Chinese names; other roles are kept as given
ROLES = MappingProxyType(
    {
        "legal_representative": "法定代表人",
        "chairman": "董事长",
        "director": "董事",
        "independent_director": "独立董事",
        "supervisor": "监事",
        "manager": "经理",
        "senior_manager": "高级管理人员",
        "secretary": "董事会秘书",
        "partner": "执行事务合伙人",
        "nominee": "代持人",
    }
)

#: case type -> English and Chinese name
CASE_TEXTS = MappingProxyType(
    {
        "banned": ("banned", "取缔或禁业"),
        "revoked": ("licence revoked", "吊销"),
        "illegal_fundraising": ("illegal fund-raising", "非法集资"),
        "unlicensed_finance": ("unlicensed finance", "无证从事金融业务"),
        "sanctioned": ("sanctioned", "处罚"),
        "abnormal": ("abnormal operation", "经营异常"),
        "criminal_record": ("criminal record", "犯罪记录"),
        "determination": ("determination", "定性"),
        "order": ("order", "责令"),
        "tipoff": ("tip-off", "举报"),
        "complaint": ("complaint", "投诉"),
    }
)

#: case types; those of :data:`SEED_CASES` make an entity a seed of propagation while they are in force
CASE_TYPES: tuple[str, ...] = tuple(CASE_TEXTS)

SEED_CASES: tuple[str, ...] = CASE_TYPES[:5]

#: sector code -> English and Chinese name; the first ten are those of the 2016 plans
SECTOR_TEXTS = MappingProxyType(
    {
        "p2p": ("P2P lending", "P2P网络借贷"),
        "asset_management": ("internet asset management", "互联网资产管理"),
        "exchange": ("trading venue", "各类交易场所"),
        "equity_crowdfunding": ("equity crowdfunding", "股权众筹"),
        "insurance": ("internet insurance", "互联网保险"),
        "wealth_management": ("wealth management", "投资理财"),
        "advertising": ("financial advertising", "金融广告"),
        "payment": ("non-bank payment", "非银行支付"),
        "real_estate": ("real-estate finance", "房地产金融"),
        "cooperative": ("farmers' cooperative", "农民专业合作社"),
        "bank": ("bank", "银行"),
        "trust": ("trust company", "信托"),
        "securities": ("securities", "证券"),
        "fund": ("fund management", "基金"),
        "futures": ("futures", "期货"),
        "guarantee": ("financing guarantee", "融资担保"),
        "pawn": ("pawnshop", "典当"),
        "leasing": ("leasing", "租赁"),
        "consumer_finance": ("consumer finance", "消费金融"),
        "microloan": ("microloan", "小额贷款"),
        "other": ("other", "其他"),
    }
)

SECTORS: tuple[str, ...] = tuple(SECTOR_TEXTS)


class Table(NamedTuple):
    """Columns of one table: those it must have, and those riskgraph understands."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    #: columns that hold ids of entities
    references: tuple[str, ...] = ()


#: the five tables; every other column is kept as it is
TABLES = MappingProxyType(
    {
        "entities": Table(
            ("id", "kind"),
            (
                "name",
                "sector",
                "status",
                "registered_in",
                "operates_in",
                "scope",
                "capital",
                "uscc",
                "lei",
                "start",
                "end",
                "source_ref",
            ),
        ),
        "relations": Table(
            ("source", "target", "kind"),
            (
                "id",
                "share",
                "share_min",
                "share_max",
                "votes_min",
                "votes_max",
                "amount",
                "role",
                "confidence",
                "start",
                "end",
                "known_from",
                "source_ref",
            ),
            ("source", "target"),
        ),
        "cases": Table(
            ("entity", "type"),
            ("id", "severity", "authority", "due", "topic", "start", "end", "known_from", "source_ref"),
            ("entity",),
        ),
        "licences": Table(
            ("entity", "sector"),
            ("id", "issuer", "number", "start", "end", "known_from", "source_ref"),
            ("entity",),
        ),
        "facts": Table(
            ("entity", "fact", "value"),
            ("id", "start", "end", "known_from", "source_ref"),
            ("entity",),
        ),
    }
)


def _words(text: str) -> list[str]:
    return text.split()


#: what a known fact holds: "boolean" is true, false or unknown; other names are kept and reported
FACT_TYPES = MappingProxyType(
    {
        **dict.fromkeys(
            _words(
                # criteria of an information intermediary
                "information_intermediary direct_lending client_fund_custody disclosure_complete network_security "
                # red lines
                "capital_pool self_financing principal_guarantee mass_offline_marketing misleading_promotion "
                "fictitious_borrowers makes_loans splits_maturities sells_wealth_products irregular_debt_transfer "
                "funds_risky_securities stock_margin_lending crowdfunding_business "
                # conduct
                "violation substance_mismatch evasion fraud_suspected illegal_fundraising_suspected rectified "
                "cooperative_attitude "
                # offering
                "public_offering specified_investors registered_product private_placement retail_investors "
                "public_fund unfiled "
                # what an inspector notes on the spot
                "firewall province_passed provincial_approval counterparty_mode sustainable repayment_risk "
                "flight_signs maturity_mismatch weak_control reserve_misused refuses_rectification false_information"
            ),
            "boolean",
        ),
        **dict.fromkeys(
            [
                "promised_yield",
                "actual_yield",
                "project_return",
                "loan_balance",
                "lender_count",
                "overdue_rate",
                "volume",
                "ads_per_month",
                "merchants",
                "employees",
                "maturity_days",
                "assets",
                "liabilities",
                "repayment_due",
                "repayment_available",
                "equity",
                "external_assets",
                "capital",
            ],
            "number",
        ),
        **dict.fromkeys(("risk_level", "harm"), "level"),
        **dict.fromkeys(
            [
                "solicitation_channel",
                "ad_text",
                "website_text",
                "product_type",
                "declared_business",
                "name",
                "address",
                "legal_representative",
                "undisclosed_owner",
                "site_type",
                "approved_products",
            ],
            "text",
        ),
    }
)

#: facts named ``approval:<change>`` record that a change was approved, from ``start`` on
APPROVAL_PREFIX = "approval:"

#: values of a fact of type "level"
LEVELS: tuple[str, ...] = ("low", "medium", "high")
