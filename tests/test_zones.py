"""Smooth losses by Newton steps on the rows that bend: the optimum, and a true gap.

Judged by `convex.Objective`, which bounds the least objective from both sides.
"""

import numpy as np
import pytest
from convex import Objective
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sgdreg import SGDLinearRegressor
from sgdreg._curvature import costs
from sgdreg._solvers.newton.dense_newton import Few
from sgdreg._solvers.newton.loss_curvature import Formula, lowest_along
from sgdreg._solvers.newton.penalised import Ridge
from sgdreg.losses import Huber, Loss, SquaredEpsilonInsensitive

seeds = st.integers(0, 2**32 - 1)
LOSSES = ("huber", "squared_epsilon_insensitive")


def rows(kind, n=4000, d=6, k=1, seed=0):
    """Rows of which a small sample knows little, in some kinds, and heavy noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    if kind == "raw":
        X = X * np.logspace(-4, 4, d) + np.logspace(3, -1, d)
    elif kind == "heavy tails":
        X = rng.standard_t(1.5, (n, d))
    elif kind == "leverage":
        X[:4] *= 1000
    elif kind == "near copies":
        X[:, 1] = X[:, 0] + 1e-5 * rng.standard_normal(n)
    elif kind == "rare columns":
        X[:, -2:] *= np.arange(n)[:, None] % 500 == 7
    elif kind == "one-hot":
        X = (rng.integers(0, d, n)[:, None] == np.arange(d)).astype(float)
    elif kind == "sorted":
        X = np.sort(X, axis=0) + 0.1 * X
    Y = X @ rng.standard_normal((d, k)) / X.std(axis=0).mean()
    return X, Y + rng.standard_t(2, (n, k))


def judge(X, y, few=40, **settings):
    """The optimum, and a true gap, in few epochs."""
    model = SGDLinearRegressor(**settings, random_state=0).fit(X, y)
    objective = Objective(X, y, **settings)
    upper, constant = objective.bounds[1], objective.of_constant
    above = objective(model.coef_, model.intercept_) - upper
    assert model.converged_, model.stop_reason_
    assert model.n_iter_ <= few
    assert above <= 1.1e-8 * constant + 1e-9 * upper
    gap = model.history_[-1]["optimality_gap"]
    assert above <= gap * constant / 0.3 + 1e-9 * upper
    return model


@pytest.fixture
def small_samples(monkeypatch):
    """Samples of 1,000 rows, where all rows would cost no more."""
    monkeypatch.setattr(costs, "QR_WORK", 0)
    monkeypatch.setattr(costs, "cost_of_all", lambda n_features: 100.0)


KINDS = (
    *("normal", "raw", "heavy tails", "leverage", "near copies", "rare columns"),
    *("one-hot", "sorted"),
)
PENALTIES = {
    "l1": {"penalty": "l1"},
    "positive": {"positive": True},
    "positive elasticnet": {"penalty": "elasticnet", "positive": True},
}


def with_strength(X, y, settings, share):
    """The settings with an alpha: this share of the one that makes everything zero."""
    if "penalty" not in settings:
        return settings
    slope = np.clip(y - y.mean(), -0.7, 0.7)
    return settings | {"alpha": share * np.abs(slope @ (X - X.mean(axis=0))).max() / len(y)}


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("kind", KINDS)
def test_l1_and_bounds_from_a_sample_to_all_rows(kind, name):
    """Also at the kinks of the coefficients: the slope there is at most l1."""
    X, Y = rows(kind)
    y = Y[:, 0]
    for loss in LOSSES:
        settings = {"loss": loss, "epsilon": 0.7}
        settings |= with_strength(X, y, PENALTIES[name], 0.05)
        model = judge(X, y, **settings)
        assert model.plan_.optimizer.name == "newton"
        assert (model.coef_ >= 0).all() or "positive" not in settings


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize(("n", "d"), [(30, 80), (300, 9)])
def test_l1_and_bounds_of_few_rows(n, d, name):
    X, Y = rows("normal", n=n, d=d)
    for epsilon in (0.7, 1e-3):
        settings = {"loss": "huber", "epsilon": epsilon}
        settings |= with_strength(X, Y[:, 0], PENALTIES[name], 0.1 * epsilon / 0.7)
        judge(X, Y[:, 0], **settings, few=100)


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("kind", ["normal", "near copies"])
def test_exact_zeros_where_the_slope_is_below_l1(kind):
    X, Y = rows(kind, n=3000, d=12)
    Y = X[:, :1] + np.random.default_rng(0).standard_t(2, (3000, 1))
    settings = {"loss": "huber", "epsilon": 0.7, "penalty": "l1", "alpha": 0.05}
    model = judge(X, Y[:, 0], **settings)
    slopes = np.clip(model.predict(X) - Y[:, 0], -0.7, 0.7) @ X / len(X)
    assert np.count_nonzero(model.coef_) <= 2
    assert_allclose(np.abs(slopes[model.coef_ != 0]), 0.05, rtol=1e-3)
    assert (np.abs(slopes[model.coef_ == 0]) < 0.05 * (1 + 1e-4)).all()
    again = SGDLinearRegressor(**settings, warm_start=True, random_state=0)
    again.fit(X, Y[:, 0])
    assert_array_equal(again.fit(X, Y[:, 0]).coef_ != 0, model.coef_ != 0)


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", KINDS)
def test_from_a_sample_to_the_optimum_of_all_rows(kind, loss):
    X, Y = rows(kind)
    model = judge(X, Y[:, 0], loss=loss, epsilon=0.7)
    assert model.plan_.optimizer.name == "newton"
    assert model.plan_.sampled


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("epsilon", [1e-1, 1e-2, 1e-4])
@pytest.mark.parametrize("kind", ["normal", "heavy tails"])
def test_a_zone_of_a_few_rows(kind, epsilon):
    """Next to the median: rows lie in the zone only once the answer is near."""
    X, Y = rows(kind, n=2500, d=4)
    judge(X, Y[:, 0], loss="huber", epsilon=epsilon, few=80)


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", ["l1", "l2"])
@pytest.mark.parametrize("sparse_rows", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_weights_outputs_and_types(loss, penalty, sparse_rows, dtype):
    X, Y = rows("one-hot" if sparse_rows else "raw", k=2)
    X = X.astype(dtype)
    weights = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    settings = {"loss": loss, "epsilon": 0.5, "penalty": penalty, "alpha": 1e-4}
    model = SGDLinearRegressor(**settings, random_state=0)
    model.fit(sparse.csr_array(X) if sparse_rows else X, Y, weights)
    assert model.converged_
    for output, y in enumerate(Y.T):
        objective = Objective(X, y, weights, **settings)
        found = objective(model.coef_[output], model.intercept_[output])
        assert found <= objective.bounds[1] + 3e-8 * objective.of_constant


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("kind", KINDS)
def test_sparse_rows_are_the_dense_ones(kind):
    X, Y = rows(kind, n=3000)
    X = X * (np.random.default_rng(1).random(X.shape) < 0.5)
    settings = {"loss": "huber", "epsilon": 0.7, "random_state": 0}
    dense = SGDLinearRegressor(**settings).fit(X, Y[:, 0])
    compressed = SGDLinearRegressor(**settings).fit(sparse.csr_array(X), Y[:, 0])
    objective = Objective(X, Y[:, 0], loss="huber", epsilon=0.7)
    one, other = (objective(m.coef_, m.intercept_) for m in (dense, compressed))
    assert abs(one - other) <= 1e-8 * objective.of_constant


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("kind", ["normal", "leverage"])
def test_the_same_bits_for_any_number_of_threads(kind):
    X, Y = rows(kind, n=100_000)
    one, three = (
        SGDLinearRegressor("huber", epsilon=0.7, random_state=0, n_jobs=n).fit(X, Y)
        for n in (1, 3)
    )
    assert_array_equal(one.coef_, three.coef_)
    assert_array_equal(one.intercept_, three.intercept_)


@pytest.mark.parametrize("name", ["l2", "l1", "positive"])
@pytest.mark.parametrize("kind", ["normal", "heavy tails", "near copies", "one-hot"])
def test_a_zone_of_hardly_any_row_begins_at_its_kink(kind, name):
    """As many rows as directions lie in the zone: the optimum is next to that of |r|."""
    penalties = PENALTIES | {"l2": {"penalty": "l2"}}
    for n, epsilon in ((400, 1e-6), (4000, 1e-3), (4000, 1e-8)):
        X, Y = rows(kind, n=n)
        settings = {"loss": "huber", "epsilon": epsilon}
        settings |= with_strength(X, Y[:, 0], penalties[name], 0.02 * epsilon)
        judge(X, Y[:, 0], **settings, few=20)


@pytest.mark.usefixtures("small_samples")
def test_thin_zones_of_outputs_weights_and_sparse_rows():
    X, Y = rows("rare columns", n=3000, k=2)
    weights = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    settings = {"loss": "huber", "epsilon": 1e-6, "random_state": 0}
    for A in (X, sparse.csr_array(X)):
        model = SGDLinearRegressor(**settings).fit(A, Y, weights)
        assert model.converged_
        for output, y in enumerate(Y.T):
            objective = Objective(X, y, weights, loss="huber", epsilon=1e-6)
            found = objective(model.coef_[output], model.intercept_[output])
            assert found <= objective.bounds[1] + 3e-8 * objective.of_constant


class LogCosh(Loss):
    """A smooth loss without zones; `curvature` is the default, the most there is."""

    smoothness = 1.0

    def value(self, y, p):
        return np.logaddexp(p - y, y - p) - np.log(2)

    def gradient(self, y, p):
        return np.tanh(p - y)


class Bent(LogCosh):
    def curvature(self, y, p):
        return 1.0 - np.tanh(p - y) ** 2


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("loss", [LogCosh(), Bent()], ids=["bound", "curvature"])
@pytest.mark.parametrize("kind", ["normal", "raw", "heavy tails"])
def test_a_smooth_loss_of_ones_own(kind, loss):
    X, Y = rows(kind)
    model = SGDLinearRegressor(loss, random_state=0, tol=1e-9).fit(X, Y[:, 0])
    assert model.converged_
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    slopes = np.tanh(model.predict(X) - Y[:, 0])
    assert abs(slopes.mean()) < 1e-4
    assert_allclose(slopes @ Z / len(Z), 0.0, atol=1e-4)


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("loss", [LogCosh(), Bent()], ids=["bound", "curvature"])
def test_a_smooth_loss_of_ones_own_with_l1(loss):
    X, Y = rows("normal")
    settings = {"penalty": "l1", "alpha": 0.1, "tol": 1e-10}
    model = SGDLinearRegressor(loss, **settings, random_state=0).fit(X, Y[:, 0])
    assert model.plan_.optimizer.name == "newton"
    assert model.converged_
    slopes = np.tanh(model.predict(X) - Y[:, 0]) @ X / len(X)
    out = model.coef_ == 0
    assert out.any()
    assert not out.all()
    assert_allclose(slopes[~out], -0.1 * np.sign(model.coef_[~out]), atol=1e-4)
    assert (np.abs(slopes[out]) <= 0.1 + 1e-4).all()


@given(seeds)
def test_a_few_rows_end_where_the_slope_is_zero(seed):
    """Also where the zone is thin, holds no row at first, or the rows are not enough."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 60)), int(rng.integers(1, 8))
    Z, y = rng.standard_normal((n, d)), rng.standard_t(2, n)
    shares = rng.uniform(0.5, 2.0, n) / n
    ridge = rng.choice([0.0, 0.1]) * np.eye(d)
    loss = rng.choice([Huber(10.0 ** rng.uniform(-4, 1)), SquaredEpsilonInsensitive(0.5)])
    few, penalty = Few(Z, y, shares), Ridge(ridge, np.zeros(d))
    v, H, bends = few.minimum(Formula.of(loss), np.zeros(n), penalty, 1e-16)
    assert_allclose(H, (Z * (shares * bends)[:, None]).T @ Z, atol=1e-10)

    def value(v):
        return shares @ loss.value(y, Z @ v) + 0.5 * v @ ridge @ v

    slope = Z.T @ (shares * loss.gradient(y, Z @ v)) + ridge @ v
    steepest = np.abs(shares * loss.gradient(y, np.zeros(n))) @ np.abs(Z)
    assert (np.abs(slope) <= 1e-6 * steepest.max() + 1e-12).all() or all(
        value(v) <= value(v + 1e-4 * step) + 1e-12 for step in np.vstack([H, -H, -slope])
    )


@given(seeds)
def test_a_search_ends_where_it_has_gone_down(seed):
    """Never higher than where it began, and where the slope is small."""
    rng = np.random.default_rng(seed)
    ends, rises = rng.exponential(size=20), rng.exponential(size=20)

    def slope(t):
        return -1.0 + rises @ np.maximum(t - ends, 0.0)

    def value(t):
        return -t + 0.5 * rises @ np.maximum(t - ends, 0.0) ** 2

    t = lowest_along(slope, -1.0)
    assert value(t) < 0
    assert -0.1 <= slope(t) <= 0.01


@given(seeds)
def test_a_wider_zone_lies_below(seed):
    rng = np.random.default_rng(seed)
    y, p = rng.standard_normal((2, 50))
    loss = Formula.of(Huber(float(rng.uniform(0.01, 2))))
    wide, wider = loss.wider(4.0), loss.wider(16.0)
    assert (wider.value(y, p) <= wide.value(y, p)).all()
    assert (wide.value(y, p) <= loss.value(y, p)).all()
    assert (np.abs(wide.gradient(y, p)) <= loss.above).all()


def test_the_gap_is_the_duality_gap():
    """Rows that bend and go on to: F - ½ g·H⁻¹g is then the value of a dual point."""
    X, Y = rows("normal", n=400)
    few = 2
    model = SGDLinearRegressor("huber", epsilon=0.7, max_iter=few, tol=1e-14)
    model.fit(X, Y[:, 0])
    objective = Objective(X, Y[:, 0], loss="huber", epsilon=0.7)
    least = objective(model.coef_, model.intercept_)
    assert least <= objective.bounds[1] * (1 + 1e-12)
    assert model.history_[-1]["optimality_gap"] <= 1e-14


def test_all_rows_in_the_dead_zone():
    """Nothing to gain: the penalty alone would go to zero for ever, and needs no step."""
    X, Y = rows("normal", n=300)
    settings = {"epsilon": 1e6, "penalty": "l2", "alpha": 0.1}
    model = SGDLinearRegressor("squared_epsilon_insensitive", **settings)
    model.fit(X, Y[:, 0])
    assert model.converged_
    assert_array_equal(model.coef_, np.zeros(6))
