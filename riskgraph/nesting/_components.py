"""The raw components of nesting, each one array over all entities: no search entity by entity."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from riskgraph._sparse import WalkSolver, coalesce, runs
from riskgraph.nesting._chains import Chains, chains, layer_counts
from riskgraph.nesting._flows import PRODUCT, flows, funding_pairs
from riskgraph.nesting._groups import groups, majority_ties, stakes
from riskgraph.nesting._sectors import licence_masks, sector_codes, sector_masks
from riskgraph.nesting.circuits import booked, ties
from riskgraph.nesting.investors import _unwrapped
from riskgraph.schema import SECTORS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["COMPONENTS", "along_chains", "lead_masks", "raw_components", "widest"]

COMPONENTS = (
    "layers", "sectors", "crossings", "returns", "opacity", "circularity", "unlicensed_share", "investors", "leads",
    "licences",
)  # fmt: skip

#: least direct stake that ties a holder to a firm's sector, in exact units
TIED = 2 * 10**14


def raw_components(graph: EntityGraph, catalogue: Any = None) -> dict[str, np.ndarray]:
    """Components of every entity, and ``sector_mask``: the sectors it meets as bits."""
    n = len(graph)
    product = graph.kinds == PRODUCT
    touching = _touching(graph)
    mask, crossings, returns = _sectors(graph, touching)
    layers = np.maximum(layer_counts(graph), _subcontract_layers(graph))
    opacity, money = _opacity(graph)
    investors = investor_counts(graph).astype(np.float64)
    actor, handled, licensed = acts(graph)
    manager, managed = _pairs(graph, "manages")
    result = {
        "layers": _most(layers, *touching),
        "crossings": crossings,
        "returns": returns,
        "opacity": np.where(product, opacity, np.maximum(opacity, _weighted(n, manager, managed, opacity, money))),
        "circularity": circularity(graph),
        "unlicensed_share": _unlicensed(graph, actor, handled, licensed),
        "investors": _most(investors, manager, managed),
        "licences": _stacked_licences(graph)[0],
    }
    result["sectors"] = np.bitwise_count(mask).astype(np.float64)
    leads = lead_masks(catalogue)
    agencies = np.zeros(n, dtype=np.int64)
    for bit, agency in enumerate(leads):
        agencies[(mask >> bit & 1) == 1] |= agency
    result["leads"] = np.bitwise_count(agencies).astype(np.float64)
    result["sector_mask"] = mask
    return result


def lead_masks(catalogue: Any) -> list[int]:
    """Agencies that lead each sector, as bits; without a catalogue every sector is led by one of its own."""
    if catalogue is None:
        return [1 << bit for bit in range(len(SECTORS))]
    agencies: dict[str, int] = {}
    masks = []
    for sector in SECTORS:
        led = catalogue.lead(sector)
        names = [led] if isinstance(led, str) else list(led)
        masks.append(0)
        for name in names:
            masks[-1] |= 1 << agencies.setdefault(name, len(agencies))
    return masks


# -- who has to do with which products -------------------------------------------------------------------------------


def _pairs(graph: EntityGraph, *kinds: str) -> tuple[np.ndarray, np.ndarray]:
    """Firm and product of relations of these kinds."""
    columns = graph.columns
    at = columns.of(*kinds)
    at = at[graph.kinds[columns.target[at]] == PRODUCT]
    return columns.source[at].astype(np.int64), columns.target[at].astype(np.int64)


def _touching(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray]:
    """Entity and product, one row a tie: it manages or sells it, funds it, or is funded by it."""
    firm, product = _pairs(graph, "manages", "distributes")
    pairs = funding_pairs(graph)
    is_product = graph.kinds == PRODUCT
    into = ~is_product[pairs.source] & is_product[pairs.target]
    out = is_product[pairs.source] & ~is_product[pairs.target]
    return (
        np.r_[firm, pairs.source[into], pairs.target[out]],
        np.r_[product, pairs.target[into], pairs.source[out]],
    )


def _most(values: np.ndarray, entity: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Greatest value among an entity's own and those of its products."""
    result = values.copy()
    np.maximum.at(result, entity, values[product])
    return result


def _weighted(n: int, firm: np.ndarray, product: np.ndarray, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean of the values of a firm's products, by their money; plain where no money is on record."""
    w = np.nan_to_num(weight[product])
    sums = np.bincount(firm, weights=w, minlength=n)
    w = np.where(sums[firm] > 0, w, 1.0)
    sums = np.bincount(firm, weights=w, minlength=n)
    tops = np.bincount(firm, weights=w * values[product], minlength=n)
    return np.divide(tops, sums, out=np.zeros(n), where=sums > 0)


# -- sectors ---------------------------------------------------------------------------------------------------------


def _sectors(graph: EntityGraph, touching: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sectors met as bits, sector changes, and returns to a sector or group left before."""
    own = sector_masks(graph)
    code = sector_codes(graph)
    entity, product = touching
    reach, crossings, returns = along_chains(graph)
    returns = returns + _home(graph)

    affiliated = _affiliated(graph, own)
    turns = np.maximum(np.bitwise_count(affiliated).astype(np.float64) - 1, 0)
    mask = widest(own | reach | affiliated, entity, reach[product])
    best = crossings.copy()
    step = ((code[entity] >= 0) & (code[product] >= 0) & (code[entity] != code[product])).astype(np.float64)
    # a manager of another sector than its product is one more change, a funder or asset is counted on the chain
    firm, managed = _pairs(graph, "manages", "distributes")
    beside = np.zeros(entity.size)
    beside[: firm.size] = step[: firm.size]
    np.maximum.at(best, entity, crossings[product] + beside)
    back = returns.copy()
    np.maximum.at(back, firm, returns[managed])
    return mask, best + np.where(graph.kinds == PRODUCT, 0.0, turns), back


def along_chains(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per conduit: sectors on chains through it, most sector changes on one, sectors money comes back to; cached."""
    return graph.cached(("nesting", "along chains"), lambda: _along_chains(graph))


def _along_chains(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    reach, changes, returns = np.zeros(n, dtype=np.int64), np.zeros(n), np.zeros(n)
    reach[at] = above[place] | below[place]
    changes[at] = up[place] + turning[place] + down[place]
    returns[at] = middle + (ends | (circle & (bit[at] != 0)))
    return reach, changes, returns


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
    firm, product = _pairs(graph, "manages")
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


# -- money -----------------------------------------------------------------------------------------------------------


def _opacity(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray]:
    """Part of each conduit's money that cannot be traced to its source or to its use, the greater; and its money."""
    given = flows(graph)
    n = given.n
    at = given.conduit & (given.total > 0)
    source, target, part = given.source, given.target, given.part
    if not at.any():
        return given.conduit.astype(np.float64), np.full(n, np.nan)
    inner = (source < n) & (target < n)
    inner[inner] = at[source[inner]] & at[target[inner]]
    inner &= ~np.isnan(part)
    money = np.nan_to_num(given.amount)
    lost = np.bincount(source[target == n], weights=money[target == n], minlength=n + 1)[:n]
    found = np.bincount(target[source == n], weights=money[source == n], minlength=n + 1)[:n]
    total = np.where(at, given.total, 1.0)
    D = coalesce(n, target[inner], source[inner], part[inner])
    S = coalesce(n, source[inner], target[inner], money[inner] / total[target[inner]])
    use = WalkSolver(D).solve_transposed(np.where(at, lost / total, 0.0))
    origin = WalkSolver(S).solve_transposed(np.where(at, found / total, 0.0))
    dark = given.conduit & ~at
    result = np.where(dark, 1.0, np.where(given.conduit, np.clip(np.maximum(use, origin), 0.0, 1.0), 0.0))
    result[result < 1e-12] = 0.0
    return result, np.where(at, given.total, np.nan)


def circularity(graph: EntityGraph) -> np.ndarray:
    """Part of the money or of the guarantees an entity received that comes from a loop it lies on, the greater.

    A guarantee brings no money in, so it is measured among guarantees only.
    """
    given = ties(graph)
    covers = np.zeros(len(graph.columns), dtype=bool)
    covers[graph.columns.of("guarantees")] = True
    pair = np.repeat(np.arange(given.source.size), np.diff(given.indptr))
    target = given.target[pair]
    inside = given.label[given.source[pair]] == given.label[target]
    amount, guarantee = booked(graph, given.positions), covers[given.positions]
    return np.maximum(*(
        _from_inside(len(graph), target[rows], inside[rows], amount[rows]) for rows in (guarantee, ~guarantee)
    ))  # fmt: skip


def _from_inside(n: int, target: np.ndarray, inside: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Part of what each entity received that comes from inside; by number of relations where an amount lacks."""
    weight = np.nan_to_num(amount)
    dark = np.bincount(target, weights=np.isnan(amount), minlength=n) > 0
    dark |= np.bincount(target, weights=weight, minlength=n) == 0
    weight = np.where(dark[target], 1.0, weight)
    sums = np.bincount(target, weights=weight, minlength=n)
    mine = np.bincount(target[inside], weights=weight[inside], minlength=n)
    return np.divide(mine, sums, out=np.zeros(n), where=sums > 0)


def investor_counts(graph: EntityGraph) -> np.ndarray:
    """Distinct ultimate investors of every product, all products in one sweep."""
    n = len(graph)
    columns = graph.columns
    at = columns.of("invests", "owns", "packaged_from")
    source, target = columns.source[at].astype(np.int64), columns.target[at].astype(np.int64)
    product = graph.kinds == PRODUCT
    into = product[target] & (source != target)
    source, target = source[into], target[into]
    funded = np.zeros(n, dtype=bool)
    funded[target] = True
    unwrap = _unwrapped(graph) & funded
    inner = unwrap[source]
    given = Chains(n, source[inner], target[inner], product)
    label = given.label
    # pairs of component and investor, grown from the first layers to the last
    keys = np.unique(label[target[~inner]] * n + source[~inner])
    near, far, _, _, edges = given._up
    begin = np.searchsorted(keys, np.arange(given.count + 1) * n)
    grown: dict[int, np.ndarray] = {}
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        _grow(keys, begin, grown, near[start:stop], far[start:stop], n)
    size = np.diff(begin).astype(np.int64)
    for component, members in grown.items():
        size[component] = members.size
    result = np.zeros(n, dtype=np.int64)
    codes = np.flatnonzero(label >= 0)
    result[codes] = size[label[codes]]
    # a registered product on a circle is an investor of those below it, not of itself
    for code in np.flatnonzero(product & funded & ~unwrap).tolist():
        component = int(label[code])
        members = grown.get(component, keys[begin[component] : begin[component + 1]] % n)
        result[code] -= int((members == code).any())
    return result


def _grow(
    keys: np.ndarray, begin: np.ndarray, grown: dict[int, np.ndarray], near: np.ndarray, far: np.ndarray, n: int
) -> None:
    """Give each component of one layer the investors of those above it; ``grown`` holds components that have some."""
    below = np.unique(near)
    links = np.unique(near * begin.size + far)
    near, far = links // begin.size, links % begin.size
    old = np.array([component in grown for component in far.tolist()], dtype=bool)
    spots, link = runs(begin[far[~old]], begin[far[~old] + 1] - begin[far[~old]])
    parts = [near[~old][link] * n + keys[spots] % n]
    own, place = runs(begin[below], begin[below + 1] - begin[below])
    parts.append(below[place] * n + keys[own] % n)
    parts += [a * n + grown[b] for a, b in zip(near[old].tolist(), far[old].tolist(), strict=True)]
    found = np.unique(np.concatenate(parts))
    edges = np.searchsorted(found, np.append(below, below[-1] + 1) * n).tolist()
    for component, (start, stop) in zip(below.tolist(), pairwise(edges), strict=True):
        grown[component] = found[start:stop] % n


# -- licences --------------------------------------------------------------------------------------------------------


def acts(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Firm, product, and whether the firm holds any licence in force; for ``manages`` and ``distributes``."""
    firm, product = _pairs(graph, "manages", "distributes")
    return firm, product, licence_masks(graph)[firm] > 0


def _unlicensed(graph: EntityGraph, firm: np.ndarray, product: np.ndarray, licensed: np.ndarray) -> np.ndarray:
    """Part of those who manage or sell a product that hold no licence, and of a firm's own acts without one.

    Payment work passed on is an act of both firms, without licence when either has none: the licensed head of such a
    chain answers for it. 0 everywhere when the graph knows of no licence at all: then nothing can be said.
    """
    n = len(graph)
    masks = licence_masks(graph)
    if not masks.any():
        return np.zeros(n)
    columns = graph.columns
    at = columns.of("subcontracts")
    principal, contractor = columns.source[at], columns.target[at]
    passed = (masks[principal] == 0) | (masks[contractor] == 0)
    object_ = np.r_[product, firm, principal, contractor]
    bare = np.r_[~licensed, ~licensed, passed, passed].astype(np.float64)
    count = np.bincount(object_, minlength=n)
    return np.divide(np.bincount(object_, weights=bare, minlength=n), count, out=np.zeros(n), where=count > 0)


def _subcontract_layers(graph: EntityGraph) -> np.ndarray:
    """Steps of the longest chain of subcontracts through each firm; infinite on a circle of them."""
    columns = graph.columns
    at = columns.of("subcontracts")
    if not at.size:
        return np.zeros(len(graph))
    source, target = columns.source[at].astype(np.int64), columns.target[at].astype(np.int64)
    firms = np.zeros(len(graph), dtype=bool)
    firms[source], firms[target] = True, True
    given = Chains(len(graph), source, target, firms)
    weight = np.where(given.cyclic, np.inf, 1.0)
    through = weight + given.longest(weight, down=True) + given.longest(weight, down=False) - 1
    result = np.zeros(len(graph))
    result[firms] = through[given.label[firms]]
    return result


def _stacked_licences(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray]:
    """Licensed sectors of a control group that share an officer, account or address; by entity, and by group."""
    found = groups(graph)
    masks = licence_masks(graph)
    count = found.size.size
    group_mask = np.zeros(count, dtype=np.int64)
    columns = graph.columns
    at = columns.of("officer", "operates", "located_at")
    source, target = columns.source[at].astype(np.int64), columns.target[at].astype(np.int64)
    officer = np.zeros(len(columns), dtype=bool)
    officer[columns.of("officer")] = True
    firm, shared = np.where(officer[at], target, source), np.where(officer[at], source, target)
    keep = (found.label[firm] >= 0) & (masks[firm] > 0)
    firm, shared = firm[keep], shared[keep]
    # what is shared inside one group, by firms of more than one licence
    key = found.label[firm] * len(graph) + shared
    pairs, inverse = np.unique(key, return_inverse=True)
    both = np.zeros(pairs.size, dtype=np.int64)
    np.bitwise_or.at(both, inverse, masks[firm])
    firms = (
        np.bincount(np.unique(inverse * len(graph) + firm) // len(graph), minlength=pairs.size) if pairs.size else pairs
    )
    breach = (np.bitwise_count(both) > 1) & (firms > 1)
    np.bitwise_or.at(group_mask, pairs[breach] // len(graph), both[breach])
    by_group = np.bitwise_count(group_mask).astype(np.float64)
    result = np.zeros(len(graph))
    inside = found.label >= 0
    result[inside] = by_group[found.label[inside]]
    # the firewall is the duty of the group and of those who lead it, not of each of its units
    leads = np.zeros(len(graph), dtype=bool)
    leads[majority_ties(graph)[0]] = True
    result[~leads] = 0.0
    return result, by_group
