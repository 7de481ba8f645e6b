"""The nesting score: how deeply an entity is nested in products, sectors, loops and the dark, with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from riskgraph.errors import InvalidParameter, RiskGraphError
from riskgraph.nesting._components import COMPONENTS, components
from riskgraph.nesting._flows import PRODUCT
from riskgraph.nesting._groups import groups
from riskgraph.nesting._names import GROUP, coded, entity_ids, entity_names
from riskgraph.nesting._reasons import reasons
from riskgraph.nesting._scale import check_weights, default_weights, scale
from riskgraph.nesting._sectors import mask_names
from riskgraph.nesting._why import why
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["NestingScorer"]

COMPANY = ENTITY_KINDS.index("company")


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
        rows = np.flatnonzero((graph.kinds == COMPANY) | (graph.kinds == PRODUCT))
        columns = components(graph, rows, catalogue)
        heads = groups(graph).head
        score = np.zeros(rows.size + heads.size)
        for name in COMPONENTS:
            score += self._part(name, columns[name])
        # rounded, so that sums of the same parts in another order are equal
        score = np.clip(score, 0.0, 1.0).round(12)
        order = np.argsort(-score, kind="stable")
        for name in columns:
            columns[name] = columns[name][order]
        adding = {name: np.flatnonzero(self._part(name, columns[name]) > 0) for name in COMPONENTS}
        codes, group = np.concatenate([rows, heads])[order], order >= rows.size
        frame = {
            "entity": entity_ids(graph, codes, group),
            "kind": coded(np.where(group, np.int8(len(ENTITY_KINDS)), graph.kinds[codes]), [*ENTITY_KINDS, "group"]),
            "name": entity_names(graph, codes),
            **{name: columns[name] for name in COMPONENTS},
            "score": score[order],
            "reasons": reasons(columns, adding, self.lang),
            "sector_codes": mask_names(columns["sector_mask"]),
        }
        # the columns as they are: to put them side by side would hold each twice
        self.report_ = pd.DataFrame(frame, copy=False)
        for name in ("scores_", "parts_"):
            self.__dict__.pop(name, None)
        self._graph = graph
        return self

    @cached_property
    def scores_(self) -> pd.Series:
        """Scores on entity ids, made when they are first asked for."""
        index = pd.Index(self.report_["entity"], dtype=object, name="entity")
        return pd.Series(self.report_["score"].to_numpy(), index=index, name="nesting", copy=True)

    @cached_property
    def parts_(self) -> pd.DataFrame:
        """Weight times scaled component on entity ids, made when they are first asked for."""
        parts = {name: self._part(name, self.report_[name].to_numpy()) for name in COMPONENTS}
        return pd.DataFrame(parts, index=self.scores_.index, copy=False)

    def _part(self, name: str, values: np.ndarray) -> np.ndarray:
        return self.weights_[name] * scale(name, values)

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
        row = np.flatnonzero((self.report_["entity"] == entity).to_numpy(dtype=bool))[:1]
        if not row.size:
            code = self._graph.code(entity)
            kind = ENTITY_KINDS[self._graph.kinds[code]]
            raise InvalidParameter(
                f"'entity' must be a company, a product or a control group; {entity!r} is of kind {kind!r}"
            )
        values = self.report_.iloc[row[0]]
        parts = pd.Series({name: float(self._part(name, values[name])) for name in COMPONENTS})
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
