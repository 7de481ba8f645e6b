"""``riskgraph score``: the same bytes twice, from skops files only, and clear where model and graph disagree."""

from __future__ import annotations

import hashlib
import pickle
import sys

import pandas as pd
import pytest
from click.testing import CliRunner

import riskgraph as rg
from riskgraph.cli import main
from riskgraph.learning import save_model, score, score_frame, train

AT = "2016-12-31"


@pytest.fixture(scope="module")
def model(county, tmp_path_factory):
    found = train(county, "boosting", cutoffs=["2016-03-31"], families=["risk", "officer", "registry"])
    return save_model(tmp_path_factory.mktemp("model") / "model.skops", found)


@pytest.fixture(scope="module")
def folder(county, tmp_path_factory):
    path = tmp_path_factory.mktemp("county")
    for name, frame in county.tables().items():
        frame.to_csv(path / f"{name}.csv", index=False)
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["score", *map(str, arguments)])


@pytest.mark.parametrize("ending", ["csv", "parquet", "html"])
def test_two_runs_write_the_same_bytes(model, folder, county, tmp_path, ending):
    digests = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        out = tmp_path / name / f"scores.{ending}"
        result = run("--model", model, "--graph", folder, "--at", AT, "--out", out, "--top", 3)
        assert result.exit_code == 0, result.output
        assert f"written: {out}" in result.output
        assert "… " in result.output
        digests.append(hashlib.sha256(out.read_bytes()).hexdigest())
    assert digests[0] == digests[1]
    if ending == "parquet":
        written = pd.read_parquet(out)
        wanted = score_frame(model, county, AT)
        assert written["entity"].tolist() == wanted["entity"].tolist()
        assert written["score"].to_numpy() == pytest.approx(wanted["score"].to_numpy(), abs=1e-12)
        assert (written["as_of"] == pd.Timestamp(AT)).all()


def test_batches_change_nothing(model, county, monkeypatch, capsys):
    from riskgraph.learning import load_model

    whole = score(load_model(model), county, AT, show=False)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.modules["riskgraph.learning.model"], "BATCH", 211)
    parts = score(load_model(model), county, AT, show=True)
    pd.testing.assert_frame_equal(whole, parts, check_exact=True)
    assert "score" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("day", "text"),
    [
        ("2016-06-30", "the model was trained on what happened until 2016-09-27: scoring 2016-06-30"),
        ("soon", "'at' must be a date such as 2016-06-30; got 'soon'"),
    ],
)
def test_a_day_that_does_not_fit_is_refused(model, folder, day, text):
    result = run("--model", model, "--graph", folder, "--at", day)
    assert result.exit_code == 2
    assert text in result.output
    assert "Traceback" not in result.output


def test_a_graph_without_the_facts_is_refused(model, folder, tmp_path):
    for path in folder.iterdir():
        if path.stem != "facts":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    result = run("--model", model, "--graph", tmp_path, "--at", AT)
    assert result.exit_code == 2
    assert "the model reads facts of which the graph knows nothing on 2016-12-31" in result.output


class Bomb:
    """Would run code where a pickle is loaded."""

    def __reduce__(self):
        return (sys.exit, ("the pickle was run",))


def test_a_pickle_is_never_run(folder, tmp_path):
    bomb = tmp_path / "model.skops"
    bomb.write_bytes(pickle.dumps(Bomb()))
    result = run("--model", bomb, "--graph", folder, "--at", AT)
    assert result.exit_code == 3
    assert "is no model written by riskgraph" in result.output
    assert "the pickle was run" not in result.output
    with pytest.raises(rg.InvalidTable, match="is no model written by riskgraph"):
        score_frame(bomb, rg.datasets.toy_chain(), AT)
