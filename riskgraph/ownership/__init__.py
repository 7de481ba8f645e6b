"""Who owns what, directly and through others, and who controls it."""

from __future__ import annotations

from riskgraph.ownership._packs import RulePack, rule_pack
from riskgraph.ownership.beneficial import beneficial_owners
from riskgraph.ownership.control import control
from riskgraph.ownership.controllers import ultimate_controllers
from riskgraph.ownership.explain import explain_ownership
from riskgraph.ownership.groups import business_groups
from riskgraph.ownership.integrated import integrated_ownership
from riskgraph.ownership.links import close_links
from riskgraph.ownership.proofs import explain_control
from riskgraph.ownership.voting import voting_power
from riskgraph.ownership.why_not import why_not

__all__ = [
    "RulePack",
    "beneficial_owners",
    "business_groups",
    "close_links",
    "control",
    "explain_control",
    "explain_ownership",
    "integrated_ownership",
    "rule_pack",
    "ultimate_controllers",
    "voting_power",
    "why_not",
]
