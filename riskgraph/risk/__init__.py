"""Risk that spreads: from banned firms and people along who owns, runs, funds and fronts for whom."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.risk.base import Propagation
from riskgraph.risk.cascade import RiskCascade
from riskgraph.risk.clearing import Clearing
from riskgraph.risk.contagion import DebtRank
from riskgraph.risk.diffusion import HarmonicLabels, HeatKernel
from riskgraph.risk.pagerank import PersonalizedPageRank
from riskgraph.risk.threshold import ThresholdCascade
from riskgraph.risk.transmission import default_transmission, read_transmission, transmission_table
from riskgraph.risk.what_if import what_if

__all__ = [
    "Clearing",
    "DebtRank",
    "HarmonicLabels",
    "HeatKernel",
    "METHODS",
    "PersonalizedPageRank",
    "Propagation",
    "RiskCascade",
    "ThresholdCascade",
    "default_transmission",
    "propagate",
    "read_transmission",
    "transmission_table",
    "what_if",
]

#: name of a method -> the estimator that :func:`propagate` fits
METHODS: MappingProxyType[str, type[Propagation]] = MappingProxyType(
    {
        "cascade": RiskCascade,
        "threshold": ThresholdCascade,
        "pagerank": PersonalizedPageRank,
        "debtrank": DebtRank,
        "clearing": Clearing,
        "heat": HeatKernel,
        "harmonic": HarmonicLabels,
    }
)


def propagate(graph: EntityGraph, seeds: Any = None, method: str = "cascade", **parameters: Any) -> Propagation:
    """Spread risk from seeds over a graph, and return the fitted estimator.

    Parameters
    ----------
    graph
        The graph on the day it stands at.
    seeds
        None for the entities under a seed case, ids, or a mapping id → weight.
    method
        ``"cascade"`` (:class:`RiskCascade`), ``"threshold"`` (:class:`ThresholdCascade`), ``"pagerank"``
        (:class:`PersonalizedPageRank`), ``"debtrank"`` (:class:`DebtRank`), ``"clearing"`` (:class:`Clearing`),
        ``"heat"`` (:class:`HeatKernel`) or ``"harmonic"`` (:class:`HarmonicLabels`).
    **parameters
        Those of the estimator.

    Raises
    ------
    InvalidParameter
        An unknown method or parameter, or one that breaks its rule.
    UnknownEntity
        A seed is not in the graph.

    Examples
    --------
    >>> import riskgraph as rg
    >>> model = rg.propagate(rg.datasets.toy_banned_platform())
    >>> model.report(lang="en", n=3)[["entity", "risk", "seed", "hops"]]
         entity  risk      seed  hops
    0  Platform   1.0  Platform     0
    1      Site   0.9  Platform     1
    2      Rita   0.8  Platform     1
    """
    if method not in METHODS:
        raise InvalidParameter(f"'method' must be one of {', '.join(METHODS)}; got {method!r}")
    kind = METHODS[method]
    known = kind._get_param_names()
    odd = [name for name in parameters if name not in known]
    if odd:
        raise InvalidParameter(f"{kind.__name__} has no parameter {odd[0]!r}; it has {', '.join(known)}")
    return kind(**parameters).fit(graph, seeds)
