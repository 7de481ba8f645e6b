"""Disposition: one of six by licence and conduct, the steps of the visit, and the day by which they are due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.supervision._view import View, check_lang, view
from riskgraph.supervision.checks.conduct import orders, rectified_on
from riskgraph.supervision.checks.yields import high_yields
from riskgraph.supervision.triage import judge
from riskgraph.supervision.workdays import working_days_after

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["dispose", "visit_flow"]

_CONDUCT = (
    "violation", "substance_mismatch", "evasion", "fraud_suspected", "illegal_fundraising_suspected", "risk_level",
)  # fmt: skip


class Flow(NamedTuple):
    """Leaf of the visit's decision tree: measures, whether a term runs, facts that decided, facts missing."""

    leaf: str
    measures: tuple[str, ...]
    term: bool
    why: tuple[str, ...]
    missing: tuple[str, ...] = ()


def matrix_code(seen: View, code: int) -> int | str | None:
    """One of the six classes, ``"gap"`` or ``"unknown"`` where they do not fit, None where nothing is to be done."""
    licensed = bool(seen.licensed(code))
    fraud = seen.is_true("fraud_suspected", code) or seen.is_true("illegal_fundraising_suspected", code)
    fraud = fraud or bool(seen.under(code, "illegal_fundraising"))
    evasive = seen.is_true("evasion", code)
    risk = seen.level("risk_level", code)[0]
    violating = seen.is_true("violation", code) or bool(seen.under(code, "sanctioned"))
    if not licensed:
        if fraud:
            return 6
        if evasive or seen.under(code, "banned"):
            return 5
        if risk == "low":
            return 4
        if risk in ("medium", "high"):
            return "gap"
        return "unknown"
    if seen.is_true("substance_mismatch", code):
        return 3
    if violating or fraud or evasive:
        return 2
    if risk == "high":
        return 1
    if risk == "medium":
        return 1
    return None if risk == "low" else "unknown"


def visit_flow(seen: View, code: int) -> list[Flow]:
    """Leaves of the joint visit: yield, then whether the business can last; the out-of-province branch besides."""
    flows = []
    product = [int(seen.cols.target[step]) for step in seen.out("manages", code)]
    yields = high_yields(seen)
    told = [item for item in (code, *product) if seen.number("promised_yield", item)[0] is not None or item in yields]
    high = [item for item in (code, *product) if item in yields]
    suspected, facts = seen.truth("illegal_fundraising_suspected").get(code, (None, ()))
    cases = seen.under(code, "illegal_fundraising")
    if high and (suspected or cases):
        why = (*(fact for item in high for fact in yields[item][2]), *(facts if suspected else ()), *cases)
        flows.append(Flow("yield_too_high", ("stop", "repayment_plan", "key_monitor"), True, why))
    elif told:
        flows.append(_sustain(seen, code, [code, *product]))
    registered = seen.registered[code]
    if registered and registered[:2] != seen.catalogue.home_province:
        risk, ids = seen.level("risk_level", code)
        ref = f"{seen.ids[code]}.registered_in={registered}"
        if risk == "high":
            flows.append(
                Flow(
                    "out_of_province_high",
                    ("inquiry", "key_monitor", "settle_locally", "leave_province"),
                    False,
                    (ref, *ids),
                )
            )
        else:
            missing = ("risk_level",) if risk is None else ()
            flows.append(Flow("out_of_province", ("inquiry", "key_monitor"), False, (ref, *ids), missing))
    return flows


def _sustain(seen: View, code: int, items: list[int]) -> Flow:
    lasting, facts = seen.truth("sustainable", worst=False).get(code, (None, ()))
    if lasting is None:
        for item in items:
            promised, a = seen.number("promised_yield", item)
            project, b = seen.number("project_return", item)
            if promised is not None and project is not None:
                holds = project >= promised
                lasting = holds if lasting is None else lasting and holds
                facts = (*facts, *a, *b)
    risk, more = seen.truth("repayment_risk").get(code, (None, ()))
    if risk is None:
        assets, a = seen.number("assets", code)
        debts, b = seen.number("liabilities", code)
        if assets is not None and debts is not None:
            risk, more = debts > assets, (*a, *b)
    if lasting is False:
        return Flow("unsustainable", ("stop", "repayment_plan", "key_monitor"), True, (*facts, *more))
    if risk:
        return Flow("repayment_risk", ("key_monitor",), False, (*facts, *more))
    if lasting and risk is False:
        return Flow("routine", ("routine_monitor",), False, (*facts, *more))
    missing = tuple(name for name, value in (("sustainable", lasting), ("repayment_risk", risk)) if value is None)
    return Flow("undetermined", ("human_review",), False, (*facts, *more), missing)


def dispose(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, lang: str = "zh") -> pd.DataFrame:
    """Disposition of every firm for which something is to be done, one row each.

    Parameters
    ----------
    graph
        Any entity graph.
    catalogue
        The six classes, measures and terms.
    at
        Day asked about; orders without a day of their own count from it.
    lang
        Language of ``measure``.

    Returns
    -------
    DataFrame
        ``entity, code, measure, due``. ``code`` is 1 to 6, missing where the six classes do not fit; ``measure`` then
        says that a person must decide. ``measure`` joins everything to be done by ``; ``, ``due`` is the earliest
        day by which a part of it must be done. A term outside the official calendar says so in ``measure``. A firm
        with a licence, clean and of low risk has no row, nor has one about whose conduct nothing is known.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, dispose
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1"], "kind": ["company"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ...     facts=pd.DataFrame({"entity": ["C1"], "fact": ["fraud_suspected"], "value": [True]}),
    ... )
    >>> dispose(graph, Catalogue.load(), lang="en")[["entity", "code", "measure"]]
      entity  code                                            measure
    0     C1     6  unlicensed, suspected fraud or grave illegalit...
    """
    check_lang(lang)
    seen = view(graph, catalogue, at=at, lang=lang)
    firms = seen.is_kind("company", "trust", "unknown")
    told = {code for name in _CONDUCT for code in seen.facts(name)["code"]}
    told |= set(seen.cases("illegal_fundraising", "banned", "sanctioned", "order")["code"]) | set(seen.labels)
    rows = []
    for code in sorted(int(code) for code in told):
        if not firms[code] or not seen.alive[code]:
            continue
        number, measures, due = _of(seen, code, lang)
        if measures:
            rows.append((seen.ids[code], number, "; ".join(dict.fromkeys(measures)), due))
    frame = pd.DataFrame(rows, columns=["entity", "code", "measure", "due"])
    frame["code"] = frame["code"].astype("Int64")
    frame["due"] = pd.to_datetime(frame["due"]).astype("datetime64[s]")
    return frame


def _of(seen: View, code: int, lang: str) -> tuple[int | None, list[str], np.datetime64]:
    measures: list[str] = []
    dues: list[np.datetime64] = []
    known = seen.told(code, *_CONDUCT) or seen.under(code, "illegal_fundraising", "banned", "sanctioned")
    found = matrix_code(seen, code) if known else None
    number = found if isinstance(found, int) else None
    if found is not None:
        measures.append(seen.catalogue.phrase("dispositions", found, lang))
    for flow in visit_flow(seen, code):
        measures += [
            _measure(seen, name, lang, flow.missing if name == "human_review" else ()) for name in flow.measures
        ]
        if flow.term:
            due, text = _term(seen, code, lang)
            dues.append(due)
            measures += [text] if text else []
    strict = any({"stop", "key_monitor"} & set(flow.measures) for flow in visit_flow(seen, code))
    # the stricter set wins: who is stopped or under key monitoring is not merely supervised on
    mild = (
        {seen.catalogue.phrase("measures", name, lang) for name in ("ongoing", "routine_monitor")} if strict else set()
    )
    measures = [text for text in [*measures, *_by_sector(seen, code, lang)] if text not in mild]
    steps, more = _orders(seen, code, lang)
    measures += steps
    dues += more
    day = min((due for due in dues if not np.isnat(due)), default=np.datetime64("NaT", "D"))
    return number, measures, day


def _measure(seen: View, name: str, lang: str, missing: tuple[str, ...] = ()) -> str:
    text = seen.catalogue.phrase("measures", name, lang)
    return f"{text} ({', '.join(missing)})" if missing else text


def _term(seen: View, code: int, lang: str) -> tuple[np.datetime64, str]:
    """Due day of a repayment plan: of the order if there is one, else of the day asked about."""
    days = int(seen.catalogue.value("TIMELINE-TEN-WORKDAYS", "working_days", 10))
    given = [(day, due) for day, due, _ in orders(seen, code)]
    start = given[-1][0] if given and not np.isnat(given[-1][0]) else seen.day
    if given and not np.isnat(given[-1][1]):
        return given[-1][1], ""
    if start is None:
        return np.datetime64("NaT", "D"), ""
    due, official = working_days_after(start, days)
    if official:
        return due, ""
    return (
        due,
        "官方日历未涵盖，按周一至周五计"
        if lang == "zh"
        else "the official calendar does not cover it: weekdays counted",
    )


def _by_sector(seen: View, code: int, lang: str) -> list[str]:
    found = []
    for sector in dict.fromkeys(sector for sector, _, _ in seen.labels.get(code, [])):
        verdict = judge(seen, code, sector, lang).verdict
        if sector == "p2p":
            names = {"compliant": ["ongoing"], "rectify": ["rectify"], "ban": ["revoke"]}.get(verdict, [])
        elif sector in (
            "asset_management",
            "exchange",
            "payment",
            "equity_crowdfunding",
            "insurance",
            "wealth_management",
        ):
            names = {"rectify": ["rectify"], "ban": ["ban"]}.get(verdict, [])
            if sector == "asset_management" and verdict == "rectify":
                names.append("no_new_business")
        else:
            names = []
        if verdict == "ban" and (
            seen.is_true("illegal_fundraising_suspected", code)
            or seen.under(code, "illegal_fundraising", "criminal_record")
        ):
            names.append("judicial")
        found += [_measure(seen, name, lang) for name in names]
    return found


def _orders(seen: View, code: int, lang: str) -> tuple[list[str], list[np.datetime64]]:
    """An order overdue and not rectified moves to closure; one still running keeps its due day."""
    found, dues = [], []
    done = rectified_on(seen, code)
    for _, due, case in orders(seen, code):
        if done is not None or np.isnat(due):
            continue
        dues.append(due)
        if seen.day is not None and due < seen.day:
            found.append(f"{_measure(seen, 'close', lang)} ({case})")
        else:
            found.append(f"{_measure(seen, 'rectify', lang)} ({case})")
    return found, dues
