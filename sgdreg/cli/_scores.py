"""How good a fit is, beside the best there is."""

import numpy as np
from scipy import sparse

from sgdreg._curvature.factor import Curvature

# Multiplications that a comparison may take: some seconds.
MOST_WORK = 3e9
# Rows that are factorised at once: few enough for memory, many enough for the speed of it.
LEAST_BLOCK, BLOCK_TO_COLUMNS = 4096, 8


def scores(model, rows):
    """R² of the fit, and of the exact solutions of the same data.

    Parameters
    ----------
    model : SGDLinearRegressor
    rows : Rows
        That it was fitted to.

    Returns
    -------
    dict of float
        "r2"; where the optimum has a closed form and is cheap, "r2_least_squares", and
        with an l2 penalty "r2_ridge". Empty where all targets are the same.
    """
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights
    with np.errstate(over="ignore", invalid="ignore"):  # numbers of 1e308
        apart = rows.y - np.average(rows.y, weights=weights)
    size = np.abs(apart[weights > 0]).max(initial=0.0)  # whose square may be none
    if np.ptp(rows.y) == 0 or not np.finfo(float).tiny <= size < np.inf:
        return {}
    total = weights @ np.square(apart / size)

    def score(residual):
        return 1.0 - weights @ np.square(residual / size) / total

    found = {"r2": score(rows.y - model.predict(rows.X))}
    another = model.loss != "squared_error" or model.penalty not in (None, "l2")
    n, d = rows.X.shape
    if another or model.positive or sparse.issparse(rows.X) or n * d**2 > MOST_WORK:
        return found
    alphas = {"r2_least_squares": 0.0}
    if model.penalty == "l2":
        alphas = {"r2_ridge": model.alpha} | alphas
    for name, alpha in alphas.items():
        residual = exact_residual(rows.X, rows.y, alpha, model.fit_intercept, weights)
        found[name] = score(residual)
    return found


class RunningR2:
    """R² of predictions that come in pieces, with weights.

    Means and squares by T. F. Chan, G. H. Golub, R. J. LeVeque (1983).
    """

    def __init__(self):
        self.rows, self.total, self.mean, self.squares, self.missed = 0, 0.0, 0.0, 0.0, 0.0

    def add(self, y, predicted, weights=None):
        """Count some rows more."""
        weights = np.ones(len(y)) if weights is None else weights
        new = weights.sum()
        if new == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # numbers of 1e200
            mean = weights @ y / new
            share = new / (self.total + new)
            self.squares += weights @ np.square(y - mean)
            self.squares += share * self.total * (mean - self.mean) ** 2
            self.mean += share * (mean - self.mean)
            self.missed += weights @ np.square(y - predicted)
        self.total += new
        self.rows += len(y)

    @property
    def value(self):
        """R²; None where all targets are the same, there are none, or squares overflow."""
        return 1.0 - self.missed / self.squares if 0 < self.squares < np.inf else None


def exact_residual(X, y, alpha, fit_intercept, weights):
    """What the optimum leaves of y, by the least squares that fits themselves start from.

    They know which directions of the columns are rounding errors of so many rows: dependent
    columns, as the categories of `--one-hot` are, have some.
    """
    share = weights * (len(y) / weights.sum())  # with a mean of one, as a fit has them
    curvature = Curvature.empty(X.shape[1], 1, fit_intercept)
    step = max(LEAST_BLOCK, BLOCK_TO_COLUMNS * X.shape[1])
    for start in range(0, len(y), step):
        rows = slice(start, start + step)
        if share[rows].any():
            curvature = curvature.add(X[rows], y[rows, None], share[rows])
    metric, (solution,) = curvature.solve(alpha)
    Z = X if metric.centre is None else X - metric.centre
    return y - solution[-1] - Z @ solution[:-1]
