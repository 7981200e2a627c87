"""TrajectoryRecorder: the model after i epochs is the one that max_iter=i returns."""

import pickle
from copy import deepcopy
from threading import Barrier

import numpy as np
import pytest
from joblib import parallel_backend
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.callback import ProgressBar
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sgdreg import SGDLinearRegressor, TrajectoryRecorder, optimizers
from sgdreg._solvers import step_size

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:The estimator .* does not support callbacks"),
]
X, Y = load_diabetes(return_X_y=True)
TWO = np.column_stack([Y, -2 * Y + X[:, 0]])
EPOCHS = 5
KINDS = {
    "sgd": {"learning_rate": 0.1, "batch_size": 16},
    "averaged": {"learning_rate": 0.1, "batch_size": 8, "average": True},
    "tail": {"learning_rate": 0.1, "batch_size": 8, "average": "tail"},
    "momentum": {"optimizer": "momentum", "batch_size": "full"},
    "diagonal": {"optimizer": optimizers.SGD(metric="diagonal"), "batch_size": 8},
    "svrg": {"optimizer": "svrg"},
    "cg": {"optimizer": "cg"},
    "auto": {},
    "interior_point": {"loss": "quantile"},
    "l1": {"penalty": "l1", "learning_rate": 0.1},
}


def recorded(model, *data, every=1, **fit):
    recorder = TrajectoryRecorder(every)
    model.set_callbacks(recorder).fit(*data, **fit)
    return recorder


def model_of(kind, **more):
    settings = {"max_iter": EPOCHS, "tol": None, "random_state": 0}
    return SGDLinearRegressor(**settings | KINDS[kind] | more)


@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_model_is_that_of_so_many_epochs(kind, y):
    model = model_of(kind)
    path = recorded(model, X, y)
    assert path.epochs_.tolist() == list(range(EPOCHS + 1))
    assert path.coefs_.shape == (EPOCHS + 1, *model.coef_.shape)
    assert path.intercepts_.shape == (EPOCHS + 1, *np.shape(model.intercept_))
    model.set_callbacks()
    for epoch, coef, intercept in zip(
        path.epochs_[1:], path.coefs_[1:], path.intercepts_[1:], strict=True
    ):
        model.set_params(max_iter=int(epoch)).fit(X, y)
        assert_array_equal(coef, model.coef_)
        assert_array_equal(intercept, model.intercept_)


def test_the_start_is_zero_or_what_is_given():
    path = recorded(model_of("sgd"), X, Y)
    assert not path.coefs_[0].any()
    assert path.intercepts_[0] == 0
    start = {"coef_init": np.arange(10.0), "intercept_init": 3.0}
    for kind in KINDS:
        path = recorded(model_of(kind), X, Y, **start)
        np.testing.assert_allclose(path.coefs_[0], np.arange(10.0), rtol=1e-12)
        np.testing.assert_allclose(path.intercepts_[0], 3.0, rtol=1e-12)


def test_the_start_of_auto_is_that_of_its_plan():
    path = recorded(model_of("auto"), X, Y)
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), Y, rcond=None)[0]
    np.testing.assert_allclose(path.coefs_[0], exact[:-1], rtol=1e-9)
    wide = sparse.random(
        400, 3000, 0.01, "csr", random_state=0
    )  # too many for a full curvature
    constant = recorded(model_of("auto"), wide, Y[:400])
    assert not constant.coefs_[0].any()
    np.testing.assert_allclose(constant.intercepts_[0], Y[:400].mean(), rtol=1e-12)


def test_warm_start_goes_on_from_the_last_model():
    model = model_of("sgd", warm_start=True)
    first = recorded(model, X, Y)
    second = recorded(model, X, Y)
    assert second.epochs_.tolist() == list(range(EPOCHS, 2 * EPOCHS + 1))
    assert_array_equal(second.coefs_[0], first.coefs_[-1])
    assert_array_equal(second.coefs_[-1], model.coef_)


@pytest.mark.parametrize("kind", ["sgd", "svrg", "cg"])
def test_resume_goes_on_from_the_checkpoint(kind):
    model = model_of(kind)
    whole = recorded(model, X, Y)
    half = model.set_callbacks().set_params(max_iter=2).fit(X, Y).checkpoint_
    rest = TrajectoryRecorder()
    SGDLinearRegressor.resume(half, X, Y, max_iter=EPOCHS, callbacks=[rest])
    assert rest.epochs_.tolist() == list(range(2, EPOCHS + 1))
    assert_array_equal(rest.coefs_, whole.coefs_[2:])


def test_every_so_many_epochs_and_the_last():
    whole, some = (recorded(model_of("sgd"), X, Y, every=k) for k in (1, 2))
    assert some.epochs_.tolist() == [0, 2, 4, 5]
    assert_array_equal(some.coefs_, whole.coefs_[some.epochs_])


def test_float32_and_sparse():
    path = recorded(model_of("sgd"), X.astype(np.float32), Y)
    assert path.coefs_.dtype == np.float32
    dense = recorded(model_of("sgd"), X, Y)
    rows = recorded(model_of("sgd"), sparse.csr_matrix(X), Y)
    np.testing.assert_allclose(rows.coefs_, dense.coefs_, rtol=1e-9, atol=1e-9)


def test_a_fit_empties_it_and_leaves_models_alone():
    recorder = TrajectoryRecorder()
    model = model_of("sgd").set_callbacks(recorder).fit(X, Y)
    before = model.coef_.copy()
    recorder.coefs_[:] = 7.0
    assert_array_equal(model.coef_, before)
    model.set_params(max_iter=2).fit(X, Y)
    assert recorder.epochs_.tolist() == [0, 1, 2]
    assert_array_equal(recorder.coefs_[-1], model.coef_)


def test_the_path_of_steps_that_diverge_is_kept():
    recorder = TrajectoryRecorder()
    model = model_of("sgd", learning_rate=3.0, batch_size="full", max_iter=200)
    with pytest.raises(ValueError, match="Diverged at epoch"):
        model.set_callbacks(recorder).fit(X, Y)
    assert len(recorder.epochs_) > 10
    lengths = np.abs(recorder.intercepts_)
    assert (np.diff(lengths[1:]) > 0).all()


def test_epochs_taken_back_are_left_out(monkeypatch):
    """Steps of "auto" that prove too long are halved, and the fit begins again."""
    monkeypatch.setattr(step_size, "SAFETY_MINI_BATCH", 4.0)
    rows, y = np.vstack([X[:60], np.full((1, 10), 50.0)]), Y[:61]
    common = {"optimizer": "sgd", "batch_size": 1, "max_iter": 12}
    model = model_of("sgd", **common | {"learning_rate": "auto"})
    path = recorded(model, rows, y)
    assert model.checkpoint_["solver"]["halvings"] > 0
    assert 2 < len(path.epochs_) < 13
    step = model.history_[-1]["learning_rate"]
    halved = recorded(model_of("sgd", **common | {"learning_rate": step}), rows, y)
    assert_array_equal(path.coefs_, halved.coefs_[path.epochs_])


# ------------------------------------------------------------- shared and copied


def test_copies_are_independent_and_pickles_hold_the_path():
    recorder = recorded(model_of("sgd"), X, Y)
    for copy in (deepcopy(recorder), pickle.loads(pickle.dumps(recorder))):
        assert_array_equal(copy.coefs_, recorder.coefs_)
        model_of("sgd", max_iter=1).set_callbacks(copy).fit(X, Y)
        assert len(copy.epochs_) == 2
    assert len(recorder.epochs_) == EPOCHS + 1


def test_in_a_pipeline_beside_a_propagated_callback(capsys):
    recorder = TrajectoryRecorder()
    pipeline = make_pipeline(StandardScaler(), model_of("sgd").set_callbacks(recorder))
    pytest.importorskip("rich", reason="ProgressBar needs rich")
    pipeline.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
    alone = recorded(model_of("sgd"), StandardScaler().fit_transform(X), Y)
    assert_array_equal(recorder.coefs_, alone.coefs_)


def test_set_on_the_pipeline_it_says_where_it_belongs():
    pipeline = make_pipeline(StandardScaler(), model_of("sgd"))
    with pytest.raises(TypeError, match="on the SGDLinearRegressor itself"):
        pipeline.set_callbacks(TrajectoryRecorder()).fit(X, Y)


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_after_a_search_it_holds_the_refit(backend):
    recorder = TrajectoryRecorder()
    model = model_of("sgd").set_callbacks(recorder)
    search = GridSearchCV(model, {"learning_rate": [0.01, 0.1]}, cv=2, n_jobs=2)
    with parallel_backend(backend):
        best = search.fit(X, Y).best_estimator_
    assert recorder.epochs_.tolist() == list(range(EPOCHS + 1))
    assert_array_equal(recorder.coefs_[-1], best.coef_)


def test_fits_at_the_same_time_do_not_mix():
    class Meeting:
        """Has two fits wait for each other at every epoch."""

        def __init__(self):
            self.barrier = Barrier(2, timeout=20)

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            self.barrier.wait()

        def on_fit_task_end(self, estimator, context):
            pass

    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    recorder, meeting = TrajectoryRecorder(), Meeting()
    models = [model_of("sgd", learning_rate=rate) for rate in (0.01, 0.1)]
    for model in models:
        model.set_callbacks(recorder, meeting)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda model: model.fit(X, Y), models))
    alone = [recorded(clone_of.set_callbacks(), X, Y).coefs_ for clone_of in models]
    assert any(np.array_equal(recorder.coefs_, path) for path in alone)


@pytest.mark.parametrize("every", [0, -1, 1.5, "1"])
def test_every_is_checked(every):
    with pytest.raises(ValueError, match="every must be an integer of at least 1"):
        TrajectoryRecorder(every)
