"""Columns that vary by less than float64 resolves are named once; constants are not."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sgdreg import SGDLinearRegressor, chunks
from sgdreg._data.dataset import Data
from sgdreg._data.moments import moments
from sgdreg._data.threads import ALONE
from sgdreg.losses import SQUARED_ERROR

SQUARES = {"loss": SQUARED_ERROR, "team": ALONE}

N = 60
Z = np.random.default_rng(0).normal(size=N)
Y = Z + 0.1 * np.arange(N)
MATCH = r"^Column 0 .*taken as constant"


def said(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert all(issubclass(w.category, UserWarning) for w in caught)
    return [str(w.message) for w in caught]


def ids(dtype):
    return np.column_stack([10**18 + np.arange(N), (1000 * Z).astype(int) + 9000]).astype(
        dtype
    )


UNRESOLVED = {
    "int64": ids(np.int64),
    "uint64": ids(np.uint64),
    "object": ids(np.int64).astype(object),
    "lists": ids(np.int64).tolist(),
    "float64": np.column_stack([1e15 + np.arange(N), Z]),
    "Fortran": np.asfortranarray(np.column_stack([1e15 + np.arange(N), Z])),
    "CSR of int64": sparse.csr_array(ids(np.int64)),
    "CSC": sparse.csc_array(np.column_stack([1e15 + np.arange(N), Z])),
    "CSR": sparse.csr_array(np.column_stack([1e15 + np.arange(N), Z])),
    "one row": np.column_stack([np.where(np.arange(N) == 50, 1 + 4e-16, 1.0), Z]),
}


@pytest.mark.parametrize("settings", [{}, {"loss": "huber"}, {"penalty": "l2"}])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("kind", UNRESOLVED)
def test_what_is_taken_as_constant_is_named(kind, method, settings):
    model, X = SGDLinearRegressor(**settings), UNRESOLVED[kind]
    (text,) = said(lambda: getattr(model, method)(X, Y))
    assert text.startswith("Column 0 of X: ")
    assert "taken as constant" in text
    assert model.coef_[0] == 0


def test_once_in_a_stream():
    model, X = SGDLinearRegressor(), UNRESOLVED["int64"]
    assert len(said(lambda: model.partial_fit(X[:20], Y[:20]))) == 1
    assert not said(lambda: model.partial_fit(X[20:], Y[20:]))


def test_by_name_and_with_many_features():
    pandas = pytest.importorskip("pandas")
    times = pandas.date_range("2024-01-01", periods=N, freq="ns").astype("int64")
    X = pandas.DataFrame({"time": times, "z": Z, "id": 10**18 + np.arange(N)})
    (text,) = said(lambda: SGDLinearRegressor().fit(X, Y))
    assert text.startswith("Columns 0 ('time'), 2 ('id') of X: ")
    wide = np.random.default_rng(1).normal(size=(2100, 2050))
    wide[:, 7] = 1e15 + np.arange(2100) % 60
    with pytest.warns(UserWarning, match="^Column 7 of X: "):
        SGDLinearRegressor(max_iter=1, tol=None).fit(wide, wide[:, 0])


CONSTANT = {
    "ones": np.column_stack([np.ones(N), Z]),
    "tenths": np.column_stack([np.full(N, 0.1), np.full(N, 1e9 / 7), Z]),
    "zeros": np.column_stack([np.zeros(N), Z]),
    "float32": np.column_stack([np.full(N, 0.1), Z]).astype("f"),
    "integers": np.column_stack([np.full(N, 10**18 + 1), (9 * Z).astype(int)]),
    "CSR": sparse.csr_array(np.column_stack([np.full(N, 0.1), Z])),
    "resolved": np.column_stack([1e15 + 1e4 * np.arange(N), Z]),
    "nanoseconds": np.column_stack(
        [1_700_000_000_000_000_000 + 10**9 * np.arange(N), 9 * N - np.arange(N) ** 2]
    ),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("kind", CONSTANT)
def test_constants_are_not(kind, method):
    model = SGDLinearRegressor()
    assert not said(lambda: getattr(model, method)(CONSTANT[kind], Y))
    weights = np.where(np.arange(N) == 50, 0.0, 1.0)
    X = UNRESOLVED["one row"]  # constant but for the row that is left out
    assert not said(lambda: getattr(SGDLinearRegressor(), method)(X, Y, weights))


@pytest.mark.parametrize("size", [7, 40, 60])
@pytest.mark.parametrize("kind", ["float64", "CSR", "one row", "ones", "tenths", "CSR 0.1"])
def test_of_rows_in_chunks(kind, size):
    X = (CONSTANT | {"CSR 0.1": CONSTANT["CSR"]} | UNRESOLVED)[kind]
    starts = range(0, N, size)

    def read():
        yield from ((X[k : k + size], Y[k : k + size]) for k in starts)

    messages = said(lambda: SGDLinearRegressor().fit(chunks(read)))
    assert len(messages) == (kind in UNRESOLVED)
    assert all(text.startswith("Column 0 of X: ") for text in messages)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_spread_of_sparse_columns_with_a_large_mean(weighted):
    """The standard deviation that NumPy finds of the dense column."""
    r = np.random.default_rng(3)
    X = np.column_stack(
        [1e9 + r.normal(size=500), 1e5 + r.normal(size=500), Z.repeat(9)[:500]]
    )
    weights = r.integers(1, 4, 500).astype(float) if weighted else np.ones(500)
    mean = np.average(X, axis=0, weights=weights)
    expected = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weights))
    data = Data.build(sparse.csr_array(X), np.zeros((500, 1)), weights, **SQUARES)
    _, scale, constant = moments(data, True)
    assert_allclose(scale, expected, rtol=1e-6)
    assert not constant.any()
