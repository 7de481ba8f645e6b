"""Personalised PageRank: seconds at a true error of 1e-8, against igraph, networkx and scipy's power iteration."""

from __future__ import annotations

import importlib.util

import numpy as np
from timing import arguments, interleaved, keep, peak_megabytes, table

import riskgraph as rg
from riskgraph.risk.pagerank import PersonalizedPageRank, step_matrix

TOL = 1e-8


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    graph = rg.datasets.make_registry(size, random_state=1)
    n = len(graph)
    seeds = graph.seeds()
    codes = graph.codes(seeds.index)
    restart = np.zeros(n)
    restart[codes] = seeds.to_numpy() / seeds.sum()
    walk = step_matrix(graph, None, "both")
    matrix = walk.inward
    entries = matrix.nnz
    model = PersonalizedPageRank(direction="both", dangling="seeds", tol=TOL)

    def fresh() -> rg.EntityGraph:
        return graph.at(graph.valid_on, known="2100-01-01")

    def ours() -> np.ndarray:
        return model.fit(graph).scores_.to_numpy()

    def ours_with_build() -> np.ndarray:
        return model.fit(fresh()).scores_.to_numpy()

    def scipy_power() -> np.ndarray:
        x = restart
        lost = walk.dead_end
        while True:
            y = matrix @ x
            y *= 0.85
            y += (0.15 + 0.85 * x[lost].sum()) * restart
            if np.abs(y - x).sum() <= TOL * 0.15:
                return y
            x = y

    ways = {
        "riskgraph, matrix ready": ours,
        "riskgraph, with its build": ours_with_build,
        "scipy power, matrix ready": scipy_power,
    }
    ends = graph.columns.source, graph.columns.target
    once = ends[0] != ends[1]
    source = np.concatenate([ends[0], ends[1][once]])
    target = np.concatenate([ends[1], ends[0][once]])
    if importlib.util.find_spec("igraph"):
        import igraph

        G = igraph.Graph(n=n, edges=np.column_stack([source, target]), directed=True)

        def with_igraph() -> np.ndarray:
            return np.array(G.personalized_pagerank(reset=restart.tolist(), damping=0.85, implementation="prpack"))

        ways["igraph prpack, graph ready"] = with_igraph
    if importlib.util.find_spec("sknetwork"):
        from scipy.sparse import csr_matrix
        from sknetwork.ranking import PageRank

        adjacency = csr_matrix((np.ones(source.size), (source, target)), shape=(n, n))

        def with_scikit_network() -> np.ndarray:
            ranks = PageRank(damping_factor=0.85, solver="piteration", n_iter=1000, tol=TOL)
            return np.asarray(ranks.fit_predict(adjacency, weights=restart))

        ways["scikit-network, matrix ready"] = with_scikit_network
    if importlib.util.find_spec("rustworkx"):
        import rustworkx

        R = rustworkx.PyDiGraph()
        R.add_nodes_from(range(n))
        R.add_edges_from_no_data(list(zip(source.tolist(), target.tolist(), strict=True)))

        def with_rustworkx() -> np.ndarray:
            start = {int(code): float(restart[code]) for code in codes}
            ranks = rustworkx.pagerank(R, alpha=0.85, personalization=start, dangling=start, tol=TOL / n, max_iter=1000)
            return np.array([ranks[i] for i in range(n)])

        ways["rustworkx, graph ready"] = with_rustworkx
    for name in ("igraph", "sknetwork", "rustworkx"):  # networkit has no personalised PageRank
        if not importlib.util.find_spec(name):
            print(f"{name} is not installed")
    if size <= 1_000_000:  # beyond, the graph alone takes tens of gigabytes
        import networkx as nx

        N = nx.DiGraph()
        N.add_nodes_from(range(n))
        table_ = matrix.T.tocoo()
        leaving = np.bincount(source, minlength=n)
        counts = np.rint(table_.data * leaving[table_.coords[0]])
        N.add_weighted_edges_from(
            zip(table_.coords[0].tolist(), table_.coords[1].tolist(), counts.tolist(), strict=True)
        )

        def with_networkx() -> np.ndarray:
            start = {int(code): float(restart[code]) for code in codes}
            ranks = nx.pagerank(N, 0.85, personalization=start, dangling=start, tol=TOL / n, max_iter=1000)
            return np.fromiter(ranks.values(), float, n)

        ways["networkx, graph ready"] = with_networkx

    fine = PersonalizedPageRank(direction="both", dangling="seeds", tol=1e-13).fit(graph).scores_.to_numpy()
    errors = {name: float(np.abs(way() - fine).sum()) for name, way in ways.items()}
    for name, error in errors.items():
        print(f"  true error of {name}: {error:.1e}")
        if error > (TOL if name.startswith("riskgraph") else 1e-6):
            raise SystemExit(f"{name} is off by {error:.1e}")
    processor: dict[str, float] = {}
    seconds = interleaved(ways, given.rounds if size <= 100_000 else 1, processor)
    ties = walk.ties(None, matrix)
    figure = table(
        f"personalised PageRank, {size:,} companies, {n:,} entities, {entries:,} steps, {model.n_products_} products",
        seconds,
        "riskgraph, matrix ready",
        processor,
        bytes_a_step=(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes) / entries,
        bytes_a_step_of_ties=ties.nbytes / entries if ties else 0,
        peak_megabytes=peak_megabytes(ours),
    )
    keep(given.json, [figure])


if __name__ == "__main__":
    main()
