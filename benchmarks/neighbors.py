"""Two-hop neighbourhoods of a thousand firms, against igraph and networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
from timing import arguments, interleaved, keep, table

import riskgraph as rg

FIRMS = 1_000


def main() -> None:
    import igraph as ig

    given = arguments(__doc__)
    size = int(given.size)
    graph = rg.datasets.make_registry(size, random_state=1)
    n = len(graph)
    ends = np.column_stack([graph.columns.source, graph.columns.target])
    firms = np.flatnonzero(graph.kinds == rg.schema.ENTITY_KINDS.index("company"))
    codes = np.sort(np.random.default_rng(0).choice(firms, min(FIRMS, firms.size), replace=False))
    ids = graph.ids[codes].tolist()
    peer = ig.Graph(n=n, edges=ends)
    starts = codes.tolist()
    ways = {
        "riskgraph nearby, a frame": lambda: graph.nearby(ids),
        "riskgraph, codes alone": lambda: graph._near(ids, 2),
        "igraph neighborhood": lambda: peer.neighborhood(starts, order=2),
        "igraph neighborhood_size": lambda: peer.neighborhood_size(starts, order=2),
    }
    place, code, _ = graph._near(ids, 2)
    theirs = peer.neighborhood(starts, order=2)
    for number, found in enumerate(np.split(code, np.flatnonzero(np.diff(place)) + 1)):
        if set(found.tolist()) != set(theirs[number]):
            raise SystemExit(f"the neighbourhoods of {ids[number]} differ")
    if size <= 100_000:
        G = nx.Graph()
        G.add_edges_from(ends.tolist())
        G.add_nodes_from(starts)
        ways["networkx, cutoff 2"] = lambda: [dict(nx.single_source_shortest_path_length(G, s, 2)) for s in starts]
    figure = table(
        f"two-hop neighbourhoods of {len(ids):,} firms, {size:,} companies, {len(ends):,} relations",
        interleaved(ways, max(given.rounds, 3)),
        "riskgraph nearby, a frame",
        entities_found=code.size,
    )
    keep(given.json, [figure])


if __name__ == "__main__":
    main()
