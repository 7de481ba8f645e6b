"""Transmission learnt from past cases: how often a case on one end of a relation was followed by one on the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.sparse import csr_array

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.learning._known import as_day, known_graph
from riskgraph.learning.labels import future_cases, horizon_days
from riskgraph.risk import default_transmission
from riskgraph.schema import RELATION_KINDS

__all__ = ["LearntTransmission", "fit_transmission"]

_KEYS = [(kind, way) for kind in RELATION_KINDS for way in ("forward", "backward")]
#: least rate, so that logarithms stay finite
LEAST = 1e-9


class LearntTransmission(NamedTuple):
    """Learnt probabilities, and what they rest on.

    ``mapping`` goes into ``RiskCascade(transmission=...)``; ``table`` is ``kind, direction, default, learnt, exposed,
    entered``; ``background`` the chance of a case without any such neighbour.
    """

    mapping: dict[tuple[str, str], Any]
    table: pd.DataFrame
    background: float


def fit_transmission(
    graph: EntityGraph,
    cutoffs: Any,
    *,
    horizon: Any = "180D",
    kinds: Iterable[str] = ("company", "person"),
    strength: float = 10.0,
) -> LearntTransmission:
    """Transmission of each relation kind and direction that explains past cases best.

    An entity beside neighbours under a case escapes one of its own within the horizon with the chance
    ``(1 - p0) * prod(1 - p)`` over the relations to them. In ``-log(1 - p)`` the likelihood is convex; it is maximised
    together with ``strength`` imagined exposures of each kind and direction that went as the default table says, so
    that kinds hardly seen stay near it. Kinds never seen beside a case keep the default, shares and roles included.

    Parameters
    ----------
    graph
        Everything known now.
    cutoffs
        Days to learn from, or one.
    horizon
        How long after a cutoff a case counts; it must have passed on the newest day of the graph.
    kinds
        Kinds of entities to learn from.
    strength
        How many exposures the default table is worth, above 0.

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
    blocks = [_exposures(graph, day, length, wanted) for day in days]
    counts = np.concatenate([block[0] for block in blocks])
    label = np.concatenate([block[1] for block in blocks])
    defaults = default_transmission()
    expected = np.concatenate([block[2] for block in blocks]).sum(axis=0)
    exposed = counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        prior = np.where(exposed > 0, expected / exposed, np.nan)
    seen = np.flatnonzero(exposed > 0)
    rate, background = _maximise(counts[:, seen], label, prior[seen], strength)
    mapping = dict(defaults)
    rows = []
    for place, spot in enumerate(seen):
        key = _KEYS[spot]
        mapping[key] = float(rate[place])
        entered = float(label[counts[:, spot] > 0].sum())
        rows.append((*key, float(prior[spot]), float(rate[place]), int(exposed[spot]), int(entered)))
    table = pd.DataFrame(rows, columns=["kind", "direction", "default", "learnt", "exposed", "entered"])
    return LearntTransmission(mapping, table, background)


def _exposures(
    graph: EntityGraph, day: np.datetime64, length: np.timedelta64, kinds: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each entity that could enter a case: relations to neighbours under one, whether it did, default chances."""
    from riskgraph.risk.transmission import probabilities

    seen = known_graph(graph, day)
    rows = future_cases(graph, day, horizon=length, kinds=kinds)
    codes = graph.codes(rows["entity"])
    columns = seen.columns
    seeds = np.zeros(len(seen), dtype=bool)
    seeds[seen.codes(seen.seeds().index)] = True
    there, back = probabilities(seen, None, columns, lambda at: seen._store.frame(columns.row[at], seen.ids))
    place = np.full(len(seen), -1, dtype=np.int64)
    place[codes] = np.arange(codes.size)
    shape = (codes.size, len(_KEYS))
    found, chance = np.zeros(shape), np.zeros(shape)
    for way, (source, target, p) in enumerate(
        ((columns.source, columns.target, there), (columns.target, columns.source, back))
    ):
        hit = seeds[source] & (place[target] >= 0)
        where = (place[target[hit]], 2 * columns.kind[hit].astype(np.int64) + way)
        found += csr_array((np.ones(int(hit.sum())), where), shape=shape).toarray()
        chance += csr_array((p[hit], where), shape=shape).toarray()
    return found, rows["label"].to_numpy(dtype=np.float64), chance


def _maximise(counts: np.ndarray, label: np.ndarray, prior: np.ndarray, strength: float) -> tuple[np.ndarray, float]:
    """Probabilities of the most likely rates, and the chance without any exposure."""
    entered, n = label > 0, counts.shape[1]
    design = np.column_stack([counts, np.ones(label.size)])
    weight = np.concatenate([strength * prior, [0.5]])
    against = design[~entered].sum(axis=0) + np.concatenate([strength * (1 - prior), [0.5]])
    rows = design[entered]

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        total = rows @ theta
        # log(1 - exp(-t)), of the observed and of the imagined
        value = against @ theta - np.log(-np.expm1(-total)).sum() - weight @ np.log(-np.expm1(-theta))
        slope = against - rows.T @ (1 / np.expm1(total)) - weight / np.expm1(theta)
        return float(value), slope

    begin = np.full(n + 1, 0.05)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=[(LEAST, 30.0)] * (n + 1))
    chance = -np.expm1(-found.x)
    return chance[:n], float(chance[n])
