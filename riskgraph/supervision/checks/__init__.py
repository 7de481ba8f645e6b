"""What each rule looks for, one kind of rule a file."""

from riskgraph.supervision.checks import (
    adverts,
    conduct,
    cooperation,
    exchange,
    holders,
    investors,
    licences,
    money,
    people,
    products,
    related,
    words,
    yields,
)

__all__ = [
    "adverts",
    "conduct",
    "cooperation",
    "exchange",
    "holders",
    "investors",
    "licences",
    "money",
    "people",
    "products",
    "related",
    "words",
    "yields",
]
