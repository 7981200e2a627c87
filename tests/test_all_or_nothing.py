"""A call that raises leaves every attribute as it was, wherever it raises.

Every function of the package that a call of `fit`, `partial_fit` or `resume` enters is
made to raise, the first time and the last; what the model holds is compared bit for bit.
"""

import pickle
import sys
import warnings
from inspect import CO_GENERATOR
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

import sgdreg
from sgdreg import Checkpoint, SGDLinearRegressor, TrajectoryRecorder

pytestmark = pytest.mark.filterwarnings("ignore")
PACKAGE = str(Path(sgdreg.__file__).parent)
# An exception within these would leave BLAS at one thread for the tests that follow.
LEFT_ALONE = ("threads.py",)
rng = np.random.default_rng(0)
X, OTHER = rng.standard_normal((30, 3)), rng.standard_normal((24, 3)) * [1, 10, 0.1]
Y, OTHER_Y = X @ [1, 2, 3.0] + rng.standard_normal(30), OTHER @ [3, 2, 1.0] + 1
TWO = np.column_stack([OTHER_Y, -OTHER_Y])
TEXTBOOK = {"learning_rate": 0.01, "batch_size": 8, "max_iter": 4, "tol": None}


class Stop(BaseException):
    """No handler of the package knows it."""


def raising(at, call):
    """Call with an exception in the `at`-th function entered; returns those entered."""
    entered = []

    def watch(frame, event, _):
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(PACKAGE) and not name.endswith(LEFT_ALONE):
            entered.append(frame.f_code)
            if len(entered) == at:
                raise Stop

    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(None)
    return entered


def moments(call, most=30):
    """When functions are entered for the first and for the last time, in `call`.

    Of all of them `most`, evenly spaced; None: all.
    """
    entered = list(enumerate(raising(0, call), start=1))
    first = {code: at for at, code in reversed(entered)}
    # What is raised in a generator that is being thrown away goes nowhere.
    last = {code: at for at, code in entered if not code.co_flags & CO_GENERATOR}
    found = sorted({*first.values(), *last.values()})
    assert len(found) > 30
    return found[:: 1 if most is None else -(-len(found) // most)]


def everything(model):
    """All that a model holds, as bytes."""
    return {
        name: value if name == "_skl_callbacks" else pickle.dumps(value)
        for name, value in vars(model).items()
    }


def frame(values):
    return pytest.importorskip("pandas").DataFrame(values, columns=["a", "b", "c"])


def with_callbacks(model, folder):
    return model.set_callbacks(Checkpoint(folder / "fit.skops"), TrajectoryRecorder())


CASES = {
    "fit": ({}, "fit", "fit"),
    "textbook": (
        {**TEXTBOOK, "optimizer": "momentum", "average": "tail"},
        "fit",
        "fit",
    ),
    "early stopping": ({**TEXTBOOK, "early_stopping": True}, "fit", "fit"),
    "interior point": ({"loss": "huber", "penalty": "l1", "tol": 0.1}, "fit", "fit"),
    "svrg": ({"optimizer": "svrg", "max_iter": 4}, "fit", "fit"),
    "warm start": ({"warm_start": True}, "fit", "fit"),
    "warm start, textbook": (
        {**TEXTBOOK, "optimizer": "adam", "average": "tail", "warm_start": True},
        "fit",
        "fit",
    ),
    "stream": ({}, "partial_fit", "partial_fit"),
    "stream, textbook": (
        {**TEXTBOOK, "optimizer": "nesterov", "average": True},
        "partial_fit",
        "partial_fit",
    ),
    "stream, quantile": ({"loss": "quantile", "tol": 0.1}, "partial_fit", "partial_fit"),
    "stream, l1": ({"penalty": "l1", "tol": 0.1}, "partial_fit", "partial_fit"),
    "stream after fit": ({}, "fit", "partial_fit"),
    "fit after stream": ({}, "partial_fit", "fit"),
    "first fit": ({}, None, "fit"),
    "first partial_fit": ({}, None, "partial_fit"),
}


@pytest.mark.parametrize("most", [30, pytest.param(None, marks=pytest.mark.heavy)])
@pytest.mark.parametrize("case", CASES)
def test_an_exception_anywhere_changes_nothing(case, most):
    settings, first, then = CASES[case]
    model = SGDLinearRegressor(**settings, random_state=np.random.RandomState(0))
    given = OTHER
    if first == "fit" and then == "fit" and not model.warm_start:
        given = frame(OTHER)  # with names, which the first had not
    if first is not None:
        getattr(model, first)(X, Y)
    before, held = everything(model), vars(model).copy()

    def call():
        getattr(model, then)(given, OTHER_Y)

    twin, first_of_all = (pickle.loads(pickle.dumps(model)) for _ in range(2))
    getattr(first_of_all, then)(given, OTHER_Y)  # fills caches: later calls are alike
    for at in moments(lambda: getattr(twin, then)(given, OTHER_Y), most):
        with pytest.raises(Stop):
            raising(at, call)
        assert vars(model).keys() == held.keys(), at
        assert all(vars(model)[name] is value for name, value in held.items()), at
    assert everything(model) == before  # nothing was changed in place
    call()  # and it goes on as if nothing had been
    assert_array_equal(model.coef_, twin.coef_)
    assert model.history_[-1]["objective"] == twin.history_[-1]["objective"]


def test_targets_of_another_size_change_nothing_either():
    """The sums of an average are then reckoned in another unit."""
    settings = {**TEXTBOOK, "average": "tail", "warm_start": True, "max_iter": 6}
    model = SGDLinearRegressor(**settings, random_state=0).fit(X, 2.0**-400 * Y)
    before = everything(model)
    assert model._continuation[1].window is not None
    with pytest.raises(ValueError, match="Diverged"):
        model.set_params(learning_rate=1e9).fit(X, 2.0**-300 * Y)
    model.set_params(learning_rate=settings["learning_rate"])
    assert everything(model) == before


def test_wide_streams_change_nothing_either():
    """Beyond 2,000 features a stream keeps sums of its own."""
    Z = sparse.random_array((20, 2100), density=0.01, format="csr", rng=0)
    model = SGDLinearRegressor().partial_fit(Z, Z.sum(axis=1))
    before = everything(model)
    twin = pickle.loads(pickle.dumps(model))
    for at in moments(lambda: twin.partial_fit(Z, Y[:20])):
        with pytest.raises(Stop):
            raising(at, lambda: model.partial_fit(Z, Y[:20]))
        assert everything(model) == before, at


def test_callbacks_that_fail_change_nothing(tmp_path):
    pytest.importorskip("skops")
    model = with_callbacks(SGDLinearRegressor(**TEXTBOOK, verbose=2), tmp_path)
    model.fit(X, Y)
    before = everything(model)
    twin = with_callbacks(pickle.loads(pickle.dumps(model)), tmp_path)
    for at in moments(lambda: twin.fit(OTHER, TWO), 15):
        with pytest.raises((Stop, ValueError)):  # skops makes a ValueError of any
            raising(at, lambda: model.fit(OTHER, TWO))
        assert everything(model) == before, at


def test_resume_changes_nothing_of_the_checkpoint_and_its_model():
    settings = {**TEXTBOOK, "optimizer": "svrg", "learning_rate": "auto"}
    model = SGDLinearRegressor(**settings, random_state=np.random.RandomState(0)).fit(X, Y)
    kept = model.checkpoint_
    before, bytes_kept = everything(model), pickle.dumps(kept)

    def call():
        return SGDLinearRegressor.resume(kept, X, Y, max_iter=7)

    expected = call()
    for at in moments(call):
        with pytest.raises((Stop, ValueError)):
            raising(at, call)
    assert everything(model) == before
    assert pickle.dumps(kept) == bytes_kept
    assert_array_equal(call().coef_, expected.coef_)


def failing(kind):
    """A learning rate that raises in the second epoch."""

    def rate(t):
        if np.max(t) > 8:
            raise kind("in the second epoch")
        return np.full(np.shape(t), 0.01)

    return rate


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, SystemExit, OSError])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_raises_within_an_epoch(kind, method):
    model = SGDLinearRegressor(**TEXTBOOK).fit(X, Y).set_params(learning_rate=failing(kind))
    before = vars(model).copy()
    with pytest.raises(kind):
        getattr(model, method)(OTHER, OTHER_Y)
    assert vars(model) == before
    assert all(vars(model)[name] is value for name, value in before.items())


def test_a_model_that_float32_cannot_hold():
    """Its features were counted before that was known."""
    model = SGDLinearRegressor().fit(X[:, :2], X[:, :2].sum(axis=1))
    before = everything(model)
    with pytest.raises(ValueError, match="cannot be held in float32"):
        model.fit((OTHER * 1e-30).astype(np.float32), OTHER_Y * 1e30)
    assert everything(model) == before
    assert model.predict(X[:, :2]).shape == (30,)


def test_a_warning_that_is_an_error():
    model = SGDLinearRegressor().fit(X, Y)
    before = everything(model)
    model.set_params(optimizer="sgd", learning_rate=1e-6, max_iter=2)
    changed = everything(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Warning):
            model.fit(OTHER, OTHER_Y)
    assert everything(model) == changed
    assert {n for n in before if before[n] != changed[n]} == {
        "optimizer",
        "learning_rate",
        "max_iter",
    }


class Refuses:
    """A callback that raises in one of its methods."""

    def __init__(self, where):
        self.where = where

    def _meet(self, where):
        if where == self.where:
            raise RuntimeError(where)

    def setup(self, estimator, context):
        self._meet("setup")

    def teardown(self, estimator, context):
        self._meet("teardown")

    def on_fit_task_begin(self, estimator, context):
        self._meet("begin")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self._meet("end")


@pytest.mark.parametrize("where", ["setup", "begin", "end", "teardown"])
def test_a_callback_that_raises_even_after_the_fit(where):
    model = SGDLinearRegressor(**TEXTBOOK).fit(X, Y).set_callbacks(Refuses(where))
    before = everything(model)
    with pytest.raises(RuntimeError, match=where):
        model.fit(OTHER, TWO)
    assert everything(model) == before


def test_a_callback_that_changes_the_model_and_raises():
    class Meddles(Refuses):
        def on_fit_task_begin(self, estimator, context):
            estimator.set_params(alpha=7.0)
            estimator.coef_ = estimator.left_behind_ = None
            raise RuntimeError("after changes")

    model = SGDLinearRegressor(**TEXTBOOK).fit(X, Y).set_callbacks(Meddles(""))
    before = everything(model)
    with pytest.raises(RuntimeError, match="after changes"):
        model.fit(OTHER, TWO)
    assert everything(model) == before


def test_the_next_call_draws_what_the_failed_one_would_have():
    seeds = [np.random.RandomState(0) for _ in range(2)]
    models = [SGDLinearRegressor(**TEXTBOOK, random_state=seed) for seed in seeds]
    with pytest.raises(ValueError, match="Diverged"):
        models[0].set_params(learning_rate=1e3).fit(X, Y)
    for model in models:
        model.set_params(learning_rate=0.01).fit(X, Y)
    assert_array_equal(models[0].coef_, models[1].coef_)
