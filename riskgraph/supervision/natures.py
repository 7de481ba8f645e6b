"""What a business is in substance: by its texts, its products, and where the money ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from riskgraph.schema import SECTOR_TEXTS
from riskgraph.supervision._view import View
from riskgraph.supervision.sectors import product_sector

__all__ = ["Act", "business", "level_name", "nature_name", "nature_of_sector", "nature_of_text", "sector_name"]


class Act(NamedTuple):
    """One line of business: its nature and sector, the amount (None unknown), the relations that show it."""

    nature: str
    sector: str
    amount: float | None
    positions: tuple[int, ...]


def nature_of_text(seen: View, text: str) -> str:
    """Nature whose longest word stands in a text; '' when none does."""
    best, length = "", 0
    for name, entry in seen.catalogue.section("natures").items():
        for word in entry.get("words", ()):
            if word in text and len(word) > length:
                best, length = str(name), len(word)
    return best


def nature_of_sector(seen: View, sector: str) -> str:
    """Nature of a sector code; '' when the catalogue gives none."""
    for name, entry in seen.catalogue.section("natures").items():
        if sector in entry.get("sectors", ()):
            return str(name)
    return ""


def nature_name(seen: View, nature: str, say: Callable[[str, str], str]) -> str:
    """Name of a nature or sector."""
    entry = seen.catalogue.section("natures").get(nature)
    return sector_name(seen, nature, say) if entry is None else say(entry["zh"], entry["en"])


def sector_name(seen: View, sector: str, say: Callable[[str, str], str]) -> str:
    """Name of a sector in Chinese, its code in English."""
    entry = seen.catalogue.sectors.get(sector)
    return say(entry["zh"] if entry else SECTOR_TEXTS.get(sector, ("", sector))[1], sector)


def level_name(level: str, say: Callable[[str, str], str]) -> str:
    """Name of low, medium or high."""
    return say({"low": "低", "medium": "中", "high": "高"}.get(level, level), level)


def product_nature(seen: View, product: int) -> str:
    """Nature of a product: by its type or name, else by its sector."""
    for text, _ in seen.texts("product_type").get(product, []):
        found = nature_of_text(seen, text)
        if found:
            return found
    return nature_of_sector(seen, product_sector(seen, product)) or nature_of_text(seen, str(seen.names[product]))


def _sum(values: list[float]) -> float | None:
    return None if not values or any(np.isnan(value) for value in values) else float(sum(values))


def business(seen: View, firm: int) -> list[Act]:
    """Lines of business of a firm: products managed, with what was invested in them, products sold, loans made."""
    acts = []
    for position in seen.out("manages", firm):
        product = int(seen.cols.target[position])
        paid = seen.into("invests", product)
        amount = _sum([float(seen.cols.amount[step]) for step in paid])
        if amount is None and not np.isnan(seen.cols.amount[position]):
            amount = float(seen.cols.amount[position])
        acts.append(Act(product_nature(seen, product), product_sector(seen, product), amount, (position, *paid)))
    managed = {int(seen.cols.target[position]) for position in seen.out("manages", firm)}
    for position in seen.out("distributes", firm):
        product = int(seen.cols.target[position])
        if product not in managed and not np.isnan(seen.cols.amount[position]):
            amount = float(seen.cols.amount[position])
            acts.append(Act(product_nature(seen, product), product_sector(seen, product), amount, (position,)))
    loans = seen.out("lends", firm)
    if loans:
        acts.append(Act("lending", "", _sum([float(seen.cols.amount[step]) for step in loans]), tuple(loans)))
    return acts
