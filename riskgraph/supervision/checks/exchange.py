"""Checks on trading venues, their branches and their member units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check
from riskgraph.supervision.regions import province_of

__all__: list[str] = []

_ATTRIBUTES = {
    "name": ("名称", "name"),
    "capital": ("注册资本", "capital"),
    "address": ("地址", "address"),
    "legal_representative": ("法定代表人", "legal representative"),
}


def _starts(seen: View) -> np.ndarray:
    if "start" not in seen.graph.entities:
        return np.full(seen.n, np.datetime64("NaT", "D"))
    return seen.graph.entities["start"].to_numpy().astype("datetime64[D]")


def _home(seen: View, code: int) -> bool:
    places = (*seen.operating[code], seen.registered[code])
    return any(place[:2] == seen.catalogue.home_province for place in places if place)


def _permitted(seen: View, code: int) -> bool:
    return bool(seen.licensed(code, ["exchange"])) or any(
        seen.approved(change, code) for change in ("establishment", "exchange", "venue", "branch")
    )


@check("LICENCE-EXCHANGE-APPROVAL")
def unapproved_venues(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A venue at home, set up since document 38, that holds no approval on the day."""
    since, starts = np.datetime64(rule["since"], "D"), _starts(seen)
    for code in seen.in_sector("exchange", "venue"):
        shown = [
            why
            for _, _, why in seen.labels[code]
            if any(part.startswith(("declared", "relation", "licence")) for part in why.split("; "))
        ]
        if (
            shown
            and _home(seen, code)
            and not np.isnat(starts[code])
            and starts[code] >= since
            and not _permitted(seen, code)
        ):
            yield Finding(
                code,
                (f"{seen.ids[code]}.start={starts[code]}",),
                say(f"{starts[code]}设立，未见批准", f"set up on {starts[code]} without approval on record"),
                starts[code],
            )


@check("LICENCE-EXCHANGE-BRANCH")
def unapproved_branches(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A branch of a venue at home, set up since document 38, without approval."""
    since = np.datetime64(seen.catalogue.value("LICENCE-EXCHANGE-APPROVAL", "since", "2011-11-11"), "D")
    for code in seen.in_sector("exchange", "branch"):
        for position in seen.out("branch_of", code):
            start = seen.since(position)
            if _home(seen, code) and not np.isnat(start) and start >= since and not _permitted(seen, code):
                venue = seen.name(int(seen.cols.target[position]))
                yield Finding(
                    code,
                    seen.relation(position),
                    say(f"{venue}未经批准设立的分支机构", f"branch of {venue} without approval"),
                    start,
                )


def _events(
    seen: View, code: int, facts: pd.DataFrame
) -> Iterator[tuple[str, str, str, np.datetime64, tuple[str, ...]]]:
    """Changes of an entity: (type, zh, en, day, evidence)."""
    for name, (zh, en) in _ATTRIBUTES.items():
        rows = facts[facts["fact"] == name].sort_values("start", kind="stable", na_position="first")
        before = None
        for value, start, fact in zip(
            rows["value"], rows["start"].to_numpy().astype("datetime64[D]"), rows["id"], strict=True
        ):
            if before is not None and str(value) != str(before[0]) and not np.isnat(start):
                yield (
                    name,
                    f"{zh}由{before[0]}变为{value}",
                    f"{en} from {before[0]} to {value}",
                    start,
                    (before[1], str(fact)),
                )
            before = (value, str(fact))
    for kind, change, zh, en in (
        ("manages", "product_added", "新增交易品种", "product added"),
        ("owns", "equity_change", "股权变更", "equity change"),
    ):
        positions = seen.out(kind, code) if kind == "manages" else seen.into(kind, code)
        dated = [position for position in positions if not np.isnat(seen.since(position))]
        first = min((seen.since(position) for position in dated), default=None)
        for position in dated:
            if first is not None and seen.since(position) > first:
                other = int(seen.cols.target[position] if kind == "manages" else seen.cols.source[position])
                yield (
                    change,
                    f"{zh}：{seen.name(other)}",
                    f"{en}: {seen.name(other)}",
                    seen.since(position),
                    seen.relation(position),
                )


@check("LICENCE-EXCHANGE-UNAPPROVED-CHANGE")
def unapproved_changes(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Changes of a venue that no approval of the same kind preceded, one finding an event."""
    venues = seen.in_sector("exchange", "venue")
    if not venues:
        return
    known = seen._coded(seen.graph.known("facts"))
    known = known[known["code"].isin(venues)]
    window = np.timedelta64(int(rule["window_days"]), "D")
    for code, facts in known.groupby("code", sort=True):
        yield from _unapproved(seen, int(code), facts, window, say)
    for code in set(venues) - set(known["code"]):
        yield from _unapproved(seen, code, known.iloc[:0], window, say)


def _unapproved(seen: View, code: int, facts: pd.DataFrame, window: np.timedelta64, say: Say) -> Iterator[Finding]:
    approvals = facts[
        facts["fact"].str.startswith("approval:") & facts["value"].map(lambda value: str(value).lower() == "true")
    ]
    given = approvals["start"].to_numpy().astype("datetime64[D]")
    for change, zh, en, day, evidence in _events(seen, code, facts):
        if seen.day is not None and day > seen.day:
            continue
        same = (approvals["fact"] == f"approval:{change}").to_numpy()
        if (same & (np.isnat(given) | ((given <= day) & (given >= day - window)))).any():
            continue
        yield Finding(
            code, evidence, say(f"未经批准变更（{day}）：{zh}", f"change without approval on {day}: {en}"), day
        )


@check("LICENCE-EXCHANGE-OVERSCOPE")
def over_scope(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Products of a venue beyond those its approval names."""
    for code in seen.in_sector("exchange", "venue"):
        approved = seen.texts("approved_products").get(code)
        if not approved:
            continue
        allowed = {part.strip() for text, _ in approved for part in text.split(";")}
        for position in seen.out("manages", code):
            product = int(seen.cols.target[position])
            kinds = {
                str(seen.names[product]),
                str(seen.ids[product]),
                *(text for text, _ in seen.texts("product_type").get(product, [])),
            }
            if not kinds & allowed:
                yield Finding(
                    code,
                    (*(fact for _, fact in approved), *seen.relation(position)),
                    say(
                        f"超范围品种：{seen.name(product)}", f"product beyond the approved scope: {seen.name(product)}"
                    ),
                    seen.since(position),
                )


@check("JURISDICTION-EXCHANGE-OUT-OF-PROVINCE")
def evasive_location(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A venue registered outside the home province that operates inside it."""
    home = seen.catalogue.home_province
    for code in seen.in_sector("exchange", "venue"):
        registered = seen.registered[code]
        inside = [place for place in seen.operating[code] if place[:2] == home]
        if registered and registered[:2] != home and inside:
            yield Finding(
                code,
                (f"{seen.ids[code]}.registered_in={registered}", f"{seen.ids[code]}.operates_in={inside[0]}"),
                say(
                    f"注册于{registered}（省外），经营于{inside[0]}",
                    f"registered in {registered}, outside, operating in {inside[0]}",
                ),
            )


@check("PROP-EXCHANGE-MEMBER-UNITS")
def member_units(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A member unit inherits the faults of its venue, with reason codes 1, 2 and 3."""
    failed = {str(province)[:2] for province in rule["provinces_not_passed"]}
    texts = {
        1: ("所在省未通过验收", "its province failed acceptance"),
        2: ("场所未获注册地批准", "it lacks approval of its province"),
        3: ("存在对赌交易", "it bets against clients"),
    }
    for position in seen.cols.of("member_of").tolist():
        unit, venue = int(seen.cols.source[position]), int(seen.cols.target[position])
        reasons: dict[int, tuple[str, ...]] = {}
        passed, facts = seen.truth("province_passed", worst=False).get(venue, (None, ()))
        registered = seen.registered[venue]
        if passed is False:
            reasons[1] = facts
        elif registered and province_of(registered)[:2] in failed:
            reasons[1] = (f"{seen.ids[venue]}.registered_in={registered}",)
        approval, facts = seen.truth("provincial_approval", worst=False).get(venue, (None, ()))
        if approval is False:
            reasons[2] = facts
        against, facts = seen.truth("counterparty_mode").get(venue, (None, ()))
        if against:
            reasons[3] = facts
        if reasons:
            codes = ",".join(map(str, reasons))
            yield Finding(
                unit,
                (*seen.relation(position), *(item for found in reasons.values() for item in found)),
                say(
                    f"交易场所{seen.name(venue)}违规，原因{codes}：{'；'.join(texts[code][0] for code in reasons)}",
                    f"venue {seen.name(venue)} is irregular, reason {codes}: "
                    f"{'; '.join(texts[code][1] for code in reasons)}",
                ),
                seen.since(position),
            )


@check("PROP-MEMBER-CONDUCT")
def member_complaints(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Complaints about member units, added up at their venue."""
    venues: dict[int, list[int]] = {}
    for position in seen.cols.of("member_of").tolist():
        venues.setdefault(int(seen.cols.target[position]), []).append(position)
    for venue, positions in venues.items():
        cases = [
            case
            for position in positions
            for case in seen.under(int(seen.cols.source[position]), "complaint", "tipoff")
        ]
        if cases:
            rate = len(cases) / len(positions)
            yield Finding(
                venue,
                (*cases, *seen.relation(positions)),
                say(
                    f"会员单位投诉{len(cases)}件，平均每户{rate:.3g}",
                    f"{len(cases)} complaint(s) about member units, {rate:.3g} a unit",
                ),
            )
