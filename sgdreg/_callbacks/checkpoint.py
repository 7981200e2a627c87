"""The callback that writes checkpoints.

The files have the skops format, which holds no code, and contain plain values only.
"""

from __future__ import annotations

import os
from numbers import Integral
from typing import TYPE_CHECKING

from sgdreg._persistence.files import skops_io, write

if TYPE_CHECKING:
    from sgdreg._typing import Path


class Checkpoint:
    """Writes a fit to a file while it runs; :meth:`SGDLinearRegressor.resume` continues it.

    A callback for ``set_callbacks``. The file is always replaced as a whole: if the process
    is killed, the file is the latest checkpoint or the one before it. (A process that is
    killed during a write may leave a file ``*.tmp`` beside it.) It needs `skops
    <https://skops.readthedocs.io>`_, whose format holds no code.

    Parameters
    ----------
    path : str or path-like
        The file. One fit at a time may write to it.
    every : int >= 1, default=1
        Epochs between two checkpoints; the end of the fit is written too.

    Examples
    --------
    >>> import os, tempfile
    >>> from sgdreg import Checkpoint, SGDLinearRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = SGDLinearRegressor(optimizer="svrg", tol=None, max_iter=4, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "fit.skops")
    ...     model = model.set_callbacks(Checkpoint(path)).fit(X, y)
    ...     longer = SGDLinearRegressor.resume(path, X, y, max_iter=6)
    >>> model.set_callbacks().set_params(max_iter=6).fit(X, y).n_iter_, longer.n_iter_
    (6, 6)
    >>> bool((model.coef_ == longer.coef_).all())
    True
    """

    def __init__(self, path: Path, every: int = 1) -> None:
        if not os.fsdecode(path):
            raise ValueError("path is empty: give the file that checkpoints go to.")
        if not isinstance(every, Integral) or every < 1:
            raise ValueError(f"every must be an integer of at least 1, got {every!r}.")
        self.path = path
        self.every = every

    def setup(self, estimator, context):
        """Raise before the fit where writing would fail after the first epoch."""
        skops_io()
        if not hasattr(type(estimator), "resume"):
            raise TypeError(
                f"A Checkpoint cannot be written of {type(estimator).__name__}: set it on "
                "the SGDLinearRegressor itself."
            )
        path = os.path.realpath(self.path)
        folder = os.path.dirname(path)
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                f"There is no folder {folder} to write a checkpoint to."
            )
        if os.path.isdir(path):
            raise IsADirectoryError(f"{path} is a folder: name a file in it.")
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"The folder {folder} of the checkpoint is read-only.")

    def teardown(self, estimator, context):
        """Do nothing: no file is left open."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing: an epoch is written when it ends."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        """Write the state of the fit after this epoch."""
        due = fitted_estimator.n_iter_ % self.every == 0
        if due == (context.task_name == "epoch"):  # or the last epoch was not due
            write(fitted_estimator.checkpoint_, self.path)
