"""Parameters as they were: for comparison later, and for files."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

# Of values that never change.
PLAIN = {bool, int, float, str, type(None)}


@dataclass(frozen=True)
class Frozen:
    """An object among the parameters, as it was: its class and its own parameters."""

    kind: type
    parameters: dict


def snapshot(estimator):
    """The parameters, nested ones too, for comparison (get_params takes 50 µs).

    Of an estimator, or of a dict of its attributes.
    """
    attributes = estimator if type(estimator) is dict else vars(estimator)
    return {
        name: value if type(value) in PLAIN else _frozen(value)
        for name, value in attributes.items()
        if name[:1] != "_" and name[-1:] != "_"
    }


def alike(one, other):
    """Whether two such snapshots are equal; where values do not compare, they are not."""
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # arrays, and missing values
        return False


def _frozen(value):
    """A parameter's value, in a form that can be compared and does not change."""
    if isinstance(value, BaseEstimator):
        return Frozen(
            type(value), {name: _frozen(own) for name, own in vars(value).items()}
        )
    return value.tolist() if isinstance(value, np.ndarray) else value
