"""The picture of README: ``python docs/readme_picture.py`` writes images/readme.png.

Left: a bowl of raw data, and where a thousand steps of gradient descent get. Right: the R²
that is missing after each pass over the rows, of the defaults and of others' steps.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.linear_model import SGDRegressor
from sklearn.preprocessing import StandardScaler
from slots.pictures import DASHES, save

from sgdreg import SGDLinearRegressor, TrajectoryRecorder
from sgdreg.display import LossSurfaceDisplay

PATH = Path(__file__).parent / "images" / "readme.png"
EPOCHS = 12


def readme():
    """Both panels."""
    figure = Figure((9.6, 3.9))
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.15])
    draw_bowl(left)
    draw_passes(right)
    return figure


def draw_bowl(panel):
    """Hours and scores: the valley that gradient descent cannot get along."""
    rng = np.random.default_rng(0)
    x = rng.normal(50, 10, 100)[:, None]
    y = 1.3 * x[:, 0] + 8 + rng.normal(0, 10, 100)
    path = TrajectoryRecorder()
    steps = SGDLinearRegressor(
        learning_rate=2e-4, batch_size="full", max_iter=1000, tol=None
    )
    steps.set_callbacks(path).fit(x, y)
    LossSurfaceDisplay.from_estimator(
        SGDLinearRegressor().fit(x, y),
        x,
        y,
        trajectory={"1,000 steps of gradient descent": path},
        ax=panel,
    )
    panel.set_title("One raw feature: the squared error, and its minimum")
    panel.set_ylabel("slope")
    panel.grid(False)


def draw_passes(panel):
    """100,000 raw rows of 30 features, scales from 0.001 to 1,000, a tenth of R² noise."""
    rng = np.random.default_rng(0)
    n, d = 100_000, 30
    mix = np.eye(d) + 0.15 * rng.normal(size=(d, d))
    X = rng.normal(size=(n, d)) @ mix * np.logspace(-3, 3, d)
    X += 10 * X.std(axis=0) * rng.normal(size=d)
    signal = StandardScaler().fit_transform(X) @ rng.normal(size=d)
    y = signal / signal.std() + rng.normal(0, 1 / 3, n)
    A = np.column_stack([StandardScaler().fit_transform(X), np.ones(n)])
    least = np.mean((y - A @ np.linalg.lstsq(A, y, rcond=None)[0]) ** 2)

    def missing(predictions):
        return (np.mean((y - predictions) ** 2) - least) / y.var()

    for index, (name, steps) in enumerate(
        {"SGDRegressor": {}, "SGDRegressor, averaged": {"average": True}}.items()
    ):
        theirs, curve = SGDRegressor(penalty=None, random_state=0, **steps), []
        for _ in range(EPOCHS):
            theirs.partial_fit(A[:, :-1], y)
            curve.append(missing(theirs.predict(A[:, :-1])))
        passes = np.arange(1, EPOCHS + 1)
        panel.plot(passes, curve, label=f"{name}, scaled features", ls=DASHES[index + 1])
    recorder = TrajectoryRecorder()
    ours = SGDLinearRegressor(random_state=0, tol=1e-12).set_callbacks(recorder).fit(X, y)
    passes = [entry["passes"] for entry in ours.history_]
    curve = [
        missing(X @ w + b)
        for w, b in zip(recorder.coefs_[1:], recorder.intercepts_[1:], strict=True)
    ]
    panel.plot(
        passes, np.maximum(curve, 1e-15), "o-", label="SGDLinearRegressor, raw features"
    )
    raw = missing(SGDRegressor(penalty=None, random_state=0).fit(X, y).predict(X))
    panel.text(
        0.98,
        0.97,
        f"SGDRegressor, raw features: {raw:.0e}",
        ha="right",
        va="top",
        transform=panel.transAxes,
        fontsize=9,
    )
    panel.set(yscale="log", ylim=(1e-15, 30), xlim=(0, EPOCHS + 0.3))
    panel.set_xlabel("passes over 100,000 rows of 30 features")
    panel.set_title("R² missing, against exact least squares")
    panel.legend(loc="center right", bbox_to_anchor=(1, 0.4), fontsize=9)


if __name__ == "__main__":
    save(readme, PATH)
