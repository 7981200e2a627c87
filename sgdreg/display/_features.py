"""The coefficients that a display shows: by number, by name, or the intercept."""

from numbers import Integral

import numpy as np

INTERCEPT = "intercept"


def names_of(before, model):
    """A name for each coefficient, and for the intercept, which is the last."""
    try:
        named = before.get_feature_names_out() if before else model.feature_names_in_
    except AttributeError:  # a step without feature names, or a plain array
        return [f"coefficient {at}" for at in range(model.n_features_in_)] + [INTERCEPT]
    return [f"coefficient of {name}" for name in named] + [INTERCEPT]


def numbers_of(features, names, model):
    """Numbers of the two coefficients; the intercept has the number n_features."""
    if np.ndim(features) != 1 or len(features) != 2:
        raise ValueError(
            f"features must be two of: a column's number or name, 'intercept'; got "
            f"{features!r}."
        )
    chosen = [_number(feature, names) for feature in features]
    if chosen[0] == chosen[1]:
        raise ValueError(f"features names the same one twice: {names[chosen[0]]}.")
    if len(names) - 1 in chosen and not model.fit_intercept:
        raise ValueError(
            "The model has no intercept (fit_intercept=False): choose two columns as "
            "features."
        )
    return chosen


def _number(feature, names):
    """The number of one coefficient."""
    if feature == INTERCEPT:
        return len(names) - 1
    if isinstance(feature, Integral) and -len(names) < feature < len(names) - 1:
        return int(feature) % (len(names) - 1)
    if f"coefficient of {feature}" in names:
        return names.index(f"coefficient of {feature}")
    raise ValueError(
        f"features holds {feature!r}, which is no column of X: of {len(names) - 1} columns "
        "give the number or the name, or 'intercept'."
    )
