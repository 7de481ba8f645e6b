"""Large tables take the short way; it must lead to the same graph, report and rejected rows as the long one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph import _texts
from riskgraph._texts import Directory, Places, is_packed, objects
from riskgraph.readers import _parquet, tables

pytest.importorskip("pyarrow", reason="the short way needs pyarrow")

ENTITIES = pd.DataFrame(
    {
        "id": ["ann", "A", "B", "刘伟"],
        "kind": ["person", "company", "company", "person"],
        "name": ["Ann", "甲公司", None, "刘伟"],
        "sector": [None, "p2p", "bank", None],
        "capital": [np.nan, 1e6, 2e6, np.nan],
        "start": pd.to_datetime([None, "2010-01-01", "2011-02-03", None]),
        "note": ["x", "", None, " y "],
    }
)
RELATIONS = pd.DataFrame(
    {
        "source": ["ann", "刘伟", "A", "ann"],
        "target": ["A", "A", "B", "B"],
        "kind": ["owns", "owns", "owns", "officer"],
        "share_min": [0.7, 0.2, 1.0, np.nan],
        "share_max": [0.7, 0.3, 1.0, np.nan],
        "role": [None, None, None, "director"],
        "start": pd.to_datetime(["2010-01-01", "2012-01-01", None, "2013-05-06"]),
    }
)


def packed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its texts as Arrow strings."""
    frame = frame.copy()
    for column in frame:
        if frame[column].dtype == object or pd.api.types.is_string_dtype(frame[column]):
            frame[column] = frame[column].astype(object).astype("string[pyarrow]")
    return frame


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its texts as objects."""
    frame = frame.copy()
    for column in frame:
        if pd.api.types.is_string_dtype(frame[column]):
            texts = frame[column].astype(object)
            frame[column] = texts.where(texts.notna(), None).astype(object)
    return frame


def same(one: rg.EntityGraph, other: rg.EntityGraph) -> None:
    """Equal graphs, reports and rejected rows, and the same types of columns."""
    assert one.equals(other)
    pd.testing.assert_frame_equal(one.quality, other.quality)
    assert set(one.rejected) == set(other.rejected)
    for table, frame in one.rejected.items():
        pd.testing.assert_frame_equal(plain(frame), plain(other.rejected[table]), check_dtype=False)
        assert not any(isinstance(values.dtype, pd.CategoricalDtype) for _, values in frame.items())
    assert one.entities.dtypes.to_dict() == other.entities.dtypes.to_dict()
    assert one.relations.dtypes.to_dict() == other.relations.dtypes.to_dict()
    assert one._store.roles == other._store.roles
    for name in ("source", "target", "kind"):
        np.testing.assert_array_equal(getattr(one._store, name), getattr(other._store, name))


def random_tables(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Small tables with every kind of bad row in them."""
    n, m = int(rng.integers(1, 12)), int(rng.integers(0, 40))
    ids = [f"e{number}" for number in range(n)]
    if rng.random() < 0.3:
        ids[-1] = str(rng.choice([ids[0], "", "甲"]))
    days = pd.to_datetime(["2010-01-01", "2012-06-30", "2015-03-01", None])
    entities = pd.DataFrame(
        {
            "id": pd.Series(ids, dtype=object).mask(rng.random(n) < 0.03, None),
            "kind": rng.choice(["company", "person", "product"] + ["gadget"] * (rng.random() < 0.2), n),
            "sector": pd.Series(rng.choice(["p2p", "bank", "odd"], n), dtype=object).mask(rng.random(n) < 0.3, None),
            "capital": np.where(rng.random(n) < 0.05, -1.0, rng.choice([np.nan, 1e6], n)),
        }
    )
    share = rng.choice([np.nan, 0.0, 0.2, 0.5, 0.6, 1.0], m)
    top = np.where(rng.random(m) < 0.05, 0.1, np.maximum(share, rng.choice([0.5, 1.0], m)))
    ends = [*ids, "nobody"] if rng.random() < 0.3 else ids
    relations = pd.DataFrame(
        {
            "source": rng.choice(np.array(ends, dtype=object), m),
            "target": rng.choice(np.array(ends, dtype=object), m),
            "kind": rng.choice(["owns", "owns", "owns", "officer", "lends"], m),
            "share_min": share,
            "share_max": np.where(np.isnan(share), np.nan, top),
            "role": pd.Series(rng.choice(["director", "fixer", ""], m), dtype=object).mask(rng.random(m) < 0.5, None),
            "start": days.to_numpy()[rng.integers(0, 4, m)],
            "end": days.to_numpy()[rng.integers(0, 4, m)],
        }
    )
    if rng.random() < 0.3:
        relations["id"] = [f"k{number}" for number in rng.integers(0, 60, m)]
    cases = pd.DataFrame(
        {"entity": rng.choice(np.array(ends, dtype=object), 2), "type": ["banned", "tipoff"], "severity": [1.0, 0.4]}
    )
    return {"entities": plain(entities), "relations": plain(relations), "cases": plain(cases)}


@pytest.mark.parametrize("seed", range(150))
def test_packed_columns_give_what_objects_give(seed):
    frames = random_tables(np.random.default_rng(seed))
    before = {name: frame.copy() for name, frame in frames.items()}
    one = rg.EntityGraph.from_tables(**frames, on_error="quarantine")
    other = rg.EntityGraph.from_tables(**{name: packed(frame) for name, frame in frames.items()}, on_error="quarantine")
    same(one, other)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_some_columns_packed():
    one = rg.EntityGraph.from_tables(packed(ENTITIES), plain(RELATIONS))
    other = rg.EntityGraph.from_tables(plain(ENTITIES), packed(RELATIONS))
    same(one, other)


def test_packed_frames_are_not_held_or_changed():
    relations = packed(RELATIONS)
    graph = rg.EntityGraph.from_tables(packed(ENTITIES), relations)
    relations.loc[0, "share_min"] = 0.1
    assert graph.relations["share_min"].iloc[0] == 0.7


def test_directory_with_texts_that_come_twice():
    texts = pd.Series(["a", "b", "a"], dtype="string[pyarrow]")
    directory = Directory(texts, {"x": texts})
    assert not directory.unique
    assert not Directory(pd.Series(["a", None], dtype="string[pyarrow]"), {"x": texts}).unique


def test_directory_over_several_pieces():
    import pyarrow as pa

    pieces = pa.chunked_array([["a", "b"], ["c"], [], ["d", "e"]])
    texts = pd.Series(pd.StringDtype("pyarrow").__from_arrow__(pieces))
    asked = pd.Series(pd.StringDtype("pyarrow").__from_arrow__(pa.chunked_array([["e", "z"], [None, "a"]])))
    directory = Directory(texts, {"x": asked})
    assert directory.unique
    assert directory.codes(asked, "x").tolist() == [4, -1, -1, 0]
    assert directory.codes(asked).tolist() == [4, -1, -1, 0]
    assert objects(texts).tolist() == list("abcde")


# -- from files ------------------------------------------------------------------------------------------------------


def written(folder, entities=ENTITIES, relations=RELATIONS, **others):
    for name, frame in {"entities": entities, "relations": relations, **others}.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


CASES = pd.DataFrame({"entity": ["A", "B"], "type": ["banned", "tipoff"], "severity": [1.0, None], "topic": ["x", ""]})
LICENCES = pd.DataFrame({"entity": ["A"], "sector": ["p2p"], "start": pd.to_datetime(["2014-01-01"])})


def both(folder, monkeypatch, **options):
    """The graph as read, how many tables came by the short way, and the graph read the long way."""
    came = []
    plain_table, read = _parquet.plain_table, tables._read

    def watched_table(*given):
        found = plain_table(*given)
        came.append(found is not None)
        return found

    def watched_read(*given, short):
        if not short:
            came.clear()
        return read(*given, short=short)

    with monkeypatch.context() as patch:
        patch.setattr(tables, "plain_table", watched_table)
        patch.setattr(tables, "_read", watched_read)
        graph = rg.readers.read_tables(folder, **options)
        patch.setattr(tables, "plain_table", lambda *given: None)
        return graph, sum(came), rg.readers.read_tables(folder, **options)


def test_clean_files_take_the_short_way(tmp_path, monkeypatch):
    graph, short, other = both(written(tmp_path), monkeypatch)
    assert short == 2
    same(graph, other)
    assert graph.entities["note"].tolist() == ["x", None, None, " y "]


ODD = {
    "spaces": ("entities", "name", " Ann"),
    "a wide space": ("entities", "name", "Ann\u3000"),
    "an exotic space": ("entities", "name", "Ann\u2003"),
    "no value": ("entities", "name", "无"),
    "no value, wide": ("entities", "name", "ＮＵＬＬ"),
    "a dash": ("relations", "role", "-"),
    "a word to translate": ("relations", "role", "董事"),
    "a kind to translate": ("relations", "kind", "持股"),
    "a sector to translate": ("entities", "sector", "网贷"),
    "percentages": ("relations", "share_min", 70.0),
    "no number": ("relations", "share_min", -np.inf),
}


@pytest.mark.parametrize("name", ODD)
def test_what_must_be_read_takes_the_long_way(name, tmp_path, monkeypatch):
    table, column, value = ODD[name]
    frames = {"entities": plain(ENTITIES), "relations": plain(RELATIONS)}
    frames[table].loc[0, column] = value
    graph, short, other = both(written(tmp_path, **frames), monkeypatch)
    assert short == 0
    same(graph, other)


def test_headers_and_types_that_are_not_the_contract_s(tmp_path, monkeypatch):
    other_names = RELATIONS.rename(columns={"source": "起点"})
    graph, short, other = both(written(tmp_path, relations=other_names), monkeypatch)
    assert short == 1
    same(graph, other)
    numbers = ENTITIES.assign(id=[1, 2, 3, 4])
    ends = RELATIONS.assign(source=["1", "4", "2", "1"], target=["2", "2", "3", "3"])
    graph, short, other = both(written(tmp_path, numbers, ends), monkeypatch)
    assert short == 1
    same(graph, other)


@pytest.mark.parametrize("seed", range(25))
def test_bad_rows_of_files(seed, tmp_path, monkeypatch):
    frames = random_tables(np.random.default_rng(1_000 + seed))
    graph, short, other = both(written(tmp_path, frames["entities"], frames["relations"]), monkeypatch)
    same(graph, other)
    empty = "" in set(frames["relations"][["source", "target"]].to_numpy().ravel())
    untyped = frames["relations"]["role"].isna().all()  # a column of nothing has no type to go by
    assert short == 2 or empty or untyped


def test_cases_and_licences(tmp_path, monkeypatch):
    graph, short, other = both(written(tmp_path, cases=CASES, licences=LICENCES), monkeypatch)
    assert short == 4
    same(graph, other)
    assert graph.cases["topic"].tolist() == ["x", None]
    assert graph.cases.dtypes.to_dict() == other.cases.dtypes.to_dict()
    graph, short, other = both(written(tmp_path, cases=CASES.assign(entity=["A ", "C"])), monkeypatch)
    assert short == 0
    same(graph, other)
    assert len(graph.cases) == 1


@pytest.mark.parametrize("on_error", ["raise", "quarantine"])
def test_ends_with_spaces_take_the_long_way(on_error, tmp_path, monkeypatch):
    relations = plain(RELATIONS)
    relations.loc[0, "source"] = " ann"
    graph, short, other = both(written(tmp_path, relations=relations), monkeypatch, on_error=on_error)
    assert short == 0
    same(graph, other)
    assert not len(graph.rejected)
    assert graph.relations["source"].iloc[0] == "ann"


def test_the_error_of_bad_rows_is_that_of_the_long_way(tmp_path, monkeypatch):
    relations = plain(RELATIONS)
    relations.loc[0, "target"] = "nobody"
    written(tmp_path, relations=relations)
    with pytest.raises(rg.errors.InvalidTable) as short:
        rg.readers.read_tables(tmp_path, on_error="raise")
    monkeypatch.setattr(tables, "plain_table", lambda *given: None)
    with pytest.raises(rg.errors.InvalidTable) as long:
        rg.readers.read_tables(tmp_path, on_error="raise")
    assert str(short.value) == str(long.value)
    assert "'nobody' is not an id of entities" in str(long.value)


def test_shares_said_to_be_percentages(tmp_path, monkeypatch):
    graph, short, other = both(written(tmp_path), monkeypatch, share_unit="percent")
    assert short == 0
    same(graph, other)
    assert graph.relations["share_min"].iloc[0] == 0.007


def test_what_was_written_comes_back_the_short_way(tmp_path, monkeypatch):
    entities = plain(ENTITIES)
    entities["note"] = [None, "x", None, " y "]
    entities.loc[0, "name"] = " Ann "  # kept as it is: the manifest says that texts are meant as they stand
    graph = rg.EntityGraph.from_tables(entities, plain(RELATIONS))
    rg.readers.write_tables(graph, tmp_path, format="parquet")
    back, short, other = both(tmp_path, monkeypatch)
    assert short == 4
    same(back, other)
    assert back.equals(graph)


def test_a_table_in_parts(tmp_path, monkeypatch):
    import pyarrow as pa
    from pyarrow import parquet

    written(tmp_path)
    (tmp_path / "relations.parquet").unlink()
    parts = tmp_path / "relations.parquet"
    parts.mkdir()
    links = pa.Table.from_pandas(RELATIONS, preserve_index=False)
    parquet.write_table(links[:1], parts / "part-0.parquet")
    parquet.write_table(links[1:], parts / "part-1.parquet")
    (parts / "_SUCCESS").touch()
    graph, short, other = both(tmp_path, monkeypatch)
    assert short == 2
    same(graph, other)
    assert len(graph.known("relations")) == 4
    entities = tmp_path / "entities.parquet"
    entities.unlink()
    entities.mkdir()
    whole = pa.Table.from_pandas(ENTITIES, preserve_index=False)
    for part in range(4):
        parquet.write_table(whole.slice(part, 1), entities / f"{part}.parquet")
    pieces = rg.readers.read_tables(tmp_path)
    same(pieces, graph)
    assert pieces.entity_column("id").array.__arrow_array__().num_chunks == 1
    RELATIONS[1:].drop(columns="share_max").to_parquet(parts / "part-2.parquet", index=False)
    with pytest.raises(rg.errors.InvalidTable, match=r"relations\.parquet is no Parquet file that can be read"):
        rg.readers.read_tables(tmp_path)


def test_parts_that_lead_out_of_the_folder(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    written(home)
    secret = tmp_path / "secret.parquet"
    (home / "relations.parquet").rename(secret)
    (home / "relations.parquet").mkdir()
    (home / "relations.parquet" / "0.parquet").symlink_to(secret)
    graph = rg.readers.read_tables(home)
    assert not len(graph.columns)
    assert "leads out of the folder" in graph.quality["problem"].str.cat()


def test_bytes_that_are_no_text(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    written(tmp_path)
    ids = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 1, 2], "int32")), pa.py_buffer(b"A\xff")]
    )
    parquet.write_table(pa.table({"id": ids, "kind": ["company", "company"]}), tmp_path / "entities.parquet")
    with pytest.raises(rg.errors.InvalidTable, match=r"entities\.parquet is no Parquet file that can be read"):
        rg.readers.read_tables(tmp_path)


def test_is_packed_only_for_arrow_strings():
    assert is_packed(pd.Series(["a"], dtype="string[pyarrow]"))
    assert not is_packed(pd.Series(["a"], dtype=object))
    assert not is_packed(pd.Series(["a"], dtype="string[python]"))


def test_a_column_shorter_than_its_file_says(tmp_path):
    from pyarrow import parquet

    class Short:
        """A file whose head tells of one row more than its columns hold."""

        def __init__(self, path):
            self._file = parquet.ParquetFile(path)
            self.schema_arrow, self.read = self._file.schema_arrow, self._file.read
            self.metadata = SimpleNamespace(num_rows=self._file.metadata.num_rows + 1)

    path = written(tmp_path) / "entities.parquet"
    with pytest.raises(rg.errors.InvalidTable, match="name has 4 cells for 5 rows"):
        _parquet.ParquetColumns([path], [Short(path)])["name"]


@pytest.mark.parametrize("alike", [False, True])
def test_places_of_single_texts(monkeypatch, alike):
    """Also where all hashes are alike, and whatever is hashed at once."""
    monkeypatch.setattr(_texts, "_BATCH", 7)
    if alike:
        monkeypatch.setattr(_texts, "_hashes", lambda texts: np.zeros(len(texts), dtype=np.uint64))
    texts = pd.Series([f"企业{number}" for number in range(40)], dtype="string[pyarrow]")
    places = Places(texts)
    assert [places.of(text) for text in texts] == list(range(40))
    assert [places.of(text) for text in ("企业", "", None, 3, float("nan"), ["企业1"])] == [-1] * 6
    assert Places(texts.iloc[:0]).of("企业1") == -1


def test_one_by_one_in_a_long_table(monkeypatch, tmp_path):
    graph = rg.datasets.load_county().graph
    rg.readers.write_tables(graph, tmp_path, format="parquet")
    monkeypatch.setattr("riskgraph.graph.SMALL", 0)
    packed = rg.readers.read_tables(tmp_path)
    assert [packed.code(entity) for entity in graph.ids[::300]] == list(range(0, len(graph), 300))
    assert packed.codes(graph.ids[5:9]).tolist() == [5, 6, 7, 8]
    assert packed.lookup(["nobody"]).tolist() == packed.lookup([7]).tolist() == [-1]
    with pytest.raises(rg.UnknownEntity, match="the graph holds no entity 'nobody'"):
        packed.code("nobody")
