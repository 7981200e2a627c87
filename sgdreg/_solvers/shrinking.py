"""Steps for losses with kinks: halved whenever epochs no longer lower the objective.

Steps of constant length end in noise of about that length, which shifts predictions to the
side of the smaller slope. Steps have to become short beside the residuals, whose final size
is not known before.
"""

import numpy as np

from sgdreg._persistence.soundness import check, like, number, parts_of, whole
from sgdreg._training.stopping import ROUNDING

# An epoch makes progress if it lowers an objective by this share of it; where the loss is
# smooth, and noise is all that stops the steps, by more than rounding.
PROGRESS = 1e-5
# Steps are halved after this many epochs without progress, and at least this many steps: 37
# problems (quantiles from 0.05 to 0.99, 3 to 100 features) then ended within 0.7 % of the
# optimum; with one epoch, within 2.2 %.
EPOCHS_A_LENGTH, STEPS_A_LENGTH = 3, 12
# The first steps may be too long by the inverse of this: a fit ends only with shorter ones.
SHORT_ENOUGH = 2.0**-10


class Shrinking:
    """The best model so far, from which shorter steps begin.

    The outputs are independent problems: each has its own best model.

    Parameters
    ----------
    plan : Plan
    data : Data
    steps : int
        In an epoch.

    Attributes
    ----------
    lowest : ndarray of shape (k,)
        The least objectives so far.
    losses : ndarray of shape (k,)
        The losses there, without the penalty.
    weights : ndarray of shape (k, d + 1)
        Where they are.
    stalled : int
        Epochs without progress.
    longest : float
        The largest factor of the steps with which a fit may end.
    """

    def __init__(self, plan, data, steps):
        self.kinked = plan.kinked
        # The mean of all steps so far goes on improving long after the steps do not.
        lags = plan.average not in (None, "tail")
        least = PROGRESS if plan.kinked or lags else ROUNDING
        self.progress = max(plan.tol or 0.0, least)
        self.epochs = max(EPOCHS_A_LENGTH, -(-STEPS_A_LENGTH // steps))
        # The first steps fit the output with the largest losses, and are too long for
        # others.
        sizes = data.constant_losses[data.constant_losses > 0]
        self.share = float(sizes.min() / sizes.max()) if len(sizes) else 1.0
        self.longest = 0.0
        self.shape = k, _ = data.n_outputs, data.n_features + 1
        self.lowest, self.losses = np.full(k, np.inf), np.full(k, np.inf)
        self.weights, self.stalled = None, 0

    def begin(self, state, point, objectives, constant):
        """Note the start; steps from near the optimum are short from the beginning."""
        self._note(point, objectives)
        loss, constant = float(point.losses.sum()), float(constant.sum())
        nearer = self.kinked and 0 < loss < constant
        state.factor = loss / constant if nearer else 1.0
        short = SHORT_ENOUGH * self.share if self.kinked else 1.0
        self.longest = short * state.factor

    def observe(self, state, point, objectives):
        """Note an epoch's model; halve the steps where they make no progress."""
        self.stalled = 0 if self._note(point, objectives) else self.stalled + 1
        if self.stalled and self.stalled % self.epochs == 0:
            state.factor *= 0.5
            state.begin_anew(self.weights)

    def settled(self, state, halvings):
        """Whether this number of halvings has brought no progress."""
        short = state.factor <= self.longest
        return short and self.stalled >= self.epochs * halvings

    def memory(self):
        """See `FullGradient.memory`."""
        names = ("lowest", "losses", "weights", "stalled", "longest")
        return {name: getattr(self, name) for name in names}

    def recall(self, memory):
        """See `FullGradient.recall`."""
        kinds = {"lowest": like(self.lowest), "losses": like(self.losses)}
        kinds |= {"weights": like(np.empty(self.shape)), "stalled": whole}
        check({"shrinking": memory}, {"shrinking": parts_of(kinds | {"longest": number})})
        vars(self).update(memory)

    def _note(self, point, objectives):
        """Keep the better model of each output; returns whether there was progress."""
        with np.errstate(invalid="ignore"):  # inf - inf
            enough = objectives < self.lowest * (1.0 - self.progress)
        better = objectives < self.lowest
        if self.weights is None:
            better[:] = True
            self.weights = point.weights
        self.lowest = np.where(better, objectives, self.lowest)
        self.losses = np.where(better, point.losses, self.losses)
        self.weights = np.where(better[:, None], point.weights, self.weights)
        return bool(enough.any())
