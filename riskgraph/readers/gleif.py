"""GLEIF data as a graph: who is who (level 1), who consolidates whom (level 2), and why a parent is not named."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from riskgraph.errors import InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._gleif_records import gleif_records
from riskgraph.readers._intake import Intake
from riskgraph.readers._places import Place
from riskgraph.readers._records import Record, as_text_or_none
from riskgraph.readers._rows import Rows
from riskgraph.readers.tables import check_options

__all__ = ["read_gleif"]

_KINDS = {"FUND": "product", "RESIDENT_GOVERNMENT_ENTITY": "state", "INTERNATIONAL_ORGANIZATION": "state"}
#: relationship type → kind, whether it runs from the parent (end node) to the child (start node), role
_RELATIONS = {
    "IS_DIRECTLY_CONSOLIDATED_BY": ("controls", True, "direct consolidation"),
    "IS_ULTIMATELY_CONSOLIDATED_BY": ("controls", True, "ultimate consolidation"),
    "IS_FUND-MANAGED_BY": ("manages", True, None),
    "IS_SUBFUND_OF": ("branch_of", False, "sub-fund"),
    "IS_FEEDER_TO": ("invests", False, "feeder"),
    "IS_INTERNATIONAL_BRANCH_OF": ("branch_of", False, "international branch"),
}
_WORDS = {word: number for number, word in enumerate(_RELATIONS)}
_VOID = frozenset({"ANNULLED", "DUPLICATE"})


def read_gleif(path: str | os.PathLike[str], *, on_error: str = "quarantine") -> EntityGraph:
    r"""Graph of GLEIF files: level 1, level 2 and reporting exceptions, as golden-copy CSV, JSON or XML.

    Answers of the GLEIF API (JSON) are read too. Accounting consolidation is control, not a share: the parent
    ``controls`` the child, and the percentage some records carry stays in ``consolidated_percent``. A fund is managed
    by its manager; a sub-fund and an international branch are ``branch_of`` their head; a feeder ``invests`` in its
    master. A reporting exception is a fact ``undisclosed_owner`` of the firm, its value the reason
    (``NO_KNOWN_PERSON``, ``NON_CONSOLIDATING`` …). Firms that only level 2 or the exceptions name become entities with
    their LEI.

    Raises
    ------
    InvalidTable
        No GLEIF record, or a bad row under ``on_error="raise"``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import riskgraph as rg
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "rr.csv"
    >>> head = "Relationship.StartNode.NodeID,Relationship.EndNode.NodeID,Relationship.RelationshipType"
    >>> row = "213800AAAAAAAAAAAA11,213800BBBBBBBBBBBB22,IS_DIRECTLY_CONSOLIDATED_BY"
    >>> _ = file.write_text(f"{head}\n{row}\n")
    >>> rg.readers.read_gleif(file).relations[["source", "target", "kind"]]
                     source                target      kind
    0  213800BBBBBBBBBBBB22  213800AAAAAAAAAAAA11  controls
    """
    check_options(on_error)
    intake = Intake()
    rows = Rows(intake)
    seen = _Seen(rows)
    count = 0
    for record in gleif_records(Path(path), intake):
        data = record.data
        if "Relationship.RelationshipType" in data:
            _relation(record, rows, seen)
        elif "ExceptionCategory" in data:
            _exception(record, rows, seen)
        elif "LEI" in data and any(key.startswith("Entity.") for key in data):
            _entity(record, rows, seen)
        else:
            keys = {"keys": ", ".join(data)[:200]}
            rows.leave_out("entities", record.label, "", "no level 1, level 2 or exception record", keys)
            continue
        count += 1
    if not count:
        raise InvalidTable(
            f"{str(path)!r} holds no GLEIF record: no LEI with Entity, Relationship or ExceptionCategory"
        )
    for lei, label in seen.unknown.items():
        rows.add("entities", label, id=lei, kind="company", lei=lei)
    if seen.unknown:
        text = f"{len(seen.unknown)} firms have no level 1 record here; made from their LEI"
        intake.note("entities", next(iter(seen.unknown.values())), "id", text)
    return rows.graph(on_error)


class _Seen:
    """Which firms have a record of level 1, which are only named by others, and which relationships were told."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._known = bytearray()
        self._told: set[tuple[Any, ...]] = set()
        self._days: dict[Any, Any] = {}
        #: LEI that is only named so far → where first
        self.unknown: dict[str, Place] = {}

    def is_new(self, lei: str) -> bool:
        """Whether a level 1 record is the first of its LEI; it is then known."""
        code = self._rows.code(lei)
        if self._is_known(code):
            return False
        self._known += bytes(max(code + 1 - len(self._known), 0))
        self._known[code] = True
        self.unknown.pop(lei, None)
        return True

    def _is_known(self, code: int) -> bool:
        return code < len(self._known) and bool(self._known[code])

    def name(self, lei: str, label: Place) -> None:
        """An LEI that another record names."""
        if not self._is_known(self._rows.code(lei)):
            self.unknown.setdefault(lei, label)

    def says_new(self, child: str, parent: str, word: str, *days: str | None) -> bool:
        """Whether no record said that before."""
        kept = (self._days.setdefault(day, day) for day in days)
        key = (self._rows.code(child), self._rows.code(parent), _WORDS[word], *kept)
        if key in self._told:
            return False
        self._told.add(key)
        return True


def _entity(record: Record, rows: Rows, seen: _Seen) -> None:
    data, lei = record.data, str(record.data["LEI"])
    status = as_text_or_none(data.get("Registration.RegistrationStatus"))
    if status in _VOID:
        rows.leave_out("entities", record.label, "LEI", f"the registration of {lei} is {status}", {"id": lei})
        return
    if not seen.is_new(lei):
        rows.leave_out("entities", record.label, "LEI", f"{lei} has a record already", {"id": lei}, repeat=True)
        return
    rows.add(
        "entities",
        record.label,
        id=lei,
        kind=_KINDS.get(str(data.get("Entity.EntityCategory")), "company"),
        name=as_text_or_none(data.get("Entity.LegalName")),
        status=as_text_or_none(data.get("Entity.EntityStatus")),
        lei=lei,
        uscc=_uscc(as_text_or_none(data.get("Entity.RegistrationAuthority.RegistrationAuthorityEntityID"))),
        start=_day(data.get("Entity.EntityCreationDate")),
        end=_day(data.get("Entity.EntityExpirationDate")),
        jurisdiction=as_text_or_none(data.get("Entity.LegalJurisdiction")),
        country=as_text_or_none(data.get("Entity.LegalAddress.Country")),
        legal_form=as_text_or_none(data.get("Entity.LegalForm.EntityLegalFormCode")),
        registration_number=as_text_or_none(data.get("Entity.RegistrationAuthority.RegistrationAuthorityEntityID")),
        registration_status=status,
    )


def _uscc(number: str | None) -> str | None:
    """A registration number that has the shape of a Chinese unified social credit code."""
    return number if number and re.fullmatch(r"[1-9A-Y]\d{7}[0-9A-HJ-NPQRTUWXY]{10}", number) else None


def _relation(record: Record, rows: Rows, seen: _Seen) -> None:
    data = record.data
    child = as_text_or_none(data.get("Relationship.StartNode.NodeID"))
    parent = as_text_or_none(data.get("Relationship.EndNode.NodeID"))
    word = str(data["Relationship.RelationshipType"])
    status = as_text_or_none(data.get("Registration.RegistrationStatus"))
    cells: dict[str, Any] = {"child": child, "parent": parent, "type": word}
    if word not in _RELATIONS or child is None or parent is None:
        text = (
            f"{word!r} is no relationship type that is known"
            if word not in _RELATIONS
            else "a relationship needs both nodes"
        )
        rows.leave_out("relations", record.label, "Relationship.RelationshipType", text, cells)
        return
    if status in _VOID:
        text = f"the relationship is {status}"
        rows.leave_out("relations", record.label, "Registration.RegistrationStatus", text, cells)
        return
    start, end = _period(data)
    if str(data.get("Relationship.RelationshipStatus")) == "INACTIVE" and end is None:
        end = _day(data.get("Registration.LastUpdateDate"))
        if end is None:
            text = "inactive without an end date"
            rows.leave_out("relations", record.label, "Relationship.RelationshipStatus", text, cells)
            return
    if not seen.says_new(child, parent, word, start, end):
        text = "another record says the same"
        rows.leave_out("relations", record.label, "Relationship.RelationshipType", text, cells, repeat=True)
        return
    kind, down, role = _RELATIONS[word]
    for node in (child, parent):
        seen.name(node, record.label)
    percent = next((value for key, value in sorted(data.items()) if key.endswith("QuantifierAmount")), None)
    rows.add(
        "relations",
        record.label,
        source=parent if down else child,
        target=child if down else parent,
        kind=kind,
        role=role,
        start=start,
        end=end,
        known_from=_day(data.get("Registration.InitialRegistrationDate")),
        consolidated_percent=as_text_or_none(percent),
    )


def _period(data: dict[str, Any]) -> tuple[str | None, str | None]:
    """Start and end of the relationship period among the periods of a record, whatever form they came in."""
    periods: dict[str, dict[str, Any]] = {}
    for key, value in data.items():
        match = re.match(r"Relationship\.(?:Period|RelationshipPeriods)(.*)\.(\w+)$", key)
        if match:
            periods.setdefault(match[1], {})[match[2].lower()] = value
    for period in periods.values():
        if period.get("periodtype") == "RELATIONSHIP_PERIOD":
            return _day(period.get("startdate")), _day(period.get("enddate"))
    return None, None


def _exception(record: Record, rows: Rows, seen: _Seen) -> None:
    data = record.data
    lei = as_text_or_none(data.get("LEI"))
    if lei is None:
        rows.leave_out(
            "facts", record.label, "LEI", "an exception needs the LEI of its firm", {"keys": ", ".join(data)}
        )
        return
    seen.name(lei, record.label)
    rows.add(
        "facts",
        record.label,
        entity=lei,
        fact="undisclosed_owner",
        value=as_text_or_none(data.get("ExceptionReason")) or "unknown",
        known_from=_day(data.get("ContentDate")),
        category=as_text_or_none(data.get("ExceptionCategory")),
    )


def _day(value: Any) -> str | None:
    """The day of a time stamp."""
    text = as_text_or_none(value)
    return None if text is None else text[:10]
