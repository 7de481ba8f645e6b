"""Planted schemes at any size: many invented counties, each drawn anew, in a crowd of ordinary firms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from riskgraph.datasets.registry import make_registry
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph

__all__ = ["OwnershipSim"]

#: companies of one county without its shops
COUNTY = 618
#: columns of the five tables that hold ids of entities
_REFERENCES = {
    "entities": ("id",),
    "relations": ("source", "target"),
    "cases": ("entity",),
    "licences": ("entity",),
    "facts": ("entity",),
    "labels": ("entity",),
    "schemes": ("entity",),
}


class OwnershipSim:
    """Simulated registry with planted and labelled schemes of ownership, at any size.

    Counties such as :func:`riskgraph.datasets.load_county` are drawn one by one, each from its own seed, with fourteen
    typologies planted in each; the rest of the companies is the crowd of :func:`riskgraph.datasets.make_registry`. Some
    firms of the counties cooperate with firms of the crowd, so that schemes do not stand alone. Everything is invented.

    Parameters
    ----------
    n_companies
        About how many companies, at least one county of 618.
    planted
        Part of the companies that lie in counties, in (0, 1].
    ties
        Part of the counties' companies that are tied to the crowd, in [0, 1].
    random_state
        Seed: the same one gives the same tables.

    Attributes
    ----------
    n_counties
        How many counties there are.

    Raises
    ------
    InvalidParameter
        A parameter breaks its rule.

    Examples
    --------
    >>> sim = OwnershipSim(2_000, planted=0.6, random_state=1)
    >>> sim.n_counties
    2
    >>> sim.labels()["typology"].value_counts().head(2).to_dict()
    {'plain': 180, 'guarantee_ring': 30}
    """

    def __init__(
        self, n_companies: int = 5_000, *, planted: float = 0.5, ties: float = 0.1, random_state: int = 0
    ) -> None:
        if isinstance(n_companies, bool) or not isinstance(n_companies, (int, np.integer)) or n_companies < COUNTY:
            raise InvalidParameter(f"'n_companies' must be a whole number, {COUNTY} or more; got {n_companies!r}")
        if not 0 < planted <= 1:
            raise InvalidParameter(f"'planted' must be in (0, 1]; got {planted!r}")
        if not 0 <= ties <= 1:
            raise InvalidParameter(f"'ties' must be in [0, 1]; got {ties!r}")
        self.n_companies = int(n_companies)
        self.planted = planted
        self.ties = ties
        self.random_state = random_state
        self.n_counties = max(1, round(self.n_companies * planted / COUNTY))
        self._made: dict[str, pd.DataFrame] | None = None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the five tables, and ``labels`` and ``schemes`` with a column ``county``."""
        if self._made is None:
            self._made = self._make()
        return {name: frame.copy(deep=False) for name, frame in self._made.items()}

    def graph(self) -> EntityGraph:
        """Return the graph."""
        tables = self.tables()
        return EntityGraph.from_tables(**{name: tables[name] for name in list(_REFERENCES)[:5]})

    def labels(self) -> pd.DataFrame:
        """Return ``entity, typology, county``: which firm shows which scheme, ``plain`` for clean ones.

        Firms of the crowd are not labelled: nobody looked.
        """
        return self.tables()["labels"]

    def _make(self) -> dict[str, pd.DataFrame]:
        from riskgraph.datasets.county import make_county

        rng = np.random.default_rng(self.random_state)
        seeds = rng.choice(2**31 - 1, self.n_counties, replace=False)
        parts: dict[str, list[pd.DataFrame]] = {name: [] for name in _REFERENCES}
        for number, seed in enumerate(seeds.tolist(), start=1):
            name = f"K{number:0{len(str(self.n_counties))}d}"
            for table, frame in make_county(shops=0, random_state=seed).items():
                frame = frame.copy()
                for column in (*_REFERENCES[table], *(["id"] if table != "entities" and "id" in frame else [])):
                    frame[column] = name + "-" + frame[column].astype(str)
                if table in ("labels", "schemes"):
                    frame["county"] = name
                parts[table].append(frame)
        crowd = self.n_companies - COUNTY * self.n_counties
        if crowd >= 1:
            frames = make_registry(
                crowd, random_state=int(rng.integers(2**31 - 1)), products=0.01 if crowd >= 4_000 else 0, as_tables=True
            )
            frames["relations"] = pd.concat(
                [frames["relations"], self._ties(rng, parts["entities"], frames["entities"])]
            )
            for table, frame in frames.items():
                if table != "entities":
                    frame = frame.assign(id=[f"w{table[0]}{row}" for row in range(len(frame))])
                parts[table].append(_dates_as_text(frame))
        return {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}

    def _ties(self, rng: np.random.Generator, counties: Iterable[pd.DataFrame], crowd: pd.DataFrame) -> pd.DataFrame:
        """Cooperation of county firms with firms of the crowd, from the younger one's first day."""
        local = pd.concat(list(counties))
        local = local[local["kind"] == "company"]
        other = crowd[(crowd["kind"] == "company") & crowd["end"].isna()]
        count = min(round(self.ties * len(local)), len(other))
        source = local.iloc[rng.choice(len(local), count, replace=False)]
        target = other.iloc[rng.choice(len(other), count, replace=False)]
        start = np.maximum(
            pd.to_datetime(source["start"]).fillna(pd.Timestamp("2010-01-01")).to_numpy(),
            target["start"].to_numpy(),
        )
        # not a holding: shares of the crowd's firms sum to 1 already
        data: dict[str, Any] = {
            "source": source["id"].to_numpy(),
            "target": target["id"].to_numpy(),
            "kind": "cooperates",
            "start": start,
            "known_from": start,
        }
        return pd.DataFrame(data)


def _dates_as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Counties write days as ISO texts: the crowd does too, so that columns are of one kind."""
    frame = frame.copy()
    for column in ("start", "end", "known_from"):
        if column in frame:
            days = pd.to_datetime(frame[column])
            frame[column] = days.dt.strftime("%Y-%m-%d").astype(object).where(days.notna(), None)
    return frame
