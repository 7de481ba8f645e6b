"""What each owner holds of each company, directly and through others, spread level by level over all owners at once.

The value of owner *i* in company *j* solves ``x_j = Σ_k w_kj x_k`` with ``x_i = 1``: the walks from *i* to *j* that
never return to *i*, which is Baldone's ``N_ij / N_ii`` (Baldone, Brioschi and Paleari 1998). With shares in
intervals, the least value takes every share at its low, since values only grow with shares. The greatest one is

    x_j = max over the shares w of company j of Σ_k w_kj x_k,    x_i = 1,

where the shares of one company lie in their intervals and sum to at most 1. Read from company to holder this is the
greatest probability that a walk ends in *i* when at each company somebody may choose among the permitted shares: a
Markov decision problem in which all companies are maximised by one and the same choice (Puterman 1994, chapter 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskgraph._sparse import SHARE_UNITS, component_levels, expand, row_pointers, runs, strong_components
from riskgraph.ownership._holdings import Holdings

__all__ = ["Ledger", "Stakes", "TooManyPairs", "fill_by_value", "group_sums", "settle_decimals", "stakes"]


class TooManyPairs(Exception):
    """The owners of one block reach more companies than memory should hold; ask for fewer at once."""


@dataclass(frozen=True)
class Stakes:
    """Holdings among some entities in local numbers, sorted by company, with their components in order.

    ``low`` is what a holding carries at least, ``high`` what it carries in the greatest case whatever the others do.
    Companies whose intervals cannot all reach their highs together are ``contested``: there ``high`` is the low, and
    the ``slack`` is shared out within each holding's ``room``.
    """

    codes: np.ndarray
    owner: np.ndarray
    company: np.ndarray
    pair: np.ndarray
    low: np.ndarray
    high: np.ndarray
    room: np.ndarray
    pointers: np.ndarray
    slack: np.ndarray
    contested: np.ndarray
    #: some share is an interval, so that least and greatest differ
    intervals: bool
    #: declared shares of the company sum above 1
    over: np.ndarray
    #: component of each entity, in topological order, and whether walks return in it
    label: np.ndarray
    cyclic: np.ndarray
    #: level of each entity, entities by level, and where each level begins
    depth: np.ndarray
    order: np.ndarray
    levels: np.ndarray

    @property
    def n(self) -> int:
        """Number of entities."""
        return int(self.codes.size)

    @property
    def weights(self) -> tuple[np.ndarray, ...]:
        """Weights of the least case, and of the greatest where it differs."""
        return (self.low, self.high) if self.intervals else (self.low,)


def stakes(held: Holdings, codes: np.ndarray) -> Stakes:
    """Holdings among ``codes`` (sorted) that can be above 0."""
    pair, _ = expand(held.company_ptr, codes)
    holder = held.owner[pair]
    place = np.minimum(np.searchsorted(codes, holder), max(codes.size - 1, 0))
    there = (codes[place] == holder) & (held.high[pair] > 0) if pair.size else np.zeros(0, dtype=bool)
    pair, owner = pair[there], place[there]
    company = np.searchsorted(codes, held.company[pair])
    low, size = held.low[pair], codes.size
    declared = held.exact_declared[codes]
    slack = np.maximum(SHARE_UNITS - declared, 0) / SHARE_UNITS
    room = held.high[pair] - low
    contested = np.bincount(company, weights=room, minlength=size) > slack + 1e-15
    count, label = strong_components(size, owner, company)
    depth = component_levels(count, label[owner], label[company])[label]
    cyclic = np.bincount(label, minlength=count)[label] > 1
    cyclic[owner[owner == company]] = True
    return Stakes(
        codes=codes,
        owner=owner,
        company=company,
        pair=pair,
        low=low,
        high=np.where(contested[company], low, held.high[pair]),
        room=np.where(contested[company], room, 0.0),
        pointers=row_pointers(size, company),
        slack=slack,
        contested=contested,
        intervals=bool((room > 0).any()),
        over=declared / SHARE_UNITS > 1 + 1e-12,
        label=label,
        cyclic=cyclic,
        depth=depth,
        order=np.lexsort((label, cyclic, depth)),
        levels=row_pointers(int(depth.max(initial=-1)) + 1, depth),
    )


class Ledger:
    """Shares of owners in companies, written company by company and read by company.

    ``kinds`` shares are kept an entry: the least one, and the greatest where it differs.
    """

    def __init__(self, n: int, kinds: int, most: int) -> None:
        self.begin = np.zeros(n, dtype=np.int64)
        self.count = np.zeros(n, dtype=np.int64)
        self.size = 0
        self.most = most
        self._node = np.empty(1024, dtype=np.int32)
        self._who = np.empty(1024, dtype=np.int32)
        self._shares = [np.empty(1024, dtype=np.float64) for _ in range(kinds)]

    @property
    def node(self) -> np.ndarray:
        """Company of each entry."""
        return self._node[: self.size]

    @property
    def who(self) -> np.ndarray:
        """Owner of each entry."""
        return self._who[: self.size]

    @property
    def shares(self) -> list[np.ndarray]:
        """Least and greatest share of each entry."""
        return [share[: self.size] for share in self._shares]

    def put(self, node: np.ndarray, who: np.ndarray, shares: list[np.ndarray]) -> None:
        """Write the entries of companies that have none yet."""
        order = np.argsort(node, kind="stable")
        begin, end = self.size, self.size + node.size
        if end > self.most:
            raise TooManyPairs
        if end > self._node.size:
            room = max(end, 2 * self._node.size)
            self._node, self._who = np.resize(self._node, room), np.resize(self._who, room)
            self._shares = [np.resize(share, room) for share in self._shares]
        node = node[order]
        self._node[begin:end] = node
        self._who[begin:end] = who[order]
        for kept, share in zip(self._shares, shares, strict=True):
            kept[begin:end] = share[order]
        first = np.flatnonzero(np.r_[True, node[1:] != node[:-1]]) if node.size else np.empty(0, dtype=np.int64)
        self.begin[node[first]] = begin + first
        self.count[node[first]] = np.diff(np.r_[first, node.size])
        self.size = end

    def read(self, nodes: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
        """Owners and shares of all entries of ``nodes``, and for each the place in ``nodes`` it belongs to."""
        spots, place = runs(self.begin[nodes], self.count[nodes])
        return self._who[spots], [share[spots] for share in self._shares], place


def group_sums(key: np.ndarray, *values: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Distinct keys in ascending order, and for each of ``values`` the sums of a key."""
    if not key.size:
        return key, list(values)
    order = np.argsort(key)
    key = key[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    return key[first], [np.add.reduceat(value[order], first) for value in values]


def fill_by_value(group: np.ndarray, value: np.ndarray, room: np.ndarray, budget: np.ndarray) -> np.ndarray:
    """Share out each group's budget among its holdings, the most valuable first, none above its room.

    ``budget`` is given per holding, the same throughout a group. This maximises ``Σ fill · value`` (fractional
    knapsack).

    Examples
    --------
    >>> fill_by_value(np.array([0, 0]), np.array([0.2, 1.0]), np.array([0.5, 0.4]), np.array([0.6, 0.6])).round(12)
    array([0.2, 0.4])
    """
    order = np.lexsort((-value, group))
    group, size = group[order], room[order]
    before = np.cumsum(size) - size
    first = np.r_[True, group[1:] != group[:-1]] if group.size else np.empty(0, dtype=bool)
    before -= before[first][np.cumsum(first) - 1] if group.size else 0.0
    fill = np.empty_like(room)
    fill[order] = np.clip(budget[order] - before, 0.0, size)
    return fill


def settle_decimals(share: np.ndarray) -> np.ndarray:
    """Shares within rounding of a decimal of up to twelve places, as that decimal."""
    with np.errstate(invalid="ignore"):
        decimal = np.rint(share * 1e12) / 1e12
        return np.where(np.abs(share - decimal) <= 2e-15 * share, decimal, share)
