"""How likely risk passes along each relation, as a Spark SQL expression made from the same table as locally."""

from __future__ import annotations

from typing import Any

from riskgraph._sparse import exact_threshold
from riskgraph.errors import InvalidParameter
from riskgraph.risk.transmission import ByConfidence, ByRole, ByShare, _checked_mapping, default_transmission
from riskgraph.spark._engine import Engine, Frame, expr, units

__all__ = ["arcs", "merged"]


def arcs(engine: Engine, relations: Frame, transmission: Any) -> Frame:
    """Arcs ``u, v, p``: each ordered pair once, parallel relations merged; with every arc the one the other way."""
    there, back = _probabilities(relations, transmission)
    rows = relations.where("a <> b").selectExpr("a", "b", f"{there} as there", f"{back} as back")
    rows = rows.selectExpr("a", "b", "coalesce(there, 0D) as there", "coalesce(back, 0D) as back")
    if engine.some(rows.where("not (there between 0 and 1 and back between 0 and 1)")):
        raise InvalidParameter("'transmission' must give probabilities in [0, 1]; a relation has another value")
    rows = rows.where("there > 0 or back > 0")
    return merged(engine, rows.selectExpr("a as u", "b as v", "there as p").union(
        rows.selectExpr("b as u", "a as v", "back as p")
    ))  # fmt: skip


def merged(engine: Engine, rows: Frame) -> Frame:
    """Parallel arcs ``u, v, p`` as one, with ``1 - prod(1 - p)``."""
    missed = "sum(case when p < 1 then log1p(-p) end)"
    once = f"case when count(1) = 1 or max(p) = 1 then max(p) else -expm1({missed}) end as p"
    return engine.cut(rows.groupBy("u", "v").agg(expr(once)))


def _probabilities(relations: Frame, transmission: Any) -> tuple[str, str]:
    if isinstance(transmission, str):
        types = dict(relations.dtypes)
        column = {"votes_min": "coalesce(votes_min, share_min)", "votes_max": "coalesce(votes_max, share_max)"}.get(
            transmission, f"`{transmission}`"
        )
        if transmission not in types or types[transmission] in ("string", "date", "timestamp", "boolean"):
            raise InvalidParameter(f"'transmission' must be a numeric column of the relations; got {transmission!r}")
        number = f"cast({column} as double)"
        return f"case when isnan({number}) then null else {number} end", "0D"
    table = default_transmission() if transmission is None else _checked_mapping(transmission)
    sides: dict[str, list[str]] = {"forward": [], "backward": []}
    for (kind, direction), rule in table.items():
        sides[direction].append(f"when '{kind}' then {_sql(rule, kind, direction)}")
    forward, backward = (f"case kind {' '.join(side)} else 0D end" if side else "0D" for side in sides.values())
    return forward, backward


def _sql(rule: Any, kind: str, direction: str) -> str:
    """SQL of one rule of a transmission table."""
    if isinstance(rule, ByShare):
        held = units("share_max")
        bands = " ".join(
            f"when {held} >= {exact_threshold(share)}L then {p!r}D"
            for share, p in sorted(rule.bands.items(), reverse=True)
        )
        return f"(case when share_max is null then {rule.unknown!r}D when {held} = 0 then 0D {bands} else 0D end)"
    if isinstance(rule, ByRole):
        roles = " ".join(f"when {_text(role)} then {p!r}D" for role, p in rule.roles.items())
        return f"(case role {roles} else {rule.other!r}D end)"
    if isinstance(rule, ByConfidence):
        return f"coalesce(confidence, {rule.unknown!r}D)"
    if callable(rule):
        raise InvalidParameter(
            f"'transmission' for {kind} {direction} must be a number or a rule of default_transmission() on Spark; "
            f"got a function of one's own: put its values into a column of the relations"
        )
    return f"{float(rule)!r}D"


def _text(value: str) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
