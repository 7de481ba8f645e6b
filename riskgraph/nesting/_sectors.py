"""Sectors of entities as bit masks: declared, licensed, and for products those of their managers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph._texts import Directory
from riskgraph.nesting._flows import PRODUCT
from riskgraph.schema import SECTORS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["OTHER", "licence_masks", "mask_names", "sector_codes", "sector_masks"]

#: the sector "other" says that a firm is in no sector of finance: it never counts as one
OTHER = SECTORS.index("other")


def sector_codes(graph: EntityGraph) -> np.ndarray:
    """Main sector of each entity as an index into the sectors, int8, -1 where unknown or none of finance.

    What is declared; else the licence, if there is but one; for a product else the sector of its manager.
    """

    def build() -> np.ndarray:
        codes = _declared(graph)
        licensed = licence_masks(graph)
        single = (codes < 0) & (licensed > 0) & ((licensed & (licensed - 1)) == 0)
        codes[single] = np.log2(licensed[single]).astype(np.int8)
        managed = graph.columns.only(graph.columns.of("manages"))
        manager, product = managed.source, managed.target
        take = (graph.kinds[product] == PRODUCT) & (codes[product] < 0) & (codes[manager] >= 0)
        # of several managers the first on record
        codes[product[take][::-1]] = codes[manager[take][::-1]]
        codes[codes == OTHER] = -1
        return codes

    return graph.cached(("nesting", "sector"), build)


def _declared(graph: EntityGraph) -> np.ndarray:
    sectors = graph.entity_column("sector")
    if sectors is None:
        return np.full(len(graph), -1, dtype=np.int8)
    return Directory.of(SECTORS, like=sectors).codes(sectors).astype(np.int8)


def licence_masks(graph: EntityGraph) -> np.ndarray:
    """Bit mask of the sectors each entity holds a licence for on the graph's day, int32."""

    def build() -> np.ndarray:
        masks = np.zeros(len(graph), dtype=np.int32)
        licences = graph.licences
        if len(licences):
            codes = pd.Index(SECTORS).get_indexer(pd.Index(licences["sector"], dtype=object))
            good = codes >= 0
            np.bitwise_or.at(masks, graph.codes(licences["entity"])[good], np.int32(1) << codes[good].astype(np.int32))
        return masks

    return graph.cached(("nesting", "licences"), build)


def sector_masks(graph: EntityGraph) -> np.ndarray:
    """Bit mask of the sectors of each entity, int32: its main sector and those it is licensed for, never "other"."""

    def build() -> np.ndarray:
        codes = sector_codes(graph)
        masks = licence_masks(graph).copy()
        some = np.flatnonzero(codes >= 0)
        masks[some] |= np.int32(1) << codes[some].astype(np.int32)
        return masks & ~np.int32(1 << OTHER)

    return graph.cached(("nesting", "sectors"), build)


def mask_names(masks: np.ndarray) -> np.ndarray:
    """Tuples of sector codes for bit masks, one object a distinct mask."""
    inverse, distinct = pd.factorize(masks)
    names = np.empty(distinct.size, dtype=object)
    for spot, mask in enumerate(distinct.tolist()):
        names[spot] = tuple(name for bit, name in enumerate(SECTORS) if mask >> bit & 1)
    return names[inverse]
