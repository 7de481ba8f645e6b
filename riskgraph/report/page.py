"""One self-contained interactive page of a graph: no network, strict content policy, harmless for any name."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph._files import write_text
from riskgraph._page import document, safe_text
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.report._layout import layout
from riskgraph.report._page_data import links_of, looks, nodes_of

if TYPE_CHECKING:
    from riskgraph.risk.base import Propagation

__all__ = ["page"]

#: nodes drawn at first; the others come when a neighbour is expanded or searched for
FIRST = 120
#: entities whose main path a model explains on the page
EXPLAINED = 200


def page(
    graph: EntityGraph,
    path: str | Path,
    *,
    scores: pd.Series | None = None,
    model: Propagation | None = None,
    entity: str | None = None,
    depth: int = 2,
    max_nodes: int = 2000,
    title: str | None = None,
    notes: pd.Series | None = None,
    lang: str = "zh",
) -> Path:
    """Write a page with pan, zoom, search, filters by kind, date and risk, and a card for every entity.

    Names never cover each other: the page says how many are written at the current zoom. The key is the filter. A card
    shows cases, relations, dates and sources, expands the neighbours, and lights up the path to the source of risk.
    Keys: arrows move, ``+`` and ``-`` zoom, ``0`` fits, ``/`` searches, Enter expands, Escape goes back. The address
    of a card ends in ``#`` and the entity's id. Printing gives the picture, its key and the card.

    Parameters
    ----------
    path
        File to write, ending in ``.html``.
    scores
        Risk by entity, shown as colour.
    model
        A fitted propagation: its scores where ``scores`` is None, and for the 200 entities it reaches most the
        sentence and the relations of the main path.
    entity, depth
        Show only what lies within ``depth`` relations of this entity.
    max_nodes
        At most this many entities go into the page, the riskiest and their neighbours first; the page says how many
        were left out.
    notes
        A sentence by entity for its card; these go before those of ``model``.

    Returns
    -------
    The path written.

    Raises
    ------
    InvalidParameter
        ``path`` does not end in ``.html``, ``lang`` is neither zh nor en, or a number breaks its rule.
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
    if not isinstance(max_nodes, (int, np.integer)) or max_nodes < 1:
        raise InvalidParameter(f"'max_nodes' must be a whole number, 1 or more; got {max_nodes!r}")
    if model is not None and not hasattr(model, "scores_"):
        raise InvalidParameter(f"'model' must be a fitted propagation; got {type(model).__name__}, not fitted")
    if scores is None and model is not None:
        scores = model.scores_
    view = graph if entity is None else graph.neighborhood(entity, depth)
    risk = np.zeros(len(view)) if scores is None else scores.reindex(view.ids).fillna(0.0).to_numpy(dtype=float)
    kept = _choose(view, risk, int(max_nodes))
    part = view if kept.size == len(view) else view.subgraph(list(view.ids[kept]))
    risk = risk[kept]
    focus = -1 if entity is None else part.code(entity)
    first = _first(part, risk, focus)
    links, place = links_of(part, lang)
    texts, ways = _main_paths(model, part, risk, lang)
    if notes is not None:
        texts |= {id: note for id, note in notes.reindex(part.ids).items() if isinstance(note, str)}
    nodes = nodes_of(part, layout(part, first), risk, texts, lang)
    for code, way in ways.items():
        if all(relation in place for relation in way):
            nodes[code]["path"] = list(dict.fromkeys(place[relation] for relation in way))
    data = {
        "nodes": nodes, "links": links, "left": len(view) - len(part), "focus": focus, "first": sorted(first.tolist()),
        "day": "" if graph.valid_on is None else f"{graph.valid_on:%Y-%m-%d}", "scored": scores is not None,
        "looks": looks(sorted({link["kind"] for link in links}), sorted(set(part.entities["kind"])), lang),
        "words": {key: texts[lang == "en"] for key, texts in _TEXTS.items()},
    }  # fmt: skip
    text = _fill(data, title or ("关联风险图" if lang == "zh" else "risk graph"), lang)
    return write_text(path, text)


def _main_paths(
    model: Propagation | None, graph: EntityGraph, risk: np.ndarray, lang: str
) -> tuple[dict[str, str], dict[int, tuple[str, ...]]]:
    """Sentence by id, and relations by code, of the main path to the entities most at risk."""
    texts: dict[str, str] = {}
    ways: dict[int, tuple[str, ...]] = {}
    if model is None:
        return texts, ways
    known = model.graph_.ids
    for code in np.argsort(-risk, kind="stable")[: EXPLAINED + len(model.seeds_)].tolist():
        id = str(graph.ids[code])
        if risk[code] <= 0 or id in model.seeds_.index or id not in known:
            continue
        paths = model.explain(id, k=1, lang=lang)
        if len(paths):
            texts[id], ways[code] = str(paths["text"].iloc[0]), tuple(paths["relations"].iloc[0])
    return texts, ways


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


#: texts of the page, Chinese and English
_TEXTS = {
    "search": ("按名称或编号查找", "search by name or id"),
    "none": ("未找到", "not found"),
    "risk": ("风险不低于", "risk at least"),
    "date": ("日期", "date"),
    "fit": ("适应窗口", "fit"),
    "all": ("全部展开", "expand all"),
    "reset": ("还原", "reset"),
    "print": ("打印", "print"),
    "key": ("图例与筛选", "key and filter"),
    "everything": ("全选", "all"),
    "nothing": ("全不选", "none"),
    "scale": ("风险0至1", "risk 0 to 1"),
    "seed": ("粗边：涉案", "bold: under a case"),
    "status": (
        "显示{0}个主体（共{1}个），标名{2}个；放大可见更多名称。",
        "{0} of {1} entities shown, {2} named; zoom in for more names.",
    ),
    "left": ("另有{0}个未收入本页。", "{0} more are not in this page."),
    "overview": ("从何看起", "where to look"),
    "riskiest": ("风险最高", "highest risk"),
    "hint": (
        "点击主体看档案，双击展开；拖动平移，滚轮缩放。按键：方向键移动，+ − 缩放，0 适应窗口，/ 查找，Esc 返回。",
        "Click an entity for its card, twice to expand; drag to pan, wheel to zoom. Keys: arrows move, + − zoom, "
        "0 fits, / searches, Esc goes back.",
    ),
    "back": ("← 返回", "← back"),
    "score": ("风险", "risk"),
    "cases": ("案件", "cases"),
    "relations": ("关系", "relations"),
    "expand": ("展开{0}个关联方", "expand {0} neighbours"),
    "only": ("只看周边", "only what is near"),
    "mainPath": ("标出主要路径", "show the main path"),
    "nearest": ("标出到最近涉案主体的路径", "show the way to the nearest case"),
    "more": ("另有{0}个", "{0} more"),
    "since": ("起", "on"),
    "until": ("至", "to"),
    "source": ("来源：", "source:"),
}  # fmt: skip


def _fill(data: dict[str, Any], heading: str, lang: str) -> str:
    folder = resources.files("riskgraph.report")
    # inside a script element only "<" could end it; JSON has another spelling for it
    payload = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")
    payload = payload.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    graph, card = ("关系图", "档案") if lang == "zh" else ("graph of relations", "card")
    body = (
        f'<header><h1>{safe_text(heading)}</h1><div id="tools" role="search"></div></header>\n<main>\n'
        '<details id="legend" open></details>\n'
        f'<div id="stage"><svg id="view" tabindex="0" role="application" aria-label="{graph}"></svg>'
        '<p id="status" role="status"></p></div>\n'
        f'<aside id="card" aria-label="{card}"></aside>\n</main>'
    )
    return document(
        body,
        title=heading,
        lang=lang,
        style=folder.joinpath("page.css").read_text("utf-8"),
        scripts=f'<script type="application/json" id="data">{payload}</script>\n',
        script=folder.joinpath("page.js").read_text("utf-8"),
    )
