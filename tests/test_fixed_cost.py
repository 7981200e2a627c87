"""What a fit of few rows costs, and that what it remembers or postpones changes nothing."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from test_online_cost import calls_made, rows
from threadpoolctl import threadpool_info

from sgdreg import SGDLinearRegressor
from sgdreg._data.draws import Draws, Seeds
from sgdreg._data.threads import Team, one_blas_thread
from sgdreg.optimizers import Momentum

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = rows(100, d=3)


@pytest.mark.parametrize(
    ("settings", "calls"),
    [
        ({}, 830),
        ({"penalty": "l2", "alpha": 0.01}, 900),
        ({"penalty": "l1", "alpha": 0.01}, 1150),
        ({"positive": True}, 1130),
    ],
    ids=str,
)
def test_a_fit_of_few_rows_is_short(settings, calls):
    """In calls of functions: 798, 863, 1100 and 1083 once."""
    model = SGDLinearRegressor(**settings).fit(X, Y)
    assert calls_made(model.fit, X, Y) <= calls


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("good", "wrong", "message"),
    [
        ({"alpha": 0.5, "penalty": "l2"}, {"alpha": -0.5}, "alpha"),
        ({"learning_rate": 1e-3}, {"learning_rate": "fast"}, "learning_rate"),
        ({"n_jobs": 1}, {"n_jobs": 0}, "no thread to work"),
        ({"learning_rate": 1}, {"learning_rate": True}, "neither a step size"),
        ({"penalty": "elasticnet"}, {"l1_ratio": None}, "needs an l1_ratio"),
    ],
    ids=str,
)
def test_parameters_that_have_changed_are_checked_again(method, good, wrong, message):
    model = SGDLinearRegressor(max_iter=1, tol=None, **good)
    small = X[:2] / 100
    getattr(model, method)(small, Y[:2])
    with pytest.raises(ValueError, match=message):
        getattr(model.set_params(**wrong), method)(small, Y[:2])
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(small, Y[:2])
    getattr(model.set_params(**good, l1_ratio=0.15), method)(small, Y[:2])


def test_objects_among_the_parameters_are_checked_at_every_call():
    model = SGDLinearRegressor(optimizer=Momentum(momentum=0.5), learning_rate=1e-3)
    model.set_params(max_iter=2, tol=None).fit(X, Y)
    model.optimizer.momentum = 2.0
    with pytest.raises(ValueError, match="momentum"):
        model.fit(X, Y)


def test_what_nobody_has_checked_is_not_remembered():
    with config_context(skip_parameter_validation=True):
        SGDLinearRegressor(tol=-1.0, max_iter=2).fit(X, Y)
    with pytest.raises(ValueError, match="tol"):
        SGDLinearRegressor(tol=-1.0, max_iter=2).fit(X, Y)


def test_attributes_that_a_subclass_does_not_take_are_looked_at_too():
    class Small(SGDLinearRegressor):
        def __init__(self, tol=1e-8):
            super().__init__(tol=tol)

    model = Small().fit(X, Y)
    model.penalty, model.l1_ratio = "elasticnet", None
    with pytest.raises(ValueError, match="needs an l1_ratio"):
        model.fit(X, Y)


def test_a_parameter_without_effect_is_told_at_every_call():
    model = SGDLinearRegressor(alpha=0.5)
    for method in (model.fit, model.fit, model.partial_fit, model.partial_fit):
        with pytest.warns(UserWarning, match=r"alpha=0\.5 has no effect") as caught:
            method(X, Y)
        assert [warning.filename for warning in caught] == [__file__]


def test_a_generator_that_is_made_late_draws_the_same_numbers():
    late = Draws(Seeds(3).generator)
    assert "generator" not in vars(late)
    numbers = np.random.default_rng(np.random.SeedSequence(3)).random(5)
    assert_array_equal(pickle.loads(pickle.dumps(late)).random(5), numbers)
    assert_array_equal(late.random(5), numbers)
    first, second = (np.random.default_rng(s) for s in np.random.SeedSequence(3).spawn(2))
    seeds = Seeds(3)
    assert_array_equal(Draws(seeds.child).random(5), first.random(5))
    assert_array_equal(Draws(seeds.child).random(5), second.random(5))


def test_seeds_of_every_kind():
    assert Seeds(None).entropy != Seeds(None).entropy
    one, other = (Seeds(np.random.RandomState(0)).entropy for _ in range(2))
    assert one == other
    assert len(one) == 4
    assert_array_equal(Seeds(one).generator().random(3), Seeds(other).generator().random(3))


def test_a_fit_that_draws_nothing_makes_no_generator():
    model = SGDLinearRegressor().fit(X, Y)
    assert "generator" not in vars(model._continuation.state.rng)
    again = pickle.loads(pickle.dumps(model))
    states = [m._continuation.state.rng.bit_generator.state for m in (model, again)]
    assert repr(states[0]) == repr(states[1])


def test_the_threads_of_blas_are_those_before_the_first_fit_that_limits_them():
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    with one_blas_thread() as threads, one_blas_thread() as inside:
        assert threads == max(pool["num_threads"] for pool in pools)
        assert inside == 1
        assert Team(None, threads).size == threads
        assert Team(3, threads).size == 3
