"""Which rows the curvature is taken from: all, or a random sample that can grow."""

from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from sgdreg._curvature import Curvature, column_norms
from sgdreg._data import Data
from sgdreg._gram import curvature_by_products
from sgdreg._moments import refuse_overflow

# Up to this work (n d²) the factorisation is QR, some 5 ms; above, it is by products.
QR_WORK = 2e7
# What the work on a row costs, in passes of that row (measured from 10 to 1000 features,
# docs/design-notes.md): its products, and fetching it from a random place.
PRODUCT_COST = 3.0
PRODUCT_COST_A_FEATURE = 1 / 16
FETCH_COST = 3.0
# A non-zero of a sparse row costs as much as so many numbers of a dense one.
SPARSE_COST = 4.0
# The least sample: with 5 rows a feature a step shrinks the gap fivefold, and directions
# are known to within a factor of 2.
SAMPLE_ROWS = 5
# ... and enough of them that a rare column is likely to be seen in it.
SMALLEST_SAMPLE = 1000


def curvature_of(data, fit_intercept, start=None, *, work=QR_WORK):
    """The curvature of all rows of the data (added to those of `start`).

    By QR up to so much work (n d²): a sample need not be known to the last digit.
    """
    d = data.n_features
    known = None
    if start is None and data.n_rows * d**2 > work and data.n_rows > 2 * d:
        known = curvature_by_products(data, fit_intercept)
    if known is not None:
        return replace(known, coarse=data.coarse)
    known = start or Curvature.empty(d, data.n_outputs, fit_intercept)
    if data.coarse > known.coarse:
        known = replace(known, coarse=data.coarse)
    with np.errstate(invalid="ignore", over="ignore"):
        # Each factorisation goes over the triangle again: few, and of many rows.
        for piece in data.chunks(at_least=d):
            known = known.add(*piece)
        squares = known.mean @ known.mean, np.vdot(known.features, known.features)
        if isfinite(sum(squares)):  # as a rule: then nothing else has to be looked at
            return known
        sizes = column_norms(known.features)
    if not np.isfinite(known.mean).all() or not np.isfinite(sizes).all():
        refuse_overflow(data, known.mean + sizes)
    return known


def cost_of_all(n_features):
    """Passes that the curvature of all rows takes."""
    return PRODUCT_COST + PRODUCT_COST_A_FEATURE * n_features


def cost_of_density(data):
    """Passes that the curvature of the least sample of sparse rows takes."""
    n, d = data.n_rows, data.n_features
    size = min(n, max(SMALLEST_SAMPLE, SAMPLE_ROWS * d))
    if size * d**2 <= QR_WORK:
        return 0.0
    return size / n * cost_of_all(d) * d / (SPARSE_COST * data.row_size)


def cost_of_sample(size, n_rows, n_features):
    """Passes that the curvature of so many rows takes."""
    return size / n_rows * (cost_of_all(n_features) + FETCH_COST)


def passes_left(gap, tol, ratio):
    """Passes until a gap that shrinks by `ratio` a pass is at tol."""
    if not ratio < 1.0:
        return np.inf
    return max(0.0, np.log(max(gap, 1e-30) / tol) / -np.log(max(ratio, 1e-30)))


def sample_size(n_rows, n_features, tol):
    """How many rows to take the curvature from, for the least time in all.

    All of them where that is no time at all: the answer is then exact.

    With s rows a step shrinks the gap by d/s (the sample's least squares begin there,
    too): conjugate gradients on a curvature whose condition number in the metric is
    ((1 + √(d/s)) / (1 - √(d/s)))², that of a sample covariance.
    """
    best, least = n_rows, cost_of_all(n_features) + 1.0
    if n_rows * n_features**2 <= QR_WORK:
        return n_rows
    size = max(SMALLEST_SAMPLE, SAMPLE_ROWS * n_features)
    while 2 * size < n_rows:
        cost = cost_of_sample(size, n_rows, n_features)
        cost += max(1.0, passes_left(1.0, tol, n_features / size))
        if cost < least:
            best, least = size, cost
        size = int(1.5 * size)
    return best


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
    """

    data: Data | None
    n_rows: int
    fit_intercept: bool
    size: int
    rng: np.random.Generator | None
    cost: float = 0.0

    @property
    def exact(self):
        """Whether all rows are taken."""
        return 2 * self.size >= self.n_rows

    def released(self):
        """What can be kept when the data are gone."""
        return replace(self, data=None, rng=None)

    def larger(self):
        """A sketch of four times as many rows, drawn anew, or of all if that is no more."""
        n, d, size = self.n_rows, self.data.n_features, 4 * self.size
        if cost_of_all(d) <= 3 * cost_of_sample(size, n, d) + 3:
            size = n
        return replace(self, size=min(size, n))

    def strange(self, gap):
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
            among = data.rows if len(data.rows) else data.n_rows
            rows = np.sort(self.rng.choice(among, sketch.size, replace=False))
            sample = replace(data, rows=rows.astype(np.intp, copy=False))
            known = curvature_of(sample, self.fit_intercept, work=0)
            sketch = replace(sketch, cost=sketch.cost + sketch.size / sketch.n_rows)
            still = np.flatnonzero(known.constant())
            if not data.varies(still):
                return known.standing_for(data.n_rows), sketch
            sketch = sketch.larger()
        sketch = replace(sketch, size=self.n_rows, cost=sketch.cost + 1.0)
        return curvature_of(data, self.fit_intercept), sketch
