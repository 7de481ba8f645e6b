"""The glyphs a page uses, cut from the Chinese font at hand, so that no reader sees boxes."""

from __future__ import annotations

import base64
import importlib.util
import io
import logging
from pathlib import Path

__all__ = ["subset_font"]

logger = logging.getLogger(__name__)


def subset_font(text: str) -> str:
    """WOFF of the characters of ``text`` in base64; empty when the ``cjk`` extra is not installed.

    Fonts of the reader's system are left alone: they may not be passed on. The font of the extra may (SIL OFL).
    """
    spec = importlib.util.find_spec("zhplot")
    if spec is None or not spec.submodule_search_locations:
        logger.info("no font to put into the page; the reader's own is used")
        return ""
    files = sorted(Path(spec.submodule_search_locations[0]).glob("fonts/*.ttf"))
    if not files:
        return ""
    from fontTools import subset

    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True, desubroutinize=True)
    options.recalc_timestamp = False
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted({letter for letter in text if ord(letter) >= 32})))
    out = io.BytesIO()
    with subset.load_font(str(files[0]), options, lazy=True) as font:
        cutter.subset(font)
        subset.save_font(font, out, options)
    return base64.b64encode(out.getvalue()).decode()
