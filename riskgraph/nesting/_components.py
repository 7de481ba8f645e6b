"""The raw components of nesting, each one array over all entities: no search entity by entity."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph._solver import WalkSolver
from riskgraph._sparse import coalesce, compact, ring_labels, runs
from riskgraph.nesting._chains import Chains, layer_counts, layer_depths
from riskgraph.nesting._crossings import handled_pairs, sectors_met, stands, widest
from riskgraph.nesting._flows import PRODUCT, filled_in, funding_pairs
from riskgraph.nesting._groups import groups, majority_ties
from riskgraph.nesting._sectors import licence_masks, sector_masks
from riskgraph.nesting.circuits import GUARANTEES, LOOPING, booked
from riskgraph.nesting.investors import INVESTING, _unwrapped
from riskgraph.schema import SECTORS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["COMPONENTS", "components", "lead_masks"]

COMPONENTS = (
    "layers", "sectors", "crossings", "returns", "opacity", "circularity", "unlicensed_share", "investors", "leads",
    "licences",
)  # fmt: skip


def components(graph: EntityGraph, rows: np.ndarray, catalogue: Any = None) -> dict[str, np.ndarray]:
    """Components of some entities, and after them of all control groups; and the bits of the sectors they meet.

    A group has its members' sectors together, those of the widest chain added, and the greatest of all the rest. Each
    component is let go of, but for the rows, before the next one is found.
    """
    found = groups(graph)
    inside = np.flatnonzero(found.label >= 0)
    label = found.label[inside]

    def greatest(values: np.ndarray) -> np.ndarray:
        best = np.zeros(found.size.size)
        np.maximum.at(best, label, values[inside])
        return np.concatenate([values[rows], best])

    mask, crossings, returns = sectors_met(graph)
    result = {"crossings": greatest(crossings), "returns": greatest(returns)}
    del crossings, returns
    of_groups = np.zeros(found.size.size, dtype=mask.dtype)
    np.bitwise_or.at(of_groups, label, sector_masks(graph)[inside])
    mask = np.concatenate([mask[rows], widest(of_groups, label, mask[inside])])
    result["sector_mask"] = mask
    result["sectors"] = np.bitwise_count(mask).astype(np.float64)
    result["leads"] = _leads(mask, lead_masks(catalogue))
    result["layers"] = greatest(_layers(graph))
    result["opacity"] = greatest(_opacity(graph))
    result["circularity"] = greatest(circularity(graph))
    result["unlicensed_share"] = greatest(_unlicensed(graph))
    result["investors"] = greatest(_investors(graph))
    licences, by_group = _stacked_licences(graph)
    result["licences"] = np.concatenate([licences[rows], by_group])
    return result


def _leads(mask: np.ndarray, leads: list[int]) -> np.ndarray:
    """Number of agencies that lead the sectors of a mask; few masks differ."""
    place, distinct = pd.factorize(mask)
    agencies = np.zeros(distinct.size, dtype=np.int64)
    for bit, agency in enumerate(leads):
        agencies[(distinct >> bit & 1) == 1] |= agency
    return np.bitwise_count(agencies).astype(np.float64)[place]


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


# -- products and their managers -------------------------------------------------------------------------------------


def _layers(graph: EntityGraph) -> np.ndarray:
    """Layers of the longest chain of funding or of subcontracts that an entity stands on."""
    result = np.maximum(layer_counts(graph), _subcontract_layers(graph))
    standing = stands(graph)
    np.maximum.at(result, standing.entity, standing.of(layer_depths(graph)))
    return result


def _investors(graph: EntityGraph) -> np.ndarray:
    """Investors of a product, or of the product with most of them that an entity manages."""
    result = investor_counts(graph).astype(np.float64)
    manager, managed = handled_pairs(graph, "manages")
    np.maximum.at(result, manager, result[managed])
    return result


def _weighted(firm: np.ndarray, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean of the values of each firm's products, by their money; plain where no money is on record."""
    w = np.nan_to_num(weight)
    w = np.where(np.bincount(firm, weights=w)[firm] > 0, w, 1.0)
    return np.bincount(firm, weights=w * values) / np.bincount(firm, weights=w)


# -- money -----------------------------------------------------------------------------------------------------------


def _opacity(graph: EntityGraph) -> np.ndarray:
    """Part of the money of a conduit, or of the products that an entity manages, that cannot be traced."""
    result = np.zeros(len(graph))
    codes, lost, money = _untraced(graph)
    result[codes] = lost
    manager, managed = handled_pairs(graph, "manages")
    place = np.searchsorted(codes, managed)
    firms, manager = compact(len(graph), manager)
    mean = _weighted(manager, lost[place], money[place])
    plain = graph.kinds[firms] != PRODUCT
    firms, mean = firms[plain], mean[plain]
    result[firms] = np.maximum(result[firms], mean)
    return result


def _untraced(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes with all conduits among them, sorted; of each the part of the money untraced, and the money.

    What cannot be traced to its source or to its use, the greater; 0 for what is no conduit.
    """
    pairs = funding_pairs(graph)
    codes, source, target, _ = compact(len(graph), pairs.source, pairs.target, np.flatnonzero(pairs.conduit))
    given = filled_in(pairs._replace(source=source, target=target, conduit=pairs.conduit[codes]))
    n = given.n
    at = given.conduit & (given.total > 0)
    source, target, part = given.source, given.target, given.part
    if not at.any():
        return codes, given.conduit.astype(np.float64), np.full(n, np.nan)
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
    return codes, result, np.where(at, given.total, np.nan)


def circularity(graph: EntityGraph) -> np.ndarray:
    """Part of the money or of the guarantees an entity received that comes from a loop it lies on, the greater.

    A guarantee brings no money in, so it is measured among guarantees only.
    """
    result = np.zeros(len(graph))
    looping = graph.columns.only(graph.columns.of(*LOOPING))
    inside = _on_loops(len(graph), looping.source, looping.target)
    ringed = np.zeros(len(graph), dtype=bool)
    ringed[looping.target[inside]] = True
    received = np.flatnonzero(ringed[looping.target] & (looping.source != looping.target))
    looping, inside = looping.only(received), inside[received]
    order = np.lexsort((looping.target, looping.source))
    codes, target = compact(len(graph), looping.target[order])
    inside, amount, guarantee = inside[order], booked(graph, looping)[order], looping.kind[order] == GUARANTEES
    result[codes] = np.maximum(*(
        _from_inside(codes.size, target[rows], inside[rows], amount[rows]) for rows in (guarantee, ~guarantee)
    ))  # fmt: skip
    return result


def _on_loops(n: int, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mask of the relations that lie on a loop; what leads to itself does not."""
    _, label = ring_labels(n, source, target)
    return (label[source] >= 0) & (label[source] == label[target]) & (source != target)


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
    investing = graph.columns.only(graph.columns.of(*INVESTING))
    product = graph.kinds == PRODUCT
    into = np.flatnonzero(product[investing.target] & (investing.source != investing.target))
    source, target = investing.source[into].astype(np.int64), investing.target[into].astype(np.int64)
    funded = np.zeros(n, dtype=bool)
    funded[target] = True
    unwrap = _unwrapped(graph) & funded
    inner = unwrap[source]
    given = Chains(n, source[inner], target[inner], product)
    label = given.label
    # pairs of component and investor, grown from the first layers to the last; they are numbered beyond 32 bits
    keys = np.unique(label[target[~inner]] * np.int64(n) + source[~inner])
    near, far, _, _, edges = given._up
    near, far = near.astype(np.int64), far.astype(np.int64)
    begin = np.searchsorted(keys, np.arange(given.count + 1) * n)
    grown: dict[int, np.ndarray] = {}
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        _grow(keys, begin, grown, near[start:stop], far[start:stop], n)
    size = np.diff(begin).astype(np.int64)
    for component, members in grown.items():
        size[component] = members.size
    result = np.zeros(n, dtype=np.int64)
    result[given.codes] = size[label[given.codes]]
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
    firm, product = handled_pairs(graph, "manages", "distributes")
    return firm, product, licence_masks(graph)[firm] > 0


def _unlicensed(graph: EntityGraph) -> np.ndarray:
    """Part of those who manage or sell a product that hold no licence, and of a firm's own acts without one.

    Payment work passed on is an act of both firms, without licence when either has none: the licensed head of such a
    chain answers for it. 0 everywhere when the graph knows of no licence at all: then nothing can be said.
    """
    result = np.zeros(len(graph))
    masks = licence_masks(graph)
    if not masks.any():
        return result
    firm, product, licensed = acts(graph)
    passed_on = graph.columns.only(graph.columns.of("subcontracts"))
    principal, contractor = passed_on.source, passed_on.target
    passed = (masks[principal] == 0) | (masks[contractor] == 0)
    codes, place = compact(len(graph), np.concatenate([product, firm, principal, contractor]))
    bare = np.concatenate([~licensed, ~licensed, passed, passed]).astype(np.float64)
    result[codes] = np.bincount(place, weights=bare) / np.bincount(place)
    return result


def _subcontract_layers(graph: EntityGraph) -> np.ndarray:
    """Steps of the longest chain of subcontracts through each firm; infinite on a circle of them."""
    passed_on = graph.columns.only(graph.columns.of("subcontracts"))
    if not len(passed_on):
        return np.zeros(len(graph))
    source, target = passed_on.source, passed_on.target
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
    holders = (found.label >= 0) & (masks > 0)
    officers = graph.columns.only(graph.columns.of("officer"))
    things = graph.columns.only(graph.columns.of("operates", "located_at"))
    led, using = np.flatnonzero(holders[officers.target]), np.flatnonzero(holders[things.source])
    firm = np.concatenate([officers.target[led], things.source[using]]).astype(np.int64)
    shared = np.concatenate([officers.source[led], things.target[using]])
    # what is shared inside one group, by firms of more than one licence
    key = found.label[firm] * np.int64(len(graph)) + shared
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
