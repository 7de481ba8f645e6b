"""Writers stopped at random moments: ``python _faults.py FOLDER ROUNDS``, a line of JSON for each kind of output.

A child writes two versions of an output in turn, over and over, until it is killed or interrupted; then every file must
be one of the two, whole, and a folder with files of both must be noticed when it is read.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

import pandas as pd

import riskgraph as rg
from riskgraph.evidence import answer
from riskgraph.privacy import share_case
from riskgraph.readers import write_tables
from riskgraph.report import page, write_table

KEY = b"an invented key, only for tests"


def graph(size):
    ids = [f"c{spot}" for spot in range(size)]
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company", "name": ["a name to fill the file " * 3] * size}),
        pd.DataFrame({"source": ids[:-1], "target": ids[1:], "kind": "owns", "share": 0.5}),
    )


def writers():
    """Kind → what is written, and how, for a version 0 or 1 into a folder."""
    graphs = [graph(200), graph(300)]
    frames = [made.entities for made in graphs]
    answers = [answer(made, "close_links") for made in graphs]
    return {
        "table.csv": lambda version, place: write_table(frames[version], place / "table.csv"),
        "page.html": lambda version, place: page(graphs[version], place / "page.html", max_nodes=30 + version),
        "answer.json": lambda version, place: answers[version].save(place / "answer.json"),
        "tables": lambda version, place: write_tables(graphs[version], place),
        "case": lambda version, place: share_case(graphs[version], f"c{5 + version}", 2, key=KEY, path=place),
    }


def whole(place):
    """Name → hash of every file that is not put aside."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.iterdir())
        if not path.name.startswith(".")
    }


def child(write, place, limit):
    """Write for ever; also where the tests were started in the background, with interrupts ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for number in itertools.count():
            write(number % 2, place)
    except BaseException:
        os._exit(7)


def torn(place, versions):
    """Files that are neither version."""
    return [name for name, digest in whole(place).items() if digest not in {known.get(name) for known in versions}]


def stop(process, how):
    """Wait for the end of a child; a signal that came before it could hear is sent again."""
    sent = 0.0
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        if how is not None and time.monotonic() - sent > 5:
            os.kill(process, how)
            sent = time.monotonic()
        time.sleep(0.01)


def main(folder, rounds):
    rng = random.Random(0)
    for kind, write in writers().items():
        place = Path(folder) / kind.replace(".", "-")
        place.mkdir()
        versions = []
        for version in (1, 0):
            begin = time.perf_counter()
            write(version, place)
            took = time.perf_counter() - begin
            versions.append(whole(place))
        found = {"kind": kind, "rounds": 0, "torn": [], "mixed": 0, "unnoticed": 0, "left": 0}
        for number in range(rounds):
            how = (signal.SIGKILL, signal.SIGINT, None)[number % 3]
            process = os.fork()
            if process == 0:
                child(write, place, 64 if how is None else 0)
            time.sleep(rng.uniform(0, 3 * took))
            stop(process, how)
            found["rounds"] += 1
            found["torn"] += torn(place, versions)
            if whole(place) not in versions:
                found["mixed"] += 1
                found["unnoticed"] += "tables.json" in whole(place) and rg.read(place).quality.empty
            left = [path for path in place.iterdir() if path.name.startswith(".")]
            found["left"] += len(left)
            if how is None and left:
                found["torn"] += [path.name for path in left]
            for path in left:
                path.unlink()
        write(1, place)
        found["repeated"] = whole(place) == versions[0]
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
