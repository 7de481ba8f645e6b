"""DebtRank: stress that borrowers pass on to those who lent to them or guaranteed them, in parts of equity."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from riskgraph._solver import WalkSolver
from riskgraph.errors import InvalidParameter, NotConverged
from riskgraph.graph import EntityGraph
from riskgraph.risk._balance import claims, known_numbers, listed
from riskgraph.risk._walks import heaviest_paths
from riskgraph.risk.base import Found, Propagation, check_choice

__all__ = ["DebtRank"]

#: rounds after which stress that still grows is solved for, once nobody has newly failed for as many
_PATIENCE = 50
#: rounds of a spread at most
_MOST = 1_000_000


class DebtRank(Propagation):
    """Balance-sheet contagion before default: a creditor loses on a debtor in distress, and is in distress by its loss.

    Stress is the part of its equity that an entity has lost, 0 untouched and 1 failed. A debtor under stress devalues
    the claims on it by as much, and each loss weighs on the creditor as ``amount / equity``. Claims are ``lends``
    (the lender's on the borrower) and ``guarantees`` (the guarantor's on the debtor: called when the debtor fails).
    A loan and its guarantee both count in full, since the tables do not say which loan a guarantee covers.

    Parameters
    ----------
    version
        ``"2015"``: every further loss is passed on, until no stress grows; stress stops at 1. ``"2012"``: every entity
        passes on its stress once, the first time it has any, and one debtor cannot take more than all of a creditor.
    equity
        Mapping id → CNY; None takes the facts ``equity``. Needed of every creditor and guarantor. Equity of 0 or less
        absorbs nothing: the first loss brings the stress to 1.
    missing
        What to do about a creditor whose equity is not known: ``"raise"``, or ``"exclude"`` it: it passes nothing on,
        its score is NaN (unknown, not zero), and it is listed in ``excluded_``.

    Attributes
    ----------
    scores_
        Series ``risk``: the final stress, the seeds' own included.
    losses_
        Frame ``equity, shock, contagion, equity_after`` in CNY, which may end below zero.
    debtrank_
        What the spread adds to the seeds' own stress, as a part of all that is lent and guaranteed (each creditor's
        stress weighs by its claims).
    n_rounds_
        How many rounds it took.
    excluded_
        Frame ``entity, claims`` of the creditors without equity under ``missing="exclude"``.

    Notes
    -----
    Seeds are a mapping id → first loss as a part of equity, 1 for an entity that has failed; a list means 1 each. A
    loss beyond the equity is written as more than 1: it counts in ``losses_``, and as 1 in the spread.

    Raises
    ------
    InvalidParameter
        In :meth:`fit`: a creditor's equity or an amount is not known; the message lists them.

    References
    ----------
    Battiston, Puliga, Kaushik, Tasca and Caldarelli (2012); Bardoscia, Battiston, Caccioli and Caldarelli (2015).

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_guarantee_ring()
    >>> equity = {"Bank": 50.0, "Alder": 20.0, "Birch": 20.0, "Cedar": 20.0}
    >>> model = DebtRank(equity=equity).fit(graph, ["Alder"])
    >>> model.scores_.round(12).to_dict()
    {'Bank': 0.35, 'Alder': 1.0, 'Birch': 0.25, 'Cedar': 0.5}
    >>> model.explain("Birch", k=1)[["weight", "path"]]
       weight                   path
    0    0.25  (Alder, Cedar, Birch)
    """

    _measure: ClassVar[str] = "weight"
    _most: ClassVar[float | None] = None

    def __init__(self, *, version: str = "2015", equity: Any = None, missing: str = "raise") -> None:
        self.version = version
        self.equity = equity
        self.missing = missing

    def _check(self) -> None:
        check_choice("version", self.version, ("2012", "2015"))
        check_choice("missing", self.missing, ("raise", "exclude"))

    def _spread(self, graph: EntityGraph, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        n = len(graph)
        self._claims = claims(graph, "lends", "guarantees")
        table = self._claims.table(n)
        equity = known_numbers(graph, "equity", self.equity)
        held = np.asarray(table.sum(axis=1)).ravel()
        unknown = np.flatnonzero((held > 0) & np.isnan(equity))
        if unknown.size and self.missing == "raise":
            raise InvalidParameter(
                f"'equity' must be known of everyone who lends or guarantees, and unknown is not zero; give it as a "
                f"mapping or as the fact equity, or say missing='exclude'. Not known of {unknown.size}: "
                f"{listed(graph.ids[unknown[:20]], unknown.size)}"
            )
        self.excluded_ = pd.DataFrame({"entity": graph.ids.to_numpy()[unknown], "claims": held[unknown]})

        first = np.zeros(n)
        first[codes] = weights
        self._impact = _impacts(table, equity, cap=self.version == "2012")
        self._first = np.minimum(first, 1.0)
        spread = spread_once if self.version == "2012" else spread_increments
        stress, self.n_rounds_ = spread(self._impact, self._first)
        self._stress = stress
        contagion = table @ stress
        shock = np.where(first > 0, first * np.maximum(equity, 0.0), 0.0)
        self.losses_ = pd.DataFrame(
            {"equity": equity, "shock": shock, "contagion": contagion, "equity_after": equity - shock - contagion},
            index=graph.ids,
        )
        self.debtrank_ = float((stress - self._first) @ held / held.sum()) if held.any() else 0.0
        scores = stress.copy()
        scores[unknown[stress[unknown] < 1]] = np.nan
        return scores

    def _columns(self, codes: np.ndarray, lang: str) -> dict[str, Any]:
        losses = self.losses_.iloc[codes]
        return {name: losses[name].to_numpy() for name in ("equity", "contagion", "equity_after")}

    def _find(self, code: int, k: int) -> list[Found]:
        paths = heaviest_paths(self._impact, 1.0, self._first, self._stress, code, k)
        return [
            Found(
                path.weight,
                path.codes,
                tuple(self._claims.between(b, a) for a, b in zip(path.codes[:-1], path.codes[1:], strict=True)),
            )
            for path in paths
        ]


def _impacts(table: csr_array, equity: np.ndarray, *, cap: bool) -> csr_array:
    """``[creditor, debtor]``: the part of its equity that the creditor loses when the debtor fails."""
    creditor = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    counts = (table.data > 0) & ~np.isnan(equity[creditor])
    creditor, debtor, amount = creditor[counts], table.indices[counts], table.data[counts]
    with np.errstate(divide="ignore", over="ignore"):
        # who has nothing left fails at the first loss: a weight far above any stress that matters
        weight = np.where(equity[creditor] > 0, np.minimum(amount / equity[creditor], 1e15), 1e15)
    return csr_array((np.minimum(weight, 1.0) if cap else weight, (creditor, debtor)), shape=table.shape)


def spread_once(impact: csr_array, first: np.ndarray) -> tuple[np.ndarray, int]:
    """Final stress when every entity passes its stress on once, in the round after it first has any.

    Examples
    --------
    >>> impact = csr_array(np.array([[0, 0.5, 0], [0, 0, 0.5], [0.5, 0, 0]]))
    >>> spread_once(impact, np.array([1.0, 0, 0]))[0].tolist()
    [1.0, 0.25, 0.5]
    """
    stress, fired, active, rounds = first.copy(), np.zeros(first.size, dtype=bool), first > 0, 0
    while active.any():
        grown = np.minimum(1.0, stress + impact @ np.where(active, stress, 0.0))
        fired |= active
        active = (grown > 0) & ~fired
        stress = grown
        rounds += 1
    return stress, rounds


def spread_increments(impact: csr_array, first: np.ndarray) -> tuple[np.ndarray, int]:
    """Final stress when every growth of stress is passed on until none is left: the least h = min(1, first + impact h).

    Growth that dies out slowly, as in rings, is summed at once: while nobody newly fails the rest is linear.

    Examples
    --------
    >>> impact = csr_array(np.array([[0, 0.5], [0.5, 0]]))
    >>> spread_increments(impact, np.array([0.6, 0.0]))[0].round(12).tolist()
    [0.8, 0.4]
    """
    stress, growth, quiet = first.copy(), first.copy(), 0
    for rounds in range(1, _MOST + 1):
        grown = np.minimum(1.0, stress + impact @ growth)
        growth = grown - stress
        quiet = 0 if ((grown >= 1) & (stress < 1)).any() else quiet + 1
        stress = grown
        if growth.max(initial=0.0) <= 1e-16:
            return stress, rounds
        # tried after 50, 100, 200 … rounds: a trial costs as much as many rounds
        if quiet % _PATIENCE == 0 and (quiet // _PATIENCE).bit_count() == 1:
            whole = _rest(impact, first, stress)
            if whole is not None:
                return whole, rounds
    raise NotConverged(f"the stress of some entities still grows by {growth.max():.1e} a round after {_MOST} rounds")


def _rest(impact: csr_array, first: np.ndarray, stress: np.ndarray) -> np.ndarray | None:
    """The final stress if nobody else fails; None when somebody does, or somebody is not reached yet."""
    touched = np.flatnonzero((stress > 0) & (stress < 1))
    rows = impact[touched]
    try:
        x = WalkSolver(rows[:, touched]).solve(first[touched] + rows @ (stress >= 1).astype(np.float64))
    except NotConverged:  # the growth hardly dies out, or hardly does not: go on with it round by round
        return None
    whole = stress.copy()
    whole[touched] = x
    # a solution below 1 that obeys the rule is the only one, hence the least
    if (x < 1).all() and (x >= 0).all() and np.abs(first + impact @ whole - whole)[whole < 1].max(initial=0.0) <= 1e-12:
        return whole
    return None
