"""How deeply it is nested in products, sectors, loops and the dark: the components of the nesting score."""

from __future__ import annotations

import numpy as np

from riskgraph.learning._families._view import Feature, Spec, View
from riskgraph.nesting import NestingScorer

__all__ = ["compute", "features"]

#: what an endless number of layers is written as
ENDLESS = 99.0
_TEXTS = {
    "layers": f"products on the longest funding chain it takes part in, {ENDLESS:g} on a circle",
    "sectors": "distinct sectors of finance it meets",
    "crossings": "changes of sector along its chains",
    "returns": "sectors that money leaves and comes back to",
    "opacity": "part of its products' money that cannot be traced",
    "circularity": "part of what it received that comes from a loop it lies on",
    "unlicensed_share": "part of those who manage or sell its products without any licence in force",
    "investors": "distinct ultimate investors",
    "leads": "lead agencies of the sectors it meets",
    "licences": "licensed sectors of its group that share an officer, account or address",
    "score": "nesting score",
}
_UNITS = {"opacity": "share", "circularity": "share", "unlicensed_share": "share", "score": "index"}

FEATURES = tuple(
    Feature(name, _UNITS.get(name, "count"), f"{text}; missing where it is neither company nor product")
    for name, text in _TEXTS.items()
)


def features(spec: Spec) -> tuple[Feature, ...]:
    """Features of the family."""
    return FEATURES


def compute(view: View, spec: Spec) -> dict[str, np.ndarray]:
    """Values by feature, each by entity code."""
    report = NestingScorer().fit(view.graph, spec.catalogue).report_
    report = report[report["kind"] != "group"]
    codes = view.codes(report["entity"])
    found = {}
    for name in _TEXTS:
        values = np.full(view.n, np.nan)
        values[codes] = np.minimum(report[name].to_numpy(dtype=np.float64), ENDLESS if name == "layers" else np.inf)
        found[name] = values
    return found
