"""Values written one way only: as JSON, numbers with twelve significant digits, and as bytes to hash."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["DIGITS", "as_json", "digest_rows", "line", "rows_of", "sha256"]

#: significant digits of a result: what is left of a double after sums in another order
DIGITS = 12


def as_json(value: Any, digits: int | None = DIGITS) -> Any:
    """A value as JSON holds it; ``digits`` rounds numbers, None keeps them exact.

    Missing is null, a day is ``{"date": …}``, an infinite number ``{"number": "inf"}``.
    """
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        items = [as_json(item, digits) for item in value]
        return sorted(items, key=line) if isinstance(value, (set, frozenset)) else items
    if isinstance(value, Mapping):
        return {str(key): as_json(value[key], digits) for key in sorted(value, key=str)}
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = value.item() if not isinstance(value, np.datetime64) else pd.Timestamp(value)
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return _number(value, digits)
    if isinstance(value, (datetime.date, datetime.datetime)):
        moment = pd.Timestamp(value)
        return {"date": moment.date().isoformat() if moment == moment.normalize() else moment.isoformat()}
    return str(value)


def _number(value: float, digits: int | None) -> Any:
    if isinstance(value, int):
        return value if abs(value) < 2**53 else {"number": str(value)}
    if math.isnan(value):
        return None
    if math.isinf(value):
        return {"number": "inf" if value > 0 else "-inf"}
    if digits is not None:
        value = float(f"{value:.{digits}g}")
    # 2 and 2.0 are one number, and so are 0 and -0
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def line(value: Any) -> str:
    """JSON on one line, keys in order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def rows_of(frame: pd.DataFrame) -> list[list[Any]]:
    """Rows of a frame as JSON values."""
    columns = [[as_json(value) for value in frame[column].astype(object)] for column in frame]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(len(frame))]


def digest_rows(columns: list[str], rows: list[list[Any]]) -> str:
    """SHA-256 of a result, whatever the order of its rows."""
    return sha256(line(columns), *sorted(line(row) for row in rows))


def sha256(*parts: str | bytes) -> str:
    """SHA-256 of parts, each told apart from the next by its length."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()
