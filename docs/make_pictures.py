"""Draw the pictures of README and docs from the county; `make docs-pictures` calls it.

Pictures are drawn with matplotlib, the page and the dossier are photographed with a headless Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import pandas as pd

import riskgraph as rg

FOLDER = Path(__file__).parent / "pictures"


class Material(NamedTuple):
    """The county on its last day, its risk, and the entities the pictures are about."""

    graph: rg.EntityGraph
    risk: rg.risk.RiskCascade
    labels: pd.DataFrame
    firm: str
    shell: str
    product: str


@cache
def material() -> Material:
    """Everything the pictures need, computed once."""
    county = rg.datasets.load_county()
    graph = county.graph.at("2016-12-31")
    risk = rg.propagate(graph)

    def first(typology: str) -> str:
        return str(county.labels.query("typology == @typology")["entity"].iloc[0])

    firm = risk.report_.query("hops == 1 and kind == 'company'")["entity"].iloc[1]
    return Material(graph, risk, county.labels, firm, first("onion_shell"), first("multi_layer_nesting"))


#: file name without ending -> how it is drawn in a language
PICTURES = {
    "risk_ranking": lambda m, lang: rg.plot.risk_ranking(m.risk, n=12, lang=lang),
    "neighborhood": lambda m, lang: rg.plot.neighborhood(m.graph, m.firm, m.risk.scores_, max_nodes=24, lang=lang),
    "ownership_tree": lambda m, lang: rg.plot.ownership_tree(m.graph, m.shell, max_depth=9, lang=lang),
    "look_through_flow": lambda m, lang: rg.plot.look_through_flow(m.graph, m.product, lang=lang),
    "nesting_heatmap": lambda m, lang: rg.plot.nesting_heatmap(m.graph, lang=lang),
    "timeline": lambda m, lang: rg.plot.timeline(m.graph, m.firm, lang=lang),
}


#: file name without ending -> what the browser photographs, and the height of the window
PAGES = {
    "page": (lambda m, path: rg.report.page(m.graph, path, model=m.risk, entity=m.firm, title="演示县：关联风险"), 820),
    "dossier": (
        lambda m, path: rg.supervision.dossier(
            m.graph, m.firm, rg.supervision.Catalogue.load("jiangsu-2016"), at="2016-12-31"
        ).to_html(path),
        1000,
    ),
}
MOST = 200_000


def small(path: Path) -> None:
    """Write a PNG with at most 256 colours where it saves enough, in less than 200 kB."""
    from PIL import Image

    with Image.open(path) as image:
        full = image.convert("RGB")
    full.save(path, optimize=True)
    if path.stat().st_size >= MOST:  # rare colours, those of the lines, are kept
        full.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size >= MOST:
        raise RuntimeError(
            f"{path.name} has {path.stat().st_size:,} bytes; {MOST:,} are too many for a picture of the docs"
        )


def photograph(browser: str, page: Path, path: Path, height: int) -> None:
    """Picture of a page as a headless browser shows it."""
    off = ("gpu", "lcd-text")
    command = [browser, "--headless", "--no-sandbox", *(f"--disable-{part}" for part in off), "--hide-scrollbars"]
    command += [f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=5000"]
    command += [f"--window-size=1300,{height}", f"--screenshot={path}"]
    subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=120)


def main(folder: Path = FOLDER) -> list[Path]:
    """Write every picture, each under 200 kB; those of the pages need a Chromium."""
    mpl.use("agg")
    import matplotlib.pyplot as plt

    folder.mkdir(exist_ok=True)
    made = []
    for name, picture in PICTURES.items():
        figure = picture(material(), "zh").figure
        made.append(folder / f"{name}.png")
        figure.savefig(made[-1], dpi=100)
        plt.close(figure)
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser:
        with tempfile.TemporaryDirectory() as place:
            for name, (write, height) in PAGES.items():
                page = Path(place) / f"{name}.html"
                write(material(), page)
                made.append(folder / f"{name}.png")
                photograph(browser, page, made[-1], height)
    for path in made:
        small(path)
    return made


if __name__ == "__main__":
    main()
