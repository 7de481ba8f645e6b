"""A real Neo4j for the tests: the one named in the environment, else one started from its published Java artifacts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>riskgraph.test</groupId><artifactId>neo4j-libs</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>5.26.25</version></dependency>
<dependency><groupId>org.neo4j</groupId><artifactId>neo4j-bolt</artifactId><version>5.26.25</version></dependency>
<dependency><groupId>org.neo4j.app</groupId><artifactId>neo4j-server</artifactId><version>5.26.25</version></dependency>
</dependencies></project>
"""
SETTINGS = """server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled={auth}
dbms.usage_report.enabled=false
server.memory.pagecache.size=64m
"""
OPENS = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A Neo4j process on loopback that can be killed and started again on the same files."""

    def __init__(self, libraries: Path, home: Path, *, auth: bool = False) -> None:
        self.libraries, self.home, self.port = libraries, home, free_port()
        (home / "conf").mkdir(parents=True)
        (home / "conf" / "neo4j.conf").write_text(SETTINGS.format(port=self.port, auth=str(auth).lower()))
        self.uri = f"bolt://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    def start(self):
        log = self.home / "out.log"
        opens = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENS]
        with log.open("w") as out:
            self.process = subprocess.Popen(
                ["java", "-Xmx512m", *opens, "-cp", f"{self.libraries}/*", "org.neo4j.server.CommunityEntryPoint",
                 f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}", "--console-mode"],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        for _ in range(240):
            if "Started." in log.read_text(errors="replace"):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.5)
        raise RuntimeError(f"Neo4j did not start: {log.read_text(errors='replace')[-800:]}")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


@pytest.fixture(scope="session")
def neo4j_libraries():
    """Folder with the server's jars, fetched once and kept in the user's cache."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        pytest.skip("needs Maven and Java 17 to start a Neo4j server, or RISKGRAPH_NEO4J_URI")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "riskgraph-tests" / "neo4j-5.26.25"
    if not (cache / "complete").exists():
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "pom.xml").write_text(POM)
        result = subprocess.run(
            ["mvn", "-B", "-q", "-f", str(cache / "pom.xml"), "dependency:copy-dependencies", "-DincludeScope=runtime",
             f"-DoutputDirectory={cache / 'lib'}"],
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if result.returncode:
            pytest.skip(f"Maven could not fetch the Neo4j server: {result.stdout[-300:]}")
        (cache / "complete").touch()
    return cache / "lib"


@pytest.fixture
def neo4j_server(neo4j_libraries, tmp_path):
    """Start servers of one's own: ``neo4j_server(auth=True)``; they are stopped at the end."""
    started = []

    def start(*, auth=False):
        started.append(Server(neo4j_libraries, tmp_path / f"home{len(started)}", auth=auth))
        return started[-1].start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def neo4j_uri(tmp_path_factory, request):
    """Address of a server whose content the tests may overwrite."""
    given = os.environ.get("RISKGRAPH_NEO4J_URI")
    if given:
        yield given
        return
    server = Server(request.getfixturevalue("neo4j_libraries"), tmp_path_factory.mktemp("neo4j")).start()
    yield server.uri
    server.stop()
