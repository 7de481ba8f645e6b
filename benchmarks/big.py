"""A national register from files to explanations: seconds and peak memory of every stage, told as it goes.

``python big.py --size 1e7 --folder /somewhere/large`` is ten million companies, thirteen million persons and about 58
million relations. Tables of more than ``--block`` companies are generated block by block, so that no more than one
block is in memory; then no relation leads from one block to another. A table that is there already is not generated
again. Every stage is written to the JSON as soon as it is over. What a stage keeps on the graph is let go before one
that has no use for it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from timing import keep

import riskgraph as rg
from riskgraph.nesting import NestingScorer
from riskgraph.ownership.integrated import integrated_pairs

#: entities explained: the top thousandth, at least ten and at most this many
EXPLAINED = 1_000
OWNERS = 1_000
#: the stage that works in other processes
GENERATE = "generate to Parquet"
#: columns that hold ids of entities
NAMED = {"id", "source", "target", "entity"}


def generate(folder: Path, number: int, companies: int) -> None:
    """One block of the register as Parquet; ids carry the number of their block."""
    for name, frame in rg.datasets.make_registry(companies, random_state=number + 1, as_tables=True).items():
        for column in sorted(NAMED & set(frame)):
            frame[column] = f"{number}:" + frame[column].astype(str)
        parts = folder / f"{name}.parquet"
        parts.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(parts / f"{number}.parquet", index=False)
    (folder / f"{number}.done").touch()


def generate_all(folder: Path, companies: int, block: int) -> int:
    """Generate the blocks that are missing, each in a process of its own; bytes of all files."""
    sizes = [min(block, companies - begin) for begin in range(0, companies, block)]
    for number, size in enumerate(sizes):
        if not (folder / f"{number}.done").exists():
            print(f"    block {number + 1} of {len(sizes)}: {size:,} companies", flush=True)
            child = multiprocessing.get_context("spawn").Process(target=generate, args=(folder, number, size))
            child.start()
            child.join()
            if child.exitcode:
                raise SystemExit(f"block {number} was not generated")
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


class Peak:
    """Most memory this process held since it was asked before, in megabytes of a million bytes."""

    def __init__(self) -> None:
        self.resets = Path("/proc/self/clear_refs")
        self.status = Path("/proc/self/status")

    def begin(self) -> None:
        """Start anew, where the system can."""
        if self.resets.exists():
            self.resets.write_text("5")

    def now(self) -> float:
        """The peak; without /proc that since the process began."""
        if self.status.exists():
            line = next(line for line in self.status.read_text().splitlines() if line.startswith("VmHWM"))
            return int(line.split()[1]) * 1024 / 1e6
        return _megabytes(resource.RUSAGE_SELF)


def _megabytes(who: int) -> float:
    return resource.getrusage(who).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1e7, help="companies")
    parser.add_argument("--block", type=float, default=1e6, help="companies generated at once")
    parser.add_argument("--folder", type=Path, help="where the Parquet files are kept; else they are thrown away")
    parser.add_argument("--rounds", type=int, default=1, help="as the other scripts have it; every stage runs once")
    parser.add_argument("--json", type=Path, help="also keep the figures here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        folder = (given.folder or Path(spare)) / f"registry_{int(given.size)}"
        run(int(given.size), int(given.block), folder, given.json)


def run(size: int, block: int, folder: Path, kept: Path | None) -> None:
    """All stages in their order."""
    seconds: dict[str, float] = {}
    peaks: dict[str, float] = {}
    numbers: dict[str, float] = {}
    peak = Peak()

    def stage(name: str, work: Callable[[], Any]) -> Any:
        print(f"  {name} …", flush=True)
        peak.begin()
        began = time.perf_counter()
        found = work()
        seconds[name] = time.perf_counter() - began
        peaks[name] = _megabytes(resource.RUSAGE_CHILDREN) if name == GENERATE else peak.now()
        print(f"  {name}: {seconds[name]:,.1f} s, peak {peaks[name]:,.0f} MB", flush=True)
        figure = {"title": f"the whole way, {size:,} companies", "seconds": seconds, "ours": "from files to graph"}
        keep(kept, [{**figure, "peak_megabytes_by_stage": peaks, **numbers}])
        return found

    bytes_ = stage(GENERATE, lambda: generate_all(folder, size, block))
    numbers["gigabytes_of_parquet"] = bytes_ / 1e9

    graph = stage("from files to graph", lambda: rg.readers.read_tables(folder))
    numbers |= {"entities": len(graph), "relations_in_force": len(graph.columns)}
    numbers["bytes_a_relation"] = graph.nbytes / max(len(graph._store), 1)
    graph.forget()

    def risk() -> None:
        model = stage("cascade, both bounds", lambda: rg.risk.RiskCascade().fit(graph))
        report = stage("ranking with reasons", lambda: model.report(n=max(10, min(EXPLAINED, size // 1_000))))
        entities = report["entity"].tolist()
        stage(f"explain {len(entities):,}, three paths each", lambda: [model.explain(entity) for entity in entities])

    risk()
    graph.forget()
    top = stage("ultimate controllers", lambda: rg.ownership.ultimate_controllers(graph))
    numbers["controllers_found"] = len(top)
    del top
    graph.forget()
    persons = np.flatnonzero(graph.kinds == rg.schema.ENTITY_KINDS.index("person"))
    owners = np.sort(np.random.default_rng(0).choice(persons, min(OWNERS, persons.size), replace=False))
    pairs = stage(f"integrated ownership of {owners.size:,} persons", lambda: integrated_pairs(graph, owners))
    numbers["shares_found"] = pairs.owner.size
    del pairs
    graph.forget()
    stage("nesting scores", lambda: NestingScorer().fit(graph))


if __name__ == "__main__":
    main()
