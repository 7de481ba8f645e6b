"""A graph as FollowTheMoney entities, one JSON object a line, with topics that follow from the cases in force."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.readers._ftm_model import (
    CASE_TOPICS,
    EDGES,
    ENTITY_PROPERTIES,
    KIND_TAG,
    KINDS,
    LEGAL,
    SCHEMATA,
    TOPIC_CASES,
    Edge,
)
from riskgraph.readers._losses import Losses, iso_day, rows_of, write_objects
from riskgraph.schema import SECTORS

__all__ = ["write_ftm"]

_DAYS = ("start", "end", "known_from")


def write_ftm(graph: EntityGraph, path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Write everything a graph knows as FollowTheMoney entities, and say what that format cannot hold.

    Companies, persons, products, accounts, addresses become the schemata of that name; kinds that FollowTheMoney lacks
    (website, advertisement, trust) are told by a keyword ``kind:…``. Relations become Ownership with its percentage,
    Directorship, Control, Family, Debt, Payment, Similar; an investment is an Ownership of the type ``invests``;
    those without a schema are an UnknownLink whose ``role`` is the kind. Cases become Risk objects, and an entity under
    a case in force on the graph's day gets the topic that follows from it (a ban ``debarment``, an order or a penalty
    ``reg.action`` …). :func:`read_ftm` reads all of it back.

    Parameters
    ----------
    path
        The file, named ``….ftm.json`` by custom. Written aside and renamed, as by :func:`write_tables`.

    Returns
    -------
    pandas.DataFrame
        What is not in the file, or not as it was: ``table, column, count, example, problem``; empty when all is held.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import riskgraph as rg
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "chain.ftm.json"
    >>> rg.readers.write_ftm(rg.datasets.toy_chain(), file)[["table", "column", "count"]].values.tolist()
    []
    >>> rg.read(file).relations[["source", "target", "kind", "share_min"]]
        source   target  kind  share_min
    0      Ann  Holding  owns        0.6
    1  Holding     Mine  owns        0.5
    """
    losses = Losses()
    write_objects(path, _objects(graph, losses), "")
    return losses.frame()


def _objects(graph: EntityGraph, losses: Losses) -> Iterator[dict[str, Any]]:
    entities = rows_of(graph.known("entities").drop(columns="ended"))
    schemata = {cells["id"]: _schema(cells) for cells in entities}
    links = rows_of(graph.known("relations"))
    addresses: dict[str, list[str]] = {}
    for cells in links:
        if _is_plain_address(cells, schemata):
            addresses.setdefault(cells["source"], []).append(cells["target"])
    topics = _topics(graph)
    told = _told_by_topics(graph, entities)
    datasets = {entity: authority.split(";") for entity, authority in told.values() if authority}
    used = set(schemata)
    for cells in entities:
        id = cells["id"]
        found = _entity(cells, schemata[id], topics.get(id, []), losses)
        if id in addresses:
            found["properties"]["addressEntity"] = addresses[id]
        yield found | ({"datasets": datasets[id]} if id in datasets else {})
    for cells in links:
        if not _is_plain_address(cells, schemata):
            yield _link(cells, schemata, used, losses)
    for cells in rows_of(graph.known("cases")):
        if cells["id"] not in told:
            yield _case(cells, used, losses)
    for table in ("licences", "facts"):
        for cells in rows_of(graph.known(table)):
            losses.add(table, ["id"], cells["id"], "FollowTheMoney has no schema for it")


def _topics(graph: EntityGraph) -> dict[str, list[str]]:
    """Entity → topics that follow from its cases in force."""
    found: dict[str, list[str]] = {}
    for cells in rows_of(graph.cases):
        topic = "sanction" if cells.get("schema") == "Sanction" else CASE_TOPICS.get(cells["type"])
        if topic and cells.get("schema") != "topic":
            found.setdefault(cells["entity"], []).append(topic)
    return found


def _told_by_topics(graph: EntityGraph, entities: list[dict[str, Any]]) -> dict[str, tuple[str, str | None]]:
    """Cases that came from the topics of an entity, which still say them → the entity, and who says so."""
    topics = {cells["id"]: str(cells.get("topics", "")).split(";") for cells in entities}
    found: dict[str, tuple[str, str | None]] = {}
    for cells in rows_of(graph.known("cases")):
        entity = cells["entity"]
        words = ("crime" if word.startswith("crime") else word for word in topics[entity])
        if cells.get("schema") == "topic" and cells["type"] in map(TOPIC_CASES.get, words):
            found[cells["id"]] = entity, cells.get("authority")
    return found


# -- entities --------------------------------------------------------------------------------------------------------


def _schema(cells: Mapping[str, Any]) -> str:
    """The schema a row came with where it fits its kind, else that of the kind."""
    given, kind = cells.get("schema"), cells["kind"]
    return given if isinstance(given, str) and KINDS.get(given, "unknown") == kind else SCHEMATA[kind]


def _entity(cells: dict[str, Any], schema: str, topics: list[str], losses: Losses) -> dict[str, Any]:
    id, kind = cells.pop("id"), cells.pop("kind")
    cells.pop("schema", None)
    properties: dict[str, list[str]] = {}
    name, aliases = cells.pop("name", None), cells.pop("aliases", None)
    if name is not None:
        properties["full" if schema == "Address" else "name"] = [name]
    elif schema in LEGAL:
        losses.add("entities", ["name"], id, f"missing; FollowTheMoney asks for one in a {schema}")
    if aliases is not None:
        rest = str(aliases).removeprefix(str(name)).split(";")
        if names := [text for text in rest if text and text != name]:
            properties["alias"] = names
    if KINDS.get(schema, "unknown") != kind:
        properties["keywords"] = [f"{KIND_TAG}{kind}"]
    if (country := cells.pop("country", None)) is not None:
        properties["country"] = str(country).split(";")
    own = str(cells.pop("topics", "") or "").split(";")
    if words := [word for word in dict.fromkeys([*own, *topics]) if word]:
        properties["topics"] = words
    properties |= _origin(cells)
    for column, name in ENTITY_PROPERTIES.get(schema, {}).items():
        if column in cells and not (column == "sector" and cells["sector"] not in SECTORS):
            _put(properties, name, column, cells)
    losses.add("entities", cells, id, f"no property of {schema} holds it")
    return {"id": id, "schema": schema, "properties": properties}


def _put(properties: dict[str, list[str]], name: str, column: str, cells: dict[str, Any]) -> None:
    """Move a cell to a property; a day of a year that readers take for open stays behind."""
    if column in cells:
        text = iso_day(cells[column]) if column in _DAYS else str(cells[column])
        if text is not None:
            del cells[column]
            properties[name] = [text]


def _origin(cells: dict[str, Any]) -> dict[str, list[str]]:
    """Where a row comes from: an address on the web, or a name."""
    text = cells.pop("source_ref", None)
    if text is None:
        return {}
    return {"sourceUrl" if text.startswith(("http://", "https://")) else "publisher": [text]}


# -- relations -------------------------------------------------------------------------------------------------------


def _is_plain_address(cells: Mapping[str, Any], schemata: Mapping[str, str]) -> bool:
    """Whether a row says no more than the property ``addressEntity`` of its source does."""
    return (
        cells["kind"] == "located_at"
        and cells["id"] == f"{cells['source']}@{cells['target']}"
        and set(cells) == {"id", "source", "target", "kind"}
        and schemata[cells["target"]] == "Address"
    )


def _link(cells: dict[str, Any], schemata: Mapping[str, str], used: set[str], losses: Losses) -> dict[str, Any]:
    id, kind, source, target = (cells.pop(column) for column in ("id", "kind", "source", "target"))
    schema = _edge_schema(kind, cells, schemata[source], schemata[target])
    edge = EDGES[schema]
    properties = {edge.source: [source], edge.target: [target]}
    for place, end in zip(edge.ends, (source, target), strict=True):
        if place is not None and schemata[end] not in place and cells.get("schema") != schema:
            text = f"a {schemata[end]} stands where a {schema} wants one of {', '.join(sorted(place))}"
            losses.add("relations", ["kind"], id, text)
    cells.pop("schema", None)
    if schema == "UnknownLink":
        properties["role"] = [kind]
    if schema == "Ownership":
        properties |= _percentage(cells)
        if kind == "invests":
            properties["ownershipType"] = [kind]
    if schema == "Similar":
        _put(properties, "confidenceScore", "confidence", cells)
    else:
        properties |= _origin(cells)
    if edge.role_property is not None:
        _put(properties, edge.role_property, "role", cells)
    if edge.dated:
        for column, name in (("start", "startDate"), ("end", "endDate"), ("known_from", "retrievedAt")):
            _put(properties, name, column, cells)
    if edge.money is not None:
        properties |= _money(cells, edge)
    losses.add("relations", cells, id, f"no property of {schema} holds it")
    return {"id": losses.free(id, "relations", used), "schema": schema, "properties": properties}


def _edge_schema(kind: str, cells: Mapping[str, Any], source: str, target: str) -> str:
    """The schema of a relation: the one it came with, else the first of its kind whose ends fit.

    A schema that reads a role of its own into a link without one does not fit; Ownership, Debt and Payment are taken
    whatever the ends, for no other schema holds their numbers. What is invested in is owned, by its own type.
    """
    given = cells.get("schema")
    if kind == "invests":
        return "Ownership"
    if isinstance(given, str) and given in EDGES and EDGES[given].kind == kind:
        return given
    for schema, edge in EDGES.items():
        fits = all(place is None or end in place for place, end in zip(edge.ends, (source, target), strict=True))
        silent = edge.role is not None and "role" not in cells
        if edge.kind == kind and kind != "cooperates" and (edge.money is not None or (fits and not silent)):
            return schema
    return "UnknownLink"


def _percentage(cells: dict[str, Any]) -> dict[str, list[str]]:
    """``51`` or ``25-50``; a bound that is open is that of every share."""
    low, high = cells.pop("share_min", None), cells.pop("share_max", None)
    if low is None and high is None:
        return {}
    bounds = [_percent(0.0 if low is None else low), _percent(1.0 if high is None else high)]
    return {"percentage": ["-".join(dict.fromkeys(bounds))]}


def _percent(share: float) -> str:
    return f"{(Decimal(repr(float(share))) * 100).normalize():f}"


def _money(cells: dict[str, Any], edge: Edge) -> dict[str, list[str]]:
    """An amount in CNY, or the text of one in another currency with that currency."""
    amount, currency = edge.money or ("", "")
    if "amount" in cells:
        return {amount: [repr(float(cells.pop("amount")))], currency: ["CNY"]}
    if "amount_given" in cells:
        number, _, code = str(cells.pop("amount_given")).rpartition(" ")
        return {amount: [number], currency: [code]} if number else {amount: [code]}
    return {}


# -- cases -----------------------------------------------------------------------------------------------------------


def _case(cells: dict[str, Any], used: set[str], losses: Losses) -> dict[str, Any]:
    id, kind, entity = (cells.pop(column) for column in ("id", "type", "entity"))
    schema = "Sanction" if cells.pop("schema", None) == "Sanction" and kind == "sanctioned" else "Risk"
    properties = {"entity": [entity], **_origin(cells)}
    if schema == "Risk":
        properties["reason"] = [kind]
        if kind in CASE_TOPICS:
            properties["topics"] = [CASE_TOPICS[kind]]
    names = {"authority": "authority", "topic": "program", "start": "startDate", "end": "endDate"}
    for column, name in {**names, "known_from": "listingDate"}.items():
        _put(properties, name, column, cells)
    losses.add("cases", cells, id, f"no property of {schema} holds it")
    return {"id": losses.free(id, "cases", used), "schema": schema, "properties": properties}
