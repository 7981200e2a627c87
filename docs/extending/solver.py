"""Two solvers: steepest descent with line searches, and Barzilai and Borwein's steps."""

import numpy as np

from sgdreg._persistence.soundness import check, like, or_none
from sgdreg._solvers.full_gradient import FullGradient
from sgdreg.optimizers._base import Plain, Serves


# [settings]
class SteepestDescent(Plain):
    """w <- w - eta g, eta where the objective is least along g: least squares only.

    A. Cauchy, "Méthode générale pour la résolution des systèmes d'équations
    simultanées", Comptes rendus 25 (1847).
    """

    name = "steepest_descent"
    serves = Serves(
        losses="squared",
        penalties="l2",
        finds_steps=True,
        certifies=True,
        step="to where the objective is least along the gradient",
    )

    def __init__(self, metric=None):
        self.metric = metric


# [solver]
class Steepest(FullGradient):
    """Epochs of one step each."""

    def _move(self, state):
        here, metric = self.point, self.start.metric
        u = -here.slope  # of each output, in the coordinates of the steps
        there = self.evaluation.at(here.weights + metric.to_raw(u))
        down = -np.einsum("ij,ij->i", u, here.slope)
        bend = np.einsum("ij,ij->i", u, there.slope - here.slope)
        self.eta = np.where(bend > 0, down / np.where(bend > 0, bend, 1.0), 0.0)
        self.point = self.evaluation.between(here, there, self.eta, bend, down)
        state.steps += 1
        return float(self.eta.max())


# [memory]
class BarzilaiBorwein(SteepestDescent):
    """w <- w - eta g, eta = s·s / s·y: s and y are what w and g have last changed by.

    J. Barzilai, J. M. Borwein, "Two-point step size gradient methods", IMA Journal of
    Numerical Analysis 8 (1988).
    """

    name = "barzilai_borwein"
    serves = SteepestDescent.serves._replace(step="as the last two gradients tell")


class TwoPoint(Steepest):
    """Epochs of one such step each; the first one is of steepest descent."""

    exact = False  # the objective rises now and then
    before, eta = None, None  # the gradient and the step size of the epoch before

    def memory(self):
        return super().memory() | {"before": self.before, "eta": self.eta}

    def recall(self, memory):
        super().recall(memory)
        slope, sizes = or_none(like(self.point.slope)), or_none(like(self.point.losses))
        check(memory, {"before": slope, "eta": sizes})
        self.before, self.eta = memory["before"], memory["eta"]

    def _move(self, state):
        here = self.point
        if self.before is None:
            size = super()._move(state)
        else:  # s = -eta g_before, so that s·s / s·y is this:
            square = np.einsum("ij,ij->i", self.before, self.before)
            bend = square - np.einsum("ij,ij->i", self.before, here.slope)
            share = np.divide(square, bend, out=np.ones_like(bend), where=bend > 0)
            self.eta = self.eta * share
            u = -self.eta[:, None] * here.slope
            self.point = self.evaluation.at(here.weights + self.start.metric.to_raw(u))
            state.steps += 1
            size = float(self.eta.max())
        self.before = here.slope
        return size


# [end]
