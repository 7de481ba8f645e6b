"""Checks on client money: custody without a gap, pools, misuse, channels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riskgraph.schema import RELATION_KINDS
from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check
from riskgraph.supervision.sectors import is_bank

__all__: list[str] = []

_CUSTODY = ("p2p", "equity_crowdfunding", "asset_management", "payment")


def _clients(seen: View) -> dict[int, list[int]]:
    """Platforms that hold client money → themselves and what they manage or operate."""
    found = {}
    for sector in _CUSTODY:
        for code in seen.in_sector(sector):
            if not is_bank(seen, code):
                found[code] = [
                    code,
                    *(
                        int(seen.cols.target[step])
                        for step in (*seen.out("manages", code), *seen.out("operates", code))
                    ),
                ]
    return found


@check("FUND-THIRD-PARTY-CUSTODY")
def custody(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """No custody, a gap between two custodies, or a custodian that is no bank on the day."""
    ever = seen.ever
    held = np.flatnonzero(ever["kind"] == RELATION_KINDS.index("custodies"))
    by_target: dict[int, list[int]] = {}
    for position in held.tolist():
        by_target.setdefault(int(ever["target"][position]), []).append(position)
    platforms = _clients(seen)
    served = {target for targets in platforms.values() for target in targets}
    for code, (value, facts) in seen.truth("client_fund_custody", worst=False).items():
        if value is False:
            yield Finding(code, facts, say("客户资金未由第三方存管", "client money is not in third-party custody"))
    for target, positions in by_target.items():
        owner = next((code for code, targets in platforms.items() if target in targets), target)
        if target not in served and not seen.is_kind("company", "product", "account")[target]:
            continue
        for position in positions:
            custodian = int(ever["source"][position])
            if ever["now"][position] and not is_bank(seen, custodian):
                yield Finding(
                    owner,
                    seen.ever_ids([position]),
                    say(
                        f"存管机构{seen.name(custodian)}当日不是持牌银行",
                        f"custodian {seen.name(custodian)} is no licensed bank on the day",
                    ),
                    ever["start"][position],
                )
        yield from _gaps(seen, owner, positions, say)


def _gaps(seen: View, owner: int, positions: list[int], say: Say) -> Iterator[Finding]:
    ever = seen.ever
    low, high = np.datetime64("0001-01-01", "D"), np.datetime64("9999-12-31", "D")
    spans = sorted(
        (
            low if np.isnat(ever["start"][position]) else ever["start"][position],
            high if np.isnat(ever["end"][position]) else ever["end"][position],
            position,
        )
        for position in positions
    )
    covered, last = spans[0][1], spans[0][2]
    for start, end, position in spans[1:]:
        if start > covered:
            days = int((start - covered).astype(int))
            yield Finding(
                owner,
                seen.ever_ids([last, position]),
                say(
                    f"存管中断{days}天：[{covered}, {start})",
                    f"custody interrupted for {days} day(s): [{covered}, {start})",
                ),
                covered,
            )
        if end > covered:
            covered, last = end, position
    if seen.day is not None and covered <= seen.day:
        yield Finding(
            owner,
            seen.ever_ids([last]),
            say(f"自{covered}起无存管", f"no custody since {covered}"),
            covered,
        )


def _accounts(seen: View, firm: int) -> list[int]:
    account = seen.is_kind("account")
    return [int(seen.cols.target[step]) for step in seen.out("operates", firm) if account[seen.cols.target[step]]]


@check("FUND-POOL")
def pools(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """An account of a platform fed by many and paying many, outside custody."""
    many = int(rule["payers"])
    for code in [*seen.in_sector("p2p"), *seen.in_sector("equity_crowdfunding", "platform")]:
        value, facts = seen.truth("capital_pool").get(code, (None, ()))
        if value:
            yield Finding(code, facts, say("设立资金池", "a fund pool"))
            continue
        for account in _accounts(seen, code):
            if seen.into("custodies", account):
                continue
            inward, outward = seen.into("pays", account), seen.out("pays", account)
            payers = {int(seen.cols.source[step]) for step in inward}
            payees = {int(seen.cols.target[step]) for step in outward}
            if len(payers) >= many and len(payees) >= many:
                taken, given = (float(np.nansum(seen.cols.amount[steps])) for steps in (inward, outward))
                yield Finding(
                    code,
                    seen.relation((*inward, *outward)),
                    say(
                        f"账户{seen.name(account)}由{len(payers)}人汇入、付给{len(payees)}人，余额{taken - given:g}",
                        f"account {seen.name(account)} fed by {len(payers)} and "
                        f"paying {len(payees)}, balance {taken - given:g}",
                    ),
                )


@check("FUND-SEGREGATION")
def segregation(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """An account that takes clients' money and pays the firm's own employees or landlords."""
    for code, (value, facts) in seen.truth("commingled").items():
        if value:
            yield Finding(code, facts, say("客户资金与自有资金混用", "client and own money are mixed"))
    clients = seen.is_kind("person")
    for code in _clients(seen):
        for account in _accounts(seen, code):
            inward = [step for step in seen.into("pays", account) if clients[seen.cols.source[step]]]
            roles = seen.cols.roles
            own = [
                step
                for step in seen.out("pays", account)
                if seen.cols.role[step] >= 0 and roles[seen.cols.role[step]] in ("salary", "rent", "expense", "tax")
            ]
            if inward and own:
                yield Finding(
                    code,
                    seen.relation((*inward, *own)),
                    say(
                        f"账户{seen.name(account)}既收客户资金又付自身费用",
                        f"account {seen.name(account)} takes client money and pays own expenses",
                    ),
                )


def _insiders(seen: View, firm: int) -> dict[int, tuple[int, ...]]:
    """Owners, officers and firms they control, with the relations that show it."""
    found: dict[int, tuple[int, ...]] = {}
    for kind in ("owns", "controls", "officer"):
        for step in seen.into(kind, firm):
            found.setdefault(int(seen.cols.source[step]), (step,))
    for insider, path in list(found.items()):
        for kind in ("owns", "controls"):
            for step in seen.out(kind, insider):
                other = int(seen.cols.target[step])
                if other != firm and (kind == "controls" or seen.cols.votes_min[step] > 0.5):
                    found.setdefault(other, (*path, step))
    return found


def _leaks(seen: View) -> Iterator[tuple[int, int, int, tuple[int, ...]]]:
    """(firm, insider, position of the payment, path to the insider) of money that leaves client accounts."""
    for firm in _clients(seen):
        accounts = [account for account in _accounts(seen, firm) if seen.into("pays", account)]
        if not accounts:
            continue
        insiders = _insiders(seen, firm)
        for account in accounts:
            for step in seen.out("pays", account):
                target = int(seen.cols.target[step])
                role = seen.cols.roles[seen.cols.role[step]] if seen.cols.role[step] >= 0 else ""
                if target in insiders and role not in ("salary", "fee"):
                    yield firm, target, step, insiders[target]


@check("FUND-MISAPPROPRIATION")
def misuse(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Client money paid to owners, officers or their firms."""
    for firm, insider, step, path in _leaks(seen):
        amount = seen.cols.amount[step]
        yield Finding(
            firm,
            seen.relation((step, *path)),
            say(
                f"客户资金{amount:g}元流向关联方{seen.name(insider)}",
                f"client money, {amount:g} CNY, paid to related {seen.name(insider)}",
            ),
            seen.since(step),
        )


@check("RULE-OFFICER-STAFF-MISAPPROPRIATION")
def misuse_by_staff(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Client money paid to an officer of the platform in person."""
    officer = RELATION_KINDS.index("officer")
    for firm, insider, step, path in _leaks(seen):
        if seen.is_kind("person")[insider] and any(seen.cols.kind[item] == officer for item in path):
            yield Finding(
                insider,
                seen.relation((step, *path)),
                say(
                    f"自{seen.name(firm)}客户账户取得{seen.cols.amount[step]:g}元",
                    f"took {seen.cols.amount[step]:g} CNY from client accounts of {seen.name(firm)}",
                ),
                seen.since(step),
            )


@check("FUND-RESERVE-ACCOUNTS")
def reserves(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Reserves of a payment firm held by something that is no bank."""
    for code in seen.in_sector("payment", "licensed"):
        for target in (code, *_accounts(seen, code)):
            for step in seen.into("custodies", target):
                custodian = int(seen.cols.source[step])
                if not is_bank(seen, custodian) and not seen.is_kind("state")[custodian]:
                    yield Finding(
                        code,
                        seen.relation(step),
                        say(
                            f"备付金存放于{seen.name(custodian)}，非银行",
                            f"reserves held by {seen.name(custodian)}, which is no bank",
                        ),
                        seen.since(step),
                    )


@check("FUND-CROSS-BANK-CLEARING")
def clearing(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A payment firm linked to several banks, unless it is known to clear through a licensed clearer."""
    for code in seen.in_sector("payment"):
        links = [step for step in seen.into("channels", code) if is_bank(seen, int(seen.cols.source[step]))]
        banks = {int(seen.cols.source[step]) for step in links}
        if len(banks) >= int(rule["banks"]) and not seen.is_true("clears_through_licensed", code):
            yield Finding(
                code,
                seen.relation(links),
                say(
                    f"直连{len(banks)}家银行，未见经合法机构清算",
                    f"linked to {len(banks)} banks, no licensed clearer on record",
                ),
            )


@check("FUND-CHANNEL-UNLICENSED-PAYMENT")
def channels(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Banks and payment firms that settle for unlicensed payment firms; severity grows with number and volume."""
    unlicensed = set(seen.in_sector("payment", "unlicensed")) | set(seen.cases("unlicensed_finance")["code"].tolist())
    clients: dict[int, list[int]] = {}
    for step in seen.cols.of("channels").tolist():
        if int(seen.cols.target[step]) in unlicensed and int(seen.cols.source[step]) not in unlicensed:
            clients.setdefault(int(seen.cols.source[step]), []).append(step)
    for provider, steps in clients.items():
        number = len({int(seen.cols.target[step]) for step in steps})
        volume = float(np.nansum(seen.cols.amount[steps]))
        # each client halves what is left of 1; volume counts against ten million yuan
        severity = 1 - 0.5**number / (1 + volume / 1e7)
        yield Finding(
            provider,
            seen.relation(steps),
            say(
                f"为{number}家无证支付机构提供通道，金额{volume:g}元",
                f"channels for {number} unlicensed payment firm(s), {volume:g} CNY",
            ),
            severity=severity,
        )


@check("FUND-MATURITY")
def maturities(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A loan offered on as products of shorter terms, or a mismatch on record."""
    for name, zh, en in (
        ("splits_maturities", "期限拆分", "maturities split"),
        ("maturity_mismatch", "期限错配", "maturity mismatch"),
    ):
        for code, (value, facts) in seen.truth(name).items():
            if value:
                yield Finding(code, facts, say(zh, en))
    shorter: dict[int, list[int]] = {}
    for step in seen.cols.of("packaged_from").tolist():
        offered, base = (
            seen.number("maturity_days", int(code))[0] for code in (seen.cols.source[step], seen.cols.target[step])
        )
        if offered is not None and base is not None and offered < base:
            shorter.setdefault(int(seen.cols.target[step]), []).append(step)
    for base, steps in shorter.items():
        for manager in seen.into("manages", base) if len(steps) > 1 else []:
            yield Finding(
                int(seen.cols.source[manager]),
                seen.relation((*steps, manager)),
                say(
                    f"{seen.name(base)}拆成{len(steps)}只更短期限的产品",
                    f"{seen.name(base)} split into {len(steps)} products of shorter terms",
                ),
            )


@check("FUND-FICTITIOUS-BORROWERS")
def fictitious(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Three or more borrowers of a platform at one address, or a fact on record."""
    for code, (value, facts) in seen.truth("fictitious_borrowers").items():
        if value:
            yield Finding(code, facts, say("虚构借款人及标的", "fictitious borrowers or projects"))
    for platform in seen.in_sector("p2p"):
        places: dict[int, list[tuple[int, int]]] = {}
        for step in seen.into("raises_on", platform):
            for place in seen.out("located_at", int(seen.cols.source[step])):
                places.setdefault(int(seen.cols.target[place]), []).append((step, place))
        for address, found in places.items():
            borrowers = {int(seen.cols.source[step]) for step, _ in found}
            if len(borrowers) >= 3:
                yield Finding(
                    platform,
                    seen.relation([item for pair in found for item in pair]),
                    say(
                        f"{len(borrowers)}名借款人同在{seen.name(address)}",
                        f"{len(borrowers)} borrowers at {seen.name(address)}",
                    ),
                )


@check("FUND-DIRECT-LENDING-MATCH")
def direct_lending(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A platform that lends itself, or whose lending is known not to be direct."""
    for platform in seen.in_sector("p2p"):
        value, facts = seen.truth("direct_lending", worst=False).get(platform, (None, ()))
        loans = seen.out("lends", platform)
        if value is False or loans:
            yield Finding(
                platform,
                (*(facts if value is False else ()), *seen.relation(loans)),
                say("不符合个体之间直接借贷", "not direct lending between individuals"),
            )


@check("FUND-RE-SOURCE-USE")
def developer_funding(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Money a developer takes from persons who do not own it."""
    person = seen.is_kind("person")
    for code in seen.in_sector("real_estate"):
        owners = {int(seen.cols.source[step]) for step in seen.into("owns", code)}
        steps = [
            step
            for kind in ("lends", "invests")
            for step in seen.into(kind, code)
            if person[seen.cols.source[step]] and int(seen.cols.source[step]) not in owners
        ]
        if steps:
            amount = float(np.nansum(seen.cols.amount[steps]))
            rate, facts = seen.number("promised_yield", code)
            shown = say("未知", "unknown") if rate is None else f"{rate:g}"
            yield Finding(
                code,
                (*seen.relation(steps), *facts),
                say(
                    f"向{len(steps)}笔个人资金集资{amount:g}元，利率{shown}",
                    f"took {amount:g} CNY from persons in {len(steps)} step(s), rate {shown}",
                ),
            )
