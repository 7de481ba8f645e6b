"""Components in words, Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, overload

import numpy as np

from riskgraph.nesting._components import COMPONENTS

__all__ = ["reasons"]

TEXTS = {
    "layers": ("{} layers", "{}层嵌套"),
    "sectors": ("{} sectors", "涉及{}个行业"),
    "crossings": ("{} changes of sector", "跨行业{}次"),
    "returns": ("money returns ({})", "资金回流({})"),
    "opacity": ("{:.0%} of the money untraced", "{:.0%}资金去向或来源不明"),
    "circularity": ("{:.0%} of what came in is from a loop", "{:.0%}的流入来自循环"),
    "unlicensed_share": ("{:.0%} of acts without licence", "{:.0%}的业务主体无牌照"),
    "investors": ("{} ultimate investors", "穿透后{}名投资者"),
    "leads": ("{} lead agencies", "涉及{}个牵头部门"),
    "licences": ("{} licences in one group without firewall", "集团内{}类牌照未隔离"),
}
PARTS = frozenset({"opacity", "circularity", "unlicensed_share"})


@overload
def reasons(
    columns: Mapping[str, np.ndarray], adding: Mapping[str, np.ndarray], lang: str, *, each: Literal[False] = False
) -> np.ndarray: ...
@overload
def reasons(columns: Mapping[str, np.ndarray], adding: None, lang: str, *, each: Literal[True]) -> dict[str, str]: ...


def reasons(
    columns: Mapping[str, np.ndarray], adding: Mapping[str, np.ndarray] | None, lang: str, *, each: bool = False
) -> Any:
    """Text of each row: the components that add to its score; with ``each`` that of every component of one row.

    ``adding`` gives the rows to whose score a component adds.
    """
    place = 1 if lang == "zh" else 0
    if each:
        return {name: _text(name, float(columns[name][0]), place) for name in COMPONENTS}
    assert adding is not None
    size = len(columns[COMPONENTS[0]])
    result = np.full(size, "", dtype=object)
    comma = ";" if lang == "zh" else "; "
    for name in COMPONENTS:
        at = adding[name]
        if not at.size:
            continue
        values, inverse = np.unique(np.round(columns[name][at], 2 if name in PARTS else 6), return_inverse=True)
        texts = np.array([_text(name, value, place) for value in values.tolist()], dtype=object)[inverse]
        first = result[at] == ""
        result[at] = np.where(first, texts, result[at] + comma + texts)
    return result


def _text(name: str, value: float, place: int) -> str:
    if name in PARTS:
        return TEXTS[name][place].format(value)
    number = ("endless", "无限")[place] if np.isinf(value) else f"{value:.0f}"
    return TEXTS[name][place].format(number)
