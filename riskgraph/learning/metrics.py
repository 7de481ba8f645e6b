"""How well scores rank and how true their probabilities are, with intervals that respect groups.

Thin over :mod:`sklearn.metrics`: with one class only a figure is NaN and :func:`why_undefined` says why; equal scores
get what a random order among them would give on average, so that a constant score earns the base rate, not luck.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._sparse import expand, row_pointers
from riskgraph.errors import InvalidParameter

__all__ = [
    "METRICS",
    "average_precision",
    "bootstrap_interval",
    "brier",
    "calibration",
    "lift",
    "precision_at",
    "roc_auc",
    "why_undefined",
]


def _checked(label: Any, score: Any) -> tuple[np.ndarray, np.ndarray]:
    y, s = np.asarray(label, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if y.ndim != 1 or y.shape != s.shape:
        raise InvalidParameter(f"'label' and 'score' must be of one length; got {y.shape} and {s.shape}")
    if not np.isin(y, (0.0, 1.0)).all():
        raise InvalidParameter("'label' must hold 0 and 1 only")
    if np.isnan(s).any():
        raise InvalidParameter(f"'score' must hold numbers; {int(np.isnan(s).sum())} of {s.size} are missing")
    return y, s


def why_undefined(label: Any) -> str:
    """Why a figure of ranking cannot be given; an empty text where it can.

    Examples
    --------
    >>> why_undefined([0, 0])
    'no entity enters a case'
    """
    y = np.asarray(label, dtype=np.float64)
    if not y.size:
        return "nobody is scored"
    if not y.any():
        return "no entity enters a case"
    return "every entity enters a case" if y.all() else ""


def roc_auc(label: Any, score: Any) -> float:
    """Chance that one with a case scores above one without; NaN with one class only.

    Examples
    --------
    >>> roc_auc([0, 1, 1], [0.1, 0.1, 0.9])
    0.75
    """
    from sklearn.metrics import roc_auc_score

    y, s = _checked(label, score)
    return float("nan") if why_undefined(y) else float(roc_auc_score(y, s))


def average_precision(label: Any, score: Any) -> float:
    """Mean precision over the ranks of those with a case; NaN without any.

    Examples
    --------
    >>> average_precision([0, 1, 0, 1], [0.1, 0.9, 0.3, 0.2])
    0.8333333333333333
    """
    from sklearn.metrics import average_precision_score

    y, s = _checked(label, score)
    return float(average_precision_score(y, s)) if y.any() else float("nan")


def precision_at(label: Any, score: Any, k: int) -> float:
    """Part of the ``k`` highest scores that have a case; ties share their places. NaN where nobody is scored.

    Examples
    --------
    >>> precision_at([1, 0, 0, 1], [0.9, 0.8, 0.1, 0.1], 2)
    0.5
    >>> precision_at([1, 0, 0, 1], [0.5, 0.5, 0.5, 0.5], 1)
    0.5
    """
    y, s = _checked(label, score)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise InvalidParameter(f"'k' must be a whole number, 1 or more; got {k!r}")
    if not y.size:
        return float("nan")
    k = min(int(k), y.size)
    edge = np.partition(s, s.size - k)[s.size - k]
    above, tied = s > edge, s == edge
    hits = y[above].sum() + (k - above.sum()) * y[tied].mean()
    return float(hits / k)


def lift(label: Any, score: Any, k: int) -> float:
    """How many times more cases the ``k`` highest scores hold than as many drawn at random; NaN without any case.

    Examples
    --------
    >>> lift([1, 0, 0, 0], [0.9, 0.8, 0.1, 0.1], 1)
    4.0
    """
    y, s = _checked(label, score)
    return float(precision_at(y, s, k) / y.mean()) if y.any() else float("nan")


def brier(label: Any, probability: Any) -> float:
    """Mean squared gap between probability and outcome (Brier 1950); NaN where nobody is scored.

    Examples
    --------
    >>> brier([1, 0], [0.5, 0.5])
    0.25
    """
    y, p = _checked(label, probability)
    return float(np.mean((p - y) ** 2)) if y.size else float("nan")


def calibration(label: Any, probability: Any, *, bins: int = 10) -> pd.DataFrame:
    """Probabilities against outcomes: ``count, probability, share``, one row a bin of about as many entities each.

    ``probability`` is the mean of the bin, ``share`` the part of it with a case. Equal probabilities stay together.

    Examples
    --------
    >>> calibration([0, 0, 1, 1], [0.1, 0.1, 0.8, 0.8], bins=2)
       count  probability  share
    0      2          0.1    0.0
    1      2          0.8    1.0
    """
    y, p = _checked(label, probability)
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)) or bins < 1:
        raise InvalidParameter(f"'bins' must be a whole number, 1 or more; got {bins!r}")
    values, place, counts = np.unique(p, return_inverse=True, return_counts=True)
    # a value goes into the bin of its middle rank
    middle = np.cumsum(counts) - counts / 2
    number = np.minimum((middle * bins / max(p.size, 1)).astype(np.int64), bins - 1)[place] if values.size else place
    frame = pd.DataFrame({"bin": number, "probability": p, "share": y})
    found = frame.groupby("bin").agg(
        count=("share", "size"), probability=("probability", "mean"), share=("share", "mean")
    )
    return found.reset_index(drop=True)


def bootstrap_interval(
    metric: Callable[[np.ndarray, np.ndarray], float],
    label: Any,
    score: Any,
    groups: Any = None,
    *,
    n_samples: int = 200,
    level: float = 0.95,
    random_state: int | None = 0,
) -> tuple[float, float]:
    """Percentile interval of a figure over groups drawn with replacement: related entities stand or fall together.

    Parameters
    ----------
    metric
        Takes labels and scores, gives a number.
    groups
        Group of each entity; None makes each its own.

    Returns
    -------
    tuple
        Low and high end; both NaN where fewer than half of the draws give a number.

    Raises
    ------
    InvalidParameter
        A parameter breaks its rule.

    References
    ----------
    Efron and Tibshirani (1993); Field and Welsh (2007) on drawing clusters.

    Examples
    --------
    >>> low, high = bootstrap_interval(roc_auc, [0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.7, 0.9])
    >>> low < 8 / 9 < high <= 1
    True
    """
    y, s = _checked(label, score)
    if not 0 < level < 1:
        raise InvalidParameter(f"'level' must be in (0, 1); got {level!r}")
    if isinstance(n_samples, bool) or not isinstance(n_samples, (int, np.integer)) or n_samples < 1:
        raise InvalidParameter(f"'n_samples' must be a whole number, 1 or more; got {n_samples!r}")
    codes = np.arange(y.size) if groups is None else pd.factorize(np.asarray(groups, dtype=object))[0]
    if codes.size != y.size:
        raise InvalidParameter(f"'groups' must hold one group an entity, {y.size}; got {codes.size}")
    if not y.size:
        return float("nan"), float("nan")
    total = int(codes.max()) + 1
    members, pointers = np.argsort(codes, kind="stable"), row_pointers(total, codes)
    rng = np.random.default_rng(random_state)
    found = np.empty(int(n_samples))
    for draw in range(int(n_samples)):
        spots, _ = expand(pointers, rng.integers(0, total, total))
        rows = members[spots]
        found[draw] = metric(y[rows], s[rows])
    given = found[~np.isnan(found)]
    if given.size < n_samples / 2:
        return float("nan"), float("nan")
    low, high = np.quantile(given, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


#: figures of ranking that need no further number
METRICS: dict[str, Callable[[Any, Any], float]] = {"roc_auc": roc_auc, "average_precision": average_precision}
