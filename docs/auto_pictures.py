"""The pictures of "How auto works": ``python docs/auto_pictures.py [name ...]``.

Each function draws one from fits of sgdreg with fixed seeds, and `main` writes it to
images/auto-NAME.png (all of them without a name; some minutes in all). Gaps are
(F(w) - F*) / F(best constant): the training R² that is missing.
"""

import sys
import warnings
from pathlib import Path
from unittest.mock import patch

import numpy as np
from matplotlib.figure import Figure
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDRegressor
from sklearn.preprocessing import StandardScaler
from slots.pictures import COLOURS, line, save

from sgdreg import SGDLinearRegressor, TrajectoryRecorder, optimizers

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))

from benchmarks import problems  # noqa: E402

ROWS, FEATURES = 200_000, 60
WIDE_ROWS, WIDE_FEATURES = 6000, 2200
FLOOR = 1e-18  # what is rounding
LOWEST = 1e-16  # the bottom of a picture: what is below is drawn there


# ------------------------------------------------------------------------ pictures


def gap():
    """The gap by passes over the rows: the defaults, and textbook steps beside them."""
    figure = Figure((6.4, 3.4))
    panels = figure.subplots(1, 3, sharey=True, sharex=True)
    for panel, (name, family) in zip(panels, TABLES.items(), strict=True):
        X, y = rows(family, ROWS, FEATURES)
        passes, true, _ = gaps(SGDLinearRegressor(tol=1e-12, random_state=0), X, y)
        drawn = np.maximum(true, LOWEST)
        panel.loglog(passes, drawn, "o-", markersize=4, label="defaults", clip_on=False)
        for metric, label, number in ((None, "raw", 1), ("diagonal", "scaled", 2)):
            rule = optimizers.SGD(metric=metric)
            model = SGDLinearRegressor(optimizer=rule, batch_size=32, **STEPS)
            passes, true, _ = gaps(model, X, y)
            panel.loglog(passes, true, label=f"sgd, {label}", **line(number))
        panel.set_title(name)
        panel.set_xlabel("passes")
        panel.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
        panel.set_xticks([], minor=True)
    panels[0].set_ylabel("gap")
    panels[0].set_ylim(LOWEST, 30)
    panels[2].legend(loc="lower right", fontsize=8, handlelength=2.6)
    return figure


def sample():
    """What a pass of conjugate gradients gains, by the rows that the curvature is of."""
    X, y = rows(problems.normal, ROWS, FEATURES)
    sizes = np.array([300, 600, 1200, 2400, 4800, 9600, 19200, 38400])
    first, rate = [], []
    for size in sizes:
        with (
            patch("sgdreg._solvers.prepare.sample_size", return_value=int(size)),
            patch("sgdreg._curvature.sample.Sketch.worthwhile", return_value=False),
        ):
            model = SGDLinearRegressor(tol=None, max_iter=4, random_state=0)
            _, true, _ = gaps(model, X, y)
        first.append(true[0])
        rate.append((true[-1] / true[0]) ** (1 / (len(true) - 1)))
    figure = Figure((6.4, 3.2))
    panel = figure.subplots()
    unexplained = 1 - SGDLinearRegressor().fit(X, y).score(X, y)
    panel.loglog(sizes, FEATURES / sizes, label="d/s", **line(1))
    panel.loglog(sizes, rate, "o", color=COLOURS[1], label="gap, over that a pass before")
    panel.loglog(sizes, unexplained * FEATURES / sizes, label="(1 - R²) d/s", **line(2))
    panel.loglog(sizes, first, "s", color=COLOURS[2], label="gap of the sample's answer")
    panel.set_xlabel(f"s, rows sampled of {ROWS:,} ({FEATURES} features)")
    panel.legend(fontsize=9)
    return figure


def certificate():
    """The gap that fits report, by the true one, after every epoch of many fits."""
    figure = Figure((6.4, 3.8))
    panel = figure.subplots()
    pairs = []
    for family in [*TABLES.values(), *MORE]:
        for seed in range(2):
            X, y = rows(family, ROWS, FEATURES, seed)
            model = SGDLinearRegressor(tol=1e-13, random_state=seed)
            pairs.append(gaps(model, X, y)[1:])
    label = f"samples of {ROWS:,} rows"
    panel.loglog(*np.hstack(pairs), "s", color=COLOURS[1], markersize=4, label=label)
    pairs = []
    for family in WIDE.values():
        X, y = rows(family, WIDE_ROWS, WIDE_FEATURES)
        model = SGDLinearRegressor(tol=1e-8, max_iter=200, random_state=0)
        pairs.append(gaps(model, X, y)[1:])
    label = f"single precision, {WIDE_FEATURES:,}"
    panel.loglog(*np.hstack(pairs), ".", color=COLOURS[3], label=label)
    ends = [LOWEST, 10]
    panel.loglog(ends, ends, color=COLOURS[4], linestyle="-", linewidth=1)
    panel.set_xlabel("true gap")
    panel.set_ylabel("gap reported")
    panel.set(xlim=ends, ylim=ends)
    panel.annotate("careful", (1e-13, 1e-7), color="#5a5a5a")
    panel.annotate("flattering", (1e-7, 1e-12), color="#5a5a5a")
    panel.legend(loc="lower right", fontsize=9)
    return figure


def wide():
    """The gap by passes beyond 2,000 features: how fast depends on the spectrum."""
    figure = Figure((6.4, 3.2))
    panel = figure.subplots()
    for number, (name, family) in enumerate(WIDE.items()):
        X, y = rows(family, WIDE_ROWS, WIDE_FEATURES)
        model = SGDLinearRegressor(tol=1e-8, max_iter=300, random_state=0)
        passes, true, reported = gaps(model, X, y)
        panel.loglog(passes, true, label=name, **line(number))
        panel.loglog(passes, reported, linewidth=0.8, alpha=0.7, **line(number))
    panel.set_xlabel(f"passes over {WIDE_ROWS:,} rows of {WIDE_FEATURES:,} features")
    panel.set_ylabel("gap (thin: as reported)")
    panel.legend(loc="lower left", fontsize=9)
    return figure


def interior():
    """The duality gap of other problems, by Newton steps."""
    X, y = rows(problems.normal, 20_000, 30)
    y = y + np.random.default_rng(1).standard_t(1.5, size=len(y))
    kinds = {
        "quantile 0.9": {"loss": "quantile", "quantile": 0.9},
        "absolute_error": {"loss": "absolute_error"},
        "huber": {"loss": "huber", "epsilon": 1.0},
        "l1": {"penalty": "l1", "alpha": 0.05},
        "positive": {"positive": True},
    }
    figure = Figure((6.4, 3.2))
    panel = figure.subplots()
    for name, settings in kinds.items():
        model = SGDLinearRegressor(tol=1e-10, **settings).fit(X, y)
        reported = [entry["optimality_gap"] for entry in model.history_]
        panel.semilogy(range(1, len(reported) + 1), reported, label=name)
    panel.set_xlabel("step (20,000 rows, 30 features, Student-t noise)")
    panel.set_ylabel("duality gap")
    panel.set_ylim(top=1e4)  # room for the legend
    panel.legend(loc="upper right", ncols=2, fontsize=9)
    return figure


def stream():
    """Test error over the noise, by the rows of a stream seen so far."""
    d, chunk = 20, 100
    drawn = problems.make_problem(problems.scaled, 100 * chunk, d, fresh=5000)
    ours, scaler, theirs = (
        SGDLinearRegressor(),
        StandardScaler(),
        SGDRegressor(random_state=0),
    )
    seen = np.arange(chunk, len(drawn.y) + 1, chunk)
    errors = []
    for end in seen:
        X, y = drawn.X[end - chunk : end], drawn.y[end - chunk : end]
        ours.partial_fit(X, y)
        theirs.partial_fit(scaler.partial_fit(X).transform(X), y)
        pipeline = drawn.excess(lambda X: theirs.predict(scaler.transform(X)))
        errors.append([drawn.excess(ours.predict), pipeline])
    figure = Figure((6.4, 3.0))
    panel = figure.subplots()
    ours, theirs = np.transpose(errors)
    panel.loglog(seen, ours, label="SGDLinearRegressor")
    panel.loglog(seen, theirs, label="StandardScaler, SGDRegressor", **line(1))
    panel.loglog(seen, d / seen, label="d/n", **line(2))
    panel.set_xlabel(f"rows seen, n (chunks of {chunk}, {d} features, raw)")
    panel.set_ylabel("test error over the noise")
    panel.legend(fontsize=9)
    return figure


# ---------------------------------------------------------------------------- rows


def factors(rng, d):
    """20 strong factors behind all features, and a little of each feature's own."""
    loadings = rng.standard_normal((20, d))
    return lambda n: rng.standard_normal((n, 20)) @ loadings + rng.standard_normal((n, d))


def slowly_falling(rng, d):
    """Variances of 1/j along directions that no feature is alone with."""
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    spread = np.arange(1, d + 1) ** -0.5
    return lambda n: (rng.standard_normal((n, d)) * spread) @ turn


TABLES = {
    "normal": problems.normal,
    "ill-conditioned": problems.ill_conditioned,
    "Student-t(1.5)": problems.student(1.5),
}
MORE = [problems.student(3), problems.scaled, problems.ordered, problems.far_from_zero]
WIDE = {"flat": problems.normal, "20 factors": factors, "1/j": slowly_falling}
STEPS = {"max_iter": 30, "tol": None, "random_state": 0}


def rows(family, n, d, seed=0):
    """X and y of a family of problems."""
    drawn = problems.make_problem(family, n, d, seed=seed)
    return drawn.X, drawn.y


def gaps(model, X, y):
    """Passes, true gap and reported gap (nan: none) after each epoch of a fit.

    F(w) - F* is half the mean square of what predictions are off by those of least squares.
    """
    path = TrajectoryRecorder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.set_callbacks(path).fit(X, y)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    Q = np.linalg.qr(Z)[0]
    centred = y - y.mean()
    exact = y.mean() + Q @ (Q.T @ centred)
    true = [
        np.mean((X @ coef + intercept - exact) ** 2) / np.mean(centred**2)
        for coef, intercept in zip(path.coefs_[1:], path.intercepts_[1:], strict=True)
    ]
    reported = [entry.get("optimality_gap", np.nan) for entry in model.history_]
    passes = [entry["passes"] for entry in model.history_]
    return np.array(passes), np.maximum(true, FLOOR), np.maximum(reported, FLOOR)


PICTURES = {
    draw.__name__: draw for draw in (gap, sample, certificate, wide, interior, stream)
}


def main(names, folder=HERE / "images"):
    """Draw some pictures, or all."""
    for name in names or PICTURES:
        save(PICTURES[name], Path(folder) / f"auto-{name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
