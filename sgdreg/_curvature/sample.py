"""The curvature of all rows, or of a random sample that can grow."""

from dataclasses import replace

import numpy as np

from sgdreg._curvature.costs import (
    LARGEST_SAMPLE,
    cost_of_all,
    cost_of_sample,
    passes_left,
)
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._data.dataset import Data
from sgdreg._records import changed, record

# A larger sample has GROWTH times as many rows. If its curvature takes nearly as long as
# that of all rows (up to this many times, and passes more), all are taken.
GROWTH = 4
NEARLY_ALL = 3
# The gap of a sample's least squares is d/s on average; a sample with a gap of this many
# times as much is unrepresentative.
LARGE_GAP = 4.0


@record
class Sketch:
    """A random sample of the rows, whose curvature stands for that of all; it can grow.

    Attributes
    ----------
    data : Data or None
        All rows; None after `released`.
    n_rows : int
    fit_intercept : bool
    size : int
        The number of sampled rows; all from the share `LARGEST_SAMPLE` on.
    rng : numpy.random.Generator or None
    cost : float
        The passes over the rows that samples have taken so far.
    sample : Data or None
        The sampled rows; None: all rows are taken.
    """

    data: Data | None
    n_rows: int
    fit_intercept: bool
    size: int
    rng: np.random.Generator | None
    cost: float = 0.0
    sample: Data | None = None

    @property
    def exact(self):
        """Whether all rows are taken."""
        return self.size >= LARGEST_SAMPLE * self.n_rows

    def released(self):
        """A copy without the data, to be kept after the fit."""
        return changed(self, data=None, rng=None, sample=None)

    def larger(self):
        """A sketch of GROWTH times as many new rows, or of all if that costs little."""
        n, d, size = self.n_rows, self.data.n_features, GROWTH * self.size
        if cost_of_all(d) <= NEARLY_ALL * cost_of_sample(size, n, d) + NEARLY_ALL:
            size = n
        return replace(self, size=min(size, n))

    def is_unrepresentative(self, gap):
        """Whether its least squares are further from the optimum than by chance.

        For n rows of one distribution they are at a gap of (1 - R²) d/s on average.
        """
        return not gap <= LARGE_GAP * self.data.n_features / self.size

    def worthwhile(self, gap, tol, ratio):
        """Whether a larger sample saves passes, if the gap shrinks by `ratio` a pass."""
        n, d = self.n_rows, self.data.n_features
        larger = self.larger()
        if larger.exact:
            cost = cost_of_all(d) + 1.0
        else:
            cost = cost_of_sample(larger.size, n, d)
            cost += passes_left(gap, tol, d / larger.size)
        return passes_left(gap, tol, ratio) > cost

    def curvature(self):
        """The sample's curvature, scaled to stand for all rows, and the final sketch.

        The sample grows while a column is constant in it, but not in the data.
        """
        data, sketch = self.data, self
        while not sketch.exact:
            sample = data.random_rows(self.rng, sketch.size)
            known = curvature_of(sample, self.fit_intercept, work=0)
            sketch = replace(sketch, cost=sketch.cost + sketch.size / sketch.n_rows)
            still = np.flatnonzero(known.constant())
            if not data.rows.vary(still):
                return known.standing_for(data.n_rows), replace(sketch, sample=sample)
            sketch = sketch.larger()
        sketch = changed(sketch, size=self.n_rows, cost=sketch.cost + 1.0)
        return curvature_of(data, self.fit_intercept), sketch
