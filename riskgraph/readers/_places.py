"""Where a row came from, in eight bytes: ``file:line`` and ``file[position]`` are written out when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype, take

__all__ = ["Place", "Places", "encode"]

#: bits of the number within a file; what is above them says which file
_BITS = 40


class Place:
    """One place: a number between two texts.

    Examples
    --------
    >>> str(Place("psc.jsonl:", 7)), str(Place("bods.json[", 3, "]"))
    ('psc.jsonl:7', 'bods.json[3]')
    """

    __slots__ = ("after", "before", "number")

    def __init__(self, before: str, number: int, after: str = "") -> None:
        self.before, self.number, self.after = before, number, after

    def __str__(self) -> str:
        return f"{self.before}{self.number}{self.after}"

    __repr__ = __str__


def encode(places: Iterable[Any], forms: dict[tuple[str, str], int]) -> np.ndarray:
    """Places as int64; their texts are kept in ``forms``, each once. Anything else stands for its own text."""
    codes = []
    for place in places:
        if isinstance(place, Place):
            form = forms.setdefault((place.before, place.after), len(forms))
            codes.append(form << _BITS | place.number)
        else:
            codes.append(~forms.setdefault((str(place), ""), len(forms)))
    return np.array(codes, dtype=np.int64)


class _PlaceDtype(ExtensionDtype):  # type: ignore[misc]
    """The type of an index of places."""

    name = "place"
    type = str
    kind = "O"

    @classmethod
    def construct_array_type(cls) -> Any:
        return Places


class Places(ExtensionArray):  # type: ignore[misc]  # noqa: PLW1641
    """An index of places: texts to whoever asks for one, numbers in memory.

    Examples
    --------
    >>> forms: dict[tuple[str, str], int] = {}
    >>> places = Places(encode([Place("a.jsonl:", 1), Place("a.jsonl:", 2), "the folder"], forms), forms)
    >>> pd.Index(places)[1:].tolist()
    ['a.jsonl:2', 'the folder']
    """

    def __init__(self, codes: np.ndarray, forms: Iterable[tuple[str, str]]) -> None:
        self._codes = codes
        self._forms = forms if isinstance(forms, tuple) else tuple(forms)

    @classmethod
    def _from_sequence(cls, scalars: Iterable[Any], *, dtype: Any = None, copy: bool = False) -> Places:
        forms: dict[tuple[str, str], int] = {}
        return cls(encode(scalars, forms), forms)

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[Places]) -> Places:
        if len({part._forms for part in to_concat}) == 1:
            return cls(np.concatenate([part._codes for part in to_concat]), to_concat[0]._forms)
        return cls._from_sequence([text for part in to_concat for text in part])

    @property
    def dtype(self) -> _PlaceDtype:
        return _PlaceDtype()

    @property
    def nbytes(self) -> int:
        return int(self._codes.nbytes)

    def __len__(self) -> int:
        return int(self._codes.size)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, (int, np.integer)):
            return self._text(int(self._codes[item]))
        return Places(self._codes[pd.api.indexers.check_array_indexer(self, item)], self._forms)

    def _text(self, code: int) -> str:
        if code < 0:
            return self._forms[~code][0]
        before, after = self._forms[code >> _BITS]
        return f"{before}{code & (1 << _BITS) - 1}{after}"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        texts = np.empty(len(self), dtype=object)
        texts[:] = [self._text(code) for code in self._codes.tolist()]
        return texts if dtype is None else texts.astype(dtype)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, Places) and other._forms == self._forms:
            return self._codes == other._codes
        return np.asarray(self) == np.asarray(other, dtype=object)

    def isna(self) -> np.ndarray:
        return np.zeros(len(self), dtype=bool)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> Places:
        return Places(take(self._codes, np.asarray(indices, dtype=np.int64)), self._forms)

    def copy(self) -> Places:
        return Places(self._codes.copy(), self._forms)
