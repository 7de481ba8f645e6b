"""Counts of coalitions that a player turns from losing to winning, exactly, by whole weights or by listing them."""

from __future__ import annotations

from fractions import Fraction
from math import comb, gcd, lcm

import numpy as np

__all__ = ["LISTED", "STEPS", "exact_fraction", "swings", "whole_weights"]

#: players up to which all coalitions may be listed
LISTED = 20
#: most additions of a table of coalitions by their weight
STEPS = 200_000_000
#: players whose coalitions can be counted in 64 bits
SMALL = 62
#: additions of Python's whole numbers cost about this many of numpy's
SLOW = 20
#: shares that are no decimals of up to twelve places may be fractions with denominators up to this
DENOMINATOR = 10_000


def exact_fraction(share: float) -> Fraction:
    """Share as the decimal of up to twelve places or the small fraction that was meant, else as the float it is.

    Examples
    --------
    >>> exact_fraction(0.1), exact_fraction(4 / 7)
    (Fraction(1, 10), Fraction(4, 7))
    """
    decimal = Fraction(round(share * 10**12), 10**12)
    if float(decimal) == share:
        return decimal
    small = Fraction(share).limit_denominator(DENOMINATOR)
    return small if float(small) == share else Fraction(share)


def whole_weights(shares: list[Fraction], quota: Fraction) -> tuple[list[int], int]:
    """Whole weights in the proportions of the shares, and the greatest weight that does not win yet."""
    scale = lcm(*(share.denominator for share in shares))
    weights = [int(share * scale) for share in shares]
    unit = gcd(*weights) or 1
    weights = [weight // unit for weight in weights]
    bar = quota * sum(weights)
    return weights, bar.numerator // bar.denominator


def swings(weights: list[int], quota: int, *, by_size: bool) -> list[list[int]] | None:
    """For each player and size of coalition, how many coalitions without it lose (at most ``quota``) and win with it.

    Sizes are added up, in one number a player, unless ``by_size``. ``None`` when there are too many players for their
    weights.
    """
    players = [i for i, weight in enumerate(weights) if weight > 0]
    n = len(players)
    sizes = n if by_size else 1
    found = [[0] * sizes for _ in weights]
    held = [weights[i] for i in players]
    work = n * (quota + 1) * ((n + 1) if by_size else 1)
    if work * (1 if n <= SMALL else SLOW) <= STEPS:
        counts = _by_weight(held, quota, by_size)
        for i, weight in zip(players, held, strict=True):
            found[i] = _turned_by_weight(counts, weight, quota, n, by_size)
    elif n <= LISTED:
        for i, turned in zip(players, _turned_by_listing(held, quota, by_size), strict=True):
            found[i] = turned
    else:
        return None
    return found


def _by_weight(weights: list[int], quota: int, by_size: bool) -> np.ndarray:
    """Number of coalitions that weigh at most w, for every w up to the quota; rows are sizes where asked."""
    n = len(weights)
    exact = np.int64 if n <= SMALL else object
    table = np.zeros((n + 1 if by_size else 1, quota + 1), dtype=exact)
    table[0, 0] = 1
    for number, weight in enumerate(weights):
        if weight > quota:
            continue
        if by_size:
            table[1 : number + 2, weight:] += table[: number + 1, : quota + 1 - weight].copy()
        else:
            table[:, weight:] += table[:, : quota + 1 - weight].copy()
    return np.cumsum(table, axis=1)


def _turned_by_weight(counts: np.ndarray, weight: int, quota: int, n: int, by_size: bool) -> list[int]:
    # coalitions with the player that weigh at most w are those without it of at most w less its weight, so the count
    # without it is an alternating sum
    if not by_size:
        return [_without(counts[0], quota, weight) - _without(counts[0], quota - weight, weight)]
    turned = []
    for size in range(n):
        turned.append(
            _without_by_size(counts, size, quota, weight) - _without_by_size(counts, size, quota - weight, weight)
        )
    return turned


def _without(counts: np.ndarray, most: int, weight: int) -> int:
    if most < 0:
        return 0
    terms = counts[most::-weight]
    # in pairs, none of them negative: sums of their own would leave 64 bits where the quota is high
    pairs = terms[::2].copy()
    pairs[: terms.size // 2] -= terms[1::2]
    return int(pairs.sum())


def _without_by_size(counts: np.ndarray, size: int, most: int, weight: int) -> int:
    total, sign = 0, 1
    while size >= 0 and most >= 0:
        total += sign * int(counts[size, most])
        sign, size, most = -sign, size - 1, most - weight
    return total


def _turned_by_listing(weights: list[int], quota: int, by_size: bool) -> list[list[int]]:
    """All coalitions one by one; sums of large weights are whole numbers of 63 bits or Python's."""
    n = len(weights)
    exact = np.int64 if sum(weights) < 2**62 else object
    total = np.zeros(1, dtype=exact)
    size = np.zeros(1, dtype=np.int64)
    for weight in weights:
        total = np.concatenate([total, total + weight])
        size = np.concatenate([size, size + 1])
    number = np.arange(2**n)
    losing = total <= quota
    found = []
    for i, weight in enumerate(weights):
        turned = losing & ((number >> i) & 1 == 0) & (total > quota - weight)
        counts = np.bincount(size[turned.astype(bool)], minlength=n)[:n].tolist()
        found.append(counts if by_size else [sum(counts)])
    return found


def shapley_value(turned: list[int], n: int) -> Fraction:
    """Part of all orders of n players in which a player turns the coalition before it."""
    return sum((Fraction(count, n * comb(n - 1, size)) for size, count in enumerate(turned)), Fraction(0))
