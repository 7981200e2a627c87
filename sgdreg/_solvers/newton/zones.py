"""Smooth losses: Newton steps by the curvature of the rows where the loss is curved."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from sgdreg._curvature.costs import cost_of_all
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._solvers.newton.curvature_of_rows import CurvedRows
from sgdreg._solvers.newton.dense_newton import NARROWER, taught, widening
from sgdreg._solvers.newton.loss_curvature import Formula, lowest_along
from sgdreg._solvers.newton.model import Model
from sgdreg._solvers.newton.penalised import penalised
from sgdreg._solvers.newton.smooth_gap import bound, unsure
from sgdreg._solvers.newton.squares import Squares
from sgdreg._training.stopping import ROUNDING

# If the predicted decrease falls by less than the factor FALL, SLOW times, the curvature of
# the sample is given up.
FALL, SLOW = 4.0, 2
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

    @staticmethod
    def answer(curvature, plan):
        """The optimum of squared errors with the same l1 and bounds; None without them."""
        penalty, share = plan.penalty, 1.0 / plan.loss.smoothness
        if not penalty.proximal:
            return None
        penalty = replace(penalty, l1=share * penalty.l1, l2=share * penalty.l2)
        return Squares.answer(curvature, replace(plan, penalty=penalty))

    def __init__(self, solver, output):
        super().__init__(solver, output)
        self.solver, self.evaluation = solver, solver.evaluation
        price = penalised(self.plan, self.start.metric, solver.known)
        self.price = price.about(self.weights)
        self.x = solver.predictions[output].copy()
        self.stage, self.careful, self.slow = FIRST, False, 0.0
        self.promise, self.rate = np.inf, 0.0
        self.H, self.curved = None, None
        self.base, self.times = Formula.of(self.plan.loss).resolved(self.y), 1.0
        self.surface = self.loss, self.gradient
        known = solver.beginning and solver.beginning.known.get(output)
        if known is not None and np.array_equal(known.weights, self.weights):
            self._take(known)
            if self.H is None:
                self._begin_thin()
            self._count()
            self._promise()

    @property
    def frame(self):
        """The coordinates of the steps."""
        return self.price.frame

    @property
    def here(self):
        """The best point in these coordinates."""
        return np.zeros(self.frame.size)

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
            self.there = self._reframe()
        if self.stage in (SAMPLE, WHOLE):
            self._newton()
        return self.there

    def follow(self, before):
        """Go on from a model of another loss of this kind that has asked for this point."""
        self.price = before.price.about(self.weights)
        self.stage, self.H, self.curved = before.stage, before.H, before.curved
        self._count()
        self._promise()

    @staticmethod
    def begin(solver):
        """The optimum of a sample, of all rows if few, or with a kink for a thin zone."""
        weights = solver.start.weights
        known = solver.beginning = solver.beginning_from(weights)
        if known is None:
            return None
        return np.array([known.optimum(o, w).weights for o, w in enumerate(weights)])

    def _start(self):
        """Begin at such an optimum, or here."""
        solver = self.solver
        if solver.beginning is None:
            solver.beginning = solver.beginning_from(solver.point.weights)
        if solver.beginning is None:
            self._count_all()
            self._promise()
            return
        known = solver.beginning.optimum(self.output, self.weights)
        self._take(known)
        self.there, self.stage = known.weights, FIRST

    def _take(self, known):
        """Take the curvature at the optimum of a sample, or of all rows."""
        self.H, self.stage = known.H, SAMPLE
        if known.every:
            self.curved, self.stage = self._curved_rows(known.curvatures, known.H), WHOLE

    def _count_all(self, wide=True):
        """Begin here by the curvature of all rows, and a wider zone where it is thin."""
        if wide:
            self.times = widening(self.base, self.y, self.x, self.frame.size)
        self._see()
        self.stage, self.curved = WHOLE, self._curved_rows()

    def _begin_thin(self, wide=False):
        """The same at the optimum of the kink, in coordinates of all rows."""
        if self.start.sampled:
            self._reframe()
        self._count_all(wide)

    def _newton(self):
        """The step to the model's minimum; a line search where the last step was poor."""
        p, self.share = self.model.p, 1.0
        self.searched = self.careful and self.gap > (self.plan.tol or 0.0) * self.unit
        if self.searched:
            slope = self.frame.slope(self.surface[1])
            change = self.data.predictions(self.frame.raw(p), self.start.metric.centre)
            self.evaluation.passes += 0.5
            fall = self.price.rise_of(self.here, slope, p)
            along = self._along(p, change)
            self.share = lowest_along(along, fall, self.price.longest)
        self.step = self.share * p
        self.there = self.price.weights_at(self.step)

    def _along(self, p, change):
        """The slope of the objective along a step; `change` is that of the predictions."""
        weights, current = self.shares * change, self.current
        rise = self.price.rise(self.here, p)

        def slope(t):
            return rise(t, weights @ current.gradient(self.y, self.x + t * change))

        return slope

    @cached_property
    def model(self):
        """The step to the minimum of the model at the best point."""
        return self.lowest(self.curvature)

    @property
    def left(self):
        """The gradient (d + 1,) that no step of the model would lower."""
        return self.surface[1] if self.model.left is None else self.model.left

    def lowest(self, H):
        """The same with another curvature of the loss."""
        slope = self.frame.slope(self.surface[1])
        return self.price.lowest(H, slope, self.here, self.current.smoothness)

    @property
    def curvature(self):
        """The curvature of the model, without that of the penalty."""
        return self.curved.H if self.whole else self.H

    def tell(self, loss, gradient, predictions):
        found = self._surface(self.there, loss, gradient, predictions)
        before = self._objective(self.weights, self.surface[0])
        lower = self._objective(self.there, found[0]) <= before * (1.0 + ROUNDING)
        if self.stage in (FIRST, ANEW):
            self._settle(lower, loss, gradient, found, predictions)
        else:
            searched, before = self.searched, self.frame.slope(self.surface[1])
            after = self.frame.slope(found[1])
            fall = self.price.rise_of(self.here, before, self.step)
            rise = self.price.rise_of(self.step, after, self.step)
            level = lower and not abs(rise) > STEEP * abs(fall)
            self.careful = not (SHORT <= self.share <= LONG if searched else level)
            if lower:
                if not self.whole:
                    Q, change = self.price.curvature, after - before
                    self.H = taught(self.H + Q, self.step, change) - Q
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
        if self.stage == ANEW:
            self._count_all()
        elif self.curved is not None:
            self.stage = WHOLE
            self._count()
        elif self.H is None:
            self._begin_thin(wide=not lower)
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
        self.price = self.price.about(self.weights)

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

    @property
    def squares(self):
        """The curvature of all rows, with their targets."""
        solver = self.solver
        if solver.shared is None:
            self.evaluation.passes += cost_of_all(self.data.n_features)
            solver.shared = curvature_of(self.data, self.plan.fit_intercept)
        return solver.shared

    def _reframe(self):
        """Use coordinates in which all rows have covariance I; their least squares."""
        squares, centre = self.squares, self.start.metric.centre
        metric, answer = squares.solve(self.plan.penalty.l2)
        known = self.answer(squares, self.plan)
        weights = (answer if known is None else known)[self.output]
        if centre is not None:
            weights[-1] += weights[:-1] @ (centre - metric.centre)
            metric = replace(metric, centre=centre)
        self.price = penalised(self.plan, metric, squares).about(self.weights)
        return weights

    # ------------------------------------------------------------------------ gap

    def _promise(self):
        """The predicted decrease from the best point, and the gap."""
        if self.stage == ANEW:
            return
        before = self.promise
        vars(self).pop("model", None)
        self.promise = self.model.decrease
        self.rate = self.promise / before if before else 0.0
        self.gap = bound(self) + unsure(self)
        there = self.price.weights_at(self.model.p)
        self.unsettled = ((there[:-1] != 0) != (self.weights[:-1] != 0)).any()
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
