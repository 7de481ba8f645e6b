"""The highest scores with their bounds, and beside each what it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.plot._canvas import axes, below, check_lang, empty, label, title
from riskgraph.plot._fonts import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["risk_ranking"]

_ROW = 0.42
#: at least, at most, and plain scores
_LOW, _HIGH, _PLAIN = "#8f1d21", "#f0b9a8", "#b5504a"
#: parts of a score from the greatest on: fill and hatch, told apart in grey
_PARTS = (("#173f5f", ""), ("#7fa8cf", "//"), ("#a65e00", ""), ("#e9d8a6", ".."), ("#4e5d6c", "xx"), ("#d0d7de", ""))
_PART_TEXTS = {
    "layers": ("layers", "产品层数"),
    "sectors": ("sectors", "行业数"),
    "crossings": ("changes of sector", "跨业次数"),
    "returns": ("money that returns", "资金回流"),
    "opacity": ("untraced money", "资金不明"),
    "circularity": ("loops", "循环"),
    "unlicensed_share": ("without licence", "无牌照"),
    "investors": ("investors", "投资者人数"),
    "leads": ("lead agencies", "牵头部门数"),
    "licences": ("licences", "牌照"),
}


def risk_ranking(model: Any, n: int = 20, *, seeds: bool = False, ax: Axes | None = None, lang: str = "zh") -> Axes:
    """Bars of the ``n`` highest scores of a fitted model, with what is behind each.

    Of a propagation with bounds the dark part of a bar is the lower bound and the pale part reaches to the upper one;
    the main path stands beside it. Of a nesting scorer the bar is made of the parts that sum to the score.

    Parameters
    ----------
    model
        A fitted propagation such as :class:`riskgraph.risk.RiskCascade`, or a fitted
        :class:`riskgraph.nesting.NestingScorer`.
    n
        How many entities to show; the rest is counted in the title.
    seeds
        Whether the seeds themselves are shown too.

    Returns
    -------
    The axes: x is the score, one row an entity, the highest on top.

    Examples
    --------
    >>> import riskgraph as rg
    >>> ax = rg.plot.risk_ranking(rg.propagate(rg.datasets.toy_banned_platform()), n=3, lang="en")
    >>> ax.get_title(loc="left")
    'the 3 highest risks; 5 more not shown'
    """
    check_lang(lang)
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise InvalidParameter(f"'n' must be a whole number, 1 or more; got {n!r}")
    zh = lang == "zh"
    rows = _rows(model, int(n), seeds, lang)
    count = len(rows.names)
    ax = axes(ax, (10.5 if any(rows.reasons) else 8.5, _ROW * max(count, 3) + 1.1))
    if not count:
        return empty(ax, "没有风险传导" if zh else "no risk reaches anyone")
    y = np.arange(count)[::-1]
    for text, left, width, look in rows.bars:
        ax.barh(y, width, left=left, height=0.6, label=text, edgecolor="#1b1f24", linewidth=0.5, **look)
    reach = 1.0 if rows.unit else 1.12 * float(rows.ends.max())
    for place, name, end, score, reason in zip(y, rows.names, rows.ends, rows.scores, rows.reasons, strict=True):
        frame = ax.get_yaxis_transform()
        write(ax, -0.012, place, label(name, 14, 1), size=9, ha="right", va="center", transform=frame)
        write(
            ax,
            end + 0.012 * reach,
            place,
            f"{score:.3f}" if rows.unit else f"{score:.3g}",
            size=8,
            ha="left",
            va="center",
            color="#1b1f24",
        )
        if reason:
            write(
                ax,
                1.09,
                place,
                label(reason, 30, 2),
                size=7.5,
                ha="left",
                va="center",
                color="#444c56",
                transform=frame,
            )
    ax.set_xlim(0, 1.004 * reach)
    ax.set_ylim(-0.6, count - 0.4)
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)
    if len(rows.bars) > 1:
        below(ax, _ROW * count + 0.4, ncols=len(rows.bars))
    what = ("风险" if rows.unit else "得分", "risk" if rows.unit else "score")
    text = f"{what[0]}最高的{count}个主体" if zh else f"the {count} highest {what[1]}{'' if count == 1 else 's'}"
    if rows.more:
        text += f"，另有{rows.more:,}个未显示" if zh else f"; {rows.more:,} more not shown"
    title(ax, text)
    return ax


class _Rows(NamedTuple):
    names: list[str]
    scores: np.ndarray
    ends: np.ndarray  # where the bars end
    bars: list[tuple[str, Any, np.ndarray, dict[str, Any]]]  # text, left, width, look
    reasons: list[str]
    more: int
    unit: bool  # whether the score is a risk in [0, 1]


def _rows(model: Any, n: int, seeds: bool, lang: str) -> _Rows:
    report: pd.DataFrame = model.report(lang=lang) if hasattr(model, "report") else model.report_
    column = "risk" if "risk" in report else "score"
    report = report[report[column] > 0]
    if not seeds and hasattr(model, "seeds_"):
        report = report[~report["entity"].isin(model.seeds_.index)]
    shown = report.head(n)
    scores = shown[column].to_numpy(dtype=float)
    names = [str(name) for name in (shown["name"] if "name" in shown else shown["entity"])]
    reasons = (
        [text if isinstance(text, str) else "" for text in shown["path"]] if "path" in shown else [""] * len(names)
    )
    bars, ends = _bars(model, shown, scores, lang)
    whole = column == "risk" and (bool({"lower", "upper"} <= set(shown.columns)) or scores.max(initial=0.0) > 0.5)
    return _Rows(names, scores, ends, bars, reasons, len(report) - len(shown), whole)


def _bars(
    model: Any, shown: pd.DataFrame, scores: np.ndarray, lang: str
) -> tuple[list[tuple[str, Any, np.ndarray, dict[str, Any]]], np.ndarray]:
    zh = lang == "zh"
    if {"lower", "upper"} <= set(shown.columns):
        low, high = shown["lower"].to_numpy(dtype=float), shown["upper"].to_numpy(dtype=float)
        return [
            ("下界：至少" if zh else "lower bound: at least", 0.0, low, {"color": _LOW}),
            ("至上界：至多" if zh else "to the upper bound: at most", low, high - low, {"color": _HIGH}),
        ], np.maximum(high, scores)
    if not hasattr(model, "parts_"):
        return [("", 0.0, scores, {"color": _PLAIN})], scores
    parts = model.parts_.loc[shown["entity"]]
    order = parts.sum().sort_values(ascending=False, kind="stable")
    order = order[order > 0].index
    own, rest = list(order[: len(_PARTS) - 1]), list(order[len(_PARTS) - 1 :])
    bars, left = [], np.zeros(len(shown))
    pieces = [(_PART_TEXTS.get(name, (name, name))[zh], parts[name].to_numpy(dtype=float)) for name in own]
    if rest:
        pieces.append(("其他" if zh else "other", parts[rest].sum(axis=1).to_numpy(dtype=float)))
    for (text, width), (color, hatch) in zip(pieces, _PARTS, strict=False):
        bars.append((text, left, width, {"color": color, "hatch": hatch}))
        left = left + width
    return bars, scores
