"""What a page knows: entities, relations, cases and how they look, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._looks import ENTITY_NAMES, LINES, OTHER_LINE, SHAPES, risk_rgb
from riskgraph.graph import EntityGraph
from riskgraph.schema import CASE_TEXTS, ENTITY_KINDS, RELATION_NAMES, ROLES, SECTOR_TEXTS, SYMMETRIC_KINDS

__all__ = ["links_of", "looks", "nodes_of"]

#: relations of one pair and kind from which they become one line with their number and sum
_MANY = 12


def nodes_of(
    graph: EntityGraph, places: np.ndarray, risk: np.ndarray, notes: Mapping[str, str], lang: str
) -> list[dict[str, Any]]:
    """One record an entity, in the graph's order; ``path`` is filled in by the caller."""
    zh = lang == "zh"
    cases = _cases(graph, zh)
    entities = graph.entities
    sector = entities["sector"] if "sector" in entities else pd.Series([None] * len(entities), dtype=object)
    return [
        {
            "id": id,
            "name": str(graph.names[code]),
            "kind": kind,
            "sector": SECTOR_TEXTS[field][zh] if field in SECTOR_TEXTS else (field if isinstance(field, str) else ""),
            "risk": round(float(risk[code]), 6),
            "x": round(float(places[code, 0]), 1),
            "y": round(float(places[code, 1]), 1),
            "cases": cases.get(id, []),
            "note": notes.get(id, ""),
            "path": [],
        }
        for code, (id, kind, field) in enumerate(zip(graph.ids, entities["kind"], sector, strict=True))
    ]


def _cases(graph: EntityGraph, zh: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in graph.known("cases").itertuples(index=False):
        since = _day(row.start)
        until = _day(row.end)
        when = (
            f" {since or '?'}" + ((f"至{until}" if zh else f" to {until}") if until else "") if since or until else ""
        )
        parts = [row.authority, row.source_ref]
        source = " · ".join(part for part in parts if isinstance(part, str))
        found.setdefault(row.entity, []).append(f"{CASE_TEXTS[row.type][zh]}{when}{f' [{source}]' if source else ''}")
    return found


def links_of(graph: EntityGraph, lang: str) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """One record a relation, in force or ended, and the place of each relation by its id.

    Many relations of one pair and kind are one record with their number and their sum.
    """
    zh = lang == "zh"
    frame = pd.concat([graph.relations, graph.history], ignore_index=True)
    ends = frame.groupby(["source", "target", "kind"], sort=False)
    frame = frame.assign(
        a=graph.codes(frame["source"]), b=graph.codes(frame["target"]), times=ends["kind"].transform("size")
    )
    links: list[dict[str, Any]] = []
    place: dict[str, int] = {}
    for row in frame[frame["times"] < _MANY].itertuples(index=False):
        place[row.id] = len(links)
        links.append(_link(row, zh))
    for (_, _, _), group in frame[frame["times"] >= _MANY].groupby(["a", "b", "kind"], sort=True):
        place.update(dict.fromkeys(group["id"], len(links)))
        links.append(_bundle(group, zh))
    return links, place


def _link(row: Any, zh: bool) -> dict[str, Any]:
    text = RELATION_NAMES[row.kind][zh]
    if isinstance(row.role, str):
        text = ROLES.get(row.role, row.role) if zh else row.role.replace("_", " ")
    short = ""
    if row.share_min == row.share_min or row.share_max == row.share_max:
        low, high = (f"{100 * value:.4g}" if value == value else "?" for value in (row.share_min, row.share_max))
        short = f"{low}%" if low == high else f"{low}–{high}%"
    elif row.amount == row.amount:
        short = f"{row.amount:,.0f}"
    amount = f" {row.amount:,.0f}" if row.amount == row.amount and short[-1:] == "%" else ""
    chance = f" p={row.confidence:.2g}" if row.kind == "same_as" and row.confidence == row.confidence else ""
    return {
        "a": int(row.a),
        "b": int(row.b),
        "kind": row.kind,
        "both": row.kind in SYMMETRIC_KINDS,
        "text": f"{text}{f' {short}' if short else ''}{amount}{chance}",
        "short": short,
        "start": _day(row.start),
        "end": _day(row.end),
        "ref": row.source_ref if isinstance(row.source_ref, str) else "",
    }


def _bundle(group: pd.DataFrame, zh: bool) -> dict[str, Any]:
    row = group.iloc[0]
    sum_ = group["amount"].sum(min_count=1)
    short = f"×{len(group):,}" + (f" {sum_:,.0f}" if sum_ == sum_ else "")
    refs = list(dict.fromkeys(ref for ref in group["source_ref"] if isinstance(ref, str)))
    return {
        "a": int(row["a"]),
        "b": int(row["b"]),
        "kind": row["kind"],
        "both": row["kind"] in SYMMETRIC_KINDS,
        "text": f"{RELATION_NAMES[row['kind']][zh]} {short}",
        "short": short,
        "start": "" if group["start"].isna().any() else _day(group["start"].min()),
        "end": "" if group["end"].isna().any() else _day(group["end"].max()),
        "ref": "; ".join(refs[:5]) + (f" … ({len(refs)})" if len(refs) > 5 else ""),
    }


def _day(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:%Y-%m-%d}"


def looks(kinds: Sequence[str], entities: Sequence[str], lang: str) -> dict[str, Any]:
    """Lines of the relation kinds given, shapes of the entity kinds given, and the scale of risk."""
    zh = lang == "zh"
    lines = {kind: LINES.get(kind, OTHER_LINE) for kind in RELATION_NAMES if kind in kinds}
    return {
        "lines": {
            kind: {"color": line.color, "dash": line.dash, "width": line.width, "name": RELATION_NAMES[kind][zh]}
            for kind, line in lines.items()
        },
        "shapes": {
            kind: {"corners": SHAPES[kind], "name": ENTITY_NAMES[kind][zh]} for kind in ENTITY_KINDS if kind in entities
        },
        "risk": [f"rgb({red},{green},{blue})" for red, green, blue in (risk_rgb(step / 10) for step in range(11))],
    }
