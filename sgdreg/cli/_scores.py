"""How good a fit is, beside the best there is."""

import numpy as np
from scipy import sparse

# Multiplications that a comparison may take: some seconds.
MOST_WORK = 3e9


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
    mean = np.average(rows.y, weights=weights)
    total = weights @ np.square(rows.y - mean)
    if np.ptp(rows.y) == 0 or total == 0:  # of 1e-200, squares are 0
        return {}

    def score(residual):
        return 1.0 - weights @ np.square(residual) / total

    found = {"r2": score(rows.y - model.predict(rows.X))}
    another = model.loss != "squared_error" or model.penalty in ("l1", "elasticnet")
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
    """What the optimum leaves of y, by a direct solver on centred, scaled columns.

    A Gram matrix would lose half of the digits. QR first: the triangle has the same
    solution and is small, however many rows there are.
    """
    share = weights / weights.sum()
    centre = share @ X if fit_intercept else np.zeros(X.shape[1])
    scale = np.sqrt(share @ np.square(X - centre))
    # A constant column leaves rounding errors of its size, which are no direction.
    scale[scale <= 1e-14 * np.abs(X).max(axis=0)] = np.inf
    Z = (X - centre) / scale
    target = y - share @ y if fit_intercept else y
    root = np.sqrt(weights)[:, None]
    triangle = np.linalg.qr(root * np.column_stack([Z, target]), mode="r")
    A, b = triangle[:, :-1], triangle[:, -1]
    if alpha > 0:  # a penalty is d rows more
        A = np.vstack([A, np.sqrt(alpha * weights.sum()) * np.diag(1.0 / scale)])
        b = np.concatenate([b, np.zeros(X.shape[1])])
    return target - Z @ np.linalg.lstsq(A, b, rcond=None)[0]
