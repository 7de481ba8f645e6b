"""Statements of the Beneficial Ownership Data Standard, versions 0.2 to 0.4, as a graph.

Every version of a record is a statement; what a statement says holds until the next statement of its record replaces
or closes it, and is known from the day of the statement.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from riskgraph.errors import InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._bods_model import meaning
from riskgraph.readers._bods_statements import (
    UNKNOWN,
    Interest,
    Link,
    Statement,
    entity_of,
    plain,
    replacements,
    statement_of,
)
from riskgraph.readers._intake import Intake
from riskgraph.readers._places import Place
from riskgraph.readers._records import Record, as_list, as_text_or_none, load_records
from riskgraph.readers._rows import Rows
from riskgraph.readers.tables import check_options

__all__ = ["read_bods"]

#: which bound of a share is not held itself
_STRICT = {"low": "exclusiveMinimum", "high": "exclusiveMaximum"}

#: which bound of a share is not held itself
_STRICT = {"low": "exclusiveMinimum", "high": "exclusiveMaximum"}


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
    books = _Books(rows, replacements(load_records(path, intake, "relations")))
    for record in load_records(path, Intake(), "relations"):
        books.take(record)
    if not books.entities and not books.links:
        raise InvalidTable(f"{str(path)!r} holds no BODS statement: each has a recordType or a statementType")
    books.relate()
    return rows.graph(on_error)


class _Books:
    """The second reading: of an entity its latest statement, of a relationship what every statement says of it."""

    def __init__(self, rows: Rows, last: Callable[[str], str]) -> None:
        self._rows, self._last = rows, last
        self._seen: set[str] = set()
        self._pool: dict[Any, Any] = {}
        #: record → kind and day of the statement that stands in its row
        self.entities: dict[str, tuple[str, str]] = {}
        self.links: dict[str, list[Link]] = {}
        self.unnamed: set[str] = set()

    def take(self, record: Record) -> None:
        """One statement, or why it is left out."""
        statement = statement_of(record, self._last)
        if statement is None:
            text = (
                "a BODS statement needs a statement id and a record or statement type of entity, person or relationship"
            )
            self._rows.leave_out("relations", record.label, "recordType", text, plain(record.data))
            return
        if statement.id in self._seen:
            text = f"the statement {statement.id} stands twice"
            self._rows.leave_out("relations", record.label, "statementId", text, plain(record.data))
            return
        self._seen.add(statement.id)
        own = statement.record
        kind = self.entities[own][0] if own in self.entities else "relationship" if own in self.links else None
        if kind not in (None, statement.kind):
            text = f"the record {own} is a {kind} already"
            self._rows.leave_out("relations", record.label, "recordType", text, plain(record.data))
        elif statement.kind == "relationship":
            self.links.setdefault(self._one(own), []).append(self._link(statement))
        else:
            self._enter(statement)

    def _one(self, value: Any) -> Any:
        """The same object for equal texts."""
        return self._pool.setdefault(value, value) if isinstance(value, str) else value

    def _enter(self, statement: Statement) -> None:
        """An entity where its record first comes; a statement of a later day, or of the same, takes its row."""
        day = statement.day or ""
        known = self.entities.get(statement.record)
        if known is not None and day < known[1]:
            return
        told = (statement.kind, day)
        self.entities[self._one(statement.record)] = self._pool.setdefault(told, told)
        row = self._rows.code(statement.record)
        cells = entity_of(statement)
        if known is None:
            self._rows.add("entities", statement.label, **cells)
        else:
            self._rows.put("entities", row, statement.label, **cells)

    def _link(self, statement: Statement) -> Link:
        one, details = self._one, statement.details
        interests = [interest for interest in as_list(details.get("interests")) if isinstance(interest, dict)]
        return Link(
            statement.label,
            statement.id,
            one(statement.day),
            statement.closed,
            one(statement.source),
            one(details.get("subject")),
            one(details.get("interestedParty")),
            tuple(self._interest(interest) for interest in interests),
            tuple(one(str(part)) for part in as_list(details.get("componentRecords"))),
        )

    def _interest(self, interest: dict[str, Any]) -> Interest:
        one, share = self._one, interest.get("share")
        if isinstance(share, dict):
            share = self._pool.setdefault(("share", json.dumps(share)), share)
        return Interest(
            one(str(interest.get("type") or "unknownInterest")),
            one(interest.get("details")),
            one(as_text_or_none(interest.get("startDate"))),
            one(as_text_or_none(interest.get("endDate"))),
            share,
            one(str(interest.get("directOrIndirect") or interest.get("interestLevel"))),
        )

    def relate(self) -> None:
        """The relations of all relationships; an indirect one goes where a chain of the others says the same."""
        ends = array("q")
        held: list[tuple[Place, dict[str, Any]]] = []
        for record, statements in self.links.items():
            statements.sort(key=lambda statement: statement.day or "")
            for label, cells in _relationship(record, statements, self._rows, self):
                if not cells.get("indirect") and cells["kind"] in ("owns", "controls"):
                    ends.extend((self._rows.code(cells["source"]), self._rows.code(cells["target"])))
                if held or cells.get("indirect"):
                    held.append((label, cells))
                else:
                    self._rows.add("relations", label, **cells)
        steps: dict[int, set[int]] = {}
        for source, target in zip(ends[::2], ends[1::2], strict=True) if held else ():
            steps.setdefault(source, set()).add(target)
        for label, cells in held:
            source, target = self._rows.code(cells["source"]), self._rows.code(cells["target"])
            if cells.get("indirect") and _leads(steps, source, target):
                text = "an indirect interest; the chain of holdings it runs through is in the data"
                self._rows.leave_out("relations", label, "interests", text, cells, repeat=True)
            else:
                self._rows.add("relations", label, **cells)


def _leads(steps: Mapping[int, set[int]], source: int, target: int) -> bool:
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


# -- relationships ---------------------------------------------------------------------------------------------------


def _relationship(
    record: str, statements: list[Link], rows: Rows, books: _Books
) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Relations of all statements of a relationship record, each with its place."""
    for place, statement in enumerate(statements):
        if statement.closed:
            continue
        following = statements[place + 1] if place + 1 < len(statements) else None
        about = {"record": record, "statement": statement.id}
        subject, party, interests = statement.subject, statement.party, statement.interests
        if not isinstance(subject, str):
            text = "the subject is not named; a relation needs one"
            rows.leave_out("relations", statement.label, "subject", text, about)
            continue
        if not isinstance(party, str):
            party = _unnamed(record, statement, following, not place, rows, books)
            if party is None:
                continue
        elif party not in books.entities:
            text = f"the interested party {party} is in no entity or person statement"
            rows.leave_out("relations", statement.label, "interestedParty", text, about)
            continue
        if subject not in books.entities:
            text = f"the subject {subject} is in no entity statement"
            rows.leave_out("relations", statement.label, "subject", text, about)
            continue
        components = statement.components
        indirect = {interest.level for interest in interests} == {"indirect"}
        if components and indirect and books.links.keys() >= set(components):
            text = f"an indirect relationship that its components {', '.join(components[:4])} say in full"
            cells = {"record": record, "statement": statement.id, "source": party, "target": subject}
            rows.leave_out("relations", statement.label, "componentRecords", text, cells, repeat=True)
            continue
        span = (statement.day if place else None, _until(following))
        for number, cells in enumerate(_relations(interests, statement, span, rows)):
            id = f"{statement.id}/{number}" if number or len(statements) > 1 else record
            yield statement.label, {"id": id, "source": party, "target": subject, **cells}


def _until(following: Link | None) -> str | None:
    """The day up to which a statement holds: the end its closing gives, else the day of the next one."""
    if following is None:
        return None
    ends = [interest.end for interest in following.interests]
    if following.closed and ends and all(ends):
        return max(filter(None, ends))
    return following.day


def _unnamed(
    record: str, statement: Link, following: Link | None, first: bool, rows: Rows, books: _Books
) -> str | None:
    """Write down why an owner is not named; an owner that is said to hold something is an entity of kind unknown."""
    party = statement.party if isinstance(statement.party, dict) else {}
    reason = as_text_or_none(party.get("reason"))
    rows.add(
        "facts",
        statement.label,
        id=record if first else statement.id,
        entity=statement.subject,
        fact="undisclosed_owner",
        value=reason or "unknown",
        start=statement.day,
        end=following.day if following else None,
        known_from=statement.day,
        source_ref=statement.source,
        description=as_text_or_none(party.get("description")),
        statement=statement.id,
    )
    if not statement.interests:
        return None
    id = f"unnamed:{record}"
    if id not in books.entities and id not in books.unnamed:
        books.unnamed.add(id)
        rows.add("entities", statement.label, id=id, kind="unknown", name=reason)
    return id


def _relations(
    interests: tuple[Interest, ...], statement: Link, span: tuple[str | None, str | None], rows: Rows
) -> list[dict[str, Any]]:
    """Relations of the interests of one statement; share and votes of one period are one holding."""
    common = {"known_from": statement.day, "source_ref": statement.source, "statement": statement.id}
    found: list[dict[str, Any]] = []
    holdings: dict[tuple[Any, Any], dict[str, Any]] = {}
    for interest in interests or (UNKNOWN,):
        word = interest.word
        kind, role = meaning(word, interest.details)
        start, end = _later(interest.start, span[0]), _earlier(interest.end, span[1])
        if start and end and start >= end:
            text = f"the interest {word} from {start} had ended before the statement said so"
            rows.intake.note("relations", statement.label, "interests", text)
            continue
        dates = {"start": start, "end": end, **common}
        if kind == "owns":
            cells = holdings.setdefault((start, end), {"kind": kind, **dates})
            _size(interest, role, cells, statement, rows)
        else:
            found.append({"kind": kind, "role": role, **dates})
    return [*holdings.values(), *found]


def _size(interest: Interest, role: str | None, cells: dict[str, Any], statement: Link, rows: Rows) -> None:
    word, share = interest.word, interest.share
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
    if interest.level in ("direct", "indirect"):
        cells["indirect"] = interest.level == "indirect" or cells.get("indirect", False)


def _fraction(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        return None
    return round(float(value) / 100, 15)


def _later(day: str | None, other: str | None) -> str | None:
    return max(filter(None, (day, other)), default=None)


def _earlier(day: str | None, other: str | None) -> str | None:
    return min(filter(None, (day, other)), default=None)
