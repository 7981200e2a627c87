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
        """Loss, penalty, and ½ ∇Fᵀ H⁻¹ ∇F / F(best constant).

        The last, the optimality gap, is that of the output furthest from optimal.
        """
        plan = self.plan
        losses, gradient = self.data.evaluate(weights, plan.metric.centre)
        gradient[:, :-1] += plan.alpha * weights[:, :-1]
        gradient = plan.metric.to_coordinates(gradient)
        if not plan.fit_intercept:
            gradient[:, -1] = 0.0
        decrement = 0.5 * np.einsum("ij,ij->i", gradient, gradient)
        # A constant target has no variance to explain: measure against rounding.
        base = np.maximum(self.data.constant_losses(), self.rounding)
        base = np.maximum(base, np.finfo(np.float64).tiny)
        penalty = 0.0
        if plan.alpha:
            penalty = 0.5 * plan.alpha * float(np.sum(weights[:, :-1] ** 2))
        return float(losses.sum()), penalty, float(np.max(decrement / base))

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
