"""How kinds look in every picture and page: colour, dash and width of relations; shape, fill and name of entities.

No two relation kinds share dash and width, so that they are told apart in grey print too.
"""

from __future__ import annotations

from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["ENTITY_NAMES", "FILLS", "LINES", "OTHER_LINE", "SHAPES", "Line", "risk_rgb"]


class Line(NamedTuple):
    """A line: its colour, its dash (on, off, … in points; empty is solid) and its width in points."""

    color: str
    dash: tuple[float, ...] = ()
    width: float = 1.2

    @property
    def style(self) -> str | tuple[int, tuple[float, ...]]:
        """The dash as matplotlib takes it, which counts in line widths."""
        return (0, tuple(part / self.width for part in self.dash)) if self.dash else "-"


#: relation kind -> line: ownership blue, control violet, posts green, money brown, credit red, sales teal, else grey
LINES = MappingProxyType(
    {
        "owns": Line("#1f4e79"),
        "controls": Line("#6a1b9a", (), 2.6),
        "concert": Line("#6a1b9a", (9, 2, 2, 2, 2, 2)),
        "officer": Line("#2e7d32", (5, 2.5)),
        "kin": Line("#4e5d6c", (2, 2, 2, 5)),
        "same_as": Line("#4e5d6c", (1, 3)),
        "branch_of": Line("#1f4e79", (11, 3)),
        "invests": Line("#a65e00", (), 1.9),
        "manages": Line("#a65e00", (7, 2, 1.5, 2)),
        "distributes": Line("#00695c", (7, 2, 1.5, 2, 1.5, 2)),
        "custodies": Line("#00695c", (3, 1.5)),
        "guarantees": Line("#b71c1c", (9, 2.5, 2, 2.5)),
        "lends": Line("#b71c1c", (2, 1.5)),
        "pays": Line("#a65e00", (1, 1.2)),
        "raises_on": Line("#a65e00", (4, 2, 1, 2)),
        "packaged_from": Line("#a65e00", (12, 2, 1, 2)),
        "subcontracts": Line("#4e5d6c", (5, 1.5, 1, 1.5)),
        "channels": Line("#00695c", (4, 1.5, 4, 4)),
        "cooperates": Line("#4e5d6c", (3.5, 3.5)),
        "operates": Line("#2e7d32", (2, 4)),
        "publishes": Line("#00695c", (1, 2)),
        "promotes": Line("#00695c", (6, 2, 3, 2)),
        "endorses": Line("#00695c", (4, 5)),
        "member_of": Line("#1f4e79", (14, 4)),
        "located_at": Line("#4e5d6c", (1, 5)),
    }
)
OTHER_LINE = Line("#757575", (6, 6))

#: entity kind -> corners of its shape around (0, 0), y upwards; without corners it is a circle
SHAPES: MappingProxyType[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        "company": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "person": (),
        "product": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
        "account": ((-1.2, -0.6), (1.2, -0.6), (1.2, 0.6), (-1.2, 0.6)),
        "website": ((-1.1, -0.85), (1.1, -0.85), (0, 1.15)),
        "advertisement": ((-1.1, 0.85), (1.1, 0.85), (0, -1.15)),
        "trust": ((-0.95, -0.9), (0.95, -0.9), (0.95, 0.25), (0, 1.2), (-0.95, 0.25)),
        "state": ((-1.1, 0), (-0.55, -0.95), (0.55, -0.95), (1.1, 0), (0.55, 0.95), (-0.55, 0.95)),
        "address": ((-0.75, 0.95), (0.75, 0.95), (0.75, 0), (0, -1.2), (-0.75, 0)),
        "unknown": ((-0.4, -1.05), (0.4, -1.05), (1.05, -0.4), (1.05, 0.4), (0.4, 1.05), (-0.4, 1.05), (-1.05, 0.4),
                    (-1.05, -0.4)),
    }
)  # fmt: skip

#: entity kind -> fill of its box in charts
FILLS = MappingProxyType(
    {
        "company": "#e3eefa",
        "person": "#fdf1de",
        "product": "#f1e6f7",
        "trust": "#f1e6f7",
        "account": "#e2f2ef",
        "state": "#e6f3e7",
    }
)

#: entity kind -> English and Chinese name
ENTITY_NAMES = MappingProxyType(
    {
        "company": ("company", "企业"),
        "person": ("person", "自然人"),
        "product": ("product", "产品"),
        "account": ("account", "账户"),
        "website": ("website", "网站"),
        "advertisement": ("advertisement", "广告"),
        "trust": ("trust", "信托"),
        "state": ("state body", "政府机构"),
        "address": ("address", "地址"),
        "unknown": ("unknown", "未知"),
    }
)

_SCALE = ((0.0, (255, 245, 240)), (0.35, (252, 165, 135)), (0.7, (214, 49, 41)), (1.0, (115, 4, 16)))


def risk_rgb(risk: float) -> tuple[int, int, int]:
    """Colour of a risk in [0, 1], near white to dark red; the lightness falls with the risk, so grey keeps the order.

    >>> risk_rgb(0.0), risk_rgb(1.0)
    ((255, 245, 240), (115, 4, 16))
    """
    risk = min(1.0, max(0.0, risk))
    for (low, start), (high, stop) in pairwise(_SCALE):
        if risk <= high:
            part = (risk - low) / (high - low)
            red, green, blue = (round(a + part * (b - a)) for a, b in zip(start, stop, strict=True))
            return red, green, blue
    return _SCALE[-1][1]
