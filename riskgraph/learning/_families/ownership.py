"""Who holds it and what it holds: how many, how concentrated, how far up and down, how much can be traced."""

from __future__ import annotations

import numpy as np

from riskgraph._solver import WalkSolver
from riskgraph._sparse import coalesce, component_levels, strong_components
from riskgraph.learning._families._view import PERSON, STATE, Feature, Spec, View, count, greatest
from riskgraph.ownership._holdings import holdings

__all__ = ["compute", "features"]

FEATURES = (
    Feature("holders", "count", "distinct direct holders, itself left out"),
    Feature("holdings", "count", "distinct companies it holds directly, itself left out"),
    Feature("largest_share", "share", "greatest declared share of one direct holder; missing without any holder"),
    Feature("concentration", "index", "sum of the squares of the declared shares of its direct holders"),
    Feature("undeclared", "share", "what its declared shares leave of 1; missing without any holder"),
    Feature(
        "vague", "share", "part of its direct holders whose share is not exactly known; missing without any holder"
    ),
    Feature("persons", "share", "declared share held directly by persons"),
    Feature("state", "share", "declared share held directly by the state"),
    Feature("traced_persons", "share", "share that leads to persons along all chains of declared holdings"),
    Feature("traced_state", "share", "share that leads to the state along all chains of declared holdings"),
    Feature("levels_up", "relations", "longest chain of holdings above it, circles counted once"),
    Feature("levels_down", "relations", "longest chain of holdings below it, circles counted once"),
    Feature("circle", "0 or 1", "lies on a circle of holdings"),
    Feature("holder_reach", "count", "most other companies that one of its direct holders holds"),
)


def features(spec: Spec) -> tuple[Feature, ...]:
    """Features of the family."""
    return FEATURES


def compute(view: View, spec: Spec) -> dict[str, np.ndarray]:
    """Values by feature, each by entity code."""
    n, held = view.n, holdings(view.graph)
    other = held.owner != held.company
    owner, company = held.owner[other].astype(np.int64), held.company[other].astype(np.int64)
    low, high = held.low[other], held.high[other]
    holders, holds = count(n, company), count(n, owner)
    some = holders > 0
    of_persons = count(n, company, low * (view.kinds[owner] == PERSON))
    of_state = count(n, company, low * (view.kinds[owner] == STATE))
    through = ~np.isin(view.kinds[owner], [PERSON, STATE])
    solver = WalkSolver(coalesce(n, owner[through], company[through], low[through]))
    traced = np.clip(solver.solve_transposed(np.column_stack([of_persons, of_state])), 0.0, 1.0)
    total, labels = strong_components(n, owner, company)
    with np.errstate(invalid="ignore", divide="ignore"):
        vague = count(n, company, (high - low > 1e-9).astype(np.float64)) / holders
    return {
        "holders": holders,
        "holdings": holds,
        "largest_share": greatest(n, company, low),
        "concentration": count(n, company, low * low),
        "undeclared": np.where(some, held.remainder, np.nan),
        "vague": vague,
        "persons": of_persons,
        "state": of_state,
        "traced_persons": traced[:, 0],
        "traced_state": traced[:, 1],
        "levels_up": component_levels(total, labels[owner], labels[company])[labels].astype(np.float64),
        "levels_down": component_levels(total, labels[company], labels[owner])[labels].astype(np.float64),
        "circle": (np.bincount(labels, minlength=total)[labels] > 1).astype(np.float64),
        "holder_reach": greatest(n, company, holds[owner] - 1, empty=0.0),
    }
