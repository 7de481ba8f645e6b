"""Control on Spark: all units gather votes at once, round by round, in whole units."""

from __future__ import annotations

from riskgraph._sparse import SHARE_UNITS, exact_threshold
from riskgraph.errors import NotConverged
from riskgraph.ownership._verdicts import Terms
from riskgraph.spark._components import joined
from riskgraph.spark._engine import MOST_UNITS, Engine, Frame, expr, units_sum

__all__ = ["control"]

_NEVER = 2**62


def control(engine: Engine, held: Frame, relations: Frame, terms: Terms) -> Frame:
    """``unit, company, votes_min, votes_max, verdict, depth``, and the members of the units as ``unit, code``."""
    links = relations.where("kind = 'concert' and a <> b").selectExpr("a", "b")
    grouped = engine.some(links)
    groups = joined(engine, links) if grouped else engine.rows([], "node bigint, label bigint")
    stakes, base = _stakes(engine, held, relations, groups, terms)
    sure = _gather(engine, stakes, base, groups, terms, grouped, at_highs=False)
    open_ = engine.some(held.where("exact_low <> exact_high"))
    wide = _gather(engine, stakes, base, groups, terms, grouped, at_highs=True) if open_ else sure
    sure = sure.selectExpr(
        "start as s", "company as c", "low as sure_low", "agreed as sure_agreed", "round as sure_round"
    )
    both = wide.join(sure, expr("start = s and company = c"), "left").join(
        base.withColumnRenamed("company", "k"), expr("company = k"), "left"
    )
    both = both.selectExpr(
        "start", "company", "agreed", "round", "coalesce(sure_low, 0L) as low", f"{_most('low', 'high')} as high",
        "coalesce(sure_agreed, false) as sure_agreed", "coalesce(sure_round, 0) as sure_round",
        f"{SHARE_UNITS}D - coalesce(own_low, 0L) as least_base",
        f"{SHARE_UNITS}D - coalesce(own_high, 0L) as most_base",
    )  # fmt: skip
    both = both.selectExpr(
        "*",
        "case when least_base > 0 then low / least_base else 0D end as part_low",
        "case when most_base > 0 then high / most_base else 0D end as part_high",
    )
    return engine.cut(
        both.selectExpr(
            "start as unit",
            "company",
            "case when sure_agreed then 1D else part_low end as votes_min",
            "case when agreed then 1D else greatest(part_low, least(part_high, 1D)) end as votes_max",
            "case when sure_round > 0 then 'yes' when round > 0 then 'undetermined' else 'no' end as verdict",
            "cast(case when sure_round > 0 then sure_round else round end as bigint) as depth",
        )
    ), groups


def _most(low: str, high: str) -> str:
    """The most that a coalition has together: its highs, cut by what the lows of the others leave."""
    return f"greatest({low}, least({high}, {SHARE_UNITS}L - coalesce(declared, 0L) + {low}))"


def _stakes(engine: Engine, held: Frame, relations: Frame, groups: Frame, terms: Terms) -> tuple[Frame, Frame]:
    """What units hold of companies, and per company what is declared, held of itself, and needed for control."""
    t = exact_threshold(terms.threshold)
    own = held.where("owner = company").selectExpr("company as o", "exact_low as own_low", "exact_high as own_high")
    base = held.groupBy("company").agg(expr("max(exact_declared) as declared")).join(own, expr("company = o"), "left")

    def need(own: str) -> str:
        left = f"({SHARE_UNITS}L - coalesce({own}, 0L))"
        product = f"cast({left} as decimal(19, 0)) * {t}"
        ahead = (
            f"({product} + {SHARE_UNITS - 1}) div {SHARE_UNITS}"
            if terms.inclusive
            else f"{product} div {SHARE_UNITS} + 1"
        )
        return f"case when {left} <= 0 then {_NEVER}L else cast({ahead} as bigint) end"

    base = engine.cut(
        base.selectExpr(
            "company", "declared", "coalesce(own_low, 0L) as own_low", "coalesce(own_high, 0L) as own_high",
            f"{need('own_low')} as low_need", f"{need('own_high')} as high_need",
        )
    )  # fmt: skip
    rows = held.where("owner <> company and exact_high > 0").selectExpr(
        "owner", "company", "exact_low as low", "exact_high as high", "false as agreed"
    )
    rows = rows.union(
        relations.where("kind = 'controls' and a <> b").selectExpr(
            "a as owner", "b as company", "0L as low", "0L as high", "true as agreed"
        )
    )
    rows = rows.join(groups, expr("owner = node"), "left").selectExpr(
        "coalesce(label, owner) as holder", "company", "low", "high", "agreed"
    )
    rows = rows.groupBy("holder", "company").agg(
        expr(f"{units_sum('low')} as low"), expr(f"{units_sum('high')} as high"), expr("bool_or(agreed) as agreed")
    )
    return engine.cut(rows), base


def _gather(
    engine: Engine,
    stakes: Frame,
    base: Frame,
    groups: Frame,
    terms: Terms,
    grouped: bool,
    *,
    at_highs: bool,
) -> Frame:
    """``start, company, low, high, agreed, round``: votes of the units and of what they came to control."""
    low_need = f"coalesce(low_need, {exact_threshold(terms.threshold) + (not terms.inclusive)}L)"
    high_need = low_need.replace("low_need", "high_need")
    rule = f"low >= {low_need}"
    if at_highs:
        rule = f"({_most('low', 'high')} >= {high_need} or {rule})"
    needs = base.withColumnRenamed("company", "k")
    if terms.joint:
        given = stakes.selectExpr("*", "false as alone")
        add = [f"least({units_sum('low')}, {MOST_UNITS}) as low", f"least({units_sum('high')}, {MOST_UNITS}) as high"]
        rule = f"(agreed or {rule})"
    else:
        # a single stake gives control by itself or not at all; votes are the greatest stake
        given = stakes.join(needs, expr("company = k"), "left").selectExpr(
            "holder", "company", "low", f"{_most('low', 'high')} as high", "agreed", f"(agreed or {rule}) as alone"
        )
        add, rule = ["max(low) as low", "max(high) as high"], "alone"
    given = engine.cut(given)
    met = given.selectExpr("holder as start", "company", "low", "high", "agreed", "alone", "0 as round")
    number = 1
    met = engine.cut(_judged(met, needs, rule, number))
    while terms.max_depth is None or number < terms.max_depth:
        front = met.where(f"round = {number}").join(groups, expr("company = node"), "left")
        front = front.selectExpr("start", "coalesce(label, company) as unit").where("start <> unit").distinct()
        if grouped:
            # several members of one concert group may come under control: the group acts once
            acted = met.where(f"round > 0 and round < {number}").join(groups, expr("company = node"))
            acted = acted.selectExpr("start as s", "label as u").distinct()
            front = front.join(acted, expr("start = s and unit = u"), "left_anti")
        front = engine.cut(front)
        if not engine.some(front):
            break
        number += 1
        if number > engine.max_rounds:
            raise NotConverged(
                f"control still grows after {engine.max_rounds:,} rounds; raise 'max_rounds' of the graph"
            )
        more = front.join(given, expr("unit = holder")).selectExpr(
            "start", "company", "low", "high", "agreed", "alone", "0 as round"
        )
        met = (
            met.union(more)
            .groupBy("start", "company")
            .agg(
                *(
                    expr(text)
                    for text in (*add, "bool_or(agreed) as agreed", "bool_or(alone) as alone", "max(round) as round")
                )
            )
        )
        met = engine.cut(_judged(met, needs, rule, number))
    return met


def _judged(met: Frame, needs: Frame, rule: str, number: int) -> Frame:
    """Pairs with the round in which they came to give control, 0 for not yet."""
    return met.join(needs, expr("company = k"), "left").selectExpr(
        "start", "company", "low", "high", "agreed", "alone",
        f"case when round > 0 then round when {rule} then {number} else 0 end as round",
    )  # fmt: skip
