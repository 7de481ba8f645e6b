"""A finding: which rule is met by whom, since when, shown by which rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from riskgraph.supervision._view import View
    from riskgraph.supervision.catalogue import Rule

__all__ = ["CHECKS", "Finding", "Say", "check", "span_id"]

Say = Callable[[str, str], str]


class Finding(NamedTuple):
    """One finding; ``severity`` None takes the rule's."""

    code: int
    evidence: tuple[str, ...]
    text: str
    since: Any = None
    severity: float | None = None


Check = Callable[["View", "Rule", Say], Iterable[Finding]]

#: mechanism → the function that checks it; rules name the mechanism they use
CHECKS: dict[str, Check] = {}


def check(*mechanisms: str) -> Callable[[Check], Check]:
    """Register a function as the check of mechanisms."""

    def register(function: Check) -> Check:
        for mechanism in mechanisms:
            CHECKS[mechanism] = function
        return function

    return register


def span_id(seen: View, code: int, field: str, start: int, stop: int, word: str) -> str:
    """Evidence that is a stretch of text: ``C1.name[2:4]=基金``."""
    return f"{seen.ids[code]}.{field}[{start}:{stop}]={word}"


def latest(days: Iterable[Any]) -> Any:
    """Newest of days that are given, NaT when none is."""
    given = [day for day in days if day is not None and not np.isnat(day)]
    return max(given) if given else np.datetime64("NaT", "D")


def earliest(days: Iterable[Any]) -> Any:
    """Oldest of days that are given, NaT when none is."""
    given = [day for day in days if day is not None and not np.isnat(day)]
    return min(given) if given else np.datetime64("NaT", "D")


def listed(values: Iterable[str]) -> Iterator[str]:
    """Distinct values in order."""
    return iter(dict.fromkeys(values))
