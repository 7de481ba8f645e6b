"""Loops of shares, investments, loans and guarantees, against networkx's strongly connected components and cycles."""

from __future__ import annotations

import networkx as nx
from timing import arguments, interleaved, keep, table

import riskgraph as rg
from riskgraph.nesting.circuits import LOOPING


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    graph = rg.datasets.make_registry(size, random_state=1)
    columns = graph.columns
    at = columns.of(*LOOPING)
    source, target = columns.source[at].tolist(), columns.target[at].tolist()

    def ours() -> object:
        for key in [key for key in graph._cache if key[:1] == ("nesting",)]:
            del graph._cache[key]
        return rg.nesting.circuits(graph)

    G = nx.DiGraph()
    G.add_edges_from((a, b) for a, b in zip(source, target, strict=True) if a != b)

    def networkx() -> list[set[int]]:
        """Components with a loop, and one loop through each."""
        rings = [ring for ring in nx.strongly_connected_components(G) if len(ring) > 1]
        for ring in rings:
            nx.find_cycle(G.subgraph(ring))
        return rings

    found = ours()
    tied = {code for ring in networkx() for code in ring}
    named = {name for entities in found["entities"] for name in entities}
    if not set(graph.codes(named).tolist()) <= tied:
        raise SystemExit("a loop leads out of the strongly connected components")
    figure = table(
        f"loops, {size:,} companies, {len(source):,} looping relations",
        interleaved({"riskgraph circuits": ours, "networkx, one loop a component": networkx}, given.rounds),
        "riskgraph circuits",
        loops_found=len(found),
        entities_in_components=len(tied),
    )
    keep(given.json, [figure])


if __name__ == "__main__":
    main()
