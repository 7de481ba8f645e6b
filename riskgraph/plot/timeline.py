"""The life of one entity on a time axis: cases, licences, posts, holdings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._columns import RelationColumns
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.plot._canvas import axes, below, check_lang, empty, label, percent, title
from riskgraph.plot._fonts import write
from riskgraph.schema import CASE_TEXTS, RELATION_KINDS, RELATION_NAMES, ROLES, SECTOR_TEXTS, SYMMETRIC_KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["timeline"]

#: what a bar is -> order, fill, hatch, texts
_LOOKS = {
    "case": (0, "#a40e26", "", ("case", "案件")),
    "licence": (1, "#7bb586", "//", ("licence", "牌照")),
    "officer": (2, "#4e5d6c", "", ("post", "任职")),
    "owns": (3, "#7fa8cf", "", ("holding", "持股")),
    "relation": (4, "#d7dde3", "", ("other relation", "其他关系")),
}


def timeline(graph: EntityGraph, entity: str, *, max_rows: int = 25, ax: Axes | None = None, lang: str = "zh") -> Axes:
    """Bars from start to end, one row each; an open end runs on with an arrow, an unknown start begins at the edge.

    Cases come first, then licences, posts, holdings and the rest, each by its start. Above ``max_rows`` the last row
    stands for all that was left out. A dotted line marks the graph's day.

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
    if not isinstance(max_rows, (int, np.integer)) or max_rows < 2:
        raise InvalidParameter(f"'max_rows' must be a whole number, 2 or more; got {max_rows!r}")
    zh = lang == "zh"
    code = graph.code(entity)
    name = str(graph.names[code])
    events = _events(graph, entity, code)
    dated = events[events["start"].notna() | events["end"].notna()]
    shown = dated if len(dated) <= max_rows else dated.head(max_rows - 1)
    rest = dated.iloc[len(shown) :]
    rows = [_Row(event.what, _text(graph, event, code, zh), event.start, event.end) for event in shown.itertuples()]
    if len(rest):
        end = pd.NaT if rest["end"].isna().any() else rest["end"].max()
        rows.append(
            _Row("relation", f"其余{len(rest):,}条" if zh else f"{len(rest):,} others", rest["start"].min(), end)
        )
    ax = axes(ax, (9.5, 0.34 * max(len(rows), 3) + 1.4))
    if not rows:
        return empty(ax, f"{name}没有带日期的记录" if zh else f"nothing dated is on record of {name}")
    _draw(ax, rows, graph.valid_on, zh)
    text = f"{name}大事记" if zh else f"timeline of {name}"
    if len(rest):
        text += f"（省略{len(rest):,}条）" if zh else f" ({len(rest):,} left out)"
    if len(events) > len(dated):
        bare = len(events) - len(dated)
        text += f"，另有{bare:,}条无日期" if zh else f"; {bare:,} more without a date"
    title(ax, text)
    return ax


class _Row(NamedTuple):
    what: str
    text: str
    start: pd.Timestamp
    end: pd.Timestamp


def _events(graph: EntityGraph, entity: str, code: int) -> pd.DataFrame:
    """Everything on record of the entity: ``what, start, end`` and where its words are, by kind and start."""
    parts = []
    for what, table in (("case", "cases"), ("licence", "licences")):
        frame = graph.known(table)
        frame = frame[frame["entity"] == entity]
        word = frame["type" if what == "case" else "sector"]
        parts.append(pd.DataFrame({"what": what, "start": frame["start"], "end": frame["end"], "word": word}))
    for past, columns in ((False, graph.columns), (True, graph.past)):
        spots = np.flatnonzero((columns.source == code) | (columns.target == code))
        kinds = np.array(RELATION_KINDS, dtype=object)[columns.kind[spots]]
        named = np.where(np.isin(kinds, ["officer", "owns"]), kinds, "relation")
        dates = {"start": pd.to_datetime(columns.start[spots]), "end": pd.to_datetime(columns.end[spots])}
        parts.append(pd.DataFrame({"what": named, **dates, "spot": spots, "past": past}))
    events = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    for column in ("start", "end"):
        events[column] = pd.to_datetime(events[column])
    order = events["what"].map({what: look[0] for what, look in _LOOKS.items()}).astype(np.int64)
    return events.assign(order=order).sort_values(["order", "start"], kind="stable").reset_index(drop=True)


def _text(graph: EntityGraph, event: object, code: int, zh: bool) -> str:
    what = event.what  # type: ignore[attr-defined]
    if what == "case":
        return label(CASE_TEXTS[event.word][zh], 18, 1)  # type: ignore[attr-defined]
    if what == "licence":
        sector = SECTOR_TEXTS[event.word][zh]  # type: ignore[attr-defined]
        return f"{sector}牌照" if zh else f"licence: {sector}"
    columns: RelationColumns = graph.past if event.past else graph.columns  # type: ignore[attr-defined]
    spot = int(event.spot)  # type: ignore[attr-defined]
    kind = RELATION_KINDS[int(columns.kind[spot])]
    out = int(columns.source[spot]) == code
    other = graph.names[int(columns.target[spot] if out else columns.source[spot])]
    word = RELATION_NAMES[kind][zh]
    if kind == "officer" and columns.role[spot] >= 0:
        role = columns.roles[columns.role[spot]]
        word = ROLES.get(role, role) if zh else role.replace("_", " ")
    if kind == "owns":
        word += " " + percent(float(columns.share_min[spot]), float(columns.share_max[spot]))
    arrow = "—" if kind in SYMMETRIC_KINDS else "→" if out else "←"
    return f"{word} {arrow} {label(other, 16, 1)}"


def _draw(ax: Axes, rows: list[_Row], day: pd.Timestamp | None, zh: bool) -> None:
    from matplotlib.dates import AutoDateLocator

    dates = pd.Series([date for row in rows for date in (row.start, row.end) if not pd.isna(date)])
    if day is not None:
        dates = pd.concat([dates, pd.Series([day])])
    margin = max(pd.Timedelta(days=30), 0.04 * (dates.max() - dates.min()))
    first, last = dates.min() - margin, dates.max() + margin
    frame = ax.get_yaxis_transform()
    seen: dict[str, object] = {}
    for place, row in zip(range(len(rows))[::-1], rows, strict=True):
        start = first if pd.isna(row.start) else row.start
        end = last if pd.isna(row.end) else row.end
        _, color, hatch, _ = _LOOKS[row.what]
        days = max((end - start).days, (last - first).days / 300)  # one day is still to be seen
        bar = ax.barh(
            place,
            days,
            left=start.to_pydatetime(),
            height=0.52,
            color=color,
            hatch=hatch,
            edgecolor="#1b1f24",
            linewidth=0.5,
        )
        seen.setdefault(row.what, bar)
        write(ax, -0.012, place, row.text, size=8.5, ha="right", va="center", transform=frame)
        write(ax, 1.03, place, _span(row, zh), size=7.5, ha="left", va="center", color="#57606a", transform=frame)
        if pd.isna(row.end):
            ax.plot(
                [1.0], [place], marker=">", ms=6, color=color, mec="#1b1f24", mew=0.5, clip_on=False, transform=frame
            )
    if day is not None:
        ax.axvline(day.to_pydatetime(), color="#1b1f24", linestyle=":", linewidth=1.1)
        write(
            ax,
            day.to_pydatetime(),
            len(rows) - 0.42,
            f"{day:%Y-%m-%d}",
            size=7.5,
            ha="right",
            va="bottom",
            color="#57606a",
        )
    ax.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=8))
    ax.set_xlim(first.to_pydatetime(), last.to_pydatetime())
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)
    kinds = sorted(seen, key=lambda what: _LOOKS[what][0])
    below(ax, 0.34 * len(rows) + 0.2, [seen[what] for what in kinds], [_LOOKS[what][3][zh] for what in kinds])


def _span(row: _Row, zh: bool) -> str:
    start = "?" if pd.isna(row.start) else f"{row.start:%Y-%m-%d}"
    if pd.isna(row.end):
        return f"{start} 起" if zh else f"since {start}"
    return f"{start} – {row.end:%Y-%m-%d}"
