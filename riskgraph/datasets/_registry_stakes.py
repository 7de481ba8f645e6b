"""Shareholdings of a generated registry: heavy tails, one dense core, rings, chains of 51 %, former holders.

Companies are numbered so that a holder has a lower number than what it holds, except inside the core and the rings,
which are runs of neighbours. So the cycles are the planted ones: about one company in a hundred.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskgraph.datasets._draw import Array, Fresh, distinct, heavy_count, heavy_pick, split_units
from riskgraph.datasets._registry_blocks import Blocks

__all__ = ["Layout", "Stakes", "add_stakes", "lay_out"]

#: shares are whole multiples of this part, so that the shares of a company sum to 1 exactly
UNITS = 1_000_000
#: share of each level of a long chain
CHAIN_SHARE = 510_000


class Layout(NamedTuple):
    """Which company numbers belong to what is planted."""

    #: first number and size of the core
    core: tuple[int, int]
    #: first number and size of each ring
    rings: Array
    #: first number and length of each chain
    chains: Array


class Stakes(NamedTuple):
    """Who holds what, sorted by company; a holder above ``n_companies`` is person ``holder - n_companies``."""

    holder: Array
    company: Array
    start: Array


def lay_out(n_companies: int) -> Layout:
    """Place core, rings and chains: 0.2 % of all companies in the core, 0.8 % in rings, chains of 40 levels."""
    first = n_companies // 100
    core = round(0.002 * n_companies)
    core = core if core >= 3 else 0
    sizes = np.resize([2, 3, 4, 5, 6], round(0.002 * n_companies)).astype(np.int64)
    starts = first + core + np.cumsum(sizes) - sizes
    levels = min(40, n_companies // 4)
    count = max(1, n_companies // 20_000) if levels >= 2 else 0
    tops = n_companies - levels * np.arange(count, 0, -1, dtype=np.int64)
    return Layout((first, core), np.stack([starts, sizes], axis=1), np.stack([tops, np.full(count, levels)], axis=1))


def add_stakes(
    rng: np.random.Generator, blocks: Blocks, layout: Layout, born: Array, last: int, persons: Fresh
) -> Stakes:
    """Draw all holdings in force and the former ones they replaced; returns those in force."""
    n = born.size
    holder, company, units = _holdings(rng, layout, n, persons)
    starts = np.maximum(born[company], np.where(holder < n, born[np.minimum(holder, n - 1)], 0))
    later = rng.random(company.size) < 0.3
    span = np.maximum(last - starts, 1)
    starts = starts + np.where(later, (span * rng.random(company.size)).astype(np.int64), 0)
    low = units / UNITS
    high = low.copy()
    _hide(rng, layout, company, low, high, n)
    blocks.add(
        "owns", holder, company, share_min=low, share_max=high, start=starts, known_from=_filed(rng, starts, last)
    )

    # a former holder kept exactly this stake from the company's birth until the present holder came
    former = np.flatnonzero((starts > born[company]) & (rng.random(company.size) < 0.15))
    fresh = rng.random(former.size) < 0.5
    before = np.empty(former.size, dtype=np.int64)
    before[fresh] = persons.take(int(fresh.sum()))
    before[~fresh] = heavy_pick(rng, int((~fresh).sum()), persons.count)
    since = born[company[former]]
    blocks.add(
        "owns",
        before + n,
        company[former],
        share_min=low[former],
        share_max=high[former],
        start=since,
        end=starts[former],
        known_from=_filed(rng, since, last),
    )
    return Stakes(holder, company, starts)


def _holdings(rng: np.random.Generator, layout: Layout, n: int, persons: Fresh) -> tuple[Array, Array, Array]:
    """Holder, company and units of every holding, sorted by company, each pair once."""
    counts = heavy_count(rng, n, tail=1.6, most=max(4, min(2000, n // 5)))
    chained = np.zeros(n, dtype=bool)
    for top, levels in layout.chains.tolist():
        chained[top : top + levels] = True
    counts[chained] = 0
    ring_start, ring_size = layout.rings[:, 0], layout.rings[:, 1]
    # one ring in fifty owns all of itself: nobody outside holds anything in it
    closed = np.arange(len(ring_size)) % 50 == 0
    place = np.arange(ring_size.sum()) - np.repeat(np.cumsum(ring_size) - ring_size, ring_size)
    member = np.repeat(ring_start, ring_size) + place
    before = np.repeat(ring_start, ring_size) + (place - 1) % np.repeat(ring_size, ring_size)
    counts[member[np.repeat(closed, ring_size)]] = 0

    company = np.repeat(np.arange(n), counts)
    holder = _drawn_holders(rng, company, n, persons)
    first, size = layout.core
    inside = np.repeat(np.arange(first, first + size), 3)
    partner = first + rng.integers(0, max(size, 1), inside.size)
    company = np.concatenate([company, member, inside[partner != inside]])
    holder = np.concatenate([holder, before, partner[partner != inside]])
    keys = distinct(company * (n + persons.count) + holder)
    company, holder = keys // (n + persons.count), keys % (n + persons.count)
    units = split_units(rng, company, n, UNITS)

    chains = [_chain(top, levels, n, persons) for top, levels in layout.chains.tolist()]
    holder = np.concatenate([holder, *(chain[0] for chain in chains)])
    company = np.concatenate([company, *(chain[1] for chain in chains)])
    units = np.concatenate([units, *(chain[2] for chain in chains)])
    return holder, company, units


def _drawn_holders(rng: np.random.Generator, company: Array, n: int, persons: Fresh) -> Array:
    """Draw holders: a quarter companies of lower number, the rest persons, most of them new, some everywhere."""
    size = company.size
    holder = np.empty(size, dtype=np.int64)
    firm = (rng.random(size) < 0.28) & (company > 0)
    holder[firm] = heavy_pick(rng, int(firm.sum()), company[firm])
    people = np.flatnonzero(~firm)
    fresh = rng.random(people.size) < 0.6
    if people.size:
        fresh[0] = True
    holder[people[fresh]] = n + persons.take(int(fresh.sum()))
    holder[people[~fresh]] = n + heavy_pick(rng, int((~fresh).sum()), persons.count)
    return holder


def _chain(top: int, levels: int, n: int, persons: Fresh) -> tuple[Array, Array, Array]:
    """Build one chain: a person holds 51 % of the top, each level 51 % of the next, new persons the rest."""
    company = np.arange(top, top + levels)
    minor = n + persons.take(levels)
    major = np.r_[n + persons.take(1), company[:-1]]
    units = np.tile([CHAIN_SHARE, UNITS - CHAIN_SHARE], levels)
    return np.stack([major, minor], axis=1).ravel(), np.repeat(company, 2), units


def _hide(rng: np.random.Generator, layout: Layout, company: Array, low: Array, high: Array, n: int) -> None:
    """Blot out one share of 5 % of the companies, and blur the shares of 3 % into bands; chains stay exact."""
    dice = rng.random(n)
    for top, levels in layout.chains.tolist():
        dice[top : top + levels] = 1.0
    first = np.r_[True, company[1:] != company[:-1]]
    lost = first & (dice[company] < 0.05)
    low[lost] = high[lost] = np.nan
    blurred = (dice[company] >= 0.05) & (dice[company] < 0.08)
    low[blurred] = np.round(low[blurred] * 0.8 - 5e-7, 6).clip(0.0)
    high[blurred] = np.round(high[blurred] * 1.2 + 5e-7, 6).clip(0.0, 1.0)


def _filed(rng: np.random.Generator, start: Array, last: int) -> Array:
    """Day on which the registry learns of it: weeks later, one in thirty a year late."""
    delay = rng.integers(5, 60, start.size) + np.where(rng.random(start.size) < 0.033, 365, 0)
    return np.minimum(start + delay, last)
