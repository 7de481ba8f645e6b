"""The ordinary life of the county: shops, licensed houses, namesakes, and clean firms where nothing must be found."""

from __future__ import annotations

from itertools import pairwise

from riskgraph.datasets._county_world import NEIGHBOUR, World, later

__all__ = ["settle_licensed", "settle_namesakes", "settle_plain", "settle_shops", "settle_traders"]

_SHOPS = (
    ("五金", "五金产品零售"),
    ("粮油", "粮油批发"),
    ("服装", "服装加工与销售"),
    ("家居", "家具销售"),
    ("电子", "电子元件制造"),
    ("水产", "水产养殖与销售"),
    ("包装", "纸箱制造"),
    ("运输", "道路货物运输"),
    ("餐饮", "餐饮服务"),
    ("苗木", "苗木种植"),
)


def settle_traders(world: World, count: int = 60) -> None:
    """Shops and workshops that borrow, pay and trade."""
    for number in range(count):
        trade, scope = _SHOPS[number % len(_SHOPS)]
        shop = world.company(trade, world.day("2004-01-01", "2014-12-31"), group="trader", scope=scope)
        world.settle(shop)
        if number % 3 == 0:
            _move_stake(world, shop)
    for _ in range(6):
        closed = world.company("咨询服务", world.day("2008-01-01", "2011-12-31"), group="closed", status="deregistered")
        end = world.day("2013-02-01", "2016-02-28")
        world.set(closed, end=end)
        world.settle(closed, end=end)
    for _ in range(70):
        payer, payee = world.rng.sample(world.firms["trader"], 2)
        world.money("pays", payer, payee, world.day("2015-01-01", "2016-12-31"), 1000.0, 5, 900)


def _move_stake(world: World, firm: str) -> None:
    """Turn one holder's stake into a former one: it passed to somebody else on a day in 2015 or 2016."""
    held = [row for row in world.relations if row["target"] == firm and row["kind"] == "owns"]
    row = held[0]
    on = world.day("2015-01-05", "2016-11-30")
    taken = {name: row[name] for name in ("share", "share_min", "share_max") if name in row}
    buyer = world.local(*(other["source"] for other in held))
    row["end"] = on
    world.relate("owns", buyer, firm, on, **taken)
    leaver = next(row for row in world.relations if row["target"] == firm and row["kind"] == "officer")
    leaver["end"] = later(on, 10)
    world.officer(buyer, firm, "legal_representative", later(on, 10))


def settle_shops(world: World, count: int) -> None:
    """Most of a county's register: shops and workshops whose people have nothing to do with the rest.

    One in nine is somebody's second shop, one in fifteen belongs to another shop, one in thirty has closed.
    """
    rng = world.rng
    owners: dict[str, str] = {}
    for number in range(count):
        trade, scope = rng.choice(_SHOPS)
        start = world.day("2001-01-01", "2015-06-30")
        end = world.day("2015-07-01", "2016-12-31") if number % 30 == 7 else None
        elder = [shop for shop in owners if not world.of(shop, "end") and world.of(shop, "start") <= start]
        shop = world.company(trade, start, group="shop", scope=scope, status="deregistered" if end else "active")
        if end:
            world.set(shop, end=end)
        if number % 15 == 11 and elder:
            parent = rng.choice(elder)
            owners[shop] = owners[parent]
            world.owns(shop, {parent: 1.0}, start)
        elif number % 9 == 4 and elder:
            owners[shop] = owners[rng.choice(elder)]
            world.owns(shop, {owners[shop]: 1.0}, start)
        else:
            owners[shop] = world.person()
            share = rng.choice([1.0, 1.0, 1.0, 0.51, 0.6, 0.7, 0.8])
            partner = {world.person(): round(1 - share, 2)} if share < 1 else {}
            world.owns(shop, {owners[shop]: share, **partner}, start)
        world.staff(shop, owners[shop], end=end)
    trading = [shop for shop in owners if not world.of(shop, "end")]
    for _ in range(count // 5):
        payer, payee = rng.sample(trading, 2)
        world.money("pays", payer, payee, world.day("2015-07-01", "2016-09-30"), 1000.0, 5, 400)


def settle_licensed(world: World) -> None:
    """Banks, trust companies, brokers and other licensed houses, some owned by the county."""
    county = world.entity("S", "state", "澄湖县国有资产监督管理办公室", source_ref="registry")
    unknown = world.entity("U", "unknown", "未披露持有人", source_ref="registry")
    family = world.entity("T", "trust", "采薇家族信托", start="2011-05-01", source_ref="registry")
    for sector, count, trade, form in (
        ("bank", 5, "农村商业银行", "股份有限公司"),
        ("trust", 2, "信托", "有限公司"),
        ("securities", 3, "证券", "股份有限公司"),
        ("futures", 1, "期货", "有限公司"),
        ("consumer_finance", 1, "消费金融", "有限公司"),
        ("microloan", 3, "小额贷款", "有限公司"),
        ("guarantee", 4, "融资担保", "有限公司"),
        ("pawn", 3, "典当", "有限公司"),
        ("leasing", 3, "融资租赁", "有限公司"),
        ("insurance", 3, "财产保险", "股份有限公司"),
        ("payment", 2, "支付", "有限公司"),
    ):
        for number in range(count):
            start = world.day("2003-01-01", "2010-12-31")
            house = world.company(
                trade, start, sector=sector, scope=f"{trade}业务", capital=1e8 * world.rng.randint(1, 20), form=form
            )
            partner = world.person()
            if sector == "bank" and number == 0:
                world.relate("owns", county, house, start, share=0.51, votes_min=0.51, votes_max=0.51)
                # founders' shares of this bank carry more votes than capital
                world.relate("owns", partner, house, start, share=0.19, votes_min=0.29, votes_max=0.29)
                world.relate("owns", world.local(partner), house, start, share=0.3, votes_min=0.2, votes_max=0.2)
            elif sector == "securities" and number == 0:
                world.owns(house, {family: 0.4, unknown: 0.25, partner: 0.35}, later("2011-05-01", 30))
            elif number % 2:
                world.owns(house, {county: 0.35, partner: 0.33, world.local(partner): 0.32}, start)
            else:
                world.owns(house, {partner: 0.6, world.local(partner): 0.4}, start)
            world.staff(house, world.local(), others=[(partner, "chairman"), (world.local(), "supervisor")])
            world.licence(house, sector, later(start, 30), later(start, 30 + 365 * 12) if number == 2 else None)
            if sector == "insurance":
                world.plan(house, "年金保险", "insurance", "2014-05-01")
    for bank in world.firms["bank"]:
        capital = float(world.of(bank, "capital"))
        world.facts_of(bank, "2015-12-31", "annual_report", equity=capital, external_assets=9 * capital)
        plan = world.plan(bank, "存利理财", "bank", "2015-01-10")
        world.relate("distributes", bank, plan, "2015-01-10", source_ref="product_register")
        world.facts_of(plan, "2015-01-10", "product_register", registered_product=True, promised_yield=0.04)
        world.fact(plan, "public_fund", False, "2015-01-10", source_ref="product_register")
        world.collect(plan, 6, ("2015-03-02", "2015-09-30"), 10_000.0, 5, 50)
    for bank in world.firms["bank"][:3]:
        branch = world.company(
            "农村商业银行", "2012-03-01", sector="bank", region=NEIGHBOUR, form="分行", group="branch"
        )
        world.relate("branch_of", branch, bank, "2012-03-01")
        world.licence(branch, "bank", "2012-03-01")


def settle_namesakes(world: World) -> None:
    """Guesses that two people of one name are one: most are wrong, and no guess is certain. A few savers are kin."""
    named: dict[str, list[str]] = {}
    for person in world.locals:
        named.setdefault(world.of(person, "name"), []).append(person)
    for people in named.values():
        for first, second in pairwise(people):
            near = abs(world.of(first, "birth_year") - world.of(second, "birth_year")) < 8
            sure = world.rng.choice([0.5, 0.6, 0.8] if near else [0.05, 0.1, 0.2])
            world.relate("same_as", first, second, None, confidence=sure, source_ref="name_match")
    for _ in range(12):
        first, second = world.rng.sample(world.savers, 2)
        world.relate("kin", first, second, None, source_ref="household_register")


def settle_plain(world: World, count: int = 90) -> None:
    """Clean firms of one sector: full declarations, people and address of their own, no product, licences in force."""
    licensed = (("pawn", "典当"), ("guarantee", "融资担保"), ("leasing", "融资租赁"), ("microloan", "小额贷款"))
    for number in range(count):
        start = world.day("2005-01-01", "2013-12-31")
        sector, trade = licensed[number % 4] if number < 12 else ("other", _SHOPS[number % len(_SHOPS)][0])
        scope = f"{trade}业务" if number < 12 else _SHOPS[number % len(_SHOPS)][1]
        firm = world.company(trade, start, sector=sector, scope=scope, group="plain")
        owner = world.person()
        if number % 3:
            world.owns(firm, {owner: 1.0}, start)
            world.staff(firm, owner)
        else:
            partner = world.person()
            world.owns(firm, {owner: 0.6, partner: 0.4}, start)
            world.staff(firm, owner, others=[(partner, "supervisor")])
        world.relate("located_at", firm, world.address(), start)
        if sector != "other":
            world.licence(firm, sector, start)
        world.plant("plain", [firm], {firm: "clean firm"})
