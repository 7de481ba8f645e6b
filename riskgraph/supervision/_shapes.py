"""What stands where in the sections of a catalogue: mappings, lists and texts, level under level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["SHAPES", "misshapen"]

#: in a mapping of shapes: every key that is not named
ANY = "*"
_NAMES: Mapping[type, str] = {dict: "a mapping", list: "a list", str: "a text"}


class Maybe(NamedTuple):
    """A shape, or nothing at all."""

    shape: Any


#: section → its shape: a type, a list of one shape, or a mapping of key to shape; keys not named may hold anything
SHAPES: Mapping[str, Any] = {
    "catalogue": {"plans": dict},
    "sectors": {ANY: {"rule": str}},
    "leads": {ANY: Maybe({ANY: {"lead": Maybe([str]), "assist": Maybe([str]), "clause": str}})},
    "rules": {ANY: Maybe({ANY: {"parameters": Maybe(dict)}})},
    "natures": {ANY: {"agency": str}},
    "licensors": {ANY: str},
    "keywords": {ANY: {"rule": str, "fields": Maybe([str])}},
    "tasks": {ANY: dict},
    "deadlines": {ANY: {ANY: [{"task": str}]}},
    "stages": {ANY: [dict]},
}


def misshapen(where: str, value: Any, shape: Any) -> Iterator[str]:
    """Each place where something else stands than the shape asks for.

    Examples
    --------
    >>> list(misshapen("natures", {"bank": "treasury", "fund": {"agency": 3}}, SHAPES["natures"]))
    ["natures.bank: a mapping is needed; got 'treasury'", 'natures.fund.agency: a text is needed; got 3']
    """
    if isinstance(shape, Maybe):
        if value is None:
            return
        shape = shape.shape
    kind: Any = shape if isinstance(shape, type) else type(shape)
    if not isinstance(value, kind):
        yield f"{where}: {_NAMES[kind]} is needed; got {value!r}"
    elif isinstance(shape, list):
        for place, item in enumerate(value):
            yield from misshapen(f"{where}[{place}]", item, shape[0])
    elif isinstance(shape, dict):
        for key, item in value.items():
            yield from misshapen(f"{where}.{key}", item, shape.get(key, shape.get(ANY, object)))
