"""To networkx and back, losing nothing: rows, order, dates, all five tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidTable
from riskgraph.schema import TABLES

if TYPE_CHECKING:
    import networkx

    from riskgraph.graph import EntityGraph

__all__ = ["from_networkx", "to_networkx"]


def to_networkx(graph: EntityGraph) -> networkx.MultiDiGraph:
    """See :meth:`EntityGraph.to_networkx`."""
    import networkx as nx

    relations = graph.known("relations")
    G = nx.MultiDiGraph()
    for record in _records(graph.entities.drop(columns="ended")):
        G.add_node(record.pop("id"), **record)
    for record in _records(relations):
        G.add_edge(record.pop("source"), record.pop("target"), key=record.pop("id"), **record)
    G.graph["riskgraph"] = {
        "valid_on": graph.valid_on,
        "known_by": graph.known_by,
        "order": list(relations["id"]),
        "columns": {
            "entities": [column for column in graph.entities.columns if column != "ended"],
            "relations": list(relations.columns),
        },
        "tables": {name: graph.known(name) for name in ("cases", "licences", "facts")},
    }
    return G


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries without their empty cells."""
    columns = [(str(name), frame[name].astype(object).to_numpy(), frame[name].notna().to_numpy()) for name in frame]
    return [{name: values[row] for name, values, filled in columns if filled[row]} for row in range(len(frame))]


def from_networkx(G: Any) -> tuple[dict[str, Any], tuple[Any, Any] | None]:
    """Frames of a networkx graph, and the dates it stood at, if it came from riskgraph."""
    if not G.is_directed():
        raise InvalidTable("the networkx graph must be directed: a relation reads source, verb, target")
    about = G.graph.get("riskgraph", {})
    columns = about.get("columns", {})
    entities = pd.DataFrame([{"id": node, **data} for node, data in G.nodes(data=True)])
    keyed = G.is_multigraph()
    edges = G.edges(keys=True, data=True) if keyed else ((u, v, None, data) for u, v, data in G.edges(data=True))
    rows = [{"source": u, "target": v, **({"id": k} if isinstance(k, str) else {}), **data} for u, v, k, data in edges]
    relations = pd.DataFrame(rows)
    for name, frame in (("entities", entities), ("relations", relations)):
        for column in (*TABLES[name].required, *columns.get(name, ())):
            if column not in frame:
                frame[column] = pd.Series([None] * len(frame), dtype=object)
    if "order" in about and "id" in relations:
        place = {id: row for row, id in enumerate(about["order"])}
        order = np.argsort([place.get(id, len(place)) for id in relations["id"]], kind="stable")
        relations = relations.iloc[order].reset_index(drop=True)
    if "id" in relations and relations["id"].isna().any():
        # edges a person added by hand have number keys: they get ids of their own
        blank = np.flatnonzero(relations["id"].isna())
        relations["id"] = relations["id"].astype(object)
        relations.loc[blank, "id"] = [f"edge{row}" for row in blank]
    frames = {"entities": entities, "relations": relations, **about.get("tables", {})}
    return frames, ((about["valid_on"], about["known_by"]) if about.get("valid_on") is not None else None)
