"""Who runs it: how many, how many other firms they run, and how those firms fare."""

from __future__ import annotations

import numpy as np

from riskgraph.learning._families._view import Feature, Spec, View, count, distinct, greatest
from riskgraph.schema import RELATION_KINDS

__all__ = ["compute", "features"]

FEATURES = (
    Feature("officers", "count", "distinct officers"),
    Feature("posts", "count", "distinct firms in which it (a person) is an officer"),
    Feature("busiest", "count", "most other firms in which one of its officers has a post"),
    Feature("other_posts", "count", "posts of its officers in other firms, added up"),
    Feature("represented", "count", "most other firms that its legal representative represents; missing without one"),
    Feature("also_holders", "count", "officers that also hold a share of it"),
    Feature("under_case", "count", "officers under a seed case themselves"),
    Feature("case_posts", "count", "posts of its officers in other firms under a seed case"),
    Feature(
        "case_posts_ever",
        "count",
        "posts, ended ones too, of its officers in other firms that ever were under a seed case",
    ),
    Feature("former", "count", "distinct former officers"),
)


def features(spec: Spec) -> tuple[Feature, ...]:
    """Features of the family."""
    return FEATURES


def compute(view: View, spec: Spec) -> dict[str, np.ndarray]:
    """Values by feature, each by entity code."""
    n = view.n
    person, firm = view.pairs("officer")
    posts = count(n, person)
    under = (view.seeds > 0).astype(np.float64)
    bad_posts = count(n, person, under[firm])
    then, there = view.pairs("officer", past=True)
    bad_ever = count(n, then, view.ever[there].astype(np.float64))
    past = view.graph.past
    gone = past.kind == RELATION_KINDS.index("officer")
    former = distinct(past.target[gone].astype(np.int64) * n + past.source[gone])
    former = former[~np.isin(former, firm * n + person)]
    holder, company = view.pairs("owns")
    both = np.isin(person * n + firm, holder * n + company)
    representative, represented = _representatives(view)
    fronts = count(n, representative)
    return {
        "officers": count(n, firm),
        "posts": posts,
        "busiest": greatest(n, firm, posts[person] - 1, empty=0.0),
        "other_posts": count(n, firm, posts[person] - 1),
        "represented": greatest(n, represented, fronts[representative] - 1),
        "also_holders": count(n, firm[both]),
        "under_case": count(n, firm, under[person]),
        "case_posts": count(n, firm, bad_posts[person] - under[firm]),
        "case_posts_ever": count(n, firm, bad_ever[person] - view.ever[firm]),
        "former": count(n, former // max(n, 1)),
    }


def _representatives(view: View) -> tuple[np.ndarray, np.ndarray]:
    columns = view.graph.columns
    if "legal_representative" not in columns.roles:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    rows = (columns.kind == RELATION_KINDS.index("officer")) & (
        columns.role == columns.roles.index("legal_representative")
    )
    key = distinct(columns.source[rows].astype(np.int64) * view.n + columns.target[rows])
    return key // max(view.n, 1), key % max(view.n, 1)
