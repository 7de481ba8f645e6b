"""Statistics by region, sector and verdict; counties add up to cities and cities to provinces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.supervision._view import view
from riskgraph.supervision.regions import city_of, level_of, province_of
from riskgraph.supervision.triage import judge

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["statistics"]

_LEVELS = ("county", "city", "province")
_COLUMNS = ["region", "level", "sector", "verdict", "count", "share_of_region", "share_of_verdict"]


def statistics(
    graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, by: str | Iterable[str] | None = None
) -> pd.DataFrame:
    """Labelled firms counted by region, sector and verdict.

    A firm counts once: in its first sector, the order being the catalogue's, and in its first operating place, else
    its registered one; firms without any place count under region ``""``.

    Parameters
    ----------
    graph
        Any entity graph.
    catalogue
        Sectors and triage.
    at
        Day asked about.
    by
        ``"county"``, ``"city"``, ``"province"`` or several of them; None, ``"region"``, ``"sector"`` or ``"verdict"``
        take all levels. A place known only to its city or province counts from that level upward, and on the levels
        below under its own code, so that every level adds up to the same total.

    Returns
    -------
    DataFrame
        ``region, level, sector, verdict, count, share_of_region, share_of_verdict``: of the firms of the region, and
        of the firms with that verdict on the level.

    Raises
    ------
    InvalidParameter
        An unknown ``by``.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, statistics
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame(
    ...         {"id": ["A", "B"], "kind": "company", "sector": "p2p", "registered_in": ["320581", "320582"]}
    ...     ),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ... )
    >>> statistics(graph, Catalogue.load(), by="city")[["region", "level", "count"]]
       region level  count
    0  320500  city      2
    """
    wanted = _levels(by)
    seen = view(graph, catalogue, at=at)
    firms = seen.is_kind("company", "trust", "unknown") & seen.alive
    rows = []
    for code in sorted(seen.labels):
        if firms[code]:
            sector = seen.labels[code][0][0]
            place = next((place for place in (*seen.operating[code], seen.registered[code]) if place), "")
            rows.append((place, sector, judge(seen, code, sector).verdict))
    frame = pd.DataFrame(rows, columns=["place", "sector", "verdict"])
    parts = []
    for level in wanted:
        up = {"county": lambda code: code, "city": _city, "province": province_of}[level]
        part = frame.assign(region=frame["place"].map(up)).groupby(["region", "sector", "verdict"], sort=True)
        counts = part.size().rename("count").reset_index()
        counts.insert(1, "level", level)
        counts["share_of_region"] = counts["count"] / counts.groupby("region")["count"].transform("sum")
        counts["share_of_verdict"] = counts["count"] / counts.groupby("verdict")["count"].transform("sum")
        parts.append(counts)
    if not rows:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat(parts, ignore_index=True)[_COLUMNS]


def _city(code: str) -> str:
    return code if code and level_of(code) == "province" else city_of(code)


def _levels(by: str | Iterable[str] | None) -> list[str]:
    asked = [by] if isinstance(by, str) else list(by or ())
    for name in asked:
        if name not in (*_LEVELS, "region", "sector", "verdict"):
            raise InvalidParameter(f"'by' must be county, city, province, region, sector or verdict; got {name!r}")
    levels = [level for level in _LEVELS if level in asked]
    return levels or list(_LEVELS)
