"""The curvature of a data set: by products, or by QR if its digits need that."""

from math import isfinite

import numpy as np

from sgdreg._curvature.costs import QR_WORK
from sgdreg._curvature.factor import Curvature
from sgdreg._curvature.products import curvature_by_products
from sgdreg._curvature.triangles import column_norms, column_squares
from sgdreg._curvature.whitened import (
    curvature_by_whitened_products,
    depend_on_each_other,
)
from sgdreg._data.moments import refuse_overflow
from sgdreg._records import changed

# Products are used for more than this many rows for each column; with fewer rows some
# directions are weak, which products cannot resolve.
TALL = 2


def curvature_of(data, fit_intercept, start=None, *, work=QR_WORK):
    """The curvature of all rows of the data, added to that of `start`.

    Up to `work` (n d²) by QR, unless products have digits to spare. (For a sample `work` is
    0: it needs no last digit.)
    """
    d = data.n_features
    known = None
    if data.n_rows > TALL * d:
        # Later rows of a stream never get the step that corrects products of few digits.
        easy = start is not None or data.n_rows * d**2 <= work
        if start is None or not depend_on_each_other(start):
            known = curvature_by_products(data, fit_intercept, easy=easy)
        if known is None and start is not None:
            known = curvature_by_whitened_products(data, start)
    if known is not None:
        known = changed(known, coarse=data.coarse) if data.coarse else known
        return known if start is None else start.joined(known)
    known = start or Curvature.empty(d, data.n_outputs, fit_intercept)
    if data.coarse > known.coarse:
        known = changed(known, coarse=data.coarse)
    if start is None and data.n_rows <= d + fit_intercept:
        known = known.of_few(*_at_once(data))
    else:
        # Each factorisation includes the triangle again, so pieces have d rows or more.
        for piece in data.chunks(at_least=d):
            known = known.add(*piece)
    squares = known.mean @ known.mean, column_squares(known.features).sum()
    if isfinite(sum(squares)):  # nearly always: all numbers are then finite
        return known
    sizes = column_norms(known.features)
    if not np.isfinite(known.mean).all() or not np.isfinite(sizes).all():
        refuse_overflow(data, known.mean + sizes)
    return known


def _at_once(data):
    """All rows as one (X, y, weights): there are no more than features."""
    parts = list(data.chunks(at_least=data.n_rows))
    if len(parts) == 1:
        return parts[0]
    return [np.concatenate(each) for each in zip(*parts, strict=True)]  # of blocks
