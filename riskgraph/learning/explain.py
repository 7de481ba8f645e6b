"""Why a model gives an entity its score: what each feature adds, how risk reaches it, and who controls it by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.learning._known import known_graph
from riskgraph.learning._recipe import log_odds, to_probability
from riskgraph.learning.baselines import Calibrated, ColumnScore, Softsign
from riskgraph.learning.features import GraphFeatures
from riskgraph.learning.model import RiskModel, as_model, matching_features

__all__ = ["ScoreExplanation", "explain_score"]


@dataclass(frozen=True, eq=False)
class ScoreExplanation:
    """Why an entity has its score.

    Attributes
    ----------
    entity, score, log_odds
        Id, probability by the model, and its log-odds.
    features
        Frame ``feature, family, value, contribution, definition``, the greatest contribution first, in log-odds. For
        a linear model they and ``base`` add up to ``log_odds``; else each is what the log-odds lose when the feature
        alone is set to its median of training.
    base
        Log-odds without any feature, for a linear model; else NaN.
    paths
        Frame ``rank, probability, path, relations, text``: how risk reaches the entity from seeds, strongest first.
        Empty when nothing does.
    control
        Frame ``controller, outcome, verdict, relations, text``: its ultimate controllers, and the relations that prove
        it (:func:`riskgraph.ownership.explain_control`). Empty when nobody on record controls it.
    text
        All of it in sentences.
    """

    entity: str
    score: float
    log_odds: float
    base: float
    features: pd.DataFrame
    paths: pd.DataFrame
    control: pd.DataFrame
    text: str

    def __repr__(self) -> str:
        """The text."""
        return self.text


def explain_score(
    model: Any, graph: EntityGraph, entity: str, *, at: Any = None, k: int = 3, n: int = 8, lang: str = "zh"
) -> ScoreExplanation:
    """What each feature adds to an entity's score, the paths by which risk reaches it, and the proof of its control.

    Parameters
    ----------
    model
        A :class:`RiskModel`, or a fitted pipeline that begins with :class:`GraphFeatures`.
    graph, entity
        The graph and the id.
    at
        Day of the features; None for the day the graph stands at.
    k
        At most how many paths, and how many controllers.
    n
        How many features the text names.
    lang
        ``"zh"`` or ``"en"``.

    Raises
    ------
    UnknownEntity
        The graph does not hold the entity.
    LeakageError, InvalidParameter
        Model and graph do not agree, see :func:`score`; or a parameter breaks its rule.

    Examples
    --------
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> model = rg.learning.train(graph, "logistic", cutoffs=["2016-03-31"], families=["risk", "officer"])
    >>> why = rg.learning.explain_score(model, graph, "C1486", at="2016-12-31", lang="en")
    >>> bool(abs(why.base + why.features["contribution"].sum() - why.log_odds) < 1e-9)
    True
    """
    from riskgraph.risk import RiskCascade

    if lang not in ("zh", "en"):
        raise InvalidParameter(f"'lang' must be 'zh' or 'en'; got {lang!r}")
    model = as_model(model)
    features, day = matching_features(model, graph, at)
    row = features.transform([entity])
    odds, chance = float(log_odds(model.estimator, row)[0]), float(to_probability(model.estimator, row)[0])
    parts, base = contributions(model, row)
    frame = _frame(features, row, parts, lang)
    seen = graph if day is None else known_graph(graph, day)
    cascade = RiskCascade().fit(seen)
    paths = cascade.explain(entity, k, lang=lang)
    control = _control(seen, entity, k, lang)
    text = _text(seen, entity, chance, frame.head(n), [*paths["text"], *control["text"]], lang)
    if paths.empty:
        blocked = cascade.why_not(entity)
        text += _nothing(blocked, lang)
    return ScoreExplanation(entity, chance, odds, base, frame, paths, control, text)


def contributions(model: RiskModel, row: pd.DataFrame) -> tuple[np.ndarray, float]:
    """What each feature adds to the log-odds of one row, and the log-odds without any."""
    inner, slope, shift, mask = model.estimator, 1.0, 0.0, np.ones(row.shape[1], dtype=bool)
    if isinstance(inner, ColumnScore):
        parts = np.where(row.columns == inner.column, inner.decision_function(row)[0] - inner.intercept_, 0.0)
        return parts, float(inner.intercept_)
    if isinstance(inner, Calibrated):
        inner, slope, shift, mask = inner.estimator_, inner.slope_, inner.intercept_, inner.columns_
    if _is_linear(inner):
        parts = np.zeros(row.shape[1])
        told, base = _linear(inner, row.loc[:, mask])
        parts[mask] = slope * told
        return parts, slope * base + shift
    return _occlusion(model, row), float("nan")


def _is_linear(inner: Any) -> bool:
    return (
        isinstance(inner, Pipeline)
        and [name for name, _ in inner.steps] == ["fill", "bend", "fit"]
        and isinstance(inner[1], Softsign)
        and isinstance(inner[2], LogisticRegression)
    )


def _linear(inner: Pipeline, row: pd.DataFrame) -> tuple[np.ndarray, float]:
    """Coefficient times value, what marks a missing value counted with its feature."""
    values = inner[:2].transform(row)[0]
    added = inner[2].coef_[0] * values
    n = row.shape[1]
    parts = added[:n].copy()
    # the imputer puts its marks after the features
    np.add.at(parts, inner[0].indicator_.features_, added[n:])
    return parts, float(inner[2].intercept_[0])


def _occlusion(model: RiskModel, row: pd.DataFrame) -> np.ndarray:
    """What the log-odds lose when one feature at a time is set to its median of training."""
    values = row.to_numpy(dtype=np.float64)[0]
    other = ~((values == model.reference) | (np.isnan(values) & np.isnan(model.reference)))
    places = np.flatnonzero(other)
    rows = np.tile(values, (places.size + 1, 1))
    rows[np.arange(places.size) + 1, places] = model.reference[places]
    odds = log_odds(model.estimator, pd.DataFrame(rows, columns=row.columns))
    parts = np.zeros(values.size)
    parts[places] = odds[0] - odds[1:]
    return parts


def _frame(features: GraphFeatures, row: pd.DataFrame, parts: np.ndarray, lang: str) -> pd.DataFrame:
    about = features.describe(lang=lang)
    frame = pd.DataFrame(
        {
            "feature": about["feature"],
            "family": about["family"],
            "value": row.to_numpy(dtype=np.float64)[0],
            "contribution": parts,
            "definition": about["definition"],
        }
    )
    order = np.argsort(-np.abs(parts), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def _control(graph: EntityGraph, entity: str, k: int, lang: str) -> pd.DataFrame:
    """Ultimate controllers of an entity with the relations that prove it, in words."""
    from riskgraph.ownership import explain_control, ultimate_controllers

    found = ultimate_controllers(graph)
    found = found[(found["company"] == entity) & found["controller"].notna()].head(k)
    rows = []
    for controller, outcome in found[["controller", "outcome"]].itertuples(index=False):
        proof = explain_control(graph, controller, entity)
        steps = [_step(graph, row, lang) for row in proof.to_dict("records")]
        name = graph.names[graph.code(controller)]
        if lang == "zh":
            said = f"实际控制人 {name}，依据：{'；'.join(steps)}。"
        else:
            said = f"Controlled by {name}, by: {'; '.join(steps)}."
        rows.append((controller, outcome, proof.attrs["verdict"], tuple(proof["id"]), said))
    return pd.DataFrame(rows, columns=["controller", "outcome", "verdict", "relations", "text"])


def _step(graph: EntityGraph, row: dict[str, Any], lang: str) -> str:
    """One relation of a proof as a sentence, with the votes of a holding."""
    from riskgraph.schema import RELATION_TEXTS

    source, target = (graph.names[graph.code(row[end])] for end in ("source", "target"))
    said = RELATION_TEXTS[row["kind"]][lang == "zh"].format(source=source, target=target, role=row["role"] or "")
    low, high = row["votes_min"], row["votes_max"]
    if row["kind"] != "owns" or pd.isna(low):
        return said
    votes = f"{100 * low:.4g}%" if pd.isna(high) or low == high else f"{100 * low:.4g}%-{100 * high:.4g}%"
    return f"{said}（{votes}）" if lang == "zh" else f"{said} ({votes})"


def _text(graph: EntityGraph, entity: str, chance: float, frame: pd.DataFrame, reasons: list[str], lang: str) -> str:
    name = graph.names[graph.code(entity)]
    zh = lang == "zh"
    lines = [f"{name}：模型概率 {chance:.1%}。" if zh else f"{name}: probability {chance:.1%} by the model."]
    lines += [str(text) for text in reasons]
    for item in frame[frame["contribution"] != 0].itertuples():
        value = ("未知" if zh else "unknown") if np.isnan(item.value) else f"{item.value:.4g}"
        lines.append(f"{item.feature} = {value} ({item.contribution:+.2f}): {item.definition}")
    return "\n".join(lines)


def _nothing(blocked: pd.DataFrame, lang: str) -> str:
    """Say that no path carries risk, and where the nearest way is blocked."""
    zh = lang == "zh"
    if blocked.empty:
        return (
            "\n没有任何关系路径通向被处置主体。" if zh else "\nNo chain of relations joins it to anyone under a case."
        )
    stop = blocked[blocked["status"] != "transmits"]
    step = (stop if len(stop) else blocked).iloc[0]
    said = (
        f"\n没有风险路径到达；最近的一条在此中断（{step['status']}）："
        if zh
        else f"\nNo path carries risk to it; the nearest way stops here ({step['status']}): "
    )
    return said + str(step["text"])
