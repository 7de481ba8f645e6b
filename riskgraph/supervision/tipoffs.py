"""Tip-offs and complaints: how many, from how many different reporters, and who is reported often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.supervision._view import View, view

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["salience", "tipoffs"]


def tipoffs(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None) -> pd.DataFrame:
    """Tip-offs and complaints by target, companies and persons alike.

    The weight adds the square root of each reporter's number of reports: five reports of one reporter weigh 2.24, of
    five reporters 5. Reports without a reporter count as one reporter each, since nothing shows them to be the same.

    Returns
    -------
    DataFrame
        ``entity, reports, reporters, weight, topics, cases``, heaviest first.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, tipoffs
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1", "C2"], "kind": "company"}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ...     cases=pd.DataFrame({"entity": ["C1", "C1", "C2", "C2"], "type": "tipoff", "authority": list("xxxy")}),
    ... )
    >>> tipoffs(graph, Catalogue.load())[["entity", "reports", "reporters", "weight"]].round(2)
      entity  reports  reporters  weight
    0     C2        2          2    2.00
    1     C1        2          1    1.41
    """
    frame = _weigh(view(graph, catalogue, at=at), None)
    return frame.drop(columns="code").reset_index(drop=True)


def _weigh(seen: View, window: int | None) -> pd.DataFrame:
    cases = seen.cases("tipoff", "complaint")
    if window is not None and seen.day is not None:
        start = cases["start"].to_numpy().astype("datetime64[D]")
        cases = cases[np.isnat(start) | (start > seen.day - np.timedelta64(window, "D"))]
    columns = ["entity", "reports", "reporters", "weight", "topics", "cases", "code"]
    rows = []
    for code, group in cases.groupby("code", sort=True):
        reporter = group["authority"].where(group["authority"].notna(), "anonymous:" + group["id"].astype(str))
        counts = reporter.value_counts()
        topics = ";".join(dict.fromkeys(str(topic) for topic in group["topic"].dropna()))
        rows.append(
            (
                seen.ids[code],
                len(group),
                len(counts),
                float(np.sqrt(counts).sum()),
                topics,
                tuple(group["id"].astype(str)),
                code,
            )
        )
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values("weight", ascending=False, kind="stable")


def salience(seen: View) -> dict[int, tuple[str, ...]]:
    """Case ids of the firms and persons reported often enough to be survey class four."""
    if "OTHER-COMPLAINT-SALIENCE" not in seen.catalogue:
        return {}
    rule = seen.catalogue["OTHER-COMPLAINT-SALIENCE"]
    frame = _weigh(seen, int(rule["window_days"]))
    often = frame[frame["weight"] >= float(rule["weight"]) - 1e-9]
    return {int(code): cases for code, cases in zip(often["code"], often["cases"], strict=True)}
