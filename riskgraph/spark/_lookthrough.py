"""Look-through on Spark: what the money of every conduit ends in, and from there what every holder's does."""

from __future__ import annotations

from riskgraph.errors import NotConverged
from riskgraph.schema import SECTORS
from riskgraph.spark._engine import Engine, Frame, expr
from riskgraph.spark._flows import UNTRACED, Flows, flows, sector_masks
from riskgraph.spark._tables import Tables

__all__ = ["look_through"]

#: codes asked about, and whether the untraced is among them; None for everyone who is not looked through
Asked = tuple[Frame, bool] | None
_TRACE = (
    "bool_or(known) as known", "bool_or(dim) as dim", "min(least) as least", "max(most) as most",
    "bit_or(sectors) as sectors",
)  # fmt: skip


def look_through(engine: Engine, tables: Tables, holders: Asked, assets: Asked) -> Frame:
    """``holder, asset, share, amount, layers_min, layers_max, sectors``."""
    given = flows(engine, tables)
    links, nodes = _links(engine, tables, given, holders, assets)
    steps = engine.cut(links.where("a_conduit"))
    goes = engine.cut(
        steps.where("b_conduit").selectExpr("a", "b", "part", "share", "layer", "mask", "same", "ring", "ring_dim")
    )
    ends = engine.cut(
        steps.where("stop").selectExpr(
            "a as node", "b as asset", "coalesce(part, 0D) as part", "coalesce(share, 0D) as share",
            "part is not null as known", "share is null or ring_dim as dim", "layer as least",
            "case when ring then double('infinity') else layer end as most", "mask | mask_b as sectors",
        )
    )  # fmt: skip

    def step(state: Frame) -> Frame:
        moved = state.selectExpr("node as n", "asset", "part as p", "share as s").join(goes, expr("n = b"))
        moved = moved.selectExpr(
            "a as node", "asset", "coalesce(part, 0D) * p as part", "coalesce(share, 0D) * s as share"
        )
        moved = moved.union(ends.select("node", "asset", "part", "share"))
        return moved.groupBy("node", "asset").agg(expr("sum(part) as part"), expr("sum(share) as share"))

    start = ends.groupBy("node", "asset").agg(expr("sum(part) as part"), expr("sum(share) as share"))
    sums = engine.least(engine.cut(start), step, ("node", "asset"), ("part", "share"), what="the look-through")
    table = sums.selectExpr("node", "asset", "part", "share").join(
        _traces(engine, ends, goes).selectExpr("node as tn", "asset as ta", "known", "dim", "least", "most", "sectors"),
        expr("node = tn and asset = ta"),
    )
    table = engine.cut(
        table.selectExpr(
            "node as n", "asset", "part as p", "share as s", "known as k", "dim as d", "least", "most", "sectors"
        )
    )
    first = links.where("begins")
    far = first.where("b_conduit").join(table, expr("b = n")).selectExpr(
        "a as holder", "asset", "coalesce(amount, 0D) * p as amount", "coalesce(share, 0D) * s as share",
        "k and amount is not null as known", "d or share is null as dim", "least + own as least", "most + own as most",
        "sectors | mask as sectors",
    )  # fmt: skip
    near = first.where("stop").selectExpr(
        "a as holder", "b as asset", "coalesce(amount, 0D) as amount", "coalesce(share, 0D) as share",
        "amount is not null as known", "share is null as dim", "own as least", "own as most",
        "mask | mask_b as sectors",
    )  # fmt: skip
    rows = (
        far.union(near)
        .groupBy("holder", "asset")
        .agg(expr("sum(amount) as amount"), expr("sum(share) as share"), *(expr(text) for text in _TRACE))
    )
    bits = ", ".join(
        f"case when (sectors & {1 << place}L) <> 0 then '{name}' end" for place, name in enumerate(SECTORS)
    )
    names = nodes.selectExpr("code", "id")
    rows = rows.join(names.selectExpr("code as hc", "id as holder_id"), expr("holder = hc"))
    rows = rows.join(names.selectExpr("code as ac", "id as asset_id"), expr("asset = ac"))
    return rows.selectExpr(
        "holder_id as holder", "asset_id as asset", "case when not dim then share end as share",
        "case when known then amount end as amount", "least as layers_min", "most as layers_max",
        f"filter(array({bits}), x -> x is not null) as sectors",
    )  # fmt: skip


def _traces(engine: Engine, ends: Frame, goes: Frame) -> Frame:
    """What holds over all chains from a conduit to an asset: known, dim, least and most layers, sectors."""
    columns = ("node", "asset", "known", "dim", "least", "most", "sectors")
    direct = engine.cut(ends.select(*columns))
    state, before = direct.groupBy("node", "asset").agg(*(expr(text) for text in _TRACE)), None
    for _ in range(engine.max_rounds):
        state = engine.cut(state)
        # all of these only move one way: equal sums mean that nothing moved
        still = ("count(1)", "sum(int(known))", "sum(int(dim))", "sum(least)",
        "sum(case when most < double('infinity') then most end)",
                 "count_if(most = double('infinity'))", "sum(cast(sectors as decimal(20, 0)))")  # fmt: skip
        now = tuple(state.agg(*(expr(text).alias(f"c{place}") for place, text in enumerate(still))).collect()[0])
        if now == before:
            return state
        before = now
        moved = state.selectExpr(
            "node as n", "asset", "known as k", "dim as d", "least as l", "most as m", "sectors as z"
        )
        moved = moved.join(goes, expr("n = b")).selectExpr(
            "a as node", "asset", "k and (part is not null or same) as known", "d or share is null or ring_dim as dim",
            "l + layer as least", "case when ring then double('infinity') else m + layer end as most",
            "z | mask as sectors",
        )  # fmt: skip
        state = moved.union(direct).groupBy("node", "asset").agg(*(expr(text) for text in _TRACE))
    raise NotConverged(
        f"the look-through still grows after {engine.max_rounds:,} rounds; raise 'max_rounds' of the graph"
    )


def _links(engine: Engine, tables: Tables, given: Flows, holders: Asked, assets: Asked) -> tuple[Frame, Frame]:
    """Pairs with all that is asked of their ends, and ``code, id`` of everybody, the untraced among them."""
    public = tables.facts.where("fact = 'public_fund' and lower(cast(value as string)) in ('true', '1', '1.0')")
    public = public.selectExpr("code as f").distinct()
    nodes = tables.entities.select("code", "id", "kind").join(public, expr("code = f"), "left")
    nodes = nodes.join(given.conduits.selectExpr("code as c"), expr("code = c"), "left")
    nodes = nodes.join(sector_masks(tables).selectExpr("code as m", "mask"), expr("code = m"), "left")
    nodes = nodes.join(given.rings.selectExpr("node as r", "label"), expr("code = r"), "left")
    nodes = nodes.selectExpr(
        "code", "id", "c is not null as conduit", "label", "coalesce(mask, 0L) as mask",
        "double(int(c is not null and kind = 'product' and f is null)) as layer",
    )  # fmt: skip
    nodes = nodes.union(
        engine.rows(
            [(UNTRACED, "<untraced>", False, None, 0, 0.0)],
            "code bigint, id string, conduit boolean, label bigint, mask bigint, layer double",
        )
    )
    for name, asked in (("begins", holders), ("stop", assets)):
        if asked is None:
            nodes = nodes.withColumn(name, expr("not conduit"))
        else:
            wanted, untraced = asked
            nodes = nodes.join(wanted.selectExpr("code as w"), expr("code = w"), "left")
            rule = "w is not null" + (f" or code = {UNTRACED}" if untraced else "")
            nodes = nodes.withColumn(name, expr(rule)).drop("w")
    nodes = engine.cut(nodes)
    rows = given.pairs
    left = nodes.selectExpr(
        "code as ka", "conduit as a_conduit", "label as la", "mask", "layer", "begins",
    )  # fmt: skip
    right = nodes.selectExpr("code as kb", "conduit as b_conduit", "label as lb", "mask as mask_b", "stop")
    rows = rows.join(left, expr("a = ka")).join(right, expr("b = kb"))
    rows = engine.cut(
        rows.selectExpr(
            "a", "b", "amount", "share", "part", "a_conduit", "b_conduit", "mask", "mask_b", "layer", "begins", "stop",
            "la", "la is not null as ring", "coalesce(la = lb, false) as same",
            "case when a_conduit then layer else 0D end as own",
        )
    )  # fmt: skip
    # a circle shares its sectors, and its doubt about shares
    circles = (
        rows.where("same")
        .groupBy(expr("la as c"))
        .agg(expr("bit_or(mask | mask_b) as around"), expr("bool_or(share is null) as doubt"))
    )
    rows = rows.join(circles, expr("la = c"), "left").selectExpr(
        "a", "b", "amount", "share", "part", "a_conduit", "b_conduit",
        "case when a_conduit then mask | coalesce(around, 0L) else mask end as mask",
        "mask_b", "layer", "begins", "stop",
        "ring", "same", "own", "coalesce(doubt, false) as ring_dim",
    )  # fmt: skip
    return engine.cut(rows), nodes
