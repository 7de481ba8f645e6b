"""What changed around it in the last year: holders, officers, relations, names, and neighbours in new trouble."""

from __future__ import annotations

import numpy as np

from riskgraph._columns import RelationColumns
from riskgraph.learning._families._view import Feature, Spec, View, count, greatest
from riskgraph.schema import RELATION_KINDS, SEED_CASES

__all__ = ["WINDOW", "compute", "features"]

#: days a change counts as recent
WINDOW = 365
_FACTS = ("name", "address", "capital", "legal_representative")

FEATURES = (
    Feature("holders_in", "count", f"holdings of it that began in the last {WINDOW} days"),
    Feature("holders_out", "count", f"holdings of it that ended in the last {WINDOW} days"),
    Feature("officers_in", "count", f"posts in it that began in the last {WINDOW} days"),
    Feature("officers_out", "count", f"posts in it that ended in the last {WINDOW} days"),
    Feature("posts_out", "count", f"posts it (a person) left in the last {WINDOW} days"),
    Feature("begun", "count", f"relations of any kind that began in the last {WINDOW} days"),
    Feature("ended", "count", f"relations of any kind that ended in the last {WINDOW} days"),
    Feature("turnover", "share", "relations begun and ended in the window, over all it has; 0 without any"),
    Feature("since", "years", "since a relation of it last began or ended; missing where none is dated"),
    *(Feature(f"new_{name}", "count", f"records of the fact '{name}' in the last {WINDOW} days") for name in _FACTS),
    Feature("near_cases", "count", f"neighbours whose seed case began in the last {WINDOW} days"),
)  # fmt: skip


def features(spec: Spec) -> tuple[Feature, ...]:
    """Features of the family."""
    return FEATURES


def compute(view: View, spec: Spec) -> dict[str, np.ndarray]:
    """Values by feature, each by entity code."""
    n, day = view.n, view.day
    if day is None:
        return {feature.name: np.full(n, np.nan) for feature in FEATURES}
    now, past = view.graph.columns, view.graph.past

    def recent(dates: np.ndarray) -> np.ndarray:
        return np.asarray((dates > day - WINDOW) & (dates <= day))

    def ends(columns: RelationColumns, rows: np.ndarray, *kinds: str) -> tuple[np.ndarray, np.ndarray]:
        if kinds:
            rows = rows & np.isin(columns.kind, [RELATION_KINDS.index(kind) for kind in kinds])
        return columns.source[rows], columns.target[rows]

    came, went = recent(now.start), recent(past.end)
    short = recent(past.start)  # came and went within the window
    begun = sum(count(n, part) for part in (*ends(now, came), *ends(past, short)))
    ended = sum(count(n, part) for part in ends(past, went))
    degree = count(n, now.source) + count(n, now.target) + ended
    with np.errstate(divide="ignore", invalid="ignore"):
        turnover = np.where(degree > 0, (begun + ended) / degree, 0.0)
    found = {
        "holders_in": count(n, ends(now, came, "owns")[1]) + count(n, ends(past, short, "owns")[1]),
        "holders_out": count(n, ends(past, went, "owns")[1]),
        "officers_in": count(n, ends(now, came, "officer")[1]) + count(n, ends(past, short, "officer")[1]),
        "officers_out": count(n, ends(past, went, "officer")[1]),
        "posts_out": count(n, ends(past, went, "officer")[0]),
        "begun": np.asarray(begun),
        "ended": np.asarray(ended),
        "turnover": turnover,
        "since": _since(view, day),
    }
    facts = view.begun("facts")
    fresh = facts[recent(view.starts(facts))]
    for name in _FACTS:
        found[f"new_{name}"] = count(n, view.codes(fresh.loc[fresh["fact"] == name, "entity"]))
    cases = view.begun("cases")
    new = cases[cases["type"].isin(SEED_CASES) & recent(view.starts(cases))]
    struck = np.zeros(n)
    struck[view.codes(new["entity"])] = 1.0
    one, other = view.neighbours(*RELATION_KINDS)
    found["near_cases"] = count(n, one, struck[other])
    return found


def _since(view: View, day: np.datetime64) -> np.ndarray:
    """Years since the newest start or end of a relation of each entity."""
    codes, days = [], []
    for columns, dates in (
        (view.graph.columns, view.graph.columns.start),
        (view.graph.past, view.graph.past.end),
    ):
        given = ~np.isnat(dates) & (dates <= day)
        for end in (columns.source, columns.target):
            codes.append(end[given])
            days.append(dates[given].astype("datetime64[D]").astype(np.int64))
    newest = greatest(view.n, np.concatenate(codes), np.concatenate(days).astype(np.float64))
    return (float(day.astype(np.int64)) - newest) / 365.25
