"""Triangles: QR factorisations, inverses and singular values, by LAPACK."""

from functools import lru_cache
from math import sqrt

import numpy as np
from scipy import linalg

# The work space of LAPACK's QR is for blocks of this many columns, or more.
QR_BLOCK = 64
# Columns from which on factorisations that save work are worth their calls (at 300 they
# take half of the time, docs/design-notes.md), and those that they take at a time.
BLOCKED, QR_PANEL = 256, 48
TINY = np.finfo(np.float64).tiny
# Sums of squares beyond these are too near to the ends of the range of floats.
SMALLEST, LARGEST = 1e-200, 1e200
# Up to this condition number R R⁻¹ is the identity to 1e-10, from whichever side.
SAME_INVERSE = 1e5


def with_diagonal(Z, targets, diagonal):
    """The triangle of [Z, targets] with the rows of a diagonal matrix added below.

    Of many columns by a factorisation that knows the zeros, in a third of the time.
    """
    size, width = Z.shape[1], targets.shape[1]
    if size < BLOCKED or len(Z) > size or not is_triangle(Z):
        none = np.zeros((size, width))
        return np.vstack([Z, np.diag(diagonal)]), np.vstack([targets, none])
    below = np.zeros((size, size), order="F")
    below[np.diag_indices(size)] = diagonal
    R, below, factors, _ = linalg.lapack.dtpqrt(size, QR_PANEL, Z, below, overwrite_b=True)
    none = np.zeros((size, width), order="F")
    turned = linalg.lapack.dtpmqrt(
        size, below, factors, np.asfortranarray(targets), none, trans="T"
    )
    return R, turned[0]


def triangle_of(A, overwrite=False):
    """R with RᵀR = AᵀA, upper triangular, by a QR factorisation."""
    R = np.zeros((min(A.shape), A.shape[1]))
    if A.size:
        # The call inside scipy.linalg.qr; its checks would take 30 µs more.
        work = QR_BLOCK * A.shape[1]
        found = linalg.lapack.dgeqrf(A, lwork=work, overwrite_a=overwrite)[0]
        np.copyto(R, found[: len(R)], where=_triangle_masks(*R.shape)[0])
    return R


def is_triangle(Z):
    """Whether all numbers of Z below its diagonal are zero."""
    return not np.logical_or.reduce(Z, axis=None, where=_triangle_masks(*Z.shape)[1])


@lru_cache(maxsize=4)
def _triangle_masks(rows, columns):
    """Masks of the part of a matrix on or above its diagonal, and of the part below."""
    below = np.tri(rows, columns, -1, dtype=bool)
    return ~below, below


@lru_cache(maxsize=4)
def _identity(size):
    return np.eye(size, order="F")


def products_of(A, team):
    """AᵀA, the upper triangle at least, in Fortran's order.

    Of many columns by two threads: one has the products of half of the columns with the
    others, one those of each half with itself. (NumPy's product lets the other one work.)
    """
    if A.shape[1] < BLOCKED:
        if A.flags.f_contiguous:
            return linalg.blas.dsyrk(1.0, A, trans=1)
        return linalg.blas.dsyrk(1.0, A.T)
    half, out = A.shape[1] // 2, np.empty((A.shape[1], A.shape[1]))
    parts = slice(None, half), slice(half, None)

    def multiply(pairs):
        for a, b in pairs:
            np.matmul(A[:, parts[a]].T, A[:, parts[b]], out=out[parts[a], parts[b]])

    for _ in team.in_order(multiply, [[(1, 0)], [(0, 0), (1, 1)]]):
        pass
    return out.T


def symmetric_times(S, A, team):
    """S A, C-ordered, of a symmetric S, with zeros below its diagonal; S is changed."""
    if len(S) < BLOCKED:
        return np.ascontiguousarray(linalg.blas.dsymm(1.0, S, A))
    for start in range(0, len(S), BLOCKED):
        stop = start + BLOCKED
        S[stop:, start:stop] = S[start:stop, stop:].T
        square = S[start:stop, start:stop]
        square += np.triu(square, 1).T
    out = np.empty(A.shape)
    half = len(S) // 2

    def multiply(rows):
        np.matmul(S[rows], A, out=out[rows])

    for _ in team.in_order(multiply, [slice(None, half), slice(half, None)]):
        pass
    return out


def norm(x):
    """Euclidean norm of all numbers: np.linalg.norm without its checks."""
    x = x.ravel(order="K")
    return sqrt(x @ x)


def inverse_of(R):
    """R⁻¹ of an upper triangle; all infinite if R is singular.

    It is computed by substitution, by which R R⁻¹ is near the identity, as the metric needs
    it. (LAPACK's inversion makes R⁻¹R near the identity: at a condition number of 4e8 its
    R R⁻¹ is off by 0.03.) LAPACK inverts a well-conditioned triangle of many columns,
    in half of the time.
    """
    if not len(R):
        return R
    if len(R) >= BLOCKED:
        inverse, singular = linalg.lapack.dtrtri(R)
        if not singular and norm(inverse) * norm(R) <= SAME_INVERSE:
            return inverse
    inverse, singular = linalg.lapack.dtrtrs(R, _identity(len(R)))
    return np.full_like(R, np.inf) if singular else inverse


def inverse_size(R):
    """The 1-norm of (RᵀR)⁻¹ for an upper triangle, as LAPACK estimates it."""
    share, _ = linalg.lapack.dpocon(R, 1.0)
    return 1.0 / share if share > 0 else np.inf


def root_of(Z, inverse=None):
    """root with rootᵀ root = (ZᵀZ)⁺, of an upper triangle or of orthogonal rows."""
    if inverse is not None:
        return inverse.T
    if len(Z) == Z.shape[1] and is_triangle(Z):
        return inverse_of(Z).T
    return Z / np.einsum("ij,ij->i", Z, Z)[:, None]


def column_squares(A):
    """Σ a² of each column, without a copy of A."""
    return np.einsum("ij,ij->j", A, A)


def column_norms(A):
    """Euclidean norm of each column, without overflow or underflow of the squares."""
    squares = column_squares(A)
    if squares.size and SMALLEST < squares.min() <= squares.max() < LARGEST:
        return np.sqrt(squares)
    largest = np.maximum.reduce(np.abs(A), axis=0, initial=TINY)
    return largest * np.sqrt(np.add.reduce(np.square(A / largest), axis=0))


def singular_values(Z):
    """(U, s, Vt) of Z, without rows and columns of zero.

    Divide and conquer fails on some matrices of many equal singular values, such as those
    of one-hot columns; QR iterations, which take longer, do not.
    """
    options = {"full_matrices": False, "check_finite": False}
    try:
        return linalg.svd(Z, **options)
    except linalg.LinAlgError:
        return linalg.svd(Z, lapack_driver="gesvd", **options)
