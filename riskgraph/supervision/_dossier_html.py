"""The file of a firm as one page: no scripts, no network, every text escaped, made to be printed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskgraph.supervision.dossier import Dossier

__all__ = ["page"]

_TEXTS = {
    "title": ("企业档案", "File of a firm"),
    "on": ("截至", "as of"),
    "complete": ("完整度", "completeness"),
    "verdict": ("甄别定性", "triage"),
    "assignment": ("分工", "assignment"),
    "disposition": ("处置", "disposition"),
    "fields": ("档案字段", "fields"),
    "findings": ("筛查发现", "findings"),
    "verification": ("如实告知核实", "declared against observed"),
    "missing": ("缺失字段", "missing fields"),
    "snapshot": ("数据快照", "data snapshot"),
    "signature": ("法定代表人或高级管理人员签字", "signed by the legal representative or a senior manager"),
    "none": ("无", "none"),
}
_STYLE = "".join(
    (
        "body{font-family:'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif;",
        "margin:2rem auto;max-width:60rem;color:#1b1b1b;line-height:1.5}",
        "h1{font-size:1.5rem;margin:0}",
        "h2{font-size:1.1rem;margin:1.5rem 0 .4rem;border-bottom:1px solid #999}",
        "table{border-collapse:collapse;width:100%;font-size:.85rem}",
        "th,td{border:1px solid #bbb;padding:.25rem .4rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}",
        "th{background:#f0f0f0}.missing{color:#a40000}.small{color:#555;font-size:.8rem}",
        "@media print{body{margin:0}tr{break-inside:avoid}thead{display:table-header-group}}",
    )
)


def page(file: Dossier) -> str:
    """HTML of a file."""
    place = 0 if file.lang == "zh" else 1

    def word(key: str) -> str:
        return _TEXTS[key][place]

    content = file.to_dict()
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{"zh-CN" if file.lang == "zh" else "en"}"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{escape(word('title'))} {_cell(file.name)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(word('title'))}: {_cell(file.name)} ({_cell(file.entity)})</h1>",
        f'<p class="small">{escape(word("on"))} {_cell(file.at)} · {_cell(file.catalogue)} · '
        f"{escape(word('complete'))} {file.completeness:.0%}</p>",
    ]
    for key, values in (
        ("verdict", content["triage"]),
        ("assignment", content["assignment"]),
        ("disposition", content["disposition"]),
    ):
        parts.append(f"<h2>{escape(word(key))}</h2>")
        parts.append(_pairs(values, word("none")))
    for key in ("fields", "findings", "verification"):
        parts.append(f"<h2>{escape(word(key))}</h2>")
        parts.append(_table(content[key], word("none")))
    parts.append(f"<h2>{escape(word('missing'))}</h2>")
    missing = "、".join(_cell(name) for name in file.missing) if file.missing else escape(word("none"))
    parts.append(f'<p class="missing">{missing}</p>')
    parts.append(f"<p>{escape(word('signature'))}: ____________________</p>")
    parts.append(f'<p class="small">{escape(word("snapshot"))} {_cell(file.snapshot)}</p></body></html>')
    return "\n".join(parts) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return escape(str(value), quote=True)


def _pairs(values: dict[str, Any], none: str) -> str:
    if not values:
        return f"<p>{escape(none)}</p>"
    rows = "".join(f"<tr><th>{_cell(key)}</th><td>{_cell(value)}</td></tr>" for key, value in values.items())
    return f"<table>{rows}</table>"


def _table(records: list[dict[str, Any]], none: str) -> str:
    if not records:
        return f"<p>{escape(none)}</p>"
    head = "".join(f"<th>{_cell(key)}</th>" for key in records[0])
    rows = "".join("<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row.values()) + "</tr>" for row in records)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
