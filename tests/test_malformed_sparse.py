"""Sparse matrices whose parts do not belong together are refused at every door.

Compiled code follows indices wherever they point: each of these made the process read or
write outside of its arrays, or gave a model of rows that nobody passed.
"""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sgdreg import SGDLinearRegressor
from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg._estimator.inputs import check_rows
from sgdreg.display._plane import Plane
from sgdreg.losses import SQUARED_ERROR

SQUARES = {"loss": SQUARED_ERROR, "team": ALONE}

N, D = 50, 30
FAR = 10**8


def problem(form="csr"):
    X = np.eye(N, D)
    X[:, 0] += np.arange(N) % 3
    return sparse.csr_array(X).asformat(form), np.arange(float(N))


def put(part, at, value):
    """A change of one entry of an array of X."""

    def change(X):
        getattr(X, part)[at] = value

    return change


def replace(part, function):
    """A change of a whole array of X."""

    def change(X):
        setattr(X, part, function(getattr(X, part)))

    return change


def cut(part, count=5):
    return replace(part, lambda values: values[:count].copy())


COMPRESSED = {
    "begins far before": (put("indptr", 0, -FAR), "indptr begins with -100000000"),
    "begins before": (put("indptr", 0, -1), "indptr begins with -1, not with 0"),
    "begins late": (put("indptr", 0, 1), "indptr begins with 1"),
    "ends far behind": (put("indptr", -1, FAR), "indptr ends with 100000000"),
    "decreases": (put("indptr", 5, FAR), "indptr decreases, first at entry 6"),
    "few indices": (cut("indices"), "indices has 5 entries, and indptr ends with"),
    "few data": (cut("data"), "data has 5 entries, and indptr ends with"),
    "few starts": (cut("indptr", 10), "indptr has 10 entries for"),
    "no starts": (cut("indptr", 0), "indptr has 0 entries for"),
    "many starts": (replace("indptr", lambda p: np.append(p, p[-1])), "indptr has"),
    "index far outside": (put("indices", 3, FAR), r"indices\[3\] is 100000000, outside 0"),
    "index outside": (put("indices", 3, N), r"indices\[3\] is 50, outside 0 to"),
    "index negative": (put("indices", 3, -1), r"indices\[3\] is -1, outside 0 to"),
    "index of float": (replace("indices", lambda i: i + 0.5), "indices is of type float64"),
    "starts of float": (replace("indptr", lambda i: i * 1.0), "indptr is of type float64"),
    "index huge": (
        replace("indices", lambda i: i.astype(np.uint64) + np.uint64(2**63)),
        r"indices\[0\] is 922337",
    ),
    "list": (replace("indices", list), "indices is a list"),
    "two dimensions": (replace("indptr", lambda p: p[:, None]), "indptr is a 2-dim"),
}
COORDINATES = {
    "row far outside": (
        replace("coords", lambda at: (at[0] + FAR, at[1])),
        r"row\[0\] is 10000",
    ),
    "column negative": (replace("coords", lambda at: (at[0], at[1] - FAR)), r"col\[0\] is"),
    "few columns": (replace("coords", lambda at: (at[0], at[1][:5])), "col has 5 entries"),
    "few data": (cut("data"), "row has .* entries, and data 5"),
}
LISTS = {
    "column far outside": (put("rows", 3, [FAR]), "outside 0 to 29"),
    "more columns than numbers": (put("rows", 3, [1, 2, 3]), "row 3 has 3 columns for 1"),
    "few rows": (cut("rows"), "rows has 5 entries"),
}
DIAGONALS = {
    "more offsets": (replace("offsets", lambda at: np.arange(100)), "100 offsets for"),
    "far outside": (replace("offsets", lambda at: at + FAR), "a diagonal is outside"),
    "twice": (replace("offsets", lambda at: 0 * at), "an offset occurs twice"),
}
BLOCKS = {
    name: COMPRESSED[name]
    for name in ("begins far before", "ends far behind", "few data", "few starts")
} | {"index far outside": COMPRESSED["index far outside"]}
CASES = [
    pytest.param(form, *case, id=f"{form}-{name}")
    for form, cases in {
        "csr": COMPRESSED,
        "csc": COMPRESSED,
        "bsr": BLOCKS,
        "coo": COORDINATES,
        "lil": LISTS,
        "dia": DIAGONALS,
    }.items()
    for name, case in cases.items()
]


@pytest.fixture(scope="module")
def doors():
    """{name: (argument that is refused, a call with X)} of everything that takes rows."""
    good, y = problem()
    settings = {"learning_rate": 0.1, "max_iter": 50, "tol": None}
    model = SGDLinearRegressor(**settings).fit(good, y)
    stream = SGDLinearRegressor().partial_fit(good, y)
    kept = model.checkpoint_
    val = {"y_val": y}
    return {
        "fit": ("X", lambda X: SGDLinearRegressor(**settings).fit(X, y)),
        "fit, auto": ("X", lambda X: SGDLinearRegressor().fit(X, y)),
        "first partial_fit": ("X", lambda X: SGDLinearRegressor().partial_fit(X, y)),
        "next partial_fit": ("X", lambda X: stream.partial_fit(X, y)),
        "X_val": ("X_val", lambda X: model.fit(good, y, X_val=X, **val)),
        "resume": ("X", lambda X: SGDLinearRegressor.resume(kept, X, y)),
        "predict": ("X", model.predict),
        "loss surface": ("X", lambda X: Plane(model, X, y, None, (0, 1), 0)),
        "score": ("X", lambda X: model.score(X, y)),
    }


@pytest.mark.parametrize(("form", "change", "match"), CASES)
def test_a_malformed_matrix_is_refused(doors, form, change, match):
    X, _ = problem(form)
    if not hasattr(X, "coords") and form == "coo":
        pytest.skip("coords are of SciPy 1.13")
    change(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is done with it before
        for name, call in doors.values():
            with pytest.raises(ValueError, match=match) as refused:
                call(X)
            assert f"The sparse {name} ({form.upper()}) is not" in str(refused.value)


@pytest.mark.parametrize("where", [(FAR, 3), (1, -FAR), (1.5, "a"), (2**70, 0)])
def test_keys_outside_are_refused(doors, where):
    X, _ = problem("dok")
    if not hasattr(X, "_dict"):
        pytest.skip("a dict itself, before SciPy 1.13")
    X._dict[where] = 1.0
    for _, call in doors.values():
        with pytest.raises(ValueError, match="is not a matrix of shape"):
            call(X)


def test_sparse_targets_are_refused_unseen():
    X, _ = problem()
    y = sparse.csr_array(np.arange(float(N))[:, None])
    y.indptr[0] = -FAR
    with pytest.raises(TypeError, match="Sparse y is not supported"):
        SGDLinearRegressor().fit(X, y)


@pytest.mark.parametrize("type_", [np.int8, np.uint8, np.uint32, np.uint64, ">i4", ">i8"])
def test_indices_of_other_integers_are_the_same_matrix(type_):
    X, y = problem()
    model = SGDLinearRegressor().fit(X, y)
    X.indices = X.indices.astype(type_)
    other = SGDLinearRegressor().fit(X, y)
    assert_array_equal(other.coef_, model.coef_)
    assert_array_equal(other.predict(X), model.predict(X))
    assert X.indices.dtype == type_


def test_room_behind_the_last_row_is_not_looked_at():
    X, y = problem()
    model = SGDLinearRegressor().fit(X, y)
    X.data = np.append(X.data, [np.nan, np.inf])
    X.indices = np.append(X.indices, [-FAR, FAR]).astype(np.int32)
    other = SGDLinearRegressor().fit(X, y)
    assert_array_equal(other.coef_, model.coef_)
    assert_array_equal(other.predict(X), model.predict(X))


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"])
def test_sound_matrices_of_every_form_are_taken(form):
    X, y = problem(form)
    dense = SGDLinearRegressor().fit(X.toarray(), y)
    for kind in (X, getattr(sparse, f"{form}_matrix")(X)):
        model = SGDLinearRegressor().fit(kind, y)
        assert_allclose(model.predict(kind), dense.predict(X.toarray()), atol=1e-9)


@pytest.mark.parametrize("type_", [np.int32, np.int64])
def test_what_kernels_take_is_not_copied(type_):
    X, y = problem()
    X.indices, X.indptr = X.indices.astype(type_), X.indptr.astype(type_)
    checked = check_rows(SGDLinearRegressor(), X, reset=True)
    assert Data.build(checked, y[:, None], **SQUARES).rows.X is checked
    for part in ("data", "indices", "indptr"):
        assert np.shares_memory(getattr(checked, part), getattr(X, part))


def test_sparse_columns_of_bool_in_a_frame():
    pd = pytest.importorskip("pandas")
    colours = pd.Series(list("abcab") * 10)
    y = np.arange(50.0)
    sparse_ones = pd.get_dummies(colours, sparse=True)
    model = SGDLinearRegressor().fit(sparse_ones, y)
    groups = pd.Series(y).groupby(colours).transform("mean")
    assert_allclose(model.predict(sparse_ones), groups)
    assert_allclose(
        SGDLinearRegressor().partial_fit(sparse_ones, y).score(sparse_ones, y),
        model.score(sparse_ones, y),
    )
