"""Rule packs: who counts as beneficial owner under one doctrine, as checked data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeGuard

import yaml

from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.schema import ENTITY_KINDS

__all__ = ["MEASURES", "Fallback", "RulePack", "Test", "pack_names", "rule_pack"]

#: how a test measures an owner -> the fields it needs beside code, measure, threshold, inclusive and why
MEASURES: Mapping[str, tuple[str, ...]] = {
    "multiplied": (),
    "control": ("joint",),
    "chain": ("of", "majority"),
    "aggregate": (),
}
#: which number a pack reports as the share
SHARES = ("multiplied", "chain", "aggregate")
PACK_FIELDS = ("id", "title", "source", "owners", "share", "tests")
OPTIONAL = ("fallback", "not_covered")
TEST_FIELDS = ("code", "measure", "threshold", "inclusive", "why")


@dataclass(frozen=True)
class Test:
    """One test of a pack: an owner passes when its measure reaches the threshold."""

    __test__ = False

    code: str
    measure: str
    threshold: float
    inclusive: bool
    why: str
    joint: bool = True
    of: str = "shares"
    majority: float = 0.5


@dataclass(frozen=True)
class Fallback:
    """Officers who count where nobody passes a test: those of the first role that somebody holds."""

    code: str
    roles: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class RulePack:
    """A doctrine of beneficial ownership, each number with its reason.

    ``owners`` are the entity kinds that can be owner, or ``("seed",)`` for the seeds of the graph.
    """

    id: str
    title: str
    source: str
    owners: tuple[str, ...]
    share: str
    tests: tuple[Test, ...]
    fallback: Fallback | None = None
    not_covered: tuple[str, ...] = ()


def pack_names() -> tuple[str, ...]:
    """Names of the packs that come with riskgraph."""
    folder = files("riskgraph.ownership").joinpath("rules")
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def rule_pack(rule: str | Mapping[str, Any] | RulePack) -> RulePack:
    """Rule pack of a name, or of a mapping with the same fields as the shipped YAML files.

    Raises
    ------
    InvalidParameter
        No shipped pack has this name.
    InvalidTable
        The mapping breaks the schema; every problem is listed.

    Examples
    --------
    >>> pack = rule_pack("uk_psc")
    >>> [(test.code, test.threshold, test.inclusive) for test in pack.tests][:2]
    [('chain_share', 0.25, False), ('chain_votes', 0.25, False)]
    """
    if isinstance(rule, RulePack):
        return rule
    if isinstance(rule, Mapping):
        return _parse(rule)
    if not isinstance(rule, str) or rule not in pack_names():
        raise InvalidParameter(f"'rule' must be one of {', '.join(pack_names())}, or a mapping; got {rule!r}")
    return _shipped(rule)


@lru_cache(maxsize=32)
def _shipped(name: str) -> RulePack:
    text = files("riskgraph.ownership").joinpath("rules", f"{name}.yaml").read_text(encoding="utf-8")
    return _parse(yaml.safe_load(text))


def _parse(raw: Mapping[str, Any]) -> RulePack:
    problems: list[str] = []
    _fields(raw, PACK_FIELDS, OPTIONAL, "pack", problems)
    for name in ("id", "title", "source"):
        if not isinstance(raw.get(name, ""), str):
            problems.append(f"{name}: must be text; got {raw[name]!r}")
    owners = raw.get("owners", ())
    if not isinstance(owners, list | tuple) or not owners:
        problems.append(f"owners: must be a list of entity kinds, or [seed]; got {owners!r}")
    elif list(owners) != ["seed"]:
        problems += [f"owners: {kind!r} is no entity kind" for kind in owners if kind not in ENTITY_KINDS]
    if raw.get("share") not in SHARES and "share" in raw:
        problems.append(f"share: must be one of {', '.join(SHARES)}; got {raw['share']!r}")
    tests = raw.get("tests", ())
    if not isinstance(tests, list | tuple) or not tests:
        problems.append(f"tests: must be a list of at least one test; got {tests!r}")
        tests = ()
    for number, test in enumerate(tests):
        _check_test(test, f"tests[{number}]", problems)
    measures = {test["measure"] for test in tests if isinstance(test, Mapping) and _is_measure(test.get("measure"))}
    if raw.get("share") in ("chain", "aggregate") and raw["share"] not in measures:
        problems.append(f"share: no test measures {raw['share']!r}")
    if ("aggregate" in measures) != (owners == ["seed"] or owners == ("seed",)):
        problems.append("owners: must be [seed] for a test that measures aggregate, and only for one")
    fallback = raw.get("fallback")
    if fallback is not None:
        if not isinstance(fallback, Mapping):
            problems.append(f"fallback: must be a mapping; got {fallback!r}")
        else:
            _fields(fallback, ("code", "roles", "why"), (), "fallback", problems)
            if not isinstance(fallback.get("roles", []), list | tuple):
                problems.append(f"fallback.roles: must be a list of roles; got {fallback['roles']!r}")
    if not isinstance(raw.get("not_covered", ()), list | tuple):
        problems.append(f"not_covered: must be a list; got {raw['not_covered']!r}")
    if problems:
        raise InvalidTable(f"rule pack {raw.get('id', '?')!r} breaks the schema", problems)
    return RulePack(
        id=raw["id"],
        title=raw["title"],
        source=raw["source"],
        owners=tuple(owners),
        share=raw["share"],
        tests=tuple(Test(**test) for test in tests),
        fallback=None if fallback is None else Fallback(fallback["code"], tuple(fallback["roles"]), fallback["why"]),
        not_covered=tuple(raw.get("not_covered", ())),
    )


def _is_measure(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value in MEASURES


def _fields(
    raw: Mapping[str, Any], required: tuple[str, ...], optional: tuple[str, ...], where: str, problems: list[str]
) -> None:
    problems += [f"{where}: {name!r} is missing" for name in required if name not in raw]
    problems += [f"{where}: {name!r} is not understood" for name in raw if name not in (*required, *optional)]


def _check_test(test: Any, where: str, problems: list[str]) -> None:
    if not isinstance(test, Mapping):
        problems.append(f"{where}: must be a mapping; got {test!r}")
        return
    measure = test.get("measure")
    if not _is_measure(measure):
        problems.append(f"{where}.measure: must be one of {', '.join(MEASURES)}; got {measure!r}")
        return
    _fields(test, (*TEST_FIELDS, *MEASURES[measure]), (), where, problems)
    for name in ("threshold", "majority"):
        value = test.get(name, 0.5)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            problems.append(f"{where}.{name}: must be a number in (0, 1]; got {value!r}")
    for name in ("inclusive", "joint"):
        if not isinstance(test.get(name, True), bool):
            problems.append(f"{where}.{name}: must be true or false; got {test[name]!r}")
    if test.get("of", "shares") not in ("shares", "votes"):
        problems.append(f"{where}.of: must be shares or votes; got {test['of']!r}")
    for name in ("code", "why"):
        if not isinstance(test.get(name, ""), str):
            problems.append(f"{where}.{name}: must be text; got {test[name]!r}")
