"""A real Neo4j for the tests: the one named in the environment, else one started from its published Java artifacts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.stores import Neo4jStore, write_neo4j_import
from riskgraph.stores._rows import union

VERSION = "5.26.25"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>riskgraph.test</groupId><artifactId>neo4j-libs</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>{VERSION}</version></dependency>
<dependency><groupId>org.neo4j</groupId><artifactId>neo4j-bolt</artifactId><version>{VERSION}</version></dependency>
<dependency><groupId>org.neo4j.app</groupId><artifactId>neo4j-server</artifactId><version>{VERSION}</version></dependency>
</dependencies></project>
"""
SETTINGS = """server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled=true
dbms.security.auth_minimum_password_length=1
dbms.usage_report.enabled=false
server.memory.pagecache.size=64m
"""
#: what the tests need is done before the second compiler would have paid
OPENS = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
JAVA = [
    "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
    *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENS),
]  # fmt: skip
PASSWORD = "geheim-123"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A Neo4j process on loopback that can be killed and started again on the same files."""

    def __init__(self, libraries: Path, home: Path) -> None:
        self.libraries, self.home, port = libraries, home, free_port()
        (home / "conf").mkdir(parents=True)
        (home / "conf" / "neo4j.conf").write_text(SETTINGS.format(port=port))
        self.uri, self.auth = f"bolt://127.0.0.1:{port}", ("neo4j", PASSWORD)
        self.process: subprocess.Popen | None = None

    def run(self, main: str, *words: str, folder: Path) -> subprocess.CompletedProcess:
        """Run another program of the server's jars on its files, in a folder."""
        return subprocess.run(
            ["java", *JAVA, "-cp", f"{self.libraries}/*", main, *words],
            env={**os.environ, "NEO4J_HOME": str(self.home), "NEO4J_CONF": str(self.home / "conf")},
            cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    def start(self):
        log = self.home / "out.log"
        with log.open("w") as out:
            self.process = subprocess.Popen(
                ["java", *JAVA, "-cp", f"{self.libraries}/*", "org.neo4j.server.CommunityEntryPoint",
                 f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}", "--console-mode"],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        for _ in range(1200):
            if "Started." in log.read_text(errors="replace"):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"Neo4j did not start: {log.read_text(errors='replace')[-800:]}")

    def first_password(self):
        """A new server takes only a change of its first password."""
        from neo4j import GraphDatabase

        with (
            GraphDatabase.driver(self.uri, auth=("neo4j", "neo4j")) as driver,
            driver.session(database="system") as made,
        ):
            made.run("ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $new", new=PASSWORD).consume()
        return self

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Given:
    """A server that somebody else runs; its graph may be overwritten."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.auth = (os.environ.get("RISKGRAPH_NEO4J_USER", "neo4j"), os.environ.get("RISKGRAPH_NEO4J_PASSWORD", ""))


def without(reason):
    """Skip, or fail where a run must not go without a server, as in CI."""
    if os.environ.get("RISKGRAPH_NEEDS_NEO4J"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def neo4j_libraries():
    """Folder with the server's jars, fetched once and kept in the user's cache."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        without("needs Maven and Java 17 to start a Neo4j server, or RISKGRAPH_NEO4J_URI")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "riskgraph-tests" / f"neo4j-{VERSION}"
    if not (cache / "complete").exists():
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "pom.xml").write_text(POM)
        result = subprocess.run(
            ["mvn", "-B", "-q", "-f", str(cache / "pom.xml"), "dependency:copy-dependencies", "-DincludeScope=runtime",
             f"-DoutputDirectory={cache / 'lib'}"],
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if result.returncode:
            without(f"Maven could not fetch the Neo4j server: {result.stdout[-300:]}")
        (cache / "complete").touch()
    return cache / "lib"


@pytest.fixture(scope="session")
def own_neo4j(request, tmp_path_factory, county, small):
    """A server of the tests' own, which they may kill and start again.

    Before its first start ``neo4j-admin`` fills it; what it said, and what a store then read, is kept for a test.
    """
    folder = tmp_path_factory.mktemp("neo4j")
    server = Server(request.getfixturevalue("neo4j_libraries"), folder / "home")
    server.graph = rg.EntityGraph.from_tables(**union(county, small))
    write_neo4j_import(server.graph, folder, show_progress=False)
    server.said = server.run("org.neo4j.cli.AdminTool", "database", "import", "full", "@import.args", folder=folder)
    try:
        server.start().first_password()
        with Neo4jStore(server.uri, auth=server.auth, show_progress=False) as store:
            server.read = store.read()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def any_neo4j(request):
    """Address and credentials of a server whose content the tests may overwrite, and what it says it is."""
    from neo4j import GraphDatabase

    given = os.environ.get("RISKGRAPH_NEO4J_URI")
    server = Given(given) if given else request.getfixturevalue("own_neo4j")
    with GraphDatabase.driver(server.uri, auth=server.auth) as driver:
        row = driver.execute_query("CALL dbms.components() YIELD name, versions, edition").records[0]
    server.words = f"{row['name']} {row['versions'][0]} {row['edition']}, " + (
        "named by RISKGRAPH_NEO4J_URI" if given else "started from its Java artifacts"
    )
    return server


@pytest.fixture
def neo4j(any_neo4j, record_property):
    """The server of this run; the run's summary says which it was."""
    record_property("server", any_neo4j.words)
    return any_neo4j


HOSTILE = [
    'O\'Brien "& Söhne"',
    "x'}) DETACH DELETE n //",
    "\\u0027 RETURN 1; DROP TABLE entities; --",
    "\u202egnp.exe\u200b",
    "甲" * 3500 + "'",
    "a\nb\tc\r",
    "\x00\x01\x1f\x7f\x85",
    "${x} `tick` $day",
]


@pytest.fixture(scope="session")
def hostile():
    """Names that break what is glued together from text; two are longer than 10 kB in UTF-8."""
    return HOSTILE


@pytest.fixture(scope="session")
def small():
    """Ten entities and more with dates, intervals, empty cells, an order of their own and hostile names."""
    entities = pd.DataFrame(
        {
            "id": ["P", "Q", "A", "B", *HOSTILE],
            "kind": ["person", "person", *["company"] * (2 + len(HOSTILE))],
            "name": ["彭某", None, "甲公司", "乙公司", *HOSTILE],
            "capital": [np.nan, np.nan, 1e6, 2.5e6, *[np.nan] * len(HOSTILE)],
            "start": [None, None, "2010-01-01", "2011-01-01", *[None] * len(HOSTILE)],
            "rank": range(4 + len(HOSTILE)),
            "listed": [False, False, True, False, *[True] * len(HOSTILE)],
        }
    )
    relations = pd.DataFrame(
        {
            "source": ["P", "Q", "A", "P", *HOSTILE],
            "target": ["A", "A", "B", "B", *["A"] * len(HOSTILE)],
            "kind": ["owns", "owns", "owns", "officer", *["cooperates"] * len(HOSTILE)],
            "share_min": [0.25, 0.1, np.nan, np.nan, *[np.nan] * len(HOSTILE)],
            "share_max": [0.5, 0.1, np.nan, np.nan, *[np.nan] * len(HOSTILE)],
            "role": [None, None, None, "director", *[None] * len(HOSTILE)],
            "start": ["2015-01-01", None, "2016-02-29", "2014-01-01", *[None] * len(HOSTILE)],
            "end": ["2016-06-01", None, None, "2016-01-01", *[None] * len(HOSTILE)],
            "known_from": [None, "2016-03-01", None, None, *[None] * len(HOSTILE)],
            "note": ["x", None, "", "y", *HOSTILE],
        }
    )
    cases = pd.DataFrame(
        {"entity": ["A"], "type": ["banned"], "start": ["2016-04-01"], "severity": [0.5], "docket": ["甲1"]}
    )
    facts = pd.DataFrame(
        {
            "entity": ["A"] * 4,
            "fact": ["capital_pool", "loan_balance", "ad_text", "makes_loans"],
            "value": [True, 1.5, HOSTILE[1], None],
        }
    )
    return rg.EntityGraph.from_tables(entities, relations, cases, None, facts)


@pytest.fixture(scope="session")
def county():
    return rg.datasets.load_county().graph


@pytest.fixture(scope="session")
def same():
    """Fail unless two graphs are equal in every cell and dtype, and stand at the same day."""

    def compare(a, b):
        for table, frame in a.tables().items():
            pd.testing.assert_frame_equal(frame, b.tables()[table], check_dtype=True)
        assert a.valid_on == b.valid_on
        assert a.known_by == b.known_by

    return compare
