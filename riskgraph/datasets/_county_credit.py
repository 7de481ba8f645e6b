"""Sectors of the county that take money: lending platforms, asset managers, crowdfunding, wealth management."""

from __future__ import annotations

from riskgraph.datasets._county_world import World, later

__all__ = ["give_site", "settle_credit"]

_RED_LINES = (
    "capital_pool",
    "principal_guarantee",
    "mass_offline_marketing",
    "misleading_promotion",
    "fictitious_borrowers",
    "makes_loans",
    "splits_maturities",
    "sells_wealth_products",
    "irregular_debt_transfer",
    "funds_risky_securities",
    "stock_margin_lending",
    "crowdfunding_business",
    "self_financing",
)
_CRITERIA = (
    "information_intermediary",
    "direct_lending",
    "client_fund_custody",
    "disclosure_complete",
    "network_security",
)
#: number of the asset manager → what the visit found; one for each class of disposition
_CONDUCT: dict[int, dict[str, bool | str]] = {
    0: {"risk_level": "high", "violation": False, "substance_mismatch": False},
    1: {"risk_level": "medium", "violation": True, "substance_mismatch": False},
    2: {"risk_level": "medium", "violation": False, "substance_mismatch": True},
    3: {"risk_level": "low", "violation": False, "substance_mismatch": False},
    12: {"risk_level": "low", "evasion": False, "fraud_suspected": False},
    13: {"risk_level": "high", "evasion": True, "fraud_suspected": False},
    14: {"risk_level": "high", "evasion": True, "fraud_suspected": True},
}


def settle_credit(world: World) -> None:
    """Settle the sectors that take money from the public."""
    _p2p(world)
    _asset_managers(world)
    _crowdfunding(world)
    _wealth(world)


def give_site(world: World, firm: str, text: str, *, unfiled: bool = False) -> str:
    """Give a firm a website under a reserved domain, which nobody can own."""
    since = later(str(world.of(firm, "start")), 60)
    site = world.entity("W", "website", f"www.{firm.lower()}.example", start=since, source_ref="site_list")
    world.relate("operates", firm, site, since, source_ref="site_list")
    world.fact(site, "website_text", text, since, source_ref="site_list")
    if unfiled:
        world.fact(site, "unfiled", True, "2016-05-10", source_ref="site_list")
    return site


def _p2p(world: World) -> None:
    """Platforms of every quality, each with a loan product, borrowers and lenders."""
    rng = world.rng
    for number in range(24):
        start = world.day("2012-03-01", "2015-06-30")
        firm = world.company(
            "网络借贷信息中介" if number % 2 else "P2P信息服务",
            start,
            sector="p2p",
            scope="网络借贷信息中介服务",
            capital=1e6 * rng.randint(5, 60),
        )
        legal = world.settle(firm)
        give_site(
            world,
            firm,
            rng.choice(["网贷平台 出借 债权", "P2P网络借贷 校园网贷", "网络借贷信息中介"]),
            unfiled=number % 9 == 0,
        )
        good = number < 6
        for name in _CRITERIA:
            world.fact(firm, name, True if good else rng.choice([True, True, False, "unknown"]), "2016-05-20")
        for name in _RED_LINES:
            crossed = False if good else rng.choice([False] * 7 + [True, "unknown"])
            world.fact(firm, name, crossed, "2016-05-20")
        balance = 100_000.0 * rng.randint(30, 2000)
        promised = 0.08 + 0.01 * rng.randint(0, 3) if good else 0.1 + 0.01 * rng.randint(0, 16)
        world.facts_of(
            firm,
            "2016-05-20",
            "declared",
            promised_yield=round(promised, 3),
            loan_balance=balance,
            lender_count=float(rng.randint(80, 4000)),
            overdue_rate=round(rng.uniform(0.005, 0.03 if good else 0.22), 4),
            employees=float(rng.randint(8, 200)),
        )
        # the bank's record agrees with what was declared, or does not
        observed = balance if number % 3 else balance * rng.choice([1.6, 2.2, 3.1])
        world.fact(firm, "loan_balance", round(observed, -3), "2016-06-10", source_ref="bank_flow")
        plan = world.plan(firm, "计划", "p2p", later(start, 60), "platform_data")
        world.facts_of(
            plan,
            "2016-05-20",
            promised_yield=round(promised, 3),
            maturity_days=float(rng.choice([30, 90, 180, 360])),
            project_return=round(promised * rng.uniform(0.5, 1.2), 3),
        )
        world.collect(plan, rng.randint(8, 16), ("2015-07-01", "2016-09-30"), 1000.0, 5, 300, "platform_data")
        for borrower in world.strangers(firm, "trader", 3):
            on = world.day("2015-07-01", "2016-08-31")
            world.money("raises_on", borrower, firm, on, 10_000.0, 10, 400, "platform_data")
        if good or number % 3 == 0:
            world.relate("custodies", world.pick("bank"), firm, later(start, 200), source_ref="bank_flow")
        account = world.entity("N", "account", f"平台专户{firm}", source_ref="bank_flow")
        world.relate("operates", firm, account, later(start, 30), source_ref="bank_flow")
        for saver in rng.sample(world.savers, 2):
            world.money("pays", saver, account, world.day("2015-07-01", "2016-06-30"), 1000.0, 10, 200)
        world.money("channels", world.pick("payment"), firm, later(start, 90), 1e5, 5, 90)
        _p2p_cases(world, firm, legal, number)


def _p2p_cases(world: World, firm: str, legal: str, number: int) -> None:
    """Orders with repayment plans, bans and criminal cases of some platforms."""
    if number in (9, 12, 15, 18):
        world.fact(firm, "illegal_fundraising_suspected", True, "2016-06-15", source_ref="site_visit")
        order = {"authority": "finance_office", "due": "2016-07-18", "topic": "repayment_plan"}
        world.case(firm, "order", "2016-07-04", severity=0.5, **order)
        # two of the four plans promise more in April 2017 than the platform will have
        ready = 2e6 if number > 14 else 8e6
        for day, owed, paid in (("2016-09-30", 3e6, 3e6), ("2017-04-28", 8e6, ready), ("2017-08-31", 4e6, 4e6)):
            world.fact(firm, "repayment_due", owed, day, known_from="2016-07-18", source_ref="repayment_plan")
            world.fact(firm, "repayment_available", paid, day, known_from="2016-07-18", source_ref="repayment_plan")
    if number in (10, 13, 16):
        world.case(firm, "banned", world.day("2016-08-01", "2016-10-31"), severity=1.0, authority="finance_office")
        world.set(firm, status="banned")
    if number in (11, 17):
        day = world.day("2015-10-01", "2016-09-30")
        world.case(firm, "illegal_fundraising", day, severity=1.0, authority="public_security")
        world.case(legal, "criminal_record", "2016-12-20", severity=0.8, authority="public_security")
    if number == 20:
        world.fact(firm, "rectified", True, "2016-11-15", source_ref="site_visit")


def _asset_managers(world: World) -> None:
    """Asset managers with a licence, and internet firms that cross into it without one."""
    rng = world.rng
    for number in range(18):
        start = world.day("2010-01-01", "2015-01-31")
        firm = world.company("资产管理", start, sector="asset_management", scope="资产管理;投资管理")
        world.settle(firm, apart=number < 8)
        if number < 8:
            world.licence(firm, "asset_management", later(start, 30), "2016-03-31" if number == 7 else None)
        plan = world.plan(firm, f"稳健{number + 1}号", "asset_management", later(start, 200))
        if number < 10:
            world.relate("custodies", world.pick("bank"), plan, later(start, 200), source_ref="product_register")
        world.facts_of(
            plan,
            "2016-05-20",
            promised_yield=0.05 + 0.01 * rng.randint(0, 8),
            public_offering=number >= 12,
            risk_level=rng.choice(["low", "medium", "high"]),
        )
        if number in _CONDUCT:
            world.facts_of(firm, "2016-06-20", "site_visit", **_CONDUCT[number])
        seller = world.pick("trader") if number >= 14 else world.pick("securities")
        world.relate("distributes", seller, plan, later(start, 230), source_ref="website")
        total = world.collect(plan, rng.randint(5, 12), ("2015-03-01", "2016-08-31"), 10_000.0, 2, 120)
        if number % 2:
            world.relate("invests", plan, world.pick("trader"), "2016-09-10", amount=total, source_ref="bank_flow")
        if number >= 12:
            give_site(world, firm, "线上理财 资产管理 高收益")
        if number in (13, 16):
            day = world.day("2016-07-01", "2016-11-30")
            world.case(firm, "unlicensed_finance", day, severity=0.8, authority="securities_regulator")
        if number == 15:
            world.case(firm, "sanctioned", "2016-10-12", severity=0.6, authority="securities_regulator")


def _crowdfunding(world: World) -> None:
    """Equity crowdfunding platforms and those who raise money on them."""
    rng = world.rng
    for number in range(8):
        start = world.day("2013-06-01", "2015-08-31")
        firm = world.company("股权众筹", start, sector="equity_crowdfunding", scope="股权众筹信息服务")
        world.settle(firm)
        give_site(world, firm, "股权众筹 项目 融资", unfiled=number == 4)
        for issuer in world.strangers(firm, "trader", 2):
            day = world.day("2015-09-01", "2016-06-30")
            world.money("raises_on", issuer, firm, day, 1e5, 2, 40, "platform_data")
        project = world.plan(firm, "众筹项目", "equity_crowdfunding", later(start, 60), "platform_data")
        world.collect(project, 5, (later(start, 90), later(start, 200)), 10_000.0, 1, 40, "platform_data")
        world.facts_of(
            firm,
            "2016-05-20",
            public_offering=number >= 5,
            specified_investors=number < 5,
            fraud_suspected="unknown" if number == 6 else False,
        )
        if number >= 5:
            world.fact(firm, "solicitation_channel", rng.choice(["微信群", "推介会", "手机APP"]), "2016-05-20")
        if number < 3:
            world.relate("cooperates", firm, world.pick("securities"), later(start, 120), source_ref="agreement")


def _wealth(world: World) -> None:
    """Wealth-management firms, some much complained about."""
    rng = world.rng
    trades = ("投资管理", "投资咨询", "资产管理", "资本管理", "金融服务", "农民资金互助")
    for number in range(26):
        start = world.day("2011-01-01", "2015-12-31")
        trade = trades[number % len(trades)]
        firm = world.company(
            trade,
            start,
            sector="wealth_management",
            scope=rng.choice(["项目投资;投资咨询", "投资顾问", "非融资性担保;资本管理", "股权投资"]),
        )
        end = None
        if number in (20, 23):
            revoked = max(world.day("2015-08-01", "2016-08-31"), later(start, 30))
            end = later(revoked, 40)
            world.case(firm, "revoked", revoked, severity=0.9, authority="market_supervision")
            world.set(firm, end=end, status="revoked")
        world.settle(firm, end=end, apart=end is not None)
        for tip in range(rng.choice([0, 0, 1, 2, 5])):
            world.case(
                firm,
                rng.choice(["tipoff", "complaint"]),
                world.day("2016-03-01", "2016-09-30"),
                severity=0.2,
                authority=f"reporter-{rng.randint(10, 30) + tip}",
                topic=rng.choice(["wealth_management", "high_yield", "cannot_withdraw"]),
            )
        if number % 2 == 1:
            plan = world.plan(firm, "月月盈", "wealth_management", later(start, 90), "site_visit")
            world.facts_of(
                plan,
                "2016-06-01",
                promised_yield=round(0.12 + 0.02 * rng.randint(0, 6), 2),
                actual_yield=0.05,
                retail_investors=True,
            )
            world.collect(plan, 8, ("2016-01-05", "2016-05-30"), 10_000.0, 1, 30, "site_visit")
        if number in (7, 11, 19):
            world.facts_of(firm, "2016-06-20", "site_visit", violation=True, evasion=number == 11, risk_level="high")
        if number == 14:
            world.case(firm, "illegal_fundraising", "2016-03-02", severity=1.0, authority="public_security")
        if number in (3, 21):
            day = world.day("2015-07-01", "2016-07-31")
            world.case(firm, "abnormal", day, severity=0.3, authority="market_supervision")
