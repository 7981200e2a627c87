"""Smooth losses of too many features for a matrix: Newton steps by conjugate gradients."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sgdreg import SGDLinearRegressor
from sgdreg._plan import choose
from sgdreg._solvers.newton.krylov import solved
from sgdreg._solvers.newton.loss_curvature import Formula
from sgdreg.losses import Huber, Loss, SquaredEpsilonInsensitive


class LogCosh(Loss):
    """log cosh r, which is curved everywhere."""

    smoothness = 1.0

    def value(self, y, p):
        r = np.abs(p - y)
        return r + np.log1p(np.exp(-2 * r)) - np.log(2)

    def gradient(self, y, p):
        return np.tanh(p - y)

    def curvature(self, y, p):
        return 1 - np.tanh(p - y) ** 2


LOSSES = {
    "huber": {"loss": "huber", "epsilon": 0.5},
    "squared": {"loss": "squared_epsilon_insensitive", "epsilon": 0.2},
    "custom": {"loss": LogCosh()},
}
PENALTIES = {"none": {}, "l2": {"penalty": "l2", "alpha": 0.01}}
every_loss = pytest.mark.parametrize("loss", LOSSES)
every_penalty = pytest.mark.parametrize("penalty", PENALTIES)


@pytest.fixture
def many(monkeypatch):
    """A handful of features is too many for a matrix."""
    monkeypatch.setattr(choose, "FULL_CURVATURE_RANK", 2)


def drawn(n=300, d=20, outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * rng.uniform(0.1, 10.0, d) + rng.standard_normal(d)
    X *= rng.random((n, d)) < 0.7
    W = rng.standard_normal((d, outputs))
    y = X @ W + rng.standard_t(2, (n, outputs))
    return X, y[:, 0] if outputs == 1 else y


def known(X, y, weights=None, **settings):
    """The fit with the curvature as a matrix, which other tests compare with optima."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "FULL_CURVATURE_RANK", 2000)
        return SGDLinearRegressor(**settings | {"tol": 1e-13}).fit(X, y, weights)


def objective(model):
    return model.history_[-1]["objective"]


@every_loss
@every_penalty
@pytest.mark.parametrize("csr", [False, True])
@pytest.mark.parametrize("shape", [(300, 20), (25, 40)])
def test_it_is_the_answer_by_a_matrix(many, loss, penalty, csr, shape):
    X, y = drawn(*shape)
    settings = LOSSES[loss] | PENALTIES[penalty]
    model = SGDLinearRegressor(**settings).fit(sparse.csr_array(X) if csr else X, y)
    assert model.converged_, model.stop_reason_
    assert "Newton()" in repr(model.plan_)
    best = known(X, y, **settings)
    unit = np.var(y)
    assert abs(objective(model) - objective(best)) <= 1e-8 * unit
    if shape[0] > shape[1]:
        np.testing.assert_allclose(model.coef_, best.coef_, rtol=1e-3, atol=1e-3)


@every_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_and_outputs(many, loss, dtype):
    X, y = drawn(outputs=2)
    X = X.astype(dtype)
    weights = np.random.default_rng(1).integers(0, 3, len(X)).astype(float)
    settings = LOSSES[loss] | PENALTIES["l2"]
    model = SGDLinearRegressor(**settings).fit(X, y, weights)
    again = np.repeat(np.arange(len(X)), weights.astype(int))
    for output in range(2):
        one = SGDLinearRegressor(**settings).fit(X[again], y[again, output])
        assert one.converged_, one.stop_reason_
        np.testing.assert_allclose(model.coef_[output], one.coef_, rtol=1e-3, atol=1e-3)


def test_near_copies_of_columns_do_not_pass_for_the_optimum(many):
    """Steps that have not explored a small curvature told a gap of 1e-9 for 3e-5."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((110, 11))
        X = np.hstack([X, X + 1e-3 * rng.standard_normal(X.shape)])
        y = X @ rng.standard_normal(22) + rng.standard_t(1.5, 110)
        model = SGDLinearRegressor(loss="huber", epsilon=0.2)
        model.fit(sparse.csr_array(X), y)
        excess = objective(model) - objective(known(X, y, loss="huber", epsilon=0.2))
        assert excess <= 2e-8 * np.abs(y).mean() or not model.converged_


def test_the_bound_with_l2_is_the_duality_gap(many):
    X, y = drawn(200, 60)
    settings = LOSSES["huber"] | PENALTIES["l2"]
    best = objective(known(X, y, **settings))
    with pytest.warns(ConvergenceWarning):
        model = SGDLinearRegressor(**settings, max_iter=6, tol=1e-15).fit(X, y)
    constant = Huber(0.5).value(y, np.full(len(y), np.median(y))).mean()
    for entry in model.history_:
        missing = entry["objective"] - best
        assert entry["optimality_gap"] * constant >= 0.99 * missing - 1e-12


def test_no_row_in_the_zone_and_a_flat_loss(many):
    """The intercept has no curvature; all targets lie in the dead zone."""
    X, y = drawn(50, 10)
    model = SGDLinearRegressor(loss="huber", epsilon=1e-3, penalty="l2", alpha=100.0)
    model.fit(X, y)
    assert model.converged_, model.stop_reason_
    flat = SGDLinearRegressor(loss="squared_epsilon_insensitive", epsilon=1e3).fit(X, y)
    assert flat.converged_
    assert objective(flat) == 0.0


# ------------------------------------------------------------------------- its parts


def test_conjugate_gradients_solve_the_equations():
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    values = np.geomspace(1e-2, 1.0, 12)
    H, g = (Q * values) @ Q.T, rng.standard_normal(12)
    found = solved(lambda v: H @ v, g, lambda promise: 1e-12)
    v = np.linalg.solve(H, g)
    np.testing.assert_allclose(found.v, v, rtol=1e-8)
    np.testing.assert_allclose(found.promise, 0.5 * g @ v, rtol=1e-8)
    np.testing.assert_allclose(found.least, values[0], rtol=1e-6)
    assert solved(lambda v: 0 * v, g, lambda promise: 0.1).least == 0.0


@pytest.mark.parametrize("loss", [Huber(0.7), SquaredEpsilonInsensitive(0.3)])
def test_the_secant_is_nowhere_below_the_second_derivative(loss):
    y, p = np.zeros(2001), np.linspace(-3, 3, 2001)
    rows = Formula.of(loss)
    secant = rows.secant(y, p)
    assert (secant >= rows.curvature(y, p)).all()
    if not loss.dead:  # the parabola of reweighted least squares is above the loss
        for at in (0, 900, 1000, 1500):
            g = rows.gradient(y, p)[at]
            above = (
                rows.value(y, p)[at] + g * (p - p[at]) + 0.5 * secant[at] * (p - p[at]) ** 2
            )
            assert (above >= rows.value(y, p) - 1e-12).all()
