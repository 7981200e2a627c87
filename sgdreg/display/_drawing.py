"""Helpers that the displays share: axes, colours, names, and the model in a pipeline."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sgdreg._estimator.regressor import SGDLinearRegressor

# The colours of Okabe and Ito's palette for all kinds of colour vision (Color Universal
# Design, 2008) that are visible on white and on black (the blue is a little lighter than
# theirs). The dashes tell lines apart when printed in grey.
COLOURS = ("#2180C0", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5, 1, 1.5)), (0, (3, 3)))
# This share of the smallest values is ignored when `spans` decides about a log axis: a
# cosine schedule ends at zero, and a linear axis shows it best.
ASIDE = 0.1
# On curves of at most FEW points every point is marked.
FEW = 12


def axes(ax, display, projection=None):
    """`ax`, or the axes of a new figure.

    Raises
    ------
    ImportError
        Without matplotlib.
    """
    try:
        import matplotlib  # noqa: PLC0415, F401 (optional)
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__} draws with matplotlib, which is not installed: "
            "pip install 'sgdreg[plot]'."
        ) from error
    if ax is not None:
        return ax
    from matplotlib import pyplot  # noqa: PLC0415 (chooses a window system)

    return pyplot.subplots(layout="constrained", subplot_kw={"projection": projection})[1]


def ink(ax):
    """The colour of the axes' labels: dark on light, light on dark."""
    return ax.xaxis.label.get_color()


def style(number):
    """Colour and dashes of the line with this number."""
    again, which = divmod(number, len(COLOURS))
    dashes = DASHES[(which + again) % len(DASHES)]
    return {"color": COLOURS[which], "linestyle": dashes}


def unwrapped(estimator, display):
    """The pipeline steps before the model (None without any), and the model itself."""
    before, model = None, estimator
    if isinstance(estimator, Pipeline):
        before, model = estimator[:-1] if len(estimator) > 1 else None, estimator[-1]
    if not isinstance(model, SGDLinearRegressor):
        raise TypeError(
            f"{display.__name__} shows a fitted SGDLinearRegressor, or a Pipeline that "
            f"ends with one, got {type(model).__name__}. (Of a search: best_estimator_.)"
        )
    check_is_fitted(model)
    return before, model


def by_name(things, names, describe):
    """One thing, a list of things or a dict, as a dict of name -> thing.

    Parameters
    ----------
    things : object, list or dict
    names : str, list of str or None
        None with a dict.
    describe : callable
        thing -> its name, where `names` is None.
    """
    if isinstance(things, Mapping):
        if names is not None:
            raise ValueError("names are given twice: by the dict, and by names.")
        return dict(things)
    things = list(things) if isinstance(things, list | tuple) else [things]
    if names is None:
        names = [describe(thing) for thing in things]
        often, seen = Counter(names), Counter()
        for i, name in enumerate(names):
            seen[name] += 1
            names[i] = f"{name} ({seen[name]})" if often[name] > 1 else name
    names = [names] if isinstance(names, str) else list(names)
    if len(names) != len(things) or len(set(names)) != len(names):
        raise ValueError(
            f"names must be {len(things)} different strings, one for each curve, got "
            f"{names}."
        )
    return dict(zip(names, things, strict=True))


def spans(values, factor):
    """Whether values differ by more than a factor, without the share ASIDE of smallest."""
    return 0 < factor * np.quantile(values, ASIDE) < values.max()


def geometrically(count):
    """Indices below `count`: all if they are few, else 0, 1, 2, 4, 8, … and the last."""
    if count <= FEW:
        return np.arange(count)
    doubled = 2 ** np.arange((count - 1).bit_length())
    return np.unique([0, *doubled, count - 1])


def one_of(value, name, choices):
    """Raise ValueError where a value is not one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}.")


def path_of(recorder, model, output):
    """Epochs (m,), coefficients (m, d) and intercepts (m,) of one output of a model's path.

    Raises
    ------
    ValueError
        Where nothing is recorded, or the path of another model.
    """
    if not len(getattr(recorder, "epochs_", ())):
        raise ValueError(
            "The trajectory is empty: model.set_callbacks(recorder) comes before model.fit."
        )
    coefs, intercepts = recorder.coefs_, recorder.intercepts_
    shape = (*np.shape(model.intercept_), model.n_features_in_)
    if coefs.shape[1:] != shape:
        raise ValueError(
            f"The trajectory has coefficients of shape {coefs.shape[1:]}, the model has "
            f"{shape}: it belongs to another model."
        )
    if coefs.ndim == 3:
        coefs, intercepts = coefs[:, output], intercepts[:, output]
    return recorder.epochs_, coefs.astype(np.float64), intercepts.astype(np.float64)
