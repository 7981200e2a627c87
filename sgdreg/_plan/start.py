"""What a plan has learned of the rows before its first step."""

from dataclasses import dataclass, replace

import numpy as np

from sgdreg._curvature.metric import Metric
from sgdreg._plan.plan import SINGLE, Plan
from sgdreg._records import changed


@dataclass(frozen=True, eq=False)
class Start:
    """Where and how the steps of a plan begin, on some rows.

    Attributes
    ----------
    plan : Plan
    metric : Metric
        The coordinates of the steps; with all its parts None: raw features.
    weights : ndarray of shape (k, d + 1) or None
        To start from, at the metric's centre; None: zeros. In a recursive stream the last
        answer, which the search for the next one begins at.
    solved : bool
        Whether they are the least squares of the rows of the curvature.
    schedule : callable or None
        t -> eta; None: found by line search.
    reason : str
        Where the step size comes from.
    passes : float
        Passes over the rows that all this has taken.
    curvature : Curvature or None
        Where the metric comes from, if it is a full one.
    sketch : Sketch or None
        Which rows it was taken from.
    rows : int
        How many were looked at for a metric of low rank.
    sharpened : int
        How often the sample of rows has been made larger.
    sample : Sample or None
        Of a stream's rows, weighed anew, where the loss is none of least squares.
    stream : Stream or None
        The diagonal of the curvature of a stream's rows so far.
    pull : (ndarray of shape (d + 1,), ndarray of shape (k, d + 1)) or None
        Strength of a pull towards some weights: ½ (w - anchor)ᵀ strength (w - anchor).
    """

    plan: Plan
    metric: Metric
    weights: np.ndarray | None = None
    solved: bool = False
    schedule: object | None = None
    reason: str = ""
    passes: float = 0.0
    curvature: object = None
    sketch: object = None
    rows: int = 0
    sharpened: int = 0
    sample: object = None
    stream: object = None
    pull: tuple | None = None

    @property
    def sampled(self):
        """Whether the curvature is that of a sample of rows."""
        return self.sketch is not None and not self.sketch.exact

    def sharper(self):
        """The start with the curvature of more rows."""
        curvature, sketch = self.sketch.larger().curvature()
        metric, weights = curvature.solve(self.plan.penalty.l2)
        return replace(
            self,
            curvature=curvature,
            sketch=sketch,
            metric=metric,
            weights=weights,
            passes=self.passes + sketch.cost - self.sketch.cost,
            sharpened=self.sharpened + 1,
        )

    def released(self):
        """The same without hold of the data, to be kept with the model."""
        plan, metric = self.plan, self.metric
        if plan.curvature == SINGLE:  # which nothing goes on with
            metric = replace(metric, root=None)
        return changed(
            self,
            metric=metric,
            sketch=self.sketch and self.sketch.released(),
            weights=self.weights if plan.recursive and not plan.quadratic else None,
            curvature=None if plan.wide else self.curvature,
        )

    def in_unit(self, shift):
        """The start that knows targets which are multiplied by 2^shift."""
        known = self.curvature, self.stream, self.sample
        curvature, stream, sample = (part and part.in_unit(shift) for part in known)
        weights = None if self.weights is None else np.ldexp(self.weights, shift)
        return replace(
            self, curvature=curvature, stream=stream, sample=sample, weights=weights
        )
