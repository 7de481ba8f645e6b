"""Spark gives what the graph in memory gives, to 1e-9, and refuses what it cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.spark import SparkGraph
from riskgraph.supervision import Catalogue, keyword_hits

from .conftest import SETTINGS, differences, frame, why_not

# one worker runs them all: they share a session
pytestmark = pytest.mark.xdist_group("spark")


def scores(model, *columns):
    local = pd.DataFrame({"entity": model.scores_.index, "risk": model.scores_.to_numpy()})
    for name in columns:
        local[name] = model.bounds_[name].to_numpy()
    return local


# -- propagation -----------------------------------------------------------------------------------------------------


def test_cascade_of_toys_and_random_graphs(world, world_on_spark):
    model = rg.risk.RiskCascade(tol=1e-13).fit(world)
    both = differences(
        world_on_spark.propagate(), scores(model, "lower", "upper"), ["entity"], ["risk", "lower", "upper"]
    )
    assert (both["risk"] > 0).sum() > 100
    assert (both["lower"] <= both["upper"]).all()
    # circles are there: the bounds part
    assert (both["upper"] - both["lower"]).max() > 1e-3


def test_cascade_with_sure_relations_and_few_hops(world, world_on_spark):
    table = rg.risk.default_transmission() | {("controls", "forward"): 1.0, ("owns", "forward"): 1.0}
    model = rg.risk.RiskCascade(transmission=table, max_hops=3).fit(world)
    answer = world_on_spark.propagate("cascade", transmission=table, max_hops=3)
    differences(answer, scores(model, "lower", "upper"), ["entity"], ["risk", "lower", "upper"])


def test_threshold(world, world_on_spark, county, county_on_spark):
    for graph, asked, parameters in (
        (world, world_on_spark, {"threshold": 0.3, "inclusive": False, "controls": True, "votes": True}),
        (county, county_on_spark, {}),
    ):
        model = rg.risk.ThresholdCascade(**parameters).fit(graph)
        local = scores(model, "lower", "upper").assign(label=model.labels_.to_numpy())
        both = differences(asked.propagate("threshold", **parameters), local, ["entity"], ["risk", "lower", "upper"])
        assert (both["label"] == both["label_local"]).all()
    assert {"yes", "no", "undetermined"} == set(
        frame(world_on_spark.propagate("threshold", threshold=0.3))["label"].unique()
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"direction": "both", "damping": 0.5},
        {"direction": "forward", "dangling": "seeds", "weight": "share_max", "damping": 0.5},
        {"direction": "reverse", "dangling": "uniform", "damping": 0.2},
    ],
)
def test_pagerank(world, world_on_spark, parameters):
    seeds = {entity: 0.5 + place for place, entity in enumerate(world.seeds().index[:9])}
    model = rg.risk.PersonalizedPageRank(**parameters, tol=1e-10).fit(world, seeds)
    answer = world_on_spark.propagate("pagerank", seeds=seeds, tol=1e-10, **parameters)
    differences(answer, scores(model), ["entity"], ["risk"])


def test_seeds_and_dates(spark, world, world_on_spark):
    local = world.seeds().rename_axis("entity").reset_index()
    differences(world_on_spark.seeds(), local, ["entity"], ["severity"])
    for day, known in (("2015-12-31", None), ("2017-06-01", "2016-06-30")):
        view, asked = world.at(day, known), world_on_spark.at(day, known)
        assert asked.relations.count() == len(view.relations)
        assert asked.entities.where("ended").count() == view.entities["ended"].sum()
        model = rg.risk.ThresholdCascade().fit(view)
        differences(asked.propagate("threshold"), scores(model), ["entity"], ["risk"])
    undated = rg.datasets.toy_chain()
    assert SparkGraph.from_tables(spark, undated.tables()).valid_on is None


# -- ownership and control -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["corrected", "all_walks"])
def test_integrated_ownership(world, world_on_spark, method):
    """All owners of the random graphs and toys: rings, treasury shares, intervals and missing shares among them."""
    owners = world.ids[np.unique(world.columns.source[world.columns.of("owns")])]
    local = rg.ownership.integrated_ownership(world, owners, method=method)
    numbers = ["direct_min", "direct_max", "share_min", "share_max"]
    both = differences(world_on_spark.integrated_ownership(owners, method=method), local, ["owner", "asset"], numbers)
    assert (both["share_max"] - both["share_min"]).max() > 0.1
    # some pairs are only indirect
    assert (both["direct_max"] == 0).any()


def test_integrated_ownership_of_the_county(county, county_on_spark):
    owners = list(county.ids[np.unique(county.columns.source[county.columns.of("owns")])])[:300]
    assets = list(county.ids[np.unique(county.columns.target[county.columns.of("owns")])])[::2]
    local = rg.ownership.integrated_ownership(county, owners, assets, min_share=0.25)
    answer = county_on_spark.integrated_ownership(owners, assets, min_share=0.25)
    differences(answer, local, ["owner", "asset"], ["direct_min", "direct_max", "share_min", "share_max"])


@pytest.mark.parametrize(
    "terms",
    [{}, {"threshold": 0.3, "inclusive": True, "joint": False}, {"threshold": 0.25, "max_depth": 2}],
)
def test_control(world, world_on_spark, terms):
    local = rg.ownership.control(world, **terms)
    numbers = ["votes_min", "votes_max", "depth"]
    both = differences(world_on_spark.control(**terms), local, ["controller", "company"], numbers)
    assert (both["verdict"] == both["verdict_local"]).all()
    assert all(set(one) == set(other) for one, other in zip(both["acting"], both["acting_local"], strict=True))
    assert set(both["verdict"]) == {"yes", "no", "undetermined"}
    assert (both["acting"].map(len) > 1).any()


def test_control_of_the_county(county, county_on_spark):
    local = rg.ownership.control(county)
    both = differences(county_on_spark.control(), local, ["controller", "company"], ["votes_min", "votes_max", "depth"])
    assert (both["verdict"] == both["verdict_local"]).all()


def test_thresholds_are_exact_decimals(spark):
    """0.1 + 0.1 + 0.1 is not more than 0.3, and 95 % of the votes are the base where 5 % are treasury shares."""
    entities = pd.DataFrame({"id": list("abcmt"), "kind": "company"})
    rows = [("a", "b", 0.6), ("a", "c", 0.6), ("a", "m", 0.1), ("b", "m", 0.1), ("c", "m", 0.1), ("t", "t", 0.05),
            ("a", "t", 0.475)]  # fmt: skip
    relations = pd.DataFrame(rows, columns=["source", "target", "share"]).assign(kind="owns")
    asked = SparkGraph.from_tables(spark, {"entities": entities, "relations": relations})
    found = frame(asked.control(threshold=0.3)).set_index(["controller", "company"])["verdict"]
    assert found["a", "m"] == "no"
    found = frame(asked.control(threshold=0.5, inclusive=True)).set_index(["controller", "company"])["verdict"]
    assert found["a", "t"] == "yes"


# -- nesting and words -----------------------------------------------------------------------------------------------


def test_look_through(world, world_on_spark, county, county_on_spark):
    for graph, asked in ((world, world_on_spark), (county, county_on_spark)):
        local = rg.nesting.look_through(graph)
        numbers = ["share", "amount", "layers_min", "layers_max"]
        both = differences(asked.look_through(), local, ["holder", "asset"], numbers)
        assert all(tuple(one) == other for one, other in zip(both["sectors"], both["sectors_local"], strict=True))
        # the random graphs have circles, the county has none
        assert np.isinf(both["layers_max"]).any() == (graph is world)


def test_look_through_of_products(world, world_on_spark):
    products = world.entities.loc[world.entities["kind"] == "product", "id"]
    # a few on each side: each asked product that lies in a circle is followed by itself, round by round
    holders, assets = [*products[:8:2], "<untraced>"], list(products[1:8:2])
    local = rg.nesting.look_through(world, holders, assets)
    answer = world_on_spark.look_through(holders, assets)
    differences(answer, local, ["holder", "asset"], ["share", "amount", "layers_min", "layers_max"])


def test_screen_names(spark, county, county_on_spark):
    catalogue = Catalogue.load()
    names = ["某某Ｐ２Ｐ網貸公司", "㈱理财基金管理", "İ基金", "无", "本公司不得从事吸收存款；理财"]
    entities = pd.DataFrame({"id": list("ABCDE"), "kind": "company", "name": names, "scope": names[::-1]})
    relations = pd.DataFrame({"source": [], "target": [], "kind": []})
    small = rg.EntityGraph.from_tables(entities, relations)
    for graph, asked in ((county, county_on_spark), (small, SparkGraph.from_tables(spark, small))):
        local = keyword_hits(graph, catalogue)
        keys = ["entity", "list", "field", "word", "start", "stop", "negated"]
        assert len(local) > 3
        mine, theirs = (rows[keys].astype(str).sort_values(keys).reset_index(drop=True) for rows in
                        (frame(asked.screen_names(catalogue)), local))  # fmt: skip
        pd.testing.assert_frame_equal(mine, theirs, check_dtype=False)


# -- sessions, tables, refusals --------------------------------------------------------------------------------------


def test_the_session_is_left_as_it_is(spark, world_on_spark):
    before = {name: spark.conf.get(name) for name in SETTINGS if name.startswith("spark.sql")}
    world_on_spark.propagate("threshold").count()
    assert {name: spark.conf.get(name) for name in before} == before
    assert spark.range(3).count() == 3


def test_spark_frames_and_scratch(spark, tmp_path):
    """Frames of the session itself, cut by way of Parquet instead of checkpoints."""
    graph = rg.datasets.toy_chain()
    folder = tmp_path / "tables"
    rg.readers.write_tables(graph, folder, format="parquet")
    frames = {name: spark.read.parquet(str(folder / f"{name}.parquet")) for name in ("entities", "relations")}
    asked = SparkGraph.from_tables(spark, frames, scratch=str(tmp_path / "scratch"))
    owners = list(graph.ids)
    local = rg.ownership.integrated_ownership(graph, owners)
    differences(asked.integrated_ownership(owners), local, ["owner", "asset"], ["share_min", "share_max"])
    assert any((tmp_path / "scratch").iterdir())


CONNECT = """
import sys
import warnings
warnings.simplefilter("ignore")
from pyspark.sql import SparkSession
import riskgraph as rg
from riskgraph.spark import SparkGraph
spark = SparkSession.builder.remote("local[1]").config("spark.sql.shuffle.partitions", "1").getOrCreate()
assert "connect" in type(spark).__module__
graph = rg.datasets.toy_diamond()
asked = SparkGraph.from_tables(spark, graph)
found = asked.integrated_ownership(["Ann"]).toArrow().to_pandas().set_index("asset")["share_max"]
local = rg.ownership.integrated_ownership(graph, ["Ann"]).set_index("asset")["share_max"]
assert abs(found[local.index] - local).max() < 1e-9
verdicts = asked.control().toArrow().to_pandas().set_index(["controller", "company"])["verdict"]
theirs = rg.ownership.control(graph).set_index(["controller", "company"])["verdict"]
assert verdicts[theirs.index].equals(theirs.astype(verdicts.dtype))
print("equal on", type(spark).__module__)
spark.stop()
"""


def test_spark_connect():
    """The same on a Connect server, in a process of its own: one process cannot hold both kinds of session."""
    if why_not():
        pytest.skip(why_not())
    pytest.importorskip("grpc", reason="pyspark[connect] is not installed")
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CONNECT)], capture_output=True, text=True, env=environment, timeout=240,
        check=False,
    )  # fmt: skip
    assert "equal on pyspark.sql.connect" in result.stdout, result.stderr[-3000:]


def test_what_spark_refuses(spark, world_on_spark):
    refused = [
        (
            lambda: world_on_spark.propagate("magic"),
            "'method' must be 'cascade', 'threshold' or 'pagerank'; got 'magic'",
        ),
        (lambda: world_on_spark.propagate(n_samples=3), "'n_samples' is not supported by 'cascade' on Spark"),
        (lambda: world_on_spark.propagate(estimate="exact"), "'estimate' must be 'upper'"),
        (lambda: world_on_spark.propagate(ties="at_case"), "'ties' must be 'current'"),
        (lambda: world_on_spark.propagate(transmission={("owns", "forward"): len}), "must be a number or a rule of"),
        (lambda: world_on_spark.propagate(transmission="kind"), "'transmission' must be a numeric column"),
        (lambda: world_on_spark.propagate("threshold", threshold=1.4), r"'threshold' must be in \(0, 1\]; got 1.4"),
        (lambda: world_on_spark.propagate("pagerank", damping=1.4), r"'damping' must be in \[0, 1\); got 1.4"),
        (lambda: world_on_spark.integrated_ownership(None), "'owners' must be ids or a frame of ids on Spark"),
        (lambda: world_on_spark.integrated_ownership(["x"], method="simple_paths"), "'method' must be"),
        (lambda: world_on_spark.control(threshold=2), r"'threshold' must be in \[0, 1\]; got 2"),
        (lambda: world_on_spark.screen_names(Catalogue.load(), lists=["none"]), "'lists' must name keyword lists"),
        (lambda: world_on_spark.at("soon"), "'valid' must be a date"),
        (lambda: SparkGraph.from_tables(spark, 3), "'tables' must be a folder"),
        (lambda: SparkGraph.from_tables(spark, {"firms": pd.DataFrame()}), "'tables' must have names among"),
    ]
    for call, message in refused:
        with pytest.raises(rg.InvalidParameter, match=message):
            call()
    with pytest.raises(rg.UnknownEntity, match="the graph holds no entity 'nobody'"):
        world_on_spark.integrated_ownership(["nobody"])
    with pytest.raises(rg.InvalidParameter, match=r"'seeds' must have weights in \[0, 1\]; got 3.0"):
        world_on_spark.propagate(seeds={world_on_spark.seeds().first()["entity"]: 3})


def test_bad_tables_are_counted(spark, tmp_path):
    frames = {
        "entities": spark.createDataFrame(
            [("A", "company"), ("A", "company"), ("B", "firm")], "id string, kind string"
        ),
        "relations": spark.createDataFrame(
            [("A", "Z", "owns", 1.5)], "source string, target string, kind string, share double"
        ),
    }
    with pytest.raises(rg.InvalidTable, match="the tables break the rules") as caught:
        SparkGraph.from_tables(spark, frames)
    text = str(caught.value)
    for problem in ("a kind is unknown in 1 rows", "an id stands twice", "an end is no entity", "a share lies outside"):
        assert problem in text
    with pytest.raises(rg.InvalidTable, match="relations is missing"):
        SparkGraph.from_tables(spark, {"entities": frames["entities"]})
    with pytest.raises(rg.InvalidTable, match="relations must have the column 'kind'"):
        SparkGraph.from_tables(spark, {**frames, "relations": frames["relations"].drop("kind")})
    with pytest.raises(rg.InvalidTable, match="entities is missing"):
        SparkGraph.from_tables(spark, tmp_path)


def test_rounds_have_a_budget(spark):
    asked = SparkGraph.from_tables(spark, rg.datasets.toy_crossholding(), max_rounds=2)
    with pytest.raises(rg.NotConverged, match=r"integrated ownership still moves by .* after 2 rounds"):
        asked.integrated_ownership(list(rg.datasets.toy_crossholding().ids)).count()


def test_pyspark_is_only_needed_when_used(monkeypatch):
    code = "import sys, riskgraph.spark; print('pyspark' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"
    monkeypatch.setitem(sys.modules, "pyspark.sql.functions", None)

    class Session:
        createDataFrame = read = None  # noqa: N815

    with pytest.raises(rg.MissingDependency, match=r'pip install "riskgraph\[spark\]"'):
        SparkGraph.from_tables(Session(), "tables")
