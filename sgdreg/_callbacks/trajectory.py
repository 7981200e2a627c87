"""The callback that keeps the model of every epoch: the path of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TrajectoryRecorder:
    """Keeps the path of a fit: the coefficients at its start and after each epoch.

        coefs_[i], intercepts_[i] = the model after epochs_[i] epochs

    A callback for ``set_callbacks``, mainly for the displays of :mod:`sgdreg.display`.
    The model of epoch i is the one that ``fit`` returns with ``max_iter=i``: the average
    where steps are averaged, the best so far where epochs are compared
    (`best_iteration_`). The first model is the start of the fit: zeros, `coef_init` and
    `intercept_init`, or the last model with `warm_start`; with the defaults the
    least-squares solution or the constant that ``plan_`` names as the start.

    Parameters
    ----------
    every : int >= 1, default=1
        Epochs between two models that are kept; the last one is kept too. A model is as
        large as `coef_`: for many features and epochs keep fewer.

    Attributes
    ----------
    epochs_ : ndarray of int of shape (n_kept,)
        The first is 0, or with `warm_start` and `resume` the number of earlier epochs.
    coefs_ : ndarray of shape (n_kept, n_features) or (n_kept, n_outputs, n_features)
        With the dtype of `coef_`.
    intercepts_ : ndarray of shape (n_kept,) or (n_kept, n_outputs)

    Notes
    -----
    The attributes are set when a fit ends, also by an error: where steps diverge, the
    path up to that epoch is kept. Epochs that the fit has taken back (because the step
    chosen by "auto" was too long) are left out. `partial_fit` calls no callbacks.

    A recorder holds one path: that of the latest fit that has ended. In a pipeline or a
    search, set it on the SGDLinearRegressor itself: clones share it, and after a search it
    holds the path of the refit on all rows.

    Examples
    --------
    >>> from sgdreg import SGDLinearRegressor, TrajectoryRecorder
    >>> path = TrajectoryRecorder()
    >>> model = SGDLinearRegressor(learning_rate=0.1, batch_size="full", tol=None)
    >>> model = model.set_params(max_iter=3).set_callbacks(path)
    >>> model = model.fit([[-1.0], [1.0]], [-2.0, 2.0])
    >>> path.epochs_.tolist()
    [0, 1, 2, 3]
    >>> path.coefs_[:, 0].round(3).tolist()  # 2 (1 - 0.9^i)
    [0.0, 0.2, 0.38, 0.542]
    """

    epochs_: NDArray[np.int_]
    coefs_: np.ndarray
    intercepts_: np.ndarray

    def __init__(self, every: int = 1) -> None:
        if not isinstance(every, Integral) or every < 1:
            raise ValueError(f"every must be an integer of at least 1, got {every!r}.")
        self.every = every
        self._running = {}  # a path per fit: clones share callbacks, also across threads

    def setup(self, estimator, context):
        """Begin an empty path."""
        if not hasattr(type(estimator), "resume"):
            raise TypeError(
                f"A TrajectoryRecorder cannot record {type(estimator).__name__}: set it "
                "on the SGDLinearRegressor itself (of a pipeline, on its last step)."
            )
        self._running[id(estimator)] = []

    def teardown(self, estimator, context):
        """Set the attributes to the path of the fit that has ended."""
        path = self._running.pop(id(estimator), None)
        if path is None:  # refused by `setup`
            return
        self.epochs_ = np.array([point.epoch for point in path], dtype=int)
        self.coefs_ = np.array([point.coef for point in path])
        self.intercepts_ = np.array([point.intercept for point in path])

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator):
        """Keep the start of the fit."""
        if fitted_estimator is not None:  # None for an epoch
            self._keep(estimator, fitted_estimator)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        """Keep the model after every `every` epochs, and the last one after the fit."""
        if fitted_estimator.n_iter_ % self.every == 0 or context.task_name != "epoch":
            self._keep(estimator, fitted_estimator)

    def _keep(self, estimator, model):
        """Append a model to the path, without the epochs that its fit has taken back."""
        path, history = self._running[id(estimator)], model.history_
        while len(path) > 1 and path[-1].taken_back(history):
            path.pop()
        if not path or path[-1].epoch < model.n_iter_:
            path.append(PathPoint.of(model))

    def __getstate__(self):
        return vars(self) | {"_running": {}}  # running fits are not copied


@dataclass(frozen=True)
class PathPoint:
    """A model on the path.

    Attributes
    ----------
    epoch : int
    coef, intercept : ndarray
        Copies of the model's arrays.
    entry : dict or None
        Its epoch's entry in `history_`.
    """

    epoch: int
    coef: np.ndarray
    intercept: np.ndarray
    entry: dict | None

    @classmethod
    def of(cls, model):
        entry = model.history_[-1] if model.history_ else None
        coef, intercept = np.array(model.coef_), np.array(model.intercept_)
        return cls(model.n_iter_, coef, intercept, entry)

    def taken_back(self, history):
        """Whether the epoch has been run again: its entry is no longer there."""
        at = self.epoch - history[0]["epoch"]
        return at >= len(history) or history[at] is not self.entry
