"""What a call of `partial_fit` costs, and what it keeps: neither grows with the stream."""

import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import linalg, sparse
from sklearn.exceptions import NotFittedError

from sgdreg import SGDLinearRegressor
from sgdreg._curvature.triangles import is_triangle, triangle_of
from sgdreg._training import loop

SETTINGS = [{}, {"learning_rate": 0.01}, {"loss": "huber"}, {"batch_size": 5}]


def rows(count, d=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((count, d))
    return X, X.sum(axis=1) + rng.standard_normal(count)


def calls_made(function, *given):
    """How many functions, Python's and C's, are called."""
    count = 0

    def note(frame, event, what):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function(*given)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("settings", SETTINGS[:2], ids=str)
def test_a_late_call_costs_what_an_early_one_does(monkeypatch, settings):
    """In calls of functions, which a busy machine does not change."""
    monkeypatch.setattr(loop, "STREAM_HISTORY", 20)
    X, y = rows(300)
    model, counts, sizes = SGDLinearRegressor(random_state=0, **settings), [], []
    for i in range(len(y)):
        counts.append(calls_made(model.partial_fit, X[i : i + 1], y[i : i + 1]))
        sizes.append(len(pickle.dumps(model)))
    early, late = np.median(counts[25:50]), np.median(counts[-25:])
    assert late <= 1.02 * early
    assert max(sizes[-25:]) <= max(sizes[25:50]) + 200


@pytest.mark.parametrize(
    ("settings", "calls"),
    [
        ({}, 525),
        ({"learning_rate": 0.01}, 590),
        ({"penalty": "l1", "alpha": 0.01}, 565),
        ({"positive": True}, 565),
    ],
    ids=str,
)
def test_a_call_of_one_row_is_short(monkeypatch, settings, calls):
    """In calls of functions, of a full record: 446, 512, 483 and 482 once."""
    monkeypatch.setattr(loop, "STREAM_HISTORY", 100)
    X, y = rows(130, d=10)
    model = SGDLinearRegressor(random_state=0, **settings)
    for i in range(120):
        model.partial_fit(X[i : i + 1], y[i : i + 1])
    assert calls_made(model.partial_fit, X[-1:], y[-1:]) <= calls


BOUNDED = [
    {"penalty": "l1", "alpha": 0.1},
    {"positive": True},
    {"penalty": "elasticnet", "alpha": 0.2, "l1_ratio": 0.5, "positive": True},
]


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("alike", [0.0, 3.0], ids=["independent", "alike"])
@pytest.mark.parametrize("settings", BOUNDED, ids=str)
def test_single_rows_within_bounds_meet_the_conditions_of_the_optimum(
    settings, alike, outputs
):
    """Also where columns are so alike that guesses of the signs may fail."""
    rng, d = np.random.default_rng(1), 5
    X = rng.standard_normal((60, d)) + alike * rng.standard_normal((60, 1))
    X = X * [1.0, 10.0, 0.1, 1.0, 1.0] + [0.0, 5.0, 0.0, -3.0, 0.0]
    Y = X @ [[0.5, -1.0], [0.0, 0.1], [2.0, 0.0], [0.0, 0.0], [-1.0, 1.0]]
    Y = (Y + rng.standard_normal(Y.shape))[:, :outputs]
    Y = Y[:, 0] if outputs == 1 else Y
    model = SGDLinearRegressor(**settings)
    alpha, share = settings.get("alpha", 0.0), settings.get("l1_ratio", 1.0)
    for i in range(60):
        model.partial_fit(X[i : i + 1], Y[i : i + 1])
        W, A = np.atleast_2d(model.coef_), X[: i + 1]
        if i < 2 * d:
            continue
        tight = 1e-6 * A.std(axis=0) * Y[: i + 1].std()
        targets, intercepts = np.atleast_2d(Y[: i + 1].T), np.ravel(model.intercept_)
        for w, y, b in zip(W, targets, intercepts, strict=True):
            e = A @ w + b - y
            slope = (A.T @ e) / len(y) + alpha * (1.0 - share) * w
            assert abs(e.mean()) < 1e-9
            assert "positive" not in settings or w.min() >= 0
            up = slope + alpha * share  # along a growing coefficient
            down = np.full(d, np.inf) if "positive" in settings else alpha * share - slope
            assert (up >= -tight)[w >= 0].all()
            assert (down >= -tight)[w <= 0].all()
            assert (abs(slope + alpha * share * np.sign(w)) <= tight)[w != 0].all()


@pytest.mark.parametrize("shape", [(30, 11), (11, 11), (4, 11), (0, 11)], ids=str)
def test_a_triangle_by_lapack_is_scipys(shape):
    A = np.random.default_rng(0).standard_normal(shape)
    R = triangle_of(A)
    assert is_triangle(R)
    if len(A):
        assert_array_equal(R, linalg.qr(A, mode="r")[0][: shape[1]])


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_streams_record_is_of_its_latest_calls(monkeypatch, settings):
    assert loop.STREAM_HISTORY == 1000  # as the documentation says
    monkeypatch.setattr(loop, "STREAM_HISTORY", 5)
    X, y = rows(60)
    model = SGDLinearRegressor(random_state=0, **settings)
    for i in range(12):
        model.partial_fit(X[5 * i : 5 * i + 5], y[5 * i : 5 * i + 5])
    assert [entry["epoch"] for entry in model.history_] == [8, 9, 10, 11, 12]
    assert model.n_iter_ == 12
    assert model.loss_curve_ == [entry["objective"] for entry in model.history_]
    again = pickle.loads(pickle.dumps(model))
    for one in (model, again):
        one.partial_fit(X[:5], y[:5])
    assert_array_equal(again.coef_, model.coef_)
    assert [entry["epoch"] for entry in again.history_] == [9, 10, 11, 12, 13]


def test_a_fit_records_all_its_epochs(monkeypatch):
    monkeypatch.setattr(loop, "STREAM_HISTORY", 5)
    model = SGDLinearRegressor(learning_rate=0.01, max_iter=9, tol=None, warm_start=True)
    X, y = rows(60)
    assert len(model.fit(X, y).history_) == 9
    assert [entry["epoch"] for entry in model.fit(X, y).history_] == list(range(1, 19))
    model.partial_fit(X, y)
    assert [entry["epoch"] for entry in model.history_] == [15, 16, 17, 18, 19]


@pytest.mark.parametrize("csr", [False, True])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_rows_of_no_weight_change_nothing(settings, outputs, csr):
    X, y = rows(40)
    A = sparse.csr_array(X) if csr else X
    Y = y if outputs == 1 else np.c_[y, -y]
    none = np.zeros(20)
    one, other = (SGDLinearRegressor(random_state=0, **settings) for _ in range(2))
    assert one.partial_fit(A[:20], Y[:20], none) is one
    assert "n_features_in_" not in vars(one)
    with pytest.raises(NotFittedError):
        one.predict(X)
    for model in (one, other):
        model.partial_fit(A[:20], Y[:20])
    before = {name: pickle.dumps(value) for name, value in vars(one).items()}
    one.partial_fit(A[20:], Y[20:], none)
    assert before == {name: pickle.dumps(value) for name, value in vars(one).items()}
    for model in (one, other):
        model.partial_fit(A[20:], Y[20:])
    assert_array_equal(one.coef_, other.coef_)


def test_rows_of_no_weight_are_checked_all_the_same():
    X, y = rows(20)
    model = SGDLinearRegressor().partial_fit(X, y)
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :3], y, np.zeros(20))
    with pytest.raises(ValueError, match="NaN, first at row 2"):
        model.partial_fit(np.where(np.arange(20)[:, None] == 2, np.nan, X), y, np.zeros(20))
    for none in (np.zeros(20), 0):
        with pytest.raises(ValueError, match="All of sample_weight is zero"):
            model.fit(X, y, none)
