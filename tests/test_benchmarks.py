"""Every benchmark runs with 10,000 companies and finds the results it compares equal. No time is asserted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.py") if path.name not in {"run.py", "timing.py"})
#: Spark works for minutes where the others take seconds
SMALLER = {"spark.py": "1000"}
#: what runs once is better compiled quickly than well
QUICK = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_benchmark_runs(script, tmp_path):
    result = subprocess.run(
        [sys.executable, script, "--size", SMALLER.get(script, "10000"), "--rounds", "1",
         "--json", str(tmp_path / "figures.json")],
        cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, **QUICK},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.strip()
    assert (tmp_path / "figures.json").stat().st_size > 10
