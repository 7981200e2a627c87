"""CSR of many columns: kinks and Huber's loss reach their optimum as dense rows do."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import linprog

from sgdreg import SGDLinearRegressor
from sgdreg._curvature.products import curvature_by_products
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg.losses import SQUARED_ERROR

SQUARES = {"loss": SQUARED_ERROR, "team": ALONE}


def one_hot(rng, n, k):
    return sparse.csr_array((np.ones(n), (np.arange(n), rng.integers(0, k, n))), (n, k))


def groups(n=1200, k=180, seed=0):
    """Groups (one of them empty), a raw column far from zero, heavy tails."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(50.0, 3.0, (n, 1))
    X = sparse.hstack([one_hot(rng, n, k), sparse.csr_array((n, 1)), raw]).tocsr()
    X = sparse.csr_array(X)
    y = X @ np.append(3 * rng.standard_normal(k + 1), 1.0) + rng.standard_t(3, n)
    return X, y


def pinball_by_simplex(X, y, quantile, weights=None, l1=0.0):
    """The least mean loss, and l1 penalty, by HiGHS: X (w - v) + b + r - t = y."""
    n, d = X.shape
    s = np.ones(n) if weights is None else weights
    s = s / s.sum()
    A = sparse.hstack([X, -X, np.ones((n, 1)), sparse.eye(n), -sparse.eye(n)]).tocsc()
    pulls = np.append(np.full(2 * d, l1), 0.0)
    cost = np.concatenate([pulls, quantile * s, (1 - quantile) * s])
    bounds = [(0, None)] * (2 * d) + [(None, None)] + [(0, None)] * (2 * n)
    return linprog(cost, A_eq=A, b_eq=y, bounds=bounds, method="highs").fun


def pinball(model, X, y, quantile, weights=None):
    r = y - model.predict(X)
    return np.average(np.maximum(quantile * r, (quantile - 1) * r), weights=weights)


@pytest.mark.parametrize("quantile", [0.5, 0.9])
@pytest.mark.parametrize("weighted", [False, True])
def test_quantiles_of_groups_are_those_of_the_simplex_method(quantile, weighted):
    X, y = groups()
    weights = np.random.default_rng(1).integers(0, 4, len(y)) * 1.0 if weighted else None
    model = SGDLinearRegressor(loss="quantile", quantile=quantile)
    model.fit(X, y, weights)
    assert model.converged_
    least = pinball_by_simplex(X, y, quantile, weights)
    assert_allclose(pinball(model, X, y, quantile, weights), least, rtol=1e-6)


def test_a_median_with_l1_is_that_of_the_simplex_method():
    X, y = groups(800, 160)
    model = SGDLinearRegressor(loss="absolute_error", penalty="l1", alpha=2e-3).fit(X, y)
    assert model.converged_
    least = 2 * pinball_by_simplex(X, y, 0.5, l1=1e-3)
    l1 = 2e-3 * np.abs(model.coef_).sum()
    assert_allclose(2 * pinball(model, X, y, 0.5) + l1, least, rtol=1e-6)


def huber(r):
    return np.clip(r, -1.0, 1.0)


def squared_beyond(r):
    return 2 * (r - np.clip(r, -1.0, 1.0))


@pytest.mark.parametrize(
    ("slope", "parameters"),
    [
        (huber, {"loss": "huber", "penalty": "elasticnet", "l1_ratio": 0.5}),
        (huber, {"loss": "huber", "positive": True}),
        (squared_beyond, {"loss": "squared_epsilon_insensitive", "penalty": "l1"}),
    ],
)
def test_smooth_losses_fulfil_the_conditions_of_the_optimum(slope, parameters):
    X, y = groups(800, 160)
    if "penalty" in parameters:
        parameters = parameters | {"alpha": 1e-3}
    model = SGDLinearRegressor(**parameters, epsilon=1.0, tol=1e-12).fit(X, y)
    assert model.converged_
    w, slopes = model.coef_, slope(model.predict(X) - y) / len(y)
    assert abs(slopes.sum()) < 1e-7
    share = {"l1": 1.0, "elasticnet": 0.5}.get(model.penalty, 0.0)
    l1, l2 = 1e-3 * share, 1e-3 * (1 - share) * (model.penalty is not None)
    gradient = X.T @ slopes + l2 * w
    if model.positive:
        assert w.min() >= 0
        assert gradient.min() > -1e-6
        assert np.abs(gradient[w > 0]).max() < 1e-6
    else:
        at_zero = w == 0
        assert np.abs(gradient + l1 * np.sign(w))[~at_zero].max() < 1e-6
        assert (np.abs(gradient[at_zero]) < l1 + 1e-6).all()
        assert 0 < at_zero.sum() < len(w)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_several_outputs_and_both_precisions_as_dense(dtype):
    X, y = groups(700, 150)
    X, Y = X.astype(dtype), np.column_stack([y, -2 * y**2])
    model = SGDLinearRegressor(loss="absolute_error")
    there = model.fit(X.toarray(), Y).predict(X)
    here = model.fit(X, Y).predict(X)
    assert model.converged_
    error, other = (np.abs(Y - p).mean(axis=0) for p in (here, there))
    assert_allclose(error, other, rtol=1e-4 if dtype == np.float32 else 1e-7)


def test_a_column_with_doubled_entries():
    X, y = groups(700, 150)
    twice = X.copy()
    twice.data, twice.indices = np.repeat(X.data / 2, 2), np.repeat(X.indices, 2)
    twice.indptr = 2 * X.indptr
    model = SGDLinearRegressor(loss="absolute_error")
    p = model.fit(X, y).predict(X)
    q = model.fit(twice, y).predict(X)
    assert_allclose(np.abs(y - q).mean(), np.abs(y - p).mean(), rtol=1e-7)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("weights", ["none", "some zero", "eight decades"])
def test_products_by_non_zeros_are_those_of_all_numbers(centred, weights):
    rng = np.random.default_rng(0)
    n = 3000
    far = rng.normal([1e4, 5.0], 1.0, (n, 2))
    parts = [one_hot(rng, n, 90), far, np.ones((n, 1)), sparse.csr_array((n, 2))]
    X = sparse.csr_array(sparse.hstack(parts).tocsr())
    y = X @ rng.standard_normal(X.shape[1]) + rng.standard_normal(n)
    s = {
        "none": None,
        "some zero": np.append(np.zeros(40), rng.random(n - 40)),
        "eight decades": 10.0 ** rng.uniform(-8, 0, n),
    }[weights]
    known = curvature_by_products(Data.build(X, y[:, None], s, **SQUARES), centred)
    w = np.ones(n) if s is None else s / s[s > 0].mean()
    A = np.column_stack([X.toarray(), y]).astype(np.longdouble)
    mean = w @ A / w.sum() if centred else np.zeros(A.shape[1])
    products = ((A - mean) * w[:, None]).T @ (A - mean)
    size = np.sqrt(np.diagonal(products)).astype(float)
    size[size < 1e-12 * size.max()] = 1.0  # constants
    found = known.triangle.T @ known.triangle[:, :-1]
    wrong = (found - products[:, :-1]) / size[:, None] / size[:-1]
    # Without an intercept the far column and the ones are nearly copies.
    assert np.abs(wrong).max() < (1e-10 if centred else 1e-8)
    assert_allclose(known.centre, mean.astype(float), rtol=1e-12, atol=1e-12)


def test_which_sparse_columns_vary():
    X = sparse.csr_array(np.array([[0.0, 1.0, 0.0, 2.0], [0.0, 1.0, 3.0, 2.0]]))
    data = Data.build(X, np.zeros((2, 1)), **SQUARES)
    assert [data.rows.vary(np.array([j])) for j in range(4)] == [False, False, True, False]
    first = data.only(np.array([0]))
    assert not first.rows.vary(np.arange(4))


@pytest.mark.parametrize(
    ("n", "d", "most"),
    [
        (30_000, 400, 5e7),
        # 2.4 GB, if it were dense
        pytest.param(300_000, 1000, 2e8, marks=pytest.mark.heavy),
    ],
)
def test_many_rows_are_never_all_dense(n, d, most):
    rng = np.random.default_rng(0)
    X = sparse.csr_array(sparse.hstack([one_hot(rng, n, d - 100), one_hot(rng, n, 100)]))
    y = X @ rng.standard_normal(d) + rng.standard_t(3, n)
    tracemalloc.start()
    model = SGDLinearRegressor(loss="quantile", quantile=0.9, max_iter=3, tol=None)
    model.fit(X.tocsr(), y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most
