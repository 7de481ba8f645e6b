"""Checks that follow persons: the bar after a revocation, extended supervision, records, flight, repeated cases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riskgraph.schema import ROLES
from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check
from riskgraph.supervision.propagation import Step, held, reach

__all__ = ["bar_end"]


def bar_end(day: np.datetime64, years: int) -> np.datetime64:
    """First day free of a bar of whole calendar years.

    Examples
    --------
    >>> bar_end(np.datetime64("2016-08-01"), 3), bar_end(np.datetime64("2016-02-29"), 3)
    (np.datetime64('2019-08-01'), np.datetime64('2019-03-01'))
    """
    month = day.astype("datetime64[M]")
    return (month + 12 * years).astype("datetime64[D]") + (day - month.astype("datetime64[D]"))


@check("RULE-OFFICER-BAN-3Y")
def barred_officers(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A post of a barred legal representative in another firm; the firm and the person are both found."""
    roles = set(rule["roles"])
    ever = seen.ever
    for code, cases in seen.cases_of.items():
        for kind, day, _, case in cases:
            if kind != "revoked" or np.isnat(day):
                continue
            free = bar_end(day, int(rule["years"]))
            for link in held(seen, "officer", code, day, "legal_representative"):
                start, end = ever["start"][link], ever["end"][link]
                if (not np.isnat(start) and start > day) or (not np.isnat(end) and end <= day):
                    continue  # not in office on the day of the revocation
                person = int(ever["source"][link])
                for position in seen.out("officer", person):
                    firm = int(seen.cols.target[position])
                    role = seen.cols.roles[seen.cols.role[position]] if seen.cols.role[position] >= 0 else ""
                    begin = seen.since(position)
                    if firm == code or role not in roles or (not np.isnat(begin) and begin >= free):
                        continue
                    new = not np.isnat(begin) and begin >= day
                    text = say(
                        f"{seen.name(person)}为{seen.name(code)}（{day}吊销）时任法定代表人，限制期[{day}, {free})，"
                        f"{'新任' if new else '续任'}{seen.name(firm)}{ROLES.get(role, role)}",
                        f"{seen.name(person)} was legal representative of "
                        f"{seen.name(code)}, revoked on {day}; barred in "
                        f"[{day}, {free}), {'new' if new else 'continuing'} post at {seen.name(firm)} as {role}",
                    )
                    evidence = (case, *seen.ever_ids([link]), *seen.relation(position))
                    for entity in (firm, person):
                        yield Finding(entity, evidence, text, begin if new else day)


def _extended(seen: View, steps: list[Step], rule: Rule, say: Say) -> Iterator[Finding]:
    """Firms reached, scored by noisy-or over the ways, and the persons that carry."""
    by_firm: dict[int, list[Step]] = {}
    by_person: dict[int, list[Step]] = {}
    for step in steps:
        by_firm.setdefault(step.firm, []).append(step)
        by_person.setdefault(step.person, []).append(step)
    for entity, ways in (*by_firm.items(), *by_person.items()):
        links = {(step.seed, step.person): step.weight for step in ways}
        score = 1 - float(np.prod([1 - weight for weight in links.values()]))
        paths = dict.fromkeys(
            f"{seen.ids[step.seed]} → {seen.ids[step.person]} → {seen.ids[step.firm]}" for step in ways
        )
        evidence = dict.fromkeys(item for step in ways for item in (step.case, *seen.ever_ids(step.relations)))
        dates = [step.since for step in ways if not np.isnat(step.since)]
        yield Finding(
            entity,
            tuple(evidence),
            say(f"延伸监管：{'；'.join(paths)}", f"extended supervision: {'; '.join(paths)}"),
            min(dates) if dates else None,
            severity=rule.severity * score,
        )


@check("RULE-OFFICER-EXTENDED-LEGAL-REP")
def extended_representatives(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Other firms of the legal representatives of determined firms."""
    yield from _extended(seen, reach(seen, holders=False, types=rule["cases"]), rule, say)


@check("RULE-SHAREHOLDER-EXTENDED")
def extended_holders(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Other firms of the holders of determined firms, ordered by share."""
    types = seen.catalogue.value(
        "RULE-OFFICER-EXTENDED-LEGAL-REP", "cases", ["banned", "unlicensed_finance", "determination"]
    )
    yield from _extended(seen, reach(seen, holders=True, types=types), rule, say)


_BOARD = {
    "legal_representative",
    "chairman",
    "director",
    "independent_director",
    "supervisor",
    "manager",
    "senior_manager",
    "secretary",
}


@check("RULE-OFFICER-CRIMINAL-RECORD")
def officers_with_records(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Serving officers with a record; severity is their share of all serving officers."""
    recorded = {code: seen.under(code, "criminal_record") for code in seen.cases("criminal_record")["code"]}
    firms = {int(seen.cols.target[step]) for person in recorded for step in seen.out("officer", int(person))}
    for firm in sorted(firms):
        steps = [
            step
            for step in seen.into("officer", firm)
            if seen.cols.role[step] < 0 or seen.cols.roles[seen.cols.role[step]] in _BOARD
        ]
        officers = {int(seen.cols.source[step]) for step in steps}
        bad = officers & set(recorded)
        if bad:
            share = len(bad) / len(officers)
            shown = [step for step in steps if int(seen.cols.source[step]) in bad]
            yield Finding(
                firm,
                (*(case for person in sorted(bad) for case in recorded[person]), *seen.relation(shown)),
                say(
                    f"现任董监高{len(officers)}人中{len(bad)}人有违法犯罪记录，占比{share:.4g}",
                    f"{len(bad)} of {len(officers)} serving officers have a record, share {share:.4g}",
                ),
                severity=share,
            )


@check("RULE-OFFICER-FLIGHT-RISK")
def flight(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Signs of flight of a person responsible for a firm under serious suspicion."""
    for person, (value, facts) in seen.truth("flight_signs").items():
        for kind in ("officer", "owns", "controls") if value else ():
            for step in seen.out(kind, person):
                firm = int(seen.cols.target[step])
                suspected, more = seen.truth("illegal_fundraising_suspected").get(firm, (None, ()))
                cases = seen.under(firm, "illegal_fundraising")
                if suspected or cases:
                    yield Finding(
                        person,
                        (*facts, *(more if suspected else ()), *cases, *seen.relation(step)),
                        say(
                            f"{seen.name(firm)}负责人有外逃迹象",
                            f"responsible for {seen.name(firm)} and showing signs of flight",
                        ),
                    )


@check("RULE-MULTI-CASE-SHAREHOLDER")
def repeated_holders(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Holders in several illegal fund-raising firms, and the firms they invested in after the deciding case."""
    least = int(rule["cases"])
    ever = seen.ever
    first: dict[int, dict[int, tuple[np.datetime64, str, int]]] = {}
    for firm, day, case in zip(
        (frame := seen.cases("illegal_fundraising"))["code"],
        frame["start"].to_numpy().astype("datetime64[D]"),
        frame["id"].astype(str),
        strict=True,
    ):
        for link in held(seen, "owns", int(firm), day):
            holder = int(ever["source"][link])
            first.setdefault(holder, {}).setdefault(int(firm), (day, case, link))
    for holder, firms in first.items():
        if len(firms) < least or seen.is_kind("state")[holder]:
            continue
        ordered = sorted(
            firms.values(), key=lambda item: np.datetime64("0001-01-01", "D") if np.isnat(item[0]) else item[0]
        )
        deciding = ordered[least - 1][0]
        evidence = (*(case for _, case, _ in ordered), *seen.ever_ids([link for _, _, link in ordered]))
        later = [
            step
            for step in seen.out("owns", holder)
            if int(seen.cols.target[step]) not in firms
            and not np.isnat(seen.since(step))
            and not np.isnat(deciding)
            and seen.since(step) > deciding
        ]
        names = ", ".join(seen.name(int(seen.cols.target[step])) for step in later)
        yield Finding(
            holder,
            (*evidence, *seen.relation(later)),
            say(
                f"投资{len(firms)}家非法集资企业（第{least}案{deciding}）{f'，此后投资{names}' if names else ''}",
                f"holder in {len(firms)} illegal fund-raising firms (case {least} on "
                f"{deciding}){f', later invested in {names}' if names else ''}",
            ),
            deciding,
        )
        for step in later:
            yield Finding(
                int(seen.cols.target[step]),
                (*evidence, *seen.relation(step)),
                say(
                    f"多案股东{seen.name(holder)}此后投资，列为重点抽查",
                    f"later investment of {seen.name(holder)}, holder in several cases: spot-check",
                ),
                seen.since(step),
            )
