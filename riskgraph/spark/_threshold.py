"""Legal taint on Spark: two least fixed points in whole units, one at the lows and one at the highs."""

from __future__ import annotations

from riskgraph._sparse import SHARE_UNITS, exact_threshold
from riskgraph.errors import NotConverged
from riskgraph.spark._engine import MOST_UNITS, Engine, Frame, expr, units_sum

__all__ = ["taint"]


def taint(
    engine: Engine,
    held: Frame,
    agreed: Frame,
    entities: Frame,
    seeds: Frame,
    *,
    threshold: float,
    inclusive: bool,
) -> Frame:
    """``code, label, risk, lower, upper`` of every entity; ``agreed`` holds who taints whom (``a, b``) anyway."""
    own = held.where("owner = company").selectExpr("company as o", "exact_low as own_low", "exact_high as own_high")
    base = held.groupBy("company").agg(expr("max(exact_declared) as declared")).join(own, expr("company = o"), "left")
    base = engine.cut(
        base.selectExpr("company", "declared", "coalesce(own_low, 0L) as own_low", "coalesce(own_high, 0L) as own_high")
    )
    pairs = engine.cut(held.where("owner <> company").selectExpr("owner", "company", "exact_low", "exact_high"))
    codes = seeds.selectExpr("code").distinct()
    sides = {}
    for most in (False, True):
        rounds = _spread(engine, pairs, base, agreed, codes, exact_threshold(threshold), inclusive, most)
        sides[most] = rounds.selectExpr(f"code as c{int(most)}")
    found = entities.select("code").join(sides[False], expr("code = c0"), "left")
    found = found.join(sides[True], expr("code = c1"), "left")
    found = found.selectExpr(
        "code", "cast(c0 is not null as double) as lower", "cast(c1 is not null as double) as upper"
    )
    label = "case when lower = 1 then 'yes' when upper = 1 then 'undetermined' else 'no' end as label"
    return found.selectExpr("code", "(lower + upper) / 2D as risk", label, "lower", "upper")


def enough(units: str, treasury: str, least: int, inclusive: bool) -> str:
    """SQL for whether units are enough of what is left of a company without its treasury shares.

    Examples
    --------
    >>> "decimal" in enough("low", "own_low", 5, True)
    True
    """
    sign = ">=" if inclusive else ">"
    wide = "cast({} as decimal(19, 0))"
    left = f"({SHARE_UNITS}L - {treasury})"
    return (
        f"case when {treasury} = 0 then {units} {sign} {least}L else {left} > 0 and "
        f"{wide.format(units)} * {SHARE_UNITS} {sign} {wide.format(left)} * {least} end"
    )


def _spread(
    engine: Engine,
    pairs: Frame,
    base: Frame,
    agreed: Frame,
    seeds: Frame,
    least: int,
    inclusive: bool,
    most: bool,
) -> Frame:
    """Codes of the tainted, seeds included."""
    tainted = engine.cut(seeds)
    front = tainted
    held = engine.rows([], "company bigint, low bigint, high bigint")
    if most:
        left = f"({SHARE_UNITS}L - own_low - (declared - own_low - low))"
        has = f"greatest(low, least(high, {left}))"
    else:
        has = "low"
    rule = enough(has, "own_high" if most else "own_low", least, inclusive)
    for _ in range(engine.max_rounds):
        more = pairs.join(front, expr("owner = code")).selectExpr("company", "exact_low as low", "exact_high as high")
        held = (
            held.union(more)
            .groupBy("company")
            .agg(
                expr(f"least({units_sum('low')}, {MOST_UNITS}) as low"),
                expr(f"least({units_sum('high')}, {MOST_UNITS}) as high"),
            )
        )
        held = engine.cut(held)
        new = held.join(base.withColumnRenamed("company", "c"), expr("company = c")).where(rule)
        new = new.selectExpr("company as n").union(agreed.join(front, expr("a = code")).selectExpr("b as n"))
        front = new.distinct().join(tainted, expr("n = code"), "left_anti").selectExpr("n as code")
        front = engine.cut(front)
        if not engine.some(front):
            return tainted
        tainted = engine.cut(tainted.union(front))
    raise NotConverged(f"taint still spreads after {engine.max_rounds:,} rounds; raise 'max_rounds' of the graph")
