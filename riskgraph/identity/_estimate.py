"""Fellegi and Sunter's mixture by expectation and maximisation, on arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Fit", "expectation_maximisation", "odds_factor", "share_of_matches"]


class Fit(NamedTuple):
    """Chances by level and comparison, share of pairs that are one, log-likelihood after each round."""

    m: list[np.ndarray]
    u: list[np.ndarray]
    share: float
    log_likelihood: list[float]


def odds_factor(levels: np.ndarray, m: list[np.ndarray], u: list[np.ndarray]) -> np.ndarray:
    """Product of m/u over the known comparisons of each pair (rows of ``levels``; -1 unknown)."""
    total = np.zeros(levels.shape[0])
    for column, (mine, yours) in enumerate(zip(m, u, strict=True)):
        log = np.append(np.log(np.maximum(mine, 1e-12)) - np.log(np.maximum(yours, 1e-12)), 0.0)
        total += log[levels[:, column]]
    return np.exp(np.clip(total, -500, 500))


def share_of_matches(factor: np.ndarray, possible: float, *, missed: float = 0.0, rounds: int = 1000) -> float:
    """Share of all possible pairs that are one, given each candidate's factor: the likelihood's only maximum.

    ``missed`` is the chance that a true pair is no candidate; pairs that are no candidates stand for non-matches
    otherwise. The likelihood is concave in the share, so the maximum is found wherever the search begins. One true pair
    beyond those seen is granted: a register never proves that it holds none.
    """
    rest = max(possible - factor.size, 0.0)
    share = max(0.5 * factor.size / max(possible, 1.0), 1e-15)
    for _ in range(rounds):
        odds = share / (1 - share)
        weight = odds * factor / (1 + odds * factor)
        off = rest * share * missed / (share * missed + 1 - share)
        new = float(np.clip((weight.sum() + off + 1.0) / (possible + 2.0), 1e-15, 1 - 1e-9))
        if abs(new - share) <= 1e-10 * share:
            return new
        share = new
    return share


def expectation_maximisation(
    levels: np.ndarray,
    m: list[np.ndarray],
    u: list[np.ndarray],
    *,
    share: float,
    fixed: np.ndarray | None = None,
    free_u: bool = True,
    counts: np.ndarray | None = None,
    pseudo: float = 0.0,
    rounds: int = 5000,
    tolerance: float = 1e-12,
) -> Fit:
    """Maximum likelihood of m, u and the share without labels (Dempster, Laird and Rubin 1977; Winkler 1988).

    Parameters
    ----------
    levels
        Pairs × comparisons, positions of levels, -1 unknown (missing at random).
    fixed
        A factor for each pair that is not estimated (such as the rarity of its name).
    free_u
        Whether u is estimated too, or kept as given.
    counts
        How often each row occurs; equal rows need to be given once only.
    pseudo
        Pairs that the m given at the start count for (a Dirichlet prior): with few true pairs the estimate stays there.
    """
    m, u = [x.astype(float).copy() for x in m], [x.astype(float).copy() for x in u]
    weight = np.ones(levels.shape[0]) if counts is None else counts.astype(float)
    extra = np.ones(levels.shape[0]) if fixed is None else fixed
    prior = [pseudo * x for x in m]
    history: list[float] = []
    for _ in range(rounds):
        one, two = np.log(np.maximum(share, 1e-300)) + np.log(extra), np.full(levels.shape[0], np.log1p(-share))
        for column in range(levels.shape[1]):
            one = one + np.append(np.log(np.maximum(m[column], 1e-12)), 0.0)[levels[:, column]]
            two = two + np.append(np.log(np.maximum(u[column], 1e-12)), 0.0)[levels[:, column]]
        together = np.logaddexp(one, two)
        believed = sum(float(a @ np.log(np.maximum(b, 1e-300))) for a, b in zip(prior, m, strict=True))
        history.append(float(weight @ together) + believed)
        is_one = np.exp(one - together)
        share = float(np.clip(weight @ is_one / weight.sum(), 1e-12, 1 - 1e-12))
        for column in range(levels.shape[1]):
            known = levels[:, column] >= 0
            m[column] = _chances(levels[known, column], (weight * is_one)[known], m[column], prior[column])
            if free_u:
                u[column] = _chances(levels[known, column], (weight * (1 - is_one))[known], u[column], 0.0)
        if len(history) > 1 and history[-1] - history[-2] <= tolerance * max(abs(history[-1]), 1.0):
            break
    return Fit(m, u, share, history)


def _chances(level: np.ndarray, weight: np.ndarray, before: np.ndarray, prior: np.ndarray | float) -> np.ndarray:
    total = np.bincount(level, weights=weight, minlength=before.size) + prior
    return total / total.sum() if total.sum() > 0 else before
