"""Identifiers of firms: the Chinese unified credit code, the LEI, UK company numbers.

Check digits come from python-stdnum; riskgraph adds what the rules of each register say beyond them. That a check digit
is right does not mean that a company exists.
"""

from __future__ import annotations

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
_UK_PREFIX = re.compile(r"^(?:[A-Z]{2}\d{6}|[A-Z]{1,2}\d{5,7}[A-Z]?|\d{8})$")


def _plain(value: Any) -> str:
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", str(value))).upper()


def check_uscc(value: str) -> bool:
    """Whether a text is a well-formed unified social credit code (GB 32100-2015): prefix, letters, both check digits.

    An identity card number has eighteen characters too; its first two digits name a province, not a registering body,
    and its check digit follows another rule, so it does not pass.

    Examples
    --------
    >>> check_uscc("91110000600037341L"), check_uscc("91110000600037341M")
    (True, False)
    >>> check_uscc("110101199003074514")
    False
    """
    uscc = import_optional("stdnum.cn.uscc", extra="identity")
    text = _plain(value)
    return text[:2] in _USCC_PREFIX and bool(uscc.is_valid(text))


def check_lei(value: str) -> bool:
    """Whether a text is a well-formed Legal Entity Identifier (ISO 17442: twenty characters, modulo 97).

    Examples
    --------
    >>> check_lei("213800KUD8LAJWSQ9D15"), check_lei("213800KUD8LXJWSQ9D15")
    (True, False)
    """
    return bool(import_optional("stdnum.lei", extra="identity").is_valid(_plain(value)))


def pad_uk_number(value: str) -> str:
    """UK company number with its eight characters: leading zeros are often lost in spreadsheets.

    Texts that cannot be one are returned as they came.

    Examples
    --------
    >>> pad_uk_number("9361466"), pad_uk_number("sc12345"), pad_uk_number("none")
    ('09361466', 'SC012345', 'none')
    """
    text = _plain(value)
    found = re.fullmatch(r"([A-Z]{0,2})(\d{1,8})([A-Z]?)", text)
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
    if len(text) == 18 and check_uscc(text):
        return "uscc"
    if len(text) == 18 and import_optional("stdnum.cn.ric", extra="identity").is_valid(text):
        return "cn_id_card"
    if len(text) == 20 and check_lei(text):
        return "lei"
    return "uk" if _UK_PREFIX.fullmatch(text) else "unknown"
