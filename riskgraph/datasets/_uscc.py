"""Unified social credit codes (GB 32100-2015) that pass every check and were never issued."""

from __future__ import annotations

__all__ = ["check_character", "organisation_check", "unissued_code"]

#: digits and letters without I, O, S, V, Z
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def check_character(first_17: str) -> str:
    """Return the 18th character: weights 3 to the i modulo 31, sum modulo 31, taken from 31.

    Examples
    --------
    >>> check_character("91320621MA1MRHG20")
    '5'
    """
    total = sum(ALPHABET.index(letter) * pow(3, place, 31) for place, letter in enumerate(first_17))
    return ALPHABET[-total % 31]


def organisation_check(first_8: str) -> str:
    """Return the 9th character of an organisation code (GB 11714-1997): eleven minus the weighted sum modulo 11.

    Examples
    --------
    >>> organisation_check("MA1MRHG2")
    '0'
    """
    values = (int(letter, 36) for letter in first_8)
    rest = 11 - sum(value * weight for value, weight in zip(values, _ORGANISATION_WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def unissued_code(region: str, serial: int, *, category: str = "1") -> str:
    """Code number ``serial`` of a region that GB/T 2260 never assigned: well formed, and nobody's.

    ``category`` is 1 for enterprises and 3 for farmers' cooperatives, of register 9.

    Examples
    --------
    >>> unissued_code("329921", 1)
    '91329921MA0000015Y'
    """
    body = f"MA{serial:06d}"
    first_17 = f"9{category}{region}{body}{organisation_check(body)}"
    return first_17 + check_character(first_17)
