"""Chinese registry exports as a graph: companies, shareholders, officers, investments, penalties, and their kin."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._cells import to_day
from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._cn_book import Gathered
from riskgraph.readers._cn_platforms import gather_platforms
from riskgraph.readers._cn_roles import COMPANY_SHEETS, SHEETS, Sheet, sheet_of
from riskgraph.readers._cn_sheets import gather
from riskgraph.readers._cn_tree import gather_tree
from riskgraph.readers._files import RawTable, data_files, load_tables
from riskgraph.readers._headers import read_header
from riskgraph.readers._intake import Intake
from riskgraph.readers._values import ShareUnit
from riskgraph.readers.tables import check_options, renamed
from riskgraph.schema import CASE_TYPES, TABLES

__all__ = ["read_registry_cn"]

_log = logging.getLogger(__name__)


def read_registry_cn(
    path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    on_error: str = "quarantine",
    columns: Mapping[str, str] | None = None,
    share_unit: ShareUnit = "auto",
    problem_case: str | Mapping[str, str] = "abnormal",
    as_of: Any = None,
) -> EntityGraph:
    r"""Graph of Chinese registry exports: 企业, 股东, 主要人员, 对外投资, 分支机构, 行政处罚, 经营异常.

    Each table is recognised by its headers, whatever its file is called. Besides the plain sheets, four styles that
    circulate are understood: listed-company exports with pinyin initials (``gpdm``, ``gsmc``, ``gdcgbl``, ``zwdm``);
    holders by reporting period (``ts_code``, ``end_date``, ``hold_ratio``), where a list holds until the next list of
    its company and nothing is summed over periods; look-through trees (``eid``, ``percent``, ``parent_id``), where
    each row owns its parent; and lists of lending platforms (``platId``, ``platName``), which become websites with the
    firm that operates them, its legal representative and the guarantors.

    The exact name of a company is its identity, the name of a person only within one firm. Shareholders that a list
    does not name stay unknown: a top-ten list says nothing about the rest.

    Parameters
    ----------
    path
        A folder, a file, or several files.
    on_error
        ``"quarantine"`` sets bad rows aside, each with its file and line in ``graph.quality``; ``"raise"`` raises.
    columns
        Spellings that are not known, theirs to a known one: ``{"股东全名": "股东名称"}``.
    share_unit
        How to read shares without a percent sign; ``"auto"`` decides for each column and reports it.
    problem_case
        Case type of a platform listed as absconded (跑路), unable to pay out (提现困难) or under investigation
        (经侦介入). Such a list is no finding of any authority, so the default is ``"abnormal"``, which makes nobody a
        seed of propagation. Who takes the list for more says so: ``"illegal_fundraising"`` makes all three seeds,
        ``{"经侦介入": "illegal_fundraising"}`` one of them. Closed (停业) and converted (转型) platforms are abnormal.
    as_of
        Day the export was made, on which the graph then stands. What the export calls former (原工商股东, past
        directors) has no end date of its own and ends that day; without ``as_of`` such rows are left out and reported.

    Raises
    ------
    InvalidTable
        No table that names companies, a file that cannot be parsed, or a bad row under ``on_error="raise"``.
    InvalidParameter
        ``problem_case`` is no case type, or ``as_of`` no date.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import riskgraph as rg
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> firms = "企业名称,法定代表人,注册资本\n甲有限公司,刘某,600万元\n乙有限公司,王某,-\n"
    >>> holders = "企业名称,股东名称,持股比例\n甲有限公司,乙有限公司,65%\n甲有限公司,刘某,35%\n"
    >>> _ = (folder / "企业.csv").write_text(firms, encoding="gb18030")
    >>> _ = (folder / "股东.csv").write_text(holders, encoding="gb18030")
    >>> graph = rg.readers.read_registry_cn(folder)
    >>> graph.relations[["source", "kind", "share_min"]]
                        source     kind  share_min
    0            company:乙有限公司     owns       0.65
    1  person:刘某@company:甲有限公司     owns       0.35
    2  person:刘某@company:甲有限公司  officer        NaN
    3  person:王某@company:乙有限公司  officer        NaN
    """
    check_options(on_error, share_unit)
    check_problem_case(problem_case)
    day = None if as_of is None else to_day(as_of)
    if day is not None and np.isnat(day):
        raise InvalidParameter(f"'as_of' must be a date such as '2017-06-30'; got {as_of!r}")
    intake = Intake()
    sheets, strangers = _sheets(path, columns, intake)
    if not any(sheet.name in COMPANY_SHEETS for _, sheet, _ in sheets):
        raise InvalidTable(_no_companies(sheets, strangers))
    for raw in strangers:
        text = f"{raw.name} is no sheet that is understood ({', '.join(map(str, raw.headers[:12]))}); left alone"
        intake.note("files", [raw.name], "", text)
    gathered = Gathered(intake)
    platforms = []
    for raw, sheet, names in sheets:
        frame = _frame(raw, sheet, names, intake)
        units = {column: read_header(header) for header, column in names.items()}
        if sheet.name == "platforms":
            platforms.append((raw, frame))
        elif sheet.name == "tree":
            gather_tree(frame, gathered, as_of=day)
        else:
            gather(sheet.name, frame, gathered, units=units, share_unit=share_unit, excel=raw.excel, as_of=day)
    if platforms:
        gather_platforms(platforms, gathered, problem_case)
    _log.info(
        "read as Chinese registry sheets: %s", ", ".join(f"{raw.name} as {sheet.name}" for raw, sheet, _ in sheets)
    )
    graph = intake.graph(gathered.frames(), on_error)
    return graph if day is None else graph.at(day)


def check_problem_case(problem_case: str | Mapping[str, str]) -> None:
    """Check that case types are ones."""
    types = [problem_case] if isinstance(problem_case, str) else list(problem_case.values())
    for kind in types:
        if kind not in CASE_TYPES:
            raise InvalidParameter(f"'problem_case' must name case types ({', '.join(CASE_TYPES)}); got {kind!r}")


_Found = tuple[RawTable, Sheet, dict[object, str]]


def _sheets(path: Any, columns: Mapping[str, str] | None, intake: Intake) -> tuple[list[_Found], list[RawTable]]:
    """Tables that are sheets of a registry, and the others."""
    places = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    files: list[Path] = []
    for place in places:
        found, left = data_files(Path(place))
        files += found
        for name, reason in left:
            frame = pd.DataFrame({"file": [name]}, index=pd.Index([name], dtype=object))
            intake.reject("files", frame, "", f"{name} {reason}")
    sheets: list[_Found] = []
    strangers = []
    for file in files:
        for raw in load_tables(file):
            raw.frame = renamed(raw, columns)
            told = sheet_of(raw.headers)
            if told is None:
                strangers.append(raw)
            else:
                sheets.append((raw, *told))
    return sheets, strangers


def _no_companies(sheets: list[_Found], strangers: list[RawTable]) -> str:
    lines = [f"{raw.name} is a sheet of {sheet.name}" for raw, sheet, _ in sheets]
    lines += [f"{raw.name} has the headers {', '.join(map(str, raw.headers[:15]))}" for raw in strangers]
    wanted = "; ".join(f"{sheet.name}: {sheet.expected()}" for sheet in SHEETS if sheet.name in COMPANY_SHEETS)
    found = "; ".join(lines) or "no table"
    return f"no table that names companies can be recognised: {found}. Expected headers of {wanted}"


_OF_TABLE = {"companies": "entities", "platforms": "entities", "penalties": "cases", "abnormal": "cases"}


def _frame(raw: RawTable, sheet: Sheet, names: Mapping[object, str], intake: Intake) -> pd.DataFrame:
    """A sheet with our columns, texts trimmed, rows labelled ``file:line``; other columns keep their names."""
    table = _OF_TABLE.get(sheet.name, "relations")
    label: Callable[[int], str] = lambda line: f"{raw.name}:{line}"  # noqa: E731
    intake.damaged(table, raw, label=label)
    # a header that happens to be called like a column of ours, and is not it, steps aside
    ours = {*names.values(), *TABLES[table].required, *TABLES[table].optional} - {"lei", "source_ref"}
    others: dict[object, str] = {
        header: f"{header}_" for header in raw.headers if header not in names and header in ours
    }
    new: dict[object, str] = {**names, **others}
    frame = raw.frame.rename(columns=new)
    frame.index = pd.Index([label(line) for line in frame.index], dtype=object)
    texts = [column for column in frame if column not in ("share", "amount")]
    return intake.trim(table, frame, texts)
