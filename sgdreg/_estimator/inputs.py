"""Checks of the data that the user passes: X, y, weights, validation set, start."""

from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, validate_data

from sgdreg._data.dataset import Data
from sgdreg._data.mapped import release
from sgdreg._data.rows import check_finite, not_finite
from sgdreg._data.sparse import trusted
from sgdreg._estimator.naming import naming
from sgdreg.losses import SQUARED_ERROR

FLOATS = [np.float64, np.float32]
# The same as dtype objects, which compare faster.
DOUBLE, SINGLE = (np.dtype(kind) for kind in FLOATS)
# Rows that R² needs: on a single row the variance of the targets is zero.
FEWEST_SCORED = 2


class NoRows(ValueError):
    """Every row has weight zero."""


def check_rows(estimator, X, name="X", *, reset=False, finite=False, order="C", **options):
    """X as a dense array or CSR of float32 or float64, copied only where needed.

    The rows of `fit`, of validation sets and of `predict` all pass through here. With y
    among the options it returns (X, y).

    Parameters
    ----------
    name : str
        Name of the argument, for messages.
    reset : bool
        Whether the estimator takes the names and the number of the columns from X.
    finite : bool
        Whether to refuse NaN and infinity.
    order : {"C", None}
        Memory order of dense X; None: any.
    **options
        Passed on to scikit-learn's `validate_data`; y may be one of them.
    """
    given, X = X, trusted(X, name)
    with naming({name: X, **{n: value for n, value in options.items() if n == "y"}}):
        checked = validate_data(
            estimator,
            X,
            accept_sparse="csr",
            accept_large_sparse=True,
            dtype=FLOATS,
            order=order,
            ensure_all_finite=finite,
            reset=reset,
            **options,
        )
    X, *y = checked if "y" in options else (checked,)
    if X.dtype not in FLOATS:  # validate_data keeps sparse columns of bool in a DataFrame
        X = X.astype(np.float64)
    if sparse.issparse(X) and not sparse.issparse(given):  # made from a DataFrame
        X = trusted(X, name)
    return (X, *y) if y else X


def check_X_y(estimator, X, y, reset):
    """X as `check_rows` returns it, y as float64.

    Whether X is finite is checked during the first pass over it, so that the check needs
    no separate pass.
    """
    if _as_they_are(X, y) and _known_by(estimator, X, reset):
        check_finite(y, "y")
        return X, y
    if sparse.issparse(y):
        raise TypeError("Sparse y is not supported: pass an array, y.toarray().")
    with naming({"y": y}):
        targets = np.asarray(y)
    if targets.ndim > 2:
        raise ValueError(
            "y must have shape (n_samples,) or (n_samples, n_outputs), got shape "
            f"{targets.shape}."
        )
    if targets.dtype in FLOATS:
        check_finite(targets, "y")
    X, y = check_rows(estimator, X, y=y, reset=reset, multi_output=True, y_numeric=True)
    with naming({"y": y}):
        copy = np.ascontiguousarray(y, dtype=np.float64)
    if copy is not y:
        release(y)
    return X, copy


def _known_by(estimator, X, reset):
    """Whether X has the columns of the estimator, which takes them from X with `reset`."""
    if reset:
        vars(estimator).pop("feature_names_in_", None)
        estimator.n_features_in_ = X.shape[1]
    same = X.shape[1] == estimator.n_features_in_
    return same and not hasattr(estimator, "feature_names_in_")


def _as_they_are(X, y):
    """Whether scikit-learn's checks would return the same arrays.

    Those checks take 0.2 ms: half of the time of a stream of single rows, or of a fit of a
    few rows.
    """
    if not (type(X) is type(y) is np.ndarray and X.ndim == 2 and y.ndim in (1, 2)):
        return False
    x_layout, y_layout = X.flags, y.flags
    return (
        X.dtype in (DOUBLE, SINGLE)
        and y.dtype == DOUBLE
        and x_layout.c_contiguous
        and x_layout.aligned
        and y_layout.c_contiguous
        and y_layout.aligned
        and len(X) == len(y)
        and X.size
        and y.size
    )


def check_validation(estimator, y, team, *, X_val, y_val, sample_weight_val):
    """The validation set as Data; `y` are the training targets."""
    X_val = check_rows(estimator, X_val, "X_val")
    check_finite(X_val, "X_val")
    with naming({"y_val": y_val}):
        y_val = check_array(
            y_val, dtype=np.float64, order="C", ensure_2d=False, input_name="y_val"
        )
    with naming({"X_val": X_val, "y_val": y_val}):
        check_consistent_length(X_val, y_val)
    if y_val.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"y_val has shape {y_val.shape} and y has shape {y.shape}: they must have the "
            "same number of outputs."
        )
    weights = check_weights(sample_weight_val, X_val, "sample_weight_val")
    held_out = Data.build(
        X_val, y_val.reshape(len(y_val), -1), weights, loss=SQUARED_ERROR, team=team
    )
    if held_out.n_rows < FEWEST_SCORED:
        raise ValueError(
            "X_val has one row of positive weight, and R² needs two rows or more. Pass "
            "more rows."
        )
    return held_out


def check_scored(y, weights, predicted):
    """The targets and weights of `score`, as float64."""
    with naming({"y": y}):
        y = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
    if len(y) != len(predicted) or y.size != predicted.size:
        raise ValueError(
            f"y has shape {y.shape}, and the predictions for X have {predicted.shape}."
        )
    return y, check_weights(weights, predicted, "sample_weight")


def hold_out(data, fraction, weights, rng):
    """Split the rows of positive weight: (the rest, a random `fraction` of them)."""
    n = data.n_rows
    count = max(FEWEST_SCORED, int(np.ceil(fraction * n)))
    if count >= n:
        raise ValueError(
            f"early_stopping=True holds out validation_fraction={fraction:g} of the rows "
            f"of positive weight, but of n_samples={n} that leaves none to learn "
            "from. Use more rows or a smaller fraction."
        )
    rows = rng.permutation(n)
    learn, held_out = np.sort(rows[count:]), np.sort(rows[:count])
    return (
        data.split(learn, weights, data.loss),
        data.split(held_out, weights, SQUARED_ERROR),  # scored by R², whatever the loss
    )


def check_weights(weights, X, name):
    """Weights as float64 of shape (n,), or None.

    Rows of weight zero are left out of the fit, but they must be finite too.
    """
    if weights is None:
        return None
    with naming({name: weights}):
        if isinstance(weights, Real):
            weights = np.full(X.shape[0], weights, dtype=np.float64)
        weights = check_array(
            weights,
            ensure_2d=False,
            dtype=np.float64,
            ensure_all_finite=False,
            input_name=name,
        )
    check_finite(weights, name)
    if weights.shape != (X.shape[0],):
        raise ValueError(
            f"{name} must have one number a row, shape ({X.shape[0]},), got shape "
            f"{weights.shape}."
        )
    if weights.min() < 0:
        row = int(np.argmin(weights >= 0))
        raise ValueError(
            f"Negative values in {name}, first at row {row} ({weights[row]:g}): weights "
            "must be zero or positive."
        )
    left_out = weights == 0
    if left_out.any() and (found := not_finite(X[left_out])):
        what, row, column = found
        row = int(np.flatnonzero(left_out)[row])
        raise ValueError(
            f"Input X contains {what}, first at row {row}, column {column} (a row of "
            "weight zero)."
        )
    if left_out.all():
        raise NoRows(f"All of {name} is zero: no row is left to learn from.")
    return weights


def check_init(value, data, name):
    """Initial coefficients or intercepts in the shape of the state, or None."""
    if value is None:
        return None
    shape = (data.n_outputs, data.n_features) if name == "coef_init" else (data.n_outputs,)
    with naming({name: value}):
        if np.ndim(value):
            value = check_array(
                value,
                ensure_2d=False,
                allow_nd=True,
                dtype=np.float64,
                ensure_min_samples=0,
                ensure_all_finite=False,
                input_name=name,
            )
        if np.iscomplexobj(value):  # a scalar: check_array refuses complex arrays
            raise ValueError("Complex data not supported.")
        value = np.asarray(value, dtype=np.float64)
    flat = shape[1:] if shape[0] == 1 else shape
    if value.shape not in (shape, flat):
        raise ValueError(
            f"{name} must have shape {flat}, like the fitted attribute, got {value.shape}."
        )
    check_finite(value.reshape(-1), name)
    return value
