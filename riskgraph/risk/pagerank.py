"""Personalised PageRank: how near every entity is to the seeds for somebody who walks along the relations."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.risk._walks import Steps, heaviest_paths, solve, steps
from riskgraph.risk.base import Found, Propagation, check_choice, check_fraction, check_positive
from riskgraph.schema import RELATION_KINDS, SYMMETRIC_KINDS

__all__ = ["PersonalizedPageRank"]

_SYMMETRIC = [RELATION_KINDS.index(kind) for kind in sorted(SYMMETRIC_KINDS)]
_ROUNDING = float(np.finfo(np.float64).eps)
_NUMBERS = ("share_min", "share_max", "votes_min", "votes_max", "amount", "confidence")


class PersonalizedPageRank(Propagation):
    """Proximity to the seeds: where somebody is found who starts at a seed and walks along relations for a while.

    A walker starts at a seed, drawn by the seeds' weights. Before every step the walk ends with probability
    ``1 - damping``; else it goes on along one of the relations that lead out, drawn by their weights. The score is the
    probability that a walk ends at the entity: mass 1, shared out. A firm with a thousand subsidiaries gives each a
    thousandth, so this measures nearness; it does not say that risk arrives (:class:`RiskCascade` does).

    Parameters
    ----------
    damping
        Probability that a walk goes on, in [0, 1).
    weight
        None counts every relation 1; else a numeric column of the relations, such as ``"amount"`` or ``"share_min"``.
        Parallel relations are summed. A relation without a value is not walked: see ``left_out_``.
    direction
        ``"forward"`` walks from source to target (to what is owned, funded, guaranteed), ``"reverse"`` from
        target to source (to owners), ``"both"`` either way. Relations that mean the same from either end (``concert``,
        ``kin``, ``same_as``, ``cooperates``) are always walked either way.
    dangling
        What a walk does that cannot go on: ``"sink"`` is lost (the scores sum to less than 1, and nothing is scaled
        up), ``"seeds"`` starts again at a seed, ``"uniform"`` anywhere (which leaks risk to the unconnected).
    tol
        Greatest sum of absolute errors over all scores.

    Attributes
    ----------
    scores_
        Series ``risk``, each in [0, 1]; exactly 0 where no walk leads (except under ``dangling="uniform"``).
    error_bound_
        What the sum of absolute errors cannot exceed: the residual's over ``1 - damping``.
    n_products_
        Matrix products it took, or rounds of as much work.
    left_out_
        Frame ``kind, relations``: how many relations had no value in the column ``weight``.

    Raises
    ------
    InvalidParameter
        In :meth:`fit`: a parameter breaks its rule, a weight is negative, or all seeds weigh 0.
    NotConverged
        In :meth:`fit`: ``tol`` is below what rounding allows.

    References
    ----------
    Page, Brin, Motwani and Winograd (1999); Langville and Meyer (2004) on dangling nodes; Golub and Varga (1961) on
    the Chebyshev iteration; Eisenstat (1981) on the conjugate gradients that replace it on large graphs where every
    step can be taken back; Gyöngyi, Garcia-Molina and Pedersen (2004) on seeds of trust and distrust.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_banned_platform()
    >>> model = PersonalizedPageRank(direction="both").fit(graph)
    >>> model.scores_.nlargest(3).round(4)
    entity
    Platform    0.4548
    Rita        0.1009
    Hank        0.1009
    Name: risk, dtype: float64
    >>> model.error_bound_ <= 1e-8
    True
    >>> model.explain("Bakery", k=1)[["weight", "path"]].round(4)
       weight                      path
    0   0.009  (Platform, Rita, Bakery)
    """

    _measure: ClassVar[str] = "weight"
    _most: ClassVar[float | None] = None

    def __init__(
        self,
        *,
        damping: float = 0.85,
        weight: str | None = None,
        direction: str = "forward",
        dangling: str = "sink",
        tol: float = 1e-8,
    ) -> None:
        self.damping = damping
        self.weight = weight
        self.direction = direction
        self.dangling = dangling
        self.tol = tol

    def contributions(self, entity: str) -> pd.Series:
        """What each seed gave to the score of one entity, greatest first; the parts sum to the score.

        One solution of the transposed system serves all seeds (its greatest error is at most ``tol``); the parts are
        then scaled by less than that to sum to the score.

        Raises
        ------
        UnknownEntity
            The graph does not hold the entity.

        Examples
        --------
        >>> import riskgraph as rg
        >>> graph = rg.datasets.toy_banned_platform()
        >>> model = PersonalizedPageRank(direction="both").fit(graph, ["Platform", "Dairy"])
        >>> model.contributions("Hank").round(4)
        entity
        Dairy       0.1283
        Platform    0.0504
        Name: contribution, dtype: float64
        """
        self._fitted()
        code = self.graph_.code(entity)
        score = float(self.scores_.iloc[code])
        parts = np.zeros(len(self.seeds_))
        if score > 0:
            parts = self._begin[self._seeds] * self._to(code)[self._seeds]
            # a score that is only rounding has no parts of its own: share it by the seeds' weights
            parts = parts if parts.sum() > 0 else self._begin[self._seeds]
            parts = parts * (score / parts.sum())
            parts[np.argmax(parts)] += score - parts.sum()
        found = pd.Series(parts, index=self.seeds_.index, name="contribution")
        return found.sort_values(ascending=False, kind="stable")

    # -- the parts of a propagation ----------------------------------------------------------------------------------

    def _check(self) -> None:
        check_fraction("damping", self.damping, high=False)
        check_choice("direction", self.direction, ("forward", "reverse", "both"))
        check_choice("dangling", self.dangling, ("sink", "seeds", "uniform"))
        check_positive("tol", self.tol)
        if self.weight is not None and not isinstance(self.weight, str):
            raise InvalidParameter(f"'weight' must be None or a column of the relations; got {self.weight!r}")

    def _spread(self, graph: EntityGraph, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if len(self.seeds_) and not codes.size:
            raise InvalidParameter("'seeds' must have a weight above 0; got 0 for all of them")
        self._steps = step_matrix(graph, self.weight, self.direction)
        self.left_out_ = left_out(graph, self.weight)
        self._seeds = graph.codes(self.seeds_.index)
        self._begin = np.zeros(len(graph))
        self.error_bound_, self.n_products_ = 0.0, 0
        if not codes.size:
            return np.zeros(len(graph))
        share = weights / weights.max()
        self._begin[codes] = (1 - self.damping) * (share / share.sum())
        scores = self._from(codes)
        if self.dangling == "seeds":
            # a lost walk starts again as every walk did: that only scales what the others reach
            whole = scores.sum()
            scores /= whole
            self._begin /= whole
        return scores

    def _from(self, codes: np.ndarray) -> np.ndarray:
        """Where walks from the seeds end."""
        rate, tol = 1 - self.damping, float(self.tol)
        again = self.dangling == "seeds"

        def bound(x: np.ndarray, residual: float) -> float:
            # a residual is itself rounded, and scaling to sum 1 at most doubles the error
            error = (residual + _ROUNDING) / rate
            return float(2 * error / x.sum() if again else error)

        near = None if self.dangling == "uniform" else self._steps.reached(codes)
        matrix = self._steps.inward if near is None else self._steps.part(near)
        begin = self._begin if near is None else self._begin[near]
        x, residual, self.n_products_ = solve(
            self._product(matrix, transposed=False),
            begin,
            self.damping,
            accept=lambda x, residual: bound(x, residual) <= tol,
            norm=lambda x: float(np.abs(x).sum()),
            tol=tol,
            guess=self._guess(near, matrix, backward=False),
        )
        self.error_bound_ = bound(x, residual)
        # no score is negative, so cutting what is can only take error away
        return _spread_out(np.maximum(x, 0.0), near, self._steps.n)

    def _to(self, code: int) -> np.ndarray:
        """What a walk from each entity adds to the score of one, for each unit that begins there."""
        near = None if self.dangling == "uniform" else self._steps.reached(np.array([code]), backward=True)
        matrix = self._steps.inward if near is None else self._steps.part(near, backward=True)
        aim = np.zeros(self._steps.n)
        aim[code] = 1.0
        z, _, _ = solve(
            self._product(matrix, transposed=True),
            aim if near is None else aim[near],
            self.damping,
            accept=lambda _, residual: residual <= (1 - self.damping) * float(self.tol),
            norm=lambda z: float(np.abs(z).max()),
            tol=float(self.tol),
            guess=self._guess(near, matrix, backward=True),
        )
        return _spread_out(np.maximum(z, 0.0), near, self._steps.n)

    def _product(self, matrix: Any, *, transposed: bool) -> Callable[[np.ndarray], np.ndarray]:
        """One step of all walks, or of all walks backward."""
        damping = float(self.damping)
        table = matrix.T if transposed else matrix
        if not self._leaks:

            def go(x: np.ndarray) -> np.ndarray:
                y = table @ x
                y *= damping
                return y

            return go
        lost, n = self._steps.dead_end, self._steps.n

        def go_anywhere(x: np.ndarray) -> np.ndarray:
            y = table @ x
            if transposed:
                y[lost] += x.sum() / n
            else:
                y += x[lost].sum() / n
            y *= damping
            return y

        return go_anywhere

    def _guess(
        self, near: np.ndarray | None, matrix: Any, *, backward: bool
    ) -> Callable[[np.ndarray, float, int], tuple[np.ndarray, int]] | None:
        """The quick solution where every step can be taken back and compiled loops pay."""
        ties = None if self._leaks else self._steps.ties(near, matrix)
        if ties is None:
            return None
        damping = float(self.damping)
        return lambda r, aim, most: ties.solve(r, damping, aim, most, backward=backward)

    @property
    def _leaks(self) -> bool:
        """Whether walks that cannot go on start again anywhere."""
        return self.dangling == "uniform" and bool(self._steps.dead_end.any())

    def _find(self, code: int, k: int) -> list[Found]:
        paths = heaviest_paths(self._steps.inward, float(self.damping), self._begin, self.scores_.to_numpy(), code, k)
        return [
            Found(path.weight, path.codes, step_rows(self.graph_, self.weight, self.direction, path.codes))
            for path in paths
        ]


def _spread_out(x: np.ndarray, near: np.ndarray | None, n: int) -> np.ndarray:
    if near is None:
        return x
    whole = np.zeros(n)
    whole[near] = x
    return whole


# -- the steps of a graph --------------------------------------------------------------------------------------------


def step_matrix(graph: EntityGraph, weight: str | None, direction: str) -> Steps:
    """Steps of walks along the relations of a graph, kept on it.

    Examples
    --------
    >>> import riskgraph as rg
    >>> walk = step_matrix(rg.datasets.toy_chain(), None, "forward")
    >>> bool((walk.inward.sum(axis=0) <= 1).all())
    True
    """
    return graph.cached(("risk", "steps", weight, direction), lambda: _step_matrix(graph, weight, direction))


def _step_matrix(graph: EntityGraph, weight: str | None, direction: str) -> Steps:
    columns = graph.columns
    values = relation_weights(graph, weight)
    ahead, back = columns.source, columns.target
    if direction == "reverse":
        ahead, back = back, ahead
    # a relation from an entity to itself is one step, not two
    either = np.ones(len(columns), dtype=bool) if direction == "both" else np.isin(columns.kind, _SYMMETRIC)
    either &= ahead != back
    if values is not None:
        given = ~np.isnan(values)
        ahead, back, either, values = ahead[given], back[given], either[given], values[given]
    source = np.concatenate([ahead, back[either]])
    target = np.concatenate([back, ahead[either]])
    if values is not None:
        values = np.concatenate([values, values[either]])
    return steps(len(graph), source, target, values, reversible=direction == "both")


def step_rows(
    graph: EntityGraph, weight: str | None, direction: str, path: tuple[int, ...]
) -> tuple[tuple[int, ...], ...]:
    """For each step of a path the base rows of the relations it may take."""
    columns = graph.columns
    weights = relation_weights(graph, weight)
    found = []
    for here, there in pairwise(path):
        ahead = (columns.source == here) & (columns.target == there)
        back = (columns.source == there) & (columns.target == here)
        symmetric = np.isin(columns.kind, _SYMMETRIC)
        taken = {"forward": ahead | (back & symmetric), "reverse": back | (ahead & symmetric), "both": ahead | back}
        places = np.flatnonzero(taken[direction])
        if weights is not None:
            places = places[weights[places] > 0]
        found.append(tuple(columns.row[places].tolist()))
    return tuple(found)


def relation_weights(graph: EntityGraph, weight: str | None) -> np.ndarray | None:
    """Weights of the relations in force from a column, NaN where a relation has none; None for 1 each.

    Raises
    ------
    InvalidParameter
        No such column, not numbers, a negative or infinite value, or ``"share"`` where shares are intervals.
    """
    if weight is None:
        return None
    return graph.cached(("risk", "weights", weight), lambda: _relation_weights(graph, weight))


def _relation_weights(graph: EntityGraph, weight: str) -> np.ndarray:
    columns = graph.columns
    if weight in _NUMBERS:
        values = getattr(columns, weight)
    elif weight in ("share", "votes"):
        values, high = getattr(columns, f"{weight}_min"), getattr(columns, f"{weight}_max")
        if not np.array_equal(values, high, equal_nan=True):
            raise InvalidParameter(
                f"'weight' must name one number a relation; {weight!r} is an interval for "
                f"{int((values != high).sum() - (np.isnan(values) & np.isnan(high)).sum())} of them: "
                f"say '{weight}_min' or '{weight}_max'"
            )
    else:
        frame = graph.relations
        numeric = [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]
        if weight not in numeric:
            raise InvalidParameter(
                f"'weight' must be None or a numeric column of the relations ({', '.join(numeric)}); got {weight!r}"
            )
        values = frame[weight].to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero((values < 0) | np.isinf(values))
    if bad.size:
        raise InvalidParameter(
            f"'weight' must hold finite numbers of 0 or more; {weight!r} is {values[bad[0]]:g} in relation "
            f"{graph.relation_ids(bad[:1])[0]!r}"
        )
    return np.asarray(values, dtype=np.float64)


def left_out(graph: EntityGraph, weight: str | None) -> pd.DataFrame:
    """How many relations of each kind have no value in the column ``weight``: ``kind, relations``."""
    values = relation_weights(graph, weight)
    missing = np.empty(0, dtype=np.int64) if values is None else np.flatnonzero(np.isnan(values))
    counts = np.bincount(graph.columns.kind[missing], minlength=len(RELATION_KINDS))
    kinds = np.flatnonzero(counts)
    return pd.DataFrame({"kind": np.array(RELATION_KINDS, dtype=object)[kinds], "relations": counts[kinds]})
