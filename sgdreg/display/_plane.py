"""The objective over two coefficients of a model, the others as fitted."""

from functools import cached_property

import numpy as np
from scipy import linalg, optimize, sparse

from sgdreg._curvature.factor import triangle_of
from sgdreg._estimator.inputs import check_rows, check_weights
from sgdreg.losses import ask, is_squared

# Losses that have to be summed row by row are summed over so many rows at the most, ...
ROWS = 10_000
# ... of so many predictions at a time (32 MiB).
PREDICTIONS = 2**22


class Plane:
    """F(v) = 1/S · Σ s_i L(y_i, p_i + c_i·(v - v_fitted)) + alpha · R(w).

    v are two of the coefficients (or one, and the intercept), c_i their columns in row i,
    p_i the fitted model's prediction.

    Parameters
    ----------
    model : SGDLinearRegressor
        Fitted.
    X, y, sample_weight
        As in `fit`.
    chosen : (int, int)
        Two columns of X; n_features is the intercept.
    output : int

    Attributes
    ----------
    fitted : ndarray of shape (2,)
    closed_form : bool
        Whether F is known without a sum over the rows for each v: of the squared error.
    n_rows, rows : int
        How many there are, and how many F is summed over: where there is no closed form,
        10,000 at the most, drawn at random.
    """

    def __init__(self, model, X, y, sample_weight, chosen, output):
        X, y = check_rows(model, X, y=y, finite=True, order=None, multi_output=True)
        weights = check_weights(sample_weight, X, "sample_weight")
        weights = np.ones(len(y)) if weights is None else weights
        loss, y = model.plan_.loss, y.reshape(len(y), -1)[:, output].astype(np.float64)
        coef = model.coef_.toarray() if sparse.issparse(model.coef_) else model.coef_
        coef = np.atleast_2d(coef)[output]
        intercept = np.atleast_1d(model.intercept_)[output]
        p = X @ coef + intercept
        self.n_rows = len(y)
        C = np.column_stack([_column(X, at) for at in chosen])
        if not is_squared(loss) and len(y) > ROWS:
            some = np.sort(np.random.default_rng(0).choice(len(y), ROWS, replace=False))
            C, y, p, weights = C[some], y[some], p[some], weights[some]
        self.C, self.y, self.p, self.weights = C, y, p, weights / weights.sum()
        self.loss, self.penalty, self.rows = loss, model.plan_.penalty, len(y)
        self.coef, self.among = (
            coef.astype(np.float64),
            [j for j in chosen if j < len(coef)],
        )
        self.closed_form = is_squared(loss)
        self.fitted = np.append(coef, intercept)[list(chosen)].astype(np.float64)
        self.free = np.array(chosen) == len(coef)  # the intercept, which no penalty knows
        if self.penalty.custom is None:
            others = np.delete(self.coef, self.among)
            self.fixed = self.penalty.values(others[None])[0]

    @cached_property
    def root(self):
        """R, upper triangular, with RᵀR the curvature 1/S · Σ s_i c_i c_iᵀ + l2.

        In the coordinates u = R (v - v*) the bowl of the squared error is round.
        """
        pull = np.diag(np.where(self.free, 0.0, np.sqrt(self.penalty.l2)))
        R = triangle_of(np.vstack([self.C * np.sqrt(self.weights)[:, None], pull]))
        return R * np.where(np.diag(R) < 0, -1.0, 1.0)[:, None]

    @cached_property
    def inverse(self):
        """R⁻¹; along what changes no prediction, zero."""
        scale = np.linalg.norm(self.root, axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        return linalg.pinv(self.root / scale) / scale[:, None]

    @property
    def singular(self):
        """Whether some direction of the plane changes no prediction."""
        return not np.allclose(self.root @ self.inverse, np.eye(2), atol=1e-6)

    def __call__(self, v):
        """F at points v, shape (m, 2); infinite where `positive` forbids."""
        with np.errstate(over="ignore", invalid="ignore"):
            losses = self._squared(v) if self.closed_form else self._by_rows(v)
            F = losses + self._penalties(v)
        if self.penalty.positive:
            F = np.where((v < 0)[:, ~self.free].any(axis=1), np.inf, F)
        return np.where(np.isnan(F), np.inf, F)

    def _penalties(self, v):
        """alpha · R(w) at points v; a custom one need not be separable."""
        if self.penalty.custom is None:
            return self.fixed + self.penalty.values(np.where(self.free, 0.0, v))
        values, coef = np.empty(len(v)), self.coef.copy()
        for i, point in enumerate(v):
            coef[self.among] = point[~self.free]
            values[i] = self.penalty.values(coef[None])[0]
        return values

    def _squared(self, v):
        """The quadratic about the fitted model, in closed form."""
        r, step = self.p - self.y, v - self.fitted
        slope = self.C.T @ (self.weights * r)
        H = self.C.T @ (self.C * self.weights[:, None])
        return 0.5 * self.weights @ r**2 + step @ slope + 0.5 * ((step @ H) * step).sum(1)

    def _by_rows(self, v):
        out = np.empty(len(v))
        size = max(1, PREDICTIONS // self.rows)
        for start in range(0, len(v), size):
            step = v[start : start + size] - self.fitted
            p = (self.p[:, None] + self.C @ step.T).ravel()
            y = np.repeat(self.y, len(step))
            values = ask(self.loss, y, p, "value").reshape(self.rows, len(step))
            out[start : start + size] = self.weights @ values
        return out

    @cached_property
    def optimum(self):
        """v*, where F is least on the plane."""
        if self.closed_form and not self.penalty.proximal:
            slope = self.C.T @ (self.weights * (self.p - self.y))
            slope += np.where(self.free, 0.0, self.penalty.l2 * self.fitted)
            return self.fitted - self.inverse @ (self.inverse.T @ slope)
        size = np.abs(self.y - self.p).mean() or 1.0  # what a step changes predictions by
        found = optimize.minimize(
            lambda u: self((self.fitted + self.inverse @ u)[None])[0],
            np.zeros(2),
            method="Nelder-Mead",
            options={
                "initial_simplex": size * np.array([[0, 0], [1, 0], [0, 1]]),
                "xatol": 1e-8 * size,
                "fatol": 0.0,
                "maxiter": 1000,
            },
        )
        return self.fitted + self.inverse @ found.x


def _column(X, at):
    """Column of X, or of ones for the intercept."""
    if at == X.shape[1]:
        return np.ones(X.shape[0])
    column = X[:, [at]]
    return (column.toarray() if sparse.issparse(column) else column)[:, 0].astype(float)
