"""What is on record: age, capital, sector, place, licences, lesser cases, and facts that hold numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskgraph.learning._families._view import COMPANY, PERSON, Feature, Spec, View, count
from riskgraph.schema import CASE_TYPES, ENTITY_KINDS, SECTORS, SEED_CASES

__all__ = ["compute", "features"]

_LESSER = tuple(case for case in CASE_TYPES if case not in SEED_CASES)
FEATURES = (
    Feature("company", "0 or 1", "is a company"),
    Feature("person", "0 or 1", "is a person"),
    Feature("product", "0 or 1", "is a product"),
    Feature("age", "years", "since its first day; missing where none is given or it lies ahead"),
    Feature("capital", "log10 CNY", "stated capital: the newest fact, else that of the entity; missing where none is"),
    Feature("away", "0 or 1", "operates outside the county it is registered in; missing where a place is"),
    *(Feature(f"sector_{sector}", "0 or 1", f"declares the sector '{sector}'") for sector in SECTORS),
    Feature("sector_cases", "share", "part of the others of its sector under a seed case; missing without any"),
    Feature("province_cases", "share", "part of the others of its province under a seed case; missing without any"),
    Feature("licences", "count", "licences in force"),
    Feature("licences_lost", "count", "licences that have ended"),
    Feature("cases_ever", "count", "seed cases it ever had, ended ones too"),
    *(Feature(f"case_{case}", "count", f"cases '{case}' it ever had, ended ones too") for case in _LESSER),
)  # fmt: skip


def features(spec: Spec) -> tuple[Feature, ...]:
    """Features of the family: the facts depend on what the graph held at fit."""
    facts = (
        Feature(f"fact_{name}", "as given", f"newest value in force of the fact '{name}'; missing where unknown")
        for name in spec.facts
    )
    return (*FEATURES, *facts)


def compute(view: View, spec: Spec) -> dict[str, np.ndarray]:
    """Values by feature, each by entity code."""
    n, frame = view.n, view.graph.entities
    sector = _texts(view, frame, "sector")
    home, work = _texts(view, frame, "registered_in"), _texts(view, frame, "operates_in")
    placed = ~pd.isna(home) & ~pd.isna(work)
    away = np.array([str(a)[:6] not in [part.strip()[:6] for part in str(b).split(";")] for a, b in
                     zip(home[placed], work[placed], strict=True)], dtype=np.float64)  # fmt: skip
    province = np.array([None if pd.isna(code) else str(code)[:2] for code in home], dtype=object)
    cases, licences = view.begun("cases"), view.begun("licences")
    kind, code = cases["type"].to_numpy(dtype=object), view.codes(cases["entity"])
    in_force = count(n, view.codes(view.graph.licences["entity"]))
    found = {
        "company": (view.kinds == COMPANY).astype(np.float64),
        "person": (view.kinds == PERSON).astype(np.float64),
        "product": (view.kinds == ENTITY_KINDS.index("product")).astype(np.float64),
        "age": _age(view),
        "capital": _capital(view, frame),
        "away": _spread(n, placed, away),
        **{f"sector_{name}": (sector == name).astype(np.float64) for name in SECTORS},
        "sector_cases": _case_share(view, sector),
        "province_cases": _case_share(view, province),
        "licences": in_force,
        "licences_lost": count(n, view.codes(licences["entity"])) - in_force,
        "cases_ever": count(n, code[np.isin(kind, SEED_CASES)]),
        **{f"case_{name}": count(n, code[kind == name]) for name in _LESSER},
    }
    for name in spec.facts:
        found[f"fact_{name}"] = _fact(view, name)
    return found


def _texts(view: View, frame: pd.DataFrame, column: str) -> np.ndarray:
    if column not in frame:
        return np.full(view.n, None, dtype=object)
    return np.asarray(frame[column].to_numpy(dtype=object))


def _spread(n: int, mask: np.ndarray, values: np.ndarray) -> np.ndarray:
    found = np.full(n, np.nan)
    found[mask] = values
    return found


def _age(view: View) -> np.ndarray:
    if view.day is None:
        return np.full(view.n, np.nan)
    days = (view.day - view.born).astype(np.float64)
    return np.where(np.isnat(view.born) | (days < 0), np.nan, days / 365.25)


def _capital(view: View, frame: pd.DataFrame) -> np.ndarray:
    stated = np.full(view.n, np.nan)
    if "capital" in frame:
        stated = pd.to_numeric(frame["capital"], errors="coerce").to_numpy(dtype=np.float64)
    newest = _fact(view, "capital")
    money = np.where(np.isnan(newest), stated, newest)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(money > 0, np.log10(money), np.nan)


def _case_share(view: View, names: np.ndarray) -> np.ndarray:
    """Part of the others with the same name that are under a seed case; of those alive or under one."""
    counted = view.alive | (view.seeds > 0)
    known = ~pd.isna(names)
    codes, texts = pd.factorize(names[known])
    mine, bad = counted[known].astype(np.float64), (view.seeds[known] > 0).astype(np.float64)
    total = count(len(texts), codes, mine)[codes] - mine
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (count(len(texts), codes, bad)[codes] - bad) / total
    return _spread(view.n, known, np.where(total > 0, share, np.nan))


def _fact(view: View, name: str) -> np.ndarray:
    """Newest value in force of a fact, as a number; unknown is missing."""
    facts = view.graph.facts
    facts = facts[facts["fact"] == name]
    values = pd.to_numeric(facts["value"], errors="coerce").to_numpy(dtype=np.float64)
    found = np.full(view.n, np.nan)
    start = view.starts(facts)
    order = np.argsort(np.where(np.isnat(start), np.iinfo(np.int64).min, start.astype(np.int64)), kind="stable")
    found[view.codes(facts["entity"])[order]] = values[order]
    return found
