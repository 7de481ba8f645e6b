"""Close links: pairs too near each other for one to stand behind the other's paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._sparse import SHARE_UNITS, exact_shares, exact_threshold, expand
from riskgraph.errors import InvalidParameter
from riskgraph.ownership._holdings import Holdings, holdings
from riskgraph.ownership._spread import group_sums
from riskgraph.ownership.integrated import integrated_pairs

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["close_links"]

RULES = ("majority", "capital")

#: most pairs under common owners
MOST_ROWS = 5_000_000


class _Held(NamedTuple):
    """Pairs of a holder and an entity, with the least and greatest share in units of 1e-15."""

    holder: np.ndarray
    entity: np.ndarray
    low: np.ndarray
    high: np.ndarray


def close_links(
    graph: EntityGraph, *, threshold: float = 0.2, rule: str = "majority", entities: Iterable[str] | None = None
) -> pd.DataFrame:
    """Pairs of entities linked by a large holding or by a common owner.

    ``rule="majority"`` follows the Eurosystem's rule for marketable assets. An entity is *majority-owned* by
    another if that one, alone or together with the undertakings it already majority-owns, directly holds more than
    half of it. What an entity *holds* of another is its own direct share plus the direct shares of all undertakings
    it majority-owns, each in full weight, not multiplied. Then two entities are linked

    * ``"owns"``: *a* holds at least ``threshold`` of *b* (read from *b*: it is held);
    * ``"common_owner"``: a third party majority-owns both.

    ``rule="capital"`` takes shares multiplied along each chain that visits no entity twice, and summed over chains
    (``method="simple_paths"`` of :func:`integrated_ownership`): *a* has at least ``threshold`` of *b*, or a third
    party has at least ``threshold`` of both.

    Parameters
    ----------
    threshold
        Least share that links, itself included.
    rule
        ``"majority"`` or ``"capital"``.
    entities
        Only links of these ids; ``None`` gives all.

    Returns
    -------
    DataFrame
        ``a, b, reason, share_min, share_max``, in the order of the entities. For ``"owns"`` the share *a* holds; for
        ``"common_owner"`` the smaller of the third party's two shares, the greatest over all third parties, *a*
        before *b*. Pairs stand here if they may be linked: a link is certain where ``share_min`` reaches the
        threshold (for a common owner under ``"majority"``: exceeds 0.5).

    Notes
    -----
    What a company holds of itself counts for nobody. Sums are compared as exact decimals. The bounds of one pair are
    attained; they rest on shares of single companies, which vary independently of each other.

    Raises
    ------
    InvalidParameter
        ``threshold`` is not in (0, 1], the rule is another, or common owners link more than 5,000,000 pairs.
    UnknownEntity
        An id that the graph does not hold.

    References
    ----------
    European Central Bank, The implementation of monetary policy in the euro area, section 6.2.3 (majority); Guideline
    ECB/2014/60, article 138 (capital).

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.ownership.close_links(rg.datasets.toy_chain())
             a        b reason  share_min  share_max
    0      Ann  Holding   owns        0.6        0.6
    1      Ann     Mine   owns        0.5        0.5
    2  Holding     Mine   owns        0.5        0.5
    """
    if not 0 < threshold <= 1:
        raise InvalidParameter(f"'threshold' must be in (0, 1]; got {threshold!r}")
    if rule not in RULES:
        raise InvalidParameter(f"'rule' must be one of {', '.join(RULES)}; got {rule!r}")
    limit = exact_threshold(threshold)
    asked = None if entities is None else np.unique(graph.codes(entities))
    if rule == "majority":
        held = _majority(holdings(graph))
        parties = _outermost(len(graph), held)
    else:
        held = _capital(graph, threshold)
        parties = np.ones(held.high.size, dtype=bool)
    linked = held.high >= limit
    if asked is not None:
        linked &= np.isin(held.holder, asked) | np.isin(held.entity, asked)
    owns = _Held(*(column[linked] for column in held))
    common = _common(len(graph), _Held(*(column[parties] for column in held)), asked)
    ids = graph.ids.to_numpy()
    a, b = np.concatenate([owns.holder, common.holder]), np.concatenate([owns.entity, common.entity])
    reason = np.repeat(np.array(["owns", "common_owner"], dtype=object), [owns.holder.size, common.holder.size])
    order = np.lexsort((np.arange(a.size), b, a))
    return pd.DataFrame(
        {
            "a": pd.Series(ids[a[order]], dtype=object),
            "b": pd.Series(ids[b[order]], dtype=object),
            "reason": pd.Series(reason[order], dtype=object),
            "share_min": np.concatenate([owns.low, common.low])[order] / SHARE_UNITS,
            "share_max": np.concatenate([owns.high, common.high])[order] / SHARE_UNITS,
        }
    )


class _Tally:
    """Sums by key that grow: sorted runs, each at least twice as long as the next, read by adding them up."""

    def __init__(self) -> None:
        self.runs: list[tuple[np.ndarray, list[np.ndarray]]] = []

    def add(self, key: np.ndarray, *values: np.ndarray) -> None:
        """Add to the sums of distinct, ascending keys."""
        sums = list(values)
        while self.runs and self.runs[-1][0].size < 2 * key.size:
            more, worth = self.runs.pop()
            pairs = zip(worth, sums, strict=True)
            key, sums = group_sums(np.concatenate([more, key]), *(np.concatenate(pair) for pair in pairs))
        self.runs.append((key, sums))

    def get(self, key: np.ndarray) -> list[np.ndarray]:
        """Sums of keys, 0 for those never added to."""
        total = [np.zeros(key.size, dtype=np.int64) for _ in (self.runs[0][1] if self.runs else [0])]
        for have, values in self.runs:
            if have.size:
                spot = np.minimum(np.searchsorted(have, key), have.size - 1)
                hit = have[spot] == key
                for sums, value in zip(total, values, strict=True):
                    sums += np.where(hit, value[spot], 0)
        return total

    def keys(self) -> np.ndarray:
        """All keys, ascending."""
        return group_sums(np.concatenate([np.empty(0, dtype=np.int64), *(key for key, _ in self.runs)]))[0]


def _majority(held: Holdings) -> _Held:
    """What everyone holds together with the undertakings it majority-owns."""
    keys, high = _together(held, greatest=True)
    low = high
    if (held.exact_high > held.exact_low).any():
        least, sums = _together(held, greatest=False)
        low = np.zeros(keys.size, dtype=np.int64)
        low[np.searchsorted(keys, least)] = sums
    return _Held(keys // held.n, keys % held.n, low, high)


def _outermost(n: int, held: _Held) -> np.ndarray:
    """Mask of the majority-owned pairs whose holder is not for certain majority-owned itself.

    Whoever owns such a holder owns all it owns, so its pairs add nothing; but in a ring, where each owns the other,
    each counts.
    """
    half = SHARE_UNITS // 2
    owned, certain = held.high > half, held.low > half
    key = held.holder * n + held.entity
    back = held.entity[certain] * n + held.holder[certain]
    inner = held.entity[certain][~np.isin(back, key[owned])]
    return owned & ~np.isin(held.holder, inner)


def _together(held: Holdings, *, greatest: bool) -> tuple[np.ndarray, np.ndarray]:
    """Keys ``holder · n + entity`` and what each holder and its majority-owned undertakings hold of the entity."""
    n = held.n
    pointers, by_owner = held.by_owner()
    top = held.exact_high if greatest else held.exact_low
    sums, members = _Tally(), _Tally()
    holder = member = np.flatnonzero(np.diff(pointers))
    while holder.size:
        spots, place = expand(pointers, member)
        pair = by_owner[spots]
        who, company = holder[place].astype(np.int64), held.company[pair]
        counts = (company != who) & (company != held.owner[pair]) & (top[pair] > 0)
        pair = pair[counts]
        key, parts = group_sums(who[counts] * n + company[counts], top[pair], held.exact_low[pair])
        sums.add(key, *parts)
        new = key[(_greatest(held, key, *sums.get(key)) > SHARE_UNITS // 2) & (members.get(key)[0] == 0)]
        members.add(new, np.ones(new.size, dtype=np.int64))
        holder, member = new // n, new % n
    keys = sums.keys()
    return keys, _greatest(held, keys, *(sums.get(keys) if keys.size else (keys, keys)))


def _greatest(held: Holdings, key: np.ndarray, high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Greatest sum of a group's shares: its highs, as far as the lows of all others leave room."""
    left = SHARE_UNITS - held.exact_declared[key % held.n] + low
    return np.maximum(np.minimum(high, left), low)


def _capital(graph: EntityGraph, threshold: float) -> _Held:
    """Shares multiplied along simple paths of all pairs that may reach the threshold."""
    wide = integrated_pairs(graph, min_share=threshold)  # the corrected share is never the smaller one
    pairs = integrated_pairs(
        graph, np.unique(wide.owner), np.unique(wide.asset), method="simple_paths", min_share=threshold
    )
    return _Held(pairs.owner, pairs.asset, exact_shares(pairs.low), exact_shares(pairs.high))


def _common(n: int, owned: _Held, asked: np.ndarray | None) -> _Held:
    """Pairs of entities that one third party owns both of, each once."""
    order = np.lexsort((owned.entity, owned.holder))
    owned = _Held(*(column[order] for column in owned))
    _, first, size = np.unique(owned.holder, return_index=True, return_counts=True)
    mine = np.arange(owned.holder.size) - np.repeat(first, size)
    rest = np.repeat(size, size) - mine - 1
    begin = np.arange(owned.holder.size) + 1
    if asked is not None:
        # pair each entity asked about with all others of its owner
        picked = np.flatnonzero(np.isin(owned.entity, asked))
        begin = np.repeat(first, size)[picked]
        rest = np.repeat(size, size)[picked]
    else:
        picked = np.arange(owned.holder.size)
    pairs = int(rest.sum()) - (0 if asked is None else picked.size)
    if pairs > MOST_ROWS:
        raise InvalidParameter(
            f"common owners link {pairs:,} pairs, more than {MOST_ROWS:,}; name 'entities' to ask for theirs"
        )
    place = np.repeat(picked, rest)
    other = np.arange(place.size) - np.repeat(np.cumsum(rest) - rest, rest) + np.repeat(begin, rest)
    differ = place != other
    place, other = place[differ], other[differ]
    a = np.minimum(owned.entity[place], owned.entity[other]).astype(np.int64)
    b = np.maximum(owned.entity[place], owned.entity[other]).astype(np.int64)
    low = np.minimum(owned.low[place], owned.low[other])
    high = np.minimum(owned.high[place], owned.high[other])
    order = np.lexsort((a * n + b,))
    key = (a * n + b)[order]
    start = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if key.size else np.empty(0, dtype=np.int64)
    if not start.size:
        return _Held(start, start, start, start)
    return _Held(
        key[start] // n,
        key[start] % n,
        np.maximum.reduceat(low[order], start),
        np.maximum.reduceat(high[order], start),
    )
