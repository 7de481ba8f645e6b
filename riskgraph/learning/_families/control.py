"""Who controls it and what it controls, by votes at full weight and by agreement."""

from __future__ import annotations

import numpy as np

from riskgraph.learning._families._view import PERSON, STATE, Feature, Spec, View, count, greatest

__all__ = ["compute", "features"]

FEATURES = (
    Feature("controllers", "count", "entities that control it for certain, directly or through others"),
    Feature("doubtful", "count", "entities of whom it cannot be said whether they control it"),
    Feature("controlled", "count", "companies it controls for certain"),
    Feature("depth", "relations", "most steps from one of its controllers; 0 without any"),
    Feature("reach", "relations", "most steps to a company it controls; 0 without any"),
    Feature(
        "votes", "share", "greatest part of its votes that one party certainly commands; missing without any holder"
    ),
    Feature("by_person", "0 or 1", "a person controls it"),
    Feature("by_state", "0 or 1", "the state controls it"),
    Feature("agreements", "count", "agreements that give it control or put it under control"),
)


def features(spec: Spec) -> tuple[Feature, ...]:
    """Features of the family."""
    return FEATURES


def compute(view: View, spec: Spec) -> dict[str, np.ndarray]:
    """Values by feature, each by entity code."""
    from riskgraph.ownership import control

    n = view.n
    frame = control(view.graph)
    controller, company = view.codes(frame["controller"]), view.codes(frame["company"])
    verdict, depth = frame["verdict"].to_numpy(), frame["depth"].to_numpy().astype(np.float64)
    sure = verdict == "yes"
    above, below, steps = controller[sure], company[sure], depth[sure]
    first, second = view.pairs("controls")
    return {
        "controllers": count(n, below),
        "doubtful": count(n, company[verdict == "undetermined"]),
        "controlled": count(n, above),
        "depth": greatest(n, below, steps, empty=0.0),
        "reach": greatest(n, above, steps, empty=0.0),
        "votes": greatest(n, company, frame["votes_min"].to_numpy(dtype=np.float64)),
        "by_person": (count(n, below[view.kinds[above] == PERSON]) > 0).astype(np.float64),
        "by_state": (count(n, below[view.kinds[above] == STATE]) > 0).astype(np.float64),
        "agreements": count(n, first) + count(n, second),
    }
