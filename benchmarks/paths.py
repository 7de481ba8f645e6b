"""Ten explanation paths of one entity, against networkx's shortest simple paths on the same arcs."""

from __future__ import annotations

from itertools import islice

import networkx as nx
import numpy as np
from timing import arguments, interleaved, keep, table

import riskgraph as rg

K = 10
#: entities asked about
ASKED = 3


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    graph = rg.datasets.make_registry(size, random_state=1)
    model = rg.risk.RiskCascade(hubs="ignore").fit(graph)
    arcs, weight = model._arcs, model._best.weight
    # entities in the middle of the ranking that are no seeds: some steps away, with many paths
    ranked = np.argsort(-model.scores_.to_numpy(), kind="stable")
    reached = ranked[(model.scores_.to_numpy()[ranked] > 0) & (weight[ranked] == 0)]
    codes = reached[np.linspace(reached.size // 20, reached.size // 4, ASKED).astype(int)].tolist()
    ids = [str(graph.ids[code]) for code in codes]

    def search() -> list[list[float]]:
        return [[path.value for path in model._find(code, K)] for code in codes]

    ways = {"riskgraph explain, with sentences": lambda: [model.explain(entity, K) for entity in ids]}
    ways["riskgraph, the search alone"] = search
    if size <= 100_000:
        live = np.flatnonzero(arcs.p > 0)
        G: nx.DiGraph = nx.DiGraph()
        with np.errstate(divide="ignore"):
            cost = np.abs(np.log(arcs.p[live]))
        G.add_weighted_edges_from(zip(arcs.source[live].tolist(), arcs.target[live].tolist(), cost, strict=True))
        seeds = np.flatnonzero(weight > 0)
        G.add_weighted_edges_from(("start", int(seed), abs(float(np.log(weight[seed])))) for seed in seeds)

        def networkx() -> list[list[float]]:
            found = []
            for code in codes:
                paths = islice(nx.shortest_simple_paths(G, "start", code, weight="weight"), K)
                found.append([float(np.exp(-nx.path_weight(G, path, "weight"))) for path in paths])
            return found

        for mine, theirs in zip(search(), networkx(), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-9)
        ways["networkx shortest_simple_paths"] = networkx
    figure = table(
        f"{K} paths of each of {ASKED} entities, {size:,} companies, {len(arcs):,} arcs",
        interleaved(ways, given.rounds),
        "riskgraph explain, with sentences",
    )
    keep(given.json, [figure])


if __name__ == "__main__":
    main()
