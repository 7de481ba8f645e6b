"""Transmission learnt from past cases: how often a case was followed by one a step or two away, kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from riskgraph._sparse import expand, row_pointers
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.learning._known import as_day, known_graph
from riskgraph.learning.labels import future_cases, horizon_days
from riskgraph.risk import default_transmission
from riskgraph.schema import RELATION_KINDS

__all__ = ["LearntTransmission", "fit_transmission"]

_KEYS = [(kind, way) for kind in RELATION_KINDS for way in ("forward", "backward")]
#: bounds of the factors, so that logarithms stay finite
LEAST, MOST = 1e-3, 30.0
#: greatest probability of one relation, for the same reason
SUREST = 0.999
#: relations of an entity from which nothing is learnt through it: an address or a bank joins too many
HUB = 300


class LearntTransmission(NamedTuple):
    """Learnt probabilities, and what they rest on.

    ``mapping`` goes into ``RiskCascade(transmission=...)``; ``table`` is ``kind, direction, default, learnt, exposed,
    entered``: mean probability of its relations before and after, on how many paths it lies, and how many of these led
    to a case; ``background`` the chance of a case without any path.
    """

    mapping: dict[tuple[str, str], Any]
    table: pd.DataFrame
    background: float


class Scaled(NamedTuple):
    """A rule whose exposures count ``factor`` times: ``1 - (1 - p) ** factor``."""

    rule: float | Callable[[pd.DataFrame], Any]
    factor: float

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        """Probabilities of relations."""
        chance = self.rule(frame) if callable(self.rule) else np.full(len(frame), self.rule)
        return np.asarray(1 - (1 - np.asarray(chance, dtype=np.float64)) ** self.factor)


class Paths(NamedTuple):
    """Ways from seeds to entities that may enter a case: kind and default probability of the one or two steps.

    ``second`` is -1, and ``beyond`` 1, where there is but one step.
    """

    end: np.ndarray
    first: np.ndarray
    second: np.ndarray
    near: np.ndarray
    beyond: np.ndarray


def fit_transmission(
    graph: EntityGraph,
    cutoffs: Any,
    *,
    horizon: Any = "180D",
    kinds: Iterable[str] = ("company",),
    strength: float = 10.0,
) -> LearntTransmission:
    """Transmission of each relation kind and direction that explains past cases best.

    Of the paths of one or two relations that lead from entities under a case to one that is under none, each carries
    risk with the product of its probabilities. It escapes a case within the horizon with the chance ``1 - p0`` times
    one minus each of these. Each kind and direction has one factor, by which its exposures count more or less than
    the default table says: ``p`` becomes ``1 - (1 - p) ** factor``, so shares and roles keep their order. The factors
    and ``p0`` are those of the greatest likelihood, with a gamma prior that has its mode at 1.

    Parameters
    ----------
    graph
        Everything known now.
    cutoffs
        Days to learn from, or one.
    horizon
        How long after a cutoff a case counts; it must have passed on the newest day of the graph.
    kinds
        Kinds of entities to learn from: those that cases are recorded of. Others, such as persons, stand between.
    strength
        Weight of the default table, above 0: about how many expected cases along a kind outweigh it.

    Raises
    ------
    InvalidParameter
        A parameter breaks its rule.

    References
    ----------
    Saito, Nakano and Kimura (2008), Prediction of information diffusion probabilities for independent cascade model.

    Examples
    --------
    >>> import riskgraph as rg
    >>> found = fit_transmission(rg.datasets.load_county().graph, ["2016-03-31"])
    >>> list(found.table.columns)
    ['kind', 'direction', 'default', 'learnt', 'exposed', 'entered']
    """
    length = horizon_days(horizon)
    if not strength > 0:
        raise InvalidParameter(f"'strength' must be above 0; got {strength!r}")
    given = [cutoffs] if isinstance(cutoffs, str) or not isinstance(cutoffs, Iterable) else list(cutoffs)
    days = [as_day("cutoffs", value) for value in given]
    if not days:
        raise InvalidParameter("'cutoffs' must hold at least one day; got none")
    ends = [date for date in (graph.latest, graph.known_by) if date is not None]
    if ends and max(days) + length > np.datetime64(min(ends).date(), "D"):
        raise InvalidParameter(
            f"'cutoffs' must be followed by a whole 'horizon': the labels of {max(days)} are known on "
            f"{max(days) + length}, the graph knows until {min(ends).date()}"
        )
    wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    parts, labels, begin = [], [], 0
    for day in days:
        rows = future_cases(graph, day, horizon=length, kinds=wanted)
        found = _paths(known_graph(graph, day), rows["entity"])
        parts.append(found._replace(end=found.end + begin))
        labels.append(rows["label"].to_numpy(dtype=np.float64))
        begin += len(rows)
    paths = Paths(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    label = np.concatenate(labels)
    factor, background = _maximise(paths, label, strength)
    mapping: dict[tuple[str, str], Any] = dict(default_transmission())
    rows_of = []
    for spot in np.unique(np.concatenate([paths.first, paths.second[paths.second >= 0]])):
        key = _KEYS[spot]
        chance = np.concatenate([paths.near[paths.first == spot], paths.beyond[paths.second == spot]])
        hit = label[np.concatenate([paths.end[paths.first == spot], paths.end[paths.second == spot]])]
        mapping[key] = Scaled(mapping[key], float(factor[spot]))
        learnt = float((1 - (1 - chance) ** factor[spot]).mean())
        rows_of.append((*key, float(chance.mean()), learnt, chance.size, int(hit.sum())))
    table = pd.DataFrame(rows_of, columns=["kind", "direction", "default", "learnt", "exposed", "entered"])
    return LearntTransmission(mapping, table, background)


def _paths(seen: EntityGraph, entities: pd.Series) -> Paths:
    """Paths of one or two relations from seeds to the entities, whose rows they end in."""
    from riskgraph.risk.transmission import probabilities

    n, columns = len(seen), seen.columns
    there, back = probabilities(seen, None, columns, lambda at: seen._store.frame(columns.row[at], seen.ids))
    source = np.concatenate([columns.source, columns.target]).astype(np.int64)
    target = np.concatenate([columns.target, columns.source]).astype(np.int64)
    kind = 2 * columns.kind.astype(np.int64)
    key, chance = np.concatenate([kind, kind + 1]), np.minimum(np.concatenate([there, back]), SUREST)
    seeds = np.zeros(n, dtype=bool)
    seeds[seen.codes(seen.seeds().index)] = True
    use = (chance > 0) & ~seeds[target] & (source != target)
    order = np.flatnonzero(use)[np.argsort(source[use], kind="stable")]
    source, target, key, chance = source[order], target[order], key[order], chance[order]
    pointers = row_pointers(n, source)
    row = np.full(n, -1, dtype=np.int64)
    row[seen.codes(entities)] = np.arange(len(entities))
    step = np.flatnonzero(seeds[source])
    direct = step[row[target[step]] >= 0]
    through = step[np.diff(pointers)[target[step]] <= HUB]
    spots, owner = expand(pointers, target[through])
    first = through[owner]
    reached = row[target[spots]] >= 0
    spots, first = spots[reached], first[reached]
    return Paths(
        end=row[np.concatenate([target[direct], target[spots]])],
        first=key[np.concatenate([direct, first])],
        second=np.concatenate([np.full(direct.size, -1, dtype=np.int64), key[spots]]),
        near=chance[np.concatenate([direct, first])],
        beyond=np.concatenate([np.ones(direct.size), chance[spots]]),
    )


def _maximise(paths: Paths, label: np.ndarray, strength: float) -> tuple[np.ndarray, float]:
    """Factors of all kinds and directions, and the chance of a case without any path."""
    size, entered, single = len(_KEYS), label > 0, paths.second < 0
    free_near = np.log1p(-paths.near)
    free_beyond = np.log1p(-np.minimum(paths.beyond, SUREST))
    used = np.unique(np.concatenate([paths.first, paths.second[~single]]))

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        factor, rate = theta[:size], theta[size]
        kept_near = np.exp(factor[paths.first] * free_near)
        kept_beyond = np.where(single, 0.0, np.exp(factor[paths.second] * free_beyond))
        chance = (1 - kept_near) * (1 - kept_beyond)
        total = rate + np.bincount(paths.end, weights=-np.log1p(-chance), minlength=label.size)
        # log(1 - exp(-t)) of those who entered, -t of those who did not
        value = total[~entered].sum() - np.log(-np.expm1(-total[entered])).sum()
        value += strength * (factor[used] - 1 - np.log(factor[used])).sum() + 0.5 * (rate - np.log(rate))
        slope_total = np.where(entered, -1 / np.expm1(total), 1.0)
        pull = slope_total[paths.end] / (1 - chance)
        by_near = pull * -free_near * kept_near * (1 - kept_beyond)
        by_beyond = np.where(single, 0.0, pull * -free_beyond * kept_beyond * (1 - kept_near))
        slope = np.zeros(size + 1)
        slope[:size] = np.bincount(paths.first, weights=by_near, minlength=size)
        slope[:size] += np.bincount(np.where(single, 0, paths.second), weights=by_beyond, minlength=size)
        slope[used] += strength * (1 - 1 / factor[used])
        slope[size] = slope_total.sum() + 0.5 * (1 - 1 / rate)
        return float(value), slope

    begin = np.ones(size + 1)
    begin[size] = max(float(label.mean()), LEAST) if label.size else LEAST
    bounds = [(LEAST, MOST)] * size + [(1e-9, MOST)]
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:size], float(-np.expm1(-found.x[size]))
