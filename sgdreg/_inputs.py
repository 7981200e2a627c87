"""Checks of what the user passes: parameters, weights, initial values."""

import inspect
import warnings
from contextlib import contextmanager
from functools import cache
from numbers import Real

import numpy as np
from sklearn.utils import check_array

from sgdreg._data import check_finite, not_finite

NAMED_STEPS = ("constant", "invscaling", "adaptive")


def check_parameters(estimator, *, online=False, **validation):
    """Raise for parameters that contradict each other, warn about those without effect.

    Parameters
    ----------
    online : bool
        For `partial_fit`.
    **validation
        X_val, y_val and sample_weight_val as given to `fit`.
    """
    p = estimator
    X_val, y_val = validation.get("X_val"), validation.get("y_val")
    if (X_val is None) != (y_val is None):
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(f"{given} was given without {missing}: pass both or neither.")
    if X_val is None and validation.get("sample_weight_val") is not None:
        raise ValueError("sample_weight_val was given without X_val and y_val.")
    if p.early_stopping and X_val is not None:
        raise ValueError(
            "early_stopping=True holds out a validation set of its own, but X_val and "
            "y_val were given too. Use early_stopping=False to validate on X_val."
        )
    if p.early_stopping and online:
        raise ValueError(
            "early_stopping=True does not work with partial_fit, which never stops by "
            "itself. Set early_stopping=False and score after each call."
        )
    if p.learning_rate == "optimal" and p.alpha == 0:
        raise ValueError(
            "learning_rate='optimal' divides by alpha, which is 0. Set alpha > 0 or use "
            "another learning rate."
        )
    if p.learning_rate == "adaptive" and p.tol is None and not online:
        warnings.warn(
            "learning_rate='adaptive' never shortens its steps with tol=None, which "
            "leaves no measure of stalling; set tol.",
            stacklevel=3,
        )
    for name, why in _without_effect(p):
        if getattr(p, name) != _default(type(p), name):
            warnings.warn(
                f"{name}={getattr(p, name)!r} has no effect with {why}.", stacklevel=3
            )


def _without_effect(p):
    """(parameter, the setting that makes it one without effect)."""
    if p.penalty != "elasticnet":
        yield "l1_ratio", f"penalty={p.penalty!r}"
    if p.penalty is None and p.learning_rate != "optimal":
        yield "alpha", "penalty=None"
    if p.loss == "squared_error":
        yield "epsilon", "loss='squared_error'"
        yield "quantile", "loss='squared_error'"
    if not (isinstance(p.learning_rate, str) and p.learning_rate in NAMED_STEPS):
        yield "eta0", f"learning_rate={p.learning_rate!r}"
    if not (isinstance(p.learning_rate, str) and p.learning_rate == "invscaling"):
        yield "power_t", f"learning_rate={p.learning_rate!r}"
    if not p.early_stopping:
        yield "validation_fraction", "early_stopping=False"


@cache
def _default(cls, name):
    return inspect.signature(cls.__init__).parameters[name].default


def check_weights(weights, X, name):
    """Weights as float64 of shape (n,), or None; the rows left out must be finite too."""
    if weights is None:
        return None
    if isinstance(weights, Real):
        weights = np.full(X.shape[0], weights)
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
    if left_out.all():
        raise ValueError(f"All of {name} is zero: no row is left to learn from.")
    if left_out.any() and (found := not_finite(X[left_out])):
        what, row, column = found
        row = int(np.flatnonzero(left_out)[row])
        raise ValueError(
            f"Input X contains {what}, first at row {row}, column {column} (a row of "
            "weight zero)."
        )
    return weights


def check_init(value, shape, name):
    """Initial coefficients or intercepts in the shape of the state."""
    value = (
        check_array(
            value,
            ensure_2d=False,
            allow_nd=True,
            dtype=np.float64,
            ensure_min_samples=0,
            input_name=name,
        )
        if np.ndim(value)
        else np.asarray(value, dtype=np.float64)
    )
    flat = shape[1:] if shape[0] == 1 else shape
    if value.shape not in (shape, flat):
        raise ValueError(
            f"{name} must have shape {flat}, like the fitted attribute, got {value.shape}."
        )
    if not np.isfinite(value).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return value


@contextmanager
def names_restored_on_failure(estimator):
    """Put back what input validation recorded of X when the fit then fails."""
    recorded = ("n_features_in_", "feature_names_in_")
    before = {name: vars(estimator)[name] for name in recorded if name in vars(estimator)}
    try:
        yield
    except BaseException:
        for name in recorded:
            vars(estimator).pop(name, None)
        vars(estimator).update(before)
        raise
