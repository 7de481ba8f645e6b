"""The nesting score: how deeply an entity is nested in products, sectors, loops and the dark, with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from riskgraph.errors import InvalidParameter, RiskGraphError
from riskgraph.nesting._components import COMPONENTS, _stacked_licences, lead_masks, raw_components
from riskgraph.nesting._crossings import widest
from riskgraph.nesting._flows import PRODUCT
from riskgraph.nesting._groups import groups
from riskgraph.nesting._reasons import reasons
from riskgraph.nesting._scale import check_weights, default_weights, scale
from riskgraph.nesting._sectors import mask_names, sector_masks
from riskgraph.nesting._why import why
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["NestingScorer"]

COMPANY = ENTITY_KINDS.index("company")
#: entity ids of control groups begin with this, the id of the head follows
GROUP = "group:"


class NestingScorer(BaseEstimator):  # type: ignore[misc]
    """Score in [0, 1] of how deeply companies, products and control groups are nested; 0 for a plain firm.

    The score is the weighted sum of ten components, each brought into [0, 1] by a fixed function, so that scores
    compare across graphs. It rises with every component and is 0 when all are.

    ========================  ======================================================================================
    ``layers``                products on the longest funding chain it is on, or through what it manages or sells; for
                              payment firms the steps of the longest chain of subcontracts
    ``sectors``               distinct sectors of finance met: its own (declared, licensed), those of firms it controls
                              or holds a fifth of, and those of the one chain of products and the one partner in
                              business (``cooperates, raises_on, subcontracts``) that add most: chains that share but
                              an end are not nested in each other
    ``crossings``             changes of sector along the chain that has most, and beside it
    ``returns``               sectors that money leaves and comes back to; one more when it comes home to the group
                              that manages the product or owns the platform
    ``opacity``               part of its products' money whose source or use cannot be traced
    ``circularity``           part of the money, or of the guarantees, that it received and that comes from a loop it
                              lies on, the greater
    ``unlicensed_share``      part of those who manage or sell the product, or of the firm's own such acts, without
                              any licence in force; work passed on is an act of both, without when either has none
    ``investors``             distinct ultimate investors
    ``leads``                 lead agencies of the sectors met; without a catalogue every sector has its own
    ``licences``              licensed sectors of the control group that share an officer, account or address; for the
                              group and the firms that lead in it, whose duty the firewall is
    ========================  ======================================================================================

    Parameters
    ----------
    weights
        Component → weight, summing to 1, components left out weigh 0; ``None`` takes those of ``weights.yaml``.
    lang
        Language of reasons and texts: ``"en"`` or ``"zh"``.

    Attributes
    ----------
    report_
        Frame ``entity, kind, name``, the components, ``score, reasons, sector_codes``, highest score first. Groups are
        called ``group:`` and the id of their head.
    scores_
        Series of the scores on entity ids, in the order of the report.
    parts_
        Frame on entity ids: weight times scaled component; rows sum to the score.
    weights_
        The weights used.

    References
    ----------
    The components follow the work plans of the 2016 rectification of internet finance; functions and weights are
    this library's own. Layers, returns, circularity, investors and licences are nesting itself and weigh the same;
    the other five only say how far it reaches, and weigh less together than one of the first.

    Examples
    --------
    >>> import riskgraph as rg
    >>> scorer = rg.nesting.NestingScorer().fit(rg.datasets.toy_nested_product())
    >>> scorer.report_[["entity", "layers", "sectors", "crossings", "score"]].tail(3)
          entity  layers  sectors  crossings  score
    4   BankPlan     3.0      4.0        3.0  0.195
    5  TrustPlan     3.0      4.0        3.0  0.195
    6  AssetPlan     3.0      4.0        3.0  0.195
    """

    report_: pd.DataFrame
    scores_: pd.Series
    parts_: pd.DataFrame
    weights_: dict[str, float]

    def __init__(self, weights: Mapping[str, float] | None = None, *, lang: str = "en") -> None:
        self.weights = weights
        self.lang = lang

    def fit(self, graph: EntityGraph, catalogue: Any = None) -> NestingScorer:
        """Score every company, product and control group of a graph on its day.

        Parameters
        ----------
        graph
            The graph.
        catalogue
            Gives lead agencies: anything whose ``lead(sector)`` names them.

        Raises
        ------
        InvalidParameter
            Weights that break their rule, or another language.
        """
        if self.lang not in ("en", "zh"):
            raise InvalidParameter(f"'lang' must be 'en' or 'zh'; got {self.lang!r}")
        self.weights_ = check_weights(default_weights() if self.weights is None else self.weights)
        raw = raw_components(graph, catalogue)
        rows = np.flatnonzero((graph.kinds == COMPANY) | (graph.kinds == PRODUCT))
        columns = {name: values[rows] for name, values in raw.items()}
        of_groups = _group_components(graph, raw, lead_masks(catalogue))
        columns = {name: np.r_[columns[name], of_groups[name]] for name in columns}
        heads = groups(graph).head
        ids = graph.ids.to_numpy()
        entity = np.r_[ids[rows], np.array([GROUP + str(ids[head]) for head in heads], dtype=object)]
        kind = np.r_[
            np.array(ENTITY_KINDS, dtype=object)[graph.kinds[rows]], np.full(heads.size, "group", dtype=object)
        ]
        parts = {name: self.weights_[name] * scale(name, columns[name]) for name in COMPONENTS}
        # rounded, so that sums of the same parts in another order are equal
        score = np.clip(np.sum(list(parts.values()), axis=0), 0.0, 1.0).round(12)
        order = np.argsort(-score, kind="stable")
        index = pd.Index(entity[order], dtype=object, name="entity")
        frame = {
            "entity": entity,
            "kind": kind,
            "name": graph.names_of(np.r_[rows, heads]),
            **{name: columns[name] for name in COMPONENTS},
            "score": score,
            "reasons": reasons(columns, parts, self.lang),
            "sector_codes": mask_names(columns["sector_mask"]),
        }
        self.report_ = pd.DataFrame({name: values[order] for name, values in frame.items()})
        self.parts_ = pd.DataFrame({name: values[order] for name, values in parts.items()}, index=index)
        self.scores_ = pd.Series(score[order], index=index, name="nesting")
        self._graph = graph
        return self

    def explain(self, entity: str) -> pd.DataFrame:
        """Evidence of an entity's score: one row a component that adds to it, with the chain it comes from.

        Returns
        -------
        DataFrame
            ``component, value, part, chain, relations, text``, greatest part first; ``chain`` is a tuple of entity
            ids, ``relations`` the ids of the relations along it.

        Raises
        ------
        UnknownEntity
            The graph does not hold the entity.
        InvalidParameter
            It is neither a company nor a product nor a control group.

        Examples
        --------
        >>> import riskgraph as rg
        >>> scorer = rg.nesting.NestingScorer().fit(rg.datasets.toy_nested_product())
        >>> scorer.explain("TrustPlan")[["component", "value", "chain"]].head(2)
          component  value                                              chain
        0    layers    3.0  (Saver, BankPlan, TrustPlan, AssetPlan, Develo...
        1   sectors    4.0  (Saver, BankPlan, TrustPlan, AssetPlan, Develo...
        """
        self._fitted()
        if entity not in self.scores_.index:
            code = self._graph.code(entity)
            kind = ENTITY_KINDS[self._graph.kinds[code]]
            raise InvalidParameter(
                f"'entity' must be a company, a product or a control group; {entity!r} is of kind {kind!r}"
            )
        row = int(self.scores_.index.get_loc(entity))
        values = self.report_.iloc[row]
        parts = self.parts_.iloc[row]
        adding = parts[parts > 0].sort_values(ascending=False, kind="stable")
        rows = [
            (
                name,
                float(values[name]),
                float(part),
                *why(self._graph, entity.removeprefix(GROUP), entity.startswith(GROUP), name),
            )
            for name, part in adding.items()
        ]
        frame = pd.DataFrame(rows, columns=["component", "value", "part", "chain", "relations"])
        texts = reasons({name: np.array([values[name]]) for name in COMPONENTS}, None, self.lang, each=True)
        sectors = ", ".join(values["sector_codes"])
        frame["text"] = [texts[name] + (f": {sectors}" if name == "sectors" else "") for name in frame["component"]]
        return frame

    def sensitivity(self, *, change: float = 0.5) -> pd.DataFrame:
        """How the ranking moves when one weight is raised or lowered and the others make room.

        Parameters
        ----------
        change
            Part by which a weight is changed, in (0, 1].

        Returns
        -------
        DataFrame
            ``component, weight, tau_less, tau_more, largest_move, moved``: Kendall's tau-b between the ranking and
            that with less and with more weight, over all rows with a score; the most ranks that one of the first 20
            moves, and which it is.

        Raises
        ------
        InvalidParameter
            ``change`` outside (0, 1].

        Examples
        --------
        >>> import riskgraph as rg
        >>> scorer = rg.nesting.NestingScorer().fit(rg.datasets.load_county().graph)
        >>> bool((scorer.sensitivity()["tau_more"] > 0.7).all())
        True
        """
        from scipy.stats import kendalltau

        self._fitted()
        if not 0 < change <= 1:
            raise InvalidParameter(f"'change' must be in (0, 1]; got {change!r}")
        scored = self.scores_.to_numpy() > 0
        parts = self.parts_[scored]
        # what differs by less than a billionth is a tie
        score = self.scores_[scored].round(9)
        rank = score.rank(ascending=False, method="average")
        first = rank.nsmallest(20, keep="all").index
        rows: list[tuple[object, ...]] = []
        for name, weight in self.weights_.items():
            if weight == 0 or weight == 1 or not len(score):
                rows.append((name, weight, 1.0, 1.0, 0.0, None))
                continue
            taus, move, who = [], 0.0, None
            for factor in (1 - change, 1 + change):
                others = (1 - min(weight * factor, 1.0)) / (1 - weight)
                moved = (others * (score - parts[name]) + min(factor, 1 / weight) * parts[name]).round(9)
                tau = kendalltau(score, moved).statistic
                taus.append(1.0 if np.isnan(tau) else float(tau))
                gap = (moved.rank(ascending=False, method="average") - rank).abs()[first]
                if gap.max() > move:
                    move, who = float(gap.max()), str(gap.idxmax())
            rows.append((name, weight, *taus, move, who))
        return pd.DataFrame(rows, columns=["component", "weight", "tau_less", "tau_more", "largest_move", "moved"])

    def _fitted(self) -> None:
        if not hasattr(self, "report_"):
            raise RiskGraphError("this NestingScorer is not fitted; call fit(graph) first")


def _group_components(graph: EntityGraph, raw: dict[str, np.ndarray], leads: list[int]) -> dict[str, np.ndarray]:
    """Components of control groups: unions of their members' sectors, the greatest of the rest."""
    found = groups(graph)
    count = found.size.size
    inside = np.flatnonzero(found.label >= 0)
    label = found.label[inside]
    result: dict[str, np.ndarray] = {}
    for name in COMPONENTS:
        best = np.zeros(count)
        np.maximum.at(best, label, raw[name][inside])
        result[name] = best
    mask = np.zeros(count, dtype=np.int64)
    np.bitwise_or.at(mask, label, sector_masks(graph)[inside])
    mask = widest(mask, label, raw["sector_mask"][inside])
    agencies = np.zeros(count, dtype=np.int64)
    for bit, agency in enumerate(leads):
        agencies[(mask >> bit & 1) == 1] |= agency
    result["sectors"] = np.bitwise_count(mask).astype(np.float64)
    result["leads"] = np.bitwise_count(agencies).astype(np.float64)
    result["licences"] = _stacked_licences(graph)[1]
    result["sector_mask"] = mask
    return result
