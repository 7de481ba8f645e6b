"""The frames an investigator has, turned into the five tables.

Companies come with ids; shareholders, officers and affiliates often name people and firms only. The exact name of a
company is its identity; the name of a person is one only within one firm, until somebody matches people on evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidTable

__all__ = ["kind_of_name", "normal_name", "registry_tables"]

_NEEDED = {
    "companies": ("id",),
    "shareholders": ("holder", "company"),
    "officers": ("person", "company"),
    "affiliates": ("source", "target", "kind"),
    "banned": ("entity",),
}

# a name that holds one of these is a fund, plan, account or portfolio: money somebody manages
_PRODUCT = re.compile(
    r"资产管理计划|资管计划|信托计划|资金信托|资金计划|理财产品|资产管理产品|资管产品|股票型产品|证券投资基金|"
    r"私募.*基金(?!管理)|投资基金[一二三四五六七八九十\d]*[号期]|股权投资基金$|合作基金$|母基金$|定增$|员工持股计划|"
    r"组合$|保险产品|分红|万能险|专户|账户$|专用证券账户|号集合|[一二三四五六七八九十\d]+[号期]$|ETF|LOF|指数基金|混合型|"
    r"养老金|年金计划|社保基金|กองทุน|\bfund\b|trust plan",
    re.IGNORECASE,
)
# manager-custodian-plan: two hyphens after a house that manages other people's money
_MANAGED = re.compile(r"^[^-]*(?:基金|资管|资本|证券|信托)(?:公司)?-[^-]+-.+")
_COMPANY = re.compile(
    r"公司|企业|集团|合伙|银行|合作社|联社$|事务所|中心|工厂|厂$|商店|商行|宾馆$|酒店$|研究院|研究所|测绘院|地质大队|大学|学院|"
    r"医院|电视台|影视城$|协会|基金会|工会|委员会|办公室|信用社|交易所|俱乐部|农场|部$|株式会社|บริษัท|ธนาคาร|"
    r"\b(co|corp|corporation|inc|incorporated|ltd|limited|llc|llp|lp|plc|gmbh|ag|holdings?|group|bank\w*|banking|company|"
    r"partners|capital|pte|bhd|berhad|trust|association|foundation|university|nominees?|international|branch|securities|"
    r"investments?)\b\.?|\b(s\.?a\.?s?|b\.?v|n\.?v|s\.?e|l\.?l\.?c|l\.?p)\b\.?$|(limited|bank)$",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"国有资产监督管理|国资委|财政[部厅局]|人民政府$|管理委员会$|国务院|局$|理事会|กระทรวง|"
    r"\b(office|authority|ministry|department|government)\b",
    re.IGNORECASE,
)
_HAN_PERSON = re.compile(
    r"^[\u3400-\u9fff\U00020000-\U0002fa1f·•\.]{2,6}$|^[\u3400-\u9fff]{1,8}[·•][\u3400-\u9fff·•]{1,12}$"
    r"|^[\u3400-\u9fff]\([a-z]{1,8}\)[\u3400-\u9fff]$"
)
_OTHER_PERSON = re.compile(r"^[^\W\d_]+([ .,'’-]+[^\W\d_]+){1,5}\.?$|^(นาย|นาง|นางสาว|น\.ส\.)")


def normal_name(names: pd.Series) -> pd.Series:
    """Names with full-width forms folded, spaces inside Chinese text and around brackets taken out.

    Examples
    --------
    >>> import pandas as pd
    >>> normal_name(pd.Series(["甲（上海） 有限公司", "Acme  Ltd "])).tolist()
    ['甲(上海)有限公司', 'Acme Ltd']
    """
    codes, distinct = pd.factorize(names.astype(object))
    clean = np.array([_normal(value) for value in distinct] + [None], dtype=object)
    return pd.Series(clean[codes], index=names.index, dtype=object)


def _normal(value: object) -> str | None:
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", str(value))).strip()
    text = re.sub(r"(?<=[\u3000-\u9fff()]) | (?=[\u3000-\u9fff()])", "", text)
    return text or None


def kind_of_name(names: pd.Series) -> pd.Series:
    """Entity kind that a bare name suggests: company, person, product, state, or unknown where nothing tells.

    Examples
    --------
    >>> import pandas as pd
    >>> kind_of_name(pd.Series(["刘伟", "甲投资有限公司", "某某信托-稳健1号资产管理计划", "Ann Lee", "X-17"])).tolist()
    ['person', 'company', 'product', 'person', 'unknown']
    """
    codes, distinct = pd.factorize(names.astype(object))
    kinds = np.array([_kind(str(value)) for value in distinct] + ["unknown"], dtype=object)
    return pd.Series(kinds[codes], index=names.index, dtype=object)


def _kind(name: str) -> str:
    text = _normal(name) or ""
    if _PRODUCT.search(text) or _MANAGED.match(text):
        return "product"
    if _STATE.search(text) and not re.search(r"公司|基金会|\b(ltd|limited|bank)\b", text, re.IGNORECASE):
        return "state"
    if _COMPANY.search(text):
        return "company"
    if _HAN_PERSON.match(text) or _OTHER_PERSON.match(text):
        return "person"
    return "unknown"


def registry_tables(
    companies: pd.DataFrame,
    shareholders: pd.DataFrame | None = None,
    officers: pd.DataFrame | None = None,
    affiliates: pd.DataFrame | None = None,
    banned: pd.DataFrame | None = None,
    *,
    columns: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]:
    """Entities, relations and cases of registry frames; see :meth:`EntityGraph.from_registry`.

    Raises
    ------
    InvalidTable
        A frame lacks a column it needs.
    """
    given = {
        "companies": companies,
        "shareholders": shareholders,
        "officers": officers,
        "affiliates": affiliates,
        "banned": banned,
    }
    frames = {name: _renamed(name, frame, columns) for name, frame in given.items() if frame is not None}
    book = Book(frames["companies"])
    parts = []
    if "shareholders" in frames:
        parts.append(book.holdings(frames["shareholders"]))
    if "officers" in frames:
        parts.append(book.posts(frames["officers"]))
    if "affiliates" in frames:
        parts.append(book.links(frames["affiliates"]))
    columns_ = ["source", "target", "kind"]
    relations = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns_, dtype=object)
    cases = book.bans(frames["banned"]) if "banned" in frames else None
    return book.entities(), relations, cases


def _renamed(name: str, frame: pd.DataFrame, columns: Mapping[str, str] | None) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        raise InvalidTable(f"'{name}' must be a pandas DataFrame; got {type(frame).__name__}")
    frame = frame.rename(columns=dict(columns or {}))
    missing = [column for column in _NEEDED[name] if column not in frame]
    if missing:
        raise InvalidTable(
            f"{name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}; it came with "
            f"{', '.join(map(str, frame.columns)) or 'none'}: map other spellings with columns={{…}}"
        )
    return frame


class Book:
    """Ids given out so far: companies by id and exact name, people by name within one firm."""

    def __init__(self, companies: pd.DataFrame) -> None:
        frame = companies.copy()
        frame["id"] = [value if isinstance(value, str) or pd.isna(value) else str(value) for value in frame["id"]]
        if "kind" not in frame:
            frame.insert(1, "kind", "company")
        self.frame = frame
        self.ids = pd.Index(frame["id"].dropna().unique(), dtype=object)
        names = frame["name"] if "name" in frame else pd.Series(None, index=frame.index, dtype=object)
        table = pd.DataFrame({"id": frame["id"], "name": normal_name(names)}).dropna()
        # the same name on two ids names neither of them for certain: such holders stay entities of their own
        table = table[~table["name"].duplicated(keep=False)]
        self.by_name = pd.Series(table["id"].to_numpy(), index=pd.Index(table["name"], dtype=object), dtype=object)
        self.made: dict[str, tuple[str, str]] = {}

    def resolve(
        self, values: pd.Series, *, within: pd.Series | None = None, kind: pd.Series | None = None
    ) -> pd.Series:
        """Ids of names: a company's id or exact name, else a person of the firm ``within``, else a new entity."""
        text = values.map(lambda value: value if isinstance(value, str) or pd.isna(value) else str(value))
        names = normal_name(text)
        found = text.where(text.isin(self.ids), names.map(self.by_name))
        kinds = kind_of_name(names)
        if kind is not None:
            kinds = kind.astype(object).where(kind.notna(), kinds)
        person = (kinds == "person") & found.isna() & names.notna()
        new = found.isna() & names.notna()
        ids = names.copy()
        if within is not None:
            ids = ids.where(~person, "person:" + names.fillna("") + "@" + within.astype(object).fillna("").astype(str))
        else:
            ids = ids.where(~person, "person:" + names.fillna(""))
        ids = ids.where(~(new & ~person), kinds + ":" + names.fillna(""))
        result = found.where(found.notna(), ids)
        fresh = pd.DataFrame({"id": result[new], "name": text[new].astype(object), "kind": kinds[new]})
        for id, name, what in fresh.drop_duplicates("id").itertuples(index=False):
            self.made.setdefault(id, (str(name).strip(), what))
        return result

    def holdings(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows *holder owns company*."""
        company = self.resolve(frame["company"])
        kind = frame.get("holder_kind")
        source = self.resolve(frame["holder"], within=company, kind=kind)
        return self._relations(frame, source, company, "owns", ("holder", "company", "holder_kind"))

    def posts(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows *person is officer of company*."""
        company = self.resolve(frame["company"])
        person = self.resolve(frame["person"], within=company, kind=pd.Series("person", index=frame.index))
        return self._relations(frame, person, company, "officer", ("person", "company"))

    def links(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows of any kind between ids or exact names."""
        return self._relations(
            frame,
            self.resolve(frame["source"]),
            self.resolve(frame["target"]),
            frame["kind"],
            ("source", "target", "kind"),
        )

    def bans(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Cases; the type is ``banned`` where none is given."""
        cases = frame.copy()
        cases["entity"] = self.resolve(frame["entity"])
        kinds = frame["type"] if "type" in frame else pd.Series(None, index=frame.index, dtype=object)
        cases["type"] = kinds.astype(object).where(kinds.notna(), "banned")
        return cases

    def entities(self) -> pd.DataFrame:
        """The companies as given, then everyone else in the order they appeared."""
        new = pd.DataFrame(
            [(id, kind, name) for id, (name, kind) in self.made.items()], columns=["id", "kind", "name"], dtype=object
        )
        return pd.concat([self.frame, new], ignore_index=True) if len(new) else self.frame

    @staticmethod
    def _relations(
        frame: pd.DataFrame, source: pd.Series, target: pd.Series, kind: object, used: tuple[str, ...]
    ) -> pd.DataFrame:
        rest = frame.drop(columns=[column for column in used if column in frame])
        ends = pd.DataFrame({"source": source, "target": target}, index=frame.index)
        ends["kind"] = kind
        return pd.concat([ends, rest], axis=1)
