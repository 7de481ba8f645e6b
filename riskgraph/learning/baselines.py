"""Baselines ready to use: logistic regression, gradient boosting, pure propagation; each with true probabilities."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from riskgraph.errors import InvalidParameter

__all__ = ["BASELINES", "Calibrated", "ColumnScore", "Softsign", "baseline"]

#: names that :func:`baseline` takes
BASELINES = ("logistic", "boosting", "propagation")
#: fewest of either class for which probabilities are fitted on held-out rows
FEWEST = 6
#: rows from which several threads are worth it
THREADED = 50_000
#: slope below which a fitted line would turn the ranking round
FLAT = 1e-3


def baseline(name: str, *, random_state: int = 0) -> Any:
    """Classifier for frames of features, missing values allowed.

    Parameters
    ----------
    name
        ``"logistic"``: missing values filled with the median and marked, every feature bent into (-1, 1), logistic
        regression with a ridge. ``"boosting"``: gradient-boosted trees. The log-odds of both are brought to true
        probabilities on held-out groups. ``"propagation"``: the column ``risk_cascade`` alone, in its own order,
        brought to probabilities.
    random_state
        Seed of the trees.

    Raises
    ------
    InvalidParameter
        Another name.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"risk_cascade": [0.0, 0.1, 0.2, 0.9]})
    >>> baseline("propagation").fit(X, [0, 0, 0, 1]).predict_proba(X)[:, 1].round(2)
    array([0.16, 0.2 , 0.25, 0.66])
    """
    if name not in BASELINES:
        raise InvalidParameter(f"'name' must be one of {', '.join(BASELINES)}; got {name!r}")
    if name == "propagation":
        return ColumnScore()
    if name == "logistic":
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import Pipeline

        return Calibrated(
            Pipeline(
                [
                    ("fill", SimpleImputer(strategy="median", add_indicator=True)),
                    ("bend", Softsign()),
                    ("fit", LogisticRegression(C=0.3, max_iter=2_000)),
                ]
            )
        )
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=80,
        learning_rate=0.08,
        max_leaf_nodes=15,
        max_bins=63,
        min_samples_leaf=15,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=random_state,
    )
    return Calibrated(trees)


def _line(score: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the log-odds on a score, never falling (Platt 1999, with his smoothed targets)."""
    from scipy.optimize import minimize

    good, bad = label.sum(), label.size - label.sum()
    target = np.where(label > 0, (good + 1) / (good + 2), 1 / (bad + 2))
    center, width = float(score.mean()), float(score.std())
    if width == 0:
        return FLAT, float(np.log((good + 1) / (bad + 1))) - FLAT * center
    z = (score - center) / width

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        odds = x[0] * z + x[1]
        chance = 0.5 * (1 + np.tanh(odds / 2))
        value = float(np.sum(np.logaddexp(0.0, odds) - target * odds))
        gap = chance - target
        return value, np.array([gap @ z, gap.sum()])

    begin = np.array([1.0, np.log((good + 1) / (bad + 1))])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=[(FLAT, None), (None, None)]).x
    return float(found[0] / width), float(found[1] - found[0] * center / width)


def _two_columns(odds: np.ndarray) -> np.ndarray:
    chance = 0.5 * (1 + np.tanh(odds / 2))
    return np.column_stack([1 - chance, chance])


def _labels(y: Any) -> np.ndarray:
    values = np.asarray(y)
    if values.ndim != 1 or not np.isin(values, (0, 1)).all():
        raise InvalidParameter("'y' must hold 0 and 1 only, one a row")
    return values.astype(np.float64)


class Softsign(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers bent into (-1, 1) around their median, so that no amount, however large or new, outweighs the rest.

    ``z / (1 + |z|)`` of the distance ``z`` to the median in units of the usual distance: the median distance of those
    that differ from the median at all, so that a rare count of 1 among zeros still counts.

    Attributes
    ----------
    center_, width_
        Median, and usual distance from it, of each column.

    Examples
    --------
    >>> import numpy as np
    >>> Softsign().fit_transform(np.array([[0.0], [0.0], [0.0], [1.0], [3.0]])).ravel().round(2)
    array([0.  , 0.  , 0.  , 0.33, 0.6 ])
    """

    center_: np.ndarray
    width_: np.ndarray

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the medians and the usual distances."""
        values = validate_data(self, X, dtype=np.float64)
        self.center_ = np.median(values, axis=0)
        distance = np.abs(values - self.center_)
        apart = distance > 0
        self.width_ = np.ones(values.shape[1])
        for column in np.flatnonzero(apart.any(axis=0)):
            self.width_[column] = np.median(distance[apart[:, column], column])
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Bend the columns."""
        check_is_fitted(self, "center_")
        z = (validate_data(self, X, dtype=np.float64, reset=False) - self.center_) / self.width_
        return np.asarray(z / (1 + np.abs(z)))


class ColumnScore(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One column as a classifier: its order as it is, its values brought to probabilities by a rising line.

    Parameters
    ----------
    column
        Name of the column; missing values count as its least.

    Attributes
    ----------
    slope_, intercept_
        Log-odds on the column.
    least_, most_
        Least and greatest value of :meth:`fit`.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
    >>> bool(ColumnScore("x").fit(X, [0, 0, 1, 1]).slope_ > 0)
    True
    """

    slope_: float
    intercept_: float
    least_: float
    most_: float

    def __init__(self, column: str = "risk_cascade") -> None:
        self.column = column

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        """Fit the line.

        Raises
        ------
        InvalidParameter
            ``X`` lacks the column.
        """
        self.least_ = 0.0
        given = np.isfinite(self._raw(X))
        if given.any():
            self.least_ = float(self._raw(X)[given].min())
        values = self._values(X)
        self.slope_, self.intercept_ = _line(values, _labels(y))
        self.most_ = float(values.max())
        self.classes_ = np.array([0, 1])
        return self

    def _raw(self, X: Any) -> np.ndarray:
        if not isinstance(X, pd.DataFrame) or self.column not in X:
            raise InvalidParameter(f"'X' must be a frame with the column {self.column!r}; got {type(X).__name__}")
        return X[self.column].to_numpy(dtype=np.float64)

    def _values(self, X: Any) -> np.ndarray:
        return np.nan_to_num(self._raw(X), nan=self.least_)

    def decision_function(self, X: pd.DataFrame) -> np.ndarray:
        """Log-odds."""
        check_is_fitted(self, "slope_")
        return self.slope_ * self._values(X) + self.intercept_

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Probabilities of 0 and 1; beyond the highest value of :meth:`fit` the line is not followed."""
        check_is_fitted(self, "slope_")
        return _two_columns(self.slope_ * np.minimum(self._values(X), self.most_) + self.intercept_)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Whichever is likelier."""
        return (self.decision_function(X) > 0).astype(np.int64)


class Calibrated(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose log-odds are brought to true probabilities on rows it was not fitted on.

    Columns that tell nothing, all missing or all the same, are left out. The line never falls, so the ranking stays
    that of the classifier: no two scores are merged, none swapped.

    Parameters
    ----------
    estimator
        A classifier with ``decision_function``.
    folds
        Parts in which rows are held out; related rows stay together where :meth:`fit` gets ``groups``.

    Attributes
    ----------
    estimator_
        The classifier, fitted on all rows.
    columns_
        Mask of the columns it reads.
    slope_, intercept_
        True log-odds on the classifier's.

    References
    ----------
    Platt (1999); Niculescu-Mizil and Caruana (2005) on boosting.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.arange(40.0).reshape(-1, 1)
    >>> Calibrated(LogisticRegression()).fit(X, np.arange(40) // 21).predict([[3.0], [33.0]])
    array([0, 1])
    """

    estimator_: Any
    slope_: float
    intercept_: float

    def __init__(self, estimator: Any, folds: int = 3) -> None:
        self.estimator = estimator
        self.folds = folds

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the classifier, and the line on held-out rows.

        Parameters
        ----------
        groups
            Group of each row: rows of one group are held out together. With fewer than six rows of either class the
            classifier's own probabilities stand.
        """
        from threadpoolctl import threadpool_limits

        X, label = self._checked(X, y)
        # on small tables threads wait for each other longer than they work; one thread also fixes the order of sums
        with threadpool_limits(limits=1 if len(X) < THREADED else None):
            return self._fit(X, label, groups)

    def _checked(self, X: Any, y: Any = None, *, reset: bool = True) -> tuple[Any, np.ndarray]:
        """Rows, frames as they are and else as numbers, with labels 0 and 1; classes and columns are noted."""
        finite = "allow-nan" if _takes_missing(self.estimator) else True
        if not reset:
            values = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite=finite)
            return X if isinstance(X, pd.DataFrame) else values, np.empty(0)
        values, given = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=finite)
        check_classification_targets(given)
        self.classes_, place = np.unique(given, return_inverse=True)
        if self.classes_.size > 2:
            raise InvalidParameter(
                f"'y' must hold two classes. Only binary classification is supported. Got {self.classes_.size} classes"
            )
        if self.classes_.size < 2:
            raise InvalidParameter("'y' must hold two classes, such as 0 and 1; got one class only")
        return X if isinstance(X, pd.DataFrame) else values, place.astype(np.float64)

    def __sklearn_tags__(self) -> Any:
        """Two classes only; missing values where the classifier takes them."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = _takes_missing(self.estimator)
        return tags

    def _fit(self, X: Any, label: np.ndarray, groups: Any) -> Self:
        self.columns_ = _told(X)
        self.estimator_ = clone(self.estimator).fit(_columns(X, self.columns_), label.astype(np.int64))
        self.slope_, self.intercept_ = 1.0, 0.0
        if min(label.sum(), label.size - label.sum()) < FEWEST:
            return self
        held_out = np.full(label.size, np.nan)
        for train, test in self._folds(label, groups):
            if np.unique(label[train]).size == 2:
                rows = _take(X, train)
                told = _told(rows)
                part = clone(self.estimator).fit(_columns(rows, told), label[train].astype(np.int64))
                held_out[test] = part.decision_function(_columns(_take(X, test), told))
        given = ~np.isnan(held_out)
        if min(label[given].sum(), given.sum() - label[given].sum()) >= FEWEST:
            self.slope_, self.intercept_ = _line(held_out[given], label[given])
        return self

    def _folds(self, label: np.ndarray, groups: Any) -> Any:
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

        empty = np.zeros(label.size)
        if groups is None:
            return StratifiedKFold(self.folds).split(empty, label)
        codes = pd.factorize(np.asarray(groups, dtype=object))[0]
        folds = min(self.folds, int(codes.max()) + 1)
        return StratifiedGroupKFold(folds).split(empty, label, codes) if folds > 1 else iter(())

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of the second class."""
        check_is_fitted(self, "estimator_")
        X, _ = self._checked(X, reset=False)
        return self.slope_ * np.asarray(self.estimator_.decision_function(_columns(X, self.columns_))) + self.intercept_

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of both classes."""
        return _two_columns(self.decision_function(X))

    def predict(self, X: Any) -> np.ndarray:
        """Whichever is likelier."""
        likelier = (self.decision_function(X) > 0).astype(np.int64)
        return np.asarray(self.classes_[likelier])


def _takes_missing(estimator: Any) -> bool:
    """Whether a classifier, or the first step of a pipeline, takes missing values."""
    first = estimator.steps[0][1] if hasattr(estimator, "steps") else estimator
    return bool(get_tags(first).input_tags.allow_nan)


def _told(X: Any) -> np.ndarray:
    """Mask of the columns that hold two different values, missing ones aside; all where none does."""
    values = np.asarray(X, dtype=np.float64)
    given = ~np.isnan(values)
    low = np.where(given, values, np.inf).min(axis=0)
    high = np.where(given, values, -np.inf).max(axis=0)
    mask = low < high
    if not mask.any():
        mask = given.any(axis=0)
    return np.asarray(mask) if mask.any() else np.ones(values.shape[1], dtype=bool)


def _columns(X: Any, mask: np.ndarray) -> Any:
    return X.loc[:, mask] if isinstance(X, pd.DataFrame) else np.asarray(X, dtype=np.float64)[:, mask]


def _take(X: Any, rows: np.ndarray) -> Any:
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else np.asarray(X)[rows]
