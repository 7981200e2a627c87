"""How fits converged: objective, gap, score or learning rate, by epochs or passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgdreg.display._drawing import FEW, axes, by_name, ink, one_of, spans, style, unwrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from matplotlib.axes import Axes

    from sgdreg._typing import Array, Keywords, OneOrMore

LABELS = {
    "objective": "objective F",
    "optimality_gap": "optimality gap",
    "validation_score": "validation R²",
    "learning_rate": "learning rate η",
}
ACROSS = {"epoch": "epoch", "passes": "passes over the rows"}
# The end of the error sentence for a model whose history lacks this quantity.
REMEDIES = {
    "optimality_gap": "which needs the curvature of F: fit with optimizer='auto' or 'cg', "
    "or with a metric='sketch', or draw y='objective'",
    "validation_score": "which need held-out rows: fit with X_val and y_val, or with "
    "early_stopping=True",
}
# The gap is a share of F: below this it is only a rounding error.
ROUNDING = np.finfo(np.float64).eps
# Curves that span more than this factor are drawn on a log axis.
WIDE = {"objective": 10.0, "learning_rate": 100.0}
# The edges of a log axis: this factor below the least number shown, and above the largest,
# leaves room for the triangles at them.
BELOW, ABOVE = 0.1, 3.0


class ConvergenceDisplay:
    """Curves of the quantities in `history_`, one point per epoch.

    Parameters
    ----------
    curves : dict of str -> ndarray of shape (n_epochs, 2)
        Name of a model -> pairs of x and y.
    y : {'objective', 'optimality_gap', 'validation_score', 'learning_rate'}
        The quantity of the curves.
    x : {'epoch', 'passes'}, default='epoch'
    returned : dict of str -> int, default=None
        Name -> position of the epoch whose model was returned, where epochs were
        compared (`best_iteration_`).
    least : float, default=None
        The least value of F; the curves are the objective minus this.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One per model.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : The same by the number of rows.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from sklearn.datasets import load_diabetes
    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.display import ConvergenceDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> models = [
    ...     SGDLinearRegressor(optimizer=rule, tol=None, max_iter=20).fit(X, y)
    ...     for rule in ("sgd", "nesterov")
    ... ]
    >>> display = ConvergenceDisplay.from_estimator(models, ax=Figure().subplots())
    >>> [line.get_label() for line in display.lines_]
    ['SGD()', 'Nesterov()']
    >>> bool((display.lines_[0].get_ydata() == models[0].loss_curve_).all())
    True
    """

    def __init__(
        self,
        curves: Mapping[str, Array],
        *,
        y: str,
        x: str = "epoch",
        returned: Mapping[str, Any] | None = None,
        least: float | None = None,
    ) -> None:
        self.curves = curves
        self.y = y
        self.x = x
        self.returned = returned
        self.least = least

    @classmethod
    def from_estimator(
        cls,
        estimators: OneOrMore[Any],
        *,
        y: str = "objective",
        x: str = "epoch",
        names: Sequence[str] | None = None,
        least: float | None = None,
        ax: Axes | None = None,
        scale: str = "auto",
        line_kwargs: Keywords = None,
    ) -> Self:
        """Curves of fitted models.

        Parameters
        ----------
        estimators : estimator, list of them, or dict of name -> estimator
            Fitted SGDLinearRegressors, or pipelines that end with one.
        y : {'objective', 'optimality_gap', 'validation_score', 'learning_rate'}, \
                default='objective'
        x : {'epoch', 'passes'}, default='epoch'
            The passes include those for the plan.
        names : list of str, default=None
            Names of the curves; None: the optimizers of the models.
        least : float, default=None
            With y='objective': the least value of F, if it is known. The curves then show
            the objective minus this value.
        ax, scale, line_kwargs
            As in `plot`.

        Returns
        -------
        ConvergenceDisplay

        Raises
        ------
        ValueError
            Where the history of a model lacks this quantity.
        """
        one_of(y, "y", LABELS)
        one_of(x, "x", ACROSS)
        if least is not None and y != "objective":
            raise ValueError("least is for y='objective' only: leave it out.")
        models = by_name(
            estimators, names, lambda e: repr(unwrapped(e, cls)[1].plan_.optimizer)
        )
        curves, returned = {}, {}
        for name, estimator in models.items():
            model = unwrapped(estimator, cls)[1]
            entries = [entry for entry in model.history_ if y in entry]
            if not entries:
                raise ValueError(
                    f"{name} has no {y.replace('_', ' ')}{'s' * y.endswith('score')}, "
                    f"{REMEDIES[y]}."
                )
            curves[name] = np.array([(entry[x], entry[y]) for entry in entries], float)
            epochs = [entry["epoch"] for entry in entries]
            if model.best_iteration_ in epochs:
                returned[name] = epochs.index(model.best_iteration_)
        display = cls(curves, y=y, x=x, returned=returned, least=least)
        return display.plot(ax, scale=scale, line_kwargs=line_kwargs)

    def plot(
        self, ax: Axes | None = None, *, scale: str = "auto", line_kwargs: Keywords = None
    ) -> Self:
        """Draw the curves.

        A ring marks the epoch whose model was returned. A log axis cannot show all
        numbers; triangles at its edges stand for the others: at the bottom a gap that is
        zero or below rounding, at the top one that is not known yet (infinite).

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: the axes of a new figure.
        scale : {'auto', 'linear', 'log'}, default='auto'
            Scale of the y axis. 'auto': log for the gap, and for the objective with
            `least`; otherwise log where the objective spans more than a factor of 10, or
            the learning rate more than 100.
        line_kwargs : dict, default=None
            Passed to ``ax.plot`` for every curve.

        Returns
        -------
        self : ConvergenceDisplay
        """
        one_of(scale, "scale", ("auto", "linear", "log"))
        self.ax_ = ax = axes(ax, self)
        self.figure_ = ax.figure
        heights = [curve[:, 1] - (self.least or 0.0) for curve in self.curves.values()]
        log = scale == "log" or (scale == "auto" and self._log(np.concatenate(heights)))
        low, high = self._edges(np.concatenate(heights)) if log else (-np.inf, np.inf)
        self.lines_ = []
        for number, ((name, curve), height) in enumerate(
            zip(self.curves.items(), heights, strict=True)
        ):
            across, shown = curve[:, 0], np.clip(height, low, high)
            marks = {"marker": "o", "markersize": 4} if len(across) <= FEW else {}
            self.lines_ += ax.plot(
                across,
                shown,
                **{"label": name} | style(number) | marks | (line_kwargs or {}),
            )
            ring = {"color": self.lines_[-1].get_color(), "mfc": "none", "ms": 9, "ls": ""}
            ax.plot(across[height < low], shown[height < low], marker="v", **ring)
            ax.plot(across[height > high], shown[height > high], marker="^", **ring)
            if name in (self.returned or {}):
                at = self.returned[name]
                ax.plot(across[at], shown[at], marker="o", **ring)
        self._describe(log, np.concatenate(heights), low, high)
        return self

    def _log(self, heights):
        """Whether the y axis is logarithmic with scale='auto'."""
        gap = self.y == "optimality_gap" or self.least is not None
        return gap or (self.y in WIDE and spans(heights, WIDE[self.y]))

    def _edges(self, heights):
        """The least and the largest number that a log axis shows as they are."""
        gap = self.y == "optimality_gap"
        rounding = ROUNDING * (1.0 if gap else abs(self.least or 0.0))
        shown = heights[(heights > rounding) & np.isfinite(heights)]
        low = rounding if gap else BELOW * shown.min(initial=1.0)
        return low, ABOVE * shown.max(initial=low)

    def _describe(self, log, heights, low, high):
        """Set labels and scales and, where there are several curves or marks, a legend."""
        ax = self.ax_
        above = "" if self.least is None else f" above {self.least:.6g}"
        ax.set(xlabel=ACROSS[self.x], ylabel=LABELS[self.y] + above)
        if log:
            ax.set_yscale("log")
        ax.xaxis.get_major_locator().set_params(integer=True)
        marks = {"ls": "", "color": ink(ax), "mfc": "none", "ms": 9}
        if self.returned:
            ax.plot([], [], marker="o", label="epoch returned", **marks)
        if (heights < low).any():
            gap = self.y == "optimality_gap"
            zero = f"zero but for rounding ({low:.0e})" if gap else "zero or below"
            ax.plot([], [], marker="v", label=zero, **marks)
        if (heights > high).any():
            ax.plot([], [], marker="^", label="not known yet", **marks)
        handles, _ = ax.get_legend_handles_labels()
        if len(handles) > 1:
            ax.legend()
