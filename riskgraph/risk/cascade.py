"""Probability of being reached from a seed when each relation transmits independently, with bounds and paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import pandas as pd

from riskgraph._sparse import expand
from riskgraph.errors import NotConverged
from riskgraph.graph import EntityGraph
from riskgraph.risk._arcs import Arcs, sure_circles
from riskgraph.risk._messages import SURE, arrivals, log_missed, messages, missed
from riskgraph.risk._paths import Strongest, path_forest, ranked_paths, strongest_paths
from riskgraph.risk._ties import cascade_arcs, case_ages
from riskgraph.risk._worlds import MOST_OPEN, Net, chance_of, enumerate_worlds, sample_worlds
from riskgraph.risk.base import Found, Propagation, check_choice, check_positive, check_whole
from riskgraph.risk.hubs import NO_HUBS, find_hubs, hubs_frame

__all__ = ["RiskCascade"]

#: bounds are widened by this much of themselves, for rounding
ROUNDING = 1e-14
#: rounds of messages that explanations need where entities surely reach each other in a circle
SHOWN = 50


class RiskCascade(Propagation):
    """Probability of being reached from a seed when each relation transmits independently.

    The independent cascade on directed arcs (Kempe, Kleinberg and Tardos 2003): a seed is at fault with its weight;
    an entity at fault passes this on along each arc once, with the probability of the arc. Parallel relations of one
    ordered pair are one arc with ``1 - prod(1 - p)``. A relation may transmit both ways, with two probabilities; of a
    pair only the direction from the end reached first ever matters, so it makes no difference whether the two are
    drawn together or apart.

    Parameters
    ----------
    transmission
        None for the documented table (:func:`riskgraph.risk.transmission_table`); a mapping
        ``{(kind, "forward" or "backward"): number or function of the relations frame}``, where kinds left out
        transmit nothing; or the name of a relations column that holds a source→target probability, where empty cells
        transmit nothing.
    estimate
        ``"upper"``: noisy-or on non-backtracking messages, never below the truth, exact where relations form a
        forest. ``"exact"``: the truth, for graphs with few circles. ``"monte_carlo"``: the part of random worlds.
    hubs
        ``"damp"`` (default with the default transmission) lets a hub pass on only part of what it received, see
        :attr:`hubs_`; ``"ignore"`` (default with a given one) treats hubs like anyone.
    ties
        ``"current"``: relations in force on the graph's day. ``"at_case"``: also those of a seed that were in force
        when its case began and have ended since.
    max_hops
        Longest path that counts, in relations; None for any.
    relation_half_life
        Years in which a tie that has ended (``ties="at_case"``) loses half of its probability; None for never.
    case_half_life
        Years in which a case loses half of its severity, where seeds come from the graph; None for never.
    n_samples, random_state
        Number and seed of the random worlds of ``estimate="monte_carlo"``.
    tol
        Relative change of a message that is not followed further, where messages run in circles; bounds take in what
        this leaves open. None for 1e-13, and 1e-7 or 1e-5 where more than 20,000 or two million messages run in
        circles.

    Attributes
    ----------
    scores_
        The estimate, Series ``risk``.
    bounds_
        Frame ``lower, upper`` that brackets the true probability, whatever the estimate. The lower bound is exact
        propagation on a forest that holds the strongest path to each entity.
    log_odds_
        ``log(upper / (1 - upper))``, which goes on telling scores apart where they round to 1.
    std_error_
        Standard errors of ``estimate="monte_carlo"``.
    hubs_
        Frame ``entity, kind, degree, damping, flags_avoided``.

    References
    ----------
    Kempe, Kleinberg and Tardos (2003), Maximizing the spread of influence through a social network.
    Harris (1960), A lower bound for the critical probability in a certain percolation process.
    Karrer and Newman (2010), Message passing approach for general epidemic models.

    Examples
    --------
    >>> import riskgraph as rg
    >>> model = rg.risk.RiskCascade().fit(rg.datasets.toy_banned_platform())
    >>> model.scores_.round(3).to_dict()["Rita"]
    0.8
    >>> model.explain("Bakery", 1, lang="en")[["probability", "path"]]
       probability                      path
    0        0.048  (Platform, Rita, Bakery)
    """

    bounds_: pd.DataFrame
    hubs_: pd.DataFrame
    log_odds_: pd.Series
    std_error_: pd.Series

    def __init__(
        self,
        *,
        transmission: Any = None,
        estimate: str = "upper",
        hubs: str | None = None,
        ties: str = "current",
        max_hops: int | None = None,
        relation_half_life: float | None = None,
        case_half_life: float | None = None,
        n_samples: int = 2_000,
        random_state: int | None = None,
        tol: float | None = None,
    ) -> None:
        self.transmission = transmission
        self.estimate = estimate
        self.hubs = hubs
        self.ties = ties
        self.max_hops = max_hops
        self.relation_half_life = relation_half_life
        self.case_half_life = case_half_life
        self.n_samples = n_samples
        self.random_state = random_state
        self.tol = tol

    def _check(self) -> None:
        check_choice("estimate", self.estimate, ("upper", "exact", "monte_carlo"))
        check_choice("hubs", self.hubs, (None, "damp", "ignore"))
        check_choice("ties", self.ties, ("current", "at_case"))
        if self.max_hops is not None:
            check_whole("max_hops", self.max_hops, low=1)
        for name in ("relation_half_life", "case_half_life"):
            if getattr(self, name) is not None:
                check_positive(name, getattr(self, name))
        check_whole("n_samples", self.n_samples, low=1)
        if self.random_state is not None:
            check_whole("random_state", self.random_state)
        if self.tol is not None:
            check_positive("tol", self.tol)

    def fit(self, graph: EntityGraph, seeds: Any = None) -> Self:
        """Spread risk from the seeds.

        Parameters
        ----------
        graph
            The graph on the day it stands at.
        seeds
            None for the entities under a seed case, ids (probability 1 each), or a mapping id → probability.

        Raises
        ------
        UnknownEntity
            A seed is not in the graph.
        InvalidParameter
            A parameter, a weight or a probability breaks its rule.
        NotConverged
            ``estimate="exact"`` and the graph is too entangled; the message says how large it is.
        """
        return super().fit(graph, seeds)

    def _spread(self, graph: EntityGraph, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if self.case_half_life is not None and self._seeds_given is None:
            weights = case_ages(graph, codes, weights, self.case_half_life)
        arcs = cascade_arcs(graph, self.transmission, codes, ties=self.ties, half_life=self.relation_half_life)
        weight = np.zeros(len(graph))
        weight[codes] = weights
        damp = self.hubs == "damp" or (self.hubs is None and self.transmission is None)
        hubs = find_hubs(graph, arcs, weight) if damp else NO_HUBS
        damping = hubs.over(arcs.n)
        base = log_missed(weight)
        merged = sure_circles(arcs, damping) if self.max_hops is None else None
        # with sure circles the bound comes from the merged arcs; these messages then only serve explanations
        rounds = self.max_hops if merged is None else SHOWN
        message = messages(arcs, base, damping=damping, rounds=rounds, tol=self.tol)
        best = strongest_paths(arcs, weight, damping=damping, rounds=self.max_hops)
        logs = arrivals(arcs, message, base)
        lower = np.maximum(self._forest(arcs, best, base, damping), best.reached)
        if merged is not None:
            logs, lower = self._merged(*merged, base, damping)
        upper = 0.0 - np.expm1(logs)  # not -0.0 where nothing arrives
        # a single path is the answer to the last digit, which logarithms lose
        upper = np.where(np.abs(upper - best.reached) <= 4e-16 * upper, best.reached, upper)
        lower = np.minimum(lower, upper)
        del base
        self._arcs, self._best, self._hubs, self._message = arcs, best, hubs, message
        self.hubs_ = hubs_frame(graph, arcs, hubs, message, weight)
        with np.errstate(divide="ignore"):
            odds = np.where(logs <= SURE / 2, np.inf, np.log(upper) - logs)
        del logs
        self.log_odds_ = pd.Series(odds, index=graph.ids, name="log_odds", copy=False)
        scores = upper
        if self.estimate != "upper":
            scores = self._estimate(arcs, weight, damping, lower, upper, graph)
        bounds = np.array([lower, upper])
        del lower, upper, damping
        bounds *= [[1 - ROUNDING], [1 + ROUNDING]]
        np.minimum(bounds, 1.0, out=bounds)
        self.bounds_ = pd.DataFrame(bounds.T, columns=["lower", "upper"], index=graph.ids, copy=False)
        return scores

    def _forest(self, arcs: Arcs, best: Strongest, base: np.ndarray, damping: np.ndarray | None) -> np.ndarray:
        """Probabilities on a forest that holds the strongest paths: exact there, so never above the truth."""
        keep = path_forest(arcs, best)
        return 0.0 - np.expm1(missed(arcs, base, keep=keep, damping=damping, rounds=self.max_hops, tol=self.tol))

    def _merged(
        self, arcs: Arcs, group: np.ndarray, base: np.ndarray, damping: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """``log(1 - upper)`` and lower bound, with entities that surely reach each other taken as one."""
        one = np.maximum(np.bincount(group, base, minlength=arcs.n), SURE)
        if damping is not None:
            factor = np.ones(arcs.n)
            factor[group] = damping
            damping = factor
        logs = missed(arcs, one, damping=damping, tol=self.tol)
        best = strongest_paths(arcs, 0.0 - np.expm1(one), damping=damping)
        lower = np.maximum(self._forest(arcs, best, one, damping), best.reached)
        return logs[group], lower[group]

    def _estimate(
        self,
        arcs: Arcs,
        weight: np.ndarray,
        damping: np.ndarray | None,
        lower: np.ndarray,
        upper: np.ndarray,
        graph: EntityGraph,
    ) -> np.ndarray:
        reached = np.flatnonzero(upper > 0)
        net = _net(arcs, weight, damping, reached)
        inside = np.arange(1, reached.size + 1)
        scores = upper.copy()
        if self.estimate == "monte_carlo":
            found = sample_worlds(net, self.n_samples, self.random_state, longest=self.max_hops)[inside]
            # a little towards 1/2, so that an event seen never or always keeps an error
            fair = (found * self.n_samples + 1) / (self.n_samples + 2)
            error = np.zeros(len(graph))
            error[reached] = np.sqrt(fair * (1 - fair) / self.n_samples)
            error[lower >= upper * (1 - 1e-9)] = 0.0
            self.std_error_ = pd.Series(error, index=graph.ids, name="std_error")
            scores[reached] = found
            return np.clip(scores, lower, upper)
        open_ = int(((net.p > 0) & (net.p < 1)).sum())
        if open_ <= MOST_OPEN:
            scores[reached] = enumerate_worlds(net, longest=self.max_hops)[inside]
            return scores
        # where the bounds meet they are the truth
        unsure = np.flatnonzero(lower[reached] < upper[reached] * (1 - 1e-13))
        if self.max_hops is not None and unsure.size:
            raise NotConverged(
                f"'estimate' \"exact\" with 'max_hops' goes through every world of at most {MOST_OPEN} relations; "
                f'got {open_}; take "upper" with its bounds, or "monte_carlo"'
            )
        for place in unsure:
            scores[reached[place]] = chance_of(net, int(inside[place]))
        return scores

    # -- explaining --------------------------------------------------------------------------------------------------

    def _find(self, code: int, k: int) -> list[Found]:
        found, self._searched = ranked_paths(
            self._arcs, self._best, code, k, damping=self._hubs.of, longest=self.max_hops
        )
        return [Found(value, nodes, tuple(self._arcs.rows_of(arc) for arc in used)) for value, nodes, used in found]

    def explain(self, entity: str, k: int = 3, *, lang: str = "zh") -> pd.DataFrame:
        """The ``k`` most probable paths to an entity: ``rank, probability, path, relations, text``.

        ``attrs["complete"]`` of the frame is False when the search ran out of its budget before it could rule out
        further paths.

        Raises
        ------
        UnknownEntity
            The graph does not hold the entity.
        """
        frame = super().explain(entity, k, lang=lang)
        frame.attrs["complete"] = self._searched
        return frame

    def contributions(self, entity: str) -> pd.DataFrame:
        """How much of a score each seed and each family of paths carries: ``seed, family, contribution``.

        See :func:`riskgraph.risk.explain.contributions`. The column ``contribution`` sums to the score.
        """
        from riskgraph.risk.explain import contributions

        self._fitted()
        code = self.graph_.code(entity)
        return contributions(
            self.graph_, self._arcs, self._message, self._best.weight, self._hubs, code, float(self.scores_.iloc[code])
        )

    def why_not(self, entity: str, *, lang: str = "zh") -> pd.DataFrame:
        """The way from the nearest seed to an entity and where it is blocked.

        See :func:`riskgraph.risk.explain.why_not`: ``step, from, to, relation, kind, status, probability, text``.
        """
        from riskgraph.risk.explain import why_not

        self._fitted()
        check_choice("lang", lang, ("zh", "en"))
        return why_not(self, self.graph_.code(entity), lang)

    def what_if(
        self,
        *,
        remove: Iterable[str] | None = None,
        add: pd.DataFrame | None = None,
        entities: pd.DataFrame | None = None,
        seeds: Any = None,
    ) -> pd.DataFrame:
        """Scores before and after a change: ``entity, before, after, change``, the largest change first.

        Parameters
        ----------
        remove
            Ids of relations to take away.
        add
            Relations to add, as a frame.
        entities
            Entities to add, for relations that need new ones.
        seeds
            Other seeds; None for the same.

        Raises
        ------
        InvalidParameter
            ``remove`` names a relation the graph does not hold.
        """
        from riskgraph.risk.what_if import what_if

        self._fitted()
        return what_if(self, remove=remove, add=add, entities=entities, seeds=seeds)

    # -- for people --------------------------------------------------------------------------------------------------

    def _order(self, codes: np.ndarray) -> np.ndarray:
        return self.log_odds_.to_numpy()[codes]

    def _columns(self, codes: np.ndarray, lang: str) -> dict[str, Any]:
        from riskgraph.risk.explain import main_paths

        bounds = self.bounds_
        return {
            "lower": bounds["lower"].to_numpy()[codes],
            "upper": bounds["upper"].to_numpy()[codes],
            **main_paths(self.graph_, self._arcs, self._best, codes, lang),
        }


def _net(arcs: Arcs, weight: np.ndarray, damping: np.ndarray | None, reached: np.ndarray) -> Net:
    """The reached part as a net: entity ``reached[i]`` is node ``i + 1``; a hub has a second node that passes on."""
    place = np.zeros(arcs.n, dtype=np.int64)
    place[reached] = np.arange(1, reached.size + 1)
    leaves = place.copy()
    n = reached.size + 1
    hubs = np.empty(0, dtype=np.int64) if damping is None else reached[damping[reached] < 1]
    leaves[hubs] = n + np.arange(hubs.size)
    spots, from_ = expand(arcs.out, reached)
    live = arcs.p[spots] > 0
    spots, tail = spots[live], reached[from_[live]]
    seeds = reached[weight[reached] > 0]
    seed_hubs = hubs[weight[hubs] > 0]
    source = [place[hubs], leaves[seed_hubs], np.zeros(seeds.size, dtype=np.int64), leaves[tail]]
    target = [leaves[hubs], place[seed_hubs], leaves[seeds], place[arcs.target[spots]]]
    through = np.empty(0) if damping is None else damping[hubs]
    p = [through, np.ones(seed_hubs.size), weight[seeds], arcs.p[spots]]
    hop = np.arange(sum(part.size for part in source)) >= hubs.size + seed_hubs.size + seeds.size
    return Net(n + hubs.size, np.concatenate(source), np.concatenate(target), np.concatenate(p), hop)
