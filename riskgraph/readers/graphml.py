"""A graph as GraphML, for Gephi, Cytoscape, yEd, networkx and igraph."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from riskgraph._files import write_file
from riskgraph.graph import EntityGraph
from riskgraph.readers._losses import Losses, rows_of
from riskgraph.readers._manifest import type_of

__all__ = ["write_graphml"]

#: characters that no XML file may hold
_NO_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_graphml(graph: EntityGraph, path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Write entities and relations as GraphML, and say what that format cannot hold.

    Nodes and edges have the ids of the tables; every column is an attribute, numbers as numbers, days as texts such as
    2016-06-30. A node also has ``cases``, the types of its cases in force on the graph's day. The other tables
    are left out. :meth:`EntityGraph.from_networkx` takes back what ``networkx.read_graphml`` reads.

    Returns
    -------
    pandas.DataFrame
        What is not in the file, or not as it was: ``table, column, count, example, problem``; empty when all is held.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import networkx as nx
    >>> import riskgraph as rg
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "chain.graphml"
    >>> rg.readers.write_graphml(rg.datasets.toy_chain(), file).empty
    True
    >>> G = nx.read_graphml(file, force_multigraph=True)
    >>> rg.EntityGraph.from_networkx(G).relations[["source", "target", "share_min"]]
        source   target  share_min
    0      Ann  Holding        0.6
    1  Holding     Mine        0.5
    """
    import networkx as nx

    losses = Losses()
    cases = graph.cases.groupby("entity", sort=False)["type"].agg(lambda types: ";".join(dict.fromkeys(types)))
    G = nx.MultiDiGraph()
    for cells in _rows(graph.known("entities").drop(columns="ended"), "entities", losses):
        id = cells.pop("id")
        G.add_node(id, **cells, **({"cases": cases[id]} if id in cases else {}))
    for cells in _rows(graph.known("relations"), "relations", losses):
        G.add_edge(cells.pop("source"), cells.pop("target"), key=cells.pop("id"), **cells)
    for table in ("cases", "licences", "facts"):
        for id in graph.known(table)["id"]:
            losses.add(table, ["id"], id, "GraphML holds nodes and edges")
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_file(place, lambda temporary: nx.write_graphml_xml(G, temporary, named_key_ids=True))
    return losses.frame()


def _rows(frame: pd.DataFrame, table: str, losses: Losses) -> list[dict[str, Any]]:
    """Rows with cells of the types of GraphML, one type a column."""
    convert: dict[str, Callable[[Any], Any]] = {"number": float, "integer": int, "boolean": bool}
    kinds: dict[str, Callable[[Any], Any]] = {
        str(column): convert.get(type_of(frame[column]), _text) for column in frame
    }
    rows = []
    for cells in rows_of(frame):
        id = cells["id"]
        row = {column: kinds[column](value) for column, value in cells.items()}
        for column, value in row.items():
            if isinstance(value, str) and _NO_XML.search(value):
                row[column] = _NO_XML.sub("\ufffd", value)
                losses.add(table, [column], id, "a character that XML does not allow; written as \ufffd")
        rows.append(row)
    return rows


def _text(value: Any) -> str:
    return value.date().isoformat() if isinstance(value, pd.Timestamp) and value == value.normalize() else str(value)
