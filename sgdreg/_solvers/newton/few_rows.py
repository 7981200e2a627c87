"""The optimum of a sample of the rows, or of all rows where they are few, in memory."""

import numpy as np

from sgdreg._curvature.costs import cost_of_sample
from sgdreg._solvers.newton.dense_newton import Few
from sgdreg._solvers.newton.loss_curvature import Formula
from sgdreg._solvers.newton.model import Optimum
from sgdreg._solvers.newton.penalised import penalised
from sgdreg._training.evaluation import EPS

# All rows of at most this number of entries are solved as an array in memory: 1 MB, which
# the cache of a core holds. (8 times as many take twice as long as passes.)
FEW_NUMBERS = 2**17
# A sample is solved up to this share of the distance of its optimum to that of all rows.
SAMPLE_TOL = 0.02
# Bytes of rows that are moved into the frame at a time: half of a core's cache.
BYTES_AT_ONCE = 2**19


class FewRows:
    """These rows in the frame, for the models of all outputs.

    Attributes
    ----------
    every : bool
        Whether they are all rows.
    """

    def __init__(self, solver):
        self.start, self.every = solver.start, not solver.start.sampled
        self.price = penalised(solver.plan, self.start.metric, solver.known)
        frame, self.data = self.price.frame, solver.data
        self.unit = solver.evaluation.unit
        if not self.every:
            n, self.data = self.data.n_rows, self.start.sketch.sample
            cost = cost_of_sample(self.data.n_rows, n, frame.size)
            solver.evaluation.passes += cost
        self.rows, first = np.empty((self.data.n_rows, frame.size)), 0
        for X, _, _ in self.data.chunks(size=BYTES_AT_ONCE):
            self.rows[first : first + len(X)] = frame.rows(X)
            first += len(X)
        self.known = {}

    @classmethod
    def of(cls, solver):
        """These rows; None where they are neither sampled nor few."""
        start, numbers = solver.start, solver.data.n_rows * (solver.data.n_features + 1)
        return cls(solver) if start.sampled or numbers <= FEW_NUMBERS else None

    def optimum(self, output, weights, loss=None, predictions=None):
        """The optimum from some weights (d + 1,); it is kept for `known`.

        Of another loss than that of the rows, if it is given. `predictions` (m,), if given,
        are those of these weights, and change to those of the optimum.
        """
        data, price = self.data, self.price.about(weights)
        shares = np.ones(data.n_rows) if data.weights is None else data.row_weights
        y = np.ascontiguousarray(data.targets[:, output])
        loss, size = Formula.of(loss or data.loss).resolved(y), price.frame.size
        p = predictions
        if p is None:
            p = data.predictions(weights, self.start.metric.centre)
        few = Few(self.rows, y, shares / shares.sum())
        tol = EPS if self.every else SAMPLE_TOL * size / data.n_rows
        step, H, curvatures = few.minimum(loss, p, price, tol * self.unit[output])
        if not self.every:  # the inverse of a sample's curvature is too large
            H = H * max(0.5, 1.0 - size / max(1, np.count_nonzero(curvatures)))
        found = Optimum(price.weights_at(step), H, curvatures, self.every)
        self.known[output] = found
        if predictions is not None:
            predictions += self.rows @ step
        return found
