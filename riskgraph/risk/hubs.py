"""Hubs: entities tied to so many others that being tied to one of them says little, found from the data and damped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from riskgraph._sparse import expand
from riskgraph.graph import EntityGraph
from riskgraph.risk._arcs import Arcs
from riskgraph.risk._messages import heard
from riskgraph.schema import ENTITY_KINDS

__all__ = ["FLAG", "LEAST", "NO_HUBS", "Hubs", "find_hubs", "hubs_frame"]

#: fewer ties than this never make a hub, more than MOST always do
LEAST, MOST = 10, 30
#: a hub has more than so many times the ties that are usual among its kind and sector
TIMES = 2
#: risk from which a neighbour of a hub counts as flagged
FLAG = 0.01


class Hubs(NamedTuple):
    """The hubs of a graph and what they let pass; ``codes`` ascend."""

    codes: np.ndarray
    degree: np.ndarray
    #: chance that a hub passes on what it received
    damping: np.ndarray

    def over(self, n: int) -> np.ndarray | None:
        """Damping of all ``n`` entities; None when there is no hub."""
        if not self.codes.size:
            return None
        factor = np.ones(n)
        factor[self.codes] = self.damping
        return factor

    def of(self, code: int) -> float:
        """Damping of one entity, 1 where it is no hub."""
        place = int(np.searchsorted(self.codes, code))
        return float(self.damping[place]) if place < self.codes.size and self.codes[place] == code else 1.0


#: nobody is a hub
NO_HUBS = Hubs(*(np.empty(0, dtype=np.int64),) * 2, np.empty(0))


def find_hubs(graph: EntityGraph, arcs: Arcs, weight: np.ndarray) -> Hubs:
    """Entities tied to far more others than is usual among their kind and sector.

    The limit of a kind and sector is twice the median number of distinct neighbours that risk could pass to or
    come from, at least 10 and at most 30. A hub of degree d passes on what it received with the chance
    ``limit * seeds / d``, where ``seeds`` is how many of its neighbours are seeds (by weight, at least 1): one banned
    firm among the 5,000 of a registration agent says nothing about the others, a thousand of them do.
    """
    degree = np.diff(arcs.out)
    busy = np.flatnonzero(degree > LEAST)
    if not busy.size:
        return Hubs(busy, degree[busy], np.ones(0))
    limit = _limits(graph, degree, busy)
    codes = busy[degree[busy] > limit]
    limit = limit[degree[busy] > limit]
    spots, place = expand(arcs.out, codes)
    seeds = np.bincount(place, weight[arcs.target[spots]], minlength=codes.size)
    damping = np.minimum(1.0, limit * np.maximum(seeds, 1.0) / degree[codes])
    return Hubs(codes, degree[codes], damping)


def _limits(graph: EntityGraph, degree: np.ndarray, busy: np.ndarray) -> np.ndarray:
    group = graph.kinds.astype(np.int64)
    sectors = graph.entity_column("sector")
    if sectors is not None:
        sector, names = pd.factorize(sectors)
        group = group * (len(names) + 1) + sector + 1
    tied = np.flatnonzero((degree > 0) & np.isin(group, np.unique(group[busy])))
    usual = pd.Series(degree[tied]).groupby(group[tied]).median()
    return np.clip(TIMES * usual.reindex(group[busy]).to_numpy(), LEAST, MOST)


def hubs_frame(graph: EntityGraph, arcs: Arcs, hubs: Hubs, message: np.ndarray, weight: np.ndarray) -> pd.DataFrame:
    """Frame ``entity, kind, degree, damping, flags_avoided``, the busiest hub first.

    ``flags_avoided`` counts the neighbours that what reached the hub would have lifted to a risk of 0.01 or more, and
    no longer does.
    """
    spots, missed = heard(arcs, message, hubs.codes)
    tail = arcs.tails(spots)
    place = np.searchsorted(hubs.codes, tail)
    received = -np.expm1(missed)
    own = weight[tail]
    full = arcs.p[spots] * (1 - (1 - own) * (1 - received))
    damped = arcs.p[spots] * (1 - (1 - own) * (1 - received * hubs.damping[place]))
    avoided = np.bincount(place, (full >= FLAG) & (damped < FLAG), minlength=hubs.codes.size)
    frame = pd.DataFrame(
        {
            "entity": graph.ids_of(hubs.codes),
            "kind": np.array(ENTITY_KINDS, dtype=object)[graph.kinds[hubs.codes]],
            "degree": hubs.degree.astype(np.int64),
            "damping": hubs.damping,
            "flags_avoided": avoided.astype(np.int64),
        }
    )
    order = np.argsort(-hubs.degree, kind="stable")
    return frame.iloc[order].reset_index(drop=True)
