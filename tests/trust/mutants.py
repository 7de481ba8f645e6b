"""Mutation testing: ``python tests/trust/mutants.py [--sample N] [--seed S] [--minutes M] [PACKAGE …]``.

A mutant is the package with one operator, number or condition changed. Each of a random sample is put in a copy of the
checkout and must be noticed by the examples in its own file or the test files of its package that concern it, all of
them where none is named like it; a mutant that passes is a survivor, to be looked at: a test is missing, or the change
means the same. Every verdict is printed as it comes, so that a run may be stopped at any time.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
#: what is mutated → the tests that must notice
TESTS = {
    "ownership": ["tests/ownership"],
    "risk": ["tests/risk"],
    "nesting": ["tests/nesting"],
    "tables.py": ["tests/test_tables.py", "tests/test_graph.py", "tests/trust/test_survivors.py"],
}
#: module without tests of its own name → words in the names of the test files of what is built on it
NEAR = {
    "_arcs": "cascade explain", "_balance": "contagion", "_messages": "cascade kernels", "_paths": "cascade integrated",
    "_sentences": "explain", "_ties": "cascade", "_walks": "contagion diffusion pagerank", "_worlds": "cascade",
    "base": "contract", "clearing": "contagion", "_columns": "integrated bounds", "_fixpoint": "control",
    "_holdings": "integrated control", "_measures": "beneficial", "_packs": "beneficial", "_power": "voting",
    "_rings": "integrated bounds", "_spread": "integrated bounds", "_values": "integrated bounds",
    "_verdicts": "control beneficial", "controllers": "control groups", "links": "close", "integrated": "bounds dense",
    "explain": "contract", "why_not": "proofs explain",
}  # fmt: skip
#: no shrinking and no memory of failures: that a test fails is all that is asked
_HYPOTHESIS = """

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutants",
    phases=[Phase.explicit, Phase.generate],
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutants")
"""
_SWAPS: dict[type, tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.In: ("in", "not in"), ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"),
    ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum"}


class Mutant(NamedTuple):
    """A stretch of a file, and what is put there instead."""

    file: str
    line: int
    begin: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.old} → {self.new}"


def mutants(file: Path, root: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its text."""
    raw = file.read_bytes()
    starts = [0]
    for line in raw.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)

    def spot(line: int, column: int) -> int:
        return starts[line - 1] + column

    def between(left: ast.AST, right: ast.AST, old: str, new: str) -> Iterator[Mutant]:
        begin, end = spot(left.end_lineno, left.end_col_offset), spot(right.lineno, right.col_offset)
        at = raw.find(old.encode(), begin, end)
        if at >= 0:
            yield Mutant(file.relative_to(root).as_posix(), left.end_lineno, at, at + len(old), old, new)

    tree = ast.parse(raw)
    skipped = {id(inner) for node in ast.walk(tree) for inner in _typing(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.BinOp) and type(node.op) in _SWAPS:
            yield from between(node.left, node.right, *_SWAPS[type(node.op)])
        elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _SWAPS:
            yield from between(node.left, node.comparators[0], *_SWAPS[type(node.ops[0])])
        elif isinstance(node, ast.BoolOp):
            yield from between(node.values[0], node.values[1], *_SWAPS[type(node.op)])
        else:
            found = _replaced(node)
            if found:
                at = spot(node.lineno, node.col_offset)
                yield Mutant(file.relative_to(root).as_posix(), node.lineno, at, at + len(found[0]), *found)


def _replaced(node: ast.AST) -> tuple[str, str] | None:
    """A node that is replaced from its first letter on."""
    if isinstance(node, ast.Constant) and type(node.value) in (bool, int):
        return str(node.value), str(not node.value) if isinstance(node.value, bool) else str(node.value + 1)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return "not ", ""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        return "~", ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        return node.func.id, _CALLS[node.func.id]
    return None


def _typing(node: ast.AST) -> Iterator[ast.AST]:
    """Parts that do not run: annotations."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns:
        yield from ast.walk(node.returns)
    annotation = getattr(node, "annotation", None)
    if annotation is not None:
        yield from ast.walk(annotation)


def concerned(copy: Path, mutant: Mutant, tests: list[str], *, all: bool) -> list[str]:
    """The examples of the changed file and the test files that concern it; then, if asked for, all others."""
    files = []
    for test in tests:
        files += [copy / test] if test.endswith(".py") else sorted((copy / test).glob("**/test_*.py"))
    stem = Path(mutant.file).stem
    words = {*stem.strip("_").split("_"), *NEAR.get(stem, "").split()}
    near = [file for file in files if words & set(file.stem.split("_"))]
    chosen = [*near, *(file for file in files if file not in near)] if all or not near else near
    return [mutant.file, *(file.relative_to(copy).as_posix() for file in chosen)]


def run(copy: Path, tests: list[str], seconds: int) -> str:
    """What the tests say: ``killed``, ``survived`` or, after so many seconds of a processor, ``timeout``."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        command,
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5)),
        check=False,
    )
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "timeout"
    if done.returncode > 2:  # not of the tests; below zero the process itself died of the mutant
        raise RuntimeError(done.stdout.decode("utf-8", "replace")[-2000:])
    return "survived" if done.returncode == 0 else "killed"


def spent() -> float:
    """Seconds of a processor that the children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=600.0)
    parser.add_argument("--tests", nargs="*", help="run these tests instead of those of the package")
    parser.add_argument(
        "--sound", action="store_true", help="spare the first run, without a mutant: it is known to pass"
    )
    parser.add_argument("--all", action="store_true", help="all tests of the package, not only the files concerned")
    parser.add_argument("--again", type=Path, help="only what the kept output of an earlier run calls survived")
    parser.add_argument("package", nargs="*", default=list(TESTS))
    given = parser.parse_args()
    until = time.monotonic() + 60 * given.minutes
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place)
        for name in ("riskgraph", "tests", "datasets", "docs"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "setup.cfg"):
            shutil.copy(ROOT / name, copy / name)
        with open(copy / "tests" / "conftest.py", "a", encoding="utf-8") as conftest:
            conftest.write(_HYPOTHESIS)
        tests, limit, all_mutants = {}, {}, []
        for package in given.package:
            tests[package] = given.tests or TESTS[package]
            begin = spent()
            if given.sound:
                limit[package] = 150
            elif run(copy, tests[package], 3600) == "survived":
                limit[package] = int(10 + 3 * (spent() - begin))
            else:
                raise RuntimeError(f"the tests of {package} fail without a mutant")
            home = copy / "riskgraph" / package
            for file in [home] if home.is_file() else sorted(home.rglob("*.py")):
                all_mutants += [(package, mutant) for mutant in mutants(file, copy)]
        if given.again:
            left = {line.removeprefix("survived: ") for line in given.again.read_text("utf-8").splitlines()}
            all_mutants = [(package, mutant) for package, mutant in all_mutants if str(mutant) in left]
        sample = random.Random(given.seed).sample(all_mutants, min(given.sample, len(all_mutants)))
        outcome: Counter[str] = Counter()
        for package, mutant in sample:
            if time.monotonic() > until:
                break
            file = copy / mutant.file
            raw = file.read_bytes()
            file.write_bytes(raw[: mutant.begin] + mutant.new.encode() + raw[mutant.end :])
            try:
                said = run(copy, concerned(copy, mutant, tests[package], all=given.all), limit[package])
            finally:
                file.write_bytes(raw)
            outcome[said] += 1
            sys.stdout.write(f"{said}: {mutant}\n")
            sys.stdout.flush()
        sys.stdout.write(f"{len(all_mutants):,} mutants, {sum(outcome.values())} tried: {dict(outcome)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
