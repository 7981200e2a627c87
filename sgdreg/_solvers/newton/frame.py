"""Coordinates in which the covariance of a sample of rows is the identity."""

from dataclasses import replace
from math import sqrt

import numpy as np
from scipy import linalg

# The length that is added to every direction where none may be left out.
SHORT = 1e-4
# A Gram matrix of scaled features is turned into the frame where a bound of the condition
# number is at most this: that many digits are lost.
WELL_CONDITIONED = 1e10


class Frame:
    """Moves p of the weights: w + T p, with rows A = [x, 1] T of one covariance.

    Columns that are copies of others up to 1e-6 would otherwise be lost in products.

    Parameters
    ----------
    metric : Metric
        A full one.
    fit_intercept : bool
    whole : bool
        Whether directions with hardly any variance are included: a penalty on each
        coefficient acts on them too.
    """

    is_diagonal = False

    def __init__(self, metric, fit_intercept, whole=False):
        if whole:
            metric = replace(metric, root=_whole(metric.root, ~metric.constant))
        self.metric, self.fit_intercept = metric, fit_intercept
        self.rank = len(metric.root)
        self.size = self.rank + fit_intercept
        self.coef = metric.root.T / metric.scale[:, None]  # (d, rank)

    @classmethod
    def of_scaled(cls, metric, fit_intercept):
        """The frame in which p are the coefficients of the scaled features themselves."""
        root = np.eye(len(metric.scale))[~metric.constant]
        frame = cls(replace(metric, root=root), fit_intercept)
        frame.is_diagonal = True
        return frame

    @property
    def is_well_conditioned(self):
        """Whether T may be applied after products: by its squared norm, times d."""
        size = np.square(self.coef * self.metric.scale[:, None]).sum()
        return bool(len(self.coef) * size <= WELL_CONDITIONED)

    def centred(self, X):
        """Dense rows X (m, d) about the metric's centre."""
        return X if self.metric.centre is None else X - self.metric.centre

    def scaled(self, X):
        """Centred rows divided by the features' scale, with a column of ones (m, d + 1)."""
        Z = np.ones((len(X), X.shape[1] + 1))
        np.divide(self.centred(X), self.metric.scale, out=Z[:, :-1])
        return Z

    def turned(self, S):
        """The Gram matrix (k, k) of rows, from the upper triangle of that of `scaled`."""
        S += np.triu(S, 1).T
        rank = self.coef.shape[1]
        T = np.zeros((len(S), self.size), S.dtype, order="F")
        T[:-1, :rank] = self.coef * self.metric.scale[:, None]
        T[-1, rank:] = 1.0
        return T.T @ S @ T

    def turn(self, X):
        """X T of features X that are centred already."""
        return X @ self.coef

    def rows(self, X):
        """The coordinates A (m, k) of dense rows X (m, d)."""
        A = np.empty((len(X), self.size))
        np.matmul(self.centred(X), self.coef, out=A[:, : self.coef.shape[1]])
        if self.fit_intercept:
            A[:, -1] = 1.0
        return A

    def raw(self, p):
        """The move (d + 1,) of the weights, at the metric's centre."""
        rank = self.coef.shape[1]
        return np.append(self.coef @ p[:rank], p[-1] if self.fit_intercept else 0.0)

    def slope(self, gradient):
        """The gradient (k,) with respect to p, from the one (d + 1,) of raw features."""
        g, b = gradient[:-1], gradient[-1]
        g = g if self.metric.centre is None else g - b * self.metric.centre
        return np.append(g @ self.coef, b) if self.fit_intercept else g @ self.coef

    def penalty_curvature(self, l2):
        """The curvature Q = l2 TᵀT (k, k) of the l2 penalty."""
        Q = np.zeros((self.size, self.size))
        rank = self.coef.shape[1]
        if l2:  # the root first: of features near 1e-160 the squares overflow
            root = sqrt(l2) * self.coef
            Q[:rank, :rank] = root.T @ root
        return Q

    def on_coef(self):
        """The matrix (d, k) from p to the coefficients of the scaled features."""
        A = np.zeros((len(self.coef), self.size))
        A[:, : self.coef.shape[1]] = self.metric.scale[:, None] * self.coef
        return A

    def looks(self, rng, count):
        """Random weights (d + 1, count); the products with row i have variance ‖A_i‖²."""
        p = rng.standard_normal((self.size, count))
        weights = np.array([self.raw(column) for column in p.T]).T
        if self.metric.centre is not None:
            weights[-1] -= self.metric.centre @ weights[:-1]
        return weights

    def pull(self, l2, weights):
        """The gradient (k,) of l2 ½ ‖w‖² at some weights (d + 1,)."""
        pull = np.zeros(self.size)
        if l2:
            pull[: self.coef.shape[1]] = l2 * (weights[:-1] @ self.coef)
        return pull

    def products(self, curvature):
        """Σ s A_iᵀ A_i (k, k), from a curvature of the rows about their own mean.

        The triangle is multiplied by T before it is squared, which keeps its digits.
        """
        rank, total = self.rank, curvature.total
        R = self.turn(curvature.features)
        H = np.zeros((self.size, self.size))
        H[:rank, :rank] = R.T @ R
        if self.fit_intercept:
            step = self.turn(curvature.mean - self.metric.centre)
            H[:rank, :rank] += total * np.outer(step, step)
            H[:rank, -1] = H[-1, :rank] = total * step
            H[-1, -1] = total
        return H


def _whole(root, varying):
    """The root for the curvature plus SHORT², on all columns that vary."""
    short = _complement(root, varying) / SHORT
    curvatures = np.eye(len(root)) + SHORT**2 * root @ root.T
    factor = linalg.cholesky(curvatures, lower=True)
    return np.vstack([linalg.solve_triangular(factor, root, lower=True), short])


def _complement(root, varying):
    """Orthonormal rows (m, d) on the varying columns, orthogonal to those of `root`."""
    if len(root) == np.count_nonzero(varying):
        return np.empty((0, len(varying)))
    among = linalg.qr(root[:, varying].T, mode="full", check_finite=False)[0]
    rows = np.zeros((among.shape[1] - len(root), len(varying)))
    rows[:, varying] = among[:, len(root) :].T
    return rows
