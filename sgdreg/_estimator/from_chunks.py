"""A fit to rows that are read chunk by chunk: epochs of `partial_fit`."""

from time import perf_counter

import numpy as np

from sgdreg._plan.choose import is_hands_free
from sgdreg._training.stopping import STOP, Never, Plateau
from sgdreg.optimizers import OPTIMIZERS


class FromChunks:
    """Epochs over chunks, until the objective's mean over an epoch is on a plateau.

    Where optimizer and step are left to "auto", one epoch is enough: the model of a stream
    is then the optimum of all rows so far, or close to it.

    Parameters
    ----------
    estimator : SGDLinearRegressor
        Not fitted yet.
    chunks : Chunks

    Attributes
    ----------
    epochs : int
    best, stale : float, int
        Best objective, and epochs without improvement, as in `State`.
    history : list of dict
        One entry an epoch.
    """

    def __init__(self, estimator, chunks):
        self.estimator, self.chunks = estimator, chunks
        self.epochs, self.best, self.stale, self.history = 0, np.inf, 0, []
        self.began = perf_counter()

    @property
    def once(self):
        """Whether each row is used only once: `Plan.hands_free`, known before any row."""
        return is_hands_free(self.estimator)

    def fit(self):
        """Train; returns (converged, reason), the reason None where `max_iter` ended it."""
        if self.once:
            return self._one_pass()
        rule = self._rule()
        for _ in range(self.estimator.max_iter if self.chunks.again else 1):
            if rule.observe(self, self._epoch()) == STOP:
                return rule.converged(self), rule.reason(self)
        return False, None

    def _one_pass(self):
        self._epoch()
        model = self.estimator
        exact = model.plan_.recursive and model.loss == "squared_error"
        verb = "is" if exact else "approximates"
        return exact, (
            f"Every row was used once; the answer {verb} the optimum of all rows."
        )

    def _rule(self):
        model = self.estimator
        if model.tol is None:
            return Never()
        return Plateau(model.tol, model.n_iter_no_change, schedule=None)

    def _epoch(self):
        """Call `partial_fit` on every chunk; returns the epoch's entry in the history."""
        model, losses, learned = self.estimator, 0.0, 0
        with self.chunks.reading() as chunks:
            for X, y, weights in chunks:
                model.partial_fit(X, y, weights)
                losses += X.shape[0] * model.history_[-1]["objective"]
                learned += X.shape[0]
        self.epochs += 1
        entry = {
            "epoch": self.epochs,
            "passes": float(self.epochs),
            "seconds": perf_counter() - self.began,
            "objective": losses / learned,
            "learning_rate": model.history_[-1]["learning_rate"],
        }
        self.history.append(entry)
        return entry


def takes_all_rows(optimizer):
    """Whether the optimizer of this name needs the gradient of all rows at once."""
    rule = OPTIMIZERS.get(optimizer)  # "auto" is not among them
    return rule is not None and rule.serves.certifies
