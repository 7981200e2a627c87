"""The minimum of a quadratic model with the penalty, in the coordinates of a frame."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from sgdreg._solvers.newton.frame import Frame
from sgdreg._solvers.newton.minimum import EPS, least_slope, minimum

# This share of the largest curvature of the loss is added to all directions. A direction
# without any row in the zone then has a long step, which the line search shortens.
RIDGE = 1e-12
# This share of the curvature of all rows is added to that of the rows in the zone: a
# direction without any row there then has a long step, which a line search shortens.
BESIDE = 1e-10


def penalised(plan, metric, curvature):
    """The penalty of a plan, in coordinates where its steps are easy to compute.

    Parameters
    ----------
    plan : Plan
    metric : Metric
        A full one.
    curvature : Curvature
        Of the rows that the metric is of.
    """
    if plan.penalty.proximal:
        return Separable.of(plan, metric, curvature)
    return Ridge.of(plan, metric)


@dataclass(frozen=True, eq=False)
class Step:
    """A step (k,) to the minimum of a model.

    Attributes
    ----------
    p : ndarray of shape (k,)
    decrease : float
        The predicted decrease.
    left : ndarray of shape (d + 1,) or None
        The subgradient of least length at the minimum, of raw features: rounding errors.
        None: the gradient at the start, which the frame may lack a part of.
    """

    p: np.ndarray
    decrease: float
    left: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Ridge:
    """An l2 penalty or none: ½ vᵀ Q v + pull·v of displacements v in a frame.

    Attributes
    ----------
    curvature : ndarray of shape (k, k)
        Q.
    pull : ndarray of shape (k,)
        Its gradient at v = 0.
    weights : ndarray of shape (d + 1,)
        The weights at v = 0.
    """

    curvature: np.ndarray
    pull: np.ndarray
    frame: Frame | None = None
    weights: np.ndarray | None = None
    l2: float = 0.0

    # The longest step, as a share, that leads to weights which the penalty allows.
    longest = np.inf

    @classmethod
    def of(cls, plan, metric):
        frame, l2 = Frame(metric, plan.fit_intercept), plan.penalty.l2
        return cls(frame.penalty_curvature(l2), np.zeros(frame.size), frame, l2=l2)

    def about(self, weights):
        """The same penalty, of displacements from these weights (d + 1,)."""
        pull = self.frame.pull(self.l2, weights)
        return replace(self, pull=pull, weights=weights)

    def weights_at(self, v):
        """The weights (d + 1,) of a displacement."""
        return self.weights + self.frame.raw(v)

    def slope(self, v):
        """The gradient of the part of the penalty that is smooth."""
        return self.curvature @ v + self.pull

    def lowest(self, H, slope, v, largest):
        """The step from v to the minimum of the model.

        Parameters
        ----------
        H : ndarray of shape (k, k)
            The curvature of the loss.
        slope : ndarray of shape (k,)
            The gradient at v of the loss and the smooth part of the penalty.
        v : ndarray of shape (k,)
        largest : float
            The largest curvature of the loss.
        """
        p = -solve(H + self.curvature, slope, largest)
        return Step(p, -0.5 * float(slope @ p))

    def rise(self, v, p):
        """t, the slope of the loss -> the slope of the objective at v + t p along p."""
        ridge, at = p @ self.curvature @ p, self.slope(v) @ p
        return lambda t, of_loss: float(of_loss + at + t * ridge)

    def rise_of(self, v, slope, p):
        """The slope of the objective along p at v, from the gradient of `lowest` there."""
        return float(slope @ p)


class Scaled(Frame):
    """Coordinates on which a penalty of each coefficient acts: the scaled features."""

    def __init__(self, metric, fit_intercept):
        self.metric, self.fit_intercept = metric, fit_intercept
        self.rank = len(metric.scale)
        self.size = self.rank + fit_intercept

    def turn(self, X):
        return X / self.metric.scale

    def rows(self, X):
        Z = self.scaled(X)
        return Z if self.fit_intercept else Z[:, :-1]

    def raw(self, p):
        coef, intercept = p[: self.rank], p[-1] if self.fit_intercept else 0.0
        return np.append(self.turn(coef), intercept)

    def slope(self, gradient):
        g, b = gradient[:-1], gradient[-1]
        g = g if self.metric.centre is None else g - b * self.metric.centre
        return np.append(self.turn(g), b) if self.fit_intercept else self.turn(g)

    def gradient(self, slope):
        """The gradient (d + 1,) of raw features that has this `slope`."""
        b = slope[-1] if self.fit_intercept else 0.0
        g = slope[: self.rank] * self.metric.scale
        return np.append(g if self.metric.centre is None else g + b * self.metric.centre, b)


@dataclass(frozen=True, eq=False)
class Separable:
    """l1, l2 and bounds of scaled coefficients: Σ l1 |u| + ½ Σ l2 u², u = at + v.

    Attributes
    ----------
    frame : Scaled
    l1, l2 : ndarray of shape (k,)
    bounded : ndarray of bool, shape (k,)
    beside : ndarray of shape (k, k)
        A curvature of all directions that any row has, to be added to every other one.
    at : ndarray of shape (k,)
        The scaled coefficients, and the intercept, at v = 0.
    """

    frame: Scaled
    l1: np.ndarray
    l2: np.ndarray
    bounded: np.ndarray
    beside: np.ndarray
    at: np.ndarray | None = None

    @classmethod
    def of(cls, plan, metric, curvature):
        frame = Scaled(metric, plan.fit_intercept)
        k, d, l1, l2 = frame.size, frame.rank, np.zeros(frame.size), np.zeros(frame.size)
        l1[:d], l2[:d] = (
            plan.penalty.l1 / metric.scale,
            plan.penalty.l2 / metric.scale / metric.scale,
        )
        bounded = plan.penalty.positive & (np.arange(k) < d)
        share = BESIDE * plan.loss.smoothness / curvature.total
        return cls(frame, l1, l2, bounded, share * frame.products(curvature))

    @property
    def curvature(self):
        """The curvature of the part that is smooth."""
        return np.diag(self.l2)

    @property
    def fixed(self):
        """Which coefficients may be zero at the optimum."""
        return self.bounded | (self.l1 > 0)

    @property
    def longest(self):
        return 1.0 if self.bounded.any() else np.inf

    def about(self, weights):
        at = np.append(weights[:-1] * self.frame.metric.scale, weights[-1])
        return replace(self, at=at[: self.frame.size])

    def weights_at(self, v):
        u = self.at + v
        u[self.fixed & (np.abs(u) <= 4 * EPS * np.abs(v))] = 0.0
        return self.frame.raw(np.where(self.bounded, np.maximum(u, 0.0), u))

    def slope(self, v):
        return self.l2 * (self.at + v)

    def lowest(self, H, slope, v, largest):
        at, H = self.at + v, H + self.beside
        g = slope - self.l2 * at
        u, decrease = minimum(H, g, at, self.l1, self.l2, self.bounded)
        left = least_slope(g + H @ (u - at) + self.l2 * u, u, self.l1, self.bounded)
        return Step(u - at, decrease, self.frame.gradient(left))

    def rise(self, v, p):
        at, ridge, pull = self.at + v, self.l2 @ p**2, self.l2 * (self.at + v) @ p

        def rise(t, of_loss):
            return self._least(at + t * p, of_loss + pull + t * ridge, p)

        return rise

    def rise_of(self, v, slope, p):
        return self._least(self.at + v, slope @ p, p)

    def _least(self, u, smooth, p):
        """The slope along p of least size: l1 has an interval of them at a zero."""
        zero = u == 0
        steep = float(smooth + self.l1 @ (np.sign(u) * p))
        slack = float(self.l1[zero] @ np.abs(p[zero]))
        return float(np.sign(steep) * max(0.0, abs(steep) - slack))


def solve(H, g, largest):
    """H⁻¹ g of a curvature that may be singular; `largest` is that of the loss."""
    M = H.copy()
    M[np.diag_indices(len(M))] += RIDGE * largest
    L, failed = linalg.lapack.dpotrf(M, lower=1)
    if failed:
        values, vectors = linalg.eigh(M, check_finite=False)
        return (vectors / np.maximum(values, RIDGE * largest)) @ (vectors.T @ g)
    return linalg.cho_solve((L, True), g, check_finite=False)
