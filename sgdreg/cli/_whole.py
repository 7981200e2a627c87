"""All rows of a file in memory."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from sgdreg.cli._messages import Unusable, listed
from sgdreg.cli._rows import add_odd, complete, joined, remarks


def gathered(source, wanted, survey=None):
    """All rows without an empty cell, and a note on the others.

    Parameters
    ----------
    source : Source
    wanted : Wanted
    survey : Survey or None
        Of the source, where there is one.

    Returns
    -------
    rows : Rows
    notes : list of str

    Raises
    ------
    Unusable
        Where too few are left.
    """
    kept, met, X, unknown = [], 0, None, {}
    for part in source.numbers(wanted):
        rows = complete(part, wanted, source.title)
        if survey is not None and not sparse.issparse(rows.X):
            # Filled in place, so that memory holds the numbers once.
            X = np.empty((survey.rows, rows.X.shape[1])) if X is None else X
            start = sum(map(len, kept))
            X[start : start + len(rows)] = rows.X
            rows = replace(rows, X=X[start : start + len(rows)])
        kept.append(rows)
        met += len(part)
        add_odd(unknown, part.unknown)
    left = sum(map(len, kept))
    empty = _empty_cells(survey, wanted)
    if left == 0:
        raise Unusable(
            f"No rows are left: each of the {met:,} rows of {source.title} has an empty "
            f"cell in a used column{empty}."
        )
    if left == 1:
        raise Unusable(
            f"{source.title} has only one row to fit; a line takes two at least."
        )
    rows = joined(kept, None if X is None else X[:left])
    if rows.weights is not None and not rows.weights.any():
        raise Unusable(f"All weights in column {wanted.weights} of {source.title} are 0.")
    notes = remarks(unknown, source.title)
    if left < met:
        where = "" if survey is not None else f" of {source.title}"
        notes.append(
            f"Dropped {met - left:,} of {met:,} rows{where} for empty cells"
            f"{empty.replace(':', ', in:')}."
        )
    return rows, notes


def _empty_cells(survey, wanted):
    """How many there are in each used column, the emptiest first."""
    if survey is None:
        return ""
    names = set(wanted.columns)
    used = [c for c in survey.columns if c.name in names and c.empty]
    used.sort(key=lambda c: -c.empty)
    names = [f"{c.name} ({c.empty:,})" for c in used]
    return f": {listed(names)}" if names else ""
