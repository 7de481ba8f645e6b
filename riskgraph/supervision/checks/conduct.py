"""Checks on conduct: red lines, key-check signals, business during rectification, order of the papers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.checks.yields import high_yields
from riskgraph.supervision.findings import Finding, Say, check
from riskgraph.supervision.natures import level_name
from riskgraph.supervision.propagation import determined
from riskgraph.supervision.regions import city_of

__all__ = ["key_signals"]


@check("KEYWORD-P2P-REDLINES")
def red_lines(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Red lines a P2P firm is known to touch."""
    for code in seen.in_sector("p2p"):
        found: list[str] = []
        evidence: list[str] = []
        for name in seen.catalogue.red_lines:
            value, facts = seen.truth(name).get(code, (None, ()))
            if value:
                found.append(name)
                evidence += facts
        if found:
            zh = "、".join(seen.catalogue.phrase("red_lines", name, "zh") for name in found)
            en = ", ".join(seen.catalogue.phrase("red_lines", name, "en") for name in found)
            yield Finding(
                code, tuple(evidence), say(f"触及红线{len(found)}项：{zh}", f"{len(found)} red line(s) touched: {en}")
            )


def key_signals(seen: View, code: int) -> list[tuple[str, str, tuple[str, ...]]]:
    """(zh, en, evidence) of the signals that call for a key check of a P2P firm."""
    rule = "TRIAGE-P2P-KEY-CHECK"
    growth = float(seen.catalogue.value(rule, "growth", 1.0))
    most = float(seen.catalogue.value(rule, "ads", 10))
    found = []
    pace = _growth(seen, code)
    if pace is not None and pace[0] > growth:
        found.append((f"一年扩张{pace[0]:.0%}", f"grew {pace[0]:.0%} in a year", pace[1]))
    ads, facts = seen.number("ads_per_month", code)
    if ads is not None and ads > most:
        found.append((f"每月广告{ads:g}条", f"{ads:g} advertisements a month", facts))
    products = [int(seen.cols.target[step]) for step in seen.out("manages", code)]
    yields = high_yields(seen)
    high = [item for item in (code, *products) if item in yields]
    if high:
        found.append(("承诺高回报", "high returns promised", tuple(fact for item in high for fact in yields[item][2])))
    words = seen.catalogue.section("key_products")
    for item in (code, *products):
        for name in ("product_type", "declared_business"):
            for text, fact in seen.texts(name).get(item, []):
                found += [(f"涉及{word}", f"business of {word}", (fact,)) for word in words if word in text]
    return found


def _growth(seen: View, code: int) -> tuple[float, tuple[str, ...]] | None:
    """Growth of the volume over about a year up to the day, from the facts known."""
    if "volumes" not in seen._kept:
        known = seen._coded(seen.graph.known("facts"))
        known = known[known["fact"].isin(["volume", "loan_balance"]) & known["start"].notna()]
        seen._kept["volumes"] = dict(list(known.groupby("code")))
    frame = seen._kept["volumes"].get(code)
    if frame is None or seen.day is None:
        return None
    for _, rows in frame.groupby("fact", sort=True):
        day = rows["start"].to_numpy().astype("datetime64[D]")
        rows = rows[day <= seen.day].sort_values("start", kind="stable")
        if len(rows) < 2:
            continue
        day = rows["start"].to_numpy().astype("datetime64[D]")
        year_ago = day[-1] - np.timedelta64(365, "D")
        before = rows[day <= year_ago]
        if not len(before):
            continue
        try:
            old, new = float(before["value"].iloc[-1]), float(rows["value"].iloc[-1])
        except (TypeError, ValueError):
            continue
        if old > 0:
            return new / old - 1, (str(before["id"].iloc[-1]), str(rows["id"].iloc[-1]))
    return None


@check("TRIAGE-P2P-KEY-CHECK")
def key_check(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Signals for a key check; one is enough, severity grows with their number."""
    for code in seen.in_sector("p2p"):
        signals = key_signals(seen, code)
        if signals:
            yield Finding(
                code,
                tuple(dict.fromkeys(ref for _, _, refs in signals for ref in refs)),
                say(
                    f"重点排查信号{len(signals)}项：{'、'.join(item[0] for item in signals)}",
                    f"{len(signals)} signal(s) for a key check: {', '.join(item[1] for item in signals)}",
                ),
                severity=1 - (1 - rule.severity) ** len(signals),
            )


@check("TRIAGE-PAYMENT-SPOT-CHECK")
def spot_check(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A licensed payment firm that is irregular and loses heavily; the gap of its reserves is given."""
    for code in seen.in_sector("payment", "licensed"):
        value, facts = seen.truth("violation").get(code, (None, ()))
        profit, a = seen.number("net_profit", code)
        assets, b = seen.number("assets", code)
        if value and profit is not None and assets and -profit >= rule["loss_ratio"] * assets:
            booked, c = seen.number("recorded_balance", code)
            held, d = seen.number("reserve_balance", code)
            gap = say("未知", "unknown") if booked is None or held is None else f"{booked - held:g}"
            yield Finding(
                code,
                (*facts, *a, *b, *c, *d),
                say(f"不规范且亏损{-profit:g}，备付金缺口{gap}", f"irregular, loss {-profit:g}, gap of reserves {gap}"),
            )


def orders(seen: View, code: int) -> list[tuple[np.datetime64, np.datetime64, str]]:
    """(day, due, case) of the orders an entity is under."""
    frame = seen.cases("order")
    mine = frame[frame["code"] == code]
    days = mine["start"].to_numpy().astype("datetime64[D]")
    due = mine["due"].to_numpy().astype("datetime64[D]")
    return list(zip(days, due, mine["id"].astype(str), strict=True))


def rectified_on(seen: View, code: int) -> np.datetime64 | None:
    """Day from which an entity is known to have rectified, None when it is not."""
    if not seen.is_true("rectified", code):
        return None
    frame = seen.facts("rectified")
    mine = frame[
        (frame["code"] == code) & (frame["value"].map(lambda value: value is True or str(value).lower() == "true"))
    ]
    start = mine["start"].to_numpy().astype("datetime64[D]")
    return start[0] if len(start) else None


@check("DISPOSITION-ASSETMGMT")
def new_business(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Products started between an order to rectify and the rectification."""
    for code in sorted(set(seen.cases("order")["code"])):
        done = rectified_on(seen, code)
        for day, _, case in orders(seen, code):
            for kind in ("manages", "distributes"):
                for step in seen.out(kind, code):
                    start = seen.since(step)
                    if np.isnat(day) or np.isnat(start) or start <= day or (done is not None and start >= done):
                        continue
                    yield Finding(
                        code,
                        (case, *seen.relation(step)),
                        say(
                            f"整改期间新增业务：{seen.name(int(seen.cols.target[step]))}",
                            f"new business while rectifying: {seen.name(int(seen.cols.target[step]))}",
                        ),
                        start,
                    )


@check("DISPOSITION-REVOKE-ON-DETERMINATION")
def order_of_papers(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A revocation dated before the determination it must rest on: an error in the data."""
    for code, cases in seen.cases_of.items():
        papers = [
            (day, case)
            for kind, day, _, case in cases
            if kind in ("determination", "unlicensed_finance") and not np.isnat(day)
        ]
        for kind, day, _, case in cases:
            if kind != "revoked" or np.isnat(day) or not papers:
                continue
            first, paper = min(papers)
            if day < first:
                yield Finding(
                    code,
                    (case, paper),
                    say(
                        f"数据差错：吊销（{day}）早于认定（{first}）",
                        f"data error: revoked on {day}, before the determination of {first}",
                    ),
                    day,
                )


@check("PROP-ONE-PLACE-EVERYWHERE")
def restricted_everywhere(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A determined firm is restricted in every region and sector from its first determination on."""
    first: dict[int, tuple[np.datetime64, str]] = {}
    for code, day, case in determined(seen, ("banned", "unlicensed_finance", "determination")):
        if code not in first or (not np.isnat(day) and not np.isnat(first[code][0]) and day < first[code][0]):
            first[code] = (day, case)
    for code, (day, case) in first.items():
        yield Finding(
            code, (case,), say("已被认定，各地各领域均受限制", "determined: restricted in every region and sector"), day
        )


@check("JURISDICTION-ADDRESS-FACTS")
def addresses(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A labelled firm registered in another city than it operates in."""
    for code in sorted(seen.labels):
        registered, operating = seen.registered[code], seen.operating[code]
        if registered and operating and all(city_of(place) != city_of(registered) for place in operating):
            yield Finding(
                code,
                (f"{seen.ids[code]}.registered_in={registered}", f"{seen.ids[code]}.operates_in={';'.join(operating)}"),
                say(
                    f"注册于{registered}，经营于{'、'.join(operating)}",
                    f"registered in {registered}, operating in {', '.join(operating)}",
                ),
            )


@check("JURISDICTION-OUT-OF-PROVINCE-INSTITUTION")
def out_of_province(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A labelled firm registered outside the home province: key monitoring; high risk must leave."""
    firms = seen.is_kind("company", "trust", "unknown")
    for code in sorted(seen.labels):
        registered = seen.registered[code]
        if not firms[code] or not registered or registered[:2] == seen.catalogue.home_province:
            continue
        risk, facts = seen.level("risk_level", code)
        shown = say("未知", "unknown") if risk is None else level_name(risk, say)
        yield Finding(
            code,
            (f"{seen.ids[code]}.registered_in={registered}", *facts),
            say(
                f"省外注册（{registered}），重点监控，整体风险{shown}",
                f"registered outside in {registered}: key monitoring, risk {shown}",
            ),
            severity=min(1.0, rule.severity + 0.3) if risk == "high" else None,
        )
