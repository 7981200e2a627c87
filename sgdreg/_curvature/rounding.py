"""Rounding a model to float32 with a small increase of its objective.

The coefficients of columns that depend on each other may be large and nearly cancel. Each
is rounded by up to half a unit in its last place, and these errors do not cancel: at 1e7
they are as large as one.
"""

import numpy as np

from sgdreg._curvature.triangles import singular_values

# Weights that are tried instead are ridge solutions, in which weakly determined directions
# are smaller. Their penalties, as shares of the largest squared singular value, go from
# below the rounding of float64 (1e-16) to above that of float32 (1e-7).
PENALTIES = np.logspace(-18, -2, 65)
# A coefficient is then moved by some units in its last place: by any power of two up to
# 2^15, and by any small number, such that all coefficients have CHOICES moves together.
POWERS = 2.0 ** np.arange(16)
CHOICES = 4096
# The largest number of moves that are made, one after the other.
MOVES = 200
# Moves end when the best one reduces the cost of rounding by less than this share.
ENOUGH = 1e-3


class Rounding:
    """The cost of rounding weights (k, d + 1), and rounded weights of a smaller cost.

    The cost is the increase of the objective near its optimum w*: ½ ‖lengths (w - w*)‖²
    plus half the square of the error of the prediction at the mean of the features.

    Parameters
    ----------
    dtype : dtype
        The type of the model.
    centre : ndarray of shape (d,) or None
        The centre that the weights are about.
    lengths : ndarray of shape (r, d) or (d,)
        The factor of the curvature; of one dimension: the root of its diagonal.
    middle : ndarray of shape (d,) or None
        The mean of the features; None without an intercept.
    positive : bool
        Whether coefficients must be >= 0.
    """

    def __init__(self, dtype, centre, lengths, middle, positive=False):
        self.dtype, self.lengths, self.middle = np.dtype(dtype), lengths, middle
        self.centre = np.zeros(lengths.shape[-1]) if centre is None else centre
        self.positive = positive

    @classmethod
    def of(cls, start, dtype, curvature=None):
        """From a start: by a curvature, else by the scale of its metric; None without."""
        plan, metric = start.plan, start.metric
        if curvature is not None:
            lengths, middle = curvature.features / np.sqrt(curvature.total), curvature.mean
            l2 = plan.penalty.l2 * (1.0 if plan.quadratic else curvature.rows_per_weight)
            if l2:
                lengths = np.vstack([lengths, np.sqrt(l2) * np.eye(len(middle))])
        elif metric.scale is not None:
            lengths, middle = metric.scale, metric.centre
        else:
            return None
        middle = middle if plan.fit_intercept else None
        return cls(dtype, metric.centre, lengths, middle, plan.penalty.positive)

    def nearest(self, weights):
        """Each coefficient rounded, and the best intercept for them, rounded."""
        return rounded(weights, self.centre, self.dtype)

    def cost(self, weights, near):
        """The increase of each output's objective from `weights` to `near`."""
        with np.errstate(over="ignore", invalid="ignore"):
            change = near - weights
            errors = self._errors(change[:, :-1])
            costs = 0.5 * np.einsum("ij,ij->i", errors, errors)
            if self.middle is not None:
                middle = change[:, -1] + change[:, :-1] @ (self.middle - self.centre)
                costs += 0.5 * middle**2
        return np.where(np.isfinite(costs), costs, np.inf)

    def _errors(self, change):
        return change * self.lengths if self.lengths.ndim == 1 else change @ self.lengths.T

    def best(self, weights, enough):
        """Rounded weights that cost `enough` (k,) at most, or else as little as found.

        Parameters
        ----------
        weights : ndarray of shape (k, d + 1)
        enough : ndarray of shape (k,)
        """
        chosen = self.nearest(weights)
        costs = self.cost(weights, chosen)
        for o in np.flatnonzero(~(costs <= enough)):
            row = weights[o]
            if np.isfinite(costs[o]):
                chosen[o] = self._moved(row, chosen[o])
            if not self.cost(row, chosen[o][None])[0] <= enough[o]:
                near = self.nearest(np.vstack([chosen[o], self._weaker(row)]))
                chosen[o] = near[np.argmin(self.cost(row, near))]
                if np.isfinite(chosen[o]).all():
                    chosen[o] = self._moved(row, chosen[o])
        return chosen

    def _weaker(self, row):
        """Ridge solutions near weights (d + 1,), with a penalty on scaled features."""
        if self.lengths.ndim == 1 or not len(self.lengths):
            return np.empty((0, len(row)))
        scale = np.sqrt(np.einsum("ij,ij->j", self.lengths, self.lengths))
        scale = np.where(scale > 0, scale, 1.0)
        _, s, Vt = singular_values(self.lengths / scale)
        along = Vt @ (scale * row[:-1])
        squares, penalties = s**2, PENALTIES[:, None] * s[0] ** 2
        with np.errstate(invalid="ignore"):
            less = np.nan_to_num(penalties / (squares + penalties))
        # ... and the weights without the weakest directions.
        less = np.vstack([less, np.tri(len(s), len(s), -1).T])
        tried = np.tile(row, (len(less), 1))
        tried[:, :-1] -= (less * along) @ Vt / scale
        tried[:, :-1][:, row[:-1] == 0] = 0.0
        if self.positive:
            np.maximum(tried[:, :-1], 0.0, out=tried[:, :-1])
        if self.middle is not None:  # keep the prediction at the mean
            tried[:, -1] -= (tried[:, :-1] - row[:-1]) @ (self.middle - self.centre)
        return tried

    def _moved(self, row, near):
        """`near` with coefficients moved by units in their last places, one at a time.

        The best moves let the errors of several coefficients and of the intercept cancel.
        """
        T = self.lengths
        curvatures = T**2 if T.ndim == 1 else np.einsum("ij,ij->j", T, T)
        coef = near[:-1].astype(self.dtype)
        units = np.union1d(POWERS, np.arange(1.0, CHOICES // len(coef) + 1))
        units = np.concatenate([units, -units])
        units = np.where(coef != 0, np.spacing(np.abs(coef)), 0.0)[:, None] * units
        cost = self.cost(row[None], near[None])[0]
        for _ in range(MOVES):
            wide = near[:-1, None]
            with np.errstate(over="ignore"):
                moves = (wide + units).astype(self.dtype).astype(np.float64) - wide
            if self.positive:
                moves[wide + moves < 0] = 0.0
            errors = self._errors((near - row)[:-1])
            slopes = T * errors if T.ndim == 1 else errors @ T
            costs = 0.5 * (errors @ errors) + moves * (
                slopes[:, None] + 0.5 * moves * curvatures[:, None]
            )
            raw = self._intercept(row, near, moves)
            if raw is not None:
                costs += 0.5 * raw[1] ** 2
            j, unit = np.unravel_index(np.nanargmin(costs), costs.shape)
            moved = near.copy()
            moved[j] += moves[j, unit]
            if raw is not None:
                moved[-1] = raw[0][j, unit] + moved[:-1] @ self.centre
            now = self.cost(row[None], moved[None])[0]
            if not now < (1.0 - ENOUGH) * cost:
                break
            near, cost = moved, now
        return near

    def _intercept(self, row, near, moves):
        """The rounded intercept after each move, and its error at the mean."""
        if self.middle is None:
            return None
        aim = row[-1] + row[:-1] @ (self.middle - self.centre)
        aim = aim - near[:-1] @ self.middle - moves * self.middle[:, None]
        got = aim.astype(self.dtype).astype(np.float64)
        return got, got - aim


def rounded(weights, centre, dtype):
    """The weights (k, d + 1) about a centre of the model rounded to dtype.

    Outputs whose numbers are too small for dtype are not rounded: such a model is refused
    when its attributes are made.
    """
    near = np.empty_like(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        near[:, :-1] = weights[:, :-1].astype(dtype)
        shift = 0.0 if centre is None else near[:, :-1] @ centre
        raw = (weights[:, -1] - shift).astype(dtype)
        near[:, -1] = raw + shift
    lost = is_lost(weights, sizes(near[:, :-1], raw), dtype)
    near[lost] = weights[lost]
    return near


def sizes(coef, intercept):
    """The largest number of each output's model; not finite if any number is not."""
    largest = np.maximum.reduce(np.abs(coef), axis=1, initial=0.0)
    return np.maximum(largest, np.abs(intercept))


def is_lost(weights, held, dtype):
    """Which outputs have numbers so small that a floating-point type loses digits."""
    lost = held < np.finfo(dtype).tiny
    return lost & weights.any(axis=1) if np.logical_or.reduce(lost) else lost
