"""Least-squares problems whose answer is known, drawn from their singular values.

X is built as U diag(s) Vᵀ from parameters and a seed, so that the optimum, the condition
number and the largest stable step of gradient descent are known, not estimated.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st


@dataclass
class Drawn:
    """X, y, weights and what is known of them."""

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None
    alpha: float
    fit_intercept: bool

    @property
    def weights(self):
        """Weights of mean one."""
        s = self.sample_weight
        return np.ones(len(self.X)) if s is None else s / s.mean()

    @property
    def design(self):
        """X with a column of ones if there is an intercept (of zeros otherwise)."""
        return np.column_stack([self.X, np.full(len(self.X), float(self.fit_intercept))])

    @property
    def penalty(self):
        """Diagonal of the penalty: the intercept is free."""
        return np.r_[np.full(self.X.shape[1], self.alpha), 0.0]

    @property
    def hessian(self):
        A = self.design
        return (A.T * self.weights) @ A / len(A) + np.diag(self.penalty)

    @property
    def slope(self):
        """-∇F(0) of each output, (d + 1, k)."""
        return (self.design.T * self.weights) @ self.targets / len(self.X)

    @property
    def targets(self):
        return self.y.reshape(len(self.y), -1)

    @property
    def largest_step(self):
        """Gradient descent diverges beyond this."""
        return 2.0 / np.linalg.eigvalsh(self.hessian)[-1]

    def optimum(self):
        """θ* = [w*, b*] (k, d + 1), of least norm; by lstsq, never by squaring X."""
        root = np.sqrt(self.weights / len(self.X))[:, None]
        A = np.vstack([self.design * root, np.diag(np.sqrt(self.penalty))])
        targets = np.vstack([self.targets * root, np.zeros((A.shape[1], self.k))])
        return np.linalg.lstsq(A, targets, rcond=None)[0].T

    @property
    def k(self):
        return self.targets.shape[1]

    def objective(self, coef, intercept):
        """F, summed over the outputs, as written in the estimator's docstring."""
        coef = np.atleast_2d(coef)
        p = self.X @ coef.T + intercept
        loss = 0.5 * np.mean(self.weights[:, None] * (self.targets - p) ** 2, axis=0)
        return float(loss.sum() + 0.5 * self.alpha * np.sum(coef**2))


BOOLEANS = st.booleans()
OUTPUTS = st.sampled_from((None, None, 1, 3))
NOISE = st.sampled_from((0.0, 0.1, 3.0))


@st.composite
def problems(
    draw,
    max_rows=40,
    max_features=6,
    condition=30.0,
    weighted=BOOLEANS,
    penalised=BOOLEANS,
    intercept=BOOLEANS,
    outputs=OUTPUTS,
    noise=NOISE,
):
    """A `Drawn` problem; `condition` bounds the condition number of X."""
    n = draw(st.integers(2, max_rows))
    d = draw(st.integers(1, max_features))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rank = min(n, d)
    U = np.linalg.qr(rng.standard_normal((n, rank)))[0]
    V = np.linalg.qr(rng.standard_normal((d, rank)))[0]
    s = np.sqrt(n) * np.logspace(0, -np.log10(draw(st.floats(1.0, condition))), rank)
    X = np.ascontiguousarray((U * s) @ V.T)
    k = draw(outputs)
    w = rng.standard_normal((d, k or 1))
    y = X @ w + rng.standard_normal(k or 1) + draw(noise) * rng.standard_normal((n, k or 1))
    weights = rng.integers(1, 5, n).astype(float) if draw(weighted) else None
    alpha = draw(st.sampled_from((0.01, 0.3))) if draw(penalised) else 0.0
    y = np.ascontiguousarray(y if k else y[:, 0])
    return Drawn(X, y, weights, alpha, draw(intercept))
