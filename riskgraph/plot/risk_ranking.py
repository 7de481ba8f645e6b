"""The highest scores with their bounds and the reason beside each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskgraph.errors import InvalidParameter
from riskgraph.plot._canvas import axes, check_lang, empty, label, risk_color, title
from riskgraph.plot._fonts import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["risk_ranking"]


def risk_ranking(model: Any, n: int = 20, *, seeds: bool = False, ax: Axes | None = None, lang: str = "zh") -> Axes:
    """Bars of the ``n`` highest risks of a fitted propagation, with whiskers from lower to upper bound.

    Parameters
    ----------
    model
        A fitted propagation such as :class:`riskgraph.risk.RiskCascade`.
    n
        How many entities to show; the rest is counted in the title.
    seeds
        Whether the seeds themselves are shown too.

    Returns
    -------
    The axes: x is the risk in [0, 1], one row an entity, the highest on top.

    Examples
    --------
    >>> import riskgraph as rg
    >>> ax = rg.plot.risk_ranking(rg.propagate(rg.datasets.toy_banned_platform()), n=3, lang="en")
    >>> ax.get_title(loc="left")
    'the 3 highest risks, with bounds; 5 more not shown'
    """
    check_lang(lang)
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise InvalidParameter(f"'n' must be a whole number, 1 or more; got {n!r}")
    report = model.report_
    if not seeds and "hops" in report:
        report = report[report["hops"] != 0]
    report = report[report["risk"] > 0]
    shown = report.head(n)
    ax = axes(ax, (9, 0.42 * max(len(shown), 3) + 1))
    if shown.empty:
        return empty(ax, "没有风险传导" if lang == "zh" else "no risk reaches anyone")
    y = np.arange(len(shown))[::-1]
    risk = shown["risk"].to_numpy(dtype=float)
    ax.barh(y, risk, height=0.62, color=[risk_color(value) for value in risk], edgecolor="#444444", linewidth=0.6)
    if {"lower", "upper"} <= set(shown.columns):
        low, high = shown["lower"].to_numpy(dtype=float), shown["upper"].to_numpy(dtype=float)
        ax.hlines(y, low, high, color="#222222", linewidth=1.1)
        ax.vlines(np.r_[low, high], np.r_[y, y] - 0.15, np.r_[y, y] + 0.15, color="#222222", linewidth=1.1)
    names = shown["name"] if "name" in shown else shown["entity"]
    for row, (name, value, place) in enumerate(zip(names, risk, y, strict=True)):
        write(ax, -0.01, place, label(name, 13, 1), size=9, ha="right", va="center")
        top = float(shown["upper"].iloc[row]) if "upper" in shown else value
        write(ax, max(value, top) + 0.012, place, f"{value:.3f}", size=8, ha="left", va="center", color="#333333")
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.6, len(shown) - 0.4)
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)
    more = len(report) - len(shown)
    text = (
        f"风险最高的{len(shown)}个主体(横线为上下界)"
        if lang == "zh"
        else f"the {len(shown)} highest risks, with bounds"
    )
    rest = (f",另有{more}个未显示" if lang == "zh" else f"; {more} more not shown") if more else ""
    title(ax, text + rest)
    return ax
