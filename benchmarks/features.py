"""Features of every company as known on a day, family by family: seconds, memory, against degrees by networkx."""

from __future__ import annotations

import resource
import time

from timing import arguments, interleaved, keep, table

import riskgraph as rg

DAY = "2017-01-31"
FAMILIES = ("ownership", "control", "group", "officer", "risk", "nesting", "registry", "change")


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    graph = rg.datasets.make_registry(size, random_state=1, names=False)
    before = _resident()
    frame = graph.entities
    ids = frame.loc[frame["kind"] == "company", "id"].to_numpy()

    def family(name: str) -> None:
        # a fresh view of the graph, so that nothing kept from another round helps
        again = graph.at(DAY)
        rg.learning.GraphFeatures(again, at=DAY, families=[name]).fit_transform(ids)

    def networkx() -> object:
        import networkx as nx

        G = nx.MultiDiGraph()
        G.add_nodes_from(frame["id"])
        columns = graph.at(DAY, known=DAY).columns
        G.add_edges_from(zip(graph.ids[columns.source], graph.ids[columns.target], strict=True))
        return [(G.in_degree(node), G.out_degree(node)) for node in ids]

    began = time.perf_counter()
    features = rg.learning.GraphFeatures(graph, at=DAY)
    X = features.fit_transform(ids)
    whole = time.perf_counter() - began
    after = _resident()
    ways = {name: (lambda name=name: family(name)) for name in FAMILIES}  # type: ignore[misc]
    if size <= 100_000:
        ways["networkx: graph and two degrees"] = networkx
    seconds = interleaved(ways, given.rounds if size <= 10_000 else 1)
    figure = table(
        f"features of {len(ids):,} companies, {len(graph):,} entities, {X.shape[1]} features",
        {"all families": whole, **seconds},
        "all families",
        companies_a_second=len(ids) / whole,
        peak_megabytes_with_graph=after,
        peak_megabytes_before=before,
    )
    keep(given.json, [figure])


def _resident() -> float:
    """Most memory the process ever held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
