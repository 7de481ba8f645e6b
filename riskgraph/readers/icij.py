"""ICIJ Offshore Leaks tables (nodes and relationships as CSV) as a graph.

The data come from leaked files of service providers. That a name stands in them says nothing about wrongdoing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._registry import kind_of_name
from riskgraph.errors import InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._files import RawTable, data_files, load_tables
from riskgraph.readers._headers import fold
from riskgraph.readers._intake import Intake, blank_to_none
from riskgraph.readers.tables import check_options

__all__ = ["is_icij", "is_icij_nodes", "read_icij"]

_SOURCE = ("nodeidstart", "startid", "node1")
_TARGET = ("nodeidend", "endid", "node2")
_LINK = ("link", "reltype", "type")
_NODE = ("nodeid", "id")
_NAME = ("name", "nameaddress", "address")
#: columns that only the leaks have beside a node's name
_OWN = ("sourceid", "validuntil", "icijid", "internalid", "jurisdictiondescription")
#: what a file or a type column calls its nodes → entity kind, None where the name tells
_KINDS: dict[str, str | None] = {
    "entit": "company",
    "officer": None,
    "intermediar": None,
    "other": None,
    "address": "address",
}
#: words of a link, in this order → relation kind and role
_LINKS = (
    (re.compile(r"nominee"), "officer", "nominee"),
    (re.compile(r"shareholder|beneficial owner|beneficiary|owner of|member of foundation|unit holder"), "owns", None),
    (re.compile(r"registered.?address|address of|residential"), "located_at", None),
    (re.compile(r"intermediary"), "officer", "intermediary"),
    (re.compile(r"same.?(name|as|id|company|intermediary|person)|similar|probably|possibly"), "same_as", None),
    (re.compile(r"power of attorney|authori[sz]ed|signatory|legal representative"), "officer", "signatory"),
    (re.compile(r"director"), "officer", "director"),
    (re.compile(r"secretar"), "officer", "secretary"),
    (re.compile(r"president|chair"), "officer", "chairman"),
    (re.compile(r"protector"), "officer", "protector"),
    (re.compile(r"trustee"), "officer", "trustee"),
    (re.compile(r"settlor"), "officer", "settlor"),
    (re.compile(r"officer|manager|partner|auditor|treasurer|appointor|records"), "officer", None),
)
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {month: place for place, month in enumerate(_MONTH_NAMES, start=1)}
_DATES = (
    (re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})"), "ymd"),
    (re.compile(r"^(\d{1,2})[-/ ]([A-Za-z]{3})[A-Za-z]*[-/ ,]+(\d{2,4})$"), "dby"),
    (re.compile(r"^([A-Za-z]{3})[A-Za-z]*[-/ ]+(\d{1,2})[-/ ,]+(\d{2,4})$"), "bdy"),
    (re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{2,4})$"), "dmy"),
    (re.compile(r"^(\d{4})$"), "y"),
)


def read_icij(path: str | os.PathLike[str], *, on_error: str = "quarantine") -> EntityGraph:
    r"""Graph of a folder with Offshore Leaks tables: ``nodes-*.csv`` and ``relationships.csv``, or the layout of 2016.

    The text of ``link`` decides the kind of a relation: shareholders and beneficial owners hold an unknown share,
    directors and the like are officers with their role, nominees and intermediaries too, addresses are ``located_at``,
    suspected doubles ``same_as``. Links that no kind stands for are set aside. A year of two digits lies between 1950
    and 2049.

    Raises
    ------
    InvalidTable
        No table of nodes or none of relationships, or a bad row under ``on_error="raise"``.

    References
    ----------
    International Consortium of Investigative Journalists, Offshore Leaks Database (ODbL 1.0; contents CC BY-SA).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import riskgraph as rg
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "nodes-entities.csv").write_text("node_id,name\n1,EXAMPLE LIMITED\n")
    >>> _ = (folder / "nodes-officers.csv").write_text("node_id,name\n2,Ann Example\n")
    >>> head = "node_id_start,node_id_end,rel_type,link,start_date"
    >>> _ = (folder / "relationships.csv").write_text(f"{head}\n2,1,officer_of,shareholder of,23-MAR-06\n")
    >>> rg.readers.read_icij(folder).relations[["source", "target", "kind", "start"]]
      source target  kind      start
    0      2      1  owns 2006-03-23
    """
    check_options(on_error)
    intake = Intake()
    files, left = data_files(Path(path))
    for name, reason in left:
        frame = pd.DataFrame({"file": [name]}, index=pd.Index([name], dtype=object))
        intake.reject("files", frame, "", f"{name} {reason}")
    nodes, links = [], []
    for raw in (raw for file in files for raw in load_tables(file)):
        names = {fold(header).replace("/", ""): header for header in raw.headers}
        if is_icij(raw.headers):
            links.append(_links(raw, names, intake))
        elif _pick(names, _NODE) and _pick(names, _NAME):
            nodes.append(_nodes(raw, names, intake))
        else:
            intake.note("files", [raw.name], "", f"{raw.name} holds neither nodes nor relationships; left alone")
    if not nodes or not links:
        raise InvalidTable(
            f"{str(path)!r} needs a table of nodes (node_id, name) and one of relationships (node_id_start, "
            f"node_id_end, link); found {', '.join(file.name for file in files) or 'no file'}"
        )
    return intake.graph({"entities": pd.concat(nodes), "relations": pd.concat(links)}, on_error)


def is_icij(headers: list[str]) -> bool:
    """Whether headers are those of a table of relationships.

    Examples
    --------
    >>> is_icij(["node_id_start", "node_id_end", "rel_type"]), is_icij(["source", "target", "kind"])
    (True, False)
    """
    names = {fold(header): header for header in headers}
    return all(_pick(names, wanted) for wanted in (_SOURCE, _TARGET, _LINK))


def is_icij_nodes(headers: list[str]) -> bool:
    """Whether headers are those of a table of nodes.

    Examples
    --------
    >>> is_icij_nodes(["node_id", "name", "sourceID"]), is_icij_nodes(["Type", "ID", "Name/Address"])
    (True, True)
    >>> is_icij_nodes(["id", "kind", "name"])
    False
    """
    names = {fold(header).replace("/", "") for header in headers}
    return {"id", "nameaddress"} <= names or ("nodeid" in names and bool(names & {*_NAME}) and bool(names & {*_OWN}))


def _pick(names: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)


def _labelled(raw: RawTable, table: str, intake: Intake) -> pd.DataFrame:
    intake.damaged(table, raw, label=lambda line: f"{raw.name}:{line}")
    frame = raw.frame.set_axis(pd.Index([f"{raw.name}:{line}" for line in raw.frame.index], dtype=object), axis=0)
    return frame.apply(blank_to_none)


def _nodes(raw: RawTable, names: dict[str, str], intake: Intake) -> pd.DataFrame:
    given = _labelled(raw, "entities", intake)

    def column(*wanted: str) -> pd.Series:
        return _column(given, names, wanted)

    told = column("type").map(_kind_word) if "type" in names else pd.Series(_kind_word(raw.stem), index=given.index)
    name = column(*_NAME)
    kinds = kind_of_name(name).where(told.isna() | (told == "by name"), told)
    frame = pd.DataFrame(
        {
            "id": column(*_NODE),
            "kind": kinds,
            "name": name,
            "status": column("status"),
            "start": column("incorporationdate"),
            "end": column("dissolutiondate", "inactivationdate", "struckoffdate", "closeddate"),
            "source_ref": column("sourceid"),
            "jurisdiction": column("jurisdictiondescription", "jurisdiction"),
            "country": column("countrycodes", "countrycode"),
            "address": column("address"),
            "valid_until": column("validuntil"),
        },
        index=given.index,
    )
    frame = _dated(frame, "entities", ["start", "end"], intake)
    crossed = (frame["end"] <= frame["start"]).to_numpy()
    if crossed.any():
        intake.note("entities", frame.index[crossed], "end", "the end is not after the start; left open", "repaired")
        frame["end"] = frame["end"].where(~crossed)
    return frame


def _kind_word(text: Any) -> str:
    """Entity kind of what a file or a type column calls its nodes; ``by name`` where the name must tell."""
    plain = str(text).lower()
    return next((kind or "by name" for word, kind in _KINDS.items() if word in plain), "by name")


def _column(frame: pd.DataFrame, names: dict[str, str], wanted: tuple[str, ...]) -> pd.Series:
    header = _pick(names, wanted)
    return pd.Series(None, index=frame.index, dtype=object) if header is None else frame[header]


def _links(raw: RawTable, names: dict[str, str], intake: Intake) -> pd.DataFrame:
    given = _labelled(raw, "relations", intake)
    text = _column(given, names, _LINK)
    for name in _LINK[1:]:
        text = text.where(text.notna(), _column(given, names, (name,)))
    codes, distinct = pd.factorize(text)
    read = [_link(word) for word in distinct]
    kinds = np.array([*(kind for kind, _ in read), None], dtype=object)[codes]
    roles = np.array([*(role for _, role in read), None], dtype=object)[codes]
    frame = pd.DataFrame(
        {
            "source": _column(given, names, _SOURCE),
            "target": _column(given, names, _TARGET),
            "kind": kinds,
            "role": roles,
            "start": _column(given, names, ("startdate",)),
            "end": _column(given, names, ("enddate",)),
            "source_ref": _column(given, names, ("sourceid",)),
            "link": text,
        },
        index=given.index,
    )
    frame = intake.sift(
        "relations", frame, frame["kind"].isna().to_numpy(), "link", "no relation kind stands for this link"
    )
    return _dated(frame, "relations", ["start", "end"], intake)


def _link(text: str) -> tuple[str | None, str | None]:
    plain = str(text).lower().replace("_", " ")
    for pattern, kind, role in _LINKS:
        if pattern.search(plain):
            return kind, role or (re.sub(r"\s+of$", "", plain) if kind in ("officer", "owns") else None)
    return None, None


def _dated(frame: pd.DataFrame, table: str, columns: list[str], intake: Intake) -> pd.DataFrame:
    """Dates of the many spellings in the leaks; what cannot be read is left open and reported."""
    for column in columns:
        codes, distinct = pd.factorize(frame[column])
        days = np.array([*(_day(value) for value in distinct), np.datetime64("NaT")], dtype="datetime64[D]")
        found = days[codes]
        bad = np.isnat(found) & frame[column].notna().to_numpy()
        if bad.any():
            texts = [f"{value!r} is no date that can be read; left open" for value in frame[column][bad]]
            intake.note(table, frame.index[bad], column, texts, "repaired")
        frame[column] = found.astype("datetime64[s]")
    return frame


def _day(value: Any) -> np.datetime64:
    text = str(value).strip()
    for pattern, order in _DATES:
        match = pattern.match(text)
        if match is None:
            continue
        parts = dict(zip(order, match.groups(), strict=True))
        year = int(parts["y"])
        year += 0 if len(parts["y"]) > 2 else (1900 if year >= 50 else 2000)
        month = _MONTHS.get(parts.get("b", "").lower(), 0) or int(parts.get("m", 1))
        try:
            return np.datetime64(f"{year:04d}-{month:02d}-{int(parts.get('d', 1)):02d}", "D")
        except ValueError:
            break
    return np.datetime64("NaT", "D")
