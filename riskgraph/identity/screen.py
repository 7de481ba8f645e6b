"""A list of names held against a graph: candidates with a score and the reason, never a verdict."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from riskgraph._optional import import_optional
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.identity._candidates import closeness, grams, similar_names
from riskgraph.identity._chance import name_chance, name_key
from riskgraph.identity.names import compare_key, core_name, unaccented
from riskgraph.schema import ENTITY_KINDS

__all__ = ["screen_list"]

_CJK = re.compile(r"[\u3400-\u9fff]")
_HIDDEN = re.compile(r"[*＊]")
#: 李某某: a person named without the given name
_SOMEBODY = re.compile(r"[\u3400-\u9fff]{1,2}某{1,2}[\u3400-\u9fff]?")
#: how much a name of this kind of agreement resembles the listed one
_LIKENESS = {"exact": 1.0, "legal_form": 0.95, "romanised": 0.9, "masked": 0.5}
_BUDGET = 200_000_000
#: cosine of rarer pieces from which spellings are compared letter by letter
_LOOK = 0.25


def screen_list(
    graph: EntityGraph, names: Iterable[str], *, least: float = 0.8, kind: str | None = None
) -> pd.DataFrame:
    """Entities whose names resemble names of a list: sanctions, bans, tip-offs.

    Parameters
    ----------
    names
        Names as the list prints them. Stars and 某 stand for hidden characters (``张**``, ``李某某``): such names give
        candidates only. A star at the end of a Latin name is a footnote mark.
    least
        Likeness below which nothing is reported, in [0, 1]. It is not held against ``score``: a common name is
        reported, with a low score.
    kind
        Look among entities of this kind only.

    Returns
    -------
    Frame ``listed, entity, name, score, likeness, namesakes, reason``, the surest first. ``reason`` is ``exact`` (equal
    but for width, brackets, case, accents, order of Latin words, traditional characters; 1.0), ``legal_form``
    (equal but for the legal form, 0.95), ``romanised`` (the pinyin fits, 0.9), ``masked`` (the visible characters fit,
    0.5), ``similar`` (rarer pieces or words in common and letter by letter alike, by rapidfuzz; at most 0.95).
    ``namesakes`` is how many others bear the name: in the graph, or of a personal name as many as chance lets expect,
    if more. ``score`` is ``likeness / (1 + namesakes)``.
    ``attrs["not_tried"]`` says what a missing package left out.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.toy_chain()
    >>> rg.identity.screen_list(graph, ["MINE LTD.", "Mi*e"])[["listed", "entity", "likeness", "reason"]]
          listed entity  likeness      reason
    0  MINE LTD.   Mine      0.95  legal_form
    1       Mi*e   Mine      0.50      masked
    """
    if not 0 <= least <= 1:
        raise InvalidParameter(f"'least' must be in [0, 1]; got {least!r}")
    if kind is not None and kind not in ENTITY_KINDS:
        raise InvalidParameter(f"'kind' must be one of {', '.join(ENTITY_KINDS)}; got {kind!r}")
    if isinstance(names, str):
        raise InvalidParameter(f"'names' must be a list of names; got the text {names!r}")
    codes = np.arange(len(graph)) if kind is None else np.flatnonzero(graph.kinds == ENTITY_KINDS.index(kind))
    person = graph.kinds[codes] == ENTITY_KINDS.index("person")
    have = _spellings(pd.Series(graph.names[codes], dtype=object))
    listed = pd.Series([str(name).strip() for name in names], dtype=object).drop_duplicates().reset_index(drop=True)
    hidden = listed.map(_is_masked).astype(bool)
    want = _spellings(listed.str.replace(r"(?<=[^*＊])[*＊]$", "", regex=True).where(~hidden, listed))
    plain = want[~hidden.to_numpy()]
    hits = [_equal(plain, have, "key", "exact"), _equal(plain, have, "core", "legal_form")]
    hits += [_masked(listed[hidden], have["key"]), _similar(plain, have, least)]
    if _has("pypinyin"):
        hits.append(_romanised(plain, have, person))
    asked = {"rapidfuzz": "edit similarity", "pypinyin": "romanised names", "opencc": "traditional characters"}
    not_tried = [f"{what}: {package} is not installed" for package, what in asked.items() if not _has(package)]
    found = pd.concat(hits, ignore_index=True)
    found = found[(found["likeness"] >= least) | (found["reason"] == "masked")]
    found = found.sort_values("likeness", ascending=False, kind="stable").drop_duplicates(["row", "at"])
    at = found["at"].to_numpy(dtype=np.int64)
    namesakes = found["fits"].to_numpy(dtype=float) - 1
    chance = np.zeros(codes.size)
    chance[person] = name_chance(have["key"][person].astype(str)) * person.sum()
    namesakes = np.maximum(namesakes, np.where(found["reason"] == "masked", 0.0, np.where(person[at], chance[at], 0.0)))
    result = pd.DataFrame(
        {
            "listed": listed.to_numpy()[found["row"].to_numpy(dtype=np.int64)],
            "entity": graph.ids[codes[at]],
            "name": graph.names[codes[at]],
            "score": found["likeness"].to_numpy(dtype=float) / (1 + namesakes),
            "likeness": found["likeness"].to_numpy(dtype=float),
            "namesakes": namesakes.round(2),
            "reason": found["reason"].to_numpy(),
        }
    )
    result = result.sort_values("score", ascending=False, kind="stable").reset_index(drop=True)
    result.attrs["not_tried"] = not_tried
    return result


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _is_masked(name: str) -> bool:
    if _SOMEBODY.fullmatch(name):
        return True
    stars = _HIDDEN.findall(name)
    footnote = not _CJK.search(name) and len(stars) == 1 and _HIDDEN.search(name[-1:]) is not None
    return bool(stars) and not footnote


def _spellings(plain: pd.Series) -> pd.DataFrame:
    short = core_name(plain)
    core = compare_key(short)
    # Latin names keep their spaces where pieces are compared
    bare = core.where(plain.str.contains(_CJK, na=False), short.map(_lower, na_action="ignore"))
    return pd.DataFrame({"plain": plain, "key": name_key(plain, compare_key(plain)), "core": core, "bare": bare})


def _lower(text: str) -> str:
    return unaccented(text).casefold()


def _hits(row: np.ndarray, at: np.ndarray, likeness: np.ndarray | float, fits: np.ndarray, reason: str) -> pd.DataFrame:
    return pd.DataFrame({"row": row, "at": at, "likeness": likeness, "fits": fits, "reason": reason})


def _equal(want: pd.DataFrame, have: pd.DataFrame, column: str, reason: str) -> pd.DataFrame:
    left = pd.DataFrame({"key": want[column], "row": want.index}).dropna()
    right = pd.DataFrame({"key": have[column], "at": np.arange(len(have))}).dropna()
    both = left[left["key"] != ""].merge(right, on="key")
    fits = both.groupby("row")["at"].transform("size").to_numpy()
    return _hits(both["row"].to_numpy(), both["at"].to_numpy(), _LIKENESS[reason], fits, reason)


def _masked(names: pd.Series, keys: pd.Series) -> pd.DataFrame:
    """Entities a masked name may stand for: each star or 某 is one character."""
    codes, texts = pd.factorize(keys)
    known = pd.Series(texts, dtype=object)
    found = [_hits(np.empty(0, int), np.empty(0, int), 0.0, np.empty(0, int), "masked")]
    for row, name in names.items():
        stars = _HIDDEN.sub("\0", name if _HIDDEN.search(name) else name.replace("某", "*").replace("*", "\0"))
        parts = [str(key or "") for key in compare_key(pd.Series(stars.split("\0"), dtype=object))]
        fits = known.str.fullmatch(".".join(map(re.escape, parts)), na=False).to_numpy(dtype=bool)
        at = np.flatnonzero(np.append(fits, False)[codes])
        found.append(_hits(np.full(at.size, row), at, _LIKENESS["masked"], np.full(at.size, at.size), "masked"))
    return pd.concat(found, ignore_index=True)


def _similar(want: pd.DataFrame, have: pd.DataFrame, least: float) -> pd.DataFrame:
    """Names of which the rarer pieces agree; of several bearers of one name the ten first found."""
    texts = pd.concat([want["bare"], have["bare"]], ignore_index=True).fillna("").astype(str)
    table = grams(texts.tolist())
    left, right = np.arange(len(want)), np.arange(len(want), len(want) + len(have))
    if not left.size or not right.size:
        return _hits(np.empty(0, int), np.empty(0, int), 0.0, np.empty(0, int), "similar")
    a, b, _ = similar_names(table, left, right, budget=_BUDGET, cosine=_LOOK, overlap=np.inf)
    near = np.minimum(closeness(table, a, b)[0], 1.0)
    if _has("rapidfuzz") and a.size:
        near = np.maximum(near, _by_letters(texts, a, b, near))
    at = b - len(want)
    bearers = have["core"].map(have["core"].value_counts()).fillna(1).to_numpy()
    return _hits(want.index.to_numpy()[a], at, 0.95 * near, bearers[at], "similar")


def _by_letters(texts: pd.Series, a: np.ndarray, b: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Likeness of misprints: what words in common weigh by their rarity, and the edit similarity of the other words.

    Names of one run of letters, such as Chinese ones, get the mean of edit similarity and cosine: common pieces alone
    must not make two names alike.
    """
    alike = import_optional("rapidfuzz.distance", extra="identity").Levenshtein.normalized_similarity
    words = [frozenset(text.split()) for text in texts]
    seen = Counter(word for one in words for word in one)
    weight = {word: np.log((1 + len(texts)) / (1 + count)) + 1 for word, count in seen.items()}
    found = np.zeros(a.size)
    for at, (i, j) in enumerate(zip(a, b, strict=True)):
        one, two = words[i], words[j]
        if len(one) < 2 and len(two) < 2:
            found[at] = (alike(texts.iloc[i], texts.iloc[j]) + near[at]) / 2
            continue
        common = sum(weight[word] for word in one & two)
        rest = sum(weight[word] for word in one ^ two) / 2
        edit = alike(" ".join(sorted(one - two)), " ".join(sorted(two - one)))
        # words that are less than half alike are other words
        found[at] = (common + (edit if edit >= 0.5 else 0.0) * rest) / max(common + rest, 1e-9)
    return found


def _romanised(want: pd.DataFrame, have: pd.DataFrame, person: np.ndarray) -> pd.DataFrame:
    """Chinese personal names whose pinyin, family name first or last, is the listed name."""
    pinyin = import_optional("pypinyin", extra="identity").lazy_pinyin
    latin = want[want["plain"].str.fullmatch(r"[A-Za-z'-]+,? [A-Za-z' -]{2,40}", na=False)]
    short = have["key"].str.fullmatch(r"[\u3400-\u9fff]{2,4}", na=False).to_numpy(dtype=bool) & person
    if not len(latin) or not short.any():
        return _hits(np.empty(0, int), np.empty(0, int), 0.0, np.empty(0, int), "romanised")
    at = np.flatnonzero(short)
    sounds = {name: pinyin(name) for name in have["key"].iloc[at].unique()}
    forms = [
        (form.replace("ü", "v"), spot)
        for spot, name in zip(at, have["key"].iloc[at], strict=True)
        for form in {"".join(sounds[name]), "".join([*sounds[name][1:], sounds[name][0]])}
    ]
    right = pd.DataFrame(forms, columns=["key", "at"])
    left = pd.DataFrame(
        {"key": latin["plain"].str.replace(r"[^A-Za-z]", "", regex=True).str.lower(), "row": latin.index}
    )
    both = left.merge(right, on="key").drop_duplicates(["row", "at"])
    fits = both.groupby("row")["at"].transform("size").to_numpy()
    return _hits(both["row"].to_numpy(), both["at"].to_numpy(), _LIKENESS["romanised"], fits, "romanised")
