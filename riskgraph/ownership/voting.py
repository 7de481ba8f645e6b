"""Voting power: how often a holder's votes decide."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.ownership._holdings import holdings
from riskgraph.ownership._power import LISTED, exact_fraction, shapley_value, swings, whole_weights

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["voting_power"]


def voting_power(
    graph: EntityGraph, company: str, *, index: Literal["banzhaf", "shapley"] = "banzhaf", quota: float = 0.5
) -> pd.Series:
    """Voting power of the holders of a company: how often each turns a losing coalition into a winning one.

    A coalition wins with more than ``quota`` of the declared votes. Power is not proportional to votes: of holders
    with 50, 49 and 1 % the last has as much as the second.

    Parameters
    ----------
    index
        ``"banzhaf"`` counts over all coalitions, ``"shapley"`` (Shapley–Shubik) over all orders of the holders.
    quota
        Part of the declared votes, in [0, 1), that a coalition must exceed.

    Returns
    -------
    Series
        Holder → ``power``, summing to 1, in the order of the entities. Treasury votes do not count, nor what nobody
        on record holds; every holder votes for itself, concert or not.

    Notes
    -----
    Counts are exact: votes are whole numbers in the same proportions, with decimals of up to twelve places and
    fractions with denominators up to 10,000 taken as meant. Coalitions are counted by their weight (a company with
    shares in whole percents may have 60 holders, in hundredths of a percent some hundred with Banzhaf), else, up to 20
    holders, one by one.

    Raises
    ------
    UnknownEntity
        The graph does not hold the company.
    InvalidParameter
        Another index, a quota outside [0, 1), no holder with votes, votes known only as an interval, or too many
        holders for their weights.

    References
    ----------
    Banzhaf (1965); Shapley and Shubik (1954).

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.ownership.voting_power(rg.datasets.toy_concert(), "Mine").round(3).to_dict()
    {'Ann': 0.333, 'Bob': 0.333, 'Carl': 0.333}
    """
    if index not in ("banzhaf", "shapley"):
        raise InvalidParameter(f"'index' must be 'banzhaf' or 'shapley'; got {index!r}")
    if isinstance(quota, bool) or not isinstance(quota, (int, float, np.number)) or not 0 <= quota < 1:
        raise InvalidParameter(f"'quota' must be in [0, 1); got {quota!r}")
    code = graph.code(company)
    held = holdings(graph, votes=True)
    pairs = np.arange(held.company_ptr[code], held.company_ptr[code + 1])
    pairs = pairs[held.owner[pairs] != code]
    open_ = pairs[held.exact_low[pairs] != held.exact_high[pairs]]
    if open_.size:
        first = open_[0]
        raise InvalidParameter(
            f"'company' must have holders whose votes are known; {graph.ids[held.owner[first]]!r} has between "
            f"{held.low[first]:.6g} and {held.high[first]:.6g} of {company!r}"
        )
    votes = [_meant(graph, held.indices[held.indptr[pair] : held.indptr[pair + 1]]) for pair in pairs.tolist()]
    if not any(votes):
        raise InvalidParameter(f"'company' must have a holder with votes; {company!r} has none")
    weights, bar = whole_weights(votes, exact_fraction(float(quota)))
    turned = swings(weights, bar, by_size=index == "shapley")
    if turned is None:
        raise InvalidParameter(
            f"'company' must have at most {LISTED} holders when their votes have this many digits, or fewer digits; "
            f"{company!r} has {len(votes)} holders and {sum(weights):,} votes in the smallest whole numbers"
        )
    players = sum(weight > 0 for weight in weights)
    if index == "shapley":
        power = [shapley_value(counts, players) for counts in turned]
    else:
        power = [Fraction(counts[0]) for counts in turned]
    total = sum(power, Fraction(0))
    ids = pd.Index(graph.ids.to_numpy()[held.owner[pairs]], dtype=object, name="holder")
    return pd.Series([float(value / total) for value in power], index=ids, name="power")


def _meant(graph: EntityGraph, relations: np.ndarray) -> Fraction:
    """Votes of parallel relations together."""
    votes = np.nan_to_num(graph.columns.votes_min[relations])
    return sum((exact_fraction(float(part)) for part in votes), Fraction(0))
