"""Words of a dossier's page in Chinese and English: parts, columns, sections, fields and values."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["COLUMNS", "FIELDS", "SECTIONS", "TEXTS", "VALUES"]

TEXTS = MappingProxyType(
    {
        "title": ("企业档案", "File of a firm"),
        "id": ("编号", "id"),
        "on": ("截至", "as of"),
        "catalogue": ("规则目录", "catalogue"),
        "complete": ("完整度", "completeness"),
        "honest": ("核实相符比例", "declared values confirmed"),
        "conclusions": ("结论", "conclusions"),
        "triage": ("甄别定性", "triage"),
        "assignment": ("分工", "assignment"),
        "disposition": ("处置", "disposition"),
        "fields": ("档案字段", "fields"),
        "findings": ("筛查发现", "findings"),
        "verification": ("如实告知核实", "declared against observed"),
        "missing": ("缺失字段", "missing fields"),
        "snapshot": ("数据快照", "data snapshot"),
        "signature": ("法定代表人或高级管理人员签字", "signed by the legal representative or a senior manager"),
        "day": ("日期", "date"),
        "none": ("无", "none"),
        "unknown": ("未知", "unknown"),
    }
)

#: column or key -> its name
COLUMNS = MappingProxyType(
    {
        "field": ("字段", "field"),
        "value": ("内容", "value"),
        "source": ("来源", "source"),
        "method": ("取得方式", "how it was found"),
        "evidence": ("依据", "evidence"),
        "rule": ("规则", "rule"),
        "severity": ("程度", "severity"),
        "since": ("起始", "since"),
        "text": ("说明", "what was found"),
        "fact": ("事项", "fact"),
        "declared": ("申报", "declared"),
        "observed": ("查得", "observed"),
        "verdict": ("核实结果", "verdict"),
        "lead": ("牵头部门", "leads"),
        "assist": ("配合部门", "assist"),
        "duties": ("职责", "duties"),
        "region": ("属地", "region"),
        "assist_region": ("配合地区", "assisting region"),
        "queue": ("提交", "goes to"),
        "reason": ("理由", "reason"),
        "code": ("处置类别", "class of disposition"),
        "measure": ("措施", "measures"),
        "due": ("期限", "due"),
    }
)

#: words that stand for a value
VALUES = MappingProxyType(
    {
        "compliant": ("合规", "compliant"),
        "rectify": ("整改", "to rectify"),
        "ban": ("取缔", "to ban"),
        "undetermined": ("待定", "undetermined"),
        "match": ("相符", "match"),
        "mismatch": ("不符", "mismatch"),
        "unverified": ("未核实", "unverified"),
        "province": ("省级", "the province"),
        "leading_group": ("领导小组", "the leading group"),
        "active": ("存续", "active"),
        "revoked": ("吊销", "revoked"),
        "deregistered": ("注销", "deregistered"),
    }
)

SECTIONS = MappingProxyType(
    {
        "DOSSIER-P2P-BASIC": ("基本情况", "basics"),
        "DOSSIER-P2P-PRODUCTS": ("产品", "products"),
        "DOSSIER-P2P-ISSUES": ("主要问题", "issues"),
        "DOSSIER-P2P-CAPITAL-DEBT": ("资产负债", "assets and debts"),
        "DOSSIER-PAYMENT-UNLICENSED": ("无证支付", "payment without a licence"),
        "DOSSIER-JOINT-VISIT": ("联合走访", "joint visit"),
        "DOSSIER-WEALTH-SURVEY": ("投资理财排查", "survey of wealth management"),
    }
)

#: field of the plan, in its own words -> English
FIELDS = MappingProxyType(
    {
        "股东或出资人": "shareholders or contributors",
        "实际控制人": "actual controller",
        "法定代表人": "legal representative",
        "注册资本": "registered capital",
        "借贷余额": "loans outstanding",
        "出借人总数": "number of lenders",
        "分支机构数量及分布": "branches, number and places",
        "产品期限": "term of products",
        "综合收益率": "overall yield",
        "逾期率": "overdue rate",
        "业务红线": "red lines of the business",
        "信息披露问题": "problems of disclosure",
        "资金存管问题": "problems of custody of funds",
        "重点排查信号": "signals to look for",
        "资产": "assets",
        "负债": "debts",
        "债权人": "creditors",
        "债务人": "debtors",
        "偿付覆盖率": "cover of repayments",
        "机构工商注册信息": "registration",
        "客户或商户数量及分布": "customers or merchants, number and places",
        "交易规模": "volume of transactions",
        "业务模式": "business model",
        "结算方式": "way of settlement",
        "资金规模及存放情况": "funds, amount and where kept",
        "与商业银行及支付机构合作情况": "work with banks and payment firms",
        "是否跨地区开展业务": "business across regions",
        "层层转包业务": "subcontracting in layers",
        "与其他无证机构合作情况": "work with others without a licence",
        "挪用占用资金的可能": "possible misuse of funds",
        "董监高违法犯罪记录或异常情况": "records of directors and managers",
        "企业基本信息": "basic data of the firm",
        "经营模式": "mode of operation",
        "客户数量": "number of customers",
        "对外宣称的产品收益率": "yield advertised",
        "经营状况": "state of business",
        "广告发布形式及发布平台": "advertisements, form and platform",
        "工商注册登记地址": "registered address",
        "实际经营地址": "actual address",
        "设立分支机构": "branches set up",
        "门店": "shops",
        "运作模式": "mode of working",
    }
)
