"""Columns whose variation is smaller than the rounding error of their mean in float64."""

from functools import partial

import numpy as np
from scipy import sparse

# The most columns that a warning names.
SHOWN = 5


def unresolved(metric, data, X, told=()):
    """Numbers of the columns that vary in the user's X but are taken as constant.

    Only columns that the metric takes as constant, with a centre other than zero, are
    looked at: usually none, or a column of ones.

    Parameters
    ----------
    metric : Metric
    data : Data
        X after conversion to float64, where neighbouring integers near 1e18 are equal.
    X : array-like, sparse matrix or data frame
        As the user has passed it.
    told : collection of int
        Columns that an earlier warning has named.

    Returns
    -------
    list of int
    """
    if metric.constant is None or metric.centre is None or not metric.constant.any():
        return []
    columns = np.flatnonzero(metric.constant & (metric.centre != 0)).tolist()
    columns = [column for column in columns if column not in told]
    if columns and not data.rows.in_memory:
        parts = data.rows.each(partial(_least_and_largest, columns=columns))
        least, largest = zip(*parts, strict=True)
        varies = np.min(least, axis=0) < np.max(largest, axis=0)
        return [j for j, varied in zip(columns, varies, strict=True) if varied]
    if columns and sparse.issparse(X):
        X = sparse.csc_array(X[:, columns] if X.format == "csr" else X.tocsr()[:, columns])
        return [j for at, j in enumerate(columns) if _varies(X[:, [at]].toarray(), data)]
    if columns and not hasattr(X, "iloc"):
        X = np.asarray(X)
    return [j for j in columns if _varies(_column(X, j), data)]


def _column(X, column):
    return X.iloc[:, column].to_numpy() if hasattr(X, "iloc") else X[:, column]


def _least_and_largest(rows, columns):
    """The least and the largest number of some columns."""
    least, largest = np.full(len(columns), np.inf), np.full(len(columns), -np.inf)
    for X, _ in rows.chunks():
        least = np.minimum(least, X[:, columns].min(axis=0, initial=np.inf))
        largest = np.maximum(largest, X[:, columns].max(axis=0, initial=-np.inf))
    return least, largest


def _varies(values, data):
    """Whether the rows of positive weight hold two different numbers."""
    values = values[data.rows.at]
    return bool((values != values[0]).any())


def in_words(columns, names):
    """The text of the warning that names the columns."""
    shown = [
        f"{j}" if names is None else f"{j} ({str(names[j])!r})" for j in columns[:SHOWN]
    ]
    shown = ", ".join(shown) + (", …" if len(columns) > SHOWN else "")
    if len(columns) > 1:
        which, taken = f"Columns {shown}", "each is taken as constant"
    else:
        which, taken = f"Column {shown}", "it is taken as constant"
    return (
        f"{which} of X: the numbers differ by less than the rounding error of their mean "
        f"in float64; {taken}, and its coefficient is not fitted. Subtract a number near "
        "the mean before the fit (while they are still integers or times), or leave it out."
    )
