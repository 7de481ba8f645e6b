"""A small coverage-guided fuzzer: ``python tests/trust/fuzz.py [--inputs N] [--seed S] [--keep FOLDER] [TARGET …]``.

Inputs begin with sound ones and are changed at random; one that reaches a line of riskgraph which none before it did is
changed further. An error of riskgraph's own is an answer; any other exception is a crash, and is printed with the line
it came from. The number of inputs and the seed fix the run.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import NamedTuple

import riskgraph as rg

PACKAGE = str(Path(rg.__file__).parent)
#: longest input, in bytes: what is wrong with long ones is another question, see the tests of limits
LONGEST = 20_000
_ODD = [
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xd2", b"\r", b"\n", b'"', b"'", b",", b"\t", b"{", b"}", b"[", b"]",
    b":", b"- ", b"&a ", b"*a", b"!!python/object/apply:os.system [x]", b"<<: ", b"null", b"true", b"~", b"nan", b"inf",
    b"-1", b"1e309", b"9" * 40, b"0x1f", b"1_000", b"%", b"=1+1", b"../../x", b"C:\\x", b"2016-02-30", b"0000-00-00",
    b"99999-01-01", "比例".encode(), "（".encode(), "٣".encode(), "\u202e".encode(), b"\xed\xa0\x80", b"{}", b"[]",
    b"[[[[[[[[", b'{"a":' * 20, b"\\u0000", b"\\ud800", b"---\n", b"%YAML 9.9\n", b"<script>", b"$x", b"`id`",
]  # fmt: skip


class Result(NamedTuple):
    """What came of one target."""

    target: str
    inputs: int
    refused: int
    lines: int
    kept: int
    #: place of the crash → exception and the first input that led there
    crashes: dict[str, tuple[str, bytes]]


def changed(data: bytes, pool: list[bytes], rng: random.Random) -> bytes:
    """An input after one to four random changes."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4))):
        place, other = rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)
        low, high = min(place, other), min(max(place, other), min(place, other) + rng.choice((1, 4, 40)))
        kind = rng.randrange(8)
        if kind == 0 and data:
            place %= len(data)
            data = data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]
        elif kind == 1:
            data = data[:low] + data[high:]
        elif kind == 2:
            data = data[:low] + data[low:high] * rng.choice((2, 3, 30)) + data[high:]
        elif kind == 3:
            data = data[:place] + rng.choice(_ODD) + data[place:]
        elif kind == 4:
            second = rng.choice(pool)
            data = data[:place] + second[rng.randrange(len(second) + 1) :]
        elif kind == 5:
            data = _word(data, rng, _ODD)
        elif kind == 6:
            words = re.findall(rb"[\w.-]+", rng.choice(pool)) or [b""]
            data = _word(data, rng, words)
        else:
            rows = data.split(b"\n")
            rng.shuffle(rows)
            data = b"\n".join(rows)
    return data[:LONGEST]


def _word(data: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """One word of the input replaced by another."""
    words = list(re.finditer(rb"[^\s,:\"\[\]{}]+", data))
    if not words:
        return data
    word = rng.choice(words)
    return data[: word.start()] + rng.choice(others) + data[word.end() :]


class _Lines:
    """Lines of riskgraph that were reached; the threads of a database are not followed."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()
        self.new = False

    def __call__(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        return self.line

    def line(self, frame, event, argument):
        spot = (frame.f_code.co_filename, frame.f_lineno)
        if spot not in self.seen:
            self.seen.add(spot)
            self.new = True
        return self.line


def fuzz(name: str, target, inputs: int, seed: int, *, guided: bool = True) -> Result:
    """Feed one target; unguided is some ten times faster."""
    rng = random.Random(f"{name} {seed}")
    pool, lines, refused = list(target.seeds), _Lines(), 0
    crashes: dict[str, tuple[str, bytes]] = {}
    before = sys.gettrace()
    for number in range(inputs):
        data = target.seeds[number] if number < len(target.seeds) else changed(rng.choice(pool), pool, rng)
        folder = Path(tempfile.mkdtemp())
        lines.new = False
        if guided:
            sys.settrace(lines)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                target.feed(data, folder)
        except rg.RiskGraphError:
            refused += 1
        except Exception as error:
            sys.settrace(before)
            crashes.setdefault(_place(error), (f"{type(error).__name__}: {error}"[:200], data))
        finally:
            sys.settrace(before)
            shutil.rmtree(folder)
        if lines.new:
            pool.append(data)
    return Result(name, inputs, refused, len(lines.seen), len(pool), crashes)


def _place(error: BaseException) -> str:
    """Deepest line of riskgraph that the exception went through."""
    steps = [step for step in traceback.extract_tb(error.__traceback__) if step.filename.startswith(PACKAGE)]
    step = steps[-1] if steps else traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(step.filename).relative_to(Path(PACKAGE).parent) if steps else step.filename}:{step.lineno}"


def main() -> int:
    sys.path.insert(0, str(Path(__file__).parent))
    from _targets import targets

    known = targets()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the inputs that crash")
    parser.add_argument("target", nargs="*", default=list(known))
    given = parser.parse_args()
    found = 0
    for name in given.target:
        begin = time.perf_counter()
        result = fuzz(name, known[name], given.inputs, given.seed)
        found += len(result.crashes)
        sys.stdout.write(
            f"{name}: {result.inputs:,} inputs, {result.refused:,} refused, {result.lines:,} lines reached, "
            f"{result.kept} inputs kept, {len(result.crashes)} crashes, {time.perf_counter() - begin:.0f} s\n"
        )
        for number, (place, (what, data)) in enumerate(result.crashes.items()):
            sys.stdout.write(f"  {place}: {what}\n")
            if given.keep:
                given.keep.mkdir(parents=True, exist_ok=True)
                (given.keep / f"{name}-{number}").write_bytes(data)
        sys.stdout.flush()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
