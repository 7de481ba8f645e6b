"""What README and `--help` show is what happens."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import riskgraph as rg
from riskgraph.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_examples_in_pages_run(page):
    """Blocks that begin with >>> are run in order, each page with names of its own."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"```(?:python|pycon)?\n(>>> .*?)```", text, re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    out: list[str] = []
    runner.run(test, out=out.append)
    assert not runner.summarize(verbose=False).failed, "".join(out)


COMMANDS = sorted(main.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_examples_run(name, tmp_path, monkeypatch):
    """The example of each command, run in a folder where datasets/county is at hand."""
    command = main.commands[name]
    example = re.search(r"Example:\n\s*riskgraph (.*)", command.help or "")
    assert example, f"{name} has no example"
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "county").symlink_to(ROOT / "datasets" / "county", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    if name == "score":
        graph = rg.datasets.load_county().graph
        model = rg.learning.train(graph, "propagation", cutoffs=["2016-03-31"], families=["risk"])
        rg.learning.save_model("model.skops", model)
    if name == "verify":
        rg.evidence.answer(rg.datasets.load_county().graph, "layers", source="datasets/county").save("result.json")
    result = CliRunner().invoke(main, example.group(1).split())
    assert result.exit_code == 0, result.output
    assert result.output.strip()


def test_readme_commands_are_targets_of_make():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^make (\w+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_of_pages_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
