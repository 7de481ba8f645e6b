"""Files for ``neo4j-admin database import``: the way in for graphs too large to send row by row."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from riskgraph._optional import progress
from riskgraph.graph import EntityGraph
from riskgraph.schema import RELATION_KINDS

__all__ = ["write_neo4j_import"]

_TYPES = {
    **dict.fromkeys(("share_min", "share_max", "votes_min", "votes_max", "amount", "confidence", "capital"), "double"),
    **dict.fromkeys(("start", "end", "known_from"), "date"),
}


def write_neo4j_import(graph: EntityGraph, folder: str | Path, *, show_progress: bool | None = None) -> list[Path]:
    """Write ``entities.csv`` and one ``relations_<kind>.csv`` a kind, with the headers the importer reads.

    Returns
    -------
    The files, entities first. Import them with ``neo4j-admin database import full --nodes=RiskgraphEntity=entities.csv
    --relationships=OWNS=relations_owns.csv …``.

    Examples
    --------
    >>> import riskgraph as rg, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = rg.stores.write_neo4j_import(rg.datasets.toy_chain(), folder)
    ...     files[1].name, files[1].read_text("utf-8").splitlines()[1].split(",")[:3]
    ('relations_owns.csv', ['Ann', 'Holding', 'r0'])
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tables = graph.tables()
    entities = tables["entities"].rename(columns={"id": "id:ID"})
    files = [_write(entities, folder / "entities.csv")]
    relations = tables["relations"].rename(columns={"source": ":START_ID", "target": ":END_ID"})
    kinds = [kind for kind in RELATION_KINDS if (relations["kind"] == kind).any()]
    first = [":START_ID", ":END_ID", "id"]
    order = [*first, *(name for name in relations if name not in (*first, "kind"))]
    for kind in progress(kinds, text="relations", show=show_progress):
        part = relations.loc[relations["kind"] == kind, order]
        files.append(_write(part.dropna(axis=1, how="all"), folder / f"relations_{kind}.csv"))
    return files


def _write(frame: pd.DataFrame, path: Path) -> Path:
    named = frame.rename(columns={name: f"{name}:{kind}" for name, kind in _TYPES.items()})
    named.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL, date_format="%Y-%m-%d", lineterminator="\n")
    return path
