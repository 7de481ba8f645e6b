"""Both bounds of the risk cascade against personalized PageRank of igraph and networkx on one graph, in one run.

    python benchmarks/cascade.py --size 1e6

``--size`` is the number of companies; five relations each, both directions transmit: ten arcs a company.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from riskgraph.risk._arcs import merge_arcs
from riskgraph.risk._messages import arrivals, log_missed, messages
from riskgraph.risk._paths import path_forest, strongest_paths

SLOW_PEER = 200_000  # networkx keeps a dictionary an edge: above this it is left out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=1e5, help="number of companies")
    parser.add_argument("--scale", type=float, default=0.5, help="factor of all probabilities")
    arguments = parser.parse_args()
    n = int(arguments.size)
    rng = np.random.default_rng(0)
    source = rng.integers(n, size=5 * n)
    target = (n * rng.random(5 * n) ** 1.5).astype(np.int64)
    there = arguments.scale * rng.choice([0.05, 0.2, 0.3, 0.4, 0.6], 5 * n)
    back = arguments.scale * rng.choice([0.05, 0.2, 0.25, 0.4, 0.7], 5 * n)
    seeds = np.unique(rng.integers(n, size=max(1, n // 1_000)))
    weight = np.zeros(n)
    weight[seeds] = 1.0

    arcs, merging = timed(lambda: merge_arcs(n, source, target, there, back, np.arange(5 * n)))
    base = log_missed(weight)

    def upper() -> np.ndarray:
        return 0.0 - np.expm1(arrivals(arcs, messages(arcs, base), base))

    def lower() -> np.ndarray:
        best = strongest_paths(arcs, weight)
        forest = arcs.only(path_forest(arcs, best))
        return np.maximum(best.reached, 0.0 - np.expm1(arrivals(forest, messages(forest, base), base)))

    high, above = timed(upper)
    low, below = timed(lower)
    assert (low <= high * (1 + 1e-9)).all()
    print(
        f"{n:,} companies, {len(arcs):,} arcs, {seeds.size:,} seeds; mean risk in [{low.mean():.4f}, {high.mean():.4f}]"
    )
    print(f"arcs merged    {merging:8.2f} s")
    print(f"upper bound    {above:8.2f} s")
    print(f"lower bound    {below:8.2f} s")
    peers(n, arcs.source, arcs.target, arcs.p, seeds, merging + above + below)
    print(f"peak memory    {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:8.2f} GiB")


def peers(n: int, source: np.ndarray, target: np.ndarray, p: np.ndarray, seeds: np.ndarray, ours: float) -> None:
    import igraph

    def with_igraph() -> None:
        graph = igraph.Graph(n=n, edges=np.column_stack([source, target]), directed=True)
        graph.personalized_pagerank(damping=0.85, reset_vertices=seeds.tolist(), weights=p.tolist())

    _, seconds = timed(with_igraph)
    print(f"igraph         {seconds:8.2f} s   cascade / igraph = {ours / seconds:.2f}")
    if n > SLOW_PEER:
        print(f"networkx       left out above {SLOW_PEER:,} companies")
        return
    import networkx as nx

    def with_networkx() -> None:
        graph = nx.DiGraph()
        graph.add_weighted_edges_from(zip(source.tolist(), target.tolist(), p.tolist(), strict=True))
        nx.pagerank(graph, personalization=dict.fromkeys(seeds.tolist(), 1.0), weight="weight")

    _, seconds = timed(with_networkx)
    print(f"networkx       {seconds:8.2f} s   cascade / networkx = {ours / seconds:.2f}")


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begin


if __name__ == "__main__":
    main()
