"""Names made comparable: widths, brackets, legal forms, traditional characters."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pandas as pd

from riskgraph._optional import import_optional
from riskgraph._registry import normal_name

__all__ = ["compare_key", "core_name"]

_FORMS = re.compile(
    r"(股份有限公司|有限责任公司|集团有限公司|有限公司|股份公司|有限合伙企业|普通合伙企业|\((?:有限|普通|特殊普通)合伙\)|\(集团\)|集团|公司)$"
)
_LATIN_FORMS = re.compile(
    r"[\s,]+(co|corp|corporation|inc|incorporated|ltd|limited|llc|llp|lp|plc|gmbh|ag|sa|bv|nv|pte|company)\.?$",
    re.IGNORECASE,
)


#: accents of Latin letters only: the marks of other scripts are letters of their own
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_STOPS = re.compile(r"[\s.,·•]")


@lru_cache(maxsize=1)
def _converter() -> Any:
    return import_optional("opencc", extra="identity").OpenCC("t2s")


def compare_key(names: pd.Series, *, simplify: bool | None = None) -> pd.Series:
    """Key under which spellings of one name are equal: width, brackets, case, spaces, accents, traditional characters.

    Parameters
    ----------
    simplify
        Turn traditional into simplified characters; ``None`` does so when OpenCC is installed (extra ``identity``).

    Examples
    --------
    >>> compare_key(pd.Series(["Ａcme  Ltd.", "acme ltd"]), simplify=False).nunique()
    1
    """
    keys = normal_name(names)
    if simplify or (simplify is None and importlib.util.find_spec("opencc") is not None):
        convert = _converter().convert
        # OpenCC takes UTF-8 alone: halves of characters, which damaged files hold, stay out of what is compared
        keys = _each(keys, lambda text: convert(text.encode("utf-8", "ignore").decode()))
    return _each(keys, _fold)


def _each(names: pd.Series, change: Callable[[str], str]) -> pd.Series:
    """Every text changed, None where there is none; objects, for a string column takes no half of a character."""
    changed = [change(text) if isinstance(text, str) else None for text in names]
    return pd.Series(changed, index=names.index, name=names.name, dtype=object)


def _fold(text: str) -> str:
    """Text without spaces, stops, case and the accents of Latin letters."""
    return _STOPS.sub("", unaccented(text)).casefold()


def unaccented(text: str) -> str:
    """Text without the accents of Latin letters."""
    return (
        text if text.isascii() else unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))
    )


def core_name(names: pd.Series) -> pd.Series:
    """Names without their legal form: what is left tells two firms apart, or does not.

    Examples
    --------
    >>> core_name(pd.Series(["甲乙投资（澄湖）有限公司", "North Sea Trading Co., Ltd."])).tolist()
    ['甲乙投资(澄湖)', 'North Sea Trading']
    """

    def strip(text: str) -> str:
        before = None
        while before != text:
            before = text
            text = _LATIN_FORMS.sub("", _FORMS.sub("", text)).strip(" ,.") or before
        return text

    return _each(normal_name(names), strip)
