"""A list of names held against a graph: candidates with a score and the reason, never a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from riskgraph._optional import import_optional
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.identity.names import compare_key, core_name

__all__ = ["screen_list"]


def screen_list(graph: EntityGraph, names: Iterable[str], *, least: float = 0.85) -> pd.DataFrame:
    """Entities whose names resemble names of a list: sanctions, bans, tip-offs.

    Parameters
    ----------
    names
        Names as the list prints them. Stars stand for hidden characters (``张**``): such names give candidates only.
    least
        Similarity below which nothing is reported, in [0, 1].

    Returns
    -------
    Frame ``listed, entity, name, score, reason``: ``exact`` (1.0), ``legal_form`` (equal but for the legal form, 0.95),
    ``masked`` (the visible characters fit, 0.5), ``similar`` (rapidfuzz's normalised edit similarity of what is left
    without the legal form; needs the extra ``identity``). The surest first.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_chain()
    >>> rg.identity.screen_list(graph, ["ANN", "Mi*e"])[["listed", "entity", "score", "reason"]]
      listed entity  score  reason
    0    ANN    Ann    1.0   exact
    1   Mi*e   Mine    0.5  masked
    """
    if not 0 <= least <= 1:
        raise InvalidParameter(f"'least' must be in [0, 1]; got {least!r}")
    listed = pd.Series([str(name) for name in names], dtype=object)
    have = pd.Series(graph.names, dtype=object)
    keys, cores = compare_key(have), compare_key(core_name(have))
    rows: list[tuple[str, int, float, str]] = []
    masked = listed.str.contains(r"[*＊]")
    plain = listed[~masked]
    wanted = pd.DataFrame({"listed": plain, "key": compare_key(plain), "core": compare_key(core_name(plain))})
    rows += _join(wanted, "key", keys, 1.0, "exact")
    rows += _join(wanted, "core", cores, 0.95, "legal_form")
    for name in listed[masked]:
        rows += [(name, int(code), 0.5, "masked") for code in np.flatnonzero(_fits(name, keys))]
    if least < 0.95 and len(wanted):
        rows += _similar(wanted, cores, least)
    frame = pd.DataFrame(rows, columns=["listed", "code", "score", "reason"])
    frame = frame.sort_values("score", ascending=False, kind="stable").drop_duplicates(["listed", "code"])
    codes = frame["code"].to_numpy(dtype=np.int64)
    frame.insert(1, "entity", graph.ids[codes])
    frame.insert(2, "name", graph.names[codes])
    keep = (frame["score"] >= least) | (frame["reason"] == "masked")
    return frame[keep].drop(columns="code").reset_index(drop=True)


def _fits(masked: str, keys: pd.Series) -> np.ndarray:
    """Which keys a masked name may stand for: each star is one character."""
    parts = re.split(r"[*＊]", str(compare_key(pd.Series([masked]))[0]))
    pattern = re.compile(".".join(re.escape(part) for part in parts))
    return np.array([isinstance(key, str) and bool(pattern.fullmatch(key)) for key in keys], dtype=bool)


def _join(
    wanted: pd.DataFrame, column: str, keys: pd.Series, score: float, reason: str
) -> list[tuple[str, int, float, str]]:
    left = wanted[["listed", column]].rename(columns={column: "key"}).dropna()
    right = pd.DataFrame({"key": keys, "code": np.arange(len(keys))}).dropna()
    both = left[left["key"] != ""].merge(right, on="key")
    return [(name, code, score, reason) for name, code in zip(both["listed"], both["code"], strict=True)]


def _similar(wanted: pd.DataFrame, cores: pd.Series, least: float) -> list[tuple[str, int, float, str]]:
    try:
        process = import_optional("rapidfuzz.process", extra="identity")
        distance = import_optional("rapidfuzz.distance", extra="identity")
    except ImportError:
        return []
    queries, choices = wanted["core"].fillna("").tolist(), cores.fillna("").tolist()
    table = process.cdist(queries, choices, scorer=distance.Levenshtein.normalized_similarity, score_cutoff=least)
    found = np.argwhere((table >= least) & (table < 1))
    names = wanted["listed"].tolist()
    return [(names[row], int(code), 0.95 * float(table[row, code]), "similar") for row, code in found]
