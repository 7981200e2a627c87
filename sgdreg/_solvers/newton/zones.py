"""Smooth losses: Newton steps by the rows where the loss bends."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from sgdreg._curvature.costs import cost_of_all, cost_of_sample
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._solvers.newton.bends import Formula, lowest_along
from sgdreg._solvers.newton.bent_rows import BentRows
from sgdreg._solvers.newton.few import NARROWER, Few, solve, taught, widening
from sgdreg._solvers.newton.frame import Frame
from sgdreg._solvers.newton.model import Model
from sgdreg._solvers.newton.smooth_gap import bound, unsure
from sgdreg._training.evaluation import EPS
from sgdreg._training.stopping import ROUNDING

# Numbers of rows that are solved in the model's coordinates, without passes: 1 MB, which a
# core's cache holds. (Of 8 times as many it takes twice as long as by passes.)
FEW_NUMBERS = 2**17
# Where the promise falls by less than this, twice, the sample misleads.
FALL, SLOW = 4.0, 2
# The answer of a sample need not be nearer than this share of what it is off by.
SAMPLE_TOL = 0.02
# A step is too long or short where the slope at its end is more than this share of the
# slope that it began with; a search along it is not needed where it ends between these.
STEEP, SHORT, LONG = 0.5, 0.5, 2.0
# What a model goes on from, beside arrays.
KEPT = ("loss", "gap", "promise", "rate", "times", "slow", "stage", "careful")
# Stages: before the first step; by a sample's curvature; at the least squares of all rows;
# by the curvature of all rows.
FIRST, SAMPLE, ANEW, WHOLE = 0.0, 1.0, 2.0, 3.0


class Zones(Model):
    """Curvature of the rows of a sample that bend, or of all, and an exact gradient.

    A few rows are solved first. Their curvature then serves for steps by the gradient of
    all rows, and is taught by what each pass shows (BFGS). Where it misleads, steps begin
    anew from the least squares of all rows, by the curvature of all that bend.
    """

    def __init__(self, solver, output):
        super().__init__(solver, output)
        self.solver, self.evaluation = solver, solver.evaluation
        self.frame = Frame(self.start.metric, self.plan.fit_intercept)
        self.x = solver.predictions[output].copy()
        self.stage, self.careful, self.slow = FIRST, False, 0.0
        self.promise, self.rate = np.inf, 0.0
        self.H, self.bent = None, None
        self.base, self.times = Formula.of(self.plan.loss).resolved(self.y), 1.0
        self.surface = self.loss, self.gradient

    @cached_property
    def y(self):
        """Targets of the rows taking part."""
        return np.ascontiguousarray(self.data.targets[:, self.output])

    @cached_property
    def shares(self):
        """What each row counts in the mean."""
        weights = self.data.row_weights
        return (np.ones(self.data.n_rows) if weights is None else weights) / len(self.y)

    @property
    def current(self):
        """The loss that steps are by: with a wider zone than the plan's, at first."""
        return self.base.wider(self.times) if self.times > 1.0 else self.base

    @property
    def unit(self):
        """What the gap is a share of."""
        return float(self.evaluation.unit[self.output])

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
        """The step to the model's minimum; to the lowest point along it, if in doubt."""
        slope = self.frame.slope(self.surface[1])
        step = -self.solved(self.curvature, slope)
        move, self.share = self.frame.raw(step), 1.0
        if self.careful:
            change = self.data.predictions(move, self.start.metric.centre)
            self.evaluation.passes += 0.5
            self.share = lowest_along(self._along(step, change), float(slope @ step))
        self.step, self.there = self.share * step, self.weights + self.share * move

    def _along(self, step, change):
        """The slope of the objective along a step that changes predictions so."""
        bent = step @ self.bend @ step
        pull = self.frame.pull(self.plan.penalty.l2, self.weights) @ step
        weights, current = self.shares * change, self.current

        def slope(t):
            return float(
                weights @ current.gradient(self.y, self.x + t * change) + pull + t * bent
            )

        return slope

    @cached_property
    def bend(self):
        """The penalty's curvature in the frame."""
        return self.frame.bend(self.plan.penalty.l2)

    @property
    def curvature(self):
        """The model's, without the penalty's."""
        return self.bent.H if self.whole else self.H

    def solved(self, H, slope):
        """(H + the penalty's)⁻¹ slope."""
        return solve(H + self.bend, slope, self.current.smoothness)

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
                    self.H = taught(self.H + self.bend, self.step, change) - self.bend
                self._go(loss, gradient, found, predictions)
                if SHORT <= self.share <= LONG:
                    self._narrow()
                self._count()
            elif self.whole:  # which rows the step would have left as they are
                self.bent.compare(self.current.curvature(self.y, predictions))
            else:
                self.slow += 1.0
        self._promise()

    def _settle(self, lower, loss, gradient, found, predictions):
        """Begin from here, or where the search was: the one that is lower."""
        if lower:
            self._go(loss, gradient, found, predictions)
        if self.stage == ANEW or self.H is None:
            self.times = widening(self.base, self.y, self.x, self.frame.size)
            self._see()
            self.stage = WHOLE
            self.bent = self._bent_rows()
        elif self.bent is not None:
            self.stage = WHOLE
            self._count()
        else:
            self.stage = SAMPLE

    def _objective(self, weights, loss):
        return loss + float(self.plan.penalty.values(weights[None, :-1])[0])

    def _surface(self, weights, loss, gradient, predictions):
        """(loss, gradient) of the loss that steps are by."""
        if self.current is self.base and self.base.exact:
            return loss, gradient.copy()
        current, self.evaluation.passes = self.current, self.evaluation.passes + 0.5
        found = self.data.sums(self.shares * current.gradient(self.y, predictions))
        found[:-1] += self.plan.penalty.l2 * weights[:-1]
        found[-1] *= self.plan.fit_intercept
        return float(self.shares @ current.value(self.y, predictions)), found

    def _see(self):
        """Look at where it is by another width."""
        self.surface = self._surface(self.weights, self.loss, self.gradient, self.x)

    def _go(self, loss, gradient, found, predictions):
        """Take a point as the best one."""
        self.weights, self.loss, self.gradient = self.there, loss, gradient.copy()
        self.x[:], self.surface = predictions, found

    def _narrow(self):
        """A zone nearer to the plan's."""
        if self.times > 1.0:
            self.times = max(1.0, self.times / NARROWER)
            self._see()

    def _count(self):
        """Which rows bend here, where the curvature is that of all that do."""
        if self.whole:
            bends = self.current.curvature(self.y, self.x)
            self.evaluation.passes += self.bent.update(bends)

    # ------------------------------------------------------------------- few rows

    @cached_property
    def few(self):
        """(some rows, or all where they are few, in the frame; whether they are all)."""
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
            return  # from the least squares of all rows, which is known
        data, Z, every = self.solver.models[0].few
        weights = np.ones(data.n_rows) if data.weights is None else data.row_weights
        y = data.targets[:, self.output]
        p = data.predictions(self.weights, self.start.metric.centre)
        few = Few(Z, y, weights / weights.sum())
        penalty = self.bend, self.frame.pull(self.plan.penalty.l2, self.weights)
        tol = EPS if every else SAMPLE_TOL * self.frame.size / data.n_rows
        step, H, bent = few.minimum(self.base, p, penalty, tol * self.unit)
        if not every:  # the inverse of a sample's curvature is too large
            H = H * max(0.5, 1.0 - self.frame.size / max(1, np.count_nonzero(bent)))
        self.H = H
        if every:
            self.bent = self._bent_rows(bent, H)
        self.there = self.weights + self.frame.raw(step)

    # ------------------------------------------------------------------- all rows

    def _bent_rows(self, bends=None, H=None):
        """The curvature of all rows that bend, here or as it is known."""
        bends = self.current.curvature(self.y, self.x) if bends is None else bends
        return BentRows(self.data, self.shares, self.frame, self._of_all, bends, H)

    def _of_all(self, bends):
        """The curvature of all rows with such bends."""
        if not bends.any():
            return np.zeros((self.frame.size, self.frame.size))
        rows = self.data.weighed(bends, np.zeros((self.data.n_rows, 1)))
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
        """Coordinates in which all rows are a standard cloud; their least squares."""
        metric, answer = self.solver.models[0].squares.solve(self.plan.penalty.l2)
        weights, centre = answer[self.output], self.start.metric.centre
        if centre is not None:
            weights[-1] += weights[:-1] @ (centre - metric.centre)
            metric = replace(metric, centre=centre)
        self.frame = Frame(metric, self.plan.fit_intercept)
        vars(self).pop("bend", None)
        return weights

    # ------------------------------------------------------------------------ gap

    def _promise(self):
        """What the model promises from the best point, and so the gap."""
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
            self.bent = self._bent_rows(H=self.H)
        self._see()
        self.evaluation.passes = passes
