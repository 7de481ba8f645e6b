"""FollowTheMoney entities, one JSON object a line, as a graph.

Nodes become entities; the interval schemata (Ownership, Directorship, Family …) become relations, every pair of their
ends one; Sanction objects and the topics ``sanction``, ``debarment``, ``corp.disqual`` become cases.
"""

from __future__ import annotations

import itertools
import os
from typing import Any, NamedTuple

import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.readers._intake import Intake
from riskgraph.readers._records import Record, Rows, load_records
from riskgraph.readers._values import parse_money, parse_shares
from riskgraph.readers.tables import check_options

__all__ = ["read_ftm"]

_KINDS = {
    "Person": "person",
    "Company": "company",
    "Organization": "company",
    "LegalEntity": "unknown",
    "PublicBody": "state",
    "Security": "product",
    "Asset": "product",
    "BankAccount": "account",
    "CryptoWallet": "account",
    "Address": "address",
    "Trust": "trust",
}


class _Edge(NamedTuple):
    source: str
    target: str
    kind: str
    role: str | None = None


_EDGES = {
    "Ownership": _Edge("owner", "asset", "owns"),
    "Control": _Edge("controller", "controlled", "controls"),
    "Directorship": _Edge("director", "organization", "officer", "director"),
    "Employment": _Edge("employee", "employer", "officer", "employee"),
    "Membership": _Edge("member", "organization", "officer", "member"),
    "Representation": _Edge("agent", "client", "officer", "representative"),
    "Family": _Edge("person", "relative", "kin"),
    "Associate": _Edge("person", "associate", "cooperates", "associate"),
    "UnknownLink": _Edge("subject", "object", "cooperates", "unknown link"),
    "Debt": _Edge("creditor", "debtor", "lends"),
    "Payment": _Edge("payer", "beneficiary", "pays"),
    "Similar": _Edge("candidate", "match", "same_as"),
}
#: link schemata that no relation kind stands for
_LEFT = {"Succession": "predecessor"}
#: topic → case type; topics that follow from others (sanction.linked …) are kept on the entity and make no case
_TOPICS = {
    "sanction": "sanctioned",
    "debarment": "banned",
    "corp.disqual": "banned",
    "reg.action": "order",
    "reg.warn": "abnormal",
    "crime": "criminal_record",
}


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
    entities = _fragments(load_records(path, intake, "entities"), rows)
    listed = {
        subject
        for record in entities
        if record.data["schema"] in ("Sanction", "Risk")
        for subject in _values(record, "entity")
    }
    for record in entities:
        schema = record.data["schema"]
        if schema in _EDGES:
            _relation(record, _EDGES[schema], rows)
        elif schema in ("Sanction", "Risk"):
            _sanction(record, rows)
        elif schema in _LEFT:
            rows.leave_out("relations", record.label, "schema", f"no relation kind stands for {schema}", record.data)
        else:
            _entity(record, rows, listed)
    return rows.graph(on_error)


def _fragments(records: list[Record], rows: Rows) -> list[Record]:
    """Records with an id and a schema; those of one id are one."""
    merged: dict[str, Record] = {}
    for record in records:
        data = record.data
        id, schema, properties = data.get("id"), data.get("schema"), data.get("properties")
        if not isinstance(id, str) or not id or not isinstance(schema, str) or not isinstance(properties, dict):
            text = "a FollowTheMoney entity needs the texts id and schema and the object properties"
            rows.leave_out("entities", record.label, "id", text, data)
            continue
        clean = {
            str(key): [str(value) for value in _many(values) if value is not None] for key, values in properties.items()
        }
        if id in merged:
            first = merged[id].data
            for key, values in clean.items():
                known = first["properties"].setdefault(key, [])
                known += [value for value in values if value not in known]
            rows.intake.note("entities", record.label, "id", f"a further fragment of {id}; put together", "repaired")
        else:
            merged[id] = Record(record.label, {**data, "properties": clean})
    return list(merged.values())


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _values(record: Record, name: str) -> list[str]:
    found: list[str] = record.data["properties"].get(name, [])
    return found


def _first(record: Record, *names: str) -> str | None:
    return next((value for name in names for value in _values(record, name)), None)


def _joined(record: Record, name: str) -> str | None:
    return ";".join(_values(record, name)) or None


def _entity(record: Record, rows: Rows, listed: set[str]) -> None:
    schema, id = record.data["schema"], record.data["id"]
    if schema not in _KINDS:
        rows.intake.note(
            "entities", record.label, "schema", f"the schema {schema} is kept as an entity of kind unknown"
        )
    capital = _amount(record, "capital", rows)
    rows.add(
        "entities",
        record.label,
        id=id,
        kind=_KINDS.get(schema, "unknown"),
        name=record.data.get("caption") or _first(record, "name", "full"),
        status=_first(record, "status"),
        capital=capital,
        uscc=_first(record, "uscCode"),
        lei=_first(record, "leiCode"),
        start=min(_values(record, "incorporationDate"), default=None),
        end=max(_values(record, "dissolutionDate"), default=None),
        source_ref=_first(record, "sourceUrl"),
        schema=schema,
        country=_joined(record, "country") or _joined(record, "jurisdiction"),
        registration_number=_first(record, "registrationNumber"),
        topics=_joined(record, "topics"),
        aliases=";".join(dict.fromkeys([*_values(record, "name"), *_values(record, "alias")])) or None,
    )
    topics = ["crime" if topic.startswith("crime") else topic for topic in _values(record, "topics")]
    for kind in dict.fromkeys(_TOPICS.get(topic) for topic in topics):
        if kind is not None and not (kind == "sanctioned" and id in listed):
            authority = ";".join(map(str, _many(record.data.get("datasets") or []))) or None
            rows.add("cases", record.label, entity=id, type=kind, authority=authority)
    for address in _values(record, "addressEntity"):
        rows.add("relations", record.label, id=f"{id}@{address}", source=id, target=address, kind="located_at")


def _amount(record: Record, name: str, rows: Rows) -> float | None:
    value = _first(record, name)
    if value is None:
        return None
    read = parse_money(pd.Series([value], dtype=object))
    if read.bad[0] or read.foreign[0]:
        rows.intake.note("entities", record.label, name, f"{value!r} is no amount in CNY; left out")
        return None
    return float(read.amount[0])


def _relation(record: Record, edge: _Edge, rows: Rows) -> None:
    sources, targets = _values(record, edge.source), _values(record, edge.target)
    if not sources or not targets:
        missing = edge.target if sources else edge.source
        rows.leave_out("relations", record.label, missing, f"a {record.data['schema']} needs {missing}", record.data)
        return
    cells: dict[str, Any] = {
        "kind": edge.kind,
        "role": _first(record, "role", "relationship", "controlType") or edge.role,
        "start": min(_values(record, "startDate") or _values(record, "date"), default=None),
        "end": max(_values(record, "endDate"), default=None),
        "source_ref": _first(record, "sourceUrl"),
        "schema": record.data["schema"],
    }
    if edge.kind == "owns":
        cells.update(_share(record, rows))
    if edge.kind == "same_as":
        cells["confidence"] = _number(_first(record, "confidenceScore"))
    if edge.kind in ("pays", "lends", "owns"):
        cells.update(_money(record))
    pairs = list(itertools.product(sources, targets))
    for place, (source, target) in enumerate(pairs):
        id = record.data["id"] if len(pairs) == 1 else f"{record.data['id']}#{place}"
        rows.add("relations", record.label, id=id, source=source, target=target, **cells)


def _share(record: Record, rows: Rows) -> dict[str, float]:
    values = _values(record, "percentage")
    if not values:
        return {}
    read = parse_shares(pd.Series(values, dtype=object), unit="percent")
    good = ~read.bad
    if not good.all():
        odd = [value for value, bad in zip(values, read.bad, strict=True) if bad]
        text = f"{', '.join(map(repr, odd))} cannot be read as a percentage; the share is unknown"
        rows.intake.note("relations", record.label, "percentage", text)
    if not good.any():
        return {}
    if good.sum() > 1:
        rows.intake.note("relations", record.label, "percentage", f"of {values} the bounds are taken")
    return {"share_min": float(read.low[good].min()), "share_max": float(read.high[good].max())}


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _money(record: Record) -> dict[str, Any]:
    """An amount in CNY, or the text of one in another currency."""
    value, currency = _first(record, "amount", "sharesValue"), (_first(record, "currency") or "").upper()
    if value is not None and currency in ("CNY", "RMB"):
        return {"amount": _number(value.replace(",", ""))}
    for name in ("amountEur", "amountUsd"):
        if value is None and (other := _first(record, name)):
            value, currency = other, name[-3:].upper()
    return {} if value is None else {"amount_given": f"{value} {currency}".strip()}


def _sanction(record: Record, rows: Rows) -> None:
    for entity in _values(record, "entity"):
        rows.add(
            "cases",
            record.label,
            entity=entity,
            type="sanctioned" if record.data["schema"] == "Sanction" else "abnormal",
            authority=_first(record, "authority"),
            topic=_first(record, "program", "programId", "reason"),
            start=min(_values(record, "startDate"), default=None),
            end=max(_values(record, "endDate"), default=None),
            known_from=min(_values(record, "listingDate"), default=None),
            source_ref=_first(record, "sourceUrl"),
        )
