"""Schemes of ownership planted in the county: shells, circles, nominees, rings, 49.9 %, stacked licences, bans."""

from __future__ import annotations

from riskgraph.datasets._county_world import COUNTY, ELSEWHERE, NEIGHBOUR, World, later

__all__ = ["plant_owners"]

_TRADES = ("商贸", "建材", "物流", "纺织", "机械", "食品", "园林", "印务", "家具", "文化传播")


def plant_owners(world: World) -> None:
    """Plant every scheme that lies in shares, posts and guarantees."""
    _onion_shells(world)
    _circular_capital(world)
    _nominee_stars(world)
    _guarantee_rings(world)
    _evasion(world)
    _licence_stacking(world)
    _self_financing(world)
    _officer_bans(world)
    _multi_case_shareholders(world)
    _registered_elsewhere(world)


def _trade(world: World) -> str:
    return world.rng.choice(_TRADES)


def _onion_shells(world: World) -> None:
    """A person six to eight shells above the firm; each shell is run by a front."""
    for layers, trade, sector, scope in (
        (6, "网络借贷信息服务", "p2p", "网络借贷信息中介服务"),
        (7, "财富管理", "wealth_management", "投资管理;投资咨询"),
        (8, "置业", "real_estate", "房地产开发经营"),
    ):
        hidden = world.person()
        members = {hidden: "hidden owner"}
        above, start = hidden, world.day("2010-01-01", "2011-06-30")
        for layer in range(layers):
            region = COUNTY if layer % 3 else world.rng.choice(ELSEWHERE)
            shell = world.company(_trade(world), start, region=region, group="shell", capital=1_000_000.0)
            front = world.person()
            share = world.rng.choice([0.7, 0.8, 0.9, 1.0])
            world.owns(shell, {above: share} if share == 1 else {above: share, front: round(1 - share, 2)}, start)
            world.staff(shell, front)
            members[shell] = f"shell {layer + 1}"
            above, start = shell, later(start, world.rng.randint(40, 160))
        target = world.company(trade, start, sector=sector, scope=scope)
        front = world.person()
        world.owns(target, {above: 0.67, front: 0.33}, start)
        world.staff(target, front)
        members[target] = "target"
        world.plant("onion_shell", [target], members)


def _circular_capital(world: World) -> None:
    """Money paid in by the first firm comes back to it as the capital paid in by the last."""
    for size, amount, via in ((3, 30_000_000.0, ""), (4, 20_000_000.0, "loan"), (3, 50_000_000.0, "product")):
        founder = world.person()
        start = world.day("2012-01-01", "2013-06-30")
        firms = [world.company(_trade(world), start, group="circle", capital=amount) for _ in range(size)]
        members = {founder: "founder", **dict.fromkeys(firms, "member")}
        for place, firm in enumerate(firms):
            before = firms[place - 1]
            if via == "loan" and place == 2:
                # the money of this step is a loan, the shares stay with the founder
                world.owns(firm, {founder: 1.0}, start)
                world.relate("lends", before, firm, later(start, 30), amount=amount, source_ref="bank_flow")
            elif via == "product" and place == 1:
                plan = world.product(f"{world.of(before, 'name')[:4]}专项资产管理计划", "asset_management", start)
                world.owns(firm, {founder: 1.0}, start)
                world.relate("invests", before, plan, later(start, 20), amount=amount, source_ref="bank_flow")
                world.relate("invests", plan, firm, later(start, 30), amount=amount, source_ref="bank_flow")
                world.relate("manages", before, plan, start, source_ref="product_register")
                members[plan] = "product on the way"
            else:
                world.relate("owns", before, firm, later(start, 30), share=0.6, amount=amount)
                world.relate("owns", founder, firm, start, share=0.4)
            world.staff(firm, founder if place == 0 else world.local())
        world.plant("circular_capital", firms, members)


def _nominee_stars(world: World) -> None:
    """One nominee on the papers of more than forty firms; agreements found in 2016 name the controller."""
    for count in (42, 44, 46):
        nominee, controller = world.person(), world.person()
        members = {nominee: "nominee", controller: "hidden controller"}
        place = world.address()
        for number in range(count):
            start = world.day("2013-01-01", "2015-12-31")
            firm = world.company(_trade(world), start, group="star", capital=500_000.0)
            front = world.local()
            world.owns(firm, {nominee: 1.0} if number % 3 else {nominee: 0.8, front: 0.2}, start)
            world.officer(nominee, firm, "nominee" if number % 2 else "legal_representative", start)
            if number % 2:
                world.officer(front, firm, "legal_representative", start)
            world.relate("controls", controller, firm, start, known_from="2016-06-20", source_ref="nominee_agreement")
            world.relate("located_at", firm, place, start)
            members[firm] = "firm held for the controller"
        world.plant("nominee_star", [nominee], members)


def _guarantee_rings(world: World) -> None:
    """Each firm guarantees the next one's bank loan; nobody outside covers any."""
    for size in (4, 5, 6):
        bank = world.pick("bank")
        firms = [world.company(_trade(world), world.day("2008-01-01", "2012-12-31"), group="ring") for _ in range(size)]
        start = world.day("2014-01-01", "2015-06-30")
        for place, firm in enumerate(firms):
            world.settle(firm)
            amount = 1_000_000.0 * world.rng.randint(5, 30)
            world.facts_of(firm, "2015-12-31", "declared", equity=2_000_000.0, external_assets=amount + 2_000_000.0)
            world.relate("lends", bank, firm, start, amount=amount, source_ref="bank_flow")
            world.relate("guarantees", firms[place - 1], firm, start, amount=amount, source_ref="bank_flow")
        world.plant("guarantee_ring", firms, dict.fromkeys(firms, "member"))


def _evasion(world: World) -> None:
    """49.9 % openly, and the rest of the majority with a relative, a concert party or the relative's firm."""
    for tie in ("kin", "concert", "kin's firm"):
        holder, partner = world.person(), world.person()
        start = world.day("2012-01-01", "2014-12-31")
        firm = world.company("投资", start, sector="asset_management", scope="实业投资;资产管理")
        others = [world.person() for _ in range(3)]
        vehicle = partner
        members = {firm: "company", holder: "holder of 49.9 %", partner: f"tied by {tie}"}
        if tie == "kin's firm":
            vehicle = world.company(_trade(world), start)
            world.owns(vehicle, {partner: 1.0}, start)
            world.staff(vehicle, partner)
            members[vehicle] = "firm of the relative"
        world.owns(firm, {holder: 0.499, vehicle: 0.021, others[0]: 0.2, others[1]: 0.16, others[2]: 0.12}, start)
        world.relate("concert" if tie == "concert" else "kin", holder, partner, start, source_ref="site_visit")
        world.staff(firm, others[0])
        world.plant("evasion_49", [firm], members)


def _licence_stacking(world: World) -> None:
    """Four licences under one head; officers, an account and an address in common, loans and guarantees inside."""
    for _ in range(3):
        owner = world.person()
        start = world.day("2009-01-01", "2011-12-31")
        head = world.company("控股集团", start, scope="企业总部管理", capital=500_000_000.0, group="head")
        world.owns(head, {owner: 0.9, world.local(): 0.1}, start)
        world.staff(head, owner)
        members = {owner: "owner", head: "head of the group"}
        place, account = world.address(), world.entity("N", "account", f"归集账户{world.of(head, 'id')}")
        shared = world.person()
        units: list[str] = []
        for sector, trade, scope in (
            ("p2p", "网络借贷信息中介", "网络借贷信息中介服务"),
            ("payment", "支付服务", "互联网支付"),
            ("insurance", "保险代理", "保险代理业务"),
            ("fund", "基金管理", "私募股权投资基金管理"),
        ):
            since = later(start, world.rng.randint(200, 900))
            unit = world.company(trade, since, sector=sector, scope=scope, capital=100_000_000.0)
            world.owns(unit, {head: 0.8, world.local(): 0.2}, since)
            world.staff(unit, world.local(), others=[(shared, "director")])
            world.licence(unit, sector, since)
            world.relate("located_at", unit, place, since)
            world.relate("operates", unit, account, later(since, 30), source_ref="bank_flow")
            members[unit] = f"licensed in {sector}"
            units.append(unit)
        world.relate("lends", units[1], units[0], "2015-03-10", amount=40_000_000.0, source_ref="bank_flow")
        world.relate("guarantees", units[2], units[0], "2015-05-18", amount=60_000_000.0, source_ref="bank_flow")
        world.relate("pays", units[3], account, "2015-07-06", amount=15_000_000.0, source_ref="bank_flow")
        world.plant("licence_stacking", [head], members)


def _self_financing(world: World) -> None:
    """A platform on which firms of its own owner borrow two fifths of all that is lent, one guaranteed by a third."""
    for number in range(3):
        owner, relative = world.person(), world.person()
        start = world.day("2012-06-01", "2013-12-31")
        holding = world.company("实业", start, group="holding")
        platform = world.company(
            "网贷信息服务", later(start, 90), sector="p2p", scope="网络借贷信息中介服务", capital=50_000_000.0
        )
        builder = world.company("房地产开发", start, sector="real_estate", scope="房地产开发经营", capital=80_000_000.0)
        trader = world.company(_trade(world), later(start, 200), group="borrower")
        surety = world.company("担保", start, scope="非融资性担保", group="surety")
        since = later(start, 240)
        world.owns(holding, {owner: 1.0}, start)
        world.owns(platform, {holding: 0.7, world.local(): 0.3}, later(start, 90))
        world.owns(builder, {holding: 0.8, world.local(): 0.2}, start)
        world.owns(trader, {relative: 1.0}, later(start, 200))
        world.owns(surety, {owner: 0.6, relative: 0.4}, start)
        for firm in (holding, platform, builder, surety):
            world.staff(firm, owner if firm in (holding, surety) else world.local())
        world.staff(trader, relative)
        world.relate("kin", owner, relative, "2000-01-01", known_from="2016-05-20", source_ref="site_visit")
        related = [8_000_000.0, 6_000_000.0]
        for borrower, amount in zip((builder, trader), related, strict=True):
            world.relate("raises_on", borrower, platform, later(since, 60), amount=amount, source_ref="platform_data")
        world.relate("guarantees", surety, trader, later(since, 60), amount=related[1], source_ref="platform_data")
        for stranger in world.strangers(platform, "trader", 3):
            world.relate(
                "raises_on", stranger, platform, later(since, 90), amount=7_000_000.0, source_ref="platform_data"
            )
        world.facts_of(
            platform,
            "2016-05-20",
            self_financing=True if number else "unknown",
            information_intermediary=False,
            client_fund_custody=False,
            promised_yield=0.14,
            loan_balance=35_000_000.0,
            lender_count=world.rng.randint(300, 900),
        )
        world.plant(
            "self_financing",
            [platform],
            {
                platform: "platform",
                owner: "owner",
                holding: "holding",
                builder: "borrower under the same holding",
                trader: "borrower, firm of a relative",
                surety: "guarantor of the owner",
                relative: "relative",
            },
        )


def _officer_bans(world: World) -> None:
    """Legal representatives of revoked firms in a new post within three years; one who waited, one who was no head."""
    plan = (
        ("2014-09-15", "2016-02-01", "legal_representative", "director", True),
        ("2015-06-10", "2016-03-14", "legal_representative", "legal_representative", True),
        ("2016-04-20", "2016-11-07", "legal_representative", "supervisor", True),
        ("2012-05-08", "2015-09-01", "legal_representative", "director", False),
        ("2015-11-03", "2016-04-11", "director", "manager", False),
    )
    for revoked_on, posted_on, old_role, new_role, breach in plan:
        person, successor = world.person(), world.person()
        start = world.day("2009-01-01", "2011-12-31")
        gone = world.company("投资咨询", start, sector="wealth_management", scope="投资咨询", status="revoked")
        struck = later(revoked_on, 40)
        world.owns(gone, {person: 0.5, successor: 0.5}, start)
        legal = person if old_role == "legal_representative" else successor
        others = [] if legal == person else [(person, old_role)]
        world.staff(gone, legal, others=others, end=struck)
        world.set(gone, end=struck)
        world.case(
            gone,
            "determination",
            later(revoked_on, -30),
            severity=0.8,
            topic="unlicensed",
            authority="banking_regulator",
        )
        world.case(gone, "revoked", revoked_on, severity=0.9, authority="market_supervision")
        new = world.company(_trade(world), world.day("2012-01-01", "2014-12-31"))
        world.owns(new, {world.person(): 1.0}, str(world.of(new, "start")))
        world.staff(new, world.person())
        world.officer(person, new, new_role, posted_on)
        if breach:
            world.plant(
                "officer_ban_breach",
                [person],
                {person: "barred officer", gone: "revoked firm", new: "firm of the new post"},
            )


def _multi_case_shareholders(world: World) -> None:
    """Holders of two firms determined to raise funds illegally who later bought into a third."""
    for number in range(3):
        holder = world.person()
        members = {holder: "holder"}
        days = (world.day("2014-01-01", "2014-12-31"), world.day("2015-03-01", "2016-04-30"))
        for day in days:
            start = world.day("2011-01-01", "2013-06-30")
            firm = world.company("财富投资管理", start, sector="wealth_management", scope="投资管理;理财信息咨询")
            boss = world.person()
            share = world.rng.choice([0.15, 0.2, 0.3])
            world.owns(firm, {boss: round(1 - share, 2), holder: share}, start)
            world.staff(firm, boss)
            world.case(
                firm,
                "tipoff",
                later(day, -120),
                severity=0.3,
                topic="illegal_fundraising",
                authority=f"reporter-{number + 1}",
            )
            world.case(firm, "illegal_fundraising", day, severity=1.0, authority="public_security")
            world.set(firm, status="under_investigation")
            members[firm] = "firm with a case"
        since = later(days[1], world.rng.randint(60, 240))
        third = world.company("信息科技", world.day("2013-07-01", "2014-12-31"))
        seller, stays = world.person(), world.person()
        world.relate("owns", stays, third, str(world.of(third, "start")), share=0.6)
        world.relate("owns", seller, third, str(world.of(third, "start")), since, share=0.4)
        world.relate("owns", holder, third, since, share=0.4)
        world.staff(third, stays)
        members[third] = "firm bought into after the second case"
        world.plant("multi_case_shareholder", [holder], members)


def _registered_elsewhere(world: World) -> None:
    """Firms of other provinces that operate here; a neighbour county's firm is not one of them."""
    for region, trade, sector, scope, level in (
        (ELSEWHERE[0], "金融信息服务", "p2p", "网络借贷信息中介服务", "high"),
        (ELSEWHERE[1], "商品交易中心", "exchange", "大宗商品交易服务", "high"),
        (ELSEWHERE[2], "财富管理", "wealth_management", "投资管理", "medium"),
        (ELSEWHERE[0], "股权众筹", "equity_crowdfunding", "股权众筹平台", "low"),
        (NEIGHBOUR, "投资管理", "wealth_management", "投资管理", "low"),
    ):
        start = world.day("2012-01-01", "2014-12-31")
        firm = world.company(trade, start, sector=sector, scope=scope, region=region, operates=f"{COUNTY};{region}")
        owner = world.person()
        world.owns(firm, {owner: 1.0}, start)
        world.staff(firm, owner)
        world.fact(firm, "risk_level", level, "2016-05-25", source_ref="inquiry")
        if region != NEIGHBOUR:
            world.plant("registered_elsewhere", [firm], {firm: "firm"})
