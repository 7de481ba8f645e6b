"""How risk reaches it: by method, by number of steps, by type of the seeds' cases, by kind of relation."""

from __future__ import annotations

import numpy as np

from riskgraph._sparse import expand
from riskgraph.learning._families._view import Feature, Spec, View, count, distinct
from riskgraph.schema import RELATION_KINDS, SEED_CASES

__all__ = ["NEAR", "compute", "features"]

#: farthest step that the nearness to a seed counts
FARTHEST = 6
#: steps from the seeds of one type of case: what goes further says little, and takes most of the time
STEPS = 4
#: relative change of a message that is not followed further: far below what a model can tell apart
TOLERANCE = 1e-4
#: what relations the nearest cases are counted over: name → kinds and from which end
NEAR = {
    "holders": (("owns", "controls"), "source"),
    "holdings": (("owns", "controls"), "target"),
    "posts": (("officer",), "both"),
    "guarantees": (("guarantees",), "both"),
    "money": (("lends", "invests", "pays", "raises_on", "channels", "subcontracts", "packaged_from"), "both"),
    "persons": (("kin", "concert", "same_as"), "both"),
    "places": (("located_at", "branch_of"), "both"),
    "business": (
        (
            "manages",
            "distributes",
            "custodies",
            "cooperates",
            "operates",
            "publishes",
            "promotes",
            "endorses",
            "member_of",
        ),
        "both",
    ),
}

FEATURES = (
    Feature("cascade", "probability", "RiskCascade from all seeds, upper bound"),
    Feature("cascade_at_case", "probability", "RiskCascade that also follows ties in force as a seed's case began"),
    Feature("cascade_hop1", "probability", "RiskCascade over one step"),
    Feature("cascade_hop2", "probability", "RiskCascade over at most two steps"),
    *(Feature(f"cascade_{case}", "probability", f"RiskCascade from '{case}', {STEPS} steps") for case in SEED_CASES),
    Feature("threshold", "0 or 1", "ThresholdCascade: held by the tainted to the threshold"),
    Feature("pagerank", "probability", "PersonalizedPageRank from the seeds along relations read either way"),
    Feature("nearness", "index", f"1 / (1 + steps to the nearest seed), 0 beyond {FARTHEST} steps"),
    Feature("seeds_hop1", "count", "distinct neighbours under a seed case"),
    Feature("seeds_hop2", "count", "neighbours under a seed case of its neighbours, added up, itself left out"),
    Feature("ever_hop1", "count", "distinct neighbours, former ones too, that ever were under a seed case"),
    *(
        Feature(f"near_{name}", "count", f"distinct neighbours under a seed case by {', '.join(kinds)}"
                + ("" if end == "both" else f" (as its {name})"))
        for name, (kinds, end) in NEAR.items()
    ),
)  # fmt: skip


def features(spec: Spec) -> tuple[Feature, ...]:
    """Features of the family."""
    return FEATURES


def compute(view: View, spec: Spec) -> dict[str, np.ndarray]:
    """Values by feature, each by entity code."""
    n, seeds = view.n, (view.seeds > 0).astype(np.float64)
    one, other = view.neighbours(*RELATION_KINDS)
    near = count(n, one, seeds[other])
    then, there = view.neighbours(*RELATION_KINDS, past=True)
    degree = count(n, one)
    values = {
        **_methods(view),
        "nearness": _nearness(view, one, other),
        "seeds_hop1": near,
        "seeds_hop2": count(n, one, near[other]) - degree * seeds,
        "ever_hop1": count(n, then, view.ever[there].astype(np.float64)),
    }
    for name, (kinds, end) in NEAR.items():
        if end == "both":
            here, tie = view.neighbours(*kinds)
        else:
            source, target = view.pairs(*kinds)
            here, tie = (target, source) if end == "source" else (source, target)
        values[f"near_{name}"] = count(n, here, seeds[tie])
    return {feature.name: values[feature.name] for feature in FEATURES}


def _methods(view: View) -> dict[str, np.ndarray]:
    from riskgraph.risk import PersonalizedPageRank, RiskCascade, ThresholdCascade

    graph = view.graph
    everyone = graph.seeds()

    def cascade(seeds: object = None, **parameters: object) -> np.ndarray:
        if not len(everyone) or (seeds is not None and not len(seeds)):  # type: ignore[arg-type]
            return np.zeros(view.n)
        return RiskCascade(tol=TOLERANCE, **parameters).fit(graph, seeds).scores_.to_numpy()  # type: ignore[arg-type]

    cases = graph.cases
    found = {
        "cascade": cascade(),
        "cascade_at_case": cascade(ties="at_case"),
        "cascade_hop1": cascade(max_hops=1),
        "cascade_hop2": cascade(max_hops=2),
    }
    for case in SEED_CASES:
        rows = cases[cases["type"] == case]
        weight = rows["severity"].astype(float).fillna(1.0).groupby(rows["entity"].to_numpy(dtype=object)).max()
        found[f"cascade_{case}"] = cascade(weight, max_hops=STEPS)
    if not len(everyone):
        return {**found, "threshold": np.zeros(view.n), "pagerank": np.zeros(view.n)}
    walk = PersonalizedPageRank(direction="both").fit(graph).scores_.to_numpy()
    taint = ThresholdCascade().fit(graph)
    return {**found, "threshold": taint.scores_.to_numpy(dtype=np.float64), "pagerank": walk}


def _nearness(view: View, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    pointers = np.zeros(view.n + 1, dtype=np.int64)
    np.cumsum(np.bincount(one, minlength=view.n), out=pointers[1:])
    steps = np.full(view.n, -1, dtype=np.int64)
    front = np.flatnonzero(view.seeds > 0)
    steps[front] = 0
    for step in range(1, FARTHEST + 1):
        spots, _ = expand(pointers, front)
        front = distinct(other[spots])
        front = front[steps[front] < 0]
        if not front.size:
            break
        steps[front] = step
    return np.where(steps < 0, 0.0, 1.0 / (1.0 + np.maximum(steps, 0)))
