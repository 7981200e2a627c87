"""The best constant prediction, its loss, and the loss of zero: scales for losses."""

import numpy as np

from sgdreg._kernels.descent import sums_about
from sgdreg.losses import ask, compiled, is_squared

# For other losses than the squared error the best constant is found by bisection on ROWS
# rows at most, HALVINGS times: it is only a scale for losses, so a rough value is enough.
# (60 halvings of the range of y reach the rounding of float64.)
ROWS = 4096
HALVINGS = 60
# Arrays of more numbers do not stay in a cache: NumPy's steps then wait for memory.
MANY = 2**15


def constants(y, weights, loss):
    """The best constant of each output, and its mean loss.

    Parameters
    ----------
    y : ndarray of shape (n, k)
    weights : ndarray of shape (n,) or None
    loss : Loss

    Returns
    -------
    best, at_best : ndarray of shape (k,)
    """
    if is_squared(loss):
        if len(y) > MANY:
            return _of_many(y, weights)
        best = _average(y, weights)
        best = best + _average(y - best, weights)  # corrects rounding
    else:
        best = np.array([_best(column, weights, loss) for column in y.T])
    if np.logical_or.reduce(y[0] == y[-1]):  # else no column is constant
        best = np.where((y == y[0]).all(axis=0), y[0], best)
    return best, _mean(y, weights, loss, best)


def _of_many(y, weights):
    """The same of squares, without arrays as long as y."""
    sums = sums_about(y, weights, y[0])
    total, constant = sums[:, 0], sums[:, 3] == 0
    best = np.where(constant, y[0], y[0] + sums[:, 1] / total)
    sums = sums_about(y, weights, best)
    rest = sums[:, 1] / total
    at_best = 0.5 * np.maximum(sums[:, 2] / total - rest**2, 0.0)
    return np.where(constant, best, best + rest), at_best


def loss_of_zero(y, weights, loss):
    """Mean loss of predicting zero, of each output."""
    return _mean(y, weights, loss, None)


def _average(y, weights):
    """Weighted mean of each column (10 µs faster than np.average)."""
    if weights is None:
        return np.add.reduce(y) / len(y)
    return weights @ y / weights.sum()


def _mean(y, weights, loss, p):
    """Weighted mean loss of predicting the constants p (None: zeros), of each output."""
    if is_squared(loss):
        e = y if p is None else y - p
        if weights is None:
            return 0.5 * np.einsum("ij,ij->j", e, e) / len(y)
        return 0.5 * np.einsum("i,ij,ij->j", weights, e, e) / weights.sum()
    p = np.zeros(y.shape[1]) if p is None else p
    if len(y) > MANY and compiled(loss):
        return _mean_of_many(y, weights, loss, p)
    columns = [
        ask(loss, y[:, o], np.full(len(y), p[o]), "value") for o in range(y.shape[1])
    ]
    return np.average(np.column_stack(columns), axis=0, weights=weights)


def _mean_of_many(y, weights, loss, p):
    """The same of a loss of this package, without arrays as long as y."""
    total, sums = 0.0, np.zeros(y.shape[1])
    for start in range(0, len(y), MANY):
        part = slice(start, start + MANY)
        values, known = loss.value(y[part], p), weights is not None
        total += weights[part].sum() if known else len(values)
        sums += weights[part] @ values if known else values.sum(axis=0)
    return sums / total


def _best(y, weights, loss):
    """The constant at which the slope of the mean loss changes its sign, by bisection."""
    every = -(-len(y) // ROWS)
    y = y[::every]
    weights = np.ones(len(y)) if weights is None else weights[::every]
    low, high, slopes = y.min(), y.max(), _slopes(y, loss)
    for _ in range(HALVINGS):
        middle = low + 0.5 * (high - low)
        if weights @ slopes(middle) > 0:
            high = middle
        else:
            low = middle
    return low + 0.5 * (high - low)


def _slopes(y, loss):
    """p -> the slope of each row's loss at the constant p."""
    if not compiled(loss):
        return lambda p: ask(loss, y, np.full(len(y), p), "gradient")
    if not loss.width or loss.dead:
        return lambda p: loss.gradient(y, p)
    e, below, above, width = np.empty(len(y)), -loss.below, loss.above, loss.width

    def slopes(p):  # the same in place, and the parameters are checked once
        np.divide(np.subtract(p, y, out=e), width, out=e)
        return np.minimum(np.maximum(e, below, out=e), above, out=e)

    return slopes
