"""Monitoring: deadlines by level, repayment plans, orders not carried out, statements that do not hold, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.supervision._view import View, check_lang, view
from riskgraph.supervision.checks.conduct import orders, rectified_on
from riskgraph.supervision.sectors import is_bank
from riskgraph.supervision.verification import verify_declared

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["monitor", "repayment_plans"]

_COLUMNS = ["entity", "kind", "due", "status", "evidence", "text"]
_NAT = np.datetime64("NaT", "D")
Row = tuple[Any, str, Any, str, tuple[str, ...], str]


def monitor(
    graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, lang: str = "zh", done: Iterable[str] = ()
) -> pd.DataFrame:
    """What is due, overdue, not carried out, not true or suspicious on a day.

    Parameters
    ----------
    graph
        Any entity graph. Repayment plans are facts ``repayment_due`` and ``repayment_available`` with a future
        ``start``; they count when known.
    catalogue
        Deadlines and terms.
    at
        Day asked about.
    lang
        Language of ``text``.
    done
        Ids of deadlines that were met (``county:p2p:1``).

    Returns
    -------
    DataFrame
        ``entity, kind, due, status, evidence, text``. Kinds: ``deadline`` (entity is ``level:sector``; for the
        sectors in the graph and the overall ones; status done, due, overdue), ``repayment_plan`` (feasible,
        infeasible, incomplete), ``order`` (due, overdue, carried_out, not_carried_out), ``declared`` (mismatch,
        unverified), ``alert``.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, monitor
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1"], "kind": ["company"], "sector": ["p2p"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ...     cases=pd.DataFrame({"entity": ["C1"], "type": ["order"], "start": ["2016-05-10"], "due": ["2016-06-10"]}),
    ... )
    >>> rows = monitor(graph, Catalogue.load(), at="2016-06-30", lang="en")
    >>> rows.loc[rows["kind"] == "order", ["entity", "due", "status", "evidence"]].to_numpy().tolist()
    [['C1', Timestamp('2016-06-10 00:00:00'), 'overdue', ('c0',)]]
    """
    check_lang(lang)
    seen = view(graph, catalogue, at=at, lang=lang)
    rows: list[Row] = [
        *_deadlines(seen, lang, set(done)),
        *_plans(seen, lang),
        *_orders(seen, lang),
        *_channels(seen, lang),
        *_declared(seen, lang),
        *_alerts(seen, lang),
    ]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    frame["due"] = pd.to_datetime(frame["due"]).astype("datetime64[s]")
    return frame


def _say(lang: str, zh: str, en: str) -> str:
    return zh if lang == "zh" else en


def _deadlines(seen: View, lang: str, done: set[str]) -> Iterator[Row]:
    sectors = {sector for given in seen.labels.values() for sector, _, _ in given} | {"overall"}
    for row in seen.catalogue.deadlines.itertuples(index=False):
        if row.sector not in sectors:
            continue
        due = row.due.to_datetime64().astype("datetime64[D]")
        status = "done" if row.id in done else "overdue" if seen.day is not None and due < seen.day else "due"
        task = seen.catalogue.phrase("tasks", row.task, lang)
        note = row.note_zh if lang == "zh" else row.note_en
        level = {
            "county": _say(lang, "县级", "county"),
            "city": _say(lang, "市级", "city"),
            "province": _say(lang, "省级", "province"),
        }[row.level]
        sector = row.sector if row.sector == "overall" else seen.catalogue.sectors[row.sector][lang]
        text = f"{level} {sector}: {task} ({row.clause})" + (f"; {note}" if note else "")
        yield f"{row.level}:{row.sector}", "deadline", due, status, (row.id,), text


def repayment_plans(seen: View) -> dict[int, tuple[str, np.datetime64, tuple[str, ...], float]]:
    """(status, day, fact ids, shortfall) of the repayment plan of every entity that has one.

    A plan is feasible when, on every date, the sources up to it cover the dues up to it; an unknown amount that could
    decide makes it incomplete.
    """
    known = seen._coded(seen.graph.known("facts"))
    known = known[known["fact"].isin(["repayment_due", "repayment_available"])]
    found: dict[int, tuple[str, np.datetime64, tuple[str, ...], float]] = {}
    for code, group in known.groupby("code", sort=True):
        days = group["start"].to_numpy().astype("datetime64[D]")
        values = pd.to_numeric(group["value"], errors="coerce").to_numpy(dtype=float)
        owed = (group["fact"] == "repayment_due").to_numpy()
        if not owed.any():
            continue
        first = np.datetime64("0001-01-01", "D")
        days = np.where(np.isnat(days), first, days)
        ids = tuple(group["id"].astype(str))
        status, on, gap = "feasible", days.max(), 0.0
        for day in np.unique(days):
            until = days <= day
            due, ready = values[until & owed], values[until & ~owed]
            shortfall = float(np.nansum(due) - np.nansum(ready))
            if shortfall > 0 and not np.isnan(ready).any():
                status, on, gap = "infeasible", day, shortfall
                break
            if np.isnan(due).any() or np.isnan(ready).any():
                status, on = "incomplete", day
        found[int(code)] = (status, _NAT if on == first else on, ids, gap)
    return found


def _plans(seen: View, lang: str) -> Iterator[Row]:
    for code, (status, day, ids, gap) in repayment_plans(seen).items():
        text = {
            "feasible": _say(lang, "兑付方案各日资金足够", "sources cover dues on every date"),
            "infeasible": _say(lang, f"{day}资金缺口{gap:g}元", f"shortfall of {gap:g} CNY on {day}"),
            "incomplete": _say(lang, "兑付方案金额不全", "amounts of the plan are incomplete"),
        }[status]
        yield seen.ids[code], "repayment_plan", day, status, ids, text


def _orders(seen: View, lang: str) -> Iterator[Row]:
    for code in sorted(set(seen.cases("order")["code"])):
        done = rectified_on(seen, code)
        for day, due, case in orders(seen, code):
            if done is not None and (np.isnat(day) or np.isnat(done) or done >= day):
                status = "carried_out"
            else:
                status = "overdue" if seen.day is not None and not np.isnat(due) and due < seen.day else "due"
            text = {
                "carried_out": _say(lang, "整改已完成", "rectified"),
                "overdue": _say(lang, "逾期未整改", "rectification overdue"),
                "due": _say(lang, "整改期内", "within the period to rectify"),
            }[status]
            yield seen.ids[code], "order", due, status, (case,), text


def _channels(seen: View, lang: str) -> Iterator[Row]:
    """Services that had to end: channels of ordered payment firms, bank and payment services of irregular venues."""
    venues = set(seen.in_sector("exchange", "venue"))
    payment = set(seen.in_sector("payment", "unlicensed"))
    for code in sorted(set(seen.cases("order", "determination", "banned", "unlicensed_finance")["code"])):
        code = int(code)
        if code not in venues | payment:
            continue
        frame = seen.cases("order", "determination", "banned", "unlicensed_finance")
        mine = frame[frame["code"] == code]
        start = mine["start"].to_numpy().astype("datetime64[D]")
        due = mine["due"].to_numpy().astype("datetime64[D]")
        by = np.where(np.isnat(due), start, due)
        given = by[~np.isnat(by)]
        if not given.size:
            continue
        day, case = given.min(), str(mine["id"].iloc[int(np.argmax(by == given.min()))])
        for kind in ("channels", "custodies", "lends") if code in venues else ("channels",):
            for position in seen.ever_into(kind, code):
                provider = int(seen.ever["source"][position])
                end = seen.ever["end"][position]
                if not seen.ever["now"][position] and end > day:
                    status = "not_carried_out"
                    text = _say(
                        lang,
                        f"{seen.name(provider)}于{end}才停止服务，晚于{day}",
                        f"{seen.name(provider)} stopped only on {end}, after {day}",
                    )
                elif not seen.ever["now"][position]:
                    status, text = (
                        "carried_out",
                        _say(
                            lang, f"{seen.name(provider)}已于{end}停止服务", f"{seen.name(provider)} stopped on {end}"
                        ),
                    )
                elif seen.day is not None and seen.day < day:
                    status, text = (
                        "due",
                        _say(
                            lang,
                            f"{seen.name(provider)}应在{day}前停止服务",
                            f"{seen.name(provider)} must stop by {day}",
                        ),
                    )
                else:
                    status = "not_carried_out"
                    kind_text = _say(
                        lang,
                        "银行" if is_bank(seen, provider) else "支付机构",
                        "bank" if is_bank(seen, provider) else "payment firm",
                    )
                    text = _say(
                        lang,
                        f"{kind_text}{seen.name(provider)}仍在提供服务",
                        f"{kind_text} {seen.name(provider)} still serves it",
                    )
                yield seen.ids[provider], "order", day, status, (case, *seen.ever_ids([position])), text


def _declared(seen: View, lang: str) -> Iterator[Row]:
    frame = verify_declared(seen.graph, seen.catalogue)
    honesty = frame.attrs["honesty"]
    for row in frame.itertuples(index=False):
        if row.verdict == "match":
            continue
        score = honesty.get(row.entity)
        shown = (
            ""
            if score is None
            else _say(lang, f"；该企业核实一致率{score:.4g}", f"; {score:.4g} of what was checked agrees")
        )
        if row.verdict == "mismatch":
            text = _say(
                lang,
                f"{row.fact}：申报{row.declared}，实际{row.observed}",
                f"{row.fact}: declared {row.declared}, observed {row.observed}",
            )
        else:
            text = _say(
                lang, f"{row.fact}：申报{row.declared}，尚未核实", f"{row.fact}: declared {row.declared}, not verified"
            )
        yield row.entity, "declared", _NAT, row.verdict, row.evidence, text + shown


def _alerts(seen: View, lang: str) -> Iterator[Row]:
    words = seen.hits.get("finance", {})
    for site, (value, facts) in seen.truth("unfiled").items():
        found = [word for field, word, _, _ in words.get(site, []) if field == "website_text"]
        if not value or not found:
            continue
        texts = tuple(fact for _, fact in seen.texts("website_text").get(site, []))
        text = _say(lang, f"未备案网站含“{found[0]}”内容", f"site without filing holds the words {found[0]}")
        yield seen.ids[site], "alert", _NAT, "open", (*facts, *texts), text
        for step in seen.into("operates", site):
            operator = int(seen.cols.source[step])
            yield (
                seen.ids[operator],
                "alert",
                _NAT,
                "open",
                (*facts, *texts, *seen.relation(step)),
                f"{text} ({seen.name(site)})",
            )
    for code, pace in _sudden(seen).items():
        yield (
            seen.ids[code],
            "alert",
            _NAT,
            "open",
            pace[1],
            _say(lang, f"业务量异常变动：{pace[0]:.3g}倍", f"volume changed {pace[0]:.3g}-fold"),
        )


def _sudden(seen: View) -> dict[int, tuple[float, tuple[str, ...]]]:
    """Newest volume more than three times the one before it, or less than a third."""
    known = seen._coded(seen.graph.known("facts"))
    known = known[(known["fact"] == "volume") & known["start"].notna()]
    if seen.day is not None:
        known = known[known["start"].to_numpy().astype("datetime64[D]") <= seen.day]
    found = {}
    for code, group in known.sort_values("start", kind="stable").groupby("code"):
        values = pd.to_numeric(group["value"], errors="coerce").to_numpy(dtype=float)
        if len(values) > 1 and values[-2] > 0 and values[-1] >= 0:
            ratio = float(values[-1] / values[-2])
            if ratio > 3 or ratio < 1 / 3:
                found[int(code)] = (ratio, tuple(group["id"].astype(str).iloc[-2:]))
    return found
