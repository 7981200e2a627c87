"""Smooth losses: Newton steps by the rows where the loss bends."""

from functools import cached_property

import numpy as np

from sgdreg._curvature.costs import cost_of_all, cost_of_sample
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._solvers.newton.bends import Formula, bends, lowest_along, slopes
from sgdreg._solvers.newton.few import MANY, Few, solve
from sgdreg._solvers.newton.frame import Frame
from sgdreg._solvers.newton.model import Model

# Numbers of rows that are kept in the model's coordinates: 16 MB.
FEW_NUMBERS = 2**21
# A sample may show a direction as so many times as strong as it is (`conjugate_gradient`).
SAMPLED = 3.0
# Where the promise falls by less than this, twice, the sample misleads.
FALL, SLOW = 4.0, 2
# The promise is the gap once fewer than this share of the rows that bend have changed.
SETTLED = 0.01
# The answer of a sample need not be nearer than this share of what it is off by.
SAMPLE_TOL = 0.02
# A step that is so near to the best length is taken as it is.
SHORT, LONG = 0.5, 2.0
ROUNDING = 8 * np.finfo(np.float64).eps


class Zones(Model):
    """Curvature of the rows of a sample that bend, or of all, and an exact gradient.

    A few rows are solved first. Their curvature then serves for steps by the gradient of
    all rows, and is taught by what each pass shows (BFGS). Where it misleads, the
    curvature of all rows takes its place, and is changed by the rows that have begun or
    ceased to bend.
    """

    def __init__(self, solver, output):
        super().__init__(solver, output)
        self.solver, self.evaluation = solver, solver.evaluation
        self.loss_of_rows = Formula.of(self.plan.loss)
        self.frame = Frame(self.start.metric, self.plan.fit_intercept)
        self.x = solver.predictions[output].copy()
        self.H, self.bends = None, None
        self.whole, self.slow, self.length = False, 0, 1.0
        self.promise, self.rate, self.changed = np.inf, 0.0, 1.0
        self.step = None

    @cached_property
    def y(self):
        """Targets of the rows taking part."""
        return np.ascontiguousarray(self.data.targets[:, self.output])

    @cached_property
    def shares(self):
        """What each row counts in the mean."""
        weights = self.data.row_weights
        return (np.ones(self.data.n_rows) if weights is None else weights) / len(self.y)

    @cached_property
    def ridge(self):
        """The penalty's curvature in the frame."""
        return self.frame.bend(self.plan.penalty.l2)

    # ------------------------------------------------------------------- few rows

    @cached_property
    def few(self):
        """(some rows, or all where they are few, in the frame; whether they are all)."""
        data, size = self.data, self.frame.size
        every = data.n_rows * size <= FEW_NUMBERS and not self.start.sampled
        if not every:
            most = max(1, FEW_NUMBERS // size)
            wanted = self.start.sketch.size if self.start.sampled else most
            count = min(wanted, most, data.n_rows)
            data = self.start.sketch.sample or data.random_rows(self.start.sketch.rng, count)
            cost = cost_of_sample(count, self.data.n_rows, size)
            self.evaluation.passes += cost
        Z = np.concatenate([self.frame.rows(X) for X, _, _ in data.chunks()])
        return data, Z, every

    def _by_few(self):
        """The weights that minimise the objective over some rows, or over all."""
        data, Z, every = self.solver.models[0].few
        weights = np.ones(data.n_rows) if data.weights is None else data.row_weights
        y = data.targets[:, self.output]
        p = data.predictions(self.weights, self.start.metric.centre)
        few = Few(Z, y, weights / weights.sum())
        penalty = self.ridge, self.frame.pull(self.plan.penalty.l2, self.weights)
        unit = float(self.evaluation.unit[self.output])
        tol = 0.0 if every else SAMPLE_TOL * self.frame.size / data.n_rows
        step, H, count = few.minimum(self.plan.loss, p, penalty, tol * unit)
        if not every:  # the inverse of a sample's curvature is too large
            H = H * max(0.5, 1.0 - self.frame.size / max(1, count))
        self.H, self.whole = H, every
        return self.weights + self.frame.raw(step)

    # ---------------------------------------------------------------------- steps

    def ask(self):
        if self.H is None:
            self.there = self._by_few()
        else:
            slope = self.frame.slope(self.gradient)
            self.step = -self.length * solve(self.H + self.ridge, slope)
            self.there = self.weights + self.frame.raw(self.step)
        return self.there

    def tell(self, loss, gradient, predictions):
        weights = self.there
        before = self._objective(self.weights, self.loss)
        after = self._objective(weights, loss)
        lower = after <= before * (1.0 + ROUNDING)
        if self.step is None:
            if lower:
                self._go(weights, loss, gradient, predictions)
            elif not self.whole:
                self._take_all()
        else:
            t = self._share(gradient, predictions, lower)
            if lower and SHORT <= t <= LONG:
                self.length = 1.0
                self._go(weights, loss, gradient, predictions)
            elif self.length == 1.0:
                self.length = t
            else:
                self.length = 1.0
                if lower:
                    self._go(weights, loss, gradient, predictions)
                elif not self.whole:
                    self._take_all()
        self._promise()

    def _objective(self, weights, loss):
        return loss + float(self.plan.penalty.values(weights[None, :-1])[0])

    def _share(self, gradient, predictions, lower):
        """The share of the last step at which the objective is least."""
        step, frame = self.step, self.frame
        fall = float(frame.slope(self.gradient) @ step)
        rise = float(frame.slope(gradient) @ step)
        if not fall < 0 or (lower and abs(rise) <= 0.5 * -fall):
            return 1.0
        change, bent = predictions - self.x, step @ self.ridge @ step
        pull = self.frame.pull(self.plan.penalty.l2, self.weights) @ step

        def slope(t):
            along = slopes(self.loss_of_rows, self.y, self.x + t * change)
            return float((self.shares * along) @ change + pull + t * bent)

        return lowest_along(slope, fall)

    def _go(self, weights, loss, gradient, predictions):
        """Take a point as the best one; learn what has been seen on the way there."""
        frame = self.frame
        if self.whole:
            self._update(predictions)
        elif self.step is not None:
            change = frame.slope(gradient) - frame.slope(self.gradient)
            self.H = taught(self.H + self.ridge, self.step, change) - self.ridge
        self.weights, self.loss, self.gradient = weights, loss, gradient.copy()
        self.x[:] = predictions

    def _update(self, predictions):
        """The curvature at other predictions."""
        now, old = bends(self.loss_of_rows, self.y, predictions), self.bends
        self.bends = now
        if old is None:
            return
        at = np.flatnonzero(now != old)
        self.changed = len(at) / max(1, np.count_nonzero(now))
        if len(at) > MANY * len(now):
            self.H = self._of_all(now)
            return
        more = self.shares[at] * (now[at] - old[at])
        for first in range(0, len(at), 4096):
            some = slice(first, first + 4096)
            Z = self.frame.rows(self.data.take(at[some])[0])
            self.H = self.H + (Z * more[some, None]).T @ Z
        self.evaluation.passes += cost_of_sample(len(at), self.data.n_rows, len(self.H))

    def _take_all(self):
        """The curvature of all rows from here on."""
        self.whole, self.slow = True, 0
        self.bends = bends(self.loss_of_rows, self.y, self.x)
        self.H = self._of_all(self.bends)

    def _of_all(self, now):
        """The curvature of all rows with such bends."""
        if not now.any():
            return np.zeros((self.frame.size, self.frame.size))
        blank = np.zeros((self.data.n_rows, 1))
        rows = self.data.weighed(now, blank)
        self.evaluation.passes += cost_of_all(self.data.n_features)
        curvature = curvature_of(rows, self.plan.fit_intercept)
        return self.frame.products(curvature) / self.data.n_rows

    # ------------------------------------------------------------------------ gap

    def _promise(self):
        """What the model promises from the best point, and so the gap."""
        before = self.promise
        slope = self.frame.slope(self.gradient)
        self.promise = 0.5 * float(slope @ solve(self.H + self.ridge, slope))
        if not self.whole and not self.promise * FALL <= before:
            self.slow += 1
            if self.slow >= SLOW:
                self._take_all()
                self.promise = 0.5 * float(slope @ solve(self.H + self.ridge, slope))
        margin = 1.0 if self.whole and self.changed <= SETTLED else SAMPLED
        self.gap = margin * self.promise

    def memory(self):
        return {}

    def recall(self, memory):
        pass


def taught(H, step, change):
    """The curvature with what a pass has shown of it along a step (BFGS)."""
    known, bend = H @ step, float(step @ change)
    if not bend > 1e-12 * float(step @ known):
        return H
    H = H - np.outer(known, known) / (step @ known)
    return H + np.outer(change, change) / bend
