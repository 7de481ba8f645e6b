"""Tables to graph: seconds, bytes a relation, against networkx on the same frames."""

from __future__ import annotations

from timing import arguments, interleaved, keep, peak_megabytes, table

import riskgraph as rg


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    frames = rg.datasets.make_registry(size, random_state=1, as_tables=True)
    entities, relations = frames["entities"], frames["relations"]

    def ours() -> rg.EntityGraph:
        return rg.EntityGraph.from_tables(**frames)

    def networkx() -> object:
        import networkx as nx

        G = nx.from_pandas_edgelist(
            relations, "source", "target", edge_attr=["kind", "share_min"], create_using=nx.MultiDiGraph
        )
        G.add_nodes_from(entities["id"])
        return G

    graph = ours()
    G = networkx()
    if (len(G), G.number_of_edges()) != (len(graph), len(relations)):
        raise SystemExit("the two graphs differ in size")
    del G
    ways = {"riskgraph from_tables": ours}
    if size <= 100_000:
        ways["networkx from_pandas_edgelist"] = networkx
    seconds = interleaved(ways, given.rounds if size <= 100_000 else 1)
    figure = table(
        f"tables to graph, {size:,} companies, {len(graph):,} entities, {len(relations):,} relations",
        seconds,
        "riskgraph from_tables",
        bytes_a_relation=graph.nbytes / max(len(relations), 1),
        peak_megabytes=peak_megabytes(ours),
    )
    keep(given.json, [figure])


if __name__ == "__main__":
    main()
