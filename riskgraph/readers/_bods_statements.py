"""BODS statements of any version, brought to the terms of 0.4 and to what is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from riskgraph.readers._bods_model import ENTITY_TYPES
from riskgraph.readers._places import Place
from riskgraph.readers._records import Record, as_list, as_text_or_none

__all__ = ["UNKNOWN", "Interest", "Link", "Statement", "entity_of", "plain", "replacements", "statement_of"]

_OLD_TYPES = {
    "entityStatement": "entity",
    "personStatement": "person",
    "ownershipOrControlStatement": "relationship",
}


class Statement(NamedTuple):
    """One statement of any version, brought to the terms of 0.4."""

    label: Place
    id: str
    record: str
    kind: str
    day: str | None
    closed: bool
    details: dict[str, Any]
    source: str | None


class Interest(NamedTuple):
    """What is kept of one interest."""

    word: str
    details: Any
    start: str | None
    end: str | None
    share: Any
    level: str


UNKNOWN = Interest("unknownInterest", None, None, None, None, "None")


class Link(NamedTuple):
    """What is kept of one statement of a relationship: its ends are ids, or what came instead."""

    label: Place
    id: str
    day: str | None
    closed: bool
    source: str | None
    subject: Any
    party: Any
    interests: tuple[Interest, ...]
    components: tuple[str, ...]


def replacements(records: Iterable[Record]) -> Callable[[str], str]:
    """A first reading of the statements; the answer tells which one stands at the end of a chain of replacements."""
    replaced = {
        str(old): str(record.data.get("statementID"))
        for record in records
        for old in as_list(record.data.get("replacesStatements"))
        if record.data.get("statementID")
    }
    latest: dict[str, str] = {}

    def last(statement: str) -> str:
        if statement not in replaced:
            return statement
        seen = [statement]
        while seen[-1] in replaced and replaced[seen[-1]] not in seen:
            seen.append(latest.get(seen[-1], replaced[seen[-1]]))
        latest.update(dict.fromkeys(seen, seen[-1]))
        return seen[-1]

    return last


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): as_text_or_none(value) for key, value in data.items() if not isinstance(value, (dict, list))}


def statement_of(record: Record, last: Callable[[str], str]) -> Statement | None:
    data = record.data
    new = "recordType" in data
    id = as_text_or_none(data.get("statementId" if new else "statementID"))
    kind = data.get("recordType") if new else _OLD_TYPES.get(str(data.get("statementType")))
    if id is None or kind not in ("entity", "person", "relationship"):
        return None
    details = data.get("recordDetails") if new else _modern(data, last)
    own = as_text_or_none(data.get("recordId")) if new else last(id)
    if own is None or not isinstance(details, dict):
        return None
    source = data.get("source")
    published = data.get("publicationDetails")
    day = as_text_or_none(data.get("statementDate")) or (
        as_text_or_none(published.get("publicationDate")) if isinstance(published, dict) else None
    )
    closed = data.get("recordStatus") == "closed"
    told = [as_text_or_none(source.get(part)) for part in ("url", "description")] if isinstance(source, dict) else []
    origin = next(filter(None, told), None)
    return Statement(record.label, id, own, str(kind), day, closed, details, origin)


def _modern(data: dict[str, Any], last: Callable[[str], str]) -> dict[str, Any]:
    """The body of a statement of 0.2 or 0.3 with the references of 0.4."""
    details = dict(data)
    if "entityType" in data and not isinstance(data["entityType"], dict):
        details["entityType"] = {"type": data["entityType"]}
    for end in ("subject", "interestedParty"):
        party = data.get(end)
        if isinstance(party, dict):
            told = party.get("describedByEntityStatement") or party.get("describedByPersonStatement")
            details[end] = last(str(told)) if told else (party.get("unspecified") or party)
    if "componentStatementIDs" in data:
        details["componentRecords"] = [last(str(part)) for part in as_list(data["componentStatementIDs"])]
    return details


def entity_of(statement: Statement) -> dict[str, Any]:
    details = statement.details
    lei = uscc = number = None
    for identifier in as_list(details.get("identifiers")):
        if isinstance(identifier, dict) and (value := as_text_or_none(identifier.get("id"))):
            scheme = str(identifier.get("scheme") or "").upper()
            if scheme.endswith("LEI"):
                lei = value
            elif scheme.startswith("CN-"):
                uscc = value
            else:
                number = number or f"{scheme} {value}".strip()
    if statement.kind == "person":
        named = str(details.get("personType") or "") in ("knownPerson", "")
        what = "person" if named or details.get("personType") == "anonymousPerson" else "unknown"
        name = next((text for item in as_list(details.get("names")) if (text := _full_name(item))), None)
    else:
        told = details.get("entityType")
        word = str(told.get("type") if isinstance(told, dict) else told or "").lower()
        what, name = ENTITY_TYPES.get(word, "unknown"), as_text_or_none(details.get("name"))
    place = details.get("jurisdiction") or details.get("incorporatedInJurisdiction")
    return {
        "id": statement.record,
        "kind": what,
        "name": name,
        "lei": lei,
        "uscc": uscc,
        "start": as_text_or_none(details.get("foundingDate")),
        "end": as_text_or_none(details.get("dissolutionDate")) or as_text_or_none(details.get("deathDate")),
        "source_ref": statement.source,
        "identifier": number,
        "jurisdiction": as_text_or_none(place.get("code")) if isinstance(place, dict) else None,
        "statement": statement.id,
        "birth_date": as_text_or_none(details.get("birthDate")) if statement.kind == "person" else None,
    }


def _full_name(item: Any) -> str | None:
    if not isinstance(item, dict):
        return None
    parts = [as_text_or_none(item.get(part)) for part in ("givenName", "patronymicName", "familyName")]
    return as_text_or_none(item.get("fullName")) or " ".join(part for part in parts if part) or None
