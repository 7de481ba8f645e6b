"""The rows a feature is asked for: entity ids, and the day of each where given."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph

__all__ = ["Rows", "read_rows"]


class Rows(NamedTuple):
    """Codes and days of the rows; ``labels`` (the index) and ``names`` are those of the input where it has some."""

    codes: np.ndarray
    days: np.ndarray
    dated: bool
    width: int
    labels: pd.Index | None
    names: tuple[str, ...] | None


def read_rows(X: Any, graph: EntityGraph) -> Rows:
    """Rows of a list, an array, a Series or a table of ids.

    Raises
    ------
    InvalidParameter
        Another form, no row, an id that is not text, or a ``time`` that is no date.
    UnknownEntity
        The graph does not hold one of them.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_chain()
    >>> read_rows(pd.DataFrame({"entity": ["Mine"], "time": ["2016-06-30"]}), graph).days
    array(['2016-06-30'], dtype='datetime64[D]')
    """
    if hasattr(X, "toarray"):
        raise TypeError("'X' must hold entity ids; got a sparse matrix of numbers")
    index = X.index if isinstance(X, (pd.Series, pd.DataFrame)) else None
    names: tuple[str, ...] | None = None
    if isinstance(X, pd.DataFrame):
        names = tuple(X.columns) if all(isinstance(name, str) for name in X.columns) else None
        if names is not None and X.shape[1] == 2 and {"entity", "time"} == set(names):
            ids, times = X["entity"].to_numpy(dtype=object), X["time"]
        else:
            ids, times = _columns(X.to_numpy(dtype=object))
    elif isinstance(X, pd.Series):
        ids, times = X.to_numpy(dtype=object), None
    else:
        array = np.asarray(X, dtype=object)
        if array.ndim == 0:
            raise InvalidParameter(f"'X' must be ids, one a row; got {X!r}")
        ids, times = (array, None) if array.ndim == 1 else _columns(array)
    if not ids.size:
        raise InvalidParameter("'X' must hold at least one row; got none (0 sample(s), a minimum of 1 is required)")
    for row, value in enumerate(ids):
        if not isinstance(value, str):
            raise InvalidParameter(f"'X' must hold entity ids, which are text; got {value!r} in row {row}")
    days = np.full(ids.size, np.datetime64("NaT", "D"))
    if times is not None:
        days = _days(times)
    return Rows(graph.codes(ids), days, times is not None, 1 if times is None else 2, index, names)


def _columns(array: np.ndarray) -> tuple[np.ndarray, Any]:
    if array.ndim != 2 or array.shape[1] not in (1, 2):
        shape = " × ".join(map(str, array.shape))
        raise InvalidParameter(f"'X' must be a table of the column entity, or of entity and time; got {shape}")
    return array[:, 0], None if array.shape[1] == 1 else array[:, 1]


def _days(times: Any) -> np.ndarray:
    found = pd.to_datetime(pd.Series(np.asarray(times)), errors="coerce").to_numpy().astype("datetime64[D]")
    if np.isnat(found).any():
        row = int(np.argmax(np.isnat(found)))
        raise InvalidParameter(
            f"'time' must hold dates only; got {np.asarray(times, dtype=object)[row]!r} in row {row}"
        )
    return np.asarray(found)
