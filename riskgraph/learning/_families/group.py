"""The control group it belongs to, how large, rich and troubled it is; and all whom it is tied to."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from riskgraph.learning._families._view import COMPANY, PERSON, Feature, Spec, View, count, distinct
from riskgraph.learning.split import group_labels
from riskgraph.schema import RELATION_KINDS

__all__ = ["compute", "features"]

FEATURES = (
    Feature("size", "count", "members of its control group, itself included; 1 for one alone"),
    Feature("companies", "count", "companies in its control group"),
    Feature("persons", "count", "persons in its control group"),
    Feature("sectors", "count", "distinct sectors that members of its group declare or have a licence in"),
    Feature("licences", "count", "licences in force in its group"),
    Feature(
        "capital", "log10 CNY", "capital stated by the companies of its group, added up; missing where none states any"
    ),
    Feature("cases", "count", "other members of its group under a seed case"),
    Feature("cases_ever", "count", "other members of its group that ever were under a seed case"),
    Feature("young", "count", "companies of its group founded in the last 365 days"),
    Feature("component", "log10 count", "entities it is joined to by any chain of relations, itself included"),
    Feature("neighbours", "count", "distinct entities it has a relation with"),
    Feature("amount_out", "log10 CNY", "amounts of all relations from it, added up; missing where none is given"),
    Feature("amount_in", "log10 CNY", "amounts of all relations to it, added up; missing where none is given"),
)


def features(spec: Spec) -> tuple[Feature, ...]:
    """Features of the family."""
    return FEATURES


def compute(view: View, spec: Spec) -> dict[str, np.ndarray]:
    """Values by feature, each by entity code."""
    graph = view.graph
    label = group_labels(graph)
    groups = int(label.max(initial=-1)) + 1

    def total(weights: np.ndarray) -> np.ndarray:
        return count(groups, label, weights)[label]

    def others(mask: np.ndarray) -> np.ndarray:
        return total(mask.astype(np.float64)) - mask

    frame = graph.entities
    capital = np.full(view.n, np.nan)
    if "capital" in frame:
        capital = pd.to_numeric(frame["capital"], errors="coerce").to_numpy(dtype=np.float64)
    money = total(np.nan_to_num(capital))
    licensed = view.codes(graph.licences["entity"])
    links = csr_array(
        (np.ones(len(graph.columns), dtype=np.int8), (graph.columns.source, graph.columns.target)),
        shape=(view.n, view.n),
    )
    _, component = connected_components(links, directed=False)
    young = np.zeros(view.n, dtype=bool)
    if view.day is not None:
        young = (view.kinds == COMPANY) & (view.born <= view.day) & (view.born > view.day - 365)
    with np.errstate(divide="ignore"):
        logs = np.log10(money)
    return {
        "size": total(np.ones(view.n)),
        "companies": total((view.kinds == COMPANY).astype(np.float64)),
        "persons": total((view.kinds == PERSON).astype(np.float64)),
        "sectors": _sectors(view, label, groups)[label],
        "licences": total(count(view.n, licensed)),
        "capital": np.where(money > 0, logs, np.nan),
        "cases": others(view.seeds > 0),
        "cases_ever": others(view.ever),
        "young": total(young.astype(np.float64)),
        "component": np.log10(np.bincount(component, minlength=1)[component]),
        "neighbours": count(view.n, view.neighbours(*RELATION_KINDS)[0]),
        "amount_out": _amounts(view, graph.columns.source),
        "amount_in": _amounts(view, graph.columns.target),
    }


def _amounts(view: View, codes: np.ndarray) -> np.ndarray:
    """Sum of the amounts of the relations at one end, in powers of ten."""
    amount = view.graph.columns.amount
    given = ~np.isnan(amount)
    total = count(view.n, codes[given], amount[given])
    with np.errstate(divide="ignore"):
        return np.where(total > 0, np.log10(total), np.nan)


def _sectors(view: View, label: np.ndarray, groups: int) -> np.ndarray:
    """Distinct sectors of each group."""
    frame, licences = view.graph.entities, view.graph.licences
    declared = np.full(view.n, None, dtype=object)
    if "sector" in frame:
        declared = frame["sector"].to_numpy(dtype=object)
    given = np.flatnonzero(~pd.isna(declared))
    where = np.concatenate([label[given], label[view.codes(licences["entity"])]])
    names = np.concatenate([declared[given], licences["sector"].to_numpy(dtype=object)])
    numbers, texts = pd.factorize(names)
    pairs = distinct(where.astype(np.int64) * max(len(texts), 1) + numbers)
    return count(groups, pairs // max(len(texts), 1))
