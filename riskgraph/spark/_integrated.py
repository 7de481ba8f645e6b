"""Integrated ownership of asked owners on Spark: walks that never return to the owner, between sharp bounds."""

from __future__ import annotations

from riskgraph._sparse import CLOSED, SHARE_UNITS
from riskgraph.spark._engine import Engine, Frame, expr

__all__ = ["integrated"]


def integrated(engine: Engine, held: Frame, owners: Frame, *, method: str) -> Frame:
    """``owner, asset, low, high`` of the owners in the column ``code``, themselves left out.

    The value of owner *i* in company *j* is the least solution of ``x_j = Σ w_kj x_k`` with ``x_i = 1`` (Baldone's
    ``N_ij / N_ii``), at the lows; the greatest gives what is left of each company to the holders worth most.
    """
    stakes = _stakes(engine, held)
    start = engine.cut(owners.selectExpr("code as who", "code as node", "1D as low", "1D as high").distinct())
    pins = start

    def push(state: Frame) -> Frame:
        rows = state.join(stakes, expr("node = owner"))
        rows = rows.selectExpr(
            "who", "company", "w_low * low as low", "w_high * high as sure", "high as worth", "room", "slack",
            "coalesce(sum(room) over (partition by who, company order by high desc, owner "
            "rows between unbounded preceding and 1 preceding), 0D) as before",
        )  # fmt: skip
        rows = rows.selectExpr(
            "who", "company as node", "low", "sure + least(greatest(slack - before, 0D), room) * worth as high"
        )
        return rows.groupBy("who", "node").agg(expr("sum(low) as low"), expr("sum(high) as high"))

    def step(state: Frame) -> Frame:
        return push(state).where("who <> node").union(pins)

    found = engine.least(start, step, ("who", "node"), ("low", "high"), what="integrated ownership")
    if method == "all_walks":
        back = push(found).where("who = node").selectExpr("who as w", "low as back_low", "high as back_high")
        found = found.join(back, expr("who = w"), "left")

        def visits(side: str) -> str:
            value = f"coalesce(back_{side}, 0D)"
            return f"{side} * case when {value} >= {1 - CLOSED!r}D then double('infinity') else 1D / (1D - {value}) end"

        found = found.selectExpr("who", "node", f"{visits('low')} as low", f"{visits('high')} as high")
        sides = {"low": "low", "high": "high"}
    else:
        # rounding may carry a full holding a little above 1; more than that was declared so
        sides = {
            side: f"case when {side} > 1 and {side} < 1.000000001D then 1D else {side} end" for side in ("low", "high")
        }
    found = found.selectExpr("who", "node", *(f"{text} as {side}" for side, text in sides.items()))
    found = found.selectExpr("who", "node", f"{_settled('low')} as low", f"{_settled('high')} as high")
    found = found.where("who <> node and high > 0")
    return engine.cut(found.selectExpr("who as owner", "node as asset", "least(low, high) as low", "high"))


def _settled(x: str) -> str:
    decimal = f"(rint({x} * 1e12D) / 1e12D)"
    return f"case when abs({x} - {decimal}) <= 2e-15D * {x} then {decimal} else {x} end"


def _stakes(engine: Engine, held: Frame) -> Frame:
    """Weights of each holding: the low, what is sure at the highs, and its room where the holders compete."""
    slack = f"(greatest({SHARE_UNITS}L - exact_declared, 0L) / {float(SHARE_UNITS)!r}D)"
    rows = held.where("high > 0").selectExpr(
        "owner", "company", "low", "high", f"{slack} as slack", "high - low as open",
        "sum(high - low) over (partition by company) as wanted",
    )  # fmt: skip
    contested = "wanted > slack + 1e-15D"
    return engine.cut(
        rows.selectExpr(
            "owner",
            "company",
            "low as w_low",
            f"case when {contested} then low else high end as w_high",
            f"case when {contested} then open else 0D end as room",
            "slack",
        )
    )
