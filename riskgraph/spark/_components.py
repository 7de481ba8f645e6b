"""Groups of nodes by labels that spread: joined either way, or reaching each other."""

from __future__ import annotations

from riskgraph.errors import NotConverged
from riskgraph.spark._engine import Engine, Frame, expr

__all__ = ["joined", "strong"]


def joined(engine: Engine, links: Frame) -> Frame:
    """``node, label`` of the nodes of undirected links ``a, b``: the least node each is joined to."""
    both = engine.cut(links.selectExpr("a", "b").union(links.selectExpr("b as a", "a as b")).distinct())
    nodes = both.selectExpr("a as node", "a as label").distinct()
    return spread(engine, engine.cut(nodes), both, "min")


def spread(engine: Engine, nodes: Frame, links: Frame, best: str) -> Frame:
    """``node, label`` where along links ``a`` → ``b`` the least or greatest label goes on, until none changes."""
    for _ in range(engine.max_rounds):
        pushed = nodes.join(links, expr("node = a")).selectExpr("b as node", "label", "cast(null as bigint) as before")
        rows = nodes.selectExpr("node", "label", "label as before").union(pushed)
        new = engine.cut(rows.groupBy("node").agg(expr(f"{best}(label) as label"), expr("max(before) as before")))
        nodes = new.drop("before")
        if not engine.some(new.where("label <> before")):
            return nodes
    raise NotConverged(f"groups are not found after {engine.max_rounds:,} rounds; raise 'max_rounds' of the graph")


def strong(engine: Engine, links: Frame) -> Frame:
    """``node, label`` of the nodes of links ``a`` → ``b`` that lie on a circle: nodes that reach each other.

    What no link leads to, or from, is taken away until nothing more goes. In what is left every node gets the
    greatest node it is reached from; those of one label that reach it again are one group (Orzan 2004).
    """
    links = engine.cut(links.selectExpr("a", "b").where("a <> b").distinct())
    found = engine.rows([], "node bigint, label bigint")
    for _ in range(engine.max_rounds):
        links = _trimmed(engine, links)
        if not engine.some(links):
            return engine.cut(found)
        nodes = engine.cut(links.selectExpr("a as node", "a as label").distinct())
        color = spread(engine, nodes, links, "max")
        colors = color.selectExpr("node as n", "label as c")
        inside = links.join(colors.selectExpr("n as na", "c as ca"), expr("a = na"))
        inside = inside.join(colors.selectExpr("n as nb", "c as cb"), expr("b = nb")).where("ca = cb")
        back = engine.cut(inside.selectExpr("b as a", "a as b"))
        mark = engine.cut(color.selectExpr("node", "cast(node = label as int) as label"))
        mark = spread(engine, mark, back, "max").where("label = 1").selectExpr("node as m")
        group = engine.cut(color.join(mark, expr("node = m")).select("node", "label"))
        found = engine.cut(found.union(group))
        gone = group.selectExpr("node as g")
        links = engine.cut(links.join(gone, expr("a = g"), "left_anti").join(gone, expr("b = g"), "left_anti"))
    raise NotConverged(f"circles are not found after {engine.max_rounds:,} rounds; raise 'max_rounds' of the graph")


def _trimmed(engine: Engine, links: Frame) -> Frame:
    """Links without those that no circle can hold."""
    count = links.count()
    for _ in range(engine.max_rounds):
        starts, ends = links.selectExpr("a as s").distinct(), links.selectExpr("b as e").distinct()
        links = engine.cut(links.join(ends, expr("a = e"), "left_semi").join(starts, expr("b = s"), "left_semi"))
        left = links.count()
        if left == count:
            break
        count = left
    return links
