"""Rows of a stream by products: the digits of a QR factorisation of all rows."""

import numpy as np
import pytest

from sgdreg import SGDLinearRegressor
from sgdreg._curvature.factor import Curvature
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg.losses import SQUARED_ERROR

N, D = 4000, 12


def rows(condition, seed=0, move=0.0):
    """X with singular values down to 1/condition, on raw scales, and exact targets."""
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((N, D)))[0] * np.sqrt(N)
    V = np.linalg.qr(np.random.default_rng(99).standard_normal((D, D)))[0]
    X = (U * np.geomspace(1.0, 1.0 / condition, D)) @ V
    X = X * np.logspace(-2, 2, D) + move * np.logspace(-2, 2, D)
    return X, X @ np.logspace(2, -2, D) + 3.0 + 1e-3 * rng.standard_normal(N)


def data_of(X, y, weights=None):
    return Data.build(X, y[:, None], weights, loss=SQUARED_ERROR, team=ALONE)


def lost(curvature, X, y):
    """What the least squares by a curvature lose of R², against a QR of the rows."""
    metric, (w,) = curvature.solve(0.0)
    Z = X - metric.centre
    e = y - w[-1] - Z @ w[:-1]
    A = np.column_stack([X / X.std(axis=0), np.ones(len(X))])
    best = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
    return (e @ e - best @ best) / ((y - y.mean()) @ (y - y.mean()))


@pytest.mark.parametrize("move", [0.0, 3.0], ids=["alike", "moved"])
@pytest.mark.parametrize("condition", [1e1, 1e3, 1e6, 1e9])
def test_as_exact_as_a_factorisation(condition, move):
    parts = [rows(condition, 0), rows(condition, 1, move), rows(condition, 2, move)]
    known = by_qr = None
    for X, y in parts:
        known = curvature_of(data_of(X, y), True, known)
        by_qr = by_qr or Curvature.empty(D, 1, True)
        by_qr = by_qr.add(X, y[:, None], np.ones(N))
    X, y = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert known.rows == by_qr.rows == 3 * N
    assert lost(known, X, y) <= 3 * abs(lost(by_qr, X, y)) + 1e-14


def test_rows_unlike_the_earlier_ones():
    # Later rows have directions of which the earlier ones have next to nothing.
    rng = np.random.default_rng(0)
    X, y = rows(1e2)
    X[:, 0] = X[:, 1] * (1.0 + 1e-9 * rng.standard_normal(N))
    other = rng.standard_normal((N, D))
    known = curvature_of(data_of(other, other @ np.ones(D)), True, curvature_of(
        data_of(X, y), True
    ))  # fmt: skip
    by_qr = Curvature.empty(D, 1, True)
    for A, b in ((X, y), (other, other @ np.ones(D))):
        by_qr = by_qr.add(A, b[:, None], np.ones(N))
    mine, theirs = (c.features.T @ c.features for c in (known, by_qr))
    np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9 * np.abs(theirs).max())


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_weights_and_constants_of_a_stream(fit_intercept):
    rng = np.random.default_rng(0)
    X, y = rows(1e4)
    X[:, 3] = 5.0
    weights = rng.exponential(size=N)
    model = SGDLinearRegressor(fit_intercept=fit_intercept)
    for start in range(0, N, 500):
        some = slice(start, start + 500)
        model.partial_fit(X[some], y[some], weights[some])
    whole = SGDLinearRegressor(fit_intercept=fit_intercept).fit(X, y, weights)
    assert abs(model.score(X, y, weights) - whole.score(X, y, weights)) < 1e-12
