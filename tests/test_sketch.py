"""The curvature of a sample: the right answer, a gap to be believed, on hard rows too."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.callback import ScoringMonitor

from sgdreg import SGDLinearRegressor
from sgdreg._curvature import costs

N, D = 80_000, 60  # enough work for "auto" to sample


@pytest.fixture(autouse=True)
def samples_pay(monkeypatch):
    """On rows of this number too, where the products of all are as quick."""
    monkeypatch.setattr(costs, "COMPILED_COST_A_FEATURE", 1 / 20)


def rows(kind, seed=0):
    """X and y of a family that is hard for samples, or easy."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, D))
    w = rng.standard_normal(D)
    if kind == "student":
        X = rng.standard_t(3, (N, D))
    elif kind == "lognormal":
        X = np.exp(2 * X)
    elif kind == "outliers":
        X[rng.choice(N, 100, replace=False)] *= 1e4
    elif kind == "sorted":
        X = np.sort(X, axis=0) + 0.1 * rng.standard_normal((N, D))
    elif kind == "ill":
        Q = np.linalg.qr(rng.standard_normal((D, D)))[0]
        X = (X * np.logspace(0, -6, D)) @ Q.T
        X = X / X.std(axis=0) * np.logspace(-3, 3, D) + np.logspace(3, -3, D)
    elif kind == "offset":
        X += 1e6
    elif kind == "rare column":
        X[:, 3] = rng.random(N) < 5e-5
    elif kind == "rarely different columns":
        X[:, 3] = X[:, 4]
        X[7, 3] += 1.0
        w[3], w[4] = 50.0, -50.0
    elif kind == "duplicate column":
        X[:, 3] = X[:, 4]
    elif kind == "constant column":
        X[:, 3] = 7.0
        w[3] = 0.0
    return X, X @ (w / np.maximum(X.std(axis=0), 1e-9)) + 3 + rng.standard_normal(N)


def excess(model, X, y):
    """What R² loses against least squares, by an accurate solver."""
    scale = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(
        scale > 1e-9 * np.abs(X.mean(axis=0)), scale, np.inf
    )
    # Lengths and angles of columns are those of their triangle.
    R = np.linalg.qr(np.column_stack([Z, np.ones(len(Z)), y - y.mean()]), mode="r")
    Q, s, _ = np.linalg.svd(R[:, :-1], full_matrices=False)
    Q = Q[:, s > 1e-12 * s[0]]
    exact = R[:, -1] - Q @ (Q.T @ R[:, -1])
    error = y - model.predict(X)
    return (error @ error - exact @ exact) / np.sum((y - y.mean()) ** 2)


EASY = [
    "normal",
    "student",
    "sorted",
    "ill",
    "offset",
    "duplicate column",
    "constant column",
]
HARD = ["lognormal", "outliers", "rare column", "rarely different columns"]


@pytest.mark.parametrize("kind", EASY + HARD)
def test_least_squares_and_an_honest_gap(kind):
    X, y = rows(kind)
    model = SGDLinearRegressor(random_state=0).fit(X, y)
    assert model.converged_
    lost, gap = excess(model, X, y), model.history_[-1]["optimality_gap"]
    assert lost <= 1e-8
    assert gap >= 0.3 * lost - 1e-13
    assert model.n_iter_ <= 20
    if kind in EASY:
        assert model.plan_.sampled
        assert "rows" in repr(model.plan_)
    else:
        assert model.plan_.rows > 3840  # the first sample did not do


def test_weights_penalty_outputs_and_no_intercept(monkeypatch):
    monkeypatch.setattr(costs, "COMPILED_COST_A_FEATURE", 1.0)  # to this tol, all pay else
    X, y = rows("normal")
    weights = np.random.default_rng(1).integers(0, 4, N).astype(float)
    targets = np.column_stack([y, y[::-1]])
    model = SGDLinearRegressor(
        penalty="l2", alpha=0.1, fit_intercept=False, random_state=0, tol=1e-13
    ).fit(X, targets, weights)
    assert model.plan_.sampled
    H = (X.T * weights) @ X / weights.sum() + 0.1 * np.eye(D)
    c = (X.T * weights) @ targets / weights.sum()
    assert_allclose(model.coef_, np.linalg.solve(H, c).T, rtol=1e-5, atol=1e-7)


def test_float32_and_the_same_seed_the_same_bits():
    X, y = rows("normal")
    a, b = (SGDLinearRegressor(random_state=3).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(a.coef_, b.coef_)
    single = SGDLinearRegressor(random_state=3).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == np.float32
    assert_allclose(single.coef_, a.coef_, atol=1e-4)


def test_a_stream_continues_a_sampled_fit():
    X, y = rows("normal")
    half = N // 2
    model = SGDLinearRegressor(random_state=0).fit(X[:half], y[:half])
    model.partial_fit(X[half:], y[half:])
    whole = SGDLinearRegressor(random_state=0).fit(X, y)
    assert_allclose(model.predict(X), whole.predict(X), atol=0.02)


def test_not_a_number_outside_of_the_sample_is_found():
    X, y = rows("normal")
    X[-3, 5] = np.nan
    with pytest.raises(ValueError, match=f"X contains NaN, first at row {N - 3}, column 5"):
        SGDLinearRegressor(random_state=0).fit(X, y)


def test_callbacks_see_the_growing_sample_too():
    X, y = rows("outliers")
    monitor = ScoringMonitor(scoring="r2")
    model = SGDLinearRegressor(random_state=0).set_callbacks(monitor).fit(X, y)
    scores = monitor.get_logs().data_as_pandas
    scores = scores[scores["task_name"] == "epoch"]["r2"]
    assert len(scores) == model.n_iter_
    assert_allclose(scores.iloc[-1], model.score(X, y), rtol=1e-12)
    assert np.all(np.diff(scores) >= -1e-12)  # never worse


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_sample_where_nothing_could_make_it_grow():
    """Averages and held-out rows choose the model otherwise: the curvature is exact."""
    X, y = rows("outliers")
    validated = SGDLinearRegressor(random_state=0, max_iter=8)
    validated.fit(X, y, X_val=X[:5000], y_val=y[:5000])
    averaged = SGDLinearRegressor(random_state=0, max_iter=8, average=True).fit(X, y)
    for model in (validated, averaged):
        assert not model.plan_.sampled
        assert excess(model, X, y) <= 1e-8
