"""One self-contained interactive page of a graph: no network, strict content policy, harmless for any name."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.report._font import subset_font
from riskgraph.report.tables import write_atomically
from riskgraph.schema import CASE_TEXTS, RELATION_NAMES, ROLES, SECTOR_TEXTS

__all__ = ["page"]

#: nodes drawn at first; the others come when a neighbour is expanded or searched for
FIRST = 120


def page(
    graph: EntityGraph,
    path: str | Path,
    *,
    scores: pd.Series | None = None,
    entity: str | None = None,
    depth: int = 2,
    max_nodes: int = 2000,
    title: str | None = None,
    notes: pd.Series | None = None,
    lang: str = "zh",
) -> Path:
    """Write a page with pan, zoom, search, filters by kind, date and risk, and a card for every entity.

    Parameters
    ----------
    path
        File to write, ending in ``.html``.
    scores
        Risk by entity, shown as colour.
    entity, depth
        Show only what lies within ``depth`` relations of this entity.
    max_nodes
        At most this many entities go into the page, the riskiest and their neighbours first; the page says how many
        were left out.
    notes
        A sentence by entity for its card, such as the path that explains its score.

    Returns
    -------
    The path written.

    Raises
    ------
    InvalidParameter
        ``path`` does not end in ``.html``, or ``lang`` is neither zh nor en.
    UnknownEntity
        The graph does not hold ``entity``.

    Examples
    --------
    >>> import riskgraph as rg, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = rg.report.page(rg.datasets.toy_chain(), pathlib.Path(folder) / "chain.html", lang="en")
    ...     "http://" in file.read_text("utf-8").replace("http://www.w3.org", "")
    False
    """
    path = Path(path)
    if path.suffix.lower() != ".html":
        raise InvalidParameter(f"'path' must end in .html; got {path.name!r}")
    if lang not in ("zh", "en"):
        raise InvalidParameter(f"'lang' must be 'zh' or 'en'; got {lang!r}")
    view = graph if entity is None else graph.neighborhood(entity, depth)
    risk = np.zeros(len(view)) if scores is None else scores.reindex(view.ids).fillna(0.0).to_numpy(dtype=float)
    kept = _choose(view, risk, max_nodes)
    part = view if kept.size == len(view) else view.subgraph(list(view.ids[kept]))
    focus = -1 if entity is None else part.code(entity)
    first = _first(part, risk[kept], focus)
    places = _layout(part, first)
    data = _data(part, places, risk[kept], None if notes is None else notes.reindex(part.ids), lang)
    data |= {"left": len(view) - len(part), "focus": focus, "first": sorted(first.tolist())}
    heading = title or ("关联风险图" if lang == "zh" else "risk graph")
    text = _fill(data, heading, lang)
    return write_atomically(path, lambda name: _write(name, text))


def _write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8", newline="\n")


def _choose(graph: EntityGraph, risk: np.ndarray, most: int) -> np.ndarray:
    """Codes kept: by risk, then whatever touches those, then by degree."""
    if len(graph) <= most:
        return np.arange(len(graph))
    a, b = graph.columns.source, graph.columns.target
    degree = np.bincount(a, minlength=len(graph)) + np.bincount(b, minlength=len(graph))
    seeds = graph.codes(graph.seeds().index)
    worth = risk.copy()
    worth[seeds] = 2.0
    near = np.maximum(np.zeros(len(graph)), worth)
    np.maximum.at(near, a, 0.5 * worth[b])
    np.maximum.at(near, b, 0.5 * worth[a])
    return np.sort(np.lexsort((np.arange(len(graph)), -degree, -near))[:most])


def _data(
    graph: EntityGraph, places: np.ndarray, risk: np.ndarray, notes: pd.Series | None, lang: str
) -> dict[str, Any]:
    zh = lang == "zh"
    entities = graph.entities
    cases = graph.known("cases")
    by_entity: dict[str, list[str]] = {}
    for row in cases.itertuples(index=False):
        when = "" if pd.isna(row.start) else f" {row.start:%Y-%m-%d}"
        source = f" [{row.source_ref}]" if isinstance(row.source_ref, str) else ""
        by_entity.setdefault(row.entity, []).append(f"{CASE_TEXTS[row.type][zh]}{when}{source}")
    sector = entities["sector"] if "sector" in entities else pd.Series([None] * len(entities))
    nodes = []
    for code, (id, kind) in enumerate(zip(graph.ids, entities["kind"], strict=True)):
        field = sector.iloc[code]
        nodes.append(
            {
                "id": id,
                "name": str(graph.names[code]),
                "kind": kind,
                "sector": SECTOR_TEXTS[field][zh] if field in SECTOR_TEXTS else (field or ""),
                "risk": round(float(risk[code]), 6),
                "x": round(float(places[code, 0]), 1),
                "y": round(float(places[code, 1]), 1),
                "cases": by_entity.get(id, []),
                "note": str(notes.iloc[code]) if notes is not None and isinstance(notes.iloc[code], str) else "",
            }
        )
    links = []
    frame = pd.concat([graph.relations, graph.history], ignore_index=True)
    ends = zip(graph.codes(frame["source"]), graph.codes(frame["target"]), frame.itertuples(index=False), strict=True)
    for a, b, row in ends:
        text = RELATION_NAMES[row.kind][zh]
        if isinstance(row.role, str):
            text = ROLES.get(row.role, row.role) if zh else row.role.replace("_", " ")
        if row.share_min == row.share_min or row.share_max == row.share_max:
            low, high = (f"{100 * value:.4g}" if value == value else "?" for value in (row.share_min, row.share_max))
            text += f" {low}%" if low == high else f" {low}-{high}%"
        if row.amount == row.amount:
            text += f" {row.amount:,.0f}"
        links.append(
            {
                "a": int(a),
                "b": int(b),
                "kind": row.kind,
                "text": text,
                "start": "" if pd.isna(row.start) else f"{row.start:%Y-%m-%d}",
                "end": "" if pd.isna(row.end) else f"{row.end:%Y-%m-%d}",
                "ref": row.source_ref if isinstance(row.source_ref, str) else "",
            }
        )
    names = {kind: RELATION_NAMES[kind][zh] for kind in dict.fromkeys(link["kind"] for link in links)}
    day = "" if graph.valid_on is None else f"{graph.valid_on:%Y-%m-%d}"
    return {"nodes": nodes, "links": links, "kinds": names, "day": day, "lang": lang}


def _first(graph: EntityGraph, risk: np.ndarray, focus: int) -> np.ndarray:
    """Codes of the nodes drawn at first: the focus and its neighbours, cases, then by risk and degree."""
    a, b = graph.columns.source, graph.columns.target
    degree = np.bincount(a, minlength=len(graph)) + np.bincount(b, minlength=len(graph))
    case = np.isin(graph.ids, graph.cases["entity"].unique())
    near = np.zeros(len(graph), dtype=bool)
    if focus >= 0:
        near[focus] = near[a[b == focus]] = near[b[a == focus]] = True
    order = np.lexsort((np.arange(len(graph)), -degree, -risk, ~case, ~near))
    return order[: max(FIRST, int(near.sum()))]


def _layout(graph: EntityGraph, first: np.ndarray) -> np.ndarray:
    """Places: a spring layout of what is drawn first, everything else around a neighbour; always the same.

    The rest is put ring by ring, each node at the golden angle around the node it was reached from, so that expanding a
    node shows its neighbours beside it.
    """
    n = len(graph)
    places = np.full((n, 2), np.nan)
    a, b = graph.columns.source.astype(np.int64), graph.columns.target.astype(np.int64)
    places[first] = _springs(first, a, b)
    count = np.zeros(n, dtype=np.int64)
    ends, others = np.r_[a, b], np.r_[b, a]
    while True:
        open_ = ~np.isnan(places[ends, 0]) & np.isnan(places[others, 0])
        if not open_.any():
            break
        new, spot = np.unique(others[open_], return_index=True)
        beside = ends[open_][spot]
        order = np.argsort(beside, kind="stable")
        new, beside = new[order], beside[order]
        rank = np.arange(new.size) - np.searchsorted(beside, beside) + count[beside]
        np.add.at(count, beside, 1)
        turn, far = 2.39996 * rank + 0.7 * beside, 46 + 9 * np.sqrt(rank)
        places[new] = places[beside] + np.column_stack([far * np.cos(turn), far * np.sin(turn)])
    lonely = np.flatnonzero(np.isnan(places[:, 0]))
    if lonely.size:
        wide = max(1, int(np.sqrt(lonely.size) * 1.6))
        low = 0.0 if lonely.size == n else float(np.nanmax(places[:, 1])) + 90
        spots = np.arange(lonely.size)
        places[lonely] = np.column_stack([90.0 * (spots % wide), low + 60.0 * (spots // wide)])
    return places


def _springs(nodes: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spring layout of each component of the nodes given, the components packed in rows."""
    import networkx as nx

    G = nx.Graph()
    G.add_nodes_from(nodes.tolist())
    inside = np.isin(a, nodes) & np.isin(b, nodes)
    G.add_edges_from(zip(a[inside].tolist(), b[inside].tolist(), strict=True))
    found: dict[int, np.ndarray] = {}
    x = y = tall = 0.0
    width = 130.0 * np.sqrt(max(nodes.size, 1)) * 1.5
    for members in sorted(nx.connected_components(G), key=lambda part: (-len(part), min(part))):
        part = G.subgraph(sorted(members))
        span = 105.0 * np.sqrt(len(members) - 1)
        spots = nx.spring_layout(part, seed=7, iterations=120, k=2.2 / np.sqrt(len(members)))
        low = np.min(list(spots.values()), axis=0)
        size = np.maximum(np.max(list(spots.values()), axis=0) - low, 1e-9)
        if x > 0 and x + span > width:
            x, y, tall = 0.0, y + tall + 90, 0.0
        for node in sorted(members):
            found[node] = (spots[node] - low) / size * (1.35 * span, span) + (x, y)
        x, tall = x + 1.35 * span + 100, max(tall, span)
    return np.array([found[node] for node in nodes.tolist()]).reshape(-1, 2)


#: texts of the page, Chinese and English
_TEXTS = {
    "search": ("按名称查找", "search by name"),
    "risk": ("风险不低于", "risk at least"),
    "date": ("日期", "date"),
    "kinds": ("关系", "relations"),
    "expand": ("展开关联方", "expand neighbours"),
    "all": ("全部展开", "expand all"),
    "fit": ("适应窗口", "fit"),
    "hint": ("拖动平移，滚轮缩放，点击查看", "drag to pan, wheel to zoom, click for details"),
    "left": ("未收入本页的主体", "entities not in this page"),
    "none": ("未找到", "not found"),
    "until": ("至", "until"),
    "source": ("来源", "source"),
    "cases": ("案件", "cases"),
    "relations": ("关系", "relations"),
    "sector": ("行业", "sector"),
    "score": ("风险", "risk"),
}


def _fill(data: dict[str, Any], heading: str, lang: str) -> str:
    folder = resources.files("riskgraph.report")
    script = folder.joinpath("page.js").read_text("utf-8")
    style = folder.joinpath("page.css").read_text("utf-8")
    words = {key: texts[lang == "en"] for key, texts in _TEXTS.items()}
    data["words"] = words
    # inside a script element only "<" could end it; JSON has another spelling for it
    payload = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")
    payload = payload.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    font = subset_font(payload + heading + "".join(words.values()))
    if font:
        style = f"@font-face{{font-family:'page';src:url(data:font/woff;base64,{font}) format('woff')}}\n" + style
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(heading)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<header><h1>{escape(heading)}</h1><div id="tools"></div></header>\n'
        '<main><svg id="view" role="img"></svg><aside id="card"></aside></main>\n'
        f'<script type="application/json" id="data">{payload}</script>\n<script>{script}</script>\n</body>\n</html>\n'
    )
