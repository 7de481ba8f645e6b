"""What is to be trained: a name, a classifier, a pipeline that begins with features, or a propagation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from riskgraph.errors import InvalidParameter, LeakageError
from riskgraph.graph import EntityGraph
from riskgraph.learning._known import as_day
from riskgraph.learning.baselines import BASELINES, Calibrated, baseline
from riskgraph.learning.features import GraphFeatures
from riskgraph.learning.labels import future_cases
from riskgraph.risk import Propagation

__all__ = ["Recipe", "fit_classifier", "log_odds", "read_recipe", "training_table"]

#: log-odds are cut here, so that sure ones stay finite
MOST = 36.0


class Recipe(NamedTuple):
    """A classifier with the features it wants, or a propagation that needs none."""

    classifier: Any
    propagation: Propagation | None
    families: tuple[str, ...] | None
    catalogue: Any
    at: np.datetime64 | None

    def features(self, graph: EntityGraph) -> GraphFeatures:
        """The features of a graph that the classifier wants."""
        families = None if self.families is None else list(self.families)
        return GraphFeatures(graph, families=families, catalogue=self.catalogue)

    def check_day(self, day: np.datetime64) -> None:
        """Raise LeakageError where the features are fixed to a day after ``day``."""
        if self.at is not None and self.at > day:
            raise LeakageError(
                f"the features are as of {self.at}, after the cutoff {day}: they would use what was not yet known; "
                "leave 'at' of GraphFeatures out"
            )


def read_recipe(estimator: Any, *, families: Any = None, catalogue: Any = None) -> Recipe:
    """Recipe of an estimator.

    Raises
    ------
    InvalidParameter
        It is neither a name of a baseline, nor a classifier, nor such a pipeline, nor a propagation; or features are
        asked for twice.
    """
    if isinstance(estimator, str):
        if estimator not in BASELINES:
            raise InvalidParameter(
                f"'estimator' must be a classifier, a propagation or one of {', '.join(BASELINES)}; got {estimator!r}"
            )
        estimator = baseline(estimator)
    if isinstance(estimator, Propagation):
        return Recipe(None, estimator, None, None, None)
    at = None
    if isinstance(estimator, Pipeline) and estimator.steps and isinstance(estimator.steps[0][1], GraphFeatures):
        if families is not None or catalogue is not None:
            raise InvalidParameter(
                "'families' and 'catalogue' stand in the pipeline's GraphFeatures; say them there only"
            )
        first = estimator.steps[0][1]
        families, catalogue = first.families, first.catalogue
        at = None if first.at is None else as_day("at", first.at)
        rest = estimator.steps[1:]
        if not rest:
            raise InvalidParameter("'estimator' must end with a classifier; got a pipeline of GraphFeatures alone")
        estimator = rest[0][1] if len(rest) == 1 else Pipeline(rest)
    if not hasattr(estimator, "fit") or not (
        hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function")
    ):
        raise InvalidParameter(
            f"'estimator' must be a classifier, a propagation or one of {', '.join(BASELINES)}; "
            f"got {type(estimator).__name__}"
        )
    if isinstance(families, str):
        families = [families]
    return Recipe(estimator, None, None if families is None else tuple(families), catalogue, at)


def training_table(
    graph: EntityGraph, days: list[np.datetime64], *, horizon: Any, kinds: Any, known: Any
) -> pd.DataFrame:
    """Rows to learn from: ``entity, time, label``, one block a day; cases known later than ``known`` are left out."""
    parts = [
        future_cases(graph, day, horizon=horizon, kinds=kinds, known=known)[["entity", "label"]].assign(
            time=pd.Timestamp(day)
        )
        for day in days
    ]
    return pd.concat(parts, ignore_index=True)[["entity", "time", "label"]]


def fit_classifier(classifier: Any, X: pd.DataFrame, y: np.ndarray, groups: np.ndarray) -> Any:
    """Fitted copy; one that calibrates itself is told the groups."""
    model = clone(classifier)
    if isinstance(model, Calibrated):
        return model.fit(X, y, groups=groups)
    return model.fit(X, y)


def log_odds(model: Any, X: pd.DataFrame) -> np.ndarray:
    """Log-odds of label 1 by a fitted classifier."""
    if hasattr(model, "decision_function"):
        return np.clip(np.asarray(model.decision_function(X), dtype=np.float64), -MOST, MOST)
    chance = np.asarray(model.predict_proba(X), dtype=np.float64)[:, 1]
    with np.errstate(divide="ignore"):
        return np.clip(np.log(chance) - np.log1p(-chance), -MOST, MOST)


def to_probability(model: Any, X: pd.DataFrame) -> np.ndarray:
    """Probability of label 1 by a fitted classifier."""
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(X), dtype=np.float64)[:, 1]
    return np.asarray(0.5 * (1 + np.tanh(log_odds(model, X) / 2)))
