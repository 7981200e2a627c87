"""Columns that vary, but by less than float64 can tell from the rounding of their mean."""

import numpy as np
from scipy import sparse

# Named in a warning, at most.
SHOWN = 5


def unresolved(metric, data, X, told=()):
    """Columns of X as it was passed that vary but are taken as constant.

    Only those that the metric takes as constant, at a number other than zero, are looked
    at: as a rule none, or the one of an intercept.

    Parameters
    ----------
    metric : Metric
    data : Data
        X as the fit sees it, in float64 (where integers of 1e18 are one number).
    X : array-like, sparse matrix or data frame
        As the user has passed it.
    told : collection of int
        Columns that need not be looked at again.

    Returns
    -------
    list of int
    """
    if metric.constant is None or metric.centre is None or not metric.constant.any():
        return []
    columns = np.flatnonzero(metric.constant & (metric.centre != 0)).tolist()
    columns = [column for column in columns if column not in told]
    if columns and sparse.issparse(X):
        X = sparse.csc_array(X[:, columns] if X.format == "csr" else X.tocsr()[:, columns])
        return [j for at, j in enumerate(columns) if _varies(X[:, [at]].toarray(), data)]
    if columns and not hasattr(X, "iloc"):
        X = np.asarray(X)
    return [j for j in columns if _varies(_column(X, j), data)]


def _column(X, column):
    return X.iloc[:, column].to_numpy() if hasattr(X, "iloc") else X[:, column]


def _varies(values, data):
    """Whether the rows taking part hold two different numbers."""
    values = values[data.rows.at]
    return bool((values != values[0]).any())


def in_words(columns, names):
    """The warning that names them."""
    shown = [
        f"{j}" if names is None else f"{j} ({str(names[j])!r})" for j in columns[:SHOWN]
    ]
    shown = ", ".join(shown) + (", …" if len(columns) > SHOWN else "")
    if len(columns) > 1:
        which, taken = f"Columns {shown}", "each is taken as constant"
    else:
        which, taken = f"Column {shown}", "it is taken as constant"
    return (
        f"{which} of X: the numbers differ by less than float64 tells from rounding beside "
        f"their mean; {taken}, and gets no coefficient. Subtract a number near the mean "
        "before the fit (from integers and times as such), or leave it out."
    )
