"""Products of a generated registry: up to five layers, what goes in comes out to the last yuan, a few circles."""

from __future__ import annotations

import numpy as np

from riskgraph.datasets._draw import Array, day, distinct, heavy_count, heavy_pick, split_units
from riskgraph.datasets._registry_blocks import Blocks

__all__ = ["add_products"]

#: sector of each layer, and how many products of a hundred start on it
LAYERS = (("bank", 50), ("trust", 20), ("asset_management", 15), ("fund", 10), ("securities", 5))


def add_products(
    rng: np.random.Generator,
    blocks: Blocks,
    first: int,
    count: int,
    managers: dict[str, Array],
    n_companies: int,
    n_persons: int,
) -> Array:
    """Draw ``count`` products, numbered from ``first``, and their money; returns the layer of each.

    ``managers`` holds the companies of each sector. Every layer is funded by investors and by the layer above it,
    and passes on all it received, to the layer below or to companies.
    """
    weights = np.array([weight for _, weight in LAYERS], dtype=float)
    layer = np.sort(rng.choice(len(LAYERS), count, p=weights / weights.sum()))
    product = np.arange(first, first + count)
    since = rng.integers(day("2013-01-01"), day("2016-12-31"), count)
    inflow = np.zeros(count, dtype=np.int64)

    # savers: all products of the first layer have some, and a third of the others; the rest get one each if unfunded
    for level in range(len(LAYERS)):
        here = np.flatnonzero(layer == level)
        open_to = here if level == 0 else here[(rng.random(here.size) < 0.33) | (inflow[here] == 0)]
        savers = np.repeat(open_to, heavy_count(rng, open_to.size, tail=1.2, most=500))
        who = np.where(
            rng.random(savers.size) < 0.9,
            n_companies + (heavy_pick(rng, savers.size, n_persons, power=1.4) if n_persons else 0),
            heavy_pick(rng, savers.size, n_companies // 2),
        )
        keys = distinct(savers * first + who)
        savers, who = keys // first, keys % first
        amount = (np.round(rng.lognormal(11.5, 1.2, savers.size), -4) + 10_000).astype(np.int64)
        blocks.add(
            "invests", who, product[savers], amount=amount, start=since[savers] + 30, known_from=since[savers] + 45
        )
        np.add.at(inflow, savers, amount)

        below = np.flatnonzero(layer == level + 1)
        outs = np.repeat(here, rng.integers(1, 4, here.size))
        if not outs.size:
            continue
        nested = (rng.random(outs.size) < 0.5) & (below.size > 0)
        # firms that put money in and firms that get it are different ones: only the planted circles are circles
        target = n_companies // 2 + heavy_pick(rng, outs.size, n_companies - n_companies // 2, power=1.5)
        target[nested] = product[below[heavy_pick(rng, int(nested.sum()), below.size, power=1.5)]] if below.size else 0
        keys = distinct(outs * (first + count) + target)
        outs, target = keys // (first + count), keys % (first + count)
        units = split_units(rng, outs, count, np.maximum(inflow, 4))
        blocks.add("invests", product[outs], target, amount=units, start=since[outs] + 60, known_from=since[outs] + 75)
        inside = target >= first
        np.add.at(inflow, target[inside] - first, units[inside])

    _circles(rng, blocks, product[layer == 2], since[layer == 2])
    for level, (sector, _) in enumerate(LAYERS):
        here = product[layer == level]
        start = since[layer == level]
        for kind, houses in (
            ("manages", managers[sector]),
            ("custodies", managers["bank"]),
            ("distributes", managers["wealth_management"]),
        ):
            house = houses[heavy_pick(rng, here.size, houses.size, power=1.5)]
            blocks.add(kind, house, here, start=start, known_from=start + 15)
    return layer


def _circles(rng: np.random.Generator, blocks: Blocks, products: Array, since: Array) -> None:
    """Put one product in a hundred of a middle layer on a circle of three through which the same money runs."""
    rings = products.size // 300
    ring = rng.permutation(products.size)[: 3 * rings].reshape(-1, 3)
    source, target = ring.ravel(), np.roll(ring, -1, axis=1).ravel()
    amount = np.repeat(np.round(rng.lognormal(13.0, 1.0, rings), -4) + 10_000, 3)
    start = np.repeat(since[ring].max(axis=1) if rings else np.empty(0, dtype=np.int64), 3) + 90
    blocks.add("invests", products[source], products[target], amount=amount, start=start, known_from=start + 15)
