"""The interface between the training loop and the solvers."""

from typing import NamedTuple

import numpy as np

from sgdreg._training.stopping import stopping_rule


class Report(NamedTuple):
    """The result of one epoch.

    Attributes
    ----------
    objective : float
        Summed over the outputs.
    step : float
        The size of its last step.
    passes : float
        Passes over the rows that the state does not count yet.
    gap : float or None
        The optimality gap of the model, where it is known.
    losses : ndarray of shape (k,) or None
        Those of the model, without the penalty, where they are known.
    """

    objective: float
    step: float
    passes: float = 0.0
    gap: float | None = None
    losses: np.ndarray | None = None


class Solver:
    """A solver runs epochs, each of which changes the weights of a state.

    The training loop uses nothing but this interface. A solver overrides `run`, and
    whatever else differs from the defaults.

    Parameters
    ----------
    data : Data
    start : Start

    Attributes
    ----------
    start : Start
        A solver may replace it by a better one, which the loop then uses, too.
    exact : bool
        Whether a fit may end where the objective has not fallen for some epochs: steps use
        the gradient of all rows, without the noise of mini-batches, and do not go uphill
        for a while to come down lower.
    never_uphill : bool
        Whether no step raises the objective.
    knows_losses : bool
        Whether reports have the losses of the model that the epoch ends with.
    compares : str
        The entry of the history by which the best epoch is chosen.
    curvature : Curvature or None
        The curvature of all rows, if the steps have computed it.
    lowest : ndarray of shape (k,) or None
        The lowest objectives so far, if the solver keeps the model that has them.
    """

    exact, never_uphill, knows_losses = True, False, False
    compares, curvature, lowest = "optimality_gap", None, None

    def __init__(self, data, start):
        self.data, self.start, self.plan = data, start, start.plan

    def begin(self, state, evaluation):
        """Prepare for the first epoch of a call, from this state."""

    def run(self, state, count):
        """Run `count` epochs, which change the state; returns a `Report` for each.

        Raises
        ------
        Diverged
            The state is then invalid.
        """
        raise NotImplementedError

    def at_once(self, state, wanted):
        """How many epochs, of those wanted, one call of `run` may take."""
        return 1

    def look(self, state, evaluation):
        """(entries for the history, losses) of the model, where reports lack them."""
        return {}, None

    def model(self, state):
        """The weights that would be returned after this epoch."""
        return state.model()

    def stopping(self, validated, single):
        """The stopping rule: see `stopping_rule`."""
        return stopping_rule(self.start, validated, self.exact, single)

    def runs_away(self, state, loss, limit):
        """Whether automatic steps have made the loss too high, by a limit."""
        return False

    def start_again(self, evaluation):
        """The state to start again from, with shorter steps; None if there are none."""
        return None

    def pack(self, over):
        """The values needed to continue, beside state and start: plain ones, in a dict.

        None where there are none.

        Parameters
        ----------
        over : bool
            Whether no epoch follows.
        """
        return None

    def unpack(self, memory, state):
        """Continue from what `pack` has returned."""
