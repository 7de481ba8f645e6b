"""GLEIF files, CSV, JSON, XML or answers of the API, as flat records with the dotted names of the golden copy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from riskgraph.errors import InvalidTable
from riskgraph.readers._delimited import is_plain_utf8, stream_rows, whole_rows
from riskgraph.readers._files import data_files, text_bytes
from riskgraph.readers._intake import Intake
from riskgraph.readers._places import Place
from riskgraph.readers._records import JSON_SUFFIXES, Record, load_records
from riskgraph.readers._stream import BLOCK, inner_name, opened

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
#: names of the columns in earlier exception files
_OLD = {"Exception.Category": "ExceptionCategory", "Exception.Reason.1": "ExceptionReason"}
_RECORD_TAGS = frozenset({"LEIRecord", "RelationshipRecord", "Exception"})


def gleif_records(path: Path, intake: Intake) -> Iterator[Record]:
    """Flat records of every file: ``Entity.LegalName``, ``Relationship.StartNode.NodeID``, ``ExceptionCategory``."""
    files, _ = data_files(path, (".csv", ".csv.gz", ".xml", ".xml.gz", *JSON_SUFFIXES))
    if not files:
        raise InvalidTable(f"{str(path)!r} holds no CSV, JSON or XML file")
    for file in files:
        inner = inner_name(file)
        if inner.endswith(".csv"):
            yield from _csv(file, intake)
        elif inner.endswith(".xml"):
            yield from _xml(file)
        else:
            yield from _json(file, intake)


def _json(file: Path, intake: Intake) -> Iterator[Record]:
    for label, data in load_records(file, intake, "entities", wraps=_WRAPS):
        # the golden copy wraps its records: {"records": [...]}, {"relations": [...]}, {"exceptions": [...]};
        # an answer of the API has them in {"data": ...}, one or several
        if isinstance(data.get("data"), dict) and "attributes" in data["data"]:
            data["data"] = [data["data"]]
        lists = (data[key] for key in _WRAPS if isinstance(data.get(key), list))
        inner = next(lists, [data])
        for place, item in enumerate(inner, start=1):
            if isinstance(item, dict):
                name = label if len(inner) == 1 else Place(f"{file.name}[", place, "]")
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
    """Rows of a table without their empty cells; damaged lines come first in the report."""
    mark, before = intake.mark("entities"), f"{file.name}:"
    bad: list[tuple[int, str, str]] = []
    for header, body in stream_rows(file) if is_plain_utf8(file) else whole_rows(text_bytes(file), file.name):
        names = [_OLD.get(name.strip(), name.strip()) for name in header]
        bad += body.bad
        remarks = dict(body.notes)
        for line in sorted(remarks.keys() - set(body.numbers)):  # a title above the header
            intake.note("entities", Place(before, line), "line", remarks[line], "repaired")
        for line, cells in zip(body.numbers, body.rows, strict=True):
            if line in remarks:
                intake.note("entities", Place(before, line), "line", remarks[line], "repaired")
            yield Record(Place(before, line), {name: cell for name, cell in zip(names, cells, strict=False) if cell})
    if bad:
        lines, problems, texts = zip(*bad, strict=True)
        labels = pd.Index([f"{before}{line}" for line in lines], dtype=object)
        frame = pd.DataFrame({"line_text": pd.Series(texts, index=labels, dtype=object)})
        intake.reject("entities", frame, "line", problems, at=mark)


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
    builder = _Builder(file.name)
    parser = ElementTree.XMLParser(target=builder)
    try:
        with opened(file, watch=True) as stream:
            while block := stream.read(BLOCK):
                parser.feed(block)
                yield from builder.taken()
            parser.close()
    except ElementTree.ParseError as error:
        raise InvalidTable(f"{file.name} is no XML that can be read: {error}") from error
    yield from builder.taken()


class _Builder:
    """Builds the records of an XML document and nothing around them, so that none stays when it is taken.

    Children stand by name, several of one name as a list; a leaf is its text. A document type, in which entities could
    be declared that unfold without end, ends the reading.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._done: list[Record] = []
        #: open elements from the outermost record on: children, pieces of text
        self._open: list[tuple[dict[str, Any], list[str]]] = []

    def taken(self) -> list[Record]:
        """The records that are complete; they are given up."""
        done, self._done = self._done, []
        return done

    def doctype(self, *about: Any) -> None:
        raise InvalidTable(f"{self._name} declares a document type, which GLEIF files do not; not read")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._open or tag.rpartition("}")[2] in _RECORD_TAGS:
            self._open.append(({}, []))

    def data(self, text: str) -> None:
        if self._open:
            self._open[-1][1].append(text)

    def end(self, tag: str) -> None:
        if not self._open:
            return
        children, texts = self._open.pop()
        name = tag.rpartition("}")[2]
        value: Any = children or "".join(texts).strip()
        if name in _RECORD_TAGS:
            self._count += 1
            self._done.append(Record(Place(f"{self._name}[", self._count, "]"), _flat(value)))
            value = ""
        if self._open:
            around = self._open[-1][0]
            if name in around:
                before = around[name]
                around[name] = [*(before if isinstance(before, list) else [before]), value]
            else:
                around[name] = value

    def close(self) -> None:
        """End of the document."""
