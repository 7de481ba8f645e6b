"""What the run's summary says beside pytest's own lines."""

from __future__ import annotations


def pytest_terminal_summary(terminalreporter):
    """Name the Neo4j server that the tests of the stores used; where there was none, the skipped tests say why."""
    used = {
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "server"
    }
    for words in sorted(used):
        terminalreporter.write_line(f"Neo4j of this run: {words}")
