"""Screening: every rule of the catalogue asked of a dated graph, each finding with its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import riskgraph.supervision.checks  # noqa: F401  registers the checks
from riskgraph.errors import InvalidParameter
from riskgraph.schema import TABLES
from riskgraph.supervision._view import check_lang, view
from riskgraph.supervision.findings import CHECKS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["screen", "snapshot_hash"]

_COLUMNS = ["entity", "rule", "severity", "since", "evidence", "text"]


def screen(
    graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, lang: str = "zh", rules: Iterable[str] | None = None
) -> pd.DataFrame:
    """Findings of the catalogue's rules on a day, in the order of the entities and of the rules.

    Parameters
    ----------
    graph
        Any entity graph.
    catalogue
        Rules and their parameters.
    at
        Day asked about; None takes the day the graph stands at.
    lang
        ``"zh"`` or ``"en"``, the language of ``text``.
    rules
        Ids of rules to ask; None asks all that screen.

    Returns
    -------
    DataFrame
        ``entity, rule, severity, since, evidence, text``. ``severity`` lies in [0, 1]: the rule's own, or the share
        that the rule measures. ``evidence`` is a tuple of ids of relations, cases, facts and licences; a stretch of
        text reads ``C1.name[2:4]=基金``. ``attrs["snapshot"]`` is the hash of the tables (:func:`snapshot_hash`).

    Raises
    ------
    InvalidParameter
        An unknown rule, a rule that does not screen, or a wrong language.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, screen
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["X", "Y", "p"], "kind": ["company", "company", "person"]}),
    ...     pd.DataFrame(
    ...         {"source": ["p", "p"], "target": ["X", "Y"], "kind": "officer", "start": ["2010-01-01", "2019-07-31"],
    ...          "role": ["legal_representative", "director"]}
    ...     ),
    ...     cases=pd.DataFrame({"entity": ["X"], "type": ["revoked"], "start": ["2016-08-01"]}),
    ... )
    >>> screen(graph, Catalogue.load(), at="2019-07-31", lang="en")[["entity", "rule", "evidence"]]
      entity                rule      evidence
    0      Y  RULE-OFFICER-BAN-3Y  (c0, r0, r1)
    1      p  RULE-OFFICER-BAN-3Y  (c0, r0, r1)
    """
    check_lang(lang)
    wanted = [rule for rule in catalogue if rule.use == "screen" and rule.check in CHECKS]
    if rules is not None:
        chosen = list(rules)
        able = {rule.id for rule in wanted}
        for name in chosen:
            if name not in able:
                raise InvalidParameter(f"'rules' must name rules of the catalogue that screen; got {name!r}")
        wanted = [rule for rule in wanted if rule.id in chosen]
    seen = view(graph, catalogue, at=at, lang=lang)

    def say(zh: str, en: str) -> str:
        return zh if lang == "zh" else en

    rows = []
    for place, rule in enumerate(wanted):
        for finding in CHECKS[rule.check](seen, rule, say):
            severity = rule.severity if finding.severity is None else finding.severity
            since = np.datetime64("NaT", "s") if finding.since is None else finding.since
            rows.append(
                (
                    finding.code,
                    place,
                    seen.ids[finding.code],
                    rule.id,
                    float(severity),
                    since,
                    finding.evidence,
                    finding.text,
                )
            )
    rows.sort(key=lambda row: (row[0], row[1]))
    frame = pd.DataFrame([row[2:] for row in rows], columns=_COLUMNS)
    frame["since"] = pd.to_datetime(frame["since"]).astype("datetime64[s]")
    frame["severity"] = frame["severity"].astype(float)
    frame.attrs["snapshot"] = snapshot_hash(seen.graph)
    return frame


def snapshot_hash(graph: EntityGraph) -> str:
    """SHA-256 of what the graph holds on its day and with its knowledge; the same tables give the same hash.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> entities = pd.DataFrame({"id": ["A"], "kind": ["company"]})
    >>> relations = pd.DataFrame({"source": [], "target": [], "kind": []})
    >>> first, second = (rg.EntityGraph.from_tables(entities, relations) for _ in range(2))
    >>> snapshot_hash(first) == snapshot_hash(second)
    True
    """

    def build() -> str:
        digest = hashlib.sha256(f"{graph.valid_on}|{graph.known_by}".encode())
        for table in TABLES:
            if table == "relations":
                continue
            frame = graph.known(table)
            digest.update(f"{table}:{len(frame)};".encode())
            for name in sorted(frame.columns):
                digest.update(f"{name}:".encode() + _bytes(frame[name]))
        store = graph._store
        rows = np.flatnonzero(store.known(graph._known))
        arrays: dict[str, Any] = {
            "source": store.source,
            "target": store.target,
            "kind": store.kind,
            **store.numbers,
            **store.days,
        }
        digest.update(f"relations:{rows.size}:{store.roles};".encode())
        arrays |= {"role": store.role, "serial": store.serial}
        for name, values in sorted(arrays.items()):
            if values is not None:
                digest.update(f"{name}:".encode() + np.ascontiguousarray(values[rows]).tobytes())
        for name in sorted(store.extras.columns):
            digest.update(f"{name}:".encode() + _bytes(store.extras[name].iloc[rows]))
        return digest.hexdigest()

    return graph.cached(("supervision", "snapshot"), build)


def _bytes(values: pd.Series) -> bytes:
    """Bytes of a column that depend on its values alone."""
    if values.dtype == object or not isinstance(values.dtype, np.dtype):
        missing = values.isna().to_numpy()
        texts = values.astype(object).to_numpy().copy()
        texts[missing] = ""
        hashed: bytes = pd.util.hash_array(
            np.array([str(text) for text in texts], dtype=object), categorize=True
        ).tobytes()
        return hashed + np.packbits(missing).tobytes()
    return np.ascontiguousarray(values.to_numpy()).tobytes()
