"""What changed between two days: findings opened and findings closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from riskgraph.supervision.assignment import assign
from riskgraph.supervision.screening import screen

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["changes", "changes_by_lead"]


def changes(before: EntityGraph, after: EntityGraph, catalogue: Catalogue) -> pd.DataFrame:
    """Findings that one dated graph has and the other has not.

    Parameters
    ----------
    before, after
        Two dated graphs, usually ``graph.at(first)`` and ``graph.at(second)``.
    catalogue
        Rules.

    Returns
    -------
    DataFrame
        ``entity, rule, change`` (opened, closed)`, since``: of an opened finding its own date, of a closed one the
        day the later graph stands at.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, changes
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1"], "kind": ["company"], "sector": ["p2p"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ...     facts=pd.DataFrame({"entity": ["C1"], "fact": ["capital_pool"], "value": [True], "start": ["2016-06-01"]}),
    ... )
    >>> changes(graph.at("2016-05-31"), graph.at("2016-06-30"), Catalogue.load())[["rule", "change"]]
                      rule  change
    0  KEYWORD-P2P-REDLINES  opened
    1             FUND-POOL  opened
    """
    first, second = screen(before, catalogue), screen(after, catalogue)
    keys = ["entity", "rule"]
    first, second = (frame.drop_duplicates(keys) for frame in (first, second))
    opened = second.merge(first[keys], how="left", on=keys, indicator=True)
    opened = opened[opened["_merge"] == "left_only"].assign(change="opened")
    closed = first.merge(second[keys], how="left", on=keys, indicator=True)
    closed = closed[closed["_merge"] == "left_only"].assign(change="closed")
    closed["since"] = pd.Series([after.valid_on] * len(closed), index=closed.index, dtype="datetime64[s]")
    opened["since"] = opened["since"].fillna(pd.NaT if after.valid_on is None else after.valid_on)
    return pd.concat([opened, closed], ignore_index=True)[["entity", "rule", "change", "since"]]


def changes_by_lead(
    before: EntityGraph, after: EntityGraph, catalogue: Catalogue, *, level: str = "county"
) -> pd.DataFrame:
    """Findings opened and closed, counted by the agency that leads on the firm.

    Returns
    -------
    DataFrame
        ``lead, change, count``; firms in a queue count under its name, persons under ``person``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, changes_by_lead
    >>> graph = rg.datasets.toy_banned_platform()
    >>> changes_by_lead(graph.at("2016-07-31"), graph.at("2016-09-30"), Catalogue.load())
                 lead  change  count
    0  finance_office  opened      1
    1   leading_group  opened      2
    2          person  opened      2
    """
    frame = changes(before, after, catalogue)
    leads = assign(after, catalogue, level=level).set_index("entity")
    name = leads["lead"].where(leads["lead"] != "", leads["queue"])
    frame["lead"] = frame["entity"].map(name).fillna("person")
    return frame.groupby(["lead", "change"], sort=True).size().rename("count").reset_index()
