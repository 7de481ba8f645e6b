"""How a graph shows itself in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["graph_card"]


def graph_card(graph: EntityGraph) -> str:
    """Card with the counts, the dates and what the quality report says; every text is escaped."""
    summary = graph.summary()
    cells = []
    for table in ("entities", "relations", "cases", "licences", "facts"):
        part = summary[summary["table"] == table].nlargest(8, "count", keep="first")
        if len(part):
            lines = "".join(
                f"<tr><td>{escape(str(kind))}</td><td style='text-align:right'>{count:,}</td></tr>"
                for kind, count in part[["kind", "count"]].itertuples(index=False)
            )
            cells.append(
                f"<td style='vertical-align:top;padding-right:1.5em'><b>{table}</b><table>{lines}</table></td>"
            )
    actions = graph.quality["action"].value_counts()
    notes = ", ".join(f"{count:,} {escape(str(action))}" for action, count in actions.items())
    quality = f"<p>quality: {notes}; see <code>graph.quality</code></p>" if notes else ""
    return f"<div><p><b>{escape(repr(graph))}</b></p><table><tr>{''.join(cells)}</tr></table>{quality}</div>"
