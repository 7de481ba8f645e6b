"""The command ``riskgraph``: read a folder, call the library, write tables, pictures and pages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pandas as pd

from riskgraph.errors import InvalidTable, RiskGraphError, StoreUnavailable
from riskgraph.graph import EntityGraph
from riskgraph.schema import CASE_TYPES

__all__ = ["main"]

NOT_SAME, BAD_USAGE, BAD_INPUT = 1, 2, 3


class _Commands(click.Group):
    """Errors of the library become one sentence and an exit code, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (InvalidTable, StoreUnavailable) as error:
            click.echo(f"riskgraph: {error}", err=True)
            ctx.exit(BAD_INPUT)
        except RiskGraphError as error:
            click.echo(f"riskgraph: {error}", err=True)
            ctx.exit(BAD_USAGE)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="riskgraph")
def main() -> None:
    """Who owns, runs, controls, funds and fronts for whom: from registry tables to explained answers.

    PATH is a folder or file in any format that riskgraph reads. Exit codes: 0 done, 1 an answer that
    came out otherwise (verify), 2 bad usage, 3 bad input.
    """


def _source(command: Callable[..., None]) -> Callable[..., None]:
    """PATH and the options every command has that reads one."""
    decorators = (
        click.argument("path", type=click.Path(exists=True, path_type=Path)),
        click.option("--at", metavar="DATE", help="Day the graph is seen on; the newest in the data if left out."),
        click.option("--known", metavar="DATE", help="Leave out what became known after this day."),
        click.option(
            "--columns", metavar="OURS=THEIRS,…", help="Other spellings of columns: 公司名称=name,比例=share."
        ),
        click.option(
            "--out", type=click.Path(path_type=Path), help="Write the whole table: .csv, .xlsx, .parquet, .html."
        ),
        click.option("--top", default=20, show_default=True, help="Rows to print."),
    )
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def _read(path: Path, at: str | None, known: str | None, columns: str | None) -> EntityGraph:
    from riskgraph.readers import read

    graph = read(path, columns=_pairs(columns))
    if at is None and known is not None:
        raise click.UsageError("--known needs --at")
    return graph if at is None else graph.at(at, known=known)


def _pairs(text: str | None) -> Mapping[str, str] | None:
    if text is None:
        return None
    pairs = [part.split("=", 1) for part in text.split(",") if part]
    if any(len(pair) != 2 for pair in pairs):
        raise click.BadParameter("write spellings as 公司名称=name,比例=share", param_hint="--columns")
    return {theirs.strip(): ours.strip() for theirs, ours in pairs}


def _show(frame: pd.DataFrame, top: int, out: Path | None) -> None:
    """Print the first rows, write all of them where asked."""
    from riskgraph.report import neutralise, write_table

    if frame.empty:
        click.echo("(no rows)")
    else:
        with pd.option_context(
            "display.width", 160, "display.max_colwidth", 60, "display.unicode.east_asian_width", True
        ):
            click.echo(neutralise(frame.head(top)).to_string(index=False))
        if len(frame) > top:
            click.echo(f"… {len(frame) - top:,} more rows")
    if out is not None:
        click.echo(f"written: {write_table(frame, out)}")


@main.command()
@_source
def check(path: Path, at: str | None, known: str | None, columns: str | None, out: Path | None, top: int) -> None:
    """Read PATH and report what it holds and what is wrong with it.

    \b
    Example:
      riskgraph check datasets/county
    """
    graph = _read(path, at, known, columns)
    click.echo(repr(graph))
    click.echo(graph.summary().to_string(index=False))
    quality = graph.quality
    for table, rows in graph.rejected.items():
        click.echo(f"left out of {table}: {len(rows):,} rows")
    click.echo(f"quality: {len(quality):,} remarks")
    _show(quality, top, out)


@main.command()
@_source
@click.option("--method", default="cascade", show_default=True, help="cascade, threshold, pagerank, …")
@click.option("--seed", "seeds", multiple=True, metavar="ID", help="Begin at this entity; repeat for more.")
@click.option(
    "--seed-cases", metavar="TYPE,…", help="Begin at entities under cases of these types, instead of bans and the like."
)
@click.option("--page", type=click.Path(path_type=Path), help="Also write an interactive page.")
@click.option("--with-seeds", is_flag=True, help="List the seeds themselves too.")
def propagate(
    path: Path,
    at: str | None,
    known: str | None,
    columns: str | None,
    out: Path | None,
    top: int,
    method: str,
    seeds: tuple[str, ...],
    seed_cases: str | None,
    page: Path | None,
    with_seeds: bool,
) -> None:
    """Spread risk from banned firms in PATH and rank who is reached, with the main path of each.

    \b
    Example:
      riskgraph propagate datasets/county --at 2016-12-31 --top 10 --out ranking.csv
    """
    from riskgraph.risk import propagate as spread

    graph = _read(path, at, known, columns)
    click.echo(repr(graph))
    begin: Any = list(seeds) or None
    if seed_cases is not None:
        begin = _seeds_of(graph, seed_cases)
    model = spread(graph, begin, method)
    report = model.report_
    click.echo(f"{int((report['hops'] == 0).sum()):,} seeds, {int((report['hops'] > 0).sum()):,} entities reached")
    _show(report if with_seeds else report[report["hops"] > 0], top, out)
    if page is not None:
        from riskgraph.report import page as write_page

        click.echo(f"written: {write_page(graph, page, scores=model.scores_)}")


def _seeds_of(graph: EntityGraph, types: str) -> dict[str, float]:
    wanted = [part.strip() for part in types.split(",") if part.strip()]
    odd = [name for name in wanted if name not in CASE_TYPES]
    if odd or not wanted:
        raise click.BadParameter(
            f"{odd[0] if odd else types!r} is no case type; use {', '.join(CASE_TYPES)}", param_hint="--seed-cases"
        )
    cases = graph.cases
    cases = cases[cases["type"].isin(wanted)]
    weight = cases["severity"].astype(float).fillna(1.0).groupby(cases["entity"].to_numpy(dtype=object)).max()
    return {str(entity): float(value) for entity, value in weight.items()}


@main.command()
@_source
@click.option("--company", "companies", multiple=True, metavar="ID", help="Owners of this company; repeat for more.")
@click.option("--owner", "owners", multiple=True, metavar="ID", help="Holdings of this owner; repeat for more.")
@click.option("--controllers", is_flag=True, help="Ultimate controllers instead of shares.")
def ownership(
    path: Path,
    at: str | None,
    known: str | None,
    columns: str | None,
    out: Path | None,
    top: int,
    companies: tuple[str, ...],
    owners: tuple[str, ...],
    controllers: bool,
) -> None:
    """Shares through every chain, or the ultimate controllers of all companies in PATH.

    \b
    Example:
      riskgraph ownership datasets/county --controllers --top 5
    """
    from riskgraph.ownership import integrated_ownership, ultimate_controllers

    graph = _read(path, at, known, columns)
    click.echo(repr(graph))
    if controllers:
        frame = ultimate_controllers(graph)
        if companies:
            graph.codes(companies)
            frame = frame[frame["company"].isin(companies)]
    elif companies or owners:
        frame = integrated_ownership(graph, list(owners) or None, list(companies) or None)
    else:
        raise click.UsageError("name a --company or an --owner, or ask for --controllers")
    _show(frame, top, out)


@main.command()
@_source
@click.option(
    "--names/--no-names", default=False, help="Turn holder names such as manager-custodian-plan into products."
)
def nesting(
    path: Path, at: str | None, known: str | None, columns: str | None, out: Path | None, top: int, names: bool
) -> None:
    """Score cross-sector nesting in PATH: layers, sectors, loops, opacity, with reasons.

    \b
    Example:
      riskgraph nesting datasets/county --top 10
    """
    from riskgraph.nesting import NestingScorer, expand_product_names

    graph = _read(path, at, known, columns)
    if names:
        graph = expand_product_names(graph)
    click.echo(repr(graph))
    report = NestingScorer().fit(graph).report_
    _show(report[report["score"] > 0], top, out)


@main.command()
@_source
@click.option("--catalogue", default="jiangsu-2016", show_default=True, help="Name of a catalogue, or its folder.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def screen(
    path: Path,
    at: str | None,
    known: str | None,
    columns: str | None,
    out: Path | None,
    top: int,
    catalogue: str,
    lang: str,
) -> None:
    """Apply the supervision rules to PATH and list the findings with their evidence.

    \b
    Example:
      riskgraph screen datasets/county --at 2016-12-31 --top 10
    """
    from riskgraph.supervision import Catalogue
    from riskgraph.supervision import screen as find

    graph = _read(path, at, known, columns)
    click.echo(repr(graph))
    _show(find(graph, Catalogue.load(catalogue), lang=lang), top, out)


@main.command()
@_source
@click.argument("entity")
@click.option("--catalogue", default="jiangsu-2016", show_default=True, help="Name of a catalogue, or its folder.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def dossier(
    path: Path,
    entity: str,
    at: str | None,
    known: str | None,
    columns: str | None,
    out: Path | None,
    top: int,
    catalogue: str,
    lang: str,
) -> None:
    """Compile the file on one firm (一户一档) of PATH: print it, or write .html, .json or .xlsx.

    \b
    Example:
      riskgraph dossier datasets/county C5294 --at 2016-12-31 --out dossier.html
    """
    from riskgraph.supervision import Catalogue
    from riskgraph.supervision import dossier as compile_dossier

    graph = _read(path, at, known, columns)
    file = compile_dossier(graph, entity, Catalogue.load(catalogue), lang=lang)
    if out is None:
        _show(file.fields, top, None)
        return
    writers = {".html": file.to_html, ".json": file.to_json, ".xlsx": file.to_excel}
    if out.suffix.lower() not in writers:
        raise click.BadParameter("the file must end in .html, .json or .xlsx", param_hint="--out")
    writers[out.suffix.lower()](out)
    click.echo(f"written: {out}")


@main.command()
@click.option("--model", type=click.Path(exists=True, path_type=Path), required=True, help="Model file to score with.")
@click.option("--graph", "path", type=click.Path(exists=True, path_type=Path), required=True, help="Folder or file.")
@click.option("--at", metavar="DATE", required=True, help="Day to score for; nothing known later is used.")
@click.option("--out", type=click.Path(path_type=Path), help="Write all scores: .csv, .xlsx, .parquet, .html.")
@click.option("--top", default=20, show_default=True, help="Rows to print.")
def score(model: Path, path: Path, at: str, out: Path | None, top: int) -> None:
    """Score the firms of a graph with a stored model, the likeliest to fall first.

    \b
    Example:
      riskgraph score --model model.skops --graph datasets/county --at 2016-12-31 --out scores.csv
    """
    from riskgraph.learning import score_frame
    from riskgraph.readers import read

    _show(score_frame(model, read(path), at), top, out)


@main.command()
@_source
@click.argument("question")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]…")
@click.option("--catalogue", default="jiangsu-2016", show_default=True, help="Name of a catalogue, or its folder.")
def answer(
    path: Path,
    question: str,
    parameters: tuple[str, ...],
    at: str | None,
    known: str | None,
    columns: str | None,
    out: Path | None,
    top: int,
    catalogue: str,
) -> None:
    """Answer QUESTION about PATH; --out FILE.json keeps it with all it rests on, for `riskgraph verify`.

    QUESTION is a function such as ultimate_controllers, cascade or screen; a VALUE is text or JSON.

    \b
    Example:
      riskgraph answer datasets/county integrated_ownership assets=["C3990"] --at 2016-12-31 --out result.json
    """
    from riskgraph.evidence import answer as ask

    if out is not None and out.suffix.lower() != ".json":
        raise click.BadParameter("the file must end in .json", param_hint="--out")
    graph = _read(path, at, known, columns)
    found = ask(graph, question, catalogue=catalogue, source=path, **_parameters(parameters))
    click.echo(repr(found))
    _show(found.frame, top, None)
    if out is not None:
        click.echo(f"written: {found.save(out)}")


def _parameters(texts: tuple[str, ...]) -> dict[str, Any]:
    import json

    found: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.isidentifier():
            raise click.BadParameter(f"write NAME=VALUE, not {text!r}", param_hint="PARAMETERS")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


@main.command()
@click.argument("result", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder or file it came from."
)
@click.option("--columns", metavar="OURS=THEIRS,…", help="Other spellings of columns, as when it was answered.")
@click.option("--catalogue", help="The catalogue of the answer, where riskgraph does not ship it.")
def verify(result: Path, data: Path, columns: str | None, catalogue: str | None) -> None:
    """Compute a saved answer again from the data and say what differs; exit code 1 if it is another one.

    \b
    Example:
      riskgraph verify result.json --data datasets/county
    """
    from riskgraph.evidence import verify as check_again
    from riskgraph.readers import read

    source = data if columns is None else read(data, columns=_pairs(columns))
    found = check_again(result, source, catalogue=catalogue)
    click.echo(repr(found))
    if not found:
        sys.exit(NOT_SAME)


@main.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo-output"), show_default=True, help="Folder to write to."
)
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def demo(out: Path, lang: str) -> None:
    """Run the main job on an invented county: quality, bans, risk, nesting, pictures, page.

    \b
    Example:
      riskgraph demo --out demo-output
    """
    from riskgraph.demo import run

    run(out, lang, click.echo)


if __name__ == "__main__":
    sys.exit(main())
