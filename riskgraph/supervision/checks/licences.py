"""Checks on what a firm may do: a licence on the day, of the matching kind, for the business in substance."""

from __future__ import annotations

from collections.abc import Iterator

from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check
from riskgraph.supervision.groups import controlled_paths
from riskgraph.supervision.natures import business, nature_name, sector_name
from riskgraph.supervision.sectors import is_bank, product_sector

__all__: list[str] = []

#: business of these sectors has no licence of its own in the plans of 2016
_NO_LICENCE = {
    "p2p",
    "equity_crowdfunding",
    "real_estate",
    "cooperative",
    "advertising",
    "wealth_management",
    "other",
    "",
}
_OTHER_FINANCE = (
    "asset_management",
    "fund",
    "securities",
    "futures",
    "trust",
    "insurance",
    "bank",
    "wealth_management",
)
_SECURITIES = ("证券承销", "证券经纪", "代理买卖股票", "证券投资咨询", "荐股", "股票承销", "购买建议")
_PAYMENT = {
    "银行卡收单": ("收单", "POS"),
    "预付卡": ("预付卡", "一卡通"),
    "网络支付": ("网络支付", "互联网支付", "移动支付"),
    "商户资金结算": ("资金结算", "商户结算"),
}


@check("LICENCE-ENTRY")
def entry(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A firm manages products of a licensed business and holds no licence at all."""
    firms = seen.is_kind("company", "unknown")
    managed: dict[int, dict[str, list[int]]] = {}
    for position in seen.cols.of("manages").tolist():
        firm = int(seen.cols.source[position])
        if firms[firm] and not seen.licensed(firm):
            sector = product_sector(seen, int(seen.cols.target[position]))
            if sector not in _NO_LICENCE:
                managed.setdefault(firm, {}).setdefault(sector, []).append(position)
    for firm, sectors in managed.items():
        positions = [position for found in sectors.values() for position in found]
        since = min(seen.cols.start[positions])
        yield Finding(
            firm,
            seen.relation(positions),
            say(
                f"当日无任何牌照而经营：{'、'.join(sector_name(seen, name, say) for name in sectors)}",
                f"no licence on the day, yet in the business of {', '.join(sectors)}",
            ),
            since,
        )


@check("LICENCE-SUBSTANCE-MATCH")
def substance(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Business outside the licences a firm holds; severity is its share of the amount."""
    covered = seen.catalogue.section("coverage")
    for firm, held in seen.licences.items():
        allowed = {sector for sector, _, _ in held}
        natures = {nature for sector in allowed for nature in covered.get(sector, ())}
        acts = business(seen, firm)
        known = [act for act in acts if act.nature or act.sector]
        outside = [act for act in known if act.sector not in allowed and act.nature not in natures]
        value, facts = seen.truth("substance_mismatch").get(firm, (None, ()))
        if not outside:
            if value:
                yield Finding(firm, facts, say("业务实质与资质不符", "business does not match the licence"))
            continue
        amounts = [act.amount for act in known]
        if all(amount is not None for amount in amounts):
            total = sum(amount or 0.0 for amount in amounts)
            part = sum(act.amount or 0.0 for act in outside)
            measure = say(f"金额 {part:g}/{total:g}", f"{part:g} of {total:g} by amount")
        else:
            total, part = float(len(known)), float(len(outside))
            measure = say(
                f"笔数 {part:g}/{total:g}（金额不全）", f"{part:g} of {total:g} by number, amounts being incomplete"
            )
        share = part / total if total else 0.0
        names = dict.fromkeys(nature_name(seen, act.nature or act.sector, say) for act in outside)
        licences = tuple(licence for _, _, licence in held)
        positions = [position for act in outside for position in act.positions]
        yield Finding(
            firm,
            (*licences, *seen.relation(positions), *(facts if value else ())),
            say(
                f"资质外业务（{'、'.join(names)}）占比 {share:.4g}（{measure}）",
                f"business outside the licence ({', '.join(names)}) has a share of {share:.4g} ({measure})",
            ),
            severity=share,
        )


def _other_finance(seen: View, sector: str, own: set[str], say: Say) -> Iterator[Finding]:
    flags = {
        "sells_wealth_products": ("资产管理", "asset management"),
        "irregular_debt_transfer": ("债权转让", "transfer of claims"),
        "funds_risky_securities": ("高风险证券融资", "funding of risky securities"),
        "stock_margin_lending": ("证券配资", "securities margin lending"),
    }
    for code in seen.in_sector(sector):
        found: list[tuple[str, str]] = []
        evidence: list[str] = []
        for name, (zh, en) in flags.items():
            value, facts = seen.truth(name).get(code, (None, ()))
            if value:
                found.append((zh, en))
                evidence += facts
        for kind in ("manages", "distributes"):
            for position in seen.out(kind, code):
                product = product_sector(seen, int(seen.cols.target[position]))
                if product in _OTHER_FINANCE and product not in own and not seen.licensed(code, [product]):
                    found.append((sector_name(seen, product, say), product))
                    evidence += seen.relation(position)
        if found:
            zh, en = (
                "、".join(dict.fromkeys(pair[0] for pair in found)),
                ", ".join(dict.fromkeys(pair[1] for pair in found)),
            )
            yield Finding(
                code,
                tuple(evidence),
                say(f"平台未经批准兼营：{zh}", f"platform does other finance without approval: {en}"),
            )


@check("LICENCE-P2P-NO-OTHER-FINANCE")
def p2p_other_finance(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A P2P platform in other finance."""
    yield from _other_finance(seen, "p2p", {"p2p"}, say)


@check("LICENCE-CROWDFUND-NO-OTHER-FINANCE")
def crowdfunding_other_finance(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A crowdfunding platform in other finance."""
    platforms = set(seen.in_sector("equity_crowdfunding", "platform"))
    for finding in _other_finance(seen, "equity_crowdfunding", {"equity_crowdfunding"}, say):
        if finding.code in platforms:
            yield finding


@check("LICENCE-REALESTATE-PLATFORM")
def developer_on_platform(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """An unlicensed developer raises on a platform or controls one, directly or through firms it controls."""
    platforms = {*seen.in_sector("p2p"), *seen.in_sector("equity_crowdfunding", "platform")}
    for code in seen.in_sector("real_estate"):
        if seen.licensed(code):
            continue
        for position in seen.out("raises_on", code):
            platform = int(seen.cols.target[position])
            if platform in platforms:
                yield Finding(
                    code,
                    seen.relation(position),
                    say(
                        f"房地产企业在{seen.name(platform)}融资，跳数1",
                        f"developer raises on {seen.name(platform)}, hop 1",
                    ),
                    seen.since(position),
                )
        for platform, path in controlled_paths(seen, code).items():
            if platform in platforms:
                yield Finding(
                    code,
                    seen.relation(path),
                    say(
                        f"房地产企业控制平台{seen.name(platform)}，跳数{len(path)}",
                        f"developer controls platform {seen.name(platform)}, hop {len(path)}",
                    ),
                    max(seen.cols.start[list(path)]),
                )


def _payment_kind(seen: View, code: int) -> str:
    texts = [str(seen.names[code]), str(seen.column("scope")[code] or "")]
    texts += [text for name in ("declared_business", "product_type") for text, _ in seen.texts(name).get(code, [])]
    for kind, words in _PAYMENT.items():
        if any(word in text for word in words for text in texts):
            return kind
    return "网络支付" if any("支付" in text for text in texts) else "商户资金结算"


@check("LICENCE-PAYMENT-UNLICENSED")
def unlicensed_payment(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Payment business, shown by more than a word in the name, without a licence on the day."""
    for code in seen.in_sector("payment", "unlicensed"):
        positions = [*seen.out("channels", code), *seen.out("subcontracts", code), *seen.into("subcontracts", code)]
        merchants, facts = seen.number("merchants", code)
        volume, more = seen.number("volume", code)
        evidence = [*seen.relation(positions)]
        evidence += facts if merchants else ()
        evidence += more if volume else ()
        evidence += seen.under(code, "unlicensed_finance")
        evidence += [licence for sector, _, _, licence in seen.known_licences.get(code, []) if sector == "payment"]
        if not evidence:
            continue
        kind = _payment_kind(seen, code)
        yield Finding(
            code, tuple(evidence), say(f"无证经营支付业务（{kind}）", f"payment business without a licence ({kind})")
        )


@check("LICENCE-PAYMENT-NON-RENEWAL")
def dormant_payment(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A payment licence held for long without any volume."""
    if seen.day is None:
        return
    for code in seen.in_sector("payment", "licensed"):
        volume, facts = seen.number("volume", code)
        if volume != 0:
            continue
        held = seen.licensed(code, ["payment"])
        for _, start, _, licence in [item for item in seen.known_licences[code] if item[3] in held]:
            months = (
                (seen.day.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(int) if start == start else 0
            )
            if months >= rule["months"]:
                yield Finding(
                    code,
                    (licence, *facts),
                    say(
                        f"持证{months}个月无业务，建议不予续展",
                        f"licensed for {months} months without business: non-renewal proposed",
                    ),
                )


@check("LICENCE-SECURITIES-ONLY-APPROVED")
def unapproved_securities(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Securities business or advice by firms and persons without the licence."""
    for name in ("declared_business", "product_type", "website_text"):
        for code, texts in seen.texts(name).items():
            if seen.licensed(code, ["securities"]):
                continue
            for text, fact in texts:
                word = next((word for word in _SECURITIES if word in text), None)
                if word:
                    yield Finding(
                        code,
                        (fact,),
                        say(f"未经批准从事证券业务：{word}", f"securities business without approval: {word}"),
                    )
    for position in seen.cols.of("manages").tolist():
        firm, product = int(seen.cols.source[position]), int(seen.cols.target[position])
        if product_sector(seen, product) == "securities" and not seen.licensed(
            firm, ["securities", "asset_management"]
        ):
            yield Finding(
                firm,
                seen.relation(position),
                say(
                    f"未经批准经营证券产品{seen.name(product)}",
                    f"securities product {seen.name(product)} without approval",
                ),
                seen.since(position),
            )


@check("LICENCE-INSURANCE-UNLICENSED")
def unlicensed_insurance(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Insurance sold without a licence, and an insurer's name borrowed for an advertisement."""
    for code in seen.in_sector("insurance", "unlicensed_seller"):
        positions = [
            position
            for kind in ("distributes", "manages")
            for position in seen.out(kind, code)
            if product_sector(seen, int(seen.cols.target[position])) == "insurance"
        ]
        if positions:
            yield Finding(
                code,
                seen.relation(positions),
                say("无资质销售保险产品", "sells insurance without a licence"),
                min(seen.cols.start[positions]),
            )
    from riskgraph.supervision.checks.adverts import advertisers

    for position in seen.cols.of("endorses").tolist():
        insurer, ad = int(seen.cols.source[position]), int(seen.cols.target[position])
        if not seen.licensed(insurer, ["insurance"]):
            continue
        for firm, path in advertisers(seen, ad):
            if firm == insurer or any(other == insurer for other, _ in seen.partners("cooperates", firm)):
                continue
            yield Finding(
                firm,
                seen.relation((position, *path)),
                say(
                    f"假借保险公司{seen.name(insurer)}名义宣传，无合作记录",
                    f"uses the name of insurer {seen.name(insurer)} without cooperation",
                ),
                seen.since(position),
            )


@check("LICENCE-AM-UNLICENSED")
def unlicensed_asset_management(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Asset-management products managed by a firm without the licence."""
    families = ("asset_management", "fund", "trust", "securities", "futures", "wealth_management")
    for code in seen.in_sector("asset_management", "b"):
        positions = [
            position
            for position in seen.out("manages", code)
            if product_sector(seen, int(seen.cols.target[position])) in (*families, "")
        ]
        if positions and not is_bank(seen, code):
            yield Finding(
                code,
                seen.relation(positions),
                say(
                    f"无资管资质而管理产品{len(positions)}只", f"manages {len(positions)} product(s) without a licence"
                ),
                min(seen.cols.start[positions]),
            )


@check("LICENCE-COOP-MUTUAL-FUND")
def mutual_fund(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A cooperative that runs a mutual fund without approval."""
    for code in seen.in_sector("cooperative"):
        texts = [*seen.texts("declared_business").get(code, []), *seen.texts("product_type").get(code, [])]
        facts = [fact for text, fact in texts if "资金互助" in text]
        value, more = seen.truth("mutual_fund_business").get(code, (None, ()))
        facts += more if value else ()
        if facts and not seen.approved("mutual_fund", code) and not seen.licensed(code, ["cooperative"]):
            yield Finding(code, tuple(facts), say("未经批准开展内部资金互助", "internal mutual fund without approval"))
