"""Look-through trees (股权穿透): each row owns the company its ``parent_id`` names."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from riskgraph.readers._cn_book import Gathered
from riskgraph.readers._cn_sheets import former

__all__ = ["gather_tree"]

_FOUNDER = re.compile(r"[(（]发起人[)）]$")
#: type letters of the export; every other one stands outside the register, and the name tells
_KINDS = {"E": "company", "P": "person"}


def gather_tree(frame: pd.DataFrame, gathered: Gathered, *, as_of: Any) -> None:
    """Companies and holdings of a tree; the nested copy in ``children`` is not read again."""
    intake = gathered.intake
    frame = frame.drop(columns=[column for column in ("children",) if column in frame])
    frame = intake.shares("relations", frame, ["share", "controller_share"])
    frame = intake.money("relations", frame, "amount")
    for column in ("id", "kind", "count"):
        if column not in frame:
            frame[column] = None
    frame = intake.sift("entities", frame, frame["name"].isna().to_numpy(), "name", "every row names somebody")
    founder = frame["name"].map(lambda name: bool(_FOUNDER.search(name))).to_numpy(dtype=bool)
    if founder.any():
        frame = frame.copy()
        frame["founder"] = pd.Series([True if mark else None for mark in founder], index=frame.index, dtype=object)
        intake.note(
            "entities", frame.index[founder], "name", "the mark 发起人 is no part of the name; taken off", "repaired"
        )
        frame["name"] = frame["name"].map(lambda name: _FOUNDER.sub("", name))
    _companies(frame, gathered)
    held = frame[frame["parent"].notna()]
    _counts(frame, held, gathered)
    holder = held["id"].where(held["id"].notna(), held["name"])
    kinds = held["kind"].map(_KINDS)
    holdings = held.assign(holder=holder, company=held["parent"], holder_kind=kinds, sheet="tree")
    drop = ["id", "name", "kind", "short_name", "parent", "count", "controller", "controller_share"]
    holdings = holdings.drop(columns=[column for column in drop if column in holdings])
    gathered.holdings.append(former(holdings, gathered, as_of))


def _companies(frame: pd.DataFrame, gathered: Gathered) -> None:
    """Every id once, by its first row."""
    firms = frame[frame["id"].notna()]
    for _, rows in firms.groupby("id", sort=False):
        names = rows["name"].unique()
        if len(names) > 1:
            text = f"{rows['id'].iloc[0]} is called {' and '.join(map(repr, names))}; the first is kept"
            gathered.intake.note("entities", rows.index[:1], "name", text)
    firms = firms.drop_duplicates("id")
    own = ["id", "name", "short_name", "controller", "controller_share"]
    firms = firms[[column for column in own if column in firms]].assign(kind="company")
    gathered.companies.append(
        firms.rename(columns={"controller": "declared_controller", "controller_share": "declared_control"})
    )


def _counts(frame: pd.DataFrame, held: pd.DataFrame, gathered: Gathered) -> None:
    """Report companies whose number of holders differs from the number the export states."""
    stated = pd.to_numeric(frame["count"], errors="coerce")
    firms = frame[frame["id"].notna() & (stated > 0)].assign(stated=stated).drop_duplicates("id")
    found = held.groupby("parent", sort=False).size()
    have = firms["id"].map(found).fillna(0)
    less = (have < firms["stated"]).to_numpy()
    if less.any():
        texts = [
            f"{name} is said to have {int(said)} holders; {int(here)} are in the file, the others are unknown"
            for name, said, here in zip(firms["name"][less], firms["stated"][less], have[less], strict=True)
        ]
        gathered.intake.note("entities", firms.index[less], "count", texts)
