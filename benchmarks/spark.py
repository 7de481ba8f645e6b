"""Spark on this machine against the graph in memory: taint, control by majority, integrated ownership, the cascade."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from timing import arguments, interleaved, keep, table

import riskgraph as rg

#: companies up to which the methods that need many rounds are run
MANY_ROUNDS = 100_000


def session(size: int) -> Any:
    """A session of all cores with small tables in few partitions, on loopback."""
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{os.cpu_count()}]").appName("riskgraph benchmark")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "3g",
        "spark.sql.shuffle.partitions": "1" if size <= 10_000 else "8",
    }
    if size <= 10_000:  # compiling and adapting plans takes longer than running them
        settings |= {"spark.sql.codegen.wholeStage": "false", "spark.sql.adaptive.enabled": "false"}
    for name, value in settings.items():
        builder = builder.config(name, value)
    found = builder.getOrCreate()
    found.sparkContext.setLogLevel("ERROR")
    return found


def same(answer: Any, local: pd.DataFrame, keys: list[str], numbers: list[str]) -> None:
    """Leave with a message unless both answers hold the same rows with the same numbers to 1e-9."""
    mine = answer.toArrow().to_pandas()
    both = mine.merge(local, on=keys, how="outer", suffixes=("", "_local"))
    if not len(mine) == len(local) == len(both):
        raise SystemExit(f"{len(mine)} rows from Spark, {len(local)} from memory, {len(both)} in either")
    for name in numbers:
        gap = (both[name].astype(float) - both[f"{name}_local"].astype(float)).abs().max()
        if not gap <= 1e-9:
            raise SystemExit(f"{name} differs by {gap}")


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        print("Spark is skipped: it needs pyspark and Java 17")
        keep(given.json, [{"title": "Spark, skipped", "seconds": {"skipped": 0.0}, "ours": "skipped"}])
        return
    graph = rg.datasets.make_registry(size, random_state=1)
    spark = session(size)
    with tempfile.TemporaryDirectory() as folder:
        rg.readers.write_tables(graph, folder, format="parquet")
        asked = rg.spark.SparkGraph.from_tables(spark, folder)
        rounds = given.rounds if size <= 10_000 else 1
        figures = [
            table(
                f"{name}, {size:,} companies, {len(graph.columns):,} relations", interleaved(ways, rounds), "in memory"
            )
            for name, ways in compared(graph, asked, size)
        ]
    spark.stop()
    keep(given.json, figures)


def compared(graph: rg.EntityGraph, asked: Any, size: int) -> Iterator[tuple[str, dict[str, Callable[[], Any]]]]:
    """Questions with both ways of answering them, one after the other, their answers found equal first."""
    owns = graph.columns.of("owns")
    owners = graph.ids[np.unique(graph.columns.source[owns])[:: max(1, owns.size // 100)]].tolist()

    def fresh() -> rg.EntityGraph:
        graph._cache.clear()
        return graph

    def shares() -> pd.DataFrame:
        return rg.ownership.integrated_ownership(fresh(), owners)

    def taint() -> pd.DataFrame:
        model = rg.risk.ThresholdCascade().fit(fresh())
        return model.scores_.rename_axis("entity").reset_index()

    questions: list[tuple[str, Callable[[], pd.DataFrame], Callable[[], Any], list[str], list[str]]] = [
        ("Threshold cascade", taint, lambda: asked.propagate("threshold"), ["entity"], ["risk"]),
    ]  # fmt: skip
    if size > 1_000:
        title = f"Integrated ownership of {len(owners)} owners"
        ask = lambda: asked.integrated_ownership(owners)  # noqa: E731
        questions.append((title, shares, ask, ["owner", "asset"], ["share_min", "share_max"]))
    if 1_000 < size <= MANY_ROUNDS:

        def cascade() -> pd.DataFrame:
            model = rg.risk.RiskCascade(tol=1e-13).fit(fresh())
            return model.bounds_.rename_axis("entity").reset_index()

        def control() -> pd.DataFrame:
            return rg.ownership.control(fresh())

        questions += [
            (
                "Control of all pairs",
                control,
                asked.control,
                ["controller", "company"],
                ["votes_min", "votes_max"],
            ),
            ("Risk cascade, both bounds", cascade, asked.propagate, ["entity"], ["lower", "upper"]),
        ]
    for name, local, distant, keys, numbers in questions:
        same(distant(), local(), keys, numbers)
        yield name, {"in memory": local, "Spark on this machine": lambda distant=distant: distant().count()}


if __name__ == "__main__":
    main()
