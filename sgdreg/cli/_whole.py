"""All rows of a file in memory."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from sgdreg.cli import _memory
from sgdreg.cli._messages import Unusable
from sgdreg.cli._rows import complete, joined
from sgdreg.cli._tally import Tally


def check_beginning(source, wanted):
    """Raise Unusable where the first rows of a source cannot be used.

    It checks validation rows before the fit. Sources that can be read only once are
    checked after it.
    """
    if not source.again:
        return
    for part in source.numbers(wanted):
        complete(part, wanted, source.title)
        if len(part):
            return
    raise Unusable(f"{source.title} has a header but no rows.")


def gathered(source, wanted, survey=None):
    """All rows without an empty cell, and notes on the others.

    Parameters
    ----------
    source : Source
    wanted : Wanted
    survey : Survey or None
        The survey of the source, if there is one.

    Returns
    -------
    rows : FileRows
    notes : list of str

    Raises
    ------
    Unusable
        Where too few rows are left, or too many without a survey.
    """
    tally = Tally(source.title, wanted, fitted=survey is not None)
    kept, X, size = [], None, 0
    for part in source.numbers(wanted):
        start = tally.kept
        rows = tally.complete(part)
        if survey is not None and not sparse.issparse(rows.X):
            # X is filled in place, so that memory holds the numbers only once.
            X = np.empty((survey.rows, rows.X.shape[1])) if X is None else X
            X[start : start + len(rows)] = rows.X
            rows = replace(rows, X=X[start : start + len(rows)])
        kept.append(rows)
        size += rows.nbytes
        if survey is None and not _memory.holds(size):
            raise Unusable(
                f"{source.title} does not fit into memory, which holds the rows that "
                "choose the best epoch: give a part of them."
            )
    tally.check()
    return joined(kept, None if X is None else X[: tally.kept]), tally.notes()
