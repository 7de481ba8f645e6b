"""Backtests: how well scores of a day pointed to the cases that began after it, day by day, without a look ahead."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone

from riskgraph._optional import progress
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.learning._known import as_day, known_graph
from riskgraph.learning._recipe import Recipe, fit_classifier, log_odds, read_recipe, to_probability, training_table
from riskgraph.learning.baselines import ColumnScore
from riskgraph.learning.labels import future_cases, horizon_days
from riskgraph.learning.metrics import (
    average_precision,
    bootstrap_interval,
    brier,
    lift,
    precision_at,
    roc_auc,
    why_undefined,
)
from riskgraph.learning.split import entity_groups

__all__ = ["Backtest", "Run", "backtest"]

_FIGURES = ("roc_auc", "average_precision", "precision_at_k", "lift", "precision_at_capacity")


@dataclass(eq=False)
class Run:
    """How a backtest was made: what a model card is written from."""

    estimator: str
    families: tuple[str, ...]
    catalogue: str
    kinds: tuple[str, ...]
    horizon: str
    n_training: int
    folds: int
    groups: str
    random_state: int
    n_bootstrap: int
    level: float
    graph: str
    latest: str
    version: str
    #: ``cutoff, entity, group, label, score`` (what ranks: log-odds, or the risk of a propagation)``, probability``
    scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    #: ``cutoff, days, rows, cases, features``: what each cutoff was trained on
    training: pd.DataFrame = field(default_factory=pd.DataFrame)


class Backtest(pd.DataFrame):  # type: ignore[misc]
    """Frame of a backtest, one row a cutoff; :attr:`run` says how it was made. Parts of it are plain frames."""

    _metadata: ClassVar[list[str]] = ["run"]
    run: Run

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame


def backtest(
    graph: EntityGraph,
    estimator: Any,
    cutoffs: Any,
    horizon: Any = "180D",
    *,
    families: Any = None,
    catalogue: Any = None,
    kinds: Iterable[str] = ("company",),
    k: int = 20,
    capacity: float = 0.05,
    n_training: int = 4,
    folds: int = 3,
    groups: str = "control",
    n_bootstrap: int = 200,
    level: float = 0.95,
    random_state: int = 0,
    show: bool | None = None,
) -> Backtest:
    """How well scores of each cutoff pointed to the entities that entered a seed case within the horizon after it.

    For each cutoff a classifier is trained anew on ``n_training`` earlier days, one horizon apart, whose labels were
    all known by the cutoff; the features of every row are those of its own day (:class:`GraphFeatures`). Entities are
    dealt into ``folds`` by group, and each is scored by a model that saw nobody of its group. Entities already under
    a seed case are left out.

    Parameters
    ----------
    graph
        Everything known now; the backtest looks at it as of each day.
    estimator
        ``"logistic"``, ``"boosting"`` or ``"propagation"`` (:func:`baseline`); a classifier for frames of features with
        missing values; a pipeline that begins with :class:`GraphFeatures`; or a propagation such as
        :class:`~riskgraph.risk.RiskCascade`, which is fitted on the graph as known at the cutoff and needs no training.
    cutoffs
        Days, or one.
    horizon
        How long after a cutoff a case counts.
    families, catalogue
        Of :class:`GraphFeatures`, unless they stand in the pipeline.
    kinds
        Kinds of entities that are scored.
    k
        Length of the list whose precision and lift are told; at most all.
    capacity
        How many can be inspected: a part of all scored if below 1, else a number.
    n_training
        Days of training for each cutoff.
    folds
        Parts into which groups are dealt; 1 lets an entity be scored by a model that saw its group's past.
    groups
        ``"control"`` or ``"component"``, see :func:`entity_groups`.
    n_bootstrap, level
        Draws and level of the intervals, :func:`~riskgraph.learning.metrics.bootstrap_interval`.
    random_state
        Seed of the folds and of the draws: the same call gives the same frame.
    show
        Progress bar; None for a terminal.

    Returns
    -------
    Backtest
        A frame, one row a cutoff: ``cutoff, n_entities`` (scored), ``n_labels`` (of them with a case within the
        horizon), ``base_rate``; ``roc_auc, average_precision, precision_at_k, lift, precision_at_capacity``, each with
        ``_low`` and ``_high``; ``k, capacity`` (numbers of entities), ``brier``; ``complete``: whether the
        dates of the graph reach to the end of the horizon; ``reason``: why figures are NaN, else empty. Its attribute
        ``run`` keeps the scores and how they were made.

    Raises
    ------
    LeakageError
        The features of the pipeline are fixed to a day after a cutoff.
    InvalidParameter
        A parameter breaks its rule, or a cutoff lies after the newest date of the graph.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> found = rg.learning.backtest(graph, rg.risk.RiskCascade(), ["2016-06-30"], n_bootstrap=20)
    >>> found[["cutoff", "n_entities", "n_labels", "complete", "reason"]]
          cutoff  n_entities  n_labels  complete reason
    0 2016-06-30         ...        ...      True
    """
    recipe = read_recipe(estimator, families=families, catalogue=catalogue)
    days = _cutoffs(cutoffs, graph)
    length = horizon_days(horizon)
    for name, value, least in (
        ("k", k, 1),
        ("n_training", n_training, 1),
        ("folds", folds, 1),
        ("n_bootstrap", n_bootstrap, 1),
    ):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise InvalidParameter(f"{name!r} must be a whole number, {least} or more; got {value!r}")
    if not capacity > 0:
        raise InvalidParameter(f"'capacity' must be above 0: a part of all, or a number of entities; got {capacity!r}")
    wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    rows, scores, training = [], [], []
    for day in progress(days, text="backtest", show=show):
        recipe.check_day(day)
        test = future_cases(graph, day, horizon=length, kinds=wanted)
        seen = known_graph(graph, day)
        related = entity_groups(seen, by=groups)
        test["group"] = related.reindex(test["entity"]).to_numpy(dtype=object)
        reason = why_undefined(test["label"])
        if recipe.propagation is not None:
            found = chance = _propagated(recipe, seen, test)
        else:
            found, chance, note, failed = _learnt(
                recipe, graph, day, test, related, length, wanted, int(n_training), int(folds), random_state
            )
            reason = failed or reason
            training.append({"cutoff": pd.Timestamp(day), **note})
        row = _figures(
            test, found, chance, reason, k=int(k), capacity=capacity, draws=(int(n_bootstrap), level, random_state)
        )
        complete = graph.latest is None or np.datetime64(graph.latest.date(), "D") >= day + length
        rows.append({"cutoff": pd.Timestamp(day), **row, "complete": bool(complete), "reason": reason})
        scores.append(
            test[["entity", "group", "label"]].assign(cutoff=pd.Timestamp(day), score=found, probability=chance)
        )
    result = Backtest(rows)
    result.run = _run(
        recipe, estimator, graph, wanted, length, n_training, folds, groups, random_state, n_bootstrap, level
    )
    result.run.scores = pd.concat(scores, ignore_index=True)[
        ["cutoff", "entity", "group", "label", "score", "probability"]
    ]
    result.run.training = pd.DataFrame(training, columns=["cutoff", "days", "rows", "cases", "features"])
    return result


def _cutoffs(cutoffs: Any, graph: EntityGraph) -> list[np.datetime64]:
    given = [cutoffs] if isinstance(cutoffs, str) or not isinstance(cutoffs, Iterable) else list(cutoffs)
    if not given:
        raise InvalidParameter("'cutoffs' must hold at least one day; got none")
    days = [as_day("cutoffs", value) for value in given]
    ends = [date for date in (graph.latest, graph.known_by) if date is not None]
    if ends and max(days) > np.datetime64(min(ends).date(), "D"):
        raise InvalidParameter(
            f"'cutoffs' must not lie after {min(ends).date()}, the newest day the graph knows of; got {max(days)}"
        )
    return days


def _propagated(recipe: Recipe, seen: EntityGraph, test: pd.DataFrame) -> np.ndarray:
    model = clone(recipe.propagation).fit(seen)
    return model.scores_.to_numpy(dtype=np.float64)[seen.codes(test["entity"])]


def _learnt(
    recipe: Recipe,
    graph: EntityGraph,
    day: np.datetime64,
    test: pd.DataFrame,
    related: pd.Series,
    length: np.timedelta64,
    kinds: tuple[str, ...],
    n_training: int,
    folds: int,
    random_state: int,
) -> tuple[np.ndarray, np.ndarray, dict[str, Any], str]:
    """Log-odds and probabilities, what they were learnt from, and why not if not."""
    past = [day - length * step for step in range(n_training, 0, -1)]
    table = training_table(graph, past, horizon=length, kinds=kinds, known=day)
    note = {"days": len(past), "rows": len(table), "cases": int(table["label"].sum()), "features": 0}
    nobody = np.full(len(test), np.nan)
    if not len(test):
        return nobody, nobody, note, "nobody is scored"
    why = why_undefined(table["label"])
    if why:
        return nobody, nobody, note, f"nothing to learn from: {why} in the {len(past)} training windows"
    features = recipe.features(graph)
    X = features.fit_transform(table[["entity", "time"]])
    note["features"] = X.shape[1]
    Z = features.transform(pd.DataFrame({"entity": test["entity"], "time": pd.Timestamp(day)}))
    y = table["label"].to_numpy()
    everyone = related.reindex(table["entity"]).to_numpy(dtype=object)
    dealt = _deal(np.concatenate([everyone, test["group"].to_numpy(dtype=object)]), folds, random_state)
    of_train, of_test = dealt[: len(table)], dealt[len(table) :]
    score, chance = nobody.copy(), nobody.copy()
    if isinstance(recipe.classifier, ColumnScore):
        folds, of_test = 1, np.zeros(len(test), dtype=np.int64)  # a column's order is the same whoever is left out
    for fold in range(folds):
        ours = of_test == fold
        if not ours.any():
            continue
        train = of_train != fold if folds > 1 else np.ones(len(table), dtype=bool)
        if np.unique(y[train]).size == 2:
            model = fit_classifier(recipe.classifier, X[train], y[train], everyone[train])
            score[ours], chance[ours] = log_odds(model, Z[ours]), to_probability(model, Z[ours])
        else:  # the base rate, smoothed as Laplace did
            rate = (y[train].sum() + 1) / (train.sum() + 2)
            score[ours], chance[ours] = np.log(rate / (1 - rate)), rate
    return score, chance, note, ""


def _deal(groups: np.ndarray, folds: int, random_state: int) -> np.ndarray:
    """Fold of each row: groups are dealt in random order, always to the fold with the fewest rows."""
    codes, names = pd.factorize(groups)
    size = np.bincount(codes, minlength=len(names))
    order = np.random.default_rng(random_state).permutation(len(names))
    order = order[np.argsort(-size[order], kind="stable")]
    fold = np.empty(len(names), dtype=np.int64)
    # the largest group goes first and back and forth, so that folds stay of about one size
    place = np.arange(len(names)) % (2 * folds)
    fold[order] = np.where(place < folds, place, 2 * folds - 1 - place)
    return fold[codes]


def _figures(
    test: pd.DataFrame,
    score: np.ndarray,
    chance: np.ndarray,
    reason: str,
    *,
    k: int,
    capacity: float,
    draws: tuple[int, float, int],
) -> dict[str, Any]:
    y, group, n = test["label"].to_numpy(), test["group"].to_numpy(), len(test)
    room = min(n, math.ceil(capacity * n - 1e-9) if capacity < 1 else int(capacity))
    k, room = min(k, max(n, 1)), max(room, 1)
    ways: dict[str, Callable[[Any, Any], float]] = {
        "roc_auc": roc_auc,
        "average_precision": average_precision,
        "precision_at_k": lambda a, b: precision_at(a, b, k),
        "lift": lambda a, b: lift(a, b, k),
        "precision_at_capacity": lambda a, b: precision_at(a, b, room),
    }
    row: dict[str, Any] = {
        "n_entities": n,
        "n_labels": int(y.sum()),
        "base_rate": float(y.mean()) if n else float("nan"),
    }
    known = n > 0 and not np.isnan(score).any()
    for name in _FIGURES:
        value, low, high = float("nan"), float("nan"), float("nan")
        if known and not reason:
            value = ways[name](y, score)
            low, high = bootstrap_interval(
                ways[name], y, score, group, n_samples=draws[0], level=draws[1], random_state=draws[2]
            )
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    likely = known and bool(((chance >= 0) & (chance <= 1)).all())
    row |= {"k": k, "capacity": room, "brier": brier(y, chance) if likely else float("nan")}
    return row


def _run(
    recipe: Recipe,
    estimator: Any,
    graph: EntityGraph,
    kinds: tuple[str, ...],
    length: np.timedelta64,
    n_training: int,
    folds: int,
    groups: str,
    random_state: int,
    n_bootstrap: int,
    level: float,
) -> Run:
    import riskgraph

    trained = recipe.propagation is None
    families = recipe.features(graph).families_used() if trained else ()
    name = estimator if isinstance(estimator, str) else " ".join(str(estimator).split())
    catalogue = recipe.catalogue if isinstance(recipe.catalogue, str) else getattr(recipe.catalogue, "name", "")
    return Run(
        estimator=name,
        families=families,
        catalogue=str(catalogue or ""),
        kinds=kinds,
        horizon=f"{int(length.astype(np.int64))} days",
        n_training=int(n_training) if trained else 0,
        folds=0 if not trained else 1 if isinstance(recipe.classifier, ColumnScore) else int(folds),
        groups=groups,
        random_state=int(random_state),
        n_bootstrap=int(n_bootstrap),
        level=float(level),
        graph=repr(graph),
        latest="" if graph.latest is None else str(graph.latest.date()),
        version=riskgraph.__version__,
    )
