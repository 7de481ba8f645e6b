"""Persons hidden behind keyed hashes: the same person, name or card number gives the same pseudonym under one key.

A pseudonym is HMAC-SHA256 of the text under a key that only its holder has; 96 bits of it are shown. Without the key
nobody can list names and compare, with it two tables of one office still join. The key is kept nowhere.
"""

from __future__ import annotations

import datetime
import hmac
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.schema import CASE_TYPES, ENTITY_KINDS, FACT_TYPES, LEVELS, RELATION_KINDS, ROLES, SECTORS, TABLES
from riskgraph.tables import clean_tables

__all__ = ["HIDDEN", "KEY_BYTES", "WITHHELD", "SecretKey", "check_kinds", "is_card", "plain_name", "pseudonymised"]

#: shortest key, in bytes
KEY_BYTES = 16
#: kinds of entities that are, or may be, a person
HIDDEN = ("person", "account", "unknown")
#: what stands in place of a message that may quote a person
WITHHELD = "withheld: the message may quote a person"

#: columns that hold words of the vocabulary or codes of regions, not of persons
_PLAIN = frozenset({"kind", "type", "fact", "sector", "status", "registered_in", "operates_in"})
#: columns of anybody's table that hold a person or a way to reach one
_PERSONAL = frozenset(
    {
        *("legal_representative", "contact", "contact_person", "phone", "mobile", "telephone", "email", "mail"),
        *("id_card", "id_number", "passport"),
        *("法定代表人", "法人代表", "联系人", "联系电话", "电话", "手机", "手机号", "邮箱"),
        *("身份证", "身份证号", "证件号码"),
    }
)
_NUMBERS = frozenset(
    {"share_min", "share_max", "votes_min", "votes_max", "amount", "confidence", "severity", "capital"}
)
_WORDS = frozenset({*ENTITY_KINDS, *RELATION_KINDS, *CASE_TYPES, *SECTORS, *ROLES, *LEVELS, "unknown", "true", "false"})
#: identity cards of 18 and 15 places, mobile numbers of eleven, in groups or in one, with +86 or without
_NUMBER = re.compile(
    r"(?<![0-9])(?:[1-9][0-9]{5}[ -]?[0-9]{8}[ -]?[0-9]{3}[0-9Xx]|[1-9][0-9]{14}"
    r"|(?:(?:\+|00)?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2})(?![0-9A-Za-z])"
)
_MOBILE = re.compile(r"(?:(?:\+|00)?86)?(1[3-9][0-9]{9})")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LONGEST = 64


class SecretKey:
    """A key for keyed hashes that shows nothing of itself but a fingerprint.

    Parameters
    ----------
    key
        At least 16 bytes; text is taken as UTF-8. Random ones (``secrets.token_bytes(32)``) cannot be guessed.

    Raises
    ------
    InvalidParameter
        The key is too short or no key; the message does not quote it.
    """

    __slots__ = ("_bytes",)

    def __init__(self, key: bytes | bytearray | str | SecretKey, parameter: str = "key") -> None:
        if isinstance(key, SecretKey):
            self._bytes: bytes = key._bytes
            return
        if not isinstance(key, (bytes, bytearray, str)):
            raise InvalidParameter(f"'{parameter}' must be bytes or a text; got {type(key).__name__}")
        raw = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else bytes(key)
        if len(raw) < KEY_BYTES:
            raise InvalidParameter(f"'{parameter}' must have at least {KEY_BYTES} bytes; got {len(raw)}")
        self._bytes = raw

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that tell whether two people hold the same key."""
        return self.digest("fingerprint", "", 16)

    def digest(self, purpose: str, text: str, length: int = 24) -> str:
        """Hexadecimal digits for a text; another purpose gives unrelated digits."""
        message = f"riskgraph:{purpose}\x00{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._bytes, message, "sha256").hex()[:length]

    def __repr__(self) -> str:
        return f"<SecretKey {self.fingerprint}>"

    def __reduce__(self) -> Any:
        raise TypeError("a key is not stored with the data it protects")


def plain_name(text: Any) -> str:
    """A name without width, case, spaces and stops: spellings that a registry mixes are one."""
    return re.sub(r"[\s.,·•]", "", unicodedata.normalize("NFKC", str(text))).casefold()


def is_card(text: str) -> bool:
    """Whether a text has the form of a Chinese identity card number: a birth date and, of 18 places, a check digit."""
    number = unicodedata.normalize("NFKC", text).strip().upper()
    if re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number):
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        rest = sum(weight * int(digit) for weight, digit in zip(weights, number, strict=False)) % 11
        return "10X98765432"[rest] == number[17] and _is_date(number[6:14])
    return re.fullmatch(r"[1-9][0-9]{14}", number) is not None and _is_date("19" + number[6:12])


def _is_date(digits: str) -> bool:
    try:
        born = datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1850 <= born.year <= 2100


def check_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """The kinds of entities to hide, checked."""
    wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    odd = [kind for kind in wanted if kind not in ENTITY_KINDS]
    if odd or not wanted:
        raise InvalidParameter(f"'kinds' must be kinds of entities ({', '.join(ENTITY_KINDS)}); got {odd or wanted!r}")
    return wanted


class _Scrubber:
    """Cells of one graph with its hidden entities' ids and names, card and telephone numbers as pseudonyms."""

    def __init__(self, key: SecretKey, ids: np.ndarray, names: np.ndarray, public: frozenset[str]) -> None:
        self.key = key
        #: ids and names of entities that stay in sight
        self.public = public
        self.ids = {str(id): f"p_{key.digest('id', str(id))}" for id in ids}
        self.names = {plain_name(name): self.name(name) for name in names}
        self.names.pop("", None)
        needles = {_folded(name): self.name(name) for name in names}
        needles |= {_folded(id): token for id, token in self.ids.items()}
        self.needles = {
            text: token
            for text, token in needles.items()
            if 2 <= len(text) <= _LONGEST and not (text.isdigit() and len(text) < 6)
        }
        self.lengths = sorted({len(text) for text in self.needles}, reverse=True)

    def name(self, text: Any) -> str:
        return f"n_{self.key.digest('name', plain_name(text))}"

    def number(self, text: str) -> str:
        bare = re.sub(r"[ -]", "", unicodedata.normalize("NFKC", text)).upper()
        mobile = _MOBILE.fullmatch(bare)
        return f"c_{self.key.digest('number', mobile[1] if mobile else bare)}"

    def whole(self, text: Any) -> str:
        """A cell that is personal whatever it says."""
        text = str(text)
        if text in self.ids:
            return self.ids[text]
        if plain_name(text) in self.names:
            return self.names[plain_name(text)]
        return self.number(text) if is_card(text) else f"t_{self.key.digest('text', text)}"

    def who(self, text: Any) -> str:
        """A cell that names somebody: an id, a public firm, else a name."""
        text = str(text)
        return self.ids.get(text) or (text if text in self.public else self.name(text))

    def free(self, text: Any, inside: bool = True) -> Any:
        """A cell: a text equal to an id or a name, else with those found inside it replaced; a number as one."""
        if not isinstance(text, str):
            return self.digits(text)
        if text in self.ids:
            return self.ids[text]
        if plain_name(text) in self.names:
            return self.names[plain_name(text)]
        text = _MAIL.sub(lambda hit: f"t_{self.key.digest('text', hit.group().casefold())}", self._numbers(text))
        return self._inside(text) if inside else text

    def _numbers(self, text: str) -> str:
        wide = unicodedata.normalize("NFKC", text)
        if not _NUMBER.search(wide):
            return text
        return _NUMBER.sub(lambda hit: self._one_number(hit.group()), wide)

    def _one_number(self, text: str) -> str:
        bare = re.sub(r"[ -]", "", text)
        return self.number(bare) if _MOBILE.fullmatch(bare) or is_card(bare) else text

    def _inside(self, text: str) -> str:
        """Ids and names that stand inside a text, the longest first."""
        low = _folded(text)
        shown = unicodedata.normalize("NFKC", text).strip()
        if len(low) != len(shown):
            shown = low
        parts: list[str] = []
        last = spot = 0
        while spot < len(low):
            for length in self.lengths:
                word = low[spot : spot + length]
                if len(word) == length and word in self.needles and _stands_alone(low, spot, length):
                    parts += [shown[last:spot], self.needles[word]]
                    last = spot = spot + length
                    break
            else:
                spot += 1
        return "".join([*parts, shown[last:]]) if parts else text

    def row_id(self, text: Any) -> Any:
        """Id of a row: as it is, or one pseudonym for the whole where it holds a person, so that ids stay unique."""
        return text if self.free(text) == text else f"t_{self.key.digest('row', str(text))}"

    def digits(self, value: Any) -> Any:
        """A number in a column of the caller's own: an identity card or telephone number read as one, else as it is."""
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
            return value
        if not np.isfinite(value) or value != int(value):
            return value
        text = str(int(value))
        long = len(text) == 18 and text[6:8] in ("18", "19", "20")  # a float has lost the last digits
        return self.number(text) if long or is_card(text) or _MOBILE.fullmatch(text) else value


def _folded(text: Any) -> str:
    return unicodedata.normalize("NFKC", str(text)).strip().casefold()


def _stands_alone(text: str, spot: int, length: int) -> bool:
    """Whether a word of Latin letters or digits does not run on into its neighbours."""

    def joined(a: str, b: str) -> bool:
        return a.isascii() and b.isascii() and a.isalnum() and b.isalnum()

    end = spot + length
    before = spot and joined(text[spot - 1], text[spot])
    return not (before or (end < len(text) and joined(text[end - 1], text[end])))


def _each(values: pd.Series, turn: Any) -> pd.Series:
    """Distinct cells turned once; missing ones stay missing."""
    values = values.astype(object)
    filled = values.notna().to_numpy()
    cells = values.to_numpy().copy()
    done: dict[Any, Any] = {}
    for spot in np.flatnonzero(filled):
        value = cells[spot]
        place = (type(value), value) if isinstance(value, (str, int, float, bool)) else id(value)
        if place not in done:
            done[place] = turn(value)
        cells[spot] = done[place]
    return pd.Series(cells, index=values.index, dtype=object)


def pseudonymised(graph: EntityGraph, key: SecretKey, kinds: Iterable[str] = HIDDEN) -> EntityGraph:
    """The graph with its persons behind pseudonyms; see :func:`riskgraph.privacy.pseudonymise`."""
    tables = graph.tables()
    entities = tables["entities"]
    hidden = entities["kind"].isin(check_kinds(kinds)).to_numpy()
    named = entities["name"] if "name" in entities else pd.Series(None, index=entities.index, dtype=object)
    public = frozenset(map(str, pd.concat([entities["id"], named])[np.r_[~hidden, ~hidden]].dropna()))
    scrub = _Scrubber(key, entities["id"][hidden].to_numpy(), named[hidden].dropna().to_numpy(), public)
    done = {name: _table(name, frame, scrub, hidden) for name, frame in tables.items()}
    quality = graph.quality
    if len(quality):
        quality["problem"] = WITHHELD
        quality["row"] = pd.Series([_label(row, scrub) for row in quality["row"]], index=quality.index, dtype=object)
    left = {name: _rejected(frame, scrub) for name, frame in graph.rejected.items()}
    new = EntityGraph._from_clean(clean_tables(**done), quality, left)
    return new.at(graph.valid_on, known=graph.known_by) if graph._dated else new


def _table(name: str, frame: pd.DataFrame, scrub: _Scrubber, hidden: np.ndarray) -> pd.DataFrame:
    done = frame.copy()
    own = frame["entity"].isin(scrub.ids).to_numpy() if "entity" in frame else np.zeros(len(frame), dtype=bool)
    known = {*TABLES[name].required, *TABLES[name].optional}
    for column in frame:
        values = frame[column]
        if column in TABLES[name].references or (name == "entities" and column == "id"):
            done[column] = _each(values, lambda text: scrub.ids.get(text, text))
        elif column == "id":
            done[column] = _each(values, scrub.row_id)
        elif name == "entities" and column not in known and pd.api.types.is_datetime64_any_dtype(values):
            done[column] = values.where(~hidden)  # a date of the caller's own may be a birthday
        elif column in _PLAIN or column in _NUMBERS or pd.api.types.is_datetime64_any_dtype(values):
            continue
        elif column not in known and pd.api.types.is_numeric_dtype(values):
            turned = _each(values, scrub.digits)
            if any(isinstance(value, str) for value in turned):
                done[column] = turned
        elif column in _PERSONAL:
            done[column] = _each(values, scrub.whole)
        elif column == "role":
            done[column] = _each(values, lambda text: text if text in ROLES else scrub.free(text))
        elif name == "entities":
            # the name of a firm stays; a person's row keeps no text of its own
            open_ = _each(values, lambda text, inside=column != "name": scrub.free(text, inside))
            if column == "uscc":
                open_ = values.astype(object)
            shut = scrub.name if column == "name" else scrub.free if column == "source_ref" else scrub.whole
            done[column] = open_.where(~hidden, _each(values.where(hidden, None), shut))
        elif name == "facts" and column == "value":
            done[column] = _values(frame, own, scrub)
        elif name == "cases" and column == "authority":
            told = frame["type"].isin(["tipoff", "complaint"])
            done[column] = _each(values, scrub.free).where(~told, _each(values.where(told, None), scrub.who))
        else:
            done[column] = _each(values, scrub.free)
    return done


def _values(facts: pd.DataFrame, own: np.ndarray, scrub: _Scrubber) -> pd.Series:
    """Values of facts: those that name somebody, those about a person, and the texts of the others."""
    values = facts["value"].astype(object)
    texts = np.array([isinstance(value, str) and value not in _WORDS for value in values], dtype=bool)
    who = texts & facts["fact"].isin(["legal_representative", "undisclosed_owner"]).to_numpy()
    named = texts & own & (facts["fact"] == "name").to_numpy()
    known = facts["fact"].map(lambda fact: FACT_TYPES.get(fact) == "number").to_numpy(dtype=bool)
    done = _each(values.where(~known, None), scrub.free).where(~known, values)
    for mask, turn in ((texts & own & ~named, scrub.whole), (named, scrub.name), (who, scrub.who)):
        done = done.where(~mask, _each(values.where(mask, None), turn))
    return done


def _rejected(frame: pd.DataFrame, scrub: _Scrubber) -> pd.DataFrame:
    """Rows left out: every cell a pseudonym but words of the vocabulary and plain numbers."""
    done = frame.copy()
    for column in frame:
        values = frame[column]
        if column in _NUMBERS | {"share"} and pd.api.types.is_numeric_dtype(values):
            continue
        if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_bool_dtype(values):
            continue
        done[column] = _each(values, lambda value: value if str(value) in _WORDS else scrub.whole(value))
    done.index = pd.Index(
        [label if isinstance(label, (int, np.integer)) else scrub.whole(label) for label in done.index]
    )
    return done


def _label(label: Any, scrub: _Scrubber) -> Any:
    """Label of a row: a line number stays."""
    return label if isinstance(label, (int, np.integer)) else scrub.whole(label)
