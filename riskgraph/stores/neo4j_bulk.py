"""Files for ``neo4j-admin database import``: the way in for graphs too large to send batch by batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from riskgraph._files import replacing_together
from riskgraph._optional import progress
from riskgraph.graph import EntityGraph
from riskgraph.stores._rows import RECORDS, Column, digest, pack_graph, row_key, stored_names

__all__ = ["write_neo4j_import"]

#: rows made into text at once
LINES = 50_000


def write_neo4j_import(graph: EntityGraph, folder: str | Path, *, show_progress: bool | None = None) -> list[Path]:
    """Write a graph as the files that ``neo4j-admin database import full`` reads.

    What is imported is what :class:`Neo4jStore` would have written, so that the store reads it, and its next write of
    the same graph sends nothing but the constraints.

    Returns
    -------
    The files: ``entities.csv``, one ``relations_<kind>.csv`` a kind, one file for each of cases, licences and facts
    with its relations, ``store.csv``, and last ``import.args`` with the options, which is given as
    ``neo4j-admin database import full @import.args`` in the folder. All are written aside and then renamed, that file
    last and its predecessor gone before: a folder that has it is complete.

    Examples
    --------
    >>> import riskgraph as rg, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = rg.stores.write_neo4j_import(rg.datasets.toy_chain(), folder)
    ...     [file.name for file in files]
    ['entities.csv', 'relations_owns.csv', 'store.csv', 'import.args']
    """
    folder = Path(folder)
    frames, columns, latest = pack_graph(graph)
    generation = digest(frames, columns)
    kinds = json.loads(columns)
    numbered = {table: frame.assign(_row=range(len(frame))) for table, frame in frames.items()}
    state = pd.DataFrame({"name": ["graph"], "generation": [generation], "columns": [columns], "latest": [latest]})
    files = [("nodes=RiskgraphEntity", "entities.csv", _nodes(numbered["entities"], kinds["entities"], generation))]
    files += [
        (f"relationships={str(kind).upper()}", f"relations_{kind}.csv", _edges(part, kinds["relations"], generation))
        for kind, part in numbered["relations"].groupby("kind", sort=False)
    ]
    for table in RECORDS:
        if len(frames[table]):
            nodes = _nodes(numbered[table], kinds[table], generation, table)
            ends = {":START_ID": _keys(frames[table]["entity"], generation), ":END_ID": nodes["_key:ID"]}
            files.append(("nodes=RiskgraphRecord", f"{table}.csv", nodes))
            files.append(("relationships=HAS_RECORD", f"{table}_of.csv", pd.DataFrame(ends)))
    files.append(("nodes=RiskgraphStore", "store.csv", state.rename(columns={"name": "name:ID"})))
    options = ["--multiline-fields=true", "--id-type=string", *(f"--{option}={name}" for option, name, _ in files)]
    with replacing_together(folder) as aside:
        for _, name, frame in progress(files, total=len(files), text="files for neo4j-admin", show=show_progress):
            _write(frame, aside(name))
        aside("import.args").write_text("\n".join(options) + "\n", encoding="utf-8")
        (folder / "import.args").unlink(missing_ok=True)
    return [*(folder / name for _, name, _ in files), folder / "import.args"]


def _nodes(frame: pd.DataFrame, kinds: list[Column], generation: str, table: str | None = None) -> pd.DataFrame:
    own = {"_key:ID": _keys(frame["id"], generation, table), "_generation": generation}
    return _typed(frame, kinds).assign(**own if table is None else own | {"_table": table})


def _edges(frame: pd.DataFrame, kinds: list[Column], generation: str) -> pd.DataFrame:
    own = {
        ":START_ID": _keys(frame["source"], generation),
        ":END_ID": _keys(frame["target"], generation),
        "_key": _keys(frame["id"], generation),
        "_generation": generation,
    }
    return _typed(frame, kinds).assign(**own)


def _keys(ids: pd.Series, generation: str, table: str | None = None) -> list[str]:
    return [row_key(generation, id) if table is None else row_key(generation, table, id) for id in ids]


def _typed(frame: pd.DataFrame, kinds: list[Column]) -> pd.DataFrame:
    """Columns with the type in their name that the importer asks for."""
    types = {"truth": "boolean", "integer": "long", "number": "double"}
    names = zip(stored_names(kinds), (types.get(kind, "string") for _, kind, _ in kinds), strict=True)
    return frame.rename(columns={name: f"{name}:{type}" for name, type in (*names, ("_row", "long"))})


def _write(frame: pd.DataFrame, path: Path) -> None:
    """Texts in quotes and empty cells without: to the importer a text of no letters is not an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(",".join(frame.columns.map(_cell)) + "\n")
        for start in range(0, len(frame), LINES):
            cells = [[_cell(value) for value in frame[name].iloc[start : start + LINES]] for name in frame]
            out.writelines(",".join(row) + "\n" for row in zip(*cells, strict=True))


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
