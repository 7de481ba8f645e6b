"""Parquet and CSV files to graph, against networkx from the same Parquet."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from timing import arguments, interleaved, keep, peak_megabytes, table

import riskgraph as rg


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    with tempfile.TemporaryDirectory() as folder:
        keep(given.json, [measure(size, given.rounds if size <= 100_000 else 1, Path(folder))])


def measure(size: int, rounds: int, folder: Path) -> dict[str, object]:
    """Write the tables of a register as files, and time the ways from there."""
    frames = rg.datasets.make_registry(size, random_state=1, as_tables=True)
    relations = len(frames["relations"])
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
        frame.to_csv(folder / f"{name}.csv", index=False)
    names = list(frames)
    del frames

    def parquet() -> rg.EntityGraph:
        return rg.EntityGraph.from_tables(**{name: pd.read_parquet(folder / f"{name}.parquet") for name in names})

    def csv() -> rg.EntityGraph:
        return rg.EntityGraph.from_tables(
            **{name: pd.read_csv(folder / f"{name}.csv", low_memory=False) for name in names}
        )

    def networkx() -> object:
        import networkx as nx

        frame = pd.read_parquet(folder / "relations.parquet", columns=["source", "target", "kind", "share_min"])
        G = nx.from_pandas_edgelist(
            frame, "source", "target", edge_attr=["kind", "share_min"], create_using=nx.MultiDiGraph
        )
        G.add_nodes_from(pd.read_parquet(folder / "entities.parquet", columns=["id"])["id"])
        return G

    graph, other, G = parquet(), csv(), networkx()
    pd.testing.assert_frame_equal(graph.summary(), other.summary())
    if (len(G), G.number_of_edges()) != (len(graph), len(graph._store)):
        raise SystemExit("the graphs differ in size")
    nodes, bytes_a_relation = len(graph), graph.nbytes / max(relations, 1)
    del graph, other, G
    ways = {"riskgraph from Parquet": parquet, "riskgraph from CSV": csv, "networkx from Parquet": networkx}
    return table(
        f"files to graph, {size:,} companies, {nodes:,} entities, {relations:,} relations",
        interleaved(ways, rounds),
        "riskgraph from Parquet",
        bytes_a_relation=bytes_a_relation,
        peak_megabytes=peak_megabytes(parquet) if size <= 100_000 else float("nan"),
    )


if __name__ == "__main__":
    main()
