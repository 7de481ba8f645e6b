"""What a catalogue folder must hold: every section checked, every problem named with its file and key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from riskgraph.errors import InvalidTable
from riskgraph.supervision._shapes import SHAPES, misshapen

__all__ = ["read_folder"]

#: sections a catalogue may have, and the type each must be; those marked True must be there
SECTIONS: dict[str, tuple[type, bool]] = {
    "catalogue": (dict, True),
    "sectors": (dict, True),
    "agencies": (dict, True),
    "leads": (dict, True),
    "rules": (dict, True),
    "business_words": (dict, False),
    "issuer_aliases": (dict, False),
    "licensors": (dict, False),
    "natures": (dict, False),
    "coverage": (dict, False),
    "contacts": (dict, False),
    "keywords": (dict, False),
    "ad_items": (list, False),
    "key_sites": (list, False),
    "public_channels": (list, False),
    "key_products": (list, False),
    "negations": (list, False),
    "traditional": (dict, False),
    "name_lists": (dict, False),
    "criteria": (list, False),
    "red_lines": (dict, False),
    "overall_bans": (list, False),
    "offline_exemptions": (list, False),
    "verdicts": (dict, False),
    "dispositions": (dict, False),
    "measures": (dict, False),
    "dossier": (dict, False),
    "verification_methods": (list, False),
    "deadlines": (dict, False),
    "tasks": (dict, False),
    "stages": (dict, False),
}

LEVELS = ("county", "city", "province")
#: largest file that is read; the shipped ones have a tenth of it together
MAX_BYTES = 10_000_000
RULE_KEYS = {"clause", "zh", "en", "use", "severity", "parameters", "check"}
PARAMETER_KEYS = {"value", "reason", "symbol", "printed"}
FIELDS = ("name", "scope", "ad_text", "website_text")


class _Loader(yaml.SafeLoader):
    """Safe loader that refuses a key given twice, which YAML itself would let win silently."""


def _mapping(loader: _Loader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in result:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_folder(folder: Path) -> dict[str, Any]:
    """All sections of the ``*.yaml`` files of a folder, merged and checked.

    Raises
    ------
    InvalidTable
        The folder or a section is missing, or an entry breaks its rule; every problem is listed.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise InvalidTable(f"'{folder.name}' holds no catalogue: a folder with *.yaml files is needed; got {folder}")
    problems: list[str] = []
    sections: dict[str, Any] = {}
    for file in files:
        if (size := file.stat().st_size) > MAX_BYTES:
            raise InvalidTable(f"{file.name} has {size:,} bytes; a file of rules has at most {MAX_BYTES:,}")
        try:
            content = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)
        # no UTF-8, a day such as 2016-02-30, a list as a key, or lists in lists without end are no YAMLError
        except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
            raise InvalidTable(f"{file.name} cannot be read as YAML: {error}") from error
        if not isinstance(content, Mapping):
            problems.append(f"{file.name}: a mapping of sections is needed; got {type(content).__name__}")
            continue
        for name, value in content.items():
            if name not in SECTIONS:
                problems.append(f"{file.name}: unknown section {name!r}; known are {', '.join(SECTIONS)}")
            elif not isinstance(value, SECTIONS[name][0]):
                problems.append(f"{file.name}: section {name!r} must be a {SECTIONS[name][0].__name__}")
            elif wrong := list(misshapen(str(name), value, SHAPES.get(name, object))):
                problems += [f"{file.name}: {problem}" for problem in wrong]
            else:
                _merge(sections, str(name), value, file.name, problems)
    for name, (kind, needed) in SECTIONS.items():
        if name not in sections:
            if needed:
                problems.append(f"section {name!r} is missing")
            sections[name] = kind()
    if not problems:
        problems.extend(_problems(sections))
    if problems:
        raise InvalidTable(f"the catalogue '{folder.name}' breaks its rules:", problems)
    return sections


def _merge(sections: dict[str, Any], name: str, value: Any, file: str, problems: list[str]) -> None:
    """Rules may be spread over files; every other section stands in one."""
    if name not in sections:
        sections[name] = {kind: dict(group or {}) for kind, group in value.items()} if name == "rules" else value
        return
    if name != "rules":
        problems.append(f"{file}: section {name!r} is given twice")
        return
    for kind, group in value.items():
        target = sections["rules"].setdefault(kind, {})
        for rule, entry in (group or {}).items():
            if rule in target:
                problems.append(f"{file}: rule {rule!r} is given twice")
            target[rule] = entry


def _problems(sections: dict[str, Any]) -> Iterable[str]:
    yield from _head(sections["catalogue"])
    agencies = set(sections["agencies"])
    for name, entry in sections["agencies"].items():
        yield from _texts(f"agency {name!r}", entry, ("en", "county", "province"))
    sectors = set(sections["sectors"])
    rules: set[str] = set()
    plans = sections["catalogue"].get("plans") or {}
    for kind, group in sections["rules"].items():
        for rule, entry in group.items():
            if rule in rules:
                yield f"rule {rule!r} is given under two kinds"
            rules.add(rule)
            yield from _rule(f"rule {rule!r} ({kind})", entry, plans)
    for name, entry in sections["sectors"].items():
        yield from _texts(f"sector {name!r}", entry, ("zh", "en", "rule"))
        if isinstance(entry, Mapping) and entry.get("rule") not in rules:
            yield f"sector {name!r}: rule {entry.get('rule')!r} is not in the rules"
    for level, table in sections["leads"].items():
        if level not in LEVELS:
            yield f"leads: level must be one of {', '.join(LEVELS)}; got {level!r}"
        for sector, entry in (table or {}).items():
            where = f"leads.{level}.{sector}"
            if sector not in sectors:
                yield f"{where}: {sector!r} is not a sector of the catalogue"
            for role in ("lead", "assist"):
                for agency in entry.get(role) or ():
                    if agency not in agencies:
                        yield f"{where}: {agency!r} is not an agency of the catalogue"
            if not entry.get("lead"):
                yield f"{where}: 'lead' names no agency"
    for name, entry in sections["natures"].items():
        if entry.get("agency") not in agencies:
            yield f"nature {name!r}: {entry.get('agency')!r} is not an agency of the catalogue"
    for name, agency in sections["licensors"].items():
        if agency not in agencies:
            yield f"licensors.{name}: {agency!r} is not an agency of the catalogue"
    for name, entry in sections["keywords"].items():
        yield from _words(f"keywords {name!r}", entry, rules)
    yield from _dates(sections)


def _head(entry: Mapping[str, Any]) -> Iterable[str]:
    province = entry.get("home_province")
    if not (isinstance(province, str) and len(province) == 2 and province.isdigit()):
        yield f"catalogue: 'home_province' must be two digits in quotes, such as \"32\"; got {province!r}"
    if not isinstance(entry.get("name"), str):
        yield f"catalogue: 'name' must be a text; got {entry.get('name')!r}"
    if not isinstance(entry.get("plans"), Mapping) or not entry["plans"]:
        yield "catalogue: 'plans' must name the plans that clauses are cited by"


def _texts(where: str, entry: Any, keys: tuple[str, ...]) -> Iterable[str]:
    if not isinstance(entry, Mapping):
        yield f"{where}: a mapping is needed; got {entry!r}"
        return
    for key in keys:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            yield f"{where}: {key!r} must be a text; got {entry.get(key)!r}"


def _rule(where: str, entry: Any, plans: Mapping[str, Any]) -> Iterable[str]:
    yield from _texts(where, entry, ("clause", "zh", "en", "use"))
    if not isinstance(entry, Mapping):
        return
    for key in set(entry) - RULE_KEYS:
        yield f"{where}: unknown key {key!r}; known are {', '.join(sorted(RULE_KEYS))}"
    for clause in str(entry.get("clause", "")).split(";"):
        if clause.strip().split(" ")[0] not in plans:
            yield f"{where}: clause {clause.strip()!r} cites no plan of the catalogue ({', '.join(map(str, plans))})"
    severity = entry.get("severity")
    if entry.get("use") == "screen" and not (
        isinstance(severity, (int, float)) and not isinstance(severity, bool) and 0 <= severity <= 1
    ):
        yield f"{where}: 'severity' must be in [0, 1]; got {severity!r}"
    for name, parameter in (entry.get("parameters") or {}).items():
        if not isinstance(parameter, Mapping) or "value" not in parameter:
            yield f"{where}: parameter {name!r} needs a 'value'"
            continue
        if not isinstance(parameter.get("reason"), str):
            yield f"{where}: parameter {name!r} needs a 'reason'"
        for key in set(parameter) - PARAMETER_KEYS:
            yield f"{where}: parameter {name!r} has unknown key {key!r}"


def _words(where: str, entry: Any, rules: set[str]) -> Iterable[str]:
    yield from _texts(where, entry, ("zh", "en", "rule"))
    words = entry.get("words")
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        yield f"{where}: 'words' must be a list of texts; got {words!r}"
    elif len(set(words)) < len(words):
        yield f"{where}: a word is given twice"
    if entry.get("rule") not in rules:
        yield f"{where}: rule {entry.get('rule')!r} is not in the rules"
    for field in entry.get("fields") or [None]:
        if field not in FIELDS:
            yield f"{where}: field must be one of {', '.join(FIELDS)}; got {field!r}"


def _dates(sections: dict[str, Any]) -> Iterable[str]:
    for level, table in sections["deadlines"].items():
        if level not in LEVELS:
            yield f"deadlines: level must be one of {', '.join(LEVELS)}; got {level!r}"
        for sector, rows in table.items():
            for row in rows:
                if type(row.get("due")) is not dt.date:
                    yield f"deadlines.{level}.{sector}: 'due' must be a date; got {row.get('due')!r}"
                if row.get("task") not in sections["tasks"]:
                    yield f"deadlines.{level}.{sector}: task {row.get('task')!r} is not in 'tasks'"
    for name, rows in sections["stages"].items():
        for row in rows:
            if not (type(row.get("start")) is dt.date and type(row.get("end")) is dt.date):
                yield f"stages.{name}: 'start' and 'end' must be dates; got {row!r}"
