"""Lists of online lending platforms: the website, the firm that operates it, who runs, guarantees and holds that firm.

A platform list is what a portal observed, no finding of an authority: a platform in trouble gets a case of the type
the user chose, ``abnormal`` by default, with the portal's word as its ``topic``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

import pandas as pd

from riskgraph._cells import as_text, show
from riskgraph._registry import kind_of_name, normal_name
from riskgraph.readers._cn_book import Gathered, _stack
from riskgraph.readers._cn_sheets import _split
from riskgraph.readers._files import RawTable
from riskgraph.readers._values import parse_money

__all__ = ["gather_platforms", "read_equity", "read_guarantors"]

#: what may make a platform a seed, if the user says so
_TROUBLES = ("跑路", "提现困难", "经侦介入")
_GUARANTEE = re.compile(r"^(?P<name>.*?)\s*(?:[(（]\s*承保\s*(?P<amount>[^()（）]*?)\s*[)）])?\s*$", re.DOTALL)
_ESCAPE = re.compile(r"u([0-9a-f]{4})")
_MOST_TEXT = 20_000


def gather_platforms(
    tables: list[tuple[RawTable, pd.DataFrame]], gathered: Gathered, problem_case: str | Mapping[str, str]
) -> None:
    """Platforms, firms, posts, guarantees and cases of all platform lists of an export."""
    intake = gathered.intake
    frames = []
    for _, frame in tables:
        frame = intake.dates("entities", frame, ["online", "troubled"], leave=True)
        for column in ("capital", "paid_in"):
            if column in frame:
                frame = intake.money("entities", frame, column, unit=10_000, leave=True)
                frame[column] = frame[column].where(frame[column] > 0)  # 0 stands for "not stated" in these lists
        nameless = frame["platform"].isna().to_numpy()
        frames.append(intake.sift("entities", frame, nameless, "platform", "every platform has an id"))
    every = _stack(frames)
    texts, _, _ = as_text(every["platform"])
    every["platform"] = pd.Series(texts, index=every.index, dtype=object)
    platforms = _one_each(every, gathered)
    platforms["id"] = "platform:" + platforms["platform"]
    _entities(platforms, gathered)
    _operators(platforms, gathered)
    _cases(platforms, gathered, problem_case)


def _one_each(every: pd.DataFrame, gathered: Gathered) -> pd.DataFrame:
    """One row a platform: of several lists, the first that fills a cell; the label is that of the first row."""
    first = every.groupby("platform", sort=False, dropna=False).first()
    spots = ~every["platform"].duplicated()
    labels = every.index[spots]
    home = dict(zip(every["platform"][spots], labels, strict=True))
    sheet_of = [str(label).rsplit(":", 1)[0] for label in every.index]
    same_list = pd.DataFrame({"p": every["platform"].to_numpy(), "s": sheet_of}).duplicated().to_numpy()
    repeats = every[same_list]
    if len(repeats):
        texts = [
            f"the platform stands in {home[name]} already; cells that were empty there are filled"
            for name in repeats["platform"]
        ]
        gathered.intake.note("entities", repeats.index, "platform", texts, "repaired")
    return first.reset_index().set_axis(pd.Index(labels, dtype=object), axis=0)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame else pd.Series(None, index=frame.index, dtype=object)


def _entities(platforms: pd.DataFrame, gathered: Gathered) -> None:
    website = pd.DataFrame(
        {
            "id": platforms["id"],
            "kind": "website",
            "name": _column(platforms, "platform_name"),
            "sector": "p2p",
            "start": _column(platforms, "online"),
            "url": _column(platforms, "url"),
            "record_number": _column(platforms, "record"),
            "background": _column(platforms, "background"),
            "province": _column(platforms, "area"),
            "city": _column(platforms, "city"),
        },
        index=platforms.index,
    )
    gathered.settled.append(website)


def _operators(platforms: pd.DataFrame, gathered: Gathered) -> None:
    firms = platforms[_column(platforms, "company").notna()].copy()
    firms["firm"] = "company:" + normal_name(_column(firms, "company"))
    companies = pd.DataFrame(
        {
            "id": firms["firm"],
            "name": _column(firms, "company"),
            "sector": "p2p",
            "capital": _column(firms, "capital").astype(float),
            "paid_in": _column(firms, "paid_in").astype(float),
            "address": _column(firms, "address"),
            "province": _column(firms, "area"),
            "city": _column(firms, "city"),
        },
        index=firms.index,
    ).drop_duplicates("id")
    gathered.companies.append(companies)
    operates = pd.DataFrame({"source": firms["firm"], "target": firms["id"], "kind": "operates"}, index=firms.index)
    operates["start"] = _column(firms, "online")
    gathered.links.append(operates)
    people = firms[_column(firms, "person").notna()]
    posts = pd.DataFrame({"person": _column(people, "person"), "company": people["firm"]}, index=people.index)
    gathered.posts.append(_split(posts.assign(role="legal_representative"), "person"))
    _guarantees(platforms, gathered)
    _holders(firms, gathered)


# -- guarantors ------------------------------------------------------------------------------------------------------


def read_guarantors(text: str) -> list[tuple[str, str | None]]:
    """Names and amounts of a cell such as ``甲担保公司(承保1000万元)<br/>乙公司``.

    Examples
    --------
    >>> read_guarantors("甲担保（天津）有限公司(承保20000万元)<br/>乙公司")
    [('甲担保（天津）有限公司', '20000万元'), ('乙公司', None)]
    """
    found = []
    for part in re.split(r"<br\s*/?>", text, flags=re.IGNORECASE):
        match = _GUARANTEE.match(part.strip())
        if match and match["name"].strip():
            found.append((match["name"].strip(), match["amount"] or None))
    return found


def _guarantees(platforms: pd.DataFrame, gathered: Gathered) -> None:
    cells = _column(platforms, "guarantors")
    cells = cells[cells.notna()]
    rows = [
        (label, platforms.at[label, "id"], name, amount)
        for label, text in cells.items()
        for name, amount in read_guarantors(str(text)[:_MOST_TEXT])
    ]
    if not rows:
        return
    frame = pd.DataFrame(rows, columns=["label", "target", "source", "amount"]).set_index("label")
    frame.index.name = None
    twice = frame.reset_index().duplicated().to_numpy()
    if twice.any():
        texts = [f"{name} is named again with the same amount; counted once" for name in frame["source"][twice]]
        gathered.intake.note("relations", frame.index[twice], "guarantors", texts, "repaired")
        frame = frame[~twice]
    money = parse_money(frame["amount"])
    if (money.bad | money.foreign).any():
        wrong = money.bad | money.foreign
        texts = [f"the amount {show(value)} cannot be read as CNY; left open" for value in frame["amount"][wrong]]
        gathered.intake.note("relations", frame.index[wrong], "guarantors", texts, "repaired")
    frame["amount"] = money.amount
    # a guarantor is a firm unless its name can only be a person's or tells nothing
    kinds = kind_of_name(frame["source"])
    frame["source_kind"] = kinds.where(kinds.isin(["company", "state"]), "unknown")
    gathered.links.append(frame.assign(kind="guarantees"))


# -- holders ---------------------------------------------------------------------------------------------------------


def read_equity(text: str) -> list[tuple[str, str]]:
    """Stock code and market of an ``equityVoList`` cell, a Python literal; empty if it is none.

    Only literals are read, nothing is evaluated; ``u4e0a`` stands for the character whose backslash was lost.

    Examples
    --------
    >>> read_equity("[{u'equityCode': u'600000', u'equityMarket': u'u4e0au4ea4u6240'}]")
    [('600000', '上交所')]
    """
    if len(text) > _MOST_TEXT:
        return []
    try:
        cells = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return []
    found = []
    for cell in cells if isinstance(cells, list) else []:
        if isinstance(cell, dict):
            code, market = (
                _ESCAPE.sub(lambda match: chr(int(match[1], 16)), str(cell.get(key) or "")).strip()
                for key in ("equityCode", "equityMarket")
            )
            if code:
                found.append((code, market))
    return found


def _holders(firms: pd.DataFrame, gathered: Gathered) -> None:
    """A listed company behind the operator owns an unknown share of it; a listed operator holds nothing of itself."""
    cells = _column(firms, "equity")
    backgrounds = _column(firms, "background")
    rows, notes = [], []
    for label, text in cells[cells.notna()].items():
        background = backgrounds[label] if isinstance(backgrounds[label], str) else ""
        stocks = read_equity(str(text))
        if not stocks and "[]" not in str(text):
            notes.append((label, f"{show(str(text)[:60])} names no stock code; left out"))
        for code, market in stocks:
            if "上市公司" in background or "国资" in background:
                rows.append((label, f"stock:{code}", firms.at[label, "firm"], f"{market} {code}".strip()))
            else:
                text = (
                    f"the stock {code} ({market}) is not said to be a holder's ({background or 'no background given'})"
                )
                notes.append((label, text))
    if notes:
        gathered.intake.note("relations", [label for label, _ in notes], "equity", [text for _, text in notes])
    if rows:
        frame = pd.DataFrame(rows, columns=["label", "holder", "company", "stock"]).set_index("label")
        frame.index.name = None
        listed = frame.drop_duplicates("holder")
        gathered.companies.append(
            pd.DataFrame({"id": listed["holder"], "name": listed["stock"], "kind": "company"}, index=listed.index)
        )
        gathered.holdings.append(frame.assign(holder_kind="company", sheet="platforms"))


# -- cases -----------------------------------------------------------------------------------------------------------


def _cases(platforms: pd.DataFrame, gathered: Gathered, problem_case: str | Mapping[str, str]) -> None:
    trouble = _column(platforms, "trouble")
    flagged = _column(platforms, "problem").isin(["1", 1, "是"])
    rows = trouble.notna() | flagged | _column(platforms, "troubled").notna()
    found = platforms[rows]
    if not len(found):
        return
    topic = trouble[rows].where(trouble[rows].notna(), "问题平台")
    chosen = dict.fromkeys(_TROUBLES, problem_case) if isinstance(problem_case, str) else dict(problem_case)
    cases = pd.DataFrame(
        {
            "entity": found["id"],
            "type": topic.map(chosen).fillna("abnormal"),
            "topic": topic,
            "start": _column(found, "troubled"),
        },
        index=found.index,
    )
    gathered.cases.append(cases)
