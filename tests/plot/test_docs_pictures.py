"""The pictures of the docs: made by one command, small, all used and all there."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("make_pictures", DOCS / "make_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, module.main(tmp_path_factory.mktemp("pictures"))


def test_one_command_makes_all_pictures(made):
    module, paths = made
    browser = any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    assert [path.stem for path in paths] == [*module.PICTURES, *(module.PAGES if browser else ())]
    for path in paths:
        assert path.stat().st_size < 200_000, path.name
        image = plt.imread(path)[..., :3]
        assert image.shape[0] > 300
        assert image.shape[1] > 300
        assert (np.asarray(image) < 0.8).mean() > 0.005, f"{path.name} is empty"


def test_pictures_of_the_docs_are_those_and_small(made):
    module, _ = made
    there = {path.name: path.stat().st_size for path in (DOCS / "pictures").glob("*")}
    assert set(there) == {f"{name}.png" for name in (*module.PICTURES, *module.PAGES)}
    assert max(there.values()) < 200_000
    texts = [path.read_text("utf-8") for path in (*DOCS.glob("*.md"), DOCS.parent / "README.md")]
    used = {Path(link).name for text in texts for link in re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", text)}
    assert set(there) == used
