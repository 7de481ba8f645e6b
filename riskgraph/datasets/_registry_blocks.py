"""Relations of a generated registry while they are drawn: one block of arrays a kind, joined at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from riskgraph.datasets._draw import NO_DAY, Array, days_to_dates
from riskgraph.schema import RELATION_KINDS, ROLES

__all__ = ["Blocks"]

_COLUMNS: dict[str, tuple[type, float]] = {
    "share_min": (np.float64, np.nan),
    "share_max": (np.float64, np.nan),
    "amount": (np.float64, np.nan),
    "role": (np.int8, -1),
    "confidence": (np.float64, np.nan),
    "start": (np.int32, NO_DAY),
    "end": (np.int32, NO_DAY),
    "known_from": (np.int32, NO_DAY),
}
_ROLE_NAMES = np.array([*ROLES, None], dtype=object)
_KIND_NAMES = np.array(RELATION_KINDS, dtype=object)


@dataclass
class Blocks:
    """Blocks of relations by entity number, in the order they were drawn."""

    sources: list[Array] = field(default_factory=list)
    targets: list[Array] = field(default_factory=list)
    kinds: list[Array] = field(default_factory=list)
    columns: dict[str, list[Array]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})

    def add(self, kind: str, source: Array, target: Array, **columns: Array) -> None:
        """Add relations of one kind; columns not given stay open."""
        self.sources.append(source.astype(np.int32))
        self.targets.append(target.astype(np.int32))
        self.kinds.append(np.full(source.size, RELATION_KINDS.index(kind), dtype=np.int8))
        for name, (dtype, missing) in _COLUMNS.items():
            given = columns.get(name)
            self.columns[name].append(
                np.full(source.size, missing, dtype=dtype) if given is None else np.asarray(given).astype(dtype)
            )

    def frame(self, ids: Array) -> pd.DataFrame:
        """Return the table ``relations``, given the id of every entity number. The blocks are used up."""
        data: dict[str, Array] = {
            "source": ids[np.concatenate(self.sources)],
            "target": ids[np.concatenate(self.targets)],
            "kind": _KIND_NAMES[np.concatenate(self.kinds)],
        }
        for used in (self.sources, self.targets, self.kinds):
            used.clear()
        for name in _COLUMNS:
            values = np.concatenate(self.columns.pop(name))
            if name == "role":
                values = _ROLE_NAMES[values]
            elif name in ("start", "end", "known_from"):
                values = days_to_dates(values)
            data[name] = values
        # texts stay Python objects that the rows share, and no column is copied
        return pd.DataFrame(
            {
                name: pd.Series(values, dtype=object, copy=False) if values.dtype == object else values
                for name, values in data.items()
            },
            copy=False,
        )
