"""Defaults on raw data, whatever the loss, the penalty and the bounds: the optimum.

Judged by `convex.Objective`, which bounds the least objective from both sides.
"""

import warnings

import numpy as np
import pytest
from convex import LOSS_VALUES, Objective
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sgdreg import SGDLinearRegressor

LOSSES = tuple(LOSS_VALUES)
WITH_EPSILON = ("huber", "epsilon_insensitive", "squared_epsilon_insensitive")
PENALTIES = (None, "l2", "l1", "elasticnet")
loss_names = pytest.mark.parametrize("loss", LOSSES)
seeds = st.integers(0, 2**32 - 1)
# Share of the constant's loss by which a fit may miss the optimum: a few times tol.
MISS = 3e-8


def judge(X, y, sample_weight=None, exact=1e-12, few=40, **settings):
    """The optimum, never better, an honest gap, in few epochs, without a warning."""
    objective = Objective(X, y, sample_weight, **settings)
    lower, upper = objective.bounds
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SGDLinearRegressor(**settings).fit(X, y, sample_weight)
    assert model.converged_, model.stop_reason_
    assert model.n_iter_ <= few
    found, constant = objective(model.coef_, model.intercept_), objective.of_constant
    rounding = 1e-9 * upper + exact * np.abs(y).max(initial=0.0)
    assert lower - rounding <= found <= upper + MISS * constant + rounding
    gap = model.history_[-1]["optimality_gap"]
    assert found - upper <= gap * constant / 0.3 + rounding
    return model, objective


def parameters(loss, penalty, alpha=0.01, epsilon=0.1, **others):
    """Without those that have no effect, which would be warned about."""
    found = {"loss": loss, "penalty": penalty} | others
    if penalty is not None:
        found["alpha"] = alpha
    if loss in WITH_EPSILON:
        found["epsilon"] = epsilon
    return found


def linear(n=40, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4))
    return X, X @ [1.0, -2.0, 0.0, 3.0] + 1 + noise * rng.standard_normal(n)


def nasty():
    """Name, X and y."""
    X, y = linear()
    ones = np.ones((40, 1))
    rng = np.random.default_rng(1)
    yield "one row", X[:1], y[:1]
    yield "two rows", X[:2], y[:2]
    yield "fewer rows than columns", X[:3], y[:3]
    yield "copies of columns", X[:, [0, 0, 1, 1]] * [1, 1, 1, -3], y
    yield "a constant column", np.hstack([X, 7 * ones]), y
    yield "a column of zeros", np.hstack([X, 0 * ones]), y
    yield "X zero", 0 * X, y
    yield "y constant", X, np.full(40, 3.7)
    yield "y zero", X, 0 * y
    yield "y integer", X, np.round(y)
    yield "all binary", np.where(X > 0, 1.0, 0.0), np.where(y > 0, 1.0, 0.0)
    yield "no noise", *linear(noise=0.0)
    yield "an outlier in y", X, np.append(1e9, y[1:])
    yield "an outlier in X", np.vstack([X, [1e9, 0, 0, 0]]), np.append(y, 0.0)
    yield "X + 1e6", X + 1e6, y
    yield "y + 1e6", X, y + 1e6
    yield "scales", X * [1e9, 1e-9, 1.0, 1e3], y
    yield "y small", X, 1e-9 * y
    yield "y large", X, 1e9 * y
    yield "noise of many sizes", X, y + rng.standard_normal(40) * np.exp(3 * X[:, 0])
    yield "Cauchy noise", X, y + 10 * rng.standard_cauchy(40)


NASTY = {name: case for name, *case in nasty()}


def half(penalties, *choices):
    """Every other penalty, which ones by whether `choices` add up to an even number."""
    return penalties[sum(choices) % 2 :: 2]


@pytest.mark.parametrize("name", NASTY)
@loss_names
@pytest.mark.parametrize("positive", [False, True])
def test_the_optimum_of_nasty_data(name, loss, positive):
    """Each data set with each loss and penalty, and any two of these with each bound."""
    X, y = NASTY[name]
    penalties = ((None, 0.0), ("l2", 0.01), ("l1", 0.01), ("elasticnet", 0.1))
    for penalty, alpha in half(
        penalties, [*NASTY].index(name), LOSSES.index(loss), positive
    ):
        judge(X, y, **parameters(loss, penalty, alpha, positive=positive))


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("loss", WITH_EPSILON)
@pytest.mark.parametrize("epsilon", [1e-6, 1e6])
@pytest.mark.parametrize("positive", [False, True])
def test_small_and_large_epsilon(name, loss, epsilon, positive):
    """All rows in the dead zone (nothing to gain) or none."""
    X, y = NASTY[name]
    choices = [*NASTY].index(name), WITH_EPSILON.index(loss), epsilon > 1, positive
    for penalty in half(PENALTIES, *choices):
        judge(X, y, **parameters(loss, penalty, epsilon=epsilon, positive=positive))


@loss_names
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("penalty", ["l1", "elasticnet"])
@pytest.mark.parametrize("alpha", [1e3, 1e6, 1e9])
def test_a_penalty_beyond_all_coefficients(loss, positive, penalty, alpha):
    for X in (linear()[0], NASTY["scales"][0][:, [0, 2, 3]]):
        model, _ = judge(
            X, linear()[1], **parameters(loss, penalty, alpha, positive=positive)
        )
        if penalty == "l1" and np.abs(X).max() < 10:
            assert (model.coef_ == 0).all()


@pytest.mark.parametrize("alpha", [1e5, 1e100, 1e155, 1e200, 1e300, 1e308])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
@pytest.mark.parametrize("positive", [False, True])
def test_an_l1_beyond_every_slope_leaves_the_best_constant(alpha, loss, positive):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 4))
    y = X.sum(axis=1) + rng.standard_normal(50)
    model = SGDLinearRegressor(loss=loss, penalty="l1", alpha=alpha, positive=positive)
    model.fit(X, y)
    assert model.converged_
    assert_array_equal(model.coef_, np.zeros(4))
    constant = Objective(X, y, loss=loss).of_constant
    found = Objective(X, y, loss=loss)(model.coef_, float(model.intercept_))
    assert found <= constant + 1e-7
