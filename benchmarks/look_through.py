"""Look-through, layers, investors and the nesting score; against a dictionary sweep over networkx on the same money.

The peer does what a script would: products in topological order, a dictionary of holdings each, circles cut.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from timing import arguments, interleaved, keep, peak_megabytes, table

import riskgraph as rg
from riskgraph.nesting import NestingScorer, circuits, layers, look_through, patterns


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
    frames = rg.datasets.make_registry(size, random_state=1, products=0.2, names=size <= 100_000, as_tables=True)

    def fresh() -> rg.EntityGraph:
        return rg.EntityGraph.from_tables(**frames)

    graph = fresh()
    rows = len(look_through(graph))
    if size <= 10_000 and abs(dictionary_sweep(graph) - rows) > rows / 20:
        raise SystemExit("the two ways find different pairs")

    def ours() -> object:
        graph._cache.clear()
        return look_through(graph)

    def score() -> object:
        graph._cache.clear()
        return NestingScorer().fit(graph)

    ways = {"riskgraph look_through": ours}
    if size <= 100_000:
        ways["dictionary sweep, circles cut"] = lambda: dictionary_sweep(graph)
    seconds = interleaved(ways, given.rounds if size <= 100_000 else 1)
    figures = [
        table(
            f"look-through, {size:,} firms, {size // 5:,} products, {len(graph.columns):,} relations: {rows:,} rows",
            seconds,
            "riskgraph look_through",
            peak_megabytes=peak_megabytes(ours) if size <= 100_000 else float("nan"),
        )
    ]
    rest: dict[str, Callable[[], object]] = {
        "NestingScorer.fit": score,
        "layers of all products": lambda: layers(graph),
        "circuits": lambda: circuits(graph),
    }
    if size <= 100_000:  # every finding comes with its chain: time grows with what is found
        rest["patterns"] = lambda: patterns(graph)
    more = {}
    for name, way in rest.items():
        began = time.perf_counter()
        way()
        more[name] = time.perf_counter() - began
    figures.append(table("the rest of the package on the same graph", more, "NestingScorer.fit"))
    keep(given.json, figures)


if __name__ == "__main__":
    main()
