"""A result with the manifest of all it rests on: data, dates, question, parameters, catalogue, versions."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskgraph._files import write_file
from riskgraph.errors import InvalidParameter
from riskgraph.evidence._cells import as_json, digest_rows, line, rows_of, sha256
from riskgraph.evidence.fingerprint import canonical, fingerprint
from riskgraph.evidence.questions import ask, takes_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from riskgraph.graph import EntityGraph
    from riskgraph.supervision import Catalogue

__all__ = ["FORMAT", "Answer", "answer", "catalogue_of"]

FORMAT = "riskgraph answer"
#: packages that compute; an answer may depend on their versions
_COMPUTING = ("numpy", "scipy", "pandas", "scikit-learn", "chinesecalendar", "numba")


class Answer:
    """A frame and its manifest, which can be saved and computed again.

    Attributes
    ----------
    question
        Name of the question.
    frame
        The result. Ids of rows that had none of their own are those of :func:`riskgraph.evidence.canonical`.
    manifest
        What the result rests on, as JSON holds it: ``question, parameters, dates, data`` (:func:`fingerprint`),
        ``left_out`` (rows that reading set aside), ``files``, ``catalogue, versions, result``. It has no time stamp.
    """

    def __init__(self, question: str, frame: pd.DataFrame, manifest: Mapping[str, Any]) -> None:
        """Put parts together; people use :func:`answer`."""
        self.question = question
        self.frame = frame
        self.manifest = dict(manifest)

    def text(self) -> str:
        """The answer as JSON, one row of the result a line; equal answers are equal texts."""
        about = json.dumps(self.manifest, ensure_ascii=False, indent=1, sort_keys=True)
        rows = ",\n".join(f"  {line(row)}" for row in rows_of(self.frame))
        columns = line([str(column) for column in self.frame])
        return f'{{\n"columns": {columns},\n"manifest": {about},\n"rows": [\n{rows}\n]\n}}\n'

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the answer as a JSON file; it appears whole or not at all."""
        place = Path(path)
        write_file(place, lambda aside: aside.write_bytes(self.text().encode("utf-8", "surrogatepass")))
        return place

    def __repr__(self) -> str:
        """One line: the question, the rows, and the beginnings of the hashes of data and result."""
        data, result = self.manifest["data"]["sha256"], self.manifest["result"]["sha256"]
        return f"Answer to {self.question}: {len(self.frame):,} rows, data {data[:12]}, result {result[:12]}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self))}</p>{self.frame.head(20).to_html(index=False)}"


def answer(
    graph: EntityGraph,
    question: str,
    *,
    catalogue: str | Path | Catalogue = "jiangsu-2016",
    source: str | os.PathLike[str] | None = None,
    **parameters: Any,
) -> Answer:
    """Answer a question about a graph, with a manifest of all that the answer rests on.

    The question is asked of the graph with its rows in the order of their values (:func:`canonical`), so the same
    data give the same bytes in whatever order they came. Numbers are written with twelve significant digits.

    Parameters
    ----------
    graph
        The graph on the day it stands at.
    question
        A key of :data:`QUESTIONS`: the name of a function of ``ownership``, ``nesting`` or ``supervision``, a method of
        :func:`riskgraph.propagate`, ``"nesting"`` or ``"dossier"``.
    catalogue
        For questions of supervision.
    source
        Folder or file that the graph was read from; the SHA-256 of each file goes into the manifest.
    **parameters
        Those of the function, and ``seeds`` and ``lang`` for a propagation. They must be what JSON can hold: numbers,
        texts, lists, mappings with text keys, days as text.

    Raises
    ------
    InvalidParameter
        An unknown question, a parameter it does not have, or one that JSON cannot hold; a Monte Carlo estimate
        without ``random_state``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.evidence import answer
    >>> found = answer(rg.datasets.toy_chain(), "integrated_ownership", owners=["Ann"])
    >>> found.frame[["owner", "asset", "share_min"]]
      owner    asset  share_min
    0   Ann  Holding        0.6
    1   Ann     Mine        0.3
    >>> found.manifest["parameters"], found.manifest["dates"]
    ({'owners': ['Ann']}, {'valid_on': None, 'known_by': None})
    """
    given = _plain_parameters(parameters)
    plan = catalogue_of(catalogue) if takes_catalogue(question) else None
    ordered = canonical(graph)
    frame = ask(ordered, question, plan, given)
    columns = [str(column) for column in frame]
    rows = rows_of(frame)
    manifest = {
        "format": FORMAT,
        "version": 1,
        "question": question,
        "parameters": given,
        "dates": {
            "valid_on": None if graph.valid_on is None else graph.valid_on.date().isoformat(),
            "known_by": None if graph.known_by is None else graph.known_by.date().isoformat(),
        },
        "data": fingerprint(graph),
        "left_out": {name: len(frame) for name, frame in sorted(graph.rejected.items())},
        "files": None if source is None else file_hashes(source),
        "catalogue": None if plan is None else catalogue_mark(plan),
        "versions": versions(),
        "result": {"rows": len(rows), "columns": columns, "sha256": digest_rows(columns, rows)},
    }
    return Answer(question, frame, manifest)


def _plain_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in parameters.items():
        if not _is_plain(value):
            raise InvalidParameter(f"{name!r} must be what JSON can hold, so that it can be asked again; got {value!r}")
    # through JSON and back: what is computed now is what will be computed again
    plain: dict[str, Any] = json.loads(json.dumps(parameters, sort_keys=True))
    return plain


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, float):
        return value - value == 0
    return value is None or isinstance(value, (bool, int, str))


def catalogue_of(catalogue: str | Path | Catalogue) -> Catalogue:
    """A catalogue, loaded where a name or folder came."""
    from riskgraph.supervision import Catalogue

    return Catalogue.load(catalogue) if isinstance(catalogue, (str, Path)) else catalogue


def catalogue_mark(catalogue: Catalogue) -> dict[str, str]:
    """Name of a catalogue, and the hash of its entries and of the values of its parameters."""
    values = {rule.id: {name: item.value for name, item in rule.parameters.items()} for rule in catalogue}
    sections = {name: catalogue.section(name) for name in catalogue._sections}
    whole = as_json([sections, values, catalogue.home_province], None)
    return {"name": catalogue.name, "sha256": sha256(line(whole))}


def versions() -> dict[str, str]:
    """Versions of riskgraph, of its code, of Python and of the packages that compute."""
    found = {"python": platform.python_version(), "riskgraph code": _code()}
    for package in ("riskgraph", *_COMPUTING):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def _code() -> str:
    """Hash of the files of the package that compute: its code and its tables of numbers."""
    root = Path(__file__).parent.parent
    files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".yaml", ".yml") and path.is_file())
    return sha256(*(part for path in files for part in (path.relative_to(root).as_posix(), path.read_bytes())))


def file_hashes(source: str | os.PathLike[str]) -> dict[str, str]:
    """SHA-256 of a file, or of every file of a folder that is not hidden.

    Raises
    ------
    InvalidParameter
        Nothing is there.
    """
    place = Path(source)
    if not place.exists():
        raise InvalidParameter(f"'source' must be the file or folder that was read; {place.name!r} is not there")
    files = [place] if place.is_file() else sorted(path for path in place.iterdir() if path.is_file())
    return {path.name: _hash(path) for path in files if not path.name.startswith(".")}


def _hash(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
