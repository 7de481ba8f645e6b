"""Candidates for being one person or firm: ``same_as`` relations with a probability and the evidence, never a merge."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.identity._pairs import Pairs, pairs_of
from riskgraph.identity.weights import checked_weights

__all__ = ["match"]

_NAMES = ("same_name", "same_core_name", "near_name", "name_within", "part_of_name", "other_name")


def match(
    graph: EntityGraph,
    other: EntityGraph | None = None,
    *,
    kind: str = "person",
    weights: pd.DataFrame | None = None,
    least: float = 0.01,
    budget: int = 2_000_000,
) -> pd.DataFrame:
    """Pairs of entities that may be one, with the probability that they are and what speaks for it.

    The model is Fellegi and Sunter's (1969): prior odds times one factor m/u for each comparison. An equal personal
    name weighs by how often it is to be expected by chance, from the graph's own names; the share of pairs that are
    one is the maximum of the likelihood of names and births given the weights; what is unknown on either side says
    nothing. Births come from the columns ``birth_year`` and ``birth_month``, or from ``birth_date`` (1970-01-31,
    1970-01 or 1970).

    Parameters
    ----------
    other
        Second graph: candidates are pairs across the two, ``source`` in ``graph`` and ``target`` in ``other``.
    kind
        ``"person"`` (equal names) or ``"company"`` (equal and similar names, legal forms and brackets aside, and
        equal codes, sites or licences: the columns ``uscc, lei, website, licence`` where present).
    weights
        Table as of :func:`default_weights` or :func:`estimate_weights`.
    least
        Pairs less probable are left out.
    budget
        Most pairs of equal names compared: the most frequent names are left out first, but for bearers who meet in one
        firm, address or account. ``attrs["left_out"]`` of the result gives them with their number of bearers,
        ``attrs["common_pieces"]`` the number of pieces of firm names too common to search by.

    Returns
    -------
    Frame ``source, target, kind, confidence, evidence``, the surest first: relations to add with
    :meth:`EntityGraph.with_changes`. Nothing is merged. ``evidence`` lists each level with its factor; the factors
    times ``attrs["prior_odds"]`` are the odds.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> found = rg.identity.match(graph, least=0.0)
    >>> set(found["kind"]), bool(found["confidence"].between(0, 1).all())
    ({'same_as'}, True)
    """
    table = checked_weights(kind, weights)
    if not 0 <= least <= 1:
        raise InvalidParameter(f"'least' must be in [0, 1]; got {least!r}")
    if isinstance(budget, bool) or not isinstance(budget, (int, np.integer)) or budget < 0:
        raise InvalidParameter(f"'budget' must be a whole number, 0 or more; got {budget!r}")
    found = pairs_of(graph, other, kind=kind, table=table, budget=int(budget))
    share = found.share(table) if found.a.size else 0.0
    factor = found.factor(table)
    odds = share / (1 - share) * factor
    probability = odds / (1 + odds)
    order = np.lexsort((found.b, found.a, -probability))
    order = order[probability[order] >= least]
    data = found.records
    result = pd.DataFrame(
        {
            "source": data.ids[found.a[order]],
            "target": data.ids[found.b[order]],
            "kind": "same_as",
            "confidence": probability[order],
            "evidence": _texts(found, order, table),
        }
    )
    result.attrs |= {
        "prior_odds": share / (1 - share),
        "pairs": int(found.a.size),
        "left_out": found.left_out,
        "common_pieces": found.pieces_left_out,
    }
    return result


def _texts(found: Pairs, order: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Evidence of the pairs in this order: each combination of levels is written once."""
    levels = found.levels.iloc[order]
    width = {name: int((table["comparison"] == name).sum()) + 1 for name in levels}
    key = np.zeros(order.size, dtype=np.int64)
    for name in levels:
        key = key * width[name] + levels[name].to_numpy() + 1
    _, first, code = np.unique(key, return_index=True, return_inverse=True)
    rest = []
    parts = {name: table[table["comparison"] == name].reset_index(drop=True) for name in levels}
    for row in levels.to_numpy()[first].tolist():
        said = [(name, parts[name].iloc[level]) for name, level in zip(levels, row, strict=True) if level >= 0]
        rest.append("".join(f"; {_word(name, one['level'])} ×{one['m'] / one['u']:.3g}" for name, one in said))
    rounded, place = np.unique(found.name_factor[order], return_inverse=True)
    factors = np.array([f" ×{value:.3g}" for value in rounded], dtype=object)
    names = np.array(_NAMES, dtype=object)[found.name_level[order]]
    return np.asarray(names + factors[place] + np.array(rest, dtype=object)[code], dtype=object)


def _word(comparison: str, level: str) -> str:
    if comparison in ("near", "beside"):
        return level
    return f"{level.split('_')[0]}_{'province' if level == 'same_province' else comparison}" + (
        "_year" if level == "same_year" else ""
    )
