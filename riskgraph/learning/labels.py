"""Labels from what came later: which entities entered a seed case after a day, within a horizon."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.learning._known import as_day
from riskgraph.schema import ENTITY_KINDS, SEED_CASES

__all__ = ["future_cases", "horizon_days"]


def horizon_days(horizon: Any) -> np.timedelta64:
    """Length of a horizon in whole days.

    Raises
    ------
    InvalidParameter
        Not a length of time, or less than a day.

    Examples
    --------
    >>> horizon_days("180D")
    np.timedelta64(180,'D')
    """
    try:
        found = pd.Timedelta(horizon)
    except (ValueError, TypeError) as error:
        raise InvalidParameter(f"'horizon' must be a length of time such as '180D'; got {horizon!r}") from error
    if pd.isna(found) or found < pd.Timedelta(days=1):
        raise InvalidParameter(f"'horizon' must be at least one day, such as '180D'; got {horizon!r}")
    return np.timedelta64(found.days, "D")


def future_cases(
    graph: EntityGraph,
    cutoff: Any,
    *,
    horizon: Any = "180D",
    kinds: Iterable[str] = ("company",),
    known: Any = None,
) -> pd.DataFrame:
    """Which entities entered a seed case after a day, within a horizon.

    Parameters
    ----------
    graph
        The graph; its day does not matter.
    cutoff
        The day. Entities of ``kinds`` that had begun and not ended by then are listed, without those that were
        already under a seed case: they cannot enter what they are in.
    horizon
        A length of time; a case counts that began after ``cutoff`` and at most so long after it.
    kinds
        Entity kinds.
    known
        Leave out cases that became known after this day; None takes what the graph knows.

    Returns
    -------
    DataFrame
        ``entity``, ``label`` (0 or 1), ``entered`` (first day of the case, NaT for none), in the order of the graph.
        A case without ``start`` is dated by ``known_from``.

    Raises
    ------
    InvalidParameter
        A parameter breaks its rule.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["A", "B", "C"], "kind": "company"}),
    ...     pd.DataFrame({"source": ["A"], "target": ["B"], "kind": ["owns"]}),
    ...     cases=pd.DataFrame({"entity": ["A", "B"], "type": "banned", "start": ["2016-01-05", "2016-03-01"]}),
    ... )
    >>> future_cases(graph, "2016-02-01")
      entity  label    entered
    0      B      1 2016-03-01
    1      C      0        NaT
    """
    day, length = as_day("cutoff", cutoff), horizon_days(horizon)
    wanted = [kinds] if isinstance(kinds, str) else list(kinds)
    for kind in wanted:
        if kind not in ENTITY_KINDS:
            raise InvalidParameter(f"'kinds' must name entity kinds ({', '.join(ENTITY_KINDS)}); got {kind!r}")
    cases = graph.known("cases")
    cases = cases[cases["type"].isin(SEED_CASES)]
    start, since, end = (cases[name].to_numpy().astype("datetime64[D]") for name in ("start", "known_from", "end"))
    began = np.where(np.isnat(start), since, start)
    seen = np.ones(len(cases), dtype=bool)
    if known is not None:
        moment = np.where(np.isnat(since), start, since)
        seen = np.isnat(moment) | (moment <= as_day("known", known))
    codes = graph.ids.get_indexer(pd.Index(cases["entity"], dtype=object))
    listed = np.isin(graph.kinds, [ENTITY_KINDS.index(kind) for kind in wanted]) & _present(graph, day)
    listed[codes[(np.isnat(began) | (began <= day)) & (np.isnat(end) | (end > day))]] = False
    entered = np.full(len(graph), np.iinfo(np.int64).max)
    hit = seen & ~np.isnat(began) & (began > day) & (began <= day + length)
    np.minimum.at(entered, codes[hit], began[hit].astype(np.int64))
    rows = np.flatnonzero(listed)
    label = entered[rows] < np.iinfo(np.int64).max
    dates = np.where(label, entered[rows], 0).astype("datetime64[D]")
    dates[~label] = np.datetime64("NaT", "D")
    return pd.DataFrame(
        {
            "entity": pd.Series(graph.ids.to_numpy()[rows], dtype=object),
            "label": label.astype(np.int64),
            "entered": pd.Series(dates.astype("datetime64[s]")),
        }
    )


def _present(graph: EntityGraph, day: np.datetime64) -> np.ndarray:
    frame = graph.entities
    mask = np.ones(len(graph), dtype=bool)
    for name in ("start", "end"):
        if name in frame:
            dates = frame[name].to_numpy().astype("datetime64[D]")
            mask &= np.isnat(dates) | (dates <= day if name == "start" else dates > day)
    return mask
