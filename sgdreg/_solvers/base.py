"""What the training loop asks of a solver."""

from typing import NamedTuple

import numpy as np

from sgdreg._training.stopping import stopping_rule


class Report(NamedTuple):
    """What a solver says of an epoch.

    Attributes
    ----------
    objective : float
        Summed over the outputs.
    step : float
        The size of its last step.
    passes : float
        Over the rows, that the state does not know of yet.
    gap : float or None
        The optimality gap of the model, where it is known.
    losses : ndarray of shape (k,) or None
        Of the model, without the penalty, where they are known.
    """

    objective: float
    step: float
    passes: float = 0.0
    gap: float | None = None
    losses: np.ndarray | None = None


class Solver:
    """What moves the weights by an epoch.

    The loop knows no more of a solver than what stands here. A kind of its own overrides
    `run`, and what else is different about it.

    Parameters
    ----------
    data : Data
    start : Start

    Attributes
    ----------
    start : Start
        A solver may replace it by a better one: the loop then looks by that.
    exact : bool
        Whether a fit may end where the objective has not fallen for some epochs: steps have
        no noise of mini-batches, and do not go uphill for a while to come down lower.
    never_uphill : bool
        Whether no step raises the objective.
    knows_losses : bool
        Whether reports tell the losses of the very model that an epoch ends with.
    compares : str
        By which entry of the history the best of all epochs is told.
    """

    exact, never_uphill, knows_losses = True, False, False
    compares = "optimality_gap"

    def __init__(self, data, start):
        self.data, self.start, self.plan = data, start, start.plan

    def begin(self, state, evaluation):
        """Look at the state before the first epoch."""

    def run(self, state, count):
        """Move the state by `count` epochs; a list of a `Report` for each.

        Raises
        ------
        Diverged
            The state is then invalid.
        """
        raise NotImplementedError

    def at_once(self, state, wanted):
        """How many epochs run before anything has to look at the model."""
        return 1

    def look(self, state, evaluation):
        """(entries for the history, losses) of the model, where reports do not say it."""
        return {}, None

    def model(self, state):
        """The weights that an epoch ends with, as they would be returned."""
        return state.model()

    def stopping(self, validated, single):
        """The stopping rule: see `stopping_rule`."""
        return stopping_rule(self.start, validated, self.exact, single)

    def runs_away(self, state, loss, limit):
        """Whether steps of a size chosen here have made the loss too high."""
        return False

    def start_again(self, evaluation):
        """The state to begin from anew, by shorter steps; None: there are none to try."""
        return None

    def pack(self, over):
        """What it goes on from, beside state and start, as plain values.

        Parameters
        ----------
        over : bool
            Whether no epoch will follow.
        """
        return {"halvings": 0, "origin": None, "shrinking": None, "rounds": None}

    def unpack(self, memory, state):
        """Go on from what `pack` has returned."""
