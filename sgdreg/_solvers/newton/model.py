"""The interface between Newton's epochs and the model of one output."""

from functools import cached_property

import numpy as np

from sgdreg._persistence.soundness import like
from sgdreg._records import record


class Model:
    """A model of the objective of one output: curvature, exact gradient, and kinks.

    It keeps the best point so far, returns the next point to evaluate (`ask`), and takes
    the result of a pass over the rows there (`tell`).

    Parameters
    ----------
    solver : Newton
        For its data, start and evaluation.
    output : int

    Attributes
    ----------
    weights : ndarray of shape (d + 1,)
        The best ones so far, at the plan's centre.
    loss : float
        Their mean loss, without the penalty.
    gradient : ndarray of shape (d + 1,)
        As in `Point`.
    gap : float
        An upper bound of the objective there minus its optimum.
    """

    # Whether a pass has to return the predictions of all rows.
    by_rows = True
    # Whether all outputs step by the curvature of one sample, which the solver enlarges;
    # other models take more rows by themselves.
    shares_sample = False
    # Whether a fit should make one more pass before it ends at a small gap.
    unsettled = False

    def __init__(self, solver, output):
        self.data, self.start, self.plan = solver.data, solver.start, solver.plan
        self.output, self.evaluation = output, solver.evaluation
        point = solver.point
        self.weights = point.weights[output].copy()
        self.loss = float(point.losses[output])
        self.gradient = point.gradient[output].copy()
        self.gap = float("inf")

    @cached_property
    def y(self):
        """Targets of the rows taking part."""
        return np.ascontiguousarray(self.data.targets[:, self.output])

    @cached_property
    def shares(self):
        """The weight of each row in the mean."""
        weights = self.data.row_weights
        return (np.ones(self.data.n_rows) if weights is None else weights) / len(self.y)

    @cached_property
    def unit(self):
        """The value that gaps are divided by."""
        return float(self.evaluation.unit[self.output])

    @staticmethod
    def answer(curvature, plan):
        """The optimum (k, d + 1) by a curvature alone, at its centre.

        None: steps start from the least squares of the same rows.
        """
        return None

    @staticmethod
    def begin(solver):
        """Weights (k, d + 1) that are better than those of the start, without a pass.

        It is asked where the start is the optimum of squares; None: there are no better.
        """
        return None

    @classmethod
    def lacks(cls, metric):
        """Whether the metric of a sample is not enough: more rows are then taken."""
        return False

    def ask(self):
        """The weights (d + 1,) that the next pass is to evaluate."""
        raise NotImplementedError

    def tell(self, loss, gradient, predictions):
        """Take the result of the pass there: move there, or ask for another point next.

        Parameters
        ----------
        loss : float
        gradient : ndarray of shape (d + 1,)
        predictions : ndarray of shape (n_rows,) or None
            None: see `by_rows`. To be copied where it is kept: the next pass overwrites it.
        """
        raise NotImplementedError

    def memory(self):
        """See `FullGradient.memory`."""
        raise NotImplementedError

    def sound(self, memory):
        """Whether `memory` can have returned this."""
        return like(self.memory())(memory)

    def recall(self, memory):
        """See `FullGradient.recall`."""
        raise NotImplementedError


@record
class Optimum:
    """The optimum of one output from which its model may begin.

    Attributes
    ----------
    weights : ndarray of shape (d + 1,)
    H : ndarray of shape (k, k) or None
        The curvature there, without the penalty's: that of a sample stands for all rows.
        None: it is not known.
    curvatures : ndarray of shape (m,) or None
        The second derivative of the loss of each row.
    every : bool
        Whether the curvature is that of all rows.
    """

    weights: np.ndarray
    H: np.ndarray | None = None
    curvatures: np.ndarray | None = None
    every: bool = False
