"""What a graph holds, told by its values alone: not by the order of its rows, nor by ids that only count them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.evidence._cells import as_json, line, sha256
from riskgraph.graph import EntityGraph
from riskgraph.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["canonical", "fingerprint"]

#: ids that riskgraph gives to rows without one: a letter and the number of the row
_AUTOMATIC = {"relations": "r", "cases": "c", "licences": "l", "facts": "f"}
_ID_DIGITS = 12


def canonical(graph: EntityGraph) -> EntityGraph:
    """The graph with its rows in the order of their values: any order of the same rows gives the same graph.

    Entities stand by id, the rows of the other tables by their values. Rows without an id of their own, which a graph
    numbers ``r0, r1, …``, get one from their content: ``r-`` and twelve digits. Every answer is computed on this
    graph, so the ids that it cites are found here.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.evidence import canonical
    >>> canonical(rg.datasets.toy_chain()).relations[["id", "source", "target"]]
                   id   source   target
    0  r-6c899a32db14      Ann  Holding
    1  r-6daf60cb074d  Holding     Mine
    """

    def build() -> EntityGraph:
        frames = {name: _sorted(name, graph) for name in TABLES}
        made = EntityGraph.from_tables(**frames)
        return made if graph.valid_on is None else made.at(graph.valid_on, known=graph.known_by)

    return graph.cached(("evidence", "canonical"), build)


def fingerprint(graph: EntityGraph) -> dict[str, Any]:
    """SHA-256 of everything known to a graph, by table and by column, whatever the order of rows and columns.

    Ids that only number the rows (``r0, r1, …``) and empty columns do not count; 2 and 2.0 are one number. The hash of
    a column is that of its values as a bag, the hash of a table that of its rows as a bag: a changed cell shows in one
    column and in its table.

    Returns
    -------
    dict
        ``sha256`` of all, and ``tables``: name → ``rows``, ``sha256`` and ``columns``, name → SHA-256.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.evidence import fingerprint
    >>> first, second = (fingerprint(rg.datasets.toy_chain()) for _ in range(2))
    >>> first == second, first["tables"]["relations"]["rows"]
    (True, 2)
    """

    def build() -> dict[str, Any]:
        tables = {}
        for name in TABLES:
            columns = dict(_columns(name, graph))
            rows = _size(name, graph)
            order = _order([codes for _, codes in columns.values()], rows)
            hashes = {column: _bag(texts, codes) for column, (texts, codes) in columns.items()}
            whole = [line([column, texts[codes[order]].tolist()]) for column, (texts, codes) in columns.items()]
            tables[name] = {"rows": rows, "sha256": sha256(str(rows), *whole), "columns": hashes}
        return {"sha256": sha256(*(f"{name} {about['sha256']}" for name, about in tables.items())), "tables": tables}

    return graph.cached(("evidence", "fingerprint"), build)


def _frame(name: str, graph: EntityGraph) -> pd.DataFrame:
    frame = graph.known(name)
    return frame.drop(columns="ended") if name == "entities" else frame


def _size(name: str, graph: EntityGraph) -> int:
    return len(graph) if name == "entities" else len(graph.known(name))


def _columns(name: str, graph: EntityGraph) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Column → its distinct cells as text in order, and their codes; in the order of the columns' names."""
    frame = _frame(name, graph)
    required = TABLES[name].required
    for column in sorted(map(str, frame.columns), key=lambda column: (column not in required, column)):
        values = frame[column]
        if column == "id" and name in _AUTOMATIC:
            values = values.astype(object).where(~_is_automatic(name, values), None)
        if len(values) and values.notna().any():
            yield column, _coded(values)


def _is_automatic(name: str, ids: pd.Series) -> np.ndarray:
    pattern = re.compile(rf"{_AUTOMATIC[name]}(?:0|[1-9][0-9]*|-[0-9a-f]{{{_ID_DIGITS}}}(?:-[0-9]+)?)")
    return np.array([pattern.fullmatch(str(id)) is not None for id in ids], dtype=bool)


def _coded(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Distinct cells as JSON texts in ascending order, and the code of every cell."""
    mixed = values.dtype == object and not all(isinstance(value, str) for value in values.dropna())
    if mixed:
        texts = np.array([line(as_json(value, None)) for value in values], dtype=object)
    else:
        first, distinct = pd.factorize(values, use_na_sentinel=True)
        spelt = np.array([*(line(as_json(value, None)) for value in distinct), "null"], dtype=object)
        texts = spelt[first]
    codes, distinct_texts = pd.factorize(texts)
    order = np.argsort(distinct_texts.astype(object), kind="stable")
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    return np.asarray(distinct_texts, dtype=object)[order], place[codes]


def _order(columns: list[np.ndarray], rows: int) -> np.ndarray:
    """Order of the rows by all their cells, the first column first."""
    return np.lexsort(columns[::-1]) if columns else np.arange(rows)


def _bag(texts: np.ndarray, codes: np.ndarray) -> str:
    """Hash of a column as a bag: each distinct cell with its count."""
    counts = np.bincount(codes, minlength=texts.size)
    return sha256(*(f"{count} {text}" for text, count in zip(texts, counts.tolist(), strict=True)))


def _sorted(name: str, graph: EntityGraph) -> pd.DataFrame:
    frame = _frame(name, graph)
    columns = dict(_columns(name, graph))
    first = [columns["id"][1]] if name == "entities" and "id" in columns else []
    order = _order([*first, *(codes for _, codes in columns.values())], len(frame))
    frame = frame.iloc[order].reset_index(drop=True)[[*sorted(frame.columns)]]
    if name in _AUTOMATIC and len(frame):
        automatic = _is_automatic(name, frame["id"])
        cells = [texts[codes[order]] for texts, codes in columns.values()]
        frame["id"] = _content_ids(name, frame["id"], automatic, list(columns), cells)
    return frame


def _content_ids(
    name: str, ids: pd.Series, automatic: np.ndarray, columns: list[str], cells: list[np.ndarray]
) -> list[str]:
    """Ids for rows that have none: digits of the hash of their cells, counted where rows are equal."""
    taken = set(ids[~automatic])
    done = []
    for row, id in enumerate(ids):
        if not automatic[row]:
            done.append(str(id))
            continue
        digits = sha256(*(f"{column}={cell[row]}" for column, cell in zip(columns, cells, strict=True)))[:_ID_DIGITS]
        new = base = f"{_AUTOMATIC[name]}-{digits}"
        copy = 1
        while new in taken:
            copy += 1
            new = f"{base}-{copy}"
        taken.add(new)
        done.append(new)
    return done
