"""GLEIF files, CSV, JSON, XML or answers of the API, as flat records with the dotted names of the golden copy."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from riskgraph._optional import progress
from riskgraph.errors import InvalidTable
from riskgraph.readers._delimited import decode, split_rows
from riskgraph.readers._files import data_files, text_bytes
from riskgraph.readers._intake import Intake
from riskgraph.readers._records import JSON_SUFFIXES, MANY_LINES, Record, load_records

__all__ = ["gleif_records"]

_WRAPS = ("records", "relations", "exceptions", "data")
_REGISTRATION = {
    "registration.status": "Registration.RegistrationStatus",
    "registration.initialRegistrationDate": "Registration.InitialRegistrationDate",
    "registration.lastUpdateDate": "Registration.LastUpdateDate",
}
#: type of a record of the API → its names → those of the golden copy
_API = {
    "lei-records": {
        "lei": "LEI",
        "entity.legalName.name": "Entity.LegalName",
        "entity.category": "Entity.EntityCategory",
        "entity.status": "Entity.EntityStatus",
        "entity.creationDate": "Entity.EntityCreationDate",
        "entity.expiration.date": "Entity.EntityExpirationDate",
        "entity.jurisdiction": "Entity.LegalJurisdiction",
        "entity.legalAddress.country": "Entity.LegalAddress.Country",
        "entity.legalForm.id": "Entity.LegalForm.EntityLegalFormCode",
        "entity.registeredAs": "Entity.RegistrationAuthority.RegistrationAuthorityEntityID",
        **_REGISTRATION,
    },
    "relationship-records": {
        "relationship.startNode.id": "Relationship.StartNode.NodeID",
        "relationship.endNode.id": "Relationship.EndNode.NodeID",
        "relationship.type": "Relationship.RelationshipType",
        "relationship.status": "Relationship.RelationshipStatus",
        **_REGISTRATION,
    },
    "reporting-exceptions": {"lei": "LEI", "category": "ExceptionCategory", "reason": "ExceptionReason"},
}
_PERIOD = re.compile(r"^relationship\.periods\.(\d+)\.(startDate|endDate|type)$")
_RECORD_TAGS = frozenset({"LEIRecord", "RelationshipRecord", "Exception"})


def gleif_records(path: Path, intake: Intake) -> Iterator[Record]:
    """Flat records of every file: ``Entity.LegalName``, ``Relationship.StartNode.NodeID``, ``ExceptionCategory``."""
    files, _ = data_files(path, (".csv", ".csv.gz", ".xml", *JSON_SUFFIXES))
    if not files:
        raise InvalidTable(f"{str(path)!r} holds no CSV, JSON or XML file")
    for file in files:
        lower = file.name.lower()
        if lower.endswith((".csv", ".csv.gz")):
            yield from _csv(file, intake)
        elif lower.endswith(".xml"):
            yield from _xml(file)
        else:
            for label, data in load_records(file, intake, "entities"):
                # the golden copy wraps its records: {"records": [...]}, {"relations": [...]}, {"exceptions": [...]};
                # an answer of the API has them in {"data": ...}, one or several
                if isinstance(data.get("data"), dict) and "attributes" in data["data"]:
                    data["data"] = [data["data"]]
                lists = (data[key] for key in _WRAPS if isinstance(data.get(key), list))
                inner = next(lists, [data])
                for place, item in enumerate(inner, start=1):
                    if isinstance(item, dict):
                        name = label if len(inner) == 1 else f"{file.name}[{place}]"
                        yield Record(name, _of_api(item) if "attributes" in item else _flat(item))


def _of_api(item: dict[str, Any]) -> dict[str, Any]:
    """A record of the API, whose names are those of the golden copy in another spelling."""
    names = _API.get(str(item.get("type")), {})
    flat = _flat(item["attributes"])
    found = {new: flat[old] for old, new in names.items() if old in flat}
    for name, value in flat.items():
        if match := _PERIOD.match(name):
            found[f"Relationship.RelationshipPeriods.{match[1]}.{'PeriodType' if match[2] == 'type' else match[2]}"] = (
                value
            )
    return found or flat


def _csv(file: Path, intake: Intake) -> Iterator[Record]:
    lines, broken, _ = decode(text_bytes(file), file.name)
    rows = split_rows(lines, broken, file.name)
    old = {"Exception.Category": "ExceptionCategory", "Exception.Reason.1": "ExceptionReason"}
    names = [old.get(name.strip(), name.strip()) for name in rows.header]
    for number, problem, text in rows.bad:
        frame = pd.DataFrame({"line_text": [text]}, index=pd.Index([f"{file.name}:{number}"], dtype=object))
        intake.reject("entities", frame, "line", [problem])
    count = len(rows.frame)
    table = zip(rows.frame.index, rows.frame.itertuples(index=False, name=None), strict=True)
    for line, cells in progress(table, total=count, text=file.name, show=None if count >= MANY_LINES else False):
        yield Record(f"{file.name}:{line}", {name: cell for name, cell in zip(names, cells, strict=False) if cell})


def _flat(item: Any, prefix: str = "") -> dict[str, Any]:
    """Nested JSON with dotted keys; ``{"$": value}`` is the value, items of a list are numbered from 1."""
    found: dict[str, Any] = {}
    stack: list[tuple[str, Any]] = [(prefix, item)]
    while stack:
        name, value = stack.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "$":
                    stack.append((name, inner))
                elif not key.startswith(("@", "&")):
                    stack.append((f"{name}.{key}" if name else str(key), inner))
        elif isinstance(value, list):
            stack += [(f"{name}.{place}", inner) for place, inner in enumerate(value, start=1)]
        elif value not in (None, ""):
            found.setdefault(name, value)
    return found


def _xml(file: Path) -> Iterator[Record]:
    data = text_bytes(file)
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data[:4096]:
        raise InvalidTable(f"{file.name} declares a document type, which GLEIF files do not; not read")
    place = 0
    try:
        for _, element in ElementTree.iterparse(io.BytesIO(data), events=("end",)):
            tag = element.tag.rpartition("}")[2]
            if tag in _RECORD_TAGS:
                place += 1
                yield Record(f"{file.name}[{place}]", _flat(_element(element)))
                element.clear()
    except ElementTree.ParseError as error:
        raise InvalidTable(f"{file.name} is no XML that can be read: {error}") from error


def _element(element: ElementTree.Element) -> Any:
    """Children by name, several of one name as a list; the text of a leaf."""
    if len(element) == 0:
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in element:
        name, value = child.tag.rpartition("}")[2], _element(child)
        if name in found:
            found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
        else:
            found[name] = value
    return found
