"""Triage: compliant, to rectify, to ban, or undetermined; what is unknown never makes a firm compliant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.supervision._view import View, check_lang, view

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["Verdict", "judge", "triage"]

_ILLEGAL = ("illegal_fundraising", "banned", "unlicensed_finance", "sanctioned")
_GENERAL_BAD = ("violation", "substance_mismatch", "evasion")
_CONDUCT_ZH = {"violation": "违规经营", "substance_mismatch": "业务实质与资质不符", "evasion": "有意逃避监管"}


class Verdict(NamedTuple):
    """Class of a firm in a sector, the reasons, and the facts that are missing."""

    verdict: str
    reasons: tuple[str, ...]
    missing: tuple[str, ...]


def triage(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, lang: str = "zh") -> pd.DataFrame:
    """Class of every labelled firm in each of its sectors.

    P2P: *ban* when illegal fund-raising is suspected or determined; *rectify* when a red line is touched or a
    criterion fails; *compliant* when all five criteria and all red lines are known to be good; else *undetermined*.
    Unlicensed payment, cooperatives and the other sectors follow their own clauses.

    Parameters
    ----------
    graph
        Any entity graph.
    catalogue
        Criteria, red lines and parameters.
    at
        Day asked about.
    lang
        Language of ``reasons``.

    Returns
    -------
    DataFrame
        ``entity, sector, verdict, reasons, missing``; ``reasons`` are texts that name facts, cases and relations,
        ``missing`` the names of facts without which no other verdict can be given.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, triage
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1"], "kind": ["company"], "sector": ["p2p"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ...     facts=pd.DataFrame({"entity": ["C1"], "fact": ["capital_pool"], "value": [True]}),
    ... )
    >>> triage(graph, Catalogue.load(), lang="en")[["verdict", "reasons"]].iloc[0].tolist()
    ['rectify', ('red line touched: fund pool (f0)',)]
    """
    check_lang(lang)
    seen = view(graph, catalogue, at=at, lang=lang)
    firms = seen.is_kind("company", "trust", "unknown")
    rows = []
    for code in sorted(seen.labels):
        if firms[code]:
            for sector in dict.fromkeys(sector for sector, _, _ in seen.labels[code]):
                rows.append((seen.ids[code], sector, *judge(seen, code, sector, lang)))
    return pd.DataFrame(rows, columns=["entity", "sector", "verdict", "reasons", "missing"])


def judge(seen: View, code: int, sector: str, lang: str = "zh") -> Verdict:
    """Verdict on one firm in one sector."""
    key = ("verdict", code, sector, lang)
    if key not in seen._kept:
        seen._kept[key] = _judge(seen, code, sector, lang)
    result: Verdict = seen._kept[key]
    return result


def _judge(seen: View, code: int, sector: str, lang: str) -> Verdict:
    banned = _ban_reasons(seen, code, lang)
    if sector == "p2p":
        return _p2p(seen, code, banned, lang)
    if sector == "payment" and not seen.licensed(code, ["payment"]):
        return _unlicensed_payment(seen, code, banned, lang)
    if sector == "cooperative":
        return _cooperative(seen, code, banned, lang)
    return _general(seen, code, banned, lang)


def _say(lang: str, zh: str, en: str) -> str:
    return zh if lang == "zh" else en


def _zh(level: str) -> str:
    return {"low": "低", "medium": "中", "high": "高"}[level]


def _ban_reasons(seen: View, code: int, lang: str) -> list[str]:
    """Illegal fund-raising, suspected or determined, and bans."""
    found = []
    value, facts = seen.truth("illegal_fundraising_suspected").get(code, (None, ()))
    if value:
        found.append(
            _say(lang, f"涉嫌非法集资（{','.join(facts)}）", f"illegal fund-raising suspected ({','.join(facts)})")
        )
    for kind, zh, en in (
        ("illegal_fundraising", "非法集资案件", "case of illegal fund-raising"),
        ("banned", "已被取缔", "banned"),
        ("revoked", "已被吊销", "revoked"),
    ):
        cases = seen.under(code, kind)
        if cases:
            found.append(_say(lang, f"{zh}（{','.join(cases)}）", f"{en} ({','.join(cases)})"))
    value, facts = seen.truth("fraud_suspected").get(code, (None, ()))
    if value and not seen.licensed(code):
        found.append(_say(lang, f"涉嫌恶意欺诈（{','.join(facts)}）", f"fraud suspected ({','.join(facts)})"))
    return found


def criterion(seen: View, code: int, name: str) -> tuple[bool | None, tuple[str, ...]]:
    """Three-valued fact of a criterion; custody by a bank on record stands for a missing custody fact."""
    value, facts = seen.truth(name, worst=False).get(code, (None, ()))
    if value is None and name == "client_fund_custody" and not facts:
        from riskgraph.supervision.sectors import is_bank

        steps = [step for step in seen.into("custodies", code) if is_bank(seen, int(seen.cols.source[step]))]
        if steps:
            return True, seen.relation(steps)
    return value, facts


def red_line(seen: View, code: int, name: str) -> tuple[bool | None, tuple[str, ...]]:
    """Three-valued red line; borrowing by related parties on record shows self-financing whatever is declared."""
    value, facts = seen.truth(name).get(code, (None, ()))
    if name == "self_financing" and value is not True and "RP-SELF-FINANCE" in seen.catalogue:
        from riskgraph.supervision.checks.related import self_finance

        if "self_finance" not in seen._kept:
            rule = seen.catalogue["RP-SELF-FINANCE"]
            seen._kept["self_finance"] = {
                item.code: item.evidence for item in self_finance(seen, rule, lambda zh, en: en)
            }
        if code in seen._kept["self_finance"]:
            return True, seen._kept["self_finance"][code]
    return value, facts


def _p2p(seen: View, code: int, banned: list[str], lang: str) -> Verdict:
    reasons, missing, failed = list(banned), [], False
    for name, texts in seen.catalogue.red_lines.items():
        value, ids = red_line(seen, code, name)
        if value:
            failed = True
            reasons.append(
                _say(
                    lang,
                    f"触及红线：{texts['zh']}（{','.join(ids)}）",
                    f"red line touched: {texts['en']} ({','.join(ids)})",
                )
            )
        elif value is None:
            missing.append(name)
    for entry in seen.catalogue.criteria:
        for name in entry["facts"]:
            value, ids = criterion(seen, code, name)
            if value is False:
                failed = True
                reasons.append(
                    _say(
                        lang,
                        f"不符合标准{entry['id']}：{entry['zh']}（{','.join(ids)}）",
                        f"criterion {entry['id']} fails: {entry['en']} ({','.join(ids)})",
                    )
                )
            elif value is None:
                missing.append(name)
    suspected = seen.truth("illegal_fundraising_suspected").get(code)
    if suspected is not None and suspected[0] is None:
        missing.append("illegal_fundraising_suspected")
    if banned:
        return Verdict("ban", tuple(reasons), tuple(missing))
    if failed:
        return Verdict("rectify", tuple(reasons), tuple(missing))
    if missing:
        return Verdict(
            "undetermined",
            (_say(lang, f"缺少{len(missing)}项事实", f"{len(missing)} fact(s) missing"),),
            tuple(missing),
        )
    return Verdict(
        "compliant", (_say(lang, "五项标准符合，红线均未触及", "five criteria met, no red line touched"),), ()
    )


def _unlicensed_payment(seen: View, code: int, banned: list[str], lang: str) -> Verdict:
    """Small, light and cooperative: rectify. Large, risky and not cooperative: ban. Mixed: a person decides."""
    limit = float(seen.catalogue.value("TRIAGE-PAYMENT-UNLICENSED", "volume", 1e7))
    if banned:
        return Verdict("ban", tuple(banned), ())
    volume, a = seen.number("volume", code)
    harm, b = seen.level("harm", code)
    risk, c = seen.level("risk_level", code)
    attitude, d = seen.truth("cooperative_attitude", worst=False).get(code, (None, ()))
    missing = [
        name
        for name, value in (("volume", volume), ("harm", harm), ("cooperative_attitude", attitude))
        if value is None
    ]
    shown = [
        _say(lang, f"交易规模{volume:g}（{','.join(a)}）", f"volume {volume:g} ({','.join(a)})")
        if volume is not None
        else "",
        _say(lang, f"危害{_zh(harm)}（{','.join(b)}）", f"harm {harm} ({','.join(b)})") if harm else "",
        _say(lang, f"风险{_zh(risk)}（{','.join(c)}）", f"risk {risk} ({','.join(c)})") if risk else "",
        _say(lang, f"{'配合' if attitude else '不配合'}（{','.join(d)}）", f"cooperative: {attitude} ({','.join(d)})")
        if attitude is not None
        else "",
    ]
    reasons = tuple(text for text in shown if text)
    if missing:
        return Verdict("undetermined", reasons, tuple(missing))
    assert volume is not None
    small, light = volume <= limit, harm == "low"
    if small and light and attitude:
        return Verdict("rectify", (*reasons, _say(lang, "可给予整改期", "a period to rectify may be given")), ())
    if not small and (not light or risk in ("medium", "high")) and not attitude:
        return Verdict("ban", reasons, ())
    return Verdict("undetermined", (*reasons, _say(lang, "情形混合，转人工审查", "mixed case: human review")), ())


def _cooperative(seen: View, code: int, banned: list[str], lang: str) -> Verdict:
    """Ban when the head has bad motives, speculates and is weak; guide when law-abiding and in control."""
    if banned:
        return Verdict("ban", tuple(banned), ())
    names = ("improper_motive", "speculative", "weak_ability")
    values = {name: seen.truth(name).get(code, (None, ()))[0] for name in names}
    if all(values.values()):
        return Verdict(
            "ban", (_say(lang, "负责人动机不纯、投机、能力弱", "head with improper motive, speculative, weak"),), ()
        )
    from riskgraph.supervision.checks.licences import mutual_fund

    rule = seen.catalogue.rules.get("LICENCE-COOP-MUTUAL-FUND")
    found = (
        []
        if rule is None
        else [item for item in mutual_fund(seen, rule, lambda zh, en: _say(lang, zh, en)) if item.code == code]
    )
    if found:
        return Verdict("rectify", tuple(f"{item.text} ({','.join(item.evidence)})" for item in found), ())
    return _general(seen, code, banned, lang)


def _general(seen: View, code: int, banned: list[str], lang: str) -> Verdict:
    """Ban, rectify, or support: light violations rectify, grave ones and illegal finance are banned."""
    if banned:
        return Verdict("ban", tuple(banned), ())
    reasons, missing, serious = [], [], False
    cases = seen.under(code, "unlicensed_finance", "sanctioned")
    if cases:
        reasons.append(_say(lang, f"已有处理（{','.join(cases)}）", f"under a case ({','.join(cases)})"))
        frame = seen.cases("unlicensed_finance", "sanctioned")
        grave = frame.loc[frame["code"] == code, "severity"].astype(float)
        serious = bool((grave >= 0.8).any())
    for name in _GENERAL_BAD:
        value, ids = seen.truth(name).get(code, (None, ()))
        if value:
            reasons.append(_say(lang, f"{_CONDUCT_ZH[name]}（{','.join(ids)}）", f"{name} ({','.join(ids)})"))
        elif value is None and name != "evasion":
            missing.append(name)
    if serious and not seen.licensed(code):
        return Verdict("ban", tuple(reasons), tuple(missing))
    if reasons:
        return Verdict("rectify", tuple(reasons), tuple(missing))
    if missing:
        return Verdict(
            "undetermined",
            (_say(lang, f"缺少{len(missing)}项事实", f"{len(missing)} fact(s) missing"),),
            tuple(missing),
        )
    return Verdict("compliant", (_say(lang, "未见违规", "no irregularity known"),), ())


def handling(seen: View, code: int) -> str:
    """``light``, ``normal`` or ``heavy`` handling: aggravating facts first, mitigating ones only when all hold."""
    aggravating = (
        seen.is_true("refuses_rectification", code),
        seen.is_true("false_information", code),
        seen.level("harm", code)[0] == "high",
        seen.truth("cooperative_attitude", worst=False).get(code, (None, ()))[0] is False,
    )
    if any(aggravating):
        return "heavy"
    if (
        seen.is_true("rectified", code)
        and seen.is_true("cooperative_attitude", code)
        and seen.level("harm", code)[0] == "low"
    ):
        return "light"
    return "normal"


def severity_order(verdict: str) -> int:
    """Rank of a verdict, gravest last."""
    return int(np.flatnonzero(np.array(["compliant", "undetermined", "rectify", "ban"]) == verdict)[0])
