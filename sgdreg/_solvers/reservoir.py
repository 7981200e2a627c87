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

    The rows with the largest priorities weight/u are kept, with u uniform in (0, 1]. Each
    of them counts with max(weight, threshold), where the threshold is the largest priority
    that was not kept (N. Duffield, C. Lund, M. Thorup, Priority sampling, Journal of the
    ACM 54, 2007). The random numbers depend on the number of rows seen only, so the same
    rows make the same model. A sample never changes: adding rows makes a new one.

    Attributes
    ----------
    X : ndarray of shape (m, d)
    y, weights, priorities : ndarray of shape (m,)
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

    @classmethod
    def empty(cls, n_features, base):
        none = np.zeros(0)
        return cls(np.zeros((0, n_features)), none, none, none, base=base)

    def due(self, weight):
        """Whether all rows get new weights when rows of this total weight are added.

        Always for the first rows, whatever their weights, as each may change the model
        much.
        """
        waiting = self.waiting + weight
        return self.seen < 1 / SHARE or waiting >= SHARE * (self.total + weight)

    def data(self, loss):
        """The kept rows, with weights that stand for all rows."""
        weights = np.maximum(self.weights, self.threshold)
        if self.threshold:
            weights = weights * (self.total / weights.sum())
        y = self.y.reshape(-1, 1)
        return Data.build(self.X, y, weights, weight_unit=1.0, loss=loss, team=ALONE)

    @property
    def weight(self):
        """The sum of the weights of all rows, including those of `base`."""
        return self.total + (0.0 if self.base is None else float(self.base.rows))

    def in_unit(self, shift):
        """The same rows, with targets multiplied by 2^shift."""
        base = self.base and self.base.in_unit(shift)
        y, size = np.ldexp(self.y, shift), float(np.ldexp(self.size, shift))
        return changed(self, y=y, size=size, base=base)

    def add(self, data):
        """The sample with more rows (of one output)."""
        n, most = data.n_rows, rows_kept(data.n_features)
        weights = np.ones(n) if data.weights is None else data.row_weights
        u = 1.0 - np.random.default_rng(self.seen).random(n)
        priorities = np.append(self.priorities, weights / u)
        kept, threshold = np.arange(len(priorities)), self.threshold
        if len(kept) > most:
            order = np.argpartition(-priorities, most)
            kept, threshold = np.sort(order[:most]), max(threshold, priorities[order[most]])
        old, new = kept[kept < len(self.y)], kept[kept >= len(self.y)] - len(self.y)
        grown = changed(
            self,
            threshold=float(threshold),
            seen=self.seen + n,
            total=self.total + float(weights.sum()),
        )
        if not len(new) and len(old) == len(self.y):
            return grown
        X, y, _ = data.take(new)
        return changed(
            grown,
            X=np.vstack([self.X[old], X]),
            y=np.append(self.y[old], y[:, 0]),
            weights=np.append(self.weights[old], weights[new]),
            priorities=priorities[kept],
        )
