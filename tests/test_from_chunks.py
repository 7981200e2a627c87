"""Fits to rows that are read chunk by chunk."""

import numpy as np
import pytest

from sgdreg import SGDLinearRegressor
from sgdreg._data.chunks import Chunks
from sgdreg._estimator.from_chunks import FromChunks, takes_all_rows

rng = np.random.default_rng(0)
X = rng.standard_normal((100, 3)) + 5
y = X @ [1.0, 2.0, 3.0] + rng.standard_normal(100)


def read():
    for start in range(0, 100, 30):
        yield X[start : start + 30], y[start : start + 30], None


def test_one_epoch_is_least_squares():
    training = FromChunks(SGDLinearRegressor(), Chunks(read))
    assert training.once
    converged, reason = training.fit()
    best = np.linalg.lstsq(np.column_stack([X, np.ones(100)]), y, rcond=None)[0]
    np.testing.assert_allclose(training.estimator.coef_, best[:3], rtol=1e-9)
    assert converged
    assert "the answer is the optimum of all rows" in reason
    assert training.epochs == len(training.history) == 1


@pytest.mark.parametrize("settings", [{}, {"optimizer": "adam"}, {"learning_rate": 1e-3}])
def test_once_is_what_the_plan_says(settings):
    training = FromChunks(SGDLinearRegressor(**settings, max_iter=1), Chunks(read))
    training.fit()
    assert training.once == training.estimator.plan_.plan.hands_free


def test_epochs_end_on_a_plateau_or_run_out():
    model = SGDLinearRegressor(learning_rate=1e-3, tol=0.5, n_iter_no_change=2)
    training = FromChunks(model, Chunks(read))
    converged, reason = training.fit()
    assert converged
    assert "tol=0.5 of itself for 2 epochs" in reason
    objectives = [entry["objective"] for entry in training.history]
    stale = [b >= 0.5 * min(objectives[: j + 1]) for j, b in enumerate(objectives[1:])]
    assert stale[-2:] == [True] * 2
    assert [True, True] not in [stale[j : j + 2] for j in range(len(stale) - 2)]
    model = SGDLinearRegressor(learning_rate=1e-3, tol=None, max_iter=3)
    assert FromChunks(model, Chunks(read)).fit() == (False, None)
    training = FromChunks(model, Chunks(read, again=False))
    training.fit()
    assert training.epochs == 1


def test_a_reading_is_closed_where_the_fit_fails():
    closed = []

    def failing():
        try:
            yield X, y, None
            yield X[:, :2], y, None
        finally:
            closed.append(True)

    with pytest.raises(ValueError, match="features"):
        FromChunks(SGDLinearRegressor(), Chunks(failing)).fit()
    assert closed


def test_rules_that_take_all_rows():
    found = [n for n in ("auto", "sgd", "adam", "svrg", "cg", "interior_point")
             if takes_all_rows(n)]  # fmt: skip
    assert found == ["svrg", "cg", "interior_point"]
