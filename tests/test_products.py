"""Compiled products and sums against slow twins; the fits that they serve."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sgdreg import SGDLinearRegressor
from sgdreg._curvature.metric import diagonal_metric
from sgdreg._curvature.of_rows import curvature_of
from sgdreg._curvature.products import _part_by_blas
from sgdreg._curvature.single import _products as single_products
from sgdreg._curvature.triangles import column_norms, products_of, symmetric_times
from sgdreg._data import constants as constant_module
from sgdreg._data.dataset import Data
from sgdreg._data.moments import second_moments
from sgdreg._data.threads import ALONE, Team
from sgdreg._kernels.descent import (
    centred_products,
    evaluate,
    move_to_mean,
    rough_centre,
    sums_about,
)
from sgdreg.losses import SQUARED_ERROR

SQUARES = {"loss": SQUARED_ERROR, "team": ALONE}
KINDS = ["dense", "float32", "CSR", "some rows", "some rows of CSR"]


def rows(kind, n, d, k=1, weighted=False, offset=0.0, seed=0):
    """A data set of a kind, and the same as dense X, y, weights in long double."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + offset
    if "CSR" in kind:
        X *= rng.random((n, d)) < 0.4
    if kind == "float32":
        X = X.astype(np.float32)
    weights = rng.integers(0, 3, n) + 0.5 if weighted else None
    y = rng.standard_normal((n, k)) + 3
    data = Data.build(sparse.csr_array(X) if "CSR" in kind else X, y, weights, **SQUARES)
    if "some" in kind:
        data = data.only(np.sort(rng.choice(n, n // 2 + 1, replace=False)))
    taken = data.take(np.arange(data.n_rows))
    return data, *(part.astype(np.longdouble) for part in taken)


# ------------------------------------------------------------------------- products


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("n", "d", "k"),
    [
        (1, 1, 1),
        (256, 4, 2),
        (257, 1, 1),
        (700, 11, 3),
        (4200, 1, 1),  # more rows than are summed by themselves
        (4200, 6, 1),
        (130, 3, 1),
        (70, 30, 1),
    ],
)
def test_products_of_rows(kind, weighted, n, d, k):
    data, X, y, s = rows(kind, n, d, k, weighted)
    centre = np.linspace(-1, 1, d + k)
    start = min(3, data.n_rows - 1)
    found = centred_products(data.problem, centre, data.rows.index, start, data.n_rows)
    Z = np.column_stack([X, y, np.ones(len(X))]) - np.append(centre, 0.0)
    expected = (Z[start:].T * s[start:]) @ Z[start:]
    assert_allclose(np.triu(found), np.triu(expected).astype(float), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_products_by_blas(kind, weighted):
    data, X, y, s = rows(kind, 700, 11, 2, weighted)
    centre = np.linspace(-1, 1, 13)
    pieces = (0, 300), (300, data.n_rows)
    found = sum(_part_by_blas(data, piece, centre) for piece in pieces)
    Z = np.column_stack([X, y, np.ones(len(X))]) - np.append(centre, 0.0)
    expected = (Z.T * s) @ Z
    assert_allclose(found, expected.astype(float), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [3, 256, 301])
def test_products_of_two_threads(size):
    rng = np.random.default_rng(size)
    A = rng.standard_normal((size, size + 5))
    exact = A @ A.T
    for some in (A.T, np.asfortranarray(A.T)):
        with Team(2) as team:
            found, alone = products_of(some, team), products_of(some, ALONE)
        assert_array_equal(np.triu(found), np.triu(alone))
        assert_allclose(np.triu(found), np.triu(exact), rtol=1e-13, atol=1e-12)
        with Team(2) as team:
            S = np.asfortranarray(np.triu(exact))
            found, alone = (symmetric_times(S.copy("F"), A, t) for t in (team, ALONE))
        assert_array_equal(found, alone)
        assert_allclose(found, exact @ A, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(("n", "d", "alpha"), [(300, 300, 0), (300, 300, 1), (9000, 60, 0)])
def test_the_same_bits_from_any_number_of_threads(n, d, alpha):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, d)) + 1.0, rng.standard_normal(n)
    penalty = "l2" if alpha else None
    models = [
        SGDLinearRegressor(penalty=penalty, n_jobs=jobs, tol=1e-12).fit(X, y)
        for jobs in (1, 2, 3)
    ]
    for model in models[1:]:
        assert_array_equal(model.coef_, models[0].coef_)
        gaps = [one.history_[-1]["optimality_gap"] for one in (model, models[0])]
        assert gaps[0] == gaps[1]


def test_a_wide_block_in_single_precision():
    """Its blocks end where they are full, and where the rows end."""
    data, X, _, s = rows("dense", 1100, 70, weighted=True, offset=2.0)
    metric = diagonal_metric(data, True, 0.0)
    found, total = single_products(data, metric)
    Z = (X - metric.centre) / metric.scale
    assert_allclose(total, float(s.sum()))
    assert_allclose(found, ((Z.T * s) @ Z).astype(float), atol=2e-5 * len(X))


def test_moments_of_pieces():
    data, X, _, s = rows("dense", 60_000, 10, weighted=True, offset=3.0)
    total, mean, squares = second_moments(data)
    assert len(data.pieces) > 1
    middle = s @ X / s.sum()
    assert_allclose(total, float(s.sum()))
    assert_allclose(mean, middle.astype(float), rtol=1e-14)
    assert_allclose(squares, (s @ (X - middle) ** 2).astype(float), rtol=1e-12)


@pytest.mark.parametrize("size", [1e-170, 1.0, 1e160])
def test_norms_of_columns_of_any_size(size):
    A = np.random.default_rng(0).standard_normal((9, 4))
    assert_allclose(column_norms(size * A), size * np.linalg.norm(A, axis=0), rtol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rough_centre_and_the_way_to_the_mean(kind):
    data, X, y, s = rows(kind, 100, 5, 2, weighted=True, offset=4.0)
    positions = np.arange(0, data.n_rows, 7)
    index = data.rows.index[positions] if len(data.rows.index) else positions
    centre = rough_centre(data.problem, index)
    Z = np.column_stack([X, y])
    assert_allclose(centre, Z[positions].mean(axis=0).astype(float), rtol=1e-13)
    products = centred_products(data.problem, centre, data.rows.index, 0, data.n_rows)
    far = move_to_mean(products, centre, 1e-13)
    mean = s @ Z / s.sum()
    expected = ((Z - mean).T * s) @ (Z - mean)
    assert_allclose(centre, mean.astype(float), rtol=1e-14)
    found = np.triu(products[:-1, :-1])
    assert_allclose(found, np.triu(expected).astype(float), rtol=1e-12, atol=1e-11)
    moved = mean - Z[positions].mean(axis=0)
    spreads = np.sqrt(np.diagonal(expected) / s.sum())
    assert_allclose(far, float(np.max(np.abs(moved) / spreads)), rtol=1e-9)


def test_constant_columns_stay_so_and_far_means_are_met_again():
    """A rough centre of 32 rows is far from the mean where these are outliers."""
    n = 3200
    X = np.random.default_rng(0).standard_normal((n, 3)) + 1e6
    X[:: n // 32, 0] += 1e9
    X[:, 1] = 0.1 + 1e6
    y = X[:, 2] - 1e6
    model = SGDLinearRegressor().fit(X, y)
    assert_allclose(model.coef_, [0.0, 0.0, 1.0], atol=1e-9)
    curvature = curvature_of(Data.build(X, y[:, None], **SQUARES), True)
    assert curvature.constant().tolist() == [False, True, False]
    assert_allclose(curvature.mean, X.astype(np.longdouble).mean(axis=0).astype(float))


# --------------------------------------------------------------------------- narrow


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("d", range(1, 10))
def test_narrow_rows_as_wide_ones(d, k, weighted, single):
    kind = "float32" if single else "dense"
    data, X, y, s = rows(kind, 5000, d, k, weighted, offset=2.0)
    rng = np.random.default_rng(1)
    weights, centre = rng.standard_normal((k, d + 1)), rng.standard_normal(d)
    for about in (None, centre):
        none = np.empty(0, dtype=np.intp)
        losses, gradient = evaluate(data.problem, weights, about, none, 7, 4999)
        Z = X[7:4999] - (0.0 if about is None else about)
        r = Z @ weights[:, :-1].T + weights[:, -1] - y[7:4999]
        sr = r * s[7:4999, None]
        ones = np.ones((len(Z), 1))
        expected = sr.T @ np.column_stack([X[7:4999], ones])
        assert_allclose(losses, (0.5 * (sr * r).sum(axis=0)).astype(float), rtol=1e-12)
        assert_allclose(gradient, expected.astype(float), rtol=1e-11, atol=1e-9)


def test_narrow_rows_far_from_zero_lose_no_digits():
    data, X, y, _s = rows("dense", 1000, 3, offset=1e9)
    centre = X.mean(axis=0).astype(float)
    weights = np.array([[1.0, -2.0, 3.0, 0.5]])
    losses, _ = data.evaluate(weights, centre)
    r = (X - centre) @ weights[0, :-1] + weights[0, -1] - y[:, 0]
    assert_allclose(losses, float(0.5 * (r**2).mean()), rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 3])
def test_constants_of_many_rows(k, weighted, monkeypatch):
    _, _, y, s = rows("dense", 9000, 1, k, weighted)
    y, s = y.astype(float) + 1e6, s.astype(float) if weighted else None
    y[:, 0] = 0.1
    sums = sums_about(y, s, y[0])
    e, w = y - y[0], np.ones(len(y)) if s is None else s
    expected = np.column_stack(
        [np.full(k, w.sum()), w @ e, w @ e**2, np.abs(e).sum(axis=0)]
    )
    assert_allclose(sums, expected, rtol=1e-12)
    few = constant_module.constants(y, s, SQUARED_ERROR)
    monkeypatch.setattr(constant_module, "MANY", 0)
    many = constant_module.constants(y, s, SQUARED_ERROR)
    assert many[0][0] == 0.1
    assert many[1][0] == 0.0
    for one, other in zip(few, many, strict=True):
        assert_allclose(one, other, rtol=1e-12, atol=1e-25)


# ----------------------------------------------------------------------------- fits


@pytest.mark.parametrize("n", [2, 5, 30, 31])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("kind", ["dense", "CSR", "float32"])
@pytest.mark.parametrize("weighted", [False, True])
def test_fewer_rows_than_features(n, intercept, kind, weighted):
    """Of all answers the one with the least norm in the scaled features, and its gap."""
    _data, X, y, s = rows(kind, n, 30, 2, weighted, offset=2.0, seed=n)
    X, y, s = X.astype(float), y.astype(float), s.astype(float)
    passed = X.astype(np.float32) if kind == "float32" else X
    passed = sparse.csr_array(X) if kind == "CSR" else passed
    model = SGDLinearRegressor(fit_intercept=intercept).fit(passed, y, s)
    mean, middle = (s @ X / s.sum(), s @ y / s.sum()) if intercept else (0.0, 0.0)
    Z, root = X - mean, np.sqrt(s / s.sum())[:, None]
    scale = np.linalg.norm(root * Z, axis=0)
    scale = np.where(scale > 1e-12, scale, np.inf)
    exact = np.linalg.lstsq(root * Z / scale, root * (y - middle), rcond=1e-10)[0].T / scale
    digits = 1e-3 if kind == "float32" else 1e-7
    assert_allclose(model.coef_, exact, atol=digits * np.abs(exact).max())
    assert model.converged_


def test_a_stream_goes_on_from_few_rows():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 6)), rng.standard_normal(50)
    model = SGDLinearRegressor()
    for part in (slice(0, 4), slice(4, 7), slice(7, 50)):
        model.partial_fit(X[part], y[part])
    A = np.column_stack([X, np.ones(50)])
    assert_allclose(model.coef_, np.linalg.lstsq(A, y)[0][:-1], atol=1e-9)


@pytest.mark.parametrize(("n", "d"), [(40, 3), (40, 40), (25, 60)])
@pytest.mark.parametrize("alpha", [1e-9, 1e-3, 10.0])
def test_ridge_by_products_and_by_rows(n, d, alpha):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, d)) * np.logspace(-2, 2, d), rng.standard_normal(n)
    model = SGDLinearRegressor(penalty="l2", alpha=alpha, tol=1e-14).fit(X, y)
    Z, t = X - X.mean(axis=0), y - y.mean()
    A = np.vstack([Z, np.sqrt(n * alpha) * np.eye(d)])
    exact = np.linalg.lstsq(A, np.append(t, np.zeros(d)))[0]
    cost = [np.sum((t - Z @ w) ** 2) + n * alpha * w @ w for w in (model.coef_, exact)]
    assert cost[0] <= cost[1] + 1e-10 * (t @ t)


def test_parameters_that_have_passed_are_known_by_their_types():
    X, y = np.ones((3, 1)), np.arange(3.0)
    model = SGDLinearRegressor(max_iter=7).fit(X, y)
    model.set_params(max_iter=7.0)
    with pytest.raises(ValueError, match="max_iter"):
        model.fit(X, y)
    model.set_params(max_iter=7, alpha=-1.0)
    for _ in range(2):
        with pytest.raises(ValueError, match="alpha"):
            model.fit(X, y)


def test_arrays_after_a_table_forget_its_names():
    pandas = pytest.importorskip("pandas")
    X, y = np.random.default_rng(0).standard_normal((9, 2)), np.arange(9.0)
    model = SGDLinearRegressor().fit(pandas.DataFrame(X, columns=["a", "b"]), y)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    model.fit(X[:, :1].copy(), y)
    assert model.n_features_in_ == 1
    assert not hasattr(model, "feature_names_in_")
