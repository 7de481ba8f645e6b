"""What the rules of a catalogue find: how many findings, how grave, and each rule by itself."""

from __future__ import annotations

import numpy as np

from riskgraph.learning._families._view import Feature, Spec, View, count, greatest

__all__ = ["compute", "features"]


def features(spec: Spec) -> tuple[Feature, ...]:
    """Features of the family: they depend on the rules of the catalogue."""
    return (
        Feature("findings", "count", "findings of the catalogue's rules"),
        Feature("rules", "count", "distinct rules with a finding"),
        Feature("gravest", "severity", "greatest severity of a finding, 0 without any"),
        Feature("severity", "severity", "severities of its findings, added up"),
        *(Feature(rule, "severity", "greatest severity of a finding of this rule, else 0") for rule in _rules(spec)),
    )  # fmt: skip


def _rules(spec: Spec) -> list[str]:
    return [rule.id for rule in spec.catalogue if rule.use == "screen"]


def compute(view: View, spec: Spec) -> dict[str, np.ndarray]:
    """Values by feature, each by entity code."""
    from riskgraph.supervision import screen

    n = view.n
    frame = screen(view.graph, spec.catalogue)
    codes, severity = view.codes(frame["entity"]), frame["severity"].to_numpy(dtype=np.float64)
    rule = frame["rule"].to_numpy(dtype=object)
    distinct = frame.drop_duplicates(["entity", "rule"])
    found = {
        "findings": count(n, codes),
        "rules": count(n, view.codes(distinct["entity"])),
        "gravest": greatest(n, codes, severity, empty=0.0),
        "severity": count(n, codes, severity),
    }
    for name in _rules(spec):
        rows = rule == name
        found[name] = greatest(n, codes[rows], severity[rows], empty=0.0)
    return found
