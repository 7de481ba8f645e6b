"""The Chinese font that a package brings: where it lies, and the glyphs a page needs cut from it."""

from __future__ import annotations

import base64
import importlib.util
import io
import logging
from functools import cache, lru_cache
from pathlib import Path

__all__ = ["carried_font", "subset_font"]

logger = logging.getLogger(__name__)


@cache
def carried_font() -> Path | None:
    """File of the font of the ``cjk`` extra (Noto Sans SC, SIL OFL); None where it is not installed."""
    spec = importlib.util.find_spec("zhplot")
    if spec is None or not spec.submodule_search_locations:
        return None
    files = sorted(Path(spec.submodule_search_locations[0]).glob("fonts/*.ttf"))
    return files[0] if files else None


def subset_font(text: str) -> str:
    """WOFF with the characters of ``text`` in base64; empty when the ``cjk`` extra is not installed.

    Fonts of the reader's system are left alone: they may not be passed on. The font of the extra may (SIL OFL).
    """
    if carried_font() is None:
        logger.info("no font to put into the page; the reader's own is used")
        return ""
    return _cut("".join(sorted({letter for letter in text if ord(letter) >= 32})))


@lru_cache(maxsize=64)
def _cut(letters: str) -> str:
    from fontTools import subset

    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True, desubroutinize=True)
    options.recalc_timestamp = False
    cutter = subset.Subsetter(options)
    cutter.populate(text=letters)
    out = io.BytesIO()
    with subset.load_font(str(carried_font()), options, lazy=True) as font:
        cutter.subset(font)
        subset.save_font(font, out, options)
    return base64.b64encode(out.getvalue()).decode()
