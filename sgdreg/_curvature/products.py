"""The curvature of many rows, at the speed of products and with the digits of QR."""

from functools import partial
from itertools import pairwise
from math import sqrt

import numpy as np
from scipy import linalg

from sgdreg._curvature.costs import MOST_COMPILED
from sgdreg._curvature.factor import EASY_INFLATION, Curvature
from sgdreg._curvature.gram import Gram, block_rows
from sgdreg._curvature.sparse_products import NEAR, by_nonzeros, sparse_products, split
from sgdreg._curvature.triangles import (
    LARGEST,
    SMALLEST,
    inverse_of,
    inverse_size,
    triangle_of,
)
from sgdreg._data.moments import CONSTANT_SHARE
from sgdreg._data.rows import FLOAT_BYTES, all_finite
from sgdreg._kernels.descent import centred_products, move_to_mean, rough_centre

# In ZᵀZ a direction of length s has a relative error of eps·(s_max/s)²: 2e-6 at this ratio
# s_max/s, which one step corrects. Shorter (weak) directions are computed from the rows.
SQUARED_CONDITION = 1e5
# Up to this share of weak directions, that is cheap beside a QR of all columns.
WEAK_SHARE = 0.25
# The rows of a product: 1 MiB, which a core's cache holds, or what its speed needs.
PRODUCT_BYTES = 2**20
# Each of the pieces that threads work on has its own matrix of products. All together have
# this many bytes at most, but MATRICES is the least number of pieces.
PIECES_BYTES = 2**24
MATRICES = 2
# Multiplications of a piece, at least: they take 0.2 ms; rows, beside whose products the
# sum of the matrices is little; and pieces at most.
PIECE_WORK, PIECE_ROWS, PIECES = 2**23, 1000, 16
# The centre about which products are first computed is the mean of this many rows.
CENTRE_ROWS = 32


def curvature_by_products(data, centred, easy=False):
    """The curvature of all rows of `data`; None if products cannot resolve it.

    It is Cholesky's triangle of ZᵀZ, in the scaled features. If that is nearly singular, it
    is made of the eigenvectors of ZᵀZ; the lengths of the weak ones, and the targets along
    them, are computed from the rows. With `easy` it is then None: a QR factorisation of few
    rows is faster.
    """
    d, width = data.n_features, data.n_features + data.n_outputs
    total, centre, products = _products(data, centred)
    squares = products.diagonal()[:d]
    scale = np.sqrt(squares)
    varying = scale > CONSTANT_SHARE * sqrt(total) * np.abs(centre[:d])
    all_vary = bool(np.logical_and.reduce(varying))
    used = squares if all_vary else squares[varying]
    low, high = np.minimum.reduce(used, initial=1.0), np.maximum.reduce(used, initial=1.0)
    if not (low > SMALLEST and high < LARGEST):
        return None
    if not (all_finite(products) and all_finite(centre)):
        return None
    if not all_vary:
        zero = np.flatnonzero(~varying & (squares < SMALLEST))
        if data.rows.vary(zero):
            return None
        columns = np.append(varying, np.ones(width - d, dtype=bool))
        products, scale = products[np.ix_(varying, columns)], scale[varying]
    size = len(scale)
    C = products[:size] / scale[:, None]
    C[:, :size] /= scale
    part = _factor(C, size, easy)
    if part is None and not easy:
        part = _deflated(data, centre, varying, scale, C)
    if part is None:
        return None
    part[:, :size] *= scale
    triangle = part
    if not all_vary:
        triangle = np.zeros((d, width))
        triangle[np.ix_(varying, columns)] = part
    return Curvature(total, data.n_rows, centre, triangle, d, centred)


def _products(data, centred):
    """Σ s, mean and (its upper triangle) Σ s (z - mean)(z - mean)ᵀ of z = [x, y]."""
    if by_nonzeros(data):
        known = sparse_products(data, centred, _pieces)
        if known is not None:
            return known
    return _about_mean(data, centred)


def _pieces(data):
    """(start, stop) of the rows that threads work on: few, if their matrices are large."""
    width = data.n_features + data.n_outputs
    wanted = len(data.pieces)
    if not by_nonzeros(data):
        wanted = max(wanted, data.n_rows * width**2 // PIECE_WORK)
    most = max(MATRICES, PIECES_BYTES // (FLOAT_BYTES * width**2))
    count = min(wanted, most, PIECES, data.n_rows // PIECE_ROWS)
    if count < 2:
        return [(0, data.n_rows)]
    cuts = np.linspace(0, data.n_rows, count + 1).astype(int).tolist()
    return list(pairwise(cuts))


def _about_mean(data, centred):
    """The same, computed about the mean of a few rows and moved to that of all rows.

    That costs a digit for a move of NEAR standard deviations. If it is longer, a second
    pass is about the mean of all rows.
    """
    if not centred:
        centre = np.zeros(data.n_features + data.n_outputs)
        return data.total_weight, centre, _pass(data, centre)[:-1, :-1]
    centre = _rough_centre(data)
    for _ in range(2):
        products = _pass(data, centre)
        if move_to_mean(products, centre, CONSTANT_SHARE) <= NEAR:
            break
    return data.total_weight, centre, products[:-1, :-1]


def _rough_centre(data):
    """The mean of some rows of the first block."""
    block = next(data.blocks())
    positions = np.arange(0, block.n_rows, -(-block.n_rows // CENTRE_ROWS))
    return rough_centre(block.problem, block.rows.at_of(positions))


def _pass(data, centre):
    """Σ s z zᵀ of z = [x - centre, y - centre, 1], its upper triangle, in one pass."""
    part = _part if len(centre) <= MOST_COMPILED else _part_by_blas
    return _sum(data.over_pieces(partial(part, centre=centre), _pieces))


def _part(block, piece, centre):
    """The part of a piece, of few columns."""
    return centred_products(block.problem, centre, block.rows.index, *piece)


def _part_by_blas(block, piece, centre):
    """The part of a piece, of many columns."""
    d, width = block.n_features, len(centre) + 1
    gram, Z = Gram(width), None
    for X, y, weights in block.chunks(block_rows(width), piece, PRODUCT_BYTES):
        if Z is None or len(Z) != len(X):
            Z = np.empty((len(X), width))
        np.subtract(X, centre[:d], out=Z[:, :d])
        np.subtract(y, centre[d:], out=Z[:, d:-1])
        Z[:, -1] = 1.0
        if block.weights is not None:
            Z *= np.sqrt(weights)[:, None]
        gram.add(Z)
    return gram.total


def _sum(parts):
    """The sum of arrays, in the first of them, as they come."""
    parts = iter(parts)
    total = next(parts)
    for more in parts:
        total += more
    return total


def _factor(C, size, easy):
    """[R, R⁻ᵀ products] of C = [H, products], with RᵀR = H; None if H is nearly singular.

    With `easy` also None unless the products have digits to spare. The diagonal of H is
    one. So that of its inverse tells how many times larger the variance of a coefficient,
    and of its rounding errors, is than it would be for orthogonal features.
    """
    R, failed = linalg.lapack.dpotrf(C[:, :size], clean=True)
    if failed or not size:
        return None if failed else C
    resolved = inverse_size(R) <= EASY_INFLATION
    if not resolved and (easy or not _condition(R) <= SQUARED_CONDITION):
        return None
    part, _ = linalg.lapack.dtrtrs(R, C[:, size:], trans=1)
    return np.concatenate([R, part], axis=1)


def _condition(R):
    return np.linalg.norm(inverse_of(R)) * np.linalg.norm(R)


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

    def __getstate__(self):
        """Without the rows: a function that needs the rest is sent to where they lie."""
        return {name: value for name, value in vars(self).items() if name != "data"}

    def products(self, directions):
        """Σ s (x - mean) (x - mean)ᵀ v of each direction v."""
        full = self._full(directions)

        def part(block, piece):
            total, sums = np.zeros_like(full), np.zeros(full.shape[1])
            for X, _, weights in block.chunks(1, piece, PRODUCT_BYTES, self.dense):
                P = weights[:, None] * self._along(X, full)
                total += X.T @ P
                sums += P.sum(axis=0)
            return total - np.outer(self._mean, sums)

        return _sum(self.data.over_pieces(part))[self.varying]

    def triangle(self, directions):
        """The triangle of the rows' projections and of y."""
        full, count = self._full(directions), directions.shape[1]

        def part(block, piece):
            triangle = np.zeros((0, count + block.n_outputs))
            chunks = block.chunks(count, piece, PRODUCT_BYTES, self.dense)
            for X, y, weights in chunks:
                rest = y - self.centre[len(self.varying) :]
                Z = np.column_stack([self._along(X, full), rest])
                Z *= np.sqrt(weights)[:, None]
                triangle = triangle_of(np.vstack([triangle, Z]))
            return triangle

        return triangle_of(np.vstack(list(self.data.over_pieces(part))))[:count]

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
