"""How often a name is to be expected by chance."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from riskgraph.identity.names import unaccented

__all__ = ["name_chance", "name_key"]

_CJK = re.compile(r"[\u3400-\u9fff]")


def name_key(plain: pd.Series, keys: pd.Series) -> pd.Series:
    """Key of personal names: Latin names in any order of their words, others as they are."""
    words = plain.str.findall(r"[^\W_]+").map(
        lambda found: (
            " ".join(sorted(unaccented(word).casefold() for word in found)) if isinstance(found, list) else None
        )
    )
    latin = plain.str.contains(r"\s", na=False) & ~plain.str.contains(_CJK, na=False)
    return keys.where(~latin, words)


def name_chance(keys: pd.Series) -> np.ndarray:
    """Chance that another entity bears the name, for each of ``keys``.

    Parts of a name (the characters of a Chinese one by place, the words of a Latin one) are taken as independent with
    the frequencies they have in the graph.
    """
    bearers = keys.value_counts()
    names, weight = pd.Series(bearers.index, dtype=object), bearers.to_numpy(dtype=float)
    parts = [_parts(name) for name in names]
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    code, places = pd.factorize(pd.Series([letter for part in parts for letter in part], dtype=object))
    # frequencies within one place: first character, second, …; words of a Latin name in any place
    place = pd.factorize(pd.Series([str(text)[0] for text in places], dtype=object))[0]
    count = np.bincount(code, weights=weight[owner], minlength=len(places))
    total = np.bincount(place, weights=count)
    log = np.log(count / total[place])
    shape, _ = pd.factorize(pd.Series([len(part) for part in parts]))
    shapes = np.bincount(shape, weights=weight) / max(weight.sum(), 1.0)
    chance = np.exp(np.bincount(owner, weights=log[code], minlength=len(parts)) + np.log(shapes[shape]))
    n = len(keys)
    # the model knows nothing rarer than this
    floored = np.maximum(chance, 1.0 / (50.0 * max(n, 1)))
    return floored[pd.Index(names).get_indexer(pd.Index(keys, dtype=object))]


def _parts(name: str) -> list[str]:
    if " " in name:
        return ["w" + word for word in name.split()]
    return [f"{min(place, 9)}{letter}" for place, letter in enumerate(name)]
