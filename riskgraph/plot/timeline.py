"""The life of one entity on a time axis: cases, licences, posts, holdings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import axes, check_lang, empty, label, title
from riskgraph.plot._fonts import write
from riskgraph.schema import CASE_TEXTS, RELATION_NAMES, ROLES, SECTOR_TEXTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["timeline"]

_COLORS = {"case": "#c62828", "licence": "#2e7d32", "relation": "#1f4e79"}


def timeline(graph: EntityGraph, entity: str, *, max_rows: int = 25, ax: Axes | None = None, lang: str = "zh") -> Axes:
    """Bars from start to end, one row each; an open end runs to the graph's day with an arrow.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``entity``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_dated()
    >>> ax = rg.plot.timeline(graph, graph.ids[0], lang="en")
    >>> ax.get_title(loc="left").startswith("timeline")
    True
    """
    check_lang(lang)
    graph.code(entity)
    rows = _rows(graph, entity, lang)
    name = graph.names[graph.code(entity)]
    dated = rows[rows["start"].notna() | rows["end"].notna()]
    shown = dated.head(max_rows)
    ax = axes(ax, (9.5, 0.38 * max(len(shown), 3) + 1.2))
    if shown.empty:
        return empty(ax, f"{name}没有带日期的记录" if lang == "zh" else f"nothing dated is on record of {name}")
    first = pd.concat([shown["start"], shown["end"]]).min() - pd.Timedelta(days=120)
    last = max(pd.concat([shown["start"], shown["end"]]).max(), graph.valid_on or first) + pd.Timedelta(days=120)
    for place, row in zip(range(len(shown))[::-1], shown.itertuples(index=False), strict=True):
        start = first if pd.isna(row.start) else row.start
        end = last if pd.isna(row.end) else row.end
        ax.barh(place, (end - start).days, left=start.to_pydatetime(), height=0.5, color=_COLORS[row.what], alpha=0.8)
        write(
            ax,
            -0.01,
            place,
            label(row.text, 16, 1),
            size=8,
            ha="right",
            va="center",
            transform=ax.get_yaxis_transform(),
        )
        if pd.isna(row.end):
            ax.plot([last.to_pydatetime()], [place], marker=">", color=_COLORS[row.what], clip_on=False)
    if graph.valid_on is not None:
        ax.axvline(graph.valid_on.to_pydatetime(), color="#555555", linestyle=":", linewidth=1)
    ax.set_xlim(first.to_pydatetime(), last.to_pydatetime())
    ax.set_ylim(-0.6, len(shown) - 0.4)
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)
    hidden = len(rows) - len(shown)
    text = f"{name}大事记" if lang == "zh" else f"timeline of {name}"
    title(ax, text + ((f"(省略{hidden}条)" if lang == "zh" else f" ({hidden} left out)") if hidden else ""))
    return ax


def _rows(graph: EntityGraph, entity: str, lang: str) -> pd.DataFrame:
    """Cases, licences and relations of the entity: ``what, text, start, end``, by start."""
    zh = lang == "zh"
    found = []
    cases = graph.known("cases")
    for row in cases[cases["entity"] == entity].itertuples(index=False):
        found.append(("case", CASE_TEXTS[row.type][zh], row.start, row.end))
    licences = graph.known("licences")
    for row in licences[licences["entity"] == entity].itertuples(index=False):
        sector = SECTOR_TEXTS[row.sector][1 if zh else 0]
        found.append(("licence", f"{sector}牌照" if zh else f"licence: {sector}", row.start, row.end))
    relations = pd.concat([graph.relations, graph.history], ignore_index=True)
    relations = relations[(relations["source"] == entity) | (relations["target"] == entity)]
    names = pd.Series(graph.names, index=graph.ids)
    for row in relations.itertuples(index=False):
        other = names[row.target if row.source == entity else row.source]
        kind = RELATION_NAMES[row.kind][zh]
        if row.kind == "officer" and isinstance(row.role, str):
            kind = ROLES.get(row.role, row.role) if zh else row.role
        found.append(("relation", f"{kind} {other}", row.start, row.end))
    frame = pd.DataFrame(found, columns=["what", "text", "start", "end"])
    for column in ("start", "end"):
        frame[column] = pd.to_datetime(frame[column])
    order = frame["what"].map({"case": 0, "licence": 1, "relation": 2}).astype(np.int64)
    return frame.assign(order=order).sort_values(["order", "start"], kind="stable").reset_index(drop=True)
