"""Errors of riskgraph: one base, and under it the built-in a caller would catch anyway.

::

    RiskGraphError
    ├── InvalidTable      (ValueError)       a table or file breaks the rules; the message lists the rows
    ├── InvalidParameter  (ValueError)       an argument breaks its rule; the message names it and what came
    ├── UnknownEntity     (KeyError)         an id that the graph does not hold
    ├── NotConverged      (RuntimeError)     an iteration or a budget ended before the answer was certain
    ├── MissingDependency (ImportError)      an extra is not installed; the message gives the install line
    ├── StoreUnavailable  (ConnectionError)  a database cannot be reached, is locked or is full
    └── LeakageError      (ValueError)       a feature would use what was not yet known
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "InvalidParameter",
    "InvalidTable",
    "LeakageError",
    "MissingDependency",
    "NotConverged",
    "RiskGraphError",
    "StoreUnavailable",
    "UnknownEntity",
]


class RiskGraphError(Exception):
    """Base of every error that riskgraph raises on purpose."""


class InvalidTable(RiskGraphError, ValueError):
    """A table or a file that breaks the rules of the contract; every bad row is in ``problems``.

    Parameters
    ----------
    message
        What is wrong, where, and what would be valid.
    problems
        One text a problem, each naming table, row, column, value and what would be valid.
    """

    #: how many problems the message spells out
    SHOWN = 20

    def __init__(self, message: str, problems: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        lines = [message, *(f"  {problem}" for problem in self.problems[: self.SHOWN])]
        if len(self.problems) > self.SHOWN:
            lines.append(f"  … and {len(self.problems) - self.SHOWN} more")
        super().__init__("\n".join(lines))


class InvalidParameter(RiskGraphError, ValueError):
    """An argument that breaks its rule; the message names it, the rule, and what came."""


class UnknownEntity(RiskGraphError, KeyError):
    """An id that the graph does not hold."""

    def __str__(self) -> str:
        """Plain text, not the quoted text that KeyError would give."""
        return str(self.args[0]) if self.args else ""


class NotConverged(RiskGraphError, RuntimeError):
    """An iteration or a budget ended before the answer was certain."""


class MissingDependency(RiskGraphError, ImportError):
    """An optional package is not installed; the message gives the install line."""


class StoreUnavailable(RiskGraphError, ConnectionError):
    """A database that cannot be reached, is locked, is full, or refuses the credentials."""


class LeakageError(RiskGraphError, ValueError):
    """A feature would use something that was not yet known on its date."""
