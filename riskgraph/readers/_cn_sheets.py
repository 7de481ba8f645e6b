"""The plain sheets of a registry: companies, shareholders, officers, investments, branches, penalties."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._cells import as_text, show
from riskgraph.readers._cn_book import Gathered
from riskgraph.readers._headers import Header
from riskgraph.readers._values import ShareUnit, parse_dates
from riskgraph.readers._vocabulary import translate

__all__ = ["former", "gather", "until_next"]

#: post codes and words for what is no longer held
_PAST = re.compile(r"^(dldslr|原|前|曾任|历任|离任)")
_SPLIT = re.compile(r"\s*[/、,，;；]\s*")
_PENALTIES = (
    ("revoked", ("content",), re.compile("吊销")),
    ("banned", ("content",), re.compile("取缔|市场禁入|禁止从业")),
    ("illegal_fundraising", ("topic", "content"), re.compile("非法集资|非法吸收公众存款|集资诈骗")),
    (
        "unlicensed_finance",
        ("topic", "content"),
        re.compile("非法从事.{0,12}(?:金融|支付|证券|保险|融资)|未经许可.{0,12}(?:金融|支付|证券|保险|融资|贷款)"),
    ),
)


def gather(
    sheet: str,
    frame: pd.DataFrame,
    gathered: Gathered,
    *,
    units: Mapping[str, Header],
    share_unit: ShareUnit,
    excel: bool,
    as_of: Any,
) -> None:
    """Type the columns of one sheet and put its rows where they belong."""
    intake = gathered.intake
    if sheet == "companies":
        _companies(frame, gathered, units, excel)
        return
    table = "cases" if sheet in ("penalties", "abnormal") else "relations"
    excel_dates = {"excel": excel}
    if "share" in frame:
        stated: ShareUnit = "percent" if units["share"].percent or _listed(units["share"]) else share_unit
        frame = intake.shares(table, frame, ["share"], unit=stated)
    for column in ("amount", "paid_in"):
        if column in frame:
            frame = intake.money(table, frame, column, unit=units[column].money or 1.0, leave=column == "paid_in")
    frame = intake.dates(table, frame, ["start", "end", "known_from", "due"], **excel_dates)
    frame = intake.dates(table, frame, ["subscription_due", "contributed_on"], **excel_dates, leave=True)
    frame = _named(frame, gathered, table, _needed(sheet))
    if sheet == "shareholders":
        if "period" in frame:
            frame = until_next(frame, gathered)
        gathered.holdings.append(former(frame, gathered, as_of).assign(sheet=sheet))
    elif sheet == "investments":
        ours = {"investor": "holder", "investor_code": "holder_code"}
        gathered.holdings.append(frame.rename(columns=ours).assign(sheet=sheet))
    elif sheet == "officers":
        gathered.posts.append(_posts(frame, gathered, as_of))
    elif sheet == "branches":
        links = frame.rename(columns={"branch": "source", "company": "target"}).assign(kind="branch_of")
        gathered.links.append(links)
    elif sheet == "penalties":
        gathered.cases.append(_penalties(frame))
    else:
        gathered.cases.append(frame.assign(type="abnormal"))


def _needed(sheet: str) -> tuple[str, ...]:
    return {
        "shareholders": ("holder", "company"),
        "investments": ("investor", "company"),
        "officers": ("person", "company"),
        "branches": ("branch", "company"),
    }.get(sheet, ("entity",))


def _listed(header: Header) -> bool:
    """Headers of exports whose shares are percentages by their definition."""
    return header.name in ("gdcgbl", "holdratio", "percentshare")


def _named(frame: pd.DataFrame, gathered: Gathered, table: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows without a name for one of their ends are left out."""
    for column in columns:
        bad = frame[column].isna().to_numpy()
        frame = gathered.intake.sift(table, frame, bad, column, "the row names nobody here")
    return frame


def _companies(frame: pd.DataFrame, gathered: Gathered, units: Mapping[str, Header], excel: bool) -> None:
    intake = gathered.intake
    for column in ("capital", "paid_in"):
        if column in frame:
            frame = intake.money("entities", frame, column, unit=units[column].money or 1.0, leave=True)
    for column in ("capital", "paid_in"):
        if column in frame:
            below = (frame[column] < 0).to_numpy()
            if below.any():
                texts = [f"{show(value)} is negative; left out" for value in frame[column][below]]
                intake.note("entities", frame.index[below], column, texts, "repaired")
                frame[column] = frame[column].where(~below)
    frame = intake.dates("entities", frame, ["start", "end"], excel=excel, leave=True)
    frame = intake.dates("entities", frame, ["listed_on", "term_start", "term_end"], excel=excel, leave=True)
    ids = frame["id"].notna() if "id" in frame else pd.Series(False, index=frame.index)
    nameless = (frame["name"].isna() & ~ids).to_numpy()
    frame = intake.sift("entities", frame, nameless, "name", "a company needs a name or an id")
    if "start" in frame and "end" in frame:
        crossed = (frame["end"] <= frame["start"]).to_numpy()
        if crossed.any():
            texts = ["the end is not after the start; the end is left open"] * int(crossed.sum())
            intake.note("entities", frame.index[crossed], "end", texts, "repaired")
            frame["end"] = frame["end"].where(~crossed)
    if "sector" in frame:
        frame["sector"] = translate(frame["sector"], "sector")
    if "short_name" in frame and "name" in frame:
        frame["name"] = frame["name"].where(frame["name"].notna(), frame["short_name"])
    if "legal_representative" in frame:
        people = frame[frame["legal_representative"].notna()]
        key = "id" if "id" in frame else ("uscc" if "uscc" in frame else "name")
        firm = people[key].where(people[key].notna(), people["name"])
        posts = pd.DataFrame({"person": people["legal_representative"], "company": firm}, index=people.index)
        gathered.posts.append(_split(posts.assign(role="legal_representative"), "person"))
    gathered.companies.append(frame)


def _split(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """One row for each of several names or posts in one cell."""
    texts, _, _ = as_text(frame[column])
    parts = [[part for part in _SPLIT.split(text) if part] if isinstance(text, str) else [] for text in texts]
    counts = np.array([len(part) for part in parts], dtype=np.int64)
    many = frame.iloc[np.repeat(np.arange(len(frame)), counts)].copy()
    many[column] = pd.Series([word for part in parts for word in part], index=many.index, dtype=object)
    return many


def _posts(frame: pd.DataFrame, gathered: Gathered, as_of: Any) -> pd.DataFrame:
    """Posts, several in one cell split; those that are called past end on the day of the export or are left out."""
    frame = frame.assign(title=frame["role"])
    blank = frame["role"].isna()
    frame = pd.concat([_split(frame[~blank], "role"), frame[blank]]) if blank.any() else _split(frame, "role")
    past = frame["role"].map(lambda role: isinstance(role, str) and bool(_PAST.match(role))).to_numpy(dtype=bool)
    if "end" in frame:
        past &= frame["end"].isna().to_numpy()
    frame = _ended(frame, past, gathered, as_of, "role", "post")
    frame = frame.assign(role=translate(frame["role"].replace({"dldslr": "独立董事"}), "role"))
    # 副董事长/董事 in one cell is one director
    twice = pd.DataFrame(
        {"row": frame.index, "person": frame["person"].to_numpy(), "role": frame["role"].to_numpy()}
    ).duplicated()
    return frame[~twice.to_numpy()]


def former(frame: pd.DataFrame, gathered: Gathered, as_of: Any) -> pd.DataFrame:
    """Holdings, those called former (原工商股东) ended on the day of the export or left out."""
    if "holding" not in frame:
        return frame
    past = frame["holding"].map(lambda text: isinstance(text, str) and bool(_PAST.match(text) or text == "历史股东"))
    past = past.to_numpy(dtype=bool)
    if "end" in frame:
        past &= frame["end"].isna().to_numpy()
    return _ended(frame, past, gathered, as_of, "holding", "holding")


def _ended(
    frame: pd.DataFrame, past: np.ndarray, gathered: Gathered, as_of: Any, column: str, what: str
) -> pd.DataFrame:
    if not past.any():
        return frame
    values = frame[column].to_numpy(dtype=object)[past]
    if as_of is None:
        texts = [
            f"{show(value)} is a former {what} without an end date; give as_of=, the day of the export"
            for value in values
        ]
        gathered.intake.reject("relations", frame[past], column, texts)
        return frame[~past]
    frame = frame.copy()
    ends = frame["end"].to_numpy() if "end" in frame else np.full(len(frame), np.datetime64("NaT", "s"))
    frame["end"] = np.where(past, np.datetime64(as_of, "s"), ends.astype("datetime64[s]"))
    texts = [f"{show(value)} is a former {what}; ended {as_of}, the day of the export" for value in values]
    gathered.intake.note("relations", frame.index[past], column, texts, "repaired")
    return frame


def until_next(frame: pd.DataFrame, gathered: Gathered) -> pd.DataFrame:
    """Holdings by reporting period as dated holdings: each list holds until the next list of its company.

    A list with fewer than half the rows of the company's longest is a partial disclosure: it replaces what the earlier
    list said of the holders it names, and leaves the others standing.
    """
    intake = gathered.intake
    read = parse_dates(frame["period"])
    frame = intake.sift("relations", frame, read.bad, "period", "a reporting period is a date such as 20161231")
    days = read.days[~read.bad].astype("datetime64[D]")
    keep = ~np.isnat(days)
    frame = intake.sift("relations", frame, ~keep, "period", "a reporting period is a date such as 20161231")
    days = days[keep]
    company, _ = pd.factorize(frame["company"].astype(object))
    holder, _ = pd.factorize(frame["holder"].astype(object))
    lists = pd.DataFrame({"company": company, "day": days, "rows": 1}).groupby(["company", "day"])["rows"].sum()
    longest = lists.groupby(level=0).transform("max")
    full = lists * 2 >= longest
    ends = np.full(len(frame), np.datetime64("NaT"), dtype="datetime64[D]")
    # the next full list of the company, and the next list that names the holder
    ends = _next(company, days, full[full].index, ends)
    named = pd.MultiIndex.from_arrays([company.astype(np.int64) * (holder.max(initial=0) + 1) + holder, days])
    ends = _next(named.get_level_values(0).to_numpy(), days, named.unique(), ends)
    frame = frame.drop(columns="period").copy()
    frame["start"] = days.astype("datetime64[s]")
    frame["end"] = ends.astype("datetime64[s]")
    partial = pd.MultiIndex.from_arrays([company, days]).isin(full[~full].index)
    if partial.any():
        spots = np.flatnonzero(partial)
        first = spots[~pd.MultiIndex.from_arrays([company[spots], days[spots]]).duplicated()]
        texts = [
            f"the list of {frame['company'].iloc[spot]} for {days[spot]} is partial; other holders stay as they were"
            for spot in first
        ]
        intake.note("relations", frame.index[first], "period", texts)
    return frame


def _next(group: np.ndarray, days: np.ndarray, lists: pd.MultiIndex, ends: np.ndarray) -> np.ndarray:
    """The earlier of ``ends`` and the first day of the group in ``lists`` after each day."""
    base = np.int64(1) << 32
    keys = np.sort(
        lists.get_level_values(0).to_numpy().astype(np.int64) * base
        + lists.get_level_values(1).to_numpy().astype("datetime64[D]").astype(np.int64) + (base >> 1)
    )  # fmt: skip
    own = group.astype(np.int64) * base + days.astype(np.int64) + (base >> 1)
    spots = np.searchsorted(keys, own, side="right")
    inside = spots < keys.size
    found = np.full(len(days), np.datetime64("NaT"), dtype="datetime64[D]")
    same = inside.copy()
    same[inside] = keys[spots[inside]] // base == group[inside]
    found[same] = (keys[spots[same]] % base - (base >> 1)).astype("datetime64[D]")
    return np.where(np.isnat(ends) | (found < ends), np.where(np.isnat(found), ends, found), ends)


def _penalties(frame: pd.DataFrame) -> pd.DataFrame:
    """Cases: the stated type, else what was done (revoked, banned), else what it was for, else sanctioned."""
    kinds = pd.Series("sanctioned", index=frame.index, dtype=object)
    for kind, columns, pattern in reversed(_PENALTIES):
        for column in columns:
            if column in frame:
                hit = frame[column].map(
                    lambda text, pattern=pattern: isinstance(text, str) and bool(pattern.search(text))
                )
                kinds = kinds.where(~hit.to_numpy(dtype=bool), kind)
    if "type" in frame:
        stated = translate(frame["type"], "case type")
        kinds = stated.where(stated.notna(), kinds)
    return frame.assign(type=kinds)
