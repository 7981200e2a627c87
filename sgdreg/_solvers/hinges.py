"""Terms of an objective that are hinges, with the variables of an interior-point method.

    φ(z) = max { a z - ½ width a² : 0 <= a <= cap },    z = ± x - dead

A cap of infinity and no width is the constraint z <= 0. Every loss of `Distance` is a pair
of them of each residual, l1 and `positive` are a pair of each coefficient.
"""

import numpy as np

# Variables begin at least this share of the problem's size away from their bounds.
AWAY = 0.1


class Hinges:
    """Hinges of some numbers x, one each.

    With multipliers a, their room up to the cap, and slacks u, v >= 0, at the optimum

        z = width a + u - v,      v a = 0,      u room = 0,      room = cap - a,

    of which an interior point has small products instead. The room is a variable of its
    own: the difference would be rounding errors in the end.

    Parameters
    ----------
    sign : {1, -1}
    dead, width : float
    cap : ndarray of shape (m,)
    weights : ndarray of shape (m,)
        What each hinge counts in the objective.
    x : ndarray of shape (m,)
        The numbers to start from.
    size : float
        What is large among them.
    force : float
        What is large among the multipliers, where neither cap nor width says it.
    """

    def __init__(self, sign, dead, width, cap, weights, x, size, force=1.0):
        self.sign, self.dead, self.width = sign, dead, width
        self.cap, self.weights = cap, weights
        self.bounded = bool(np.isfinite(cap[0])) if len(cap) else False
        z, away = self._z(x), AWAY * size
        self.v = np.maximum(-z, 0.0) + away
        self.u = self.room = None
        if self.bounded:
            self.u = np.maximum(z, 0.0) + away
            self.a, self.room = 0.5 * cap, 0.5 * cap
        else:
            self.a = np.maximum(z, away) / width if width else np.full_like(z, force)

    def _z(self, x):
        return self.sign * x - self.dead

    @property
    def slope(self):
        """Derivative of Σ weights φ(z) with respect to each x."""
        return self.sign * self.weights * self.a

    @property
    def products(self):
        """Sum of the weighted products that are zero at the optimum: the duality gap."""
        sums = self.v * self.a
        if self.bounded:
            sums += self.u * self.room
        return float(self.weights @ sums)

    @property
    def count(self):
        """Weighted number of these products."""
        return float(self.weights.sum() * (1 + self.bounded))

    def linearise(self, x, aim, second_order):
        """Newton's equations with the products aimed at: (bend, pull) of each x.

        The change of the slope is bend Δx + pull. With `second_order` (after `turn`) the
        products of the last changes are reckoned with (Mehrotra).
        """
        to_v = aim - self.v * self.a
        if second_order:
            to_v -= self.dv * self.da
        self.to_v = to_v = to_v / self.a
        inverse = self.width + self.v / self.a
        self.rest = self._z(x) - self.width * self.a + self.v
        shift = self.rest + to_v
        if self.bounded:
            to_u = aim - self.u * self.room
            if second_order:
                to_u += self.du * self.da
            self.to_u = to_u = to_u / self.room
            inverse += self.u / self.room
            self.rest -= self.u
            shift -= self.u + to_u
        self.bend, self.shift = 1.0 / inverse, shift
        return self.weights * self.bend, self.sign * self.weights * self.bend * shift

    def turn(self, dx):
        """The change of all variables that goes with a change of x; how far it may go."""
        self.da = self.bend * (self.sign * dx + self.shift)
        self.dv = self.to_v - self.v / self.a * self.da
        steepest = min((self.da / self.a).min(), (self.dv / self.v).min())
        if self.bounded:
            self.du = self.to_u + self.u / self.room * self.da
            steepest = min(steepest, -(self.da / self.room).max(), (self.du / self.u).min())
        return -1.0 / steepest if steepest < 0 else np.inf

    def products_after(self, step):
        """`products` after such a share of the change."""
        sums = (self.v + step * self.dv) * (self.a + step * self.da)
        if self.bounded:
            sums += (self.u + step * self.du) * (self.room - step * self.da)
        return float(self.weights @ sums)

    def unmet(self, step):
        """What such a step leaves of the conditions that the start did not meet."""
        return (1.0 - step) * float(self.weights @ np.abs(self.a * self.rest))

    def move(self, step):
        """Make such a share of the change."""
        self.a, self.v = self.a + step * self.da, self.v + step * self.dv
        if self.bounded:
            self.u, self.room = self.u + step * self.du, self.room - step * self.da

    def at_kink(self, size, force):
        """Whether each x ends at its kink: of each product the slack is the small factor.

        Slacks are measured by a size of x, multipliers by their cap (or a force).
        """
        if not self.bounded:
            return self.v / size < self.a / force
        above = self.u / size < self.room / self.cap
        return above & (self.v / size < self.a / self.cap)
