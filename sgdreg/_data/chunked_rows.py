"""The rows of a matrix that is read a block at a time: memory does not hold all of it."""

from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from scipy import sparse

from sgdreg._data.ahead import ahead
from sgdreg._data.mapped import release
from sgdreg._data.rows import NO_ROWS, Rows, not_finite, refuse_not_finite
from sgdreg._records import record

# Bytes of a block: so many that threads share its pieces, and few beside the memory.
BLOCK_BYTES = 2**25
# ... and of a block of chunks in random order, within which rows are shuffled.
BUFFER_BYTES = 2**28


@dataclass(frozen=True)
class ChunkedMatrix:
    """A matrix of features that is read in blocks, from its beginning each time.

    Attributes
    ----------
    read : callable
        (numbers or None) -> generator of X (m, d), dense or CSR of one dtype: the chunks of
        the source, or those with these numbers, in this order.
    lengths : ndarray of intp
        The number of rows of each chunk; empty ones count, too.
    picks : bool
        Whether chunks can be read in another order than that of the source.
    shape : tuple of int
    dtype : dtype
    size : int
        The number of entries; of CSR rows: of non-zeros.
    is_sparse : bool
    """

    read: object
    lengths: np.ndarray
    picks: bool
    shape: tuple
    dtype: np.dtype
    size: int
    is_sparse: bool

    def blocks(self, rng=None):
        """Yield (rows, X) of blocks: chunks, small ones together.

        The rows are a slice, or an array of their numbers where chunks are in random order
        (H. Xu and others, Stochastic Gradient Descent without Full Data Shuffle, VLDB
        Journal 2024: a buffer of random chunks, shuffled, is nearly as good as a shuffle of
        all rows).
        """
        mixed = rng is not None
        numbers = None
        if mixed and self.picks:
            numbers = rng.permutation(np.flatnonzero(self.lengths))
        size, first = BUFFER_BYTES if mixed else BLOCK_BYTES, 0
        starts = np.cumsum(self.lengths) - self.lengths
        with closing(ahead(regrouped(self._of_known_length(numbers), size))) as blocks:
            for X, places in blocks:
                if numbers is None:
                    stop = first + X.shape[0]
                    yield slice(first, stop), X
                    first = stop
                    continue
                spans = [starts[p] + np.arange(self.lengths[p]) for p in numbers[places]]
                yield np.concatenate(spans), X

    def _of_known_length(self, numbers):
        """The chunks, of which each must have as many rows as when it was read first."""
        lengths = self.lengths if numbers is None else self.lengths[numbers]
        lengths = lengths[lengths > 0]
        count = 0
        for X in self.read(numbers):
            if count == len(lengths) or X.shape[0] != lengths[count]:
                break
            count += 1
            yield X
        if count < len(lengths):
            raise ValueError(
                "The source has other chunks than when it was read first, from chunk "
                f"{count + 1} on. It must give the same rows each time it is read."
            )


def regrouped(chunks, size):
    """Yield (X, numbers of its chunks), small chunks as one X of up to `size` bytes."""
    kept, places, held = [], [], 0
    for place, X in enumerate(chunks):
        kept.append(X)
        places.append(place)
        held += bytes_of(X)
        if held >= size / 2:  # two of them may be too many
            yield _together(kept), places
            kept, places, held = [], [], 0
    if kept:
        yield _together(kept), places


def bytes_of(X):
    """The memory that a dense or CSR matrix takes."""
    if sparse.issparse(X):
        return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    return X.nbytes


def _together(chunks):
    if len(chunks) == 1:
        return chunks[0]
    if sparse.issparse(chunks[0]):
        return sparse.vstack(chunks, format="csr")
    together = np.concatenate(chunks)
    for chunk in chunks:
        release(chunk)
    return together


@record
class ChunkedRows(Rows):
    """`Rows` of a `ChunkedMatrix`; those that take part are in their order.

    Whatever needs numbers of X reads the matrix from its beginning.
    """

    @cached_property
    def is_sparse(self):
        return self.X.is_sparse

    @property
    def in_memory(self):
        return False

    @property
    def is_one_block(self):
        return False

    def blocks(self, rng=None):
        """Yield (rows in memory, where they are among all, how many have gone before).

        With a generator of random numbers in a random order, as far as that is possible.
        """
        gone = 0
        with closing(self.X.blocks(rng)) as blocks:
            for at, X in blocks:
                rows = Rows(X, self._among(at))
                if len(self.index) and not len(rows.index):
                    continue
                yield rows, at, gone
                gone += rows.n_rows
                release(X)

    def _among(self, at):
        """See `Rows._among`; a block of chunks in random order has an array for `at`."""
        if isinstance(at, slice) or not len(self.index):
            return super()._among(at)
        place = np.searchsorted(self.index, at)
        place[place == len(self.index)] = 0
        return np.flatnonzero(self.index[place] == at)

    def chunks(self, at_least=1, within=None, size=None, dense=True):
        """See `Rows.chunks`; a piece may have rows of several blocks."""
        kept, places, held = [], [], 0
        for X, place in self._pieces(at_least, within, size, dense):
            kept.append(X)
            places.append(place)
            held += X.shape[0]
            if held >= at_least:
                yield _together(kept), _joined(places)
                kept, places, held = [], [], 0
        if kept:
            yield _together(kept), _joined(places)

    def _pieces(self, at_least, within, size, dense):
        """The pieces of each block; the last one of a block may have fewer rows."""
        first, last = within or (0, self.n_rows)
        sized = {} if size is None else {"size": size}
        for rows, at, gone in self.blocks():
            low, high = max(first, gone), min(last, gone + rows.n_rows)
            if low >= high:
                if gone >= last:
                    return
                continue
            part = low - gone, high - gone
            for X, place in rows.chunks(at_least, part, dense=dense, **sized):
                yield X, _moved(place, at.start)

    def each(self, function, given=None):
        """Yield function(rows, *more) of each block, in order: where the rows lie.

        Parameters
        ----------
        function : callable
            The first argument is the block, as `Rows` in memory.
        given : callable or None
            (how many rows have gone before, rows of the block that take part, where its
            rows are among all) -> the other arguments, or None where the block is not
            needed.
        """
        for rows, at, gone in self.blocks():
            more = () if given is None else given(gone, rows.n_rows, at)
            if more is not None:
                yield function(rows, *more)

    def take(self, positions):
        """These rows, as a dense matrix of float64, by a read."""
        order = np.argsort(positions, kind="stable")
        wanted = np.asarray(positions)[order]
        found = np.empty((len(wanted), self.n_features))
        found[order] = np.concatenate(list(self.each(Rows.take, _among_blocks(wanted))))
        return found

    def stored(self, positions):
        """These rows (sorted positions) in memory, as they are stored, by a read."""
        return _together(list(self.each(Rows.stored, _among_blocks(positions))))

    def products(self, coef):
        """x·coef of each row."""
        return np.concatenate(list(self.each(partial(Rows.products, coef=coef))))

    def sums(self, factors):
        """Σ factor_i x_i."""
        parts = self.each(Rows.sums, lambda gone, count, _: (factors[gone : gone + count],))
        return sum(parts)

    def counts(self):
        """See `Rows.counts`."""
        return sum(self.each(Rows.counts)) if self.is_sparse else super().counts()

    def vary(self, columns):
        """See `Rows.vary`."""
        if not len(columns):
            return False
        first = None
        for here, differ in self.each(partial(_first_and_vary, columns=columns)):
            first = here if first is None else first
            if differ or (here != first).any():
                return True
        return False

    def check_finite(self):
        """See `Rows.check_finite`; the row is counted from the first of all."""
        every = replace(self, index=NO_ROWS)
        for first, found in every.each(_first_not_finite, lambda gone, *_: (gone,)):
            if found is not None:
                refuse_not_finite(*found, "X", first=first)


def _among_blocks(positions):
    """Which of some sorted positions are in a block, for `each`."""

    def given(gone, count, _):
        low, high = np.searchsorted(positions, [gone, gone + count])
        return (positions[low:high] - gone,) if low < high else None

    return given


def _first_and_vary(rows, columns):
    return rows.take(np.zeros(1, np.intp))[0, columns], rows.vary(columns)


def _first_not_finite(rows, gone):
    return gone, not_finite(rows.X)


def _joined(places):
    """The index of consecutive pieces together."""
    if len(places) == 1:
        return places[0]
    if isinstance(places[0], slice):
        return slice(places[0].start, places[-1].stop)
    return np.concatenate(places)


def _moved(place, start):
    """An index of rows, for an array that begins `start` rows earlier."""
    if isinstance(place, slice):
        return slice(start + place.start, start + place.stop)
    return start + place
