"""Sums of products ZᵀZ over blocks of rows, which threads compute side by side."""

import numpy as np

# A block has as many rows as columns, within these limits: to add its products to the sum
# then takes a twentieth of the time that they take.
LEAST_ROWS, MOST_ROWS = 256, 1024


def block_rows(width):
    """How many rows a block of `width` columns should have."""
    return min(max(LEAST_ROWS, width), MOST_ROWS)


class Gram:
    """Σ ZᵀZ of blocks Z, in the precision of the blocks.

    By NumPy's product, which computes one half of a symmetric matrix (BLAS's syrk) and
    lets other threads work meanwhile: SciPy's calls of BLAS hold the interpreter's lock.

    Attributes
    ----------
    total : ndarray of shape (width, width)
    """

    def __init__(self, width, dtype=np.float64):
        self.total, self._block = np.zeros((width, width), dtype), None

    def add(self, Z):
        """Add the products of the columns of a block, which must be contiguous."""
        if self._block is None:
            self._block = np.empty_like(self.total)
        np.matmul(Z.T, Z, out=self._block)
        self.total += self._block
