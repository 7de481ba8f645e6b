"""Lists of firms from several sources, merged: one row a firm, with the sources that name it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import pandas as pd

from riskgraph.errors import InvalidTable

__all__ = ["merge_lists"]


def merge_lists(lists: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Merge lists of firms; the same firm is the same code (``uscc`` or ``id``), else the same name and address.

    Parameters
    ----------
    lists
        Source → frame with ``name`` and optionally ``uscc``, ``id``, ``address`` and further columns.

    Returns
    -------
    DataFrame
        The columns of the lists, one row a firm in order of appearance, with ``sources`` (joined by ``;``),
        ``source_ref`` (the same, ready for the entities table) and a bool column ``in:<source>`` each.

    Raises
    ------
    InvalidTable
        A list without a column ``name``.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskgraph.supervision import merge_lists
    >>> first, second = pd.DataFrame({"name": ["某某网贷", "乙公司"]}), pd.DataFrame({"name": ["某某网贷 "]})
    >>> merged = merge_lists({"网贷之家": first, "中国银监会": second})
    >>> merged[["name", "sources"]]
         name     sources
    0  某某网贷  网贷之家;中国银监会
    1     乙公司        网贷之家
    """
    rows: list[dict[str, object]] = []
    sources: list[list[str]] = []
    by_code: dict[str, int] = {}
    by_name: dict[tuple[str, str], int] = {}
    for source, frame in lists.items():
        if "name" not in frame:
            raise InvalidTable(
                f"list {source!r} must have a column 'name'; it has {', '.join(map(str, frame.columns))}"
            )
        for record in frame.to_dict("records"):
            row = {str(key): value for key, value in record.items() if not pd.isna(value)}
            codes = [f"{column}:{row[column]}" for column in ("uscc", "id") if row.get(column)]
            name = (_plain(row.get("name", "")), _plain(row.get("address", "")))
            place = next((by_code[code] for code in codes if code in by_code), None)
            if place is None:
                place = by_name.get(name, by_name.get((name[0], "")) if name[1] else None)
                if place is not None and _differ(rows[place], row):
                    place = None
            if place is None:
                place = len(rows)
                rows.append({})
                sources.append([])
            rows[place] = {**row, **rows[place]}
            if source not in sources[place]:
                sources[place].append(source)
            by_code.update(dict.fromkeys(codes, place))
            by_name.setdefault(name, place)
    result = pd.DataFrame(rows)
    result["sources"] = [";".join(found) for found in sources]
    result["source_ref"] = result["sources"]
    for source in lists:
        result[f"in:{source}"] = [source in found for found in sources]
    return result


def _plain(value: object) -> str:
    return "".join(unicodedata.normalize("NFKC", str(value)).casefold().split())


def _differ(first: Mapping[str, object], second: Mapping[str, object]) -> bool:
    """Two firms of one name whose codes differ are two firms."""
    return any(column in first and column in second and first[column] != second[column] for column in ("uscc", "id"))
