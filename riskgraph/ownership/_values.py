"""Shares of owners in companies: companies without rings a level at a time, rings as blocks."""

from __future__ import annotations

import numpy as np

from riskgraph._sparse import expand
from riskgraph.ownership._rings import Ring, open_ring, settle_ring
from riskgraph.ownership._spread import Ledger, Stakes, fill_by_value, group_sums

__all__ = ["spread"]


def spread(given: Stakes, owners: np.ndarray, *, at_least: float = 0.0, most: int) -> Ledger:
    """Ledger of all pairs whose share can be above 0; an owner is 1 of itself.

    ``owners`` are local numbers, each once; the ledger's ``who`` are places in it. The work is proportional to the
    pairs met on the way. With ``at_least`` pairs whose share cannot reach it may be missing: a company is worth to
    an owner no more than the most valuable of its holders, so that an owner all of whose holdings yet to be followed
    are worth less is dropped.

    Raises
    ------
    TooManyPairs
        More than ``most`` pairs were met.
    """
    ledger = Ledger(given.n, len(given.weights), most)
    number = np.full(given.n, -1, dtype=np.int64)
    number[owners] = np.arange(owners.size)
    # shares that sum above 1 may be worth more than any holder
    living = _Living(given, ledger, owners.size, at_least) if at_least > 0 and not given.over.any() else None
    for level, (begin, end) in enumerate(zip(given.levels[:-1].tolist(), given.levels[1:].tolist(), strict=True)):
        nodes = given.order[begin:end]
        in_ring = given.cyclic[nodes]
        plain, nodes = nodes[~in_ring], nodes[in_ring]
        cut = np.flatnonzero(np.diff(given.label[nodes])) + 1
        rings = [open_ring(given, ledger, np.sort(ring)) for ring in np.split(nodes, cut)] if nodes.size else []
        mine = plain[number[plain] >= 0]
        entries = [_settle_level(given, ledger, plain, owners.size)]
        entries.append((mine, number[mine], [np.ones(mine.size)] * len(given.weights)))
        if living is not None:
            living.begin(level)
            for _, who, shares in entries:
                living.count(who, shares[-1])
            may = living.keep_with(rings, number)
            entries += [settle_ring(ledger, ring, number, may) for ring in rings]
            for _, who, shares in entries[2:]:
                living.count(who, shares[-1])
            entries = [_only(living.keep[who], node, who, shares) for node, who, shares in entries]
        else:
            entries += [settle_ring(ledger, ring, number, None) for ring in rings]
        node, who, *shares = (
            np.concatenate(parts)
            for parts in zip(*((node, who, *shares) for node, who, shares in entries), strict=True)
        )
        ledger.put(node, who, shares)
    return ledger


class _Living:
    """Owners with a holding of at least ``at_least`` that is still to be followed, or may get one at this level."""

    def __init__(self, given: Stakes, ledger: Ledger, owners: int, at_least: float) -> None:
        self.ledger, self.at_least = ledger, at_least * (1 - 1e-12)
        self.strong = np.zeros(owners, dtype=np.int64)
        self.keep = np.zeros(owners, dtype=bool)
        # the last level at which something each entity holds is settled
        last = given.depth.astype(np.int64)
        np.maximum.at(last, given.owner, given.depth[given.company].astype(np.int64))
        self.last = last
        self.order = np.argsort(last, kind="stable")
        self.cut = np.searchsorted(last[self.order], np.arange(given.levels.size + 1))
        self.seen = 0

    def begin(self, level: int) -> None:
        """Forget holdings that nothing after this level follows from; called for each level in turn."""
        new = slice(self.seen, self.ledger.size)
        lasting = (self.ledger.shares[-1][new] >= self.at_least) & (self.last[self.ledger.node[new]] >= level)
        np.add.at(self.strong, self.ledger.who[new][lasting], 1)
        self.seen = self.ledger.size
        who, shares, _ = self.ledger.read(self.order[self.cut[level] : self.cut[level + 1]])
        np.subtract.at(self.strong, who[shares[-1] >= self.at_least], 1)
        self.keep = self.strong > 0

    def count(self, who: np.ndarray, share: np.ndarray) -> None:
        """Keep owners with a share that is large enough."""
        self.keep[who[share >= self.at_least]] = True

    def keep_with(self, rings: list[Ring], number: np.ndarray) -> np.ndarray:
        """Owners to keep until the rings of this level are solved: all that may get such a share in one of them."""
        keep = self.keep.copy()
        for ring in rings:
            who, share = ring.most_valuable()
            keep[who[share >= self.at_least]] = True
            keep[number[ring.nodes][number[ring.nodes] >= 0]] = True
        return keep


def _only(
    some: np.ndarray, node: np.ndarray, who: np.ndarray, shares: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    return node[some], who[some], [share[some] for share in shares]


def _settle_level(
    given: Stakes, ledger: Ledger, nodes: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Shares in companies that hold none of each other: companies, owners, shares."""
    edge, at = expand(given.pointers, nodes)
    who, shares, place = ledger.read(given.owner[edge])
    edge, at = edge[place], at[place]
    key = at * count + who
    carried = [weight[edge] * share for weight, share in zip(given.weights, shares, strict=True)]
    if given.intervals:
        open_ = np.flatnonzero(given.contested[nodes[at]])
        worth = shares[-1][open_]
        fill = fill_by_value(key[open_], worth, given.room[edge[open_]], given.slack[nodes[at[open_]]])
        carried[-1][open_] += fill * worth
    key, total = group_sums(key, *carried)
    return nodes[key // max(count, 1)], key % max(count, 1), total
