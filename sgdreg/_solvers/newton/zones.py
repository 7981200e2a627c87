"""Smooth losses: Newton steps by the rows where the loss bends."""

from functools import cached_property

import numpy as np

from sgdreg._curvature.costs import cost_of_all, cost_of_sample
from sgdreg._curvature.factor import ROUNDED_SPREADS
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._solvers.full_gradient import SMALLEST_TOL
from sgdreg._solvers.newton.bends import Formula, bends, lowest_along, slopes
from sgdreg._solvers.newton.few import MANY, Few, solve
from sgdreg._solvers.newton.frame import Frame
from sgdreg._solvers.newton.model import Model
from sgdreg._training.evaluation import EPS, ROUNDINGS
from sgdreg._training.stopping import ROUNDING

# Numbers of rows that are kept in the model's coordinates: 16 MB.
FEW_NUMBERS = 2**21
# A sample may show a direction as so many times as strong as it is (`conjugate_gradient`).
SAMPLED = 3.0
# Where the promise falls by less than this, twice, the sample misleads.
FALL, SLOW = 4.0, 2
# Rows that are fetched at a time where a few have changed.
ROWS_AT_ONCE = 4096
# The answer of a sample need not be nearer than this share of what it is off by.
SAMPLE_TOL = 0.02
# A step that is so near to the best length is taken as it is.
SHORT, LONG = 0.5, 2.0
# What a model goes on from, beside arrays.
KEPT = ("loss", "gap", "promise", "rate", "length", "slow", "whole")
TINY = np.finfo(np.float64).tiny


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
        self.promise, self.rate = np.inf, 0.0
        self.core, self.before = None, None
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
        tol = EPS if every else SAMPLE_TOL * self.frame.size / data.n_rows
        step, H, bent = few.minimum(self.plan.loss, p, penalty, tol * unit)
        if not every:  # the inverse of a sample's curvature is too large
            H = H * max(0.5, 1.0 - self.frame.size / max(1, np.count_nonzero(bent)))
        elif isinstance(self.loss_of_rows, Formula):
            self.bends = bent
        self.H, self.whole = H, every
        return self.weights + self.frame.raw(step)

    # ---------------------------------------------------------------------- steps

    def ask(self):
        if self.H is None:
            self.there = self._by_few()
        else:
            slope = self.frame.slope(self.gradient)
            self.step = -self.length * self._solve(self.H, slope)
            self.there = self.weights + self.frame.raw(self.step)
        return self.there

    def tell(self, loss, gradient, predictions):
        weights = self.there
        before = self._objective(self.weights, self.loss)
        after = self._objective(weights, loss)
        lower = after <= before * (1.0 + ROUNDING)
        if self.whole and not lower:  # which rows the step would leave as they are
            self.core, self.before = None, bends(self.loss_of_rows, self.y, predictions)
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

    def _solve(self, H, slope):
        return solve(H + self.ridge, slope, self.plan.loss.smoothness)

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
        """The curvature at other predictions; what it has in common with the last one."""
        now, old = bends(self.loss_of_rows, self.y, predictions), self.bends
        self.bends, self.core = now, None
        if old is None:
            old = np.full(len(now), np.inf)
        at = np.flatnonzero(now != old)
        if len(at) > MANY * len(now):
            self.H = self._of_all(now)
            self.before = old
            return
        less = self.H - self._of_some(at, np.maximum(old[at] - now[at], 0.0))
        more = self._of_some(at, np.maximum(now[at] - old[at], 0.0))
        self.core, self.H = less, less + more

    def _of_some(self, at, bends):
        """The curvature of a few rows with such bends."""
        at, bends = at[bends > 0], bends[bends > 0]
        weights, H = self.shares[at] * bends, np.zeros_like(self.H)
        for first in range(0, len(at), ROWS_AT_ONCE):
            some = slice(first, first + ROWS_AT_ONCE)
            Z = self.frame.rows(self.data.take(at[some])[0])
            H += (Z * weights[some, None]).T @ Z
        self.evaluation.passes += cost_of_sample(len(at), self.data.n_rows, len(H))
        return H

    def _take_all(self):
        """The curvature of all rows from here on."""
        self.whole, self.slow = True, 0
        self.bends = bends(self.loss_of_rows, self.y, self.x)
        self.H, self.core, self.before = self._of_all(self.bends), None, None

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
        self._look()
        if not self.whole and self.slow >= SLOW:
            self._take_all()
            self._look()
        self.gap = self._bound() + self._unsure()

    def _look(self):
        before, slope = self.promise, self.frame.slope(self.gradient)
        self.promise = 0.5 * float(slope @ self._solve(self.H, slope))
        self.slow += not self.promise * FALL <= before
        self.rate = self.promise / before if before else 0.0

    def _bound(self):
        """What the objective may be above its optimum, by what the model promises.

        The curvature may be less than it is here. With zones, that of the rows which bent
        before the last step and bend after it counts: once they are all, and go on to
        bend, it is the duality gap. Of a sample it may be a third. Of a loss without
        zones the rate of the fall tells.
        """
        if not self.whole:
            return SAMPLED * self.promise
        if not isinstance(self.loss_of_rows, Formula):
            bent = 1.0 - np.sqrt(min(self.rate, 1.0))
            return self.promise * (1.0 + 1.0 / bent) if bent else np.inf
        unit = float(self.evaluation.unit[self.output])
        small = self.promise <= max(self.plan.tol or 0.0, SMALLEST_TOL) * unit
        if self.core is None and (self.before is None or not small):
            return np.inf  # the next step will tell
        if self.core is None:
            self.core = self._of_all(np.minimum(self.bends, self.before))
        slope = self.frame.slope(self.gradient)
        return 0.5 * float(slope @ self._solve(self.core, slope))

    def _unsure(self):
        """What rounding errors, and directions that are left out, may add to the gap."""
        metric, weights = self.frame.metric, self.weights[None]
        unit = float(self.evaluation.unit[self.output])
        lacking, rounding = metric.lacking(self.gradient[None])
        unknown = max(1e4 * EPS * float(rounding), ROUNDED_SPREADS * self.data.coarse)
        if float(lacking[0]) > unknown * np.sqrt(2 * unit):
            return np.inf
        squares = float(self.evaluation.blur(weights, metric)[0])
        found = self.plan.loss.smoothness * squares
        if isinstance(self.loss_of_rows, Formula):
            steepest = max(self.loss_of_rows.above, self.loss_of_rows.below)
            found = min(found, steepest * np.sqrt(2 * squares))
        variance = max(float(self.data.variances[self.output]), TINY)
        hidden = np.broadcast_to(metric.hidden, self.data.n_outputs)[self.output]
        found += min(float(hidden) / variance, 1.0) * unit
        if self.plan.penalty.l2:
            found += float(self.plan.penalty.values(metric.left_out(weights))[0])
            rounding = ROUNDINGS * EPS * np.sqrt(2 * np.array([self.loss]))
            slopes = metric.along_faint(self.gradient[None], rounding)
            found += 0.5 * float(np.sum(slopes))
        return found

    # ----------------------------------------------------------------- checkpoints

    def memory(self):
        size = self.frame.size
        known = self.H is not None
        kept = {name: getattr(self, name) for name in KEPT}
        kept |= {name: getattr(self, name).copy() for name in ("weights", "gradient", "x")}
        H = self.H.copy() if known else np.zeros((size, size))
        return kept | {"known": known, "H": H, "bent": self.bends is not None}

    def recall(self, memory):
        for name in KEPT:
            setattr(self, name, memory[name])
        for name in ("weights", "gradient", "x"):
            setattr(self, name, memory[name].copy())
        self.H = memory["H"].copy() if memory["known"] else None
        if memory["bent"]:
            self.bends = bends(self.loss_of_rows, self.y, self.x)


def taught(H, step, change):
    """The curvature with what a pass has shown of it along a step (BFGS)."""
    known, bend = H @ step, float(step @ change)
    if not bend > 1e-12 * float(step @ known):
        return H
    H = H - np.outer(known, known) / (step @ known)
    return H + np.outer(change, change) / bend
