"""The main job, end to end, on the invented county: quality, bans, risk with its paths, nesting, pictures, a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from riskgraph._files import write_file
from riskgraph._optional import progress
from riskgraph.graph import EntityGraph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from riskgraph.nesting import NestingScorer
    from riskgraph.risk import RiskCascade

__all__ = ["run"]

#: the county is judged on the last day of the rectification year
DAY = "2016-12-31"


def run(out: Path, lang: str = "zh", say: Callable[[str], object] = print) -> Path:
    """Run the demonstration and return the folder with its tables, pictures and page.

    Parameters
    ----------
    out
        Folder to write to; made when missing.
    lang
        ``"zh"`` or ``"en"``, for pictures, paths and page.
    say
        Where the report lines go.
    """
    from riskgraph.datasets import load_county
    from riskgraph.nesting import NestingScorer
    from riskgraph.risk import RiskCascade

    county = load_county()
    graph = county.graph.at(DAY)
    say("An invented county under the 2016 internet-finance campaign; no firm or person in it exists.")
    say(f"{graph!r}\n")

    say("1. Quality of the tables")
    remarks = graph.quality
    say(f"   {len(remarks)} remarks" + ("" if remarks.empty else f"; the first: {remarks['problem'].iloc[0]}"))

    say("\n2. Where risk begins")
    names = pd.Series(graph.names, index=graph.ids)
    seeds = graph.seeds()
    for entity, severity in seeds.head(5).items():
        cases = graph.cases
        kinds = ", ".join(sorted(set(cases.loc[cases["entity"] == entity, "type"])))
        say(f"   {names[entity]} ({kinds}, severity {severity:g})")
    say(f"   … {len(seeds)} entities under a ban, a revocation or the like")

    say("\n3. Whom it reaches: the ten highest risks, and why")
    cascade = RiskCascade().fit(graph)
    reached = cascade.report_
    reached = reached[~reached["entity"].isin(seeds.index) & (reached["risk"] > 0)]
    for row in reached.head(10).itertuples(index=False):
        say(f"   {row.risk:.3f} [{row.lower:.3f}, {row.upper:.3f}]  {row.name}")
        say(f"         {row.path}")

    say("\n4. What is nested in what: the five highest scores, and why")
    nesting = NestingScorer(lang=lang).fit(graph)
    nested = nesting.report_.sort_values("score", ascending=False, kind="stable")
    nested = nested[nested["score"] > 0]
    for row in nested.head(5).itertuples(index=False):
        say(f"   {row.score:.3f}  {names.get(row.entity, row.entity)}: {row.reasons}")

    out.mkdir(parents=True, exist_ok=True)
    files = _tables(out, remarks, cascade.report_, nested)
    files += _pictures(out, graph, cascade, nesting, nested, county.labels, lang)
    files.append(_page(out, graph, cascade, reached, lang))
    say(f"\nWritten to {out.resolve()}:")
    for file in files:
        say(f"   {file.name}")
    return out


def _why(cascade: RiskCascade, entity: str, lang: str) -> str:
    """The sentence of the most probable path."""
    paths = cascade.explain(entity, k=1, lang=lang)
    return str(paths["text"].iloc[0]) if len(paths) else ""


def _tables(out: Path, remarks: pd.DataFrame, ranking: pd.DataFrame, nested: pd.DataFrame) -> list[Path]:
    from riskgraph.report import write_table

    named = {"quality.csv": remarks, "risk.csv": ranking, "nesting.csv": nested}
    return [write_table(frame, out / name) for name, frame in named.items()]


def _pictures(
    out: Path,
    graph: EntityGraph,
    cascade: RiskCascade,
    nesting: NestingScorer,
    nested: pd.DataFrame,
    labels: pd.DataFrame,
    lang: str,
) -> list[Path]:
    import matplotlib

    from riskgraph import plot

    worst = cascade.scores_[~cascade.scores_.index.isin(graph.seeds().index)].idxmax()
    shell = labels.loc[labels["typology"] == "onion_shell", "entity"]
    shell = shell[shell.isin(graph.ids[graph.entities["kind"] == "company"])].iloc[-1]
    products = nested[nested["entity"].isin(graph.ids[graph.entities["kind"] == "product"])]["entity"]
    draw: dict[str, Callable[[], Axes]] = {
        "risk_ranking.png": lambda: plot.risk_ranking(cascade, n=15, lang=lang),
        "neighborhood.png": lambda: plot.neighborhood(graph, worst, cascade.scores_, depth=2, lang=lang),
        "ownership_tree.png": lambda: plot.ownership_tree(graph, shell, max_depth=9, lang=lang),
        "nesting_heatmap.png": lambda: plot.nesting_heatmap(graph, lang=lang),
        "look_through_flow.png": lambda: plot.look_through_flow(graph, products.iloc[0], lang=lang),
        "timeline.png": lambda: plot.timeline(graph, worst, lang=lang),
    }
    files = []
    backend = matplotlib.get_backend()
    matplotlib.use("agg")  # files only: no window, whatever the machine has
    try:
        import matplotlib.pyplot as plt

        for name, picture in progress(draw.items(), total=len(draw), text="pictures"):
            figure: Any = picture().figure
            write_file(out / name, partial(figure.savefig, dpi=110))
            plt.close(figure)
            files.append(out / name)
    finally:
        matplotlib.use(backend)
    return files


def _page(out: Path, graph: EntityGraph, cascade: RiskCascade, reached: pd.DataFrame, lang: str) -> Path:
    from riskgraph.report import page

    notes = {entity: _why(cascade, entity, lang) for entity in reached["entity"].head(60)}
    return page(graph, out / "county.html", scores=cascade.scores_, notes=pd.Series(notes, dtype=object), lang=lang)
