"""A graph as statements of the Beneficial Ownership Data Standard, version 0.4."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.readers._bods_model import REASONS, TYPES, interest
from riskgraph.readers._losses import Losses, iso_day, rows_of, write_objects

__all__ = ["write_bods"]

_LINKS = ("owns", "controls", "officer")
#: column → scheme of org-id.guide and its name
_REGISTERS = {
    "lei": ("XI-LEI", "Global Legal Entity Identifier Index"),
    "uscc": ("CN-SAIC", "State Administration for Market Regulation, Unified Social Credit Code"),
}


def write_bods(
    graph: EntityGraph, path: str | os.PathLike[str], *, day: Any = None, publisher: str = "riskgraph"
) -> pd.DataFrame:
    r"""Write who owns, controls and runs whom as BODS 0.4 statements, and say what that format cannot hold.

    Companies, trusts, states and unknowns are entity records, persons person records; ``owns``, ``controls`` and
    ``officer`` are relationship records with the id of the relation. A share is exact or an interval; a share that is
    not known is none. A fact ``undisclosed_owner`` is a relationship whose party is a reason. Statement ids follow from
    the content: the same graph gives the same file. :func:`read_bods` reads it back, shares to 15 decimal places.

    Parameters
    ----------
    path
        The file, a JSON array with one statement a line. Written aside and renamed, as by :func:`write_tables`.
    day
        Date of publication, and of the statements about rows that say neither ``known_from`` nor ``start``; the day
        the graph stands at if None.
    publisher
        Name of the publisher, which every statement carries.

    Returns
    -------
    pandas.DataFrame
        What is not in the file, or not as it was: ``table, column, count, example, problem``; empty when all is held.

    Raises
    ------
    InvalidParameter
        ``day`` is missing and the graph is undated, or it is no date.

    References
    ----------
    Open Ownership, Beneficial Ownership Data Standard 0.4.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import riskgraph as rg
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "chain.bods.json"
    >>> lost = rg.readers.write_bods(rg.datasets.toy_chain(), file, day="2016-06-30")
    >>> lost[["table", "column", "problem"]].values.tolist()
    [['relations', 'known_from', 'missing; a statement needs a date']]
    >>> rg.read(file).relations[["source", "target", "kind", "share_min"]]
        source   target  kind  share_min
    0      Ann  Holding  owns        0.6
    1  Holding     Mine  owns        0.5
    """
    losses = Losses()
    published = _day(graph, day)
    details = {"publicationDate": published, "bodsVersion": "0.4", "publisher": {"name": publisher}}
    write_objects(path, _statements(graph, published, details, losses), "[]")
    return losses.frame()


def _day(graph: EntityGraph, day: Any) -> str:
    if day is None and graph.valid_on is None:
        raise InvalidParameter("'day' must be given for a graph without dates: every statement has one")
    try:
        text = iso_day(graph.valid_on if day is None else day)
    except (ValueError, TypeError) as error:
        raise InvalidParameter(f"'day' must be a date such as 2016-06-30; got {day!r}") from error
    if text is None:
        raise InvalidParameter(f"'day' must be a date of the years 1000 to 8999; got {day!r}")
    return text


def _statements(
    graph: EntityGraph, published: str, publication: dict[str, Any], losses: Losses
) -> Iterator[dict[str, Any]]:
    known = {cells["id"]: cells for cells in rows_of(graph.known("entities").drop(columns="ended"))}
    facts = {cells["id"]: cells for cells in rows_of(graph.known("facts"))}
    links = rows_of(graph.known("relations"))
    # a holder that stands for nobody named: its relation and the fact that says why are one record
    unnamed = {
        cells["id"]
        for cells in links
        if cells["source"] == f"unnamed:{cells['id']}" and facts.get(cells["id"], {}).get("fact") == "undisclosed_owner"
    }
    used_ids: set[str] = set()
    used = set(known)

    def statement(
        cells: dict[str, Any], record: str, kind: str, subject: str, details: dict[str, Any], status: str = "new"
    ) -> dict[str, Any]:
        date = cells.pop("statement_date")
        body: dict[str, Any] = {
            "statementDate": date,
            "declarationSubject": subject,
            "recordId": record,
            "recordType": kind,
            "recordStatus": status,
            "recordDetails": {"isComponent": False, **details},
            "publicationDetails": publication,
        }
        if (origin := cells.pop("source_ref", None)) is not None:
            body["source"] = {"url" if origin.startswith(("http://", "https://")) else "description": origin}
        given = cells.pop("statement", None)
        id = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        if isinstance(given, str) and 32 <= len(given) <= 64 and given not in used_ids and status == "new":
            id = given
        elif given is not None:
            losses.add({"relationship": "relations"}.get(kind, "entities"), ["statement"], record, "has a new id")
        used_ids.add(id)
        return {"statementId": id, **body}

    for id, cells in known.items():
        if id.removeprefix("unnamed:") in unnamed and id.startswith("unnamed:"):
            continue
        if cells["kind"] not in TYPES and cells["kind"] != "person":
            losses.add("entities", ["id"], id, f"BODS knows no record of a {cells['kind']}")
            continue
        # 'known' keeps the kind, which the relations ask for
        rest = {column: cell for column, cell in cells.items() if column not in ("id", "kind")}
        rest["statement_date"] = _said_day(rest.get("start")) or published
        details = _person(rest) if cells["kind"] == "person" else _entity(rest, cells["kind"])
        yield statement(rest, id, "person" if cells["kind"] == "person" else "entity", id, details)
        losses.add("entities", rest, id, f"BODS has no field of a {cells['kind']} for it")
    held = {id for id, cells in known.items() if cells["kind"] in TYPES}
    for cells in links:
        id, source, target = cells.pop("id"), cells.pop("source"), cells.pop("target")
        problem = _unfit(cells["kind"], source, target, held, known)
        if problem:
            losses.add("relations", ["id"], id, problem)
            continue
        party: Any = source
        if id in unnamed:
            party = _reason(id, facts.pop(id), losses)
        _date(cells, published, losses, id, "relations")
        details = {
            "subject": target,
            "interestedParty": party,
            "interests": _interests(cells, known[target]["kind"] == "trust"),
        }
        yield statement(cells, losses.free(id, "relations", used), "relationship", target, details)
        losses.add("relations", cells, id, "BODS has no field of an interest for it")
    for id, cells in facts.items():
        entity = cells.pop("entity")
        if cells.pop("fact") != "undisclosed_owner" or entity not in held:
            losses.add("facts", ["id"], id, "BODS holds only why an owner of an entity is not named")
            continue
        cells.pop("id")
        record, end = losses.free(id, "facts", used), _said_day(cells.pop("end", None))
        details = {"subject": entity, "interestedParty": _reason(id, cells, losses)}
        _date(cells, published, losses, id, "facts")
        if _said_day(cells.pop("start", None)) != cells["statement_date"]:
            losses.add("facts", ["start"], id, "only the day from which it is known is held")
        origin = cells.get("source_ref")
        yield statement(cells, record, "relationship", entity, details)
        if end is not None:
            closing = {"statement_date": end, "source_ref": origin} if origin else {"statement_date": end}
            yield statement(closing, record, "relationship", entity, details, "closed")
        losses.add("facts", cells, id, "BODS has no field of an unnamed party for it")
    for table in ("cases", "licences"):
        for cells in rows_of(graph.known(table)):
            losses.add(table, ["id"], cells["id"], "BODS has no record of it")


def _unfit(kind: str, source: str, target: str, held: set[str], known: dict[str, dict[str, Any]]) -> str | None:
    """Why a relation cannot be a relationship record."""
    if kind not in _LINKS:
        return f"BODS has no interest that says {kind}"
    if target not in held:
        return f"the subject of a relationship is an entity; {known[target]['kind']} is none"
    if source not in held and known[source]["kind"] != "person":
        return f"an interested party is an entity or a person; {known[source]['kind']} is neither"
    return None


def _said_day(value: Any) -> str | None:
    return None if value is None else iso_day(value)


def _date(cells: dict[str, Any], published: str, losses: Losses, id: str, table: str) -> None:
    """The day of a statement is that from which it is known; where that is not said, the start or the publication."""
    known = _said_day(cells.get("known_from"))
    if known is None:
        losses.add(table, ["known_from"], id, "missing; a statement needs a date")
    else:
        del cells["known_from"]
    cells["statement_date"] = known or _said_day(cells.get("start")) or published


# -- records ---------------------------------------------------------------------------------------------------------


def _entity(cells: dict[str, Any], kind: str) -> dict[str, Any]:
    """Details of an entity record; what they hold is taken out of the cells."""
    details: dict[str, Any] = {"entityType": {"type": TYPES[kind]} | ({"subtype": "trust"} if kind == "trust" else {})}
    if kind == "unknown":
        details["unspecifiedEntityDetails"] = {"reason": "unknown"}
    if (name := cells.pop("name", None)) is not None:
        details["name"] = name
    details |= _identifiers(cells, _REGISTERS)
    if 2 <= len(str(cells.get("jurisdiction", ""))) <= 6:
        code = str(cells.pop("jurisdiction"))
        details["jurisdiction"] = {"name": code, "code": code}
    return details | _days(cells, {"start": "foundingDate", "end": "dissolutionDate"})


def _person(cells: dict[str, Any]) -> dict[str, Any]:
    details: dict[str, Any] = {"personType": "knownPerson"}
    if (name := cells.pop("name", None)) is not None:
        details["names"] = [{"fullName": name}]
    if (born := cells.pop("birth_date", None)) is not None:
        details["birthDate"] = str(born)
    return details | _identifiers(cells, {}) | _days(cells, {"end": "deathDate"})


def _identifiers(cells: dict[str, Any], registers: dict[str, tuple[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Numbers with the register that gave them; ``identifier`` is a scheme and a number."""
    found = [
        {"id": cells.pop(column), "scheme": scheme, "schemeName": title}
        for column, (scheme, title) in registers.items()
        if column in cells
    ]
    if (given := cells.pop("identifier", None)) is not None:
        scheme, _, number = str(given).rpartition(" ")
        found.append({"id": number, "scheme": scheme} if scheme else {"id": number, "schemeName": "not stated"})
    return {"identifiers": found} if found else {}


def _days(cells: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    found = {}
    for column, name in names.items():
        if (text := _said_day(cells.get(column))) is not None:
            found[name] = text
            del cells[column]
    return found


def _interests(cells: dict[str, Any], trust: bool) -> list[dict[str, Any]]:
    """Interests of one relation: shares and votes, the rights its role names, a post or a right to control."""
    kind, role = cells.pop("kind"), cells.pop("role", None)
    level = cells.pop("indirect", None)
    about = {"directOrIndirect": "indirect" if level is True else "direct"}
    about |= _days(cells, {"start": "startDate", "end": "endDate"})
    sizes = {
        word: share
        for word, column in (("shareholding", "share"), ("votingRights", "votes"))
        if kind == "owns" and (share := _share(cells, column))
    }
    if not sizes:
        return [{**word, **about} for word in _rights(kind, role, trust)]
    found: list[dict[str, Any]] = []
    for word, share in sizes.items():
        found.append({"type": word, "share": share, **about})
    if role is not None:
        words = _rights(kind, role, trust)
        if any("details" in word for word in words):
            found[0]["details"] = words[0]["details"]
        else:
            found += [{**word, **about} for word in words]
    return found


def _rights(kind: str, role: str | None, trust: bool) -> list[dict[str, str]]:
    """The interest of a role; a holding may name several rights, each an interest of its own."""
    words = [interest(kind, word, trust=trust) for word in role.split(";")] if role and kind == "owns" else []
    return words if words and not any("details" in word for word in words) else [interest(kind, role, trust=trust)]


def _share(cells: dict[str, Any], column: str) -> dict[str, float]:
    """A share in percent: exact, or an interval whose open bound is that of every share."""
    low, high = cells.pop(f"{column}_min", None), cells.pop(f"{column}_max", None)
    if low is None and high is None:
        return {}
    strict = str(cells.pop(f"{column}_exclusive", "")).split(";")
    low, high = 0.0 if low is None else low, 1.0 if high is None else high
    if low == high and not any(strict):
        return {"exact": _percent(low)}
    return {
        "exclusiveMinimum" if "low" in strict else "minimum": _percent(low),
        "exclusiveMaximum" if "high" in strict else "maximum": _percent(high),
    }


def _percent(share: float) -> float:
    return float(Decimal(repr(float(share))) * 100)


def _reason(id: str, cells: dict[str, Any], losses: Losses) -> dict[str, str]:
    """Why a party is not named; a reason of no code stands in the description."""
    value, description = str(cells.pop("value")), cells.pop("description", None)
    if value in REASONS:
        return {"reason": value} | ({"description": str(description)} if description is not None else {})
    losses.add("facts", ["value"], id, "no reason of the code list; written as unknown and described")
    return {"reason": "unknown", "description": value}
