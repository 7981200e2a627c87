"""`verbose`: scikit-learn's bar on a terminal, lines elsewhere; nothing of it remains."""

import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import types

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.callback import FitCallback, ProgressBar
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sgdreg import SGDLinearRegressor
from sgdreg._callbacks import progress
from sgdreg._solvers import step_size

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rich = pytest.importorskip("rich", reason="the bar needs rich")
X, Y = load_diabetes(return_X_y=True)
LINE = re.compile(r"Epoch \d+, objective [\d.e+]+, learning rate 0\.01, \d+\.\d\d s")
HIDE, SHOW, BAR = "\x1b[?25l", "\x1b[?25h", "SGDLinearRegressor - fit"


def textbook(**settings):
    common = {"learning_rate": 0.01, "batch_size": 16, "tol": None, "random_state": 0}
    return SGDLinearRegressor(**(common | {"max_iter": 5, "verbose": 1} | settings))


class Watcher(FitCallback):
    """Counts what it is told; fails at an epoch if asked to."""

    def __init__(self, fail_at=None, error=None, pause=0.0):
        self.fail_at, self.error, self.pause = fail_at, error, pause
        self.epochs, self.models = 0, []

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.epochs += 1
            self.models.append(fitted_estimator)
            time.sleep(self.pause)
            if self.epochs == self.fail_at:
                raise self.error


class Terminal:
    """A pseudo-terminal, and what has been written to it."""

    def __init__(self):
        pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
        self.master, slave = pty.openpty()
        self.out = os.fdopen(slave, "w", encoding="utf-8")
        self.parts = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        try:
            while part := os.read(self.master, 4096):
                self.parts.append(part)
        except OSError:  # closed
            return

    def close(self):
        self.out.close()
        self.reader.join()
        os.close(self.master)

    def text(self):
        """What has been written since the last call."""
        self.out.write("\0")
        self.out.flush()
        while b"\0" not in (text := b"".join(self.parts)):
            time.sleep(0.001)
        self.parts.clear()
        return text.decode().replace("\0", "")


@pytest.fixture
def terminal(monkeypatch):
    """One that rich draws on (pytest has sys.stdout, where lines go)."""
    before = threading.enumerate()
    terminal = Terminal()
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    rich.reconfigure(file=terminal.out, width=100)
    yield terminal
    rich.reconfigure()
    terminal.close()
    # What draws is gone. (A bar leaves an idle thread of its own kind, a daemon.)
    left = [t for t in threading.enumerate() if not (t.daemon or t in before)]
    assert left == []


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def drawn(text):
    """How many bars have come and gone: the cursor is hidden, and shown again."""
    assert text.count(HIDE) == text.count(SHOW)
    assert text.rfind(HIDE) <= text.rfind(SHOW)
    return text.count(HIDE)


# ------------------------------------------------------------------------ on a terminal


def test_a_bar_on_a_terminal(terminal, capsys):
    quiet = textbook(verbose=0).fit(X, Y)
    assert terminal.text() == ""
    model = textbook().fit(X, Y)
    text = terminal.text()
    assert drawn(text) == 1
    assert BAR in text
    assert "100%" in text
    assert capsys.readouterr().out == ""
    assert_array_equal(model.coef_, quiet.coef_)
    SGDLinearRegressor(verbose=True).fit(X, Y)
    assert drawn(terminal.text()) == 1


def test_an_early_end_is_an_end(terminal):
    model = textbook(max_iter=1000, tol=0.5, n_iter_no_change=1).fit(X, Y)
    assert model.n_iter_ < 10
    last = terminal.text().split(BAR)[-1]
    assert "100%" in last


@pytest.mark.parametrize("error", [RuntimeError("my own"), KeyboardInterrupt()])
def test_a_failure_closes_the_bar_where_it_is(terminal, error):
    watcher = Watcher(fail_at=2, error=error)
    model = textbook(max_iter=4).set_callbacks(watcher)
    with pytest.raises(type(error)):
        model.fit(X, Y)
    text = terminal.text()
    assert drawn(text) == 1
    # The epoch is counted before its callbacks are called.
    assert " 50%" in text.split(BAR)[-1]
    textbook().fit(X, Y)
    assert drawn(terminal.text()) == 1  # and the next fit draws its own


def test_divergence_closes_the_bar(terminal):
    with pytest.raises(ValueError, match="Diverged at epoch 1"):
        textbook(learning_rate=50.0).fit(100 * X, Y)
    text = terminal.text()
    assert drawn(text) == 1
    assert "100%" not in text


def lines(capsys):
    """How many lines have been printed, and nothing else."""
    out, err = capsys.readouterr()
    assert err == ""
    assert all(LINE.fullmatch(line) for line in out.splitlines())
    return len(out.splitlines())


def test_lines_in_place_of_a_bar_where_asked_for(terminal, capsys):
    textbook(verbose=2).fit(X, Y)
    assert lines(capsys) == 5
    assert terminal.text() == ""


def test_lines_where_no_bar_can_be_drawn(terminal, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setenv("TERM", "dumb")
        rich.reconfigure(file=terminal.out)
        textbook().fit(X, Y)
    rich.reconfigure(file=terminal.out)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "rich", None)  # not installed
        textbook().fit(X, Y)
    with monkeypatch.context() as patch:  # a worker of a search
        worker = types.SimpleNamespace(name="LokyProcess-1")
        patch.setattr(progress, "current_process", lambda: worker)
        textbook().fit(X, Y)
    assert lines(capsys) == 15
    assert terminal.text() == ""


def test_one_bar_where_one_is_set_already(terminal):
    watcher, bar = Watcher(), ProgressBar()
    model = textbook(max_iter=3).set_callbacks(watcher, bar).fit(X, Y)
    text = terminal.text()
    assert drawn(text) == 1
    assert text.count("\n") == 1  # two bars would be two lines
    assert watcher.epochs == 3
    chain = make_pipeline(StandardScaler(), textbook())
    chain.set_callbacks(ProgressBar()).fit(X, Y)
    assert drawn(terminal.text()) == 1
    search = GridSearchCV(chain.set_callbacks(), {"standardscaler__with_std": [True]}, cv=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=0)).fit(X, Y)  # not told below
    text = terminal.text()
    assert drawn(text) == 1
    assert BAR not in text
    assert model._skl_callbacks == [watcher, bar]


def test_callbacks_and_parameters_stay_as_they_were(terminal):
    watcher = Watcher()
    model = textbook().set_callbacks(watcher)
    before = model.get_params()
    model.fit(X, Y)
    assert model.get_params() == before
    assert model._skl_callbacks == [watcher]
    assert watcher.epochs == 5
    for seen in watcher.models:  # nothing of the bar is in what callbacks see
        assert seen._skl_callbacks == [watcher]
    assert not any("bar" in name.lower() for name in vars(model))
    again = pickle.loads(pickle.dumps(model.set_callbacks()))
    assert_array_equal(again.fit(X, Y).coef_, model.coef_)
    assert drawn(terminal.text()) == 2


def test_a_bar_each_in_pipelines_and_searches(terminal):
    chain = make_pipeline(StandardScaler(), textbook()).fit(X, Y)
    assert drawn(terminal.text()) == 1
    cross_val_score(chain, X, Y, cv=3)
    assert drawn(terminal.text()) == 3
    GridSearchCV(textbook(), {"penalty": [None, "l2"]}, cv=2).fit(X, Y)
    assert drawn(terminal.text()) == 5


def test_threads_take_turns(terminal, capsys):
    def score(n_jobs, model):
        with joblib.parallel_config(backend="threading", n_jobs=n_jobs):
            return cross_val_score(model, X, Y, cv=4)

    scores = score(2, textbook().set_callbacks(Watcher(pause=0.01)))
    text = terminal.text()
    assert 1 <= drawn(text) <= 4
    assert capsys.readouterr().out == ""
    assert_array_equal(scores, score(1, textbook(verbose=0)))


def test_what_continues_a_fit_has_a_bar_too(terminal):
    model = textbook(warm_start=True).fit(X, Y).fit(X, Y)
    assert model.n_iter_ == 10
    assert drawn(terminal.text()) == 2
    half = textbook(max_iter=2).fit(X, Y)
    assert drawn(terminal.text()) == 1
    ended = SGDLinearRegressor.resume(half.checkpoint_, X, Y)
    assert ended.n_iter_ == 2
    assert "100%" in terminal.text()  # with nothing left to do
    whole = SGDLinearRegressor.resume(half.checkpoint_, X, Y, max_iter=5)
    assert drawn(terminal.text()) == 1
    assert_array_equal(whole.coef_, textbook(verbose=0).fit(X, Y).coef_)


def test_an_interrupt_of_the_process_leaves_the_terminal_whole():
    """The real thing: Ctrl-C in a script that runs on a terminal of its own."""
    code = (
        "import numpy as np, warnings\n"
        "from sgdreg import SGDLinearRegressor\n"
        "X = np.random.default_rng(0).normal(size=(2000, 5))\n"
        "SGDLinearRegressor(learning_rate=1e-3, max_iter=10**7, tol=None, verbose=1)"
        ".fit(X, X[:, 0])\n"
    )
    terminal = Terminal()
    script = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=terminal.out,
        stdout=terminal.out,
        stderr=subprocess.PIPE,
        env=os.environ | {"TERM": "xterm-256color"},
        text=True,
    )
    try:
        wait_for(lambda: BAR.encode() in b"".join(terminal.parts))
        script.send_signal(signal.SIGINT)
        _, errors = script.communicate(timeout=20)
    finally:
        script.kill()
    assert errors.endswith("KeyboardInterrupt\n")
    assert drawn(terminal.text()) == 1
    terminal.close()


# ---------------------------------------------------------------------- how far it is


@pytest.mark.parametrize("max_iter", [1, 3, 99, 100, 101, 250, 1000])
def test_a_bar_advances_with_the_epochs_in_a_hundred_parts_at_most(
    terminal, monkeypatch, max_iter
):
    at, watcher = [], Watcher()

    class Parts(ProgressBar):
        def on_fit_task_end(self, estimator, context):
            if context.parent is not None:
                at.append(watcher.epochs)
            super().on_fit_task_end(estimator, context)

    monkeypatch.setattr(progress, "ProgressBar", Parts)
    textbook(max_iter=max_iter, batch_size="full").set_callbacks(watcher).fit(X[:9], Y[:9])
    parts = min(max_iter, 100)
    # Part i of n ends with epoch ceil(i/n · max_iter), which callbacks hear of next.
    ends = -(-max_iter * np.arange(1, parts + 1) // parts) - 1
    assert at == ends.tolist()


def test_epochs_that_are_run_again_are_no_progress(terminal, monkeypatch):
    """Steps of "auto" that prove too long are halved, and the fit begins again."""
    monkeypatch.setattr(step_size, "SAFETY_MINI_BATCH", 32.0)
    rows, y = np.vstack([X[:60], np.full((1, 10), 50.0)]), Y[:61]
    model = textbook(optimizer="sgd", learning_rate="auto", batch_size=1, max_iter=1)
    watcher = Watcher()
    model.set_params(shuffle=False)  # the last step is the one that is too long
    model.set_callbacks(watcher).fit(rows, y)
    assert model.checkpoint_["solver"]["halvings"] > 0
    assert watcher.epochs > model.n_iter_ == 1
    text = terminal.text()
    assert drawn(text) == 1
    assert "100%" in text


# ------------------------------------------------------------------------- elsewhere


def test_no_control_characters_where_no_terminal_is(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as continuous integration sets it
    rich.reconfigure()
    textbook().fit(X, Y)
    assert lines(capsys) == 5


def test_a_line_is_one_write(monkeypatch):
    """Halves of lines of several processes would mix. What prints need not be a file."""
    done = []
    out = types.SimpleNamespace(write=done.append, flush=lambda: done.append("flush"))
    monkeypatch.setattr(sys, "stdout", out)
    textbook(max_iter=2).fit(X, Y)
    first, then, second, at_last = filter(None, done)
    assert LINE.fullmatch(first[:-1])
    assert LINE.fullmatch(second[:-1])
    assert then == at_last == "flush"


def test_a_stream_prints_a_line_a_call(capsys):
    model = textbook()
    for _ in range(3):
        model.partial_fit(X, Y)
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in printed] == ["Epoch 1", "Epoch 2", "Epoch 3"]
    model.set_params(verbose=0).partial_fit(X, Y)
    assert capsys.readouterr().out == ""


def test_workers_write_whole_lines(capfd):
    # Workers that another test has left write to where that one's output went.
    joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
    model = textbook(max_iter=40)
    scores = cross_val_score(model, X, Y, cv=4, n_jobs=2)
    assert lines(capfd) == 160
    assert_array_equal(scores, cross_val_score(model.set_params(verbose=0), X, Y, cv=4))


def test_nothing_is_built_where_nothing_looks(monkeypatch):
    def fail(*args):
        raise AssertionError

    monkeypatch.setattr("sgdreg._estimator.fit.Hooks", fail)
    assert textbook(verbose=0).fit(X, Y).n_iter_ == 5
    with pytest.raises(AssertionError):
        textbook().fit(X, Y)


def test_without_rich():
    code = (
        "import sys\n"
        "sys.modules['rich'] = None\n"
        "from sgdreg import SGDLinearRegressor\n"
        "for verbose in (0, 1):\n"
        "    SGDLinearRegressor(verbose=verbose).fit([[1.0], [2.0], [4.0]], [2, 3, 6])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"Epoch 1, .*, optimality gap .* s\n", ran.stdout)


# ------------------------------------------------------------------------- notebooks


def test_the_latest_line_in_a_notebook_without_widgets(monkeypatch, capsys):
    """Rich needs ipywidgets there; a thousand lines would be worse than one, rewritten."""
    cells = []

    class Cell:
        def __init__(self):
            self.shown = []

        def update(self, data, raw):
            assert raw
            self.shown.append(data["text/plain"])

    def display(data, raw, display_id):
        assert data == {"text/plain": ""}
        cells.append(Cell())
        return cells[-1]

    console = types.SimpleNamespace(is_jupyter=True)
    monkeypatch.setattr(rich, "get_console", lambda: console)
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    ipython = types.SimpleNamespace(display=display)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(display=ipython))
    monkeypatch.setitem(sys.modules, "IPython.display", ipython)
    model = textbook(max_iter=1000).fit(X[:50], Y[:50])
    (cell,) = cells
    assert all(LINE.fullmatch(line) for line in cell.shown)
    assert cell.shown[0].startswith("Epoch 1,")
    assert cell.shown[-1].startswith("Epoch 1000,")
    assert len(cell.shown) <= 3 + model.history_[-1]["seconds"] / progress.PERIOD
    with pytest.raises(ValueError, match="Diverged at epoch 1"):
        textbook(learning_rate=50.0).fit(100 * X, Y)
    assert cells[1].shown == [""]
    assert capsys.readouterr().out == ""


def test_in_a_real_notebook():
    nbformat = pytest.importorskip("nbformat", reason="needs nbclient and ipykernel")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel")
    pytest.importorskip("ipykernel", reason="needs nbclient and ipykernel")
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from sgdreg import SGDLinearRegressor\n"
        "X, y = [[1.0], [2.0], [4.0]], [2.0, 3.0, 6.0]\n"
        "model = SGDLinearRegressor(\n"
        "    learning_rate=0.01, max_iter=2000, tol=None, random_state=0, verbose=1\n"
        ").fit(X, y)"
    )
    cells = [nbformat.v4.new_code_cell(text) for text in (code, "model")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    progress, result = notebook.cells
    kinds = {output.output_type for output in progress.outputs}
    assert kinds == {"display_data"}  # no lines, no warning
    assert len(progress.outputs) <= 2  # a bar, or the latest line
    (shown,) = result.outputs
    assert "<caption>Outcome</caption>" in shown.data["text/html"]
    assert shown.data["text/plain"].startswith("SGDLinearRegressor(")
