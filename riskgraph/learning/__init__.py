"""Learning from past cases, honestly: features as known on a day, splits, backtests, models that explain themselves."""

from __future__ import annotations

from riskgraph.learning.backtest import Backtest, backtest
from riskgraph.learning.baselines import BASELINES, Calibrated, ColumnScore, Softsign, baseline
from riskgraph.learning.curves import ranking_curve, reliability
from riskgraph.learning.explain import ScoreExplanation, explain_score
from riskgraph.learning.features import FAMILIES, GraphFeatures
from riskgraph.learning.labels import future_cases
from riskgraph.learning.model import RiskModel, score, score_frame, train
from riskgraph.learning.persist import load_model, save_model
from riskgraph.learning.report import figures, model_card
from riskgraph.learning.split import GroupTimeSplit, entity_groups
from riskgraph.learning.transmission import LearntTransmission, fit_transmission

__all__ = [
    "BASELINES",
    "Backtest",
    "Calibrated",
    "ColumnScore",
    "FAMILIES",
    "GraphFeatures",
    "GroupTimeSplit",
    "LearntTransmission",
    "RiskModel",
    "ScoreExplanation",
    "Softsign",
    "backtest",
    "baseline",
    "entity_groups",
    "explain_score",
    "figures",
    "fit_transmission",
    "future_cases",
    "load_model",
    "model_card",
    "ranking_curve",
    "reliability",
    "save_model",
    "score",
    "score_frame",
    "train",
]
