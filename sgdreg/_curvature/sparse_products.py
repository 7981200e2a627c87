"""Products of the columns of sparse rows, at the cost of their non-zeros."""

import numpy as np

# A pair of non-zeros takes SciPy's product some 5 ns, a pair of numbers BLAS a tenth of a
# nanosecond or less: non-zeros pay where they are fewer than this share of the features.
FEW = 0.1
# Means of so many spreads cost a digit when they are subtracted after a product.
NEAR = 10.0
CHUNK_BYTES = 2**24


def by_nonzeros(data):
    """Whether products of the rows of `data` are quicker by their non-zeros."""
    return data.is_sparse and data.row_size <= FEW * data.n_features


def split(X, centre, far):
    """The rows X less `centre` in two parts: sparse columns as they are, and `far` ones.

    Columns whose mean is large beside their spread hardly have zeros: they are centred
    as they are, while the mean of the others is taken off the products.

    Returns
    -------
    near : csr of shape (n, d)
        Zero in the columns `far`.
    among : ndarray of shape (n, len(far))
        These columns, centred.
    """
    if not len(far):
        return X, np.empty((X.shape[0], 0))
    among = X[:, far].toarray() - centre[far]
    near = X.copy()
    near.data[np.isin(near.indices, far)] = 0.0
    return near, among


def far_columns(squares, mean, total):
    """Columns (indices) whose mean is more than NEAR spreads from zero."""
    size = total * mean**2
    return np.flatnonzero((size > 0) & (squares - size <= size / NEAR**2))


def sparse_products(data, centred, pieces):
    """Σ s, mean and Σ s (z - mean)(z - mean)ᵀ of z = [x, y], by the non-zeros.

    Parameters
    ----------
    data : Data
        Of sparse rows, see `by_nonzeros`.
    centred : bool
        False: the mean is none, zeros.
    pieces : list of (start, stop)
        Rows that threads work on.

    Returns
    -------
    (float, ndarray of shape (d + k,), ndarray of shape (d + k, d + k)), or None where too
    many columns are far from zero.
    """
    d, width = data.n_features, data.n_features + data.n_outputs
    total, centre, squares = _moments(data, pieces)
    if not centred:
        centre, far = np.zeros(width), np.empty(0, dtype=np.intp)
    else:
        far = far_columns(squares, centre[:d], total)
    if len(far) > data.row_size:
        return None
    dense = np.append(far, np.arange(d, width))  # the columns that are taken centred

    def part(piece):
        products, sums = np.zeros((width, width), order="F"), np.zeros(width)
        for X, y, weights in data.chunks(1, piece, CHUNK_BYTES, dense=False):
            near, among = split(X, centre, far)
            root = np.sqrt(weights)
            near = _rows_times(near, root)
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
    for more, some in data.team.in_order(part, pieces):
        products += more
        sums += some
    if centred:
        rest = sums / total
        products -= total * np.outer(rest, rest)
        # Of a constant, the difference of two equal numbers: not below zero by rounding.
        np.fill_diagonal(products, np.maximum(np.diagonal(products), 0.0))
        kept = np.zeros(width)
        kept[dense] = centre[dense]
        centre = kept + rest
    return total, centre, products


def _moments(data, pieces):
    """Σ s; Σ s z / Σ s of z = [x, y]; Σ s x² of each column."""

    def part(piece):
        total, sums = 0.0, np.zeros(data.n_features + data.n_outputs)
        squares = np.zeros(data.n_features)
        for X, y, weights in data.chunks(1, piece, CHUNK_BYTES, dense=False):
            total += weights.sum()
            sums += np.append(X.T @ weights, weights @ y)
            rooted = _rows_times(X, np.sqrt(weights))
            numbers = rooted.data**2
            squares += np.bincount(rooted.indices, numbers, minlength=data.n_features)
        return total, sums, squares

    parts = list(data.team.in_order(part, pieces))
    total, sums, squares = (sum(column) for column in zip(*parts, strict=True))
    return total, sums / total, squares


def _rows_times(X, factors):
    X = X.copy()
    X.data *= np.repeat(factors, np.diff(X.indptr))
    return X
