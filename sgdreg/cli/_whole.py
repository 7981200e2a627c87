"""All rows of a file in memory."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from sgdreg.cli._messages import Unusable
from sgdreg.cli._rows import complete, joined
from sgdreg.cli._tally import Tally


def check_beginning(source, wanted):
    """Raise Unusable where the first rows of a source are of no use.

    It is for rows that are to judge a fit, before it. Those that are read only once wait.
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
    tally = Tally(source.title, wanted, fitted=survey is not None)
    kept, X = [], None
    for part in source.numbers(wanted):
        start = tally.kept
        rows = tally.complete(part)
        if survey is not None and not sparse.issparse(rows.X):
            # Filled in place, so that memory holds the numbers once.
            X = np.empty((survey.rows, rows.X.shape[1])) if X is None else X
            X[start : start + len(rows)] = rows.X
            rows = replace(rows, X=X[start : start + len(rows)])
        kept.append(rows)
    tally.check()
    return joined(kept, None if X is None else X[: tally.kept]), tally.notes()
