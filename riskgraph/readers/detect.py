"""Which format a file or folder holds, told by a look at its beginnings, never by its ending alone.

A new format is one entry in :data:`FORMATS`: its name, what it is recognised by, and its reader.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from riskgraph._pseudonyms import SecretKey, pseudonymised
from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._cn_roles import COMPANY_SHEETS, sheet_of
from riskgraph.readers._files import data_files, peek_headers
from riskgraph.readers._headers import canonical, fold, table_of
from riskgraph.readers._stream import inner_name, opened
from riskgraph.readers.icij import is_icij, is_icij_nodes
from riskgraph.schema import TABLES

__all__ = ["FORMATS", "Format", "Glance", "detect", "read"]

_log = logging.getLogger(__name__)
_HEAD = 1 << 16
_KEY = re.compile(r'"([^"\\\r\n]{1,80})"\s*:')
_TAG = re.compile(r"<(?:\w+:)?(\w+)[\s/>]")
_TEXTS = (".json", ".jsonl", ".ndjson", ".ijson", ".xml")
_SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".csv.gz", ".txt.gz", ".xlsx", ".xlsm", ".parquet", ".zip"),
    *_TEXTS,
    *(f"{ending}.gz" for ending in _TEXTS),
)


@dataclass
class Glance:
    """What a look at one file shows: the headers of its tables, or the keys or tags of its text."""

    path: Path
    #: stem and headers of every table
    tables: list[tuple[str, list[str]]] = field(default_factory=list)
    #: JSON keys or XML tags in the first 64 KiB
    keys: frozenset[str] = frozenset()

    @property
    def headers(self) -> set[str]:
        """Headers of all tables of the file."""
        return {header for _, headers in self.tables for header in headers}


class Format(NamedTuple):
    """A format: how a file of it is recognised, and who reads it."""

    name: str
    #: what is looked for, for the message when nothing fits
    sign: str
    fits: Callable[[list[Glance]], bool]
    module: str
    reader: str


def _is_tables(glance: Glance) -> bool:
    for stem, headers in glance.tables:
        told = sheet_of(headers)
        if told is not None and told[0].name in ("tree", "platforms"):
            continue  # an id and a type stand there too, and mean something else
        table = table_of(stem, headers)
        if table in ("entities", "relations") and set(TABLES[table].required) <= set(
            canonical(table, headers).values()
        ):
            return True
    return False


def _is_registry_cn(glances: list[Glance]) -> bool:
    found = [told for glance in glances for _, headers in glance.tables if (told := sheet_of(headers)) is not None]
    if any(sheet.name in COMPANY_SHEETS and _telling(sheet.name, names) for sheet, names in found):
        return True
    # a bare list of codes and names is one of companies if the other tables refer to companies
    return {sheet.name for sheet, _ in found} > {"companies"}


def _telling(sheet: str, names: Mapping[object, str]) -> bool:
    told = {column: fold(header) for header, column in names.items()}
    return sheet != "companies" or "uscc" in told or told.get("name") not in ("name", "名称", None)


def _is_icij_table(glance: Glance) -> bool:
    return any(is_icij(headers) or is_icij_nodes(headers) for _, headers in glance.tables)


def _any(fits: Callable[[Glance], bool]) -> Callable[[list[Glance]], bool]:
    return lambda glances: any(fits(glance) for glance in glances)


def _has(*keys: str) -> Callable[[list[Glance]], bool]:
    """Whether all of the keys stand in the beginning of one of the JSON files."""
    return _any(lambda glance: set(keys) <= glance.keys)


#: keys of the three records that answers of the GLEIF API hold
_GLEIF_API = ({"lei", "entity"}, {"startNode", "endNode"}, {"lei", "category", "reason"})


def _is_gleif(glance: Glance) -> bool:
    seen = glance.keys | glance.headers
    return bool(
        {"LEIRecord", "RelationshipRecord", "Relationship.RelationshipType", "RelationshipType"} & seen
        or ("LEI" in seen and {"Entity", "Entity.LegalName", "ExceptionCategory", "Exception.Category"} & seen)
        or ("attributes" in seen and any(keys <= seen for keys in _GLEIF_API))
    )


#: in the order in which they are tried
FORMATS: tuple[Format, ...] = (
    Format(
        "ftm",
        "JSON with the keys schema and properties",
        _has("schema", "properties"),
        "riskgraph.readers.ftm",
        "read_ftm",
    ),
    Format(
        "bods",
        "JSON with the key recordType or statementType",
        _any(lambda glance: bool({"recordType", "statementType"} & glance.keys)),
        "riskgraph.readers.bods",
        "read_bods",
    ),
    Format(
        "psc",
        "JSON with the keys company_number, data and kind",
        _has("company_number", "data", "kind"),
        "riskgraph.readers.psc",
        "read_psc",
    ),
    Format(
        "gleif",
        "CSV, JSON or XML with LEI and Entity, ExceptionCategory or RelationshipType",
        _any(_is_gleif),
        "riskgraph.readers.gleif",
        "read_gleif",
    ),
    Format(
        "icij",
        "a table with the columns node_id_start, node_id_end and link or rel_type, or node_id, name and sourceID",
        _any(_is_icij_table),
        "riskgraph.readers.icij",
        "read_icij",
    ),
    Format(
        "tables",
        "a table with the columns id + kind, or source + target + kind (编号 + 类型, 起点 + 终点 + 关系类型)",
        _any(_is_tables),
        "riskgraph.readers.tables",
        "read_tables",
    ),
    Format(
        "registry_cn",
        "a sheet of companies (企业名称 or gsmc with 统一社会信用代码, 法定代表人, 注册资本 …), "
        "a tree (eid, percent, parent_id), or a platform list (platId, platName)",
        _is_registry_cn,
        "riskgraph.readers.registry_cn",
        "read_registry_cn",
    ),
)


def detect(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> str:
    r"""Name of the format that a file or folder holds.

    Raises
    ------
    InvalidTable
        None of the formats fits; the message says what was looked for and what was found.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from riskgraph.readers import detect
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "export.csv"
    >>> _ = file.write_text("source,target,kind\nA,B,owns\n")
    >>> detect(file)
    'tables'
    """
    place = Path(path)
    files, _ = data_files(place, _SUFFIXES)
    glances = [glance for file in files if (glance := _glance(file, columns)) is not None]
    for form in FORMATS:
        if form.fits(glances):
            return form.name
    found = "; ".join(_told(glance) for glance in glances[:10]) or "no data file"
    looked = "; ".join(f"{form.name}: {form.sign}" for form in FORMATS)
    raise InvalidTable(f"the format of {str(place)!r} is not known: found {found}. Looked for {looked}")


def read(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    on_error: str = "quarantine",
    columns: Mapping[str, str] | None = None,
    pseudonymise: bytes | str | None = None,
    **options: Any,
) -> EntityGraph:
    r"""Graph of a file or folder of any format that riskgraph reads; the format taken is logged.

    Parameters
    ----------
    format
        Name of the format, where it is known; else it is recognised from the content.
    on_error
        ``"quarantine"`` sets bad rows aside in ``graph.rejected``; ``"raise"`` raises.
    columns
        Other spellings of columns, theirs to ours; for tables and registry sheets.
    pseudonymise
        A key of at least 16 bytes: persons stand behind keyed hashes from the start, as
        :func:`riskgraph.privacy.pseudonymise` puts them, and no message quotes what is in the file.
    **options
        Further options of the format's reader.

    Raises
    ------
    InvalidTable
        The format is not known, a file cannot be parsed, or a bad row under ``on_error="raise"``.
    InvalidParameter
        ``format`` names none, or the key is too short.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import riskgraph as rg
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "holdings.csv"
    >>> _ = file.write_text("source,target,kind,share\nA,B,owns,60%\nB,C,owns,100%\n")
    >>> rg.read(file)
    EntityGraph: 3 entities, 2 relations, undated
    """
    key = None if pseudonymise is None else SecretKey(pseudonymise)
    name = detect(path, columns=columns) if format is None else format
    form = next((form for form in FORMATS if form.name == name), None)
    if form is None:
        raise InvalidParameter(f"'format' must be one of {', '.join(form.name for form in FORMATS)}; got {format!r}")
    _log.info("%s: read as %s", path, form.name)
    reader = getattr(importlib.import_module(form.module), form.reader)
    if columns:
        if form.name not in ("tables", "registry_cn"):
            raise InvalidParameter(f"'columns' maps headers of tables; {form.name} has fixed names, leave it out")
        options["columns"] = columns
    try:
        graph: EntityGraph = reader(path, on_error=on_error, **options)
    except InvalidTable:
        if key is None:
            raise
        raise InvalidTable(
            f"{Path(path).name} cannot be read as {form.name}; why is not told, for it would quote what is in "
            "it: read it without 'pseudonymise' to see"
        ) from None
    return graph if key is None else pseudonymised(graph, key)


def _glance(path: Path, columns: Mapping[str, str] | None) -> Glance | None:
    """What a file begins with: keys of JSON or tags of XML whatever it is called, else the headers of its tables."""
    if not path.name.lower().endswith(_SUFFIXES):
        return None
    try:
        name = inner_name(path)
        with opened(path) as stream:
            head = stream.read(_HEAD)
    except InvalidTable:
        return Glance(path)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[", b"<") or name.endswith(_TEXTS):
        pattern = _TAG if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else _KEY
        return Glance(path, keys=frozenset(pattern.findall(head.decode("utf-8", errors="replace"))))
    tables = [
        (stem, [(columns or {}).get(header, header) for header in headers]) for stem, headers in peek_headers(path)
    ]
    return Glance(path, tables=tables)


def _told(glance: Glance) -> str:
    words = sorted(glance.keys) or [header for _, headers in glance.tables for header in headers]
    return f"{glance.path.name} with {', '.join(map(str, words[:12])) or 'nothing'}"
