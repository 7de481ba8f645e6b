"""Who is who, without false merges: identifiers, names, candidate matches, and merges that can be undone."""

from __future__ import annotations

from riskgraph.identity.calibrate import calibrate
from riskgraph.identity.identifiers import check_lei, check_uscc, kind_of_identifier, pad_uk_number
from riskgraph.identity.match import match
from riskgraph.identity.merge import Merged, merge
from riskgraph.identity.names import compare_key, core_name
from riskgraph.identity.screen import screen_list
from riskgraph.identity.weights import default_weights, estimate_weights

__all__ = [
    "Merged",
    "calibrate",
    "check_lei",
    "check_uscc",
    "compare_key",
    "core_name",
    "default_weights",
    "estimate_weights",
    "kind_of_identifier",
    "match",
    "merge",
    "pad_uk_number",
    "screen_list",
]
