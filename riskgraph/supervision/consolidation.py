"""Consolidation: assets and liabilities of a control group, what its members owe each other netted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.ownership.groups import business_groups
from riskgraph.supervision._view import dated

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["closing_impact", "consolidate"]


def consolidate(graph: EntityGraph, entity: str, *, at: Any = None) -> pd.DataFrame:
    """One row for the control group of an entity, with what its members owe each other netted.

    Assets and liabilities are the newest facts ``assets`` and ``liabilities`` of the member companies; of several
    sources the least assets and the most liabilities count. ``lends`` relations between members are intra-group and
    leave both sides. A member company without a figure makes the sum unknown: NaN, not zero.

    Parameters
    ----------
    graph
        Any entity graph.
    entity
        A member of the group.
    at
        Day asked about.

    Returns
    -------
    DataFrame
        One row: ``group`` (id of the head)`, assets, liabilities, intra_group, coverage``; ``coverage`` is
        (assets − intra-group) ÷ (liabilities − intra-group), infinite when nothing is owed outside.
        ``attrs["members"]`` and ``attrs["missing"]`` name the companies and those without a figure.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``entity``.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import consolidate
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["P", "S"], "kind": "company"}),
    ...     pd.DataFrame(
    ...         {"source": ["P", "P"], "target": ["S", "S"], "kind": ["owns", "lends"],
    ...          "share": [0.8, None], "amount": [None, 30.0]}
    ...     ),
    ...     facts=pd.DataFrame(
    ...         {"entity": ["P", "P", "S", "S"], "fact": ["assets", "liabilities"] * 2, "value": [100, 50, 80, 70]}
    ...     ),
    ... )
    >>> consolidate(graph, "S")
      group  assets  liabilities  intra_group  coverage
    0     P   180.0        120.0         30.0  1.666667
    """
    graph = dated(graph, at)
    code = graph.code(entity)
    found = business_groups(graph)
    group = found.loc[found["entity"] == entity, "group"]
    name = str(group.iloc[0]) if len(group) else str(graph.ids[code])
    inside = found.loc[found["group"] == name, "entity"] if len(group) else pd.Series([entity], dtype=object)
    codes = graph.codes(inside)
    kinds = graph.entities["kind"].to_numpy(dtype=object)
    members = [int(item) for item in codes if kinds[item] == "company"]
    assets, no_assets = _total(graph, members, "assets", min)
    debts, no_debts = _total(graph, members, "liabilities", max)
    lends = graph.columns.of("lends")
    both = np.isin(graph.columns.source[lends], codes) & np.isin(graph.columns.target[lends], codes)
    amounts = graph.columns.amount[lends[both]]
    intra = float(amounts.sum()) if both.any() else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        coverage = float(np.float64(assets - intra) / np.float64(debts - intra))
    frame = pd.DataFrame(
        [(name, assets, debts, intra, coverage)], columns=["group", "assets", "liabilities", "intra_group", "coverage"]
    )
    ids = graph.ids.to_numpy()
    frame.attrs["members"] = tuple(str(ids[item]) for item in members)
    frame.attrs["missing"] = tuple(str(ids[item]) for item in sorted(no_assets | no_debts))
    return frame


def _total(graph: EntityGraph, members: list[int], name: str, pick: Any) -> tuple[float, set[int]]:
    facts = graph.facts
    facts = facts[(facts["fact"] == name) & facts["entity"].isin(graph.ids[members])]
    facts = facts.sort_values("start", kind="stable", na_position="first")
    source = facts["source_ref"].where(facts["source_ref"].notna(), "")
    facts = facts[~facts.assign(_source=source).duplicated(["entity", "_source"], keep="last")]
    values: dict[int, float] = {}
    for owner, value in zip(facts["entity"], pd.to_numeric(facts["value"], errors="coerce"), strict=True):
        place = graph.code(owner)
        if not np.isnan(value):
            values[place] = pick(values.get(place, float(value)), float(value))
    missing = set(members) - set(values)
    return (float("nan") if missing or not members else float(sum(values.values()))), missing


def closing_impact(graph: EntityGraph, entity: str, *, at: Any = None) -> pd.DataFrame:
    """Who would be touched if a firm were closed: investors, lenders, borrowers, partners, staff, affiliates.

    Returns
    -------
    DataFrame
        ``entity, tie, amount, relations``: everybody with a relation to the firm or to a product it manages, with the
        money at stake (NaN unknown), largest first.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``entity``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import closing_impact
    >>> closing_impact(rg.datasets.toy_banned_platform(), "Platform")["entity"].tolist()
    ['Operator', 'Hank', 'Rita', 'Site', 'UnitA', 'UnitB']
    """
    graph = dated(graph, at)
    code = graph.code(entity)
    cols = graph.columns
    managed = cols.target[cols.of("manages")[cols.source[cols.of("manages")] == code]]
    own = np.unique(np.append(managed, code))
    touched = np.flatnonzero(np.isin(cols.source, own) ^ np.isin(cols.target, own))
    mine = np.isin(cols.source[touched], own)
    other = np.where(mine, cols.target[touched], cols.source[touched])
    frame = pd.DataFrame(
        {
            "entity": graph.ids.to_numpy()[other],
            "tie": graph.relations["kind"].to_numpy(dtype=object)[touched],
            "amount": cols.amount[touched],
            "relations": graph.relation_ids(touched),
        }
    )
    grouped = frame.groupby(["entity", "tie"], sort=False)
    result = grouped.agg(
        amount=("amount", lambda values: values.sum(skipna=False)), relations=("relations", tuple)
    ).reset_index()
    return result.sort_values("amount", ascending=False, kind="stable").reset_index(drop=True)
