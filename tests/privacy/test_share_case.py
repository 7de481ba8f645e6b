"""A shared case: no source text in its bytes, the same answers, and joins under the shared key."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.privacy import join_keys, key_fingerprint, pseudonymise, share_case
from riskgraph.schema import CASE_TYPES, ENTITY_KINDS, FACT_TYPES, LEVELS, RELATION_KINDS, ROLES, SECTORS, TABLES

from ._secrets import BUSINESS, CARD, KEY, OTHER_KEY, PERSONAL

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")


def spellings(text):
    """The bytes of a text in the encodings a file could have."""
    return [text.encode(encoding) for encoding in ENCODINGS]


def disguises(text):
    """A text as hexadecimal digits and in base 64."""
    return [text.encode().hex().encode(), base64.b64encode(text.encode()).rstrip(b"=")[:-1]]


def found_in(folder, texts):
    """Texts that stand in the files of a folder, and how many bytes were searched.

    Pseudonyms are taken out first: six of their digits may read ``f00381`` by chance. Disguises are looked for in all.
    """
    data = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    bare = {name: re.sub(rb"\b[a-z]_[0-9a-f]{24}\b", b"", raw).lower() for name, raw in data.items()}
    hits = []
    for text in texts:
        for name in data:
            if any(spelling.lower() in bare[name] for spelling in spellings(text)):
                hits.append((text, name))
            if len(text) > 3 and any(spelling in data[name] for spelling in disguises(text)):
                hits.append((text, name))
    return hits, sum(map(len, data.values()))


@pytest.mark.parametrize("dates", ["keep", "drop"])
def test_no_secret_in_any_byte(graph, tmp_path, dates):
    folder = share_case(graph, "firm-000A", 3, key=KEY, path=tmp_path / "case", dates=dates)
    hits, size = found_in(folder, (*PERSONAL, *BUSINESS, KEY.decode()))
    assert hits == []
    assert size > 1000
    # the search finds what is there
    (folder / "leak.txt").write_bytes(CARD.encode("utf-16-le"))
    assert found_in(folder, PERSONAL)[0] == [(CARD, "leak.txt")]


def test_no_text_of_the_county_in_any_byte(county, tmp_path):
    """Every text of the neighbourhood that is no word of the vocabulary, in six spellings."""
    near = county.neighborhood("C5294", 2)
    folder = share_case(county, "C5294", 2, key=KEY, path=tmp_path)
    words = {*ENTITY_KINDS, *RELATION_KINDS, *CASE_TYPES, *SECTORS, *ROLES, *LEVELS, *FACT_TYPES, "True", "False"}
    words |= {column for table in TABLES.values() for column in (*table.required, *table.optional)}
    open_words = " ".join([*words, (folder / "tables.json").read_text(), (folder / "case.json").read_text()])
    secrets = {
        text
        for frame in near.tables().values()
        for column in frame.columns.difference(["birth_year"])  # four digits stand in many an amount by chance
        for text in frame[column].dropna().unique()
        if isinstance(text, str) and text not in open_words
    }
    assert len(secrets) > 100
    assert {"C5294", near.entities["name"][0]} <= secrets
    hits, size = found_in(folder, secrets)
    assert hits == []
    assert size > 10_000
    assert "birth_year" in near.entities
    assert "birth_year" not in rg.read(folder).entities


def both(graph, entity, depth, tmp_path, **options):
    near = graph.neighborhood(entity, depth)
    case = rg.read(share_case(graph, entity, depth, key=KEY, path=tmp_path, **options))
    ours = join_keys(near, KEY).merge(case.entities, on="join_name", suffixes=("_ours", "_theirs"))
    return near, case, ours


def paired(near, case, tmp_path):
    """Our id -> id in the case, by the order of hashes that the holder of the key can redo."""
    from riskgraph._pseudonyms import SecretKey
    from riskgraph.privacy.share import _entity

    secret = SecretKey(KEY)
    place = {id: _entity(id, secret) for id in near.ids}
    assert set(place.values()) == set(case.ids)
    return place


@pytest.mark.parametrize("dates", ["keep", "drop"])
@pytest.mark.parametrize("centre", ["C5294", "C5548", "C1225"])
def test_scores_and_ownership_are_the_same(county, tmp_path, centre, dates):
    near, case, _ = both(county, centre, 2, tmp_path, dates=dates)
    place = paired(near, case, tmp_path)
    assert len(near) == len(case) > 3
    assert len(near.relations) == len(case.relations)
    assert near.valid_on == case.valid_on or dates == "drop"
    seeds = near.seeds()
    pd.testing.assert_series_equal(
        case.seeds().sort_index(), seeds.rename(index=place).sort_index(), check_names=False, check_index_type=False
    )
    for method in ("cascade", "threshold", "pagerank"):
        begin = None if len(seeds) else [centre]
        ours = rg.propagate(near, begin, method).scores_
        theirs = rg.propagate(case, None if begin is None else [place[centre]], method).scores_
        np.testing.assert_allclose(theirs[[place[id] for id in ours.index]], ours, rtol=0, atol=1e-12)
    ours = rg.ownership.integrated_ownership(near).replace({"owner": place, "asset": place})
    theirs = rg.ownership.integrated_ownership(case)
    keys = ["owner", "asset"]
    pd.testing.assert_frame_equal(
        ours.sort_values(keys, ignore_index=True), theirs.sort_values(keys, ignore_index=True), rtol=0, atol=1e-12
    )
    ours = rg.ownership.control(near).replace({"controller": place, "company": place})
    theirs = rg.ownership.control(case)
    keys = ["controller", "company"]
    pick = [*keys, "votes_min", "votes_max", "verdict", "depth"]
    pd.testing.assert_frame_equal(
        ours[pick].sort_values(keys, ignore_index=True), theirs[pick].sort_values(keys, ignore_index=True), atol=1e-12
    )


def test_another_office_joins_with_the_same_key_only(graph, tmp_path):
    case = rg.read(share_case(graph, "firm-000A", key=KEY, path=tmp_path))
    theirs = rg.EntityGraph.from_tables(
        pd.DataFrame(
            {
                "id": ["77", "78", "79", "80"],
                "kind": ["company", "company", "person", "company"],
                "name": ["斑馬", "ＺＥＢＲＡ  holding Ltd.", "A. X.", "斑马投资(澄湖)有限公司"],
                "uscc": ["91110000600037341l", None, None, None],
                "passport_or_card": [None, None, CARD, None],
            }
        ),
        pd.DataFrame({"source": [], "target": [], "kind": []}),
    )

    def joined(key):
        mine = join_keys(theirs, key)
        return {
            column: mine.dropna(subset=column).merge(case.entities.dropna(subset=column), on=column)["id_x"].tolist()
            for column in ("join_uscc", "join_card", "join_name")
        }

    assert joined(KEY) == {"join_uscc": ["77"], "join_card": ["79"], "join_name": ["78", "80"]}
    assert joined(OTHER_KEY) == {"join_uscc": [], "join_card": [], "join_name": []}


def test_the_manifest_tells_key_and_counts(graph, tmp_path):
    folder = share_case(graph, "firm-000A", 1, key=KEY, path=tmp_path)
    about = json.loads((folder / "case.json").read_text())
    assert about["key_fingerprint"] == key_fingerprint(KEY)
    assert about["rows"]["entities"] == len(graph.neighborhood("firm-000A", 1))
    assert about["centre"] in rg.read(folder).ids
    assert about["depth"] == 1


def test_the_same_case_has_the_same_bytes(graph, tmp_path):
    shuffled = {name: frame.sample(frac=1, random_state=5) for name, frame in graph.tables().items()}
    again = rg.EntityGraph.from_tables(**shuffled)
    one, two = (share_case(g, "firm-000A", key=KEY, path=tmp_path / str(spot)) for spot, g in enumerate((graph, again)))
    assert [path.name for path in sorted(one.iterdir())] == [path.name for path in sorted(two.iterdir())]
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes(), path.name


def test_dropped_dates_leave_none_and_no_past(graph, tmp_path):
    folder = share_case(graph, "firm-000A", 3, key=KEY, path=tmp_path, dates="drop")
    data = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"2014" not in data
    assert b"2015" not in data
    case = rg.read(folder)
    assert case.latest is None
    assert len(case.relations) == len(graph.relations) == 5


def test_a_case_of_a_pseudonymised_graph(graph, tmp_path):
    hidden = pseudonymise(graph, KEY)
    folder = share_case(hidden, "firm-000A", 3, key=KEY, path=tmp_path)
    assert found_in(folder, (*PERSONAL, *BUSINESS))[0] == []


def test_refusals(graph, tmp_path):
    (tmp_path / "names.txt").write_text("Ann Xamplova")
    with pytest.raises(rg.InvalidParameter, match=r"'path' must be a new or empty folder.*it holds 'names.txt'"):
        share_case(graph, "firm-000A", key=KEY, path=tmp_path)
    with pytest.raises(rg.InvalidParameter, match="'dates' must be 'keep' or 'drop'; got 'some'"):
        share_case(graph, "firm-000A", key=KEY, path=tmp_path / "x", dates="some")
    with pytest.raises(rg.InvalidParameter, match="'key' must have at least 16 bytes; got 3"):
        share_case(graph, "firm-000A", key=b"abc", path=tmp_path / "x")
    with pytest.raises(rg.UnknownEntity, match="firm-000X"):
        share_case(graph, "firm-000X", key=KEY, path=tmp_path / "x")
    assert not (tmp_path / "x").exists()
