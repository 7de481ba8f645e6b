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

#: what of a merged record does not fill a gap of the one kept: a date belongs to its own source
_OWN = ("id", "kind", "name", "start", "end", "ended", "source_ref")


@dataclass(frozen=True)
class Merged:
    """A graph after merging, and how to take it back.

    Attributes
    ----------
    graph
        The graph with merged entities; the first of each group in the old graph's order keeps its row and id.
    log
        Frame ``kept, merged, reason, filled, differs``: one row an entity that gave up its id. ``filled`` names the
        columns in which it filled a gap of the one kept, ``differs`` those in which the two say different things
        (names of columns only, separated by semicolons: values may be personal).
    dropped
        Relations that would join an entity with itself, as they were, with the column ``became``: answered guesses
        (``same_as``) and others such as a loan to oneself. Shares a firm holds in itself are kept.
    before
        The graph as it was.
    decisions
        The decisions taken, as given.
    by
        Column whose equal values counted as decisions, or None.
    """

    graph: EntityGraph
    log: pd.DataFrame
    dropped: pd.DataFrame
    before: EntityGraph
    decisions: pd.DataFrame
    by: str | None = None

    def __repr__(self) -> str:
        # reasons may name papers of persons: they are in the tables, not in what a notebook or a log prints
        return f"Merged({len(self.log)} of {len(self.before)} entities merged, {len(self.decisions)} decisions)"

    def undo(self, *ids: str) -> Merged:
        """Take back every decision that names one of these ids; without ids, everything.

        What equal identifiers joined (``by``) stays joined unless everything is taken back.
        """
        if not ids:
            return merge(self.before, self.decisions.iloc[:0])
        drop = self.decisions[["a", "b"]].isin(ids).any(axis=1)
        if not drop.any():
            raise InvalidParameter(f"no decision names {', '.join(map(repr, ids))}")
        return merge(self.before, self.decisions[~drop], by=self.by)


def merge(graph: EntityGraph, decisions: pd.DataFrame | None = None, *, by: str | None = None) -> Merged:
    """Graph in which entities that somebody decided to be one are one.

    Names never merge anything here: only rows of ``decisions``, and, with ``by``, equal identifiers. Relations, cases,
    licences and facts follow the entity; parallel holdings stay separate rows, so that shares add up. One holding that
    two sources recorded twice is counted twice: ``quality`` of the graph tells where shares sum above 1.

    Parameters
    ----------
    decisions
        Frame ``a, b`` and optionally ``same`` (True or False; True if the column is missing) and ``reason``.
        ``same=False`` records that two are *not* one; a group that would join them is refused.
    by
        Column of ``entities`` (such as ``"uscc"`` or ``"lei"``): equal non-empty values of one kind count as decisions.

    Raises
    ------
    UnknownEntity
        A decision names an entity the graph does not hold.
    InvalidParameter
        Decisions contradict each other, or join two kinds of entity; the message names the pair.

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
    if decisions is None:
        decisions = pd.DataFrame({"a": [], "b": []}, dtype=object)
    table = _checked(decisions)
    a, b = graph.codes(table["a"]), graph.codes(table["b"])
    same = table["same"].to_numpy(dtype=bool)
    joins = pd.DataFrame({"a": a[same], "b": b[same], "reason": table["reason"][same]})
    if by is not None:
        joins = pd.concat([joins, _equal(graph, by)], ignore_index=True)
    joins = joins.astype({"a": np.int64, "b": np.int64})
    n = len(graph)
    links = coo_array((np.ones(len(joins)), (joins["a"], joins["b"])), shape=(n, n))
    _, group = connected_components(links, directed=False)
    _refuse(graph, group, a[~same], b[~same])
    _, keeper = np.unique(group, return_index=True)
    target = keeper[group]
    gone = np.flatnonzero(target != np.arange(n))
    entities, filled, differs = _filled(graph.entities, target, gone)
    ends = pd.concat([joins[[end, "reason"]].rename(columns={end: "e"}) for end in ("a", "b")])
    reason = ends.groupby("e", sort=False)["reason"].agg(lambda texts: "; ".join(dict.fromkeys(map(str, texts))))
    log = pd.DataFrame(
        {
            "kept": graph.ids[target[gone]],
            "merged": graph.ids[gone],
            "reason": reason.reindex(gone).to_numpy(),
            "filled": filled,
            "differs": differs,
        },
        dtype=object,
    )
    after, dropped = _rename(graph, entities, target, gone)
    return Merged(after, log, dropped, graph, decisions.reset_index(drop=True), by)


def _checked(decisions: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(decisions, pd.DataFrame) or not {"a", "b"} <= set(decisions.columns):
        raise InvalidParameter("'decisions' must be a frame with the columns a and b")
    table = decisions.reset_index(drop=True).copy()
    if "same" not in table:
        table["same"] = True
    for value in table["same"]:
        # the text "False" of a spreadsheet would count as true
        if not isinstance(value, (bool, np.bool_)):
            raise InvalidParameter(f"'decisions' must have True or False in the column same; got {value!r}")
    table["reason"] = table["reason"].astype(object).fillna("decision") if "reason" in table else "decision"
    return table


def _refuse(graph: EntityGraph, group: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    apart = np.flatnonzero(group[a] == group[b])
    if apart.size:
        one, two = graph.ids[a[apart[0]]], graph.ids[b[apart[0]]]
        raise InvalidParameter(f"'decisions' say that {one!r} and {two!r} are not one, and join them")
    kinds = pd.DataFrame({"group": group, "kind": graph.entities["kind"].to_numpy(), "id": graph.ids})
    kinds = kinds[kinds["kind"] != "unknown"]
    first = kinds.groupby("group")[["kind", "id"]].transform("first")
    mixed = kinds[kinds["kind"] != first["kind"]]
    if len(mixed):
        row = mixed.index[0]
        raise InvalidParameter(
            f"'decisions' must join entities of one kind; {first.loc[row, 'id']!r} is a {first.loc[row, 'kind']}, "
            f"{mixed.loc[row, 'id']!r} a {mixed.loc[row, 'kind']}"
        )


def _equal(graph: EntityGraph, by: str) -> pd.DataFrame:
    entities = graph.entities
    if by not in entities:
        raise InvalidParameter(f"'by' must be a column of entities; got {by!r}")
    frame = pd.DataFrame({"value": entities[by], "kind": entities["kind"], "code": np.arange(len(graph))})
    frame = frame[frame["value"].notna() & (frame["value"] != "")]
    first = frame.groupby(["value", "kind"])["code"].transform("first")
    twins = frame[first != frame["code"]]
    return pd.DataFrame({"a": first[first != frame["code"]], "b": twins["code"], "reason": f"same {by}"})


def _filled(entities: pd.DataFrame, target: np.ndarray, gone: np.ndarray) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Entities with the gaps of those kept filled, and by row merged the columns that did it and those that differ."""
    table = entities.copy()
    filled: list[list[str]] = [[] for _ in gone]
    differs: list[list[str]] = [[] for _ in gone]
    if gone.size and len(table):
        kind = table.columns.get_loc("kind")
        kinds = table["kind"].to_numpy(dtype=object, copy=True)
        for row in gone:
            if kinds[target[row]] == "unknown":
                kinds[target[row]] = kinds[row]
        table.isetitem(kind, kinds)
    for number, name in enumerate(table.columns):
        if name in ("id", "kind", "ended"):
            continue
        column = table[name].to_numpy(copy=True)
        missing = pd.isna(column)
        for at, row in enumerate(gone):
            keep = target[row]
            if missing[row]:
                continue
            if missing[keep] and name not in _OWN[3:]:
                column[keep] = column[row]
                missing[keep] = False
                filled[at].append(str(name))
            elif not missing[keep] and column[keep] != column[row]:
                differs[at].append(str(name))
        table.isetitem(number, pd.Series(column, index=table.index).astype(table[name].dtype))
    return table, [";".join(names) for names in filled], [";".join(names) for names in differs]


def _rename(
    graph: EntityGraph, entities: pd.DataFrame, target: np.ndarray, gone: np.ndarray
) -> tuple[EntityGraph, pd.DataFrame]:
    tables = graph.tables()
    if not gone.size:
        return graph, tables["relations"].iloc[:0].assign(became=pd.Series(dtype=object))
    new = pd.Series(graph.ids[target], index=graph.ids)
    raw = tables["entities"]
    changed = entities[[name for name in raw.columns if name in entities]].set_axis(raw.index)
    tables["entities"] = changed.drop(index=raw.index[gone])
    before = tables["relations"]
    relations = before.copy()
    relations["source"], relations["target"] = before["source"].map(new), before["target"].map(new)
    # a guess that two are one has been answered; what one owes or guarantees oneself is nothing
    inner = (relations["source"] == relations["target"]) & (relations["kind"] != "owns")
    tables["relations"] = relations[~inner]
    for name in ("cases", "licences", "facts"):
        tables[name]["entity"] = tables[name]["entity"].map(new)
    merged = EntityGraph.from_tables(**tables)
    dropped = before[inner].assign(became=relations.loc[inner, "source"]).reset_index(drop=True)
    return merged if graph.valid_on is None else merged.at(graph.valid_on, known=graph.known_by), dropped
