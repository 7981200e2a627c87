"""Epochs that know the gradient of all rows: SVRG, conjugate gradients.

And what they lean on: curvatures by products and of low rank.
"""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from problems import BOOLEANS, Drawn, problems
from reference import Reference, raw_problems
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from twin import cg_twin, scaled, svrg_twin, twin

from sgdreg import SGDLinearRegressor
from sgdreg._curvature.factor import Curvature
from sgdreg._curvature.products import curvature_by_products
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg._plan import choose
from sgdreg.losses import SQUARED_ERROR
from sgdreg.optimizers import SGD, SVRG, ConjugateGradient

SQUARES = {"loss": SQUARED_ERROR, "team": ALONE}

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
metrics = st.sampled_from((None, "diagonal", "sketch"))
seeds = st.integers(0, 2**31 - 1)


@pytest.fixture
def many_features(monkeypatch):
    """Six features are too many for a full curvature."""
    monkeypatch.setattr(choose, "FULL_CURVATURE_RANK", 5)


def estimator(problem=None, **parameters):
    if problem is not None:
        parameters["fit_intercept"] = problem.fit_intercept
        if problem.alpha:
            parameters.update(penalty="l2", alpha=problem.alpha)
    return SGDLinearRegressor(**{"random_state": 0, **parameters})


def theta_of(model):
    coef = np.atleast_2d(model.coef_).astype(float)
    return np.column_stack([coef, np.atleast_1d(model.intercept_)])


def trajectory(model, problem, epochs, X=None):
    """θ after each of the epochs."""
    X, thetas = problem.X if X is None else X, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for e in range(1, epochs + 1):
            model.set_params(max_iter=e, tol=None)
            thetas.append(theta_of(model.fit(X, problem.y, problem.sample_weight)))
    return thetas


def largest_eta(problem, kind):
    """A step of SVRG that is stable whatever the batch."""
    s = problem.weights
    centre, P = scaled(problem.X, s, problem.alpha, problem.fit_intercept, kind)
    Z = problem.X - centre
    norms = s * (np.einsum("ij,jk,ik->i", Z, P, Z) + 1) + problem.alpha * np.trace(P)
    return 0.3 / norms.max()


# ------------------------------------------------------------------------------- SVRG


@given(
    problems(), st.sampled_from((1, 3, 100)), metrics, BOOLEANS, st.sampled_from((1.0, 0.4))
)
def test_svrg_is_its_twin(problem, batch, kind, average, inner):
    eta = largest_eta(problem, kind)
    model = estimator(
        problem,
        optimizer=SVRG(inner, kind),
        learning_rate=eta,
        batch_size=batch,
        shuffle=False,
        average="tail" if average else False,
    )
    settings = {"eta": eta, "epochs": 3, "batch_size": batch, "average": average}
    settings.update(alpha=problem.alpha, fit_intercept=problem.fit_intercept)
    settings.update(inner=inner, metric=kind, sample_weight=problem.sample_weight)
    expected = svrg_twin(problem.X, problem.y, **settings)
    size = 1 + np.abs(expected).max()
    for X in (problem.X, sparse.csr_array(problem.X)):
        got = trajectory(model, problem, 3, X)
        assert_allclose(got, expected, rtol=0, atol=1e-10 * size)
    X = problem.X.astype(np.float32)
    expected = svrg_twin(X, problem.y, **settings)
    assert_allclose(trajectory(model, problem, 3, X), expected, atol=1e-5 * size)
    assert model.coef_.dtype == np.float32


@quiet
@given(problems(), st.sampled_from((1, 3, 100)), st.sampled_from((True, False, "blocks")))
def test_svrg_epochs_compose(problem, batch, shuffle):
    """k calls of partial_fit are one fit of k epochs, bit for bit."""
    model = estimator(problem, optimizer="svrg", learning_rate=largest_eta(problem, None))
    model.set_params(batch_size=batch, shuffle=shuffle, tol=None, max_iter=4)
    whole = theta_of(model.fit(problem.X, problem.y, problem.sample_weight))
    parts = SGDLinearRegressor(**model.get_params())
    for _ in range(4):
        parts.partial_fit(problem.X, problem.y, problem.sample_weight)
    assert_array_equal(theta_of(parts), whole)
    assert parts.loss_curve_ == model.loss_curve_
    assert parts.t_ == model.t_


@quiet
@pytest.mark.parametrize("average", ["tail", False])
def test_svrg_arrives_where_sgd_hovers(average):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 4))
    y = X @ rng.standard_normal(4) + 2 + rng.standard_normal(300)
    reference = Reference(X, y)
    lost = {}
    for optimizer in ("sgd", "svrg"):
        model = estimator(optimizer=optimizer, learning_rate=0.02, tol=None, max_iter=60)
        model.set_params(average=average if optimizer == "svrg" else False).fit(X, y)
        lost[optimizer] = reference.excess(model.coef_, model.intercept_).max()
    assert lost["svrg"] < 1e-12
    assert lost["sgd"] > 1e-5


@quiet
@given(raw_problems(rows=80, features=8), metrics, st.sampled_from((1, 5, "full", "auto")))
def test_svrg_of_automatic_steps_never_diverges(problem, kind, batch):
    model = estimator(problem, optimizer=SVRG(metric=kind), batch_size=batch, max_iter=10)
    model.fit(problem.X, problem.y, problem.sample_weight)
    curve = np.array(model.loss_curve_)
    assert np.isfinite(curve).all()
    assert np.all(curve[1:] <= curve[:-1] * (1 + 1e-9))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("optimizer", ["svrg", "cg"])
def test_a_start_far_away_is_no_divergence(optimizer):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 4)) * [1, 10, 1e3, 0.01] + [0, 5, 1e3, 0]
    y = X @ [3.0, -1, 1e-3, 50] + rng.standard_normal(80)
    model = SGDLinearRegressor(optimizer=optimizer, max_iter=1, random_state=0)
    model.fit(X, y, coef_init=[1e3] * 4)
    start = 0.5 * np.mean((y - X @ ([1e3] * 4)) ** 2)
    assert model.history_[-1]["objective"] <= start


@pytest.mark.parametrize("after", ["fit", "partial_fit"])
def test_svrg_goes_on_from_averaged_steps(after):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 4))
    y = X @ [1.0, 2.0, 3.0, 4.0] + rng.standard_normal(100)
    settings = {"learning_rate": 0.01, "batch_size": 20, "average": "tail"}
    model = SGDLinearRegressor(**settings, max_iter=4, tol=None, random_state=0).fit(X, y)
    model.set_params(optimizer="svrg", learning_rate="auto", warm_start=True, tol=1e-8)
    getattr(model.set_params(max_iter=30), after)(X, y)
    best = np.linalg.lstsq(np.column_stack([X, np.ones(100)]), y)[0]
    gap = 1e-3 if after == "fit" else 1.0  # after a single epoch
    assert_allclose(np.append(model.coef_, model.intercept_), best, atol=gap)


def test_svrg_refuses():
    X, y = np.arange(40.0).reshape(20, 2), np.arange(20.0)
    with pytest.raises(ValueError, match=r"Diverged at epoch.*Lower learning_rate"):
        estimator(optimizer="svrg", learning_rate=1.0).fit(X, y)
    for inner in (0, 1.5, -1.0, "all", np.nan):
        with pytest.raises(ValueError, match=r"inner of SVRG.*must be a number in \(0, 1]"):
            estimator(optimizer=SVRG(inner=inner)).fit(X, y)
    for average in (True, 3):
        with pytest.raises(ValueError, match=f"average={average} does not go with SVRG"):
            estimator(optimizer="svrg", average=average).fit(X, y)


# ---------------------------------------------------------------- conjugate gradients


@given(problems(condition=10.0), metrics)
def test_conjugate_gradients_are_their_twin(problem, kind):
    assume(len(problem.X) > problem.X.shape[1] + 1 or problem.alpha)
    model = estimator(problem, optimizer=ConjugateGradient(kind))
    d = problem.X.shape[1] + 1
    epochs = 1 if kind == "sketch" else min(3, d - 1)
    expected, best = cg_twin(problem, kind, max(1, epochs)), problem.optimum()
    size = 1 + np.abs(best).max()
    for X in (problem.X, sparse.csr_array(problem.X)):
        got = trajectory(model, problem, max(1, epochs), X)
        assert_allclose(got, expected, rtol=0, atol=1e-8 * size)
    curve = trajectory(model, problem, d) and np.array(model.loss_curve_)
    rounding = (8 * np.finfo(float).eps) ** 2 * np.sum(problem.targets**2)
    assert np.all(curve[1:] <= curve[:-1] * (1 + 1e-13) + rounding)
    assert_allclose(theta_of(model), best, rtol=0, atol=1e-6 * size)  # all unknowns met


@quiet
@given(st.integers(5, 60), st.integers(2, 12), st.floats(-2, -1), seeds, BOOLEANS, BOOLEANS)
def test_the_gap_of_the_diagonal_is_honest(n, d, exponent, seed, penalised, csr):
    """With near copies of columns, once it is small: steps have to meet a direction first.

    (Copies to three digits and more do not show in the gradient.)
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    X = np.column_stack([X, X + 10**exponent * rng.standard_normal((n, d))])
    y = X @ rng.standard_normal(2 * d) + rng.standard_normal(n)
    problem = Drawn(X, y, None, 10 ** rng.uniform(-8, 0) * penalised, True)
    X = sparse.csr_array(X) if csr else X
    model = estimator(problem, optimizer=ConjugateGradient("diagonal")).fit(X, y)
    lost = Reference(**vars(problem)).excess(model.coef_, model.intercept_)
    if model.converged_:
        gap = model.history_[-1]["optimality_gap"]
        assert np.all(lost <= max(gap / 0.3, 1e-8))


def test_conjugate_gradients_refuse_what_is_not_theirs():
    X, y = np.arange(40.0).reshape(20, 2) ** 2, np.arange(20.0)
    for name, value in (("learning_rate", 0.1), ("batch_size", 3), ("average", True)):
        with pytest.raises(ValueError, match=f"{name}={value} does not go with"):
            estimator(optimizer="cg", **{name: value}).fit(X, y)
    model = estimator(optimizer="cg", max_iter=1, tol=1e-30)
    with pytest.warns(ConvergenceWarning, match="optimality gap is") as caught:
        model.fit(X, y)
    assert f"{model.history_[-1]['optimality_gap']:.1e}" in str(caught[0].message)


# ------------------------------------------------------------------------- curvatures


@pytest.mark.parametrize("kind", ["plain", "weights", "CSR", "copies", "one-hot"])
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("condition", [1e0, 1e2, 1e5, 1e9])
def test_curvature_by_products(kind, centred, condition):
    """That of a QR factorisation; and it whitens the rows, whatever their condition."""
    rng, n, d = np.random.default_rng(1), 3000, 12
    Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    sizes = np.r_[np.logspace(0, -2, d - 1), 1 / condition]
    X = (rng.standard_normal((n, d)) * sizes) @ Q * np.logspace(-5, 5, d)
    if kind != "CSR" and condition < 1e9:
        X += X.std(axis=0) * rng.uniform(-3, 3, d)
    if kind == "copies":
        X = np.column_stack([X, X[:, 2], -2 * X[:, 5]])
    if kind == "one-hot":
        X = np.column_stack([X, np.eye(4)[rng.integers(0, 4, n)], np.ones(n)])
    y = rng.standard_normal((n, 2)) + 5
    weights = rng.integers(0, 4, n).astype(float) if kind == "weights" else None
    data = Data.build(sparse.csr_array(X) if kind == "CSR" else X, y, weights, **SQUARES)
    known = Curvature.empty(X.shape[1], 2, centred)
    for piece in data.chunks():
        known = known.add(*piece)
    fast = curvature_by_products(data, centred)
    assert (fast.total, fast.rows, fast.centred) == (known.total, known.rows, centred)
    assert_allclose(fast.centre, known.centre, rtol=1e-9, atol=1e-12)
    norms = np.linalg.norm(known.triangle, axis=0)
    varying = norms > 1e-12 * np.sqrt(known.total) * np.abs(known.centre)
    norms = np.where(varying, norms, np.inf)
    a, b = (c.triangle / norms for c in (fast, known))
    d = X.shape[1]
    assert_allclose(a[:, :d].T @ a, b[:, :d].T @ b, rtol=0, atol=1e-10)
    metric, _ = fast.solve(0.0)
    s = np.ones(n) if weights is None else data.weights
    Z = (X - (0 if metric.centre is None else metric.centre)) * np.sqrt(s / s.sum())[
        :, None
    ]
    white = (Z / metric.scale) @ metric.root.T
    assert_allclose(white.T @ white, np.eye(len(metric.root)), atol=1e-3)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_products_that_cannot_tell(size):
    X = np.random.default_rng(2).standard_normal((50, 3)) * [1, size, 1]
    assert curvature_by_products(Data.build(X, np.ones((50, 1)), **SQUARES), True) is None


# --------------------------------------------------------------------------- low rank


def ill_conditioned(n=2000, d=60):
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    X = (rng.standard_normal((n, d)) * np.logspace(0, -2, d)) @ Q + 0.1
    return X, X @ rng.standard_normal(d) / X.std() + 0.1 * rng.standard_normal(n)


@pytest.mark.usefixtures("many_features")
@pytest.mark.parametrize("weighted", [False, True])
def test_steps_of_low_rank(weighted):
    X, y = ill_conditioned(200, 12)
    weights = np.random.default_rng(4).integers(1, 4, 200) * 1.0 if weighted else None
    problem = Drawn(X, y, weights, 0.0, True)
    common = {"learning_rate": 0.01, "batch_size": 7, "shuffle": False, "average": False}
    model = estimator(optimizer=SGD("sketch"), **common)
    got, metric = trajectory(model, problem, 3), model._continuation[0].metric
    assert metric.low_rank
    root, scale, centre = metric.root, metric.scale, metric.centre
    P = (np.eye(12) - root.T @ root) / np.outer(scale, scale)
    g = np.column_stack([np.random.default_rng(5).standard_normal((2, 12)), np.zeros(2)])
    twice = metric.to_raw(metric.to_coordinates(g))
    assert_allclose(twice[:, :-1], g[:, :-1] @ P, rtol=1e-10)
    L = np.linalg.cholesky(P)  # plain steps of these features
    expected, _ = twin(
        (X - centre) @ L, y, eta=lambda t: 0.01, epochs=3, batch_size=7,
        sample_weight=weights,
    )  # fmt: skip
    w = [L @ theta[0, :-1] for theta in expected]
    assert_allclose([theta[0, :-1] for theta in got], w, rtol=1e-8)
    level = [t[0, -1] - v @ centre for t, v in zip(expected, w, strict=True)]
    assert_allclose([theta[0, -1] for theta in got], level, rtol=1e-8)
    model = estimator(optimizer=SVRG(metric="sketch"), **common)
    got = trajectory(model, problem, 2)
    expected = svrg_twin(
        X, y, eta=0.01, epochs=2, batch_size=7, sample_weight=weights, average=False,
        metric=centre, P=P,
    )  # fmt: skip
    assert_allclose(got, expected, rtol=1e-7)


@pytest.mark.usefixtures("many_features")
def test_low_rank_saves_passes(monkeypatch):
    """Where memory holds no curvature of all features, in single precision neither."""
    monkeypatch.setattr(choose, "SINGLE_CURVATURE_BYTES", 0)
    X, y = ill_conditioned()
    low, diagonal = estimator(), estimator(optimizer=ConjugateGradient("diagonal"))
    for model in (low.fit(X, y), diagonal.fit(X, y)):
        assert model.converged_
        assert Reference(X, y).excess(model.coef_, model.intercept_).max() <= 1e-7
    assert "largest curvatures" in low.plan_.slots["metric"]
    assert low.history_[-1]["passes"] < 0.7 * diagonal.history_[-1]["passes"]


def test_auto_is_advised_where_it_is_not_in_use_only():
    """Beyond 2,000 features, too, where it takes steps and may run out of epochs."""
    rng = np.random.default_rng(0)
    X = sparse.csr_array(sparse.random(4000, 2500, 0.01, "csr", random_state=rng))
    y = X @ rng.standard_normal(2500) + rng.standard_normal(4000)
    for optimizer, advice in (("auto", "tol."), ("cg", "tol, or use optimizer='auto'.")):
        model = SGDLinearRegressor(optimizer=optimizer, max_iter=2, tol=1e-14)
        with pytest.warns(ConvergenceWarning, match="the optimality gap is"):
            model.fit(X, y)
        assert model.stop_reason_.endswith(f"Increase max_iter or {advice}")
