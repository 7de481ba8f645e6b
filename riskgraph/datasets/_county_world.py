"""The invented county while it is written: rows of the five tables, the schemes planted in them, and what is named."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from riskgraph.datasets._uscc import unissued_code

__all__ = ["COUNTY", "ELSEWHERE", "FAR_COUNTY", "NEIGHBOUR", "World", "later"]

#: invented regions; GB/T 2260 assigns none of their codes
COUNTY, NEIGHBOUR, FAR_COUNTY = "329921", "329922", "329821"
ELSEWHERE = ("339921", "319921", "449921")
PLACES = {
    "329921": "澄湖",
    "329922": "泊川",
    "329821": "苇津",
    "339921": "云麓",
    "319921": "栖浦",
    "449921": "琼塘",
}
#: the last day on which anything of the county begins
LAST = "2017-03-31"

_BRAND_1 = "汀泓沅淞涟漪澜湄渚浔溆漱珩瑜琮瑾珏玦璧瑄旻昉晔煦曦朗岑嵩峤崧"
_BRAND_2 = "麓川屿坪岚桐榆楸槿栎梓柘荻芷蘅苇菱藜蓼桉鸢鹭鸥鹮雁骊骐麟翎翙"
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙朱胡林郭何高罗郑梁谢宋唐许韩冯邓曹彭"
_GIVEN_1 = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲红建春玉秀"
_GIVEN_2 = "生国英梅峰荣华萍飞鹏琴云莲真环雪琳成康星光天达安岩"
#: names that several people bear
_NAMESAKES = {"刘伟": 6, "王芳": 5, "张敏": 4, "李军": 4, "陈静": 3, "杨勇": 3}

_ISSUERS = {
    "bank": "banking_regulator",
    "trust": "banking_regulator",
    "consumer_finance": "banking_regulator",
    "securities": "securities_regulator",
    "fund": "securities_regulator",
    "futures": "securities_regulator",
    "asset_management": "securities_regulator",
    "insurance": "insurance_regulator",
    "payment": "pboc",
    "guarantee": "economy_informatization",
    "pawn": "commerce",
    "leasing": "commerce",
    "microloan": "finance_office",
    "exchange": "finance_office",
    "p2p": "finance_office",
    "equity_crowdfunding": "securities_regulator",
}


def later(day: str, days: int) -> str:
    """Return the ISO date ``days`` after ``day``."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


@dataclass
class World:
    """Rows under construction. Only Python's own generator is used, so the rows do not depend on library versions."""

    rng: random.Random
    entities: list[dict[str, Any]] = field(default_factory=list)
    relations: list[dict[str, Any]] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)
    licences: list[dict[str, Any]] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)
    labels: list[dict[str, str]] = field(default_factory=list)
    schemes: list[dict[str, str]] = field(default_factory=list)
    #: people who own and run ordinary firms, and people who only save
    locals: list[str] = field(default_factory=list)
    savers: list[str] = field(default_factory=list)
    #: firms by what they are for: "bank", "p2p", "merchant", …
    firms: dict[str, list[str]] = field(default_factory=dict)
    #: who holds or serves each firm
    people: dict[str, set[str]] = field(default_factory=dict)
    #: rows of a later batch are numbered after all of the batches before
    batch: int = 0
    _row: dict[str, dict[str, Any]] = field(default_factory=dict)
    _numbers: dict[str, list[int]] = field(default_factory=dict)
    _brands: list[str] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._brands = [a + b for a in _BRAND_1 for b in _BRAND_2]
        self.rng.shuffle(self._brands)
        plain = [s + a for s in _SURNAMES for a in _GIVEN_1 if s + a not in _NAMESAKES]
        double = [s + a + b for s in _SURNAMES for a in _GIVEN_1 for b in _GIVEN_2]
        shared = [name for name, bearers in _NAMESAKES.items() for _ in range(bearers)]
        rest = self.rng.sample(plain, 250) + self.rng.sample(double, 900)
        self.rng.shuffle(rest)
        # namesakes are spread over the first people named, who own and run firms
        head = shared + rest[:200]
        self.rng.shuffle(head)
        self._names = (head + rest[200:])[::-1]

    def name_more(self, brands: tuple[str, str], count: int) -> None:
        """Lay out further brands and ``count`` further names of persons, all of them new."""
        self._brands = [a + b for a in brands[0] for b in brands[1]]
        self.rng.shuffle(self._brands)
        borne = {row["name"] for row in self.entities}
        fresh = [s + a + b for s in _SURNAMES for a in _GIVEN_1 for b in _GIVEN_2]
        self._names = self.rng.sample([name for name in fresh if name not in borne], count)

    # -- entities ----------------------------------------------------------------------------------------------------

    def entity(self, letter: str, kind: str, name: str | None, **columns: Any) -> str:
        """Add an entity and return its id."""
        if letter not in self._numbers:
            # drawn numbers: an id must not tell in which order the county was written
            self._numbers[letter] = self.rng.sample(range(1000, 10_000), 9000)
        number = self._numbers[letter].pop()
        row = {"id": f"{letter}{number}", "kind": kind, "name": name, **columns}
        self.entities.append(row)
        self._row[row["id"]] = row
        return str(row["id"])

    def person(self, name: str | None = None) -> str:
        """Add a person with the next free name."""
        return self.entity(
            "P", "person", name or self._names.pop(), birth_year=self.rng.randint(1950, 1994), source_ref="registry"
        )

    def company(
        self,
        trade: str,
        start: str,
        *,
        sector: str = "other",
        region: str = COUNTY,
        operates: str | None = None,
        scope: str = "日用百货销售",
        capital: float | None = None,
        form: str = "有限公司",
        group: str = "",
        status: str = "active",
    ) -> str:
        """Add a company called place, brand, trade and legal form; the place is an invented one."""
        brand = self._brands.pop()
        firm = self.entity(
            "C",
            "company",
            f"{PLACES[region]}{brand}{trade}{form}",
            sector=sector,
            status=status,
            registered_in=region,
            operates_in=operates or region,
            scope=scope,
            capital=capital or 10_000.0 * self.rng.choice([50, 100, 200, 300, 500, 1000, 2000, 5000]),
            start=start,
            source_ref="registry",
        )
        self.set(firm, uscc=unissued_code(region, int(firm[1:]), category="3" if form == "专业合作社" else "1"))
        self.firms.setdefault(group or sector, []).append(firm)
        return firm

    def product(self, name: str, sector: str, start: str) -> str:
        """Add a product."""
        return self.entity("F", "product", name, sector=sector, start=start, source_ref="product_register")

    def plan(self, maker: str, title: str, sector: str, start: str, ref: str = "product_register") -> str:
        """Add a product named after the firm that manages it."""
        plan = self.product(f"{self.of(maker, 'name')[2:4]}{title}", sector, start)
        self.relate("manages", maker, plan, start, source_ref=ref)
        return plan

    def address(self, text: str | None = None, region: str = COUNTY) -> str:
        """Add an address."""
        number = sum(row["kind"] == "address" for row in self.entities) + 1
        street = self.rng.choice(["芦荻路", "渡口街", "石桥巷", "东塘路", "采菱街"])
        return self.entity("A", "address", text or f"{PLACES[region]}{street}{number}号", registered_in=region)

    def set(self, entity: str, **columns: Any) -> None:
        """Change columns of an entity that was added before."""
        self._row[entity].update(columns)

    def of(self, entity: str, column: str) -> Any:
        """Value of a column of an entity."""
        return self._row[entity].get(column)

    # -- other tables ------------------------------------------------------------------------------------------------

    def relate(
        self, kind: str, source: str, target: str, start: str | None = None, end: str | None = None, **columns: Any
    ) -> None:
        """Add a relation, at the earliest when both its ends exist; one in seven became known weeks after it began."""
        if start:
            start = max(start, *(str(self.of(entity, "start") or "") for entity in (source, target)))
        if start and "known_from" not in columns and self.rng.random() < 0.14:
            columns["known_from"] = min(later(start, self.rng.randint(21, 90)), LAST)
            if columns["known_from"] < start:
                columns["known_from"] = start
        row: dict[str, Any] = {"source": source, "target": target, "kind": kind, "start": start, "end": end}
        row |= {"source_ref": "registry", "batch": self.batch, **columns}
        self.relations.append(row)
        if kind in ("owns", "officer"):
            self.people.setdefault(target, set()).add(source)

    def money(
        self, kind: str, source: str, target: str, start: str, unit: float, low: int, high: int, ref: str = "bank_flow"
    ) -> float:
        """Add a relation with an amount of ``low`` to ``high`` units; returns the amount."""
        amount = unit * self.rng.randint(low, high)
        self.relate(kind, source, target, start, amount=amount, source_ref=ref)
        return amount

    def collect(
        self, plan: str, count: int, days: tuple[str, str], unit: float, low: int, high: int, ref: str = "bank_flow"
    ) -> float:
        """Let ``count`` savers invest in a product between two days; returns what they paid."""
        savers = self.rng.sample(self.savers, count)
        return sum(self.money("invests", saver, plan, self.day(*days), unit, low, high, ref) for saver in savers)

    def owns(self, company: str, shares: Mapping[str, float | tuple[float, float] | None], start: str) -> None:
        """Declare the holders of a company: a share, a band, or None for one that was not filed."""
        for holder, share in shares.items():
            columns: dict[str, Any] = {}
            if isinstance(share, tuple):
                columns = {"share_min": share[0], "share_max": share[1]}
            elif share is not None:
                columns = {"share": share}
            self.relate("owns", holder, company, start, **columns)

    def officer(self, person: str, company: str, role: str, start: str, end: str | None = None) -> None:
        """Add a post."""
        self.relate("officer", person, company, start, end, role=role)

    def case(self, entity: str, kind: str, start: str, **columns: Any) -> None:
        """Add a case; one in three became known some days after it began."""
        if self.rng.random() < 0.33:
            columns["known_from"] = later(start, self.rng.randint(3, 30))
        self.cases.append({"entity": entity, "type": kind, "start": start, **columns})

    def licence(self, entity: str, sector: str, start: str, end: str | None = None) -> None:
        """Add a licence of a sector, issued by the authority of that sector."""
        number = f"{sector[:3].upper()}-{entity[1:]}-{start[:4]}"
        self.licences.append(
            {
                "entity": entity,
                "sector": sector,
                "issuer": _ISSUERS[sector],
                "number": number,
                "start": start,
                "end": end,
                "source_ref": "licence_register",
            }
        )

    def fact(self, entity: str, name: str, value: Any, start: str | None = None, **columns: Any) -> None:
        """Add a fact; truth values are written as true and false."""
        text = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
        row = {"entity": entity, "fact": name, "value": text, "start": start, "source_ref": "inspection"}
        self.facts.append({**row, "batch": self.batch, **columns})

    def facts_of(self, entity: str, start: str | None = None, ref: str = "inspection", **values: Any) -> None:
        """Add several facts of one entity."""
        for name, value in values.items():
            self.fact(entity, name, value, start, source_ref=ref)

    def plant(self, typology: str, labelled: Iterable[str], members: Mapping[str, str]) -> None:
        """Note a planted scheme: the entities that bear its label, and the part each member plays."""
        number = 1 + sum(1 for name in {row["scheme"] for row in self.schemes} if name.startswith(f"{typology}-"))
        labelled = list(labelled)
        self.labels += [{"entity": entity, "typology": typology} for entity in labelled]
        for entity, part in members.items():
            self.schemes.append(
                {
                    "scheme": f"{typology}-{number}",
                    "typology": typology,
                    "entity": entity,
                    "part": part,
                    "labelled": "true" if entity in labelled else "false",
                }
            )

    # -- habits of ordinary firms ------------------------------------------------------------------------------------

    def day(self, first: str, last: str) -> str:
        """Draw a day between two days."""
        a, b = date.fromisoformat(first), date.fromisoformat(last)
        return later(first, self.rng.randint(0, (b - a).days))

    def pick(self, group: str) -> str:
        """Draw a firm of a group."""
        return self.rng.choice(self.firms[group])

    def strangers(self, firm: str, group: str, count: int) -> list[str]:
        """Draw firms of a group that share no holder and no officer with a firm."""
        found: list[str] = []
        near = set(self.people.get(firm, ()))
        for other in self.rng.sample(self.firms[group], len(self.firms[group])):
            if len(found) < count and not near & self.people.get(other, set()):
                found.append(other)
        return found

    def local(self, *others: str) -> str:
        """Draw a local person other than those named."""
        while (person := self.rng.choice(self.locals)) in others:
            pass
        return person

    def staff(
        self, company: str, legal: str, *, others: Iterable[tuple[str, str]] = (), end: str | None = None
    ) -> None:
        """Seat the legal representative since the firm began, and others in the roles given."""
        start = str(self.of(company, "start"))
        self.officer(legal, company, "legal_representative", start, end)
        for person, role in others:
            self.officer(person, company, role, start, end)

    def settle(self, company: str, *, end: str | None = None, apart: bool = False) -> str:
        """Give an ordinary firm holders and officers; returns its legal representative.

        They are locals, who hold and serve several firms; ``apart`` gives it people of its own.
        """
        start = str(self.of(company, "start"))
        first = self.person() if apart else self.local()
        second = self.local(first)
        third = self.local(first, second)
        dice = self.rng.random()
        cut = self.rng.choice([0.51, 0.6, 0.7, 0.8, 0.9])
        shares: dict[str, float | tuple[float, float] | None]
        if dice < 0.38 or apart:
            shares = {first: 1.0} if dice < 0.5 else {first: cut, second: round(1 - cut, 2)}
        elif dice < 0.68:
            shares = {first: cut, second: round(1 - cut, 2)}
        elif dice < 0.84:
            shares = {first: 0.5, second: 0.3, third: 0.2}
        elif dice < 0.90:
            shares = {first: (0.25, 0.5), second: (0.25, 0.5)}
        elif dice < 0.94:
            shares = {first: cut, second: None}
        else:
            shares = {first: 0.35, second: 0.35, third: 0.3}
        self.owns(company, shares, start)
        if apart:
            self.staff(company, first, end=end)
            return first
        aide = second if self.rng.random() < 0.6 else self.local(first)
        self.staff(company, first, others=[(aide, self.rng.choice(["supervisor", "director", "manager"]))], end=end)
        return first
