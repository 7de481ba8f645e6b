"""Lines and branches that tests reached, by package: ``python covered.py coverage.json``, as a table of Markdown.

The file is what ``coverage json`` writes; ``make coverage`` does all of it.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

COUNTS = ("covered_lines", "num_statements", "covered_branches", "num_branches")


def table(files: dict[str, dict]) -> list[str]:
    """A row for each package and for the modules beside them, and one for all."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for name, about in files.items():
        folder = Path(name).parent.name if len(Path(name).parts) == 2 else Path(name).parts[1]
        for count in COUNTS:
            for row in ("core" if folder == "riskgraph" else folder, "all"):
                sums[row][count] += about["summary"][count]
    order = sorted(sums, key=lambda row: (row == "all", row))
    rows = ["| package | lines | reached, % | branches | reached, % |", "|---|---:|---:|---:|---:|"]
    for row in order:
        lines, statements, taken, branches = sums[row].values()
        share = [100 * part / whole if whole else 100.0 for part, whole in ((lines, statements), (taken, branches))]
        rows.append(f"| {row} | {statements:,} | {share[0]:.1f} | {branches:,} | {share[1]:.1f} |")
    return rows


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text("utf-8"))["files"]
    sys.stdout.write("\n".join(table(found)) + "\n")
