"""The private names of scikit-learn that an estimator needs, in one place."""

from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
)

__all__ = [
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "is_watched_by",
]


def is_watched_by(kind, context):
    """Whether a callback of this class watches a fit, or a fit that this one is part of."""
    while context is not None:
        if any(isinstance(callback, kind) for callback in context._callbacks):
            return True
        context = context.parent
    return False
