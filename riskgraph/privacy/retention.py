"""The end of retention: which rows have run out, and the graph without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph._cells import to_day
from riskgraph._pseudonyms import WITHHELD
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.schema import TABLES
from riskgraph.tables import clean_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["expired", "retain"]


def expired(graph: EntityGraph, before: Any) -> pd.DataFrame:
    """Rows whose retention has run out: they ended by a day, or are a person of whom nothing else is left.

    Parameters
    ----------
    before
        A row that ended on or before this day has run out; for rows to be kept five years, the day five years ago.
        Rows without ``end`` never run out.

    Returns
    -------
    DataFrame
        ``table, id, entity, end, reason``; ``entity`` is the source of a relation. ``reason`` is ``ended``; ``tied``
        for a row that refers to an entity that ended; ``unneeded`` for a person of whose rows none is left.

    Raises
    ------
    InvalidParameter
        Not a date.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.privacy import expired
    >>> expired(rg.datasets.toy_dated(), "2016-07-01")[["table", "entity", "end", "reason"]]
           table entity        end    reason
    0   entities    Ann        NaT  unneeded
    1  relations    Ann 2016-07-01     ended
    """
    tables = graph.tables()
    gone = _gone(tables, before)
    parts = []
    for name, frame in tables.items():
        reason = gone[name]
        rows = np.flatnonzero(reason != "")
        own = "id" if name == "entities" else "source" if name == "relations" else "entity"
        ends = frame["end"].to_numpy()[rows] if "end" in frame else np.full(rows.size, np.datetime64("NaT", "s"))
        parts.append(
            pd.DataFrame(
                {
                    "table": pd.Series([name] * rows.size, dtype=object),
                    "id": frame["id"].to_numpy(dtype=object)[rows],
                    "entity": frame[own].to_numpy(dtype=object)[rows],
                    "end": ends.astype("datetime64[s]"),
                    "reason": reason[rows],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def retain(graph: EntityGraph, before: Any) -> EntityGraph:
    """The graph without the rows whose retention has run out; it stands at the same day.

    The rows that :func:`expired` lists are gone from all tables. What reading left out goes as well, and the messages
    of ``quality`` are withheld: both quote cells as they came, dated or not.

    Parameters
    ----------
    before
        As in :func:`expired`.

    Raises
    ------
    InvalidParameter
        Not a date.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.privacy import retain
    >>> retain(rg.datasets.toy_dated(), "2016-07-01").relations["source"].tolist()
    ['Bob', 'Carl']
    """
    tables = graph.tables()
    gone = _gone(tables, before)
    kept = {name: frame[gone[name] == ""].reset_index(drop=True) for name, frame in tables.items()}
    quality = graph.quality
    if len(quality):
        quality["problem"] = WITHHELD
        quality["row"] = [row if isinstance(row, (int, np.integer)) else "" for row in quality["row"]]
    new = EntityGraph._from_clean(clean_tables(**kept), quality, {})
    moved = graph._dated or new.valid_on != graph.valid_on
    return new.at(graph.valid_on, known=graph.known_by) if moved else new


def _gone(tables: Mapping[str, pd.DataFrame], before: Any) -> dict[str, np.ndarray]:
    """Why each row goes, the empty text where it stays."""
    limit = to_day(before)
    if np.isnat(limit):
        raise InvalidParameter(f"'before' must be a date such as 2016-06-30; got {before!r}")
    gone: dict[str, np.ndarray] = {}
    for name, frame in tables.items():
        reason = np.full(len(frame), "", dtype=object)
        if "end" in frame:
            end = frame["end"].to_numpy()
            reason[~np.isnat(end) & (end <= limit)] = "ended"
        gone[name] = reason
    entities = tables["entities"]
    ids = pd.Index(entities["id"], dtype=object)
    used, live = (np.zeros(len(entities), dtype=bool) for _ in range(2))
    for name, frame in tables.items():
        columns = TABLES[name].references
        ends = [ids.get_indexer(pd.Index(frame[column], dtype=object)) for column in columns]
        for codes in ends:
            tied = (gone["entities"][codes] != "") & (gone[name] == "")
            gone[name][tied] = "tied"
        for codes in ends:
            used[codes] = True
            live[codes[gone[name] == ""]] = True
    person = (entities["kind"] == "person").to_numpy()
    gone["entities"][person & used & ~live & (gone["entities"] == "")] = "unneeded"
    return gone
