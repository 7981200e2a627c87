"""Products of the columns of sparse rows, at the cost of their non-zeros."""

import numpy as np

from sgdreg._data.sums import added

# SciPy takes some 5 ns for a product of two non-zeros, BLAS at most a tenth of a nanosecond
# for one of two numbers. So the products by non-zeros are faster if a row has fewer
# non-zeros than this share of the features.
FEW = 0.1
# Subtracting the mean after a product costs digits if it is larger than this many standard
# deviations: two digits of the squares.
NEAR = 10.0
CHUNK_BYTES = 2**24


def by_nonzeros(data):
    """Whether products of the rows of `data` are faster by their non-zeros."""
    return data.is_sparse and data.row_size <= FEW * data.n_features


def split(X, centre, far):
    """The rows X in two parts: near columns, sparse and not centred, and `far` columns.

    Far columns, whose mean is large beside the standard deviation, have few zeros: they are
    made dense and centred. The mean of the near columns is subtracted from the products.

    Returns
    -------
    near : csr of shape (n, d)
        X with zeros in the columns `far`.
    among : ndarray of shape (n, len(far))
        The columns `far`, centred.
    """
    if not len(far):
        return X, np.empty((X.shape[0], 0))
    among = X[:, far].toarray() - centre[far]
    near = X.copy()
    near.data[np.isin(near.indices, far)] = 0.0
    return near, among


def far_columns(squares, mean, total):
    """Columns (indices) whose mean is larger than NEAR standard deviations."""
    size = total * mean**2
    return np.flatnonzero((size > 0) & (squares - size <= size / NEAR**2))


def sparse_products(data, centred, cut):
    """Σ s, mean and Σ s (z - mean)(z - mean)ᵀ of z = [x, y], by the non-zeros.

    Parameters
    ----------
    data : Data
        Sparse rows, see `by_nonzeros`.
    centred : bool
        If False, the mean is taken as zero.
    cut : callable
        Data -> the pieces of its rows, for threads.

    Returns
    -------
    (float, ndarray of shape (d + k,), ndarray of shape (d + k, d + k)), or None if too many
    columns are far.
    """
    d, width = data.n_features, data.n_features + data.n_outputs
    total, centre, squares = _moments(data, cut)
    if not centred:
        centre, far = np.zeros(width), np.empty(0, dtype=np.intp)
    else:
        far = far_columns(squares, centre[:d], total)
    if len(far) > data.row_size:
        return None
    dense = np.append(far, np.arange(d, width))  # the columns that are taken centred

    def part(block, piece):
        products, sums = np.zeros((width, width), order="F"), np.zeros(width)
        for X, y, weights in block.chunks(1, piece, CHUNK_BYTES, dense=False):
            near, among = split(X, centre, far)
            root = np.sqrt(weights)
            near = rows_times(near, root)
            Z = np.column_stack([among, y - centre[d:]]) * root[:, None]
            products[:d, :d] += (near.T @ near).toarray()
            across = near.T @ Z
            products[:d, dense] += across
            products[dense, :d] += across.T
            products[np.ix_(dense, dense)] += Z.T @ Z
            sums[:d] += near.T @ root
            sums[dense] += root @ Z
        return products, sums

    products, sums = np.zeros((width, width), order="F"), np.zeros(width)
    for more, some in data.over_pieces(part, cut):
        products += more
        sums += some
    if centred:
        rest = sums / total
        products -= total * np.outer(rest, rest)
        # For a constant column, a difference of equal numbers: rounding may make it < 0.
        np.fill_diagonal(products, np.maximum(np.diagonal(products), 0.0))
        subtracted = np.zeros(width)
        subtracted[dense] = centre[dense]
        centre = subtracted + rest
    return total, centre, products


def _moments(data, cut):
    """Σ s, the weighted mean of z = [x, y], and Σ s x² of each column."""

    def part(block, piece):
        total, sums = 0.0, np.zeros(block.n_features + block.n_outputs)
        squares = np.zeros(block.n_features)
        for X, y, weights in block.chunks(1, piece, CHUNK_BYTES, dense=False):
            total += weights.sum()
            sums += np.append(X.T @ weights, weights @ y)
            rooted = rows_times(X, np.sqrt(weights))
            numbers = rooted.data**2
            squares += np.bincount(rooted.indices, numbers, minlength=block.n_features)
        return total, sums, squares

    total, sums, squares = added(data.over_pieces(part, cut))
    return total, sums / total, squares


def rows_times(X, factors):
    """Each row of CSR X multiplied by its factor, in float64."""
    numbers = X.data * np.repeat(factors, np.diff(X.indptr))
    return type(X)((numbers, X.indices, X.indptr), shape=X.shape)
