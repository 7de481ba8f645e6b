"""What each piece of evidence weighs: documented defaults, and estimates from the graph at hand without labels."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import yaml

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.identity._compare import compare
from riskgraph.identity._estimate import expectation_maximisation
from riskgraph.identity._pairs import pairs_of
from riskgraph.identity._records import Records

__all__ = ["default_weights", "estimate_weights"]

#: true pairs that the m given counts for: where the graph holds few of them, the estimate stays near it
_PSEUDO = 5.0
#: the same for u, counted on random pairs: no level becomes impossible because none was drawn
_PSEUDO_U = 2.0
_DRAWS = 200_000


@cache
def _defaults() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(files("riskgraph.identity").joinpath("weights.yaml").read_text("utf-8"))
    return loaded


def default_weights(kind: str = "person") -> pd.DataFrame:
    """Table ``comparison, level, m, u, reason``: chance of each level between records of one, and of two, entities.

    ``u`` of an equal personal name is NaN: it is the chance of that name. Change a number, or leave a comparison out by
    dropping its rows, and hand the table to :func:`match`.

    Examples
    --------
    >>> default_weights("person").query("comparison == 'birth_year'")[["level", "m", "u"]].reset_index(drop=True)
       level      m     u
    0   same  0.958  0.03
    1   next  0.040  0.06
    2  other  0.002  0.91
    """
    if kind not in _defaults():
        raise InvalidParameter(f"'kind' must be one of {', '.join(_defaults())}; got {kind!r}")
    rows = [
        (comparison, level, float(entry["m"]), np.nan if entry["u"] == "name" else float(entry["u"]), entry["reason"])
        for comparison, levels in _defaults()[kind].items()
        for level, entry in levels.items()
    ]
    return pd.DataFrame(rows, columns=["comparison", "level", "m", "u", "reason"])


def estimate_weights(
    graph: EntityGraph,
    other: EntityGraph | None = None,
    *,
    kind: str = "person",
    weights: pd.DataFrame | None = None,
    budget: int = 2_000_000,
    random_state: int = 0,
) -> pd.DataFrame:
    """Weights estimated from the graph without labels (Fellegi and Sunter 1969; Winkler 1988).

    ``u`` is counted on pairs drawn at random, which are next to never one entity. ``m`` is found by expectation and
    maximisation over the candidate pairs, in which the rarity of a name stays what it is. Comparisons the graph cannot
    make, and the levels of the name, keep the weights given.

    Parameters
    ----------
    other
        Second graph: pairs across the two.
    weights
        Table to start from; the defaults if missing.

    Returns
    -------
    Frame as of :func:`default_weights`; ``reason`` says what was estimated from how many pairs.

    Examples
    --------
    >>> import riskgraph as rg
    >>> table = rg.identity.estimate_weights(rg.datasets.load_county().graph)
    >>> bool(table["m"].between(0, 1).all())
    True
    """
    table = checked_weights(kind, weights)
    found = pairs_of(graph, other, kind=kind, table=table, budget=budget)
    if not found.a.size:
        return table
    names = [name for name in found.levels.columns if (found.levels[name] >= 0).any()]
    if not names:
        return table
    drawn, count = _random_levels(found.records, table, kind, random_state)
    m, u = [], []
    for name in names:
        part = table[table["comparison"] == name]
        start = part["u"].to_numpy()
        level = drawn[name].to_numpy()
        seen = np.bincount(level[level >= 0], minlength=len(part)).astype(float)
        # the given u counts as a few pairs: levels never drawn keep a chance
        u.append((seen + _PSEUDO_U * start / start.sum()) / (seen.sum() + _PSEUDO_U))
        m.append(part["m"].to_numpy() / part["m"].sum())
    # equal rows are one row with a count
    rows = found.levels[names].assign(_factor=found.name_factor).value_counts(sort=False).rename("_count").reset_index()
    fit = expectation_maximisation(
        rows[names].to_numpy(dtype=np.int64),
        m,
        u,
        share=found.share_among(table),
        # only which names are rarer than others: that all are rare or common must not decide how many pairs are one
        fixed=rows["_factor"].to_numpy() / np.exp(np.mean(np.log(found.name_factor))),
        counts=rows["_count"].to_numpy(),
        free_u=False,
        pseudo=_PSEUDO,
    )
    result = table.copy()
    for name, mine, yours in zip(names, fit.m, u, strict=True):
        at = result.index[result["comparison"] == name]
        known = int((found.levels[name] >= 0).sum())
        result.loc[at, "m"] = mine
        result.loc[at, "u"] = yours
        result.loc[at, "reason"] = f"m from {known} candidate pairs, u from {count} random pairs"
    return result


def checked_weights(kind: str, weights: pd.DataFrame | None) -> pd.DataFrame:
    """The table given or the defaults, checked."""
    default = default_weights(kind)
    if weights is None:
        return default
    if not isinstance(weights, pd.DataFrame) or not {"comparison", "level", "m", "u"} <= set(weights.columns):
        raise InvalidParameter("'weights' must be a frame with the columns comparison, level, m, u")
    known = default.set_index(["comparison", "level"]).index
    for key in zip(weights["comparison"], weights["level"], strict=True):
        if key not in known:
            raise InvalidParameter(f"'weights' must hold comparisons and levels of {kind}; got {key[0]!r}, {key[1]!r}")
    for name, part in default.groupby("comparison", sort=False):
        given = weights[weights["comparison"] == name]
        if (name == "name" or len(given)) and list(given["level"]) != list(part["level"]):
            raise InvalidParameter(
                f"'weights' of {name!r} must hold the levels {', '.join(part['level'])} in this order"
            )
    for column in ("m", "u"):
        value = pd.to_numeric(weights[column], errors="coerce")
        rarity = (weights["comparison"] == "name") & default_is_rarity(kind) & (column == "u")
        bad = ~value.between(0, 1, inclusive="right") & ~rarity
        if bad.any():
            raise InvalidParameter(f"'weights' must have {column} in (0, 1]; got {weights.loc[bad, column].iloc[0]}")
    result = weights.reset_index(drop=True)
    return result if "reason" in result else result.assign(reason="given")


def default_is_rarity(kind: str) -> bool:
    """Whether the u of a name is the chance of that very name."""
    return kind == "person"


def _random_levels(data: Records, table: pd.DataFrame, kind: str, random_state: int) -> tuple[pd.DataFrame, int]:
    generator = np.random.default_rng(random_state)
    if data.side is None:
        a, b = generator.choice(data.codes, (2, _DRAWS))
    else:
        a = generator.choice(data.codes[data.side[data.codes] == 0], _DRAWS)
        b = generator.choice(data.codes[data.side[data.codes] == 1], _DRAWS)
    other = (a != b) & (data.keys[a] != data.keys[b])
    a, b = a[other], b[other]
    wanted = {str(name): list(part["level"]) for name, part in table.groupby("comparison", sort=False)}
    return compare(data, a, b, wanted, person=kind == "person"), int(a.size)
