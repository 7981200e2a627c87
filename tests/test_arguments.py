"""What is no array of numbers, or no parameter, is said by name and place, in our words."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression

from sgdreg import SGDLinearRegressor, losses, optimizers, schedules

rng = np.random.default_rng(0)
X = rng.standard_normal((8, 2))
Y = X @ [1.0, 2.0] + 3.0
TABLE = pd.DataFrame(X, columns=["a", "b"])
DAYS = pd.date_range("2020", periods=8)


def text_of(call, *args, **settings):
    """The message of the error of a documented kind that a call ends with."""
    with pytest.raises((ValueError, TypeError)) as caught:
        call(*args, **settings)
    assert type(caught.value).__module__ in ("builtins", "sklearn.utils._param_validation")
    return str(caught.value)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "times",
    [
        DAYS,
        DAYS.tz_localize("UTC"),
        pd.to_timedelta(np.arange(8), "s"),
        pd.period_range("2020", periods=8, freq="D"),
    ],
    ids=["dates", "zoned dates", "spans", "periods"],
)
def test_a_column_of_times_is_named(method, times):
    table = TABLE.assign(when=times)
    model = SGDLinearRegressor()
    assert "In X: column 'when'" in text_of(getattr(model, method), table, Y)
    assert "In y: column 'when'" in text_of(getattr(model, method), X, table[["a", "when"]])
    assert "In X: column 'when'" in text_of(SGDLinearRegressor().fit(X, Y).predict, table)
    assert "In X_val: column 'when'" in text_of(model.fit, X, Y, X_val=table, y_val=Y)


def test_a_table_that_is_not_there_yet():
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"a": X[:, 0].tolist()}).lazy()
    assert "In X: no array" in text_of(SGDLinearRegressor().fit, table, Y)


NO_ARRAYS = {
    "dict": ({"a": 1.0}, "no array of numbers"),
    "set": ({1.0, 2.0}, "no array of numbers"),
    "generator": ((row for row in X), "no array of numbers"),
    "class": (SGDLinearRegressor, "no array of numbers"),
    "ragged": ([[1.0, 2.0]] * 7 + [[1.0]], "row 7 has 1 columns, and row 0 has 2"),
    "ragged within": (
        [[1.0, [2.0]], [1.0, [2.0, 3.0]]],
        "rows must have one length, and these contain ragged rows",
    ),
    "text": (
        np.where(X.argmax() == np.arange(16).reshape(8, 2), "red", "1"),
        "could not convert string .*'red'",
    ),
    "too large": ([[1, 10**400]] * 8, "1.8e308.* at row 0, column 1"),
    "objects": (np.full((8, 2), object()), "must be a number.* at row 0, column 0"),
    "missing": (TABLE.assign(c=[1] * 7 + [pd.NA]), "missing value.* at row 7, column 2"),
    "time": (TABLE.astype(object).assign(c=DAYS[0]).to_numpy(), "Timestamp is no number"),
    "cells of arrays": (pd.Series(list(X)), "several numbers.* at row 0"),
    "fields": (np.zeros(8, dtype=[("a", "f8"), ("b", "f8")]), "structured array"),
    "complex": (X + 1j, "Complex data not supported"),
    "no rows": (X[:0], "0 sample"),
    "matrix": (np.matrix(X), "np.matrix is not supported"),
    "3 dimensions": (X[None], r"dim 3, of shape \(1, 8, 2\)"),
}


@pytest.mark.parametrize(("bad", "match"), NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_no_array_of_numbers(bad, match):
    """X, and the same as other arguments, each by its name."""
    fitted = SGDLinearRegressor().fit(X, Y)
    calls = {"X": lambda: SGDLinearRegressor().fit(bad, Y)}
    calls["X to predict"] = lambda: fitted.predict(bad)
    calls["X_val"] = lambda: SGDLinearRegressor().fit(X, Y, X_val=bad, y_val=Y)
    for name, call in calls.items():
        said = text_of(call)
        assert pd.Series([said]).str.contains(match).all(), said
        assert said.startswith(f"In {name.split()[0]}: "), said


@pytest.mark.parametrize("kind", sorted(set(NO_ARRAYS) - {"matrix", "no rows", "text"}))
def test_no_targets(kind):
    said = text_of(SGDLinearRegressor().fit, X, NO_ARRAYS[kind][0])
    if kind != "generator":  # used up by the test before
        assert said.startswith(("In y: ", "y must have")), said


def test_lengths_that_differ_are_those_of_x_and_y():
    said = text_of(SGDLinearRegressor().fit, X, Y[:-1])
    assert said.startswith("In X and y: Found input variables with inconsistent numbers")
    said = text_of(SGDLinearRegressor().fit, X, Y, X_val=X, y_val=Y[:-1])
    assert said.startswith("In X_val and y_val: Found input variables")


@pytest.mark.parametrize("value", [1j, np.complex128(1)])
@pytest.mark.parametrize("name", ["coef_init", "intercept_init", "sample_weight"])
@pytest.mark.filterwarnings("error")
def test_complex_numbers_have_no_real_part_taken(name, value):
    said = text_of(SGDLinearRegressor().fit, X, Y, **{name: value})
    assert said.startswith(f"In {name}: Complex data not supported")


# ----------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    "value",
    [Fraction(1, 3), np.timedelta64(1), 10**400, 1j],
    ids=lambda v: type(v).__name__,
)
@pytest.mark.parametrize(
    "name", ["tol", "alpha", "eta0", "max_iter", "batch_size", "n_jobs"]
)
def test_numbers_that_are_no_floats(name, value):
    for method in ("fit", "partial_fit"):
        said = text_of(getattr(SGDLinearRegressor(**{name: value}), method), X, Y)
        assert name in said
        assert "ufunc" not in said


@pytest.mark.parametrize("value", [pd.NA, [np.ones(2)], np.ones(2)])
def test_a_parameter_that_does_not_compare(value):
    model = SGDLinearRegressor().partial_fit(X, Y).set_params(learning_rate=value)
    assert "learning_rate" in text_of(model.partial_fit, X, Y)
    assert_allclose(model.predict(X), LinearRegression().fit(X, Y).predict(X))


@pytest.mark.parametrize(
    "value",
    [
        schedules.WarmUp(0.1, steps=0),
        schedules.WarmUp(schedules.Cosine(0.1, steps=0.5), steps=3),
        schedules.Piecewise("ab", [0.1]),
        schedules.Constant(-1.0),
        lambda t, u: 0.1,
        lambda t: 10**400,
        lambda t: "a",
        lambda t: -1.0,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_schedule_that_gives_no_steps(value):
    said = text_of(SGDLinearRegressor(learning_rate=value).fit, X, Y)
    assert said.count("learning_rate") == 1, said


def test_objects_that_define_nothing():
    said = text_of(SGDLinearRegressor(loss=losses.Loss()).fit, X, Y)
    assert "loss Loss() has no method value and gradient" in said
    model = SGDLinearRegressor(optimizer=optimizers.Optimizer(), learning_rate=0.1)
    assert "optimizer Optimizer() has no direction" in text_of(model.fit, X, Y)
    model = SGDLinearRegressor(optimizer=optimizers.Momentum(10**400))
    assert text_of(model.fit, X, Y).startswith("In optimizer: momentum of Momentum")


class OwnLoss(losses.Loss):
    """Half the squared error; what it returns is made into something else."""

    def __init__(self, of_value=None, of_gradient=None, smoothness=1.0):
        self.of_value, self.of_gradient = of_value, of_gradient
        self.smoothness = smoothness

    def value(self, y, p):
        answer = 0.5 * (p - y) ** 2
        return answer if self.of_value is None else self.of_value(answer)

    def gradient(self, y, p):
        return p - y if self.of_gradient is None else self.of_gradient(p - y)


class OwnRule(optimizers.Optimizer):
    def __init__(self, made):
        self.made = made

    def direction(self, gradient, memory, t):
        return self.made(gradient)


NO_ANSWERS = {
    "None": lambda g: None,
    "text": lambda g: ["a"] * len(g),
    "complex": lambda g: g + 1j,
    "generator": lambda g: (v for v in g),
    "dict": lambda g: {},
    "ragged": lambda g: [[1], [1, 2]],
    "too large": lambda g: [10**400] * len(g),
    "short": lambda g: g[:-1],
    "column": lambda g: g[:, None],
}


@pytest.mark.parametrize("kind", NO_ANSWERS)
@pytest.mark.filterwarnings("error")
def test_objects_of_ones_own_that_return_no_numbers(kind):
    made = NO_ANSWERS[kind]
    for name, call in {
        "value(y, p) of the loss": lambda: SGDLinearRegressor(loss=OwnLoss(made)),
        "gradient(y, p) of the loss": lambda: SGDLinearRegressor(loss=OwnLoss(None, made)),
        "direction(gradient, memory, t) of the optimizer": lambda: SGDLinearRegressor(
            optimizer=OwnRule(made), learning_rate=0.01
        ),
        "learning_rate": lambda: SGDLinearRegressor(
            learning_rate=lambda t: made(np.full(np.size(t), 0.01)), batch_size=3
        ),
    }.items():
        for method in ("fit", "partial_fit"):
            if method == "fit" or "value" not in name:
                said = text_of(getattr(call(), method), X, Y)
                assert said.startswith(name) or "that learning_rate gives" in said, said
                assert "must return" in said or "must be" in said, said


@pytest.mark.parametrize(
    "smoothness", [0, -1.0, np.nan, np.inf, "a", Fraction(1, 2), np.ones(2)]
)
def test_a_smoothness_that_is_none(smoothness):
    for method in ("fit", "partial_fit"):
        model = SGDLinearRegressor(loss=OwnLoss(smoothness=smoothness))
        assert "has smoothness" in text_of(getattr(model, method), X, Y)


@pytest.mark.parametrize("penalty", [None, "l2", "l1"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_loss_that_says_it_is_flat(penalty):
    loss = OwnLoss(None, np.zeros_like)
    model = SGDLinearRegressor(loss=loss, penalty=penalty, max_iter=5).fit(X, Y)
    assert not model.coef_.any()


def test_a_rule_may_return_what_is_read_only():
    def made(gradient):
        gradient = pd.Series(gradient).to_numpy()
        gradient.flags.writeable = False
        return gradient

    own = SGDLinearRegressor(optimizer=OwnRule(made), learning_rate=0.01, shuffle=False)
    plain = SGDLinearRegressor(optimizer="sgd", learning_rate=0.01, shuffle=False)
    assert_allclose(own.partial_fit(X, Y).coef_, plain.partial_fit(X, Y).coef_)


def test_no_path_of_a_checkpoint(tmp_path):
    pytest.importorskip("skops")
    assert "path must be" in text_of(SGDLinearRegressor.resume, None, X, Y)
    assert f"{tmp_path} is a folder" in text_of(SGDLinearRegressor.resume, tmp_path, X, Y)


# -------------------------------------------------------------------------------- scores


@pytest.mark.parametrize("unit", [1e-290, 1e-170, 1.0, 1e170, 1e300])
@pytest.mark.filterwarnings("error")
def test_no_unit_changes_a_score(unit):
    y = Y + rng.standard_normal(8)
    ours = SGDLinearRegressor(tol=None, max_iter=1).fit(X, Y * min(unit, 1e150))
    weights = np.arange(8.0)
    ours.coef_, ours.intercept_ = np.ones(2) * unit, unit
    p = X.sum(axis=1) + 1
    centre = np.average(y, weights=weights)
    expected = 1 - np.sum(weights * (y - p) ** 2) / np.sum(weights * (y - centre) ** 2)
    assert_allclose(ours.score(X, y * unit, weights), expected, rtol=1e-12)


def test_scores_name_the_argument():
    model = SGDLinearRegressor().fit(X, np.c_[Y, Y])
    assert text_of(model.score, X, Y).startswith("y has shape (8,), and the predictions")
    assert "y has shape (7, 2)" in text_of(model.score, X, np.c_[Y, Y][:-1])
    assert "Input y contains NaN" in text_of(model.score, X, np.c_[Y, np.full(8, np.nan)])
    assert "Negative values in sample_weight" in text_of(model.score, X, np.c_[Y, Y], -Y)
    assert text_of(model.score, X, TABLE.assign(b=DAYS)).startswith("In y: column 'b'")
