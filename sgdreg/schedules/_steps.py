"""The step sizes of any schedule, by one call for many steps or one call a step."""

from contextlib import suppress

import numpy as np
from sklearn.base import BaseEstimator


def step_sizes(schedule, t):
    """The array of eta at the step numbers t, an array of float64.

    Raises
    ------
    ValueError
        If a step size is negative, not finite, or not a number.
    """
    eta = None
    try:
        given = schedule(t)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(schedule, BaseEstimator):
            raise _in_words(error) from error
    else:
        with suppress(TypeError, ValueError, OverflowError):
            eta = None if np.iscomplexobj(given) else np.asarray(given, dtype=np.float64)
    # A function of one number is called for each step.
    if eta is None or eta.shape not in ((), t.shape):
        eta = np.array([_one_step(schedule, int(i)) for i in t])
    eta = np.ascontiguousarray(np.broadcast_to(eta, t.shape))
    good = (eta >= 0) & (eta < np.inf)
    if not good.all():
        at = int(np.argmin(good))
        raise ValueError(
            f"The step size that learning_rate gives at step {int(t[at])} is {eta[at]}: "
            f"every one must be finite and not negative. Check {schedule!r}."
        )
    return eta


def _one_step(schedule, t):
    try:
        value = schedule(t)
    except (TypeError, ValueError, OverflowError) as error:
        raise _in_words(error, f"{schedule!r} at step {t}: ") from error
    try:
        return float("complex" if np.iscomplexobj(value) else value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"The step size that learning_rate gives at step {t} must be a number, got an "
            f"object of type {type(value).__name__}{_shape(value)}. Check {schedule!r}."
        ) from None


def _in_words(error, place=""):
    """The error of a schedule, or of its inner schedule, with the parameter's name."""
    if "learning_rate" in str(error):
        return error
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"In learning_rate: {place}{error}")


def _shape(value):
    """The shape of an array, in words; empty for other objects."""
    return f" and shape {value.shape}" if hasattr(value, "shape") else ""
