"""Many words in many texts at once: a trie walked from every position, over arrays of code points."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

__all__ = ["Automaton", "Hits", "fold"]

_BMP = 0x10000
#: code points searched at once; bounds the memory at about half a gigabyte
_CHUNK = 16_000_000


def fold(text: str, traditional: Mapping[str, str]) -> str:
    """One spelling for all: full width, case and the traditional forms of the mapping are levelled.

    Examples
    --------
    >>> fold("Ｐ２Ｐ網貸", {"網": "网", "貸": "贷"})
    'p2p网贷'
    """
    return "".join(_fold_character(character, traditional) for character in text)


def _fold_character(character: str, traditional: Mapping[str, str]) -> str:
    form = unicodedata.normalize("NFKC", character).casefold()
    return "".join(traditional.get(part, part) for part in form)


@lru_cache(maxsize=4)
def _folding(traditional: tuple[tuple[str, str], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Folded code point of every code point, and the mask of those that become several."""
    mapping = dict(traditional)
    table = np.arange(_BMP, dtype=np.uint32)
    several = np.zeros(_BMP, dtype=bool)
    for code in range(_BMP):
        if 0xD800 <= code < 0xE000:
            continue
        form = _fold_character(chr(code), mapping)
        if len(form) == 1 and ord(form) < _BMP:
            table[code] = ord(form)
        else:
            several[code] = True
    return table, several


@dataclass(frozen=True)
class Hits:
    """Occurrences: row of the text, span ``[start, stop)`` in the text as given, index of the word."""

    row: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    word: np.ndarray

    def __len__(self) -> int:
        return int(self.row.size)


class Automaton:
    """One trie for all words of all lists; finds every occurrence, words inside words too.

    Parameters
    ----------
    words
        What to look for.
    traditional
        Traditional character → simplified one.

    Examples
    --------
    >>> hits = Automaton(["基金", "基金管理", "股权投资基金"]).find(["某某股权投资基金管理", "面馆"])
    >>> hits.start.tolist(), hits.stop.tolist(), hits.word.tolist()
    ([2, 6, 6], [8, 8, 10], [2, 0, 1])
    """

    def __init__(self, words: Sequence[str], traditional: Mapping[str, str] | None = None) -> None:
        self.words = tuple(words)
        self._traditional = dict(traditional or {})
        self._table, self._several = _folding(tuple(sorted(self._traditional.items())))
        folded = [fold(word, self._traditional) for word in words]
        letters = sorted({letter for word in folded for letter in word})
        number = {letter: place + 1 for place, letter in enumerate(letters)}
        classes = np.zeros(_BMP, dtype=np.int16)
        for letter, place in number.items():
            classes[ord(letter)] = place
        #: class of every code point after folding; 0 for those in no word
        self._classes = classes[self._table]
        edges: list[dict[int, int]] = [{}]
        ends: list[list[int]] = [[]]
        for index, word in enumerate(folded):
            state = 0
            for letter in word:
                step = number[letter]
                if step not in edges[state]:
                    edges[state][step] = len(edges)
                    edges.append({})
                    ends.append([])
                state = edges[state][step]
            ends[state].append(index)
        self._next = np.zeros((len(edges), len(letters) + 1), dtype=np.int32)
        for state, steps in enumerate(edges):
            for step, target in steps.items():
                self._next[state, step] = target
        most = max(map(len, ends))
        #: first, second, … word that ends in each state, -1 for none
        self._ends = [
            np.array([found[place] if len(found) > place else -1 for found in ends], dtype=np.int64)
            for place in range(most)
        ]
        self._final = np.array([bool(found) for found in ends])

    def find(self, texts: Iterable[str | None]) -> Hits:
        """Every occurrence of every word in every text, ordered by row, start and length."""
        rows = [text if isinstance(text, str) else "" for text in texts]
        ends = np.cumsum(np.fromiter(map(len, rows), dtype=np.int64, count=len(rows)) + 1)
        marks = np.arange(_CHUNK, int(ends[-1]) + _CHUNK, _CHUNK) if rows else np.empty(0, dtype=np.int64)
        cuts = np.searchsorted(ends, marks, side="left") + 1
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        begin = 0
        for cut in cuts:
            end = min(int(cut), len(rows))
            if end > begin:
                parts.append(self._chunk(rows[begin:end], begin))
                begin = end
        if not parts:
            empty = np.empty(0, dtype=np.int64)
            return Hits(empty, empty, empty, empty)
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.lexsort((columns[3], columns[2], columns[1], columns[0]))
        return Hits(*(column[order] for column in columns))

    def _chunk(self, texts: list[str], first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        joined = "\n".join(texts) + "\n"
        codes = np.minimum(np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32), _BMP - 1)
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        begins = np.concatenate([[0], np.cumsum(lengths + 1)[:-1]])
        longer = np.flatnonzero(self._several[codes])
        slow = np.unique(np.searchsorted(begins, longer, side="right") - 1)
        at, word, length = self._walk(self._classes[codes])
        row = np.searchsorted(begins, at, side="right") - 1
        start = at - begins[row]
        stop = start + length
        if slow.size:
            # texts with characters such as ㈱, which fold to several: walk the folded text and map the spans back
            keep = ~np.isin(row, slow)
            columns = [(row[keep], start[keep], stop[keep], word[keep])]
            columns += [self._one(int(place), texts[place]) for place in slow]
            row, start, stop, word = (np.concatenate(column) for column in zip(*columns, strict=True))
        return row + first, start, stop, word

    def _walk(self, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        position = np.flatnonzero(self._next[0, classes] > 0)
        state = self._next[0, classes[position]]
        found: list[tuple[np.ndarray, np.ndarray, int]] = []
        length = 1
        while position.size:
            done = self._final[state]
            if done.any():
                place, ended = position[done], state[done]
                # words that fold to the same text end in one state; mostly it is one word
                for words in self._ends:
                    there = words[ended] >= 0
                    found.append((place[there], words[ended][there], length))
            reach = position + length < classes.size
            position, state = position[reach], state[reach]
            state = self._next[state, classes[position + length]]
            position, state = position[state > 0], state[state > 0]
            length += 1
        if not found:
            empty = np.empty(0, dtype=np.int64)
            return empty, empty, empty
        at, word = (np.concatenate([item[column] for item in found]) for column in (0, 1))
        lengths = np.repeat([item[2] for item in found], [item[0].size for item in found])
        return at, word, lengths

    def _one(self, row: int, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        forms = [_fold_character(character, self._traditional) for character in text]
        origin = np.repeat(np.arange(len(forms)), [len(form) for form in forms])
        codes = np.array([min(ord(letter), _BMP - 1) for form in forms for letter in form], dtype=np.int64)
        at, word, length = self._walk(self._classes[codes])
        last = at + length - 1
        return np.full(at.size, row), origin[at], origin[last] + 1, word
