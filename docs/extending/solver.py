"""A solver: steepest descent, each step to the lowest point along the gradient."""

import numpy as np

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
        eta = np.where(bend > 0, down / np.where(bend > 0, bend, 1.0), 0.0)
        self.point = self.evaluation.between(here, there, eta, bend, down)
        state.steps += 1
        return float(eta.max())


# [end]
