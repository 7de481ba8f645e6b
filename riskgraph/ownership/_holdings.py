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
    what the lows of the other holders leave; ``raw_high`` is as declared, 1 where nothing is. What a company holds of
    itself (treasury shares) is a pair like any other, and stands once more in ``self_low`` and ``self_high``.
    """

    #: number of entities
    n: int
    #: codes of holder and company, int32
    owner: np.ndarray
    company: np.ndarray
    low: np.ndarray
    high: np.ndarray
    raw_high: np.ndarray
    exact_low: np.ndarray
    exact_high: np.ndarray
    #: positions in ``graph.columns`` of the relations of pair p: ``indices[indptr[p]:indptr[p + 1]]``
    indptr: np.ndarray
    indices: np.ndarray
    #: pairs of company c: ``company_ptr[c]:company_ptr[c + 1]``
    company_ptr: np.ndarray
    #: per entity: sum of the lows of its holders, and what is left of 1, as floats and in units
    declared_low: np.ndarray
    remainder: np.ndarray
    exact_declared: np.ndarray
    exact_remainder: np.ndarray
    self_low: np.ndarray
    self_high: np.ndarray

    def __len__(self) -> int:
        return int(self.owner.size)

    def by_owner(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of holder o: ``pairs[pointers[o]:pointers[o + 1]]``, by company."""
        return self._by_owner

    @cached_property
    def _by_owner(self) -> tuple[np.ndarray, np.ndarray]:
        return row_pointers(self.n, self.owner), np.argsort(self.owner, kind="stable")

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

    A missing minimum is 0, a missing maximum what the other holders leave.

    Examples
    --------
    >>> import riskgraph as rg
    >>> held = holdings(rg.datasets.toy_missing_share())
    >>> held.low.tolist(), held.high.round(12).tolist()
    ([0.4, 0.0, 0.3], [0.4, 0.3, 0.3])
    """
    return graph.cached(("ownership", "holdings", votes), lambda: _holdings(graph, votes))


def _holdings(graph: EntityGraph, votes: bool) -> Holdings:
    columns = graph.columns
    n = len(graph)
    rows = columns.of("owns")
    owner, company = columns.source[rows], columns.target[rows]
    low = (columns.votes_min if votes else columns.share_min)[rows]
    high = (columns.votes_max if votes else columns.share_max)[rows]
    key = company.astype(np.int64) * n + owner
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if key.size else np.empty(0, dtype=np.int64)
    rows, low, high = rows[order], np.nan_to_num(low[order], nan=0.0), np.nan_to_num(high[order], nan=1.0)
    owner, company = owner[order][first], company[order][first]
    exact_low, exact_high = _sums(exact_shares(low), low, first), _sums(exact_shares(high), high, first)
    exact_high = np.minimum(exact_high, np.maximum(SHARE_UNITS, exact_low))
    single = np.diff(np.r_[first, key.size]) == 1
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
    remainder = np.maximum(SHARE_UNITS - declared, 0)
    self_low, self_high = np.zeros(n), np.zeros(n)
    own = np.flatnonzero(owner == company)
    self_low[company[own]], self_high[company[own]] = low[own], high[own]
    return Holdings(
        n=n,
        owner=owner,
        company=company,
        low=low,
        high=high,
        raw_high=raw_high,
        exact_low=exact_low,
        exact_high=cut,
        indptr=np.r_[first, key.size].astype(np.int64),
        indices=rows,
        company_ptr=pointers,
        declared_low=declared / SHARE_UNITS,
        remainder=remainder / SHARE_UNITS,
        exact_declared=declared,
        exact_remainder=remainder,
        self_low=self_low,
        self_high=self_high,
    )


def _sums(units: np.ndarray, shares: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sums of runs that begin at ``first``, kept from overflowing."""
    if not first.size:
        return np.empty(0, dtype=np.int64)
    total = np.add.reduceat(units, first)
    return np.where(np.add.reduceat(shares, first) > _MOST // SHARE_UNITS, _MOST, total)
