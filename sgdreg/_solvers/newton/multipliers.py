"""Losses with kinks, l2, and many features: multipliers of the rows, smooth in between.

R. T. Rockafellar, "Augmented Lagrangians and applications of the proximal point algorithm
in convex programming", Mathematics of Operations Research 1 (1976); X. Li, D. Sun, K.-C.
Toh, "A highly efficient semismooth Newton augmented Lagrangian method for solving Lasso
problems", SIAM Journal on Optimization 28 (2018).
"""

import numpy as np

from sgdreg._solvers.newton.inexact import Inexact
from sgdreg._solvers.newton.krylov import solved
from sgdreg._solvers.newton.loss_curvature import lowest_along

# The first steepness: slopes change by twice their range over a mean residual.
STEEP = 2.0
# The smooth problem between two updates is solved until the gradient is this share of the
# first one, in at most STEPS Newton steps, whose equations are solved to the share EXACT.
SOLVED, STEPS, EXACT = 0.03, 30, 0.01
# Where this number of Newton steps was enough the zone is made narrower by this factor.
FEW, NARROWER = 6, 2.0
# The numbers that a model continues from, beside arrays.
KEPT = ("loss", "gap", "dual", "steepness")
ARRAYS = ("weights", "gradient", "x", "current", "multipliers")


class Proximal:
    """The loss max over slopes a of a e - dead |a| - (a - multiplier)² / (2 steepness).

    It is smooth: its slope is that of the loss where the residual e has moved by the
    multiplier over the steepness, and its curvature is the steepness or zero.
    """

    def __init__(self, loss, multipliers, steepness):
        self.loss, self.multipliers, self.smoothness = loss, multipliers, steepness

    def _slopes(self, y, p):
        """(slopes without their bounds, slopes)."""
        a = self.multipliers + self.smoothness * (p - y)
        dead = self.smoothness * self.loss.dead
        if dead:
            a = a - np.clip(a, -dead, dead)
        return a, np.clip(a, -self.loss.below, self.loss.above)

    def gradient(self, y, p):
        return self._slopes(y, p)[1]

    def curvature(self, y, p):
        free, slopes = self._slopes(y, p)
        curved = free == slopes
        if self.loss.dead:
            curved &= free != 0
        return self.smoothness * curved


class Multipliers(Inexact):
    """A slope of each row's loss, updated after each smooth problem; the gap is exact.

    The smooth problem has the loss `Proximal`, and is solved by inexact Newton steps: only
    rows near a kink are curved. The slopes at its solution are the next multipliers, and a
    point of the dual problem.

    Attributes
    ----------
    current : ndarray of shape (d + 1,)
        The weights of the last smooth problem, at which `x` are the predictions.
    multipliers : ndarray of shape (n,)
    steepness : float
    dual : float
        The largest lower bound of the objective so far.
    """

    def __init__(self, solver, output):
        super().__init__(solver, output)
        loss, size = self.plan.loss, float(self.shares @ np.abs(self.x - self.y))
        self.steepness = STEEP * (loss.below + loss.above) / max(size, self.unit)
        self.multipliers, self.current = np.zeros(len(self.y)), self.weights.copy()
        self.dual = -np.inf

    def ask(self):
        loss, y = self.plan.loss, self.y
        rows = self.rows = Proximal(loss, self.multipliers, self.steepness)
        enough = None
        for count in range(STEPS):
            gradient = self._gradient(rows.gradient(y, self.x))
            square = self._square(gradient)
            enough = SOLVED**2 * square if enough is None else enough
            if count and not square > enough:
                break
            self._step(rows, gradient)
        self.multipliers = rows.gradient(y, self.x)
        self.bound = self._dual_value(self._gradient(self.multipliers))
        if count <= FEW:
            self.steepness *= NARROWER
        self.there = self.current.copy()
        return self.there

    def _gradient(self, slopes):
        """The gradient (d + 1,) of the objective for these slopes of the rows' losses."""
        gradient = self.data.sums(self.shares * slopes)
        self.evaluation.passes += 0.5
        gradient[:-1] += self.plan.penalty.l2 * self.current[:-1]
        gradient[-1] *= self.plan.fit_intercept
        return gradient

    def _step(self, rows, gradient):
        product = self._product(self.shares * rows.curvature(self.y, self.x))
        found = solved(product, self._slope(gradient), lambda promise: EXACT)
        move = -self._raw(found.v)
        change = self.data.predictions(move, self.metric.centre)
        self.evaluation.passes += 0.5
        if not found.promise > 0:
            return
        slope = self._along(self.current, move, change)
        length = lowest_along(slope, -2.0 * found.promise)
        self.current = self.current + length * move
        self.x = self.x + length * change

    def _dual_value(self, gradient):
        """The dual objective at the multipliers, with what their sum may cost.

        The best intercept, at the features' means, is nearer to the middle of the targets
        than their range.
        """
        a, y, l2 = self.multipliers, self.y, self.plan.penalty.l2
        g, b = gradient[:-1] - l2 * self.current[:-1], float(gradient[-1])
        g = g if self.metric.centre is None else g - b * self.metric.centre
        middle = 0.5 * (y.min() + y.max()) if self.plan.fit_intercept else 0.0
        value = -self.shares @ (a * (y - middle) + self.plan.loss.dead * np.abs(a))
        return float(value - 0.5 * (g @ g) / l2 - abs(b) * np.ptp(y))

    def tell(self, loss, gradient, predictions):
        self.x = predictions.copy()
        self.dual = max(self.dual, self.bound)
        if self._objective(self.there, loss) < self._objective(self.weights, self.loss):
            self.weights, self.loss, self.gradient = self.there, loss, gradient.copy()
        weights = self.weights[None]
        gap = self._objective(self.weights, self.loss) - self.dual
        blur = float(self.evaluation.blur_at_kinks(weights, self.metric)[0])
        self.gap = max(gap, 0.0) + blur

    # ----------------------------------------------------------------- checkpoints

    def memory(self):
        kept = {name: float(getattr(self, name)) for name in KEPT}
        return kept | {name: getattr(self, name).copy() for name in ARRAYS}
