"""R² of a fit, beside R² of the exact solutions."""

import numpy as np
from scipy import sparse

from sgdreg._curvature.of_rows import curvature_of
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE, within_floats
from sgdreg.losses import SQUARED_ERROR

# Most multiplications of a comparison with exact solutions: some seconds.
MOST_WORK = 3e9


def scores(model, rows):
    """R² of the fit, and of the exact solutions of the same data.

    Parameters
    ----------
    model : SGDLinearRegressor
    rows : FileRows
        The rows of the fit.

    Returns
    -------
    dict of float
        "r2"; where the optimum has a closed form and is cheap, "r2_least_squares", and
        with an l2 penalty "r2_ridge". Empty where all targets are the same.
    """
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights
    with np.errstate(over="ignore", invalid="ignore"):  # numbers of 1e308
        apart = rows.y - np.average(rows.y, weights=weights)
    size = np.abs(apart[weights > 0]).max(initial=0.0)  # its square may overflow
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


def exact_residual(X, y, alpha, fit_intercept, weights):
    """The residuals of y at the exact optimum, by the least squares that fits start from.

    That solver leaves out directions that are rounding errors, as dependent columns have
    them: for example the categories of `--one-hot`.
    """
    data = Data.build(X, y[:, None], weights, loss=SQUARED_ERROR, team=ALONE)
    with within_floats():
        curvature = curvature_of(data, fit_intercept, work=np.inf)  # exact, of no sample
        metric, (solution,) = curvature.solve(alpha)
    Z = X if metric.centre is None else X - metric.centre
    return y - solution[-1] - Z @ solution[:-1]
