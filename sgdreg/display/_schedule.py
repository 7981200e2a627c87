"""Learning rates by the step number."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from sgdreg.display._drawing import axes, by_name, spans, style, unwrapped
from sgdreg.schedules import get_schedule, step_sizes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from matplotlib.axes import Axes

    from sgdreg._typing import Array, Keywords, OneOrMore, Schedule

# Most points of a curve: more than the pixels of a picture's width.
POINTS = 2000
# Curves that span more than this factor are drawn on a log axis.
WIDE = 100.0
# The defaults of SGDLinearRegressor, for schedules that are given by name.
DEFAULTS = {"eta0": 0.01, "power_t": 0.25, "alpha": 1e-4}


class ScheduleDisplay:
    """Curves of eta(t), the learning rate by the step number t = 1, 2, ….

    Parameters
    ----------
    curves : dict of str -> ndarray of shape (n_points, 2)
        Name of a schedule -> pairs of t and eta(t).

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One per schedule.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from sgdreg.display import ScheduleDisplay
    >>> from sgdreg.schedules import Cosine, StepDecay
    >>> display = ScheduleDisplay.from_schedule(
    ...     {"cosine": Cosine(0.1, steps=100), "steps": StepDecay(0.1, every=25)},
    ...     n_steps=100,
    ...     ax=Figure().subplots(),
    ... )
    >>> display.curves["steps"][[0, 24, 25], 1].tolist()
    [0.1, 0.1, 0.05]
    """

    def __init__(self, curves: Mapping[str, Array]) -> None:
        self.curves = curves

    @classmethod
    def from_schedule(
        cls,
        schedules: OneOrMore[float | Schedule],
        *,
        n_steps: int,
        names: Sequence[str] | None = None,
        ax: Axes | None = None,
        line_kwargs: Keywords = None,
    ) -> Self:
        """Curves of schedules.

        Parameters
        ----------
        schedules : schedule, list of them, or dict of name -> schedule
            As in `learning_rate`: an object of :mod:`sgdreg.schedules`, a number, or a
            callable t -> eta.
        n_steps : int >= 1
            The curves show the steps 1 … n_steps; an epoch has ceil(n / batch_size) steps.
        names : list of str, default=None
            None: the name of a function, the repr of an object.
        ax, line_kwargs
            As in `plot`.

        Returns
        -------
        ScheduleDisplay
        """
        if not isinstance(n_steps, Integral) or n_steps < 1:
            raise ValueError(f"n_steps must be an integer of at least 1, got {n_steps!r}.")
        laws = by_name(schedules, names, lambda law: getattr(law, "__name__", repr(law)))
        curves = {name: _curve(_law(law), n_steps) for name, law in laws.items()}
        return cls(curves).plot(ax, line_kwargs=line_kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimators: OneOrMore[Any],
        *,
        names: Sequence[str] | None = None,
        ax: Axes | None = None,
        line_kwargs: Keywords = None,
    ) -> Self:
        """Curves of the learning rates that fitted models have used.

        The schedule's rates for all steps taken. Where a line search has found the steps,
        or stalls have shortened them ('adaptive'), the rates in `history_` instead: of the
        last step of each epoch.

        Parameters
        ----------
        estimators : estimator, list of them, or dict of name -> estimator
            Fitted SGDLinearRegressors, or pipelines that end with one.
        names : list of str, default=None
            None: their schedules.
        ax, line_kwargs
            As in `plot`.

        Returns
        -------
        ScheduleDisplay
        """
        models = by_name(estimators, names, lambda e: _described(unwrapped(e, cls)[1]))
        curves = {name: _used(unwrapped(model, cls)[1]) for name, model in models.items()}
        return cls(curves).plot(ax, line_kwargs=line_kwargs)

    def plot(self, ax: Axes | None = None, *, line_kwargs: Keywords = None) -> Self:
        """Draw the curves.

        The axis is logarithmic where they span more than a factor of 100, without their
        smallest tenth (a cosine ends at zero).

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: the axes of a new figure.
        line_kwargs : dict, default=None
            Passed to ``ax.plot`` for every curve.

        Returns
        -------
        self : ScheduleDisplay
        """
        self.ax_ = ax = axes(ax, self)
        self.figure_ = ax.figure
        self.lines_ = []
        for number, (name, curve) in enumerate(self.curves.items()):
            mark = {"marker": "o"} if len(curve) == 1 else {}
            look = {"label": name} | style(number) | mark | (line_kwargs or {})
            self.lines_ += ax.plot(*curve.T, **look)
        etas = np.concatenate([curve[:, 1] for curve in self.curves.values()])
        if spans(etas, WIDE):
            ax.set_yscale("log")
        else:
            ax.set_ylim(bottom=0.0)
        ax.set(xlabel="step t", ylabel="learning rate η(t)")
        ax.xaxis.get_major_locator().set_params(integer=True)
        if len(self.lines_) > 1:
            ax.legend()
        return self


def _law(schedule):
    """The schedule of a value of `learning_rate`."""
    law = get_schedule(schedule, **DEFAULTS)
    if not callable(law):
        raise TypeError(
            "A schedule is an object of sgdreg.schedules, a number or a callable t -> eta, "
            f"got {schedule!r}. (For the rates of a fit: ScheduleDisplay.from_estimator.)"
        )
    return law


def _curve(law, n_steps):
    """Pairs of t and eta(t) for the steps 1 … n_steps, for at most POINTS of them."""
    t = np.unique(np.linspace(1, n_steps, min(n_steps, POINTS)).round())
    return np.column_stack([t, step_sizes(law, t)])


def _used(model):
    """Pairs of t and eta(t) of the steps that a fitted model has taken."""
    law, last = model.plan_.schedule, model.history_[-1]["learning_rate"]
    if law is not None and np.isclose(step_sizes(law, np.array([float(model.t_)])), last):
        return _curve(law, model.t_)
    etas = [entry["learning_rate"] for entry in model.history_]
    ends = np.linspace(0, model.t_, len(etas) + 1).round()
    steps = np.column_stack([ends[:-1] + 1, ends[1:]])  # first and last of each epoch
    return np.unique(np.column_stack([steps.ravel(), np.repeat(etas, 2)]), axis=0)


def _described(model):
    """A short name for the schedule of a fitted model."""
    law = model.plan_.schedule
    return f"{model.plan_.optimizer!r}, by line search" if law is None else repr(law)
