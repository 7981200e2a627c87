"""scikit-learn's callbacks: epochs are subtasks, models are copies, a stop is honoured."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sgdreg import SGDLinearRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:The estimator .* does not support callbacks",
)
X, Y = load_diabetes(return_X_y=True)


class Recorder:
    """Keeps the model of every epoch; stops when told to; spoils what it is handed."""

    def __init__(self, stop_at=None, spoil=False, fail_at=None):
        self.stop_at, self.spoil, self.fail_at = stop_at, spoil, fail_at
        self.models, self.events = [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.events.append(f"end {context.task_name}")
        if context.task_name != "epoch":
            return None
        self.models.append((fitted_estimator.coef_.copy(), fitted_estimator.intercept_))
        assert fitted_estimator.predict(X).shape == y.shape
        if self.spoil:
            fitted_estimator.coef_[:] = np.nan
            fitted_estimator.history_.clear()
        if self.fail_at == len(self.models):
            raise RuntimeError("a callback's own failure")
        return len(self.models) == self.stop_at


def models(max_iter=6, tol=None):
    common = {"max_iter": max_iter, "tol": tol, "random_state": 0}
    yield SGDLinearRegressor(learning_rate=0.1, batch_size=16, **common)
    yield SGDLinearRegressor(learning_rate=0.1, batch_size=8, average=True, **common)
    yield SGDLinearRegressor(learning_rate=0.1, batch_size=8, average="tail", **common)
    yield SGDLinearRegressor(optimizer="momentum", batch_size="full", **common)
    yield SGDLinearRegressor(batch_size=32, **common)


def test_callback_i_sees_the_model_that_max_iter_i_returns():
    for model in models():
        recorder = Recorder(spoil=True)
        model.set_callbacks(recorder).fit(X, Y)
        watched = model.coef_.copy()
        model.set_callbacks()
        assert len(recorder.models) == 6
        for i, (coef, intercept) in enumerate(recorder.models, start=1):
            model.set_params(max_iter=i).fit(X, Y)
            assert_array_equal(coef, model.coef_)
            assert intercept == model.intercept_
        assert_array_equal(watched, model.coef_)  # neither watching nor spoiling matters


def test_a_stop_is_honoured_and_leaves_a_whole_model():
    for model in models():
        model.set_callbacks(Recorder(stop_at=2)).fit(X, Y)
        assert model.n_iter_ == 2
        assert model.stop_reason_ == "Stopped by a callback after 2 epochs."
        assert not model.converged_
        stopped = model.coef_
        model.set_callbacks().set_params(max_iter=2).fit(X, Y)
        assert_array_equal(stopped, model.coef_)


def test_begin_and_end_pair_up_and_teardown_always_comes():
    model = next(models(max_iter=2))
    recorder = Recorder()
    model.set_callbacks(recorder).fit(X, Y)
    epoch = ["begin epoch", "end epoch"]
    assert recorder.events == ["setup", "begin fit", *2 * epoch, "end fit", "teardown"]
    before = model.coef_.copy(), model.history_
    failing = Recorder(fail_at=1)
    with pytest.raises(RuntimeError, match="own failure"):
        model.set_callbacks(failing).fit(X, -Y)
    assert failing.events[-1] == "teardown"
    assert_array_equal(model.coef_, before[0])
    assert model.history_ is before[1]


def test_scoring_monitor_alone_and_in_a_pipeline():
    for wrap in (lambda m: m, lambda m: make_pipeline(StandardScaler(), m)):
        monitor = ScoringMonitor(scoring="r2")
        model = wrap(next(models(max_iter=3)).set_callbacks(monitor))
        model.fit(X, Y)
        scores = monitor.get_logs().data_as_pandas
        epochs = scores[scores["task_name"] == "epoch"]
        assert len(epochs) == 3
        assert_allclose(epochs["r2"].iloc[-1], model.score(X, Y), rtol=1e-12)


def test_scoring_monitor_in_a_grid_search():
    monitor = ScoringMonitor(scoring="r2")
    model = next(models(max_iter=2)).set_callbacks(monitor)
    search = GridSearchCV(model, {"learning_rate": [0.01, 0.1]}, cv=3).fit(X, Y)
    logs = monitor.get_logs(select="all")
    data = [row for log in logs for row in log.data if row["task_name"] == "epoch"]
    assert len(data) == (2 * 3 + 1) * 2
    assert search.best_params_ == {"learning_rate": 0.1}


def test_progress_bar_alone_in_a_pipeline_and_in_a_search(capsys):
    def bar():
        return ProgressBar(max_propagation_depth=None)

    model = next(models(max_iter=2))
    model.set_callbacks(bar()).fit(X, Y)
    assert "SGDLinearRegressor - fit" in capsys.readouterr().out
    model.set_callbacks()
    make_pipeline(StandardScaler(), model).set_callbacks(bar()).fit(X, Y)
    assert "SGDLinearRegressor" in capsys.readouterr().out
    search = GridSearchCV(model, {"learning_rate": [0.01, 0.1]}, cv=2)
    search.set_callbacks(bar()).fit(X, Y)
    assert "SGDLinearRegressor" in capsys.readouterr().out


def test_verbose_prints_a_line_an_epoch(capsys):
    next(models(max_iter=3)).set_params(verbose=1).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["Epoch 1", "Epoch 2", "Epoch 3"]
    assert all("objective" in line and "learning rate 0.1" in line for line in lines)
    SGDLinearRegressor(verbose=1).fit(X, Y)
    assert "optimality gap" in capsys.readouterr().out
    SGDLinearRegressor().fit(X, Y)
    assert capsys.readouterr().out == ""
