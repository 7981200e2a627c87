"""What a correct implementation of the steps obeys, judged without looking inside.

A judge takes an implementation: a function of the arguments of `run_estimator`, that
returns θ after each epoch and the epochs' objectives. The estimator must satisfy every
judge (test_invariants.py), and every mutant of the twin must fail one (test_mutants.py).
"""

import warnings

import numpy as np
from numpy.testing import assert_allclose
from sklearn.linear_model import SGDRegressor
from twin import twin

from sgdreg import SGDLinearRegressor
from sgdreg.optimizers import SGD, Momentum, Nesterov


def run_estimator(
    X,
    y,
    *,
    eta,
    epochs,
    batch_size,
    sample_weight=None,
    alpha=0.0,
    momentum=0.0,
    nesterov=False,
    fit_intercept=True,
    average=None,
    shuffle=False,
    seed=0,
    start=None,
):
    """SGDLinearRegressor's trajectory: θ (k, d + 1) after each epoch, and objectives."""
    optimizer = SGD()
    if momentum:
        optimizer = Nesterov(momentum) if nesterov else Momentum(momentum)
    model = SGDLinearRegressor(
        penalty="l2" if alpha else None,
        alpha=alpha or 1e-4,
        optimizer=optimizer,
        learning_rate=eta,
        batch_size=batch_size,
        fit_intercept=fit_intercept,
        average=average or False,
        shuffle=shuffle,
        tol=None,
        random_state=seed,
    )
    init = {}
    if start is not None:
        flat = np.ndim(y) == 1
        init["coef_init"] = start[0, :-1] if flat else start[:, :-1]
        init["intercept_init"] = start[0, -1] if flat else start[:, -1]
    thetas = []
    for e in range(1, epochs + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a judge may stop before convergence
            model.set_params(max_iter=e).fit(X, y, sample_weight, **init)
        coef = np.atleast_2d(model.coef_)
        thetas.append(np.column_stack([coef, np.atleast_1d(model.intercept_)]))
    return thetas, np.array(model.loss_curve_)


def run_twin(X, y, *, seed=0, mutation=None, **settings):
    """The twin, with the estimator's generator."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    return twin(X, y, rng=rng, mutation=mutation, **settings)


# -------------------------------------------------------------------------- judges


def closed_form(run, problem, epochs=5, share=0.7):
    """Full batch, constant step: θ_K = θ* + (I - ηH)^K (θ_0 - θ*), at every epoch.

    Where H is singular, the recurrence that this sums up: θ <- θ - η (Hθ - c).
    """
    eta = share * problem.largest_step
    thetas, losses = run(
        problem.X,
        problem.y,
        eta=lambda t: eta,
        epochs=epochs,
        batch_size=len(problem.X),
        sample_weight=problem.sample_weight,
        alpha=problem.alpha,
        fit_intercept=problem.fit_intercept,
    )
    H, best = problem.hessian, problem.optimum()
    values, Q = np.linalg.eigh(H)
    start = np.zeros_like(best)
    for K, theta in enumerate(thetas, start=1):
        decayed = (Q * (1 - eta * values) ** K) @ Q.T
        expected = best + (start - best) @ decayed
        scale = 1 + np.abs(best).max()
        assert_allclose(theta, expected, rtol=0, atol=1e-11 * scale)
    at = [start, *thetas[:-1]]
    expected = [problem.objective(th[:, :-1], th[:, -1]) for th in at]
    assert_allclose(losses, expected, rtol=1e-10, atol=1e-10 * max(expected))


def equal_to_sgd_regressor(run, problem, average=None):
    """batch_size=1, the given order: SGDRegressor's trajectory, step for step."""
    X, y = problem.X, problem.targets[:, 0]
    eta0 = 0.5 / (1 + np.max(np.sum(problem.design**2, axis=1) * problem.weights))
    thetas, _ = run(
        X,
        y,
        eta=lambda t: eta0 / t**0.25,
        epochs=3,
        batch_size=1,
        sample_weight=problem.weights,
        alpha=problem.alpha,
        fit_intercept=problem.fit_intercept,
        average=average,
    )
    peer = SGDRegressor(
        penalty="l2" if problem.alpha else None,
        alpha=problem.alpha,
        eta0=eta0,
        fit_intercept=problem.fit_intercept,
        shuffle=False,
        tol=None,
        average=average or False,
    )
    for e, theta in enumerate(thetas, start=1):
        peer.set_params(max_iter=e).fit(X, y, sample_weight=problem.weights)
        expected = np.r_[peer.coef_, peer.intercept_][None]
        assert_allclose(theta, expected, rtol=1e-10, atol=1e-11)


def batches_compose(run, problem, batch_size):
    """An epoch of mini-batches is one full-batch step on each of them in turn."""
    X, y = problem.X, problem.y
    eta = 0.3 / np.max(np.sum(problem.design**2, axis=1))
    common = {"eta": lambda t: eta, "alpha": problem.alpha}
    common["fit_intercept"] = problem.fit_intercept
    (theta,), _ = run(X, y, epochs=1, batch_size=batch_size, **common)
    expected = np.zeros_like(theta)
    for first in range(0, len(X), batch_size):
        B = slice(first, first + batch_size)
        (expected,), _ = run(
            X[B], y[B], epochs=1, batch_size=len(X[B]), start=expected, **common
        )
    assert_allclose(theta, expected, rtol=1e-11, atol=1e-12)


def momentum_recurrence(run, problem, nesterov):
    """Full batch, decaying steps: the product of the companion matrices of (θ, v)."""
    mu, eta0 = 0.8, 0.3 * problem.largest_step
    thetas, _ = run(
        problem.X,
        problem.y,
        eta=lambda t: eta0 / t,
        epochs=4,
        batch_size=len(problem.X),
        sample_weight=problem.sample_weight,
        alpha=problem.alpha,
        momentum=mu,
        nesterov=nesterov,
        fit_intercept=problem.fit_intercept,
    )
    H, best = problem.hessian, problem.optimum().T
    m, eye = len(H), np.eye(len(H))
    error, velocity = -best, np.zeros_like(best)
    state = np.vstack([error, velocity])
    for t, theta in enumerate(thetas, start=1):
        eta = eta0 / t
        lower = np.hstack([H, mu * eye])  # v' = Hε + μv
        if nesterov:  # ε' = ε - η (Hε + μ v')
            upper = np.hstack([eye - eta * H, 0 * eye]) - eta * mu * lower
        else:  # ε' = ε - η v'
            upper = np.hstack([eye, 0 * eye]) - eta * lower
        state = np.vstack([upper, lower]) @ state
        assert_allclose(theta.T, best + state[:m], rtol=1e-9, atol=1e-10)


def zero_weight_is_removed(run, problem, batch_size):
    """A weight of zero is the row left out, bit for bit."""
    n = len(problem.X)
    weights = problem.weights.copy()
    weights[:: max(2, n // 3)] = 0.0
    if not weights.any():
        return
    kept = weights > 0
    eta = 0.3 / np.max(np.sum(problem.design**2, axis=1) * weights / weights[kept].mean())
    common = {"eta": lambda t: eta / t**0.5, "epochs": 2, "batch_size": batch_size}
    common.update(shuffle=True, fit_intercept=problem.fit_intercept)
    a, la = run(problem.X, problem.y, sample_weight=weights, **common)
    b, lb = run(problem.X[kept], problem.y[kept], sample_weight=weights[kept], **common)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(la, lb)


def shuffles_every_epoch(run, seed):
    """Each epoch has an order of its own: neither the given one nor the first epoch's.

    On rows of widely different sizes, where every order leads elsewhere.
    """
    rng = np.random.default_rng(7)
    X = rng.standard_normal((23, 2))
    y = X @ [1.0, -2.0] + rng.standard_normal(23)
    common = {"eta": lambda t: 0.05, "batch_size": 2, "seed": seed}
    (first, second), _ = run(X, y, epochs=2, shuffle=True, **common)
    (given,), _ = run(X, y, epochs=1, shuffle=False, **common)
    (again,), _ = run(X, y, epochs=1, shuffle=True, start=first, **common)
    assert np.abs(first - given).max() > 1e-6
    assert np.abs(second - again).max() > 1e-6
