"""What a backtest found, for people: the figures with their intervals, and a model card written from the run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.learning.backtest import Backtest
from riskgraph.learning.metrics import average_precision, bootstrap_interval, calibration, roc_auc

__all__ = ["figures", "model_card"]

_NAMES = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "precision_at_k": "precision at k",
    "lift": "lift at k",
    "precision_at_capacity": "precision at capacity",
}


def figures(result: pd.DataFrame, *, digits: int = 3) -> pd.DataFrame:
    """Figures of a backtest as texts with their intervals: one row a cutoff, ``0.712 [0.640, 0.781]``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> found = rg.learning.backtest(graph, rg.risk.RiskCascade(), ["2016-06-30"], n_bootstrap=20)
    >>> list(figures(found).columns)[:4]
    ['cutoff', 'scored', 'cases', 'ROC AUC']
    """
    rows = []
    for row in result.to_dict("records"):
        texts = {
            "cutoff": str(pd.Timestamp(row["cutoff"]).date()),
            "scored": row["n_entities"],
            "cases": row["n_labels"],
        }
        for name, title in _NAMES.items():
            value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
            if np.isnan(value):
                texts[title] = "–"
            elif np.isnan(low):
                texts[title] = f"{value:.{digits}f}"
            else:
                texts[title] = f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
        texts["note"] = "; ".join(
            part for part in (row["reason"], "" if row["complete"] else "horizon not yet over") if part
        )
        rows.append(texts)
    return pd.DataFrame(rows, columns=["cutoff", "scored", "cases", *_NAMES.values(), "note"])


def model_card(result: Backtest) -> str:
    """Model card of a backtest as Markdown: what was asked, how it was tried, what came out, what it is not for.

    Every number is read from the run; the same run gives the same text.

    Raises
    ------
    InvalidParameter
        Not what :func:`backtest` returned: a part of it no longer knows how it was made.

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
    if not isinstance(result, Backtest):
        raise InvalidParameter(f"'result' must be what backtest returned; got {type(result).__name__}")
    run = result.run
    scores = run.scores
    lines = [
        f"# Model card: {run.estimator}",
        "",
        f"Made by riskgraph {run.version} from a backtest of {len(result)} cutoff{'s' if len(result) != 1 else ''} "
        f"({', '.join(str(pd.Timestamp(day).date()) for day in result['cutoff'])}).",
        "",
        "## What it says",
        "",
        f"For each {' or '.join(run.kinds)} not yet under a seed case on a day: how likely it enters one within "
        f"{run.horizon}. Seed cases are bans, revocations, illegal fund-raising, unlicensed finance and sanctions on "
        "record. It orders whom to look at first; it is no finding against anybody.",
        "",
        "## Data",
        "",
        f"- {run.graph}; newest date {run.latest or 'none'}.",
        f"- {len(scores):,} scored, {int(scores['label'].sum()):,} of them entered a case.",
    ]
    if run.families:
        lines.append(
            f"- Features: {', '.join(run.families)}{f' (catalogue {run.catalogue})' if run.catalogue else ''}; "
            "each row as known on its own day."
        )
        for row in run.training.itertuples():
            lines.append(
                f"- Cutoff {row.cutoff.date()}: trained on {row.rows:,} rows of {row.days} earlier days, "
                f"{row.cases} cases, {row.features} features."
            )
        lines.append(
            f"- Groups ({run.groups}) are dealt into {run.folds} folds; nobody is scored by a model that saw its group."
            if run.folds > 1
            else "- One model a cutoff; it may have seen earlier days of the groups it scores."
        )
    else:
        lines.append("- Not trained: spread over the graph as known on each cutoff.")
    lines += ["", "## Figures", "", _markdown(figures(result)), ""]
    lines.append(
        f"Intervals: {run.level:.0%}, {run.n_bootstrap} draws of whole groups, seed {run.random_state}. "
        f"k = {_numbers(result['k'])}; capacity = {_numbers(result['capacity'])}. "
        "Equal scores share their places."
    )
    lines += _pooled(scores, run.level, run.n_bootstrap, run.random_state)
    chance = scores["probability"].to_numpy()
    if len(chance) and not np.isnan(chance).any() and ((chance >= 0) & (chance <= 1)).all():
        table = calibration(scores["label"], chance, bins=5).round(4)
        lines += ["", "## Probabilities against outcomes", "", _markdown(table)]
    lines += [
        "",
        "## Limits",
        "",
        "- Labels are what authorities found and recorded, not what was done: where nobody looked there is no label.",
        "- Undated columns of the entities table (sector, place, capital) count as always known.",
    ]
    if not result["complete"].all():
        lines.append(
            "- The horizon of the last cutoff reaches beyond the newest date: later cases are not counted yet."
        )
    few = int(result["n_labels"].min())
    if few < 30:
        lines.append(f"- A cutoff has only {few} cases: its figures move much with each; read the intervals.")
    return "\n".join(lines) + "\n"


def _pooled(scores: pd.DataFrame, level: float, draws: int, seed: int) -> list[str]:
    """One line over all cutoffs, where it can be given."""
    given = scores[scores["score"].notna()]
    if given["cutoff"].nunique() < 2 or given["label"].nunique() < 2:
        return []
    # ranks within each cutoff: scores of different cutoffs come from different models
    rank = given.groupby("cutoff")["score"].rank(pct=True)
    texts = []
    for title, metric in (("ROC AUC", roc_auc), ("average precision", average_precision)):
        value = metric(given["label"], rank)
        low, high = bootstrap_interval(
            metric, given["label"], rank, given["group"], n_samples=draws, level=level, random_state=seed
        )
        texts.append(f"{title} {value:.3f} [{low:.3f}, {high:.3f}]")
    return ["", f"Over all cutoffs, by rank within each: {', '.join(texts)}."]


def _numbers(column: pd.Series) -> str:
    return ", ".join(str(value) for value in sorted(set(column)))


def _markdown(frame: pd.DataFrame) -> str:
    head = "| " + " | ".join(map(str, frame.columns)) + " |"
    rule = "|" + "---|" * len(frame.columns)
    rows = ["| " + " | ".join(str(value) for value in row) + " |" for row in frame.itertuples(index=False)]
    return "\n".join([head, rule, *rows])
