"""Error sentences that name the argument, and the cell, that is not a number."""

import re
from contextlib import contextmanager

import numpy as np
from scipy import sparse

# Beginnings of the names of types that hold dates or durations, in pandas and polars.
OF_TIME = ("date", "time", "period", "duration", "interval")
ON_TIME = "Turn times into numbers first, such as days since the first one."
# Text of an error of scikit-learn or NumPy -> whether it can be about this argument.
SIGNS = {
    "Found array with 0": lambda value: 0 in np.shape(value),
    "Expected 2D array": lambda value: np.ndim(value) != 2,
    "np.matrix": lambda value: isinstance(value, np.matrix),
}
# Characters of a cell that a message shows.
SHOWN = 50


@contextmanager
def naming(arguments):
    """Name the argument at fault in errors that conversions raise within the block.

    And the row and column, where a cell is not a number. The messages of NumPy, pandas and
    scikit-learn say neither, and mention their internals.

    Parameters
    ----------
    arguments : dict
        {name: value}
    """
    try:
        yield
    except Exception as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        for name, value in arguments.items():
            if text := _fault(name, value):
                raise kind(text) from error
        if not isinstance(error, ValueError | TypeError | OverflowError):
            raise  # the object's own __array__ has raised it
        named = any(re.search(rf"\b{name}\b", str(error)) for name in arguments)
        if named and isinstance(error, kind):
            raise
        text = str(error) if named else f"In {_named(arguments, error)}: {error}"
        raise kind(text) from error


def _named(arguments, error):
    """The name of the first argument that an error can be about, or all names."""
    for sign, is_like in SIGNS.items():
        if sign in str(error):
            arguments = [name for name in arguments if is_like(arguments[name])][:1]
    return " and ".join(arguments)


def _fault(name, value):
    """What is wrong with a value that must be an array of numbers; None if unknown."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "c":
        return _complex(name)
    if sparse.issparse(value):
        return None
    if text := _of_time(name, value):
        return text
    try:
        cells = np.asarray(value)
    except ValueError:
        return _ragged(name, value)
    except Exception:  # an object's own method may raise anything
        return None
    if cells.dtype.kind == "c":
        return _complex(name)
    if cells.dtype.kind == "V":
        return (
            f"In {name}: a structured array of fields {cells.dtype.names} is no array of "
            "numbers. Pass numpy.lib.recfunctions.structured_to_unstructured of it."
        )
    if cells.ndim == 0 and cells.dtype.kind == "O" and not np.isscalar(value):
        return _no_cell(name, value, ())
    if cells.dtype.kind in "OUS":
        for place, cell in np.ndenumerate(cells):
            if text := _no_cell(name, cell, place):
                return text
    if cells.ndim > 2:
        return (
            f"In {name}: Found array with dim {cells.ndim}, of shape {cells.shape}. "
            "Reshape it to rows and columns."
        )
    return None


def _complex(name):
    return (
        f"In {name}: Complex data not supported. Pass real and imaginary parts as "
        "separate columns."
    )


def _of_time(name, value):
    """The sentence on the first column of a table that holds times; None without one."""
    try:
        len(value)  # lazy tables have no length yet
        types = list(zip(value.columns, value.dtypes, strict=True))
    except Exception:  # not a table
        return None
    for column, kind in types:
        if str(kind).lower().startswith(OF_TIME):
            return f"In {name}: column {column!r} holds {kind}, not numbers. {ON_TIME}"
    return None


def _no_cell(name, cell, place):
    """The sentence on a cell, or a whole argument, that is not a number; else None."""
    try:
        float(cell)
        return None
    except OverflowError:
        what, remedy = "a number beyond float64, which ends at 1.8e308", "Rescale it."
    except Exception:  # an object's own method may raise anything
        if cell is None:  # conversions take it as NaN
            return None
        kind = type(cell).__name__
        if isinstance(cell, str | bytes):
            what = "could not convert string to float"
            remedy = "Encode categories, for example with OneHotEncoder."
        elif kind in ("NAType", "NaTType"):
            what, remedy = "a missing value", "Drop such rows, or fill them in."
        elif kind.lower().startswith(OF_TIME):
            what, remedy = f"{kind} is no number", ON_TIME
        elif isinstance(cell, list | tuple | np.ndarray):
            what, remedy = (
                "a cell holds several numbers",
                "Pass an array, numpy.stack(...).",
            )
        elif not place:
            what, remedy = "no array of numbers", "Pass an array, or a list of rows."
        else:
            what = "each cell of an argument must be a number, or a string that is a number"
            remedy = f"This is of type {kind}."
    where = [f"{what} {at}" for what, at in zip(("row", "column"), place, strict=False)]
    at = f" at {', '.join(where)}" if where else ""
    return f"In {name}: {what} ({_shown(cell)}{at}). {remedy}"


def _shown(cell):
    try:
        return repr(str(cell)[:SHOWN])
    except Exception:  # integers of too many digits; methods that raise
        return f"a value of type {type(cell).__name__}"


def _ragged(name, rows):
    """The sentence on the first row whose length differs from that of row 0."""
    try:
        sizes = [np.size(row) for row in rows]
    except Exception:  # nested rows of different lengths
        return f"In {name}: rows must have one length, and these contain ragged rows."
    for row, size in enumerate(sizes):
        if size != sizes[0]:
            return (
                f"In {name}: row {row} has {size} columns, and row 0 has {sizes[0]}. All "
                "rows must have the same number of columns."
            )
    return None
