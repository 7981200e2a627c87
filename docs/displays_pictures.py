"""The pictures of "Displays": ``python docs/displays_pictures.py [name ...]``.

Each function draws one, from fits of sgdreg with fixed seeds, and `main` writes it to
images/displays-NAME.png (all of them without a name; some seconds in all).
"""

import sys
import warnings
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from slots.pictures import save

from sgdreg import SGDLinearRegressor, TrajectoryRecorder, optimizers, schedules
from sgdreg.display import (
    ConvergenceDisplay,
    FitDisplay,
    LossSurfaceDisplay,
    ScheduleDisplay,
)

IMAGES = Path(__file__).parent / "images"
FULL = {"batch_size": "full", "tol": None}


def convergence():
    """Objectives of several optimizers, and gaps of those that know theirs."""
    X, y = load_diabetes(return_X_y=True)
    figure = Figure((6.4, 3.2))
    left, right = figure.subplots(1, 2)
    steps = {"sgd": 0.1, "momentum": 0.05, "adagrad": 10.0, "adam": 1.0}
    models = {
        rule: SGDLinearRegressor(
            optimizer=rule,
            learning_rate=step,
            batch_size=32,
            max_iter=40,
            tol=None,
            random_state=0,
        ).fit(X, y)
        for rule, step in steps.items()
    }
    ConvergenceDisplay.from_estimator(models, ax=left)
    rules = {
        "cg": optimizers.ConjugateGradient(metric="diagonal"),
        "svrg": optimizers.SVRG(metric="sketch"),
        "auto": "auto",
    }
    models = {
        name: SGDLinearRegressor(optimizer=rule, max_iter=40, random_state=0).fit(X, y)
        for name, rule in rules.items()
    }
    ConvergenceDisplay.from_estimator(models, y="optimality_gap", x="passes", ax=right)
    right.legend(fontsize=8)
    return figure


def surface():
    """The same two paths of descent in raw coordinates and in those of the metric."""
    X, y = hours_and_scores()
    model, raw = descent(X, y, learning_rate=0.02, max_iter=500)
    rule = optimizers.SGD(metric="sketch")
    _, metric = descent(X, y, optimizer=rule, learning_rate=0.3, max_iter=30)
    paths = {"raw features": raw, "metric='sketch'": metric}
    figure = Figure((6.4, 3.4))
    panels = figure.subplots(1, 2, width_ratios=[1.15, 1])
    for ax, coordinates in zip(panels, ("raw", "preconditioned"), strict=True):
        LossSurfaceDisplay.from_estimator(
            model, X, y, trajectory=paths, coordinates=coordinates, ax=ax
        )
        ax.grid(False)
        ax.set_title(f"coordinates={coordinates!r}")
    panels[0].set_ylabel("slope")
    panels[0].get_legend().remove()
    panels[1].legend(loc="upper right", fontsize=7, frameon=True)
    return figure


def bowl():
    """The same in three dimensions."""
    X, y = hours_and_scores()
    model, path = descent(X, y, learning_rate=0.02, max_iter=500)
    figure = Figure((6.4, 3.4))
    panels = figure.subplots(1, 2, subplot_kw={"projection": "3d"})
    for ax, coordinates in zip(panels, ("raw", "preconditioned"), strict=True):
        LossSurfaceDisplay.from_estimator(
            model, X, y, trajectory=path, kind="3d", coordinates=coordinates, ax=ax
        )
        ax.get_legend().remove()
        ax.tick_params(labelsize=7, pad=0)
        ax.set(zlabel="", title=f"F, coordinates={coordinates!r}")
    panels[0].set_ylabel("slope")
    panels[1].set(xlabel="u₁", ylabel="u₂")
    return figure


def line():
    """A line as it moves, and three quantiles."""
    X, y = hours_and_scores()
    model, path = descent(X, y, learning_rate=0.005, max_iter=3000)
    labels = {"feature_name": "hours studied", "target_name": "test score"}
    figure = Figure((6.4, 3.2))
    left, right = figure.subplots(1, 2)
    FitDisplay.from_estimator(model, X, y, trajectory=path, ax=left, **labels)
    left.legend(loc="lower right", fontsize=8)
    quantiles = {
        f"quantile {q}": SGDLinearRegressor(loss="quantile", quantile=q).fit(X, y)
        for q in (0.9, 0.5, 0.1)
    }
    FitDisplay.from_estimator(quantiles, X, y, ax=right, **labels)
    right.set_ylabel("")
    return figure


def schedule():
    """Schedules before a fit, and the steps of one that stalls have shortened."""
    X, y = load_diabetes(return_X_y=True)
    figure = Figure((6.4, 3.0))
    left, right = figure.subplots(1, 2)
    laws = {
        "cosine": schedules.Cosine(0.1, steps=300),
        "one cycle": schedules.OneCycle(0.1, steps=300),
        "1/√t": schedules.InvScaling(0.1, power_t=0.5),
        "1/√t, warm-up": schedules.WarmUp(schedules.InvScaling(0.1, 0.5), steps=60),
    }
    ScheduleDisplay.from_schedule(laws, n_steps=300, ax=left)
    left.set_title("from_schedule")
    model = SGDLinearRegressor(
        learning_rate=schedules.Adaptive(0.1, factor=0.5),
        batch_size=32,
        tol=1e-2,
        n_iter_no_change=3,
        random_state=0,
    )
    ScheduleDisplay.from_estimator(model.fit(X, y), ax=right)
    right.set(ylabel="", title="from_estimator: Adaptive")
    return figure


# ------------------------------------------------------------------------ parts


def hours_and_scores():
    """100 rows: hours that somebody has studied, and the score of the test."""
    rng = np.random.default_rng(5)
    hours = rng.normal(5, 1.6, 100)
    return hours[:, None], 30 + 7 * hours + rng.normal(0, 8, 100)


def descent(X, y, **parameters):
    """A model by gradient descent, and its path."""
    path = TrajectoryRecorder()
    model = SGDLinearRegressor(**FULL, **parameters).set_callbacks(path)
    return model.fit(X, y), path


PICTURES = {draw.__name__: draw for draw in (convergence, surface, bowl, line, schedule)}


def main(names, folder=IMAGES):
    """Draw some pictures, or all."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for name in names or PICTURES:
            save(PICTURES[name], folder / f"displays-{name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
