"""epsilon="auto": Huber's epsilon is 1.35 times a scale that is estimated with the model.

The reference is scikit-learn's HuberRegressor, which minimises the same concomitant
objective by L-BFGS, and the conditions of its optimum.
"""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import HuberRegressor

from sgdreg import SGDLinearRegressor
from sgdreg._curvature import costs

seeds = st.integers(0, 2**32 - 1)


def rows(n=400, d=5, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = X @ rng.standard_normal(d) + 2 + noise * rng.standard_t(2, n)
    return X, y, rng.integers(1, 4, n).astype(float)


def auto(X, y, weights=None, **settings):
    model = SGDLinearRegressor("huber", epsilon="auto", random_state=0, **settings)
    return model.fit(X, y, weights)


def concomitant(model, X, y, weights, scale, alpha):
    """The objective of HuberRegressor: the sum of σ + σ H((p - y) / σ), and alpha ‖w‖²."""
    z = np.abs(model.predict(X) - y) / scale
    H = np.where(z <= 1.35, z**2, 2 * 1.35 * z - 1.35**2)
    return weights @ (scale + scale * H) + alpha * (model.coef_ @ model.coef_)


@given(seeds)
def test_the_scale_is_where_cut_squares_have_a_mean_of_one(seed):
    """The condition of the optimum in σ, and that of the model, by the raw residuals."""
    X, y, weights = rows(seed=seed, n=150, noise=10.0 ** (seed % 7 - 3))
    model = auto(X, y, weights)
    r = model.predict(X) - y
    cut = np.clip(r / model.scale_, -1.35, 1.35)
    assert_allclose(np.average(cut**2, weights=weights), 1.0, rtol=1e-9)
    slopes = np.column_stack([X, np.ones(len(X))]).T @ (weights * cut) / weights.sum()
    assert_allclose(slopes, 0.0, atol=1e-6)
    assert_array_equal(model.outliers_, np.abs(r) > 1.35 * model.scale_)


@given(seeds)
def test_it_is_hubers_regressor(seed):
    """On features of one scale, where L-BFGS arrives; alpha there is ours n / scale."""
    X, y, weights = rows(seed=seed)
    alpha = 0.1 * (seed % 3)
    model = auto(X, y, weights, **({"penalty": "l2", "alpha": alpha} if alpha else {}))
    theirs = alpha * weights.sum() / model.scale_
    peer = HuberRegressor(alpha=theirs, tol=1e-12, max_iter=10_000)
    peer.fit(X, y, weights)
    assert_allclose(model.scale_, peer.scale_, rtol=1e-4)
    assert_allclose(model.coef_, peer.coef_, atol=1e-4 * np.abs(peer.coef_).max())
    known = X, y, weights
    own = concomitant(model, *known, model.scale_, theirs)
    assert own <= concomitant(peer, *known, peer.scale_, theirs) * (1 + 1e-9)


def test_it_is_hubers_regressor_to_six_digits():
    X, y, _ = rows(n=2000, d=3)
    model = auto(X, y)
    peer = HuberRegressor(tol=1e-14, max_iter=10_000, alpha=0.0, warm_start=True)
    for _ in range(5):  # each ends by the objective's last digits, too far from the optimum
        peer.fit(X, y)
    assert_allclose(model.scale_, peer.scale_, rtol=1e-6)
    assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    assert_array_equal(model.outliers_, peer.outliers_)


def test_it_is_right_on_raw_features():
    """Where L-BFGS does not arrive: scales of 1e-3 to 1e5, far from zero."""
    X, y, _ = rows(n=1000)
    raw = X * np.logspace(-3, 5, 5) + np.logspace(1, 4, 5)
    one, other = auto(X, y), auto(raw, y)
    assert_allclose(other.scale_, one.scale_, rtol=1e-8)
    assert_allclose(other.coef_ * np.logspace(-3, 5, 5), one.coef_, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-200, 1e-6, 1e9])
def test_it_knows_no_unit(factor):
    X, y, _ = rows()
    one, other = auto(X, y), auto(X, factor * y)
    assert_allclose(other.scale_, factor * one.scale_, rtol=1e-9)
    assert_allclose(other.coef_, factor * one.coef_, rtol=1e-7)


def test_a_sample_finds_the_same_scale(monkeypatch):
    X, y, weights = rows(n=6000)
    exact = auto(X, y, weights)
    monkeypatch.setattr(costs, "QR_WORK", 0)
    monkeypatch.setattr(costs, "cost_of_all", lambda n_features: 100.0)
    sampled = auto(sparse.csr_array(X), y, weights)
    assert sampled.plan_.sampled
    assert_allclose(sampled.scale_, exact.scale_, rtol=1e-5)
    assert_allclose(sampled.coef_, exact.coef_, atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"penalty": "l1", "alpha": 0.05},
        {"positive": True},
        {"fit_intercept": False},
        {"learning_rate": 0.01, "max_iter": 5, "tol": None},
        {"batch_size": 50, "max_iter": 5, "tol": None},
        {"early_stopping": True},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_with_other_choices(settings):
    """A number for epsilon, 1.35 times the scale, gives the same fit."""
    X, y, _ = rows()
    model = auto(X, y, **settings)
    settings = settings | {"epsilon": 1.35 * model.scale_, "random_state": 0}
    again = SGDLinearRegressor("huber", **settings).fit(X, y)
    if settings.get("max_iter") != 5:  # textbook steps draw other numbers
        assert_allclose(model.coef_, again.coef_, atol=1e-4)
    assert 0 < model.scale_ < y.std()


def test_what_has_no_scale_is_refused():
    X, y, _ = rows()
    for X_, y_ in ((X, X @ np.ones(5)), (X[:4], y[:4]), (X, np.ones(len(X)))):
        with pytest.raises(ValueError, match="has found no scale"):
            auto(X_, y_)
    with pytest.raises(ValueError, match="2 outputs"):
        auto(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="all rows at once"):
        SGDLinearRegressor("huber", epsilon="auto").partial_fit(X, y)
    with pytest.raises(ValueError, match="is for loss='huber'"):
        SGDLinearRegressor("epsilon_insensitive", epsilon="auto").fit(X, y)
    model = auto(X, y)
    with pytest.raises(ValueError, match="all rows at once"):
        model.partial_fit(X, y)


def test_the_scale_is_saved_resumed_and_forgotten():
    X, y, _ = rows()
    model = auto(X, y)
    copy = pickle.loads(pickle.dumps(model))
    resumed = SGDLinearRegressor.resume(model.checkpoint_, X, y)
    for other in (copy, resumed):
        assert other.scale_ == model.scale_
        assert_array_equal(other.coef_, model.coef_)
        assert_array_equal(other.outliers_, model.outliers_)
    model.set_params(epsilon=0.5).fit(X, y)
    assert not hasattr(model, "scale_")
    assert not hasattr(model, "outliers_")
