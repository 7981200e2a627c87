"""Smooth losses: Newton steps by the curvature of the rows where the loss is curved."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from sgdreg._curvature.costs import cost_of_all, cost_of_sample
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._solvers.newton.curvature_of_rows import CurvedRows
from sgdreg._solvers.newton.dense_newton import NARROWER, Few, solve, taught, widening
from sgdreg._solvers.newton.frame import Frame
from sgdreg._solvers.newton.loss_curvature import Formula, lowest_along
from sgdreg._solvers.newton.model import Model
from sgdreg._solvers.newton.smooth_gap import bound, unsure
from sgdreg._training.evaluation import EPS
from sgdreg._training.stopping import ROUNDING

# Rows of at most this number of entries are solved as an array in memory, without passes:
# 1 MB, which the cache of a core holds. (8 times as many take twice as long as passes.)
FEW_NUMBERS = 2**17
# If the predicted decrease falls by less than the factor FALL, SLOW times, the curvature of
# the sample is given up.
FALL, SLOW = 4.0, 2
# A sample is solved up to this share of the distance of its optimum to that of all rows.
SAMPLE_TOL = 0.02
# The next step needs a line search where the slope at the end of this one is more than
# STEEP times the slope at its start. Searches are no longer needed where one has ended
# between SHORT and LONG.
STEEP, SHORT, LONG = 0.5, 0.5, 2.0
# The numbers that a model continues from, beside arrays.
KEPT = ("loss", "gap", "promise", "rate", "times", "slow", "stage", "careful")
# Stages: before the first step; by a sample's curvature; at the least squares of all rows;
# by the curvature of all rows.
FIRST, SAMPLE, ANEW, WHOLE = 0.0, 1.0, 2.0, 3.0


class Zones(Model):
    """The exact gradient, and the curvature of all rows in the zone, or of a sample.

    A sample of the rows is solved first. Its curvature then gives steps by the gradient of
    all rows, and is updated after each pass (BFGS). Where that is slow, steps begin again
    from the least squares of all rows, with the curvature of all rows.
    """

    def __init__(self, solver, output):
        super().__init__(solver, output)
        self.solver, self.evaluation = solver, solver.evaluation
        self.frame = Frame(self.start.metric, self.plan.fit_intercept)
        self.x = solver.predictions[output].copy()
        self.stage, self.careful, self.slow = FIRST, False, 0.0
        self.promise, self.rate = np.inf, 0.0
        self.H, self.curved = None, None
        self.base, self.times = Formula.of(self.plan.loss).resolved(self.y), 1.0
        self.surface = self.loss, self.gradient

    @property
    def current(self):
        """The loss of the steps: at first with a wider zone than that of the plan."""
        return self.base.wider(self.times) if self.times > 1.0 else self.base

    @property
    def whole(self):
        """Whether the curvature is that of all rows."""
        return self.stage == WHOLE

    # ---------------------------------------------------------------------- steps

    def ask(self):
        if self.stage == FIRST:
            self._start()
        elif self.stage == ANEW:
            self.step, self.there = None, self._reframe()
        else:
            self._newton()
        return self.there

    def _newton(self):
        """The step to the model's minimum; a line search where the last step was poor."""
        slope = self.frame.slope(self.surface[1])
        step = -self.solved(self.curvature, slope)
        move, self.share = self.frame.raw(step), 1.0
        if self.careful:
            change = self.data.predictions(move, self.start.metric.centre)
            self.evaluation.passes += 0.5
            self.share = lowest_along(self._along(step, change), float(slope @ step))
        self.step, self.there = self.share * step, self.weights + self.share * move

    def _along(self, step, change):
        """The slope of the objective along a step; `change` is that of the predictions."""
        ridge = step @ self.penalty_curvature @ step
        pull = self.frame.pull(self.plan.penalty.l2, self.weights) @ step
        weights, current = self.shares * change, self.current

        def slope(t):
            return float(
                weights @ current.gradient(self.y, self.x + t * change) + pull + t * ridge
            )

        return slope

    @cached_property
    def penalty_curvature(self):
        """The penalty's curvature in the frame."""
        return self.frame.penalty_curvature(self.plan.penalty.l2)

    @property
    def curvature(self):
        """The curvature of the model, without that of the penalty."""
        return self.curved.H if self.whole else self.H

    def solved(self, H, slope):
        """(H + the penalty's)⁻¹ slope."""
        return solve(H + self.penalty_curvature, slope, self.current.smoothness)

    def tell(self, loss, gradient, predictions):
        found = self._surface(self.there, loss, gradient, predictions)
        before = self._objective(self.weights, self.surface[0])
        lower = self._objective(self.there, found[0]) <= before * (1.0 + ROUNDING)
        if self.stage in (FIRST, ANEW):
            self._settle(lower, loss, gradient, found, predictions)
        else:
            searched, before = self.careful, self.frame.slope(self.surface[1])
            fall, rise = before @ self.step, self.frame.slope(found[1]) @ self.step
            level = lower and not abs(rise) > STEEP * abs(fall)
            self.careful = not (SHORT <= self.share <= LONG if searched else level)
            if lower:
                if not self.whole:
                    change = self.frame.slope(found[1]) - before
                    self.H = (
                        taught(self.H + self.penalty_curvature, self.step, change)
                        - self.penalty_curvature
                    )
                self._go(loss, gradient, found, predictions)
                if SHORT <= self.share <= LONG:
                    self._narrow()
                self._count()
            elif self.whole:  # compare with the rows in the zone after the step
                self.curved.compare(self.current.curvature(self.y, predictions))
            else:
                self.slow += 1.0
        self._promise()

    def _settle(self, lower, loss, gradient, found, predictions):
        """Begin from this point, or from the one before it: the one that is lower."""
        if lower:
            self._go(loss, gradient, found, predictions)
        if self.stage == ANEW or self.H is None:
            self.times = widening(self.base, self.y, self.x, self.frame.size)
            self._see()
            self.stage = WHOLE
            self.curved = self._curved_rows()
        elif self.curved is not None:
            self.stage = WHOLE
            self._count()
        else:
            self.stage = SAMPLE

    def _objective(self, weights, loss):
        return loss + float(self.plan.penalty.values(weights[None, :-1])[0])

    def _surface(self, weights, loss, gradient, predictions):
        """(loss, gradient) of the loss of the steps."""
        if self.current is self.base and self.base.exact:
            return loss, gradient.copy()
        current, self.evaluation.passes = self.current, self.evaluation.passes + 0.5
        found = self.data.sums(self.shares * current.gradient(self.y, predictions))
        found[:-1] += self.plan.penalty.l2 * weights[:-1]
        found[-1] *= self.plan.fit_intercept
        return float(self.shares @ current.value(self.y, predictions)), found

    def _see(self):
        """Compute loss and gradient here for another width."""
        self.surface = self._surface(self.weights, self.loss, self.gradient, self.x)

    def _go(self, loss, gradient, found, predictions):
        """Take a point as the best one."""
        self.weights, self.loss, self.gradient = self.there, loss, gradient.copy()
        self.x[:], self.surface = predictions, found

    def _narrow(self):
        """Make the zone narrower, but not narrower than that of the plan."""
        if self.times > 1.0:
            self.times = max(1.0, self.times / NARROWER)
            self._see()

    def _count(self):
        """Update the curvature of all rows to this point."""
        if self.whole:
            curvatures = self.current.curvature(self.y, self.x)
            self.evaluation.passes += self.curved.update(curvatures)

    # ------------------------------------------------------------------- few rows

    @cached_property
    def few(self):
        """(data, rows in the frame, whether they are all rows): a sample, or all rows."""
        data, every = self.data, not self.start.sampled
        if not every:
            data = self.start.sketch.sample
            size, width = self.data.n_rows, self.frame.size
            self.evaluation.passes += cost_of_sample(data.n_rows, size, width)
        Z = [self.frame.rows(X) for X, _, _ in data.chunks()]
        return data, np.concatenate(Z), every

    def _start(self):
        """The weights that minimise the objective over some rows, or over all."""
        self.there, self.step = self.weights, None
        if not self.start.sampled and self.data.n_rows * self.frame.size > FEW_NUMBERS:
            return  # steps start from the least squares of all rows
        data, Z, every = self.solver.models[0].few
        weights = np.ones(data.n_rows) if data.weights is None else data.row_weights
        y = data.targets[:, self.output]
        p = data.predictions(self.weights, self.start.metric.centre)
        few = Few(Z, y, weights / weights.sum())
        penalty = (
            self.penalty_curvature,
            self.frame.pull(self.plan.penalty.l2, self.weights),
        )
        tol = EPS if every else SAMPLE_TOL * self.frame.size / data.n_rows
        step, H, curvatures = few.minimum(self.base, p, penalty, tol * self.unit)
        if not every:  # the inverse of a sample's curvature is too large
            H = H * max(0.5, 1.0 - self.frame.size / max(1, np.count_nonzero(curvatures)))
        self.H = H
        if every:
            self.curved = self._curved_rows(curvatures, H)
        self.there = self.weights + self.frame.raw(step)

    # ------------------------------------------------------------------- all rows

    def _curved_rows(self, curvatures=None, H=None):
        """The curvature of all rows, at this point or by known second derivatives."""
        curvatures = (
            self.current.curvature(self.y, self.x) if curvatures is None else curvatures
        )
        return CurvedRows(self.data, self.shares, self.frame, self._of_all, curvatures, H)

    def _of_all(self, curvatures):
        """The curvature of all rows, by their second derivatives."""
        if not curvatures.any():
            return np.zeros((self.frame.size, self.frame.size))
        rows = self.data.weighed(curvatures, np.zeros((self.data.n_rows, 1)))
        share = rows.n_rows / self.data.n_rows
        self.evaluation.passes += share * cost_of_all(self.data.n_features)
        curvature = curvature_of(rows, self.plan.fit_intercept)
        return self.frame.products(curvature) / self.data.n_rows

    @cached_property
    def squares(self):
        """The curvature of all rows, with their targets."""
        self.evaluation.passes += cost_of_all(self.data.n_features)
        return curvature_of(self.data, self.plan.fit_intercept)

    def _reframe(self):
        """Use coordinates in which all rows have covariance I; their least squares."""
        metric, answer = self.solver.models[0].squares.solve(self.plan.penalty.l2)
        weights, centre = answer[self.output], self.start.metric.centre
        if centre is not None:
            weights[-1] += weights[:-1] @ (centre - metric.centre)
            metric = replace(metric, centre=centre)
        self.frame = Frame(metric, self.plan.fit_intercept)
        vars(self).pop("penalty_curvature", None)
        return weights

    # ------------------------------------------------------------------------ gap

    def _promise(self):
        """The predicted decrease from the best point, and the gap."""
        if self.stage == ANEW:
            return
        before, slope = self.promise, self.frame.slope(self.surface[1])
        self.promise = 0.5 * float(slope @ self.solved(self.curvature, slope))
        self.rate = self.promise / before if before else 0.0
        self.gap = bound(self, slope) + unsure(self)
        if self.stage == SAMPLE:
            self.slow += not self.promise * FALL <= before
            known = self.gap <= (self.plan.tol or 0.0) * self.unit
            if self.slow >= SLOW and not known:
                self.stage = ANEW

    # ----------------------------------------------------------------- checkpoints

    def memory(self):
        kept = {name: getattr(self, name) for name in KEPT}
        for name in ("weights", "gradient", "x"):
            kept[name] = getattr(self, name).copy()
        H, size = np.zeros(2 * [self.data.n_features + 1]), self.frame.size
        known = self.stage in (SAMPLE, WHOLE)
        if known:
            H[:size, :size] = self.curvature
        return kept | {"H": H, "known": known}

    def recall(self, memory):
        passes = self.evaluation.passes
        for name in KEPT:
            setattr(self, name, memory[name])
        for name in ("weights", "gradient", "x"):
            setattr(self, name, memory[name].copy())
        if self.whole and self.start.sampled:
            self._reframe()
        if memory["known"]:
            size = self.frame.size
            self.H = memory["H"][:size, :size].copy()
        if self.whole:
            self.curved = self._curved_rows(H=self.H)
        self._see()
        self.evaluation.passes = passes
