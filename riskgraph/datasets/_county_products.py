"""The ordinary products of the county: plans and funds of one layer, issued by licensed houses."""

from __future__ import annotations

from riskgraph.datasets._county_world import World, later

__all__ = ["settle_products"]

#: sector of the house, number of products, title, series of it, fact that the register notes, least and most money
_SHELVES = (
    ("bank", 190, "理财", ("安盈", "惠农", "日添利", "稳健增利", "丰裕"), "registered_product", 1, 40),
    ("fund", 80, "基金", ("价值", "债券", "均衡", "新产业", "稳进"), "private_placement", 100, 300),
    ("securities", 45, "集合资产管理计划", ("睿选", "恒债", "现金"), "private_placement", 10, 120),
    ("trust", 35, "集合资金信托计划", ("安泰", "弘业", "润泽"), "private_placement", 100, 300),
)
#: who sells what the house does not sell itself, and whose business the money pays for
_SELLERS = ("bank", "securities")
_USES = ("trader", "trader", "trader", "real_estate", "cooperative")


def settle_products(world: World) -> None:
    """Settle products that savers look through in one step; of a third it is not on record where the money went."""
    rng = world.rng
    schemers = {row["entity"] for row in world.schemes}
    running = {row["entity"] for row in world.licences if row["end"] is None}
    users = {group: [firm for firm in world.firms[group] if firm not in schemers] for group in set(_USES)}
    for sector, count, title, series, noted, least, most in _SHELVES:
        houses = [firm for firm in world.firms[sector] if firm in running]
        if sector == "fund":
            houses = [firm for firm in houses if firm not in schemers]
        for number in range(count):
            house = houses[number % len(houses)]
            opened = max(str(world.of(house, "start")), "2012-01-01")
            start = world.day(later(opened, 120), "2016-04-30")
            name = f"{rng.choice(series)}{title}{number // len(houses) + 1}期"
            plan = world.plan(house, name, sector, start)
            world.fact(plan, noted, True, start, source_ref="product_register")
            world.relate("custodies", world.pick("bank"), plan, start, source_ref="product_register")
            if sector == "bank" or number % 3 == 0:
                seller = house if sector == "bank" else world.pick(rng.choice(_SELLERS))
                world.relate("distributes", seller, plan, start, source_ref="product_register")
            paid = world.collect(plan, rng.randint(2, 6), (later(start, 5), later(start, 60)), 10_000.0, least, most)
            if rng.random() < 0.67:
                user = rng.choice(users[rng.choice(_USES)])
                world.relate("invests", plan, user, later(start, 75), amount=paid, source_ref="bank_flow")
