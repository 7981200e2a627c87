"""Bad input and divergence: errors say what and where, models stay as they were."""

import re
import warnings
from contextlib import contextmanager
from copy import deepcopy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sgdreg import SGDLinearRegressor
from sgdreg.losses import EpsilonInsensitive, Huber, Loss, Quantile
from sgdreg.optimizers import SGD, AdaGrad, Adam, Momentum, Nesterov, Optimizer, RMSprop
from sgdreg.schedules import Adaptive, Constant, InvScaling, Optimal

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, D = 12, 3
TEXTBOOK = {"learning_rate": 0.1, "batch_size": 4, "random_state": 0}
MODELS = {
    "auto": {},
    "textbook": {**TEXTBOOK, "optimizer": "momentum", "average": 3},
    "diagonal": {"optimizer": SGD(metric="diagonal"), "random_state": 0},
    "full": {"optimizer": "nesterov", "batch_size": "full"},
}


def data(n=N, d=D, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X @ np.arange(1.0, d + 1) + 0.1 * rng.standard_normal(n) + 2.0


def fitted(settings, method="fit", X=None):
    """A model that has learnt something already, from other rows than a test's."""
    Z, y = data(20, seed=1)
    model = SGDLinearRegressor(**settings)
    if method == "fit":
        model.set_params(max_iter=3, tol=None).fit(Z if X is None else X, y)
        return model.set_params(**SGDLinearRegressor(**settings).get_params())
    return model.partial_fit(Z if X is None else X, y)


def assert_same_model(model, other):
    """All that was fitted is the same, and so is what a further call makes of it."""
    Z, y = data(20, seed=2)
    plain = ("coef_", "intercept_", "n_iter_", "t_", "n_features_in_", "history_")
    plain += ("stop_reason_", "converged_", "validation_scores_", "best_iteration_")
    for name in plain:
        assert_array_equal(getattr(model, name), getattr(other, name), name)
    assert set(vars(model)) == set(vars(other))
    assert getattr(model, "feature_names_in_", None) is getattr(
        other, "feature_names_in_", None
    ) or list(model.feature_names_in_) == list(other.feature_names_in_)
    assert_array_equal(model.predict(Z), other.predict(Z))
    for each in (model, other):
        each.partial_fit(Z, y)
    assert_array_equal(model.coef_, other.coef_)
    assert_array_equal(model.intercept_, other.intercept_)


@contextmanager
def refuses(model, error, match):
    """The block raises `error`, and leaves `model` exactly as it was."""
    before, parameters = deepcopy(model), model.get_params(deep=False)
    with pytest.raises(error, match=match):
        yield
    model.set_params(**parameters)
    assert_same_model(model, before)


def message_of(call, *args):
    """The ValueError's message; an empty string where there is none."""
    try:
        call(*args)
    except ValueError as error:
        return str(error)
    return ""


def refuses_both_ways(settings, error, match, X, y, sample_weight=None):
    """`fit` and `partial_fit` both refuse X, y and weights, after either."""
    for method in ("fit", "partial_fit"):
        model = fitted(settings, method)
        for call in (model.fit, model.partial_fit):
            with refuses(model, error, match):
                call(X, y, sample_weight)


# ---------------------------------------------------------- numbers that are not finite


def as_c(X):
    return X


def as_float32(X):
    return X.astype(np.float32)


def as_csr64(X):
    X = sparse.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def as_frame(X):
    return pytest.importorskip("pandas").DataFrame(X)


FORMS = (
    as_c,
    np.asfortranarray,
    as_float32,
    sparse.csr_array,
    as_csr64,
    sparse.csc_array,
)


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("form", [*FORMS, as_frame])
@pytest.mark.parametrize(("value", "what"), [(np.nan, "NaN"), (-np.inf, "infinity")])
@pytest.mark.parametrize(("row", "column"), [(0, 1), (N - 1, D - 1)])
def test_not_finite_in_X_is_found(settings, form, value, what, row, column):
    X, y = data()
    X[row, column] = value
    match = rf"Input X contains {what}, first at row {row}, column {column}\b"
    refuses_both_ways(settings, ValueError, match, form(X), y)


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", [0, 5, N - 1])
def test_not_finite_in_a_row_of_weight_zero_is_found(settings, form, row):
    X, y = data()
    X[row, 1] = np.nan
    weights = np.ones(N)
    weights[[2, row]] = 0
    match = rf"Input X contains NaN, first at row {row}, column 1\b"
    refuses_both_ways(settings, ValueError, match, form(X), y, weights)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("learning_rate", ["auto", 0.01])
def test_not_finite_among_the_held_out_rows_is_found(seed, learning_rate):
    """Whether early stopping learns from the row or holds it out."""
    X, y = data()
    X[7, 2] = np.inf
    model = SGDLinearRegressor(early_stopping=True, validation_fraction=0.5)
    model.set_params(random_state=seed, learning_rate=learning_rate)
    with pytest.raises(ValueError, match=r"X contains infinity, first at row 7, column 2"):
        model.fit(X, y)


@pytest.mark.parametrize("row", [0, 499, 999])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_not_finite_is_found_by_steps_that_touch_non_zeros_only(row, method):
    X = sparse.random(1000, 300, density=0.01, random_state=0, format="lil")
    X[row, 250] = np.nan
    model = SGDLinearRegressor(learning_rate=0.01, max_iter=1, tol=None)
    with pytest.raises(ValueError, match=rf"NaN, first at row {row}, column 250\b"):
        getattr(model, method)(X.tocsr(), np.ones(1000))


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize(("value", "what"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("outputs", [1, 2])
def test_not_finite_in_y_is_found(settings, value, what, outputs):
    X, y = data()
    if outputs == 2:
        y = np.column_stack([y, y])
    y[-1] = value
    model = SGDLinearRegressor(**settings)
    for method in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=rf"Input y contains {what}"):
            method(X, y)
    if outputs == 1:
        refuses_both_ways(settings, ValueError, rf"Input y contains {what}", X, y)


@pytest.mark.parametrize(("value", "what"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_not_finite_in_weights_is_found(value, what):
    X, y = data()
    weights = np.ones(N)
    weights[3] = value
    match = f"Input sample_weight contains {what}"
    refuses_both_ways(TEXTBOOK, ValueError, match, X, y, weights)


def test_nullable_columns_with_missing_values_are_refused():
    pandas = pytest.importorskip("pandas")
    X, y = data()
    frame = pandas.DataFrame(X, columns=list("abc"), dtype="Float64")
    frame.loc[4, "b"] = pandas.NA
    with pytest.raises(ValueError, match="NaN, first at row 4, column 1"):
        SGDLinearRegressor().fit(frame, y)


# ----------------------------------------------------------------------- validation set


def spoiled(array, value):
    array = np.array(array, dtype=float)
    array[1] = value
    return array


X_VAL, Y_VAL = data(6, seed=3)
BAD_VALIDATION = {
    "NaN in X_val": ({"X_val": spoiled(X_VAL, np.nan)}, "X_val contains NaN"),
    "inf in X_val": ({"X_val": spoiled(X_VAL, np.inf)}, "X_val contains infinity"),
    "NaN in CSR X_val": (
        {"X_val": sparse.csr_array(spoiled(X_VAL, np.nan))},
        "X_val contains NaN",
    ),
    "NaN in y_val": ({"y_val": spoiled(Y_VAL, np.nan)}, "y_val contains NaN"),
    "NaN in weights": (
        {"sample_weight_val": spoiled(Y_VAL, np.nan)},
        "sample_weight_val contains NaN",
    ),
    "negative weights": (
        {"sample_weight_val": -np.ones(6)},
        "Negative values in sample_weight_val, first at row 0",
    ),
    "zero weights": (
        {"sample_weight_val": np.zeros(6)},
        "All of sample_weight_val is zero",
    ),
    "weights too short": (
        {"sample_weight_val": np.ones(5)},
        r"sample_weight_val .*\(6,\)",
    ),
    "y_val too short": ({"y_val": Y_VAL[:-1]}, r"inconsistent.*\[6, 5\]"),
    "two outputs": ({"y_val": np.c_[Y_VAL, Y_VAL]}, r"y_val .*\(6, 2\).*same number"),
    "y_val sparse": ({"y_val": sparse.csr_array(Y_VAL[:, None])}, "y_val.*dense"),
    "too few features": ({"X_val": X_VAL[:, :2]}, "2 features.*expecting 3"),
    "X_val 1-d": ({"X_val": X_VAL[:, 0]}, "Expected 2D array"),
    "X_val empty": ({"X_val": X_VAL[:0], "y_val": Y_VAL[:0]}, r"0 sample\(s\)"),
    "X_val of strings": ({"X_val": [["a"] * 3] * 6}, "string to float"),
    "no y_val": ({"y_val": None}, "X_val was given without y_val"),
    "no X_val": ({"X_val": None}, "y_val was given without X_val"),
    "weights only": (
        {"X_val": None, "y_val": None, "sample_weight_val": np.ones(6)},
        "sample_weight_val was given without X_val and y_val",
    ),
}


@pytest.mark.parametrize(("bad", "match"), BAD_VALIDATION.values(), ids=BAD_VALIDATION)
@pytest.mark.parametrize("settings", [{}, TEXTBOOK], ids=["auto", "textbook"])
def test_a_bad_validation_set_is_refused(settings, bad, match):
    model = fitted(settings)
    with refuses(model, (ValueError, TypeError), match):
        model.fit(*data(), **{"X_val": X_VAL, "y_val": Y_VAL, **bad})


def test_a_validation_set_of_other_columns_is_refused():
    pandas = pytest.importorskip("pandas")
    X, y = data()
    frame = pandas.DataFrame(X, columns=list("abc"))
    model = SGDLinearRegressor()
    with pytest.raises(ValueError, match="feature names should match"):
        model.fit(frame, y, X_val=frame[["b", "a", "c"]], y_val=y)
    assert not hasattr(model, "feature_names_in_")
    assert not hasattr(model, "n_features_in_")


# --------------------------------------------------------------------- shapes and types

X_GOOD, Y_GOOD = data()
BAD_DATA = {
    "no rows": ((X_GOOD[:0], Y_GOOD[:0]), r"0 sample\(s\)"),
    "no features": ((X_GOOD[:, :0], Y_GOOD), r"0 feature\(s\)"),
    "no features, CSR": ((sparse.csr_array((N, 0)), Y_GOOD), r"0 feature\(s\)"),
    "X 1-d": ((Y_GOOD, Y_GOOD), "Expected 2D array, got 1D"),
    "X 3-d": ((X_GOOD[None], Y_GOOD), "dim 3"),
    "X scalar": ((3.0, Y_GOOD), "Expected 2D array, got scalar"),
    "y 3-d": ((X_GOOD, np.zeros((N, 1, 1))), r"y must have shape .*got shape \(12, 1, 1\)"),
    "y without columns": ((X_GOOD, np.zeros((N, 0))), r"0 feature\(s\)"),
    "y too short": (
        (X_GOOD, Y_GOOD[1:]),
        r"inconsistent numbers of samples: \[12, 11\]",
    ),
    "y missing": ((X_GOOD, None), "y"),
    "y sparse": ((X_GOOD, sparse.csr_array(Y_GOOD[:, None])), "[Ss]parse.*y"),
    "y complex": ((X_GOOD, Y_GOOD + 1j), "Complex data not supported"),
    "y of strings": ((X_GOOD, ["a"] * N), "string to float"),
    "X complex": ((X_GOOD + 1j, Y_GOOD), "Complex data not supported"),
    "X of strings": ((np.full((N, D), "a", dtype=object), Y_GOOD), "string to float"),
    "weights too short": ((X_GOOD, Y_GOOD, np.ones(N - 1)), r"sample_weight .*\(12,\)"),
    "weights 2-d": ((X_GOOD, Y_GOOD, np.ones((N, 1))), r"sample_weight .*\(12, 1\)"),
    "weights negative": (
        (X_GOOD, Y_GOOD, np.r_[np.ones(4), -0.5, np.ones(N - 5)]),
        r"Negative values in sample_weight, first at row 4 \(-0.5\)",
    ),
    "weights of strings": ((X_GOOD, Y_GOOD, ["a"] * N), "string to float"),
}


@pytest.mark.parametrize(("bad", "match"), BAD_DATA.values(), ids=BAD_DATA)
@pytest.mark.parametrize("settings", [{}, TEXTBOOK], ids=["auto", "textbook"])
def test_bad_shapes_and_types_are_refused(settings, bad, match):
    refuses_both_ways(settings, (ValueError, TypeError), match, *bad)


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_first_call_that_fails_leaves_no_trace(settings, method):
    """Not even what X looked like: not fitted, and free for other shapes."""
    X, y = data()
    X[3, 1] = np.nan
    model = SGDLinearRegressor(**settings)
    with pytest.raises(ValueError, match="NaN, first at row 3"):
        getattr(model, method)(X, y)
    assert not [name for name in vars(model) if name.endswith("_")]
    with pytest.raises(NotFittedError, match="not fitted yet"):
        model.predict(X)
    Z, v = data(9, 5)
    fresh = SGDLinearRegressor(**settings).partial_fit(Z, v)
    assert_array_equal(model.partial_fit(Z, v).coef_, fresh.coef_)


def test_partial_fit_and_warm_start_refuse_other_shapes():
    model = fitted(TEXTBOOK, "partial_fit")
    with refuses(model, ValueError, "X has 5 features.*expecting 3"):
        model.partial_fit(*data(d=5))
    with refuses(model, ValueError, r"y has shape \(12, 2\).*fitted to .*'n_samples'"):
        model.partial_fit(X_GOOD, np.c_[Y_GOOD, Y_GOOD])
    model = fitted({**TEXTBOOK, "warm_start": True})
    with refuses(model, ValueError, "continues a model of 3 features.*have 5.*warm_start"):
        model.fit(*data(d=5))
    with refuses(model, ValueError, "1 outputs, but X and y have 3 and 2"):
        model.fit(X_GOOD, np.c_[Y_GOOD, Y_GOOD])


def test_names_of_the_columns_are_checked_and_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(data(20, seed=1)[0], columns=list("abc"))
    other = pandas.DataFrame(X_GOOD, columns=list("abx"))
    model = fitted(TEXTBOOK, "partial_fit", frame)
    before = deepcopy(model)
    with pytest.raises(ValueError, match=r"feature names should match.*\n.*unseen.*\n- x"):
        model.partial_fit(other, Y_GOOD)
    other.iloc[2, 2] = np.nan
    with pytest.raises(ValueError, match="NaN, first at row 2, column 2"):
        model.fit(other, Y_GOOD)  # of other names, which must not stay behind
    with pytest.raises(ValueError, match="NaN, first at row 2, column 2"):
        model.fit(other.to_numpy(), Y_GOOD)
    assert list(model.feature_names_in_) == list("abc")
    assert_array_equal(model.predict(frame), before.predict(frame))
    for each in (model, before):
        each.partial_fit(frame, data(20, seed=1)[1])
    assert_array_equal(model.coef_, before.coef_)


def test_predict_refuses_what_it_cannot_use():
    model = fitted({})
    with pytest.raises(ValueError, match=r"X has 2 features.*expecting 3"):
        model.predict(X_GOOD[:, :2])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.predict(spoiled(X_GOOD, np.nan))
    with pytest.raises(ValueError, match="Expected 2D array, got 1D"):
        model.predict(X_GOOD[0])
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        model.predict(X_GOOD[:0])
    for method in ("sparsify", "densify"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(SGDLinearRegressor(), method)()


BAD_STARTS = {
    "coef_init too short": ({"coef_init": [1.0, 2.0]}, r"coef_init .*\(3,\).*\(2,\)"),
    "coef_init 2-d": ({"coef_init": np.ones((3, 1))}, r"coef_init .*\(3,\).*\(3, 1\)"),
    "coef_init scalar": ({"coef_init": 1.0}, r"coef_init .*\(3,\).*\(\)"),
    "coef_init NaN": ({"coef_init": [1, np.nan, 2]}, "coef_init contains NaN"),
    "coef_init inf": ({"coef_init": [1, np.inf, 2]}, "coef_init contains infinity"),
    "coef_init of strings": ({"coef_init": ["a"] * 3}, "string to float"),
    "intercept_init shape": (
        {"intercept_init": [1.0, 2.0]},
        r"intercept_init .*\(2,\)",
    ),
    "intercept_init NaN": ({"intercept_init": np.nan}, "intercept_init contains NaN"),
    "intercept_init of strings": ({"intercept_init": "a"}, "string to float"),
}


@pytest.mark.parametrize(("bad", "match"), BAD_STARTS.values(), ids=BAD_STARTS)
@pytest.mark.parametrize("settings", [{}, TEXTBOOK], ids=["auto", "textbook"])
def test_bad_initial_values_are_refused(settings, bad, match):
    model = fitted(settings)
    with refuses(model, ValueError, match):
        model.fit(*data(), **bad)


# --------------------------------------------------------------------------- parameters

BAD_PARAMETERS = [
    (name, value)
    for name, values in {
        "eta0": (0, -0.1, np.nan, np.inf, "a"),
        "learning_rate": (0, 0.0, -0.1, np.nan, np.inf, "fast", None),
        "alpha": (-1e-9, np.nan, np.inf),
        "power_t": (-1, np.nan),
        "tol": (-1e-3, np.nan, "a"),
        "max_iter": (0, -1, 1.5, None),
        "batch_size": (0, -1, 2.5, "half", None),
        "average": (-1, 2.5, "head"),
        "shuffle": ("columns", None),
        "validation_fraction": (0, 1, 1.0, -0.5),
        "n_iter_no_change": (0, -1),
        "loss": ("hinge", None),
        "penalty": ("l3", "none"),
        "optimizer": ("lbfgs", None, SGD),
        "random_state": ("a", -1, 1.5),
        "l1_ratio": (-0.1, 1.1),
        "epsilon": (-1,),
        "quantile": (0, 1),
        "verbose": (-1,),
    }.items()
    for value in values
]


@pytest.mark.parametrize(("name", "value"), BAD_PARAMETERS)
def test_bad_parameters_are_named(name, value):
    """By `fit` and `partial_fit`, never by the constructor."""
    match = f"'{name}' parameter of SGDLinearRegressor must be"
    model = fitted({})
    with refuses(model, ValueError, match):
        model.set_params(**{name: value}).fit(*data())
    with pytest.raises(ValueError, match=match):
        SGDLinearRegressor(**{name: value}).partial_fit(*data())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", -1.0),
        ("batch_size", 0),
        ("batch_size", "half"),
        ("learning_rate", None),
        ("average", -1),
        ("shuffle", "columns"),
    ],
)
def test_parameters_that_become_bad_are_named(name, value):
    """Between two calls of `partial_fit`, the second of which looks at them again."""
    model = fitted({"penalty": "l2"}, "partial_fit")
    with refuses(model, ValueError, f"'{name}' parameter of SGDLinearRegressor must be"):
        model.set_params(**{name: value}).partial_fit(*data())


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"learning_rate": Constant(0)}, "eta0 of Constant must be a positive finite"),
        ({"learning_rate": Constant(np.nan)}, "eta0 of Constant must be"),
        ({"learning_rate": InvScaling(-1)}, "eta0 of InvScaling must be"),
        ({"learning_rate": Adaptive(0)}, "eta0 of Adaptive must be"),
        ({"learning_rate": Optimal(0)}, "alpha of Optimal must be"),
        ({"optimizer": Momentum(1.0)}, r"momentum of Momentum.* in \[0, 1\), got 1.0"),
        (
            {"optimizer": Nesterov(-0.1)},
            r"momentum of Nesterov.* in \[0, 1\), got -0.1",
        ),
        ({"optimizer": SGD("full")}, "metric of SGD.* must be one of .*got 'full'"),
        ({"learning_rate": "optimal", "alpha": 0}, "divides by alpha, which is 0"),
        (
            {"early_stopping": True, "validation_fraction": 0.95},
            "leaves none to learn from",
        ),
    ],
)
def test_objects_and_combinations_are_checked(settings, match):
    model = fitted({})
    with refuses(model, ValueError, match):
        model.set_params(**settings).fit(*data())


def raises_at(limit, error):
    def schedule(t):
        if np.max(t) >= limit:
            raise error
        return 0.01 + 0 * t

    return schedule


@pytest.mark.parametrize(
    ("schedule", "error", "match"),
    [
        (lambda t: -0.1, ValueError, "at step 1 is -0.1.*finite and not negative"),
        (lambda t: np.nan, ValueError, "at step 1 is nan"),
        (lambda t: np.inf, ValueError, "at step 1 is inf"),
        (lambda t: 0.1 - 0.05 * t, ValueError, "at step 3 is -0.05"),
        (lambda t: None, (TypeError, ValueError), "learning_rate"),
        (lambda t: "fast", (TypeError, ValueError), "learning_rate|string to float"),
        (lambda t: 1j, (TypeError, ValueError), "learning_rate|complex"),
        (lambda t: np.ones(7), ValueError, "learning_rate.*shape"),
        (lambda t: np.ones((2, 2)), ValueError, "learning_rate.*shape"),
        (lambda: 0.1, TypeError, "takes 0 positional arguments"),
        (raises_at(1, ZeroDivisionError("mine")), ZeroDivisionError, "mine"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_bad_schedule_is_refused(schedule, error, match, method):
    model = fitted(TEXTBOOK)
    model.set_params(warm_start=False, max_iter=2, tol=None)
    with refuses(model, error, match):
        model.set_params(learning_rate=schedule)
        if method == "fit":
            model.fit(*data(25))
        else:
            SGDLinearRegressor(**model.get_params()).partial_fit(*data(25))


@pytest.mark.parametrize("parameter", ["X_val", "partial_fit"])
def test_early_stopping_contradictions(parameter):
    model = fitted({})
    X, y = data()
    if parameter == "X_val":
        with refuses(model, ValueError, "early_stopping=True holds out.*X_val.*False"):
            model.set_params(early_stopping=True).fit(X, y, X_val=X, y_val=y)
    else:
        with refuses(model, ValueError, "early_stopping=True does not work with partial"):
            model.set_params(early_stopping=True).partial_fit(X, y)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"eta0": 0.5}, "eta0=0.5 has no effect with learning_rate='auto'"),
        ({"eta0": 0.5, "learning_rate": 0.01}, "eta0=0.5 has no effect"),
        ({"power_t": 0.5, "learning_rate": "constant"}, "power_t=0.5 has no effect"),
        (
            {"power_t": 0.5, "learning_rate": InvScaling(0.01)},
            "power_t=0.5 has no effect",
        ),
        ({"alpha": 0.5}, "alpha=0.5 has no effect with penalty=None"),
        ({"l1_ratio": 0.5}, "l1_ratio=0.5 has no effect with penalty=None"),
        ({"l1_ratio": 0.5, "penalty": "l2"}, "l1_ratio=0.5 .* penalty='l2'"),
        ({"epsilon": 0.5}, "epsilon=0.5 has no effect with loss='squared_error'"),
        ({"quantile": 0.1}, "quantile=0.1 has no effect"),
        (
            {"validation_fraction": 0.2},
            "validation_fraction=0.2 .*early_stopping=False",
        ),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@quiet
def test_parameters_without_effect_warn(settings, match, method):
    with pytest.warns(UserWarning, match=match) as caught:
        getattr(SGDLinearRegressor(**settings), method)(*data())
    assert len([w for w in caught if w.category is UserWarning]) == 1


@quiet
def test_adaptive_without_tol_warns():
    model = SGDLinearRegressor(learning_rate="adaptive", tol=None, max_iter=2)
    with pytest.warns(UserWarning, match="adaptive' never shortens.*tol=None"):
        model.fit(*data())


def test_newton_on_sparse_rows_of_many_columns_is_refused():
    """It spoke of a metric, which the user had not chosen."""
    X = sparse.random_array((20, 2100), density=0.01, format="csr", rng=0)
    model = SGDLinearRegressor(loss="quantile", optimizer="newton")
    with pytest.raises(ValueError, match=r"Newton\(\) needs a dense X or at most 2000"):
        model.fit(X, np.arange(20.0))


@quiet
def test_automatic_steps_that_run_out_ask_for_no_learning_rate():
    X, y = data()
    model = SGDLinearRegressor(loss="huber", batch_size=8, max_iter=1)
    assert model.fit(X, y).stop_reason_.endswith("Increase max_iter or tol.")


class Jump(Loss):
    """With a kink that is no hinge."""

    smoothness = None

    def value(self, y, p):
        return np.abs(p - y) + (p - y) ** 2

    def gradient(self, y, p):
        return np.sign(p - y) + 2 * (p - y)


class NoGradient(Loss):
    def value(self, y, p):
        return np.abs(p - y)


class NoDirection(Optimizer):
    pass


# Settings, what is raised and what is said.
WRONG_OBJECTS = [
    ({"loss": "hinge"}, ValueError, "'loss' parameter .* must be a str among"),
    ({"loss": SGD()}, TypeError, r"loss SGD\(\) has no method value and gradient"),
    ({"loss": NoGradient()}, TypeError, r"NoGradient\(\) has no method gradient"),
    ({"loss": Huber(0.0)}, ValueError, "epsilon of Huber must be a positive finite"),
    ({"loss": Huber("1")}, ValueError, "epsilon of Huber must be a positive finite"),
    ({"loss": "huber", "epsilon": 0.0}, ValueError, "epsilon of Huber must be a positive"),
    ({"loss": EpsilonInsensitive(-1)}, ValueError, "must be a *finite number >= 0, got -1"),
    ({"loss": EpsilonInsensitive(np.inf)}, ValueError, "must be a *finite number >= 0"),
    ({"loss": Quantile(1.0)}, ValueError, r"quantile of Quantile must be .* \(0, 1\)"),
    ({"loss": Quantile(np.nan)}, ValueError, r"quantile of Quantile must be .* got nan"),
    ({"quantile": 1.0, "loss": "quantile"}, ValueError, "quantile.*1.0"),
    ({"quantile": 1e-300, "loss": "quantile"}, ValueError, "quantile.*rounding"),
    ({"penalty": "l3"}, ValueError, "'penalty' parameter .* must be a str among"),
    ({"penalty": "elasticnet", "l1_ratio": 1.5}, ValueError, "'l1_ratio' parameter"),
    ({"penalty": "elasticnet", "l1_ratio": None}, ValueError, "needs an l1_ratio"),
    ({"optimizer": "lbfgs"}, ValueError, "'optimizer' parameter .* must be a str among"),
    ({"optimizer": Constant()}, TypeError, r"optimizer Constant\(\) is not an optimizer"),
    ({"optimizer": NoDirection()}, TypeError, r"NoDirection\(\) has no direction"),
    ({"optimizer": AdaGrad(epsilon=0.0)}, ValueError, r"epsilon .* in \(0, inf\)"),
    ({"optimizer": AdaGrad(initial=-1.0)}, ValueError, "initial of .* got -1.0"),
    ({"optimizer": RMSprop(rho=1.0)}, ValueError, r"rho of .* in \[0, 1\), got 1.0"),
    ({"optimizer": Adam(beta_1=-0.1)}, ValueError, "beta_1 of .* got -0.1"),
    ({"optimizer": Adam(beta_2=1)}, ValueError, "beta_2 of .* got 1"),
    ({"optimizer": Adam(weight_decay="0")}, ValueError, "weight_decay of .* got '0'"),
    ({"optimizer": Adam(metric="sketch")}, ValueError, "does not go with Adam"),
    ({"optimizer": "cg", "loss": "huber"}, ValueError, "serves the squared error with"),
    ({"optimizer": "cg", "positive": True}, ValueError, "serves the squared error with"),
    ({"optimizer": "newton", "loss": Jump()}, ValueError, r"and not loss=Jump\(\)"),
    ({"optimizer": "interior_point", "loss": Jump()}, ValueError, r"not loss=Jump\(\)"),
    (
        {"optimizer": SGD(metric="sketch"), "positive": True},
        ValueError,
        "metric='sketch' mixes the coefficients",
    ),
    ({"positive": "yes"}, ValueError, "'positive' parameter"),
    ({"average": 1.5}, ValueError, "'average' parameter"),
    ({"shuffle": "random"}, ValueError, "'shuffle' parameter"),
]


@pytest.mark.parametrize(("settings", "error", "match"), WRONG_OBJECTS, ids=str)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_wrong_names_and_objects_are_refused(settings, error, match, method):
    model = fitted({}, method)
    with refuses(model, error, match):
        getattr(model.set_params(**settings), method)(*data())
    with pytest.raises(error, match=match):
        getattr(SGDLinearRegressor(**settings), method)(*data())


# --------------------------------------------------------------- interrupted in mid-fit


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RuntimeError])
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("average", [False, True, "tail"])
def test_an_interrupted_fit_leaves_the_old_one(error, warm_start, average):
    settings = {**TEXTBOOK, "optimizer": "momentum", "average": average}
    model = fitted({**settings, "warm_start": warm_start})
    model.set_params(max_iter=500, tol=None, verbose=0)
    with refuses(model, error, "now"):
        model.set_params(learning_rate=raises_at(1000, error("now")))
        model.fit(*data(400))


def test_an_interrupted_partial_fit_leaves_the_old_model():
    model = fitted(TEXTBOOK, "partial_fit")
    with refuses(model, KeyboardInterrupt, "now"):
        stop = raises_at(50, KeyboardInterrupt("now"))
        model.set_params(learning_rate=stop).partial_fit(*data(400))


def test_a_warning_turned_into_an_error_leaves_the_old_fit():
    model = fitted(TEXTBOOK)
    with refuses(model, ConvergenceWarning, "without reaching tol"):
        model.set_params(max_iter=2).fit(*data(40))


# ------------------------------------------------------------------ textbook divergence


def raw_data(n=300):
    """Unscaled columns, as they come: square metres, a year, a share, a flag."""
    rng = np.random.default_rng(0)
    X = np.column_stack(
        [
            rng.uniform(30, 300, n),
            rng.integers(1900, 2020, n),
            rng.uniform(0, 1, n),
            rng.integers(0, 2, n),
        ]
    ).astype(float)
    return X, 2000 * X[:, 0] + 50 * X[:, 1] + 1e4 * rng.standard_normal(n)


DIVERGING = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.01},
    "defaults of SGDRegressor": {"learning_rate": "invscaling", "penalty": "l2"},
    "batches": {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": 32},
    "full batch": {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": "full"},
    "averaged": {"optimizer": "sgd", "learning_rate": 0.01, "average": True},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.01, "batch_size": 8},
    "nesterov": {"optimizer": "nesterov", "learning_rate": 0.01, "batch_size": "full"},
    "callable": {"learning_rate": lambda t: 0.01 / t**0.1},
    "no intercept": {"learning_rate": 0.01, "fit_intercept": False},
    "adaptive": {"learning_rate": "adaptive", "tol": 1e-8},
}


@pytest.mark.parametrize("settings", DIVERGING.values(), ids=DIVERGING)
@pytest.mark.parametrize("form", [as_c, sparse.csr_array, as_float32])
@pytest.mark.parametrize("max_iter", [1000, 2])
def test_textbook_steps_on_raw_data_diverge_with_advice(settings, form, max_iter):
    """What, where (epoch and step), and what to do; the old fit stays."""
    X, y = raw_data()
    model = fitted({"random_state": 0})
    match = (
        r"^Diverged (at|by) epoch \d+, step \d+: the loss .* Lower [\w ]+ \(largest "
        r"stable value here is about [\d.]+e[+-]\d+\), scale the features or use "
        r"optimizer='auto'"
    )
    with refuses(model, ValueError, match):
        model.set_params(**{"tol": None, **settings}, max_iter=max_iter)
        model.fit(form(X), y)


def test_divergence_is_found_within_the_first_epoch():
    X, y = raw_data(5000)
    model = SGDLinearRegressor(learning_rate=0.01, random_state=0)
    with pytest.raises(ValueError, match="Diverged at epoch 1, step") as caught:
        model.fit(X, y)
    assert int(re.search(r"step (\d+)", str(caught.value))[1]) < 50
    with pytest.raises(ValueError, match="Diverged at epoch 1, step"):
        model.partial_fit(X, y)
    model.partial_fit(*data(500, 4))  # small numbers: goes well
    with pytest.raises(ValueError, match=r"Diverged at epoch 2, step 5\d\d:"):
        model.partial_fit(X, y)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("batch_size", [1, 16, "full"])
@pytest.mark.parametrize("alpha", [0, 0.5])
@quiet
def test_the_stable_value_named_is_stable(optimizer, batch_size, alpha):
    """Half of it trains; thirty times as much diverges."""
    X, y = raw_data()
    model = SGDLinearRegressor(optimizer=optimizer, batch_size=batch_size, random_state=0)
    if alpha:
        model.set_params(penalty="l2", alpha=alpha)
    with pytest.raises(ValueError, match="largest stable") as caught:
        model.set_params(learning_rate=1.0, max_iter=200).fit(X, y)
    stable = float(re.search(r"about ([\d.e+-]+)\)", str(caught.value))[1])
    model.set_params(learning_rate=0.5 * stable, tol=None).fit(X, y)
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    with pytest.raises(ValueError, match="Diverged"):
        model.set_params(learning_rate=30 * stable).fit(X, y)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
@quiet
def test_the_stable_value_of_all_rows_is_the_largest(optimizer):
    """Within the 5 % of its margin: 0.97 of it trains, 1.15 of it diverges."""
    X, y = np.arange(1.0, 6.0)[:, None], 2 * np.arange(1.0, 6.0)
    model = SGDLinearRegressor(optimizer=optimizer, batch_size="full", tol=None)
    with pytest.raises(ValueError, match="largest stable") as caught:
        model.set_params(learning_rate=5.0, max_iter=3000).fit(X, y)
    stable = float(re.search(r"about ([\d.e+-]+)\)", str(caught.value))[1])
    model.set_params(learning_rate=0.97 * stable).fit(X, y)
    assert model.score(X, y) > 1 - 1e-9
    with pytest.raises(ValueError, match="Diverged"):
        model.set_params(learning_rate=1.15 * stable).fit(X, y)


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop", "adam"])
def test_adaptive_rules_are_promised_no_stable_value(optimizer):
    """Their steps are lengths, which no curvature bounds."""
    model = SGDLinearRegressor(optimizer=optimizer, learning_rate=1e200, random_state=0)
    with pytest.raises(ValueError, match=r"Diverged .* Lower learning_rate, scale"):
        model.fit(*raw_data())


@pytest.mark.parametrize("factor", [1.5, 3, 10, 1e3, 1e6, 1e12, 1e100, 1e250])
@pytest.mark.parametrize("max_iter", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 10, "full"])
@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_finite_blow_up_is_never_silent(
    factor, max_iter, batch_size, average, fit_intercept
):
    """Refused, or warned of, or no worse than predicting the mean (zero)."""
    X, y = data(60)
    stable = 2 / np.linalg.eigvalsh(X.T @ X / len(X))[-1]
    model = SGDLinearRegressor(learning_rate=factor * stable, batch_size=batch_size)
    model.set_params(max_iter=max_iter, tol=None, average=average, random_state=0)
    model.set_params(fit_intercept=fit_intercept)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        message = message_of(model.fit, X, y)
    if message:
        assert re.match(r"Diverged (at|by) epoch [123], step \d+", message)
        assert not hasattr(model, "coef_")
        return
    assert np.abs(model.coef_).max() < 1e4
    if caught:
        assert "worse than predicting" in str(caught[0].message)
    else:
        constant = y.mean() if fit_intercept else 0.0
        assert np.mean((model.predict(X) - y) ** 2) <= np.mean((y - constant) ** 2)


def test_a_model_worse_than_the_mean_warns():
    X, y = data()
    model = SGDLinearRegressor(learning_rate=1e-6, max_iter=2, tol=None)
    with pytest.warns(
        ConvergenceWarning, match="2 epochs .* worse than predicting the mean"
    ):
        model.fit(X, y + 100)
    model.set_params(learning_rate=1e-3, fit_intercept=False)
    with pytest.warns(ConvergenceWarning, match="worse than predicting"):
        model.fit(X, y, coef_init=[20.0, 20.0, 20.0])


def test_a_last_step_that_spoils_the_model_is_not_silent():
    """A row of great leverage at the end: the epoch's running loss looks good."""
    X, y = data(1000)
    X[-1], y[-1] = [1e4, 0, 0], 1e4
    model = SGDLinearRegressor(learning_rate=0.1, shuffle=False, max_iter=1, tol=None)
    with pytest.raises(ValueError, match="Diverged by epoch 1, step 1000"):
        model.fit(X, y)


@pytest.mark.parametrize("eta", [1e9, 1e100, 1e308])
@pytest.mark.parametrize("batch_size", [1, 30, "full"])
def test_partial_fit_does_not_return_a_blown_up_model(eta, batch_size):
    X, y = data(60)
    model = SGDLinearRegressor(learning_rate=eta, batch_size=batch_size, random_state=0)
    with pytest.raises(ValueError, match=r"Diverged (at|by) epoch 1, step \d+"):
        model.partial_fit(X, y)


@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.1, "max_iter": 50}])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_model_that_float32_cannot_hold_is_refused(settings, method):
    X, y = data()
    model = SGDLinearRegressor(**settings)
    with pytest.raises(ValueError, match="float32"):
        getattr(model, method)(X.astype(np.float32), y * 1e60)


# -------------------------------------------------------------- "auto" takes what comes


def nasty():
    """X, y by name; standardised columns show what can be learnt of y."""
    X, y = data(60)

    def changed(column, by):
        Z = X.copy()
        Z[:, column] = by(Z[:, column])
        return Z, y

    yield "column 1e9", changed(1, lambda x: x * 1e9)
    yield "column 1e-9", changed(1, lambda x: x * 1e-9)
    yield "column 1e100", changed(1, lambda x: x * 1e100)
    yield "column 1e-160", changed(1, lambda x: x * 1e-160)
    yield "1e12 beside 1e-12", (X * [1e12, 1e-12, 1], y)
    yield "all 1e9", (X * 1e9, y)
    yield "all 1e-9", (X * 1e-9, y)
    yield "offsets 1e6", (X + 1e6, y)
    yield "one offset 1e10", changed(0, lambda x: x + 1e10)
    yield "y 1e9", (X, y * 1e9)
    yield "y 1e-9", (X, y * 1e-9)
    yield "y + 1e9", (X, y + 1e9)
    yield "outlier in X", changed(2, lambda x: np.r_[1e9, x[1:]])
    yield "outlier in y", (X, np.r_[1e12, y[1:]])
    yield "constant column", changed(1, lambda x: 0 * x + 5)
    yield "constant column 0.1", changed(1, lambda x: 0 * x + 0.1)
    yield "constant column 1e9", changed(1, lambda x: 0 * x + 1e9 + 0.1)
    yield "zero column", changed(1, lambda x: 0 * x)
    yield "duplicate column", (X[:, [0, 0, 1, 2]], y)
    yield "duplicate in other units", (X[:, [0, 0, 1]] * [1, 3e5, 1], y)
    yield "fewer rows than columns", data(5, 20)
    yield "one row", data(1)
    yield "one large row", (data(1)[0] * 1e8, y[:1])
    yield "two rows", data(2)
    yield "y constant", (X, np.full(60, 3.7))
    yield "y constant 1e9", (X, np.full(60, 1e9 + 0.1))
    yield "y zero", (X, np.zeros(60))
    yield "X zero", (0 * X, y)
    yield "X constant", (0 * X + [0.1, 1e9 + 0.1, 7], y)
    yield "one constant column", (0 * X[:, :1] + 1e9 + 0.1, y)
    yield "log-normal", (np.exp(4 * X), y)
    t = np.linspace(0, 1, 60)
    powers = t[:, None] ** np.arange(1, 10)
    yield "polynomial", (powers, np.sin(9 * t))
    yield (
        "polynomial and 1e12",
        (np.column_stack([powers, 0 * t + 1e12]), np.sin(9 * t)),
    )


NASTY = dict(nasty())
VARIANTS = {
    "defaults": {},
    "no intercept": {"fit_intercept": False},
    "l2": {"penalty": "l2", "alpha": 0.01},
    "batches": {"batch_size": 4, "max_iter": 60},
    "last step": {"batch_size": 7, "max_iter": 20, "average": False},
    "stopping": {"early_stopping": True, "validation_fraction": 0.2},
    "weights": {},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("form", [as_c, sparse.csr_array, as_float32])
@pytest.mark.parametrize("name", NASTY)
@pytest.mark.filterwarnings("ignore:Ran :sklearn.exceptions.ConvergenceWarning")
def test_auto_is_never_worse_than_a_constant(name, form, variant):
    """No error, no warning but for a budget spent; finite; worth its features."""
    X, y = NASTY[name]
    if form is as_float32 and np.abs(X).max() > 1e38:
        pytest.skip("float32 cannot hold these numbers")
    if variant == "stopping" and len(y) < 3:
        pytest.skip("too few rows to hold some out")
    weights = np.arange(1.0, len(y) + 1) if variant == "weights" else None
    X = form(X)
    model = SGDLinearRegressor(**VARIANTS[variant], random_state=0).fit(X, y, weights)
    p = model.predict(X)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(p).all()
    if variant != "stopping":  # held-out rows are free to disagree
        mean = np.average(y, weights=weights) if model.fit_intercept else 0.0
        rounding = 1e-4 if form is as_float32 else 1e-9
        error = np.average((p - y) ** 2, weights=weights)
        constant = np.average((y - mean) ** 2, weights=weights)
        noise = 1.0 if variant == "last step" else 1e-6  # of mini-batches, not averaged
        assert error <= constant * (1 + noise) + (rounding * np.abs(y).max()) ** 2


@pytest.mark.parametrize("form", [as_c, sparse.csr_array])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", NASTY)
def test_auto_finds_least_squares(name, form, weighted):
    """The error of lstsq on the standardised columns, to 1e-6 of the variance."""
    X, y = NASTY[name]
    weights = np.linspace(1, 3, len(y)) if weighted else None
    s = np.ones(len(y)) if weights is None else weights / weights.mean()
    centred = X - np.average(X, axis=0, weights=s)
    size = np.abs(centred).max(axis=0)
    told_apart = size > 1e-12 * np.abs(X).max(axis=0)
    Z = np.column_stack([centred[:, told_apart] / size[told_apart], np.ones(len(y))])
    root = np.sqrt(s)
    best = Z @ np.linalg.lstsq(Z * root[:, None], y * root, rcond=1e-13)[0]
    model = SGDLinearRegressor().fit(form(X), y, weights)
    assert model.converged_
    error, least = (np.mean(s * (p - y) ** 2) for p in (model.predict(X), best))
    variance = np.mean(s * (y - np.average(y, weights=s)) ** 2)
    assert error <= least + 1e-6 * variance + (1e-9 * np.abs(y).max()) ** 2


@pytest.mark.parametrize("scale", [1.7e308, 1e300, 1e-300, 5e-324])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_weights_of_any_size(scale, method):
    """Their sum may overflow: only their relative size matters."""
    X, y = data(60)
    ours = getattr(SGDLinearRegressor(random_state=0), method)(X, y, np.ones(60))
    weights = np.full(60, scale)
    theirs = getattr(SGDLinearRegressor(random_state=0), method)(X, y, weights)
    assert_allclose(theirs.coef_, ours.coef_, rtol=1e-9)


@pytest.mark.parametrize("size", [1e155, 1e200, 1e300])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_columns_too_large_for_sums_are_named(size, method):
    """Or learnt from all the same; but no RuntimeWarning, and no nonsense."""
    X, y = data(60)
    X[:, 1] *= size
    model = SGDLinearRegressor(random_state=0)
    message = message_of(getattr(model, method), X, y)
    if message:
        assert re.search("column 1 of X overflows.*Rescale the column", message)
    else:
        assert np.isfinite(model.coef_).all()
        assert np.mean((model.predict(X) - y) ** 2) <= np.var(y)


@pytest.mark.parametrize("settings", [{}, TEXTBOOK], ids=["auto", "textbook"])
def test_initial_values_too_large_are_refused(settings):
    model = fitted(settings)
    with refuses(model, ValueError, "coef_init|Diverged|No step"):
        model.fit(*data(), coef_init=[1e300] * D)


FIRST = {
    "normal": lambda X, y: (X, y),
    "one row": lambda X, y: (X[:1], y[:1]),
    "two rows": lambda X, y: (X[:2], y[:2]),
    "one large row": lambda X, y: (X[:1] * 1e8, y[:1]),
    "constant": lambda X, y: (0 * X + 7, 0 * y + 3),
    "zero": lambda X, y: (0 * X, 0 * y),
    "small": lambda X, y: (X * 1e-6, y),
    "nearly constant": lambda X, y: (7 + 1e-9 * X, y),
}
LATER = {
    "the same": lambda X, y: (X, y),
    "X 1e6 larger": lambda X, y: (X * 1e6, y),
    "all 1e6 larger": lambda X, y: (X * 1e6, y * 1e6),
    "y 1e6 larger": lambda X, y: (X, y * 1e6),
    "moved by 1e6": lambda X, y: (X + 1e6, y),
    "one outlier": lambda X, y: (X[:1] * 1e6, y[:1]),
    "X 1e30 larger": lambda X, y: (X * 1e30, y),
}


@pytest.mark.parametrize("form", [as_c, sparse.csr_array, as_float32])
@pytest.mark.parametrize("batch_size", ["auto", 1])
@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("first", FIRST)
def test_an_automatic_stream_stays_finite(first, later, batch_size, form):
    """Whatever the first chunk was, and whatever comes: no error, no warning."""
    X, y = data(60)
    model = SGDLinearRegressor(batch_size=batch_size, random_state=0)
    for chunk in (FIRST[first], LATER[later], LATER[later], FIRST["normal"]):
        Z, v = chunk(X, y)
        model.partial_fit(form(Z), v)
        assert np.isfinite(model.coef_).all()
        assert np.isfinite(model.predict(form(X))).all()


# Beside rows 1e30 larger the others are below rounding: nothing to compare.
@pytest.mark.parametrize("later", [name for name in LATER if "1e30" not in name])
@pytest.mark.parametrize("first", FIRST)
def test_an_automatic_stream_is_the_least_squares_of_all_rows_seen(first, later):
    """Recursive least squares: no chunk, however wild, costs more than its rows' share."""
    X, y = data(60)
    normal = FIRST["normal"](X, y)
    chunks = [FIRST[first](X, y), normal, LATER[later](X, y), normal, normal]
    model = SGDLinearRegressor(random_state=0)
    for Z, v in chunks:
        model.partial_fit(Z, v)
    everything = np.concatenate([Z for Z, _ in chunks])
    targets = np.concatenate([v for _, v in chunks])
    middle = everything.mean(axis=0)
    A = np.column_stack([everything - middle, np.ones(len(targets))])
    A /= np.abs(A).max(axis=0)
    exact = targets - A @ np.linalg.lstsq(A, targets, rcond=None)[0]
    error = targets - model.predict(everything)
    assert error @ error <= exact @ exact * (1 + 1e-6) + 1e-12 * (targets @ targets)
