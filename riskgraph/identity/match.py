"""Candidates for being one person or firm: ``same_as`` relations with a probability and the evidence, never a merge."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.identity.names import compare_key
from riskgraph.schema import ENTITY_KINDS

__all__ = ["match"]

#: how much likelier a piece of evidence is for one entity than for two namesakes
LIKELIHOOD_RATIOS = {
    "linked_firms": 30.0,  # their firms own, control or guarantee each other
    "shared_neighbour": 60.0,  # they meet in a firm, an address or an account: seldom by chance
    "shared_name_around": 40.0,  # another name stands beside both: the same co-officer or co-holder twice
    "same_birth_year": 25.0,  # two grown people share it in about 1 of 25 to 40 cases
    "other_birth_year": 0.002,  # records err now and then
}


def match(graph: EntityGraph, *, kind: str = "person", least: float = 0.01, most_bearers: int = 300) -> pd.DataFrame:
    """Pairs of entities that bear one name and may be one, with the probability that they are.

    The prior comes from the data (Fellegi and Sunter 1969): the more often a name is to be expected by chance, the less
    it says. The chance of a name is the product of the frequencies of its length, its first character and each further
    one, as they occur in the graph; how many pairs are truly one is the excess of same-name pairs over what chance
    explains. Evidence around the two multiplies the odds by fixed ratios (``LIKELIHOOD_RATIOS``), each kind once.

    Parameters
    ----------
    kind
        Entity kind to compare.
    least
        Pairs less probable are left out.
    most_bearers
        Names with more bearers than this say nothing and are not compared; ``attrs["left_out"]`` of the result lists
        them with their number of bearers.

    Returns
    -------
    Frame ``source, target, kind, confidence, evidence``, the surest first: relations to add with
    :meth:`EntityGraph.with_changes`. Nothing is merged.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> found = rg.identity.match(graph)
    >>> set(found["kind"]), bool(found["confidence"].between(0, 1).all())
    ({'same_as'}, True)
    """
    if kind not in ENTITY_KINDS:
        raise InvalidParameter(f"'kind' must be one of {', '.join(ENTITY_KINDS)}; got {kind!r}")
    if not 0 <= least <= 1:
        raise InvalidParameter(f"'least' must be in [0, 1]; got {least!r}")
    codes = np.flatnonzero(graph.kinds == ENTITY_KINDS.index(kind))
    keys = compare_key(pd.Series(graph.names[codes], dtype=object))
    named = keys.notna().to_numpy() & (keys != "").to_numpy()
    codes, keys = codes[named], keys[named]
    empty = pd.DataFrame({name: [] for name in ("source", "target", "kind", "confidence", "evidence")})
    if codes.size < 2:
        return empty
    a, b = _pairs(codes, keys.to_numpy(), most_bearers)
    if not a.size:
        return empty
    chance, share = _prior(codes, keys)
    name_of = pd.Series(chance, index=codes)
    evidence = _evidence(graph, a, b)
    odds = share / (1 - share) / name_of[a].to_numpy()
    for name, seen in evidence.items():
        odds = np.where(seen, odds * LIKELIHOOD_RATIOS[name], odds)
    probability = odds / (1 + odds)
    texts = np.array(["same_name"] * a.size, dtype=object)
    for name, seen in evidence.items():
        texts = np.where(seen, texts + f";{name}", texts)
    frame = pd.DataFrame(
        {
            "source": graph.ids[a],
            "target": graph.ids[b],
            "kind": "same_as",
            "confidence": probability,
            "evidence": texts,
        }
    )
    order = np.lexsort((b, a, -probability))
    result = frame.iloc[order[probability[order] >= least]].reset_index(drop=True)
    counts = keys.value_counts()
    result.attrs["left_out"] = {str(name): int(count) for name, count in counts[counts > most_bearers].items()}
    return result


def _pairs(codes: np.ndarray, keys: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of codes with one key, for names with at most ``most`` bearers."""
    frame = pd.DataFrame({"key": keys, "code": codes})
    size = frame.groupby("key")["code"].transform("size")
    frame = frame[(size > 1) & (size <= most)]
    both = frame.merge(frame, on="key")
    both = both[both["code_x"] < both["code_y"]]
    return both["code_x"].to_numpy(), both["code_y"].to_numpy()


def _prior(codes: np.ndarray, keys: pd.Series) -> tuple[np.ndarray, float]:
    """Chance of each entity's name, and the share of all pairs that are truly one entity."""
    first = keys.str[0].value_counts(normalize=True)
    later = pd.Series([letter for name in keys for letter in name[1:]], dtype=object).value_counts(normalize=True)
    lengths = keys.str.len().value_counts(normalize=True)
    by_name = {
        name: float(first[name[0]] * lengths[len(name)] * np.prod([later[letter] for letter in name[1:]]))
        for name in keys.unique()
    }
    chance = keys.map(by_name).to_numpy(dtype=float)
    n = keys.size
    counts = keys.value_counts()
    together = float((counts * (counts - 1) / 2).sum())
    pairs = n * (n - 1) / 2
    # what chance alone would give: two draws of a name are equal with the mean of its frequency
    expected = pairs * float(np.mean(chance))
    share = max(together - expected, 0.05 * together) / pairs
    return np.maximum(chance, 1.0 / (50.0 * n)), min(max(share, 1e-12), 0.5)


def _evidence(graph: EntityGraph, a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    """What joins the two of each pair beside the name, one mask a kind of evidence."""
    n = len(graph)
    ends = np.concatenate([graph.columns.source, graph.columns.target, graph.past.source, graph.past.target])
    others = np.concatenate([graph.columns.target, graph.columns.source, graph.past.target, graph.past.source])
    apart = ends != others
    near = _flags(ends[apart], others[apart], n, n)
    rows, spots = np.unique(np.concatenate([a, b]), return_inverse=True)
    left, right = spots[: a.size], spots[a.size :]
    one = near[rows]
    two = one @ near
    names = pd.factorize(graph.names)[0]
    # names two steps away are those who stand beside an entity in its firms
    beside = (two @ _flags(np.arange(n), names, n, int(names.max(initial=0)) + 1)).tocsr()
    direct = _meet(one[left], one[right])
    linked = _meet(one[left], two[right]) | _meet(two[left], one[right])
    found = {
        "linked_firms": linked & ~direct,
        "shared_neighbour": direct,
        "shared_name_around": _another_name(beside[left], beside[right], names[a]) & ~direct,
    }
    if "birth_year" in graph.entities:
        years = pd.to_numeric(graph.entities["birth_year"], errors="coerce").to_numpy(dtype=float)
        known = ~np.isnan(years[a]) & ~np.isnan(years[b])
        found["same_birth_year"] = known & (years[a] == years[b])
        found["other_birth_year"] = known & (years[a] != years[b])
    return found


def _flags(rows: np.ndarray, columns: np.ndarray, height: int, width: int) -> csr_array:
    table = csr_array((np.ones(rows.size, dtype=np.int32), (rows, columns)), shape=(height, width))
    table.sum_duplicates()
    table.data[:] = 1
    return table


def _meet(one: csr_array, two: csr_array) -> np.ndarray:
    """Whether two rows have an entry in common, row by row."""
    return np.asarray(one.multiply(two).sum(axis=1)).ravel() > 0


def _another_name(one: csr_array, two: csr_array, own: np.ndarray) -> np.ndarray:
    """Whether two rows share a name other than their own."""
    both = csr_array(one.minimum(two))
    rows = np.repeat(np.arange(own.size), np.diff(both.indptr))
    return np.bincount(rows[both.indices != own[rows]], minlength=own.size) > 0
