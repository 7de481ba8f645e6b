"""What a ranking finds as the list of inspections grows, and what became of those given about the same probability."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.learning.backtest import Backtest
from riskgraph.learning.metrics import _checked, calibration

__all__ = ["ranking_curve", "reliability"]

#: points beyond which a curve is thinned: no screen shows more
POINTS = 300


def ranking_curve(label: Any, score: Any) -> pd.DataFrame:
    """What is found as more and more of the highest scores are inspected: ROC, precision–recall and gain in one frame.

    Parameters
    ----------
    label
        0 or 1.
    score
        As long as ``label``.

    Returns
    -------
    DataFrame
        ``inspected`` (part of all), ``found`` (part of those with a case: recall), ``false_alarms`` (part of those
        without), ``precision`` (part of the inspected with a case; NaN for none inspected), from nobody to all. Equal
        scores come together, in one row. Empty with one class only. At most 300 rows.

    Examples
    --------
    >>> ranking_curve([1, 0, 1, 0], [0.9, 0.8, 0.8, 0.1]).round(2)
       inspected  found  false_alarms  precision
    0       0.00    0.0           0.0        NaN
    1       0.25    0.5           0.0       1.00
    2       0.75    1.0           0.5       0.67
    3       1.00    1.0           1.0       0.50
    """
    y, s = _checked(label, score)
    columns = ["inspected", "found", "false_alarms", "precision"]
    if np.unique(y).size < 2:
        return pd.DataFrame(columns=columns, dtype=np.float64)
    order = np.argsort(-s, kind="stable")
    last = np.append(np.flatnonzero(np.diff(s[order])), y.size - 1)
    number = np.concatenate([[0.0], last + 1.0])
    hits = np.concatenate([[0.0], np.cumsum(y[order])[last]])
    with np.errstate(invalid="ignore"):
        precision = hits / number
    values = (number / y.size, hits / y.sum(), (number - hits) / (y.size - y.sum()), precision)
    frame = pd.DataFrame(dict(zip(columns, values, strict=True)))
    if len(frame) > POINTS:
        # the first places are what gets inspected: they stay, the rest is thinned
        rows = np.unique(np.round(np.linspace(0, 1, POINTS) ** 2 * (len(frame) - 1)).astype(np.int64))
        frame = frame.iloc[rows].reset_index(drop=True)
    return frame


def reliability(result: Backtest, *, bins: int = 5) -> pd.DataFrame:
    """Probabilities of a backtest against outcomes, with intervals over whole groups.

    Parameters
    ----------
    result
        What :func:`backtest` returned, of any number of cutoffs: all are put together.
    bins
        About how many bins, of about as many entities each.

    Returns
    -------
    DataFrame
        ``count, probability, share, low, high``, one row a bin, as of
        :func:`riskgraph.learning.metrics.calibration`. Empty where scores are no probabilities or nobody has one.

    Raises
    ------
    InvalidParameter
        Not what :func:`backtest` returned.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> found = rg.learning.backtest(graph, rg.risk.RiskCascade(), ["2016-06-30"], n_bootstrap=20)
    >>> list(reliability(found).columns)
    ['count', 'probability', 'share', 'low', 'high']
    """
    run = run_of(result)
    rows = run.scores[run.scores["probability"].notna()]
    chance = rows["probability"].to_numpy(dtype=np.float64)
    if not chance.size or ((chance < 0) | (chance > 1)).any():
        return pd.DataFrame(columns=["count", "probability", "share", "low", "high"], dtype=np.float64)
    table = calibration(rows["label"], chance, bins=bins)
    # bins are stretches of probability: the greatest one of each says where the next begins
    edges = np.sort(chance)[np.cumsum(table["count"].to_numpy()) - 1]
    place = np.searchsorted(edges, chance)
    groups, names = pd.factorize(rows["group"].to_numpy(dtype=object))
    shape = (len(names), len(table))
    total, hits = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (groups, place), 1.0)
    np.add.at(hits, (groups, place), rows["label"].to_numpy(dtype=np.float64))
    rng = np.random.default_rng(run.random_state)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=run.n_bootstrap).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = (times @ hits) / (times @ total)
    tail = (1 - run.level) / 2
    given = ~np.isnan(shares).all(axis=0)
    low, high = np.full(len(table), np.nan), np.full(len(table), np.nan)
    low[given], high[given] = np.nanquantile(shares[:, given], [tail, 1 - tail], axis=0)
    return table.assign(low=low, high=high)


def run_of(result: Any) -> Any:
    """How a backtest was made.

    Raises
    ------
    InvalidParameter
        Not what :func:`backtest` returned: a part of it no longer knows how it was made.
    """
    if not isinstance(result, Backtest) or not hasattr(result, "run"):
        raise InvalidParameter(f"'result' must be what backtest returned; got {type(result).__name__}")
    return result.run
