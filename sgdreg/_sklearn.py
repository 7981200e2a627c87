"""The private names of scikit-learn that an estimator needs, in one place."""

from sklearn.base import _fit_context
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
)

__all__ = ["Interval", "InvalidParameterError", "StrOptions", "_fit_context"]
