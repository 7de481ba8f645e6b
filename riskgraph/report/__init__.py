"""Pages and tables for people: one self-contained interactive page, and tables that no spreadsheet runs as formulas."""

from __future__ import annotations

from riskgraph.report.backtest import backtest
from riskgraph.report.page import page
from riskgraph.report.tables import neutralise, write_table

__all__ = ["backtest", "neutralise", "page", "write_table"]
