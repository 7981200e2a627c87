"""The displays draw the numbers that they say they draw."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import SGDRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    PolynomialFeatures,
    StandardScaler,
)

import sgdreg.display
from sgdreg import SGDLinearRegressor, TrajectoryRecorder, losses, optimizers, schedules
from sgdreg.display import (
    ConvergenceDisplay,
    FitDisplay,
    LossSurfaceDisplay,
    ScheduleDisplay,
)

matplotlib = pytest.importorskip("matplotlib", reason="displays need the extra plot")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of matplotlib
]
X, Y = load_diabetes(return_X_y=True)
FRAME = load_diabetes(as_frame=True).data
TWO = np.column_stack([Y, 3.0 - Y])
x = 1e2 * X[:, [2]]
TEXTBOOK = {"learning_rate": 0.1, "batch_size": "full", "tol": None}


@pytest.fixture(autouse=True)
def figures_closed():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def recorded(model, *data, **fit):
    recorder = TrajectoryRecorder()
    return model.set_callbacks(recorder).fit(*data, **fit), recorder


def descent(rate=0.05, max_iter=100, X=x, y=Y):
    settings = TEXTBOOK | {"learning_rate": rate, "max_iter": max_iter}
    return recorded(SGDLinearRegressor(**settings), X, y)


def drawn(display):
    """The display, every artist of it drawn."""
    display.figure_.canvas.draw()
    return display


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


# ------------------------------------------------------------------------ what all have

FOLDER = sgdreg.display.__path__
NO_EXAMPLES = {"drawing", "features", "plane", "window"}
MODULES = [module.name for module in pkgutil.iter_modules(FOLDER, "sgdreg.display.")]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert tried > 0 or name.rpartition("._")[2] in NO_EXAMPLES


WITHOUT = """
import sys
from pathlib import Path
sys.modules["matplotlib"] = None
from sgdreg import SGDLinearRegressor, display
X, y = [[0.0], [1.0]], [0.0, 1.0]
model = SGDLinearRegressor(learning_rate=0.1, max_iter=2, tol=None).fit(X, y)
for call in (
    lambda: display.ConvergenceDisplay.from_estimator(model),
    lambda: display.FitDisplay.from_estimator(model, X, y),
    lambda: display.LossSurfaceDisplay.from_estimator(model, X, y),
    lambda: display.ScheduleDisplay.from_schedule(0.1, n_steps=3),
):
    try:
        call()
    except ImportError as error:
        print(error)
"""


def test_without_matplotlib_it_is_imported_and_says_what_to_install():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        f"{name} draws with matplotlib, which is not installed: pip install 'sgdreg[plot]'."
        for name in sgdreg.display.__all__
    ]


def all_displays(model, path, **where):
    yield ConvergenceDisplay.from_estimator(model, **where)
    yield FitDisplay.from_estimator(model, x, Y, trajectory=path, **where)
    yield LossSurfaceDisplay.from_estimator(model, x, Y, trajectory=path, **where)
    yield ScheduleDisplay.from_estimator(model, **where)


def test_given_axes_are_used_and_no_figure_is_left_open():
    figure = Figure()
    for display in all_displays(*descent(), ax=figure.subplots()):
        assert drawn(display).figure_ is figure
        assert display.ax_ in figure.axes
    assert plt.get_fignums() == []


def test_without_axes_each_has_a_figure_of_its_own():
    displays = list(all_displays(*descent()))
    assert len({display.figure_ for display in displays}) == len(displays)
    assert len(plt.get_fignums()) == len(displays)


def test_plot_draws_the_numbers_again(ax):
    for display in all_displays(*descent()):
        first = [line.get_xydata() for line in display.lines_]
        assert display.plot(ax) is display
        assert display.ax_ is ax
        for line, before in zip(display.lines_, first, strict=True):
            assert_array_equal(line.get_xydata(), before)


def test_on_a_dark_style_nothing_is_black_on_black():
    with plt.style.context("dark_background"):
        for display in all_displays(*descent()):
            drawn(display)
            colours = [line.get_color() for line in display.lines_]
            assert all(max(matplotlib.colors.to_rgb(colour)) > 0.5 for colour in colours)
        scatter = FitDisplay.from_estimator(descent()[0], x, Y).scatter_
        assert_array_equal(scatter.get_facecolor()[0, :3], 1.0)


@pytest.mark.parametrize("wrong", [SGDRegressor(), make_pipeline(StandardScaler())])
def test_other_estimators_are_refused(wrong):
    for display in (ConvergenceDisplay, ScheduleDisplay):
        with pytest.raises(TypeError, match="shows a fitted SGDLinearRegressor"):
            display.from_estimator(wrong)
    with pytest.raises(TypeError, match=r"\(Of a search: best_estimator_\.\)"):
        FitDisplay.from_estimator(wrong, x, Y)


def test_unfitted_models_are_refused():
    model = SGDLinearRegressor()
    for call in (
        lambda: ConvergenceDisplay.from_estimator([model]),
        lambda: LossSurfaceDisplay.from_estimator(model, x, Y),
        lambda: ScheduleDisplay.from_estimator(make_pipeline(StandardScaler(), model)),
    ):
        with pytest.raises(NotFittedError):
            call()


# ------------------------------------------------------------------------- convergence


@pytest.mark.parametrize("across", ["epoch", "passes"])
def test_curves_are_the_history(across, ax):
    models = {
        "gd": descent(max_iter=7)[0],
        "cg": SGDLinearRegressor(optimizer="cg").fit(X, Y),
    }
    display = ConvergenceDisplay.from_estimator(models, x=across, ax=ax)
    for line, (name, model) in zip(display.lines_, models.items(), strict=True):
        assert line.get_label() == name
        assert_array_equal(line.get_xdata(), [entry[across] for entry in model.history_])
        assert_array_equal(line.get_ydata(), model.loss_curve_)
    assert legend(drawn(display)) == ["gd", "cg", "epoch returned"]


def test_one_curve_has_no_legend(ax):
    display = ConvergenceDisplay.from_estimator(descent()[0], ax=ax)
    assert display.ax_.get_legend() is None
    assert display.ax_.get_ylabel() == "objective F"


def test_models_without_names_are_called_by_their_optimizers():
    rules = ["sgd", "sgd", "adam"]
    models = [SGDLinearRegressor(optimizer=rule, max_iter=2).fit(X, Y) for rule in rules]
    display = ConvergenceDisplay.from_estimator(models)
    assert legend(display) == ["SGD() (1)", "SGD() (2)", "Adam()"]
    styles = {(line.get_color(), line.get_linestyle()) for line in display.lines_}
    assert len(styles) == 3
    assert legend(ConvergenceDisplay.from_estimator(models, names=list("abc"))) == list(
        "abc"
    )
    with pytest.raises(ValueError, match="names must be 3 different strings"):
        ConvergenceDisplay.from_estimator(models, names=["a", "b"])
    with pytest.raises(ValueError, match="names are given twice"):
        ConvergenceDisplay.from_estimator({"a": models[0]}, names=["a"])


def test_scales_go_by_the_numbers():
    flat, steep = descent(max_iter=3)[0], descent(max_iter=1000)[0]
    flat.history_ = [entry | {"objective": 2.0 + entry["epoch"]} for entry in flat.history_]
    steep.history_ = [
        entry | {"objective": 0.9 ** entry["epoch"]} for entry in steep.history_
    ]
    for model, scale in ((flat, "linear"), (steep, "log")):
        assert ConvergenceDisplay.from_estimator(model).ax_.get_yscale() == scale
        for wanted in ("linear", "log"):
            display = ConvergenceDisplay.from_estimator(model, scale=wanted)
            assert display.ax_.get_yscale() == wanted


def test_gaps_of_zero_and_unknown_ones_do_not_vanish(ax):
    model = SGDLinearRegressor(optimizer="cg", max_iter=4, tol=None).fit(X, Y)
    gaps = [np.inf, 1e-3, 1e-9, 0.0]
    model.history_ = [
        entry | {"optimality_gap": gap}
        for entry, gap in zip(model.history_, gaps, strict=True)
    ]
    model.best_iteration_ = 3
    display = ConvergenceDisplay.from_estimator(model, y="optimality_gap", ax=ax)
    assert display.ax_.get_yscale() == "log"
    low, high = display.ax_.get_ylim()
    shown = display.lines_[0].get_ydata()
    assert_array_equal(shown[1:3], gaps[1:3])
    assert (low < shown).all()
    assert (shown < high).all()
    marks = {line.get_marker(): line.get_xdata() for line in ax.lines[:4]}
    assert marks["v"].tolist() == [4]
    assert marks["^"].tolist() == [1]
    assert legend(drawn(display))[-2:] == ["zero but for rounding (2e-16)", "not known yet"]


def test_the_epoch_returned_is_marked():
    model = SGDLinearRegressor(learning_rate=0.05, max_iter=40, tol=0, random_state=0)
    model.fit(X[:60], Y[:60], X_val=X[60:], y_val=Y[60:])
    display = ConvergenceDisplay.from_estimator(model, y="validation_score")
    ring = display.ax_.lines[-2]
    assert ring.get_xdata() == [model.best_iteration_]
    assert ring.get_ydata() == [max(model.validation_scores_)]
    assert_array_equal(display.lines_[0].get_ydata(), model.validation_scores_)


def test_the_objective_above_its_least(ax):
    model = descent(max_iter=50)[0]
    least = SGDLinearRegressor().fit(x, Y).history_[-1]["objective"]
    display = ConvergenceDisplay.from_estimator(model, least=least, ax=ax)
    assert_allclose(display.lines_[0].get_ydata(), np.subtract(model.loss_curve_, least))
    assert ax.get_yscale() == "log"
    exact = ConvergenceDisplay.from_estimator(SGDLinearRegressor().fit(x, Y), least=least)
    assert legend(drawn(exact))[-1] == "zero or below"
    with pytest.raises(ValueError, match="least is for y='objective' only"):
        ConvergenceDisplay.from_estimator(model, y="learning_rate", least=1.0)


def test_what_a_model_has_not_recorded_is_refused():
    models = {"plain": descent(max_iter=2)[0]}
    with pytest.raises(
        ValueError, match=r"plain has no validation scores, .* X_val and y_v"
    ):
        ConvergenceDisplay.from_estimator(models, y="validation_score")
    with pytest.raises(
        ValueError, match=r"plain has no optimality gap, .* draw y='objecti"
    ):
        ConvergenceDisplay.from_estimator(models, y="optimality_gap")
    with pytest.raises(
        ValueError, match="y must be one of objective, optimality_gap, valid"
    ):
        ConvergenceDisplay.from_estimator(models, y="loss")
    with pytest.raises(ValueError, match="x must be one of epoch, passes, got 'time'"):
        ConvergenceDisplay.from_estimator(models, x="time")


@pytest.mark.parametrize("optimizer", ["auto", "cg", optimizers.SGD(metric="sketch")])
def test_models_that_know_the_gap_draw_it(optimizer):
    model = SGDLinearRegressor(optimizer=optimizer, max_iter=3, tol=None).fit(X, Y)
    display = ConvergenceDisplay.from_estimator(model, y="optimality_gap")
    assert len(display.lines_[0].get_xdata()) == 3


# --------------------------------------------------------------------------- schedules


def test_curves_are_the_schedules(ax):
    laws = {
        "number": 0.02,
        "object": schedules.InvScaling(0.1, power_t=0.5),
        "function": lambda t: 0.1 / (1 + t),
    }
    display = ScheduleDisplay.from_schedule(laws, n_steps=20, ax=ax)
    t = np.arange(1, 21)
    for line, eta in zip(
        display.lines_, (np.full(20, 0.02), 0.1 / np.sqrt(t), 0.1 / (1 + t)), strict=True
    ):
        assert_array_equal(line.get_xdata(), t)
        assert_allclose(line.get_ydata(), eta)
    assert legend(drawn(display)) == list(laws)


def test_schedules_without_names_are_called_what_they_are():
    def mine(t):
        return 1.0 / t

    display = ScheduleDisplay.from_schedule([mine, schedules.Constant(0.5), 0.1], n_steps=3)
    assert legend(display) == ["mine", "Constant(eta0=0.5)", "0.1"]


def test_many_steps_are_thinned_to_what_is_seen():
    display = ScheduleDisplay.from_schedule(
        schedules.StepDecay(0.1, every=10**6), n_steps=10**9
    )
    (curve,) = display.curves.values()
    assert len(curve) == 2000
    assert curve[[0, -1], 0].tolist() == [1, 10**9]


@pytest.mark.parametrize(
    ("law", "scale"),
    [
        (schedules.Exponential(1.0, decay=0.9), "log"),
        (schedules.Cosine(0.1, steps=200), "linear"),
        (0.1, "linear"),
        (lambda t: 0.0, "linear"),
    ],
)
def test_the_axis_is_log_where_a_schedule_spans_much(law, scale):
    display = ScheduleDisplay.from_schedule(law, n_steps=200)
    assert drawn(display).ax_.get_yscale() == scale


def test_what_is_no_schedule_is_refused():
    with pytest.raises(TypeError, match="A schedule is an object of"):
        ScheduleDisplay.from_schedule("auto", n_steps=5)
    for n_steps in (0, 1.5):
        with pytest.raises(ValueError, match="n_steps must be an integer of at least 1"):
            ScheduleDisplay.from_schedule(0.1, n_steps=n_steps)


def test_the_schedule_of_a_fit_goes_over_its_steps():
    law = schedules.Cosine(0.1, steps=5 * 14)
    model = SGDLinearRegressor(learning_rate=law, batch_size=32, max_iter=5, tol=None)
    display = ScheduleDisplay.from_estimator(
        make_pipeline(StandardScaler(), model).fit(X, Y)
    )
    t = np.arange(1, 71)
    assert_array_equal(display.lines_[0].get_xdata(), t)
    assert_allclose(display.lines_[0].get_ydata(), law(t))
    assert list(display.curves) == [repr(law)]


def test_steps_that_stalls_shortened_are_those_of_the_history():
    model = SGDLinearRegressor(
        learning_rate="adaptive", batch_size=17, max_iter=60, tol=1e-2, n_iter_no_change=2
    ).fit(X, Y)
    (curve,) = ScheduleDisplay.from_estimator(model).curves.values()
    etas = [entry["learning_rate"] for entry in model.history_]
    assert len(set(etas)) > 2
    assert_array_equal(curve[::2, 1], etas)
    assert_array_equal(curve[1::2, 1], etas)
    assert_array_equal(curve[1::2, 0], 26 * np.arange(1, model.n_iter_ + 1))


def test_steps_found_by_line_search_are_those_of_the_history():
    model = SGDLinearRegressor(optimizer="cg", max_iter=6, tol=None).fit(X, Y)
    display = ScheduleDisplay.from_estimator(model)
    (curve,) = display.curves.values()
    assert_array_equal(curve[:, 1], [entry["learning_rate"] for entry in model.history_])
    assert display.lines_[0].get_label().endswith("by line search")


# -------------------------------------------------------------------------- one feature


def test_line_and_data(ax):
    model, _ = descent()
    display = FitDisplay.from_estimator(model, x, Y, ax=ax)
    (line,) = display.lines_
    assert_allclose(
        line.get_ydata(), model.coef_[0] * line.get_xdata() + model.intercept_, rtol=1e-12
    )
    assert_array_equal(line.get_xdata()[[0, -1]], [x.min(), x.max()])
    assert_array_equal(display.scatter_.get_offsets(), np.column_stack([x, Y]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    assert display.earlier_ == []
    assert ax.get_legend() is None


def test_earlier_lines_fade(ax):
    model, path = descent(max_iter=100)
    display = FitDisplay.from_estimator(model, x, Y, trajectory=path, ax=ax)
    shown = [0, 1, 2, 4, 8, 16, 32, 64]
    assert display.epochs.tolist() == [*shown, 100]
    for line, epoch in zip(display.earlier_, shown, strict=True):
        expected = path.coefs_[epoch, 0] * line.get_xdata() + path.intercepts_[epoch]
        assert_allclose(line.get_ydata(), expected, rtol=1e-12, atol=1e-12)
    alphas = [line.get_alpha() for line in display.earlier_]
    assert (np.diff(alphas) > 0).all()
    assert alphas[0] > 0
    assert alphas[-1] < 1
    assert display.lines_[0].get_alpha() is None
    assert display.lines_[0].get_linewidth() > display.earlier_[0].get_linewidth()
    assert legend(drawn(display)) == ["epoch 100", "epochs 0, 1, 2, …, 64"]


def test_lines_that_run_away_leave_the_axes_alone(ax):
    path = TrajectoryRecorder()
    settings = TEXTBOOK | {"learning_rate": 3.0, "max_iter": 100}
    with pytest.raises(ValueError, match="Diverged"):
        SGDLinearRegressor(**settings).set_callbacks(path).fit(x, Y)
    model = SGDLinearRegressor().fit(x, Y)
    drawn(FitDisplay.from_estimator(model, x, Y, trajectory=path, ax=ax))
    low, high = ax.get_ylim()
    assert Y.min() - 2 * np.ptp(Y) < low < Y.min()
    assert Y.max() < high < Y.max() + 2 * np.ptp(Y)


def test_names_come_from_the_data_or_are_given():
    frame, target = FRAME[["bmi"]], pd.Series(Y, name="progression")
    model, path = recorded(SGDLinearRegressor(**TEXTBOOK, max_iter=3), frame, target)
    ax = FitDisplay.from_estimator(model, frame, target, trajectory=path).ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("bmi", "progression")
    given = {"feature_name": "body mass", "target_name": "disease"}
    ax = FitDisplay.from_estimator(model, frame, target, **given).ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("body mass", "disease")


@pytest.mark.parametrize("data", [x, FRAME[["bmi"]]], ids=["array", "frame"])
def test_behind_polynomial_features_the_line_is_a_curve(data):
    path = TrajectoryRecorder()
    last = SGDLinearRegressor(**TEXTBOOK, max_iter=9).set_callbacks(path)
    steps = PolynomialFeatures(3, include_bias=False), StandardScaler()
    model = make_pipeline(*steps, last).fit(data, Y)
    display = FitDisplay.from_estimator(model, data, Y, trajectory=path)
    grid = display.lines_[0].get_xdata()
    grid = grid[:, None] if data is x else pd.DataFrame({"bmi": grid})
    assert_allclose(display.lines_[0].get_ydata(), model.predict(grid))
    early = SGDLinearRegressor(**TEXTBOOK, max_iter=2)
    early = make_pipeline(*steps, early).fit(data, Y)
    assert_allclose(display.earlier_[2].get_ydata(), early.predict(grid), atol=1e-9)


def test_many_rows_are_thinned_evenly():
    rows = np.linspace(0, 1, 100_001)[:, None]
    model = SGDLinearRegressor().fit(rows, 2 * rows[:, 0])
    offsets = FitDisplay.from_estimator(model, rows, 2 * rows[:, 0]).scatter_.get_offsets()
    assert 1000 < len(offsets) <= 2000
    assert_allclose(np.diff(offsets[:, 0]), offsets[1, 0], rtol=1e-9)


def test_several_models_have_a_line_each():
    models = {
        f"{q:.0%}": SGDLinearRegressor(loss="quantile", quantile=q).fit(x, Y)
        for q in (0.1, 0.5, 0.9)
    }
    display = FitDisplay.from_estimator(models, x, Y)
    assert legend(drawn(display)) == ["10%", "50%", "90%"]
    for line, model in zip(display.lines_, models.values(), strict=True):
        assert_allclose(line.get_ydata(), model.predict(line.get_xdata()[:, None]))
    with pytest.raises(ValueError, match="A trajectory belongs to one model"):
        FitDisplay.from_estimator(models, x, Y, trajectory=descent()[1])


def test_an_output_of_several_and_a_sparse_column():
    model, path = descent(X=x, y=TWO)
    display = FitDisplay.from_estimator(
        model, sparse.csr_matrix(x), TWO, trajectory=path, output=1
    )
    expected = model.coef_[1, 0] * display.grid + model.intercept_[1]
    assert_allclose(display.lines_[0].get_ydata(), expected, rtol=1e-12)
    assert_array_equal(display.scatter_.get_offsets()[:, 1], TWO[:, 1])
    first = path.coefs_[1, 1, 0] * display.grid + path.intercepts_[1, 1]
    assert_allclose(display.earlier_[1].get_ydata(), first, rtol=1e-12)


def test_more_features_and_other_paths_are_refused():
    model, path = descent()
    ten = SGDLinearRegressor().fit(X, Y)
    with pytest.raises(ValueError, match=r"one feature, but X has shape \(442, 10\)"):
        FitDisplay.from_estimator(ten, X, Y)
    with pytest.raises(ValueError, match=r"set_callbacks.* comes before model\.fit"):
        FitDisplay.from_estimator(model, x, Y, trajectory=TrajectoryRecorder())
    with pytest.raises(ValueError, match="belongs to another model"):
        LossSurfaceDisplay.from_estimator(ten, X, Y, trajectory=path)


# -------------------------------------------------------------------------- the surface


def objective(model, X, y, weights=None):
    """F of a fitted model, as the design has it."""
    s = np.ones(len(y)) if weights is None else weights
    plan = model.plan_
    loss = plan.loss.value(y, X @ model.coef_ + model.intercept_)
    return s @ loss / s.sum() + plan.penalty.values(model.coef_[None])[0]


def moved(model, chosen, values):
    """A copy of the model with two of its coefficients replaced."""
    other = SGDLinearRegressor(**model.get_params(deep=False))
    vars(other).update(vars(model))
    both = np.append(model.coef_, model.intercept_)
    both[list(chosen)] = values
    other.coef_, other.intercept_ = both[:-1], both[-1]
    return other


PROBLEMS = {
    "least squares": {},
    "raw descent": TEXTBOOK | {"max_iter": 30},
    "l2": {"penalty": "l2", "alpha": 1e-3},
    "elasticnet": {"penalty": "elasticnet", "alpha": 0.1},
    "positive": {"positive": True},
    "huber": {"loss": "huber", "epsilon": 10.0},
    "quantile": {"loss": "quantile", "quantile": 0.3},
    "own": {"loss": losses.SquaredEpsilonInsensitive(5.0), "penalty": "l2"},
}


@pytest.mark.parametrize("chosen", [(10, 2), (3, 2)], ids=["intercept", "two columns"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_surface_is_the_objective(problem, chosen, ax):
    weights = np.random.default_rng(0).integers(0, 4, len(Y)) * 1.0
    model = SGDLinearRegressor(**PROBLEMS[problem]).fit(X, Y, weights)
    features = ["intercept" if at == 10 else at for at in chosen]
    display = LossSurfaceDisplay.from_estimator(
        model, X, Y, features=features, sample_weight=weights, grid_resolution=9, ax=ax
    )
    assert np.isfinite(display.objective).sum() > 20
    for i, j in np.argwhere(np.isfinite(display.objective))[::7]:
        values = display.xx0[i, j], display.xx1[i, j]
        expected = objective(moved(model, chosen, values), X, Y, weights)
        assert_allclose(display.objective[i, j], expected, rtol=1e-9)
    *optimum, least = display.optimum
    assert_allclose(least, objective(moved(model, chosen, optimum), X, Y, weights))
    assert least <= display.objective.min() * (1 + 1e-12)
    assert least <= objective(model, X, Y, weights) * (1 + 1e-12)
    if model.converged_ and problem != "raw descent":
        assert_allclose(least, objective(model, X, Y, weights), rtol=1e-6)
    drawn(display)


def test_where_positive_forbids_the_surface_is_blank():
    model = SGDLinearRegressor(positive=True).fit(X, Y)
    display = LossSurfaceDisplay.from_estimator(model, X, Y, features=(2, 3))
    outside = (display.xx0 < 0) | (display.xx1 < 0)
    assert outside.any()
    assert_array_equal(np.isinf(display.objective), outside)


@pytest.mark.parametrize("coordinates", ["raw", "preconditioned"])
def test_paths_are_the_recorders_and_in_the_picture(coordinates, ax):
    model, path = recorded(SGDLinearRegressor(**TEXTBOOK, max_iter=200), X, Y)
    display = LossSurfaceDisplay.from_estimator(
        model,
        X,
        Y,
        features=("intercept", 2),
        trajectory=path,
        coordinates=coordinates,
        ax=ax,
    )
    points = display.lines_[0].get_xydata()
    (limits_x, limits_y) = ax.get_xlim(), ax.get_ylim()
    for values, (low, high) in zip(points.T, (limits_x, limits_y), strict=True):
        assert low < values.min()
        assert values.max() < high
    assert limits_x[0] < display.optimum[0] < limits_x[1]
    assert limits_y[0] < display.optimum[1] < limits_y[1]
    if coordinates == "raw":
        assert_allclose(points, np.column_stack([path.intercepts_, path.coefs_[:, 2]]))
    heights = display.paths["path of descent"][:, 2]
    assert (np.diff(heights) < 1e-9).all()
    assert heights[-1] >= display.optimum[2]


def test_preconditioned_the_bowl_is_round():
    """Its second derivatives are the identity, by finite differences."""
    frame = FRAME * np.logspace(-2, 3, 10) + np.arange(10.0)
    model = SGDLinearRegressor(penalty="l2", alpha=1e-5).fit(frame, Y)
    for features in (("intercept", "bmi"), ("bp", "bmi"), (9, 1)):
        display = LossSurfaceDisplay.from_estimator(
            model,
            frame,
            Y,
            features=features,
            coordinates="preconditioned",
            limits=((-2.0, 2.0), (-2.0, 2.0)),
            grid_resolution=5,
        )
        F = display.objective
        assert_allclose(np.diff(F, 2, axis=0), 1.0, atol=1e-6)
        assert_allclose(np.diff(F, 2, axis=1), 1.0, atol=1e-6)
        assert_allclose(np.diff(np.diff(F, axis=0), axis=1), 0.0, atol=1e-6)
        assert np.unravel_index(F.argmin(), F.shape) == (2, 2)
        assert display.ax_.get_aspect() == 1


def test_preconditioned_coordinates_of_a_line_are_those_of_the_centred_feature():
    shifted = x + 5.0
    slope, _ = np.polyfit(shifted[:, 0], Y, 1)
    other, path = descent(0.02, 30, X=shifted)
    display = LossSurfaceDisplay.from_estimator(
        other, shifted, Y, trajectory=path, coordinates="preconditioned"
    )
    at_mean = path.intercepts_ + path.coefs_[:, 0] * shifted.mean()
    u = display.paths["path of descent"][:, :2]
    assert_allclose(u[:, 0], at_mean - Y.mean(), atol=1e-8)
    assert_allclose(u[:, 1], shifted.std() * (path.coefs_[:, 0] - slope), atol=1e-8)


def test_in_a_full_metric_the_path_is_straight():
    data = X * np.logspace(0, 3, 10)
    rule = optimizers.SGD(metric="sketch")
    settings = TEXTBOOK | {"optimizer": rule, "learning_rate": 0.3, "max_iter": 12}
    model, path = recorded(SGDLinearRegressor(**settings), data, Y)
    display = LossSurfaceDisplay.from_estimator(
        model, data, Y, features=(2, 3), trajectory=path, coordinates="preconditioned"
    )
    steps = np.diff(display.paths["path of descent"][:, :2], axis=0)
    turn = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    assert_allclose(turn, 0.0, atol=1e-9 * (steps**2).sum(axis=1).max())


def test_columns_that_stand_for_each_other():
    data = np.column_stack([X[:, 0], 2 * X[:, 0], X[:, 1]])
    model = SGDLinearRegressor().fit(data, Y)
    drawn(LossSurfaceDisplay.from_estimator(model, data, Y, features=(0, 1)))
    with pytest.raises(ValueError, match="F has a flat direction over coefficient 0 and"):
        LossSurfaceDisplay.from_estimator(
            model, data, Y, features=(0, 1), coordinates="preconditioned"
        )


def test_contours_are_multiples_above_the_least():
    model, _ = descent()
    display = LossSurfaceDisplay.from_estimator(model, x + 30.0, Y)
    ratios = display.levels[1:] / display.levels[:-1]
    assert_allclose(ratios, ratios[0])
    top = display.objective.max() - display.optimum[2]
    assert_allclose(display.levels[-1], top)
    assert len(display.levels) >= 9
    seen = display.surface_.get_paths()
    assert all(len(path.vertices) for path in seen)


def test_several_paths_and_one_that_runs_away():
    model, good = descent()
    bad = TrajectoryRecorder()
    settings = TEXTBOOK | {"learning_rate": 3.0, "max_iter": 300}
    with pytest.raises(ValueError, match="Diverged"):
        SGDLinearRegressor(**settings).set_callbacks(bad).fit(x, Y)
    assert np.abs(bad.coefs_).max() > 1e6
    alone, both = (
        LossSurfaceDisplay.from_estimator(model, x, Y, trajectory=paths, kind=kind)
        for paths, kind in ((good, "contour"), ({"good": good, "bad": bad}, "3d"))
    )
    assert legend(drawn(both)) == ["good", "bad", "start", "optimum"]
    assert np.ptp(both.xx0) < 10 * np.ptp(alone.xx0)
    assert np.isnan(both.lines_[1].get_data_3d()[0]).any()
    drawn(both.plot(kind="contour"))


def test_a_bowl_in_three_dimensions(ax):
    model, path = descent()
    display = LossSurfaceDisplay.from_estimator(model, x, Y, trajectory=path, kind="3d")
    across, _, height = display.lines_[0].get_data_3d()
    assert_allclose(across, path.intercepts_)
    residuals = Y - path.intercepts_[:, None] - path.coefs_ * x[:, 0]
    assert_allclose(height, 0.5 * (residuals**2).mean(axis=1), rtol=1e-10)
    assert drawn(display).ax_.get_zlabel() == "objective F"
    with pytest.raises(ValueError, match="kind='3d' needs axes of projection='3d'"):
        LossSurfaceDisplay.from_estimator(model, x, Y, kind="3d", ax=ax)
    with pytest.raises(ValueError, match="kind='contour' needs axes of two dimensions"):
        LossSurfaceDisplay.from_estimator(model, x, Y, ax=display.ax_)


def test_a_path_of_one_point_still_shows_the_bowl():
    model, path = recorded(SGDLinearRegressor(), x, Y)
    display = LossSurfaceDisplay.from_estimator(model, x, Y, trajectory=path)
    assert display.xx0.min() < 0 < model.intercept_ < display.xx0.max()
    assert np.ptp(display.objective) > 0.1 * Y.var()
    centred = SGDLinearRegressor().fit(x - x.mean(), Y - Y.mean())
    noise = LossSurfaceDisplay.from_estimator(centred, x - x.mean(), 0.0 * Y)
    assert np.ptp(noise.objective) > 0


def test_many_rows_of_other_losses_are_sampled():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30_000, 2))
    y = rows[:, 0] + rng.normal(size=len(rows))
    model = SGDLinearRegressor(loss="huber", epsilon=1.0).fit(rows, y)
    grid = {"grid_resolution": 10}
    first, again = (
        LossSurfaceDisplay.from_estimator(model, rows, y, **grid) for _ in range(2)
    )
    assert first.title == "F over 10,000 of 30,000 rows"
    assert_array_equal(first.objective, again.objective)
    assert_allclose(first.optimum[:2], [model.intercept_, model.coef_[0]], atol=0.03)
    squared = SGDLinearRegressor().fit(rows, y)
    assert LossSurfaceDisplay.from_estimator(squared, rows, y, **grid).title is None


def test_sparse_float32_frames_and_pipelines_agree():
    model = SGDLinearRegressor().fit(X, Y)
    plain = LossSurfaceDisplay.from_estimator(model, X, Y, features=(1, 2))
    rows = LossSurfaceDisplay.from_estimator(
        model, sparse.csr_matrix(X), Y, features=(1, -8)
    )
    assert_allclose(rows.objective, plain.objective, rtol=1e-12)
    half = LossSurfaceDisplay.from_estimator(
        model, X.astype(np.float32), Y, features=(1, 2)
    )
    assert_allclose(half.objective, plain.objective, rtol=1e-3)
    sparsified = SGDLinearRegressor().fit(X, Y).sparsify()
    other = LossSurfaceDisplay.from_estimator(sparsified, X, Y, features=(1, 2))
    assert_array_equal(other.objective, plain.objective)
    framed = SGDLinearRegressor().fit(FRAME, Y)
    frame = LossSurfaceDisplay.from_estimator(framed, FRAME, Y, features=("sex", "bmi"))
    assert_allclose(frame.objective, plain.objective, rtol=1e-12)
    assert frame.ax_.get_xlabel() == "coefficient of sex"
    scaled = make_pipeline(StandardScaler(), SGDLinearRegressor()).fit(FRAME, Y)
    display = LossSurfaceDisplay.from_estimator(scaled, FRAME, Y, features=("sex", "bmi"))
    assert_allclose(display.xx0, plain.xx0 * FRAME["sex"].std(ddof=0), rtol=1e-6)
    assert_allclose(display.objective, plain.objective, rtol=1e-6)


def test_steps_that_give_no_names():
    cube = make_pipeline(FunctionTransformer(np.cbrt), SGDLinearRegressor()).fit(X, Y)
    ax = LossSurfaceDisplay.from_estimator(cube, X, Y).ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("intercept", "coefficient 0")


def test_an_output_of_several():
    both = SGDLinearRegressor().fit(X, TWO)
    one = SGDLinearRegressor().fit(X, TWO[:, 1])
    surfaces = [
        LossSurfaceDisplay.from_estimator(both, X, TWO, output=1, features=(2, 3)),
        LossSurfaceDisplay.from_estimator(one, X, TWO[:, 1], features=(2, 3)),
    ]
    assert_allclose(surfaces[0].objective, surfaces[1].objective, rtol=1e-9)


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        ((0,), "features must be two of"),
        ("bmi", "features must be two of"),
        ((2, 2), "features names the same one twice: coefficient of bmi"),
        ((2, "bmi"), "features names the same one twice"),
        ((0, 10), "features holds 10, which is no column of X: of 10 columns"),
        ((0, "weight"), "features holds 'weight'"),
    ],
)
def test_features_that_are_not_there(features, sentence):
    model = SGDLinearRegressor().fit(FRAME, Y)
    with pytest.raises(ValueError, match=sentence):
        LossSurfaceDisplay.from_estimator(model, FRAME, Y, features=features)


def test_models_without_an_intercept_show_two_columns():
    model = SGDLinearRegressor(fit_intercept=False).fit(X, Y)
    with pytest.raises(ValueError, match="The model has no intercept"):
        LossSurfaceDisplay.from_estimator(model, X, Y)
    drawn(LossSurfaceDisplay.from_estimator(model, X, Y, features=(2, 3)))


def test_the_fifth_tutorial(real_data):
    """Its numbers, on its pictures: the line and the bowl with the path of descent."""
    data = pd.read_csv(f"{real_data}/linear_regression_live.csv")
    hours, scores = data.iloc[:, [0]], data.iloc[:, 1]
    model, path = descent(2e-4, 1000, X=hours, y=scores)
    display = LossSurfaceDisplay.from_estimator(model, hours, scores, trajectory=path)
    assert_allclose(display.optimum[:2], [7.99102098227038, 1.32243102275536], rtol=1e-9)
    assert_allclose(2 * display.optimum[2], 110.25738346621317, rtol=1e-12)
    heights = 2 * display.paths["path of descent"][:, 2]
    assert_allclose(heights[[0, -1]], [5565.107834483211, 112.61481011613473], rtol=1e-6)


# ---------------------------------------------------------------------------- the page

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_runs():
    failed, tried = doctest.testfile(str(DOCS / "displays.md"), module_relative=False)
    assert failed == 0
    assert tried > 0


def test_the_pictures_of_the_page_are_there_small_and_can_be_drawn(tmp_path, monkeypatch):
    shown = re.findall(
        r"!\[.+\]\(images/displays-(.+)\.png\)", (DOCS / "displays.md").read_text("utf-8")
    )
    sizes = {
        path.stem.removeprefix("displays-"): path.stat().st_size
        for path in (DOCS / "images").glob("displays-*")
    }
    assert set(shown) == set(sizes)
    assert max(sizes.values()) < 100_000
    monkeypatch.syspath_prepend(DOCS)
    pictures = importlib.import_module("displays_pictures")
    assert set(pictures.PICTURES) == set(shown)
    pictures.main(["schedule"], tmp_path)
    assert (tmp_path / "displays-schedule.png").stat().st_size > 1000
