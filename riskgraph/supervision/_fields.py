"""Fields of a firm's file: what the plan asks of each sector, and where the graph holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.supervision._view import View
from riskgraph.supervision.checks.conduct import key_signals
from riskgraph.supervision.groups import head_of
from riskgraph.supervision.sectors import is_bank

__all__ = ["Field", "fields_of"]


class Field(NamedTuple):
    """One field of the file; ``value`` None is missing."""

    section: str
    field: str
    value: Any
    source: str
    method: str
    evidence: tuple[str, ...]


#: value, evidence, and how it was found: fact, relation, computed, registry
Answer = tuple[Any, tuple[str, ...], str]
_NONE: Answer = (None, (), "")

_METHODS = {
    "fact": ("资料记载", "on record"),
    "relation": ("关系记载", "on record as a relation"),
    "computed": ("图谱计算", "computed from the graph"),
    "registry": ("登记信息", "registration"),
    "case": ("案件记载", "on record as a case"),
}

_SECTIONS: dict[str, tuple[str, ...]] = {
    "p2p": ("DOSSIER-P2P-BASIC", "DOSSIER-P2P-PRODUCTS", "DOSSIER-P2P-ISSUES", "DOSSIER-P2P-CAPITAL-DEBT"),
    "wealth_management": ("DOSSIER-WEALTH-SURVEY",),
}
_ALWAYS = ("DOSSIER-JOINT-VISIT",)


def fields_of(seen: View, code: int, lang: str) -> list[Field]:
    """All fields the plan asks of an entity, in the order of the catalogue."""
    wanted: list[str] = []
    table = seen.catalogue.section("dossier")
    for sector, subtype, _ in seen.labels.get(code, []):
        if sector == "payment" and subtype == "unlicensed":
            wanted.append("DOSSIER-PAYMENT-UNLICENSED")
        wanted += _SECTIONS.get(sector, ())
    if not wanted:
        wanted.append("DOSSIER-P2P-BASIC")
    result = []
    for section in dict.fromkeys([*wanted, *_ALWAYS]):
        for name in table.get(section, ()):
            value, evidence, kind = _answer(seen, code, name)
            result.append(
                Field(section, name, value, _sources(seen, evidence), _method(seen, kind, evidence, lang), evidence)
            )
    return result


def _sources(seen: View, evidence: tuple[str, ...]) -> str:
    """Distinct ``source_ref`` of the rows that evidence names."""
    if "sources" not in seen._kept:
        table: dict[str, str] = {}
        for name in ("facts", "cases", "licences"):
            frame = seen.graph.known(name)
            given = frame["source_ref"].where(frame["source_ref"].notna(), "")
            table.update(zip(frame["id"].astype(str), given.astype(str), strict=True))
        relations = seen.graph.relations
        given = relations["source_ref"].where(relations["source_ref"].notna(), "")
        table.update(zip(relations["id"].astype(str), given.astype(str), strict=True))
        column = seen.column("source_ref")
        table.update({str(seen.ids[place]): str(column[place]) for place in np.flatnonzero(column != np.array(None))})
        seen._kept["sources"] = table
    table = seen._kept["sources"]
    found = dict.fromkeys(table.get(ref.split(".")[0], "") for ref in evidence)
    return ";".join(source for source in found if source)


def _method(seen: View, kind: str, evidence: tuple[str, ...], lang: str) -> str:
    if "methods" not in seen._kept:
        facts = seen.graph.known("facts")
        column = facts["method"] if "method" in facts else pd.Series([None] * len(facts), dtype=object)
        seen._kept["methods"] = {
            str(fact): str(value)
            for fact, value in zip(facts["id"], column, strict=True)
            if value is not None and not pd.isna(value)
        }
    given = dict.fromkeys(seen._kept["methods"][ref] for ref in evidence if ref in seen._kept["methods"])
    if given:
        return ";".join(given)
    return _METHODS[kind][0 if lang == "zh" else 1] if kind else ""


def _number(name: str) -> Callable[[View, int], Answer]:
    def answer(seen: View, code: int) -> Answer:
        value, facts = seen.number(name, code)
        return (value, facts, "fact") if value is not None else _NONE

    return answer


def _text(*names: str) -> Callable[[View, int], Answer]:
    def answer(seen: View, code: int) -> Answer:
        given = [pair for name in names for pair in seen.texts(name).get(code, [])]
        return ("; ".join(text for text, _ in given), tuple(fact for _, fact in given), "fact") if given else _NONE

    return answer


def _entity(*columns: str) -> Callable[[View, int], Answer]:
    def answer(seen: View, code: int) -> Answer:
        given = [(name, seen.column(name)[code]) for name in columns if seen.column(name)[code] is not None]
        if not given:
            return _NONE
        return (
            "; ".join(str(value) for _, value in given),
            tuple(f"{seen.ids[code]}.{name}" for name, _ in given),
            "registry",
        )

    return answer


def _others(kind: str, into: bool, share: bool = False, amount: bool = False) -> Callable[[View, int], Answer]:
    def answer(seen: View, code: int) -> Answer:
        steps = seen.into(kind, code) if into else seen.out(kind, code)
        if not steps:
            return _NONE
        names = []
        for step in steps:
            other = int(seen.cols.source[step] if into else seen.cols.target[step])
            part = seen.cols.share_min[step] if share else seen.cols.amount[step] if amount else np.nan
            shown = "" if np.isnan(part) else f" {part:.4%}" if share else f" {part:g}"
            names.append(seen.name(other) + shown)
        return "; ".join(names), seen.relation(steps), "relation"

    return answer


def _controller(seen: View, code: int) -> Answer:
    head = head_of(seen, code)
    steps = (*seen.into("owns", code), *seen.into("controls", code))
    if head == str(seen.ids[code]) or not steps:
        return _NONE
    names = [seen.name(seen.graph.code(part)) if part in seen.graph else part for part in head.split(";")]
    return "; ".join(names), seen.relation(steps), "computed"


def _representative(seen: View, code: int) -> Answer:
    steps = [
        step
        for step in seen.into("officer", code)
        if seen.cols.role[step] >= 0 and seen.cols.roles[seen.cols.role[step]] == "legal_representative"
    ]
    if steps:
        return "; ".join(seen.name(int(seen.cols.source[step])) for step in steps), seen.relation(steps), "relation"
    return _text("legal_representative")(seen, code)


def _branches(seen: View, code: int) -> Answer:
    steps = seen.into("branch_of", code)
    if not steps:
        return _number("branches")(seen, code)
    places: dict[str, int] = {}
    for step in steps:
        place = seen.registered[int(seen.cols.source[step])] or "?"
        places[place] = places.get(place, 0) + 1
    shown = ", ".join(f"{place}: {count}" for place, count in sorted(places.items()))
    return f"{len(steps)} ({shown})", seen.relation(steps), "relation"


def _products(name: str) -> Callable[[View, int], Answer]:
    """Average over the firm's products by the money invested in each, plainly where amounts are unknown."""

    def answer(seen: View, code: int) -> Answer:
        values, weights, evidence = [], [], []
        for step in seen.out("manages", code):
            product = int(seen.cols.target[step])
            value, facts = seen.number(name, product)
            if value is None:
                continue
            paid = seen.cols.amount[seen.into("invests", product)]
            values.append(value)
            weights.append(float(paid.sum()) if paid.size else np.nan)
            evidence += [*facts, *seen.relation(step)]
        if not values:
            return _number(name)(seen, code)
        known = np.array(weights)
        if np.isnan(known).any() or known.sum() <= 0:
            known = np.ones(len(values))
        return round(float(np.average(values, weights=known)), 10), tuple(evidence), "computed"

    return answer


def _red_lines(seen: View, code: int) -> Answer:
    found = {name: seen.truth(name).get(code) for name in seen.catalogue.red_lines}
    told = {name: item for name, item in found.items() if item is not None and item[0] is not None}
    if not told:
        return _NONE
    touched = [seen.catalogue.phrase("red_lines", name) for name, item in told.items() if item[0]]
    unknown = len(found) - len(told)
    text = "、".join(touched) if touched else "未见"
    return (
        f"{text}；{unknown}项不明" if unknown else text,
        tuple(fact for item in told.values() for fact in item[1]),
        "fact",
    )


def _truth(name: str, good: str, bad: str) -> Callable[[View, int], Answer]:
    def answer(seen: View, code: int) -> Answer:
        value, facts = seen.truth(name, worst=False).get(code, (None, ()))
        return (good if value else bad, facts, "fact") if value is not None else _NONE

    return answer


def _signals(seen: View, code: int) -> Answer:
    signals = key_signals(seen, code)
    if not signals:
        return _NONE
    return "、".join(item[0] for item in signals), tuple(ref for _, _, refs in signals for ref in refs), "computed"


def _coverage(seen: View, code: int) -> Answer:
    assets, a = seen.number("assets", code)
    debts, b = seen.number("liabilities", code)
    if assets is None or not debts:
        return _NONE
    return round(assets / debts, 6), (*a, *b), "computed"


def _cooperation(seen: View, code: int) -> Answer:
    steps = [*seen.into("channels", code), *seen.into("custodies", code)]
    steps += [
        step
        for other, step in seen.partners("cooperates", code)
        if is_bank(seen, other) or seen.licensed(other, ["payment"])
    ]
    if not steps:
        return _NONE
    names = dict.fromkeys(
        seen.name(int(seen.cols.source[step] if seen.cols.target[step] == code else seen.cols.target[step]))
        for step in steps
    )
    return "; ".join(names), seen.relation(steps), "relation"


def _regions(seen: View, code: int) -> Answer:
    places = seen.operating[code]
    if not places:
        return _NONE
    return (
        ("是" if len(places) > 1 else "否") + f"（{'、'.join(places)}）",
        (f"{seen.ids[code]}.operates_in",),
        "registry",
    )


def _subcontracts(seen: View, code: int) -> Answer:
    steps = [*seen.into("subcontracts", code), *seen.out("subcontracts", code)]
    if not steps:
        return _NONE
    shown = [f"{seen.name(int(seen.cols.source[step]))}→{seen.name(int(seen.cols.target[step]))}" for step in steps]
    return "; ".join(shown), seen.relation(steps), "relation"


def _unlicensed_partners(seen: View, code: int) -> Answer:
    bare = {other for other in seen.in_sector("payment", "unlicensed") if other != code}
    steps = [step for other, step in seen.partners("cooperates", code) if other in bare]
    steps += [step for step in seen.into("subcontracts", code) if int(seen.cols.source[step]) in bare]
    steps += [step for step in seen.out("subcontracts", code) if int(seen.cols.target[step]) in bare]
    if not steps:
        return _NONE
    ends = dict.fromkeys(
        seen.name(int(seen.cols.source[step] if seen.cols.target[step] == code else seen.cols.target[step]))
        for step in steps
    )
    return "; ".join(ends), seen.relation(steps), "relation"


def _records(seen: View, code: int) -> Answer:
    steps = seen.into("officer", code)
    if not steps:
        return _NONE
    found = {
        int(seen.cols.source[step]): seen.under(int(seen.cols.source[step]), "criminal_record", "abnormal", "banned")
        for step in steps
    }
    bad = {person: cases for person, cases in found.items() if cases}
    text = (
        "; ".join(f"{seen.name(person)}: {', '.join(cases)}" for person, cases in bad.items())
        or f"在册{len(found)}人，未见记录"
    )
    return text, (*seen.relation(steps), *(case for cases in bad.values() for case in cases)), "case"


def _ads(seen: View, code: int) -> Answer:
    steps = seen.into("promotes", code)
    media = [step for step in steps for step in seen.into("publishes", int(seen.cols.source[step]))]
    if not steps:
        return _NONE
    names = dict.fromkeys(seen.name(int(seen.cols.source[step])) for step in media)
    return "; ".join(names) or f"{len(steps)}", seen.relation((*steps, *media)), "relation"


def _merchants(seen: View, code: int) -> Answer:
    value, facts = seen.number("merchants", code)
    steps = seen.out("channels", code)
    if value is None and not steps:
        return _NONE
    count = f"{value:g}" if value is not None else str(len({int(seen.cols.target[step]) for step in steps}))
    places = dict.fromkeys(seen.registered[int(seen.cols.target[step])] for step in steps)
    shown = "、".join(place for place in places if place)
    return (
        f"{count}{f'（{shown}）' if shown else ''}",
        (*facts, *seen.relation(steps)),
        "fact" if value is not None else "relation",
    )


def _first(*answers: Callable[[View, int], Answer]) -> Callable[[View, int], Answer]:
    """The first of several answers that has a value."""

    def answer(seen: View, code: int) -> Answer:
        return next((found for found in (item(seen, code) for item in answers) if found[0] is not None), _NONE)

    return answer


_ANSWERS: dict[str, Callable[[View, int], Answer]] = {
    "股东或出资人": _others("owns", True, share=True),
    "实际控制人": _controller,
    "法定代表人": _representative,
    "注册资本": _first(_entity("capital"), _number("capital")),
    "借贷余额": _number("loan_balance"),
    "出借人总数": _number("lender_count"),
    "分支机构数量及分布": _branches,
    "设立分支机构": _branches,
    "产品期限": _products("maturity_days"),
    "综合收益率": _products("promised_yield"),
    "逾期率": _number("overdue_rate"),
    "业务红线": _red_lines,
    "信息披露问题": _truth("disclosure_complete", "未见", "信息披露不完整、不客观或不及时"),
    "资金存管问题": _truth("client_fund_custody", "未见", "未落实第三方存管"),
    "重点排查信号": _signals,
    "资产": _number("assets"),
    "负债": _number("liabilities"),
    "债权人": _others("lends", True, amount=True),
    "债务人": _others("lends", False, amount=True),
    "偿付覆盖率": _coverage,
    "机构工商注册信息": _entity("name", "uscc", "registered_in", "capital", "status"),
    "企业基本信息": _entity("name", "uscc", "registered_in", "capital", "status"),
    "客户或商户数量及分布": _merchants,
    "客户数量": _first(_number("lender_count"), _merchants),
    "交易规模": _number("volume"),
    "业务模式": _text("declared_business"),
    "经营模式": _text("declared_business"),
    "运作模式": _text("declared_business"),
    "结算方式": _text("settlement_method"),
    "资金规模及存放情况": _first(_number("fund_balance"), _others("custodies", True)),
    "与商业银行及支付机构合作情况": _cooperation,
    "是否跨地区开展业务": _regions,
    "层层转包业务": _subcontracts,
    "与其他无证机构合作情况": _unlicensed_partners,
    "挪用占用资金的可能": _truth("reserve_misused", "存在", "未见"),
    "董监高违法犯罪记录或异常情况": _records,
    "对外宣称的产品收益率": _products("promised_yield"),
    "经营状况": _entity("status"),
    "广告发布形式及发布平台": _ads,
    "工商注册登记地址": _entity("registered_in"),
    "实际经营地址": _entity("operates_in"),
    "门店": _number("outlets"),
}  # fmt: skip


def _answer(seen: View, code: int, name: str) -> Answer:
    """Answer of a field; one the package does not know is looked up as a fact of that name."""
    if name in _ANSWERS:
        return _ANSWERS[name](seen, code)
    return _text(name)(seen, code)
