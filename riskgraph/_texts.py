"""Columns of text: how tens of millions of cells are checked, looked up and kept without a Python object for each.

A column is *packed* when pandas keeps it as Arrow strings, as it does with what ``pandas.read_parquet`` gives, and
*coded* when it is categorical with texts as categories. All functions here take packed and coded columns and arrays of
objects alike, and answer the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Directory", "Places", "give_back", "is_coded", "is_packed", "joined", "objects", "unpacked"]

#: cells of a packed column that are turned into objects at once
_BATCH = 1 << 18


def is_packed(values: Any) -> bool:
    """Whether a column is held as Arrow strings."""
    dtype = getattr(values, "dtype", None)
    return isinstance(dtype, pd.StringDtype) and dtype.storage.startswith("pyarrow")


def is_coded(values: Any) -> bool:
    """Whether a column is held as numbers of its distinct texts."""
    dtype = getattr(values, "dtype", None)
    return isinstance(dtype, pd.CategoricalDtype) and all(isinstance(text, str) for text in dtype.categories)


def _arrow(values: pd.Series) -> Any:
    return values.array.__arrow_array__()


def objects(values: Any) -> np.ndarray:
    """The cells as Python objects, None where they are missing; texts that come back in a packed column share one.

    Examples
    --------
    >>> objects(pd.Series(["a", None], dtype=object)).tolist()
    ['a', None]
    """
    if is_coded(values):
        coded = pd.Categorical(values)
        return np.array([*coded.categories, None], dtype=object)[coded.codes]
    if not is_packed(values):
        return np.asarray(values, dtype=object)
    found = np.empty(len(values), dtype=object)
    pool: dict[str, str] = {}
    begin = 0
    for chunk in _arrow(values).chunks:
        for start in range(0, len(chunk), _BATCH):
            part = chunk.slice(start, _BATCH)
            packed = part.dictionary_encode()
            if 2 * len(packed.dictionary) < len(part):
                texts = [pool.setdefault(text, text) for text in packed.dictionary.to_pylist()]
                codes = packed.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
                found[begin : begin + len(part)] = np.array([*texts, None], dtype=object)[codes]
            else:
                found[begin : begin + len(part)] = part.to_numpy(zero_copy_only=False)
            begin += len(part)
    return found


def joined(values: pd.Series) -> pd.Series:
    """A packed column in one piece: taking a few cells of one in many pieces would copy all of them."""
    cells = _arrow(values)
    if cells.num_chunks > 1:
        values = pd.Series(values.dtype.__from_arrow__(cells.combine_chunks()), index=values.index, copy=False)
    return values


def unpacked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the texts of packed and coded columns as objects; the other columns are shared.

    Examples
    --------
    >>> unpacked(pd.DataFrame({"kind": pd.Categorical(["person", None])}))["kind"].tolist()
    ['person', None]
    """
    frame = frame.copy(deep=False)
    for column in frame.columns[[is_packed(values) or is_coded(values) for _, values in frame.items()]]:
        frame[column] = pd.Series(objects(frame[column]), index=frame.index, dtype=object)
    return frame


def give_back() -> None:
    """Give memory that Arrow keeps for later back to the system: after loading it is not needed soon again."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


class Directory:
    """Texts and the place of each: who is who, asked for whole columns at once.

    Parameters
    ----------
    texts
        The texts.
    asked
        Columns by name whose places will be asked for. Packed ones are hashed together with packed texts in one pass.

    Examples
    --------
    >>> directory = Directory(np.array(["ann", "bob"], dtype=object))
    >>> directory.codes(np.array(["bob", "eve", None], dtype=object)).tolist()
    [1, -1, -1]
    """

    def __init__(self, texts: Any, asked: dict[str, Any] | None = None) -> None:
        self._texts = texts
        self._index: pd.Index | None = None
        self._found: dict[str, np.ndarray] = {}
        #: whether each text is there and once, as far as that is known
        self.unique = False
        packed = {name: values for name, values in (asked or {}).items() if is_packed(values)}
        if is_packed(texts) and packed:
            self._hash(packed)

    @classmethod
    def of(cls, options: Sequence[str], *, like: Any) -> Directory:
        """Directory of a few options, packed if a column is."""
        return cls(pd.Series(options, dtype="string[pyarrow]" if is_packed(like) else object))

    def _hash(self, asked: dict[str, Any]) -> None:
        import pyarrow as pa

        known, *columns = (_arrow(values) for values in (self._texts, *asked.values()))
        chunks = [chunk for column in (known, *columns) for chunk in column.cast(known.type).chunks]
        # the texts come first, so that the number of a text is its place, as long as none comes twice
        coded = pa.chunked_array(chunks, known.type).dictionary_encode()
        numbers = np.empty(len(coded), dtype=np.int32)
        begin = 0
        for chunk in coded.chunks:
            numbers[begin : begin + len(chunk)] = chunk.indices.fill_null(-1)
            begin += len(chunk)
        count = len(known)
        self.unique = bool((numbers[:count] == np.arange(count, dtype=np.int32)).all())
        if self.unique:
            numbers[numbers >= count] = -1
            for name, column in zip(asked, columns, strict=True):
                self._found[name] = numbers[count : count + len(column)]
                count += len(column)

    def only(self, good: np.ndarray) -> Directory:
        """The texts of a mask."""
        return self if good.all() else Directory(self._texts[good])

    def texts(self, codes: np.ndarray) -> list[str]:
        """Texts at these places."""
        found = self._texts.iloc[codes] if isinstance(self._texts, pd.Series) else self._texts[codes]
        return [str(text) for text in objects(found)]

    def codes(self, values: Any, name: str = "") -> np.ndarray:
        """Place of every cell, int32, -1 where it is not here; ``name`` is that of a column announced as asked for."""
        if is_coded(values):
            coded = pd.Categorical(values)
            places = self.codes(np.array(coded.categories, dtype=object))
            return np.append(places, np.int32(-1))[coded.codes]
        if name in self._found:
            return self._found.pop(name)
        if not len(values):
            return np.empty(0, dtype=np.int32)
        if is_packed(self._texts):
            return self._lookup(values if is_packed(values) else pd.Series(values, dtype="string[pyarrow]"))
        if self._index is None:
            self._index = pd.Index(objects(self._texts), dtype=object)
        return self._index.get_indexer(pd.Index(objects(values), dtype=object)).astype(np.int32)

    def _lookup(self, values: pd.Series) -> np.ndarray:
        from pyarrow import compute

        known = _arrow(self._texts)
        asked = _arrow(values).cast(known.type)
        if 8 * len(asked) > len(known):
            return _places(asked, known)
        # few are asked for: only they are hashed, and the texts run past them
        few = compute.unique(asked)
        place = np.full(len(few) + 1, -1, dtype=np.int32)
        found = _places(known, few)
        hits = np.flatnonzero(found >= 0)[::-1]
        place[found[hits]] = hits
        return place[_places(asked, few)]


def _places(asked: Any, known: Any) -> np.ndarray:
    from pyarrow import compute

    found = compute.index_in(asked, value_set=known, skip_nulls=True)
    return np.asarray(found.fill_null(-1).to_numpy(), dtype=np.int32)


class Places:
    """Places of the texts of a long column, asked for one by one: hashes in order, 12 bytes a text.

    Examples
    --------
    >>> places = Places(pd.Series(["ann", "bob"], dtype=object))
    >>> places.of("bob"), places.of("eve")
    (1, -1)
    """

    def __init__(self, texts: pd.Series) -> None:
        self._texts = texts
        parts = [_hashes(objects(texts.iloc[begin : begin + _BATCH])) for begin in range(0, len(texts), _BATCH)]
        hashes = np.concatenate([np.empty(0, dtype=np.uint64), *parts])
        order = np.argsort(hashes, kind="stable")
        self._place = order.astype(np.int32)
        self._hash = hashes[order]

    def of(self, text: Any) -> int:
        """Place of a text, -1 where it is not here."""
        if not isinstance(text, str):
            return -1
        wanted = _hashes(np.array([text], dtype=object))[0]
        first, last = (int(np.searchsorted(self._hash, wanted, side)) for side in ("left", "right"))
        near = self._place[first:last]
        found = near[objects(self._texts.iloc[near]) == text]
        return int(found[0]) if found.size else -1


def _hashes(texts: np.ndarray) -> np.ndarray:
    return np.asarray(pd.util.hash_array(texts, categorize=False))
