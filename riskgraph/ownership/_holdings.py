"""Direct holdings: one row a holder and company, parallel relations summed, cut by what the other holders leave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from riskgraph._sparse import SHARE_UNITS, exact_shares, row_pointers

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["Holdings", "holdings"]

#: sums are kept below this many units, so that adding two of them cannot overflow
_MOST = 4_000 * SHARE_UNITS
#: an interval this narrow is a rounded share, not room for another holder
_NOTHING = 1_000


@dataclass(frozen=True)
class Holdings:
    """Distinct (holder, company) pairs, sorted by company and then holder, and sums per company.

    Shares lie in ``[low, high]``; ``exact_`` arrays hold the same in whole units of 1e-15. ``high`` is already cut by
    what the lows of the other holders leave. What a company holds of itself (treasury shares) is a pair like any other,
    and stands once more in ``self_low`` and ``self_high``.
    """

    #: number of entities
    n: int
    #: codes of holder and company, int32
    owner: np.ndarray
    company: np.ndarray
    exact_low: np.ndarray
    exact_high: np.ndarray
    #: pairs whose least or greatest share is no decimal of up to twelve places, and those shares
    odd_low: tuple[np.ndarray, np.ndarray]
    odd_high: tuple[np.ndarray, np.ndarray]
    #: positions in ``graph.columns`` of the relations of pair p: ``indices[indptr[p]:indptr[p + 1]]``, int32
    indptr: np.ndarray
    indices: np.ndarray
    #: pairs of company c: ``company_ptr[c]:company_ptr[c + 1]``
    company_ptr: np.ndarray
    #: sum of the lows of the holders of each entity
    exact_declared: np.ndarray

    def __len__(self) -> int:
        return int(self.owner.size)

    @cached_property
    def low(self) -> np.ndarray:
        """Least share of each pair, made when it is first asked for."""
        return _floats(self.exact_low, *self.odd_low)

    @cached_property
    def high(self) -> np.ndarray:
        """Greatest share of each pair, made when it is first asked for."""
        return _floats(self.exact_high, *self.odd_high)

    @cached_property
    def remainder(self) -> np.ndarray:
        """What the lows of the holders of each entity leave of 1."""
        return np.maximum(SHARE_UNITS - self.exact_declared, 0) / SHARE_UNITS

    @cached_property
    def self_low(self) -> np.ndarray:
        """Least share of each entity in itself."""
        return self._own(self.low)

    @cached_property
    def self_high(self) -> np.ndarray:
        """Greatest share of each entity in itself."""
        return self._own(self.high)

    def _own(self, shares: np.ndarray) -> np.ndarray:
        own = np.flatnonzero(self.owner == self.company)
        result = np.zeros(self.n)
        result[self.company[own]] = shares[own]
        return result

    def by_owner(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of holder o: ``pairs[pointers[o]:pointers[o + 1]]``, by company."""
        return self._by_owner

    @cached_property
    def _by_owner(self) -> tuple[np.ndarray, np.ndarray]:
        return row_pointers(self.n, self.owner), np.argsort(self.owner, kind="stable").astype(np.int32)

    @cached_property
    def companies_by_owner(self) -> np.ndarray:
        """Companies in the order of :meth:`by_owner`: with its pointers, who holds what as a sparse table."""
        return self.company[self._by_owner[1]]

    def pair(self, owner: int, company: int) -> int:
        """Place of a pair, or -1."""
        first, last = self.company_ptr[company], self.company_ptr[company + 1]
        place = int(first + np.searchsorted(self.owner[first:last], owner))
        return place if place < last and self.owner[place] == owner else -1


def holdings(graph: EntityGraph, *, votes: bool = False) -> Holdings:
    """Holdings of a graph, kept on it; with ``votes`` the parts of the votes instead of the shares.

    A missing minimum is 0, a missing maximum what the other holders leave. Where no relation gives votes of its own,
    both are the same holdings, kept once.

    Examples
    --------
    >>> import riskgraph as rg
    >>> held = holdings(rg.datasets.toy_missing_share())
    >>> held.low.tolist(), held.high.round(12).tolist()
    ([0.4, 0.0, 0.3], [0.4, 0.3, 0.3])
    """
    votes = votes and not graph._store.numbers.keys().isdisjoint(("votes_min", "votes_max"))
    return graph.cached(("ownership", "holdings", votes), lambda: _holdings(graph, votes))


def _holdings(graph: EntityGraph, votes: bool) -> Holdings:
    n = len(graph)
    rows = graph.columns.of("owns")
    owns = graph.columns.only(rows)
    key = owns.target.astype(np.int64) * n + owns.source
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    single = np.diff(first, append=key.size) == 1
    del key
    rows, pairs = rows[order].astype(np.int32), order[first]
    owner, company = owns.source[pairs], owns.target[pairs]
    low = np.nan_to_num(owns.votes_min if votes else owns.share_min, nan=0.0)[order]
    high = np.nan_to_num(owns.votes_max if votes else owns.share_max, nan=1.0)[order]
    del owns, order, pairs
    exact_low, exact_high = _sums(exact_shares(low), low, first), _sums(exact_shares(high), high, first)
    exact_high = np.minimum(exact_high, np.maximum(SHARE_UNITS, exact_low))
    low = np.where(single, low[first], exact_low / SHARE_UNITS)
    raw_high = np.where(single, high[first], exact_high / SHARE_UNITS)
    pointers = row_pointers(n, company)
    declared = np.zeros(n, dtype=np.int64)
    some = np.flatnonzero(np.diff(pointers))
    declared[some] = _sums(exact_low, low, pointers[some])
    left = SHARE_UNITS - declared[company] + exact_low
    cut = np.maximum(np.minimum(exact_high, left), exact_low)
    cut = np.where(cut - exact_low <= _NOTHING, exact_low, cut)
    high = np.where(cut < exact_high, cut / SHARE_UNITS, raw_high)
    high = np.maximum(high, low)
    return Holdings(
        n=n,
        owner=owner,
        company=company,
        exact_low=exact_low,
        exact_high=cut,
        odd_low=_odd(exact_low, low),
        odd_high=_odd(cut, high),
        indptr=np.append(first, rows.size).astype(np.int32),
        indices=rows,
        company_ptr=pointers.astype(np.int32),
        exact_declared=declared,
    )


def _odd(units: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places and values of the shares that their units do not give back."""
    odd = np.flatnonzero(shares != units / SHARE_UNITS)
    return odd, shares[odd]


def _floats(units: np.ndarray, odd: np.ndarray, values: np.ndarray) -> np.ndarray:
    shares = units / SHARE_UNITS
    shares[odd] = values
    return shares


def _sums(units: np.ndarray, shares: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sums of runs that begin at ``first``, kept from overflowing."""
    if not first.size:
        return np.empty(0, dtype=np.int64)
    total = np.add.reduceat(units, first)
    return np.where(np.add.reduceat(shares, first) > _MOST // SHARE_UNITS, _MOST, total)
