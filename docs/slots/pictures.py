"""The pictures of these pages: ``python docs/slots/pictures.py [name ...]``.

Each function below draws the one of its page, from fits of sgdreg itself with fixed seeds,
and `main` writes it to images/NAME.png (all of them without a name; a minute in all).
"""

import sys
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from PIL import Image
from sklearn.datasets import load_diabetes

from sgdreg import SGDLinearRegressor, TrajectoryRecorder, losses, optimizers, schedules

IMAGES = Path(__file__).parent / "images"
# Dark to light, so that they differ in grey; lines differ in their dashes, too.
COLOURS = ["#000000", "#8c2d04", "#2b6ca3", "#d98c1f", "#8a8a8a"]
DASHES = ["-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2))]
STYLE = {
    "axes.grid": True,
    "axes.prop_cycle": mpl.cycler(color=COLOURS, linestyle=DASHES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 10,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


# ------------------------------------------------------------------------ pages


def loss():
    """Each loss and its derivative, by the residual."""
    figure = Figure((6.4, 4.0))
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    shown = {
        "squared_error": losses.SquaredError(),
        "huber\nepsilon=1": losses.Huber(1.0),
        "absolute_error": losses.AbsoluteError(),
        "quantile\nquantile=0.75": losses.Quantile(0.75),
        "epsilon_insensitive\nepsilon=0.75": losses.EpsilonInsensitive(0.75),
        "squared_epsilon_insensitive\nepsilon=0.75": losses.SquaredEpsilonInsensitive(0.75),
    }
    r = np.linspace(-2.5, 2.5, 1002)
    for panel, (name, law) in zip(panels.flat, shown.items(), strict=True):
        slope = law.gradient(np.zeros_like(r), r)
        slope[1:][np.abs(np.diff(slope)) > 0.5] = np.nan  # a jump is no line
        panel.plot(r, law.value(np.zeros_like(r), r), label="L(y, p)")
        panel.plot(r, slope, label="dL/dp", **line(2))
        panel.set_title(name, fontsize=9)
        panel.set_ylim(-1.6, 2.6)
        panel.axhline(0, color="#8a8a8a", linewidth=0.8, linestyle="-")
    panels[0, 0].legend(loc="lower right", handlelength=1.5)
    figure.supxlabel("residual r = p - y")
    return figure


def penalty():
    """Coefficients by alpha, with l1 and with l2."""
    X, y = load_diabetes(return_X_y=True)
    X, y = X / X.std(axis=0), y / y.std()
    alphas = np.geomspace(0.003, 1, 31)
    figure = Figure((6.4, 3.0))
    panels = figure.subplots(1, 2, sharey=True)
    for panel, name in zip(panels, ("l1", "l2"), strict=True):
        models = [SGDLinearRegressor(penalty=name, alpha=a).fit(X, y) for a in alphas]
        for path in np.array([model.coef_ for model in models]).T:
            zero = np.flatnonzero(path == 0)
            (drawn,) = panel.plot(alphas, path, linestyle="-", linewidth=1.3)
            if len(zero):
                end = alphas[zero[0]]
                panel.plot(
                    end, 0, "o", color=drawn.get_color(), markersize=5, clip_on=False
                )
        none = np.mean([(model.coef_ == 0).mean() for model in models])
        panel.set_title(f'penalty="{name}"' + ("" if none else ": no coefficient is 0"))
        panel.set_xscale("log")
        panel.set_xlabel("alpha")
    panels[0].plot([], [], "o", color="k", label="exactly 0 from here on")
    panels[0].legend(loc="lower right", handletextpad=0.1)
    panels[0].set_ylabel("coefficient")
    return figure


def sampling():
    """Which rows each step reads, and what the order does to sorted rows."""
    orders = {
        "rows": "rows",
        "blocks": "blocks",
        "replacement": "replacement",
        "False": False,
    }
    figure = Figure((6.4, 4.9))
    upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.05])
    panels = upper.subplots(1, 4, sharey=True)
    for panel, (name, order) in zip(panels, orders.items(), strict=True):
        steps = rows_of_steps(n_rows=12, batch_size=3, shuffle=order, epochs=2)
        panel.imshow(steps.T, cmap="Greys", vmin=0, vmax=2.4, aspect="auto")
        panel.grid(False)
        panel.vlines(np.arange(0.5, 7), -0.5, 11.5, color="#e4e4e4", linewidth=0.8)
        panel.hlines(np.arange(0.5, 11), -0.5, 7.5, color="#e4e4e4", linewidth=0.8)
        panel.axvline(3.5, color="#8c2d04", linestyle="--", linewidth=1.2)
        panel.set_title(f'"{name}"' if isinstance(order, str) else name)
        panel.set_xticks([0, 3, 4, 7], [1, 4, 5, 8])
        panel.set_xlabel("step")
    panels[0].set_yticks([0, 5, 11])
    panels[0].set_ylabel("row, as stored")
    panel = lower.subplots()
    X, y = sorted_rows()
    for order in orders.values():
        model = SGDLinearRegressor(
            optimizer="sgd", learning_rate=0.05, batch_size=16, shuffle=order
        )
        curve = excess(model, X, y, 30)
        panel.semilogy(range(1, 31), curve, label=f"shuffle={order!r}")
    panel.set_xlabel("epoch (400 rows sorted by a feature, batches of 16, constant step)")
    panel.set_ylabel("F above its least")
    panel.set_ylim(2e-7, 0.2)
    panel.legend(ncols=2, loc="lower center")
    return figure


def gradient():
    """Plain and variance-reduced steps of the same size."""
    X, y = rows(1000, 10, noise=1.0)
    figure = Figure((6.4, 3.2))
    panel = figure.subplots()
    kinds = {
        "SVRG, step 0.01": (optimizers.SVRG(), 0.01),
        "plain, step 0.01": ("sgd", 0.01),
        "plain, step 0.1/√t": ("sgd", schedules.InvScaling(0.1, power_t=0.5)),
        "plain, step 0.002": ("sgd", 0.002),
    }
    for name, (rule, step) in kinds.items():
        model = SGDLinearRegressor(optimizer=rule, learning_rate=step, average=False)
        curve = excess(model, X, y, 20 if name.startswith("SVRG") else 40)
        passes = np.array([entry["passes"] for entry in model.history_])
        keep = curve > 1e-15
        panel.semilogy(passes[keep], curve[keep], label=name)
    panel.set_xlabel("passes over the 1000 rows (one row a step)")
    panel.set_ylabel("F above its least")
    panel.legend(loc="center right", bbox_to_anchor=(1, 0.42))
    return figure


def update_rule():
    """Paths of the rules on a bowl."""
    H = np.array([[1.0, 0.0], [0.0, 12.0]])
    turn = np.array([[np.cos(0.35), -np.sin(0.35)], [np.sin(0.35), np.cos(0.35)]])
    X = np.linalg.cholesky(turn @ H @ turn.T).T * np.sqrt(2)
    best, start = np.array([2.2, 0.6]), np.zeros(2)
    rules = {
        "sgd": ("sgd", 0.14, 60),
        "momentum": (optimizers.Momentum(0.7), 0.05, 60),
        "nesterov": (optimizers.Nesterov(0.7), 0.05, 60),
        "cg": ("cg", "auto", 2),
        "adagrad": ("adagrad", 0.4, 60),
        "rmsprop": (optimizers.RMSprop(rho=0.9), 0.05, 60),
        "adam": (optimizers.Adam(beta_2=0.9), 0.1, 120),
        "interior_point": ("interior_point", "auto", 1),
    }
    figure = Figure((6.4, 3.7))
    panels = figure.subplots(2, 4, sharex=True, sharey=True)
    for panel, (name, (rule, step, epochs)) in zip(panels.flat, rules.items(), strict=True):
        model = SGDLinearRegressor(
            optimizer=rule, learning_rate=step, batch_size="full", fit_intercept=False
        )
        path = [start]
        for count in range(1, epochs + 1):
            model.set_params(max_iter=count, tol=None)
            path.append(model.fit(X, X @ best, coef_init=start).coef_)
        for level in 0.02 * 3.0 ** np.arange(8):
            axes = 2 * np.sqrt(2 * level / H.diagonal())
            panel.add_patch(
                Ellipse(
                    best, *axes, angle=np.degrees(0.35), fill=False, edgecolor="#b0b0b0"
                )
            )
        panel.set(xlim=(-0.4, 3.0), ylim=(-0.5, 1.6))
        panel.plot(*np.transpose(path), "-o", markersize=2.2, linewidth=1.0)
        panel.plot(*best, "+", color=COLOURS[1], markersize=11, markeredgewidth=2)
        panel.set_title(f"{name}: {epochs} step{'s' * (epochs > 1)}", fontsize=9)
        panel.grid(False)
    figure.supxlabel("first coefficient")
    figure.supylabel("second coefficient")
    return figure


def metric():
    """Gradient descent in the three metrics on badly scaled, correlated features."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    X[:, 1] = X[:, 0] + 0.2 * X[:, 1]
    X = X * [0.3, 1, 3, 10] + [0, 1, 0, 20]
    y = X @ [1.0, -1.0, 0.5, 0.1] + rng.normal(size=500)
    figure = Figure((6.4, 3.0))
    panel = figure.subplots()
    epochs = np.unique(np.geomspace(1, 20000, 60).astype(int))
    for kind in (None, "diagonal", "sketch"):
        model = SGDLinearRegressor(optimizer=optimizers.SGD(metric=kind), batch_size="full")
        reach = epochs if kind != "sketch" else epochs[:1]
        curve = np.array([excess(model, X, y, k, last=True) for k in reach])
        keep = curve > 1e-14
        curve, reach = [excess(model, X, y, 0), *curve[keep]], [0, *reach[keep]]
        if kind == "sketch":  # and is at the optimum but for rounding
            curve, reach = [*curve, 1e-14], [*reach, 1]
        panel.plot(reach, curve, label=f"metric={kind!r}", marker="o", markersize=3)
    panel.set_xscale("symlog", linthresh=1)
    panel.set_yscale("log")
    panel.set_xticks([0, 1, 10, 100, 1000, 10000], ["0", "1", "10", "100", "1e3", "1e4"])
    panel.set_xlabel("epoch (one step on all rows)")
    panel.set_ylabel("F above its least")
    panel.legend()
    return figure


def averaging():
    """The last weights, and averages of them, with constant steps."""
    X, y = rows(1000, 10, noise=1.0)
    figure = Figure((6.4, 3.2))
    panel = figure.subplots()
    kinds = {
        "False (the last)": False,
        "0.999 (some 1000 steps)": 0.999,
        "True (all steps)": True,
        '"tail" (the later half)': "tail",
    }
    for name, average in kinds.items():
        model = SGDLinearRegressor(optimizer="sgd", learning_rate=0.005, average=average)
        epochs = 2 ** np.arange(9)
        curve = excess(model, X, y, epochs[-1])[epochs - 1]
        panel.loglog(epochs, curve, label=f"average={name}", marker="o", markersize=3)
    panel.set_xticks(epochs, epochs, minor=False)
    panel.tick_params(axis="x", which="minor", length=0)
    panel.set_xlabel("epoch (1000 steps of a constant size)")
    panel.set_ylabel("F above its least")
    panel.legend(fontsize=9)
    return figure


def schedule():
    """Every schedule over 300 steps."""
    shown = {
        "Constant": schedules.Constant(1.0),
        "InvScaling": schedules.InvScaling(1.0, power_t=0.5),
        "Optimal": schedules.Optimal(alpha=0.5),
        "Adaptive": None,
        "StepDecay": schedules.StepDecay(1.0, factor=0.5, every=75),
        "Exponential": schedules.Exponential(1.0, decay=0.99),
        "Piecewise": schedules.Piecewise([100, 200], [1.0, 0.3, 0.1]),
        "Polynomial": schedules.Polynomial(1.0, steps=300),
        "Cosine": schedules.Cosine(1.0, steps=300),
        "Cosine, restarts": schedules.Cosine(1.0, steps=43, restarts=True, growth=2),
        "OneCycle": schedules.OneCycle(1.0, steps=300),
        "WarmUp(InvScaling)": schedules.WarmUp(schedules.InvScaling(1.0, 0.5), steps=60),
    }
    figure = Figure((6.4, 4.4))
    panels = figure.subplots(3, 4, sharex=True, sharey=True)
    t = np.arange(1, 301)
    for panel, (name, law) in zip(panels.flat, shown.items(), strict=True):
        steps = reactions(300) if law is None else law(t)
        panel.plot(t, steps / steps.max())
        panel.set_title(name, fontsize=9)
        panel.set_xticks([0, 150, 300])
        panel.set_yticks([0, 0.5, 1])
    figure.supxlabel("step t")
    figure.supylabel("eta(t) / largest")
    return figure


def stopping():
    """Training objective and validation score, and the epoch that is returned."""
    X, y = few_rows()
    model = SGDLinearRegressor(
        optimizer="sgd",
        learning_rate=0.002,
        n_iter_no_change=20,
        tol=0,
        max_iter=200,
        random_state=0,
    )
    model.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    epochs, best = np.arange(1, model.n_iter_ + 1), model.best_iteration_
    figure = Figure((6.4, 3.6))
    upper, lower = figure.subplots(2, 1, sharex=True)
    upper.plot(epochs, model.loss_curve_)
    upper.set_ylabel("objective,\ntraining rows")
    lower.plot(epochs, model.validation_scores_, color=COLOURS[2])
    lower.plot(best, model.validation_scores_[best - 1], "o", color=COLOURS[1])
    lower.set_ylabel("R²,\nvalidation rows")
    lower.set_xlabel("epoch")
    for panel in (upper, lower):
        panel.axvline(best, color=COLOURS[1], linestyle="--", linewidth=1.2)
        panel.axvline(model.n_iter_, color=COLOURS[4], linestyle=":", linewidth=1.5)
    high = max(model.loss_curve_)
    upper.annotate("returned", (best, high), (-4, -8), ha="right", **POINTS)
    upper.annotate("stopped", (model.n_iter_, high), (-4, -8), ha="right", **POINTS)
    middle = 0.4 * sum(lower.get_ylim())
    lower.annotate(
        "n_iter_no_change\n= 20 epochs",
        ((best + model.n_iter_) / 2, middle),
        (0, 8),
        **CENTRED,
    )
    lower.annotate("", (best, middle), (model.n_iter_, middle), arrowprops=ARROW)
    return figure


def state():
    """A fit killed and resumed, and one begun anew from the coefficients alone."""
    X, y = rows(200, 5, noise=1.0)
    model = SGDLinearRegressor(
        optimizer=optimizers.Momentum(0.9),
        learning_rate=schedules.InvScaling(0.05, power_t=0.7),
        batch_size=10,
        tol=None,
        random_state=0,
    )
    model.set_params(max_iter=24).fit(X, y)
    whole = model.loss_curve_
    killed = model.set_params(max_iter=8).fit(X, y)
    resumed = SGDLinearRegressor.resume(killed.checkpoint_, X, y, max_iter=24)
    start = {"coef_init": killed.coef_, "intercept_init": killed.intercept_}
    anew = model.set_params(max_iter=16).fit(X, y, **start)
    figure = Figure((6.4, 3.2))
    panel = figure.subplots()
    least = 0.5 * np.mean((y - SGDLinearRegressor().fit(X, y).predict(X)) ** 2)
    after = np.arange(9, 25)
    panel.semilogy(np.arange(1, 25), np.subtract(whole, least), label="never interrupted")
    first = np.subtract(resumed.loss_curve_, least)
    panel.plot(
        np.arange(1, 9),
        first[:8],
        "o",
        color=COLOURS[4],
        label="up to epoch 8, then killed …",
    )
    panel.plot(
        after, first[8:], "o", color=COLOURS[2], mfc="none", label="… and resumed: the same"
    )
    panel.plot(
        after,
        np.subtract(anew.loss_curve_, least),
        "--x",
        color=COLOURS[1],
        linewidth=1.2,
        label="a new fit from coef_ and intercept_",
    )
    panel.axvline(8.5, color=COLOURS[4], linestyle=":", linewidth=1.5)
    panel.set_xlabel("epoch")
    panel.set_ylabel("mean loss of the epoch\nabove the least loss")
    panel.legend()
    return figure


# ------------------------------------------------------------------------ parts

POINTS = {"textcoords": "offset points"}
CENTRED = {"ha": "center"} | POINTS
ARROW = {"arrowstyle": "<->", "color": COLOURS[4]}


def line(number):
    """Colour and dashes of a line, by its number."""
    return {"color": COLOURS[number], "linestyle": DASHES[number]}


def rows(n, d, noise, seed=0):
    """Standard normal rows and a linear target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X @ rng.normal(size=d) + noise * rng.normal(size=n)


def sorted_rows():
    """Rows in the order of a feature that the target bends with."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-1.7, 1.7, 400))
    return np.column_stack([x, rng.normal(size=400)]), x + 0.5 * x**2 + rng.normal(size=400)


def few_rows():
    """60 rows of 50 features to learn from, and 400 to validate on."""
    return rows(460, 50, noise=6.0, seed=3)


def excess(model, X, y, epochs, last=False):
    """F above its least value after each epoch (or the last one alone)."""
    exact = SGDLinearRegressor().fit(X, y)
    least = np.mean((y - exact.predict(X)) ** 2) / 2
    model.set_params(tol=None, random_state=0)
    if not epochs:
        return np.mean(y**2) / 2 - least
    if last:
        fitted = model.set_params(max_iter=epochs).fit(X, y)
        return np.mean((y - fitted.predict(X)) ** 2) / 2 - least
    path = TrajectoryRecorder()
    model.set_params(max_iter=epochs).set_callbacks(path).fit(X, y)
    models = zip(path.coefs_[1:], path.intercepts_[1:], strict=True)
    return np.array([np.mean((y - X @ w - b) ** 2) / 2 - least for w, b in models])


def rows_of_steps(n_rows, batch_size, shuffle, epochs):
    """How often each step reads each row, shape (steps, rows)."""
    seen = []

    class Watch(optimizers.Optimizer):
        """Stands still, and notes each gradient: of the unit matrix, the rows read."""

        def direction(self, gradient, memory, t):
            seen.append(-batch_size * gradient)
            return np.zeros_like(gradient)

    SGDLinearRegressor(
        optimizer=Watch(),
        learning_rate=1.0,
        batch_size=batch_size,
        shuffle=shuffle,
        max_iter=epochs,
        tol=None,
        fit_intercept=False,
        random_state=1,
    ).fit(np.eye(n_rows), np.ones(n_rows))
    return np.round(seen)


def reactions(count):
    """Steps of `Adaptive` in a fit that stalls."""
    X, y = rows(50, 3, noise=1.0)
    model = SGDLinearRegressor(
        learning_rate=schedules.Adaptive(0.02, factor=0.5),
        batch_size=10,
        tol=1e-2,
        n_iter_no_change=3,
        random_state=0,
    ).fit(X, y)
    steps = np.repeat([entry["learning_rate"] for entry in model.history_], 5)
    return steps[:count]


PICTURES = {
    page.__name__.replace("_", "-"): page
    for page in (
        loss,
        penalty,
        sampling,
        gradient,
        update_rule,
        metric,
        averaging,
        schedule,
        stopping,
        state,
    )
}


def main(names, folder=IMAGES):
    """Draw some pictures, or all."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    for name in names or PICTURES:
        save(PICTURES[name], folder / f"{name}.png")


def save(draw, path):
    """Write the figure that a function draws, as a small file."""
    file = BytesIO()
    with mpl.rc_context(STYLE):
        draw().savefig(file, dpi=150)
    # Of 64 colours lines keep their smooth edges, and files a third of their size.
    picture = Image.open(file).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
