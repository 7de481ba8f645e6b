"""Merges by decision, with a log, and undone without loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph

__all__ = ["Merged", "merge"]


@dataclass(frozen=True)
class Merged:
    """A graph after merging, and how to take it back.

    Attributes
    ----------
    graph
        The graph with merged entities; the first of each group in the old graph's order keeps its row and id.
    log
        Frame ``kept, merged, reason``: one row an entity that gave up its id.
    before
        The graph as it was.
    decisions
        The decisions taken, as given.
    """

    graph: EntityGraph
    log: pd.DataFrame
    before: EntityGraph
    decisions: pd.DataFrame

    def undo(self, *ids: str) -> Merged:
        """Take back every decision that names one of these ids; without ids, all of them."""
        drop = self.decisions[["a", "b"]].isin(ids).any(axis=1) if ids else pd.Series(True, index=self.decisions.index)
        if ids and not drop.any():
            raise InvalidParameter(f"no decision names {', '.join(map(repr, ids))}")
        return merge(self.before, self.decisions[~drop])


def merge(graph: EntityGraph, decisions: pd.DataFrame, *, by: str | None = None) -> Merged:
    """Graph in which entities that somebody decided to be one are one.

    Names never merge anything here: only rows of ``decisions``, and, with ``by``, equal identifiers.

    Parameters
    ----------
    decisions
        Frame ``a, b`` and optionally ``same`` (True if missing) and ``reason``. ``same=False`` records that two are
        *not* one; a group that would join them is refused.
    by
        Column of ``entities`` (such as ``"uscc"`` or ``"lei"``): equal non-empty values of one kind count as decisions.

    Raises
    ------
    UnknownEntity
        A decision names an entity the graph does not hold.
    InvalidParameter
        Decisions contradict each other; the message names the pair.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_namesakes()
    >>> people = graph.ids[graph.entities["kind"] == "person"]
    >>> merged = rg.identity.merge(graph, pd.DataFrame({"a": [people[0]], "b": [people[1]]}))
    >>> len(graph) - len(merged.graph), len(merged.undo().graph) == len(graph)
    (1, True)
    """
    if not isinstance(decisions, pd.DataFrame) or not {"a", "b"} <= set(decisions.columns):
        raise InvalidParameter("'decisions' must be a frame with the columns a and b")
    table = decisions.reset_index(drop=True).copy()
    table["same"] = table["same"].astype(bool) if "same" in table else True
    table["reason"] = table["reason"].astype(object) if "reason" in table else "decision"
    a, b = graph.codes(table["a"]), graph.codes(table["b"])
    same = table["same"].to_numpy()
    joins = pd.DataFrame({"a": a[same], "b": b[same], "reason": table["reason"][same]})
    if by is not None:
        joins = pd.concat([joins, _equal(graph, by)], ignore_index=True)
    n = len(graph)
    links = coo_array((np.ones(len(joins)), (joins["a"], joins["b"])), shape=(n, n))
    _, group = connected_components(links, directed=False)
    apart = np.flatnonzero(~same & (group[a] == group[b]))
    if apart.size:
        first = table.iloc[apart[0]]
        raise InvalidParameter(f"'decisions' say that {first['a']!r} and {first['b']!r} are not one, and join them")
    _, keeper = np.unique(group, return_index=True)
    target = keeper[group]
    gone = np.flatnonzero(target != np.arange(n))
    reasons = pd.concat(
        [joins[["a", "reason"]].rename(columns={"a": "e"}), joins[["b", "reason"]].rename(columns={"b": "e"})]
    )
    reason = reasons.drop_duplicates("e").set_index("e")["reason"]
    log = pd.DataFrame(
        {"kept": graph.ids[target[gone]], "merged": graph.ids[gone], "reason": reason.reindex(gone).to_numpy()}
    )
    return Merged(_rename(graph, target, gone), log, graph, decisions.reset_index(drop=True))


def _equal(graph: EntityGraph, by: str) -> pd.DataFrame:
    entities = graph.entities
    if by not in entities:
        raise InvalidParameter(f"'by' must be a column of entities; got {by!r}")
    frame = pd.DataFrame({"value": entities[by], "kind": entities["kind"], "code": np.arange(len(graph))})
    frame = frame[frame["value"].notna() & (frame["value"] != "")]
    first = frame.groupby(["value", "kind"])["code"].transform("first")
    twins = frame[first != frame["code"]]
    return pd.DataFrame({"a": first[first != frame["code"]], "b": twins["code"], "reason": f"same {by}"})


def _rename(graph: EntityGraph, target: np.ndarray, gone: np.ndarray) -> EntityGraph:
    if not gone.size:
        return graph
    new = pd.Series(graph.ids[target], index=graph.ids)
    tables = graph.tables()
    tables["entities"] = tables["entities"].drop(index=gone)
    relations = tables["relations"]
    relations["source"], relations["target"] = relations["source"].map(new), relations["target"].map(new)
    # a guess that two are one has been answered; what one owes or guarantees oneself is nothing
    inner = (relations["source"] == relations["target"]) & (relations["kind"] != "owns")
    tables["relations"] = relations[~inner]
    for name in ("cases", "licences", "facts"):
        tables[name]["entity"] = tables[name]["entity"].map(new)
    merged = EntityGraph.from_tables(**tables)
    return merged if graph.valid_on is None else merged.at(graph.valid_on, known=graph.known_by)
