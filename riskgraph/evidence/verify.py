"""A saved answer computed again: the same, or which part is another."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.evidence._cells import DIGITS, digest_rows, line, rows_of
from riskgraph.evidence.answer import FORMAT, answer, catalogue_mark, catalogue_of, file_hashes, versions
from riskgraph.evidence.fingerprint import fingerprint
from riskgraph.evidence.questions import QUESTIONS, takes_catalogue
from riskgraph.graph import EntityGraph

__all__ = ["MAX_BYTES", "Verification", "verify"]

#: largest file that is read
MAX_BYTES = 1 << 30
#: numbers this near, relative to their size, are taken as rounded otherwise
NEAR = 1e-9
_SHOWN = 100
#: arguments of :func:`answer` that are no parameters of a question; a file that names them would choose what is read
_NOT_ASKED = {"graph", "question", "catalogue", "source"}


class Verification:
    """What came of computing a saved answer again.

    Attributes
    ----------
    same
        Whether the result is the same, row by row, and so are file, data, dates and catalogue.
    differences
        Frame ``part, what, saved, now``. ``part`` is ``file`` (the rows are not those its digest was made of), ``data``
        (which table, which column), ``left_out``, ``files``, ``catalogue``, ``versions`` or ``result`` (which rows).
        Other versions, and files that give the same data, do not make an answer another one.
    """

    def __init__(self, question: str, differences: list[tuple[str, str, Any, Any]]) -> None:
        """Put findings together; people use :func:`verify`."""
        self.question = question
        self.differences = pd.DataFrame(differences, columns=["part", "what", "saved", "now"], dtype=object)
        self.same = not set(self.differences["part"]) & {"file", "data", "catalogue", "result"}

    def __bool__(self) -> bool:
        """Whether the answer is the same."""
        return self.same

    def __repr__(self) -> str:
        """One line a difference, the first twenty."""
        head = f"{self.question}: {'the same' if self.same else 'not the same'}"
        rows = [f"  {part}: {what}: {was} → {now}" for part, what, was, now in self.differences.itertuples(index=False)]
        more = [f"  … and {len(rows) - 20} more"] if len(rows) > 20 else []
        return "\n".join([head, *rows[:20], *more])


def verify(
    path: str | os.PathLike[str], data: str | os.PathLike[str] | EntityGraph, *, catalogue: Any = None
) -> Verification:
    """Compute a saved answer again from the data, and compare.

    Parameters
    ----------
    path
        File that :meth:`Answer.save` wrote.
    data
        The graph, or the folder or file to read it from. It is put on the day and the state of knowledge of the
        answer.
    catalogue
        The catalogue of the answer, where it is not one that riskgraph ships.

    Raises
    ------
    InvalidTable
        The file is no saved answer, or the data cannot be read.
    InvalidParameter
        The answer used a catalogue of its own, and none was given.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import riskgraph as rg
    >>> from riskgraph.evidence import answer, verify
    >>> graph = rg.datasets.toy_chain()
    >>> file = answer(graph, "integrated_ownership").save(pathlib.Path(tempfile.mkdtemp()) / "result.json")
    >>> verify(file, graph)
    integrated_ownership: the same
    >>> other = graph.with_changes(remove=["r1"])
    >>> verify(file, other)
    integrated_ownership: not the same
      data: relations, rows: 2 → 1
      result: rows: 3 → 1
      result: row Ann, Mine: ["Ann","Mine",0,0,0.3,0.3] → none
      result: row Holding, Mine: ["Holding","Mine",0.5,0.5,0.5,0.5] → none
    """
    manifest, columns, rows = _load(Path(path))
    found: list[tuple[str, str, Any, Any]] = []
    if manifest["result"]["sha256"] != (digest := digest_rows(columns, rows)):
        found.append(("file", "digest of the rows", _short(manifest["result"]["sha256"]), _short(digest)))
    graph = _graph(data, manifest["dates"])
    found += _compare_data(manifest["data"], fingerprint(graph))
    left = {name: len(frame) for name, frame in sorted(graph.rejected.items())}
    found += _compare("left_out", manifest["left_out"], left)
    if manifest["files"] is not None and not isinstance(data, EntityGraph):
        found += _compare("files", manifest["files"], file_hashes(data))
    plan = _plan(manifest, catalogue)
    if plan is not None:
        found += _compare("catalogue", manifest["catalogue"], catalogue_mark(plan))
    found += _compare("versions", manifest["versions"], versions())
    given = {"catalogue": plan} if plan is not None else {}
    now = answer(graph, manifest["question"], **given, **manifest["parameters"])
    found += _compare_results(columns, rows, [str(column) for column in now.frame], rows_of(now.frame))
    return Verification(manifest["question"], found)


def _load(path: Path) -> tuple[dict[str, Any], list[str], list[list[Any]]]:
    """Manifest, columns and rows of a saved answer."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidTable(f"{path.name} has {path.stat().st_size:,} bytes, more than {MAX_BYTES:,}")
        saved = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        manifest, columns, rows = saved["manifest"], saved["columns"], saved["rows"]
        shape = {"parameters": dict, "dates": dict, "data": dict, "left_out": dict, "versions": dict, "result": dict}
        good = (
            manifest["format"] == FORMAT
            and manifest["version"] == 1
            and manifest["question"] in QUESTIONS
            and all(isinstance(manifest[name], kind) for name, kind in shape.items())
            and all(isinstance(manifest[name], (dict, type(None))) for name in ("files", "catalogue"))
            and not manifest["parameters"].keys() & _NOT_ASKED
            and all(
                isinstance(about["columns"], dict) and isinstance(about["sha256"], str)
                for about in manifest["data"]["tables"].values()
            )
            and isinstance(manifest["result"]["sha256"], str)
            and all(isinstance(column, str) for column in columns)
            and all(isinstance(row, list) and len(row) == len(columns) for row in rows)
        )
    except InvalidTable:
        raise
    except OSError as error:
        raise InvalidTable(f"{path.name} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidTable(f"{path.name} is no answer that riskgraph saved ({type(error).__name__})") from None
    if not good:
        raise InvalidTable(f"{path.name} is no answer that this riskgraph can compute again")
    return manifest, columns, rows


def _graph(data: str | os.PathLike[str] | EntityGraph, dates: dict[str, Any]) -> EntityGraph:
    from riskgraph.readers import read

    graph = data if isinstance(data, EntityGraph) else read(data)
    return graph if dates.get("valid_on") is None else graph.at(dates["valid_on"], known=dates.get("known_by"))


def _plan(manifest: dict[str, Any], catalogue: Any) -> Any:
    if not takes_catalogue(manifest["question"]):
        return None
    if catalogue is not None:
        return catalogue_of(catalogue)
    name = str((manifest["catalogue"] or {}).get("name"))
    if not name.replace("-", "").replace("_", "").isalnum():  # a name, never a path
        raise InvalidParameter(f"'catalogue' must be given: the answer used one named {name!r}")
    try:
        return catalogue_of(name)
    except InvalidTable:
        raise InvalidParameter(f"'catalogue' must be given: the answer used one named {name!r}") from None


def _compare(part: str, was: Any, now: Any) -> list[tuple[str, str, Any, Any]]:
    names = sorted({*was, *now})
    return [
        (part, name, _short(was.get(name, "none")), _short(now.get(name, "none")))
        for name in names
        if was.get(name) != now.get(name)
    ]


def _short(value: Any) -> Any:
    return f"{value[:12]}…" if isinstance(value, str) and len(value) == 64 else value


def _compare_data(was: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    found: list[tuple[str, str, Any, Any]] = []
    for name, about in now["tables"].items():
        old = was["tables"].get(name, {"rows": 0, "sha256": "none", "columns": {}})
        if old["sha256"] == about["sha256"]:
            continue
        if old.get("rows") != about["rows"]:
            found.append(("data", f"{name}, rows", old.get("rows"), about["rows"]))
            continue
        columns = _compare("data", old["columns"], about["columns"])
        found += [(part, f"{name}.{column}", a, b) for part, column, a, b in columns] or [
            ("data", f"{name}, which cells stand in one row", _short(old["sha256"]), _short(about["sha256"]))
        ]
    return found


def _compare_results(
    columns: list[str], rows: list[list[Any]], new_columns: list[str], new_rows: list[list[Any]]
) -> list[tuple[str, str, Any, Any]]:
    """Rows of the result that are no longer there, and rows that are new."""
    if columns != new_columns:
        return [("result", "columns", ", ".join(columns), ", ".join(new_columns))]
    was, now = (Counter(map(line, table)) for table in (rows, new_rows))
    gone, come = sorted((was - now).elements()), sorted((now - was).elements())
    if len(gone) == len(come) and all(_near(json.loads(a), json.loads(b)) for a, b in zip(gone, come, strict=True)):
        text = f"{len(gone)} rows differ after the {DIGITS - 3}th digit only"
        return [("rounding", text, "", "")] if gone else []
    found: list[tuple[str, str, Any, Any]] = []
    if len(rows) != len(new_rows):
        found.append(("result", "rows", len(rows), len(new_rows)))
    pairs = _paired(gone, come)
    found += [("result", f"row {key}", a, b) for key, a, b in pairs[:_SHOWN]]
    if len(pairs) > _SHOWN:
        found.append(("result", f"{len(pairs) - _SHOWN} more rows", "", ""))
    return found


def _near(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_near, one, other))
    numbers = [isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other)]
    if all(numbers):
        return math.isclose(one, other, rel_tol=NEAR, abs_tol=1e-15)
    return bool(one == other)


def _paired(gone: list[str], come: list[str]) -> list[tuple[str, str, str]]:
    """Old and new row side by side where both begin with the same cells of text, else against nothing."""
    old, new = ({} for _ in range(2))  # type: dict[str, list[str]], dict[str, list[str]]
    for table, texts in ((old, gone), (new, come)):
        for text in texts:
            table.setdefault(_key(text), []).append(text)
    pairs = []
    for key in sorted({*old, *new}):
        a, b = old.get(key, []), new.get(key, [])
        for spot in range(max(len(a), len(b))):
            pairs.append((key, a[spot] if spot < len(a) else "none", b[spot] if spot < len(b) else "none"))
    return pairs


def _key(text: str) -> str:
    """The texts with which a row begins: who or what it is about."""
    words = []
    for cell in json.loads(text):
        if not isinstance(cell, str):
            break
        words.append(cell)
    return ", ".join(words[:2])
