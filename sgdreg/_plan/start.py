"""Where and how the steps of a plan begin."""

from dataclasses import replace

import numpy as np

from sgdreg._curvature.metric import Metric
from sgdreg._plan.plan import SINGLE, Plan
from sgdreg._records import changed, record


@record
class Start:
    """Where and how the steps of a plan begin on some rows.

    Attributes
    ----------
    plan : Plan
    metric : Metric
        The coordinates of the steps; raw features where all of its parts are None.
    weights : ndarray of shape (k, d + 1) or None
        To start from, at the metric's centre; None: zeros.
    solved : bool
        Whether they are the least squares of the rows of the curvature.
    schedule : callable or None
        t -> eta; None: found by line search.
    reason : str
        Where the step size comes from.
    passes : float
        Passes over the rows that were needed for it.
    sketch : Sketch or None
        Which rows a full metric's curvature was taken from.
    rows : int
        How many rows a metric of low rank, or in single precision, was taken from; 0: all.
    sharpened : int
        How often the sample of rows has been made larger.
    proximal_term : (ndarray of shape (d + 1,), ndarray of shape (k, d + 1)) or None
        (strength, anchor) of ½ (w - anchor)ᵀ diag(strength) (w - anchor), which is added to
        the objective.
    """

    plan: Plan
    metric: Metric
    weights: np.ndarray | None = None
    solved: bool = False
    schedule: object | None = None
    reason: str = ""
    passes: float = 0.0
    sketch: object = None
    rows: int = 0
    sharpened: int = 0
    proximal_term: tuple | None = None

    @property
    def sampled(self):
        """Whether the curvature is that of a sample of rows."""
        return self.sketch is not None and not self.sketch.exact

    @property
    def by_all_rows(self):
        """Whether the metric is the curvature of all rows."""
        return self.metric.full and not self.sampled and not self.rows

    def sharper(self):
        """The start by the curvature of a larger sample of rows, and that curvature."""
        curvature, sketch = self.sketch.larger().curvature()
        metric, weights = curvature.solve(self.plan.penalty.l2)
        start = replace(
            self,
            sketch=sketch,
            metric=metric,
            weights=weights,
            passes=self.passes + sketch.cost - self.sketch.cost,
            sharpened=self.sharpened + 1,
        )
        return start, curvature

    def released(self):
        """A copy that holds no data, to be kept with the model."""
        metric, sketch = self.metric, self.sketch and self.sketch.released()
        if self.plan.curvature == SINGLE:  # no later fit uses it
            metric = replace(metric, root=None)
        return changed(self, metric=metric, sketch=sketch, weights=None)
