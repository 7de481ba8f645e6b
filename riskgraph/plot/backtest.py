"""A backtest as a picture: what inspections find, ROC, precision against recall, probabilities, figures by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.learning.curves import ranking_curve, reliability, run_of
from riskgraph.plot._canvas import axes, check_lang, empty, title
from riskgraph.plot._fonts import font

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from riskgraph.learning.backtest import Backtest

__all__ = ["PANELS", "backtest"]

#: what can be drawn
PANELS = ("gain", "roc", "precision", "calibration", "time")
#: colour and dash of each cutoff: told apart in grey print too
_LINES = (
    ("#1f4e79", "-"),
    ("#c45a00", "--"),
    ("#2e7d32", "-."),
    ("#7b1fa2", ":"),
    ("#455a64", (0, (5, 1, 1, 1, 1, 1))),
)
_TEXTS: dict[str, dict[str, tuple[str, ...]]] = {
    "zh": {
        "gain": ("检查越多，找到越多", "检查的比例", "找到的案件比例", "随机", "检查容量"),
        "roc": ("ROC 曲线", "误报比例", "找到的案件比例", "随机"),
        "precision": ("精确率与召回率", "找到的案件比例", "所查中立案的比例", "平均立案率"),
        "calibration": ("预测概率与实际", "预测概率", "实际比例", "一致"),
        "time": ("各截点的 ROC AUC", "截点", "ROC AUC", "随机"),
        "nothing": ("没有可画的结果",),
    },
    "en": {
        "gain": ("Found as inspections grow", "part inspected", "part of cases found", "at random", "capacity"),
        "roc": ("ROC", "part of false alarms", "part of cases found", "at random"),
        "precision": ("Precision against recall", "part of cases found", "part of inspected with a case", "base rate"),
        "calibration": ("Probabilities against outcomes", "probability said", "part that came true", "as said"),
        "time": ("ROC AUC by cutoff", "cutoff", "ROC AUC", "at random"),
        "nothing": ("nothing to draw",),
    },
}


def backtest(result: Backtest, panel: str = "gain", *, ax: Axes | None = None, lang: str = "zh") -> Axes:
    """One picture of a backtest.

    Parameters
    ----------
    result
        What :func:`riskgraph.learning.backtest` returned.
    panel
        ``"gain"``: part of the cases found against part inspected, with the capacity as a line. ``"roc"``.
        ``"precision"``: precision against recall. One line a cutoff, each with its figure and interval in the legend.
        ``"calibration"``: probabilities against outcomes of all cutoffs, intervals over groups. ``"time"``: ROC AUC of
        each cutoff with its interval; a hollow point where the horizon is not yet over.

    Raises
    ------
    InvalidParameter
        Another panel or language, or not what a backtest returned.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.plot.backtest import backtest
    >>> graph = rg.datasets.load_county().graph
    >>> found = rg.learning.backtest(graph, rg.risk.RiskCascade(), ["2016-03-31", "2016-06-30"], n_bootstrap=20)
    >>> ax = backtest(found, "time", lang="en")
    >>> ax.get_title(loc="left")
    'ROC AUC by cutoff'
    """
    check_lang(lang)
    run_of(result)
    if panel not in PANELS:
        raise InvalidParameter(f"'panel' must be one of {', '.join(PANELS)}; got {panel!r}")
    texts = _TEXTS[lang]
    ax = axes(ax, (5.2, 4.8))
    draw = {"calibration": _calibration, "time": _time}.get(panel, _curves)
    if not draw(ax, result, panel, texts[panel]):
        return empty(ax, texts["nothing"][0])
    ax.set_xlabel(texts[panel][1], fontproperties=font(9))
    ax.set_ylabel(texts[panel][2], fontproperties=font(9))
    ax.legend(prop=font(7.5), frameon=False, loc="lower right" if panel in ("gain", "roc", "time") else "best")
    title(ax, texts[panel][0])
    return ax


def _curves(ax: Axes, result: Backtest, panel: str, texts: tuple[str, ...]) -> bool:
    across, up, figure = {
        "gain": ("inspected", "found", "precision_at_capacity"),
        "roc": ("false_alarms", "found", "roc_auc"),
        "precision": ("found", "precision", "average_precision"),
    }[panel]
    drawn: list[Any] = []
    for row in result.to_dict("records"):
        rows = result.run.scores[result.run.scores["cutoff"] == row["cutoff"]]
        if np.isnan(row["roc_auc"]):
            continue
        curve = ranking_curve(rows["label"], rows["score"])
        colour, dash = _LINES[len(drawn) % len(_LINES)]
        name = f"{pd.Timestamp(row['cutoff']).date()}  {row[figure]:.3f}"
        if not np.isnan(row[f"{figure}_low"]):
            name += f" [{row[f'{figure}_low']:.3f}, {row[f'{figure}_high']:.3f}]"
        ax.plot(curve[across], curve[up], color=colour, linestyle=dash, linewidth=1.5, label=name)
        if panel == "precision":
            ax.axhline(row["base_rate"], color=colour, linestyle=":", linewidth=0.8)
        drawn.append(row)
    if not drawn:
        return False
    if panel == "precision":
        ax.plot([], [], color="#9e9e9e", linestyle=":", linewidth=0.8, label=texts[3])
    else:
        ax.plot([0, 1], [0, 1], color="#9e9e9e", linestyle="--", linewidth=1, label=texts[3])
    if panel == "gain":
        part = float(np.mean([row["capacity"] / row["n_entities"] for row in drawn]))
        ax.axvline(part, color="#555555", linewidth=0.9, label=f"{texts[4]} {part:.1%}")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return True


def _calibration(ax: Axes, result: Backtest, panel: str, texts: tuple[str, ...]) -> bool:
    table = reliability(result)
    if table.empty:
        return False
    said, share = table["probability"].to_numpy(), table["share"].to_numpy()
    below = np.nan_to_num(np.maximum(share - table["low"].to_numpy(), 0))
    above = np.nan_to_num(np.maximum(table["high"].to_numpy() - share, 0))
    # of a model whose probabilities are all small the picture shows the corner they lie in
    top = min(1.0, 1.15 * float(max(said.max(), (share + above).max(), 0.01)))
    ax.plot([0, top], [0, top], color="#9e9e9e", linestyle="--", linewidth=1, label=texts[3])
    ax.errorbar(said, share, yerr=[below, above], fmt="o-", color="#1f4e79", markersize=5, linewidth=1.2, capsize=2,
                label=f"Brier {np.average(result['brier'].dropna()):.3f}")  # fmt: skip
    ax.set(xlim=(-0.03 * top, 1.03 * top), ylim=(-0.03 * top, 1.03 * top))
    return True


def _time(ax: Axes, result: Backtest, panel: str, texts: tuple[str, ...]) -> bool:
    rows = result[result["roc_auc"].notna()]
    if rows.empty:
        return False
    place = np.arange(len(rows))
    value = rows["roc_auc"].to_numpy()
    below = np.nan_to_num(np.maximum(value - rows["roc_auc_low"].to_numpy(), 0))
    above = np.nan_to_num(np.maximum(rows["roc_auc_high"].to_numpy() - value, 0))
    ax.errorbar(place, value, yerr=[below, above], fmt="none", color="#1f4e79", elinewidth=1.2, capsize=3)
    done = rows["complete"].to_numpy(dtype=bool)
    ax.plot(place, value, color="#1f4e79", linewidth=0.8)
    ax.scatter(place, value, s=34, zorder=3, edgecolors="#1f4e79", facecolors=np.where(done, "#1f4e79", "#ffffff"))
    ax.axhline(0.5, color="#9e9e9e", linestyle="--", linewidth=1, label=texts[3])
    ax.set_xticks(place, [str(pd.Timestamp(day).date()) for day in rows["cutoff"]], fontproperties=font(8))
    ax.set(xlim=(-0.5, len(rows) - 0.5), ylim=(-0.02, 1.02))
    return True
