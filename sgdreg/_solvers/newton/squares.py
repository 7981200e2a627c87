"""The model of squared errors with l1, `positive` or both: their curvature is constant."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from sgdreg._curvature.triangles import column_norms
from sgdreg._solvers.newton.minimum import least_slope, minimum
from sgdreg._solvers.newton.model import Model
from sgdreg._training.evaluation import Point

# A sample may contain a rare row, and so overestimate the curvature of its direction
# (`_solvers/conjugate_gradient.py`): the predicted decrease is multiplied by this.
SAMPLED = 3.0
# A fit by a sample ends at this share of tol (`_training/stopping.py`).
ENDS_SAMPLED = 0.3
# The inverse of the curvature of s sampled rows is too large by s / (s - d). The correction
# of the curvature is at least this.
LEAST_SHARE = 0.5
# Steps that differ from one by less than this are taken as one: the pass is at one.
NEAR_ONE = 1e-9


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The curvature of rows in features scaled to unit spread, and the penalty there.

    Attributes
    ----------
    H : ndarray of shape (d, d)
    scale : ndarray of shape (d,)
        The standard deviations of the features; one where a column is constant.
    l1, l2 : ndarray of shape (d,)
    positive : bool
    """

    H: np.ndarray
    scale: np.ndarray
    l1: np.ndarray
    l2: np.ndarray
    positive: bool

    @classmethod
    def of(cls, curvature, penalty, size=None):
        """From a curvature and a penalty; `size`: the rows of a sample, or None."""
        triangle, d = curvature.features, curvature.n_features
        scale = column_norms(triangle) / sqrt(curvature.total)
        constant = curvature.constant(scale)
        some = np.logical_or.reduce(constant)
        if some:
            scale = np.where(constant, 1.0, scale)
        Z = triangle / scale  # squares of tiny features would be zero
        H = Z.T @ Z
        H /= curvature.total
        if some:
            H[constant] = H[:, constant] = 0.0
        if size is not None:
            H *= max(LEAST_SHARE, 1.0 - d / size)
        return cls(
            H, scale, penalty.l1 / scale, penalty.l2 / scale / scale, penalty.positive
        )

    def lowest(self, gradient, coef):
        """The minimum of the model, from coefficients with this gradient.

        `gradient` is that of the smooth part, with l2.

        Returns
        -------
        coef : ndarray of shape (d,)
        promise : float
        left : ndarray of shape (d,)
            The subgradient of least length there: rounding errors.
        """
        at, g = coef * self.scale, gradient / self.scale - self.l2 * coef * self.scale
        u, promise = minimum(self.H, g, at, self.l1, self.l2, self.positive)
        slope = g + self.H @ (u - at) + self.l2 * u
        left = least_slope(slope, u, self.l1, self.positive)
        return u / self.scale, promise, left * self.scale


class Squares(Model):
    """The curvature of all rows or of a sample, with l1 and bounds as they are.

    A step goes to the lowest point on the line to the model's minimum: the objective on
    that line is known from its two ends.
    """

    by_rows, shares_sample = False, True

    @staticmethod
    def answer(curvature, plan):
        d, quadratic = curvature.n_features, Quadratic.of(curvature, plan.penalty)
        slopes = curvature.features.T @ curvature.triangle[:, d:] / curvature.total
        weights = np.zeros((slopes.shape[1], d + 1))
        weights[:, -1] = curvature.centre[d:]
        for row, slope in zip(weights, slopes.T, strict=True):
            row[:-1] = quadratic.lowest(-slope, row[:-1])[0]
        return weights

    def __init__(self, solver, output):
        super().__init__(solver, output)
        self.evaluation = solver.evaluation
        start = self.start
        self.quadratic = solver.shared
        if self.quadratic is None:
            size = start.sketch.size if start.sampled else None
            self.quadratic = Quadratic.of(solver.known, self.plan.penalty, size)
            solver.shared = self.quadratic
        tol = self.plan.tol or 0.0
        share = ENDS_SAMPLED if start.sampled else 1.0
        self.enough = tol * share * self.evaluation.unit[output]
        self._look()

    def _look(self):
        """Find the model's minimum, and the predicted decrease."""
        centre = self.start.metric.centre
        g, b = self.gradient[:-1], self.gradient[-1]
        about = g if centre is None else g - b * centre
        coef, promise, left = self.quadratic.lowest(about, self.weights[:-1])
        self.aim = _extended(coef, self.weights[-1] - b)
        promise += 0.5 * b * b
        left = _extended(left, 0.0)
        self.gap = promise * (SAMPLED if self.start.sampled else 1.0) + self._rest(left)

    def _rest(self, left):
        """What rounding errors and left-out directions may add to the gap."""
        metric = self.start.metric
        slope = metric.to_coordinates(left[None])
        point = Point(self.weights[None], np.array([self.loss]), left[None], slope)
        if self.start.sampled and self.evaluation.unseen(point.gradient):
            return np.inf
        least = 1.0 / SAMPLED if self.start.sampled else 1.0
        excess = self.evaluation.excesses(point, least)
        return float(excess[self.output if len(excess) > 1 else 0])

    def ask(self):
        return self.aim

    def tell(self, loss, gradient, predictions):
        here, there = self.weights, self.aim
        p = self._raw(there - here)
        change = gradient - self.gradient
        fall, curvature = p @ self.gradient, p @ change
        share = lowest(here[:-1], p[:-1], fall, curvature, self.plan.penalty.l1)
        if self.plan.penalty.positive:
            share = min(share, 1.0)
        if abs(share - 1.0) <= NEAR_ONE:
            self._go(there, float(loss), gradient)
            return
        # Of the loss alone: slope and curvature of the smooth part, minus those of l2.
        l2 = self.plan.penalty.l2
        down = fall - l2 * (here[:-1] @ p[:-1])
        curve = curvature - l2 * (p[:-1] @ p[:-1])
        between = max(0.0, self.loss + share * down + 0.5 * share**2 * curve)
        before = self.gradient
        self._go(here + share * (there - here), between, before + share * change)
        if self.gap <= self.enough:
            # Only the model's minimum has exact zeros: end there if it is near enough.
            ended = self.weights, self.loss, self.gradient
            self._go(there, float(loss), gradient)
            if self.gap > self.enough:
                self._go(*ended)
        self.unsettled = ((self.weights != 0) != (self.aim != 0)).any()

    def _go(self, weights, loss, gradient):
        self.weights, self.loss, self.gradient = weights, loss, gradient
        self.unsettled = False
        self._look()

    def _raw(self, p):
        """A step with the intercept of the features as they are."""
        if self.start.metric.centre is None:
            return p
        return _extended(p[:-1], p[-1] - p[:-1] @ self.start.metric.centre)

    def memory(self):
        kept = {"weights": self.weights.copy(), "loss": self.loss}
        return kept | {"gradient": self.gradient.copy(), "gap": self.gap}

    def recall(self, memory):
        self.weights, self.gradient = memory["weights"].copy(), memory["gradient"].copy()
        self.loss = memory["loss"]
        self._look()


def _extended(coef, last):
    """[coef, last]: np.append takes 4 µs."""
    both = np.empty(len(coef) + 1)
    both[:-1], both[-1] = coef, last
    return both


def lowest(w, p, fall, curvature, l1):
    """The t >= 0 that minimises t fall + ½ t² curvature + l1 ‖w + t p‖₁."""
    if not l1:
        return max(0.0, -fall / curvature) if curvature > 0 else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        zeros = -w / p
    crossing = np.flatnonzero((zeros > 0) & np.isfinite(zeros))
    crossing = crossing[np.argsort(zeros[crossing], kind="stable")]
    zeros = zeros[crossing]
    slope = fall + l1 * (np.sign(w) @ p + np.abs(p[w == 0]).sum())
    # The slope just before each zero, and after it.
    jumps = 2.0 * l1 * np.abs(p[crossing])
    before = slope + zeros * curvature + np.append(0.0, np.cumsum(jumps))[: len(zeros)]
    first = int(np.argmax(np.append(before + jumps >= 0, True)))
    if first < len(zeros) and before[first] < 0:
        return float(zeros[first])
    low = slope + jumps[:first].sum()
    return max(0.0, -low / curvature) if curvature > 0 else 0.0
