"""Clearing: what everyone can pay when everyone who owes pays what it has, the greatest clearing vector."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, diags_array

from riskgraph._solver import WalkSolver
from riskgraph.errors import InvalidParameter, NotConverged
from riskgraph.graph import EntityGraph
from riskgraph.risk._balance import Claims, claims, known_numbers, listed
from riskgraph.risk._walks import heaviest_paths
from riskgraph.risk.base import Found, Propagation, check_choice

__all__ = ["Clearing"]

#: a debtor that has this part of what it owes has all of it: sums are rounded
_WHOLE = 1 - 1e-12
#: rounds of calling guarantees at most
_MOST = 200_000


class Debts(NamedTuple):
    """What is owed and with what it is paid."""

    #: ``[debtor, creditor]``: amounts
    owed: csr_array
    #: all a debtor owes, to outsiders of equal rank too
    total: np.ndarray
    #: what it has besides its claims in the graph; below 0 when debts that come first exceed it
    outside: np.ndarray


class Clearing(Propagation):
    """Clearing of debts after a shock: the most that everyone can pay, given what everyone else then pays.

    A debtor pays in full, or pays all it has to its creditors in proportion to what it owes them; what it has is its
    external assets and what its own debtors pay. Of the payments that obey this the greatest are taken (they are the
    only ones wherever every ring of debtors has something outside). Debts are the ``lends`` relations (the borrower
    owes the lender). A guarantee (``guarantees``) is called by what the debtor fails to pay, up to its amount and in
    proportion among several guarantors; it is a debt of equal rank and goes to the debtor's creditors.

    Parameters
    ----------
    external_assets
        Mapping id → CNY; None takes the facts ``external_assets``. Needed of everyone who owes. A negative number is
        what is left after outside debts that come first.
    external_liabilities
        Mapping id → CNY owed to outsiders, or None for none beyond the graph (then ``external_assets`` are net).
    seniority
        ``"proportional"``: outsiders rank with the creditors in the graph; ``"external_first"``: they are paid first.

    Attributes
    ----------
    scores_
        Series ``risk``: ``1 - paid / owed``, the part of its debts that an entity fails to pay; 0 for who owes nothing.
    payments_
        Series ``paid`` in CNY: what each pays its creditors in the graph on its own loans.
    defaults_
        Ids of those who cannot pay all they owe, in the graph's order. Ending with exactly nothing is no default.
    calls_
        Frame ``guarantor, debtor, called, paid`` in CNY of the guarantees that are called.
    equity_
        Series ``equity`` in CNY: what each has and is paid, less what it owes.

    Notes
    -----
    Seeds are the shock: a mapping id → part of the positive external assets that is lost, a list for all of them. A
    graph without seeds is cleared as it stands. Without called guarantees the result is exact up to rounding, after as
    many rounds as there are waves of default; with them it is iterated from above until nothing changes.

    Raises
    ------
    InvalidParameter
        In :meth:`fit`: a debtor's external assets or an amount is not known; the message lists them.
    NotConverged
        In :meth:`fit`: calls of guarantees still change the payments after many rounds.

    References
    ----------
    Eisenberg and Noe (2001), with their fictitious default algorithm; Elsinger (2009) on seniority.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_guarantee_ring()
    >>> assets = {"Alder": 4.0, "Birch": 12.0, "Cedar": 14.0}
    >>> model = Clearing(external_assets=assets).fit(graph)
    >>> model.payments_.to_dict()
    {'Bank': 0.0, 'Alder': 4.0, 'Birch': 10.0, 'Cedar': 8.75}
    >>> model.calls_
      guarantor debtor  called  paid
    0     Birch  Cedar    1.25  1.25
    1     Cedar  Alder    6.00  5.25
    """

    _measure: ClassVar[str] = "weight"

    def __init__(
        self, *, external_assets: Any = None, external_liabilities: Any = None, seniority: str = "proportional"
    ) -> None:
        self.external_assets = external_assets
        self.external_liabilities = external_liabilities
        self.seniority = seniority

    def _check(self) -> None:
        check_choice("seniority", self.seniority, ("proportional", "external_first"))

    def _spread(self, graph: EntityGraph, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        self._loans = claims(graph, "lends")
        self._guarantees = claims(graph, "guarantees")
        debts = self._debts(graph, codes, weights)
        inside = np.asarray(debts.owed.sum(axis=1)).ravel()
        parts = _parts(debts.owed, debts.total)
        paid = clear(parts, debts.total, debts.outside)
        fraction = np.divide(paid, debts.total, out=np.ones(len(graph)), where=debts.total > 0)
        called = np.zeros(self._guarantees.amount.size)
        if ((fraction < 1)[self._guarantees.debtor] & (self._guarantees.amount > 0)).any():
            fraction, called = clear_guaranteed(parts, debts, inside, self._guarantees)

        guarantor, debtor = self._guarantees.creditor, self._guarantees.debtor
        n = len(graph)
        owed = debts.total + np.bincount(guarantor, weights=called, minlength=n)
        had = debts.outside + _received(parts, debts.total, inside, fraction, self._guarantees, called)
        self.payments_ = pd.Series(fraction * inside, index=graph.ids, name="paid")
        self.equity_ = pd.Series(had - owed, index=graph.ids, name="equity")
        failed = (fraction < _WHOLE) | ((had < 0) & (had < -1e-12 * np.abs(debts.outside)))
        self.defaults_ = graph.ids[failed]
        calls = np.flatnonzero(called > 0)
        self.calls_ = pd.DataFrame(
            {
                "guarantor": graph.ids.to_numpy()[guarantor[calls]],
                "debtor": graph.ids.to_numpy()[debtor[calls]],
                "called": called[calls],
                "paid": called[calls] * fraction[guarantor[calls]],
            }
        )
        scores = np.where(fraction < _WHOLE, 1 - fraction, 0.0)
        self._origins(debts, parts, inside, called, owed, scores)
        return scores

    def _debts(self, graph: EntityGraph, codes: np.ndarray, weights: np.ndarray) -> Debts:
        n = len(graph)
        owed = csr_array(self._loans.table(n).T)
        total = np.asarray(owed.sum(axis=1)).ravel()
        liabilities = np.zeros(n)
        if self.external_liabilities is not None:
            given = known_numbers(graph, "external_liabilities", self.external_liabilities, negative=False)
            liabilities = np.nan_to_num(given, nan=0.0)
        outside = known_numbers(graph, "external_assets", self.external_assets)
        bound = (total > 0) | (liabilities > 0)
        bound[self._guarantees.creditor[self._guarantees.amount > 0]] = True
        unknown = np.flatnonzero(bound & np.isnan(outside))
        if unknown.size:
            raise InvalidParameter(
                f"'external_assets' must be known of everyone who owes or guarantees, and unknown is not zero; give "
                f"them as a mapping or as the fact external_assets. Not known of {unknown.size}: "
                f"{listed(graph.ids[unknown[:20]], unknown.size)}"
            )
        outside = np.nan_to_num(outside, nan=0.0)
        outside[codes] -= weights * np.maximum(outside[codes], 0.0)
        if self.seniority == "external_first":
            return Debts(owed, total, outside - liabilities)
        return Debts(owed, total + liabilities, outside)

    def _origins(
        self,
        debts: Debts,
        parts: csr_array,
        inside: np.ndarray,
        called: np.ndarray,
        owed: np.ndarray,
        scores: np.ndarray,
    ) -> None:
        """Where shortfalls begin, and how they are passed on, as parts of what each owes."""
        n = scores.size
        all_paid = debts.outside + parts.T @ debts.total
        per = np.divide(1.0, owed, out=np.zeros(n), where=owed > 0)
        self._first = np.clip((debts.total - all_paid) * per, 0.0, scores)
        passed = diags_array(per) @ parts.T @ diags_array(debts.total)
        debtor_score = scores[self._guarantees.debtor]
        share = np.divide(called, debtor_score, out=np.zeros(called.size), where=debtor_score > 0)
        calls = csr_array(
            (share * per[self._guarantees.creditor], (self._guarantees.creditor, self._guarantees.debtor)), shape=(n, n)
        )
        self._passed = csr_array(passed + calls)

    def _columns(self, codes: np.ndarray, lang: str) -> dict[str, Any]:
        return {"paid": self.payments_.to_numpy()[codes], "equity": self.equity_.to_numpy()[codes]}

    def _find(self, code: int, k: int) -> list[Found]:
        paths = heaviest_paths(self._passed, 1.0, self._first, self.scores_.to_numpy(), code, k)
        return [
            Found(
                path.weight,
                path.codes,
                tuple(
                    (*self._loans.between(b, a), *self._guarantees.between(b, a))
                    for a, b in zip(path.codes[:-1], path.codes[1:], strict=True)
                ),
            )
            for path in paths
        ]


def _parts(owed: csr_array, total: np.ndarray) -> csr_array:
    """``[debtor, creditor]``: parts of a debtor's payment."""
    per = np.divide(1.0, total, out=np.zeros(total.size), where=total > 0)
    return csr_array(diags_array(per) @ owed)


def clear(parts: csr_array, total: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Greatest p with ``p = min(total, max(0, outside + partsᵀ p))``, by the fictitious default algorithm.

    Everyone pays in full at first; who cannot is in default and pays what it has, which is solved for exactly; that
    may bring others into default, until nobody else is.

    Examples
    --------
    >>> parts = csr_array(np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=float))
    >>> clear(parts, np.array([4.0, 3.0, 2.0]), np.array([1.0, 0.0, 1.0])).tolist()
    [3.0, 3.0, 2.0]
    """
    into = csr_array(parts.T)
    paid, short, broke = total.copy(), np.zeros(total.size, dtype=bool), np.zeros(total.size, dtype=bool)
    while True:
        had = outside + into @ paid
        now_short = short | (had < _WHOLE * total)
        now_broke = broke | ((had <= 0) & (total > 0))
        if (now_short == short).all() and (now_broke == broke).all():
            break
        short, broke = now_short, now_broke
        paid = np.where(broke, 0.0, total)
        some = np.flatnonzero(short & ~broke)
        if some.size:
            paid[some] = 0.0
            given = outside[some] + (into @ paid)[some]
            paid[some] = WalkSolver(parts[some][:, some]).solve_transposed(given)
            paid = np.clip(paid, 0.0, total)
    return _settled(into, total, outside, paid)


def _settled(into: csr_array, total: np.ndarray, outside: np.ndarray, paid: np.ndarray) -> np.ndarray:
    """The payments, checked against the rule; payments round by round from above where rounding misled the solver."""
    scale = float(total.max(initial=0.0))
    for start in (paid, total):
        p = start
        for _ in range(1 if start is paid else _MOST):
            following = np.clip(outside + into @ p, 0.0, total)
            if np.abs(following - p).max(initial=0.0) <= 1e-11 * scale:
                return p
            p = following
    raise NotConverged(f"the payments still change after {_MOST} rounds")


def clear_guaranteed(
    parts: csr_array, debts: Debts, inside: np.ndarray, guarantees: Claims
) -> tuple[np.ndarray, np.ndarray]:
    """Greatest parts of their debts that all can pay when guarantees are called, and the calls.

    A debtor that pays more calls less, and its creditors get more by at least what its guarantors save: the rule is
    monotone, and its rounds come down from full payment to the greatest solution.
    """
    n = debts.total.size
    promised = np.bincount(guarantees.debtor, weights=guarantees.amount, minlength=n)
    weight = np.divide(
        guarantees.amount,
        promised[guarantees.debtor],
        out=np.zeros(guarantees.amount.size),
        where=promised[guarantees.debtor] > 0,
    )
    fraction = np.ones(n)
    for _ in range(_MOST):
        open_ = np.minimum((1 - fraction) * inside, promised)
        called = weight * open_[guarantees.debtor]
        owed = debts.total + np.bincount(guarantees.creditor, weights=called, minlength=n)
        had = debts.outside + _received(parts, debts.total, inside, fraction, guarantees, called)
        now = np.clip(np.divide(had, owed, out=np.ones(n), where=owed > 0), 0.0, 1.0)
        now[now >= _WHOLE] = 1.0
        change = np.abs(now - fraction).max(initial=0.0)
        fraction = now
        if change <= 1e-15:
            return fraction, called
    raise NotConverged(f"calls of guarantees still change payments by a part of {change:.1e} after {_MOST} rounds")


def _received(
    parts: csr_array,
    total: np.ndarray,
    inside: np.ndarray,
    fraction: np.ndarray,
    guarantees: Claims,
    called: np.ndarray,
) -> np.ndarray:
    """What everyone is paid: by its debtors, and by those who guaranteed them."""
    n = total.size
    stood_in = np.bincount(guarantees.debtor, weights=called * fraction[guarantees.creditor], minlength=n)
    # guarantors pay the creditors in the graph alone
    per = np.divide(total, inside, out=np.zeros(n), where=inside > 0)
    return np.asarray(parts.T @ (fraction * total + stood_in * per))
