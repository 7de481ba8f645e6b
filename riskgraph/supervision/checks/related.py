"""Checks on related parties: a platform that funds its own side, exposures inside a group, a custodian in league."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check
from riskgraph.supervision.groups import groups
from riskgraph.supervision.sectors import is_bank

__all__ = ["related_parties"]


def related_parties(seen: View, firm: int, *, hops: int, share: float) -> dict[int, tuple[int, ...]]:
    """Whoever is tied to a firm by at most so many steps of ownership, control or office.

    Relatives and concert parties count as one person.

    A stake of unknown size ties: unknown is not small.

    Returns
    -------
    dict
        Code → path of relation positions, the shortest.
    """
    found: dict[int, tuple[int, ...]] = {}
    front: list[tuple[int, tuple[int, ...]]] = [(firm, ())]
    state = seen.is_kind("state")
    for _ in range(hops):
        following: list[tuple[int, tuple[int, ...]]] = []
        for code, path in front:
            for other, step in _ties(seen, code, share):
                if other != firm and other not in found:
                    found[other] = (*path, step)
                    following.append((other, found[other]))
        # relatives and concert parties count as one person: they cost no step
        for code, path in following:
            for kind in ("kin", "concert"):
                for other, step in seen.partners(kind, code):
                    if other != firm and other not in found:
                        found[other] = (*path, step)
                        following.append((other, found[other]))
        front = [(code, path) for code, path in following if not state[code]]
    return found


def _ties(seen: View, code: int, share: float) -> list[tuple[int, int]]:
    """(other end, position) of stakes of a size, control agreements and posts."""
    found = []
    for kind in ("owns", "controls", "officer"):
        for step in (*seen.out(kind, code), *seen.into(kind, code)):
            stake = seen.cols.share_max[step]
            if kind != "owns" or np.isnan(stake) or stake >= share:
                other = int(seen.cols.target[step] if seen.cols.source[step] == code else seen.cols.source[step])
                found.append((other, step))
    return found


def _self_finance(seen: View, platform: int, rule: Rule, say: Say) -> Iterator[Finding]:
    hops = int(seen.catalogue.value("RP-SELF-FINANCE", "hops", 3))
    share = float(seen.catalogue.value("RP-SELF-FINANCE", "share", 0.05))
    loans = seen.into("raises_on", platform)
    if not loans:
        return
    related = related_parties(seen, platform, hops=hops, share=share)
    mine = [step for step in loans if int(seen.cols.source[step]) == platform or int(seen.cols.source[step]) in related]
    borrowers = {int(seen.cols.source[step]) for step in loans}
    guarantees = [
        step
        for borrower in sorted(borrowers)
        for step in seen.into("guarantees", borrower)
        if int(seen.cols.source[step]) == platform or int(seen.cols.source[step]) in related
    ]
    if not mine and not guarantees:
        return
    amounts = seen.cols.amount[loans].astype(float)
    if np.isnan(amounts).any():
        ratio, measure = len(mine) / len(loans), say("按笔数", "by number")
    else:
        ratio = float(seen.cols.amount[mine].sum() / amounts.sum()) if amounts.sum() > 0 else 0.0
        measure = say("按金额", "by amount")
    paths = [related.get(int(seen.cols.source[step]), ()) for step in (*mine, *guarantees)]
    names = ", ".join(
        f"{seen.ids[int(seen.cols.source[step])]}({len(path)})"
        for step, path in zip((*mine, *guarantees), paths, strict=True)
    )
    text = say(
        f"关联融资占比{ratio:.4g}（{measure}），关联方（步数）：{names}{'，含关联担保' if guarantees else ''}",
        f"related borrowing {ratio:.4g} ({measure}), related parties (steps): "
        f"{names}{', guarantees included' if guarantees else ''}",
    )
    evidence = dict.fromkeys(seen.relation([*mine, *guarantees, *(step for path in paths for step in path)]))
    yield Finding(platform, tuple(evidence), text, severity=ratio if mine else rule.severity / 2)


@check("RP-SELF-FINANCE")
def self_finance(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Related borrowers and guarantors of a platform; severity is the related share of what is outstanding."""
    for platform in seen.in_sector("p2p"):
        yield from _self_finance(seen, platform, rule, say)


@check("RP-CROWDFUND-SELF-RAISE")
def self_raise(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A crowdfunding platform that raises for itself or for related parties."""
    for platform in seen.in_sector("equity_crowdfunding", "platform"):
        yield from _self_finance(seen, platform, rule, say)


@check("RP-BENEFIT-TRANSFER")
def shared_accounts(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """One account used by two licensed lines of business."""
    account = seen.is_kind("account")
    users: dict[int, list[int]] = {}
    for step in seen.cols.of("operates").tolist():
        if account[seen.cols.target[step]] and seen.licensed(int(seen.cols.source[step])):
            users.setdefault(int(seen.cols.target[step]), []).append(step)
    for place, steps in users.items():
        lines = {sector for step in steps for sector, _, _ in seen.licences[int(seen.cols.source[step])]}
        if len(lines) < 2:
            continue
        for step in steps:
            yield Finding(
                int(seen.cols.source[step]),
                seen.relation(steps),
                say(
                    f"账户{seen.name(place)}由{len(lines)}类业务共用",
                    f"account {seen.name(place)} is used by {len(lines)} lines of business",
                ),
            )


@check("RP-GROUP-RPT-RULES")
def group_exposures(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Loans and guarantees to a member of the own group above a share of capital, without a firewall."""
    labels = groups(seen)
    capital = seen.column("capital")
    for code in sorted(seen.licences):
        own, facts = seen.number("capital", code)
        if own is None and capital[code] is not None:
            own, facts = float(capital[code]), (f"{seen.ids[code]}.capital={capital[code]}",)
        if not own or seen.is_true("firewall", code):
            continue
        steps = [
            step
            for kind in ("lends", "guarantees")
            for step in seen.out(kind, code)
            if labels[seen.cols.target[step]] == labels[code]
        ]
        exposure = float(np.nansum(seen.cols.amount[steps])) / own if steps else 0.0
        if exposure > rule["exposure"]:
            yield Finding(
                code,
                (*seen.relation(steps), *facts),
                say(f"集团内敞口为资本的{exposure:.3g}倍", f"exposure inside the group is {exposure:.3g} of capital"),
            )


@check("RP-CUSTODIAN-COLLUSION")
def custodians(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """The custodian of a payment firm whose reserves were misused; related ones weigh more."""
    from riskgraph.supervision.checks.money import misuse

    bad: dict[int, tuple[str, ...]] = {}
    for code, (value, facts) in seen.truth("reserve_misused").items():
        if value:
            bad[code] = facts
    for finding in misuse(seen, rule, say):
        bad[finding.code] = (*bad.get(finding.code, ()), *finding.evidence)
    for firm in seen.in_sector("payment"):
        for step in seen.into("custodies", firm) if firm in bad else []:
            bank = int(seen.cols.source[step])
            if not is_bank(seen, bank):
                continue
            tie = related_parties(seen, firm, hops=2, share=0.05).get(bank)
            yield Finding(
                bank,
                (*seen.relation((step, *(tie or ()))), *bad[firm]),
                say(
                    f"存管期间{seen.name(firm)}备付金被挪用{'，且双方关联' if tie else ''}",
                    f"reserves of {seen.name(firm)} were misused in its "
                    f"custody{', and the two are related' if tie else ''}",
                ),
                severity=min(1.0, rule.severity + 0.3) if tie else None,
            )


@check("RP-CROSS-SUBSIDY")
def subsidies(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A return paid above what the project earns: the difference comes from somewhere else."""
    for code, values in seen.numbers("actual_yield").items():
        project, facts = seen.number("project_return", code)
        paid, fact = max(values)
        if project is None or paid <= project or project < 0:
            continue
        text = say(f"实付收益{paid:g}高于项目回报{project:g}", f"return paid {paid:g} above the project's {project:g}")
        yield Finding(code, (fact, *facts), text)
        for step in seen.into("manages", code):
            yield Finding(int(seen.cols.source[step]), (fact, *facts, *seen.relation(step)), text)
