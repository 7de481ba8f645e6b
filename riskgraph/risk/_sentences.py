"""Relations, cases and paths as sentences in Chinese and English; nothing on a path is left out."""

from __future__ import annotations

from typing import Any

import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.schema import CASE_TEXTS, RELATION_TEXTS, ROLES, SEED_CASES

__all__ = ["path_sentence", "relation_sentence", "seed_phrase"]


def relation_sentence(row: dict[str, Any], source: str, target: str, lang: str) -> str:
    """One relation with its share, amount, confidence, dates and source.

    Examples
    --------
    >>> row = {"kind": "owns", "share_min": 0.6, "share_max": 0.6, "start": pd.Timestamp("2013-05-01")}
    >>> relation_sentence(row, "Hank", "Dairy", "en")
    'Hank owns Dairy (60%, since 2013-05-01)'
    """
    zh = lang == "zh"
    given = row.get("role")
    if _blank(given):
        role = "职务" if zh else "officer"
    else:
        role = ROLES.get(str(given), str(given)) if zh else str(given).replace("_", " ")
    text = RELATION_TEXTS[row["kind"]][0 if not zh else 1].format(source=source, target=target, role=role)
    notes = [note for note in _notes(row, zh) if note]
    if not notes:
        return text
    return f"{text}（{'，'.join(notes)}）" if zh else f"{text} ({', '.join(notes)})"


def _notes(row: dict[str, Any], zh: bool) -> list[str]:
    low, high = row.get("share_min"), row.get("share_max")
    amount, confidence, source = row.get("amount"), row.get("confidence"), row.get("source_ref")
    return [
        _span(low, high),
        "" if _blank(amount) else (f"金额{amount:,.0f}元" if zh else f"CNY {amount:,.0f}"),
        "" if _blank(confidence) else (f"置信度{confidence:g}" if zh else f"confidence {confidence:g}"),
        _dates(row.get("start"), row.get("end"), zh),
        "" if _blank(source) else (f"来源：{source}" if zh else f"source: {source}"),
    ]


def _blank(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _span(low: Any, high: Any) -> str:
    if _blank(low) and _blank(high):
        return ""
    low, high = (0.0 if _blank(low) else low), (1.0 if _blank(high) else high)
    return f"{100 * low:.10g}%" if low == high else f"{100 * low:.10g}%-{100 * high:.10g}%"


def _dates(start: Any, end: Any, zh: bool) -> str:
    first = "" if _blank(start) else str(pd.Timestamp(start).date())
    last = "" if _blank(end) else str(pd.Timestamp(end).date())
    if first and last:
        return f"{first}至{last}" if zh else f"{first} to {last}"
    if first:
        return f"{first}起" if zh else f"since {first}"
    if last:
        return f"至{last}" if zh else f"until {last}"
    return ""


def seed_phrase(graph: EntityGraph, code: int, lang: str) -> str:
    """A seed with the cases that make it one."""
    zh = lang == "zh"
    parts = []
    for case in graph.cached(("risk", "seed cases"), lambda: _seed_cases(graph)).get(str(graph.ids[code]), []):
        notes = [CASE_TEXTS[case["type"]][1 if zh else 0], _dates(case["start"], case["end"], zh)]
        if not _blank(case["authority"]):
            notes.append(str(case["authority"]))
        if not _blank(case["source_ref"]):
            notes.append(f"来源：{case['source_ref']}" if zh else f"source: {case['source_ref']}")
        parts.append(("，" if zh else ", ").join(note for note in notes if note))
    if not parts:
        parts = ["给定的风险源" if zh else "given as a seed"]
    name = graph.names_of([code])[0]
    return f"{name}（{'；'.join(parts)}）" if zh else f"{name} ({'; '.join(parts)})"


def _seed_cases(graph: EntityGraph) -> dict[str, list[dict[str, Any]]]:
    """Cases that make a seed, by entity."""
    found: dict[str, list[dict[str, Any]]] = {}
    for case in graph.cases[graph.cases["type"].isin(SEED_CASES)].to_dict("records"):
        found.setdefault(str(case["entity"]), []).append({str(name): value for name, value in case.items()})
    return found


def path_sentence(
    graph: EntityGraph,
    entities: tuple[int, ...],
    relations: list[dict[str, Any]],
    value: float,
    *,
    measure: str,
    lang: str,
) -> str:
    """A path from a seed with every one of its relations, rows of the relations table, and what it carries."""
    zh = lang == "zh"
    names = [str(name) for name in graph.names_of(entities)]
    called = dict(zip(graph.ids[list(entities)], names, strict=True))
    sentences = [relation_sentence(row, called[row["source"]], called[row["target"]], lang) for row in relations]
    start = seed_phrase(graph, entities[0], lang)
    if measure == "probability":
        carries = f"传导概率{value:.2%}" if zh else f"probability {value:.2%}"
    else:
        carries = f"权重{value:.6g}" if zh else f"weight {value:.6g}"
    if not sentences:
        return f"风险源：{start}。{carries}。" if zh else f"Seed: {start}. {carries.capitalize()}."
    if zh:
        return f"风险源：{start}。路径：{' → '.join(names)}。{'；'.join(sentences)}。{carries}。"
    return f"Seed: {start}. Path: {' → '.join(names)}. {'; '.join(sentences)}. {carries.capitalize()}."
