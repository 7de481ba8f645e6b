"""Who owes whom how much: claims along loans and guarantees, and balance-sheet numbers from a mapping or from facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph

__all__ = ["Claims", "claims", "known_numbers", "listed"]

#: how many entities or relations an error spells out
_SHOWN = 20


class Claims(NamedTuple):
    """Claims of creditors on debtors, one entry a relation."""

    creditor: np.ndarray
    debtor: np.ndarray
    amount: np.ndarray
    #: base rows of the relations
    row: np.ndarray

    def table(self, n: int) -> csr_array:
        """``[creditor, debtor]``: sums of the amounts."""
        return csr_array((self.amount, (self.creditor, self.debtor)), shape=(n, n))

    def between(self, creditor: int, debtor: int) -> tuple[int, ...]:
        """Base rows of the relations by which one has a claim on the other."""
        return tuple(self.row[(self.creditor == creditor) & (self.debtor == debtor) & (self.amount > 0)].tolist())


def claims(graph: EntityGraph, *kinds: str) -> Claims:
    """Claims along relations of some kinds: a lender's on the borrower, a guarantor's on the debtor.

    Raises
    ------
    InvalidParameter
        A relation has no amount: it is not zero.
    """
    columns = graph.columns
    places = columns.of(*kinds)
    amount = columns.amount[places]
    unknown = places[np.isnan(amount)]
    if unknown.size:
        names = listed(graph.relation_ids(unknown[:_SHOWN]), unknown.size)
        raise InvalidParameter(
            f"'graph' must have an amount on every relation of kind {' or '.join(kinds)}, and unknown is not zero; "
            f"{unknown.size} have none: {names}"
        )
    return Claims(columns.source[places], columns.target[places], amount, columns.row[places])


def known_numbers(graph: EntityGraph, name: str, given: Any, *, negative: bool = True) -> np.ndarray:
    """A number an entity, NaN where unknown: from a mapping id → number, or from the facts called ``name``.

    Of several facts in force the one that began last counts, and of several of that day the lowest.

    Raises
    ------
    InvalidParameter
        ``given`` is no mapping, or holds what is not a number, or a negative one where none may be.
    UnknownEntity
        ``given`` names an entity the graph does not hold.
    """
    if given is None:
        return _from_facts(graph, name)
    if not isinstance(given, (Mapping, pd.Series)):
        raise InvalidParameter(f"{name!r} must be None or a mapping of id to number; got {type(given).__name__}")
    values = np.full(len(graph), np.nan)
    codes = graph.codes(given.keys())
    for code, (entity, value) in zip(codes.tolist(), given.items(), strict=True):
        number = float(value) if isinstance(value, (int, float, np.integer, np.floating)) else np.nan
        if not np.isfinite(number) or isinstance(value, bool) or (number < 0 and not negative):
            rule = "finite numbers" if negative else "finite numbers of 0 or more"
            raise InvalidParameter(f"{name!r} must hold {rule}; got {value!r} for {entity!r}")
        values[code] = number
    return values


def _from_facts(graph: EntityGraph, name: str) -> np.ndarray:
    facts = graph.facts
    facts = facts[facts["fact"] == name]
    numbers = pd.to_numeric(facts["value"], errors="coerce")
    table = pd.DataFrame({"entity": facts["entity"], "start": facts["start"], "number": numbers}).dropna(
        subset=["number"]
    )
    table = table.sort_values(["start", "number"], ascending=[True, False], na_position="first", kind="stable")
    table = table.drop_duplicates("entity", keep="last")
    values = np.full(len(graph), np.nan)
    values[graph.codes(table["entity"])] = table["number"].to_numpy(dtype=np.float64)
    return values


def listed(names: Any, total: int) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(map(str, names[:_SHOWN]))
    return shown if total <= _SHOWN else f"{shown} … and {total - _SHOWN} more"
