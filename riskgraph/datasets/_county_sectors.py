"""The other sectors of the county: venues, insurance, payment, builders, cooperatives, and the media they use."""

from __future__ import annotations

from riskgraph.datasets._county_credit import give_site
from riskgraph.datasets._county_world import COUNTY, NEIGHBOUR, World, later

__all__ = ["settle_sectors"]


def settle_sectors(world: World) -> None:
    """Settle trading venues, insurance sellers, payment firms, builders, cooperatives and media."""
    _venues(world)
    _insurance_sellers(world)
    _payment(world)
    _real_estate(world)
    _cooperatives(world)
    _media(world)


def _venues(world: World) -> None:
    """Trading venues with and without approval, their branches, members, and changes with and without approval."""
    for number in range(6):
        start = world.day("2009-01-01", "2011-06-30") if number < 3 else world.day("2012-06-01", "2014-12-31")
        venue = world.company(
            "商品交易中心" if number % 2 else "贵金属交易市场",
            start,
            sector="exchange",
            scope="大宗商品交易服务",
            capital=5e7,
        )
        world.settle(venue, apart=True)
        world.plan(venue, "现货合约", "exchange", later(start, 120), "website")
        if number < 4:
            world.licence(venue, "exchange", start)
        give_site(world, venue, "现货交易 贵金属 开户")
        world.facts_of(venue, start, "registry", capital=50_000_000.0, address="澄湖县东塘路1号")
        if number in (1, 2):
            world.fact(venue, "capital", 80_000_000.0, "2015-09-01", source_ref="registry")
            world.fact(venue, "address", "澄湖县渡口街8号", "2015-11-01", source_ref="registry")
            if number == 1:
                world.fact(venue, "approval:capital", True, "2015-08-20", source_ref="finance_office")
        if number == 3:
            # a new name and a new head: only the head was approved
            old, heads = str(world.of(venue, "name")), ("周岚", "吴棠")
            for name, day, head in ((old, start, heads[0]), (old.replace("中心", "市场"), "2015-06-01", heads[1])):
                world.facts_of(venue, day, "registry", name=name, legal_representative=head)
            world.fact(venue, "approval:legal_representative", True, "2015-05-20", source_ref="finance_office")
        for _ in range(2):
            unit = world.company("商品经营", later(start, 400), sector="exchange", scope="会员代理交易", group="member")
            world.settle(unit)
            world.relate("member_of", unit, venue, later(start, 430), "2016-02-01" if number == 0 else None)
            if number == 5:
                world.case(unit, "complaint", "2016-05-05", severity=0.3, authority="reporter-7", topic="exchange")
        branch = world.company(
            "商品交易中心", later(start, 500), sector="exchange", region=NEIGHBOUR, form="分公司", group="branch"
        )
        world.relate("branch_of", branch, venue, later(start, 500))
        world.money("channels", world.pick("bank"), venue, later(start, 100), 1e6, 1, 60)
        if number == 5:
            world.case(venue, "banned", "2016-09-05", severity=1.0, authority="finance_office", topic="exchange")
            world.set(venue, status="banned")


def _insurance_sellers(world: World) -> None:
    """Insurance intermediaries, sellers without a licence, and insurers that work with credit platforms."""
    plans = [row["id"] for row in world.entities if row["kind"] == "product" and row["sector"] == "insurance"]
    for number in range(7):
        start = world.day("2008-01-01", "2014-12-31")
        firm = world.company(
            "保险代理" if number < 4 else "互联网保险科技",
            start,
            sector="insurance",
            scope="保险代理业务" if number < 4 else "软件开发;保险信息服务",
        )
        world.settle(firm, apart=number < 4)
        if number < 4:
            world.licence(firm, "insurance", later(start, 60))
        since = max(later(start, 90), "2014-06-30")
        world.relate("distributes", firm, world.rng.choice(plans), since, source_ref="website")
    for insurer, platform in zip(world.firms["insurance"][:3], world.firms["p2p"][8:11], strict=True):
        world.relate("cooperates", insurer, platform, "2015-11-01", source_ref="agreement")
        world.relate("guarantees", insurer, platform, "2015-11-15", amount=5_000_000.0, source_ref="agreement")


def _payment(world: World) -> None:
    """Payment firms without a licence that settle for shops through banks."""
    for number in range(4):
        start = world.day("2012-01-01", "2014-12-31")
        firm = world.company(
            "支付科技",
            start,
            sector="payment",
            scope="支付技术开发",
            operates=f"{COUNTY};{NEIGHBOUR}" if number == 1 else None,
        )
        world.settle(firm)
        world.money("channels", world.pick("bank"), firm, later(start, 200), 1e5, 3, 700)
        for shop in world.rng.sample(world.firms["trader"], 3):
            world.money("channels", firm, shop, later(start, 230), 1e4, 3, 300)
        small = number % 2 == 0
        world.facts_of(
            firm,
            "2016-06-01",
            volume=8e5 if small else 9e7,
            merchants=3.0,
            harm="low" if small else "high",
            cooperative_attitude=small,
        )
        if not small:
            world.case(firm, "unlicensed_finance", "2016-08-22", severity=0.7, authority="pboc", topic="payment")


def _real_estate(world: World) -> None:
    """Builders, what they owe, what they raise on platforms, and what they lend each other."""
    rng = world.rng
    for number in range(20):
        start = world.day("2003-01-01", "2012-12-31")
        firm = world.company(
            "房地产开发" if number % 3 else "建筑工程",
            start,
            sector="real_estate",
            scope="房地产开发经营",
            capital=1e7 * rng.randint(1, 20),
        )
        world.settle(firm)
        assets = 1e6 * rng.randint(80, 900)
        world.facts_of(
            firm, "2016-06-30", "declared", assets=assets, liabilities=round(assets * rng.uniform(0.4, 1.1), -4)
        )
        world.facts_of(
            firm, "2016-06-30", "declared", equity=round(assets * 0.2, -4), external_assets=round(assets * 0.9, -4)
        )
        world.money("lends", world.pick("bank"), firm, world.day("2014-01-01", "2016-03-31"), 1e6, 5, 90)
        if number % 4 == 0:
            platform = world.strangers(firm, "p2p", 1)[0]
            day = world.day("2015-08-01", "2016-04-30")
            world.money("raises_on", firm, platform, day, 1e6, 1, 12, "platform_data")
        if number % 5 == 1:
            sister = world.firms["real_estate"][-2]
            world.money("lends", firm, sister, "2015-10-08", 1e6, 2, 20)
            covered = 1e6 * rng.randint(2, 20)
            world.relate("guarantees", firm, sister, "2015-10-09", "2016-10-09", amount=covered, source_ref="bank_flow")


def _cooperatives(world: World) -> None:
    """Farmers' cooperatives; a few run a mutual fund, one of them with approval."""
    rng = world.rng
    for number in range(22):
        start = world.day("2008-01-01", "2014-12-31")
        fund = number % 6 == 0
        firm = world.company(
            rng.choice(["稻米", "水蜜桃", "河蟹养殖", "蔬菜", "茶叶"]),
            start,
            sector="cooperative",
            scope="组织成员种植与销售" + (";资金互助" if fund else ""),
            form="专业合作社",
        )
        people = [world.local()]
        while len(people) < 5:
            people.append(world.local(*people))
        world.owns(firm, dict.fromkeys(people, 0.2), start)
        world.staff(firm, people[0], others=[(people[1], "supervisor")])
        if fund:
            world.fact(firm, "declared_business", "内部资金互助", "2016-05-25")
            if number == 6:
                world.fact(firm, "approval:mutual_fund", True, "2014-06-01", source_ref="rural_work_office")


def _media(world: World) -> None:
    """Media and what they publish: texts that promise, texts that warn, and who lends a face to them."""
    rng = world.rng
    texts = (
        "保本保息,年化收益18%,零风险",
        "投资理财,稳赚不赔,名额有限",
        "投资咨询,信用贷款,当天放款",
        "首付贷,轻松买房",
        "知名专家推荐,历史业绩第一",
        "网络借贷有风险,出借需谨慎",
        "本店新到家具,欢迎选购",
    )
    media = [
        world.company("广告传媒", world.day("2006-01-01", "2013-12-31"), sector="advertising", scope="广告发布")
        for _ in range(9)
    ]
    for firm in media:
        world.settle(firm)
        give_site(world, firm, "本地新闻 房产 财经")
        world.fact(firm, "ads_per_month", float(rng.randint(4, 90)), "2016-05-20")
    advertisers = [*world.firms["p2p"][:14], *world.firms["wealth_management"][:12], *world.firms["trader"][:6]]
    for firm in advertisers:
        since = world.day("2015-10-01", "2016-08-31")
        harmless = firm in world.firms["trader"]
        ad = world.entity("G", "advertisement", f"广告{firm}", start=since, source_ref="ad_monitor")
        world.fact(ad, "ad_text", texts[6] if harmless else rng.choice(texts[:6]), since, source_ref="ad_monitor")
        until = later(since, 365) if rng.random() < 0.3 else None
        world.relate("publishes", rng.choice(media), ad, since, until, source_ref="ad_monitor")
        world.relate("promotes", ad, firm, since, source_ref="ad_monitor")
        if not harmless and rng.random() < 0.4:
            face = rng.choice([world.local(), world.pick("insurance")])
            world.relate("endorses", face, ad, since, source_ref="ad_monitor")
