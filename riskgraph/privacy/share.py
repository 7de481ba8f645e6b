"""A case that another agency can join on and compute with, without a name in it."""

from __future__ import annotations

import json
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from riskgraph._files import replacing_together
from riskgraph._pseudonyms import SecretKey, is_card, plain_name
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.readers.write import tables_aside
from riskgraph.schema import APPROVAL_PREFIX, FACT_TYPES, LEVELS, ROLES, SECTORS, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASE_FILE", "join_keys", "share_case"]

#: what the case is and what was left out, beside its tables
CASE_FILE = "case.json"
_DATES = ("start", "end", "known_from", "due")
_NUMBERS = ("share_min", "share_max", "votes_min", "votes_max", "amount", "confidence", "severity", "capital")
_KEPT_FACTS = frozenset(name for name, kind in FACT_TYPES.items() if kind in ("boolean", "number", "level"))


def join_keys(graph: EntityGraph, key: bytes | str) -> pd.DataFrame:
    """Keyed hashes of what identifies each entity, to join tables of two offices that hold the same key.

    Parameters
    ----------
    key
        The shared key, at least 16 bytes.

    Returns
    -------
    DataFrame
        ``id, join_uscc, join_lei, join_card, join_name``, one row an entity, missing where it has none. A card number
        is looked for in every text of a person's row. ``join_name`` is the name without width, case, spaces and
        stops: two namesakes have the same, so for a person it is a hint and no identity.

    Raises
    ------
    InvalidParameter
        The key is shorter than 16 bytes.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.privacy import join_keys
    >>> none = pd.DataFrame({"source": [], "target": [], "kind": []})
    >>> ours, theirs = (
    ...     rg.EntityGraph.from_tables(pd.DataFrame({"id": [id], "kind": ["company"], "name": [name]}), none)
    ...     for id, name in (("C1", "North Sea Ltd"), ("77", "NORTH  SEA LTD."))
    ... )
    >>> shared = b"an invented key of some length"
    >>> join_keys(ours, shared).merge(join_keys(theirs, shared), on="join_name")[["id_x", "id_y"]]
      id_x id_y
    0   C1   77
    """
    secret = SecretKey(key)
    entities = graph.tables()["entities"]
    person = (entities["kind"] == "person").to_numpy()
    columns: dict[str, Any] = {"id": entities["id"].to_numpy(dtype=object)}
    for column, tidy in (("uscc", _code), ("lei", _code), ("name", plain_name)):
        values = entities[column] if column in entities else pd.Series(None, index=entities.index, dtype=object)
        columns[f"join_{column}"] = _hashed(values, secret, f"join {column}", tidy)
    cards = pd.Series(None, index=entities.index, dtype=object)
    for column in entities:
        values = entities[column].astype(object).where(pd.Series(person, index=entities.index), None)
        found = values.map(lambda value: isinstance(value, str) and is_card(value)).to_numpy(dtype=bool)
        cards = cards.where(~found, values)
    columns["join_card"] = _hashed(cards, secret, "join card", _code)
    return pd.DataFrame(columns)[["id", "join_uscc", "join_lei", "join_card", "join_name"]]


def _code(text: Any) -> str:
    return plain_name(text).replace("-", "").upper()


def _hashed(values: pd.Series, secret: SecretKey, purpose: str, tidy: Callable[[Any], str]) -> np.ndarray:
    keys = [None if pd.isna(value) else tidy(value) for value in values]
    return np.array([f"j_{secret.digest(purpose, key)}" if key else None for key in keys], dtype=object)


def share_case(
    graph: EntityGraph,
    entity: str,
    depth: int = 2,
    *,
    key: bytes | str,
    path: str | os.PathLike[str],
    dates: Literal["keep", "drop"] = "keep",
) -> Path:
    """Write the surroundings of an entity as tables without a name, that an office with the same key can join.

    In the files stand only: keyed hashes of ids, the join columns of :func:`join_keys`, words of the vocabulary
    (kinds, case types, sectors, roles, names of facts), numbers, truth values and dates. Every other text stays
    behind: names, addresses, regions, sources, issuers, reporters, texts of advertisements. Ownership, control and
    risk computed on the case equal those of ``graph.neighborhood(entity, depth)``; owners and debtors beyond its edge
    are as missing there as here. Rows stand in the order of their hashes. ``rg.read(path)`` reads it back.

    Shares, amounts and dates are kept exact and may themselves tell a firm to someone who knows the register: hand a
    case to whom the law lets see it, and to nobody else.

    Parameters
    ----------
    graph, entity, depth
        What :meth:`EntityGraph.neighborhood` takes.
    key
        The key shared with the other office, at least 16 bytes.
    path
        A new or empty folder, or one that holds an earlier case.
    dates
        ``"keep"`` writes all that is known with its dates; ``"drop"`` writes what is in force on the graph's day,
        undated, and leaves out what has ended.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``entity``.
    InvalidParameter
        A short key, a negative depth, another ``dates``, or a folder with other files in it.

    Examples
    --------
    >>> import tempfile
    >>> import riskgraph as rg
    >>> from riskgraph.privacy import share_case
    >>> shared = b"an invented key of some length"
    >>> folder = share_case(rg.datasets.toy_banned_platform(), "Platform", 1, key=shared, path=tempfile.mkdtemp())
    >>> case = rg.read(folder)
    >>> case.entities["kind"].value_counts().to_dict(), case.seeds().tolist()
    ({'company': 4, 'person': 2, 'website': 1}, [1.0])
    """
    secret = SecretKey(key)
    if dates not in ("keep", "drop"):
        raise InvalidParameter(f"'dates' must be 'keep' or 'drop'; got {dates!r}")
    near = graph.neighborhood(entity, depth)
    place = Path(path)
    others = sorted(item.name for item in place.iterdir()) if place.is_dir() else []
    if others and CASE_FILE not in others:
        raise InvalidParameter(
            f"'path' must be a new or empty folder, or one of an earlier case; it holds {others[0]!r}"
        )
    case = _case_graph(near, secret, dates)
    about = {
        "what": "riskgraph case",
        "key_fingerprint": secret.fingerprint,
        "centre": _entity(entity, secret),
        "depth": int(depth),
        "dates": dates,
        "riskgraph": _version(),
        "rows": {name: len(frame) for name, frame in case.tables().items()},
    }
    with replacing_together(place) as aside:
        tables_aside(case, aside, "csv", {CASE_FILE: json.dumps(about, indent=1) + "\n"})
    return place


def _version() -> str:
    try:
        return version("riskgraph")
    except PackageNotFoundError:  # pragma: no cover  a source tree that was never installed
        return "0"


def _entity(id: Any, secret: SecretKey) -> str:
    return f"e_{secret.digest('case id', str(id))}"


def _case_graph(near: EntityGraph, secret: SecretKey, dates: str) -> EntityGraph:
    """The neighbourhood with only what may leave the house in it."""
    code = {id: _entity(id, secret) for id in near.ids}
    joins = join_keys(near, secret)  # type: ignore[arg-type]
    frames = {}
    for name in TABLES:
        frame = near.known(name) if dates == "keep" or name == "entities" else getattr(near, name)
        frames[name] = _open_columns(name, frame, code, secret, dates)
    frames["entities"] = pd.concat([frames["entities"], joins.drop(columns="id")], axis=1)
    for name, frame in frames.items():
        frames[name] = frame.sort_values("id", kind="stable").reset_index(drop=True)
    case = EntityGraph.from_tables(**frames)
    if dates == "drop" or near.valid_on is None:
        return case
    moved = near.known_by is not None or case.valid_on != near.valid_on or near._dated
    return case.at(near.valid_on, known=near.known_by) if moved else case


def _open_columns(name: str, frame: pd.DataFrame, code: dict[str, str], secret: SecretKey, dates: str) -> pd.DataFrame:
    if name == "facts":
        pairs = zip(frame["fact"], frame["value"], strict=True)
        frame = frame[np.array([_open_fact(fact, value) for fact, value in pairs], dtype=bool)]
    done: dict[str, Any] = {}
    if name == "entities":
        done["id"] = [code[id] for id in frame["id"]]
    else:
        done["id"] = [f"{name[0]}_{secret.digest(f'case {name}', str(id))}" for id in frame["id"]]
    for column in TABLES[name].references:
        done[column] = [code[id] for id in frame[column]]
    for column in ("kind", "type", "fact"):
        if column in TABLES[name].required:
            done[column] = frame[column].to_numpy()
    if name in ("entities", "licences") and "sector" in frame:
        done["sector"] = frame["sector"].where(frame["sector"].isin(SECTORS), None).to_numpy()
    if "role" in frame:
        # a role of the caller's own words keeps being another one than those of the vocabulary
        done["role"] = [
            None if pd.isna(role) else role if role in ROLES else f"x_{secret.digest('role', str(role))}"
            for role in frame["role"]
        ]
    if name == "facts":
        done["value"] = frame["value"].to_numpy(dtype=object)
    for column in (*_NUMBERS, *(_DATES if dates == "keep" else ())):
        if column in frame:
            done[column] = frame[column].to_numpy()
    return pd.DataFrame(done)


def _open_fact(fact: str, value: Any) -> bool:
    """Whether a fact is a known one and holds no free text."""
    if fact.startswith(APPROVAL_PREFIX):
        return fact.removeprefix(APPROVAL_PREFIX) in FACT_TYPES and not isinstance(value, str)
    return fact in _KEPT_FACTS and (not isinstance(value, str) or value in (*LEVELS, "unknown"))
