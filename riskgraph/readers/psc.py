"""The register of people with significant control of UK companies (snapshot, one JSON object a line) as a graph."""

from __future__ import annotations

import os
import re
from typing import Any

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.readers._intake import Intake
from riskgraph.readers._records import Record, as_list, as_text_or_none, load_records
from riskgraph.readers._rows import Rows
from riskgraph.readers.tables import check_options

__all__ = ["read_psc"]

_BAND = re.compile(
    r"^(?P<what>ownership-of-shares|voting-rights|(?:part-)?right-to-share-surplus-assets)-"
    r"(?P<low>\d+)-to-(?P<high>\d+)-percent(?P<how>.*)$"
)
_MORE = re.compile(r"^(?P<what>ownership-of-shares|voting-rights)-more-than-(?P<low>\d+)-percent(?P<how>.*)$")
_KINDS = {
    "individual-": "person",
    "corporate-entity-": "company",
    "legal-person-": "state",
    "super-secure-": "unknown",
}


def read_psc(path: str | os.PathLike[str], *, on_error: str = "quarantine", at_75: str = "upper") -> EntityGraph:
    r"""Graph of a snapshot of the UK register of people with significant control.

    A band such as ``25-to-50-percent`` is the interval [0.25, 0.5] of ``owns``, its voting right that of the votes; a
    right to appoint directors is ``controls``; significant influence is a holding of unknown size. A corporate owner
    with a UK registration number is that company; a person is one only within one company, as ``person:NAME (year-month
    of birth)@NUMBER``, until matched; the month of birth stands in ``birth_date``. Statements such as
    ``no-individual-or-entity-with-signficant-control`` become facts ``undisclosed_owner`` of the company. The register
    says over 25 %: the bound 0.25 itself is not held, which the column ``share_exclusive`` keeps.

    A file of any size is read as a stream, packed (gzip, zip) or not.

    Parameters
    ----------
    at_75
        Which band holds exactly 75 %, on which the register's own texts differ: ``"upper"`` (75 % and more) or
        ``"lower"`` (up to 75 %); the upper band of ``"lower"`` and the lower band of ``"upper"`` exclude it.

    Raises
    ------
    InvalidTable
        No JSON record, or a bad row under ``on_error="raise"``.

    References
    ----------
    Companies House, people with significant control snapshot and its enumerations of natures of control.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> import riskgraph as rg
    >>> row = {"company_number": "123456", "data": {
    ...     "kind": "individual-person-with-significant-control", "name": "Ms Ann Example",
    ...     "date_of_birth": {"year": 1970, "month": 1}, "notified_on": "2016-04-06",
    ...     "natures_of_control": ["ownership-of-shares-50-to-75-percent"]}}
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "psc.jsonl"
    >>> _ = file.write_text(json.dumps(row))
    >>> rg.readers.read_psc(file).relations[["source", "target", "share_min", "share_max"]]
                                        source    target  share_min  share_max
    0  person:Ms Ann Example (1970-01)@00123456  00123456        0.5       0.75
    """
    check_options(on_error)
    if at_75 not in ("upper", "lower"):
        raise InvalidParameter(f"'at_75' must be 'upper' or 'lower'; got {at_75!r}")
    intake = Intake()
    rows = Rows(intake)
    for record in load_records(path, intake, "relations"):
        _record(record, rows, at_75)
    return rows.graph(on_error)


def _record(record: Record, rows: Rows, at_75: str) -> None:
    data = record.data.get("data")
    company = _number(record.data.get("company_number"))
    kind = str(data.get("kind") or "") if isinstance(data, dict) else ""
    if kind.startswith("totals#"):
        return
    if not isinstance(data, dict) or not company or not kind:
        given = {str(key): as_text_or_none(value) for key, value in record.data.items()}
        text = "a row needs company_number and data with a kind"
        rows.leave_out("relations", record.label, "kind", text, given)
        return
    _enter(rows, record, company, kind="company")
    dates = {"start": as_text_or_none(data.get("notified_on")), "end": as_text_or_none(data.get("ceased_on"))}
    if kind in ("persons-with-significant-control-statement", "exemptions"):
        value = as_text_or_none(data.get("statement")) or "subject exempt from disclosure"
        rows.add("facts", record.label, entity=company, fact="undisclosed_owner", value=value, **dates)
        return
    what = next((what for prefix, what in _KINDS.items() if kind.startswith(prefix)), None)
    if what is None:
        text = f"{kind!r} is no kind of person with significant control that is known"
        rows.leave_out("relations", record.label, "kind", text, {"company_number": company})
        return
    owner = _owner(data, what, company, record, rows)
    link = data.get("links")
    cells = {
        **dates,
        "known_from": dates["start"],
        "source_ref": as_text_or_none(link.get("self")) if isinstance(link, dict) else None,
    }
    for relation in _relations(data, record, rows, at_75):
        rows.add("relations", record.label, source=owner, target=company, **relation, **cells)


def _enter(rows: Rows, record: Record, id: str, **cells: Any) -> None:
    """An entity where it is first told of; who had no name gets what a later record says of it.

    Every id enters here, so that its code is its row.
    """
    row = rows.code(id)
    if row == rows.count("entities"):
        rows.add("entities", record.label, id=id, **cells)
    elif "name" in cells and rows.cell("entities", row, "name") is None:
        rows.put("entities", row, **cells)


def _owner(data: dict[str, Any], what: str, company: str, record: Record, rows: Rows) -> str:
    name = as_text_or_none(data.get("name"))
    identity = data.get("identification")
    identity = identity if isinstance(identity, dict) else {}
    day = None
    number = _number(identity.get("registration_number"))
    place = f"{identity.get('country_registered') or ''} {identity.get('place_registered') or ''}".lower()
    british = any(word in place for word in ("england", "wales", "scotland", "united kingdom", "uk", "companies house"))
    if what == "company" and number and (british or not place.strip()) and re.fullmatch(r"[A-Z0-9]{8}", number):
        id = number
    elif what == "person":
        born = data.get("date_of_birth")
        parts = [as_text_or_none(born.get(part)) for part in ("year", "month")] if isinstance(born, dict) else []
        day = "-".join((part or "?").zfill(2) for part in parts) if any(parts) else None
        id = f"person:{name or 'unnamed'}{f' ({day})' if day else ''}@{company}"
    elif name is None:
        id = f"unnamed:{as_text_or_none(data.get('etag')) or record.label}@{company}"
    else:
        id = f"{what}:{name}"
    _enter(
        rows,
        record,
        id,
        kind=what,
        name=name,
        country=as_text_or_none(identity.get("country_registered"))
        or as_text_or_none(data.get("country_of_residence")),
        legal_form=as_text_or_none(identity.get("legal_form")),
        identifier=as_text_or_none(identity.get("registration_number")),
        birth_date=None if day is None else day.removesuffix("-?").removesuffix("-0?"),
    )
    return id


def _relations(data: dict[str, Any], record: Record, rows: Rows, at_75: str) -> list[dict[str, Any]]:
    """One holding with its votes, and control where directors can be appointed."""
    cells: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    natures = [str(nature) for nature in as_list(data.get("natures_of_control"))]
    for nature in natures or ["unstated"]:
        match = _BAND.match(nature) or _MORE.match(nature)
        if match is not None:
            low, high = int(match["low"]) / 100, int(match.groupdict().get("high") or 100) / 100
            column = {"ownership-of-shares": "share", "voting-rights": "votes"}.get(match["what"])
            way = match["how"].strip("-")
            words = filter(None, [cells.get("role"), nature if column is None else way])
            cells["role"] = ";".join(dict.fromkeys(words)) or None
            if column is not None:
                # as a trustee or member of a firm one may hold the same shares: the bounds of all ways together
                cells[f"{column}_min"] = max(low, cells.get(f"{column}_min", 0.0))
                cells[f"{column}_max"] = min(1.0, high + cells.get(f"{column}_max", 0.0))
                open_low = low != 0.75 or at_75 == "lower"
                cells["share_exclusive"] = "low" if open_low else None
        elif nature.startswith("right-to-appoint-and-remove"):
            found.append({"kind": "controls", "role": nature})
        elif nature.startswith("registered-owner-as-nominee"):
            found.append({"kind": "officer", "role": "nominee"})
        else:
            if not nature.startswith("significant-influence-or-control") and nature != "unstated":
                text = f"{nature!r} is no nature of control that is known; a holding of unknown size"
                rows.intake.note("relations", record.label, "natures_of_control", text)
            cells["role"] = ";".join(filter(None, [cells.get("role"), nature]))
    return [{"kind": "owns", **cells}, *found] if cells else found


def _number(value: Any) -> str | None:
    """A company number with eight places: digits padded, letters in capitals."""
    text = as_text_or_none(value)
    if text is None:
        return None
    text = re.sub(r"\s", "", text).upper()
    return text.zfill(8) if text.isdigit() and len(text) < 8 else text
