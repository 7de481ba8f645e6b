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
    data = _data(part, risk[kept], None if notes is None else notes.reindex(part.ids), lang)
    data["left"] = len(view) - len(part)
    data["focus"] = -1 if entity is None else part.code(entity)
    data["first"] = FIRST
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


def _data(graph: EntityGraph, risk: np.ndarray, notes: pd.Series | None, lang: str) -> dict[str, Any]:
    zh = lang == "zh"
    places = _layout(graph)
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


def _layout(graph: EntityGraph) -> np.ndarray:
    """Places by a spring layout of each component, the components packed in rows; the same graph, the same places."""
    import networkx as nx
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(graph)
    places = np.zeros((n, 2))
    if not n:
        return places
    a, b = graph.columns.source, graph.columns.target
    _, group = connected_components(coo_array((np.ones(a.size), (a, b)), shape=(n, n)), directed=False)
    sizes = np.bincount(group)
    x = y = tall = 0.0
    width = 90.0 * np.sqrt(n) * 1.4 + 200
    for which in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(group == which)
        span = 110.0 * np.sqrt(members.size)
        if members.size > 1:
            G = nx.Graph()
            G.add_nodes_from(members.tolist())
            inside = np.isin(a, members)
            G.add_edges_from(zip(a[inside].tolist(), b[inside].tolist(), strict=True))
            rounds = 60 if members.size < 500 else 25
            found = nx.spring_layout(G, seed=7, iterations=rounds, k=1.6 / np.sqrt(members.size))
            spots = np.array([found[node] for node in members.tolist()])
            low, high = spots.min(axis=0), spots.max(axis=0)
            places[members] = (spots - low) / np.maximum(high - low, 1e-9) * span
        if x + span > width and x > 0:
            x, y, tall = 0.0, y + tall + 60, 0.0
        places[members] += (x, y)
        x, tall = x + span + 60, max(tall, span)
    return places


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
