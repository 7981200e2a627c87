"""A bounded sample of the rows of a stream, for losses that change the rows' weights."""

import numpy as np

from sgdreg._curvature.factor import Curvature
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg._records import changed, record

# The sample has at least this many rows, and this many for each feature. The optimum for m
# rows is above the least loss by about 1.5 (d + 1)/m of it (quantile 0.9 of normal noise):
# 0.75 % here.
LEAST_ROWS = 5000
ROWS_A_FEATURE = 200
# It takes at most this memory. If that is for fewer rows per feature than these (3 %),
# there is no sample.
MOST_BYTES = 2**26
FEWEST_ROWS_A_FEATURE = 50
# All rows of the sample get new weights when this share of the rows is new: streams of
# single rows stay cheap, and streams in batches of 50 ended at most 0.85 % above the least
# loss.
SHARE = 0.02


def rows_kept(n_features):
    """How many rows of a stream are kept; 0 with too many features for a useful sample."""
    rows = max(LEAST_ROWS, ROWS_A_FEATURE * n_features)
    rows = min(rows, MOST_BYTES // (8 * n_features))
    return rows if rows >= FEWEST_ROWS_A_FEATURE * n_features else 0


@record
class Sample:
    """All rows of a short stream, or a random sample of the rows of a longer one.

    The rows with the largest priorities weight·importance/u are kept, with u uniform in
    (0, 1]. Each of them counts with max(weight, threshold/importance), where the threshold
    is the largest priority that was not kept (N. Duffield, C. Lund, M. Thorup, Priority
    sampling, Journal of the ACM 54, 2007). Half of the importance is the same for all rows,
    half is proportional to the slope of the row's loss (T. Hesterberg, Weighted average
    importance sampling and defensive mixture distributions, Technometrics 37, 1995): at an
    extreme quantile few rows have the large slope, and they say where it is. The random
    numbers depend on the number of rows seen only, so the same rows make the same model. A
    sample never changes: adding rows makes a new one.

    The slopes of all rows, each by the model of its time, are summed. The error of that
    sum, estimated by the kept rows, is known, and tells of the error of other sums: a
    control variate, see `tilt`.

    Attributes
    ----------
    X : ndarray of shape (m, d)
    y, weights, priorities : ndarray of shape (m,)
    importance, slopes : ndarray of shape (m,) or None
        None while all rows are kept.
    gradient : ndarray of shape (d + 1,) or None
        The sum of the slopes of all rows, by the model of their time.
    steepness, measured : float
        The sum of the largest slopes of all rows, and that of their weights.
    threshold : float
        0 while all rows are kept.
    seen : int
        The number of rows it was drawn from.
    total : float
        The sum of their weights.
    waiting : float
        The sum of the weights of rows since all rows got new weights.
    size : float
        The typical size of the residuals at that time.
    base : Curvature or None
        That of rows before the stream (those of a `fit`).
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    priorities: np.ndarray
    threshold: float = 0.0
    seen: int = 0
    total: float = 0.0
    waiting: float = 0.0
    size: float = 0.0
    base: Curvature | None = None
    importance: np.ndarray | None = None
    slopes: np.ndarray | None = None
    gradient: np.ndarray | None = None
    steepness: float = 0.0
    measured: float = 0.0

    @classmethod
    def empty(cls, n_features, base):
        none = np.zeros(0)
        return cls(np.zeros((0, n_features)), none, none, none, base=base)

    def due(self, data):
        """Whether all rows get new weights when these rows are added.

        Always for the first rows, whatever their weights, as each may change the model
        much, and where rows are dropped for the first time.
        """
        weight, first = data.total_weight, self.fills(data)
        waiting = self.waiting + weight
        due = self.seen < 1 / SHARE or waiting >= SHARE * (self.total + weight)
        return due or first

    def fills(self, data):
        """Whether with these rows there are, for the first time, too many to keep."""
        return not self.threshold and self.overflows(data)

    def overflows(self, data):
        """Whether with these rows there are too many to keep."""
        return len(self.y) + data.n_rows > rows_kept(data.n_features)

    def data(self, loss):
        """The kept rows, with weights that stand for all rows."""
        y, weights = self.y.reshape(-1, 1), self._representing
        return Data.build(self.X, y, weights, weight_unit=1.0, loss=loss, team=ALONE)

    @property
    def _representing(self):
        """The weights with which the kept rows stand for all."""
        if not self.threshold:
            return self.weights
        least = self.threshold
        if self.importance is not None:
            least = least / self.importance
        weights = np.maximum(self.weights, least)
        return weights * (self.total / weights.sum())

    def tilt(self, slopes):
        """The linear term (d + 1,) by which the kept rows' losses stand better for all.

        The kept rows' sum of the slopes of their time misses that of all rows by a known
        vector. By the share of it to which these slopes and those of now go together, the
        sum of those of now misses, too (the regression estimator of a control variate).

        Parameters
        ----------
        slopes : ndarray of shape (m,)
            Of the losses of the kept rows, now.
        """
        if self.slopes is None:
            return np.zeros(self.X.shape[1] + 1)
        weights = self._representing
        noise = weights * np.maximum(weights - self.weights, 0.0)
        then = noise @ self.slopes**2
        share = min(max((noise @ (slopes * self.slopes)) / then, 0.0), 1.0) if then else 0.0
        return share * (self.gradient - _sum(self.X, weights * self.slopes))

    @property
    def weight(self):
        """The sum of the weights of all rows, including those of `base`."""
        return self.total + (0.0 if self.base is None else float(self.base.rows))

    def in_unit(self, shift):
        """The same rows, with targets multiplied by 2^shift; slopes of then are lost."""
        base = self.base and self.base.in_unit(shift)
        y, size = np.ldexp(self.y, shift), float(np.ldexp(self.size, shift))
        slopes = {"slopes": None, "gradient": None}
        return changed(self, y=y, size=size, base=base, **slopes)

    def add(self, data, slopes=None, old=None):
        """The sample with more rows (of one output).

        Parameters
        ----------
        data : Data
        slopes : Slopes or None
            Of these rows, where some rows have to be dropped.
        old : Slopes or None
            Of the rows kept so far, where these are all rows.
        """
        n, most = data.n_rows, rows_kept(data.n_features)
        weights = np.ones(n) if data.weights is None else data.row_weights
        u = 1.0 - np.random.default_rng(self.seen).random(n)
        known, importance, threshold = self, np.ones(n), self.threshold
        if slopes is not None:
            known = self._sloping(weights, slopes, old)._measured(weights, slopes.steepest)
            importance = known._importance_of(slopes)
        priorities = np.append(known.priorities, weights * importance / u)
        kept = np.arange(len(priorities))
        if len(kept) > most:
            order = np.argpartition(-priorities, most)
            kept, threshold = np.sort(order[:most]), max(threshold, priorities[order[most]])
        old, new = kept[kept < len(self.y)], kept[kept >= len(self.y)] - len(self.y)
        grown = changed(
            known,
            threshold=float(threshold),
            seen=self.seen + n,
            total=self.total + float(weights.sum()),
        )
        if slopes is not None:
            gradient = known.gradient + data.sums(weights * slopes.here)
            grown = changed(grown, gradient=gradient)
        if not len(new) and len(old) == len(self.y):
            return grown
        X, y, _ = data.take(new)
        grown = changed(
            grown,
            X=np.vstack([self.X[old], X]),
            y=np.append(self.y[old], y[:, 0]),
            weights=np.append(self.weights[old], weights[new]),
            priorities=priorities[kept],
        )
        if slopes is None:
            return grown
        return changed(
            grown,
            importance=np.append(known.importance[old], importance[new]),
            slopes=np.append(known.slopes[old], slopes.here[new]),
        )

    def _sloping(self, weights, slopes, old):
        """The same rows with slopes and their sums, which begin when rows are dropped.

        Where slopes of earlier rows are not known, they count as zero, which is as good as
        any number if it is the same in the sum of all rows and in that of the sample.
        """
        if self.slopes is not None:
            return self
        if old is None:
            here, importance = np.zeros(len(self.y)), self.importance
            known = changed(self, slopes=here, steepness=0.0, measured=0.0)
            if importance is None:
                known = changed(known, importance=np.ones(len(here)))
        else:
            both = np.append(self.weights, weights)
            steep = self._measured(both, np.append(old.steepest, slopes.steepest))
            importance, here = steep._importance_of(old), old.here
            priorities = self.priorities * importance
            known = changed(self._measured(self.weights, old.steepest), slopes=here)
            known = changed(known, importance=importance, priorities=priorities)
        return changed(known, gradient=_sum(self.X, self.weights * here))

    def _measured(self, weights, steepest):
        """The same rows, with the slopes of more rows in the mean."""
        total = self.steepness + float(weights @ steepest)
        return changed(self, steepness=total, measured=self.measured + float(weights.sum()))

    def _importance_of(self, slopes):
        """Half the same for all rows, half by the slopes: 1 on average."""
        if not self.steepness:
            return np.ones(len(slopes.here))
        return 0.5 + 0.5 * slopes.steepest * (self.measured / self.steepness)


def _sum(X, factors):
    """Σ factor (x, 1) of some rows."""
    return np.append(factors @ X, factors.sum())
