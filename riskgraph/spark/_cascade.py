"""The risk cascade on Spark: noisy-or on non-backtracking messages above, a forest of strongest paths below."""

from __future__ import annotations

from riskgraph.risk.cascade import ROUNDING
from riskgraph.risk.hubs import LEAST, MOST, TIMES
from riskgraph.spark._components import strong
from riskgraph.spark._engine import Engine, Frame, expr
from riskgraph.spark._forest import forest, strongest
from riskgraph.spark._transmission import merged

__all__ = ["cascade"]

#: stands for -log(0)
SURE = 1e200
#: a message this close to certain is not followed on
ENOUGH = 40.0


def cascade(engine: Engine, arcs: Frame, entities: Frame, seeds: Frame, *, damp: bool, max_hops: int | None) -> Frame:
    """``code, risk, lower, upper`` of every entity from ``seeds`` (``code, weight``)."""
    nodes = _nodes(engine, arcs, entities, seeds, damp)
    members = None
    if max_hops is None:
        free = nodes.where("damping < 1").selectExpr("node as hub")
        sure = arcs.where("p = 1").join(free, expr("u = hub"), "left_anti").join(free, expr("v = hub"), "left_anti")
        sure = engine.cut(sure.selectExpr("u as a", "v as b"))
        if engine.some(sure):
            members = strong(engine, sure)
            if engine.some(members):
                arcs, nodes = _grouped(engine, arcs, nodes, members)
            else:
                members = None
    upper = _reached(engine, arcs, nodes, max_hops)
    best = strongest(engine, arcs, nodes, max_hops)
    lower = _reached(engine, forest(engine, arcs, best), nodes, max_hops)
    found = upper.withColumnRenamed("chance", "upper").join(
        lower.selectExpr("node as l", "chance as lower"), expr("node = l"), "left"
    )
    found = found.join(best.selectExpr("node as s", "greatest(arriving, weight) as path"), expr("node = s"), "left")
    # who lies in a group of sure circles has the chances of its label
    codes = entities.selectExpr("code", "code as at")
    if members is not None:
        codes = codes.drop("at").join(members.withColumnRenamed("node", "m"), expr("code = m"), "left")
        codes = codes.selectExpr("code", "coalesce(label, code) as at")
    found = codes.join(found, expr("at = node"), "left").selectExpr(
        "code", "coalesce(upper, 0D) as risk", "greatest(coalesce(lower, 0D), coalesce(path, 0D)) as low"
    )
    return found.selectExpr(
        "code",
        "risk",
        f"least(low, risk) * {1 - ROUNDING!r}D as lower",
        f"least(risk * {1 + ROUNDING!r}D, 1D) as upper",
    )


def _nodes(engine: Engine, arcs: Frame, entities: Frame, seeds: Frame, damp: bool) -> Frame:
    """``node, weight, base, damping`` of the seeds and of the hubs."""
    base = f"case when weight >= 1 then {SURE!r}D else -log1p(-weight) end"
    nodes = seeds.selectExpr("code as node", "weight", f"{base} as base", "1D as damping")
    if damp:
        hubs = _hubs(arcs, entities, seeds)
        nodes = nodes.union(hubs.selectExpr("node", "0D as weight", "0D as base", "damping"))
    nodes = nodes.groupBy("node").agg(
        expr("max(weight) as weight"), expr("max(base) as base"), expr("min(damping) as damping")
    )
    return engine.cut(nodes)


def _hubs(arcs: Frame, entities: Frame, seeds: Frame) -> Frame:
    """Nodes tied to far more others than is usual among their kind and sector, and what they let pass."""
    near = arcs.join(seeds.selectExpr("code as s", "weight"), expr("v = s"), "left")
    near = near.groupBy("u").agg(expr("count(1) as degree"), expr("coalesce(sum(weight), 0D) as seeds"))
    near = near.join(entities.selectExpr("code", "kind", "sector"), expr("u = code"))
    usual = near.groupBy("kind", "sector").agg(
        expr(f"least(greatest({TIMES} * median(degree), {LEAST}), {MOST}) as limit")
    )
    usual = usual.withColumnRenamed("kind", "k").withColumnRenamed("sector", "s")
    near = near.join(usual, expr("kind = k and sector <=> s")).where(f"degree > {LEAST} and degree > limit")
    return near.selectExpr("u as node", "least(1D, limit * greatest(seeds, 1D) / degree) as damping")


def _grouped(engine: Engine, arcs: Frame, nodes: Frame, members: Frame) -> tuple[Frame, Frame]:
    """Arcs and nodes with those that surely reach each other taken as one."""
    for end in ("u", "v"):
        names = members.selectExpr("node as m", "label as l")
        arcs = arcs.join(names, expr(f"{end} = m"), "left").withColumn(end, expr(f"coalesce(l, {end})")).drop("m", "l")
    one = nodes.join(members.selectExpr("node as m", "label as l"), expr("node = m"), "left")
    one = one.selectExpr("coalesce(l, node) as node", "base", "damping")
    one = one.groupBy("node").agg(expr(f"least(sum(base), {SURE!r}D) as base"), expr("min(damping) as damping"))
    return merged(engine, arcs.where("u <> v").select("u", "v", "p")), engine.cut(
        one.selectExpr("node", "-expm1(-base) as weight", "base", "damping")
    )


def _reached(engine: Engine, arcs: Frame, nodes: Frame, max_hops: int | None) -> Frame:
    """``node, chance`` that something arrives at each node or starts there, from the messages of the arcs."""
    info = nodes.selectExpr("node", "base", "damping")
    arcs = arcs.join(info, expr("u = node"), "left").selectExpr(
        "u", "v", "p", "coalesce(base, 0D) as base", "coalesce(damping, 1D) as damping"
    )
    arcs = engine.cut(arcs)

    def step(state: Frame) -> Frame:
        echo = state.selectExpr("u as from", "v as to", "m")
        came = arcs.join(echo, expr("from = v and to = u"), "left")
        # what arrived but the echo: sums before and after it, so that nothing is subtracted
        ahead = "sum(m) over (partition by u order by v{} rows between unbounded preceding and 1 preceding)"
        came = came.selectExpr(
            "u",
            "v",
            "p",
            "base",
            "damping",
            f"coalesce({ahead.format('')}, 0D) + coalesce({ahead.format(' desc')}, 0D) as h",
        )
        came = came.where("p > 0").selectExpr(
            "u", "v", "p", "base + case when damping < 1 then -log1p(damping * expm1(-h)) else h end as h"
        )
        sent = f"case when p = 1 then least(h, {SURE!r}D) else -log1p(p * expm1(-h)) end as m"
        return came.where("h > 0").selectExpr("u", "v", sent)

    start = engine.rows([], "u bigint, v bigint, m double")
    message = engine.least(
        start, step, ("u", "v"), ("m",), what="the cascade", rounds=max_hops, enough=None if max_hops else ENOUGH
    )
    parts = message.selectExpr("v as node", "m").union(nodes.selectExpr("node", "base as m"))
    return engine.cut(parts.groupBy("node").agg(expr("0D - expm1(-sum(m)) as chance")))
