"""The curvature of many rows, at the speed of matrix products and with its digits."""

from itertools import pairwise
from math import sqrt

import numpy as np
from scipy import linalg

from sgdreg._curvature.costs import MOST_COMPILED
from sgdreg._curvature.factor import (
    EASY_INFLATION,
    Curvature,
    inverse_of,
    inverse_size,
    triangle_of,
)
from sgdreg._curvature.sparse_products import NEAR, by_nonzeros, sparse_products, split
from sgdreg._data.moments import CONSTANT_SHARE
from sgdreg._kernels.descent import centred_products, move_to_mean, rough_centre

# ZᵀZ knows a direction of length s to eps·(s_max/s)²: to 2e-6 at this ratio, which a
# step corrects. Directions that are shorter are looked at in the rows themselves.
SQUARED_CONDITION = 1e5
# So few that looking at them is cheap beside a factorisation of all columns.
WEAK_SHARE = 0.25
# Rows of a product: 1 MiB, what a core's cache holds, but enough for the product's speed.
PRODUCT_BYTES = 2**20
PRODUCT_ROWS = 256
# Each of the pieces that threads work on has a matrix of its own: two, if they are large.
PIECES_BYTES = 2**24
# Rows that tell it a centre to begin with.
CENTRE_ROWS = 32
# Squares beyond these are too near to the ends of the range of floats.
SMALLEST, LARGEST = 1e-200, 1e200


def curvature_by_products(data, centred, easy=False):
    """The curvature of all rows of `data`; None where products cannot tell it.

    Or, with `easy`, where they have no digits to spare.

    Cholesky's triangle of ZᵀZ, in the scaled features; where that is nearly singular, its
    eigenvectors, of which the weak ones are given their length (and their part of the
    targets) by the rows.
    """
    d, width = data.n_features, data.n_features + data.n_outputs
    total, centre, products = _products(data, centred)
    squares = products.diagonal()[:d]
    scale = np.sqrt(squares)
    varying = scale > CONSTANT_SHARE * sqrt(total) * np.abs(centre[:d])
    whole = bool(varying.all())
    used = squares if whole else squares[varying]
    if len(used) and not SMALLEST < used.min() <= used.max() < LARGEST:
        return None
    if not (np.isfinite(products).all() and np.isfinite(centre).all()):
        return None
    if not whole:
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
    if whole:
        triangle = part
    else:
        triangle = np.zeros((d, width))
        triangle[np.ix_(varying, columns)] = part
    return Curvature(total, data.n_rows, centre, triangle, d, centred)


def _products(data, centred):
    """Σ s, mean and (its upper triangle) Σ s (z - mean)(z - mean)ᵀ of z = [x, y]."""
    width = data.n_features + data.n_outputs
    with np.errstate(over="ignore", invalid="ignore"):
        if by_nonzeros(data):
            known = sparse_products(data, centred, _pieces(data, width))
            if known is not None:
                return known
        return _moved_products(data, centred, _pieces(data, width))


def _pieces(data, width):
    """(start, stop) of what threads work on: few enough for the memory of their sums."""
    if len(data.pieces) == 1:
        return data.pieces
    size = 8 * width**2
    count = max(2, min(len(data.pieces), PIECES_BYTES // size))
    cuts = np.linspace(0, len(data.pieces), min(count, len(data.pieces)) + 1).astype(int)
    starts = [piece[0] for piece in data.pieces] + [data.n_rows]
    return [(starts[a], starts[b]) for a, b in pairwise(cuts)]


def _products_by_blas(data, pieces, centre):
    """Σ s z zᵀ of z = [x, y] - centre and 1, its upper triangle, by BLAS."""
    d, width = data.n_features, data.n_features + data.n_outputs + 1

    def part(piece):
        products, Z = np.zeros((width, width), order="F"), None
        for X, y, weights in data.chunks(PRODUCT_ROWS, piece, PRODUCT_BYTES):
            if Z is None or len(Z) != len(X):
                Z = np.empty((len(X), width))
            np.subtract(X, centre[:d], out=Z[:, :d])
            np.subtract(y, centre[d:], out=Z[:, d:-1])
            Z[:, -1] = 1.0
            if data.weights is not None:
                Z *= np.sqrt(weights)[:, None]
            products = _added(products, Z.T)
        return products

    return _sum(data.team.in_order(part, pieces))


def _moved_products(data, centred, pieces):
    """The same of dense pieces, about a centre that a few rows tell.

    Moving the products to the mean costs a digit where that is NEAR spreads away: a
    second pass is then about the mean itself.
    """
    width = data.n_features + data.n_outputs
    if not centred:
        products = _pass(data, np.zeros(width), pieces)
        return float(products[-1, -1]), np.zeros(width), products[:-1, :-1]
    positions = np.arange(0, data.n_rows, -(-data.n_rows // CENTRE_ROWS))
    rows = data.rows.index
    centre = rough_centre(data.problem, rows[positions] if len(rows) else positions)
    for _ in range(2):
        products = _pass(data, centre, pieces)
        total, away = (
            float(products[-1, -1]),
            move_to_mean(products, centre, CONSTANT_SHARE),
        )
        if away <= NEAR:
            break
    return total, centre, products[:-1, :-1]


def _pass(data, centre, pieces):
    """Σ s z zᵀ of z = [x, y] - centre and 1, its upper triangle."""
    if len(centre) > MOST_COMPILED:
        return _products_by_blas(data, pieces, centre)

    def part(piece):
        return centred_products(data.problem, centre, data.rows.index, *piece)

    return _sum(data.team.in_order(part, pieces))


def _sum(parts):
    first, *others = parts
    for more in others:
        first += more
    return first


def _added(products, columns):
    """products + columns columnsᵀ, in place, the upper triangle only."""
    return linalg.blas.dsyrk(1.0, columns, beta=1.0, c=products, overwrite_c=True)


def _factor(C, size, easy):
    """[R, R⁻ᵀ products] of C = [H, products] with RᵀR = H; None where H is near singular.

    Or, with `easy`, where its digits would be felt. The diagonal of H is one: that of its
    inverse says how many times the variance of a coefficient, and so of its rounding
    errors, is what it were for orthogonal features.
    """
    R, failed = linalg.lapack.dpotrf(C[:, :size], clean=True)
    if failed or not size:
        return None if failed else C
    if inverse_size(R) > EASY_INFLATION:
        if easy or not _condition(R) <= SQUARED_CONDITION:
            return None
    part, _ = linalg.lapack.dtrtrs(R, C[:, size:], trans=1)
    return np.concatenate([R, part], axis=1)


def _condition(R):
    return np.linalg.norm(inverse_of(R)) * np.linalg.norm(R)


def _deflated(data, centre, varying, scale, C):
    """The triangle where H is nearly singular, of its eigenvectors; None: too many weak."""
    size = len(scale)
    H, products = C[:, :size], C[:, size:]
    values, vectors = linalg.eigh(H, lower=False, check_finite=False)
    weak = values < values[-1] / SQUARED_CONDITION**2
    if weak.sum() > max(1, WEAK_SHARE * size):
        return None
    strong, lengths = vectors[:, ~weak], np.sqrt(values[~weak])
    faint = vectors[:, weak]
    look = _Look(data, centre, varying, scale)
    along = look.gradients(faint / scale[:, None]) / scale[:, None]
    overlap = strong.T @ along / lengths[:, None] ** 2
    found = look.triangle((faint - strong @ overlap) / scale[:, None])
    known = np.column_stack(
        [
            lengths[:, None] * (strong.T + overlap @ faint.T),
            (strong.T @ products) / lengths[:, None],
        ]
    )
    count = faint.shape[1]
    found = np.column_stack([found[:, :count] @ faint.T, found[:, count:]])
    return triangle_of(np.vstack([known, found]))[:size]


class _Look:
    """The rows themselves, along a few directions (columns), in pieces by threads."""

    def __init__(self, data, centre, varying, scale):
        self.data, self.centre, self.varying = data, centre, varying
        # Where means are small beside spreads, they can be subtracted afterwards.
        sizes, nearest = np.abs(self._mean[varying]), NEAR / np.sqrt(data.n_rows)
        self.near = sizes.max() <= nearest * scale.min()
        self.far = np.flatnonzero(varying)[sizes > nearest * scale]
        self.dense = not by_nonzeros(data) or len(self.far) > data.row_size

    def gradients(self, directions):
        """Σ s (x - mean) (x - mean)ᵀ v: what else they overlap with."""
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
        """The triangle of the rows' parts along them, and of y."""
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
