"""The curvature of many rows, at the speed of products and with the digits of QR."""

from itertools import pairwise

import numpy as np
from scipy import linalg

from sgdreg._curvature.factor import Curvature, inverse_of, triangle_of
from sgdreg._curvature.sparse_products import NEAR, by_nonzeros, sparse_products, split
from sgdreg._data.moments import CONSTANT_SHARE, pooled
from sgdreg._data.rows import FLOAT_BYTES

# In ZᵀZ a direction of length s has a relative error of eps·(s_max/s)²: 2e-6 at this ratio
# s_max/s, which one step corrects. Shorter (weak) directions are computed from the rows.
SQUARED_CONDITION = 1e5
# Up to this share of weak directions, that is cheap beside a QR of all columns.
WEAK_SHARE = 0.25
# The rows of a product: 1 MiB, which a core's cache holds, but at least PRODUCT_ROWS, which
# the product needs for its speed.
PRODUCT_BYTES = 2**20
PRODUCT_ROWS = 256
# Each of the pieces that threads work on has its own matrix of products. All together have
# this many bytes at most, but MATRICES is the least number of pieces.
PIECES_BYTES = 2**24
MATRICES = 2
# Squares beyond these are too near to the ends of the range of floats.
SMALLEST, LARGEST = 1e-200, 1e200


def curvature_by_products(data, centred):
    """The curvature of all rows of `data`; None if products cannot resolve it.

    It is Cholesky's triangle of ZᵀZ, in the scaled features. If that is nearly singular, it
    is made of the eigenvectors of ZᵀZ; the lengths of the weak ones, and the targets along
    them, are computed from the rows.
    """
    d, width = data.n_features, data.n_features + data.n_outputs
    total, centre, products = _products(data, centred)
    squares = np.diagonal(products)[:d]
    scale = np.sqrt(squares)
    varying = scale > CONSTANT_SHARE * np.sqrt(total) * np.abs(centre[:d])
    used, zero = squares[varying], np.flatnonzero(~varying & (squares < SMALLEST))
    if not (np.isfinite(products).all() and np.isfinite(centre).all()):
        return None
    if not ((used > SMALLEST) & (used < LARGEST)).all() or data.rows.vary(zero):
        return None
    scale, columns = scale[varying], np.append(varying, np.ones(width - d, dtype=bool))
    C = products[np.ix_(varying, columns)]
    C = C / scale[:, None] / np.append(scale, np.ones(width - d))
    part = _factor(C[:, : len(scale)], C[:, len(scale) :])
    if part is None:
        part = _deflated(data, centre, varying, scale, C)
    if part is None:
        return None
    triangle = np.zeros((d, width))
    part[:, : len(scale)] *= scale
    triangle[np.ix_(varying, columns)] = part
    return Curvature(total, data.n_rows, centre, triangle, d, centred)


def _products(data, centred):
    """Σ s, mean and (its upper triangle) Σ s (z - mean)(z - mean)ᵀ of z = [x, y]."""
    width = data.n_features + data.n_outputs
    size = FLOAT_BYTES * width**2
    count = max(MATRICES, min(len(data.pieces), PIECES_BYTES // size))
    cuts = np.linspace(0, len(data.pieces), min(count, len(data.pieces)) + 1).astype(int)
    starts = [piece[0] for piece in data.pieces] + [data.n_rows]
    pieces = [(starts[a], starts[b]) for a, b in pairwise(cuts)]
    known = None
    with np.errstate(over="ignore", invalid="ignore"):
        if by_nonzeros(data):
            known = sparse_products(data, centred, pieces)
    if known is not None:
        return known

    def part(piece):
        total, mean = 0.0, np.zeros(width)
        products = np.zeros((width, width), order="F")
        for X, y, weights in data.chunks(PRODUCT_ROWS, piece, PRODUCT_BYTES):
            Z = np.column_stack([X, y])
            weight, middle = weights.sum(), np.zeros(width)
            if centred:
                middle = weights @ Z / weight
                Z -= middle
            if data.weights is not None:
                Z *= np.sqrt(weights)[:, None]
            products = _added(products, Z.T)
            total, mean = _joined(products, total, mean, weight, middle)
        return total, mean, products

    total, mean, products = 0.0, np.zeros(width), None
    with np.errstate(over="ignore", invalid="ignore"):
        for weight, middle, more in data.team.in_order(part, pieces):
            products = more if products is None else np.add(products, more, out=products)
            total, mean = _joined(products, total, mean, weight, middle)
    return total, mean, products


def _added(products, columns):
    """The upper triangle of products + columns columnsᵀ, in place."""
    return linalg.blas.dsyrk(1.0, columns, beta=1.0, c=products, overwrite_c=True)


def _joined(products, total, mean, weight, middle):
    """Sum of weights and mean of two groups together; completes their sum of products."""
    both, mean, step, share = pooled(total, mean, weight, middle)
    if total and step.any():
        _added(products, (np.sqrt(share) * step)[:, None])
    return both, mean


def _factor(H, products):
    """[R, R⁻ᵀ products] with RᵀR = H; None if H is nearly singular."""
    R, failed = linalg.lapack.dpotrf(H, clean=True)
    if failed or not len(H):
        return None if failed else np.zeros((0, products.shape[1]))
    inverse = inverse_of(R)
    if not np.linalg.norm(inverse) * np.linalg.norm(R) <= SQUARED_CONDITION:
        return None
    return np.column_stack([R, inverse.T @ products])


def _deflated(data, centre, varying, scale, C):
    """The triangle from the eigenvectors of a nearly singular H; None: many are weak."""
    size = len(scale)
    H, products = C[:, :size], C[:, size:]
    values, vectors = linalg.eigh(H, lower=False, check_finite=False)
    weak = values < values[-1] / SQUARED_CONDITION**2
    if weak.sum() > max(1, WEAK_SHARE * size):
        return None
    strong, lengths = vectors[:, ~weak], np.sqrt(values[~weak])
    weakest = vectors[:, weak]
    rows = _Projections(data, centre, varying, scale)
    along = rows.products(weakest / scale[:, None]) / scale[:, None]
    overlap = strong.T @ along / lengths[:, None] ** 2
    found = rows.triangle((weakest - strong @ overlap) / scale[:, None])
    known = np.column_stack(
        [
            lengths[:, None] * (strong.T + overlap @ weakest.T),
            (strong.T @ products) / lengths[:, None],
        ]
    )
    count = weakest.shape[1]
    found = np.column_stack([found[:, :count] @ weakest.T, found[:, count:]])
    return triangle_of(np.vstack([known, found]))[:size]


class _Projections:
    """The centred rows projected on a few directions (columns), in pieces by threads."""

    def __init__(self, data, centre, varying, scale):
        self.data, self.centre, self.varying = data, centre, varying
        # Means that are small beside standard deviations can be subtracted afterwards.
        sizes, nearest = np.abs(self._mean[varying]), NEAR / np.sqrt(data.n_rows)
        self.near = sizes.max() <= nearest * scale.min()
        self.far = np.flatnonzero(varying)[sizes > nearest * scale]
        self.dense = not by_nonzeros(data) or len(self.far) > data.row_size

    def products(self, directions):
        """Σ s (x - mean) (x - mean)ᵀ v of each direction v."""
        full = self._full(directions)

        def part(piece):
            total, sums = np.zeros_like(full), np.zeros(full.shape[1])
            for X, _, weights in self.data.chunks(1, piece, PRODUCT_BYTES, self.dense):
                P = weights[:, None] * self._along(X, full)
                total += X.T @ P
                sums += P.sum(axis=0)
            return total - np.outer(self._mean, sums)

        return sum(self._in_order(part))[self.varying]

    def triangle(self, directions):
        """The triangle of the rows' projections and of y."""
        full, count = self._full(directions), directions.shape[1]

        def part(piece):
            triangle = np.zeros((0, count + self.data.n_outputs))
            chunks = self.data.chunks(count, piece, PRODUCT_BYTES, self.dense)
            for X, y, weights in chunks:
                rest = y - self.centre[len(self.varying) :]
                Z = np.column_stack([self._along(X, full), rest])
                Z *= np.sqrt(weights)[:, None]
                triangle = triangle_of(np.vstack([triangle, Z]))
            return triangle

        return triangle_of(np.vstack(list(self._in_order(part))))[:count]

    @property
    def _mean(self):
        return self.centre[: len(self.varying)]

    def _full(self, directions):
        full = np.zeros((len(self.varying), directions.shape[1]))
        full[self.varying] = directions
        return full

    def _along(self, X, full):
        if self.near:
            return X @ full - self._mean @ full
        if self.dense:
            return (X - self._mean) @ full
        near, among = split(X, self._mean, self.far)
        rest = full.copy()
        rest[self.far] = 0.0
        return near @ full - self._mean @ rest + among @ full[self.far]

    def _in_order(self, part):
        return self.data.team.in_order(part, self.data.pieces)
