"""Pathological graphs: a right answer, or a refusal by name, within bounded memory and time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ._pathological import WORLDS

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured the Linux way")
#: the million is asked in a process of its own, so that its memory is not that of the others
LARGE = "star"
#: most memory in use, GB
MOST = {LARGE: 3.0}
SECONDS = 300


def answers(*worlds):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__).with_name("_pathological.py")), *worlds],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return {line["world"]: line for line in map(json.loads, run.stdout.splitlines())}


@pytest.fixture(scope="module")
def found():
    return answers(*(name for name in WORLDS if name != LARGE)) | answers(LARGE)


@pytest.mark.parametrize("world", WORLDS)
def test_the_answer_is_right_and_memory_bounded(found, world):
    answer = found[world]
    assert answer["wrong"] == ""
    assert answer["peak"] < MOST.get(world, 1.0)
