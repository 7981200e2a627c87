"""Mean and squares of the features by one compiled pass, a third of the time of chunks."""

from functools import partial

import numpy as np

from sgdreg._data.moments import second_moments
from sgdreg._kernels.descent import moments_about

# The pass is about the mean of so many rows. If the mean of all is further from it than so
# many standard deviations, which costs two digits, a second pass is about that.
CENTRE_ROWS, FAR = 32, 10.0


def compiled_moments(data):
    """What `second_moments` returns; of sparse rows by that function."""
    if data.is_sparse:
        return second_moments(data)
    total = data.total_weight
    X = data.rows.take(np.arange(0, data.n_rows, -(-data.n_rows // CENTRE_ROWS)))
    centre = X[0] + (X - X[0]).mean(axis=0)  # of equal numbers, that number
    for _ in range(2):
        sums, squares = sum(data.over_pieces(partial(_part, centre=centre)))
        step = sums / total
        squares = np.maximum(squares - step * sums, 0.0)
        far = total * step**2 > FAR**2 * squares
        moved = centre + step
        if not (far & (moved != centre)).any():
            break
        centre = moved
    return total, moved, squares


def _part(block, piece, centre):
    return moments_about(block.problem, centre, block.rows.index, *piece)
