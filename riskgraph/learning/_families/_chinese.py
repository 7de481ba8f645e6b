"""What each feature means, in Chinese; facts and rules are named after themselves."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["CHINESE", "in_chinese"]

_YEAR = "近365天内"
CHINESE = MappingProxyType(
    {
        "ownership_holders": "直接股东数（不含自身）",
        "ownership_holdings": "直接持股的公司数（不含自身）",
        "ownership_largest_share": "单一直接股东申报的最大持股；无股东为缺失",
        "ownership_concentration": "直接股东申报持股的平方和",
        "ownership_undeclared": "申报持股之外剩余的部分；无股东为缺失",
        "ownership_vague": "持股比例不确切的直接股东占比；无股东为缺失",
        "ownership_persons": "自然人直接申报持股合计",
        "ownership_state": "国家直接申报持股合计",
        "ownership_traced_persons": "沿全部申报持股链追溯到自然人的份额",
        "ownership_traced_state": "沿全部申报持股链追溯到国家的份额",
        "ownership_levels_up": "其上最长持股链的层数，环只计一次",
        "ownership_levels_down": "其下最长持股链的层数，环只计一次",
        "ownership_circle": "处于交叉持股环上",
        "ownership_holder_reach": "其某一直接股东持有的其他公司的最大数目",
        "control_controllers": "确定控制它的主体数",
        "control_doubtful": "是否控制它无法判定的主体数",
        "control_controlled": "它确定控制的公司数",
        "control_depth": "距其控制人的最多层数，无则为0",
        "control_reach": "距其所控公司的最多层数，无则为0",
        "control_votes": "一方确定掌握的最大表决权；无股东为缺失",
        "control_by_person": "由自然人控制",
        "control_by_state": "由国家控制",
        "control_agreements": "控制或被控制的协议数",
        "group_size": "所属控制集团的成员数，含自身",
        "group_companies": "所属控制集团的公司数",
        "group_persons": "所属控制集团的自然人数",
        "group_sectors": "集团成员申报或持牌的行业数",
        "group_licences": "集团有效牌照数",
        "group_capital": "集团公司注册资本合计（常用对数）；均未载明为缺失",
        "group_cases": "集团其他成员在案数",
        "group_cases_ever": "集团其他成员曾在案数",
        "group_young": "集团" + _YEAR + "新设公司数",
        "group_component": "经任意关系相连的主体数（常用对数）",
        "group_neighbours": "有关系的不同主体数",
        "group_amount_out": "由其发出的各类关系金额合计（常用对数）；未载明为缺失",
        "group_amount_in": "指向它的各类关系金额合计（常用对数）；未载明为缺失",
        "officer_officers": "任职人员数",
        "officer_posts": "（自然人）任职的企业数",
        "officer_busiest": "其任职人员在其他企业任职的最大数目",
        "officer_other_posts": "其任职人员在其他企业的任职合计",
        "officer_represented": "其法定代表人另外代表的企业数；无法定代表人为缺失",
        "officer_also_holders": "兼为股东的任职人员数",
        "officer_under_case": "本人在案的任职人员数",
        "officer_case_posts": "其任职人员在其他在案企业的任职数",
        "officer_case_posts_ever": "其任职人员（含已离任）在其他曾在案企业的任职数",
        "officer_former": "已离任的任职人员数",
        "risk_cascade": "由全部风险源传导的概率上界",
        "risk_cascade_at_case": "同上，并计入立案时有效、其后终止的关系",
        "risk_cascade_hop1": "一步之内传导的概率上界",
        "risk_cascade_hop2": "两步之内传导的概率上界",
        "risk_cascade_banned": "由“取缔或禁业”风险源四步之内传导的概率上界",
        "risk_cascade_revoked": "由“吊销”风险源四步之内传导的概率上界",
        "risk_cascade_illegal_fundraising": "由“非法集资”风险源四步之内传导的概率上界",
        "risk_cascade_unlicensed_finance": "由“无证从事金融业务”风险源四步之内传导的概率上界",
        "risk_cascade_sanctioned": "由“处罚”风险源四步之内传导的概率上界",
        "risk_threshold": "被在案主体合计持股达到门槛",
        "risk_pagerank": "自风险源沿关系双向游走的接近度",
        "risk_nearness": "1 ÷（1＋到最近风险源的步数），六步以外为0",
        "risk_seeds_hop1": "在案的相邻主体数",
        "risk_seeds_hop2": "相邻主体的在案邻居数合计（不含自身）",
        "risk_ever_hop1": "曾在案的相邻主体数（含已终止的关系）",
        "risk_near_holders": "在案的股东或控制人数",
        "risk_near_holdings": "在案的持股或受控企业数",
        "risk_near_posts": "经任职关系相邻的在案主体数",
        "risk_near_guarantees": "经担保关系相邻的在案主体数",
        "risk_near_money": "经资金关系相邻的在案主体数",
        "risk_near_persons": "经亲属、一致行动或疑似同一关系相邻的在案主体数",
        "risk_near_places": "经地址或分支关系相邻的在案主体数",
        "risk_near_business": "经业务关系相邻的在案主体数",
        "nesting_layers": "所涉最长资金链上的产品层数，成环记99",
        "nesting_sectors": "所涉金融行业数",
        "nesting_crossings": "链上跨行业次数",
        "nesting_returns": "资金流出又流回的行业数",
        "nesting_opacity": "产品资金中无法穿透的部分",
        "nesting_circularity": "所收资金中来自自身所在循环的部分",
        "nesting_unlicensed_share": "管理或销售其产品而无有效牌照者的占比",
        "nesting_investors": "最终投资者数",
        "nesting_leads": "所涉行业的牵头部门数",
        "nesting_licences": "集团内共用人员、账户或地址的持牌行业数",
        "nesting_score": "嵌套得分",
        "screening_findings": "规则命中数",
        "screening_rules": "命中的不同规则数",
        "screening_gravest": "命中规则的最高严重度，无则为0",
        "screening_severity": "命中规则的严重度合计",
        "registry_company": "是公司",
        "registry_person": "是自然人",
        "registry_product": "是产品",
        "registry_age": "成立年数；未载明为缺失",
        "registry_capital": "注册资本（常用对数）；未载明为缺失",
        "registry_away": "在注册地县区以外经营；地点未载明为缺失",
        "registry_sector_cases": "同行业其他主体的在案占比",
        "registry_province_cases": "同省其他主体的在案占比",
        "registry_licences": "有效牌照数",
        "registry_licences_lost": "已终止的牌照数",
        "registry_cases_ever": "曾有的风险源案件数",
        "change_holders_in": _YEAR + "新增持股数",
        "change_holders_out": _YEAR + "退出持股数",
        "change_officers_in": _YEAR + "新任人员数",
        "change_officers_out": _YEAR + "离任人员数",
        "change_posts_out": "（自然人）" + _YEAR + "离开的任职数",
        "change_begun": _YEAR + "新增的各类关系数",
        "change_ended": _YEAR + "终止的各类关系数",
        "change_turnover": _YEAR + "新增与终止的关系占全部关系之比",
        "change_since": "距最近一次关系变动的年数；无日期为缺失",
        "change_new_name": _YEAR + "名称变更记录数",
        "change_new_address": _YEAR + "地址变更记录数",
        "change_new_capital": _YEAR + "资本变更记录数",
        "change_new_legal_representative": _YEAR + "法定代表人变更记录数",
        "change_near_cases": _YEAR + "新立案的相邻主体数",
    }
)
#: beginnings of names that go on with a sector, a case type, a fact or a rule
_BEGINNINGS = (
    ("registry_sector_", "申报行业："),
    ("registry_case_", "曾有的案件数："),
    ("registry_fact_", "事实的最新有效值（未知为缺失）："),
    ("screening_", "该规则命中的最高严重度，无则为0："),
)


def in_chinese(name: str) -> str:
    """Chinese definition of a feature.

    Examples
    --------
    >>> in_chinese("registry_fact_volume")
    '事实的最新有效值（未知为缺失）：volume'
    """
    from riskgraph.schema import CASE_TEXTS, SECTOR_TEXTS

    if name in CHINESE:
        return CHINESE[name]
    for beginning, text in _BEGINNINGS:
        if name.startswith(beginning):
            rest = name.removeprefix(beginning)
            known = {**SECTOR_TEXTS, **CASE_TEXTS} if beginning in ("registry_sector_", "registry_case_") else {}
            return text + (known[rest][1] if rest in known else rest)
    return name
