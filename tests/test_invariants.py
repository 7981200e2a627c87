"""The invariants, on the estimator, with problems drawn from a known SVD."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from judges import (
    batches_compose,
    closed_form,
    equal_to_sgd_regressor,
    momentum_recurrence,
    run_estimator,
    run_twin,
    shuffles_every_epoch,
    zero_weight_is_removed,
)
from numpy.testing import assert_allclose, assert_array_equal
from problems import problems
from scipy import sparse

from sgdreg import SGDLinearRegressor
from sgdreg.losses import get_loss
from sgdreg.optimizers import SGD

seeds = st.integers(0, 2**31 - 1)
batch_sizes = st.sampled_from((1, 2, 3, 7, 100))
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@given(problems())
def test_closed_form_trajectory(problem):
    closed_form(run_estimator, problem)


@given(problems(), st.sampled_from((None, 1, 5)))
def test_step_for_step_equal_to_sgd_regressor(problem, average):
    equal_to_sgd_regressor(run_estimator, problem, average)


@given(problems(weighted=st.just(False)), batch_sizes)
def test_batches_compose(problem, batch_size):
    batches_compose(run_estimator, problem, batch_size)


@given(problems(), st.booleans())
def test_momentum_recurrence(problem, nesterov):
    momentum_recurrence(run_estimator, problem, nesterov)


@given(problems(), batch_sizes)
def test_zero_weight_is_the_row_removed(problem, batch_size):
    zero_weight_is_removed(run_estimator, problem, batch_size)


@given(seeds)
def test_every_epoch_has_its_own_order(seed):
    shuffles_every_epoch(run_estimator, seed)


@given(
    problems(),
    batch_sizes,
    st.sampled_from(("plain", "momentum", "nesterov")),
    st.sampled_from((None, 1, 4)),
    st.booleans(),
    st.booleans(),
    seeds,
)
def test_equal_to_the_twin(problem, batch, rule, average, shuffle, lazy, seed):
    """Dense, CSR with a buffer and CSR by lazy steps: the twin's numbers, all of them."""
    X = problem.X
    if lazy:  # many empty columns: a batch has fewer non-zeros than features
        X = np.column_stack([X, np.zeros((len(X), 9 * X.shape[1] * batch))])
    eta0 = 0.2 / np.max(np.sum(problem.design**2, axis=1) * problem.weights)
    settings = {
        "eta": lambda t: eta0 / t**0.25,
        "epochs": 3,
        "batch_size": batch,
        "sample_weight": problem.sample_weight,
        "alpha": problem.alpha,
        "momentum": 0.0 if rule == "plain" else 0.7,
        "nesterov": rule == "nesterov",
        "fit_intercept": problem.fit_intercept,
        "average": average,
        "shuffle": shuffle,
        "seed": seed,
    }
    expected, losses = run_twin(X, problem.y, **settings)
    for data in (X, sparse.csr_array(X)):
        thetas, curve = run_estimator(data, problem.y, **settings)
        assert_allclose(thetas, expected, rtol=1e-9, atol=1e-12)
        assert_allclose(curve, losses, rtol=1e-9, atol=1e-14)


@given(problems(penalised=st.just(False), outputs=st.none()), batch_sizes, seeds)
def test_never_leaves_the_row_space(problem, batch_size, seed):
    thetas, _ = run_estimator(
        problem.X,
        problem.y,
        eta=lambda t: 0.1 * problem.largest_step / len(problem.X),
        epochs=2,
        batch_size=batch_size,
        fit_intercept=problem.fit_intercept,
        shuffle=True,
        seed=seed,
    )
    A = problem.design
    theta = thetas[-1][0]
    outside = theta - A.T @ np.linalg.lstsq(A.T, theta, rcond=None)[0]
    assert_allclose(outside, 0, atol=1e-12 * (1 + np.abs(theta).max()))


@quiet
@given(seeds)
def test_interpolating_it_finds_the_minimum_norm_solution(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((5, 12)), rng.standard_normal(5)
    model = SGDLinearRegressor(
        optimizer="sgd", fit_intercept=False, batch_size=2, max_iter=5000, tol=None
    )
    model.set_params(learning_rate=1.0 / np.sum(X**2, axis=1).max(), random_state=seed)
    assert_allclose(model.fit(X, y).coef_, np.linalg.pinv(X) @ y, rtol=1e-6, atol=1e-8)


@quiet
@given(
    problems(condition=1e3),
    st.sampled_from(("auto", "sgd", "momentum", "nesterov", SGD(metric="diagonal"))),
    st.sampled_from((1, 5, "full", "auto")),
    st.sampled_from((False, True, "tail", "auto")),
    st.sampled_from((True, False, "blocks")),
)
def test_never_better_than_the_optimum(problem, optimizer, batch, average, shuffle):
    model = SGDLinearRegressor(
        optimizer=optimizer,
        batch_size=batch,
        average=average,
        shuffle=shuffle,
        penalty="l2" if problem.alpha else None,
        alpha=problem.alpha or 1e-4,
        fit_intercept=problem.fit_intercept,
        max_iter=20,
        random_state=0,
    ).fit(problem.X, problem.y, problem.sample_weight)
    best = problem.optimum()
    lowest = problem.objective(best[:, :-1], best[:, -1])
    value = problem.objective(model.coef_, model.intercept_)
    size = problem.objective(0 * best[:, :-1], 0 * best[:, -1])
    assert value >= lowest - 1e-12 * size
    if optimizer == "auto" and model.converged_:
        assert value - lowest <= 1e-8 * size
        assert "optimality gap" in model.stop_reason_


@given(problems(condition=1e4))
def test_the_defaults_are_least_squares(problem):
    model = SGDLinearRegressor(
        penalty="l2" if problem.alpha else None,
        alpha=problem.alpha or 1e-4,
        fit_intercept=problem.fit_intercept,
        tol=1e-20,
        max_iter=50,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tol is below rounding
        model.fit(problem.X, problem.y, problem.sample_weight)
    best = problem.optimum()
    p = problem.X @ best[:, :-1].T + best[:, -1]
    scale = 1 + np.abs(problem.y).max()
    shape = problem.y.shape
    assert_allclose(model.predict(problem.X), p.reshape(shape), rtol=0, atol=1e-8 * scale)


@quiet
@given(problems(), batch_sizes, st.sampled_from((1.0, -3.0, 0.25)), seeds)
def test_scaling_y_scales_the_model(problem, batch_size, c, seed):
    settings = {
        "optimizer": "momentum",
        "learning_rate": 0.01 * problem.largest_step / len(problem.X),
        "batch_size": batch_size,
        "average": True,
        "tol": 1e-3,
        "max_iter": 30,
        "random_state": seed,
    }
    a = SGDLinearRegressor(**settings).fit(problem.X, problem.y)
    b = SGDLinearRegressor(**settings).fit(problem.X, c * problem.y)
    assert a.n_iter_ == b.n_iter_
    assert_allclose(b.coef_, c * a.coef_, rtol=1e-9, atol=1e-12)
    assert_allclose(b.intercept_, c * a.intercept_, rtol=1e-9, atol=1e-12)


@given(problems(intercept=st.just(False)), batch_sizes, st.sampled_from((0.5, -4.0)))
def test_scaling_X_scales_the_coefficients(problem, batch_size, c):
    eta = 0.1 * problem.largest_step / len(problem.X)
    common = {"epochs": 3, "batch_size": batch_size, "fit_intercept": False}
    a, la = run_estimator(problem.X, problem.y, eta=lambda t: eta, **common)
    b, lb = run_estimator(c * problem.X, problem.y, eta=lambda t: eta / c**2, **common)
    assert_allclose(c * np.array(b), a, rtol=1e-9, atol=1e-12)
    assert_allclose(la, lb, rtol=1e-9)


@given(problems(outputs=st.none()), batch_sizes, seeds)
def test_permuting_columns_permutes_the_coefficients(problem, batch_size, seed):
    order = np.random.default_rng(seed).permutation(problem.X.shape[1])
    eta = 0.1 * problem.largest_step / len(problem.X)
    common = {"eta": lambda t: eta, "epochs": 2, "batch_size": batch_size}
    a, _ = run_estimator(problem.X, problem.y, **common)
    b, _ = run_estimator(problem.X[:, order], problem.y, **common)
    assert_allclose(np.array(b)[:, :, :-1], np.array(a)[:, :, order], atol=1e-11)


@given(problems(penalised=st.just(False)), seeds)
def test_auto_does_not_see_units_or_offsets(problem, seed):
    """Rescaling and shifting single columns, and permuting rows, leave predictions."""
    assume(len(problem.X) > problem.X.shape[1] + 1)
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-6, 6, problem.X.shape[1])
    moved = problem.X * scale
    if problem.fit_intercept:
        moved = moved + scale * rng.uniform(-1e3, 1e3, problem.X.shape[1])
    model = SGDLinearRegressor(fit_intercept=problem.fit_intercept)
    p = model.fit(problem.X, problem.y, problem.sample_weight).predict(problem.X)
    q = model.fit(moved, problem.y, problem.sample_weight).predict(moved)
    size = 1 + np.abs(problem.y).max()
    assert_allclose(p, q, rtol=0, atol=1e-7 * size)
    rows = rng.permutation(len(problem.X))
    weights = problem.sample_weight
    weights = None if weights is None else weights[rows]
    model.fit(problem.X[rows], problem.y[rows], weights)
    assert_allclose(model.predict(problem.X), p, rtol=0, atol=1e-9 * size)


@given(problems(weighted=st.just(True)), batch_sizes, st.sampled_from((2.0, 0.3)))
def test_only_relative_weights_matter(problem, batch_size, c):
    eta = 0.05 * problem.largest_step / len(problem.X)
    common = {"eta": lambda t: eta, "epochs": 2, "batch_size": batch_size}
    w = problem.sample_weight
    a, la = run_estimator(problem.X, problem.y, sample_weight=w, **common)
    b, lb = run_estimator(problem.X, problem.y, sample_weight=c * w, **common)
    assert_allclose(a, b, rtol=1e-11, atol=1e-13)
    assert_allclose(la, lb, rtol=1e-11)


@given(problems(weighted=st.just(True)))
def test_an_integer_weight_is_the_row_repeated(problem):
    """At the optimum, which full batches reach: the whole trajectory then agrees."""
    times = problem.sample_weight.astype(int)
    eta = 0.9 * problem.largest_step / 2
    common = {"eta": lambda t: eta, "epochs": 4, "batch_size": 10_000}
    common.update(alpha=problem.alpha, fit_intercept=problem.fit_intercept)
    a, _ = run_estimator(problem.X, problem.y, sample_weight=times, **common)
    X, y = np.repeat(problem.X, times, axis=0), np.repeat(problem.y, times, axis=0)
    b, _ = run_estimator(X, y, **common)
    assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@given(problems(), batch_sizes, seeds)
def test_layout_and_writability_do_not_matter(problem, batch_size, seed):
    X = problem.X
    frozen = X.copy()
    frozen.setflags(write=False)
    wide = sparse.csr_array(X)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    eta = 0.1 * problem.largest_step / len(X)
    common = {"eta": lambda t: eta, "epochs": 2, "batch_size": batch_size, "seed": seed}
    common["shuffle"] = True
    expected, losses = run_estimator(X, problem.y, **common)
    for same in (np.asfortranarray(X), frozen, X[::-1][::-1]):
        got, curve = run_estimator(same, problem.y, **common)
        assert_array_equal(got, expected)
        assert_array_equal(curve, losses)
    for close in (sparse.csr_matrix(X), wide, sparse.csc_array(X)):
        got, _ = run_estimator(close, problem.y, **common)
        assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@given(problems(), batch_sizes, seeds)
def test_float32_is_close_and_stays_float32(problem, batch_size, seed):
    eta = 0.1 * problem.largest_step / len(problem.X)
    model = SGDLinearRegressor(
        learning_rate=eta, batch_size=batch_size, max_iter=2, tol=None, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        double = model.fit(problem.X, problem.y).predict(problem.X)
        X = problem.X.astype(np.float32)
        single = model.fit(X, problem.y).predict(X)
    assert model.coef_.dtype == single.dtype == np.float32
    size = 1 + np.abs(double).max()
    assert_allclose(single, double, rtol=0, atol=1e-4 * size)


@given(
    problems(),
    st.sampled_from((1, 3, 100)),
    st.sampled_from(("sgd", "momentum", "nesterov")),
    st.sampled_from((True, False, "blocks")),
    st.sampled_from((False, True, 4, "tail")),
    st.booleans(),
    seeds,
)
def test_partial_fits_compose(problem, batch, optimizer, shuffle, average, csr, seed):
    """k calls of partial_fit, or fit + warm start, are one fit of k epochs: same bits."""
    model = SGDLinearRegressor(
        optimizer=optimizer,
        learning_rate="invscaling",
        eta0=0.05 * problem.largest_step / len(problem.X),
        batch_size=batch,
        shuffle=shuffle,
        average=average,
        tol=None,
        max_iter=7,
        random_state=seed,
    )
    X = problem.X
    if csr:
        X = sparse.csr_array(np.column_stack([X, np.zeros((len(X), 50))]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = model.fit(X, problem.y, problem.sample_weight)
        parts = SGDLinearRegressor(**model.get_params())
        for _ in range(7):
            parts.partial_fit(X, problem.y, problem.sample_weight)
        resumed = SGDLinearRegressor(**model.get_params())
        resumed.set_params(warm_start=True)
        for epochs in (3, 4):
            resumed.set_params(max_iter=epochs)
            resumed.fit(X, problem.y, problem.sample_weight)
    for other in (parts, resumed):
        assert_array_equal(other.coef_, whole.coef_)
        assert_array_equal(other.intercept_, whole.intercept_)
        assert other.t_ == whole.t_
        assert other.n_iter_ == whole.n_iter_ == 7
        assert other.loss_curve_ == whole.loss_curve_


@given(problems(intercept=st.just(True), penalised=st.booleans()))
def test_the_mean_prediction_is_the_mean_target(problem):
    model = SGDLinearRegressor(
        penalty="l2" if problem.alpha else None, alpha=problem.alpha or 1e-4
    ).fit(problem.X, problem.y, problem.sample_weight)
    gap = np.average(
        model.predict(problem.X) - problem.y, axis=0, weights=problem.sample_weight
    )
    assert_allclose(gap, 0, atol=1e-10 * (1 + np.abs(problem.y).max()))


@given(problems(penalised=st.just(True), weighted=st.just(False)))
def test_ridge_identities(problem):
    """hstack([X, X]) halves w where alpha doubles; vstack([X, X]) changes nothing."""

    def fit(X, y, alpha):
        model = SGDLinearRegressor(
            penalty="l2", alpha=alpha, fit_intercept=problem.fit_intercept
        )
        return model.fit(X, y)

    X, y = problem.X, problem.y
    once = fit(X, y, problem.alpha)
    twice = fit(np.hstack([X, X]), y, 2 * problem.alpha)
    size = 1 + np.abs(once.coef_).max()
    halves = np.split(twice.coef_, 2, axis=-1)
    for half in halves:
        assert_allclose(half, once.coef_ / 2, rtol=0, atol=1e-8 * size)
    stacked = fit(np.vstack([X, X]), np.concatenate([y, y]), problem.alpha)
    assert_allclose(stacked.coef_, once.coef_, rtol=0, atol=1e-8 * size)


@given(problems(noise=st.just(3.0)))
def test_the_gradient_vanishes_at_the_answer(problem):
    model = SGDLinearRegressor(
        penalty="l2" if problem.alpha else None,
        alpha=problem.alpha or 1e-4,
        fit_intercept=problem.fit_intercept,
    ).fit(problem.X, problem.y, problem.sample_weight)
    theta = np.column_stack([np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)])
    gradient = problem.hessian @ theta.T - problem.slope
    assert_allclose(gradient, 0, atol=1e-8 * (1 + np.abs(problem.slope).max()))


@pytest.mark.parametrize("name", ["squared_error"])
def test_every_loss(name):
    """Gradient against finite differences, smoothness, a perfect prediction is free."""
    loss = get_loss(name)
    rng = np.random.default_rng(0)
    y, p, q = rng.standard_normal((3, 200)) * 3
    h = 1e-6
    slope = (loss.value(y, p + h) - loss.value(y, p - h)) / (2 * h)
    assert_allclose(loss.gradient(y, p), slope, atol=1e-7)
    difference = np.abs(loss.gradient(y, p) - loss.gradient(y, q))
    assert np.all(difference <= loss.smoothness * np.abs(p - q) + 1e-12)
    assert_array_equal(loss.value(y, y), 0)
    assert np.all(loss.value(y, p) >= 0)
