"""The five tables in a folder as a graph: CSV, Excel or Parquet, with the headers, units and encodings people use."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from riskgraph._sheet import DATES
from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.graph import EntityGraph
from riskgraph.readers._files import RawTable, data_files, load_tables
from riskgraph.readers._headers import TABLE_NAMES, Header, canonical, read_header, table_of
from riskgraph.readers._intake import Intake, blank_to_none
from riskgraph.readers._manifest import Manifest, read_manifest
from riskgraph.readers._parquet import NotPlain, plain_table
from riskgraph.readers._values import EDGES, ShareUnit, is_blank_cell
from riskgraph.readers._vocabulary import BOOKS, translate
from riskgraph.schema import FACT_TYPES, TABLES

__all__ = ["read_tables"]

_log = logging.getLogger(__name__)
_SHARES = ("share_min", "share_max", "votes_min", "votes_max", "share")
_MONEY = ("amount", "capital")


def read_tables(
    path: str | os.PathLike[str],
    *,
    on_error: str = "quarantine",
    columns: Mapping[str, str] | None = None,
    share_unit: ShareUnit = "auto",
) -> EntityGraph:
    r"""Graph of the tables of a folder, or of one workbook or file.

    The tables are ``entities``, ``relations``, ``cases``, ``licences`` and ``facts``, one file or one sheet each,
    recognised by file name (also 企业主体, 关系, 案件, 牌照, 事实) or by their columns; CSV with comma, tab, semicolon
    or bar, Excel, Parquet. Headers may be Chinese or English, text UTF-8, UTF-16 or GB18030/GBK. Shares (``65%``,
    ``0.65``, ``25-50%``), money (``600万元``) and dates (``2016年6月6日``) are read as people write them; money is CNY.
    Where only relations came, their ends become entities of kind ``unknown``. A table may be a folder of Parquet parts,
    ``relations.parquet/``, as Spark writes them. Large tables are read fastest as Parquet with the contract's columns,
    shares as fractions and dates as dates (needs ``pyarrow``): then column after column goes to the checks as it is.

    Parameters
    ----------
    path
        Folder, CSV file, workbook or Parquet file.
    on_error
        ``"quarantine"`` puts rows that break a rule into ``graph.rejected``, each with its line in ``graph.quality``;
        ``"raise"`` raises if there is any.
    columns
        Spellings that are not known: ``{"受让比例": "share"}``.
    share_unit
        How to read shares without a percent sign: ``"percent"``, ``"fraction"``, or ``"auto"`` to decide for each
        column, which is reported.

    Raises
    ------
    InvalidTable
        Nothing to read, a file that cannot be parsed, a column missing, a table that came twice, or a bad row under
        ``on_error="raise"``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import riskgraph as rg
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "企业主体.csv").write_text("编号,类型,名称\nA,公司,甲公司\nB,公司,乙公司\n", encoding="gb18030")
    >>> rows = "起点,终点,关系类型,持股比例\nA,B,持股,65%\nA,B,持股,much\n"
    >>> _ = (folder / "关系.csv").write_text(rows, encoding="gb18030")
    >>> graph = rg.readers.read_tables(folder)
    >>> graph.relations[["source", "target", "kind", "share_min"]]
      source target  kind  share_min
    0      A      B  owns       0.65
    >>> graph.quality[["table", "row", "column", "action"]]
           table row column    action
    0  relations   3  share  rejected
    """
    check_options(on_error, share_unit)
    try:
        return _read(Path(path), on_error, columns, share_unit, short=not columns)
    except NotPlain as reason:
        _log.info("%s: the cells of %s must be read one by one", path, reason)
        return _read(Path(path), on_error, columns, share_unit, short=False)


def _read(
    place: Path, on_error: str, columns: Mapping[str, str] | None, share_unit: ShareUnit, *, short: bool
) -> EntityGraph:
    """See :func:`read_tables`; the short way takes typed Parquet columns as they are."""
    intake = Intake()
    files, left = data_files(place)
    for name, reason in left:
        intake.reject(
            "files", pd.DataFrame({"file": [name]}, index=pd.Index([name], dtype=object)), "", f"{name} {reason}"
        )
    manifest = read_manifest(place) if place.is_dir() else None
    raws: dict[str, RawTable] = {}
    for file in files:
        plain = plain_table(file, manifest, share_unit) if short else None
        for raw in [plain] if plain else load_tables(file):
            raw.frame = renamed(raw, columns)
            table = table_of(raw.stem, raw.headers)
            if table is None:
                text = f"{raw.name} is none of the tables {', '.join(TABLES)}, by name or by its columns"
                intake.note("files", [raw.name], "", f"{text} ({', '.join(map(str, raw.headers[:12]))}); left alone")
            elif table in raws:
                raws[table] = _one_of(table, raws[table], raw, manifest, intake)
            else:
                raws[table] = raw
    if not {"entities", "relations"} & set(raws):
        raise InvalidTable(_nothing(place, files))
    frames: dict[str, Any] = {
        table: _typed(table, raw, intake, share_unit, manifest) if raw.columns is None else raw.columns
        for table, raw in raws.items()
    }
    if manifest is not None:
        manifest.compare(place, raws, intake)
    _complete(frames, intake)
    _log.info("read %s as tables: %s", place, ", ".join(f"{name} from {raw.name}" for name, raw in raws.items()))
    try:
        graph = intake.graph(frames, on_error)
    except InvalidTable as error:
        if any(raw.columns is not None for raw in raws.values()):
            raise NotPlain("a table with bad rows") from error
        raise
    for table in [table for table in graph.rejected if table in raws and raws[table].columns is not None]:
        named = graph.rejected[table][list(TABLES[table].references)].to_numpy(dtype=object).ravel()
        if any(text.strip(EDGES) != text or is_blank_cell(text) for text in named if text is not None):
            raise NotPlain(f"what {table} names as entities")
    return graph if manifest is None else manifest.dated(graph)


def _one_of(table: str, one: RawTable, other: RawTable, manifest: Manifest | None, intake: Intake) -> RawTable:
    """Of two files of a table the one that the manifest names: a change of format was cut short, the other is stale."""
    if manifest is None or manifest.names(table, one) == manifest.names(table, other):
        raise InvalidTable(f"{table} came twice, as {one.name} and {other.name}; keep one of them")
    kept, left = (one, other) if manifest.names(table, one) else (other, one)
    text = f"{table} came twice; tables.json names {kept.name}, so that {left.name} was left alone"
    intake.note("files", [left.name], "", text)
    return kept


def check_options(on_error: str, share_unit: str = "auto") -> None:
    """Check the options that readers share."""
    if on_error not in ("raise", "quarantine"):
        raise InvalidParameter(f"'on_error' must be 'raise' or 'quarantine'; got {on_error!r}")
    if share_unit not in ("auto", "percent", "fraction"):
        raise InvalidParameter(f"'share_unit' must be 'auto', 'percent' or 'fraction'; got {share_unit!r}")


def renamed(raw: RawTable, columns: Mapping[str, str] | None) -> pd.DataFrame:
    """The frame with the user's own spellings replaced."""
    if not columns:
        return raw.frame
    frame = raw.frame.rename(columns=dict(columns))
    double = frame.columns[frame.columns.duplicated()]
    if len(double):
        raise InvalidTable(f"{raw.name} has the column {double[0]!r} twice after 'columns' was applied")
    return frame


def _nothing(place: Path, files: list[Path]) -> str:
    names = ", ".join(file.name for file in files[:10]) or "no CSV, Excel or Parquet file"
    wanted = "; ".join(f"{table} ({'/'.join(names[-3:])})" for table, names in TABLE_NAMES.items())
    return f"{str(place)!r} holds neither entities nor relations; found {names}; looked for {wanted}"


def _typed(table: str, raw: RawTable, intake: Intake, share_unit: ShareUnit, manifest: Manifest | None) -> pd.DataFrame:
    """The good rows of a raw table with the columns and types of the contract."""
    headers: dict[object, Header] = {header: read_header(header) for header in raw.headers}
    names = canonical(table, raw.headers)
    frame = raw.frame.rename(columns=names)
    units = {names[header]: headers[header] for header in names}
    intake.damaged(table, raw)
    missing = [column for column in TABLES[table].required if column not in frame]
    if missing:
        raise InvalidTable(
            f"{raw.name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))} of {table}; "
            f"it came with {', '.join(map(str, raw.headers)) or 'none'}: map other spellings with columns={{…}}"
        )
    own = [*TABLES[table].required, *TABLES[table].optional]
    exact = manifest is not None and table in manifest.tables
    typed = {*_SHARES, *DATES, *_MONEY, "confidence", "severity", "value"}
    if exact:
        assert manifest is not None
        frame = manifest.restore(table, frame)
    else:
        frame = intake.trim(table, frame, [column for column in own if column not in typed])
        for column in frame:
            if column not in own and frame[column].dtype == object:
                frame[column] = frame[column].where(frame[column] != "", None)
        frame = _words(table, frame)
    for column in _SHARES:
        stated: ShareUnit = "percent" if column in units and units[column].percent else share_unit
        frame = intake.shares(table, frame, [column], unit="fraction" if exact else stated, exact=exact)
    for column in _MONEY:
        unit = (units[column].money if column in units else None) or 1.0
        frame = intake.money(table, frame, column, unit=unit) if column in own else frame
    frame = intake.dates(table, frame, [column for column in DATES if column in own], excel=raw.excel)
    frame = intake.numbers(table, frame, ["confidence", "severity"], "give a number from 0 to 1")
    if table == "facts":
        frame = _facts(frame, intake, manifest)
    return frame


def _words(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    for column, book in BOOKS[table].items():
        if column in frame:
            frame[column] = translate(frame[column], book)
    return frame


def _facts(frame: pd.DataFrame, intake: Intake, manifest: Manifest | None) -> pd.DataFrame:
    """Fact values by the type of their fact; texts and unknown facts stay as they are."""
    if manifest is not None and "facts" in manifest.tables:
        return manifest.restore_facts(frame)
    frame = frame.copy()
    values = frame["value"].astype(object)
    values = values.where(values != "", None)
    kinds = frame["fact"].map(FACT_TYPES)
    for kind, book in (("boolean", "truth"), ("level", "level")):
        chosen = (kinds == kind).to_numpy()
        if chosen.any():
            values[chosen] = translate(blank_to_none(values[chosen]), book)
    number = (kinds == "number").to_numpy()
    if number.any():
        values[number] = [_figure(value) for value in blank_to_none(values[number])]
    frame["value"] = values
    return frame


def _figure(value: Any) -> Any:
    """A number as people write it, percentages and money included; what is none stays for the checks to report."""
    from riskgraph.readers._values import parse_money, parse_shares

    if not isinstance(value, str):
        return value
    cell = pd.Series([value], dtype=object)
    if value.strip().endswith(("%", "％")):
        share = parse_shares(cell)
        return value if share.bad[0] or share.low[0] != share.high[0] else float(share.low[0])
    money = parse_money(cell)
    return value if money.bad[0] or money.foreign[0] else float(money.amount[0])


def _complete(frames: dict[str, Any], intake: Intake) -> None:
    """Give a lone table of relations its entities, a lone table of entities no relations."""
    if "relations" not in frames:
        frames["relations"] = pd.DataFrame(columns=list(TABLES["relations"].required), dtype=object)
    if "entities" not in frames:
        relations = frames["relations"]
        ends = pd.concat([relations["source"], relations["target"]]).dropna()
        ids = pd.unique(ends.astype(object))
        frames["entities"] = pd.DataFrame({"id": ids, "kind": "unknown"}, dtype=object)
        text = f"no table of entities came; {len(ids)} were made from the ends of the relations, of kind unknown"
        intake.note("entities", [""], "id", text)
