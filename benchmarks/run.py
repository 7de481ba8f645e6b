"""Run every benchmark of this folder at one size; `make bench SIZE=1e5` calls it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HELPERS = {"run.py", "timing.py"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1e4")
    given = parser.parse_args()
    failed = []
    for script in sorted(HERE.glob("*.py")):
        if script.name in HELPERS:
            continue
        result = subprocess.run([sys.executable, str(script), "--size", given.size], cwd=HERE, check=False)
        if result.returncode:
            failed.append(script.name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
