"""Models of float32 data: as good as float32 can hold, and certified as returned."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression

from sgdreg import SGDLinearRegressor


def dependent(seed):
    """Columns that depend on each other but for the rounding of float32."""
    r = np.random.default_rng(seed)
    a, mix = r.random(30), r.dirichlet(np.ones(5), 60)
    exponents = np.exp(r.normal(size=(400, 30)))
    embedding, prices = r.normal(size=(200, 16)), r.lognormal(3, 1, (80, 4))
    celsius, years = r.normal(15, 8, 50), np.linspace(1950, 2020, 71)
    level, z = r.integers(0, 6, 120), r.normal(size=(60, 3))
    near = z * (1 + 6e-8 * r.normal(size=z.shape))
    return {
        "a and 1 - a": np.c_[a, 1 - a],
        "shares": mix,
        "per cent": 100 * mix,
        "softmax": exponents / exponents.sum(axis=1, keepdims=True),
        "centred rows": embedding - embedding.mean(axis=1, keepdims=True),
        "Celsius and Fahrenheit": np.c_[celsius, 1.8 * celsius + 32],
        "Kelvin and Fahrenheit": np.c_[celsius + 273.15, 1.8 * celsius + 32],
        "totals": np.c_[prices, prices.sum(axis=1)],
        "powers of years": np.c_[years, years**2, years**3, years**4],
        "one-hot": 0.1 * np.eye(6)[level] + 0.3,
        "near copies": np.c_[z, near],
        "rows again": np.r_[near, z],
    }


KINDS = tuple(dependent(0))


def made(kind, seed, outputs=0):
    X = dependent(seed)[kind]
    r = np.random.default_rng(seed + 100)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    noise = 2 * r.normal(size=(len(X), outputs or 1))
    y = Z @ r.normal(size=(X.shape[1], outputs or 1)) + noise
    return X.astype("f"), (y if outputs else y[:, 0]).astype("f")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("form", ["dense", "CSR", "weights", "outputs", "stream", "rows"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_worse_than_linear_regression(kind, form):
    for seed in range(1 if form == "rows" else 2):
        X, y = made(kind, seed, 2 * (form == "outputs"))
        X, y = (X[:60], y[:60]) if form == "rows" else (X, y)
        weights, model = None, SGDLinearRegressor()
        if form == "weights":
            weights = np.random.default_rng(seed).integers(1, 4, len(X)).astype(float)
        other = LinearRegression().fit(X, y, weights).score(X, y, weights)
        A = sparse.csr_array(X) if form == "CSR" else X
        if form in ("stream", "rows"):
            size = 1 if form == "rows" else 10
            for start in range(0, len(X), size):
                model.partial_fit(X[start : start + size], y[start : start + size])
        else:
            model.fit(A, y, weights)
        assert model.coef_.dtype == np.float32
        assert model.score(A, y, weights) >= other - 1e-3


def test_the_column_and_the_rest_of_one():
    """The straight line of the first column, in float64."""
    r = np.random.default_rng(0)
    a = r.random(30)
    y = (a + r.normal(size=30)).astype("f")
    X = np.c_[a, 1 - a].astype("f")
    model = SGDLinearRegressor().fit(X, y)
    expected = np.corrcoef(X[:, 0].astype(float), y.astype(float))[0, 1] ** 2
    assert_allclose(model.score(X, y), expected, atol=1e-6)
    assert model.converged_
    assert np.abs(model.coef_).max() < 10  # no noise of 6e-8 is told from another


def excess(model, X, y):
    """Objective of the model that is returned less that of float64's least squares."""
    A = X.astype(float) - X.astype(float).mean(axis=0)
    A = np.c_[A / np.linalg.norm(A, axis=0), np.full(len(A), len(A) ** -0.5)]
    best = A @ np.linalg.lstsq(A, y.astype(float), rcond=1e-15)[0]
    p = X.astype(float) @ model.coef_.astype(float) + float(model.intercept_)
    squares = [np.mean((q - y) ** 2) for q in (p, best)]
    return (squares[0] - squares[1]) / np.var(y, dtype=float)


@pytest.mark.parametrize("offset", [0, 1e2, 1e4, 1e5, 1e6])
def test_the_gap_is_that_of_the_model_returned(offset):
    """Rounding the intercept alone costs up to (6e-8 offset)² of the variance."""
    for seed in range(5):
        r = np.random.default_rng(seed)
        X = (r.normal(size=(60, 3)) + offset).astype("f")
        y = (X - X.mean(axis=0, dtype=float)) @ [1, 2, 3] + r.normal(size=60)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = SGDLinearRegressor().fit(X, y)
        lost, gap = excess(model, X, y), model.history_[-1]["optimality_gap"]
        assert gap >= 0.3 * lost - 1e-12
        assert lost <= 1e-6
        assert model.converged_ == (gap <= 1e-8)
        if offset <= 1e4:
            assert model.converged_


def test_what_float32_cannot_hold_is_said():
    """A difference of 1e-4 of two columns near 1e5 needs an intercept of 1e9."""
    r = np.random.default_rng(1)
    a, b = r.normal(size=(2, 200))
    X = np.c_[1e5 + a, 1e5 + a + 0.02 * np.round(b)].astype("f")
    y = 1e3 * (X[:, 0].astype(float) - X[:, 1])
    y = y / y.std() + 1e-3 * r.normal(size=200)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = SGDLinearRegressor().fit(X, y)
    lost, gap = excess(model, X, y), model.history_[-1]["optimality_gap"]
    assert gap >= 0.3 * lost
    assert model.converged_ == (gap <= 1e-8)
    assert "limit of float32" in model.stop_reason_ or model.converged_
    assert bool(caught) == (gap > 1e-4)


def quantile_loss(X, y, quantile):
    """The least mean loss, by linear programming in orthonormal columns (HiGHS)."""
    n = len(y)
    A = X.astype(float) - X.astype(float).mean(axis=0)
    U, s, _ = np.linalg.svd(A / A.std(axis=0), full_matrices=False)
    A = np.c_[np.ones(n), U[:, s > 1e-6 * s[0]]]
    slack = sparse.hstack([sparse.csr_array(A), sparse.eye(n), -sparse.eye(n)])
    costs = np.r_[np.zeros(A.shape[1]), np.full(n, quantile), np.full(n, 1 - quantile)]
    bounds = [(None, None)] * A.shape[1] + [(0, None)] * (2 * n)
    return linprog(costs / n, A_eq=slack, b_eq=y.astype(float), bounds=bounds).fun


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("quantile", [0.5, 0.9])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in ("softmax", "powers of years")]
)
def test_quantiles(kind, form, quantile):
    X, y = made(kind, 1)
    model = SGDLinearRegressor(loss="quantile", quantile=quantile).fit(form(X), y)
    r = y - model.predict(form(X)).astype(float)
    loss = np.mean(np.maximum(quantile * r, (quantile - 1) * r))
    best = quantile_loss(X, y, quantile)
    assert loss <= best * (1 + 1e-3)


@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_predictions_are_summed_in_float64(form):
    """Products of 1e6 are off by 0.06 in float32; their difference is not."""
    r = np.random.default_rng(0)
    X = (1e6 + r.normal(size=(500, 2))).astype("f")
    model = SGDLinearRegressor(loss="huber").fit(X, X[:, 0].astype(float) - X[:, 1])
    for coef, intercept in (([1, -1], 0.0), ([[1, -1], [2, -2]], np.array([1.0, 0.0]))):
        model.coef_ = np.array(coef, dtype="f")
        model.intercept_ = np.asarray(intercept, dtype="f")
        p = model.predict(form(X))
        exact = X.astype(float) @ model.coef_.T.astype(float) + model.intercept_
        assert p.dtype == np.float32
        assert_allclose(p, exact, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("loss", ["epsilon_insensitive", "absolute_error"])
def test_a_constant_that_is_the_optimum_is_found_in_float32(loss):
    """Its loss is zero or rounding errors: a gap of 4e6 of it was reported."""
    X = np.array([[1.80474716], [6.68322288], [6.45942875]], dtype=np.float32)
    y = np.array([1.71025392, 3.22865476, 3.47645074])
    y = y if loss == "epsilon_insensitive" else np.full(3, 3.3)
    model = SGDLinearRegressor(loss=loss, epsilon=1.0, penalty="l1", alpha=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="epsilon=1.0 has no effect")
        model.fit(X, y)
    assert model.converged_ or loss == "absolute_error"  # float32 has no 3.3
    off = np.abs(model.predict(X) - y)
    assert (off <= 1.0 + 1e-6).all()
