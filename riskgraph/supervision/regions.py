"""Region codes: the first two digits give the province, four the city, six the county (GB/T 2260)."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["city_of", "codes_of", "county_of", "level_of", "province_of"]

_CODE = re.compile(r"\d{2,12}")


def codes_of(value: Any) -> tuple[str, ...]:
    """Six-digit codes in a cell that may hold several joined by ``;``; shorter ones are filled with zeros.

    Examples
    --------
    >>> codes_of("320581;3301"), codes_of(None)
    (('320581', '330100'), ())
    """
    if value is None or value != value:
        return ()
    return tuple(dict.fromkeys(code[:6].ljust(6, "0") for code in _CODE.findall(str(value))))


def province_of(code: str) -> str:
    """Six-digit code of the province."""
    return code[:2] + "0000" if code else ""


def city_of(code: str) -> str:
    """Six-digit code of the city; of a province code the province itself."""
    return code[:4] + "00" if code else ""


def county_of(code: str) -> str:
    """Six-digit code of the county, '' where the code stops at a city or province."""
    return code if code and level_of(code) == "county" else ""


def level_of(code: str) -> str:
    """``county``, ``city`` or ``province`` of a six-digit code.

    Examples
    --------
    >>> level_of("320581"), level_of("320500"), level_of("320000")
    ('county', 'city', 'province')
    """
    if code[2:6] == "0000":
        return "province"
    return "city" if code[4:6] == "00" else "county"
