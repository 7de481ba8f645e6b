"""Sections of a model card, every number read from the run, in Chinese or English: written as Markdown or as a page."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.learning.backtest import Backtest, Run
from riskgraph.learning.curves import reliability, run_of
from riskgraph.learning.metrics import average_precision, bootstrap_interval, roc_auc

__all__ = ["Section", "figure_texts", "pooled", "sections"]

_FIGURES = ("roc_auc", "average_precision", "precision_at_k", "lift", "precision_at_capacity")
_HEADS = {
    "en": ("cutoff", "scored", "cases", "ROC AUC", "average precision", "precision at k", "lift at k",
           "precision at capacity", "note"),
    "zh": ("截点", "评分数", "立案数", "ROC AUC", "平均精确率", "前k名精确率", "前k名提升度",
           "检查容量内精确率", "备注"),
}  # fmt: skip
_BINS = {
    "en": {"count": "entities", "probability": "probability said", "share": "came true", "low": "low", "high": "high"},
    "zh": {"count": "主体数", "probability": "预测概率", "share": "实际比例", "low": "下限", "high": "上限"},
}
_KINDS = {"company": "公司", "person": "自然人", "product": "产品"}
_REASONS = {
    "no entity enters a case": "无主体立案",
    "every entity enters a case": "全部主体立案",
    "nobody is scored": "无主体可评分",
}


class Section(NamedTuple):
    """Heading, and what stands under it: texts, lists of points, and tables, in order."""

    title: str
    parts: list[str | list[str] | pd.DataFrame]


def figure_texts(result: pd.DataFrame, *, digits: int = 3, lang: str = "en") -> pd.DataFrame:
    """Figures of a backtest as texts with their intervals, one row a cutoff."""
    if lang not in _HEADS:
        raise InvalidParameter(f"'lang' must be 'zh' or 'en'; got {lang!r}")
    rows = []
    for row in result.to_dict("records"):
        texts = [str(pd.Timestamp(row["cutoff"]).date()), row["n_entities"], row["n_labels"]]
        for name in _FIGURES:
            value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
            texts.append("–" if np.isnan(value) else _interval(value, low, high, digits))
        reason = row["reason"] if lang == "en" else _REASONS.get(row["reason"], row["reason"])
        late = "" if row["complete"] else "horizon not yet over" if lang == "en" else "观察期尚未结束"
        texts.append("; ".join(part for part in (reason, late) if part))
        rows.append(texts)
    return pd.DataFrame(rows, columns=list(_HEADS[lang]))


def pooled(result: Backtest) -> pd.DataFrame:
    """All scored of all cutoffs, ``score`` as rank within the cutoff, for each cutoff has models of its own."""
    given = run_of(result).scores
    given = given[given["score"].notna()].reset_index(drop=True)
    return given.assign(score=given.groupby("cutoff")["score"].rank(pct=True))


def sections(result: Backtest, lang: str = "en") -> list[Section]:
    """Model card of a backtest, section by section.

    Raises
    ------
    InvalidParameter
        Not what :func:`backtest` returned, or another language.
    """
    run = run_of(result)
    table = figure_texts(result, lang=lang)
    made = _english(result, run) if lang == "en" else _chinese(result, run)
    says, data, notes, limits = made
    titles = (
        ("What it says", "Data", "Figures", "Probabilities against outcomes", "Limits")
        if lang == "en"
        else ("它说明什么", "数据", "结果", "预测概率与实际", "局限")
    )
    found: list[Section] = [
        Section(titles[0], [says]),
        Section(titles[1], [data]),
        Section(titles[2], [table, *notes]),
    ]
    bins = reliability(result)
    if len(bins):
        found.append(Section(titles[3], [bins.round(4).rename(columns=_BINS[lang])]))
    return [*found, Section(titles[4], [limits])]


def _interval(value: float, low: float, high: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if np.isnan(low) else f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _over_all(result: Backtest, run: Run) -> list[str]:
    """ROC AUC and average precision over all cutoffs; empty where there is one only, or one class."""
    rows = pooled(result)
    if rows["cutoff"].nunique() < 2 or rows["label"].nunique() < 2:
        return []
    return [
        _interval(
            metric(rows["label"], rows["score"]),
            *bootstrap_interval(
                metric, rows["label"], rows["score"], rows["group"],
                n_samples=run.n_bootstrap, level=run.level, random_state=run.random_state,
            ),
        )
        for metric in (roc_auc, average_precision)
    ]  # fmt: skip


def _numbers(column: pd.Series) -> str:
    return ", ".join(str(value) for value in sorted(set(column)))


def _english(result: Backtest, run: Run) -> tuple[str, list[str], list[str], list[str]]:
    scores = run.scores
    says = (
        f"For each {' or '.join(run.kinds)} not yet under a seed case on a day: how likely it enters one within "
        f"{run.horizon}. Seed cases are bans, revocations, illegal fund-raising, unlicensed finance and sanctions on "
        "record. It orders whom to look at first; it is no finding against anybody."
    )
    data = [
        f"{run.graph}; newest date {run.latest or 'none'}.",
        f"{len(scores):,} scored, {int(scores['label'].sum()):,} of them entered a case.",
    ]
    if run.families:
        catalogue = f" (catalogue {run.catalogue})" if run.catalogue else ""
        data.append(f"Features: {', '.join(run.families)}{catalogue}; each row as known on its own day.")
        data += [
            f"Cutoff {row.cutoff.date()}: trained on {row.rows:,} rows of {row.days} earlier days, {row.cases} cases, "
            f"{row.features} features."
            for row in run.training.itertuples()
        ]
        data.append(
            f"Groups ({run.groups}) are dealt into {run.folds} folds; nobody is scored by a model that saw its group."
            if run.folds > 1
            else "One model a cutoff; it may have seen earlier days of the groups it scores."
        )
    else:
        data.append("Not trained: spread over the graph as known on each cutoff.")
    notes = [
        f"Intervals: {run.level:.0%}, {run.n_bootstrap} draws of whole groups, seed {run.random_state}. "
        f"k = {_numbers(result['k'])}; capacity = {_numbers(result['capacity'])}. Equal scores share their places."
    ]
    both = _over_all(result, run)
    if both:
        notes.append(f"Over all cutoffs, by rank within each: ROC AUC {both[0]}, average precision {both[1]}.")
    limits = [
        "Labels are what authorities found and recorded, not what was done: where nobody looked there is no label.",
        "Undated columns of the entities table (sector, place, capital) count as always known.",
    ]
    if not result["complete"].all():
        limits.append("The horizon of the last cutoff reaches beyond the newest date: later cases are not counted yet.")
    few = int(result["n_labels"].min())
    if few < 30:
        limits.append(f"A cutoff has only {few} cases: its figures move much with each; read the intervals.")
    return says, data, notes, limits


def _chinese(result: Backtest, run: Run) -> tuple[str, list[str], list[str], list[str]]:
    scores = run.scores
    kinds = "或".join(_KINDS.get(kind, kind) for kind in run.kinds)
    says = (
        f"对某日尚未立案的每个{kinds}：其在{run.horizon.replace(' days', '天')}内立案的可能性。"
        "所称案件为在案记录的取缔或禁业、吊销、非法集资、无证从事金融业务和处罚。"
        "它只排出先看谁，不是对任何人的认定。"
    )
    data = [
        f"{run.graph}；最新日期：{run.latest or '无'}。",
        f"评分{len(scores):,}个，其中{int(scores['label'].sum()):,}个立案。",
    ]
    if run.families:
        catalogue = f"（规则目录 {run.catalogue}）" if run.catalogue else ""
        data.append(f"特征：{'、'.join(run.families)}{catalogue}；每行只用其当日已知的信息。")
        data += [
            f"截点 {row.cutoff.date()}：以此前{row.days}个日期的{row.rows:,}行、{row.cases}个案件、"
            f"{row.features}个特征训练。"
            for row in run.training.itertuples()
        ]
        data.append(
            f"按组（{run.groups}）分为{run.folds}份；评分所用模型未见过同组主体。"
            if run.folds > 1
            else "每个截点一个模型；它可能见过所评各组更早的日期。"
        )
    else:
        data.append("未经训练：在各截点已知的图上传导。")
    notes = [
        f"区间：{run.level:.0%}，按组重抽{run.n_bootstrap}次，随机种子{run.random_state}。"
        f"k = {_numbers(result['k'])}；检查容量 = {_numbers(result['capacity'])}。同分者均摊名次。"
    ]
    both = _over_all(result, run)
    if both:
        notes.append(f"各截点合并（按截点内名次）：ROC AUC {both[0]}，平均精确率 {both[1]}。")
    limits = [
        "标签是有关部门发现并记录的，不等于实际发生的：无人查处之处没有标签。",
        "主体表中无日期的列（行业、地点、资本）视为一直已知。",
    ]
    if not result["complete"].all():
        limits.append("最后截点的观察期超出最新日期：此后的案件尚未计入。")
    few = int(result["n_labels"].min())
    if few < 30:
        limits.append(f"有截点仅{few}个案件：数字随个案变动很大，请看区间。")
    return says, data, notes, limits
