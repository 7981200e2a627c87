"""Terms of an objective that are hinges, with the variables of an interior-point method.

    φ(z) = max { a z - ½ width a² : 0 <= a <= cap },    z = ± x - dead

With an infinite cap and no width it is the constraint z <= 0. Every loss of `Distance` is a
sum of two hinges of each residual; l1 and `positive` are two hinges of each coefficient.
"""

import numpy as np

# The variables begin at least this share of the problem's size away from their bounds (a
# choice: a tenth keeps the first steps long).
INITIAL_SLACK = 0.1


class Hinges:
    """One hinge for each of some numbers x.

    With multipliers a, their distance to the cap (the cap slack c), and slacks u, v >= 0,
    the optimum satisfies

        z = width a + u - v,      v a = 0,      u c = 0,      c = cap - a.

    An interior point has small positive products instead of zeros. The cap slack is stored
    as a separate variable: near the end cap - a would consist of rounding errors.

    Parameters
    ----------
    sign : {1, -1}
    dead, width : float
    cap : ndarray of shape (m,)
    weights : ndarray of shape (m,)
        The weight of each hinge in the objective.
    x : ndarray of shape (m,)
        The numbers to start from.
    size : float
        The scale of these numbers.
    dual_scale : float
        The scale of the multipliers, where neither cap nor width gives it.
    """

    def __init__(self, sign, dead, width, cap, weights, x, size, dual_scale=1.0):
        self.sign, self.dead, self.width = sign, dead, width
        self.cap, self.weights = cap, weights
        self.bounded = bool(np.isfinite(cap[0])) if len(cap) else False
        z, away = self._z(x), INITIAL_SLACK * size
        self.v = np.maximum(-z, 0.0) + away
        self.u = self.cap_slack = None
        if self.bounded:
            self.u = np.maximum(z, 0.0) + away
            self.a, self.cap_slack = 0.5 * cap, 0.5 * cap
        else:
            self.a = np.maximum(z, away) / width if width else np.full_like(z, dual_scale)

    def _z(self, x):
        return self.sign * x - self.dead

    @property
    def slope(self):
        """Derivative of Σ weights φ(z) with respect to each x."""
        return self.sign * self.weights * self.a

    @property
    def products(self):
        """Sum of the weighted complementarity products: the duality gap."""
        sums = self.v * self.a
        if self.bounded:
            sums += self.u * self.cap_slack
        return float(self.weights @ sums)

    @property
    def count(self):
        """Weighted number of these products."""
        return float(self.weights.sum() * (1 + self.bounded))

    def linearise(self, x, aim, second_order):
        """Newton's equations for products that become `aim`: (curvature, rhs) of each x.

        The change of the slope is curvature Δx + rhs. With `second_order` (after
        `set_direction`) they include the products of the last changes (Mehrotra).
        """
        to_v = aim - self.v * self.a
        if second_order:
            to_v -= self.dv * self.da
        self.to_v = to_v = to_v / self.a
        inverse = self.width + self.v / self.a
        self.rest = self._z(x) - self.width * self.a + self.v
        shift = self.rest + to_v
        if self.bounded:
            to_u = aim - self.u * self.cap_slack
            if second_order:
                to_u += self.du * self.da
            self.to_u = to_u = to_u / self.cap_slack
            inverse += self.u / self.cap_slack
            self.rest -= self.u
            shift -= self.u + to_u
        self.curvature, self.shift = 1.0 / inverse, shift
        curvature = self.weights * self.curvature
        return curvature, self.sign * self.weights * self.curvature * shift

    def set_direction(self, dx):
        """Set the changes of all variables for a change of x; returns the largest step."""
        self.da = self.curvature * (self.sign * dx + self.shift)
        self.dv = self.to_v - self.v / self.a * self.da
        steepest = min((self.da / self.a).min(), (self.dv / self.v).min())
        if self.bounded:
            self.du = self.to_u + self.u / self.cap_slack * self.da
            nearest = min(-(self.da / self.cap_slack).max(), (self.du / self.u).min())
            steepest = min(steepest, nearest)
        return -1.0 / steepest if steepest < 0 else np.inf

    def products_after(self, step):
        """`products` after a step: this share of the change."""
        sums = (self.v + step * self.dv) * (self.a + step * self.da)
        if self.bounded:
            sums += (self.u + step * self.du) * (self.cap_slack - step * self.da)
        return float(self.weights @ sums)

    def infeasibility_after(self, step):
        """The cost of the linear conditions that are still violated after such a step."""
        return (1.0 - step) * float(self.weights @ np.abs(self.a * self.rest))

    def move(self, step):
        """Take a step: this share of the change."""
        self.a, self.v = self.a + step * self.da, self.v + step * self.dv
        if self.bounded:
            self.u = self.u + step * self.du
            self.cap_slack = self.cap_slack - step * self.da

    def at_kink(self, size, dual_scale):
        """Whether each x ends at its kink: the slack is the smaller factor of each product.

        Slacks are compared with the scale of x, multipliers with their cap (or, without a
        cap, with `dual_scale`).
        """
        if not self.bounded:
            return self.v / size < self.a / dual_scale
        above = self.u / size < self.cap_slack / self.cap
        return above & (self.v / size < self.a / self.cap)
