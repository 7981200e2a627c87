"""The objective as a function of two coefficients; the others keep their fitted values."""

from functools import cached_property

import numpy as np
from scipy import linalg, optimize, sparse

from sgdreg._curvature.triangles import triangle_of
from sgdreg._estimator.inputs import check_rows, check_weights
from sgdreg.losses import ask, is_squared

# Where F has no closed form, it is summed over a random sample of at most ROWS rows.
ROWS = 10_000
# Predictions that are held at a time: 32 MiB of float64.
PREDICTIONS = 2**22
# R R⁻¹ may differ from the identity by this much; a flat direction makes the difference
# a projection, with an entry of 1/2 or more.
FLAT = 1e-6
# Nelder-Mead's tolerance, as a share of the mean residual, and its most iterations (55 to
# 199 with each loss and penalty on the diabetes data).
PRECISION, MOST_STEPS = 1e-8, 1000


class Plane:
    """F(v) = 1/S · Σ s_i L(y_i, p_i + c_i·(v - v_fitted)) + alpha · R(w).

    v are two coefficients (or one and the intercept), c_i the values of their two columns
    in row i, p_i the prediction of the fitted model.

    Parameters
    ----------
    model : SGDLinearRegressor
        Fitted.
    X, y, sample_weight
        As in `fit`.
    chosen : (int, int)
        Numbers of two columns of X; n_features stands for the intercept.
    output : int

    Attributes
    ----------
    fitted : ndarray of shape (2,)
    closed_form : bool
        Whether F needs no sum over the rows for each v: for the squared error.
    n_rows, rows : int
        The number of rows, and the number of rows that F is summed over: where there is no
        closed form, at most ROWS, drawn at random.
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
        self.free = np.array(chosen) == len(coef)  # the intercept, which is not penalised
        if not self.penalty.is_custom:
            others = np.delete(self.coef, self.among)
            self.fixed = self.penalty.values(others[None])[0]

    @cached_property
    def root(self):
        """R, upper triangular, with RᵀR the curvature 1/S · Σ s_i c_i c_iᵀ + l2.

        In the coordinates u = R (v - v*) the contours of the squared error are circles.
        """
        ridge = np.diag(np.where(self.free, 0.0, np.sqrt(self.penalty.l2)))
        R = triangle_of(np.vstack([self.C * np.sqrt(self.weights)[:, None], ridge]))
        return R * np.where(np.diag(R) < 0, -1.0, 1.0)[:, None]

    @cached_property
    def inverse(self):
        """The pseudo-inverse of R: zero along directions that change no prediction."""
        scale = np.linalg.norm(self.root, axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        return linalg.pinv(self.root / scale) / scale[:, None]

    @property
    def singular(self):
        """Whether some direction of the plane changes no prediction."""
        return not np.allclose(self.root @ self.inverse, np.eye(2), atol=FLAT)

    def __call__(self, v):
        """F at points v of shape (m, 2); infinite where `positive` does not allow v."""
        with np.errstate(over="ignore", invalid="ignore"):
            losses = self._squared(v) if self.closed_form else self._by_rows(v)
            F = losses + self._penalties(v)
        if self.penalty.positive:
            F = np.where((v < 0)[:, ~self.free].any(axis=1), np.inf, F)
        return np.where(np.isnan(F), np.inf, F)

    def _penalties(self, v):
        """alpha · R(w) at points v; a custom penalty need not be separable."""
        if not self.penalty.is_custom:
            return self.fixed + self.penalty.values(np.where(self.free, 0.0, v))
        values, coef = np.empty(len(v)), self.coef.copy()
        for i, point in enumerate(v):
            coef[self.among] = point[~self.free]
            values[i] = self.penalty.values(coef[None])[0]
        return values

    def _squared(self, v):
        """The loss at points v, as its second-order expansion at the fitted model."""
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
        """v*, the minimum of F on the plane."""
        if self.closed_form and not self.penalty.proximal:
            slope = self.C.T @ (self.weights * (self.p - self.y))
            slope += np.where(self.free, 0.0, self.penalty.l2 * self.fitted)
            return self.fitted - self.inverse @ (self.inverse.T @ slope)
        size = np.abs(self.y - self.p).mean() or 1.0  # a step changes predictions by this
        found = optimize.minimize(
            lambda u: self((self.fitted + self.inverse @ u)[None])[0],
            np.zeros(2),
            method="Nelder-Mead",
            options={
                "initial_simplex": size * np.array([[0, 0], [1, 0], [0, 1]]),
                "xatol": PRECISION * size,
                "fatol": 0.0,
                "maxiter": MOST_STEPS,
            },
        )
        return self.fitted + self.inverse @ found.x


def _column(X, at):
    """A column of X, or a column of ones for the intercept."""
    if at == X.shape[1]:
        return np.ones(X.shape[0])
    column = X[:, [at]]
    return (column.toarray() if sparse.issparse(column) else column)[:, 0].astype(float)
