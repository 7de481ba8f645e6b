"""The file of a firm: every field with source and method, what is missing, findings with their evidence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph._files import write_file, write_text
from riskgraph.supervision._fields import Field, fields_of
from riskgraph.supervision._view import check_lang, view
from riskgraph.supervision.assignment import assign
from riskgraph.supervision.disposition import dispose
from riskgraph.supervision.screening import screen, snapshot_hash
from riskgraph.supervision.triage import judge
from riskgraph.supervision.verification import verify_declared

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["Dossier", "dossier"]

_COLUMNS = ["section", "field", "value", "source", "method", "evidence"]


class Dossier:
    """One file for one firm, ready for people (HTML, Excel) and for programs (JSON, frames).

    Attributes
    ----------
    entity, name, at, lang
        What it is about.
    fields
        Frame ``section, field, value, source, method, evidence``, every field the plan asks for; ``source`` are the
        ``source_ref`` of the rows used, ``method`` how the value came about or was verified.
    missing
        Fields of the plan for which the graph has no value.
    completeness
        Part of the fields that have a value.
    findings, verification
        Frames of :func:`screen` and :func:`verify_declared` for the firm.
    triage, assignment, disposition
        What the other functions say of it.
    snapshot
        Hash of the data the file was made from.
    agencies
        Names of the agencies by id.
    """

    def __init__(self, content: dict[str, Any], frames: dict[str, pd.DataFrame]) -> None:
        """Put computed parts together; people use :func:`dossier`."""
        self.entity: str = content["entity"]
        self.name: str = content["name"]
        self.at: str | None = content["at"]
        self.lang: str = content["lang"]
        self.catalogue: str = content["catalogue"]
        self.missing: tuple[str, ...] = tuple(content["missing"])
        self.completeness: float = content["completeness"]
        self.triage: dict[str, str] = content["triage"]
        self.assignment: dict[str, str] = content["assignment"]
        self.disposition: dict[str, Any] = content["disposition"]
        self.snapshot: str = content["snapshot"]
        self.agencies: dict[str, str] = content["agencies"]
        self.honesty: float | None = content["honesty"]
        self.fields = frames["fields"]
        self.findings = frames["findings"]
        self.verification = frames["verification"]

    def __repr__(self) -> str:
        """One line: whose file, how complete, how many findings."""
        return (
            f"Dossier of {self.name} ({self.entity}): {self.completeness:.0%} of {len(self.fields)} fields, "
            f"{len(self.findings)} findings"
        )

    def _repr_html_(self) -> str:
        """Page in a frame of its own, so that its style stays there; without the font, to keep notebooks small."""
        from html import escape

        from riskgraph.supervision._dossier_html import page

        return (
            f'<iframe sandbox="" title="{escape(repr(self))}" srcdoc="{escape(page(self, font=False))}" '
            'style="width:100%;height:36em;border:1px solid #d0d7de"></iframe>'
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, in a stated order."""
        return {
            "entity": self.entity,
            "name": self.name,
            "at": self.at,
            "lang": self.lang,
            "catalogue": self.catalogue,
            "snapshot": self.snapshot,
            "completeness": round(self.completeness, 6),
            "missing": list(self.missing),
            "triage": self.triage,
            "assignment": self.assignment,
            "disposition": self.disposition,
            "honesty": self.honesty,
            "fields": _records(self.fields),
            "findings": _records(self.findings),
            "verification": _records(self.verification),
        }

    def to_json(self, path: str | Path | None = None) -> str:
        """JSON text; the same data give the same text. Written to ``path`` when one is given."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        if path is not None:
            write_text(path, text)
        return text

    def to_html(self, path: str | Path | None = None) -> str:
        """One page without scripts or network, ready to print; every text from the data is escaped."""
        from riskgraph.supervision._dossier_html import page

        text = page(self)
        if path is not None:
            write_text(path, text)
        return text

    def to_excel(self, path: str | Path | None = None) -> bytes:
        """Workbook as bytes, with cells that look like formulas made harmless; the same data give the same bytes.

        Raises
        ------
        MissingDependency
            openpyxl is not installed.
        """
        from riskgraph.supervision._dossier_excel import workbook

        content = workbook(self)
        if path is not None:
            write_file(path, lambda aside: aside.write_bytes(content))
        return content


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value) if np.isfinite(value) else str(value)
    if value is None or value is pd.NaT or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return pd.Timestamp(value).date().isoformat()
    return str(value)


def dossier(graph: EntityGraph, entity: str, catalogue: Catalogue, *, at: Any = None, lang: str = "zh") -> Dossier:
    """The file of one firm on one day.

    Parameters
    ----------
    graph
        Any entity graph. A column ``method`` of the facts (公告确认, 电话联系, 现场勘查, 高管约谈) says how a value was
        verified; without it the method is that of the source.
    entity
        Id of the firm.
    catalogue
        The fields each sector asks for.
    at
        Day asked about.
    lang
        ``"zh"`` or ``"en"``. Field names are those of the plan and stay Chinese.

    Returns
    -------
    Dossier
        With ``fields``, ``missing``, ``to_html``, ``to_json``, ``to_excel``.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``entity``.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, dossier
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame(
    ...         {"id": ["C1", "p"], "kind": ["company", "person"], "name": ["某某网贷", "甲某"]}
    ...     ),
    ...     pd.DataFrame({"source": ["p"], "target": ["C1"], "kind": ["owns"], "share": [1.0]}),
    ... )
    >>> file = dossier(graph, "C1", Catalogue.load())
    >>> file.fields.set_index("field").loc["实际控制人", "value"], "借贷余额" in file.missing
    ('甲某(p)', True)
    """
    check_lang(lang)
    seen = view(graph, catalogue, at=at, lang=lang)
    code = seen.graph.code(entity)
    found: list[Field] = fields_of(seen, code, lang)
    fields = pd.DataFrame([tuple(field) for field in found], columns=_COLUMNS)
    missing = [field.field for field in found if field.value is None]
    findings = _kept(seen, ("screen", lang), lambda: screen(seen.graph, catalogue, lang=lang))
    findings = findings[findings["entity"] == entity].reset_index(drop=True)
    checks = verify_declared(seen.graph, catalogue, entity=entity)
    assigned = _kept(seen, ("assign", lang), lambda: assign(seen.graph, catalogue, level="county", lang=lang))
    assigned = assigned[assigned["entity"] == entity]
    disposed = _kept(seen, ("dispose", lang), lambda: dispose(seen.graph, catalogue, lang=lang))
    disposed = disposed[disposed["entity"] == entity]
    sectors = dict.fromkeys(sector for sector, _, _ in seen.labels.get(code, []))
    content = {
        "entity": str(entity),
        "name": str(seen.names[code]),
        "at": None if seen.day is None else str(seen.day),
        "lang": lang,
        "catalogue": catalogue.name,
        "missing": list(dict.fromkeys(missing)),
        "completeness": 1 - len(missing) / len(found) if found else 1.0,
        "triage": {sector: judge(seen, code, sector, lang).verdict for sector in sectors},
        "assignment": {str(key): value for key, value in assigned.iloc[0].drop("entity").items()}
        if len(assigned)
        else {},
        "disposition": {str(key): _plain(value) for key, value in disposed.iloc[0].drop("entity").items()}
        if len(disposed)
        else {},
        "honesty": checks.attrs["honesty"].get(str(entity)),
        "snapshot": snapshot_hash(seen.graph),
        "agencies": {
            name: str(entry["county" if lang == "zh" else "en"])
            for name, entry in catalogue.section("agencies").items()
        },
    }
    return Dossier(content, {"fields": fields, "findings": findings, "verification": checks.drop(columns="entity")})


def _kept(seen: Any, key: Any, build: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    if key not in seen._kept:
        seen._kept[key] = build()
    result: pd.DataFrame = seen._kept[key]
    return result
