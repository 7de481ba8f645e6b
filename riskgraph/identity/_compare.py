"""Levels of agreement of candidate pairs, one array a comparison; -1 is unknown and says nothing."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from riskgraph.identity._candidates import Grams, closeness
from riskgraph.identity._records import Records, around

__all__ = ["compare", "name_levels", "plain"]

_NUMBER = re.compile(r"\d+|[一二三四五六七八九十]+(?=[号期部店])")


def compare(data: Records, a: np.ndarray, b: np.ndarray, wanted: dict[str, list[str]], *, person: bool) -> pd.DataFrame:
    """Frame of levels (int8) of every comparison that the records allow, but the name's."""
    found: dict[str, np.ndarray] = {}
    if {"near", "beside"} & set(wanted):
        found |= around(data, a, b, wide=person)
    if "numbers" in wanted:
        numbers = pd.Series([" ".join(sorted(_NUMBER.findall(str(name)))) for name in data.names[data.codes]])
        code = np.zeros(data.names.size, dtype=np.int64)
        code[data.codes] = pd.factorize(numbers)[0] + 1
        none = np.zeros(data.names.size, dtype=bool)
        none[data.codes] = (numbers == "").to_numpy()
        found["numbers"] = np.where(none[a] & none[b], -1, np.where(code[a] == code[b], 0, 1))
    if "birth_month" in wanted and {"birth_year", "birth_month"} <= set(data.attributes):
        found["birth_month"] = _birth(data.attributes, a, b)
    for name in set(wanted) - {"name", "near", "beside", "numbers", "birth_month"}:
        if name in data.attributes:
            found[name] = _attribute(data.attributes[name], a, b, wanted[name])
    if "birth_month" in found and "birth_year" in found:
        found["birth_year"] = np.where(found["birth_month"] < 0, found["birth_year"], -1)
    return pd.DataFrame({name: found[name].astype(np.int8) for name in wanted if name in found}, index=range(a.size))


def name_levels(data: Records, table: Grams | None, place: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Level of the name of each pair: 0 same, 1 core, 2 near, 3 within, 4 partly, 5 other."""
    same = data.keys[a] == data.keys[b]
    if table is None:
        return np.where(same, 0, -1).astype(np.int8)
    core = (data.cores[a] == data.cores[b]) & (data.cores[a] != "")
    near, inside = closeness(table, place[a], place[b])
    return np.select([same, core, near >= 0.8, inside >= 0.9, near >= 0.5], [0, 1, 2, 3, 4], 5).astype(np.int8)


def _birth(attributes: pd.DataFrame, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Year and month of birth: 0 both agree, 1 one of them, 2 neither."""
    year, month = (
        pd.to_numeric(attributes[name], errors="coerce").to_numpy(dtype=float) for name in ("birth_year", "birth_month")
    )
    unknown = np.isnan(year[a] + year[b] + month[a] + month[b])
    return np.where(unknown, -1, 2 - (year[a] == year[b]).astype(np.int8) - (month[a] == month[b]))


def _attribute(column: pd.Series, a: np.ndarray, b: np.ndarray, levels: list[str]) -> np.ndarray:
    if "next" in levels:
        number = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
        gap = np.abs(number[a] - number[b])
        return np.where(np.isnan(gap), -1, np.select([gap == 0, gap == 1], [0, 1], 2))
    if "same_year" in levels:
        day = pd.to_datetime(column, errors="coerce").to_numpy(dtype="datetime64[D]")
        known = ~np.isnat(day[a]) & ~np.isnat(day[b])
        gap = np.abs((day[a] - day[b]).astype("timedelta64[D]").astype(np.int64))
        return np.where(known, np.select([gap == 0, gap <= 366], [0, 1], 2), -1)
    text = column.astype(object).where(column.notna() & (column != ""), None)
    code = pd.factorize(text.map(plain, na_action="ignore"))[0]
    known = (code[a] >= 0) & (code[b] >= 0)
    if "same_province" in levels:
        # the first two digits of a GB/T 2260 code are the province; places given as text are equal or not
        first = text.map(lambda value: plain(value)[:2] if plain(value).isdigit() else None, na_action="ignore")
        province = pd.factorize(first)[0]
        level = np.select([code[a] == code[b], (province[a] == province[b]) & (province[a] >= 0)], [0, 1], 2)
    else:
        level = np.where(code[a] == code[b], 0, 1)
    return np.where(known, level, -1)


def plain(value: object) -> str:
    """A value without what spellings differ in: case, spaces, the scheme of a web address."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return re.sub(r"^https?://|^www\.|/+$|\s", "", re.sub(r"^https?://", "", text.strip().casefold()))
