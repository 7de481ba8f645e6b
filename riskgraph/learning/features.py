"""Features of entities for scikit-learn: entity ids in, numbers out, as known on a day."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from riskgraph.errors import InvalidParameter, LeakageError
from riskgraph.graph import EntityGraph
from riskgraph.learning._families import (
    change,
    control,
    group,
    nesting,
    officer,
    ownership,
    registry,
    risk,
    screening,
)
from riskgraph.learning._families._chinese import in_chinese
from riskgraph.learning._families._view import Spec, View
from riskgraph.learning._known import as_day, known_graph
from riskgraph.learning._rows import Rows, read_rows
from riskgraph.schema import FACT_TYPES

__all__ = ["FAMILIES", "GraphFeatures"]

#: family → the module that computes it, in the order of the columns
_MODULES: dict[str, Any] = {
    "ownership": ownership,
    "control": control,
    "group": group,
    "officer": officer,
    "risk": risk,
    "nesting": nesting,
    "screening": screening,
    "registry": registry,
    "change": change,
}
#: names of the families of features
FAMILIES: tuple[str, ...] = tuple(_MODULES)
#: up to so many entities, views and what was computed on them are kept on the graph
KEPT = 200_000


class GraphFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Features of entities as known on a day: a scikit-learn transformer from entity ids to numbers.

    Every feature is computed on what was known by its day: rows of the tables that became known later (for rows
    without ``known_from``: that begin later) have no effect whatsoever, and neither have ends that lie ahead.
    Columns of the entities table carry no dates and count as always known, save ``status`` and ``end``.

    Parameters
    ----------
    graph
        The graph; clones share it.
    at
        The day of the features. None takes the column ``time`` of ``X`` where it has one, so that each row is as of
        its own day; else the day the graph stands at.
    catalogue
        Rules for the family ``screening``: a :class:`~riskgraph.supervision.Catalogue`, or the name of one.
    families
        Which of :data:`FAMILIES`; None for all (``screening`` only with a catalogue).

    Attributes
    ----------
    facts_
        Names of the facts with numbers or yes and no that were known on the days of :meth:`fit`.
    first_, last_
        First and last day of the rows of :meth:`fit`, None where nothing is dated.
    n_features_in_
        Columns of ``X``.

    Raises
    ------
    LeakageError
        In :meth:`fit` and :meth:`transform`: a row's ``time`` lies before ``at``; the graph shows a day with the
        knowledge of a later one; or rows are transformed that lie before all rows of :meth:`fit`.
    InvalidParameter
        A parameter or the form of ``X`` breaks its rule.
    UnknownEntity
        ``X`` names an entity that the graph does not hold.

    Notes
    -----
    ``X`` is a list, an array or a Series of ids, a table of one column of ids, or a table of two: ``entity`` and
    ``time``. The frame has the index of ``X`` where that is a frame or a Series, else the ids. Missing values mean
    unknown. About the entity itself a feature may say what is on record (its own seed case makes ``risk_cascade`` 1):
    leave those already under a case out of training, as :func:`riskgraph.learning.backtest` does.

    Examples
    --------
    >>> import riskgraph as rg
    >>> features = rg.learning.GraphFeatures(rg.datasets.toy_banned_platform(), families=["risk"])
    >>> features.fit_transform(["Rita", "Bakery"])["risk_seeds_hop1"].to_dict()
    {'Rita': 1.0, 'Bakery': 0.0}
    """

    facts_: tuple[str, ...]
    first_: pd.Timestamp | None
    last_: pd.Timestamp | None
    n_features_in_: int

    def __init__(self, graph: EntityGraph, *, at: Any = None, catalogue: Any = None, families: Any = None) -> None:
        self.graph = graph
        self.at = at
        self.catalogue = catalogue
        self.families = families

    # -- scikit-learn ------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn which facts are known on the days of the rows.

        Parameters
        ----------
        X
            Entity ids, see above.
        y
            Not used.
        """
        self.families_used()
        rows = self._rows(X)
        days = [day for day in np.unique(rows.days) if not np.isnat(day)]
        self.first_ = pd.Timestamp(days[0]) if days else None
        self.last_ = pd.Timestamp(days[-1]) if days else None
        self.n_features_in_ = rows.width
        if rows.names is not None:
            self.feature_names_in_ = np.array(rows.names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        view = self._view(np.datetime64("NaT", "D") if not days else days[-1])
        self.facts_ = _fact_names(view) if "registry" in self.families_used() else ()
        return self

    def transform(self, X: Any) -> pd.DataFrame:
        """Features of the rows, one column each of :meth:`get_feature_names_out`.

        Parameters
        ----------
        X
            Entity ids, see above.
        """
        check_is_fitted(self, "facts_")
        rows = self._rows(X)
        if rows.width != self.n_features_in_:
            raise InvalidParameter(
                f"X has {rows.width} features, but {type(self).__name__} is expecting {self.n_features_in_} features "
                "as input"
            )
        self._check_after(rows)
        # column by column, so that a large table is held once
        values = np.empty((rows.codes.size, len(self.get_feature_names_out())), order="F")
        for day in np.unique(rows.days):
            here = np.flatnonzero(np.isnat(rows.days) if np.isnat(day) else rows.days == day)
            self._fill(values, here, day, rows.codes[here])
        index = rows.labels if rows.labels is not None else pd.Index(self.graph.ids[rows.codes], name="entity")
        return pd.DataFrame(values, columns=list(self.get_feature_names_out()), index=index)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the features: the family, then what it says."""
        check_is_fitted(self, "facts_")
        if input_features is not None and len(np.atleast_1d(input_features)) != self.n_features_in_:
            raise ValueError("input_features should have length equal to number of features")
        return np.array([name for name, _, _ in self._listed()], dtype=object)

    def describe(self, *, lang: str = "en") -> pd.DataFrame:
        """What each feature is: ``feature, family, unit, definition, as_of``.

        ``as_of`` is the day of the features; NaT where each row has its own. ``lang`` is the language of the
        definitions, ``"en"`` or ``"zh"``.

        Examples
        --------
        >>> import riskgraph as rg
        >>> features = rg.learning.GraphFeatures(rg.datasets.toy_dated(), at="2016-06-30", families=["control"])
        >>> features.fit(["Mine"]).describe().loc[0, ["feature", "unit", "as_of"]].tolist()
        ['control_controllers', 'count', Timestamp('2016-06-30 00:00:00')]
        """
        check_is_fitted(self, "facts_")
        if lang not in ("en", "zh"):
            raise InvalidParameter(f"'lang' must be 'en' or 'zh'; got {lang!r}")
        rows = [
            (name, family, feature.unit, feature.definition if lang == "en" else in_chinese(name))
            for name, family, feature in self._listed()
        ]
        frame = pd.DataFrame(rows, columns=["feature", "family", "unit", "definition"])
        day = self.first_ if self.first_ is not None and self.first_ == self.last_ else pd.NaT
        frame["as_of"] = pd.Series([day] * len(frame), dtype="datetime64[s]")
        return frame

    def __sklearn_clone__(self) -> GraphFeatures:
        """Give an unfitted copy that shares the graph and the catalogue."""
        twin = type(self)(**self.get_params(deep=False))
        for name in ("_metadata_request", "_sklearn_output_config"):
            if hasattr(self, name):
                setattr(twin, name, deepcopy(getattr(self, name)))
        return twin

    def __sklearn_tags__(self) -> Any:
        """Say that ids are text."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    # -- the parts ---------------------------------------------------------------------------------------------------

    def families_used(self) -> tuple[str, ...]:
        """Families that are computed, in the order of the columns."""
        if not isinstance(self.graph, EntityGraph):
            raise InvalidParameter(f"'graph' must be an EntityGraph; got {type(self.graph).__name__}")
        if self.families is None:
            return tuple(name for name in FAMILIES if name != "screening" or self.catalogue is not None)
        wanted = [self.families] if isinstance(self.families, str) else list(self.families)
        odd = [name for name in wanted if name not in FAMILIES]
        if odd or not wanted:
            raise InvalidParameter(
                f"'families' must name some of {', '.join(FAMILIES)}; got {odd[0] if odd else self.families!r}"
            )
        if "screening" in wanted and self.catalogue is None:
            raise InvalidParameter("'families' may hold 'screening' only with a 'catalogue'; got catalogue=None")
        return tuple(name for name in FAMILIES if name in wanted)

    def present(self, day: np.datetime64 | None, *, under_case: bool = True) -> np.ndarray:
        """Mask of the entities that had begun and not ended on a day, with those under a seed case or without."""
        view = self._view(np.datetime64("NaT", "D") if day is None else day)
        return view.alive if under_case else np.asarray(view.alive & (view.seeds == 0))

    def _spec(self) -> Spec:
        catalogue = self.catalogue
        if isinstance(catalogue, str):
            from riskgraph.supervision import Catalogue

            name = catalogue
            catalogue = self.graph.cached(("learning", "catalogue", name), lambda: Catalogue.load(name))
        return Spec(catalogue, getattr(self, "facts_", ()))

    def _listed(self) -> list[tuple[str, str, Any]]:
        spec = self._spec()
        return [
            (f"{family}_{feature.name}", family, feature)
            for family in self.families_used()
            for feature in _MODULES[family].features(spec)
        ]

    def _rows(self, X: Any) -> Rows:
        rows = read_rows(X, self.graph)
        graph = self.graph
        if self.at is not None:
            day = as_day("at", self.at)
            early = ~np.isnat(rows.days) & (rows.days < day)
            if early.any():
                row = int(np.argmax(early))
                raise LeakageError(
                    f"row {row} ({graph.ids[rows.codes[row]]!r}) is dated {rows.days[row]}, before the day of its "
                    f"features, {day}: they would use what was not yet known; leave 'at' out to date each row by itself"
                )
            return rows._replace(days=np.full(rows.codes.size, day))
        if rows.dated:
            return rows
        valid, known = graph.valid_on, graph.known_by
        if valid is not None and known is not None and known > valid:
            raise LeakageError(
                f"the graph shows {valid.date()} as known on {known.date()}: features of {valid.date()} may only use "
                f"what was known by then; take graph.at('{valid.date()}', known='{valid.date()}'), or say 'at'"
            )
        day = np.datetime64("NaT", "D") if valid is None else np.datetime64(valid.date(), "D")
        return rows._replace(days=np.full(rows.codes.size, day))

    def _check_after(self, rows: Rows) -> None:
        given = rows.days[~np.isnat(rows.days)]
        if self.first_ is None or not given.size or given.min() >= np.datetime64(self.first_.date(), "D"):
            return
        raise LeakageError(
            f"X has rows dated {given.min()}, before all rows of fit (from {self.first_.date()} on): what was learnt "
            "later must not judge what came earlier; fit on the past"
        )

    def _view(self, day: np.datetime64) -> View:
        graph = self.graph
        if np.isnat(day):
            return View(graph)
        if len(graph) > KEPT:
            return View(known_graph(graph, day))
        key = ("learning", "view", str(day))
        view: View = graph.cached(key, lambda: View(known_graph(graph, day)))
        return view

    def _fill(self, values: np.ndarray, here: np.ndarray, day: np.datetime64, codes: np.ndarray) -> None:
        """Write the features of a day into the rows that stand at it."""
        view, spec = self._view(day), self._spec()
        begin = 0
        for family in self.families_used():
            module = _MODULES[family]
            names = [feature.name for feature in module.features(spec)]

            def build(module: Any = module, names: list[str] = names) -> tuple[np.ndarray, Any]:
                values = module.compute(view, spec)
                # the catalogue is kept beside, so that its address in the key stays its own
                return np.column_stack([values[name] for name in names]), spec.catalogue

            if view.n > KEPT:
                found = module.compute(view, spec)
                for place, name in enumerate(names, start=begin):
                    values[here, place] = found.pop(name)[codes]
            else:
                key = ("learning", family, id(spec.catalogue), spec.facts)
                values[here, begin : begin + len(names)] = view.graph.cached(key, build)[0][codes]
            begin += len(names)


def _fact_names(view: View) -> tuple[str, ...]:
    """Facts that hold numbers or yes and no: those of the vocabulary by their type, others by their values."""
    facts = view.begun("facts")
    found = []
    for name, values in facts.groupby("fact")["value"]:
        kind = FACT_TYPES.get(str(name))
        if kind is None:
            given = values[values != "unknown"]
            numbers = pd.to_numeric(given, errors="coerce")
            kind = "number" if len(given) and numbers.notna().all() else "text"
        if kind in ("number", "boolean"):
            found.append(str(name))
    return tuple(sorted(found))
