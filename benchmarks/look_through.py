"""Look-through, layers, investors and the nesting score; against a dictionary sweep over networkx on the same money.

The peer does what a script would: products in topological order, a dictionary of holdings each, circles cut. Before
anything is timed, the look-through of a registry of 2,500 firms and 2,500 products is compared, amount by amount and
circles included, with the dense inverse of the same linear system.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from timing import arguments, interleaved, keep, peak_megabytes, table

import riskgraph as rg
from riskgraph.nesting import UNTRACED, NestingScorer, circuits, layers, look_through, patterns


def dense_inverse(graph: rg.EntityGraph) -> pd.Series:
    """Amount of every holder and asset by ``H (I - P)^-1 A``: P among products, H from holders, A to assets."""
    money = graph.relations[graph.relations["kind"] == "invests"]
    ids = [UNTRACED, *graph.ids]
    place = pd.Series(np.arange(len(ids)), index=ids)
    product = np.r_[False, (graph.entities["kind"] == "product").to_numpy()]
    shape = (len(ids), len(ids))
    M = csr_array((money["amount"], (place[money["source"]], place[money["target"]])), shape=shape).tolil()
    total = np.where(product, np.maximum(M.sum(axis=0), M.sum(axis=1)), 0.0)
    M[0, product], M[product, 0] = (total - M.sum(axis=0))[product], (total - M.sum(axis=1))[product]
    M = M.tocsr()
    parts = M[product].multiply(1 / np.where(total > 0, total, 1.0)[product, None]).tocsr()
    walks = np.linalg.inv(np.eye(int(product.sum())) - parts[:, product].toarray())
    M = M[~product][:, ~product].toarray() + M[~product][:, product] @ (walks @ parts[:, ~product])
    names = np.array(ids, dtype=object)[~product]
    a, b = np.nonzero(M > 1e-3)
    return pd.Series(M[a, b], index=pd.MultiIndex.from_arrays([names[a], names[b]]), name="amount")


def check() -> None:
    """Stop unless both ways give the same pairs and, to a part in a billion, the same amounts."""
    graph = rg.datasets.make_registry(2_500, random_state=1, products=2_500)
    mine = look_through(graph).set_index(["holder", "asset"])["amount"]
    other = dense_inverse(graph)
    mine = mine[mine > 1e-3]
    if set(mine.index) != set(other.index) or not np.allclose(mine, other.reindex(mine.index), rtol=1e-9, atol=1e-3):
        raise SystemExit("the look-through differs from the dense inverse")
    if not np.isinf(layers(graph)).any():
        raise SystemExit("the comparison holds no circle")
    print(f"equal to the dense inverse: {len(mine):,} amounts on {len(graph):,} entities")


def dictionary_sweep(graph: rg.EntityGraph) -> int:
    """Pairs of holder and asset found with dictionaries; relations that close a circle are left out."""
    import networkx as nx

    kinds = dict(zip(graph.entities["id"], graph.entities["kind"], strict=True))
    money = graph.relations[graph.relations["kind"] == "invests"]
    G = nx.DiGraph()
    for a, b, amount in zip(money["source"], money["target"], money["amount"], strict=True):
        G.add_edge(a, b, amount=G[a][b]["amount"] + amount if G.has_edge(a, b) else amount)
    products = G.subgraph(n for n in G if kinds[n] == "product")
    circle = {n for part in nx.strongly_connected_components(products) if len(part) > 1 for n in part}
    D = nx.DiGraph(e for e in products.edges if not (e[0] in circle and e[1] in circle))
    D.add_nodes_from(products)
    ends: dict[str, dict[str, float]] = {}
    for product in reversed(list(nx.topological_sort(D))):
        total = max(sum(d["amount"] for *_, d in G.in_edges(product, data=True)),
                    sum(d["amount"] for *_, d in G.out_edges(product, data=True)))  # fmt: skip
        mine: dict[str, float] = {}
        for _, target, data in G.out_edges(product, data=True):
            part = data["amount"] / total
            for asset, share in ends.get(target, {target: 1.0} if kinds[target] != "product" else {}).items():
                mine[asset] = mine.get(asset, 0.0) + part * share
        ends[product] = mine
    pairs = 0
    for holder in G:
        if kinds[holder] != "product":
            mine = {}
            for _, target, data in G.out_edges(holder, data=True):
                for asset, share in ends.get(target, {target: 1.0}).items():
                    mine[asset] = mine.get(asset, 0.0) + data["amount"] * share
            pairs += len(mine)
    return pairs


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    check()
    frames = rg.datasets.make_registry(size, random_state=1, products=0.2, names=size <= 100_000, as_tables=True)

    def fresh() -> rg.EntityGraph:
        return rg.EntityGraph.from_tables(**frames)

    graph = fresh()
    rows = len(look_through(graph))

    def ours() -> object:
        graph._cache.clear()
        return look_through(graph)

    ways = {"riskgraph look_through": ours}
    if size <= 100_000:
        ways["dictionary sweep, circles cut"] = lambda: dictionary_sweep(graph)
    seconds = interleaved(ways, given.rounds if size <= 100_000 else 1)
    began = time.process_time()
    ours()
    memory = {"processor_seconds": time.process_time() - began}
    if size <= 100_000:  # tracing every allocation takes long on a large graph
        memory["peak_megabytes"] = peak_megabytes(ours)
    memory["most_resident_megabytes_so_far"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = [
        table(
            f"look-through, {size:,} firms, {size // 5:,} products, {len(graph.columns):,} relations: {rows:,} rows",
            seconds,
            "riskgraph look_through",
            **memory,
        )
    ]
    rest: dict[str, Callable[[], object]] = {
        "NestingScorer.fit": lambda: NestingScorer().fit(graph),
        "layers of all products": lambda: layers(graph),
        "circuits": lambda: circuits(graph),
    }
    if size <= 100_000:  # every finding comes with its chain: time grows with what is found
        rest["patterns"] = lambda: patterns(graph)
    more = {}
    for name, way in rest.items():
        graph._cache.clear()
        began = time.perf_counter()
        way()
        more[name] = time.perf_counter() - began
    figures.append(table("the rest of the package on the same graph", more, "NestingScorer.fit"))
    keep(given.json, figures)


if __name__ == "__main__":
    main()
