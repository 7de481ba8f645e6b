"""Personalised PageRank on Spark: plain or Chebyshev steps until the residual bounds the error."""

from __future__ import annotations

from riskgraph.errors import InvalidParameter, NotConverged
from riskgraph.schema import SYMMETRIC_KINDS
from riskgraph.spark._engine import LOOK, Engine, Frame, expr

__all__ = ["pagerank", "walk"]

_ROUNDING = 2.3e-16


def walk(engine: Engine, relations: Frame, weight: str | None, direction: str) -> Frame:
    """Steps ``a, b, p``: the part of the walks at ``a`` that goes on to ``b``."""
    value = "1D"
    if weight in ("share", "votes"):
        low, high = _votes(weight)
        if engine.some(relations.where(f"not ({low} <=> {high})")):
            raise InvalidParameter(
                f"'weight' must name one number a relation; {weight!r} is an interval for some of them: "
                f"say '{weight}_min' or '{weight}_max'"
            )
        value = low
    elif weight in ("votes_min", "votes_max"):
        value = _votes("votes")[weight == "votes_max"]
    elif weight is not None:
        kind = dict(relations.dtypes).get(weight, "")
        if weight in ("a", "b") or not kind.startswith(("double", "float", "bigint", "int", "decimal", "smallint")):
            raise InvalidParameter(f"'weight' must be None or a numeric column of the relations; got {weight!r}")
        number = f"cast(`{weight}` as double)"
        value = f"case when isnan({number}) then null else {number} end"
    rows = relations.selectExpr("a", "b", "kind", f"{value} as w").where("w is not null")
    if weight is not None and engine.some(rows.where("w < 0 or w = double('infinity')")):
        raise InvalidParameter(f"'weight' must hold finite numbers of 0 or more; {weight!r} has others")
    if direction == "reverse":
        rows = rows.selectExpr("b as a", "a as b", "kind", "w")
    both = "true" if direction == "both" else f"kind in ({', '.join(repr(k) for k in sorted(SYMMETRIC_KINDS))})"
    rows = rows.selectExpr("a", "b", "w").union(rows.where(f"{both} and a <> b").selectExpr("b as a", "a as b", "w"))
    rows = rows.groupBy("a", "b").agg(expr("sum(w) as w")).where("w > 0")
    return engine.cut(rows.selectExpr("a", "b", "w / sum(w) over (partition by a) as p"))


def _votes(name: str) -> tuple[str, str]:
    if name == "share":
        return "share_min", "share_max"
    return "coalesce(votes_min, share_min)", "coalesce(votes_max, share_max)"


def pagerank(
    engine: Engine,
    steps: Frame,
    entities: Frame,
    seeds: Frame,
    *,
    damping: float,
    dangling: str,
    tol: float,
    reversible: bool,
) -> Frame:
    """``code, risk``; the sum of absolute errors is at most ``tol``."""
    total = engine.number(seeds, "sum(weight)")
    if total is None:
        return entities.selectExpr("code", "0D as risk")
    rate, n = 1 - damping, entities.count()
    begin = engine.cut(seeds.selectExpr("code", f"{rate!r}D * weight / {total!r}D as start"))
    if dangling == "uniform":
        begin = entities.select("code").join(begin.withColumnRenamed("code", "c"), expr("code = c"), "left")
        alive = steps.selectExpr("a as s").distinct()
        begin = begin.join(alive, expr("code = s"), "left")
        begin = engine.cut(begin.selectExpr("code", "coalesce(start, 0D) as start", "s is null as lost"))
    # x the last vector, y the one before it; plain steps have omega 1
    state = engine.cut(begin.selectExpr("code", "start as x", "0D as y"))
    omega, accelerate = 1.0, reversible and dangling != "uniform"
    first = best = float("inf")
    for done in range(engine.max_rounds):
        pushed = state.join(steps, expr("code = a")).selectExpr("b as code", f"{damping!r}D * p * x as m")
        if dangling == "uniform":
            lost = state.join(begin.selectExpr("code as c", "lost"), expr("code = c")).where("lost")
            anywhere = damping * (engine.number(lost, "sum(x)") or 0.0) / n
            pushed = pushed.union(begin.selectExpr("code", f"{anywhere!r}D as m"))
        pushed = pushed.union(begin.selectExpr("code", "start as m"))
        parts = pushed.selectExpr("code", "m", "0D as x", "0D as y").union(
            state.selectExpr("code", "0D as m", "x", "y")
        )
        after = parts.groupBy("code").agg(expr("sum(m) as m"), expr("sum(x) as x"), expr("sum(y) as y"))
        after = engine.cut(after)
        if done % LOOK == 0:
            residual, mass = after.agg(expr("sum(abs(m - x))"), expr("sum(x)")).collect()[0]
            error = (residual + _ROUNDING) / rate
            if (2 * error / mass if dangling == "seeds" else error) <= tol:
                whole = mass if dangling == "seeds" else 1.0
                found = after.selectExpr("code as c", f"greatest(x, 0D) / {whole!r}D as risk")
                found = entities.select("code").join(found, expr("code = c"), "left")
                return found.selectExpr("code", "coalesce(risk, 0D) as risk")
            first, best = min(first, residual), min(best, residual)
            if accelerate and residual > 2 * first:
                accelerate, omega = False, 1.0
        if accelerate and done:
            omega = 1 / (1 - damping * damping / 2) if omega == 1.0 else 1 / (1 - damping * damping * omega / 4)
        state = after.selectExpr("code", f"{omega!r}D * (m - y) + y as x", "x as y")
    raise NotConverged(
        f"'tol' {tol:g} is not reached after {engine.max_rounds:,} rounds, the residual is {best:.2g}; "
        "raise 'tol' or 'max_rounds' of the graph"
    )
