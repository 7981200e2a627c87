"""Losses with kinks and l2 of too many features for a matrix: multipliers of the rows."""

import numpy as np
import pytest
from scipy import optimize, sparse

from sgdreg import SGDLinearRegressor
from sgdreg._plan import choose
from sgdreg._solvers.newton.multipliers import Proximal
from sgdreg.losses import AbsoluteError, EpsilonInsensitive, Quantile

LOSSES = {
    "absolute": {"loss": "absolute_error"},
    "quantile": {"loss": "quantile", "quantile": 0.85},
    "dead zone": {"loss": "epsilon_insensitive", "epsilon": 0.3},
}
every_loss = pytest.mark.parametrize("loss", LOSSES)


@pytest.fixture
def many(monkeypatch):
    """A handful of features is too many for a matrix."""
    monkeypatch.setattr(choose, "FULL_CURVATURE_RANK", 2)


def drawn(n, d, outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * rng.uniform(0.1, 10.0, d) + rng.standard_normal(d)
    X *= rng.random((n, d)) < 0.7
    y = X @ rng.standard_normal((d, outputs)) + rng.standard_t(2, (n, outputs))
    return X, y[:, 0] if outputs == 1 else y


def objective(model):
    return model.history_[-1]["objective"]


def dual_optimum(X, y, below, above, dead, l2, intercept):
    """The optimum by the dual problem in the slopes of the rows, by an NLP solver."""
    n = len(y)
    Z = X.T / n

    def minus(parts):  # slopes a = up - down
        a = parts[:n] - parts[n:]
        g = Z @ a
        value = a @ y / n + dead * parts.sum() / n + 0.5 * g @ g / l2
        slope = y / n + Z.T @ g / l2
        return value, np.concatenate([slope, -slope]) + dead / n

    bounds = [(0, above)] * n + [(0, below)] * n
    ones = np.concatenate([np.ones(n), -np.ones(n)])
    zero = {"type": "eq", "fun": lambda p: ones @ p, "jac": lambda p: ones}
    found = optimize.minimize(
        minus,
        np.full(2 * n, 0.5 * min(below, above)),
        jac=True,
        bounds=bounds,
        method="SLSQP",
        constraints=[zero] if intercept else [],
        options={"maxiter": 500, "ftol": 1e-14},
    )
    return -found.fun


@every_loss
@pytest.mark.parametrize("intercept", [False, True])
def test_it_is_the_optimum_of_the_dual_problem(many, loss, intercept):
    X, y = drawn(30, 12)
    settings = LOSSES[loss] | {"penalty": "l2", "alpha": 0.1, "fit_intercept": intercept}
    model = SGDLinearRegressor(**settings).fit(X, y)
    assert model.converged_, model.stop_reason_
    assert repr(model.plan_.optimizer) == "Newton()"
    plan = model.plan_.loss
    best = dual_optimum(X, y, plan.below, plan.above, plan.dead, 0.1, intercept)
    assert abs(objective(model) - best) <= 1e-6 * best


@every_loss
@pytest.mark.parametrize("csr", [False, True])
@pytest.mark.parametrize("shape", [(300, 20), (25, 40)])
@pytest.mark.parametrize("alpha", [1e-3, 1.0])
def test_it_is_the_answer_by_the_band(many, monkeypatch, loss, csr, shape, alpha):
    X, y = drawn(*shape)
    settings = LOSSES[loss] | {"penalty": "l2", "alpha": alpha}
    model = SGDLinearRegressor(**settings).fit(sparse.csr_array(X) if csr else X, y)
    assert model.converged_, model.stop_reason_
    monkeypatch.setattr(choose, "FULL_CURVATURE_RANK", 2000)
    best = SGDLinearRegressor(**settings).fit(X, y)
    assert abs(objective(model) - objective(best)) <= 2e-8 * np.abs(y).mean()


@every_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_and_outputs(many, loss, dtype):
    X, y = drawn(200, 15, outputs=2)
    X = X.astype(dtype)
    weights = np.random.default_rng(1).integers(0, 3, len(X)).astype(float)
    settings = LOSSES[loss] | {"penalty": "l2", "alpha": 0.1}
    model = SGDLinearRegressor(**settings).fit(X, y, weights)
    again = np.repeat(np.arange(len(X)), weights.astype(int))
    for output in range(2):
        one = SGDLinearRegressor(**settings).fit(X[again], y[again, output])
        assert one.converged_, one.stop_reason_
        np.testing.assert_allclose(model.coef_[output], one.coef_, rtol=2e-3, atol=2e-3)


def test_the_gap_is_never_too_small(many, monkeypatch):
    X, y = drawn(150, 60)
    settings = LOSSES["absolute"] | {"penalty": "l2", "alpha": 0.01}
    model = SGDLinearRegressor(**settings).fit(X, y)
    monkeypatch.setattr(choose, "FULL_CURVATURE_RANK", 2000)
    best = objective(SGDLinearRegressor(**settings, tol=1e-12).fit(X, y))
    constant = np.abs(y - np.median(y)).mean()
    assert len(model.history_) > 3
    for entry in model.history_:
        missing = (entry["objective"] - best) / constant
        assert entry["optimality_gap"] >= 0.99 * missing - 1e-11


def test_a_warm_start_goes_on(many):
    X, y = drawn(150, 30)
    settings = LOSSES["quantile"] | {"penalty": "l2", "alpha": 0.01, "warm_start": True}
    model = SGDLinearRegressor(**settings).fit(X, y)
    first = objective(model)
    model.fit(X, y)
    assert model.converged_
    assert abs(objective(model) - first) <= 2e-8 * np.abs(y).mean()


@pytest.mark.parametrize("loss", [AbsoluteError(), Quantile(0.8), EpsilonInsensitive(0.4)])
def test_the_smooth_loss_is_the_largest_over_the_slopes(loss):
    p, steep = np.linspace(-2.0, 2.0, 41), 1.7
    y, multipliers = np.zeros_like(p), np.linspace(-0.2, 0.2, 41)
    smooth = Proximal(loss, multipliers, steep)
    slopes = np.linspace(-loss.below, loss.above, 20_001)
    values = slopes * p[:, None] - loss.dead * np.abs(slopes)
    values -= (slopes - multipliers[:, None]) ** 2 / (2 * steep)
    found = slopes[values.argmax(axis=1)]
    np.testing.assert_allclose(smooth.gradient(y, p), found, atol=1e-3)
    step = 1e-6
    difference = smooth.gradient(y, p + step) - smooth.gradient(y, p - step)
    near = np.isclose(difference / (2 * step), smooth.curvature(y, p), atol=1e-3)
    assert near.sum() >= 38  # all but those at the ends of a zone
