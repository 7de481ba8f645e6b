"""Direct holdings on Spark: one row a holder and company, parallel relations summed, cut by what the others leave."""

from __future__ import annotations

from riskgraph._sparse import SHARE_UNITS
from riskgraph.spark._engine import Engine, Frame, expr, units, units_sum

__all__ = ["holdings"]

#: an interval this narrow is a rounded share
_NOTHING = 1_000


def holdings(engine: Engine, relations: Frame, *, votes: bool = False) -> Frame:
    """Holdings as locally: ``owner, company, low, high, exact_low, exact_high, exact_declared``.

    ``high`` is cut by what the lows of the other holders leave. Units are of 1e-15.
    """
    low, high = ("coalesce(votes_min, share_min)", "coalesce(votes_max, share_max)") if votes else (
        "share_min", "share_max"
    )  # fmt: skip
    rows = relations.where("kind = 'owns'").selectExpr(
        "a as owner", "b as company", f"coalesce({low}, 0D) as low", f"coalesce({high}, 1D) as high"
    )
    rows = rows.selectExpr("*", f"{units('low')} as units_low", f"{units('high')} as units_high")
    pairs = rows.groupBy("owner", "company").agg(
        expr("count(1)").alias("parts"),
        expr("max(low)").alias("one_low"),
        expr("max(high)").alias("one_high"),
        expr(units_sum("units_low")).alias("exact_low"),
        expr(units_sum("units_high")).alias("sum_high"),
    )
    one = f"{SHARE_UNITS}L"
    pairs = pairs.selectExpr(
        "owner",
        "company",
        "exact_low",
        f"least(sum_high, greatest({one}, exact_low)) as raw_units",
        f"case when parts = 1 then one_low else exact_low / {float(SHARE_UNITS)!r}D end as low",
        "parts",
        "one_high",
        f"{units_sum('exact_low', ' over (partition by company)')} as exact_declared",
    )
    pairs = pairs.selectExpr(
        "*",
        f"case when parts = 1 then one_high else raw_units / {float(SHARE_UNITS)!r}D end as raw_high",
        f"greatest(least(raw_units, {one} - exact_declared + exact_low), exact_low) as cut0",
    )
    pairs = pairs.selectExpr("*", f"case when cut0 - exact_low <= {_NOTHING} then exact_low else cut0 end as cut")
    pairs = pairs.selectExpr(
        "owner",
        "company",
        "low",
        f"greatest(low, case when cut < raw_units then cut / {float(SHARE_UNITS)!r}D else raw_high end) as high",
        "exact_low",
        "cut as exact_high",
        "exact_declared",
    )
    return engine.cut(pairs)
