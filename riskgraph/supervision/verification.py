"""Declared against observed: what a firm states, held against registry, flows and other sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from riskgraph.supervision._view import view

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["verify_declared"]

#: a source of this kind holds what the firm states itself
_DECLARED = ("declared", "self", "statement", "申报", "自述", "企业告知", "告知")
#: texts that stand beside one another rather than against
_TEXTS = ("ad_text", "website_text", "solicitation_channel", "product_type")
_COLUMNS = ["entity", "fact", "declared", "observed", "verdict", "evidence"]


def verify_declared(
    graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, entity: str | None = None
) -> pd.DataFrame:
    """What each firm declares against what other sources observe.

    A fact from a source called ``declared`` (or 申报, 自述) is the firm's own statement; the same fact from any other
    source is an observation. Where no source is called so, two sources that give the same fact are compared.

    Returns
    -------
    DataFrame
        ``entity, fact, declared, observed, verdict`` (match, mismatch, unverified)`, evidence``.
        ``attrs["honesty"]`` maps an entity to matches ÷ (matches + mismatches).

    Raises
    ------
    UnknownEntity
        The graph does not hold ``entity``.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, verify_declared
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1"], "kind": ["company"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ...     facts=pd.DataFrame(
    ...         {"entity": "C1", "fact": "loan_balance", "value": [100, 160], "source_ref": ["declared", "bank_flow"]}
    ...     ),
    ... )
    >>> verify_declared(graph, Catalogue.load())[["fact", "declared", "observed", "verdict"]]
               fact declared observed   verdict
    0  loan_balance    100.0    160.0  mismatch
    """
    seen = view(graph, catalogue, at=at)
    tolerance = float(catalogue.value("FUND-ACCOUNT-FLOW-VERIFY", "tolerance", 0.0))
    frame = seen._coded(seen.graph.facts)
    if entity is not None:
        frame = frame[frame["code"] == seen.graph.code(entity)]
    frame = frame[~frame["fact"].str.startswith("approval:") & ~frame["fact"].isin(_TEXTS)]
    frame = frame.sort_values("start", kind="stable", na_position="first")
    source = frame["source_ref"].where(frame["source_ref"].notna(), "").astype(str)
    by_fact: dict[tuple[int, str], dict[str, tuple[Any, str]]] = {}
    columns = (frame["code"], frame["fact"], source, frame["value"], frame["id"].astype(str))
    for code, fact, origin, value, ref in zip(*columns, strict=True):
        by_fact.setdefault((int(code), str(fact)), {})[origin] = (value, ref)
    rows = [
        row
        for (code, fact), given in sorted(by_fact.items())
        if (row := _compare(str(seen.ids[code]), fact, given, tolerance)) is not None
    ]
    result = pd.DataFrame(rows, columns=_COLUMNS)
    result.attrs["honesty"] = {
        str(name): float((group["verdict"] == "match").sum() / checked)
        for name, group in result.groupby("entity")
        if (checked := int(group["verdict"].isin(["match", "mismatch"]).sum()))
    }
    return result


def _compare(entity: str, fact: str, given: dict[str, tuple[Any, str]], tolerance: float) -> tuple[Any, ...] | None:
    """One verdict a fact, of the newest value of each source: one that disagrees outweighs those that agree."""
    own = [origin for origin in given if any(word in origin.lower() for word in _DECLARED)]
    if not own:
        if len(given) < 2:
            return None
        own = [next(iter(given))]
    stated, ref = given[own[-1]]
    observed = [item for origin, item in given.items() if origin not in own and str(item[0]).lower() != "unknown"]
    if not observed:
        return entity, fact, stated, None, "unverified", (ref,)
    wrong = [item for item in observed if not _same(stated, item[0], tolerance)]
    value, other = (wrong or observed)[0]
    return entity, fact, stated, value, "mismatch" if wrong else "match", (ref, other)


def _same(first: Any, second: Any, tolerance: float) -> bool:
    try:
        a, b = float(first), float(second)
    except (TypeError, ValueError):
        return str(first).strip() == str(second).strip()
    return abs(a - b) <= tolerance * max(abs(a), abs(b))
