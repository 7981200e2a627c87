"""A bounded sample of the rows of a stream, for losses whose rows are weighed anew."""

from dataclasses import dataclass

import numpy as np

from sgdreg._curvature.factor import Curvature
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg._records import changed

# Rows kept, and kept a feature: a sample of m rows leaves about 1.5 (d + 1)/m of the least
# loss (quantile 0.9 of normal noise), so 0.75 % up to 200 features.
LEAST_ROWS = 5000
ROWS_A_FEATURE = 200
# ... within this memory; where it is fewer rows a feature than these (3 %), none are kept.
MOST_BYTES = 2**26
FEWEST_ROWS_A_FEATURE = 50
# All are weighed anew once this share of the rows has come since: streams of single rows
# stay cheap, and those in pieces of 50 ended 0.85 % above the least loss at most.
SHARE = 0.02


def rows_kept(n_features):
    """How many rows are kept of a stream, 0 where they would be too large to help."""
    rows = max(LEAST_ROWS, ROWS_A_FEATURE * n_features)
    rows = min(rows, MOST_BYTES // (8 * n_features))
    return rows if rows >= FEWEST_ROWS_A_FEATURE * n_features else 0


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of a stream: all of them, and of a longer one a random sample.

    By their priorities weight/u, u uniform in (0, 1]: of m rows kept each stands for
    max(weight, threshold), the threshold being the largest priority that was not kept
    (N. Duffield, C. Lund, M. Thorup, Priority sampling, Journal of the ACM 54, 2007).
    The draws depend on the number of rows seen only, so that the same rows make the same
    model. A sample never changes: adding rows makes a new one.

    Attributes
    ----------
    X : ndarray of shape (m, d)
    y, weights, priorities : ndarray of shape (m,)
    threshold : float
        0 while no row was left out.
    seen : int
        Rows that it was drawn from.
    total : float
        Sum of their weights.
    waiting : float
        ... of those that came since all were weighed anew.
    size : float
        Of the residuals then.
    base : Curvature or None
        Of rows before the stream (those of a `fit`).
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
        """Whether, with rows of such a sum of weights, all are to be weighed anew.

        The first ones always, as if they weighed alike: little weight may change much.
        """
        waiting = self.waiting + weight
        return self.seen < 1 / SHARE or waiting >= SHARE * (self.total + weight)

    def data(self, loss):
        """The rows, as many of them as they stand for."""
        weights = np.maximum(self.weights, self.threshold)
        if self.threshold:
            weights = weights * (self.total / weights.sum())
        y = self.y.reshape(-1, 1)
        return Data.build(self.X, y, weights, weight_unit=1.0, loss=loss, team=ALONE)

    @property
    def weight(self):
        """Sum of the weights of all rows, those of `base` too."""
        return self.total + (0.0 if self.base is None else float(self.base.rows))

    def in_unit(self, shift):
        """The same rows, of targets multiplied by 2^shift."""
        base = self.base and self.base.in_unit(shift)
        y, size = np.ldexp(self.y, shift), float(np.ldexp(self.size, shift))
        return changed(self, y=y, size=size, base=base)

    def add(self, data):
        """The sample with more rows, of one output."""
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
