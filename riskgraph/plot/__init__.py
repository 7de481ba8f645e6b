"""Pictures with matplotlib: each takes ``ax`` and ``lang``, returns the axes, and touches no global setting.

Chinese labels are drawn with a Chinese font of the system, else with the one that ``pip install "riskgraph[cjk]"``
brings; a character no font has is named in a :class:`MissingGlyphWarning`.
"""

from __future__ import annotations

from riskgraph.plot._fonts import MissingGlyphWarning
from riskgraph.plot.backtest import backtest
from riskgraph.plot.calibration import calibration
from riskgraph.plot.look_through_flow import look_through_flow
from riskgraph.plot.neighborhood import neighborhood
from riskgraph.plot.nesting_heatmap import nesting_heatmap
from riskgraph.plot.ownership_tree import ownership_tree
from riskgraph.plot.risk_ranking import risk_ranking
from riskgraph.plot.timeline import timeline

__all__ = [
    "MissingGlyphWarning",
    "backtest",
    "calibration",
    "look_through_flow",
    "neighborhood",
    "nesting_heatmap",
    "ownership_tree",
    "risk_ranking",
    "timeline",
]
