"""The questions that an answer can be given to, by the names of the functions that answer them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision import Catalogue

__all__ = ["QUESTIONS", "Question", "ask", "question"]


class Question(NamedTuple):
    """Where a question is answered: a function or an estimator of a package."""

    module: str
    name: str
    #: "function", "catalogue" (a function that takes one), "propagation", "nesting" or "dossier"
    form: str = "function"


def _of(module: str, names: str, form: str = "function") -> dict[str, Question]:
    return {name: Question(f"riskgraph.{module}", name, form) for name in names.split()}


_OWNERSHIP = (
    "integrated_ownership control ultimate_controllers beneficial_owners business_groups close_links voting_power "
    "explain_control explain_ownership why_not"
)
_NESTING = "look_through product_balances circuits patterns ultimate_investors investor_count layers"
_SUPERVISION = "screen classify_sectors triage dispose assign statistics monitor tipoffs verify_declared"

#: name of a question → where it is answered
QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        **_of("ownership", _OWNERSHIP),
        **_of("risk", "cascade threshold pagerank debtrank clearing heat harmonic", "propagation"),
        **_of("nesting", _NESTING),
        "nesting": Question("riskgraph.nesting", "NestingScorer", "nesting"),
        **_of("supervision", _SUPERVISION, "catalogue"),
        **_of("supervision", "consolidate"),
        "dossier": Question("riskgraph.supervision", "dossier", "dossier"),
    }
)


def question(name: str) -> Question:
    """The question of a name.

    Raises
    ------
    InvalidParameter
        None has it.
    """
    if name not in QUESTIONS:
        raise InvalidParameter(f"'question' must be one of {', '.join(QUESTIONS)}; got {name!r}")
    return QUESTIONS[name]


def takes_catalogue(name: str) -> bool:
    """Whether a question is asked of a catalogue too."""
    return question(name).form in ("catalogue", "dossier")


def ask(graph: EntityGraph, name: str, catalogue: Catalogue | None, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Answer a question.

    Raises
    ------
    InvalidParameter
        A parameter that the question does not have, or one that is needed and missing.
    """
    asked = question(name)
    if asked.form == "propagation":
        return _propagated(graph, name, dict(parameters))
    function = getattr(importlib.import_module(asked.module), asked.name)
    if asked.form == "nesting":
        _fit("nesting", function, (), parameters)
        return function(**parameters).fit(graph).report_.reset_index(drop=True)
    given: tuple[Any, ...] = (graph,)
    if asked.form == "dossier":
        if "entity" not in parameters:
            raise InvalidParameter("'dossier' cannot be asked so: missing a required argument: 'entity'")
        given = (graph, parameters["entity"], catalogue)
        parameters = {key: value for key, value in parameters.items() if key != "entity"}
    elif asked.form == "catalogue":
        given = (graph, catalogue)
    _fit(name, function, given, parameters)
    result = function(*given, **parameters)
    if asked.form == "dossier":
        return result.fields.reset_index(drop=True)
    return _framed(result, name)


def _fit(name: str, function: Callable[..., Any], given: tuple[Any, ...], parameters: Mapping[str, Any]) -> None:
    try:
        inspect.signature(function).bind(*given, **parameters)
    except TypeError as error:
        raise InvalidParameter(f"{name!r} cannot be asked so: {error}") from None


def _propagated(graph: EntityGraph, name: str, parameters: dict[str, Any]) -> pd.DataFrame:
    from riskgraph.risk import propagate

    if parameters.get("estimate") == "monte_carlo" and not isinstance(parameters.get("random_state"), int):
        raise InvalidParameter("'random_state' must be a whole number, so that the sample can be drawn again")
    lang = parameters.pop("lang", "zh")
    seeds = parameters.pop("seeds", None)
    return propagate(graph, seeds, name, **parameters).report(lang=lang)


def _framed(result: Any, name: str) -> pd.DataFrame:
    if isinstance(result, pd.Series):
        return result.rename(result.name or name).reset_index()
    if isinstance(result, pd.DataFrame):
        return result if isinstance(result.index, pd.RangeIndex) else result.reset_index()
    if isinstance(result, (int, float, np.number)):
        return pd.DataFrame({name: [result]})
    if isinstance(result, (list, tuple)):
        return pd.DataFrame({name: pd.Series(list(result), dtype=object)})
    raise InvalidParameter(f"{name!r} gives no table but {type(result).__name__}")
