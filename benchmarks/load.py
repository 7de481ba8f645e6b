"""Parquet and CSV files to a checked graph with dates and shares, against networkx and scipy from the same Parquet."""

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
    parquet, csv = folder / "parquet", folder / "csv"
    for place in (parquet, csv):
        place.mkdir()
    for name, frame in frames.items():
        frame.to_parquet(parquet / f"{name}.parquet", index=False)
        frame.to_csv(csv / f"{name}.csv", index=False)
    names = list(frames)
    del frames

    def columns() -> rg.EntityGraph:
        return rg.readers.read_tables(parquet)

    def of_frames() -> rg.EntityGraph:
        return rg.EntityGraph.from_tables(**{name: pd.read_parquet(parquet / f"{name}.parquet") for name in names})

    def texts() -> rg.EntityGraph:
        return rg.EntityGraph.from_tables(
            **{name: pd.read_csv(csv / f"{name}.csv", low_memory=False) for name in names}
        )

    def networkx() -> object:
        import networkx as nx

        frame = pd.read_parquet(parquet / "relations.parquet", columns=["source", "target", "kind", "share_min"])
        G = nx.from_pandas_edgelist(
            frame, "source", "target", edge_attr=["kind", "share_min"], create_using=nx.MultiDiGraph
        )
        G.add_nodes_from(pd.read_parquet(parquet / "entities.parquet", columns=["id"])["id"])
        return G

    def scipy() -> object:
        from scipy.sparse import coo_array

        frame = pd.read_parquet(parquet / "relations.parquet", columns=["source", "target", "share_min"])
        ids = pd.read_parquet(parquet / "entities.parquet", columns=["id"])["id"]
        codes, known = pd.factorize(pd.concat([ids, frame["source"], frame["target"]]))
        source, target = codes[len(ids) : len(ids) + len(frame)], codes[len(ids) + len(frame) :]
        return coo_array((frame["share_min"].to_numpy(), (source, target)), shape=(len(known),) * 2).tocsr()

    graph, G = columns(), networkx()
    for other in (of_frames(), texts()):
        pd.testing.assert_frame_equal(graph.summary(), other.summary())
        if (
            not (graph._store.source == other._store.source).all()
            or not (graph._store.target == other._store.target).all()
        ):
            raise SystemExit("the graphs differ")
        del other
    if (len(G), G.number_of_edges()) != (len(graph), len(graph._store)):
        raise SystemExit("the graphs differ in size")
    nodes, bytes_a_relation = len(graph), graph.nbytes / max(relations, 1)
    del graph, G
    ways = {
        "riskgraph read_tables, Parquet": columns,
        "riskgraph from_tables, pandas frames": of_frames,
        "riskgraph from_tables, CSV frames": texts,
        "scipy matrix of one column": scipy,
        "networkx from Parquet": networkx,
    }
    return table(
        f"files to graph, {size:,} companies, {nodes:,} entities, {relations:,} relations",
        interleaved(ways, rounds),
        "riskgraph read_tables, Parquet",
        bytes_a_relation=bytes_a_relation,
        peak_megabytes=peak_megabytes(columns) if size <= 100_000 else float("nan"),
    )


if __name__ == "__main__":
    main()
