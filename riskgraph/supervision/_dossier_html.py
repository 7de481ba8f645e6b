"""The file of a firm as one page: no scripts, no network, every text escaped, made to be printed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from riskgraph._page import document, safe_text
from riskgraph.schema import SECTOR_TEXTS
from riskgraph.supervision._dossier_texts import COLUMNS, FIELDS, SECTIONS, TEXTS, VALUES

if TYPE_CHECKING:
    from riskgraph.supervision.dossier import Dossier

__all__ = ["page"]

#: evidence written out; the rest is counted, and stands whole in the JSON and the workbook
_SHOWN = 6


def page(file: Dossier, *, font: bool = True) -> str:
    """HTML of a file, with the font of its characters inside or without."""
    return document(
        _Writer(file).body(),
        title=f"{TEXTS['title'][file.lang == 'en']}: {file.name}",
        lang=file.lang,
        style=resources.files("riskgraph.supervision").joinpath("dossier.css").read_text("utf-8"),
        font=font,
    )


class _Writer:
    """Parts of the page in the language of the file."""

    def __init__(self, file: Dossier) -> None:
        """Take the file and its words."""
        self.file = file
        self.place = 0 if file.lang == "zh" else 1

    def word(self, key: str) -> str:
        return safe_text(TEXTS[key][self.place])

    def column(self, key: str) -> str:
        return safe_text(COLUMNS[key][self.place] if key in COLUMNS else key)

    def cell(self, value: Any) -> str:
        """One value: numbers with separators, known words in the language of the page, unknown as such."""
        if value is None or value == "":
            return "—"
        if isinstance(value, bool):
            return ("是", "yes")[self.place] if value else ("否", "no")[self.place]
        if isinstance(value, (int, float)):
            return f"{value:,.10g}"
        if isinstance(value, list):
            more = f" … ({len(value):,})" if len(value) > _SHOWN else ""
            return safe_text(", ".join(map(str, value[:_SHOWN])) + more)
        text = str(value)
        return safe_text(VALUES[text][self.place] if text in VALUES else text)

    def body(self) -> str:
        file = self.file
        content = file.to_dict()
        facts = [
            (self.word("id"), self.cell(file.entity)),
            (self.word("on"), self.cell(file.at)),
            (self.word("catalogue"), self.cell(file.catalogue)),
            (self.word("complete"), f"{_bar(file.completeness)} {file.completeness:.0%}"),
            (self.word("honest"), self.word("unknown") if file.honesty is None else f"{file.honesty:.0%}"),
        ]
        missing = ("、" if self.place == 0 else ", ").join(self.field(name) for name in file.missing)
        return "\n".join(
            [
                f"<header><h1>{self.word('title')}: {safe_text(file.name)}</h1>{_list(facts)}</header>",
                f"<h2>{self.word('conclusions')}</h2>{_list(self.conclusions(content))}",
                f"<h2>{self.word('findings')} ({len(content['findings']):,})</h2>",
                self.table(content["findings"], ("rule", "severity", "since", "text", "evidence")),
                f"<h2>{self.word('fields')}</h2>",
                self.sections(content["fields"]),
                f'<h3>{self.word("missing")}</h3><p class="missing">{missing or self.word("none")}</p>',
                f"<h2>{self.word('verification')}</h2>",
                self.table(content["verification"], ("fact", "declared", "observed", "verdict", "evidence")),
                f'<div class="sign"><p>{self.word("signature")}</p><p>{self.word("day")}</p></div>',
                f'<footer class="soft">{self.word("snapshot")} {safe_text(file.snapshot)}</footer>',
            ]
        )

    def conclusions(self, content: dict[str, Any]) -> list[tuple[str, str]]:
        """What triage, assignment and disposition say, one line each; what says nothing is left out."""
        rows = [
            (f"{self.word('triage')} · {self.sector(sector)}", self.cell(verdict))
            for sector, verdict in content["triage"].items()
        ] or [(self.word("triage"), self.word("none"))]
        for key in ("assignment", "disposition"):
            known = {name: value for name, value in content[key].items() if value not in (None, "")}
            rows += [
                (f"{self.word(key)} · {self.column(name)}", self.conclusion(name, value))
                for name, value in known.items()
            ] or [(self.word(key), self.word("none"))]
        return rows

    def conclusion(self, name: str, value: Any) -> str:
        if name in ("lead", "assist", "duties"):
            text = re.sub(r"[a-z_]{3,}", lambda found: self.file.agencies.get(found[0], found[0]), str(value))
            return safe_text(text.replace(";", "；" if self.place == 0 else "; "))
        return self.cell(value)

    def sector(self, code: str) -> str:
        return safe_text(SECTOR_TEXTS[code][1 - self.place] if code in SECTOR_TEXTS else code)

    def field(self, name: str) -> str:
        return safe_text(name if self.place == 0 else FIELDS.get(name, name))

    def sections(self, records: list[dict[str, Any]]) -> str:
        """One table a section of the plan."""
        parts = []
        for section in dict.fromkeys(record["section"] for record in records):
            title = safe_text(SECTIONS[section][self.place] if section in SECTIONS else section)
            own = [record for record in records if record["section"] == section]
            parts.append(f"<h3>{title}</h3>{self.table(own, ('field', 'value', 'source', 'method', 'evidence'))}")
        return "\n".join(parts) or f"<p>{self.word('none')}</p>"

    def table(self, records: list[dict[str, Any]], columns: Sequence[str]) -> str:
        if not records:
            return f"<p>{self.word('none')}</p>"
        head = "".join(f"<th>{self.column(name)}</th>" for name in columns)
        rows = "".join(f"<tr>{''.join(self.entry(record, name) for name in columns)}</tr>" for record in records)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def entry(self, record: dict[str, Any], name: str) -> str:
        value = record[name]
        if name == "field":
            return f"<td>{self.field(value)}</td>"
        if name == "evidence":
            return f'<td class="ids">{self.cell(value)}</td>'
        if name == "severity":
            return f'<td class="number">{_bar(value)} {value:.2f}</td>'
        if name == "since":
            return f'<td class="number">{self.cell(value)}</td>'
        if name == "value" and value is None:
            return f'<td class="missing">{self.word("unknown")}</td>'
        if name == "value":
            return f'<td class="value">{self.cell(value)}</td>'
        return f"<td>{self.cell(value)}</td>"


def _bar(part: float) -> str:
    """A bar as an inline picture, since the page's policy forbids style attributes."""
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{100 * min(max(part, 0.0), 1.0):.0f}" height="10" fill="currentColor"/></svg>'
    )


def _list(pairs: Sequence[tuple[str, str]]) -> str:
    """Terms and what they say; both escaped already."""
    return f'<dl class="facts">{"".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in pairs)}</dl>'
