"""What a format cannot hold, counted while a graph is written; and the writing of JSON objects."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from riskgraph._files import write_file

__all__ = ["Losses", "iso_day", "rows_of", "write_objects"]


class Losses:
    """One line for each table, column and reason: how many cells, and the first row it befell."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], tuple[int, str]] = {}

    def add(self, table: str, columns: Iterable[str], row: str, problem: str) -> None:
        """Count cells of one row."""
        for column in columns:
            count, first = self._found.get((table, column, problem), (0, row))
            self._found[table, column, problem] = (count + 1, first)

    def free(self, id: str, table: str, used: set[str]) -> str:
        """An id that nothing else in the file has: a prefix tells apart what only stood in tables of its own."""
        free, prefix = id, table.removesuffix("s")
        while free in used:
            free = f"{prefix}:{free}"
        if free != id:
            self.add(table, ["id"], id, f"something else in the file has this id; written as {prefix}:…")
        used.add(free)
        return free

    def frame(self) -> pd.DataFrame:
        """Columns ``table, column, count, example, problem``, ordered by table and column; empty when all is held."""
        rows = [(*key[:2], *found, key[2]) for key, found in sorted(self._found.items())]
        return pd.DataFrame(rows, columns=["table", "column", "count", "example", "problem"])


def write_objects(path: str | os.PathLike[str], items: Iterable[dict[str, Any]], frame: Literal["", "[]"]) -> None:
    """Write JSON objects one a line, bare or between the brackets of an array, aside first."""

    def write(temporary: Path) -> None:
        with open(temporary, "w", encoding="utf-8", newline="\n") as stream:
            stream.write("[\n" if frame else "")
            for number, item in enumerate(items):
                stream.write(("," if frame else "") + "\n" if number else "")
                stream.write(json.dumps(item, ensure_ascii=False))
            stream.write("\n]\n" if frame else "\n")

    write_file(path, write)


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries without their empty cells."""
    columns = [(str(name), frame[name].astype(object).tolist(), frame[name].notna().tolist()) for name in frame]
    return [{name: cells[row] for name, cells, filled in columns if filled[row]} for row in range(len(frame))]


def iso_day(value: Any) -> str | None:
    """A day as 2016-06-30; None outside the years 1000 to 8999, which readers take for open ends."""
    day = pd.Timestamp(value)
    return day.date().isoformat() if 1000 <= day.year < 9000 else None
