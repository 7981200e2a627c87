"""The objective as a function of two coefficients, and the paths of fits on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgdreg.display._drawing import (
    axes,
    by_name,
    geometrically,
    one_of,
    path_of,
    style,
    unwrapped,
)
from sgdreg.display._features import names_of, numbers_of
from sgdreg.display._plane import Plane
from sgdreg.display._window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from matplotlib.axes import Axes

    from sgdreg._callbacks.trajectory import TrajectoryRecorder
    from sgdreg._typing import Array, ArrayLike, Keywords, MatrixLike, OneOrMore

KINDS, COORDINATES = ("contour", "3d"), ("raw", "preconditioned")
# Colour of contours and mesh, which shows on the shades of `_pale`.
LINES = "#7a8794"
# Points of the grid in each direction: FINE where F has a closed form, else COARSE.
FINE, COARSE = 250, 100
# A path is cut where it is further outside than this multiple of the picture's width; in
# three dimensions matplotlib does not clip it at the axes.
BEYOND_2D, BEYOND_3D = 10.0, 0.01
# The darkest shade of the surface: this share of the way through the colour map.
DARKEST = 0.5


class LossSurfaceDisplay:
    """The loss surface: F over two coefficients, the others as fitted, with paths of fits.

        F(v) = 1/S · Σ s_i L(y_i, p_i + c_i·(v - v_fitted)) + alpha · R(w)

    v are the two coefficients, c_i the values of their columns in row i (1 for the
    intercept), p_i the prediction of the fitted model.

    Parameters
    ----------
    xx0, xx1 : ndarray of shape (n, n)
        The grid, as ``np.meshgrid`` makes it.
    objective : ndarray of shape (n, n)
        F on the grid.
    optimum : ndarray of shape (3,)
        The coordinates of the minimum of F, and F there.
    levels : ndarray of shape (n_levels,)
        Levels of the contours, as heights above the minimum.
    paths : dict of str -> ndarray of shape (n_epochs, 3)
        Name -> the two coordinates after each epoch, and F there.
    xlabel, ylabel : str
    round : bool, default=False
        Whether both coordinates have the same unit, so that the axes get the same scale.
    title : str, default=None

    Attributes
    ----------
    surface_ : matplotlib QuadContourSet or Poly3DCollection
    lines_ : list of matplotlib Line2D
        One per path.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Notes
    -----
    Where a model has more than two coefficients, the surface is a slice through the fitted
    model, and paths are projected onto it. For the squared error F has a closed form, for
    any number of rows; for other losses F is summed over at most 10,000 rows, drawn at
    random (the title then says so).

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from sgdreg import SGDLinearRegressor, TrajectoryRecorder
    >>> from sgdreg.display import LossSurfaceDisplay
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([3.0, 5.0, 7.0, 9.0])
    >>> path = TrajectoryRecorder()
    >>> model = SGDLinearRegressor(learning_rate=0.1, batch_size="full", max_iter=50)
    >>> model = model.set_params(tol=None).set_callbacks(path).fit(X, y)
    >>> display = LossSurfaceDisplay.from_estimator(
    ...     model, X, y, trajectory=path, ax=Figure().subplots()
    ... )
    >>> (display.optimum + 0.0).round(6).tolist()  # intercept, coefficient, F
    [1.0, 2.0, 0.0]
    """

    def __init__(
        self,
        xx0: Array,
        xx1: Array,
        objective: Array,
        *,
        optimum: Array,
        levels: Array,
        paths: Mapping[str, Array],
        xlabel: str,
        ylabel: str,
        round: bool = False,
        title: str | None = None,
    ) -> None:
        self.xx0 = xx0
        self.xx1 = xx1
        self.objective = objective
        self.optimum = optimum
        self.levels = levels
        self.paths = paths
        self.xlabel = xlabel
        self.ylabel = ylabel
        self.round = round
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: MatrixLike,
        y: ArrayLike,
        *,
        features: tuple[int | str, int | str] = ("intercept", 0),
        trajectory: OneOrMore[TrajectoryRecorder] | None = None,
        sample_weight: ArrayLike | None = None,
        output: int = 0,
        kind: str = "contour",
        coordinates: str = "raw",
        limits: Sequence[tuple[float, float]] | None = None,
        grid_resolution: int | None = None,
        ax: Axes | None = None,
        surface_kwargs: Keywords = None,
        line_kwargs: Keywords = None,
    ) -> Self:
        """The loss surface of a fitted model.

        Parameters
        ----------
        estimator : estimator
            A fitted SGDLinearRegressor, or a pipeline that ends with one (the features
            are then the inputs of its last step).
        X, y, sample_weight
            The data that it was fitted to.
        features : pair of int, str or 'intercept', default=('intercept', 0)
            The coefficients of the x axis and the y axis: columns by number or name.
        trajectory : TrajectoryRecorder, list of them, or dict of name -> one, default=None
            Paths to draw: of this model, or of others with the same features.
        output : int, default=0
            Which output, where y has several.
        kind : {'contour', '3d'}, default='contour'
        coordinates : {'raw', 'preconditioned'}, default='raw'
            'preconditioned': u = R (v - v*) with RᵀR the curvature of the rows (and the
            penalty) over the two coefficients, R upper triangular. In these coordinates
            the contours of the squared error are circles, and the steps in a full metric
            are straight. With the intercept first, u₁ is the prediction at the mean of the
            feature, and u₂ the coefficient of the feature scaled to unit variance, both
            minus their values at the optimum.
        limits : ((float, float), (float, float)), default=None
            Ranges of the axes; None: around the optimum, wide enough for the paths.
        grid_resolution : int, default=None
            Points of the grid in each direction; None: 250, or 100 where F is summed row
            by row.
        ax, surface_kwargs, line_kwargs
            As in `plot`.

        Returns
        -------
        LossSurfaceDisplay

        Raises
        ------
        ValueError
            For columns that do not exist, and, with 'preconditioned', for two columns
            that are multiples of each other.
        """
        one_of(kind, "kind", KINDS)
        one_of(coordinates, "coordinates", COORDINATES)
        before, model = unwrapped(estimator, cls)
        names = names_of(before, model)
        chosen = numbers_of(features, names, model)
        X = X if before is None else before.transform(X)
        plane = Plane(model, X, y, sample_weight, chosen, output)
        if plane.singular and coordinates == "preconditioned":
            raise ValueError(
                f"F has a flat direction over {names[chosen[0]]} and {names[chosen[1]]}: "
                "one can replace the other, and no coordinates make its contours circles. "
                "Choose other features, or coordinates='raw'."
            )
        window = Window(plane, coordinates == "preconditioned", limits)
        recorders = by_name([] if trajectory is None else trajectory, None, _path)
        paths = {}
        for name, recorder in recorders.items():
            _, coefs, intercepts = path_of(recorder, model, output)
            paths[name] = window.drawn(np.column_stack([coefs, intercepts])[:, chosen])
        if limits is None:
            window = window.about(paths.values())
        size = grid_resolution or (FINE if plane.closed_form else COARSE)
        xx0, xx1, F = window.grid(size)
        labels = [names[at] for at in chosen]
        some, rows = plane.rows, plane.n_rows
        display = cls(
            xx0,
            xx1,
            F,
            optimum=window.drawn(plane.optimum[None])[0],
            levels=window.levels(size, F),
            paths=paths,
            xlabel="u₁ (preconditioned)" if window.round else labels[0],
            ylabel="u₂ (preconditioned)" if window.round else labels[1],
            round=window.round,
            title=f"F over {some:,} of {rows:,} rows" if some < rows else None,
        )
        return display.plot(
            ax, kind=kind, surface_kwargs=surface_kwargs, line_kwargs=line_kwargs
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        kind: str = "contour",
        surface_kwargs: Keywords = None,
        line_kwargs: Keywords = None,
    ) -> Self:
        """Draw surface and paths.

        The heights of the contours above the minimum of F are a geometric sequence, so that
        also a narrow valley shows. A ring is the start of a path, a disc its end, a cross
        the optimum; dots are the epochs 0, 1, 2, 4, 8, … (all if they are few).

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: the axes of a new figure. kind='3d' needs axes of ``projection="3d"``.
        kind : {'contour', '3d'}, default='contour'
        surface_kwargs : dict, default=None
            Passed to ``ax.contourf`` or ``ax.plot_surface``.
        line_kwargs : dict, default=None
            Passed to ``ax.plot`` for every path.

        Returns
        -------
        self : LossSurfaceDisplay
        """
        one_of(kind, "kind", KINDS)
        solid = kind == "3d"
        self.ax_ = ax = axes(ax, self, "3d" if solid else None)
        self.figure_ = ax.figure
        if solid != (ax.name == "3d"):
            raise ValueError(
                f"kind={kind!r} needs axes of "
                f"{'projection=' + repr('3d') if solid else 'two dimensions'}."
            )
        draw = self._draw_solid if solid else self._draw_contours
        draw(surface_kwargs or {})
        self._draw_paths(3 if solid else 2, line_kwargs or {})
        ax.set(xlabel=self.xlabel, ylabel=self.ylabel)
        if self.title:
            ax.set_title(self.title)
        return self

    def _draw_contours(self, wanted):
        ax, least = self.ax_, self.optimum[2]
        heights = np.maximum(self.objective - least, self.levels[0] / 2)
        levels = [self.levels[0] / 2, *self.levels]
        look = {"cmap": _pale(), "norm": "log", "zorder": 0} | wanted
        self.surface_ = ax.contourf(self.xx0, self.xx1, heights, levels, **look)
        ax.contour(self.xx0, self.xx1, heights, levels[1:], colors=LINES, linewidths=0.6)
        ax.set(xlim=self.xx0[0, [0, -1]], ylim=self.xx1[[0, -1], 0])
        if self.round:
            ax.set_aspect("equal")

    def _draw_solid(self, wanted):
        look = {"cmap": _pale(), "rcount": 40, "ccount": 40, "linewidth": 0.3}
        look |= {"edgecolor": LINES, "alpha": 0.9}
        self.surface_ = self.ax_.plot_surface(
            self.xx0, self.xx1, self.objective, **look | wanted
        )
        self.ax_.computed_zorder = False  # paths lie on the surface, not behind it
        self.ax_.set_zlabel("objective F", labelpad=8)

    def _draw_paths(self, dimensions, wanted):
        ax, marks = self.ax_, {"linestyle": "", "marker": "o", "markersize": 7, "zorder": 5}
        self.lines_ = []
        for number, (name, path) in enumerate(self.paths.items(), start=1):
            beyond = BEYOND_3D if dimensions == 3 else BEYOND_2D
            points = self._in_sight(path, beyond)
            points = points[:, :dimensions]
            look = {"label": name, "linewidth": 1.6, "zorder": 4} | style(number)
            look |= {"marker": "o", "markersize": 3.5}
            look["markevery"] = geometrically(len(points)).tolist()
            self.lines_ += ax.plot(*points.T, **look | wanted)
            marks |= {"color": self.lines_[-1].get_color()}
            ax.plot(*points[-1:].T, **marks)
            ax.plot(*points[:1].T, **marks, markerfacecolor="white")
        if self.paths:  # one entry in the legend, after the names of the paths
            hollow = marks | {"color": "grey", "markerfacecolor": "white"}
            ax.plot(*np.empty((dimensions, 0)), **hollow, label="start")
        cross = {"marker": "x", "color": "black", "markersize": 8, "markeredgewidth": 2}
        cross["path_effects"] = _outlined()
        ax.plot(*self.optimum[:dimensions, None], **marks | cross, label="optimum")
        ax.legend(loc="upper left" if dimensions == 3 else "best", frameon=True)

    def _in_sight(self, path, beyond):
        """The path, nan where it is outside by more than `beyond` times the width."""
        low = np.array([self.xx0[0, 0], self.xx1[0, 0]])
        high = np.array([self.xx0[-1, -1], self.xx1[-1, -1]])
        slack = beyond * (high - low)
        inside = ((path[:, :2] >= low - slack) & (path[:, :2] <= high + slack)).all(axis=1)
        return np.where(inside[:, None], path, np.nan)


def _path(_):
    """The name of a path where there is only one."""
    return "path of descent"


def _pale():
    """A colour map, light where F is low and darker where it is high, behind the paths."""
    from matplotlib import colormaps, colors  # noqa: PLC0415 (optional)

    shades = colormaps["Blues"](np.linspace(0.0, DARKEST, 256))
    return colors.ListedColormap(shades)


def _outlined():
    """A white outline, so that black marks show on any background."""
    from matplotlib import patheffects  # noqa: PLC0415 (optional)

    return [patheffects.withStroke(linewidth=4, foreground="white")]
