"""What every propagation shares: seeds in, one score an entity out, paths that explain it, a report people read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from riskgraph.errors import InvalidParameter, RiskGraphError
from riskgraph.graph import EntityGraph
from riskgraph.schema import ENTITY_KINDS

__all__ = ["Found", "Propagation", "check_choice", "check_fraction", "check_positive", "check_whole", "resolve_seeds"]


class Found(NamedTuple):
    """A path that explains a score."""

    #: what the path carries: a probability or a weight
    value: float
    #: codes from the seed to the entity; one code when the entity is the seed
    entities: tuple[int, ...]
    #: for each step, the base rows (``columns.row``) of the relations that make it
    rows: tuple[tuple[int, ...], ...]


class Propagation(BaseEstimator):  # type: ignore[misc]
    """Estimator that spreads risk from seeds over a graph.

    A subclass gives ``_spread`` (the scores), ``_find`` (the paths behind one score), ``_check`` (its parameters) and,
    where it has more to say in the report, ``_columns``. Parameters stay as given until :meth:`fit`.

    Attributes
    ----------
    scores_
        Series ``risk`` on the entity ids, in the graph's order.
    seeds_
        Series ``weight`` on the ids of the seeds.
    graph_
        The graph of the last :meth:`fit`.
    report_
        Frame for people, highest risk first: see :meth:`report`.
    """

    #: name of the column of :meth:`explain` that says what a path carries
    _measure: ClassVar[str] = "probability"
    #: greatest weight a seed may have; None for any
    _most: ClassVar[float | None] = 1.0

    scores_: pd.Series
    seeds_: pd.Series
    graph_: EntityGraph

    # -- for subclasses ----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Raise InvalidParameter where a parameter breaks its rule."""

    def _spread(self, graph: EntityGraph, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Scores of all entities from seeds at ``codes`` (int64, ascending) with ``weights`` (above 0)."""
        raise NotImplementedError

    def _find(self, code: int, k: int) -> list[Found]:
        """At most ``k`` strongest paths to an entity, strongest first."""
        raise NotImplementedError

    def _columns(self, codes: np.ndarray, lang: str) -> dict[str, Any]:
        """Further columns of the report for the entities at ``codes``."""
        return {}

    def _order(self, codes: np.ndarray) -> np.ndarray:
        """What the report sorts by, highest first, where scores alone cannot tell entities apart."""
        return self.scores_.to_numpy()[codes]

    # -- for everyone ------------------------------------------------------------------------------------------------

    def fit(self, graph: EntityGraph, seeds: Any = None) -> Self:
        """Spread risk from the seeds.

        Parameters
        ----------
        graph
            The graph on the day it stands at.
        seeds
            None for the entities under a seed case (``graph.seeds()``), ids, or a mapping id → weight. Without any
            seed every score is 0.

        Raises
        ------
        UnknownEntity
            A seed is not in the graph.
        InvalidParameter
            A parameter or a weight breaks its rule.
        """
        if not isinstance(graph, EntityGraph):
            raise InvalidParameter(f"'graph' must be an EntityGraph; got {type(graph).__name__}")
        self._check()
        codes, weights = resolve_seeds(graph, seeds, most=self._most)
        self.graph_ = graph
        self._seeds_given = seeds
        self.seeds_ = pd.Series(
            weights, index=pd.Index(graph.ids_of(codes), dtype=object, name="entity"), name="weight"
        )
        self.__dict__.pop("_report", None)
        live = weights > 0
        scores = self._spread(graph, codes[live], weights[live])
        self.scores_ = pd.Series(np.asarray(scores, dtype=np.float64), index=graph.ids, name="risk", copy=False)
        return self

    def explain(self, entity: str, k: int = 3, *, lang: str = "zh") -> pd.DataFrame:
        """The strongest paths by which risk reaches an entity.

        Parameters
        ----------
        entity
            Id of the entity.
        k
            At most how many paths.
        lang
            Language of ``text``: ``"zh"`` or ``"en"``.

        Returns
        -------
        ``rank``, what the path carries (``probability`` or ``weight``), ``path`` (ids from the seed to the entity),
        ``relations`` (ids, in the order of the path), ``text`` (a sentence that names each of them). Empty when
        nothing reaches the entity.

        Raises
        ------
        UnknownEntity
            The graph does not hold the entity.
        """
        from riskgraph.risk.explain import paths_frame

        self._fitted()
        check_whole("k", k, low=1)
        check_choice("lang", lang, ("zh", "en"))
        found = self._find(self.graph_.code(entity), int(k))
        return paths_frame(self.graph_, found, measure=self._measure, lang=lang)

    @property
    def report_(self) -> pd.DataFrame:
        """Report in Chinese of every entity that risk reaches, highest first."""
        if "_report" not in self.__dict__:
            self._report = self.report()
        return self._report.copy(deep=False)

    def report(self, *, lang: str = "zh", n: int | None = None) -> pd.DataFrame:
        """Frame for people: the ``n`` highest risks, everyone reached when ``n`` is None.

        Returns
        -------
        ``entity, name, kind, rank, risk`` and what the method adds. Equal risks share no rank: they stand in the
        order of their log-odds, then of the graph.
        """
        self._fitted()
        check_choice("lang", lang, ("zh", "en"))
        if n is not None:
            check_whole("n", n, low=1)
        scores = self.scores_.to_numpy()
        codes = np.flatnonzero(scores > 0)
        if n is not None and n < codes.size:
            codes = codes[scores[codes] >= np.partition(scores[codes], -n)[-n]]
        codes = codes[np.lexsort((codes, -self._order(codes), -scores[codes]))][:n]
        graph = self.graph_
        frame = pd.DataFrame(
            {
                "entity": graph.ids_of(codes),
                "name": graph.names_of(codes),
                "kind": np.array(ENTITY_KINDS, dtype=object)[graph.kinds[codes]],
                "rank": np.arange(1, codes.size + 1),
                "risk": scores[codes],
            }
        )
        for name, values in self._columns(codes, lang).items():
            frame[name] = values
        return frame

    def fitted_seeds(self) -> Any:
        """Seeds as given to the last :meth:`fit`."""
        self._fitted()
        return self._seeds_given

    def _fitted(self) -> None:
        if not hasattr(self, "scores_"):
            raise RiskGraphError(f"this {type(self).__name__} is not fitted yet; call fit(graph) first")


def resolve_seeds(graph: EntityGraph, seeds: Any = None, *, most: float | None = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the seeds, ascending, and their weights.

    Parameters
    ----------
    seeds
        None for ``graph.seeds()``, one id, ids (weight 1 each), or a mapping or Series id → weight.
    most
        Greatest weight allowed, None for any.

    Raises
    ------
    UnknownEntity
        A seed is not in the graph.
    InvalidParameter
        A weight is not a number, is negative or above ``most``; or ``seeds`` is none of these.

    Examples
    --------
    >>> import riskgraph as rg
    >>> resolve_seeds(rg.datasets.toy_banned_platform(), {"Rita": 0.5})
    (array([6]), array([0.5]))
    """
    given: Any = graph.seeds() if seeds is None else seeds
    if isinstance(given, str):
        given = [given]
    if isinstance(given, (pd.Series, Mapping)):
        pairs = list(given.items())
    elif isinstance(given, Iterable):
        pairs = [(entity, 1.0) for entity in given]
    else:
        raise InvalidParameter(f"'seeds' must be None, ids or a mapping of id to weight; got {given!r}")
    codes = graph.codes([entity for entity, _ in pairs])
    weights = np.empty(len(pairs))
    rule = "0 or more" if most is None else f"in [0, {most:g}]"
    for row, (entity, weight) in enumerate(pairs):
        try:
            weights[row] = float(weight)
        except (TypeError, ValueError):
            weights[row] = np.nan
        if not 0 <= weights[row] <= (np.finfo(float).max if most is None else most):
            raise InvalidParameter(f"'seeds' must have weights {rule}; got {weight!r} for {entity!r}")
    found, place = np.unique(codes, return_inverse=True)
    gravest = np.zeros(found.size)
    np.maximum.at(gravest, place, weights)
    return found, gravest


# -- checks of parameters --------------------------------------------------------------------------------------------


def check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raise unless ``value`` is one of ``choices``.

    Examples
    --------
    >>> check_choice("lang", "fr", ("zh", "en"))
    Traceback (most recent call last):
    riskgraph.errors.InvalidParameter: 'lang' must be 'zh' or 'en'; got 'fr'
    """
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        words = [repr(choice) for choice in choices]
        text = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
        raise InvalidParameter(f"{name!r} must be {text}; got {value!r}")


def _number(value: Any) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        return float("nan")
    return float(value)


def check_fraction(name: str, value: Any, *, low: bool = True, high: bool = True) -> None:
    """Raise unless ``value`` is a number between 0 and 1; ``low`` and ``high`` say whether the ends are allowed.

    Examples
    --------
    >>> check_fraction("damping", 1.4, high=False)
    Traceback (most recent call last):
    riskgraph.errors.InvalidParameter: 'damping' must be in [0, 1); got 1.4
    """
    number = _number(value)
    if not ((number >= 0 if low else number > 0) and (number <= 1 if high else number < 1)):
        raise InvalidParameter(f"{name!r} must be in {'[' if low else '('}0, 1{']' if high else ')'}; got {value!r}")


def check_positive(name: str, value: Any) -> None:
    """Raise unless ``value`` is a finite number above 0.

    Examples
    --------
    >>> check_positive("tol", 0)
    Traceback (most recent call last):
    riskgraph.errors.InvalidParameter: 'tol' must be a number above 0; got 0
    """
    if not 0 < _number(value) < float("inf"):
        raise InvalidParameter(f"{name!r} must be a number above 0; got {value!r}")


def check_whole(name: str, value: Any, *, low: int = 0) -> None:
    """Raise unless ``value`` is a whole number of at least ``low``.

    Examples
    --------
    >>> check_whole("k", 0, low=1)
    Traceback (most recent call last):
    riskgraph.errors.InvalidParameter: 'k' must be a whole number, 1 or more; got 0
    """
    number = _number(value)
    if isinstance(value, (float, np.floating)) or not number >= low:
        raise InvalidParameter(f"{name!r} must be a whole number, {low} or more; got {value!r}")
