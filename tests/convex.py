"""Any loss, any penalty: the least objective there is, from both sides.

Kinks are rounded off by a width μ (Moreau's envelope; l1 and w >= 0 likewise), which leaves
a convex function below F made of parabolas. Newton's method with exact line searches ends
at its minimum, a lower bound of F; F itself at that point is an upper one. μ shrinks until
the two meet. The method shares nothing with the package's, and checks itself.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import sparse

LOSS_VALUES = {
    "squared_error": lambda r, eps, q: 0.5 * r**2,
    "huber": lambda r, eps, q: np.where(
        np.abs(r) <= eps, 0.5 * r**2, eps * (np.abs(r) - 0.5 * eps)
    ),
    "absolute_error": lambda r, eps, q: np.abs(r),
    "quantile": lambda r, eps, q: np.where(r > 0, (1 - q) * r, -q * r),
    "epsilon_insensitive": lambda r, eps, q: np.maximum(0, np.abs(r) - eps),
    "squared_epsilon_insensitive": lambda r, eps, q: np.maximum(0, np.abs(r) - eps) ** 2,
}


@dataclass
class Objective:
    """F of the estimator's docstring, for one output.

    Attributes
    ----------
    X, y, sample_weight
        As given to `fit`.
    loss, penalty, alpha, l1_ratio, epsilon, quantile, positive, fit_intercept
        The estimator's parameters.
    """

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None = None
    loss: str = "squared_error"
    penalty: str | None = None
    alpha: float = 1e-4
    l1_ratio: float = 0.15
    epsilon: float = 0.1
    quantile: float = 0.5
    positive: bool = False
    fit_intercept: bool = True

    def __post_init__(self):
        X = self.X.toarray() if sparse.issparse(self.X) else self.X
        self.A = np.asarray(X, float)
        self.y = np.asarray(self.y, float)
        s = np.ones(len(self.y)) if self.sample_weight is None else self.sample_weight
        self.s = np.asarray(s, float) / np.sum(s)
        share = {None: 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": self.l1_ratio}
        alpha = self.alpha if self.penalty else 0.0
        self.l1 = alpha * share[self.penalty]
        self.l2 = alpha - self.l1

    def losses(self, r):
        return LOSS_VALUES[self.loss](r, self.epsilon, self.quantile)

    def __call__(self, coef, intercept):
        """F; infinity where a coefficient is below zero that must not be."""
        coef = np.asarray(coef, float)
        if self.positive and np.min(coef, initial=0.0) < 0:
            return np.inf
        loss = self.s @ self.losses(self.A @ coef + float(intercept) - self.y)
        return float(loss + self.l1 * np.abs(coef).sum() + 0.5 * self.l2 * coef @ coef)

    @cached_property
    def of_constant(self):
        """F of the best constant (of zero, without an intercept)."""
        if not self.fit_intercept:
            return float(self.s @ self.losses(-self.y))
        return _of_best_constant(
            self.y.tobytes(), self.s.tobytes(), self.loss, self.epsilon, self.quantile
        )

    @cached_property
    def bounds(self):
        """(lower, upper) bound of the least F: 1e-9 of it apart, or of the constant's."""
        middle = np.median(self.y) if self.fit_intercept else 0.0
        size = np.abs(self.y - middle).max() or abs(middle) or 1.0
        self._scale()
        v = np.append(np.zeros(len(self.scale)), [middle] * self.fit_intercept)
        at_start = upper = self(*self.raw(v))
        lower, self.best = 0.0, self.raw(v)
        # wide enough, at first, for all residuals to be in the parabola
        forces = {"huber": self.epsilon, "quantile": min(self.quantile, 1 - self.quantile)}
        mu = 4 * size / forces.get(self.loss, 1.0)
        for _ in range(60):
            v, least = Parabolas(self, mu, size).minimum(v)
            lower = max(lower, least)
            if self(*self.raw(v)) <= upper:
                upper, self.best = self(*self.raw(v)), self.raw(v)
            if upper - lower <= 1e-9 * max(upper, 1e-3 * at_start):
                break
            mu /= 16
        return lower, upper

    def _scale(self):
        """Features of mean zero and size one, where Newton's equations are solved."""
        self.centre = self.s @ self.A if self.fit_intercept else np.zeros(self.A.shape[1])
        Z = self.A - self.centre
        if self.fit_intercept:
            Z = np.where(np.ptp(self.A, axis=0) > 0, Z, 0.0)
        scale = np.sqrt(self.s @ Z**2)
        self.scale = np.where(scale > 0, scale, 1.0)
        self.Z = np.column_stack(
            [Z / self.scale, np.ones((len(Z), int(self.fit_intercept)))]
        )

    def raw(self, v):
        """Coefficients and intercept of the features as they are."""
        coef = v[: len(self.scale)] / self.scale
        coef = np.maximum(coef, 0.0) if self.positive else coef
        return coef, v[-1] - self.centre @ coef if self.fit_intercept else 0.0


@cache
def _of_best_constant(y, s, *loss):
    """F of the best constant: many objectives are of the same targets."""
    y, s = np.frombuffer(y), np.frombuffer(s)
    names = ("loss", "epsilon", "quantile")
    blank = Objective(np.zeros((len(y), 1)), y, s, **dict(zip(names, loss, strict=True)))
    return blank.bounds[1]


class Parabolas:
    """F_mu: Σ c φ(z), z = B v - o, and a square; φ' is z / width between two bounds."""

    def __init__(self, objective, mu, size):
        f, d = objective, len(objective.scale)
        dead = f.epsilon if "insensitive" in f.loss else 0.0
        width, low, high = {
            "squared_error": (1.0, -np.inf, np.inf),
            "huber": (1.0 + mu, -f.epsilon, f.epsilon),
            "absolute_error": (mu, -1.0, 1.0),
            "quantile": (mu, -f.quantile, 1.0 - f.quantile),
            "epsilon_insensitive": (mu, -1.0, 1.0),
            "squared_epsilon_insensitive": (0.5, -np.inf, np.inf),
        }[f.loss]
        if f.loss == "huber" and mu < 1e-3:
            width = 1.0
        blocks = [(f.s, f.Z, f.y, width, low, high)]
        if dead:  # one hinge on either side
            blocks = [
                (f.s, f.Z, f.y + dead, width, 0.0, high),
                (f.s, f.Z, f.y - dead, width, low, 0.0),
            ]
        if f.l1 or f.positive:
            cap = f.l1 / f.scale
            low = np.full(d, -np.inf) if f.positive else -cap
            squares = "squared" in f.loss or f.loss == "huber"
            narrow = mu / size if squares else mu
            eye = np.eye(d, f.Z.shape[1])
            blocks.append((np.ones(d), eye, np.zeros(d), narrow, low, cap))
        columns = zip(*blocks, strict=True)
        c, B, o, width, low, high = columns
        self.c, self.B, self.o = np.concatenate(c), np.concatenate(B), np.concatenate(o)
        sizes = [len(part) for part in o]
        self.width, self.low, self.high = (
            np.concatenate([np.broadcast_to(*pair) for pair in zip(x, sizes, strict=True)])
            for x in (width, low, high)
        )
        self.square = np.zeros(f.Z.shape[1])
        self.square[:d] = f.l2 / f.scale**2

    def minimum(self, v):
        """Where it is least, and a lower bound of how much that is."""
        for _ in range(100):
            z = self.B @ v - self.o
            g = np.clip(z / self.width, self.low, self.high)
            gradient = self.B.T @ (self.c * g) + self.square * v
            inside = (self.low < g) & (g < self.high)
            B = self.B[inside] * np.sqrt(self.c / self.width)[inside, None]
            H = B.T @ B
            H[np.diag_indices(len(v))] += self.square + 1e-12 * (H.trace() or 1.0)
            step = np.linalg.solve(H, -gradient)
            value = self.c @ (g * z - 0.5 * self.width * g * g) + 0.5 * self.square @ v**2
            drop = -gradient @ step
            if drop <= 1e-14 * abs(value) or drop <= 1e-300:
                break
            t = self._longest(v, z, step)
            if t == 0:
                break
            v = v + t * step
        return v, value - max(drop, 0.0)

    def _longest(self, v, z, step):
        """Where the slope along the step, which rises in straight pieces, is zero."""
        dz, linear = self.B @ step, self.square * step

        def slope(t):
            g = np.clip((z + t * dz) / self.width, self.low, self.high)
            return (self.c * dz) @ g + linear @ (v + t * step)

        with np.errstate(divide="ignore", invalid="ignore"):
            ends = [(bound * self.width - z) / dz for bound in (self.low, self.high)]
        ends = np.concatenate(ends)
        ends = np.sort(ends[(ends > 0) & (ends < 1e15)])
        first, last = 0, len(ends)
        while first < last:  # the first end beyond which the slope is not negative
            middle = (first + last) // 2
            first, last = (middle + 1, last) if slope(ends[middle]) < 0 else (first, middle)
        left = ends[first - 1] if first else 0.0
        right = ends[first] if first < len(ends) else 2 * left + 1.0
        at_left, at_right = slope(left), slope(right)
        if at_right - at_left <= 0:
            return left
        return left - at_left * (right - left) / (at_right - at_left)
