"""One Spark session for all tests of this folder, and graphs to ask both sides about."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.datasets import toys
from riskgraph.schema import TABLES

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.ansi.enabled": "true",
    # the tables here are tiny: one partition, and no compiling of plans that run once
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.session.timeZone": "Asia/Shanghai",
}


def why_not() -> str:
    """Why Spark cannot run here; empty when it can."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed"
    java = shutil.which("java")
    home = os.environ.get("JAVA_HOME")
    if java is None and home is None:
        return "no Java is installed; Spark 4 needs Java 17 or newer"
    command = os.path.join(home, "bin", "java") if home else java
    text = subprocess.run([command, "-version"], capture_output=True, text=True, check=False).stderr
    version = text.partition('"')[2].partition(".")[0].partition('"')[0]
    if not version.isdigit() or int(version) < 17:
        return f"Spark 4 needs Java 17 or newer; java -version says {text.splitlines()[:1]}"
    return ""


@pytest.fixture(scope="session")
def spark():
    reason = why_not()
    if reason:
        pytest.skip(reason)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("riskgraph tests")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def frame(answer) -> pd.DataFrame:
    """A Spark answer as pandas, by way of Arrow: toPandas() warns about the version of pandas."""
    return answer.toArrow().to_pandas()


def differences(answer, local: pd.DataFrame, keys: list[str], numbers: list[str]) -> pd.DataFrame:
    """Both answers side by side; fails where rows are missing on either side or numbers differ by more than 1e-9."""
    mine = frame(answer)
    both = mine.merge(local, on=keys, how="outer", suffixes=("", "_local"), indicator=True)
    assert not (both["_merge"] != "both").any(), both[both["_merge"] != "both"].head().to_string()
    assert len(both) == len(local) == len(mine)
    for name in numbers:
        one, other = both[name].to_numpy(dtype=float), both[f"{name}_local"].to_numpy(dtype=float)
        scale = np.maximum(1.0, np.abs(np.nan_to_num(other, posinf=1.0)))
        with np.errstate(invalid="ignore"):
            same = (np.abs(one - other) <= 1e-9 * scale) | (one == other) | (np.isnan(one) & np.isnan(other))
        assert same.all(), both.loc[~same, [*keys, name, f"{name}_local"]].head(10).to_string()
    return both


def _random(rng: np.random.Generator, name: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A small graph with rings, concert groups, agreements, parallel, missing, interval and treasury shares, dates."""
    n = int(rng.integers(6, 12))
    ids = [f"{name}{node}" for node in range(n)]
    kinds = ["company" if node % 3 else "person" for node in range(n)]
    left = np.ones(n)
    rows = []

    def dates():
        start = rng.choice([None, "2015-01-01", "2016-03-01", "2017-05-01"])
        end = rng.choice([None, None, None, "2016-01-01", "2018-01-01"])
        known = rng.choice([None, None, "2016-02-01", "2016-12-01"])
        return start, None if start and end and end <= start else end, known

    for _ in range(int(rng.integers(n, 3 * n))):
        a, b = (int(x) for x in rng.integers(n, size=2))
        if kinds[b] == "person":
            continue
        share = round(float(left[b] * rng.choice([0.1, 0.25, 0.5, 0.6])), 3)
        kind = rng.random()
        low, high = share, share
        if kind < 0.15:
            low, high = None, None
        elif kind < 0.3:
            low, high = round(share / 2, 3), share
        left[b] -= share
        rows.append((ids[a], ids[b], "owns", low, high, None, None, *dates()))
        if rng.random() < 0.15 and a != b and low is not None:
            extra = round(float(left[b] * 0.2), 3)
            left[b] -= extra
            rows.append((ids[a], ids[b], "owns", extra, extra, None, None, *dates()))
    others = ("officer", "controls", "concert", "kin", "same_as", "guarantees", "lends", "cooperates")
    for _ in range(n):
        a, b = (int(x) for x in rng.choice(n, size=2, replace=False))
        kind = str(rng.choice(others, p=[0.3, 0.08, 0.12, 0.1, 0.1, 0.1, 0.1, 0.1]))
        role = str(rng.choice(["legal_representative", "director", "driver"])) if kind == "officer" else None
        confidence = float(rng.choice([0.3, 0.9, 1.0])) if kind == "same_as" and rng.random() < 0.8 else None
        rows.append((ids[a], ids[b], kind, None, None, role, confidence, *dates()))
    columns = ["source", "target", "kind", "share_min", "share_max", "role", "confidence", "start", "end", "known_from"]
    relations = pd.DataFrame(rows, columns=columns)
    seeds = [ids[int(x)] for x in rng.choice(n, size=2, replace=False)]
    cases = pd.DataFrame(
        {"entity": seeds, "type": ["banned", "sanctioned"], "severity": [None, 0.6], "start": ["2015-05-05", None]}
    )
    return pd.DataFrame({"id": ids, "kind": kinds}), relations, cases


def _money(rng: np.random.Generator, name: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Products that fund each other, circles and declared shares among them, with holders and assets."""
    funders, products, assets = (
        [f"{name}{kind}{node}" for node in range(n)] for kind, n in (("h", 4), ("p", 6), ("z", 3))
    )
    rows = []
    for product in products:
        for _ in range(int(rng.integers(1, 3))):
            amount = float(rng.integers(1, 50))
            low = round(float(rng.uniform(0.1, 0.4)), 2) if rng.random() < 0.25 else None
            given = None if low is not None and rng.random() < 0.6 else (None if rng.random() < 0.06 else amount)
            rows.append((str(rng.choice(funders)), product, "invests", given, low, low))
        place = products.index(product)
        for _ in range(int(rng.integers(0, 3))):
            # mostly onward; a little comes back now and then, so that circles close but most of the money leaves them
            back = rng.random() < 0.15
            other = int(rng.integers(0, 6)) if back else int(rng.integers(place + 1, 7))
            target = products[other] if other < 6 else str(rng.choice(assets))
            if target != product:
                kind = str(rng.choice(["invests", "lends", "packaged_from"]))
                rows.append(
                    (product, target, kind, float(rng.integers(1, 4) if back else rng.integers(20, 40)), None, None)
                )
        rows.append((product, assets[place % 3], "invests", 20.0, None, None))
    rows.append((funders[0], products[0], "manages", None, None, None))
    entities = pd.DataFrame(
        {
            "id": [*funders, *products, *assets],
            "kind": ["company"] * 4 + ["product"] * 6 + ["company"] * 3,
            "sector": [str(x) for x in rng.choice(["trust", "bank", "fund", "other"], size=13)],
        }
    )
    entities.loc[entities["kind"] == "product", "sector"] = None
    relations = pd.DataFrame(rows, columns=["source", "target", "kind", "amount", "share_min", "share_max"])
    facts = pd.DataFrame({"entity": products[:1], "fact": "public_fund", "value": [bool(rng.random() < 0.5)]})
    return entities, relations, facts


def union(parts: dict[str, dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Tables of several graphs side by side, ids told apart by the name of the graph."""
    found: dict[str, list[pd.DataFrame]] = {}
    for name, tables in parts.items():
        for table, rows in tables.items():
            rows = rows.copy() if table == "entities" else rows.drop(columns="id", errors="ignore")
            for column in ("id", "entity", "source", "target"):
                if column in rows:
                    rows[column] = [f"{name}/{value}" for value in rows[column]]
            found.setdefault(table, []).append(rows.astype(object))
    return {table: pd.concat(frames, ignore_index=True) for table, frames in found.items() if table in TABLES}


@pytest.fixture(scope="session")
def world():
    """All toys and many random graphs in one, dated 2016-06-30 as known on 2016-09-01."""
    rng = np.random.default_rng(20161)
    parts = {name: getattr(toys, name)().tables() for name in toys.__all__}
    for number in range(25):
        entities, relations, cases = _random(rng, "n")
        parts[f"random{number}"] = {"entities": entities, "relations": relations, "cases": cases}
    for number in range(12):
        entities, relations, facts = _money(rng, "n")
        parts[f"money{number}"] = {"entities": entities, "relations": relations, "facts": facts}
    tables = union(parts)
    return rg.EntityGraph.from_tables(**tables).at("2016-06-30", known="2016-09-01")


@pytest.fixture(scope="session")
def world_on_spark(spark, world):
    return rg.spark.SparkGraph.from_tables(spark, world)


@pytest.fixture(scope="session")
def county():
    return rg.datasets.load_county().graph


@pytest.fixture(scope="session")
def county_on_spark(spark, county, tmp_path_factory):
    """The county by way of the Parquet files that write_tables makes."""
    folder = tmp_path_factory.mktemp("county")
    rg.readers.write_tables(county, folder, format="parquet")
    return rg.spark.SparkGraph.from_tables(spark, folder)
