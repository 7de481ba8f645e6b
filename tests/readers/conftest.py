"""A folder of invented tables, and damage that a seed decides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

WAYS = ["lost cell", "extra cell", "stray quote", "bad byte", "zero byte", "share", "date", "kind", "end"]
HEADER = "source,target,kind,share,amount,start,note"


def invented_relations(count: int, seed: int) -> list[str]:
    """Lines of holdings between invented firms f0 … f199, shares small enough never to sum above 1."""
    rng = np.random.default_rng(seed)
    lines = []
    for row in range(count):
        share = rng.integers(1, 9000) / 1e6
        note = ("plain", "", "甲乙，丙", '"a, quoted ""note"""')[row % 4]
        start = np.datetime64("2010-01-01") + int(rng.integers(0, 2000))
        lines.append(
            f"f{rng.integers(100)},f{rng.integers(100, 200)},owns,{share:.6f},{rng.integers(1, 10**7)},{start},{note}"
        )
    return lines


def damaged(lines: list[str], fraction: float, seed: int) -> tuple[list[bytes], dict[int, str]]:
    """The lines as UTF-8, a fraction of them damaged; index of the line → how."""
    rng = np.random.default_rng(seed)
    hit = rng.choice(len(lines), size=round(len(lines) * fraction), replace=False)
    data = [line.encode() for line in lines]
    how: dict[int, str] = {}
    for spot in hit:
        cells = lines[spot].split(",")
        kind = str(rng.choice(WAYS))
        how[int(spot)] = kind
        if kind == "lost cell":
            data[spot] = ",".join(cells[1:]).encode()
        elif kind == "extra cell":
            data[spot] = f"{lines[spot]},more".encode()
        elif kind == "stray quote":
            place = int(rng.integers(0, 6))
            cells[place] = f'"{cells[place]}'
            data[spot] = ",".join(cells).encode()
        elif kind == "bad byte":
            data[spot] = data[spot][:3] + b"\xff\xc3" + data[spot][3:]
        elif kind == "zero byte":
            data[spot] = data[spot][:3] + b"\x00" + data[spot][3:]
        elif kind == "share":
            cells[3] = str(rng.choice(["much", "65%%", "1.7", "-0.2", "∞"]))
            data[spot] = ",".join(cells).encode()
        elif kind == "date":
            cells[5] = str(rng.choice(["2016-02-30", "soon", "2016-13-01"]))
            data[spot] = ",".join(cells).encode()
        elif kind == "kind":
            cells[2] = "0wns"
            data[spot] = ",".join(cells).encode()
        else:
            cells[1] = "f9999"
            data[spot] = ",".join(cells).encode()
    return data, how


@pytest.fixture
def damage() -> Callable[[list[str], float, int], tuple[list[bytes], dict[int, str]]]:
    return damaged


@pytest.fixture
def invented() -> Callable[[int, int], list[str]]:
    return invented_relations


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a fresh folder: texts by name, or bytes."""

    def write(files: dict[str, str | bytes], encoding: str = "utf-8") -> Path:
        for name, text in files.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return tmp_path

    return write
