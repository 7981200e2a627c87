"""Squares with l1 and bounds: sampled, by all rows, and by a working set of columns."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import nnls
from sklearn.linear_model import ElasticNet

from sgdreg import SGDLinearRegressor
from sgdreg._curvature.chosen import products
from sgdreg._curvature.compiled_moments import compiled_moments
from sgdreg._curvature.metric import diagonal_metric
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg._kernels.descent import moments_about, scaled_columns
from sgdreg._plan import choose
from sgdreg._solvers import prepare
from sgdreg._solvers.newton import columns
from sgdreg._solvers.newton.squares import lowest
from sgdreg.losses import SQUARED_ERROR

WAYS = ("all rows", "sampled", "columns")


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """One of the ways to the optimum, whatever the sizes of the data are."""
    if request.param == "sampled":
        monkeypatch.setattr(prepare, "MODEL_WORK", 0)
        monkeypatch.setattr(prepare, "MODEL_PASSES", 0)
        monkeypatch.setattr(
            prepare, "sample_size", lambda n, d, tol: min(n, max(60, 8 * d))
        )
    if request.param == "columns":
        monkeypatch.setattr(choose, "_by_columns", by_columns)
        monkeypatch.setattr(columns, "MORE", 4)
    return request.param


def by_columns(problem):
    return bool(problem.penalty.l1) and not problem.online


def draw(seed, n=1500, d=12, k=1):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * 10.0 ** rng.uniform(-2, 2, d)
    X += 3.0 * X.std(axis=0) * rng.standard_normal(d)
    X[:, 1] = X[:, 0] + 0.1 * X[:, 0].std() * rng.standard_normal(n)
    W = np.where(rng.random((d, k)) < 0.5, rng.standard_normal((d, k)), 0.0)
    W /= X.std(axis=0)[:, None]
    return X, X @ W + 2.0 + rng.standard_normal((n, k)), rng


def top_of(X, y, weights):
    Xc, yc = X - weights @ X / weights.sum(), y - weights @ y / weights.sum()
    return np.abs(Xc.T @ (weights[:, None] * yc)).max() / weights.sum()


@pytest.mark.parametrize("kind", ["l1", "elasticnet", "positive l1", "positive"])
@pytest.mark.parametrize("storage", ["dense", "CSR", "float32"])
def test_optimum_of_all_ways(way, kind, storage):
    X, y, rng = draw(0, k=2)
    weights = rng.integers(0, 4, len(X)).astype(float)
    X[:, 2] *= rng.random(len(X)) < 0.2
    alpha = 0.05 * top_of(X, y, weights)
    ratio = 0.5 if kind == "elasticnet" else 1.0
    settings = {"positive": kind.startswith("positive"), "random_state": 0}
    if kind == "positive":
        alpha, settings["penalty"] = 0.0, None
    else:
        settings |= {"penalty": "elasticnet", "alpha": alpha, "l1_ratio": ratio}
    A = {"dense": X, "CSR": sparse.csr_array(X), "float32": X.astype(np.float32)}[storage]
    X = A.toarray() if storage == "CSR" else A.astype(float)
    model = SGDLinearRegressor(**settings).fit(A, y, sample_weight=weights)
    assert model.converged_
    assert repr(model.plan_.optimizer) == "Newton()"
    columns_used = "diagonal" in model.plan_.slots["metric"]
    assert columns_used == (way == "columns" and kind != "positive")
    sharpened = model.checkpoint_["sharpened"] > 0
    assert (model.plan_.sampled or sharpened) == (way == "sampled")
    for output in range(2):
        coef, intercept = model.coef_[output].astype(float), model.intercept_[output]
        found = objective(X, y[:, output], weights, coef, intercept, alpha, ratio)
        if kind == "positive":
            middle = weights @ X / weights.sum(), weights @ y[:, output] / weights.sum()
            root = np.sqrt(weights)
            best, _ = nnls(
                root[:, None] * (X - middle[0]), root * (y[:, output] - middle[1])
            )
            best = best, middle[1] - middle[0] @ best
        else:
            peer = ElasticNet(
                alpha=alpha, l1_ratio=ratio, positive=settings["positive"], tol=1e-13,
                max_iter=10**6,
            ).fit(X, y[:, output], sample_weight=weights)  # fmt: skip
            best = peer.coef_, peer.intercept_
        least = objective(X, y[:, output], weights, *best, alpha, ratio)
        unit = 0.5 * np.average(
            (y[:, output] - np.average(y[:, output], weights=weights)) ** 2, weights=weights
        )
        gap, allowed = model.history_[-1]["optimality_gap"], 1e-8
        assert -1e-9 <= (found - least) / unit <= allowed
        if storage != "float32":
            assert (found - least) / unit <= max(gap / 0.3, 1e-12)
            assert ((coef != 0) == (np.abs(best[0]) * X.std(axis=0) > 1e-8)).all()


def objective(X, y, weights, coef, intercept, alpha, ratio):
    loss = 0.5 * np.average((X @ coef + intercept - y) ** 2, weights=weights)
    return loss + alpha * (ratio * np.abs(coef).sum() + 0.5 * (1 - ratio) * coef @ coef)


def test_more_columns_than_rows_sparse_or_dense():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((90, 3000)) * (rng.random((90, 3000)) < 0.3)
    X[:, 5] = X[:, 6] = 0.0
    y = X[:, :12] @ rng.standard_normal(12) + 0.1 * rng.standard_normal(90)
    alpha = 0.05 * top_of(X, y[:, None], np.ones(90))
    peer = ElasticNet(alpha=alpha, l1_ratio=1.0, tol=1e-12, max_iter=10**5).fit(X, y)
    models = [
        SGDLinearRegressor(penalty="l1", alpha=alpha).fit(A, y)
        for A in (X, sparse.csr_array(X), np.asfortranarray(X))
    ]
    ones = np.ones(90)
    values = [
        objective(X, y, ones, m.coef_, m.intercept_, alpha, 1.0) for m in [*models, peer]
    ]
    for model, value in zip(models, values, strict=False):
        assert model.converged_
        assert abs(value - values[-1]) <= 1e-8 * 0.5 * y.var()
        np.testing.assert_array_equal(model.coef_ != 0, peer.coef_ != 0)
    assert abs(values[0] - values[1]) <= 1e-12 * values[0]


def test_beyond_the_largest_penalty_all_is_zero(way):
    X, y, _ = draw(2)
    top = top_of(X, y, np.ones(len(X)))
    model = SGDLinearRegressor(penalty="l1", alpha=1.001 * top).fit(X, y[:, 0])
    assert not model.coef_.any()
    assert model.intercept_ == pytest.approx(y.mean(), rel=1e-12)
    below = SGDLinearRegressor(penalty="l1", alpha=0.99 * top).fit(X, y[:, 0])
    assert np.count_nonzero(below.coef_) >= 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_gap_of_a_fit_that_ends_early(way):
    """At max_iter=1 the reported gap covers what is left."""
    for seed in range(5):
        X, y, _ = draw(seed, n=3000, d=30)
        alpha = 0.01 * top_of(X, y, np.ones(len(X)))
        settings = {"penalty": "l1", "alpha": alpha, "random_state": 0}
        early = SGDLinearRegressor(**settings, max_iter=1, tol=1e-12).fit(X, y[:, 0])
        best = SGDLinearRegressor(**settings, tol=1e-13, max_iter=1000).fit(X, y[:, 0])
        ones = np.ones(len(X))
        left = [
            objective(X, y[:, 0], ones, m.coef_, m.intercept_, alpha, 1.0)
            for m in (early, best)
        ]
        gap = early.history_[-1]["optimality_gap"]
        assert gap >= 0.3 * (left[0] - left[1]) / (0.5 * y.var()) - 1e-14


def test_lowest_point_along_a_step():
    rng = np.random.default_rng(0)
    t = np.linspace(0, 4, 40001)
    for _ in range(50):
        w, p = rng.standard_normal((2, 6)) * (rng.random((2, 6)) < 0.7)
        fall, bend, l1 = (
            -abs(rng.standard_normal()) * 3,
            rng.exponential(),
            rng.exponential(),
        )
        fall -= l1 * np.abs(p).sum()
        values = t * fall + 0.5 * t**2 * bend
        values += l1 * np.abs(w[:, None] + np.outer(p, t)).sum(axis=0)
        best = t[values.argmin()]
        if best < 4:
            assert lowest(w, p, fall, bend, l1) == pytest.approx(best, abs=2e-4)


@pytest.mark.parametrize("csr", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shift", [0.0, 50.0])
def test_products_of_chosen_columns(csr, weighted, shift):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((1500, 9)) * (rng.random((1500, 9)) < 0.4)
    X[:, 4] += shift
    y, weights = np.zeros((1500, 1)), rng.exponential(size=1500) if weighted else None
    A = sparse.csr_array(X) if csr else X
    data = Data.build(A, y, weights, loss=SQUARED_ERROR, team=ALONE)
    metric = diagonal_metric(data, True, 0.0)
    old, new = np.array([4, 2]), np.array([0, 8, 5])
    own, cross = products(data, metric, old, new)
    C = np.cov(X.T, bias=True, aweights=weights)
    C /= np.sqrt(np.outer(np.diagonal(C), np.diagonal(C)))
    np.testing.assert_allclose(own, C[np.ix_(new, new)], atol=1e-12)
    np.testing.assert_allclose(cross, C[np.ix_(old, new)], atol=1e-12)
    own, cross = products(data, metric, old, new, np.float32)
    np.testing.assert_allclose(own, C[np.ix_(new, new)], atol=1e-5)
    np.testing.assert_allclose(cross, C[np.ix_(old, new)], atol=1e-5)
    assert own.dtype == cross.dtype == np.float64
    own, _ = products(data, metric, old[:0], np.arange(9))
    np.testing.assert_allclose(own, C, atol=1e-12)
    np.testing.assert_allclose(own, own.T, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_columns_about_a_centre(dtype, weighted):
    """The compiled moments and scaled columns of rows in any order, and their refusals."""
    rng = np.random.default_rng(4)
    X = (rng.standard_normal((301, 1030)) + 100 * np.arange(1030)).astype(dtype)
    X[:, 3], X[:, 4] = 0.1, 1e7
    X[0, 4] = 1e7 + 1
    X[::10, 5] = 1e4  # further than ten spreads from the mean of all
    weights = rng.exponential(size=301) if weighted else None
    data = Data.build(X, np.zeros((301, 1)), weights, loss=SQUARED_ERROR, team=ALONE)
    for some in (data, data.only(rng.permutation(301)[:150])):
        total, mean, squares = compiled_moments(some)
        Z, s = some.rows.take(np.arange(some.n_rows)), np.ones(some.n_rows)
        if weighted:
            s = some.row_weights
        assert total == pytest.approx(s.sum())
        np.testing.assert_allclose(mean, np.average(Z, axis=0, weights=s), rtol=1e-12)
        about = np.average(Z - mean, axis=0, weights=s) + mean
        np.testing.assert_allclose(squares, s @ (Z - about) ** 2, rtol=1e-9)
        assert squares[3] == 0
        centre, factors = rng.standard_normal(4), rng.standard_normal(4)
        at, out = np.array([7, 0, 1029, 5]), np.empty((20, 4), dtype=dtype)
        scaled_columns(some.problem, centre, factors, at, some.rows.index, 3, out)
        wanted = np.sqrt(s)[3:23, None] * (Z[3:23][:, at] - centre) * factors
        np.testing.assert_allclose(out, wanted, rtol=1e-6)
    refused = ((290, at, "rows"), (0, at + 1, "column is"), (0, at[:2], "fit"))
    for start, which, match in refused:
        given = data.problem, centre, factors, which, data.rows.index, start, out
        with pytest.raises(ValueError, match=match):
            scaled_columns(*given)
    for centre, stop, match in ((mean, 302, "rows"), (mean[1:], 301, "fit")):
        with pytest.raises(ValueError, match=match):
            moments_about(data.problem, centre, data.rows.index, 0, stop)


@pytest.mark.parametrize("copy", [0.3, 1e-3, 1e-5])
def test_products_in_single_precision(monkeypatch, copy):
    """Exact gradients correct them; where they cannot, the products are taken anew."""
    monkeypatch.setattr(choose, "_by_columns", by_columns)
    X, y, rng = draw(6, n=300, d=40, k=2)
    X[:, 20:] = X[:, :20] + copy * X[:, :20].std(axis=0) * rng.standard_normal((300, 20))
    settings = {"penalty": "l1", "alpha": 1e-3 * top_of(X, y, np.ones(300)), "tol": 1e-10}
    exact = SGDLinearRegressor(**settings).fit(X, y)
    monkeypatch.setattr(columns, "SINGLE_WORTH", 0.0)
    dtypes = []

    def spied(*given):
        dtypes.append(given[-1])
        return products(*given)

    monkeypatch.setattr(columns, "products", spied)
    model = SGDLinearRegressor(**settings).fit(X, y)
    assert model.converged_
    assert exact.converged_
    assert dtypes[0] == np.float32
    assert (np.float64 in dtypes) == (copy < 1e-3)
    spread = y.std(axis=0)
    np.testing.assert_allclose(
        model.predict(X) / spread, exact.predict(X) / spread, atol=1e-5
    )


def test_stream_after_a_fit_by_columns():
    """Of fewer rows than columns all are kept; else as many stand for all."""
    for n, allowed in ((120, 1e-4), (600, 0.05)):
        X, y, _ = draw(4, n=n + 5, d=200, k=2)
        alpha = 0.05 * top_of(X, y, np.ones(len(X)))
        settings = {"penalty": "l1", "alpha": alpha}
        model = SGDLinearRegressor(**settings).fit(X[:n], y[:n])
        assert "diagonal" in model.plan_.slots["metric"]
        model.partial_fit(X[n:], y[n:])
        peer = SGDLinearRegressor(**settings).fit(X, y)
        error = np.abs(model.predict(X) - peer.predict(X)).max(axis=0)
        assert (error < allowed * y.std(axis=0)).all()


def test_working_sets_are_bounded(monkeypatch):
    """Where not even what is not zero fits, parts of it are solved for in turn."""
    monkeypatch.setattr(columns, "LARGEST", 25)
    X, y, _ = draw(5, n=300, d=60)
    alpha = 0.0003 * top_of(X, y, np.ones(len(X)))
    monkeypatch.setattr(choose, "_by_columns", by_columns)
    settings = {"penalty": "l1", "alpha": alpha, "max_iter": 3000, "tol": 1e-5}
    model = SGDLinearRegressor(**settings).fit(X, y[:, 0])
    assert model.converged_
    assert np.count_nonzero(model.coef_) > 25
