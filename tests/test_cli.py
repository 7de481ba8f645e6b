"""The command line: what it prints and writes, and its exit codes."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner

from riskgraph.cli import main


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path):
    """A small folder: a banned platform, who runs it, and a hostile name."""
    entities = pd.DataFrame(
        {
            "id": ["P", "C", "D", "F"],
            "kind": ["person", "company", "company", "product"],
            "name": ["赵某", "甲平台有限公司", "=HYPERLINK(1)", "甲计划"],
        }
    )
    relations = pd.DataFrame(
        {
            "source": ["P", "P", "D"],
            "target": ["C", "D", "F"],
            "kind": ["owns", "officer", "invests"],
            "share": [0.9, None, None],
            "role": [None, "legal_representative", None],
            "amount": [None, None, 1e6],
        }
    )
    cases = pd.DataFrame({"entity": ["C", "D"], "type": ["banned", "abnormal"], "start": ["2016-01-01", "2016-01-01"]})
    data = tmp_path / "data"
    data.mkdir()
    for name, frame in {"entities": entities, "relations": relations, "cases": cases}.items():
        frame.to_csv(data / f"{name}.csv", index=False)
    return data


def test_check_reports_what_is_there_and_what_is_wrong(folder):
    with (folder / "relations.csv").open("a") as file:
        file.write("P,nobody,owns,0.5,,\n")
    result = run("check", folder)
    assert result.exit_code == 0, result.output
    assert "EntityGraph: 4 entities, 3 relations" in result.output
    assert "left out of relations: 1 rows" in result.output
    assert "'nobody' is not an id of entities" in result.output


def test_propagate_ranks_and_writes(folder, tmp_path):
    out, page = tmp_path / "r.csv", tmp_path / "p.html"
    result = run("propagate", folder, "--out", out, "--page", page)
    assert result.exit_code == 0, result.output
    assert "赵某" in result.output
    table = pd.read_csv(out, encoding="utf-8-sig")
    assert table["name"].tolist()[0] == "赵某"
    assert "'=HYPERLINK(1)" in set(table["name"])
    assert "甲平台有限公司" in page.read_text("utf-8")


def test_propagate_from_chosen_seeds(folder):
    assert (
        "'=HYPERLINK(1) company     1" in run("propagate", folder, "--seed", "D", "--top", "1", "--with-seeds").output
    )
    result = run("propagate", folder, "--seed-cases", "abnormal")
    assert result.exit_code == 0, result.output
    assert "1 seeds, 3 entities reached" in result.output
    bad = run("propagate", folder, "--seed-cases", "fined")
    assert bad.exit_code == 2
    assert "'fined' is no case type; use banned" in bad.output


def test_nesting(folder, tmp_path):
    result = run("nesting", folder, "--out", tmp_path / "n.parquet")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "n.parquet").exists()


def test_ownership(folder):
    result = run("ownership", folder, "--company", "C")
    assert result.exit_code == 0, result.output
    assert "0.9" in result.output
    assert run("ownership", folder, "--controllers").exit_code == 0
    assert run("ownership", folder).exit_code == 2


def test_an_answer_is_kept_and_computed_again(folder, tmp_path):
    kept = tmp_path / "result.json"
    asked = run("answer", folder, "integrated_ownership", 'owners=["P"]', "--out", kept)
    assert asked.exit_code == 0, asked.output
    again = run("verify", kept, "--data", folder)
    assert (again.exit_code, again.output) == (0, "integrated_ownership: the same\n")
    text = (folder / "relations.csv").read_text()
    (folder / "relations.csv").write_text(text.replace("0.9", "0.8"))
    other = run("verify", kept, "--data", folder)
    assert other.exit_code == 1
    assert "result: row P, C: " in other.output
    assert run("answer", folder, "astrology").exit_code == 2
    assert run("answer", folder, "layers", "without a sign").exit_code == 2
    assert run("answer", folder, "layers", "--out", tmp_path / "layers.csv").exit_code == 2
    (tmp_path / "none.json").write_text("{}")
    assert run("verify", tmp_path / "none.json", "--data", folder).exit_code == 3


def test_exit_codes(folder, tmp_path):
    unknown = run("ownership", folder, "--company", "Z")
    assert (unknown.exit_code, "holds no entity 'Z'" in unknown.output) == (2, True)
    assert run("propagate", folder, "--method", "magic").exit_code == 2
    assert run("propagate", folder, "--at", "soon").exit_code == 2
    assert run("propagate", folder, "--known", "2016-01-01").exit_code == 2
    assert run("check", tmp_path / "none").exit_code == 2
    assert run("check", folder, "--columns", "name").exit_code == 2
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "entities.csv").write_text("number,what\n1,company\n")
    broken = run("check", tmp_path / "broken")
    assert broken.exit_code == 3, broken.output
    assert "Traceback" not in broken.output


def test_dates_of_the_graph(folder):
    result = run("propagate", folder, "--at", "2015-01-01")
    assert result.exit_code == 0, result.output
    assert "at 2015-01-01" in result.output


def test_installed_command():
    out = subprocess.run(
        [sys.executable, "-m", "riskgraph.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert "version" in out.stdout


def test_demo(tmp_path):
    result = run("demo", "--out", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    made = {path.name for path in (tmp_path / "demo").iterdir()}
    assert made >= {
        "quality.csv", "risk.csv", "nesting.csv", "county.html", "risk_ranking.png", "neighborhood.png",
        "ownership_tree.png", "nesting_heatmap.png", "look_through_flow.png", "timeline.png",
    }  # fmt: skip
    assert all((tmp_path / "demo" / name).stat().st_size > 2000 for name in made - {"quality.csv"})
    assert str(tmp_path / "demo") in result.output
