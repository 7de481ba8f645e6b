"""Scores before and after a change: what a relation or a seed does to everyone else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from riskgraph.risk.base import Propagation

__all__ = ["what_if"]


def what_if(
    model: Propagation,
    *,
    remove: Iterable[str] | None = None,
    add: pd.DataFrame | None = None,
    entities: pd.DataFrame | None = None,
    seeds: Any = None,
) -> pd.DataFrame:
    """Refit a fitted propagation on a changed graph and compare.

    Parameters
    ----------
    remove, add, entities
        Ids of relations to take away, relations and entities to add: see
        :meth:`riskgraph.EntityGraph.with_changes`.
    seeds
        Other seeds, in any form that ``fit`` takes; None keeps those of the model.

    Returns
    -------
    ``entity, before, after, change``: the entities whose score changes, the largest change first; an entity that was
    not there before had no risk.

    Examples
    --------
    >>> import riskgraph as rg
    >>> model = rg.propagate(rg.datasets.toy_namesakes())
    >>> what_if(model, remove=["r1"])
        entity  before  after  change
    0  LiuWei2    0.40    0.0   -0.40
    1   Bakery    0.12    0.0   -0.12
    """
    model._fitted()
    graph = model.graph_
    if remove is not None or add is not None or entities is not None:
        graph = graph.with_changes(add=add, remove=remove, entities=entities)
    other = clone(model).fit(graph, model.fitted_seeds() if seeds is None else seeds)
    after = other.scores_
    before = model.scores_.reindex(after.index, fill_value=0.0)
    change = after - before
    moved = np.flatnonzero(np.abs(change.to_numpy()) > 1e-15)
    moved = moved[np.argsort(-np.abs(change.to_numpy()[moved]), kind="stable")]
    return pd.DataFrame(
        {
            "entity": after.index.to_numpy()[moved],
            "before": before.to_numpy()[moved],
            "after": after.to_numpy()[moved],
            "change": change.to_numpy()[moved],
        }
    )
