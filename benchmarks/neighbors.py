"""Two-hop neighbourhoods of a thousand firms, against igraph, rustworkx, networkit and networkx."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable

import networkx as nx
import numpy as np
from timing import arguments, interleaved, keep, table

import riskgraph as rg

FIRMS = 1_000


def two_steps(neighbors: Callable[[int], Iterable[int]], start: int) -> set[int]:
    """Who is within two steps, where a package gives the neighbours of one node at a time."""
    found = {start, *neighbors(start)}
    for near in list(found):
        found.update(neighbors(near))
    return found


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
    peers: dict[str, Callable[[int], Iterable[int]]] = {}
    if importlib.util.find_spec("rustworkx"):
        import rustworkx

        R = rustworkx.PyGraph(multigraph=False)
        R.add_nodes_from(range(n))
        R.add_edges_from_no_data(list(map(tuple, ends.tolist())))
        peers["rustworkx"] = R.neighbors
    if importlib.util.find_spec("networkit"):
        import networkit

        N = networkit.GraphFromCoo((ends[:, 0], ends[:, 1]), n=n)
        peers["networkit"] = N.iterNeighbors
    for name in {"rustworkx", "networkit"} - set(peers):
        print(f"{name} is not installed")
    for name, neighbors in peers.items():
        if any(two_steps(neighbors, start) != set(theirs[number]) for number, start in enumerate(starts)):
            raise SystemExit(f"the neighbourhoods of {name} differ")
        ways[f"{name}, sets of Python"] = lambda neighbors=neighbors: [two_steps(neighbors, s) for s in starts]
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
