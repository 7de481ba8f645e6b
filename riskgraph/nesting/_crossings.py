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

__all__ = ["TIED", "handled_pairs", "sectors_met", "stands", "widest"]

#: least direct stake that ties a holder to a firm's sector, in exact units
TIED = 2 * 10**14


def handled_pairs(graph: EntityGraph, *kinds: str) -> tuple[np.ndarray, np.ndarray]:
    """Firm and product of relations of these kinds."""
    columns = graph.columns
    at = columns.of(*kinds)
    at = at[graph.kinds[columns.target[at]] == PRODUCT]
    return columns.source[at].astype(np.int64), columns.target[at].astype(np.int64)


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
        return np.choose(self.side, [values[self.product] for values in (depths.through, depths.below, depths.above)])


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
    returns = returns + _home(graph)

    affiliated = _affiliated(graph, own)
    turns = np.maximum(np.bitwise_count(affiliated).astype(np.float64) - 1, 0)
    mask = widest(own | reach.through | affiliated, entity, standing.of(reach))
    best = changes.through.copy()
    # a manager of another sector than its product is one more change, and so is the first or last step of a chain
    step = (code[entity] >= 0) & (code[product] >= 0) & (code[entity] != code[product])
    np.maximum.at(best, entity, standing.of(changes) + step)
    back = returns.copy()
    firm, managed = handled_pairs(graph, "manages", "distributes")
    np.maximum.at(back, firm, returns[managed])
    return mask, best + np.where(graph.kinds == PRODUCT, 0.0, turns), back


def along_chains(graph: EntityGraph) -> tuple[Depths, Depths, np.ndarray]:
    """Per conduit: sectors on its chains, most sector changes on one, sectors money comes back to; cached."""
    return graph.cached(("nesting", "along chains"), lambda: _along_chains(graph))


def _along_chains(graph: EntityGraph) -> tuple[Depths, Depths, np.ndarray]:
    given, pairs = chains(graph), funding_pairs(graph)
    source, target, conduit = pairs.source, pairs.target, pairs.conduit
    own, code = sector_masks(graph), sector_codes(graph)

    def step(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return ((code[a] >= 0) & (code[b] >= 0) & (code[a] != code[b])).astype(np.float64)

    n, count, label = own.size, given.count, given.label
    bit = np.where(code >= 0, np.int64(1) << np.maximum(code, 0), 0)
    into, out = conduit[target] & ~conduit[source], conduit[source] & ~conduit[target]
    mine = given.per_component(np.where(conduit, bit, 0), np.bitwise_or, 0)
    above, below = mine.copy(), mine.copy()
    np.bitwise_or.at(above, label[target[into]], bit[source[into]])
    np.bitwise_or.at(below, label[source[out]], bit[target[out]])
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
    at = np.flatnonzero(label >= 0)
    place = label[at]
    middle = np.where(bit[at] > 0, np.bitwise_count(between[place] & ~bit[at]), 0)
    circle = given.cyclic[place] & (np.bitwise_count(mine[place]) > 1)
    ends = ((after[place] | before[place]) & bit[at]) != 0
    reach = np.zeros((3, n), dtype=np.int64)
    reach[:, at] = above[place] | below[place], above[place], below[place]
    changes, returns = np.zeros((3, n)), np.zeros(n)
    changes[:, at] = (up + turning + down)[place], (up + turning)[place], (turning + down)[place]
    returns[at] = middle + (ends | (circle & (bit[at] != 0)))
    return Depths(*reach), Depths(*changes), returns


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
    forest = Chains(len(graph), source, target, np.ones(len(graph), dtype=bool))
    below = forest.union(forest.per_component(own, np.bitwise_or, 0), down=True)[forest.label]
    result = below.copy()
    holder, company, units = stakes(graph)
    held = (units >= TIED) & (graph.kinds[holder] != PRODUCT)
    np.bitwise_or.at(result, holder[held], own[company[held]])
    columns = graph.columns
    both = columns.of("cooperates", "raises_on", "subcontracts")
    source, target = columns.source[both].astype(np.int64), columns.target[both].astype(np.int64)
    return widest(result, np.r_[source, target], own[np.r_[target, source]])


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
    columns = graph.columns
    at = columns.of("raises_on")
    borrower, platform = columns.source[at], columns.target[at]
    result[platform[(label[borrower] >= 0) & (label[borrower] == label[platform])]] = 1.0
    return result
