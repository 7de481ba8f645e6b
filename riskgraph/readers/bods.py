"""Statements of the Beneficial Ownership Data Standard, versions 0.2 to 0.4, as a graph.

Every version of a record is a statement; what a statement says holds until the next statement of its record replaces
or closes it, and is known from the day of the statement.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from riskgraph.errors import InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._bods_model import ENTITY_TYPES, meaning
from riskgraph.readers._intake import Intake
from riskgraph.readers._records import Record, Rows, as_list, as_text_or_none, load_records
from riskgraph.readers.tables import check_options

__all__ = ["read_bods"]

#: which bound of a share is not held itself
_STRICT = {"low": "exclusiveMinimum", "high": "exclusiveMaximum"}
_OLD_TYPES = {
    "entityStatement": "entity",
    "personStatement": "person",
    "ownershipOrControlStatement": "relationship",
}


class _Statement(NamedTuple):
    """One statement of any version, brought to the terms of 0.4."""

    label: str
    id: str
    record: str
    kind: str
    day: str | None
    closed: bool
    details: dict[str, Any]
    source: str | None


def read_bods(path: str | os.PathLike[str], *, on_error: str = "quarantine") -> EntityGraph:
    r"""Graph of BODS statements, a JSON array or one statement a line, or a folder of such files.

    Shares become intervals in [0, 1]; a voting right goes to ``votes_min`` and ``votes_max``. Rights to appoint the
    board are control; an interest of no stated size (influence, a right to profits) is a holding whose share is
    unknown. A party that is not named stands as a fact ``undisclosed_owner`` of the company with the reason given. An
    indirect interest is left out, and reported, where its component records or a chain of other holdings in the data
    say the same in full. Which bounds are exclusive
    (``low``, ``high``, ``low;high``) stands in ``share_exclusive`` and ``votes_exclusive``.

    Raises
    ------
    InvalidTable
        No JSON statement, or a bad row under ``on_error="raise"``.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> import riskgraph as rg
    >>> day = {"statementDate": "2020-01-01", "declarationSubject": "c"}
    >>> said = {"interests": [{"type": "shareholding", "share": {"minimum": 25, "maximum": 50}}]}
    >>> statements = [
    ...     {"statementId": "1", "recordId": "c", "recordType": "entity", **day,
    ...      "recordDetails": {"name": "Mine Ltd", "entityType": {"type": "registeredEntity"}}},
    ...     {"statementId": "2", "recordId": "p", "recordType": "person", **day,
    ...      "recordDetails": {"personType": "knownPerson", "names": [{"fullName": "Ann Example"}]}},
    ...     {"statementId": "3", "recordId": "r", "recordType": "relationship", **day,
    ...      "recordDetails": {"subject": "c", "interestedParty": "p", **said}},
    ... ]
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "bods.json"
    >>> _ = file.write_text(json.dumps(statements))
    >>> rg.readers.read_bods(file).relations[["source", "target", "share_min", "share_max"]]
      source target  share_min  share_max
    0      p      c       0.25        0.5
    """
    check_options(on_error)
    intake = Intake()
    rows = Rows(intake)
    series = _series(list(load_records(path, intake, "relations")), rows)
    if not series:
        raise InvalidTable(f"{str(path)!r} holds no BODS statement: each has a recordType or a statementType")
    known = {record for record, (kind, _) in series.items() if kind != "relationship"}
    for record, (kind, statements) in series.items():
        if kind != "relationship":
            _entity(record, kind, statements, rows)
    links = {record for record, (kind, _) in series.items() if kind == "relationship"}
    found: list[tuple[str, dict[str, Any]]] = []
    for record, (kind, statements) in series.items():
        if kind == "relationship":
            found += _relationship(record, statements, rows, known, links)
    _add(found, rows)
    return rows.graph(on_error)


def _add(found: list[tuple[str, dict[str, Any]]], rows: Rows) -> None:
    """Relations; an indirect interest goes where a chain of the others leads from the party to the company."""
    steps: dict[str, set[str]] = {}
    for _, cells in found:
        if not cells.get("indirect") and cells["kind"] in ("owns", "controls"):
            steps.setdefault(cells["source"], set()).add(cells["target"])
    for label, cells in found:
        if cells.get("indirect") and _leads(steps, cells["source"], cells["target"]):
            text = "an indirect interest; the chain of holdings it runs through is in the data"
            rows.leave_out("relations", label, "interests", text, cells, repeat=True)
        else:
            rows.add("relations", label, **cells)


def _leads(steps: Mapping[str, set[str]], source: str, target: str) -> bool:
    """Whether a chain of two steps or more, of at most 10,000 entities looked at, leads from one to the other."""
    front = set(steps.get(source, ())) - {target}
    seen = {source, *front}
    while front and len(seen) < 10_000:
        after = {step for entity in front for step in steps.get(entity, ())}
        if target in after:
            return True
        front = after - seen
        seen |= front
    return False


# -- statements and records ------------------------------------------------------------------------------------------


def _series(records: list[Record], rows: Rows) -> dict[str, tuple[str, list[_Statement]]]:
    """Record → its kind and its statements in the order of their dates."""
    replaced = {
        str(old): str(record.data.get("statementID"))
        for record in records
        for old in as_list(record.data.get("replacesStatements"))
        if record.data.get("statementID")
    }
    latest: dict[str, str] = {}

    def last(statement: str) -> str:
        """The statement that stands at the end of a chain of replacements."""
        seen = [statement]
        while seen[-1] in replaced and replaced[seen[-1]] not in seen:
            seen.append(latest.get(seen[-1], replaced[seen[-1]]))
        latest.update(dict.fromkeys(seen, seen[-1]))
        return seen[-1]

    found: dict[str, tuple[str, list[_Statement]]] = {}
    seen: set[str] = set()
    for record in records:
        statement = _statement(record, last)
        if statement is None:
            text = (
                "a BODS statement needs a statement id and a record or statement type of entity, person or relationship"
            )
            rows.leave_out("relations", record.label, "recordType", text, _plain(record.data))
            continue
        if statement.id in seen:
            text = f"the statement {statement.id} stands twice"
            rows.leave_out(
                "relations",
                record.label,
                "statementId",
                text,
                _plain(record.data),
            )
            continue
        seen.add(statement.id)
        kind, statements = found.setdefault(statement.record, (statement.kind, []))
        if kind != statement.kind:
            text = f"the record {statement.record} is a {kind} already"
            rows.leave_out("relations", record.label, "recordType", text, _plain(record.data))
            continue
        statements.append(statement)
    for _, statements in found.values():
        statements.sort(key=lambda statement: statement.day or "")
    return found


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): as_text_or_none(value) for key, value in data.items() if not isinstance(value, (dict, list))}


def _statement(record: Record, last: Any) -> _Statement | None:
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
    return _Statement(record.label, id, own, str(kind), day, closed, details, origin)


def _modern(data: dict[str, Any], last: Any) -> dict[str, Any]:
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


# -- entities --------------------------------------------------------------------------------------------------------


def _entity(record: str, kind: str, statements: list[_Statement], rows: Rows) -> None:
    statement = statements[-1]
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
    if kind == "person":
        named = str(details.get("personType") or "") in ("knownPerson", "")
        what = "person" if named or details.get("personType") == "anonymousPerson" else "unknown"
        name = next((text for item in as_list(details.get("names")) if (text := _full_name(item))), None)
    else:
        told = details.get("entityType")
        word = str(told.get("type") if isinstance(told, dict) else told or "").lower()
        what, name = ENTITY_TYPES.get(word, "unknown"), as_text_or_none(details.get("name"))
    place = details.get("jurisdiction") or details.get("incorporatedInJurisdiction")
    rows.add(
        "entities",
        statement.label,
        id=record,
        kind=what,
        name=name,
        lei=lei,
        uscc=uscc,
        start=as_text_or_none(details.get("foundingDate")),
        end=as_text_or_none(details.get("dissolutionDate")) or as_text_or_none(details.get("deathDate")),
        source_ref=statement.source,
        identifier=number,
        jurisdiction=as_text_or_none(place.get("code")) if isinstance(place, dict) else None,
        statement=statement.id,
    )


def _full_name(item: Any) -> str | None:
    if not isinstance(item, dict):
        return None
    parts = [as_text_or_none(item.get(part)) for part in ("givenName", "patronymicName", "familyName")]
    return as_text_or_none(item.get("fullName")) or " ".join(part for part in parts if part) or None


# -- relationships ---------------------------------------------------------------------------------------------------


def _relationship(
    record: str, statements: list[_Statement], rows: Rows, known: set[str], links: set[str]
) -> list[tuple[str, dict[str, Any]]]:
    """Relations of all statements of a relationship record, each with its label."""
    found = []
    for place, statement in enumerate(statements):
        if statement.closed:
            continue
        following = statements[place + 1] if place + 1 < len(statements) else None
        details = statement.details
        about = {"record": record, "statement": statement.id}
        subject, party = details.get("subject"), details.get("interestedParty")
        if not isinstance(subject, str):
            text = "the subject is not named; a relation needs one"
            rows.leave_out("relations", statement.label, "subject", text, about)
            continue
        interests = [interest for interest in as_list(details.get("interests")) if isinstance(interest, dict)]
        if not isinstance(party, str):
            party = _unnamed(record, party, subject, statement, following, not place, bool(interests), rows)
            if party is None:
                continue
        elif party not in known:
            text = f"the interested party {party} is in no entity or person statement"
            rows.leave_out("relations", statement.label, "interestedParty", text, about)
            continue
        if subject not in known:
            text = f"the subject {subject} is in no entity statement"
            rows.leave_out("relations", statement.label, "subject", text, about)
            continue
        components = [str(part) for part in as_list(details.get("componentRecords"))]
        indirect = {
            str(interest.get("directOrIndirect") or interest.get("interestLevel")) for interest in interests
        } == {"indirect"}
        if components and indirect and set(components) <= links:
            text = f"an indirect relationship that its components {', '.join(components[:4])} say in full"
            cells = {"record": record, "statement": statement.id, "source": party, "target": subject}
            rows.leave_out("relations", statement.label, "componentRecords", text, cells, repeat=True)
            continue
        span = (statement.day if place else None, _until(following))
        for number, cells in enumerate(_relations(interests, statement, span, rows)):
            id = f"{statement.id}/{number}" if number or len(statements) > 1 else record
            found.append((statement.label, {"id": id, "source": party, "target": subject, **cells}))
    return found


def _until(following: _Statement | None) -> str | None:
    """The day up to which a statement holds: the end its closing gives, else the day of the next one."""
    if following is None:
        return None
    interests = [interest for interest in as_list(following.details.get("interests")) if isinstance(interest, dict)]
    ends = [as_text_or_none(interest.get("endDate")) for interest in interests]
    if following.closed and ends and all(ends):
        return max(filter(None, ends))
    return following.day


def _unnamed(
    record: str,
    party: Any,
    subject: str,
    statement: _Statement,
    following: _Statement | None,
    first: bool,
    held: bool,
    rows: Rows,
) -> str | None:
    """Write down why an owner is not named; an owner that is said to hold something is an entity of kind unknown."""
    reason = as_text_or_none(party.get("reason")) if isinstance(party, dict) else None
    rows.add(
        "facts",
        statement.label,
        id=record if first else statement.id,
        entity=subject,
        fact="undisclosed_owner",
        value=reason or "unknown",
        start=statement.day,
        end=following.day if following else None,
        known_from=statement.day,
        source_ref=statement.source,
        description=as_text_or_none(party.get("description")) if isinstance(party, dict) else None,
        statement=statement.id,
    )
    if not held:
        return None
    id = f"unnamed:{record}"
    if id not in rows.ids():
        rows.add("entities", statement.label, id=id, kind="unknown", name=reason)
    return id


def _relations(
    interests: list[dict[str, Any]], statement: _Statement, span: tuple[str | None, str | None], rows: Rows
) -> list[dict[str, Any]]:
    """Relations of the interests of one statement; share and votes of one period are one holding."""
    common = {"known_from": statement.day, "source_ref": statement.source, "statement": statement.id}
    found: list[dict[str, Any]] = []
    holdings: dict[tuple[Any, Any], dict[str, Any]] = {}
    for interest in interests or [{"type": "unknownInterest"}]:
        word = str(interest.get("type") or "unknownInterest")
        kind, role = meaning(word, interest.get("details"))
        start = _later(as_text_or_none(interest.get("startDate")), span[0])
        end = _earlier(as_text_or_none(interest.get("endDate")), span[1])
        if start and end and start >= end:
            text = f"the interest {word} from {start} had ended before the statement said so"
            rows.intake.note("relations", statement.label, "interests", text)
            continue
        dates = {"start": start, "end": end, **common}
        if kind == "owns":
            cells = holdings.setdefault((start, end), {"kind": kind, **dates})
            _size(interest, word, role, cells, statement, rows)
        else:
            found.append({"kind": kind, "role": role, **dates})
    return [*holdings.values(), *found]


def _size(
    interest: dict[str, Any], word: str, role: str | None, cells: dict[str, Any], statement: _Statement, rows: Rows
) -> None:
    share = interest.get("share")
    column = {"shareholding": "share", "votingrights": "votes"}.get(word.replace("-", "").lower())
    if column is None or not isinstance(share, dict):
        cells["role"] = ";".join(filter(None, [cells.get("role"), role])) or None
        return
    if role != word:
        cells["role"] = role
    exact = share.get("exact")
    low = share.get("minimum", share.get("exclusiveMinimum", exact)) if exact is None else exact
    high = share.get("maximum", share.get("exclusiveMaximum", exact)) if exact is None else exact
    strict = [end for end, key in _STRICT.items() if share.get(key) not in (None, False)] if exact is None else []
    if isinstance(low, bool) or isinstance(high, bool):
        low, high = share.get("minimum"), share.get("maximum")
    numbers = [None if value is None else _fraction(value) for value in (low, high)]
    if any(value is not None and number is None for value, number in zip((low, high), numbers, strict=True)):
        text = f"the share {share!r} is no number from 0 to 100; it is unknown"
        rows.intake.note("relations", statement.label, "share", text[:200])
        return
    if f"{column}_min" in cells:
        text = f"a second {word} of the same days; the first is kept"
        rows.intake.note("relations", statement.label, "interests", text)
        return
    cells[f"{column}_min"] = 0.0 if numbers[0] is None and numbers[1] is not None else numbers[0]
    cells[f"{column}_max"] = 1.0 if numbers[1] is None and numbers[0] is not None else numbers[1]
    if strict:
        cells[f"{column}_exclusive"] = ";".join(strict)
    level = str(interest.get("directOrIndirect") or interest.get("interestLevel"))
    if level in ("direct", "indirect"):
        cells["indirect"] = level == "indirect" or cells.get("indirect", False)


def _fraction(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        return None
    return round(float(value) / 100, 15)


def _later(day: str | None, other: str | None) -> str | None:
    return max(filter(None, (day, other)), default=None)


def _earlier(day: str | None, other: str | None) -> str | None:
    return min(filter(None, (day, other)), default=None)
