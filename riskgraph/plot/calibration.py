"""Probabilities against outcomes as a picture: a reliability diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskgraph.learning.metrics import brier
from riskgraph.learning.metrics import calibration as bins_of
from riskgraph.plot._canvas import axes, check_lang, empty, title
from riskgraph.plot._fonts import font, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["calibration"]

_TEXTS = {
    "zh": ("校准曲线（Brier 分数 {:.3f}，{:,} 例）", "预测概率", "实际比例", "没有可比的概率"),
    "en": (
        "Calibration (Brier score {:.3f}, {:,} cases)",
        "probability said",
        "share that came true",
        "nothing to compare",
    ),
}
_Z = 1.96


def calibration(label: Any, probability: Any, *, bins: int = 10, ax: Axes | None = None, lang: str = "zh") -> Axes:
    """Reliability diagram: what share came true of those given about the same probability.

    One point a bin of about as many cases each, with Wilson's 95 % interval (1927) as a bar; the dashed diagonal is
    where probabilities mean what they say. Cases that belong together (one name, one group) make the bars too short.

    Parameters
    ----------
    label
        True or 1 where it came true.
    probability
        In [0, 1], as long as ``label``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> ax = rg.plot.calibration([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], bins=2, lang="en")
    >>> ax.get_title(loc="left")
    'Calibration (Brier score 0.038, 4 cases)'
    """
    check_lang(lang)
    heading, across, up, nothing = _TEXTS[lang]
    table = bins_of(label, probability, bins=bins)
    ax = axes(ax, (5.2, 4.8))
    if table.empty:
        return empty(ax, nothing)
    said, share = table["probability"].to_numpy(), table["share"].to_numpy()
    low, high = wilson(share, table["count"].to_numpy())
    ax.plot([0, 1], [0, 1], linestyle="--", color="#9e9e9e", linewidth=1)
    ax.errorbar(
        said, share, yerr=[np.maximum(share - low, 0), np.maximum(high - share, 0)], fmt="o-", color="#1f4e79",
        markersize=5, linewidth=1.2, elinewidth=1, capsize=2,
    )  # fmt: skip
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    ax.set_aspect("equal")
    ax.set_xlabel(across, fontproperties=font(9))
    ax.set_ylabel(up, fontproperties=font(9))
    for x, top, foot, count in zip(said, high, low, table["count"], strict=True):
        # where there is no room above the bar, the number stands below it
        y, side = (top + 0.02, "bottom") if top < 0.95 else (foot - 0.02, "top")
        write(ax, x, y, f"{count:,}", size=7, ha="center", va=side, color="#555555")
    title(ax, heading.format(brier(label, probability), int(table["count"].sum())))
    return ax


def wilson(share: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of Wilson's 95 % interval of a share out of ``count``."""
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return middle - half, middle + half
