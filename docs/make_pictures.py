"""Draw the pictures of README and docs from the county; `make docs-pictures` calls it."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

import riskgraph as rg

FOLDER = Path(__file__).parent / "pictures"


def main() -> None:
    """Write every picture, each under 200 kB."""
    county = rg.datasets.load_county()
    graph = county.graph.at("2016-12-31")
    risk = rg.propagate(graph)
    labels = county.labels
    shell = labels.query("typology == 'onion_shell'")["entity"].iloc[0]
    product = labels.query("typology == 'multi_layer_nesting'")["entity"].iloc[0]
    firm = risk.report_.query("hops == 1 and kind == 'company'")["entity"].iloc[1]
    draw = {
        "risk_ranking": lambda: rg.plot.risk_ranking(risk, n=12),
        "neighborhood": lambda: rg.plot.neighborhood(graph, firm, risk.scores_, max_nodes=24),
        "ownership_tree": lambda: rg.plot.ownership_tree(graph, shell, max_depth=9),
        "look_through_flow": lambda: rg.plot.look_through_flow(graph, product),
        "nesting_heatmap": lambda: rg.plot.nesting_heatmap(graph),
        "timeline": lambda: rg.plot.timeline(graph, firm),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, picture in draw.items():
        figure = picture().figure
        figure.savefig(FOLDER / f"{name}.png", dpi=80)
        plt.close(figure)


if __name__ == "__main__":
    main()
