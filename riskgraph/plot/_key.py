"""The key under a chart: line samples, shapes and the scale of risk, in rows that fit the width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from riskgraph._looks import ENTITY_NAMES, LINES, OTHER_LINE
from riskgraph.plot._canvas import Sheet, marker, risk_color
from riskgraph.plot._fonts import extent
from riskgraph.schema import RELATION_NAMES

__all__ = ["Entry", "draw_key", "key_rows", "kinds_key"]

_SIZE, _ROW, _SAMPLE, _GAP = 8.0, 0.2, 0.42, 0.25


class Entry(NamedTuple):
    """One sign and what it means; ``sign`` is ``line``, ``shape`` or ``risk``, ``kind`` the kind it stands for."""

    sign: str
    kind: str
    text: str


def kinds_key(relations: Sequence[str], entities: Sequence[str], lang: str, *, risk: bool) -> list[Entry]:
    """Entries of the kinds that are on a chart."""
    zh = lang == "zh"
    entries = [Entry("line", kind, RELATION_NAMES[kind][zh]) for kind in relations]
    entries += [Entry("shape", kind, ENTITY_NAMES[kind][zh]) for kind in entities]
    return [*entries, Entry("risk", "", "风险0至1" if zh else "risk 0 to 1")] if risk else entries


def _width(entry: Entry) -> float:
    sample = {"shape": 0.16, "risk": 0.6}.get(entry.sign, _SAMPLE)
    return sample + 0.07 + extent(entry.text, _SIZE)[0]


def key_rows(entries: Sequence[Entry], width: float) -> list[list[Entry]]:
    """Entries in rows no wider than ``width`` inches, where one entry alone fits."""
    rows: list[list[Entry]] = []
    used = np.inf
    for entry in entries:
        wide = _width(entry)
        if used + _GAP + wide > width:
            rows.append([])
            used = -_GAP
        rows[-1].append(entry)
        used += _GAP + wide
    return rows


def draw_key(page: Sheet, rows: Sequence[Sequence[Entry]], left: float, top: float) -> None:
    """Draw the rows with their upper left corner at a place on the sheet; each takes 0.2 inches."""
    for number, row in enumerate(rows):
        x, y = left, top - _ROW * (number + 0.5)
        for entry in row:
            if entry.sign == "line":
                line = LINES.get(entry.kind, OTHER_LINE)
                width = page.line(line.width)
                page.ax.plot([x, x + _SAMPLE], [y, y], color=line.color, linestyle=line.style, linewidth=width)
            elif entry.sign == "shape":
                look = {
                    "marker": marker(entry.kind),
                    "ms": 6.5 * page.scale,
                    "mfc": "white",
                    "mec": "#1b1f24",
                    "mew": 0.8,
                }
                page.ax.plot(x + 0.07, y, **look)
            else:
                for step in range(5):
                    page.ax.fill_between(
                        [x + 0.12 * step, x + 0.12 * (step + 1)], y - 0.055, y + 0.055, color=risk_color(step / 4), lw=0
                    )
            wide = _width(entry)
            text = wide - extent(entry.text, _SIZE)[0]
            page.write(x + text, y, entry.text, size=_SIZE, ha="left", va="center", color="#1b1f24")
            x += wide + _GAP
