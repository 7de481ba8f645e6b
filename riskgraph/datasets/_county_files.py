"""The county as files: CSV, a manifest with hashes, and a README; written and read back without loss."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from riskgraph._files import replacing_together
from riskgraph.datasets._county_story import STORY
from riskgraph.datasets._county_world import World
from riskgraph.errors import InvalidTable
from riskgraph.schema import ENTITY_KINDS

__all__ = ["FOLDER", "describe", "frames", "read_county", "write_county"]

FOLDER = "county"
_NUMBERS = frozenset(
    {
        "capital",
        "share",
        "share_min",
        "share_max",
        "votes_min",
        "votes_max",
        "amount",
        "confidence",
        "severity",
    }
)
_DATED = ("start", "end", "known_from")
COLUMNS: dict[str, tuple[str, ...]] = {
    "entities": (
        "id", "kind", "name", "sector", "status", "registered_in", "operates_in", "scope", "capital", "uscc",
        "birth_year", "start", "end", "source_ref",
    ),
    "relations": (
        "id", "source", "target", "kind", "share", "share_min", "share_max", "votes_min", "votes_max", "amount", "role",
        "confidence", *_DATED, "source_ref",
    ),
    "cases": ("id", "entity", "type", "severity", "authority", "due", "topic", *_DATED),
    "licences": ("id", "entity", "sector", "issuer", "number", "start", "end", "source_ref"),
    "facts": ("id", "entity", "fact", "value", *_DATED, "source_ref"),
    "labels": ("entity", "typology"),
    "schemes": ("scheme", "typology", "entity", "part", "labelled"),
}  # fmt: skip


def frames(world: World) -> dict[str, pd.DataFrame]:
    """Return the tables in a stated order: rows sorted by what they say, not by when they were written."""
    rank = {kind: place for place, kind in enumerate(ENTITY_KINDS)}
    rows: dict[str, list[dict[str, Any]]] = {
        "entities": sorted(world.entities, key=lambda row: (rank[row["kind"]], row["id"])),
        "relations": _numbered("r", world.relations, "start", "kind", "source", "target"),
        "cases": _numbered("c", world.cases, "start", "entity", "type", "authority"),
        "licences": _numbered("l", world.licences, "start", "entity", "sector"),
        "facts": _numbered("f", world.facts, "entity", "fact", "start", "source_ref"),
        "labels": sorted(world.labels, key=lambda row: (row["typology"], row["entity"])),
        "schemes": sorted(world.schemes, key=lambda row: (row["typology"], row["scheme"], row["part"], row["entity"])),
    }
    return {
        name: _frame(name, [[_cell(row.get(column)) for column in COLUMNS[name]] for row in rows[name]])
        for name in rows
    }


def _numbered(letter: str, rows: list[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
    """Sort rows and number them, batch after batch."""
    ordered = sorted(rows, key=lambda row: (row.get("batch", 0), *(str(row.get(key) or "") for key in keys)))
    return [{"id": f"{letter}{place:05d}", **row} for place, row in enumerate(ordered, start=1)]


def _cell(value: Any) -> str:
    """Text of a cell: whole numbers without a point, nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _frame(name: str, rows: list[list[str]]) -> pd.DataFrame:
    """Frame of cells: floats where the column holds numbers, else texts, None where empty."""
    columns: dict[str, Any] = {}
    for place, column in enumerate(COLUMNS[name]):
        cells = [row[place] for row in rows]
        if column in _NUMBERS:
            columns[column] = pd.Series([float(cell) if cell else float("nan") for cell in cells], dtype="float64")
        else:
            columns[column] = pd.Series([cell or None for cell in cells], dtype=object)
    return pd.DataFrame(columns)


# -- files -----------------------------------------------------------------------------------------------------------


def write_county(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Write the CSV files, the README and the manifest: all aside, and only then in their places."""
    contents = {f"{name}.csv": _csv(table) for name, table in tables.items()}
    contents["README.md"] = describe(tables).encode()
    files = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        | ({"rows": len(tables[name[:-4]])} if name.endswith(".csv") else {})
        for name, data in sorted(contents.items())
    }
    manifest = {"name": "county", "licence": "CC0-1.0", "invented": True, "random_state": 2016, "files": files}
    contents["manifest.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
    with replacing_together(folder) as aside:
        for name, data in contents.items():
            aside(name).write_bytes(data)


def _csv(table: pd.DataFrame) -> bytes:
    """UTF-8 with a header, line feeds, and empty cells for what is missing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.itertuples(index=False):
        writer.writerow(["" if cell is None or cell != cell else _cell(cell) for cell in row])
    return out.getvalue().encode()


def read_county(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables back, each file checked against its hash.

    Raises
    ------
    InvalidTable
        A file is missing or is not the one that the manifest names.
    """
    files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    tables = {}
    for name in COLUMNS:
        path = folder / f"{name}.csv"
        data = path.read_bytes() if path.is_file() else b""
        found = hashlib.sha256(data).hexdigest()
        if found != files[path.name]["sha256"]:
            raise InvalidTable(
                f"{path} must have the sha256 {files[path.name]['sha256'][:12]}… of its manifest; got {found[:12]}…; "
                "write the folder anew with: python -m riskgraph.datasets.county FOLDER"
            )
        header, *rows = csv.reader(io.StringIO(data.decode()))
        if tuple(header) != COLUMNS[name]:
            raise InvalidTable(f"{path} must have the columns {', '.join(COLUMNS[name])}; got {', '.join(header)}")
        tables[name] = _frame(name, rows)
    return tables


def describe(tables: dict[str, pd.DataFrame]) -> str:
    """Story, columns, schemes and licence as Markdown, with the counts of the tables."""
    kinds = tables["entities"]["kind"].value_counts()
    counts = {f"n_{kind}": int(kinds.get(kind, 0)) for kind in ENTITY_KINDS}
    counts |= {f"n_{name}": len(tables[name]) for name in ("relations", "cases", "licences", "facts")}
    labels = tables["labels"]["typology"].value_counts()
    counts |= {f"n_{typology}": int(count) for typology, count in labels.items()}
    return STORY.format_map(counts)
