"""`warm_start` from a model of other rows: "auto" begins anew where it is no help."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from sgdreg import SGDLinearRegressor, optimizers

# Of the fits before, and of steps that are few.
pytestmark = pytest.mark.filterwarnings("ignore")
N, D = 120, 4


def rows(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, D))
    return X, X @ np.arange(1.0, D + 1) + rng.standard_t(3, N)


def least_squares(X, y):
    Z = np.column_stack([X, np.ones(len(X))])
    return np.mean((y - Z @ np.linalg.lstsq(Z, y, rcond=None)[0]) ** 2)


def least_absolute(X, y):
    Z = np.column_stack([X, np.ones(len(X))])
    found = linprog(-y, A_eq=Z.T, b_eq=np.zeros(D + 1), bounds=(-1, 1), method="highs")
    return -found.fun / len(y)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"tol": 1.0},
        {"batch_size": 16, "tol": 1e-5},
        {"average": True, "tol": 1e-5},
        {"positive": True},
        {"positive": True, "average": True},
        {"penalty": "l1", "alpha": 1e-8, "batch_size": 16, "tol": 1e-5},
        {"loss": "huber", "epsilon": 1e3, "batch_size": 16, "tol": 1e-6},
        {"loss": "squared_epsilon_insensitive", "epsilon": 0.0},
        {"optimizer": "cg"},
        {"optimizer": optimizers.ConjugateGradient(metric="sketch")},
        {"optimizer": "interior_point"},
    ],
    ids=str,
)
@pytest.mark.parametrize("power", [-200, -80, -2])
def test_least_squares_from_weights_of_another_scale(parameters, power):
    X, y = rows()
    model = SGDLinearRegressor(warm_start=True, random_state=0, **parameters)
    model.fit(X * np.logspace(0, power, D), y)
    for A in (X, sparse.csr_array(X)):
        model.fit(A, y)
        error = np.mean((y - model.predict(A)) ** 2)
        best = least_squares(X, y)
        assert error < (1.02 if parameters.get("tol") != 1.0 else 2.0) * best


@pytest.mark.parametrize("power", [-80, -2, 80])
def test_kinks_from_weights_of_another_scale(power):
    X, y = rows()
    for parameters in ({}, {"batch_size": 8}):
        model = SGDLinearRegressor(loss="absolute_error", warm_start=True, random_state=0)
        model.set_params(**parameters).fit(X * np.logspace(0, power, D), y)
        model.fit(X, y)
        assert np.abs(y - model.predict(X)).mean() < 1.01 * least_absolute(X, y)


def test_each_output_begins_anew_for_itself():
    X, y = rows()
    Y = np.column_stack([y, 1e-3 * y[::-1]])
    model = SGDLinearRegressor(warm_start=True).fit(X * np.logspace(0, -80, D), Y)
    error = np.mean((Y - model.fit(X, Y).predict(X)) ** 2, axis=0)
    assert error[0] < (1 + 1e-7) * least_squares(X, Y[:, 0])
    assert error[1] < (1 + 1e-7) * least_squares(X, Y[:, 1])


def test_float32_holds_the_model_that_follows_one_of_float64():
    X, y = rows()
    model = SGDLinearRegressor(warm_start=True).fit(X * np.logspace(0, -80, D), y)
    single = X.astype(np.float32)
    error = np.mean((y - model.fit(single, y).predict(single)) ** 2)
    assert error < 1.0001 * least_squares(X, y)


def test_weights_given_by_hand_are_begun_from():
    X, y = rows()
    model = SGDLinearRegressor(optimizer="cg", max_iter=1, tol=None)
    near = model.fit(X, y, coef_init=[30.0] * D).coef_
    assert np.abs(near - np.arange(1.0, D + 1)).max() > 0.5
    far = SGDLinearRegressor().fit(X, y, coef_init=[1e80] * D)
    assert np.mean((y - far.predict(X)) ** 2) < (1 + 1e-7) * least_squares(X, y)
