"""A catalogue: the sectors, agencies, word lists, rules, classes and deadlines of a supervisor's plan, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.supervision._schema import LEVELS, read_folder

__all__ = ["Catalogue", "Parameter", "Rule"]

_FOLDER = Path(__file__).parent / "catalogues"


@dataclass(frozen=True)
class Parameter:
    """A number (or list) of a rule, with the reason for its value."""

    name: str
    value: Any
    reason: str
    #: the letter a formula uses for it
    symbol: str = ""
    #: True when the source prints the value
    printed: bool = False


@dataclass(frozen=True)
class Rule:
    """One rule: what a clause asks, in our own words, with the parameters it leaves open."""

    id: str
    kind: str
    #: plan and section; several are separated by ``;``
    clause: str
    zh: str
    en: str
    #: the function of this package that applies it, ``"record"`` when it is kept for people only
    use: str
    severity: float
    parameters: Mapping[str, Parameter]
    #: the mechanism that checks it; another rule may lend its own
    check: str

    def text(self, lang: str = "zh") -> str:
        """The rule in Chinese or English."""
        return self.zh if lang == "zh" else self.en

    def __getitem__(self, name: str) -> Any:
        """Value of a parameter, by name or symbol."""
        return self.parameter(name).value

    def parameter(self, name: str) -> Parameter:
        """A parameter, by name or symbol.

        Raises
        ------
        InvalidParameter
            The rule has none of that name.
        """
        if name in self.parameters:
            return self.parameters[name]
        for parameter in self.parameters.values():
            if parameter.symbol and parameter.symbol == name:
                return parameter
        known = ", ".join(self.parameters) or "none"
        raise InvalidParameter(f"rule {self.id} has no parameter {name!r}; it has {known}")


class Catalogue:
    """Sectors, agencies, word lists, rules, triage criteria, dispositions and deadlines of one plan.

    Immutable. Every rule carries its id, the clause it rests on, and each number the source leaves open as a
    parameter with a default and a reason; :meth:`with_parameters` returns a catalogue with other values.

    Examples
    --------
    >>> from riskgraph.supervision import Catalogue
    >>> catalogue = Catalogue.load("jiangsu-2016")
    >>> catalogue
    Catalogue jiangsu-2016: 10 sectors, 31 agencies, 208 rules, 9 keyword lists
    >>> catalogue.lead("payment", level="county"), catalogue.lead("real_estate", level="province")
    (('pboc',), ())
    >>> stricter = catalogue.with_parameters(**{"ASSIGN-UNLICENSED-FEATURED": {"tau": 0.8}})
    >>> stricter["ASSIGN-UNLICENSED-FEATURED"]["tau"]
    0.8
    """

    def __init__(self, sections: Mapping[str, Any], rules: Mapping[str, Rule], home_province: str) -> None:
        """Put checked parts together; people use :meth:`load`."""
        self._sections = sections
        self.rules: Mapping[str, Rule] = MappingProxyType(dict(rules))
        #: first two digits of the region codes at home
        self.home_province = home_province

    @classmethod
    def load(cls, name: str | Path = "jiangsu-2016") -> Catalogue:
        """Load a catalogue shipped with the package, or any folder of the same layout.

        Parameters
        ----------
        name
            Name of a shipped catalogue, or the path of a folder of ``*.yaml`` files.

        Raises
        ------
        InvalidTable
            No such catalogue, or an entry breaks its rule; every problem is listed.
        """
        folder = Path(name)
        if not folder.is_dir():
            folder = _FOLDER / str(name)
        if not folder.is_dir():
            shipped = ", ".join(sorted(path.name for path in _FOLDER.iterdir() if path.is_dir()))
            raise InvalidTable(f"'name' must be a shipped catalogue ({shipped}) or a folder; got {str(name)!r}")
        sections = read_folder(folder)
        return cls(sections, _rules(sections), sections["catalogue"]["home_province"])

    def with_parameters(self, **parameters: Any) -> Catalogue:
        """The catalogue with other values of parameters.

        Parameters
        ----------
        **parameters
            Rule id → mapping of parameter name (or symbol) to value; rule ids hold hyphens, so pass
            ``**{"FUND-YIELD-ANOMALY": {"z0": 5}}``. ``home_province="33"`` moves the home province.

        Raises
        ------
        InvalidParameter
            An unknown rule, an unknown parameter, or a value of another type than the default.
        """
        rules = dict(self.rules)
        home = self.home_province
        for name, values in parameters.items():
            if name == "home_province":
                home = str(values)
                if not (len(home) == 2 and home.isdigit()):
                    raise InvalidParameter(f"'home_province' must be two digits; got {values!r}")
                continue
            if name not in rules:
                raise InvalidParameter(f"the catalogue has no rule {name!r}")
            if not isinstance(values, Mapping):
                raise InvalidParameter(f"{name!r} must be a mapping of parameter to value; got {values!r}")
            rule = rules[name]
            changed = dict(rule.parameters)
            for key, value in values.items():
                old = rule.parameter(key)
                changed[old.name] = replace(old, value=_like(f"{name}.{old.name}", value, old.value))
            rules[name] = replace(rule, parameters=MappingProxyType(changed))
        return Catalogue(self._sections, rules, home)

    def __deepcopy__(self, memo: dict[int, Any]) -> Catalogue:
        """Return the catalogue itself: it is immutable."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the files' content and the values of the parameters."""
        values = {rule.id: {name: item.value for name, item in rule.parameters.items()} for rule in self}
        return _restore, (dict(self._sections), values, self.home_province)

    def __getitem__(self, rule: str) -> Rule:
        """A rule by its id.

        Raises
        ------
        InvalidParameter
            The catalogue has none of that id.
        """
        if rule not in self.rules:
            raise InvalidParameter(f"the catalogue has no rule {rule!r}")
        return self.rules[rule]

    def __contains__(self, rule: object) -> bool:
        """Whether a rule id is in the catalogue."""
        return rule in self.rules

    def __iter__(self) -> Iterator[Rule]:
        """Go through the rules."""
        return iter(self.rules.values())

    def __repr__(self) -> str:
        """One line: what it holds."""
        return (
            f"Catalogue {self.name}: {len(self.sectors)} sectors, {len(self.agencies)} agencies, "
            f"{len(self.rules)} rules, {len(self.keywords)} keyword lists"
        )

    def value(self, rule: str, parameter: str, default: Any) -> Any:
        """Value of a parameter, or ``default`` where the catalogue lacks the rule or the parameter."""
        if rule not in self.rules or parameter not in self.rules[rule].parameters:
            return default
        return self.rules[rule][parameter]

    # -- what it holds -----------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the catalogue."""
        return str(self._sections["catalogue"]["name"])

    @property
    def plans(self) -> Mapping[str, Mapping[str, str]]:
        """Label of a plan, as clauses cite it → its title in ``zh`` and ``en``."""
        return MappingProxyType(self._sections["catalogue"]["plans"])

    @property
    def list_sources(self) -> Mapping[str, Mapping[str, Any]]:
        """Source of a list of firms → the sector it lists, and other spellings."""
        return MappingProxyType(self._sections["catalogue"].get("list_sources") or {})

    def section(self, name: str) -> Any:
        """Give a section as it stands in the files, such as ``natures``, ``coverage`` or ``dossier``.

        Raises
        ------
        InvalidParameter
            No section of that name.
        """
        if name not in self._sections:
            raise InvalidParameter(f"'name' must be a section ({', '.join(self._sections)}); got {name!r}")
        return self._sections[name]

    @property
    def sectors(self) -> Mapping[str, Mapping[str, Any]]:
        """Sector code → its names, words, licence families, objects and priority."""
        return MappingProxyType(self._sections["sectors"])

    @property
    def agencies(self) -> Mapping[str, Mapping[str, str]]:
        """Agency id → its names."""
        return MappingProxyType(self._sections["agencies"])

    def agency_name(self, agency: str, *, level: str = "county", lang: str = "zh") -> str:
        """Name of an agency; the Chinese name differs by level."""
        entry = self.agencies.get(agency, {})
        key = "en" if lang == "en" else ("province" if level == "province" else "county")
        return str(entry.get(key, agency))

    def lead(self, sector: str, *, level: str = "county") -> tuple[str, ...]:
        """Agencies that lead a sector on a level; empty where the plan names none."""
        return tuple(self._lead(sector, level).get("lead", ()))

    def assist(self, sector: str, *, level: str = "county") -> tuple[str, ...]:
        """Agencies that assist in a sector on a level."""
        return tuple(self._lead(sector, level).get("assist", ()))

    def _lead(self, sector: str, level: str) -> Mapping[str, Any]:
        if level not in LEVELS:
            raise InvalidParameter(f"'level' must be one of {', '.join(LEVELS)}; got {level!r}")
        table: Mapping[str, Any] = self._sections["leads"].get(level) or {}
        entry: Mapping[str, Any] = table.get(sector, {})
        return entry

    @cached_property
    def leads(self) -> pd.DataFrame:
        """Lead table: ``level, sector, lead, assist, clause``, ids joined by ``;``."""
        rows = [
            (level, sector, ";".join(entry["lead"]), ";".join(entry.get("assist") or ()), entry.get("clause", ""))
            for level, table in self._sections["leads"].items()
            for sector, entry in (table or {}).items()
        ]
        return pd.DataFrame(rows, columns=["level", "sector", "lead", "assist", "clause"])

    @property
    def keywords(self) -> Mapping[str, Mapping[str, Any]]:
        """Keyword lists, kept apart: list → rule, words, fields."""
        return MappingProxyType(self._sections["keywords"])

    @property
    def red_lines(self) -> Mapping[str, Mapping[str, str]]:
        """Fact name of a red line → its names."""
        return MappingProxyType(self._sections["red_lines"])

    @property
    def criteria(self) -> tuple[Mapping[str, Any], ...]:
        """Criteria of a compliant platform, with the facts each rests on."""
        return tuple(self._sections["criteria"])

    def phrase(self, section: str, key: Any, lang: str = "zh") -> str:
        """Text of an entry of ``measures``, ``dispositions``, ``verdicts``, ``red_lines`` or ``tasks``."""
        entry = self._sections[section].get(key)
        return str(key) if entry is None else str(entry[lang])

    @cached_property
    def deadlines(self) -> pd.DataFrame:
        """Deadlines: ``id, level, sector, task, due, clause, printed, note_zh, note_en``.

        ``printed`` holds what the source prints where that is no date, ``note_*`` how it was read.
        """
        rows = []
        for level, table in self._sections["deadlines"].items():
            for sector, entries in table.items():
                for number, entry in enumerate(entries, start=1):
                    note = entry.get("note") or {}
                    rows.append(
                        (
                            f"{level}:{sector}:{number}", level, sector, entry["task"], pd.Timestamp(entry["due"]),
                            entry.get("clause", ""), entry.get("printed", ""), note.get("zh", ""), note.get("en", ""),
                        )
                    )  # fmt: skip
        columns = ["id", "level", "sector", "task", "due", "clause", "printed", "note_zh", "note_en"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def stages(self) -> pd.DataFrame:
        """Stages of the campaign: ``rule, stage, start, end``, both days included."""
        rows = [
            (rule, row["stage"], pd.Timestamp(row["start"]), pd.Timestamp(row["end"]))
            for rule, entries in self._sections["stages"].items()
            for row in entries
        ]
        return pd.DataFrame(rows, columns=["rule", "stage", "start", "end"])

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """Every parameter: ``rule, parameter, symbol, value, printed, reason``."""
        rows = [
            (rule.id, item.name, item.symbol, item.value, item.printed, item.reason)
            for rule in self.rules.values()
            for item in rule.parameters.values()
        ]
        return pd.DataFrame(rows, columns=["rule", "parameter", "symbol", "value", "printed", "reason"])


def _rules(sections: Mapping[str, Any]) -> dict[str, Rule]:
    return {
        name: _rule(name, kind, entry) for kind, group in sections["rules"].items() for name, entry in group.items()
    }


def _restore(sections: dict[str, Any], values: dict[str, dict[str, Any]], home_province: str) -> Catalogue:
    """Unpickle a catalogue."""
    plain = Catalogue(sections, _rules(sections), home_province)
    return plain.with_parameters(**{rule: given for rule, given in values.items() if given})


def _rule(name: str, kind: str, entry: Mapping[str, Any]) -> Rule:
    parameters = {
        key: Parameter(
            key, item["value"], item["reason"], str(item.get("symbol", "")), bool(item.get("printed", False))
        )
        for key, item in (entry.get("parameters") or {}).items()
    }
    return Rule(
        id=name,
        kind=kind,
        clause=entry["clause"],
        zh=entry["zh"],
        en=entry["en"],
        use=entry["use"],
        severity=float(entry.get("severity", 0.0)),
        parameters=MappingProxyType(parameters),
        check=str(entry.get("check", name)),
    )


def _like(name: str, value: Any, old: Any) -> Any:
    """A value of the type of the default; text becomes a date where the default is one."""
    if isinstance(old, bool) != isinstance(value, bool):
        raise InvalidParameter(
            f"'{name}' must be {'true or false' if isinstance(old, bool) else 'no truth value'}; got {value!r}"
        )
    if isinstance(old, (int, float)) and not isinstance(old, bool):
        if not isinstance(value, (int, float)):
            raise InvalidParameter(f"'{name}' must be a number; got {value!r}")
        return value
    if isinstance(old, list):
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise InvalidParameter(f"'{name}' must be a list; got {value!r}")
        return list(value)
    if hasattr(old, "isoformat"):
        day = pd.to_datetime(value, errors="coerce")
        if pd.isna(day):
            raise InvalidParameter(f"'{name}' must be a date; got {value!r}")
        return day.date()
    if isinstance(old, str) and not isinstance(value, str):
        raise InvalidParameter(f"'{name}' must be a text; got {value!r}")
    return value
