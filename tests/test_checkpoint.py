"""A fit that is killed and resumed is the fit uninterrupted, bit for bit."""

import json
import os
import pickle
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sgdreg import Checkpoint, SGDLinearRegressor
from sgdreg._curvature import costs
from sgdreg._estimator.saved import written
from sgdreg._persistence import files
from sgdreg._persistence import format as contents
from sgdreg._plan import choose
from sgdreg._solvers import prepare, step_size
from sgdreg._solvers.newton import columns
from sgdreg.optimizers import SGD, SVRG, ConjugateGradient, Nesterov
from sgdreg.schedules import Adaptive, InvScaling

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:invalid value encountered:RuntimeWarning",
)


def make(n=300, d=6, k=None, seed=0, noise=0.5, scales=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * scales + 0.3
    y = X @ rng.standard_normal((d, k or 1)) + noise * rng.standard_normal((n, k or 1))
    return X, (y if k else y[:, 0])


@pytest.fixture(autouse=True)
def samples_pay(monkeypatch):
    """On few rows too, where the products of all are quick."""
    monkeypatch.setattr(costs, "COMPILED_COST_A_FEATURE", 1.0)


def outliers(n=30_000, d=30, times=1e4):
    """Rows of which a sample sees too few: its curvature has to be sharpened."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, d))
    X[rng.choice(n, 100, replace=False)] *= times
    return X, X @ rng.standard_normal(d) + rng.standard_normal(n)


def near_copies(n=200, d=20):
    """Columns whose difference is a weak direction, which a search has to find."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    X[:, 1::2] = X[:, ::2] + 0.01 * rng.standard_normal((n, d // 2))
    return X, X @ rng.standard_normal(d) + rng.standard_normal(n)


def wide(density=0.01, n=200, d=2500):
    rng = np.random.default_rng(4)
    X = sparse.csr_array(sparse.random(n, d, density, "csr", random_state=rng))
    return X, X @ rng.standard_normal(d) + 0.1 * rng.standard_normal(n)


class Taker:
    """Takes the checkpoint of every epoch; what is done to it must not matter."""

    def __init__(self, interrupt_at=None):
        self.taken, self.interrupt_at = [], interrupt_at

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.taken.append(fitted_estimator.checkpoint_)
            if len(self.taken) == self.interrupt_at:
                raise KeyboardInterrupt


def without_seconds(history):
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in history]


def state_of(model):
    state = model._continuation[1].packed()
    state["history"] = without_seconds(state["history"])
    if state["averaged"] == 0:
        state["total"] = None  # an average that begins anew
    return state


def assert_same(a, b):
    """Bit for bit: the same types and numbers, in dicts and lists too."""
    if isinstance(a, dict):
        assert list(a) == list(b)
        for name in a:
            assert_same(a[name], b[name])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        assert_array_equal(a, b, strict=True)
    else:
        assert type(a) is type(b)
        assert a == b or np.isnan([a, b]).all()


def assert_same_model(a, b):
    for name in vars(a):
        if name.endswith("_") and name not in ("plan_", "history_", "feature_names_in_"):
            assert_same(getattr(a, name), getattr(b, name))
    assert repr(a.plan_) == repr(b.plan_)
    assert without_seconds(a.history_) == without_seconds(b.history_)
    assert_same(state_of(a), state_of(b))
    assert_same(*(written(model._continuation[1].statistics) for model in (a, b)))
    assert {n for n in vars(a) if n.endswith("_")} == {
        n for n in vars(b) if n.endswith("_")
    }


TEXTBOOK = {"learning_rate": 0.01, "batch_size": 16, "max_iter": 7, "tol": None}
SHORT = {"max_iter": 12}
CASES = {
    "sgd": (make, TEXTBOOK, {}),
    "sgd, auto rate": (make, {"optimizer": "sgd", "max_iter": 5, "tol": None}, {}),
    "momentum, tail": (make, {**TEXTBOOK, "optimizer": "momentum", "average": "tail"}, {}),
    "nesterov, from step 30": (
        make,
        {**TEXTBOOK, "optimizer": Nesterov(0.8), "average": 30},
        {},
    ),
    "blocks, l2": (make, {**TEXTBOOK, "shuffle": "blocks", "penalty": "l2"}, {}),
    "adaptive": (
        make,
        {"learning_rate": Adaptive(0.05), "max_iter": 12, "n_iter_no_change": 2},
        {},
    ),
    "invscaling": (make, {**TEXTBOOK, "learning_rate": InvScaling(0.05, 0.5)}, {}),
    "stops by itself": (
        make,
        {**TEXTBOOK, "max_iter": 40, "tol": 1e-2, "n_iter_no_change": 3},
        {},
    ),
    "early stopping": (
        make,
        {**TEXTBOOK, "early_stopping": True, "tol": 1e-3, "max_iter": 20},
        {},
    ),
    "validated": (make, {**TEXTBOOK, "tol": 1e-3, "max_iter": 20}, {"validate": True}),
    "three outputs": (lambda: make(k=3), {**TEXTBOOK, "optimizer": "momentum"}, {}),
    "float32": (
        lambda: (make()[0].astype(np.float32), make()[1]),
        {**TEXTBOOK, "average": True},
        {},
    ),
    "float32, cg": (
        lambda: (make(120, 5)[0].astype(np.float32), make(120, 5)[1]),
        {"optimizer": "cg"},
        {},
    ),
    "weights": (make, {**TEXTBOOK, "early_stopping": True}, {"weights": True}),
    "auto": (make, {"tol": 0.0, "max_iter": 9}, {}),
    "auto, mini-batches": (make, {"batch_size": 20, "max_iter": 6}, {}),
    "auto, step halved": (make, {"optimizer": "momentum", "max_iter": 6, "tol": None}, {}),
    "auto, step halved twice": (
        lambda: make(scales=[1, 1, 1, 1, 1, 3]),
        {"optimizer": "sgd", "batch_size": "full", "max_iter": 12, "tol": None},
        {},
    ),
    "auto, sampled": (outliers, {"tol": 1e-5}, {}),
    "auto, sharpened": (outliers, {"tol": 1e-10}, {}),
    "auto, sharpened, on": (outliers, {"tol": None, "max_iter": 12}, {}),
    "auto, wide CSR": (wide, SHORT, {}),
    "auto, wide CSR, huber": (wide, {"loss": "huber", "epsilon": 0.5}, {}),
    "auto, wide CSR, huber, l2": (
        wide,
        {"loss": "huber", "epsilon": 0.1, "penalty": "l2", "alpha": 1e-3},
        {},
    ),
    "auto, wide CSR, kinks": (
        wide,
        {"loss": "absolute_error", "penalty": "l2", "alpha": 1e-2},
        {},
    ),
    "auto, low rank": (
        lambda: (wide()[0].toarray(), wide()[1]),
        {**SHORT, "penalty": "l2", "alpha": 1e-6, "tol": 1e-12},
        {},
    ),
    "auto, single precision": (
        lambda: (wide()[0].toarray(), wide()[1]),
        {**SHORT, "penalty": "l2", "alpha": 1e-6, "tol": 1e-12},
        {},
    ),
    "kinks, two outputs": (
        lambda: make(k=2),
        {"loss": "quantile", "quantile": 0.9, "batch_size": 60, "max_iter": 25},
        {},
    ),
    "kinks, validated": (
        make,
        {"loss": "absolute_error", "average": True, "early_stopping": True, **SHORT},
        {"weights": True},
    ),
    "svrg": (make, {"optimizer": "svrg", "max_iter": 6, "tol": None}, {}),
    "svrg, sketch": (
        make,
        {"optimizer": SVRG(0.5, metric="sketch"), "average": False, "max_iter": 12},
        {"weights": True},
    ),
    "sgd, sketch": (make, {"optimizer": SGD(metric="sketch"), "max_iter": 6}, {}),
    "cg": (
        lambda: make(k=2, scales=np.logspace(0, 2, 6)),
        {"optimizer": "cg", **SHORT},
        {},
    ),
    "cg, near copies": (
        near_copies,
        {"optimizer": ConjugateGradient(metric="diagonal"), "tol": 1e-4},
        {},
    ),
    "zones, to the floor": (
        lambda: make(k=2, scales=np.logspace(0, 4, 6)),
        {"loss": "huber", "tol": 0.0, "max_iter": 25},
        {},
    ),
    "zones, sampled": (
        lambda: make(n=20_000, d=45, k=2),
        {"loss": "huber", "epsilon": 0.5, "penalty": "l2"},
        {"weights": True},
    ),
    "zones, all rows anew": (
        lambda: outliers(n=20_000, d=50),
        {"loss": "huber", "epsilon": 0.02, "tol": 1e-9},
        {},
    ),
    "interior point, kinks, to the floor": (
        lambda: make(n=100, k=2, noise=100.0),
        {"loss": "quantile", "tol": 0.0, "max_iter": 25},
        {"weights": True},
    ),
    "a band of rows near a kink": (
        lambda: make(n=4000, k=2, noise=100.0),
        {"loss": "quantile", "quantile": 0.9, "tol": 0.0, "max_iter": 25},
        {"weights": True},
    ),
    "a band of rows near a kink, l1": (
        lambda: make(n=4000, noise=2.0),
        {"loss": "absolute_error", "penalty": "l1", "alpha": 0.1, "max_iter": 25},
        {},
    ),
    "interior point, l1": (
        lambda: make(k=2),
        {"penalty": "l1", "alpha": 0.1, "tol": 0.0, "max_iter": 25},
        {},
    ),
    "newton, sampled": (
        lambda: make(k=2, n=30_000, d=30),
        {"penalty": "l1", "alpha": 0.1, "tol": 1e-9},
        {},
    ),
    "newton, sharpened": (
        lambda: outliers(times=20.0),
        {"positive": True, "tol": None, "max_iter": 4},
        {},
    ),
    "newton, columns": (
        lambda: (wide()[0], np.column_stack([wide()[1], -2 * wide()[1]])),
        {"penalty": "l1", "alpha": 3e-3},
        {"weights": True},
    ),
    "newton, columns, rounded products": (
        lambda: (wide()[0][:, :600].toarray(), wide()[1]),
        {"penalty": "l1", "alpha": 3e-3, "tol": 0.0, "max_iter": 8},
        {},
    ),
    "interior point, one output ends sooner": (
        lambda: (make()[0], make()[1][:, None] * [1.0, 0.0]),
        {
            "optimizer": "interior_point",
            "loss": "squared_epsilon_insensitive",
            "penalty": "elasticnet",
            **SHORT,
        },
        {},
    ),
    "zones, sampled, l1": (
        lambda: make(n=20_000, d=45, k=2),
        {"loss": "huber", "epsilon": 0.5, "penalty": "l1", "alpha": 0.01},
        {},
    ),
    "cg, diagonal": (
        make,
        {"optimizer": ConjugateGradient(metric="diagonal"), "early_stopping": True},
        {"weights": True},
    ),
}


def problem(case):
    """(fit's arguments, the estimator)."""
    draw, parameters, extra = CASES[case]
    X, y = draw()
    given = {}
    if "weights" in extra:
        given["sample_weight"] = np.random.default_rng(1).integers(0, 3, len(y)) * 1.0
    if "validate" in extra:
        X_val, y_val = make(seed=9)
        given |= {"X_val": X_val, "y_val": y_val}
    model = SGDLinearRegressor(random_state=5).set_params(**parameters)
    return (X, y), given, model


@pytest.mark.parametrize("case", CASES)
def test_resumed_after_any_epoch_it_is_the_uninterrupted_fit(case, monkeypatch):
    if "halved" in case:  # "auto" would choose a step that is short enough
        monkeypatch.setattr(step_size, "SAFETY_MINI_BATCH", 8.0)
        monkeypatch.setattr(step_size, "SAFETY_FULL_BATCH", 2.4)
    if "copies" in case:  # as with so many columns that nothing but a search can tell
        monkeypatch.setattr(choose, "_provable", lambda *given: False)
    if "newton" in case:  # as with so many rows that all of them cost too much
        monkeypatch.setattr(prepare, "MODEL_WORK", 0)
        monkeypatch.setattr(prepare, "MODEL_PASSES", 0)
    if "rounded" in case:  # as with so many columns that this pays
        monkeypatch.setattr(columns, "SINGLE_WORTH", 0.0)
    if "low rank" in case:  # as with more features than memory holds the curvature of
        monkeypatch.setattr(choose, "SINGLE_CURVATURE_BYTES", 0)
    data, given, model = problem(case)
    model.fit(*data, **given)  # many epochs at once, where nobody looks
    watched, taker = problem(case)[2], Taker()
    watched.set_callbacks(taker).fit(*data, **given)
    watched.set_callbacks()
    assert_same_model(watched, model)
    assert len(taker.taken) >= model.n_iter_ > 1
    if "sampled" in case:
        assert model.plan_.sampled
    if "rounded" in case:
        models = [kept["solver"]["models"][0] for kept in taker.taken[:-1]]
        assert any(model["rough"] and len(model["support"]) for model in models)
    if "anew" in case:
        models = [kept["solver"]["models"][0] for kept in taker.taken[:-1]]
        assert max(model["times"] for model in models) > 1
    if "newton" in case:
        assert repr(model.plan_.optimizer) == "Newton()"
    if "low rank" in case:
        assert "largest curvatures" in model.plan_.slots["metric"]
    if "single" in case:
        assert "single precision" in model.plan_.slots["metric"]
    if "sharpened" in case:
        assert taker.taken[-1]["sharpened"] > 0
    if "halved" in case:
        assert taker.taken[-1]["solver"]["halvings"] > ("twice" in case)
    if "copies" in case:
        assert taker.taken[-3]["solver"]["probed"]
    for checkpoint in [*taker.taken, model.checkpoint_]:
        resumed = SGDLinearRegressor.resume(checkpoint, *data, **given)
        assert_same_model(resumed, model)
        assert resumed.get_params().keys() == model.get_params().keys()
        assert repr(resumed) == repr(model)


@pytest.mark.parametrize("case", ["sgd", "momentum, tail", "auto, sharpened", "svrg", "cg"])
def test_what_follows_has_the_same_bits_too(case):
    data, given, model = problem(case)
    taker = Taker()
    model.set_callbacks(taker).fit(*data, **given).set_callbacks()
    resumed = SGDLinearRegressor.resume(taker.taken[1], *data)
    for one in (model, resumed):
        one.set_params(warm_start=True).fit(*data)
    assert_same_model(resumed, model)
    for one in (model, resumed):
        one.partial_fit(*data)
    assert_same_model(resumed, model)


@pytest.mark.parametrize("case", ["sgd", "momentum, tail", "auto", "svrg, sketch", "cg"])
def test_max_iter_may_grow(case):
    data, given, model = problem(case)
    longer = problem(case)[2].set_params(max_iter=9).fit(*data, **given)
    model.set_params(max_iter=4).fit(*data, **given)
    resumed = SGDLinearRegressor.resume(model.checkpoint_, *data, **given, max_iter=9)
    assert_same_model(resumed, longer)


def test_a_warm_start_can_be_resumed():
    data, _, model = problem("momentum, tail")
    taker = Taker()
    model.fit(*data).set_params(warm_start=True)
    twin = pickle.loads(pickle.dumps(model))
    model.set_callbacks(taker).fit(*data)
    twin.fit(*data)
    resumed = SGDLinearRegressor.resume(taker.taken[2], *data)
    assert_same_model(resumed, twin)
    assert resumed.n_iter_ == 14


@pytest.mark.parametrize("seed", [None, np.random.RandomState(3)])
def test_seeds_that_were_drawn_are_kept(seed):
    X, y = make()
    taker = Taker()
    model = SGDLinearRegressor(**TEXTBOOK, early_stopping=True, random_state=seed)
    model.set_callbacks(taker).fit(X, y).set_callbacks()
    resumed = SGDLinearRegressor.resume(taker.taken[0], X, y)
    assert_same_model(resumed, model)
    if seed is not None:  # and the generator is where it was
        assert_same_model(resumed.fit(X, y), model.fit(X, y))


def test_resume_itself_can_be_interrupted_and_resumed(tmp_path):
    pytest.importorskip("skops")
    data, _, model = problem("early stopping")
    model.fit(*data)
    path, resume = tmp_path / "fit.skops", SGDLinearRegressor.resume
    fit = problem("early stopping")[2].set_callbacks(Checkpoint(path), Taker(2)).fit
    for at in (3, 1, 2):
        with pytest.raises(KeyboardInterrupt):
            fit(*data)
        n = len(read_history(path))

        def fit(X, y, at=at):
            return resume(path, X, y, callbacks=[Checkpoint(path), Taker(at)])

    assert 2 < n < model.n_iter_
    assert_same_model(resume(path, *data), model)
    seconds = [e["seconds"] for e in resume(path, *data).history_]
    assert seconds == sorted(seconds)


def read_history(path):
    return contents.recalled(files.read(path))[2]["history"]


def test_a_callback_that_stopped_the_fit_does_not_stop_the_resumed_one(tmp_path):
    class Stop(Taker):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            return fitted_estimator.n_iter_ == 3

    data, _, model = problem("sgd")
    stopped = problem("sgd")[2].set_callbacks(Stop()).fit(*data)
    assert stopped.n_iter_ == 3
    resumed = SGDLinearRegressor.resume(stopped.checkpoint_, *data)
    assert_same_model(resumed, model.fit(*data))


# ------------------------------------------------------------------------------ files

KILLED = """
import sys
sys.path.insert(0, {tests!r})
from test_checkpoint import long_fit
from sgdreg import Checkpoint
X, y, model = long_fit({case!r})
model.set_callbacks(Checkpoint({path!r})).fit(X, y)
"""


def long_fit(case):
    """Seconds of epochs, most of which are writing."""
    common = {"max_iter": 500, "tol": None, "random_state": 0}
    if case == "cg":
        X, y = make(400, 60, scales=np.logspace(0, 5, 60))
        return X, y, SGDLinearRegressor(optimizer="cg", **common)
    X, y = make(400, 30)
    if case == "svrg":
        return X, y, SGDLinearRegressor(optimizer="svrg", batch_size=8, **common)
    model = SGDLinearRegressor(optimizer="momentum", learning_rate=1e-3, **common)
    return X, y, model.set_params(batch_size=8, average="tail")


def test_killed_at_any_moment_and_resumed(tmp_path):
    pytest.importorskip("skops")
    draw = random.Random()
    cases = ["momentum", "svrg", "cg"]
    paths = [tmp_path / f"{i}.skops" for i in range(len(cases))]
    processes = []
    for case, path in zip(cases, paths, strict=True):
        code = KILLED.format(tests=str(Path(__file__).parent), case=case, path=str(path))
        processes.append(subprocess.Popen([sys.executable, "-W", "ignore", "-c", code]))
    moments = {}
    try:
        while len(moments) < len(cases) or any(p.poll() is None for p in processes):
            for i, process in enumerate(processes):
                if i not in moments and (paths[i].exists() or process.poll() is not None):
                    moments[i] = time.monotonic() + 0.3 * draw.random()
                if time.monotonic() > moments.get(i, np.inf):
                    process.kill()  # SIGKILL
            time.sleep(0.001)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    for case, path in zip(cases, paths, strict=True):
        X, y, model = long_fit(case)
        assert len(read_history(path)) < 500  # it was killed, and had begun
        assert_same_model(SGDLinearRegressor.resume(path, X, y), model.fit(X, y))


def test_every_and_the_end(tmp_path):
    pytest.importorskip("skops")
    data, _, model = problem("sgd")
    seen = []

    class Watch(Checkpoint):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
            if os.path.exists(self.path):
                seen.append(len(read_history(self.path)))

    model.set_callbacks(Watch(tmp_path / "fit.skops", every=3)).fit(*data)
    assert seen == [3, 3, 3, 6, 6, 7]
    assert os.listdir(tmp_path) == ["fit.skops"]
    for every in (0, 1.5):
        with pytest.raises(ValueError, match="every must be"):
            Checkpoint("x", every=every)
    with pytest.raises(FileNotFoundError, match="no folder"):
        model.set_callbacks(Checkpoint(tmp_path / "none" / "fit.skops")).fit(*data)


def test_with_and_without_the_callback_the_model_is_the_same(tmp_path):
    pytest.importorskip("skops")
    for case in ("sgd", "auto, wide CSR"):
        data, _, model = problem(case)
        model.set_callbacks(Checkpoint(tmp_path / "fit.skops")).fit(*data).set_callbacks()
        assert_same_model(model, problem(case)[2].fit(*data))


@pytest.mark.parametrize("where", ["dump", "fsync", "replace"])
def test_a_write_that_fails_keeps_the_old_file(tmp_path, monkeypatch, where):
    io = pytest.importorskip("skops.io")
    data, _, model = problem("sgd")
    path = tmp_path / "fit.skops"
    model.set_callbacks(Checkpoint(path), Taker(2))
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data)
    before = path.read_bytes()

    def half(checkpoint, file):
        file.write(before[: len(before) // 2])
        raise OSError("No space left on device")

    def fail(*args):
        raise OSError("No space left on device")

    if where == "dump":
        monkeypatch.setattr(io, "dump", half)
    else:
        monkeypatch.setattr(os, where, fail)
    with pytest.raises(OSError, match="No space"):
        model.set_callbacks(Checkpoint(path)).fit(*data)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["fit.skops"]
    assert_same_model(SGDLinearRegressor.resume(path, *data), problem("sgd")[2].fit(*data))


def test_through_a_link_the_file_itself_is_replaced(tmp_path):
    pytest.importorskip("skops")
    data, _, model = problem("sgd")
    link = tmp_path / "link.skops"
    try:
        link.symlink_to(tmp_path / "fit.skops")
    except OSError:
        pytest.skip("no symbolic links here")
    model.set_callbacks(Checkpoint(link)).fit(*data)
    assert link.is_symlink()
    assert (tmp_path / "fit.skops").is_file()


class Danger:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_foreign_files_are_refused_and_nothing_is_executed(tmp_path, monkeypatch):
    io = pytest.importorskip("skops.io")
    monkeypatch.chdir(tmp_path)
    X, y = make()
    with pytest.raises(FileNotFoundError, match="There is no checkpoint"):
        SGDLinearRegressor.resume("none.skops", X, y)
    Path("pickle").write_bytes(pickle.dumps(Danger()))
    Path("text").write_text("hello")
    Path("empty").write_bytes(b"")
    with zipfile.ZipFile("zip", "w") as file:
        file.writestr("schema.json", "{}")
    io.dump({"format": 1, "x": Danger()}, "object")
    io.dump({"format": 1, "x": InvScaling()}, "ours")
    io.dump({"format": 1, "x": os.mkdir}, "function")
    io.dump([1, 2], "list")
    io.dump({"format": "?"}, "other")
    io.dump(SGDLinearRegressor(), "model")
    io.dump({"format": 1, "x": {1, 2}}, "set")
    for name in os.listdir():
        with pytest.raises(ValueError, match=r"is not a checkpoint of sgdreg"):
            SGDLinearRegressor.resume(name, X, y)
    io.dump({"format": 1}, "little")
    with pytest.raises(ValueError, match="damaged"):
        SGDLinearRegressor.resume("little", X, y)
    io.dump({"format": 99, "sgdreg": "7.1"}, "later")
    with pytest.raises(ValueError, match=r"of sgdreg 7\.1, of format 99"):
        SGDLinearRegressor.resume("later", X, y)
    assert not os.path.exists("executed")


def test_a_tampered_file_is_refused(tmp_path):
    pytest.importorskip("skops")
    data, _, model = problem("sgd")
    path = tmp_path / "fit.skops"
    model.set_callbacks(Checkpoint(path)).fit(*data)
    whole = path.read_bytes()
    for size in (0, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="is not a checkpoint"):
            SGDLinearRegressor.resume(path, *data)
    with zipfile.ZipFile(tmp_path / "whole.zip", "w"):
        pass
    path.write_bytes(whole)
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    schema = json.loads(parts["schema.json"])
    schema["content"]["sgdreg"] = {
        "__class__": "mkdir",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "content": {"module_path": "os", "function": "mkdir"},
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, content in (parts | {"schema.json": json.dumps(schema)}).items():
            file.writestr(name, content)
    with pytest.raises(ValueError, match=r"is not a checkpoint.*Untrusted"):
        SGDLinearRegressor.resume(path, *data)


def spoiled(checkpoint):
    """Checkpoints with one thing wrong in each."""
    state = checkpoint["state"]
    for name in ("weights", "memory", "total"):
        for value in (None, state[name][..., :-1], state[name].astype(np.float32), "x"):
            if name != "total" or value is not None:
                yield {**checkpoint, "state": state | {name: value}}
    yield {**checkpoint, "state": state | {"history": []}}
    yield {**checkpoint, "state": state | {"rng": {"bit_generator": "MT19937"}}}
    yield {**checkpoint, "state": state | {"colour": 1.0}}
    yield {**checkpoint, "state": state | {"flat": False}}
    yield {**checkpoint, "state": state | {"exponent": 300}}
    yield {**checkpoint, "state": state | {"total": None, "averaged": 9}}
    yield {**checkpoint, "began": 10**15}
    yield {**checkpoint, "sharpened": 1}
    yield {**checkpoint, "parameters": {"optimizer": {"class": "os.system"}}}
    for name in contents.REQUIRED | {"parameters"}:
        yield {key: value for key, value in checkpoint.items() if key != name}


def test_parts_that_do_not_fit_are_refused():
    data, _, model = problem("momentum, tail")
    checkpoint = model.fit(*data).checkpoint_
    for wrong in spoiled(checkpoint):
        with pytest.raises(ValueError, match="The checkpoint is damaged"):
            SGDLinearRegressor.resume(wrong, *data, max_iter=20)
    automatic = SGDLinearRegressor(optimizer="momentum", max_iter=2).fit(*data).checkpoint_
    automatic["solver"]["origin"]["memory"] = None
    with pytest.raises(ValueError, match="The checkpoint is damaged"):
        SGDLinearRegressor.resume(automatic, *data, max_iter=20)
    svrg = problem("svrg")[2].fit(*data).checkpoint_
    point = svrg["solver"]["point"]
    point["gradient"] = point["gradient"][:, 1:]
    with pytest.raises(ValueError, match="its point is of a wrong kind"):
        SGDLinearRegressor.resume(svrg, *data, max_iter=20)
    other = {**checkpoint, "parameters": checkpoint["parameters"] | {"colour": 1}}
    with pytest.raises(ValueError, match=r"of an estimator that has \['colour'\]"):
        SGDLinearRegressor.resume(other, *data)


@pytest.mark.parametrize(
    "case", ["cg", "svrg", "sgd", "sgd, auto rate", "kinks, two outputs"]
)
def test_checkpoints_of_format_1_are_read(case):
    """What every solver kept stood side by side, and was None of the others."""
    data, given, model = problem(case)
    taker = Taker()
    model.set_callbacks(taker).fit(*data, **given)
    for checkpoint in taker.taken[:2] + taker.taken[-1:]:
        solver = checkpoint["solver"]
        steps = {"halvings": 0, "origin": None, "shrinking": None}
        known = solver is not None and "halvings" in solver
        old = steps | solver if known else steps
        old["rounds"] = None if known else solver
        old |= {n: checkpoint[n] for n in set(checkpoint) - {"solver"}}
        old["format"] = 1
        resumed = SGDLinearRegressor.resume(old, *data, **given)
        assert_same_model(resumed, model)


def parts_of(value, path=()):
    """The paths to all that a dict or list holds, two of a list."""
    if path:
        yield path
    if not isinstance(value, dict | list):
        return
    for name in value if isinstance(value, dict) else range(min(2, len(value))):
        yield from parts_of(value[name], (*path, name))


def replaced(value, path, part):
    """A copy in which `part` is at the path."""
    if not path:
        return part
    copied = value.copy()
    copied[path[0]] = replaced(value[path[0]], path[1:], part)
    return copied


@pytest.mark.parametrize(
    "case", ["cg", "svrg, sketch", "interior point, l1", "kinks, two outputs"]
)
@pytest.mark.parametrize("part", [np.zeros(0), np.zeros((1, 1), complex), "x"])
def test_parts_of_other_shapes_or_types_are_refused(case, part):
    """None is looked at for the first time within an epoch."""
    data, given, model = problem(case)
    taker = Taker()
    model.set_callbacks(taker).fit(*data, **given)
    checkpoint = taker.taken[2]
    looked_at = {name: checkpoint[name] for name in ("solver", "best", "loss", "data")}
    for name, parts in looked_at.items():
        if parts is None:
            continue
        for path in parts_of({name: parts}):
            if path[:2] == ("solver", "origin"):
                continue  # a state: see above
            if isinstance(part, str) and path[-1] in ("dtype", "kind", "digest"):
                continue  # those are of other data
            with pytest.raises(ValueError, match="The checkpoint is damaged"):
                SGDLinearRegressor.resume(replaced(checkpoint, path, part), *data, **given)


def test_other_data_are_refused():
    (X, y), _, model = problem("sgd")
    checkpoint = model.fit(X, y).checkpoint_

    def refused(match, *data, **given):
        with pytest.raises(ValueError, match=match):
            SGDLinearRegressor.resume(checkpoint, *data, **given)

    refused(r"X has shape \[300, 6\] there, \[299, 6\] here", X[:-1], y[:-1])
    refused(r"y has shape \[300\] there, \[300, 1\] here", X, y[:, None])
    refused("X is of float64 there, float32 here", X.astype(np.float32), y)
    refused("X is dense there, sparse here", sparse.csr_array(X), y)
    changed = y.copy()
    changed[17] = np.nextafter(y[17], y[17] + 1e-6 * np.sign(y[17]))
    changed[17] += 1e-6
    refused("X, y or their weights differ", X, changed)
    refused("X, y or their weights differ", X + 1e-9, y)
    refused("X, y or their weights differ", X[::-1], y[::-1])
    refused("X, y or their weights differ", X, y, np.arange(300.0))
    refused("had none of X_val and y_val, this call has some", X, y, X_val=X, y_val=y)
    _, given, model = problem("validated")
    checkpoint = model.fit(X, y, **given).checkpoint_
    refused("had some of X_val and y_val, this call has none", X, y)
    refused("X_val, y_val or their weights differ", X, y, X_val=X, y_val=y)
    refused("X_val has shape", X, y, X_val=X[:9], y_val=y[:9])


def test_functions_of_ones_own_are_given_again(tmp_path):
    pytest.importorskip("skops")

    def rate(t):
        return 0.01 / np.sqrt(t)

    (X, y), _, model = problem("sgd")
    path = tmp_path / "fit.skops"
    model.set_params(learning_rate=rate).set_callbacks(Checkpoint(path), Taker(3))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    with pytest.raises(TypeError, match=r"resume\(path, X, y, learning_rate=\.\.\.\)"):
        SGDLinearRegressor.resume(path, X, y)
    with pytest.raises(TypeError, match="alpha cannot be given"):
        SGDLinearRegressor.resume(path, X, y, learning_rate=rate, alpha=0.1)
    resumed = SGDLinearRegressor.resume(path, X, y, learning_rate=rate, n_jobs=1)
    assert_same_model(resumed, model.set_callbacks().fit(X, y))

    class Own(InvScaling):
        pass

    model.set_params(learning_rate=Own(0.01)).fit(X, y)
    assert model.checkpoint_["own"] == ["learning_rate"]
    model.set_params(learning_rate=InvScaling(0.01)).fit(X, y)
    assert model.checkpoint_["own"] == []


def test_checkpoint_is_of_the_fit_and_independent_of_the_model():
    (X, y), _, model = problem("momentum, tail")
    assert not hasattr(model, "checkpoint_")
    model.fit(X, y)
    twin = pickle.loads(pickle.dumps(model))
    checkpoint = model.checkpoint_
    model.set_params(optimizer=SGD(), max_iter=1)
    assert_same(model.checkpoint_, checkpoint)
    for array in (checkpoint["state"]["weights"], checkpoint["state"]["memory"]):
        array[:] = np.nan
    assert_same(model.checkpoint_, twin.checkpoint_)
    model.partial_fit(X, y)
    with pytest.raises(AttributeError, match="no checkpoint_ after partial_fit"):
        _ = model.checkpoint_


def test_it_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops", None)
    (X, y), _, model = problem("sgd")
    for call in (
        model.set_callbacks(Checkpoint(tmp_path / "x")).fit,
        lambda X, y: SGDLinearRegressor.resume(tmp_path / "x", X, y),
    ):
        with pytest.raises(ImportError, match=r"pip install 'sgdreg\[checkpoint\]'"):
            call(X, y)


def test_on_another_estimator_it_says_so(tmp_path):
    pytest.importorskip("skops")
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    pipeline = make_pipeline(StandardScaler(), problem("sgd")[2])
    pipeline.set_callbacks(Checkpoint(tmp_path / "x"))
    with pytest.raises(TypeError, match="set it on the SGDLinearRegressor"):
        pipeline.fit(*make())
