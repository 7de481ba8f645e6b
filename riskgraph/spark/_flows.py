"""Funding on Spark: who puts how much money into what, with totals, shares and untraced money filled in."""

from __future__ import annotations

from typing import NamedTuple

from riskgraph.schema import SECTORS
from riskgraph.spark._components import strong
from riskgraph.spark._engine import Engine, Frame, expr
from riskgraph.spark._tables import Tables

__all__ = ["UNTRACED", "Flows", "flows", "sector_masks"]

#: code of money whose source or use is not on record
UNTRACED = -1
#: amounts below this part of a product's money are rounding
TINY = 1e-12


class Flows(NamedTuple):
    """``pairs``: ``a, b, amount, share, part``; ``conduits``: ``code``; ``rings``: ``node, label`` of circles."""

    pairs: Frame
    conduits: Frame
    rings: Frame


def flows(engine: Engine, tables: Tables) -> Flows:
    """Funding in force, as locally: pairs of funder and funded, the untraced among them."""
    pairs, conduits = _pairs(engine, tables)
    isc = conduits.selectExpr("code as cb")
    pairs = engine.cut(pairs.join(isc, expr("b = cb"), "left").selectExpr(
        "a", "b", "amount", "share", "loan", "unknown", "cb is not null as into"
    ))  # fmt: skip
    total = _totals(engine, pairs)
    t = total.selectExpr("code as tc", "total")
    pairs = pairs.join(t, expr("b = tc"), "left").selectExpr(
        "a", "b",
        "case when amount is null and share is not null and into then share * total else amount end as amount",
        "share", "unknown",
    )  # fmt: skip
    pairs = engine.cut(pairs)
    sums = engine.cut(_balances(pairs, conduits, total))
    extra = [
        (f"total - inflow > {TINY!r}D * total", f"{UNTRACED}L as a", "code as b", "total - inflow"),
        (f"total - outflow > {TINY!r}D * total", "code as a", f"{UNTRACED}L as b", "total - outflow"),
        (f"funds and not funded and not coalesce(total - inflow > {TINY!r}D * total, false)",
         f"{UNTRACED}L as a", "code as b", "cast(null as double)"),
        (f"funded and not funds and not coalesce(total - outflow > {TINY!r}D * total, false)",
         "code as a", f"{UNTRACED}L as b", "cast(null as double)"),
    ]  # fmt: skip
    every = pairs.selectExpr("a", "b", "amount", "share as declared", "unknown")
    for test, a, b, money in extra:
        none = "cast(null as double) as declared"
        every = every.union(sums.where(test).selectExpr(a, b, f"{money} as amount", none, "false as unknown"))
    money = sums.selectExpr("code as mc", "total")
    every = every.join(money, expr("b = mc"), "left").drop("mc")
    dark = f"bool_or(unknown or (amount is null and declared is null and b <> {UNTRACED})) over (partition by b)"
    every = every.selectExpr(
        "a", "b", "amount", "declared", f"{dark} as dark",
        "coalesce(total, sum(coalesce(amount, 0D)) over (partition by b)) as whole",
    )  # fmt: skip
    share = "coalesce(declared, case when not dark and whole > 0 then amount / whole end) as share"
    every = engine.cut(every.selectExpr("a", "b", "amount", share))
    inner = _between(every, conduits).where("share > 0")
    rings = strong(engine, inner)
    every = _closed(engine, every, rings, money)
    money = sums.selectExpr("code as mc", "total")
    every = every.join(money, expr("a = mc"), "left").selectExpr(
        "a", "b", "amount", "share", "case when total > 0 then amount / total end as part"
    )
    every = engine.cut(every)
    return Flows(every, conduits, strong(engine, _between(every, conduits)))


def _between(pairs: Frame, conduits: Frame) -> Frame:
    """Pairs with a conduit at both ends."""
    pairs = pairs.join(conduits.selectExpr("code as x"), expr("a = x"), "left_semi")
    return pairs.join(conduits.selectExpr("code as y"), expr("b = y"), "left_semi")


def _pairs(engine: Engine, tables: Tables) -> tuple[Frame, Frame]:
    """Distinct pairs from funder to funded, and the conduits: products, and platforms that lend on what they take."""
    rows = tables.relations.where("kind in ('invests', 'packaged_from', 'lends', 'owns', 'raises_on') and a <> b")
    rows = rows.selectExpr("a", "b", "kind", "amount", "case when share_min = share_max then share_min end as share")
    every = tables.relations.selectExpr("a", "b", "kind")
    products = tables.entities.where("kind = 'product'").select("code")
    paid = every.where("kind in ('invests', 'packaged_from', 'lends')").selectExpr("b as p").distinct()
    platforms = every.where("kind = 'raises_on'").selectExpr("b as code").distinct()
    conduits = products.union(platforms.join(paid, expr("code = p"), "left_semi")).distinct()
    conduits = engine.cut(conduits)
    for end in ("a", "b"):
        rows = rows.join(conduits.selectExpr(f"code as c{end}"), expr(f"{end} = c{end}"), "left")
        rows = rows.join(products.selectExpr(f"code as p{end}"), expr(f"{end} = p{end}"), "left")
    rows = rows.where(
        "kind in ('invests', 'packaged_from') or (kind = 'lends' and (ca is not null or cb is not null)) or "
        "(kind = 'owns' and (pa is not null or pb is not null)) or (kind = 'raises_on' and cb is not null)"
    )
    rows = rows.selectExpr(
        "case when kind = 'raises_on' then b else a end as a", "case when kind = 'raises_on' then a else b end as b",
        "amount", "share", "case when kind = 'lends' then amount end as loan",
    )  # fmt: skip
    rows = rows.groupBy("a", "b").agg(
        expr("sum(amount) as amount"), expr("sum(share) as share"), expr("coalesce(sum(loan), 0D) as loan"),
        expr("bool_or(amount is null and share is null) as unknown"),
    )  # fmt: skip
    return engine.cut(rows), conduits


def _totals(engine: Engine, pairs: Frame) -> Frame:
    """``code, total`` of targets whose money follows from declared shares or from what came in."""
    declared = "case when amount is not null and share > 0 and into then {} end"
    sums = pairs.groupBy("b").agg(
        expr(f"try_divide(sum({declared.format('amount')}), sum({declared.format('share')})) as declared"),
        expr("sum(amount) as came"),
        expr("bool_or(amount is null and share is not null and into) as missing"),
    )
    sums = engine.cut(sums.selectExpr("b as code", "coalesce(declared, came) as total", "missing"))
    wanted = engine.cut(sums.where("missing and total is null").select("code"))
    if not engine.some(wanted):
        return sums.select("code", "total")
    # T = S T + h: what conduits of declared shares put into assets and into each other
    rows = pairs.join(wanted.selectExpr("code as w"), expr("a = w"), "left_semi")
    rows = rows.join(wanted.selectExpr("code as v"), expr("b = v"), "left")
    rows = rows.join(sums.selectExpr("code as k", "total"), expr("b = k"), "left")
    missing = "amount is null and share is not null and into"
    rows = engine.cut(
        rows.selectExpr(
            "a", "b", "share", f"{missing} and v is not null as among",
            f"case when {missing} and v is null then share * total else amount end as outlay",
        )
    )  # fmt: skip
    dark = wanted.join(rows.selectExpr("a"), expr("code = a"), "left_anti").union(
        rows.where("outlay is null and not among").selectExpr("a as code")
    )
    dark = engine.cut(dark.distinct())
    links = engine.cut(rows.where("among").select("a", "b", "share"))
    count = -1
    while (now := dark.count()) != count:
        count = now
        more = links.join(dark, expr("b = code"), "left_semi").selectExpr("a as code")
        dark = engine.cut(dark.union(more).distinct())
    gone = dark.selectExpr("code as d")
    links = engine.cut(links.join(gone, expr("a = d"), "left_anti").join(gone, expr("b = d"), "left_anti"))
    base = rows.where("not among").groupBy("a").agg(expr("sum(coalesce(outlay, 0D)) as x"))
    base = engine.cut(base.join(gone, expr("a = d"), "left_anti").selectExpr("a as code", "x").where("x > 0"))

    def step(state: Frame) -> Frame:
        moved = state.join(links, expr("code = b")).selectExpr("a as code", "share * x as x")
        return moved.union(base).groupBy("code").agg(expr("sum(x) as x"))

    found = engine.least(base, step, ("code",), ("x",), what="the money of products with declared shares")
    known = wanted.join(gone, expr("code = d"), "left_anti").join(
        found.withColumnRenamed("code", "f"), expr("code = f"), "left"
    )
    known = known.selectExpr("code", "coalesce(x, 0D) as total")
    return engine.cut(sums.where("total is not null").select("code", "total").union(known))


def _balances(pairs: Frame, conduits: Frame, total: Frame) -> Frame:
    """``code, inflow, outflow, total, funded, funds`` of the conduits."""
    into = pairs.selectExpr(
        "b as k", "amount as came", "cast(null as double) as went", "true as funded", "false as funds"
    )
    out = pairs.selectExpr(
        "a as k", "cast(null as double) as came", "amount as went", "false as funded", "true as funds"
    )
    sums = (
        into.union(out)
        .groupBy("k")
        .agg(
            expr("sum(came) as came"),
            expr("sum(went) as went"),
            expr("bool_or(funded) as funded"),
            expr("bool_or(funds) as funds"),
        )
    )
    found = conduits.join(sums, expr("code = k"), "left").join(
        total.selectExpr("code as t", "total"), expr("code = t"), "left"
    )
    inflow, outflow = "coalesce(came, 0D)", "coalesce(went, 0D)"
    return found.selectExpr(
        "code", f"{inflow} as inflow", f"{outflow} as outflow", "coalesce(funded, false) as funded",
        "coalesce(funds, false) as funds",
        "case when came is not null or went is not null "
        f"then greatest({inflow}, {outflow}, coalesce(total, 0D)) end as total",
    )  # fmt: skip


def _closed(engine: Engine, pairs: Frame, rings: Frame, money: Frame) -> Frame:
    """Circles whose money comes from inside only: nobody on record stands behind it."""
    if not engine.some(rings):
        return pairs
    for end in ("a", "b"):
        names = rings.selectExpr(f"node as n{end}", f"label as l{end}")
        pairs = pairs.join(names, expr(f"{end} = n{end}"), "left")
    pairs = engine.cut(pairs.withColumn("turn", expr("coalesce(la = lb, false)")))
    inside = pairs.where("turn").groupBy("b", "lb").agg(expr("sum(coalesce(share, 0D)) as held"))
    shut = inside.groupBy("lb").agg(expr(f"min(held) >= {1 - TINY!r}D as shut")).where("shut").selectExpr("lb as s")
    pairs = engine.cut(pairs.join(shut, expr("turn and la = s"), "left"))
    zero = "case when s is null then {} else 0D end as {}"
    kept = pairs.selectExpr("a", "b", zero.format("amount", "amount"), zero.format("share", "share"))
    members = pairs.where("s is not null").selectExpr("b as m").distinct().join(money, expr("m = mc"))
    return engine.cut(kept.union(members.selectExpr(f"{UNTRACED}L as a", "m as b", "total as amount", "1D as share")))


def sector_masks(tables: Tables) -> Frame:
    """``code, mask``: a bit for each sector that an entity declares, is licensed for, or has from its manager."""
    listed = ", ".join(f"'{sector}'" for sector in SECTORS)
    index = f"(array_position(array({listed}), {{}}) - 1)"
    bits = tables.licences.where(f"{index.format('sector')} >= 0").selectExpr(
        "code as lc", f"shiftleft(1L, cast({index.format('sector')} as int)) as bit"
    )
    bits = bits.groupBy("lc").agg(expr("bit_or(bit) as licensed"))
    own = tables.entities.join(bits, expr("code = lc"), "left").selectExpr(
        "code", "kind", "coalesce(licensed, 0L) as licensed",
        f"case when {index.format('sector')} >= 0 then shiftleft(1L, cast({index.format('sector')} as int)) "
        "when bit_count(licensed) = 1 then licensed else 0L end as main",
    )  # fmt: skip
    # of several managers the first on record
    managers = tables.relations.where("kind = 'manages'").selectExpr("a", "b", "row")
    managers = managers.join(own.where("main > 0").selectExpr("code as k", "main as theirs"), expr("a = k"))
    managers = managers.groupBy("b").agg(expr("min_by(theirs, row) as theirs"))
    found = own.join(managers, expr("code = b"), "left")
    main = "case when main = 0 and kind = 'product' then coalesce(theirs, 0L) else main end"
    other = 1 << SECTORS.index("other")
    return found.selectExpr("code", f"(licensed | {main}) & ~{other}L as mask")
