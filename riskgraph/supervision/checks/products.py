"""Checks on products: nested, packaged for the public, of another nature than declared; groups of many licences."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.chains import investors, product_layers, through
from riskgraph.supervision.findings import Finding, Say, check
from riskgraph.supervision.groups import controlled_paths, groups
from riskgraph.supervision.natures import business, nature_name, nature_of_text
from riskgraph.supervision.sectors import product_sector

__all__ = ["firewall_breaches"]


@check("NEST-MULTI-LAYER")
def layers(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Products with so many layers on a chain through them; a circle of products is named as such."""
    for product, depth in product_layers(seen).items():
        if depth < rule["layers"]:
            continue
        evidence = seen.relation(through(seen, product))
        if math.isinf(depth):
            text = say("产品之间循环投资，层数无限", "products invest in a circle, without end")
        else:
            text = say(f"产品嵌套{depth:g}层", f"{depth:g} product layers")
        yield Finding(product, evidence, text)
        for step in seen.into("manages", product):
            yield Finding(
                int(seen.cols.source[step]), (*seen.relation(step), *evidence), f"{seen.name(product)}: {text}"
            )


@check("NEST-AM-QUALIFIED")
def qualified_nesting(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A licensed manager whose product stands in a chain of several kinds of product."""
    families = seen.catalogue.sectors.get("asset_management", {}).get("licences", ())
    for product, depth in product_layers(seen).items():
        if depth < 2:
            continue
        chain = through(seen, product)
        ends = {int(code) for step in chain for code in (seen.cols.source[step], seen.cols.target[step])}
        kinds = {product_sector(seen, code) for code in ends} - {""}
        if len(kinds) < int(rule["types"]):
            continue
        for step in seen.into("manages", product):
            manager = int(seen.cols.source[step])
            if seen.licensed(manager, families):
                yield Finding(
                    manager,
                    seen.relation((step, *chain)),
                    say(
                        f"{seen.name(product)}所在链条嵌套{len(kinds)}类产品",
                        f"{len(kinds)} kinds of product on the chain of {seen.name(product)}",
                    ),
                )


@check("NEST-PRIVATE-TO-PUBLIC")
def private_to_public(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A publicly sold product over a privately placed one, with the investors behind it."""
    channels = seen.catalogue.section("public_channels")
    for product in np.flatnonzero(seen.is_kind("product") & seen.alive).tolist():
        shown: list[str] = []
        for name in ("public_offering", "retail_investors"):
            value, facts = seen.truth(name).get(product, (None, ()))
            shown += facts if value else ()
        shown += [
            fact
            for text, fact in seen.texts("solicitation_channel").get(product, [])
            if any(channel in text for channel in channels)
        ]
        if not shown:
            continue
        for base, path in _below(seen, product).items():
            value, facts = seen.truth("private_placement").get(base, (None, ()))
            if value:
                _, ultimate = investors(seen, product)
                text = say(
                    f"公开销售产品下层为私募产品{seen.name(base)}，穿透投资者{len(ultimate)}人",
                    f"sold to the public over the private product {seen.name(base)}, "
                    f"{len(ultimate)} investors behind it",
                )
                yield Finding(product, (*shown, *facts, *seen.relation(path)), text)


def _below(seen: View, product: int) -> dict[int, tuple[int, ...]]:
    """Products beneath a product, with the path of relation positions."""
    kinds = seen.is_kind("product")
    found: dict[int, tuple[int, ...]] = {}
    front: list[tuple[int, tuple[int, ...]]] = [(product, ())]
    while front:
        code, path = front.pop(0)
        for kind in ("packaged_from", "invests"):
            for step in seen.out(kind, code):
                other = int(seen.cols.target[step])
                if kinds[other] and other != product and other not in found:
                    found[other] = (*path, step)
                    front.append((other, found[other]))
    return found


@check("NEST-SUBSTANCE-OVER-FORM")
def disguise(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A declared business of another nature than the main business the products show."""
    for code, texts in seen.texts("declared_business").items():
        declared = next(
            ((nature_of_text(seen, text), fact) for text, fact in texts if nature_of_text(seen, text)), None
        )
        if declared is None:
            continue
        acts = [act for act in business(seen, code) if act.nature]
        weights: dict[str, float] = {}
        for act in acts:
            weights[act.nature] = weights.get(act.nature, 0.0) + (act.amount or 0.0) + 1e-9
        if not weights:
            continue
        main = max(sorted(weights), key=lambda nature: weights[nature])
        if main != declared[0]:
            positions = [step for act in acts if act.nature == main for step in act.positions]
            zh = (nature_name(seen, declared[0], lambda a, b: a), nature_name(seen, main, lambda a, b: a))
            en = (nature_name(seen, declared[0], lambda a, b: b), nature_name(seen, main, lambda a, b: b))
            yield Finding(
                code,
                (declared[1], *seen.relation(positions)),
                say(f"自称{zh[0]}，主业实为{zh[1]}", f"declares {en[0]}, main business is {en[1]}"),
            )


def firewall_breaches(seen: View, first: int, second: int) -> list[tuple[str, str, tuple[str, ...]]]:
    """(zh, en, evidence) of each breach between two units: shared officer, account, address, money, no firewall."""
    account = seen.is_kind("account")
    found = []
    for kind, side, zh, en in (
        ("officer", "into", "共用高管", "shared officer"),
        ("operates", "out", "共用账户或网站", "shared account or site"),
        ("located_at", "out", "共用地址", "shared address"),
    ):
        ends = []
        for code in (first, second):
            steps = seen.into(kind, code) if side == "into" else seen.out(kind, code)
            if kind == "operates":
                # an account may be recorded as owned rather than operated
                steps = [*steps, *(step for step in seen.out("owns", code) if account[seen.cols.target[step]])]
            column = seen.cols.source if side == "into" else seen.cols.target
            ends.append({int(column[step]): step for step in steps})
        common = sorted(set(ends[0]) & set(ends[1]))
        if common:
            shown = [steps[code] for code in common for steps in ends]
            found.append((zh, en, seen.relation(shown)))
    for kind, zh, en in (
        ("lends", "内部借贷", "loan inside"),
        ("guarantees", "内部担保", "guarantee inside"),
        ("pays", "内部划款", "payment inside"),
    ):
        steps = [step for step in seen.out(kind, first) if seen.cols.target[step] == second]
        steps += [step for step in seen.out(kind, second) if seen.cols.target[step] == first]
        if steps and not (seen.approved("related_party", first) or seen.approved("related_party", second)):
            found.append((zh, en, seen.relation(steps)))
    for code in (first, second):
        value, facts = seen.truth("firewall", worst=False).get(code, (None, ()))
        if value is False:
            found.append(("未设防火墙", "no firewall", facts))
            break
    return found


@check("NEST-MULTI-LICENCE-FIREWALL")
def firewalls(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Breaches between each two licensed units of a group with several families of licence, and on the head of it."""
    labels = groups(seen)
    members: dict[int, list[int]] = {}
    for code in sorted(seen.licences):
        members.setdefault(int(labels[code]), []).append(code)
    for units in members.values():
        families = {sector for code in units for sector, _, _ in seen.licences[code]}
        if len(families) < int(rule["families"]):
            continue
        found = [
            (first, second, breaches)
            for place, first in enumerate(units)
            for second in units[place + 1 :]
            if (breaches := firewall_breaches(seen, first, second))
        ]
        for first, second, breaches in found:
            text = say(
                f"{seen.name(first)}与{seen.name(second)}防火墙缺口{len(breaches)}项："
                f"{'、'.join(item[0] for item in breaches)}",
                f"{len(breaches)} breach(es) between {seen.name(first)} and {seen.name(second)}: "
                f"{', '.join(item[1] for item in breaches)}",
            )
            evidence = tuple(dict.fromkeys(ref for _, _, refs in breaches for ref in refs))
            for code in (first, second):
                yield Finding(code, evidence, text, severity=1 - 0.5 ** len(breaches))
        head = _company_head(seen, units) if found else None
        if head is not None:
            most = max(len(breaches) for _, _, breaches in found)
            yield Finding(
                head,
                tuple(dict.fromkeys(ref for _, _, breaches in found for _, _, refs in breaches for ref in refs)),
                say(
                    f"集团持{len(families)}类牌照，{len(found)}对成员之间有防火墙缺口",
                    f"group with {len(families)} families of licence, breaches between {len(found)} pair(s) of members",
                ),
                severity=1 - 0.5**most,
            )


def _company_head(seen: View, units: list[int]) -> int | None:
    """The company that controls all units, the nearest one; None when no company does."""
    owners = [
        {int(seen.cols.source[step]) for kind in ("owns", "controls") for step in seen.into(kind, unit)}
        for unit in units
    ]
    above = [code for code in sorted(set.union(*owners)) if seen.is_kind("company")[code] and code not in units]
    for code in above:
        if set(units) <= set(controlled_paths(seen, code)):
            return code
    return None


@check("NEST-INSURANCE-SUBSIDIARY-FIREWALL")
def insurer_subsidiaries(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Breaches between an insurer and a subsidiary that is not in insurance."""
    for insurer in [code for code in seen.licences if seen.licensed(code, ["insurance"])]:
        for subsidiary, path in controlled_paths(seen, insurer).items():
            if not seen.is_kind("company")[subsidiary] or seen.licensed(subsidiary, ["insurance"]):
                continue
            breaches = firewall_breaches(seen, insurer, subsidiary)
            if breaches:
                yield Finding(
                    insurer,
                    (*seen.relation(path), *(ref for _, _, refs in breaches for ref in refs)),
                    say(
                        f"与非保险子公司{seen.name(subsidiary)}：{'、'.join(item[0] for item in breaches)}",
                        f"with subsidiary {seen.name(subsidiary)}: {', '.join(item[1] for item in breaches)}",
                    ),
                )


@check("NEST-PAYMENT-SUBCONTRACT")
def subcontracts(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Chains of subcontracting of so many layers, with the number unlicensed and the licensed head."""
    starts = {int(code) for code in seen.cols.source[seen.cols.of("subcontracts")]}
    targets = {int(code) for code in seen.cols.target[seen.cols.of("subcontracts")]}
    heads = sorted(starts - targets) or sorted(starts)
    for head in heads:
        chain = _longest_chain(seen, head)
        if len(chain) < int(rule["layers"]):
            continue
        codes = [head, *(int(seen.cols.target[step]) for step in chain)]
        bare = [code for code in codes if not seen.licensed(code, ["payment"])]
        places = {
            place
            for code in codes
            for place in (seen.operating[code] or ((seen.registered[code],) if seen.registered[code] else ()))
        }
        licensed = [code for code in codes if code not in bare]
        named = seen.name(licensed[0]) if licensed else say("无", "none")
        text = say(
            f"转包{len(chain)}层，无证{len(bare)}家，持牌源头{named}{'，跨地区' if len(places) > 1 else ''}",
            f"subcontracted over {len(chain)} layers, {len(bare)} unlicensed, licensed "
            f"head {named}{', across regions' if len(places) > 1 else ''}",
        )
        for code in codes:
            yield Finding(code, seen.relation(chain), text)


def _longest_chain(seen: View, head: int) -> list[int]:
    """Longest chain of subcontracting below a firm, a circle entered once; depth first with an own stack."""
    best: list[int] = []
    stack: list[tuple[int, list[int], frozenset[int]]] = [(head, [], frozenset([head]))]
    steps = 0
    while stack and steps < 100_000:
        steps += 1
        code, path, behind = stack.pop()
        if len(path) > len(best):
            best = path
        for step in seen.out("subcontracts", code):
            target = int(seen.cols.target[step])
            if target not in behind:
                stack.append((target, [*path, step], behind | {target}))
    return best
