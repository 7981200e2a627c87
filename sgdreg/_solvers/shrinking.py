"""Steps for losses with kinks: halved whenever epochs no longer lower the objective.

Steps of one length end in a noise of their own size, which moves predictions to the side of
the lesser slope; they have to become short beside the residuals, whose size nobody knows.
"""

import numpy as np

from sgdreg._persistence.soundness import check, like, number, parts_of, whole

# An epoch makes progress that lowers an objective by this share of itself. So many epochs
# without it, and the steps are halved: 37 problems (quantiles from 0.05 to 0.99, 3 to 100
# features) then end within 0.7 % of the optimum; with one epoch, within 2.2 %.
PROGRESS = 1e-5
EPOCHS_A_LENGTH, STEPS_A_LENGTH = 3, 12
# The first steps may be this much too long: the fit does not end before they are shorter.
SHORT_ENOUGH = 2.0**-10


class Shrinking:
    """The best model so far, from which shorter steps begin.

    Each output's problem is its own: so is its best model.

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
        The factor of the steps that the fit may end with.
    """

    def __init__(self, plan, data, steps):
        self.progress = max(plan.tol or 0.0, PROGRESS)
        self.epochs = max(EPOCHS_A_LENGTH, -(-STEPS_A_LENGTH // steps))
        # Steps begin at the size of the largest losses: too long for the others' outputs.
        sizes = data.constant_losses[data.constant_losses > 0]
        self.share = float(sizes.min() / sizes.max()) if len(sizes) else 1.0
        self.longest = 0.0
        self.shape = k, _ = data.n_outputs, data.n_features + 1
        self.lowest, self.losses = np.full(k, np.inf), np.full(k, np.inf)
        self.weights, self.stalled = None, 0

    def begin(self, state, point, objectives, constant):
        """Note the start; steps that begin near the optimum are short at once."""
        self._note(point, objectives)
        loss, constant = float(point.losses.sum()), float(constant.sum())
        state.factor = loss / constant if 0 < loss < constant else 1.0
        self.longest = SHORT_ENOUGH * self.share * state.factor

    def observe(self, state, point, objectives):
        """Note an epoch's model; halve the steps where they lead no further."""
        self.stalled = 0 if self._note(point, objectives) else self.stalled + 1
        if self.stalled and self.stalled % self.epochs == 0:
            state.factor *= 0.5
            state.begin_anew(self.weights)

    def settled(self, state, halvings):
        """Whether so many halvings have brought nothing."""
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
        """Keep what is better; whether there was any progress."""
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
