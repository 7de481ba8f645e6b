"""Checks on words in names and scopes, on printed lists of names, and on what is reported often."""

from __future__ import annotations

from collections.abc import Iterator

from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check, span_id
from riskgraph.supervision.sectors import unapproved
from riskgraph.supervision.tipoffs import salience

__all__: list[str] = []


def _lists(seen: View, rule: Rule) -> Iterator[tuple[str, dict[int, list[tuple[str, str, int, int]]]]]:
    """Keyword lists of a rule with their hits."""
    for name, entry in seen.catalogue.keywords.items():
        if entry["rule"] == rule.id:
            yield name, seen.hits[name]


def _spans(seen: View, code: int, hits: list[tuple[str, str, int, int]]) -> tuple[str, ...]:
    return tuple(span_id(seen, code, field, start, stop, word) for field, word, start, stop in hits)


@check(
    "KEYWORD-NAME-LIST-A",
    "KEYWORD-NAME-LIST-B-ASSETMGMT",
    "KEYWORD-NAME-LIST-C-EXCHANGE",
    "KEYWORD-NAME-LIST-D-WEALTH",
    "KEYWORD-SCOPE-LIST-E-WEALTH",
)
def words(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Words of a list in the name or scope of a firm that holds no financial licence on the day."""
    firms = seen.is_kind("company", "unknown")
    for name, found in _lists(seen, rule):
        for code, hits in found.items():
            if not firms[code] or seen.licensed(code):
                continue
            words = dict.fromkeys(word for _, word, _, _ in hits)
            fields = dict.fromkeys(field for field, _, _, _ in hits)
            zh_fields = "、".join({"name": "名称", "scope": "经营范围"}.get(field, field) for field in fields)
            yield Finding(
                code,
                _spans(seen, code, hits),
                say(
                    f"{zh_fields}含名单{name}字样：{'、'.join(words)}",
                    f"{' and '.join(fields)} hold words of list {name}: {', '.join(words)}",
                ),
            )


@check("KEYWORD-NAME-LIST-F-UNAPPROVED")
def unapproved_names(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Words that need an approval, without one on the day."""
    for name, found in _lists(seen, rule):
        cures = seen.catalogue.keywords[name].get("cures", {})
        for code, hits in found.items():
            bare = unapproved(seen, code, hits, cures)
            if bare and seen.is_kind("company", "unknown")[code]:
                words = dict.fromkeys(word for _, word, _, _ in bare)
                yield Finding(
                    code,
                    _spans(seen, code, bare),
                    say(f"未经批准冠名：{'、'.join(words)}", f"name without approval: {', '.join(words)}"),
                )


def _financial_acts(seen: View, code: int) -> list[int]:
    """Positions of what a firm does in finance: products, money taken from others, loans."""
    acts = [*seen.out("manages", code), *seen.out("distributes", code), *seen.out("lends", code)]
    acts += seen.into("invests", code)
    person = seen.is_kind("person")
    acts += [position for position in seen.into("lends", code) if person[seen.cols.source[position]]]
    return acts


@check("KEYWORD-TYPE-LIST-H-PRIVATE-FINANCING")
def private_financing(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A private financing institution that does financial business."""
    for _, found in _lists(seen, rule):
        for code, hits in found.items():
            if seen.licensed(code):
                continue
            acts = _financial_acts(seen, code)
            cases = seen.under(code, "illegal_fundraising")
            if acts or cases:
                word = hits[0][1]
                yield Finding(
                    code,
                    (*_spans(seen, code, hits[:1]), *seen.relation(acts), *cases),
                    say(f"“{word}”类机构开展金融业务", f"an institution of type {word} does financial business"),
                )


@check("KEYWORD-DYNAMIC-LIST-I")
def dynamic_additions(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A wealth firm that takes money as debt and is under serious suspicion."""
    person = seen.is_kind("person")
    for _, found in _lists(seen, rule):
        for code, hits in found.items():
            debts = [position for position in seen.into("lends", code) if person[seen.cols.source[position]]]
            value, facts = seen.truth("illegal_fundraising_suspected").get(code, (None, ()))
            cases = seen.under(code, "illegal_fundraising", "unlicensed_finance")
            suspicion = (*(facts if value else ()), *cases)
            if debts and suspicion:
                yield Finding(
                    code,
                    (*_spans(seen, code, hits[:1]), *seen.relation(debts), *suspicion),
                    say(
                        "以债权形式吸收资金且有重大嫌疑，增补入名单",
                        "takes money as debt under serious suspicion; added to the list",
                    ),
                )


@check("DATA-FIRST-BATCH-PAYMENT")
def printed_names(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A name printed in full on a list; masked names give candidates (:func:`match_names`), never findings."""
    lists = seen.catalogue.section("name_lists")
    for entity, source, _, printed, match, status in seen.printed.itertuples(index=False):
        if match == "exact" and lists[source]["rule"] == rule.id:
            code = seen.graph.code(entity)
            yield Finding(
                code,
                (span_id(seen, code, "name", 0, len(str(seen.names[code])), printed),),
                say(f"列入名单：{lists[source]['zh']}", f"on a list: {lists[source]['en']}, status {status}"),
            )


@check("OTHER-COMPLAINT-SALIENCE")
def often_reported(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A firm or person reported by many."""
    if rule.id != "OTHER-COMPLAINT-SALIENCE":
        return
    for code, cases in salience(seen).items():
        yield Finding(
            code,
            cases,
            say(f"举报投诉{len(cases)}件，达到重点标准", f"{len(cases)} tip-offs and complaints from enough reporters"),
        )
