"""Targets of any size that floats can hold: scaled by a power of two, the same bits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sgdreg import SGDLinearRegressor, optimizers

SIZES = [2.0**-996, 2.0**-530, 2.0**-300, 2.0**480]
RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3))
Y = X @ [1.0, 2.0, 3.0] + 1 + 0.3 * RNG.standard_normal(60)
W = RNG.random(60)
BATCHES = {"batch_size": 8, "tol": 1e-6}
STEPS = {"learning_rate": 0.01, "max_iter": 20, "tol": None}


def model(**settings):
    return SGDLinearRegressor(random_state=0, **settings)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batch_size": 8, "max_iter": 30},
        {"optimizer": "cg"},
        {"optimizer": "svrg", "max_iter": 30},
        {"optimizer": optimizers.SVRG(metric="sketch")},
        {"optimizer": "interior_point"},
        STEPS,
        {"optimizer": "momentum", **STEPS},
        {"average": True, **STEPS},
        {"penalty": "l2", "alpha": 0.1},
        {"positive": True},
        {"early_stopping": True},
        {"fit_intercept": False},
    ],
)
def test_targets_times_a_power_of_two(settings, size):
    one = model(**settings).fit(X, Y, W)
    other = model(**settings).fit(X, Y * size, W)
    assert_array_equal(other.coef_, one.coef_ * size)
    assert_array_equal(other.intercept_, one.intercept_ * size)
    assert other.n_iter_ == one.n_iter_
    for entry, expected in zip(other.history_, one.history_, strict=True):
        assert entry["objective"] == expected["objective"] * size * size
        assert entry.get("optimality_gap") == expected.get("optimality_gap")
    assert repr(other.plan_) == repr(one.plan_)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"loss": "huber", "epsilon": 1.0}, "epsilon"),
        ({"loss": "squared_epsilon_insensitive", "epsilon": 0.3}, "epsilon"),
        ({"loss": "huber", "epsilon": 1.0, **STEPS}, "epsilon"),
        ({"penalty": "l1", "alpha": 0.1}, "alpha"),
        ({"penalty": "l1", "alpha": 0.1, **STEPS}, "alpha"),
    ],
)
def test_parameters_in_the_units_of_y(settings, name, size):
    one = model(**settings).fit(X, Y)
    scaled = settings | {name: settings[name] * size}
    other = model(**scaled).fit(X, Y * size)
    assert_array_equal(other.coef_, one.coef_ * size)
    shown = other.plan_.penalty.l1 if name == "alpha" else other.plan_.loss.epsilon
    assert shown == scaled[name]


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("size", [1e-160, 1e-250, 1e-300])
@pytest.mark.parametrize("settings", [{}, BATCHES, {"optimizer": "cg"}])
def test_tiny_targets_are_least_squares(settings, size, form):
    A = np.column_stack([X, np.ones(60)])
    expected = np.linalg.lstsq(A, Y, rcond=None)[0]
    got = model(**settings).fit(form(X), Y * size)
    assert got.converged_
    assert_allclose(np.append(got.coef_, got.intercept_) / size, expected, rtol=1e-2)
    assert got.score(X, Y * size) > 0.5 or size < 1e-154  # r2_score's own squares


def test_a_huber_loss_of_tiny_targets_is_squared():
    got = model(loss="huber").fit(X, Y * 2.0**-530)
    assert_allclose(got.coef_ * 2.0**530, model().fit(X, Y).coef_, rtol=1e-5)


@pytest.mark.parametrize("order", [(-530,) * 3, (-530, 0, 0), (0, -530, 0), (480,) * 3])
@pytest.mark.parametrize("settings", [{}, {"batch_size": 4}, STEPS | {"max_iter": 1}])
def test_streams_whose_targets_change_their_size(settings, order):
    """Beside numbers of 1 those of 1e-160 are zero."""
    one, other, largest = model(**settings), model(**settings), 2.0 ** max(order)
    for i, power in enumerate(order):
        rows = slice(20 * i, 20 * i + 20)
        one.partial_fit(X[rows], Y[rows] * (2.0**power / largest))
        other.partial_fit(X[rows], Y[rows] * 2.0**power)
    assert_allclose(other.coef_ / largest, one.coef_, rtol=1e-9, atol=1e-12)
    assert_allclose(other.intercept_ / largest, one.intercept_, rtol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [{"loss": "absolute_error"}, {"loss": "epsilon_insensitive"}, {"optimizer": "adam"}],
)
def test_a_stream_cannot_go_over_to_what_has_no_such_unit(settings):
    stream = model().partial_fit(X, Y * 2.0**480).set_params(**settings)
    with pytest.raises(ValueError, match=r"squares of y .* earlier ones .* start again"):
        stream.partial_fit(X, Y)


@pytest.mark.parametrize("powers", [(0, 530), (-430, 330)])
def test_validation_targets_whose_squares_overflow(powers):
    y, y_val = (Y * 2.0**power for power in powers)
    with pytest.raises(ValueError, match=r"y_val.* Rescale y_val"):
        model().fit(X, y, X_val=X, y_val=y_val)


def test_a_stream_that_begins_with_zeros():
    one, other = model(), model()
    for scale in (0.0, 1.0, 1.0):
        one.partial_fit(X, scale * Y)
        other.partial_fit(X, scale * Y * 2.0**-530)
    assert_array_equal(other.coef_ * 2.0**530, one.coef_)


@pytest.mark.parametrize("optimizer", ["auto", "cg", "interior_point"])
def test_warm_start_and_initial_values_are_in_the_units_of_y(optimizer):
    tiny = 2.0**-530
    warm = model(optimizer=optimizer, warm_start=True).fit(X, Y).fit(X, Y * tiny)
    assert_allclose(warm.coef_ / tiny, model().fit(X, Y).coef_, rtol=1e-4)
    assert_allclose(warm.fit(X, Y).coef_, model().fit(X, Y).coef_, rtol=1e-4)
    steps = STEPS | {"max_iter": 1}
    one = model(**steps).fit(X, Y, coef_init=[3.0, 2.0, 1.0], intercept_init=1.0)
    init = {"coef_init": np.array([3.0, 2.0, 1.0]) * tiny, "intercept_init": tiny}
    assert_array_equal(model(**steps).fit(X, Y * tiny, **init).coef_, one.coef_ * tiny)


def test_resumed_in_the_same_unit():
    y = Y * 2.0**-530
    whole = model(optimizer="momentum", **STEPS).fit(X, y)
    half = model(optimizer="momentum", **STEPS | {"max_iter": 10}).fit(X, y)
    resumed = SGDLinearRegressor.resume(half.checkpoint_, X, y, max_iter=20)
    assert_array_equal(resumed.coef_, whole.coef_)
    objectives = [entry["objective"] for entry in whole.history_]
    assert [entry["objective"] for entry in resumed.history_] == objectives


def test_what_floats_cannot_hold_is_refused():
    tiny = 2.0**-530
    with pytest.raises(ValueError, match=r"no larger than .* digits\. Rescale y"):
        model().fit(X, Y * 2.0**-1010)
    with pytest.raises(ValueError, match=r"squares of y.* 'adam' .* rescale y"):
        model(optimizer="adam").fit(X, Y * tiny)
    with pytest.raises(ValueError, match=r"output 1 of y .* by itself"):
        model().fit(X, np.column_stack([Y, Y * tiny]))
    with pytest.raises(ValueError, match=r"cannot be held in float32: they are below"):
        model().fit(X.astype(np.float32), Y * 1e-60)
    with pytest.raises(ValueError, match="Rescale y"):
        model(loss="absolute_error").partial_fit(X, Y * tiny)
    with pytest.raises(ValueError, match="losses of y overflow"):
        model().fit(X, Y * 1e155)


@pytest.mark.parametrize("spread", [0, 12])
@pytest.mark.parametrize("epsilon", [1e13, 1e150, 1e300])
def test_huber_of_an_epsilon_beyond_all_residuals_is_least_squares(epsilon, spread):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = X.sum(axis=1) + 0.1 * rng.standard_normal(60)
    weights = 10.0 ** rng.uniform(-spread / 2, spread / 2, 60)
    root = np.sqrt(weights)[:, None]
    Z = np.column_stack([X, np.ones(60)])
    expected = np.linalg.lstsq(Z * root, y * root[:, 0], rcond=None)[0]
    model = SGDLinearRegressor(loss="huber", epsilon=epsilon).fit(X, y, weights)
    found = np.append(model.coef_, model.intercept_)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert model.converged_
    assert model.plan_.loss.epsilon == epsilon


@pytest.mark.parametrize("size", [2.0**-540, 2.0**-900])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("loss", ["huber", "squared_epsilon_insensitive"])
def test_features_whose_squares_underflow_are_no_constants(loss, form, size):
    settings = {"loss": loss, "epsilon": 0.1, "positive": True, "tol": 1e-12}
    for intercept in (True, False):
        settings["fit_intercept"] = intercept
        expected = model(**settings).fit(form(X), Y).predict(X)
        found = model(**settings).fit(form(X * size), Y)
        assert found.converged_
        assert_allclose(found.predict(X * size), expected, rtol=1e-5, atol=1e-5)
