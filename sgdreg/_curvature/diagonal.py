"""A stream of many features: what its rows so far say of each coefficient."""

from dataclasses import dataclass, replace

import numpy as np

from sgdreg._curvature.metric import Metric
from sgdreg._data.moments import (
    CONSTANT_SHARE,
    merged,
    pooled,
    refuse_overflow,
    second_moments,
)

# Rows that the size of the residuals is averaged over.
NOISE_ROWS = 100
# Rows of later chunks count more as residuals shrink, up to this factor.
MOST_WEIGHT = 1e12


@dataclass(frozen=True, eq=False)
class Stream:
    """Precision of every coefficient: the diagonal of the curvature of the rows so far.

    With all of the curvature, the least squares of all rows so far are those nearest, in
    its norm, to the last answer that also fit the new rows (recursive least squares).
    With its diagonal D they are nearly so,

        w <- argmin 1/n Σ_new ½ s_i (y_i - p_i)² + ½ (w - w_before)ᵀ D/(ω n) (w - w_before),
        D <- D + ω Σ_new s_i (x_i - mean)²,

    where rows count by ω, the variance of y over that of the residuals they met: early
    ones were of a poor model, and an odd one may not move much. D begins with as many
    rows like its own as a row has numbers: one row then moves its prediction by half of
    the residual. Where a column's mean square turns out larger, D grows with it, and the
    coefficient shrinks: it had begun at zero with too much freedom. There is no step
    size, and nothing that could run away.

    Attributes
    ----------
    total : float
        Sum of the weights.
    centre : ndarray of shape (d,)
        Mean of the features; zeros without an intercept.
    counts, squares : ndarray of shape (d,)
        Rows in which the column was not zero; sum of its squares about the mean.
    precision : ndarray of shape (d + 1,)
        D, the intercept's last; 0 where a column has not varied yet.
    start : ndarray of shape (d,)
        The part of D that it began with.
    noise : float
        Mean square of the residuals met lately, over the variance of y.
    targets : ndarray of shape (2, k)
        Mean of y, and sum of squares about it.
    centred : bool
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
        """That of the rows of a fit, whose centre and scale are a metric's."""
        total = float(data.n_rows)
        targets = np.array([data.best_constants, 2 * total * data.constant_losses])
        share = loss / max(data.constant_losses.sum(), np.finfo(float).tiny)
        noise = min(max(share, 1.0 / MOST_WEIGHT), MOST_WEIGHT)
        counts, scale = data.rows.counts(), metric.scale
        squares = np.where(counts > 0, total * scale**2, 0.0)
        precision = np.append(squares, total) / noise
        centred = metric.centre is not None
        centre = metric.centre if centred else np.zeros(len(scale))
        start = _caution(data, squares, counts)
        return cls(
            total, centre, counts, squares, precision, start, noise, targets, centred
        )

    def in_unit(self, shift):
        """The same stream, of targets multiplied by 2^shift."""
        return replace(self, targets=np.ldexp(self.targets, [[shift], [2 * shift]]))

    def meet(self, data):
        """The new rows' means and squares, before their targets are looked at.

        Returns
        -------
        stream : Stream
        added : ndarray of shape (d,)
            The new rows' squares about the mean.
        shrink : ndarray of shape (d,)
            What the coefficients are to be multiplied by.
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
        start = _caution(data, squares, counts)
        precision = self.precision.copy()
        precision[:-1] += start - self.start
        known = precision[:-1] > 0
        shrink = np.where(known, self.precision[:-1], 1.0)
        shrink = np.minimum(1.0, shrink / np.where(known, precision[:-1], 1.0))
        targets = total, data.best_constants, 2 * total * data.constant_losses
        all_rows, *targets = merged((self.total, *self.targets), targets)
        met = replace(
            self,
            total=all_rows,
            centre=centre,
            counts=counts,
            squares=squares,
            precision=precision,
            start=start,
            targets=np.array(targets),
        )
        return met, added, shrink

    def absorb(self, data, added, losses, alpha):
        """(the stream after the new rows, the pull to the last answer, the metric).

        `losses` are those of the last answer on the new rows, which have been met.
        """
        rows = float(data.n_rows)
        variance = self.targets[1] / self.total
        if not self.centred:
            variance = variance + self.targets[0] ** 2
        variance = np.where(
            variance > 0, variance, np.maximum(self.targets[0] ** 2, 1e-300)
        )
        latest = np.mean(2 * losses / variance)
        if not self.precision[-1]:  # the first rows: nothing is known of them
            latest = 1.0
        before = min(self.total - rows, NOISE_ROWS)
        noise = (before * self.noise + rows * latest) / (before + rows)
        weight = 1.0 / max(noise, latest, 1.0 / MOST_WEIGHT)
        new = np.append(added + alpha * rows * (added > 0), rows)
        stream = replace(self, precision=self.precision + weight * new, noise=noise)
        pull = self.precision / (weight * rows)
        scale = np.sqrt(pull[:-1] + added / rows + alpha)
        varying = self.precision[:-1] + added > 0
        scale, centre = np.where(varying, scale, 1.0), self.centre if self.centred else None
        return stream, pull, Metric(centre, scale, constant=~varying)

    @property
    def metric(self):
        """Centre, and no scale yet."""
        return Metric(self.centre if self.centred else None, np.ones(len(self.centre)))


def _caution(data, squares, counts):
    """D of a column before its first row: of as many rows like it as a row has numbers."""
    return data.row_size * squares / np.maximum(counts, 1.0)
