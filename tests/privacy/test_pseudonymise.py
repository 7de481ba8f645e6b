"""Persons are gone from every cell, and nothing that computes notices."""

from __future__ import annotations

import logging
import pickle
import re
import traceback

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph._pseudonyms import SecretKey, is_card, plain_name
from riskgraph.evidence import fingerprint
from riskgraph.privacy import key_fingerprint, pseudonymise
from riskgraph.readers import write_tables

from ._secrets import BUSINESS, CARD, KEY, OTHER_KEY, PERSONAL, texts_of


def everything(graph):
    return "\n".join(sorted(texts_of(graph))).casefold()


def test_the_graph_under_test_holds_every_secret(graph):
    before = everything(graph)
    assert [text for text in (*PERSONAL, *BUSINESS) if text.casefold() not in before] == []


def test_no_cell_holds_a_person(graph):
    hidden = pseudonymise(graph, KEY)
    after = everything(hidden)
    assert [text for text in PERSONAL if text.casefold() in after] == []


def test_firms_and_vocabulary_stay(graph):
    hidden = pseudonymise(graph, KEY)
    after = everything(hidden)
    gone = {text for text in BUSINESS if text.casefold() not in after}
    assert gone == set()
    assert hidden.entities["id"].tolist()[2:4] == ["firm-000A", "firm-000B"]
    assert hidden.known("relations")["role"].dropna().tolist() == ["zebra-role"]


def test_one_person_has_one_pseudonym_in_all_tables(graph):
    hidden = pseudonymise(graph, KEY)
    first, second = hidden.ids[:2]
    assert first.startswith("p_")
    assert hidden.known("relations")["source"].tolist()[:2] == [first, second]
    assert hidden.known("cases")["entity"].tolist()[2] == second
    facts = hidden.known("facts").set_index("fact")["value"]
    assert facts["undisclosed_owner"] == second
    assert facts["name"] == hidden.entities["name"][1]  # a fact that gives a person the other person's name
    assert hidden.entities["name"][0] in facts["ad_text"]


def test_card_and_telephone_numbers_held_as_numbers():
    entities = pd.DataFrame(
        {
            "id": ["P", "C"],
            "kind": ["person", "company"],
            "card_text": [CARD, None],
            "card": [int(CARD), 5],
            "card_float": [float(CARD), 5.5],
            "call": [13912345678, 7],
            "size": [1e12, 11.0],
        }
    )
    none = pd.DataFrame({"source": [], "target": [], "kind": []})
    hidden = pseudonymise(rg.EntityGraph.from_tables(entities, none), KEY).entities
    assert hidden["card"][0] == hidden["card_text"][0]
    assert all(hidden[column][0].startswith("c_") for column in ("card", "card_float", "call"))
    assert (hidden["card"][1], hidden["card_float"][1], hidden["call"][1]) == (5, 5.5, 7)
    assert hidden["size"].tolist() == [1e12, 11.0]


@pytest.mark.parametrize(
    "text",
    [
        "call 13912345678", "call +8613912345678", "call 8613912345678.", "call 008613912345678", "call 139-1234-5678",
        "call 139 1234 5678", "电话：１３９１２３４５６７８，", "+86 139 1234 5678", "tel:+86-139-1234-5678",
    ],
)  # fmt: skip
def test_a_mobile_number_is_found_in_every_spelling(text):
    entities = pd.DataFrame({"id": ["A", "B"], "kind": "company", "scope": [text, "13912345678"]})
    none = pd.DataFrame({"source": [], "target": [], "kind": []})
    found, plain = pseudonymise(rg.EntityGraph.from_tables(entities, none), KEY).entities["scope"]
    assert plain in found
    assert "1234" not in found.replace(plain, "")


def test_a_card_number_in_groups_is_found():
    scope = f"card {CARD[:6]} {CARD[6:14]} {CARD[14:]} of nobody"
    entities = pd.DataFrame({"id": ["A"], "kind": "company", "scope": [scope]})
    none = pd.DataFrame({"source": [], "target": [], "kind": []})
    found = pseudonymise(rg.EntityGraph.from_tables(entities, none), KEY).entities["scope"][0]
    assert CARD[6:14] not in found
    assert found.startswith("card c_")
    assert found.endswith(" of nobody")


def test_numbers_among_texts_and_facts_and_birthdays():
    """A telephone number in a column of mixed cells and in a fact; an amount that looks like one stays what it is."""
    entities = pd.DataFrame(
        {
            "id": ["P", "C"],
            "kind": ["person", "company"],
            "mixed": pd.Series([13912345678, "text"], dtype=object),
            "reach": pd.Series(["text", 13912345678], dtype=object),
            "born": pd.to_datetime(["1980-05-06", "2001-02-03"]),
            "start": ["1999-01-01", None],
        }
    )
    facts = pd.DataFrame(
        {
            "entity": ["C", "C", "C"],
            "fact": ["phone", "loan_balance", "odd"],
            "value": pd.Series([13912345678, 13912345678.0, 5], dtype=object),
        }
    )
    none = pd.DataFrame({"source": [], "target": [], "kind": []})
    graph = rg.EntityGraph.from_tables(entities, none, facts=facts)
    hidden = pseudonymise(graph, KEY)
    values = hidden.known("facts").set_index("fact")["value"]
    assert values["phone"].startswith("c_")
    assert (values["loan_balance"], values["odd"]) == (13912345678.0, 5)
    assert "13912345678" not in hidden.entities["mixed"][0] + hidden.entities["reach"][1]
    assert hidden.entities["born"].isna().tolist() == [True, False]
    assert hidden.entities["start"][0] == pd.Timestamp("1999-01-01")


def test_mail_addresses_join_across_firms(graph):
    hidden = pseudonymise(graph, KEY).entities["email"]
    assert hidden[0] == hidden[2]
    assert hidden[0].startswith("t_")


@pytest.mark.parametrize("name", ["cascade", "threshold", "pagerank"])
def test_scores_are_those_of_the_open_graph(county, name):
    hidden = pseudonymise(county, KEY)
    ours, theirs = rg.propagate(county, method=name).scores_, rg.propagate(hidden, method=name).scores_
    place = dict(zip(county.ids, hidden.ids, strict=True))
    np.testing.assert_allclose(theirs.reindex([place[id] for id in ours.index]), ours, atol=1e-15)
    assert (ours > 0).sum() > 20


def test_ownership_is_that_of_the_open_graph(county):
    hidden = pseudonymise(county, KEY)
    place = dict(zip(county.ids, hidden.ids, strict=True))

    def frame(graph):
        found = rg.ownership.integrated_ownership(graph)
        return found.assign(
            owner=found["owner"].map(lambda id: place.get(id, id)),
            asset=found["asset"].map(lambda id: place.get(id, id)),
        ).sort_values(["owner", "asset"], ignore_index=True)

    ours = frame(county)
    pd.testing.assert_frame_equal(ours, frame(hidden), rtol=0, atol=1e-15)
    assert len(ours) > 500


def test_the_county_as_files_names_no_person(county, tmp_path):
    """Byte by byte, in a thousand persons' ids and names; the names of firms are the one place not looked at."""
    hidden = pseudonymise(county, KEY)
    frame = hidden.entities
    firms = frame[frame["kind"] == "company"]["name"]
    folder = write_tables(hidden, tmp_path)
    people = county.entities[county.entities["kind"].isin(["person", "account", "unknown"])]
    words = sorted({*people["id"], *people["name"].dropna()})
    assert len(words) > 1000
    texts = [path.read_text("utf-8") for path in sorted(folder.iterdir())]
    for firm in sorted(firms.dropna().unique(), key=len, reverse=True):
        texts = [text.replace(firm, "") for text in texts]
    assert sum(map(len, texts)) > 300_000
    assert [word for word in words if any(word in text for text in texts)] == []


def test_another_key_gives_unrelated_pseudonyms(graph):
    ours, theirs = pseudonymise(graph, KEY), pseudonymise(graph, OTHER_KEY)
    assert not {text for text in texts_of(ours) if text[:2] in ("p_", "n_", "t_", "c_")} & texts_of(theirs)
    assert pseudonymise(graph, KEY).equals(ours)
    assert pseudonymise(graph, KEY.decode()).equals(ours)


def test_dates_stay(graph):
    past = pseudonymise(graph.at("2013-06-30", known="2014-01-01"), KEY)
    assert (past.valid_on, past.known_by) == (pd.Timestamp("2013-06-30"), pd.Timestamp("2014-01-01"))
    assert len(past.relations) == len(graph.at("2013-06-30").relations)
    assert repr(pseudonymise(graph, KEY)) == repr(graph)


def test_quality_and_rejected_hold_no_person():
    entities = pd.DataFrame(
        {"id": ["p1", "c1", "p1"], "kind": ["person", "company", "person"], "name": ["Ann", "Firm", "Secret Twin"]},
        index=["row of Ann", "row of Firm", "row of Twin"],
    )
    relations = pd.DataFrame(
        {"source": ["p1", "Unknown Uma"], "target": ["c1", "c1"], "kind": ["owns", "owns"], "share": [0.5, 0.25]}
    )
    graph = rg.EntityGraph.from_tables(entities, relations, on_error="quarantine")
    before = texts_of(graph)
    assert {"Unknown Uma", "Secret Twin"} <= before
    hidden = pseudonymise(graph, KEY)
    after = everything(hidden)
    assert not [text for text in ("uma", "twin", "ann") if text in after]
    assert len(hidden.quality) == len(graph.quality)
    assert set(hidden.quality["problem"]) == {"withheld: the message may quote a person"}
    assert hidden.rejected["relations"]["share"].tolist() == [0.25]
    assert hidden.rejected["relations"]["source"].iloc[0].startswith("t_")


def test_a_rejected_row_has_the_pseudonym_of_its_person():
    entities = pd.DataFrame({"id": ["p1", "c1"], "kind": ["person", "company"]})
    relations = pd.DataFrame({"source": ["p1", "p1"], "target": ["c1", "c9"], "kind": ["owns", "owns"]})
    hidden = pseudonymise(rg.EntityGraph.from_tables(entities, relations, on_error="quarantine"), KEY)
    assert hidden.rejected["relations"]["source"].iloc[0] == hidden.ids[0]


@pytest.mark.parametrize("key", [b"short", "fifteen letters", b"", bytearray(15)])
def test_a_short_key_is_refused_without_quoting_it(graph, key):
    with pytest.raises(rg.InvalidParameter, match=rf"'key' must have at least 16 bytes; got {len(key)}$"):
        pseudonymise(graph, key)
    with pytest.raises(rg.InvalidParameter, match="'key' must be bytes or a text; got int"):
        pseudonymise(graph, 12345678901234567890)


def test_kinds_are_checked(graph):
    with pytest.raises(rg.InvalidParameter, match="'kinds' must be kinds of entities"):
        pseudonymise(graph, KEY, kinds=["people"])
    firms = pseudonymise(graph, KEY, kinds=["company"])
    assert firms.ids[0] == "person-0001"
    assert firms.ids[2].startswith("p_")


def test_the_key_is_shown_nowhere(graph, caplog):
    caplog.set_level(logging.DEBUG)
    secret = SecretKey(KEY)
    hidden = pseudonymise(graph, KEY)
    shown = [repr(secret), str(secret), f"{secret}", repr(hidden), hidden._repr_html_(), caplog.text, *texts_of(hidden)]
    for action in (lambda: pickle.dumps(secret), lambda: pseudonymise(graph, KEY, kinds=["none"]), lambda: secret + 1):
        try:
            action()
        except (TypeError, rg.InvalidParameter):
            shown.append(traceback.format_exc().split("Error", 1)[-1])
        else:
            raise AssertionError("must fail")
    shown.append(pickle.dumps(hidden).decode("latin-1"))
    for text in shown:
        assert KEY.decode() not in text
        assert KEY.hex() not in text
    assert key_fingerprint(KEY) in repr(secret)
    assert key_fingerprint(KEY) != key_fingerprint(OTHER_KEY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(CARD, True), ("110101199003074515", False), ("110101900307451", True), ("110101991307451", False), ("x", False)],
)
def test_card_numbers(text, expected):
    assert is_card(text) is expected
    assert is_card(f" {text} ") is expected


names = st.text(st.sampled_from("刘伟何勇王ABab1 （)，.·é'\"=\n"), min_size=2, max_size=6).filter(
    lambda text: len(plain_name(text)) > 1 and not plain_name(text).isdigit()
)


@given(
    name=names,
    before=st.sampled_from(["", "联系人：", "ask ", "(", "，"]),
    after=st.sampled_from(["", "，", " now", ")"]),
)
@settings(max_examples=60, deadline=None)
def test_a_name_inside_a_text_is_found(name, before, after):
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame(
            {
                "id": ["P", "C"],
                "kind": ["person", "company"],
                "name": [name, "Firm"],
                "note": [None, before + name + after],
            }
        ),
        pd.DataFrame({"source": ["P"], "target": ["C"], "kind": ["owns"], "share": [0.5]}),
    )
    hidden = pseudonymise(graph, KEY)
    assert name.strip() not in re.sub(r"[np]_[0-9a-f]{24}", "", hidden.entities["note"][1])
    assert hidden.entities["name"][0] in hidden.entities["note"][1]


def test_a_name_is_not_found_inside_a_longer_latin_word():
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame(
            {
                "id": ["P", "C"],
                "kind": ["person", "company"],
                "name": ["Ann", "F"],
                "scope": [None, "annual plans of Ann"],
            }
        ),
        pd.DataFrame({"source": ["P"], "target": ["C"], "kind": ["owns"]}),
    )
    hidden = pseudonymise(graph, KEY)
    assert hidden.entities["scope"][1] == f"annual plans of {hidden.entities['name'][0]}"


def test_reading_hides_from_the_start(graph, tmp_path, caplog):
    folder = write_tables(graph, tmp_path / "tables")
    with caplog.at_level("DEBUG"):
        hidden = rg.read(folder, pseudonymise=KEY)
    assert fingerprint(hidden) == fingerprint(pseudonymise(rg.read(folder), KEY))
    assert [text for text in PERSONAL if text.casefold() in everything(hidden)] == []
    assert [text for text in (*PERSONAL, KEY.decode()) if text in caplog.text] == []
    with pytest.raises(rg.InvalidParameter, match="16 bytes"):
        rg.read(folder, pseudonymise="short")


def test_an_error_of_reading_quotes_nothing(tmp_path):
    (tmp_path / "entities.csv").write_text("id,kind,name\nAnn Xamplova,nobody,Ann Xamplova\n", "utf-8")
    (tmp_path / "relations.csv").write_text("source,target,kind\n", "utf-8")
    with pytest.raises(rg.InvalidTable, match="nobody"):
        rg.read(tmp_path, on_error="raise")
    with pytest.raises(rg.InvalidTable) as told:
        rg.read(tmp_path, on_error="raise", pseudonymise=KEY)
    assert "why is not told" in str(told.value)
    assert told.value.__suppress_context__
    assert "Xamplova" not in str(told.value)
