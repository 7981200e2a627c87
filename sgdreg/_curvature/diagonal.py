"""The diagonal curvature of a stream of many features, accumulated over its rows."""

from dataclasses import replace

import numpy as np

from sgdreg._curvature.metric import Metric
from sgdreg._data.moments import (
    CONSTANT_SHARE,
    merged,
    pooled,
    refuse_overflow,
    second_moments,
)
from sgdreg._records import record

# The mean square of the residuals is a running mean over this many rows.
NOISE_ROWS = 100
# Rows get a larger weight as residuals shrink, up to this.
MOST_WEIGHT = 1e12
# A variance of zero counts as this, so that residuals can be divided by it.
LEAST_VARIANCE = 1e-300


@record
class Stream:
    """Precision of every coefficient: the diagonal of the curvature of the rows so far.

    Recursive least squares has the full curvature H of the earlier rows, and adds to the
    squares of the new rows the distance ½ (w - w_before)ᵀ H (w - w_before) to the last
    answer. The same with the diagonal D is an approximation,

        w <- argmin 1/n Σ_new ½ s_i (y_i - p_i)² + ½ (w - w_before)ᵀ D/(ω n) (w - w_before),
        D <- D + ω Σ_new s_i (x_i - mean)²,

    where ω, the weight of the rows, is the variance of y divided by the mean square of
    their residuals: early rows were predicted by a poor model, and an outlier shall not
    move the model much. D of a column starts as if there had been as many similar rows as
    a row has numbers: the first row then moves its prediction by half of the residual. If
    the mean square of a column turns out larger, D grows with it and the coefficient
    shrinks, because it had moved too freely. There is no step size, so nothing diverges.

    Attributes
    ----------
    total : float
        Sum of the weights.
    centre : ndarray of shape (d,)
        Mean of the features; zeros without an intercept.
    counts, squares : ndarray of shape (d,)
        The number of stored entries of each column; sum of its squares about the mean.
    precision : ndarray of shape (d + 1,)
        D, with the intercept's entry last; 0 for a column that has not varied yet.
    start : ndarray of shape (d,)
        The initial part of D.
    noise : float
        Mean square of the latest residuals, divided by the variance of y.
    targets : ndarray of shape (2, k)
        Mean of y, and sum of squares about it.
    centred : bool
        Whether the model has an intercept.
    """

    total: float
    centre: np.ndarray
    counts: np.ndarray
    squares: np.ndarray
    precision: np.ndarray
    start: np.ndarray
    noise: float
    targets: np.ndarray
    centred: bool

    @classmethod
    def empty(cls, n_features, n_outputs, centred):
        none, targets = np.zeros(n_features), np.zeros((2, n_outputs))
        start = np.zeros(n_features + 1)
        return cls(0.0, none, none, none, start, none, 1.0, targets, centred)

    @classmethod
    def after_fit(cls, metric, data, loss):
        """The stream after a fit, from the centre and scale of its metric."""
        total = float(data.n_rows)
        targets = np.array([data.best_constants, 2 * total * data.constant_losses])
        noise = loss / max(data.constant_losses.sum(), np.finfo(float).tiny)
        noise = min(max(noise, 1.0 / MOST_WEIGHT), MOST_WEIGHT)
        counts, scale = data.rows.counts(), metric.scale
        squares = np.where(counts > 0, total * scale**2, 0.0)
        precision = np.append(squares, total) / noise
        centred = metric.centre is not None
        centre = metric.centre if centred else np.zeros(len(scale))
        start = _initial_precision(data, squares, counts)
        return cls(
            total, centre, counts, squares, precision, start, noise, targets, centred
        )

    def in_unit(self, shift):
        """The same stream for targets multiplied by 2^shift."""
        return replace(self, targets=np.ldexp(self.targets, [[shift], [2 * shift]]))

    def update_moments(self, data):
        """Add the means and squares of new rows; the first part of a step.

        Returns
        -------
        stream : Stream
        added : ndarray of shape (d,)
            The new rows' squares about the mean.
        shrink : ndarray of shape (d,)
            The factors by which the coefficients have to be multiplied.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            total, mean, added = second_moments(data)
            centre = self.centre
            if self.centred:
                _, centre, _, _ = pooled(self.total, centre, total, mean)
            added = added + total * (mean - centre) ** 2
        if not np.isfinite(added).all():
            refuse_overflow(data, mean + added)
        spread = np.sqrt(added / total)
        added = np.where(spread > CONSTANT_SHARE * np.abs(centre), added, 0.0)
        counts, squares = self.counts + data.rows.counts(), self.squares + added
        start = _initial_precision(data, squares, counts)
        precision = self.precision.copy()
        precision[:-1] += start - self.start
        known = precision[:-1] > 0
        shrink = np.where(known, self.precision[:-1], 1.0)
        shrink = np.minimum(1.0, shrink / np.where(known, precision[:-1], 1.0))
        targets = total, data.best_constants, 2 * total * data.constant_losses
        all_rows, *targets = merged((self.total, *self.targets), targets)
        updated = replace(
            self,
            total=all_rows,
            centre=centre,
            counts=counts,
            squares=squares,
            precision=precision,
            start=start,
            targets=np.array(targets),
        )
        return updated, added, shrink

    def absorb(self, data, added, losses, alpha):
        """Add the new rows to the precision; the second part of a step.

        Parameters
        ----------
        data : Data
            The new rows, of which `update_moments` has returned `added`.
        added : ndarray of shape (d,)
        losses : ndarray of shape (k,)
            The losses of the last answer on the new rows.
        alpha : float

        Returns
        -------
        stream : Stream
        prior : ndarray of shape (d + 1,)
            D/(ω n), the precision of the last answer beside the new rows.
        metric : Metric
            The scales for the steps of the argmin.
        """
        rows = float(data.n_rows)
        variance = self.targets[1] / self.total
        if not self.centred:
            variance = variance + self.targets[0] ** 2
        variance = np.where(
            variance > 0, variance, np.maximum(self.targets[0] ** 2, LEAST_VARIANCE)
        )
        latest = np.mean(2 * losses / variance)
        if not self.precision[-1]:  # the first rows: their residuals say nothing
            latest = 1.0
        before = min(self.total - rows, NOISE_ROWS)
        noise = (before * self.noise + rows * latest) / (before + rows)
        weight = 1.0 / max(noise, latest, 1.0 / MOST_WEIGHT)
        new = np.append(added + alpha * rows * (added > 0), rows)
        stream = replace(self, precision=self.precision + weight * new, noise=noise)
        prior = self.precision / (weight * rows)
        scale = np.sqrt(prior[:-1] + added / rows + alpha)
        varying = self.precision[:-1] + added > 0
        scale, centre = np.where(varying, scale, 1.0), self.centre if self.centred else None
        return stream, prior, Metric(centre, scale, constant=~varying)

    @property
    def metric(self):
        """The centre, with scales of one."""
        return Metric(self.centre if self.centred else None, np.ones(len(self.centre)))


def _initial_precision(data, squares, counts):
    """The initial D: of as many rows with the column's mean square as a row has numbers."""
    return data.row_size * squares / np.maximum(counts, 1.0)
