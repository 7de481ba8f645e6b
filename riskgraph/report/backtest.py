"""Page of a backtest: pictures, figures with intervals and the model card, in one file that prints."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph._files import write_text
from riskgraph._page import document, safe_text
from riskgraph.errors import InvalidParameter
from riskgraph.learning._card import sections
from riskgraph.learning.curves import ranking_curve, reliability, run_of
from riskgraph.report._chart import Series, chart

if TYPE_CHECKING:
    from riskgraph.learning.backtest import Backtest

__all__ = ["backtest"]

_ENDS = np.array([0.0, 1.0])
_WORDS = {
    "zh": {"heading": "回测：{}", "made": "由 riskgraph {} 写成。", "pictures": "图", "all": "各截点合并"},
    "en": {
        "heading": "Backtest: {}",
        "made": "Written by riskgraph {}.",
        "pictures": "Pictures",
        "all": "all cutoffs",
    },
}
#: of each picture: its heading, and what the two axes say
_PANELS = {
    "zh": {
        "gain": ("检查越多，找到越多", "检查的比例（竖线为检查容量）", "找到的案件比例"),
        "roc": ("ROC 曲线", "误报比例", "找到的案件比例"),
        "precision": ("精确率与召回率", "找到的案件比例", "所查中立案的比例（横线为平均立案率）"),
        "calibration": ("预测概率与实际（按组重抽的区间）", "预测概率", "实际比例"),
        "time": ("各截点的 ROC AUC（空心：观察期未结束）", "截点", "ROC AUC"),
    },
    "en": {
        "gain": ("Found as inspections grow", "part inspected (upright line: capacity)", "part of cases found"),
        "roc": ("ROC", "part of false alarms", "part of cases found"),
        "precision": ("Precision against recall", "part of cases found", "part with a case (level lines: base rate)"),
        "calibration": ("Probabilities against outcomes, intervals over groups", "probability said", "came true"),
        "time": ("ROC AUC by cutoff (hollow: horizon not yet over)", "cutoff", "ROC AUC"),
    },
}


def backtest(result: Backtest, path: str | Path, *, lang: str = "zh", title: str | None = None) -> Path:
    """Write a backtest as one page: pictures, figures with intervals, and the model card; harmless for any name.

    The file loads nothing from outside and holds no program; it prints on two or three sheets. No entity is named.

    Parameters
    ----------
    result
        What :func:`riskgraph.learning.backtest` returned.
    path
        File to write, ending in ``.html``; written whole or not at all.
    lang
        ``"zh"`` or ``"en"``.
    title
        Heading; None names the estimator.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidParameter
        A parameter breaks its rule, or ``result`` is a part of a backtest.

    Examples
    --------
    >>> import tempfile
    >>> import riskgraph as rg
    >>> from riskgraph.report.backtest import backtest
    >>> graph = rg.datasets.load_county().graph
    >>> found = rg.learning.backtest(graph, rg.risk.RiskCascade(), ["2016-03-31", "2016-06-30"], n_bootstrap=20)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     backtest(found, f"{folder}/backtest.html", lang="en").name
    'backtest.html'
    """
    if lang not in _WORDS:
        raise InvalidParameter(f"'lang' must be 'zh' or 'en'; got {lang!r}")
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise InvalidParameter(f"'path' must end in .html; got {str(path)!r}")
    run, words = run_of(result), _WORDS[lang]
    heading = title if title is not None else words["heading"].format(run.estimator)
    body = [
        f"<h1>{safe_text(heading)}</h1>",
        f'<p class="soft">{safe_text(words["made"].format(run.version))}</p>',
    ]
    card = sections(result, lang)
    pictures = _pictures(result, lang)
    for section in card:
        body += [f"<h2>{safe_text(section.title)}</h2>", *(_html(part) for part in section.parts)]
        if section is card[2] and pictures:
            body += [f"<h2>{safe_text(words['pictures'])}</h2>", f'<div class="pictures">{"".join(pictures)}</div>']
    style = resources.files("riskgraph.report").joinpath("backtest.css").read_text("utf-8")
    text = document("\n".join(body), title=heading, lang=lang, style=style)
    return write_text(path, text)


def _html(part: str | list[str] | pd.DataFrame) -> str:
    if isinstance(part, str):
        return f"<p>{safe_text(part)}</p>"
    if isinstance(part, list):
        return "<ul>" + "".join(f"<li>{safe_text(point)}</li>" for point in part) + "</ul>"
    head = "".join(f'<th scope="col">{safe_text(column)}</th>' for column in part.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{safe_text(value)}</td>" for value in row) + "</tr>"
        for row in part.itertuples(index=False)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _pictures(result: Backtest, lang: str) -> list[str]:
    texts = _PANELS[lang]
    told = result[result["roc_auc"].notna()]
    if told.empty:
        return []
    found = [_curve(result, told, panel, texts) for panel in ("gain", "roc", "precision")]
    bins = reliability(result)
    if len(bins):
        heading, across, up = texts["calibration"]
        said, share = bins["probability"].to_numpy(), bins["share"].to_numpy()
        low, high = bins["low"].to_numpy(), bins["high"].to_numpy()
        top = float(np.nanmax(np.concatenate([said, share, high]))) if len(bins) else 1.0
        top = min(1.0, np.ceil(max(top, 0.01) * 20) / 20)
        line = Series(_WORDS[lang]["all"], said, share, low, high)
        found.append(chart([Series("", _ENDS * top, _ENDS * top), line], heading=heading, across=across, up=up,
                           most=(top, top)))  # fmt: skip
    heading, across, up = texts["time"]
    names = [str(pd.Timestamp(day).date()) for day in told["cutoff"]]
    # half a step of room on either side of the first and the last
    place = np.arange(len(names)) + 0.5
    line = Series("ROC AUC", place, told["roc_auc"].to_numpy(), told["roc_auc_low"].to_numpy(),
                  told["roc_auc_high"].to_numpy(), ~told["complete"].to_numpy(dtype=bool))  # fmt: skip
    room = float(len(names))
    rule = Series("", _ENDS * room, np.array([0.5, 0.5]))
    found.append(chart([rule, line], heading=heading, across=across, up=up, most=(room, 1.0), names=names))
    return found


def _curve(result: Backtest, told: pd.DataFrame, panel: str, texts: dict[str, tuple[str, str, str]]) -> str:
    heading, across, up = texts[panel]
    x, y, figure = {
        "gain": ("inspected", "found", "precision_at_capacity"),
        "roc": ("false_alarms", "found", "roc_auc"),
        "precision": ("found", "precision", "average_precision"),
    }[panel]
    lines = [] if panel == "precision" else [Series("", _ENDS, _ENDS)]
    for row in told.to_dict("records"):
        rows = result.run.scores[result.run.scores["cutoff"] == row["cutoff"]]
        curve = ranking_curve(rows["label"], rows["score"])
        name = f"{pd.Timestamp(row['cutoff']).date()}  {row[figure]:.3f}"
        if not np.isnan(row[f"{figure}_low"]):
            name += f" [{row[f'{figure}_low']:.3f}, {row[f'{figure}_high']:.3f}]"
        if panel == "gain":
            lines.append(Series("", np.repeat(row["capacity"] / row["n_entities"], 2), _ENDS))
        if panel == "precision":
            lines.append(Series("", _ENDS, np.repeat(row["base_rate"], 2)))
        lines.append(Series(name, curve[x].to_numpy(), curve[y].to_numpy()))
    return chart(lines, heading=heading, across=across, up=up)
