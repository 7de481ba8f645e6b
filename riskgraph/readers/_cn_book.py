"""Sheets of a registry gathered under one set of ids: companies by exact name, people by name within one firm."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._cells import as_text
from riskgraph._registry import Book, kind_of_name, normal_name
from riskgraph.readers._intake import Intake

__all__ = ["Gathered", "holder_kinds"]

#: accounts that a firm keeps for itself or for clients: holders of their own
_ACCOUNT = re.compile(
    r"自有资金|自营|信用交易担保|担保证券账户|专用证券账户|专用账户|证券账户$|约定购回|回购专户|转融通"
)
_FORMER = re.compile(r"^(原|前|曾任|历史)")


def holder_kinds(names: pd.Series, stated: pd.Series | None = None) -> pd.Series:
    """Entity kinds of holders: as stated by the export, else as the name suggests.

    Examples
    --------
    >>> import pandas as pd
    >>> holder_kinds(pd.Series(["某保险股份有限公司-自有资金", "王某某"]), pd.Series([None, "自然人股东"])).tolist()
    ['account', 'person']
    """
    from riskgraph.readers._vocabulary import WORDS, translate

    found = kind_of_name(names)
    accounts = (
        names.astype(object)
        .map(lambda name: isinstance(name, str) and bool(_ACCOUNT.search(name)))
        .to_numpy(dtype=bool)
    )
    found = found.where(~accounts, "account")
    if stated is not None:
        words = translate(stated, "entity kind")
        known = words.isin(set(WORDS["entity kind"].values())) & (words != "unknown")
        # a register calls every holder that is no natural person a firm; the name still tells a fund from a firm
        plain = known & ~((words == "company") & found.isin(["product", "account", "state"]))
        found = found.where(~plain, words)
    return found


class Gathered:
    """Companies, holdings, posts, links and cases of all sheets, before ids are given out."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.companies: list[pd.DataFrame] = []
        self.holdings: list[pd.DataFrame] = []
        self.posts: list[pd.DataFrame] = []
        self.links: list[pd.DataFrame] = []
        self.cases: list[pd.DataFrame] = []
        #: entities whose ids are settled: platforms
        self.settled: list[pd.DataFrame] = []
        #: firms that sheets refer to and no sheet of companies holds
        self.firms_made: list[str] = []

    def frames(self) -> dict[str, pd.DataFrame]:
        """Entities, relations and cases, rows labelled by file and line."""
        companies = self._companies()
        book = Book(companies)
        aliases = self._aliases(companies)
        parts = []
        if self.holdings:
            frame = self._once(_stack(self.holdings), ("holder", "company"), "relations")
            frame = self._refer(frame, ("holder", "company"), aliases, book.ids)
            company = self._firms(book, frame["company"])
            kinds = holder_kinds(frame["holder"], frame.get("holder_kind"))
            holder = book.resolve(frame["holder"], within=company, kind=kinds)
            parts.append(_ends(frame, holder, company, "owns", ("holder", "company", "holder_kind")))
        if self.posts:
            frame = self._once(_stack(self.posts), ("person", "company"), "relations")
            frame = self._refer(frame, ("company",), aliases, book.ids)
            company = self._firms(book, frame["company"])
            kinds = pd.Series("person", index=frame.index)
            person = book.resolve(frame["person"], within=company, kind=kinds)
            parts.append(_ends(frame, person, company, "officer", ("person", "company")))
        if self.links:
            frame = _stack(self.links)
            parts.append(self._linked(book, self._refer(frame, ("source", "target"), aliases, book.ids)))
        relations = _stack(parts) if parts else pd.DataFrame(columns=["source", "target", "kind"], dtype=object)
        relations = self._sides(relations)
        frames = {"relations": relations}
        if self.cases:
            cases = self._refer(_stack(self.cases), ("entity",), aliases, book.ids)
            settled = self._settled_ids()
            direct = cases["entity"].isin(settled)
            kinds = pd.Series("company", index=cases.index)
            cases["entity"] = cases["entity"].where(
                direct, book.resolve(cases["entity"].where(~direct, None), kind=kinds)
            )
            frames["cases"] = cases
        if self.firms_made:
            first, *_ = self.firms_made
            count = "1 firm has" if len(self.firms_made) == 1 else f"{len(self.firms_made)} firms have"
            text = f"{count} no row of their own, the first {first}; made from the other sheets"
            self.intake.note("entities", [first], "id", text)
        frames["entities"] = _stack([self._labelled(companies, book.entities()), *self.settled])
        return frames

    def _companies(self) -> pd.DataFrame:
        """Every company once by id; the id is given, else the credit code, else the exact name."""
        if not self.companies:
            return pd.DataFrame({"id": pd.Series(dtype=object), "name": pd.Series(dtype=object)})
        frame = _stack(self.companies)
        names = normal_name(frame["name"])
        ids = frame["id"].astype(object) if "id" in frame else pd.Series(None, index=frame.index, dtype=object)
        texts, _, _ = as_text(ids)
        ids = pd.Series(texts, index=frame.index, dtype=object)
        if "uscc" in frame:
            ids = ids.where(ids.notna(), frame["uscc"])
        frame["id"] = ids.where(ids.notna(), "company:" + names.fillna("")).where(ids.notna() | names.notna(), None)
        if "kind" not in frame:
            frame["kind"] = None
        frame["kind"] = frame["kind"].astype(object).where(frame["kind"].notna(), "company")
        return frame

    def _firms(self, book: Book, values: pd.Series) -> pd.Series:
        """Ids of the firms a column names; whatever stands there is a firm."""
        before = len(book.made)
        found = book.resolve(values, kind=pd.Series("company", index=values.index))
        self.firms_made += list(book.made)[before:]
        return found

    @staticmethod
    def _labelled(companies: pd.DataFrame, entities: pd.DataFrame) -> pd.DataFrame:
        """The rows of the companies keep their labels; entities made from other sheets have their ids for labels."""
        made = entities.iloc[len(companies) :]
        labels = [*companies.index, *made["id"]]
        return entities.set_axis(pd.Index(labels, dtype=object), axis=0)

    @staticmethod
    def _aliases(companies: pd.DataFrame) -> pd.Series:
        """Credit codes, registration numbers and bare stock codes → id, where they name one company."""
        parts = []
        for column in ("uscc", "registration_number"):
            if column in companies:
                parts.append(pd.Series(companies["id"].to_numpy(), index=companies[column].to_numpy(dtype=object)))
        if len(companies):
            codes = (
                companies["id"]
                .astype(object)
                .map(lambda id: id[:6] if isinstance(id, str) and re.fullmatch(r"\d{6}\.[A-Z]{2}", id) else None)
            )
            parts.append(pd.Series(companies["id"].to_numpy(), index=codes.to_numpy(dtype=object)))
        if not parts:
            return pd.Series(dtype=object)
        table = pd.concat(parts)
        table = table[pd.notna(table.index)]
        table = table[~table.index.duplicated(keep=False)]
        return table[~table.index.isin(companies["id"])]

    @staticmethod
    def _refer(frame: pd.DataFrame, columns: tuple[str, ...], aliases: pd.Series, ids: pd.Index) -> pd.DataFrame:
        """Names and codes as ids where they are known; a code beside a name that is known goes before the name."""
        frame = frame.copy()
        for column in columns:
            texts, _, _ = as_text(frame[column])
            values = pd.Series(texts, index=frame.index, dtype=object)
            found = _known(values, aliases, ids)
            if f"{column}_code" in frame:
                codes = _known(frame.pop(f"{column}_code").astype(object), aliases, ids)
                found = codes.where(codes.notna(), found)
            frame[column] = found.where(found.notna(), values)
        return frame

    def _settled_ids(self) -> set[Any]:
        return {id for frame in self.settled for id in frame["id"]}

    def _linked(self, book: Book, frame: pd.DataFrame) -> pd.DataFrame:
        """Relations of any kind; ends that are platforms keep their ids, other ends are firms by name."""
        settled = self._settled_ids()
        ends = {}
        for end in ("source", "target"):
            direct = frame[end].isin(settled)
            kinds = frame.get(f"{end}_kind", pd.Series("company", index=frame.index)).astype(object)
            ends[end] = frame[end].where(direct, book.resolve(frame[end].where(~direct, None), kind=kinds))
        rest = frame.drop(
            columns=[column for column in ("source", "target", "source_kind", "target_kind") if column in frame]
        )
        return pd.concat([pd.DataFrame(ends), rest], axis=1)

    def _once(self, frame: pd.DataFrame, ends: tuple[str, str], table: str) -> pd.DataFrame:
        """Rows that repeat another in every column are counted once."""
        keys = [column for column in frame if column not in ("rank", "sheet", "level")]
        plain = frame[keys].astype(object).where(frame[keys].notna(), None)
        codes = np.column_stack([pd.factorize(plain[column], use_na_sentinel=False)[0] for column in keys])
        table_ = pd.DataFrame(codes)
        twice = table_.duplicated().to_numpy()
        if twice.any():
            first = table_.groupby(list(table_.columns), sort=False).ngroup().to_numpy()
            seen: dict[int, Any] = {}
            for group, label in zip(first, frame.index, strict=True):
                seen.setdefault(int(group), label)
            texts = [f"repeats {seen[int(group)]}; counted once" for group in first[twice]]
            self.intake.fold_in(table, frame[twice], ends[0], texts)
            frame = frame[~twice]
        return frame

    def _sides(self, relations: pd.DataFrame) -> pd.DataFrame:
        """A holding told by both firms, in a list of shareholders and in a list of investments, is one holding."""
        if "sheet" not in relations:
            return relations
        owns = (relations["kind"] == "owns").to_numpy()
        invested = owns & (relations["sheet"] == "investments").to_numpy()
        if invested.any() and (owns & ~invested).any():
            keys = pd.MultiIndex.from_arrays([relations["source"].astype(object), relations["target"].astype(object)])
            standing = owns & ~invested
            if "end" in relations:
                standing &= relations["end"].isna().to_numpy()
            held = keys[standing]
            first = pd.Series(relations.index[standing], index=held)
            first = first[~first.index.duplicated()]
            twice = invested & keys.isin(held)
            if twice.any():
                shares = relations.get("share", pd.Series(np.nan, index=relations.index)).to_numpy()
                texts = [
                    f"the shareholders of {key[1]} name this holding too, in {first[key]}"
                    f"{'' if pd.isna(share) else f' (here {float(share):.4g})'}; theirs is kept"
                    for key, share in zip(keys[twice], shares[twice], strict=True)
                ]
                self.intake.fold_in("relations", relations[twice], "share", texts)
                relations = relations[~twice]
        return relations.drop(columns="sheet")


def _known(values: pd.Series, aliases: pd.Series, ids: pd.Index) -> pd.Series:
    """Ids of the values that are ids or aliases, else None."""
    direct = values.where(values.isin(ids), None)
    told = values.map(aliases).astype(object) if len(aliases) else direct
    return direct.where(direct.notna(), told)


def _ends(frame: pd.DataFrame, source: pd.Series, target: pd.Series, kind: str, used: tuple[str, ...]) -> pd.DataFrame:
    rest = frame.drop(columns=[column for column in used if column in frame])
    ends = pd.DataFrame({"source": source, "target": target, "kind": kind}, index=frame.index)
    return pd.concat([ends, rest], axis=1)


def _stack(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Frames under each other; columns of one type stay of that type."""
    if len(parts) == 1:
        return parts[0]
    columns = list(dict.fromkeys(column for part in parts for column in part))
    whole = {}
    for column in columns:
        cells = [part[column] for part in parts if column in part and len(part)]
        dates = cells and all(pd.api.types.is_datetime64_any_dtype(cell) for cell in cells)
        numbers = cells and all(pd.api.types.is_numeric_dtype(cell) for cell in cells)
        blank: Any = np.datetime64("NaT", "s") if dates else (np.nan if numbers else None)
        kind: Any = "datetime64[s]" if dates else (float if numbers else object)
        pieces = [
            part[column].astype(kind).to_numpy()
            if column in part and len(part)
            else np.full(len(part), blank, dtype=kind)
            for part in parts
        ]
        whole[column] = np.concatenate(pieces)
    labels = [label for part in parts for label in part.index]
    return pd.DataFrame(whole, index=pd.Index(labels, dtype=object))
