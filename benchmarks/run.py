"""Run every benchmark of this folder at one size; `make bench SIZE=1e5` calls it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HELPERS = {"run.py", "timing.py"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1e4")
    parser.add_argument("--rounds", default="3")
    parser.add_argument("--only", nargs="*", help="names of scripts without .py")
    parser.add_argument("--write", type=Path, help="put the tables into this Markdown page")
    given = parser.parse_args()
    failed, figures = [], []
    for script in sorted(HERE.glob("*.py")):
        if script.name in HELPERS or (given.only and script.stem not in given.only):
            continue
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "figures.json"
            words = [sys.executable, str(script), "--size", given.size, "--rounds", given.rounds, "--json", str(kept)]
            if subprocess.run(words, cwd=HERE, check=False).returncode:
                failed.append(script.name)
            elif kept.exists():
                figures += json.loads(kept.read_text("utf-8"))
    if given.write is not None:
        given.write.write_text(page(figures, given.size), encoding="utf-8")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def page(figures: list[dict[str, Any]], size: str) -> str:
    """The figures as a page: seconds, and how many times as long as ours every other way took."""
    lines = [
        "# How fast",
        "",
        f"Measured on {date.today():%Y-%m-%d} with `make bench SIZE={size}`: {os.cpu_count()} cores, Python "
        f"{platform.python_version()}. The ways of a table took turns in one process, and their results were compared",
        "before any time was taken. Ratios travel between machines, seconds do not.",
    ]
    for figure in figures:
        ours = figure["seconds"][figure["ours"]]
        lines += ["", f"## {figure['title']}", "", "| way | seconds | times ours |", "|---|---:|---:|"]
        for name, seconds in figure["seconds"].items():
            lines.append(f"| {name} | {seconds:.3g} | {seconds / ours:.2f} |")
        rest = {name: value for name, value in figure.items() if name not in ("title", "seconds", "ours")}
        numbers = [f"{name.replace('_', ' ')}: {value:,.4g}" for name, value in rest.items() if _number(value)]
        if numbers:
            lines += ["", "; ".join(numbers)]
    return "\n".join(lines) + "\n"


def _number(value: object) -> bool:
    return isinstance(value, (int, float))


if __name__ == "__main__":
    main()
