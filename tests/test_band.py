"""Losses with kinks by the rows near one: every safeguard has the case that asked for it.

The optimum is that of linear programming (HiGHS). The band is made small here, so that few
rows are as many to it as hundreds of thousands.
"""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import linprog

from sgdreg import SGDLinearRegressor
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg._solvers.newton import band, predictor_corrector, restricted, sparse_terms
from sgdreg._solvers.newton.crossover import SHORTEST, Finish, _of_quadratic
from sgdreg._solvers.newton.frame import Frame
from sgdreg._solvers.newton.kinks import Kinks, leverage
from sgdreg._solvers.newton.piecewise_linear import Box, Coordinates, Dense, Problem, Terms
from sgdreg._solvers.newton.predictor_corrector import minimum
from sgdreg._solvers.newton.sparse_terms import Sparse
from sgdreg._solvers.newton.streamed import Streamed
from sgdreg._solvers.newton.ties import multipliers_of_ties
from sgdreg.losses import EpsilonInsensitive, Quantile

pytestmark = pytest.mark.filterwarnings("error")

TOL = 1e-8


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Bands of some dozens of rows; each test sees how many rounds there were."""
    for name, number in {
        "FEW": 40, "FEW_A_DIRECTION": 4, "NEAR": 80, "NEAR_A_DIRECTION": 6,
    }.items():  # fmt: skip
        monkeypatch.setattr(band, name, number)
    seen = []
    solved = band.minimum

    def noted(problem, goal):
        seen.append(len(problem.offsets))
        return solved(problem, goal)

    monkeypatch.setattr(band, "minimum", noted)
    return seen


def data_of(X, y, loss, weights=None):
    X = np.ascontiguousarray(X, float)
    return Data.build(X, np.ascontiguousarray(y)[:, None], weights, loss=loss, team=ALONE)


def draw(n=400, d=4, seed=0, noise="t", features="normal"):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    if features == "heavy tails":
        X = rng.standard_t(1.5, (n, d))
    elif features == "rows of leverage":
        X[rng.choice(n, n // 100, replace=False)] *= 1000
    elif features == "near copies":
        X[:, -1] = X[:, 0] + 1e-6 * rng.standard_normal(n)
    elif features == "copies":
        X[:, -1] = X[:, 0]
    elif features == "raw scales":
        X = X * 10.0 ** rng.uniform(-3, 3, d) + 10.0 ** rng.uniform(-2, 3, d)
    elif features == "integers":
        X = np.round(2 * X)
    elif features == "a rare column":
        X[:, -1] = 0.0
        X[rng.choice(n, 6, replace=False), -1] = 1.0
    elif features == "a constant":
        X[:, -1] = 5.0
    signal = (X - X.mean(axis=0)) @ (rng.standard_normal(d) / (X.std(axis=0) + 1e-9))
    y = 3 + signal + 0.5 * rng.standard_t(2, n)
    if noise == "cauchy":
        y = 3 + signal + rng.standard_cauchy(n)
    elif noise == "integers":
        y = np.round(2 * y)
    elif noise == "zeros":
        y[rng.random(n) < 0.7] = 0.0
    elif noise == "none":
        y = 3 + signal
    elif noise == "outliers":
        y[rng.random(n) < 0.1] += 100.0
    elif noise == "counts":
        y = rng.poisson(np.exp(np.clip(signal / 2, -3, 3))).astype(float)
    elif noise == "binary":
        y = (y > 3).astype(float)
    return X, y


def least(X, y, below=0.5, above=0.5, dead=0.0, l1=0.0, positive=False, weights=None):
    """The least objective by HiGHS: w, b, a residual above and one below of each row."""
    n, d = X.shape
    s = np.full(n, 1 / n) if weights is None else weights / weights.sum()
    centre, scale = X.mean(axis=0), X.std(axis=0)
    Z = (X - centre) / np.where(scale > 1e-9 * np.abs(centre), scale, np.inf)
    price = np.where(np.isfinite(scale) & (scale > 0), l1 / np.where(scale, scale, 1), 0)
    one, eye = np.ones((n, 1)), sparse.eye_array(n)
    rows = sparse.csr_array(np.column_stack([Z, -Z, one]))
    A = sparse.vstack(
        [sparse.hstack([rows, -eye, 0 * eye]), sparse.hstack([-rows, 0 * eye, -eye])]
    )
    cost = np.concatenate([price, price, [0.0], above * s, below * s])
    far = 0.0 if positive else None
    bounds = [(0, None)] * d + [(0, far)] * d + [(None, None)] + [(0, None)] * (2 * n)
    limits = np.concatenate([y + dead, dead - y])
    return linprog(cost, A, limits, bounds=bounds, method="highs").fun


def judged(model, X, y, **of):
    """Assert that a fit is at the optimum, and knows it; returns its own objective."""
    optimum, entry = least(X, y, **of), model.history_[-1]
    below, above, dead = of.get("below", 0.5), of.get("above", 0.5), of.get("dead", 0.0)
    s = of.get("weights")
    s = np.full(len(y), 1 / len(y)) if s is None else s / s.sum()
    r = X @ model.coef_ + model.intercept_ - y
    loss = s @ (above * np.maximum(r - dead, 0) + below * np.maximum(-r - dead, 0))
    objective = loss + of.get("l1", 0.0) * np.abs(model.coef_).sum()
    at = (y + np.array([[dead], [-dead]])).ravel()[
        :, None
    ]  # a best constant is one of these
    constants = above * np.maximum(at - y - dead, 0) + below * np.maximum(y - at - dead, 0)
    constant = (constants @ s).min()
    unit = max(constant, 1e-300)
    assert model.plan_.optimizer.name == "newton"
    assert model.converged_
    assert entry["optimality_gap"] <= TOL
    assert_allclose(entry["objective"], objective, rtol=1e-9, atol=1e-12 * unit)
    assert objective - optimum <= (TOL + 2e-9) * unit
    assert entry["optimality_gap"] >= 0.3 * (objective - optimum) / unit - 2e-9
    return r


def fit(X, y, **settings):
    settings = {"penalty": None, "random_state": 0} | settings
    return SGDLinearRegressor(**settings).fit(X, y)


CASES = {
    "heavy tails": {"features": "heavy tails"},
    "rows of leverage": {"features": "rows of leverage"},
    "near copies": {"features": "near copies"},
    "copies": {"features": "copies"},
    "raw scales": {"features": "raw scales"},
    "a rare column": {"features": "a rare column"},
    "a constant": {"features": "a constant"},
    "integers": {"features": "integers", "noise": "integers"},
    "ties": {"noise": "zeros"},
    "no noise": {"noise": "none"},
    "cauchy": {"noise": "cauchy"},
    "the quantile in a gap": {"noise": "outliers"},
    "counts": {"noise": "counts"},
    "two values": {"noise": "binary"},
}


@pytest.mark.parametrize("level", [0.5, 0.99])
@pytest.mark.parametrize("case", CASES)
def test_quantiles_of_hard_data_are_the_optimum(case, level):
    X, y = draw(**CASES[case])
    model = fit(X, y, loss="quantile", quantile=level)
    judged(model, X, y, below=level, above=1 - level)


@pytest.mark.parametrize("case", CASES)
def test_dead_zones_of_hard_data_are_the_optimum(case):
    X, y = draw(n=300, **CASES[case])
    model = fit(X, y, loss="epsilon_insensitive", epsilon=0.3)
    judged(model, X, y, below=1.0, above=1.0, dead=0.3)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(
    "case", ["heavy tails", "near copies", "copies", "ties", "a constant"]
)
def test_prices_of_coefficients_are_kinks_too(case, positive):
    X, y = draw(n=300, **CASES[case])
    settings = {"penalty": "l1", "alpha": 0.05, "positive": positive}
    model = fit(X, y, loss="absolute_error", **settings)
    judged(model, X, y, below=1.0, above=1.0, l1=0.05, positive=positive)
    assert (model.coef_ == 0).any() or (np.abs(model.coef_) > 1e-6).all()
    assert not positive or (model.coef_ >= 0).all()


def test_few_rows_are_solved_for(narrow):
    """The band is a small share of the rows, and one of it is enough."""
    drawn = [draw(n=6000, seed=seed) for seed in range(5)]
    models = [fit(X, y, loss="quantile", quantile=0.8) for X, y in drawn[::-1]]
    (X, y), model = drawn[0], models[-1]
    r = X @ model.coef_ + model.intercept_ - y
    other = fit(X, y, loss="quantile", quantile=0.8, optimizer="interior_point")
    assert_allclose(model.history_[-1]["objective"], other.history_[-1]["objective"], 1e-8)
    assert narrow[-1] < 200
    assert np.median([len(model.history_) for model in models]) <= 8
    assert (np.abs(r) < 1e-12).sum() == 5  # on the vertex: as many rows as unknowns


def test_tails_do_not_fill_the_band(narrow):
    """Widths are measured by leverage: rows that move further are near."""
    X, y = draw(n=6000, features="heavy tails")
    assert fit(X, y, loss="absolute_error").converged_
    assert min(narrow) < 400


def test_a_sample_that_misleads_is_no_start():
    """One row of a sample that the others contradict: the fit begins at the constant."""
    X, y = draw(n=1500)
    X[::97, 0] *= 1e9
    y[::97] = 1e3
    judged(fit(X, y, loss="absolute_error"), X, y, below=1.0, above=1.0)


@pytest.mark.parametrize("loss", ["quantile", "epsilon_insensitive"])
def test_sparse_rows_are_the_dense_model(loss):
    rng = np.random.default_rng(0)
    S = sparse.random(2000, 40, 0.1, "csr", random_state=rng)
    y = S @ rng.standard_normal(40) + 0.3 * rng.standard_t(2, 2000)
    settings = {"loss": loss, "quantile": 0.8} if loss == "quantile" else {"loss": loss}
    models = fit(sparse.csr_array(S), y, **settings), fit(S.toarray(), y, **settings)
    objectives = [model.history_[-1]["objective"] for model in models]
    assert_allclose(*objectives, rtol=1e-10)
    assert all(model.converged_ for model in models)


def test_one_hot_columns_are_the_dense_model():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, [50, 60, 70], (3000, 3)) + np.array([0, 50, 110])
    rows = np.repeat(np.arange(3000), 3)
    S = sparse.csr_array((np.ones(9000), (rows, codes.ravel())), shape=(3000, 180))
    y = S @ rng.standard_normal(180) + 0.3 * rng.standard_t(2, 3000)
    sparse_one, dense = (fit(X, y, loss="absolute_error") for X in (S, S.toarray()))
    assert sparse_one.plan_.optimizer.name == "newton"
    assert sparse_one.converged_
    assert_allclose(
        sparse_one.history_[-1]["objective"], dense.history_[-1]["objective"], rtol=1e-9
    )


def test_a_tiny_price_of_singular_columns_falls_back(monkeypatch):
    """Where steps in the features' own scale have not ended, the sample's frame follows."""
    solved, frames = band.minimum, []

    def in_vain(problem, goal):
        diagonal = isinstance(problem.terms.blocks[-1], Coordinates)
        if len(problem.offsets) > 300:
            frames.append(diagonal)
        return solved(problem, 1e-2 if diagonal else goal)

    monkeypatch.setattr(band, "minimum", in_vain)
    monkeypatch.setattr(band.Finish, "on_vertex", lambda self: None)
    rng = np.random.default_rng(0)
    X = np.zeros((300, 40))
    X[np.arange(300), rng.integers(0, 20, 300)] = 1.0
    X[np.arange(300), 20 + rng.integers(0, 20, 300)] = 1.0
    y = X @ rng.standard_normal(40) + rng.standard_normal(300)
    model = fit(sparse.csr_matrix(X), y, loss="absolute_error", penalty="l1", alpha=1e-3)
    assert model.converged_
    assert frames[0]
    assert not frames[-1]


def test_outputs_do_not_know_of_each_other():
    X, y = draw(n=1200)
    Y = np.column_stack([y, -3 * y + X[:, 0], np.round(y)])
    settings = {"loss": "quantile", "quantile": 0.7}
    together = fit(X, Y, **settings)
    assert together.converged_
    for column, coef in zip(Y.T, together.coef_, strict=True):
        alone = fit(X, column, **settings)
        assert_allclose(coef, alone.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("weights", [None, "some zero"])
def test_no_rows_are_none_of_them(weights):
    X, y = draw()
    weights = weights and (np.arange(len(y)) % 3).astype(float)
    data = data_of(X, y, Quantile(0.5), weights)
    taken = data.take(np.array([], np.intp))
    assert [part.shape for part in taken] == [(0, 4), (0, 1), (0,)]


@pytest.mark.parametrize("penalty", [None, "l2", "l1"])
@pytest.mark.parametrize("coef_init", [None, np.array([5.0, 5.0])])
def test_zeros_without_an_intercept_have_nothing_to_fit(penalty, coef_init):
    y = np.random.default_rng(0).standard_normal(300)
    settings = {"loss": "quantile", "penalty": penalty, "fit_intercept": False}
    model = SGDLinearRegressor(**settings).fit(np.zeros((300, 2)), y, coef_init=coef_init)
    assert model.converged_
    assert_allclose(model.history_[-1]["objective"], np.abs(y).mean() / 2)


def test_an_output_of_several_is_sampled_by_itself():
    """What directions left out may be worth is known of each output."""
    rng = np.random.default_rng(0)
    X = sparse.csr_array(np.eye(2)[rng.integers(0, 2, 1200)])
    Y = rng.standard_t(2, (1200, 2))
    together = fit(X, Y, loss="epsilon_insensitive", epsilon=0.01)
    assert together.converged_
    alone = [fit(X, y, loss="epsilon_insensitive", epsilon=0.01) for y in Y.T]
    objectives = [model.history_[-1]["objective"] for model in alone]
    assert_allclose(together.history_[-1]["objective"], sum(objectives), rtol=1e-7)


def test_weights_are_repetitions():
    X, y = draw(n=900, noise="integers")
    weights = np.random.default_rng(1).integers(0, 4, 900)
    settings = {"loss": "quantile", "quantile": 0.8, "penalty": "l2", "alpha": 1e-3}
    model = SGDLinearRegressor(**settings).fit(X, y, sample_weight=weights)
    again = fit(np.repeat(X, weights, axis=0), np.repeat(y, weights), **settings)
    assert model.converged_
    assert_allclose(
        model.history_[-1]["objective"], again.history_[-1]["objective"], rtol=1e-9
    )


def test_any_number_of_threads_is_the_same_model():
    X, y = draw(n=60_000, d=12)
    models = [fit(X, y, loss="absolute_error", n_jobs=jobs) for jobs in (1, 2)]
    assert_array_equal(models[0].coef_, models[1].coef_)


def test_single_precision_leads_to_the_same_point(monkeypatch):
    X, y = draw(n=600, d=20)
    usual = fit(X, y, loss="absolute_error")
    monkeypatch.setattr(predictor_corrector, "SINGLE_WORK", 0.0)
    single = fit(X, y, loss="absolute_error")
    assert_allclose(single.coef_, usual.coef_, rtol=1e-9)


@pytest.mark.parametrize("features", ["raw scales", "near copies"])
@pytest.mark.parametrize("loss", ["quantile", "epsilon_insensitive"])
def test_rows_that_are_not_copied_lead_there_too(monkeypatch, loss, features):
    X, y = draw(n=500, features=features, noise="zeros")
    usual = fit(X, y, loss=loss)
    monkeypatch.setattr(restricted, "COPIED", 0.0)
    monkeypatch.setattr(restricted, "COPIED_A_SQUARE", 0.0)
    streamed = fit(X, y, loss=loss)
    assert streamed.converged_
    assert_allclose(
        streamed.history_[-1]["objective"], usual.history_[-1]["objective"], rtol=1e-8
    )


# -------------------------------------------------------------------------- its parts


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_streamed_rows_are_the_copied_ones(intercept, after):
    rng = np.random.default_rng(0)
    X, y = draw(n=300, d=5)
    data = data_of(X, y, Quantile(0.5))
    frame = Frame(curvature_of(data, intercept).solve(0.0)[0], intercept)
    at, which = np.arange(20, 220), rng.integers(0, 200, 350)
    streamed = Streamed(data, frame, at, which)
    streamed.turned_after, streamed.size = after, 32
    copied = Dense(frame.rows(X[at]), which)
    p, a, bends = rng.standard_normal(frame.size), rng.standard_normal(350), rng.random(350)
    assert_allclose(streamed.products(p), copied.products(p), atol=1e-12)
    assert_allclose(streamed.sums(a), copied.sums(a), atol=1e-11)
    assert_allclose(streamed.rows(np.arange(9)), copied.rows(np.arange(9)), atol=1e-12)
    empty = np.zeros((frame.size, frame.size), order="F")
    grams = [
        np.triu(block.add_gram(bends, empty.copy("F"))) for block in (streamed, copied)
    ]
    assert_allclose(*grams, atol=1e-11)
    A = frame.rows(X[at])[which]
    assert_allclose(grams[0], np.triu(A.T @ (bends[:, None] * A)), atol=1e-11)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_are_the_copied_ones(intercept, diagonal, dtype, monkeypatch):
    """By their non-zeros, centred after the products; a constant column is nothing."""
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((300, 6)), 1) * (rng.random((300, 6)) < 0.3)
    X[:, 4] = 0.0
    X = sparse.csr_matrix(X.astype(dtype))
    y = X[:, [0]].toarray().astype(float)
    data = Data.build(X, y, None, loss=Quantile(0.5), team=ALONE)
    metric = curvature_of(data, intercept).solve(0.0)[0]
    frame = Frame.of_scaled(metric, intercept) if diagonal else Frame(metric, intercept)
    at, which = np.arange(20, 220), rng.integers(0, 200, 350)
    monkeypatch.setattr(sparse_terms, "PIECE_NUMBERS", 40)
    stored = Sparse(data, frame, at, which)
    copied = Dense(frame.rows(X[at].toarray().astype(float)), which)
    p, a, bends = rng.standard_normal(frame.size), rng.standard_normal(350), rng.random(350)
    assert_allclose(stored.products(p), copied.products(p), atol=1e-12)
    assert_allclose(stored.sums(a), copied.sums(a), atol=1e-11)
    assert_allclose(stored.rows(np.arange(9)), copied.rows(np.arange(9)), atol=1e-12)
    empty = np.zeros((frame.size, frame.size), order="F")
    grams = [np.triu(b.add_gram(bends, empty.copy("F"))) for b in (stored, copied)]
    assert_allclose(*grams, atol=1e-10)


def test_prices_of_a_diagonal_frame_are_those_of_any():
    """Each coefficient is an entry of p, or a constant column's zero."""
    rng = np.random.default_rng(0)
    X, y = draw(features="a constant")
    data = data_of(X, y, Quantile(0.5))
    frame = Frame.of_scaled(curvature_of(data, True).solve(0.0)[0], True)
    terms, dense = Coordinates(~frame.metric.constant, frame.size), Dense(frame.on_coef())
    p, a = rng.standard_normal(frame.size), rng.random(len(dense))
    assert len(terms) == len(dense)
    assert_allclose(terms.products(p), dense.products(p), atol=1e-15)
    assert_allclose(terms.sums(a), dense.sums(a), atol=1e-15)
    assert_allclose(terms.rows(np.array([3, 0])), dense.rows(np.array([3, 0])), atol=1e-15)
    empty = np.zeros((frame.size, frame.size), order="F")
    grams = [np.triu(b.add_gram(a, empty.copy("F"))) for b in (terms, dense)]
    assert_allclose(*grams, atol=1e-15)


@pytest.mark.parametrize("penalty", [{"penalty": "l1", "alpha": 3e-3}, {}])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("loss", ["quantile", "epsilon_insensitive"])
def test_sparse_rows_with_prices_are_the_dense_model(loss, positive, penalty, narrow):
    """Columns of two categories, all levels: the columns of each add up to ones."""
    rng = np.random.default_rng(0)
    n, levels = 600, 12
    X = np.zeros((n, 2 * levels))
    X[np.arange(n), rng.integers(0, levels, n)] = 1.0
    X[np.arange(n), levels + rng.integers(0, levels, n)] = rng.standard_normal(n)
    y = X @ rng.standard_normal(2 * levels) + 0.3 * rng.standard_t(2, n)
    settings = {"loss": loss, "positive": positive} | penalty
    dense, stored = fit(X, y, **settings), fit(sparse.csr_matrix(X), y, **settings)
    of = {"below": 1.0, "above": 1.0, "dead": 0.1}
    judged(stored, X, y, l1=penalty.get("alpha", 0.0), positive=positive, **(
        {} if loss == "quantile" else of
    ))  # fmt: skip
    assert_allclose(
        stored.history_[-1]["objective"], dense.history_[-1]["objective"], rtol=1e-8
    )


def test_the_frame_makes_rows_a_standard_cloud():
    X, y = draw(n=400, d=5, features="raw scales")
    data = data_of(X, y, Quantile(0.5))
    frame = Frame(curvature_of(data, True).solve(0.0)[0], True)
    A = frame.rows(X)
    assert_allclose(A.T @ A / 400, np.eye(6), atol=1e-9)
    p = np.arange(6.0)
    weights = frame.raw(p)
    assert_allclose(A @ p, (X - frame.metric.centre) @ weights[:-1] + weights[-1])
    g = np.random.default_rng(0).standard_normal(400)
    gradient = np.append(g @ X, g.sum())
    assert_allclose(frame.slope(gradient), g @ A, rtol=1e-9, atol=1e-9)


def test_leverage_is_a_length():
    """Products with random directions: their mean square is that of the row's length."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 6)) * rng.lognormal(0, 2, 200)[:, None]
    data = data_of(X, X[:, 0], Quantile(0.5))
    looks = np.vstack([rng.standard_normal((6, 4000)), np.zeros(4000)])
    lengths = np.maximum(np.linalg.norm(X, axis=1), 1.0)
    assert_allclose(leverage(data, looks), lengths, rtol=0.1)


def test_ties_do_not_count_in_the_width():
    kinks, rng = Kinks(EpsilonInsensitive(1.0)), np.random.default_rng(0)
    e = np.concatenate([np.full(500, 1.0), rng.uniform(-3, 3, 1500)])
    width = kinks.half_width(100, e, np.ones(2000), 1.0, rng)
    near = kinks.near(e, np.ones(2000), width)
    assert 0.01 < width < 0.2
    assert [
        (np.abs(e[rows] - at) <= width).all()
        for rows, at in zip(near, (1, -1), strict=True)
    ]
    assert len(near[0]) >= 500 > len(near[1])


def test_signs_that_are_wrong_are_found():
    kinks = Kinks(EpsilonInsensitive(1.0))
    before, after = np.array([2.0, 2.0, 0.0, -2.0]), np.array([0.5, 3.0, -1.5, -1.5])
    none = [np.empty(0, int), np.empty(0, int)]
    assert kinks.crossed(before, after, none).tolist() == [True, False, True, False]
    known = [np.array([0]), np.array([2])]
    assert not kinks.crossed(before, after, known).any()


def terms_with_walls(m=60, k=4, radius=0.05, seed=0):
    """Kinks whose optimum is outside of a box."""
    rng = np.random.default_rng(seed)
    A, r = rng.standard_normal((m, k)), rng.standard_normal(m)
    none, wall, box = np.zeros(k), np.ones(k), np.full(k, radius)
    offsets = np.concatenate([r, -box, box])
    low = np.concatenate([np.full(m, -0.3 / m), none, -wall])
    high = np.concatenate([np.full(m, 0.7 / m), wall, none])
    terms = Terms([Dense(A), Box(k)])
    q, Q = np.zeros(k), np.zeros((k, k))
    problem = Problem(terms, offsets, low, high, q, Q, 1.0, 1.0, walls=2 * k)
    return problem, A, r


def least_of_terms(A, r, below, above):
    """The least of Σ max(-below z, above z), z = r + A p, by HiGHS."""
    m, k = A.shape
    eye = sparse.eye_array(m)
    rows = sparse.csr_array(A)
    both = sparse.vstack(
        [sparse.hstack([rows, -eye, 0 * eye]), sparse.hstack([-rows, 0 * eye, -eye])]
    )
    cost = np.concatenate([np.zeros(k), np.full(m, above), np.full(m, below)])
    bounds = [(None, None)] * k + [(0, None)] * (2 * m)
    return linprog(cost, both, np.append(-r, r), bounds=bounds, method="highs").fun


@pytest.mark.parametrize("radius", [0.05, 50.0])
def test_walls_are_in_no_bound(radius):
    """The bound holds beyond the box, whether or not steps have ended at its walls."""
    problem, A, r = terms_with_walls(radius=radius)
    optimum = least_of_terms(A, r, 0.3 / 60, 0.7 / 60)
    finish = Finish(problem, minimum(problem, 1e-12))
    value, bound = finish.value(finish.found.p), finish.lower_bound(np.inf)
    assert bound <= optimum + 1e-12
    if radius > 1:
        assert_allclose([value, bound], optimum, rtol=1e-9)
        p = finish.on_vertex()
        assert (np.abs(r + A @ p) < 1e-13).sum() == 4
    else:
        assert np.abs(finish.found.p).max() <= radius * (1 + 1e-6)
        assert value > optimum + 1e-3


def test_what_is_not_feasible_is_paid_for():
    """Multipliers that are not where they belong: the bound is below, as it has to be."""
    problem, A, r = terms_with_walls(radius=50.0)
    optimum = least_of_terms(A, r, 0.3 / 60, 0.7 / 60)
    found = minimum(problem, 1e-12)
    rng = np.random.default_rng(0)
    for size in (1e-6, 1e-3, 1.0):
        finish = Finish(problem, found)
        p = found.p + size * rng.standard_normal(4)
        a = found.a * (1 + size * rng.standard_normal(len(found.a)))
        a[60:] = 0.0
        assert finish._bound(p, problem.clipped(a, slice(0, 60))) <= optimum + 1e-12


@pytest.mark.parametrize("rank", [2, 5])
def test_ties_are_solved_for_like_any_other_terms(rank):
    """More terms at their kinks than directions: p and multipliers of the whole system."""
    rng = np.random.default_rng(rank)
    A = np.repeat(rng.standard_normal((8, rank)), 5, axis=0)
    A = A @ rng.standard_normal((rank, 5))
    Q = np.diag([1.0, 2.0, 3.0, 4.0, 0.0])
    slope, r = rng.standard_normal(5), A @ rng.standard_normal(5)
    p, a = _of_quadratic(A, Q)(slope, r)
    K = np.block([[Q, A.T], [A, np.zeros((40, 40))]])
    expected = np.linalg.lstsq(K, np.append(slope, r), rcond=SHORTEST)[0]
    assert_allclose(p, expected[:5], rtol=1e-8)
    assert_allclose(a, expected[5:], rtol=1e-8, atol=1e-12)


def test_ties_take_no_square_of_their_number():
    A = np.ones((3000, 2))
    tracemalloc.start()
    _of_quadratic(A, np.diag([1.0, 0.0]))(np.ones(2), np.zeros(3000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * A.nbytes


def of_ties(share, seed, n=300, k=3, tied=0.8):
    """Terms of one row each, most of them at their kink, as (problem, rows A).

    The larger `share`, the further the others pull: near one ties can hardly balance them.
    """
    rng = np.random.default_rng(seed)
    A = np.column_stack([rng.standard_normal((n, k)), np.ones(n)])
    offsets = np.where(np.arange(n) < tied * n, 0.0, -1.0 - rng.random(n))
    high = np.full(n, 1.0 / n)
    low = -high * share * tied / (1 - tied)
    q, Q = np.zeros(k + 1), np.zeros((k + 1, k + 1))
    q += np.where(offsets < 0, low, 0.0) @ A
    inside = offsets == 0
    terms = Terms([Dense(A[inside])])
    of = offsets[inside], low[inside], high[inside], q, Q
    return Problem(terms, *of, 1.0, 1.0), A[inside]


@pytest.mark.parametrize("share", [0.3, 0.8, 0.9, 0.96, 1.02])
def test_ties_prove_what_linear_programming_proves(share):
    """Multipliers are found if there are any; they are within bounds, and balance."""
    for seed in range(8):
        problem, A = of_ties(share, seed)
        n = len(A)
        bounds = np.column_stack([problem.low, problem.high]) * n
        found = linprog(np.zeros(n), A_eq=A.T / n, b_eq=-problem.q, bounds=bounds)
        feasible = found.status == 0
        a = multipliers_of_ties(problem, n, 0.0, 1e-12)
        assert (a is not None) == feasible
        if feasible:
            assert (problem.low <= a).all()
            assert (a <= problem.high).all()
            assert np.abs(a @ A + problem.q).sum() <= 1e-12


@pytest.mark.parametrize("penalty", [{}, {"penalty": "l1", "alpha": 0.01}])
@pytest.mark.parametrize("loss", [Quantile(0.9), EpsilonInsensitive(0.3)])
@pytest.mark.parametrize("n", [60, 2000])
def test_a_constant_that_most_targets_are_is_proven_at_once(n, loss, penalty, narrow):
    """Interior points ended far from the optimum here, or after eighty steps."""
    X, y = draw(n=n, noise="t")
    y[np.random.default_rng(1).random(n) < 0.93] = 0.0
    of = {"below": 0.9, "above": 0.1}
    if isinstance(loss, EpsilonInsensitive):
        of = {"below": 1.0, "above": 1.0, "dead": 0.3}
    model = fit(X, y, loss=loss, **penalty)
    judged(model, X, y, l1=penalty.get("alpha", 0.0), **of)
    assert not model.coef_.any()
    assert narrow == []
