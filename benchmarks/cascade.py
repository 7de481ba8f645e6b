"""Both bounds of the risk cascade against personalised PageRank of igraph and networkx on the same relations."""

from __future__ import annotations

import igraph as ig
import numpy as np
from timing import arguments, interleaved, keep, table

import riskgraph as rg


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    graph = rg.datasets.make_registry(size, random_state=1)
    seeds = graph.codes(graph.seeds().index)
    n = len(graph)
    # a relation passes risk both ways, so the peers walk it both ways too
    source = np.concatenate([graph.columns.source, graph.columns.target])
    target = np.concatenate([graph.columns.target, graph.columns.source])

    def ours() -> rg.risk.RiskCascade:
        return rg.risk.RiskCascade().fit(graph)

    def anew() -> rg.risk.RiskCascade:
        graph.forget()
        return ours()

    def build() -> ig.Graph:
        return ig.Graph(n=n, edges=np.column_stack([source, target]), directed=True)

    def rank(G: ig.Graph) -> object:
        return G.personalized_pagerank(damping=0.85, reset_vertices=seeds.tolist())

    def networkx() -> object:
        import networkx as nx

        G = nx.DiGraph()
        G.add_nodes_from(range(n))
        G.add_edges_from(zip(source.tolist(), target.tolist(), strict=True))
        return nx.pagerank(G, personalization=dict.fromkeys(seeds.tolist(), 1.0))

    bounds = ours().bounds_
    if not (bounds["lower"] <= bounds["upper"]).all():
        raise SystemExit("a lower bound lies above its upper bound")
    ready = build()
    # the second of each pair begins with the relations
    ways = {
        "riskgraph RiskCascade, arcs kept": ours,
        "riskgraph RiskCascade, arcs anew": anew,
        "igraph PageRank, graph ready": lambda: rank(ready),
        "igraph PageRank with its build": lambda: rank(build()),
    }
    if size <= 1_000_000:  # at a million companies it takes minutes and several gigabytes
        ways["networkx PageRank with its build"] = networkx
    figure = table(
        f"Risk cascade, {size:,} companies, {len(graph.columns):,} relations, {seeds.size:,} seeds",
        interleaved(ways, given.rounds if size <= 100_000 else 1),
        "riskgraph RiskCascade, arcs kept",
        mean_width_of_the_bracket=float((bounds["upper"] - bounds["lower"]).mean()),
        entities_above_5_percent=int((bounds["upper"] > 0.05).sum()),
    )
    keep(given.json, [figure])


if __name__ == "__main__":
    main()
