"""Other methods for the optimum of a problem. Whatever they find is a point."""

import signal
import warnings
from contextlib import contextmanager

import numpy as np
from scipy import linalg, sparse
from scipy.optimize import linprog

from every_problem.problem import KINKED, LONG
from sgdreg import SGDLinearRegressor

# Seconds of the processor that they may take together.
SECONDS = 60


def trials(problem, output):
    """The points of those methods that end, in their time."""
    methods = points(problem, output)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            with at_most(SECONDS):
                yield from methods
        except (TimeoutError, np.linalg.LinAlgError, ValueError):
            return


def points(problem, output):
    """(coef, intercept) by each method that is worth its time on this problem."""
    f = problem.objective_of(output)
    y, weights = problem.Y[:, output], problem.sample_weight
    yield [np.zeros(problem.d), problem.s @ y if problem.intercept else 0.0]
    if problem.n * problem.d**2 < 3e7:
        with np.errstate(all="ignore"):
            f.bounds  # noqa: B018
        yield f.best
    if problem.loss == "squared_error" and not (f.l1 or problem.positive):
        yield refined(f)
    if problem.loss in KINKED and not f.l2 and problem.n * problem.d < 1e5:
        yield linear_program(f)
    if problem.n * problem.d**2 < 1e9:
        model = SGDLinearRegressor(optimizer="interior_point", tol=1e-13, max_iter=300)
        X = problem.dense.astype(float)
        model.set_params(**problem.settings).fit(X, y, weights)
        yield model.coef_, model.intercept_


def refined(f):
    """Least squares by a decomposition, corrected by residuals in long double."""
    f._scale()
    root = np.sqrt(f.s)[:, None]
    d = len(f.scale)
    A = np.vstack([f.Z * root, np.eye(d, f.Z.shape[1]) * np.sqrt(f.l2) / f.scale[:, None]])
    u, sv, v = linalg.svd(A, full_matrices=False)
    keep = sv > 1e-13 * sv[0] if len(sv) else sv > 0
    coef, intercept = np.zeros(d, LONG), LONG(0)
    X, y = f.A.astype(LONG), f.y.astype(LONG)
    for _ in range(6):
        r = np.sqrt(f.s) * (y - X @ coef - intercept)
        r = np.append(r, -np.sqrt(f.l2) * coef).astype(float)
        step = v[keep].T @ ((u[:, keep].T @ r) / sv[keep])
        move = step[:d] / f.scale
        coef = coef + move
        if f.fit_intercept:
            intercept = intercept + step[-1] - f.centre @ move
    return coef, intercept


def linear_program(f):
    """A loss with kinks, and l1, by HiGHS, of features of size one."""
    f._scale()
    (n, d), dead = f.A.shape, f.epsilon if f.loss == "epsilon_insensitive" else 0.0
    up, down = (1 - f.quantile, f.quantile) if f.loss == "quantile" else (1.0, 1.0)
    unit = float(np.abs(f.y).max()) or 1.0
    free = f.Z[:, d:]
    Z = np.hstack([f.Z[:, :d], np.zeros((n, 0)) if f.positive else -f.Z[:, :d], free])
    eye = sparse.eye_array(n)
    A = sparse.vstack(
        [sparse.hstack([Z, -eye, 0 * eye]), sparse.hstack([-Z, 0 * eye, -eye])]
    )
    b = np.concatenate([f.y + dead, dead - f.y]) / unit
    price = np.tile(f.l1 / f.scale, 1 if f.positive else 2)
    cost = np.concatenate([price, np.zeros(free.shape[1]), up * f.s, down * f.s])
    bounds = (
        [(0, None)] * len(price) + [(None, None)] * free.shape[1] + [(0, None)] * (2 * n)
    )
    options = {"time_limit": 20.0}
    found = linprog(cost, A_ub=A.tocsr(), b_ub=b, bounds=bounds, options=options)
    if found.x is None:
        return f.best
    v = found.x[: Z.shape[1]] * unit
    w = v[:d] if f.positive else v[:d] - v[d : 2 * d]
    return f.raw(np.append(w, v[len(price) :]))


@contextmanager
def at_most(seconds):
    """TimeoutError after so many seconds of the processor, where there is such a clock."""

    def end(*_):
        raise TimeoutError(f"more than {seconds} s")

    if not hasattr(signal, "SIGPROF"):
        yield
        return
    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
