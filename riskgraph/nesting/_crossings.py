"""Sectors met, changes of sector and returns, along the chains an entity stands on and beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskgraph.nesting._chains import Chains, Depths, chains
from riskgraph.nesting._flows import PRODUCT, funding_pairs
from riskgraph.nesting._groups import groups, majority_ties, stakes
from riskgraph.nesting._sectors import sector_codes, sector_masks

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["handled_pairs", "sectors_met", "stands", "widest"]


def handled_pairs(graph: EntityGraph, *kinds: str) -> tuple[np.ndarray, np.ndarray]:
    """Firm and product of relations of these kinds."""
    ties = graph.columns.only(graph.columns.of(*kinds))
    at = np.flatnonzero(graph.kinds[ties.target] == PRODUCT)
    return ties.source[at].astype(np.int64), ties.target[at].astype(np.int64)


class Stands(NamedTuple):
    """Entity and product, one row a tie, and on which chains of the product the entity stands.

    Who manages or sells a product stands on all chains through it (side 0), who funds it on those that go on from it
    (1), whom it funds on those that lead to it (2).
    """

    entity: np.ndarray
    product: np.ndarray
    side: np.ndarray

    def of(self, depths: Depths) -> np.ndarray:
        """What each entity has of a measure that is known through, above and below each product."""
        place = depths.label[self.product]
        return np.choose(self.side, [values[place] for values in (depths.through, depths.below, depths.above)])


def stands(graph: EntityGraph) -> Stands:
    """Chains that entities which are no products stand on; cached."""

    def build() -> Stands:
        firm, product = handled_pairs(graph, "manages", "distributes")
        pairs = funding_pairs(graph)
        is_product = graph.kinds == PRODUCT
        into = ~is_product[pairs.source] & is_product[pairs.target]
        out = is_product[pairs.source] & ~is_product[pairs.target]
        return Stands(
            np.r_[firm, pairs.source[into], pairs.target[out]],
            np.r_[product, pairs.target[into], pairs.source[out]],
            np.repeat([0, 1, 2], [firm.size, int(into.sum()), int(out.sum())]),
        )

    return graph.cached(("nesting", "stands"), build)


def sectors_met(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sectors met as bits, sector changes, and returns to a sector or group left before."""
    own = sector_masks(graph)
    code = sector_codes(graph)
    standing = stands(graph)
    entity, product = standing.entity, standing.product
    reach, changes, returns = along_chains(graph)
    conduits = chains(graph).codes
    place = reach.label[conduits]

    mask = _affiliated(graph, own)
    turning = np.flatnonzero((np.bitwise_count(mask) > 1) & (graph.kinds != PRODUCT))
    turns = np.bitwise_count(mask[turning]) - 1.0
    mask |= own
    mask[conduits] |= reach.through[place]
    mask = widest(mask, entity, standing.of(reach))
    best = np.zeros(len(graph))
    best[conduits] = changes.through[place]
    # a manager of another sector than its product is one more change, and so is the first or last step of a chain
    step = (code[entity] >= 0) & (code[product] >= 0) & (code[entity] != code[product])
    np.maximum.at(best, entity, standing.of(changes) + step)
    best[turning] += turns
    back = _home(graph)
    back[conduits] += returns
    firm, managed = handled_pairs(graph, "manages", "distributes")
    np.maximum.at(back, firm, back[managed])
    return mask, best, back


def along_chains(graph: EntityGraph) -> tuple[Depths, Depths, np.ndarray]:
    """Per component: sectors on its chains, most sector changes on one; per conduit: sectors money comes back to.

    Cached.
    """
    return graph.cached(("nesting", "along chains"), lambda: _along_chains(graph))


def _along_chains(graph: EntityGraph) -> tuple[Depths, Depths, np.ndarray]:
    given, pairs = chains(graph), funding_pairs(graph)
    source, target, conduit = pairs.source, pairs.target, pairs.conduit
    code = sector_codes(graph)

    def step(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return ((code[a] >= 0) & (code[b] >= 0) & (code[a] != code[b])).astype(np.float64)

    def bit(of: np.ndarray) -> np.ndarray:
        return np.where(code[of] >= 0, np.int32(1) << np.maximum(code[of], 0).astype(np.int32), 0)

    count, label = given.count, given.label
    into, out = conduit[target] & ~conduit[source], conduit[source] & ~conduit[target]
    main = bit(given.codes)
    mine = given.per_component(main, np.bitwise_or, 0)
    above, below = mine.copy(), mine.copy()
    np.bitwise_or.at(above, label[target[into]], bit(source[into]))
    np.bitwise_or.at(below, label[source[out]], bit(target[out]))
    ends_above, ends_below = np.zeros(count), np.zeros(count)
    np.maximum.at(ends_above, label[target[into]], step(source[into], target[into]))
    np.maximum.at(ends_below, label[source[out]], step(source[out], target[out]))
    # a circle changes sector as often as relations inside it do
    turning = np.bincount(label[given.inside[0]], weights=step(*given.inside), minlength=count)
    up = given.longest(turning, down=False, step=step, first=ends_above)
    down = given.longest(turning, down=True, step=step, first=ends_below)
    above, below = given.union(above, down=False), given.union(below, down=True)

    # money that passes a conduit between two of one sector, and money that leaves a conduit's sector and comes back
    between = above & below
    after, before = _leaving(given, below, mine, down=True), _leaving(given, above, mine, down=False)
    place = label[given.codes]
    middle = np.where(main > 0, np.bitwise_count(between[place] & ~main), 0)
    circle = given.cyclic[place] & (np.bitwise_count(mine[place]) > 1)
    ends = ((after[place] | before[place]) & main) != 0
    return (
        Depths(label, above | below, above, below),
        Depths(label, up + turning + down, up + turning, turning + down),
        middle + (ends | (circle & (main != 0))),
    )


def _leaving(given: Chains, far: np.ndarray, mine: np.ndarray, *, down: bool) -> np.ndarray:
    """Sectors met beyond a conduit of another sector, on the way down (or up)."""
    single = np.where(np.bitwise_count(mine) == 1, mine, 0)
    return given.union(np.where(mine > 0, far & ~single, 0), down=down)


def widest(base: np.ndarray, entity: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Sectors of each entity joined with the one of its masks that adds most.

    Chains that have only an end in common are not nested in each other: who borrows from three houses of three sectors
    stands at the end of three plain chains, so their sectors are not put together.
    """
    size = np.bitwise_count(base[entity] | masks)
    order = np.lexsort((masks, size, entity))
    last = order[np.flatnonzero(np.diff(entity[order], append=-1) != 0)]
    result = base.copy()
    result[entity[last]] |= masks[last]
    return result


def _affiliated(graph: EntityGraph, own: np.ndarray) -> np.ndarray:
    """Own sectors, those of all firms controlled by majority, of firms held to a fifth, and of one business partner."""
    source, target = majority_ties(graph)
    tied = np.zeros(len(graph), dtype=bool)
    tied[source], tied[target] = True, True
    forest = Chains(len(graph), source, target, tied)
    below = forest.union(forest.per_component(own[forest.codes], np.bitwise_or, 0), down=True)
    result = own.copy()
    result[forest.codes] = below[forest.label[forest.codes]]
    holder, company, _ = stakes(graph)
    held = np.flatnonzero((own[company] != 0) & (graph.kinds[holder] != PRODUCT))
    np.bitwise_or.at(result, holder[held], own[company[held]])
    columns = graph.columns
    both = columns.only(columns.of("cooperates", "raises_on", "subcontracts"))
    return widest(result, np.r_[both.source, both.target], own[np.r_[both.target, both.source]])


def _home(graph: EntityGraph) -> np.ndarray:
    """1 where money comes home: a product funds its manager or its group, a platform the group that owns it."""
    label = groups(graph).label
    result = np.zeros(len(graph))
    pairs = funding_pairs(graph)
    group_of = np.full(len(graph), -1, dtype=np.int64)
    firm, product = handled_pairs(graph, "manages")
    group_of[product] = label[firm]
    funds = (graph.kinds[pairs.source] == PRODUCT) & (group_of[pairs.source] >= 0)
    home = funds & (group_of[pairs.source] == label[pairs.target])
    result[pairs.source[home]] = 1.0
    n = max(len(graph), 1)
    result[product[np.isin(product * n + firm, pairs.source * n + pairs.target)]] = 1.0
    raised = graph.columns.only(graph.columns.of("raises_on"))
    borrower, platform = raised.source, raised.target
    result[platform[(label[borrower] >= 0) & (label[borrower] == label[platform])]] = 1.0
    return result
