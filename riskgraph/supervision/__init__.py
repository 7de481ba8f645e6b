"""Supervision: the plan of a campaign as data, and the questions it asks of a dated graph."""

from __future__ import annotations

from riskgraph.supervision.assignment import assign
from riskgraph.supervision.catalogue import Catalogue, Parameter, Rule
from riskgraph.supervision.changes import changes, changes_by_lead
from riskgraph.supervision.consolidation import closing_impact, consolidate
from riskgraph.supervision.disposition import dispose
from riskgraph.supervision.dossier import Dossier, dossier
from riskgraph.supervision.duties import action_lists, advertising_access
from riskgraph.supervision.features import feature_scores
from riskgraph.supervision.groups import control_clusters
from riskgraph.supervision.inspection import plan_inspections
from riskgraph.supervision.keywords import keyword_hits, match_names
from riskgraph.supervision.lists import merge_lists
from riskgraph.supervision.monitor import monitor
from riskgraph.supervision.propagation import contagion_gain, extended_supervision, restricted
from riskgraph.supervision.screening import screen, snapshot_hash
from riskgraph.supervision.sectors import classify_sectors
from riskgraph.supervision.statistics import statistics
from riskgraph.supervision.tipoffs import tipoffs
from riskgraph.supervision.triage import triage
from riskgraph.supervision.verification import verify_declared
from riskgraph.supervision.workdays import is_working_day, working_days_after

__all__ = [
    "Catalogue",
    "Dossier",
    "Parameter",
    "Rule",
    "action_lists",
    "advertising_access",
    "assign",
    "changes",
    "changes_by_lead",
    "classify_sectors",
    "closing_impact",
    "consolidate",
    "contagion_gain",
    "control_clusters",
    "dispose",
    "dossier",
    "extended_supervision",
    "feature_scores",
    "is_working_day",
    "keyword_hits",
    "match_names",
    "merge_lists",
    "monitor",
    "plan_inspections",
    "restricted",
    "screen",
    "snapshot_hash",
    "statistics",
    "tipoffs",
    "triage",
    "verify_declared",
    "working_days_after",
]
