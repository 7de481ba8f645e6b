"""Schemes of money planted in the county: split feeders, nested products, payment subcontracting."""

from __future__ import annotations

from riskgraph.datasets._county_world import FAR_COUNTY, NEIGHBOUR, World, later

__all__ = ["plant_funds"]


def plant_funds(world: World) -> None:
    """Plant every scheme that lies in products and payments."""
    _feeder_splits(world)
    _ordinary_funds(world)
    _nested_products(world)
    _subcontract_chains(world)


def _feeder_splits(world: World) -> None:
    """Three feeders of about ninety investors each that pass 200 together; a fourth fund stays below."""
    for sizes, overlap, split in (
        ((90, 90, 90), 20, True),
        ((94, 88, 91), 15, True),
        ((89, 92, 90), 12, True),
        ((60, 55), 8, False),
    ):
        start = world.day("2014-03-01", "2015-06-30")
        manager = world.company(
            "股权投资基金管理", start, sector="fund", scope="私募股权投资基金管理", capital=10_000_000.0
        )
        world.settle(manager, apart=True)
        world.licence(manager, "fund", start)
        master = world.plan(manager, "一号股权投资基金", "fund", later(start, 60))
        world.relate("custodies", world.pick("bank"), master, later(start, 60), source_ref="product_register")
        world.facts_of(
            master, later(start, 60), "product_register", private_placement=True, product_type="private_equity_fund"
        )
        members = {master: "fund", manager: "manager"}
        pool = world.rng.sample(world.savers, sum(sizes) - overlap * (len(sizes) - 1))
        first, paid = 0, 0.0
        for number, size in enumerate(sizes):
            feeder = world.plan(manager, f"{'甲乙丙'[number]}号集合计划", "fund", later(start, 75))
            total = 0.0
            for saver in pool[first : first + size]:
                on = later(start, 80 + world.rng.randint(0, 90))
                total += world.money("invests", saver, feeder, on, 10_000.0, 100, 160, "product_register")
            world.relate("invests", feeder, master, later(start, 180), amount=total, source_ref="bank_flow")
            world.fact(feeder, "private_placement", True, later(start, 75), source_ref="product_register")
            members[feeder] = f"feeder of {size} investors"
            first += size - overlap
            paid += total
        builder = world.pick("real_estate")
        world.relate("invests", master, builder, later(start, 200), amount=paid, source_ref="bank_flow")
        members[builder] = "asset"
        if split:
            world.plant("feeder_split", [master], members)


def _ordinary_funds(world: World) -> None:
    """Private funds of one layer with few investors each."""
    for number in range(8):
        start = world.day("2012-03-01", "2015-06-30")
        manager = world.company("基金管理", start, sector="fund", scope="私募股权投资基金管理", capital=10_000_000.0)
        world.settle(manager, apart=True)
        world.licence(manager, "fund", start)
        fund = world.plan(manager, "成长基金", "fund", later(start, 90))
        world.relate("custodies", world.pick("bank"), fund, later(start, 90), source_ref="product_register")
        world.fact(fund, "private_placement", True, later(start, 90), source_ref="product_register")
        total = world.collect(fund, 8 + number, (later(start, 120), later(start, 180)), 10_000.0, 100, 300)
        world.relate("invests", fund, world.pick("trader"), later(start, 200), amount=total, source_ref="bank_flow")


def _nested_products(world: World) -> None:
    """Savings that pass a bank plan, a trust plan, a securities plan and a fund before they reach a builder."""
    for number in range(3):
        start = world.day("2014-06-01", "2015-06-30")
        bank, trust, house = world.pick("bank"), world.pick("trust"), world.pick("securities")
        manager = world.company("股权投资基金管理", later(start, -400), sector="fund", scope="私募股权投资基金管理")
        world.settle(manager, apart=True)
        world.licence(manager, "fund", later(start, -300))
        builder = world.company(
            "房地产开发", later(start, -900), sector="real_estate", scope="房地产开发经营", capital=60_000_000.0
        )
        world.settle(builder)
        chain = []
        for maker, title, sector in (
            (bank, "稳享理财产品", "bank"),
            (trust, "集合资金信托计划", "trust"),
            (house, "定向资产管理计划", "securities"),
            (manager, "并购投资基金", "fund"),
        ):
            plan = world.plan(maker, f"{title}{number + 1}期", sector, start)
            world.fact(plan, "product_type", title, start, source_ref="product_register")
            chain.append(plan)
        world.relate("distributes", bank, chain[0], start, source_ref="product_register")
        world.fact(chain[0], "retail_investors", True, start, source_ref="product_register")
        for plan in chain[1:]:
            world.fact(plan, "private_placement", True, start, source_ref="product_register")
        total = world.collect(chain[0], 30, (later(start, 10), later(start, 25)), 10_000.0, 5, 60)
        for place, (source, target) in enumerate(zip(chain, [*chain[1:], builder], strict=True)):
            world.relate("invests", source, target, later(start, 30 + 5 * place), amount=total, source_ref="bank_flow")
        members = {
            **dict.fromkeys(chain, "layer"),
            bank: "seller",
            trust: "channel",
            manager: "last manager",
            builder: "borrower",
        }
        if number == 2:
            since = later(start, 90)
            offered = world.plan(manager, "宝", "asset_management", since, "website")
            world.relate("packaged_from", offered, chain[3], since, source_ref="website")
            world.facts_of(offered, since, "website", public_offering=True, solicitation_channel="微信公众号")
            world.relate("distributes", world.pick("wealth_management"), offered, since, source_ref="website")
            world.collect(offered, 12, (later(start, 100), later(start, 200)), 10_000.0, 1, 9)
            members[offered] = "parts of the fund, offered to the public"
        world.plant("multi_layer_nesting", chain, members)


def _subcontract_chains(world: World) -> None:
    """A licensed payment firm whose work is passed on and on to firms without a licence; the end settles for shops."""
    for length, region in ((3, NEIGHBOUR), (4, FAR_COUNTY), (3, NEIGHBOUR)):
        start = world.day("2011-06-01", "2012-12-31")
        head = world.company("支付", start, sector="payment", scope="银行卡收单", capital=100_000_000.0)
        world.settle(head, apart=True)
        world.licence(head, "payment", later(start, 60))
        members = {head: "licensed head"}
        chain = [head]
        for layer in range(1, length):
            since = later(start, 300 + 200 * layer)
            place = region if layer == length - 1 else None
            firm = world.company(
                "支付技术服务" if layer > 1 else "电子商务",
                since,
                sector="payment",
                scope="支付技术服务;商户资金结算",
                operates=place,
            )
            world.settle(firm)
            world.relate("subcontracts", chain[-1], firm, later(since, 60), source_ref="agreement")
            members[firm] = f"contractor {layer}, no licence"
            chain.append(firm)
        last, active = chain[-1], later(start, 300 + 200 * length)
        world.money("channels", world.pick("bank"), last, active, 1e6, 5, 90)
        world.money("channels", head, chain[1], active, 1e6, 5, 90)
        for _ in range(4):
            world.money("channels", last, world.pick("trader"), later(active, 30), 1e5, 2, 40)
        world.facts_of(
            last,
            "2016-06-01",
            merchants=4.0,
            volume=1e6 * world.rng.randint(3, 80),
            harm=world.rng.choice(["low", "high"]),
            cooperative_attitude=world.rng.choice([True, False]),
        )
        world.plant("subcontract_chain", chain, members)
