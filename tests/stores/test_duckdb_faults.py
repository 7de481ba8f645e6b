"""The embedded file when something goes wrong: killed writers, full disks, other programs, other files."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.stores import DuckDBStore


def rows(name, n=1500):
    ids = [f"E{i}" for i in range(n)]
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company", "name": name}),
        pd.DataFrame({"source": ids[:-1], "target": ids[1:], "kind": "owns"}),
    )


#: forks a child for every line it is given; the child writes two graphs in turn, and says so, until it is killed
WRITERS = """
import os, sys
import duckdb, pandas as pd, riskgraph as rg
from riskgraph.stores import DuckDBStore

ids = [f"E{i}" for i in range(1500)]
both = [
    rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company", "name": name}),
        pd.DataFrame({"source": ids[:-1], "target": ids[1:], "kind": "owns"}),
    )
    for name in "ab"
]
for line in sys.stdin:
    child = os.fork()
    if not child:
        os.write(1, f"{os.getpid()}\\n".encode())
        while True:
            for graph in both:
                os.write(1, b"begun\\n")
                DuckDBStore(sys.argv[1]).write(graph)
    os.waitpid(child, 0)
    os.write(1, b"gone\\n")
"""


WHOLE = """
SELECT (SELECT count(*) FROM entities), (SELECT count(*) FROM relations), (SELECT count(DISTINCT name) FROM entities),
       (SELECT count(*) FROM about)
"""


def test_never_torn_by_kill_9(tmp_path, record_property):
    """Twenty kills at any moment of a write: the file holds one of the graphs whole, every time."""
    import duckdb

    path = tmp_path / "g.duckdb"
    for _ in range(2):
        began = time.perf_counter()
        DuckDBStore(path).write(rows("first"))
        one_write = time.perf_counter() - began
    script = tmp_path / "writers.py"
    script.write_text(textwrap.dedent(WRITERS))
    command = [sys.executable, "-W", "ignore", str(script), str(path)]
    rng = np.random.default_rng(0)
    names, halves = set(), 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writers:
        for _ in range(20):
            writers.stdin.write("next\n")
            writers.stdin.flush()
            child = int(writers.stdout.readline())
            for _ in range(rng.integers(1, 4)):
                assert writers.stdout.readline() == "begun\n"
            time.sleep(1.2 * one_write * rng.random())
            os.kill(child, signal.SIGKILL)
            assert [line for line in iter(writers.stdout.readline, "gone\n") if line != "begun\n"] == []
            halves += path.with_name("g.duckdb.wal").exists()
            with duckdb.connect(str(path)) as raw:
                assert raw.execute(WHOLE).fetchone() == (1500, 1499, 1, 1)
                names.add(raw.execute("SELECT any_value(name) FROM entities").fetchone()[0])
    record_property("kills that left a log", halves)
    assert names - {"first"}, "no writer came to a second write"
    assert set(DuckDBStore(path).read().entities["name"]) <= {"a", "b"}
    DuckDBStore(path).write(rows("last"))
    assert set(DuckDBStore(path).read().entities["name"]) == {"last"}


HOLDER = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"


def test_who_holds_the_file_is_named(tmp_path, small, same):
    path = tmp_path / "g.duckdb"
    DuckDBStore(path).write(small)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        words = rf"g\.duckdb is in use by \S*python\S* \(process {holder.pid}.*\); close it there and try again"
        for call in (
            DuckDBStore(path).read,
            lambda: DuckDBStore(path).write(small),
            lambda: DuckDBStore(path).results("r"),
        ):
            with pytest.raises(rg.StoreUnavailable, match=words):
                call()
    finally:
        holder.kill()
        holder.communicate()
    same(DuckDBStore(path).read(), small)


READER = """
import duckdb, sys, time
c = duckdb.connect(sys.argv[1], read_only=True)
print("held", flush=True)
time.sleep(60)
"""


def test_readers_share_the_file(tmp_path, small, same):
    path = tmp_path / "g.duckdb"
    DuckDBStore(path).write(small)
    reader = subprocess.Popen([sys.executable, "-c", READER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert reader.stdout.readline() == "held\n"
        same(DuckDBStore(path).read(), small)
        with pytest.raises(rg.StoreUnavailable, match=rf"process {reader.pid}"):
            DuckDBStore(path).write(small)
    finally:
        reader.kill()
        reader.communicate()


def test_the_file_is_free_between_calls(tmp_path, small):
    """Another program can write while a store is open, and this process is told of its own connections."""
    import duckdb

    with DuckDBStore(tmp_path / "g.duckdb") as store:
        store.write(small)
        with duckdb.connect(str(store.path)) as other:
            assert other.execute("SELECT count(*) FROM entities").fetchone() == (len(small),)
            with pytest.raises(rg.StoreUnavailable, match="in use by another connection of this process; close it"):
                store.read()
        assert len(store.read()) == len(small)


def test_threads_take_turns(tmp_path, small):
    path, found = tmp_path / "g.duckdb", []
    DuckDBStore(path).write(small)

    def work(number):
        if number % 2:
            DuckDBStore(path).write(small)
        found.append(len(DuckDBStore(path).read()))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [len(small)] * 5


@pytest.fixture
def little_disk(tmp_path):
    """A folder on a file system of 4 MB."""
    folder = tmp_path / "little"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system; the limit on the size of a file is tested instead")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk(little_disk, small, same):
    store = DuckDBStore(little_disk / "g.duckdb")
    store.write(small)
    with pytest.raises(rg.StoreUnavailable, match=r"g\.duckdb could not be written: the disk is full; what it held"):
        store.write(incompressible())
    same(store.read(), small)
    store.write(rows("after", 10))
    assert len(store.read()) == 10


def incompressible():
    """About 8 MB of names."""
    rng = np.random.default_rng(0)
    names = [rng.bytes(400).hex() for _ in range(10_000)]
    ids = [str(i) for i in range(10_000)]
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company", "name": names}),
        pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object),
    )


def test_limit_on_the_size_of_files(tmp_path, small, same):
    """As on a full disk, where nothing can be mounted: the operating system stops the file at 4 MB."""
    store = DuckDBStore(tmp_path / "g.duckdb")
    store.write(small)
    graph, before = incompressible(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, before[1]))
    try:
        with pytest.raises(
            rg.StoreUnavailable, match=r"g\.duckdb could not be written: the disk is full; what it held"
        ):
            store.write(graph)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    same(store.read(), small)
    store.write(graph)
    same(store.read(), graph)


def test_other_files_are_refused(tmp_path, small):
    path = tmp_path / "g.duckdb"
    path.write_text("not a database" * 500)
    with pytest.raises(rg.StoreUnavailable, match=r"g\.duckdb cannot be used as a store: .*not a valid DuckDB"):
        DuckDBStore(path).read()
    assert path.read_text() == "not a database" * 500
    for place in (path / "below-a-file.duckdb", tmp_path):
        with pytest.raises(rg.StoreUnavailable, match=f"{place} cannot be used as a store"):
            DuckDBStore(place).write(small)


def test_form_of_the_file_and_no_extensions(tmp_path, small):
    """The file has the pinned form, and nothing is looked for on the network."""
    import duckdb

    from riskgraph.stores.duckdb import ATTACH_TO_READ

    store = DuckDBStore(tmp_path / "g.duckdb")
    store.write(small)
    with duckdb.connect(str(store.path), read_only=True) as raw:
        (tags,) = raw.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'g'").fetchone()
        assert tags["storage_version"].startswith("v1.2.0")
    with store._open(ATTACH_TO_READ) as connection:
        for name in ("autoinstall_known_extensions", "autoload_known_extensions"):
            assert connection.execute("SELECT current_setting(?)", [name]).fetchone() == (False,)
