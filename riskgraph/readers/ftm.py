"""FollowTheMoney entities, one JSON object a line, as a graph.

Nodes become entities; the interval schemata (Ownership, Directorship, Family …) become relations, every pair of their
ends one; Sanction objects and the topics ``sanction``, ``debarment``, ``corp.disqual`` become cases.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.readers._ftm_model import EDGES, KIND_TAG, KINDS, TOPIC_CASES, Edge
from riskgraph.readers._intake import Intake
from riskgraph.readers._records import Record, load_records
from riskgraph.readers._rows import Rows
from riskgraph.readers._values import parse_money, parse_shares
from riskgraph.readers.tables import check_options
from riskgraph.schema import CASE_TYPES, ENTITY_KINDS, RELATION_KINDS, SECTORS

__all__ = ["read_ftm"]

#: link schemata that no relation kind stands for
_LEFT = {"Succession": "predecessor"}


def read_ftm(path: str | os.PathLike[str], *, on_error: str = "quarantine") -> EntityGraph:
    r"""Graph of FollowTheMoney entities: a file of one JSON object a line, or a folder of such files.

    ``percentage`` is read as a percentage, ranges included; an interval with several owners or assets is one relation
    for each pair. Fragments of one id are put together. Persons, companies, addresses and assets keep their
    ``schema``, ``country`` and ``topics`` as extra columns. Amounts in other currencies than CNY stay in
    ``amount_given``. Succession has no relation kind of its own and is set aside.

    Raises
    ------
    InvalidTable
        A file holds no JSON object, or a bad row under ``on_error="raise"``.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> import riskgraph as rg
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "a.ftm.json"
    >>> rows = [
    ...     {"id": "ann", "schema": "Person", "properties": {"name": ["Ann Example"], "topics": ["sanction"]}},
    ...     {"id": "mine", "schema": "Company", "properties": {"name": ["Mine Ltd"]}},
    ...     {"id": "o", "schema": "Ownership",
    ...      "properties": {"owner": ["ann"], "asset": ["mine"], "percentage": ["51%"]}},
    ... ]
    >>> _ = file.write_text("\n".join(map(json.dumps, rows)))
    >>> graph = rg.readers.read_ftm(file)
    >>> graph.relations[["source", "target", "kind", "share_min"]]
      source target  kind  share_min
    0    ann   mine  owns       0.51
    >>> graph.seeds().to_dict()
    {'ann': 1.0}
    """
    check_options(on_error)
    intake = Intake()
    rows = Rows(intake)
    survey = _survey(load_records(path, intake, "entities"), rows)
    for record in _merged(load_records(path, Intake(), "entities"), survey):
        schema = record.data["schema"]
        if schema in EDGES:
            _relation(record, EDGES[schema], rows)
        elif schema in ("Sanction", "Risk"):
            _sanction(record, rows)
        elif schema in _LEFT:
            rows.leave_out("relations", record.label, "schema", f"no relation kind stands for {schema}", record.data)
        else:
            _entity(record, rows, survey.told)
    return rows.graph(on_error)


class _Survey(NamedTuple):
    """What must be known before the first record is taken."""

    #: subjects of sanctions and risks, with the topics these give
    told: set[tuple[str, str]]
    #: id → its further fragments, for the few ids that have any
    further: dict[str, list[Record]]


def _survey(records: Iterable[Record], rows: Rows) -> _Survey:
    """A first reading: records that are no entities are left out, further fragments of an id set apart."""
    seen: set[str] = set()
    sanctions: dict[str, list[Record]] = {}
    further: dict[str, list[Record]] = {}
    for given in records:
        record = _clean(given)
        if record is None:
            text = "a FollowTheMoney entity needs the texts id and schema and the object properties"
            rows.leave_out("entities", given.label, "id", text, given.data)
            continue
        id = record.data["id"]
        if id in seen:
            further.setdefault(id, []).append(record)
            rows.intake.note("entities", record.label, "id", f"a further fragment of {id}; put together", "repaired")
        seen.add(id)
        if id in sanctions or (id not in further and record.data["schema"] in ("Sanction", "Risk")):
            sanctions.setdefault(id, []).append(record)
    told = {
        (subject, topic)
        for parts in sanctions.values()
        for subject in (subject for part in parts for subject in _values(part, "entity"))
        for topic in ("sanction", *(topic for part in parts for topic in _values(part, "topics")))
    }
    return _Survey(told, further)


def _merged(records: Iterable[Record], survey: _Survey) -> Iterator[Record]:
    """The second reading: every entity once, where its first fragment stands, with what the others add."""
    done: set[str] = set()
    for given in records:
        record = _clean(given)
        if record is None or record.data["id"] in done:
            continue
        id, properties = record.data["id"], record.data["properties"]
        for part in survey.further.get(id, ()):
            done.add(id)
            for key, values in part.data["properties"].items():
                known = properties.setdefault(key, [])
                known += [value for value in values if value not in known]
        yield record


def _clean(record: Record) -> Record | None:
    """A record with an id, a schema and properties that are lists of texts; None where it has not."""
    data = record.data
    id, schema, properties = data.get("id"), data.get("schema"), data.get("properties")
    if not isinstance(id, str) or not id or not isinstance(schema, str) or not isinstance(properties, dict):
        return None
    clean = {
        str(key): [str(value) for value in _many(values) if value is not None] for key, values in properties.items()
    }
    return Record(record.label, {**data, "properties": clean})


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _values(record: Record, name: str) -> list[str]:
    found: list[str] = record.data["properties"].get(name, [])
    return found


def _first(record: Record, *names: str) -> str | None:
    return next((value for name in names for value in _values(record, name)), None)


def _joined(record: Record, name: str) -> str | None:
    return ";".join(_values(record, name)) or None


def _entity(record: Record, rows: Rows, told: set[tuple[str, str]]) -> None:
    schema, id = record.data["schema"], record.data["id"]
    kind = KINDS.get(schema, "unknown")
    tags = [word.removeprefix(KIND_TAG) for word in _values(record, "keywords") if word.startswith(KIND_TAG)]
    if tags and tags[0] in ENTITY_KINDS:
        kind = tags[0]
    elif schema not in KINDS:
        rows.intake.note(
            "entities", record.label, "schema", f"the schema {schema} is kept as an entity of kind unknown"
        )
    name = record.data.get("caption") or _first(record, "name", "full")
    names = [*_values(record, "name"), *_values(record, "alias")]
    rows.add(
        "entities",
        record.label,
        id=id,
        kind=kind,
        name=name,
        sector=next((sector for sector in _values(record, "sector") if sector in SECTORS), None),
        status=_first(record, "status"),
        capital=_amount(record, "capital", rows),
        uscc=_first(record, "uscCode"),
        lei=_first(record, "leiCode"),
        start=_of_all(min, record, "incorporationDate", "issueDate", "openingDate"),
        end=_of_all(max, record, "dissolutionDate", "maturityDate", "closingDate"),
        source_ref=_first(record, "sourceUrl", "publisher"),
        schema=schema,
        country=_joined(record, "country") or _joined(record, "jurisdiction"),
        registration_number=_first(record, "registrationNumber"),
        topics=_joined(record, "topics"),
        birth_date=_first(record, "birthDate"),
        aliases=";".join(dict.fromkeys([*(own for own in (name,) if own in names), *names])) or None,
    )
    topics = [topic for topic in _values(record, "topics") if (id, topic) not in told]
    for case in dict.fromkeys(TOPIC_CASES.get("crime" if topic.startswith("crime") else topic) for topic in topics):
        if case is not None:
            authority = ";".join(map(str, _many(record.data.get("datasets") or []))) or None
            about = {"entity": id, "type": case, "authority": authority, "schema": "topic"}
            rows.add("cases", record.label, id=f"{id}:{case}", **about)
    for address in _values(record, "addressEntity"):
        rows.add("relations", record.label, id=f"{id}@{address}", source=id, target=address, kind="located_at")


def _of_all(pick: Callable[..., str | None], record: Record, *names: str) -> str | None:
    """The first or last of the days that several properties give."""
    return pick((value for name in names for value in _values(record, name)), default=None)


def _amount(record: Record, name: str, rows: Rows) -> float | None:
    value = _first(record, name)
    if value is None:
        return None
    amount = _yuan(value)
    if amount is None:
        rows.intake.note("entities", record.label, name, f"{value!r} is no amount in CNY; left out")
    return amount


@lru_cache(maxsize=10_000)
def _yuan(text: str) -> float | None:
    read = parse_money(pd.Series([text], dtype=object))
    return None if read.bad[0] or read.foreign[0] else float(read.amount[0])


def _relation(record: Record, edge: Edge, rows: Rows) -> None:
    sources, targets = _values(record, edge.source), _values(record, edge.target)
    if not sources or not targets:
        missing = edge.target if sources else edge.source
        rows.leave_out("relations", record.label, missing, f"a {record.data['schema']} needs {missing}", record.data)
        return
    schema, kind = record.data["schema"], edge.kind
    role = _first(record, "role", "relationship", "controlType") or edge.role
    if schema == "UnknownLink" and role in RELATION_KINDS:
        kind, role = role, _first(record, "description")
    if schema == "Ownership" and "invests" in _values(record, "ownershipType"):
        kind = "invests"
    cells: dict[str, Any] = {
        "kind": kind,
        "role": role,
        "start": min(_values(record, "startDate") or _values(record, "date"), default=None),
        "end": max(_values(record, "endDate"), default=None),
        "known_from": min(_values(record, "retrievedAt"), default=None),
        "source_ref": _first(record, "sourceUrl", "publisher"),
        "schema": schema,
    }
    if schema == "Ownership":
        cells.update(_share(record, rows))
    if schema == "Similar":
        cells["confidence"] = _number(_first(record, "confidenceScore"))
    if edge.money is not None:
        cells.update(_money(record))
    pairs = list(itertools.product(sources, targets))
    for place, (source, target) in enumerate(pairs):
        id = record.data["id"] if len(pairs) == 1 else f"{record.data['id']}#{place}"
        rows.add("relations", record.label, id=id, source=source, target=target, **cells)


def _share(record: Record, rows: Rows) -> dict[str, float]:
    values = _values(record, "percentage")
    if not values:
        return {}
    read = {value: _interval(value) for value in values}
    if odd := [value for value, bounds in read.items() if bounds is None]:
        text = f"{', '.join(map(repr, odd))} cannot be read as a percentage; the share is unknown"
        rows.intake.note("relations", record.label, "percentage", text)
    found = [bounds for bounds in read.values() if bounds is not None and not math.isnan(bounds[0])]
    if not found:
        return {}
    if len(found) > 1:
        rows.intake.note("relations", record.label, "percentage", f"of {values} the bounds are taken")
    return {"share_min": min(low for low, _ in found), "share_max": max(high for _, high in found)}


@lru_cache(maxsize=10_000)
def _interval(text: str) -> tuple[float, float] | None:
    read = parse_shares(pd.Series([text], dtype=object), unit="percent")
    return None if read.bad[0] else (float(read.low[0]), float(read.high[0]))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _money(record: Record) -> dict[str, Any]:
    """An amount in CNY, or the text of one in another currency."""
    value = _first(record, "amount", "sharesValue")
    currency = (_first(record, "currency", "sharesCurrency") or "").upper()
    if value is not None and currency in ("CNY", "RMB"):
        return {"amount": _number(value.replace(",", ""))}
    for name in ("amountEur", "amountUsd"):
        if value is None and (other := _first(record, name)):
            value, currency = other, name[-3:].upper()
    return {} if value is None else {"amount_given": f"{value} {currency}".strip()}


def _sanction(record: Record, rows: Rows) -> None:
    schema, reason = record.data["schema"], _first(record, "reason")
    told = reason if schema == "Risk" and reason in CASE_TYPES else None
    subjects = _values(record, "entity")
    for place, entity in enumerate(subjects):
        rows.add(
            "cases",
            record.label,
            id=record.data["id"] if len(subjects) == 1 else f"{record.data['id']}#{place}",
            entity=entity,
            type=told or ("sanctioned" if schema == "Sanction" else "abnormal"),
            authority=_first(record, "authority"),
            topic=_first(record, "program", "programId") or (None if told else reason),
            start=min(_values(record, "startDate"), default=None),
            end=max(_values(record, "endDate"), default=None),
            known_from=min(_values(record, "listingDate"), default=None),
            source_ref=_first(record, "sourceUrl", "publisher"),
            schema=schema,
        )
