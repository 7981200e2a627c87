"""Which rows the curvature is taken from: all, or a random sample that can grow."""

from dataclasses import dataclass, replace

import numpy as np

from sgdreg._curvature.costs import cost_of_all, cost_of_sample, passes_left
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._data.dataset import Data


@dataclass(frozen=True, eq=False)
class Sketch:
    """The curvature of a random sample of rows, that can be made larger.

    Attributes
    ----------
    data : Data or None
        None: released after the fit, which the plan outlives.
    n_rows : int
    fit_intercept : bool
    size : int
        Rows sampled; where they would be half of all or more, all are taken.
    rng : numpy.random.Generator or None
    cost : float
        Passes over the rows that it has taken so far.
    sample : Data or None
        The rows, where they are not all.
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
        return 2 * self.size >= self.n_rows

    def released(self):
        """What can be kept when the data are gone."""
        return replace(self, data=None, rng=None, sample=None)

    def larger(self):
        """A sketch of four times as many rows, drawn anew, or of all if that is no more."""
        n, d, size = self.n_rows, self.data.n_features, 4 * self.size
        if cost_of_all(d) <= 3 * cost_of_sample(size, n, d) + 3:
            size = n
        return replace(self, size=min(size, n))

    def is_unrepresentative(self, gap):
        """Whether its least squares are further from the optimum than those of a sample.

        Of n rows that are alike they are at a gap of (1 - R²) d/s.
        """
        return not gap <= 4.0 * self.data.n_features / self.size

    def worthwhile(self, gap, tol, ratio):
        """Whether a larger one saves passes, where the gap shrinks by `ratio` a pass."""
        n, d = self.n_rows, self.data.n_features
        larger = self.larger()
        if larger.exact:
            cost = cost_of_all(d) + 1.0
        else:
            cost = cost_of_sample(larger.size, n, d)
            cost += passes_left(gap, tol, d / larger.size)
        return passes_left(gap, tol, ratio) > cost

    def curvature(self):
        """The sample's curvature, standing for all rows; and the size it took.

        A column that is constant in the sample but not in the data makes it larger.
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
        sketch = replace(sketch, size=self.n_rows, cost=sketch.cost + 1.0)
        return curvature_of(data, self.fit_intercept), sketch
