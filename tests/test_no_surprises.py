"""What breaks is said in words, and what works is silent: no exception from within."""

import os
import pickle
import random
import re
import threading
from copy import deepcopy
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import LinearRegression

from sgdreg import Checkpoint, SGDLinearRegressor
from sgdreg._data import threads
from sgdreg._data.dataset import PIECE_NUMBERS
from sgdreg._persistence.soundness import MEMORY, STATE
from sgdreg.optimizers import SGD, SVRG, Momentum, Nesterov
from sgdreg.schedules import InvScaling

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def data(n=40, d=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X.sum(axis=1) + 0.1 * rng.standard_normal(n)


def refusal(call, *args, **settings):
    """The error of a documented kind that a call ends with, if it does."""
    try:
        call(*args, **settings)
    except (ValueError, TypeError) as error:
        return error
    return None


# --------------------------------------------------------------------- rare ways through


@pytest.mark.parametrize("optimizer", [SGD, Momentum, Nesterov, SVRG])
@pytest.mark.parametrize("settings", [{}, {"learning_rate": 1e-5}, {"penalty": "l2"}])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@quiet
def test_a_metric_of_low_rank(optimizer, settings, method):
    """Of more than 2,000 features, in streams too."""
    X, y = data(12, 2045)
    model = SGDLinearRegressor(
        optimizer=optimizer(metric="sketch"), max_iter=2, random_state=0, **settings
    )
    first = deepcopy(getattr(model, method)(X, y))
    if not isinstance(model.learning_rate, float):
        assert ((first.predict(X) - y) ** 2).mean() < ((y - y.mean()) ** 2).mean()
    if method == "partial_fit":
        model.partial_fit(X[:5], y[:5]).partial_fit(X, y)
        again = first.partial_fit(X[:5], y[:5]).partial_fit(X, y)
        assert_array_equal(model.coef_, again.coef_)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("settings", [{}, {"penalty": "l2"}, {"fit_intercept": False}])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_constant_columns_only(dtype, settings, method):
    """Many rows, so that a sample would do: there is no direction to look along."""
    y = np.random.default_rng(0).standard_normal(12000).astype(dtype)
    for X in (np.ones((12000, 50), dtype), np.zeros((12000, 50), dtype)):
        model = SGDLinearRegressor(random_state=0, **settings)
        getattr(model, method)(X, y)
        expected = y.mean() if X[0, 0] or model.fit_intercept else 0.0
        assert_allclose(model.predict(X[:1]), expected, atol=2e-4)  # half its square is tol


@pytest.mark.parametrize(("n", "settings"), [(100_000, {}), (500, {"loss": "quantile"})])
def test_sparse_rows_without_any_number(n, settings):
    y = np.random.default_rng(0).standard_normal(n) + 1
    for outputs in (y, np.column_stack([y, -y])):
        X = sparse.csr_array((n, 20))
        model = SGDLinearRegressor(**settings).fit(X, outputs)
        best = np.median(outputs, axis=0) if settings else outputs.mean(axis=0)
        assert not model.coef_.any()
        assert_allclose(model.intercept_, best, atol=1e-2 if settings else 1e-12)


@pytest.mark.parametrize("alpha", [5e-324, 1e-310, 1e-300, 1e-100, 1e-40])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("positive", [False, True])
def test_l1_far_below_rounding_is_least_squares(alpha, method, positive):
    X, y = data(200)
    weights = 10.0 ** np.random.default_rng(1).uniform(-6, 6, 200)
    settings = {"penalty": "l1", "alpha": alpha, "positive": positive}
    model = getattr(SGDLinearRegressor(**settings), method)(X, y, weights)
    expected = LinearRegression().fit(X, y, weights)
    assert_allclose(model.coef_, expected.coef_, rtol=1e-4)


EXTREME = {
    "steep": (1e150, 1.0, {}),
    "flat": (1e-150, 1.0, {}),
    "large targets": (1.0, 1e150, {}),
    "huge huber": (1.0, 1.0, {"loss": "huber", "epsilon": 1e300}),
    "tiny quantile": (1.0, 1.0, {"loss": "quantile", "quantile": 1e-15}),
    "strong l1": (1.0, 1.0, {"penalty": "l1", "alpha": 1e300}),
    "strong l2": (1.0, 1.0, {"penalty": "l2", "alpha": 1e300}),
    "textbook": (1e100, 1.0, {"optimizer": "sgd", "max_iter": 3}),
    "adam": (1e100, 1.0, {"optimizer": "adam", "max_iter": 3}),
    "svrg": (1e140, 1e100, {"optimizer": "svrg", "max_iter": 3}),
    "diagonal": (1e100, 1.0, {"optimizer": SGD(metric="diagonal"), "max_iter": 3}),
}


@pytest.mark.parametrize("case", EXTREME)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@quiet
def test_numbers_of_any_size_warn_of_nothing_but_convergence(case, method, form):
    across, of_y, settings = EXTREME[case]
    X, y = data(60)
    X = X * [across, 1.0, 1.0]
    model = SGDLinearRegressor(**settings, random_state=0)
    refused = refusal(getattr(model, method), form(X), y * of_y)
    if refused is None:
        assert np.isfinite(model.coef_).all()
    else:
        assert re.search("overflow|Diverged|No step is short enough", str(refused))


# ----------------------------------------------------------------------------- arguments

TEXT = {
    "X": lambda X, y: {"X": np.where(X[3, 1] == X, "red", X.astype(object)), "y": y},
    "y": lambda X, y: {"X": X, "y": [*y[:-1], "red"]},
    "sample_weight": lambda X, y: {"X": X, "y": y, "sample_weight": ["red"] * len(y)},
    "coef_init": lambda X, y: {"X": X, "y": y, "coef_init": ["red", 1, 2]},
    "intercept_init": lambda X, y: {"X": X, "y": y, "intercept_init": "red"},
    "X_val": lambda X, y: {"X": X, "y": y, "X_val": X.astype(str) + "red", "y_val": y},
    "y_val": lambda X, y: {"X": X, "y": y, "X_val": X, "y_val": ["red"] * len(y)},
}


@pytest.mark.parametrize("name", TEXT)
def test_text_names_the_argument_and_the_cell(name):
    with pytest.raises(ValueError, match=rf"In {name}: could not convert .*red"):
        SGDLinearRegressor().fit(**TEXT[name](*data()))


def test_where_the_text_is():
    X, y = data()
    with pytest.raises(ValueError, match=r"'red' at row 3, column 1\)"):
        SGDLinearRegressor().fit(**TEXT["X"](X, y))
    with pytest.raises(ValueError, match=r"'red' at row 39\)"):
        SGDLinearRegressor().partial_fit(X, [*y[:-1], "red"])
    model = SGDLinearRegressor().fit(X, y)
    with pytest.raises(ValueError, match=r"In X: .*'red' at row 3, column 1\)"):
        model.predict(TEXT["X"](X, y)["X"])


@pytest.mark.parametrize("name", ["X", "y", "sample_weight", "coef_init", "intercept_init"])
def test_integers_beyond_floats_are_refused(name):
    X, y = data()
    given = {"X": X, "y": y, "sample_weight": np.ones(len(y)), "coef_init": np.ones(3)}
    given["intercept_init"] = 1.0
    huge = np.asarray(given[name], dtype=object)
    huge[(0,) * huge.ndim] = 10**400
    given[name] = huge.tolist()
    with pytest.raises(ValueError, match=f"In {name}: a number beyond float64"):
        SGDLinearRegressor().fit(**given)


@pytest.mark.parametrize("name", ["alpha", "epsilon", "learning_rate", "eta0", "tol"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_parameters_beyond_floats_are_named(name, method):
    model = SGDLinearRegressor(**{name: 10**400})
    with pytest.raises(ValueError, match=f"{name} of SGDLinearRegressor is an integer of"):
        getattr(model, method)(*data())


def test_parameters_of_objects_beyond_floats_are_named():
    model = SGDLinearRegressor(learning_rate=InvScaling(eta0=10**400))
    with pytest.raises(ValueError, match="eta0 of InvScaling is an integer of"):
        model.fit(*data())


# ------------------------------------------------------------------------------- threads


@pytest.mark.parametrize("most", [0, 1, 2])
@pytest.mark.parametrize("settings", [{}, {"optimizer": "svrg"}])
@quiet
def test_threads_that_cannot_be_started(monkeypatch, most, settings):
    """The system lets so many begin; the bits are those of any number of threads."""
    X, y = data(4 * PIECE_NUMBERS // 16, 16)
    model = SGDLinearRegressor(n_jobs=4, max_iter=3, random_state=0, **settings)
    expected = deepcopy(model).fit(X, y).coef_
    start, begun = threading.Thread.start, []

    def refused(thread):
        if len(begun) >= most:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert_array_equal(model.fit(X, y).coef_, expected)


def test_threads_are_silent_too():
    def overflow(_):
        return np.float64(1e300) * np.float64(1e300)

    with threads.within_floats(), threads.Team(2) as team:
        assert list(team.in_order(overflow, range(4))) == [np.inf] * 4
    with pytest.warns(RuntimeWarning, match="overflow"):
        overflow(None)  # as before, outside


# --------------------------------------------------------------------------- checkpoints

STRANGE = [None, True, -1, 10**400, np.nan, "", [], [[1, 2], 3], {}, {"a": 1}, object()]
STRANGE += [np.zeros(0), np.zeros((2, 2)), np.array(["a"]), 1j, b"x"]


def places(value, at=()):
    """Where in nested dicts and lists there is something."""
    if at:
        yield at
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, (*at, name))
    elif isinstance(value, list):
        for number, part in enumerate(value[:3]):
            yield from places(part, (*at, number))


def spoilt(checkpoint, at, value):
    """A copy with something else in one place; Ellipsis: nothing."""
    copy = pickle.loads(pickle.dumps(checkpoint))
    parent = copy
    for name in at[:-1]:
        parent = parent[name]
    if value is Ellipsis:
        del parent[at[-1]]
    else:
        parent[at[-1]] = value
    return copy


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "svrg", "max_iter": 3, "tol": None},
        {"loss": "huber", "penalty": "l1"},
        {"learning_rate": 0.01, "average": "tail", "optimizer": "adam", "max_iter": 3},
    ],
)
@quiet
def test_hostile_checkpoints_are_refused_or_harmless(settings, capsys):  # some print
    X, y = data()
    model = SGDLinearRegressor(random_state=0, **settings).fit(X, y)
    checkpoint, draw = model.checkpoint_, random.Random(0)
    every = [(at, v) for at in places(checkpoint) for v in (*STRANGE, Ellipsis)]
    for at, value in draw.sample(every, 60):
        hostile = spoilt(checkpoint, at, value)
        refused = refusal(
            SGDLinearRegressor.resume, hostile, X, y, max_iter=model.n_iter_ + 1
        )
        # A TypeError is about what no file holds, which is to be given anew.
        assert type(refused) is not TypeError or "checkpoint" in str(refused), at


@pytest.mark.parametrize("part", ["state", "memory"])
def test_values_of_another_kind_are_named(part):
    X, y = data()
    checkpoint = SGDLinearRegressor(random_state=0).fit(X, y).checkpoint_
    for name in STATE if part == "state" else MEMORY:
        at = ("state", name) if part == "state" else (name,)
        with pytest.raises(ValueError, match=f"damaged.*its {name} is of a wrong kind"):
            SGDLinearRegressor.resume(spoilt(checkpoint, at, [1.5]), X, y)


@quiet
def test_damaged_files_are_named(tmp_path):
    pytest.importorskip("skops")
    X, y = data()
    path = tmp_path / "fit.skops"
    settings = {"learning_rate": 0.01, "max_iter": 2, "tol": None}
    SGDLinearRegressor(**settings).set_callbacks(Checkpoint(path)).fit(X, y)
    whole, refused = path.read_bytes(), tmp_path / "damaged.skops"
    step = len(whole) // 5
    for at in range(step, len(whole), step):
        flipped = whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :]
        for content in (whole[at:] + whole[:at], whole[:at], flipped):
            refused.write_bytes(content)
            error = refusal(SGDLinearRegressor.resume, refused, X, y)
            assert error is None or "damaged.skops" in str(error)
    other = SGDLinearRegressor(**settings).fit(X, y).checkpoint_
    other["began"] = "a"
    from sgdreg._persistence.files import write  # noqa: PLC0415 (needs skops)

    write(other, refused)
    with pytest.raises(
        ValueError, match=r"damaged\.skops is damaged.*its began is of a wrong kind"
    ):
        SGDLinearRegressor.resume(refused, X, y)


def test_places_that_cannot_hold_a_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="path is empty"):
        Checkpoint("")
    pytest.importorskip("skops")
    model = SGDLinearRegressor().set_callbacks(Checkpoint(tmp_path))
    with pytest.raises(IsADirectoryError, match="is a folder"):
        model.fit(*data())
    assert not os.listdir(tmp_path)


def test_records_do_not_change():
    model = SGDLinearRegressor().fit(*data())
    start, _, _ = model._continuation
    for held in (start, start.plan, start.metric):
        name = next(iter(vars(held)))
        for change in (
            lambda held=held, name=name: setattr(held, name, None),
            lambda held=held: setattr(held, "another", None),
            lambda held=held, name=name: delattr(held, name),
        ):
            with pytest.raises(FrozenInstanceError):
                change()
        assert held == held  # noqa: PLR0124
        assert held != deepcopy(held)
