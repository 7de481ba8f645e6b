"""Probabilities of matches fitted to pairs that somebody decided."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter

__all__ = ["calibrate"]


def calibrate(
    found: pd.DataFrame, decisions: pd.DataFrame, *, method: str = "logistic", to: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Candidates with probabilities as the decided pairs bear them out.

    Parameters
    ----------
    found
        Result of :func:`match`.
    decisions
        Frame ``a, b, same``: the decisions :func:`merge` takes; pairs that are not in ``found`` are passed over.
        They must be drawn without regard to the answer, or the probabilities will follow the choice.
    method
        ``"logistic"`` (two numbers on the log-odds, Platt 1999; from some twenty decisions on) or ``"isotonic"`` (any
        rising curve, Zadrozny and Elkan 2002; needs hundreds).
    to
        Candidates to change, of another graph for example; ``found`` if missing.

    Returns
    -------
    The candidates with a new ``confidence``, the surest first; ``attrs["decided"]`` is the number of pairs used.

    Raises
    ------
    InvalidParameter
        Fewer than ten of the pairs are decided, or all the same way.

    Examples
    --------
    >>> import pandas as pd
    >>> found = pd.DataFrame({"source": list("abcdefghijkl"), "target": list("mnopqrstuvwx"), "kind": "same_as",
    ...                       "confidence": [0.9] * 6 + [0.4] * 6, "evidence": ""})
    >>> seen = pd.DataFrame({"a": found["source"], "b": found["target"], "same": [True, True, False] * 2 + [False] * 6})
    >>> calibrate(found, seen, method="isotonic")["confidence"].round(2).unique().tolist()
    [0.67, 0.0]
    """
    if method not in ("logistic", "isotonic"):
        raise InvalidParameter(f"'method' must be 'logistic' or 'isotonic'; got {method!r}")
    if not isinstance(decisions, pd.DataFrame) or not {"a", "b", "same"} <= set(decisions.columns):
        raise InvalidParameter("'decisions' must be a frame with the columns a, b and same")
    if not decisions["same"].map(lambda value: isinstance(value, (bool, np.bool_))).all():
        raise InvalidParameter("'decisions' must have True or False in the column same")
    pair = pd.MultiIndex.from_arrays([found["source"], found["target"]])
    known = pd.concat([decisions, decisions.rename(columns={"a": "b", "b": "a"})]).drop_duplicates(["a", "b"])
    answer = known.set_index(["a", "b"])["same"].reindex(pair)
    used = answer.notna().to_numpy()
    truth = answer[used].astype(bool).to_numpy()
    if truth.size < 10 or truth.all() or not truth.any():
        raise InvalidParameter(
            f"'decisions' must cover ten candidates or more, some one and some not; got {truth.size}, {truth.sum()} one"
        )
    result = (found if to is None else to).copy()
    x, new = _log_odds(found["confidence"].to_numpy()[used]), _log_odds(result["confidence"].to_numpy())
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        chance = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(x, truth).predict(new)
    else:
        from sklearn.linear_model import LogisticRegression

        chance = LogisticRegression(C=100.0).fit(x[:, None], truth).predict_proba(new[:, None])[:, 1]
    result["confidence"] = chance
    result = result.sort_values("confidence", ascending=False, kind="stable").reset_index(drop=True)
    result.attrs["decided"] = int(truth.size)
    return result


def _log_odds(chance: np.ndarray) -> np.ndarray:
    clipped = np.clip(chance.astype(float), 1e-9, 1 - 1e-9)
    return np.log(clipped / (1 - clipped))
