"""The order of the rows and mini-batches of an epoch: what `shuffle` says.

Each epoch takes one draw from the generator, in the same way whether epochs are drawn one
by one or many at once, so that k calls for one epoch equal one call for k epochs.
"""

import numpy as np

from sgdreg._data.rows import NO_ROWS
from sgdreg._records import record

# Mini-batches of one compiled call, at most: the arrays made for it then take 2 MiB.
CALL_BATCHES = 2**16
# Numbers of X that one compiled call reads, at most (but one batch at least): some tenths
# of a second, so that Ctrl-C is answered.
CALL_NUMBERS = 2**27
# Values of `shuffle` that draw a new list of rows for each epoch.
ROW_ORDERS = ("rows", "replacement")


@record
class Order:
    """How n rows are cut into mini-batches, and the order in which these are used.

    Attributes
    ----------
    n_rows : int
    batch_size : int
    shuffle : {"rows", "blocks", "replacement", "sequential"}
    row_size : int
        The number of entries of X in a row (for CSR: non-zeros, on average).
    chances : ndarray or None
        For "replacement": the probability of each row, up to a factor. None: all equal.
    """

    n_rows: int
    batch_size: int
    shuffle: str
    row_size: int = 1
    chances: np.ndarray | None = None

    @property
    def n_batches(self):
        """The number of steps in an epoch, which includes a last, short batch."""
        return -(-self.n_rows // self.batch_size)

    def epochs_at_once(self, wanted):
        """The number of whole epochs that fit into one compiled call (at least one)."""
        rows = self.n_rows if self.shuffle in ROW_ORDERS else 1
        fit = CALL_BATCHES // max(self.n_batches, rows)
        fit = min(fit, CALL_NUMBERS // (self.n_rows * self.row_size))
        return max(1, min(wanted, fit))

    def _batches_at_once(self):
        """The number of batches of one epoch that fit into a compiled call."""
        numbers = self.batch_size * self.row_size
        return max(1, min(CALL_BATCHES, CALL_NUMBERS // numbers))

    def draw(self, rng, among=NO_ROWS, epochs=1):
        """Yield (rows, batches) pieces that make up the next `epochs` epochs.

        Parameters
        ----------
        rng : numpy.random.Generator
        among : ndarray of intp
            The rows that take part; empty: all, as stored.

        Yields
        ------
        rows : ndarray of intp
            The rows in the order of use; empty: as stored.
        batches : ndarray of intp, shape (count, 2)
            (start, stop) of each mini-batch in `rows`.
        """
        rows, blocks, n_batches = among, None, self.n_batches
        if n_batches > 1 and self.shuffle == "rows":
            rows = _permutations(rng, among if len(among) else self.n_rows, epochs)
        elif n_batches > 1 and self.shuffle == "replacement":
            rows = self._drawn(rng, among, epochs)
        elif n_batches > 1 and self.shuffle == "blocks":
            blocks = _permutations(rng, n_batches, epochs)
        if epochs > 1:
            yield rows, self._batches(blocks, 0, n_batches, epochs, rows is not among)
            return
        count = self._batches_at_once()
        for first in range(0, n_batches, count):
            yield rows, self._batches(blocks, first, min(count, n_batches - first))

    def _drawn(self, rng, among, epochs):
        """For each epoch n_rows rows, each drawn at random from all."""
        draws = rng.random(self.n_rows * epochs)
        if self.chances is None:
            at = (draws * self.n_rows).astype(np.intp)
        else:
            ends = np.cumsum(self.chances)
            at = np.searchsorted(ends, draws * ends[-1], side="right")
        at = np.minimum(at, self.n_rows - 1)  # rounding may reach n_rows
        return among[at] if len(among) else at

    def _batches(self, blocks, first, count, epochs=1, rows_by_epoch=False):
        """(start, stop) of `count` batches from number `first` on, for each epoch.

        With `rows_by_epoch` the list of rows has a part for every epoch, in order.
        """
        if rows_by_epoch and epochs > 1 and self.n_rows % self.batch_size == 0:
            ends = np.arange(count * epochs + 1, dtype=np.intp) * self.batch_size
            return np.column_stack([ends[:-1], ends[1:]])  # no short batches
        if blocks is None:
            block = np.tile(np.arange(first, first + count, dtype=np.intp), epochs)
        else:
            block = blocks[first : first + count * epochs]
        batches = np.empty((len(block), 2), dtype=np.intp)
        batches[:, 0] = block * self.batch_size
        np.minimum(batches[:, 0] + self.batch_size, self.n_rows, out=batches[:, 1])
        if rows_by_epoch and epochs > 1:
            offset = np.arange(epochs, dtype=np.intp) * self.n_rows
            batches.reshape(epochs, count, 2)[:] += offset[:, None, None]
        return batches


def _permutations(rng, base, epochs):
    """`epochs` permutations of `base` (an int: of 0 … base - 1), one after the other."""
    if epochs == 1:
        return rng.permutation(base).astype(np.intp, copy=False)
    base = np.arange(base, dtype=np.intp) if isinstance(base, int) else base
    return rng.permuted(np.tile(base, (epochs, 1)), axis=1).ravel()
