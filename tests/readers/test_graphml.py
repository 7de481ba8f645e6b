"""A graph written as GraphML opens in networkx and igraph and comes back."""

from __future__ import annotations

import igraph
import networkx as nx
import pandas as pd

import riskgraph as rg
from riskgraph.readers import write_graphml


def test_the_county_comes_back_from_networkx(tmp_path):
    before = rg.datasets.load_county().graph
    losses = write_graphml(before, tmp_path / "county.graphml")
    assert losses[["table", "column", "count"]].to_numpy().tolist() == [
        [table, "id", len(before.known(table))] for table in ("cases", "facts", "licences")
    ]
    G = nx.read_graphml(tmp_path / "county.graphml", force_multigraph=True)
    in_force = {entity: set(rows["type"]) for entity, rows in before.cases.groupby("entity")}
    assert {node: set(data["cases"].split(";")) for node, data in G.nodes(data=True) if "cases" in data} == in_force
    after = rg.EntityGraph.from_networkx(G)
    for table, extra in (("entities", ["cases", "ended"]), ("relations", [])):
        rows = before.known(table).drop(columns=extra, errors="ignore").sort_values("id").reset_index(drop=True)
        again = after.known(table).drop(columns=extra, errors="ignore").sort_values("id").reset_index(drop=True)
        again = again.reindex(columns=rows.columns)
        again = again.assign(**{name: again[name].astype(rows[name].dtype) for name in rows})
        pd.testing.assert_frame_equal(
            rows.where(rows.notna(), None), again.where(again.notna(), None), check_dtype=False
        )


def test_igraph_reads_the_same_arcs(tmp_path):
    before = rg.datasets.load_county().graph
    write_graphml(before, tmp_path / "county.graphml")
    G = igraph.Graph.Read_GraphML(str(tmp_path / "county.graphml"))
    ids = G.vs["id"]
    arcs = sorted((ids[arc.source], ids[arc.target], arc["kind"]) for arc in G.es)
    relations = before.known("relations")
    assert arcs == sorted(zip(relations["source"], relations["target"], relations["kind"], strict=True))
    assert G.is_directed()


def test_what_xml_does_not_allow_is_replaced_and_said(tmp_path):
    before = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["a", "b"], "kind": "company", "name": ["<&>\x00\x1b", "甲\u2028 ]]> \r x"], "n": [1, 2]}),
        pd.DataFrame({"id": ["r"], "source": ["a"], "target": ["b"], "kind": ["owns"], "ok": [True]}),
    )
    losses = write_graphml(before, tmp_path / "a.graphml")
    assert losses[["table", "column", "count"]].to_numpy().tolist() == [["entities", "name", 2]]
    G = nx.read_graphml(tmp_path / "a.graphml", force_multigraph=True)
    assert dict(G.nodes(data="name")) == {"a": "<&>\ufffd\ufffd", "b": "甲\u2028 ]]> \ufffd x"}
    assert dict(G.nodes(data="n")) == {"a": 1, "b": 2}
    assert list(G.edges(keys=True, data="ok")) == [("a", "b", "r", True)]
