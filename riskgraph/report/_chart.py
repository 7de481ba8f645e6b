"""Small charts of lines and bars as SVG text: no program, no colour that grey print would lose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from riskgraph._page import safe_text

__all__ = ["Series", "chart"]

WIDE, HIGH = 360, 250
LEFT, TOP, RIGHT, FOOT = 46, 10, 14, 40
#: dash of each line of a chart; colours stand in the style sheet, class ``s0``, ``s1`` …
_DASHES = ("", "7 3", "8 3 2 3", "2 3")


class Series(NamedTuple):
    """A line with its name; ``low`` and ``high`` are the ends of upright bars, ``hollow`` marks points left open.

    Without a name a line is a soft rule that the legend leaves out.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    hollow: np.ndarray | None = None


def chart(
    series: Sequence[Series],
    *,
    across: str,
    up: str,
    heading: str,
    most: tuple[float, float] = (1.0, 1.0),
    names: Sequence[str] | None = None,
) -> str:
    """Figure element with the chart, its heading and its legend.

    Parameters
    ----------
    series
        Lines, drawn in order.
    across, up
        What the axes say.
    most
        Upper ends of the axes, which begin at 0.
    names
        Texts under the points ½, 1½, … of the axis across; None writes numbers.
    """
    parts = [_frame(most, names, across, up)]
    legend = []
    number = 0
    for line in series:
        known = ~(np.isnan(line.x) | np.isnan(line.y))
        x, y = _across(line.x, most[0]), _upward(line.y, most[1])
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[known], y[known], strict=True))
        if not line.name:
            parts.append(f'<polyline class="rule" points="{points}"/>')
            continue
        style = f'class="s{number % len(_DASHES)}"'
        dash = _DASHES[number % len(_DASHES)]
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<g {style}><polyline points="{points}"{dashes}/>{_bars(line, x, y, most[1])}</g>')
        sample = f'<svg width="26" height="8" aria-hidden="true"><g {style}><path d="M0 4H26"{dashes}/></g></svg>'
        legend.append(f"<li>{sample} {safe_text(line.name)}</li>")
        number += 1
    said = safe_text(heading)
    return (
        f'<figure><figcaption>{said}</figcaption><svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{said}">'
        f'{"".join(parts)}</svg><ul class="lines">{"".join(legend)}</ul></figure>'
    )


def _across(x: np.ndarray, most: float) -> np.ndarray:
    return np.asarray(LEFT + x / most * (WIDE - LEFT - RIGHT))


def _upward(y: np.ndarray, most: float) -> np.ndarray:
    return np.asarray(HIGH - FOOT - y / most * (HIGH - FOOT - TOP))


def _bars(line: Series, x: np.ndarray, y: np.ndarray, most: float) -> str:
    if line.low is None or line.high is None:
        return ""
    hollow = np.zeros(x.size, dtype=bool) if line.hollow is None else line.hollow
    found = []
    for a, b, low, high, empty in zip(x, y, _upward(line.low, most), _upward(line.high, most), hollow, strict=True):
        if not np.isnan(low + high):
            found.append(f'<path d="M{a:.1f} {low:.1f}V{high:.1f}M{a - 3:.1f} {low:.1f}h6M{a - 3:.1f} {high:.1f}h6"/>')
        kind = "hollow" if empty else "dot"
        found.append(f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="3.2"/>')
    return "".join(found)


def _frame(most: tuple[float, float], names: Sequence[str] | None, across: str, up: str) -> str:
    """Axes with ticks at fifths, or under the points named."""
    bottom, right = HIGH - FOOT, WIDE - RIGHT
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>']
    for part in np.linspace(0, 1, 6):
        y = float(_upward(np.array(part * most[1]), most[1]))
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 5}" y="{y + 3.5:.1f}">{part * most[1]:.2g}</text>')
    if names is None:
        marks = [(part * most[0], f"{part * most[0]:.2g}") for part in np.linspace(0, 1, 6)]
    else:
        step = -(-len(names) // 5)
        marks = [(place + 0.5, name) for place, name in enumerate(names) if place % step == 0]
    for place, text in marks:
        x = float(_across(np.array(place), most[0]))
        parts.append(f'<text class="tick middle" x="{x:.1f}" y="{bottom + 14}">{safe_text(text)}</text>')
    parts.append(f'<text class="said middle" x="{(LEFT + right) / 2:.0f}" y="{HIGH - 8}">{safe_text(across)}</text>')
    middle = (TOP + bottom) / 2
    turned = f'transform="rotate(-90 12 {middle:.0f})"'
    parts.append(f'<text class="said middle" x="12" y="{middle:.0f}" {turned}>{safe_text(up)}</text>')
    return "".join(parts)
