"""Splits for related firms in time: groups of firms that belong together, and folds that keep them and time apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import BaseCrossValidator

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph

__all__ = ["GroupTimeSplit", "entity_groups", "group_labels"]


def group_labels(graph: EntityGraph) -> np.ndarray:
    """Number of the control group of every entity, int64; who belongs to none is a group of one."""

    def build() -> np.ndarray:
        from riskgraph.ownership import business_groups

        frame = business_groups(graph)
        label = np.full(len(graph), -1, dtype=np.int64)
        codes, names = pd.factorize(frame["group"])
        label[graph.ids.get_indexer(pd.Index(frame["entity"], dtype=object))] = codes
        alone = np.flatnonzero(label < 0)
        label[alone] = len(names) + np.arange(alone.size)
        return label

    return graph.cached(("learning", "groups"), build)


def entity_groups(graph: EntityGraph, *, by: str = "control", largest: float = 0.1) -> pd.Series:
    """Which entities belong together and must not stand on both sides of a split.

    Parameters
    ----------
    graph
        The graph on the day it stands at.
    by
        ``"control"``: business groups, firms under one controller. ``"component"``: everything joined by any chain of
        relations. Real registries have one giant component of most firms, which no split could cut; therefore
        components with more than the part ``largest`` of all entities fall apart into their business groups.
    largest
        In (0, 1].

    Returns
    -------
    Series
        Id of the group's first member, on the entity ids; who belongs to no group is one of its own.

    Raises
    ------
    InvalidParameter
        ``by`` or ``largest`` breaks its rule.

    Examples
    --------
    >>> import riskgraph as rg
    >>> entity_groups(rg.datasets.toy_chain()).to_dict()
    {'Ann': 'Ann', 'Holding': 'Ann', 'Mine': 'Mine'}
    """
    if by not in ("control", "component"):
        raise InvalidParameter(f"'by' must be 'control' or 'component'; got {by!r}")
    if not 0 < largest <= 1:
        raise InvalidParameter(f"'largest' must be in (0, 1]; got {largest!r}")
    n = len(graph)
    label = group_labels(graph)
    if by == "component":
        columns = graph.columns
        links = csr_array((np.ones(len(columns), dtype=np.int8), (columns.source, columns.target)), shape=(n, n))
        _, component = connected_components(links, directed=False)
        giant = np.bincount(component, minlength=1)[component] > largest * n
        label = np.where(giant, label + n, component)
    _, first, place = np.unique(label, return_index=True, return_inverse=True)
    ids = graph.ids.to_numpy()
    return pd.Series(ids[first[place]], index=graph.ids, name="group", dtype=object)


class GroupTimeSplit(BaseCrossValidator):  # type: ignore[misc]
    """Folds for related firms in time: train on the past, test on what follows, no group on both sides.

    The distinct dates are cut into ``n_splits + 1`` stretches of about as many rows each. Fold ``k`` tests the rows of
    stretch ``k + 1`` and trains on the rows of all stretches before it, without the rows of groups that are tested.
    Where that leaves nothing to train on, every other of these groups is trained on and not tested instead.

    Parameters
    ----------
    times
        One date a row of ``X``, or one number that grows with time. A Series is matched by its index where ``X`` is a
        frame or a Series whose index it holds, so that the splitter also serves parts of ``X``; else by position.
    n_splits
        Number of folds, at least 1.
    gap
        Rows of training that are less than this before the first day of the test are left out too, e.g. ``"180D"``
        where a label is only known half a year later.

    Raises
    ------
    InvalidParameter
        In :meth:`split`: a rule is broken, or a fold has nothing to train on.

    Examples
    --------
    >>> times = ["2015-01-31", "2015-02-28", "2015-03-31", "2015-04-30"]
    >>> folds = GroupTimeSplit(times, n_splits=3).split(list("ABAC"), groups=["a", "b", "a", "c"])
    >>> [(train.tolist(), test.tolist()) for train, test in folds]
    [([0], [1]), ([1], [2]), ([0, 1, 2], [3])]
    """

    # groups are passed on to split where scikit-learn routes metadata
    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def __init__(self, times: Any, n_splits: int = 5, *, gap: Any = None) -> None:
        self.times = times
        self.n_splits = n_splits
        self.gap = gap

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        if isinstance(self.n_splits, bool) or not isinstance(self.n_splits, (int, np.integer)) or self.n_splits < 1:
            raise InvalidParameter(f"'n_splits' must be a whole number, 1 or more; got {self.n_splits!r}")
        return int(self.n_splits)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Positions of the rows to train on and of those to test on, fold by fold.

        Parameters
        ----------
        X
            Rows; only their number, and their index where they have one, matter.
        y
            Not used.
        groups
            Group of each row, such as :func:`entity_groups` gives; a row without one stands alone.
        """
        folds = self.get_n_splits()
        if groups is None:
            raise InvalidParameter(
                "'groups' must be given, one a row: riskgraph.learning.entity_groups(graph) makes them"
            )
        days, group = self._days(X), self._groups(groups, len(X))
        dates, place = np.unique(days, return_inverse=True)
        if dates.size <= folds:
            raise InvalidParameter(
                f"'n_splits' must be below the number of distinct times, {dates.size}; got {self.n_splits!r}"
            )
        stretch = _stretches(np.bincount(place), folds + 1)[place]
        found = []
        for fold in range(1, folds + 1):
            test = stretch == fold
            train = stretch < fold
            if self.gap is not None:
                train &= days <= days[test].min() - _gap(self.gap, days)
            train, test = _part(train, test, group)
            if test.any():
                # where the test gave up its first days to keep groups whole, what precedes it may be learnt from
                train = (days < days[test].min()) & ~np.isin(group, group[test])
                if self.gap is not None:
                    train &= days <= days[test].min() - _gap(self.gap, days)
            if not train.any():
                raise InvalidParameter(
                    f"fold {fold} of {folds} has nothing to train on: every earlier row is of a group that is tested"
                    + (f" or lies within 'gap' {self.gap!r}" if self.gap is not None else "")
                    + "; take fewer 'n_splits' or smaller groups"
                )
            found.append((np.flatnonzero(train), np.flatnonzero(test)))
        yield from found

    def _days(self, X: Any) -> np.ndarray:
        times = self.times
        index = getattr(X, "index", None)
        if isinstance(times, pd.Series) and isinstance(index, pd.Index) and times.index.is_unique:
            places = times.index.get_indexer(index)
            if (places >= 0).all():
                times = times.iloc[places]
        plain = np.asarray(times)
        if plain.dtype.kind in "iuf" and plain.ndim == 1 and plain.size == len(X) and not np.isnan(plain).any():
            return plain.astype(np.float64)
        days = pd.to_datetime(pd.Series(plain), errors="coerce").to_numpy().astype("datetime64[s]")
        if days.size != len(X):
            raise InvalidParameter(f"'times' must hold one date a row of X, {len(X)}; got {days.size}")
        if np.isnat(days).any():
            row = int(np.argmax(np.isnat(days)))
            raise InvalidParameter(
                f"'times' must hold dates only; got {np.asarray(times, dtype=object)[row]!r} in row {row}"
            )
        return np.asarray(days)

    def _groups(self, groups: Any, rows: int) -> np.ndarray:
        values = pd.Series(np.asarray(groups, dtype=object))
        if len(values) != rows:
            raise InvalidParameter(f"'groups' must hold one group a row of X, {rows}; got {len(values)}")
        codes, names = pd.factorize(values)
        alone = np.flatnonzero(codes < 0)
        codes = codes.astype(np.int64)
        codes[alone] = len(names) + np.arange(alone.size)
        return codes


def _part(train: np.ndarray, test: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep groups on one side: that of the test, or, where this leaves nothing to train on, half of them on either."""
    alone = train & ~np.isin(group, group[test])
    if alone.any() or not train.any():
        return alone, test
    both = np.unique(group[train])
    if both.size == 1 and np.unique(group[test]).size == 1:
        return alone, test
    learnt = both[::2] if both.size > 1 else both
    return train & np.isin(group, learnt), test & ~np.isin(group, learnt)


def _gap(gap: Any, days: np.ndarray) -> Any:
    if days.dtype.kind == "f":
        if isinstance(gap, bool) or not isinstance(gap, (int, float, np.integer, np.floating)) or not gap >= 0:
            raise InvalidParameter(f"'gap' must be a number, 0 or more, as 'times' are numbers; got {gap!r}")
        return gap
    try:
        found = pd.Timedelta(gap)
    except (ValueError, TypeError) as error:
        raise InvalidParameter(f"'gap' must be a length of time such as '180D'; got {gap!r}") from error
    if pd.isna(found) or found < pd.Timedelta(0):
        raise InvalidParameter(f"'gap' must be a length of time such as '180D', 0 or more; got {gap!r}")
    return found.to_timedelta64().astype("timedelta64[s]")


def _stretches(counts: np.ndarray, parts: int) -> np.ndarray:
    """Stretch of each date, so that stretches hold about as many rows each and at least one date.

    Examples
    --------
    >>> _stretches(np.array([1, 1, 1, 1, 4]), 2)
    array([0, 0, 0, 0, 1])
    """
    total = np.cumsum(counts)
    wanted = np.searchsorted(total, total[-1] * np.arange(1, parts) / parts - 1e-9) + 1
    n = counts.size
    cuts: list[int] = []
    for number, cut in enumerate(wanted.tolist(), start=1):
        least = (cuts[-1] if cuts else 0) + 1
        cuts.append(min(max(cut, least), n - (parts - number)))
    return np.searchsorted(np.array(cuts), np.arange(n), side="right")
