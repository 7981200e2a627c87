"""How good a model is: its loss, its optimality gap, its score on held-out rows.

Each takes one pass over the rows, without steps.
"""

from functools import cached_property

import numpy as np

# Rows of a look that must cost next to nothing beside an epoch.
GLANCE_ROWS = 4096
EPS = np.finfo(np.float64).eps


class Evaluation:
    """Evaluations of weights (k, d + 1) at the plan's centre.

    Parameters
    ----------
    data : Data
        The training rows.
    plan : Plan
    validation : Data or None
    """

    def __init__(self, data, plan, validation=None):
        self.data, self.plan, self.validation = data, plan, validation

    @cached_property
    def constant(self):
        """Loss of the best constant (zero without an intercept), for each output."""
        if self.plan.fit_intercept:
            return self.data.constant_losses()
        return self.data.zero_losses()

    @cached_property
    def variance(self):
        """What there is to explain: half the variance of each output.

        A constant target has none: it is measured against rounding.
        """
        known = np.maximum(self.data.constant_losses(), self.rounding)
        return np.maximum(known, np.finfo(np.float64).tiny)

    @cached_property
    def rounding(self):
        """Losses that are rounding errors of the targets, for each output."""
        return EPS * self.data.zero_losses()

    def loss(self, weights):
        """Mean loss over the training rows, summed over the outputs."""
        losses, _ = self.data.evaluate(weights, self.plan.metric.centre)
        if not np.isfinite(losses).all():
            self.data.check_finite()
        return float(losses.sum())

    def glance(self, weights):
        """The loss over some of the rows: quick, and enough to see a model run away."""
        losses, _ = self.data.some_rows(GLANCE_ROWS).evaluate(
            weights, self.plan.metric.centre
        )
        return float(losses.sum())

    def gap(self, weights):
        """Loss, penalty, ½ ∇Fᵀ H⁻¹ ∇F / F(best constant), and ∇F (in raw features).

        The third, the optimality gap, is that of the output furthest from optimal.
        """
        plan = self.plan
        losses, gradient = self.data.evaluate(weights, plan.metric.centre)
        if not np.isfinite(losses).all():
            self.data.check_finite()
        gradient[:, :-1] += plan.alpha * weights[:, :-1]
        if not plan.fit_intercept:
            gradient[:, -1] = 0.0
        penalty = 0.0
        if plan.alpha:
            penalty = 0.5 * plan.alpha * float(np.sum(weights[:, :-1] ** 2))
        return float(losses.sum()), penalty, self.gap_of(gradient), gradient

    def gap_of(self, gradient):
        """The optimality gap where ∇F is known."""
        gradient = self.plan.metric.to_coordinates(gradient)
        decrement = 0.5 * np.einsum("ij,ij->i", gradient, gradient)
        return float(np.max(decrement / self.variance))

    def unseen(self, gradient):
        """Whether ∇F has a part, beyond rounding, along what the metric lacks."""
        lacking, rounding = self.plan.metric.lacking(gradient)
        size = np.sqrt(2 * self.variance)
        return bool((lacking > 1e4 * EPS * rounding * size).any())

    def score(self, weights):
        """R² on the held-out rows, as `SGDLinearRegressor.score` computes it."""
        losses, _ = self.validation.evaluate(weights, self.plan.metric.centre)
        if not np.isfinite(losses).all():
            self.validation.check_finite()
        constant = self.validation.constant_losses()
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1.0 - losses / constant
        flat = constant == 0  # r2_score's convention
        scores[flat] = np.where(losses[flat] == 0, 1.0, 0.0)
        return float(scores.mean())
