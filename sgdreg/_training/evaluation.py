"""How good a model is: its loss, its optimality gap, its score on held-out rows.

Each of them takes one pass over the rows and takes no steps.
"""

import numpy as np

from sgdreg._curvature.factor import ROUNDED_SPREADS
from sgdreg._data.rows import all_finite
from sgdreg._records import once, record
from sgdreg.losses import made_of_hinges

# Rows of a subsample whose loss costs next to nothing beside an epoch.
SUBSAMPLE_ROWS = 4096
EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
# Rounding errors of a number in predictions and gradients, in units of EPS: the errors of
# 500 problems with columns equal up to 1e-8 ... 1e-15 were not larger.
ROUNDINGS = 2
# A gradient along directions that the metric lacks is rounding where it is below this many
# units of EPS.
ROUNDINGS_OF_GRADIENTS = 1e4
# Rounding errors of squared errors, in units of EPS of the targets.
ROUNDINGS_OF_TARGETS = 8


@record
class Point:
    """Weights, with their losses and gradient by a pass over the rows.

    Attributes
    ----------
    weights : ndarray of shape (k, d + 1)
        At the plan's centre.
    losses : ndarray of shape (k,)
        Mean loss of each output, without the penalty.
    gradient : ndarray of shape (k, d + 1)
        ∇F with respect to the raw features, with the l2 part of the penalty only.
    slope : ndarray of shape (k, rank + 1)
        The same in the metric's coordinates.
    """

    weights: np.ndarray
    losses: np.ndarray
    gradient: np.ndarray
    slope: np.ndarray

    @property
    def finite(self):
        """Whether neither loss nor gradient overflows."""
        return all_finite(self.losses) and all_finite(self.slope)


class Evaluation:
    """Evaluations of weights (k, d + 1) at the plan's centre.

    Parameters
    ----------
    data : Data
        The training rows.
    start : Start
    validation : Data or None

    Attributes
    ----------
    passes : float
        Passes over the training rows so far.
    """

    def __init__(self, data, start, validation=None):
        self.data, self.start, self.validation = data, start, validation
        self.plan = start.plan
        self.passes = 0.0

    @once
    def constant(self):
        """Loss of the best constant (zero without an intercept), for each output."""
        if self.plan.fit_intercept:
            return self.data.constant_losses
        return self.data.zero_losses

    @once
    def worthless(self):
        """The objective of that constant (a custom penalty need not be zero at zero)."""
        if not self.plan.penalty.is_custom:
            return self.constant
        zero = np.zeros((self.data.n_outputs, self.data.n_features))
        return self.constant + self.plan.penalty.values(zero)

    def reference(self, weights, loss):
        """The value that divergence is compared with: the larger loss, here or at zero.

        Plus a custom penalty at these weights, which need not be zero at zero.
        """
        zero, penalty = np.add.reduce(self.data.zero_losses), self.plan.penalty
        loss = max(loss, float(zero))
        if penalty.is_custom:
            loss += float(penalty.values(weights[:, :-1]).sum())
        return loss

    @once
    def variance(self):
        """The loss that a model can explain: half the variance of each output.

        For a constant target, which has no variance, it is the size of rounding errors, or,
        without an intercept, the loss of zero.
        """
        known = self.data.constant_losses
        varies = known > self.rounding
        if not np.logical_and.reduce(varies):
            flat = self.negligible if self.plan.fit_intercept else self.data.zero_losses
            known = np.where(varies, known, np.maximum(known, flat))
        return np.maximum(known, TINY)

    @once
    def unit(self):
        """The value that gaps are divided by.

        For bounds without an intercept it is the loss of zero, where that is larger.
        """
        if self.plan.quadratic or not self.plan.by_line_search:
            return self.variance
        return np.maximum(self.variance, self.constant)

    @once
    def negligible(self):
        """Losses of each output that earn no warning: (1e-8 of a constant target)²."""
        flat = self.data.constant_losses <= self.rounding
        eps = EPS if self._squares else np.finfo(self.data.dtype).eps
        return np.where(
            flat, ROUNDINGS_OF_TARGETS * eps * self.data.zero_losses, self.rounding
        )

    @once
    def rounding(self):
        """Losses that consist of rounding errors of the targets, for each output.

        For squared errors they are squares, too: targets of mean 1e9 and variance 1 do
        vary. For other losses they are the rounding errors of predictions in the dtype of
        X.
        """
        share = np.finfo(self.data.dtype).eps
        if self._squares:
            share = (ROUNDINGS_OF_TARGETS * EPS) ** 2
        return share * self.data.zero_losses

    @property
    def _squares(self):
        """Whether the loss grows as a square."""
        return made_of_hinges(self.data.loss) and np.isinf(self.data.loss.below)

    def losses(self, weights):
        """Mean loss of each output over the training rows."""
        losses, _ = self.data.evaluate(weights, self.start.metric.centre)
        self.passes += 1.0
        if not all_finite(losses):
            self.data.check_finite()
        return losses

    def loss_on_subsample(self, weights):
        """The same over a subsample of the rows, which is enough to notice divergence."""
        some = self.data.some_rows(SUBSAMPLE_ROWS)
        return some.evaluate(weights, self.start.metric.centre)[0]

    # ------------------------------------------------------------------- points

    def at(self, weights, predictions=None):
        """The point of some weights; `predictions` (k, n), if given, receives those."""
        weights, centre = weights.copy(), self.start.metric.centre
        losses, gradient = self.data.evaluate(weights, centre, predictions)
        self.passes += 1.0
        if not all_finite(losses):
            self.data.check_finite()
        if self.plan.penalty.l2:
            gradient[:, :-1] += self.plan.penalty.l2 * weights[:, :-1]
        if self.start.proximal_term is not None:
            strength, anchor = self.start.proximal_term
            slope = strength * (weights - anchor)
            gradient += slope
            if self.start.metric.centre is not None:  # the intercept is that at the centre
                gradient[:, :-1] += slope[:, -1:] * self.start.metric.centre
        if not self.plan.fit_intercept:
            gradient[:, -1] = 0.0
        return self.point(weights, losses, gradient)

    def moved(self, point, weights):
        """The same point, with the coordinates and the weights of another start."""
        return self.point(weights, point.losses, point.gradient)

    def between(self, here, there, step, curvature, descent):
        """The point here + step (there - here) of each output, without a pass.

        Along a line the gradient is linear and the objective quadratic, with this curvature
        and the slope -descent at `here`. The nearer one of `here` and `there` is started
        from, since differences of near numbers lose digits.
        """
        step = step[:, None]
        near = np.abs(1.0 - step) < 0.5
        weights = here.weights + step * (there.weights - here.weights)
        change = there.gradient - here.gradient
        gradient = np.where(
            near, there.gradient - (1.0 - step) * change, here.gradient + step * change
        )
        step, near = step[:, 0], near[:, 0]
        objective = np.where(
            near,
            self.objectives(there) - 0.5 * curvature * (1.0 - step) ** 2,
            self.objectives(here) - step * descent + 0.5 * curvature * step**2,
        )
        losses = np.maximum(objective - self.penalties(weights), 0.0)
        return self.point(weights, losses, gradient)

    def point(self, weights, losses, gradient):
        """A `Point`, with the slope in the metric's coordinates."""
        return Point(weights, losses, gradient, self.start.metric.to_coordinates(gradient))

    def penalties(self, weights):
        """The penalty of each output, and its proximal term where there is one."""
        sums = self.plan.penalty.values(weights[:, :-1])
        if self.start.proximal_term is not None:
            strength, anchor = self.start.proximal_term
            sums += 0.5 * (weights - anchor) ** 2 @ strength
        return sums

    def objectives(self, point):
        """F of each output."""
        return point.losses + self.penalties(point.weights)

    def gap(self, point, least=1.0, metric=None):
        """½ ∇Fᵀ H⁻¹ ∇F over half the variance, of the output furthest from optimal.

        `least` is the least eigenvalue of the curvature in the coordinates of the plan's
        metric, or of `metric`. The optimum is not below zero, so F itself is an upper
        bound.
        """
        if metric is not None and metric.full and self.unseen(point.gradient, metric):
            return np.inf
        shares = self.excesses(point, least, metric) / self.variance
        return float(np.maximum.reduce(shares))

    def excesses(self, point, least=1.0, metric=None):
        """½ ∇Fᵀ H⁻¹ ∇F of each output, and what rounding errors may add: see `gap`."""
        slope = point.slope if metric is None else metric.to_coordinates(point.gradient)
        metric = metric or self.start.metric
        unit = (ROUNDINGS * EPS) ** 2
        squares = np.einsum("ij,ij->i", slope, slope)
        # Steps bring the gradient to zero, but not its rounding errors.
        squares += unit * metric.rounding_reach * 2 * point.losses / self.data.n_rows
        if metric.faint is not None:
            squares += metric.along_faint(point.gradient, self._gradient_rounding(point))
        decrement = np.minimum(0.5 * squares / least, self.objectives(point))
        decrement = decrement + (self.blur(point.weights, metric) + metric.hidden)
        if self.plan.penalty.l2 and metric.full:
            decrement += self.plan.penalty.values(metric.left_out(point.weights))
        return decrement

    def _gradient_rounding(self, point):
        """Rounding errors of the gradient of each output, for features of length one."""
        return ROUNDINGS * EPS * np.sqrt(2 * point.losses)

    def along_faint(self, point):
        """The point after a step, from this one, along directions of hardly any row."""
        metric, rounding = self.start.metric, self._gradient_rounding(point)
        step = metric.faint_step(point.gradient, rounding)
        return self.at(point.weights + step)

    def blur_at_kinks(self, weights, metric):
        """What such errors may change the objective of a loss with kinks by.

        As many rows as there are weights lie at their kinks and feel every error; those of
        the others have both signs.
        """
        loss, n = self.plan.loss, self.data.n_rows
        felt = min(1.0, (self.data.n_features + 1) / n + 1.0 / np.sqrt(n))
        steepest = max(loss.above, loss.below)
        return felt * steepest * np.sqrt(2 * self.blur(weights, metric))

    def blur(self, weights, metric):
        """½ (rounding errors of predictions)², of large products x w that may cancel."""
        errors = ROUNDINGS * EPS * (weights[:, :-1] * metric.sizes)
        return 0.5 * np.einsum("ij,ij->i", errors, errors)

    def unseen(self, gradient, metric=None):
        """Whether ∇F is more than rounding along directions that the metric lacks."""
        lacking, rounding = (metric or self.start.metric).unseen_gradient(gradient)
        size = np.sqrt(2 * self.variance)
        unknown = max(
            ROUNDINGS_OF_GRADIENTS * EPS * rounding, ROUNDED_SPREADS * self.data.coarse
        )
        return bool((lacking > unknown * size).any())

    def score(self, weights):
        """R² on the held-out rows, as `SGDLinearRegressor.score` computes it."""
        losses, _ = self.validation.evaluate(weights, self.start.metric.centre)
        if not np.isfinite(losses).all():
            self.validation.check_finite()
        constant = self.validation.constant_losses
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1.0 - losses / constant
        flat = constant == 0  # r2_score's convention
        scores[flat] = np.where(losses[flat] == 0, 1.0, 0.0)
        return float(scores.mean())
