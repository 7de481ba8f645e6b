"""The file of a firm as a workbook: plain cells, nothing that a spreadsheet would run, always the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

from riskgraph._optional import import_optional

if TYPE_CHECKING:
    from riskgraph.supervision.dossier import Dossier

__all__ = ["harmless", "workbook"]

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")
_LONGEST = 32_000


def harmless(value: Any) -> Any:
    """A cell no spreadsheet takes for a formula: texts that begin like one get an apostrophe before them.

    Examples
    --------
    >>> harmless("=HYPERLINK(1)"), harmless("某某公司"), harmless(3.5)
    ("'=HYPERLINK(1)", '某某公司', 3.5)
    """
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    if not isinstance(value, str):
        return value
    text = _ILLEGAL.sub("", value)[:_LONGEST]
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS) or text.startswith(_STARTS) else text


def workbook(file: Dossier) -> bytes:
    """Bytes of the workbook of a file."""
    openpyxl = import_optional("openpyxl", extra="excel")
    content = file.to_dict()
    book = openpyxl.Workbook()
    first = book.active
    first.title = "summary"
    for key in ("entity", "name", "at", "catalogue", "completeness", "honesty", "snapshot"):
        first.append([key, harmless(content[key])])
    for key in ("triage", "assignment", "disposition"):
        for name, value in content[key].items():
            first.append([f"{key}.{name}", harmless(value)])
    first.append(["missing", harmless(content["missing"])])
    for key in ("fields", "findings", "verification"):
        sheet = book.create_sheet(key)
        for number, row in enumerate(content[key]):
            if number == 0:
                sheet.append(list(row))
            sheet.append([harmless(value) for value in row.values()])
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str):
                    cell.data_type = "s"
    buffer = io.BytesIO()
    book.save(buffer)
    return _same_bytes(buffer.getvalue())


def _same_bytes(content: bytes) -> bytes:
    """The archive again, without the hour at which it was written."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda item: (item != "[Content_Types].xml", item)):
            data = old.read(name)
            if name == "docProps/core.xml":
                data = _STAMP.sub(rb"\g<1>2000-01-01T00:00:00Z\g<3>", data)
            entry = zipfile.ZipInfo(name, date_time=(2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, data)
    return result.getvalue()
