"""Inspection plan: which team visits which firm on which day, so that the most risk is covered."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.schema import ENTITY_KINDS
from riskgraph.supervision.regions import codes_of

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["plan_inspections"]


def plan_inspections(
    graph: EntityGraph,
    scores: pd.Series | Mapping[str, float],
    *,
    teams: int | Iterable[str] | Mapping[str, Iterable[str]],
    days: int | Iterable[Any],
    visits: int = 1,
    priority: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Visits of teams to firms that cover the most risk within the capacity, one visit a firm.

    A team works in one region on a day and makes up to ``visits`` visits there. Firms are visited by falling risk, so
    the gain of one more team-day in a region never grows; the greedy choice of the richest region is therefore
    optimal when every team may go everywhere. When teams are bound to regions it covers at least half of the optimum
    (a monotone submodular function over a partition matroid, Fisher, Nemhauser and Wolsey 1978).

    Parameters
    ----------
    graph
        Regions of firms: the first operating place, else the registered one.
    scores
        Risk by entity id, for instance ``scores_`` of a fitted estimator; only companies with a positive score that
        have not ended are visited.
    teams
        Number of teams, their names, or names with the regions (codes or their first digits) each may go to.
    days
        Number of days, or the days.
    visits
        Visits of a team a day.
    priority
        Sector → factor on the score of firms that declare it, for a campaign's focus.

    Returns
    -------
    DataFrame
        ``day, team, entity, region, risk``, by day and team. ``attrs["covered"]`` and ``attrs["total"]`` hold the
        risk covered and the risk there is.

    Raises
    ------
    InvalidParameter
        A capacity below 1, a negative score, or teams or days that are no list.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import plan_inspections
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["A", "B", "C"], "kind": "company", "registered_in": ["320581", "320582", "320581"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ... )
    >>> plan_inspections(graph, {"A": 0.9, "B": 0.5, "C": 0.7}, teams=1, days=2)
       day    team entity  region  risk
    0    1  team 1      A  320581   0.9
    1    2  team 1      C  320581   0.7
    """
    names, allowed = _teams(teams)
    dates = _days(days)
    if not isinstance(visits, (int, np.integer)) or visits < 1:
        raise InvalidParameter(f"'visits' must be a whole number, 1 or more; got {visits!r}")
    given = pd.Series(scores, dtype=float)
    if (given < 0).any():
        raise InvalidParameter(f"'scores' must not be negative; got {given.min()} for {given.idxmin()!r}")
    given = given[~given.index.duplicated()].dropna()
    codes = graph.codes(given.index)
    company = (graph.kinds[codes] == ENTITY_KINDS.index("company")) & ~graph.entities["ended"].to_numpy()[codes]
    risk = given.to_numpy()
    if priority:
        sector = (
            graph.entities["sector"].to_numpy(dtype=object) if "sector" in graph.entities else np.full(len(graph), None)
        )
        risk = risk * np.array([priority.get(str(sector[code]), 1.0) for code in codes])
    keep = company & (risk > 0)
    codes, risk, ids = codes[keep], risk[keep], given.index.to_numpy(dtype=object)[keep]
    order = np.lexsort((codes, -risk))
    region = _regions(graph, codes)
    queue: dict[str, list[int]] = {}
    for place in order.tolist():
        queue.setdefault(region[place], []).append(place)
    rows = _greedy(queue, risk, names, allowed, len(dates), int(visits))
    frame = pd.DataFrame(
        [(dates[day], names[team], ids[place], region[place], float(risk[place])) for day, team, place in rows],
        columns=["day", "team", "entity", "region", "risk"],
    )
    frame.attrs["covered"], frame.attrs["total"] = float(frame["risk"].sum()), float(risk.sum())
    return frame


def _greedy(
    queue: dict[str, list[int]],
    risk: np.ndarray,
    names: list[str],
    allowed: list[tuple[str, ...] | None],
    days: int,
    visits: int,
) -> list[tuple[int, int, int]]:
    """(day, team, firm): team-days in order, each given the open region with the most risk in its next visits."""
    next_of = dict.fromkeys(queue, 0)

    def gain(region: str) -> float:
        begin = next_of[region]
        return float(risk[queue[region][begin : begin + visits]].sum())

    heap = [(-gain(region), region) for region in queue]
    heapq.heapify(heap)
    rows: list[tuple[int, int, int]] = []
    for day in range(days):
        for team in range(len(names)):
            aside: list[tuple[float, str]] = []
            chosen: str | None = None
            while heap:
                value, region = heapq.heappop(heap)
                if value == 0:
                    continue
                if allowed[team] is not None and not any(region.startswith(prefix) for prefix in allowed[team] or ()):
                    aside.append((value, region))
                    continue
                chosen = region
                break
            for item in aside:
                heapq.heappush(heap, item)
            if chosen is None:
                continue
            begin = next_of[chosen]
            rows += [(day, team, place) for place in queue[chosen][begin : begin + visits]]
            next_of[chosen] = begin + visits
            heapq.heappush(heap, (-gain(chosen), chosen))
    return rows


def _regions(graph: EntityGraph, codes: np.ndarray) -> list[str]:
    columns = [
        graph.entities[name].to_numpy(dtype=object)[codes] if name in graph.entities else np.full(codes.size, None)
        for name in ("operates_in", "registered_in")
    ]
    return [(codes_of(first) or codes_of(second) or ("",))[0] for first, second in zip(*columns, strict=True)]


def _teams(teams: int | Iterable[str] | Mapping[str, Iterable[str]]) -> tuple[list[str], list[tuple[str, ...] | None]]:
    if isinstance(teams, (int, np.integer)) and not isinstance(teams, bool):
        if teams < 1:
            raise InvalidParameter(f"'teams' must be 1 or more; got {teams!r}")
        return [f"team {number}" for number in range(1, int(teams) + 1)], [None] * int(teams)
    if isinstance(teams, Mapping):
        bound = {
            str(name): tuple(str(code).rstrip("0") or "" for code in ([codes] if isinstance(codes, str) else codes))
            for name, codes in teams.items()
        }
        names, allowed = list(bound), list(bound.values())
        if not names:
            raise InvalidParameter("'teams' must name at least one team; got none")
        return names, [item or None for item in allowed]
    if isinstance(teams, (str, bool)) or not isinstance(teams, Iterable):
        raise InvalidParameter(f"'teams' must be a number, a list of names or a mapping; got {teams!r}")
    listed = [str(name) for name in teams]
    if not listed or len(set(listed)) < len(listed):
        raise InvalidParameter(f"'teams' must be different names, at least one; got {listed!r}")
    return listed, [None] * len(listed)


def _days(days: int | Iterable[Any]) -> list[Any]:
    if isinstance(days, (int, np.integer)) and not isinstance(days, bool):
        if days < 1:
            raise InvalidParameter(f"'days' must be 1 or more; got {days!r}")
        return list(range(1, int(days) + 1))
    if isinstance(days, (str, bool)) or not isinstance(days, Iterable):
        raise InvalidParameter(f"'days' must be a number or a list of days; got {days!r}")
    listed = list(days)
    if not listed:
        raise InvalidParameter("'days' must hold at least one day; got none")
    return listed
