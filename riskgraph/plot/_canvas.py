"""What all pictures share: axes, titles and notes, names broken into lines, amounts, colours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskgraph._looks import FILLS, SHAPES, risk_rgb
from riskgraph.errors import InvalidParameter
from riskgraph.plot._fonts import check_glyphs, extent, font, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Sheet",
    "axes",
    "below",
    "check_lang",
    "empty",
    "fill",
    "label",
    "marker",
    "money",
    "percent",
    "risk_color",
    "sheet",
    "title",
]

TITLE, SMALL = 12.0, 8.0
_MARGIN = 0.15


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


class Sheet(NamedTuple):
    """Axes on which one unit is one inch, or ``scale`` inches where the axes given are too small for that."""

    ax: Axes
    scale: float

    def write(self, x: float, y: float, text: str, *, size: float, **style: Any) -> Any:
        """Text in the scale of the sheet."""
        return write(self.ax, x, y, text, size=size * self.scale, **style)

    def write_over(self, x: float, y: float, text: str, *, size: float, **style: Any) -> Any:
        """Text with a white rim, legible where a line runs below it."""
        from matplotlib.patheffects import withStroke

        rim = withStroke(linewidth=2.2 * self.scale, foreground="white")
        return self.write(x, y, text, size=size, path_effects=[rim], **style)

    def line(self, width: float) -> float:
        """Line width in the scale of the sheet."""
        return max(0.4, width * self.scale)


def sheet(ax: Axes | None, box: tuple[float, float, float, float], heading: str, notes: Sequence[str] = ()) -> Sheet:
    """Axes for a chart laid out in inches.

    Parameters
    ----------
    box
        Left, bottom, right and top of the chart.
    notes
        Sentences written in small below the chart.
    """
    left, bottom, right, top = box
    foot = "\n".join(notes)
    note_wide, note_high = extent(foot, SMALL) if foot else (0.0, -0.1)
    bottom -= note_high + 0.15
    head_wide, head_high = extent(heading, TITLE)
    width = max(right - left, note_wide, 2.5 if ax is not None else head_wide) + 2 * _MARGIN
    middle, height = (left + right) / 2, top - bottom + 2 * _MARGIN
    if ax is None:
        import matplotlib.pyplot as plt

        head = head_high + 0.12
        figure = plt.figure(figsize=(width, height + head))
        ax = figure.add_axes((0.0, 0.0, 1.0, height / (height + head)))
        scale = 1.0
    else:
        space = ax.get_window_extent()
        inch = float(ax.figure.dpi)
        scale = min(1.0, 0.97 * space.width / inch / width, 0.97 * space.height / inch / height)
    ax.set_xlim(middle - width / 2, middle + width / 2)
    ax.set_ylim(bottom - _MARGIN, top + _MARGIN)
    ax.set_aspect("equal")
    ax.set_axis_off()
    made = Sheet(ax, scale)
    if foot:
        made.write(middle - width / 2 + _MARGIN, bottom, foot, size=SMALL, ha="left", va="bottom", color="#555555")
    title(ax, heading, TITLE * max(scale, 0.6)).set_x(_MARGIN / width)
    return made


def title(ax: Axes, text: str, size: float = TITLE) -> Any:
    """Heading at the left above the axes."""
    return ax.set_title(check_glyphs(text), fontproperties=font(size), loc="left", parse_math=False)


def below(ax: Axes, height: float, *entries: Any, ncols: int = 6) -> None:
    """Legend under the axes, whose height is given in inches."""
    ax.legend(
        *entries, prop=font(8), loc="upper left", bbox_to_anchor=(0, -0.34 / height), ncols=ncols, frameon=False,
        borderaxespad=0, handlelength=1.4, columnspacing=1.4,
    )  # fmt: skip


def empty(ax: Axes, text: str) -> Axes:
    """Say in the middle of the axes that there is nothing to show."""
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    write(ax, 0.5, 0.5, label(text, 24, 3), size=11, ha="center", va="center", color="#555555")
    return ax


#: endings of Chinese firm names, the longest first: a line breaks before them
_FORMS = ("股份有限公司", "有限责任公司", "有限公司", "（有限合伙）", "(有限合伙)", "合伙企业", "专业合作社")


def _size(text: str) -> int:
    """Width in half characters: a Chinese one counts twice."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def label(name: object, width: int = 12, lines: int = 2) -> str:
    r"""Name in at most ``lines`` lines of ``width`` Chinese characters, or twice as many Latin ones, cut with ….

    A Chinese firm breaks before its legal form, a Latin name between words, anything else into equal parts.

    >>> label("澄湖汀梓财富管理有限公司", 9)
    '澄湖汀梓财富管理\n有限公司'
    >>> label("Harbour Bridge Trading Limited", 8)
    'Harbour Bridge\nTrading Limited'
    """
    text = " ".join(str(name).split())
    most = 2 * width
    if _size(text) <= most:
        return text
    if lines >= 2:
        for form in _FORMS:
            head = text[: -len(form)]
            if text.endswith(form) and 4 <= _size(head) <= most and _size(form) <= most:
                return f"{head}\n{form}"
    parts = min(lines, -(-_size(text) // most))
    rows: list[str] = []
    for wanted in range(max(-(-_size(text) // parts), 2), most + 1):  # equal rows where they are enough
        rows = _rows(text, wanted, most)
        if len(rows) <= parts:
            break
    else:
        rows = _rows(text, most, most)
    if len(rows) > lines:
        last = rows[lines - 1]
        while last and _size(last) + 2 > most:
            last = last[:-1]
        rows = [*rows[: lines - 1], last.rstrip() + "…"]
    return "\n".join(rows)


def _rows(text: str, wanted: int, most: int) -> list[str]:
    """Rows of about ``wanted`` half characters, none above ``most``; words are kept whole where they fit."""
    rows, row = [], ""
    for piece in _pieces(text, most):
        if row.strip() and _size(row + piece.rstrip()) > wanted:
            rows.append(row.strip())
            row = ""
        row += piece
    return [*rows, row.strip()] if row.strip() else rows


def _pieces(text: str, most: int) -> list[str]:
    """Words with the blank after them, and single characters of a word too long for a row or the only one."""
    words = re.findall(r"\S+ ?", text)
    pieces: list[str] = []
    for word in words:
        if len(words) > 1 and _size(word.rstrip()) <= most:
            pieces.append(word)
        else:
            runs = re.findall(r"[\x21-\u2e7f]+ ?|[^\x21-\u2e7f] ?", word)
            pieces += [part for run in runs for part in ([run] if _size(run.rstrip()) <= most else run)]
    return pieces


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


def percent(low: float, high: float) -> str:
    """A share in percent; an interval from both ends, ``?`` where nothing is declared.

    >>> percent(0.125, 0.125), percent(0.25, 0.5), percent(float("nan"), float("nan")), percent(0.25, float("nan"))
    ('12.5%', '25–50%', '?', '≥25%')
    """
    if np.isnan(low) and np.isnan(high):
        return "?"
    if np.isnan(low):
        return f"≤{100 * high:.4g}%"
    if np.isnan(high):
        return f"≥{100 * low:.4g}%"
    return f"{100 * low:.4g}%" if low == high else f"{100 * low:.4g}–{100 * high:.4g}%"


def risk_color(risk: float) -> tuple[float, float, float]:
    """White to dark red; the lightness falls with the risk, so that grey print keeps the order."""
    red, green, blue = risk_rgb(float(risk))
    return red / 255, green / 255, blue / 255


def fill(kind: str) -> str:
    """Fill of the box of an entity."""
    return FILLS.get(kind, "#f2f3f5")


def marker(kind: str) -> Any:
    """Marker of an entity kind, with the outline a page draws too."""
    corners = SHAPES[kind]
    return "o" if not corners else [*corners, corners[0]]
