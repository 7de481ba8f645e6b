"""A trained model that goes with any graph: what it learnt, from which features, until which day; and its scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from riskgraph._optional import progress
from riskgraph.errors import InvalidParameter, LeakageError
from riskgraph.graph import EntityGraph
from riskgraph.learning._known import as_day
from riskgraph.learning._recipe import fit_classifier, log_odds, read_recipe, to_probability, training_table
from riskgraph.learning.features import GraphFeatures
from riskgraph.learning.labels import horizon_days
from riskgraph.learning.metrics import why_undefined
from riskgraph.learning.split import entity_groups
from riskgraph.schema import ENTITY_KINDS

__all__ = ["RiskModel", "as_model", "matching_features", "score", "score_frame", "train"]

#: entities scored at a time
BATCH = 100_000


@dataclass(frozen=True, eq=False)
class RiskModel:
    """A fitted classifier with all that scoring another graph needs; made by :func:`train` or :func:`load_model`.

    Attributes
    ----------
    estimator
        The fitted classifier.
    feature_names
        Columns it was fitted on, in order.
    families, facts, catalogue
        What :class:`GraphFeatures` must compute: families, names of facts, name of the catalogue (None for none).
    kinds
        Kinds of entities it was trained on.
    horizon
        Days within which a case counted.
    trained_through
        Last day of which it knows anything; None where nothing was dated.
    reference
        Median of each feature in training, what :func:`explain_score` compares with.
    version
        Version of riskgraph that trained it.
    """

    estimator: Any
    feature_names: tuple[str, ...]
    families: tuple[str, ...]
    facts: tuple[str, ...]
    catalogue: str | None
    kinds: tuple[str, ...]
    horizon: int
    trained_through: pd.Timestamp | None
    reference: np.ndarray
    version: str

    def __repr__(self) -> str:
        """One line: what it is, from how many features, until when."""
        until = "undated" if self.trained_through is None else f"trained through {self.trained_through.date()}"
        return f"RiskModel: {type(self.estimator).__name__}, {len(self.feature_names)} features, {until}"


def train(
    graph: EntityGraph,
    estimator: Any = "boosting",
    *,
    cutoffs: Any,
    horizon: Any = "180D",
    families: Any = None,
    catalogue: str | None = None,
    kinds: Iterable[str] = ("company",),
) -> RiskModel:
    """Train a model on past cutoffs: features of each, labels from the horizon after it.

    Parameters
    ----------
    graph
        Everything known now.
    estimator
        As of :func:`backtest`, save a propagation, which needs no training.
    cutoffs
        Days to learn from, or one; the horizon after each must have passed on the newest day of the graph.
    horizon
        How long after a cutoff a case counts.
    families, catalogue
        Of :class:`GraphFeatures`; the catalogue by name.
    kinds
        Kinds of entities to learn from.

    Raises
    ------
    InvalidParameter
        A parameter breaks its rule, or there is nothing to learn from.
    LeakageError
        The features of a pipeline are fixed to a day after a cutoff.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> rg.learning.train(graph, "logistic", cutoffs=["2016-03-31"], families=["risk", "officer"])
    RiskModel: Calibrated, 33 features, trained through 2016-09-27
    """
    import riskgraph

    recipe = read_recipe(estimator, families=families, catalogue=catalogue)
    if recipe.propagation is not None:
        raise InvalidParameter("'estimator' must be a classifier: a propagation needs no training, fit it on the graph")
    if recipe.catalogue is not None and not isinstance(recipe.catalogue, str):
        raise InvalidParameter("'catalogue' must be a name, so that a saved model can say which rules it rests on")
    given = [cutoffs] if isinstance(cutoffs, str) or not isinstance(cutoffs, Iterable) else list(cutoffs)
    days = sorted({as_day("cutoffs", value) for value in given})
    length = horizon_days(horizon)
    if not days:
        raise InvalidParameter("'cutoffs' must hold at least one day; got none")
    until = days[-1] + length
    ends = [date for date in (graph.latest, graph.known_by) if date is not None]
    if ends and until > np.datetime64(min(ends).date(), "D"):
        raise InvalidParameter(
            f"'cutoffs' must be followed by a whole 'horizon': the labels of {days[-1]} are known on {until}, "
            f"the graph knows until {min(ends).date()}"
        )
    for day in days:
        recipe.check_day(day)
    wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    table = training_table(graph, days, horizon=length, kinds=wanted, known=until)
    why = why_undefined(table["label"])
    if why:
        raise InvalidParameter(f"nothing to learn from: {why} within the horizon after the 'cutoffs'")
    features = recipe.features(graph)
    X = features.fit_transform(table[["entity", "time"]])
    related = entity_groups(graph.at(until, known=until)).reindex(table["entity"]).to_numpy(dtype=object)
    return RiskModel(
        estimator=fit_classifier(recipe.classifier, X, table["label"].to_numpy(), related),
        feature_names=tuple(X.columns),
        families=features.families_used(),
        facts=features.facts_,
        catalogue=recipe.catalogue,
        kinds=wanted,
        horizon=int(length.astype(np.int64)),
        trained_through=pd.Timestamp(until),
        reference=X.median().to_numpy(dtype=np.float64),
        version=riskgraph.__version__,
    )


def as_model(model: Any) -> RiskModel:
    """A model to score with: one as it is, or a fitted pipeline that begins with :class:`GraphFeatures`.

    Of a pipeline it is only known which days its rows had, not how far ahead its labels looked.

    Raises
    ------
    InvalidParameter
        Neither, or the pipeline is not fitted.
    """
    import riskgraph

    if isinstance(model, RiskModel):
        return model
    if not isinstance(model, Pipeline) or not model.steps or not isinstance(model.steps[0][1], GraphFeatures):
        raise InvalidParameter(
            f"'model' must be a RiskModel or a pipeline that begins with GraphFeatures; got {type(model).__name__}"
        )
    first = model.steps[0][1]
    if not hasattr(first, "facts_"):
        raise InvalidParameter("'model' must be fitted; call fit first")
    if first.catalogue is not None and not isinstance(first.catalogue, str):
        raise InvalidParameter("'catalogue' must be a name, so that a saved model can say which rules it rests on")
    names = tuple(first.get_feature_names_out())
    rest = model.steps[1:]
    return RiskModel(
        estimator=rest[0][1] if len(rest) == 1 else Pipeline(rest),
        feature_names=names,
        families=first.families_used(),
        facts=first.facts_,
        catalogue=first.catalogue,
        kinds=("company",),
        horizon=0,
        trained_through=first.last_,
        reference=np.full(len(names), np.nan),
        version=riskgraph.__version__,
    )


def matching_features(
    model: RiskModel, graph: EntityGraph, at: Any = None
) -> tuple[GraphFeatures, np.datetime64 | None]:
    """Features of a graph that a model can read, and their day.

    Raises
    ------
    LeakageError
        The day lies before what the model was trained on.
    InvalidParameter
        The graph knows nothing of a fact the model reads, or this riskgraph computes other features.
    """
    day = as_day("at", at) if at is not None else None
    if day is None and graph.valid_on is not None:
        day = np.datetime64(graph.valid_on.date(), "D")
    through = model.trained_through
    if through is not None and day is not None and day < np.datetime64(through.date(), "D"):
        raise LeakageError(
            f"the model was trained on what happened until {through.date()}: scoring {day} would judge that day by its "
            "future; score a later day, or train on earlier cutoffs"
        )
    features = GraphFeatures(
        graph, at=day if at is not None else None, catalogue=model.catalogue, families=list(model.families)
    )
    features.fit([str(graph.ids[0])])
    absent = sorted(set(model.facts) - set(features.facts_))
    if absent:
        raise InvalidParameter(
            f"the model reads facts of which the graph knows nothing on {day}: {', '.join(absent)}; "
            "load them, or train without the family 'registry'"
        )
    features.facts_ = model.facts
    names = tuple(features.get_feature_names_out())
    if names != model.feature_names:
        odd = sorted(set(model.feature_names) ^ set(names)) or ["their order"]
        raise InvalidParameter(
            f"the model was trained on other features than this riskgraph computes (model of version {model.version}): "
            f"{', '.join(odd[:5])}{' …' if len(odd) > 5 else ''}; train it again"
        )
    return features, day


def score(
    model: Any,
    graph: EntityGraph,
    at: Any = None,
    *,
    kinds: Any = None,
    under_case: bool = False,
    show: bool | None = None,
) -> pd.DataFrame:
    """Scores of a graph's entities by a model, highest first; the same call gives the same frame.

    Parameters
    ----------
    model
        A :class:`RiskModel`, or a fitted pipeline that begins with :class:`GraphFeatures`.
    graph
        The graph to score.
    at
        Day of the features; None for the day the graph stands at.
    kinds
        Kinds of entities to score, those in being on the day; None for those of training.
    under_case
        Score those already under a seed case too; a model has never seen any, and would repeat what is on record.
    show
        Progress bar; None for a terminal.

    Returns
    -------
    DataFrame
        ``entity, score`` (probability of a seed case within the model's horizon), ``rank``. Equal scores share no rank:
        they stand in the order of their log-odds, then of the graph.

    Raises
    ------
    LeakageError, InvalidParameter
        Model and graph do not agree: see the message.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> model = rg.learning.train(graph, "propagation", cutoffs=["2016-03-31"], families=["risk"])
    >>> rg.learning.score(model, graph, at="2016-12-31")["rank"].tolist()[:3]
    [1, 2, 3]
    """
    model = as_model(model)
    features, day = matching_features(model, graph, at)
    wanted = list(model.kinds if kinds is None else [kinds] if isinstance(kinds, str) else kinds)
    odd = [kind for kind in wanted if kind not in ENTITY_KINDS]
    if odd:
        raise InvalidParameter(f"'kinds' must name entity kinds ({', '.join(ENTITY_KINDS)}); got {odd[0]!r}")
    present = features.present(day, under_case=under_case)
    codes = np.flatnonzero(np.isin(graph.kinds, [ENTITY_KINDS.index(kind) for kind in wanted]) & present)
    if not codes.size:
        return pd.DataFrame({"entity": pd.Series(dtype=object), "score": np.empty(0), "rank": np.empty(0, np.int64)})
    X = features.transform(list(graph.ids[codes]))
    odds, chance = [], []
    for begin in progress(range(0, codes.size, BATCH), text="score", show=show):
        part = X.iloc[begin : begin + BATCH]
        odds.append(log_odds(model.estimator, part))
        chance.append(to_probability(model.estimator, part))
    order = np.lexsort((codes, -np.concatenate(odds)))
    return pd.DataFrame(
        {
            "entity": pd.Series(graph.ids.to_numpy()[codes[order]], dtype=object),
            "score": np.concatenate(chance)[order],
            "rank": np.arange(1, codes.size + 1),
        }
    )


def score_frame(
    model: Any,
    graph: EntityGraph,
    at: Any = None,
    *,
    kinds: Any = None,
    under_case: bool = False,
    show: bool | None = None,
) -> pd.DataFrame:
    """Scores for people: ``entity, name, kind, score, rank, as_of, trained_through``; takes a path of a model too.

    See :func:`score`.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> model = rg.learning.train(graph, "propagation", cutoffs=["2016-03-31"], families=["risk"])
    >>> rg.learning.score_frame(model, graph, at="2016-12-31").loc[0, ["kind", "as_of"]].tolist()
    ['company', Timestamp('2016-12-31 00:00:00')]
    """
    from pathlib import Path

    from riskgraph.learning.persist import load_model

    model = load_model(model) if isinstance(model, (str, Path)) else as_model(model)
    frame = score(model, graph, at, kinds=kinds, under_case=under_case, show=show)
    codes = graph.codes(frame["entity"])
    day = as_day("at", at) if at is not None else graph.valid_on
    return pd.DataFrame(
        {
            "entity": frame["entity"],
            "name": pd.Series(graph.names[codes], dtype=object),
            "kind": pd.Series(np.array(ENTITY_KINDS, dtype=object)[graph.kinds[codes]], dtype=object),
            "score": frame["score"],
            "rank": frame["rank"],
            "as_of": pd.Series([pd.Timestamp(day) if day is not None else pd.NaT] * len(frame), dtype="datetime64[s]"),
            "trained_through": pd.Series([model.trained_through or pd.NaT] * len(frame), dtype="datetime64[s]"),
        }
    )
