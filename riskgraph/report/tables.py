"""Tables for people as CSV, Excel, Parquet or HTML: written whole or not at all, and never run as formulas."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._files import write_file, write_text
from riskgraph._optional import import_optional
from riskgraph.errors import InvalidParameter, InvalidTable

__all__ = ["neutralise", "write_table"]

#: the full-width forms are formulas to spreadsheets of East Asia
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: half of a character pair, and what no sheet may hold
_HALF, _CONTROL = re.compile("[\ud800-\udfff]"), re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: characters of a cell, and rows of a sheet under its head
_LONGEST_CELL, _MOST_ROWS = 32_767, 1_048_575


def neutralise(frame: pd.DataFrame) -> pd.DataFrame:
    """Frame whose texts no spreadsheet takes for a formula: those that begin like one get a leading apostrophe.

    Numbers stay numbers. Column names are treated alike. Half of a character pair, which no file can hold, becomes the
    mark of a lost character.

    Examples
    --------
    >>> import pandas as pd
    >>> neutralise(pd.DataFrame({"name": ["=1+1", "甲公司"], "share": [-0.5, 0.2]}))["name"].tolist()
    ["'=1+1", '甲公司']
    """

    def safe(value: Any) -> Any:
        return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value

    clean = frame.copy()
    for position, column in enumerate(frame.columns):
        if _may_hold_texts(frame[column]):
            clean.isetitem(position, frame[column].astype(object).map(lambda value: safe(_joined(value))))
    return clean.rename(columns=safe)


def _may_hold_texts(values: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_datetime64_any_dtype(values)


def _joined(value: Any) -> Any:
    """Tuples and lists of ids as text joined by semicolons; texts without halves of character pairs."""
    text = ";".join(map(str, value)) if isinstance(value, (tuple, list, set, frozenset)) else value
    return _HALF.sub("\ufffd", text) if isinstance(text, str) else text


def write_table(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table for people; the ending of ``path`` says how: ``.csv``, ``.xlsx``, ``.parquet`` or ``.html``.

    CSV is UTF-8 with a mark that lets Excel show Chinese. Parquet keeps values as they are. Control characters, which
    no workbook can hold, become the mark of a lost character there.

    Raises
    ------
    InvalidParameter
        Another ending.
    InvalidTable
        A text is too long for a cell of a workbook, or the table for a sheet.
    MissingDependency
        Excel or Parquet is asked for and its extra is not installed.

    Examples
    --------
    >>> import pandas as pd, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_table(pd.DataFrame({"name": ["甲"], "risk": [0.5]}), pathlib.Path(folder) / "ranking.csv")
    ...     path.read_text("utf-8-sig").split()
    ['name,risk', '甲,0.5']
    """
    path = Path(path)
    kind = path.suffix.lower()
    safe = neutralise(frame)
    if kind == ".csv":
        return write_file(path, lambda name: safe.to_csv(name, index=False, encoding="utf-8-sig", lineterminator="\n"))
    if kind == ".xlsx":
        import_optional("openpyxl", extra="excel")
        sheet = _for_excel(safe, path.name)
        return write_file(path, lambda name: sheet.to_excel(name, index=False))
    if kind == ".parquet":
        import_optional("pyarrow", extra="parquet")
        plain = frame.map(_joined) if len(frame) else frame
        return write_file(path, lambda name: plain.to_parquet(name, index=False))
    if kind == ".html":
        text = _html(safe, path.stem)
        return write_text(path, text)
    raise InvalidParameter(f"'path' must end in .csv, .xlsx, .parquet or .html; got {path.name!r}")


def _for_excel(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Texts as a sheet can hold them; what it would cut off is refused."""
    if len(frame) > _MOST_ROWS:
        raise InvalidTable(f"{name} cannot hold {len(frame):,} rows, a sheet has {_MOST_ROWS:,}; write CSV or Parquet")
    sheet = frame.rename(columns=_without_control)
    for position in range(frame.shape[1]):
        values = frame.iloc[:, position]
        if _may_hold_texts(values):
            long = np.flatnonzero([isinstance(value, str) and len(value) > _LONGEST_CELL for value in values])
            if long.size:
                raise InvalidTable(
                    f"{name} cannot hold row {long[0]}, column {frame.columns[position]}: more than {_LONGEST_CELL:,} "
                    "characters; write CSV"
                )
            sheet.isetitem(position, values.map(_without_control))
    return sheet


def _without_control(value: Any) -> Any:
    return _CONTROL.sub("\ufffd", value) if isinstance(value, str) else value


def _html(frame: pd.DataFrame, title: str) -> str:
    head = "".join(f"<th>{escape(str(column))}</th>" for column in frame.columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{'' if value is None or value != value else escape(str(value))}</td>" for value in row)
        + "</tr>"
        for row in frame.itertuples(index=False)
    )
    return (
        "<!doctype html><html><head><meta charset='utf-8'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>body{{font-family:sans-serif}}table{{border-collapse:collapse}}"
        "td,th{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}</style></head>"
        f"<body><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></body></html>\n"
    )
