"""Single paths: the strongest one to every entity, and the k strongest to one."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from riskgraph.risk._arcs import Arcs

__all__ = ["Strongest", "chains", "path_forest", "ranked_paths", "strongest_paths"]


@dataclass(frozen=True)
class Strongest:
    """The strongest path into every node, kept as a list of steps that point back."""

    #: probability of the strongest path that arrives at a node from elsewhere, and of what a node passes on
    arriving: np.ndarray
    passing: np.ndarray
    weight: np.ndarray
    #: per node, the last step into it; -1 where there is none
    last: np.ndarray
    #: per step, its arc and the step before it; -1 where it begins at a seed
    arc: np.ndarray
    before: np.ndarray

    @property
    def reached(self) -> np.ndarray:
        """Probability of the strongest path, the one of no step included."""
        return np.maximum(self.arriving, self.weight)


def strongest_paths(
    arcs: Arcs, weight: np.ndarray, *, damping: np.ndarray | None = None, rounds: int | None = None
) -> Strongest:
    """Strongest path from a seed to every node, by the product of its probabilities.

    Parameters
    ----------
    weight
        Weight of every node as a seed.
    damping
        Chance that a node passes on what it received.
    rounds
        Longest path allowed, in arcs.
    """
    arriving = np.zeros(arcs.n)
    passing = weight.astype(np.float64)
    last = np.full(arcs.n, -1, dtype=np.int64)
    step = np.full(arcs.n, -1, dtype=np.int64)  # the step behind what a node passes on
    found_arc: list[np.ndarray] = []
    found_before: list[np.ndarray] = []
    made = done = 0
    active = np.flatnonzero(weight > 0)
    while active.size and (rounds is None or done < rounds):
        done += 1
        spots = arcs.leaving(active)
        tail, head = arcs.source[spots], arcs.target[spots]
        offer = passing[tail] * arcs.p[spots]
        better = offer > arriving[head]
        spots, tail, head, offer = spots[better], tail[better], head[better], offer[better]
        np.maximum.at(arriving, head, offer)
        wins = offer == arriving[head]
        heads, first = np.unique(head[wins], return_index=True)
        pick = np.flatnonzero(wins)[first]
        found_arc.append(spots[pick])
        found_before.append(step[tail[pick]])
        last[heads] = made + np.arange(heads.size)
        made += heads.size
        onward = arriving[heads] if damping is None else arriving[heads] * damping[heads]
        rises = onward > passing[heads]
        active = heads[rises].astype(np.int64)
        passing[active] = onward[rises]
        step[active] = last[active]
    nothing = [np.empty(0, dtype=np.int64)]
    return Strongest(
        arriving,
        passing,
        weight,
        last,
        np.concatenate(found_arc or nothing),
        np.concatenate(found_before or nothing),
    )


def chains(best: Strongest, nodes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Walk the strongest paths of ``nodes`` back, all at once: per step the places in ``nodes`` and their arcs."""
    place = np.flatnonzero(best.arriving[nodes] > best.weight[nodes])
    step = best.last[nodes[place]]
    while place.size:
        yield place, best.arc[step]
        step = best.before[step]
        place, step = place[step >= 0], step[step >= 0]


def path_forest(arcs: Arcs, best: Strongest) -> np.ndarray:
    """Mask of arcs that form a forest with the strongest paths in it, joined to as few trees as possible."""
    arrives = np.flatnonzero((best.last >= 0) & (best.arriving > best.weight))
    tree = best.arc[best.last[arrives]]
    parent = np.arange(arcs.n)
    parent[arcs.target[tree]] = arcs.source[tree]
    root = parent
    while True:  # each round halves the way to the root
        up = root[root]
        if np.array_equal(up, root):
            break
        root = up
    keep = np.zeros(len(arcs), dtype=bool)
    keep[tree] = True
    _join_trees(arcs, best, keep, root)
    keep[arcs.reverse[keep]] = True
    return keep


def _join_trees(arcs: Arcs, best: Strongest, keep: np.ndarray, root: np.ndarray) -> None:
    """Add to ``keep`` the strongest arcs between trees that leave it a forest (Boruvka 1926)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    worth = best.passing[arcs.source] * arcs.p
    both = np.flatnonzero((root[arcs.source] != root[arcs.target]) & (arcs.source < arcs.target))
    both = both[np.maximum(worth[both], worth[arcs.reverse[both]]) > 0]
    worth = np.maximum(worth[both], worth[arcs.reverse[both]])
    a, b = root[arcs.source[both]], root[arcs.target[both]]
    while both.size:
        # each tree takes its strongest arc; equal ones are told apart by their place, so that no circle closes
        most = np.zeros(arcs.n)
        np.maximum.at(most, a, worth)
        np.maximum.at(most, b, worth)
        first = np.full(arcs.n, both.size)
        for end in (a, b):
            top = np.flatnonzero(worth == most[end])
            np.minimum.at(first, end[top], top)
        took = np.zeros(both.size, dtype=bool)
        took[first[first < both.size]] = True
        chosen = np.flatnonzero(took)
        keep[both[chosen]] = True
        links = csr_array((np.ones(chosen.size), (a[chosen], b[chosen])), shape=(arcs.n, arcs.n))
        group = connected_components(links, directed=False)[1]
        a, b = group[a], group[b]
        apart = a != b
        both, worth, a, b = both[apart], worth[apart], a[apart], b[apart]


def ranked_paths(
    arcs: Arcs,
    best: Strongest,
    node: int,
    k: int,
    *,
    damping: np.ndarray | None = None,
    longest: int | None = None,
    budget: int = 20_000,
) -> tuple[list[tuple[float, tuple[int, ...], tuple[int, ...]]], bool]:
    """The ``k`` strongest paths without repeated nodes into a node, and whether the search was complete.

    Best-first from the node back to the seeds, guided by the strongest path to each node, so that no more is visited
    than the paths need.

    Returns
    -------
    ``(probability, nodes from the seed on, arcs)`` each, strongest first; False when ``budget`` ended the search.
    """
    found: list[tuple[float, tuple[int, ...], tuple[int, ...]]] = []
    for item in _search(arcs, best, node, damping, longest, budget):
        if item is None:
            return found, False
        found.append(item)
        if len(found) == k:
            break
    return found, True


def _search(
    arcs: Arcs, best: Strongest, node: int, damping: np.ndarray | None, longest: int | None, budget: int
) -> Iterator[tuple[float, tuple[int, ...], tuple[int, ...]] | None]:
    number = count()
    # an entry is a finished path (arms is None), or a path and the arcs that could extend it, the next one first
    heap: list[tuple[float, int, float, tuple[int, ...], tuple[int, ...], np.ndarray | None, np.ndarray | None, int]]
    heap = []

    def visit(value: float, nodes: tuple[int, ...], used: tuple[int, ...]) -> None:
        head = nodes[0]
        begins = float(best.weight[head])
        if begins > 0:
            heapq.heappush(heap, (-value * begins, next(number), value * begins, nodes, used, None, None, 0))
        if longest is not None and len(used) >= longest:
            return
        through = value if len(nodes) == 1 or damping is None else value * float(damping[head])
        arms = arcs.entering(head)
        bounds = through * arcs.p[arms] * best.passing[arcs.source[arms]]
        fresh = (bounds > 0) & ~np.isin(arcs.source[arms], nodes)
        arms, bounds = arms[fresh], bounds[fresh]
        if arms.size:
            order = np.argsort(-bounds, kind="stable")
            arms, bounds = arms[order], bounds[order]
            heapq.heappush(heap, (-float(bounds[0]), next(number), through, nodes, used, arms, bounds, 0))

    visit(1.0, (node,), ())
    for _ in range(budget):
        if not heap:
            return
        _, _, value, nodes, used, arms, bounds, spot = heapq.heappop(heap)
        if arms is None or bounds is None:
            yield value, nodes, used
            continue
        if spot + 1 < arms.size:
            entry = (-float(bounds[spot + 1]), next(number), value, nodes, used, arms, bounds, spot + 1)
            heapq.heappush(heap, entry)
        arc = int(arms[spot])
        visit(value * float(arcs.p[arc]), (int(arcs.source[arc]), *nodes), (arc, *used))
    yield None
