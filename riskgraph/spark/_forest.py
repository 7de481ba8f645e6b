"""Strongest paths on Spark, and a forest that holds them: what the lower bound of the cascade is exact on."""

from __future__ import annotations

from riskgraph.errors import NotConverged
from riskgraph.spark._components import joined
from riskgraph.spark._engine import Engine, Frame, expr

__all__ = ["forest", "strongest"]


def strongest(engine: Engine, arcs: Frame, nodes: Frame, rounds: int | None) -> Frame:
    """``node, weight, arriving, passing, parent``: the strongest path from elsewhere, and the step it comes by."""
    state = nodes.selectExpr(
        "node", "weight", "damping", "0D as arriving", "weight as passing", "cast(null as bigint) as parent",
        "weight > 0 as active",
    )  # fmt: skip
    state = engine.cut(state)
    live = arcs.where("p > 0")
    done = 0
    while rounds is None or done < rounds:
        if not engine.some(state.where("active")):
            return state
        if done >= engine.max_rounds:
            raise NotConverged(f"paths still grow after {done:,} rounds; raise 'max_rounds' of the graph")
        done += 1
        offers = state.where("active").join(live, expr("node = u"))
        offers = offers.groupBy("v").agg(expr("max(struct(passing * p as offer, -u as back)) as top"))
        offers = offers.selectExpr(
            "v as node", "0D as weight", "1D as damping", "0D as arriving", "0D as passing",
            "cast(null as bigint) as parent",
            "top",
        )  # fmt: skip
        old = state.drop("active").withColumn("top", expr("cast(null as struct<offer: double, back: bigint>)"))
        both = old.union(offers).groupBy("node").agg(
            expr("max(weight) as weight"), expr("min(damping) as damping"), expr("max(arriving) as arriving"),
            expr("max(passing) as passing"), expr("max(parent) as parent"), expr("max(top) as top"),
        ).withColumn("better", expr("coalesce(top.offer > arriving, false)"))  # fmt: skip
        both = both.selectExpr(
            "node", "weight", "damping", "better", "passing",
            "case when better then top.offer else arriving end as arriving",
            "case when better then -top.back else parent end as parent",
        )  # fmt: skip
        state = engine.cut(
            both.selectExpr(
                "node", "weight", "damping", "arriving", "greatest(passing, arriving * damping) as passing", "parent",
                "better and arriving * damping > passing as active",
            )
        )  # fmt: skip
    return state


def forest(engine: Engine, arcs: Frame, best: Frame) -> Frame:
    """The arcs of a forest with the strongest paths in it, joined to as few trees as possible (Boruvka 1926)."""
    tree = engine.cut(best.where("parent is not null and arriving > weight").selectExpr("node as t", "parent as s"))
    root = tree.selectExpr("t as node", "s as root")
    while engine.some(root):
        up = root.selectExpr("node as n", "root as higher")
        new = engine.cut(
            root.join(up, expr("root = n"), "left").selectExpr(
                "node", "coalesce(higher, root) as root", "n is not null as moved"
            )
        )
        root = new.drop("moved")
        if not engine.some(new.where("moved")):
            break
    passing = best.selectExpr("node as n", "passing")
    edges = arcs.join(passing, expr("u = n")).where("passing * p > 0")
    edges = edges.groupBy(expr("least(u, v) as s"), expr("greatest(u, v) as t")).agg(expr("max(passing * p) as worth"))
    edges = _relabelled(engine, edges.selectExpr("s", "t", "worth", "s as ra", "t as rb"), root)
    keep = tree.selectExpr("least(s, t) as x", "greatest(s, t) as y")
    while engine.some(edges):
        # each tree takes its strongest edge; equal ones are told apart by their place, so that no circle closes
        mine = "struct(worth, -s as minus_s, -t as minus_t) as e"
        ends = edges.selectExpr("ra as r", "rb as other", mine).union(edges.selectExpr("rb as r", "ra as other", mine))
        taken = engine.cut(ends.groupBy("r").agg(expr("max(struct(e, other)) as top")))
        keep = keep.union(taken.selectExpr("-top.e.minus_s as x", "-top.e.minus_t as y"))
        groups = joined(engine, taken.selectExpr("r as a", "top.other as b")).selectExpr("node", "label as root")
        edges = _relabelled(engine, edges, groups)
    keep = keep.distinct()
    return engine.cut(arcs.join(keep, expr("least(u, v) = x and greatest(u, v) = y"), "left_semi"))


def _relabelled(engine: Engine, edges: Frame, root: Frame) -> Frame:
    """Edges between trees, by the roots of both ends."""
    for end in ("ra", "rb"):
        names = root.selectExpr("node as n", "root as r")
        edges = (
            edges.join(names, expr(f"{end} = n"), "left").withColumn(end, expr(f"coalesce(r, {end})")).drop("n", "r")
        )
    return engine.cut(edges.where("ra <> rb"))
