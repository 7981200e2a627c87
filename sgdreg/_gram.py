"""The curvature of many rows, at the speed of matrix products and with its digits."""

from itertools import pairwise

import numpy as np
from scipy import linalg

from sgdreg._curvature import Curvature, inverse_of, triangle_of
from sgdreg._moments import CONSTANT_SHARE

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
# Squares beyond these are too near to the ends of the range of floats.
SMALLEST, LARGEST = 1e-200, 1e200


def curvature_by_products(data, centred):
    """The curvature of all rows of `data`; None where products cannot tell it.

    Cholesky's triangle of ZᵀZ, in the scaled features; where that is nearly singular, its
    eigenvectors, of which the weak ones are given their length (and their part of the
    targets) by the rows.
    """
    d, width = data.n_features, data.n_features + data.n_outputs
    total, centre, products = _products(data, centred)
    squares = np.diagonal(products)[:d]
    scale = np.sqrt(squares)
    varying = scale > CONSTANT_SHARE * np.sqrt(total) * np.abs(centre[:d])
    used, zero = squares[varying], np.flatnonzero(~varying & (squares < SMALLEST))
    if not (np.isfinite(products).all() and np.isfinite(centre).all()):
        return None
    if not ((used > SMALLEST) & (used < LARGEST)).all() or data.varies(zero):
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
    size = 8 * width**2
    count = max(2, min(len(data.pieces), PIECES_BYTES // size))
    cuts = np.linspace(0, len(data.pieces), min(count, len(data.pieces)) + 1).astype(int)
    starts = [piece[0] for piece in data.pieces] + [data.n_rows]
    pieces = [(starts[a], starts[b]) for a, b in pairwise(cuts)]

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
    """products + columns columnsᵀ, in place, the upper triangle only."""
    return linalg.blas.dsyrk(1.0, columns, beta=1.0, c=products, overwrite_c=True)


def _joined(products, total, mean, weight, middle):
    """Two groups of rows as one, their products being added: see `Curvature.add`."""
    both = total + weight
    if total and (middle != mean).any():
        between = np.sqrt(total * weight / both) * (middle - mean)
        _added(products, between[:, None])
    return both, mean + (middle - mean) * (weight / both)


def _factor(H, products):
    """[R, R⁻ᵀ products] with RᵀR = H; None where H is nearly singular."""
    R, failed = linalg.lapack.dpotrf(H, clean=True)
    if failed or not len(H):
        return None if failed else np.zeros((0, products.shape[1]))
    inverse = inverse_of(R)
    if not np.linalg.norm(inverse) * np.linalg.norm(R) <= SQUARED_CONDITION:
        return None
    return np.column_stack([R, inverse.T @ products])


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
    along = _gradients(data, centre, varying, faint / scale[:, None]) / scale[:, None]
    overlap = strong.T @ along / lengths[:, None] ** 2
    found = _look_at(data, centre, varying, (faint - strong @ overlap) / scale[:, None])
    known = np.column_stack(
        [
            lengths[:, None] * (strong.T + overlap @ faint.T),
            (strong.T @ products) / lengths[:, None],
        ]
    )
    found = np.column_stack([found[:, : weak.sum()] @ faint.T, found[:, weak.sum() :]])
    return triangle_of(np.vstack([known, found]))[:size]


def _gradients(data, centre, varying, directions):
    """Σ s (x - mean) (x - mean)ᵀ v of some directions v: their overlap with others."""
    d = data.n_features
    full = np.zeros((d, directions.shape[1]))
    full[varying] = directions

    def part(piece):
        total = np.zeros_like(full)
        for X, _, weights in data.chunks(1, piece, PRODUCT_BYTES):
            Z = X - centre[:d]
            total += Z.T @ (weights[:, None] * (Z @ full))
        return total

    return sum(data.team.in_order(part, data.pieces))[varying]


def _look_at(data, centre, varying, directions):
    """The triangle of the rows' parts along some directions (columns), and of y."""
    count, d = directions.shape[1], data.n_features
    full = np.zeros((d, count))
    full[varying] = directions

    def part(piece):
        triangle = np.zeros((0, count + data.n_outputs))
        for X, y, weights in data.chunks(count, piece, PRODUCT_BYTES):
            Z = np.column_stack([(X - centre[:d]) @ full, y - centre[d:]])
            Z *= np.sqrt(weights)[:, None]
            triangle = triangle_of(np.vstack([triangle, Z]))
        return triangle

    triangles = list(data.team.in_order(part, data.pieces))
    return triangle_of(np.vstack(triangles))[:count]
