"""Models on disk without pickle: written with skops, read back only where every type is known and harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskgraph._files import write_file
from riskgraph._optional import import_optional
from riskgraph.errors import InvalidTable
from riskgraph.learning.model import RiskModel, as_model

__all__ = ["load_model", "save_model"]

FORMAT = "riskgraph-model/1"
#: types beyond those that skops trusts which a model may hold: riskgraph's own, and parts of numpy and scikit-learn
_OURS = (
    "riskgraph.learning.baselines.Calibrated",
    "riskgraph.learning.baselines.ColumnScore",
    "riskgraph.learning.baselines.Softsign",
)
_SKLEARN = (
    "numpy.dtype",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)


def save_model(path: str | Path, model: Any) -> Path:
    """Write a model: its classifier, names and medians of its features, its days, and the version of riskgraph.

    No graph is in the file, and no code: it is a zip archive of plain values, written with skops.

    Parameters
    ----------
    path
        File to write, such as ``model.skops``; written whole or not at all.
    model
        A :class:`RiskModel`, or a fitted pipeline that begins with :class:`GraphFeatures`.

    Raises
    ------
    MissingDependency
        skops is not installed.
    InvalidParameter
        Something else than a model.

    Examples
    --------
    >>> import tempfile
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> model = rg.learning.train(graph, "logistic", cutoffs=["2016-03-31"], families=["risk"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_model(save_model(f"{folder}/model.skops", model))
    RiskModel: Calibrated, 23 features, trained through 2016-09-27
    """
    sio = import_optional("skops.io", extra="models")
    model = as_model(model)
    about = {
        "format": FORMAT,
        "feature_names": list(model.feature_names),
        "families": list(model.families),
        "facts": list(model.facts),
        "catalogue": model.catalogue,
        "kinds": list(model.kinds),
        "horizon": model.horizon,
        "trained_through": None if model.trained_through is None else str(model.trained_through.date()),
        "version": model.version,
    }
    data = sio.dumps(
        {"about": json.dumps(about, ensure_ascii=False), "estimator": model.estimator, "reference": model.reference}
    )
    return write_file(path, lambda aside: aside.write_bytes(data))


def load_model(path: str | Path) -> RiskModel:
    """Read a model; nothing of the file is run, and types that are neither skops' nor riskgraph's are refused by name.

    Raises
    ------
    InvalidTable
        No such file, no model, a newer format, or a model with types that are not trusted.
    MissingDependency
        skops is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import riskgraph as rg
    >>> graph = rg.datasets.load_county().graph
    >>> model = rg.learning.train(graph, "propagation", cutoffs=["2016-03-31"], families=["risk"])
    >>> path = save_model(pathlib.Path(tempfile.mkdtemp()) / "model.skops", model)
    >>> type(load_model(path)).__name__
    'RiskModel'
    """
    sio = import_optional("skops.io", extra="models")
    source = Path(path)
    if not source.is_file():
        raise InvalidTable(f"there is no model file {str(source)!r}")
    data = source.read_bytes()
    try:
        unknown = sio.get_untrusted_types(data=data)
    except Exception as error:
        raise InvalidTable(f"{source.name} is no model written by riskgraph: {error}") from error
    refused = sorted(set(unknown) - set(_OURS) - set(_SKLEARN))
    if refused:
        raise InvalidTable(f"{source.name} holds types that are not trusted, so it is not loaded: {', '.join(refused)}")
    try:
        content = sio.loads(data, trusted=sorted(set(unknown)))
        about = json.loads(content["about"])
        form = about["format"]
    except Exception as error:
        raise InvalidTable(f"{source.name} is no model written by riskgraph: {error}") from error
    if form != FORMAT:
        raise InvalidTable(f"{source.name} has the format {form!r}; this riskgraph reads {FORMAT!r}")
    through = about["trained_through"]
    return RiskModel(
        estimator=content["estimator"],
        feature_names=tuple(about["feature_names"]),
        families=tuple(about["families"]),
        facts=tuple(about["facts"]),
        catalogue=about["catalogue"],
        kinds=tuple(about["kinds"]),
        horizon=int(about["horizon"]),
        trained_through=None if through is None else pd.Timestamp(through),
        reference=np.asarray(content["reference"], dtype=np.float64),
        version=about["version"],
    )
