"""Read the cells of a column: text, numbers, days, and how a message shows a value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = [
    "OPEN",
    "as_numbers",
    "as_text",
    "broken_texts",
    "days_to_dates",
    "mended",
    "none_for_missing",
    "show",
    "span",
    "to_day",
    "to_days",
]

#: the day number that stands for "open" (no date)
OPEN = np.iinfo(np.int32).min
#: cells turned into days at once
_BATCH = 1 << 18


def as_text(values: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texts, the mask of missing cells (NaN or empty), the mask of numbers that became text."""
    raw = values.astype(object).to_numpy() if values.dtype != object else values.to_numpy()
    missing = pd.isna(raw) | (raw == "")
    odd = np.zeros(len(raw), dtype=bool)
    if pd.api.types.infer_dtype(values, skipna=True) not in ("string", "empty"):
        odd = np.array([not isinstance(value, str) for value in raw], dtype=bool) & ~missing
        raw = raw.copy()
        raw[odd] = [_digits(value) for value in raw[odd]]
    return none_for_missing(raw, missing), missing, odd


def none_for_missing(raw: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Cells with None where they are missing; the same array where that is so already."""
    if all(value is None for value in raw[missing]):
        return raw
    clean = raw.copy()
    clean[missing] = None
    return clean


def broken_texts(values: np.ndarray) -> np.ndarray:
    r"""Mask of the texts that hold half of a character pair: no file, database or page can hold them.

    Examples
    --------
    >>> broken_texts(np.array(["甲", "\ud800", None, 3], dtype=object)).tolist()
    [False, True, False, False]
    """
    mask = np.zeros(len(values), dtype=bool)
    for start in range(0, len(values), 1 << 16):
        part = values[start : start + (1 << 16)].tolist()
        if not _is_whole(part):
            mask[start : start + len(part)] = [not _is_whole([value]) for value in part]
    return mask


def _is_whole(values: list[Any]) -> bool:
    try:
        text = "".join(values)
    except TypeError:
        text = "".join([value for value in values if isinstance(value, str)])
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def mended(text: str) -> str:
    """A text in which each half of a character pair is the mark of a lost character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _digits(value: Any) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def as_numbers(values: pd.Series | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Floats (NaN where missing), and the mask of cells that hold something else."""
    series = pd.Series(values)
    if pd.api.types.is_bool_dtype(series):
        return np.full(len(series), np.nan), np.ones(len(series), dtype=bool)
    if pd.api.types.is_numeric_dtype(series):
        numbers = series.to_numpy(dtype=float, na_value=np.nan)
        return numbers, np.zeros(len(series), dtype=bool)
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    # pandas before 3 reads some texts a last bit away from the nearest number; Python does not
    raw = series.to_numpy(dtype=object)
    texts = np.flatnonzero(np.isfinite(numbers) & np.array([isinstance(value, str) for value in raw], dtype=bool))
    numbers = numbers.copy()
    numbers[texts] = [float(value) for value in raw[texts]]
    blank = series.isna().to_numpy() | (series.astype(object) == "").to_numpy()
    return numbers, np.isnan(numbers) & ~blank


def to_days(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970-01-01 as int32 (``OPEN`` where missing), and the mask of cells that are no date.

    Times of day are cut off. Text is ISO 8601 (``2016-06-30``) or eight digits (``20160630``).

    Examples
    --------
    >>> import pandas as pd
    >>> days, bad = to_days(pd.Series(["2016-06-30", None, "20160701", "soon"]))
    >>> days[[0, 2]].tolist(), bad.tolist()
    ([16982, 16983], [False, False, False, True])
    """
    series = pd.Series(values)
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(series):
        return _days(series.to_numpy()), np.zeros(len(series), dtype=bool)
    raw = series.astype(object)
    blank = (raw.isna() | (raw == "")).to_numpy()
    days = np.full(len(raw), np.datetime64("NaT"), dtype="datetime64[D]")
    if blank.all():
        return _days(days), ~blank
    codes, distinct = pd.factorize(raw[~blank])
    parsed = np.array([to_day(value) for value in distinct], dtype="datetime64[D]")
    days[~blank] = parsed[codes]
    return _days(days), np.isnat(days) & ~blank


def to_day(value: Any) -> np.datetime64:
    """One date, NaT when it is none. Called once a distinct value."""
    nat = np.datetime64("NaT", "D")
    if isinstance(value, (int, np.integer, float)) and not isinstance(value, bool):
        value = _digits(value)
    try:
        if isinstance(value, str):
            text = value.strip()
            if len(text) == 8 and text.isdigit():
                text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
            if len(text) < 10 or not (text[4] == text[7] == "-"):
                return nat
            if len(text) > 10:
                pd.Timestamp(text)
            return np.datetime64(text[:10], "D")
        return np.datetime64(pd.Timestamp(value).date(), "D")
    except (ValueError, TypeError, OverflowError):
        return nat


def _days(dates: np.ndarray) -> np.ndarray:
    found = np.empty(dates.size, dtype=np.int32)
    for start in range(0, dates.size, _BATCH):
        days = dates[start : start + _BATCH].astype("datetime64[D]").view(np.int64)
        # NaT is the least of all 64-bit numbers, OPEN the least of 32 bits
        found[start : start + _BATCH] = np.maximum(days, OPEN)
    return found


def days_to_dates(days: np.ndarray) -> np.ndarray:
    """Day numbers as ``datetime64[D]``, NaT where open."""
    dates = days.astype(np.int64).astype("datetime64[D]")
    return np.where(days == OPEN, np.datetime64("NaT", "D"), dates)


def show(value: Any) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return "a missing value"
    if isinstance(value, (np.datetime64, pd.Timestamp)):
        return str(value)[:10]
    if isinstance(value, np.generic):
        value = value.item()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]


def span(low: float, high: float) -> str:
    return f"[{low:g}, {high:g}]" if np.isfinite(high) else f"[{low:g}, ∞)"
