"""Identifiers of firms: the Chinese unified credit code, the LEI, UK company numbers.

Check digits come from python-stdnum; riskgraph adds what the rules of each register say beyond them. That a check digit
is right does not mean that a company exists.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import Any

from riskgraph._optional import import_optional

__all__ = ["check_lei", "check_uscc", "kind_of_identifier", "pad_uk_number"]

#: first two characters of a unified credit code that GB 32100-2015 assigns: registering body and category
_USCC_PREFIX = frozenset(
    f"{body}{category}"
    for body, categories in {
        "1": "1239", "2": "19", "3": "123459", "4": "19", "5": "123459", "6": "129", "7": "129", "8": "19", "9": "123",
        "A": "19", "N": "1239", "Y": "1",
    }.items()
    for category in categories
)  # fmt: skip
#: first two digits of a GB/T 2260 code: 31 provinces, Hong Kong, Macao, Taiwan; of identity cards also 91 (foreigners)
_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83), (91, 91))
    for code in range(first, last + 1)
)
_ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_UK_PREFIX = re.compile(r"^(?:[A-Z]{2}\d{6}|[A-Z]{1,2}\d{5,7}[A-Z]?|\d{8})$")


def _plain(value: Any) -> str:
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", str(value))).upper()


def check_uscc(value: str) -> bool:
    """Whether a text is a well-formed unified social credit code (GB 32100-2015): prefix, letters, both check digits.

    The two are that of the whole (python-stdnum) and that of the organisation code inside (GB 11714-1997). An identity
    card number has eighteen characters too; one that fits both rules by accident is taken for a card, so that a person
    is not made a firm.

    Examples
    --------
    >>> check_uscc("91110000600037341L"), check_uscc("91110000600037341M")
    (True, False)
    >>> check_uscc("110101199003074514")
    False
    """
    uscc = import_optional("stdnum.cn.uscc", extra="identity")
    text = _plain(value)
    if text[:2] not in _USCC_PREFIX or not text.isascii() or not uscc.is_valid(text):
        return False
    return _organisation_digit(text[8:16]) == text[16] and not _is_id_card(text)


def _organisation_digit(code: str) -> str:
    """Check character of an organisation code (GB 11714-1997)."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = 11 - sum(weight * _ORGANISATION.index(letter) for weight, letter in zip(weights, code, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def _is_id_card(text: str) -> bool:
    """Whether a text has the form of a resident identity card number (GB 11643-1999): place, birth, check digit.

    python-stdnum also looks the county up; a county missing from its table must not make a person a firm.
    """
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text) or text[:2] not in _PROVINCES:
        return False
    try:
        born = datetime.date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    ric = import_optional("stdnum.cn.ric", extra="identity")
    return 1850 <= born.year <= 2100 and bool(ric.calc_check_digit(text) == text[-1])


def check_lei(value: str) -> bool:
    """Whether a text is a well-formed Legal Entity Identifier (ISO 17442: twenty characters, modulo 97).

    Examples
    --------
    >>> check_lei("213800KUD8LAJWSQ9D15"), check_lei("213800KUD8LXJWSQ9D15")
    (True, False)
    """
    text = _plain(value)
    return re.fullmatch(r"[0-9A-Z]{18}[0-9]{2}", text) is not None and bool(
        import_optional("stdnum.lei", extra="identity").is_valid(text)
    )


def pad_uk_number(value: str) -> str:
    """UK company number with its eight characters: leading zeros are often lost in spreadsheets.

    Texts that cannot be one are returned as they came.

    Examples
    --------
    >>> pad_uk_number("9361466"), pad_uk_number("sc12345"), pad_uk_number("none")
    ('09361466', 'SC012345', 'none')
    """
    text = _plain(value)
    found = re.fullmatch(r"([A-Z]{0,2})([0-9]{1,8})([A-Z]?)", text)
    if not found:
        return str(value)
    letters, digits, last = found.groups()
    padded = letters + digits.zfill(8 - len(letters) - len(last)) + last
    return padded if _UK_PREFIX.fullmatch(padded) else str(value)


def kind_of_identifier(value: str) -> str:
    """What an identifier is: ``uscc``, ``lei``, ``uk``, ``cn_id_card``, or ``unknown``.

    Examples
    --------
    >>> [kind_of_identifier(text) for text in ("91110000600037341L", "110101199003074514", "SC012345", "x")]
    ['uscc', 'cn_id_card', 'uk', 'unknown']
    """
    text = _plain(value)
    if len(text) == 18 and _is_id_card(text):
        return "cn_id_card"
    if len(text) == 18 and check_uscc(text):
        return "uscc"
    if len(text) == 20 and check_lei(text):
        return "lei"
    return "uk" if _UK_PREFIX.fullmatch(text) and text.isascii() else "unknown"
