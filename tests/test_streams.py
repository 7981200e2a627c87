"""Streams of more features than a full curvature is kept of; threads."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from twin import StreamTwin

from sgdreg import SGDLinearRegressor
from sgdreg._plan import choose
from sgdreg._solvers import streams
from sgdreg.optimizers import SVRG, ConjugateGradient


@pytest.fixture
def many_features(monkeypatch):
    """Six features are too many for a full curvature."""
    monkeypatch.setattr(choose, "FULL_CURVATURE_RANK", 5)


many = pytest.mark.usefixtures("many_features")


def stream_of(rng, n=120, d=8, centred=True):
    """Correlated columns of many sizes and offsets, one of them constant."""
    Z = rng.standard_normal((n, d)) @ (np.eye(d) + 0.3 * rng.standard_normal((d, d)))
    y = Z[:, :3].sum(axis=1) + rng.standard_normal(n) + 50.0 * centred
    X = (Z + 2.0 * centred) * 10 ** rng.uniform(-3, 3, d)
    X[:, 3] = 2.5
    return X, y


def chunk_by_chunk(model, X, y, size, weights=None):
    """Predictions of the model after each chunk, for all rows."""
    for first in range(0, len(y), size):
        B = slice(first, first + size)
        model.partial_fit(X[B], y[B], None if weights is None else weights[B])
        yield model.predict(X)


@many
@pytest.mark.parametrize("size", [1, 7, 50, 120])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_a_stream_is_its_twin(monkeypatch, size, alpha, centred, weighted):
    """The argmin of its docstring, where chunks are solved to the last digit."""
    monkeypatch.setattr(streams, "STREAM_TOL", 1e-12)
    monkeypatch.setattr(streams, "STREAM_ROUNDS", 300)
    rng = np.random.default_rng(6)
    X, y = stream_of(rng, 60 if size == 1 else 120, centred=centred)
    s = rng.integers(1, 4, len(y)).astype(float) if weighted else None
    penalty = {"penalty": "l2", "alpha": alpha} if alpha else {}
    model = SGDLinearRegressor(fit_intercept=centred, **penalty)
    two = model, StreamTwin(X.shape[1], alpha, centred)
    for p, q in zip(*(chunk_by_chunk(m, X, y, size, s) for m in two), strict=True):
        assert_allclose(p, q, rtol=0, atol=1e-5 * np.abs(q).max())


@many
@pytest.mark.parametrize("size", [1, 7, 50])
def test_a_stream_sees_no_units_and_no_offsets(size):
    rng = np.random.default_rng(7)
    X, y = stream_of(rng)
    (*_, p) = chunk_by_chunk(SGDLinearRegressor(), X, y, size)
    assert np.mean((p - y) ** 2) < 0.9 * y.var()
    d, spread = X.shape[1], X.std(axis=0)
    for A, a, b in (
        (X * 10 ** rng.uniform(-6, 6, d), 1.0, 0.0),
        (X + 100 * spread * rng.uniform(-1, 1, d), 1.0, 0.0),
        (X, -1e6, 0.0),
        (X, 1.0, 1e4),
    ):
        (*_, q) = chunk_by_chunk(SGDLinearRegressor(), A, a * y + b, size)
        assert_allclose((q - b) / a, p, rtol=0, atol=1e-3 * y.std())


@many
def test_batches_of_a_stream():
    X, y = stream_of(np.random.default_rng(8))
    (*_, p) = chunk_by_chunk(SGDLinearRegressor(), X, y, 7)
    model = SGDLinearRegressor(batch_size=7, shuffle=False).partial_fit(X, y)
    assert_allclose(model.predict(X), p, rtol=1e-9)


@many
@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("csr", [False, True])
@pytest.mark.parametrize("jump", [1.0, 1e6])
def test_a_stream_is_never_far_worse_than_a_constant(size, csr, jump):
    """Even where the rows are suddenly of another size."""
    for seed in range(2 if size == 1 else 5):
        rng = np.random.default_rng(seed)
        X, y = stream_of(rng, 200)
        X = X * (rng.random(X.shape) < 0.5) if csr else X
        X[100:] *= jump
        A, end = sparse.csr_array(X) if csr else X, 0
        for p in chunk_by_chunk(SGDLinearRegressor(), A, y, size):
            end = min(end + size, 200)
            assert np.isfinite(p).all()
            if end >= min(10 * size, 100):  # the first few rows say little
                error = np.mean((p[:end] - y[:end]) ** 2)
                assert error <= 1.1 * y[:end].var() + 1e-12


@many
def test_a_stream_after_a_fit():
    X, y = stream_of(np.random.default_rng(9), 400)
    model = SGDLinearRegressor().fit(X[:300], y[:300])
    before = model.score(X[300:], y[300:])
    for p in chunk_by_chunk(model, X[300:], y[300:], 1):
        assert np.isfinite(p).all()
    assert model.score(X[300:], y[300:]) >= before - 0.02


# ---------------------------------------------------------------------------- threads


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("csr", [False, True])
@pytest.mark.parametrize(
    "optimizer", ["auto", SVRG(metric="diagonal"), ConjugateGradient("diagonal")]
)
def test_threads_do_not_change_a_bit(optimizer, csr):
    rng, n, d = np.random.default_rng(10), 2**15, 40
    if csr:
        n = 2**17
        at = np.repeat(np.arange(n), 9), rng.integers(0, d, 9 * n)
        X = sparse.csr_array((rng.standard_normal(9 * n), at), shape=(n, d))
    else:
        X = rng.standard_normal((n, d))
    assert X.size >= 2**20
    y = X @ rng.standard_normal(d) + rng.standard_normal(n)
    batch = 1000 if isinstance(optimizer, SVRG) else "auto"
    common = {"optimizer": optimizer, "batch_size": batch, "max_iter": 4}
    first, *others = (
        SGDLinearRegressor(n_jobs=jobs, random_state=0, **common).fit(X, y)
        for jobs in (1, 2, None)
    )
    for other in others:
        assert_array_equal(other.coef_, first.coef_)
        assert other.intercept_ == first.intercept_
        assert other.loss_curve_ == first.loss_curve_
