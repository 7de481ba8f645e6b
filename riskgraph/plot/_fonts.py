"""Find a font that can write Chinese, per text, without touching global settings."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from riskgraph._font import carried_font

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.font_manager import FontProperties

__all__ = ["MissingGlyphWarning", "check_glyphs", "extent", "font", "font_file", "write"]

_FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Heiti SC",
    "SimHei",
)


#: from line to line, in sizes of the font
_STEP = 1.3


class MissingGlyphWarning(UserWarning):
    """A picture shows a box because no font at hand has the character."""


@lru_cache(maxsize=1)
def font_file() -> str:
    """Path of the font used: a Chinese one of the system, else that of the ``cjk`` extra, else matplotlib's own."""
    from matplotlib import font_manager

    files = {entry.name: entry.fname for entry in font_manager.fontManager.ttflist}
    for family in _FAMILIES:
        if family in files:
            return str(files[family])
    return str(carried_font() or font_manager.findfont("DejaVu Sans"))


def font(size: float = 9, weight: str = "normal") -> FontProperties:
    """Font properties for one text."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=font_file(), size=size, weight=weight)


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(font_file()).get_charmap())


def check_glyphs(text: str) -> str:
    """Return the text; warn by name about characters that would be drawn as boxes."""
    missing = sorted({letter for letter in text if ord(letter) not in _glyphs() and letter not in "\n\t"})
    if missing:
        names = ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in missing[:5])
        warnings.warn(
            f'no font here has {names}; install a Chinese font or pip install "riskgraph[cjk]"',
            MissingGlyphWarning,
            stacklevel=3,
        )
    return text


def extent(text: str, size: float) -> tuple[float, float]:
    """Width and height in inches that a text takes at a font size in points, several lines included."""
    lines = text.split("\n")
    wide = max((_width(line) for line in lines), default=0.0)
    return 1.05 * wide * size, 1.03 * _STEP * size * len(lines) / 72


@lru_cache(maxsize=20_000)
def _width(line: str) -> float:
    """Width of a line in inches for each point of size."""
    from matplotlib.textpath import text_to_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of missing glyphs: `write` names them
        wide, _, _ = text_to_path.get_text_width_height_descent(line, font(10), False)
    return float(wide) / 720 if line else 0.0


def write(ax: Axes, x: float, y: float, text: str, *, size: float = 9, **style: Any) -> Any:
    """Put a text on axes in a font that has its characters; ``$`` is a character, not mathematics."""
    return ax.text(x, y, check_glyphs(text), fontproperties=font(size), parse_math=False, linespacing=_STEP, **style)
