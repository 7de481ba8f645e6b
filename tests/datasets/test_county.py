"""The county: its files, its codes and names, its vocabulary, its dates, and that it can be written again."""

import json
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskgraph.datasets import load_county, make_county
from riskgraph.datasets._county_files import write_county
from riskgraph.datasets._county_world import PLACES
from riskgraph.datasets._uscc import ALPHABET, check_character, organisation_check, unissued_code
from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.evidence import fingerprint
from riskgraph.graph import EntityGraph
from riskgraph.readers import read
from riskgraph.schema import ENTITY_KINDS, FACT_TYPES, RELATION_KINDS, SECTORS, SEED_CASES

FOLDER = Path(__file__).parents[2] / "datasets" / "county"
#: facts that come from other registers or from an inspector's own file, not from the county's tables
ELSEWHERE = {
    "undisclosed_owner", "firewall", "province_passed", "provincial_approval", "counterparty_mode", "sustainable",
    "repayment_risk", "flight_signs", "maturity_mismatch", "weak_control", "reserve_misused", "site_type",
    "approved_products", "refuses_rectification", "false_information",
}  # fmt: skip
TYPOLOGIES = (
    "onion_shell",
    "circular_capital",
    "nominee_star",
    "guarantee_ring",
    "self_financing",
    "licence_stacking",
    "evasion_49",
    "feeder_split",
    "multi_layer_nesting",
    "subcontract_chain",
    "officer_ban_breach",
    "multi_case_shareholder",
    "registered_elsewhere",
    "plain",
)


@pytest.fixture(scope="module")
def tables():
    return make_county()


@pytest.fixture(scope="module")
def county():
    return load_county()


# -- files -----------------------------------------------------------------------------------------------------------


def test_committed_files_are_written_again_byte_for_byte(tmp_path):
    subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-m", "riskgraph.datasets.county", str(tmp_path)],
        check=True,
        timeout=120,
    )
    names = sorted(path.name for path in FOLDER.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    for name in names:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_reading_the_folder_gives_the_same_graph(county):
    assert fingerprint(read(FOLDER)) == fingerprint(county.graph)


def test_manifest_counts_rows_and_bytes():
    files = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert set(files) == {path.name for path in FOLDER.iterdir()} - {"manifest.json"}
    for name, said in files.items():
        data = (FOLDER / name).read_bytes()
        assert len(data) == said["bytes"]
        if name.endswith(".csv"):
            assert len(pd.read_csv(FOLDER / name, dtype=str)) == said["rows"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000


def test_without_files_the_same_county_is_generated(county, tmp_path, monkeypatch):
    monkeypatch.setattr("riskgraph.datasets.county.__file__", str(tmp_path / "a" / "b" / "county.py"))
    monkeypatch.delenv("RISKGRAPH_DATA", raising=False)
    generated = load_county()
    assert generated.graph.equals(county.graph)
    pd.testing.assert_frame_equal(generated.labels, county.labels)
    pd.testing.assert_frame_equal(generated.schemes, county.schemes)
    assert generated.DESCR == county.DESCR == (FOLDER / "README.md").read_text(encoding="utf-8")


def test_environment_variable_names_the_folder(county, tmp_path, monkeypatch):
    write_county(make_county(random_state=7), tmp_path / "county")
    monkeypatch.setenv("RISKGRAPH_DATA", str(tmp_path))
    other = load_county()
    assert not other.graph.equals(county.graph)
    assert set(other.labels["typology"]) == set(TYPOLOGIES)


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    shutil.copytree(FOLDER, tmp_path / "county")
    path = tmp_path / "county" / "cases.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("banned", "sanctioned"), encoding="utf-8")
    monkeypatch.setenv("RISKGRAPH_DATA", str(tmp_path))
    with pytest.raises(InvalidTable, match=r"cases\.csv must have the sha256 \w{12}… of its manifest; got \w{12}…"):
        load_county()


def test_dataset_is_frozen_and_speaks(county):
    with pytest.raises(AttributeError):
        county.graph = None
    assert repr(county).startswith("Dataset: EntityGraph: 4,")
    assert "invented" in county.DESCR


# -- what is in it ---------------------------------------------------------------------------------------------------


def test_graph_is_clean_and_of_the_stated_size(county):
    assert county.graph.quality.empty
    kinds = county.graph.entities["kind"].value_counts()
    assert 1500 <= kinds["company"] <= 1550
    assert 2000 <= kinds["person"] <= 2100
    assert 440 <= kinds["product"] <= 490
    assert set(kinds.index) == set(ENTITY_KINDS)


def test_vocabulary_is_covered(tables):
    assert set(tables["relations"]["kind"]) == set(RELATION_KINDS)
    assert set(tables["entities"]["sector"].dropna()) == set(SECTORS)
    assert set(SEED_CASES) <= set(tables["cases"]["type"])
    facts = set(tables["facts"]["fact"])
    assert {fact for fact in facts if not fact.startswith("approval:")} == set(FACT_TYPES) - ELSEWHERE
    assert len([fact for fact in facts if fact.startswith("approval:")]) == 3
    booleans = tables["facts"][tables["facts"]["fact"].isin(["direct_lending", "capital_pool"])]
    assert set(booleans["value"]) == {"true", "false", "unknown"}


def test_about_twenty_five_seeds(county):
    assert len(county.graph.seeds()) == 25
    dates = county.graph.known("cases").query("type in @SEED_CASES")["start"]
    assert dates.between("2012-01-01", "2017-12-31").all()


def test_every_label_is_an_entity_with_three_instances(county):
    assert list(county.labels.columns) == ["entity", "typology"]
    assert set(county.labels["typology"]) == set(TYPOLOGIES)
    assert all(entity in county.graph for entity in county.schemes["entity"])
    instances = county.schemes.groupby("typology")["scheme"].nunique()
    assert (instances >= 3).all()
    assert instances["plain"] >= 80
    labelled = county.schemes.query("labelled == 'true'")[["entity", "typology"]]
    assert sorted(map(tuple, labelled.to_numpy())) == sorted(map(tuple, county.labels.to_numpy()))
    assert not county.labels.duplicated().any()


def test_declared_shares_sum_to_exactly_one(tables):
    owns = tables["relations"].query("kind == 'owns' and end.isna()")
    units = (owns["share"] * 10**6).round().groupby(owns["target"])
    exact = units.sum()[owns["share"].notna().groupby(owns["target"]).all()]
    # the capital a circle pays in is counted in, so every company with exact shares is fully declared
    assert len(exact) > 500
    assert (exact == 10**6).all()
    bands = owns[owns["share_min"].notna()]
    assert (bands["share_min"] == 0.25).all()
    assert (bands["share_max"] == 0.5).all()
    held = owns["target"].nunique()
    assert 0.005 < bands["target"].nunique() / held < 0.06
    missing = owns[owns["share"].isna() & owns["share_min"].isna()]
    assert 5 <= missing["target"].nunique() <= 30


def test_every_company_has_a_holder_or_a_head(tables):
    companies = set(tables["entities"].query("kind == 'company'")["id"])
    relations = tables["relations"]
    held = set(relations.query("kind == 'owns'")["target"])
    branches = set(relations.query("kind == 'branch_of'")["source"])
    assert companies == held | branches


def test_nothing_begins_before_both_ends_exist(tables):
    born = tables["entities"].set_index("id")["start"].dropna()
    relations = tables["relations"].dropna(subset=["start"])
    for side in ("source", "target"):
        dates = relations[side].map(born).fillna("0000")
        assert (relations["start"] >= dates).all()
    ended = tables["relations"].dropna(subset=["start", "end"])
    assert (ended["start"] < ended["end"]).all()
    assert len(ended) > 50


def test_some_things_became_known_late(tables):
    relations = tables["relations"].dropna(subset=["known_from"])
    assert (relations["known_from"] >= relations["start"]).all()
    assert 0.05 < len(relations) / len(tables["relations"]) < 0.3
    plans = tables["facts"][tables["facts"]["fact"].str.startswith("repayment")]
    assert (plans["known_from"] < plans["start"]).all()


def test_plans_do_not_move_the_graph_into_the_future(county):
    assert county.graph.latest == pd.Timestamp("2017-01-11")
    assert county.graph.known("facts")["start"].max() == pd.Timestamp("2017-08-31")


def test_declared_and_observed_balances_differ_for_some(tables):
    balances = (
        tables["facts"]
        .query("fact == 'loan_balance'")
        .pivot_table(index="entity", columns="source_ref", values="value", aggfunc="first")
    )
    both = balances.dropna(subset=["declared", "bank_flow"])
    assert len(both) == 24
    assert (both["declared"] != both["bank_flow"]).sum() == 8


def test_posts_end_when_a_firm_is_struck_off(tables):
    gone = tables["entities"].query("kind == 'company' and end.notna()").set_index("id")["end"]
    posts = tables["relations"].query("kind == 'officer'")
    posts = posts[posts["target"].isin(gone.index)]
    assert len(gone) >= 10
    assert (posts["end"] == posts["target"].map(gone)).all()
    # officers of a revoked firm were still in office on the day of the revocation
    revoked = posts.assign(
        on=posts["target"].map(tables["cases"].query("type == 'revoked'").set_index("entity")["start"])
    )
    revoked = revoked.dropna(subset=["on"])
    assert len(revoked) >= 7
    assert (revoked["on"] < revoked["end"]).all()


# -- names and codes -------------------------------------------------------------------------------------------------


def test_codes_pass_both_checks_and_were_never_issued(tables):
    companies = tables["entities"].query("kind == 'company'")
    codes = companies["uscc"]
    assert codes.is_unique
    for code in codes:
        assert re.fullmatch(f"[{ALPHABET}]{{18}}", code)
        assert sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17] + "0")) % 31 == (
            -ALPHABET.index(code[17]) % 31
        )
        weighted = sum(int(c, 36) * w for c, w in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
        last = 10 if code[16] == "X" else int(code[16])
        assert (weighted + last) % 11 == 0
    # GB/T 2260 has no city 98 or 99
    assert set(codes.str[4:6]) <= {"98", "99"}
    assert (codes.str[2:8] == companies["registered_in"]).all()


def test_published_check_characters():
    # the code printed as the example in common descriptions of GB 32100-2015
    assert check_character("91350100M000100Y4") == "3"
    assert organisation_check("M000100Y") == "4"
    assert unissued_code("329921", 12)[:17] == "91329921MA000012" + organisation_check("MA000012")


def test_no_two_codes_differ_in_one_place_only(tables):
    codes = tables["entities"]["uscc"].dropna().tolist()[:120]
    assert min(sum(a != b for a, b in zip(x, y, strict=True)) for x, y in combinations(codes, 2)) >= 2


def test_firms_are_named_after_invented_places(tables):
    companies = tables["entities"].query("kind == 'company'")
    assert companies["name"].is_unique
    assert companies["name"].str[:2].isin(PLACES.values()).all()
    sites = tables["entities"].query("kind == 'website'")["name"]
    assert sites.str.endswith(".example").all()


def test_namesakes_are_different_people(tables):
    people = tables["entities"].query("kind == 'person'")
    assert (people["name"] == "刘伟").sum() == 6
    guesses = tables["relations"].query("kind == 'same_as'")
    names = people.set_index("id")["name"]
    assert (guesses["source"].map(names) == guesses["target"].map(names)).all()
    assert guesses["confidence"].between(0.01, 0.99).all()


def test_another_seed_gives_another_county_with_the_same_schemes():
    other = make_county(random_state=1)
    assert set(other["labels"]["typology"]) == set(TYPOLOGIES)
    assert not other["relations"].equals(make_county()["relations"])
    np.testing.assert_array_equal(
        other["labels"]["typology"].value_counts(sort=False).sort_index(),
        make_county()["labels"]["typology"].value_counts(sort=False).sort_index(),
    )


def test_shops_change_no_other_row(tables):
    """The county without its shops is the same county, row by row and id by id."""
    without = make_county(shops=0)
    for name, frame in without.items():
        key = list(frame.columns)
        assert len(frame.merge(tables[name].drop_duplicates(), on=key)) == len(frame), name
    assert (tables["entities"]["kind"] == "company").sum() - (without["entities"]["kind"] == "company").sum() == 900


@pytest.mark.parametrize("shops", [-1, 961, 2.5, True])
def test_number_of_shops_is_checked(shops):
    with pytest.raises(InvalidParameter, match="'shops' must be a whole number from 0 to 960"):
        make_county(shops=shops)


def test_a_county_whose_youngest_firm_is_struck_off_is_clean():
    """A firm that begins after the day drawn for its revocation is struck off a month after it began."""
    tables = make_county(shops=0, random_state=1394609702)
    del tables["labels"], tables["schemes"]
    assert EntityGraph.from_tables(**tables).quality.empty
