"""What a backtest found, for people: the figures with their intervals, and a model card written from the run."""

from __future__ import annotations

import pandas as pd

from riskgraph.learning._card import figure_texts, sections
from riskgraph.learning.backtest import Backtest
from riskgraph.learning.curves import run_of

__all__ = ["figures", "model_card"]


def figures(result: pd.DataFrame, *, digits: int = 3, lang: str = "en") -> pd.DataFrame:
    """Figures of a backtest as texts with their intervals: one row a cutoff, ``0.712 [0.640, 0.781]``.

    Parameters
    ----------
    result
        What :func:`backtest` returned.
    digits
        Digits after the point.
    lang
        ``"en"`` or ``"zh"``: language of the columns.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> found = rg.learning.backtest(graph, rg.risk.RiskCascade(), ["2016-06-30"], n_bootstrap=20)
    >>> list(figures(found).columns)[:4]
    ['cutoff', 'scored', 'cases', 'ROC AUC']
    """
    return figure_texts(result, digits=digits, lang=lang)


def model_card(result: Backtest, *, lang: str = "en") -> str:
    """Model card of a backtest as Markdown: what was asked, how it was tried, what came out, what it is not for.

    Every number is read from the run; the same run gives the same text. :func:`riskgraph.report.backtest` writes the
    same with pictures.

    Parameters
    ----------
    result
        What :func:`backtest` returned.
    lang
        ``"en"`` or ``"zh"``.

    Raises
    ------
    InvalidParameter
        Not what :func:`backtest` returned: a part of it no longer knows how it was made; or another language.

    References
    ----------
    Mitchell and others (2019), Model cards for model reporting.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> found = rg.learning.backtest(graph, rg.risk.RiskCascade(), ["2016-06-30"], n_bootstrap=20)
    >>> model_card(found).splitlines()[0]
    '# Model card: RiskCascade()'
    """
    run = run_of(result)
    parts = sections(result, lang)
    days = ", ".join(str(pd.Timestamp(day).date()) for day in result["cutoff"])
    if lang == "en":
        many = "s" if len(result) != 1 else ""
        lines = [
            f"# Model card: {run.estimator}",
            "",
            f"Made by riskgraph {run.version} from a backtest of {len(result)} cutoff{many} ({days}).",
        ]
    else:
        lines = [
            f"# 模型卡：{run.estimator}",
            "",
            f"由 riskgraph {run.version} 根据{len(result)}个截点的回测写成（{days}）。",
        ]
    for section in parts:
        lines += ["", f"## {section.title}"]
        for part in section.parts:
            text = part if isinstance(part, str) else _points(part) if isinstance(part, list) else _markdown(part)
            lines += ["", text]
    return "\n".join(lines) + "\n"


def _points(points: list[str]) -> str:
    return "\n".join(f"- {point}" for point in points)


def _markdown(frame: pd.DataFrame) -> str:
    head = "| " + " | ".join(map(str, frame.columns)) + " |"
    rule = "|" + "---|" * len(frame.columns)
    rows = ["| " + " | ".join(str(value) for value in row) + " |" for row in frame.itertuples(index=False)]
    return "\n".join([head, rule, *rows])
