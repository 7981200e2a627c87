"""One feature: the data, the line, and the lines of earlier epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sgdreg._data.sparse import trusted
from sgdreg.display._drawing import (
    axes,
    by_name,
    geometrically,
    ink,
    path_of,
    style,
    unwrapped,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from matplotlib.axes import Axes

    from sgdreg._callbacks.trajectory import TrajectoryRecorder
    from sgdreg._typing import Array, ArrayLike, Keywords, MatrixLike, OneOrMore

# Most rows of the scatter, evenly spaced among all rows: more would hide each other.
ROWS = 2000
# Points of a line, which is a curve behind PolynomialFeatures.
POINTS = 200
# Appearance. The opacity of a point is OPACITY / √(number of points), within these ends.
OPACITY, FAINTEST, DENSEST = 8.0, 0.2, 0.6
# Opacity of the first and the last of the earlier lines.
EARLIEST, LATEST = 0.3, 0.8
# With this many earlier epochs or more, the legend names the first NAMED and the last.
MANY, NAMED = 5, 3
# Room below the earlier lines, as a share of the height of the data.
ROOM = 0.05


class FitDisplay:
    """The data of one feature, the fitted line, and lines of earlier epochs, fading.

        y = coef · x + intercept

    Parameters
    ----------
    x, y : ndarray of shape (n_samples,)
        The data.
    grid : ndarray of shape (n_points,)
        The values of x at which the lines are given.
    lines : dict of str -> ndarray of shape (n_points,)
        Name of a model -> its predictions on the grid.
    earlier : ndarray of shape (n_earlier, n_points), default=None
        Predictions of earlier epochs.
    epochs : ndarray of int of shape (n_earlier + 1,), default=None
        The numbers of these epochs, and of the epoch of the line itself.
    feature_name, target_name : str, default=None
        Labels of the axes.

    Attributes
    ----------
    scatter_ : matplotlib PathCollection
    lines_ : list of matplotlib Line2D
        One per model.
    earlier_ : list of matplotlib Line2D
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from sgdreg import SGDLinearRegressor, TrajectoryRecorder
    >>> from sgdreg.display import FitDisplay
    >>> X, y = [[1.0], [2.0], [3.0], [4.0]], [2.1, 3.9, 6.1, 7.9]
    >>> path = TrajectoryRecorder()
    >>> model = SGDLinearRegressor(learning_rate=0.05, batch_size="full", max_iter=200)
    >>> model = model.set_params(tol=None).set_callbacks(path).fit(X, y)
    >>> display = FitDisplay.from_estimator(
    ...     model, X, y, trajectory=path, ax=Figure().subplots()
    ... )
    >>> display.epochs.tolist()
    [0, 1, 2, 4, 8, 16, 32, 64, 128, 200]
    """

    def __init__(
        self,
        x: Array,
        y: Array,
        grid: Array,
        lines: Mapping[str, Array],
        *,
        earlier: Array | None = None,
        epochs: Array | None = None,
        feature_name: str | None = None,
        target_name: str | None = None,
    ) -> None:
        self.x = x
        self.y = y
        self.grid = grid
        self.lines = lines
        self.earlier = earlier
        self.epochs = epochs
        self.feature_name = feature_name
        self.target_name = target_name

    @classmethod
    def from_estimator(
        cls,
        estimator: OneOrMore[Any],
        X: MatrixLike,
        y: ArrayLike,
        *,
        trajectory: TrajectoryRecorder | None = None,
        feature_name: str | None = None,
        target_name: str | None = None,
        names: Sequence[str] | None = None,
        output: int = 0,
        ax: Axes | None = None,
        scatter_kwargs: Keywords = None,
        line_kwargs: Keywords = None,
    ) -> Self:
        """The line of a fitted model (or lines of several) through the data.

        Parameters
        ----------
        estimator : estimator, list of them, or dict of name -> estimator
            Fitted SGDLinearRegressors, or pipelines that end with one.
        X : {array-like, sparse matrix} of shape (n_samples, 1)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        trajectory : TrajectoryRecorder, default=None
            The path of the fit: its epochs 0, 1, 2, 4, 8, … are drawn (all, if few).
        feature_name, target_name : str, default=None
            Labels of the axes; None: the names in X and y, or x and y.
        names : list of str, default=None
            Names of several models; None: their losses.
        output : int, default=0
            Which output, where y has several.
        ax, scatter_kwargs, line_kwargs
            As in `plot`.

        Returns
        -------
        FitDisplay

        Raises
        ------
        ValueError
            Where X has more than one feature.
        """
        models = by_name(estimator, names, lambda e: repr(unwrapped(e, cls)[1].plan_.loss))
        x, feature = _column(X)
        targets = np.asarray(y).reshape(len(x), -1)[:, output]
        grid = np.linspace(x.min(), x.max(), POINTS)
        frame = type(X)({X.columns[0]: grid}) if hasattr(X, "columns") else grid[:, None]
        lines = {
            name: model.predict(frame).reshape(POINTS, -1)[:, output]
            for name, model in models.items()
        }
        earlier = epochs = None
        if trajectory is not None:
            if len(models) > 1:
                raise ValueError("A trajectory belongs to one model: draw only that model.")
            before, model = unwrapped(*models.values(), cls)
            design = frame if before is None else before.transform(frame)
            epochs, coefs, intercepts = path_of(trajectory, model, output)
            shown = geometrically(len(epochs))  # a fit moves fast at first
            earlier = coefs[shown[:-1]] @ _dense(design).T + intercepts[shown[:-1], None]
            epochs = epochs[shown]
        display = cls(
            x,
            targets,
            grid,
            lines,
            earlier=earlier,
            epochs=epochs,
            feature_name=feature_name or feature,
            target_name=target_name or getattr(y, "name", None) or "y",
        )
        return display.plot(ax, scatter_kwargs=scatter_kwargs, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        scatter_kwargs: Keywords = None,
        line_kwargs: Keywords = None,
    ) -> Self:
        """Draw data and lines.

        Where there are more than 2000 rows, only an evenly spaced subset is drawn. Lines of
        earlier epochs may extend beyond the axes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: the axes of a new figure.
        scatter_kwargs : dict, default=None
            Passed to ``ax.scatter`` for the data.
        line_kwargs : dict, default=None
            Passed to ``ax.plot`` for the fitted lines.

        Returns
        -------
        self : FitDisplay
        """
        self.ax_ = ax = axes(ax, self)
        self.figure_ = ax.figure
        thin = slice(None, None, -(-len(self.x) // ROWS))
        x, y = self.x[thin], self.y[thin]
        faint = {"color": ink(ax), "s": 14, "linewidths": 0}
        faint["alpha"] = float(np.clip(OPACITY / np.sqrt(len(x)), FAINTEST, DENSEST))
        self.scatter_ = ax.scatter(x, y, **faint | (scatter_kwargs or {}))
        self.lines_, self.earlier_ = [], []
        for number, (name, line) in enumerate(self.lines.items()):
            look = {"label": name, "linewidth": 2.5} | style(number)
            self.lines_ += ax.plot(self.grid, line, **look | (line_kwargs or {}))
        if self.earlier is not None:
            self._draw_earlier(*ax.get_ylim())
        ax.set(xlabel=self.feature_name, ylabel=self.target_name)
        if len(self.lines_) > 1 or self.earlier_:
            ax.legend()
        return self

    def _draw_earlier(self, low, high):
        """Draw the lines of earlier epochs, earlier ones fainter.

        They widen the axes, on each side by at most the height of the data.
        """
        (line,), (*before, last) = self.lines_, self.epochs
        line.set_label(f"epoch {last}")
        alphas = np.linspace(EARLIEST, LATEST, len(before))
        for alpha, earlier in zip(alphas, self.earlier, strict=True):
            look = {"color": line.get_color(), "linestyle": "-", "alpha": alpha}
            self.earlier_ += self.ax_.plot(self.grid, earlier, lw=1.0, zorder=1.8, **look)
        if before:
            some = before if len(before) < MANY else [*before[:NAMED], "…", before[-1]]
            self.earlier_[-1].set_label("epochs " + ", ".join(map(str, some)))
            ends = self.earlier.min() - ROOM * (high - low), self.earlier.max()
            low, high = (
                max(min(low, ends[0]), 2 * low - high),
                min(max(high, ends[1]), 2 * high - low),
            )
        self.ax_.set_ylim(low, high)


def _column(X):
    """The only feature of X, shape (n,), and its name."""
    shape = np.shape(X)
    if len(shape) != 2 or shape[1] != 1:
        raise ValueError(
            f"FitDisplay draws y against one feature, but X has shape {shape}. Fit one "
            "column, or draw two coefficients with LossSurfaceDisplay."
        )
    name = str(X.columns[0]) if hasattr(X, "columns") else "x"
    return np.asarray(_dense(X), dtype=np.float64)[:, 0], name


def _dense(X):
    return trusted(X).toarray() if sparse.issparse(X) else np.asarray(X)
