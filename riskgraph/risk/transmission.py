"""How likely risk passes along a relation: by kind, direction, share, role and confidence, as a table with reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from riskgraph._columns import RelationColumns
from riskgraph._sparse import exact_shares, exact_threshold
from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.schema import RELATION_KINDS

__all__ = ["DIRECTIONS", "default_transmission", "probabilities", "read_transmission", "transmission_table"]

DIRECTIONS = ("forward", "backward")

Rule = float | Callable[[pd.DataFrame], Any]


class ByShare:
    """Probability by the greatest share a holder may have; a share of 0 transmits nothing.

    Examples
    --------
    >>> rule = ByShare({0.5: 0.6, 0.25: 0.4, 0.0: 0.1}, unknown=0.2)
    >>> rule(pd.DataFrame({"share_max": [1.0, 0.25, 0.01, 0.0, float("nan")]}))
    array([0.6, 0.4, 0.1, 0. , 0.2])
    """

    def __init__(self, bands: Mapping[float, float], unknown: float) -> None:
        self.bands = dict(sorted(bands.items()))
        self.unknown = unknown

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        """Probabilities by the column ``share_max``."""
        return self.of_shares(frame["share_max"].to_numpy(dtype=np.float64))

    def of_shares(self, shares: np.ndarray) -> np.ndarray:
        """Probabilities by share, compared on exact decimals."""
        known = ~np.isnan(shares)
        exact = exact_shares(np.where(known, shares, 0.0))
        ends = np.array([exact_threshold(share) for share in self.bands], dtype=np.int64)
        values = np.array([0.0, *self.bands.values()])
        found = values[np.searchsorted(ends, exact, side="right")]
        found[exact == 0] = 0.0
        return np.where(known, found, self.unknown)

    def __repr__(self) -> str:
        return f"ByShare({self.bands!r}, unknown={self.unknown!r})"


class ByRole:
    """Probability by the role of an officer.

    Examples
    --------
    >>> ByRole({"director": 0.4}, other=0.2)(pd.DataFrame({"role": ["director", "driver", None]}))
    array([0.4, 0.2, 0.2])
    """

    def __init__(self, roles: Mapping[str, float], other: float) -> None:
        self.roles = dict(roles)
        self.other = other

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        """Probabilities by the column ``role``."""
        return frame["role"].map(self.roles).fillna(self.other).to_numpy(dtype=np.float64)

    def of_roles(self, codes: np.ndarray, roles: tuple[str, ...]) -> np.ndarray:
        """Probabilities by role codes, -1 for none."""
        return np.array([*(self.roles.get(role, self.other) for role in roles), self.other])[codes]

    def __repr__(self) -> str:
        return f"ByRole({self.roles!r}, other={self.other!r})"


class ByConfidence:
    """Probability that two are one: the relation's confidence.

    Examples
    --------
    >>> ByConfidence(unknown=0.5)(pd.DataFrame({"confidence": [0.9, None]}))
    array([0.9, 0.5])
    """

    def __init__(self, unknown: float) -> None:
        self.unknown = unknown

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        """Probabilities by the column ``confidence``."""
        return self.of_confidence(frame["confidence"].to_numpy(dtype=np.float64))

    def of_confidence(self, confidence: np.ndarray) -> np.ndarray:
        """Probabilities by confidence, NaN where none is given."""
        return np.where(np.isnan(confidence), self.unknown, confidence)

    def __repr__(self) -> str:
        return f"ByConfidence(unknown={self.unknown!r})"


# -- the table -------------------------------------------------------------------------------------------------------


def default_transmission() -> dict[tuple[str, str], Rule]:
    """The default table as a mapping to start from: ``(kind, "forward" or "backward")`` to a number or a function.

    A function takes the relations of its kind as a frame and gives a probability each. The numbers are riskgraph's
    own estimates; :func:`transmission_table` gives their reasons.

    Examples
    --------
    >>> table = default_transmission()
    >>> table["member_of", "backward"]
    0.5
    >>> table["officer", "backward"](pd.DataFrame({"role": ["legal_representative", "supervisor"]}))
    array([0.8 , 0.06])
    """
    return _mapping(_default())


def read_transmission(path: str | Path) -> dict[tuple[str, str], Rule]:
    """A transmission table of your own, in the format of riskgraph's ``risk/transmission.yaml``.

    Raises
    ------
    InvalidTable
        An entry breaks a rule; the message lists each.

    Examples
    --------
    >>> import pathlib
    >>> import riskgraph.risk
    >>> own = pathlib.Path(riskgraph.risk.__file__).with_name("transmission.yaml")
    >>> table = read_transmission(own)
    >>> table["kin", "forward"] == default_transmission()["kin", "forward"]
    True
    """
    return _mapping(_read(Path(path)))


def transmission_table(path: str | Path | None = None) -> pd.DataFrame:
    """The transmission table for people: ``kind, direction, when, probability, clause, reason_zh, reason_en``.

    Examples
    --------
    >>> table = transmission_table()
    >>> table[(table["kind"] == "channels")][["direction", "probability", "clause"]]
         direction  probability                           clause
    ...   forward         0.02
    ...  backward         0.20  FUND-CHANNEL-UNLICENSED-PAYMENT
    """
    entries = _default() if path is None else _read(Path(path))
    rows = []
    for entry in entries:
        for when, probability in _cases(entry):
            rows.append(
                {
                    "kind": entry["kind"],
                    "direction": entry["direction"],
                    "when": when,
                    "probability": float(probability),
                    "clause": ";".join(entry["clause"]),
                    "reason_zh": entry["reason"]["zh"],
                    "reason_en": entry["reason"]["en"],
                }
            )
    return pd.DataFrame(rows)


def _cases(entry: Mapping[str, Any]) -> Iterable[tuple[str, float]]:
    by = entry.get("by")
    if by == "share":
        yield from ((f"share >= {share:g}" if share else "share > 0", p) for share, p in entry["bands"].items())
        yield "share unknown", entry["unknown"]
    elif by == "role":
        yield from ((f"role {role}", p) for role, p in entry["roles"].items())
        yield "other role", entry["other"]
    elif by == "confidence":
        yield "confidence unknown", entry["unknown"]
    else:
        yield "", entry["probability"]


@lru_cache(maxsize=1)
def _default() -> tuple[dict[str, Any], ...]:
    text = files("riskgraph.risk").joinpath("transmission.yaml").read_text("utf-8")
    return _checked(text, "transmission.yaml")


def _mapping(entries: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Rule]:
    found: dict[tuple[str, str], Rule] = {}
    for entry in entries:
        by = entry.get("by")
        key = (entry["kind"], entry["direction"])
        if by == "share":
            found[key] = ByShare({float(share): p for share, p in entry["bands"].items()}, entry["unknown"])
        elif by == "role":
            found[key] = ByRole(entry["roles"], entry["other"])
        elif by == "confidence":
            found[key] = ByConfidence(entry["unknown"])
        else:
            found[key] = float(entry["probability"])
    return found


_NEEDS = {None: ("probability",), "share": ("bands", "unknown"), "role": ("roles", "other"), "confidence": ("unknown",)}


def _read(path: Path) -> tuple[dict[str, Any], ...]:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidTable(f"{path} is not UTF-8: {error}") from error
    return _checked(text, str(path))


def _checked(text: str, name: str) -> tuple[dict[str, Any], ...]:
    try:
        data = yaml.safe_load(text)
    # a day such as 2016-02-30, a list as a key, or lists in lists without end are no YAMLError
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InvalidTable(f"{name} is not YAML: {error}") from error
    entries = data.get("transmission") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries:
        raise InvalidTable(f"{name} must hold a list 'transmission' of entries")
    problems: list[str] = []
    seen: set[tuple[object, object]] = set()
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            problems.append(f"entry {number}: must be a mapping; got {entry!r}")
            continue
        kind, direction = entry.get("kind"), entry.get("direction")
        where = f"entry {number} ({kind} {direction})"
        if not (isinstance(kind, str) and isinstance(direction, str)):
            problems.append(f"{where}: 'kind' and 'direction' must be texts")
            continue
        if kind not in RELATION_KINDS:
            problems.append(f"{where}: 'kind' must be a relation kind; got {kind!r}")
        if direction not in DIRECTIONS:
            problems.append(f"{where}: 'direction' must be forward or backward; got {direction!r}")
        if (kind, direction) in seen:
            problems.append(f"{where}: given twice")
        seen.add((kind, direction))
        problems += [f"{where}: {problem}" for problem in _problems(entry)]
    if problems:
        raise InvalidTable(f"{name} breaks the rules of a transmission table:", problems)
    return tuple(entries)


def _problems(entry: Mapping[str, Any]) -> Iterable[str]:
    by = entry.get("by")
    reason, clause = entry.get("reason"), entry.get("clause")
    if not isinstance(reason, dict) or not all(str(reason.get(lang) or "").strip() for lang in ("en", "zh")):
        yield "'reason' must be given in en and zh"
    if not isinstance(clause, list) or not all(isinstance(item, str) for item in clause):
        yield f"'clause' must be a list of rule ids, empty where there is none; got {clause!r}"
    if not isinstance(by, (str, type(None))) or by not in _NEEDS:
        yield f"'by' must be share, role or confidence; got {by!r}"
        return
    missing = [name for name in _NEEDS[by] if name not in entry]
    if missing:
        yield f"{missing[0]!r} is missing"
        return
    for name in _NEEDS[by]:
        if name not in ("bands", "roles"):
            if not _is_probability(entry[name]):
                yield f"{name!r} must be in [0, 1]; got {entry[name]!r}"
        elif not isinstance(entry[name], dict) or not entry[name]:
            yield f"{name!r} must map to probabilities; got {entry[name]!r}"
        else:
            yield from (
                f"{name!r} must hold probabilities in [0, 1]; got {p!r} for {key!r}"
                for key, p in entry[name].items()
                if not _is_probability(p)
            )
            if name == "bands":
                yield from _band_problems(entry[name])


def _band_problems(bands: Mapping[Any, Any]) -> Iterable[str]:
    if not all(_is_probability(share) for share in bands):
        yield f"'bands' must begin at shares in [0, 1]; got {list(bands)!r}"
    elif all(_is_probability(p) for p in bands.values()):
        values = [p for _, p in sorted(bands.items())]
        if values != sorted(values):
            yield "'bands' must not transmit less where more is held"


def _is_probability(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


# -- probabilities of the relations of a graph -----------------------------------------------------------------------


def probabilities(
    graph: EntityGraph, transmission: Any, columns: RelationColumns, frame: Callable[[np.ndarray], pd.DataFrame]
) -> tuple[np.ndarray, np.ndarray]:
    """Forward and backward probability of every relation of ``columns``.

    Parameters
    ----------
    transmission
        None, a mapping or the name of a column: see :class:`riskgraph.risk.RiskCascade`.
    frame
        Gives the relations table of positions of ``columns``, for functions and extra columns.

    Raises
    ------
    InvalidParameter
        A key, a number, what a function returns or a column breaks its rule.
    """
    if isinstance(transmission, str):
        return _by_column(transmission, columns, frame), np.zeros(len(columns))
    table = default_transmission() if transmission is None else _checked_mapping(transmission)
    both = {direction: np.zeros(len(columns)) for direction in DIRECTIONS}
    for (kind, direction), rule in table.items():
        at = columns.of(kind)
        if at.size:
            both[direction][at] = _apply(rule, columns, at, frame, f"{kind} {direction}")
    return both["forward"], both["backward"]


def _apply(
    rule: Any, columns: RelationColumns, at: np.ndarray, frame: Callable[[np.ndarray], pd.DataFrame], key: str
) -> Any:
    if isinstance(rule, ByShare):
        return rule.of_shares(columns.share_max[at])
    if isinstance(rule, ByRole):
        return rule.of_roles(columns.role[at], columns.roles)
    if isinstance(rule, ByConfidence):
        return rule.of_confidence(columns.confidence[at])
    if not callable(rule):
        return float(rule)
    try:
        values = np.asarray(rule(frame(at)), dtype=np.float64)
        values = np.broadcast_to(values, at.shape)
    except (TypeError, ValueError) as error:
        raise InvalidParameter(f"'transmission' for {key} must give one probability a relation; {error}") from error
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        first = int(np.argmax(wrong))
        name = frame(at[first : first + 1])["id"].iloc[0]
        raise InvalidParameter(
            f"'transmission' for {key} must give probabilities in [0, 1]; got {values[first]} for {name!r}"
        )
    return values


def _checked_mapping(transmission: Any) -> Mapping[tuple[str, str], Any]:
    if not isinstance(transmission, Mapping):
        raise InvalidParameter(
            "'transmission' must be None, a mapping of (kind, direction) to a probability, or the name of a relations "
            f"column; got {transmission!r}"
        )
    for key, rule in transmission.items():
        if not (isinstance(key, tuple) and len(key) == 2 and key[0] in RELATION_KINDS and key[1] in DIRECTIONS):
            raise InvalidParameter(
                f"'transmission' must have keys (relation kind, 'forward' or 'backward'); got {key!r}"
            )
        if not callable(rule) and not _is_number(rule):
            raise InvalidParameter(f"'transmission' for {key[0]} {key[1]} must be in [0, 1]; got {rule!r}")
    return transmission


def _is_number(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        return False
    return bool(0 <= value <= 1)


def _by_column(name: str, columns: RelationColumns, frame: Callable[[np.ndarray], pd.DataFrame]) -> np.ndarray:
    """Source to target probability by a column; an empty cell transmits nothing."""
    if name in ("share_min", "share_max", "votes_min", "votes_max", "confidence", "amount"):
        values = np.array(getattr(columns, name), dtype=np.float64)
    else:
        table = frame(np.arange(len(columns)))
        if name not in table:
            raise InvalidParameter(f"'transmission' must name a column of the relations; got {name!r}")
        try:
            values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise InvalidParameter(f"'transmission' must name a column of numbers; {name!r} is none") from error
    empty = np.isnan(values)
    wrong = ~empty & ~((values >= 0) & (values <= 1))
    if wrong.any():
        first = int(np.argmax(wrong))
        relation = frame(np.array([first]))["id"].iloc[0]
        raise InvalidParameter(
            f"'transmission' column {name!r} must hold probabilities in [0, 1]; got {values[first]} for {relation!r}"
        )
    return np.where(empty, 0.0, values)
