"""Words in names, scopes and texts: which list, which field, which span; and names that stand on printed lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.schema import ENTITY_KINDS
from riskgraph.supervision._automaton import Automaton, fold
from riskgraph.supervision._view import dated

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["keyword_hits", "match_names", "search"]

#: a negation reaches to the end of its sentence, not over these
_SENTENCE = re.compile(r"[;；。()（）\n]")
_COLUMNS = ["entity", "list", "field", "word", "start", "stop", "negated"]
_MASK = "**"


def keyword_hits(
    graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, lists: Iterable[str] | None = None
) -> pd.DataFrame:
    """Occurrences of the catalogue's keyword lists, one row each, the lists kept apart.

    All lists are searched in one pass. Full-width letters, case and traditional characters are levelled first; the
    spans are those of the text as given. A word inside a word is a hit of its own.

    Parameters
    ----------
    graph
        Names and scopes are columns of its entities, ``ad_text`` and ``website_text`` facts in force.
    catalogue
        Its ``keywords``.
    at
        Day asked about; None takes the day the graph stands at.
    lists
        Names of lists; None takes all.

    Returns
    -------
    DataFrame
        ``entity, list, field, word, start, stop, negated``. ``negated`` marks a scope that rules the word out, such
        as 不得从事金融业务; it never makes a finding.

    Raises
    ------
    InvalidParameter
        An unknown list.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, keyword_hits
    >>> entities = pd.DataFrame({"id": ["C1"], "kind": ["company"], "name": ["某某Ｐ２Ｐ网贷公司"]})
    >>> relations = pd.DataFrame({"source": [], "target": [], "kind": []})
    >>> graph = rg.EntityGraph.from_tables(entities, relations)
    >>> keyword_hits(graph, Catalogue.load())[["list", "word", "start", "stop"]]
      list word  start  stop
    0    A  P2P      2     5
    1    A   网贷      5     7
    """
    wanted = list(catalogue.keywords) if lists is None else list(lists)
    for name in wanted:
        if name not in catalogue.keywords:
            raise InvalidParameter(f"'lists' must name keyword lists ({', '.join(catalogue.keywords)}); got {name!r}")
    return search(dated(graph, at), catalogue, {name: catalogue.keywords[name] for name in wanted})


def search(graph: EntityGraph, catalogue: Catalogue, lists: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Occurrences of lists of the layout of the catalogue's, found by one automaton."""
    words = sorted({word for entry in lists.values() for word in entry["words"]})
    place = {word: index for index, word in enumerate(words)}
    automaton = Automaton(words, catalogue.section("traditional"))
    fields = sorted({field for entry in lists.values() for field in entry.get("fields", ["name"])})
    negations = catalogue.section("negations")
    frames = []
    for field in fields:
        entity, text = _texts(graph, field)
        hits = automaton.find(text)
        for name, entry in lists.items():
            if not len(hits) or field not in entry.get("fields", ["name"]):
                continue
            mine = np.flatnonzero(np.isin(hits.word, [place[word] for word in entry["words"]]))
            if not mine.size:
                continue
            negated = np.zeros(mine.size, dtype=bool)
            if entry.get("negation") and field == "scope":
                spots = zip(hits.row[mine], hits.start[mine], strict=True)
                negated = np.array([_negated(text[row], int(start), negations) for row, start in spots])
            frames.append(
                pd.DataFrame(
                    {
                        "entity": entity[hits.row[mine]],
                        "list": name,
                        "field": field,
                        "word": np.array(words, dtype=object)[hits.word[mine]],
                        "start": hits.start[mine],
                        "stop": hits.stop[mine],
                        "negated": negated,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_COLUMNS)


def _texts(graph: EntityGraph, field: str) -> tuple[np.ndarray, np.ndarray]:
    """Entities and their texts; persons, accounts and addresses are not searched."""
    if field in ("name", "scope"):
        if field not in graph.entities:
            return np.empty(0, dtype=object), np.empty(0, dtype=object)
        firms = np.isin(graph.kinds, [ENTITY_KINDS.index(kind) for kind in ("company", "product", "unknown")])
        firms &= ~graph.entities["ended"].to_numpy()
        firms &= graph.entities[field].notna().to_numpy()
        return graph.ids.to_numpy()[firms], graph.entities[field].to_numpy(dtype=object)[firms]
    facts = graph.facts
    facts = facts[facts["fact"] == field]
    return facts["entity"].to_numpy(dtype=object), facts["value"].map(str).to_numpy(dtype=object)


def _negated(text: str, start: int, negations: list[str]) -> bool:
    before = _SENTENCE.split(text[:start])[-1]
    after = _SENTENCE.split(text[start:])[0]
    return any(word in before for word in negations if word != "除外") or (
        "除外" in negations and after.endswith("除外")
    )


def match_names(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None) -> pd.DataFrame:
    """Names that stand on the catalogue's printed lists.

    A name printed in full is matched exactly. A name printed with ``**`` hides characters: whatever fits is a
    candidate to look into, never a hit.

    Returns
    -------
    DataFrame
        ``entity, list, group, printed, match`` (exact, candidate)`, status`.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, match_names
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1"], "kind": ["company"], "name": ["某某皇玛电子科技有限公司"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ... )
    >>> match_names(graph, Catalogue.load())[["entity", "match", "status"]]
      entity      match     status
    0     C1  candidate  suspected
    """
    graph = dated(graph, at)
    traditional = catalogue.section("traditional")
    printed = [
        (name, group, title, str(entry["status"]))
        for name, entry in catalogue.section("name_lists").items()
        for group, titles in entry["groups"].items()
        for title in dict.fromkeys(titles)
    ]
    rows = []
    if printed:
        entity, names = _texts(graph, "name")
        # whoever fits a printed name holds its longest stretch in plain letters
        stretch = [max(title.split(_MASK), key=len) for _, _, title, _ in printed]
        hits = Automaton(stretch, traditional).find(names)
        pairs = (
            np.unique(np.column_stack([hits.word, hits.row]), axis=0) if len(hits) else np.empty((0, 2), dtype=np.int64)
        )
        for word, row in pairs.tolist():
            name, group, title, status = printed[word]
            pattern = ".+".join(re.escape(fold(part, traditional)) for part in title.split(_MASK))
            if re.fullmatch(pattern, fold(str(names[row]), traditional)):
                rows.append((entity[row], name, group, title, "candidate" if _MASK in title else "exact", status))
    return pd.DataFrame(rows, columns=["entity", "list", "group", "printed", "match", "status"])
