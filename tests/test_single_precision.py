"""Curvatures in single precision: what they start, steps in double precision finish."""

from types import SimpleNamespace

import numpy as np
import pytest
from extended import missing
from hypothesis import given, settings
from hypothesis import strategies as st

from sgdreg import SGDLinearRegressor
from sgdreg._data.dataset import Data
from sgdreg._plan import choose
from sgdreg._solvers import prepare

# Rounding errors of the objectives that are compared, as a share of half the variance.
ROUNDING = 1e-12
TOL = 1e-8
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def few_columns(monkeypatch):
    """Single precision from a few columns on, as from 500 on otherwise."""
    monkeypatch.setattr(choose, "single_pays", lambda *sizes: True)
    monkeypatch.setattr(choose, "SINGLE_FEATURES", 5)


@pytest.fixture
def beyond(monkeypatch):
    """No curvature in double precision, as beyond 2,000 features."""
    monkeypatch.setattr(choose, "FULL_CURVATURE_RANK", 4)


def drawn(n, d, seed, condition=1e2, k=1):
    """X of a known condition about offsets, in units of its own, and targets."""
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((n, d)))[0]
    V = np.linalg.qr(rng.standard_normal((d, d)))[0]
    X = U * np.geomspace(1, 1 / condition, d) @ V * np.sqrt(n)
    X = (X + rng.uniform(-2, 2, d)) * 10.0 ** rng.uniform(-3, 3, d)
    coef = rng.standard_normal((d, k)) / X.std(axis=0)[:, None]
    return X, X @ coef + rng.standard_normal((n, k)) + 7


def excess(model, X, y, alpha=0.0, weights=None, of=slice(None)):
    """What the objective is above its optimum, as a share of half the variance.

    Of some columns `of` those that the model was fitted to; it must leave out the others.
    """
    w = np.ones(len(y)) if weights is None else weights / weights.mean()
    w = w / len(y)
    middle, level = w @ X, w @ y
    scale = np.sqrt(w @ (X - middle) ** 2)
    scale[scale == 0] = 1.0
    Z, T = (X - middle) / scale, y - level
    A = np.vstack([np.sqrt(w)[:, None] * Z, np.diag(np.sqrt(alpha) / scale)])
    B = np.vstack([np.sqrt(w)[:, None] * T, np.zeros((X.shape[1], y.shape[1]))])
    best = np.linalg.lstsq(A, B, rcond=None)[0]
    lowest = 0.5 * ((A @ best - B) ** 2).sum(axis=0)
    coef = np.atleast_2d(model.coef_)[:, of]
    residuals = X @ coef.T + model.intercept_ - y
    ours = 0.5 * w @ residuals**2
    ours = ours + 0.5 * alpha * (coef**2).sum(axis=1)
    return float(np.max((ours - lowest) / (0.5 * w @ T**2)))


def assert_honest(model, missing):
    gap = model.history_[-1]["optimality_gap"]
    assert gap >= 0.3 * missing - ROUNDING
    assert not model.converged_ or missing <= TOL + ROUNDING


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([25, 40, 200, 1500]),
    condition=st.sampled_from([1.0, 1e2, 1e4, 1e7]),
    alpha=st.sampled_from([0.0, 1e-4, 1.0]),
    weighted=st.booleans(),
    k=st.sampled_from([1, 2]),
)
@pytest.mark.parametrize("known", ["double, too", "single only"])
def test_the_gap_is_honest(known, seed, rows, condition, alpha, weighted, k):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "SINGLE_FEATURES", 5)
        if known == "single only":
            patch.setattr(choose, "FULL_CURVATURE_RANK", 4)
        X, y = drawn(rows, 20, seed, condition, k)
        weights = np.random.default_rng(seed).exponential(size=rows) if weighted else None
        model = SGDLinearRegressor(penalty="l2" if alpha else None, alpha=alpha or 1e-4)
        model.fit(X, y, sample_weight=weights)
    found = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    outputs = zip(*found, y.T, strict=True)
    lost = max(
        missing(SimpleNamespace(coef_=coef, intercept_=middle), X, target, weights, alpha)
        for coef, middle, target in outputs
    )
    assert_honest(model, lost)
    if condition < 1e4:
        assert model.converged_


def test_the_plan_says_so_and_a_step_or_two_are_enough(few_columns):
    X, y = drawn(2000, 30, 0)
    model = SGDLinearRegressor().fit(X, y)
    assert model.plan_.slots["metric"].endswith("from all rows, in single precision")
    assert model.converged_
    assert model.n_iter_ <= 2
    assert model._continuation[0].metric.root is None  # nothing goes on with it


def test_directions_that_single_precision_does_not_know_are_left_to_double(few_columns):
    X, y = drawn(500, 10, 1)
    X[:, -1] = X[:, 0] * (1 + 1e-6 * np.random.default_rng(2).standard_normal(500))
    model = SGDLinearRegressor().fit(X, y)
    assert "single" not in model.plan_.slots["metric"]
    assert model.converged_
    assert_honest(model, excess(model, X, y))


@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-6])
def test_near_copies_beyond_double_precision(few_columns, beyond, size):
    X, y = drawn(2000, 30, 3)
    rng = np.random.default_rng(4)
    X[:, -3:] = X[:, :3] + size * X[:, :3].std(axis=0) * rng.standard_normal((2000, 3))
    model = SGDLinearRegressor().fit(X, y)
    assert_honest(model, excess(model, X, y))


def test_float32_rows_constants_and_rare_columns(few_columns, beyond):
    X, y = drawn(3000, 20, 5)
    X[:, 0], X[:, 1] = 3.0, 0.0
    X[7, 1] = 1.0
    X = X.astype(np.float32)
    exact = SGDLinearRegressor().fit(X.astype(float), y)
    model = SGDLinearRegressor().fit(X, y)
    assert model.converged_
    assert exact.converged_
    assert model.coef_.ravel()[0] == exact.coef_.ravel()[0] == 0.0
    assert_honest(exact, excess(exact, X[:, 1:].astype(float), y, of=slice(1, None)))
    np.testing.assert_allclose(model.predict(X), exact.predict(X), rtol=1e-3, atol=1e-3)


def test_a_sample_where_rows_are_many(few_columns, beyond, monkeypatch):
    X, y = drawn(20_000, 30, 6)
    monkeypatch.setattr(prepare, "single_size", lambda *sizes: 2000)
    model = SGDLinearRegressor(random_state=0).fit(X, y)
    assert "from 2000 rows, in single precision" in model.plan_.slots["metric"]
    assert model.converged_
    assert_honest(model, excess(model, X, y))


def test_any_number_of_threads_gives_the_same_bits(few_columns, beyond):
    X, y = drawn(60_000, 30, 7)
    one, two = (
        SGDLinearRegressor(n_jobs=jobs, random_state=0).fit(X, y) for jobs in (1, 2)
    )
    assert "single" in one.plan_.slots["metric"]
    np.testing.assert_array_equal(one.coef_, two.coef_)


def test_all_rows_where_a_sample_hardly_knows_a_column(few_columns, beyond, monkeypatch):
    """Its near copy would count as another column, and the gap as far smaller."""
    X, y = drawn(20_000, 30, 9)
    X[:, 1] = X[:, 0] * (1 + 1e-3 * np.random.default_rng(10).standard_normal(20_000))
    X[-1, :2] *= 1e4
    monkeypatch.setattr(prepare, "single_size", lambda *sizes: 2000)
    monkeypatch.setattr(Data, "random_rows", lambda data, rng, n: data.only(np.arange(n)))
    model = SGDLinearRegressor().fit(X, y)
    assert model.plan_.slots["metric"].endswith("from all rows, in single precision")
    assert_honest(model, excess(model, X, y))
