"""The order of the mini-batches: rows, blocks, draws or sequential.

One draw from the generator an epoch, of the same kind whether epochs are drawn one by
one or many at once, so that k calls for one epoch equal one call for k.
"""

from dataclasses import dataclass

import numpy as np

from sgdreg._data.rows import NO_ROWS

# Mini-batches that one compiled call takes: bounds the arrays made for it to 2 MiB.
CALL_BATCHES = 2**16
# Numbers of X that one compiled call reads, if it has a choice: some tenths of a second,
# so that Ctrl-C is answered.
CALL_NUMBERS = 2**27
# Orders that give each epoch rows of its own.
OWN_ROWS = ("rows", "replacement")


@dataclass(frozen=True)
class Order:
    """How n rows are cut into mini-batches and in which order these are used.

    Attributes
    ----------
    n_rows : int
    batch_size : int
    shuffle : {"rows", "blocks", "replacement", "sequential"}
    row_size : int
        Numbers of X in a row.
    chances : ndarray or None
        Of drawing with replacement: each row's, up to a factor. None: all alike.
    """

    n_rows: int
    batch_size: int
    shuffle: str
    row_size: int = 1
    chances: np.ndarray | None = None

    @property
    def n_batches(self):
        """Steps an epoch; the last short batch is kept."""
        return -(-self.n_rows // self.batch_size)

    def epochs_at_once(self, wanted):
        """How many whole epochs fit one compiled call (at least one)."""
        rows = self.n_rows if self.shuffle in OWN_ROWS else 1
        fit = CALL_BATCHES // max(self.n_batches, rows)
        fit = min(fit, CALL_NUMBERS // (self.n_rows * self.row_size))
        return max(1, min(wanted, fit))

    def _batches_at_once(self):
        """How many batches of one epoch fit a call."""
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
            Rows in the order of use; empty: as stored.
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
        """Rows drawn one by one, by chance, as many as there are, for each epoch."""
        draws = rng.random(self.n_rows * epochs)
        if self.chances is None:
            at = (draws * self.n_rows).astype(np.intp)
        else:
            ends = np.cumsum(self.chances)
            at = np.searchsorted(ends, draws * ends[-1], side="right")
        at = np.minimum(at, self.n_rows - 1)  # rounding
        return among[at] if len(among) else at

    def _batches(self, blocks, first, count, epochs=1, own_rows=False):
        """(start, stop) of `count` batches from the first on, for each of `epochs`.

        With `own_rows` every epoch has rows of its own, one epoch's after another's.
        """
        if own_rows and epochs > 1 and self.n_rows % self.batch_size == 0:
            ends = np.arange(count * epochs + 1, dtype=np.intp) * self.batch_size
            return np.column_stack([ends[:-1], ends[1:]])  # one after the other
        if blocks is None:
            block = np.tile(np.arange(first, first + count, dtype=np.intp), epochs)
        else:
            block = blocks[first : first + count * epochs]
        batches = np.empty((len(block), 2), dtype=np.intp)
        batches[:, 0] = block * self.batch_size
        np.minimum(batches[:, 0] + self.batch_size, self.n_rows, out=batches[:, 1])
        if own_rows and epochs > 1:
            offset = np.arange(epochs, dtype=np.intp) * self.n_rows
            batches.reshape(epochs, count, 2)[:] += offset[:, None, None]
        return batches


def _permutations(rng, base, epochs):
    """`epochs` permutations of `base` (a count: of 0 … base - 1), flat, one by one."""
    if epochs == 1:
        return rng.permutation(base).astype(np.intp, copy=False)
    base = np.arange(base, dtype=np.intp) if isinstance(base, int) else base
    return rng.permuted(np.tile(base, (epochs, 1)), axis=1).ravel()
