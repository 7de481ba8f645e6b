"""What all pictures share: axes, titles, colours, short names, layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from riskgraph.errors import InvalidParameter
from riskgraph.plot._fonts import check_glyphs, font, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EDGE_STYLES", "axes", "check_lang", "empty", "label", "layered", "money", "risk_color", "title"]

#: relation kind -> colour and dash: told apart in colour and in grey
EDGE_STYLES: Mapping[str, tuple[str, str]] = {
    "owns": ("#1f4e79", "-"),
    "controls": ("#7b1fa2", "-"),
    "officer": ("#2e7d32", "--"),
    "invests": ("#b26a00", "-"),
    "guarantees": ("#c62828", "-."),
    "lends": ("#c62828", ":"),
    "raises_on": ("#b26a00", ":"),
    "same_as": ("#616161", ":"),
    "kin": ("#616161", "--"),
    "concert": ("#7b1fa2", "--"),
}
OTHER_STYLE = ("#757575", "-")


def check_lang(lang: str) -> str:
    """``"zh"`` or ``"en"``."""
    if lang not in ("zh", "en"):
        raise InvalidParameter(f"'lang' must be 'zh' or 'en'; got {lang!r}")
    return lang


def axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes given, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    _, made = plt.subplots(figsize=size, layout="constrained")
    return made


def title(ax: Axes, text: str) -> None:
    ax.set_title(check_glyphs(text), fontproperties=font(12), loc="left", parse_math=False)


def empty(ax: Axes, text: str) -> Axes:
    """Say in the middle of the axes that there is nothing to show."""
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    write(ax, 0.5, 0.5, text, size=11, ha="center", va="center", color="#555555")
    return ax


def label(name: object, width: int = 12, lines: int = 2) -> str:
    """Name broken into lines and cut with an ellipsis; a Chinese character counts twice."""
    text = " ".join(str(name).split())
    rows, row, used = [], "", 0
    for letter in text:
        size = 2 if ord(letter) > 0x2E7F else 1
        if used + size > 2 * width:
            rows.append(row)
            row, used = "", 0
        row, used = row + letter, used + size
    rows.append(row)
    if len(rows) > lines:
        rows = [*rows[: lines - 1], rows[lines - 1][:-1] + "…"]
    return "\n".join(rows)


def money(amount: float, lang: str) -> str:
    """CNY in the unit a person would say it in; ``?`` where it is not known.

    >>> money(1.25e8, "zh"), money(6e6, "en"), money(900, "zh"), money(float("nan"), "zh")
    ('1.25亿', '6m', '900', '?')
    """
    if not np.isfinite(amount):
        return "?"
    units = ((1e8, "亿"), (1e4, "万")) if lang == "zh" else ((1e9, "bn"), (1e6, "m"))
    for size, name in units:
        if amount >= size:
            return f"{amount / size:,.4g}{name}"
    return f"{amount:,.0f}"


def risk_color(risk: float) -> Any:
    """White to dark red; the lightness falls with the risk, so that grey print keeps the order."""
    from matplotlib import colormaps

    return colormaps["Reds"](0.08 + 0.85 * float(np.clip(risk, 0, 1)))


def layered(layers: Sequence[Sequence[int]], links: Sequence[tuple[int, int]]) -> dict[int, tuple[float, float]]:
    """Places of nodes in layers, ordered by the mean place of their neighbours to keep crossings few.

    Layer 0 lies at y = 0, the next at y = 1; nodes of a layer stand one unit apart around x = 0.
    """
    order = [list(layer) for layer in layers]
    near: dict[int, list[int]] = {node: [] for layer in order for node in layer}
    for a, b in links:
        if a in near and b in near:
            near[a].append(b)
            near[b].append(a)
    place = {node: x - (len(layer) - 1) / 2 for layer in order for x, node in enumerate(layer)}
    for sweep in range(8):
        for layer in order if sweep % 2 == 0 else order[::-1]:
            want = {
                node: np.mean([place[other] for other in near[node]]) if near[node] else place[node] for node in layer
            }
            layer.sort(key=lambda node, want=want: want[node])  # type: ignore[misc]
            for x, node in enumerate(layer):
                place[node] = x - (len(layer) - 1) / 2
    return {node: (place[node], float(y)) for y, layer in enumerate(order) for node in layer}
