"""Checks on who works with whom: licensed with unlicensed, insurers with platforms, sellers without a licence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check
from riskgraph.supervision.natures import sector_name
from riskgraph.supervision.sectors import is_bank, product_sector

__all__: list[str] = []

_OPEN = np.datetime64("9999-12-31", "D")
_FIRST = np.datetime64("0001-01-01", "D")
_TIES = {"cooperates": "合作", "custodies": "存管", "lends": "借贷", "channels": "支付通道"}
#: what makes a credit platform pass its risk on: enhancement, pool, illegal fund-raising
_PASSES_RISK = {
    "principal_guarantee": ("提供增信", "credit enhancement"),
    "capital_pool": ("设立资金池", "a fund pool"),
    "illegal_fundraising_suspected": ("涉嫌非法集资", "suspected illegal fund-raising"),
}


def _needed(seen: View, firm: int, role: str) -> set[str]:
    """Sectors of licence that a partner's business needs: what the relation names, else what it is labelled."""
    if role in seen.catalogue.section("licensors"):
        return {role}
    sectors = set(seen.sectors(firm)) - {"advertising", "real_estate", "cooperative", "other"}
    return sectors | {sector for sector, _, _, _ in seen.known_licences.get(firm, [])}


def _lack(
    seen: View, firm: int, sectors: set[str], start: np.datetime64, end: np.datetime64
) -> tuple[np.datetime64, np.datetime64] | None:
    """The stretch of an interval, reaching the day asked about, in which a firm holds none of the licences."""
    if seen.licensed(firm, sectors):
        return None
    day = seen.day if seen.day is not None else _OPEN
    mine = [item for item in seen.known_licences.get(firm, []) if item[0] in sectors]
    begins = np.array([_FIRST if np.isnat(item[1]) else item[1] for item in mine], dtype="datetime64[D]")
    ends = np.array([_OPEN if np.isnat(item[2]) else item[2] for item in mine], dtype="datetime64[D]")
    begin = max([start, *ends[ends <= day]])
    until = min([end, *begins[begins > day]])
    return begin, until


def _cooperation(seen: View, sectors: tuple[str, ...] | None, say: Say) -> Iterator[Finding]:
    cols = seen.cols
    for position in cols.of("cooperates").tolist():
        role = cols.roles[cols.role[position]] if cols.role[position] >= 0 else ""
        ends = (int(cols.source[position]), int(cols.target[position]))
        for licensed, firm in (ends, ends[::-1]):
            licences = seen.licensed(licensed, sectors)
            needed = _needed(seen, firm, role)
            if not licences or not needed:
                continue
            start, end = cols.start[position], cols.end[position]
            lack = _lack(seen, firm, needed, _FIRST if np.isnat(start) else start, _OPEN if np.isnat(end) else end)
            if lack is None:
                continue
            begin = "…" if lack[0] == _FIRST else str(lack[0])
            until = "…" if lack[1] == _OPEN else str(lack[1])
            lacking = "、".join(sector_name(seen, name, say) for name in sorted(needed))
            text = say(
                f"持牌机构{seen.name(licensed)}与缺少资质（{lacking}）的{seen.name(firm)}合作，"
                f"重叠期[{begin}, {until})",
                f"licensed {seen.name(licensed)} cooperates with {seen.name(firm)}, which lacks a licence "
                f"({', '.join(sorted(needed))}), overlap [{begin}, {until})",
            )
            since = None if begin == "…" else lack[0]
            for code in (licensed, firm):
                yield Finding(code, (*seen.relation(position), *licences), text, since)


@check("COOP-LICENSED-UNLICENSED")
def licensed_with_unlicensed(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Cooperation in force, while the partner lacks the licence its business needs; both sides, with the interval."""
    yield from _cooperation(seen, None, say)


@check("COOP-SECURITIES")
def securities_with_unlicensed(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """The same for securities, fund and futures firms."""
    yield from _cooperation(seen, ("securities", "fund", "futures"), say)


def _insurer_pairs(seen: View) -> Iterator[tuple[int, int, int]]:
    for position in seen.cols.of("cooperates").tolist():
        ends = (int(seen.cols.source[position]), int(seen.cols.target[position]))
        for insurer, platform in (ends, ends[::-1]):
            insures = seen.licensed(insurer, ["insurance"]) or "insurance" in seen.declared.get(insurer, ())
            if insures and not seen.licensed(platform, ["insurance"]):
                yield insurer, platform, position


def _flags(seen: View, platform: int) -> tuple[list[str], list[str], list[str]]:
    zh: list[str] = []
    en: list[str] = []
    evidence: list[str] = []
    for name, (zh_name, en_name) in _PASSES_RISK.items():
        value, facts = seen.truth(name).get(platform, (None, ()))
        if value:
            zh.append(zh_name)
            en.append(en_name)
            evidence += facts
    cases = seen.under(platform, "illegal_fundraising")
    if cases:
        zh.append("非法集资")
        en.append("illegal fund-raising")
        evidence += cases
    return zh, en, evidence


@check("COOP-INSURER-PLATFORM")
def insurer_with_platform(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Type 1: a platform without any licence sells insurance; type 2: a credit platform with flags."""
    for insurer, platform, position in _insurer_pairs(seen):
        zh, en, evidence = _flags(seen, platform)
        sells = [
            step
            for step in seen.out("distributes", platform)
            if product_sector(seen, int(seen.cols.target[step])) == "insurance"
        ]
        if zh:
            yield Finding(
                insurer,
                (*seen.relation(position), *evidence),
                say(
                    f"类型2：与{seen.name(platform)}合作，该平台{'、'.join(zh)}",
                    f"type 2: cooperates with {seen.name(platform)}, which shows {', '.join(en)}",
                ),
                seen.since(position),
            )
        elif sells or "insurance" in seen.sectors(platform):
            yield Finding(
                insurer,
                seen.relation((position, *sells)),
                say(
                    f"类型1：与无资质平台{seen.name(platform)}合作",
                    f"type 1: cooperates with unqualified platform {seen.name(platform)}",
                ),
                seen.since(position),
            )


@check("PROP-COOPERATION-RISK")
def risk_by_cooperation(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Risk that reaches an insurer from flagged credit platforms; severity grows with each, never above 1."""
    passed: dict[int, tuple[float, list[str], list[str]]] = {}
    for insurer, platform, position in _insurer_pairs(seen):
        zh, _, evidence = _flags(seen, platform)
        if not zh:
            continue
        free, names, shown = passed.get(insurer, (1.0, [], []))
        passed[insurer] = (
            free * (1 - rule.severity),
            [*names, seen.name(platform)],
            [*shown, *seen.relation(position), *evidence],
        )
    for insurer, (free, names, shown) in passed.items():
        yield Finding(
            insurer,
            tuple(dict.fromkeys(shown)),
            say(f"信贷平台{'、'.join(names)}的风险经合作传入", f"risk of {', '.join(names)} passed on by cooperation"),
            severity=1 - free,
        )


@check("COOP-SURETY-INSURANCE")
def surety(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """An insurer guarantees for platforms more than a share of its net assets, or with weak control."""
    platforms = set(seen.in_sector("p2p"))
    for insurer in [code for code in seen.licences if seen.licensed(code, ["insurance"])]:
        positions = [step for step in seen.out("guarantees", insurer) if int(seen.cols.target[step]) in platforms]
        if not positions:
            continue
        weak, facts = seen.truth("weak_control").get(insurer, (None, ()))
        equity, more = seen.number("equity", insurer)
        if equity is None:
            assets, a = seen.number("assets", insurer)
            debts, b = seen.number("liabilities", insurer)
            equity, more = (assets - debts, (*a, *b)) if assets is not None and debts is not None else (None, ())
        amount = float(np.nansum(seen.cols.amount[positions]))
        ratio = None if not equity or equity <= 0 else amount / equity
        if weak or (ratio is not None and ratio > rule["theta"]) or (equity is not None and equity <= 0):
            shown = "?" if ratio is None else f"{ratio:.3g}"
            yield Finding(
                insurer,
                (*seen.relation(positions), *(facts if weak else ()), *more),
                say(
                    f"为网贷平台承保{amount:g}元，占净资产{shown}",
                    f"guarantees {amount:g} CNY for platforms, {shown} of net assets",
                ),
            )


@check("COOP-DISTRIBUTION")
def distribution(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A product sold by a firm without a licence of its kind; seller and principal are both flagged."""
    firms = seen.is_kind("company", "unknown")
    licensable = set(seen.catalogue.section("licensors")) - set(seen.catalogue.sectors)
    for position in seen.cols.of("distributes").tolist():
        seller, product = int(seen.cols.source[position]), int(seen.cols.target[position])
        sector = product_sector(seen, product)
        if not firms[seller] or not sector or is_bank(seen, seller):
            continue
        principals = [step for step in seen.into("manages", product) if int(seen.cols.source[step]) != seller]
        covered = {sector, "asset_management", "securities"} if sector in ("fund", "asset_management") else {sector}
        entrusted = [int(seen.cols.source[step]) for step in principals]
        able = any(seen.licensed(code) or set(seen.declared.get(code, ())) & licensable for code in entrusted)
        # a product whose principal is not on record is judged by its seller alone
        if (
            seen.licensed(seller, covered)
            or (entrusted and not able)
            or (not entrusted and seen.out("manages", seller))
        ):
            continue
        text = say(
            f"{seen.name(seller)}无代销资质而销售{sector_name(seen, sector, say)}类产品{seen.name(product)}",
            f"{seen.name(seller)} sells the {sector} product {seen.name(product)} without the licence",
        )
        yield Finding(seller, seen.relation((position, *principals)), text, seen.since(position))
        for step in principals:
            yield Finding(int(seen.cols.source[step]), seen.relation((position, step)), text, seen.since(position))


def _with_p2p(seen: View, banks: bool, say: Say) -> Iterator[Finding]:
    platforms = set(seen.in_sector("p2p"))
    payment = set(seen.in_sector("payment"))
    for kind in ("cooperates", "custodies", "lends", "channels"):
        for position in seen.cols.of(kind).tolist():
            ends = (int(seen.cols.source[position]), int(seen.cols.target[position]))
            for house, platform in (ends, ends[::-1]) if kind == "cooperates" else (ends,):
                if platform in platforms and (is_bank(seen, house) if banks else house in payment):
                    yield Finding(
                        house,
                        seen.relation(position),
                        say(
                            f"与网贷机构{seen.name(platform)}有业务往来（{_TIES[kind]}）",
                            f"relation '{kind}' with P2P firm {seen.name(platform)}",
                        ),
                        seen.since(position),
                    )


@check("COOP-BANK-P2P")
def banks_with_p2p(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Every relation of a bank with a P2P firm, for inspection."""
    yield from _with_p2p(seen, True, say)


@check("COOP-PSP-P2P")
def payment_with_p2p(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Every relation of a payment firm with a P2P firm, for inspection."""
    yield from _with_p2p(seen, False, say)


@check("COOP-UNLICENSED-PAYMENT-MERCHANTS")
def merchants(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Merchants that deal with a determined unlicensed payment firm."""
    for firm in seen.in_sector("payment", "unlicensed"):
        cases = seen.under(firm, "unlicensed_finance", "determination", "banned")
        if not cases:
            continue
        found = [(int(seen.cols.target[step]), step) for step in seen.out("channels", firm)]
        for merchant, position in [*found, *seen.partners("cooperates", firm)]:
            yield Finding(
                merchant,
                (*cases, *seen.relation(position)),
                say(
                    f"与无证支付机构{seen.name(firm)}开展业务，予以公示",
                    f"deals with unlicensed payment firm {seen.name(firm)}: to be published",
                ),
                seen.since(position),
            )
